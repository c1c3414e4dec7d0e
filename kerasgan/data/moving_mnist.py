"""Moving MNIST: digits that bounce within a frame, made on the fly, a `tf.data.Dataset` in [-1, 1]."""

import hashlib
import math

import numpy as np
import tensorflow as tf

from kerasgan import bicubic, memory
from kerasgan.checks import is_number, is_whole
from kerasgan.data.arrays import read_arrays
from kerasgan.data.batching import finished
from kerasgan.data.dataset import Dataset, check_batch_size, check_count
from kerasgan.data.pipeline import check_choices
from kerasgan.data.sources import check_path, paths_of

KEYS = {"train": "x_train", "test": "x_test"}  # of the arrays in mnist.npz
EDGE = 64  # pixels of the original's frames, in which digits have their own size
SPEED = 0.1  # of the room that a digit has, in a frame: the original's
FRAME_RATE = 10.0
MOST_DIGITS = 10


def moving_mnist(
    source,
    length=16,
    size=64,
    batch_size=16,
    *,
    digits=2,
    speed=None,
    count=10_000,
    shuffle=True,
    seed=None,
    subset=None,
):
    """Clips of moving digits for training: float32 (batch_size, length, size, size, 1) in [-1, 1].

    Each clip has some digits of MNIST, drawn at random. Each begins anywhere, moves straight on in a direction drawn at
    random, and is reflected by the edges as light is; where digits meet, the brighter pixel shows (Srivastava, Mansimov
    & Salakhutdinov, 2015, arXiv:1502.04681). Places are rounded to whole pixels. In frames of 64 pixels a digit's
    square has 28; in others it is as large a part of them.

    No clip comes twice: with `shuffle` each epoch has `count` new ones. They follow from the seed and the number of the
    batch alone.

    Changed from the original: at an edge, a digit goes back by as much as it would have gone beyond, so that its speed
    along each axis never changes; there, it stops at the edge first.

    Args:
        source: a `.npz` file of 28x28 digits, such as mnist.npz, or an array of them, uint8 (n, 28, 28).
        length: frames of a clip.
        size: height and width of a frame, 32 or more.
        batch_size: clips in a batch.
        digits: how many, 1 to 10.
        speed: pixels that a digit moves in a frame; None takes a tenth of the room that it has (3.6 of 64 pixels).
        count: clips in an epoch.
        shuffle: makes new clips in each epoch; without, those of each epoch are the same, also without a seed.
        seed: makes clips repeatable.
        subset: "train" (also None) or "test": which digits of a file.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or no such file.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    clips = kerasgan.data.moving_mnist("mnist.npz", length=16, size=32)
    ```
    """
    check_batch_size(batch_size, "clips")
    for name, value, least in (("length", length, 2), ("size", size, 32), ("digits", digits, 1), ("count", count, 1)):
        if not is_whole(value, least=least):
            raise ValueError(f"{name}={value!r} must be a whole number, {least} or more.")
    if digits > MOST_DIGITS:
        raise ValueError(f"digits={digits!r} must be {MOST_DIGITS} at most.")
    if speed is not None and not (is_number(speed, 0) and speed < size):
        raise ValueError(f"speed={speed!r} must be pixels a frame, from 0 to less than size={size}.")
    check_choices({"shuffle": (True, False), "subset": (None, *KEYS)}, shuffle=shuffle, subset=subset)
    images = _digits(source, subset, size)
    room = size - images.shape[1]
    speed = SPEED * room if speed is None else float(speed)

    def clips(seed, batch_size, rows):
        chosen, places = drawn(np.random.default_rng(seed.view(np.uint64)), batch_size, digits, length, room, speed)
        chosen, places = (
            whole[rows[0] : rows[1]] for whole in (np.minimum(chosen * len(images), len(images) - 1), places)
        )
        return frames(images[chosen.astype(int)], places, size)

    @tf.autograph.experimental.do_not_convert  # as in `Game.fit`
    def batches(batch_size, start, seed, worker):
        check_count(count, batch_size, "count", "clips")
        rows, in_epoch = memory.rows(batch_size, worker), count // batch_size
        if shuffle:
            seeds = memory.seeds(seed, start)
        else:
            numbers = tf.data.Dataset.counter(start or 0)
            seeds = numbers.map(lambda number: memory.step_seed(seed or 0, number % in_epoch))
        if start is None:
            seeds = seeds.take(in_epoch)

        def make(seed):
            made = tf.numpy_function(lambda seed: clips(seed, batch_size, rows), [seed], tf.uint8)
            return (tf.ensure_shape(made, (rows[1] - rows[0], length, size, size)),)

        made = seeds.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return finished(made, batch_size, _in_model_range, seed, start, worker)

    about = f"{length} {size} {digits} {speed} {count} {shuffle}".encode()
    return Dataset.of_batches(
        batches,
        batch_size,
        seed=seed,
        count=count,
        fingerprint=hashlib.sha256(about + np.ascontiguousarray(images).tobytes()).hexdigest(),
        model_arguments={"frames": length, "image_shape": [size, size, 1], "frame_rate": FRAME_RATE},
    )


