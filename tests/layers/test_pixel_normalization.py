"""Pixel normalization against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import PixelNormalization

VALUES = np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype("float32") * 7.0


@pytest.mark.parametrize("values", [VALUES, VALUES[:, 0, 0]])
def test_values(values):
    expected = values / np.sqrt(np.mean(np.float64(values) ** 2, axis=-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(PixelNormalization()(values), expected, rtol=1e-5)


def test_zero_vectors_stay_zero_with_finite_gradient():
    zeros = tf.zeros((2, 3))
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        outputs = PixelNormalization()(zeros)
    np.testing.assert_array_equal(outputs, np.zeros((2, 3)))
    assert np.isfinite(tape.gradient(outputs, zeros)).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_does_not_overflow(policy):
    layer = PixelNormalization(dtype=policy)
    outputs = layer(VALUES * 100.0)  # squares are beyond float16
    assert outputs.dtype == layer.compute_dtype
    expected = VALUES / np.sqrt(np.mean(VALUES**2, axis=-1, keepdims=True))
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, atol=2e-2)


def test_serialization():
    layer = keras.layers.deserialize(keras.layers.serialize(PixelNormalization(epsilon=0.5)))
    expected = VALUES / np.sqrt(np.mean(VALUES**2, axis=-1, keepdims=True) + 0.5)
    np.testing.assert_allclose(layer(VALUES), expected, rtol=1e-5)


def test_functional_shape():
    inputs = keras.Input((8, 4, 3))
    assert PixelNormalization()(inputs).shape == (None, 8, 4, 3)
