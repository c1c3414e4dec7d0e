"""Data of any kind -> a `tf.data.Dataset` of batches, checked before the first step: for `fit` and `evaluate`."""

import collections.abc
import concurrent.futures
import itertools
import os
import warnings

import keras
import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.checks import is_whole
from kerasgan.game.batch import Batch
from kerasgan.structures import divided, each, length

_MOST = 64  # samples in a batch, where nobody says how many
_TELLING = 16  # samples of a data set that are enough for a guess at their range


def batches(game, x, y=None, batch_size=None, shuffle=True, held_out=False):
    """Batches as a training step takes them, samples or (samples, what goes with them), once the first are checked.

    Args:
        game: the `kerasgan.Game` that they are for.
        x, y, batch_size, shuffle: as in `Game.fit`.
        held_out: whether the game is not to learn from them: then they come in order, and the rest that makes no batch,
            too, and stay out of what the game remembers of its data.

    Returns:
        (a `tf.data.Dataset`, samples of its first batch).

    Raises:
        ValueError: as `Game.fit`.
    """
    check = game.check_held_out if held_out else game.check
    x, y = pair(x, y)
    if is_array(x) or (isinstance(x, dict) and _in_parts(game)):
        return _of_arrays(game, x, y, batch_size, shuffle, check, held_out)
    _refuse_what_is_no_data(x)
    kind = "tf.data.Dataset" if isinstance(x, tf.data.Dataset) else type(x).__name__
    if batch_size is not None:
        raise ValueError(f"batch_size={batch_size}: a {kind} has its own batches; leave batch_size out.")
    if y is not None:
        raise ValueError(f"y was given beside a {kind}: batches have to hold both, (samples, what goes with them).")
    if isinstance(x, tf.data.Dataset):
        first = first_batches(game, x)
        check_all(game, first, check)
        return _with_shapes(x, first[0]), length(first[0])
    return _of_python(game, x, shuffle and not held_out, check)


def held_out(game, given, batch_size=None):
    """`batches` of data that the game does not learn from; `given` is (x, y) or (x,)."""
    if len(given) > 2:
        _check_count_of_parts(given)
    return batches(game, *given, batch_size=batch_size, held_out=True)


def check_inputs(x, network, hint=""):
    """Raises a ValueError for arrays, or a data set of them, that are no inputs of a functional model.

    Args:
        x: as in `keras.Model.predict`; what yields batches from Python is not looked into.
        network: the model.
        hint: what the error says at its end.
    """
    if isinstance(x, tf.data.Dataset):
        given = x.element_spec[0] if isinstance(x.element_spec, tuple) else x.element_spec
        if any(spec.shape.rank is None for spec in keras.tree.flatten(given)):
            return
    elif np.isscalar(x) or isinstance(x, (list, tuple, dict)) or hasattr(x, "__array__"):
        given = x
    else:
        return
    names = [tensor.name for tensor in network.inputs]
    values = [given.get(name) for name in names] if isinstance(given, dict) else keras.tree.flatten(given)
    shapes = [tuple(getattr(value, "shape", np.shape(value))) for value in values]
    wanted = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)):
        described = " and ".join(f"{name} {_written(shape)}" for name, shape in zip(names, wanted, strict=True))
        got = " and ".join(map(_written, shapes)) or "nothing"
        raise ValueError(f"x has the shape {got}: predict takes what {network.name} starts from, {described}.{hint}")


def _fits(shape, wanted):
    """Whether an array's shape is one of a network's input, whose first axis, the batch, is of any length."""
    return len(shape) == len(wanted) and all(
        None in (a, b) or a == b for a, b in zip(shape[1:], wanted[1:], strict=True)
    )


def _written(shape):
    return f"({', '.join('count' if edge is None else str(edge) for edge in shape)}{',' * (len(shape) == 1)})"


