"""CycleGAN: images of one domain as they would look in another one, learned without pairs."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan.gan_types import Starting
from kerasgan.layers import Conv2D, InstanceNormalization, ReflectionPadding2D
from kerasgan.media import Image
from kerasgan.patches import check_upsampling, default_patch_steps, doubled, normal, patch_logits
from kerasgan.precision import policy
from kerasgan.sizes import halvings
from kerasgan.structures import count_of
from kerasgan.translator import Translator

_FEW, _MANY, _LARGE = 6, 9, 256  # residual blocks, as in the paper, below and from so many pixels on


# The networks --------------------------------------------------------------------------------------------------------


def convolution(x, filters, size, strides=1):
    """Convolution, over an image that is continued as in a mirror, and instance normalization."""
    if strides == 1:
        x = Conv2D(filters, size, use_bias=False, kernel_initializer=normal())(ReflectionPadding2D(size // 2)(x))
    else:
        x = Conv2D(filters, size, strides, padding="same", use_bias=False, kernel_initializer=normal())(x)
    return InstanceNormalization()(x)


def residual_block(x):
    y = layers.ReLU()(convolution(x, x.shape[-1], 3))
    return layers.Add()([x, convolution(y, x.shape[-1], 3)])


def build_translator(shape, channels, width, blocks, upsampling, name):
    """Images -> images of as many pixels in [-1, 1]: two halvings, residual blocks, two doublings."""
    images = keras.Input(shape, name="images")
    x = layers.ReLU()(convolution(images, width, 7))
    for level in (1, 2):
        x = layers.ReLU()(convolution(x, width * 2**level, 3, strides=2))
    for _ in range(blocks):
        x = residual_block(x)
    for level in (1, 0):
        x = layers.ReLU()(InstanceNormalization()(doubled(x, width * 2**level, upsampling)))
    x = Conv2D(channels, 7, kernel_initializer=normal())(ReflectionPadding2D(3)(x))
    x = layers.Activation("tanh", dtype="float32", name="translations")(x)
    return keras.Model(images, x, name=name)


def build_generator(shapes, width, blocks, upsampling):
    """[images of A, images of B] -> pairs of what is made of them: of B an A, of A a B, on top of each other."""
    a, b = (keras.Input(shape, name=name) for name, shape in zip(("a", "b"), shapes, strict=True))
    a_to_b = build_translator(shapes[0], shapes[1][2], width, blocks, upsampling, "a_to_b")
    b_to_a = build_translator(shapes[1], shapes[0][2], width, blocks, upsampling, "b_to_a")
    pairs = layers.Concatenate(dtype="float32", name="translations")([b_to_a(b), a_to_b(a)])
    return keras.Model([a, b], pairs, name="generator")


def build_discriminator(shapes, width, steps):
    """Pairs -> logits of the patches of both: channel 0 says whether the A is real, channel 1 whether the B is."""
    pairs = keras.Input((*shapes[0][:2], shapes[0][2] + shapes[1][2]), name="samples")
    channels = shapes[0][2]
    images = pairs[..., :channels], pairs[..., channels:]
    logits = layers.Concatenate()([patch_logits(image, width, steps) for image in images])
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(pairs, logits, name="discriminator")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class CycleGAN(Translator):
    """CycleGAN (Zhu, Park, Isola & Efros, 2017, arXiv:1703.10593).

    Two translators and two discriminators: each translator has to make what the discriminator of its domain takes for
    real, and what one translator makes, the other has to turn back into what it was (cycle consistency, weight 10, the
    mean absolute difference). An image that is of the wanted domain already has to stay as it is (identity, weight 5).
    Least squares; discriminators learn from the last 50 images of each kind, not from the newest alone; Adam 2e-4
    (0.5, 0.999), batches of one image of each domain.

    The paper's rate stays for the first half of a training of 200 epochs and falls to zero in the second. How long that
    is belongs to a training: for 1000 images, `compile(learning_rate="linear(2e-4, 0, 200000, 100000)")`.

    The two translators are one player here, and the two discriminators are the other; an optimizer each is the same as
    two, for Adam treats every weight by itself.

    Changed from the paper: transposed convolutions of 4x4 instead of 3x3, whose kernel the stride divides, against
    checkerboards; patches of 34x34 for images of fewer than 128 pixels; no identity loss where domains differ in their
    channels; a moving average of the translators.

    Args:
        image_shape: (height, width, channels) of images of B; height and width multiples of 8.
        source_channels: channels of images of A: 1, 3 or 4. None takes those of B.
        width: channels of the translators' outermost maps; inner ones have up to 4 times as many. The paper's: 64.
        discriminator_width: channels of the discriminators' first maps; None takes the translators'. The paper's: 64.
        blocks: residual blocks of a translator; None takes 6 for images of fewer than 256 pixels, else 9.
        upsampling: "transposed" convolutions, or "nearest", convolutions of doubled pixels, as in `Pix2Pix`.
        patch_steps: strided convolutions of the discriminators, as in `Pix2Pix`.
        pool_size: images of each domain that discriminators learn from; 0 for the newest alone.
        seed, name, dtype: as in `kerasgan.GAN`.

    Example:

    ```python
    gan = kerasgan.models.CycleGAN(image_shape=(128, 128, 3))
    gan.compile()
    gan.fit(kerasgan.data.unpaired(("horses/", "zebras/"), size=128, batch_size=1, flip=True), epochs=100)
    zebras = gan.translate(horses)
    horses = gan.translate(zebras, direction="b_to_a")
    ```
    """

    starting = Starting(
        data={"reader": "unpaired", "size": 128, "channels": 3},
        model={"image_shape": (128, 128, 3)},
    )
    directions = ("a_to_b", "b_to_a")
    default_batch_size = 1
    default_loss = "least_squares"

    def __init__(
        self,
        image_shape=(256, 256, 3),
        source_channels=None,
        width=64,
        discriminator_width=None,
        blocks=None,
        upsampling="transposed",
        patch_steps=None,
        pool_size=50,
        seed=None,
        name=None,
        dtype=None,
    ):
        source_shape = (*image_shape[:2], image_shape[2] if source_channels is None else source_channels)
        check_upsampling(upsampling)
        halvings(image_shape)
        halvings(source_shape, "source_channels, image_shape")
        shapes = source_shape, tuple(image_shape)
        own_blocks = (_MANY if min(image_shape[:2]) >= _LARGE else _FEW) if blocks is None else blocks
        steps = default_patch_steps(image_shape) if patch_steps is None else patch_steps
        with policy(dtype, seed):
            super().__init__(
                build_generator(shapes, width, own_blocks, upsampling),
                build_discriminator(shapes, discriminator_width or width, steps),
                media=Image(image_shape),
                source_media=Image(source_shape),
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.pool = None
        if pool_size:
            shape = (pool_size, *self.discriminator.inputs[0].shape[1:])
            self.pool = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="pool", dtype="float32")
            self.pooled = self._counter("pooled")
            self.counters += [self.pool, self.pooled]

    @property
    def default_weights(self):
        """As in the paper, where losses of both domains are summed and the adversarial one has no factor of 1/2."""
        same = self.source_media.shape == self.media.shape
        return {"adversarial": 4.0, "cycle": 10.0, **({"identity": 5.0} if same else {})}

    def translator(self, direction, network):
        return network.get_layer(direction)

    def sources_for(self, batch):
        """Pairs of images of A and of B."""
        return batch.real

    def call_generator(self, sources, condition=None, training=True):
        """Pairs of images of A and of B -> pairs of an A made of the B and a B made of the A."""
        return self.generator(list(self.split(sources)), training=training)

    def generator_terms(self, batch):
        """Both ways there and back, and what is there already, as sums over the domains of mean differences."""
        real = batch.real
        a, b = self.split(real)
        there_and_back = self.call_generator(batch.fake)  # of the A made of b a B, of the B made of a an A
        terms = {"cycle": _difference(there_and_back, real, a.shape[-1])}
        if "identity" in self.default_weights:
            same = self.call_generator(tf.concat([b, a], axis=-1))
            terms["identity"] = _difference(same, real, a.shape[-1])
        return terms

    def discriminator_gradients(self, batch):
        if self.pool is not None:
            batch = batch._replace(fake=self._exchanged(batch.fake))
        return super().discriminator_gradients(batch)

    def _exchanged(self, fake):
        """Generated pairs as the discriminators get them: every other one is an earlier one, which it replaces.

        The two images of a pair are exchanged apart from each other. Until the pool is full, all are put into it and
        none is taken out. Of several devices, each has the pool of all.
        """
        fake = tf.cast(fake, tf.float32)
        strategy = tf.distribute.get_strategy()
        own = count_of(fake)
        newest = fake
        if strategy.num_replicas_in_sync > 1:
            newest = tf.distribute.get_replica_context().all_gather(fake, axis=0)
        size = self.pool.shape[0]
        newest, beyond = newest[:size], newest[size:]  # of a batch that is larger than the pool
        count = newest.shape[0] or tf.shape(newest)[0]
        pool, pooled = tf.convert_to_tensor(self.pool.value), tf.cast(self.pooled.value, tf.int32)
        order = tf.argsort(tf.random.stateless_uniform((size,), self.shared_seed()))
        is_full = pooled >= size
        slots = tf.where(is_full, order, (pooled + tf.range(size)) % size)[:count]
        draws = tf.random.stateless_uniform((2, size), self.shared_seed())[:, :count] < 0.5
        swapped = is_full & draws  # (2, count): domains, rows
        channels = self.source_media.shape[-1]
        swapped = tf.concat(
            [tf.repeat(swapped[i][:, None], n, axis=1) for i, n in enumerate((channels, fake.shape[-1] - channels))], 1
        )[:, None, None]
        stored = tf.gather(pool, slots)
        put = tf.where(is_full, tf.where(swapped, newest, stored), newest)
        self.pool.assign(tf.tensor_scatter_nd_update(pool, slots[:, None], put))
        self.pooled.assign(tf.cast(tf.minimum(pooled + count, size), tf.int64))
        given = tf.concat([tf.where(swapped, stored, newest), beyond], axis=0)
        if strategy.num_replicas_in_sync > 1:
            first = tf.distribute.get_replica_context().replica_id_in_sync_group * own
            given = given[first : first + own]
        return given


def _difference(one, other, channels):
    """Mean absolute difference of the first domain plus that of the second."""
    difference = tf.abs(tf.cast(one, tf.float32) - tf.cast(other, tf.float32))
    return tf.reduce_mean(difference[..., :channels]) + tf.reduce_mean(difference[..., channels:])
