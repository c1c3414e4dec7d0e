"""Perceptual losses, through networks small enough to compute by hand, and through the real one."""

import keras
import numpy as np
import pytest

from kerasgan import perceptual
from kerasgan.media.dead_leaves import dead_leaves


def images(count=4, side=32, seed=0):
    return dead_leaves(count, (side, side, 3), seed).astype("float32") / 127.5 - 1


def test_value_is_the_mean_relative_difference_over_outputs():
    pixels = keras.Input((None, None, 3))
    model = keras.Model(pixels, [keras.layers.Rescaling(2.0)(pixels), keras.layers.GlobalAveragePooling2D()(pixels)])
    real, fake = images(seed=1), images(seed=2)
    a, b = ((x.astype("float64") + 1) * 127.5 for x in (real, fake))
    first = np.abs(a - b).mean() / a.mean()
    second = np.abs(a.mean((1, 2)) - b.mean((1, 2))).mean() / a.mean()
    assert float(perceptual.get(model)(real, fake)) == pytest.approx((first + second) / 2, rel=1e-4)


def test_efficientnet_sees_less_of_noise_than_of_blur_and_has_gradients():
    import tensorflow as tf

    loss = perceptual.get("efficientnet_lite0")
    assert loss is perceptual.get("efficientnet_lite0")
    real = images(side=64)
    assert float(loss(real, real)) == 0.0
    coarse = real.reshape(4, 8, 8, 8, 8, 3).mean((2, 4)).repeat(8, 1).repeat(8, 2)
    error = np.sqrt(np.mean((coarse - real) ** 2))
    brighter = real + np.float32(error)
    assert float(loss(real, brighter)) < 0.7 * float(loss(real, coarse)) < 1.0  # the same squared error
    with tf.GradientTape() as tape:
        fake = tf.Variable(coarse)
        value = loss(real, fake)
    gradient = tape.gradient(value, fake)
    assert float(loss(real, coarse - 0.5 * gradient / tf.reduce_max(tf.abs(gradient)) * 0.1)) < float(value)


@pytest.mark.parametrize("name, last", [("vgg19", "relu"), ("vgg19_linear", "linear")])
def test_vgg19_is_conv5_4_of_centred_blue_first_pixels(name, last, monkeypatch):
    whole = keras.applications.VGG19(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "VGG19", lambda **arguments: whole)
    perceptual._named.cache_clear()
    try:
        model = perceptual.get(name).model
    finally:
        perceptual._named.cache_clear()
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    assert model.output.shape[-1] == 512 and not model.trainable_variables
    assert whole.get_layer("block5_conv4").activation.__name__ == last
    expected = keras.Model(whole.input, whole.get_layer("block5_conv4").output)(
        keras.applications.vgg19.preprocess_input(pixels.copy())
    )
    np.testing.assert_allclose(model(pixels), expected, atol=1e-4, rtol=1e-4)


def test_what_cannot_be_had_is_said(monkeypatch, tmp_path):
    def no_network(**arguments):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG19", no_network)
    with pytest.raises(ConnectionError, match="~/.keras/models.*content='efficientnet_lite0'.*come with kerasgan"):
        perceptual.get("vgg19")
    with pytest.raises(FileNotFoundError, match="gone.keras"):
        perceptual.get("gone.keras")
    with pytest.raises(ValueError, match="content=7: expected one of 'efficientnet_lite0'"):
        perceptual.get(7)
    grey = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"inputs of the shape \(None, 8, 8, 1\)"):
        perceptual.get(grey)
