"""Pictures that stand in for photographs: discs that cover each other, like fallen leaves."""

import numpy as np

_DISCS = 200  # cover nearly everything
_SOFT = 3  # supersampling along each edge


def dead_leaves(count, shape, seed=0):
    """Random pictures with edges, flat parts and detail at all scales, as photographs have them.

    Discs whose radii follow a power law of exponent -3 cover each other; such pictures have the statistics of
    photographs (Lee, Mumford & Huang, 2001, "Occlusion models for natural images"). What images are made from, such as
    exported networks, is calibrated and checked on them: they are the same for the same seed, and free.

    Args:
        count: number of pictures.
        shape: (height, width, channels).
        seed: integer.

    Returns:
        uint8 (count, height, width, channels).
    """
    height, width, channels = shape
    rows, columns = np.mgrid[: height * _SOFT, : width * _SOFT] + 0.5
    pictures = np.empty((count, height, width, channels), "uint8")
    for number in range(count):
        random = np.random.default_rng([seed, number])  # each picture its own: the first are the same for any count
        longest = _SOFT * max(height, width)
        smallest, largest = max(1.0, longest / 40), longest / 2
        share = random.uniform(size=_DISCS)
        radii = (smallest**-2 + share * (largest**-2 - smallest**-2)) ** -0.5  # exponent -3, cut off at both ends
        radii = np.maximum(radii, np.where(np.arange(_DISCS) < 8, largest * random.uniform(0.5, 1, _DISCS), 0))
        centres = random.uniform(size=(_DISCS, 2)) * (height * _SOFT, width * _SOFT)
        canvas = np.broadcast_to(random.uniform(0, 255, channels), (*rows.shape, channels)).copy()
        for (row, column), radius in zip(centres, radii, strict=True):  # later ones lie on top
            canvas[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = random.uniform(0, 255, channels)
        canvas = canvas.reshape(height, _SOFT, width, _SOFT, channels).mean(axis=(1, 3))
        pictures[number] = np.rint(canvas)
    return pictures
