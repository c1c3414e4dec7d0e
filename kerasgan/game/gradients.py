"""Gradients for weights, dense, and zero where a loss does not depend on one."""

import tensorflow as tf


def gradients_of(tape, target, variables, output_gradients=None):
    """Gradients of what a tape recorded for Keras variables: a list of tensors of their shapes.

    Args:
        tape: `tf.GradientTape`.
        target: a tensor or a nested structure of them.
        output_gradients: of `target`, in its structure; None takes ones.
    """
    return gradients_for(tape, target, [variable.value for variable in variables], output_gradients)


def gradients_for(tape, target, tensors, output_gradients=None):
    """The same for tensors, or nested structures of them, that the tape watches: a list in their order."""
    zero = tf.UnconnectedGradients.ZERO
    flat = tf.nest.flatten(tensors)
    gradients = tape.gradient(target, flat, output_gradients=output_gradients, unconnected_gradients=zero)
    return [tf.convert_to_tensor(gradient) for gradient in gradients]  # those of embeddings are sparse
