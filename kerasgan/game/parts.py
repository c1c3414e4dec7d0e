"""Computing one after the other what does not fit beside each other: parts of a batch, updates of one player."""

import tensorflow as tf

from kerasgan.structures import at, divided, stacked


def in_turn(update, batches):
    """`update(batch)` for each batch, in a loop of the graph, which is traced once."""
    if len(batches) < 2:
        for batch in batches:
            update(batch)
        return
    together = stacked(batches)

    def body(number, _):
        update(at(together, number))
        return number + 1, []

    _repeated(body, len(batches), [])


def mean_gradients(gradients_of, batch, parts, variables):
    """The mean of `gradients_of(part)` over parts of a batch, so that memory holds the activations of one part.

    Args:
        gradients_of: function from a `Batch` to one gradient for each of `variables`.
        parts: how many; 1 takes the batch whole.

    Raises:
        ValueError: the batch cannot be divided into so many.
    """
    if parts == 1:
        return gradients_of(batch)
    count = batch.count
    if isinstance(count, int) and count % parts:
        raise ValueError(f"gradient_accumulation={parts} does not divide a batch of {count} samples.")
    together = stacked(divided(batch, parts))

    def add(number, totals):
        gradients = gradients_of(at(together, number))
        return number + 1, [total + gradient for total, gradient in zip(totals, gradients, strict=True)]

    zeros = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
    return [total / parts for total in _repeated(add, parts, zeros)]


def _repeated(body, count, start):
    """`body(number, values) -> (number + 1, values)` done `count` times, one after the other; the last values."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return tf.while_loop(lambda number, _: number < count, body, (0, start), parallel_iterations=1)[1]
    values = start
    for number in range(count):  # replicas cannot talk to each other (batch statistics) inside of a loop of the graph
        with tf.control_dependencies(values):
            values = body(number, values)[1]
    return values
