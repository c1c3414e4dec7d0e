"""The perceptual distance and path length, on stand-ins for network and GAN whose answers are known."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from photographs import blurred, noisy, photographs

import kerasgan
from kerasgan.media import Image
from kerasgan.metrics.perceptual import perceptual_distance, perceptual_path_length


class Network:
    """Stand-in for a feature network: given functions from float images to activations."""

    name, batch_size = "stand-in", 3

    def __init__(self, *layers):
        self.layers = layers

    def activations(self, images):
        assert len(images) <= self.batch_size
        return [layer(np.asarray(images, "float64")) for layer in self.layers]


def fine(images):
    """Differences between neighbours, and colour."""
    return np.concatenate([images[:, 1:, 1:] - images[:, :-1, 1:], images[:, 1:, 1:] - images[:, 1:, :-1] + 1.0], -1)


def coarse(images):
    count, height, width, channels = images.shape
    means = images.reshape(count, height // 4, 4, width // 4, 4, channels).mean((2, 4))
    return np.maximum(means @ np.random.default_rng(0).normal(size=(channels, 7)), 0.0)


def turning(images):
    """One position, two channels: the direction that the first pixel's value says, in radians."""
    angle = images[:, :1, :1, 0]
    return 5.0 * np.stack([np.cos(angle), np.sin(angle)], -1)


def naive_distance(a, b, layers):
    """Image by image, position by position."""
    total = 0.0
    for layer in layers:
        one, other = layer(a[None].astype("float64"))[0], layer(b[None].astype("float64"))[0]
        positions = []
        for y in range(one.shape[0]):
            for x in range(one.shape[1]):
                u, v = one[y, x], other[y, x]
                u, v = u / max(np.sqrt(u @ u), 1e-10), v / max(np.sqrt(v @ v), 1e-10)
                positions.append((u - v) @ (u - v))
        total += np.mean(positions)
    return total


def test_by_definition():
    a = photographs(4, 16)
    b = noisy(a, 20.0)
    expected = [naive_distance(a[i], b[i], (fine, coarse)) for i in range(4)]
    values = perceptual_distance(a, b, Network(fine, coarse))
    assert values.shape == (4,) and values.dtype == np.float64
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_angle_in_closed_form():
    a, b = np.zeros((2, 2, 2, 1), "uint8"), np.array([1, 2], "uint8")[:, None, None, None].repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(perceptual_distance(a, b, Network(turning)), 4 * np.sin([0.5, 1.0]) ** 2)


def test_identical_images_and_dead_channels():
    a = photographs(2, 16)
    np.testing.assert_array_equal(perceptual_distance(a, a, Network(fine, coarse)), 0.0)
    dead = Network(lambda images: np.zeros((len(images), 2, 2, 3)))
    np.testing.assert_array_equal(perceptual_distance(a, 255 - a, dead), 0.0)


def test_worse_images_are_farther():
    a = photographs(4, 16)
    for worse in (lambda strength: blurred(a, strength), lambda strength: noisy(a, 6.0 * strength)):
        values = np.array([perceptual_distance(a, worse(strength), Network(fine, coarse)) for strength in (1, 2, 4)])
        assert (np.diff(values, axis=0) > 0).all()


def test_network_without_activations_and_different_shapes():
    a = photographs(2, 16)
    with pytest.raises(ValueError, match="network='stand-in' shows no activations"):
        perceptual_distance(a, a, Network())
    with pytest.raises(ValueError, match="expected the same"):
        perceptual_distance(a, a[:1], Network(fine))


# Path length ---------------------------------------------------------------------------------------------------------


class Generator:
    """Stand-in for a GAN of images of 2 x 2 pixels: `function` makes samples in model range of (n, 3) latents."""

    def __init__(self, function, latent="uniform", num_classes=None, unit=False):
        self.function, self.latent, self.num_classes, self.unit = function, latent, num_classes, unit
        self.media = types.SimpleNamespace(shape=(2, 2, 3))

    def sample_latents(self, count, seed):
        random = np.random.default_rng(seed)
        if self.latent == "uniform":
            return random.uniform(-1, 1, size=(count, 3)).astype("float32")
        latents = random.normal(size=(count, 3))
        return (latents / np.linalg.norm(latents, axis=1, keepdims=True) if self.unit else latents).astype("float32")

    def latents_between(self, start, end, share):
        return kerasgan.GAN.latents_between(self, start, end, share)

    @property
    def ema_generator(self):
        return Sampler(self.function)


class Sampler(keras.Model):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, inputs, training):
        assert training is False
        return self.function(inputs)


def plain(scale):
    """Every pixel has the latent's three numbers as its colour."""

    def generate(latents):
        return tf.tile(scale * latents[:, None, None, :], (1, 2, 2, 1))

    return generate


def trimmed(values):
    values = np.sort(values)
    return values[int(0.01 * (len(values) - 1)) : int(np.ceil(0.99 * (len(values) - 1))) + 1]


