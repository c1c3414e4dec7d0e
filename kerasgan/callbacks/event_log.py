"""A training in TensorBoard."""

import keras

from kerasgan import files
from kerasgan.callbacks.events import Events


class EventLog(keras.callbacks.Callback):
    """Writes all logs of each epoch, and sheets of samples where they are pictures, for TensorBoard, by samples seen.

    When training goes on in the same folder, points that it will write again are dropped. Put it after callbacks that
    add to the logs.

    ```python
    gan.fit(photos, epochs=100, callbacks=[kerasgan.callbacks.EventLog("run/tensorboard")])
    # tensorboard --logdir run/tensorboard
    ```

    Args:
        folder: of the event files; made if it is missing.
        count: samples on a sheet.
        seed: chooses their latents.
        every: epochs between two sheets.

    Raises:
        ValueError: `count` or `every` below 1.
        OSError: when training begins, if nothing can be written in the folder; later, if that changes.
    """

    def __init__(self, folder, count=64, seed=0, every=1):
        super().__init__()
        for name, value in (("count", count), ("every", every)):
            if value < 1:
                raise ValueError(f"{name} is {value}; expected 1 or more.")
        self.count, self.seed, self.every = count, seed, every
        self._events = Events(folder)

    def on_train_begin(self, logs=None):
        files.check_folder(self._events.folder)
        self._events.keep_until(self._samples_seen())

    def on_epoch_end(self, epoch, logs=None):
        media, pictures = self.model.media, {}
        if (epoch + 1) % self.every == 0:
            sheet = media.sheet(self.model.preview(self.count, self.seed))
            pictures = {} if sheet is None else {"samples": sheet}
        self._events.write(self._samples_seen(), logs or {}, pictures)

    def on_train_end(self, logs=None):
        self._events.close()

    def _samples_seen(self):
        return int(keras.ops.convert_to_numpy(self.model.samples_seen))
