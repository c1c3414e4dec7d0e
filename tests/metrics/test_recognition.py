"""Recognition: the share of samples a classifier names right, and its confidence."""

import numpy as np
import pytest
from scipy import special

from kerasgan.metrics import confidence, recognized


def logits(count=40, classes=5):
    return np.random.default_rng(0).normal(0, 3, (count, classes)).astype("float32")


def test_recognized_counts_right_names():
    found = logits()
    labels = found.argmax(1)
    assert recognized(found, labels) == 1.0
    labels[:10] = (labels[:10] + 1) % 5
    assert recognized(found, labels) == 0.75
    assert recognized(found, np.full(40, 2)) == pytest.approx(np.mean(found.argmax(1) == 2))


def test_confidence_is_the_mean_largest_probability():
    found = logits()
    assert confidence(found) == pytest.approx(special.softmax(found.astype("float64"), axis=1).max(1).mean(), rel=1e-9)
    assert confidence(np.zeros((3, 4))) == pytest.approx(0.25)
    assert confidence(np.float32([[1e4, 0], [0, -1e4]])) == 1.0  # does not overflow


@pytest.mark.parametrize("labels", [np.zeros(39, int), np.zeros(40), np.full(40, 5), np.full(40, -1)])
def test_labels_that_do_not_belong_are_refused(labels):
    with pytest.raises(ValueError, match="labels: expected 40 integers from 0 to 4"):
        recognized(logits(), labels)


def test_logits_that_are_none_are_refused():
    for function in (confidence, lambda x: recognized(x, np.zeros(len(x), int))):
        with pytest.raises(ValueError, match="logits has shape"):
            function(np.zeros(4))
        with pytest.raises(ValueError, match="logits holds 1 NaN"):
            function(np.float32([[0, np.nan]]))
