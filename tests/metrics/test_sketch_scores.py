"""Scores of sketches on those that are written out."""

import numpy as np
import pytest

from kerasgan.media import Sketch
from kerasgan.metrics import sketches as scores
from kerasgan.metrics.evaluation import METRICS

CROSS = [[10, 0, 1], [-5, -5, 0], [0, 10, 1], [0, 0, 2], [0, 0, 2], [0, 0, 2]]  # two strokes of two points
CUT = [[1, 0, 0], [1, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]]  # one stroke, and one that never ends
ENDED = [[3, 3, 0], [0, 0, 2], [9, 9, 1], [9, 9, 1], [9, 9, 0], [9, 9, 0]]  # over after a point, whatever is behind
EMPTY = [[0, 0, 2]] * 6
SKETCHES = np.int16([CROSS, CUT, ENDED, EMPTY])


def test_strokes():
    np.testing.assert_array_equal(scores.strokes(SKETCHES), [2, 2, 1, 0])


def test_pen_lifts():
    np.testing.assert_allclose(scores.pen_lifts(SKETCHES), [2 / 3, 1 / 6, 0, np.nan])


def test_endless():
    np.testing.assert_array_equal(scores.endless(SKETCHES), [False, True, False, False])


def test_what_are_no_sketches_is_refused():
    for wrong in (SKETCHES[0], SKETCHES[:0], SKETCHES.astype("float32"), SKETCHES[..., :2]):
        with pytest.raises(ValueError, match=r"expected int16 \(n, points, 3\)"):
            scores.strokes(wrong)


def test_a_perfect_generator_has_the_scores_of_the_data():
    """One that draws each sketch of a set again: as of the data, and so much alike that each finds its double."""
    random = np.random.default_rng(0)
    rows = np.int16([CROSS] * 40) + np.concatenate([random.integers(-4, 5, (40, 6, 2)), np.zeros((40, 6, 1))], axis=2)
    rows = rows.astype("int16")
    media = Sketch(6)

    real = scored = type("Samples", (), {"natural": rows, "media": media})
    values = {}
    for name in media.default_metrics:
        values |= {value.name: value.value for value in METRICS[name].compute(real, scored)}
    assert values["strokes"] == 2 and values["pen_lifts"] == pytest.approx(2 / 3) and values["endless"] == 0
    assert values["drawings_1nn"] == 0.0
