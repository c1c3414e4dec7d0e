"""Rates and betas of each player, as the types' papers and docstrings say them, written out a second time."""

import numpy as np
import pytest

import kerasgan

# Type: what the discriminator or critic has, what the generator has: (rate, beta 1, beta 2), None for RMSprop.
EQUAL = {
    "alad": (1e-5, 0.5, 0.999),
    "cgan": (2e-4, 0.5, 0.999),
    "ctgan": (2e-4, 0.5, 0.9),
    "cyclegan": (2e-4, 0.5, 0.999),
    "dcgan": (2e-4, 0.5, 0.999),
    "f_anogan": (1e-4, 0.0, 0.9),
    "fastgan": (2e-4, 0.5, 0.999),
    "gan_3d": (1e-4, 0.5, 0.9),
    "gan_cls": (2e-4, 0.5, 0.999),
    "ganomaly": (2e-4, 0.5, 0.999),
    "lapgan": (5e-4, 0.0, 0.99),
    "musegan": (1e-3, 0.5, 0.9),
    "pix2pix": (2e-4, 0.5, 0.999),
    "progressive_gan": (1e-3, 0.0, 0.99),
    "r3gan": (2e-4, 0.0, 0.99),
    "sngan": (2e-4, 0.0, 0.9),
    "srgan": (1e-4, 0.9, 0.999),
    "stylegan2": (2e-3, 0.0, 0.99),
    "tempogan": (2e-4, 0.5, 0.999),
    "vanilla_gan": (2e-4, 0.5, 0.999),
    "wavegan": (1e-4, 0.5, 0.9),
    "wgan": (5e-5, None, None),
    "wgan_gp": (1e-4, 0.5, 0.9),
}
# Where one learns faster, the order in which a type gives them is easily mistaken.
UNEQUAL = {
    "df_gan": ((4e-4, 0.0, 0.9), (1e-4, 0.0, 0.9)),
    "dvd_gan": ((5e-4, 0.0, 0.999), (1e-4, 0.0, 0.999)),
    "dvd_gan_fp": ((5e-4, 0.0, 0.999), (1e-4, 0.0, 0.999)),
    "relgan": ((1e-4, 0.9, 0.999), (1e-3, 0.9, 0.999)),  # the generator's is that of its pretraining
    "seqgan": ((1e-4, 0.9, 0.999), (1e-3, 0.9, 0.999)),
    "skegan": ((2e-4, 0.5, 0.999), (1e-3, 0.9, 0.999)),
}
OF_PLAYERS = {**{name: (of_both, of_both) for name, of_both in EQUAL.items()}, **UNEQUAL}


def settings(optimizer):
    betas = [getattr(optimizer, name, None) for name in ("beta_1", "beta_2")]
    return (float(optimizer.learning_rate), *betas)


@pytest.mark.parametrize("name", sorted(kerasgan.registry.TYPES))
def test_each_player_has_the_optimizer_of_the_paper(name):
    discriminator, generator, *_ = kerasgan.registry.gan_class(name).default_optimizers()
    for optimizer, expected in zip((discriminator, generator), OF_PLAYERS[name], strict=True):
        found = settings(optimizer)
        assert found[1:] == expected[1:]
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
