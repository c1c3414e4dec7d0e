"""Strided convolutions against Keras's own layers, whose gradients TensorFlow computes in another way."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, SpectralNormalization, strided_convolution
from kerasgan.precision import full_precision

PAIRS = {"down": (Conv2D, keras.layers.Conv2D), "up": (Conv2DTranspose, keras.layers.Conv2DTranspose)}
# Height, width, kernel's side, stride: odd and even, not square.
CASES = [(4, 8, 4, 2), (6, 2, 2, 2), (2, 6, 6, 2), (6, 9, 3, 3), (9, 3, 6, 3)]
# What the matrix product is not for: sides or kernels that the stride does not divide, other strides and paddings.
OTHERS = [
    {"shape": (5, 6), "kernel_size": 4, "strides": 2},
    {"kernel_size": 5, "strides": 2},
    {"kernel_size": 3, "strides": 1},
    {"kernel_size": 4, "strides": (2, 1)},
    {"kernel_size": (4, 2), "strides": 2},
    {"kernel_size": 4, "strides": 2, "padding": "valid"},
]


def pair(direction, shape, dtype="float32", filters=3, **kwargs):
    """Our layer and Keras's with the same random weights."""
    random = np.random.default_rng(0)
    kwargs = {"padding": "same", "activation": "tanh", **kwargs}
    layers = [cls(filters, dtype=dtype, **kwargs) for cls in PAIRS[direction]]
    for layer in layers:
        layer.build(shape)
    for ours, theirs in zip(*(layer.variables for layer in layers), strict=True):
        ours.assign(random.normal(0.0, 0.3, ours.shape))
        theirs.assign(ours)
    return layers


def inputs_of(shape):
    return tf.constant(np.random.default_rng(1).normal(size=shape), tf.float32)


def run(layer, inputs, compiler="graph", second_order=False):
    """Outputs and gradients over inputs and weights (or those of a gradient penalty)."""
    weights = [v.value for v in layer.trainable_variables]

    def step(inputs):
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = tf.cast(layer(inputs), tf.float32)
                target = tf.reduce_sum(tf.square(outputs))
            if second_order:
                target = tf.reduce_sum(tf.square(tape.gradient(target, inputs)))
        return [outputs, *outer.gradient(target, [inputs, *weights], unconnected_gradients="zero")]

    if compiler != "eager":
        step = tf.function(step, jit_compile=compiler == "xla")
    return [value.numpy() for value in step(inputs)]


def assert_close(ours, theirs, tolerance):
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


@pytest.fixture
def everywhere(monkeypatch):
    """The matrix product for all formats and sizes that it is right for, not only where it is faster."""
    monkeypatch.setattr(strided_convolution, "_worthwhile", lambda *arguments: True)


@pytest.fixture
def products(monkeypatch):
    """A list with one entry for each kernel gradient that was computed as a matrix product."""
    calls, original = [], strided_convolution._kernel_gradient

    def counted(*arguments):
        calls.append(arguments[0].dtype.name)
        return original(*arguments)

    monkeypatch.setattr(strided_convolution, "_kernel_gradient", counted)
    return calls


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("compiler", ["eager", "graph", "xla"])
@pytest.mark.parametrize("direction", PAIRS)
def test_equals_keras(direction, compiler, second_order, everywhere, products):
    for height, width, size, stride in CASES if compiler == "graph" else CASES[:1]:
        shape = (3, height, width, 2)
        ours, theirs = pair(direction, shape, kernel_size=size, strides=stride)
        expected = run(theirs, inputs_of(shape), "graph", second_order)
        products.clear()
        assert_close(run(ours, inputs_of(shape), compiler, second_order), expected, 1e-4)
        assert products


@pytest.mark.parametrize("compiler", ["graph", "xla"])
@pytest.mark.parametrize("direction", PAIRS)
def test_equals_keras_in_bfloat16(direction, compiler, products, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])  # also where there is a GPU
    shape = (3, 8, 4, 5)
    ours, _ = pair(direction, shape, "mixed_bfloat16", kernel_size=4, strides=2)
    for second_order, tolerance in ((False, 0.03), (True, 0.1)):
        expected = run(pair(direction, shape, kernel_size=4, strides=2)[1], inputs_of(shape), "graph", second_order)
        assert_close(run(ours, inputs_of(shape), compiler, second_order), expected, tolerance)
    assert set(products) == {"bfloat16"}


@pytest.mark.parametrize("size", [4, 3])
@pytest.mark.parametrize("direction", PAIRS)
def test_bias_gradient_of_many_pixels_in_bfloat16(direction, size):
    """TensorFlow's own stands still at 256."""
    shape = (4, 24, 24, 2)
    ours, _ = pair(direction, shape, "mixed_bfloat16", kernel_size=size, strides=2, activation=None)
    with tf.GradientTape() as tape:
        outputs = tf.cast(ours(inputs_of(shape)), tf.float32)
        total = tf.reduce_sum(outputs)
    pixels = outputs.shape[0] * outputs.shape[1] * outputs.shape[2]
    np.testing.assert_allclose(tape.gradient(total, ours.bias.value), np.full(3, pixels), rtol=0.01)


@pytest.mark.parametrize("options", [{}, {"padding": "valid"}, {"use_bias": False}])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(Conv1D, keras.layers.Conv1D), (Conv1DTranspose, keras.layers.Conv1DTranspose)]
)
def test_one_dimension_equals_keras(ours, theirs, options):
    shape = (3, 12, 2)
    layers = [cls(4, 5, strides=2, activation="tanh", **{"padding": "same", **options}) for cls in (ours, theirs)]
    for layer in layers:
        layer.build(shape)
    for weight, other in zip(*(layer.variables for layer in layers), strict=True):
        weight.assign(np.random.default_rng(0).normal(0.0, 0.3, weight.shape))
        other.assign(weight)
    for second_order in (False, True):
        assert_close(*(run(layer, inputs_of(shape), second_order=second_order) for layer in layers), 1e-5)


