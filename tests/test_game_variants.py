"""The options of the game against what they stand for: one stage, parts of a batch, clipping, schedules, freezing."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import schedules
from kerasgan.augmentation import AdaptiveAugment
from kerasgan.game import Batch
from kerasgan.models import CGAN, DCGAN, WGANGP
from kerasgan.penalties import R1, GradientPenalty

SGD = {"class_name": "SGD", "config": {"learning_rate": 0.05}}


def small(gan_class=DCGAN, **arguments):
    keras.utils.set_random_seed(1)
    if gan_class is CGAN:
        return CGAN(image_shape=(8, 8, 1), num_classes=3, latent_dim=4, dropout=0.0, seed=1, **arguments)
    shape = {"image_shape": (16, 16, 1), "latent_dim": 4, "width": 4, "seed": 1}
    return gan_class(**shape, **arguments)


def images(count=8, shape=(16, 16, 1)):
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32"))


def weights(gan):
    return [w.astype("float64") for w in [*gan.generator.get_weights(), *gan.discriminator.get_weights()]]


def assert_same(found, expected, tolerance=1e-6):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)


# One stage


def two_passes(gan, real, labels=None):
    """The simultaneous update written out: both losses' gradients by passes of their own, then both updates."""
    latents = gan.sources_for(Batch(real, labels))
    with tf.GradientTape(persistent=True) as tape:
        fake = gan.call_generator(latents, labels)
        seen = tf.stop_gradient(fake)
        real_logits, fake_logits = gan.call_discriminator(real, labels), gan.call_discriminator(seen, labels)
        loss = tf.reduce_mean(gan.adversarial_loss.discriminator(real_logits, fake_logits))
        for penalty in gan.penalties:
            gan.next_seed()  # which the step draws, too
            loss += tf.reduce_mean(
                penalty(lambda x: gan.call_discriminator(x, labels), real, seen, tf.constant([3, 4]))
            )
        judged = gan.adversarial_loss.generator(gan.call_discriminator(fake, labels), tf.stop_gradient(real_logits))
        judged = tf.reduce_mean(judged)
    for network, value, optimizer in (
        (gan.discriminator, loss, gan.discriminator_optimizer),
        (gan.generator, judged, gan.generator_optimizer),
    ):
        variables = network.trainable_variables
        gradients = tape.gradient(value, [v.value for v in variables], unconnected_gradients="zero")
        optimizer.apply(gradients, variables)


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "least_squares", "wasserstein", "relativistic_pairing"])
def test_one_stage_equals_two_passes(loss):
    """R1 draws no random numbers, so that both ways can compute it alike."""
    real, found = images(), []
    for play in (lambda gan: gan.train_step(real), lambda gan: two_passes(gan, real)):
        gan = small(normalization="none")
        gan.compile(SGD, SGD, loss=loss, penalties=[R1(2.0)], one_stage=True)
        for _ in range(2):
            play(gan)
        found.append(weights(gan))
    assert_same(*found)
    assert np.abs(found[0][0] - weights(small(normalization="none"))[0]).max() > 1e-5  # and something was learned


def test_one_stage_with_classes_equals_two_passes():
    real, labels, found = images(6, (8, 8, 1)), tf.constant([0, 1, 2, 0, 1, 2]), []
    for play in (lambda gan: gan.train_step((real, labels)), lambda gan: two_passes(gan, real, labels)):
        gan = small(CGAN)
        gan.compile(SGD, SGD, one_stage=True)
        play(gan)
        found.append(weights(gan))
    assert_same(*found)


