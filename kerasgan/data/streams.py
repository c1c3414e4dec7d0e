"""Pictures that arrive one after the other: a `tf.data.Dataset`, or a data set of tensorflow-datasets by its name."""

import difflib
import itertools

import numpy as np
import tensorflow as tf

from kerasgan.data.arrays import IMAGE_KEYS, LABEL_KEYS, TOLERANCE, check_kind, check_labels, number_names, to_uint8
from kerasgan.data.base import Source

PROBED = 64  # elements that are read first, to learn whether floats are in [0, 1] or in [-1, 1]


class StreamSource(Source):
    """The pictures of a `tf.data.Dataset` of images, of encoded images, or of (image, label) pairs of either.

    Attributes:
        dataset: the elements, image or (image, label).
        has_labels: whether elements are pairs.
        is_encoded: whether an image is a string: the content of a file.
    """

    is_stream = True

    def __init__(self, name, dataset, class_names=None):
        self.name = name
        self.dataset = dataset
        self.class_names = class_names
        self.has_labels = isinstance(dataset.element_spec, tuple)
        image = dataset.element_spec[0] if self.has_labels else dataset.element_spec
        self.is_encoded = image.dtype == tf.string
        count = int(dataset.cardinality())
        if count == tf.data.INFINITE_CARDINALITY:
            raise ValueError(f"{name} never ends; leave its .repeat() out, training repeats it epoch by epoch.")
        self.count = count if count >= 0 else None
        if not self.is_encoded:
            check_kind(image.dtype.as_numpy_dtype, name)
            self._probe()

    def _probe(self):
        self._low, self._high = np.inf, -np.inf
        for image in itertools.islice(self.items(), PROBED):
            self._low, self._high = np.minimum(self._low, image.min()), np.maximum(self._high, image.max())

    def items(self):
        """What `read` takes, for each element; keeps the labels on the way."""
        self._labels = []
        for element in self.dataset.as_numpy_iterator():
            image, label = element if self.has_labels else (element, None)
            self._labels.append(label)
            yield image

    def label(self, position):
        """The class of an element that `items` has read; None without labels."""
        return int(np.reshape(self._labels[position], ())) if self.has_labels else None

    def classes(self, kept):
        """Class names and labels of the elements `kept` (positions), once `items` were read."""
        if not self.has_labels:
            return None, None
        labels = check_labels(self._labels, len(self._labels))
        return self.class_names or number_names(labels), labels[kept]

    def elements(self):
        """A data set of (position, item) or (position, item, label), for reading when they are needed."""
        if self.has_labels:
            return self.dataset.enumerate().map(lambda position, pair: (position, *pair))
        return self.dataset.enumerate()

    def read(self, image):
        """An image as the bytes of a file, or as uint8 pixels."""
        if self.is_encoded:
            return image
        low, high = np.minimum(self._low, image.min()), np.maximum(self._high, image.max())
        convert = to_uint8(image.dtype, low, high, self.name)
        if image.dtype.kind == "f" and low < -TOLERANCE <= self._low:
            raise ValueError(
                f"{self.name} begins with {PROBED} images in [0, 1], but a later one holds {low:.6g}; "
                "scale all of them to [0, 1], to [-1, 1] or to uint8."
            )
        return convert(image)

    def item_name(self, position):
        return f"element {position}"


def from_dataset(dataset, key=None, label_key=None, with_labels=False, name="source", class_names=None):
    """A `StreamSource` of any `tf.data.Dataset`: images, (image, label) or dictionaries, batched or not."""
    spec = dataset.element_spec
    if isinstance(spec, dict):
        key = key or next((key for key in IMAGE_KEYS if key in spec), None)
        if key is None:
            raise ValueError(f"key= must say which entry of {name} holds the images; it holds: {', '.join(spec)}.")
        label_key = label_key or LABEL_KEYS.get(key, "label")
        image = _pick(spec, key, "key", name)
        label = _pick(spec, label_key, "labels", name) if with_labels else None
        dataset = dataset.map(
            lambda element: (_pick(element, key), _pick(element, label_key)) if with_labels else _pick(element, key)
        )
    else:
        elements = spec if isinstance(spec, tuple) else (spec,)
        if with_labels and len(elements) != 2:
            raise ValueError(f"labels need {name} to yield (image, label); it yields {spec}.")
        image, label = elements[0], elements[1] if with_labels else None
        if isinstance(spec, tuple) and not with_labels:
            dataset = dataset.map(lambda *element: element[0])
    _check_specs(image, label, name)
    if image.shape.rank == 4 or (image.dtype == tf.string and image.shape.rank == 1):
        dataset = dataset.unbatch()
    return StreamSource(name, dataset, class_names)