@pytest.mark.parametrize("cls", [Conv1D, Conv1DTranspose])
def test_bias_gradient_of_long_sequences_in_bfloat16(cls):
    layer = cls(3, 5, strides=2, padding="same", dtype="mixed_bfloat16")
    layer.build((4, 600, 2))
    with tf.GradientTape() as tape:
        outputs = tf.cast(layer(inputs_of((4, 600, 2))), tf.float32)
        total = tf.reduce_sum(outputs)
    places = outputs.shape[0] * outputs.shape[1]
    np.testing.assert_allclose(tape.gradient(total, layer.bias.value), np.full(3, places), rtol=0.01)


def test_only_where_it_is_faster(products, monkeypatch):
    def used(dtype, width, direction="down"):
        shape = (1, 4, width, 2)
        products.clear()
        run(pair(direction, shape, dtype, kernel_size=4, strides=2)[0], inputs_of(shape))
        return bool(products)

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    assert used("mixed_bfloat16", 16) and used("mixed_bfloat16", 8, "up")
    assert not used("mixed_bfloat16", 18) and not used("mixed_bfloat16", 10, "up")
    assert not used("float32", 8) and not used("mixed_float16", 8)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["a GPU"])
    assert not used("mixed_bfloat16", 16)


@pytest.mark.parametrize("direction", PAIRS)
def test_everything_else_is_kerass(direction, everywhere, products):
    cases = [case for case in OTHERS if direction == "down" or "shape" not in case]
    cases += [{"kernel_size": 4, "strides": 2, "output_padding": 1}] if direction == "up" else []
    for case in cases:
        case = dict(case)
        shape = (2, *case.pop("shape", (4, 6)), 2)
        ours, theirs = pair(direction, shape, **case)
        assert_close(run(ours, inputs_of(shape)), run(theirs, inputs_of(shape)), 1e-6)
    assert not products


@pytest.mark.parametrize("direction", PAIRS)
def test_float16_equals_keras(direction):
    shape = (3, 4, 8, 2)
    ours, theirs = pair(direction, shape, "mixed_float16", kernel_size=4, strides=2)
    assert_close(run(ours, inputs_of(shape)), run(theirs, inputs_of(shape)), 4e-3)


@pytest.mark.parametrize("direction", PAIRS)
def test_unknown_sizes(direction, everywhere):
    ours, theirs = pair(direction, (None, None, None, 2), kernel_size=4, strides=2)
    for layer_shape in ((None, 4, 8, 2), (None, None, None, 2)):
        call = tf.function(ours, input_signature=[tf.TensorSpec(layer_shape)])
        np.testing.assert_allclose(call(inputs_of((3, 4, 8, 2))), theirs(inputs_of((3, 4, 8, 2))), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("mixed_bfloat16", 0.05)])
@pytest.mark.parametrize("direction", PAIRS)
def test_spectral_normalization_of_it(direction, dtype, tolerance, everywhere, products):
    """Its kernel comes through a StatelessScope then, and the gradient passes on through sigma."""
    shape = (3, 4, 8, 2)
    layers = [SpectralNormalization(layer) for layer in pair(direction, shape, dtype, kernel_size=4, strides=2)]
    for layer in layers:
        layer.build(shape)
    ours, theirs = layers
    ours.u.assign(theirs.u)
    inputs = tf.cast(inputs_of(shape), dtype.removeprefix("mixed_"))
    assert_close(*([np.float32(v) for v in run(layer, inputs)] for layer in (ours, theirs)), tolerance)
    assert products == [dtype.removeprefix("mixed_")]
    plain = ours.layer(inputs)
    assert np.abs(tf.cast(ours(inputs) - plain, "float32")).max() > 0.05  # the normalized kernel was the one used


def test_full_precision_switches_them_to_float32(products, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    symbolic = keras.Input((4, 8, 2))
    arguments = {"kernel_size": 4, "strides": 2, "padding": "same", "dtype": "mixed_bfloat16"}
    model = keras.Model(symbolic, Conv2DTranspose(2, **arguments)(Conv2D(3, **arguments)(symbolic)))
    model.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    with full_precision(model):
        assert run(model, inputs_of((2, 4, 8, 2))) and not products
        assert model(inputs_of((2, 4, 8, 2))).dtype == "float32"
    assert run(model, inputs_of((2, 4, 8, 2))) and products == ["bfloat16"] * 2


def test_copies_and_files(tmp_path):
    def build(down, up):
        arguments = {"kernel_size": 4, "strides": 2, "padding": "same"}
        return keras.Sequential([keras.Input((4, 8, 2)), down(3, **arguments), up(2, use_bias=False, **arguments)])

    model = build(Conv2D, Conv2DTranspose)
    assert [layer.name.rstrip("_0123456789") for layer in model.layers] == ["conv2d", "conv2d_transpose"]
    for layer in model.layers:
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    model.save(tmp_path / "model.keras")
    copies = [clone, keras.saving.load_model(tmp_path / "model.keras")]
    assert all([type(layer) for layer in copy.layers] == [Conv2D, Conv2DTranspose] for copy in copies)

    theirs = build(keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    theirs.set_weights(model.get_weights())
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    copies.append(build(Conv2D, Conv2DTranspose))
    copies[-1].load_weights(tmp_path / "theirs.weights.h5")
    for copy in copies:
        np.testing.assert_allclose(copy(inputs_of((2, 4, 8, 2))), model(inputs_of((2, 4, 8, 2))), rtol=1e-6, atol=1e-7)
