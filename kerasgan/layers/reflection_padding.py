"""Padding that continues an image as in a mirror."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasgan")
class ReflectionPadding2D(keras.layers.Layer):
    """Continues maps (batch, height, width, channels) at their edges as in a mirror that stands on the last pixel.

    Zeros at the edges, instead, are a frame that a network sees and draws.

    Args:
        padding: pixels on each side, fewer than the maps have.
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def build(self, input_shape):
        if len(input_shape) != 4 or any(side is not None and side <= self.padding for side in input_shape[1:3]):
            raise ValueError(f"maps of shape {tuple(input_shape)} cannot be mirrored {self.padding} pixels far.")

    def call(self, inputs):
        sides = [self.padding, self.padding]
        return ops.pad(inputs, [[0, 0], sides, sides, [0, 0]], mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (side and side + 2 * self.padding for side in (height, width))
        return batch, *sides, channels

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}
