"""The progress line."""

import sys
import time

import keras


class Progress(keras.callbacks.Callback):
    """Prints one line an epoch: both losses, samples per second, the time left.

    On a terminal the line of the running epoch is renewed in place; in a log file only finished epochs appear. Give
    `verbose=0` to `fit`, else Keras prints its own bar too.

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
        self._live = self._out.isatty()
        self._pace = None
        self._epochs = self.epochs or self.params["epochs"]
        planned = self.params.get("steps")
        self._whole = planned and (self.steps or planned)
        self._skipped = self._whole - planned if planned else 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._steps = 0
        self._began = self._shown = time.perf_counter()
        self._seen = self._samples_seen()

    def on_train_batch_end(self, batch, logs=None):
        self._steps = batch + 1  # with several steps per execution, the number of the last of them
        now = time.perf_counter()
        if self._live and now - self._shown >= self._refresh:
            self._shown = now
            self._print(self._line(logs), end="")

    def on_epoch_end(self, epoch, logs=None):
        self._pace = time.perf_counter() - self._began
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
        ]
        left = self._seconds_left()
        return "  ".join(parts if left is None else [*parts, f"{_clock(left)} left"])

    def _speed(self):
        seconds = max(time.perf_counter() - self._began, 1e-9)
        seen = self._samples_seen()
        if seen is None:
            return f"{self._steps / seconds:.3g} steps/s"
        rate = (seen - self._seen) / seconds
        return f"{rate:.{0 if rate >= 10 else 1}f} {self.model.media.plural}/s"

    def _seconds_left(self):
        """Seconds until the last epoch ends, by the pace of this one; None while it cannot be known."""
        spent = time.perf_counter() - self._began
        if self._whole and self._steps:
            to_do = self._whole * (self._epochs - self._epoch) - self._skipped - self._steps
            return spent / self._steps * to_do
        if self._pace is not None:
            return max(0.0, self._pace * (self._epochs - self._epoch) - spent)
        return None

    def _print(self, line, end):
        if self._live:
            line, self._length = line.ljust(self._length), len(line) if end == "" else 0
            line = "\r" + line
        print(line, end=end, file=self._out, flush=True)


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
