"""The two-player model: its pieces against their formulas, its refusals, its data."""

import operator
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN
from kerasgan.game import Batch
from kerasgan.game.regularization import Regularization
from kerasgan.models import CGAN, DCGAN, WGAN
from kerasgan.penalties import R1, R2


def linear_gan(**arguments):
    """A GAN of vectors whose networks are single linear layers."""
    keras.utils.set_random_seed(1)
    latents = keras.Input((3,))
    generator = keras.Model(latents, keras.layers.Dense(4)(latents))
    samples = keras.Input((4,))
    discriminator = keras.Model(samples, keras.layers.Dense(1)(samples))
    return GAN(generator, discriminator, **{"seed": 1, **arguments})


def vectors(count=32):
    return np.random.default_rng(0).normal(size=(count, 4)).astype("float32")


def small_dcgan(**arguments):
    keras.utils.set_random_seed(1)
    return DCGAN(image_shape=(16, 16, 3), latent_dim=8, width=4, **{"seed": 1, **arguments})


def images(count=16, shape=(16, 16, 3)):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32")


# The game


def test_one_step_of_gradient_descent_matches_the_algorithm_written_out():
    """Non-saturating GAN of linear networks under SGD, in float64 NumPy."""
    gan = linear_gan()
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), ema_half_life=0)
    (g, gb), (d, db) = ([w.astype("float64") for w in n.get_weights()] for n in (gan.generator, gan.discriminator))
    real = vectors(8).astype("float64")
    state = np.array(gan.training_seeds.state)
    z = gan.sample_latents(8, tf.constant(state.astype("int32"))).numpy().astype("float64")

    gan.train_step(tf.constant(real, tf.float32))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    fake = z @ g + gb
    a, b = sigmoid(real @ d + db) - 1, sigmoid(fake @ d + db)  # d/dlogit of softplus(-real) and of softplus(fake)
    d -= 0.1 * (real.T @ a + fake.T @ b) / 8
    db -= 0.1 * (a + b).mean(0)
    slope = (sigmoid(fake @ d + db) - 1) @ d.T / 8  # the updated discriminator judges the same fakes
    g -= 0.2 * z.T @ slope
    gb -= 0.2 * slope.sum(0)
    for network, expected in ((gan.discriminator, (d, db)), (gan.generator, (g, gb)), (gan.ema_generator, (g, gb))):
        for got, want in zip(network.get_weights(), expected, strict=True):
            np.testing.assert_allclose(got, want, atol=1e-6)


def test_discriminator_steps_each_get_their_own_real_batch():
    gan = linear_gan()
    gan.compile("sgd", "sgd", loss="wasserstein", discriminator_steps=3)
    seen = []
    original = gan.discriminator_gradients

    def noting(batch):
        seen.append((batch.real, batch.fake))
        return original(batch)

    gan.discriminator_gradients = noting
    data = vectors(12)
    gan.train_step(tf.constant(data))
    np.testing.assert_array_equal(np.concatenate([real for real, _ in seen]), data)
    assert len({fake.numpy().tobytes() for _, fake in seen}) == 3
    assert int(gan.discriminator_updates) == 3
    assert int(gan.generator_optimizer.iterations) == 1
    assert int(gan.samples_seen) == 12


def test_fit_joins_batches_for_several_discriminator_steps():
    gan = linear_gan()
    gan.compile("sgd", "sgd", loss="wasserstein", discriminator_steps=3)
    gan.fit(tf.data.Dataset.from_tensor_slices(vectors(28)).batch(4, drop_remainder=True), epochs=2, verbose=0)
    assert int(gan.generator_optimizer.iterations) == 4  # 7 batches make 2 steps an epoch
    assert int(gan.samples_seen) == 4 * 12


