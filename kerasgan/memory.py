"""Arrays in memory -> shuffled batches of a fixed size, from any place of a training on."""

import tensorflow as tf


def batches(arrays, batch_size, shuffle=True, seed=None, start=None, worker=(0, 1)):
    """Batches of arrays (n, ...): a `tf.data.Dataset` of tuples of (batch_size, ...), in a new order every epoch.

    A remainder smaller than a batch is dropped; with `shuffle` it is a different one in every epoch.

    Args:
        arrays: of the same length.
        batch_size: samples in a batch.
        shuffle: whether each epoch has an order of its own.
        seed: integer that makes the orders repeatable.
        start: None gives one epoch, another one each time the data set is iterated. A number gives the batches of all
            epochs without end, from this one on: the same ones wherever it begins. It needs a seed.
        worker: (number, count) gives one worker's rows of every batch (see `rows`).
    """
    first, last = rows(batch_size, worker)
    with tf.device("CPU"):  # not on the accelerator: that memory is for the model
        tensors = [tf.constant(array) for array in arrays]
    return order(len(arrays[0]), batch_size, shuffle, seed, start).map(
        lambda index: tuple(tf.gather(tensor, index[first:last]) for tensor in tensors),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def rows(batch_size, worker):
    """First row, and the one after the last, that a worker (number, count) has of a batch that all of them share."""
    number, count = worker
    return number * batch_size // count, (number + 1) * batch_size // count


def order(count, batch_size, shuffle, seed, start):
    """The numbers 0 to `count` - 1 in the order in which `batches` has them: a data set of int64 (batch_size,).

    An epoch's order follows from the seed and the epoch's number alone, so that every place is reached by sorting
    `count` random numbers, whatever came before. (TensorFlow's `index_shuffle` would need no sorting, but it knows no
    more than 256 orders of a small set.)
    """
    in_epoch = count // batch_size
    positions = tf.data.Dataset.range(in_epoch)

    def epoch(epoch_seed, skipped):
        numbers = permutation(count, epoch_seed) if shuffle else tf.range(count, dtype=tf.int64)
        whole = tf.data.Dataset.from_tensors(numbers)
        return whole.flat_map(lambda n: positions.skip(skipped).map(lambda i: n[i * batch_size : (i + 1) * batch_size]))

    if start is None:
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True).take(1)
        batches = seeds.flat_map(lambda epoch_seed: epoch(epoch_seed, tf.constant(0, tf.int64)))
        batches = batches.apply(tf.data.experimental.assert_cardinality(in_epoch))
    else:
        first, skipped = divmod(start, in_epoch)
        zero, skipped = tf.constant(0, tf.int64), tf.constant(skipped, tf.int64)
        batches = tf.data.Dataset.counter(first).flat_map(
            lambda number: epoch(step_seed(seed, number), tf.where(tf.equal(number, first), skipped, zero))
        )
    return batches.map(lambda numbers: tf.ensure_shape(numbers, (batch_size,)))


def permutation(count, seed):
    """The numbers 0 to `count` - 1 in an order that follows from an int64 seed (2,), each order as likely."""
    drawn = tf.random.stateless_uniform((count,), seed, None, None, tf.int64)
    return tf.cast(tf.argsort(drawn, stable=True), tf.int64)


def seeds(seed, start):
    """A seed, int64 (2,), for each batch of `batches`, without end; `seed` and `start` as there."""
    if start is None:
        return tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True)
    return tf.data.Dataset.counter(start).map(lambda number: step_seed(seed, number))


def step_seed(seed, number):
    """A seed of its own, int64 (2,), for each number (of an epoch, of a batch) under one seed."""
    return tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)])
