"""Arrays in memory -> shuffled batches of a fixed size. Numbers are shuffled, not samples: uniformly, at no cost."""

import tensorflow as tf


def batches(arrays, batch_size, shuffle=True, seed=None):
    """Batches of arrays (n, ...): a `tf.data.Dataset` of tuples of (batch_size, ...), in a new order every epoch.

    A remainder smaller than a batch is dropped; with `shuffle` it is a different one in every epoch.
    """
    with tf.device("CPU"):  # not on the accelerator: that memory is for the model
        tensors = [tf.constant(array) for array in arrays]
    count = len(arrays[0])
    order = tf.data.Dataset.range(count)
    if shuffle:
        order = order.shuffle(count, seed=seed, reshuffle_each_iteration=True)
    order = order.batch(batch_size, drop_remainder=True)
    return order.map(
        lambda index: tuple(tf.gather(tensor, index) for tensor in tensors), num_parallel_calls=tf.data.AUTOTUNE
    )
