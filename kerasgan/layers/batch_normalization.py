"""Batch normalization in one operation."""

import contextlib

import keras
import tensorflow as tf

# Not public, but there is no public way to ask whether XLA will compile what is being traced.
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext


@keras.saving.register_keras_serializable(package="kerasgan")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization (Ioffe & Szegedy, 2015, arXiv:1502.03167) that trains faster on maps.

    Keras composes it of some twenty operations in float32, whatever the device. On batches of maps this layer takes
    TensorFlow's fused operation instead, which reads the maps in the format that they have and computes in float32.
    Everything else is Keras's: arguments, weights, results up to rounding, and the computation wherever the fused
    operation does not apply (inference, other shapes, masks, ...).

    On several devices the statistics are those of the whole batch, not of a device's part (`synchronized`), so that a
    training is the same on one device and on many.

    Input and output shape: (batch, height, width, channels) for the fused operation, otherwise any.
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._fusible(inputs)):
            with self._synchronized_among(tf.distribute.get_strategy().num_replicas_in_sync):
                return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1:]
        gamma = tf.cast(self.gamma, tf.float32) if self.scale else tf.ones(channels)
        beta = tf.cast(self.beta, tf.float32) if self.center else tf.zeros(channels)
        empty = tf.zeros((0,))
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=gamma, offset=beta, mean=empty, variance=empty, epsilon=self.epsilon, is_training=True
        )
        # The operation gives the unbiased estimate, Keras averages the biased one.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1.0) / count
        for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(tf.cast(average, tf.float32) * self.momentum + now * (1.0 - self.momentum))
        return tf.cast(outputs, self.compute_dtype)

    @contextlib.contextmanager
    def _synchronized_among(self, replicas):
        configured = self.synchronized
        self.synchronized = configured or replicas > 1
        try:
            yield
        finally:
            self.synchronized = configured

    def _fusible(self, inputs):
        maps = len(inputs.shape) == 4 and self.axis in (-1, 3) and inputs.dtype in (tf.float32, tf.float16, tf.bfloat16)
        alone = not self.synchronized and tf.distribute.get_strategy().num_replicas_in_sync == 1
        plain = not self.renorm and alone
        # XLA takes the variance for E[x^2] - E[x]^2, which rounding makes negative where a channel is all but constant:
        # the outputs are NaN then. It fuses Keras's operations by itself.
        return maps and plain and not GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
