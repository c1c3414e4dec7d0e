"""Solid objects from folders, zip files and arrays, as a `tf.data.Dataset` of occupied cells in [-1, 1]."""

import numpy as np
import tensorflow as tf

from kerasgan.checks import is_whole
from kerasgan.data.arrays import LABEL_KEYS, check_labels, keys_of, number_names, read_arrays
from kerasgan.data.base import Source
from kerasgan.data.files import BadSample, LeftOut, find_files
from kerasgan.data.pipeline import batched, check_choices
from kerasgan.data.solids import KEYS, MOST_BYTES, MOST_CELLS, as_cells, cut, read_solid, ways
from kerasgan.data.sources import check_path, paths_of, short

CHOICES = {
    "larger": ("shrink", "skip"),
    "flip": (True, False),
    "turn": (True, False),
    "labels": (True, False, "name"),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
NAMES = "names"  # the array of a .npz file that says what its volumes are called
NO_VOLUMES = (".txt", ".md", ".csv", ".json", ".html", ".pdf", ".mtl", ".png", ".jpg", ".jpeg", ".blend")  # beside them


def volumes(
    source,
    size=16,
    batch_size=32,
    *,
    larger="shrink",
    flip=False,
    turn=False,
    labels=False,
    shuffle=True,
    seed=None,
    subset=None,
    key=None,
    on_error="skip",
    cache="auto",
):
    """Reads solid objects into batches for training: float32 (batch_size, size, size, size, 1), -1 empty, 1 occupied.

    Axes are x (to the right), y (to the back) and z (up). With labels, batches are pairs (volumes, int32 labels
    (batch_size,)). A remainder smaller than a batch is dropped; with `shuffle` it is a different one in every epoch.

    An object is cut to the box that it occupies, and stands on the floor in the middle of the cube. One that is larger
    is shrunk: as many cells are occupied then as its volume makes up. Cells have no colours.

    - `.vox` (MagicaVoxel, one model a file) and `.binvox` need nothing else; so do arrays: `.npz` files in a folder
      hold one volume each, under the name `voxels`; one `.npz` or `.npy` file as `source` holds all of them.
    - Meshes, `.obj`, `.glb` (y up), `.stl` and `.ply` (z up), need `kerasgan[volumes]`. They must be closed: cells are
      occupied whose middles are inside. What a mesh names, such as textures, is neither looked for nor fetched.

    More than 256 cells along an edge, files of more than 64 MB and meshes of more than two million triangles are not
    read. Objects that take 1 GB or less when they are prepared are read here, once, and stay in memory; each takes
    `size`^3 bytes, twice as many with `flip`, four times with `turn`. Larger sets are read anew in each epoch; see
    `kerasgan.data.images` for what holds then.

    Args:
        source: a folder, a zip file (which is not unpacked), or a list of them; a `.npz` or `.npy` file with an array
            (n, x, y, z), or such an array: bool, or numbers from 0 (empty) to 1 (occupied).
        size: cells along each edge.
        batch_size: volumes in a batch.
        larger: what becomes of objects that are larger: "shrink", or "skip" to leave them out.
        flip: shows every other object mirrored, left to right, anew in each epoch.
        turn: turns objects by 0, 90, 180 or 270 degrees about the upright axis, anew in each epoch.
        labels: True for the classes: the folders, or the labels that come with arrays (`y`, `labels`). "name" takes
            what comes before the first underscore of a file's name, or of the array `names` beside the volumes.
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order, flips and turns repeatable.
        subset: a folder inside `source`, such as "train"; of a `.npz` file as in `kerasgan.data.images`, such as
            "names=chr*".
        key: name of the array in a `.npz` file of several.
        on_error: "skip" leaves out files that are no solid objects, and names them in one warning; "raise" stops at
            them.
        cache: True or False decides whether volumes stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.
        ImportError: the data need `kerasgan[volumes]`.

    Example:

    ```python
    robots = kerasgan.data.volumes("robots/", size=16, flip=True)
    chairs = kerasgan.data.volumes("chairs.zip", size=32, turn=True, labels=True)
    ```
    """
    if not is_whole(size, least=2) or size > MOST_CELLS:
        raise ValueError(f"size={size!r} must be a number of cells along an edge, 2 to {MOST_CELLS}.")
    options = {"larger": larger, "flip": flip, "turn": turn, "labels": labels, "on_error": on_error, "cache": cache}
    check_choices(CHOICES, **options)
    found = _find(source, labels, subset, key, size)
    count = (4 if turn else 1) * (2 if flip else 1)

    def prepare(item):
        cells = found.read(item)
        if larger == "skip" and max(cells.shape) > size:
            raise LeftOut(f"{'x'.join(map(str, cells.shape))} cells, more than size={size}")
        return ways(cells, size, flip, turn)

    def finish(cells, draw):
        chosen = tf.cast(draw()[:, 0] * count, tf.int32) if count > 1 else tf.zeros(tf.shape(cells)[:1], tf.int32)
        cells = tf.gather(cells, chosen, axis=1, batch_dims=1)
        return 2.0 * tf.cast(cells, tf.float32)[..., None] - 1.0

    return batched(
        found,
        prepare,
        tf.TensorSpec((count, size, size, size), tf.bool),
        finish,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="volumes",
        model_arguments={"size": size},
    )


def _find(source, labels, subset, key, size):
    """The `Source` of what may be solids: of files, or of an array."""
    paths = paths_of(source)
    if not paths:
        if labels or subset or key:
            raise ValueError("labels, subset and key mean nothing where source is an array; leave them out.")
        return _Grids("source", _array(source))
    for path in paths:
        check_path(path, "a folder, a zip file or a .npz file")
    if len(paths) == 1 and paths[0].suffix.lower() in (".npz", ".npy"):
        return _of_arrays(paths[0], labels, subset, key)
    if key:
        raise ValueError(f"key={key!r} means nothing where source is a folder or a zip file; leave it out.")
    class_of = _prefix if labels == "name" else None
    return _Files(find_files(paths, subset, bool(labels), class_of, f"labels={labels!r}", NO_VOLUMES), size)


def _prefix(path):
    """What comes before the first underscore of a file's name, or None."""
    before, found, _ = path.rpartition("/")[2].partition("_")
    return before if found and before else None


def _array(source):
    try:
        array = np.asarray(source)
    except (TypeError, ValueError) as error:
        raise ValueError(f"source={short(source)} is no array of volumes: {error}") from None
    if array.dtype == object:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder, a zip or .npz file, or an array."
        )
    _check_shape(array.shape, "source")
    return array


