"""R3GAN: its game against formulas written out, and its networks against what the paper says of them."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN, schedules
from kerasgan.layers import GroupedConv2D
from kerasgan.models import R3GAN, r3gan
from kerasgan.penalties import R1, R2


def small(**arguments):
    keras.utils.set_random_seed(1)
    return R3GAN(**{"image_shape": (16, 16, 3), "latent_dim": 8, "width": 8, "max_width": 16, "seed": 1, **arguments})


def vectors(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")


def linear_game(**arguments):
    """R3GAN's game between linear networks."""
    keras.utils.set_random_seed(1)
    latents, samples = keras.Input((3,)), keras.Input((4,))
    generator = keras.Model(latents, keras.layers.Dense(4)(latents))
    gan = GAN(generator, keras.Model(samples, keras.layers.Dense(1)(samples)), seed=1)
    gan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.2),
        loss=R3GAN.default_loss,
        fresh_generator_batch=R3GAN.default_fresh_generator_batch,
        **arguments,
    )
    drawn, draw = [], gan.sources_for
    gan.sources_for = lambda batch: drawn.append(draw(batch)) or drawn[-1]
    return gan, drawn


# The game


@pytest.mark.parametrize("parts", [1, 2])
def test_one_step_matches_the_algorithm_written_out(parts):
    """Under SGD, in float64: losses, penalties, both updates; the generator's on samples of its own."""
    gamma = 0.3
    gan, drawn = linear_game(penalties=[R1(gamma), R2(gamma)], gradient_accumulation=parts)
    (g, gb), (d, db) = ([w.astype("float64") for w in n.get_weights()] for n in (gan.generator, gan.discriminator))
    data = vectors(16)
    logs = gan.train_step(tf.constant(data))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    real, own_real = np.split(data.astype("float64"), 2)
    assert len(drawn) == 2 and not np.array_equal(*drawn)
    fake, own = np.float64(drawn[0]) @ g + gb, np.float64(drawn[1])
    margin = (real - fake) @ d
    losses = {"discriminator_loss": np.log1p(np.exp(-margin)).mean(), "r1": gamma / 2 * (d**2).sum()}
    d = d - 0.1 * ((sigmoid(-margin) * (fake - real)).mean(0)[:, None] + 2 * gamma * d)  # R1's gradient and R2's
    margin = (own @ g + gb - own_real) @ d  # judged by the updated discriminator
    losses["generator_loss"] = np.log1p(np.exp(-margin)).mean()
    slope = -sigmoid(-margin) @ d.T / 8
    g, gb = g - 0.2 * own.T @ slope, gb - 0.2 * slope.sum(0)

    for network, expected in ((gan.discriminator, (d, db)), (gan.generator, (g, gb))):
        for got, want in zip(network.get_weights(), expected, strict=True):
            np.testing.assert_allclose(got, want, atol=1e-6)
    for name, value in {**losses, "r2": losses["r1"]}.items():
        assert float(logs[name]) == pytest.approx(value, rel=1e-5), name
    assert int(gan.samples_seen) == 16


def test_each_player_sees_real_samples_of_its_own():
    gan, _ = linear_game(penalties=())
    seen = {"discriminator": [], "generator": []}
    for player, found in seen.items():
        original = getattr(gan, f"{player}_gradients")

        def noting(batch, *others, found=found, original=original):
            found.append(batch.real.numpy())
            return original(batch, *others)

        setattr(gan, f"{player}_gradients", noting)
    gan.run_eagerly = True
    gan.fit(tf.data.Dataset.from_tensor_slices(vectors(28)).batch(4, drop_remainder=True), epochs=2, verbose=0)
    # 7 batches are 3 steps an epoch, and the second goes on where the first ended.
    rows = np.concatenate([np.stack(seen["discriminator"]), np.stack(seen["generator"])], axis=1).reshape(-1, 4)
    data = vectors(28)
    np.testing.assert_array_equal(rows, np.concatenate([data, data])[:48])
    assert int(gan.samples_seen) == 48


