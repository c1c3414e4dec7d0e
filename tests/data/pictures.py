"""Small pictures that the tests of the readers make."""

import io

import numpy as np
from PIL import Image


def encode(pixels, format="PNG", **options):
    """The content of an image file of uint8 pixels."""
    pixels = np.asarray(pixels, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def plain(value, height=8, width=8):
    """An RGB picture of one colour; `value` is its level of red, by which a test recognises it."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = value
    return pixels


def reds(batch):
    """The levels of red, 0 to 255, of a batch of plain pictures in [-1, 1]."""
    return np.rint((np.asarray(batch)[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist()


def to_pixels(batch):
    """A batch in [-1, 1] as uint8."""
    return np.rint((np.asarray(batch) + 1) * 127.5).astype(np.uint8)
