"""Texts that go with samples of another kind: bytes, as networks read them."""

import keras
import numpy as np

from kerasgan import captions
from kerasgan.media.base import Media


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
