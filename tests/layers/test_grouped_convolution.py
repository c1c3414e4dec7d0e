"""Grouped convolution against one convolution a group."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import GroupedConv2D, grouped_convolution


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


@pytest.fixture(params=["tensorflow", "by_group"])
def gradient(request, monkeypatch):
    """TensorFlow's own gradient where it has one, and the one that is there for when it has not."""
    if request.param == "by_group":
        monkeypatch.setattr(grouped_convolution, "_has_gradient", lambda dtype: False)


@pytest.mark.usefixtures("gradient")
@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("strides", "compiler"), [(1, "graph"), (2, "graph"), (2, "xla")])
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


@pytest.mark.usefixtures("gradient")
@pytest.mark.parametrize("activation", [None, "leaky_relu"])
def test_bias_and_activation_in_a_graph(activation):
    """TensorFlow fuses a convolution with what follows it, and without oneDNN cannot do that for groups."""
    layer = GroupedConv2D(8, 3, groups=2, padding="same", activation=activation, bias_initializer="ones")
    x = tf.random.stateless_normal((2, 5, 5, 4), (0, 1))
    layer.build(x.shape)
    expected = layer.activation(layer.convolution_op(x, layer.kernel) + layer.bias)
    np.testing.assert_allclose(tf.function(layer)(x), expected, atol=1e-5)


def test_trains_without_onednn():
    """In a process of its own, for TensorFlow chooses once. The gradients of a sum of ones are counts."""
    program = """
import tensorflow as tf
from kerasgan.layers import GroupedConv2D
layer = GroupedConv2D(4, 1, groups=2, kernel_initializer="ones")

@tf.function
def gradients(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    return tape.gradient(loss, layer.trainable_variables)

kernel, bias = gradients(tf.ones((2, 3, 3, 4)))
assert kernel.shape == (1, 1, 2, 4) and set(kernel.numpy().ravel()) == set(bias.numpy()) == {18.0}
"""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
