"""Upscaler: the game in which samples come from smaller images."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kerasgan import tiles
from kerasgan.checks import number
from kerasgan.examples import Examples
from kerasgan.game import Game
from kerasgan.media import bicubic
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.precision import full_precision, in_float32
from kerasgan.tasks import UPSCALING

_CHUNK = 16  # crops that are enlarged at a time


class Upscaler(Examples, Game):
    """A generator that makes images `scale` times as large.

    The data are crops of large images in model range. A type makes the low resolution of a batch in
    `sources_for`. One whose samples are no images says in `shrunk` and `plainly_enlarged` what the low resolution of
    samples in natural units is, and what to compare with; in `enlarged` how a network is used; in `made_up` what stands
    in for data; and has a verb and an exported network of its own.

    Args:
        generator: functional model, images (batch, height, width, 3) of any size -> `scale` times as large ones; both
            in [-1, 1].
        discriminator, seed: as in `Game`.
        media: of the large crops, a `kerasgan.media.Image`.
        scale: whole number.
        reach: how far the generator sees, in pixels of the low resolution.
        tile: height and width of the images that the exported network takes.
    """

    task = UPSCALING

    def __init__(self, generator, discriminator, media, scale, reach, tile=64, seed=None, name=None, dtype=None):
        super().__init__(generator, discriminator, media, seed, name, dtype)
        self.scale = scale
        self.reach = reach
        self.tile = number("tile", tile, None, least=1, whole=True)
        self.media.samples_per_example = 3

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with crops (model range); remembers the first of them."""
        super().check(samples, second)
        self.remember_first(samples)

    # The verb ------------------------------------------------------------------------------------------------------

    def upscale(self, images, tile=128, overlap=16):
        """Images `scale` times as large, by the moving average of the generator, in float32.

        Args:
            images: uint8 of any size: (height, width) or (height, width, 1) grey, (height, width, 3) RGB, (height,
                width, 4) RGBA, whose transparency is enlarged by the bicubic kernel; or a batch of these.
            tile: height and width of what is computed at a time, which decides how much memory that takes.
            overlap: pixels that a tile sees beyond those that it is there for; at most a quarter of `tile`. With
                `gan.reach`, the result is that of the whole image at once; with less, tiles fade into each other.

        Returns:
            uint8, the same axes, height and width `scale` times as long. Besides it, memory holds a row of tiles.

        Raises:
            ValueError: an argument is not what it should be.
        """
        return tiles.upscale(self._tile_network(tile), images, self.scale, tile, overlap, self.reach)

    def _tile_network(self, tile):
        """The generator for tiles of one size: traced once."""
        if tile not in self._tiled:
            specification = tf.TensorSpec((1, tile, tile, 3), tf.float32)

            def run(images):
                with full_precision(self.ema_generator):
                    return self.ema_generator(images, training=False)

            self._tiled[tile] = tf.function(run, autograph=False, input_signature=[specification])
        return self._tiled[tile]

    @functools.cached_property
    def _tiled(self):
        return {}

    # What callbacks look at ----------------------------------------------------------------------------------------

    def preview(self, count, seed):
        """Rows of three in natural units: samples enlarged in the plain way, upscaled, and as they were.

        They are some of the first of the training, or of those to `remember`; without any, made-up ones.
        """
        (originals,) = self.examples(max(1, count // 3), seed)
        low = self.shrunk(originals)
        upscaled = self.media.to_natural(self.enlarged(self.ema_generator, low))
        triples = np.stack([self.plainly_enlarged(low), upscaled, originals], axis=1)
        return triples.reshape(-1, *originals.shape[1:])

    def watched_samples(self, count, seed):
        (originals,) = self.examples(count, seed)
        return self.enlarged(self.generator, self.shrunk(originals))

    def shrunk(self, originals):
        """The low resolution of samples in natural units: here, by the bicubic kernel."""
        return bicubic.shrink(originals, self.scale)

    def plainly_enlarged(self, low):
        """What upscaled samples are compared with, in natural units: here, the bicubic kernel's."""
        return bicubic.enlarge(low, self.scale)

    def enlarged(self, network, low):
        """Samples in model range that a network makes of the low resolution in natural units."""
        batches = [low[i : i + _CHUNK] for i in range(0, len(low), _CHUNK)]
        return np.concatenate([network(self.media.to_model(batch), training=False) for batch in batches])

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: images (batch, tile, tile, 3) in [0, 1] -> `scale` times as large ones in [0, 1]."""
        images = keras.Input((self.tile, self.tile, 3), name="images")
        larger = in_float32(self.ema_generator)(self.media.begin(images), training=False)
        return keras.Model(images, self.media.finish(larger))

    def inference_inputs(self, count, seed=0):
        """Made-up pictures for `inference_network`: {"images": float32 (count, tile, tile, 3) in [0, 1]}."""
        count = number("count", count, None, least=1, whole=True)
        return {"images": dead_leaves(count, (self.tile, self.tile, 3), seed).astype("float32") / 255.0}

    def inference_description(self):
        """See `kerasgan.GAN.inference_description`; `reach` is how far tiles have to overlap to leave no seam."""
        return [{"name": "images", "kind": "image", "range": [0.0, 1.0], "reach": self.reach}]
