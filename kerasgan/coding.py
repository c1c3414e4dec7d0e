"""Encoders and decoders: from images, sounds or rows of tables to a few numbers, and back.

Networks as DCGAN's. Weights start as Keras starts them (Glorot), which suits any width: N(0, 0.02) makes narrow
networks forget what comes in.
"""

import math

import keras
from keras import layers

from kerasgan.layers import (
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    SpectralNormalization,
)
from kerasgan.sizes import downsampling_stages, upsampling_stages

_NORM = {"momentum": 0.9, "epsilon": 1e-5}
_DEEPEST = 8  # times the width, which is that of the maps next to the sample
_DENSE = 2  # hidden layers for rows, of 4 and 2 times the width
_SHORTEST = 16  # samples of a sound whose maps are not divided any more


def build_encoder(shape, outputs, width, normalization="batch", name="encoder", inputs="samples"):
    """Samples -> codes float32 (batch, outputs): one strided convolution a halving, two dense layers for rows.

    Args:
        shape: of a sample: (height, width, channels) of images, (length, channels) of sounds, (numbers,) of rows.
        outputs: length of the code.
        width: channels next to the sample; they double with each halving, up to 8 times.
        normalization: "batch" (none on the first layer), "spectral" (every layer) or "none".
        name, inputs: of the network and its input.

    What is left of the sample before the last layer is the output of the layer "features".
    """
    samples = keras.Input(shape, name=inputs)
    wrap = SpectralNormalization if normalization == "spectral" else lambda layer: layer
    x = samples
    for stage, filters in enumerate(_widths(shape, width, _halvings(shape))):
        normalized = normalization == "batch" and stage > 0
        x = wrap(_narrowing(shape, filters, use_bias=not normalized))(x)
        x = BatchNormalization(**_NORM)(x) if normalized else x
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Activation("linear", dtype="float32", name="features")(layers.Flatten()(x))
    x = wrap(layers.Dense(outputs, dtype="float32", name="code"))(x)
    return keras.Model(samples, x, name=name)


def build_decoder(shape, inputs, width, name="decoder", input_name="latents"):
    """Codes (batch, inputs) -> samples in [-1, 1]: a projection, then one transposed convolution a doubling."""
    codes = keras.Input((inputs,), name=input_name)
    stages = upsampling_stages(shape) if len(shape) == 3 else _halvings(shape)
    *widths, widest = _widths(shape, width, stages)
    factor = {1: 1, 2: 4, 3: 2}[len(shape)] ** stages
    start = (*(length // factor for length in shape[:-1]), widest)
    x = layers.Dense(math.prod(start), use_bias=False)(codes)
    x = layers.ReLU()(BatchNormalization(**_NORM)(layers.Reshape(start)(x)))
    for filters in reversed(widths):
        x = layers.ReLU()(BatchNormalization(**_NORM)(_widening(shape, filters, use_bias=False)(x)))
    x = _widening(shape, shape[-1], use_bias=True)(x)
    x = layers.Activation("tanh", dtype="float32", name="decoded")(x)
    return keras.Model(codes, x, name=name)


def features_of(network):
    """The part of an encoder that ends with its features: samples -> (batch, features)."""
    return keras.Model(network.inputs[0], network.get_layer("features").output, name=f"features_of_{network.name}")


def _widths(shape, width, stages):
    """Channels of each stage, from the sample inwards; of rows, which have no neighbours, ever fewer."""
    if len(shape) == 1:
        return [width * 2 ** (stages - stage) for stage in range(stages)]
    return [width * min(2**stage, _DEEPEST) for stage in range(stages)]


def _halvings(shape):
    """How often a sample, or a pair of them, channel by channel, is narrowed."""
    if len(shape) == 3:
        return downsampling_stages((*shape[:2], 1))
    return _DENSE if len(shape) == 1 else _quarterings(shape)


def _quarterings(shape):
    """How often a sound is cut to a quarter: down to 16 samples or fewer.

    Raises:
        ValueError: it has no such length.
    """
    length = shape[0]
    times = math.ceil(math.log(max(length, 1) / _SHORTEST, 4))
    if times < 1 or length % 4**times:
        raise ValueError(f"length={length!r}: expected a multiple of 4, 16, 64, ... such as 1024, 8192 or 16384.")
    return times


def _narrowing(shape, filters, **options):
    """The layer that halves images, quarters sounds, or weighs the numbers of rows."""
    if len(shape) == 1:
        return layers.Dense(filters, **options)
    if len(shape) == 2:
        return Conv1D(filters, 24, strides=4, padding="same", **options)
    return Conv2D(filters, 4, strides=2, padding="same", **options)


def _widening(shape, filters, **options):
    """The layer that undoes it."""
    if len(shape) == 1:
        return layers.Dense(filters, **options)
    if len(shape) == 2:
        return Conv1DTranspose(filters, 24, strides=4, padding="same", **options)
    return Conv2DTranspose(filters, 4, strides=2, padding="same", **options)
