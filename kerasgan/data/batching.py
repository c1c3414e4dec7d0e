"""Samples that are loaded when they are needed -> shuffled batches of a fixed size."""

import warnings

import tensorflow as tf

from kerasgan import memory
from kerasgan.data.files import BadSample

MOST_FAILURES = 20  # unusable samples in a row, after which the data counts as lost


def from_items(items, load, signature, batch_size):
    """Batches of samples that are loaded when they are needed, several at a time, in the order of the items.

    Args:
        items: `tf.data.Dataset` of tuples: numbers of samples, or undecoded samples.
        load: Python function of an item that returns a tuple of NumPy arrays.
        signature: tuple of `tf.TensorSpec`, what `load` returns.
        batch_size: samples in a batch; a smaller remainder is dropped.
    """

    def one(*item):
        parts = tf.numpy_function(load, item, [spec.dtype for spec in signature])
        return tuple(tf.ensure_shape(part, spec.shape) for part, spec in zip(parts, signature, strict=True))

    samples = items.map(one, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return samples.batch(batch_size, drop_remainder=True)


def in_order(columns, batch_size, shuffle, seed, start):
    """The rows of some columns of numbers as items, in the order of a training (see `kerasgan.memory.batches`)."""
    return memory.batches(columns, batch_size, shuffle, seed, start).unbatch()


def of_stream(items, batch_size, shuffle, seed, start):
    """The elements of a stream as items: one epoch, or all epochs from batch `start` on.

    A stream has to be read to be skipped: to begin in the middle of an epoch takes as long as reading what lies before.
    """
    count = int(items.cardinality())
    if start is None:
        return items.shuffle(count, seed=seed, reshuffle_each_iteration=True) if shuffle else items
    if count < 0:
        raise ValueError("The length of this stream is not known, so no place in its epochs can be found again.")
    in_epoch = count // batch_size
    first, skipped = start // in_epoch, tf.constant(start % in_epoch * batch_size, tf.int64)

    def epoch(number):
        begin = tf.where(tf.equal(number, first), skipped, tf.zeros_like(skipped))
        if not shuffle:
            return items.take(in_epoch * batch_size).skip(begin)
        chosen = memory.permutation(count, memory.step_seed(seed, number))[begin : in_epoch * batch_size]
        whole = items.batch(count)  # undecoded images: what a shuffle buffer of all of them would hold, too
        return whole.flat_map(
            lambda *columns: tf.data.Dataset.from_tensor_slices(tuple(tf.gather(c, chosen) for c in columns))
        )

    return tf.data.Dataset.counter(first).flat_map(epoch)


class Replacing:
    """Wraps a loader of samples: one that turns out to be unusable in the middle of a training is replaced.

    Only then is it known (a file with a sound header may be cut short), and the length of an epoch must not change, so
    the sample that was loaded last takes its place. Each unusable sample is named in a warning, once. Many of them in a
    row mean that the data is gone, which is an error.
    """

    def __init__(self, load, item_name, first, on_error):
        self._load, self._item_name, self._last, self._on_error = load, item_name, first, on_error
        self._named = set()
        self._failures = 0

    def __call__(self, position, *rest):
        try:
            self._last = self._load(position, *rest)
            self._failures = 0
        except BadSample as error:
            self._failures += 1
            self._report(self._item_name(int(position)), error)
        return self._last

    def _report(self, name, error):
        if self._on_error == "raise":
            raise ValueError(f"{name}: {error}. Repair or remove it, or pass on_error='skip'.") from None
        if self._failures >= MOST_FAILURES:
            raise ValueError(
                f"{self._failures} samples in a row cannot be read, the last of them {name} ({error}). "
                "Is the data still there? Training stops rather than to go on with what it read last."
            ) from None
        if name not in self._named:
            self._named.add(name)
            warnings.warn(f"{name} cannot be used ({error}); another sample takes its place.", stacklevel=3)
