"""Pixelwise feature vector normalization."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasgan")
class PixelNormalization(keras.layers.Layer):
    """Divides every feature vector by its root mean square (Karras et al., 2018, arXiv:1710.10196, section 4.2).

    y = x / sqrt(mean(x^2) + epsilon), the mean taken over the last axis: for images one vector per pixel, for latents
    one per sample. There is nothing to train. Computed in float32 under every dtype policy.

    Args:
        epsilon: keeps the zero vector zero.

    Input and output shape: (batch, ..., channels).
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        y = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + self.epsilon)
        return ops.cast(y, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
