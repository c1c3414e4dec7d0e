"""Scores of solid objects: how full they are, whether they hang together, are symmetric, new, and like real ones.

Volumes are bool (n, x, y, z), as `kerasgan.media.Volume` has them in natural units. Objects are compared by their
intersection over union (IoU): cells that both occupy, of those that at least one occupies. Where they stand in their
cube does not count: each is moved into its middle, onto its floor, first.
"""

import numpy as np

from kerasgan.metrics.metric import Metric, Value
from kerasgan.metrics.two_sample import nearest_neighbour_accuracy

COPY = 0.95  # IoU with an object, above which another one is a copy of it


def occupancy(volumes):
    """The share of cells of each volume that is occupied: float64 (n,)."""
    volumes = _checked(volumes)
    return volumes.reshape(len(volumes), -1).mean(axis=1)


def wasserstein(first, second):
    """The Wasserstein-1 distance of two samples of numbers: the area between their cumulative distributions."""
    first, second = np.sort(first), np.sort(second)
    places = np.sort(np.concatenate([first, second]))
    below = [np.searchsorted(values, places[:-1], "right") / len(values) for values in (first, second)]
    return float(np.sum(np.abs(below[0] - below[1]) * np.diff(places)))


def largest_component(volumes):
    """The share of each volume's occupied cells that are in its largest connected part: float64 (n,), 0 where empty."""
    labels = components(volumes)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # what is empty
    largest = sizes[labels].reshape(len(labels), -1).max(axis=1)
    return largest / np.maximum(1, (labels > 0).sum(axis=(1, 2, 3)))


def components(volumes):
    """Which connected part each occupied cell belongs to, int64 (n, x, y, z), numbers above 0; 0 for empty cells.

    Cells are connected through faces (six neighbours), not through edges or corners. Each begins with a number of its
    own. Neighbours agree on the higher of their numbers, and each cell takes that of the cell that its number belongs
    to, until nothing changes.
    """
    volumes = _checked(volumes)
    cells = np.zeros(volumes.shape, np.int64)
    cells[volumes] = np.arange(1, np.count_nonzero(volumes) + 1)
    ones, others = zip(*(_neighbours(cells, axis) for axis in (1, 2, 3)), strict=True)
    ones, others = np.concatenate(ones), np.concatenate(others)
    labels = np.arange(cells.max() + 1)
    while True:
        higher = np.maximum(labels[ones], labels[others])
        if np.array_equal(higher, labels[ones]) and np.array_equal(higher, labels[others]):
            return labels[cells]
        np.maximum.at(labels, ones, higher)
        np.maximum.at(labels, others, higher)
        labels = labels[labels]


def _neighbours(cells, axis):
    """Numbers of occupied cells, and of the occupied ones behind them along an axis."""
    count = cells.shape[axis] - 1
    one, other = np.take(cells, range(count), axis), np.take(cells, range(1, count + 1), axis)
    both = (one > 0) & (other > 0)
    return one[both], other[both]


def mirror_iou(volumes):
    """The IoU of each volume with its mirror image, left to right, about the middle of what it occupies: float64 (n,).

    1 for what is symmetric; 0 for empty ones.
    """
    placed = in_place(volumes)
    mirrored = in_place(placed[:, ::-1])
    both, either = (placed & mirrored).sum(axis=(1, 2, 3)), (placed | mirrored).sum(axis=(1, 2, 3))
    return both / np.maximum(either, 1)


def in_place(volumes):
    """Volumes moved so that what is occupied is in the middle of each cube, on its floor."""
    volumes = _checked(volumes)
    placed = np.zeros_like(volumes)
    for number, cells in enumerate(volumes):
        if not cells.any():
            continue
        box = []
        for axis, length in enumerate(cells.shape):
            used = np.flatnonzero(cells.any(axis=tuple(other for other in range(3) if other != axis)))
            first, count = used[0], used[-1] + 1 - used[0]
            start = 0 if axis == 2 else (length - count) // 2
            box.append((slice(first, first + count), slice(start, start + count)))
        (x, to_x), (y, to_y), (z, to_z) = box
        placed[number, to_x, to_y, to_z] = cells[x, y, z]
    return placed


def pairwise_iou(first, second):
    """The IoU of each volume of one batch with each of another, as they stand: float64 (n, m), 0 of empty ones."""
    first, second = (_checked(one).reshape(len(one), -1).astype("float32") for one in (first, second))
    both = first @ second.T  # whole numbers below 2^24, which float32 holds exactly
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - both
    return both.astype("float64") / np.maximum(either, 1)


def similarities(volumes, others):
    """The IoU of each volume with each of others, or with its mirror image, wherever they stand: float64 (n, m)."""
    volumes, others = in_place(volumes), in_place(others)
    mirrored = in_place(others[:, ::-1])
    return np.maximum(pairwise_iou(volumes, others), pairwise_iou(volumes, mirrored))


def nearest_iou(volumes, others):
    """The highest of the `similarities` of each volume: float64 (n,)."""
    return similarities(volumes, others).max(axis=1)


def overlaps(volumes):
    """The IoU of each volume with each, wherever they stand: float64 (n, n)."""
    placed = in_place(volumes)
    return pairwise_iou(placed, placed)


def _checked(volumes):
    volumes = np.asarray(volumes)
    if volumes.ndim != 4 or not volumes.size or volumes.dtype != np.bool_:
        raise ValueError(
            f"volumes has shape {volumes.shape} and dtype {volumes.dtype}; expected bool (n, x, y, z), as `generate` "
            "and `media.to_natural` return them."
        )
    return volumes


# What `evaluate` knows -----------------------------------------------------------------------------------------------


def _occupancy(real, scored):
    shares, of_real = occupancy(scored.natural), occupancy(real.natural)
    yield Value("occupancy", float(shares.mean()), None)  # neither way: the floor is what it should be
    yield Value("occupancy_distance", wasserstein(shares, of_real) / max(of_real.mean(), 1e-9), False)


def _connected(real, scored):
    yield Value("connected", float(largest_component(scored.natural).mean()), None)


def _mirror(real, scored):
    yield Value("mirror", float(mirror_iou(scored.natural).mean()), None)


def _copies(real, scored):
    nearest = nearest_iou(scored.natural, real.natural)
    parameters = {"iou": COPY}
    yield Value("copies", float((nearest > COPY).mean()), None, parameters=parameters)
    yield Value("nearest_iou", float(nearest.mean()), None)


def _one_nn(real, scored):
    # Neither way: 0.5 where nothing tells the two apart.
    yield Value("one_nn", nearest_neighbour_accuracy(real.natural, scored.natural, overlaps), None)


METRICS = {
    "occupancy": Metric(("natural",), True, _occupancy, "occupied cells: mean, distance of distributions", "volume"),
    "connected": Metric(("natural",), False, _connected, "share of the largest connected part", "volume"),
    "mirror": Metric(("natural",), False, _mirror, "IoU with the mirror image", "volume"),
    "copies": Metric(("natural",), True, _copies, "share of copies of real objects, by IoU", "volume", of_all=True),
    "one_nn": Metric(("natural",), True, _one_nn, "1-NN two-sample accuracy by IoU (arXiv:1610.06545)", "volume"),
}
