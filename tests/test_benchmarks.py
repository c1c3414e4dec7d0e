"""What benchmarks/training_step.py counts and how it reports."""

import importlib.util
import itertools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasgan.models import DCGAN

PATH = pathlib.Path(__file__).parents[1] / "benchmarks" / "training_step.py"


@pytest.fixture
def benchmark(monkeypatch):
    """The benchmark as a module, on networks that are small."""
    spec = importlib.util.spec_from_file_location("training_step", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in {"SIZE": 16, "WIDTH": 2, "BATCH": 4, "LATENTS": 5}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_multiply_adds(benchmark):
    down = [keras.Input((8, 8, 3)), layers.Conv2D(5, 4, 2, "same"), layers.Flatten(), layers.Dense(7)]
    assert benchmark.multiply_adds(keras.Sequential(down)) == [4 * 4 * 5 * 4 * 4 * 3, 4 * 4 * 5 * 7]
    up = [keras.Input((4, 4, 5)), layers.BatchNormalization(), layers.Conv2DTranspose(3, 4, 2, "same")]
    assert benchmark.multiply_adds(keras.Sequential(up)) == [4 * 4 * 5 * 4 * 4 * 3]


def test_step_operations(benchmark):
    """Every pass of every layer, in the order in which the step makes them."""
    gan = DCGAN((16, 16, 3), 5, 2)
    g, d = benchmark.multiply_adds(gan.generator), benchmark.multiply_adds(gan.discriminator)
    passes = [*g, *d, *d]  # forward: fakes; real and fake for the discriminator
    passes += 2 * [*d, *d[1:]]  # its gradients: weights, and inputs of all layers but the first
    passes += [*d, *d]  # generator: forward through the discriminator, back through all of it
    passes += [*g, *g[1:]]  # its gradients
    assert benchmark.step_operations(gan.generator, gan.discriminator) == 2 * sum(passes)


@pytest.mark.parametrize("side", [16, 32])
def test_contestants_have_the_same_networks(benchmark, monkeypatch, side):
    monkeypatch.setattr(benchmark, "SIZE", side)
    gan = DCGAN((side, side, 3), 5, 2)
    for ours, naive in zip((gan.generator, gan.discriminator), benchmark.naive_networks(), strict=True):
        assert [v.shape for v in ours.trainable_variables] == [v.shape for v in naive.trainable_variables]
        naive.set_weights(ours.get_weights())
        inputs = tf.random.normal((3, *ours.input_shape[1:]))
        np.testing.assert_allclose(ours(inputs), naive(inputs), atol=1e-5)


def test_naive_step_trains_both_players(benchmark):
    gan = benchmark.naive_gan()
    before = gan.generator.get_weights(), gan.discriminator.get_weights()
    benchmark.as_fit_does(gan, tf.random.uniform((4, 16, 16, 3)))()
    for old, player in zip(before, (gan.generator, gan.discriminator), strict=True):
        assert all((a != b).any() for a, b in zip(old, player.get_weights(), strict=True))


def test_burst_takes_at_least_a_step_and_the_time(benchmark, monkeypatch):
    clock = itertools.count(10)
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: next(clock))
    steps = []
    assert benchmark.burst(lambda: steps.append(0), 3.0) == 1.0 and len(steps) == 3
    assert benchmark.burst(lambda: steps.append(0), 0.0) == 1.0 and len(steps) == 4


def test_table_compares_within_a_round(benchmark):
    """The machine is half as fast in the second round: no ratio and no share may notice."""
    rates = {
        ("kerasgan", "bfloat16"): [2.0, 1.0],
        ("PyTorch, channels_last", "bfloat16"): [1.0, 0.5],
        ("naive Keras", "bfloat16"): [1.6, 0.8],
        ("matrix product", "bfloat16"): [10.0, 5.0],
    }
    operations = 2 * 2048**3 * 10 / (4 * 2.0) / 4  # a quarter of what a product's rate allows
    heading, _, ours, naive, torch, product = benchmark.table(rates, operations)
    assert ours.startswith("| kerasgan | bfloat16 | 6.0 (4.0 to 8.0) |  | 25 % (25 % to 25 %) |")
    assert "| 1.25 (1.25 to 1.25) | 20 % (20 % to 20 %) |" in naive
    assert torch.startswith("| PyTorch, channels_last | bfloat16 | 3.0 (2.0 to 4.0) | 2.00 (2.00 to 2.00) |")
    assert "129 (86 to 172) GFLOP/s" in product
    assert {line.count("|") for line in (heading, ours, naive, torch, product)} == {6}
