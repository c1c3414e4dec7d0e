"""DiffAugment: its operations one by one, its gradients, its randomness."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import augmentation
from kerasgan.augmentation import DiffAugment

SEED = tf.constant([3, 5])
SHAPES = [(12, 12, 1), (12, 12, 3), (12, 12, 4), (8, 14, 3), (15, 9, 4)]


def images(count=6, shape=(12, 10, 3), dtype="float32", seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1.0, 1.0, (count, *shape)), dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_shape_and_dtype_are_kept(shape, dtype):
    samples = images(shape=shape, dtype=dtype)
    changed = DiffAugment()(samples, SEED)
    assert changed.shape == samples.shape and changed.dtype == samples.dtype
    assert np.abs(np.float32(changed) - np.float32(samples)).max() > 0.1


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", "color,translation,cutout"])
def test_same_seed_same_result_and_another_seed_another(policy):
    augment, samples = DiffAugment(policy), images()
    np.testing.assert_array_equal(augment(samples, SEED), augment(samples, SEED))
    assert np.abs(augment(samples, SEED) - augment(samples, SEED + 1)).max() > 0.1


@pytest.mark.parametrize("policy", ["color", "translation", "cutout"])
def test_every_sample_is_changed_differently(policy):
    samples = tf.repeat(images(1), 8, axis=0)
    changed = DiffAugment(policy, translation=0.5)(samples, SEED).numpy()
    assert len({image.tobytes() for image in changed}) >= 6


@pytest.mark.parametrize("shape", SHAPES)
def test_compiled_results_agree_with_eager_ones(shape):
    augment, samples = DiffAugment(), images(shape=shape)
    compiled = tf.function(augment, jit_compile=True)
    np.testing.assert_allclose(compiled(samples, SEED), augment(samples, SEED), rtol=1e-5, atol=1e-5)


def test_unknown_batch_size():
    augment, samples = DiffAugment(), images()
    run = tf.function(augment, input_signature=[tf.TensorSpec((None, 12, 10, 3)), tf.TensorSpec((2,), tf.int32)])
    np.testing.assert_allclose(run(samples, SEED), augment(samples, SEED), rtol=1e-5, atol=1e-6)


def test_brightness_adds_up_to_one_half():
    """Grey images of one value: contrast and saturation leave them alone."""
    samples = tf.fill((2000, 2, 2, 3), 0.25)
    added = DiffAugment("color")(samples, SEED).numpy() - 0.25
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1, :1], added.shape), atol=1e-6)
    assert_uniform(added[:, 0, 0, 0], -0.5, 0.5)


def test_saturation_scales_the_distance_from_grey_from_0_to_2():
    """One colour all over: contrast scales the distance of each channel from the image's mean as well, so compare it
    with that of a grey image, where only the contrast acts."""
    color = tf.constant([0.3, -0.1, -0.2])
    changed = DiffAugment("color")(tf.broadcast_to(color, (2000, 2, 2, 3)), SEED).numpy()
    ratio = (changed[:, 0, 0, 0] - changed.mean((1, 2, 3))) / 0.3
    np.testing.assert_allclose(ratio / contrast_factors(2000), saturation_factors(changed, color), rtol=1e-3, atol=1e-4)
    assert_uniform(ratio / contrast_factors(2000), 0.0, 2.0)


def saturation_factors(changed, color):
    return (changed[:, 0, 0, 0] - changed[:, 0, 0, 2]) / 0.5 / contrast_factors(len(changed))


def contrast_factors(count):
    """Of grey two-valued images under SEED: the distance between the values, over what it was."""
    samples = np.empty((count, 2, 2, 3), "float32")
    samples[:, 0], samples[:, 1] = 0.4, -0.2
    changed = DiffAugment("color")(tf.constant(samples), SEED).numpy()
    return (changed[:, 0, 0, 0] - changed[:, 1, 0, 0]) / 0.6


def test_contrast_scales_the_distance_from_the_mean_from_a_half_to_three_halves():
    assert_uniform(contrast_factors(2000), 0.5, 1.5)


def assert_uniform(values, low, high):
    """Kolmogorov-Smirnov test at 1 %, and the bounds."""
    count = len(values)
    assert values.min() >= low - 1e-4 and values.max() <= high + 1e-4
    expected = low + (high - low) * (np.arange(count) + 0.5) / count
    assert np.abs(np.sort(values) - expected).max() < 1.63 / np.sqrt(count) * (high - low)


def test_color_keeps_the_mean_up_to_brightness():
    samples = images(50)
    changed = DiffAugment("color")(samples, SEED).numpy()
    added = changed.mean((1, 2, 3)) - samples.numpy().mean((1, 2, 3))
    assert np.abs(added).max() <= 0.5 + 1e-5
    # Undoing brightness, contrast keeps every pixel's share of the channel mean: grey parts are scaled about the mean.
    grey, was = changed.mean(-1), samples.numpy().mean(-1)
    for new, old in zip(grey, was, strict=True):
        assert np.corrcoef(new.ravel(), old.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize(("channels", "kept"), [(2, [1]), (4, [3])])
def test_color_leaves_alpha_alone(channels, kept):
    samples = images(shape=(6, 6, channels))
    changed = DiffAugment("color")(samples, SEED).numpy()
    np.testing.assert_array_equal(changed[..., kept], samples.numpy()[..., kept])
    assert np.abs(changed[..., 0] - samples.numpy()[..., 0]).max() > 0.1


def test_grey_is_not_saturated():
    """One channel: the result is an affine function of the value, with the contrast's factor."""
    changed = DiffAugment("color")(images(30, (6, 6, 1)), SEED).numpy()
    for new, old, factor in zip(changed, images(30, (6, 6, 1)).numpy(), contrast_factors(30), strict=True):
        slope, _ = np.polyfit(old.ravel(), new.ravel(), 1)
        np.testing.assert_allclose(slope, factor, rtol=1e-3)


