"""A GAN of points in the plane, whose step is traced once a process, for tests of what goes on around the step."""

import keras
import numpy as np
from once import traced_once

import kerasgan

POINTS = np.random.default_rng(0).uniform(-1, 1, (160, 2)).astype("float32")


@traced_once
def small_gan(**options):
    """Options are those of `compile`."""
    keras.utils.set_random_seed(1)  # of the initial weights
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    gan = kerasgan.GAN(generator, discriminator, seed=0)
    gan.compile(**options)
    return gan
