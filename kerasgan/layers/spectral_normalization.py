"""Spectral normalization of a layer's kernel."""

import keras
import tensorflow as tf

from kerasgan.layers.reparametrization import call_with_kernel, kernel_of


@keras.saving.register_keras_serializable(package="kerasgan")
class SpectralNormalization(keras.layers.Wrapper):
    """Runs a layer with its kernel W divided by W's largest singular value (Miyato et al., 2018, arXiv:1802.05957).

    The singular value sigma is estimated by power iteration: one step per call with `training=True`, starting from the
    vector that the last such call left behind. Differs from `keras.layers.SpectralNormalization` as follows: W / sigma
    is part of the graph, so the gradient passes through sigma as in the paper; the kernel itself is never overwritten;
    the vector `u` is the only state. A call with `training=False` changes nothing, nor does one inside a
    `keras.StatelessScope`, which sees its own update of `u` and drops it, nor one of a layer with `trainable=False`.

    W is seen as the matrix (everything else, output features); for transposed convolutions, whose kernels are stored
    (..., output, input), the axes are exchanged first. sigma is computed in float32 under every dtype policy; the
    wrapper's own `dtype` is ignored, that of the wrapped layer decides about the computation.

    Args:
        layer: a layer with a `kernel` (`Dense`, `Conv1D` to `Conv3D` and their transposes) or with `embeddings`.

    Raises:
        ValueError: if the layer has neither.

    Example:

    ```python
    layer = SpectralNormalization(keras.layers.Conv2D(64, 4, strides=2, padding="same"))
    ```
    """

    def __init__(self, layer, **kwargs):
        # The wrapper reads the kernel in full precision, and leaves its inputs to the layer as they are.
        kwargs = {**kwargs, "dtype": layer.variable_dtype, "autocast": False}
        super().__init__(layer, **kwargs)

    def build(self, input_shape=None):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(_output_features(self.layer),),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            dtype="float32",
            trainable=False,
        )

    def call(self, inputs, training=False):
        kernel = kernel_of(self.layer)
        return call_with_kernel(self.layer, inputs, self._normalized(kernel, update=training and self.trainable))

    def _normalized(self, kernel, update):
        """W / sigma in the kernel's shape, after one step of power iteration if `update`."""
        weights = tf.cast(tf.convert_to_tensor(kernel.value), tf.float32)
        matrix = tf.linalg.matrix_transpose(weights) if _is_transposed(self.layer) else weights
        matrix = tf.reshape(matrix, (-1, self.u.shape[0]))
        # u and v are constants for the gradient: at the maximum of v'Wu their own derivative contributes nothing.
        constant = tf.stop_gradient(matrix)
        u = tf.convert_to_tensor(self.u.value)
        v = tf.math.l2_normalize(tf.linalg.matvec(constant, u))
        if update:
            u = tf.math.l2_normalize(tf.linalg.matvec(constant, v, transpose_a=True))
            self.u.assign(u)
        else:
            u = tf.math.l2_normalize(u)
        sigma = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
        # A kernel of zeros stays one.
        return tf.cast(tf.math.divide_no_nan(weights, sigma), kernel.dtype)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


def _is_transposed(layer):
    return isinstance(layer, (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose))


def _output_features(layer):
    return kernel_of(layer).shape[-2 if _is_transposed(layer) else -1]
