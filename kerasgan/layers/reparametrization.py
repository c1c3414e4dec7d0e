"""What wrappers need that run a layer with another kernel than the one it learns."""

import keras


def kernel_of(layer):
    """The variable of a layer that a wrapper changes.

    Raises:
        ValueError: the layer has neither a kernel nor embeddings.
    """
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        kernel = getattr(layer, "embeddings", None)
    if not isinstance(kernel, keras.Variable):
        raise ValueError(
            f"layer={layer!r} has neither a kernel nor embeddings to change. Give a layer such as Dense, Conv2D, "
            "Conv2DTranspose or Embedding."
        )
    return kernel


def call_with_kernel(layer, inputs, value, bias=None):
    """The layer's outputs with tensors in place of its kernel and, where given, its bias; gradients pass through."""
    changed = [(kernel_of(layer), value)] if bias is None else [(kernel_of(layer), value), (layer.bias, bias)]
    # All of the layer's variables are mapped, since this scope hides the values an enclosing scope may hold.
    others = [(variable, variable.value) for variable in layer.variables if all(variable is not v for v, _ in changed)]
    with keras.StatelessScope(state_mapping=[*others, *changed]):
        return layer(inputs)
