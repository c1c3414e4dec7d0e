"""Instance normalization against NumPy, and reflection against numpy.pad."""

import keras
import numpy as np
import pytest

from kerasgan.layers import InstanceNormalization, ReflectionPadding2D


def test_it_is_the_formula():
    x = np.random.default_rng(0).normal(3.0, 2.0, (3, 5, 4, 2)).astype("float32")
    layer = InstanceNormalization()
    layer.build(x.shape)
    layer.gamma.assign([2.0, -1.0])
    layer.beta.assign([0.5, 0.0])
    mean, variance = (np.float64(statistic(x, axis=(1, 2), keepdims=True)) for statistic in (np.mean, np.var))
    expected = (x - mean) / np.sqrt(variance + 1e-5) * [2.0, -1.0] + [0.5, 0.0]
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_half_precision_does_not_lose_the_mean():
    x = np.random.default_rng(0).normal(100.0, 0.5, (2, 32, 32, 1)).astype("float16")
    found = InstanceNormalization(dtype="mixed_float16")(x)
    assert found.dtype == "float16"
    wanted = (x.astype("float64") - x.astype("float64").mean((1, 2), keepdims=True)) / x.astype("float64").std(
        (1, 2), keepdims=True
    )
    np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(None, 3\)"):
        InstanceNormalization()(keras.Input((3,)))


@pytest.mark.parametrize("padding", [1, 3])
def test_reflection_is_that_of_numpy(padding):
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    layer = ReflectionPadding2D(padding)
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    np.testing.assert_array_equal(layer(x), np.pad(x, sides, mode="reflect"))
    assert layer.compute_output_shape((None, 5, None, 3)) == (None, 5 + 2 * padding, None, 3)


def test_a_map_that_is_too_small_to_be_mirrored():
    with pytest.raises(ValueError, match="cannot be mirrored 3 pixels far"):
        ReflectionPadding2D(3)(keras.Input((3, 8, 1)))
