"""Encoders and decoders: from images or sounds to a few numbers, and back.

Networks as DCGAN's. Weights start as Keras starts them (Glorot), which suits any width: N(0, 0.02) makes narrow
networks forget what comes in.
"""

import math

import keras
from keras import layers

from kerasgan.layers import BatchNormalization, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose
from kerasgan.sizes import downsampling_stages, upsampling_stages

_NORM = {"momentum": 0.9, "epsilon": 1e-5}
_DEEPEST = 8  # times the width, which is that of the maps next to the sample
_SHORTEST = 16  # samples of a sound whose maps are not divided any more


def build_encoder(shape, outputs, width, normalization="batch", name="encoder", inputs="samples"):
    """Samples -> codes float32 (batch, outputs): one strided convolution a halving.

    Args:
        shape: of a sample: (height, width, channels) of images, (length, channels) of sounds.
        outputs: length of the code.
        width: channels next to the sample; they double with each halving, up to 8 times.
        normalization: "batch" (none on the first layer) or "none".
        name, inputs: of the network and its input.

    What is left of the sample before the last layer is the output of the layer "features".
    """
    stages = _quarterings(shape) if len(shape) == 2 else downsampling_stages(shape)
    samples = keras.Input(shape, name=inputs)
    x = samples
    for stage, filters in enumerate(_widths(width, stages)):
        normalized = normalization == "batch" and stage > 0
        x = _narrowed(x, filters, use_bias=not normalized)
        x = BatchNormalization(**_NORM)(x) if normalized else x
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Activation("linear", dtype="float32", name="features")(layers.Flatten()(x))
    x = layers.Dense(outputs, dtype="float32", name="code")(x)
    return keras.Model(samples, x, name=name)


def build_decoder(shape, inputs, width, name="decoder", input_name="latents"):
    """Codes (batch, inputs) -> samples in [-1, 1]: a projection, then one transposed convolution a doubling."""
    codes = keras.Input((inputs,), name=input_name)
    stages, factor = (_quarterings(shape), 4) if len(shape) == 2 else (upsampling_stages(shape), 2)
    *widths, widest = _widths(width, stages)
    start = (*(length // factor**stages for length in shape[:-1]), widest)
    x = layers.Dense(math.prod(start), use_bias=False)(codes)
    x = layers.ReLU()(BatchNormalization(**_NORM)(layers.Reshape(start)(x)))
    for filters in reversed(widths):
        x = layers.ReLU()(BatchNormalization(**_NORM)(_widened(x, filters, use_bias=False)))
    x = _widened(x, shape[-1], use_bias=True)
    x = layers.Activation("tanh", dtype="float32", name="decoded")(x)
    return keras.Model(codes, x, name=name)


def features_of(network):
    """The part of an encoder that ends with its features: samples -> (batch, features)."""
    return keras.Model(network.inputs[0], network.get_layer("features").output, name=f"features_of_{network.name}")


def _widths(width, stages):
    """Channels of each stage, from the sample inwards."""
    return [width * min(2**stage, _DEEPEST) for stage in range(stages)]


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


def _narrowed(x, filters, **options):
    if len(x.shape) == 3:
        return Conv1D(filters, 24, strides=4, padding="same", **options)(x)
    return Conv2D(filters, 4, strides=2, padding="same", **options)(x)


def _widened(x, filters, **options):
    if len(x.shape) == 3:
        return Conv1DTranspose(filters, 24, strides=4, padding="same", **options)(x)
    return Conv2DTranspose(filters, 4, strides=2, padding="same", **options)(x)
