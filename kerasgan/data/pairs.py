"""Pairs of images, and two domains without pairs, as a `tf.data.Dataset` of (images of A, images of B) in [-1, 1]."""

import collections
import math
import warnings
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasgan.checks import is_whole
from kerasgan.data.arrays import ArraySource, keys_of, load_arrays
from kerasgan.data.base import Source
from kerasgan.data.dataset import Dataset
from kerasgan.data.files import BadSample, find_files
from kerasgan.data.image import CHOICES, check_crop, check_size, images
from kerasgan.data.pipeline import batched, check_choices, mirrored
from kerasgan.data.pixels import look, size_in_header, size_of, to_pixels, to_whole_pixels
from kerasgan.data.reading import report
from kerasgan.data.sources import Part, check_path, paths_of, short
from kerasgan.files import check_given

_DIRECTIONS = ("a_to_b", "b_to_a")
_LISTED = 5  # names in a message
_ALIKE = 0.02  # how far the proportions of the images of a pair may differ, for sizes are whole numbers


def pairs(
    source,
    size,
    batch_size=64,
    *,
    keys=None,
    direction="a_to_b",
    channels=3,
    crop="center",
    filter="bicubic",
    flip=False,
    jitter=0,
    shuffle=True,
    seed=None,
    subset=None,
    part=None,
    on_error="skip",
    cache="auto",
):
    """Reads pairs of images that belong together, for translators such as `kerasgan.models.Pix2Pix`.

    Batches are pairs of float32 (batch_size, height, width, channels) in [-1, 1]: what is translated, and what it
    should become. Both images of a pair are cropped, mirrored and shifted alike.

    Args:
        source: where the pairs are, one of

            - a folder or zip file of images that hold both, side by side: A on the left, B on the right;
            - two of them, (A, B): files of the same name, whatever their ending, are a pair;
            - a folder or zip file with two folders named in `keys`, such as ("photos", "drawings"), the same way;
            - a `.npz` file with two arrays named in `keys`; or two arrays.
        size: height and width of each image, an int or (height, width).
        batch_size: pairs in a batch.
        keys: names of two folders or arrays inside `source`, those of A and of B.
        direction: "b_to_a" exchanges what is translated and what it becomes.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA), for both.
        crop, filter, shuffle, seed, subset, part, on_error, cache: as in `kerasgan.data.images`; a box of `crop` is
            one in each image of the pair.
        flip: mirrors every other pair at random, anew in each epoch.
        jitter: pixels by which pairs are read larger than `size`, of which a random part is cut out in each epoch: 30
            for 256 in the paper of pix2pix.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit: no pairs, two images of a pair that differ in shape, ...

    Example:

    ```python
    maps = kerasgan.data.pairs("maps/", size=256, batch_size=1, flip=True, jitter=30)
    ```
    """
    size, crop = check_size(size), check_crop(crop)
    check_choices(CHOICES, channels=channels, filter=filter, on_error=on_error, cache=cache)
    check_choices({"direction": _DIRECTIONS}, direction=direction)
    if not (jitter == 0 or is_whole(jitter)):
        raise ValueError(f"jitter={jitter!r} must be a whole number of pixels, 0 for none.")
    found = _find_pairs(source, keys, subset, on_error)
    found = found if part is None else Part(found, part)
    larger = tuple(edge + round(jitter * edge / min(size)) for edge in size)

    def prepare(item):
        both = found.read(item)
        _check_proportions(*(size_of(picture) for picture in both))
        prepared = [to_pixels(picture, larger, channels, crop, filter) for picture in both]
        return np.concatenate(prepared if direction == "a_to_b" else prepared[::-1], axis=-1)

    def finish(pixels, draw):
        pixels = mirrored(pixels, draw) if flip else pixels
        for axis in (1, 2) if jitter else ():
            first = tf.cast(draw(axis) * (larger[axis - 1] - size[axis - 1] + 1), tf.int32)
            pixels = tf.gather(pixels, first + tf.range(size[axis - 1]), axis=axis, batch_dims=1)
        return tuple(tf.split(tf.cast(pixels, tf.float32) / 127.5 - 1.0, 2, axis=-1))

    return batched(
        found,
        prepare,
        tf.TensorSpec((*larger, 2 * channels), tf.uint8),
        finish,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="pairs",
        model_arguments={"image_shape": [*size, channels], "source_channels": channels},
    )


def _check_proportions(first, second):
    """Raises `BadSample` if two (height, width) differ in more than their scale and rounding."""
    if abs(math.log(first[0] / first[1]) - math.log(second[0] / second[1])) > _ALIKE:
        shown = " and ".join(f"{width}x{height}" for height, width in (first, second))
        raise BadSample(f"its two images have different proportions, {shown} pixels")


