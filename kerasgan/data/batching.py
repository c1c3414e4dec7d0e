"""Samples that are loaded when they are needed -> shuffled batches of a fixed size."""

import math
import warnings

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.data.files import BadSample, LeftOut

MOST_TRIED = 1000  # samples in a row that are left out, of which none may be unusable
MOST_FAILURES = 20  # unusable samples in a row, after which the data counts as lost


def from_numbers(columns, load, signature, batch_size, shuffle, seed, start, worker=(0, 1), draws=False):
    """Batches of samples that are loaded when they are needed, in the order of a training (see `memory.batches`).

    Several batches are loaded at a time. (A call into Python for each sample, instead, would cost more than reading it
    from a shard does.)

    Args:
        columns: arrays (n,): what `load` takes for each sample.
        load: Python function of a row of the columns that returns a tuple of NumPy arrays.
        signature: tuple of `tf.TensorSpec`, what `load` returns.
        batch_size: samples in a batch; a smaller remainder is dropped.
        shuffle, seed, start, worker: as in `memory.batches`.
        draws: `load` takes a number in [0, 1) behind the row, drawn anew in each epoch.
    """
    first, last = memory.rows(batch_size, worker)

    def load_all(*columns):
        rows = [load(*row) for row in zip(*columns, strict=True)]
        return tuple(np.stack(part) for part in zip(*rows, strict=True))

    def batch(*columns):
        parts = tf.numpy_function(load_all, columns, [spec.dtype for spec in signature])
        shapes = [(last - first, *spec.shape) for spec in signature]
        return tuple(tf.ensure_shape(part, shape) for part, shape in zip(parts, shapes, strict=True))

    def with_draws(row, seed):
        return *row, tf.random.stateless_uniform([batch_size], seed)[first:last]

    numbers = memory.batches(columns, batch_size, shuffle, seed, start, worker)
    if draws:
        numbers = tf.data.Dataset.zip(numbers, memory.seeds(seed, start)).map(with_draws)
    return numbers.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def from_stream(items, load, signature, batch_size, shuffle, seed, start, worker=(0, 1)):
    """Batches of samples that are made of the elements of a stream, several at a time.

    Args:
        items: `tf.data.Dataset` of tuples, what `load` takes. They may differ in shape.
        load, signature, batch_size, shuffle, seed, start, worker: as in `from_numbers`.
    """
    first, last = memory.rows(batch_size, worker)

    def one(*item):
        parts = tf.numpy_function(load, item, [spec.dtype for spec in signature])
        return tuple(tf.ensure_shape(part, spec.shape) for part, spec in zip(parts, signature, strict=True))

    ordered = _of_stream(items, batch_size, shuffle, seed, start, worker)
    samples = ordered.map(one, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return samples.batch(last - first, drop_remainder=True)


def _of_stream(items, batch_size, shuffle, seed, start, worker):
    """The elements of a stream as items: one epoch, or all epochs from batch `start` on.

    A stream has to be read to be skipped: to begin in the middle of an epoch takes as long as reading what lies before.
    So every worker reads all of it, and keeps its own rows of each batch.
    """
    first_row, last_row = memory.rows(batch_size, worker)
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

    rows = tf.data.Dataset.counter(first).flat_map(epoch).enumerate()
    mine = rows.filter(lambda row, _: (row % batch_size >= first_row) & (row % batch_size < last_row))
    return mine.map(lambda _, item: item)


def finished(batches, batch_size, finish, seed, start=None, worker=(0, 1)):
    """Batches of prepared samples -> batches as models see them.

    Args:
        batches: a data set of (samples,) or (samples, labels).
        finish: function of the samples of a batch, and of a function that draws a number in [0, 1) for each, (rows, 1),
            by a whole number other ones.
        batch_size, seed, start, worker: with which `batches` were made.
    """
    first, last = memory.rows(batch_size, worker)

    def finish_batch(batch, seed):
        samples, *labels = batch

        def draw(number=0):  # as for the whole batch, of which a worker has some rows
            own = tf.random.experimental.stateless_fold_in(seed, number) if number else seed
            return tf.random.stateless_uniform([batch_size, 1], own)[first:last]

        samples = finish(samples, draw)
        return (samples, *labels) if labels else samples

    options = tf.data.Options()
    # Under tf.distribute, samples are dealt out to workers (there are no files to deal out in this pipeline), unless
    # this is one worker's part already.
    policies = tf.data.experimental.AutoShardPolicy
    options.experimental_distribute.auto_shard_policy = policies.DATA if worker[1] == 1 else policies.OFF
    made = tf.data.Dataset.zip(batches, memory.seeds(seed, start))
    return made.map(finish_batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2).with_options(options)


def elsewhere(columns):
    """The function from an item, a row of some columns of numbers, to another one, far from it in the set.

    What cannot be read is often what lies together. Going on from row to row in this way visits all of them.
    """
    count, width = len(columns[0]), len(columns)
    stride = round(count * 0.618)
    while math.gcd(stride, count) > 1:
        stride += 1

    def other(item):
        row = (np.searchsorted(columns[0], item[0]) + stride) % count
        return (*(column[row] for column in columns), *item[width:])  # what was drawn stays

    return other


class Replacing:
    """Wraps a loader of samples: one that turns out to be unusable in the middle of a training is replaced.

    Only then is it known (a file with a sound header may be cut short), and the length of an epoch must not change, so
    another sample takes its place: always the same one, or a resumed training would not be the same. Each unusable
    sample is named in a warning, once. Many others that cannot be read either mean that the data is gone, which is an
    error.

    Args:
        load: function of an item that returns a sample, or raises `BadSample`.
        item_name: function of an item's number that returns its name.
        other: function of an item that returns the item to load instead.
        on_error: "skip" replaces, "raise" raises a `ValueError` at the first unusable sample.
    """

    def __init__(self, load, item_name, other, on_error):
        self._load, self._item_name, self._other, self._on_error = load, item_name, other, on_error
        self._named = set()

    def __call__(self, *item):
        failures = 0
        for _ in range(MOST_TRIED):
            try:
                return self._load(*item)
            except LeftOut as error:  # silence is no failure, and may be most of a recording
                name, reason = self._item_name(int(item[0])), str(error)
            except BadSample as error:
                name, reason = self._item_name(int(item[0])), str(error)
                self._report(name, reason)
                failures += 1
                if failures == MOST_FAILURES:
                    break
            item = self._other(item)
        raise ValueError(
            f"{failures or MOST_TRIED} samples in a row cannot be read, the last of them {name} ({reason}). Is the "
            "data still there?"
        )

    def _report(self, name, reason):
        if self._on_error == "raise":
            raise ValueError(f"{name}: {reason}. Repair or remove it, or pass on_error='skip'.") from None
        if name not in self._named:
            self._named.add(name)
            warnings.warn(f"{name} cannot be used ({reason}); another sample takes its place.", stacklevel=3)