def shifted(image, down, right):
    result, (height, width) = np.zeros_like(image), image.shape[:2]
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[row, column] = image[row - down, column - right]
    return result


def test_translation_shifts_by_up_to_the_ratio_and_fills_with_zeros():
    samples = images(300, (8, 16, 3)).numpy()
    changed = DiffAugment("translation", translation=0.25)(samples, SEED).numpy()
    candidates = [(down, right) for down in range(-2, 3) for right in range(-4, 5)]
    found = []
    for new, old in zip(changed, samples, strict=True):
        matches = [shift for shift in candidates if np.array_equal(new, shifted(old, *shift))]
        assert len(matches) == 1
        found.append(matches[0])
    assert {down for down, _ in found} == set(range(-2, 3))
    assert {right for _, right in found} == set(range(-4, 5))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_translation_by_nothing_and_by_all(share):
    samples = images(100, (4, 6, 3)).numpy()
    changed = DiffAugment("translation", translation=share)(samples, SEED).numpy()
    if share == 0.0:
        np.testing.assert_array_equal(changed, samples)
    else:
        assert (np.abs(changed).sum((1, 2, 3)) == 0).any()  # shifted out of the image altogether


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 12, 4), (9, 7, 1)])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_cutout_is_a_rectangle_of_the_ratio(shape, share):
    samples = np.ones((400, *shape), "float32")
    changed = DiffAugment("cutout", cutout=share)(samples, SEED).numpy()
    assert set(np.unique(changed)) <= {0.0, 1.0}
    height, width = (int(size * share + 0.5) for size in shape[:2])
    cut, areas = changed == 0.0, []
    for mask in cut:
        rows, columns = mask[..., 0].any(1), mask[..., 0].any(0)
        np.testing.assert_array_equal(mask, np.broadcast_to(np.outer(rows, columns)[..., None], mask.shape))
        for line, side in ((rows, height), (columns, width)):
            assert line.sum() <= side and np.ptp(np.flatnonzero(line)) + 1 == line.sum() if line.any() else True
            assert line.sum() == side or line[0] or line[-1] or not line.any()  # smaller at the border only
        areas.append((rows.sum(), columns.sum()))
    assert (height, width) in areas
    covered = cut[..., 0].mean(0)
    assert covered.min() > 0.0  # every pixel is hit sometimes


