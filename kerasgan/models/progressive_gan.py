"""ProgressiveGAN: both networks grow with the training, from 4x4 pixels to the size of the images."""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan.checks import number
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import (
    Conv2D,
    DownsamplingConv2D,
    EqualizedLearningRate,
    MinibatchStandardDeviation,
    PixelNormalization,
    UpsamplingConv2D,
)
from kerasgan.media import Image
from kerasgan.penalties import Drift, GradientPenalty
from kerasgan.precision import in_float32, policy
from kerasgan.sizes import stage_widths


@keras.saving.register_keras_serializable(package="kerasgan")
class Fade(layers.Layer):
    """[new, old] -> alpha * new + (1 - alpha) * old: how far a new resolution has taken the old one's place.

    alpha, 0 at first, is a weight that no optimizer changes: the training sets it.
    """

    def build(self, input_shape):
        self.alpha = self.add_weight(
            shape=(), initializer="zeros", dtype="float32", trainable=False, autocast=False, name="alpha"
        )

    def call(self, inputs):
        new, old = inputs
        alpha = ops.convert_to_tensor(self.alpha)
        return ops.cast(alpha, new.dtype) * new + ops.cast(1.0 - alpha, old.dtype) * old

    def compute_output_shape(self, input_shape):
        return input_shape[0]


# The networks --------------------------------------------------------------------------------------------------------
#
# Levels count resolutions, from 0, the smallest. A network is a dictionary of layers, of which `synthesize` and `judge`
# take those of some levels: of all for the network that is saved and exported, up to the current one for a training
# step.


def level_widths(image_shape, width, max_width):
    """Channels of each level, from the smallest maps to those of the image's size: doubled downwards to `max_width`.

    Raises:
        ValueError: there are no such networks for this `image_shape`; see `kerasgan.sizes.upsampling_stages`.
    """
    return stage_widths(image_shape, width, max_width)[::-1]


def convolution(channels, kind=Conv2D, size=3, gain=2**0.5, name=None, **kwargs):
    """A convolution with equalized learning rate, LeakyReLU 0.2 behind it unless it is given another activation."""
    layer = kind(channels, size, padding="same", **{"activation": "leaky_relu", **kwargs})
    return EqualizedLearningRate(layer, gain, name=name)


def generator_layers(image_shape, widths):
    """The generator's layers by their names."""
    height, width, channels = image_shape
    start = (height >> len(widths) - 1, width >> len(widths) - 1, widths[0])
    made = [
        PixelNormalization(name="normalize"),
        # The paper's 4x4 convolution of a padded 1x1 map, whose fan in counts 16 places of which one is not padding.
        EqualizedLearningRate(layers.Dense(math.prod(start), activation="leaky_relu"), 2**0.5 / 4, name="start"),
        layers.Reshape(start, name="maps"),
        convolution(widths[0], name="conv_0"),
        layers.UpSampling2D(dtype="float32", name="double"),
    ]
    for level, width in enumerate(widths):
        if level:
            made.append(convolution(width, UpsamplingConv2D, name=f"up_{level}"))
            made.append(convolution(width, name=f"conv_{level}"))
            made.append(Fade(dtype="float32", name=f"fade_{level}"))
        made.append(convolution(channels, size=1, gain=1, activation=None, dtype="float32", name=f"to_rgb_{level}"))
    return {layer.name: layer for layer in made}


def synthesize(layer, latents, last, first=0):
    """Images of level `last` from latents.

    Args:
        layer: function from names to the layers of `generator_layers`.
        latents: (batch, latent_dim).
        first: the lowest level whose images fade into the result: 0 for all, `last` for none but its own.
    """
    normalize = layer("normalize")
    x = normalize(layer("maps")(layer("start")(normalize(latents))))
    x = normalize(layer("conv_0")(x))
    images = layer("to_rgb_0")(x) if first == 0 else None
    for level in range(1, last + 1):
        x = normalize(layer(f"up_{level}")(x))
        x = normalize(layer(f"conv_{level}")(x))
        if level >= first:
            new = layer(f"to_rgb_{level}")(x)
            images = new if level == first else layer(f"fade_{level}")([new, layer("double")(images)])
    return images


def build_generator(image_shape, latent_dim, widths):
    """Latents -> images, about [-1, 1]; while the levels' weights alpha are 0, the smallest images, enlarged."""
    made = generator_layers(image_shape, widths)
    latents = keras.Input((latent_dim,), name="latents")
    return keras.Model(latents, synthesize(made.__getitem__, latents, len(widths) - 1), name="generator")


