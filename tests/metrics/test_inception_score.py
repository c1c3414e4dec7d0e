"""Inception score against closed forms and the definition."""

import importlib

import numpy as np
import pytest

from kerasgan.metrics.inception_score import inception_score

module = importlib.import_module("kerasgan.metrics.inception_score")  # the package has a function of this name


def logits(count, classes=7, seed=0):
    return np.random.default_rng(seed).normal(size=(count, classes)) * 3.0


def naive(part):
    p = np.exp(part) / np.exp(part).sum(axis=1, keepdims=True)
    return np.exp((p * np.log(p / p.mean(axis=0))).sum(axis=1).mean())


def test_bounds():
    assert inception_score(np.zeros((50, 7))).value == pytest.approx(1.0)
    assert inception_score(np.tile(logits(1), (50, 1))).value == pytest.approx(1.0)  # clear, but all the same
    every_class = np.tile(1000.0 * np.eye(7), (10, 1))
    assert inception_score(every_class, splits=1).value == pytest.approx(7.0)


@pytest.mark.parametrize("rows", [256, 8])
def test_definition(monkeypatch, rows):
    monkeypatch.setattr(module, "_ROWS", rows)
    given = logits(60)
    scores = [naive(given[start : start + 15]) for start in range(0, 60, 15)]
    value, deviation = inception_score(given, splits=4, seed=None)
    assert value == pytest.approx(np.mean(scores), rel=1e-12)
    assert deviation == pytest.approx(np.std(scores), rel=1e-9)


def test_splits_are_shuffled():
    every_class = np.repeat(20.0 * np.eye(10), 100, axis=0)  # sorted by class
    assert inception_score(every_class, seed=None).value == pytest.approx(1.0, abs=1e-6)
    assert inception_score(every_class).value > 9.0
    assert inception_score(every_class, seed=1) == inception_score(every_class, seed=1)
    assert inception_score(every_class, seed=1) != inception_score(every_class, seed=2)


def test_one_split_has_no_deviation():
    value, deviation = inception_score(logits(20), splits=1)
    assert value == pytest.approx(naive(logits(20))) and deviation is None


def test_logits_mean_the_same_when_shifted_and_may_be_large():
    given = logits(40)
    expected = inception_score(given).value
    assert inception_score(given + 1e4).value == pytest.approx(expected, rel=1e-8)
    assert inception_score(given.astype("float32")).value == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(inception_score(given * 1e6).value)


def test_errors():
    with pytest.raises(ValueError, match=r"logits has shape \(5, 1\); expected 2 classes"):
        inception_score(np.zeros((5, 1)))
    with pytest.raises(ValueError, match="splits=10 .* 1 to 5, since there are 5 samples"):
        inception_score(logits(5))