def unpaired(
    source,
    size,
    batch_size=64,
    *,
    keys=None,
    direction="a_to_b",
    channels=3,
    crop="center",
    filter="bicubic",
    flip=False,
    shuffle=True,
    seed=None,
    subset=None,
    part=None,
    on_error="skip",
    cache="auto",
):
    """Reads images of two domains that do not belong to each other, for translators such as `kerasgan.models.CycleGAN`.

    Batches are pairs of float32 (batch_size, height, width, channels) in [-1, 1]: images of A and images of B, each in
    an order of its own. An epoch shows all images of the larger domain; the smaller one begins again on the way.

    Args:
        source: two sources, (A, B), of any kind that `kerasgan.data.images` reads; or one folder, zip file or `.npz`
            file, with the names of two folders or arrays in it as `keys`.
        size: height and width of the images, an int or (height, width).
        batch_size: images of each domain in a batch.
        keys: names of two folders or arrays inside `source`, those of A and of B.
        direction: "b_to_a" exchanges the domains.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA), for both.
        seed: makes orders and flips repeatable.
        crop, filter, flip, shuffle, subset, part, on_error, cache: as in `kerasgan.data.images`, for both domains.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: a source is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; a domain that is empty or smaller than a batch.

    Example:

    ```python
    horses_and_zebras = kerasgan.data.unpaired(("horses/", "zebras/"), size=128, batch_size=1, flip=True)
    ```
    """
    check_choices({"direction": _DIRECTIONS}, direction=direction)
    common = {"channels": channels, "crop": crop, "filter": filter, "flip": flip, "shuffle": shuffle, "part": part}
    common |= {"on_error": on_error, "cache": cache}
    domains = []
    for name, own, options in _domains(source, keys, subset):
        try:
            seeds = None if seed is None else seed + len(domains)
            domains.append(images(own, size, batch_size, seed=seeds, **common, **options))
        except ValueError as error:
            raise ValueError(f"Domain {name}: {error}") from None
    counts = [domain.count for domain in domains]
    if None in counts:
        raise ValueError("source: domains must have a known number of images; streams have none. Give files or arrays.")
    known = {"image_shape": [*check_size(size), channels], "source_channels": channels}
    return _zipped(domains if direction == "a_to_b" else domains[::-1], batch_size, max(counts), known, seed)


