"""All scores of a GAN against its data, by one protocol, with the floor that real data would have."""

import dataclasses

import numpy as np

import kerasgan
from kerasgan.metrics import checks, music, result, sketches, video, volumes
from kerasgan.metrics import features as networks
from kerasgan.metrics.classification import classification_accuracy
from kerasgan.metrics.diversity import ms_ssim_diversity
from kerasgan.metrics.frechet import frechet_distance
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.memorization import memorization
from kerasgan.metrics.metric import Metric, Value
from kerasgan.metrics.neighbours import neighbour_scores
from kerasgan.metrics.perceptual import perceptual_path_length
from kerasgan.metrics.recognition import confidence, recognized
from kerasgan.metrics.samples import Collector, Halves, joined
from kerasgan.metrics.sliced_wasserstein import sliced_wasserstein

_THROUGH_NETWORK = {"moments", "features", "logits", "generator"}  # what needs a feature network


def _fid(real, scored):
    yield Value("fid", frechet_distance(real.moments, scored.moments), False)


def _kid(real, scored):
    parameters = {"block_size": min(1000, real.count)}
    distance = kernel_distance(real.features, scored.features, **parameters)
    yield Value("kid", distance.value, False, distance.standard_error, "standard error over blocks", parameters)


def _prdc(real, scored):
    k = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}  # the papers' own
    found = neighbour_scores(real.features, scored.features, k=3, density_k=5)
    for name in k:
        yield Value(name, getattr(found, name), True, parameters={"k": k[name]})


def _memorization(real, scored):
    found = memorization(real.features, scored.features)
    # Neither way: honest samples have the share of the floor, more are copies, fewer lie far from all data.
    yield Value("memorization", found.share, None, parameters={"quantile": 0.05})


def _inception_score(real, scored):
    score = inception_score(scored.logits)
    yield Value("is", score.value, True, score.deviation, "deviation over 10 splits")


def _understood(real, scored):
    yield Value("understood", recognized(scored.logits, scored.labels), True)


def _confidence(real, scored):
    # Neither way: honest samples are as clear as the data, which the floor says.
    yield Value("confidence", confidence(scored.logits), None)


def _sliced_wasserstein(real, scored):
    yield Value("swd", sliced_wasserstein(real.natural, scored.natural).mean, False)


def _diversity(real, scored):
    diversity = ms_ssim_diversity(scored.natural, labels=scored.labels)
    # Neither way: too similar is collapse, more varied than the data is noise. The floor is what it should be.
    yield Value("ms_ssim", diversity.value, None, diversity.standard_error, "standard error over pairs")


def _path_length(gan, network, seed):
    length = perceptual_path_length(gan, network, seed=seed)
    yield Value("ppl", length.value, False, length.deviation, "deviation over paths")


def _classification(real, scored):
    # Train on what is scored, test on reals.
    accuracy = classification_accuracy(scored.natural, scored.labels, real.natural, real.labels)
    yield Value("cas", accuracy, True)


METRICS = {
    "fid": Metric(("moments",), True, _fid, "Fréchet distance of features (FID, arXiv:1706.08500)"),
    "kid": Metric(("features",), True, _kid, "kernel distance of features (KID, arXiv:1801.01401)"),
    "prdc": Metric(("features",), True, _prdc, "precision, recall, density, coverage (arXiv:1904.06991, 2002.09797)"),
    "memorization": Metric(("features",), True, _memorization, "share of samples that are too near to real ones"),
    "is": Metric(("logits",), False, _inception_score, "Inception score (arXiv:1606.03498)"),
    "understood": Metric(("logits", "labels"), False, _understood, "share that the network names as their class"),
    "confidence": Metric(("logits",), False, _confidence, "mean probability of the class that the network names"),
    "swd": Metric(
        ("natural",), True, _sliced_wasserstein, "sliced Wasserstein distance of patches (arXiv:1710.10196)", "image"
    ),
    "ms_ssim": Metric(("natural",), False, _diversity, "MS-SSIM of random pairs: lower is more varied", "image"),
    "ppl": Metric(("generator",), False, _path_length, "perceptual path length (arXiv:1812.04948)", "image"),
    "cas": Metric(
        ("natural", "labels"), True, _classification, "classification accuracy score (arXiv:1905.10887)", "image"
    ),
    **music.METRICS,
    **video.METRICS,
    **volumes.METRICS,
    **sketches.METRICS,
}


