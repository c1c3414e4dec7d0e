"""Sequences of flowing smoke from files and arrays: tiles of a few frames, as a `tf.data.Dataset`."""

import hashlib
import io
import pathlib
import zipfile

import numpy as np
import tensorflow as tf

from kerasgan.checks import is_number, is_whole
from kerasgan.data.base import Source
from kerasgan.data.files import BadSample, check_memory, find_files, member, unusable
from kerasgan.data.pipeline import CACHE_BYTES, batched, check_choices
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import check_path, paths_of, short

CHOICES = {
    "flip": (True, False),
    "rotate": (True, False),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
NO_SEQUENCES = (".txt", ".md", ".csv", ".json", ".html", ".pdf", ".png", ".gif", ".webp", ".mp4", ".py")  # beside them
MOST_BYTES = 2**29  # of an array of a file
_UNPACKED = 1100  # times that zlib packs a constant at best
_STEPS = 8  # places of tiles along the edge of one
_DRAWN_BITS = 24  # of a float32 in [0, 1)


def fields(
    source,
    size=64,
    batch_size=8,
    *,
    frames=3,
    per_sequence=64,
    least_density=0.02,
    flip=True,
    rotate=True,
    shuffle=True,
    seed=None,
    subset=None,
    on_error="skip",
    cache="auto",
):
    """Reads tiles of flowing smoke into batches for training: float32 (batch_size, frames, size, size, 3).

    Channels are the density and the velocity, to the right and downward, in cells a frame (`kerasgan.media.Fields`).
    Every epoch has `per_sequence` tiles of each file, anew at other places and times. Tiles with hardly any smoke are
    left out: a discriminator would learn what is black.

    A file is a `.npz` of two arrays, `density` (frames, height, width) and `velocity` (frames, height, width, 2), or of
    several sequences with one more axis in front: `kerasgan simulate` writes such files, and so does
    `numpy.savez_compressed` with what any solver gives. Velocities that are known at the faces of cells have to be
    brought to their middles before. Arrays of more than 512 MB are not read.

    Sequences that take 1 GB or less are read once, and stay in memory; of larger sets each is read again for each of
    its tiles.

    Args:
        source: a folder, a zip file (which is not unpacked), a `.npz` file, or a list of them; or an array (sequences,
            frames, height, width, 3).
        size: cells along each edge of a tile.
        batch_size: tiles in a batch.
        frames: consecutive frames of a tile.
        per_sequence: tiles of each file, or of each sequence of an array, in an epoch.
        least_density: the mean density that a tile has at least.
        flip: mirrors every other tile, left to right, with its velocity.
        rotate: turns tiles by 0, 90, 180 or 270 degrees, with their velocities.
        shuffle: draws a new order for each epoch.
        seed: makes order, places, flips and turns repeatable.
        subset: a folder inside `source`, such as "train".
        on_error: "skip" leaves out files that cannot be used, and names them in one warning; "raise" stops at them.
        cache: True or False decides whether sequences stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    smoke = kerasgan.data.fields("smoke/", size=64, batch_size=8)
    ```
    """
    whole = {"size": (size, 2), "batch_size": (batch_size, 1), "frames": (frames, 1), "per_sequence": (per_sequence, 1)}
    for name, (value, least) in whole.items():
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r} must be a whole number of at least {least}.")
    if not is_number(least_density, 0):
        raise ValueError(f"least_density={least_density!r} must be a number of at least 0.")
    check_choices(CHOICES, flip=flip, rotate=rotate, on_error=on_error, cache=cache)
    chosen = _Tiled(find(source, subset), (frames, size, size), per_sequence, least_density, on_error, cache)

    def prepare(item, drawn):
        random = np.random.default_rng(int(float(drawn) * 2**_DRAWN_BITS))
        tile = chosen.tile(item, random)
        quarters, mirrored = random.integers(4), random.integers(2)
        return turned(tile, quarters * rotate, bool(mirrored and flip))

    return batched(
        chosen,
        prepare,
        tf.TensorSpec((frames, size, size, 3), tf.float32),
        lambda tiles, draw: tiles,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="tiles",
        model_arguments={"size": size},
        draws=True,
    )


