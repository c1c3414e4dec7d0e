"""Noise that a generator adds to its maps."""

import keras
import tensorflow as tf

from kerasgan import distribution


@keras.saving.register_keras_serializable(package="kerasgan")
class NoiseInjection(keras.layers.Layer):
    """Adds noise to maps in training: N(0, 1), another number at each place, times a factor that is learned.

    The noise is the same for all channels of a place, the factor the same for all places and channels; it starts at 0.
    In inference nothing is added, which is the noise's mean: what a generator makes is then a function of its inputs
    alone, on every device that it is exported to.

    Args:
        seed: integer that the noise follows from; None takes Keras's.

    Input and output shape: (batch, height, width, channels).
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seeds = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="zeros", name="factor")

    def call(self, inputs, training=False):
        if not training:
            return inputs
        seed = tf.cast(self.seeds.next(), tf.int32)
        places = (*inputs.shape[1:3], 1)
        noise = distribution.own_rows(
            lambda count: tf.random.stateless_normal((count, *places), seed), tf.shape(inputs)[0]
        )
        return inputs + tf.cast(self.factor, inputs.dtype) * tf.cast(noise, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
