"""What a classifier makes of samples: whether it names their classes, and how sure it is."""

import numpy as np

from kerasgan.metrics import checks


def recognized(logits, labels):
    """The share of samples that a classifier names as the class that they were made for. Higher is better.

    The classifier is a fixed one that knows real samples (unlike that of the classification accuracy score, which
    learns from the generated ones), so this is how often a listener with its ears understands what was asked for. It
    says nothing of variety: the same good sample of each class, over and over, scores 1.

    Args:
        logits: of generated samples, (n, classes) floats.
        labels: the classes that they were made for, integers (n,), 0 to classes - 1.

    Returns:
        A number in [0, 1]; 1 / classes is what guessing gives.

    Raises:
        ValueError: logits that are not finite or of another shape, labels that do not belong to them.
    """
    logits, labels = checks.features(logits, "logits"), np.asarray(labels)
    classes = logits.shape[1]
    if (
        labels.shape != logits.shape[:1]
        or labels.dtype.kind not in "iu"
        or not (0 <= labels.min() <= labels.max() < classes)
    ):
        raise ValueError(f"labels: expected {len(logits)} integers from 0 to {classes - 1}, one for each sample.")
    return float(np.mean(logits.argmax(axis=1) == labels))


def confidence(logits):
    """The mean probability of the most likely class: how clear samples are to a classifier, whatever they are.

    Args:
        logits: of samples, (n, classes) floats, before the softmax.

    Returns:
        A number from 1 / classes to 1; real samples beside generated ones say how clear they should be.

    Raises:
        ValueError: logits that are not finite or of another shape.
    """
    logits = checks.features(logits, "logits").astype("float64")
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(np.mean(1.0 / np.exp(shifted).sum(axis=1)))
