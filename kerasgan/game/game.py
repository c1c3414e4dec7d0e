"""Game: players, and one training step; the base of every type of the library."""

import typing

import keras
import tensorflow as tf

from kerasgan import distribution, schedules
from kerasgan.checks import number
from kerasgan.game import one_stage
from kerasgan.game.batch import once_there
from kerasgan.game.fitting import Fitting
from kerasgan.game.gradients import gradients_of
from kerasgan.game.hooks import Hooks
from kerasgan.game.notebook import Notebook
from kerasgan.game.parts import in_turn, mean_gradients
from kerasgan.game.regularization import Regularization
from kerasgan.game.rules import Rules
from kerasgan.game.saving import Saving
from kerasgan.game.state import State, logs_of_discriminator
from kerasgan.media.arrays import Arrays
from kerasgan.precision import check_trainable
from kerasgan.structures import each, floats_of


class Game(Hooks, Rules, Fitting, Saving, State, Notebook, keras.Model):
    """A generator and a discriminator that play against each other, whatever the generator starts from.

    One training step updates the discriminator `discriminator_steps` times, each time on its own real and fake batch,
    then the generator once (on the last of them, or, with `fresh_generator_batch`, on one of its own), then other
    players, then the moving average of the generator, which is the one that samples are made with. It is in this file,
    from `train_step` on; how `compile` sets its rules is in `rules.py`, what `fit` and `evaluate` do around it in
    `fitting.py`, what is saved in `saving.py`.

    Either player may consist of several networks, such as the translators of both directions: it is one model then,
    whose weights one optimizer updates. A type may have further players, such as an encoder: it names them in
    `players`, has a network as attribute of each name, and says in `<player>_terms(batch)` what each minimizes.

    A kind of game is a subclass, such as `kerasgan.GAN` (samples from latents) and `kerasgan.Translator` (images from
    images), that says in

    - `unpack(data)` what a batch of the data is: (samples for the discriminator, condition or None);
    - `sources_for(batch)` what the generator starts from, for as many samples; `call_generator` makes them of it;
    - `generator_terms(batch)` what the generator minimizes besides the adversarial loss;
    - `check`, `preview`, `watched_samples` and `real_samples` what callbacks and users' data meet;
    - `inference_network`, `inference_inputs`, `inference_description` and `inference_outputs` what is exported;

    and which has the verb that people use, and its `task` (`kerasgan.tasks`), by which others know of the verb. A type
    whose game goes through stages has `stages` and `stage_at`. Samples, condition and sources are tensors or nested
    structures of tensors.

    Args:
        generator: functional model that makes samples, of the inputs that `call_generator` gives it.
        discriminator: functional model, samples -> logits (batch, ...).
        media: what kind of thing a sample is (`kerasgan.media`): checks, conversion to natural units, files. None:
            plain arrays.
        seed: integer that makes everything random in a training repeatable; None takes one at random. A type that
            builds its networks itself draws their first weights from it, too (`kerasgan.precision.policy`).
    """

    def __init__(self, generator, discriminator, media=None, seed=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        _check_formats(self, generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.ema_generator.name = f"ema_{generator.name}"  # else nobody could tell the two apart in a summary
        self.media: typing.Any = media if media is not None else Arrays(discriminator.inputs[0].shape[1:])
        self.seed = seed = None if seed is None else number("seed", seed, None, least=None, whole=True)
        self.stage = 0
        self.training_seeds = keras.random.SeedGenerator(seed)
        # Apart from the training's, so that looking at samples does not change the course of a training.
        self.sampling_seeds = keras.random.SeedGenerator(seed)
        self.samples_seen = self._counter("samples_seen")
        self.discriminator_updates = self._counter("discriminator_updates")
        self.counters = [self.samples_seen, self.discriminator_updates]
        if self.stages > 1:
            self.stage_entered = self._counter("stage_entered")
            self.counters.append(self.stage_entered)
        self.built = True

    def sampling_numbers(self, seed):
        """Two whole numbers below 2**31 of a user's seed, or, for None, of the game's own next one for samples."""
        if seed is None:
            return [int(part) % 2**31 for part in keras.ops.convert_to_numpy(self.sampling_seeds.next())]
        return [number("seed", seed, None, least=None, whole=True) % 2**31, 0]

    # A training step -----------------------------------------------------------------------------------------------

    def train_step(self, data):
        """Plays one round: `discriminator_steps` discriminator updates, then one generator update.

        Args:
            data: samples, or (samples, labels). Holds the real batches of all discriminator steps one after the other,
                and at the end the generator's if it has one of its own, so its first axis is a multiple of
                `batches_per_step`; `fit` puts them together.

        Returns:
            The running means of losses, logits and penalties, as a dict of float32 scalars.
        """
        with once_there(data):
            *earlier, last = self.batches(data)
            in_turn(self.update_discriminator, earlier)
            if self.fresh_generator_batch:
                self.update(["generator"], self._generator_alone, last)
            elif self.one_stage:
                self.update(["discriminator", "generator"], lambda batch: one_stage.gradients(self, batch), last)
            else:
                self.update_both(last)
            for player in self.players[2:]:
                self.update([player], lambda batch, player=player: self.player_gradients(player, batch), last)
            if self.stages > 1:
                self.track(stage=self.stage)
            return self.end_of_step((len(earlier) + 1) * last.count, last.count)

    @property
    def batches_per_step(self):
        """Real batches that a training step takes: one a discriminator step, and the generator's if it has its own."""
        return self.discriminator_steps + self.fresh_generator_batch

    def update_discriminator(self, batch):
        """One update of the discriminator on a real batch and a fake one of its own."""
        self.update(["discriminator"], self._discriminator_alone, batch)

    def update_both(self, batch):
        """One update of the discriminator, then one of the generator, on one batch of fakes."""
        batch = batch._replace(sources=self.sources_for(batch))
        if self.gradient_accumulation > 1:  # fakes of a part are not kept: they are generated again
            self.update(["discriminator"], self._discriminator_alone, batch)
            self.update(["generator"], self._generator_alone, batch)
            return
        with tf.GradientTape() as tape:
            fake = self.call_generator(batch.sources, batch.condition)
        self.discriminator_step(batch._replace(fake=each(tf.stop_gradient, fake)))
        self.generator_step(batch._replace(fake=fake), tape)

    def discriminator_step(self, batch):
        """Updates the discriminator on a `Batch` with fakes; the generator is not touched."""
        self.apply_gradients("discriminator", self.discriminator_gradients(batch))

    def generator_step(self, batch, tape):
        """Updates the generator; the discriminator, its statistics included, is not touched.

        Args:
            batch: `Batch` with fakes; its real samples are for losses that compare the two (relativistic ones).
            tape: the gradient tape under which the fakes were generated.
        """
        self.apply_gradients("generator", self.generator_gradients(batch, tape))

    def update(self, players, gradients, batch):
        """Updates players by `gradients(batch)`, the gradients of one after those of the other, scaled.

        Sources are drawn if the batch has none. With gradient accumulation it is asked for one part of the batch after
        the other, and the mean is taken.
        """
        if batch.sources is None:
            batch = batch._replace(sources=self.sources_for(batch))
        variables = [self.variables_of(player) for player in players]
        everything = [variable for own in variables for variable in own]
        found = mean_gradients(gradients, batch, self.gradient_accumulation, everything)
        for player, own in zip(players, variables, strict=True):
            self.apply_gradients(player, found[: len(own)])
            found = found[len(own) :]

    def apply_gradients(self, player, gradients):
        """One step of a player's optimizer, by gradients that are scaled as it wants them."""
        done = self.player(player).update(gradients)
        if player == "discriminator":  # an update that was skipped does not count: a lazy penalty stays due
            self.discriminator_updates.assign_add(tf.cast(done, tf.int64))

    def end_of_step(self, seen, batch):
        """Counts the samples that a replica has seen, moves the average by a batch of them, returns the logs."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.samples_seen.assign_add(seen * replicas)
        self.update_average(batch * replicas)
        return distribution.logs({metric.name: metric.result() for metric in self.metrics})

    # The players' losses -------------------------------------------------------------------------------------------

    def discriminator_gradients(self, batch):
        """Gradients of the discriminator's loss and penalties for its weights, scaled as its optimizer wants them."""
        player = self.player("discriminator")
        with tf.GradientTape() as tape:
            with tf.GradientTape(persistent=True, watch_accessed_variables=False) as sample_tape:
                sample_tape.watch(floats_of((batch.real, batch.fake)))
                seen = batch._replace(real=self.augment(batch.real), fake=self.augment(batch.fake))
                sample_tape.watch(floats_of((seen.real, seen.fake)))
                # Two batches, not one: they must not share batch statistics. State (moving averages, power iteration)
                # follows the real one only.
                real_logits, judged = self.judge_real(seen)
                with keras.StatelessScope():
                    fake_logits = self.call_discriminator(seen.fake, seen.condition)
            loss = tf.reduce_mean(self.adversarial_loss.discriminator(real_logits, fake_logits))
            terms = {**self.weighted(judged), **self.weighted_terms("discriminator", batch)}
            regularization = Regularization(player, batch, seen)
            total = regularization.added_to(loss, (real_logits, fake_logits), sample_tape)
            total = player.scaled(total + sum(terms.values()))
        gradients = gradients_of(tape, total, player.variables)
        self.track_discriminator(loss, real_logits, fake_logits)
        self.track(**terms)
        return regularization.added_lazily_to(gradients)

    def generator_gradients(self, batch, tape):
        """Gradients of the generator's loss for its weights, scaled; arguments as in `generator_step`."""
        player, paired = self.player("generator"), self.adversarial_loss.paired
        with tape:
            terms = self.weighted_terms("generator", batch)
            seen = batch._replace(fake=self.augment(batch.fake))
            seen = seen._replace(real=self.augment(batch.real)) if paired else seen
            with keras.StatelessScope():
                fake_logits = self.call_discriminator(seen.fake, seen.condition)
                real_logits = self.call_discriminator(seen.real, seen.condition) if paired else None
            loss = tf.reduce_mean(self.adversarial_loss.generator(fake_logits, real_logits))
            total = self.weight("adversarial") * loss + sum(terms.values())
            regularization = Regularization(player, batch, seen)
            total = player.scaled(regularization.added_to(total))
        self.track(generator_loss=loss, **terms)
        return regularization.added_lazily_to(gradients_of(tape, total, player.variables))

    def player_gradients(self, name, batch):
        """Gradients for the weights of a further player, which minimizes the sum of its `<name>_terms`, scaled."""
        player, batch = self.player(name), self.generated(batch)
        with tf.GradientTape() as tape:
            terms = self.weighted_terms(name, batch)
            loss = sum(terms.values())
            total = player.scaled(loss)
        self.track(**{f"{name}_loss": loss}, **terms)
        return gradients_of(tape, total, player.variables)

    def _discriminator_alone(self, batch):
        return self.discriminator_gradients(self.generated(batch))

    def _generator_alone(self, batch):
        with tf.GradientTape() as tape:
            fake = self.call_generator(batch.sources, batch.condition)
        return self.generator_gradients(batch._replace(fake=fake), tape)

    def generated(self, batch):
        """The batch with fakes of its sources; the generator's statistics stay as they are."""
        with keras.StatelessScope():
            return batch._replace(fake=self.call_generator(batch.sources, batch.condition))

    def weighted_terms(self, player, batch):
        """A player's `<player>_terms`, weighted."""
        return self.weighted(getattr(self, f"{player}_terms")(batch))

    def weighted(self, terms):
        """Parts of a loss, {name: scalar}, each times its weight by now, in float32."""
        return {name: self.weight(name) * tf.cast(term, tf.float32) for name, term in terms.items()}

    def weight(self, term):
        """The weight of a part of a loss by now."""
        return schedules.value(self.weights_of_terms[term], self.samples_seen)

    def held_out_losses(self, batch):
        """What a training step would log of a batch, {name: value}, in a scope that keeps no change of state."""
        batch = batch._replace(sources=self.sources_for(batch))
        batch = batch._replace(fake=self.call_generator(batch.sources, batch.condition))
        terms = {player: self.weighted_terms(player, batch) for player in reversed(self.players)}
        seen = batch._replace(real=self.augment(batch.real), fake=self.augment(batch.fake))
        real_logits, judged = self.judge_real(seen)
        fake_logits = self.call_discriminator(seen.fake, seen.condition)
        terms["discriminator"] |= self.weighted(judged)
        loss, paired = self.adversarial_loss, real_logits if self.adversarial_loss.paired else None
        return {
            **logs_of_discriminator(loss.discriminator(real_logits, fake_logits), real_logits, fake_logits),
            "generator_loss": loss.generator(fake_logits, paired),
            **{f"{player}_loss": sum(terms[player].values()) for player in self.players[2:]},
            **{name: value for own in terms.values() for name, value in own.items()},
        }


def _check_formats(game, *networks):
    """Raises a ValueError if weights are in number formats in which a game does not train."""
    check_trainable(game.dtype_policy)
    for network in networks:
        for variable in network.trainable_variables:
            if variable.dtype != "float32":
                raise ValueError(
                    f"{network.name} holds {variable.path} in {variable.dtype}, in which a GAN does not train: build "
                    'it with dtype="float32", "mixed_bfloat16" or "mixed_float16".'
                )
