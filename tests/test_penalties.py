"""Gradient penalties against closed forms, and their own gradients against analytic ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import penalties
from kerasgan.game import Batch

SEED = tf.constant([7, 11])
SHAPE = (5, 4, 3, 2)
NAMES = ("gradient_penalty", "dragan", "r1", "r2")


def samples(seed):
    return np.random.default_rng(seed).normal(size=SHAPE).astype("float32")


REAL, FAKE = samples(1), samples(2)


def norms(values):
    return np.sqrt((np.float64(values) ** 2).sum((1, 2, 3)))


class Recorder:
    """The critic D(x) = a / 2 * ||x||^2, whose gradient is a * x; keeps the points it was asked about."""

    def __init__(self, a=1.0):
        self.a = tf.Variable(a)

    def __call__(self, x):
        self.points = x.numpy()
        return 0.5 * self.a * tf.reduce_sum(tf.square(x), axis=(1, 2, 3))[:, None]


def linear_critic(weights):
    return lambda x: tf.reduce_sum(x * weights, axis=(1, 2, 3))[:, None]


@pytest.mark.parametrize("name", NAMES)
def test_linear_critic(name):
    weights = samples(3)[0] * 0.3
    norm = norms(weights[None])[0]
    expected = {
        "gradient_penalty": 10.0 * (norm - 1.0) ** 2,
        "dragan": 10.0 * (norm - 1.0) ** 2,
        "r1": 10.0 / 2.0 * norm**2,
        "r2": 10.0 / 2.0 * norm**2,
    }[name]
    value = penalties.get(name)(linear_critic(weights), REAL, FAKE, SEED)
    assert value.shape == SHAPE[:1] and value.dtype == tf.float32
    np.testing.assert_allclose(value, np.full(5, expected), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_quadratic_critic_value_and_gradient_over_the_weights(name):
    a, weight = 0.4, 3.0
    critic = Recorder(a)
    penalty = {
        "gradient_penalty": penalties.GradientPenalty,
        "dragan": penalties.DRAGAN,
        "r1": penalties.R1,
        "r2": penalties.R2,
    }[name](weight=weight)
    with tf.GradientTape() as tape:
        value = penalty(critic, REAL, FAKE, SEED)
    n = norms(critic.points)
    centred = name in ("gradient_penalty", "dragan")
    expected = weight * (a * n - 1.0) ** 2 if centred else weight / 2.0 * (a * n) ** 2
    slope = weight * 2.0 * (a * n - 1.0) * n if centred else weight * a * n**2
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    np.testing.assert_allclose(tape.gradient(value, critic.a), slope.sum(), rtol=1e-4)


def test_drift_is_the_squared_real_logit_and_has_its_gradient():
    critic = Recorder(0.4)
    with tf.GradientTape() as tape:
        value = penalties.Drift(weight=3.0)(critic, REAL, FAKE, SEED)
    logits = 0.5 * 0.4 * norms(REAL) ** 2
    np.testing.assert_allclose(value, 3.0 * logits**2, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(value, critic.a), (3.0 * 2.0 * logits * logits / 0.4).sum(), rtol=1e-4)
    np.testing.assert_array_equal(critic.points, REAL)
    assert penalties.get("drift").weight == pytest.approx(0.001)


def test_a_step_takes_the_drift_of_the_logits_that_it_has():
    points = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    inputs = keras.Input((3,))
    critic = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    gan = kerasgan.GAN(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]), critic)
    gan.compile(loss="wasserstein", penalties=["drift", penalties.R1(0.5)], run_eagerly=True)
    asked, call = [], gan.call_discriminator
    gan.call_discriminator = lambda samples, labels=None: asked.append(samples) or call(samples, labels)
    real, fake = tf.unstack(points)
    gradient = gan.discriminator_gradients(Batch(real, fake=fake))[0]
    assert len(asked) == 2  # those of the loss
    kernel, (real, fake) = critic.get_weights()[0], points
    expected = (fake - real).mean(0)[:, None] + 0.001 * 2 * (real * (real @ kernel)).mean(0)[:, None] + 0.5 * kernel
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_where_the_gradient_is_taken():
    critic = Recorder()
    penalties.R1(1.0)(critic, REAL, FAKE, SEED)
    np.testing.assert_array_equal(critic.points, REAL)
    penalties.R2(1.0)(critic, REAL, FAKE, SEED)
    np.testing.assert_array_equal(critic.points, FAKE)


def test_interpolation_is_one_uniform_place_per_sample():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(2, 2000, 2, 3, 1))
    critic = Recorder()
    penalties.GradientPenalty()(critic, real, fake, SEED)
    places = (critic.points - fake) / (real - fake)
    clear = np.abs(real - fake) > 0.1
    place = np.array([p[c].mean() for p, c in zip(places, clear, strict=True)])
    assert (np.abs(places - place[:, None, None, None])[clear] < 1e-4).all()  # the same for all elements of a sample
    uniform = (np.arange(2000) + 0.5) / 2000
    assert np.abs(np.sort(place) - uniform).max() < 1.63 / np.sqrt(2000)  # Kolmogorov-Smirnov test at 1 %


def test_dragan_perturbs_real_samples_upwards_by_half_a_deviation_at_most():
    real = np.random.default_rng(0).normal(size=(500, 4, 4, 1)) * 3.0
    critic = Recorder()
    penalties.DRAGAN()(critic, real, np.zeros_like(real), SEED)
    noise = (critic.points - real) / (0.5 * real.std())
    assert noise.min() > -1e-5 and noise.max() <= 1.0 + 1e-5 and noise.max() > 0.95
    largest = noise.max((1, 2, 3))  # about the sample's place, times the largest of 16 uniform numbers
    assert 0.4 < largest.mean() < 0.55 and largest.min() < 0.05
    assert 0.2 < (noise / largest[:, None, None, None]).std()  # elements of a sample differ


@pytest.mark.parametrize("name", ["gradient_penalty", "dragan"])
def test_randomness_follows_the_seed(name):
    points = []
    for seed in (SEED, SEED, SEED + 1):
        critic = Recorder()
        penalties.get(name)(critic, REAL, FAKE, seed)
        points.append(critic.points)
    np.testing.assert_array_equal(points[0], points[1])
    assert np.abs(points[0] - points[2]).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_zero_gradient_has_finite_second_order_gradient(name):
    weights = tf.Variable(tf.zeros(SHAPE[1:]))
    with tf.GradientTape() as tape:
        value = penalties.get(name)(linear_critic(weights), REAL, FAKE, SEED)
    expected = 10.0 if name in ("gradient_penalty", "dragan") else 0.0
    np.testing.assert_allclose(value, np.full(5, expected), rtol=1e-4)
    assert np.isfinite(tape.gradient(value, weights)).all()


def test_patch_logits_are_averaged():
    weights = samples(3)[0]

    def patches(x):  # Two patches with logits w.x and 3 w.x, whose mean is 2 w.x.
        logit = linear_critic(weights)(x)
        return tf.stack([logit, 3.0 * logit], axis=1)[..., None]

    value = penalties.R1(2.0)(patches, REAL, FAKE, SEED)
    np.testing.assert_allclose(value, np.full(5, 4.0 * norms(weights[None])[0] ** 2), rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_over_the_weights_against_finite_differences(name, jit_compile):
    keras.utils.set_random_seed(0)
    critic = keras.Sequential(
        [
            keras.Input(SHAPE[1:]),
            keras.layers.Conv2D(4, 3, padding="same", activation="softplus"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    penalty = penalties.get(name)
    kernel = critic.layers[0].kernel

    @tf.function(jit_compile=jit_compile)
    def value_and_gradient():
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(penalty(critic, REAL, FAKE, SEED))
        return value, tape.gradient(value, kernel.value)

    _, gradient = value_and_gradient()
    start, direction = kernel.numpy(), np.random.default_rng(5).normal(size=kernel.shape).astype("float32")
    values = []
    for step in (1e-2, -1e-2):
        kernel.assign(start + step * direction)
        values.append(float(value_and_gradient()[0]))
    np.testing.assert_allclose((values[0] - values[1]) / 2e-2, np.sum(gradient * direction), rtol=1e-2)


def test_half_precision_samples_are_lifted_to_float32():
    seen = []

    def critic(x):
        seen.append(x.dtype)
        return tf.cast(linear_critic(1.0)(x), tf.bfloat16)

    value = penalties.get("gradient_penalty")(critic, tf.cast(REAL, tf.bfloat16), tf.cast(FAKE, tf.float16), SEED)
    assert seen == [tf.float32] and value.dtype == tf.float32


def test_samples_of_any_rank():
    real, fake = np.random.default_rng(0).normal(size=(2, 6, 9))
    value = penalties.GradientPenalty()(lambda x: 2.0 * tf.reduce_sum(x, axis=1, keepdims=True), real, fake, SEED)
    np.testing.assert_allclose(value, np.full(6, 10.0 * (6.0 - 1.0) ** 2), rtol=1e-5)


def test_critic_that_ignores_its_samples():
    with pytest.raises(ValueError, match="do not depend"):
        penalties.R1(1.0)(lambda x: tf.zeros((5, 1)), REAL, FAKE, SEED)


@pytest.mark.parametrize("name", NAMES)
def test_serialization(name):
    penalty = type(penalties.get(name))(weight=2.5, interval=16, through_augmentation=True)
    restored = penalties.get(keras.saving.serialize_keras_object(penalty))
    assert type(restored) is type(penalty) and restored.name == name
    assert (restored.weight, restored.interval, restored.through_augmentation) == (2.5, 16, True)
    assert penalties.get(penalty) is penalty


@pytest.mark.parametrize("arguments", [{"weight": 0}, {"weight": -1.0}, {"interval": 0}, {"interval": 1.5}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        penalties.GradientPenalty(**arguments)


@pytest.mark.parametrize("identifier", ["r3", 10.0, None])
def test_unknown_penalty(identifier):
    with pytest.raises(ValueError, match="'gradient_penalty'"):
        penalties.get(identifier)


def test_clip_weights():
    variables = [keras.Variable([-0.5, 0.005, 0.2]), keras.Variable([[0.01, -0.011]])]
    penalties.clip_weights(variables, 0.01)
    np.testing.assert_allclose(variables[0], [-0.01, 0.005, 0.01])
    np.testing.assert_allclose(variables[1], [[0.01, -0.01]])
    with pytest.raises(ValueError, match="limit=0"):
        penalties.clip_weights(variables, 0)