def _check_specs(image, label, name):
    for spec in (image, label):
        if spec is not None and not isinstance(spec, tf.TensorSpec):
            raise ValueError(f"{name} yields {spec} where an image or a label is expected; map it to (image, label).")
    if label is not None and not (label.dtype.is_integer or label.dtype.is_bool):
        raise ValueError(f"labels of {name} have dtype {label.dtype.name}; expected integers (for one-hot: tf.argmax).")


def _pick(element, path, argument=None, name=None):
    """The entry of nested dictionaries at `path`, such as "attributes/Smiling"."""
    for part in path.split("/"):
        if not isinstance(element, dict) or part not in element:
            raise ValueError(f"{argument}={path!r} is not in {name}; it holds: {', '.join(element)}.")
        element = element[part]
    return element


def from_tfds(source, subset=None, key=None, label_key=None, with_labels=False, data_dir=None, download=False):
    """A `StreamSource` of "tfds:name", "tfds:name/split" or "tfds:name/config/split".

    Images stay encoded until they are used, so that shuffling needs no decoded images in memory.
    """
    import tensorflow_datasets as tfds

    builder, split = _builder(source, subset, data_dir)
    _require_prepared(builder, source, download)
    features = dict(builder.info.features.items())
    pictures = [name for name, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if not pictures:
        raise ValueError(f"source={source!r} holds no images; its features are: {', '.join(features)}.")
    key = key or pictures[0]
    label_key = label_key or "label"
    encoded = key in pictures and features[key].np_dtype == np.uint8  # others are not stored as ordinary image files
    decoders = {key: tfds.decode.SkipDecoding()} if encoded else None
    dataset = builder.as_dataset(split=_split(source, builder, split), decoders=decoders)
    class_names = getattr(features.get(label_key), "names", None) if with_labels else None
    return from_dataset(dataset, key, label_key, with_labels, f"source={source!r}", class_names)


def _require_prepared(builder, source, download):
    if builder.is_prepared():
        return
    if not download:  # without this check, a machine without a network would try for minutes
        raise FileNotFoundError(
            f"source={source!r} is not prepared in {str(builder.data_dir_root)!r}; pass download=True to download and "
            "prepare it once, or data_dir= to say where it is."
        )
    builder.download_and_prepare()


def _builder(source, subset, data_dir):
    """The tensorflow-datasets builder and the split that was asked for, or None."""
    import tensorflow_datasets as tfds

    name = source.removeprefix("tfds:")
    try:
        return tfds.builder(name, data_dir=data_dir), subset
    except Exception as error:  # not found, no such config, not a name at all: each has its own class
        shorter, _, last = name.rpartition("/")
        if shorter:
            try:
                builder = tfds.builder(shorter, data_dir=data_dir)
            except Exception:
                raise ValueError(_unknown(source, shorter, error)) from None
            if subset:
                raise ValueError(f"subset={subset!r} and source={source!r} both name a split; give one.") from None
            return builder, last
        raise ValueError(_unknown(source, name, error)) from None


def _unknown(source, name, error):
    import tensorflow_datasets as tfds

    near = difflib.get_close_matches(name.split("/")[0], tfds.list_builders(), 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"source={source!r} is no data set that tensorflow-datasets knows: {str(error).splitlines()[0]}{hint}"


def _split(source, builder, split):
    splits = list(builder.info.splits)
    split = split or ("train" if "train" in splits else splits[0])
    if split.split("[")[0] not in [*splits, "all"]:
        raise ValueError(f"{split!r} is no split of source={source!r}; its splits are: {', '.join(splits)}.")
    return split
