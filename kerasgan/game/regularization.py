"""What penalties add to a player's loss in a step: at every update or lazily, through the augmentation or not."""

import contextlib

import keras
import tensorflow as tf

from kerasgan.game.gradients import gradients_of
from kerasgan.penalties import GRADIENT, LOGITS, gradient_of_logits
from kerasgan.precision import full_precision
from kerasgan.structures import each


class Regularization:
    """The penalties of one player at one update, on networks whose state stays put.

    Args:
        player: the `Player` whose loss they are added to.
        plain: the `Batch` before the augmentation.
        seen: the same as the discriminator sees it.
    """

    def __init__(self, player, plain, seen):
        self.player, self.game, self.plain, self.seen = player, player.game, plain, seen
        self.penalties = [penalty for penalty in self.game.penalties if penalty.player == player.name]

    def added_to(self, loss, logits=None, tape=None):
        """The loss with the penalties that are due at every update.

        Args:
            logits: of the loss, (real, fake), where penalties may share them.
            tape: the persistent tape that recorded them from the samples on, where penalties may share their gradients.
        """
        for penalty in self.penalties:
            if penalty.interval == 1:
                seeds = self._seeds(penalty)  # drawn anyway: what else is drawn does not depend on what is shared
                loss += self._mean(penalty, seeds, self._shared(penalty, logits, tape))
        return loss

    def added_lazily_to(self, gradients):
        """The gradients with those of penalties that are due now and then, with `interval` times the weight.

        Lazy regularization, Karras et al., 2019, arXiv:1912.04958, appendix B.
        """
        for penalty in self.penalties:
            if penalty.interval > 1:
                extra = self._lazy_gradients(penalty)
                gradients = [a + b for a, b in zip(gradients, extra, strict=True)]
        return gradients

    def _seeds(self, penalty):
        """Seeds of a penalty, and of the augmentation that its gradient goes through, or None."""
        through = penalty.through_augmentation and self.game.augmentation
        return self.game.next_seed(penalty), self.game.next_seed(self.game.augmentation) if through else None

    def _shared(self, penalty, logits, tape):
        """The quantity that a penalty is a function of, if the pass of the loss has it, or None."""
        quantity, side = penalty.function_of or (None, None)
        if quantity == LOGITS and logits is not None:
            return logits[side]
        if quantity != GRADIENT or tape is None or not self._in_precision_of_loss(penalty):
            return None
        batch = self.plain if penalty.through_augmentation else self.seen
        gradients = gradient_of_logits(tape, logits[side], (batch.real, batch.fake)[side])
        return each(lambda gradient: tf.cast(gradient, tf.float32), gradients)

    def _in_precision_of_loss(self, penalty):
        """Whether a penalty's network computes as that of the loss does."""
        layers = self.player.network._flatten_layers()
        return self._as_policy_says(penalty) or all(layer.compute_dtype == "float32" for layer in layers)

    def _as_policy_says(self, penalty):
        return not penalty.full_precision and self.game.compute_dtype != "float16"

    def _mean(self, penalty, seeds, value=None):
        """The mean penalty, tracked; `value` is that of the quantity that it is a function of, where it is known."""
        seed, augmentation_seed = seeds
        batch = self.plain if penalty.through_augmentation else self.seen
        network = self._network(penalty, augmentation_seed)
        mean = tf.reduce_mean(penalty.of_batch(network, batch, seed, self.game.samples_seen, value))
        if penalty.interval == 1:
            self.game.track(**{penalty.name: mean})
        return mean

    def _network(self, penalty, augmentation_seed):
        """The player's network as a function: of samples for a critic, of sources for a generator."""
        call = {"discriminator": self.game.call_discriminator, "generator": self.game.call_generator}[self.player.name]

        def network(inputs):
            if augmentation_seed is not None:
                inputs = self.game.augmentation(inputs, augmentation_seed)
            own = contextlib.nullcontext() if self._as_policy_says(penalty) else full_precision(self.player.network)
            with own, keras.StatelessScope():
                return call(inputs, self.plain.condition)

        return network

    def _lazy_gradients(self, penalty):
        variables, seeds = self.player.variables, self._seeds(penalty)

        def due():
            with tf.GradientTape() as tape:
                value = self._mean(penalty, seeds)
                total = self.player.scaled(penalty.interval * value)
            return [value, *gradients_of(tape, total, variables)]

        def not_due():
            return [tf.zeros(()), *(tf.zeros(v.shape, v.dtype) for v in variables)]

        is_due = tf.equal(self.game.updates_of(self.player.name) % penalty.interval, 0)
        if self._replicas_talk():  # which they cannot inside of a condition of the graph
            value, *gradients = [tf.where(is_due, a, b) for a, b in zip(due(), not_due(), strict=True)]
        else:
            value, *gradients = tf.cond(is_due, due, not_due)
        self.game._trackers[penalty.name].update_state(value, sample_weight=tf.cast(is_due, tf.float32))
        return gradients

    def _replicas_talk(self):
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return False
        layers = self.player.network._flatten_layers()
        return any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
