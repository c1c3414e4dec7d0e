"""CGAN: a GAN that is told the class of what it makes."""

import math

import keras
from keras import layers

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import maxout
from kerasgan.media import Image
from kerasgan.precision import policy


def build_generator(image_shape, latent_dim, num_classes, units, dropout):
    """Latents and classes -> images in [-1, 1]: each gets its own hidden layer, then they share one, of `units`."""
    latents = keras.Input((latent_dim,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    x = layers.Dense(math.ceil(units * 5 / 6), activation="relu")(latents)
    # An embedding is a dense layer on the one-hot class. A rectifier on it would only switch units off, for good.
    y = layers.Embedding(num_classes, 200, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.5))(labels)
    x = layers.Concatenate()([layers.Dropout(dropout)(x), layers.Dropout(dropout)(y)])
    x = layers.Dropout(dropout)(layers.Dense(units, activation="relu")(x))
    x = layers.Reshape(image_shape)(layers.Dense(math.prod(image_shape))(x))
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([latents, labels], x, name="generator")


def build_discriminator(image_shape, num_classes, units, dropout):
    """Images and classes -> one logit: a maxout layer for each, then a joint one."""
    images = keras.Input(image_shape, name="samples")
    labels = keras.Input((), dtype="int32", name="labels")
    x = maxout(layers.Flatten()(images), units=units, pieces=5)
    one_hot = layers.CategoryEncoding(num_classes, output_mode="one_hot")(labels)
    y = maxout(one_hot, units=50, pieces=5)
    x = layers.Concatenate()([layers.Dropout(dropout)(x), layers.Dropout(dropout)(y)])
    x = layers.Dropout(dropout)(maxout(x, units=units, pieces=4))
    x = layers.Dense(1)(x)
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model([images, labels], x, name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class CGAN(GAN):
    """Conditional GAN (Mirza & Osindero, 2014, arXiv:1411.1784), on multilayer perceptrons.

    Generator and discriminator are both given the class, mapped by a layer of its own before it joins the rest, with
    the paper's layer sizes for MNIST: 1000 rectified units for the latents and 200 units for the class, 1200 for both;
    maxout layers of 240x5 (image), 50x5 (class) and 240x4 (both).

    Changed from the paper: tanh on [-1, 1] instead of a sigmoid on [0, 1], the same function scaled; the
    non-saturating loss; the class's 200 units are linear (with a rectifier, all of them died within some hundred steps,
    and the classes with them); Adam 2e-4 with beta1 0.5 in place of momentum SGD with a decaying rate; no dropout in
    the generator by default (it blurs its moving average, from which samples are drawn).

    Args:
        image_shape: (height, width, channels), any size; small images only, for every pixel is a unit.
        num_classes: number of classes, at least 2.
        latent_dim: length of the latent vector, uniform in [-1, 1].
        units: of the generator's joint hidden layer; the one of the latents has five sixths of it.
        maxout_units: of the discriminator's layers for images and for both.
        dropout: share of the discriminator's hidden units dropped.
        generator_dropout: the same in the generator.
        seed, name, dtype: as in `GAN`.
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3, "labels": True},
        model={"image_shape": (32, 32, 3)},
    )

    def __init__(
        self,
        image_shape=(28, 28, 1),
        num_classes=10,
        latent_dim=100,
        units=1200,
        maxout_units=240,
        dropout=0.5,
        generator_dropout=0.0,
        seed=None,
        name=None,
        dtype=None,
    ):
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, num_classes, units, generator_dropout),
                build_discriminator(image_shape, num_classes, maxout_units, dropout),
                media=Image(image_shape),
                num_classes=num_classes,
                latent="uniform",
                seed=seed,
                name=name,
                dtype=dtype,
            )
