"""TFRecord shards: image records that are read by their number, and the index that says where each of them begins.

A record is a `tf.train.Example`. Those that `kerasgan convert` writes hold `image` (uint8 pixels, row by row), `shape`
(height, width, channels) and, with labels, `label`; any reader of TFRecord files reads them. Pixels are not compressed:
a PNG of 64x64 pixels is a third smaller but takes ten times as long to read.
"""

import hashlib
import math
import re
import struct
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
import tensorflow as tf

from kerasgan import files
from kerasgan.data.arrays import check_labels, number_names
from kerasgan.data.base import Source
from kerasgan.data.files import SHARD_INDEX, BadSample
from kerasgan.data.pixels import is_image_file

INDEX = SHARD_INDEX
VERSION = 1
IMAGE_FEATURES = ("image", "image/encoded", "image_raw")
LABEL_FEATURES = ("label", "image/class/label", "class")
SHAPE_FEATURES = (("shape",), ("height", "width", "channels"), ("height", "width", "depth"))
PATTERN = re.compile(r"(?P<set>.+?)(?:-(?P<number>\d{5,})-of-(?P<count>\d{5,}))?", re.DOTALL)
HEADER_BYTES = 12  # of a record: its length, and the checksum of that
FRAME_BYTES = 16  # the header, and the checksum of the content behind it


class Shard(NamedTuple):
    """A TFRecord file.

    Attributes:
        path: `pathlib.Path`.
        offsets: list of int, where its records begin.
        bytes: where it ends.
        digest: sha256 of it, or None.
    """

    path: Path
    offsets: list
    bytes: int
    digest: str | None = None


class ShardSource(Source):
    """The records of TFRecord files, in the order of the files.

    A damaged record has the label -1, a class without images the name None.
    """

    def __init__(self, name, shards, image_feature, shape_features, shape=None, labels=None, class_names=None):
        """
        Args:
            name: what messages call the source.
            shards: list of `Shard`.
            image_feature: name of the images in a record.
            shape_features: names of what tells their height, width and channels; none of image files.
            shape: (height, width, channels) that every image must have; None where images are of any size.
            labels: integers, one a record.
            class_names: as of `Source`.
        """
        self.name = name
        self.labels = labels
        self.class_names = class_names
        self.count = sum(len(shard.offsets) for shard in shards)
        self._files = [(shard.path, shard.digest) for shard in shards]
        self._shard = np.repeat(np.arange(len(shards)), [len(shard.offsets) for shard in shards])
        self._first = np.searchsorted(self._shard, np.arange(len(shards)))
        self._begin = np.concatenate([np.array(shard.offsets, np.int64) for shard in shards])
        self._end = np.concatenate([np.array([*shard.offsets[1:], shard.bytes], np.int64) for shard in shards])
        self._image_feature = image_feature
        self._shape_features = shape_features
        self._shape = shape

    def item_name(self, index):
        shard = self._shard[index]
        return f"{self._files[shard][0].name}, record {index - self._first[shard]}"

    def example(self, index):
        """The features of a record, by name. Raises `BadSample`."""
        try:
            with open(self._files[self._shard[index]][0], "rb") as file:
                file.seek(self._begin[index])
                framed = file.read(self._end[index] - self._begin[index])
        except OSError as error:
            raise BadSample(f"cannot be read: {error.strerror}") from None
        return _features(_content(framed))

    def read(self, index):
        """An image as uint8 pixels, or as the content of an image file. Raises `BadSample`."""
        if self.labels is not None and self.labels[index] < 0:
            raise BadSample("no label that can be read")
        features = self.example(index)
        image = _bytes(features, self._image_feature)
        if not self._shape_features:
            return image
        shape = tuple(number for name in self._shape_features for number in features[name].int64_list.value)
        if self._shape not in (None, shape):
            raise BadSample(f"{_times(shape)}, in shards of {_times(self._shape)}")
        if min(shape, default=0) < 1 or len(image) != math.prod(shape):
            raise BadSample(f"{len(image)} bytes, where {_times(shape)} has {math.prod(shape)}")
        return np.frombuffer(image, np.uint8).reshape(shape)

    def listing(self):
        """Files, places and labels of the records: what tells them from others."""
        digest = hashlib.sha256(self._begin.tobytes() + self._end.tobytes())
        if self.labels is not None:
            digest.update(self.labels.tobytes())
        return "\n".join([*(f"{path.name} {content}" for path, content in self._files), digest.hexdigest()])

    def classes(self, kept):
        """Class names and labels of the records `kept` (indices)."""
        if self.labels is None:
            return None, None
        labels = self.labels[kept]
        if self.class_names is None:
            return number_names(self.labels), labels
        used = [number for number, name in enumerate(self.class_names) if name is not None]
        return [self.class_names[number] for number in used], np.searchsorted(used, labels).astype(np.int32)


# Opening -----------------------------------------------------------------------------------------------------------


def is_shards(path):
    """Whether a path is a folder of TFRecord files."""
    path = Path(path)
    return path.is_dir() and ((path / INDEX).is_file() or bool(_files(path)))


