"""Small GANs with weights and moving statistics that are all different from a fresh model's."""

import keras
import numpy as np
import pytest

from kerasgan.models import CGAN, DCGAN


def shaken(gan):
    """The GAN with every weight and statistic of its moving average moved, as after a training."""
    random = np.random.default_rng(5)
    for weight in gan.ema_generator.weights:
        value = np.asarray(weight)
        weight.assign(value + (random.uniform(0.0, 0.2, value.shape) if value.dtype.kind == "f" else 0))
    return gan


@pytest.fixture(scope="session")
def dcgan():
    keras.utils.set_random_seed(1)
    return shaken(DCGAN(image_shape=(16, 24, 3), latent_dim=6, width=4, seed=1))


@pytest.fixture(scope="session")
def conditional():
    keras.utils.set_random_seed(2)
    return shaken(DCGAN(image_shape=(16, 16, 4), latent_dim=6, width=4, num_classes=3, latent="normal", seed=1))


@pytest.fixture(scope="session")
def perceptron():
    keras.utils.set_random_seed(3)
    return shaken(CGAN(image_shape=(16, 16, 1), num_classes=5, seed=1))
