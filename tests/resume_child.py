"""Trains small runs in a process of its own, which may be killed on the way.

python resume_child.py FOLDER KIND... [--kill step|write]
"""

import os
import pathlib
import signal
import sys
import threading
import zipfile

import numpy as np

from kerasgan import runs
from kerasgan.callbacks import Checkpoint
from kerasgan.registry import Recipe

_ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3, "beta_1": 0.5}}
_DATA = {"reader": "images", "size": 16, "channels": 1}
_COMMON = {"batch_size": 4, "epochs": 4, "seed": 3}
RECIPES = {
    "plain": Recipe(
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
    "conditional": Recipe(
        name="conditional",
        gan_type="cgan",
        model={"image_shape": [16, 16, 1], "num_classes": 2, "latent_dim": 4, "generator_dropout": 0.2},
        compile={"discriminator_optimizer": _ADAM, "generator_optimizer": _ADAM},
        data={**_DATA, "labels": True},
        **_COMMON,
    ),
    "adaptive": Recipe(
        name="adaptive",
        gan_type="dcgan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 4},
        compile={
            "augmentation": {
                "class_name": "kerasgan>AdaptiveAugment",
                "config": {"samples_to_one": 50, "interval": 1, "target": -0.9},
            }
        },
        data=_DATA,
        **_COMMON,
    ),
    "critic": Recipe(
        name="critic",
        gan_type="wgan_gp",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 2},
        compile={"discriminator_steps": 2},
        data={**_DATA, "cache": False},
        **_COMMON,
    ),
    "mixed": Recipe(
        name="mixed",
        gan_type="dcgan",
        model={"image_shape": [16, 16, 1], "latent_dim": 4, "width": 4},
        data=_DATA,
        dtype="mixed_float16",
        **_COMMON,
    ),
}


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


def main(folder, *kinds):
    folder = pathlib.Path(folder)
    if "--kill" in kinds:
        *kinds, _, when = kinds
        {"step": lambda: kill_in_a_step(7), "write": lambda: kill_in_a_write(2)}[when]()
    data = folder.parent / "data.npz"
    if not data.is_file():
        random = np.random.default_rng(0)
        np.savez(data, x=random.integers(0, 256, (22, 16, 16), dtype="uint8"), y=np.arange(22) % 2)
    for kind in kinds:
        runs.train(RECIPES[kind], data, folder / kind, minutes=0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
