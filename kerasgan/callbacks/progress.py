"""The progress line."""

import sys
import time

import keras

from kerasgan.console import write

_ENOUGH = 2  # steps after the first one, by which the time left is told


class Progress(keras.callbacks.Callback):
    """Prints one line an epoch: both losses, samples per second, the time left.

    On a terminal the line of the running epoch is renewed in place; in a log file only finished epochs appear. Give
    `verbose=0` to `fit`, else Keras prints its own bar too.

    The first step, in which TensorFlow builds its graph, counts for neither speed nor time; the time left is
    "estimating" until enough others are done. It includes what happens between epochs, such as sheets of samples.

    ```
    epoch 12/400  312/312  discriminator_loss 1.02  generator_loss 1.31  95 images/s  10:48:03 left
    ```

    Args:
        losses: names of the logs to show.
        epochs: how many there will be in all, if this is not the last call of `fit`; None takes what `fit` was given.
        steps: in an epoch, if `fit` does only the rest of one; None takes what `fit` was given.
        stream: text stream to print to; None is standard output.
    """

    def __init__(self, losses=("discriminator_loss", "generator_loss"), epochs=None, steps=None, stream=None):
        super().__init__()
        self.losses = tuple(losses)
        self.epochs, self.steps = epochs, steps
        self.stream = stream
        self._refresh = 0.2  # seconds between two renewals of the line
        self._length = 0

    def on_train_begin(self, logs=None):
        self._out = sys.stdout if self.stream is None else self.stream
        self._live = self._out is not None and self._out.isatty()
        self._pace = None
        self._epochs = self.epochs or self.params["epochs"]
        planned = self.params.get("steps")
        self._whole = planned and (self.steps or planned)
        self._skipped = self._whole - planned if planned else 0
        self._done = 0  # steps of this `fit`
        self._since = self._before = None  # (time, steps done): what speed is measured from, once the graph is built

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._steps = 0
        self._began = self._shown = time.perf_counter()
        self._seen = self._samples_seen()
        self._first = self._steps, self._began, self._seen  # the epoch's own speed is measured from here
        if self._since is not None:
            self._before, self._since = self._since, (self._began, self._done)

    def on_train_batch_end(self, batch, logs=None):
        done = batch + 1 - self._steps  # several steps per execution are one call
        self._steps += done
        self._done += done
        now = time.perf_counter()
        if self._since is None:
            self._since = self._before = now, self._done
            self._first = self._steps, now, self._samples_seen()
        if self._live and now - self._shown >= self._refresh:
            self._shown = now
            self._print(self._line(logs), end="")

    def on_epoch_end(self, epoch, logs=None):
        steps, began, _ = self._first_or_all()
        self._pace = (time.perf_counter() - began) * self._steps / max(self._steps - steps, 1)
        self._print(self._line(logs), end="\n")

    def _samples_seen(self):
        seen = getattr(self.model, "samples_seen", None)
        return None if seen is None else int(keras.ops.convert_to_numpy(seen))

    def _line(self, logs):
        logs = logs or {}
        of = f"/{self._whole}" if self._whole else ""
        losses = [f"{name} {float(logs[name]):.4g}" for name in self.losses if name in logs]
        parts = [
            f"epoch {self._epoch + 1}/{self._epochs}",
            f"{self._skipped + self._steps}{of}",
            *losses,
            self._speed(),
            self._time_left(),
        ]
        return "  ".join(filter(None, parts))

    def _speed(self):
        steps, began, before = self._first_or_all()
        seconds = max(time.perf_counter() - began, 1e-9)
        seen = self._samples_seen()
        if seen is None:
            return f"{(self._steps - steps) / seconds:.3g} steps/s"
        rate = (seen - before) / seconds
        return f"{rate:.{0 if rate >= 10 else 1}f} {self.model.media.plural}/s"

    def _first_or_all(self):
        """(steps, time, samples) that the epoch's speed is measured from."""
        only = self._steps == self._first[0]  # the first step is all there is to go by
        return (0, self._began, self._seen) if only else self._first

    def _time_left(self):
        """How long it will be until the last epoch ends, in words; empty while nobody can know it."""
        if self._whole:
            to_do = self._whole * (self._epochs - self._epoch) - self._skipped - self._steps
            left = 0.0 if to_do == 0 else self._seconds_of(to_do)
            return "estimating the time left" if left is None else f"{_clock(left)} left"
        if self._pace is None:
            return ""
        spent = time.perf_counter() - self._began
        return f"{_clock(max(0.0, self._pace * (self._epochs - self._epoch) - spent))} left"

    def _seconds_of(self, steps):
        """Seconds that so many steps take by the pace of this epoch and the one before; None if too few are done."""
        if self._before is None:
            return None
        began, done_then = self._before
        done, spent = self._done - done_then, time.perf_counter() - began
        return None if done < _ENOUGH else spent / done * steps

    def _print(self, line, end):
        if self._live:
            line, self._length = line.ljust(self._length), len(line) if end == "" else 0
            line = "\r" + line
        write(line, end, self._out)


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
