"""LAPGAN: a pyramid of GANs; the first makes small images, each of the others the details of the next size."""

import itertools
import math

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan.checks import number
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import Conv2D
from kerasgan.media import Image
from kerasgan.precision import policy

_SMALLEST = 8  # pixels of the coarsest images' shorter side, at most


def pyramid_shapes(image_shape):
    """Shapes of the images of each level, from the coarsest to the image itself: halved down to 8 pixels or fewer.

    Raises:
        ValueError: `image_shape` is not that of images whose sides can be halved at least once.
    """
    height, width, channels = Image(image_shape).shape
    shapes = [(height, width, channels)]
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > _SMALLEST:
        height, width = height // 2, width // 2
        shapes.insert(0, (height, width, channels))
    if len(shapes) < 2:
        raise ValueError(
            f"image_shape={tuple(image_shape)}: height and width must be even, above {_SMALLEST} (8 times a power of "
            "two is best)."
        )
    return shapes


@keras.saving.register_keras_serializable(package="kerasgan")
class Part(layers.Layer):
    """Vectors (batch, n) -> a part of each, from `start` on, in a shape: (batch, *shape)."""

    def __init__(self, start, shape, **kwargs):
        super().__init__(**kwargs)
        self.start, self.shape = start, tuple(shape)

    def call(self, inputs):
        part = inputs[:, self.start : self.start + math.prod(self.shape)]
        return ops.reshape(part, (-1, *self.shape))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {**super().get_config(), "start": self.start, "shape": list(self.shape)}


# The networks: one model a level, and the whole of them --------------------------------------------------------------


def with_class(x, shape, num_classes, labels):
    """`x`, and the class beside it as one more map (or, for a shape (n,), as n more numbers), learned for each."""
    normal = keras.initializers.RandomNormal(stddev=0.5)
    places = (*shape[:2], 1) if len(shape) == 3 else shape
    learned = layers.Embedding(num_classes, math.prod(places), embeddings_initializer=normal)(labels)
    return layers.Concatenate()([x, layers.Reshape(places)(learned)])


def class_input(num_classes):
    return [keras.Input((), dtype="int32", name="labels")] if num_classes else []


def coarsest_generator(shape, latent_dim, units, num_classes=None):
    """Latents (and labels) -> the smallest images, in [-1, 1], through two layers of rectified units."""
    latents, labels = keras.Input((latent_dim,), name="latents"), class_input(num_classes)
    x = with_class(latents, (latent_dim,), num_classes, *labels) if labels else latents
    for _ in range(2):
        x = layers.Dense(units, "relu", kernel_initializer="he_normal")(x)
    x = layers.Dense(math.prod(shape), "tanh", dtype="float32")(x)
    return keras.Model([latents, *labels], layers.Reshape(shape, dtype="float32")(x), name="level_0")


def details_generator(level, shape, width, num_classes=None):
    """Blurred images, noise (batch, height, width, 1) (and labels) -> sharp images: the blurred ones and details.

    Blurred are those of the level before, enlarged.
    """
    blurred, noise = keras.Input(shape, name="blurred"), keras.Input((*shape[:2], 1), name="noise")
    labels = class_input(num_classes)
    x = layers.Concatenate()([blurred, noise])
    x = with_class(x, shape, num_classes, *labels) if labels else x
    for _ in range(2):
        x = Conv2D(width, 7, padding="same", activation="relu", kernel_initializer="he_normal")(x)
    # From zero on, so that a level that has not learned yet adds nothing.
    x = Conv2D(shape[2], 5, padding="same", kernel_initializer="zeros", dtype="float32")(x)
    return keras.Model([blurred, noise, *labels], layers.Add(dtype="float32")([blurred, x]), name=f"level_{level}")


