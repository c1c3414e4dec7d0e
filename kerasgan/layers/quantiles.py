"""Quantiles: where a number stands among others that the layer knows."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.checks import is_whole


@keras.saving.register_keras_serializable(package="kerasgan")
class Quantiles(keras.layers.Layer):
    """The share of known numbers that are smaller: of a score among the scores of normal samples.

    What it knows is set by `learn`, and saved as its weights. Until then every share is 0.

    Args:
        count: how many numbers it keeps, evenly spaced quantiles of those that it is given.

    Input and output shape: (batch,).
    """

    def __init__(self, count=1000, **kwargs):
        if not is_whole(count, 1):
            raise ValueError(f"count={count!r}: expected a whole number of at least 1.")
        super().__init__(dtype="float32", **kwargs)
        self.count = count

    def build(self, input_shape):
        self.known = self.add_weight(shape=(self.count,), initializer="zeros", trainable=False, name="known")
        self.learned = self.add_weight(shape=(), initializer="zeros", trainable=False, name="learned")

    def learn(self, values):
        """Takes finite numbers (n,), at least one, as those to know."""
        shares = (np.arange(self.count) + 0.5) / self.count
        self.known.assign(np.quantile(np.asarray(values, "float64"), shares).astype("float32"))
        self.learned.assign(1.0)

    @property
    def has_learned(self):
        """Whether it knows any numbers; also asked for while a graph is traced."""
        with tf.init_scope():
            return bool(np.array(self.learned))

    def quantile(self, share):
        """The known number that this share of them does not exceed."""
        return float(np.quantile(np.array(self.known), share))

    def call(self, inputs):
        smaller = keras.ops.cast(keras.ops.expand_dims(inputs, -1) > self.known, "float32")
        return self.learned * keras.ops.mean(smaller, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.pop("dtype")
        return {**config, "count": self.count}
