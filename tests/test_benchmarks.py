"""What the benchmarks of the training step count and how they report."""

import argparse
import itertools
import pathlib

import forked
import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from keras import layers

from kerasgan.game import Batch
from kerasgan.media import image
from kerasgan.models import CGAN, DCGAN, WGAN, WGANGP

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"
SMALL = {"image_shape": (16, 16, 3), "latent_dim": 5, "width": 2}


@pytest.fixture(autouse=True)
def path(monkeypatch):
    """The scripts import what is beside them."""
    monkeypatch.syspath_prepend(BENCHMARKS)


def run(script, *arguments):
    """A script's output."""
    done = forked.run(BENCHMARKS / script, *arguments, environment={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(row):
    """The first number of each cell that has one."""
    cells = [cell.split() for cell in row.split("|")]
    return [float(cell[0]) for cell in cells if cell and cell[0].replace(".", "").isdigit()]


# Texts of an oracle


def test_text_oracle():
    """Every model has two numbers at each temperature; the end says where likelihood alone is as good."""
    printed = run("text_oracle.py", "--quick")
    rows = [row for row in printed.splitlines() if row.startswith("| ") and row[2].isdigit()]
    assert [len(numbers(row)) for row in rows] == [7] * 7
    assert "SeqGAN against its start at temperature 1: oracle" in printed and "RelGAN against" in printed


def test_text_oracle_judges_by_likelihood():
    """A layer's own texts are as unlikely to it as its entropy says; flat ones cost the logarithm of the vocabulary."""
    import text_oracle

    layer = text_oracle.oracle(9, seed=1)
    own = text_oracle.written(layer, 2000, 4, seed=2)
    others = text_oracle.written(layer, 2000, 4, seed=3)
    assert text_oracle.unlikely(layer, own) == pytest.approx(text_oracle.unlikely(layer, others), rel=0.05)
    assert text_oracle.unlikely(layer, own, temperature=1e6) == pytest.approx(np.log(9), rel=1e-3)
    assert text_oracle.unlikely(layer, text_oracle.written(layer, 2000, 4, 2, 0.5)) < text_oracle.unlikely(layer, own)
    curve = [(3.0 - 0.1 * n, 2.0 + 0.1 * n) for n in range(7)]  # falling with the other, temperatures as they are
    assert text_oracle.at_the_same(curve, 2.25) == pytest.approx(2.75) and text_oracle.at_the_same(curve, 9) is None


# Training step


def test_multiply_adds():
    import keras_steps

    down = [keras.Input((8, 8, 3)), layers.Conv2D(5, 4, 2, "same"), layers.Flatten(), layers.Dense(7)]
    assert keras_steps.multiply_adds(keras.Sequential(down)) == [4 * 4 * 5 * 4 * 4 * 3, 4 * 4 * 5 * 7]
    up = [keras.Input((4, 4, 5)), layers.BatchNormalization(), layers.Conv2DTranspose(3, 4, 2, "same")]
    assert keras_steps.multiply_adds(keras.Sequential(up)) == [4 * 4 * 5 * 4 * 4 * 3]


def test_step_operations():
    """Every pass of every layer, in the order in which the step makes them."""
    import keras_steps

    gan = DCGAN(**SMALL)
    g, d = keras_steps.multiply_adds(gan.generator), keras_steps.multiply_adds(gan.discriminator)
    passes = [*g, *d, *d]  # forward: fakes; real and fake for the discriminator
    passes += 2 * [*d, *d[1:]]  # its gradients: weights, and inputs of all layers but the first
    passes += [*d, *d]  # generator: forward through the discriminator, back through all of it
    passes += [*g, *g[1:]]  # its gradients
    assert keras_steps.step_operations(gan.generator, gan.discriminator) == 2 * sum(passes)


def test_operations_of_one_stage():
    import keras_steps

    gan = DCGAN(**SMALL, normalization="none")
    g, d = keras_steps.multiply_adds(gan.generator), keras_steps.multiply_adds(gan.discriminator)
    passes = [*g, *d, *d]  # forward: fakes; real and fake together
    passes += [*d, *d, *d[1:], *d]  # weights; inputs for the real ones, and for the fakes down to the samples
    passes += [*g, *g[1:]]
    assert keras_steps.step_operations(gan.generator, gan.discriminator, one_stage=True) == 2 * sum(passes)


@pytest.mark.parametrize("gan_class", [DCGAN, CGAN])
def test_naive_networks_are_the_same_of_keras_layers(gan_class):
    import keras_steps

    gan = DCGAN(**SMALL) if gan_class is DCGAN else CGAN(image_shape=(8, 8, 1), num_classes=3, latent_dim=4)
    for network in (gan.generator, gan.discriminator):
        naive = keras_steps.with_keras_layers(network)
        assert all(type(layer).__module__.startswith("keras.") for layer in naive.layers)
        assert not {id(v) for v in naive.variables} & {id(v) for v in network.variables}
        naive.set_weights(network.get_weights())
        inputs = [tf.random.normal((3, *i.shape[1:])) for i in network.inputs[:1]]
        inputs += [tf.constant([0, 1, 2]) for _ in network.inputs[1:]]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        for training in (False, True):
            found, expected = naive(inputs, training=training), network(inputs, training=training)
            if not training or gan_class is DCGAN:  # dropout draws numbers of its own
                np.testing.assert_allclose(found, expected, atol=1e-5)


def small_types():
    yield DCGAN(**SMALL), None
    yield WGAN(**SMALL, normalization="none"), None
    yield WGANGP(**SMALL), None
    yield CGAN(image_shape=(16, 16, 3), num_classes=3, latent_dim=4), 3


@pytest.fixture
def eager_functions():
    """Functions run without a graph, which takes longer to trace than a step."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_naive_step_trains_both_players_of_every_kind(eager_functions):
    import keras_steps

    for gan, classes in small_types():
        gan.compile(discriminator_steps=2)
        naive = keras_steps.NaiveGAN(gan)
        before = naive.generator.get_weights(), naive.discriminator.get_weights()
        real = tf.random.uniform((8, 16, 16, 3), -1, 1)
        keras_steps.as_fit_does(naive, (real, tf.range(8) % classes) if classes else real)()
        for old, player in zip(before, (naive.generator, naive.discriminator), strict=True):
            pairs = zip(old, player.get_weights(), strict=True)
            assert all((a != b).any() for a, b in pairs if a.ndim > 1)  # a critic's last bias cancels out of its loss
        assert int(naive.d_optimizer.iterations) == 2 and int(naive.g_optimizer.iterations) == 1
        if gan.clip_weights:
            assert max(abs(w).max() for w in map(np.array, naive.discriminator.trainable_weights)) <= 0.01001


def test_naive_discriminator_learns_what_ours_does():
    """The same loss, penalty and optimizer: from the same weights on the same samples, the same gradients."""
    import keras_steps

    gan = WGANGP(**SMALL, seed=0)
    gan.compile(penalties=["r1"])  # draws no random numbers
    naive = keras_steps.NaiveGAN(gan)
    naive.discriminator.set_weights(gan.discriminator.get_weights())
    real, fake = (tf.random.stateless_uniform((4, 16, 16, 3), (0, n), -1.0, 1.0) for n in range(2))
    naive.fakes = lambda count, labels: fake
    gan.discriminator_step(Batch(real, fake=fake))
    naive.discriminator_step(real, None)
    for ours, theirs in zip(gan.discriminator.get_weights(), naive.discriminator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_burst_takes_at_least_a_step_and_the_time(monkeypatch):
    import turns

    clock = itertools.count(10)
    monkeypatch.setattr(turns.time, "perf_counter", lambda: next(clock))
    steps = []
    assert turns.burst(lambda: steps.append(0), 3.0) == 1.0 and len(steps) == 3
    assert turns.burst(lambda: steps.append(0), 0.0) == 1.0 and len(steps) == 4


def test_everyone_begins_a_round_once():
    import turns

    order = []
    each = {name: lambda seconds, name=name: order.append(name) or len(order) for name in "abc"}
    rates = turns.measure(each, 3, 1.0)
    assert "".join(order) == "abcbcacab"
    assert rates == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}


def test_table_compares_within_a_round():
    """The machine is half as fast in the second round: no ratio and no share may notice."""
    import training_step

    rates = {
        ("kerasgan", "bfloat16"): [2.0, 1.0],
        ("naive Keras", "bfloat16"): [1.6, 0.8],
        ("PyTorch, channels_last", "bfloat16"): [1.0, 0.5],
        ("matrix product", "bfloat16"): [10.0, 5.0],
    }
    operations = {"kerasgan": 2 * 2048**3 * 10 / (4 * 2.0) / 4}  # a quarter of what a product's rate allows
    heading, _, ours, naive, torch, product = training_step.table(rates, 4, operations)
    assert "kerasgan is faster by" in heading
    assert ours.startswith("| kerasgan | bfloat16 | 6.0 (4.0 to 8.0) |  | 25 % (25 % to 25 %) |")
    assert "| 1.25 (1.25 to 1.25) | 20 % (20 % to 20 %) |" in naive
    assert torch.startswith("| PyTorch, channels_last | bfloat16 | 3.0 (2.0 to 4.0) | 2.00 (2.00 to 2.00) |")
    assert "129 (86 to 172) GFLOP/s" in product
    assert {line.count("|") for line in (heading, ours, naive, torch, product)} == {6}


def test_table_of_one_stage_counts_its_own_operations():
    import training_step

    rates = {
        ("kerasgan, one stage", "bfloat16"): [3.0],
        ("kerasgan", "bfloat16"): [2.0],
        ("matrix product", "bfloat16"): [10.0],
    }
    product = 2 * 2048**3 * 10  # operations a second
    heading, _, one, two, _ = training_step.table(
        rates, 1, {"kerasgan, one stage": product / 6, "kerasgan": product / 8}
    )
    assert "kerasgan, one stage is faster by" in heading
    assert "50 % (" in one and "| 1.50 (1.50 to 1.50) | 25 % (" in two


def test_onednn_script():
    lines = run("onednn.py", "--types", "vanilla_gan", "--size", 8, "--batch", 2, "--rounds", 1, "--seconds", 0)
    heading, _, row = lines.splitlines()
    assert "faster by" in heading and row.startswith("| `vanilla_gan` | ") and numbers(row)[0] > 0


def test_one_stage_script():
    """Every contestant of the Keras process trains, and ratios are those of the images per second."""
    tiny = ["--size", 16, "--width", 2, "--batch", 4, "--rounds", 1, "--seconds", 0, "--formats", "float32"]
    lines = run("training_step.py", "--game", "one_stage", *tiny).splitlines()
    rows = {row.split("|")[1].strip(): numbers(row) for row in lines if row.startswith("| ")}
    for name in ("kerasgan, one stage", "kerasgan", "naive Keras"):
        assert rows[name][0] > 0
    assert rows["kerasgan"][1] == pytest.approx(rows["kerasgan, one stage"][0] / rows["kerasgan"][0], abs=0.06)


def test_types_script():
    types = ["vanilla_gan"]
    lines = run(
        *("training_step.py", "--types", *types, "--size", 16, "--batch", 2),
        *("--rounds", 1, "--seconds", 0, "--formats", "float32", "float16"),
    ).splitlines()
    rows = [row for row in lines if row.startswith("| ") and "float32" in row]
    assert [row.split("|")[1].strip() for row in rows] == types
    assert all(len(numbers(row)) == 3 and min(numbers(row)) > 0 for row in rows)
    assert not any("float16" in row for row in lines)  # without a GPU


# Scaling


def settings(**changed):
    values = {"batches": [4, 16], "sizes": [16, 32], "devices": [2, 1], "parts": [1, 2], "batch": 8, "size": 32}
    return argparse.Namespace(**{**values, **changed})


def test_axes_change_one_thing_and_have_what_they_are_compared_with():
    import scaling

    base, groups = scaling.axes(settings(), available=2)
    batch, resolution, devices, parts = groups
    assert base == scaling.Point(32, 8)
    assert batch.values == [4, 8, 16] and [p.batch for p in batch.points] == batch.values
    assert resolution.values == [16, 32] and [p.size for p in resolution.points] == resolution.values
    assert devices.points == [scaling.Point(32, 8), scaling.Point(32, 16, devices=2)]
    assert parts.points == [scaling.Point(32, 16), scaling.Point(32, 16, parts=2)]
    every = {point for axis in groups for point in axis.points}
    assert {point._replace(devices=1, parts=1) for point in every} <= every


def test_only_devices_that_there_are():
    import scaling

    _, groups = scaling.axes(settings(devices=[1, 2, 8]), available=2)
    assert groups[2].values == [1, 2]


def test_scaling_table_compares_within_a_round():
    import scaling

    base, whole, split = scaling.Point(32, 8), scaling.Point(32, 16), scaling.Point(32, 16, devices=2)
    rates = {base: [10.0, 5.0], whole: [20.0, 10.0], split: [15.0, 7.5]}
    axes = [scaling.Axis("batch", [8, 16], [base, whole]), scaling.Axis("devices", [1, 2], [base, split])]
    *_, first, second, same, last = scaling.table(rates, base, axes)
    assert first == same.replace("devices | 1", "batch | 8") == "| batch | 8 | 7.5 (5.0 to 10.0) | base |  |"
    assert second.endswith("| 2.00 (2.00 to 2.00) |  |")
    assert last.endswith("| 1.50 (1.50 to 1.50) | 0.75 (0.75 to 0.75) |")


def test_scaling_script(tmp_path):
    """Two devices of one CPU, a batch in two parts, and a picture with a panel for each axis."""
    axes = ["--batches", 4, 8, "--sizes", 16, "--devices", 1, 2, "--parts", 1, 2]
    base = ["--batch", 4, "--size", 16, "--width", 2, "--rounds", 1, "--seconds", 0]
    output = run("scaling.py", *axes, *base, "--plot", tmp_path / "scaling.png")
    rows = [row for row in output.splitlines() if row.startswith("| ") and "images/s" not in row and "---" not in row]
    assert len(rows) == 7 and all(len(numbers(row)) >= 2 for row in rows)
    assert "logical devices of one CPU" in output
    height, width, _ = tf.io.decode_png((tmp_path / "scaling.png").read_bytes()).shape
    assert width > 2 * height > 400


# Half an hour of auto


def test_auto_beside_r3gan(tmp_path):
    """A row for each, and a sheet of 6x6 samples of each, with white between them."""
    random = np.random.default_rng(0)
    data = tmp_path / "data"
    data.mkdir()
    for number in range(64):
        PIL.Image.fromarray(random.integers(0, 256, (16, 16, 3), "uint8")).save(data / f"{number}.png")
    arguments = (
        "--data",
        data,
        "--out",
        tmp_path / "out",
        "--minutes",
        "0.01",
        "--only",
        "auto,r3gan",
        "--count",
        "64",
    )
    printed = run("auto.py", *map(str, arguments))
    rows = [row for row in printed.splitlines() if row.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == ["auto", "r3gan"]
    assert all(len(numbers(row.replace(",", ""))) == 3 for row in rows)
    sheet = np.asarray(PIL.Image.open(tmp_path / "out" / "sheet.png"))
    edge = 6 * 16 + 5 * image.GAP
    assert sheet.shape == (edge, 2 * edge + 8, 3) and (sheet[:, edge : edge + 8] == 255).all()
