"""Records of how near models that make samples larger come to the originals, beside the bicubic kernel."""

import hashlib

import numpy as np

import kerasgan
from kerasgan import bars
from kerasgan.metrics import result

BICUBIC = "bicubic"


def evaluate(gan, originals, score, plainly, better, *, beside=None, model=None, split="all", progress=True, plural):
    """Scores a model, the bicubic kernel, and whatever else, on the same originals.

    Args:
        gan: a `kerasgan.Game` with `upscale` and `scale`.
        originals: list of arrays.
        score: function (a function from low resolution to high, originals, scale) -> a named tuple of the scores of
            each original, float64 (count,).
        plainly: the kernel, a function from low resolution to high.
        better: {name of a score to record: whether higher is better, None for neither}.
        beside: {what it is called: a model of the same scale} to score, too.
        model, split: what the records call the model and the originals.
        progress: whether a bar is shown.
        plural: what originals are called.

    Returns:
        A list of `kerasgan.metrics.Result`, the metric's names ending with the split.

    Raises:
        ValueError: another scale beside it, or what `score` raises.
    """
    methods = {"": gan.upscale, BICUBIC: plainly}
    for other, rival in (beside or {}).items():
        if rival.scale != gan.scale:
            raise ValueError(f"beside: {other!r} enlarges by {rival.scale}, {gan.name} by {gan.scale}.")
        methods[other] = rival.upscale
    common = {
        "model": model or gan.name,
        "n_real": len(originals),
        "data": hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in originals)).hexdigest(),
        "split": split,
        "ema": True,
        "parameters": {"scale": gan.scale},
        "version": kerasgan.__version__,
        "error_is": f"standard error over {plural}",
    }
    shown = bars.over(methods.items(), f"Scoring {split}", shown=progress)
    found = {name: score(method, originals, gan.scale) for name, method in shown}
    records = []
    for metric, higher_is_better in better.items():
        for name, scores in found.items():
            values = getattr(scores, metric)
            record = {"value": float(values.mean()), "error": float(values.std() / np.sqrt(len(values)))}
            title = f"{metric}{f' of {name}' if name else ''}, {split}"
            records.append(result.Result(metric=title, **record, higher_is_better=higher_is_better, **common))
    return records
