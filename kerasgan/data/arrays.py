"""Pictures that are numbers already: NumPy arrays, `.npy` and `.npz` files. Pickled objects are never loaded."""

import contextlib
import fnmatch
import zipfile

import numpy as np

from kerasgan import files
from kerasgan.data.base import Source
from kerasgan.media.image import TOLERANCE, from_zero

IMAGE_KEYS = ("images", "x_train", "train_images", "image", "x", "data", "arr_0")
LABEL_KEYS = {"image": "label", "x_train": "y_train", "x_test": "y_test", "x_val": "y_val", "x": "y", "arr_0": "arr_1"}
_PACKED = 100  # times that pictures of one colour shrink when they are compressed
_MOST_CLASSES = 1_000_000
_SHOWN = 20  # values that a message lists


class ArraySource(Source):
    """The pictures of an array (n, height, width) or (n, height, width, channels). Classes are mere numbers."""

    def __init__(self, name, array, labels=None):
        check_kind(array.dtype, name)
        _check_shape(array.shape, name)
        self.name = name
        self.count = len(array)
        self.labels = None if labels is None else check_labels(labels, len(array))
        self._array = array
        self._to_uint8 = to_uint8(array.dtype, *_limits(array), name)

    def item_name(self, index):
        return f"image {index}"

    def read(self, index):
        """A picture, uint8 (height, width) or (height, width, channels)."""
        return self._to_uint8(np.asarray(self._array[index]))

    def classes(self, kept):
        return (None, None) if self.labels is None else (number_names(self.labels), self.labels[kept])


def to_uint8(dtype, low, high, name):
    """The function that brings numbers between `low` and `high` to 0..255; a `ValueError` where none fits.

    Integers are 0..255, booleans black and white. Floats are in [-1, 1] where there are negative ones, else in [0, 1]:
    see `kerasgan.media.image.from_zero`.
    """
    if dtype == np.uint8:
        return lambda pixels: pixels
    if dtype == np.bool_:
        return lambda pixels: pixels.astype(np.uint8) * 255
    if np.issubdtype(dtype, np.integer):
        if low < 0 or high > 255:
            raise ValueError(f"{name} holds integers from {low} to {high}; pixels are 0 to 255. Scale them first.")
        return lambda pixels: pixels.astype(np.uint8)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} holds NaN or infinite values; repair or remove those images.")
    if low < -1 - TOLERANCE or high > 1 + TOLERANCE:
        looks = "This looks like 0..255 fed as floats: pass it as uint8, such as array.astype('uint8')."
        remedy = looks if low >= 0 and high <= 255 else "Scale it first."
        raise ValueError(f"{name} holds floats from {low:.6g} to {high:.6g}; expected [-1, 1] or [0, 1]. {remedy}")
    scale, shift = (255.0, 0.0) if from_zero(low) else (127.5, 127.5)
    return lambda pixels: np.clip(np.rint(pixels.astype(np.float32) * scale + shift), 0, 255).astype(np.uint8)


def _limits(array):
    if array.dtype in (np.uint8, np.bool_):
        return 0, 255  # every value is allowed: no need to read a large file through
    return array.min(), array.max()  # a NaN anywhere shows in both


