"""StyleGAN2: styles, noise, truncation and path lengths against what the papers say of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import export
from kerasgan.models import StyleGAN2, stylegan2
from kerasgan.models.stylegan2 import PathLength
from kerasgan.penalties import R1

SMALL = {"image_shape": (16, 16, 3), "latent_dim": 8, "width": 4, "max_width": 8, "seed": 1}


def small(**arguments):
    return StyleGAN2(**{**SMALL, **arguments})


def compiled(**arguments):
    gan = small(**arguments)
    gan.compile(run_eagerly=True)
    return gan


def images(count=4):
    return np.random.default_rng(0).uniform(-1, 1, (count, 16, 16, 3)).astype("float32")


def sources(gan, count=4):
    return gan.sources_for(gan.unpacked(tf.constant(images(count))))


def with_noise(gan, strength=1.0):
    """The same model; as if it had learned to add noise."""
    for network in (gan.generator, gan.ema_generator):
        for layer in network.get_layer("synthesis").layers:
            if isinstance(layer, stylegan2.NoisyLeakyReLU):
                layer.strength.assign(strength)
    return gan


# Styles


def test_the_mapping_network_is_two_layers_of_normalized_latents():
    gan = small(latent_dim=8)
    mapping = gan.generator.get_layer("mapping")
    z = np.random.default_rng(0).normal(size=(5, 8)) * 3
    x = z / np.sqrt(np.mean(z**2, axis=1, keepdims=True))
    dense = [layer for layer in mapping.layers if hasattr(layer, "multiplier")]
    assert len(dense) == 2 and {layer.multiplier for layer in dense} == {0.01}
    for layer in dense:
        layer.layer.bias.assign(np.random.default_rng(1).normal(size=8) * 50)
        kernel, bias = (np.float64(weight) for weight in layer.layer.get_weights())
        assert np.std(kernel) == pytest.approx(100, rel=0.3)  # with a rate of 0.01, a start of 1
        x = 0.01 * (x @ kernel * np.sqrt(2 / 8) + bias)
        x = np.where(x > 0, x, 0.2 * x)
    np.testing.assert_allclose(mapping(z), x, rtol=1e-4, atol=1e-5)


def test_keeps_the_mean_of_styles_in_training_only():
    gan = compiled()
    mapping = gan.generator.get_layer("mapping")
    mean = mapping.get_layer("mean").mean
    assert not np.any(mean)
    gan.generator(gan.sample_latents(4, tf.constant([1, 2])))
    assert not np.any(mean)
    expected = np.zeros(8)
    for seed in (1, 2):
        z = gan.sample_latents(4, tf.constant([seed, 2]))
        expected = 0.995 * expected + 0.005 * np.mean(mapping(z), axis=0)
        mapping(z, training=True)
        np.testing.assert_allclose(mean, expected, rtol=1e-4)
    before = np.array(mean)
    gan.train_step(tf.constant(images()))
    moved = np.abs(mean - before).max()
    assert 0 < moved < 0.02  # once in a step, and no gradient goes there
    assert all(variable is not mean for variable in gan.generator.trainable_variables)


def test_truncation_draws_styles_towards_their_mean():
    gan = small(num_classes=2)
    mapping, synthesis = (gan.ema_generator.get_layer(name) for name in ("mapping", "synthesis"))
    mean = np.random.default_rng(0).normal(size=8).astype("float32")
    mapping.get_layer("mean").mean.assign(mean)
    whole = gan.generate(70, seed=3)  # more than are made at a time
    assert np.abs(gan.generate(70, seed=3, truncation=1).astype(int) - whole).max() <= 1
    typical = gan.media.to_natural(synthesis(mean[None]).numpy())
    assert np.abs(gan.generate(3, seed=3, truncation=0).astype(int) - typical).max() <= 1
    half = gan.generate(3, labels=1, seed=3, truncation=0.5)
    z = gan.sample_latents(64, tf.random.experimental.stateless_fold_in(gan._sampling_seed(3), 0))[:3]
    styles = mapping([z, tf.ones(3, tf.int32)])
    expected = gan.media.to_natural(synthesis((mean + styles) / 2).numpy())
    assert np.abs(half.astype(int) - expected).max() <= 1
    for wrong in (-0.1, 1.5, "half"):
        with pytest.raises(ValueError, match=f"truncation={wrong!r}"):
            gan.generate(2, truncation=wrong)
    gan.truncation_refusal = "nobody measured it"
    with pytest.raises(ValueError, match="truncation=0.5: nobody measured it"):
        gan.generate(2, truncation=0.5)


def test_styles_are_mixed_by_layers():
    gan = with_noise(compiled(style_mixing=0.9))
    drawn = sources(gan)
    fives = {**drawn, "crossover": tf.fill((4,), 5)}
    one = {**{k: v for k, v in drawn.items() if k not in ("others", "crossover")}}
    np.testing.assert_array_equal(gan.call_generator(fives), gan.call_generator(one))  # of the first style alone
    synthesis = gan.generator.get_layer("synthesis")
    mapping = gan.generator.get_layer("mapping")
    first, second = mapping(drawn["latents"]), mapping(drawn["others"])
    mixed = {**drawn, "crossover": tf.constant([1, 2, 4, 5])}
    found = gan.call_generator(mixed)
    for sample, place in enumerate((1, 2, 4, 5)):
        styles = [first] * place + [second] * (5 - place)
        expected = stylegan2.synthesize(synthesis.get_layer, styles, drawn["noise"])[sample]
        np.testing.assert_allclose(found[sample], expected, atol=1e-5)
    crossovers = small(style_mixing=0.9)._crossovers(10_000, tf.constant([1, 2]), 5).numpy()
    share = np.bincount(crossovers, minlength=6) / 10_000
    np.testing.assert_allclose(share, [0, 0.225, 0.225, 0.225, 0.225, 0.1], atol=0.02)
    with pytest.raises(ValueError, match="style_mixing=1.1"):
        small(style_mixing=1.1)


# Noise


def test_noise_is_drawn_in_training_and_stays_put_in_samples():
    gan = with_noise(compiled())
    first, second = sources(gan), sources(gan)
    assert [tuple(n.shape) for n in first["noise"]] == [(4, s, s, 1) for s in (4, 8, 8, 16, 16)]
    same = {**second, "latents": first["latents"]}
    assert np.abs(gan.call_generator(first) - gan.call_generator(same)).max() > 0.1
    assert np.std(tf.concat([tf.reshape(n, (-1,)) for n in first["noise"]], 0)) == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(gan.generate(3, seed=1), gan.generate(3, seed=1))
    # The layers' own noise is that of `call_generator` for latents alone, and of what is exported.
    constant = [np.tile(layer.noise, (4, 1, 1, 1)) for layer in gan._noisy()]
    expected = gan.call_generator({**first, "noise": constant})
    np.testing.assert_allclose(gan.call_generator(first["latents"]), expected, atol=1e-5)


def test_no_noise_at_the_start():
    gan = compiled()
    first = sources(gan)
    np.testing.assert_array_equal(
        gan.call_generator(first), gan.call_generator({**first, "noise": sources(gan)["noise"]})
    )


def test_what_learned_to_add_noise_is_exported_with_it(tmp_path):
    found = export.tflite(with_noise(small()), tmp_path / "g.tflite")
    assert found.passed


# The penalty


def test_path_length_of_a_linear_generator():
    """For images A (z + shift), a length is |A^T y|: the penalty's mean is the variance of those, drawn here again."""
    matrix = np.random.default_rng(0).normal(size=(8, 4 * 4 * 3)).astype("float32")

    def generator(given):
        return tf.reshape((given["latents"] + given["shift"]) @ matrix, (-1, 4, 4, 3))

    given = {"latents": tf.random.normal((6, 8)), "shift": tf.zeros((6, 8))}
    seed = tf.constant([1, 2])
    found = PathLength(weight=0.5)(generator, given, seed)
    y = tf.random.stateless_normal((6, 4, 4, 3), seed).numpy().reshape(6, -1) / 4
    lengths = np.linalg.norm(y @ matrix.T, axis=1)
    np.testing.assert_allclose(found, 0.5 * np.square(lengths - lengths.mean()) * 6 / 5, rtol=1e-4)
    assert np.mean(found) == pytest.approx(0.5 * np.var(lengths, ddof=1), rel=1e-4)
    assert np.mean(PathLength()(generator, {k: v[:1] for k, v in given.items()}, seed)) == 0


