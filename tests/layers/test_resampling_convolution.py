"""Convolutions that change the size of maps against Keras's own layers, one after the other."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import DownsamplingConv2D, SpectralNormalization, UpsamplingConv2D, resampling_convolution

LAYERS = {"up": UpsamplingConv2D, "down": DownsamplingConv2D}
# Height, width, kernel: not square, and both odd kernels and sides of one pixel.
CASES = [(4, 6, 3), (2, 2, 3), (6, 4, 5), (4, 2, 1), (2, 4, (1, 3))]


class TwoSteps(keras.layers.Layer):
    """What a layer replaces, on its weights."""

    def __init__(self, layer, direction):
        super().__init__()
        self.convolution = keras.layers.Conv2D.from_config(layer.get_config())
        self.steps = [self.convolution, keras.layers.AveragePooling2D(2, padding="same")]
        if direction == "up":
            self.steps = [keras.layers.UpSampling2D(), self.convolution]

    def call(self, inputs):
        for step in self.steps:
            inputs = step(inputs)
        return inputs


def pair(direction, shape, size, dtype="float32"):
    random = np.random.default_rng(0)
    ours = LAYERS[direction](3, size, dtype=dtype)
    ours.build(shape)
    for variable in ours.variables:
        variable.assign(random.normal(0.0, 0.3, variable.shape))
    theirs = TwoSteps(ours, direction)
    theirs.convolution.build(shape)
    theirs.convolution.set_weights(ours.get_weights())
    return ours, theirs


def inputs_of(shape):
    return tf.constant(np.random.default_rng(1).normal(size=shape), tf.float32)


def run(layer, inputs, second_order=False, jit_compile=False):
    """Outputs and gradients over inputs and weights (or those of a gradient penalty)."""
    weights = [v.value for v in layer.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step(inputs):
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = tf.cast(layer(inputs), tf.float32)
                target = tf.reduce_sum(tf.sin(outputs))
            if second_order:
                target = tf.reduce_sum(tf.square(tape.gradient(target, inputs)))
        return [outputs, *outer.gradient(target, [inputs, *weights], unconnected_gradients="zero")]

    return [value.numpy() for value in step(inputs)]


def assert_close(ours, theirs, tolerance):
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


@pytest.fixture
def kernels(monkeypatch):
    """A list with one entry for each kernel that was made for the one step."""
    made, original = [], resampling_convolution._spread
    monkeypatch.setattr(resampling_convolution, "_spread", lambda kernel: made.append(1) or original(kernel))
    return made


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("one_step", [True, False])
@pytest.mark.parametrize("direction", LAYERS)
def test_equals_two_layers(direction, one_step, second_order, kernels, monkeypatch):
    monkeypatch.setattr(resampling_convolution, "_worthwhile", lambda *arguments: one_step)
    cases = CASES if one_step else CASES[::3]  # else they are Keras's own operations: of kernels of one pixel, or not
    for height, width, size in cases:
        shape = (3, height, width, 2)
        ours, theirs = pair(direction, shape, size)
        outputs, *_ = found = run(ours, inputs_of(shape), second_order)
        assert_close(found, run(theirs, inputs_of(shape), second_order), 1e-4)
        assert ours.compute_output_shape(shape) == outputs.shape
    assert len(kernels) == one_step * len(cases)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("mixed_bfloat16", 0.03), ("mixed_float16", 0.03)])
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("direction", LAYERS)
def test_equals_two_layers_in_all_formats_and_compiled(direction, jit_compile, dtype, tolerance, kernels):
    shape = (2, 20, 24, 4)
    expected = run(pair(direction, shape, 3)[1], inputs_of(shape))
    assert_close(run(pair(direction, shape, 3, dtype)[0], inputs_of(shape), False, jit_compile), expected, tolerance)
    assert kernels


def test_one_step_where_it_is_faster(kernels):
    def used(direction, width, size=3):
        kernels.clear()
        shape = (1, 4, width, 2)
        pair(direction, shape, size)[0](inputs_of(shape))
        return bool(kernels)

    assert used("up", 10) and used("down", 20) and used("up", 10, size=1)
    assert not used("up", 8) and not used("down", 16) and not used("down", 21)


@pytest.mark.parametrize("direction", LAYERS)
def test_odd_and_unknown_sizes(direction):
    for shape, unknown in (((2, 21, 23, 2), (None, 21, 23, 2)), ((2, 24, 20, 2), (None, None, None, 2))):
        ours, theirs = pair(direction, unknown, 3)
        found = tf.function(ours, input_signature=[tf.TensorSpec(unknown)])(inputs_of(shape))
        np.testing.assert_allclose(found, theirs(inputs_of(shape)), rtol=1e-4, atol=1e-5)
        assert ours.compute_output_shape(unknown)[1:3] == ours(keras.Input(unknown[1:])).shape[1:3]


@pytest.mark.parametrize("direction", LAYERS)
def test_spectral_normalization_is_of_its_own_kernel(direction):
    shape = (2, 20, 24, 2)
    layer, two_steps = pair(direction, shape, 3)
    ours, theirs = SpectralNormalization(layer), SpectralNormalization(two_steps.convolution)
    for layer in (ours, theirs):
        layer.build(shape)
    ours.u.assign(theirs.u)
    for _ in range(2):
        ours(inputs_of(shape), training=True)
        theirs(inputs_of(shape), training=True)
    np.testing.assert_allclose(ours.u, theirs.u, rtol=1e-5)


@pytest.mark.parametrize("direction", LAYERS)
def test_activation_comes_last(direction):
    shape = (2, 4, 6, 2)
    plain, _ = pair(direction, shape, 3)
    layer = LAYERS[direction].from_config({**plain.get_config(), "activation": "relu"})
    layer.build(shape)
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(layer(inputs_of(shape)), np.maximum(plain(inputs_of(shape)), 0.0), rtol=1e-6)


def test_copies_and_files(tmp_path):
    model = keras.Sequential([keras.Input((4, 8, 2)), DownsamplingConv2D(3, 3), UpsamplingConv2D(2, 1, use_bias=False)])
    for layer in model.layers:
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in loaded.layers] == [DownsamplingConv2D, UpsamplingConv2D]
    np.testing.assert_array_equal(loaded(inputs_of((2, 4, 8, 2))), model(inputs_of((2, 4, 8, 2))))


@pytest.mark.parametrize("direction", LAYERS)
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 4},
        {"kernel_size": (3, 2)},
        {"strides": 2},
        {"groups": 2},
        {"dilation_rate": 2},
        {"data_format": "channels_first"},
    ],
    ids=str,
)
def test_what_they_cannot_do_is_refused(direction, arguments):
    with pytest.raises(ValueError, match=f"{LAYERS[direction].__name__} was given .* expected a kernel of odd sides"):
        LAYERS[direction](2, **{"kernel_size": 3, **arguments})