def test_moving_average_follows_its_formula_statistics_included():
    gan = small_dcgan()
    gan.compile(ema_half_life=100, run_eagerly=True)
    gan.samples_seen.assign(1_000_000)  # past the warm-up
    average = gan.ema_generator.get_weights()
    gan.train_on_batch(images(8))
    keep = 0.5 ** (8 / 100)
    moved = 0
    for before, current, got in zip(average, gan.generator.get_weights(), gan.ema_generator.get_weights(), strict=True):
        np.testing.assert_allclose(got, keep * before + (1 - keep) * current, atol=1e-6)
        moved += not np.array_equal(before, current)
    assert moved == len(average)


def test_moving_average_forgets_the_start_quickly():
    gan = linear_gan()
    gan.compile(ema_half_life=1e9)
    gan.fit(vectors(256), batch_size=8, verbose=0)
    current, average = gan.generator.get_weights()[0], gan.ema_generator.get_weights()[0]
    assert np.abs(current - average).max() < 0.01


def test_lazy_penalty_weighs_the_same_in_the_long_run():
    """R1 of a linear discriminator has the gradient weight * w whatever the data are, so only the interval matters."""

    def pulls(interval, steps):
        gan = linear_gan()
        gan.compile(keras.optimizers.SGD(1e-3), "sgd", penalties=[R1(2.0, interval=interval)])
        found = []
        for _ in range(steps):
            before = gan.discriminator.get_weights()[0]
            state = np.array(gan.training_seeds.state)
            gan.train_step(tf.constant(vectors(8)))
            after = gan.discriminator.get_weights()[0]
            plain = linear_gan()
            plain.compile(keras.optimizers.SGD(1e-3), "sgd", penalties=())
            plain.discriminator.set_weights([before, plain.discriminator.get_weights()[1]])
            found.append((after - before, before, state))
        return found

    every = pulls(1, 2)
    lazy = pulls(2, 2)
    # The first step is due in both; the lazy one pulls twice as hard: the difference is one pull, 1e-3 * 2 * w.
    difference = lazy[0][0] - every[0][0]
    np.testing.assert_allclose(difference, -1e-3 * 2.0 * lazy[0][1], rtol=1e-3, atol=1e-7)
    # The second is not due in the lazy one: it is pulled by nothing but the loss.
    assert np.abs((lazy[1][0] - every[1][0]) - 1e-3 * 2.0 * every[1][1]).max() < 2e-5


@pytest.mark.parametrize(
    ("dtype", "full_precision", "expected"),
    [
        ("mixed_bfloat16", True, "float32"),
        ("mixed_bfloat16", False, "bfloat16"),
        ("mixed_float16", False, "float32"),  # where gradients of gradients would vanish
    ],
)
def test_penalties_compute_in_float32_unless_told_otherwise(dtype, full_precision, expected):
    gan = small_dcgan(normalization="none", dtype=dtype)
    gan.compile(penalties=[R1(1.0, full_precision=full_precision)])
    dtypes = set()
    layer = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.Conv2D))
    original = layer.call
    layer.call = lambda x: (dtypes.add(x.dtype.name), original(x))[1]
    real = tf.constant(images(4))

    def mean_penalty():
        batch = Batch(real, fake=real)
        return Regularization(gan.player("discriminator"), batch, batch).added_to(tf.zeros(()))

    value = mean_penalty()
    assert dtypes == {expected}
    gan.penalties[0].full_precision = True
    exact = mean_penalty()
    assert value.dtype == tf.float32 and float(value) == pytest.approx(float(exact), rel=0.05)
    gan.call_discriminator(real)
    assert dtypes == {expected, "float32", gan.compute_dtype}


def noise_seen(samples, seed):
    return samples + 0.5 * tf.random.stateless_normal(tf.shape(samples), seed)


