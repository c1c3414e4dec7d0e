"""Samples and what scores are computed from: real ones in two halves, with a cache, and generated ones."""

import collections
import dataclasses
import hashlib
import json

import numpy as np

from kerasgan import bars, files, weights
from kerasgan.bars import Bar
from kerasgan.metrics.moments import Moments

MOST = 50_000  # samples of each kind that are taken when nobody says how many
_BATCH = 64
_CACHED_BYTES = 2**28  # features up to this size are cached as they are, of larger sets their moments only


@dataclasses.dataclass
class Samples:
    """What scores are computed from; a field is None where no score asked for it.

    `natural` are the samples themselves, in natural units; `media` is what they are.
    """

    count: int
    moments: Moments | None = None
    features: np.ndarray | None = None
    logits: np.ndarray | None = None
    natural: np.ndarray | None = None
    labels: np.ndarray | None = None
    media: object = None


def joined(groups):
    """Several `Samples` as one, of what they hold sample by sample."""
    arrays = {}
    for name in ("features", "logits", "natural", "labels"):
        parts = [getattr(group, name) for group in groups]
        arrays[name] = None if any(part is None for part in parts) else np.concatenate(parts)
    return Samples(sum(group.count for group in groups), **arrays, media=groups[0].media)


# Real samples --------------------------------------------------------------------------------------------------------


class Halves:
    """The reals in two groups, assigned by the hash of each sample: the reference, and what the floor is scored on.

    Samples are read twice, once for their hashes and once for what the scores need, and never held all at once.
    """

    def __init__(self, real, media, count, floor, progress):
        self._read = lambda: _batches(real, media)
        batches = bars.over(self._read(), "reading", "batches", shown=progress)
        digests = [digest for batch, _ in batches for digest in _digests(batch)]
        most = len(digests) // 2 if floor else len(digests)
        if most < 1:
            needed = "two, one for each half" if floor else "one"
            raise ValueError(f"real holds {len(digests)} samples; expected at least {needed}.")
        if count is not None:
            if count > most:
                raise ValueError(
                    f"count={count} is more than there are: {len(digests)} real samples"
                    f"{', of which a half are for the floor; pass floor=False or' if floor else '; pass'} "
                    f"count={most} or less."
                )
        self.count = min(most, MOST) if count is None else count
        ordered = sorted(digests)
        groups = [ordered[: self.count], ordered[self.count : 2 * self.count] if floor else []]
        self._groups = [group for group in groups if group]
        self.hash = _hash_of(self._groups[0])

    def samples(self, network, needs, progress):
        """[Samples] of each group, from the cache where it has them."""
        found = [_cached(group, network, needs) for group in self._groups]
        missing = [i for i, samples in enumerate(found) if samples is None]
        if missing:
            collectors = {i: Collector(network, needs) for i in missing}
            self._deal(collectors, progress)
            for i, collector in collectors.items():
                found[i] = collector.samples()
                _cache(self._groups[i], network, found[i])
        return found

    def _deal(self, collectors, progress):
        """Reads everything again and gives each sample to the collector of its group."""
        owners = collections.defaultdict(list)  # a list: the same picture may be there twice
        for i in collectors:
            for digest in self._groups[i]:
                owners[digest].append(i)
        left = sum(map(len, owners.values()))
        with Bar("real", left, "samples", shown=progress) as bar:
            for batch, labels in self._read():
                chosen = collections.defaultdict(list)
                for position, digest in enumerate(_digests(batch)):
                    if owners.get(digest):
                        chosen[owners[digest].pop()].append(position)
                for i, positions in chosen.items():
                    collectors[i].add(batch[positions], None if labels is None else labels[positions])
                    bar.update(len(positions))
                    left -= len(positions)
        if left:
            raise ValueError(
                f"real changes from one reading to the next ({left} samples did not come again): it must not be "
                "flipped or augmented at random. Pass flip=False."
            )


