"""The GAN types by name: where their classes are, and what their training starts from.

A new GAN type is one line in `TYPES`. TensorFlow is imported when a class is asked for.
"""

import importlib
import sys
import typing

from kerasgan import console, trust


class GANType(typing.NamedTuple):
    """A GAN type: where its class is, and what `train` starts from when it is given the type instead of an entry."""

    path: str  # "module:Class"
    model: dict  # arguments of the class
    data: dict  # arguments of the reader in kerasgan.data
    compile: dict = {}  # arguments of its `compile`
    largest_batch: int = 64  # that is derived from the data


def _images(path, size, model=None, compile=None, largest_batch=64, **data):
    model = {"image_shape": (size, size, 3), **(model or {})}
    data = {"reader": "images", "size": size, "channels": 3, **data}
    return GANType(path, model, data, compile or {}, largest_batch)


def _pairs(path, size, reader):
    return GANType(path, {"image_shape": (size, size, 3)}, {"reader": reader, "size": size, "channels": 3})


def _adam(learning_rate):
    return {"class_name": "Adam", "config": {"learning_rate": learning_rate, "beta_1": 0.0, "beta_2": 0.99}}


# By the paper's values the discriminator wins from the first minute against some thousand pictures, and samples stay
# blurred. Without batch normalization it does not, and a generator that is three times slower leaves it something to
# teach. Batches of 16 give a CPU four times the updates in the same time.
_DCGAN = {
    "model": {"width": 48, "latent_dim": 128, "normalization": "none", "minibatch_deviation": True, "latent": "normal"},
    "compile": {
        "discriminator_optimizer": _adam(6e-4),
        "generator_optimizer": _adam(2e-4),
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.01, "interval": 16}}],
        "augmentation": "translation",
    },
    "largest_batch": 16,
}

TYPES = {
    "vanilla_gan": _images("kerasgan.models.vanilla:VanillaGAN", 32),
    "cgan": _images("kerasgan.models.cgan:CGAN", 32, labels=True),
    "dcgan": _images("kerasgan.models.dcgan:DCGAN", 64, **_DCGAN),
    "wgan": _images("kerasgan.models.wgan:WGAN", 64),
    "wgan_gp": _images("kerasgan.models.wgan_gp:WGANGP", 64),
    "lapgan": _images("kerasgan.models.lapgan:LAPGAN", 32),
    "progressive_gan": _images("kerasgan.models.progressive_gan:ProgressiveGAN", 64),
    "r3gan": _images("kerasgan.models.r3gan:R3GAN", 64),
    "sngan": _images("kerasgan.models.sngan:SNGAN", 32),
    "cyclegan": _pairs("kerasgan.models.cyclegan:CycleGAN", 128, "unpaired"),
    "pix2pix": _pairs("kerasgan.models.pix2pix:Pix2Pix", 256, "pairs"),
    "srgan": GANType(
        "kerasgan.models.srgan:SRGAN",
        {"image_shape": (96, 96, 3)},
        {"reader": "crops", "size": 96, "channels": 3},
    ),
    "wavegan": GANType(
        "kerasgan.models.wavegan:WaveGAN",
        {"length": 8192, "sample_rate": 8000, "channels": 1},
        {"reader": "audio", "length": 8192, "sample_rate": 8000, "channels": 1},
    ),
}


def gan_class(gan_type):
    """The class of a GAN type, imported now.

    Args:
        gan_type: a name in `TYPES`, or "package.module:Class".

    Raises:
        ValueError: there is no such class.
    """
    console.import_tensorflow()
    path = TYPES[gan_type].path if gan_type in TYPES else gan_type
    module, _, name = path.partition(":")
    try:
        module = trust.import_module(module) if trust.is_allowed() else importlib.import_module(module)
        found = getattr(module, name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise ValueError(f'gan_type={gan_type!r} cannot be imported ({error}); give "package.module:Class".') from error
    if not is_game(found):
        raise ValueError(f"gan_type={gan_type!r} is no GAN type: expected a class derived from kerasgan.Game.")
    return found


def is_game(found):
    """Whether something is a class of two-player models."""
    if "kerasgan.game" not in sys.modules or not isinstance(found, type):
        return False  # no such class without the module of what it is derived from
    from kerasgan.game import Game

    return issubclass(found, Game)