@pytest.mark.parametrize("through", [False, True])
def test_penalties_at_the_samples_share_the_pass_of_the_loss(through):
    """R1 and R2 of the samples that the loss saw, beside a computation of each by itself."""
    gan = small_dcgan(normalization="none")
    options = {"through_augmentation": through}
    augmentation = (lambda x, seed: 0.5 * noise_seen(x, seed)) if through else noise_seen
    gan.compile(penalties=[R1(2.0, **options), R2(3.0, **options)], augmentation=augmentation)
    real, fake = tf.constant(images(4)), tf.constant(images(8)[4:])
    calls, original, seeds = [], gan.call_discriminator, np.array(gan.training_seeds.state)
    gan.call_discriminator = lambda samples, labels: (calls.append(samples), original(samples, labels))[1]
    got = gan.discriminator_gradients(Batch(real, fake=fake))
    assert len(calls) == 2  # those of the loss

    with tf.GradientTape() as tape:
        logits = [original(samples) for samples in calls]
        total = tf.reduce_mean(gan.adversarial_loss.discriminator(*logits))
        for samples, weight in zip(calls, (2.0, 3.0), strict=True):
            with tf.GradientTape() as inner:
                inner.watch(samples)
                logit = tf.reduce_mean(tf.reshape(original(samples), (4, -1)), axis=1)
            squares = tf.square(inner.gradient(logit, samples) * (0.5 if through else 1.0))
            total += 0.5 * weight * tf.reduce_sum(squares) / 4
    expected = tape.gradient(total, gan.discriminator.trainable_variables)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
    assert not np.array_equal(np.array(gan.training_seeds.state), seeds)  # the augmentation drew


def test_penalties_in_another_precision_make_a_pass_of_their_own():
    gan = small_dcgan(normalization="none", dtype="mixed_bfloat16")
    gan.compile(penalties=[R1(1.0), R2(1.0, full_precision=False)])
    calls, original = [], gan.call_discriminator
    gan.call_discriminator = lambda samples, labels: (calls.append(samples), original(samples, labels))[1]
    gan.discriminator_gradients(Batch(tf.constant(images(4)), fake=tf.constant(images(4))))
    assert len(calls) == 3


def test_relativistic_loss_and_augmentation_train():
    gan = small_dcgan()
    gan.compile(
        loss="relativistic_pairing", penalties=[R1(1.0)], augmentation="color,translation,cutout", run_eagerly=True
    )
    logs = gan.fit(images(), batch_size=8, verbose=0).history
    assert np.isfinite([value[0] for value in logs.values()]).all()
    assert logs["r1"][0] > 0


def test_weights_are_clipped():
    gan = WGAN(image_shape=(16, 16, 1), latent_dim=4, width=4, seed=1)
    gan.compile(discriminator_steps=2, run_eagerly=True)
    gan.fit(images(8, (16, 16, 1)), batch_size=4, verbose=0)
    assert all(np.abs(v).max() <= 0.01 for v in map(np.array, gan.discriminator.trainable_variables))


def test_a_gan_learns_a_shifted_normal_distribution():
    gan = linear_gan()
    gan.compile(keras.optimizers.Adam(0.02, 0.5), keras.optimizers.Adam(0.02, 0.5), ema_half_life=2000)
    data = vectors(512) * 0.5 + np.array([2.0, -1.0, 0.0, 1.0], "float32")
    gan.fit(np.concatenate([data] * 100), batch_size=64, verbose=0)  # in one epoch, for each takes time
    np.testing.assert_allclose(gan.generate(2000, seed=1).mean(0), [2.0, -1.0, 0.0, 1.0], atol=0.35)


def test_labels_are_learned():
    """Class 0 is dark, class 1 is bright: what is asked for must come out."""
    gan = CGAN(image_shape=(8, 8, 1), num_classes=2, latent_dim=8, units=240, maxout_units=48, seed=2)
    gan.compile(keras.optimizers.Adam(2e-3, 0.5), keras.optimizers.Adam(2e-3, 0.5), ema_half_life=500)
    labels = np.arange(128) % 2
    shades = (labels * 1.2 - 0.6)[:, None, None, None] + np.random.default_rng(0).normal(0, 0.05, (128, 8, 8, 1))
    gan.fit(np.concatenate([shades.astype("float32")] * 30), np.tile(labels, 30), batch_size=32, verbose=0)
    dark, bright = (gan.generate(32, labels=label, seed=1).mean() for label in (0, 1))
    assert dark == pytest.approx(51, abs=35) and bright == pytest.approx(204, abs=35)


