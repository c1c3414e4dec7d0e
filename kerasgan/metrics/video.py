"""Scores of clips: how much moves, and whether moving digits stay what they are, where they should be, and as fast.

Clips are uint8 (n, frames, height, width, channels), as `kerasgan.media.Video` has them in natural units.
"""

import typing

import numpy as np

from kerasgan import bicubic
from kerasgan.metrics import digits
from kerasgan.metrics.metric import Metric, Value
from kerasgan.metrics.volumes import components

DIGIT = 28 / 64  # of a frame's shorter side, the square that a digit of Moving MNIST stands in
DRAWN = 20 / 28  # of that square, what a digit of MNIST fills at most
LIT = 96  # from which on a pixel belongs to a digit
SPECK = 0.05  # of a frame's light: less is no digit
KEPT = 0.9  # of a clip's frames, in which its digits are the same
FRAMES = 256  # frames in which parts are looked for at a time
NAMED = 256  # squares that the digits network sees at a time


def motion(clips):
    """The mean absolute difference of each frame from the one before, as a share of white: float64 (n,)."""
    clips = _checked(clips)
    return np.stack([np.abs(np.diff(clip.astype("float32"), axis=0)).mean() for clip in clips]).astype("float64") / 255


# Moving digits -------------------------------------------------------------------------------------------------------


class Part(typing.NamedTuple):
    """What hangs together in a frame: (y, x) of its centre of light, its height and width, and it alone as pixels."""

    centre: np.ndarray
    size: tuple
    pixels: np.ndarray


def parts_of(frames):
    """What is lit in each frame and hangs together: a list of `Part` for each, the brightest first.

    Pixels hang together that are lit and at most two pixels apart: a digit's strokes may be broken. Specks are left
    out: parts with less than a twentieth of the frame's light.

    Args:
        frames: uint8 (n, height, width).
    """
    found = []
    for start in range(0, len(frames), FRAMES):
        batch = frames[start : start + FRAMES]
        lit = batch >= LIT
        labels = components(_thicker(lit)[..., None])[..., 0] * lit
        found += [_parts(frame, own) for frame, own in zip(batch, labels, strict=True)]
    return found


def _thicker(lit):
    """Pixels that are lit or have a lit neighbour, also across a corner."""
    height, width = lit.shape[1:]
    padded = np.pad(lit, ((0, 0), (1, 1), (1, 1)))
    shifted = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.logical_or.reduce(shifted)


def _parts(frame, labels):
    parts = []
    total = frame[labels > 0].sum()
    for label in np.unique(labels[labels > 0]):
        pixels = np.where(labels == label, frame, 0)
        light = float(pixels.sum())
        if light < SPECK * total:
            continue
        y, x = np.nonzero(pixels)
        weights = pixels[y, x] / light
        size = (int(np.ptp(y)) + 1, int(np.ptp(x)) + 1)
        parts.append((light, Part(np.array([weights @ y, weights @ x]), size, pixels)))
    return [part for _, part in sorted(parts, key=lambda one: -one[0])]


def is_digit(part, side):
    """Whether a part is no larger than one digit in a square of so many pixels, and a pixel of blur."""
    return max(part.size) <= side * DRAWN + 2


def in_square(part, side):
    """A part as the digits network sees it: uint8 (28, 28, 1), the centre of its light in the middle, as MNIST has it.

    Args:
        side: pixels of the square that becomes 28 pixels wide.
    """
    around = np.pad(part.pixels, side)
    top, left = (int(round(place + side - (side - 1) / 2)) for place in part.centre)
    square = around[top : top + side, left : left + side]
    return bicubic.resize(square[None, ..., None], (digits.SIZE, digits.SIZE))[0]


def pairs_of(clips):
    """Of each frame in which two digits stand apart, both of them; else None: a list of lists.

    Also, bool (n, frames), where digits are missing: in which nothing is, or one single part no larger than a digit.
    (Two digits that cover each other are missed, too; what that comes to, the data say.)
    """
    clips = _checked(clips)
    side = round(DIGIT * min(clips.shape[2:4]))
    frames = clips.reshape(-1, *clips.shape[2:]).max(axis=-1)
    found = parts_of(frames)
    apart = [p if len(p) == 2 and all(is_digit(part, side) for part in p) else None for p in found]
    missing = np.array([len(p) == 0 or len(p) == 1 and is_digit(p[0], side) for p in found])
    length = clips.shape[1]
    return [apart[i : i + length] for i in range(0, len(apart), length)], missing.reshape(-1, length)


