"""Grouped convolution against one convolution a group."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import GroupedConv2D


def run(convolve, x, kernel, compiler, second_order):
    """Outputs and gradients over inputs and kernel, or those of a gradient penalty."""

    @tf.function(jit_compile=compiler == "xla")
    def step(x, kernel):
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = tf.cast(convolve(x, kernel), tf.float32)
                target = tf.reduce_sum(tf.square(outputs))
            if second_order:
                target = tf.reduce_sum(tf.square(tape.gradient(target, x)))
        return [outputs, *outer.gradient(target, [x, kernel])]

    return [value.numpy() for value in step(x, kernel)]


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("compiler", ["graph", "xla"])
@pytest.mark.parametrize("strides", [1, 2])
def test_is_one_convolution_a_group(strides, compiler, dtype, second_order):
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 6, 8, 12)), tf.float32)
    layer = GroupedConv2D(9, 3, groups=3, padding="same", strides=strides, use_bias=False, dtype=dtype)
    layer.build(x.shape)
    assert layer.kernel.shape == (3, 3, 4, 9)
    kernel = tf.constant(random.normal(0.0, 0.3, layer.kernel.shape), tf.float32)
    layer.kernel.assign(kernel)

    def grouped(x, kernel):
        cast = [tf.cast(value, layer.compute_dtype) for value in (x, kernel)]
        return layer.convolution_op(*cast)

    def apart(x, kernel):
        parts = zip(tf.split(x, 3, axis=-1), tf.split(kernel, 3, axis=-1), strict=True)
        return tf.concat([tf.nn.conv2d(*part, strides, "SAME") for part in parts], axis=-1)

    expected = run(apart, x, kernel, "graph", second_order)
    tolerance = 1e-4 if dtype == "float32" else 0.1 if second_order else 0.03
    for found, value in zip(run(grouped, x, kernel, compiler, second_order), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=tolerance, atol=tolerance * np.abs(value).max())
    np.testing.assert_allclose(layer(x), expected[0], atol=tolerance * np.abs(expected[0]).max())