def evaluate(
    gan,
    real,
    metrics=("fid", "kid", "prdc"),
    *,
    network=None,
    count=None,
    seed=0,
    repeats=1,
    truncation=None,
    ema=True,
    floor=True,
    model=None,
    split="all",
    progress=True,
):
    """Scores a GAN's samples against real ones.

    The reals are split into two halves by the hash of their pixels, so by nothing that depends on files or their order.
    Samples are scored against the first half; so is, for the floor, the second: the score that perfect samples would
    have. What is computed of reals is cached under the hash of the data, its size, the resizer and the network.

    Args:
        gan: a `kerasgan.GAN`.
        real: a finite `tf.data.Dataset` of batches of samples or (samples, labels) in model range, as `kerasgan.data`
            makes them (with flip=False, batch_size=1 if none shall be dropped), or an array in natural units.
        metrics: names from `kerasgan.metrics.METRICS`, in a sequence or separated by commas.
        network: feature network: a name, a path, a model or a function (see `kerasgan.metrics.features.get`); None
            takes the best that is available offline for these samples.
        count: how many reals, and how many generated samples; None takes half of the reals (all of them without
            `floor`), at most 50,000.
        seed: of the samples.
        repeats: how often samples are drawn anew; more than one gives mean and deviation.
        truncation: as in `generate`.
        ema: whether the generator's moving average makes the samples.
        floor: whether the second half of the reals is scored too.
        model: what the records call the model; its own name by default.
        split: what the records say of the part of the data that the reals are, such as "train".
        progress: whether bars are shown.

    Returns:
        A list of `kerasgan.metrics.Result`: for each number that of the model, then the floor.

    Raises:
        ValueError: an unknown metric, more samples than there are, reals of a wrong shape or without labels, a network
            that cannot do what a metric needs.
        ImportError: no feature network is available; the message names what to install.
    """
    checks.whole(repeats, "repeats", 1)
    check_scorable(gan)
    evaluator = Evaluator(real, gan.media, metrics, network=network, count=count, floor=floor, split=split)
    evaluator.check(gan, truncation, ema)
    evaluator.read(progress)
    draws = [
        evaluator.score(gan, seed + i, truncation=truncation, ema=ema, model=model, progress=progress)
        for i in range(repeats)
    ]
    found = [result.mean(same, f"deviation over {repeats} seeds") for same in zip(*draws, strict=True)]
    found += evaluator.floor()
    order = list(dict.fromkeys(r.metric for r in found))
    return sorted(found, key=lambda r: order.index(r.metric))