def discriminator_layers(widths):
    """The discriminator's layers by their names, which mirror the generator's."""
    made = [
        layers.AveragePooling2D(2, name="halve"),
        MinibatchStandardDeviation(name="deviation"),
        convolution(widths[0], name="conv_0"),
        layers.Flatten(name="flat"),
        EqualizedLearningRate(layers.Dense(widths[0], activation="leaky_relu"), name="dense"),
        # In float32 whatever the policy: the loss takes differences of logits.
        EqualizedLearningRate(layers.Dense(1, dtype="float32"), gain=1, name="logits"),
    ]
    for level, width in enumerate(widths):
        made.append(convolution(width, size=1, name=f"from_rgb_{level}"))
        if level:
            made.append(convolution(width, name=f"conv_{level}"))
            made.append(convolution(widths[level - 1], DownsamplingConv2D, name=f"down_{level}"))
            made.append(Fade(name=f"fade_{level}"))
    return {layer.name: layer for layer in made}


def judge(layer, images, last, first=0):
    """Logits (batch, 1) of images of level `last`; arguments mirror those of `synthesize`."""
    x = layer(f"from_rgb_{last}")(images)
    for level in reversed(range(1, last + 1)):
        x = layer(f"down_{level}")(layer(f"conv_{level}")(x))
        if level > first:
            images = layer("halve")(images)
            x = layer(f"fade_{level}")([x, layer(f"from_rgb_{level - 1}")(images)])
    x = layer("conv_0")(layer("deviation")(x))
    return layer("logits")(layer("dense")(layer("flat")(x)))


