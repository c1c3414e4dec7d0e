"""Maxout units."""

import keras
from keras import layers


def maxout(x, units, pieces):
    """The largest of `pieces` linear maps for each of `units` (Goodfellow et al., 2013, arXiv:1302.4389)."""
    small = keras.initializers.RandomUniform(-0.05, 0.05)
    x = layers.Dense(units * pieces, kernel_initializer=small)(x)
    x = layers.Reshape((units * pieces, 1))(x)
    return layers.Flatten()(layers.MaxPooling1D(pieces)(x))
