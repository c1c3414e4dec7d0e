"""PSNR against its definition and MATLAB's published luma."""

import numpy as np
import pytest
from photographs import blurred, noisy, photographs

from kerasgan.metrics.pixels import luma
from kerasgan.metrics.psnr import psnr


def test_closed_form():
    a = np.full((3, 4, 5, 3), 100, "uint8")
    b = a.copy()
    b[0] += 10
    b[1, 0, 0, 0] += 60
    values = psnr(a, b)
    assert values.dtype == np.float64 and values.shape == (3,)
    np.testing.assert_allclose(values[:2], [20 * np.log10(255 / 10), 10 * np.log10(255**2 / (60**2 / 60))])
    assert values[2] == np.inf


def test_uint8_does_not_wrap_around():
    black, white = np.zeros((1, 8, 8, 1), "uint8"), np.full((1, 8, 8, 1), 255, "uint8")
    assert psnr(black, white) == psnr(white, black) == 0.0


def test_border_is_cut():
    a = photographs(2, 16)
    b = a.copy()
    b[:, :3], b[:, -3:], b[:, :, :3], b[:, :, -3:] = 0, 0, 0, 0
    assert np.isfinite(psnr(a, b, border=2)).all()
    assert np.isinf(psnr(a, b, border=3)).all()


def test_luma_of_known_colours():
    """What MATLAB documents of rgb2ycbcr: 16 for black, 235 for white; the primaries by BT.601's weights."""
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "float64")
    np.testing.assert_allclose(luma(colours[None, None])[0, 0, :, 0], [16, 235, 81.481, 144.553, 40.966], atol=1e-9)


def test_luma_score():
    a = np.full((1, 4, 4, 3), 50, "uint8")
    b = a.copy()
    b[..., 2] += 100  # blue
    np.testing.assert_allclose(psnr(a, b, luma=True), 20 * np.log10(255 / (24.966 * 100 / 255)))
    grey = photographs(2, 16, channels=1)
    np.testing.assert_array_equal(psnr(grey, blurred(grey), luma=True), psnr(grey, blurred(grey)))


def test_floats_are_taken_as_they_are():
    a = photographs(2, 16) // 2
    np.testing.assert_allclose(psnr(a, a + np.float32(0.5)), 20 * np.log10(255 / 0.5))


def test_worse_images_score_lower():
    a = photographs(4)
    for worse in (lambda strength: blurred(a, strength), lambda strength: noisy(a, 8.0 * strength)):
        values = np.array([psnr(a, worse(strength)) for strength in (1, 2, 4)])
        assert (np.diff(values, axis=0) < 0).all()


def test_many_images_are_compared_in_chunks(monkeypatch):
    a = photographs(7, 16)
    b = blurred(a)
    whole = psnr(a, b)
    monkeypatch.setattr("kerasgan.metrics.pixels._CHUNK", 2 * a[0].size)
    np.testing.assert_array_equal(psnr(a, b), whole)


GOOD = np.zeros((2, 8, 8, 3), "uint8")


@pytest.mark.parametrize(
    "a, b, options, message",
    [
        (GOOD[0], GOOD[0], {}, r"a has shape \(8, 8, 3\).*images\[None\]"),
        (GOOD[..., :2], GOOD, {}, r"a has shape \(2, 8, 8, 2\)"),
        (GOOD[:0], GOOD[:0], {}, "a is empty"),
        (GOOD, GOOD[:1], {}, r"b? ?\(1, 8, 8, 3\); expected the same"),
        (GOOD.astype("int64"), GOOD, {}, "a has dtype int64"),
        (GOOD, GOOD + np.nan, {}, "b holds NaN"),
        (GOOD - 0.5, GOOD, {}, r"a lies in \[-0.5, -0.5\]"),
        (GOOD, GOOD + 1.0, {}, "b lies in .*by 255"),
        (GOOD, GOOD + 256.0, {}, "b lies in"),
        (GOOD, GOOD, {"border": -1}, "border=-1"),
        (GOOD, GOOD, {"border": 1.5}, "border=1.5"),
        (GOOD, GOOD, {"border": 4}, "border=4 leaves 0 x 0 of 8 x 8"),
        (np.zeros((1, 8, 8, 4), "uint8"),) * 2 + ({"luma": True}, "4 channels"),
    ],
)
def test_errors(a, b, options, message):
    with pytest.raises(ValueError, match=message):
        psnr(a, b, **options)
