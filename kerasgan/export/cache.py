"""Exported files of pretrained models, kept for the next time that `kerasgan serve` or `export --web` wants them.

They lie in the folder `exports` of `kerasgan.weights.cache_folder()`, and may be removed at any time. A file is found
again as long as the weights, the recipe, this package's code, Keras and TensorFlow are those it was made with.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import pathlib

import kerasgan
from kerasgan import files, registry, weights
from kerasgan.export import sidecar
from kerasgan.export.to_tflite import tflite
from kerasgan.export.web import back_of, complete, directions_of


def folder():
    """Where the files are kept, as a `pathlib.Path`; it need not exist yet."""
    return weights.cache_folder() / "exports"


def find(name, quantize):
    """The .tflite file of a pretrained model, with its sidecar beside it; None unless it is there and sound.

    So is that of its other direction, if its recipe's page speaks of one.
    """
    path = _path(name, quantize)
    wanted = [path, back_of(path)] if "back" in registry.get(name).page else [path]
    return path if all(map(_is_sound, wanted)) else None


def _is_sound(path):
    """Whether a file is there, and what its sidecar says; what is gone or damaged is made again."""
    try:
        described = sidecar.read(path)
        if not described or not sidecar.describes(described, path):
            return False
        steered = described.get("directions")
        return steered is None or sidecar.fingerprint(directions_of(path)) == steered
    except (OSError, ValueError):
        return False


def export(name, quantize, otherwise):
    """Exports a pretrained model into the cache, or into the folder `otherwise` if the cache cannot be written.

    Returns:
        The path of the .tflite file.

    Raises:
        ...: what `kerasgan.export.tflite` raises.
    """
    path = _path(name, quantize)
    try:
        files.check_folder(path.parent)
    except OSError:
        path = pathlib.Path(otherwise) / path.name
    tflite(name, path, quantize, overwrite=True)
    complete(name, path, quantize)
    for older in path.parent.glob(f"{name}-{quantize}-*"):
        if not older.name.startswith(path.name):
            older.unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def scratch():
    """A folder for what is made of the files, removed afterwards: in the cache if that can be written."""
    place = folder()
    try:
        files.check_folder(place)  # which also removes what a killed server has left
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        place = None
    with files.scratch(place) as made:
        yield made


def _path(name, quantize):
    return folder() / f"{name}-{quantize}-{_key(name)}.tflite"


def _key(name):
    """Changes with whatever an exported file follows from."""
    recipe = dataclasses.asdict(registry.get(name))  # with the sha256 of the weights
    versions = [importlib.metadata.version(package) for package in ("tensorflow", "keras")]
    known = json.dumps([recipe, versions, _code()], default=str, sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()[:16]


@functools.cache
def _code():
    """Of this package; its version alone stays the same where somebody works on it, or follows a repository."""
    package, digest = pathlib.Path(kerasgan.__file__).parent, hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
