"""Keras opens our `.keras` files after `import kerasgan` alone.

Keras knows a class of a file once the class has been defined, which imports TensorFlow. So that `import kerasgan` stays
quick, Keras is given the names of all types right away, in whichever order the two are imported, and their classes are
imported when a file asks for one.
"""

import importlib
import sys


def announce():
    """Tells Keras the names of our models: now, or as soon as somebody imports it."""
    if "keras" in sys.modules:
        _announce()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _announce():
    import keras

    from kerasgan import registry

    known = keras.saving.get_custom_objects()
    for path in ("kerasgan.gan:GAN", *(kind.path for kind in registry.TYPES.values())):
        module, _, name = path.partition(":")
        known.setdefault(f"kerasgan>{name}", type(name, (_Later,), {"module": module}))


class _Later:
    """Stands for a class until it is defined, which puts it in the place of this one."""

    module = None

    @classmethod
    def from_config(cls, config):
        return getattr(importlib.import_module(cls.module), cls.__name__).from_config(config)


class _AfterKeras:
    """A finder of modules that finds none, but announces our models at the end of the import of Keras."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None:
            spec.loader.exec_module = self._announcing(spec.loader.exec_module)
        return spec

    def _announcing(self, execute):
        def execute_and_announce(module):
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                _announce()

        return execute_and_announce
