"""What a type of game says of itself: its defaults, what a batch of its data is, what its networks are given."""

import keras

from kerasgan.game import feeding
from kerasgan.game.batch import Batch
from kerasgan.tasks.base import Task


class Hooks:
    """The part of a `Game` that types override."""

    players = ("discriminator", "generator")  # of every game; others, such as an encoder, come behind them
    checked_samples = 1  # of a data set before it is trained on, and all others of their batch
    default_batch_size = None  # the paper's, where it is part of the method; None derives it from the data
    default_loss = "non_saturating"
    default_penalties = ()
    default_discriminator_steps = 1
    default_fresh_generator_batch = False
    default_augmentation = None
    default_clip_weights = 0.0
    default_ema_half_life = 10_000
    default_weights = {"adversarial": 1.0}  # of the parts of the generator's loss
    default_weights_of_others = {}  # {player: {part: weight}} of further parts, of the other players' losses

    stages = 1  # of a training; see `stage_at`
    task = Task()  # what it is for: a type that has a verb says which
    further_tasks = ()  # what it can do besides, each with a verb of its own; scores, reports and cards ask `task`
    num_classes = None
    class_names = ()  # of a conditional game, in the order of their numbers, where they have names

    @staticmethod
    def default_optimizers():
        """The paper's (discriminator optimizer, generator optimizer, those of other players), new ones at each call."""
        return keras.optimizers.Adam(2e-4, 0.5, 0.999), keras.optimizers.Adam(2e-4, 0.5, 0.999)

    # What the players see ------------------------------------------------------------------------------------------

    def unpack(self, data):
        """(samples as the discriminator sees them, condition or None) of the data of one training step."""
        samples, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return samples, None

    def unpacked(self, data):
        """The `Batch` of the data of one step."""
        return Batch(*self.unpack(data))

    def batches(self, data):
        """The data of one training step as its `batches_per_step` batches: a list of `Batch`."""
        return feeding.divided_for_step(self, self.unpacked(data))

    def sources_for(self, batch):
        """What the generator starts from, for as many samples as the batch has."""
        raise NotImplementedError(f"{type(self).__name__} must implement sources_for(batch).")

    def call_generator(self, sources, condition=None, training=True):
        """Samples in model range from what `sources_for` gives (and a condition, where the game has one)."""
        return self.generator(with_condition(sources, condition), training=training)

    def call_discriminator(self, samples, condition=None, training=True):
        """Logits of samples in model range (and a condition, where the game has one)."""
        return self.discriminator(with_condition(samples, condition), training=training)

    def call(self, inputs, training=False):
        """The moving-average generator on its inputs."""
        return self.ema_generator(inputs, training=training)

    def stage_at(self, samples_seen):
        """Which of the `stages` of a training, from 0 on, begins or goes on after so many samples.

        `fit` and `train_on_batch` set `stage`, a plain number, before the step that it holds for, and build that step
        anew: whatever asks for `self.stage` while a step is traced has a graph of its own for each stage.
        """
        return 0

    def on_stage(self):
        """What happens once when a training enters `stage` (not when it goes on there), such as new optimizers."""

    def variables_of(self, player):
        """The weights of a player, such as "generator", that learn in this stage."""
        return getattr(self, player).trainable_variables

    def reset_optimizers(self):
        """All optimizers as they were before the first update, but for the learning rate and the scale of the loss.

        An optimizer's own schedule of the rate, which counts updates, begins anew; one of `compile` does not.
        """
        for player in self.players:
            self.player(player).reset_optimizer()

    def generator_terms(self, batch):
        """What the generator minimizes besides the adversarial loss: {name: float32 scalar}, not yet weighted.

        Names and default weights are in `default_weights`.
        """
        return {}

    def discriminator_terms(self, batch):
        """The same for the discriminator; names and default weights are in `default_weights_of_others`."""
        return {}

    def judge_real(self, batch):
        """Logits of real samples, and what else the discriminator minimizes that comes of the same pass.

        For a discriminator that learns more of real samples than that they are real, such as to reconstruct them:
        `discriminator_terms` would pass through it once more. Not for `one_stage`, which has one pass for all samples.

        Args:
            batch: `Batch` of samples as the discriminator sees them, augmented.

        Returns:
            (logits, {name: float32 scalar}); names and default weights are in `default_weights_of_others`.
        """
        return self.call_discriminator(batch.real, batch.condition), {}

    @property
    def lives_by_its_discriminator(self):
        """Whether the generator learns nothing once the discriminator tells all samples apart.

        A critic's distance goes on to have a slope, and a generator may minimize more than the adversarial loss.
        """
        return not self.adversarial_loss.of_critic and len(self.default_weights) == 1

    # Users' data, and what callbacks look at -----------------------------------------------------------------------

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with samples (model range), if anything is.

        Args:
            samples: what `fit` gets as `x`.
            second: what it gets as `y`: the labels of a conditional GAN, the targets of a translator.
        """
        self.media.check(samples)

    def check_held_out(self, samples, second=None):
        """`check` of samples that the game does not learn from."""
        self.check(samples, second)

    @property
    def media_of_data(self):
        """The kinds of sample that the parts of a batch of the data are, labels left out."""
        return (self.media,)

    def second_of(self, second):
        """What `fit` got as `y`, as an array whose rows go with the samples; None if this game takes none."""
        return None

    def check_first_batch(self, dataset):
        """`check` of the first `checked_samples` of a `tf.data.Dataset` of batches; a ValueError if it has none."""
        feeding.check_all(self, feeding.first_batches(self, dataset), self.check)

    def preview(self, count, seed):
        """Samples for a sheet, in natural units, the same for the same seed: what pictures of progress show."""
        raise NotImplementedError(f"{type(self).__name__} must implement preview(count, seed).")

    def save_preview(self, path, count, seed, columns=None):
        """Writes a sheet of `preview`, ending in `media.sheet_extension`; returns its path."""
        return self.media.save_sheet(self.preview(count, seed), path, columns=columns)

    def watched_samples(self, count, seed):
        """Samples of the generator as it is trained, in model range, the same sources for the same seed."""
        raise NotImplementedError(f"{type(self).__name__} must implement watched_samples(count, seed).")

    def real_samples(self, batch):
        """The part of a batch of the data, a tuple, that `watched_samples` are compared with."""
        return batch[0]

    def inference_outputs(self):
        """What an app must know of the outputs of `inference_network`: one JSON dict an output, in their order.

        Each has `name` (the key, where the network returns a dict), `kind` and `range` (lowest and highest value, or
        None). Here, samples as the medium describes them.
        """
        return self.media.exported()


def with_condition(values, condition):
    """What a network takes: the values alone, or with the condition beside them."""
    return values if condition is None else [values, condition]