def test_a_step_refuses_what_it_cannot_divide_and_one_stage():
    gan, _ = linear_game()
    with pytest.raises(ValueError, match="9 samples, which is not a multiple of 2: .*=1 and the generator's own batch"):
        gan.train_step(tf.constant(vectors(9)))
    with pytest.raises(ValueError, match="one_stage=True with fresh_generator_batch=True"):
        gan.compile(loss="relativistic_pairing", fresh_generator_batch=True, one_stage=True)


@pytest.mark.parametrize("interval", [1, 2])
@pytest.mark.parametrize(("through", "factor"), [(False, 1.0), (True, 0.25)])
def test_penalties_can_be_those_of_samples_before_the_augmentation(through, factor, interval):
    """Halving the samples before a linear discriminator quarters the square of the gradient for them."""
    options = {"interval": interval, "through_augmentation": through}
    gan, _ = linear_game(penalties=[R1(2.0, **options), R2(2.0, **options)], augmentation=lambda x, seed: 0.5 * x)
    square = float(np.sum(np.square(gan.discriminator.get_weights()[0])))
    logs = gan.train_step(tf.constant(vectors(16)))
    for name in ("r1", "r2"):
        assert float(logs[name]) == pytest.approx(factor * square, rel=1e-5)


def test_defaults_are_the_papers():
    gan = small(image_shape=(64, 64, 3), blocks=1)
    gan.compile()
    assert type(gan.adversarial_loss).__name__ == "RelativisticPairing" and gan.batches_per_step == 2
    assert [(type(p), p.weight, p.interval, p.through_augmentation) for p in gan.penalties] == [
        (R1, 2.0, 1, True),
        (R2, 2.0, 1, True),
    ]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.epsilon) == (pytest.approx(2e-4), 0.0, 1e-8)


