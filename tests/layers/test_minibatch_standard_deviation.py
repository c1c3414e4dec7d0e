"""Minibatch standard deviation against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import MinibatchStandardDeviation


def batch(size, shape=(4, 5, 3)):
    return np.random.default_rng(0).normal(size=(size, *shape)).astype("float32") * np.arange(1, size + 1).reshape(
        (-1, *[1] * len(shape))
    )


def expected(values, members):
    groups = len(values) // members
    channel = np.empty((*values.shape[:-1], 1))
    for group in range(groups):
        channel[group::groups] = np.std(np.float64(values[group::groups]), axis=0).mean()
    return np.concatenate([values, channel], axis=-1)


@pytest.mark.parametrize(
    ("size", "group_size", "members"),
    [(8, 4, 4), (4, 4, 4), (12, 3, 3), (2, 4, 2), (6, 4, 3), (7, 4, 1), (8, 1, 1)],
)
def test_values(size, group_size, members):
    values = batch(size)
    layer = MinibatchStandardDeviation(group_size)
    np.testing.assert_allclose(layer(values), expected(values, members), rtol=1e-4, atol=2e-4)


def test_dense_features():
    values = batch(8, shape=(10,))
    np.testing.assert_allclose(MinibatchStandardDeviation()(values), expected(values, 4), rtol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_batch_size(jit_compile):
    inputs = keras.Input((4, 5, 3))
    model = keras.Model(inputs, MinibatchStandardDeviation()(inputs))
    assert model.output_shape == (None, 4, 5, 4)
    run = tf.function(model, input_signature=[tf.TensorSpec((None, 4, 5, 3))], jit_compile=jit_compile)
    for size, members in ((8, 4), (6, 3)):
        np.testing.assert_allclose(run(batch(size)), expected(batch(size), members), rtol=1e-4, atol=2e-4)


def test_identical_samples_give_nearly_zero_and_finite_gradients_of_both_orders():
    values = tf.Variable(np.repeat(batch(1), 4, axis=0))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            channel = MinibatchStandardDeviation()(values)[..., -1]
        gradient = tape.gradient(channel, values)
        squares = tf.reduce_sum(tf.square(gradient))
    assert float(tf.reduce_max(channel)) < 1e-3
    assert np.isfinite(gradient).all() and np.isfinite(outer.gradient(squares, values)).all()


def test_mixed_precision_keeps_the_dtype():
    layer = MinibatchStandardDeviation(dtype="mixed_float16")
    outputs = layer(batch(4) * 1000.0)  # squares are beyond float16
    assert outputs.dtype == "float16" and np.isfinite(tf.cast(outputs, "float32")).all()


def test_serialization_and_bad_argument():
    layer = keras.layers.deserialize(keras.layers.serialize(MinibatchStandardDeviation(group_size=2)))
    assert layer.group_size == 2
    with pytest.raises(ValueError, match="group_size=0"):
        MinibatchStandardDeviation(0)
