"""Equalized learning rate."""

import math

import keras
import tensorflow as tf

from kerasgan.layers.reparametrization import call_with_kernel, kernel_of


@keras.saving.register_keras_serializable(package="kerasgan")
class EqualizedLearningRate(keras.layers.Wrapper):
    """Runs a layer with its kernel times c = gain / sqrt(fan in) (Karras et al., 2018, arXiv:1710.10196, section 4.1).

    The kernel itself starts from N(0, 1), so that the product starts as He et al. (2015, arXiv:1502.01852) have it. An
    optimizer such as Adam moves all weights by as much, whatever their scale; with a scale of 1 for all kernels, all
    layers learn equally fast. The kernel's initializer is replaced; the bias stays as it is.

    The fan in of a layer is the number of inputs that one of its outputs is a sum of: all axes of the kernel but the
    last. c is a constant, which converters fold into the kernel. The product is computed in float32 under every dtype
    policy; the wrapper's own `dtype` is ignored, that of the wrapped layer decides about the computation.

    With a `multiplier` m, kernel and bias learn m times as fast, from the same start: both are multiplied by m, and the
    kernel starts from N(0, 1 / m^2) (Karras et al., 2019, arXiv:1812.04948, appendix C, for the mapping network).

    Args:
        layer: `Dense`, or a convolution that is not transposed.
        gain: sqrt(2) where (leaky) rectifiers follow, 1 for a linear layer.
        multiplier: of the learning rate, above 0.

    Raises:
        ValueError: a layer without a kernel.

    Example:

    ```python
    layer = EqualizedLearningRate(keras.layers.Conv2D(64, 3, padding="same", activation="leaky_relu"))
    ```
    """

    def __init__(self, layer, gain=2**0.5, multiplier=1.0, **kwargs):
        if not hasattr(layer, "kernel_initializer"):
            raise ValueError(f"layer={layer!r} has no kernel; expected Dense or a convolution.")
        # The wrapper reads the kernel in full precision, and leaves its inputs to the layer as they are.
        super().__init__(layer, **{**kwargs, "dtype": layer.variable_dtype, "autocast": False})
        self.gain, self.multiplier = float(gain), float(multiplier)
        layer.kernel_initializer = keras.initializers.RandomNormal(stddev=1.0 / self.multiplier)

    def call(self, inputs):
        kernel = kernel_of(self.layer)
        scale = self.gain / math.sqrt(math.prod(kernel.shape[:-1]))
        if self.multiplier == 1.0:
            return call_with_kernel(self.layer, inputs, scale * tf.convert_to_tensor(kernel.value))
        bias = self.multiplier * tf.convert_to_tensor(self.layer.bias.value) if self.layer.use_bias else None
        scaled = self.multiplier * scale * tf.convert_to_tensor(kernel.value)
        return call_with_kernel(self.layer, inputs, scaled, bias)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain, "multiplier": self.multiplier}
