"""Modulated convolution, which scales maps, against the paper's, which makes a kernel for each sample."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import Conv2D, ModulatedConv2D, UpsamplingConv2D


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def convolved(maps, kernel):
    """One sample (height, width, channels) by a kernel of odd sides, zeros beyond the edge."""
    side = len(kernel)
    padded = np.pad(maps, [(side // 2, side // 2)] * 2 + [(0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
    return np.einsum("hwikl,klij->hwj", windows, kernel)


def doubled(maps):
    return maps.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("kind", "size", "side"), [(Conv2D, 3, 5), (Conv2D, 1, 4), (UpsamplingConv2D, 3, 10)])
def test_is_a_convolution_with_a_kernel_for_each_sample(kind, size, side, demodulate):
    keras.utils.set_random_seed(0)
    convolution = kind(6, size, padding="same", use_bias=not demodulate)
    layer = ModulatedConv2D(convolution, demodulate, gain=1.5)
    maps, styles = normal(3, side, side, 4), normal(3, 7, seed=1)
    assert layer.compute_output_shape([maps.shape, styles.shape]) == layer([maps, styles]).shape
    for variable in layer.trainable_variables:
        variable.assign(np.random.default_rng(2).normal(size=variable.shape))
    found = layer([maps, styles])
    affine, kernel = layer.affine.layer, np.float64(convolution.kernel)
    scales = styles @ np.float64(affine.kernel) / np.sqrt(7) + affine.bias.numpy()
    for sample, own, scale in zip(found, maps, scales, strict=True):
        modulated = kernel * scale[:, None]
        if demodulate:
            modulated /= np.sqrt(np.square(modulated).sum(axis=(0, 1, 2)))
        else:
            modulated /= np.sqrt(size * size * 4)
        own = doubled(own) if kind is UpsamplingConv2D else own
        bias = 0 if demodulate else convolution.bias.numpy()
        np.testing.assert_allclose(sample, 1.5 * convolved(np.float64(own), modulated) + bias, rtol=1e-3, atol=1e-4)


def test_starts_unmodulated_and_keeps_the_variance_whatever_the_style():
    keras.utils.set_random_seed(0)
    layer = ModulatedConv2D(Conv2D(64, 3, padding="same", use_bias=False))
    maps, styles = normal(2, 16, 16, 32), np.stack([np.zeros(8), 20 * normal(8)]).astype("float32")
    inner = layer([maps, styles]).numpy()[:, 1:-1, 1:-1]
    np.testing.assert_allclose(layer.affine(styles)[0], 1.0)
    np.testing.assert_allclose(np.std(inner, axis=(1, 2, 3)), 1.0, atol=0.05)
    np.testing.assert_allclose(np.std(inner, axis=(1, 2)).mean(), 1.0, atol=0.05)  # of each channel, too
    assert np.std(layer.layer.kernel) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_computes_maps_in_the_format_of_the_layer_and_norms_in_float32(dtype):
    keras.utils.set_random_seed(0)
    layer = ModulatedConv2D(Conv2D(6, 3, use_bias=False, dtype=dtype))
    maps, styles = normal(2, 8, 8, 16), 3000 * normal(2, 8, seed=1)  # whose squares float16 does not hold
    found = layer([tf.cast(maps, layer.layer.compute_dtype) / 1000, styles])
    assert found.dtype == layer.layer.compute_dtype
    layer.layer.dtype_policy = keras.DTypePolicy("float32")
    expected = layer([maps / 1000, styles])
    np.testing.assert_allclose(tf.cast(found, "float32"), expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.parametrize(
    "layer",
    [keras.layers.ReLU(), Conv2D(4, 3), Conv2D(4, 3, use_bias=False, activation="relu")],
    ids=["no kernel", "bias", "activation"],
)
def test_refuses_what_it_would_not_modulate(layer):
    with pytest.raises(ValueError, match="has no kernel|has an activation, or a bias before"):
        ModulatedConv2D(layer)