@pytest.fixture(scope="module")
def untrained():
    """A compiled GAN, for tests that leave it as it is."""
    gan = small_dcgan()
    gan.compile()
    return gan


# Keras


def test_there_are_two_optimizers_and_no_third(untrained):
    gan = untrained
    assert not isinstance(gan.optimizer, keras.optimizers.Optimizer)  # it stands for both and holds nothing
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)
    assert gan.generator_optimizer.beta_1 == 0.5
    assert gan.generator_optimizer is not gan.discriminator_optimizer


def test_the_same_optimizer_for_both_players_is_refused():
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="its own"):
        linear_gan().compile(optimizer, optimizer)


@pytest.mark.parametrize("steps", [1, 2])
def test_keras_callbacks_and_steps_per_execution(tmp_path, steps):
    gan = linear_gan()
    gan.compile("sgd", "sgd", steps_per_execution=steps)
    gan.fit(
        vectors(16),
        batch_size=4,
        epochs=2,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="generator_loss", mode="min"),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        ],
    )
    assert {"epoch", "discriminator_loss"} < set((tmp_path / "log.csv").read_text().split("\n")[0].split(","))
    assert int(keras.saving.load_model(tmp_path / "best.keras").samples_seen) == 32


def test_only_keras_files_hold_a_game_and_nothing_broken_is_left(tmp_path):
    gan = linear_gan()
    gan.compile(run_eagerly=True)
    whole = keras.callbacks.ModelCheckpoint(tmp_path / "whole.h5")
    for save in (lambda: gan.save(tmp_path / "x.h5"), lambda: gan.fit(vectors(), verbose=0, callbacks=[whole])):
        with pytest.raises(ValueError, match="h5': a game is saved as a .keras file"):
            save()
    assert int(gan.samples_seen) == 0 and not [*tmp_path.iterdir()]
    weights = keras.callbacks.ModelCheckpoint(tmp_path / "x.weights.h5", save_weights_only=True)
    gan.fit(vectors(), batch_size=16, verbose=0, callbacks=[weights])
    again = linear_gan(seed=7)
    again.compile()
    again.load_weights(tmp_path / "x.weights.h5")
    for name in ("variables", "generator_optimizer.variables", "discriminator_optimizer.variables"):
        for mine, other in zip(*map(operator.attrgetter(name), (gan, again)), strict=True):
            np.testing.assert_array_equal(mine, other)


def test_a_summary_tells_the_average_from_the_generator():
    lines = []
    linear_gan(name="mine").summary(print_fn=lambda line, **_: lines.append(line))
    names = [layer.name for layer in linear_gan().layers]
    assert len(set(names)) == 3 and names[2] == f"ema_{names[0]}"
    assert "ema_" in "".join(lines)


def test_export_as_keras_models_have_it(tmp_path):
    gan = small_dcgan()
    gan.export(tmp_path / "saved", verbose=False)
    latents = gan.inference_inputs(2)["latents"]
    loaded = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(loaded.serve(latents), gan.inference_network()(latents), atol=1e-5)
    with pytest.raises(ValueError, match="format='litert': .*kerasgan.export.tflite"):
        gan.export(tmp_path / "x.tflite", format="litert")


def test_generating_does_not_change_the_course_of_a_training():
    runs = []
    for look in (False, True):
        gan = small_dcgan()
        gan.compile(run_eagerly=True)
        for _ in range(2):
            gan.train_on_batch(images(8))
            if look:
                gan.generate(2)
        runs.append(gan.generator.get_weights()[0])
    np.testing.assert_array_equal(*runs)