def test_path_length_is_that_for_styles_and_teaches_the_generator():
    gan = small(style_mixing=0.5)
    penalty = PathLength(interval=1)
    gan.compile(penalties=[penalty], run_eagerly=True)
    given, seed = sources(gan), tf.constant([3, 4])
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(penalty(gan.call_generator, given, seed))
    gradients = tape.gradient(value, [gan.generator.get_layer("synthesis").get_layer("conv_1").layer.kernel.value])
    assert float(value) > 0 and np.abs(gradients[0]).max() > 0
    # A step along a style changes the image by as much as the Jacobian says.
    y = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype("float32")
    step = np.random.default_rng(1).normal(size=(4, 8)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(given["shift"])
        product = tf.reduce_sum(gan.call_generator(given) * y)
    expected = np.sum(tape.gradient(product, given["shift"]) * step)
    ends = [np.sum(gan.call_generator({**given, "shift": sign * 1e-3 * step}) * y) for sign in (1, -1)]
    assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(expected, rel=0.05)
    logs = gan.train_step(tf.constant(images()))
    assert np.isfinite(float(logs["path_length"]))


# The game and its networks


def test_defaults_are_the_papers():
    gan = small()
    gan.compile()
    assert type(gan.adversarial_loss).__name__ == "NonSaturating" and not gan.style_mixing
    (r1,) = gan.penalties
    assert (type(r1), r1.interval, r1.through_augmentation) == (R1, 16, True)
    assert r1.weight == pytest.approx(2e-4 * 16**2 / 32)
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2) == (pytest.approx(2e-3), 0.0, 0.99)


