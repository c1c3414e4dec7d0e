"""Whether two sets of samples can be told apart by their nearest neighbours."""

import numpy as np


def nearest_neighbour_accuracy(first, second, similarities):
    """How well the nearest neighbour tells two sets of samples apart (Lopez-Paz & Oquab, 2017, arXiv:1610.06545).

    Each sample of both is named after the set of the one that is most similar to it, itself left out; of equally
    similar ones half counts where both sets have one. The share that is named right is 0.5 where the sets are alike,
    1 where they are apart, and below 0.5 where one set copies the other.

    Args:
        first, second: arrays (n, ...), equally many, at least two.
        similarities: a function from n samples to float (n, n), the higher the more similar.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"first and second hold {len(first)} and {len(second)}; expected equally many, two or more.")
    similar = similarities(np.concatenate([first, second]))
    np.fill_diagonal(similar, -np.inf)
    is_first = np.arange(len(similar)) < len(first)
    best = similar == similar.max(axis=1, keepdims=True)
    near_first, near_second = best[:, is_first].any(axis=1), best[:, ~is_first].any(axis=1)
    right = np.where(near_first & near_second, 0.5, near_first == is_first)
    return float(right.mean())


def nearness(arrays):
    """Minus the squared Euclidean distance of each array to each: float64 (n, n)."""
    flat = np.reshape(arrays, (len(arrays), -1)).astype("float64")
    squares = (flat**2).sum(axis=1)
    return 2 * flat @ flat.T - squares[:, None] - squares


def kolmogorov_smirnov(first, second):
    """The Kolmogorov-Smirnov distance of two samples of numbers: the largest difference of their distributions, 0 to 1.

    Args:
        first, second: arrays of at least one number, in which infinite ones count as such.
    """
    places = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(one), places, side="right") / len(one) for one in (first, second)]
    return float(np.abs(below[0] - below[1]).max())