class Evaluator:
    """The metrics, the reals and the feature network of a protocol: scores any number of models, or one as it trains.

    Args:
        real, metrics, network, count, split: as in `evaluate`.
        media: the medium of the samples, such as `gan.media`.
        floor: whether a second half of the reals is kept, for `floor()`.

    Raises:
        ValueError, ImportError: as `evaluate`.
    """

    def __init__(self, real, media, metrics, *, network=None, count=None, floor=True, split="all"):
        self.metrics = {name: METRICS[name] for name in check_metrics(metrics)}
        self.needs = {need for metric in self.metrics.values() for need in metric.needs}
        self._check_kind(media)
        if count is not None:
            checks.whole(count, "count", 1)
        self.network = None
        if self.needs & _THROUGH_NETWORK:
            self.network = networks.get(self._default_network(media) if network is None else network)
            self.network.check_media(media)
        if "logits" in self.needs and self.network.classes is None:
            raise ValueError(
                f"metrics: {self._needing('logits')} needs a classifier; the network {self.network.name} has no "
                "classes."
            )
        self._real, self._media, self._count, self._halved, self._split = real, media, count, floor, split

    def _needing(self, *needs):
        """The metrics that need one of these, as messages name them."""
        return ", ".join(repr(name) for name, metric in self.metrics.items() if set(needs) & set(metric.needs))

    def _check_kind(self, media):
        """Raises a ValueError for metrics that cannot see such samples."""
        others = [name for name, metric in self.metrics.items() if metric.kind not in (None, media.kind)]
        if others:
            raise ValueError(
                f"metrics: {', '.join(map(repr, others))} cannot score {media.plural} of shape {media.shape_text}."
                f"{_fitting(media)}"
            )

    def _default_network(self, media):
        """The network that such samples are seen through."""
        try:
            return media.default_network()
        except ValueError as error:
            through = self._needing(*_THROUGH_NETWORK)
            raise ValueError(f"metrics: {through}: {error}{_fitting(media)}") from None

    def check(self, gan, truncation=None, ema=True):
        """Raises a ValueError if a metric cannot score this GAN, or not in this way."""
        check_scorable(gan)
        if "generator" in self.needs and (truncation is not None or not ema):
            raise ValueError(
                "metrics: 'ppl' walks the latents of the moving average, without truncation; leave out truncation and "
                "ema=False, or 'ppl'."
            )
        if "labels" in self.needs and gan.num_classes is None:
            raise ValueError(f"metrics: {self._needing('labels')} needs a conditional GAN; {gan.name} has no classes.")
        if "understood" in self.metrics and gan.num_classes != self.network.classes:
            raise ValueError(
                f"metrics: 'understood' needs a network of the {gan.num_classes} classes of the GAN; "
                f"{self.network.name} has {self.network.classes}."
            )
        if gan.media.shape != self._media.shape:
            raise ValueError(f"gan makes samples of shape {gan.media.shape}; the reals have {self._media.shape}.")

    def read(self, progress=False):
        """Reads the reals, and computes what all scores need of them."""
        halves = Halves(self._real, self._media, self._count, self._halved, progress)
        self.count = halves.count
        self._reals = [self._known(half) for half in halves.samples(self.network, self.needs, progress)]
        self._protocol = {
            "size": self._media.shape_text,
            "n_fake": halves.count,
            "n_real": halves.count,
            "data": halves.hash,
            "split": f"{self._split}, half of it" if self._halved else self._split,
            "version": kerasgan.__version__,
        }

    def score(self, gan, seed=0, truncation=None, ema=True, model=None, progress=False):
        """One draw of the GAN's samples: a list of `Result`."""
        labels = np.arange(self.count) % gan.num_classes if gan.num_classes else None
        fakes = None
        if self.needs != {"generator"}:
            batches = gan.generate_batches(self.count, seed=seed, truncation=truncation, ema=ema)
            collector = Collector(self.network, self.needs)
            fakes = self._known(collector.take(batches, labels, self.count, "generated" if progress else None))
        about = {"model": model or gan.name, "ema": ema, "truncation": truncation, "seed": seed}
        about["labels"] = "in turn" if gan.num_classes else None
        found = []
        for metric in self.metrics.values():
            inputs = (gan, self.network, seed) if "generator" in metric.needs else (self._reals_for(metric), fakes)
            found += self._records(metric, metric.compute(*inputs), about)
        return found

    def _known(self, samples):
        return dataclasses.replace(samples, media=self._media)

    def _reals_for(self, metric):
        """The reals that samples are held against."""
        return joined(self._reals) if metric.of_all else self._reals[0]

    def floor(self):
        """The scores of the second half of the reals: a list of `Result`, empty if there is no second half."""
        if len(self._reals) < 2:
            return []
        about = {"model": result.REAL}
        from_samples = [metric for metric in self.metrics.values() if "generator" not in metric.needs]
        return [r for metric in from_samples for r in self._records(metric, metric.compute(*self._reals), about)]

    def _records(self, metric, values, about):
        known = {**self._protocol, **about}
        if not metric.uses_real:
            known.update(n_real=None, data=None, split=None)
        if _THROUGH_NETWORK & set(metric.needs):
            known.update(
                feature_network=self.network.name,
                feature_sha256=self.network.sha256,
                resizer=self.network.resizer,
            )
        for value in values:
            yield result.Result(
                metric=value.name,
                value=value.value,
                higher_is_better=value.higher_is_better,
                error=value.error,
                error_is=value.error_is,
                parameters=value.parameters,
                **known,
            )


# Arguments -----------------------------------------------------------------------------------------------------------


def check_metrics(metrics):
    """The names of metrics, in a sequence or separated by commas, as a list; a ValueError if one is unknown."""
    names = [name.strip() for name in metrics.split(",")] if isinstance(metrics, str) else list(metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise ValueError(f"metrics={metrics!r}: expected some of {', '.join(METRICS)}.")
    return list(dict.fromkeys(names))


def _fitting(media):
    """The end of a message: the metrics that are usual for such samples; "" where none are."""
    names = ", ".join(media.default_metrics)
    return f" What fits {media.plural} is {names}." if names else ""


def check_scorable(gan, argument="metrics"):
    """Raises a ValueError for a game, or its class, whose samples are not scored as a set by these."""
    task = gan.task
    if task.scored_as_a_set:
        return
    name = getattr(gan, "__name__", type(gan).__name__)
    fits = f". What fits it is some of {', '.join(task.metrics)}, by kerasgan evaluate once it is trained"
    raise ValueError(
        f"{argument}: {', '.join(METRICS)} score samples that come from latents; {name} makes its own from "
        f"{task.starts_from}{fits if task.metrics else ''}; leave {argument} out."
    )
