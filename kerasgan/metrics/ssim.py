"""Structural similarity, at one scale and at several."""

import numpy as np

from kerasgan.metrics import pixels

WINDOW = 11  # pixels; the Gaussian's deviation is 1.5
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five scales, finest first: Wang et al., 2003, section 3.2


def ssim(a, b, border=0, luma=False):
    """Structural similarity of image pairs (Wang et al., 2004, doi:10.1109/TIP.2003.819861). 1 for identical images.

    The authors' settings: Gaussian window of 11 x 11 pixels and deviation 1.5, K1 = 0.01, K2 = 0.03, peak 255, and only
    windows that lie within the image. Channels are compared by themselves and averaged. Computed by `tf.image.ssim` in
    float32: exact to about 1e-5, to 3e-4 where plain bright areas differ.

    Args:
        a, b: images (count, height, width, channels), uint8 or floats in [0, 255], of the same shape.
        border: pixels cut at every side before comparing (super-resolution papers: the factor of enlargement).
        luma: whether to compare the Y of ITU-R BT.601 (as MATLAB's rgb2ycbcr of floats: 16..235, not rounded) in place
            of all channels; grey images are compared as they are.

    Returns:
        float64 (count,) in [-1, 1].

    Raises:
        ValueError: images of different shapes, not pixels, or smaller than the window after the border is cut.
    """
    chunks = pixels.pairs(a, b, border, luma, smallest=WINDOW)
    import tensorflow as tf

    return _compare(chunks, lambda a, b: tf.image.ssim(a, b, max_val=255.0))


def ms_ssim(a, b):
    """Multi-scale structural similarity of image pairs (Wang et al., 2003, doi:10.1109/ACSSC.2003.1292216).

    Contrast and structure at up to five scales, each half the size of the one before, luminance at the coarsest; the
    published weights. Negative terms count as 0. Images with a side of 160 pixels or less are too small for five scales
    with the window of 11 pixels: they get the finest ones that fit (`scales`), with weights scaled to sum to 1. Values
    of different numbers of scales do not compare. Computed by `tf.image.ssim_multiscale`.

    Args:
        a, b: images (count, height, width, channels), uint8 or floats in [0, 255], of the same shape.

    Returns:
        float64 (count,) in [0, 1]; 1 for identical images.

    Raises:
        ValueError: images of different shapes, not pixels, or smaller than 11 x 11.
    """
    chunks = pixels.pairs(a, b, 0, False, smallest=WINDOW)
    import tensorflow as tf

    weights = np.array(_WEIGHTS[: scales(*np.shape(a)[1:3])])
    weights = tuple(weights / weights.sum())
    return _compare(chunks, lambda a, b: tf.image.ssim_multiscale(a, b, max_val=255.0, power_factors=weights))


def scales(height, width):
    """How many scales `ms_ssim` compares images of this size at: 5 from 161 pixels on, 3 for 64, 2 for 28."""
    side, count = min(height, width), 1
    while count < len(_WEIGHTS) and -(-side // 2) >= WINDOW:  # an odd side is rounded up
        side, count = -(-side // 2), count + 1
    return count


def _compare(chunks, similarity):
    values = [similarity(a.astype("float32"), b.astype("float32")).numpy() for a, b in chunks]
    return np.concatenate(values).astype("float64")
