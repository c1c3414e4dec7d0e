"""Plain arrays: samples of no particular kind."""

import keras
import numpy as np

from kerasgan.files import atomic, check_output
from kerasgan.media.base import Media


@keras.saving.register_keras_serializable(package="kerasgan")
class Arrays(Media):
    """Arrays of any shape and finite values; natural units are the model's own.

    What a `GAN` of your own networks makes until it is told a better kind.

    Args:
        shape: shape of one sample, without the batch axis.
    """

    extension = ".npy"
    extensions = (".npy",)

    def to_natural(self, samples):
        """The samples themselves, as float32."""
        return np.asarray(samples, "float32")

    def to_model(self, samples):
        """The samples themselves, as float32."""
        return np.asarray(samples, "float32")

    def save(self, samples, path, columns=None):
        """Writes the batch as a NumPy file. `columns` has no meaning here."""
        path = check_output(path, self.extensions)
        with atomic(path) as temporary:
            np.save(temporary, samples)
        return path

    def _check_range(self, batch, name):
        """Any finite value will do."""
