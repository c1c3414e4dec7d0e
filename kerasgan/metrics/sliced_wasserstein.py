"""Sliced Wasserstein distance between the patches of two sets of images."""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks, pixels

_PATCH = 7
_COARSEST = 16  # no level of the pyramid is smaller
_BATCH = 64  # images whose pyramid is held at a time
_BLOCK = 16  # directions whose projections are held at a time


class SlicedWasserstein(NamedTuple):
    """Distances times 1000: lower is better.

    Attributes:
        levels: {height of the level: distance}, finest first.
        mean: over the levels.
    """

    levels: dict
    mean: float


def sliced_wasserstein(real_images, fake_images, patches=128, repeats=4, directions=128, seed=0):
    """Sliced Wasserstein distance of image patches, scale by scale (Karras et al., 2018, arXiv:1710.10196, section 5).

    Every level of the images' Laplacian pyramid (down to 16 pixels) gives random patches of 7 x 7 pixels, which are
    normalized to mean 0 and deviation 1 in each channel over the whole set. Their distributions are compared along
    random directions: the mean distance between sorted projections. The fine levels judge texture, the coarse ones
    composition. Overall colour and contrast do not count.

    The value depends on the number of images (the paper used 16384): two halves of the real set give the floor.
    Both sets' patches come from the same places, so that a set against itself gives 0. Memory: 2 * patches * 588 bytes
    for each pair of colour images.

    Args:
        real_images, fake_images: (count, height, width, channels), uint8 or floats in [0, 255], equally many of the
            same size, at least 7 x 7.
        patches: patches from each image and level.
        repeats, directions: repeats * directions random directions; the paper's 4 x 128.
        seed: of places and directions.

    Returns:
        `SlicedWasserstein(levels, mean)`.

    Raises:
        ValueError: images of different number or shape, not pixels or too small, or a number below 1.
    """
    real, fake = pixels.same_shape(real_images, fake_images, ("real_images", "fake_images"))
    _check(real.shape, patches=patches, repeats=repeats, directions=directions)
    levels = {}
    for level, height in enumerate(_heights(*real.shape[1:3])):
        random = np.random.default_rng([seed, level])
        real_patches, fake_patches = _descriptors(real, fake, level, patches, random)
        lines = random.normal(size=(repeats * directions, real_patches.shape[1])).astype("float32")
        lines /= np.linalg.norm(lines, axis=1, keepdims=True)
        levels[height] = 1000.0 * _distance(real_patches, fake_patches, lines)
    return SlicedWasserstein(levels, float(np.mean(list(levels.values()))))


def _check(shape, **numbers):
    if min(shape[1:3]) < _PATCH:
        raise ValueError(f"real_images are {shape[1]} x {shape[2]}; expected at least {_PATCH} x {_PATCH} pixels.")
    for name, number in numbers.items():
        checks.whole(number, name, 1)


def _heights(height, width):
    """Heights of the pyramid's levels: halved (rounded up) while the smaller side keeps 16 pixels."""
    heights = [height]
    while min(-(-height // 2), -(-width // 2)) >= _COARSEST:
        height, width = -(-height // 2), -(-width // 2)
        heights.append(height)
    return heights


def _distance(a, b, lines):
    """Mean distance of the sorted projections of two equally large sets (count, d) on unit vectors (lines, d)."""
    total = 0.0
    for i in range(0, len(lines), _BLOCK):
        # Lines first, so that each one's projections lie together and sort fast.
        one, other = (np.sort(lines[i : i + _BLOCK] @ points.T, axis=1) for points in (a, b))
        total += np.abs(one - other).mean(axis=1, dtype="float64").sum()
    return float(total / len(lines))


def _descriptors(real, fake, level, patches, random):
    """Normalized patches (count * patches, 49 * channels) of one level of both sets, from the same places."""
    count = len(real)
    height, width = (_halved(side, level) for side in real.shape[1:3])
    y = random.integers(height - _PATCH + 1, size=(count, patches, 1, 1)) + np.arange(_PATCH)[:, None]
    x = random.integers(width - _PATCH + 1, size=(count, patches, 1, 1)) + np.arange(_PATCH)
    return [_normalized(_patches(images, level, y, x)) for images in (real, fake)]


def _halved(side, times):
    for _ in range(times):
        side = -(-side // 2)
    return side


def _patches(images, level, y, x):
    """float32 (count * patches, 7, 7, channels), taken batch by batch: pyramids are larger than their patches."""
    coarsest = level == len(_heights(*images.shape[1:3])) - 1
    found = np.empty((*np.broadcast_shapes(y.shape, x.shape), images.shape[-1]), "float32")
    for i in range(0, len(images), _BATCH):
        here = slice(i, i + _BATCH)
        picture = _level(images[here].astype("float32"), level, coarsest)
        found[here] = picture[np.arange(len(picture))[:, None, None, None], y[here], x[here]]
    return found.reshape(-1, *found.shape[2:])


def _normalized(patches):
    mean = patches.mean(axis=(0, 1, 2), dtype="float64")
    deviation = np.sqrt(np.square(patches - mean.astype("float32")).mean(axis=(0, 1, 2), dtype="float64"))
    # Rounding alone leaves a deviation of about 1e-5 on the details of plain images; those must not become texture.
    deviation[deviation < 1e-3] = np.inf
    return ((patches - mean.astype("float32")) / deviation.astype("float32")).reshape(len(patches), -1)


def _level(images, level, coarsest):
    """One level of the Laplacian pyramid: what the next coarser picture lacks; at the coarsest, the picture itself."""
    for _ in range(level):
        images = _down(images)
    return images if coarsest else images - _up(_down(images), images.shape)


def _down(images):
    return _blurred(images)[:, ::2, ::2]


def _up(images, shape):
    spread = np.zeros((len(images), 2 * images.shape[1], 2 * images.shape[2], images.shape[3]), "float32")
    spread[:, ::2, ::2] = images
    return 4.0 * _blurred(spread[:, : shape[1], : shape[2]])


def _blurred(images):
    """Convolution with the outer product of (1, 4, 6, 4, 1) / 16, mirrored at the edges."""
    for axis in (1, 2):
        padding = [(2, 2) if axis == here else (0, 0) for here in range(4)]
        padded = np.moveaxis(np.pad(images, padding, mode="reflect"), axis, 0)
        size = images.shape[axis]
        taps = (weight * padded[i : i + size] for i, weight in enumerate(np.float32([1, 4, 6, 4, 1]) / 16.0))
        images = np.moveaxis(sum(taps), 0, axis)
    return images
