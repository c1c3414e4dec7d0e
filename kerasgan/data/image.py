"""Images from folders, zip files, arrays, data sets and data set names, as a `tf.data.Dataset` in [-1, 1]."""

import hashlib
import math
import sys
import warnings

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.data.batching import Replacing, elsewhere, from_numbers, from_stream
from kerasgan.data.files import BadSample, FileSource
from kerasgan.data.pixels import FILTERS, check_header, to_pixels
from kerasgan.data.reading import Stack, read_usable, report
from kerasgan.data.shards import ShardSource
from kerasgan.data.sources import find
from kerasgan.data.streams import StreamSource

CACHE_BYTES = 2**30  # prepared images up to this size stay in memory; tf.data takes as much again for its own copy
CHOICES = {
    "channels": (1, 3, 4),
    "filter": FILTERS,
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
TRIED = 256  # images that are tried in search of a first usable one


def images(
    source,
    size,
    batch_size=64,
    *,
    channels=3,
    crop="center",
    filter="bicubic",
    flip=False,
    labels=False,
    shuffle=True,
    seed=None,
    subset=None,
    key=None,
    data_dir=None,
    download=False,
    on_error="skip",
    cache="auto",
):
    """Reads images into batches for training: float32 (batch_size, height, width, channels) in [-1, 1].

    With labels, batches are pairs (images, int32 labels (batch_size,)). A remainder smaller than a batch is dropped;
    with `shuffle` it is a different one in every epoch.

    Images are turned upright (EXIF), cropped and resized with Pillow's `filter`, which is widened when it shrinks them
    (antialiasing). Grey is repeated for RGB; RGB becomes grey as ITU-R 601 luma, and opaque RGBA. Transparency is laid
    over white where there is no alpha channel; with one, the colour of fully transparent pixels is black, whatever
    colour is hidden in the file.

    Everything is checked before the data set is returned. Images that take 1 GB or less when they are prepared are read
    here, once, and stay in memory as uint8, so that an epoch costs next to nothing. Of larger sets the files' headers
    are checked here, and images are decoded in parallel when they are needed, anew in each epoch. A file that is gone
    or broken by then is named in a warning, and another image takes its place; one that was replaced by another image,
    of whatever size, is used as it is. To go on after an interruption, files must have the names and sizes that they
    had (`fingerprint`).

    Args:
        source: a folder, a zip file (which is not unpacked), or a list of them; a folder of TFRecord shards, such as
            `kerasgan convert` makes, where each image is found by its number without reading others; an array
            (n, height, width) or (n, height, width, channels), or a `.npy` or `.npz` file with it, of uint8, or floats
            in [-1, 1] or, where there are no negative ones, in [0, 1]; a `tf.data.Dataset` of such images or of the
            contents of image files, alone, with a label, or in a dictionary; or a data set of tensorflow-datasets, such
            as "tfds:celeb_a" or "tfds:celeb_a/train[:50%]".
        size: height and width of the images, an int or (height, width).
        batch_size: images in a batch.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        crop: "center" keeps the largest centred part of the right proportions; "pad" keeps everything and fills the
            rest with black, or transparency; a box (left, top, width, height) in pixels of the source is cut out first.
        filter: "bicubic", "lanczos", "bilinear" or "box".
        flip: mirrors every other image at random, anew in each epoch.
        labels: True for the classes: the folders, or the labels that come with a data set. A name, such as "y_train" or
            "attributes/Smiling", where `source` has several; integers, one an image, where it is an array.
        shuffle: draws a new order of the whole set for each epoch; only numbers are shuffled, not images.
        seed: makes order and flips repeatable.
        subset: a folder inside `source`, such as "train", or one of several sets of foreign TFRecord shards; with
            tensorflow-datasets the split ("train" by default).
        key: name of the images where `source` has several arrays or features.
        data_dir: where tensorflow-datasets keeps its data.
        download: lets tensorflow-datasets download and prepare what is not there.
        on_error: "skip" leaves out files that are no images, and names them in one warning; "raise" stops at them.
        cache: True or False decides whether images stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `tf.data.Dataset` of one epoch. Its attribute `class_names` lists the classes, whose numbers are the labels;
        None without labels, and for a stream that is not held in memory and does not name its classes. Its
        `cardinality()` is known, except for such a stream of unknown length. Its method `endless(start=0)` gives the
        batches of all epochs from number `start` on, the same wherever it begins: what an exact resume needs (with
        `steps_per_epoch` in `fit`, and a seed); `endless(start, worker=(i, n))` gives worker `i` of `n`, from 0 on, its
        `batch_size / n` rows of each of these batches, and decodes no others. `rebatched(batch_size)`
        is the same data in other batches, not read again. `fingerprint` tells this data from other data;
        `count` is the number of images, where it is known; `seekable` whether `endless` begins anywhere at once: a
        stream has to be read up to there.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    photos = kerasgan.data.images("photos/", size=64, flip=True)
    digits = kerasgan.data.images("mnist.npz", size=28, channels=1, labels=True)
    ```
    """
    size, crop = check_size(size), check_crop(crop)
    _check_options(batch_size=batch_size, channels=channels, filter=filter, on_error=on_error, cache=cache)
    found = find(source, labels, subset=subset, key=key, data_dir=data_dir, download=download)
    shape = (*size, channels)

    def decode(item):
        return to_pixels(found.read(item), size, channels, crop, filter)

    loaded = _load(found, decode, shape, cache, on_error)
    if loaded is not None:
        arrays, class_names = loaded
        count = len(arrays[0])

        def batches(batch_size, start, seed=seed, worker=(0, 1)):
            return memory.batches(arrays, batch_size, shuffle, seed, start, worker)
    else:
        items, class_names, is_stream = _list(found, size, crop, on_error)
        count = int(items.cardinality()) if is_stream else len(items[0])
        shuffle = shuffle and _can_shuffle(found)
        load = _loader(found, decode, items, is_stream, on_error)
        parts = len(items.element_spec if is_stream else items) - 1
        signature = (tf.TensorSpec(shape, tf.uint8), tf.TensorSpec((), tf.int32))[:parts]
        read = from_stream if is_stream else from_numbers

        def batches(batch_size, start, seed=seed, worker=(0, 1)):
            return read(items, load, signature, batch_size, shuffle, seed, start, worker)

    fingerprint = _fingerprint(found, loaded, count)

    def in_batches(batch_size):
        if count >= 0:
            _check_count(count, batch_size, found.name)

        def endless(start=0, seed=seed, worker=(0, 1)):
            if seed is None:
                raise ValueError("seed=None: an endless data set needs a seed, or it would not go on as it began.")
            _check_worker(worker, batch_size)
            return _finish(batches(batch_size, start, seed, worker), batch_size, flip, seed, start, worker)

        dataset = _finish(batches(batch_size, None), batch_size, flip, seed)
        dataset.class_names = class_names
        dataset.endless = endless
        dataset.rebatched = in_batches
        dataset.fingerprint = fingerprint
        dataset.count = count if count >= 0 else None
        dataset.seekable = loaded is not None or not is_stream
        return dataset

    return in_batches(batch_size)


def _fingerprint(found, loaded, count):
    """What tells this data from other data: of images in memory their pixels, of files and shards names and sizes."""
    digest = hashlib.sha256(str(count).encode())
    if loaded is not None:
        for array in loaded[0]:
            digest.update(np.ascontiguousarray(array))
    elif isinstance(found, (FileSource, ShardSource)):
        digest.update(found.listing().encode())
    return digest.hexdigest()


# Two ways to hold a set: prepared images in memory, or a list of items from which they are prepared when needed -------


def _load(found, decode, shape, cache, on_error):
    """((pixels, [labels]), class_names) with everything in memory; None where it is too large or not wanted there."""
    limit = {True: sys.maxsize, False: 0}.get(cache, CACHE_BYTES // math.prod(shape))
    if limit < (found.count or 1):
        return None
    pixels, kept, bad = Stack(shape, np.uint8, found.count or 1024), [], []
    for position, result in read_usable(decode, found, bad):
        if len(pixels) == limit:
            return None
        pixels.append(result)
        kept.append(position)
    report(bad, len(kept) + len(bad), found.name, on_error)
    class_names, labels = found.classes(kept)
    return (pixels.array(),) if labels is None else (pixels.array(), labels), class_names


def _list(found, size, crop, on_error):
    """(position, item) or (position, item, label) of what looks usable from outside; class names; whether a stream.

    Of a stream it is a data set, else the columns as arrays.
    """
    if isinstance(found, StreamSource):
        return found.elements(), found.class_names, True
    kept = np.arange(found.count)
    if isinstance(found, FileSource):
        bad = []
        headers = read_usable(lambda item: check_header(found.open(item), size, crop), found, bad)
        kept = np.array([position for position, _ in headers], np.int64)
        report(bad, found.count, found.name, on_error)
    class_names, labels = found.classes(kept)
    columns = (kept, kept) if labels is None else (kept, kept, labels)
    return columns, class_names, False


def _can_shuffle(found):
    """False, with a warning, for a stream of decoded images: shuffling it uniformly would take them all into memory."""
    if not isinstance(found, StreamSource) or found.is_encoded:
        return True
    warnings.warn(
        f"{found.name} is not held in memory, so its images keep the order in which they come. Shuffle them before, "
        "or pass cache=True to hold them, or shuffle=False to leave it at that.",
        stacklevel=3,
    )
    return False


def _loader(found, decode, items, is_stream, on_error):
    """The function that turns an item of `items` into (pixels, [label]); tried on the first of them that is usable.

    Items that are not usable are replaced (see `Replacing`): in a stream, which cannot be searched, by that first one.
    """

    def load(position, item, *label):
        return decode(item), *(np.int32(number) for number in label)

    bad = []
    tried = items.take(TRIED).as_numpy_iterator() if is_stream else zip(*(c[:TRIED] for c in items), strict=True)
    for item in tried:
        try:
            load(*item)
            other = (lambda _, first=item: first) if is_stream else elsewhere(items)
            return Replacing(load, found.item_name, other, on_error)
        except BadSample as error:
            bad.append((found.item_name(int(item[0])), error))
    return report(bad, len(bad), found.name, on_error)  # which raises: nothing is usable


def _finish(batches, batch_size, flip, seed, start=None, worker=(0, 1)):
    """uint8 batches -> float32 in [-1, 1], mirrored at random where `flip` is true."""
    first, last = memory.rows(batch_size, worker)
    if start is None:
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2, drop_remainder=True)
    else:
        seeds = tf.data.Dataset.counter(start).map(lambda number: memory.step_seed(seed, number))

    def finish(batch, seed):
        pixels, *labels = batch
        if flip:
            mirrored = tf.random.stateless_uniform([batch_size, 1], seed)[first:last] < 0.5  # as for the whole batch
            columns = tf.range(pixels.shape[2])
            columns = tf.where(mirrored, columns[::-1], columns)
            pixels = tf.gather(pixels, columns, axis=2, batch_dims=1)  # costs half as much as tf.reverse
        samples = tf.cast(pixels, tf.float32) / 127.5 - 1.0
        return (samples, *labels) if labels else samples

    options = tf.data.Options()
    # Under tf.distribute, images are dealt out to workers (there are no files to deal out in this pipeline), unless
    # this is one worker's part already.
    policies = tf.data.experimental.AutoShardPolicy
    options.experimental_distribute.auto_shard_policy = policies.DATA if worker[1] == 1 else policies.OFF
    finished = tf.data.Dataset.zip(batches, seeds).map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    return finished.prefetch(2).with_options(options)


# Arguments --------------------------------------------------------------------------------------------------------


def check_size(size):
    """(height, width) of `size`, a number or two; a `ValueError` where it is neither."""
    edges = size if isinstance(size, (tuple, list)) else (size, size)
    if len(edges) == 2 and all(_is_count(edge) for edge in edges):
        return int(edges[0]), int(edges[1])
    raise ValueError(f"size={size!r} must be a number of pixels, or (height, width).")


def check_crop(crop):
    """`crop` as `to_pixels` takes it; a `ValueError` for what makes no sense."""
    if isinstance(crop, str) and crop in ("center", "pad"):
        return crop
    if isinstance(crop, (tuple, list)) and len(crop) == 4:
        if all(edge == 0 or _is_count(edge) for edge in crop[:2]) and all(_is_count(edge) for edge in crop[2:]):
            return tuple(int(edge) for edge in crop)
    raise ValueError(f"crop={crop!r} must be 'center', 'pad' or a box (left, top, width, height) in whole pixels.")


def _check_options(batch_size, **options):
    if not _is_count(batch_size):
        raise ValueError(f"batch_size={batch_size!r} must be a number of images.")
    check_choices(**options)


def check_choices(**options):
    """Raises a `ValueError` for an argument with a value that is none of its choices."""
    for argument, value in options.items():
        if value not in CHOICES[argument]:
            raise ValueError(f"{argument}={value!r} must be one of {', '.join(map(repr, CHOICES[argument]))}.")


def _check_worker(worker, batch_size):
    number, count = worker
    if not (_is_count(count) and 0 <= number < count):
        raise ValueError(f"worker={worker!r} must be (number, count), where numbers begin at 0.")
    if batch_size % count:
        raise ValueError(
            f"batch_size={batch_size} cannot be dealt out evenly to {count} workers; give a multiple of {count}."
        )


def _check_count(count, batch_size, name):
    if not count:
        raise ValueError(f"{name} is empty; there is nothing to train on.")
    if count < batch_size:
        raise ValueError(
            f"batch_size={batch_size} is larger than the data set: {name} has {count} usable images. "
            f"Pass batch_size={count} or less, or add images."
        )


def _is_count(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1
