"""Game: two players, their optimizers and one training step; the base of every type of the library."""

import contextlib
import copy
import math

import keras
import numpy as np
import tensorflow as tf

from kerasgan import augmentation as augmentations
from kerasgan import distribution, feeding, losses, schedules
from kerasgan import penalties as penalties_module
from kerasgan.media.arrays import Arrays
from kerasgan.optimizer import PLAYERS, BothOptimizers, innermost
from kerasgan.precision import check_trainable, full_precision, policy

_EVALUATION = 19_680_801  # what is random in `evaluate` follows from


class Game(keras.Model):
    """A generator and a discriminator that play against each other, whatever the generator starts from.

    One training step updates the discriminator `discriminator_steps` times, each time on its own real and fake batch,
    then the generator once (on the last of them, or, with `fresh_generator_batch`, on one of its own), then the moving
    average of the generator, which is the one that samples are made with.

    Either player may consist of several networks, such as the translators of both directions: it is one model then,
    whose weights one optimizer updates.

    A kind of game is a subclass, such as `kerasgan.GAN` (samples from latents) and `kerasgan.Translator` (images from
    images), that says in

    - `_unpack(data)` what a batch of the data is: (samples for the discriminator, labels or None);
    - `_sources(real)` what the generator starts from, for as many samples; `call_generator` makes them of it;
    - `generator_terms(real, fake)` what the generator minimizes besides the adversarial loss;
    - `check`, `preview`, `watched_samples` and `real_samples` what callbacks and users' data meet;
    - `inference_network`, `inference_inputs` and `inference_description` what is exported;

    and which has the verbs that people use. A type whose game goes through stages has `stages` and `stage_at`.

    Args:
        generator: functional model that makes samples, of the inputs that `call_generator` gives it.
        discriminator: functional model, samples -> logits (batch, ...).
        media: what kind of thing a sample is (`kerasgan.media`): checks, conversion to natural units, files. None:
            plain arrays.
        seed: integer that makes everything random in a training repeatable; None takes one at random. A type that
            builds its networks itself draws their first weights from it, too (`kerasgan.precision.policy`).
    """

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

    stages = 1  # of a training; see `stage_at`
    own_scores = ()  # what a type is scored by in place of `kerasgan.metrics.METRICS`
    num_classes = None
    class_names = ()  # of a conditional game, in the order of their numbers, where they have names

    def __init__(self, generator, discriminator, media=None, seed=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        _check_formats(self, generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.ema_generator.name = f"ema_{generator.name}"  # else nobody could tell the two apart in a summary
        self.media = media if media is not None else Arrays(discriminator.inputs[0].shape[1:])
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

    def _counter(self, name):
        return self.add_weight(shape=(), initializer="zeros", dtype="int64", trainable=False, name=name)

    # The game ------------------------------------------------------------------------------------------------------

    @staticmethod
    def default_optimizers():
        """The paper's (discriminator optimizer, generator optimizer), new ones at each call."""
        return keras.optimizers.Adam(2e-4, 0.5, 0.999), keras.optimizers.Adam(2e-4, 0.5, 0.999)

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
            *earlier, (real, labels) = self._batches(data)
            self._play_earlier(earlier)
            if self.fresh_generator_batch:
                self._play(("generator",), self._gradients_with_tape, real, labels)
            elif self.one_stage:
                self._play(("discriminator", "generator"), self._one_stage_gradients, real, labels)
            else:
                self._alternate(real, labels)

            batch = count_of(real) * tf.distribute.get_strategy().num_replicas_in_sync
            self.samples_seen.assign_add((len(earlier) + 1) * batch)
            self._update_ema(batch)
            if self.stages > 1:
                self._track(stage=self.stage)
            return distribution.logs({metric.name: metric.result() for metric in self._trackers.values()})

    def _play_earlier(self, batches):
        """One update of the discriminator on each of the batches, in a loop of the graph, which is traced once."""
        real, labels = ([batch[part] for batch in batches] for part in (0, 1))

        def play(real, labels):
            self._play(("discriminator",), self._gradients_without_tape, real, labels)

        if len(batches) < 2:
            for batch in batches:
                play(*batch)
            return
        real = tf.stack(real)
        labels = None if labels[0] is None else tf.stack(labels)

        def body(number, _):
            play(real[number], None if labels is None else labels[number])
            return number + 1, []

        _repeated(body, len(batches), [])

    @property
    def lives_by_its_discriminator(self):
        """Whether the generator learns nothing once the discriminator tells all samples apart.

        A critic's distance goes on to have a slope, and a generator may minimize more than the adversarial loss.
        """
        return not self.adversarial_loss.of_critic and len(self.default_weights) == 1

    @property
    def batches_per_step(self):
        """Real batches that a training step takes: one a discriminator step, and the generator's if it has its own."""
        return self.discriminator_steps + self.fresh_generator_batch

    def _alternate(self, real, labels):
        """One update of the discriminator, then one of the generator, on one batch of fakes."""
        sources = self._sources(real)
        if self.gradient_accumulation > 1:  # fakes of a part are not kept: they are generated again
            self._play(("discriminator",), self._gradients_without_tape, real, labels, sources)
            self._play(("generator",), self._gradients_with_tape, real, labels, sources)
            return
        with tf.GradientTape() as tape:
            fake = self.call_generator(sources, labels)
        self.discriminator_step(real, tf.stop_gradient(fake), labels)
        self.generator_step(real, fake, labels, tape)

    def discriminator_step(self, real, fake, labels):
        """Updates the discriminator on one real and one fake batch; the generator is not touched."""
        self._update("discriminator", self.discriminator_gradients(real, fake, labels))

    def generator_step(self, real, fake, labels, tape):
        """Updates the generator; the discriminator, its statistics included, is not touched.

        Args:
            real: the real batch, for losses that compare the two (relativistic ones).
            fake: the generator's batch, recorded by `tape`.
            labels: int32 (batch,) or None.
            tape: the gradient tape under which `fake` was generated.
        """
        self._update("generator", self.generator_gradients(real, fake, labels, tape))

    def discriminator_gradients(self, real, fake, labels):
        """Gradients of the discriminator's loss and penalties for its weights, scaled as its optimizer wants them."""
        plain = real, fake
        with tf.GradientTape() as tape:
            with tf.GradientTape(persistent=True, watch_accessed_variables=False) as sample_tape:
                sample_tape.watch(plain)
                augmented = real, fake = self._augment(real), self._augment(fake)
                sample_tape.watch(augmented)
                # Two batches, not one: they must not share batch statistics. State (moving averages, power iteration)
                # follows the real one only.
                real_logits = self.call_discriminator(real, labels)
                with keras.StatelessScope():
                    fake_logits = self.call_discriminator(fake, labels)
            loss = tf.reduce_mean(self.adversarial_loss.discriminator(real_logits, fake_logits))
            total = self._with_penalties(loss, augmented, plain, labels, (real_logits, fake_logits), sample_tape)
        gradients = _gradients(tape, total, self.variables_of("discriminator"))
        self._track_discriminator(loss, real_logits, fake_logits)
        return self._with_lazy_penalties(gradients, augmented, plain, labels)

    def generator_gradients(self, real, fake, labels, tape):
        """Gradients of the generator's loss for its weights, scaled; arguments as in `generator_step`."""
        paired = self.adversarial_loss.paired
        with tape:
            terms = self._weighted_terms(real, fake)
            fake = self._augment(fake)
            real = self._augment(real) if paired else real
            with keras.StatelessScope():
                fake_logits = self.call_discriminator(fake, labels)
                real_logits = self.call_discriminator(real, labels) if paired else None
            loss = tf.reduce_mean(self.adversarial_loss.generator(fake_logits, real_logits))
            total = self._weight("adversarial") * loss + sum(terms.values())
            total = self._scale(total, self.generator_optimizer)
        self._track(generator_loss=loss, **terms)
        return _gradients(tape, total, self.variables_of("generator"))

    def generator_terms(self, real, fake):
        """What the generator minimizes besides the adversarial loss: {name: float32 scalar}, not yet weighted.

        Names and default weights are in `default_weights`.
        """
        return {}

    def _weighted_terms(self, real, fake):
        terms = self.generator_terms(real, fake)
        return {name: self._weight(name) * tf.cast(term, tf.float32) for name, term in terms.items()}

    def _weight(self, name):
        return schedules.value(self.weights_of_terms[name], self.samples_seen)

    # Variants of the game: both players in one stage, a batch in parts -----------------------------------------------

    def _one_stage_gradients(self, real, labels, sources):
        """Both players' gradients from one pass through the discriminator (Shen et al., 2021, arXiv:2103.00430).

        For a fake sample, either loss has the gradient of the logit times a number, the loss's derivative at the logit.
        So what the discriminator's loss passes back to a sample becomes what the generator's would, by the ratio of the
        two numbers. Each player sees the other as it was before the step (simultaneous updates).
        """
        with tf.GradientTape() as tape:
            fake = self.call_generator(sources, labels)
        seen, plain = tf.stop_gradient(fake), (real, tf.stop_gradient(fake))
        with tf.GradientTape() as judge:
            judge.watch(seen)
            real, augmented = self._augment(real), self._augment(seen)
            both = tf.concat([real, tf.cast(augmented, real.dtype)], axis=0)
            logits = self.call_discriminator(both, None if labels is None else tf.concat([labels, labels], axis=0))
            real_logits, fake_logits = tf.split(logits, 2)
            loss = tf.reduce_mean(self.adversarial_loss.discriminator(real_logits, fake_logits))
            augmented = real, tf.stop_gradient(augmented)  # penalties are the discriminator's alone
            total = self._with_penalties(loss, augmented, plain, labels, (real_logits, fake_logits))
        *gradients, to_fake = _gradients(judge, total, self.variables_of("discriminator"), seen)
        self._track_discriminator(loss, real_logits, fake_logits)
        gradients = self._with_lazy_penalties(gradients, augmented, plain, labels)

        ratio = self._ratio_of_derivatives(real_logits, fake_logits)
        to_fake *= tf.cast(tf.reshape(ratio, (-1, *[1] * (to_fake.shape.rank - 1))), to_fake.dtype)
        return [*gradients, *_gradients(tape, fake, self.variables_of("generator"), output_gradients=to_fake)]

    def _ratio_of_derivatives(self, real_logits, fake_logits):
        """Derivative of the generator's loss at each fake logit over that of the discriminator's: (batch,), scaled."""
        real_logits, fake_logits = _per_sample(real_logits), _per_sample(fake_logits)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake_logits)
            discriminator_loss = self.adversarial_loss.discriminator(real_logits, fake_logits)
            generator_loss = self.adversarial_loss.generator(fake_logits, real_logits)
        self._track(generator_loss=tf.reduce_mean(generator_loss))
        derivatives = [tape.gradient(loss, fake_logits) for loss in (generator_loss, discriminator_loss)]
        one = tf.ones(())
        scales = [optimizer.scale_loss(one) for optimizer in (self.generator_optimizer, self.discriminator_optimizer)]
        return tf.math.divide_no_nan(*derivatives) * (scales[0] / scales[1])

    def _gradients_without_tape(self, real, labels, sources):
        with keras.StatelessScope():  # a discriminator step leaves the generator's statistics alone
            fake = self.call_generator(sources, labels)
        return self.discriminator_gradients(real, fake, labels)

    def _gradients_with_tape(self, real, labels, sources):
        with tf.GradientTape() as tape:
            fake = self.call_generator(sources, labels)
        return self.generator_gradients(real, fake, labels, tape)

    def _play(self, players, gradients_of, real, labels, sources=None):
        """Updates players by `gradients_of(real, labels, sources)`, the gradients of one after those of the other.

        With gradient accumulation it is asked for one part of the batch after the other and the mean is taken, so that
        memory holds the activations of one part.
        """
        sources = self._sources(real) if sources is None else sources
        parts = self.gradient_accumulation
        variables = [self.variables_of(player) for player in players]
        if parts == 1:
            gradients = gradients_of(real, labels, sources)
        else:
            _check_parts(real, parts)
            batches = [None if batch is None else tf.stack(tf.split(batch, parts)) for batch in (real, labels, sources)]

            def add(number, sums):
                part = gradients_of(*(None if batch is None else batch[number] for batch in batches))
                return number + 1, [sum + gradient for sum, gradient in zip(sums, part, strict=True)]

            zeros = [tf.zeros(v.shape, v.dtype) for player in variables for v in player]
            gradients = [sum / parts for sum in _repeated(add, parts, zeros)]
        for player, own in zip(players, variables, strict=True):
            self._update(player, gradients[: len(own)])
            gradients = gradients[len(own) :]

    def _update(self, player, gradients):
        """One optimizer step of a player ("discriminator" or "generator"), whose gradients are still scaled."""
        variables = self.variables_of(player)
        optimizer = getattr(self, f"{player}_optimizer")
        if optimizer is not innermost(optimizer):
            gradients = _overflow_everywhere(gradients)
        norm = self._norm(gradients, optimizer)
        self._track_norm(player, norm)
        if self.clip_gradients:
            gradients = [gradient * tf.minimum(1.0, self.clip_gradients / norm) for gradient in gradients]
        scale = optimizer.scale_loss(tf.ones(()))
        with self._scheduled(player):
            optimizer.apply(gradients, variables)
        if player == "discriminator":
            if self.clip_weights:
                penalties_module.clip_weights(variables, self.clip_weights)
            # An update that an overflow skipped, which halves the scale, does not count: a lazy penalty stays due.
            done = optimizer.scale_loss(tf.ones(())) >= scale
            self.discriminator_updates.assign_add(tf.cast(done, tf.int64))

    def _norm(self, gradients, optimizer):
        """The L2 norm of all gradients together, over all replicas if it is needed for clipping."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1 and self.clip_gradients:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.ones(()))
        # What each replica sees of it is enough for the log: that of its part of the batch.
        return norm if self.clip_gradients else norm * replicas

    @contextlib.contextmanager
    def _scheduled(self, player):
        """Gives a player's optimizer what is scheduled for this moment."""
        optimizer = innermost(getattr(self, f"{player}_optimizer"))
        rate, beta_2 = (getattr(self, name)[player] for name in ("learning_rate", "beta_2"))
        if callable(rate):
            optimizer.learning_rate.assign(rate(self.samples_seen))
            self._track(**{f"{player}_learning_rate": optimizer.learning_rate})
        if not callable(beta_2):
            yield
            return
        try:
            optimizer.beta_2 = beta_2(self.samples_seen)  # Adam reads it when its update is traced
            yield
        finally:
            with tf.init_scope():  # what `compile` set, not what was there before: replicas are traced in turns
                optimizer.beta_2 = float(beta_2(0))

    def call_generator(self, sources, labels=None, training=True):
        """Samples in model range from what `_sources` gives (and labels, int32 (batch,), for a conditional GAN)."""
        return self.generator(with_labels(sources, labels), training=training)

    def call_discriminator(self, samples, labels=None, training=True):
        """Logits of samples in model range (and labels, for a conditional GAN)."""
        return self.discriminator(with_labels(samples, labels), training=training)

    def call(self, inputs, training=False):
        """The moving-average generator on its inputs."""
        return self.ema_generator(inputs, training=training)

    # Stages of a training ----------------------------------------------------------------------------------------

    def stage_at(self, samples_seen):
        """Which of the `stages` of a training, from 0 on, begins or goes on after so many samples.

        `fit` and `train_on_batch` set `stage`, a plain number, before the step that it holds for, and build that step
        anew: whatever asks for `self.stage` while a step is traced has a graph of its own for each stage.
        """
        return 0

    def on_stage(self):
        """What happens once when a training enters `stage` (not when it goes on there), such as new optimizers."""

    def variables_of(self, player):
        """The weights of a player, "discriminator" or "generator", that learn in this stage."""
        return getattr(self, player).trainable_variables

    def reset_optimizers(self):
        """Both optimizers as they were before the first update, but for the learning rate and the scale of the loss.

        An optimizer's own schedule of the rate, which counts updates, begins anew; one of `compile` does not.
        """
        for player in PLAYERS:
            optimizer = innermost(getattr(self, f"{player}_optimizer"))
            fresh = type(optimizer).from_config(optimizer.get_config())
            fresh.build(optimizer._trainable_variables)
            for variable, new in zip(optimizer.variables, fresh.variables, strict=True):
                if variable is not optimizer._learning_rate:
                    variable.assign(new)

    def _to_stage(self):
        """Enters the stage that the samples seen have led to, or goes on in it."""
        if self.stages == 1:
            return
        self.stage = self.stage_at(_whole(self.samples_seen))
        if self.stage != _whole(self.stage_entered):
            self.on_stage()
            self.stage_entered.assign(self.stage)
        self.make_train_function()

    def make_train_function(self, force=False):
        """The step's graph, built anew where there is one of another stage."""
        stage = getattr(self, "_stage_of_graph", self.stage)
        self._stage_of_graph = self.stage
        return super().make_train_function(force or stage != self.stage)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """As `keras.Model.train_on_batch`; `x` holds the `batches_per_step` batches of a step, one after the other."""
        self._check_compiled("train_on_batch")
        _refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        self._to_stage()
        return super().train_on_batch(x, y, return_dict=return_dict)

    # Data that are not learned from ----------------------------------------------------------------------------------

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, **kwargs):
        """Losses of both players on data that they do not learn from; nothing of the model changes.

        They are those of a training step, in the stage that the training is in: the generator as it is trained, not its
        average, networks and augmentation as in training, the generator's loss with the weighted parts that a type has,
        penalties left out. So a `discriminator_loss` that is higher here than in training, or `real_logits` that are
        lower, say that the discriminator has learned samples by heart. The same data give the same numbers: latents and
        all else that is random follow from a fixed seed, not from those of the training, which goes on as if nothing
        had been looked at.

        Args:
            x, y, batch_size: as in `fit`, in order; each sample counts, those of a smaller last batch, too.
            sample_weight: refused, as in `fit`.
            steps: batches to take; None takes all.
            kwargs: as in `keras.Model.evaluate`.

        Returns:
            [discriminator_loss, generator_loss, real_logits, fake_logits, discriminator_accuracy, ...], in the order of
            the progress line; with `return_dict=True`, by their names. Means over samples. What a type's generator
            minimizes besides comes last.

        Raises:
            ValueError: as `fit`.
        """
        self._check_compiled("evaluate")
        _refuse_weights(sample_weight=sample_weight)
        if not kwargs.get("_use_cached_eval_dataset"):  # else this is Keras's `fit`, which has what ours made ready
            x, _ = feeding.held_out(self, (x, y), batch_size)
        with self._held_out:
            return super().evaluate(x, verbose=verbose, steps=steps, **kwargs)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """`evaluate` of a single batch, an array."""
        self._check_compiled("test_on_batch")
        _refuse_weights(sample_weight=sample_weight)
        self.check_held_out(x, y)
        with self._held_out:
            return super().test_on_batch(x, y, return_dict=return_dict)

    def test_step(self, data):
        """What `evaluate` says of a batch: the running means, as a dict of float32 scalars."""
        real, labels = self._unpack(data)
        trackers = {metric.name: metric for metric in self.metrics}
        seen = tf.cast(trackers["generator_loss"].count, tf.int32)
        with keras.StatelessScope(self._seeds_of_evaluation(seen)):
            losses_of_batch = self.held_out_losses(real, labels)
        for name, tracker in trackers.items():
            tracker.update_state(tf.reduce_mean(tf.cast(losses_of_batch[name], tf.float32)), count_of(real))
        return distribution.logs({name: tracker.result() for name, tracker in trackers.items()})

    def _seeds_of_evaluation(self, seen):
        """What generators of random numbers begin with after so many samples, [(state, value)]."""
        pairs = []
        for place, state in enumerate(self._seed_states()):
            seed = tf.random.experimental.stateless_fold_in(tf.constant([_EVALUATION, place]), seen)
            pairs.append((state, tf.bitcast(seed, tf.uint32)))
        return pairs

    def held_out_losses(self, real, labels):
        """What a training step would log of a batch, {name: value}, in a scope that keeps no change of state."""
        sources = self._sources(real)
        fake = self.call_generator(sources, labels)
        terms = self._weighted_terms(real, fake)
        real, fake = self._augment(real), self._augment(fake)
        real_logits, fake_logits = (self.call_discriminator(samples, labels) for samples in (real, fake))
        loss, paired = self.adversarial_loss, real_logits if self.adversarial_loss.paired else None
        return {
            **_of_discriminator(loss.discriminator(real_logits, fake_logits), real_logits, fake_logits),
            "generator_loss": loss.generator(fake_logits, paired),
            **terms,
        }

    def make_test_function(self, force=False):
        """The graph of `test_step`, built anew where there is one of another stage."""
        stage = getattr(self, "_stage_of_test_graph", self.stage)
        self._stage_of_test_graph = self.stage
        return super().make_test_function(force or stage != self.stage)

    # Pieces of the game --------------------------------------------------------------------------------------------

    def _next_seed(self, drawer=None):
        """A new int32 seed (2,) from the model's own generator.

        On several devices it is another one on each, but for a drawer that draws for all of them together.
        """
        seed = tf.cast(self.training_seeds.next(), tf.int32)
        replica = tf.distribute.get_replica_context()
        shared = getattr(drawer, "draws_for_all_devices", False)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1 and replica is not None and not shared:
            seed = tf.random.experimental.stateless_fold_in(seed, replica.replica_id_in_sync_group)
        return seed

    def _shared_seed(self):
        """A new int32 seed (2,), the same one on all devices."""
        return tf.cast(self.training_seeds.next(), tf.int32)

    def _augment(self, samples):
        return self.augmentation(samples, self._next_seed(self.augmentation)) if self.augmentation else samples

    # Penalties take (real, fake) pairs: those that went through the augmentation, and the plain ones before it.

    def _with_penalties(self, loss, augmented, plain, labels, logits, sample_tape=None):
        """The discriminator's whole loss but for lazy penalties, scaled.

        Args:
            logits: of the loss, (real, fake).
            sample_tape: the persistent tape that recorded them from the samples on.
        """
        total = loss
        for penalty in self.penalties:
            if penalty.interval == 1:
                seeds = self._seeds(penalty)  # drawn anyway: what else is drawn does not depend on who answers
                answer = self._answer(penalty, augmented, plain, logits, sample_tape)
                total += self._penalty(penalty, augmented, plain, labels, seeds, answer)
        return self._scale(total, self.discriminator_optimizer)

    def _answer(self, penalty, augmented, plain, logits, sample_tape):
        """What a penalty asks the discriminator for, if the logits of the loss tell it, or None."""
        what, side = penalty.asks_for or (None, None)
        if what == penalties_module.LOGITS:
            return logits[side]
        if what is None or sample_tape is None or not self._in_precision_of_loss(penalty):
            return None
        samples = (plain if penalty.through_augmentation else augmented)[side]
        return tf.cast(penalties_module.gradient_of_logits(sample_tape, logits[side], samples), tf.float32)

    def _in_precision_of_loss(self, penalty):
        """Whether a penalty's discriminator computes as that of the loss does."""
        layers = self.discriminator._flatten_layers()
        return self._as_policy_says(penalty) or all(layer.compute_dtype == "float32" for layer in layers)

    def _as_policy_says(self, penalty):
        return not penalty.full_precision and self.compute_dtype != "float16"

    def _with_lazy_penalties(self, gradients, augmented, plain, labels):
        for penalty in self.penalties:
            if penalty.interval > 1:
                extra = self._lazy_penalty_gradients(penalty, augmented, plain, labels)
                gradients = [a + b for a, b in zip(gradients, extra, strict=True)]
        return gradients

    def _seeds(self, penalty):
        """Seeds of a penalty, and of the augmentation that its gradient goes through, or None."""
        through = penalty.through_augmentation and self.augmentation
        return self._next_seed(penalty), self._next_seed(self.augmentation) if through else None

    def _penalty(self, penalty, augmented, plain, labels, seeds, answer=None):
        """Mean penalty, on a discriminator whose state stays put; `answer` is what it asks for, where that is known."""
        seed, augmentation_seed = seeds

        def critic(samples):
            samples = samples if augmentation_seed is None else self.augmentation(samples, augmentation_seed)
            own = contextlib.nullcontext() if self._as_policy_says(penalty) else full_precision(self.discriminator)
            with own, keras.StatelessScope():
                return self.call_discriminator(samples, labels)

        real, fake = (tf.cast(x, tf.float32) for x in (plain if penalty.through_augmentation else augmented))
        value = tf.reduce_mean(penalty(critic, real, fake, seed, self.samples_seen, answer))
        if penalty.interval == 1:
            self._track(**{penalty.name: value})
        return value

    def _lazy_penalty_gradients(self, penalty, augmented, plain, labels):
        """Gradients of a penalty that is computed every `interval` updates, with `interval` times the weight.

        Lazy regularization, Karras et al., 2019, arXiv:1912.04958, appendix B.
        """
        variables, seeds = self.variables_of("discriminator"), self._seeds(penalty)

        def due():
            with tf.GradientTape() as tape:
                value = self._penalty(penalty, augmented, plain, labels, seeds)
                total = self._scale(penalty.interval * value, self.discriminator_optimizer)
            return [value, *_gradients(tape, total, variables)]

        def not_due():
            return [tf.zeros(()), *(tf.zeros(v.shape, v.dtype) for v in variables)]

        is_due = tf.equal(self.discriminator_updates % penalty.interval, 0)
        if self._replicas_talk_in_discriminator():  # which they cannot inside of a condition of the graph
            value, *gradients = [tf.where(is_due, a, b) for a, b in zip(due(), not_due(), strict=True)]
        else:
            value, *gradients = tf.cond(is_due, due, not_due)
        self._trackers[penalty.name].update_state(value, sample_weight=tf.cast(is_due, tf.float32))
        return gradients

    def _replicas_talk_in_discriminator(self):
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return False
        layers = self.discriminator._flatten_layers()
        return any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)

    def _scale(self, loss, optimizer):
        """Loss as the optimizer wants it: over all replicas, and scaled where float16 would underflow."""
        return optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)

    def _update_ema(self, batch):
        """Moves the average towards the generator: weights and moving statistics alike.

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

    def _unpack(self, data):
        """(samples as the discriminator sees them, labels or None) of the data of one training step."""
        samples, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return samples, None

    def _batches(self, data):
        """Splits the data of one training step into its batches, each (real, labels)."""
        real, labels = self._unpack(data)
        count = self.batches_per_step
        if real.shape[0] is not None and real.shape[0] % count:
            own = " and the generator's own batch" if self.fresh_generator_batch else ""
            raise ValueError(
                f"A training step got {real.shape[0]} samples, which is not a multiple of {count}: "
                f"discriminator_steps={self.discriminator_steps}{own}."
            )
        parts = tf.split(real, count)
        return list(zip(parts, tf.split(labels, count) if labels is not None else [None] * count, strict=True))

    def _track_discriminator(self, loss, real_logits, fake_logits):
        if hasattr(self.augmentation, "adapt"):
            self.augmentation.adapt(real_logits, self.samples_seen)
            self._track(augmentation_probability=self.augmentation.probability)
        self._track(**_of_discriminator(loss, real_logits, fake_logits))

    def _track_norm(self, player, norm):
        finite = tf.math.is_finite(norm)  # where loss scaling skips a step, the mean of the others stays
        name = f"{player}_gradient_norm"
        self._trackers[name].update_state(tf.where(finite, norm, 0.0), sample_weight=tf.cast(finite, tf.float32))
        scale = f"{player}_loss_scale"
        if scale in self._trackers:
            self._track(**{scale: getattr(self, f"{player}_optimizer").dynamic_scale})

    def _track(self, **values):
        for name, value in values.items():
            self._trackers[name].update_state(tf.cast(value, tf.float32))

    # Keras ---------------------------------------------------------------------------------------------------------

    def compile(
        self,
        discriminator_optimizer=None,
        generator_optimizer=None,
        loss=None,
        penalties=None,
        discriminator_steps=None,
        fresh_generator_batch=None,
        augmentation=None,
        clip_weights=None,
        ema_half_life=None,
        weights=None,
        learning_rate=None,
        beta_2=None,
        clip_gradients=0.0,
        gradient_accumulation=1,
        one_stage=False,
        freeze_discriminator=0,
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Sets the rules of the game. Everything left at None is the paper's value, so `gan.compile()` is right.

        Args:
            discriminator_optimizer, generator_optimizer: Keras optimizers, their names or serialized dicts.
            loss: an `AdversarialLoss`, or a name such as "hinge" (see `kerasgan.losses`).
            penalties: sequence of `kerasgan.penalties`; `()` for none.
            discriminator_steps: discriminator updates for each generator update, each on its own real batch.
            fresh_generator_batch: whether the generator's step has a real and a fake batch of its own, instead of the
                discriminator's last ones: for losses that compare the two, so that it is not judged by the pairs that
                the discriminator has just learned.
            augmentation: what real and fake samples go through before the discriminator sees them
                (`kerasgan.augmentation.DiffAugment` or its policy, such as "translation,cutout"); `()` for none.
            clip_weights: bound that the discriminator's weights are clipped to after each update; 0 for none.
            ema_half_life: half-life of the generator's moving average, in samples, or a schedule of it
                (`kerasgan.schedules`); 0 makes it a plain copy. It is never longer than 5 % of the samples seen.
            weights: of the parts of the generator's loss, {name: a number or a schedule}, where they are not the type's
                own, `default_weights`.
            learning_rate: instead of the optimizers' own: a number, a schedule such as "cosine(2e-4, 5e-5, 2000000)",
                or a pair of them, (discriminator's, generator's): two time-scales (Heusel et al., 2017,
                arXiv:1706.08500).
            beta_2: the same for Adam's second beta.
            clip_gradients: bound on the norm of all gradients of a player together; 0 for none.
            gradient_accumulation: parts of a batch that are computed one after the other before the update, for batches
                that memory does not hold. Statistics of batch normalization and the like are those of a part.
            one_stage: one pass through the discriminator serves both players (Shen et al., 2021, arXiv:2103.00430):
                faster, with simultaneous updates. Not for discriminators that mix the samples of a batch, as batch
                normalization does, nor for the hinge loss, whose derivative vanishes.
            freeze_discriminator: this many of the discriminator's first layers with weights keep them (FreezeD, Mo et
                al., 2020, arXiv:2002.10964): for fine-tuning on few samples.
            jit_compile, steps_per_execution, run_eagerly: as in `keras.Model.compile`.

        Raises:
            ValueError: an argument is not what it should be.
        """
        self._freeze(freeze_discriminator)
        super().compile(
            optimizer=None,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            auto_scale_loss=False,  # of each player's own optimizer, below
        )
        self.adversarial_loss = losses.get(self.default_loss if loss is None else loss)
        penalties = self.default_penalties if penalties is None else penalties
        self.penalties = [penalties_module.get(p) for p in _as_sequence(penalties)]
        self.augmentation = augmentations.get(self.default_augmentation if augmentation is None else augmentation)
        self.discriminator_steps = number(
            "discriminator_steps", discriminator_steps, self.default_discriminator_steps, least=1, whole=True
        )
        fresh = self.default_fresh_generator_batch if fresh_generator_batch is None else fresh_generator_batch
        self.fresh_generator_batch = bool(fresh)
        self.clip_weights = number("clip_weights", clip_weights, self.default_clip_weights)
        half_life = self.default_ema_half_life if ema_half_life is None else ema_half_life
        self.ema_half_life = schedules.get(half_life, "ema_half_life")
        self.weights_of_terms = self._weights(weights)
        self.clip_gradients = number("clip_gradients", clip_gradients, 0.0)
        self.gradient_accumulation = number("gradient_accumulation", gradient_accumulation, 1, least=1, whole=True)
        self.learning_rate, self.beta_2 = _of_players("learning_rate", learning_rate), _of_players("beta_2", beta_2)
        self.one_stage = bool(one_stage)
        if self.one_stage:
            self._check_one_stage()
        defaults = self.default_optimizers()
        self.discriminator_optimizer = self._optimizer(discriminator_optimizer or defaults[0], self.discriminator)
        self.generator_optimizer = self._optimizer(generator_optimizer or defaults[1], self.generator)
        names = [
            "discriminator_loss",
            "generator_loss",
            "real_logits",
            "fake_logits",
            "discriminator_accuracy",
            *(name for name in self.default_weights if name != "adversarial"),
            *(p.name for p in self.penalties),
            *(["augmentation_probability"] if hasattr(self.augmentation, "adapt") else []),
            *(["stage"] if self.stages > 1 else []),
        ]
        for player in PLAYERS:
            optimizer = getattr(self, f"{player}_optimizer")
            self._set_rates(player, innermost(optimizer))
            names.append(f"{player}_gradient_norm")
            names += [f"{player}_loss_scale"] if optimizer is not innermost(optimizer) else []
            names += [f"{player}_learning_rate"] if callable(self.learning_rate[player]) else []
        self._trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self._held_out = _HeldOut(self.default_weights)
        self._both_optimizers = BothOptimizers(self)

    @property
    def optimizer(self):
        """Both players' optimizers as one, for callbacks: see `kerasgan.optimizer.BothOptimizers`; None uncompiled."""
        return getattr(self, "_both_optimizers", None)

    @optimizer.setter
    def optimizer(self, value):
        if value is not None:  # which is what Keras's own `compile` sets
            raise AttributeError(
                "A game has an optimizer for each player: gan.compile(discriminator_optimizer=..., "
                "generator_optimizer=...)."
            )

    def _weights(self, given):
        given = {} if given is None else given
        if not isinstance(given, dict) or not given.keys() <= self.default_weights.keys():
            raise ValueError(
                f"weights={given!r}: expected a dict of some of {', '.join(self.default_weights)}, the parts of the "
                f"generator's loss of {type(self).__name__}."
            )
        weights = {**self.default_weights, **given}
        return {name: schedules.get(weight, f"weights[{name!r}]") for name, weight in weights.items()}

    def _optimizer(self, identifier, player):
        """A built optimizer; Keras wraps only its own `optimizer` for float16, so ours are wrapped here."""
        optimizer = keras.optimizers.get(copy.deepcopy(identifier) if isinstance(identifier, dict) else identifier)
        # (Keras changes the dict that it makes an optimizer from.)
        if optimizer.built:
            known = {v.path for v in optimizer._trainable_variables}
            if known != {v.path for v in player.trainable_variables}:
                raise ValueError(
                    f"The optimizer {optimizer.name!r} is in use for other weights: give each player its own."
                )
            return optimizer
        wrapped = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if self.dtype_policy.compute_dtype == "float16" and not wrapped:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(player.trainable_variables)
        return optimizer

    def _set_rates(self, player, optimizer):
        """Gives an optimizer the learning rate and beta 2 that were given apart from it."""
        rate, beta_2 = self.learning_rate[player], self.beta_2[player]
        if rate is not None:
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                raise ValueError(
                    f"learning_rate={rate!r}, but the {player}'s optimizer has a schedule of its own: give one of them."
                )
            optimizer.learning_rate.assign(schedules.value(rate, self.samples_seen))
        elif isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            _check_schedule(optimizer._learning_rate, player)
        if beta_2 is not None:
            if not hasattr(optimizer, "beta_2"):
                raise ValueError(f"beta_2={beta_2!r}: the {player}'s optimizer, {optimizer.name}, has none.")
            optimizer.beta_2 = float(schedules.value(beta_2, 0))

    def _freeze(self, count):
        """Lets the discriminator's first layers with weights, this many, keep them; all others learn."""
        count = number("freeze_discriminator", count, 0, whole=True)
        weighted = [layer for layer in _layers_of(self.discriminator) if layer.weights]
        if count and count >= len(weighted):
            raise ValueError(
                f"freeze_discriminator={count}: the discriminator has {len(weighted)} layers with weights, of which at "
                "least one has to learn."
            )
        if count or getattr(self, "freeze_discriminator", 0):  # else what the user froze stays frozen
            for place, layer in enumerate(weighted):
                layer.trainable = place >= count
        self.freeze_discriminator = count

    def _check_one_stage(self):
        """Raises a ValueError if the game cannot be played in one stage."""
        if self.fresh_generator_batch:
            raise ValueError(
                "one_stage=True with fresh_generator_batch=True: in one stage both players see the same batch. Set one "
                "of them to False."
            )
        if len(self.default_weights) > 1:
            raise ValueError(
                f"one_stage=True: {type(self).__name__}'s generator minimizes more than the adversarial loss "
                f"({', '.join(self.default_weights)}), which one pass does not give. Leave one_stage out."
            )
        if isinstance(self.adversarial_loss, losses.Hinge):
            raise ValueError(
                'one_stage=True with loss="hinge": beyond its margin the discriminator\'s loss passes nothing back, '
                'and nothing for the generator can be had from that. Give loss="non_saturating", or one_stage=False.'
            )
        if math.prod(self.discriminator.outputs[0].shape[1:]) != 1:
            raise ValueError(
                f"one_stage=True needs a discriminator with one logit a sample; {self.name}'s gives "
                f"{self.discriminator.outputs[0].shape[1:]}. Leave one_stage out."
            )
        samples = tf.random.stateless_uniform((4, *self.discriminator.inputs[0].shape[1:]), (0, 0), -1.0, 1.0)
        labels = None if self.num_classes is None else tf.zeros(4, tf.int32)
        with tf.GradientTape() as tape, keras.StatelessScope():
            tape.watch(samples)
            first = tf.cast(self.call_discriminator(samples, labels), tf.float32)[0]
        others = tape.gradient(first, samples)[1:]
        if tf.reduce_any(others != 0.0):
            raise ValueError(
                "one_stage=True: the discriminator mixes the samples of a batch (batch normalization, minibatch "
                "standard deviation), so that gradients of single samples do not exist. Use one without, such as "
                'DCGAN(normalization="spectral"), or leave one_stage out.'
            )

    @property
    def metrics(self):
        if not hasattr(self, "_trackers"):
            return []
        return list((self._held_out.trackers if self._held_out.active else self._trackers).values())

    @tf.autograph.experimental.do_not_convert  # nothing here needs it, and translating functions takes seconds
    def fit(
        self,
        x,
        y=None,
        batch_size=None,
        epochs=1,
        steps_per_epoch=None,
        shuffle=True,
        validation_data=None,
        validation_split=0.0,
        validation_batch_size=None,
        class_weight=None,
        sample_weight=None,
        **kwargs,
    ):
        """Trains. As `keras.Model.fit`, with the data checked before the first step.

        Args:
            x: samples, or (samples, labels), in one of these forms:

                - an array. Images are floats in model range, [-1, 1], or, where no value of the whole array is
                  negative, in [0, 1], as in `kerasgan.data.images`: they are brought to model range then, which a
                  warning says;
                - a `tf.data.Dataset` of batches (`kerasgan.data` makes them), in model range;
                - a `keras.utils.PyDataset`, a generator (with `steps_per_epoch`, if it does not end), or anything else
                  that yields such batches, such as a `DataLoader` of PyTorch.
            y: integer labels (count,), when `x` is an array.
            batch_size: samples in a batch, when `x` is an array (64 by default, less for small arrays).
            steps_per_epoch: training steps in an epoch, each of `batches_per_step` batches.
            shuffle: whether an array, or the batches of a `PyDataset`, have another order in every epoch.
            validation_data: data that the game does not learn from, in one of the forms of `x`: after an epoch, their
                losses are logged as `val_generator_loss` and so on, see `evaluate`.
            validation_split: share of an array, its last samples, that is kept apart as validation data.
            validation_batch_size: of validation data that are an array; None takes `batch_size`.
            class_weight, sample_weight: refused: a game has no loss of single samples.
            callbacks: one that has a method `watch` gets the data set as the steps take it (but on several devices),
                and returns the one that they take instead.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: samples of a wrong shape or range or not finite, labels missing or out of range, a batch
                that is larger than the data set, or fewer batches than a step takes.
        """
        self._check_compiled("fit")
        _refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        self._check_callbacks(kwargs.get("callbacks"))
        passes = epochs - kwargs.get("initial_epoch", 0)
        feeding.check_passes("x", x, passes, steps_per_epoch)
        feeding.check_passes("validation_data", validation_data, passes, kwargs.get("validation_steps"))
        if validation_split:
            if validation_data is not None:
                raise ValueError("validation_split and validation_data were given: leave one of them out.")
            x, y, validation_data = feeding.split(x, y, validation_split)
        x, size = feeding.batches(self, x, y, batch_size, shuffle)
        if validation_data is not None:
            given = validation_data if isinstance(validation_data, tuple) else (validation_data,)
            if validation_batch_size is None and feeding.is_array(given[0]):
                validation_batch_size = batch_size
            validation_data, _ = feeding.held_out(self, given, validation_batch_size)
        if self.batches_per_step > 1:
            x, steps_per_epoch = feeding.joined(x, self.batches_per_step, steps_per_epoch, size)
        elif self.gradient_accumulation > 1 or self.distribute_strategy.num_replicas_in_sync > 1:
            x = feeding.whole_batches(x, size)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            x, steps_per_epoch = self._shared_out(x, steps_per_epoch)
        else:  # Python does not see what goes to several devices
            x = feeding.watched(x, keras.tree.flatten(kwargs.get("callbacks")))
        if self.stages > 1:
            callbacks = kwargs.get("callbacks")
            kwargs["callbacks"] = [_Stages(), *(_as_sequence(callbacks) if callbacks is not None else ())]
        # (Keras would warn that a data set shuffles itself.)
        kwargs = {**kwargs, "shuffle": False, "validation_data": validation_data}
        seen = _whole(self.samples_seen)
        history = super().fit(x, epochs=epochs, steps_per_epoch=steps_per_epoch, **kwargs)
        steps = float(keras.ops.convert_to_numpy(self._trackers["discriminator_loss"].count))
        if history.epoch and not steps and _whole(self.samples_seen) == seen:  # a training that went back has steps
            raise ValueError(
                f"The data ended before the first step, which takes {self.batches_per_step} batches of {size} samples: "
                "give more samples or smaller batches."
            )
        return history

    def _check_compiled(self, verb):
        if not hasattr(self, "adversarial_loss"):
            raise ValueError(f"Call compile() before {verb}(): gan.compile() takes the paper's values.")

    def _check_callbacks(self, callbacks):
        """Raises a ValueError for callbacks of Keras that would fail in the middle of a training."""
        for callback in keras.tree.flatten(callbacks):
            if isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_weights_only:
                _check_saved(callback.filepath)
            if isinstance(callback, (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)):
                self.optimizer.check_assignable()

    def _shared_out(self, dataset, steps_per_epoch):
        """The data set as several devices take it, and its steps in an epoch."""
        strategy = self.distribute_strategy
        if self.jit_compile and not tf.config.list_physical_devices("GPU"):
            raise ValueError("jit_compile=True: XLA does not train on several CPUs; leave it out, or use one device.")
        if self.steps_per_execution > 1:
            raise ValueError(
                f"steps_per_execution={self.steps_per_execution}: several devices take one at a time; leave it out."
            )
        batches = int(dataset.cardinality())
        if batches > 0 and steps_per_epoch is None:
            steps_per_epoch, dataset = batches, dataset.repeat()
        parts = self.gradient_accumulation
        return distribution.share_out(dataset, strategy, self.batches_per_step, parts), steps_per_epoch

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
        feeding.check_all(self, feeding.first_batches(dataset, self.checked_samples), self.check)

    # What callbacks look at ----------------------------------------------------------------------------------------

    def preview(self, count, seed):
        """Samples for a sheet, in natural units, the same for the same seed: what pictures of progress show."""
        raise NotImplementedError(f"{type(self).__name__} must implement preview(count, seed).")

    def watched_samples(self, count, seed):
        """Samples of the generator as it is trained, in model range, the same sources for the same seed."""
        raise NotImplementedError(f"{type(self).__name__} must implement watched_samples(count, seed).")

    def real_samples(self, batch):
        """The part of a batch of the data, a tuple, that `watched_samples` are compared with."""
        return batch[0]

    # Saving --------------------------------------------------------------------------------------------------------

    def save(self, filepath, *args, **kwargs):
        """Saves everything that a training goes on with as a `.keras` file. As `keras.Model.save`.

        Raises:
            ValueError: another kind of file.
        """
        _check_saved(filepath)
        return super().save(filepath, *args, **kwargs)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Writes `inference_network` as a SavedModel folder. As `keras.Model.export`.

        `kerasgan.export` writes this and other formats, holds what it has written against Keras, and puts beside it
        what an app must know.

        Raises:
            ValueError: another format.
        """
        if format != "tf_saved_model":
            raise ValueError(
                f'format={format!r}: a game exports itself as "tf_saved_model"; kerasgan.export.tflite and '
                "kerasgan.export.onnx write other formats, and check what they have written."
            )
        self.inference_network().export(filepath, format=format, **kwargs)

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "media": keras.saving.serialize_keras_object(self.media),
            **self.base_config(),
        }

    def base_config(self):
        """The arguments that every type has."""
        names = {"class_names": list(self.class_names)} if self.class_names else {}  # no argument: the data's
        return {"seed": self.seed, "name": self.name, "dtype": self.dtype_policy.name, **names}

    @classmethod
    def from_config(cls, config):
        config = {
            key: keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
            for key, value in config.items()
        }
        class_names = config.pop("class_names", ())
        with policy(config.get("dtype")):
            gan = cls(**config)
        gan.class_names = tuple(class_names)
        return gan

    def get_compile_config(self):
        if not hasattr(self, "adversarial_loss"):
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            "generator_optimizer": serialize(self.generator_optimizer),
            "loss": serialize(self.adversarial_loss),
            "penalties": [serialize(penalty) for penalty in self.penalties],
            "augmentation": serialize(self.augmentation) if self.augmentation else [],
            "discriminator_steps": self.discriminator_steps,
            "fresh_generator_batch": self.fresh_generator_batch,
            "clip_weights": self.clip_weights,
            "ema_half_life": schedules.serialize(self.ema_half_life),
            "weights": {name: schedules.serialize(weight) for name, weight in self.weights_of_terms.items()},
            "learning_rate": [schedules.serialize(self.learning_rate[player]) for player in PLAYERS],
            "beta_2": [schedules.serialize(self.beta_2[player]) for player in PLAYERS],
            "clip_gradients": self.clip_gradients,
            "gradient_accumulation": self.gradient_accumulation,
            "one_stage": self.one_stage,
            "freeze_discriminator": self.freeze_discriminator,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
            "run_eagerly": self.run_eagerly,
        }

    def compile_from_config(self, config):
        self.compile(**config)

    # Keras saves the state of no SeedGenerator, ours or a Dropout layer's; without it a resumed training would draw
    # numbers again that it has used.

    def _seed_states(self):
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for i, state in enumerate(self._seed_states()):
            store[f"seed_{i}"] = np.array(state)

    def load_own_variables(self, store):
        for i, state in enumerate(self._seed_states()):
            state.assign(np.array(store[f"seed_{i}"]))
        for i, counter in enumerate(self.counters):
            counter.assign(np.array(store[str(i)]))
        if self.stages > 1:
            self.stage = _whole(self.stage_entered)


def _check_saved(path):
    """Raises a ValueError for names by which Keras writes its older format, which cannot hold a game."""
    if str(path).lower().endswith((".h5", ".hdf5")):
        raise ValueError(
            f"filepath={str(path)!r}: a game is saved as a .keras file, which holds both players, the average, their "
            "optimizers and counters. (save_weights writes .weights.h5 files.)"
        )


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


def _gradients(tape, target, variables, *tensors, output_gradients=None):
    """Gradients for variables (and tensors), zero where the target does not depend on one."""
    sources = [*(v.value for v in variables), *tensors]
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(target, sources, output_gradients=output_gradients, unconnected_gradients=zero)
    return [tf.convert_to_tensor(gradient) for gradient in gradients]  # those of embeddings are sparse


def _of_discriminator(loss, real_logits, fake_logits):
    """What is logged of a discriminator, {name: value}."""
    # Not the share of right answers: a critic's logits have no zero between real and fake.
    wins = tf.cast(_per_sample(real_logits) > _per_sample(fake_logits), tf.float32)
    return {
        "discriminator_loss": loss,
        "real_logits": real_logits,
        "fake_logits": fake_logits,
        "discriminator_accuracy": wins,
    }


def _per_sample(logits):
    """The mean logit of each sample, float32 (batch,)."""
    return tf.reduce_mean(tf.reshape(tf.cast(logits, tf.float32), (count_of(logits), -1)), axis=1)


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
    return [tf.where(overflows > 0, tf.constant(math.nan, first.dtype), first), *others]


def _repeated(body, count, start):
    """`body(number, values) -> (number + 1, values)` done `count` times, one after the other; the last values."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return tf.while_loop(lambda number, _: number < count, body, (0, start), parallel_iterations=1)[1]
    values = start
    for number in range(count):  # replicas cannot talk to each other (batch statistics) inside of a loop of the graph
        with tf.control_dependencies(values):
            values = body(number, values)[1]
    return values


