"""Fields that a flow carries along: semi-Lagrangian advection of one frame, in NumPy.

Axes are those of images: rows downward, columns to the right. A velocity (height, width, 2) holds the way to the right
and the way downward, in cells a step.
"""

import numpy as np


def origins(velocity):
    """Where each cell's content was a step ago, by a step back along the velocity there.

    Beyond its edges a field goes on as it is at the edge.

    Args:
        velocity: floats (height, width, 2), cells a step.

    Returns:
        (the four cells around that place, int (4, height * width), numbers of the flattened field; their shares,
        (4, height * width), which sum to 1).
    """
    height, width = velocity.shape[:2]
    x = np.clip(np.arange(width) - velocity[..., 0], 0, width - 1).ravel()
    y = np.clip(np.arange(height)[:, None] - velocity[..., 1], 0, height - 1).ravel()
    left, top = x.astype(np.intp), y.astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    x, y = x - left, y - top
    cells = np.stack([top * width + left, top * width + right, bottom * width + left, bottom * width + right])
    return cells, np.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])


def advect(field, velocity):
    """A field one step later: what the velocity brings to each cell, between cells by bilinear interpolation.

    What flows steadily to the right by two cells a step is moved by two cells. A negative velocity looks ahead in time.

    Args:
        field: floats (height, width) or (height, width, channels).
        velocity: floats (height, width, 2), cells a step.

    Returns:
        Floats of the shape of `field`.
    """
    return _mixed(field, *origins(velocity))


def advect_sharply(field, velocity):
    """`advect` of second order, which blurs less: MacCormack's scheme.

    (Selle, Fedkiw, Kim, Liu & Rossignac, 2008, doi:10.1007/s10915-007-9166-4.) A step ahead and one back would be the
    field again; half of what they change is what a step ahead errs. Where that leads beyond the four cells that a value
    came from, it is held to their least and most: nothing new comes up.
    """
    cells, shares = origins(velocity)
    ahead = _mixed(field, cells, shares)
    back = _mixed(ahead, *origins(-velocity))
    around = field.reshape(cells.shape[1], -1)[cells]
    corrected = (ahead + (field - back) / 2).reshape(around.shape[1:])
    return np.clip(corrected, around.min(axis=0), around.max(axis=0)).reshape(field.shape)


def _mixed(field, cells, shares):
    around = field.reshape(cells.shape[1], -1)[cells]  # (4, cells, channels)
    return np.einsum("nc,ncf->cf", shares, around).reshape(field.shape)
