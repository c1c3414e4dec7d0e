"""How much samples differ from each other: a measure that is cheap enough to be taken while a GAN trains."""

from typing import NamedTuple

import numpy as np

COUNT = 64  # samples of each kind; they make 2016 pairs
_NEAR = 1 / 3  # of the median distance from a real sample to the nearest other one: closer than that is nearly alike


class Spread(NamedTuple):
    """Distances among samples.

    Attributes:
        mean: over all pairs.
        nearest: from each sample to the nearest other one, (n,).
    """

    mean: float
    nearest: np.ndarray


def features(samples, media, network=None):
    """What samples are compared by, float64 (n, d): the descriptors of their medium.

    Args:
        samples: a batch in model range.
        media: what kind of samples they are.
        network: a `kerasgan.metrics.features.FeatureNetwork` to look through instead.
    """
    if network is not None:
        return network.features(media.to_natural(samples)).astype("float64")
    return media.descriptors(samples)


def spread(features):
    """The `Spread` of samples by their features (n, d), n at least 2."""
    squares = np.sum(features**2, axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * features @ features.T, 0.0))
    np.fill_diagonal(distances, 0.0)
    count = len(features)
    mean = float(np.sum(distances) / (count * (count - 1)))
    np.fill_diagonal(distances, np.inf)
    return Spread(mean, np.min(distances, axis=1))


def compare(fake, mean, nearest):
    """(diversity, duplicates) of generated samples, beside the distances among real ones.

    Args:
        fake: their `Spread`.
        mean: mean distance among real samples.
        nearest: median distance from a real sample to the nearest other one.

    Returns:
        The mean distance as a share of the real samples' (1 is as varied as the data), and the share of samples that
        have another one nearly like them.
    """
    diversity = fake.mean / mean if mean else 1.0  # data that are all the same cannot collapse
    return diversity, float(np.mean(fake.nearest < _NEAR * nearest))
