"""Conditional batch normalization against its equation in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import ConditionalBatchNormalization
from kerasgan.precision import full_precision, in_float32

LABELS = np.array([2, 0, 2, 1, 0], "int32")
SHAPE = (5, 4, 6, 3)


def build(shape=SHAPE, dtype="float32", **kwargs):
    """A layer with random weights, and inputs for it."""
    random = np.random.default_rng(0)
    layer = ConditionalBatchNormalization(3, momentum=0.9, epsilon=1e-3, dtype=dtype, **kwargs)
    layer.build([shape, (None,)])
    for variable in layer.variables:
        variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return layer, tf.constant(random.normal(2.0, 1.5, shape), tf.float32)


def expected(layer, inputs, mean, variance):
    """The equation in float64."""
    normalized = (np.float64(inputs) - mean) / np.sqrt(variance + layer.epsilon)
    each = (-1, *[1] * (inputs.ndim - 2), inputs.shape[-1])
    gain, bias = (np.float64(table.numpy())[LABELS].reshape(each) for table in (layer.gain, layer.bias))
    return normalized * gain + bias


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.03), ("mixed_float16", 4e-3)])
@pytest.mark.parametrize("shape", [SHAPE, (5, 3), (5, 7, 3)], ids=str)
def test_is_the_equation(shape, dtype, tolerance, jit_compile):
    layer, inputs = build(shape, dtype)
    axes, values = tuple(range(len(shape) - 1)), np.float64(inputs.numpy())
    averages = [v.numpy() for v in layer.normalization.non_trainable_variables]
    outputs = tf.function(lambda: layer([inputs, LABELS], training=True), jit_compile=jit_compile)()
    assert outputs.dtype == dtype.removeprefix("mixed_")
    statistics = values.mean(axes), values.var(axes)
    found = tf.cast(outputs, tf.float32).numpy()
    np.testing.assert_allclose(found, expected(layer, inputs.numpy(), *statistics), tolerance, 3 * tolerance)
    for variable, before, now in zip(layer.normalization.non_trainable_variables, averages, statistics, strict=True):
        assert variable.dtype == "float32"
        np.testing.assert_allclose(variable, 0.9 * before + 0.1 * now, rtol=max(1e-5, tolerance))

    averages = [v.numpy() for v in layer.normalization.non_trainable_variables]
    outputs = tf.cast(layer([inputs, LABELS]), tf.float32).numpy()
    np.testing.assert_allclose(outputs, expected(layer, inputs.numpy(), *averages), tolerance, 3 * tolerance)


def test_gradients_are_those_of_the_equation():
    """By central differences in float64."""
    layer, inputs = build()
    weights = np.random.default_rng(1).normal(size=SHAPE)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        target = tf.reduce_sum(layer([inputs, LABELS], training=True) * tf.constant(weights, tf.float32))
    gradients = tape.gradient(target, [inputs, layer.gain.value, layer.bias.value])
    gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]
    places, values = [inputs.numpy().astype("float64"), layer.gain.numpy(), layer.bias.numpy()], []
    for number, place in enumerate(places):
        index = np.unravel_index(np.argmax(np.abs(gradients[number])), place.shape)
        ends = []
        for step in (1e-2, -1e-2):
            moved = [np.array(p, "float64") for p in places]
            moved[number][index] += step
            layer.gain.assign(moved[1])
            layer.bias.assign(moved[2])
            outputs = expected(layer, moved[0], moved[0].mean((0, 1, 2)), moved[0].var((0, 1, 2)))
            ends.append(np.sum(outputs * weights))
        values.append((gradients[number][index], (ends[0] - ends[1]) / 2e-2))
    np.testing.assert_allclose(*np.transpose(values), rtol=2e-3)


def test_starts_as_batch_normalization_without_gain_and_bias():
    layer = ConditionalBatchNormalization(3)
    inputs = tf.random.normal(SHAPE)
    plain = keras.layers.BatchNormalization(center=False, scale=False)
    outputs = [layer([inputs, LABELS], training=True), plain(inputs, training=True)]
    np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)
    assert [v.path.split("/")[-1] for v in layer.trainable_variables] == ["gain", "bias"]
    assert [v.shape for v in layer.trainable_variables] == [(3, 3)] * 2
    layer = ConditionalBatchNormalization(3, gain_initializer=keras.initializers.RandomNormal(1.0, 0.1, seed=0))
    layer.build([SHAPE, (None,)])
    assert 0.01 < np.std(layer.gain) < 0.3


def test_frozen_layers_and_stateless_calls_leave_the_statistics_alone():
    layer, inputs = build()
    before = [v.numpy() for v in layer.variables]
    with keras.StatelessScope():
        inside = layer([inputs, LABELS], training=True).numpy()
    values = inputs.numpy()
    statistics = values.mean((0, 1, 2)), values.var((0, 1, 2))
    np.testing.assert_allclose(inside, expected(layer, values, *statistics), 1e-4, 1e-4)
    layer.trainable = False
    np.testing.assert_array_equal(layer([inputs, LABELS], training=True), layer([inputs, LABELS]))
    assert all((v.numpy() == old).all() for v, old in zip(layer.variables, before, strict=True))


def test_files_copies_and_full_precision(tmp_path):
    symbolic = keras.Input(SHAPE[1:]), keras.Input((), dtype="int32")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = ConditionalBatchNormalization(3, momentum=0.7, gain_initializer="random_normal")
        model = keras.Model(symbolic, layer(list(symbolic)))
    finally:
        keras.config.set_dtype_policy("float32")
    inputs = [tf.random.normal(SHAPE), tf.constant(LABELS)]
    model(inputs, training=True)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    model.save(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for copy in (clone, keras.saving.load_model(tmp_path / "model.keras")):
        assert copy.layers[-1].normalization.momentum == 0.7
        np.testing.assert_array_equal(*(tf.cast(network(inputs), "float32") for network in (copy, model)))
    with full_precision(model):
        exact = model(inputs)
    assert exact.dtype == "float32" and model(inputs).dtype == "bfloat16"
    np.testing.assert_array_equal(in_float32(model)(inputs), exact)


def test_other_arguments_are_refused():
    for wrong in (0, 2.5, None):
        with pytest.raises(ValueError, match=f"num_classes={wrong!r}"):
            ConditionalBatchNormalization(wrong)
    with pytest.raises(ValueError, match=r"expected a pair \[values, labels\]"):
        ConditionalBatchNormalization(3)(tf.zeros(SHAPE))
