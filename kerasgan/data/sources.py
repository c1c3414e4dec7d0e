"""From what a user gives as `source` to what reads it: `FileSource`, `ShardSource`, `ArraySource` or `StreamSource`."""

import functools
import os
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasgan.data.arrays import ArraySource, load_arrays
from kerasgan.data.base import Source
from kerasgan.data.files import find_files
from kerasgan.data.pixels import look
from kerasgan.data.shards import is_shards, open_shards
from kerasgan.data.streams import from_dataset, from_tfds
from kerasgan.files import check_given

TEST_EVERY = 10  # in a part for tests, every tenth item

# kind of source -> (what messages call it, which arguments mean something there)
KINDS = {
    "dataset": ("a tf.data.Dataset", ("key",)),
    "tfds": ("a name for tensorflow-datasets", ("subset", "key", "data_dir", "download")),
    "array file": ("a file of arrays", ("subset", "key")),
    "array": ("an array", ()),
    "shards": ("TFRecord shards", ("subset", "key")),
    "files": ("image files", ("subset",)),
}


def find(source, labels=False, **options):
    """The object that reads `source`; checks that labels and options (see `images`) mean something there."""
    kind = _kind(source, options.get("subset"))
    described, meant = KINDS[kind]
    check_given(options.get("data_dir"), "data_dir")
    options = {argument: value for argument, value in options.items() if value}
    for argument, value in options.items():
        if argument not in meant:
            raise ValueError(f"{argument}={value!r} means nothing where source is {described}; leave it out.")
    with_labels = labels is not None and labels is not False
    if kind == "array":
        return _from_array(source, labels if with_labels else None)
    label_key = labels if isinstance(labels, str) else None
    if with_labels and labels is not True and (kind == "files" or label_key is None):
        allowed = "True or False" if kind == "files" else "True, False or the name of the labels"
        raise ValueError(f"labels={short(labels)} means nothing where source is {described}; give {allowed}.")
    if kind == "files":
        return find_files(paths_of(source), with_labels=with_labels, look=look, **options)
    if kind == "shards":
        return open_shards(paths_of(source)[0], label_key=label_key, with_labels=with_labels, **options)
    if kind == "array file":
        return load_arrays(paths_of(source)[0], label_key=label_key, with_labels=with_labels, **options)
    read = from_dataset if kind == "dataset" else from_tfds
    return read(source, label_key=label_key, with_labels=with_labels, **options)


def spread(found, count):
    """At most so many items all over a source, in order; of a stream its first ones."""
    if found.is_stream:
        return [item for _, item, *_ in found.elements().take(count).as_numpy_iterator()]
    items = list(found.items())
    return [items[place] for place in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


class Part(Source):
    """Some of the items of a source, which is known in full: what is trained on, or what is kept apart to test on.

    Args:
        found: a source that knows its `count`.
        part: "test" has every tenth item, "train" all others.

    Raises:
        ValueError: `part` is neither, the source is a stream, or nothing is left.
    """

    def __init__(self, found, part):
        if part not in ("train", "test"):
            raise ValueError(f"part={part!r} must be 'train', 'test' or None.")
        if found.count is None:
            raise ValueError(f"part={part!r} means nothing for a stream; give files or arrays.")
        numbers = np.arange(found.count)
        self.numbers = numbers[(numbers % TEST_EVERY == TEST_EVERY - 1) == (part == "test")]
        if not len(self.numbers):
            raise ValueError(f"part={part!r} of {found.name}, which has {found.count} items, is empty.")
        self.name, self.count = f"{found.name} (part={part!r})", len(self.numbers)
        self.class_names, self.has_files = found.class_names, found.has_files
        self._found, self._part = found, part

    @property
    def labels(self):
        return None if self._found.labels is None else self._found.labels[self.numbers]

    @functools.cached_property
    def _items(self):
        items = list(self._found.items())
        return [items[number] for number in self.numbers]

    def read(self, item):
        return self._found.read(self._items[item])

    def open(self, item):
        return self._found.open(self._items[item])

    def listing(self):
        listing = self._found.listing()
        return listing and f"{self._part} {listing}"

    def item_name(self, position):
        return self._found.item_name(int(self.numbers[position]))

    def label(self, position):
        return self._found.label(int(self.numbers[position]))

    def classes(self, kept):
        return self._found.classes(self.numbers[kept])


def _kind(source, subset):
    if isinstance(source, tf.data.Dataset):
        return "dataset"
    if isinstance(source, str) and source.startswith("tfds:"):
        return "tfds"
    if not paths_of(source):
        return "array"
    for path in paths_of(source):
        check_path(path)
    first, *others = paths_of(source)
    if any(is_shards(path) or is_shards(path / (subset or "")) for path in paths_of(source)):
        if others:
            raise ValueError(f"source={short(source)} lists TFRecord shards, which come alone; give a single folder.")
        return "shards"
    return "array file" if first.suffix.lower() in (".npz", ".npy") and not others else "files"


def paths_of(source):
    """The paths that `source` is or lists; none where it is something else. A `ValueError` for an empty one."""
    paths = source if isinstance(source, (list, tuple)) else [source]
    if not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return []
    for path in paths:
        check_given(path, "source")
    return [Path(path).expanduser() for path in paths]


def check_path(path, readable="a folder, a zip file or a .npz file", endings=(".npz", ".npy")):
    """Raises an `OSError` unless a path is there, and a folder, a zip file or a file with one of the endings."""
    if not path.exists():
        raise FileNotFoundError(f"source={str(path)!r} does not exist; give {readable}.")
    if not (path.is_dir() or path.suffix.lower() in (".zip", *endings) or zipfile.is_zipfile(path)):
        its = readable.replace("a folder", "its folder")
        raise NotADirectoryError(f"source={str(path)!r} is a single file; give {its}.")


def _from_array(source, labels):
    if labels is True or isinstance(labels, str):
        raise ValueError(f"labels={labels!r}: an array comes without labels; give them as integers, one an image.")
    try:
        array = np.asarray(source)
    except (TypeError, ValueError) as error:
        raise ValueError(f"source={short(source)} is no array of images: {error}") from None
    if array.dtype == object or not array.ndim:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder, a zip or .npz file, an array, "
            "a tf.data.Dataset or 'tfds:name'."
        )
    return ArraySource("source", array, labels)


def short(value):
    """A value as messages show it."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."
