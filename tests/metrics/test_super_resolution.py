"""The protocol of super-resolution, step by step with Pillow and NumPy."""

import types

import numpy as np
import PIL.Image
import pytest

from kerasgan.media import bicubic
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.metrics import evaluate_upscaler, super_resolution


def by_hand(original, scale):
    """PSNR of bicubic enlargement, with Pillow's resizing."""
    height, width = (side // scale * scale for side in original.shape[:2])
    original = original[:height, :width]
    small = PIL.Image.fromarray(original).resize((width // scale, height // scale), PIL.Image.Resampling.BICUBIC)
    large = np.asarray(small.resize((width, height), PIL.Image.Resampling.BICUBIC))
    luma = [16 + image @ (65.481, 128.553, 24.966) / 255 for image in (original, large)]
    a, b = (y[scale:-scale, scale:-scale] for y in luma)
    return 10 * np.log10(255**2 / np.mean((a - b) ** 2))


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_scores_as_by_hand(scale):
    images = [dead_leaves(1, shape, 1)[0] for shape in [(50, 61, 3), (64, 44, 3)]]
    found = super_resolution(lambda image: bicubic.enlarge(image, scale), images, scale)
    np.testing.assert_allclose(found.psnr, [by_hand(image, scale) for image in images], atol=0.01)
    assert found.ssim.shape == (2,) and (found.ssim > 0.3).all()


def test_a_perfect_upscaler_and_grey_images():
    original = dead_leaves(1, (48, 48, 1), 2)[0]
    found = super_resolution(lambda image: np.repeat(original, 3, axis=-1), [original], 4)
    assert np.isinf(found.psnr).all() and found.ssim == pytest.approx(1.0)


def test_what_does_not_fit_is_refused():
    image = dead_leaves(1, (48, 48, 3), 2)[0]
    with pytest.raises(ValueError, match=r"images\[0\] has shape \(48, 48\)"):
        super_resolution(lambda image: image, [image[..., 0]], 4)
    with pytest.raises(ValueError, match="upscale.image. has shape"):
        super_resolution(lambda image: image, [image], 4)
    with pytest.raises(ValueError, match="images is empty"):
        super_resolution(lambda image: image, [], 4)
    with pytest.raises(ValueError, match="scale=1"):
        super_resolution(lambda image: image, [image], 1)


def model(scale, brighter=0):
    """The bicubic kernel as a model, with a mistake."""

    def upscale(image):
        return np.clip(bicubic.enlarge(image, scale).astype(int) + brighter, 0, 255).astype("uint8")

    return types.SimpleNamespace(name="kernel", scale=scale, upscale=upscale)


def test_records_stand_beside_the_bicubic_kernel_and_others():
    images = [dead_leaves(1, shape, 1)[0] for shape in [(50, 61, 3), (64, 44, 3)]]
    found = evaluate_upscaler(model(2), images, beside={"brighter": model(2, 10)}, split="two", progress=False)
    names = [record.metric for record in found]
    parts = ("", " of bicubic", " of brighter")
    assert names == [f"{metric}{part}, two" for metric in ("psnr", "ssim") for part in parts]
    expected = np.mean([by_hand(image, 2) for image in images])
    assert found[0].value == found[1].value == pytest.approx(expected, abs=0.01) and found[2].value < expected - 1
    assert {(one.n_real, one.split, one.model) for one in found} == {(2, "two", "kernel")}
    only = evaluate_upscaler(model(2), images, "ssim", progress=False)
    assert [one.value for one in only] == [one.value for one in found[3:5]]


def test_other_metrics_and_scales_are_refused():
    with pytest.raises(ValueError, match="metrics='fid': expected some of psnr, ssim"):
        evaluate_upscaler(model(2), [], "fid")
    with pytest.raises(ValueError, match="'other' enlarges by 4, kernel by 2"):
        evaluate_upscaler(model(2), [], beside={"other": model(4)})
    with pytest.raises(ValueError, match="images is empty"):
        evaluate_upscaler(model(2), [], progress=False)
