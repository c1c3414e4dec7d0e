"""Streamed mean and covariance against NumPy's on all features at once."""

import numpy as np
import pytest

from kerasgan.metrics import moments as module
from kerasgan.metrics.moments import Moments


def features(count, dimensions=5, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, dimensions)) @ random.normal(size=(dimensions, dimensions)) + 3.0


def assert_moments_of(moments, samples):
    assert moments.count == len(samples) and moments.dimensions == samples.shape[1]
    np.testing.assert_allclose(moments.mean, samples.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(samples, rowvar=False), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batches", [(100,), (1, 99), (60, 0, 39, 1), (1,) * 100])
def test_batches_of_any_size(batches):
    samples = features(100)
    moments = Moments(5)
    for batch in np.split(samples, np.cumsum(batches)[:-1]):
        moments.update(batch)
    assert_moments_of(moments, samples)


def test_long_arrays_are_added_in_blocks(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 1)
    samples = features(600)
    assert_moments_of(Moments.of(samples), samples)


def test_mean_that_is_large_beside_the_deviations():
    samples = features(200)
    moments = Moments(5)
    for batch in np.split(samples + 1e6, 20):
        moments.update(batch)
    np.testing.assert_allclose(moments.covariance, np.cov(samples, rowvar=False), rtol=1e-7)


def test_single_precision_is_summed_in_double():
    samples = (features(5000) + 100.0).astype("float32")
    before = samples.copy()
    assert_moments_of(Moments.of(samples), samples.astype("float64"))
    np.testing.assert_array_equal(samples, before)


def test_covariance_is_symmetric_bit_for_bit():
    moments = Moments.of(features(50))
    moments.merge(Moments.of(features(70, seed=1)))
    np.testing.assert_array_equal(moments.covariance, moments.covariance.T)


@pytest.mark.parametrize("sizes", [(30, 70), (1, 99), (0, 100), (100, 0)])
def test_merge(sizes):
    samples = features(100)
    first, second = Moments(5), Moments(5)
    first.update(samples[: sizes[0]])
    second.update(samples[sizes[0] :])
    first.merge(second)
    assert_moments_of(first, samples)
    assert second.count == sizes[1]


def test_one_dimension():
    samples = features(20, dimensions=1)
    moments = Moments.of(samples)
    assert moments.covariance.shape == (1, 1)
    np.testing.assert_allclose(moments.covariance[0, 0], samples.var(ddof=1))


def test_results_are_copies():
    moments = Moments.of(features(20))
    mean = moments.mean
    moments.mean[:] = 0.0
    moments.covariance[:] = 0.0
    moments.to_arrays()["scatter"][:] = 0.0
    np.testing.assert_array_equal(moments.mean, mean)
    assert np.trace(moments.covariance) > 0.1


def test_arrays_in_a_file(tmp_path):
    samples = features(40)
    moments = Moments.of(samples[:25])
    np.savez(tmp_path / "moments.npz", **moments.to_arrays())
    with np.load(tmp_path / "moments.npz") as arrays:
        restored = Moments.from_arrays(arrays)
    np.testing.assert_array_equal(restored.covariance, moments.covariance)
    restored.update(samples[25:])
    assert_moments_of(restored, samples)


def test_broken_arrays():
    arrays = Moments.of(features(10)).to_arrays()
    with pytest.raises(ValueError, match="lacks scatter"):
        Moments.from_arrays({"count": arrays["count"], "mean": arrays["mean"]})
    with pytest.raises(ValueError, match=r"scatter \(4, 5\)"):
        Moments.from_arrays({**arrays, "scatter": arrays["scatter"][1:]})
    with pytest.raises(ValueError, match="not|NaN"):
        Moments.from_arrays({**arrays, "mean": np.full(5, np.nan)})


def test_refused_batch_changes_nothing():
    moments = Moments.of(features(10))
    covariance = moments.covariance
    with pytest.raises(ValueError, match="Moments has 5 dimensions and features has 4"):
        moments.update(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="1 NaN or infinite values among 15, the first one in row 2"):
        moments.update(np.vstack([np.zeros((2, 5)), [[0, 1, np.inf, 2, 3]]]))
    assert moments.count == 10
    np.testing.assert_array_equal(moments.covariance, covariance)


def test_errors():
    with pytest.raises(ValueError, match="dimensions=0"):
        Moments(0)
    with pytest.raises(ValueError, match="have 0 samples; expected 1"):
        Moments(3).mean  # noqa: B018
    with pytest.raises(ValueError, match="have 1 samples; expected 2"):
        Moments.of(np.ones((1, 3))).covariance  # noqa: B018
    with pytest.raises(ValueError, match="other is of type ndarray"):
        Moments(3).merge(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="Moments has 3 dimensions and other has 2"):
        Moments(3).merge(Moments(2))
