"""From a source, and the way in which one sample of it is prepared, to the data set that a reader returns."""

import functools
import hashlib
import math
import sys
import warnings

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.data.batching import Replacing, elsewhere, finished, from_numbers, from_stream
from kerasgan.data.dataset import Dataset, check_batch_size, check_count, fingerprint_of_arrays
from kerasgan.data.files import BadSample
from kerasgan.data.reading import Stack, read_usable, report

CACHE_BYTES = 2**30  # prepared samples up to this size stay in memory; tf.data takes as much again for its own copy
TRIED = 256  # samples that are tried in search of a first usable one


def batched(
    found,
    prepare,
    spec,
    finish,
    *,
    batch_size,
    shuffle,
    seed,
    on_error,
    cache,
    plural,
    model_arguments,
    look=None,
    draws=False,
):
    """The `kerasgan.data.dataset.Dataset` of a reader.

    Args:
        found: the `kerasgan.data.base.Source`.
        prepare: function of an item of it that returns a NumPy array, or raises `BadSample`.
        spec: `tf.TensorSpec` of a prepared sample.
        finish: function of a batch of them, and of a function that draws a number in [0, 1) for each, (rows, 1), by a
            whole number other ones; it returns float32 samples in model range, or a tuple of such.
        batch_size, shuffle, seed, on_error, cache: as in `kerasgan.data.images`.
        plural: what several samples are called.
        model_arguments: what the samples' shape means for a model: arguments by the names that types give them.
        look: function of an item that raises `BadSample` for what is seen from outside, such as a file's header; used
            on files that stay where they are. None looks at nothing.
        draws: `prepare` takes such a number, too, another one in each epoch. Nothing stays in memory then.

    Raises:
        ValueError: nothing is usable, or the set is smaller than a batch.
    """
    check_batch_size(batch_size, plural)
    loaded = None if draws else _load(found, prepare, spec, cache, on_error, plural)
    if loaded is not None:
        columns, class_names, kept = loaded
        count, is_stream = len(columns[0]), False
        read = functools.partial(memory.batches, columns)
    else:
        items, class_names, is_stream = _list(found, look, on_error, plural)
        columns, kept = (None, None) if is_stream else (items[1:], items[0])
        count = int(items.cardinality()) if is_stream else len(items[0])
        shuffle = shuffle and _can_shuffle(found, plural)
        read = _reading(found, prepare, spec, items, is_stream, on_error, draws, plural)

    @tf.autograph.experimental.do_not_convert  # as in `Game.fit`
    def batches(batch_size, start, seed, worker):
        if count >= 0:
            check_count(count, batch_size, found.name, plural)
        return finished(read(batch_size, shuffle, seed, start, worker), batch_size, finish, seed, start, worker)

    return Dataset.of_batches(
        batches,
        batch_size,
        seed=seed,
        seekable=not is_stream,
        class_names=class_names,
        class_counts=_class_counts(class_names, columns),
        count=count if count >= 0 else None,
        fingerprint=_fingerprint(found, loaded, count),
        item_names=None if kept is None else lambda number: found.item_name(int(kept[number])),
        model_arguments=model_arguments,
    )


def _fingerprint(found, loaded, count):
    """What tells this data from other data: of samples in memory their values, of files and shards names and sizes."""
    if loaded is not None:
        return fingerprint_of_arrays(loaded[0])
    listing = found.listing().encode("utf-8", "surrogatepass")  # names may be no text
    return hashlib.sha256(str(count).encode() + listing).hexdigest()


def _class_counts(class_names, columns):
    """How many samples each class has, by the (samples, [labels]) of a set; None where that is not known."""
    if not class_names or columns is None or len(columns) < 2:
        return None
    return np.bincount(columns[-1], minlength=len(class_names)).tolist()


# Two ways to hold a set: prepared samples in memory, or a list of items from which they are prepared when needed ------


