"""What the networks of translators share: the discriminator of patches, and how maps are doubled.

The discriminator says of every part of an image whether it looks real.
"""

import keras
from keras import layers

from kerasgan.layers import BatchNormalization, Conv2D, Conv2DTranspose, InstanceNormalization, UpsamplingConv2D

NORMALIZATIONS = {"instance": InstanceNormalization, "batch": BatchNormalization}
DEEPEST = 8  # times the width: no layer has more channels
_LARGE = 128  # pixels of the shorter side from which patches are the paper's 70x70


def normal():
    return keras.initializers.RandomNormal(stddev=0.02)


def check_upsampling(upsampling):
    if upsampling not in ("transposed", "nearest"):
        raise ValueError(f'upsampling={upsampling!r}: expected "transposed" or "nearest".')


def doubled(x, filters, upsampling, use_bias=False):
    """Maps twice as high and wide: a transposed convolution, or a convolution of doubled pixels."""
    if upsampling == "transposed":
        layer = Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=use_bias, kernel_initializer=normal())
    else:
        layer = UpsamplingConv2D(filters, 3, use_bias=use_bias, kernel_initializer=normal())
    return layer(x)


def patch_logits(x, width, steps, normalization="instance"):
    """Maps -> (batch, rows, columns, 1): a logit for each patch of the image, whether it is real.

    `steps` convolutions of stride 2, then one of stride 1 and the last; a patch has 16, 34 or 70 pixels along an edge
    for 1, 2 or 3 of them.
    """
    for step in range(steps + 1):
        strides = 2 if step < steps else 1
        filters = width * min(2**step, DEEPEST)
        x = Conv2D(filters, 4, strides=strides, padding="same", use_bias=not step, kernel_initializer=normal())(x)
        x = NORMALIZATIONS[normalization]()(x) if step else x
        x = layers.LeakyReLU(0.2)(x)
    return Conv2D(1, 4, padding="same", kernel_initializer=normal())(x)


def default_patch_steps(image_shape):
    """The paper's 70x70 pixels for images of 128 pixels and more, 34x34 for smaller ones."""
    return 3 if min(image_shape[:2]) >= _LARGE else 2
