"""The classification accuracy score on stripes that lie down and stripes that stand."""

import numpy as np
import pytest

from kerasgan.metrics.classification import classification_accuracy


def stripes(count, seed, classes=2):
    """uint8 (count, 12, 12, 1) and labels: class 0 varies from row to row, 1 from column to column, 2 not at all."""
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=count)
    rows = random.normal(size=(count, 12, 1, 1)) * (labels == 0)[:, None, None, None]
    columns = random.normal(size=(count, 1, 12, 1)) * (labels == 1)[:, None, None, None]
    return np.clip(127.5 + 50 * (rows + columns), 0, 255).astype("uint8"), labels


TEST = stripes(60, seed=1)


def test_good_samples_teach():
    accuracy = classification_accuracy(*stripes(192, seed=0), *TEST, epochs=4)
    assert isinstance(accuracy, float) and accuracy > 0.9


def test_wrong_labels_teach_nothing_and_the_seed_repeats():
    images, labels = stripes(96, seed=0)
    labels = np.random.default_rng(2).permutation(labels)
    accuracies = [classification_accuracy(images, labels, *TEST, epochs=2, seed=4) for _ in range(2)]
    assert accuracies[0] < 0.8 and accuracies[0] == accuracies[1]


def test_a_dropped_class_is_never_right():
    images, labels = stripes(192, seed=0, classes=3)
    test_images, test_labels = stripes(60, seed=1, classes=3)
    accuracy = classification_accuracy(images[labels != 2], labels[labels != 2], test_images, test_labels, epochs=2)
    assert accuracy <= np.mean(test_labels != 2)


IMAGES, LABELS = stripes(4, seed=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((IMAGES, LABELS[:3], IMAGES, LABELS), r"train_labels are int64 of shape \(3,\)"),
        ((IMAGES, LABELS, IMAGES, LABELS - 2), "test_labels"),
        ((IMAGES, LABELS + 0.5, IMAGES, LABELS), "train_labels are float64"),
        ((IMAGES, 0 * LABELS, IMAGES, 0 * LABELS), "at least 2 classes"),
        ((IMAGES, LABELS, IMAGES[:, :8], LABELS), r"train_images are \(12, 12, 1\) and test_images \(8, 12, 1\)"),
        ((IMAGES[0], LABELS, IMAGES, LABELS), "train_images has shape"),
        ((IMAGES, LABELS, IMAGES, LABELS, 0), "epochs=0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        classification_accuracy(*arguments)
