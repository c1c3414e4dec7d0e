"""Minibatch standard deviation."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasgan")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Shows the discriminator how varied a batch is (Karras et al., 2018, arXiv:1710.10196, section 3).

    The batch of n samples is divided into n / group_size groups. In each group the standard deviation over its samples
    is taken for every feature and averaged to one number, which every sample of the group gets as one more channel of
    constant value. A generator that repeats itself gives itself away by a small number. Sample i belongs to group
    i modulo (n / group_size), as in the authors' code.

    Args:
        group_size: samples in a group. If it does not divide the batch, the largest smaller number that does is used.

    Input shape: (batch, ..., channels). Output shape: (batch, ..., channels + 1).
    """

    def __init__(self, group_size=4, **kwargs):
        if not (isinstance(group_size, int) and group_size >= 1):
            raise ValueError(f"group_size={group_size!r} was given, expected a whole number of samples, 1 or more.")
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, inputs):
        shape = ops.shape(inputs)
        groups = ops.reshape(ops.cast(inputs, "float32"), (self._members(shape[0]), -1, *shape[1:]))
        # 1e-8: the derivative of sqrt is infinite at 0, where all samples of a group agree.
        deviation = ops.sqrt(ops.var(groups, axis=0) + 1e-8)
        deviation = ops.mean(deviation, axis=tuple(range(1, len(shape))), keepdims=True)
        deviation = ops.tile(deviation, (self._members(shape[0]), *([1] * (len(shape) - 1))))
        deviation = ops.broadcast_to(deviation, (*shape[:-1], 1))
        return ops.concatenate([inputs, ops.cast(deviation, inputs.dtype)], axis=-1)

    def _members(self, batch):
        """The largest divisor of the batch size that is at most `group_size`; a tensor where the size is one."""
        if isinstance(batch, int):
            return max(members for members in range(1, self.group_size + 1) if batch % members == 0)
        candidates = ops.arange(1, self.group_size + 1, dtype="int32")
        return ops.max(ops.where(ops.equal(batch % candidates, 0), candidates, 1))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}
