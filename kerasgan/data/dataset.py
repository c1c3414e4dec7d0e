"""What a reader returns: a `tf.data.Dataset` of batches that says what its samples are."""

import functools
import hashlib
import typing

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.checks import is_whole
from kerasgan.data.batching import finished, from_numbers

_OF_KIND = ("class_names", "model_arguments", "fitted")  # what holds of any part of the samples, too
_OF_SAMPLES = (*_OF_KIND, "class_counts", "count", "fingerprint", "item_names")


def _passed_on(name):
    """The transformation of this name, which changes no batch: all that is known goes on to hold."""

    @functools.wraps(getattr(tf.data.Dataset, name))
    def transformation(self, *args, **kwargs):
        return self._each(lambda dataset: getattr(tf.data.Dataset, name)(dataset, *args, **kwargs), _OF_SAMPLES)

    return transformation


def _keeping(name, facts):
    """The transformation of this name, after which only these facts still hold."""

    @functools.wraps(getattr(tf.data.Dataset, name))
    def transformation(self, *args, **kwargs):
        return Dataset(getattr(tf.data.Dataset, name)(self, *args, **kwargs), **self._known(facts))

    return transformation


class Dataset(tf.data.Dataset):
    """Batches of one epoch, in model range, and what is known of their samples.

    It is a `tf.data.Dataset` like any other, of samples or of (samples, what goes with them), such as labels. A reader
    of one's own makes one by `of`, from arrays or a function, or by `of_batches`:

    ```python
    def tables(source, batch_size=64, *, shuffle=True, seed=None, fitted=None):
        rows = np.loadtxt(source, dtype=str, delimiter=",", ndmin=2)
        fitted = fitted or {"columns": [sorted(set(column)) for column in rows.T.tolist()]}
        numbers = np.array([[c.index(v) for c, v in zip(fitted["columns"], row)] for row in rows.tolist()], "int32")
        return Dataset.of(numbers, batch_size, shuffle=shuffle, seed=seed, fitted=fitted)
    ```

    What is known goes through transformations as far as it still holds, and is None, or refused, where it does not:

    - `prefetch` and `with_options` change no batch: all of it.
    - `map` is applied to what `endless` and `rebatched` give, too; its function must say the same of the same batch.
      `class_names` and `fitted` hold; `count` and `class_counts` if batches stay as large; `model_arguments` if the
      shapes of samples stay. `fingerprint` does not: of a function nobody knows what it does.
    - `shuffle`, `repeat`, `cache`, `snapshot`, `batch`, `padded_batch`, `unbatch` and `rebatch` give the same samples:
      all but `endless`, `rebatched` and `seekable`.
    - `take`, `skip`, `shard`, `filter`, `take_while`, `unique` and `ignore_errors` give some of them: `class_names`,
      `model_arguments` and `fitted`.
    - Others, such as `flat_map`, `concatenate` and `apply`, make something else: a plain `tf.data.Dataset`.

    Args:
        dataset: the batches of an epoch.
        batches: function (batch_size, start, seed, worker) that makes these batches and others, see `of_batches`.
        batch_size, seed: with which it made `dataset`.
        seekable, known: the attributes.

    Attributes:
        class_names: list of what the classes are called, whose numbers are the labels; None without labels, and where
            nobody knows.
        class_counts: list of the number of samples of each class, or None.
        count: number of samples, each counted once; None where only reading them would tell.
        item_names: function from the number of a sample, in the order of the source, to what messages call it, such as
            the path of its file; None where nobody knows.
        fingerprint: text that tells this data from other data; None where there is none. (It takes the place of a
            method of TensorFlow's.)
        model_arguments: dictionary of what the data mean for a model, such as {"image_shape": [64, 64, 3]}: arguments
            by the names that types give them; or None.
        fitted: what the reader learned from the data, such as the columns of a table or a vocabulary, as JSON can hold
            it, or None. Given to the reader again, other data are read in the same way.
        seekable: whether `endless` begins anywhere at once. A stream has to be read up to there.
        resumable: whether there is `endless` at all.
    """

    def __init__(
        self,
        dataset,
        *,
        batches=None,
        batch_size=None,
        seed=None,
        class_names=None,
        class_counts=None,
        count=None,
        fingerprint=None,
        item_names=None,
        model_arguments=None,
        fitted=None,
        seekable=False,
    ):
        self._dataset, self._batches, self._batch_size, self._seed = dataset, batches, batch_size, seed
        self.class_names, self.class_counts, self.count = class_names, class_counts, count
        self.fingerprint, self.model_arguments = fingerprint, model_arguments
        self.fitted: typing.Any = fitted
        self.item_names = item_names
        self.seekable = seekable
        super().__init__(tf.data.experimental.to_variant(dataset))

    def _inputs(self):
        return [self._dataset]

    @property
    def element_spec(self):
        return self._dataset.element_spec

    # Ways to make one ------------------------------------------------------------------------------------------------

    @classmethod
    def of_batches(cls, batches, batch_size, *, seed=None, seekable=True, **known):
        """The data set of a reader that makes its batches itself.

        Args:
            batches: function (batch_size, start, seed, worker) that returns a `tf.data.Dataset` of batches. None as
                `start` asks for one epoch, another one each time it is iterated; a number for the batches of all epochs
                from this one on, the same ones wherever it begins. `worker` (number, count) asks for one worker's rows
                of each batch (see `kerasgan.memory.rows`).
            batch_size: samples in a batch.
            seed: makes orders repeatable; without one there is no `endless`.
            seekable, known: the attributes.
        """
        options = {"batches": batches, "batch_size": batch_size, "seed": seed, "seekable": seekable}
        return cls(batches(batch_size, None, seed, (0, 1)), **options, **known)

    @classmethod
    def of(
        cls,
        samples,
        batch_size=64,
        *,
        labels=None,
        count=None,
        finish=None,
        shuffle=True,
        seed=None,
        plural="samples",
        **known,
    ):
        """Shuffled batches of samples that are in memory, or are made one by one when they are needed.

        Args:
            samples: arrays (n, ...), or a nested structure of them, such as a dictionary; or a function from a number
                below `count` to one sample, an array or such a structure, always of the same shapes and types.
            batch_size: samples in a batch. A smaller remainder is dropped, with `shuffle` another one in every epoch.
            labels: integers (n,) that go with the samples, or None.
            count: number of samples of a function.
            finish: function of a batch of samples, as tensors, and of `draw`, that returns what a model sees.
                `draw()` gives numbers in [0, 1), float32 (rows, 1), anew in each epoch, `draw(1)` further ones.
            shuffle: draws a new order for each epoch.
            seed: makes orders, and what is drawn, repeatable.
            plural: what messages call several samples.
            known: attributes. Without a `fingerprint`, arrays get that of their values.

        Raises:
            ValueError: `batch_size`, `count` or `labels` do not fit the samples.
        """
        check_batch_size(batch_size, plural)
        if callable(samples):
            check_batch_size(count, plural, "count")
            load, example = samples, samples(0)
        else:
            arrays = [np.asarray(array) for array in tf.nest.flatten(samples)]
            count, load, example = _common_length(arrays, count, plural), None, samples
        labels = [] if labels is None else [np.asarray(labels, "int32")]
        if labels and labels[0].shape != (count,):
            raise ValueError(
                f"labels of shape {labels[0].shape} do not fit; expected one for each of {count} {plural}."
            )

        def in_structure(parts, draw):
            packed = tf.nest.pack_sequence_as(example, parts)
            return packed if finish is None else finish(packed, draw)

        @tf.autograph.experimental.do_not_convert  # as in `Game.fit`
        def batches(batch_size, start, seed, worker):
            check_count(count, batch_size, "The data", plural)
            if load is None:
                raw = memory.batches([*arrays, *labels], batch_size, shuffle, seed, start, worker)
            else:
                raw = _loaded(load, example, count, labels, batch_size, shuffle, seed, start, worker)
            raw = raw.map(lambda *parts: (parts[: len(parts) - len(labels)], *parts[len(parts) - len(labels) :]))
            return finished(raw, batch_size, in_structure, seed, start, worker)

        if load is None:
            known.setdefault("fingerprint", fingerprint_of_arrays([*arrays, *labels]))
        return cls.of_batches(batches, batch_size, seed=seed, count=count, **known)

    # Its batches in other ways ---------------------------------------------------------------------------------------

    @property
    def resumable(self):
        return self._batches is not None

    def endless(self, start=0, seed=None, worker=(0, 1)):
        """The batches of all epochs without end, the same wherever it begins: what an exact resume needs.

        Give `steps_per_epoch` to `fit` then.

        Args:
            start: number of the first batch.
            seed: integer in place of the reader's own.
            worker: (i, n) gives worker i of n, from 0 on, its `batch_size / n` rows of each of these batches, and makes
                no others.

        Returns:
            A `Dataset`.

        Raises:
            ValueError: without a seed; for a `worker` that does not fit; after a transformation that this class does
                not follow, and of a stream whose length nobody knows.
        """
        self._check_resumable()
        seed = self._seed if seed is None else seed
        if seed is None:
            raise ValueError("seed=None: an endless data set needs a seed, or it would not go on as it began.")
        _check_worker(worker, self._batch_size)
        return Dataset(self._batches(self._batch_size, start, seed, worker), **self._known(_OF_SAMPLES))

    def rebatched(self, batch_size):
        """The same data in batches of another size, which are not read again: a `Dataset`.

        Raises:
            ValueError: there are not so many samples; after a transformation that this class does not follow.
        """
        self._check_resumable()
        options = {"seed": self._seed, "seekable": self.seekable}
        return Dataset.of_batches(self._batches, batch_size, **options, **self._known(_OF_SAMPLES))

    def with_known(self, **known):
        """The same batches with other attributes: what a reader knows of what it made of another's samples."""
        options = {"batches": self._batches, "batch_size": self._batch_size, "seed": self._seed}
        return Dataset(self, **{**options, "seekable": self.seekable, **self._known(_OF_SAMPLES), **known})

    def _check_resumable(self):
        if not self.resumable:
            raise ValueError(
                "These batches are no longer those of the reader, so no place in its epochs can be found again: call "
                "endless or rebatched first, and transform what they return."
            )

    # Transformations -------------------------------------------------------------------------------------------------

    prefetch = _passed_on("prefetch")
    with_options = _passed_on("with_options")

    shuffle = _keeping("shuffle", _OF_SAMPLES)
    repeat = _keeping("repeat", _OF_SAMPLES)
    cache = _keeping("cache", _OF_SAMPLES)
    snapshot = _keeping("snapshot", _OF_SAMPLES)
    batch = _keeping("batch", _OF_SAMPLES)
    padded_batch = _keeping("padded_batch", _OF_SAMPLES)
    unbatch = _keeping("unbatch", _OF_SAMPLES)
    rebatch = _keeping("rebatch", _OF_SAMPLES)

    take = _keeping("take", _OF_KIND)
    skip = _keeping("skip", _OF_KIND)
    shard = _keeping("shard", _OF_KIND)
    filter = _keeping("filter", _OF_KIND)
    take_while = _keeping("take_while", _OF_KIND)
    unique = _keeping("unique", _OF_KIND)
    ignore_errors = _keeping("ignore_errors", _OF_KIND)

    @functools.wraps(tf.data.Dataset.map)
    def map(self, *args, **kwargs):
        mapped = self._each(lambda dataset: tf.data.Dataset.map(dataset, *args, **kwargs), _OF_SAMPLES)
        lost = {"fingerprint": None}
        if _lengths(mapped.element_spec) != _lengths(self.element_spec):
            lost |= {"count": None, "class_counts": None, "item_names": None}
        if _shapes(mapped.element_spec) != _shapes(self.element_spec):
            lost |= {"model_arguments": None}
        return mapped.with_known(**lost)

    def _each(self, transform, facts):
        """What `transform` makes of these batches and, when they are wanted, of those of other epochs."""
        batches = None
        if self._batches is not None:
            batches = lambda *args: transform(self._batches(*args))  # noqa: E731
        options = {"batches": batches, "batch_size": self._batch_size, "seed": self._seed, "seekable": self.seekable}
        return Dataset(transform(self), **options, **self._known(facts))

    def _known(self, facts):
        return {name: getattr(self, name) for name in facts}


