"""tempoGAN: smoke of four times the resolution, with detail that moves as smoke does."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import bars, bicubic, coarse, tiles
from kerasgan.checks import is_whole
from kerasgan.game.pretraining import Pretraining
from kerasgan.gan_types import Starting
from kerasgan.layers import BilinearUpsampling2D, Conv2D
from kerasgan.media import Fields
from kerasgan.media.puffs import puffs
from kerasgan.precision import full_precision, in_float32, policy
from kerasgan.tasks import FLOW_UPSCALING
from kerasgan.upscaler import Upscaler

SCALE = 4
FRAMES = 3  # that the temporal discriminator sees: before, now, after
REACH = 4  # cells of the low resolution that the generator sees beyond its own: 5 at twice the size, 4 at four times

_CHUNK = 24  # frames that are enlarged at a time


# Networks ------------------------------------------------------------------------------------------------------------


def build_generator(width, name="generator"):
    """Fields (batch, height, width, 3) of any size -> densities (batch, 4 * height, 4 * width, 1)."""
    fields = keras.Input((None, None, 3), name="fields")
    doubled = BilinearUpsampling2D(dtype="float32")(fields)
    x = _block(doubled, max(2, width // 2), width)
    x = _block(x, width, max(2, width // 2))
    x = BilinearUpsampling2D()(x)
    x = _block(x, max(2, width // 2), max(2, width // 4))
    x = _block(x, max(2, width // 4), 1, activate=False)
    smooth = BilinearUpsampling2D(dtype="float32")(doubled[..., :1])
    density = layers.ReLU(dtype="float32", name="density")(layers.Add(dtype="float32")([smooth, x]))
    return keras.Model(fields, density, name=name)


def _block(x, inner, outer, activate=True):
    """Two convolutions beside one of 1x1."""
    y = layers.ReLU()(Conv2D(inner, 3, padding="same")(x))
    y = layers.Add()([Conv2D(outer, 3, padding="same")(y), Conv2D(outer, 1)(x)])
    return layers.ReLU()(y) if activate else y


def build_discriminator(size, width, name="discriminator"):
    """Both discriminators: what they see of a sample -> logits (batch, 2), of the spatial one and of the temporal one.

    The spatial one sees the density of a frame beside that of the low resolution, its cells repeated; the temporal one
    the densities of three frames that were moved onto each other.
    """
    pair = keras.Input((size, size, 2), name="pair")
    frames = keras.Input((size, size, FRAMES), name="frames")
    logits = layers.Concatenate()([_judge(pair, width), _judge(frames, width)])
    return keras.Model([pair, frames], layers.Activation("linear", dtype="float32", name="logits")(logits), name=name)


def _judge(x, width):
    for factor, strides in ((1, 2), (2, 2), (4, 2), (8, 1)):
        x = layers.LeakyReLU(0.2)(Conv2D(factor * width, 4, strides, padding="same")(x))
    return layers.Dense(1)(layers.Flatten()(x))


def warp(frames, velocity):
    """Frames as the flow carries them in a step: each cell takes what was where a step back leads, bilinearly.

    The same as `kerasgan.advection.advect`, for batches, and with gradients for the frames.

    Args:
        frames: float32 (batch, height, width, channels).
        velocity: float32 (batch, height, width, 2), to the right and downward, cells a step.
    """
    count, (_, height, width, channels) = tf.shape(frames)[0], frames.shape
    flat = tf.reshape(frames, (count, height * width, channels))
    x = tf.clip_by_value(tf.range(width, dtype=tf.float32) - velocity[..., 0], 0.0, width - 1.0)
    y = tf.clip_by_value(tf.range(height, dtype=tf.float32)[:, None] - velocity[..., 1], 0.0, height - 1.0)
    left, top = tf.floor(x), tf.floor(y)

    def mixed(row):
        """Of two neighbours in a row, by how near they are."""
        ends = (tf.cast(row, tf.int32) * width + tf.cast(tf.minimum(left + at, width - 1.0), tf.int32) for at in (0, 1))
        one, other = (tf.gather(flat, end, batch_dims=1) for end in ends)
        return one + (x - left)[..., None] * (other - one)

    above, below = mixed(top), mixed(tf.minimum(top + 1, height - 1.0))
    return above + (y - top)[..., None] * (below - above)


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class TempoGAN(Pretraining, Upscaler):
    """tempoGAN (Xie, Franz, Chu & Thuerey, 2018, arXiv:1801.09710): super-resolution of smoke by four.

    The generator makes the density of a frame of four times the resolution, of its density and velocity on the coarse
    grid. Each frame is made by itself; that they fit together is what two discriminators see to. The spatial one sees a
    frame beside its low resolution. The temporal one sees three frames in a row, the first and the last of which the
    velocity has carried to the middle one: A(x[t-1], v[t-1]), x[t], A(x[t+1], -v[t+1]), with A the step back along the
    velocity and bilinear interpolation. Of smoke they agree but for what the flow changes; of detail that flickers they
    do not. The velocity is that of the low resolution, enlarged and in the finer cells' unit. The generator's loss is
    the sum of what both say and five times the mean absolute difference.

    It is trained on tiles of three frames (`kerasgan.data.fields`); their low resolution is made here, by averages of
    4x4 cells, the velocity by a quarter, since a cell is four times as large.

    Changed from the paper: a quarter of its channels at half the size, where the first two of the four residual blocks
    compute, and convolutions of 3x3 instead of 5x5: about a tenth of its arithmetic; its last block has more than 2
    channels. What it is given is doubled bilinearly, not repeated, and so are its maps between the blocks; its last
    convolution adds to the density, made larger so, what that lacks: of repeated cells a lattice stayed in the smoke,
    in place of detail, which stood still and so flickered. No batch normalization in either player, since tiles full of
    smoke have other statistics than whole frames, which are mostly empty. Three frames are generated at once, of which
    the spatial discriminator sees the middle one. The velocity is enlarged by the bicubic kernel. The loss of
    discriminator features, which the paper's code rewards for being different by a weight of -1e-5, is left out, and so
    is the vorticity as a further input. Before the game the generator learns from squared differences alone
    (`pretraining`). The game may have a term `motion` (`weights`, 0 by default): what of the differences from the truth
    does not move with the smoke, as the two frames beside one, carried to it, show. It is the nearest to the temporal
    loss that the paper compares its discriminator with. The moving average of the generator makes what people see.

    Args:
        size: cells along each edge of the tiles, of the fine grid, a multiple of 4 of at least 8.
        width: channels of the generator's two blocks at twice the size of its input; the later ones have fewer.
        discriminator_width: channels of the first layer of each discriminator; the paper's is 32.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        tile: height and width of the coarse fields that the exported network takes.
        seed, name, dtype: as in `Game`.

    Example:

    ```python
    gan = kerasgan.models.TempoGAN()
    gan.compile()
    gan.fit(kerasgan.data.fields("smoke/", size=64, batch_size=8), epochs=100)
    larger = gan.upscale(kerasgan.data.sequence("low.npz"))
    gan.task.save(larger, "high.webp")
    ```
    """

    task = FLOW_UPSCALING
    starting = Starting(
        data={"reader": "fields", "size": 64},
        model={"size": 64},
        largest_batch=8,
    )
    checked_samples = 8  # and remembered: a tile of three frames is large
    default_weights = {"adversarial": 2.0, "l1": 5.0, "motion": 0.0}  # 2: of a mean of two logits

    def __init__(
        self,
        size=64,
        width=64,
        discriminator_width=16,
        pretraining=8_000,
        tile=32,
        seed=None,
        name=None,
        dtype=None,
    ):
        if not is_whole(size, 8) or size % SCALE:
            raise ValueError(f"size={size!r}: expected a multiple of {SCALE} of at least 8, the edge of a tile.")
        for argument, value in (("width", width), ("discriminator_width", discriminator_width)):
            if not is_whole(value):
                raise ValueError(f"{argument}={value!r}: expected a whole number of channels.")
        pretraining = self.check_pretraining(pretraining)
        with policy(dtype, seed):
            super().__init__(
                build_generator(width),
                build_discriminator(size, discriminator_width),
                media=Fields((FRAMES, size, size)),
                scale=SCALE,
                reach=REACH,
                tile=tile,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.set_pretraining(pretraining)

    # What the players see --------------------------------------------------------------------------------------------

    def unpack(self, data):
        """(densities (batch, 3, size, size, 1), the low resolution (batch, 3, size / 4, size / 4, 3))."""
        samples, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        samples = tf.cast(samples, tf.float32)
        _, frames, height, width, channels = samples.shape
        cells = (-1, frames, height // SCALE, SCALE, width // SCALE, SCALE, channels)
        low = tf.reduce_mean(tf.reshape(samples, cells), axis=(3, 5)) / coarse.units(SCALE)
        low.set_shape((samples.shape[0], *low.shape[1:]))
        return samples[..., :1], low

    def sources_for(self, batch):
        """The low resolution, float32 (batch, 3, size / 4, size / 4, 3)."""
        return batch.condition

    def call_generator(self, sources, condition=None, training=True):
        """Densities of all three frames, each made by itself: (batch, 3, size, size, 1)."""
        return _of_frames(lambda frames: self.generator(frames, training=training), sources)

    def call_discriminator(self, samples, condition=None, training=True):
        """Logits (batch, 2) of densities and their low resolution: of the middle frame, and of all three aligned."""
        samples = tf.cast(samples, tf.float32)
        middle = condition[:, 1, ..., :1]
        repeated = tf.repeat(tf.repeat(middle, SCALE, axis=1), SCALE, axis=2)
        pair = tf.concat([repeated, samples[:, 1]], axis=-1)
        return self.discriminator([pair, aligned(samples, condition)], training=training)

    # Losses ----------------------------------------------------------------------------------------------------------

    def pretraining_loss(self, batch):
        """Squared differences of the density."""
        fake = tf.cast(self.call_generator(batch.sources), tf.float32)
        return tf.reduce_mean(tf.square(fake - batch.real))

    def generator_terms(self, batch):
        """Absolute differences of the density, and of what the frames beside one, carried to it, are away from it."""
        wrong = tf.cast(batch.fake, tf.float32) - batch.real
        beside, middle = tf.gather(aligned(wrong, batch.condition), [0, 2], axis=-1), wrong[:, 1]
        return {"l1": tf.reduce_mean(tf.abs(wrong)), "motion": tf.reduce_mean(tf.abs(beside - middle))}

    # The verb --------------------------------------------------------------------------------------------------------

    def upscale(self, fields, tile=128, overlap=16):
        """Sequences of four times the resolution, by the moving average of the generator, in float32.

        Args:
            fields: floats (frames, height, width, 3) of any size, density and velocity on the coarse grid, as in
                `kerasgan.media.Fields`; or a batch of these.
            tile: height and width of what is computed at a time, which decides how much memory that takes.
            overlap: cells that a tile sees beyond those that it is there for; at most a quarter of `tile`. With
                `gan.reach`, the result is that of the whole frame at once.

        Returns:
            float32, the same axes, height and width four times as long: the density that was made, and the velocity
            between that of the coarse grid (by the bicubic kernel), in cells of the fine one.

        Raises:
            ValueError: an argument is not what it should be.
        """
        fields = np.asarray(fields)
        if fields.dtype.kind != "f" or fields.ndim not in (4, 5) or fields.shape[-1] != 3 or not fields.size:
            raise ValueError(
                f"fields has shape {fields.shape} and dtype {fields.dtype}; expected floats (frames, height, width, 3) "
                "or (count, frames, height, width, 3): density, and velocity to the right and downward."
            )
        if not np.isfinite(fields).all():
            raise ValueError("fields holds NaN or infinite values.")
        tiles.check_tiles(tile, overlap)
        larger = coarse.enlarge(fields, SCALE)
        frames = fields.reshape(-1, *fields.shape[-3:]).astype("float32")
        densities = larger.reshape(-1, *larger.shape[-3:])  # the same memory
        with full_precision(self.ema_generator):
            for number, frame in enumerate(bars.over(frames, "Upscaling", "frames", delay=3)):
                densities[number, ..., 0] = self._density(frame, tile, overlap)
        return larger

    def _density(self, frame, tile, overlap):
        """The fine density of a frame, float32 (height, width), put together of tiles that see more than they give."""
        height, width, _ = frame.shape
        step = tile - 2 * overlap if max(height, width) > tile else tile
        density = np.empty((SCALE * height, SCALE * width), "float32")
        for top in range(0, height, step):
            for left in range(0, width, step):
                first = max(0, top - overlap), max(0, left - overlap)
                seen = frame[first[0] : top + step + overlap, first[1] : left + step + overlap]
                made = np.asarray(self._frames_network(seen[None]))[0, ..., 0]
                rows, columns = (
                    slice(SCALE * (at - before), SCALE * (at - before + step))
                    for at, before in zip((top, left), first, strict=True)
                )
                place = (slice(SCALE * at, SCALE * (at + step)) for at in (top, left))
                density[tuple(place)] = made[rows, columns]
        return density

    @property
    def _frames_network(self):
        """The generator for frames of any size: traced once."""
        if "frames" not in self._tiled:
            specification = tf.TensorSpec((1, None, None, 3), tf.float32)
            run = lambda fields: self.ema_generator(fields, training=False)  # noqa: E731
            self._tiled["frames"] = tf.function(run, autograph=False, input_signature=[specification])
        return self._tiled["frames"]

    # What callbacks look at ------------------------------------------------------------------------------------------

    def shrunk(self, originals):
        return coarse.shrink(originals, SCALE)

    def plainly_enlarged(self, low):
        return coarse.enlarge(low, SCALE)

    def enlarged(self, network, low):
        """Samples in model range: the density that a network makes, the velocity enlarged."""
        frames = low.reshape(-1, *low.shape[-3:])
        made = [network(frames[i : i + _CHUNK], training=False) for i in range(0, len(frames), _CHUNK)]
        larger = coarse.enlarge(low, SCALE)
        larger[..., 0] = np.concatenate(made).reshape(larger.shape[:-1])
        return larger

    def made_up(self, media, count, seed):
        return puffs(count, *media.shape[:3], seed)

    # Export ----------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: coarse fields (batch, tile, tile, 3) -> densities (batch, 4 * tile, 4 * tile, 1)."""
        fields = keras.Input((self.tile, self.tile, 3), name="fields")
        return keras.Model(fields, in_float32(self.ema_generator)(fields, training=False))

    def inference_inputs(self, count, seed=0):
        """Made-up smoke for `inference_network`: {"fields": float32 (count, tile, tile, 3)}."""
        if not is_whole(count):
            raise ValueError(f"count={count!r}: expected a whole number of at least 1.")
        return {"fields": self.shrunk(puffs(count, 1, SCALE * self.tile, SCALE * self.tile, seed))[:, 0]}

    def inference_description(self):
        """See `kerasgan.GAN.inference_description`; `reach` is how far tiles have to overlap to leave no seam."""
        return [{"name": "fields", "kind": "fields", "range": None, "reach": self.reach}]

    def inference_outputs(self):
        return [{"name": "density", "kind": "density", "range": None}]


def aligned(densities, low):
    """The frames before and after, carried to the one between them: (batch, 3, h, w, 1) -> (batch, h, w, 3)."""
    before, after = (_finer_velocity(low[:, frame, ..., 1:]) for frame in (0, 2))
    first = warp(densities[:, 0], before)
    last = warp(densities[:, 2], -after)
    return tf.concat([first, densities[:, 1], last], axis=-1)


def _finer_velocity(velocity):
    """Coarse velocities (batch, height, width, 2) on the fine grid, in its cells."""
    height, width = velocity.shape[1:3]
    rows, columns = (tf.constant(bicubic.matrix(side, SCALE * side), tf.float32) for side in (height, width))
    velocity = tf.einsum("jw,nhwc->nhjc", columns, velocity)
    return SCALE * tf.einsum("ih,nhjc->nijc", rows, velocity)


def _of_frames(network, sequences):
    """What a network of frames makes of sequences (batch, frames, ...)."""
    count, frames = tf.shape(sequences)[0], sequences.shape[1]
    made = network(tf.reshape(sequences, (-1, *sequences.shape[2:])))
    made = tf.reshape(made, (count, frames, *made.shape[1:]))
    made.set_shape((sequences.shape[0], *made.shape[1:]))
    return made
