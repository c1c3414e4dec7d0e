"""Translator: the game in which samples come from other images."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kerasgan.checks import number
from kerasgan.examples import Examples
from kerasgan.game import Game
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.precision import in_float32
from kerasgan.tasks import TRANSLATION

_CHUNK = 16  # images that are translated at a time


class Translator(Examples, Game):
    """A generator that turns images of one domain, A, into images of another one, B.

    The data are pairs of batches, (images of A, images of B), in model range; whether image belongs to image is a
    question of the game. Real and generated samples, as the two players see them, are both images of a pair on top of
    each other: (batch, height, width, channels of A + channels of B).

    A type says in `directions` which ways it translates, has a functional model for each of them
    (`translator(direction, network)`), and makes a pair of the generator's in `call_generator`.

    Args:
        generator, discriminator, seed: as in `Game`.
        media: of domain B, a `kerasgan.media.Image`.
        source_media: of domain A; of the same height and width.
    """

    task = TRANSLATION
    directions = ("a_to_b",)
    paired = False  # whether images of A and B belong together in the data
    example_names = ("remembered_a", "remembered_b")

    def __init__(self, generator, discriminator, media, source_media, seed=None, name=None, dtype=None):
        super().__init__(generator, discriminator, media, seed, name, dtype)
        self.source_media = source_media
        self.media.samples_per_example = 3 if self.paired else 2

    @property
    def example_media(self):
        return self.media_of_data

    # The game ------------------------------------------------------------------------------------------------------

    def unpack(self, data):
        first, second, _ = keras.utils.unpack_x_y_sample_weight(data)
        if second is None:
            raise ValueError(f"{self.name} learns from two domains: fit it on (images of A, images of B).")
        return tf.concat([first, second], axis=-1), None

    def split(self, pairs):
        """Pairs as the players see them -> (images of A, images of B)."""
        channels = self.source_media.shape[-1]
        return pairs[..., :channels], pairs[..., channels:]

    def sources_for(self, batch):
        """Images of A."""
        return self.split(batch.real)[0]

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with images of A and of B (model range), if anything is."""
        if second is None:
            raise ValueError(f"{self.name} learns from two domains: fit it on (images of A, images of B).")
        self.source_media.check(samples, "images of A")
        self.media.check(second, "images of B")
        if len(samples) != len(second):
            raise ValueError(f"{len(samples)} images of A and {len(second)} of B were given; give as many of each.")
        self.remember_first(samples, second)

    @property
    def media_of_data(self):
        return self.source_media, self.media

    def second_of(self, second):
        return np.asarray(second, "float32")

    # Verbs -----------------------------------------------------------------------------------------------------------

    def translate(self, images, direction=None):
        """Images of the one domain as they would look in the other one.

        Args:
            images: uint8 (count, height, width, channels) of the size of the model, or a single one without the first
                axis.
            direction: one of `directions`; None takes the first of them.

        Returns:
            uint8 (count, height, width, channels), or a single image as one was given.

        Raises:
            ValueError: there is no such direction, or the images are not of the model's size and type.
        """
        direction = self.check_direction(direction)
        source, target = self.media_of(direction)
        images = np.asarray(images)
        single = images.ndim == len(source.shape)
        batch = images[None] if single else images
        if batch.dtype != np.uint8 or batch.shape[1:] != source.shape or not len(batch):
            height, width, channels = source.shape
            raise ValueError(
                f"images has shape {images.shape} and dtype {images.dtype}; {self.name} translates uint8 images "
                f"(count, {height}, {width}, {channels}). For files of any size: kerasgan translate NAME FILE, or "
                f"kerasgan.data.picture(path, size=({height}, {width}), channels={channels})."
            )
        translated = target.to_natural(self._translated(source.to_model(batch), direction, self.ema_generator))
        return translated[0] if single else translated

    def check_direction(self, direction):
        """The direction that `direction` means, None being the first; a ValueError if there is no such one."""
        direction = self.directions[0] if direction is None else direction
        if direction not in self.directions:
            raise ValueError(
                f"direction={direction!r}: {self.name} has {' and '.join(map(repr, self.directions))}; there is no "
                "other one."
            )
        return direction

    def media_of(self, direction):
        """(media of what goes in, media of what comes out)."""
        return (self.source_media, self.media) if direction == "a_to_b" else (self.media, self.source_media)

    def translator(self, direction, network):
        """The functional model that translates images in model range, of `generator` or `ema_generator`."""
        return network

    def _translated(self, images, direction, network):
        run = self._runner(direction, network)
        parts = [run(tf.constant(images[i : i + _CHUNK])).numpy() for i in range(0, len(images), _CHUNK)]
        return np.concatenate(parts)

    def _runner(self, direction, network):
        if (direction, network) not in self._runners:
            translator = self.translator(direction, network)
            self._runners[direction, network] = tf.function(
                lambda images: translator(images, training=False), autograph=False, reduce_retracing=True
            )
        return self._runners[direction, network]

    @functools.cached_property
    def _runners(self):
        return {}

    # What callbacks look at ----------------------------------------------------------------------------------------

    def preview(self, count, seed):
        """Images of A and their translations, and the true B where there is one, one after the other, uint8.

        They are among the first images that the model was fitted on; without any, stand-ins.
        """
        sources, targets = self.examples(max(1, count // self.media.samples_per_example), seed)
        translated = self._translated(self.source_media.to_model(sources), self.directions[0], self.ema_generator)
        shown = [self._as_target(sources), self.media.to_natural(translated), *([targets] if self.paired else [])]
        return np.stack(shown, axis=1).reshape(-1, *self.media.shape)

    def _as_target(self, images):
        """Images of A, uint8, with as many channels as those of B."""
        channels, wanted = images.shape[-1], self.media.shape[-1]
        if channels == wanted:
            return images
        colours = np.rint(images[..., :3].mean(-1, keepdims=True)) if wanted == 1 else images[..., :3]
        colours = np.broadcast_to(colours, (*images.shape[:-1], min(wanted, 3))).astype("uint8")
        return colours if wanted < 4 else np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=-1)

    def watched_samples(self, count, seed):
        sources, _ = self.examples(count, seed)
        return self._translated(self.source_media.to_model(sources), self.directions[0], self.generator)

    def real_samples(self, batch):
        return batch[1]

    # Export ----------------------------------------------------------------------------------------------------------

    def inference_network(self, direction=None):
        """What a device runs: one direction of the moving average in float32, images in [0, 1] in and out."""
        direction = self.check_direction(direction)
        source, target = self.media_of(direction)
        network = in_float32(self.translator(direction, self.ema_generator))
        images = keras.Input(source.shape, name="images")
        return keras.Model(images, target.finish(network(source.begin(images), training=False)))

    def inference_inputs(self, count, seed=0):
        """Pictures that stand in for photographs: {"images": float32 (count, height, width, channels) in [0, 1]}."""
        count = number("count", count, None, least=1, whole=True)
        pictures = dead_leaves(count, self.media_of(self.directions[0])[0].shape, seed)
        return {"images": pictures.astype("float32") / np.float32(255)}

    def inference_description(self):
        """See `kerasgan.GAN.inference_description`; the one input is of the kind "image"."""
        return [{"name": "images", "kind": "image", "range": [0.0, 1.0]}]
