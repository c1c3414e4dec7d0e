"""The log of a training as a table."""

import csv
import pathlib
import time

import keras

from kerasgan import files


class Log(keras.callbacks.Callback):
    """Writes a CSV file with one line an epoch: its number, samples seen, seconds trained, and all logs.

    When training goes on with the same file, lines of epochs that are trained again are dropped, and the seconds go
    on counting.

    Args:
        path: the file; missing folders are made.

    Raises:
        OSError: when training begins, if the file cannot be written.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        files.check_output(self.path)
        self._rows = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is None:
            self._rows = [row for row in read(self.path) if row["epoch"] <= epoch]
            self._before = self._rows[-1]["seconds"] if self._rows else 0.0
            self._began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(self._before + time.monotonic() - self._began, 1)
        samples = int(keras.ops.convert_to_numpy(self.model.samples_seen))
        row = {"epoch": epoch + 1, "samples": samples, "seconds": seconds}
        self._rows.append(row | {name: float(f"{value:.6g}") for name, value in (logs or {}).items()})
        names = dict.fromkeys(name for row in self._rows for name in row)
        with files.atomic(self.path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self._rows)


def read(path):
    """The lines of a log as dicts of numbers, in order; an empty list if there is no log yet."""
    if not pathlib.Path(path).is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [row | {"epoch": int(row["epoch"]), "samples": int(row["samples"])} for row in rows]