def turned(tile, quarters, mirrored):
    """A tile (frames, size, size, 3) turned counter-clockwise by quarters of a circle, then mirrored left to right.

    Its velocities turn with it: what flows to the right flows upward after a quarter.
    """
    tile = np.array(tile, "float32")
    for _ in range(quarters):
        tile = np.rot90(tile, axes=(1, 2))
        tile = np.stack([tile[..., 0], tile[..., 2], -tile[..., 1]], axis=-1)
    if mirrored:
        tile = tile[:, :, ::-1] * np.array([1, -1, 1], "float32")
    return np.ascontiguousarray(tile)


def sequences(source, subset=None):
    """{name: float32 (frames, height, width, 3)} of all sequences of a source, as they are: for scores.

    Files that cannot be used are skipped, with a warning that names them.

    Args:
        source, subset: as in `fields`.
    """
    found, bad, whole = find(source, subset), [], {}
    for position, read in read_usable(found.read, found, bad):
        name = pathlib.Path(found.item_name(position)).stem
        for number, sequence in enumerate(read):
            whole[f"{name}_{number}" if len(read) > 1 else name] = sequence.astype("float32")
    report(bad, found.count, found.name, "skip")
    return whole


def sequence(path):
    """The one sequence of a `.npz` file, float32 (frames, height, width, 3), as `kerasgan.media.Fields` has it.

    Raises:
        ValueError: the file holds none, or several.
        OSError: it cannot be read.
    """
    path = pathlib.Path(path)
    if path.stat().st_size > 2 * MOST_BYTES:
        raise ValueError(f"{str(path)!r} has {path.stat().st_size:,} bytes; up to {2 * MOST_BYTES:,} are read.")
    try:
        found = read_sequences(path.read_bytes())
    except BadSample as error:
        raise ValueError(f"{str(path)!r}: {error}.") from None
    if len(found) > 1:
        raise ValueError(f"{str(path)!r} holds {len(found)} sequences; expected one: save each in a file of its own.")
    return found[0].astype("float32")


