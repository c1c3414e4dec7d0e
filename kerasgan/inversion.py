"""An encoder from samples to latents, which learns from what a generator makes, for `kerasgan.projection` to start at.

The generator shows it samples, of which it is to say the latents: a latent regressor (Donahue et al., 2016,
arXiv:1605.09782, section 4.2). What it says of a real picture is a guess, and the optimization goes on from there (Zhu
et al., 2016, arXiv:1609.03552, section 3.2).
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import weights
from kerasgan.bars import Bar
from kerasgan.checks import number
from kerasgan.precision import policy

_BATCH = 64
_RATE = 1e-3  # of Adam at the start; it falls to 0 as a cosine
_WIDTH, _DEEPEST = 24, 8


def build(gan):
    """Images in model range -> float32 (count, length of the codes that samples are made from), each of deviation 1."""
    images = x = keras.Input(gan.media.shape, name="samples")
    for stage in range(int(math.log2(max(1, min(gan.media.shape[:2]) // 4)))):  # down to 4 to 7 pixels
        x = layers.Conv2D(_WIDTH * min(2**stage, _DEEPEST), 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.95)(x))
    length = gan.codes(1, 0).values.shape[1]
    return keras.Model(images, layers.Dense(length, dtype="float32")(layers.Flatten()(x)), name="encoder")


def train(gan, samples=100_000, seed=0, progress=False):
    """The encoder of a generator, trained on samples of it.

    Args:
        gan: a `kerasgan.GAN` of images; it stays as it is.
        samples: how many it learns from, each once.
        seed: of weights and samples.
        progress: whether a bar is shown.

    Returns:
        (the encoder, a `keras.Model`; the share of the codes' variance that it explains in the last tenth of samples).

    Raises:
        ValueError: an argument is out of its range, or the GAN makes no images.
    """
    check(gan)
    samples = number("samples", samples, None, least=_BATCH, whole=True)
    with policy("float32", seed):
        network, steps = build(gan), math.ceil(samples / _BATCH)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, steps))
    optimizer.build(network.trainable_variables)
    codes = gan.codes(_BATCH, seed)
    decoder, (mean, deviation) = gan.decoder(codes.space), _measured(gan)

    @tf.function(autograph=False)
    def step(values, condition):
        images = tf.stop_gradient(tf.cast(decoder(values, condition), tf.float32))
        wanted = (values - mean) / deviation
        with tf.GradientTape() as tape:
            missed = tf.reduce_mean(tf.square(network(images, training=True) - wanted))
        optimizer.apply_gradients(
            zip(tape.gradient(missed, network.trainable_variables), network.trainable_variables, strict=True)
        )
        return missed

    missed = []
    with Bar("Training the encoder", steps * _BATCH, "samples", shown=progress) as bar:
        for done in range(steps):
            codes = gan.codes(_BATCH, seed + done)
            condition = None if codes.condition is None else tf.constant(codes.condition)
            missed.append(step(tf.constant(codes.values), condition))
            bar.update(_BATCH)
    return network, 1.0 - float(np.mean(missed[-math.ceil(steps / 10) :]))


def check(gan):
    """Raises a ValueError for what makes no images."""
    if gan.media.kind != "image":
        raise ValueError(f"{gan.name} makes {gan.media.plural}: an encoder is for images.")


def _measured(gan):
    """(mean, deviation) of the values of codes, float32 (length,): the same in training and afterwards."""
    values = gan.codes(1024, seed=0).values
    return values.mean(axis=0), values.std(axis=0) + 1e-6


def save(network, path):
    """Writes an encoder, in half precision. Returns the path; raises what `kerasgan.weights.save_half` raises."""
    return weights.save_half(network, path)


class Encoder:
    """What `train` made, for one GAN.

    Args:
        gan: a `kerasgan.GAN` of images.
        path: the file that `save` wrote.

    Raises:
        ValueError: the file is none, or was made for a GAN of another kind.
    """

    def __init__(self, gan, path):
        self._network = build(gan)
        weights.load_into(self._network, path)
        self._mean, self._deviation = _measured(gan)

    def guesses(self, images):
        """Values of codes for images in model range, float32 (count, length)."""
        return self._network(tf.constant(images), training=False).numpy() * self._deviation + self._mean
