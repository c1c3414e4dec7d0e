"""MS-SSIM over pairs."""

import numpy as np
import pytest
from photographs import photographs

from kerasgan.metrics.diversity import _draw, ms_ssim_diversity
from kerasgan.metrics.ssim import ms_ssim


def test_two_images_have_one_pair():
    images = photographs(2, 24)
    value, error = ms_ssim_diversity(images, pairs=5)
    np.testing.assert_allclose(value, ms_ssim(images[:1], images[1:])[0], atol=1e-6)
    assert error < 1e-6


def test_copies_score_one_and_mode_drop_scores_higher():
    images = photographs(24, 24, seed=1)
    assert ms_ssim_diversity(np.repeat(images[:1], 6, axis=0), pairs=10).value == pytest.approx(1.0, abs=1e-6)
    dropped = images[np.arange(24) % 3]
    assert ms_ssim_diversity(dropped, pairs=100).value > ms_ssim_diversity(images, pairs=100).value + 0.1


def test_estimates_the_mean_over_all_pairs():
    images = photographs(8, 16, channels=1, seed=2)
    first, second = np.triu_indices(8, 1)
    expected = ms_ssim(images[first], images[second]).mean()
    value, error = ms_ssim_diversity(images, pairs=400, seed=3)
    assert abs(value - expected) < 4 * error and 0 < error < 0.05


def test_standard_error_is_that_of_the_pairs():
    images = photographs(8, 16, channels=1)
    first, second = _draw([np.arange(8)], 50, np.random.default_rng(5))
    values = ms_ssim(images[first], images[second])
    result = ms_ssim_diversity(images, pairs=50, seed=5)
    np.testing.assert_allclose(result, (values.mean(), values.std(ddof=1) / np.sqrt(50)), rtol=1e-6)


def test_pairs_are_of_two_images_all_equally_likely():
    first, second = _draw([np.arange(4)], 12_000, np.random.default_rng(0))
    counts = np.zeros((4, 4))
    np.add.at(counts, (first, second), 1)
    assert (np.diag(counts) == 0).all()
    np.testing.assert_allclose(counts[~np.eye(4, dtype=bool)], 1000, rtol=0.15)


def test_pairs_within_classes():
    labels = np.array([0, 7, 0, 7, 7])
    groups = [np.flatnonzero(labels == label) for label in (0, 7)]
    first, second = _draw(groups, 41, np.random.default_rng(0))
    assert (labels[first] == labels[second]).all() and (first != second).all()
    assert np.bincount(labels[first])[[0, 7]].tolist() == [21, 20]
    plain = np.repeat(photographs(2, 16), [2, 3], axis=0)[[0, 2, 1, 3, 4]]  # one picture for each class
    assert ms_ssim_diversity(plain, pairs=10, labels=labels).value == pytest.approx(1.0, abs=1e-6)
    assert ms_ssim_diversity(plain, pairs=50).value < 0.95


def test_same_seed_same_value():
    images = photographs(6, 16, channels=1)
    assert ms_ssim_diversity(images, 10, seed=1) == ms_ssim_diversity(images, 10, seed=1)
    assert ms_ssim_diversity(images, 10, seed=1) != ms_ssim_diversity(images, 10, seed=2)


@pytest.mark.parametrize(
    "images, options, message",
    [
        (photographs(1, 16), {}, "1 images given; expected at least 2"),
        (photographs(3, 16), {"labels": [0, 0, 4]}, "1 images of class 4"),
        (photographs(3, 16), {"labels": [0, 0]}, r"labels are int64 of shape \(2,\)"),
        (photographs(2, 16), {"labels": [0.0, 0.0]}, "labels are float64"),
        (photographs(2, 16), {"pairs": 1}, "pairs=1"),
        (photographs(6, 16), {"pairs": 2, "labels": [0, 0, 1, 1, 2, 2]}, "pairs=2; .* at least 3"),
        (photographs(3, 8), {}, "8 x 8; expected at least 11 x 11"),
    ],
)
def test_errors(images, options, message):
    with pytest.raises(ValueError, match=message):
        ms_ssim_diversity(images, **options)
