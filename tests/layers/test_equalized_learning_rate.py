"""Equalized learning rate against NumPy, and how it starts and learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import Conv2D, DownsamplingConv2D, EqualizedLearningRate, UpsamplingConv2D
from kerasgan.precision import full_precision

CASES = {
    "dense": (lambda: keras.layers.Dense(7), (5, 9), 9),
    "convolution": (lambda: Conv2D(6, 3, padding="same", activation="leaky_relu"), (2, 8, 6, 4), 3 * 3 * 4),
    "up": (lambda: UpsamplingConv2D(6, 3), (2, 10, 10, 4), 3 * 3 * 4),
    "down": (lambda: DownsamplingConv2D(6, 3), (2, 20, 20, 4), 3 * 3 * 4),
}


def build(name, **kwargs):
    keras.utils.set_random_seed(0)
    make, shape, fan_in = CASES[name]
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = EqualizedLearningRate(make(), **kwargs)
    layer(inputs)
    layer.layer.bias.assign(np.random.default_rng(1).normal(size=layer.layer.bias.shape))
    return layer, inputs, fan_in


@pytest.mark.parametrize("name", CASES)
def test_output_is_that_of_the_scaled_kernel(name):
    layer, inputs, fan_in = build(name, gain=1.5)
    found = layer(inputs)
    kernel = layer.layer.kernel
    kernel.assign(kernel.numpy() * 1.5 / np.sqrt(fan_in))
    np.testing.assert_allclose(found, layer.layer(inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_of_the_kernel_has_the_factor_too(name):
    layer, inputs, fan_in = build(name)
    kernel = layer.layer.kernel
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer(inputs) ** 2)
    found = tape.gradient(value, kernel.value)
    factor = np.sqrt(2.0 / fan_in)
    kernel.assign(kernel.numpy() * factor)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer.layer(inputs) ** 2)
    np.testing.assert_allclose(found, factor * tape.gradient(value, kernel.value), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_multiplier_changes_how_fast_it_learns_and_not_what_it_starts_from(use_bias):
    """A step of one length for every weight, as Adam's first, moves the outputs by a tenth."""
    layers = [EqualizedLearningRate(keras.layers.Dense(7, use_bias=use_bias), multiplier=m) for m in (1.0, 0.1)]
    inputs, steps = np.random.default_rng(0).normal(size=(5, 9)).astype("float32"), []
    for layer in layers:
        layer(inputs)
        weights = [np.random.default_rng(1).normal(size=w.shape) / layer.multiplier for w in layer.layer.get_weights()]
        layer.layer.set_weights(weights)
        before = layer(inputs)
        layer.layer.set_weights([weight + 0.1 for weight in weights])
        steps.append((before, layer(inputs) - before))
    np.testing.assert_allclose(steps[1][0], steps[0][0], atol=1e-5)
    np.testing.assert_allclose(steps[1][1], 0.1 * steps[0][1], atol=1e-5)
    assert EqualizedLearningRate.from_config(layers[1].get_config()).multiplier == 0.1
    wide = EqualizedLearningRate(keras.layers.Dense(7), multiplier=0.1)
    wide(np.zeros((1, 900), "float32"))
    assert np.std(wide.layer.kernel) == pytest.approx(10, rel=0.05)


def test_kernels_start_standard_normal_and_keep_the_variance_of_maps():
    keras.utils.set_random_seed(1)
    layer = EqualizedLearningRate(Conv2D(256, 3, padding="same"), gain=1.0)
    maps = np.random.default_rng(0).normal(size=(1, 8, 8, 128)).astype("float32")
    inner = layer(maps).numpy()[:, 1:-1, 1:-1]
    assert np.std(layer.layer.kernel) == pytest.approx(1.0, abs=0.01)
    assert np.std(inner) == pytest.approx(1.0, abs=0.1)
    assert not np.any(layer.layer.bias)


def test_in_half_precision_it_is_near_float32_and_weights_stay_float32():
    layer, values, _ = build("convolution")
    exact = layer(values).numpy()
    half = EqualizedLearningRate(Conv2D(6, 3, padding="same", activation="leaky_relu", dtype="mixed_bfloat16"))
    half(values)
    half.set_weights(layer.get_weights())
    found = half(values)
    assert found.dtype == "bfloat16" and all(v.dtype == "float32" for v in half.variables)
    assert np.abs(tf.cast(found, "float32") - exact).max() < 0.05 * np.abs(exact).max()
    inputs = keras.Input(values.shape[1:])
    model = keras.Model(inputs, half(inputs))
    with full_precision(model):
        np.testing.assert_allclose(model(values), exact, rtol=1e-5, atol=1e-5)


def test_it_saves_and_loads(tmp_path):
    layer, values, _ = build("up", gain=0.7)
    inputs = keras.Input(values.shape[1:])
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[-1].gain == 0.7
    np.testing.assert_array_equal(again(values), model(values))


def test_a_layer_without_a_kernel_is_refused():
    with pytest.raises(ValueError, match="has no kernel; expected Dense or a convolution"):
        EqualizedLearningRate(keras.layers.ReLU())
