"""Nested structures of tensors, such as samples that consist of several parts: what is done with all of them alike."""

import numpy as np
import tensorflow as tf


def each(function, *structures):
    """`function` of every tensor of a nested structure (or of several, side by side); None stays None."""
    return tf.nest.map_structure(lambda *tensors: None if tensors[0] is None else function(*tensors), *structures)


def floats_of(structure):
    """The tensors of floats, which have gradients: a list."""
    tensors = (tensor for tensor in tf.nest.flatten(structure) if tensor is not None)
    return [tensor for tensor in tensors if tensor.dtype.is_floating]


def count_of(samples):
    """Samples in a batch of them: a number where the shape is static, else a tensor."""
    first = tf.nest.flatten(samples)[0]
    return first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]


def per_sample(values):
    """The mean of each sample's values, such as the logits of its patches: float32 (batch,)."""
    return tf.reduce_mean(tf.reshape(tf.cast(values, tf.float32), (count_of(values), -1)), axis=1)


def divided(structure, count):
    """A nested structure in `count` equal parts along the first axis: a list of such structures."""
    pieces = [[None] * count if one is None else tf.split(one, count) for one in tf.nest.flatten(structure)]
    return [tf.nest.pack_sequence_as(structure, part) for part in zip(*pieces, strict=True)]


def stacked(structures):
    """Nested structures of the same form as one, with a new first axis, along which `at` takes one of them."""
    return each(lambda *tensors: tf.stack(tensors), *structures)


def at(structure, place):
    """The structure at a place (a number or a tensor) of those that are `stacked`."""
    return each(lambda tensor: tensor[place], structure)


def joined(structures):
    """Structures of NumPy arrays (or what becomes one) of the same form, one after the other along the first axis."""
    return each(lambda *arrays: np.concatenate(arrays), *structures)


def length(samples):
    """Samples in a structure of arrays: of the first of them; 1 for a number."""
    first = tf.nest.flatten(samples)[0]
    return len(first) if first.ndim else 1
