"""GAN-CLS: the first GAN that made images of texts, a DCGAN whose discriminator also judges whether both match."""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization, Conv2D, Conv2DTranspose
from kerasgan.precision import policy
from kerasgan.sizes import downsampling_stages, upsampling_stages
from kerasgan.text_to_image import TextToImage

_NORM = {"momentum": 0.9, "epsilon": 1e-5}
_PROJECTED = 128  # numbers that a sentence vector is brought to, in either network
_BETWEEN = 0.5  # where interpolated texts lie, the paper's beta


def _normal():
    return keras.initializers.RandomNormal(stddev=0.02)


def _projected(sentence):
    return layers.LeakyReLU(0.2)(layers.Dense(_PROJECTED, kernel_initializer=_normal())(sentence))


def build_generator(image_shape, latent_dim, sentence_dim, width):
    """[latents, sentence] -> images in [-1, 1]: a projection of both, then one transposed convolution a doubling."""
    stages = upsampling_stages(image_shape)
    latents, sentence = keras.Input((latent_dim,), name="latents"), keras.Input((sentence_dim,), name="sentence")
    x = layers.Concatenate()([latents, _projected(sentence)])
    start = (*(side // 2**stages for side in image_shape[:2]), width * 2 ** (stages - 1))
    x = layers.Dense(math.prod(start), use_bias=False, kernel_initializer=_normal())(x)
    x = layers.ReLU()(BatchNormalization(**_NORM)(layers.Reshape(start)(x)))
    for stage in reversed(range(stages - 1)):
        convolution = Conv2DTranspose(
            width * 2**stage, 4, strides=2, padding="same", use_bias=False, kernel_initializer=_normal()
        )
        x = layers.ReLU()(BatchNormalization(**_NORM)(convolution(x)))
    x = Conv2DTranspose(image_shape[2], 4, strides=2, padding="same", kernel_initializer=_normal())(x)
    x = layers.Activation("tanh", dtype="float32", name="samples")(x)
    return keras.Model([latents, sentence], x, name="generator")


def build_discriminator(image_shape, sentence_dim, width):
    """[images, sentence] -> logits: strided convolutions, then the text beside their maps at every place."""
    stages = downsampling_stages(image_shape)
    images, sentence = keras.Input(image_shape, name="samples"), keras.Input((sentence_dim,), name="sentence")
    x = images
    for stage in range(stages):
        x = Conv2D(width * 2**stage, 4, strides=2, padding="same", use_bias=stage == 0, kernel_initializer=_normal())(x)
        x = layers.LeakyReLU(0.2)(BatchNormalization(**_NORM)(x) if stage else x)
    trunk = keras.Model(images, x, name="trunk")

    features = keras.Input(x.shape[1:], name="features")
    height, breadth, channels = features.shape[1:]
    everywhere = layers.UpSampling2D((height, breadth))(layers.Reshape((1, 1, _PROJECTED))(_projected(sentence)))
    x = layers.Concatenate()([features, everywhere])
    x = Conv2D(channels, 1, use_bias=False, kernel_initializer=_normal())(x)
    x = layers.LeakyReLU(0.2)(BatchNormalization(**_NORM)(x))
    x = layers.Flatten()(Conv2D(1, (height, breadth), kernel_initializer=_normal())(x))
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    head = keras.Model([features, sentence], x, name="head")
    return keras.Model([images, sentence], head([trunk(images), sentence]), name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class GANCLS(TextToImage):
    """GAN-INT-CLS (Reed, Akata, Yan, Logeswaran, Schiele & Lee, 2016, arXiv:1605.05396): images that a text describes.

    A DCGAN. The generator has the text beside the latents, the discriminator at every place of its 4x4 maps. It takes
    images with a text of another image for wrong (CLS), with half the weight, the other half for generated images. The
    generator learns from texts between two, too, of which there is no image (INT, beta 0.5). Cross-entropy, batch
    normalization, Adam 2e-4 (0.5), batches of 64.

    Changed from the paper: texts are read by an encoder of bytes that learns here, before the game (see
    `kerasgan.text_to_image`), where the paper's was trained with classes of the images; the non-saturating loss; a
    moving average of the generator for samples.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16.
        length: bytes of the longest text, up to 256.
        latent_dim: length of the latent vector.
        sentence_dim: length of the vector that a text becomes; the paper's is 1024.
        width: channels next to the image, which double with each halving.
        encoder_samples: samples seen, from which on the encoder of texts stays as it is and the game begins.
        text_encoder: one of your own in its place, which stays as it is: a Keras model from bytes of texts, int32
            (batch, length), as `kerasgan.captions.tokens_of` makes them, to a vector each. Its length is `sentence_dim`
            then, and the game begins at once.
        examples: texts that samples show where none is asked for; none takes some of the data's.
        seed, name, dtype: as in `GAN`.
    """

    starting = Starting(
        data={"reader": "captioned", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    default_loss = "matching_non_saturating"
    default_weights = {"adversarial": 1.0, "interpolated": 1.0}

    def __init__(
        self,
        image_shape=(64, 64, 3),
        length=64,
        latent_dim=100,
        sentence_dim=256,
        width=64,
        encoder_samples=200_000,
        text_encoder=None,
        examples=(),
        seed=None,
        name=None,
        dtype=None,
    ):
        sentence_dim, encoder_samples = self.checked(length, sentence_dim, encoder_samples, text_encoder)
        with policy(dtype, seed):
            generator = build_generator(image_shape, latent_dim, sentence_dim, width)
            discriminator = build_discriminator(image_shape, sentence_dim, width)
        super().__init__(
            generator,
            discriminator,
            image_shape,
            length,
            sentence_dim,
            encoder_samples,
            text_encoder,
            examples,
            seed,
            name,
            dtype,
        )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(1e-3)

    def mismatched_loss(self, logits):
        return ops.softplus(logits)

    def generator_terms(self, batch):
        """What the discriminator says of images of texts half way between two of the batch."""
        between = _BETWEEN * batch.condition + (1.0 - _BETWEEN) * tf.roll(batch.condition, 1, axis=0)
        with keras.StatelessScope():
            fake = self.augment(self.call_generator(batch.sources, between))
            logits = self.call_discriminator(fake)
        return {"interpolated": tf.reduce_mean(self.adversarial_loss.generator(logits))}
