"""Neighbour scores against their definitions, sample by sample; blocks change nothing; ties are decided."""

import tracemalloc

import numpy as np
import pytest

from kerasgan.metrics import neighbours
from kerasgan.metrics.neighbours import density_coverage, nearest, neighbour_scores, precision_recall


def features(count, seed, shift=0.0, dimensions=4):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) + shift


REAL, FAKE = features(60, 0), features(50, 1, 0.7)


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum())


def naive_radii(samples, k):
    return [sorted(distance(a, b) for j, b in enumerate(samples) if j != i)[k - 1] for i, a in enumerate(samples)]


def naive_scores(real, fake, k):
    """(precision, recall, density, coverage)"""
    r, f = naive_radii(real, k), naive_radii(fake, k)
    near = [[distance(a, b) for b in fake] for a in real]
    in_real = np.array([[near[i][j] < r[i] for j in range(len(fake))] for i in range(len(real))])
    in_fake = np.array([[near[i][j] < f[j] for j in range(len(fake))] for i in range(len(real))])
    return in_real.any(0).mean(), in_fake.any(1).mean(), in_real.sum() / (k * len(fake)), in_real.any(1).mean()


@pytest.mark.parametrize("block", [1, 7, 50, 1024])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_definitions(k, block):
    expected = naive_scores(REAL, FAKE, k)
    assert precision_recall(REAL, FAKE, k, block) == pytest.approx(expected[:2])
    assert density_coverage(REAL, FAKE, k, block) == pytest.approx(expected[2:])
    assert neighbour_scores(REAL, FAKE, k, block=block) == pytest.approx(expected)


def test_two_neighbourhood_sizes_at_once():
    expected = naive_scores(REAL, FAKE, 3)[:2] + naive_scores(REAL, FAKE, 5)[2:]
    assert neighbour_scores(REAL, FAKE, k=3, density_k=5) == pytest.approx(expected)
    expected = naive_scores(REAL, FAKE, 5)[:2] + naive_scores(REAL, FAKE, 3)[2:]
    assert neighbour_scores(REAL, FAKE, k=5, density_k=3, block=16) == pytest.approx(expected)


@pytest.mark.parametrize("block", [13, 1024])
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_set_beside_itself(block, shift):
    """Edges are outside: a ball holds its own centre and k - 1 others, which makes the density exactly 1."""
    samples = features(100, 0, shift, dimensions=20)
    assert neighbour_scores(samples, samples.copy(), block=block) == (1.0, 1.0, 1.0, 1.0)


def test_sets_far_apart():
    assert neighbour_scores(REAL, FAKE + 100.0) == (0.0, 0.0, 0.0, 0.0)


def test_scores_do_not_depend_on_the_origin():
    expected = neighbour_scores(REAL, FAKE)
    assert neighbour_scores(REAL + 1e5, FAKE + 1e5) == expected
    rotation, _ = np.linalg.qr(features(4, 3))
    assert neighbour_scores(REAL @ rotation, FAKE @ rotation) == expected


def test_copies_of_real_samples_have_balls_without_extent():
    real = np.repeat(features(10, 0), 3, axis=0)
    assert precision_recall(real, FAKE, k=2).precision == 0.0
    assert precision_recall(real, FAKE, k=3).precision > 0.0


def test_coverage_of_one_fake():
    result = density_coverage(REAL, REAL[:1], k=3)
    assert result.density == pytest.approx(
        sum(distance(a, REAL[0]) < r for a, r in zip(REAL, naive_radii(REAL, 3), strict=True)) / 3
    )
    assert 0.0 < result.coverage < 0.2


@pytest.mark.parametrize("block", [1, 7, 1024])
@pytest.mark.parametrize("k", [1, 4, 60])
def test_nearest(k, block):
    distances, indices = nearest(FAKE, REAL, k, block)
    every = np.array([[distance(a, b) for b in REAL] for a in FAKE])
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1)[:, :k])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :k], rtol=1e-12)
    assert distances.dtype == np.float64 and indices.dtype == np.int64


@pytest.mark.parametrize("block", [1, 7, 1024])
def test_own_sample_is_excluded_but_copies_are_not(block):
    samples = np.vstack([REAL, REAL[5:6]])
    distances, indices = nearest(samples, samples, 2, block, exclude_self=True)
    assert (indices != np.arange(61)[:, None]).all()
    assert indices[5, 0] == 60 and indices[60, 0] == 5 and distances[5, 0] == distances[60, 0] == 0.0
    np.testing.assert_allclose(distances[:60, 1][5], naive_radii(REAL, 1)[5])
    others = np.arange(60) != 5
    np.testing.assert_allclose(distances[:60, 0][others], np.array(naive_radii(samples, 1))[:60][others])


def test_copies_are_at_distance_zero_wherever_they_lie():
    samples = (features(40, 0, 1e4, dimensions=300) * 10.0).astype("float32")
    distances, indices = nearest(samples[::-1].copy(), samples)
    assert (distances == 0.0).all()
    np.testing.assert_array_equal(indices[:, 0], np.arange(40)[::-1])


def test_small_distances_keep_their_digits():
    samples = features(30, 0, 1e4)
    distances, _ = nearest(samples + 1e-6, samples)
    np.testing.assert_allclose(distances, 2e-6, rtol=1e-4)


def test_memory_is_bounded_by_the_block():
    samples = features(3000, 0, dimensions=2).astype("float32")
    tracemalloc.start()
    try:
        neighbour_scores(samples, samples[:2500], block=100)
        nearest(samples, samples, block=100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3e6  # the distances of all pairs alone are 72e6 bytes


def test_arguments_are_left_alone():
    copies = REAL.copy(), FAKE.copy()
    neighbour_scores(REAL, FAKE)
    nearest(REAL, FAKE)
    np.testing.assert_array_equal(REAL, copies[0])
    np.testing.assert_array_equal(FAKE, copies[1])


@pytest.mark.parametrize("score", [precision_recall, density_coverage, neighbour_scores])
def test_errors_of_scores(score):
    with pytest.raises(ValueError, match="k=0 "):
        score(REAL, FAKE, k=0)
    with pytest.raises(ValueError, match="block=0 "):
        score(REAL, FAKE, block=0)
    with pytest.raises(ValueError, match="real has 3 samples; expected 4 or more"):
        score(REAL[:3], FAKE, k=3)


def test_fakes_need_neighbours_only_where_they_have_balls():
    with pytest.raises(ValueError, match="fake has 3 samples; expected 4 or more"):
        precision_recall(REAL, FAKE[:3], k=3)
    with pytest.raises(ValueError, match="fake has 5 samples; expected 6 or more"):
        neighbour_scores(REAL, FAKE[:5], k=3, density_k=5)
    with pytest.raises(ValueError, match="density_k=0"):
        neighbour_scores(REAL, FAKE, density_k=0)


def test_errors_of_nearest():
    with pytest.raises(ValueError, match="k=61 .* 1 to 60, since every query has 60 references"):
        nearest(FAKE, REAL, k=61)
    with pytest.raises(ValueError, match="1 to 59"):
        nearest(REAL, REAL, k=60, exclude_self=True)
    with pytest.raises(ValueError, match="50 queries and 60 references"):
        nearest(FAKE, REAL, exclude_self=True)
    with pytest.raises(ValueError, match="queries has 1 samples; expected 2"):
        nearest(REAL[:1], REAL[:1], exclude_self=True)


def test_origin_is_a_mean_of_few_samples_if_there_are_many():
    samples = features(25_000, 0, 5.0, dimensions=2)
    np.testing.assert_allclose(neighbours._origin(samples), [5.0, 5.0], atol=0.1)