def test_first_samples_of_a_seed_do_not_depend_on_how_many_there_are():
    gan = small_dcgan()
    few, many = gan.generate(3, seed=4), gan.generate(100, seed=4)
    assert np.abs(few.astype(int) - many[:3]).max() <= 1  # rounding may differ with the batch's size
    assert len(np.unique(many.reshape(100, -1), axis=0)) == 100


def test_batches_are_the_samples_of_generate():
    gan = small_dcgan(num_classes=3)
    batches = list(gan.generate_batches(100, seed=4, truncation=0.5))
    assert [len(batch) for batch in batches] == [64, 36]
    np.testing.assert_array_equal(np.concatenate(batches), gan.generate(100, seed=4, truncation=0.5))
    with pytest.raises(ValueError, match="count=0"):
        gan.generate_batches(0)  # before the first batch is asked for


def test_batches_without_the_moving_average():
    gan = small_dcgan()
    gan.generator.layers[-2].bias.assign_add([9.0, 9.0, 9.0])
    (raw,), (ema,) = (list(gan.generate_batches(2, seed=1, ema=ema)) for ema in (False, True))
    assert raw.min() == 255 and ema.max() < 255


def test_ways_from_one_sample_to_another():
    gan = small_dcgan(num_classes=2)
    ways = gan.interpolate(3, 5, seed=1)
    assert ways.shape == (15, 16, 16, 3)
    np.testing.assert_array_equal(ways, gan.interpolate(3, 5, seed=1))
    assert (ways[0] != ways[4]).any()


@pytest.mark.parametrize("latent", ["normal", "uniform"])
def test_latents_on_the_way(latent):
    gan = small_dcgan(latent=latent)
    start, end = (gan.sample_latents(50, np.array([seed, 0], "int32")).numpy() for seed in (1, 2))
    for share, there in ((0.0, start), (1.0, end)):
        np.testing.assert_allclose(gan.latents_between(start, end, share), there, atol=1e-6)
    middle = gan.latents_between(start, end, 0.5)
    if latent == "uniform":
        np.testing.assert_allclose(middle, (start + end) / 2, atol=1e-6)
    else:  # halfway by the angle to both ends, and not shortened
        lengths = np.linalg.norm(middle, axis=1)
        cosines = [(middle * v).sum(1) / lengths / np.linalg.norm(v, axis=1) for v in (start, end)]
        np.testing.assert_allclose(*cosines, rtol=1e-4)
        ends = [np.linalg.norm(v, axis=1) for v in (start, end)]
        np.testing.assert_allclose(lengths, sum(ends) / 2, rtol=1e-5)
    np.testing.assert_allclose(gan.latents_between(start, start, 0.3), start, atol=1e-6)


@pytest.mark.parametrize("arguments, message", [((0, 2), "count=0"), ((1, 1), "steps=1")])
def test_interpolate_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_gan().interpolate(*arguments)


