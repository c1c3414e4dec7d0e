"""The log of a training as a table."""

import csv
import io
import os
import pathlib
import time
import warnings

import keras

from kerasgan import files

_FIRST = ("epoch", "samples", "seconds")


class Log(keras.callbacks.Callback):
    """Writes a CSV file with one line an epoch: its number, samples seen, seconds trained, and all logs.

    When training goes on with the same file, lines of epochs that are trained again are dropped, and the seconds go
    on counting. A damaged file is kept beside it, as `log.damaged.csv`, with a warning; its lines before the damage
    stay in the log.

    Args:
        path: the file; missing folders are made.

    Raises:
        OSError: when training begins, if the file cannot be written; later, if that changes.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        files.check_output(self.path)
        self._rows = self._writer = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is None:
            self._rows = [row for row in self._recovered() if row["epoch"] <= epoch]
            self._before = self._rows[-1]["seconds"] if self._rows else 0.0
            self._began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(self._before + time.monotonic() - self._began, 1)
        samples = int(keras.ops.convert_to_numpy(self.model.samples_seen))
        row = dict(zip(_FIRST, (epoch + 1, samples, seconds), strict=True))
        self._add(row | {name: float(f"{value:.6g}") for name, value in (logs or {}).items()})
        self._write(self._table.getvalue())

    def _write(self, text):
        with files.atomic(self.path) as temporary:
            temporary.write_bytes(text.encode())

    def _add(self, row):
        """Puts a line below the others; only one with columns that they lack makes all of them anew."""
        self._rows.append(row)
        if self._writer and row.keys() <= set(self._writer.fieldnames):
            self._writer.writerow(row)
            return
        self._table = io.StringIO(newline="")
        self._writer = csv.DictWriter(self._table, dict.fromkeys(name for row in self._rows for name in row))
        self._writer.writeheader()
        self._writer.writerows(self._rows)

    def _recovered(self):
        """The lines of the file; a damaged one is put aside first."""
        rows, damage = _read(self.path)
        if damage:
            aside = self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")
            os.replace(self.path, aside)
            warnings.warn(
                f"{damage} It is kept as {aside.name!r}; the log goes on with the {len(rows)} lines before the damage.",
                stacklevel=2,
            )
        return rows


def read(path):
    """The lines of a log as dicts of numbers, in order; an empty list if there is no log yet.

    Raises:
        ValueError: it is damaged, or no log.
    """
    rows, damage = _read(path)
    if damage:
        raise ValueError(f"{damage} Training on with it repairs it.")
    return rows


def _read(path):
    """(lines of a log, or those before the damage; what is wrong with the file, or None)."""
    path, rows = pathlib.Path(path), []
    if not path.is_file():
        return rows, None
    text = path.read_bytes().decode(errors="replace")
    lines = csv.DictReader(text.splitlines(), strict=True)
    try:
        if not {*_FIRST} <= {*(lines.fieldnames or ())}:
            raise ValueError(f"it does not begin with {', '.join(_FIRST)}")
        for cells in lines:
            if None in cells or None in cells.values() or (lines.line_num == text.count("\n") + 1):
                raise ValueError("it is cut, or has other columns")
            row = {name: float(value) for name, value in cells.items() if value}
            rows.append(row | {"epoch": int(row["epoch"]), "samples": int(row["samples"])})
    except (ValueError, KeyError, OverflowError, csv.Error) as error:
        return rows, f"{str(path)!r} is damaged in line {max(1, lines.line_num)}: {error}."
    return rows, None
