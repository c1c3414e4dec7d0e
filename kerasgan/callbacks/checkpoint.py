"""Checkpoints: everything that a training needs to go on."""

import json
import math
import os
import pathlib
import time
import warnings
import zipfile

import keras

from kerasgan import distribution, files, keras_file
from kerasgan.callbacks.breakdown import breakdown, not_finite
from kerasgan.trust import allowing, is_allowed


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole model as `model.keras`: weights, both optimizers, moving average, random state.

    A checkpoint also knows how far training had come, and the running means of the unfinished epoch. The new file
    replaces the old one only when it is complete, so a crash at any time leaves a good one; the one before stays as
    `previous.keras`, in case the newest is damaged later. A model with weights that are not finite is never saved.
    In a training on several machines all workers have this callback, and the first one writes.

    ```python
    checkpoint = kerasgan.callbacks.Checkpoint("run/")
    gan.fit(photos, epochs=100, callbacks=[checkpoint])

    gan, epoch, _ = kerasgan.callbacks.Checkpoint.load("run/")  # after an interruption
    gan.fit(photos, epochs=100, initial_epoch=epoch, callbacks=[checkpoint])
    ```

    Args:
        folder: where `model.keras` goes; made if it is missing.
        minutes: 0 saves at the end of every epoch. Otherwise a checkpoint is saved when so many minutes have passed
            since the last one, in the middle of an epoch too, and when training ends.

    Attributes:
        epoch, step: finished epochs, and steps done in the unfinished one.
        first_step: steps that were done in the unfinished epoch before this `fit`.

    Raises:
        OSError: when training begins, if nothing can be written in the folder.
        FloatingPointError: at the end of an epoch or when saving, if losses or weights are NaN or infinite.
    """

    filename = "model.keras"
    previous = "previous.keras"

    def __init__(self, folder, minutes=0):
        super().__init__()
        if minutes < 0:
            raise ValueError(f"minutes is {minutes}; expected 0 (every epoch) or more.")
        self.path = pathlib.Path(folder) / self.filename
        self.minutes = minutes
        self.epoch, self.step, self.first_step = 0, 0, 0
        self._means = {}

    @classmethod
    def load(cls, folder, compile=True, trust=False):
        """The saved model and how far it was trained. A damaged one is passed over for the one before, with a warning.

        Args:
            folder: the folder of the checkpoint, or the file itself.
            compile: whether optimizers and losses are restored too, to train on.
            trust: whether modules are imported that the file names, so that classes of one's own are found there. That
                runs them: only for files from people you trust.

        Returns:
            (model, finished epochs, steps done in the unfinished epoch).

        Raises:
            FileNotFoundError: there is no checkpoint.
            ValueError: the file is no Keras model, damaged, or names a class that is neither kerasgan's nor Keras's and
                that the program has not imported.
        """
        with allowing(trust or is_allowed()):
            return cls._newest(pathlib.Path(folder), compile)

    @classmethod
    def _newest(cls, path, compile):
        if not path.is_dir():
            return cls._open(path, compile)
        newest, before = path / cls.filename, path / cls.previous
        try:
            return cls._open(newest, compile)
        except (OSError, ValueError) as error:
            if not before.is_file():
                raise
            found = cls._open(before, compile)
            warnings.warn(f"{error} The checkpoint before it, {before.name}, is taken instead.", stacklevel=3)
            return found

    @classmethod
    def _open(cls, path, compile):
        if not path.is_file():
            raise FileNotFoundError(f"No model in {str(path.parent)!r}: expected the file {path.name}.")
        model, position = keras_file.open_model(path, compile)
        epoch, step, means = position.get("epoch", 0), position.get("step", 0), position.get("means", {})
        if not (_is_count(epoch) and _is_count(step) and isinstance(means, dict)):
            raise ValueError(f"{str(path)!r} is damaged: {keras_file.POSITION} in it is no place in a training.")
        model.unfinished_means = means
        return model, epoch, step

    def begin_at(self, epoch, step):
        """Says that the next `fit` of a loaded model starts in the middle of an epoch, after `step` of its steps.

        The running means of that epoch (losses and so on) go on as they were.
        """
        self.epoch, self.first_step = epoch, step
        self._means = getattr(self.model, "unfinished_means", {})

    def save_soon(self):
        """Asks for a checkpoint after the running step or, with `minutes=0`, at the end of the running epoch."""
        self._time = -math.inf

    def save(self):
        """Saves the model as it is now.

        Raises:
            FloatingPointError: its weights are not finite.
            OSError: it cannot be written; the last checkpoint stays.
        """
        # Losses can stay finite after the weights are lost: the rectifier of a NaN is 0 on some devices.
        self._fail_if({w.path: w for w in self.model.weights})
        position = self._position()  # means are over all devices: every worker has to ask for them
        if distribution.worker(self.model.distribute_strategy) == 0:
            self._write(position)
        self._time = time.monotonic()
        self._fresh = False

    def _write(self, position):
        with files.atomic(self.path) as temporary:
            self.model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(keras_file.POSITION, json.dumps(position))
            self._keep_previous()

    def _position(self):
        means = {m.name: [distribution.total(v) for v in m.variables] for m in self.model.metrics} if self.step else {}
        return {"epoch": self.epoch, "step": self.step, "means": means}

    def _keep_previous(self):
        """Gives the newest checkpoint a second name, which it keeps when the new one takes the first."""
        if not self.path.is_file():
            return
        previous = self.path.with_name(self.previous)
        try:
            with files.atomic(previous) as temporary:
                os.link(self.path, temporary)
        except OSError:  # a file system without hard links; until the new one is in place, `load` finds the one before
            os.replace(self.path, previous)

    def on_train_begin(self, logs=None):
        files.check_folder(self.path.parent)
        self._time = time.monotonic()
        self._fresh = False  # whether training has moved on since the model was last saved

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        for metric in self.model.metrics:  # Keras has just set them to zero
            for variable, value in zip(metric.variables, self._means.get(metric.name, ()), strict=False):
                variable.assign(value)
        self._means = {}

    def on_train_batch_end(self, batch, logs=None):
        self.step = self.first_step + batch + 1
        self._fresh = True
        if batch + 1 == self.params.get("steps"):  # the epoch's end follows, and with it its line in the log
            return
        if self.minutes and self._is_due():
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self._fail_if(logs or {})
        self.epoch, self.step, self.first_step = epoch + 1, 0, 0
        self._fresh = True  # even if its last step was saved: a finished epoch is another place
        if self._is_due():
            self.save()

    def _is_due(self):
        due = time.monotonic() - self._time >= 60 * self.minutes
        return distribution.any_worker(self.model.distribute_strategy, due)

    def on_train_end(self, logs=None):
        if self._fresh:
            self.save()

    def _fail_if(self, values):
        """Raises if a number or tensor among the named values is not finite."""
        broken = not_finite(values)
        if broken:
            raise breakdown(broken, self.path.parent)


def _is_count(value):
    return type(value) is int and value >= 0
