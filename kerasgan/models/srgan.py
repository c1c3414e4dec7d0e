"""SRGAN and ESRGAN: photographs several times as large, with detail that looks right."""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from kerasgan import perceptual
from kerasgan.game.pretraining import Pretraining
from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization, Conv2D
from kerasgan.media import Image, bicubic
from kerasgan.precision import policy
from kerasgan.upscaler import Upscaler

_NORM = {"momentum": 0.9, "epsilon": 1e-5}
_SCALES = (2, 4)
_LAST = "channels_last"  # whatever the user's Keras is set to
_CHOICES = {
    "body": ("residual", "rrdb"),
    "normalization": ("batch", "none"),
    "upsampling": ("stepwise", "direct"),
    "pixel_loss": ("squared", "absolute"),
}
_DENSE, _DENSE_CONVOLUTIONS, _RESIDUAL_SCALE = 3, 5, 0.2  # of ESRGAN's blocks


# Networks ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class RepeatedForSubPixels(keras.initializers.Initializer):
    """He's initialization, the same for all sub-pixels that a convolution makes.

    What it makes is then constant over the pixels of a block: training begins without a checkerboard (Aitken et al.,
    2017, arXiv:1707.02937).

    Args:
        scale: sub-pixels along each axis.
    """

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, shape, dtype=None):
        *others, channels = shape
        once = keras.initializers.HeNormal()((*others, channels // self.scale**2), dtype)
        return ops.tile(once, (1, 1, 1, self.scale**2))

    def get_config(self):
        return {"scale": self.scale}


def build_generator(scale, width, blocks, body, normalization, upsampling, name="generator"):
    """Images (batch, height, width, 3) of any size -> `scale` times as large ones; both in [-1, 1]."""
    images = keras.Input((None, None, 3), name="images")
    if body == "rrdb":
        x = start = Conv2D(width, 3, padding="same")(images)
        for _ in range(blocks):
            x = _rrdb(x, width)
        x = layers.Add()([start, Conv2D(width, 3, padding="same")(x)])
        activate = _leaky
    else:
        normalize = BatchNormalization if normalization == "batch" else None
        x = start = _prelu(Conv2D(width, 9, padding="same")(images))
        for _ in range(blocks):
            x = _residual(x, width, normalize)
        x = Conv2D(width, 3, padding="same")(x)
        x = layers.Add()([start, normalize(**_NORM)(x) if normalize else x])
        activate = _prelu
    if upsampling == "direct":
        return keras.Model(images, _directly(images, x, scale, activate), name=name)
    for _ in range(int(math.log2(scale))):
        x = Conv2D(4 * width, 3, padding="same", kernel_initializer=RepeatedForSubPixels(2))(x)
        x = activate(ops.depth_to_space(x, 2, _LAST))
    x = Conv2D(3, 9, padding="same")(x)
    return keras.Model(images, layers.Activation("linear", dtype="float32", name="samples")(x), name=name)


def _directly(images, x, scale, activate):
    """From maps of the low resolution to all sub-pixels at once: what the repeated input lacks."""
    narrow = max(4, x.shape[-1] // 4)
    x = Conv2D(narrow * scale**2, 3, padding="same", kernel_initializer=RepeatedForSubPixels(scale))(x)
    lacking = Conv2D(3, 3, padding="same")(activate(ops.depth_to_space(x, scale, _LAST)))
    repeated = ops.depth_to_space(layers.Concatenate(dtype="float32")([images] * scale**2), scale, _LAST)
    return layers.Add(dtype="float32", name="samples")([repeated, lacking])


def _residual(x, width, normalize):
    before = x
    x = Conv2D(width, 3, padding="same", use_bias=normalize is None)(x)
    x = _prelu(normalize(**_NORM)(x) if normalize else x)
    x = Conv2D(width, 3, padding="same", use_bias=normalize is None)(x)
    return layers.Add()([before, normalize(**_NORM)(x) if normalize else x])


def _rrdb(x, width):
    """Residual in residual dense block: three blocks of five convolutions that see all before them."""
    small = keras.initializers.VarianceScaling(0.02, "fan_in", "truncated_normal")  # He's, a tenth in size
    before = x
    for _ in range(_DENSE):
        maps = [x]
        for place in range(_DENSE_CONVOLUTIONS):
            last = place == _DENSE_CONVOLUTIONS - 1
            seen = layers.Concatenate()(maps) if place else x
            y = Conv2D(width if last else width // 2, 3, padding="same", kernel_initializer=small)(seen)
            maps.append(y if last else _leaky(y))
        x = layers.Add()([x, layers.Rescaling(_RESIDUAL_SCALE)(maps[-1])])
    return layers.Add()([before, layers.Rescaling(_RESIDUAL_SCALE)(x)])


def _prelu(x):
    return layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25), shared_axes=[1, 2])(x)


def _leaky(x):
    return layers.LeakyReLU(0.2)(x)


def reach(scale, blocks, body, upsampling):
    """How far `build_generator`'s network sees, in pixels of the low resolution."""
    doublings = int(math.log2(scale))
    far = 1 + _DENSE * _DENSE_CONVOLUTIONS * blocks if body == "rrdb" else 4 + 2 * blocks
    if upsampling == "direct":
        return math.ceil(far + 2 + 1 / scale)
    return math.ceil(far + 1 + sum(0.5**n for n in range(doublings)) + 4 / scale)


def build_discriminator(image_shape, width, name="discriminator"):
    """Images -> one logit: eight convolutions, every other one of stride 2, then two dense layers."""
    images = keras.Input(image_shape, name="samples")
    x = _leaky(Conv2D(width, 3, padding="same")(images))
    for factor, strides in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
        x = Conv2D(factor * width, 3, strides, padding="same", use_bias=False)(x)
        x = _leaky(BatchNormalization(**_NORM)(x))
    x = _leaky(layers.Dense(16 * width)(layers.Flatten()(x)))
    logits = layers.Activation("linear", dtype="float32", name="logits")(layers.Dense(1)(x))
    return keras.Model(images, logits, name=name)


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class SRGAN(Pretraining, Upscaler):
    """Super-resolution with a GAN: SRGAN (Ledig et al., 2017, arXiv:1609.04802), and ESRGAN as options of it.

    The generator makes images `scale` times as large. First, for `pretraining` samples, it learns from pixels alone,
    without a discriminator: that network, SRResNet, has the best PSNR, and is soft, for it gives the mean of all
    details that are possible. Then the game begins, with new optimizers: the discriminator tells large originals from
    enlarged images, and a perceptual loss (`kerasgan.perceptual`), what a network that recognizes things sees of both,
    holds the detail to the content.

    It is trained on crops of large images (`kerasgan.data.crops`). Their low resolution is made here, by the bicubic
    kernel that papers use (`kerasgan.media.bicubic`), rounded to 8 bits.

    ESRGAN (Wang et al., 2018, arXiv:1809.00219): residual in residual dense blocks without batch normalization, the
    relativistic average loss, absolute differences of pixels and of features before their activation:

    ```python
    gan = SRGAN(body="rrdb", blocks=23, pixel_loss="absolute", content="vgg19_linear")
    gan.compile(loss="relativistic_average", weights={"adversarial": 5e-3, "pixel": 1e-2})
    ```

    Changed from the papers: the perceptual loss is relative, the mean absolute difference of features divided by their
    mean size, and sees through EfficientNet-Lite0 unless `content` is "vgg19", whose weights have to be downloaded; so
    its weight, and that of the adversarial loss beside it, are other numbers than theirs. Sub-pixel convolutions begin
    equal for all sub-pixels, and ESRGAN's blocks are followed by them, too, in place of nearest neighbours. A moving
    average of the generator.

    Args:
        image_shape: (height, width, 3) of the crops, multiples of `scale`; at least 16.
        scale: 2 or 4.
        width: channels of the generator.
        blocks: residual blocks of the generator; the papers' are 16, and 23 of ESRGAN.
        body: "residual", or "rrdb", ESRGAN's blocks, whose inner convolutions have half of the width.
        normalization: in residual blocks: "batch", or "none", which is sharper and faster (Lim et al., 2017,
            arXiv:1707.02921).
        upsampling: "stepwise", the papers': for each doubling a sub-pixel convolution, at the end one of 9x9 at full
            size; or "direct": one sub-pixel convolution for all of it, to a quarter of the channels, and one of 3x3 at
            full size, which adds to the repeated input what it lacks. That is several times as fast. (Pixels from the
            sub-pixel convolution alone, as Shi et al., 2016, arXiv:1609.05158, have it, get a grid in the game.)
        discriminator_width: channels of the discriminator's first layer; None takes `width`.
        pixel_loss: "squared" or "absolute" differences of pixels.
        content: network of the perceptual loss: "efficientnet_lite0", "vgg19", "vgg19_linear" (before activation), the
            path of a `.keras` file, or a `keras.Model` (which cannot be saved with this one; see
            `kerasgan.perceptual`). It is loaded when the game begins, and not part of the model.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        tile: height and width of the images that the exported network takes.
        seed, name, dtype: as in `Game`.

    Example:

    ```python
    gan = kerasgan.models.SRGAN()
    gan.compile()
    gan.fit(kerasgan.data.crops("photos/", size=96, batch_size=16), epochs=100)
    larger = gan.upscale(image)
    ```
    """

    starting = Starting(
        data={"reader": "crops", "size": 96, "channels": 3},
        model={"image_shape": (96, 96, 3)},
    )
    default_batch_size = 16
    default_weights = {"adversarial": 1e-2, "content": 1.0, "pixel": 1.0}

    def __init__(
        self,
        image_shape=(96, 96, 3),
        scale=4,
        width=64,
        blocks=16,
        body="residual",
        normalization="batch",
        upsampling="stepwise",
        discriminator_width=None,
        pixel_loss="squared",
        content="efficientnet_lite0",
        pretraining=100_000,
        tile=64,
        seed=None,
        name=None,
        dtype=None,
    ):
        choices = {
            "body": body,
            "normalization": normalization,
            "upsampling": upsampling,
            "pixel_loss": pixel_loss,
        }
        for argument, value in choices.items():
            if value not in _CHOICES[argument]:
                raise ValueError(f"{argument}={value!r}: expected {' or '.join(map(repr, _CHOICES[argument]))}.")
        _check_shape(image_shape, scale)
        perceptual.check_name(content)
        pretraining = self.check_pretraining(pretraining)
        with policy(dtype, seed):
            super().__init__(
                build_generator(scale, width, blocks, body, normalization, upsampling),
                build_discriminator(image_shape, width if discriminator_width is None else discriminator_width),
                media=Image(image_shape),
                scale=scale,
                reach=reach(scale, blocks, body, upsampling),
                tile=tile,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self._content = lambda: content  # not an attribute: Keras would take a model for a part of this one
        self.pixel_loss = pixel_loss
        self.set_pretraining(pretraining)

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)

    # The game ------------------------------------------------------------------------------------------------------

    def sources_for(self, batch):
        """The low resolution of a batch, float32 in [-1, 1], on the 256 levels of 8 bits."""
        height, width = batch.real.shape[1:3]
        columns, rows = (tf.constant(bicubic.matrix(side, side // self.scale), tf.float32) for side in (width, height))
        pixels = 127.5 * (tf.cast(batch.real, tf.float32) + 1.0)
        pixels = _levels(tf.einsum("jw,nhwc->nhjc", columns, pixels))
        pixels = _levels(tf.einsum("ih,nhjc->nijc", rows, pixels))
        return pixels / 127.5 - 1.0

    def pretraining_loss(self, batch):
        """The pixel loss alone: that of SRResNet."""
        return self._pixel_loss(batch.real, self.call_generator(batch.sources))

    def generator_terms(self, batch):
        """The pixel loss and, where it has a weight, the perceptual loss."""
        terms = {"pixel": self._pixel_loss(batch.real, batch.fake)}
        if self._wants_content():
            terms["content"] = perceptual.get(self._content())(batch.real, batch.fake, self.next_seed())
        return terms

    def _pixel_loss(self, real, fake):
        difference = tf.cast(fake, tf.float32) - tf.cast(real, tf.float32)
        return tf.reduce_mean(tf.square(difference) if self.pixel_loss == "squared" else tf.abs(difference))

    def _wants_content(self):
        return self.pretraining is not None and self.weights_of_terms["content"] != 0.0

    def fit(self, *arguments, **options):
        """Trains. See `Game.fit`; the data are crops of large images.

        Raises:
            ImportError, ConnectionError, OSError: the network of the perceptual loss cannot be had. With
                `compile(weights={"content": 0})` none is needed.
        """
        if hasattr(self, "weights_of_terms") and self._wants_content():
            perceptual.get(self._content())  # what is missing must show before hours of pretraining
        return super().fit(*arguments, **options)

    # Saving --------------------------------------------------------------------------------------------------------

    def get_config(self):
        if isinstance(self._content(), keras.Model):
            raise ValueError(
                "content is a keras.Model, which cannot be saved inside of another model: save it with "
                'content.save("features.keras"), and give SRGAN this path as content.'
            )
        return super().get_config()


def _levels(pixels):
    """Rounded and clipped as Pillow does between the axes and at the end."""
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)


def _check_shape(image_shape, scale):
    if scale not in _SCALES:
        raise ValueError(f"scale={scale!r}: expected {' or '.join(map(str, _SCALES))}.")
    sides = tuple(image_shape)
    if len(sides) != 3 or sides[2] != 3 or any(side < 16 or side % scale for side in sides[:2]):
        raise ValueError(
            f"image_shape={sides}: expected (height, width, 3) of the large crops, both multiples of {scale} and at "
            "least 16. (Grey images are upscaled as RGB.)"
        )
