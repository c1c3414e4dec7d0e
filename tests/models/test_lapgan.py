"""LAPGAN's pyramid against NumPy, and its levels, each of which learns by itself."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses
from kerasgan.game import Batch
from kerasgan.models import LAPGAN, lapgan

SMALL = {"image_shape": (32, 48, 3), "latent_dim": 8, "units": 16, "width": 4, "level_samples": 16, "seed": 3}
SHAPES = [(8, 12, 3), (16, 24, 3), (32, 48, 3)]


def small(**arguments):
    keras.utils.set_random_seed(0)
    return LAPGAN(**{**SMALL, **arguments})


def images(count=4, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 32, 48, 3)).astype("float32")


def halved(x):
    return np.mean([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0)


def line_enlarged(x, axis):
    """Linear interpolation at half-pixel places: 3/4 of a sample and 1/4 of its neighbour, the edge repeated."""
    x = np.moveaxis(x, axis, 0)
    before, after = np.concatenate([x[:1], x[:-1]]), np.concatenate([x[1:], x[-1:]])
    pairs = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=1)
    return np.moveaxis(pairs.reshape(-1, *x.shape[1:]), 0, axis)


def enlarged(x):
    return line_enlarged(line_enlarged(x, 1), 2)


def let_details_be_made(gan):
    for layer in gan.generator._flatten_layers():
        if isinstance(layer, keras.layers.Conv2D):
            random = np.random.default_rng(len(layer.path))
            layer.kernel.assign(random.normal(size=layer.kernel.shape) * 0.1)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((32, 32, 3), [8, 16, 32]),
        ((64, 64, 3), [8, 16, 32, 64]),
        ((28, 28, 1), [7, 14, 28]),
        ((24, 48, 3), [6, 12, 24]),
    ],
)
def test_levels(shape, expected):
    assert [found[0] for found in lapgan.pyramid_shapes(shape)] == expected


@pytest.mark.parametrize("shape", [(8, 8, 3), (33, 32, 3)])
def test_images_that_make_no_pyramid_are_refused(shape):
    with pytest.raises(ValueError, match="height and width must be even, above 8"):
        small(image_shape=shape)


def test_the_pyramid_adds_up_to_the_image():
    """I_0 enlarged, plus the details of all levels, is the image: nothing is lost between the levels."""
    gan, real = small(), images()
    sizes = [halved(halved(real)), halved(real), real]
    details = []
    for level in (1, 2):
        gan.stage = level
        of_level, _ = gan.unpack(tf.constant(real))
        np.testing.assert_allclose(of_level, sizes[level], atol=1e-6)
        np.testing.assert_allclose(gan.blurred(of_level), enlarged(sizes[level - 1]), atol=1e-6)
        details.append((of_level - gan.blurred(of_level)).numpy())
    gan.stage = 0
    x = gan.unpack(tf.constant(real))[0].numpy()
    for detail in details:
        x = enlarged(x) + detail
    np.testing.assert_allclose(x, real, atol=1e-5)


def test_details_are_made_from_real_blurred_images_and_noise():
    gan, real = small(), images()
    let_details_be_made(gan)
    gan.compile()
    gan.stage = 2
    sources = gan.sources_for(Batch(tf.constant(real)))
    np.testing.assert_allclose(sources[..., :3], enlarged(halved(real)), atol=1e-6)
    noise = sources[..., 3].numpy()
    assert noise.min() < -0.9 and noise.max() > 0.9 and np.abs(noise).max() <= 1.0
    fake = gan.call_generator(sources)
    network = gan.generator.get_layer("level_2")
    added = keras.Model(network.inputs, [layer.output for layer in network.layers if layer.name.startswith("conv")][-1])
    expected = enlarged(halved(real)) + added([sources[..., :3], sources[..., 3:]]).numpy()
    np.testing.assert_allclose(fake, expected, rtol=1e-4, atol=1e-5)
    again = gan.sources_for(Batch(tf.constant(real)))
    assert np.abs(gan.call_generator(again) - fake).max() > 1e-3  # the noise matters


def test_a_sample_goes_through_all_levels():
    gan = small()
    let_details_be_made(gan)
    latents = gan.sample_latents(4, tf.constant([1, 2]))
    assert latents.shape == (4, 8 + 16 * 24 + 32 * 48)
    level = gan.generator.get_layer
    x = level("level_0")([latents[:, :8]]).numpy()
    places = 8
    for number, (height, width, _) in enumerate(SHAPES[1:], 1):
        noise = tf.reshape(latents[:, places : places + height * width], (4, height, width, 1))
        x = level(f"level_{number}")([tf.constant(enlarged(x)), noise]).numpy()
        places += height * width
    assert places == latents.shape[1]
    np.testing.assert_allclose(gan.generator(latents), x, rtol=1e-4, atol=1e-5)


def test_levels_that_have_not_learned_enlarge():
    gan = small()
    latents = gan.sample_latents(4, tf.constant([1, 2]))
    coarse = gan.call_generator(latents).numpy()
    np.testing.assert_allclose(gan.generator(latents), enlarged(enlarged(coarse)), rtol=1e-5, atol=1e-5)


def test_the_whole_discriminator_judges_every_size():
    gan, real = small(), images()
    found = gan.discriminator(real).numpy()
    assert found.shape == (4, 3)
    for stage in range(3):
        gan.stage = stage
        logits = gan.call_discriminator(tf.constant(real), training=False)
        np.testing.assert_allclose(logits[:, 0], found[:, stage], rtol=1e-4, atol=1e-5)


def test_networks_are_the_papers():
    gan = LAPGAN(image_shape=(32, 32, 3))
    dense = [layer for layer in gan.generator.get_layer("level_0").layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [1200, 1200, 8 * 8 * 3]
    dense = [layer for layer in gan.discriminator.get_layer("level_0").layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [600, 600, 1]
    for level in (1, 2):
        layers = gan.generator.get_layer(f"level_{level}").layers
        found = [(layer.filters, *layer.kernel_size) for layer in layers if isinstance(layer, keras.layers.Conv2D)]
        assert found == [(64, 7, 7), (64, 7, 7), (3, 5, 5)]
        layers = gan.discriminator.get_layer(f"level_{level}").layers
        found = [(layer.filters, layer.strides[0]) for layer in layers if isinstance(layer, keras.layers.Conv2D)]
        assert found == [(64, 1), (64, 2), (128, 2)][: level + 1]
    gan.compile()
    assert isinstance(gan.adversarial_loss, losses.NonSaturating) and not gan.penalties


def test_levels_learn_one_after_the_other_and_keep_what_they_learned():
    gan = small()
    gan.compile("sgd", "sgd", run_eagerly=True)
    rest = None
    for stage in range(3):
        before = [np.array(v) for v in gan.generator.variables]
        gan.fit(images(16), batch_size=8, verbose=0)
        assert gan.stage == stage and int(gan.generator_optimizer.iterations) == 2
        moved = {
            v.path.split("/")[0]
            for v, a in zip(gan.generator.variables, before, strict=True)
            if not np.array_equal(a, v)
        }
        assert moved <= {v.path.split("/")[0] for v in gan.variables_of("generator")} and moved
        average = [np.array(v) for v in gan.ema_generator.get_layer("level_0").variables]
        if rest is not None:  # the average of a level that has learned stays an average
            assert all(map(np.array_equal, average, rest))
        rest = average
    current = [np.array(v) for v in gan.generator.get_layer("level_0").variables]
    assert not all(map(np.array_equal, rest, current))


def test_schedule_of_one_number_or_several():
    gan = small(level_samples=[10, 30])
    assert [gan.stage_at(seen) for seen in (0, 9, 10, 39, 40, 10**9)] == [0, 0, 1, 1, 2, 2]
    assert gan.get_config()["level_samples"] == [10, 30]
    gan = small()
    assert [gan.stage_at(seen) for seen in (15, 16, 31, 32)] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([10], r"level_samples=\[10\]: expected one number, or 2 of them, one for each of the 3 levels but the last"),
        ([10, 0], "level_samples=0: expected a whole number of at least 1"),
        (0, "level_samples=0"),
    ],
)
def test_a_wrong_schedule_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        small(level_samples=given)


def test_width_of_one_number_or_several():
    gan = small(width=[4, 2])
    for network in (gan.generator, gan.discriminator):
        for level, width in ((1, 4), (2, 2)):
            layers = network.get_layer(f"level_{level}").layers
            assert next(layer.filters for layer in layers if hasattr(layer, "filters")) == width
    assert gan.get_config()["width"] == [4, 2]
    message = r"width=\[4\]: expected one number, or 2 of them, one for each of the 3 levels but the first"
    with pytest.raises(ValueError, match=message):
        small(width=[4])


def test_classes_reach_every_level():
    gan = small(num_classes=3)
    let_details_be_made(gan)
    real, noise = tf.constant(images()), tf.zeros((4, 32, 48, 1))
    blurred = tf.zeros((4, 32, 48, 3))
    network = gan.generator.get_layer("level_2")
    fakes = [network([blurred, noise, tf.fill((4,), label)]) for label in (0, 2)]
    assert np.abs(fakes[0] - fakes[1]).max() > 1e-4
    logits = [gan.discriminator([real, tf.fill((4,), label)]).numpy() for label in (0, 2)]
    assert (np.abs(logits[0] - logits[1]).max(0) > 0).all()
