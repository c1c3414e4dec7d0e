"""Modulated convolution."""

import math

import keras
import tensorflow as tf

from kerasgan.layers.equalized_learning_rate import EqualizedLearningRate
from kerasgan.layers.reparametrization import call_with_kernel, kernel_of


@keras.saving.register_keras_serializable(package="kerasgan")
class ModulatedConv2D(keras.layers.Wrapper):
    """Runs a convolution with a kernel that styles scale, for each sample (Karras et al., 2020, arXiv:1912.04958).

    An affine map of a sample's style gives a scale s_i for each channel i of its maps. The kernel w_ijk is multiplied
    by s_i (modulation) and, for each channel j of the output, divided by its norm sqrt(sum over i, k of (s_i w_ijk)^2)
    (demodulation): inputs that are independent and of variance 1 become outputs of variance 1, whatever the style.

    The paper makes a kernel for each sample. A convolution is linear, so that the same comes of scaling the maps by s,
    one convolution with the kernel that all samples share, and scaling what it gives by one over the norms: nothing but
    a plain convolution and products, which converters and devices know, in any batch.

    Kernel and affine map have the equalized learning rate (`EqualizedLearningRate`); the kernel's initializer is
    replaced. The scales start around 1. They, and the norms, are computed in float32 under every dtype policy; the
    wrapped layer's decides about the convolution, and the wrapper's own `dtype` is ignored.

    Args:
        layer: `Conv2D`, or a convolution that resamples (`UpsamplingConv2D`), without an activation. A bias, of a layer
            that is not demodulated only, is added at the end.
        demodulate: False leaves the division out, as for the layer that makes colours.
        gain: factor of the result: sqrt(2) where (leaky) rectifiers follow, 1 for a linear layer.

    Inputs: [maps (batch, height, width, channels), styles (batch, n)]. Output: as of the layer.

    Raises:
        ValueError: the layer has no kernel, an activation, or a bias where it is demodulated.
    """

    def __init__(self, layer, demodulate=True, gain=1.0, **kwargs):
        if not hasattr(layer, "kernel_initializer"):
            raise ValueError(f"layer={layer!r} has no kernel; expected a convolution.")
        if layer.activation is not keras.activations.linear or (demodulate and layer.use_bias):
            raise ValueError(
                f"layer={layer!r} has an activation, or a bias before its outputs are divided by norms: give "
                "activation=None and use_bias=False, and layers of their own behind it."
            )
        # The wrapper reads the kernel in full precision, and leaves its inputs to the layer as they are.
        super().__init__(layer, **{**kwargs, "dtype": layer.variable_dtype, "autocast": False})
        self.demodulate, self.gain = bool(demodulate), float(gain)
        layer.kernel_initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, input_shape):
        maps, styles = input_shape
        affine = keras.layers.Dense(maps[-1], bias_initializer="ones", dtype="float32")
        self.affine = EqualizedLearningRate(affine, gain=1.0, name="affine")
        self.affine.build(styles)
        super().build(maps)

    def call(self, inputs):
        maps, styles = inputs
        scales = self.affine(styles)
        kernel = tf.convert_to_tensor(kernel_of(self.layer).value)
        kernel *= (1.0 if self.demodulate else self.gain) / math.sqrt(math.prod(kernel.shape[:-1]))
        outputs = call_with_kernel(self.layer, self._scaled(maps, scales), kernel)
        if not self.demodulate:
            return outputs
        squares = tf.matmul(tf.square(scales), tf.reduce_sum(tf.square(kernel), axis=(0, 1)))
        return self._scaled(outputs, self.gain * tf.math.rsqrt(squares + 1e-8))

    def _scaled(self, maps, scales):
        """Maps times a number for each sample and channel, as the layer computes."""
        dtype = self.layer.compute_dtype
        return tf.cast(maps, dtype) * tf.cast(scales, dtype)[:, None, None, :]

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "demodulate": self.demodulate, "gain": self.gain}
