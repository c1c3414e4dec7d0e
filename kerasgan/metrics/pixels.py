"""Image batches in natural units as the image metrics take them: checked, cut at the borders, as luma."""

import numpy as np

from kerasgan.metrics import checks

_CHUNK = 2**21  # values of one side that are held in float64 at a time


def check(images, name):
    """The batch as an array, after a check.

    Args:
        images: (count, height, width, channels) with 1, 3 or 4 channels; uint8, or floats in [0, 255].
        name: how the argument is called in the error.

    Raises:
        ValueError: anything else.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        hint = " Add the missing axis, such as images[None] or images[..., None]." if images.ndim in (2, 3) else ""
        raise ValueError(
            f"{name} has shape {images.shape}; expected (count, height, width, channels) with 1, 3 or 4 channels.{hint}"
        )
    if not images.size:
        raise ValueError(f"{name} is empty (shape {images.shape}); give at least one image.")
    if images.dtype != np.uint8:
        _check_floats(images, name)
    return images


def _check_floats(images, name):
    if images.dtype.kind != "f":
        raise ValueError(f"{name} has dtype {images.dtype}; expected uint8 pixels, or floats in [0, 255].")
    low, high = float(images.min()), float(images.max())  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} holds NaN or infinite values; expected pixels in 0..255. Find where they come from.")
    # Pixels divided by 255 would give a wrong score; a batch of true pixels that is brightest at 0.5 to 1 is unlikely.
    if low < 0 or high > 255 or 0.5 < high <= 1:
        raise ValueError(
            f"{name} lies in [{low:g}, {high:g}]; expected pixels in 0..255. Multiply values in [0, 1] by 255, "
            "convert model range with kerasgan.media.Image(shape).to_natural, and clip what lies outside."
        )


def same_shape(a, b, names=("a", "b")):
    """Both batches, after a check that they hold images that belong together one by one.

    Raises:
        ValueError: not image batches, or of different shapes.
    """
    a, b = check(a, names[0]), check(b, names[1])
    if a.shape != b.shape:
        raise ValueError(
            f"{names[0]} has shape {a.shape} and {names[1]} {b.shape}; expected the same: image i is compared with "
            "image i."
        )
    return a, b


def luma(images):
    """The Y of ITU-R BT.601 as MATLAB's rgb2ycbcr computes it, not rounded: 16 for black to 235 for white.

    Args:
        images: floats (count, height, width, channels) in [0, 255]; grey images are returned as they are.

    Returns:
        floats (count, height, width, 1).
    """
    return images if images.shape[-1] == 1 else 16.0 + images @ np.array([[65.481], [128.553], [24.966]]) / 255.0


def pairs(a, b, border, as_luma, smallest):
    """Cuts two batches into chunks of float64 images, ready to be compared.

    Args:
        a, b: batches of the same shape.
        border: pixels to cut at every side.
        as_luma: whether to compare luma only.
        smallest: height and width that must be left.

    Returns:
        An iterator over (chunk of a, chunk of b).

    Raises:
        ValueError: at once, if an argument is not what it should be.
    """
    a, b = same_shape(a, b)
    count, height, width, channels = a.shape
    checks.whole(border, "border", 0)
    if min(height, width) - 2 * border < smallest:
        raise ValueError(
            f"border={border} leaves {height - 2 * border} x {width - 2 * border} of {height} x {width} pixels; "
            f"expected at least {smallest} x {smallest}. Give larger images or a smaller border."
        )
    if as_luma and channels == 4:
        raise ValueError("luma=True was given with 4 channels; drop the transparency first: images[..., :3].")

    def ready(images):
        images = images[:, border : height - border, border : width - border].astype("float64")
        return luma(images) if as_luma else images

    step = max(1, _CHUNK // (height * width * channels))
    return ((ready(a[i : i + step]), ready(b[i : i + step])) for i in range(0, count, step))
