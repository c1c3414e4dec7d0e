"""Clips from folders, zip files and arrays, as a `tf.data.Dataset` in [-1, 1]."""

import re
import sys

import numpy as np
import tensorflow as tf

from kerasgan import files
from kerasgan.checks import is_number, is_whole
from kerasgan.data.arrays import LABEL_KEYS, check_labels, keys_of, number_names, read_arrays, to_uint8
from kerasgan.data.base import Source
from kerasgan.data.clips import Frame, ending_of, frames_of, prepared
from kerasgan.data.dataset import check_batch_size, fingerprint_of_arrays
from kerasgan.data.files import BadSample, find_files
from kerasgan.data.image import check_crop, check_size
from kerasgan.data.pipeline import CACHE_BYTES, batched, check_choices, mirrored
from kerasgan.data.pixels import FILTERS
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import check_path, paths_of, short
from kerasgan.media.video import MOST_RATE

CHOICES = {
    "channels": (1, 3),
    "clips": ("all", "random", "start"),
    "filter": FILTERS,
    "flip": (True, False),
    "labels": (True, False),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
KEYS = ("clips", "videos", "video", "frames", "x_train", "x", "data", "arr_0")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")  # which are frames, if numbered
NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)  # the last number of a name
NO_CLIPS = (".txt", ".md", ".csv", ".json", ".xml", ".html", ".pdf", ".srt", ".vtt", ".wav", ".mp3")  # beside them
FRAME_RATE = 10.0  # of a model, where nobody says


def video(
    source,
    length=16,
    size=64,
    batch_size=16,
    *,
    channels=3,
    frame_rate=None,
    every=1,
    clips="all",
    crop="center",
    filter="bicubic",
    flip=False,
    labels=False,
    shuffle=True,
    seed=None,
    subset=None,
    key=None,
    on_error="skip",
    cache="auto",
):
    """Reads clips into batches for training: float32 (batch_size, length, height, width, channels) in [-1, 1].

    With labels, batches are pairs (clips, int32 labels (batch_size,)). A remainder smaller than a batch is dropped;
    with `shuffle` it is a different one in every epoch.

    - Animated `.gif`, `.webp` and `.apng` files need nothing else; `.mp4`, `.m4v`, `.mov`, `.mkv`, `.webm`, `.avi` and
      `.mpg` files need `kerasgan[video]`.
    - Numbered pictures of a folder (PNG, JPEG, BMP, TIFF, PPM), such as `walk_001.png`, are the frames of one clip, by
      their numbers; several series in a folder, such as `walk_1.png` and `run_1.png`, are several.
    - Arrays: uint8 (n, frames, height, width) or (n, frames, height, width, channels), or floats in [-1, 1] or, where
      none is negative, in [0, 1]. (Where frames come first, as in mnist_test_seq.npy: array.swapaxes(0, 1).)

    Files longer than `length` frames are cut into several clips, one behind the other; a remainder is dropped. Frames
    are cropped and resized as by `kerasgan.data.images`. A file is read through once here: one that is broken, has too
    few frames, or frames of several sizes, is left out and named. Its prepared frames stay in memory as uint8 up to
    1 GB of all files; further files are read again when they are needed. Files of more than 10,000 frames, or 4 billion
    pixels, are not read.

    Args:
        source: a folder, a zip file (which is not unpacked), or a list of them; a `.npz` or `.npy` file with an array,
            or such an array.
        length: frames of a clip, 2 or more.
        size: height and width of the frames, an int or (height, width).
        batch_size: clips in a batch.
        channels: 1 (grey) or 3 (RGB); transparency is laid over white.
        frame_rate: frames a second: files whose frames have times are brought to it, frames coming several times or
            being left out. None takes each frame of a file once, however long it is shown (programs often write a frame
            that equals the one before as that one shown for longer).
        every: takes every n-th frame then.
        clips: which of a longer file: "all"; "random", as many at other places in each epoch; "start", the first one.
        crop, filter: as in `kerasgan.data.images`.
        flip: mirrors every other clip at random, anew in each epoch.
        labels: True for the classes: the folders, or the labels that come with arrays (`y`, `labels`).
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order, places and flips repeatable.
        subset: a folder inside `source`, such as "train"; of a `.npz` file as in `kerasgan.data.images`.
        key: name of the array in a `.npz` file of several.
        on_error: "skip" leaves out files that are no such clips, and names them in one warning; "raise" stops at them.
        cache: True or False decides whether frames stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.
        ImportError: the data need `kerasgan[video]`.

    Example:

    ```python
    waves = kerasgan.data.video("waves/", length=16, size=64, frame_rate=12, flip=True)
    walks = kerasgan.data.video("walks.zip", length=8, size=(64, 48), channels=1, labels=True)
    ```
    """
    size, crop = check_size(size), check_crop(crop)
    check_batch_size(batch_size, "clips")
    for name, value, least in (("length", length, 2), ("every", every, 1)):
        if not is_whole(value, least=least):
            raise ValueError(f"{name}={value!r} must be a whole number, {least} or more.")
    if frame_rate is not None and (not is_number(frame_rate, 0, MOST_RATE) or not frame_rate):
        raise ValueError(
            f"frame_rate={frame_rate!r} must be frames a second, above 0 and up to {MOST_RATE:.0f}, or None."
        )
    choices = {"channels": channels, "clips": clips, "filter": filter, "flip": flip, "labels": labels}
    check_choices(CHOICES, **choices, on_error=on_error, cache=cache)
    found = _find(source, labels, subset, key)

    def decode(item):
        return prepared(found.frames(item), size, channels, crop, filter, frame_rate, every)

    clips_of = _Clips(found, decode, length, clips, cache, on_error)

    def finish(pixels, draw):
        pixels = mirrored(pixels, draw) if flip else pixels
        return tf.cast(pixels, tf.float32) / 127.5 - 1.0

    return batched(
        clips_of,
        clips_of.pixels,
        tf.TensorSpec((length, *size, channels), tf.uint8),
        finish,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=False,  # `_Clips` keeps the frames of files, of which clips are parts
        plural="clips",
        model_arguments={
            "frames": length,
            "image_shape": [*size, channels],
            "frame_rate": (frame_rate or FRAME_RATE) / every,
        },
        draws=clips == "random",
    )


