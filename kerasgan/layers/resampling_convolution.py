"""Convolutions before which maps are doubled, or after which they are halved.

Doubling repeats every pixel; a convolution of the doubled map meets the same value again and again. Both steps together
are one transposed convolution of stride 2, whose kernel holds the sums of the values that meet the same pixel: 16
products for a pixel instead of 36, and no large map between. Convolving and taking the mean of 2x2 pixels is its
counterpart, a convolution of stride 2. (Karras et al., 2018, arXiv:1710.10196, do the same in the authors' code.)
"""

import itertools

import keras
import tensorflow as tf

from kerasgan.layers.strided_convolution import Conv2D

_SMALL = 8  # width of the smaller map up to which two steps are faster: making the kernel takes longest there


class _ResamplingConv2D(Conv2D):
    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, **{**kwargs, "padding": "same"})
        plain = self.strides == self.dilation_rate == (1, 1) and self.groups == 1
        if not (plain and self.data_format == "channels_last" and all(side % 2 for side in self.kernel_size)):
            raise ValueError(
                f"{type(self).__name__} was given kernel_size={kernel_size!r}, {kwargs}; expected a kernel of odd "
                'sides, and no strides, dilation_rate, groups or data_format but "channels_last".'
            )


@keras.saving.register_keras_serializable(package="kerasgan")
class UpsamplingConv2D(_ResamplingConv2D):
    """Doubles height and width by repeating every pixel, then convolves; in one operation where that is faster.

    The same as `keras.layers.UpSampling2D()` and `keras.layers.Conv2D(..., padding="same")`, up to rounding, and with
    the latter's weights.

    Args:
        filters: channels of the output.
        kernel_size: odd number, or two of them.
        kwargs: as in `keras.layers.Conv2D`.

    Input shape: (batch, height, width, channels). Output shape: (batch, 2 * height, 2 * width, filters).

    Raises:
        ValueError: a kernel of an even size, or strides, groups, dilation or another data format.
    """

    def convolution_op(self, inputs, kernel):
        kernel = tf.convert_to_tensor(kernel)
        if not _worthwhile(inputs.shape[2]):
            if self.kernel_size == (1, 1):  # the same in either order, with a quarter of the work in this one
                return _doubled(super().convolution_op(inputs, kernel))
            return super().convolution_op(_doubled(inputs), kernel)
        spread = tf.transpose(_spread(tf.reverse(kernel, [0, 1])), (0, 1, 3, 2))
        return keras.ops.conv_transpose(inputs, spread, strides=2, padding="same", data_format="channels_last")

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        return (batch, *(side and 2 * side for side in sides), self.filters)


@keras.saving.register_keras_serializable(package="kerasgan")
class DownsamplingConv2D(_ResamplingConv2D):
    """Convolves, then halves height and width by the mean of 2x2 pixels; in one operation where that is faster.

    The same as `keras.layers.Conv2D(..., padding="same")` and `keras.layers.AveragePooling2D(2, padding="same")`, up to
    rounding, and with the former's weights; an activation, if there is one, comes after both. Odd sides are rounded up.

    Args:
        filters: channels of the output.
        kernel_size: odd number, or two of them.
        kwargs: as in `keras.layers.Conv2D`.

    Input shape: (batch, height, width, channels). Output shape: (batch, height / 2, width / 2, filters).

    Raises:
        ValueError: a kernel of an even size, or strides, groups, dilation or another data format.
    """

    def convolution_op(self, inputs, kernel):
        kernel = tf.convert_to_tensor(kernel)
        height, width = inputs.shape[1:3]
        even = height is not None and width is not None and height % 2 == width % 2 == 0
        if not (even and _worthwhile(width // 2)):
            if self.kernel_size == (1, 1):  # the same in either order, with a quarter of the work in this one
                return super().convolution_op(_halved(inputs), kernel)
            return _halved(super().convolution_op(inputs, kernel))
        return tf.nn.conv2d(inputs, _spread(kernel) / 4, 2, "SAME")

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        return (batch, *(side and -(-side // 2) for side in sides), self.filters)


def _worthwhile(width):
    """Whether one operation is the faster way for a smaller map of a width."""
    return width is not None and width > _SMALL


def _doubled(maps):
    outputs = tf.repeat(tf.repeat(maps, 2, axis=1), 2, axis=2)
    return tf.ensure_shape(outputs, (maps.shape[0], *(side and 2 * side for side in maps.shape[1:3]), maps.shape[3]))


def _halved(maps):
    return tf.nn.avg_pool2d(maps, 2, 2, "SAME")


def _spread(kernel):
    """Kernel (a, b, c, d) -> (a + 1, b + 1, c, d): its sum with copies that lie one further down, right, or both.

    Of operations that do not make constants much larger, for converters leave larger ones to be computed on the phone.
    """
    for axis in (0, 1):
        taps = tf.unstack(kernel, axis=axis)
        between = [one + other for one, other in itertools.pairwise(taps)]
        kernel = tf.stack([taps[0], *between, taps[-1]], axis=axis)
    return kernel
