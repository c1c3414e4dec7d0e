"""Recipes for a training of minutes on any images, whose schedules are in shares of it."""

import dataclasses

from kerasgan.auto import SETTINGS, adam
from kerasgan.registry import Recipe

_ADAPTIVE = {"class_name": "kerasgan>AdaptiveAugment", "config": {"samples_to_one": 100_000}}
_DCGAN = Recipe(name="dcgan", gan_type="dcgan", **SETTINGS)
_GAMMA = {"weight": "cosine(2, 0.2, 1)", "through_augmentation": True}
CONTESTANTS = (
    _DCGAN,
    dataclasses.replace(  # in which the samples of a batch may not be mixed
        _DCGAN,
        name="dcgan_one_stage",
        model={**_DCGAN.model, "minibatch_deviation": False},
        compile={**_DCGAN.compile, "one_stage": True},
    ),
    Recipe(
        name="r3gan",
        gan_type="r3gan",
        model={"latent_dim": 64, "width": 32, "max_width": 128, "blocks": 1},
        compile={
            "learning_rate": "cosine(4e-4, 1e-4, 1)",
            "beta_2": "cosine(0.9, 0.99, 1)",
            "penalties": [{"class_name": f"kerasgan>{name}", "config": _GAMMA} for name in ("R1", "R2")],
            "augmentation": _ADAPTIVE,
            "ema_half_life": 10_000,
        },
        batch_size=32,
    ),
    Recipe(
        name="fastgan",
        gan_type="fastgan",
        model={"latent_dim": 128, "width": 16, "max_width": 128},
        compile={**adam(2e-4, 0.5, 0.999), "ema_half_life": 10_000},
        batch_size=16,
    ),
    Recipe(
        name="stylegan2",
        gan_type="stylegan2",
        model={"latent_dim": 128, "width": 24, "max_width": 96},
        compile={"augmentation": _ADAPTIVE, "ema_half_life": 10_000},
        batch_size=32,
    ),
)
