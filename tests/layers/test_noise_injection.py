"""Noise injection."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import NoiseInjection


def with_factor(factor, dtype=None):
    layer = NoiseInjection(seed=1, dtype=dtype)
    layer.build((None, 16, 24, 3))
    layer.factor.assign(factor)
    return layer


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_adds_one_normal_number_to_all_channels_of_a_place(dtype):
    layer = with_factor(0.5, dtype)
    noise = [np.float64(layer(tf.zeros((8, 16, 24, 3)), training=True)) for _ in range(2)]
    assert layer(tf.zeros((1, 16, 24, 3)), training=True).dtype == layer.compute_dtype
    for made in noise:
        np.testing.assert_array_equal(made, np.broadcast_to(made[..., :1], made.shape))
        assert abs(made.mean()) < 0.03 and made.std() == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1  # other noise in each call
    assert abs(np.corrcoef(noise[0][0].ravel(), noise[0][1].ravel())[0, 1]) < 0.2  # and for each sample


def test_adds_nothing_at_first_nor_in_inference():
    maps = tf.random.normal((2, 16, 24, 3))
    for layer, training in ((with_factor(0.0), True), (with_factor(0.5), False)):
        np.testing.assert_array_equal(layer(maps, training=training), maps)
    layer = with_factor(0.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(maps, training=True) - 1.0))
    assert float(tf.abs(tape.gradient(loss, layer.factor.value))) > 0  # so that it is learned


def test_noise_follows_from_the_seed():
    first, second = (with_factor(1.0)(tf.zeros((2, 16, 24, 3)), training=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    again = NoiseInjection.from_config(with_factor(1.0).get_config())
    assert again.seed == 1 and keras.saving.get_registered_name(NoiseInjection) == "kerasgan>NoiseInjection"
