"""Sounds from folders and zip files, as a `tf.data.Dataset` in [-1, 1]."""

import re
import warnings

import tensorflow as tf

from kerasgan.data.files import find_files
from kerasgan.data.pipeline import batched, check_choices, is_count
from kerasgan.data.sources import check_path, paths_of, short
from kerasgan.data.waves import FULL_SCALE, check_header, to_samples

CHOICES = {
    "channels": (1, 2),
    "crop": ("start", "center", "random"),
    "pad": ("end", "center"),
    "normalize": (True, False),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
NAME = r"([^/_]+)_[^/]*$"  # in labels="name": what comes before the first underscore of a file's name
NO_SOUNDS = (".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".html", ".pdf", ".lab", ".cue")  # that lie beside sounds


def audio(
    source,
    length=8192,
    sample_rate=8000,
    batch_size=64,
    *,
    channels=1,
    crop="start",
    pad="end",
    normalize=False,
    labels=False,
    shuffle=True,
    seed=None,
    subset=None,
    on_error="skip",
    cache="auto",
):
    """Reads sounds into batches for training: float32 (batch_size, length, channels) in [-1, 1].

    With labels, batches are pairs (sounds, int32 labels (batch_size,)). A remainder smaller than a batch is dropped;
    with `shuffle` it is a different one in every epoch.

    WAV files of whole numbers are read without further packages; FLAC, Ogg, MP3, WAV files of floats and other rates
    than `sample_rate` need `kerasgan[audio]`. Samples are kept with 16 bits, as in most files; what is louder than full
    scale is clipped. Text files are passed over.

    Everything is checked before the data set is returned. Sounds that take 1 GB or less when they are prepared are read
    here, once, and stay in memory. Of larger sets, and for random crops, the files' headers are checked here, and
    sounds are read when they are needed, anew in each epoch; see `kerasgan.data.images` for what holds then.

    Args:
        source: a folder, a zip file (which is not unpacked), or a list of them.
        length: samples of a sound, for each channel: 8192 is about a second at 8 kHz.
        sample_rate: samples a second, in Hz. Files of another rate are resampled.
        batch_size: sounds in a batch.
        channels: 1 (mono: the mean of all channels) or 2 (stereo; mono files get the same on both sides).
        crop: what is kept of longer sounds: "start", "center" or "random", another part in each epoch.
        pad: where silence is added to shorter ones: "end", or "center", on both sides.
        normalize: makes the loudest sample of every file full scale.
        labels: True for the classes: the folders. "name" takes what comes before the first underscore of a file's name,
            such as 7 in `7_anna_3.wav`; any other string is a regular expression, whose first group is searched for in
            a file's path.
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order and random crops repeatable.
        subset: a folder inside `source`, such as "train".
        on_error: "skip" leaves out files that are no sounds or nothing but silence, and names them in one warning;
            "raise" stops at them.
        cache: True or False decides whether sounds stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `tf.data.Dataset` of one epoch, with the attributes and methods that `kerasgan.data.images` describes
        (`class_names`, `endless`, `rebatched`, `fingerprint`, `count`, `seekable`).

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.
        ImportError: the data need `kerasgan[audio]`.

    Example:

    ```python
    drums = kerasgan.data.audio("drums/", length=16384, sample_rate=16000)
    digits = kerasgan.data.audio("digits.zip", labels="name")
    ```
    """
    for name, value in (("length", length), ("sample_rate", sample_rate)):
        if not is_count(value):
            raise ValueError(f"{name}={value!r} must be a whole number above 0.")
    choices = {"channels": channels, "crop": crop, "pad": pad, "normalize": normalize}
    check_choices(CHOICES, **choices, on_error=on_error, cache=cache)
    draws = crop == "random"
    if draws and cache is True:
        raise ValueError("cache=True means nothing with crop='random', for which files are read in each epoch.")
    found = _find(source, labels, subset)
    others = set()  # sounds with another number of channels

    def prepare(item, drawn=None):
        content = found.read(item)
        return to_samples(content, length, sample_rate, channels, crop, pad, normalize, drawn)

    def look(item):
        given = check_header(found.open(item))
        if given != channels and 1 in (given, channels):
            others.add(item)

    def prepare_and_look(item):
        look(item)
        return prepare(item)

    dataset = batched(
        found,
        prepare if draws else prepare_and_look,
        look,
        tf.TensorSpec((length, channels), tf.int16),
        lambda samples, draw: tf.cast(samples, tf.float32) / FULL_SCALE,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="sounds",
        model_arguments={"length": length, "sample_rate": sample_rate, "channels": channels},
        draws=draws,
    )
    if others:
        what = (
            "have several channels, of which the mean is taken" if channels == 1 else "are mono: both sides are alike"
        )
        warnings.warn(f"{len(others)} of {found.count} sounds of {found.name} {what}.", stacklevel=2)
    return dataset


def _find(source, labels, subset):
    """A `FileSource` of the files that may be sounds."""
    paths = paths_of(source)
    if not paths:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder or a zip file of sounds, or a list of "
            "them."
        )
    for path in paths:
        check_path(path, "a folder or a zip file", ())
    class_of = None
    if isinstance(labels, str):
        pattern = _pattern(labels)

        def class_of(member):
            match = pattern.search(member)
            return match[1] if match else None

    elif labels not in (True, False):
        raise ValueError(f"labels={labels!r}: expected True, False, 'name' or a regular expression with a group.")
    return find_files(paths, subset, bool(labels), class_of, f"labels={labels!r}", NO_SOUNDS)


def _pattern(labels):
    try:
        pattern = re.compile(NAME if labels == "name" else labels)
    except re.error as error:
        raise ValueError(f"labels={labels!r} is no regular expression ({error}); give one, or 'name'.") from None
    if not pattern.groups:
        raise ValueError(
            f"labels={labels!r} has no group that would be the class, such as (\\w+) in '_(\\w+)_'. "
            "'name' takes what comes before the first underscore."
        )
    return pattern