def check_passes(name, data, epochs, steps):
    """Raises a ValueError for what can be read once, where several epochs read it and nobody says how far each goes."""
    if epochs > 1 and steps is None and isinstance(data, collections.abc.Iterator):
        option = "steps_per_epoch" if name == "x" else "validation_steps"
        raise ValueError(
            f"{name} is a {type(data).__name__}, which the first of {epochs} epochs uses up: give {option}, or data "
            "that can be read again."
        )


def pair(x, y=None):
    """(samples, what goes with them or None) of what a user gave, who may have given both as `x`."""
    return x if y is None and isinstance(x, (tuple, list)) and len(x) == 2 else (x, y)


def is_array(x):
    """Whether samples come as an array, or as a list of them, and not in batches."""
    return hasattr(x, "__array__") or isinstance(x, (tuple, list))


def _refuse_what_is_no_data(x):
    if isinstance(x, dict):
        _refuse_dictionary(x)
    if isinstance(x, (str, os.PathLike)):
        raise ValueError(
            f"x={str(x)!r} is a name: read what it names by kerasgan.data, such as data.images(x, size=64)."
        )
    if isinstance(x, tf.distribute.DistributedDataset):
        raise ValueError("x is shared out already: give the tf.data.Dataset itself, `fit` shares it out among devices.")
    if not hasattr(x, "__iter__"):
        raise ValueError(
            f"x is a {type(x).__name__}: expected an array, a tf.data.Dataset, a keras.utils.PyDataset, or anything "
            "else that yields batches."
        )


def first_batches(game, batches):
    """The first batches of an iterable of them, as many as hold a game's `checked_samples`: each a tuple of arrays.

    Raises:
        ValueError: there is none, or a batch is not (samples,) or (samples, what goes with them).
    """
    first, held = [], 0
    for batch in batches:
        first.append(each(np.asarray, _parts_of(game, batch)))
        held += length(first[-1])
        if held >= game.checked_samples:
            return first
    if not first:
        raise ValueError(
            "The data set holds no batch: it is empty, or batch_size is larger than the data set. "
            "Give more samples or a smaller batch_size."
        )
    return first


def _in_parts(game):
    """Whether a sample is a dictionary of parts."""
    return isinstance(game.media_of_data[0].shape, dict)