def clip(path, size, *, channels=3, frame_rate=None, every=1, crop="center", filter="bicubic"):
    """All frames of one clip, uint8 (frames, height, width, channels): what `gan.continue_video` takes.

    Args:
        path: an animation or a video, or a folder of numbered pictures.
        size, channels, frame_rate, every, crop, filter: as of `video`.

    Raises:
        FileNotFoundError: `path` is not there.
        ValueError: it holds no clip, or several; an argument does not fit.
        ImportError: it needs `kerasgan[video]`.
    """
    size, crop = check_size(size), check_crop(crop)
    check_choices({name: CHOICES[name] for name in ("channels", "filter")}, channels=channels, filter=filter)
    (path,) = paths_of([path])
    if not path.exists():
        raise FileNotFoundError(f"path={str(path)!r} does not exist; give a clip, or a folder of numbered pictures.")
    options = {"ignored": NO_CLIPS} if path.is_dir() else {"single": (path.suffix.lower(),)}
    found = _Files(find_files([path], **options))
    if found.count > 1:
        raise ValueError(
            f"path={str(path)!r} holds {found.count} clips; give one of them, such as {found.item_name(0)}."
        )
    try:
        return prepared(found.frames(0), size, channels, crop, filter, frame_rate, every)
    except BadSample as error:
        raise ValueError(f"path={str(path)!r}: {error}.") from None


class _Clips(Source):
    """The clips of the usable files of a source, in the order of the files.

    Args:
        found: `_Files` or `_Arrays`.
        decode: function of an item of it that returns all of its frames, prepared. Raises `BadSample`.
        length, clips, cache, on_error: as of `video`.
    """

    def __init__(self, found, decode, length, clips, cache, on_error):
        self.name, self._found, self._decode, self._length = found.name, found, decode, length
        self._room = {True: sys.maxsize, False: 0}.get(cache, CACHE_BYTES)
        self._kept, self._last = {}, (None, None)
        bad, kept, counts, spare = [], [], [], []
        for position, frames in read_usable(self._look, found, bad):
            kept.append(position)
            counts.append(1 if clips == "start" else frames // length)
            spare.append(frames - length)
        report(bad, found.count, found.name, on_error, stacklevel=4)
        self.count = sum(counts)
        self._file = np.repeat(np.array(kept, np.int64), counts)
        self._of, self._spare = np.repeat(counts, counts), np.repeat(spare, counts)
        self._place = np.arange(self.count) - np.repeat(np.cumsum(counts) - counts, counts)
        self.class_names = found.class_names
        self.labels = None if found.labels is None else found.labels[self._file]
        if self.count > len(kept):
            print(f"{len(kept)} files -> {self.count} clips of {length} frames.")

    def _look(self, item):
        """How many frames a file has, which are kept if there is room."""
        frames = self._decode(item)
        if len(frames) < self._length:
            count = f"{len(frames)} frames" if len(frames) != 1 else "1 frame"
            raise BadSample(f"{count}, fewer than length={self._length}")
        if frames.nbytes <= self._room:
            self._room -= frames.nbytes
            self._kept[item] = frames
        return len(frames)

    def pixels(self, item, drawn=None):
        """A clip, uint8 (length, height, width, channels); `drawn` in [0, 1) decides a random place."""
        file, place = int(self._file[item]), int(self._place[item])
        if drawn is None:
            first = place * self._length
        else:  # each in its own stretch of the file
            spare = int(self._spare[item])
            first = min(spare, int((place + float(drawn)) / int(self._of[item]) * (spare + 1)))
        frames = self._frames(file)
        if len(frames) < first + self._length:
            raise BadSample("fewer frames than it had")
        return frames[first : first + self._length]

    def _frames(self, file):
        if file in self._kept:
            return self._kept[file]
        last, frames = self._last
        if last != file:  # its next clip may well be wanted next
            frames = self._decode(file)
            self._last = (file, frames)
        return frames

    def item_name(self, item):
        name = self._found.item_name(int(self._file[item]))
        return name if self._of[item] == 1 else f"{name} from frame {self._place[item] * self._length} on"

    def classes(self, kept):
        return self._found.classes(self._file[kept])

    def listing(self):
        return self._found.listing()


# Where frames come from ----------------------------------------------------------------------------------------------


def _find(source, labels, subset, key):
    """`_Files` or `_Arrays` of a source."""
    paths = paths_of(source)
    if not paths:
        if labels or subset or key:
            raise ValueError("labels, subset and key mean nothing where source is an array; leave them out.")
        return _Arrays("source", _array(source))
    for path in paths:
        check_path(path, "a folder, a zip file or a .npz file")
    if len(paths) == 1 and paths[0].suffix.lower() in (".npz", ".npy"):
        held = keys_of(paths[0]) if paths[0].suffix.lower() == ".npz" else []
        label_key = next((name for name in ("labels", "y", LABEL_KEYS.get(key)) if name in held), "labels")
        return _Arrays(*read_arrays(paths[0], key, label_key, labels, subset, keys=KEYS, check=_check_shape))
    if key:
        raise ValueError(f"key={key!r} means nothing where source is a folder or a zip file; leave it out.")
    return _Files(find_files(paths, subset, labels, ignored=NO_CLIPS))


def _array(source):
    try:
        array = np.asarray(source)
    except (TypeError, ValueError) as error:
        raise ValueError(f"source={short(source)} is no array of clips: {error}") from None
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder, a zip or .npz file, or an array."
        )
    _check_shape(array.shape, "source")
    return array


