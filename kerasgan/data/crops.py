"""Random crops at full resolution from images of any size, as a `tf.data.Dataset` in [-1, 1]."""

import hashlib

import numpy as np
import tensorflow as tf

from kerasgan.checks import is_whole
from kerasgan.data.base import Source
from kerasgan.data.files import BadSample
from kerasgan.data.image import check_size
from kerasgan.data.pipeline import CACHE_BYTES, batched, check_choices
from kerasgan.data.pixels import size_in_header, to_whole_pixels
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import find

CHOICES = {
    "channels": (1, 3, 4),
    "flip": (True, False),
    "rotate": (True, False),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
_DRAWN_BITS = 24  # of a float32 in [0, 1)


def crops(
    source,
    size=96,
    batch_size=16,
    *,
    channels=3,
    per_image=16,
    flip=True,
    rotate=True,
    shuffle=True,
    seed=None,
    subset=None,
    key=None,
    on_error="skip",
    cache="auto",
):
    """Reads random crops into batches for training: float32 (batch_size, height, width, channels) in [-1, 1].

    What `kerasgan.data.images` would shrink to one size is cut out here as it is, pixel by pixel: for super-resolution,
    and whatever else is about detail. Every epoch has `per_image` crops of each image, anew at other places. Images
    that are smaller than a crop are left out, and named in a warning.

    Images are turned upright (EXIF) and brought to the wanted channels as `images` does. Those that take 1 GB or less
    are decoded once, and stay in memory; of larger sets each is decoded again for each of its crops.

    Args:
        source: a folder, a zip file (which is not unpacked), a list of them, a folder of TFRecord shards, or an array
            or a `.npy` or `.npz` file of images; see `images`.
        size: height and width of the crops, an int or (height, width).
        batch_size: crops in a batch.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        per_image: crops of each image in an epoch.
        flip: mirrors every other crop at random.
        rotate: turns crops by 0, 90, 180 or 270 degrees at random; those that are not square by 0 or 180.
        shuffle: draws a new order for each epoch.
        seed: makes order, places, flips and turns repeatable.
        subset: a folder inside `source`, such as "train", or of a `.npz` file a part, as in `kerasgan.data.images`.
        key: name of the images where `source` has several arrays.
        on_error: "skip" leaves out files that are no images, or too small, and names them in one warning; "raise" stops
            at them.
        cache: True or False decides whether images stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    details = kerasgan.data.crops("photos/", size=96, batch_size=16)
    ```
    """
    size = check_size(size)
    for name, value in (("batch_size", batch_size), ("per_image", per_image)):
        if not is_whole(value):
            raise ValueError(f"{name}={value!r} must be a number of crops.")
    check_choices(CHOICES, channels=channels, flip=flip, rotate=rotate, on_error=on_error, cache=cache)
    found = find(source, subset=subset, key=key)
    if found.is_stream:
        raise ValueError(
            f"{found.name} is a stream, of which images cannot be read again; give a folder, a zip file, TFRecord "
            "shards or an array."
        )
    chosen = _Repeated(found, size, channels, per_image, on_error, cache)

    def prepare(item, drawn):
        random = np.random.default_rng(int(float(drawn) * 2**_DRAWN_BITS))
        return _cut(chosen.pixels(item), size, random, flip, rotate)

    return batched(
        chosen,
        prepare,
        tf.TensorSpec((*size, channels), tf.uint8),
        lambda pixels, draw: tf.cast(pixels, tf.float32) / 127.5 - 1.0,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="crops",
        model_arguments={"image_shape": [*size, channels]},
        draws=True,
    )


class _Repeated(Source):
    """The usable images of a source, each of them several times, decoded once where they may stay in memory."""

    def __init__(self, found, size, channels, times, on_error, cache):
        self._found, self._size, self._channels, self._times = found, size, channels, times
        self.name = found.name
        bad, kept, total = [], [], 0
        for position, (height, width) in read_usable(self._check, found, bad):
            kept.append(position)
            total += height * width * channels
        report(bad, len(kept) + len(bad), found.name, on_error, stacklevel=4)
        self._kept = kept
        self.count = times * len(kept)
        self._decoded = {} if cache is True or (cache == "auto" and total <= CACHE_BYTES) else None

    def _check(self, item):
        """(height, width) of an image that is large enough; raises `BadSample` otherwise."""
        if self._found.has_files:
            shape = size_in_header(self._found.open(item))
        else:
            shape = to_whole_pixels(self._found.read(item), self._channels).shape[:2]
        _check_large_enough(shape, self._size)
        return shape

    def pixels(self, item):
        """An image as uint8 (height, width, channels)."""
        position = self._kept[item % len(self._kept)]
        if self._decoded is None:
            return self._decode(position)
        if position not in self._decoded:
            self._decoded[position] = self._decode(position)
        return self._decoded[position]

    def _decode(self, position):
        pixels = to_whole_pixels(self._found.read(position), self._channels)
        _check_large_enough(pixels.shape[:2], self._size)
        return pixels

    def item_name(self, index):
        return self._found.item_name(self._kept[index % len(self._kept)])

    def listing(self):
        listing = self._found.listing()
        if listing:
            return f"{self._times}\n{listing}"
        digest = hashlib.sha256(str(self._times).encode())
        for item in self._found.items():
            digest.update(np.ascontiguousarray(self._found.read(item)))
        return digest.hexdigest()


def _check_large_enough(shape, size):
    if any(edge < wanted for edge, wanted in zip(shape, size, strict=True)):
        raise BadSample(f"{shape[1]}x{shape[0]} pixels, of which no crop of {size[1]}x{size[0]} can be cut")


def _cut(pixels, size, random, flip, rotate):
    """A crop uint8 (*size, channels) at a random place."""
    top, left = (random.integers(edge - wanted + 1) for edge, wanted in zip(pixels.shape[:2], size, strict=True))
    crop = pixels[top : top + size[0], left : left + size[1]]
    turns, mirrored = random.integers(4), random.integers(2)
    if rotate:
        crop = np.rot90(crop, turns if size[0] == size[1] else 2 * (turns % 2))
    if flip and mirrored:
        crop = crop[:, ::-1]
    return np.ascontiguousarray(crop)