def build_generator(shapes, latent_dim, units, widths, num_classes=None):
    """Latents -> images, about [-1, 1]: the coarsest level, then one after the other the details of all sizes.

    A latent vector holds `latent_dim` numbers for the coarsest level, then one for each pixel of all others.

    Args:
        shapes: of the levels' images (`pyramid_shapes`).
        widths: of the levels but the first.
    """
    places = [shape[0] * shape[1] for shape in shapes[1:]]
    latents, labels = keras.Input((latent_dim + sum(places),), name="latents"), class_input(num_classes)
    first = Part(0, (latent_dim,), name="latents_0")(latents)
    images = coarsest_generator(shapes[0], latent_dim, units, num_classes)([first, *labels])
    enlarge = layers.UpSampling2D(interpolation="bilinear", dtype="float32", name="enlarge")
    for level, (shape, width) in enumerate(zip(shapes[1:], widths, strict=True), 1):
        noise = Part(latent_dim + sum(places[: level - 1]), (*shape[:2], 1), name=f"noise_{level}")(latents)
        images = details_generator(level, shape, width, num_classes)([enlarge(images), noise, *labels])
    return keras.Model([latents, *labels] if labels else latents, images, name="generator")


def coarsest_discriminator(shape, units, dropout, num_classes=None):
    """The smallest images (and labels) -> one logit, through two layers with dropout."""
    images, labels = keras.Input(shape, name="samples"), class_input(num_classes)
    x = layers.Flatten()(with_class(images, shape, num_classes, *labels) if labels else images)
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(layers.Dense(units, kernel_initializer="he_normal")(x))
        x = layers.Dropout(dropout)(x)
    return keras.Model([images, *labels], layers.Dense(1, dtype="float32")(x), name="level_0")