def _check_shape(shape, name):
    if all(shape) and (len(shape) == 4 and shape[-1] not in (1, 3) or len(shape) == 5 and shape[-1] in (1, 3, 4)):
        return
    hint = " This looks like one single clip: pass array[None] for a set of one." if len(shape) in (3, 4) else ""
    raise ValueError(
        f"{name} has shape {tuple(shape)}; expected (n, frames, height, width), or (n, frames, height, width, "
        f"channels) with 1, 3 or 4 channels, and no empty axis.{hint}"
    )


class _Arrays(Source):
    """The clips of an array."""

    def __init__(self, name, array, labels=None):
        self.name, self.count, self._array = name, len(array), array
        limits = (0, 255) if array.dtype in (np.uint8, np.bool_) else (array.min(), array.max())
        self._to_uint8 = to_uint8(array.dtype, *limits, name)
        if labels is not None:
            self.labels = check_labels(labels, len(array))
            self.class_names = number_names(self.labels)

    def item_name(self, position):
        return f"clip {position}"

    def frames(self, item):
        for pixels in self._array[item]:
            yield Frame(self._to_uint8(np.asarray(pixels)))

    def listing(self):
        return fingerprint_of_arrays([self._array])


class _Files(Source):
    """The clips of files: of animations and videos each, and of each series of numbered pictures."""

    def __init__(self, found):
        self.name, self._found = found.name, found
        self._clips = _series([found.item_name(item) for item in range(found.count)])
        self.count, first = len(self._clips), [items[0] for _, items in self._clips]
        self.labels = None if found.labels is None else found.labels[first]
        self._first, self.class_names = np.array(first), found.class_names

    def item_name(self, position):
        return self._clips[position][0]

    def frames(self, item):
        name, items = self._clips[item]
        if ending_of(self._found.item_name(items[0])) not in PICTURES:
            self._check_size(items[0])
            yield from frames_of(self._found.read(items[0]), name)
            return
        for one in items:
            try:
                yield Frame(self._found.read(one))
            except BadSample as error:
                raise BadSample(f"{self._found.item_name(one)}: {error}") from None

    def _check_size(self, item):
        try:
            size = self._found.size(item)
        except OSError:  # a dead link, as `open` will say
            return
        if size > 4 * files.limit():
            raise BadSample(f"{size:,} bytes; files of clips are read up to {4 * files.limit():,}; cut it into several")

    def classes(self, kept):
        return self._found.classes(self._first[kept])

    def listing(self):
        return self._found.listing()


def _series(names):
    """The files of each clip, in the order of their first ones: a list of (what it is called, [numbers of files]).

    ["a/1.png", "a/10.png", "a/2.png", "b.gif"]: [("a/1.png to 10.png", [0, 2, 1]), ("b.gif", [3])].
    """
    series = {}
    for item, name in enumerate(names):
        folder, slash, base = name.rpartition("/")
        stem = base.rpartition(".")[0]
        numbered = NUMBERED.fullmatch(stem) if ending_of(name) in PICTURES else None
        if numbered:
            before, number, after = numbered.groups()
            series.setdefault((folder + slash, before, after), []).append((int(number), item))
        else:
            series.setdefault((name,), []).append((0, item))
    found = []
    for numbers in series.values():
        items = [item for _, item in sorted(numbers)]
        last = names[items[-1]].rpartition("/")[2]
        found.append((names[items[0]] + (f" to {last}" if len(items) > 1 else ""), items))
    return found
