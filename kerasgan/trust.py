"""Whose code runs: files name classes, and only those of kerasgan and Keras are taken at a file's word.

Run folders and `.keras` files say by name what they are made of. To make what they name, a module is imported, which
runs it; a stranger's folder must not choose which. Other classes are taken where the user has said so: on the command
line by `--trust`, in Python by `trust=True`, or because the program has them already (it has imported the module of a
GAN type, or registered a class with Keras).
"""

import contextlib
import contextvars
import importlib
import os
import re
import sys

HOW = "add --trust (in Python trust=True, or import the module first)"

_trusted = contextvars.ContextVar("trusted", default=False)

# What Keras writes for things that are no classes; a __lambda__ is not among them: its code is in the file.
_VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
# Parts of Keras that models consist of; others download, read and write files or change settings.
_KERAS = {
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "quantizers",
    "random",
    "regularizers",
}
# Layers that run code, or open files, which the configuration brings along.
_RUN_CODE = {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
# TensorFlow's operations that reach out of a graph. Datasets and tables open files; readers and queues come with them.
_REACHING_OUT = re.compile(
    r"File|PyFunc|Print|Dataset|Iterator|Reader|Queue|Table|Summary|Save|Restore|Checkpoint|Rpc|Send|Recv|Collective"
    r"|Debug|StackV2|Stage|Barrier|DecodeProto|EncodeProto|Custom|Library|Trt|Tpu|TPU"
)
_NO_MODELS = {"clone_model", "load_model", "model_from_json", "save_model"}  # functions in keras.models


@contextlib.contextmanager
def allowing(trust=True):
    """Inside, classes that files name are imported wherever they are, or not, whatever held outside."""
    before = _trusted.set(bool(trust))
    try:
        yield
    finally:
        _trusted.reset(before)


def allow():
    """From now on, until the end of the `allowing` around this, classes that files name are imported."""
    _trusted.set(True)


def is_allowed():
    """Whether classes that files name may be imported, wherever they are."""
    return _trusted.get()


def is_ours(module):
    """Whether a module belongs to kerasgan."""
    return isinstance(module, str) and module.partition(".")[0] == "kerasgan"


def import_module(name):
    """A module by its name, found in the working directory, too, where users keep their own."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    return importlib.import_module(name)


def named(path):
    """What "module:name" names, in a module that is imported now.

    Raises:
        ImportError, AttributeError, ValueError: there is no such thing.
    """
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def check_function(path, where):
    """Checks a function, "module:name", that a file names, whose module would be run.

    Raises:
        ValueError: it is neither kerasgan's nor of a module that the program has imported, and not trusted either.
    """
    module, _, _ = path.partition(":")
    if not (is_ours(module) or is_allowed() or module in sys.modules):
        raise ValueError(
            f"{where} names {path!r}, which is not kerasgan's: to call it would run the module {module!r}. If you "
            f"trust where the folder comes from, {HOW}."
        )


def check_operations(names):
    """Raises a ValueError if one of these operations of a graph of TensorFlow's does more than compute."""
    for name in names:
        if _REACHING_OUT.search(name):
            raise ValueError(f"its operation {name} does more than compute")


def check_config(config, where):
    """Checks all that a configuration names: what `keras.saving.deserialize_keras_object` would make, at any depth.

    Args:
        config: lists, dicts and values, as from JSON.
        where: the file, as the error names it.

    Raises:
        ValueError: it names something that is neither kerasgan's, Keras's nor known to the program.
    """
    for named in _named(config):
        if not (_is_safe(named) or is_allowed()):
            raise ValueError(
                f"{where} names {_name_of(named)}, which is neither kerasgan's nor Keras's: to make it would run that "
                f"code. If you trust where the file comes from, {HOW}."
            )


def import_named(config, where):
    """Imports the modules that a checked configuration names, so that Keras knows their classes.

    Raises:
        ValueError: one cannot be imported.
    """
    modules = {named.get("module") for named in _named(config) if not _is_known(named)}
    for module in sorted(module for module in modules if isinstance(module, str)):
        if is_ours(module) or is_allowed() and module.partition(".")[0] not in ("keras", "builtins"):
            try:
                import_module(module)
            except (ImportError, ValueError) as error:
                raise ValueError(f"{where} names the module {module!r}, which cannot be imported: {error}.") from error


def _named(config):
    """Yields the dicts that name a class or function; does not recurse, however deep they are."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            left += value.values()
        elif isinstance(value, list):
            left += value


def _is_safe(named):
    name, module = named["class_name"], named.get("module")
    if not isinstance(name, str) or not isinstance(module, (str, type(None))):
        return False
    if name in _VALUES or _is_known(named):
        return True
    if name in _RUN_CODE or name.startswith("__"):
        return False
    if is_ours(module):
        return True
    if module is None or module == "builtins":
        return True  # Keras looks such names up among its own and the registered ones
    package, *parts = module.replace("keras.src", "keras", 1).split(".")  # what it serializes is in either
    function = named.get("config")
    if name == "function" and (not isinstance(function, str) or function in _NO_MODELS):
        return False
    return package == "keras" and (not parts or parts[0] in _KERAS) and name not in _NO_MODELS


def _is_known(named):
    """Whether the program has registered it with Keras."""
    if "keras" not in sys.modules:
        return False
    import keras

    is_function = named["class_name"] == "function"
    registered = named.get("config") if is_function else named.get("registered_name", named["class_name"])
    return isinstance(registered, str) and keras.saving.get_registered_object(registered) is not None


def _name_of(named):
    name = named.get("config") if named["class_name"] == "function" else named["class_name"]
    return repr(":".join(str(part)[:100] for part in (named.get("module"), name) if part is not None))
