"""What labelled data are, before anything is read: which reader they are for, and what of them is kept to test on."""

import collections
import os
import pathlib
import zipfile

from kerasgan.data.arrays import keys_of
from kerasgan.data.files import printable
from kerasgan.data.sources import check_path, paths_of

_SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
_ARRAYS = (("x_train", "x_test"), ("train_images", "test_images"))  # in a .npz file: to train on, to test on
_FOLDERS = (("train", "test"), ("training", "testing"), ("train", "val"), ("train", "validation"))


def reader_of(source):
    """Name of the reader in `kerasgan.data` that a source is for: "audio" where most files are sounds, else "images".

    Raises:
        FileNotFoundError, NotADirectoryError: a path that is not there, or not of a kind that can be read.
    """
    counts = collections.Counter(
        pathlib.PurePath(name).suffix.lower() in _SOUNDS for path in paths_of(source) for name in _names(path)
    )
    return "audio" if counts[True] > counts[False] else "images"


def parts_of(source, **given):
    """The arguments by which readers take the part of a source to train on, and the part to test on.

    These are the arrays or folders that a source has for that, such as `x_train` and `x_test`, or `train/` and
    `test/`; of others, nine samples in ten, and the tenth.

    Args:
        source: as readers take it.
        given: arguments that the reader gets besides; with a `key` or `subset` among them, that is what is parted.

    Returns:
        Two dictionaries.
    """
    if not any(given.get(name) for name in ("key", "subset")) and len(paths_of(source)) == 1:
        (path,) = paths_of(source)
        for argument, pairs, held in (("key", _ARRAYS, _arrays(path)), ("subset", _FOLDERS, _folders(path))):
            for train, test in pairs:
                if train in held and test in held:
                    return {argument: held[train]}, {argument: held[test]}
    return {"part": "train"}, {"part": "test"}


def _names(path):
    """Names of the files in a folder or zip file; none of a file of arrays."""
    check_path(path)
    if path.is_dir():
        return [name for _, _, names in os.walk(path, followlinks=False) for name in names]
    return [] if _is_arrays(path) else _members(path)


def _members(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile):
        return []  # which the reader says better


def _is_arrays(path):
    return path.suffix.lower() in (".npz", ".npy")


def _arrays(path):
    """{name: name} of the arrays in a `.npz` file."""
    return {key: key for key in keys_of(path)} if path.suffix.lower() == ".npz" and path.is_file() else {}


def _folders(path):
    """{name in lower case: name} of the folders at the top of a folder or zip file."""
    if path.is_dir():
        return {entry.name.lower(): printable(entry.name) for entry in os.scandir(path) if entry.is_dir()}
    if _is_arrays(path) or not path.is_file():
        return {}
    tops = {name.replace("\\", "/").split("/")[0] for name in _members(path) if "/" in name}
    return {name.lower(): name for name in tops}
