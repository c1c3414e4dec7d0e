"""Scores from nearest neighbours: precision and recall, density and coverage, and the neighbours themselves.

Distances are Euclidean, in float64, from products of blocks: two matrices of block x block numbers in memory, however
many samples there are. Features are moved to a common origin near their mean first, which changes no distance and
keeps its digits.
"""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks

_ROUNDING = 1e-12  # error of a squared distance, beside the squared lengths of the vectors that it comes from


class PrecisionRecall(NamedTuple):
    """`precision`: share of fakes near reals. `recall`: share of reals near fakes."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """`density`: how many reals' neighbourhoods a fake is in. `coverage`: share of reals with a fake nearby."""

    density: float
    coverage: float


class NeighbourScores(NamedTuple):
    """The fields of `PrecisionRecall` and `DensityCoverage`."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real, fake, k=3, block=1024):
    """Precision (quality) and recall (variety) of generated samples.

    Kynkäänniemi et al., 2019, arXiv:1904.06991. Around every sample of a set lies a ball that reaches to its k-th
    nearest neighbour in the same set. Precision is the share of fakes in a ball of any real sample; recall the share
    of reals in a ball of any fake. Points on the edge are outside, as in the public `prdc`. Both depend on the numbers
    of samples: compare equal ones.

    Args:
        real: features of real samples, (n, dimensions) floats with n above k.
        fake: features of generated samples, (m, dimensions) with m above k.
        k: which neighbour the balls reach to; the paper's is 3.
        block: samples of each set that are compared in one go; memory grows with its square.

    Returns:
        `PrecisionRecall(precision, recall)`, each in [0, 1].

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions or too few samples.
    """
    real, fake = _checked(real, fake, k, block)
    inside, inside_fake = _compare(real, fake, [_radii(real, k, block)], _radii(fake, k, block), block)
    return PrecisionRecall(inside[0].fakes_inside, inside_fake)


def density_coverage(real, fake, k=5, block=1024):
    """Density (quality) and coverage (variety) of generated samples, robust against outliers.

    Naeem et al., 2020, arXiv:2002.09797. Around every real sample lies a ball that reaches to its k-th nearest real
    neighbour. Density is the number of balls that a fake lies in, on average, divided by k; coverage the share of balls
    with a fake in them. For samples of the real distribution the expected density is 1, and the coverage, with
    as many fakes as reals, 1 - 2^-k. Points on the edge are outside, as in the authors' `prdc`.

    Args:
        real: features of real samples, (n, dimensions) floats with n above k.
        fake: features of generated samples, (m, dimensions).
        k: which neighbour the balls reach to; the paper's is 5.
        block: samples of each set that are compared in one go; memory grows with its square.

    Returns:
        `DensityCoverage(density, coverage)`: density is 0 or more and can exceed 1, coverage lies in [0, 1].

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions or too few samples.
    """
    real, fake = _checked(real, fake, k, block, fakes=1)
    (inside,), _ = _compare(real, fake, [_radii(real, k, block)], None, block)
    return DensityCoverage(inside.reals_around / k, inside.reals_reached)


def neighbour_scores(real, fake, k=5, density_k=None, block=1024):
    """`precision_recall` and `density_coverage` for the price of one: distances are computed once.

    Args:
        real: features of real samples, (n, dimensions) floats with n above both k.
        fake: features of generated samples, (m, dimensions) with m above both k.
        k: the k of precision and recall.
        density_k: the k of density and coverage; None: the same.
        block: samples of each set that are compared in one go; memory grows with its square.

    Returns:
        `NeighbourScores(precision, recall, density, coverage)`.

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions or too few samples.
    """
    k = checks.whole(k, "k", 1)
    density_k = k if density_k is None else checks.whole(density_k, "density_k", 1)
    real, fake = _checked(real, fake, max(k, density_k), block)
    nearest_real = _nearest_squared(real, max(k, density_k), block)
    radii = [nearest_real[:, k - 1], nearest_real[:, density_k - 1]]
    inside, inside_fake = _compare(real, fake, radii, _radii(fake, k, block), block)
    return NeighbourScores(
        inside[0].fakes_inside, inside_fake, inside[1].reals_around / density_k, inside[1].reals_reached
    )


def nearest(queries, references, k=1, block=1024, exclude_self=False):
    """The k nearest references of every query.

    Args:
        queries: floats (n, dimensions), finite.
        references: floats (m, dimensions), finite.
        k: how many.
        block: queries and references that are compared in one go; memory grows with its square.
        exclude_self: queries are the references: do not count a sample as its own neighbour. Copies of it do count.

    Returns:
        (distances, indices): float64 and int64, both (n, k), nearest first. A copy's distance is exactly 0.

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions or fewer than k references.
    """
    rows = 2 if exclude_self else 1
    queries, references = checks.pair(queries, references, rows, names=("queries", "references"))
    if exclude_self and queries.shape != references.shape:
        raise ValueError(
            f"exclude_self needs the same samples twice; given {len(queries)} queries and {len(references)} references."
        )
    most = len(references) - int(exclude_self)
    k = checks.whole(k, "k", 1, most, f", since every query has {most} references")
    block = checks.whole(block, "block", 1)
    origin = _origin(references)
    distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), np.int64)
    for rows in _blocks(queries, block):
        query = _moved(queries[rows], origin)
        found = _nearest_indices(query, rows.start, references, origin, k, block, exclude_self)
        distances[rows], indices[rows] = _measured(queries[rows], references, found)
    return distances, indices


def _checked(real, fake, k, block, fakes=None):
    """Both sets, if every sample has a k-th neighbour in its own; `fakes`: how many fakes suffice."""
    checks.whole(block, "block", 1)
    rows = checks.whole(k, "k", 1) + 1
    real = checks.features(real, "real", rows)
    fake = checks.features(fake, "fake", rows if fakes is None else fakes)
    checks.same_dimensions(real.shape[1], fake.shape[1])
    return real, fake


# Distances ----------------------------------------------------------------------------------------------------------


def _blocks(samples, block):
    return [slice(start, min(start + block, len(samples))) for start in range(0, len(samples), block)]


def _origin(samples):
    """A point near the mean: of at most 10,000 samples."""
    return samples[:: -(-len(samples) // 10_000)].mean(axis=0, dtype=np.float64)


def _moved(samples, origin):
    return samples.astype(np.float64) - origin


def _squared_lengths(samples):
    return np.einsum("ij,ij->i", samples, samples)


def _squared_distances(a, b):
    """Of all pairs of two blocks, (len(a), len(b)); can be a little below 0."""
    distances = a @ b.T
    distances *= -2.0
    distances += _squared_lengths(a)[:, None]
    distances += _squared_lengths(b)
    return distances


def _nearest_squared(samples, k, block):
    """Squared distances of every sample to its k nearest others, (n, k), ascending."""
    origin = _origin(samples)
    best = np.full((len(samples), k), np.inf)
    blocks = _blocks(samples, block)
    for number, rows in enumerate(blocks):
        a = _moved(samples[rows], origin)
        for columns in blocks[number:]:
            if columns == rows:
                tile = _squared_distances(a, a)
                np.fill_diagonal(tile, np.inf)
            else:  # what the rows see in the columns, the columns see in the rows
                tile = _squared_distances(a, _moved(samples[columns], origin))
                best[columns] = _smallest(best[columns], tile.T.copy())
            best[rows] = _smallest(best[rows], tile)
    return np.sort(np.maximum(best, 0.0), axis=1)


def _radii(samples, k, block):
    """Squared distance of every sample to its k-th nearest other one, (n,)."""
    return _nearest_squared(samples, k, block)[:, k - 1]


def _smallest(best, tile):
    """The smallest numbers in each row of both, as many as `best` has columns. Overwrites `tile`."""
    k = best.shape[1]
    if tile.shape[1] > k:
        tile.partition(k - 1, axis=1)
    return np.partition(np.concatenate([best, tile[:, :k]], axis=1), k - 1, axis=1)[:, :k]


class _Inside(NamedTuple):
    """Of the balls around real samples."""

    fakes_inside: float  # share of fakes that lie in one of them
    reals_around: float  # mean number of them that a fake lies in
    reals_reached: float  # share of them with a fake in them


def _compare(real, fake, real_radii, fake_radii, block):
    """Looks once at every pair of a real and a fake sample.

    Args:
        real_radii: a list of squared radii around the real samples, (n,) each.
        fake_radii: squared radii around the fake ones, (m,), or None.

    Returns:
        (one `_Inside` for each entry of `real_radii`, share of reals in a ball around a fake or None)
    """
    origin = _origin(real)
    fake_in = np.zeros((len(real_radii), len(fake)), bool)
    reached = np.zeros((len(real_radii), len(real)), bool)
    pairs = np.zeros(len(real_radii))
    real_in = np.zeros(len(real), bool)
    for rows in _blocks(real, block):
        a = _moved(real[rows], origin)
        for columns in _blocks(fake, block):
            b = _moved(fake[columns], origin)
            tile = _squared_distances(a, b)
            # What only rounding puts inside lies on the edge: so a set compared with itself has a density of 1.
            rounding = _ROUNDING * (_squared_lengths(a).max() + _squared_lengths(b).max())
            for number, radii in enumerate(real_radii):
                inside = tile < radii[rows, None] - rounding
                fake_in[number, columns] |= inside.any(axis=0)
                reached[number, rows] |= inside.any(axis=1)
                pairs[number] += np.count_nonzero(inside)
            if fake_radii is not None:
                real_in[rows] |= (tile < fake_radii[columns] - rounding).any(axis=1)
    found = [
        _Inside(float(fake_in[number].mean()), float(pairs[number] / len(fake)), float(reached[number].mean()))
        for number in range(len(real_radii))
    ]
    return found, None if fake_radii is None else float(real_in.mean())


# The neighbours themselves ------------------------------------------------------------------------------------------


def _nearest_indices(query, start, references, origin, k, block, exclude_self):
    """Indices of the k nearest references of a block of queries whose first one is number `start`, in any order."""
    best, indices = np.full((len(query), k), np.inf), np.zeros((len(query), k), np.int64)
    numbers = np.arange(len(query))
    for columns in _blocks(references, block):
        tile = _squared_distances(query, _moved(references[columns], origin))
        if exclude_self:
            own = start + numbers - columns.start
            there = (own >= 0) & (own < tile.shape[1])
            tile[numbers[there], own[there]] = np.inf
        few = min(k, tile.shape[1])
        chosen = np.argpartition(tile, few - 1, axis=1)[:, :few]
        both = np.concatenate([best, np.take_along_axis(tile, chosen, axis=1)], axis=1)
        places = np.concatenate([indices, columns.start + chosen], axis=1)
        kept = np.argpartition(both, k - 1, axis=1)[:, :k]
        best, indices = np.take_along_axis(both, kept, axis=1), np.take_along_axis(places, kept, axis=1)
    return indices


def _measured(queries, references, indices):
    """Distances of chosen references, from their differences and thus without cancellation, nearest first."""
    squared = np.empty(indices.shape)
    for column in range(indices.shape[1]):
        difference = queries.astype(np.float64) - references[indices[:, column]]
        squared[:, column] = _squared_lengths(difference)
    order = np.lexsort((indices, squared), axis=1)
    return np.sqrt(np.take_along_axis(squared, order, axis=1)), np.take_along_axis(indices, order, axis=1)
