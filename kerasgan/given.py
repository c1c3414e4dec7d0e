"""Given: what a GAN has whose samples go on from rows that are given, such as the beginning of a sketch or a text."""

import numpy as np
import tensorflow as tf


class Given:
    """What such a type inherits before its kind of game (`kerasgan.GAN`).

    Its generator takes [latents, given rows], whose shape is that of samples in model range. Where a row is not all
    zeros, the sample has it, and goes on from there. In place of labels stand given rows, for all samples or one each.
    """

    def sources_for(self, batch):
        """[Latents, given rows: none]."""
        return [super().sources_for(batch), tf.zeros_like(batch.real, tf.float32)]

    def _labels_for(self, count, labels):
        """What the generator takes besides latents: given rows, float32 (count, *shape), or None for none."""
        return None if labels is None else np.broadcast_to(labels, (count, *self.media.shape))

    def first_maps(self):
        """As of `GAN`, where nothing is given."""
        maps = super().first_maps()
        return lambda latents, given: maps(latents, np.zeros((len(latents), *self.media.shape), "float32"))

    def _sampler(self, network):
        """As of `GAN`; of a generator, the sample that is made of given rows and drawn ones."""
        sample = super()._sampler(network)
        if network is self.discriminator:
            return lambda samples, given: sample(samples, None)

        def draw(latents, given):
            given = tf.zeros((len(latents), *self.media.shape)) if given is None else tf.constant(given)
            return tf.where(tf.reduce_any(given != 0, axis=2, keepdims=True), given, sample([latents, given], None))

        return draw
