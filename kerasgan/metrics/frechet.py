"""Fréchet distance between Gaussians that are fitted to features."""

import warnings
from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks
from kerasgan.metrics.moments import Moments

_BLOCK = 256  # large enough for fast products, small enough to leave out most zeros


class FewSamples(UserWarning):
    """A score was computed from fewer samples than its features have dimensions."""


def frechet_distance(real, fake):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): FID, where the features are Inception's.

    The squared Wasserstein-2 distance between the Gaussians with the means m and covariances C of two sets of features
    (Heusel et al., 2017, arXiv:1706.08500). Lower is better, 0 means equal moments. The value falls with the number of
    samples (it is biased upwards), so compare only scores from equally many; the floor is the distance between two
    halves of the real samples.

    Computed in float64. With C1 = R^T R, the product C1 C2 has the eigenvalues of the symmetric matrix R C2 R^T, and
    the trace of its root is the sum of their roots: no matrix square root is needed, and nothing is added to
    singular covariances. R comes from a Cholesky decomposition, from the eigenvectors where both covariances are
    singular, and is the centred data itself where there are fewer samples than dimensions.

    Args:
        real: features of real samples, (n, dimensions) floats with n of 2 or more, or a `Moments`.
        fake: features of generated samples, as `real`; the numbers of samples may differ.

    Returns:
        A float, 0 or more, in the square of the features' unit.

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions or fewer than 2 samples.

    Warns:
        FewSamples: if there are fewer samples than dimensions. The value is exact for these samples, but mostly says
            how few they are.
    """
    real, fake = _checked(real, "real"), _checked(fake, "fake")
    dimensions = [side.dimensions if isinstance(side, Moments) else side.shape[1] for side in (real, fake)]
    checks.same_dimensions(*dimensions)
    real, fake = _gaussian(real), _gaussian(fake)
    for side, name in ((real, "real"), (fake, "fake")):
        if side.count < dimensions[0]:
            warnings.warn(_few_samples(name, side.count, dimensions[0]), FewSamples, stacklevel=2)
    distance = np.square(real.mean - fake.mean).sum() + real.trace + fake.trace - 2.0 * _trace_of_root(real, fake)
    return max(0.0, float(distance))  # below 0 by rounding only


class _Gaussian(NamedTuple):
    """Has a covariance, or a root R with the covariance R^T R."""

    count: int
    mean: np.ndarray
    trace: float
    covariance: np.ndarray | None = None
    root: np.ndarray | None = None


def _checked(side, name):
    if not isinstance(side, Moments):
        return checks.features(side, name, rows=2)
    if side.count < 2:
        raise ValueError(f"{name} are Moments of {side.count} samples; expected 2 or more. Give more samples.")
    return side


def _gaussian(side):
    if not isinstance(side, Moments):
        count, dimensions = side.shape
        if count < dimensions:
            deviations = np.array(side, dtype=np.float64)
            mean = deviations.mean(axis=0)
            deviations -= mean
            deviations /= np.sqrt(count - 1)
            return _Gaussian(count, mean, np.square(deviations).sum(), root=deviations)
        side = Moments.of(side)
    covariance = side.covariance
    return _Gaussian(side.count, side.mean, np.trace(covariance), covariance)


def _trace_of_root(a, b):
    """tr((C1 C2)^(1/2))"""
    if a.root is None:
        a, b = b, a
    if a.root is None:
        product = _symmetric_product(a.covariance, b.covariance)
    elif b.root is None:
        product = a.root @ b.covariance @ a.root.T
    else:
        product = a.root @ b.root.T
        product = product @ product.T if len(a.root) <= len(b.root) else product.T @ product
    return np.sqrt(np.maximum(np.linalg.eigvalsh(product, "L"), 0.0)).sum()


def _symmetric_product(first, second):
    """A symmetric matrix, of which only the lower triangle is right, with the eigenvalues of first @ second."""
    for one, other in ((first, second), (second, first)):
        try:
            return _between(np.linalg.cholesky(one), other)
        except np.linalg.LinAlgError:  # not positive definite: constant or dependent features
            pass
    values, vectors = np.linalg.eigh(first)
    kept = values > np.finfo(np.float64).eps * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])
    return root.T @ second @ root


def _between(factor, covariance):
    """L^T C L for a lower triangular L, by blocks that leave out its zeros and most of the upper triangle.

    It takes a quarter of the multiplications of two matrix products.
    """
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(factor), _BLOCK)]
    right, product = np.zeros_like(covariance), np.zeros_like(covariance)
    for block in blocks:
        rest = slice(block.start, None)
        right[rest, block] = covariance[rest, rest] @ factor[rest, block]
    for block in blocks:
        rest = slice(block.start, None)
        product[block, : block.stop] = factor[rest, block].T @ right[rest, : block.stop]
    return product


def _few_samples(name, count, dimensions):
    return (
        f"{name} has {count} samples for {dimensions} dimensions: its covariance is singular and the Fréchet distance "
        "far too large. Compare it only with distances from equally many samples, give more of them, or use "
        "kernel_distance, which is unbiased."
    )
