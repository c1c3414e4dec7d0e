"""MuseGAN: a GAN that writes music for several tracks at once, as piano rolls."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.checks import is_number, is_whole
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization, Conv2D, Conv2DTranspose
from kerasgan.media import Music
from kerasgan.penalties import GradientPenalty
from kerasgan.precision import in_float32, policy

OCTAVE = 12  # semitones
OUTPUTS = ("monophonic", "binary")


# What makes notes of probabilities -----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class SurestNote(layers.Layer):
    """Probabilities of the pitches of a voice -> 1 for the likeliest, 0 for all others; silence may be the likeliest.

    Its gradient is taken to be that of the identity (straight-through, Bengio et al., 2013, arXiv:1308.3432).

    Input and output shape: (batch, steps, pitches, voices); over pitches, probabilities add up to 1 less that of
    silence.
    """

    def call(self, inputs):
        pitches = inputs.shape[2]

        def surest(probabilities):
            silence = 1.0 - tf.reduce_sum(probabilities, axis=2, keepdims=True)
            choice = tf.argmax(tf.concat([probabilities, silence], axis=2), axis=2)
            return tf.one_hot(choice, pitches, axis=2)  # of silence, which is behind all pitches: zeros

        return _straight_through(surest, inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="kerasgan")
class BinaryNeurons(layers.Layer):
    """Probabilities -> 1 above one half, 0 below: deterministic binary neurons (arXiv:1804.09399).

    Their gradient is taken to be that of the identity, behind the sigmoid that the probabilities come from: the
    sigmoid-adjusted straight-through estimator.

    Input and output shape: any.
    """

    def call(self, inputs):
        return _straight_through(lambda probabilities: probabilities > 0.5, inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="kerasgan")
class GivenTrack(layers.Layer):
    """Probabilities, and a roll of the tracks that are given -> the probabilities, the given tracks in their place.

    A track is given if anything sounds in it.

    Input: two of shape (batch, steps, pitches, tracks); output: such a one.
    """

    def call(self, inputs):
        probabilities, given = inputs
        is_given = tf.reduce_max(given, axis=(1, 2), keepdims=True)
        return is_given * given + (1.0 - is_given) * probabilities

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def _straight_through(function, values):
    @tf.custom_gradient
    def run(values):
        return tf.cast(function(values), values.dtype), lambda upstream: upstream

    return run(values)


# Networks ------------------------------------------------------------------------------------------------------------
#
# Maps are (time, pitch, channels). The paper's axes are (bar, step, pitch); but where its kernels are longer than 1
# along steps, they are 1 along bars, and as long as their stride. So they are the same along one axis of time.


def build_generator(media, latent_dim, width, output, accompanies=False):
    """Latents -> rolls (steps, pitches, tracks): what all tracks share is drawn up first, then each by itself.

    A generator that accompanies takes [latents, given], a roll whose tracks are silent but for those that are given.
    """
    latents = keras.Input((latent_dim,), name="latents")
    given = keras.Input(media.shape, name="given") if accompanies else None
    x = layers.Dense((media.bars - 1) * 8 * width, use_bias=False)(latents)
    x = _active(layers.Reshape((media.bars - 1, 1, 8 * width))(x))
    x = _grown(x, 4 * width, (2, 1))  # bars
    x = _grown(x, 2 * width, (media.beats, 1), strides=(media.beats, 1))
    for (length, stride), filters in zip(_octaves(media), (2 * width, width), strict=False):
        x = _grown(x, filters, (1, length), strides=(1, stride))
    if accompanies:
        x = layers.Concatenate()([x, _heard(given, media, width)])
    logits = _logits_of_tracks(x, media, width)
    if output == "monophonic":
        probabilities, neurons = _of_voices(logits), SurestNote
    else:
        probabilities = layers.Activation("sigmoid", dtype="float32", name="probabilities")(logits)
        neurons = BinaryNeurons
    if accompanies:
        probabilities = GivenTrack(dtype="float32")([probabilities, given])
    inputs = [latents, given] if accompanies else latents
    return keras.Model(inputs, neurons(dtype="float32", name="rolls")(probabilities), name="generator")


def _heard(given, media, width):
    """What the given tracks play in each beat and those around it, for all octaves: (beats, octaves, channels)."""
    octaves = media.shape[1] // OCTAVE
    x = _active(Conv2D(2 * width, (1, octaves), use_bias=False)(_features_of_tracks(given, media, width)))
    x = _active(Conv2D(2 * width, (3, 1), padding="same", use_bias=False)(x))
    return layers.UpSampling2D((1, octaves))(x)


def _octaves(media):
    """(length, stride) of the transposed convolutions that lead from 1 to as many octaves as there are."""
    octaves = media.shape[1] // OCTAVE
    if octaves <= 3:
        return [(octaves, 1)]
    stride = 2 if octaves >= 7 else 1
    return [(3, 1), (octaves - 2 * stride, stride)]


def _grown(x, filters, kernel, strides=(1, 1)):
    return _active(Conv2DTranspose(filters, kernel, strides=strides, padding="valid", use_bias=False)(x))


def _active(x):
    return layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def _logits_of_tracks(x, media, width):
    """Each track's own stream, (beats, octaves, channels) -> (steps, pitches, tracks)."""
    (steps, pitches, tracks), (beats, octaves) = media.shape, x.shape[1:3]
    x = _active(Conv2D(tracks * width, 1, use_bias=False)(x))
    x = layers.Reshape((beats, octaves, tracks, width))(x)
    blocks = (beats, media.resolution, octaves, OCTAVE, tracks)
    x = layers.EinsumDense("btogc,gckp->btkopg", blocks, bias_axes="opg", dtype="float32")(x)
    return layers.Reshape((steps, pitches, tracks), dtype="float32")(x)


