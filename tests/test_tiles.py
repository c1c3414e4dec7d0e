"""Tiles: the same image as at once, without seams, for any size and kind."""

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from kerasgan import tiles
from kerasgan.media.dead_leaves import dead_leaves

REACH = 3
RANDOM = np.random.default_rng(0)
KERNEL = tf.constant(RANDOM.normal(0, 0.15, (2 * REACH + 1, 2 * REACH + 1, 3, 3)).astype("float32"))


def blur_and_repeat(scale):
    """A network that sees `REACH` pixels around each, with zeros beyond the edge, as convolutions have them."""

    def network(images):
        return tf.repeat(tf.repeat(tf.tanh(tf.nn.conv2d(images, KERNEL, 1, "SAME")), scale, 1), scale, 2)

    return network


def at_once(image, scale, overlap):
    """The network on the whole image, mirrored beyond its edges."""
    padded = np.pad(image, ((overlap, overlap), (overlap, overlap), (0, 0)), "symmetric")
    whole = blur_and_repeat(scale)(padded[None].astype("float32") / 127.5 - 1)[0].numpy()
    inner = whole[overlap * scale : -overlap * scale, overlap * scale : -overlap * scale]
    return np.clip(np.rint((inner + 1) * 127.5), 0, 255).astype("uint8")


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 7), (10, 10), (11, 10), (33, 70), (64, 19)])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("overlap", [3, 4])
def test_tiles_are_the_image_at_once(shape, scale, overlap):
    image = dead_leaves(1, (*shape, 3), seed=1)[0]
    tiled = tiles.in_tiles(blur_and_repeat(scale), image, scale, 16, overlap, REACH)
    expected = at_once(image, scale, overlap)
    assert tiled.shape == expected.shape == (shape[0] * scale, shape[1] * scale, 3)
    assert np.abs(tiled.astype(int) - expected).max() <= 1 and np.mean(tiled != expected) < 0.01


@pytest.mark.parametrize("overlap", [1, 2])
def test_with_less_overlap_than_reach_tiles_fade_into_each_other(overlap):
    image = dead_leaves(1, (60, 60, 3), seed=2)[0]
    expected = at_once(image, 2, REACH).astype(int)
    faded, butted = (tiles.in_tiles(blur_and_repeat(2), image, 2, 16, some, REACH).astype(int) for some in (overlap, 0))
    assert np.abs(faded - expected).mean() < 0.75 * np.abs(butted - expected).mean()
    constant = tiles.in_tiles(lambda x: np.full((1, 32, 32, 3), 0.5), image, 2, 16, overlap, REACH)
    assert (constant == np.rint(1.5 * 127.5)).all()  # windows sum to 1 everywhere


def nearest(tile, scale=2):
    return lambda images: np.repeat(np.repeat(images, scale, axis=1), scale, axis=2)


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("count", [None, 2])
def test_every_kind_of_image_keeps_its_axes(channels, count):
    if channels is None and count is not None:
        return
    shape = tuple(side for side in (count, 9, 13, channels) if side is not None)
    images = RANDOM.integers(1, 256, shape, dtype="uint8")
    larger = tiles.upscale(nearest(16), images, 2, 16, 2, 1)
    rows = 1 if count else 0
    assert larger.shape == tuple(2 * side if place in (rows, rows + 1) else side for place, side in enumerate(shape))
    expected = np.repeat(np.repeat(images, 2, axis=rows), 2, axis=rows + 1)
    colours = slice(None) if channels != 4 else np.s_[..., :3]
    np.testing.assert_array_equal(larger[colours], expected[colours])


def test_transparency_is_bicubic_and_hidden_colours_stay_hidden():
    image = np.zeros((24, 24, 4), "uint8")
    image[4:20, 4:20] = (250, 200, 100, 255)
    larger = tiles.upscale(nearest(16), image, 2, 16, 2, 1)
    alpha = np.asarray(PIL.Image.fromarray(image[..., 3]).resize((48, 48), PIL.Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(larger[..., 3], alpha)
    visible = larger[larger[..., 3] > 0][:, :3].astype(int)
    assert np.abs(visible - (250, 200, 100)).max() <= 3  # rounded, and no black edge


@pytest.mark.parametrize(
    "images", [np.zeros((4, 4, 3)), np.zeros((4, 4, 2), "uint8"), np.zeros((0, 4, 3), "uint8"), np.zeros(3, "uint8")]
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ValueError, match="images has shape .* expected uint8 pixels"):
        tiles.upscale(nearest(16), images, 2, 16, 2, 1)


@pytest.mark.parametrize("tile, overlap", [(4, 0), (16, 5), (16, -1), (16.0, 2), (16, True)])
def test_tiles_that_do_not_fit_together_are_refused(tile, overlap):
    with pytest.raises(ValueError, match="tile=|overlap="):
        tiles.check_tiles(tile, overlap)