@pytest.mark.parametrize("classes", [None, 3])
def test_truncation_takes_the_samples_that_the_discriminator_finds_most_real(classes):
    gan = small_dcgan(num_classes=classes)
    size = 70  # more than are drawn at a time
    labels = None if classes is None else np.arange(size)[::-1] % classes

    def logits(samples):
        inputs = gan.media.to_model(samples)
        return gan.discriminator(inputs if labels is None else [inputs, labels], training=False).numpy().ravel()

    everything = gan.generate(size, labels, seed=4)
    np.testing.assert_array_equal(gan.generate(size, labels, seed=4, truncation=1.0), everything)
    means = [logits(gan.generate(size, labels, seed=4, truncation=share)).mean() for share in (1.0, 0.5, 0.2)]
    assert means == sorted(means) and means[0] < means[2]
    # The very best of each pair, whatever the classes are: among all candidates there is none better in a group.
    best = logits(gan.generate(size, labels, seed=4, truncation=0.5))
    network, seed = gan.ema_generator, gan._sampling_seed(4)
    for chunk in range(2):
        z = gan.sample_latents(128, tf.random.experimental.stateless_fold_in(seed, chunk))
        part = slice(64 * chunk, min(64 * (chunk + 1), size))
        z = z[: 2 * (part.stop - part.start)].numpy()
        classes_of = None if labels is None else np.repeat(labels[part], 2)
        made = network(z if labels is None else [z, classes_of], training=False).numpy()
        pairs = gan.discriminator(made if labels is None else [made, classes_of], training=False)
        np.testing.assert_allclose(best[part], np.reshape(pairs, (-1, 2)).max(1), atol=0.05)  # of rounded pixels
    few = gan.generate(3, None if labels is None else labels[:3], seed=4, truncation=0.3)
    many = gan.generate(size, labels, seed=4, truncation=0.3)
    assert np.abs(few.astype(int) - many[:3]).max() <= 1  # the first ones, whatever `count` is


def test_truncation_keeps_the_share_that_it_says():
    gan, drawn = small_dcgan(), []
    sample = gan.sample_latents
    gan.sample_latents = lambda count, seed: drawn.append(count) or sample(count, seed)
    for share, candidates in ((1.0, 64), (0.8, 80), (0.5, 128), (0.3, 213)):
        assert gan.generate(2, seed=1, truncation=share).shape == (2, 16, 16, 3)
        assert drawn.pop() == candidates


