"""R3GAN: a modern baseline, a relativistic loss that converges and plain residual networks without normalization."""

import math

import keras
from keras import layers, ops

from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import BinomialDownsampling2D, BinomialUpsampling2D, Conv2D, GroupedConv2D
from kerasgan.media import Image
from kerasgan.penalties import R1, R2
from kerasgan.precision import policy
from kerasgan.sizes import stage_widths

_SLOPE = 0.2  # of the LeakyReLU below 0
_EXPANSION = 2  # a block's inner channels over its outer ones


@keras.saving.register_keras_serializable(package="kerasgan")
class Basis(layers.Layer):
    """Vectors (batch, channels) -> maps (batch, height, width, channels): a learned map a channel times its number."""

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def build(self, input_shape):
        shape = (self.height, self.width, input_shape[-1])
        self.basis = self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(stddev=1.0), name="basis")

    def call(self, inputs):
        return self.basis * ops.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.height, self.width, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


def normal(gain=1.0):
    """N(0, gain / sqrt(fan_in)); a new one for each kernel, since Keras gives equal shapes equal numbers from one."""
    return keras.initializers.VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")


def pointwise(x, channels):
    """A linear 1x1 convolution, where the number of channels changes."""
    return Conv2D(channels, 1, use_bias=False, kernel_initializer=normal())(x)