def _zipped(domains, batch_size, count, model_arguments, seed):
    """Two data sets of `images` as one of pairs of batches."""

    def batches(batch_size, start, seed, worker):
        first, second = (domain.rebatched(batch_size) for domain in domains)
        if start is None:
            return tf.data.Dataset.zip(first.repeat(), second.repeat()).take(count // batch_size)
        return tf.data.Dataset.zip(first.endless(start, seed, worker), second.endless(start, seed + 1, worker))

    return Dataset.of_batches(
        batches,
        batch_size,
        seed=seed,
        seekable=all(domain.seekable for domain in domains),
        count=count,
        fingerprint=" ".join(domain.fingerprint for domain in domains),
        model_arguments=model_arguments,
    )


def _domains(source, keys, subset):
    """[(name, source, arguments of `images` that say where in it)] of both domains."""
    if _are_two(source):
        if keys is not None:
            raise ValueError(f"keys={keys!r} means nothing where source is two domains; leave keys out.")
        return [(name, own, {"subset": subset}) for name, own in zip("AB", source, strict=True)]
    keys = _check_keys(keys, source)
    if _is_array_file(source):
        return [(key, source, {"key": key, "subset": subset}) for key in keys]
    return [(key, source, {"subset": _inside(subset, key)}) for key in keys]


def _inside(subset, folder):
    return f"{subset.strip('/')}/{folder}" if subset else folder


def picture(path, size=None, channels=None, crop="center", filter="bicubic"):
    """One image file as models take it: upright and, where a size is given, cropped and resized as `images` does it.

    Args:
        path: an image file.
        size: height and width, an int or (height, width); None keeps the size of the picture.
        channels: 1, 3 or 4; None takes 3 with a size, and what the picture has without one.
        crop, filter: as in `kerasgan.data.images`.

    Returns:
        uint8 (height, width, channels).

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: no name, no image, or an argument does not fit.
    """
    if channels is not None:
        check_choices(CHOICES, channels=channels)
    check_choices(CHOICES, filter=filter)
    check_given(path)
    raw = Path(path).expanduser().read_bytes()
    try:
        if size is None:
            return to_whole_pixels(raw, channels)
        return to_pixels(raw, check_size(size), channels or 3, check_crop(crop), filter)
    except BadSample as error:
        raise ValueError(f"path={str(path)!r} cannot be used: {error}.") from None


# Where pairs come from -----------------------------------------------------------------------------------------------


class PairSource(Source):
    """Pairs of images, whose items are numbers of pairs.

    Args:
        name: what messages call it.
        count: number of pairs.
        read: function of a number that returns both images, as bytes or pixels.
        item_name: function of a number that returns what messages call the pair.
        listing: function that returns what tells these files from others; None for pairs that are in memory.
    """

    def __init__(self, name, count, read, item_name, listing=None):
        self.name, self.count, self.read, self.item_name = name, count, read, item_name
        self.listing = listing or super().listing


def _find_pairs(source, keys, subset, on_error):
    """A `PairSource` of what a user gives."""
    if _are_two(source):
        if keys is not None or subset:
            given = f"keys={keys!r}" if keys is not None else f"subset={subset!r}"
            raise ValueError(f"{given} means nothing where source is two; leave it out.")
        paths = [paths_of(part) for part in source]
        if not all(paths):
            return _of_arrays(
                *(ArraySource(f"{side} of source", part) for side, part in zip("AB", source, strict=True))
            )
        for (path,) in paths:
            check_path(path, "a folder or a zip file", ())
        return _of_files(*(find_files(path, look=look) for path in paths), on_error)
    paths = paths_of(source)
    if not paths:
        raise ValueError(
            f"source={short(source)} is nothing that pairs can be read from; give a folder, a zip or .npz file, or two "
            "of them."
        )
    (path,) = paths
    check_path(path)
    if _is_array_file(path):
        return _of_arrays(*(load_arrays(path, key=key, subset=subset) for key in _check_keys(keys, source)))
    if keys is None:
        return _side_by_side(find_files([path], subset, look=look))
    return _of_files(
        *(find_files([path], _inside(subset, key), look=look) for key in _check_keys(keys, source)), on_error
    )


def _are_two(source):
    return isinstance(source, (tuple, list)) and len(source) == 2


def _is_array_file(path):
    return isinstance(path, (str, Path)) and Path(path).suffix.lower() == ".npz"


def _check_keys(keys, source):
    if isinstance(keys, (tuple, list)) and len(keys) == 2 and all(isinstance(key, str) and key for key in keys):
        return tuple(keys)
    hint = ""
    if _is_array_file(source) and zipfile.is_zipfile(source):
        hint = f" It holds: {', '.join(keys_of(source))}."
    raise ValueError(
        f"keys={keys!r}: expected the names of two folders or arrays in source={short(source)}, such as "
        f'("photos", "drawings"); or give two sources, (A, B).{hint}'
    )


def _side_by_side(found):
    def read(item):
        pixels = to_whole_pixels(found.read(item))
        if pixels.shape[1] % 2:
            raise BadSample(f"{pixels.shape[1]} pixels wide, an odd number, which is not two images side by side")
        return np.split(pixels, 2, axis=1)

    return PairSource(found.name, found.count, read, found.item_name, found.listing)


def _of_arrays(first, second):
    if first.count != second.count:
        raise ValueError(
            f"source: {first.name} has {first.count} images, {second.name} {second.count}; pairs need as many of each."
        )
    return PairSource(
        f"{first.name} and {second.name}",
        first.count,
        lambda item: (first.read(item), second.read(item)),
        lambda item: f"pair {item}",
    )


def _of_files(first, second, on_error):
    """Pairs of the files of two sources that have the same name; a warning or an error for those without partner."""
    numbers = [_by_name(found, on_error) for found in (first, second)]
    common = sorted(numbers[0].keys() & numbers[1].keys())
    alone = sorted(numbers[0].keys() ^ numbers[1].keys())
    names = ", ".join(alone[:_LISTED]) + (", ..." if len(alone) > _LISTED else "")
    if not common:
        raise ValueError(
            f"{first.name} and {second.name} have no file name in common, by which pairs are found; there are {names}. "
            "Images that do not belong together are read by kerasgan.data.unpaired."
        )
    if alone:
        warnings.warn(f"{len(alone)} files without a partner of the same name are left out: {names}.", stacklevel=4)
    rows = [tuple(own[name] for own in numbers) for name in common]
    return PairSource(
        f"{first.name} and {second.name}",
        len(rows),
        lambda item: (first.read(rows[item][0]), second.read(rows[item][1])),
        lambda item: common[item],
        lambda: f"{first.listing()}\n\n{second.listing()}",
    )


def _by_name(found, on_error):
    """{name without its ending: number} of the files of a source; what is no image gives way to one of its name."""
    groups = collections.defaultdict(list)
    for item in found.items():
        groups[_stem(found.item_name(item))].append(item)
    bad, chosen = [], {}
    for name, items in groups.items():
        reasons = {item: _unusable(found, item) for item in items} if len(items) > 1 else {items[0]: None}
        usable = [item for item in items if reasons[item] is None] or items[:1]
        if len(usable) > 1:
            raise ValueError(f"{found.name} holds several files of one name with different endings; keep one of each.")
        bad += [(found.item_name(item), reason) for item, reason in reasons.items() if item != usable[0]]
        chosen[name] = usable[0]
    report(bad, found.count, found.name, on_error, stacklevel=6)
    return chosen


def _unusable(found, item):
    """Why a file is no image; None if it is one."""
    try:
        size_in_header(found.open(item))
    except BadSample as error:
        return str(error)


def _stem(name):
    return name.rpartition(".")[0] or name
