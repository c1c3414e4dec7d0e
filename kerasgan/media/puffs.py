"""Sequences that stand in for smoke: round puffs that drift."""

import numpy as np

_PUFFS = 12


def puffs(count, frames, height, width, seed=0):
    """Random puffs of all sizes, each of which drifts at a velocity of its own; where they overlap, at the mean.

    What starts from smoke, such as exported networks, is calibrated and checked on them: they are the same for the same
    seed, and need no simulation.

    Returns:
        float32 (count, frames, height, width, 3), as in `kerasgan.media.Fields`; the density in [0, 1].
    """
    edge = max(height, width)
    rows, columns = np.mgrid[:height, :width] + 0.5
    sequences = np.empty((count, frames, height, width, 3), "float32")
    for number in range(count):
        random = np.random.default_rng([seed, number])  # each its own: the first are the same for any count
        x, y = random.uniform(size=(2, _PUFFS)) * np.array([[width], [height]])
        radius = edge * random.uniform(0.03, 0.25, _PUFFS)
        amount = random.uniform(0.1, 0.8, _PUFFS)
        drift = 0.02 * edge * random.standard_normal((_PUFFS, 2))
        for frame in range(frames):
            far = [
                ((columns - x[one] - frame * drift[one, 0]) ** 2 + (rows - y[one] - frame * drift[one, 1]) ** 2)
                / radius[one] ** 2
                for one in range(_PUFFS)
            ]
            shares = amount[:, None, None] * np.exp(-np.array(far))
            total = shares.sum(axis=0)
            sequences[number, frame, ..., 0] = np.minimum(total, 1)
            sequences[number, frame, ..., 1:] = (
                np.einsum("nhw,nc->hwc", shares, drift) / np.maximum(total, 1e-3)[..., None]
            )
    return sequences