def steadiness(names):
    """The share of frames in which a clip shows the digits that it shows most often; NaN where none stand apart.

    Args:
        names: of each frame in which two digits stand apart, the two numbers that they are named by: integers (n, 2).
    """
    if not len(names):
        return np.nan
    _, counts = np.unique(np.sort(names, axis=1), axis=0, return_counts=True)
    return counts.max() / len(names)


def speeds(pairs):
    """How far each digit of a clip moves from frame to frame: a list of arrays, one for each digit and run of frames.

    In runs of three frames or more in which digits stand apart, each is taken for the one that it is nearer to in the
    next frame, so that both together go the shortest way.

    Args:
        pairs: of each frame, its two `Part`, or None.
    """
    runs, run = [], []
    for pair in [*pairs, None]:
        if pair is not None:
            run.append(np.stack([part.centre for part in pair]))
            continue
        if len(run) >= 3:
            runs.append(run)
        run = []
    found = []
    for run in runs:
        linked = [run[0]]
        for centres in run[1:]:
            both = (centres, centres[::-1])
            linked.append(min(both, key=lambda one: np.linalg.norm(one - linked[-1], axis=1).sum()))
        found += list(np.linalg.norm(np.diff(linked, axis=0), axis=2).T)
    return found


def unsteady_speed(steps):
    """The mean deviation of steps from their median, as a share of it; NaN where nothing moves."""
    median = np.median(steps)
    return float(np.abs(steps - median).mean() / median) if median > 0 else np.nan


def _checked(clips):
    clips = np.asarray(clips)
    if clips.ndim != 5 or not clips.size or clips.dtype != np.uint8 or clips.shape[1] < 2:
        raise ValueError(
            f"clips has shape {clips.shape} and dtype {clips.dtype}; expected uint8 (n, frames, height, width, "
            "channels) of 2 frames or more, as `generate` and `media.to_natural` return them."
        )
    return clips


# What `evaluate` knows -----------------------------------------------------------------------------------------------


def _motion(real, scored):
    yield Value.mean("motion", motion(scored.natural))  # neither way: the floor is what it should be


def _moving_digits(real, scored):
    """Of clips of two digits as `kerasgan.data.moving_mnist` makes them; each is held against the floor's."""
    pairs, missing = pairs_of(scored.natural)
    apart = [[pair for pair in clip if pair is not None] for clip in pairs]
    yield Value.mean("digits_apart", np.array([len(clip) / scored.natural.shape[1] for clip in apart]))
    yield Value.mean("digits_missing", missing.mean(axis=1))
    kept = np.array([steadiness(names) for names in _named(apart, scored.natural.shape[2:4])])
    kept = np.where(np.isnan(kept), np.nan, kept >= KEPT)
    yield Value.mean("same_digits", kept, frames=KEPT)
    unsteady = [unsteady_speed(steps) for clip in pairs for steps in speeds(clip)]
    yield Value.mean("unsteady_speed", np.array(unsteady, "float64"))


def _named(apart, size):
    """What the digits network names the digits of each clip, frame by frame: integers (frames, 2) for each."""
    side = round(DIGIT * min(size))
    squares = [in_square(part, side) for clip in apart for pair in clip for part in pair]
    if not squares:
        return [np.zeros((0, 2), int) for _ in apart]
    network, squares = digits.load(), np.stack(squares).astype("float32")
    # Batch by batch: Keras's predict would keep the maps of all squares, which the network has as outputs, too.
    logits = [network.predict_on_batch(squares[start : start + NAMED])[-1] for start in range(0, len(squares), NAMED)]
    names = np.concatenate(logits).argmax(axis=1).reshape(-1, 2)
    return np.split(names, np.cumsum([len(clip) for clip in apart])[:-1])


METRICS = {
    "motion": Metric(("natural",), False, _motion, "mean difference of a frame from the one before", "video"),
    "moving_digits": Metric(
        ("natural",), False, _moving_digits, "two moving digits: apart, missing, the same, as fast", "video"
    ),
}
