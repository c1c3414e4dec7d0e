"""Resampling by two against convolutions with [1, 2, 1] written out."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import BilinearUpsampling2D, BinomialDownsampling2D, BinomialUpsampling2D

FILTER = np.array([1.0, 2.0, 1.0])


def maps(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def along(axis, function, x):
    return np.apply_along_axis(function, axis, np.float64(x))


def double(line):
    """Zeros in between, the filter, twice the weight; one sample more at the end, which is then cut off."""
    line = np.append(line, line[-1])
    stuffed = np.stack([line, np.zeros_like(line)], axis=1).ravel()
    return np.convolve(stuffed, FILTER / 2)[1:-3]


def halve(line):
    return np.convolve(line, FILTER / 4)[2::2]


@pytest.mark.parametrize(
    ("layer", "function", "shape"),
    [(BinomialUpsampling2D, double, (2, 3, 5, 4)), (BinomialDownsampling2D, halve, (2, 6, 10, 4))],
)
def test_is_the_filter_along_each_axis(layer, function, shape):
    x = maps(*shape)
    expected = along(2, function, along(1, function, x))
    found = layer()(x)
    assert found.shape == expected.shape == layer().compute_output_shape(shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 1, 2, 3)])
def test_bilinear_is_kerass(shape):
    expected = keras.layers.UpSampling2D(interpolation="bilinear")(maps(*shape))
    found = BilinearUpsampling2D()(maps(*shape))
    assert found.shape == BilinearUpsampling2D().compute_output_shape(shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_constants_stay_and_what_lies_on_the_grid_comes_back():
    ones = np.ones((1, 4, 6, 2), "float32")
    np.testing.assert_allclose(BinomialUpsampling2D()(ones), 1.0)
    np.testing.assert_allclose(BinomialDownsampling2D()(ones)[:, :-1, :-1], 1.0)
    x = maps(1, 4, 6, 2)
    np.testing.assert_array_equal(BinomialUpsampling2D()(x)[:, ::2, ::2], x)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("compiler", ["graph", "xla"])
@pytest.mark.parametrize("layer", [BilinearUpsampling2D, BinomialUpsampling2D, BinomialDownsampling2D])
def test_has_gradients_of_second_order(layer, compiler, dtype):
    """It is linear: the penalty |J' sin'(J x)|^2 changes along a direction as its gradient says."""
    resample, x, direction = layer(dtype=dtype), tf.constant(maps(1, 4, 2, 3)), maps(2, 4, 2, 3)[1:]

    def penalty(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.sin(tf.cast(resample(x), tf.float32)))
        return tf.reduce_sum(tf.square(tape.gradient(total, x)))

    @tf.function(jit_compile=compiler == "xla")
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = penalty(x)
        return tape.gradient(value, x)

    exact = layer(dtype="float32")
    found = float(np.sum(gradient(x) * direction))
    resample, step = exact, 1e-2
    numeric = float(penalty(x + step * direction) - penalty(x - step * direction)) / (2 * step)
    assert found == pytest.approx(numeric, rel=0.02 if dtype == "float32" else 0.1, abs=0.1)


@pytest.mark.parametrize("side", [5, None])
def test_odd_or_unknown_sides_are_refused(side):
    with pytest.raises(ValueError, match="an even height and width"):
        BinomialDownsampling2D()(keras.Input((4, side, 2)))
