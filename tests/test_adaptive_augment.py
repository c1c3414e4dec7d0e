"""AdaptiveAugment: its operations against NumPy and Pillow-like references, its probability against the formula."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import augmentation
from kerasgan.augmentation import AdaptiveAugment
from kerasgan.models import DCGAN

SEED = tf.constant([3, 4])


def images(channels=3, count=6, height=12, width=16):
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (count, height, width, channels)).astype("float32"))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_probability_zero_changes_nothing(channels):
    samples = images(channels)
    changed = AdaptiveAugment(("geometry", "color", "cutout"))(samples, SEED)
    np.testing.assert_allclose(changed, samples, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_probability_one_changes_each_sample_in_its_own_way(channels):
    samples = tf.tile(images(channels, count=1), (5, 1, 1, 1))
    augment = AdaptiveAugment(("geometry", "color"), probability=1.0)
    changed = augment(samples, SEED).numpy()
    assert np.isfinite(changed).all() and changed.shape == samples.shape
    assert all(np.abs(changed[i] - changed[j]).max() > 0.05 for i in range(5) for j in range(i))
    np.testing.assert_array_equal(changed, augment(samples, SEED))


def matrices(degrees=0.0, x=1.0, y=1.0, count=6):
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([x, y])
    return tf.constant(np.tile(matrix, (count, 1, 1)).astype("float32"))


def test_the_warp_mirrors_turns_and_shifts_exactly():
    samples = images(height=12, width=12)
    still = tf.zeros((6, 2))
    flipped = augmentation._warp(samples, matrices(x=-1.0), still)
    np.testing.assert_allclose(flipped, samples[:, :, ::-1], atol=1e-6)
    for turns in (1, 2, 3):
        turned = augmentation._warp(samples, matrices(90.0 * turns), still)
        expected = [np.rot90(samples, k, (1, 2)) for k in (turns, -turns)]
        assert min(np.abs(turned - e).max() for e in expected) < 1e-6
    shifted = augmentation._warp(samples, matrices(), tf.constant([[2.0, -1.0]] * 6))
    np.testing.assert_allclose(shifted[:, 1:, :-2], samples[:, :-1, 2:], atol=1e-6)
    np.testing.assert_allclose(shifted[:, 1:, -1], samples[:, :-1, -3], atol=1e-6)  # mirrored at the edge


def test_the_warp_interpolates_bilinearly():
    samples = images(channels=1, count=1)
    moved = augmentation._warp(samples, matrices(count=1), tf.constant([[0.25, 0.5]])).numpy()
    s = samples.numpy()
    top = 0.75 * s[:, :-1, :-1] + 0.25 * s[:, :-1, 1:]
    bottom = 0.75 * s[:, 1:, :-1] + 0.25 * s[:, 1:, 1:]
    np.testing.assert_allclose(moved[:, :-1, :-1], (top + bottom) / 2, atol=1e-6)


def test_colours():
    ones = tf.ones((1,))
    turned = augmentation._color_matrix(ones, tf.constant([2 * np.pi / 3]), ones)[0]
    np.testing.assert_allclose(np.abs(turned).sum(), 3.0, atol=1e-5)  # a third of the circle exchanges the channels
    np.testing.assert_allclose(turned @ tf.ones((3, 1)), np.ones((3, 1)), atol=1e-6)  # and leaves grey alone
    grey = augmentation._color_matrix(ones, 0 * ones, 0 * ones)[0]
    np.testing.assert_allclose(grey, np.full((3, 3), 1 / 3), atol=1e-6)
    np.testing.assert_allclose(
        augmentation._color_matrix(-ones, 0 * ones, ones)[0] @ tf.ones((3, 1)), -np.ones((3, 1)), atol=1e-6
    )


def test_operations_act_as_often_as_they_should():
    samples = images(channels=1, count=4000, height=4, width=4)
    streams = augmentation._shares(augmentation._draw(samples, SEED, 20))
    assert len(streams) == 20
    for share in streams:
        acting = {p: np.mean(share < p) for p in (0.0, 0.3, 1.0)}
        assert acting[0.0] == 0.0 and acting[1.0] == 1.0 and abs(acting[0.3] - 0.3) < 0.03
        drawn = augmentation._normal(share, 0.2, tf.fill((4000,), True)).numpy()
        assert abs(drawn.mean()) < 0.02 and abs(drawn.std() - 0.2) < 0.01
    assert np.abs(np.corrcoef(streams) - np.eye(20)).max() < 0.08  # 5 standard deviations of independent ones


def test_the_rarest_numbers_are_finite():
    (share,) = augmentation._shares(tf.constant([[0, augmentation._NUMBERS - 1]]))
    assert 0.0 < share[0] and share[1] < 1.0
    assert np.isfinite(augmentation._normal(share, 0.2, tf.constant([True, True]))).all()


def test_gradients_reach_the_samples():
    samples = tf.cast(images(channels=3, count=2, height=6, width=6), tf.float32)
    augment = AdaptiveAugment(("geometry", "color", "cutout"), probability=0.9)
    weights = tf.constant(np.random.default_rng(1).normal(size=(2, 6, 6, 3)).astype("float32"))

    def value(x):
        return tf.reduce_sum(weights * augment(x, SEED))

    with tf.GradientTape() as tape:
        tape.watch(samples)
        total = value(samples)
    gradient = tape.gradient(total, samples).numpy()
    direction = np.random.default_rng(2).normal(size=samples.shape).astype("float32")
    numeric = (
        value(samples + 0.01 * direction) - value(samples - 0.01 * direction)
    ) / 0.02  # it is linear in the samples
    np.testing.assert_allclose(np.sum(gradient * direction), numeric, rtol=1e-2, atol=1e-2)


def test_the_probability_follows_the_sign_of_the_logits():
    augment = AdaptiveAugment(target=0.5, samples_to_one=100, interval=2)
    sure, unsure = tf.ones((10, 1)), tf.constant([[1.0]] * 5 + [[-2.0]] * 5)
    found = []
    for logits in (sure, sure, sure, unsure, unsure, unsure):
        augment.adapt(logits)
        found.append(float(augment.probability))
    # two steps of 10 samples each move it by 20 / 100: up at a mean sign of 1, neither at 0.5 in the mean, down at 0.
    np.testing.assert_allclose(found, [0.0, 0.2, 0.2, 0.2, 0.2, 0.0], atol=1e-6)
    for _ in range(20):
        augment.adapt(-sure)
    assert float(augment.probability) == 0.0  # never below


def test_without_a_target_it_stays():
    augment = AdaptiveAugment(target=None, probability=0.25)
    augment.adapt(tf.ones((8, 1)))
    assert float(augment.probability) == 0.25


def test_the_probability_follows_a_schedule_of_the_samples_seen():
    augment = AdaptiveAugment(target=None, probability="linear(0, 0.3, 100)")
    found = []
    for seen in (0, 50, 200):
        augment.adapt(tf.ones((8, 1)), seen)
        found.append(float(augment.probability))
    np.testing.assert_allclose(found, [0.0, 0.15, 0.3], atol=1e-6)
    again = AdaptiveAugment.from_config(augment.get_config())
    assert again.get_config() == augment.get_config() and float(again.probability) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": "colour"}, "groups='colour'"),
        ({"target": 1.5}, "target=1.5"),
        ({"probability": -0.1}, "probability=-0.1"),
        ({"probability": "linear(2, 0, 100)", "target": None}, "probability=linear"),
        ({"probability": "linear(0, 1, 100)"}, "probability=linear.* with target=0.6"),
        ({"interval": 0}, "interval=0"),
        ({"samples_to_one": 0}, "samples_to_one=0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveAugment(**arguments)


def test_training_adapts_it_and_saving_keeps_it(tmp_path):
    gan = DCGAN(image_shape=(16, 16, 3), latent_dim=4, width=4, seed=1)
    gan.compile(augmentation=AdaptiveAugment(samples_to_one=50, interval=1, target=-0.99), run_eagerly=True)
    history = gan.fit(images(count=24, height=16, width=16).numpy(), batch_size=24, epochs=2, verbose=0).history
    assert history["augmentation_probability"][-1] > 0
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert float(again.augmentation.probability) == float(gan.augmentation.probability) > 0
    assert again.augmentation.get_config() == gan.augmentation.get_config()
    plain = DCGAN(image_shape=(16, 16, 3), latent_dim=4, width=4, seed=1)
    plain.compile(augmentation="adaptive")
    assert isinstance(plain.augmentation, AdaptiveAugment)
