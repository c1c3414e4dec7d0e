"""Scorer: what a game has that learns what normal samples are like, to tell how strange others are."""

import functools
import typing

import keras
import numpy as np
import tensorflow as tf

from kerasgan.checks import number
from kerasgan.layers import Quantiles
from kerasgan.media import Audio, Image, Table
from kerasgan.precision import in_float32
from kerasgan.tasks import SCORING

_CHUNK = 64  # samples that are scored at a time


def medium(image_shape, length, sample_rate, channels, fitted):
    """What a type scores: rows of a table, if `fitted` is given, sounds, if `length` is, else images."""
    if fitted is not None:
        return Table(fitted)
    return Image(image_shape) if length is None else Audio(length, sample_rate, channels)


class Scores(typing.NamedTuple):
    """How strange samples are.

    Attributes:
        scores: float32 (count,); higher is stranger. What a number means depends on the model.
        quantiles: float32 (count,): the share of held-back normal samples that are less strange, 0 to 1; None of a
            model that was not calibrated.
        maps: float32, the shape of the samples without their last axis: how far each place is from what the model
            makes of the sample, as a share of all that it could be; None unless they were asked for.
    """

    scores: np.ndarray
    quantiles: np.ndarray | None
    maps: np.ndarray | None


class Scorer:
    """What a type that scores samples inherits before its kind of game (`kerasgan.Game`, `kerasgan.GAN`).

    It learns from normal samples alone, and how strange another one is follows from how well it makes it again. The
    type says in `scoring(samples, networks)` how, and has in `scoring_networks` what that takes.

    Where scores lie depends on the model; quantiles among normal samples that were held back say what they mean. They
    are known once it was `calibrate`d, which `kerasgan train` does at the end with every tenth sample of the data, that
    it did not train on. No threshold is ever chosen by labels. The network `normality` holds what they are: scores
    (batch,) -> the share of the held-back samples whose scores are lower.
    """

    task = SCORING

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        scores = keras.Input((), name="scores")
        self.normality = keras.Model(scores, Quantiles(name="quantiles")(scores), name="normality")
        self.normality.trainable = False

    def scoring_networks(self):
        """{name: network} that scores are made with, on samples in model range."""
        raise NotImplementedError(f"{type(self).__name__} must implement scoring_networks().")

    def scoring(self, samples, networks):
        """(scores (batch,), what the model makes of the samples) as Keras tensors, of samples in model range.

        Args:
            samples: Keras tensor.
            networks: `scoring_networks`, or copies of them.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement scoring(samples, networks).")

    def maps_of(self, samples, again):
        """How far each place of samples is from what the model makes of them, 0 to 1, (batch, ...) as Keras tensors."""
        least, most = self.media.range
        return keras.ops.mean(keras.ops.abs(samples - again), axis=-1) / (most - least)

    # The verb --------------------------------------------------------------------------------------------------------

    def score(self, samples, maps=False):
        """How strange samples are, in inference mode: no sample's score depends on the others'.

        Args:
            samples: a batch in natural units (for images: uint8 pixels) of the model's shape, or a `tf.data.Dataset` of
                batches in model range.
            maps: whether the places that are strange are wanted, too.

        Returns:
            `Scores`.

        Raises:
            ValueError: samples of another shape or type, or none.
        """
        scores, again, given = self._all_scored(samples)
        quantiles = np.array(self.normality(scores)) if self.is_calibrated else None
        return Scores(scores, quantiles, np.array(self.maps_of(given, again)) if maps else None)

    def reconstruct(self, samples):
        """What the model makes of samples, both in natural units: normal ones come back nearly as they were."""
        return self.media.to_natural(self._all_scored(samples)[1])

    def calibrate(self, samples):
        """Learns what scores normal samples have that it did not train on, for quantiles and thresholds.

        Args, Raises: as `score`.
        """
        self._quantiles.learn(self._all_scored(samples)[0])

    @property
    def is_calibrated(self):
        return self._quantiles.has_learned

    def threshold(self, quantile=0.95):
        """The score that this share of held-back normal samples does not exceed.

        Raises:
            ValueError: `quantile` is not between 0 and 1, or the model was not calibrated.
        """
        quantile = number("quantile", quantile, None, least=0)
        if not 0 < quantile < 1:
            raise ValueError(f"quantile={quantile!r}: expected a share between 0 and 1, such as 0.95.")
        if not self.is_calibrated:
            raise ValueError(
                f"quantile={quantile!r}, but {self.name} does not know what scores normal samples have: calibrate it "
                "on some that it was not trained on."
            )
        return self._quantiles.quantile(quantile)

    def detector(self, quantile=0.95):
        """The model as an estimator of scikit-learn's with the methods of PyOD's; see `kerasgan.detector.Detector`.

        Raises:
            ImportError: scikit-learn is not installed.
        """
        try:
            from kerasgan.detector import Detector
        except ImportError as error:
            raise ImportError(f"A detector needs scikit-learn ({error}): pip install 'kerasgan[tables]'.") from error
        return Detector(self, quantile)

    @property
    def _quantiles(self):
        return self.normality.get_layer("quantiles")

    def _batches(self, samples):
        """Batches in model range, checked, of samples in natural units, or of a data set."""
        if isinstance(samples, tf.data.Dataset):
            for batch in samples.unbatch().batch(_CHUNK).as_numpy_iterator():
                yield batch[0] if isinstance(batch, tuple) else batch
            return
        whole = self.media.to_model(samples) if len(samples) else np.zeros((0, *self.media.shape), "float32")
        self.media.check(whole, "samples")
        for start in range(0, len(whole), _CHUNK):
            yield whole[start : start + _CHUNK]

    def _all_scored(self, samples):
        """(scores, what the model makes of the samples, the samples in model range), as float32 arrays."""
        found = [(*self._scorer(tf.constant(batch)), batch) for batch in self._batches(samples)]
        if not found:
            raise ValueError("samples is empty; expected at least one sample.")
        return [np.concatenate(parts).astype("float32") for parts in zip(*found, strict=True)]

    @functools.cached_property
    def _scorer(self):
        networks = self.scoring_networks()
        samples = keras.Input(self.media.shape)
        network = keras.Model(samples, self.scoring(samples, networks))
        return tf.function(lambda batch: network(batch, training=False), autograph=False, reduce_retracing=True)

    # What callbacks look at ------------------------------------------------------------------------------------------

    # Examples are kept in model range: rows of a table are no array in natural units.

    def remember(self, *parts):
        """Chooses the samples that previews show, given in natural units."""
        super().remember(*map(self.media.to_model, parts))

    def remember_first(self, *parts):
        if self._remembered is None:
            super().remember(*(np.array(part[: self.checked_samples], "float32") for part in parts))

    def made_up(self, media, count, seed):
        return media.to_model(media.made_up(count, seed))

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with samples (model range); remembers the first of them."""
        super().check(samples, second)
        self.remember_first(samples)

    def preview(self, count, seed):
        """Samples of the data, each followed by what the model makes of it, in natural units."""
        (samples,) = self.examples(max(1, count // 2), seed)
        return self.beside_reconstructions(samples)

    def beside_reconstructions(self, samples):
        """Samples in model range, each followed by what the model makes of it, in natural units."""
        again = np.asarray(self._scorer(tf.constant(samples))[1])
        return self.media.to_natural(np.stack([samples, again], axis=1).reshape(-1, *self.media.shape))

    # Export ----------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs, in float32: samples -> {"scores", "maps"} and, of a calibrated model, "quantiles"."""
        given = keras.Input(self.media.shape, name="samples")
        samples = self.media.begin(given)
        networks = {name: in_float32(network) for name, network in self.scoring_networks().items()}
        scores, again = self.scoring(samples, networks)
        found = {"scores": scores, "maps": self.maps_of(samples, again)}
        if self.is_calibrated:
            found["quantiles"] = in_float32(self.normality)(scores)
        return keras.Model(given, found)

    def inference_inputs(self, count, seed=0):
        """Samples that stand in for data, {"samples": float32 (count, *shape)} in the medium's `exported_range`."""
        count = number("count", count, None, least=1, whole=True)
        samples = self.made_up(self.media, count, seed)
        return {"samples": np.array(self.media.finish(samples))}

    def inference_description(self):
        """See `kerasgan.GAN.inference_description`; the one input is of the medium's kind."""
        bounds = self.media.exported_range
        return [{"name": "samples", "kind": self.media.kind, "range": list(bounds), **self.media.described()}]

    def inference_outputs(self):
        """Scores, maps of where samples are strange, and the quantiles of scores among normal samples."""
        described = [
            {"name": "scores", "kind": "score", "range": None},
            {"name": "maps", "kind": "map", "range": [0.0, 1.0]},
        ]
        return described + [{"name": "quantiles", "kind": "quantile", "range": [0.0, 1.0]}] * self.is_calibrated