def test_one_stage_passes_through_augmentation_and_generator_statistics():
    """The generator's gradient goes through the same augmented fakes that the discriminator has judged."""
    gan = small(normalization="none")
    gan.compile(SGD, SGD, one_stage=True, augmentation=lambda samples, seed: 0.5 * samples)
    plain = small(normalization="none")
    plain.compile(SGD, SGD, one_stage=True)
    real = images()
    plain.train_step(real)
    gan.train_step(real)
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(weights(gan), weights(plain), strict=True))

    plain = small(normalization="none")
    plain.compile(SGD, SGD, one_stage=True)
    inner = plain.discriminator
    halved = keras.Input(inner.inputs[0].shape[1:])
    plain.discriminator = keras.Model(halved, inner(0.5 * halved))  # the same game, written into the discriminator
    plain.train_step(real)
    assert_same(weights(gan), weights(plain))


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_one_stage_in_half_precision_stays_near_float32(dtype):
    """Loss scales of two optimizers differ and must cancel out."""
    real, found = images(), []
    for policy in ("float32", dtype):
        gan = small(normalization="none", dtype=policy)
        gan.compile(SGD, SGD, one_stage=True)
        if policy == "mixed_float16":
            gan.generator_optimizer.dynamic_scale.assign(64.0)
        gan.train_step(real)
        found.append([a - b for a, b in zip(weights(gan), weights(small(normalization="none")), strict=True)])
    half, exact = (np.concatenate([a.ravel() for a in f]) for f in (found[1], found[0]))
    assert np.linalg.norm(half - exact) < {"mixed_float16": 0.02, "mixed_bfloat16": 0.1}[dtype] * np.linalg.norm(exact)


@pytest.mark.parametrize(
    ("model", "compile", "message"),
    [
        ({"normalization": "none"}, {"loss": "hinge"}, 'one_stage=True with loss="hinge"'),
        ({"normalization": "batch"}, {}, "mixes the samples of a batch"),
        ({"normalization": "none", "minibatch_deviation": True}, {}, "mixes the samples of a batch"),
    ],
)
def test_one_stage_refuses_what_it_would_get_wrong(model, compile, message):
    with pytest.raises(ValueError, match=message):
        small(**model).compile(one_stage=True, **compile)


def test_one_stage_refuses_maps_of_logits():
    gan = small(normalization="none")
    samples = keras.Input((16, 16, 1))
    gan.discriminator = keras.Model(samples, keras.layers.Conv2D(1, 4, strides=4)(samples))
    with pytest.raises(ValueError, match="one logit a sample"):
        gan.compile(one_stage=True)


# Several discriminator steps


def one_after_the_other(gan):
    """The step without a graph, its earlier updates of the discriminator written out."""

    def in_turn(update, batches):
        for batch in batches:
            update(batch)

    def step(data):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("kerasgan.game.game.in_turn", in_turn)
            return gan.train_step(data)

    return step


@pytest.mark.parametrize(
    ("gan_class", "model", "compile"),
    [
        (DCGAN, {"normalization": "batch"}, {"penalties": [R1(1.0, interval=2)], "augmentation": "cutout"}),
        (DCGAN, {"normalization": "spectral"}, {"beta_2": schedules.Linear(0.9, 0.99, 96), "clip_gradients": 1.0}),
        (DCGAN, {"normalization": "spectral", "dtype": "mixed_float16"}, {}),
        (WGANGP, {}, {"gradient_accumulation": 2, "fresh_generator_batch": True}),
        (CGAN, {}, {"penalties": ["dragan"], "clip_weights": 0.1}),
    ],
    ids=["batch statistics", "power iteration", "float16", "parts", "classes"],
)
def test_a_loop_of_discriminator_steps_equals_steps_one_after_the_other(gan_class, model, compile):
    """Weights, statistics, optimizers, scales of the loss, counters, random states, metrics: all of it."""
    count, found = 3 + compile.get("fresh_generator_batch", False), []
    real = images(4 * count, (8, 8, 1) if gan_class is CGAN else (16, 16, 1))
    data = (real, tf.constant(np.arange(len(real)) % 3)) if gan_class is CGAN else real
    for step_of in (lambda gan: tf.function(gan.train_step), one_after_the_other):
        gan = small(gan_class, **model)
        if compile.get("augmentation"):
            compile["augmentation"] = AdaptiveAugment("cutout", 0.0, 0.5, samples_to_one=100, interval=2)
        gan.compile(discriminator_steps=3, **compile)  # a loop of two, and the last one
        if "dtype" in model:
            gan.discriminator_optimizer.dynamic_scale.assign(2.0**20)  # overflows, which halves it
        step = step_of(gan)
        logs = [step(data) for _ in range(2)][-1]
        variables = [*gan.variables, *gan.discriminator_optimizer.variables, *gan.generator_optimizer.variables]
        found.append([np.array(v, "float64") for v in [*variables, *logs.values()]])
        assert int(gan.samples_seen) == 2 * len(real)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_the_graph_of_a_step_does_not_grow_with_its_discriminator_steps():
    sizes = []
    for steps in (3, 9):
        gan = small(WGANGP)
        gan.compile(discriminator_steps=steps)
        graph = tf.function(gan.train_step).get_concrete_function(images(2 * steps)).graph.as_graph_def()
        sizes.append(len(graph.node) + sum(len(function.node_def) for function in graph.library.function))
    assert sizes[1] < 1.1 * sizes[0]


