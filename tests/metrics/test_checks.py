"""What every score on features refuses, and which way every score moves."""

import warnings

import numpy as np
import pytest

from kerasgan.metrics import checks
from kerasgan.metrics.frechet import FewSamples, frechet_distance
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.memorization import memorization
from kerasgan.metrics.neighbours import density_coverage, nearest, neighbour_scores, precision_recall

SCORES = (
    frechet_distance,
    kernel_distance,
    precision_recall,
    density_coverage,
    neighbour_scores,
    memorization,
    nearest,
)
GOOD = np.random.default_rng(0).normal(size=(30, 4))
WITH_NAN = np.where(np.arange(120).reshape(30, 4) == 50, np.nan, GOOD)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "bad, message",
    [
        (WITH_NAN, "1 NaN or infinite values among 120, the first one in row 12"),
        (GOOD[:, :3], "dimensions.*same number"),
        (GOOD[0], r"shape \(4,\); expected \(samples, dimensions\)"),
        (GOOD[:, :0], r"shape \(30, 0\)"),
        (GOOD.reshape(30, 2, 2), r"shape \(30, 2, 2\)"),
        (GOOD[:0], "has 0 samples; expected"),
        ((GOOD * 9).astype("int32"), "dtype int32; expected floats"),
        (GOOD.astype("complex64"), "dtype complex64"),
    ],
)
def test_bad_features(score, side, bad, message):
    with pytest.raises(ValueError, match=message):
        score(*((bad, GOOD) if side == 0 else (GOOD, bad)))


def test_first_broken_row_of_many(monkeypatch):
    monkeypatch.setattr(checks, "_ROWS", 5)
    bad = WITH_NAN.copy()
    bad[20] = np.inf
    with pytest.raises(ValueError, match="5 NaN or infinite values among 120, the first one in row 12"):
        checks.features(bad, "features")


@pytest.mark.parametrize("value", [True, 1.0, "3", None, 6, 1])
def test_whole(value):
    with pytest.raises(ValueError, match="k=.* 2 to 5, because"):
        checks.whole(value, "k", 2, 5, ", because")
    assert checks.whole(np.int64(3), "k", 2, 5) == 3


# Real samples are of 6 classes; each change makes the fakes worse in one respect. -----------------------------------

RANDOM = np.random.default_rng(1)
CENTRES = 4.0 * RANDOM.normal(size=(6, 8))


def samples(count=300, classes=6, noise=0.0, shrink=1.0):
    chosen = CENTRES[RANDOM.integers(0, classes, count)]
    return chosen + shrink * RANDOM.normal(size=(count, 8)) + noise * RANDOM.normal(size=(count, 8))


REAL, FAKE, NOISY, DROPPED, BLURRED = samples(), samples(), samples(noise=2.0), samples(classes=3), samples(shrink=0.3)


@pytest.mark.parametrize("worse", [NOISY, DROPPED, BLURRED, np.repeat(FAKE[:10], 30, axis=0)])
def test_distances_grow(worse):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewSamples)
        assert frechet_distance(REAL, worse) > 2.0 * frechet_distance(REAL, FAKE)
    assert kernel_distance(REAL, worse).value > kernel_distance(REAL, FAKE).value + 1e-3


def test_neighbour_scores_tell_quality_from_variety():
    good, noisy = neighbour_scores(REAL, FAKE), neighbour_scores(REAL, NOISY)
    dropped, blurred = neighbour_scores(REAL, DROPPED), neighbour_scores(REAL, BLURRED)
    assert min(good) > 0.8 and good.density == pytest.approx(1.0, abs=0.15)
    assert noisy.precision < 0.5 * good.precision and noisy.density < 0.5 * good.density
    assert dropped.recall < 0.7 * good.recall and dropped.coverage < 0.7 * good.coverage
    assert dropped.precision > 0.9 * good.precision
    assert blurred.precision > 0.9 and blurred.recall < 0.7 * good.recall