@pytest.mark.slow
def test_two_replicas_equal_one_device_and_draw_different_latents():
    code = textwrap.dedent(
        """
        import numpy as np, tensorflow as tf, keras
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        from kerasgan.game import Batch
        from kerasgan.models import DCGAN

        def build():
            keras.utils.set_random_seed(0)
            gan = DCGAN(image_shape=(16, 16, 1), latent_dim=4, width=4, normalization="none", seed=1)
            gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
            return gan

        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            gan = build()
        seeds = strategy.experimental_local_results(strategy.run(gan.next_seed))
        assert len({tuple(s.numpy()) for s in seeds}) == 2, seeds
        images = np.random.default_rng(0).uniform(-1, 1, (16, 16, 16, 1)).astype("float32")
        before = gan.discriminator.get_weights()[0]
        logs = gan.fit(tf.data.Dataset.from_tensor_slices(images).batch(8, drop_remainder=True), verbose=0).history
        assert np.isfinite(logs["generator_loss"]).all()
        assert gan.samples_seen.numpy() == 16, gan.samples_seen
        assert not np.array_equal(before, gan.discriminator.get_weights()[0])

        # Gradients are averages over the whole batch: the same fakes and reals give the same update.
        single = build()
        with strategy.scope():
            gan = build()
        real, fake = images[:8], images[8:]
        single.discriminator_step(Batch(tf.constant(real), fake=tf.constant(fake)))
        halves = [
            strategy.experimental_distribute_values_from_function(
                lambda c, a=a: tf.constant(a[4 * c.replica_id_in_sync_group :][:4])
            )
            for a in (real, fake)
        ]
        strategy.run(tf.function(lambda real, fake: gan.discriminator_step(Batch(real, fake=fake))), args=halves)
        for a, b in zip(single.discriminator.get_weights(), gan.discriminator.get_weights()):
            np.testing.assert_allclose(a, b, atol=1e-6)
        print("equal")
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("equal\n"), done.stderr[-3000:]


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count=0: expected a whole number of at least 1"),
        ({"count": 2.5}, "count=2.5"),
        ({"count": 2, "truncation": -1}, "truncation=-1"),
        ({"count": 2, "truncation": 1.2}, "truncation=1.2: expected a share above 0 and up to 1"),
        ({"count": 2, "seed": "x"}, "seed='x'"),
        ({"count": 2, "labels": 1}, "has no classes"),
    ],
)
def test_generate_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_gan().generate(**arguments)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((images(8) + 1) * 127.5, "255"),
        (np.where(np.arange(768).reshape(16, 16, 3) == 7, np.nan, images(8)), "NaN"),
        (images(8, (16, 12, 3)), "shape"),
        ((images(8) * 127 + 128).astype("uint8"), "uint8"),
    ],
    ids=["0..255", "NaN", "shape", "uint8"],
)
def test_fit_refuses_samples_before_it_trains(data, message, untrained):
    gan = untrained
    for given in (data, tf.data.Dataset.from_tensors(data)):
        with pytest.raises(ValueError, match=message):
            gan.fit(given, verbose=0)
    assert int(gan.samples_seen) == 0


def test_fit_refuses_what_cannot_be_trained_on():
    gan = linear_gan()
    with pytest.raises(ValueError, match="compile"):
        gan.fit(vectors(8))
    gan.compile()
    with pytest.raises(ValueError, match="batch_size=9 is larger than the data set of 8"):
        gan.fit(vectors(8), batch_size=9)
    with pytest.raises(ValueError, match="no batch"):
        gan.fit(tf.data.Dataset.from_tensor_slices(vectors(8)).batch(9, drop_remainder=True))
    with pytest.raises(ValueError, match="has its own batches"):
        gan.fit(tf.data.Dataset.from_tensors(vectors(8)), batch_size=4)
    conditional = CGAN(image_shape=(8, 8, 1), num_classes=3, units=8, maxout_units=8)
    conditional.compile()
    with pytest.raises(ValueError, match="5 given for 8"):
        conditional.fit(images(8, (8, 8, 1)), np.zeros(5, int))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "hinged"}, "hinge"),
        ({"penalties": ["r3"]}, "r3"),
        ({"augmentation": "rotation"}, "rotation"),
        ({"discriminator_steps": 0}, "discriminator_steps=0"),
        ({"clip_weights": -1}, "clip_weights=-1"),
        ({"ema_half_life": "long"}, "ema_half_life='long'"),
    ],
)
def test_compile_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_gan().compile(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (30, 30, 3)}, "multiples of 4"),
        ({"image_shape": (32, 32, 2)}, "channels"),
        ({"normalization": "layer"}, "normalization='layer'"),
        ({"latent": "cauchy"}, "latent='cauchy'"),
    ],
)
def test_models_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        DCGAN(**{"width": 4, **arguments})


@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 1), (32, 48, 4), (64, 32, 3)])
def test_image_shapes(shape):
    gan = DCGAN(image_shape=shape, width=4, latent_dim=4)
    samples = gan.generate(2, seed=1)
    assert samples.shape == (2, *shape) and samples.dtype == np.uint8
    assert gan.call_discriminator(tf.zeros((2, *shape))).shape == (2, 1)


def test_classes_by_name():
    gan = CGAN((8, 8, 1), num_classes=2, units=8, maxout_units=8)
    with pytest.raises(ValueError, match="'cats', but the model's classes have no names: give their numbers"):
        gan.generate(1, labels="cats")
    gan.class_names = ("cats", "dogs")
    expected = gan.generate(2, labels=[1, 0], seed=1)
    for labels in (["dogs", "cats"], ("dogs", 0), np.array(["dogs", "cats"]), np.array(["dogs", 0], object)):
        np.testing.assert_array_equal(gan.generate(2, labels=labels, seed=1), expected)
    np.testing.assert_array_equal(gan.generate(2, labels="dogs", seed=1), gan.generate(2, labels=1, seed=1))
    with pytest.raises(ValueError, match="'Cat', which is no class. Did you mean 'cats'[?] The classes are cats, dogs"):
        gan.generate(2, labels=["dogs", "Cat"])
    again = type(gan).from_config(gan.get_config())
    assert again.class_names == ("cats", "dogs") and again.get_config() == gan.get_config()
