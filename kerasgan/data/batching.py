"""Samples that are loaded when they are needed -> shuffled batches of a fixed size."""

import warnings

import tensorflow as tf

from kerasgan.data.files import BadSample

MOST_FAILURES = 20  # unusable samples in a row, after which the data counts as lost


def from_items(items, load, signature, batch_size, shuffle, seed):
    """Batches of samples that are loaded when they are needed, several at a time.

    Args:
        items: `tf.data.Dataset` of tuples: numbers of samples, or undecoded samples.
        load: Python function of an item that returns a tuple of NumPy arrays.
        signature: tuple of `tf.TensorSpec`, what `load` returns.
        batch_size: samples in a batch; a smaller remainder is dropped.
        shuffle, seed: whether items come in a new order each time, and what makes it repeatable.
    """
    if shuffle:
        items = items.shuffle(items.cardinality(), seed=seed, reshuffle_each_iteration=True)

    def one(*item):
        parts = tf.numpy_function(load, item, [spec.dtype for spec in signature])
        return tuple(tf.ensure_shape(part, spec.shape) for part, spec in zip(parts, signature, strict=True))

    samples = items.map(one, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return samples.batch(batch_size, drop_remainder=True)


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
