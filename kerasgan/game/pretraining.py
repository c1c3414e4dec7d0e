"""Pretraining: a first stage in which the generator learns from pairs alone, before the game begins."""

import tensorflow as tf

from kerasgan.checks import number
from kerasgan.game.batch import once_there
from kerasgan.game.gradients import gradients_of


class Pretraining:
    """What a type whose sources have a right answer inherits before its kind of game: a stage without discriminator.

    The type says in `pretraining_loss` how far the generator is from the answer, and calls `set_pretraining` at the end
    of its constructor.
    """

    stages = 2

    def set_pretraining(self, samples):
        """Sets after how many samples seen the game begins: 0 begins with it, None never does."""
        self.pretraining = samples
        self.stage = self.stage_at(0)
        self.stage_entered.assign(self.stage)

    @staticmethod
    def check_pretraining(samples):
        """The number of samples, or None; a ValueError if it is something else."""
        return None if samples is None else number("pretraining", samples, None, whole=True)

    def pretraining_loss(self, batch):
        """How far the generator is from the answers of a batch, float32 scalar."""
        raise NotImplementedError(f"{type(self).__name__} must implement pretraining_loss(batch).")

    def stage_at(self, samples_seen):
        """0 while the generator learns from pairs alone, 1 in the game."""
        return 0 if self.pretraining is None or samples_seen < self.pretraining else 1

    def on_stage(self):
        """The game begins with new optimizers: what they know of is the other loss."""
        self.reset_optimizers()

    @property
    def metrics(self):
        """Those of the generator while it learns alone: nothing is known of a discriminator then."""
        return [metric for metric in super().metrics if self.stage or metric.name.startswith("generator_")]

    def train_step(self, data):
        """Plays one round, as `Game.train_step`; in pretraining, one update of the generator for each batch.

        Returns:
            The running means, float32 scalars; in pretraining `generator_loss`, there `pretraining_loss`, and what else
            has the generator in its name.
        """
        if self.stage:
            return super().train_step(data)
        with once_there(data):
            for batch in self.batches(data):
                self.update(["generator"], self._pretraining_gradients, batch)
                logs = self.end_of_step(batch.count, batch.count)
            return logs

    def _pretraining_gradients(self, batch):
        generator = self.player("generator")
        with tf.GradientTape() as tape:
            loss = self.pretraining_loss(batch)
            total = generator.scaled(loss)
        self.track(generator_loss=loss)
        return gradients_of(tape, total, generator.variables)

    def held_out_losses(self, batch):
        """As `Game.held_out_losses`; in pretraining its loss alone."""
        if self.stage:
            return super().held_out_losses(batch)
        return {"generator_loss": self.pretraining_loss(batch._replace(sources=self.sources_for(batch)))}
