"""Scripts as modules, and as a person runs them, but in this process, which has imported TensorFlow already."""

import contextlib
import importlib.util
import io
import runpy
import sys
import types

import pytest
from absl import app, flags


def load(path):
    """A script as a module, whose functions tests call; its flags stand until the next script."""
    _forget_flags()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(path.parent), *sys.path])  # where Python looks when it runs a script
        spec.loader.exec_module(module)
    return module


def run(path, *words):
    """How a script ends, told as by `subprocess.run`: `returncode`, `stdout`, `stderr`."""
    out, error = io.StringIO(), io.StringIO()
    _forget_flags()
    words = [str(path), *map(str, words)]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "path", [str(path.parent), *sys.path])
        patch.setattr(app, "run", lambda main: main(flags.FLAGS(words)))
        try:
            runpy.run_path(words[0], run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except (flags.Error, app.UsageError) as mistake:
            code = str(mistake)
        finally:
            _forget_flags()
    if isinstance(code, str):  # what Python does with it
        code = print(code, file=error) or 1
    return types.SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=error.getvalue())


def _forget_flags():
    """Removes the flags of an earlier script, for the next one may have the same, and what was given for them."""
    modules = flags.FLAGS.flags_by_module_dict().items()
    of_absl = [flag for module, those in modules if module.startswith("absl") for flag in those]
    for name in set(flags.FLAGS) - {name for flag in of_absl for name in (flag.name, flag.short_name)}:
        delattr(flags.FLAGS, name)
    flags.FLAGS.unparse_flags()