def open_shards(path, subset=None, key=None, label_key=None, with_labels=False):
    """A `ShardSource` of the folder `path`: by its index, or, where it has none, by reading through the headers.

    Args:
        path: a folder of TFRecord files, or of such folders.
        subset: the folder inside, or, where a folder holds several sets without an index, the name of one of them.
        key: name of the images in a record, where it is none of the usual ones.
        label_key: name of the labels in a record, likewise.
        with_labels: whether labels are wanted.
    """
    folder = Path(path)
    if subset and (folder / subset).is_dir():
        folder, subset = folder / subset, None
    name = f"source={str(folder)!r}"
    if not (folder / INDEX).is_file():
        return _open_foreign(folder, name, subset, key, label_key, with_labels)
    for argument, value in (("subset", subset), ("key", key), ("labels", label_key)):
        if value:
            raise ValueError(f"{argument}={value!r} means nothing in {name}: its {INDEX} describes a single set.")
    index = read_index(folder / INDEX)
    shards = [Shard(folder / s["file"], s["offsets"], s["bytes"], s["sha256"]) for s in index["shards"]]
    _check_files(folder, shards, name)
    if with_labels and not index["labels"]:
        raise ValueError(f"labels=True: {name} was converted without labels; convert it again with --labels.")
    labels = [label for shard in index["shards"] for label in shard["labels"]] if with_labels else None
    labels = None if labels is None else check_labels(labels, len(labels))
    class_names = index["class_names"] if with_labels else None
    shape = (*index["size"], index["channels"])
    return ShardSource(name, shards, "image", ("shape",), shape, labels, class_names)


def read_index(path):
    """The content of `shards.json`. Raises a `ValueError` that says what is wrong with it."""
    remedy = (
        ": damaged, or not written by kerasgan convert. Convert again, or remove it: records are found without it, "
        "too, only that labels are then read from all of them."
    )
    return files.read_json(path, _checked_index, "cannot be used", remedy)


def _checked_index(index):
    """The index, if it is one."""
    if index["version"] != VERSION:
        raise ValueError(f"version {index['version']}, expected {VERSION}")
    height, width = index["size"]
    if not all(isinstance(edge, int) and edge > 0 for edge in (height, width, index["channels"])):
        raise ValueError(f"no shape of an image: {height}, {width}, {index['channels']}")
    if not index["shards"]:
        raise ValueError("no shards")
    names = index["class_names"]
    for shard in index["shards"]:
        edges = np.array([-FRAME_BYTES, *shard["offsets"], shard["bytes"]], np.int64)
        if Path(shard["file"]).name != shard["file"] or not (shard["offsets"] and isinstance(shard["sha256"], str)):
            raise ValueError(f"no shard: {shard['file']} with {len(shard['offsets'])} records")
        if edges[1] != 0 or (np.diff(edges) < FRAME_BYTES).any():
            raise ValueError(f"offsets of {shard['file']} do not fit {shard['bytes']} bytes")
        if index["labels"]:
            labels = check_labels(shard["labels"], len(shard["offsets"]))
            if names is not None and (labels.max() >= len(names) or any(names[n] is None for n in np.unique(labels))):
                raise ValueError(f"labels of {shard['file']} have no class name")
    return index


def _check_files(folder, shards, name):
    """Raises a `ValueError` unless the files of a folder are those of its index."""
    for path, _, size, _ in shards:
        if not path.is_file():
            raise ValueError(f"{path.name} is missing in {name}; copy it there again, or convert again.")
        if path.stat().st_size != size:
            raise ValueError(
                f"{path.name} in {name} has {path.stat().st_size} bytes, where {INDEX} says {size}: it is cut short, "
                "or belongs to another set. Copy it there again, or convert again."
            )
    others = sorted({path.name for path in _files(folder)} - {shard.path.name for shard in shards})
    if others:
        listed = ", ".join(others[:3])
        raise ValueError(f"{name} holds {listed}, of which {INDEX} knows nothing: give each set a folder of its own.")


def _files(folder):
    return sorted(path for path in folder.iterdir() if ".tfrecord" in path.name and path.name[0] not in "._")


def _open_foreign(folder, name, subset, key, label_key, with_labels):
    paths = _one_set(folder, name, subset)
    shards = [shard for shard in map(_scan, paths) if shard.offsets]
    if not shards:
        raise ValueError(f"{name} is empty: its TFRecord files hold no records.")
    source = ShardSource(name, shards, None, ())
    try:
        features = source.example(0)
        image_feature = _pick(features, key, "key", IMAGE_FEATURES, "images", name)
        shape_features = _shape_features(features, image_feature, name)
        labels = None
        if with_labels:
            label_feature = _pick(features, label_key, "labels", LABEL_FEATURES, "labels", name)
            labels = _labels(source, label_feature)
    except BadSample as error:
        raise ValueError(f"The records of {name} cannot be read: {error}.") from None
    return ShardSource(name, shards, image_feature, shape_features, labels=labels)