def _of_voices(logits):
    """Probabilities of each voice's pitches, which with that of its silence add up to 1: (steps, pitches, voices).

    Silence has a logit of 0, of which the others are above or below.
    """
    with_silence = layers.ZeroPadding2D(((0, 0), (0, 1)), dtype="float32")(logits)
    shares = layers.Softmax(axis=2, dtype="float32")(with_silence)
    return layers.Cropping2D(((0, 0), (0, 1)), dtype="float32", name="probabilities")(shares)


def build_critic(media, width):
    """Rolls -> one logit: the generator's streams in reverse, and beside them onsets and pitch classes."""
    rolls = keras.Input(media.shape, name="samples")
    x = _leaky(Conv2D(2 * width, 1)(_features_of_tracks(rolls, media, width)))
    for length, stride in _octaves(media)[::-1]:
        x = _leaky(Conv2D(2 * width, (1, length), strides=(1, stride), padding="valid")(x))
    beats = layers.Concatenate()([x, _onsets(rolls, media, width), _chroma(rolls, media, width)])
    bars = _leaky(Conv2D(4 * width, (media.beats, 1), strides=(media.beats, 1), padding="valid")(beats))
    x = _leaky(Conv2D(8 * width, (2, 1), padding="valid")(bars))
    logits = layers.Activation("linear", dtype="float32", name="logits")(layers.Dense(1)(layers.Flatten()(x)))
    return keras.Model(rolls, logits, name="critic")


def _leaky(x):
    return layers.LeakyReLU(0.2)(x)


def _features_of_tracks(rolls, media, width):
    """Each track's own stream, (steps, pitches, tracks) -> (beats, octaves, channels of all tracks)."""
    steps, pitches, tracks = media.shape
    beats, octaves = steps // media.resolution, pitches // OCTAVE
    x = layers.Reshape((beats, media.resolution, octaves, OCTAVE, tracks))(rolls)
    x = layers.EinsumDense("btkopg,kpgf->btogf", (beats, octaves, tracks, width), bias_axes="gf")(x)
    return _leaky(layers.Reshape((beats, octaves, tracks * width))(x))


def _onsets(rolls, media, width):
    """Features of each beat, of how many pitches begin or end in each step of each track: (beats, 1, channels)."""
    before = layers.ZeroPadding2D(((1, 0), (0, 0)))(layers.Cropping2D(((0, 1), (0, 0)))(rolls))
    changes = layers.AveragePooling2D((1, media.shape[1]))(layers.Subtract()([rolls, before]))
    sums = layers.Rescaling(media.shape[1], name="onsets")(changes)
    return _leaky(Conv2D(width, (media.resolution, 1), strides=(media.resolution, 1), padding="valid")(sums))


