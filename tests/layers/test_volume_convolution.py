"""Convolutions of volumes: Keras's, but for the gradient of the bias in bfloat16."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import layers


@pytest.mark.parametrize("name", ["Conv3D", "Conv3DTranspose"])
def test_it_computes_what_keras_does(name):
    given = np.random.default_rng(0).normal(size=(2, 4, 4, 4, 3)).astype("float32")
    ours, keras_own = (
        getattr(module, name)(5, 4, strides=2, padding="same", bias_initializer="ones", activation="relu")
        for module in (layers, keras.layers)
    )
    ours(given), keras_own(given)
    keras_own.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(given), keras_own(given), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Conv3D", "Conv3DTranspose"])
def test_the_bias_of_a_large_volume_has_its_whole_gradient_in_bfloat16(name):
    """Of 16^3 = 4096 ones the sum is 4096; a sum in bfloat16 would stand still at 256."""
    layer = getattr(layers, name)(1, 2, padding="same", dtype="mixed_bfloat16")
    given = tf.zeros((1, 16, 16, 16, 1))
    layer(given)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(layer(given), tf.float32))
    assert float(tape.gradient(total, layer.bias.value)[0]) == pytest.approx(4096, rel=0.01)
