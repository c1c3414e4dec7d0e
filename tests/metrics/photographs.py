"""Made-up pictures with structure at every scale, and the ways in which a generator spoils them."""

import numpy as np


def photographs(count, size=32, channels=3, seed=0):
    """uint8 (count, size, size, channels): sums of smooth random fields, strong at coarse scales, weak at fine ones."""
    random = np.random.default_rng(seed)
    images = np.zeros((count, size, size, channels))
    for cells, strength in ((2, 45.0), (4, 30.0), (8, 18.0), (16, 10.0), (size, 6.0)):
        field = random.normal(size=(count, cells, cells, channels)) * strength
        images += np.repeat(np.repeat(field, -(-size // cells), 1), -(-size // cells), 2)[:, :size, :size]
    return np.clip(images + 127.5, 0, 255).astype("uint8")


def blurred(images, times=1):
    images = images.astype("float64")
    for _ in range(times):
        for axis in (1, 2):
            images = (np.roll(images, 1, axis) + 2.0 * images + np.roll(images, -1, axis)) / 4.0
    return np.rint(images).astype("uint8")


def noisy(images, deviation, seed=0):
    noise = np.random.default_rng(seed).normal(size=images.shape) * deviation
    return np.clip(images + noise, 0, 255).astype("uint8")