def _in_model_range(clips, draw):
    return tf.cast(clips[..., None], tf.float32) / 127.5 - 1.0


def drawn(random, count, digits, length, room, speed):
    """What is drawn for `count` clips, by a NumPy generator.

    Returns:
        (numbers in [0, 1) that choose the digits (count, digits), whole places (y, x) of their upper left corners
        (count, digits, length, 2)).
    """
    chosen, turn = random.random((2, count, digits))
    start = random.random((count, digits, 2)) * room
    return chosen, trajectory(start, speed * direction(turn), length, room)


def direction(turn):
    """The direction (y, x) of a share of a whole turn, from rightward on: (..., 2)."""
    return np.stack([np.sin(2 * math.pi * turn), np.cos(2 * math.pi * turn)], axis=-1)


def trajectory(start, velocity, length, room):
    """Where something is that moves straight on and is reflected at 0 and `room`: whole numbers (..., length, 2).

    Args:
        start: places in [0, room] (..., 2).
        velocity: what it moves by in a frame (..., 2).
    """
    way = start[..., None, :] + velocity[..., None, :] * np.arange(length)[:, None]
    unfolded = np.mod(way, 2 * room) if room else np.zeros_like(way)  # there and back again
    return np.rint(np.where(unfolded > room, 2 * room - unfolded, unfolded)).astype(int)


def frames(images, places, size):
    """Digits at their places, (count, length, size, size) of the images' type: where several are, the brightest shows.

    Args:
        images: (count, digits, edge, edge).
        places: (y, x) of upper left corners (count, digits, length, 2).
    """
    edge = images.shape[-1]
    made = np.zeros((len(images), places.shape[2], size, size), images.dtype)
    for clip, own, ways in zip(made, images, places, strict=True):
        for image, way in zip(own, ways, strict=True):
            for frame, (y, x) in zip(clip, way, strict=True):
                square = frame[y : y + edge, x : x + edge]
                np.maximum(square, image, out=square)
    return made


def _digits(source, subset, size):
    """The digits as large as they are in frames of a size: uint8 (n, edge, edge)."""
    paths = paths_of(source)
    if not paths:
        if subset:
            raise ValueError(f"subset={subset!r} means nothing where source is an array; leave it out.")
        name, images = "source", np.asarray(source)
    elif len(paths) == 1 and paths[0].suffix.lower() == ".npz":
        check_path(paths[0], "a .npz file")
        name, images, _ = read_arrays(paths[0], KEYS[subset or "train"], check=lambda shape, name: None)
    else:
        check_path(paths[0], "a .npz file")
        raise ValueError(f"source={str(paths[0])!r}: expected a single .npz file of digits, such as mnist.npz.")
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise ValueError(
            f"{name} has shape {images.shape} and dtype {images.dtype}; expected digits as uint8 (n, 28, 28)."
        )
    return sized(images, size)


def sized(images, size):
    """Digits, uint8 (n, 28, 28), as large as they are in frames of a size: uint8 (n, edge, edge)."""
    edge = round(28 * size / EDGE)
    return images if edge == 28 else bicubic.resize(images[..., None], (edge, edge))[..., 0]
