"""The bicubic kernel against Pillow's, and against what a cubic must do."""

import numpy as np
import PIL.Image
import pytest

from kerasgan.media import bicubic
from kerasgan.media.dead_leaves import dead_leaves

PICTURES = dead_leaves(2, (48, 64, 3), seed=3)
NOISE = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype="uint8")


def by_pillow(images, size):
    return np.stack([PIL.Image.fromarray(image).resize(size[::-1], PIL.Image.Resampling.BICUBIC) for image in images])


@pytest.mark.parametrize("images", [PICTURES, NOISE], ids=["pictures", "noise"])
@pytest.mark.parametrize("size", [(12, 16), (24, 32), (96, 128), (192, 256), (17, 23), (60, 100), (1, 1)])
def test_resizes_as_pillow_does(images, size):
    ours, theirs = (made.astype(int) for made in (bicubic.resize(images, size), by_pillow(images, size)))
    assert np.abs(ours - theirs).max() <= 2  # Pillow computes with 22 binary digits, and rounds other ways between
    assert np.mean(ours != theirs) < 1e-3


def test_weights_are_those_of_the_kernel():
    row = bicubic.matrix(8, 16)[8]  # its centre lies at 4.25, between the centres 3.5 and 4.5 of pixels 3 and 4
    near, far = (lambda x: 1.5 * x**3 - 2.5 * x**2 + 1), (lambda x: -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2)
    np.testing.assert_allclose(row[2:6], [far(1.75), near(0.75), near(0.25), far(1.25)])
    assert not row[:2].any() and not row[6:].any()
    np.testing.assert_allclose(bicubic.matrix(30, 7).sum(axis=1), 1.0)


def test_a_plane_stays_one_away_from_the_edges():
    ramp = np.repeat((2 * np.arange(64))[None, :, None], 8, axis=0).astype("uint8")
    small = bicubic.shrink(ramp, 4)
    np.testing.assert_array_equal(small[:, 2:-2, 0], np.repeat(3 + 8 * np.arange(16)[None, 2:-2], 2, axis=0))


def test_what_the_scale_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="48x64 pixels cannot be made 5 times smaller"):
        bicubic.shrink(PICTURES[0], 5)
