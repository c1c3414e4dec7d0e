"""Samples read by several threads at once; those that cannot be used are skipped and named, or end the reading."""

import collections
import itertools
import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kerasgan import bars
from kerasgan.data.files import BadSample, LeftOut
from kerasgan.data.other_kinds import suggestion

CHUNK = 32  # samples that a thread takes at a time
LISTED = 10  # unusable samples that a message names


def read_usable(function, source, bad):
    """Yields (position, `function(item)`) for the items of `source`, in order, by several threads.

    Those for which it raises `BadSample` are left out and added to the list `bad`, as (name, reason). Reads only a few
    chunks ahead, so that the source may be a stream. A bar shows up in a terminal when it takes long.
    """
    results = in_parallel(function, source.items())
    for position, result in enumerate(bars.over(results, "Reading", "samples", source.count, delay=3)):
        if isinstance(result, BadSample):
            bad.append((source.item_name(position), result))
        else:
            yield position, result


def in_parallel(function, items):
    """Yields `function(item)`, or the `BadSample` that it raised, for each item, in order, by several threads."""
    items = iter(items)
    workers = os.cpu_count() or 1
    waiting = collections.deque()
    with ThreadPoolExecutor(workers) as pool:
        while True:
            while len(waiting) <= 2 * workers and (chunk := list(itertools.islice(items, CHUNK))):
                waiting.append(pool.submit(_work, function, chunk))
            if not waiting:
                return
            yield from waiting.popleft().result()


def _work(function, chunk):
    return [_attempt(function, item) for item in chunk]


def _attempt(function, item):
    try:
        return function(item)
    except BadSample as error:
        return type(error)(*error.args)  # a new one: by its traceback, the other keeps all that was read in memory


class Stack:
    """An array that grows by one sample at a time; memory beyond the last sample is reserved, not used."""

    def __init__(self, sample_shape, dtype, capacity):
        self._array = np.empty((max(1, capacity), *sample_shape), dtype)
        self._count = 0

    def __len__(self):
        return self._count

    def append(self, sample):
        if self._count == len(self._array):
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._count] = sample
        self._count += 1

    def array(self):
        return self._array[: self._count]


def report(bad, total, name, on_error, stacklevel=4, plural="samples"):
    """Says what of the source called `name` cannot be used, a list of (item, reason): one warning or a `ValueError`.

    `stacklevel` is that of the caller of the reader, to whom the warning is shown; `plural` is what samples are called.
    """
    if not total:
        raise ValueError(f"{name} is empty; there is nothing to train on.")
    if not bad:
        return
    listed = "; ".join(f"{item}: {reason}" for item, reason in bad[:LISTED])
    more = f"; and {len(bad) - LISTED} more" if len(bad) > LISTED else ""
    text = f"{len(bad)} of {total} items of {name} cannot be used ({listed}{more})."
    if len(bad) == total:
        raise ValueError(f"Nothing is left to train on: {text}{suggestion([item for item, _ in bad], plural)}")
    if on_error == "raise" and not all(isinstance(why, LeftOut) for _, why in bad):
        raise ValueError(f"{text} Repair or remove them, or skip them with on_error='skip'.")
    warnings.warn(f"{text} They are skipped.", stacklevel=stacklevel)
