"""3D-GAN: a GAN that makes solid objects, as the cells of a cube that they occupy."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization, Conv3D, Conv3DTranspose
from kerasgan.media import Volume
from kerasgan.penalties import GradientPenalty
from kerasgan.precision import policy

START = 4  # cells along an edge that the first layer of the generator makes
GAMES = ("wgan_gp", "original")
MOST_RIGHT = 0.8  # of its answers, with which the original game's discriminator still learns

_CONVOLUTION = {"kernel_size": 4, "strides": 2, "padding": "same"}
_NORM = {"momentum": 0.9, "epsilon": 1e-5}


def doublings(size):
    """How often the generator doubles the edge of its volumes: 64 has the paper's four, from 4 on.

    Raises:
        ValueError: `size` is no power of two, or below 8.
    """
    times = size.bit_length() - START.bit_length() if isinstance(size, int) else 0
    if times < 1 or size != START * 2**times:
        raise ValueError(
            f"size={size!r}: 3D-GAN makes cubes of 8, 16, 32, 64 or 128 cells along an edge. Read the data with such a "
            "size: smaller objects stand in the middle, larger ones are shrunk."
        )
    return times


def build_generator(size, latent_dim, width, num_classes=None):
    """Latents -> volumes in [-1, 1]: a projection to 4x4x4 cells, then one transposed convolution a doubling."""
    times = doublings(size)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        like_latents = keras.initializers.RandomUniform(-1.0, 1.0)
        x = layers.Concatenate()(
            [x, layers.Embedding(num_classes, latent_dim, embeddings_initializer=like_latents)(labels)]
        )
    widest = width * 2 ** (times - 1)
    x = layers.Reshape((START, START, START, widest))(layers.Dense(START**3 * widest, use_bias=False)(x))
    for layer in range(1, times):
        x = layers.ReLU()(BatchNormalization(**_NORM)(x))
        x = Conv3DTranspose(widest // 2**layer, use_bias=False, **_CONVOLUTION)(x)
    x = layers.ReLU()(BatchNormalization(**_NORM)(x))
    x = Conv3DTranspose(1, **_CONVOLUTION)(x)
    x = layers.Activation("tanh", dtype="float32", name="volumes")(x)
    return keras.Model(inputs, x, name="generator")


def build_discriminator(size, width, normalized=False, num_classes=None):
    """Volumes -> one logit: strided convolutions, the generator's in reverse.

    Args:
        normalized: whether the convolutions but the first have batch normalization.
    """
    volumes = keras.Input((size, size, size, 1), name="samples")
    x = volumes
    for layer in range(doublings(size)):
        normalizes = normalized and layer > 0
        x = Conv3D(width * 2**layer, use_bias=not normalizes, **_CONVOLUTION)(x)
        x = BatchNormalization(**_NORM)(x) if normalizes else x
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    inputs, logits = volumes, layers.Dense(1)(x)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [volumes, labels]
        logits = layers.Add()([logits, layers.Dot(axes=1)([x, layers.Embedding(num_classes, x.shape[1])(labels)])])
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(inputs, logits, name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN3D(GAN):
    """3D-GAN (Wu, Zhang, Xue, Freeman & Tenenbaum, 2016, arXiv:1610.07584): solid objects of occupied cells.

    A DCGAN of volumes: transposed convolutions of 4x4x4 cells that double each edge, with batch normalization and ReLU,
    from 4x4x4 cells on; a discriminator that mirrors it, with LeakyReLU 0.2; 200 latents.

    `game="wgan_gp"`, the default, plays the game of 3D-IWGAN (Smith & Meger, 2017, arXiv:1707.09557) on these networks:
    a critic without batch normalization, a gradient penalty of weight 10, five critic updates a generator update, Adam
    1e-4 (0.5, 0.9), latents from a normal distribution. It is the default since the paper's own game, of which no
    training code was released, ends for most who try it in full blocks or in one and the same object.

    `game="original"` plays that one: a classifier's loss (cross-entropy), Adam with beta1 0.5 at 0.0025 for the
    generator and at 1e-5 for the discriminator, which has batch normalization, too, and learns from a batch only if it
    is right about at most 80 % of it. It trains on one device.

    Changed from the paper: cubes of 8 to 128 cells besides those of 64, with as many layers as that takes, the last
    ones of the paper's; tanh in the place of a sigmoid, the same function scaled, so that empty is -1; optional class
    labels; a moving average of the generator for sampling. Batches are as large as the data suggest instead of 100 (256
    in 3D-IWGAN). In the original game the generator maximizes log D(G(z)), as since the first GAN, where the paper's
    equation has it minimize log(1 - D(G(z))); latents are uniform in [-1, 1] instead of [0, 1].

    Neither paper has classes here. With `num_classes`, the generator gets an embedding of the class beside the latents
    (Mirza & Osindero, 2014, arXiv:1411.1784), and the discriminator judges by projection (Miyato & Koyama, 2018,
    arXiv:1802.05637).

    (On CPUs, a transposed convolution trains three times as fast as nearest upsampling before a convolution of 3x3x3:
    each new cell is a sum over 8 cells instead of 27.)

    Args:
        size: cells along each edge: 8, 16, 32, 64 or 128.
        latent_dim: length of the latent vector.
        width: channels of the layer nearest to the volume; they double with each halving. The paper's is 64.
        game: "wgan_gp" or "original".
        num_classes, seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.GAN3D(size=16)
    gan.compile()
    gan.fit(kerasgan.data.volumes("robots/", size=16, flip=True), epochs=1000)
    gan.media.save(gan.generate(1), "robot.glb")
    ```
    """

    starting = Starting(
        data={"reader": "volumes", "size": 16},
        model={"size": 16, "width": 32},
        largest_batch=32,
    )
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_discriminator_steps = 5

    def __init__(
        self,
        size=16,
        latent_dim=200,
        width=64,
        game="wgan_gp",
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        if game not in GAMES:
            raise ValueError(f"game={game!r}: expected one of {', '.join(map(repr, GAMES))}.")
        original = game == "original"
        with policy(dtype, seed):
            super().__init__(
                build_generator(size, latent_dim, width, num_classes),
                build_discriminator(size, width, original, num_classes),
                media=Volume(size),
                num_classes=num_classes,
                latent="uniform" if original else "normal",
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.game = game
        if original:
            self.default_loss, self.default_penalties, self.default_discriminator_steps = "non_saturating", (), 1
            self.default_optimizers = original_optimizers
            self.right = self.add_weight(shape=(), initializer="zeros", trainable=False, name="right")
            self.counters.append(self.right)

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4, 0.5, 0.9), keras.optimizers.Adam(1e-4, 0.5, 0.9)

    # The original game's discriminator -------------------------------------------------------------------------------

    def track_discriminator(self, loss, real_logits, fake_logits):
        """Keeps the share of the batch about which the discriminator was right, too."""
        super().track_discriminator(loss, real_logits, fake_logits)
        if self.game == "original":
            answers = tf.concat([real_logits > 0, fake_logits < 0], axis=0)
            self.right.assign(tf.reduce_mean(tf.cast(answers, tf.float32)))

    def apply_gradients(self, player, gradients):
        """One step of a player's optimizer; none of a discriminator that is right too often."""
        if player != "discriminator" or self.game != "original":
            return super().apply_gradients(player, gradients)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise ValueError(
                "game='original' trains on one device: whether its discriminator learns is decided by the whole batch. "
                "Train on one, or with game='wgan_gp'."
            )

        def learn():
            super(GAN3D, self).apply_gradients(player, gradients)
            return tf.constant(True)

        return tf.cond(self.right <= MOST_RIGHT, learn, lambda: tf.constant(False))


def original_optimizers():
    """The paper's optimizers: a generator that learns 250 times as fast as the discriminator."""
    return keras.optimizers.Adam(1e-5, 0.5), keras.optimizers.Adam(2.5e-3, 0.5)