def build_discriminator(image_shape, widths):
    """Images -> one logit; while the levels' weights alpha are 0, it looks at the images made as small as can be."""
    made = discriminator_layers(widths)
    images = keras.Input(image_shape, name="samples")
    return keras.Model(images, judge(made.__getitem__, images, len(widths) - 1), name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class ProgressiveGAN(GAN):
    """Progressive growing of GANs (Karras et al., 2018, arXiv:1710.10196).

    Both networks begin at the smallest images, 4x4 of 64x64, and grow by a level whenever they have seen enough: first
    what large images look like, then the details. A new level fades in: the generator's image is a mixture of the new
    level's and the enlarged one of the level before, and so is what the discriminator makes of it, and the real image
    is mixed with itself enlarged from half its size. Both optimizers begin anew at a new level. A step computes the
    levels that are there already, so that early ones are fast.

    The schedule counts samples: `stable_samples` of the smallest level, then for each level `fade_samples` while it
    fades in and `stable_samples` more. It is part of one `fit`, or of several that go on with each other. Until the
    last level is there, `generate` gives enlarged smaller images. A training takes
    `levels * stable_samples + (levels - 1) * fade_samples` at least; what comes after is the last level's.

    Equalized learning rates, pixel normalization in the generator (latents, too, lie on a sphere), the minibatch
    standard deviation, WGAN-GP's loss with one update each and a penalty on the drift of logits, Adam 1e-3 (0, 0.99,
    1e-8), a moving average for sampling.

    Changed from the paper: one batch size for all levels (the paper's shrinks as images grow); the mean of 2x2 pixels
    is taken before the rectifier, which makes it one operation with the convolution; the half-life of the moving
    average is this library's; widths, the latents' number and the schedule are smaller by default, for data sets of
    thousands of images.

    Args:
        image_shape: (height, width, channels); both sides multiples of 4, best 4 times a power of two; 1, 3 or 4
            channels.
        latent_dim: length of the latent vector; the paper's is 512.
        width: channels at the images' own size; they double with each halving. The paper's is 16384 over the size: 16
            for 1024 pixels, 256 for 64.
        max_width: no layer has more channels.
        fade_samples: samples seen while a level fades in; the paper's is 800,000. 0: it is there at once.
        stable_samples: samples seen of each level before the next one; the paper's is the same.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.ProgressiveGAN(image_shape=(64, 64, 3), fade_samples=50_000, stable_samples=50_000)
    gan.compile()
    gan.fit(kerasgan.data.images("photos/", size=64, batch_size=32), epochs=100)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0), Drift(weight=0.001))

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=128,
        width=64,
        max_width=512,
        fade_samples=50_000,
        stable_samples=50_000,
        seed=None,
        name=None,
        dtype=None,
    ):
        self.fade_samples = number("fade_samples", fade_samples, None, whole=True)
        self.stable_samples = number("stable_samples", stable_samples, None, whole=True)
        widths = level_widths(image_shape, width, max_width)
        self.stages = len(widths)
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, widths),
                build_discriminator(image_shape, widths),
                media=Image(image_shape),
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @staticmethod
    def default_optimizers():
        # Keras adds epsilon to the same root as the paper's framework.
        return tuple(keras.optimizers.Adam(1e-3, 0.0, 0.99, 1e-8) for _ in range(2))

    # Growth: a stage of the training is a level

    def begin(self, level):
        """Samples seen when a level, 1 or higher, begins to fade in."""
        return level * self.stable_samples + (level - 1) * self.fade_samples

    def stage_at(self, samples_seen):
        return sum(samples_seen >= self.begin(level) for level in range(1, self.stages))

    def on_stage(self):
        self.reset_optimizers()

    def alpha(self, level):
        """How far a level, 1 or higher, has faded in by now: a float32 scalar tensor from 0 to 1."""
        seen = tf.convert_to_tensor(self.samples_seen) - self.begin(level)
        if self.fade_samples == 0:
            return tf.cast(seen >= 0, tf.float32)
        return tf.clip_by_value(tf.cast(seen, tf.float32) / self.fade_samples, 0.0, 1.0)

    @property
    def oldest(self):
        """The lowest level that is part of a step: the one before the current one, which may fade out."""
        return max(0, self.stage - 1)

    def variables_of(self, player):
        network = getattr(self, player)
        learning = [layer for layer in network.layers if self._is_part(layer.name)]
        return [variable for layer in learning for variable in layer.trainable_variables]

    def _is_part(self, name):
        """Whether a step of this stage computes a layer."""
        level = int(name.rpartition("_")[2]) if name[-1].isdigit() and "_" in name else 0
        return (self.oldest if "rgb" in name else 0) <= level <= self.stage

    def train_step(self, data):
        for network in (self.generator, self.discriminator):
            for level in range(1, self.stages):
                network.get_layer(f"fade_{level}").alpha.assign(self.alpha(level))
        return super().train_step(data)

    def update_average(self, batch):
        super().update_average(batch)
        for level in range(1, self.stages):  # what it mixes is no average, but what the generator mixes
            name = f"fade_{level}"
            self.ema_generator.get_layer(name).alpha.assign(self.generator.get_layer(name).alpha)

    def unpack(self, data):
        """Real images as the current level sees them, mixed as the generator's are."""
        images, labels = super().unpack(data)
        images = self._of_stage(images)
        if self.stage:
            alpha = self.alpha(self.stage)
            halved = tf.nn.avg_pool2d(images, 2, 2, "VALID")
            doubled = tf.repeat(tf.repeat(halved, 2, axis=1), 2, axis=2)
            images = alpha * images + (1.0 - alpha) * doubled
        return images, labels

    def _of_stage(self, images):
        height = self.media.shape[0] >> (self.stages - 1 - self.stage)
        while images.shape[1] > height:
            images = tf.nn.avg_pool2d(images, 2, 2, "VALID")
        return images

    def call_generator(self, sources, condition=None, training=True):
        """Images of the current level, in model range, from latents."""
        return synthesize(self.generator.get_layer, sources, self.stage, self.oldest)

    def call_discriminator(self, samples, condition=None, training=True):
        """Logits of images of the current level; larger ones are made smaller."""
        return judge(self.discriminator.get_layer, self._of_stage(samples), self.stage, self.oldest)

    def inference_network(self):
        """As that of `GAN`, without what does not show: levels that have faded out, or not begun to fade in."""
        generator = in_float32(self.ema_generator)
        alphas = [1.0] + [float(generator.get_layer(f"fade_{level}").alpha) for level in range(1, self.stages)]
        last = max(level for level, alpha in enumerate(alphas) if alpha > 0)
        first = max(level for level, alpha in enumerate(alphas) if alpha == 1)
        latents = keras.Input(generator.inputs[0].shape[1:], name="latents")
        images = synthesize(generator.get_layer, latents, last, first)
        for _ in range(last, self.stages - 1):
            images = generator.get_layer("double")(images)
        return keras.Model(latents, self.media.finish(images))
