"""The sliced Wasserstein distance: its pyramid, its patches, its distance, and what moves it."""

import sys

import numpy as np
import pytest
from photographs import blurred, noisy, photographs

from kerasgan.metrics.sliced_wasserstein import sliced_wasserstein

module = sys.modules["kerasgan.metrics.sliced_wasserstein"]  # the package's attribute of this name is the function


def naive_blur(image):
    """One channel, by definition, mirrored without repeating the edge."""
    taps = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256.0
    padded = np.pad(image, 2, mode="reflect")
    return np.array(
        [[(padded[y : y + 5, x : x + 5] * taps).sum() for x in range(image.shape[1])] for y in range(image.shape[0])]
    )


@pytest.mark.parametrize("size", [16, 17])
def test_pyramid_by_definition(size):
    image = np.random.default_rng(0).normal(size=(size, size)).astype("float32")
    images = image[None, ..., None]
    down = naive_blur(image)[::2, ::2]
    spread = np.zeros((size, size))
    spread[::2, ::2] = down
    np.testing.assert_allclose(module._level(images, 0, False)[0, ..., 0], image - 4 * naive_blur(spread), atol=1e-5)
    np.testing.assert_allclose(module._level(images, 1, True)[0, ..., 0], down, atol=1e-5)


def test_levels_go_down_to_16_pixels():
    assert module._heights(64, 64) == [64, 32, 16]
    assert module._heights(28, 28) == [28]
    assert module._heights(90, 40) == [90, 45]
    assert module._heights(8, 8) == [8]
    result = sliced_wasserstein(photographs(2, 33), photographs(2, 33, seed=1), patches=4, repeats=1, directions=4)
    assert list(result.levels) == [33, 17]
    assert result.mean == pytest.approx(np.mean(list(result.levels.values())))


def test_distance_between_shifted_sets():
    """Sorted projections of a set and its shifted copy differ by the shift's projection."""
    random = np.random.default_rng(1)
    points, shift = random.normal(size=(50, 6)).astype("float32"), random.normal(size=6).astype("float32")
    lines = random.normal(size=(37, 6)).astype("float32")
    expected = np.abs(lines @ shift).mean()
    np.testing.assert_allclose(module._distance(points, (points + shift)[::-1], lines), expected, rtol=1e-5)


def test_distance_is_the_wasserstein_distance_on_a_line():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(2)
    a, b = random.normal(size=(40, 3)).astype("float32"), random.exponential(size=(40, 3)).astype("float32")
    lines = np.eye(3, dtype="float32")
    expected = np.mean([stats.wasserstein_distance(a[:, i], b[:, i]) for i in range(3)])
    np.testing.assert_allclose(module._distance(a, b, lines), expected, rtol=1e-5)


def test_patches_are_cut_where_told():
    images = np.arange(2 * 9 * 8 * 3, dtype="uint8").reshape(2, 9, 8, 3)
    y, x = np.array([[0, 2], [1, 0]]), np.array([[1, 0], [0, 1]])
    rows, columns = np.arange(7)[:, None], np.arange(7)
    found = module._patches(images, 0, y[..., None, None] + rows, x[..., None, None] + columns)
    assert found.shape == (4, 7, 7, 3)
    np.testing.assert_array_equal(found[1], images[0, 2:9, 0:7])
    np.testing.assert_array_equal(found[2], images[1, 1:8, 0:7])


def test_normalized_in_each_channel_over_the_set():
    patches = np.random.default_rng(3).normal([3.0, -2.0], [0.5, 20.0], size=(30, 7, 7, 2)).astype("float32")
    found = module._normalized(patches).reshape(30, 7, 7, 2)
    np.testing.assert_allclose(found.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std((0, 1, 2)), 1, atol=1e-5)
    np.testing.assert_allclose(found, (patches - patches.mean((0, 1, 2))) / patches.std((0, 1, 2)), atol=1e-4)


def test_noise_against_plain_images():
    """Normal noise has projections of deviation 1, plain images of 0: the distance is E|N(0, 1)| = sqrt(2 / pi)."""
    random = np.random.default_rng(4)
    noise = np.clip(random.normal(127.5, 30.0, size=(40, 16, 16, 1)), 0, 255)
    plain = np.full((40, 16, 16, 1), 90, "uint8")
    value = sliced_wasserstein(noise, plain, patches=64, repeats=2, directions=64).mean
    np.testing.assert_allclose(value, 1000 * np.sqrt(2 / np.pi), rtol=0.02)


def test_a_set_against_itself_is_zero_and_brightness_does_not_count():
    images = photographs(6) // 2
    assert sliced_wasserstein(images, images, patches=16).mean == 0.0
    assert sliced_wasserstein(images, images + np.uint8(40), patches=16).mean < 0.1


def test_batches_and_blocks_do_not_change_the_value(monkeypatch):
    real, fake = photographs(7), photographs(7, seed=1)
    options = {"patches": 8, "repeats": 1, "directions": 24}
    whole = sliced_wasserstein(real, fake, **options)
    monkeypatch.setattr(module, "_BATCH", 3)
    monkeypatch.setattr(module, "_BLOCK", 5)
    np.testing.assert_allclose(sliced_wasserstein(real, fake, **options).mean, whole.mean, rtol=1e-5)
    assert sliced_wasserstein(real, fake, seed=1, **options).mean != whole.mean


def test_worse_images_score_higher():
    real, fake = photographs(64, seed=1), photographs(64, seed=2)
    options = {"patches": 32, "repeats": 1, "directions": 64}
    floor = sliced_wasserstein(real, fake, **options)
    blur, more_blur = (sliced_wasserstein(real, blurred(fake, times), **options) for times in (1, 3))
    noise, more_noise = (sliced_wasserstein(real, noisy(fake, deviation), **options) for deviation in (30.0, 60.0))
    assert floor.levels[32] < blur.levels[32] < more_blur.levels[32]
    assert floor.levels[32] < noise.levels[32] < more_noise.levels[32]
    dropped = sliced_wasserstein(real, fake[np.arange(64) % 2], **options)
    assert dropped.levels[16] > 2 * floor.levels[16]


IMAGES = photographs(2, 16)


@pytest.mark.parametrize(
    "real, fake, options, message",
    [
        (IMAGES, IMAGES[:1], {}, "real_images has shape .* and fake_images"),
        (IMAGES, IMAGES[0], {}, "fake_images has shape"),
        (IMAGES[:, :6], IMAGES[:, :6], {}, "6 x 16; expected at least 7 x 7"),
        (IMAGES, IMAGES, {"patches": 0}, "patches=0"),
        (IMAGES, IMAGES, {"directions": 1.5}, "directions=1.5"),
        (IMAGES, IMAGES, {"repeats": True}, "repeats=True"),
    ],
)
def test_errors(real, fake, options, message):
    with pytest.raises(ValueError, match=message):
        sliced_wasserstein(real, fake, **options)
