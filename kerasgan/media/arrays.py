"""Plain arrays: samples of no particular kind."""

import keras
import numpy as np

from kerasgan.files import atomic, check_output
from kerasgan.media.base import OF_IMAGES, Media


@keras.saving.register_keras_serializable(package="kerasgan")
class Arrays(Media):
    """Float32 arrays of any shape and finite values; natural units are the model's own.

    What a `GAN` of your own networks makes until it is told a better kind.

    Args:
        shape: shape of one sample, without the batch axis.
    """

    extension = ".npy"
    extensions = (".npy",)

    @property
    def augmentations(self):
        return OF_IMAGES if len(self.shape) == 3 else ()  # which may well be images

    def save(self, samples, path, columns=None):
        """Writes the batch as a NumPy file. `columns` has no meaning here."""
        path = check_output(path, self.extensions)
        with atomic(path) as temporary:
            np.save(temporary, samples)
        return path
