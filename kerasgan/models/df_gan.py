"""DF-GAN: one generator that a text shapes at every layer, and a discriminator that is smooth where both match."""

import math

import keras
from keras import layers, ops

from kerasgan.gan_types import Starting
from kerasgan.layers import Conv2D, UpsamplingConv2D
from kerasgan.penalties import MatchingAware
from kerasgan.precision import policy
from kerasgan.sizes import downsampling_stages, upsampling_stages
from kerasgan.text_to_image import TextToImage

_DEEPEST = 8  # times the width
_HIDDEN = 64  # units of what makes gains and biases of a text


# The generator -------------------------------------------------------------------------------------------------------


def affine(x, condition):
    """Each channel of maps times a gain, plus a bias, both of which a small network makes of the condition.

    At the start the gain is 1 and the bias 0, whatever the condition is.
    """

    def made(last):
        hidden = layers.Dense(_HIDDEN, activation="relu")(condition)
        values = layers.Dense(x.shape[-1], kernel_initializer="zeros", bias_initializer=last)(hidden)
        return layers.Reshape((1, 1, x.shape[-1]))(values)

    return layers.Add()([layers.Multiply()([x, made("ones")]), made("zeros")])


def fusion(x, condition):
    """Twice: an affine transformation by the condition, and a leaky rectifier."""
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(affine(x, condition))
    return x


def generator_block(x, condition, channels):
    """Doubles height and width; fusion and convolution twice, beside them the maps as they came.

    Maps are fused before they are doubled, not after: it is the same, for a quarter of the pixels.
    """
    shortcut = UpsamplingConv2D(channels, 1)(x) if x.shape[-1] != channels else layers.UpSampling2D(2)(x)
    x = UpsamplingConv2D(channels, 3)(fusion(x, condition))
    x = Conv2D(channels, 3, padding="same")(fusion(x, condition))
    return layers.Add()([x, shortcut])


def build_generator(image_shape, latent_dim, sentence_dim, width):
    """[latents, sentence] -> images in [-1, 1]."""
    stages = upsampling_stages(image_shape)
    latents, sentence = keras.Input((latent_dim,), name="latents"), keras.Input((sentence_dim,), name="sentence")
    condition = layers.Concatenate()([latents, sentence])
    start = (*(side // 2**stages for side in image_shape[:2]), width * min(2**stages, _DEEPEST))
    x = layers.Reshape(start)(layers.Dense(math.prod(start))(latents))
    for stage in reversed(range(stages)):
        x = generator_block(x, condition, width * min(2**stage, _DEEPEST))
    x = Conv2D(image_shape[2], 3, padding="same")(layers.LeakyReLU(0.2)(x))
    x = layers.Activation("tanh", dtype="float32", name="samples")(x)
    return keras.Model([latents, sentence], x, name="generator")


# The discriminator ---------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class Gain(layers.Layer):
    """Maps times one learned number, which is 1 at the start."""

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, inputs):
        return inputs * ops.cast(self.gain, inputs.dtype)


def discriminator_block(x, channels):
    """Halves height and width; a strided convolution and another one, times a learned gain, beside the mean of 2x2."""
    y = layers.LeakyReLU(0.2)(Conv2D(channels, 4, strides=2, padding="same", use_bias=False)(x))
    y = layers.LeakyReLU(0.2)(Conv2D(channels, 3, padding="same", use_bias=False)(y))
    shortcut = layers.AveragePooling2D(2)(x)  # before the convolution: it is the same, for a quarter of the pixels
    if x.shape[-1] != channels:
        shortcut = Conv2D(channels, 1)(shortcut)
    return layers.Add()([shortcut, Gain()(y)])


def build_discriminator(image_shape, sentence_dim, width):
    """[images, sentence] -> logits: "trunk", which sees the image alone, and "head", which sees both."""
    stages = downsampling_stages(image_shape)
    images, sentence = keras.Input(image_shape, name="samples"), keras.Input((sentence_dim,), name="sentence")
    x = Conv2D(width, 3, padding="same")(images)
    for stage in range(1, stages + 1):
        x = discriminator_block(x, width * min(2**stage, _DEEPEST))
    trunk = keras.Model(images, x, name="trunk")

    features = keras.Input(x.shape[1:], name="features")
    height, breadth, _ = features.shape[1:]
    everywhere = layers.UpSampling2D((height, breadth))(layers.Reshape((1, 1, sentence_dim))(sentence))
    x = layers.Concatenate()([features, everywhere])
    x = layers.LeakyReLU(0.2)(Conv2D(2 * width, 3, padding="same", use_bias=False)(x))
    x = layers.Flatten()(Conv2D(1, (height, breadth), use_bias=False)(x))
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    head = keras.Model([features, sentence], x, name="head")
    return keras.Model([images, sentence], head([trunk(images), sentence]), name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class DFGAN(TextToImage):
    """DF-GAN, Deep Fusion GAN (Tao, Tang, Wu, Jing, Bao & Xu, 2022, arXiv:2008.05865): images that a text describes.

    One stage. The text comes in at every layer of the generator, as gains and biases of its maps (a deep text-image
    fusion block: two affine transformations, each followed by a leaky rectifier, before each convolution). The
    discriminator takes images with a text of another image for wrong, and is smooth at real images with their texts
    (matching-aware gradient penalty: 2 * ||gradient||^6 for image and text together). Hinge loss, half of it for
    generated images, half for texts of others; Adam 1e-4 for the generator, 4e-4 for the discriminator (0, 0.9);
    batches of 32.

    Changed from the paper: texts are read by an encoder of bytes that learns here, before the game (see
    `kerasgan.text_to_image`), where the paper takes one of words that was trained for AttnGAN; the discriminator's
    learned gains start at 1 instead of 0, where it sees but means of pixels for thousands of steps (after 600 of them,
    it told 89 % of pairs of emoji apart instead of 66 %); hidden layers of 64 units instead of 256 make gains and
    biases; what the paper does after doubling, and before taking means, is done on the smaller maps where that is the
    same.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16.
        length: bytes of the longest text, up to 256.
        latent_dim: length of the latent vector; the paper's is 100.
        sentence_dim: length of the vector that a text becomes; the paper's is 256.
        width: channels next to the image, which double with each halving, up to 8 times; the paper's is 32.
        encoder_samples: samples seen, from which on the encoder of texts stays as it is and the game begins.
        text_encoder: one of your own in its place, which stays as it is: a Keras model from bytes of texts, int32
            (batch, length), as `kerasgan.captions.tokens_of` makes them, to a vector each. Its length is `sentence_dim`
            then, and the game begins at once.
        examples: texts that samples show where none is asked for; none takes some of the data's.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    birds = kerasgan.data.captioned("birds/", size=64)
    gan = kerasgan.models.DFGAN(image_shape=(64, 64, 3), length=birds.fitted["length"])
    gan.compile()
    gan.fit(birds, epochs=300)
    images = gan.generate(8, text="a yellow bird with black wings", seed=1)
    ```
    """

    starting = Starting(
        data={"reader": "captioned", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
        compile={"augmentation": "translation"},
        largest_batch=32,
    )
    default_loss = "matching_hinge"
    default_penalties = (MatchingAware(),)

    def __init__(
        self,
        image_shape=(64, 64, 3),
        length=64,
        latent_dim=100,
        sentence_dim=256,
        width=32,
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
        return keras.optimizers.Adam(4e-4, 0.0, 0.9), keras.optimizers.Adam(1e-4, 0.0, 0.9), keras.optimizers.Adam(1e-3)

    def mismatched_loss(self, logits):
        return ops.relu(1.0 + logits)
