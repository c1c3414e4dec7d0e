"""Callbacks for `fit`: pictures of the progress, a progress line, logs, scores, checkpoints, orderly stopping.

They know the `GAN` class only: samples come from `model.preview` and are written by `model.media`, so every type and
every kind of sample is served.
"""

from kerasgan.callbacks.breakdown import StopOnNaN
from kerasgan.callbacks.checkpoint import Checkpoint
from kerasgan.callbacks.collapse import CollapseMonitor, CollapseWarning
from kerasgan.callbacks.event_log import EventLog
from kerasgan.callbacks.interruption import Interrupted, Interruption
from kerasgan.callbacks.log import Log
from kerasgan.callbacks.progress import Progress
from kerasgan.callbacks.sample_grid import SampleGrid
from kerasgan.callbacks.score import Score
from kerasgan.callbacks.throughput import Throughput

__all__ = [
    "Checkpoint",
    "CollapseMonitor",
    "CollapseWarning",
    "EventLog",
    "Interrupted",
    "Interruption",
    "Log",
    "Progress",
    "SampleGrid",
    "Score",
    "StopOnNaN",
    "Throughput",
]
