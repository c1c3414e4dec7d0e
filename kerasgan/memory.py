"""Arrays in memory -> shuffled batches of a fixed size, from any place of a training on."""

import tensorflow as tf


def batches(arrays, batch_size, shuffle=True, seed=None, start=None):
    """Batches of arrays (n, ...): a `tf.data.Dataset` of tuples of (batch_size, ...), in a new order every epoch.

    A remainder smaller than a batch is dropped; with `shuffle` it is a different one in every epoch.

    Args:
        arrays: of the same length.
        batch_size: samples in a batch.
        shuffle: whether each epoch has an order of its own.
        seed: integer that makes the orders repeatable.
        start: None gives one epoch, another one each time the data set is iterated. A number gives the batches of all
            epochs without end, from this one on: the same ones wherever it begins. It needs a seed.
    """
    with tf.device("CPU"):  # not on the accelerator: that memory is for the model
        tensors = [tf.constant(array) for array in arrays]
    return order(len(arrays[0]), batch_size, shuffle, seed, start).map(
        lambda index: tuple(tf.gather(tensor, index) for tensor in tensors), num_parallel_calls=tf.data.AUTOTUNE
    )


def order(count, batch_size, shuffle, seed, start):
    """The numbers 0 to `count` - 1 in the order in which `batches` has them: a data set of int64 (batch_size,).

    Orders are computed, not drawn: number by number, by a cipher on the numbers (TensorFlow's `index_shuffle`), so that
    an epoch costs no memory and every place in every epoch is reached at once.
    """
    in_epoch = count // batch_size

    def indices(batch, epoch_seed):
        positions = batch * batch_size + tf.range(batch_size, dtype=tf.int64)
        if not shuffle:
            return positions
        return tf.random.experimental.index_shuffle(positions, epoch_seed, tf.constant(count - 1, tf.int64))

    if start is None:
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True).take(1)
        epoch = seeds.flat_map(lambda s: tf.data.Dataset.range(in_epoch).map(lambda batch: indices(batch, s)))
        return epoch.apply(tf.data.experimental.assert_cardinality(in_epoch))

    def at(number):
        return indices(number % in_epoch, step_seed(seed, number // in_epoch))

    return tf.data.Dataset.counter(start).map(at)


def step_seed(seed, number):
    """A seed of its own, int64 (2,), for each number (of an epoch, of a batch) under one seed."""
    return tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)])
