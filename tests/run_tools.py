"""Runs of `resume_child.py`, and what they leave behind."""

import pathlib

import forked
import numpy as np

from kerasgan.callbacks import Checkpoint, throughput

CHILD = pathlib.Path(__file__).with_name("resume_child.py")


def train(folder, *words):
    return forked.run(CHILD, folder, *words, timeout=1500)  # of a busy machine


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
