"""One clip: the content of a file -> its frames, one after the other, with their times.

GIF, WebP and APNG are read by Pillow; MP4 and others by `av`, which comes with `kerasgan[video]`. A frame is in memory
at its full size only until it has been made as large as it is wanted.
"""

import io
import itertools
from typing import NamedTuple

import numpy as np

from kerasgan.data.files import BadSample, unusable
from kerasgan.data.pixels import open_image, size_of, to_pixels
from kerasgan.media.video import import_av

ANIMATIONS = (".gif", ".webp", ".apng")
# The demuxer by a file's ending: FFmpeg's own guess may take a file for a playlist, and open what that names.
DEMUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "matroska", ".avi": "avi"}
DEMUXERS |= {".mpg": "mpeg", ".mpeg": "mpeg"}
ENDINGS = (*ANIMATIONS, *DEMUXERS)
MOST_FRAMES = 10_000  # of a file
MOST_PIXELS = 2**32  # of a file, in all of its frames: 2,000 of 1920x1080
MOST_BYTES = 2**29  # that a file's frames may take when they are prepared
UNTIMED = 0.1  # seconds of a frame that no time is given for, as browsers take it


class Frame(NamedTuple):
    """A frame as `kerasgan.data.pixels.to_pixels` takes it, and from when to when it is shown, in seconds or None."""

    raw: bytes | np.ndarray
    start: float | None = None
    end: float | None = None


def frames_of(content, name):
    """The frames of a file of one of the `ENDINGS`: an iterator of `Frame`. Raises `BadSample`, or an `ImportError`.

    Args:
        content: bytes.
        name: the file's, whose ending decides.
    """
    ending = ending_of(name)
    if ending in ANIMATIONS:
        return _of_animation(content)
    if ending in DEMUXERS:
        return _of_video(content, DEMUXERS[ending], name)
    raise BadSample(f"not a clip: clips end in {', '.join(ENDINGS)}")


def ending_of(name):
    """The ending of a file's name with its dot, in lower case."""
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f"{dot}{ending.lower()}" if dot else ""


def _of_animation(content):
    start = 0.0
    with unusable():
        image = open_image(io.BytesIO(content))
    for number in itertools.count():
        with unusable():
            try:
                image.seek(number)
            except EOFError:  # behind the last one
                return
            image.load()
            picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
            end = start + (float(image.info.get("duration") or 0) / 1000 or UNTIMED)
        yield Frame(np.asarray(picture), start, end)
        start = end


def _of_video(content, demuxer, name):
    av = import_av(f"The data hold {name}, which")
    with unusable():
        container = av.open(io.BytesIO(content), format=demuxer)
    with container:
        with unusable():
            if not container.streams.video:
                raise BadSample("no video in it")
            stream = container.streams.video[0]
            shown = float(1 / stream.average_rate) if stream.average_rate else UNTIMED
            decoded = container.decode(stream)
        waiting = None
        while True:
            with unusable():
                frame = next(decoded, None)
                start = 0.0 if frame is None else float(frame.time or 0.0)
                pixels = None if frame is None else frame.to_ndarray(format="rgb24")
            if waiting is not None:
                yield Frame(waiting[0], waiting[1], waiting[1] + shown if frame is None else start)
            if frame is None:
                return
            waiting = pixels, start


def at_rate(frames, frame_rate):
    """The frames that are shown at the times 0, 1 / frame_rate, 2 / frame_rate, ...; those without times as they are.

    A frame that is shown for longer comes several times; one that is shown between two times is left out.
    """
    number, first = 0, None
    for frame in frames:
        if frame.start is None or frame_rate is None:
            yield frame
            continue
        first = frame.start if first is None else first
        while number / frame_rate < frame.end - first - 1e-6:
            if number / frame_rate >= frame.start - first - 1e-6:
                yield frame
            number += 1


def prepared(frames, size, channels, crop, filter, frame_rate=None, every=1):
    """All frames of a clip that are wanted, uint8 (n, height, width, channels). Raises `BadSample`.

    Args:
        frames: iterator of `Frame`.
        size, channels, crop, filter: as of `kerasgan.data.pixels.to_pixels`.
        frame_rate: frames a second, see `at_rate`; None takes each frame of the file once.
        every: takes every n-th of them.
    """
    made, last, size_before = [], None, None
    for frame in itertools.islice(at_rate(_bounded(frames), frame_rate), 0, None, every):
        if frame is not last:
            own = size_of(frame.raw)
            if own != (size_before or own):
                sizes = " and ".join(f"{width}x{height}" for height, width in (size_before, own))
                raise BadSample(f"frames of {sizes} pixels; those of a clip are equally large")
            size_before, last = own, frame
            pixels = to_pixels(frame.raw, size, channels, crop, filter)
        made.append(pixels)
        if len(made) > MOST_FRAMES or len(made) * pixels.nbytes > MOST_BYTES:
            raise BadSample(f"more than {len(made) - 1} frames are too many for a file; cut it into several")
    return np.stack(made) if made else np.zeros((0, *size, channels), np.uint8)


def _bounded(frames):
    """The same frames; a `BadSample` once they are more than anybody takes for a clip."""
    pixels = 0
    for number, frame in enumerate(frames):
        height, width = size_of(frame.raw)
        pixels += height * width
        if number >= MOST_FRAMES or pixels > MOST_PIXELS:
            raise BadSample(f"more than {number} frames of {width}x{height} pixels are too many; cut it into several")
        yield frame
