"""DCGAN: the convolutional GAN whose guidelines most later image GANs start from."""

import keras
from keras import layers

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    MinibatchStandardDeviation,
    SpectralNormalization,
)
from kerasgan.media import Image
from kerasgan.precision import policy
from kerasgan.sizes import downsampling_stages, upsampling_stages

# PyTorch-style momentum 0.1 is Keras' 0.9.
_NORM = {"momentum": 0.9, "epsilon": 1e-5}


def build_generator(image_shape, latent_dim, width, kernel_size=4, num_classes=None, name="generator"):
    """Latents -> images in [-1, 1]: a projection, then one transposed convolution a doubling."""
    stages = upsampling_stages(image_shape)
    height, image_width, channels = image_shape
    start = (height // 2**stages, image_width // 2**stages, width * 2 ** (stages - 1))
    normal = keras.initializers.RandomNormal(stddev=0.02)
    like_data = keras.initializers.RandomUniform(-1.0, 1.0)  # classes as large as the latents they stand beside

    def normalize(x):
        x = BatchNormalization(gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02), **_NORM)(x)
        return layers.ReLU()(x)

    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate()(
            [x, layers.Embedding(num_classes, latent_dim, embeddings_initializer=like_data)(labels)]
        )
    x = layers.Dense(start[0] * start[1] * start[2], use_bias=False, kernel_initializer=normal)(x)
    x = normalize(layers.Reshape(start)(x))
    for stage in reversed(range(stages - 1)):
        x = Conv2DTranspose(
            width * 2**stage, kernel_size, strides=2, padding="same", use_bias=False, kernel_initializer=normal
        )(x)
        x = normalize(x)
    x = Conv2DTranspose(channels, kernel_size, strides=2, padding="same", kernel_initializer=normal)(x)
    x = layers.Activation("tanh", dtype="float32", name="samples")(x)
    return keras.Model(inputs, x, name=name)


def build_discriminator(
    image_shape,
    width,
    kernel_size=4,
    normalization="batch",
    minibatch_deviation=False,
    num_classes=None,
    name="discriminator",
):
    """Images -> one logit: one strided convolution a halving.

    Args:
        normalization: "batch" (none on the first layer, as in the paper), "spectral" (every layer) or "none".
        minibatch_deviation: adds the minibatch standard deviation and a 3x3 convolution before the logit.
    """
    stages = downsampling_stages(image_shape)
    normal = keras.initializers.RandomNormal(stddev=0.02)
    wrap = SpectralNormalization if normalization == "spectral" else lambda layer: layer

    images = keras.Input(image_shape, name="samples")
    inputs, x = images, images
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
        # The class as an extra map beside the colours, the concatenation of Mirza & Osindero for convolutions.
        like_data = keras.initializers.RandomUniform(-1.0, 1.0)
        plane = layers.Embedding(num_classes, image_shape[0] * image_shape[1], embeddings_initializer=like_data)(labels)
        x = layers.Concatenate()([x, layers.Reshape((*image_shape[:2], 1))(plane)])
    for stage in range(stages):
        normalized = normalization == "batch" and stage > 0
        convolution = Conv2D(
            width * 2**stage,
            kernel_size,
            strides=2,
            padding="same",
            use_bias=not normalized,
            kernel_initializer=normal,
        )
        x = wrap(convolution)(x)
        if normalized:
            x = BatchNormalization(gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02), **_NORM)(x)
        x = layers.LeakyReLU(0.2)(x)
    if minibatch_deviation:
        x = MinibatchStandardDeviation()(x)
        x = wrap(Conv2D(width * 2 ** (stages - 1), 3, padding="same", kernel_initializer=normal))(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    x = wrap(layers.Dense(1, kernel_initializer=normal))(x)
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name=name)


@keras.saving.register_keras_serializable(package="kerasgan")
class DCGAN(GAN):
    """Deep convolutional GAN (Radford, Metz & Chintala, 2015, arXiv:1511.06434).

    Strided convolutions instead of pooling, batch normalization in both networks (not at the generator's output nor
    the discriminator's input), ReLU in the generator, LeakyReLU 0.2 in the discriminator, weights from N(0, 0.02),
    latents uniform in [-1, 1], Adam 2e-4 with beta1 0.5.

    Changed from the paper: kernels of 4x4 instead of 5x5 by default (a kernel that the stride divides covers every
    pixel equally often, so there is no checkerboard), no L2 weight decay, a moving average of the generator for
    sampling, a number of stages that follows from the image's shape, and optional class labels.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16; 1, 3 or 4 channels.
        latent_dim: length of the latent vector.
        width: channels of the layer nearest to the image; they double with each halving. The paper's is 128.
        kernel_size: side of the convolutions' kernels.
        normalization: of the discriminator: "batch", "spectral" or "none".
        minibatch_deviation: shows the discriminator how much a batch varies (Karras et al., 2017, arXiv:1710.10196).
        latent: distribution of the latents, "uniform" or "normal".
        num_classes, seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.DCGAN(image_shape=(64, 64, 3))
    gan.compile()
    gan.fit(kerasgan.data.images("photos/", size=64), epochs=100)
    ```
    """

    # By the paper's values the discriminator wins from the first minute against some thousand pictures, and samples
    # stay blurred. Without batch normalization it does not, and a generator that is three times slower leaves it
    # something to teach. Batches of 16 give a CPU four times the updates in the same time.
    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={
            "image_shape": (64, 64, 3),
            "width": 48,
            "latent_dim": 128,
            "normalization": "none",
            "minibatch_deviation": True,
            "latent": "normal",
        },
        compile={
            "discriminator_optimizer": {
                "class_name": "Adam",
                "config": {"learning_rate": 6e-4, "beta_1": 0.0, "beta_2": 0.99},
            },
            "generator_optimizer": {
                "class_name": "Adam",
                "config": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.99},
            },
            "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.01, "interval": 16}}],
            "augmentation": "translation",
        },
        largest_batch=16,
    )
    discriminator_name = "discriminator"

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        width=64,
        kernel_size=4,
        normalization="batch",
        minibatch_deviation=False,
        latent="uniform",
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        if normalization not in ("batch", "spectral", "none"):
            raise ValueError(f'normalization={normalization!r}: expected "batch", "spectral" or "none".')
        with policy(dtype, seed):
            generator = build_generator(image_shape, latent_dim, width, kernel_size, num_classes)
            discriminator = build_discriminator(
                image_shape,
                width,
                kernel_size,
                normalization,
                minibatch_deviation,
                num_classes,
                self.discriminator_name,
            )
            super().__init__(
                generator,
                discriminator,
                media=Image(image_shape),
                num_classes=num_classes,
                latent=latent,
                seed=seed,
                name=name,
                dtype=dtype,
            )