def details_discriminator(level, shape, width, dropout, num_classes=None):
    """Images of a level (and labels) -> one logit: a convolution, then one for each halving down to the coarsest."""
    images, labels = keras.Input(shape, name="samples"), class_input(num_classes)
    x = with_class(images, shape, num_classes, *labels) if labels else images
    x = layers.LeakyReLU(0.2)(Conv2D(width, 5, padding="same", kernel_initializer="he_normal")(x))
    for halving in range(level):
        x = Conv2D(width * 2**halving, 5, strides=2, padding="same", kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    return keras.Model([images, *labels], layers.Dense(1, dtype="float32")(x), name=f"level_{level}")


def build_discriminator(shapes, units, widths, dropout, num_classes=None):
    """Images (and labels) -> the logits of all levels, (batch, levels), of which each sees images of its size."""
    images, labels = keras.Input(shapes[-1], name="samples"), class_input(num_classes)
    halve = layers.AveragePooling2D(2, dtype="float32", name="halve")
    logits, x = [], images
    for level in reversed(range(1, len(shapes))):
        network = details_discriminator(level, shapes[level], widths[level - 1], dropout, num_classes)
        logits.insert(0, network([x, *labels]))
        x = halve(x)
    logits.insert(0, coarsest_discriminator(shapes[0], units, dropout, num_classes)([x, *labels]))
    logits = layers.Concatenate(dtype="float32", name="logits")(logits)
    return keras.Model([images, *labels] if labels else images, logits, name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class LAPGAN(GAN):
    """Laplacian pyramid of GANs (Denton et al., 2015, arXiv:1506.05751).

    An image is the sum of a blurred one, half its size enlarged, and of details. The first GAN makes the smallest
    images; each of the others, given blurred images, makes the details that turn them into images of twice the size,
    and its discriminator compares the sums. Levels learn one after the other, each from real images made small and
    blurred, which are its stage of the training; a sample goes through all of them. One latent vector holds what all
    levels start from: `latent_dim` numbers for the smallest image and one for each pixel of the details.

    The schedule counts samples: `level_samples` of each level, then the next one, with optimizers that begin anew. The
    last one learns for as long as the training goes on. Until then `generate` gives enlarged smaller images.

    As in the paper: perceptrons for images of 8 pixels, of `units` and in the discriminator half as many; convolutions
    of 7x7, 7x7 and 5x5 for details, with noise as one more colour; 5x5 in the discriminator, which sees the sum of
    blurred image and details; dropout before its logit; with `num_classes`, the class as one more map.

    Changed from the paper: the mean of 2x2 pixels makes images small, and linear interpolation enlarges them; the
    discriminator halves its maps as often as its level's images were, with twice the channels each time, so that it
    sees more than a few pixels (at the first level that is the paper's), and has leaky rectifiers; details start at
    zero; Adam 5e-4 (0, 0.99) in place of SGD with a growing momentum (with Adam's momentum of 0.5, the smallest images
    came to be all alike), and the non-saturating loss; a moving average of the generator for sampling.

    Args:
        image_shape: (height, width, channels); even sides above 8, best 8 times a power of two; 1, 3 or 4 channels.
        latent_dim: numbers in a latent vector for the smallest image.
        units: of the smallest images' generator, in each of two layers; its discriminator has half as many.
        width: channels of the convolutions for details, a number for all levels, or one for each but the first. Images
            of a level have four times the pixels of those before, so that the last one takes most of the time.
        dropout: share of the discriminators' units dropped.
        level_samples: samples seen of a level before the next one, a number for all, or one for each level but the
            last.
        latent: distribution of the latents, "uniform" or "normal".
        num_classes, seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.LAPGAN(image_shape=(64, 64, 3), level_samples=200_000)
    gan.compile()
    gan.fit(kerasgan.data.images("photos/", size=64), epochs=100)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3},
        model={"image_shape": (32, 32, 3)},
    )

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=100,
        units=1200,
        width=64,
        dropout=0.5,
        level_samples=100_000,
        latent="uniform",
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        shapes = pyramid_shapes(image_shape)
        self.stages = len(shapes)
        self.level_samples = for_levels("level_samples", level_samples, self.stages, but="last")
        widths = for_levels("width", width, self.stages, but="first")
        with policy(dtype, seed):
            super().__init__(
                build_generator(shapes, latent_dim, units, widths, num_classes),
                build_discriminator(shapes, max(1, units // 2), widths, dropout, num_classes),
                media=Image(image_shape),
                num_classes=num_classes,
                latent=latent,
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(5e-4, 0.0, 0.99), keras.optimizers.Adam(5e-4, 0.0, 0.99)

    # A stage of the training is a level

    def stage_at(self, samples_seen):
        return sum(samples_seen >= begin for begin in itertools.accumulate(self.level_samples))

    def on_stage(self):
        self.reset_optimizers()

    def variables_of(self, player):
        return self._level_of(player).trainable_variables

    def _level_of(self, player):
        return getattr(self, player).get_layer(f"level_{self.stage}")

    def unpack(self, data):
        """Real images in the size of the current level."""
        images, labels = super().unpack(data)
        return self._of_stage(images), labels

    def _of_stage(self, images):
        height = self.media.shape[0] >> (self.stages - 1 - self.stage)
        while images.shape[1] > height:
            images = tf.nn.avg_pool2d(images, 2, 2, "VALID")
        return images

    def sources_for(self, batch):
        """Latents; for details the real images, blurred, and noise as one more channel."""
        latents = super().sources_for(batch)
        if self.stage == 0:
            return latents
        noise = self.generator.get_layer(f"noise_{self.stage}")(latents)
        return tf.concat([self.blurred(batch.real), tf.cast(noise, tf.float32)], axis=-1)

    def blurred(self, images):
        """Images (batch, height, width, channels) made half as large and enlarged again: all but their details."""
        return self.generator.get_layer("enlarge")(tf.nn.avg_pool2d(images, 2, 2, "VALID"))

    def call_generator(self, sources, condition=None, training=True):
        """Images of the current level from what `sources_for` gives."""
        if self.stage == 0:
            inputs = [self.generator.get_layer("latents_0")(sources)]
        else:
            inputs = [sources[..., :-1], sources[..., -1:]]
        return self._level_of("generator")(inputs if condition is None else [*inputs, condition], training=training)

    def call_discriminator(self, samples, condition=None, training=True):
        """Logits of images of the current level; larger ones are made smaller."""
        inputs = [self._of_stage(samples)]
        return self._level_of("discriminator")(inputs if condition is None else [*inputs, condition], training=training)


def for_levels(name, given, levels, but):
    """Whole numbers for all `levels` but the "first" or the "last": one for each of them, or one that holds for all.

    Raises:
        ValueError: others were given, or more or fewer of them.
    """
    each = given if isinstance(given, (list, tuple)) else [given] * (levels - 1)
    if len(each) != levels - 1:
        raise ValueError(
            f"{name}={given!r}: expected one number, or {levels - 1} of them, one for each of the {levels} levels but "
            f"the {but}."
        )
    return [number(name, value, None, least=1, whole=True) for value in each]
