"""Grouped convolution, without the detour that Keras takes on CPUs.

Keras compiles every grouped convolution with XLA, since TensorFlow did not have it on CPUs once. By now oneDNN has it,
with gradients of first and second order, some hundred times as fast as XLA, which computes groups of few channels
without vectors. Where TensorFlow works without oneDNN, it knows the convolution but no gradient of it, and fails where
it fuses it with a bias: there gradients are computed a group at a time. That is so on Apple's processors; on others
without AVX-512 unless TF_ENABLE_ONEDNN_OPTS=1, and in 16 bits even then.
"""

import functools

import keras
import tensorflow as tf

from kerasgan.layers.strided_convolution import Conv2D


@keras.saving.register_keras_serializable(package="kerasgan")
class GroupedConv2D(Conv2D):
    """Keras's Conv2D for `groups` above 1: arguments, weights and results (up to rounding) are Keras's.

    Each group of output channels sees its group of input channels only (Xie et al., 2016, arXiv:1611.05431). Kernel
    shape: (height, width, input channels / groups, filters). `data_format` must be "channels_last".
    """

    def convolution_op(self, inputs, kernel):
        convolve = functools.partial(
            tf.nn.conv2d, strides=self.strides, padding=self.padding.upper(), dilations=self.dilation_rate
        )
        kernel = tf.convert_to_tensor(kernel)
        if _has_gradient(kernel.dtype):
            return convolve(inputs, kernel)
        return _with_gradient_by_group(convolve, self.groups)(inputs, kernel)


@functools.cache
def _has_gradient(dtype):
    """Whether TensorFlow has the gradient of a grouped convolution here; it says so only when asked for one."""
    with tf.init_scope():  # asked at once, also where a graph is traced
        one = tf.ones((1, 1, 1, 2), dtype)
        try:
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=(1, 1, 1, 2), filter=one, out_backprop=one, strides=(1, 1, 1, 1), padding="SAME"
            )
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            return False
    return True


def _with_gradient_by_group(convolve, groups):
    """`convolve(inputs, kernel)`, differentiable as often as one likes where TensorFlow's own gradient fails."""

    def apart(inputs, kernel):
        parts = zip(tf.split(inputs, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
        return tf.concat([convolve(*part) for part in parts], axis=-1)

    @tf.custom_gradient
    def run(inputs, kernel):
        def gradient(upstream):
            with tf.GradientTape() as tape:
                tape.watch([inputs, kernel])
                outputs = apart(inputs, kernel)  # in a graph, what the gradient does not need is never computed
            return tape.gradient(outputs, [inputs, kernel], upstream)

        return convolve(inputs, kernel), gradient

    return run
