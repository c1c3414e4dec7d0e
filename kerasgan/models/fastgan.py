"""FastGAN: a light generator whose small maps gate its large ones, and a discriminator that can redraw what it sees."""

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization, Conv2D, NoiseInjection, SpectralNormalization, UpsamplingConv2D
from kerasgan.media import Image
from kerasgan.precision import policy
from kerasgan.sizes import stage_widths

_NORM = {"momentum": 0.9, "epsilon": 1e-5}
_GATES, _GATED_DOUBLINGS = 4, 4  # of the paper: 4x4 maps gate those of 64x64, 8x8 of 128x128, up to 32x32 of 512x512
_RESIDUAL_HALVINGS = 5  # of the discriminator; what halves larger images is one convolution
_DECODER_DOUBLINGS = 4  # at most: to images of 128x128


def normal(mean=0.0):
    """N(mean, 0.02); a new one for each kernel, since Keras gives equal shapes equal numbers from one."""
    return keras.initializers.RandomNormal(mean, 0.02)


def convolution(channels, size, layer=Conv2D, **options):
    """A convolution of spectral norm 1, without bias."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": normal(), **options}
    return SpectralNormalization(layer(channels, size, **options))


def normalized(x):
    return BatchNormalization(gamma_initializer=normal(1.0), **_NORM)(x)


def gated(x):
    """Batch normalization, then a gated linear unit: half of the channels times the sigmoid of the others."""
    return ops.glu(normalized(x))


def leaky(x):
    return layers.LeakyReLU(0.2)(x)


# The generator -------------------------------------------------------------------------------------------------------


def upsampling_block(x, channels):
    """Maps of twice the height and width: nearest neighbours, convolution, gated linear unit."""
    return gated(convolution(2 * channels, 3, UpsamplingConv2D)(x))


def noisy_upsampling_block(x, channels):
    """The same with a second convolution, and noise after both."""
    x = gated(NoiseInjection()(convolution(2 * channels, 3, UpsamplingConv2D)(x)))
    return gated(NoiseInjection()(convolution(2 * channels, 3)(x)))


def excited(large, small, places):
    """Skip-layer excitation: each channel of large maps times a gate in (0, 1) that is made of small maps.

    Args:
        large, small: maps (batch, height, width, channels).
        places: (height, width) that the small maps are averaged to.
    """
    channels, factor = large.shape[-1], small.shape[1] // places[0]
    x = layers.AveragePooling2D(factor)(small) if factor > 1 else small
    x = layers.LeakyReLU(0.1)(convolution(channels, places, padding="valid")(x))
    gates = layers.Activation("sigmoid")(convolution(channels, 1)(x))
    return layers.Multiply()([large, gates])


def build_generator(image_shape, latent_dim, widths):
    """Latents -> images in [-1, 1]: a dense layer, one block a doubling, skip-layer excitation from small to large.

    Args:
        widths: channels of the maps from the image's size to the smallest (`kerasgan.sizes.stage_widths`).
    """
    stages = len(widths) - 1
    start = tuple(side // 2**stages for side in image_shape[:2])
    skipped = min(_GATED_DOUBLINGS, stages - 1)
    latents = keras.Input((latent_dim,), name="latents")
    units = 2 * widths[-1] * start[0] * start[1]
    x = SpectralNormalization(layers.Dense(units, use_bias=False, kernel_initializer=normal()))(latents)
    maps = [gated(layers.Reshape((*start, 2 * widths[-1]))(x))]
    for stage in range(1, stages + 1):
        block = noisy_upsampling_block if stage % 2 else upsampling_block
        x = block(maps[-1], widths[stages - stage])
        if 0 <= stage - skipped < _GATES:
            x = excited(x, maps[stage - skipped], start)
        maps.append(x)
    x = convolution(image_shape[2], 3)(maps[-1])
    return keras.Model(latents, layers.Activation("tanh", dtype="float32", name="samples")(x), name="generator")


# The discriminator: an encoder, and the decoders that it is trained with --------------------------------------------


def downsampling_block(x, channels):
    """Maps of half the height and width: the mean of a path of two convolutions and one of average pooling."""
    deep = leaky(normalized(convolution(channels, 4, strides=2)(x)))
    deep = leaky(normalized(convolution(channels, 3)(deep)))
    direct = convolution(channels, 1)(layers.AveragePooling2D(2)(x))
    return layers.Average()([deep, leaky(normalized(direct))])


def build_encoder(image_shape, widths):
    """Images -> (map of logits, last maps but one, last maps); the last are twice as large as the generator's first."""
    halvings = len(widths) - 2
    plain = max(0, halvings - _RESIDUAL_HALVINGS)
    images = keras.Input(image_shape, name="samples")
    x = images if plain else leaky(convolution(widths[0], 3)(images))
    maps = [x]
    for halving, channels in enumerate(widths[1:-1]):
        x = leaky(convolution(channels, 4, strides=2)(x)) if halving < plain else downsampling_block(x, channels)
        maps.append(x)
    x = leaky(normalized(convolution(x.shape[-1], 1)(x)))
    logits = convolution(1, 4, padding="valid")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(images, [logits, *maps[-2:]], name="encoder")


def build_decoder(maps_shape, doublings, width, channels, name):
    """Maps of the encoder -> images in [-1, 1], doubled a few times."""
    maps = keras.Input(maps_shape, name="maps")
    x = maps
    for doubling in reversed(range(doublings)):
        x = upsampling_block(x, width * 2**doubling)
    images = layers.Activation("tanh", dtype="float32", name="images")(convolution(channels, 3)(x))
    return keras.Model(maps, images, name=name)


