"""Images from folders, zip files, arrays, data sets and data set names, as a `tf.data.Dataset` in [-1, 1]."""

import tensorflow as tf

from kerasgan.checks import is_whole
from kerasgan.data.pipeline import batched, check_choices, mirrored
from kerasgan.data.pixels import FILTERS, check_header, to_pixels
from kerasgan.data.sources import Part, find

CHOICES = {
    "channels": (1, 3, 4),
    "filter": FILTERS,
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}


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
    part=None,
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

    Levels of 16 bits are scaled to 8, CMYK, YCbCr and LAB become RGB; 32 bits, signs, floats and 12 bits in files of
    16, of which white is unknown, are refused. A file whose header claims more memory than its size explains is
    refused, too, beyond 256 MB or what the environment variable KERASGAN_LIMIT_MB says. Folders that are links are
    entered; run folders and results of `kerasgan convert` inside the data are left out.

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
            in [-1, 1] or, where no value of the array is negative, in [0, 1] (the rule of `fit`, too); a
            `tf.data.Dataset` of such images or of the contents of image files, alone, with a label, or in a
            dictionary; or a data set of tensorflow-datasets, such as "tfds:celeb_a" or "tfds:celeb_a/train[:50%]".
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
        subset: a folder inside `source`, such as "train", or one of several sets of foreign TFRecord shards; of a
            `.npz` file the images with certain values in another array, such as "y_train=3" or
            "category=Flags|Symbols" (* is any text: "names=CAT*"); with tensorflow-datasets the split ("train" by
            default).
        part: "train" leaves out every tenth image, "test" has those only: where a source does not say what to test on.
            None takes all.
        key: name of the images where `source` has several arrays or features.
        data_dir: where tensorflow-datasets keeps its data.
        download: lets tensorflow-datasets download and prepare what is not there.
        on_error: "skip" leaves out files that are no images, and names them in one warning; "raise" stops at them.
        cache: True or False decides whether images stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`: a `tf.data.Dataset` of one epoch that knows `class_names`, `count`, a
        `fingerprint` and more, and has the batches of all epochs from any place on (`endless`). `class_names` is None
        of a stream that is not held in memory and does not name its classes; its `cardinality()` may be unknown.

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
    check_choices(CHOICES, channels=channels, filter=filter, on_error=on_error, cache=cache)
    found = find(source, labels, subset=subset, key=key, data_dir=data_dir, download=download)
    found = found if part is None else Part(found, part)

    def prepare(item):
        return to_pixels(found.read(item), size, channels, crop, filter)

    def look(item):
        check_header(found.open(item), size, crop)

    def finish(pixels, draw):
        pixels = mirrored(pixels, draw) if flip else pixels
        return tf.cast(pixels, tf.float32) / 127.5 - 1.0

    return batched(
        found,
        prepare,
        tf.TensorSpec((*size, channels), tf.uint8),
        finish,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="images",
        model_arguments={"image_shape": [*size, channels]},
        look=look if found.has_files else None,
    )


# Arguments --------------------------------------------------------------------------------------------------------


def check_size(size):
    """(height, width) of `size`, a number or two; a `ValueError` where it is neither."""
    edges = size if isinstance(size, (tuple, list)) else (size, size)
    if len(edges) == 2 and all(is_whole(edge) for edge in edges):
        return int(edges[0]), int(edges[1])
    raise ValueError(f"size={size!r} must be a number of pixels, or (height, width).")


def check_crop(crop):
    """`crop` as `to_pixels` takes it; a `ValueError` for what makes no sense."""
    if isinstance(crop, str) and crop in ("center", "pad"):
        return crop
    if isinstance(crop, (tuple, list)) and len(crop) == 4:
        if all(edge == 0 or is_whole(edge) for edge in crop[:2]) and all(is_whole(edge) for edge in crop[2:]):
            return tuple(int(edge) for edge in crop)
    raise ValueError(f"crop={crop!r} must be 'center', 'pad' or a box (left, top, width, height) in whole pixels.")
