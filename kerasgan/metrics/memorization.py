"""Does a generator copy its training samples?"""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks, neighbours


class Memorization(NamedTuple):
    """What `memorization` found.

    Attributes:
        share: share of fakes no further from their nearest training sample than `threshold`.
        distances: float64 (m,), distance of every fake to its nearest training sample.
        indices: int64 (m,), that training sample.
        threshold: the distance that a share of `quantile` of honest samples stays below.
    """

    share: float
    distances: np.ndarray
    indices: np.ndarray
    threshold: float


def memorization(real_features, fake_features, held_out_features=None, quantile=0.05, block=1024):
    """Share of generated samples that lie suspiciously near to a training sample.

    How near is suspicious is read off samples that are no copies: real samples that were not trained on. The threshold
    is the distance to the nearest training sample that a share of `quantile` of them stays below. So a generator that
    draws from the real distribution has a share of about `quantile`, one that copies has much more, up to 1. The idea
    is that of the data-copying test of Meehan et al., 2020, arXiv:2004.05675, with a quantile in place of its rank
    statistic. Few, blurred or simple samples lie near to everything: look at the nearest pairs before accusing.

    Args:
        real_features: of the samples that the generator was trained on, (n, dimensions) floats.
        fake_features: of generated samples, (m, dimensions).
        held_out_features: of real samples that it was not trained on, (h, dimensions); the more, the better the
            threshold. None: every training sample is held out in turn, and its distance is that to the nearest other
            one. If the data set holds copies, the threshold is too small then, and copies stay undetected.
        quantile: share of honest samples below the threshold, above 0 and below 1.
        block: samples of each set that are compared in one go; memory grows with its square.

    Returns:
        `Memorization(share, distances, indices, threshold)`.

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions, too few samples or a quantile
            outside (0, 1).
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"quantile={quantile!r} was given; expected a number between 0 and 1, such as 0.05.")
    real = checks.features(real_features, "real_features", rows=2 if held_out_features is None else 1)
    fake = checks.features(fake_features, "fake_features")
    checks.same_dimensions(real.shape[1], fake.shape[1], ("real_features", "fake_features"))
    if held_out_features is None:
        honest, _ = neighbours.nearest(real, real, block=block, exclude_self=True)
    else:
        held_out = checks.features(held_out_features, "held_out_features")
        checks.same_dimensions(real.shape[1], held_out.shape[1], ("real_features", "held_out_features"))
        honest, _ = neighbours.nearest(held_out, real, block=block)
    threshold = float(np.quantile(honest, quantile))
    distances, indices = (found[:, 0] for found in neighbours.nearest(fake, real, block=block))
    return Memorization(float(np.mean(distances <= threshold)), distances, indices, threshold)
