"""Run folders: training into one, going on in it, opening what it holds.

A run folder holds

- `recipe.json`: the recipe as used, the data's path, the GAN's full configuration, versions;
- `model.keras`: the newest checkpoint, at the end the trained model; `previous.keras`, the one before it;
- `samples/`: sample sheets of every epoch, or of every few where there are more than 200, and their animation;
- `log.csv`: losses of every epoch, speed and memory;
- `tensorboard/`, `scores.json` and `best.keras`, where they were asked for: see `kerasgan.callbacks.EventLog`, `Score`;
- `health.json`, what was found of the training's health, and `healthy.keras`, what it may go back to: see
  `kerasgan.callbacks.CollapseMonitor`;
- `broken_batch.npz`, after a breakdown: see `kerasgan.callbacks.StopOnNaN`;
- `evaluation.json`: its scores, once `kerasgan evaluate` has made them;
- once training has ended, what a zoo entry ships: `generator.weights.h5` and so on, in half precision, and a sheet
  of new samples, `samples.png` for images.
"""

from kerasgan.recipes import changed, for_other_data, what_is_trained
from kerasgan.runs.folder import (
    CHECKPOINT,
    EVALUATION,
    EVENTS,
    LOG,
    NEEDED,
    PREVIOUS,
    RECIPE,
    SAMPLES,
    check_outside_data,
)
from kerasgan.runs.opening import called, check_name, check_run, class_names, describe, load, recipe_of
from kerasgan.runs.reading import for_pictures_of
from kerasgan.runs.scoring import evaluate, read_apart, read_originals, read_whole
from kerasgan.runs.training import DataLost, Interrupted, train
from kerasgan.weights import networks

__all__ = [
    "CHECKPOINT",
    "EVALUATION",
    "EVENTS",
    "LOG",
    "NEEDED",
    "PREVIOUS",
    "RECIPE",
    "SAMPLES",
    "DataLost",
    "Interrupted",
    "called",
    "changed",
    "check_name",
    "check_outside_data",
    "check_run",
    "class_names",
    "describe",
    "evaluate",
    "for_other_data",
    "for_pictures_of",
    "load",
    "networks",
    "read_apart",
    "read_originals",
    "read_whole",
    "recipe_of",
    "train",
    "what_is_trained",
]
