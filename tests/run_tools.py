"""Runs of `resume_child.py`, and what they leave behind."""

import pathlib
import subprocess
import sys

import numpy as np

from kerasgan.callbacks import Checkpoint, throughput

CHILD = pathlib.Path(__file__).with_name("resume_child.py")
# Python's search for garbage is a fifth of the time of a process that imports TensorFlow, traces, and ends.
_START = f"import gc, runpy; gc.disable(); runpy.run_path({str(CHILD)!r}, run_name='__main__')"


def command(folder, *words):
    return [sys.executable, "-c", _START, *map(str, (folder, *words))]


def train(folder, *words):
    return subprocess.run(command(folder, *words), capture_output=True, text=True, timeout=1500)  # of a busy machine


def assert_in_the_middle(run):
    """The newest checkpoint is none of the beginning or the end."""
    _, epoch, step = Checkpoint.load(run)
    assert (0, 0) < (epoch, step) < (4, 0)


def everything(folder):
    """All numbers of a run's end: networks, moving averages, all optimizers, loss scales, counters, random states."""
    gan, epoch, step = Checkpoint.load(folder)
    values = {f"variable {i}": np.array(v) for i, v in enumerate(gan.variables)}
    for player in gan.players:
        for i, v in enumerate(gan.player(player).optimizer.variables):
            values[f"optimizer of the {player} {i}"] = np.array(v)
    return {**values, "epoch": epoch, "step": step}


def untimed(rows):
    """What a log says but for times and memory, which differ from run to run."""
    return [{name: value for name, value in row.items() if name not in ("seconds", *throughput.NAMES)} for row in rows]
