"""Keras opens our `.keras` files after `import kerasgan` alone.

Keras knows a class of a file once the class has been defined, which imports TensorFlow. So that `import kerasgan` stays
quick, Keras is given the names of all our classes (types, layers, losses, penalties and so on) right away, in whichever
order the two are imported, and a class is imported when a file asks for it.
"""

import importlib
import pathlib
import re
import sys

from kerasgan import importing

_PACKAGE = pathlib.Path(__file__).parent
# How our files define what Keras can save: the decorator, and the class below it.
_DECORATOR = r'@(?:keras\.saving\.)?register_keras_serializable\(package="kerasgan"\)'
_DEFINED = re.compile(rf"^{_DECORATOR}\n(?:@.+\n)*class (\w+)", re.MULTILINE)


def announce():
    """Tells Keras the names of our classes: now, or as soon as somebody imports it."""
    if "keras" in sys.modules:
        _announce()
    else:
        importing.Around("keras", _execute_and_announce).install()


def _execute_and_announce(execute, module):
    execute(module)
    _announce()


def _announce():
    import keras

    known = keras.saving.get_custom_objects()
    for module, name in classes():
        known.setdefault(f"kerasgan>{name}", type(name, (_Later,), {"module": module}))


def classes():
    """[(module, name)] of all our classes that Keras can save, read from the sources: nothing is imported."""
    found = []
    for path in sorted(_PACKAGE.rglob("*.py")):
        module = ".".join((_PACKAGE.name, *path.relative_to(_PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        found += [(module, name) for name in _DEFINED.findall(path.read_text(encoding="utf-8"))]
    return found


class _Later:
    """Stands for a class until it is defined, which puts it in the place of this one."""

    module = None

    @classmethod
    def from_config(cls, config):
        return getattr(importlib.import_module(cls.module), cls.__name__).from_config(config)
