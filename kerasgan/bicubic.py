"""Bicubic resizing as matrices, one along each axis: the same numbers in NumPy, in a training step and on a phone.

The kernel is Keys' cubic with a = -0.5 (1981, doi:10.1109/TASSP.1981.1163711), widened by the scale where it shrinks
(antialiasing) and centred between pixels: what MATLAB's `imresize` and Pillow's `Image.BICUBIC` do. Beyond the edge
there is nothing, and the weights of what remains sum to 1; values are rounded to 8 bits and clipped after each axis,
the horizontal one first: all as in Pillow when it shrinks or enlarges both axes. Its pixels are these, but for one in
thousands, where a value lies in the middle of two levels. (MATLAB mirrors the image at its edges.)
"""

import functools

import numpy as np

_A = -0.5
_REACH = 2.0  # of the kernel, in pixels of the smaller scale


def kernel(x):
    """Keys' cubic at the distances `x`, in pixels."""
    x = np.abs(x)
    near = (_A + 2) * x**3 - (_A + 3) * x**2 + 1
    far = _A * x**3 - 5 * _A * x**2 + 8 * _A * x - 4 * _A
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


@functools.lru_cache(maxsize=64)
def matrix(length, new_length):
    """What a row of `length` pixels is multiplied by to become one of `new_length`: float64 (new_length, length)."""
    ratio = length / new_length
    widening = max(ratio, 1.0)
    centres = (np.arange(new_length) + 0.5) * ratio
    distances = (np.arange(length) + 0.5) - centres[:, None]
    weights = kernel(distances / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False  # it is shared
    return weights


def resize(images, size):
    """Images of another size, antialiased where that is smaller.

    Args:
        images: uint8 (..., height, width, channels).
        size: (height, width) of the result.

    Returns:
        uint8 (..., *size, channels).
    """
    rows, columns = (matrix(*lengths) for lengths in zip(images.shape[-3:-1], size, strict=True))
    pixels = _levels(np.einsum("jw,...hwc->...hjc", columns, images.astype("float64"), optimize=True))
    return _levels(np.einsum("ih,...hjc->...ijc", rows, pixels, optimize=True)).astype("uint8")


def _levels(pixels):
    return np.clip(np.floor(pixels + 0.5), 0.0, 255.0)


def shrink(images, scale):
    """Images `scale` times smaller: the low resolution that super-resolution starts from.

    Args:
        images: uint8 (..., height, width, channels); height and width multiples of `scale`.
        scale: whole number.

    Returns:
        uint8 (..., height / scale, width / scale, channels).

    Raises:
        ValueError: `scale` does not divide height and width.
    """
    height, width = images.shape[-3:-1]
    if height % scale or width % scale:
        raise ValueError(f"images of {height}x{width} pixels cannot be made {scale} times smaller: crop them first.")
    return resize(images, (height // scale, width // scale))


def enlarge(images, scale):
    """Images `scale` times larger: what super-resolution is compared with. uint8 in and out; see `resize`."""
    height, width = images.shape[-3:-1]
    return resize(images, (height * scale, width * scale))
