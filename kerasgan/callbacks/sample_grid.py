"""Sample sheets: what the generator makes of the same latents as training goes on."""

import pathlib
import re

import keras

from kerasgan import files


class SampleGrid(keras.callbacks.Callback):
    """Saves samples of the same latents at the end of every epoch, and an animation of all sheets at the end.

    Sheets are called `epoch_0001.png` and so on, with the ending of the model's medium; the animation, for media that
    have one, `animation.gif`. When training goes on in the same folder, earlier sheets stay and the animation shows
    them too.

    ```python
    gan.fit(photos, epochs=100, callbacks=[kerasgan.callbacks.SampleGrid("samples/")])
    ```

    Args:
        folder: where the sheets go; made if it is missing.
        count: samples on a sheet.
        seed: chooses the latents.
        every: epochs between two sheets. The last epoch gets one in any case.

    Raises:
        ValueError: `count` or `every` below 1.
        OSError: when training begins, if nothing can be written in the folder.
    """

    def __init__(self, folder, count=64, seed=0, every=1):
        super().__init__()
        for name, value in (("count", count), ("every", every)):
            if value < 1:
                raise ValueError(f"{name} is {value}; expected 1 or more.")
        self.folder = pathlib.Path(folder)
        self.count = count
        self.seed = seed
        self.every = every
        self._epochs = 0
        self._saved = 0

    def on_train_begin(self, logs=None):
        files.check_folder(self.folder)

    def on_epoch_end(self, epoch, logs=None):
        self._epochs = epoch + 1
        if self._epochs % self.every == 0:
            self._save()

    def on_train_end(self, logs=None):
        if self._epochs and self._saved != self._epochs:
            self._save()
        self.animate()

    def animate(self):
        """Writes the animation of all sheets in the folder. Returns its path, or None if the medium has none."""
        media = self.model.media
        sheets = [path for path in self.folder.glob(f"epoch_*{media.sheet_extension}") if _epoch(path)]
        if not sheets or media.animation_extension is None:
            return None
        return media.animate(sorted(sheets, key=_epoch), self.folder / f"animation{media.animation_extension}")

    def _save(self):
        media = self.model.media
        samples = self.model.preview(self.count, self.seed)
        media.save_sheet(samples, self.folder / f"epoch_{self._epochs:04d}{media.sheet_extension}")
        self._saved = self._epochs


def _epoch(path):
    """The number in the name of a sheet; 0 for other files."""
    number = re.fullmatch(r"epoch_(\d+)", path.stem)
    return int(number[1]) if number else 0
