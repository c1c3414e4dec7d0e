"""Texts that go with samples of another kind: bytes, as networks read them."""

import math

import keras
import numpy as np
from PIL import Image, ImageDraw

from kerasgan import captions
from kerasgan.media import lettering
from kerasgan.media.base import Media

_SMALLEST = 96  # pixels of an image, below which it is enlarged, for its text to have room
_SIZE = 11  # of letters, pixels
_LINES = 2


@keras.saving.register_keras_serializable(package="kerasgan")
class Caption(Media):
    """Texts that say what something is to show, in natural units str, in model range their bytes (`kerasgan.captions`).

    Args:
        length: bytes of the longest one.
    """

    dtype = "int32"
    range = (0, captions.CODES - 1)
    plural = "texts"
    kind = "text"

    def __init__(self, length):
        super().__init__((length,))

    @property
    def length(self):
        return self.shape[0]

    def to_natural(self, samples):
        return captions.texts_of(samples)

    def to_model(self, samples):
        return captions.tokens_of(samples, self.length)

    def in_model_range(self, samples):
        """Bytes as they are; the bytes of a sequence of texts."""
        samples = np.asarray(samples)
        return self.to_model(samples.tolist()) if samples.dtype.kind in "UO" else samples

    def get_config(self):
        return {"length": self.length}


def captioned(images, texts):
    """Images with a text each below them, in black on white.

    Small ones are enlarged a whole number of times, for the text to have room; what does not fit into two lines is
    left out.

    Args:
        images: uint8 (count, height, width, channels), 1, 3 or 4 channels.
        texts: as many texts.

    Returns:
        uint8 (count, height of images and texts, width, channels).
    """
    count, height, width, channels = images.shape
    times = max(1, math.ceil(_SMALLEST / width))
    images = images.repeat(times, axis=1).repeat(times, axis=2)
    font = lettering.font(_SIZE)
    line = sum(font.getmetrics())
    labels = np.full((count, _LINES * line, times * width, channels), 255, "uint8")
    for label, text in zip(labels, texts, strict=True):
        canvas = Image.new("L", label.shape[1::-1], 255)
        pencil = ImageDraw.Draw(canvas)
        for number, part in enumerate(wrapped(text, canvas.width, font.getlength, _LINES)):
            pencil.text((canvas.width / 2, number * line), part, fill=0, font=font, anchor="ma")
        label[..., :3] = np.asarray(canvas)[..., None]
    return np.concatenate([images, labels], axis=1)


def wrapped(text, width, length_of, most):
    """Lines of a text, at most `most`, broken between words; a word, or rest, that is too long ends in an ellipsis.

    Args:
        text: str.
        width: of a line.
        length_of: function from text to its length, in the unit of `width`.
        most: how many lines.
    """
    lines, words = [], text.split()
    while words and len(lines) < most:
        taken = len(words) if len(lines) == most - 1 else 1  # the last line has all that is left
        while taken < len(words) and length_of(" ".join(words[: taken + 1])) <= width:
            taken += 1
        line, words = " ".join(words[:taken]), words[taken:]
        if length_of(line) > width:
            while line and length_of(f"{line}…") > width:
                line = line[:-1]
            line = f"{line.rstrip()}…"
        lines.append(line)
    return lines