def _load(found, prepare, spec, cache, on_error, plural):
    """((samples, [labels]), class_names, positions) with all in memory; None where it has no place there."""
    size = math.prod(spec.shape) * spec.dtype.size
    limit = {True: sys.maxsize, False: 0}.get(cache, CACHE_BYTES // size)
    if limit < (found.count or 1):
        return None
    samples, kept, bad = Stack(spec.shape, spec.dtype.as_numpy_dtype, found.count or 1024), [], []
    for position, result in read_usable(prepare, found, bad):
        if len(samples) == limit:
            return None
        samples.append(result)
        kept.append(position)
    report(bad, len(kept) + len(bad), found.name, on_error, 5, plural)
    class_names, labels = found.classes(kept)
    return (samples.array(),) if labels is None else (samples.array(), labels), class_names, kept


def _list(found, look, on_error, plural):
    """(position, item) or (position, item, label) of what looks usable from outside; class names; whether a stream.

    Of a stream it is a data set, else the columns as arrays.
    """
    if found.is_stream:
        return found.elements(), found.class_names, True
    kept = np.arange(found.count)
    if look is not None:
        bad = []
        kept = np.array([position for position, _ in read_usable(look, found, bad)], np.int64)
        report(bad, found.count, found.name, on_error, 5, plural)
    class_names, labels = found.classes(kept)
    columns = (kept, kept) if labels is None else (kept, kept, labels)
    return columns, class_names, False


def _can_shuffle(found, plural):
    """False, with a warning, for a stream of decoded samples, all of which a uniform shuffle would take into memory."""
    if not found.is_stream or found.is_encoded:
        return True
    warnings.warn(
        f"{found.name} is not held in memory, so its {plural} keep the order in which they come. Shuffle them before, "
        "or pass cache=True to hold them, or shuffle=False to leave it at that.",
        stacklevel=4,
    )
    return False


def _reading(found, prepare, spec, items, is_stream, on_error, draws, plural):
    """The function (batch_size, shuffle, seed, start, worker) that makes batches of `items`, prepared when needed."""
    load = _loader(found, prepare, items, is_stream, on_error, draws, plural)
    has_labels = len(items.element_spec if is_stream else items) > 2
    signature = (spec, tf.TensorSpec((), tf.int32)) if has_labels else (spec,)
    if is_stream:
        return functools.partial(from_stream, items, load, signature)
    return functools.partial(from_numbers, items, load, signature, draws=draws)


def _loader(found, prepare, items, is_stream, on_error, draws, plural):
    """The function that turns an item of `items` into (sample, [label]); tried on the first of them that is usable.

    Items that are not usable are replaced (see `Replacing`): in a stream, which cannot be searched, by that first one.
    """

    def load(position, item, *rest):
        *labels, drawn = rest if draws else (*rest, None)
        sample = prepare(item, drawn) if draws else prepare(item)
        return sample, *(np.int32(number) for number in labels)

    bad, drawn = [], (0.0,) if draws else ()
    tried = items.take(TRIED).as_numpy_iterator() if is_stream else zip(*(c[:TRIED] for c in items), strict=True)
    for item in tried:
        try:
            load(*item, *drawn)
            other = (lambda _, first=item: first) if is_stream else elsewhere(items)
            return Replacing(load, found.item_name, other, on_error)
        except BadSample as error:
            bad.append((found.item_name(int(item[0])), str(error)))
    return report(bad, len(bad), found.name, on_error, plural=plural)  # which raises: nothing is usable


def mirrored(samples, draw):
    """Half of the samples of a batch mirrored left to right, by a number that is drawn for each.

    Args:
        samples: (batch, ..., width, channels).
        draw: as `finish` of `batched` gets it.
    """
    axis = len(samples.shape) - 2
    columns = tf.range(samples.shape[axis])
    columns = tf.where(draw() < 0.5, columns[::-1], columns)
    return tf.gather(samples, columns, axis=axis, batch_dims=1)  # costs half as much as tf.reverse


def check_choices(choices, **options):
    """Raises a `ValueError` for an argument with a value that is none of its choices, {argument: values}."""
    for argument, value in options.items():
        if value not in choices[argument]:
            raise ValueError(f"{argument}={value!r} must be one of {', '.join(map(repr, choices[argument]))}.")
