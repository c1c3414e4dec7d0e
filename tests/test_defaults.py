"""What is derived for a training when nobody gave it."""

import numpy as np
import pytest

from kerasgan import data, defaults, registry, runs
from kerasgan.penalties import R1, get
from kerasgan.runs import preparing


@pytest.mark.parametrize(
    ("edge", "count", "expected"),
    [
        (16, None, 64),
        (64, 10_000, 64),
        (128, 10_000, 32),
        (256, 10_000, 16),
        (1024, 10_000, 4),
        (64, 200, 32),
        (64, 40, 8),
        (64, 9, 4),
        (64, 3, 2),
        (64, 1, 1),
        (None, 10_000, 64),
        (None, 100, 16),
    ],
)
def test_batch_size(edge, count, expected):
    assert defaults.batch_size(edge, count) == expected


def test_the_values_of_stylegan2_ada():
    """For 256x256 on one GPU it takes a batch of 16: gamma 0.8192, an average of 5,000 images."""
    assert defaults.r1_weight(256, 16) == pytest.approx(0.8192)
    assert defaults.ema_half_life(16) == 5000


def test_rates_fall_with_the_root_of_small_batches_and_never_rise():
    assert defaults.learning_rate(2e-4, 64) == defaults.learning_rate(2e-4, 256) == 2e-4
    assert defaults.learning_rate(2e-4, 16) == pytest.approx(1e-4)


def test_derive_leaves_what_was_given():
    given = {"learning_rate": 1e-3, "ema_half_life": 7, "penalties": []}
    assert defaults.derive(given, (2e-4, 2e-4), 64, 100, 8) == (8, given, {})
    optimizer = {"generator_optimizer": "sgd"}
    assert "learning_rate" not in defaults.derive(optimizer, (2e-4, 2e-4), 64, 100)[1]


def test_penalties_of_samples_without_edges_keep_their_weights():
    given = {"penalties": ["r1"]}
    batch, compile, chosen = defaults.derive(given, (1e-4, 1e-4), None, 3000)
    assert batch == 64 and compile["penalties"] == ["r1"] and "gamma" not in chosen


def test_derive_says_what_it_chose():
    batch, compile, chosen = defaults.derive({"penalties": ["r1", "gradient_penalty"]}, (2e-4, 1e-4), 64, 64)
    assert batch == 16
    assert chosen == {"batch_size": 16, "learning_rate": [1e-4, 5e-5], "ema_half_life": 5000, "gamma": 0.0512}
    assert compile["learning_rate"] == [1e-4, 5e-5] and compile["ema_half_life"] == 5000
    r1, other = (get(penalty) for penalty in compile["penalties"])
    assert isinstance(r1, R1) and r1.weight == 0.0512 and other.name == "gradient_penalty"


def test_a_type_may_say_what_its_rates_are_for():
    batch, compile, _ = defaults.derive({}, (6e-4, 2e-4), 64, 4000, largest=16)
    assert batch == 16 and compile["learning_rate"] == [6e-4, 2e-4]
    assert defaults.derive({}, (6e-4, 2e-4), 64, 16, largest=16)[1]["learning_rate"] == [3e-4, 1e-4]  # a batch of 4


def test_rates_of_the_optimizers_that_a_type_starts_from_follow_the_batch():
    photos = data.images(np.zeros((16, 16, 16, 3), "uint8"), size=16, batch_size=1)
    recipe, batches = preparing.with_derived_values(registry.resolve("dcgan"), photos, 1)
    assert recipe.batch_size == batches.element_spec.shape[0] == 4
    assert recipe.compile["learning_rate"] == [3e-4, 1e-4]
    own = runs.changed(registry.resolve("dcgan"), {"compile.generator_optimizer": "sgd"})
    assert "learning_rate" not in preparing.with_derived_values(own, photos, 1)[0].compile


def test_a_derived_batch_can_be_shared_among_devices():
    for devices, expected in ((1, 64), (2, 64), (3, 66), (6, 66)):
        assert defaults.derive({}, (2e-4, 2e-4), 64, 10_000, devices=devices)[0] == expected
    assert defaults.derive({}, (2e-4, 2e-4), 64, 10_000, batch=50, devices=4)[0] == 50  # refused later, with a message
