"""Batch normalization against Keras's own layer, which is an independent implementation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import BatchNormalization
from kerasgan.precision import full_precision

SHAPES = [(4, 6, 5, 3), (2, 1, 7, 8), (3, 4, 4, 16)]
TOLERANCE = {"float32": 1e-4, "mixed_bfloat16": 0.03, "mixed_float16": 0.004}


def pair(shape, dtype="float32", **kwargs):
    """Our layer and Keras's with the same random weights."""
    random = np.random.default_rng(0)
    layers = [cls(momentum=0.9, dtype=dtype, **kwargs) for cls in (BatchNormalization, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.build(shape)
    for ours, theirs in zip(*(layer.variables for layer in layers), strict=True):
        ours.assign(random.uniform(0.5, 1.5, ours.shape))
        theirs.assign(ours)
    return layers


def inputs_of(shape, mean=2.0):
    return tf.constant(np.random.default_rng(1).normal(mean, 1.5, shape), tf.float32)


def run(layer, inputs, jit_compile=False, second_order=False):
    """Outputs, gradients over inputs and weights (or those of a gradient penalty), statistics afterwards."""
    weights = [v.value for v in layer.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step(inputs):
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = tf.cast(layer(inputs, training=True), tf.float32)
                target = tf.reduce_sum(tf.sin(outputs) * tf.cos(tf.range(tf.size(outputs, tf.float32)))[0])
            if second_order:
                target = tf.reduce_sum(tf.square(tape.gradient(target, inputs)))
        return [outputs, *outer.gradient(target, [inputs, *weights], unconnected_gradients="zero")]

    return [value.numpy() for value in step(inputs)] + [v.numpy() for v in layer.non_trainable_variables]


def assert_close(ours, theirs, tolerance):
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        a, b = np.float32(a), np.float32(b)
        np.testing.assert_allclose(a, b, atol=tolerance * max(np.abs(b).max(), 1e-2), rtol=tolerance)


@pytest.fixture
def fused_calls(monkeypatch):
    """A list with one entry for each use of the fused operation."""
    calls, original = [], tf.raw_ops.FusedBatchNormV3

    def counted(**kwargs):
        calls.append(kwargs["x"].dtype.name)
        return original(**kwargs)

    monkeypatch.setattr(tf.raw_ops, "FusedBatchNormV3", counted)
    return calls


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_training_equals_keras(shape, dtype, second_order, fused_calls):
    ours, theirs = pair(shape, dtype)
    inputs = inputs_of(shape)
    # Second derivatives nearly cancel (the outputs do not change with the inputs' scale), which half formats show.
    tolerance = TOLERANCE[dtype] * (10 if second_order else 1)
    assert_close(run(ours, inputs, False, second_order), run(theirs, inputs, False, second_order), tolerance)
    assert fused_calls == [dtype.removeprefix("mixed_")]


@pytest.mark.parametrize("left_out", [("scale",), ("center",), ("scale", "center")], ids=" ".join)
def test_without_gain_or_bias_equals_keras(left_out, fused_calls):
    ours, theirs = pair(SHAPES[0], **dict.fromkeys(left_out, False))
    inputs = inputs_of(SHAPES[0])
    assert_close(run(ours, inputs), run(theirs, inputs), TOLERANCE["float32"])
    assert fused_calls == ["float32"]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_compiled_by_xla_equals_keras(dtype):
    ours, theirs = pair(SHAPES[0], dtype)
    inputs = inputs_of(SHAPES[0])
    assert_close(run(ours, inputs, True), run(theirs, inputs, False), TOLERANCE[dtype])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_constant_channels_stay_finite(jit_compile):
    """XLA's own batch normalization gets a negative variance here, and NaN."""
    shape = (8, 4, 4, 32)
    ours, _ = pair(shape, epsilon=1e-5)
    values = tf.broadcast_to(tf.linspace(0.1, 300.0, 32), shape)
    inner = tf.function(lambda values: ours(values, training=True))
    outputs = tf.function(lambda values: inner(values), jit_compile=jit_compile)(values)
    np.testing.assert_allclose(outputs, np.broadcast_to(ours.beta, shape), atol=0.5)


def test_one_value_a_channel():
    ours, theirs = pair((1, 1, 1, 4))
    inputs = inputs_of((1, 1, 1, 4))
    assert_close(run(ours, inputs), run(theirs, inputs), 1e-4)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_inference_and_frozen_layers_equal_keras(dtype, fused_calls):
    ours, theirs = pair(SHAPES[0], dtype)
    inputs = inputs_of(SHAPES[0])
    before = [v.numpy() for v in ours.variables]
    np.testing.assert_array_equal(*(tf.cast(layer(inputs), "float32") for layer in (ours, theirs)))
    ours.trainable = False
    np.testing.assert_array_equal(*(tf.cast(f, "float32") for f in (ours(inputs, training=True), theirs(inputs))))
    assert all((v.numpy() == old).all() for v, old in zip(ours.variables, before, strict=True))
    assert not fused_calls


@pytest.mark.parametrize(
    "shape, kwargs",
    [((6, 5), {}), ((2, 5, 4), {}), ((2, 4, 5, 3), {"axis": 1})],
    ids=str,
)
def test_what_the_fused_operation_cannot_do_is_kerass(shape, kwargs, fused_calls):
    ours, theirs = pair(shape, **kwargs)
    inputs = inputs_of(shape)
    assert_close(run(ours, inputs), run(theirs, inputs), 1e-6)
    assert not fused_calls


def test_mask_is_heeded():
    ours, theirs = pair(SHAPES[0])
    mask = tf.constant(np.random.default_rng(0).uniform(size=SHAPES[0][:-1]) < 0.5)
    outputs = [layer(inputs_of(SHAPES[0]), training=True, mask=mask) for layer in (ours, theirs)]
    np.testing.assert_allclose(*outputs, rtol=1e-5)


def test_weights_in_bfloat16():
    ours, theirs = pair(SHAPES[2], "bfloat16")
    inputs = inputs_of(SHAPES[2])
    assert_close(run(ours, inputs), run(theirs, inputs), 0.05)


@pytest.mark.parametrize("compiled", [False, True])
def test_stateless_scope_leaves_the_statistics_alone(compiled):
    ours, _ = pair(SHAPES[0])
    inputs = inputs_of(SHAPES[0])
    before = [v.numpy() for v in ours.variables]

    def call():
        with keras.StatelessScope() as scope:
            outputs = ours(inputs, training=True)
            return outputs, tf.convert_to_tensor(scope.get_current_value(ours.moving_mean))

    outputs, inside = (tf.function(call) if compiled else call)()
    assert all((v.numpy() == old).all() for v, old in zip(ours.variables, before, strict=True))
    assert np.abs(inside - before[2]).max() > 1e-3  # within the scope there was an update, and it is dropped
    np.testing.assert_allclose(outputs, ours(inputs, training=True), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, inside, rtol=1e-5)


def test_stateless_call_uses_the_values_it_is_given():
    ours, theirs = pair(SHAPES[0])
    values = [[tf.random.uniform(v.shape) for v in ours.variables[i : i + 2]] for i in (0, 2)]
    results = [layer.stateless_call(*values, inputs_of(SHAPES[0]), training=True) for layer in (ours, theirs)]
    for a, b in zip(*(tf.nest.flatten(result) for result in results), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_full_precision_switches_it_to_float32(fused_calls):
    symbolic = keras.Input(SHAPES[0][1:])
    model = keras.Model(symbolic, BatchNormalization(dtype="mixed_bfloat16")(symbolic))
    with full_precision(model):
        assert model(inputs_of(SHAPES[0]), training=True).dtype == "float32"
    assert model(inputs_of(SHAPES[0]), training=True).dtype == "bfloat16"
    assert fused_calls == ["float32", "bfloat16"]


def test_copies_and_files(tmp_path):
    symbolic = keras.Input((None, None, 3))
    model = keras.Model(symbolic, BatchNormalization(momentum=0.7, epsilon=0.01)(symbolic))
    model(inputs_of(SHAPES[0]), training=True)
    layer = model.layers[1]
    assert layer.name.startswith("batch_normalization")
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    for copy in (clone, restored):
        assert type(copy.layers[1]) is BatchNormalization and copy.layers[1].momentum == 0.7
        np.testing.assert_array_equal(copy(inputs_of(SHAPES[0])), model(inputs_of(SHAPES[0])))


def test_weight_file_of_keras_layer_loads(tmp_path):
    def build(cls):
        return keras.Sequential([keras.Input((6, 5, 3)), cls()])

    theirs, ours = build(keras.layers.BatchNormalization), build(BatchNormalization)
    theirs(inputs_of(SHAPES[0]), training=True)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    np.testing.assert_array_equal(ours(inputs_of(SHAPES[0])), theirs(inputs_of(SHAPES[0])))
