"""Stopping between two steps, so that what was trained can be saved."""

import contextlib
import signal
import threading

import keras

from kerasgan import distribution


class Interrupted(Exception):
    """Training was stopped between two steps."""


class Interruption(keras.callbacks.Callback):
    """Turns Ctrl-C, SIGTERM and SIGHUP into an `Interrupted` exception from `fit` after the running step.

    After an epoch's last step it waits for the epoch's end, so that other callbacks, those before it, do their work.

    On several machines, all workers stop after the same step when one of them gets a signal.

    A second signal acts as ever, at once. Signals that the process was told to ignore (`nohup`) stay ignored.

    ```python
    interruption = Interruption()
    try:
        with interruption.listening():
            gan.fit(photos, epochs=100, callbacks=[interruption])
    except Interrupted:
        gan.save("unfinished.keras")
    ```

    Args:
        steps: training ends in the same way after so many steps; None sets no limit.

    Attributes:
        signalled: whether a signal came.
    """

    def __init__(self, steps=None):
        super().__init__()
        if steps is not None and steps < 1:
            raise ValueError(f"steps is {steps}; expected 1 or more.")
        self.steps = steps
        self.signalled = False
        self._done = 0
        self._last = -1

    @contextlib.contextmanager
    def listening(self):
        """Listens to the signals inside of the block; only the main thread can, elsewhere it changes nothing."""
        main = threading.current_thread() is threading.main_thread()
        names = ("SIGINT", "SIGTERM", "SIGHUP") if main else ()
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows lacks the last
        before = {number: signal.getsignal(number) for number in numbers}
        before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}

        def restore():
            for number, handler in before.items():
                signal.signal(number, handler)

        def note(*_):
            self.signalled = True
            restore()

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            restore()

    def on_epoch_begin(self, epoch, logs=None):
        self._last = -1

    def on_train_batch_end(self, batch, logs=None):
        self._done += batch - self._last  # one call can stand for several steps
        self._last = batch
        if batch + 1 != self.params.get("steps"):  # after the last step, the epoch is finished first
            self._stop_if_asked()

    def on_epoch_end(self, epoch, logs=None):
        self._stop_if_asked()

    def _stop_if_asked(self):
        self.signalled = distribution.any_worker(self.model.distribute_strategy, self.signalled)
        if self.signalled or (self.steps is not None and self._done >= self.steps):
            raise Interrupted
