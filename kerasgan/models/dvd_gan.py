"""DVD-GAN: a GAN of video clips, with one discriminator for single frames and one for how they move."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.checks import is_whole
from kerasgan.continuer import Continuer
from kerasgan.game.pretraining import Pretraining
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import (
    BatchNormalization,
    Conv2D,
    Conv3D,
    DownsamplingConv2D,
    SpectralNormalization,
    UpsamplingConv2D,
)
from kerasgan.media import Video
from kerasgan.precision import policy
from kerasgan.sizes import upsampling_stages

SMALLEST = 4  # pixels of the shorter side down to which the discriminators halve
_NORM = {"momentum": 0.9, "epsilon": 1e-5}


def channels_of(image_shape, width):
    """Channels of the generator's maps at each scale, from the smallest one to the frame's own.

    (32, 32), width 32: [128, 96, 64, 32] at 4, 8, 16 and 32 pixels.

    Raises:
        ValueError: no such networks for this `image_shape`; see `kerasgan.sizes.upsampling_stages`.
    """
    stages = upsampling_stages(image_shape)
    return [width * (stages + 1 - scale) for scale in range(stages + 1)]


# Clips and their frames ----------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class FramesApart(layers.Layer):
    """(batch, frames, ...) -> (batch * frames, ...): the frames of a clip one behind the other, as images."""

    def call(self, inputs):
        return tf.reshape(inputs, (-1, *inputs.shape[2:]))

    def compute_output_shape(self, input_shape):
        batch, frames, *rest = input_shape
        return (batch and batch * frames, *rest)


@keras.saving.register_keras_serializable(package="kerasgan")
class FramesTogether(layers.Layer):
    """(batch * frames, ...) -> (batch, frames, ...): the opposite of `FramesApart`."""

    def __init__(self, frames, **kwargs):
        super().__init__(**kwargs)
        self.frames = frames

    def call(self, inputs):
        return tf.reshape(inputs, (-1, self.frames, *inputs.shape[1:]))

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape
        return (batch and batch // self.frames, self.frames, *rest)

    def get_config(self):
        return {**super().get_config(), "frames": self.frames}


@keras.saving.register_keras_serializable(package="kerasgan")
class SomeFrames(layers.Layer):
    """Takes `count` frames of each clip, in their order: in training drawn anew for each, else evenly spaced ones.

    Input shape: (batch, frames, ...). Output shape: (batch, count, ...).

    Args:
        count: how many, at most as many as there are.
        seed: integer that the draws follow from; None takes Keras's.
    """

    def __init__(self, count, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.count, self.seed = count, seed
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        frames = inputs.shape[1]
        if not training:
            step = (frames - 1) / max(1, self.count - 1)
            return tf.gather(inputs, [round(number * step) for number in range(self.count)], axis=1)
        seed = tf.cast(self.seeds.next(), tf.int32)
        drawn = distribution.own_rows(
            lambda batch: tf.random.stateless_uniform((batch, frames), seed), tf.shape(inputs)[0]
        )
        chosen = tf.sort(tf.math.top_k(drawn, self.count).indices, axis=1)  # each set of frames is as likely
        return tf.ensure_shape(tf.gather(inputs, chosen, axis=1, batch_dims=1), (None, self.count, *inputs.shape[2:]))

    def compute_output_shape(self, input_shape):
        batch, _, *rest = input_shape
        return (batch, self.count, *rest)

    def get_config(self):
        return {**super().get_config(), "count": self.count, "seed": self.seed}


# The generator -------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class ConvGRU(layers.Layer):
    """A convolutional GRU (Ballas et al., 2016, arXiv:1511.06432) over the frames of a clip, unrolled.

    With * for a convolution of 3x3 pixels, x the input, h the output of a frame and a the activation, as in DVD-GAN's
    appendix:

        r = sigmoid(W_r * [h', x]), u = sigmoid(W_u * [h', x]), c = a(W_c * [r h', x]), h = u h' + (1 - u) c

    where h' is that of the frame before; for the first one it is a state that is given, or else a(W_c * [0, x]) of its
    own x: with zero, the first frame would be made by other means than all that follow, and fade in. (Convolutions
    of x and of h' are two layers here, so that those of x are computed for all frames at once.)

    Args:
        filters: channels of the output.
        frames: how many.
        activation: "relu", which is DVD-GAN's, or "tanh", which is Ballas's.

    Input shape: (batch, frames, height, width, channels), or (batch, height, width, channels) for the same input in all
        frames; or a list of such an input and the state before the first frame, (batch, height, width, filters).
    Output shape: (batch, frames, height, width, filters).
    """

    def __init__(self, filters, frames, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.frames, self.activation = filters, frames, keras.activations.get(activation)
        options = {"padding": "same", "kernel_initializer": "orthogonal", "dtype": self.dtype_policy}
        self.of_input = Conv2D(3 * filters, 3, name="of_input", **options)
        self.of_state = Conv2D(2 * filters, 3, use_bias=False, name="of_state", **options)
        self.of_reset_state = Conv2D(filters, 3, use_bias=False, name="of_reset_state", **options)

    def build(self, input_shape):
        input_shape = _first(input_shape)
        self.of_input.build((None, *input_shape[-3:]))
        for layer in (self.of_state, self.of_reset_state):
            layer.build((None, *input_shape[-3:-1], self.filters))

    def call(self, inputs):
        inputs, state = inputs if isinstance(inputs, (list, tuple)) else (inputs, None)
        from_inputs, outputs = self._from_inputs(inputs), []
        if state is None:
            state = self.activation(tf.split(from_inputs[0], 3, axis=-1)[-1])
        for from_input in from_inputs:
            reset, keep, new = tf.split(from_input, 3, axis=-1)
            reset_by_state, keep_by_state = tf.split(self.of_state(state), 2, axis=-1)
            reset, keep = tf.sigmoid(reset + reset_by_state), tf.sigmoid(keep + keep_by_state)
            state = keep * state + (1.0 - keep) * self.activation(new + self.of_reset_state(reset * state))
            outputs.append(state)
        return tf.stack(outputs, axis=1)

    def _from_inputs(self, inputs):
        """What the inputs add to the gates and to the candidate, for each frame."""
        if len(inputs.shape) == 4:
            return [self.of_input(inputs)] * self.frames
        apart = self.of_input(tf.reshape(inputs, (-1, *inputs.shape[2:])))
        return tf.unstack(tf.reshape(apart, (-1, self.frames, *apart.shape[1:])), axis=1)

    def compute_output_shape(self, input_shape):
        input_shape = _first(input_shape)
        return (input_shape[0], self.frames, *input_shape[-3:-1], self.filters)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "filters": self.filters, "frames": self.frames, "activation": activation}


def _first(shapes):
    """The shape of the only input, or of the first one."""
    return shapes[0] if isinstance(shapes[0], (list, tuple)) else shapes


@keras.saving.register_keras_serializable(package="kerasgan")
class LatentBatchNormalization(layers.Layer):
    """Batch normalization of frames whose gain and bias are linear in the clip's latents (Brock et al., 1809.11096).

    Mean and variance are those over all clips and frames. The frames of a clip have the same gain, 1 + A z, and bias.

    Args:
        frames: of a clip.

    Input: maps (batch * frames, height, width, channels), latents (batch, latent_dim). Output: such maps.
    """

    def __init__(self, frames, **kwargs):
        super().__init__(**kwargs)
        self.frames = frames
        self.normalization = BatchNormalization(
            center=False, scale=False, dtype=self.dtype_policy, name="normalization", **_NORM
        )

    def build(self, input_shape):
        maps, latents = input_shape
        self.normalization.build(maps)
        options = {"use_bias": False, "kernel_initializer": "orthogonal", "dtype": self.dtype_policy}
        self.gain, self.bias = (layers.Dense(maps[-1], name=name, **options) for name in ("gain", "bias"))
        for layer in (self.gain, self.bias):
            layer.build(latents)

    def call(self, inputs, training=None):
        maps, latents = inputs
        # Repeated, not tiled: the frames of a clip lie together.
        gain, bias = (tf.repeat(layer(latents), self.frames, axis=0)[:, None, None] for layer in (self.gain, self.bias))
        return self.normalization(maps, training=training) * (1.0 + gain) + bias

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "frames": self.frames}


def build_generator(frames, image_shape, latent_dim, width, recurrent, activation):
    """Latents -> clips in [-1, 1]."""
    latents = keras.Input((latent_dim,), name="latents")
    clips = moving(latents, frames, image_shape, width, [None] * recurrent, activation)
    return keras.Model(latents, clips, name="generator")


def build_continuing_generator(frames, given_frames, image_shape, latent_dim, width, recurrent, activation):
    """[Latents, given frames in [-1, 1]] -> whole clips, which begin with these frames."""
    latents = keras.Input((latent_dim,), name="latents")
    given = keras.Input((given_frames, *image_shape), name="given")
    states = states_of(given, channels_of(image_shape, width), recurrent)
    made = moving(latents, frames - given_frames, image_shape, width, states, activation)
    clips = layers.Concatenate(axis=1, dtype="float32", name="clips")([given, made])
    return keras.Model([latents, given], clips, name="generator")


def moving(latents, frames, image_shape, width, states, activation):
    """Small maps, which ConvGRUs set in motion, then residual blocks frame by frame: clips in [-1, 1].

    Args:
        states: those that the ConvGRUs begin with, one for each, from the smallest scale on; None for zero.
        activation: of the ConvGRUs.
    """

    def recurrence(x, state, channels):
        return ConvGRU(channels, frames, activation)(x if state is None else [x, state])

    first, *others = channels_of(image_shape, width)
    start = [side // 2 ** len(others) for side in image_shape[:2]]
    x = layers.Dense(start[0] * start[1] * first, kernel_initializer="orthogonal")(latents)
    x = recurrence(layers.Reshape((*start, first))(x), states[0], first)
    for scale, channels in enumerate(others, 1):
        x = upsampling_block(FramesApart()(x), latents, channels, frames)
        x = FramesTogether(frames)(x)
        if scale < len(states):
            x = recurrence(x, states[scale], channels)
    x = layers.ReLU()(BatchNormalization(**_NORM)(FramesApart()(x)))
    x = Conv2D(image_shape[2], 3, padding="same", kernel_initializer="orthogonal")(x)
    return FramesTogether(frames, dtype="float32")(layers.Activation("tanh", dtype="float32")(x))


def states_of(given, channels, recurrent):
    """What the given frames come to at the scales of the ConvGRUs, from the smallest one on: maps of their channels.

    The frames are seen together, as channels of one image, by residual blocks, each of which but the first one halves.
    """
    frames, height, width, colours = given.shape[1:]
    x = layers.Reshape((height, width, frames * colours))(layers.Permute((2, 3, 1, 4))(given))
    x, states = block(x, channels[-1], plain_convolution, is_first=True, down=False), []
    for scale in reversed(range(len(channels))):
        if scale < len(channels) - 1:
            x = block(x, channels[scale], plain_convolution)
        if scale < recurrent:
            states.append(layers.ReLU()(plain_convolution(layers.ReLU()(x), channels[scale], 3, False)))
    return states[::-1]


def upsampling_block(x, latents, channels, frames):
    """Normalization, ReLU, doubling, convolution, normalization, ReLU, convolution; beside it doubling and 1x1."""
    options = {"kernel_initializer": "orthogonal"}
    shortcut = UpsamplingConv2D(channels, 1, **options)(x)
    x = layers.ReLU()(LatentBatchNormalization(frames)([x, latents]))
    x = UpsamplingConv2D(channels, 3, **options)(x)
    x = layers.ReLU()(LatentBatchNormalization(frames)([x, latents]))
    x = Conv2D(channels, 3, padding="same", **options)(x)
    return layers.Add()([x, shortcut])


# The discriminators --------------------------------------------------------------------------------------------------


def build_discriminator(frames, image_shape, width, judged_frames, downsampling, seed=None, given_frames=0):
    """Clips -> two logits, (batch, 2): that of the spatial discriminator, and that of the temporal one.

    Args:
        given_frames: of the beginning, which the spatial one does not see: they are real in any case.
    """
    clips = keras.Input((frames, *image_shape), name="samples")
    judged_frames = min(judged_frames, frames - given_frames)
    others = layers.Cropping3D(((given_frames, 0), (0, 0), (0, 0)))(clips) if given_frames else clips
    both = [spatial_logit(others, width, judged_frames, seed), temporal_logit(clips, width, downsampling)]
    logits = layers.Concatenate(dtype="float32", name="logits")(both)
    return keras.Model(clips, logits, name="discriminator")


def spatial_logit(clips, width, judged_frames, seed):
    """Some frames at their full size, each judged by itself: the sum of their logits, (batch, 1)."""
    x = FramesApart()(SomeFrames(judged_frames, seed)(clips))
    x, channels = block(x, width, convolution, is_first=True), width
    while min(x.shape[1:3]) > SMALLEST:
        channels = min(2 * channels, 4 * width)
        x = block(x, channels, convolution)
    logits = judged(block(x, channels, convolution, down=False))
    return summed(FramesTogether(judged_frames, dtype="float32")(logits), judged_frames)


def temporal_logit(clips, width, downsampling):
    """All frames, so many times smaller: two blocks see neighbours in time, too; what follows judges each by itself."""
    x = mean_of((1, downsampling, downsampling))(clips) if downsampling > 1 else clips
    x = block(x, width, convolution_in_time, is_first=True)
    x, channels = block(x, 2 * width, convolution_in_time), 2 * width
    frames = x.shape[1]
    x = FramesApart()(x)
    while min(x.shape[1:3]) > SMALLEST:
        channels = min(2 * channels, 4 * width)
        x = block(x, channels, convolution)
    logits = judged(block(x, channels, convolution, down=False))
    return summed(FramesTogether(frames, dtype="float32")(logits), frames)


def summed(logits, frames):
    """(batch, frames, 1) -> (batch, 1)."""
    mean = layers.GlobalAveragePooling1D(dtype="float32")(logits)
    return layers.Rescaling(frames, dtype="float32")(mean)


def judged(x):
    """Maps of frames -> a logit of each: ReLU, the sum over all pixels, a dense layer."""
    pixels = x.shape[1] * x.shape[2]
    x = layers.GlobalAveragePooling2D(dtype="float32")(layers.ReLU()(x))
    x = layers.Rescaling(pixels, dtype="float32")(x)
    return SpectralNormalization(layers.Dense(1, kernel_initializer="orthogonal", dtype="float32"))(x)


def block(x, channels, convolution, is_first=False, down=True):
    """A residual block: ReLU (not on a clip itself), convolution, ReLU, convolution, halving if it goes `down`.

    Beside it, a convolution of one pixel where size or channels change.
    """
    shortcut = convolution(x, channels, 1, down) if down or x.shape[-1] != channels else x
    x = x if is_first else layers.ReLU()(x)
    x = layers.ReLU()(convolution(x, channels, 3, False))
    return layers.Add()([convolution(x, channels, 3, down), shortcut])


def plain_convolution(x, channels, size, down):
    """A convolution; `down`: after which the mean of 2x2 pixels is taken."""
    kind = DownsamplingConv2D if down else Conv2D
    return kind(channels, size, padding="same", kernel_initializer="orthogonal")(x)


def convolution(x, channels, size, down):
    """A convolution of spectral norm 1 of single frames; `down`: after which the mean of 2x2 pixels is taken."""
    kind = DownsamplingConv2D if down else Conv2D
    return SpectralNormalization(kind(channels, size, padding="same", kernel_initializer="orthogonal"))(x)


def convolution_in_time(x, channels, size, down):
    """The same in time, too; `down`: after which the mean of 2x2 pixels of two frames is taken."""
    if down and size == 1:  # in either order it is the same
        x, down = mean_of(2)(x), False
    x = SpectralNormalization(Conv3D(channels, size, padding="same", kernel_initializer="orthogonal"))(x)
    return mean_of(2)(x) if down else x


def mean_of(pool):
    """Means of so many frames, rows and columns, in float32: on CPUs, TensorFlow has none in float16."""
    return layers.AveragePooling3D(pool, padding="same", dtype="float32")


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class DVDGAN(GAN):
    """DVD-GAN (Clark, Donahue & Simonyan, 2019, arXiv:1907.06571): clips, judged by a dual video discriminator.

    The spatial discriminator sees single frames at full size, drawn at random from each clip, and adds up their logits;
    the temporal one sees all frames at half the size (`downsampling`), and begins with convolutions in time. Neither
    could do the other's work at its price: all frames at full size would cost most. Both are one model with two logits
    here, each of which has a hinge loss of its own. The generator draws up small maps from the latents, sets them in
    motion by convolutional GRUs, and enlarges each frame by residual blocks, whose batch normalization has gain and
    bias from the latents, and statistics over clips and frames. Spectral normalization, two discriminator updates a
    generator update, Adam 1e-4 for the generator and 5e-4 for the discriminators, both (0, 0.999), orthogonal first
    weights.

    Changed from the paper, where clips of up to 256 pixels were learned by up to 512 TPU cores: networks a tenth as
    wide or less, with one ConvGRU at each of the two smallest scales (`recurrent`) instead of one at each scale, whose
    activation is tanh instead of ReLU (with which, in a short training, clips grow brighter from frame to frame), and
    one residual block a scale instead of two; no class labels; spectral normalization in the discriminators only; no
    self-attention; the temporal discriminator halves the number of frames in its first two blocks, and adds up the
    logits of what is left; the mean of both hinge losses instead of their sum, which is the same to Adam. Batches are
    as large as the data suggest instead of 512, and the moving average is as short as that takes.

    `DVDGANFP` goes on from frames that are given.

    Args:
        frames: of a clip, 4 or more.
        image_shape: (height, width, channels) of a frame; height and width multiples of 4, best of 16; 1 or 3 channels.
        frame_rate: frames a second, for files.
        latent_dim: length of the latent vector. The paper's is 120.
        width: channels of the maps at full size, and of the discriminators' first blocks.
        judged_frames: frames of a clip that the spatial discriminator sees, or all where there are fewer. The paper's
            number is 8.
        downsampling: 2 halves the frames for the temporal discriminator, as the paper's are; 1 does not, which takes
            longer and shows it the details of small frames.
        recurrent: at how many scales, from the smallest one on, there is a ConvGRU.
        activation: of the ConvGRUs, "tanh" or "relu".
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.DVDGAN(frames=16, image_shape=(32, 32, 1))
    gan.compile()
    gan.fit(kerasgan.data.moving_mnist("mnist.npz", length=16, size=32), epochs=16)
    gan.media.save(gan.generate(16), "digits.webp")
    ```
    """

    starting = Starting(
        data={"reader": "video", "length": 16, "size": 32, "channels": 3},
        model={"frames": 16, "image_shape": (32, 32, 3), "frame_rate": 10.0},
        largest_batch=16,
    )
    default_loss = "hinge"
    default_discriminator_steps = 2

    def __init__(
        self,
        frames=16,
        image_shape=(32, 32, 1),
        frame_rate=10.0,
        latent_dim=64,
        width=32,
        judged_frames=8,
        downsampling=2,
        recurrent=2,
        activation="tanh",
        seed=None,
        name=None,
        dtype=None,
    ):
        check_arguments(frames, judged_frames, downsampling, recurrent, activation, image_shape)
        media = Video((frames, *image_shape), frame_rate)
        with policy(dtype, seed):
            super().__init__(
                build_generator(frames, image_shape, latent_dim, width, recurrent, activation),
                build_discriminator(frames, image_shape, width, judged_frames, downsampling, seed),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(5e-4, 0.0, 0.999), keras.optimizers.Adam(1e-4, 0.0, 0.999)


@keras.saving.register_keras_serializable(package="kerasgan")
class DVDGANFP(Pretraining, Continuer):
    """DVD-GAN-FP (Clark, Donahue & Simonyan, 2019, arXiv:1907.06571): the frames that follow some that are given.

    An encoder sees the given frames, and at each scale at which the generator has a ConvGRU, what it makes of them is
    the state that this one begins with. The temporal discriminator sees given and new frames, the spatial one new ones
    only. All else is as in `DVDGAN`.

    Changed from the paper: what is changed there; the encoder sees the given frames as channels of one image, where the
    paper's sees each by itself. The generator may learn from squared differences alone before the game (`pretraining`),
    and in it, too (`weights={"l2": ...}`): where one continuation is right, that teaches in minutes what the game takes
    hours for. (Of absolute ones, bright things on black vanish as soon as it is not certain where they are.)

    Args:
        frames: of a clip, given ones and new ones, 4 or more.
        given_frames: how many are given, 1 or more; 2 or more of the clip are new.
        image_shape, frame_rate, latent_dim, width, judged_frames, downsampling, recurrent, activation: as in
            `DVDGAN`.
        pretraining: samples seen until the game begins: 0 begins with it, as the paper; None never does.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.DVDGANFP(frames=16, given_frames=5, image_shape=(64, 64, 1), width=16, recurrent=3)
    gan.compile()
    gan.fit(kerasgan.data.moving_mnist("mnist.npz", length=16, size=64), epochs=16)
    clip = gan.preview(2, seed=1)[0]
    next_frames = gan.continue_video(clip[:5])
    ```
    """

    starting = Starting(
        data={"reader": "video", "length": 16, "size": 64, "channels": 3},
        model={"frames": 16, "image_shape": (64, 64, 3), "frame_rate": 10.0, "width": 16, "recurrent": 3},
        largest_batch=16,
    )
    default_loss = "hinge"
    default_discriminator_steps = 2
    default_weights = {"adversarial": 1.0, "l2": 0.0}

    def __init__(
        self,
        frames=16,
        given_frames=5,
        image_shape=(64, 64, 1),
        frame_rate=10.0,
        latent_dim=64,
        width=32,
        judged_frames=8,
        downsampling=2,
        recurrent=2,
        activation="tanh",
        pretraining=0,
        seed=None,
        name=None,
        dtype=None,
    ):
        check_arguments(frames, judged_frames, downsampling, recurrent, activation, image_shape)
        pretraining = self.check_pretraining(pretraining)
        if not is_whole(given_frames, 1, frames - 2):
            raise ValueError(
                f"given_frames={given_frames!r}: expected a whole number of frames, 1 or more, and 2 less than "
                f"frames={frames} or fewer."
            )
        media = Video((frames, *image_shape), frame_rate)
        with policy(dtype, seed):
            super().__init__(
                build_continuing_generator(frames, given_frames, image_shape, latent_dim, width, recurrent, activation),
                build_discriminator(frames, image_shape, width, judged_frames, downsampling, seed, given_frames),
                media=media,
                given_frames=given_frames,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.set_pretraining(pretraining)

    default_optimizers = staticmethod(DVDGAN.default_optimizers)

    def pretraining_loss(self, batch):
        """Squared differences of the new frames."""
        return self._squared(self.call_generator(batch.sources), batch.real)

    def generator_terms(self, batch):
        """The same in the game."""
        return {"l2": self._squared(batch.fake, batch.real)}

    def _squared(self, made, right):
        return tf.reduce_mean(tf.square((tf.cast(made, tf.float32) - right)[:, self.given_frames :]))


def check_arguments(frames, judged_frames, downsampling, recurrent, activation, image_shape):
    """Raises a ValueError for arguments of which no networks can be made."""
    for argument, value, least in (("frames", frames, 4), ("judged_frames", judged_frames, 1)):
        if not is_whole(value, least=least):
            raise ValueError(f"{argument}={value!r}: expected a whole number of frames, {least} or more.")
    scales = upsampling_stages(image_shape) + 1
    if not is_whole(recurrent, 1, scales):
        raise ValueError(f"recurrent={recurrent!r}: expected a number of scales, 1 to {scales} for {image_shape}.")
    if downsampling not in (1, 2):
        raise ValueError(f"downsampling={downsampling!r}: expected 1 or 2.")
    if activation not in ("relu", "tanh"):
        raise ValueError(f"activation={activation!r}: expected 'relu' or 'tanh'.")
