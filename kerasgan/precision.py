"""Number formats: which policy a model is built with, and computing a part of it in float32."""

import contextlib

import keras


@contextlib.contextmanager
def policy(dtype):
    """Builds everything inside under one dtype policy (None leaves the global policy alone).

    Args:
        dtype: a Keras policy or its name, such as "mixed_bfloat16".
    """
    if dtype is None:
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def full_precision(model):
    """Calls of `model` made inside compute in float32, whatever its policy; the weights are the same variables.

    Only what is traced or called inside is affected, so a part of a `tf.function` can be in float32.
    """
    layers = list(model._flatten_layers(include_self=True))
    before = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = keras.DTypePolicy("float32")
        yield
    finally:
        for layer, saved in zip(layers, before, strict=True):
            layer.dtype_policy = saved


def in_float32(model):
    """A copy of a functional model, with its weights, that computes in float32 whatever the original's policy."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy._flatten_layers(include_self=True):
        layer.dtype_policy = keras.DTypePolicy("float32")
    return copy