# Parts of a batch


@pytest.mark.parametrize(
    ("gan_class", "model", "compile", "steps"),
    [
        (DCGAN, {"normalization": "none"}, {}, 2),
        (DCGAN, {"normalization": "none"}, {"penalties": [R1(1.0)]}, 1),
        (DCGAN, {"normalization": "none"}, {"penalties": [R1(1.0, interval=2)], "one_stage": True}, 1),
        (WGANGP, {}, {"discriminator_steps": 2, "penalties": ()}, 2),
    ],
    ids=["plain", "penalty", "one stage", "critic"],
)
def test_accumulated_gradients_equal_those_of_the_whole_batch(gan_class, model, compile, steps):
    real, found = images(16), []
    for parts in (1, 4):
        gan = small(gan_class, **model)
        _without_batch_statistics(gan.generator)
        gan.compile(SGD, SGD, gradient_accumulation=parts, **compile)
        step = tf.function(gan.train_step) if parts > 1 else gan.train_step
        for _ in range(steps):  # penalties draw a seed for each part, after which latents are others
            logs = step(real)
        found.append(weights(gan) + [np.float64(logs["generator_loss"]), np.float64(logs["discriminator_loss"])])
        assert int(gan.generator_optimizer.iterations) == steps
        assert int(gan.samples_seen) == 16 * steps
    assert_same(*found, tolerance=2e-6)


def _without_batch_statistics(network):
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # then it normalizes by its moving statistics


def test_a_batch_that_cannot_be_parted_is_refused():
    gan = small(normalization="none")
    gan.compile(gradient_accumulation=3)
    with pytest.raises(ValueError, match="gradient_accumulation=3 does not divide a batch of 8"):
        gan.train_step(images())


# Clipping


def test_clipped_update_has_the_bound_as_its_norm():
    gan, free = small(normalization="none"), small(normalization="none")
    gan.compile(SGD, SGD, clip_gradients=1e-3)
    free.compile(SGD, SGD)
    before, real = weights(gan), images()
    logs = [g.train_step(real) for g in (gan, free)]
    count = len(gan.generator.get_weights())
    moved, direction = ([a - b for a, b in zip(weights(g), before, strict=True)][count:] for g in (gan, free))
    norm = math.sqrt(sum((m**2).sum() for m in moved))
    assert norm == pytest.approx(0.05 * 1e-3, rel=1e-3)
    total = math.sqrt(sum((m**2).sum() for m in direction))
    assert_same([m / norm for m in moved], [m / total for m in direction], 1e-3)
    assert float(logs[0]["discriminator_gradient_norm"]) == pytest.approx(total / 0.05, rel=1e-3)  # as it was before


def test_clipping_sees_unscaled_gradients_in_float16():
    logs = []
    for scale in (2.0**10, 2.0**13):
        gan = small(normalization="none", dtype="mixed_float16")
        gan.compile(SGD, SGD)
        gan.discriminator_optimizer.dynamic_scale.assign(scale)
        logs.append(gan.train_step(images()))
    a, b = (float(log["discriminator_gradient_norm"]) for log in logs)
    assert a == pytest.approx(b, rel=1e-2)
    assert float(logs[1]["discriminator_loss_scale"]) == 2.0**13


# Rates and schedules