def test_follows_the_papers_schedules():
    gan, seen = small(blocks=1), 64
    penalty = {"weight": f"cosine(2, 0.2, {seen})", "through_augmentation": True}
    adaptive = {"target": None, "probability": f"linear(0, 0.3, {seen})"}
    gan.compile(
        learning_rate=f"cosine(2e-4, 5e-5, {seen})",
        beta_2=f"cosine(0.9, 0.99, {seen})",
        penalties=[R1(**penalty), R2(**penalty)],
        augmentation={"class_name": "kerasgan>AdaptiveAugment", "config": adaptive},
        ema_half_life=f"cosine(0, 100, {seen})",
        run_eagerly=True,
    )
    images = np.random.default_rng(0).uniform(-1, 1, (32, 16, 16, 3)).astype("float32")
    logs = gan.fit(images, batch_size=16, epochs=3, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    assert logs["generator_learning_rate"][-1] == pytest.approx(5e-5)
    assert float(gan.augmentation.probability) == pytest.approx(0.3)
    again = gan.get_compile_config()["augmentation"]["config"]["probability"]
    assert float(schedules.get(again)(32)) == pytest.approx(0.15)


# The networks


def blocks_of(network):
    """The layers of each residual block: [(1x1, grouped 3x3, 1x1)]."""
    grouped = [i for i, layer in enumerate(network.layers) if isinstance(layer, GroupedConv2D)]
    return [(network.layers[i - 2], network.layers[i], network.layers[i + 2]) for i in grouped]


def test_blocks_are_the_identity_at_the_start():
    gan = small()
    for network in (gan.generator, gan.discriminator):
        assert len(blocks_of(network)) == 2 * 3
        for first, grouped, last in blocks_of(network):
            width = last.filters
            assert first.filters == grouped.filters == 2 * width and grouped.groups == 2 * width // 16
            assert first.kernel_size == last.kernel_size == (1, 1) and grouped.kernel_size == (3, 3)
            assert first.use_bias and grouped.use_bias and not last.use_bias
            assert not np.any(last.get_weights()[0])
        sums = [layer for layer in network.layers if isinstance(layer, keras.layers.Add)]
        probe = keras.Model(network.inputs, [[layer.input[0], layer.output] for layer in sums])
        for before, after in probe(tf.random.normal((2, *network.inputs[0].shape[1:]))):
            np.testing.assert_array_equal(before, after)


def test_kernels_start_with_the_papers_variance():
    gan = small(width=64, max_width=64)
    for network in (gan.generator, gan.discriminator):
        blocks = blocks_of(network)
        gain = math.sqrt(2 / 1.04) * len(blocks) ** -0.25
        for first, grouped, _ in blocks:
            assert np.std(first.get_weights()[0]) == pytest.approx(gain / math.sqrt(64), rel=0.05)
            assert np.std(grouped.get_weights()[0]) == pytest.approx(gain / math.sqrt(9 * 16), rel=0.05)
        firsts = [first.get_weights()[0] for first, _, _ in blocks]
        assert not np.array_equal(firsts[0], firsts[1])  # Keras gives equal numbers to equal shapes
    images = np.random.default_rng(0).normal(size=(256, 16, 16, 3)).astype("float32")
    images[:] = images[:, :1, :1]  # which the filters leave as they are
    logits = small(width=64, max_width=64).discriminator(images)
    assert 0.2 < np.std(logits) < 5
    latents = np.random.default_rng(0).normal(size=(64, 8))
    assert 0.3 < np.std(gan.generator(latents)) < 2


def test_nothing_normalizes_and_nothing_bounds_the_output():
    gan = small(num_classes=3)
    for network in (gan.generator, gan.discriminator):
        kinds = {type(layer).__name__ for layer in network.layers}
        assert not any("Norm" in kind for kind in kinds)
        assert len(network.non_trainable_variables) == 0
        activations = [layer.activation for layer in network.layers if hasattr(layer, "activation")]
        assert {activation.__name__ for activation in activations} == {"linear"}
    biased = {layer.name for network in (gan.generator, gan.discriminator) for layer in network.layers
              if getattr(layer, "use_bias", False)}  # fmt: skip
    inner = {layer.name for network in (gan.generator, gan.discriminator) for block in blocks_of(network)
             for layer in block[:2]}  # fmt: skip
    assert biased == inner


@pytest.mark.parametrize(
    ("shape", "width", "num_classes", "millions"),
    [((32, 32, 3), 768, 10, (20.78, None)), ((256, 256, 3), 96, None, (23.058, 23.010))],
    ids=["CIFAR-10", "FFHQ-256"],
)
def test_as_many_parameters_as_the_papers(shape, width, num_classes, millions):
    widths = r3gan.stage_widths(shape, width, 768)
    for build, expected in zip((r3gan.build_generator, r3gan.build_discriminator), millions, strict=True):
        found = build(shape, 64, widths, 2, 16, num_classes).count_params() / 1e6
        if expected is not None:
            assert found == pytest.approx(expected, abs=0.5 * 10.0 ** -len(str(expected).partition(".")[2]))


@pytest.mark.parametrize(
    ("shape", "smallest"),
    [((64, 64, 3), (4, 4)), ((64, 96, 1), (4, 6)), ((28, 28, 1), (7, 7)), ((100, 60, 4), (25, 15))],
)
def test_both_networks_have_the_same_stages(shape, smallest):
    gan = small(image_shape=shape, blocks=1)
    basis = next(layer for layer in gan.generator.layers if isinstance(layer, r3gan.Basis))
    last = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.DepthwiseConv2D))
    assert basis.output.shape[1:3] == last.kernel_size == smallest
    assert last.output.shape[1:3] == (1, 1) and gan.discriminator.output.shape[1:] == (1,)
    assert gan.generator.output.shape[1:] == shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (18, 16, 3)}, r"image_shape=\(18, 16, 3\)"),
        ({"width": 20, "max_width": 20}, "group_size=16 does not divide 40, the inner channels of a block of width 20"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)
