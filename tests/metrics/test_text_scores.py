"""Scores of texts, against what follows for strings that are written out."""

import math

import numpy as np
import pytest

from kerasgan.metrics import evaluate_texts, result, text


def test_copies_and_duplicates():
    assert text.copies(["a", "b", "b", "c"], ["b", "d"]) == 0.5
    assert text.duplicates(["a", "b", "b", "b"]) == 0.5 and text.duplicates(["a", "b"]) == 0.0


def test_bigrams_by_hand():
    """Of "ab" and "ac": a follows the start in both, b follows a in one of two; four tokens may come, one unknown."""
    model = text.Bigrams(["ab", "ac"])
    kinds = 5  # a, b, c, the end, and another
    expected = [
        (2 + 0.1) / (2 + 0.1 * kinds),  # start, a
        (1 + 0.1) / (2 + 0.1 * kinds),  # a, b
        (1 + 0.1) / (1 + 0.1 * kinds),  # b, the end
    ]
    assert model.log_likelihood("ab") == pytest.approx(np.log(expected).mean())
    assert model.log_likelihood("") == pytest.approx(math.log(0.1 / (2 + 0.1 * kinds)))
    assert text.pronounceable(["ab", "zz"], model, model.log_likelihood("ab")) == 0.5
    chances = [model._pairs["a", second] for second in "bc"]
    assert chances == [1, 1]


def test_of_real_texts_95_percent_are_pronounceable():
    random = np.random.default_rng(0)
    real = ["".join(random.choice(list("aeiou"), 6)) for _ in range(400)]
    model, threshold = text.bigrams_of(real)
    assert text.pronounceable(real, model, threshold) == pytest.approx(0.95, abs=0.03)
    assert text.pronounceable(["xxxxxx", "qqqqqq"], model, threshold) == 0.0


def test_bleu_by_hand():
    """ "the cat" in "the cat sat": all one- and two-grams are there; it is shorter by 3 / 2."""
    reference = "the cat sat".split()
    assert text.bleu([reference], [reference]) == pytest.approx(1.0)
    assert text.bleu([["the", "cat"]], [reference]) == pytest.approx(math.exp(1 - 3 / 2))
    # One of three words is there, and none of two two-grams: each of those counts 0.1.
    assert text.bleu([["the", "dog", "ran"]], [reference], order=2) == pytest.approx(math.sqrt(1 / 3 * 0.1 / 2))
    # "the" counts once, as often as a reference has it.
    assert text.bleu([["the", "the"]], [reference], order=1) == pytest.approx(0.5 * math.exp(1 - 3 / 2))
    assert text.bleu([[]], [reference]) == 0.0


def test_self_bleu_is_bleu_against_all_others():
    texts = [list("abc"), list("abd"), list("xyz"), list("abc")]
    expected = np.mean([text.bleu([one], texts[:n] + texts[n + 1 :]) for n, one in enumerate(texts)])
    assert text.self_bleu(texts) == pytest.approx(expected)
    assert text.self_bleu([list("abcd")] * 3) == pytest.approx(1.0)
    assert text.self_bleu([["a"], ["b"]]) == pytest.approx(0.1)


class Model:
    """What writes each of some texts in turn."""

    name = "model"

    class media:
        unit, length = "character", 4

    def __init__(self, texts):
        self.texts = texts

    def generate(self, count, seed=None):
        return [self.texts[n % len(self.texts)] for n in range(count)]


def test_the_protocol_puts_real_texts_beside():
    random = np.random.default_rng(1)
    real = sorted({"".join(random.choice(list("aeiou"), 4)) for _ in range(500)})
    train, test = real[::2], real[1::2]
    found = {(r.metric, r.model): r for r in evaluate_texts(Model(train[:50]), train, test)}
    assert {metric for metric, _ in found} == set(text.METRICS)
    assert found["copies", "model"].value == 1.0 and found["copies", result.REAL].value == 0.0
    assert found["duplicates", "model"].value > 0.7 and found["duplicates", result.REAL].value < 0.3
    assert found["pronounceable", result.REAL].value > 0.9
    assert found["self_bleu", "model"].value > found["self_bleu", result.REAL].value
    few = evaluate_texts(Model(train), train, test, "copies", count=7)
    assert [r.n_fake for r in few] == [7, 7] and few[0].size == "up to 4 characters"
    for arguments, message in (((train, test, "fid"), "fid"), ((train, test[:1]), "expected at least two and four")):
        with pytest.raises(ValueError, match=message):
            evaluate_texts(Model(train), *arguments)
