"""Trains small runs in a process of its own, which may be killed on the way.

python resume_child.py FOLDER KIND... [--copies FOLDER] [--kill step|write|full] [--strategy ARGUMENTS]
                       [--checks MODULE:FUNCTION...]
"""

import argparse
import collections
import contextlib
import importlib
import json
import os
import pathlib
import resource
import shutil
import signal
import sys
import threading
import traceback
import wave
import zipfile

import numpy as np

from kerasgan import Game, distribution, runs
from kerasgan.callbacks import Checkpoint
from kerasgan.registry import Recipe

_ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3, "beta_1": 0.5}}


def _momentum(rate=1e-3):
    """Optimizers that are traced in half the time of Adam, whose state goes on in the others."""
    one = {"class_name": "SGD", "config": {"learning_rate": rate, "momentum": 0.5}}
    return {"discriminator_optimizer": one, "generator_optimizer": one}


_DATA = {"reader": "images", "size": 16, "channels": 1}
_COMMON = {"batch_size": 4, "epochs": 4, "seed": 3}
# Each way in which a training goes on is in one of these, not each type: `tests/contract` takes all of them a step on.
_RECIPES = [
    Recipe(  # what processes that end are tried on: they trace it again and again
        name="simple",
        gan_type="dcgan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 2, "normalization": "none"},
        compile=_momentum(),
        data=_DATA,
        **_COMMON,
    ),
    Recipe(  # batch statistics; data that are flipped; what augmentation draws; a penalty now and then
        name="plain",
        gan_type="dcgan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 4},
        compile={
            "augmentation": "color,translation,cutout",
            "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.2, "interval": 3}}],
        },
        data={**_DATA, "flip": True},
        **_COMMON,
    ),
    Recipe(  # dropout of both players, optimizers that are given; scores, the best model, TensorBoard
        name="conditional",
        gan_type="cgan",
        model={
            **{"image_shape": [16, 16, 1], "num_classes": 2, "latent_dim": 4},
            **{"units": 16, "maxout_units": 8, "generator_dropout": 0.2},
        },
        compile={"discriminator_optimizer": _ADAM, "generator_optimizer": _ADAM},
        data={**_DATA, "labels": True},
        **_COMMON,
    ),
    Recipe(  # several steps, a penalty between samples, shifted phases; sounds from a stream
        name="sound",
        gan_type="wavegan",
        model={"length": 256, "latent_dim": 4, "width": 2, "num_classes": 2},
        compile={**_momentum(), "discriminator_steps": 2},
        data={"reader": "audio", "length": 256, "labels": "name", "cache": False},
        **_COMMON,
    ),
    Recipe(  # a batch of the generator's own; adaptive augmentation
        name="relativistic",
        gan_type="r3gan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 4, "max_width": 8, "blocks": 1},
        compile={
            **_momentum(),
            "augmentation": {
                "class_name": "kerasgan>AdaptiveAugment",
                "config": {"samples_to_one": 50, "interval": 1, "target": -0.9},
            },
        },
        data=_DATA,
        **_COMMON,
    ),
    Recipe(  # schedules of everything, parts of a batch, one stage; files that are read anew
        name="options",
        gan_type="dcgan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 4, "normalization": "none"},
        compile={
            "loss": "non_saturating",
            "augmentation": {
                "class_name": "kerasgan>AdaptiveAugment",
                "config": {"target": None, "probability": "linear(0, 0.5, 64)"},
            },
            "learning_rate": ["linear(1e-3, 1e-4, 100)", "cosine(1e-3, 0, 200)"],
            "beta_2": "linear(0.9, 0.99, 100)",
            "ema_half_life": "linear(0, 50, 100)",
            "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": "cosine(2, 0.2, 100)"}}],
            "clip_gradients": 0.5,
            "gradient_accumulation": 2,
            "discriminator_steps": 1,
            "one_stage": True,
        },
        data={**_DATA, "cache": False},
        **_COMMON,
    ),
    Recipe(  # pools of earlier images; domains that are read apart
        name="translator",
        gan_type="cyclegan",
        model={"image_shape": [16, 16, 1], "width": 2, "blocks": 1, "pool_size": 6},
        compile=_momentum(1e-4),
        data={"reader": "unpaired", "keys": ["x", "z"], "size": 16, "channels": 1, "flip": True},
        **_COMMON,
    ),
    Recipe(  # levels that learn one after the other, in float16 with scales of the losses
        name="pyramid",
        gan_type="lapgan",
        model={
            **{"image_shape": [16, 16, 1], "latent_dim": 4, "units": 8, "width": 4, "level_samples": 68},
            "dropout": 0.0,  # which two devices draw apart
        },
        compile=_momentum(),
        data=_DATA,
        dtype="mixed_float16",
        **_COMMON,
    ),
]
RECIPES = {recipe.name: recipe for recipe in _RECIPES}
# Two groups, so that each of two processes that test has one. Those that are killed are in the first.
GROUPS = {
    "first": ("simple", "plain", "sound", "relativistic", "options"),
    "second": ("conditional", "translator", "pyramid"),
}
OPTIONS = {"conditional": {"score": "swd", "score_every": 2, "tensorboard": True}}
# Without a graph, which takes longer to trace than all steps do: what a graph could keep from one epoch to the next,
# the others would show. (Of larger networks it is the other way around.)
EAGER = ("sound", "relativistic")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_in_a_step(number):
    """A moment after so many steps, while the next one is computed."""
    end, steps = Checkpoint.on_train_batch_end, iter(range(number, -1, -1))

    def counting(self, batch, logs=None):
        end(self, batch, logs)
        if next(steps, None) == 0:
            threading.Timer(0.002, kill).start()

    Checkpoint.on_train_batch_end = counting


