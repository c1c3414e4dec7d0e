"""StyleGAN2: latents become styles, which scale the kernels of a generator that starts from one learned picture."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from kerasgan import defaults, distribution
from kerasgan.checks import number
from kerasgan.game.hooks import with_condition
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import (
    BilinearUpsampling2D,
    Conv2D,
    DownsamplingConv2D,
    EqualizedLearningRate,
    MinibatchStandardDeviation,
    ModulatedConv2D,
    PixelNormalization,
    UpsamplingConv2D,
)
from kerasgan.media import Image
from kerasgan.penalties import R1, GeneratorPenalty
from kerasgan.precision import policy
from kerasgan.sizes import stage_widths

_GAIN = 2**0.5  # before leaky rectifiers
_MAPPING_MULTIPLIER = 0.01  # of the mapping network's learning rate
_LARGEST = 256.0  # activation in float16, as in StyleGAN2-ADA


@keras.saving.register_keras_serializable(package="kerasgan")
class StyleMean(layers.Layer):
    """Styles (batch, n) as they are; keeps their moving mean over training steps, from which `truncation` starts."""

    def __init__(self, decay=0.995, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.decay = decay

    def build(self, input_shape):
        # Devices see different samples: what each assigns is averaged.
        own = {"initializer": "zeros", "trainable": False, "aggregation": "mean"}
        self.mean = self.add_weight(shape=input_shape[1:], name="mean", **own)

    def call(self, inputs, training=None):
        if training:
            now = ops.mean(tf.stop_gradient(inputs), axis=0)
            self.mean.assign(now + self.decay * (self.mean - now))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}


@keras.saving.register_keras_serializable(package="kerasgan")
class LearnedMaps(layers.Layer):
    """Styles (batch, n) -> maps (batch, height, width, channels), learned, and the same for each of them."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.maps = self.add_weight(shape=self.shape, initializer=normal, name="maps")

    def call(self, inputs):
        return ops.tile(self.maps[None], (ops.shape(inputs)[0], 1, 1, 1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {**super().get_config(), "shape": list(self.shape)}


@keras.saving.register_keras_serializable(package="kerasgan")
class NoisyLeakyReLU(layers.Layer):
    """LeakyReLU 0.2 of maps + strength * noise + bias: one strength, learned, from 0 on, and a bias a channel.

    The noise is given, (batch, height, width, 1), or the layer's own: (height, width, 1), from N(0, 1) once and for
    all. In float16, results are bounded by 256.
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")
        self.bias = self.add_weight(shape=(channels,), initializer="zeros", name="bias")
        self.noise = self.add_weight(shape=(height, width, 1), initializer=normal, trainable=False, name="noise")

    def call(self, inputs, noise=None):
        noise = ops.convert_to_tensor(self.noise if noise is None else ops.cast(noise, self.compute_dtype))
        outputs = ops.leaky_relu(inputs + self.strength * noise + self.bias, 0.2)
        return ops.clip(outputs, -_LARGEST, _LARGEST) if self.compute_dtype == "float16" else outputs

    def compute_output_shape(self, input_shape):
        return input_shape


# The generator -------------------------------------------------------------------------------------------------------
#
# Levels count resolutions, from 0, the smallest. The first has one convolution, each of the others two, and each makes
# colours, which are added up.


def convolutions(levels):
    """Names of the convolutions, in their order: a list for each level."""
    return [["conv_0"], *([f"up_{level}", f"conv_{level}"] for level in range(1, levels))]


def build_mapping(latent_dim, mapping_layers, num_classes=None):
    """Latents (and labels) -> styles (batch, latent_dim), in float32 whatever the policy.

    Latents, and the vectors of classes, which are learned, are divided by their root mean square.
    """
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, PixelNormalization(dtype="float32")(latents)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate(dtype="float32")([x, class_vectors(num_classes, latent_dim)(labels)])
    for _ in range(mapping_layers):
        dense = layers.Dense(latent_dim, activation="leaky_relu", dtype="float32")
        x = EqualizedLearningRate(dense, _GAIN, _MAPPING_MULTIPLIER)(x)
    return keras.Model(inputs, StyleMean(name="mean")(x), name="mapping")


def class_vectors(num_classes, length):
    """Labels -> vectors (batch, length) of root mean square 1, learned."""
    normal = keras.initializers.RandomNormal(stddev=1.0)
    learned = layers.Embedding(num_classes, length, embeddings_initializer=normal, dtype="float32")
    return keras.Sequential([learned, PixelNormalization(dtype="float32")], name="classes")


def build_synthesis(image_shape, widths, style_dim):
    """Styles (batch, style_dim) -> images, about [-1, 1].

    Args:
        widths: channels of the levels, the smallest maps first.
    """
    height, width, channels = image_shape
    halvings = len(widths) - 1
    made = [LearnedMaps((height >> halvings, width >> halvings, widths[0]), name="start")]
    for level, (names, filters) in enumerate(zip(convolutions(len(widths)), widths, strict=True)):
        for name in names:
            kind = UpsamplingConv2D if name.startswith("up") else Conv2D
            convolution = kind(filters, 3, padding="same", use_bias=False)
            made += [ModulatedConv2D(convolution, gain=_GAIN, name=name), NoisyLeakyReLU(name=f"noise_{name}")]
        made.append(ModulatedConv2D(Conv2D(channels, 1), demodulate=False, name=f"to_rgb_{level}"))
        if level:
            made.append(BilinearUpsampling2D(dtype="float32", name=f"double_{level}"))
            made.append(layers.Add(dtype="float32", name=f"sum_{level}"))
    made.append(layers.Activation("linear", dtype="float32", name="samples"))
    made = {layer.name: layer for layer in made}
    styles = keras.Input((style_dim,), name="styles")
    images = synthesize(made.__getitem__, [styles] * (2 * len(widths) - 1))
    return keras.Model(styles, images, name="synthesis")


def synthesize(layer, styles, noise=None):
    """Images from styles and noise, each given for every convolution, in the order of `convolutions`.

    Args:
        layer: function from names to the layers of `build_synthesis`.
        styles: list of (batch, style_dim). Colours are made by the style of their level's last convolution.
        noise: list of (batch, height, width, 1), or None for that of the layers.
    """
    levels = (len(styles) + 1) // 2
    given = list(zip(styles, noise or [None] * len(styles), strict=True))
    x, images = layer("start")(styles[0]), None
    for level, names in enumerate(convolutions(levels)):
        for name in names:
            style, own = given.pop(0)
            x = layer(name)([x, style])
            x = layer(f"noise_{name}")(x) if own is None else layer(f"noise_{name}")(x, own)
        colours = layer(f"to_rgb_{level}")([x, style])
        images = layer(f"sum_{level}")([colours, layer(f"double_{level}")(images)]) if level else colours
    return layer("samples")(images)


def build_generator(image_shape, latent_dim, widths, mapping_layers, num_classes=None):
    """Latents (and labels) -> images, about [-1, 1]: the networks "mapping" and "synthesis" one after the other."""
    mapping = build_mapping(latent_dim, mapping_layers, num_classes)
    inputs = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in mapping.inputs]
    inputs = inputs if num_classes else inputs[0]
    return keras.Model(inputs, build_synthesis(image_shape, widths, latent_dim)(mapping(inputs)), name="generator")


# The discriminator ---------------------------------------------------------------------------------------------------


def rectified(channels, kind=Conv2D, size=3, gain=_GAIN):
    """A convolution with LeakyReLU 0.2 behind it."""
    return EqualizedLearningRate(kind(channels, size, padding="same", activation="leaky_relu"), gain)


def build_discriminator(image_shape, widths, features, num_classes=None):
    """Images -> one logit: a residual block a halving; with classes, the product of features and the class's vector.

    Args:
        widths: channels of the maps, those of the image's size first.
        features: of an image with classes (projection, Miyato & Koyama, 2018, arXiv:1802.05637).
    """
    images = keras.Input(image_shape, name="samples")
    inputs, x = images, rectified(widths[0], size=1)(images)
    for width, smaller in zip(widths[:-1], widths[1:], strict=True):
        y = rectified(width)(x)
        # Both branches are divided by sqrt(2), so that their sum has the variance of each.
        y = rectified(smaller, DownsamplingConv2D, gain=_GAIN * 0.5**0.5)(y)
        short = EqualizedLearningRate(DownsamplingConv2D(smaller, 1, use_bias=False), gain=0.5**0.5)
        x = layers.Add()([short(x), y])
    x = rectified(widths[-1])(MinibatchStandardDeviation()(x))
    x = EqualizedLearningRate(layers.Dense(widths[-1], activation="leaky_relu"), _GAIN)(layers.Flatten()(x))
    # In float32 whatever the policy: the loss takes differences of logits.
    x = EqualizedLearningRate(layers.Dense(features if num_classes else 1, dtype="float32"), gain=1.0)(x)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
        x = layers.Dot(axes=1, dtype="float32")([x, class_vectors(num_classes, features)(labels)])
        x = layers.Rescaling(1.0 / math.sqrt(features), dtype="float32")(x)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32", name="logits")(x), name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class PathLength(GeneratorPenalty):
    """Path length regularization (Karras et al., 2020, arXiv:1912.04958, section 3.2): weight * (||J^T y|| - a)^2.

    J is the Jacobian of the image for the style, y an image of random numbers from N(0, 1 / pixels): steps of one
    length in the space of styles shall change the image by as much, wherever they start and wherever they go.

    The paper's a is a running mean of the lengths. Here it is their mean in the batch of n, and the squares are divided
    by (n - 1) / n: the mean penalty estimates the variance of the lengths without bias, which that of the paper does
    but for the delay of its mean, and nothing is to be kept.

    Args:
        weight: the paper's is 1 / (log2(edge) - 1), which is 1/4 for images of 32 pixels, 1/9 for 1024.
        interval: the paper's is 8.
        full_precision: see `Penalty`.
    """

    name = "path_length"

    def __init__(self, weight=0.25, interval=8, **kwargs):
        super().__init__(weight, interval, **kwargs)

    def penalise(self, generator, sources, seed):
        shift = sources["shift"]  # the derivative for what is added to a style is that for the style
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(shift)
            images = generator(sources)
            noise = tf.random.stateless_normal(tf.shape(images), seed) / math.sqrt(math.prod(images.shape[1:3]))
            product = tf.reduce_sum(images * noise)
        lengths = tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(product, shift)), axis=1) + 1e-12)
        count = tf.cast(tf.size(lengths), tf.float32)
        return tf.square(lengths - tf.reduce_mean(lengths)) * count / tf.maximum(count - 1.0, 1.0)


@keras.saving.register_keras_serializable(package="kerasgan")
class StyleGAN2(GAN):
    """StyleGAN2 (Karras et al., 2020, arXiv:1912.04958), after StyleGAN (Karras et al., 2019, arXiv:1812.04948).

    A mapping network turns latents into styles. The generator starts from one learned picture of 4x4; styles scale the
    kernels of its convolutions, level by level, and noise adds details that nobody chooses; colours of all levels are
    added up. The discriminator is residual, with the minibatch standard deviation. Non-saturating loss with the penalty
    R1 at every 16th step, equalized learning rates, a moving average for sampling. Small data sets want adaptive
    augmentation (StyleGAN2-ADA, Karras et al., 2020, arXiv:2006.06676), `compile(augmentation="adaptive")`.

    `generate(truncation=psi)`, from 0 to 1, draws styles towards their mean: mean + psi (style - mean). It is not the
    share of samples that it is for other types. At 0 all samples are the mean's.

    Noise is drawn anew for every sample in training. Samples and exported generators take maps of noise that were drawn
    once, so that an image follows from its latents alone, and the same latents move through the same details.

    As StyleGAN2-ADA has it for CIFAR-10: two layers of the mapping network in place of eight, no mixing of styles, no
    path length regularization; they are there as `mapping_layers`, `style_mixing` and `PathLength`. R1's gamma is that
    paper's 0.0002 edge^2 / batch, for a batch of 32.

    Changed from the paper: kernels are not scaled for each sample, but what goes through them (`ModulatedConv2D`: the
    same function); convolutions that resample repeat pixels or take the mean of 2x2, which makes them one operation, in
    place of filters with [1, 3, 3, 1], which colours alone go through; latents and styles have one length; colours take
    the style of their level's last convolution; rates and betas stay as they are for lazy penalties, whose gradients
    are added to those of the loss here, not a step of their own; smaller networks by default. R1's gradient goes
    through the augmentation, as in StyleGAN2-ADA.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, at least 16, best 4 times a power of 2;
            1, 3 or 4 channels.
        latent_dim: length of latents, styles and vectors of classes. The paper's: 512.
        width: channels at the image's size. The paper's is 32768 over the edge: 32 for 1024 pixels, 512 for 64.
        max_width: they double with each halving of the maps, up to this. The paper's: 512.
        mapping_layers: of the network from latents to styles. The paper's: 8.
        style_mixing: probability that, in training, a second style takes over at one of the convolutions. The paper's:
            0.9.
        num_classes, seed, name, dtype: as in `GAN`.

    Raises:
        ValueError: `mapping_layers` or `style_mixing` is out of its range.

    Example:

    ```python
    gan = kerasgan.models.StyleGAN2(image_shape=(64, 64, 3))
    gan.compile(augmentation="adaptive")
    gan.fit(kerasgan.data.images("photos/", size=64), epochs=100)
    typical = gan.generate(16, truncation=0.7)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
        compile={"augmentation": "adaptive"},
        largest_batch=32,
    )
    truncation_moves = True
    truncations = (1.0, 0.7, 0.4, 0.0)

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=128,
        width=48,
        max_width=192,
        mapping_layers=2,
        style_mixing=0.0,
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        mapping_layers = number("mapping_layers", mapping_layers, None, least=1, whole=True)
        self.style_mixing = number("style_mixing", style_mixing, None)
        if self.style_mixing > 1:
            raise ValueError(f"style_mixing={style_mixing!r}: expected a probability from 0 to 1.")
        widths = stage_widths(image_shape, width, max_width)
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, widths[::-1], mapping_layers, num_classes),
                build_discriminator(image_shape, widths, latent_dim, num_classes),
                media=Image(image_shape),
                num_classes=num_classes,
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @property
    def default_penalties(self):
        gamma = defaults.r1_weight(max(self.media.shape[:2]), batch=32)
        return (R1(weight=gamma, interval=16, through_augmentation=True),)

    @staticmethod
    def default_optimizers():
        return tuple(keras.optimizers.Adam(2e-3, 0.0, 0.99, epsilon=1e-8) for _ in range(2))

    def sources_for(self, batch):
        """What a step's samples start from, by name.

        Returns:
            `latents`, and `noise`, a map for every convolution; `shift`, zeros, which are added to styles, so that its
            gradient is that of styles; with style mixing, `others`, the latents of a second style, and `crossover`, the
            number of the first convolution that it is for.
        """

        def rows(draw):
            seed = self.shared_seed()
            return distribution.own_rows(lambda count: draw(count, seed), batch.count, self.gradient_accumulation)

        latents = super().sources_for(batch)
        sides = [layer.noise.shape for layer in self._noisy()]
        pixels = [math.prod(side) for side in sides]
        drawn = rows(lambda count, seed: tf.random.stateless_normal((count, sum(pixels)), seed))
        noise = tf.split(drawn, pixels, axis=1)
        sources = {
            "latents": latents,
            "noise": [tf.reshape(own, (-1, *side)) for own, side in zip(noise, sides, strict=True)],
            "shift": tf.zeros_like(latents),
        }
        if self.style_mixing:
            sources["others"] = rows(self.sample_latents)
            sources["crossover"] = rows(lambda count, seed: self._crossovers(count, seed, len(sides)))
        return sources

    def _noisy(self):
        """The generator's layers that add noise, in the order of its convolutions."""
        return [layer for layer in self.generator.get_layer("synthesis").layers if isinstance(layer, NoisyLeakyReLU)]

    def _crossovers(self, count, seed, last):
        """From 1 to `last` - 1 where styles are mixed, `last` where they are not: int32 (count,)."""
        chosen, place = tf.unstack(tf.random.stateless_uniform((2, count), seed))
        places = 1 + tf.cast(place * (last - 1), tf.int32)
        return tf.where(chosen < self.style_mixing, places, last)

    def call_generator(self, sources, condition=None, training=True):
        """Images in model range from what `sources_for` gives, or from latents alone, with the noise of samples."""
        if not isinstance(sources, dict):
            return super().call_generator(sources, condition, training)
        mapping, synthesis = (self.generator.get_layer(name) for name in ("mapping", "synthesis"))

        def styles_of(latents):
            return mapping(with_condition(latents, condition), training=training) + sources["shift"]

        styles = [styles_of(sources["latents"])] * len(sources["noise"])
        if "others" in sources:
            others = styles_of(sources["others"])
            first = sources["crossover"][:, None]
            styles = [tf.where(place < first, style, others) for place, style in enumerate(styles)]
        return synthesize(synthesis.get_layer, styles, sources["noise"])

    def truncated(self, network, truncation):
        """Styles drawn towards their mean, as `generate` has it."""
        mapping = network.get_layer("mapping")
        of_styles = self._of_truncated_styles(network, truncation)
        return lambda latents, labels: of_styles(self._sampler(mapping)(latents, labels), None), 1

    def _of_truncated_styles(self, network, truncation):
        """The function of styles that makes samples of them after they are drawn towards their mean."""
        psi = number("truncation", truncation, None)
        if psi > 1:
            raise ValueError(f"truncation={truncation!r}: expected a number from 0, all alike, to 1, as they are.")
        mapping, synthesis = (network.get_layer(name) for name in ("mapping", "synthesis"))

        def sample(styles, condition):
            mean = tf.convert_to_tensor(mapping.get_layer("mean").mean)
            return self._sampler(synthesis)(mean + psi * (styles - mean), None)

        return sample

    # Styles as values ------------------------------------------------------------------------------------------------

    def coded(self, latents):
        """Latents as styles, in which directions go through (`Latents.space` is "styles")."""
        if latents.space == "styles":
            return latents
        mapping = self.ema_generator.get_layer("mapping")
        condition = None if latents.condition is None else tf.constant(latents.condition)
        return latents.replaced(self._sampler(mapping)(tf.constant(latents.values), condition), "styles")

    def decoder(self, space, truncation=None):
        if space == "latents":
            return super().decoder(space) if truncation is None else self.truncated(self.ema_generator, truncation)[0]
        if truncation is not None:
            return self._of_truncated_styles(self.ema_generator, truncation)
        synthesis = self._sampler(self.ema_generator.get_layer("synthesis"))
        return lambda styles, condition: synthesis(styles, None)  # classes are in the styles

    def first_maps(self):
        """What all convolutions make of styles: the scales of their channels."""
        synthesis = self.ema_generator.get_layer("synthesis")
        affine = [layer.affine for layer in synthesis.layers if isinstance(layer, ModulatedConv2D)]

        @tf.function(autograph=False, reduce_retracing=True)
        def scales(styles):
            return tf.concat([layer(styles) for layer in affine], axis=1)

        return lambda styles, condition: scales(tf.constant(styles, tf.float32))

    def mix(self, coarse, fine, crossover):
        """Samples that have the shapes of some and the details of others (style mixing, arXiv:1812.04948, section 3.1).

        ```python
        _, latents = gan.generate(10, seed=1, return_latents=True)
        grid = gan.mix(latents[[0, 0, 1, 1]], latents[[8, 9, 8, 9]], crossover=4)
        ```

        Args:
            coarse, fine: as of `decode`, as many of one as of the other.
            crossover: convolutions that have the styles of `coarse`; those that follow have those of `fine`. The
                first belongs to maps of 4x4, and two to each doubling.

        Returns:
            Samples in natural units, first axis their number.

        Raises:
            ValueError: as `decode`; they are not as many; or there are no such convolutions.
        """
        first, second = (self.coded(self.own_latents(latents)) for latents in (coarse, fine))
        synthesis = self.ema_generator.get_layer("synthesis")
        last = len(self._noisy())
        crossover = number("crossover", crossover, None, whole=True)
        if crossover > last:
            raise ValueError(f"crossover={crossover}: expected 0 to {last}, the number of convolutions.")
        if len(first) != len(second):
            raise ValueError(f"fine: {len(second)} latents are given for {len(first)} of coarse; give as many.")

        @tf.function(autograph=False)
        def sample(*styles):
            return synthesize(synthesis.get_layer, [styles[place >= crossover] for place in range(last)])

        return self.media.to_natural(sample(tf.constant(first.values), tf.constant(second.values)).numpy())

    def mixtures(self, count, seed):
        """Rows with the shapes of their first sample, columns with the details of theirs."""
        samples, latents = self.generate(2 * count, seed=seed, return_latents=True)
        rows, columns = np.divmod(np.arange(count**2), count)
        mixed = self.mix(latents[rows], latents[count + columns], (len(self._noisy()) + 1) // 2)
        grid = np.full((count + 1, count + 1, *samples.shape[1:]), 255, samples.dtype)
        grid[0, 1:], grid[1:, 0] = samples[count:], samples[:count]
        grid[1:, 1:] = mixed.reshape(count, count, *samples.shape[1:])
        return grid.reshape(-1, *samples.shape[1:])
