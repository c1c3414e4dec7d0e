"""Highway layers: a gate decides how much of each number is changed."""

from keras import layers


def highway(x):
    """t * relu(W x) + (1 - t) * x with a gate t of its own (Srivastava et al., 2015, arXiv:1505.00387).

    Args:
        x: Keras tensor (..., width).

    Returns:
        Keras tensor (..., width).
    """
    width = x.shape[-1]
    gate = layers.Dense(width, "sigmoid", bias_initializer="zeros")(x)
    changed = layers.Dense(width, "relu")(x)
    return layers.Add()([x, layers.Multiply()([gate, layers.Subtract()([changed, x])])])
