"""Sample sheets: what the generator makes of the same latents as training goes on."""

import math
import pathlib
import re
import time

import keras

from kerasgan import files


class SampleGrid(keras.callbacks.Callback):
    """Saves samples of the same latents at the end of every epoch, and an animation of all sheets at the end.

    Sheets are called `epoch_0001.png` and so on, those of the middle of an epoch `epoch_0001_samples_50000.png`, with
    the ending of the model's medium; the animation, for media that have one, `animation.gif`. When training goes on in
    the same folder, earlier sheets stay and the animation shows them too.

    ```python
    gan.fit(photos, epochs=100, callbacks=[kerasgan.callbacks.SampleGrid("samples/")])
    ```

    Args:
        folder: where the sheets go; made if it is missing.
        count: samples on a sheet; None takes as many as suit their kind, 64 of images.
        seed: chooses the latents.
        every: epochs between two sheets. The last epoch gets one in any case.
        minutes: after which there is a sheet in the middle of an epoch, where an epoch takes longer; None for none.

    Raises:
        ValueError: `count` or `every` below 1, or `minutes` not above 0.
        OSError: when training begins, if nothing can be written in the folder.
    """

    def __init__(self, folder, count=None, seed=0, every=1, minutes=None):
        super().__init__()
        for name, value in (("count", count), ("every", every)):
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; expected 1 or more.")
        if minutes is not None and not minutes > 0:
            raise ValueError(f"minutes is {minutes}; expected more than 0, or None.")
        self.folder = pathlib.Path(folder)
        self.count = count
        self.seed = seed
        self.every = every
        self.minutes = minutes
        self._epochs = 0  # finished ones
        self._saved = 0

    def on_train_begin(self, logs=None):
        files.check_folder(self.folder)
        self._time = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._running = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.minutes and time.monotonic() - self._time >= 60 * self.minutes:
            self._save(f"{self._running:04d}_samples_{int(self.model.samples_seen)}")

    def on_epoch_end(self, epoch, logs=None):
        self._epochs = epoch + 1
        if self._epochs % self.every == 0:
            self._save_epoch()

    def on_train_end(self, logs=None):
        if self._epochs and self._saved != self._epochs:
            self._save_epoch()
        self.animate()

    def animate(self):
        """Writes the animation of all sheets in the folder. Returns its path, or None if the medium has none."""
        media = self.model.media
        sheets = [path for path in self.folder.glob(f"epoch_*{media.sheet_extension}") if _place(path)]
        if not sheets or media.animation_extension is None:
            return None
        return media.animate(sorted(sheets, key=_place), self.folder / f"animation{media.animation_extension}")

    def _save_epoch(self):
        self._save(f"{self._epochs:04d}")
        self._saved = self._epochs

    def _save(self, place):
        media = self.model.media
        path = self.folder / f"epoch_{place}{media.sheet_extension}"
        self.model.save_preview(path, self.count or media.samples_on_sheet, self.seed)
        self._time = time.monotonic()


def _place(path):
    """(epoch, samples seen in its middle, or infinite at its end) by the name of a sheet; None for other files."""
    numbers = re.fullmatch(r"epoch_(\d+)(?:_samples_(\d+))?", path.stem)
    return numbers and (int(numbers[1]), int(numbers[2]) if numbers[2] else math.inf)
