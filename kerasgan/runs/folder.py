"""A run folder: the names of its files, its record, and who may write into it."""

import contextlib
import dataclasses
import json
import pathlib
import platform

from kerasgan import files, registry
from kerasgan.recipes import Recipe
from kerasgan.runs.reading import is_own
from kerasgan.trust import check_config, check_function

RECIPE = files.RECIPE
CHECKPOINT = "model.keras"
PREVIOUS = "previous.keras"
LOG = "log.csv"
EVENTS = "tensorboard"
EVALUATION = "evaluation.json"
SAMPLES = "samples"
# What a training goes on with, of those that other commands could write.
NEEDED = (RECIPE, "health.json", "scores.json")


def holds_recipe(folder):
    """Whether a path is that of a run folder."""
    return (pathlib.Path(folder) / RECIPE).is_file()


def read(folder):
    """What `recipe.json` in a folder holds, its recipe as a `Recipe` of a type that may be made."""
    path = pathlib.Path(folder) / RECIPE
    values = files.read_json(path, _checked, "cannot be read", ": damaged, or not written by kerasgan.")
    recipe, where = values["recipe"], repr(str(path))
    registry.check_named(recipe.gan_type, where)
    if is_own(recipe.data.get("reader")):
        check_function(recipe.data["reader"], where)
    check_config([recipe.model, recipe.compile, recipe.data], where)
    return values


def _checked(values):
    recipe = Recipe.from_dict(values["recipe"])
    kinds = {"asked": dict, "command": str, "data": str, "fingerprint": str, "count": int}
    for name, kind in kinds.items():
        if not isinstance(values.get(name), (kind, type(None))):
            raise ValueError(f"{name} is {str(values[name])[:60]!r}")
    if not isinstance((values.get("asked") or {}).get("data", {}), dict):
        raise ValueError("asked.data is no object")
    return {**dict.fromkeys(kinds), **values, "recipe": recipe}


def write(gan, recipe, folder, record):
    """Writes `recipe.json`."""
    import keras
    import numpy
    import tensorflow

    import kerasgan

    modules = {"kerasgan": kerasgan, "tensorflow": tensorflow, "keras": keras, "numpy": numpy}
    values = {
        "recipe": dataclasses.asdict(recipe),
        **record,
        "gan": gan.get_config(),
        "compile": gan.get_compile_config(),
        "versions": {"python": platform.python_version(), **{name: m.__version__ for name, m in modules.items()}},
    }
    with files.atomic(folder / RECIPE) as temporary:
        temporary.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")


def checkpoints(folder):
    """The checkpoints in a folder: [(name, size)]."""
    found = [pathlib.Path(folder) / name for name in (CHECKPOINT, PREVIOUS)]
    return [(path.name, path.stat().st_size) for path in found if path.is_file()]


@contextlib.contextmanager
def alone(folder):
    """Keeps other processes from training in the folder, and removes what a killed one left half-written."""
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise OSError(
            f"out={str(folder)!r}: another process is training there; wait for it or give another folder."
        ) from None
    try:
        files.sweep(folder)
        for path in folder.glob(".[0-9]*-*"):  # what versions before the locks of `files.scratch` have left
            if path.is_file():
                path.unlink()
        yield
    finally:
        lock.release()


def check_outside_data(name, *paths):
    """Raises a `ValueError` if a file to write lies in the data of a run, which could not be gone on with then.

    Args:
        name: the run folder; of other models nothing is known.
        paths: files. In a run folder they are no data, wherever that lies.
    """
    data = read(name).get("data") if holds_recipe(name) else None
    if not data:
        return
    data = pathlib.Path(data).expanduser().resolve()
    for path in paths:
        above = pathlib.Path(path).absolute().resolve().parents
        inside = above[: above.index(data)] if data in above else ()
        if data in above and not any(map(holds_recipe, inside)):
            raise ValueError(
                f"{str(path)!r} lies in {str(data)!r}, the data of {str(name)!r}: it would become data, and that "
                "training could not go on. Give another place."
            )
