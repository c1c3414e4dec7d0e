"""Keras on TensorFlow, whatever else the user's Keras is set to: settled before Keras is imported."""

import os
import pathlib
import sys
import warnings

from kerasgan import importing

NEEDED = "tensorflow"


def settle():
    """Makes TensorFlow the backend of this process's Keras; a warning says so where the user's Keras is set to another.

    Keras chooses its backend once, when it is imported, by KERAS_BACKEND or by `keras.json`.

    TensorFlow starts without its messages, whoever imports it from now on (`kerasgan.console.start_tensorflow`).

    Raises:
        ImportError: Keras is there already, on another backend.
    """
    if "tensorflow" not in sys.modules:
        importing.Around("tensorflow", _start).install()
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].backend.backend()
        if chosen != NEEDED:
            raise ImportError(
                f"Keras runs on {chosen} in this process, kerasgan on TensorFlow alone: set KERAS_BACKEND={NEEDED} "
                "before Keras is imported, or import kerasgan first."
            )
        return
    chosen = os.environ.get("KERAS_BACKEND")
    by = "KERAS_BACKEND" if chosen else str(_file())
    chosen = chosen or _in_file()
    if chosen != NEEDED:
        os.environ["KERAS_BACKEND"] = NEEDED
        warnings.warn(
            f"Keras is set to {chosen} ({by}); in this process it runs on TensorFlow, which kerasgan needs.",
            stacklevel=3,
        )


def _start(execute, module):
    from kerasgan import console

    console.start_tensorflow(execute, module)


def _file():
    """Where Keras looks for its configuration."""
    folder = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return pathlib.Path(folder, "keras.json").expanduser()


def _in_file():
    """The backend that `keras.json` names; Keras's own choice where there is none, or none that can be read."""
    path = _file()
    if not path.is_file():
        return NEEDED
    import json

    try:
        return json.loads(path.read_text(encoding="utf-8")).get("backend", NEEDED)
    except (OSError, ValueError, AttributeError):
        return NEEDED
