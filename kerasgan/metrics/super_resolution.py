"""The protocol of super-resolution papers: PSNR and SSIM of luma, with a border cut."""

from typing import NamedTuple

import numpy as np

from kerasgan import bicubic
from kerasgan.metrics import checks, enlarged, pixels
from kerasgan.metrics.psnr import psnr
from kerasgan.metrics.ssim import ssim

METRICS = ("psnr", "ssim")


class SuperResolution(NamedTuple):
    """Scores of each image; a paper's number is their mean.

    Attributes:
        psnr: decibels, float64 (count,).
        ssim: float64 (count,).
    """

    psnr: np.ndarray
    ssim: np.ndarray


def super_resolution(upscale, images, scale):
    """How near enlarged images come to their originals (as SRCNN, SRGAN and ESRGAN are scored).

    Each original is cut to multiples of `scale` at its right and lower edge, made smaller by the bicubic kernel
    (`kerasgan.media.bicubic`), rounded to 8 bits, enlarged, and compared: PSNR and SSIM of the Y of ITU-R BT.601 in
    MATLAB's range, 16 to 235, with a border of `scale` pixels cut. Grey images are taken for RGB. Papers make the low
    resolution with MATLAB, which mirrors images at their edges where the kernel here has nothing: a difference of some
    hundredths of a decibel.

    Args:
        upscale: function, uint8 (height, width, 3) -> uint8 (scale * height, scale * width, 3), such as `gan.upscale`
            of an `SRGAN`; `lambda image: bicubic.enlarge(image, scale)` is what papers compare with.
        images: sequence of originals, uint8 (height, width, 1 or 3), of any sizes.
        scale: whole number.

    Returns:
        `SuperResolution(psnr, ssim)`.

    Raises:
        ValueError: images that are no such arrays, or too small; results of another size.
    """
    checks.whole(scale, "scale", 2)
    found = [_score(upscale, original, scale, number) for number, original in enumerate(images)]
    if not found:
        raise ValueError("images is empty; give at least one.")
    return SuperResolution(*np.array(found).T)


def evaluate(gan, images, metrics=None, *, beside=None, model=None, split="all", progress=True):
    """Scores a super-resolution model on images that it should not have been trained on.

    Each number stands beside that of the bicubic kernel, which a model has to beat, if not in PSNR: what looks like
    detail costs some of it.

    Args:
        gan: an `SRGAN`, or another `kerasgan.Game` with `upscale` and `scale`.
        images: sequence of originals, as in `super_resolution`.
        metrics: "psnr", "ssim", or both in a sequence or separated by a comma; None takes both.
        beside: {what it is called: a model of the same scale} to score on the same images.
        model, split: what the records call the model and the images.
        progress: whether a bar is shown.

    Returns:
        A list of `kerasgan.metrics.Result`, the metric's names ending with the split.

    Raises:
        ValueError: an unknown metric, no images, or another scale beside it.
    """
    names = checks.metric_names(metrics, METRICS, "a model that upscales")
    return enlarged.evaluate(
        gan,
        list(images),
        super_resolution,
        lambda image: bicubic.enlarge(image, gan.scale),
        dict.fromkeys(names, True),
        beside=beside,
        model=model,
        split=split,
        progress=progress,
        plural="images",
    )


def low_and_original(original, scale):
    """(low resolution, original cut to multiples of `scale`), uint8 RGB."""
    height, width = (side // scale * scale for side in original.shape[:2])
    original = original[:height, :width]
    original = np.repeat(original, 3, axis=-1) if original.shape[-1] == 1 else original
    return bicubic.shrink(original, scale), original


def _score(upscale, original, scale, number):
    original = np.asarray(original)
    if original.ndim != 3 or original.dtype != np.uint8 or original.shape[-1] not in (1, 3):
        raise ValueError(
            f"images[{number}] has shape {original.shape} and dtype {original.dtype}; expected uint8 (height, width, 1 "
            "or 3)."
        )
    low, original = low_and_original(original, scale)
    pair = pixels.same_shape(np.asarray(upscale(low))[None], original[None], ("upscale(image)", "the original"))
    return psnr(*pair, border=scale, luma=True)[0], ssim(*pair, border=scale, luma=True)[0]
