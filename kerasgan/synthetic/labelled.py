"""Labelled data for a GAN that is told the class: read, and found fit for it, before any work."""

import dataclasses
import typing

import numpy as np

from kerasgan import runs

_AT_ONCE = 256  # samples that are read together


class Labelled(typing.NamedTuple):
    """Samples with their classes.

    Attributes:
        samples: array (n, ...) in natural units.
        labels: integers (n,).
    """

    samples: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def rows(self, numbers):
        """Some of them: a `Labelled`."""
        return Labelled(self.samples[numbers], self.labels[numbers])

    def few(self, size, random):
        """As many of each class, drawn without putting back; None takes all of them."""
        if size is None:
            return self
        classes = np.unique(self.labels)
        numbers = [random.permutation(np.flatnonzero(self.labels == label))[:size] for label in classes]
        return self.rows(np.concatenate(numbers))


def read(recipe, source, part, is_learned=True):
    """A data set whose samples have classes, each sample once, and the recipe that reads it.

    Args:
        recipe: `kerasgan.recipes.Recipe`.
        source: as readers take it.
        part: arguments that take a part of it, as `kerasgan.data.labelled.parts_of` gives them.
        is_learned: whether a GAN learns from it, for which a class needs more than one sample.

    Returns:
        (`kerasgan.data.dataset.Dataset`, recipe).

    Raises:
        ValueError: there are no classes, only one, or one of a single sample.
    """
    recipe = dataclasses.replace(recipe, data={**recipe.data, **part})
    dataset = runs.read_whole(recipe, source)
    _check_classes(dataset, source, 2 if is_learned else 1)
    return dataset, recipe


def _check_classes(dataset, source, least):
    names, counts = dataset.class_names, dataset.class_counts
    if not names or not isinstance(dataset.element_spec, tuple):
        raise ValueError(
            f"data={str(source)!r} has no classes: sort the files into a folder for each, or say where they are "
            "(--labels)."
        )
    counts = counts or [None] * len(names)
    held = [(name, count) for name, count in zip(names, counts, strict=True) if count != 0]
    if len(held) < 2:
        raise ValueError(
            f"data={str(source)!r} has one class, {held[0][0]!r}: nothing is to be told apart. Give others, too, or "
            "make samples of it with kerasgan train and kerasgan generate."
        )
    for name, count in held:
        if count and count < least:
            raise ValueError(
                f"data={str(source)!r}: the class {name!r} has a single sample to learn from, which a GAN would only "
                "copy: give more, at least five, or leave that class out."
            )


def held_in_memory(dataset, media):
    """All samples of a data set: a `Labelled`."""
    samples, labels = [], []
    for batch, numbers in dataset.rebatch(_AT_ONCE).as_numpy_iterator():
        samples.append(media.to_natural(batch))
        labels.append(np.reshape(numbers, -1).astype("int64"))
    return Labelled(np.concatenate(samples), np.concatenate(labels))


def parted(labelled, every):
    """(all but every so-manieth sample of each class, those): each class is in both."""
    kept = np.zeros(len(labelled), bool)
    for label in np.unique(labelled.labels):
        numbers = np.flatnonzero(labelled.labels == label)
        kept[numbers[min(every, len(numbers)) - 1 :: every]] = True
    return labelled.rows(~kept), labelled.rows(kept)
