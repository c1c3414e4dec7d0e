"""A training that breaks down: it stops at once, and the batch that did it is kept."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from kerasgan import distribution, files

_NAMED = 3  # in a message


class StopOnNaN(keras.callbacks.Callback):
    """Stops `fit` at the first step with losses or gradients that are NaN or infinite, and keeps what it was fed.

    `broken_batch.npz` in the folder, which `numpy.load` opens, then holds

    - `samples` (n, ...) in model range (`samples_<part>`, where they have parts) and, if there are some, `labels` (n,),
      of that step and of the one before it, whose update may be to blame; with `steps_per_execution`, of all steps of
      the last execution;
    - `steps` (n,): the step that a sample was in, 0 for the last, -1 for the one before;
    - `broken`: names of what is not finite, logs first, then weights;
    - `epoch`, the number of the running one from 1, and `samples_seen`.

    Training on several devices keeps no batch. What float16's loss scaling skips is no breakdown: in such steps
    gradients overflow, and losses do not.

    Args:
        folder: where `broken_batch.npz` goes; made if it is missing. `Checkpoint`, which comes after this one in the
            list of callbacks, gets the same.

    Raises:
        FloatingPointError: at such a step. The message names the file.
    """

    filename = "broken_batch.npz"

    def __init__(self, folder):
        super().__init__()
        self.path = pathlib.Path(folder) / self.filename
        self._batches = []

    def watch(self, dataset):
        """The data set, its batches remembered as steps take them; `GAN.fit` asks for it."""
        self._batches.clear()
        spec = dataset.element_spec
        self._names = _names_of(spec if isinstance(spec, tuple) else (spec,))

        def remember(*parts):
            tensors = tf.nest.flatten(parts)
            tf.py_function(lambda *kept: self._batches.append(kept), tensors, [])  # tensors stay: nothing is copied
            return parts if len(parts) > 1 else parts[0]

        return dataset.map(remember)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self._first, self._updates = batch, self._finite_updates()

    def on_train_batch_end(self, batch, logs=None):
        names = not_finite(logs or {}) + self._lost_gradients(batch - self._first + 1, logs or {})
        if names:
            self._stop(names)
        del self._batches[:-1]

    def on_train_end(self, logs=None):
        self._batches.clear()

    def _finite_updates(self):
        """How many updates with finite gradients each player has had in this epoch, on the device with the fewest."""
        strategy = self.model.distribute_strategy
        norms = [metric for metric in self.model.metrics if metric.name.endswith("_gradient_norm")]
        return {norm.name: min(distribution.local_values(strategy, norm.count)) for norm in norms}

    def _lost_gradients(self, steps, logs):
        """The gradients that were not finite in some of the last steps; losses hide it where a rectifier of NaN is 0.

        Float16's loss scaling skips such updates; a mean over the epoch leaves them out.
        """
        finite = self._finite_updates()
        unscaled = [name for name in finite if name.replace("gradient_norm", "loss_scale") not in logs]
        return [name for name in unscaled if finite[name] - self._updates[name] < steps]

    def _stop(self, names):
        names += not_finite({weight.path: weight for weight in self.model.weights})
        seen = int(keras.ops.convert_to_numpy(self.model.samples_seen))
        if self._batches:
            kept = self._keep(names, seen)
        else:
            kept = "Its batch was not kept: batches for several devices are not seen here."
        raise breakdown(names, self.path.parent, f" in epoch {self._epoch + 1}, after {seen} samples", kept)

    def _keep(self, names, seen):
        """Writes the file. Returns what to say of it."""
        columns = [np.concatenate(column) for column in zip(*self._batches, strict=True)]
        steps = np.repeat(np.arange(len(self._batches)) + 1 - len(self._batches), [len(b[0]) for b in self._batches])
        arrays = dict(zip(self._names, columns, strict=True))
        try:
            with files.atomic(self.path) as temporary:
                np.savez(temporary, **arrays, steps=steps, broken=names, epoch=self._epoch + 1, samples_seen=seen)
        except OSError as error:  # the breakdown is what must be told
            return f"Its batch could not be kept ({error})."
        return f"Its batch is {str(self.path)!r}."


def not_finite(values):
    """The names, among named numbers or tensors, of those that are NaN or infinite somewhere."""
    return [name for name, value in values.items() if not np.isfinite(keras.ops.convert_to_numpy(value)).all()]


def breakdown(names, folder, when="", more=""):
    """The error to raise when what has these names is not finite in a training that saves its model in a folder."""
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return FloatingPointError(
        f"Training broke down{when}: {', '.join(names[:_NAMED])}{others} NaN or infinite. {more}{' ' if more else ''}"
        f"The last good model, if there is one, is {str(folder / 'model.keras')!r}. Start again with a lower learning "
        "rate, or in float32."
    )


def _names_of(spec):
    """What the tensors of a batch are called in the file, in the order of `tf.nest.flatten`."""
    names = []
    for name, part in zip(("samples", "labels"), spec, strict=False):
        names += [f"{name}_{key}" for key in sorted(part)] if isinstance(part, dict) else [name]
    return names
