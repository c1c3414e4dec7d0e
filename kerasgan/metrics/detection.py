"""How well scores tell strange samples from normal ones, and what the simplest methods do on the same samples.

All of them need samples of which it is known what they are; nothing of a model is chosen by them.
"""

import numpy as np

from kerasgan.metrics import checks
from kerasgan.metrics.result import Result

METRICS = ("auc", "average_precision", "f1")
COMPONENTS = 16  # of the principal components beside a model


def auc(normal, strange):
    """The probability that a strange sample has a higher score than a normal one; ties count half (Hanley, 1982).

    Args:
        normal, strange: scores (n,) and (m,), higher is stranger.
    """
    _check(normal, strange)
    normal = np.sort(normal)
    lower, upper = (np.searchsorted(normal, strange, side) for side in ("left", "right"))
    return float((lower + upper).mean() / 2 / len(normal))


def average_precision(normal, strange):
    """The mean precision over strange samples: of all that score at least as high, the share that is strange.

    By chance it is the share of strange samples among all. Arguments as in `auc`.
    """
    _check(normal, strange)
    normal, strange = np.sort(normal), np.sort(strange)
    false = len(normal) - np.searchsorted(normal, strange, "left")
    true = len(strange) - np.searchsorted(strange, strange, "left")
    return float(np.mean(true / (true + false)))


def f1(normal, strange, threshold):
    """The harmonic mean of precision and recall of scores above a threshold; 0 where none is.

    Args:
        normal, strange: as in `auc`.
        threshold: of normal samples alone, see `kerasgan.scorer.Scorer.threshold`; the best one of the tested samples
            would say nothing.
    """
    _check(normal, strange)
    true, false = np.sum(np.asarray(strange) > threshold), np.sum(np.asarray(normal) > threshold)
    return float(2 * true / (true + false + len(strange)))


def _check(normal, strange):
    for name, scores in (("normal", normal), ("strange", strange)):
        if not len(scores) or not np.isfinite(scores).all():
            raise ValueError(f"{name} holds {len(scores)} scores; expected finite ones, at least one.")


def principal_components(training, count=COMPONENTS):
    """A function from samples to the mean square of what principal components of training samples leave of them.

    Args:
        training: samples (n, ...).
        count: components, fewer where there are fewer samples.
    """
    rows = np.asarray(training, "float64").reshape(len(training), -1)
    mean = rows.mean(axis=0)
    _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
    axes = axes[:count]

    def residual(samples):
        centred = np.asarray(samples, "float64").reshape(len(samples), -1) - mean
        return np.square(centred - centred @ axes.T @ axes).mean(axis=1)

    return residual


def evaluate(gan, normal, strange, training=None, metrics=None, quantile=0.95, *, model=None, split=None):
    """Scores of a model that scores samples, with principal components and blur beside it.

    Args:
        gan: a calibrated `kerasgan.scorer.Scorer`.
        normal, strange: data sets of samples in model range, none of which it was trained or calibrated on.
        training: one of samples that it was trained on, for the principal components; None leaves them out.
        metrics: names of `METRICS`, in a sequence or separated by commas; None takes all of them.
        quantile: the share of normal samples that are to count as normal, for F1: a threshold of the held-back samples
            of the training data.
        model, split: as in `Result`.

    Returns:
        A list of `Result`.

    Raises:
        ValueError: the model was not calibrated, or there is no such metric.
    """
    names = checks.metric_names(metrics, METRICS, "a model that scores")
    threshold = gan.threshold(quantile)
    normal_scores, strange_scores = gan.score(normal).scores, gan.score(strange).scores
    found = _results(names, normal_scores, strange_scores, threshold, quantile, model)
    if training is not None:
        normal, strange, training = map(samples_of, (normal, strange, training))
        residual = principal_components(training)
        held = np.quantile(residual(training), quantile)
        about = f"{COMPONENTS} principal components"
        beside = _results(names, residual(normal), residual(strange), held, quantile, about)
        found += [{**one, "metric": f"{one['metric']}, principal components"} for one in beside]
    size = "x".join(map(str, gan.media.shape))
    return [
        Result(**one, n_real=len(normal_scores), n_fake=None, split=split, size=size)
        for one in (dict(one, parameters={**one["parameters"], "strange": len(strange_scores)}) for one in found)
    ]


def samples_of(dataset):
    """The samples of a data set, in model range."""
    batches = (batch[0] if isinstance(batch, tuple) else batch for batch in dataset.as_numpy_iterator())
    return np.concatenate(list(batches))


def _results(names, normal, strange, threshold, quantile, model):
    values = {
        "auc": lambda: (auc(normal, strange), {}),
        "average_precision": lambda: (average_precision(normal, strange), {}),
        "f1": lambda: (f1(normal, strange, threshold), {"quantile": quantile}),
    }
    made = ((name, *values[name]()) for name in names)
    return [
        {"metric": name, "value": value, "higher_is_better": True, "parameters": parameters, "model": model}
        for name, value, parameters in made
    ]
