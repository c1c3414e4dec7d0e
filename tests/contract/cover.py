"""Small sets of types in which everything appears that any type is made of.

What holds for each layer and each method is tested on such a set. A type that has a layer, or overrides a method, that
no other has is in it by itself.
"""

import functools
import inspect

import keras
from small import build_small

from kerasgan import registry

_OF_EVERY_TYPE = {"get_config"}
_SHARED = ("builtins", "keras", "kerasgan", "tensorflow")  # packages whose classes types are made from


def smallest(parts, known=frozenset()):
    """Names of few sets that hold together what all of them hold.

    Args:
        parts: {name: set}.
        known: what none of them has to hold.

    Returns:
        List of names in their order in `parts`: each takes the most of what is still missing, and none is left that the
        others make needless.
    """
    parts = {name: held - known for name, held in parts.items()}
    missing, chosen = set().union(*parts.values()), []
    while missing:
        chosen.append(max(parts, key=lambda name: len(parts[name] & missing)))
        missing -= parts[chosen[-1]]
    for name in list(chosen):
        others = [other for other in chosen if other != name]
        if parts[name] <= set().union(*(parts[other] for other in others)):
            chosen = others
    return [name for name in parts if name in chosen]


def overridden(cls):
    """Methods and properties of the shared classes that a type has of its own: {name: the class that defines it}.

    Not the starting values of arguments (`default_...`).
    """
    shared = [base for base in cls.__mro__ if _is_shared(base)]
    return {
        name: owner
        for owner in reversed([base for base in cls.__mro__ if not _is_shared(base)])
        for name, value in vars(owner).items()
        if (inspect.isroutine(value) or hasattr(value, "__get__"))
        and any(name in vars(base) for base in shared)
        and not name.startswith(("__", "default_"))
        and name not in _OF_EVERY_TYPE
    }


def _is_shared(cls):
    package = cls.__module__.split(".")[0]
    return package in _SHARED and not cls.__module__.startswith("kerasgan.models.")


def layers_of(network):
    """Layers, those of networks and wrappers inside of it included."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
            continue
        yield layer
        if isinstance(layer, keras.layers.Wrapper):
            yield layer.layer


def layer_classes(*networks):
    return {keras.saving.get_registered_name(type(layer)) for network in networks for layer in layers_of(network)}


@functools.cache
def of_training():
    """Types whose networks have every layer, and whose games every method, that any type's have."""
    return smallest(
        {name: layer_classes(gan.generator, gan.discriminator) | {*overridden(type(gan))} for name, gan in _all()}
    )


@functools.cache
def of_inference():
    """Types whose generators have every layer, and that change every part of what is exported.

    But for those that entries have: `test_zoo.py` sees to them, in every mode.
    """
    parts = {
        name: layer_classes(gan.generator) | {n for n in overridden(type(gan)) if n.startswith("inference_")}
        for name, gan in _all()
    }
    of_entries = {registry.get(name).gan_type for name in registry.ZOO}
    return smallest(parts, frozenset().union(*(parts[name] for name in of_entries)))


@functools.cache
def _all():
    return [(name, build_small(name)) for name in registry.TYPES]
