"""Batch normalization whose gain and bias depend on a class."""

import keras
import tensorflow as tf

from kerasgan.layers.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="kerasgan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalization with a gain and a bias of its own for each class (Dumoulin et al., 2016, arXiv:1610.07629).

    y = gain[label] * (x - mean) / sqrt(variance + epsilon) + bias[label], for each channel. Mean and variance are those
    of the whole batch, whatever the classes in it, and come from `BatchNormalization` without gain and bias: computed
    in float32, over all devices of a training together, moving averages at inference.

    Args:
        num_classes: number of classes, at least 1.
        momentum, epsilon: as in `keras.layers.BatchNormalization`.
        gain_initializer: Keras initializer of the gains; the biases start at 0.

    Input shape: [(batch, ..., channels), integer labels (batch,)]. Output shape: (batch, ..., channels).

    Raises:
        ValueError: `num_classes` is not such a number, or the input is not such a pair.

    Example:

    ```python
    x = ConditionalBatchNormalization(num_classes=10)([x, labels])
    ```
    """

    def __init__(self, num_classes, momentum=0.99, epsilon=1e-3, gain_initializer="ones", **kwargs):
        if not (isinstance(num_classes, int) and num_classes >= 1):
            raise ValueError(f"num_classes={num_classes!r} was given, expected a whole number of classes, 1 or more.")
        super().__init__(**kwargs)
        self.num_classes, self.momentum, self.epsilon = num_classes, momentum, epsilon
        self.gain_initializer = keras.initializers.get(gain_initializer)
        self.normalization = BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy, name="normalization"
        )

    def build(self, input_shape):
        if len(input_shape) != 2 or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(f"Inputs of the shape {input_shape} were given, expected a pair [values, labels].")
        self.normalization.build(input_shape[0])
        shape = (self.num_classes, input_shape[0][-1])
        self.gain = self.add_weight(name="gain", shape=shape, initializer=self.gain_initializer)
        self.bias = self.add_weight(name="bias", shape=shape, initializer="zeros")

    def call(self, inputs, training=None):
        values, labels = inputs
        normalized = self.normalization(values, training=training)
        each = (-1, *[1] * (len(values.shape) - 2), values.shape[-1])
        gain, bias = (
            tf.reshape(tf.gather(tf.convert_to_tensor(table), labels), each) for table in (self.gain, self.bias)
        )
        return normalized * gain + bias

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "gain_initializer": keras.initializers.serialize(self.gain_initializer),
        }
