"""What the players see in a step: real samples, a condition, what the generator starts from and makes of it."""

import typing

import tensorflow as tf

from kerasgan.structures import count_of


class Batch(typing.NamedTuple):
    """One batch of a game. Each part is a tensor, or a nested structure of tensors, whose first axes are samples.

    Attributes:
        real: samples of the data, as the discriminator sees them.
        condition: what samples depend on, such as the labels of a conditional GAN; None in a game without.
        sources: what the generator starts from, such as latents; None until they are drawn.
        fake: what the generator has made of them; None until it has.
    """

    real: typing.Any
    condition: typing.Any = None
    sources: typing.Any = None
    fake: typing.Any = None

    @property
    def count(self):
        """Samples: a number where the shape is static, else a tensor."""
        return count_of(self.real)


def once_there(data):
    """Context in which nothing happens before a batch is there.

    Without it, a step that finds that the data have ended draws seeds and counts updates all the same: TensorFlow runs
    what does not depend on the batch beside the reading of it.
    """
    return tf.control_dependencies([tensor for tensor in tf.nest.flatten(data) if tensor is not None])
