"""Grouped convolution, without the detour that Keras takes on CPUs.

Keras compiles every grouped convolution with XLA, since TensorFlow did not have it on CPUs once. It has by now, with
gradients of first and second order in all number formats, and it is some hundred times as fast as XLA's, which computes
groups of few channels without vectors or oneDNN.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="kerasgan")
class GroupedConv2D(keras.layers.Conv2D):
    """Keras's Conv2D for `groups` above 1: arguments, weights and results (up to rounding) are Keras's.

    Each group of output channels sees its group of input channels only (Xie et al., 2016, arXiv:1611.05431). Kernel
    shape: (height, width, input channels / groups, filters). `data_format` must be "channels_last".
    """

    def convolution_op(self, inputs, kernel):
        return tf.nn.conv2d(
            inputs, tf.convert_to_tensor(kernel), self.strides, self.padding.upper(), dilations=self.dilation_rate
        )
