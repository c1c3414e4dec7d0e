"""The first GAN: two multilayer perceptrons."""

import math

import keras
from keras import layers

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import maxout
from kerasgan.media import Image
from kerasgan.precision import policy


def build_generator(image_shape, latent_dim, units):
    """Latents -> images in [-1, 1] through two layers of rectified units."""
    small = keras.initializers.RandomUniform(-0.05, 0.05)
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for _ in range(2):
        x = layers.Dense(units, activation="relu", kernel_initializer=small)(x)
    x = layers.Dense(math.prod(image_shape), kernel_initializer=small)(x)
    x = layers.Activation("tanh", dtype="float32")(layers.Reshape(image_shape)(x))
    return keras.Model(latents, x, name="generator")


def build_discriminator(image_shape, units, pieces, dropout):
    """Images -> one logit through two maxout layers with dropout."""
    images = keras.Input(image_shape, name="samples")
    x = layers.Flatten()(images)
    for _ in range(2):
        x = layers.Dropout(dropout)(maxout(x, units, pieces))
    x = layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(-0.05, 0.05))(x)
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(images, x, name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class VanillaGAN(GAN):
    """Generative adversarial network (Goodfellow et al., 2014, arXiv:1406.2661), on multilayer perceptrons.

    The generator has rectified units, the discriminator maxout units with dropout. The default loss is the
    non-saturating one that the paper advises in section 3 (the generator maximizes log D(G(z)));
    `compile(loss="minimax")` plays the game of its equation 1.

    Changed from the paper: the output is tanh on [-1, 1] instead of a sigmoid on [0, 1], the same function scaled;
    Adam 2e-4 with beta1 0.5 takes the place of momentum SGD, whose schedule the paper does not print; a moving
    average of the generator is kept for sampling.

    Args:
        image_shape: (height, width, channels), any size; small images only, for every pixel is a unit.
        latent_dim: length of the latent vector, uniform in [-1, 1].
        units: width of the generator's hidden layers.
        maxout_units: units of each hidden layer of the discriminator.
        pieces: linear maps for each maxout unit.
        dropout: share of the discriminator's hidden units dropped.
        seed, name, dtype: as in `GAN`.
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3},
        model={"image_shape": (32, 32, 3)},
    )

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=100,
        units=1200,
        maxout_units=240,
        pieces=5,
        dropout=0.5,
        seed=None,
        name=None,
        dtype=None,
    ):
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, units),
                build_discriminator(image_shape, maxout_units, pieces, dropout),
                media=Image(image_shape),
                latent="uniform",
                seed=seed,
                name=name,
                dtype=dtype,
            )
