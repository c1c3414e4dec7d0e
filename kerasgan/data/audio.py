"""Sounds from folders and zip files, as a `tf.data.Dataset` in [-1, 1]."""

import io
import re
import warnings

import numpy as np
import tensorflow as tf

from kerasgan.checks import is_number, is_whole
from kerasgan.data.base import Source
from kerasgan.data.files import find_files
from kerasgan.data.pipeline import batched, check_choices
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import Part, check_path, paths_of, short
from kerasgan.data.waves import FULL_SCALE, frames_at, loudest, open_sound, to_samples

CHOICES = {
    "channels": (1, 2),
    "crop": ("start", "center", "random", "all"),
    "pad": ("end", "center"),
    "normalize": (True, False),
    "on_error": ("skip", "raise"),
    "cache": ("auto", True, False),
}
MOST_OVERLAP = 0.9
NAME = r"([^/_]+)_[^/]*$"  # in labels="name": what comes before the first underscore of a file's name
NO_SOUNDS = (".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".html", ".pdf", ".lab", ".cue")  # that lie beside sounds


def audio(
    source,
    length=8192,
    sample_rate=8000,
    batch_size=64,
    *,
    channels=1,
    crop="all",
    overlap=0.0,
    pad="end",
    normalize=False,
    labels=False,
    shuffle=True,
    seed=None,
    subset=None,
    part=None,
    on_error="skip",
    cache="auto",
):
    """Reads sounds into batches for training: float32 (batch_size, length, channels) in [-1, 1].

    With labels, batches are pairs (sounds, int32 labels (batch_size,)). A remainder smaller than a batch is dropped;
    with `shuffle` it is a different one in every epoch.

    WAV files of whole numbers are read without further packages; FLAC, Ogg, MP3, WAV files of floats and other rates
    than `sample_rate` need `kerasgan[audio]`. Samples are kept with 16 bits, as in most files; what is louder than full
    scale is clipped. Text files are passed over.

    A recording that is longer than `length` becomes several clips, of which each is a sample; a line says how many.
    A remainder of half a clip or more becomes another one, which ends where the recording ends; less is dropped. Clips
    of nothing but silence are left out, or another takes their place. Only what is needed is read of a recording in a
    folder, so that hours of it cost no memory; in a zip file it is unpacked whole for each clip that is read.

    Everything is checked before the data set is returned. Sounds that take 1 GB or less when they are prepared are read
    here, once, and stay in memory. Of larger sets, and for random crops, the files' headers are checked here, and
    sounds are read when they are needed, anew in each epoch; see `kerasgan.data.images` for what holds then.

    Args:
        source: a folder, a zip file (which is not unpacked), or a list of them.
        length: samples of a sound, for each channel: 8192 is about a second at 8 kHz.
        sample_rate: samples a second, in Hz. Files of another rate are resampled.
        batch_size: sounds in a batch.
        channels: 1 (mono: the mean of all channels) or 2 (stereo; mono files get the same on both sides).
        crop: what is taken of longer sounds: "all" of it, one clip behind the other; "random", as many clips, at other
            places in each epoch; or one clip of each file, at its "start" or "center".
        overlap: how much of a clip the next one has again, from 0 to 0.9: 0.5 makes twice as many.
        pad: where silence is added to shorter ones: "end", or "center", on both sides.
        normalize: makes the loudest sample of every file full scale.
        labels: True for the classes: the folders. "name" takes what comes before the first underscore of a file's name,
            such as 7 in `7_anna_3.wav`; any other string is a regular expression, whose first group is searched for in
            a file's path.
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order and random crops repeatable.
        subset: a folder inside `source`, such as "train".
        part: "train" leaves out every tenth clip, "test" has those only. None takes all.
        on_error: "skip" leaves out files that are no sounds or nothing but silence, and names them in one warning;
            "raise" stops at them.
        cache: True or False decides whether sounds stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

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
        if not is_whole(value):
            raise ValueError(f"{name}={value!r} must be a whole number above 0.")
    choices = {"channels": channels, "crop": crop, "pad": pad, "normalize": normalize}
    check_choices(CHOICES, **choices, on_error=on_error, cache=cache)
    draws = crop == "random"
    if draws and cache is True:
        raise ValueError("cache=True means nothing with crop='random', for which files are read in each epoch.")
    if not is_number(overlap, 0, MOST_OVERLAP):
        raise ValueError(f"overlap={overlap!r} must be a part of a clip, from 0 to {MOST_OVERLAP}.")
    if overlap and crop in ("start", "center"):
        raise ValueError(f"overlap={overlap!r} means nothing with crop={crop!r}, which takes one clip of each file.")
    clips = _Clips(_find(source, labels, subset), length, sample_rate, channels, crop, overlap, on_error)

    found = clips if part is None else Part(clips, part)

    def prepare(item, drawn=None):
        return clips.samples(item if part is None else found.numbers[item], drawn, pad, normalize)

    dataset = batched(
        found,
        prepare,
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
    if clips.others:
        what = (
            "have several channels, of which the mean is taken" if channels == 1 else "are mono: both sides are alike"
        )
        warnings.warn(f"{clips.others} of {clips.files} sounds of {clips.name} {what}.", stacklevel=2)
    return dataset


class _Clips(Source):
    """The clips of the usable sounds of a source, in the order of the files.

    Attributes:
        files: number of files.
        others: number of those with another number of channels.
    """

    def __init__(self, found, length, sample_rate, channels, crop, overlap, on_error):
        self.name, self.files, self._found = found.name, found.count, found
        self._length, self._rate, self._channels, self._crop = length, sample_rate, channels, crop
        self._step = max(1, round(length * (1 - overlap)))
        bad, kept, counts, frames, self.others = [], [], [], [], 0
        for position, (given, own) in read_usable(self._look, found, bad):
            kept.append(position)
            frames.append(own)
            counts.append(self._clips_in(own))
            self.others += given != channels and 1 in (given, channels)
        report(bad, len(kept) + len(bad), found.name, on_error, stacklevel=4)
        self.count = sum(counts)
        self._file = np.repeat(np.array(kept, np.int64), counts)
        self._of, self._spare = np.repeat(counts, counts), np.repeat(np.array(frames) - length, counts)
        self._place = np.arange(self.count) - np.repeat(np.cumsum(counts) - counts, counts)
        self.class_names = found.class_names
        self.labels = None if found.labels is None else found.labels[self._file]
        self._loudest, self._last = {}, (None, None)
        if self.count > len(kept):
            print(f"{len(kept)} files -> {self.count} clips of {length / sample_rate:.4g} s.")

    def _look(self, item):
        """Channels of a sound, and how many samples it has at the wanted rate."""
        with open_sound(self._found.open(item), self._found.size(item)) as sound:
            frames = frames_at(sound, self._rate)
            if self._clips_in(frames) > 1:
                sound.read(sound.frames - 1, sound.frames)  # one that is cut short is unusable, not each of its clips
            return sound.channels, frames

    def _clips_in(self, frames):
        spare = frames - self._length
        if spare <= 0 or self._crop in ("start", "center"):
            return 1
        return spare // self._step + 1 + (2 * (spare % self._step) >= self._length)

    def _first(self, item, drawn):
        """Where a clip begins, in samples at the wanted rate."""
        spare, place = max(0, int(self._spare[item])), int(self._place[item])
        if self._crop == "random":  # each in its own stretch of the recording; 32 bits could round up to the end
            return min(spare, int((place + float(drawn)) / int(self._of[item]) * (spare + 1)))
        return spare // 2 if self._crop == "center" else min(place * self._step, spare)

    def samples(self, item, drawn, pad, normalize):
        """A clip as int16 (length, channels). Raises `BadSample`.

        Args:
            item: its number.
            drawn: number in [0, 1) that decides a random place.
            pad, normalize: as of `audio`.
        """
        file, is_part = int(self._file[item]), bool(self._of[item] > 1)
        with self._opened(file, is_part) as sound:
            level = (lambda: self._level(file, sound)) if normalize else None
            first = self._first(item, drawn)
            return to_samples(sound, first, self._length, self._rate, self._channels, pad, is_part, level)

    def _opened(self, file, is_part):
        if self._found.is_seekable(file):
            return open_sound(self._found.open(file), self._found.size(file))
        last, content = self._last
        if last != file:  # its next clip is likely to be wanted next
            content = self._found.read(file)
            self._last = (file, content) if is_part else (None, None)
        return open_sound(io.BytesIO(content), len(content))

    def _level(self, file, sound):
        if file not in self._loudest:
            self._loudest[file] = loudest(sound, self._channels)
        return self._loudest[file]

    def item_name(self, item):
        name = self._found.item_name(int(self._file[item]))
        return name if self._of[item] == 1 else f"{name} at {self._place[item] * self._step / self._rate:.1f} s"

    def classes(self, kept):
        return self._found.classes(self._file[kept])

    def listing(self):
        return self._found.listing()


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
