"""What moves in a training besides the players' weights: counters, seeds, the moving average, running means."""

import keras
import tensorflow as tf

from kerasgan import schedules
from kerasgan.structures import per_sample


class State:
    """The part of a `Game` that counts, draws, averages and logs."""

    def _counter(self, name):
        return self.add_weight(shape=(), initializer="zeros", dtype="int64", trainable=False, name=name)

    def updates_of(self, player):
        """How often a player's weights have been updated."""
        return self.discriminator_updates if player == "discriminator" else self.player(player).updates

    def next_seed(self, drawer=None):
        """A new int32 seed (2,) from the model's own generator.

        On several devices it is another one on each, but for a drawer that draws for all of them together.
        """
        seed = self.shared_seed()
        replica = tf.distribute.get_replica_context()
        shared = getattr(drawer, "draws_for_all_devices", False)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1 and replica is not None and not shared:
            seed = tf.random.experimental.stateless_fold_in(seed, replica.replica_id_in_sync_group)
        return seed

    def shared_seed(self):
        """A new int32 seed (2,), the same one on all devices."""
        return tf.cast(self.training_seeds.next(), tf.int32)

    def augment(self, samples):
        """Samples as the discriminator sees them."""
        return self.augmentation(samples, self.next_seed(self.augmentation)) if self.augmentation else samples

    def update_average(self, batch):
        """Moves the average towards the generator, by a batch of so many samples: weights and moving statistics alike.

        The half-life is shorter while few samples were seen (5 % of them), so that the average forgets the start. What
        does not learn in a stage keeps its average, which would come to be the last of its weights.
        """
        seen = tf.cast(self.samples_seen, tf.float32)
        half_life = schedules.value(self.ema_half_life, seen)
        half_life = tf.maximum(tf.minimum(half_life, 0.05 * seen), 1e-3)
        keep = 0.5 ** (tf.cast(batch, tf.float32) / half_life)
        learning = {id(variable) for variable in self.variables_of("generator")}
        for average, current in zip(self.ema_generator.variables, self.generator.variables, strict=True):
            if self.stages > 1 and current.trainable and id(current) not in learning:
                continue
            if average.dtype.startswith("float"):
                average.assign(current + keep * (average - current))
            else:  # states of random generators
                average.assign(current)

    def track_discriminator(self, loss, real_logits, fake_logits):
        """Logs the discriminator's loss, and tells an augmentation that adapts how sure it is of the reals."""
        if hasattr(self.augmentation, "adapt"):
            self.augmentation.adapt(real_logits, self.samples_seen)
            self.track(augmentation_probability=self.augmentation.probability)
        self.track(**logs_of_discriminator(loss, real_logits, fake_logits))

    def track(self, **values):
        """Adds values to the running means of these names."""
        for name, value in values.items():
            self._trackers[name].update_state(tf.cast(value, tf.float32))


def logs_of_discriminator(loss, real_logits, fake_logits):
    """What is logged of a discriminator, {name: value}."""
    # Not the share of right answers: a critic's logits have no zero between real and fake.
    wins = tf.cast(per_sample(real_logits) > per_sample(fake_logits), tf.float32)
    return {
        "discriminator_loss": loss,
        "real_logits": real_logits,
        "fake_logits": fake_logits,
        "discriminator_accuracy": wins,
    }


def whole(variable):
    """An integer variable's value."""
    return int(keras.ops.convert_to_numpy(variable))
