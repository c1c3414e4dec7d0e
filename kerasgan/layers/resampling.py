"""Resampling of maps by two with the filters [1, 2, 1] and [1, 3, 3, 1], in both axes.

Each is one operation, which is what makes them fast: on a CPU, sums of shifted maps take two to three times as long.
"""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="kerasgan")
class BinomialUpsampling2D(keras.layers.Layer):
    """Doubles height and width by linear interpolation: the filter [1, 2, 1] / 2 over maps with zeros in between.

    Along each axis, sample i of the input is sample 2i of the output, and 2i + 1 is the mean of i and i + 1. The last
    sample is repeated beyond the edge, so that a constant map stays one.

    Input shape: (batch, height, width, channels). Output shape: (batch, 2 * height, 2 * width, channels).
    """

    def call(self, inputs):
        return _interpolate(inputs)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


@keras.saving.register_keras_serializable(package="kerasgan")
class BilinearUpsampling2D(keras.layers.Layer):
    """Doubles height and width of maps with few channels, such as images: the filter [1, 3, 3, 1] / 4.

    The same as `keras.layers.UpSampling2D(interpolation="bilinear")`, up to rounding: along each axis, output 2i is
    (x[i - 1] + 3 x[i]) / 4, and 2i + 1 is (3 x[i] + x[i + 1]) / 4, the edge's samples being repeated beyond it.
    As a transposed convolution it has gradients of all orders, also in XLA.

    Input shape: (batch, height, width, channels). Output shape: (batch, 2 * height, 2 * width, channels).
    """

    def call(self, inputs):
        line = np.array([1.0, 3.0, 3.0, 1.0]) / 4.0
        kernel = np.outer(line, line)[:, :, None, None] * np.eye(inputs.shape[-1])
        padded = tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        shape = keras.ops.shape(padded)  # sides that are not known are tensors
        larger = (shape[0], 2 * shape[1], 2 * shape[2], shape[3])
        outputs = tf.nn.conv2d_transpose(padded, tf.constant(kernel, padded.dtype), larger, strides=2)
        return outputs[:, 2:-2, 2:-2]

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable(package="kerasgan")
class BinomialDownsampling2D(keras.layers.Layer):
    """Halves height and width: every other sample after the filter [1, 2, 1] / 4, so that little is aliased.

    Along each axis, sample i of the output is (x[2i] + 2 x[2i + 1] + x[2i + 2]) / 4, with 0 beyond the edge, as in a
    convolution with "same" padding.

    Input shape: (batch, height, width, channels), height and width even. Output shape: (batch, height / 2, width / 2,
    channels).

    Raises:
        ValueError: a height or width that is odd or not known.
    """

    def build(self, input_shape):
        if any(side is None or side % 2 for side in input_shape[1:3]):
            raise ValueError(f"Maps of {input_shape[1:3]}: BinomialDownsampling2D takes an even height and width.")

    def call(self, inputs):
        line = np.array([1.0, 2.0, 1.0]) / 4.0
        kernel = np.tile(np.outer(line, line)[:, :, None, None], (1, 1, inputs.shape[-1], 1))
        # oneDNN has no fast gradient of it in bfloat16: that takes twenty times as long as in float32.
        maps = tf.cast(inputs, tf.float32) if inputs.dtype == tf.bfloat16 else inputs
        maps = tf.nn.depthwise_conv2d(maps, tf.constant(kernel, maps.dtype), (1, 2, 2, 1), "SAME")
        return tf.cast(maps, inputs.dtype)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height // 2, width // 2, channels)


# TensorFlow knows the gradient of its bilinear resize, but not that of this gradient. Both are linear, and each is the
# other's transpose.


@tf.custom_gradient
def _interpolate(maps):
    def gradient(upstream):
        return _interpolate_transposed(upstream, maps)

    size = (2 * maps.shape[1], 2 * maps.shape[2])
    # Without half-pixel centres, output 2i lies on input i: that is the filter.
    return tf.cast(tf.raw_ops.ResizeBilinear(images=maps, size=size), maps.dtype), gradient


def _interpolate_transposed(maps, like):
    """From maps of twice the size to such as `like`, of which shape and type matter only."""

    @tf.custom_gradient
    def run(maps):
        found = tf.raw_ops.ResizeBilinearGrad(grads=tf.cast(maps, tf.float32), original_image=like)
        return found, _interpolate

    return run(maps)
