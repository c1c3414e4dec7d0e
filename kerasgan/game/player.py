"""One side of a game: how its weights learn."""

import contextlib
import copy

import keras
import tensorflow as tf

from kerasgan import schedules
from kerasgan.checks import number
from kerasgan.game.optimizer import innermost
from kerasgan.penalties import clip_weights


class Player:
    """One side of a game, by its name: the network that the game has as attribute of that name, and how it learns.

    Args:
        game: `kerasgan.Game`, which has the network and, once compiled, the optimizer as `<name>_optimizer`.
        name: such as "discriminator".
    """

    def __init__(self, game, name):
        self.game, self.name = game, name

    @property
    def network(self):
        return getattr(self.game, self.name)

    @property
    def optimizer(self):
        """Its Keras optimizer, wrapped in a `LossScaleOptimizer` where it computes in float16."""
        return getattr(self.game, f"{self.name}_optimizer")

    @property
    def variables(self):
        """The weights that learn in the game's stage."""
        return self.game.variables_of(self.name)

    @property
    def is_scaled(self):
        return self.optimizer is not innermost(self.optimizer)

    @property
    def updates(self):
        """How often the weights were updated, by the count of its optimizer: an integer variable."""
        return innermost(self.optimizer).iterations

    # A step --------------------------------------------------------------------------------------------------------

    def scaled(self, loss):
        """The loss as the optimizer wants it: a replica's share, and scaled where float16 would underflow."""
        return self.optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)

    def update(self, gradients):
        """One step of the optimizer by gradients that are still scaled.

        Returns:
            Whether it was one, and not skipped for an overflow: a boolean tensor.
        """
        if self.is_scaled:
            gradients = _overflow_everywhere(gradients)
        norm = self._norm(gradients)
        self._track(norm)
        if self.game.clip_gradients:
            gradients = [gradient * tf.minimum(1.0, self.game.clip_gradients / norm) for gradient in gradients]
        scale = self.optimizer.scale_loss(tf.ones(()))
        with self._scheduled():
            self.optimizer.apply(gradients, self.variables)
        if self.name == "discriminator" and self.game.clip_weights:
            clip_weights(self.variables, self.game.clip_weights)
        return self.optimizer.scale_loss(tf.ones(())) >= scale  # an overflow halves the scale

    def _norm(self, gradients):
        """The L2 norm of all gradients together, over all replicas if it is needed for clipping."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        clips = self.game.clip_gradients
        if replicas > 1 and clips:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        norm = tf.linalg.global_norm(gradients) / self.optimizer.scale_loss(tf.ones(()))
        # What each replica sees of it is enough for the log: that of its part of the batch.
        return norm if clips else norm * replicas

    def _track(self, norm):
        finite = tf.math.is_finite(norm)  # where loss scaling skips a step, the mean of the others stays
        tracker = self.game._trackers[f"{self.name}_gradient_norm"]
        tracker.update_state(tf.where(finite, norm, 0.0), sample_weight=tf.cast(finite, tf.float32))
        if self.is_scaled:
            self.game.track(**{f"{self.name}_loss_scale": self.optimizer.dynamic_scale})

    @contextlib.contextmanager
    def _scheduled(self):
        """Gives the optimizer what is scheduled for this moment."""
        optimizer, seen = innermost(self.optimizer), self.game.samples_seen
        rate, beta_2 = (of_players[self.name] for of_players in (self.game.learning_rate, self.game.beta_2))
        if callable(rate):
            optimizer.learning_rate.assign(rate(seen))
            self.game.track(**{f"{self.name}_learning_rate": optimizer.learning_rate})
        if not callable(beta_2):
            yield
            return
        try:
            optimizer.beta_2 = beta_2(seen)  # Adam reads it when its update is traced
            yield
        finally:
            with tf.init_scope():  # what `compile` set, not what was there before: replicas are traced in turns
                optimizer.beta_2 = float(beta_2(0))

    def reset_optimizer(self):
        """The optimizer as it was before its first update, but for the learning rate and the scale of the loss."""
        optimizer = innermost(self.optimizer)
        fresh = type(optimizer).from_config(optimizer.get_config())
        fresh.build(optimizer._trainable_variables)
        for variable, new in zip(optimizer.variables, fresh.variables, strict=True):
            if variable is not optimizer._learning_rate:
                variable.assign(new)

    # Before training -----------------------------------------------------------------------------------------------

    def logs(self):
        """Names of what is logged of its updates."""
        return [
            f"{self.name}_gradient_norm",
            *([f"{self.name}_loss_scale"] if self.is_scaled else []),
            *([f"{self.name}_learning_rate"] if callable(self.game.learning_rate[self.name]) else []),
        ]

    def built_optimizer(self, identifier):
        """A built optimizer for the player. (Keras wraps only its own `optimizer` for float16: ours are wrapped here.)

        Args:
            identifier: what `keras.optimizers.get` takes.

        Raises:
            ValueError: it is in use for other weights.
        """
        # (Keras changes the dict that it makes an optimizer from.)
        optimizer = keras.optimizers.get(copy.deepcopy(identifier) if isinstance(identifier, dict) else identifier)
        learning = self.network.trainable_variables
        if optimizer.built:
            if {v.path for v in optimizer._trainable_variables} != {v.path for v in learning}:
                raise ValueError(
                    f"The optimizer {optimizer.name!r} is in use for other weights: give each player its own."
                )
            return optimizer
        wrapped = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if self.game.dtype_policy.compute_dtype == "float16" and not wrapped:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(learning)
        return optimizer

    def set_rates(self):
        """Gives the optimizer the learning rate and beta 2 that were given apart from it.

        Raises:
            ValueError: the optimizer takes none, has a schedule of its own, or one that becomes negative.
        """
        optimizer = innermost(self.optimizer)
        rate, beta_2 = self.game.learning_rate[self.name], self.game.beta_2[self.name]
        if rate is not None:
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                raise ValueError(
                    f"learning_rate={rate!r}, but the {self.name}'s optimizer has a schedule of its own: give one of "
                    "them."
                )
            optimizer.learning_rate.assign(schedules.value(rate, self.game.samples_seen))
        elif isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            _check_schedule(optimizer._learning_rate, self.name)
        if beta_2 is not None:
            if not hasattr(optimizer, "beta_2"):
                raise ValueError(f"beta_2={beta_2!r}: the {self.name}'s optimizer, {optimizer.name}, has none.")
            optimizer.beta_2 = float(schedules.value(beta_2, 0))

    def freeze(self, count, before=0):
        """Lets the network's first layers with weights, this many, keep them; all others learn.

        Args:
            before: how many were frozen until now. Where none is to be, and none was, what the user froze stays frozen.

        Returns:
            `count`, checked.
        """
        count = number(f"freeze_{self.name}", count, 0, whole=True)
        weighted = [layer for layer in _layers_of(self.network) if layer.weights]
        if count and count >= len(weighted):
            raise ValueError(
                f"freeze_{self.name}={count}: the {self.name} has {len(weighted)} layers with weights, of which at "
                "least one has to learn."
            )
        if count or before:
            for place, layer in enumerate(weighted):
                layer.trainable = place >= count
        return count


def _layers_of(network):
    """The layers of a network, in place of networks that it is made of theirs."""
    for layer in network.layers:
        yield from _layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


def _overflow_everywhere(gradients):
    """Makes an overflow on one replica one on all: Keras asks the first only whether to skip the update."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return gradients
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
    overflows = tf.distribute.get_replica_context().all_reduce("SUM", tf.cast(~finite, tf.float32))
    first, *others = gradients
    return [tf.where(overflows > 0, tf.constant(float("nan"), first.dtype), first), *others]


def _check_schedule(schedule, player):
    """Raises a ValueError if a Keras schedule gives a negative rate somewhere among the first million updates."""
    for update in (0, *(n * 10**power for power in range(7) for n in (1, 2, 5))):
        if not float(schedule(update)) >= 0:
            raise ValueError(
                f"The learning rate of the {player}'s optimizer, a {type(schedule).__name__}, is "
                f"{float(schedule(update)):g} after {update} updates: expected 0 or more throughout."
            )
