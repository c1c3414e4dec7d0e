"""WGAN's optimizer is that of the paper's code."""

import keras
import numpy as np
import pytest

from kerasgan.models import WGAN


@pytest.mark.parametrize(("size", "tolerance"), [(1e-2, 0.01), (1e-5, 0.2)])
def test_rmsprop_moves_as_in_the_papers_code_however_small_the_gradients(size, tolerance):
    gan = WGAN(image_shape=(16, 16, 1), latent_dim=4, width=2)
    gradients = size * np.random.default_rng(0).uniform(-1, 1, (5, 3)).astype("float32")
    for optimizer in gan.default_optimizers():
        weight = keras.Variable(np.zeros(3, "float32"))
        expected, mean_square = np.zeros(3), np.zeros(3)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
            mean_square = 0.99 * mean_square + 0.01 * gradient.astype("float64") ** 2
            expected -= 5e-5 * gradient / (np.sqrt(mean_square) + 1e-8)
        np.testing.assert_allclose(weight, expected, rtol=tolerance)