def test_as_many_channels_as_the_papers():
    widths = stylegan2.stage_widths((1024, 1024, 3), 32, 512)
    assert widths == [32, 64, 128, 256, 512, 512, 512, 512, 512]


@pytest.mark.parametrize(
    ("shape", "smallest"),
    [((64, 64, 3), (4, 4)), ((64, 96, 1), (4, 6)), ((28, 28, 1), (7, 7)), ((100, 60, 4), (25, 15))],
)
def test_any_shape_that_can_be_halved(shape, smallest):
    gan = small(image_shape=shape)
    synthesis = gan.generator.get_layer("synthesis")
    assert synthesis.get_layer("start").shape[:2] == smallest
    assert gan.generator.output.shape[1:] == shape and gan.discriminator.output.shape[1:] == (1,)


def test_networks_start_with_variances_near_one():
    gan = small(image_shape=(32, 32, 3), width=32, max_width=64, latent_dim=32)
    synthesis = gan.generator.get_layer("synthesis")
    styles = gan.generator.get_layer("mapping")(gan.sample_latents(32, tf.constant([1, 2])))
    probe = keras.Model(synthesis.input, [synthesis.get_layer(f"noise_conv_{level}").output for level in range(4)])
    for maps in probe(styles):
        assert 0.5 < np.sqrt(np.mean(np.square(maps))) < 2
    plain = np.random.default_rng(0).normal(size=(64, 1, 1, 3)).repeat(32, axis=1).repeat(32, axis=2)
    assert 0.2 < np.std(gan.discriminator(plain)) < 5


def test_classes_decide_by_projection():
    gan = small(num_classes=3)
    x = images(6)
    logits = [gan.discriminator([x, np.full(6, label)]).numpy() for label in range(3)]
    vectors = gan.discriminator.get_layer("classes")
    dot = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.Dot))
    features = keras.Model(gan.discriminator.inputs, dot.input[0])([x, np.zeros(6, int)])
    for label, found in enumerate(logits):
        vector = vectors(np.array([label])).numpy()
        assert np.mean(vector**2) == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(found[:, 0], features.numpy() @ vector[0] / np.sqrt(8), rtol=1e-3, atol=1e-4)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"image_shape=\(18, 16, 3\)"):
        small(image_shape=(18, 16, 3))
    with pytest.raises(ValueError, match="mapping_layers=0: expected a whole number of at least 1"):
        small(mapping_layers=0)