def check_kind(dtype, name):
    """Raises a `ValueError` unless `dtype` holds real numbers."""
    if not (dtype == np.bool_ or np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        raise ValueError(f"{name} has dtype {dtype}; expected uint8 in 0..255, or floats in [-1, 1] or [0, 1].")


def _check_shape(shape, name):
    if all(shape) and (len(shape) == 4 and shape[-1] in (1, 3, 4) or len(shape) == 3 and shape[-1] not in (1, 3, 4)):
        return
    hint = ""
    if len(shape) == 3 and all(shape):
        hint = " This looks like one single image: pass array[None] for a set of one."
    elif len(shape) == 4 and shape[1] in (1, 3, 4):
        hint = " This looks like channels first: pass numpy.moveaxis(array, 1, -1)."
    raise ValueError(
        f"{name} has shape {tuple(shape)}; expected (n, height, width), or (n, height, width, channels) with 1, 3 or 4 "
        f"channels, and no empty axis.{hint}"
    )


def check_labels(labels, count, of=""):
    """Labels as int32 (count,). `of` is what errors add, such as " of source='set.npz'"."""
    labels = _one_each(np.asarray(labels))
    if labels.shape != (count,) or labels.dtype.kind not in "biu":
        raise ValueError(
            f"labels{of} of shape {labels.shape} and dtype {labels.dtype} do not fit; expected an integer for each of "
            f"the {count} images."
        )
    if labels.min() < 0:
        raise ValueError(f"labels{of} hold {labels.min()}; class numbers start at 0.")
    if labels.max() >= _MOST_CLASSES:
        raise ValueError(f"labels{of} hold {labels.max()}; class numbers end at {_MOST_CLASSES - 1}.")
    return labels.astype(np.int32)


def _one_each(values):
    """Values (n, 1), as some files have labels, as (n,); others as they are."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def number_names(labels):
    """Names for classes that have none: "0", "1", ..."""
    return [str(number) for number in range(labels.max() + 1)]


def load_arrays(path, key=None, label_key=None, with_labels=False, subset=None):
    """An `ArraySource` of a `.npy` file, or of the arrays `key` and `label_key` of a `.npz` file; see `read_arrays`."""
    return ArraySource(*read_arrays(path, key, label_key, with_labels, subset))


def read_arrays(path, key=None, label_key=None, with_labels=False, subset=None, keys=IMAGE_KEYS, check=None):
    """What messages call an array of samples, the array of a `.npy` or `.npz` file, and its labels or None.

    Args:
        keys: names that the array of a `.npz` file may have where `key` is None.
        check: function of its shape, and of what messages call it, that raises a `ValueError` for one that does not
            fit; None takes that of pictures.
        subset: "NAME=VALUE" or "NAME=VALUE|VALUE|..." takes those pictures only for which the array NAME, with an entry
            a picture, has one of the values. One that no entry equals is a pattern as shells have them: *
            is any text, ? any character, [ab] one of these.
    """
    name, check = f"source={str(path)!r}", check or _check_shape
    if not zipfile.is_zipfile(path):
        if key or with_labels or subset:
            raise ValueError(
                f"{name} holds a single array, without names and labels; leave key=, labels= and subset= out."
            )
        with _damage(name):
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        check(array.shape, name)
        return name, array, None
    with _opened(path, name) as archive:
        key = key or _known_key(archive.files, keys, name)
        array = _member(archive, key, "key", name)
        labels = _member(archive, label_key or _label_key(key), "labels", name) if with_labels else None
        of = f" of {name}"
        name = f"{name} (key={key!r})"
        check(array.shape, name)  # before rows are taken, which a single number does not have
        labels = check_labels(labels, len(array), of) if with_labels else None
        if subset:
            rows = _rows(archive, subset, name, len(array))
            labels = labels[rows] if with_labels else None
            array = array[rows]
    return name, array, labels


def _rows(archive, subset, name, count):
    """Which of `count` pictures a subset has (see `load_arrays`)."""
    key, _, wanted = subset.partition("=")
    if not wanted:
        raise ValueError(
            f"subset={subset!r} means nothing in a .npz file; give an array and its value, such as 'category=Flags'. "
            f"The file holds: {', '.join(archive.files)}."
        )
    values = _one_each(_member(archive, key, "subset", name))
    if values.shape != (count,):
        raise ValueError(f"subset={subset!r}: {key} has shape {values.shape}; expected an entry for each of {count}.")
    held, places = np.unique(values.astype(str), return_inverse=True)
    taken = np.zeros(len(held), bool)
    for one in wanted.split("|"):
        fits = held == one
        if not fits.any():
            fits = np.array([fnmatch.fnmatchcase(value, one) for value in held])
        if not fits.any():
            known = ", ".join(held[:_SHOWN]) + ", ..." * (len(held) > _SHOWN)
            raise ValueError(f"subset={subset!r}: {key} of {name} never is {one!r}; it holds: {known}.")
        taken |= fits
    return taken[places]


def keys_of(path):
    """Names of the arrays in a `.npz` file."""
    with _opened(path, f"source={str(path)!r}") as archive:
        return archive.files


def _opened(path, name):
    with _damage(name):
        return np.load(path, allow_pickle=False)


def _member(archive, key, argument, name):
    if key not in archive.files:
        raise ValueError(f"{argument}={key!r} is not in {name}; it holds: {', '.join(archive.files)}.")
    name = f"{name} (key={key!r})"
    with _damage(name):
        names = archive.zip.namelist()
        part = archive.zip.getinfo(key if key in names else f"{key}.npy")
        files.check_declared(part.file_size, part.compress_size, name, _PACKED)
        array = archive[key]
        if not isinstance(array, np.ndarray):  # numpy hands over bytes as they are
            raise ValueError("no array")
        return array


@contextlib.contextmanager
def _damage(name):
    """Turns all that numpy raises about a file inside into a `ValueError` that names it."""
    try:
        yield
    except files.TooLarge:
        raise
    except files.DAMAGE as error:
        reason = files.explained(error).rstrip(".")
        raise ValueError(
            f"{name} cannot be read: {reason}. Is the file whole? Pickled objects are never loaded."
        ) from error


def _known_key(held, keys, name):
    for key in keys:
        if key in held:
            return key
    if len(held) == 1:
        return held[0]
    raise ValueError(f"key= must say which array of {name} holds the {keys[0]}; it holds: {', '.join(held)}.")


def _label_key(key):
    return LABEL_KEYS.get(key, key.replace("images", "labels"))