def _check_shape(shape, name):
    if len(shape) == 5 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 4 or not all(shape):
        hint = " This looks like one single volume: pass array[None] for a set of one." if len(shape) == 3 else ""
        raise ValueError(f"{name} has shape {tuple(shape)}; expected (n, x, y, z), and no empty axis.{hint}")


def _of_arrays(path, labels, subset, key):
    """The volumes of a `.npz` or `.npy` file, with their names and labels."""
    held = keys_of(path) if path.suffix.lower() == ".npz" else []
    if labels == "name" and NAMES not in held:
        raise ValueError(f"labels='name' needs an array {NAMES!r} in source={str(path)!r}, which has none.")
    label_key = next((name for name in ("labels", "y", LABEL_KEYS.get(key)) if name in held), "labels")
    given = (path, key, label_key, labels is True, subset)
    name, array, numbers = read_arrays(*given, keys=KEYS, check=_check_shape)
    names = None
    if NAMES in held:
        _, names, _ = read_arrays(path, NAMES, subset=subset, check=lambda shape, name: None)
        names = [str(one) for one in names] if names.shape == (len(array),) else None
    if labels != "name":
        return _Grids(name, array, names, numbers)
    if names is None:
        raise ValueError(f"labels='name': {NAMES} of source={str(path)!r} has not one entry for each volume.")
    classes = [_prefix(one) for one in names]
    class_names = sorted({one for one in classes if one is not None})
    if not class_names:
        raise ValueError(f"labels='name' fits no name of source={str(path)!r}, such as {names[0]!r}.")
    numbers = [class_names.index(one) if one is not None else -1 for one in classes]
    return _Grids(name, array, names, numbers, class_names)


class _Grids(Source):
    """The volumes of an array (n, x, y, z) or (n, x, y, z, 1)."""

    def __init__(self, name, array, names=None, labels=None, class_names=None):
        self.name, self.count = name, len(array)
        self._array, self._names = array, names
        if labels is None:
            return
        self.labels = np.asarray(labels, np.int32) if class_names else check_labels(labels, len(array))
        self.class_names = class_names or number_names(self.labels)

    def item_name(self, index):
        return self._names[index] if self._names else f"volume {index}"

    def read(self, item):
        if self.labels is not None and self.labels[item] < 0:
            raise BadSample("no class in its name by labels='name'")
        return cut(as_cells(np.asarray(self._array[item])))

    def classes(self, kept):
        if self.labels is None:
            return None, None
        used, labels = np.unique(self.labels[kept], return_inverse=True)
        return [self.class_names[number] for number in used], labels.astype(np.int32)


class _Files(Source):
    """The solids of files; `size` is that of the cubes, by which meshes are filled."""

    has_files = True

    def __init__(self, found, size):
        self.name, self.count, self.labels, self.class_names = found.name, found.count, found.labels, found.class_names
        self.item_name, self.open, self.listing, self.classes = (
            found.item_name,
            found.open,
            found.listing,
            found.classes,
        )
        self._found, self._size = found, size

    def read(self, item):
        try:
            size = self._found.size(item)
        except OSError:  # a dead link, as `open` will say
            size = 0
        if size > MOST_BYTES:
            raise BadSample(f"{size:,} bytes; files of solids are read up to {MOST_BYTES:,}")
        return read_solid(self._found.read(item), self._found.item_name(item), self._size)
