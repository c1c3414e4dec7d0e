"""Flows on coarser grids and finer ones: density and velocity, whose unit is the cell.

Fields are floats (..., height, width, 3): density, velocity to the right and downward in cells a frame, as in
`kerasgan.media.Fields`.
"""

import numpy as np

from kerasgan import bicubic


def units(scale):
    """What the channels of averages are divided by: a cell that is `scale` times as large is passed as much slower."""
    return np.array([1, scale, scale], "float32")


def shrink(fields, scale):
    """Fields on a grid whose cells are `scale` times as large: averages, in the larger cells' units.

    Smoke stays as much as it is.

    Raises:
        ValueError: `scale` does not divide height and width.
    """
    height, width = fields.shape[-3:-1]
    if height % scale or width % scale:
        raise ValueError(f"fields of {height}x{width} cells cannot be made {scale} times coarser: cut them first.")
    cells = fields.reshape(*fields.shape[:-3], height // scale, scale, width // scale, scale, 3)
    return cells.mean(axis=(-4, -2), dtype="float32") / units(scale)


def enlarge(fields, scale):
    """Fields on a grid whose cells are `scale` times as small, between the old ones by the bicubic kernel.

    It is what super-resolution is compared with. Where it swings below zero, the density is 0.
    """
    rows, columns = (bicubic.matrix(length, length * scale).astype("float32") for length in fields.shape[-3:-1])
    fields = np.einsum("jw,...hwc->...hjc", columns, np.asarray(fields, "float32"), optimize=True)
    fields = np.einsum("ih,...hjc->...ijc", rows, fields, optimize=True) * units(scale)
    np.maximum(fields[..., 0], 0, out=fields[..., 0])
    return fields
