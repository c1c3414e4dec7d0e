"""Continuer: the game in which clips go on from frames that are given."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan import distribution
from kerasgan.checks import number
from kerasgan.examples import Examples
from kerasgan.game import Game
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.precision import in_float32
from kerasgan.tasks import CONTINUATION

_CHUNK = 16  # clips that are continued at a time


class Continuer(Examples, Game):
    """A generator that makes the rest of a clip of its first frames.

    The data are whole clips in model range; so are real and generated samples, as the discriminator sees them: the
    first frames of a generated one are those of a real one.

    Args:
        generator: functional model of two inputs, latents (batch, latent_dim) and frames (batch, given_frames, height,
            width, channels) in [-1, 1] -> clips (batch, frames, height, width, channels), which begin with these.
        discriminator, seed: as in `Game`.
        media: of whole clips, a `kerasgan.media.Video`.
        given_frames: how many frames are given, fewer than a clip has.
    """

    task = CONTINUATION

    def __init__(self, generator, discriminator, media, given_frames, seed=None, name=None, dtype=None):
        super().__init__(generator, discriminator, media, seed, name, dtype)
        self.given_frames = given_frames
        self.media.samples_per_example = 2

    # The game ------------------------------------------------------------------------------------------------------

    def sources_for(self, batch):
        """[latents, the first frames of the real clips]."""
        seed = self.shared_seed()
        latents = distribution.own_rows(
            lambda count: self.sample_latents(count, seed), batch.count, self.gradient_accumulation
        )
        return [latents, tf.cast(batch.real[:, : self.given_frames], tf.float32)]

    def sample_latents(self, count, seed):
        """Latents (count, latent_dim) float32 from N(0, 1) and an int32 seed (2,)."""
        return tf.random.stateless_normal((count, self.generator.inputs[0].shape[-1]), seed)

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with clips (model range); remembers the first of them."""
        super().check(samples, second)
        self.remember_first(samples)

    # The verb ------------------------------------------------------------------------------------------------------

    def continue_video(self, frames, length=None, seed=None):
        """The frames that come next, by the moving average of the generator.

        ```python
        next_frames = gan.continue_video(clip[:5])
        ```

        Args:
            frames: uint8 (frames, height, width, channels), or a batch of clips (count, frames, ...): the last
                `given_frames` of each are what the model sees.
            length: how many frames to make; None takes as many as the model makes at a time. More of them go on from
                those that it made.
            seed: integer; the same seed gives the same frames.

        Returns:
            uint8 (length, height, width, channels), or (count, length, ...) for a batch.

        Raises:
            ValueError: an argument is not what it should be.
        """
        whole, at_a_time = self._checked(frames), self.media.shape[0] - self.given_frames
        length = number("length", at_a_time if length is None else length, None, least=1, whole=True)
        seeds = np.random.default_rng(self.sampling_numbers(seed)).integers(2**31, size=(-(-length // at_a_time), 2))
        for own in seeds:
            clips = self._continued(self.ema_generator, whole[:, -self.given_frames :], own)
            whole = np.concatenate([whole, self.media.to_natural(clips)[:, self.given_frames :]], axis=1)
        made = whole[:, np.shape(frames)[-4] :][:, :length]
        return made if np.ndim(frames) == 5 else made[0]

    def _checked(self, frames):
        """Frames as a batch of clips; a ValueError for what is none."""
        frames = np.asarray(frames)
        batch = frames if frames.ndim == 5 else frames[None]
        size = self.media.shape[1:]
        if batch.ndim != 5 or batch.dtype != np.uint8 or batch.shape[2:] != size or not len(batch):
            raise ValueError(
                f"frames has shape {frames.shape} and dtype {frames.dtype}; expected uint8 (frames, "
                f"{', '.join(map(str, size))}), or a batch of such clips. kerasgan.data.clip reads files so."
            )
        if batch.shape[1] < self.given_frames:
            raise ValueError(
                f"frames has too few frames, {batch.shape[1]}; {self.name} goes on from {self.given_frames}."
            )
        return batch

    def _continued(self, network, given, seed):
        """Whole clips in model range of given frames, uint8 (count, given_frames, ...); `seed` is two whole numbers."""
        latents = self.sample_latents(len(given), tf.constant(seed, tf.int32)).numpy()
        given = self.media.to_model(given)
        parts = (slice(start, start + _CHUNK) for start in range(0, len(given), _CHUNK))
        return np.concatenate([network([latents[part], given[part]], training=False) for part in parts])

    # What callbacks look at ----------------------------------------------------------------------------------------

    def preview(self, count, seed):
        """Pairs, uint8: a clip, and what the model makes of its first frames.

        The clips are some of the first of the training, or of those to `remember`; without any, made-up ones.
        """
        (clips,) = self.examples(max(1, count // 2), seed)
        made = self.continue_video(clips[:, : self.given_frames], seed=seed)
        made = np.concatenate([clips[:, : self.given_frames], made], axis=1)
        return np.stack([clips, made], axis=1).reshape(-1, *self.media.shape)

    def watched_samples(self, count, seed):
        (clips,) = self.examples(count, seed)
        return self._continued(self.generator, clips[:, : self.given_frames], (seed, 0))

    def made_up(self, media, count, seed):
        """Clips in which a camera moves to the right over a picture."""
        frames, height, width, channels = media.shape
        pictures = dead_leaves(count, (height, width + frames, channels), seed)
        return np.stack([pictures[:, :, frame : frame + width] for frame in range(frames)], axis=1)

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: latents and frames in [0, 1] -> clips in [0, 1], which begin with these frames."""
        generator = in_float32(self.ema_generator)
        latents, given = (keras.Input(one.shape[1:], name=one.name) for one in generator.inputs)
        clips = generator([latents, self.media.begin(given)], training=False)
        return keras.Model([latents, given], self.media.finish(clips))

    def inference_inputs(self, count, seed=0):
        """Latents and made-up frames for `inference_network`: {"latents": ..., "given": ...}, first axis `count`.

        The frames are half as bright as pictures are: states that have never seen so much light may grow from frame to
        frame, and what rounding changes with them, which is no fault of an exported file.
        """
        count = number("count", count, None, least=1, whole=True)
        given = self.made_up(self.media, count, seed)[:, : self.given_frames].astype("float32") / 510.0
        return {"latents": self.sample_latents(count, tf.constant([seed, 0])).numpy(), "given": given}

    def inference_description(self):
        """What an app must know to make the inputs: one JSON dict each; see `GAN.inference_description`."""
        return [
            {"name": "latents", "kind": "latents", "distribution": "normal", "range": None},
            {"name": "given", "kind": self.media.kind, "range": [0.0, 1.0], **self.media.described()},
        ]