def test_rates_follow_their_schedules_in_samples_seen():
    gan = small(normalization="none")
    gan.compile(
        learning_rate=(schedules.Linear(1e-3, 0.0, 32), "cosine(4e-4, 1e-4, 16)"),
        beta_2=schedules.Linear(0.9, 0.99, 16),
        penalties=[R1(schedules.Linear(4.0, 2.0, 16))],
    )
    rates = []
    for _ in range(4):
        gan.train_step(images())
        rates.append([float(o.learning_rate) for o in (gan.discriminator_optimizer, gan.generator_optimizer)])
    np.testing.assert_allclose(rates, [[1e-3, 4e-4], [7.5e-4, 2.5e-4], [5e-4, 1e-4], [2.5e-4, 1e-4]], rtol=1e-5)


def test_scheduled_beta_2_is_adams():
    """Adam with a beta 2 that changes each step, written out in NumPy for the first layer's bias."""
    gan = small(normalization="none")
    adam = keras.optimizers.Adam(1e-3, 0.5)
    gan.compile(adam, SGD, beta_2=(schedules.Linear(0.9, 0.99, 16), None))
    gradients_seen = []
    apply = gan.discriminator_optimizer.apply
    gan.discriminator_optimizer.apply = lambda g, v: (gradients_seen.append([x.numpy() for x in g]), apply(g, v))
    place = 1
    start = gan.discriminator.trainable_variables[place].numpy().astype("float64")
    for _ in range(3):
        gan.train_step(images())
    m = v = np.zeros_like(start)
    for step, (gradients, beta_2) in enumerate(zip(gradients_seen, (0.9, 0.945, 0.99), strict=True), 1):
        gradient = gradients[place].astype("float64")
        m, v = 0.5 * m + 0.5 * gradient, beta_2 * v + (1 - beta_2) * gradient**2
        rate = 1e-3 * math.sqrt(1 - beta_2**step) / (1 - 0.5**step)
        start -= rate * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(gan.discriminator.trainable_variables[place].numpy(), start, atol=1e-6)
    assert adam.beta_2 == pytest.approx(0.9)  # what is saved with the model is a number


@pytest.mark.parametrize(
    ("schedule", "halfway"),
    [
        (schedules.Cosine(10.0, 1.0, 100), 5.5),
        ("geometric(10, 1, 100)", math.sqrt(10.0)),
        ("linear(10, 1, 60, 40)", 5.5),
        ("linear(10, 2, 40) then linear(10, 1, 60, 40)", 5.5),
    ],
)
def test_scheduled_weight_of_a_penalty(schedule, halfway):
    penalty = GradientPenalty(schedule)
    critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    real, fake = (tf.random.stateless_normal((6, 4), (seed, 0)) for seed in (1, 2))
    seed = tf.constant([1, 2])
    unit = GradientPenalty(1.0)(critic, real, fake, seed)
    for seen, weight in ((0, 10.0), (50, halfway), (100, 1.0), (1000, 1.0)):
        np.testing.assert_allclose(penalty(critic, real, fake, seed, seen), weight * unit, rtol=1e-5)


def test_schedules_in_turn_come_back():
    text = "cosine(0.002, 0.0002, 100) then linear(0.001, 0, 300, 200) then geometric(0.5, 0.25, 400)"
    schedule = schedules.get(text)
    assert repr(schedule) == text and repr(schedules.get(schedules.serialize(schedule))) == text
    found = [float(schedule(seen)) for seen in (0, 50, 100, 200, 250, 300, 400)]
    assert found == pytest.approx([2e-3, 1.1e-3, 1e-3, 1e-3, 5e-4, 0.5 * 0.5 ** (3 / 4), 0.25])
    for wrong in ("linear(1, 0, 9) then linear(1, 0, 9)", "linear(1, 0, 9) then nothing", " then "):
        with pytest.raises(ValueError, match=r"more samples than the one before|expected linear, cosine"):
            schedules.get(wrong)