def _batches(real, media):
    """(samples in natural units, labels or None), batch by batch."""
    if isinstance(real, np.ndarray):
        media.check(media.to_model(real[:_BATCH]), "real")
        for start in range(0, len(real), _BATCH):
            yield real[start : start + _BATCH], None
        return
    if not hasattr(real, "cardinality"):
        raise ValueError(f"real is a {type(real).__name__}; expected a tf.data.Dataset of batches, or an array.")
    if int(real.cardinality()) == -1:
        raise ValueError("real never ends: it repeats. Pass a data set of one epoch.")
    first = True
    for batch in real.unbatch().batch(_BATCH).as_numpy_iterator():
        samples, labels = batch if isinstance(batch, tuple) else (batch, None)
        if first:
            media.check(samples, "real")
            first = False
        yield media.to_natural(samples), labels


def _digests(batch):
    return [hashlib.blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest() for sample in batch]


def _hash_of(digests):
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


# What scores are computed from ---------------------------------------------------------------------------------------


class Collector:
    """Keeps, batch by batch, only what the scores need."""

    def __init__(self, network, needs):
        self._network, self._needs = network, needs
        self._moments = None
        self._kept = collections.defaultdict(list)
        self._waiting, self._count = [], 0

    def add(self, batch, labels=None):
        """Takes a batch of any size; the network sees full ones."""
        if "natural" in self._needs:
            self._kept["natural"].append(batch)
        if "labels" in self._needs:
            if labels is None:
                raise ValueError("real has no labels, which a metric needs. Read it with labels=True, or 'name'.")
            self._kept["labels"].append(labels)
        self._count += len(batch)
        if {"moments", "features", "logits"} & self._needs:
            self._waiting.append(batch)
            if sum(map(len, self._waiting)) >= self._network.batch_size:
                self._see()

    def take(self, batches, labels, count, title):
        """Takes batches to their end, `count` samples in all; returns `samples()`."""
        start = 0
        with Bar(title or "", count, "samples", shown=title is not None) as bar:
            for batch in batches:
                self.add(batch, None if labels is None else labels[start : start + len(batch)])
                start += len(batch)
                bar.update(len(batch))
        return self.samples()

    def _see(self):
        if not self._waiting:
            return
        features, logits = self._network.features_and_logits(np.concatenate(self._waiting))
        self._waiting = []
        if self._moments is None:  # some networks know their dimensions only now
            self._moments = Moments(features.shape[1])
        self._moments.update(features)
        self._kept["features"].append(features)
        if "features" not in self._needs and 4 * self._count * features.shape[1] > _CACHED_BYTES:
            self._kept["features"] = []  # moments are enough, and constant in memory
        if "logits" in self._needs:
            self._kept["logits"].append(logits)

    def samples(self):
        self._see()
        features = self._kept.pop("features", [])
        complete = sum(map(len, features)) == self._count
        arrays = {name: np.concatenate(parts) for name, parts in self._kept.items()}
        return Samples(
            count=self._count,
            moments=self._moments,
            features=np.concatenate(features) if features and complete else None,
            **arrays,
        )


# The cache -----------------------------------------------------------------------------------------------------------


def _cache_path(digests, network):
    """Where features of these reals are kept; None for networks that nothing identifies."""
    if network is None or not network.sha256:
        return None
    key = json.dumps([1, _hash_of(digests), network.name, network.sha256, network.resizer])
    return weights.cache_folder() / "scores" / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"


def _cached(digests, network, needs):
    path = _cache_path(digests, network)
    if path is None or not path.is_file() or not needs <= {"moments", "features", "logits", "generator"}:
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            arrays = dict(arrays)
    except files.DAMAGE:
        return None  # damaged: it is made again
    if needs & {"features", "logits"} - set(arrays):
        return None
    features = arrays.get("features")
    moments = Moments.of(features) if features is not None else Moments.from_arrays(arrays)
    return Samples(len(digests), moments, features, arrays.get("logits"))


def _cache(digests, network, samples):
    path = _cache_path(digests, network)
    if path is None or samples.moments is None:
        return
    arrays = {"features": samples.features} if samples.features is not None else samples.moments.to_arrays()
    if sum(array.nbytes for array in arrays.values()) > _CACHED_BYTES:
        arrays = samples.moments.to_arrays()
    if samples.logits is not None:
        arrays = {**arrays, "logits": samples.logits}
    try:
        with files.atomic(path) as temporary:
            np.savez(temporary, **arrays)
    except OSError:
        pass  # a cache that cannot be written costs time the next time, and nothing else
