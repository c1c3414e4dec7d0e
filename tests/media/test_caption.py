"""Texts below images."""

import numpy as np
import pytest

from kerasgan.media.caption import captioned, wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a red heart", ["a red", "heart"]),
        ("", []),
        ("red", ["red"]),
        ("a b c d e f", ["a b c", "d e f"]),
        ("a red heart and more", ["a red", "hear…"]),
        ("incomprehensible", ["inco…"]),
        ("incomprehensible red", ["inco…", "red"]),
    ],
)
def test_texts_are_broken_between_words(text, lines):
    assert wrapped(text, 5, len, 2) == lines


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_each_image_has_its_text_below(channels):
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 50, channels), "uint8")
    made = captioned(images, ["", "a red heart", "a red heart"])
    assert made.shape[0] == 3 and made.shape[2:] == (100, channels) and made.dtype == np.uint8
    np.testing.assert_array_equal(made[:, :80:2, ::2], images)  # twice as large, for the text to have room
    assert (made[0, 80:] == 255).all()
    assert (made[1, 80:, :, 0] < 100).sum() > 50
    np.testing.assert_array_equal(made[1, 80:], made[2, 80:])


def test_large_images_stay_as_they_are():
    images = np.zeros((1, 20, 200, 3), "uint8")
    np.testing.assert_array_equal(captioned(images, ["a"])[:, :20], images)
