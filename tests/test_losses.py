"""Adversarial losses against the formulas of their papers, in float64 NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses

REAL = np.array([[-2.0], [0.3], [1.5], [4.0]])
FAKE = np.array([[0.7], [-3.0], [2.5], [-0.1]])


def sigmoid(logits):
    return 1.0 / (1.0 + np.exp(-logits))


def relativistic_average(real, fake):
    return cross_entropy(real - fake.mean(0), fake - real.mean(0))


def cross_entropy(real, fake):
    return -np.log(sigmoid(real)) - np.log(1.0 - sigmoid(fake))


FORMULAS = {
    "minimax": (cross_entropy, lambda fake, real: np.log(1.0 - sigmoid(fake))),
    "non_saturating": (cross_entropy, lambda fake, real: -np.log(sigmoid(fake))),
    "least_squares": (
        lambda real, fake: (real - 1.0) ** 2 / 2.0 + fake**2 / 2.0,
        lambda fake, real: (fake - 1.0) ** 2 / 2.0,
    ),
    "hinge": (
        lambda real, fake: np.maximum(0.0, 1.0 - real) + np.maximum(0.0, 1.0 + fake),
        lambda fake, real: -fake,
    ),
    "matching_hinge": (
        lambda real, fake: np.maximum(0.0, 1.0 - real) + np.maximum(0.0, 1.0 + fake) / 2.0,
        lambda fake, real: -fake,
    ),
    "matching_non_saturating": (
        lambda real, fake: -np.log(sigmoid(real)) - np.log(1.0 - sigmoid(fake)) / 2.0,
        lambda fake, real: -np.log(sigmoid(fake)),
    ),
    "wasserstein": (lambda real, fake: fake - real, lambda fake, real: -fake),
    "relativistic_pairing": (
        lambda real, fake: np.log(1.0 + np.exp(-(real - fake))),
        lambda fake, real: np.log(1.0 + np.exp(-(fake - real))),
    ),
    "relativistic_average": (relativistic_average, lambda fake, real: relativistic_average(fake, real)),
}


def test_every_loss_has_a_formula():
    assert set(FORMULAS) == set(losses._LOSSES)


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name):
    discriminator, generator = FORMULAS[name]
    loss = losses.get(name)
    ours = loss.discriminator(REAL, FAKE), loss.generator(FAKE, REAL)
    for value, expected in zip(ours, (discriminator(REAL, FAKE), generator(FAKE, REAL)), strict=True):
        assert value.shape == (4,) and value.dtype == tf.float32
        np.testing.assert_allclose(value, expected[:, 0], rtol=2e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_patches_are_averaged_after_the_loss(name):
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(2, 3, 4, 5, 1)) * 2.0
    discriminator, generator = FORMULAS[name]
    loss = losses.get(name)
    np.testing.assert_allclose(
        loss.discriminator(real, fake), discriminator(real, fake).mean((1, 2, 3)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(loss.generator(fake, real), generator(fake, real).mean((1, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_extreme_logits_stay_finite_and_half_precision_is_lifted(name):
    loss = losses.get(name)
    for dtype in ("float16", "bfloat16", "float32"):
        real = tf.Variable(tf.cast([[500.0], [-500.0], [0.0]], dtype))
        fake = tf.Variable(tf.cast([[-500.0], [500.0], [0.0]], dtype))
        with tf.GradientTape() as tape:
            values = loss.discriminator(real, fake), loss.generator(fake, real)
        gradients = tape.gradient(values, [real, fake])
        for tensor in (*values, *gradients):
            assert np.isfinite(tf.cast(tensor, tf.float32)).all()
        assert values[0].dtype == tf.float32 and values[1].dtype == tf.float32


def test_generator_gradients_when_the_discriminator_wins():
    """What tells the minimax game from the non-saturating one: -sigmoid(logit) against -(1 - sigmoid(logit))."""
    fake = tf.constant([[-6.0]])
    gradients = {}
    for name in ("minimax", "non_saturating"):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            value = losses.get(name).generator(fake)
        gradients[name] = float(tape.gradient(value, fake)[0, 0])
    np.testing.assert_allclose(gradients["minimax"], -sigmoid(-6.0), rtol=1e-5)
    np.testing.assert_allclose(gradients["non_saturating"], -(1.0 - sigmoid(-6.0)), rtol=1e-5)


def test_only_the_relativistic_losses_need_real_logits():
    for name in FORMULAS:
        assert losses.get(name).paired == name.startswith("relativistic_")
    for name in ("relativistic_pairing", "relativistic_average"):
        with pytest.raises(ValueError, match="real_logits"):
            losses.get(name).generator(FAKE)


@pytest.mark.parametrize("name", FORMULAS)
def test_serialization(name):
    loss = losses.get(name)
    restored = losses.get(keras.saving.serialize_keras_object(loss))
    assert type(restored) is type(loss)
    assert losses.get(loss) is loss


@pytest.mark.parametrize("identifier", ["hinges", 3, None, keras.losses.Hinge()])
def test_unknown_loss(identifier):
    with pytest.raises(ValueError, match="'relativistic_pairing'"):
        losses.get(identifier)