def read_sequences(content):
    """The sequences of a `.npz` file, bytes: floats (sequences, frames, height, width, 3). Raises `BadSample`."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise BadSample("not a .npz file")
    with unusable(), np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = []
        for name in ("density", "velocity"):
            if name not in archive.files:
                raise BadSample(f"no array {name!r} in it; it holds: {', '.join(archive.files)[:200]}")
            part = archive.zip.getinfo(f"{name}.npy")
            check_memory(part.file_size, part.compress_size, _UNPACKED)
            if part.file_size > MOST_BYTES:
                raise BadSample(f"{part.file_size:,} bytes of {name}; up to {MOST_BYTES:,} are read: divide the file")
            arrays.append(member(archive, name))
    return _joined(*arrays)


def _joined(density, velocity):
    """Density and velocity as one array (sequences, frames, height, width, 3) of half or single precision."""
    for name, array in (("density", density), ("velocity", velocity)):
        if array.dtype.kind != "f":
            raise BadSample(f"{name} of dtype {array.dtype}, where floats are expected")
    if density.ndim not in (3, 4) or velocity.shape != (*density.shape, 2) or not density.size:
        raise BadSample(
            f"density of shape {density.shape} and velocity of shape {velocity.shape}, where (frames, height, width) "
            "and (frames, height, width, 2) are expected"
        )
    half = density.dtype == velocity.dtype == np.float16
    joined = np.empty((*density.shape, 3), "float16" if half else "float32")
    joined[..., 0], joined[..., 1:] = density, velocity
    return _checked(joined if density.ndim == 4 else joined[None])


def _checked(array):
    if not np.isfinite(array).all():
        raise BadSample("NaN or infinite values in it")
    if array[..., 0].min() < -1e-3:
        raise BadSample(f"a density of {array[..., 0].min():g}, where none is below 0")
    return array


def find(source, subset=None):
    """The `Source` of sequences: of files, or of an array. Its `read` gives (sequences, frames, height, width, 3)."""
    paths = paths_of(source)
    if paths:
        for path in paths:
            check_path(path, "a folder, a zip file or a .npz file", (".npz",))
        return _Files(find_files(paths, subset, ignored=NO_SEQUENCES, single=(".npz",)))
    if subset:
        raise ValueError(f"subset={subset!r} means nothing where source is an array; leave it out.")
    try:
        array = np.asarray(source)
    except (TypeError, ValueError) as error:
        raise ValueError(f"source={short(source)} is no array of sequences: {error}") from None
    if array.dtype.kind != "f" or array.ndim != 5 or array.shape[-1] != 3 or not array.size:
        raise ValueError(
            f"source={short(source)} has shape {array.shape} and dtype {array.dtype}; expected floats (sequences, "
            "frames, height, width, 3), or a folder, a zip file or a .npz file."
        )
    return _Array(array)


class _Array(Source):
    """The sequences of an array."""

    def __init__(self, array):
        self.name, self.count, self._array = "source", len(array), array

    def read(self, item):
        return _checked(self._array[item : item + 1])

    def item_name(self, position):
        return f"sequence {position}"


class _Files(Source):
    """Those of files."""

    has_files = True

    def __init__(self, found):
        self.name, self.count, self._found = found.name, found.count, found
        self.item_name, self.listing = found.item_name, found.listing

    def read(self, item):
        return read_sequences(self._found.read(item))


class _Tiled(Source):
    """The usable files of a source, each of them several times, with the places at which there is smoke in them."""

    def __init__(self, found, shape, times, least, on_error, cache):
        self._found, self._shape, self._times, self._least = found, shape, times, least
        self.name = found.name
        self._kept, self._places, self._read = [], [], {}
        bad, held = [], 0
        for position, (places, read) in read_usable(self._look, found, bad):
            held += read.nbytes
            if cache is True or (cache == "auto" and held <= CACHE_BYTES):
                self._read[len(self._kept)] = read
            elif cache == "auto":
                self._read.clear()
            self._kept.append(position)
            self._places.append(places)
        report(bad, len(self._kept) + len(bad), found.name, on_error, stacklevel=4)
        self.count = times * len(self._kept)

    def _look(self, item):
        read = self._found.read(item)
        return places_with(read[..., 0], self._shape, self._least), read

    def tile(self, item, random):
        """A tile, floats (frames, size, size, 3), at one of the places with smoke."""
        number = item % len(self._kept)
        read = self._read.get(number)
        read = self._found.read(self._kept[number]) if read is None else read
        sequence, *start = self._places[number][random.integers(len(self._places[number]))]
        cut = tuple(slice(first, first + length) for first, length in zip(start, self._shape, strict=True))
        return read[(sequence, *cut)]

    def item_name(self, index):
        return self._found.item_name(self._kept[index % len(self._kept)])

    def listing(self):
        listing = self._found.listing()
        if listing:
            return f"{self._times} {self._least}\n{listing}"
        digest = hashlib.sha256(f"{self._times} {self._least}".encode())
        for item in self._found.items():
            digest.update(np.ascontiguousarray(self._found.read(item)))
        return digest.hexdigest()


def places_with(density, shape, least):
    """Where tiles begin that have smoke: int (places, 4), of which sequence, at which frame, row and column.

    Tiles begin at every eighth of their edge, and at the far edge of the frame. The density is that of the middle
    frame, by sums over all that is above and to the left of a cell.

    Args:
        density: (sequences, frames, height, width).
        shape: (frames, height, width) of a tile.
        least: mean density of a tile.

    Raises:
        BadSample: no tile fits, or none has so much.
    """
    frames, *edges = shape
    if density.shape[1] < frames or any(edge < wanted for edge, wanted in zip(density.shape[2:], edges, strict=True)):
        raise BadSample(
            f"{density.shape[1]} frames of {density.shape[3]}x{density.shape[2]} cells, of which no tile of {frames} "
            f"frames of {edges[1]}x{edges[0]} can be cut"
        )
    middle = density[:, frames // 2 : density.shape[1] - (frames - 1 - frames // 2)]
    sums = np.pad(middle.astype("float64").cumsum(axis=2).cumsum(axis=3), ((0, 0), (0, 0), (1, 0), (1, 0)))
    rows, columns = (
        np.unique([*range(0, length - edge + 1, max(1, edge // _STEPS)), length - edge])
        for length, edge in zip(density.shape[2:], edges, strict=True)
    )
    above, below = sums[:, :, rows], sums[:, :, rows + edges[0]]
    inside = below[..., columns + edges[1]] - below[..., columns] - above[..., columns + edges[1]] + above[..., columns]
    sequence, frame, row, column = np.nonzero(inside >= least * edges[0] * edges[1])
    if not len(sequence):
        raise BadSample(f"hardly any smoke: no tile of {edges[1]}x{edges[0]} cells has a mean density of {least:g}")
    return np.stack([sequence, frame, rows[row], columns[column]], axis=1).astype("int32")
