"""Peak signal-to-noise ratio."""

import numpy as np

from kerasgan.metrics import pixels


def psnr(a, b, border=0, luma=False):
    """Peak signal-to-noise ratio of image pairs: 10 log10(255^2 / mean squared error). Higher is better.

    Super-resolution papers compare luma only and leave out a border of as many pixels as the image was enlarged:
    `psnr(a, b, border=4, luma=True)` for 4x. Their peak is 255 for luma too, and so it is here.

    Args:
        a, b: images (count, height, width, channels), uint8 or floats in [0, 255], of the same shape.
        border: pixels cut at every side before comparing.
        luma: whether to compare the Y of ITU-R BT.601 (as MATLAB's rgb2ycbcr of floats: 16..235, not rounded) in place
            of all channels; grey images are compared as they are.

    Returns:
        float64 (count,) in decibels; infinite for identical images.

    Raises:
        ValueError: images of different shapes, not pixels, or smaller than the border.
    """
    errors = [np.mean((a - b) ** 2, axis=(1, 2, 3)) for a, b in pixels.pairs(a, b, border, luma, smallest=1)]
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(255.0**2 / np.concatenate(errors))