def known(dataset):
    """Any `tf.data.Dataset` as a `Dataset`: of one that no reader of ours made, nothing is known."""
    return dataset if isinstance(dataset, Dataset) else Dataset(dataset)


def fingerprint_of_arrays(arrays):
    """What tells arrays of the same length from others: their values."""
    digest = hashlib.sha256(str(len(arrays[0])).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _loaded(load, example, count, labels, batch_size, shuffle, seed, start, worker):
    """Batches of what the function `load` makes of a number: flat tuples of its parts, with the labels behind."""
    types = [np.asarray(part).dtype for part in tf.nest.flatten(example)]
    specs = [tf.TensorSpec(np.shape(p), t) for p, t in zip(tf.nest.flatten(example), types, strict=True)]

    def row(number, *label):
        sample = load(int(number))
        tf.nest.assert_same_structure(example, sample)
        parts = [np.asarray(part, kind) for part, kind in zip(tf.nest.flatten(sample), types, strict=True)]
        return *parts, *label

    columns = (np.arange(count), *labels)
    signature = (*specs, *(tf.TensorSpec((), tf.int32) for _ in labels))
    return from_numbers(columns, row, signature, batch_size, shuffle, seed, start, worker)


def _common_length(arrays, count, plural):
    if count is not None:
        raise ValueError(f"count={count!r} means nothing where samples are arrays; leave it out.")
    if any(not array.ndim or len(array) != len(arrays[0]) for array in arrays):
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(f"samples: the first axis of each array counts {plural}; these have the shapes {shapes}.")
    return len(arrays[0])


def _shapes(spec):
    """The shapes of what a batch holds of each sample, in no order."""
    return sorted(str(part.shape[1:]) for part in tf.nest.flatten(spec))


def _lengths(spec):
    """How many samples a batch has, as far as its parts say."""
    return {part.shape[0] if part.shape.rank else None for part in tf.nest.flatten(spec)}


def check_batch_size(value, plural, name="batch_size"):
    """Raises a `ValueError` unless `value` is a number of samples."""
    if not is_whole(value):
        raise ValueError(f"{name}={value!r} must be a number of {plural}.")


def check_count(count, batch_size, name, plural):
    """Raises a `ValueError` unless the `count` samples of what is called `name` make a batch."""
    if not count:
        raise ValueError(f"{name} is empty; there is nothing to train on.")
    if count < batch_size:
        raise ValueError(
            f"batch_size={batch_size} is larger than the data set: {name} has {count} usable {plural}. "
            f"Pass batch_size={count} or less, or add {plural}."
        )


def _check_worker(worker, batch_size):
    number, count = worker
    if not (is_whole(count) and 0 <= number < count):
        raise ValueError(f"worker={worker!r} must be (number, count), where numbers begin at 0.")
    if batch_size % count:
        raise ValueError(
            f"batch_size={batch_size} cannot be dealt out evenly to {count} workers; give a multiple of {count}."
        )