def _one_set(folder, name, subset):
    """The files of the set `subset`, or of the only one. TensorFlow calls them SET-00000-of-00016 with an ending."""
    sets = {}
    for path in _files(folder):
        match = PATTERN.fullmatch(path.name.replace(".tfrecords", "").replace(".tfrecord", ""))
        sets.setdefault(match["set"], []).append((path, match["count"]))
    if subset is None and len(sets) == 1:
        (subset,) = sets
    if subset not in sets:
        given = f"subset={subset!r} is none of the sets" if subset else "subset= must say which set to read"
        raise ValueError(f"{given} in {name}: {', '.join(sets)}.")
    for path, count in sets[subset]:
        if count and int(count) != len(sets[subset]):
            raise ValueError(
                f"{name} holds {len(sets[subset])} of the {int(count)} shards that {path.name} belongs to; "
                "copy the missing ones there."
            )
    return [path for path, _ in sets[subset]]


def _scan(path):
    """The `Shard` of a TFRecord file, found by reading the headers of its records only."""
    offsets, position, end = [], 0, path.stat().st_size
    with path.open("rb") as file:
        while position < end:
            file.seek(position)
            length = _length(file.read(HEADER_BYTES))
            if length is None:
                raise ValueError(
                    f"{str(path)!r} holds no record at byte {position}: it is no TFRecord file, compressed as a whole, "
                    "or damaged."
                )
            offsets.append(position)
            position += length + FRAME_BYTES
    if position > end:
        raise ValueError(f"{str(path)!r} is cut short: its last record ends at byte {position}, the file at {end}.")
    return Shard(path, offsets, end)


def _pick(features, key, argument, usual, what, name):
    if key is None:
        key = next((key for key in usual if key in features), None)
    if key is None or key not in features:
        given = f"{argument}={key!r} is not there" if key else f"{argument}= must say which feature holds the {what}"
        raise ValueError(f"{given}; a record of {name} has: {', '.join(sorted(features))}.")
    return key


def _shape_features(features, image_feature, name):
    """What tells the shape of images that are stored as pixels; none of image files, which tell it themselves."""
    if is_image_file(_bytes(features, image_feature)):
        return ()
    for names in SHAPE_FEATURES:
        if all(shape in features for shape in names):
            return names
    raise ValueError(
        f"Feature {image_feature!r} of {name} is no image file, and no other feature tells the shape of its pixels "
        f"(shape, or height, width and channels); a record has: {', '.join(sorted(features))}."
    )


def _labels(source, label_feature):
    """Labels of all records as int32, -1 of those that are damaged. Raises `BadSample` for one without a label."""
    labels = np.full(source.count, -1, np.int64)
    for index in source.items():
        try:
            values = source.example(index)[label_feature].int64_list.value
        except BadSample:  # of which reading it will tell
            continue
        if len(values) != 1:
            raise BadSample(f"{source.item_name(index)}: {label_feature!r} holds {len(values)} integers, not one")
        labels[index] = check_labels(values, 1)[0]
    return labels.astype(np.int32)


# Records -----------------------------------------------------------------------------------------------------------


def write_shard(path, samples):
    """Writes a TFRecord file.

    Args:
        path: the file; see `kerasgan.files.atomic`.
        samples: iterable of (image, shape, label): bytes, (height, width, channels) or None for image files, and an
            integer or None.

    Returns:
        Offsets of the records, list of int.
    """
    offsets, position = [], 0
    with files.system_errors(path), tf.io.TFRecordWriter(str(path)) as writer:
        for image, shape, label in samples:
            features = {"image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))}
            integers = {"shape": shape, "label": None if label is None else [label]}
            for name, values in integers.items():
                if values is not None:
                    features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
            example = tf.train.Example(features=tf.train.Features(feature=features))
            record = example.SerializeToString(deterministic=True)
            writer.write(record)
            offsets.append(position)
            position += len(record) + FRAME_BYTES
    return offsets


def _content(framed):
    """The content of a record, once its length and both checksums have been found right. Raises `BadSample`."""
    length = _length(framed[:HEADER_BYTES])
    if length is None:
        raise BadSample("no record begins where one should: damaged, or changed since it was opened")
    content = framed[HEADER_BYTES:-4]
    if len(content) != length or _checksum(content) != framed[-4:]:
        raise BadSample("its checksum is wrong: damaged")
    return content


def _length(header):
    """The length of a record's content; None where this is no header of a record."""
    if len(header) != HEADER_BYTES or _checksum(header[:8]) != header[8:]:
        return None
    return struct.unpack("<Q", header[:8])[0]


def _checksum(content):
    """The CRC-32C of TFRecord files, rotated and shifted, so that it may itself be content of a record."""
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _features(content):
    try:
        return tf.train.Example.FromString(content).features.feature
    except Exception:  # protobuf's DecodeError, whose module depends on its version
        raise BadSample("no tf.train.Example") from None


def _bytes(features, name):
    values = features[name].bytes_list.value
    if len(values) != 1:
        raise BadSample(f"{name!r} holds {len(values)} byte strings, not one")
    return values[0]


def _times(shape):
    return "x".join(map(str, shape))