def _parts_of(game, batch):
    """(samples,) or (samples, what goes with them) of a batch as a data set yields it; a ValueError for others."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    for part in parts:
        if isinstance(part, dict) and not _in_parts(game):
            _refuse_dictionary(part)
    return _check_count_of_parts(parts)


def _check_count_of_parts(parts):
    given = [part for part in parts if part is not None]
    if len(given) not in (1, 2):
        raise ValueError(
            f"A batch has {len(given)} parts; expected samples, or (samples, labels or the other domain). Weights of "
            "samples mean nothing in a game: map a data set with lambda *batch: batch[:2]."
        )
    return tuple(given)


def _refuse_dictionary(batch):
    names = list(batch)
    entries = ", ".join(f"batch[{name!r}]" for name in names[:2])
    entries = f"({entries})" if len(names) > 1 else entries
    raise ValueError(
        f"Data in dictionaries with {', '.join(map(repr, names))}: which are the samples? Map it to samples or "
        f"(samples, labels), such as dataset.map(lambda batch: {entries}), or read it by kerasgan.data.images."
    )


def check_all(game, first, check):
    """`check` of the first batches together, and a warning where they look like the upper half of the model range."""
    parts = each(lambda *arrays: np.concatenate(arrays) if len(arrays) > 1 else arrays[0], *first)
    check(*parts)
    for media, part in zip(game.media_of_data, parts, strict=False):
        if length(part) >= _TELLING and media.begins_at_zero(part):
            warnings.warn(
                f"The first {length(part)} {media.plural} of the data set lie in [0, 1]; the model range, in which "
                "batches have to be, is [-1, 1]. If 0 is black, map them with lambda x: 2 * x - 1, or read them by "
                "kerasgan.data.",
                stacklevel=4,
            )


# Arrays --------------------------------------------------------------------------------------------------------------


def _of_arrays(game, x, y, batch_size, shuffle, check, held_out):
    x = {name: _one_array(part) for name, part in x.items()} if isinstance(x, dict) else _one_array(x)
    for_media = itertools.zip_longest(game.media_of_data, (x, y))
    x, y = (part if part is None or media is None else media.in_model_range(part) for media, part in for_media)
    check(x, y)
    batch_size = game.default_batch_size if batch_size is None else batch_size
    second = game.second_of(y)
    parts = each(_for_networks, x if second is None else (x, second))
    batch_size = _size(batch_size, length(x), held_out)
    arrays = tf.nest.flatten(parts)
    if held_out:
        with tf.device("CPU"):
            dataset = tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(batch_size)
    else:
        dataset = memory.batches(arrays, batch_size, shuffle, game.seed)
    dataset = dataset.map(lambda *flat: tf.nest.pack_sequence_as(parts, flat))
    return dataset.prefetch(tf.data.AUTOTUNE), batch_size


def _for_networks(part):
    """An array as networks take it: float32, or int32 of whole numbers."""
    part = np.asarray(part)
    return part.astype("float32" if part.dtype.kind in "fV" else "int32")  # bfloat16 is kind V to NumPy


def _one_array(x):
    try:
        return np.asarray(x)
    except ValueError as error:  # NumPy's word for lists of several shapes
        raise ValueError(
            f"x is no array, nor a list that makes one ({error}). Give samples of one shape; kerasgan.data.images "
            "makes them of images of any."
        ) from error


def _size(batch_size, count, held_out):
    if batch_size is None:
        return min(_MOST, count)
    if not is_whole(batch_size):
        raise ValueError(f"batch_size={batch_size!r}: expected a whole number of at least 1.")
    if batch_size > count and not held_out:
        raise ValueError(f"batch_size={batch_size} is larger than the data set of {count} samples: give a smaller one.")
    return int(batch_size)


def split(x, y, share):
    """The arrays without, and those of, the last `share` of their samples: x, y, (x, y) held out.

    Raises:
        ValueError: these are no arrays, or one of the two is left without a sample.
    """
    x, y = pair(x, y)
    if not is_array(x):
        raise ValueError(
            f"validation_split={share!r}: only arrays can be split; give a data set of its own as validation_data."
        )
    x = _one_array(x)
    first = int(len(x) * (1.0 - share)) if 0 < share < 1 else 0
    if not 0 < first < len(x):
        raise ValueError(f"validation_split={share!r} of {len(x)} samples leaves none to train on or to hold out.")
    if y is None:
        return x[:first], None, (x[first:], None)
    y = np.asarray(y)
    return x[:first], y[:first], (x[first:], y[first:])


# What Python yields --------------------------------------------------------------------------------------------------


def _of_python(game, x, shuffle, check):
    """A data set of the batches of a `keras.utils.PyDataset`, of a generator, or of what begins anew when iterated."""
    count = None
    if isinstance(x, keras.utils.PyDataset):
        count = x.num_batches
        first = first_batches(game, map(x.__getitem__, itertools.count() if count is None else range(count)))
        one_pass = _passes(x, count, shuffle, game.seed)
    elif isinstance(x, collections.abc.Iterator):  # such as a generator: what was looked at comes first
        first = first_batches(game, x)
        rest = itertools.chain(first, x)
        one_pass = lambda: rest  # noqa: E731
    else:
        first = first_batches(game, x)
        one_pass = lambda: x  # noqa: E731
    check_all(game, first, check)
    specs = each(lambda part: tf.TensorSpec((None, *part.shape[1:]), _for_networks(part[:0]).dtype), first[0])

    def converted():
        for batch in one_pass():
            parts = each(_for_networks, _parts_of(game, batch))
            yield parts if len(parts) > 1 else parts[0]

    dataset = tf.data.Dataset.from_generator(converted, output_signature=specs if len(specs) > 1 else specs[0])
    if count is not None:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return dataset.prefetch(tf.data.AUTOTUNE), length(first[0])


def _passes(data, count, shuffle, seed):
    """The function that begins a pass through a `PyDataset` of `count` batches (None: endless), as Keras makes it.

    Its batches come in an order of their own in each pass, if they are shuffled; the data set hears when a pass begins
    and ends. `workers` threads load at a time, whether or not it asks for processes.
    """
    orders = np.random.default_rng(seed)

    def one_pass():
        data.on_epoch_begin()
        if count is None:
            numbers = itertools.count()
        else:
            numbers = orders.permutation(count).tolist() if shuffle else range(count)
        yield from _loaded(data, numbers)
        data.on_epoch_end()

    return one_pass


def _loaded(data, numbers):
    """The batches of these numbers, in their order."""
    if data.workers < 2:
        yield from map(data.__getitem__, numbers)
        return
    with concurrent.futures.ThreadPoolExecutor(data.workers) as pool:
        waiting = collections.deque()
        for number in numbers:
            waiting.append(pool.submit(data.__getitem__, number))
            if len(waiting) >= max(data.workers, data.max_queue_size):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


# Batches as a step takes them ----------------------------------------------------------------------------------------


def _with_shapes(dataset, first):
    """The data set with what the shapes of samples are, where it does not say so; `first` is its first batch."""
    specs = tf.nest.flatten(dataset.element_spec)
    if all(spec.shape.rank is not None and spec.shape[1:].is_fully_defined() for spec in specs):
        return dataset

    def shaped(*batch):
        parts = _check_count_of_parts(batch)
        parts = each(lambda array, part: tf.ensure_shape(part, (None, *array.shape[1:])), first, parts)
        return parts if len(parts) > 1 else parts[0]

    return dataset.map(shaped)


def steps_of_epoch(dataset, count):
    """Steps of `count` batches: one at least, whose batches are then of several passes; negative if nobody knows."""
    batches = int(dataset.cardinality())
    return max(1, batches // count) if batches > 0 else batches


def joined(dataset, count, steps_per_epoch, first_size):
    """Joins `count` batches to one, for training steps that take several; returns (dataset, steps).

    Args:
        first_size: samples of the first batch. Where the data set does not say how many a batch has, all get as many:
            a smaller last one is filled up from what comes next, and left out where nothing does.
    """
    batches = int(dataset.cardinality())
    if batches > 0 and steps_per_epoch is None:
        steps_per_epoch = steps_of_epoch(dataset, count)
    if batches > 0:  # finite: the next epoch goes on where this one ended
        dataset = dataset.repeat()
    if any(spec.shape[0] is None for spec in tf.nest.flatten(dataset.element_spec)):
        return dataset.rebatch(count * first_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE), steps_per_epoch

    def join(*parts):
        joined = tf.nest.map_structure(lambda a: tf.reshape(a, (a.shape[0] * a.shape[1], *a.shape[2:])), parts)
        return joined if len(joined) > 1 else joined[0]

    return dataset.batch(count, drop_remainder=True).map(join).prefetch(tf.data.AUTOTUNE), steps_per_epoch


def whole_batches(dataset, size):
    """The data set without batches of fewer samples, where it does not say how many they have."""
    if all(spec.shape[0] is not None for spec in tf.nest.flatten(dataset.element_spec)):
        return dataset
    return dataset.rebatch(size, drop_remainder=True)


def watched(dataset, callbacks):
    """The data set with what callbacks that watch the data append to it."""
    watching = [callback for callback in callbacks if hasattr(callback, "watch")]
    if not watching:
        return dataset
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # a watcher sees a batch when a step takes it
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    for callback in watching:
        dataset = callback.watch(dataset)
    return dataset.with_options(options)


def divided_for_step(game, batch):
    """The batches of a training step, which its data hold one after the other: a list of `Batch`.

    Raises:
        ValueError: their samples cannot be divided among them.
    """
    count = game.batches_per_step
    if isinstance(batch.count, int) and batch.count % count:
        own = " and the generator's own batch" if game.fresh_generator_batch else ""
        raise ValueError(
            f"A training step got {batch.count} samples, which is not a multiple of {count}: "
            f"discriminator_steps={game.discriminator_steps}{own}."
        )
    return [Batch(*part) for part in divided(tuple(batch), count)]
