"""Inception score: are samples of clear classes, and of many?"""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks

_ROWS = 256  # what is computed in one go stays in the processor's cache


class InceptionScore(NamedTuple):
    """`value`: mean over the splits. `deviation`: standard deviation over them; None if there was one split only."""

    value: float
    deviation: float | None


def inception_score(logits, splits=10, seed=0):
    """exp of the mean Kullback-Leibler divergence of each sample's classes p(y|x) from those of all samples p(y).

    Salimans et al., 2016, arXiv:1606.03498. From 1 to the number of classes; higher is better. It sees no real samples:
    one perfect sample of each class, repeated for ever, has the highest score (Barratt and Sharma, 2018,
    arXiv:1801.01973). The value grows with the number of samples in a split, so compare scores from equally many only.
    Computed in float64.

    Args:
        logits: of generated samples, (n, classes) floats, before the softmax.
        splits: the samples are divided into so many parts; the score is the mean of the parts' scores.
        seed: decides which samples meet in a part, so that sorted samples do no harm; None leaves them in their order,
            as the paper's code does.

    Returns:
        `InceptionScore(value, deviation)`. The deviation is that of the parts (divided by their number), as in the
        paper; it is not the error of the value.

    Raises:
        ValueError: for values that are not finite, other shapes, fewer than 2 classes or fewer samples than splits.
    """
    logits = checks.features(logits, "logits")
    if logits.shape[1] < 2:
        raise ValueError(f"logits has shape {logits.shape}; expected 2 classes or more: (samples, classes).")
    splits = checks.whole(splits, "splits", 1, len(logits), f", since there are {len(logits)} samples")
    order = np.arange(len(logits)) if seed is None else np.random.default_rng(seed).permutation(len(logits))
    scores = [_score(logits, part) for part in np.array_split(order, splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)) if splits > 1 else None)


def _score(logits, part):
    """exp(mean of sum p log p, minus sum q log q with the mean q of the p), which is the same divergence."""
    negative_entropy, marginal = 0.0, np.zeros(logits.shape[1])
    for start in range(0, len(part), _ROWS):
        shifted = logits[part[start : start + _ROWS]].astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1)
        negative_entropy += (np.einsum("ij,ij->i", exponentials, shifted) / sums - np.log(sums)).sum()
        marginal += (1.0 / sums) @ exponentials
    marginal = marginal[marginal > 0.0] / len(part)  # q log q is 0 where q is
    return np.exp(negative_entropy / len(part) - (marginal * np.log(marginal)).sum())
