"""A score and how it was made: one without the other says nothing."""

import dataclasses
import json

import numpy as np

from kerasgan import files
from kerasgan.metrics import efficientnet

REAL = "real data"  # what is scored where there is no model

# What networks are called beside the name of a score. Papers look through Inception as it was in 2015: it is not said.
_CALLED = {"efficientnet_lite0": "Lite0", "inception_2015": None}

# What may differ between two scores that are compared: what is scored, and the draw of the samples.
_FREE = ("value", "error", "error_is", "model", "seed", "version")

# Files of the same weights, once more rounded, as modules of networks say how much: {sha256: that it counts as}.
_SAME_WEIGHTS = {efficientnet.WEIGHTS.sha256: efficientnet.FORMER_SHA256}


@dataclasses.dataclass(frozen=True)
class Result:
    """One score with its protocol.

    Printed, it is one line. `better_than` and `mean` refuse scores of different protocols: such numbers do not compare.

    Attributes:
        metric: its name, such as "fid".
        value: the score.
        higher_is_better: whether larger values are better; None where neither direction is.
        error, error_is: its uncertainty, and what that is: "standard error over blocks", "deviation over 3 seeds";
            None if nobody knows it.
        model: what was scored: a name of the zoo, a run; "real data" for the floor.
        n_real, n_fake: numbers of real and generated samples; None where the score needs none.
        data: sha256 of the real samples' pixels (whatever their order), so that equal means the same data.
        split: which part of the data the reals are.
        size: shape of one sample, such as "64x64x3".
        feature_network, feature_sha256, resizer: the network that the score looks through, its weights, and how
            samples reach its input size; None for scores of pixels.
        ema: whether the samples came from the generator's moving average; None for real data.
        labels: how the classes of the samples were chosen; None without classes.
        truncation: share of the generator's samples that were chosen from, or None.
        seed: seed of the samples; None for real data.
        parameters: of the metric, such as {"k": 3}.
        version: of kerasgan.
    """

    metric: str
    value: float
    higher_is_better: bool | None = None
    error: float | None = None
    error_is: str | None = None
    model: str | None = None
    n_real: int | None = None
    n_fake: int | None = None
    data: str | None = None
    split: str | None = None
    size: str | None = None
    feature_network: str | None = None
    feature_sha256: str | None = None
    resizer: str | None = None
    ema: bool | None = None
    labels: str | None = None
    truncation: float | None = None
    seed: int | None = None
    parameters: dict = dataclasses.field(default_factory=dict)
    version: str | None = None

    def __post_init__(self):
        if self.error is None:  # as of a single block: there is nothing to name
            object.__setattr__(self, "error_is", None)  # the way of a frozen dataclass

    def __str__(self):
        error_is = f" ({self.error_is})" if self.error_is else ""
        return f"{self.label} {_with_error(self)}{error_is}  [{'; '.join(filter(None, self._said()))}]"

    @property
    def label(self):
        """The metric as it is shown: with the network that it looks through, where that is another than in papers."""
        network = _CALLED.get(self.feature_network, self.feature_network)
        return f"{self.metric} ({network})" if network else self.metric

    def _said(self):
        """The protocol, in words."""
        yield self.model
        yield _counted(self.n_fake, "generated")
        yield _counted(self.n_real, "real") and f"{_counted(self.n_real, 'real')} ({self.split})"
        yield self.size
        yield self.feature_network and f"{self.feature_network} {(self.feature_sha256 or 'without sha256')[:12]}"
        yield self.resizer
        if self.ema is not None:
            yield "moving average" if self.ema else "no moving average"
            yield "no truncation" if self.truncation is None else f"truncation {self.truncation:g}"
        yield self.labels and f"labels {self.labels}"
        yield None if self.seed is None else f"seed {self.seed}"
        yield from (f"{name} {value}" for name, value in self.parameters.items())
        yield self.data and f"data {self.data[:12]}"
        yield self.version and f"kerasgan {self.version}"

    def better_than(self, other):
        """Whether this score is better than another of the same protocol.

        Raises:
            ValueError: the protocols differ, or the metric has no better direction.
        """
        check_comparable(self, other)
        if self.higher_is_better is None:
            raise ValueError(f"{self.metric}: neither higher nor lower values are better.")
        return self.value > other.value if self.higher_is_better else self.value < other.value

    def to_dict(self):
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`.

        Raises:
            ValueError: not what `to_dict` returns.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, dict) or not {"metric", "value"} <= set(values) <= known:
            raise ValueError(f"{values!r} is no score: expected a JSON object with 'metric', 'value' and protocol.")
        for name, value in values.items():
            if not isinstance(value, _KINDS[name]) or isinstance(value, bool) and bool not in _KINDS[name]:
                raise ValueError(f"{name} of a score is {str(value)[:100]!r}")
        return cls(**values)


_NONE = type(None)
_KINDS = {
    **dict.fromkeys((field.name for field in dataclasses.fields(Result)), (str, _NONE)),
    **dict.fromkeys(("error", "truncation"), (int, float, _NONE)),
    **dict.fromkeys(("n_real", "n_fake", "seed"), (int, _NONE)),
    **dict.fromkeys(("higher_is_better", "ema"), (bool, _NONE)),
    "metric": (str,),
    "value": (int, float),
    "parameters": (dict,),
}


def check_comparable(*results):
    """Raises a ValueError that says how the protocols of the results differ, if they do."""
    protocols = [_protocol(r) for r in results]
    for result, there in zip(results[1:], protocols[1:], strict=True):
        # The floor has no generator: what only generated samples have does not count against it.
        floor = REAL in (results[0].model, result.model)
        names = [
            name
            for name, value in protocols[0].items()
            if value != there[name] and not (floor and name in ("ema", "labels", "truncation"))
        ]
        if names:
            differences = "; ".join(f"{name}: {protocols[0][name]!r} and {there[name]!r}" for name in names)
            raise ValueError(f"These scores do not compare, their protocols differ ({differences}).")


def _protocol(result):
    found = {name: value for name, value in result.to_dict().items() if name not in _FREE}
    return found | {"feature_sha256": _SAME_WEIGHTS.get(result.feature_sha256, result.feature_sha256)}


def mean(results, error_is=None):
    """The mean of scores of one protocol, such as of several seeds; its error is their standard deviation.

    Args:
        results: list of `Result`.
        error_is: what the deviation is called; "deviation over N results" by default.

    Raises:
        ValueError: no results, or of different protocols or models.
    """
    results = list(results)
    if not results:
        raise ValueError("results is empty; expected at least one score.")
    check_comparable(*results)
    if len({r.model for r in results}) > 1:
        raise ValueError(f"results are of different models: {', '.join(sorted({str(r.model) for r in results}))}.")
    if len(results) == 1:
        return results[0]
    values = [r.value for r in results]
    return dataclasses.replace(
        results[0],
        value=float(np.mean(values)),
        error=float(np.std(values, ddof=1)),
        error_is=error_is or f"deviation over {len(results)} results",
    )


def save(results, path):
    """Writes scores as a JSON list."""
    path = files.check_output(path, (".json",))
    with files.atomic(path) as temporary:
        text = json.dumps([r.to_dict() for r in results], indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def load(path):
    """Reads scores that `save` has written.

    Raises:
        ValueError: the file holds something else.
    """
    return files.read_json(path, _checked, "is no JSON of scores", ".")


def _checked(values):
    if not isinstance(values, list):
        raise ValueError("expected a list of scores")
    return [Result.from_dict(value) for value in values]


def rows(results):
    """Scores for people: (name and direction, score, floor) of each metric of a model, texts; "" for no floor.

    An arrow shows which direction is better. Scores through a feature network name it, as "fid (Lite0)": they are not
    to be compared with those of papers, which look through another one.
    """
    floors = {(r.metric, r.feature_network): r for r in results if r.model == REAL}
    found = []
    for r in (r for r in results if r.model != REAL):
        floor = floors.get((r.metric, r.feature_network))
        better = {True: " ↑", False: " ↓", None: ""}[r.higher_is_better]
        of_choice = "" if r.truncation is None else f", truncation {r.truncation:g}"
        found.append((r.label + of_choice + better, _with_error(r), "" if floor is None else _with_error(floor)))
    return found


def protocols(results):
    """How scores of a model were made, in lines: what several have in common is said once."""
    found = {}
    for r in (r for r in results if r.model != REAL):
        own = [f"{name} {value}" for name, value in r.parameters.items()]
        own += [f"± is the {r.error_is}"] if r.error_is else []
        shared = "; ".join(filter(None, dataclasses.replace(r, parameters={})._said()))
        found.setdefault(shared, {}).setdefault(", ".join(own), []).append(r.metric)
    lines = []
    for shared, groups in found.items():
        named = (", ".join(names) + (f" ({own})" if own else "") for own, names in groups.items())
        lines.append(f"{'; '.join(named)}: {shared}")
    return lines


def table(results):
    """Scores as lines of text for people: `rows` below a head, and `protocols`."""
    shown = [("", "score", "floor"), *rows(results)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in shown]
    return "\n".join([*lines, *protocols(results)])


def markdown(results):
    """The section of scores of a zoo entry's card: the numbers beside their floor, then their protocol."""
    if not results:
        return "## Scores\n\nThis model has not been scored yet."
    head = ["metric", "score", *(["real against real"] if any(r.model == REAL for r in results) else [])]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(row[: len(head)])} |" for row in rows(results)]
    return "\n".join(["## Scores", "", *lines, "", "Protocol:", "", *(f"- {line}" for line in protocols(results))])


def _with_error(r):
    return f"{r.value:.4g}" if r.error is None else f"{r.value:.4g} ± {r.error:.2g}"


def _counted(count, what):
    return None if count is None else f"{count:,} {what}"