def copy_after_a_step(number, folder):
    """Copies each run as it is after so many steps: what a kill would leave, a step after the last checkpoint."""
    end, steps = Checkpoint.on_train_batch_end, collections.Counter()

    def counting(self, batch, logs=None):
        end(self, batch, logs)
        steps[self.path] += 1
        if steps[self.path] == number - 1:
            self.save()
        if steps[self.path] == number:
            shutil.copytree(self.path.parent, folder / self.path.parent.name)

    Checkpoint.on_train_batch_end = counting


def kill_in_a_write(number):
    """When the file of a checkpoint is half-written."""
    write, writes = zipfile.ZipFile.writestr, iter(range(number, -1, -1))

    def counting(self, name, data, *arguments, **options):
        if name == "kerasgan_position.json" and next(writes, None) == 0:
            size = os.path.getsize(self.filename)
            self.fp.flush()
            os.truncate(self.filename, size // 2)
            kill()
        return write(self, name, data, *arguments, **options)

    zipfile.ZipFile.writestr = counting


def fill_the_disk_in_a_write(number):
    """From the write of a checkpoint on, files end after half of what a checkpoint needs."""
    save, saves = Checkpoint.save, iter(range(number, -1, -1))

    def counting(self):
        if next(saves, None) == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(self.path) // 2,) * 2)
        save(self)

    Checkpoint.save = counting


WAYS = {"step": (kill_in_a_step, 7), "write": (kill_in_a_write, 2), "full": (fill_the_disk_in_a_write, 2)}


def make_data(folder):
    """Random pictures of two classes and two domains, `data.npz`, and sounds of two classes, `sounds`."""
    random = np.random.default_rng(0)
    x, z = (random.integers(0, 256, (22, 16, 16), dtype="uint8") for _ in range(2))
    np.savez(folder / "data.npz", x=x, y=np.arange(22) % 2, z=z)
    (folder / "sounds").mkdir()
    for number in range(22):
        with wave.open(str(folder / "sounds" / f"{number % 2}_{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(random.integers(-30_000, 30_000, 256, dtype="int16").tobytes())


def train(kind, folder, **options):
    """Trains a kind in its run folder, or goes on there; the data are beside `folder`."""
    data = "sounds" if RECIPES[kind].data["reader"] == "audio" else "data.npz"
    with eagerly() if kind in EAGER else contextlib.nullcontext():
        runs.train(RECIPES[kind], folder.parent / data, folder / kind, **OPTIONS.get(kind, {}), **options)


@contextlib.contextmanager
def eagerly():
    """Trainings of few steps without a graph, which takes longer to trace than they take."""

    def fit(gan, *arguments, **options):
        given, gan.run_eagerly = gan.run_eagerly, True
        try:
            return traced(gan, *arguments, **options)
        finally:
            gan.run_eagerly = given

    traced, Game.fit = Game.fit, fit
    try:
        yield
    finally:
        Game.fit = traced


def check(name, strategy):
    """Calls a function of a test's module, "module:function", with the strategy, and says whether it went well."""
    sys.path.insert(0, os.path.dirname(__file__))
    module, _, function = name.partition(":")
    try:
        getattr(importlib.import_module(module), function)(strategy)
    except Exception:
        traceback.print_exc()
    else:
        print(f"{name} went well")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("kinds", nargs="+")
    parser.add_argument("--copies", type=pathlib.Path)
    parser.add_argument("--kill", choices=WAYS)
    parser.add_argument("--checks", nargs="*", default=(), help="functions of a strategy, called after the trainings")
    parser.add_argument("--strategy", default="{}", help="arguments of kerasgan.distribution.strategy, JSON")
    arguments = parser.parse_args()
    if arguments.copies:
        copy_after_a_step(8, arguments.copies)
    distribution._LOST = 10
    strategy = distribution.strategy(**json.loads(arguments.strategy))
    if arguments.kill:
        break_it, number = WAYS[arguments.kill]
        break_it(number)
    common = arguments.folder.parent
    if not (common / "data.npz").is_file():
        make_data(common)
    minutes = 1e-6 if arguments.kill else 60  # a checkpoint after each step, or none but the one that is copied
    for kind in arguments.kinds:
        train(kind, arguments.folder, minutes=minutes, strategy=strategy)
    for name in arguments.checks:
        check(name, strategy)


if __name__ == "__main__":
    main()
