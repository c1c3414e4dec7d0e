"""Pictures of occupied cells, as a pixel artist would draw them: cubes seen from the front, the right and above.

A cell is a hexagon of pixels: a rhombus on top, and a parallelogram for the front and for the right. Cells are painted
from the farthest to the nearest one, so that what is hidden is painted over.
"""

import numpy as np

BACKGROUND = (255, 255, 255)
LOW, HIGH = (64, 92, 150), (244, 178, 96)  # colours of cells at the bottom and at the top
LIGHT = (1.0, 0.78, 0.58)  # that falls on top, front and right
OUTLINE = 0.55  # times as bright is a cell where it stands before something that is farther away
_FARTHER = 2  # steps
_EMPTY = -1


def picture(grid, half=4):
    """The isometric view of one grid.

    Args:
        grid: bool (x, y, z): x to the right, y to the back, z up.
        half: half of the pixels that a cell is wide, an even number. Its height on the screen is the same.

    Returns:
        uint8 ((x + y) * half / 2 + z * half, (x + y) * half, 3).
    """
    grid = np.asarray(grid, bool)
    if half < 2 or half % 2:
        raise ValueError(f"half={half!r}: expected an even number of pixels, 2 or more.")
    width, height = (grid.shape[0] + grid.shape[1]) * half, sum(grid.shape[:2]) * half // 2 + grid.shape[2] * half
    x, y, z = np.nonzero(grid)
    nearness = x - y + z
    order = np.argsort(nearness, kind="stable")
    x, y, z, nearness = x[order], y[order], z[order], nearness[order]
    across, down, face = _cube(half)
    lowest = height - 1 - (grid.shape[0] - 1) * half // 2  # row of the lowest pixels of the cell at the origin
    rows = (lowest - (y - x) * half // 2 - z * half)[:, None] - down
    columns = ((x + y) * half)[:, None] + across
    # Of pixels that are named more than once NumPy keeps the last value: that of the nearest cell.
    drawn = np.full(height * width, _EMPTY)
    pixels = rows * width + columns
    drawn[pixels] = np.arange(pixels.size).reshape(pixels.shape)
    drawn = drawn.reshape(height, width)
    cell, part = drawn // len(face), drawn % len(face)
    seen = drawn != _EMPTY
    share = (z / max(1, grid.shape[2] - 1))[:, None]
    colours = np.append((1 - share) * LOW + share * HIGH, [[0, 0, 0]], axis=0)
    shaded = colours[cell] * np.array(LIGHT)[face[part]][..., None]
    depth = np.where(seen, np.append(nearness, 0)[cell], nearness.min(initial=0) - 2 * _FARTHER)
    shaded[_before_something_farther(depth)] *= OUTLINE
    return np.where(seen[..., None], np.rint(shaded), BACKGROUND).astype("uint8")


def _cube(half):
    """Pixels of a cell: columns from its left edge, rows up from its lowest point, and which face each belongs to."""
    up, across = np.mgrid[: 2 * half, : 2 * half]
    u, v = across + 0.5, up + 0.5
    falling, rising = np.abs(u - half) / 2, half - np.abs(u - half) / 2  # edges at the foot, and at the far top
    side = np.where(u < half, 1, 2)
    face = np.where(v < falling + half, side, 0)
    inside = (v > falling) & (v < rising + half)
    return across[inside], up[inside], face[inside]


def _before_something_farther(depth):
    """Pixels beside one that shows something farther away, by the nearness of all pixels."""
    around = np.pad(depth, 1, mode="edge")
    beside = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    return depth - np.minimum.reduce(beside) > _FARTHER
