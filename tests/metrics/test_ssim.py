"""SSIM and MS-SSIM against the formulas of Wang et al., written out in float64."""

import numpy as np
import pytest
from photographs import blurred, noisy, photographs

from kerasgan.metrics.ssim import ms_ssim, scales, ssim

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def naive_maps(a, b):
    """(luminance, contrast * structure) of every window of one channel: weighted sums over the centred window."""
    distance = np.arange(11) - 5.0
    weights = np.exp(-(distance[:, None] ** 2 + distance**2) / (2 * 1.5**2))
    weights /= weights.sum()
    x, y = (np.lib.stride_tricks.sliding_window_view(image.astype("float64"), (11, 11)) for image in (a, b))
    m, n = ((weights * windows).sum((2, 3), keepdims=True) for windows in (x, y))
    v, w = ((weights * (windows - mean) ** 2).sum((2, 3)) for windows, mean in ((x, m), (y, n)))
    covariance = (weights * (x - m) * (y - n)).sum((2, 3))
    m, n = m[..., 0, 0], n[..., 0, 0]
    return (2 * m * n + C1) / (m * m + n * n + C1), (2 * covariance + C2) / (v + w + C2)


def halved(image):
    padded = np.pad(image.astype("float64"), [(0, side % 2) for side in image.shape], mode="edge")
    return (padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]) / 4.0


def naive_ms_ssim(a, b, weights):
    weights = np.array(weights) / sum(weights)
    value = 1.0
    for scale, weight in enumerate(weights):
        luminance, structure = naive_maps(a, b)
        last = scale == len(weights) - 1
        value *= max(0.0, (luminance * structure if last else structure).mean()) ** weight
        a, b = halved(a), halved(b)
    return value


def test_ssim_is_the_formula():
    a = photographs(3, 18)[:, :, :15]
    b = noisy(blurred(a), 12.0)
    expected = [
        np.mean([np.multiply(*naive_maps(a[i, :, :, c], b[i, :, :, c])).mean() for c in range(3)]) for i in range(3)
    ]
    values = ssim(a, b)
    assert values.shape == (3,) and values.dtype == np.float64
    np.testing.assert_allclose(values, expected, atol=2e-5)


def test_ssim_of_plain_images_is_the_luminance_term():
    a, b = np.full((1, 12, 12, 1), 80, "uint8"), np.full((1, 12, 12, 1), 120, "uint8")
    np.testing.assert_allclose(ssim(a, b), (2 * 80 * 120 + C1) / (80**2 + 120**2 + C1), atol=3e-4)  # the worst case


def test_luma_and_border():
    a = photographs(2, 24)
    b = noisy(a, 10.0)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    one, other = (16 + images[:, 4:-4, 4:-4] @ weights for images in (a, b))
    expected = [np.multiply(*naive_maps(one[i], other[i])).mean() for i in range(2)]
    np.testing.assert_allclose(ssim(a, b, border=4, luma=True), expected, atol=2e-5)


@pytest.mark.parametrize("size, weights", [(14, [0.0448]), (23, [0.0448, 0.2856]), (44, [0.0448, 0.2856, 0.3001])])
def test_ms_ssim_is_the_formula(size, weights):
    a = photographs(2, size, channels=1)
    b = noisy(blurred(a), 12.0)
    assert scales(size, size) == len(weights)
    expected = [naive_ms_ssim(a[i, ..., 0], b[i, ..., 0], weights) for i in range(2)]
    np.testing.assert_allclose(ms_ssim(a, b), expected, atol=5e-5)


def test_five_scales_from_161_pixels_on():
    assert [scales(side, 500) for side in (11, 20, 21, 28, 32, 64, 128, 160, 161, 1000)] == [
        1,
        1,
        2,
        2,
        2,
        3,
        4,
        4,
        5,
        5,
    ]
    a = photographs(1, 161, channels=1)
    b = np.clip(a * 0.5 + 40, 0, 255).astype("uint8")
    value = ms_ssim(a, b)
    assert 0 < value[0] < 1 and ms_ssim(a, a)[0] == 1.0


def test_identical_images_score_one():
    a = photographs(3, 24)
    np.testing.assert_allclose(ssim(a, a), 1.0, atol=1e-6)
    np.testing.assert_allclose(ms_ssim(a, a), 1.0, atol=1e-6)


def test_opposite_structure():
    a = photographs(1, 24, channels=1)
    assert ssim(a, 255 - a)[0] < 0
    assert ms_ssim(a, 255 - a)[0] == 0.0


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_worse_images_score_lower(metric):
    a = photographs(4)
    for worse in (lambda strength: blurred(a, strength), lambda strength: noisy(a, 8.0 * strength)):
        values = np.array([metric(a, worse(strength)) for strength in (1, 2, 4)])
        assert (np.diff(values, axis=0) < 0).all() and (values < 1).all()


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_too_small(metric):
    small = np.zeros((1, 10, 30, 3), "uint8")
    with pytest.raises(ValueError, match="expected at least 11 x 11"):
        metric(small, small)


def test_border_that_leaves_too_little():
    with pytest.raises(ValueError, match="border=3 leaves 10 x 10 of 16 x 16"):
        ssim(photographs(1, 16), photographs(1, 16), border=3)