def test_average_follows_a_scheduled_half_life():
    gan = small(normalization="none")
    gan.compile(ema_half_life=schedules.Linear(0.0, 1000.0, 8))
    gan.samples_seen.assign(10**6)  # so that 5 % of them are no bound
    gan.train_step(images())
    half = 0.5 ** (8 / 1000)
    start = small(normalization="none").generator.trainable_variables[0].numpy()
    now, average = (network.trainable_variables[0].numpy() for network in (gan.generator, gan.generator))
    average = gan.ema_generator.variables[0].numpy()
    np.testing.assert_allclose(average, now + half * (start - now), atol=1e-6)


def test_options_survive_saving(tmp_path):
    gan = small(normalization="none")
    options = {
        "learning_rate": (schedules.Linear(1e-3, 0.0, 1000), 2e-4),
        "beta_2": (None, schedules.Cosine(0.9, 0.99, 1000)),
        "ema_half_life": schedules.Linear(0.0, 500.0, 1000),
        "penalties": [R1(schedules.Cosine(2.0, 0.2, 1000))],
        "clip_gradients": 3.0,
        "gradient_accumulation": 2,
        "one_stage": True,
        "freeze_discriminator": 1,
    }
    gan.compile(**options)
    gan.train_step(images())
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert again.get_compile_config() == gan.get_compile_config()
    for g in (gan, again):
        g.train_step(images())
    assert_same(weights(again), weights(gan), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -1e-4}, "learning_rate=-0.0001: expected a number of 0 or more"),
        ({"learning_rate": "cosine(2e-4)"}, "learning_rate='cosine.2e-4.'"),
        ({"learning_rate": "geometric(2e-4, 0, 100)"}, "end=0.0 of a geometric schedule: expected a number above 0"),
        ({"learning_rate": "cosine(2e-4, -1e-5, 100)"}, "end=-1e-05 of a cosine schedule: expected a number of 0"),
        ({"learning_rate": (1e-4, 1e-4, 1e-4)}, "expected one value, or a pair"),
        ({"learning_rate": keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)}, "counts updates"),
        (
            {
                "learning_rate": 1e-4,
                "generator_optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 10)),
            },
            "a schedule of its own: give one of them",
        ),
        (
            {
                "generator_optimizer": keras.optimizers.Adam(
                    keras.optimizers.schedules.PiecewiseConstantDecay([100, 4000], [1e-3, 1e-4, -1e-4])
                )
            },
            "PiecewiseConstantDecay, is -0.0001 after 5000 updates",
        ),
        (
            {"beta_2": 0.9, "discriminator_optimizer": "sgd"},
            "beta_2=0.9: the discriminator's optimizer, sgd.*, has none",
        ),
        ({"clip_gradients": -1}, "clip_gradients=-1"),
        ({"gradient_accumulation": 0}, "gradient_accumulation=0"),
        ({"freeze_discriminator": 3}, "freeze_discriminator=3: the discriminator has 3 layers"),
    ],
)
def test_options_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(normalization="none").compile(**arguments)


def test_one_optimizer_for_both_players_is_refused():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="give each player its own"):
        small().compile(adam, adam)


# Freezing


def test_frozen_layers_keep_their_weights_and_others_learn():
    gan = small(normalization="none")
    gan.compile(freeze_discriminator=1)
    before = gan.discriminator.get_weights()
    gan.train_step(images())
    changed = [not np.array_equal(a, b) for a, b in zip(before, gan.discriminator.get_weights(), strict=True)]
    assert changed == [False, False, True, True, True, True]
    assert (
        len(gan.discriminator_optimizer.variables) == 2 + 2 * 4
    )  # iterations, learning rate; nothing for frozen weights

    gan.compile(SGD, SGD)  # without: everything learns again
    gan.train_step(images())
    assert not np.array_equal(before[0], gan.discriminator.get_weights()[0])


# What is logged


def test_accuracy_is_the_share_of_pairs_that_the_real_sample_wins():
    gan = small(normalization="none")
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    real = images()
    fake = gan.call_generator(gan.sample_latents(8, tf.cast(np.array(gan.training_seeds.state), tf.int32)))
    wins = gan.call_discriminator(real).numpy() > gan.call_discriminator(fake).numpy()
    logs = gan.train_step(real)
    assert float(logs["discriminator_accuracy"]) == pytest.approx(wins.mean())
