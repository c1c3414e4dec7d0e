"""What Keras users call: `fit`, `evaluate` and the like, on data of any form, through the stages of a training."""

import keras
import tensorflow as tf

from kerasgan import distribution
from kerasgan.game import feeding
from kerasgan.game.bar import with_bar
from kerasgan.game.batch import once_there
from kerasgan.game.rules import as_sequence
from kerasgan.game.saving import check_saved
from kerasgan.game.state import whole

_EVALUATION = 19_680_801  # what is random in `evaluate` follows from
_MONITORS = (keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint, keras.callbacks.ReduceLROnPlateau)


class Fitting:
    """The part of a `Game` around its steps."""

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

        The progress bar shows the players' losses and the discriminator's accuracy; all that is logged is in the
        `History`.

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
            kwargs["callbacks"] = [_Stages(), *(as_sequence(callbacks) if callbacks is not None else ())]
        kwargs["callbacks"] = with_bar(kwargs.get("callbacks"), kwargs.get("verbose", "auto"), self._details())
        # (Keras would warn that a data set shuffles itself.)
        kwargs = {**kwargs, "shuffle": False, "validation_data": validation_data}
        seen = whole(self.samples_seen)
        history = super().fit(x, epochs=epochs, steps_per_epoch=steps_per_epoch, **kwargs)
        steps = float(keras.ops.convert_to_numpy(self._trackers["discriminator_loss"].count))
        if history.epoch and not steps and whole(self.samples_seen) == seen:  # a training that went back has steps
            raise ValueError(
                f"The data ended before the first step, which takes {self.batches_per_step} batches of {size} samples: "
                "give more samples or smaller batches."
            )
        return history

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """As `keras.Model.train_on_batch`; `x` holds the `batches_per_step` batches of a step, one after the other."""
        self._check_compiled("train_on_batch")
        _refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        self.to_stage()
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
        kwargs["callbacks"] = with_bar(kwargs.get("callbacks"), verbose, self._details())
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
        with once_there(data):
            batch = self.unpacked(data)
            trackers = {metric.name: metric for metric in self.metrics}
            seen = tf.cast(next(iter(trackers.values())).count, tf.int32)
            with keras.StatelessScope(self._seeds_of_evaluation(seen)):
                losses = self.held_out_losses(batch)
            for name, tracker in trackers.items():
                tracker.update_state(tf.reduce_mean(tf.cast(losses[name], tf.float32)), batch.count)
            return distribution.logs({name: tracker.result() for name, tracker in trackers.items()})

    def _seeds_of_evaluation(self, seen):
        """What generators of random numbers begin with after so many samples, [(state, value)]."""
        pairs = []
        for place, state in enumerate(self.seed_states()):
            seed = tf.random.experimental.stateless_fold_in(tf.constant([_EVALUATION, place]), seen)
            pairs.append((state, tf.bitcast(seed, tf.uint32)))
        return pairs

    # Samples by Keras's name for it -----------------------------------------------------------------------------------

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """What the moving-average generator makes of its inputs, in model range. As `keras.Model.predict`.

        `generate` and the other verbs draw themselves what samples start from, and give natural units.

        Args:
            x: inputs of `ema_generator`, such as latents (count, latent_dim), and labels beside them for a conditional
                GAN, [latents, labels]; or what yields them in batches.
            batch_size, verbose, steps, callbacks: as in `keras.Model.predict`.

        Returns:
            Samples in model range, for images [-1, 1], first axis `count`.

        Raises:
            ValueError: arrays or a data set of something else.
        """
        verb = self.task.method or self.task.verb
        feeding.check_inputs(x, self.ema_generator, f" New samples: gan.{verb}(...)." if verb else "")
        return super().predict(x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)

    def predict_on_batch(self, x):
        """`predict` of a single batch, arrays."""
        verb = self.task.method or self.task.verb
        feeding.check_inputs(x, self.ema_generator, f" New samples: gan.{verb}(...)." if verb else "")
        return super().predict_on_batch(x)

    # Stages of a training ------------------------------------------------------------------------------------------

    def to_stage(self):
        """Enters the stage that the samples seen have led to, or goes on in it."""
        if self.stages == 1:
            return
        self.stage = self.stage_at(whole(self.samples_seen))
        if self.stage != whole(self.stage_entered):
            self.on_stage()
            self.stage_entered.assign(self.stage)
        self.make_train_function()

    def make_train_function(self, force=False):
        """The graph of `train_step`, built anew where there is one of another stage."""
        stage = getattr(self, "_stage_of_graph", self.stage)
        self._stage_of_graph = self.stage
        return super().make_train_function(force or stage != self.stage)

    def make_test_function(self, force=False):
        """The graph of `test_step`, built anew where there is one of another stage."""
        stage = getattr(self, "_stage_of_test_graph", self.stage)
        self._stage_of_test_graph = self.stage
        return super().make_test_function(force or stage != self.stage)

    # Data ----------------------------------------------------------------------------------------------------------

    def _check_compiled(self, verb):
        if not hasattr(self, "adversarial_loss"):
            raise ValueError(f"Call compile() before {verb}(): gan.compile() takes the paper's values.")

    def _check_callbacks(self, callbacks):
        """Raises a ValueError for callbacks of Keras that would fail in the middle of a training.

        Those that watch a player's loss are told that it is to fall: Keras knows that of its own losses only.
        """
        for callback in keras.tree.flatten(callbacks):
            if isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_weights_only:
                check_saved(callback.filepath)
            if isinstance(callback, (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)):
                self.optimizer.check_assignable()
            if isinstance(callback, _MONITORS) and callback.monitor.removeprefix("val_") in self._names_of_losses():
                callback.mode = "min" if callback.mode == "auto" else callback.mode

    def _names_of_losses(self):
        """Names of the players' losses."""
        return [f"{player}_loss" for player in self.players]

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


class _Stages(keras.callbacks.Callback):
    """Moves the model to the stage that a training is in, before the step."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.to_stage()


def _refuse_weights(**given):
    """Raises a ValueError for weights of samples or classes, of which there is no sum to weigh."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} means nothing in a game, whose losses are of real and generated samples together: leave it "
                "out. For more of some samples or classes, put them into the data more often."
            )
