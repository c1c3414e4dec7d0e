"""Copies are found, honest samples are not accused."""

import numpy as np
import pytest

from kerasgan.metrics.memorization import memorization


def features(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 8))


TRAINING, HELD_OUT, FAKE = features(500, 0), features(400, 1), features(400, 2)


@pytest.mark.parametrize("held_out", [HELD_OUT, None])
def test_honest_samples_have_the_share_of_the_quantile(held_out):
    assert memorization(TRAINING, FAKE, held_out).share == pytest.approx(0.05, abs=0.04)
    assert memorization(TRAINING, FAKE, held_out, quantile=0.5).share == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("held_out", [HELD_OUT, None])
def test_copies_are_found(held_out):
    fake = FAKE.copy()
    fake[:100] = TRAINING[200:300] + 0.01
    found = memorization(TRAINING, fake, held_out)
    assert found.share == pytest.approx(0.25 + 0.75 * 0.05, abs=0.04)
    np.testing.assert_array_equal(found.indices[:100], np.arange(200, 300))
    np.testing.assert_allclose(found.distances[:100], 0.01 * np.sqrt(8), rtol=1e-6)
    assert (found.distances[:100] < found.threshold).all()


def test_everything_copied():
    found = memorization(TRAINING, TRAINING[::-1].copy(), HELD_OUT)
    assert found.share == 1.0 and (found.distances == 0.0).all()
    np.testing.assert_array_equal(found.indices, np.arange(500)[::-1])


def test_threshold_is_the_quantile_of_the_held_out_distances():
    nearest = np.sqrt(((HELD_OUT[:, None] - TRAINING) ** 2).sum(2)).min(1)
    found = memorization(TRAINING, FAKE, HELD_OUT, quantile=0.1, block=64)
    assert found.threshold == pytest.approx(np.quantile(nearest, 0.1))
    assert found.share == np.mean(found.distances <= found.threshold)


def test_training_samples_are_held_out_in_turn():
    distances = np.sqrt(((TRAINING[:, None] - TRAINING) ** 2).sum(2))
    np.fill_diagonal(distances, np.inf)
    assert memorization(TRAINING, FAKE).threshold == pytest.approx(np.quantile(distances.min(1), 0.05))


def test_errors():
    for quantile in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="quantile="):
            memorization(TRAINING, FAKE, quantile=quantile)
    with pytest.raises(ValueError, match="real_features has 1 samples; expected 2"):
        memorization(TRAINING[:1], FAKE)
    with pytest.raises(ValueError, match="real_features has 8 dimensions and held_out_features has 7"):
        memorization(TRAINING, FAKE, HELD_OUT[:, :7])
    with pytest.raises(ValueError, match="real_features has 8 dimensions and fake_features has 7"):
        memorization(TRAINING, FAKE[:, :7])
