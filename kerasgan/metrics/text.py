"""Scores of texts: whether they are copies, whether they repeat, whether they read like the real ones.

Texts are strings; those of n-grams are counted in tokens of a `kerasgan.media.Text`, characters or words.
"""

import collections
import hashlib
import math
import typing

import numpy as np

import kerasgan
from kerasgan.metrics import checks, result
from kerasgan.tokens import divided

MOST = 5_000  # texts that are scored when nobody says how many
DUPLICATES_AMONG = 1_000
QUANTILE = 0.05  # of real texts, below which a text does not read like one
BLEU_TEXTS = 500  # that are held against references, as many
BLEU_ORDER = 4  # longest n-grams
_SMOOTHING = 0.1  # times that each pair of tokens is taken to have been seen besides
_EDGE = None  # what stands before the first token and behind the last one


# Copies and repetitions ----------------------------------------------------------------------------------------------


def copies(texts, train):
    """The share of texts that are one of the training's."""
    known = set(train)
    return float(np.mean([text in known for text in texts]))


def duplicates(texts):
    """The share of texts that have come before: 0 where all are different."""
    return 1.0 - len(set(texts)) / len(texts)


# What reads like real texts ------------------------------------------------------------------------------------------


class Bigrams:
    """How likely a token is, knowing the one before: counted in texts, the start and the end among the tokens.

    Pairs that did not come count a tenth of one that came once.

    Args:
        sequences: lists of tokens.
    """

    def __init__(self, sequences):
        self._pairs, self._first = collections.Counter(), collections.Counter()
        for tokens in sequences:
            framed = [_EDGE, *tokens, _EDGE]
            self._pairs.update(zip(framed, framed[1:], strict=False))
            self._first.update(framed[:-1])
        self._kinds = len({second for _, second in self._pairs}) + 1  # and one for whatever did not come

    def log_likelihood(self, tokens):
        """The logarithm of how likely a text is, in nats a token, its end among them."""
        framed = [_EDGE, *tokens, _EDGE]
        total = 0.0
        for pair in zip(framed, framed[1:], strict=False):
            total += math.log((self._pairs[pair] + _SMOOTHING) / (self._first[pair[0]] + _SMOOTHING * self._kinds))
        return total / (len(framed) - 1)


def pronounceable(sequences, model, threshold):
    """The share of texts, lists of tokens, that are likelier to a `Bigrams` than a threshold."""
    return float(np.mean([model.log_likelihood(tokens) >= threshold for tokens in sequences]))


def bigrams_of(sequences, seed=0):
    """(`Bigrams` of a random half of real texts, what 95 % of the other half are likelier than)."""
    order = np.random.default_rng(seed).permutation(len(sequences))
    half = len(order) // 2
    model = Bigrams([sequences[place] for place in order[:half]])
    return model, float(np.quantile([model.log_likelihood(sequences[place]) for place in order[half:]], QUANTILE))


# N-grams -------------------------------------------------------------------------------------------------------------


def bleu(sequences, references, order=BLEU_ORDER):
    """The mean BLEU of texts against all references at once (Papineni et al., 2002, doi:10.3115/1073083.1073135).

    The geometric mean of the shares of n-grams, of 1 to `order` tokens, that a reference has as often; times
    exp(1 - r / c) for a text of c tokens where the reference nearest in length has r, if that is longer. Shares of 0
    count as 0.1 of an n-gram (method 1 of Chen & Cherry, 2014); n-grams longer than the text do not count.

    Args:
        sequences, references: lists of lists of tokens.
        order: of the longest n-grams.
    """
    most, lengths = _most(references, order), sorted({len(reference) for reference in references})
    return float(np.mean([_bleu(tokens, most, lengths, order) for tokens in sequences]))


def self_bleu(sequences, order=BLEU_ORDER):
    """The mean BLEU of each text against all others (Zhu et al., 2018, arXiv:1802.01886): higher is less varied."""
    counts = [_counts(tokens, order) for tokens in sequences]
    two = collections.defaultdict(lambda: [(0, None), (0, None)])  # the two highest counts of each n-gram, and whose
    for place, own in enumerate(counts):
        for gram, count in own.items():
            two[gram] = sorted([*two[gram], (count, place)], key=lambda one: -one[0])[:2]
    found = []
    for place, tokens in enumerate(sequences):
        most = {gram: next(count for count, whose in two[gram] if whose != place) for gram in counts[place]}
        lengths = sorted({len(other) for number, other in enumerate(sequences) if number != place})
        found.append(_bleu(tokens, most, lengths, order))
    return float(np.mean(found))


def _counts(tokens, order):
    """How often each n-gram comes, as {its tokens: count}."""
    grams = (tuple(tokens[at : at + n]) for n in range(1, order + 1) for at in range(len(tokens) - n + 1))
    return collections.Counter(grams)


def _most(references, order):
    """How often each n-gram comes in the reference that has it most often."""
    most = collections.defaultdict(int)
    for tokens in references:
        for gram, count in _counts(tokens, order).items():
            most[gram] = max(most[gram], count)
    return most