def build_discriminator(image_shape, widths):
    """Images -> [map of logits, the images made small again, their upper left quarters again].

    The whole is decoded from the encoder's last maps, a quarter (half of height and width) from that of the maps
    before; `FastGAN` takes one at random.
    """
    images = keras.Input(image_shape, name="samples")
    logits, middle, last = build_encoder(image_shape, widths)(images)
    height, width, _ = last.shape[1:]
    doublings = min(len(widths) - 3, _DECODER_DOUBLINGS)
    decoded = []
    for name, maps in (("whole", last), ("quarter", layers.Cropping2D(((0, height), (0, width)))(middle))):
        decoder = build_decoder(maps.shape[1:], doublings, widths[0], image_shape[2], name)
        decoded.append(decoder(maps))
    return keras.Model(images, [logits, *decoded], name="discriminator")


def quarters(maps, corner):
    """Half of the height and width of maps (batch, height, width, channels), from a corner (row, column) on.

    By a shift: a slice from a place that is not known beforehand has no gradient in XLA.
    """
    height, width = maps.shape[1:3]
    return tf.roll(maps, -corner, (1, 2))[:, : height // 2, : width // 2]


def distance(decoded, images):
    """Mean absolute difference of decoded images and larger ones, float32 in [0, 2] for images in [-1, 1]."""
    factors = [large // small for large, small in zip(images.shape[1:3], decoded.shape[1:3], strict=True)]
    small = tf.nn.avg_pool2d(tf.stop_gradient(tf.cast(images, tf.float32)), factors, factors, "VALID")
    return tf.reduce_mean(tf.abs(decoded - small))


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class FastGAN(GAN):
    """FastGAN (Liu, Zhu, Song & Elgammal, 2021, arXiv:2101.04775): for some hundred pictures and short trainings.

    The generator has one or two convolutions a size, each with batch normalization and a gated linear unit. Skip-layer
    excitation lets small maps gate the channels of maps 16 times their size: 4x4 those of 64x64, 8x8 those of 128x128,
    and so on (average pooling to 4x4, a 4x4 convolution, LeakyReLU 0.1, a 1x1 convolution, sigmoid).

    The discriminator is an encoder that has to keep what is in the pictures. From its last maps (8x8 for images of
    powers of two) a small decoder draws the real image again, small, and from a random piece of the maps before (16x16)
    another one draws that piece of the image. How far they are off is the part `reconstruction` of the discriminator's
    loss; of generated images nothing is reconstructed. Its logits are a map, one for each large patch.

    Hinge loss, spectral normalization of all layers, batches of 8, Adam 2e-4 (0.5, 0.999), DiffAugment's color and
    translation, a moving average of 0.999 an update.

    What the paper leaves open is as in the authors' program: noise, and a second convolution, in every other block from
    the first one on; channels; kernels of the discriminator's blocks.

    Changed from the paper: decoders are held to the pixels (mean absolute difference), not to LPIPS, whose pass through
    a recognizing network takes longer on a CPU than the discriminator's. A piece is a quarter of the image, as in the
    program (the paper says an eighth of height and width, which at 64 pixels shows next to nothing), and decoded images
    have half the image's size, at most 128 pixels. Images of 64 pixels have no maps 16 times as large as 8x8: there, as
    for all images below 128, excitation spans one doubling less than the generator has (4x4 to 32x32, 8x8 to 64x64).
    Noise is added in training only (`kerasgan.layers.NoiseInjection`): samples are a function of their latents, also
    where they are exported to; the program draws it anew for each sample. The first layer is dense, which is the same
    as its transposed convolution of one pixel. What else is in the program (margins of the hinge loss drawn from
    [0.8, 1], a second, smaller output of the generator with a discriminator of its own) is not in the paper, nor here.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, at least 16, best 4 times a power of 2;
            1, 3 or 4 channels.
        latent_dim: length of the latent vector.
        width: channels at the image's size, of both networks. The authors': 64 for 128 pixels, 32 for 256.
        max_width: they double with each halving of the maps, up to this. The authors': 1024.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.FastGAN(image_shape=(64, 64, 3))
    gan.compile()
    gan.fit(kerasgan.data.images("photos/", size=64), epochs=1000)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    default_batch_size = 8
    default_loss = "hinge"
    default_augmentation = "color,translation"
    default_ema_half_life = 5_540  # samples: 0.999 an update of 8
    default_weights_of_others = {"discriminator": {"reconstruction": 1.0}}

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=256,
        width=32,
        max_width=256,
        seed=None,
        name=None,
        dtype=None,
    ):
        widths = stage_widths(image_shape, width, max_width)
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, widths),
                build_discriminator(image_shape, widths),
                media=Image(image_shape),
                seed=seed,
                name=name,
                dtype=dtype,
            )

    def call_discriminator(self, samples, condition=None, training=True):
        """Map of logits (batch, height, width, 1) of images in model range; nothing is decoded."""
        return self.discriminator.get_layer("encoder")(samples, training=training)[0]

    def judge_real(self, batch):
        """Logits of real images, and how far the decoders are off."""
        logits, middle, last = self.discriminator.get_layer("encoder")(batch.real, training=True)
        places = tf.constant([side + 1.0 for side in last.shape[1:3]])
        corner = tf.cast(places * tf.random.stateless_uniform((2,), self.shared_seed()), tf.int32)
        whole = self.discriminator.get_layer("whole")(last, training=True)
        quarter = self.discriminator.get_layer("quarter")(quarters(middle, corner), training=True)
        scale = batch.real.shape[1] // middle.shape[1]
        error = distance(whole, batch.real) + distance(quarter, quarters(batch.real, scale * corner))
        return logits, {"reconstruction": error}
