"""ProgressiveGAN's growth: what a level is before, while and after it fades in, and what learns when."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import export, losses, penalties
from kerasgan.game import Batch
from kerasgan.models import ProgressiveGAN, progressive_gan

SMALL = {"image_shape": (16, 24, 3), "latent_dim": 8, "width": 4, "fade_samples": 8, "stable_samples": 16, "seed": 3}
SHAPES = [(4, 6, 3), (8, 12, 3), (16, 24, 3)]


def small(**arguments):
    keras.utils.set_random_seed(0)
    return ProgressiveGAN(**{**SMALL, **arguments})


def images(count=4, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 16, 24, 3)).astype("float32")


def latents(gan, count=4):
    return gan.sample_latents(count, tf.constant([1, 2]))


def set_alphas(network, *alphas):
    for level, alpha in enumerate(alphas, 1):
        network.get_layer(f"fade_{level}").alpha.assign(alpha)


def halved(x):
    return np.mean([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0)


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


# The networks


def test_channels_are_the_papers_at_1024_pixels():
    widths = progressive_gan.level_widths((1024, 1024, 3), 16, 512)
    assert widths == [512, 512, 512, 512, 256, 128, 64, 32, 16]
    generator, discriminator = 23.1e6, 23.1e6  # the paper's table 2

    def count(layers, inputs):
        total = 0
        for name, layer in layers.items():
            if name in inputs:
                layer.build(inputs[name])
                total += layer.count_params()
        return total

    maps = {"conv_0": (None, 4, 4, 512), "start": (None, 512)}
    for level in range(1, 9):
        maps[f"up_{level}"] = (None, 4, 4, widths[level - 1])
        maps[f"conv_{level}"] = (None, 8, 8, widths[level])
    made = progressive_gan.generator_layers((1024, 1024, 3), widths)
    assert count(made, maps) == pytest.approx(generator, rel=0.01)
    maps = {"conv_0": (None, 4, 4, 513), "dense": (None, 4 * 4 * 512), "logits": (None, 512)}
    for level in range(1, 9):
        maps[f"conv_{level}"] = maps[f"down_{level}"] = (None, 8, 8, widths[level])
    assert count(progressive_gan.discriminator_layers(widths), maps) == pytest.approx(discriminator, rel=0.01)


def test_fade_mixes_and_lets_nothing_through_at_its_ends():
    new, old = images(seed=1), images(seed=2)
    layer = progressive_gan.Fade()
    for alpha in (0.0, 0.25, 1.0):
        layer([new, old])
        layer.alpha.assign(alpha)
        np.testing.assert_allclose(layer([new, old]), alpha * new + (1 - alpha) * old, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(layer([new, old]), new)
    layer.alpha.assign(0.0)
    np.testing.assert_array_equal(layer([new, old]), old)


def test_all_feature_vectors_of_the_generator_have_length_one_per_channel():
    gan = small()
    normalize = gan.generator.get_layer("normalize")
    outputs = [node.outputs[0] for node in normalize._inbound_nodes[:7]]
    for maps in keras.Model(gan.generator.inputs, outputs)(latents(gan)):
        np.testing.assert_allclose(np.mean(np.float64(maps) ** 2, axis=-1), 1.0, rtol=1e-3)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_without_higher_levels_the_generator_is_the_smaller_one_enlarged(stage):
    gan = small()
    gan.stage = stage
    set_alphas(gan.generator, *[1.0] * stage, *[0.0] * (2 - stage))
    expected = gan.call_generator(latents(gan)).numpy()
    assert expected.shape == (4, *SHAPES[stage])
    for _ in range(stage, 2):
        expected = doubled(expected)
    np.testing.assert_allclose(gan.generator(latents(gan)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_without_higher_levels_the_discriminator_is_the_smaller_one_on_smaller_images(stage):
    gan = small()
    gan.stage = stage
    set_alphas(gan.discriminator, *[1.0] * stage, *[0.0] * (2 - stage))
    real = images()
    smaller = real
    for _ in range(stage, 2):
        smaller = halved(smaller)
    expected = gan.call_discriminator(tf.constant(smaller))
    for found in (gan.discriminator(real), gan.call_discriminator(tf.constant(real))):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_halfway_a_level_is_half_of_either():
    gan = small()
    found = {}
    for alpha in (0.0, 0.5, 1.0):
        set_alphas(gan.generator, 1.0, alpha)
        gan.stage = 2
        found[alpha] = gan.call_generator(latents(gan)).numpy()
        np.testing.assert_allclose(gan.generator(latents(gan)), found[alpha], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[0.5], 0.5 * (found[0.0] + found[1.0]), rtol=1e-5, atol=1e-6)
    assert np.abs(found[0.0] - found[1.0]).max() > 0.1


# The schedule


def test_the_papers_schedule():
    gan = small(fade_samples=800, stable_samples=600)
    borders = [0, 600, 600 + 800 + 600]
    for stage, border in enumerate(borders):
        assert gan.stage_at(border) == stage and gan.stage_at(max(0, border - 1)) == max(0, stage - 1)
    assert gan.stage_at(10**9) == 2
    expected = {0: (0, 0), 600: (0, 0), 800: (0.25, 0), 1400: (1, 0), 2000: (1, 0), 2200: (1, 0.25), 9999: (1, 1)}
    for seen, alphas in expected.items():
        gan.samples_seen.assign(seen)
        assert tuple(float(gan.alpha(level)) for level in (1, 2)) == pytest.approx(alphas)


def test_real_images_are_mixed_as_the_generators_are():
    gan, real = small(), images()
    for stage, seen in enumerate((0, 18, 42)):
        gan.stage = stage
        gan.samples_seen.assign(seen)
        found, labels = gan.unpack(tf.constant(real))
        expected = real
        for _ in range(stage, 2):
            expected = halved(expected)
        alpha = 0.25 if stage else 1.0
        expected = alpha * expected + (1 - alpha) * (doubled(halved(expected)) if stage else 0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert labels is None


def test_no_fading_puts_a_level_there_at_once():
    gan = small(fade_samples=0)
    gan.samples_seen.assign(16)
    assert gan.stage_at(16) == 1 and [float(gan.alpha(level)) for level in (1, 2)] == [1.0, 0.0]


def test_training_grows_both_networks_and_the_average_alike():
    gan = small()
    gan.compile("sgd", "sgd", penalties=(), jit_compile=False)
    data = images(16)
    history = gan.fit(data, batch_size=4, epochs=2, verbose=0).history
    assert history["stage"] == [0.0, 1.0] and gan.stage == 1
    gan.fit(data[:12], batch_size=4, verbose=0)  # to 44 samples; the last step began at 40
    assert gan.stage == 2
    for network in (gan.generator, gan.discriminator, gan.ema_generator):
        assert [float(network.get_layer(f"fade_{level}").alpha) for level in (1, 2)] == [1.0, 0.0]
    gan.fit(data[:4], batch_size=4, verbose=0)
    for network in (gan.generator, gan.discriminator, gan.ema_generator):
        assert [float(network.get_layer(f"fade_{level}").alpha) for level in (1, 2)] == [1.0, 0.5]
    assert int(gan.generator_optimizer.iterations) == 2  # it began anew at 40
    assert gan.generate(2).shape == (2, 16, 24, 3)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_gradients_reach_the_variables_of_the_stage_and_no_others(stage):
    gan = small()
    gan.stage = stage
    gan.compile(run_eagerly=True)
    for network in (gan.generator, gan.discriminator):
        set_alphas(network, *[1.0] * max(0, stage - 1), *[0.5] * (stage > 0))
    gan.samples_seen.assign(gan.begin(stage) + 4 if stage else 4)
    real, _ = gan.unpack(tf.constant(images()))
    with tf.GradientTape(persistent=True) as tape:
        fake = gan.call_generator(latents(gan))
        judged = tf.reduce_sum(gan.call_discriminator(fake) * tf.constant([[1.0], [2.0], [-3.0], [4.0]]))
    for player, network in (("generator", gan.generator), ("discriminator", gan.discriminator)):
        gradients = tape.gradient(judged, [v.value for v in network.trainable_variables])
        reached = [v.path for v, g in zip(network.trainable_variables, gradients, strict=True) if g is not None]
        assert sorted(reached) == sorted(v.path for v in gan.variables_of(player))
    assert real.shape == fake.shape == (4, *SHAPES[stage])


def test_default_game_is_the_papers():
    gan = small()
    gan.compile()
    assert isinstance(gan.adversarial_loss, losses.Wasserstein) and gan.discriminator_steps == 1
    assert [(type(p), p.weight) for p in gan.penalties] == [(penalties.GradientPenalty, 10.0), (penalties.Drift, 0.001)]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        settings = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
        assert settings == (pytest.approx(1e-3), 0.0, 0.99, 1e-8)


def test_penalties_are_those_of_float32_in_mixed_precision():
    """The step computes them in float32, through layers that are called one by one."""
    found = []
    for dtype in ("float32", "mixed_bfloat16"):
        gan = small(dtype=dtype)
        gan.compile(run_eagerly=True, penalties=["r1"])
        gan.stage = 1
        set_alphas(gan.discriminator, 0.5, 0.0)
        smaller = tf.constant(halved(images()))
        gan.discriminator_gradients(Batch(smaller, fake=smaller))
        found.append(float(gan._trackers["r1"].result()))
    assert found[1] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.parametrize("name", ["fade_samples", "stable_samples"])
def test_a_wrong_schedule_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}=-1: expected a whole number of at least 0"):
        small(**{name: -1})


# Export


@pytest.mark.parametrize(
    ("alphas", "shown"), [((0.0, 0.0), [0]), ((0.5, 0.0), [0, 1]), ((1.0, 0.5), [1, 2]), ((1.0, 1.0), [2])]
)
def test_exported_networks_have_no_levels_that_do_not_show(alphas, shown):
    gan = small()
    set_alphas(gan.ema_generator, *alphas)
    network = gan.inference_network()
    kernels = [layer.name for layer in network.layers if layer.name.startswith("to_rgb")]
    assert sorted(kernels) == [f"to_rgb_{level}" for level in shown]
    expected = np.clip(gan.ema_generator(latents(gan)).numpy() / 2 + 0.5, 0, 1)
    np.testing.assert_allclose(network(latents(gan)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_a_grown_generator_exports(mode, tmp_path):
    gan = small(dtype="mixed_bfloat16")
    set_alphas(gan.ema_generator, 1.0, 1.0)
    export.tflite(gan, tmp_path / "g.tflite", mode, verify=False)
    found = export.verify(gan, tmp_path / "g.tflite", latency=False)
    assert found.psnr > {"float32": 100, "int8": 20}[mode]
