"""Scores of detection against written-out cases, and against scikit-learn's definition by hand."""

import numpy as np
import pytest

from kerasgan.metrics import detection


def test_auc_counts_pairs():
    normal, strange = np.array([0.1, 0.4, 0.35]), np.array([0.8, 0.35])
    pairs = [(s > n) + 0.5 * (s == n) for s in strange for n in normal]
    assert detection.auc(normal, strange) == pytest.approx(np.mean(pairs))
    assert detection.auc([0, 1], [2, 3]) == 1.0 and detection.auc([2, 3], [0, 1]) == 0.0
    assert detection.auc([1, 1], [1, 1]) == 0.5


def test_average_precision_is_the_mean_over_strange_samples():
    # Ranked: strange .9, normal .8, strange .7, normal .1: precision 1 at the first, 2/3 at the second.
    assert detection.average_precision([0.8, 0.1], [0.9, 0.7]) == pytest.approx((1 + 2 / 3) / 2)
    assert detection.average_precision([0.5, 0.5], [0.5]) == pytest.approx(1 / 3)


def test_f1_at_a_threshold():
    assert detection.f1([0, 0, 1], [1, 1, 0], 0.5) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert detection.f1([0], [0], 0.5) == 0.0


def test_principal_components_leave_what_is_across():
    random = np.random.default_rng(0)
    training = random.normal(size=(200, 1)) * np.array([[3.0, 4.0, 0.0]]) + [1.0, 2.0, 3.0]
    residual = detection.principal_components(training, 1)
    found = residual(np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 3.0], [1.0, 2.0, 6.0], [5.0, -1.0, 3.0]]))
    np.testing.assert_allclose(found, [0.0, 0.0, 9.0 / 3, 25.0 / 3], atol=1e-8)


@pytest.mark.parametrize("scores", [[], [np.nan]])
def test_nothing_to_score(scores):
    with pytest.raises(ValueError, match="strange holds"):
        detection.auc([1.0], scores)
