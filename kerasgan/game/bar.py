"""The progress bar of `fit` and `evaluate`: a few numbers, which say how the game goes."""

import keras


class Bar(keras.callbacks.ProgbarLogger):
    """Keras's bar without the numbers that only a closer look needs: these are in the `History`, and in `Log`.

    Args:
        hidden: names of logs that are not shown, nor what they are called for validation data.
    """

    async_safe = True  # as Keras's own bar, which this one stands for: steps do not wait for it

    def __init__(self, hidden):
        super().__init__()
        self._hidden = {*hidden, *(f"val_{name}" for name in hidden)}

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, self._shown(logs))

    def on_test_batch_end(self, batch, logs=None):
        super().on_test_batch_end(batch, self._shown(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, self._shown(logs))

    def on_test_end(self, logs=None):
        super().on_test_end(self._shown(logs))

    def _shown(self, logs):
        return {name: value for name, value in (logs or {}).items() if name not in self._hidden}


def with_bar(callbacks, verbose, hidden):
    """The callbacks of a user, and the bar if one is to be shown and they bring none themselves.

    Args:
        callbacks: as `fit` takes them.
        verbose: as `fit` takes it.
        hidden: as in `Bar`.
    """
    if not verbose or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = keras.tree.flatten([] if callbacks is None else callbacks)
    if any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in given):
        return callbacks
    return [*given, Bar(hidden)]