def _bleu(tokens, most, lengths, order):
    if not tokens:
        return 0.0
    shared, total = np.zeros(order), np.zeros(order)
    for gram, count in _counts(tokens, order).items():
        shared[len(gram) - 1] += min(count, most.get(gram, 0))
        total[len(gram) - 1] += count
    orders = total > 0
    shares = np.where(shared > 0, shared, _SMOOTHING)[orders] / total[orders]
    nearest = min(lengths, key=lambda length: (abs(length - len(tokens)), length))
    brevity = min(1.0, math.exp(1.0 - nearest / len(tokens)))
    return brevity * float(np.exp(np.log(shares).mean()))


# The protocol --------------------------------------------------------------------------------------------------------


class _Texts(typing.NamedTuple):
    """What scores are computed of: real texts that were trained on, others, and what divides them."""

    train: list
    test: list
    unit: str
    seed: int

    def tokens(self, texts):
        return [divided(text, self.unit) for text in texts]


def _copies(made, known):
    yield "copies", copies(made, known.train), None, {}


def _duplicates(made, known):
    among = min(DUPLICATES_AMONG, len(made))
    yield "duplicates", duplicates(made[:among]), None, {"among": among}


def _pronounceable(made, known):
    model, threshold = bigrams_of(known.tokens(known.test), known.seed)
    yield "pronounceable", pronounceable(known.tokens(made), model, threshold), True, {"quantile": QUANTILE}


def _bleu_score(made, known):
    references = known.tokens(_some(known.train, BLEU_TEXTS, known.seed))
    yield "bleu", bleu(known.tokens(made[:BLEU_TEXTS]), references), None, {"order": BLEU_ORDER}


def _self_bleu(made, known):
    yield "self_bleu", self_bleu(known.tokens(made[:BLEU_TEXTS])), None, {"order": BLEU_ORDER}


METRICS = {
    "copies": _copies,
    "duplicates": _duplicates,
    "pronounceable": _pronounceable,
    "bleu": _bleu_score,
    "self_bleu": _self_bleu,
}


def _some(texts, count, seed):
    """So many of some texts, drawn at random without repetition; all of them where there are fewer."""
    order = np.random.default_rng(seed).permutation(len(texts))[:count]
    return [texts[place] for place in order]


def evaluate(gan, train, test, metrics=None, *, count=None, seed=0, model=None, split="all"):
    """Scores texts of a model against those that it was trained on, and others that were kept apart.

    Each number stands beside that of the texts that were kept apart, scored as if they had been made: the floor.

    - `copies`: the share that is one of the training's texts.
    - `duplicates`: the share of 1,000 texts that have come before. The floor is that of 1,000 real ones, drawn as a
      model draws, each anew from all that there are.
    - `pronounceable`: the share that is likelier, to bigrams of tokens counted in one half of the texts that were kept
      apart, than 95 % of the other half.
    - `bleu`: BLEU of 500 texts against 500 of the training's; `self_bleu`: of each of these against the others. Of
      both, neither more nor less is better: too low reads unlike the data, too high repeats it, or itself.

    Args:
        gan: a `kerasgan.models.RelGAN` or `kerasgan.models.SeqGAN`, or what has its `generate` and `media`.
        train, test: lists of strings, as `kerasgan.data.lines` gives them.
        metrics: names of `METRICS`, in a sequence or separated by commas; None takes all.
        count: texts that are scored; None takes as many as were kept apart, at most 5,000.
        seed: of the texts, and of what is drawn of the data.
        model, split: what the records call the model and the data.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an unknown metric, or too few texts.
    """
    names = checks.metric_names(metrics, METRICS, "a model of texts")
    if len(train) < 2 or len(test) < 4:
        raise ValueError(f"train has {len(train)} texts and test {len(test)}; expected at least two and four.")
    count = min(len(test), MOST) if count is None else count
    checks.whole(count, "count", 2)
    known = _Texts(list(train), list(test), gan.media.unit, seed)
    scored = {model or gan.name: gan.generate(count, seed=seed), result.REAL: _some(known.test, count, seed)}
    drawn = np.random.default_rng(seed).choice([*known.train, *known.test], count).tolist()
    about = {"n_real": len(train), "split": split, "data": _digest(train), "version": kerasgan.__version__}
    about["size"] = f"up to {gan.media.length} {gan.media.unit}s"
    found = []
    for name in names:
        for label, made in scored.items():
            own = {} if label == result.REAL else {"ema": True, "seed": seed}
            made = drawn if (name, label) == ("duplicates", result.REAL) else made
            for metric, value, higher, parameters in METRICS[name](made, known):
                more = {"model": label, "n_fake": len(made), "parameters": parameters, **about, **own}
                found.append(result.Result(metric, float(value), higher, **more))
    return found


def _digest(texts):
    """sha256 of texts, whatever their order."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