def test_uniform_latents_move_on_straight_lines():
    """The network turns with the first pixel, which moves by 127.5 * 0.5 * (end - start) for each unit of the way."""
    gan = Generator(plain(0.5))
    value, deviation = perceptual_path_length(gan, Network(turning), count=300, seed=4, batch_size=3)
    latents = gan.sample_latents(600, np.array([4, 0]))
    expected = trimmed((0.5 * 127.5 * (latents[300:, 0] - latents[:300, 0])) ** 2)
    np.testing.assert_allclose((value, deviation), (expected.mean(), expected.std()), rtol=5e-3)


def test_normal_latents_move_on_circles():
    """A network that sees the colour's direction turns as fast as latents on the unit sphere: by their angle."""

    def direction(images):
        return images[:, :1, :1] - 127.5

    gan = Generator(plain(0.5), latent="normal", unit=True)
    value, deviation = perceptual_path_length(gan, Network(direction), count=200, seed=1, batch_size=3)
    latents = gan.sample_latents(400, np.array([1, 0])).astype("float64")
    expected = trimmed(np.arccos((latents[:200] * latents[200:]).sum(1)) ** 2)
    np.testing.assert_allclose((value, deviation), (expected.mean(), expected.std()), rtol=5e-3)


def test_length_grows_with_roughness_and_is_zero_for_one_image():
    smooth, rough = (
        perceptual_path_length(Generator(plain(scale)), Network(turning), 30, batch_size=3).value
        for scale in (0.2, 0.4)
    )
    np.testing.assert_allclose(rough, 4 * smooth, rtol=1e-2)
    assert perceptual_path_length(Generator(plain(0.0)), Network(turning), 10, batch_size=3) == (0.0, 0.0)


def test_value_does_not_depend_on_batches_nor_much_on_the_step():
    gan, network = Generator(plain(0.5)), Network(turning)
    value = perceptual_path_length(gan, network, 10, batch_size=3).value
    np.testing.assert_allclose(perceptual_path_length(gan, network, 10, batch_size=1).value, value, rtol=1e-9)
    np.testing.assert_allclose(perceptual_path_length(gan, network, 10, 3e-4, batch_size=3).value, value, rtol=1e-2)
    assert perceptual_path_length(gan, network, 10, seed=1, batch_size=3).value != value


def test_classes_take_turns():
    def of_class(inputs):
        latents, labels = inputs
        return plain(1.0)(latents * tf.cast(labels == 1, tf.float32)[:, None])

    gan = Generator(of_class, num_classes=2)
    value = perceptual_path_length(gan, Network(turning), count=8, batch_size=3)
    latents = gan.sample_latents(16, np.array([0, 0]))
    expected = (127.5 * (latents[8:, 0] - latents[:8, 0])) ** 2 * np.array([0, 1] * 4)
    np.testing.assert_allclose(value, (expected.mean(), expected.std()), rtol=5e-3)


def test_a_network_that_rounds_is_refused():
    with pytest.raises(ValueError, match="network='stand-in' rounds"):
        perceptual_path_length(Generator(plain(0.5)), Network(lambda images: turning(np.rint(images))), 2)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"count": 0}, "count=0"),
        ({"batch_size": 1.5}, "batch_size=1.5"),
        ({"epsilon": 0.0}, "epsilon=0.0"),
    ],
)
def test_path_errors(options, message):
    with pytest.raises(ValueError, match=message):
        perceptual_path_length(Generator(plain(0.5)), Network(turning), **options)


def test_path_of_something_else_than_images():
    gan = Generator(plain(0.5))
    gan.media.shape = (100,)
    with pytest.raises(ValueError, match="expected a GAN of images"):
        perceptual_path_length(gan, Network(turning))


def gan_of(dtype):
    inputs, samples = keras.Input((5,)), keras.Input((8, 8, 3))
    start = keras.initializers.GlorotUniform(seed=1)
    dense = keras.layers.Dense(192, activation="tanh", kernel_initializer=start, dtype=dtype)
    logits = keras.layers.Dense(1)(keras.layers.Flatten()(samples))
    generator = keras.Model(inputs, keras.layers.Reshape((8, 8, 3), dtype=dtype)(dense(inputs)))
    return kerasgan.GAN(generator, keras.Model(samples, logits), media=Image((8, 8, 3)), seed=0)


def test_a_real_gan_in_full_and_half_precision():
    gan, half = gan_of("float32"), gan_of("mixed_bfloat16")
    network = Network(fine, coarse)
    first = perceptual_path_length(gan, network, count=6, seed=3, batch_size=3)
    assert first.value > 0 and first.deviation > 0
    np.testing.assert_allclose(perceptual_path_length(half, network, count=6, seed=3, batch_size=3), first, rtol=1e-3)
    gan.ema_generator.set_weights([0.0 * w for w in gan.ema_generator.get_weights()])
    assert perceptual_path_length(gan, network, count=6, seed=3, batch_size=3).value == 0.0
