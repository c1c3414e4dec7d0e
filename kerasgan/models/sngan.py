"""SNGAN: a discriminator whose every layer is divided by its spectral norm, so that no penalty has to hold it back."""

import keras
from keras import layers

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import (
    BatchNormalization,
    ConditionalBatchNormalization,
    Conv2D,
    DownsamplingConv2D,
    SpectralNormalization,
    UpsamplingConv2D,
)
from kerasgan.media import Image
from kerasgan.precision import policy
from kerasgan.sizes import downsampling_stages, upsampling_stages

# What the authors' framework does where nothing is said; the papers print neither.
_NORM = {"momentum": 0.9, "epsilon": 2e-5}
_SMALL = 32  # pixels of the shorter side up to which the networks are those for CIFAR-10
_WIDEST = 16  # times the width: no layer has more channels


def glorot(gain=1.0):
    """Uniform in +-gain * sqrt(6 / (fan in + fan out)) (Glorot & Bengio, 2010)."""
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="uniform")


# How deep and how wide, from the shape of an image -------------------------------------------------------------------


def paper_width(image_shape):
    """Channels of the discriminator's first block in the paper: 128 for CIFAR-10, 64 for larger images."""
    return 128 if min(image_shape[:2]) <= _SMALL else 64


def generator_channels(image_shape, width):
    """Channels of the generator's first maps, then of each block; a block doubles height and width.

    (32, 32), width 128, as in table 4: [256, 256, 256, 256] from 4x4. (48, 48), width 64, as in table 5:
    [512, 256, 128, 64] from 6x6. (128, 128), width 64, as in table 6: [1024, 1024, 512, 256, 128, 64] from 4x4.

    Raises:
        ValueError: no such networks for this `image_shape`; see `kerasgan.sizes.upsampling_stages`.
    """
    stages = upsampling_stages(image_shape)
    if min(image_shape[:2]) == 3 * 2**stages:  # 48 pixels start from 6 in the paper, not from 3
        stages -= 1
    if min(image_shape[:2]) <= _SMALL:
        return [2 * width] * (stages + 1)
    return [width * min(2**stage, _WIDEST) for stage in reversed(range(stages + 1))]


def discriminator_channels(image_shape, width):
    """(channels, whether it halves height and width) of each block of the discriminator.

    Up to 32 pixels, as in table 4: two blocks that halve, two that do not, all alike. Above, as in tables 5 and 6: down
    to a shorter side of 4 or less with twice the channels each time, then one block that does not halve.

    Raises:
        ValueError: as `generator_channels`.
    """
    stages = downsampling_stages(image_shape)
    if min(image_shape[:2]) <= _SMALL:
        return [(width, True), (width, True), (width, False), (width, False)]
    return [(width * min(2**stage, _WIDEST), stage < stages) for stage in range(stages + 1)]


# The generator -------------------------------------------------------------------------------------------------------


def generator_block(x, channels, normalize):
    """Normalization, ReLU, doubling, convolution, normalization, ReLU, convolution; beside it doubling and 1x1."""
    shortcut = UpsamplingConv2D(channels, 1, kernel_initializer=glorot())(x)
    x = layers.ReLU()(normalize(x))
    x = UpsamplingConv2D(channels, 3, kernel_initializer=glorot(2**0.5))(x)
    x = layers.ReLU()(normalize(x))
    x = Conv2D(channels, 3, padding="same", kernel_initializer=glorot(2**0.5))(x)
    return layers.Add()([x, shortcut])