def _check_parts(samples, parts):
    if samples.shape[0] is not None and samples.shape[0] % parts:
        raise ValueError(f"gradient_accumulation={parts} does not divide a batch of {samples.shape[0]} samples.")


def once_there(data):
    """Context in which nothing happens before a batch is there.

    Without it, a step that finds that the data have ended draws seeds and counts updates all the same: TensorFlow runs
    what does not depend on the batch beside the reading of it.
    """
    return tf.control_dependencies([tensor for tensor in tf.nest.flatten(data) if tensor is not None])


def with_labels(values, labels):
    """What a network takes: the values alone, or with the classes of a conditional GAN."""
    return values if labels is None else [values, labels]


def count_of(samples):
    """Samples in a batch: a number where the shape is static, else a tensor."""
    return samples.shape[0] if samples.shape[0] is not None else tf.shape(samples)[0]


def _of_players(name, values):
    """What an argument says of each player: {player: None, a number or a schedule}."""
    pair = values if isinstance(values, (tuple, list)) else (values, values)
    if len(pair) != 2:
        raise ValueError(f"{name}={values!r}: expected one value, or a pair (discriminator's, generator's).")
    return {
        player: None if one is None else schedules.get(one, name) for player, one in zip(PLAYERS, pair, strict=True)
    }