def test_cutout_of_nothing():
    samples = images()
    np.testing.assert_array_equal(DiffAugment("cutout", cutout=0.0)(samples, SEED), samples)


def test_an_operation_does_not_depend_on_the_others():
    samples = tf.ones((50, 8, 8, 3))
    alone = DiffAugment("cutout")(samples, SEED).numpy() == 0.0
    with_color = DiffAugment("color,cutout")(samples, SEED).numpy() == 0.0
    np.testing.assert_array_equal(alone, with_color)


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", "color,translation,cutout"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradient_against_finite_differences(policy, channels):
    """In float64; the target is quadratic in the samples, so that central differences are exact."""
    augment = DiffAugment(policy, translation=0.3)
    samples = images(3, (5, 4, channels), "float64")
    weights = images(3, (5, 4, channels), "float64", seed=1)

    @tf.function
    def target(values):
        return tf.reduce_sum(weights * augment(values, SEED) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(samples)
        value = target(samples)
    gradient = tape.gradient(value, samples).numpy()
    numeric = np.empty_like(gradient)
    for index in np.ndindex(gradient.shape):
        step = np.zeros(gradient.shape)
        step[index] = 1e-4
        numeric[index] = (target(samples + step) - target(samples - step)) / 2e-4
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_second_order_gradient_passes(jit_compile):
    """R1 of D(x) = a / 2 ||augment(x)||^2: its derivative over a is linear in a."""
    augment, samples = DiffAugment(), images()

    @tf.function(jit_compile=jit_compile)
    def slope(a):
        with tf.GradientTape() as outer:
            outer.watch(a)
            with tf.GradientTape() as tape:
                tape.watch(samples)
                value = 0.5 * a * tf.reduce_sum(augment(samples, SEED) ** 2)
            penalty = tf.reduce_sum(tape.gradient(value, samples) ** 2)
        return penalty, outer.gradient(penalty, a)

    penalty, gradient = slope(tf.constant(1.5))
    assert float(penalty) > 0.0
    np.testing.assert_allclose(gradient, 2.0 * penalty / 1.5, rtol=1e-4)


def test_second_order_gradient_over_the_samples():
    """Hessian-vector product of a cubic function against finite differences of its gradient, in float64."""
    augment = DiffAugment(translation=0.3)
    samples, direction = images(2, (5, 4, 3), "float64"), images(2, (5, 4, 3), "float64", seed=1)

    def gradient(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            value = tf.reduce_sum(augment(values, SEED) ** 3)
        return tape.gradient(value, values)

    with tf.GradientTape() as tape:
        tape.watch(samples)
        product = tf.reduce_sum(gradient(samples) * direction)
    numeric = (gradient(samples + 1e-5 * direction) - gradient(samples - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(tape.gradient(product, samples), numeric, rtol=1e-5, atol=1e-8)


def test_serialization():
    augment = DiffAugment("cutout,color", translation=0.2, cutout=0.3)
    restored = augmentation.get(keras.saving.serialize_keras_object(augment))
    assert restored.get_config() == augment.get_config()
    assert restored.policy == ("color", "cutout")
    np.testing.assert_array_equal(restored(images(), SEED), augment(images(), SEED))


def test_get():
    assert augmentation.get(None) is None and augmentation.get(()) is None and augmentation.get("") is None
    augment = DiffAugment()
    assert augmentation.get(augment) is augment
    for identifier in ("color, cutout", ("color", "cutout"), ["cutout", "color"]):
        assert augmentation.get(identifier).policy == ("color", "cutout")
    with pytest.raises(ValueError, match="augmentation=3"):
        augmentation.get(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "colour"}, "policy='colour'"),
        ({"policy": ()}, r"policy=\(\)"),
        ({"translation": 1.5}, "translation=1.5"),
        ({"cutout": -0.1}, "cutout=-0.1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DiffAugment(**arguments)


def test_samples_that_are_not_images():
    with pytest.raises(ValueError, match="samples of shape"):
        DiffAugment()(tf.zeros((4, 10)), SEED)