def build_generator(image_shape, latent_dim, width, num_classes=None):
    """Latents -> images in [-1, 1]: a dense layer, then one residual block a doubling.

    Classes choose gain and bias of every normalization but the last, and come in nowhere else.
    """
    first, *blocks = generator_channels(image_shape, width)
    start = [side // 2 ** len(blocks) for side in image_shape[:2]]
    latents = keras.Input((latent_dim,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels") if num_classes else None

    def normalize(x):
        if num_classes is None:
            return BatchNormalization(**_NORM)(x)
        different = keras.initializers.RandomNormal(1.0, 0.02)  # classes, from the start
        return ConditionalBatchNormalization(num_classes, gain_initializer=different, **_NORM)([x, labels])

    x = layers.Dense(start[0] * start[1] * first, kernel_initializer=glorot())(latents)
    x = layers.Reshape((*start, first))(x)
    for channels in blocks:
        x = generator_block(x, channels, normalize)
    x = layers.ReLU()(BatchNormalization(**_NORM)(x))
    x = Conv2D(image_shape[2], 3, padding="same", kernel_initializer=glorot())(x)
    x = layers.Activation("tanh", dtype="float32", name="samples")(x)
    return keras.Model([latents, labels] if num_classes else latents, x, name="generator")


# The discriminator ---------------------------------------------------------------------------------------------------


def convolution(channels, size, gain=1.0, down=False):
    """A convolution of spectral norm 1; `down`: after which the mean of 2x2 pixels is taken."""
    layer = DownsamplingConv2D if down else Conv2D
    return SpectralNormalization(layer(channels, size, padding="same", kernel_initializer=glorot(gain)))


def first_block(x, channels):
    """The discriminator's block for the image itself, which no ReLU may touch; it halves."""
    shortcut = convolution(channels, 1, down=True)(x)
    x = layers.ReLU()(convolution(channels, 3, gain=2**0.5)(x))
    x = convolution(channels, 3, gain=2**0.5, down=True)(x)
    return layers.Add()([x, shortcut])


def discriminator_block(x, channels, down):
    """ReLU, convolution, ReLU, convolution, halving if it goes `down`; beside it the maps as they came.

    Where size or number of the maps changes, a 1x1 convolution changes theirs.
    """
    incoming = x.shape[-1]
    shortcut = convolution(channels, 1, down=down)(x) if down or channels != incoming else x
    x = convolution(incoming, 3, gain=2**0.5)(layers.ReLU()(x))
    x = convolution(channels, 3, gain=2**0.5, down=down)(layers.ReLU()(x))
    return layers.Add()([x, shortcut])


def project(features, labels, num_classes):
    """Features (batch, n), classes (batch,) -> the part of the logit that depends on the class, (batch, 1).

    The inner product of the features with a vector of the class (Miyato & Koyama, 2018, section 3): what the logit is
    if the class's probability given the image, real and generated, is a softmax of the features.
    """
    vectors = layers.Embedding(num_classes, features.shape[-1], embeddings_initializer=glorot(), dtype="float32")
    return layers.Dot(axes=1, dtype="float32")([SpectralNormalization(vectors)(labels), features])


def build_discriminator(image_shape, width, num_classes=None):
    """Images -> one logit: residual blocks, the sum over all pixels, a dense layer, and the projection of the class."""
    (channels, _), *blocks = discriminator_channels(image_shape, width)
    images = keras.Input(image_shape, name="samples")
    x = first_block(images, channels)
    for channels, down in blocks:
        x = discriminator_block(x, channels, down)
    x = layers.ReLU()(x)
    pixels = x.shape[1] * x.shape[2]
    x = layers.GlobalAveragePooling2D(dtype="float32")(x)
    x = layers.Rescaling(pixels, dtype="float32", name="sum")(x)
    logits = SpectralNormalization(layers.Dense(1, kernel_initializer=glorot(), dtype="float32"))(x)
    inputs = images
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
        logits = layers.Add(dtype="float32")([logits, project(x, labels, num_classes)])
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(inputs, logits, name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class SNGAN(GAN):
    """Spectrally normalized GAN (Miyato et al., 2018, arXiv:1802.05957), with residual networks.

    A discriminator whose layers all have spectral norm 1 is Lipschitz everywhere, which a gradient penalty ensures only
    where it is taken. The weights are divided by their largest singular value, which one step of power iteration an
    update keeps track of, at little cost. Hinge loss, five discriminator updates a generator update,
    Adam 2e-4 (0, 0.9) for both, latents from N(0, 1). With `num_classes`, it is the conditional GAN of Miyato & Koyama
    (2018, arXiv:1802.05637): the discriminator projects its features onto a vector of the class, and the generator's
    batch normalization takes gain and bias of the class.

    For other image sizes than the paper's 32, 48 and 128, `generator_channels` and `discriminator_channels` say how the
    tables are continued; at 64 pixels, the generator's blocks have 512, 256, 128 and 64 channels.

    The authors let the learning rate fall to zero, for CIFAR-10 over 50,000 generator updates. How long that takes
    belongs to a training, not to the type: `compile(learning_rate="linear(2e-4, 0, 16000000)")` is theirs in samples
    seen (50,000 updates x 5 x a batch of 64).

    Changed from the paper: the generator is updated on as many fakes as the discriminator (the paper: on twice as
    many); a moving average of the generator for sampling; classes by projection at all sizes (the first paper's table 6
    concatenates them to the maps), with gains drawn from N(1, 0.02) instead of 1 for all, so that they differ at once.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16; 1, 3 or 4 channels.
        latent_dim: length of the latent vector.
        width: channels of the discriminator's first block. Up to 32 pixels all of its blocks have as many, and those of
            the generator twice as many. None takes the paper's: 128 up to 32 pixels, 64 above.
        num_classes, seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.SNGAN(image_shape=(32, 32, 3), num_classes=10)
    gan.compile()
    gan.fit(kerasgan.data.images("cifar10/", size=32, labels=True), epochs=320)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3},
        model={"image_shape": (32, 32, 3)},
    )
    default_loss = "hinge"
    default_discriminator_steps = 5

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=128,
        width=None,
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        channels = paper_width(image_shape) if width is None else width
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, channels, num_classes),
                build_discriminator(image_shape, channels, num_classes),
                media=Image(image_shape),
                num_classes=num_classes,
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(2e-4, 0.0, 0.9), keras.optimizers.Adam(2e-4, 0.0, 0.9)