def _check_schedule(schedule, player):
    """Raises a ValueError if a Keras schedule gives a negative rate somewhere among the first million updates."""
    for update in (0, *(n * 10**power for power in range(7) for n in (1, 2, 5))):
        if not float(schedule(update)) >= 0:
            raise ValueError(
                f"The learning rate of the {player}'s optimizer, a {type(schedule).__name__}, is "
                f"{float(schedule(update)):g} after {update} updates: expected 0 or more throughout."
            )


def _refuse_weights(**given):
    """Raises a ValueError for weights of samples or classes, of which there is no sum to weigh."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} means nothing in a game, whose losses are of real and generated samples together: leave it "
                "out. For more of some samples or classes, put them into the data more often."
            )


def _as_sequence(value):
    return value if isinstance(value, (tuple, list)) else (value,)


def number(name, value, default, least=0, whole=False):
    """`value` (or `default` if it is None) after a check of its kind and lower bound."""
    value = default if value is None else value
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool) or (least is not None and not value >= least):
        kind = "a whole number" if whole else "a number"
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name}={value!r}: expected {kind}{bound}.")
    return int(value) if whole else float(value)


class _HeldOut:
    """Running means of `evaluate`, beside those of a training; while it is entered, they are the model's metrics.

    Nothing of Keras, so that they are no part of the model, nor of its files.
    """

    def __init__(self, parts):
        names = ["discriminator_loss", "generator_loss", "real_logits", "fake_logits", "discriminator_accuracy"]
        names += [name for name in parts if name != "adversarial"]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.active = False

    def __enter__(self):
        self.active = True

    def __exit__(self, *error):
        self.active = False


class _Stages(keras.callbacks.Callback):
    """Moves the model to the stage that a training is in, before the step."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model._to_stage()


def _whole(variable):
    return int(keras.ops.convert_to_numpy(variable))