def _chroma(rolls, media, width):
    """Features of each beat, of how long each pitch class sounds in it in each track: (beats, 1, channels)."""
    steps, pitches, tracks = media.shape
    octaves = pitches // OCTAVE
    x = layers.Reshape((steps, octaves, OCTAVE * tracks))(rolls)
    x = layers.Rescaling(octaves, name="chroma")(layers.AveragePooling2D((media.resolution, octaves))(x))
    x = layers.Reshape((steps // media.resolution, OCTAVE, tracks))(x)
    return _leaky(Conv2D(width, (1, OCTAVE), padding="valid")(x))


@keras.saving.register_keras_serializable(package="kerasgan")
class MuseGAN(GAN):
    """MuseGAN (Dong et al., 2018, arXiv:1709.06298): music for several tracks, all bars and tracks of it at once.

    The game is WGAN-GP (weight 10, five critic updates a generator update, Adam 1e-3 (0.5, 0.9), batch normalization in
    the generator alone). The networks are those of its successor (Dong & Yang, 2018, arXiv:1804.09399): the generator
    goes from one latent vector through what all tracks share (bars, then beats, then octaves) to a stream of each
    track's own; the critic is the same in reverse, and sees beside the notes how many begin and end in each step, and
    which pitch classes sound in each beat. The generator's output are notes, not their probabilities: its last layer
    sets each to 0 or 1, and lets the gradient through.

    Changed from the papers: a track's stream leads from a beat and an octave to its notes in one layer, where the
    papers have two streams of two layers each, pitch before time and time before pitch: that takes a tenth of the time
    on CPUs, where maps of all steps and pitches cost most. By default, tracks are voices: each sounds one pitch at a
    time or is silent, a softmax over the pitches and silence, of which the likeliest is taken, where the papers have a
    sigmoid for each pitch (`output="binary"`), so that chords are possible. Both networks learn together from the
    beginning, where arXiv:1804.09399 trains the networks on probabilities first, then a refiner that makes notes of
    them. No bar, nor what is in it, has latents of its own, as arXiv:1709.06298 has them. A moving average of the
    generator is what samples come from. Other sizes than the papers' follow from the data (see the arguments). (To
    count what begins alone, as ends cancel beginnings in a voice that is never silent, was tried: notes alternated
    between two pitches, which each update swapped everywhere at once, and pieces were all alike.)

    With `given_share`, one model writes all tracks or accompanies one: of that share of the training's samples, the
    generator is given a track of a real piece, drawn at random, and makes the others, as the track-conditional model of
    arXiv:1709.06298, which is a model of its own for one track. What it hears of a track is its notes of a beat and the
    two beside it.

    What is exported ends in probabilities, before the last layer: which one is the largest does not survive rounding
    where two nearly tie.

    Args:
        bars: of a piece, at least 2.
        beats: quarter notes in a bar.
        resolution: steps in a quarter note: 4 for sixteenths.
        lowest: the lowest pitch as a MIDI number; 60 is middle C.
        pitches: how many semitones from there up: whole octaves.
        tracks: names of the tracks, or their number.
        programs, tempo: of the files that are written, see `kerasgan.media.Music`.
        output: "monophonic" for voices, "binary" for any number of pitches at a time.
        latent_dim: length of the latent vector.
        width: channels of the layers nearest to the notes. The paper's is 64.
        given_share: share of samples, from 0 to 1, of which the generator is given a track while it learns; 0 for a
            model that accompanies none.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.MuseGAN(tracks=("soprano", "alto", "tenor", "bass"))
    gan.compile()
    gan.fit(kerasgan.data.music("chorales.json", monophonic=True, transpose=6, subset="train"), epochs=100)
    gan.media.save(gan.generate(8), "chorales.mid")
    ```
    """

    starting = Starting(
        data={
            "reader": "music",
            "bars": 4,
            "beats": 4,
            "resolution": 4,
            "lowest": 24,
            "pitches": 84,
            "tracks": "all",
            "transpose": 5,
        },
        model={"bars": 4, "beats": 4, "resolution": 4, "lowest": 24, "pitches": 84, "tracks": 1, "output": "binary"},
    )
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_discriminator_steps = 5

    def __init__(
        self,
        bars=4,
        beats=4,
        resolution=4,
        lowest=30,
        pitches=60,
        tracks=4,
        programs=None,
        tempo=90.0,
        output="monophonic",
        latent_dim=128,
        width=32,
        given_share=0.0,
        seed=None,
        name=None,
        dtype=None,
    ):
        if not is_number(given_share, 0, 1):
            raise ValueError(f"given_share={given_share!r}: expected a share of samples, from 0 to 1.")
        if output not in OUTPUTS:
            raise ValueError(f"output={output!r}: expected one of {', '.join(map(repr, OUTPUTS))}.")
        media = Music(bars, beats, resolution, lowest, pitches, tracks, programs, tempo, output == "monophonic")
        if bars < 2 or pitches % OCTAVE:
            raise ValueError(
                f"bars={bars}, pitches={pitches}: MuseGAN makes 2 bars or more, of whole octaves (multiples of 12)."
            )
        with policy(dtype, seed):
            super().__init__(
                build_generator(media, latent_dim, width, output, given_share > 0),
                build_critic(media, width),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
            self.given_share = float(given_share)

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-3, 0.5, 0.9), keras.optimizers.Adam(1e-3, 0.5, 0.9)

    # Accompaniment -------------------------------------------------------------------------------------------------

    def sources_for(self, batch):
        """Latents, and for a model that accompanies, the given tracks: [latents, rolls like the real ones]."""
        latents = super().sources_for(batch)
        if not self.given_share:
            return latents
        seed, tracks = self.shared_seed(), self.media.shape[2]

        def draw(count):
            return tf.random.stateless_uniform((count, 2), seed)

        drawn = distribution.own_rows(draw, batch.count, self.gradient_accumulation)
        track = tf.one_hot(tf.cast(drawn[:, 0] * tracks, tf.int32), tracks)
        given = track * tf.cast(drawn[:, 1:] < self.given_share, tf.float32)
        return [latents, tf.cast(batch.real, tf.float32) * given[:, None, None]]

    def generate(self, count, labels=None, seed=None, truncation=None, given=None, return_latents=False):
        """New pieces from the moving-average generator: booleans (count, steps, pitches, tracks).

        ```python
        melody = kerasgan.data.music("melody.mid", tracks=1, monophonic=True, batch_size=1)
        roll = next(iter(melody))[0, :, :, 0]
        gan.generate(8, given={"track": "soprano", "roll": roll})  # eight accompaniments
        ```

        Args:
            count, labels, seed, truncation, return_latents: as in `GAN.generate`.
            given: of a model with a `given_share`: {"track": name or number of a track, "roll": its roll (steps,
                pitches) of 0 and 1, or one a piece (count, steps, pitches)}; all pieces have it. None for new pieces.

        Raises:
            ValueError: an argument is out of its range.
        """
        if given is None:
            return super().generate(count, labels, seed, truncation, return_latents)
        if labels is not None:
            raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out.")
        return super().generate(count, self._given_tracks(given), seed, truncation, return_latents)

    def _labels_for(self, count, labels):
        """What the generator takes besides latents: nothing, or the given tracks, float32 (count, *shape)."""
        if not self.given_share:
            return super()._labels_for(count, labels)
        given = np.zeros((1, *self.media.shape), "float32") if labels is None else labels
        if len(given) not in (1, count):
            raise ValueError(
                f"given['roll'] holds {len(given)} rolls; expected one, or one for each of {count} pieces."
            )
        return np.broadcast_to(given, (count, *self.media.shape))

    def _given_tracks(self, given):
        """`given` of `generate`, checked, as rolls that are silent but for the given track: float32 (..., *shape)."""
        if not self.given_share:
            raise ValueError(
                f"given: {self.name} has not learned to accompany: train it with given_share=0.5, or leave given out."
            )
        if not isinstance(given, dict) or set(given) != {"track", "roll"}:
            raise ValueError(f'given={str(given)[:60]!r}: expected {{"track": ..., "roll": ...}}.')
        names = dict(zip(self.media.tracks, range(len(self.media.tracks)), strict=True))
        track = names.get(given["track"], given["track"])
        if not is_whole(track, 0, len(names) - 1):
            raise ValueError(
                f"given['track']={given['track']!r}: expected 0 to {len(names) - 1}, or {', '.join(names)}."
            )
        roll = np.asarray(given["roll"])
        if roll.shape[-2:] != self.media.shape[:2] or roll.ndim not in (2, 3) or not np.isin(roll, (0, 1)).all():
            raise ValueError(
                f"given['roll'] has shape {roll.shape}; expected {self.media.shape[:2]}, or one a piece, of 0 and 1."
            )
        tracks = np.zeros((*roll.shape, len(names)), "float32")
        tracks[..., track] = roll
        return tracks.reshape(-1, *self.media.shape)

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: the moving-average generator up to the probabilities, in float32 whatever the policy.

        Returns:
            A functional `keras.Model`, latents -> probabilities (batch, steps, pitches, tracks), of which
            `kerasgan.media.Music.to_natural` makes notes as the generator does. Of a model that accompanies, it makes
            new pieces.
        """
        generator = in_float32(self.ema_generator)
        probabilities = keras.Model(generator.inputs, generator.get_layer("probabilities").output)
        if not self.given_share:
            return keras.Model(generator.inputs[0], probabilities.output)
        latents = keras.Input(generator.inputs[0].shape[1:], name="latents")
        return keras.Model(latents, probabilities([latents, _silence(latents, self.media.shape)]))


def _silence(latents, shape):
    """A roll of zeros for each latent vector, of layers that every format has."""
    steps, pitches, tracks = shape
    zero = layers.Reshape((latents.shape[1], 1, 1))(layers.Rescaling(0.0)(latents))
    zero = layers.Cropping2D(((0, latents.shape[1] - 1), (0, 0)))(zero)
    track = layers.ZeroPadding2D(((0, steps - 1), (0, pitches - 1)))(zero)
    return layers.Concatenate()([track] * tracks) if tracks > 1 else track