def residual_block(x, group_size, gain):
    """x + 1x1(LeakyReLU(grouped 3x3(LeakyReLU(1x1(x))))), of which the last convolution starts at zero."""
    width = x.shape[-1]
    inner = _EXPANSION * width
    groups = max(1, inner // group_size)
    if inner > group_size and inner % group_size:
        raise ValueError(
            f"group_size={group_size} does not divide {inner}, the inner channels of a block of width {width}: give "
            "multiples of it as width and max_width."
        )
    y = Conv2D(inner, 1, kernel_initializer=normal(gain))(x)  # its bias is that of the activation
    y = layers.LeakyReLU(_SLOPE)(y)
    y = GroupedConv2D(inner, 3, groups=groups, padding="same", kernel_initializer=normal(gain))(y)
    y = layers.LeakyReLU(_SLOPE)(y)
    y = Conv2D(width, 1, use_bias=False, kernel_initializer="zeros")(y)
    return layers.Add()([x, y])


def block_gain(blocks):
    """Gain of a block's first two convolutions, in a network of `blocks` (Zhang et al., 2019, arXiv:1901.09321).

    LeakyReLU's own gain, times L^(-1 / (2 m - 2)) for L branches of m = 3 layers: then an update changes the output by
    as much in deep networks as in shallow ones.
    """
    return math.sqrt(2.0 / (1.0 + _SLOPE**2)) * blocks**-0.25


def build_generator(image_shape, latent_dim, widths, blocks, group_size, num_classes=None):
    """Latents -> images, about [-1, 1]: learned maps modulated by the latents, then `blocks` a stage, small to large.

    Args:
        widths: channels of the stages, from the image's size to the smallest maps (`stage_widths`).
    """
    stages = len(widths)
    start = [side // 2 ** (stages - 1) for side in image_shape[:2]]
    gain = block_gain(blocks * stages)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        like_latents = keras.initializers.RandomNormal(stddev=1.0)
        y = layers.Embedding(num_classes, latent_dim, embeddings_initializer=like_latents)(labels)
        x = layers.Concatenate()([x, y])
    x = Basis(*start)(layers.Dense(widths[-1], use_bias=False, kernel_initializer=normal())(x))
    for stage in reversed(range(stages)):
        if widths[stage] != x.shape[-1]:
            x = pointwise(x, widths[stage])  # exchanged with the filter: the same function, on fewer pixels
        if stage < stages - 1:
            x = BinomialUpsampling2D()(x)
        for _ in range(blocks):
            x = residual_block(x, group_size, gain)
    x = layers.Activation("linear", dtype="float32", name="samples")(pointwise(x, image_shape[2]))
    return keras.Model(inputs, x, name="generator")


def build_discriminator(image_shape, latent_dim, widths, blocks, group_size, num_classes=None):
    """Images -> one logit: `blocks` a stage from large to small maps, a learned sum over the last ones' places.

    With classes, the logit is the product of `latent_dim` features and the class's vector (projection, Miyato & Koyama,
    2018, arXiv:1802.05637). Other arguments as of `build_generator`.
    """
    gain = block_gain(blocks * len(widths))
    images = keras.Input(image_shape, name="samples")
    inputs, x = images, pointwise(images, widths[0])
    for stage, width in enumerate(widths):
        if stage:
            x = BinomialDownsampling2D()(x)
        if width != x.shape[-1]:
            x = pointwise(x, width)
        for _ in range(blocks):
            x = residual_block(x, group_size, gain)
    places = x.shape[1:3]
    each = keras.initializers.RandomNormal(stddev=1.0 / math.sqrt(math.prod(places)))
    x = layers.Flatten()(layers.DepthwiseConv2D(places, use_bias=False, depthwise_initializer=each)(x))
    # In float32 whatever the policy: the loss takes differences of logits.
    features = latent_dim if num_classes else 1
    x = layers.Dense(features, use_bias=False, kernel_initializer=normal(), dtype="float32")(x)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
        each = keras.initializers.RandomNormal(stddev=1.0 / math.sqrt(latent_dim))
        y = layers.Embedding(num_classes, latent_dim, embeddings_initializer=each, dtype="float32")(labels)
        x = layers.Dot(axes=1, dtype="float32")([x, y])
    x = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class R3GAN(GAN):
    """R3GAN (Huang, Gokaslan, Kuleshov & Tompkin, 2024, arXiv:2501.05441).

    Each generated sample is judged against a real one (relativistic pairing), and the squared gradients of the
    discriminator are penalized at real and at generated samples, at every step (R1 + R2): a game that converges
    locally, so that no other trick is needed. Both networks are plain residual ones, mirror images of each other, with
    grouped convolutions, Fixup-like initialization (branches start at zero) and no normalization; the generator's
    output has no tanh. Resampling filters with [1, 2, 1]. The generator's step has a real and a fake batch of its own.
    The penalties are those of samples before the augmentation, through which their gradients pass.

    The paper's rates, Adam's beta 2, gamma, strength of augmentation and moving average follow cosines over its very
    long trainings. Such schedules have to fit a training's length, so `compile` without arguments takes constants: the
    rate and gamma at the start, beta 2 at the end. The example below gives them. Its counts are of all real samples
    seen; the paper counts those of the discriminator's steps only, one half of them, so that its 2e7 are 4e7 here.
    Gamma is 2 * (edge / 64)^3 by default: the paper gives one for each data set, between 0.05 at 32 pixels, 1 or 2 at
    64, and 150 at 256.

    Changed from the paper: smaller networks by default; the maps of the generator's first stage and of the
    discriminator's last may be of any size, not 4x4 only; number formats are those of `dtype` throughout, but for the
    last layers and the penalties, which are in float32 (the latter draw augmentations of their own in a mixed policy),
    where the paper computes its larger maps in bfloat16; no augmentation by default.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, at least 16, best 4 or 8 times a power
            of 2; 1, 3 or 4 channels.
        latent_dim: length of the latent vector; with classes, also of the vectors of a class.
        width: channels at the image's size. The paper's: 768 (32x32), 384 (64x64), 96 (256x256).
        max_width: they double with each halving of the maps, up to this. The paper's: 768, and 1536 for ImageNet.
        blocks: residual blocks a stage, a stage being the maps of one size. The paper's: 2.
        group_size: channels in a group of the 3x3 convolutions. The paper's: 16, and 32 for ImageNet.
        num_classes, seed, name, dtype: as in `GAN`.

    Raises:
        ValueError: `group_size` does not fit the widths.

    Example:

    ```python
    gan = kerasgan.models.R3GAN(image_shape=(64, 64, 3))
    seen = 2_000_000  # real samples in the whole training
    penalty = {"weight": f"cosine(2, 0.2, {seen})", "through_augmentation": True}
    gan.compile(
        learning_rate=f"cosine(2e-4, 5e-5, {seen})",
        beta_2=f"cosine(0.9, 0.99, {seen})",
        penalties=[kerasgan.penalties.R1(**penalty), kerasgan.penalties.R2(**penalty)],
        augmentation=kerasgan.augmentation.AdaptiveAugment(target=None, probability=f"cosine(0, 0.3, {seen})"),
        ema_half_life=f"cosine(0, 50000, {seen})",
    )
    gan.fit(kerasgan.data.images("photos/", size=64), epochs=100)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    default_loss = "relativistic_pairing"
    default_fresh_generator_batch = True
    default_ema_half_life = 500_000

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=64,
        width=48,
        max_width=192,
        blocks=2,
        group_size=16,
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        widths = stage_widths(image_shape, width, max_width)
        with policy(dtype, seed):
            super().__init__(
                build_generator(image_shape, latent_dim, widths, blocks, group_size, num_classes),
                build_discriminator(image_shape, latent_dim, widths, blocks, group_size, num_classes),
                media=Image(image_shape),
                num_classes=num_classes,
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @property
    def default_penalties(self):
        gamma = 2.0 * (max(self.media.shape[:2]) / 64) ** 3
        return R1(weight=gamma, through_augmentation=True), R2(weight=gamma, through_augmentation=True)

    @staticmethod
    def default_optimizers():
        return tuple(keras.optimizers.Adam(2e-4, 0.0, 0.99, epsilon=1e-8) for _ in range(2))
