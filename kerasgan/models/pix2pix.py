"""pix2pix: an image from an image, learned from pairs; a U-Net against a discriminator of patches."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan.checks import is_whole
from kerasgan.gan_types import Starting
from kerasgan.layers import Conv2D
from kerasgan.media import Image
from kerasgan.patches import (
    DEEPEST,
    NORMALIZATIONS,
    check_upsampling,
    default_patch_steps,
    doubled,
    normal,
    patch_logits,
)
from kerasgan.precision import policy
from kerasgan.sizes import halvings
from kerasgan.translator import Translator

_NOISY = 8  # pixels of the shorter side of maps, up to which the decoder has dropout: its first three in the paper


def _check_choices(image_shape, depth, upsampling, normalization):
    """Raises a ValueError for networks that there are not."""
    most = halvings(image_shape)
    if depth is not None and not is_whole(depth, 2, most):
        raise ValueError(
            f"depth={depth!r}: images of {image_shape[0]}x{image_shape[1]} can be halved 2 to {most} times."
        )
    check_upsampling(upsampling)
    if normalization not in NORMALIZATIONS:
        raise ValueError(f'normalization={normalization!r}: expected "instance" or "batch".')


# The networks --------------------------------------------------------------------------------------------------------


def build_generator(
    source_shape,
    channels,
    width,
    dropout,
    max_width=None,
    depth=None,
    upsampling="transposed",
    normalization="instance",
    skip_image=False,
):
    """Images of A -> images of B in [-1, 1]: a U-Net.

    The encoder halves until one pixel is left, the decoder doubles, and each of its layers also gets the encoder's maps
    of the same size. Channels, from outside: width * (1, 2, 4, 8, 8, ...).
    """
    normalize = NORMALIZATIONS[normalization]
    depth = halvings(source_shape) if depth is None else depth
    widths = [min(width * min(2**level, DEEPEST), max_width or width * DEEPEST) for level in range(depth)]
    images = keras.Input(source_shape, name="images")
    x, skips = images, []
    for level, filters in enumerate(widths):
        x = layers.LeakyReLU(0.2)(x) if level else x
        plain = level in (0, depth - 1)  # a map of one pixel, normalized over itself, would be nothing
        x = Conv2D(filters, 4, strides=2, padding="same", use_bias=plain, kernel_initializer=normal())(x)
        x = x if plain else normalize()(x)
        skips.append(x)
    skips.pop()
    for filters, skip in zip(reversed(widths[:-1]), reversed(skips), strict=True):
        x = normalize()(doubled(layers.ReLU()(x), filters, upsampling))
        x = layers.Dropout(dropout)(x) if min(x.shape[1:3]) <= _NOISY and dropout else x
        x = layers.Concatenate()([x, skip])
    if skip_image:
        x = normalize()(doubled(layers.ReLU()(x), width, upsampling))
        x = layers.Concatenate()([layers.ReLU()(x), images])
        x = Conv2D(channels, 3, padding="same", kernel_initializer=normal())(x)
    else:
        x = doubled(layers.ReLU()(x), channels, upsampling, use_bias=True)
    x = layers.Activation("tanh", dtype="float32", name="translations")(x)
    return keras.Model(images, x, name="generator")


def build_discriminator(pair_shape, width, steps, normalization="instance"):
    """Pairs, one image on top of the other -> logits of patches."""
    pairs = keras.Input(pair_shape, name="samples")
    logits = patch_logits(pairs, width, steps, normalization)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(pairs, logits, name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class Pix2Pix(Translator):
    """pix2pix (Isola, Zhu, Zhou & Efros, 2017, arXiv:1611.07004).

    The generator sees an image of A and makes one of B; the discriminator sees both, and says of each patch of 70x70
    pixels whether it is real. The L1 distance to the true B (weight 100) takes care of what is where, the discriminator
    of how it looks in detail. Adam 2e-4 (0.5, 0.999), batches of one image.

    Noise comes from dropout alone, 0.5 in the decoder's first three layers. The paper keeps it when it translates, and
    observes that it changes little; `translate` and exported networks leave it out, so that the same image gives the
    same answer.

    Changed from the paper: instance normalization, which is what its batch normalization of single images comes to, so
    that larger batches mean the same; the discriminator's loss is not halved, which Adam would not notice; patches of
    34x34 for images of fewer than 128 pixels; a moving average of the generator for translating.

    Args:
        image_shape: (height, width, channels) of images of B; height and width multiples of 8, best powers of 2.
        source_channels: channels of images of A: 1, 3 or 4. None takes those of B.
        width: channels of the generator's outermost maps; inner ones have up to 8 times as many. The paper's: 64.
        discriminator_width: the same of the discriminator; None takes the generator's.
        max_width: no layer of the generator has more channels; None takes 8 times its width.
        depth: how often the generator halves; None goes down to a single pixel, as in the paper. Maps of 2x2 pixels,
            normalized over themselves, say little, so that small images do better with fewer.
        upsampling: "transposed" convolutions as in the paper, or "nearest", convolutions of doubled pixels, which know
            no checkerboards.
        patch_steps: strided convolutions of the discriminator: 3, 2 or 1 for patches of 70, 34 or 16 pixels. None
            chooses by the size of the images.
        dropout: rate of the dropout; 0 for none.
        normalization: "instance", or "batch" for large batches: it keeps how bright and how colourful an image is,
            which instances normalized by themselves forget, so that flat colours come out right.
        skip_image: whether the decoder ends with a convolution at full size of its maps and of the image of A itself.
            The paper's ends with the doubling, and knows nothing finer than every other pixel of A: too little where
            images are small.
        seed, name, dtype: as in `kerasgan.GAN`.

    Example:

    ```python
    gan = kerasgan.models.Pix2Pix(image_shape=(256, 256, 3))
    gan.compile()
    gan.fit(kerasgan.data.pairs("maps/", size=256, batch_size=1), epochs=200)
    maps = gan.translate(photographs)
    ```
    """

    starting = Starting(
        data={"reader": "pairs", "size": 256, "channels": 3},
        model={"image_shape": (256, 256, 3)},
    )
    paired = True
    default_batch_size = 1
    default_weights = {"adversarial": 1.0, "l1": 100.0}

    def __init__(
        self,
        image_shape=(256, 256, 3),
        source_channels=None,
        width=64,
        discriminator_width=None,
        max_width=None,
        depth=None,
        upsampling="transposed",
        patch_steps=None,
        dropout=0.5,
        normalization="instance",
        skip_image=False,
        seed=None,
        name=None,
        dtype=None,
    ):
        halvings(image_shape)
        source_shape = (*image_shape[:2], image_shape[2] if source_channels is None else source_channels)
        pair_shape = (*image_shape[:2], source_shape[2] + image_shape[2])
        steps = default_patch_steps(image_shape) if patch_steps is None else patch_steps
        if not is_whole(steps, 1, halvings(image_shape) - 1):
            raise ValueError(f"patch_steps={patch_steps!r}: expected a whole number from 1 on, fewer than halvings.")
        _check_choices(image_shape, depth, upsampling, normalization)
        halvings(source_shape, "source_channels, image_shape")
        with policy(dtype, seed):
            super().__init__(
                build_generator(
                    source_shape,
                    image_shape[2],
                    width,
                    dropout,
                    max_width,
                    depth,
                    upsampling,
                    normalization,
                    skip_image,
                ),
                build_discriminator(pair_shape, discriminator_width or width, steps, normalization),
                media=Image(image_shape),
                source_media=Image(source_shape),
                seed=seed,
                name=name,
                dtype=dtype,
            )

    def call_generator(self, sources, condition=None, training=True):
        """Images of A -> pairs of them and of what is made of them."""
        translated = self.generator(sources, training=training)
        return tf.concat([tf.cast(sources, translated.dtype), translated], axis=-1)

    def generator_terms(self, batch):
        """The mean absolute difference of the generated from the true image of B."""
        _, target = self.split(batch.real)
        _, translated = self.split(batch.fake)
        return {"l1": tf.reduce_mean(tf.abs(tf.cast(target, tf.float32) - tf.cast(translated, tf.float32)))}
