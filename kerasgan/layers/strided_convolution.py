"""Strided convolutions whose kernels' gradient is a matrix product where maps are small.

oneDNN (3.x, as in TensorFlow 2.21) sums a kernel's gradient row of the map by row of the map. Rows of a few values
leave the bfloat16 units of a CPU all but idle: for DCGAN's deepest layer that gradient alone takes five times as long
as the forward pass. The same sum over the whole batch is one matrix product for each block of the kernel.

The gradient of a bias is wrong there: TensorFlow 2.21 sums it (BiasAddGrad, which Keras asks for) in bfloat16, where a
sum stands still once it is 256 times as large as what is added to it: at a few hundred pixels in a batch. The gradient
of a plain sum with the bias is right. Convolutions of one and of three dimensions differ from Keras's in that only.
"""

import keras
import tensorflow as tf

_SMALL = 8  # width of the smaller map up to which the matrix product wins


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv2D(keras.layers.Conv2D):
    """Keras's Conv2D, training faster on small maps in bfloat16 on CPUs, and right about the bias on large ones.

    Arguments, weights and results (up to rounding) are Keras's, and so is the computation of the kernel's gradient
    wherever the faster one does not apply: other formats and devices, large maps, kernels or maps that the stride does
    not divide.
    """

    def call(self, inputs):
        return _finished(self, self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs, kernel):
        kernel = tf.convert_to_tensor(kernel)
        sides = [side and side / self.strides[0] for side in inputs.shape[1:3]]
        if not (_regular(self, sides) and _worthwhile(inputs, kernel, sides[1])):
            return super().convolution_op(inputs, kernel)
        return _convolve(inputs, kernel, self.strides[0])


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's Conv2DTranspose, training faster and better in bfloat16 on CPUs; see `Conv2D`."""

    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.kernel)
        sides = inputs.shape[1:3]
        regular = self.output_padding is None and _regular(self, sides)
        if regular and _worthwhile(inputs, kernel, sides[1]):
            return _finished(self, _convolve_transposed(inputs, kernel, self.strides[0]))
        return _finished(self, _transposed(self, inputs, kernel))


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv1D(keras.layers.Conv1D):
    """Keras's Conv1D, right about the bias of long sequences in bfloat16."""

    def call(self, inputs):
        return _finished(self, self.convolution_op(inputs, self.kernel))


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv1DTranspose(keras.layers.Conv1DTranspose):
    """Keras's Conv1DTranspose, right about the bias of long sequences in bfloat16."""

    def call(self, inputs):
        return _finished(self, _transposed(self, inputs, self.kernel))


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv3D(keras.layers.Conv3D):
    """Keras's Conv3D, right about the bias of large volumes in bfloat16."""

    def call(self, inputs):
        return _finished(self, self.convolution_op(inputs, self.kernel))


@keras.saving.register_keras_serializable(package="kerasgan")
class Conv3DTranspose(keras.layers.Conv3DTranspose):
    """Keras's Conv3DTranspose, right about the bias of large volumes in bfloat16."""

    def call(self, inputs):
        return _finished(self, _transposed(self, inputs, self.kernel))


def _transposed(layer, inputs, kernel):
    """Keras's transposed convolution of a layer, without its bias."""
    return keras.ops.conv_transpose(
        inputs,
        kernel,
        strides=list(layer.strides),
        padding=layer.padding,
        output_padding=layer.output_padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )


def _finished(layer, outputs):
    """Outputs of a convolution with the layer's bias and activation."""
    if layer.use_bias:
        bias = tf.convert_to_tensor(layer.bias)
        outputs += bias if layer.data_format == "channels_last" else tf.reshape(bias, (-1, *[1] * layer.rank))
    return outputs if layer.activation is None else layer.activation(outputs)


def _regular(layer, sides):
    """Whether `_kernel_gradient` is right for a layer; `sides` (height, width) are those of the smaller map."""
    stride, size = layer.strides[0], layer.kernel_size[0]
    return (
        stride > 1
        and tuple(layer.strides) == (stride, stride)
        and tuple(layer.kernel_size) == (size, size)
        and tuple(layer.dilation_rate) == (1, 1)
        and getattr(layer, "groups", 1) == 1
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and size % stride == 0
        and all(side is not None and side == int(side) for side in sides)
    )


def _worthwhile(inputs, kernel, width):
    """Whether it is the faster way, too, for a smaller map of a width."""
    in_bfloat16 = inputs.dtype == kernel.dtype == tf.bfloat16
    return in_bfloat16 and width <= _SMALL and not tf.config.get_visible_devices("GPU")


def _convolve(wide, kernel, stride):
    """Maps (batch, s*h, s*w, a), kernel (k, k, a, b) -> maps (batch, h, w, b)."""

    @tf.custom_gradient
    def run(wide, kernel):
        def gradient(upstream):
            return _convolve_transposed(upstream, kernel, stride), _kernel_gradient(wide, upstream, kernel, stride)

        return tf.nn.conv2d(wide, kernel, stride, "SAME"), gradient

    return run(wide, kernel)


def _convolve_transposed(narrow, kernel, stride):
    """Maps (batch, h, w, b), kernel (k, k, a, b) -> maps (batch, s*h, s*w, a), the transpose of `_convolve`."""

    @tf.custom_gradient
    def run(narrow, kernel):
        def gradient(upstream):
            return _convolve(upstream, kernel, stride), _kernel_gradient(upstream, narrow, kernel, stride)

        batch, height, width = tf.shape(narrow)[0], narrow.shape[1], narrow.shape[2]
        shape = (batch, height * stride, width * stride, kernel.shape[2])
        return tf.nn.conv2d_transpose(narrow, kernel, shape, stride, "SAME"), gradient

    return run(narrow, kernel)


def _kernel_gradient(wide, narrow, kernel, stride):
    """Sum over batch and places of wide patch x narrow vector, in the kernel's shape (k, k, a, b); differentiable."""
    size, _, a, b = kernel.shape
    blocks = size // stride  # the kernel is blocks x blocks squares of stride x stride taps
    before = (size - stride) // 2
    pad = [before, size - stride - before]
    height, width = narrow.shape[1:3]
    squares = tf.nn.space_to_depth(tf.pad(wide, [[0, 0], pad, pad, [0, 0]]), stride)
    narrow = tf.reshape(narrow, (-1, b))
    rows = []
    for i in range(blocks):
        row = []
        for j in range(blocks):
            patch = tf.reshape(squares[:, i : i + height, j : j + width], (-1, stride * stride * a))
            row.append(tf.reshape(tf.matmul(patch, narrow, transpose_a=True), (stride, stride, a, b)))
        rows.append(tf.concat(row, axis=1))
    return tf.concat(rows, axis=0)
