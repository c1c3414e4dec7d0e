"""GAN: the game in which samples come from latents, and classes if there are any."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

from kerasgan import classes, distribution
from kerasgan.checks import number
from kerasgan.from_latents import FromLatents
from kerasgan.game import Game
from kerasgan.game.hooks import with_condition
from kerasgan.precision import in_float32
from kerasgan.structures import each, joined
from kerasgan.tasks import GENERATION

_CHUNK = 64  # samples drawn and generated at a time; part of what a seed means, so it never changes


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN(FromLatents, Game):
    """Two networks that play against each other (Goodfellow et al., 2014, arXiv:1406.2661).

    See `Game` for a training step. `generate` samples from the moving average of the generator.

    Args:
        generator: functional model, latents (batch, latent_dim) -> samples in model range; with `num_classes`, it takes
            `[latents, labels]`, labels int32 (batch,).
        discriminator: functional model, samples (with `num_classes`: `[samples, labels]`) -> logits (batch, ...).
        media: what kind of thing a sample is (`kerasgan.media`): checks, conversion to natural units, files. None:
            plain arrays.
        num_classes: number of classes of a conditional GAN, or None.
        latent: distribution of the latents, "normal" (standard) or "uniform" (-1 to 1).
        seed: integer that makes latents, augmentation and penalties repeatable; None takes one at random.

    Example:

    ```python
    gan = kerasgan.GAN(generator, discriminator)
    gan.compile(loss="hinge")
    gan.fit(samples, epochs=10)
    new = gan.generate(16, seed=1)
    ```
    """

    task = GENERATION

    def __init__(
        self, generator, discriminator, media=None, num_classes=None, latent="normal", seed=None, name=None, dtype=None
    ):
        super().__init__(generator, discriminator, media, seed, name, dtype)
        if latent not in ("normal", "uniform"):
            raise ValueError(f'latent={latent!r}: expected "normal" or "uniform".')
        self.num_classes = num_classes
        self.latent = latent
        self.named_directions = {}  # {name: `kerasgan.directions.Direction`}, of pretrained models
        self.encoder_file = None  # path of the encoder that `project` starts with (see `kerasgan.inversion`)
        self.truncation_refusal = None  # why `generate` takes no truncation: of pretrained models that lose by it

    # The game ------------------------------------------------------------------------------------------------------

    def unpack(self, data):
        samples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.num_classes is None:
            return samples, None
        if labels is None:
            raise ValueError(
                f"{self.name} is conditional on {self.num_classes} classes: fit it on (samples, labels), "
                "labels being integers."
            )
        return samples, tf.reshape(tf.cast(labels, tf.int32), (-1,))

    def sources_for(self, batch):
        """Latents for as many samples."""
        seed = self.shared_seed()
        parts = self.gradient_accumulation
        return distribution.own_rows(lambda count: self.sample_latents(count, seed), batch.count, parts)

    def sample_latents(self, count, seed):
        """Latents (count, latent_dim) float32 from an int32 seed (2,)."""
        shape = (count, self.generator.inputs[0].shape[-1])
        if self.latent == "uniform":
            return tf.random.stateless_uniform(shape, seed, -1.0, 1.0)
        return tf.random.stateless_normal(shape, seed)

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with samples (model range) or labels, if anything is."""
        super().check(samples)
        if self.num_classes is None:
            return
        if second is None:
            raise ValueError(
                f"labels are missing: {self.name} is conditional on {self.num_classes} classes, fit it on "
                "(samples, labels)."
            )
        labels = np.reshape(second, (-1,))
        if len(labels) != len(samples):
            raise ValueError(f"labels: {len(labels)} given for {len(samples)} samples; give one each.")
        self._check_labels(labels)

    def second_of(self, second):
        return None if second is None else np.reshape(second, (-1,)).astype("int32")

    def _numbered(self, labels):
        """Labels with the number of each class that is given by its name."""
        if isinstance(labels, str):
            return classes.number_of(labels, self.class_names)
        if isinstance(labels, (list, tuple)) or getattr(labels, "dtype", np.dtype(int)).kind in "UO":
            return [classes.number_of(name, self.class_names) if isinstance(name, str) else name for name in labels]
        return labels

    def _check_labels(self, labels):
        labels = np.asarray(labels)
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"labels have the type {labels.dtype}: expected integers from 0 to {self.num_classes - 1}."
            )
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if wrong.size:
            raise ValueError(f"labels contain {wrong.flat[0]}: expected 0 to {self.num_classes - 1}.")
        return labels.astype("int32")

    # Samples -------------------------------------------------------------------------------------------------------

    def generate(self, count, labels=None, seed=None, truncation=None, return_latents=False):
        """New samples from the moving-average generator, in natural units (for images: uint8 pixels).

        Args:
            count: how many, at least 1.
            labels: for a conditional GAN, one class for all, or one a sample, as numbers or, where classes have names
                (`class_names`), by name: 3, "boots", ["boots", 1]; None goes through the classes in turn.
            seed: integer; the same seed gives the same samples, and the first of them whatever `count` is.
            truncation: None, or the share of the generator's samples to choose from, above 0 and up to 1: at 0.5, each
                sample is the one of two that the discriminator finds more real (the simplest form of discriminator
                rejection sampling, Azadi et al., 2018, arXiv:1810.06758). Fewer accidents, less variety, and
                1 / truncation times the work. Latents are not cut (Brock et al., 2018, arXiv:1809.11096): shortened
                ones lie where these generators have never been. Refused by a pretrained model whose samples do not
                become more precise by it; its card says by how much they do. A type may have a truncation of its own,
                such as `StyleGAN2`.
            return_latents: whether to return, too, what the samples were made from, for `decode`, `edit` and files.

        Returns:
            Samples, first axis `count`; with `return_latents` (samples, `kerasgan.latents.Latents`).

        Raises:
            ValueError: an argument is out of its range.
        """
        if truncation is not None and self.truncation_refusal:
            raise ValueError(f"truncation={truncation!r}: {self.truncation_refusal}")
        if not return_latents:
            batches = self._sample_batches(count, labels, seed, truncation, self.ema_generator)
            return self.media.to_natural(joined(list(batches)))
        samples, latents, conditions = zip(
            *self._drawn_batches(count, labels, seed, truncation, self.ema_generator), strict=True
        )
        condition = None if conditions[0] is None else np.concatenate(conditions)
        return self.media.to_natural(joined(list(samples))), self.latents_of(np.concatenate(latents), condition)

    def generate_batches(self, count, labels=None, seed=None, truncation=None, ema=True):
        """The samples of `generate` as an iterator of batches, for more of them than memory holds.

        Args:
            count, labels, seed, truncation: as in `generate`.
            ema: False takes the generator as it is trained instead of its moving average.

        Returns:
            Iterator of batches in natural units, `count` samples in all. Arguments are checked at once.
        """
        network = self.ema_generator if ema else self.generator
        return map(self.media.to_natural, self._sample_batches(count, labels, seed, truncation, network))

    def _sample_batches(self, count, labels, seed, truncation, network):
        """Checks arguments, then returns an iterator of batches in model range."""
        return (samples for samples, _, _ in self._drawn_batches(count, labels, seed, truncation, network))

    def _drawn_batches(self, count, labels, seed, truncation, network):
        """Checks arguments, then returns an iterator of (samples in model range, their latents, conditions or None)."""
        count = number("count", count, None, least=1, whole=True)
        sample, candidates = (self._sampler(network), 1) if truncation is None else self.truncated(network, truncation)
        chooses = np.ndim(candidates) > 0
        labels = self._labels_for(count, labels)
        seed = self._sampling_seed(seed)
        # Those for each sample of a chunk, which are the same whatever `count` is.
        candidates = np.broadcast_to(candidates, (_CHUNK,))

        def batch(number):
            start = number * _CHUNK
            size = min(_CHUNK, count - start)
            seed_of_chunk = tf.random.experimental.stateless_fold_in(seed, number)
            latents = self.sample_latents(candidates.sum(), seed_of_chunk)[: candidates[:size].sum()]
            classes = None if labels is None else np.repeat(labels[start : start + size], candidates[:size], axis=0)
            if not chooses:
                return each(np.asarray, sample(latents, classes)), latents, classes
            samples, chosen = sample(latents, classes)
            return samples, latents.numpy()[chosen], None if classes is None else classes[chosen]

        return map(batch, range(math.ceil(count / _CHUNK)))

    def truncated(self, network, truncation):
        """How `generate` makes samples with a truncation: what a type overrides that has one of its own.

        Args:
            network: that samples come from, such as `ema_generator`.
            truncation: as `generate` was given it, not None.

        Returns:
            (function of latents, and labels or None, that returns samples in model range; how many latents each sample
            takes: 1, or an array with one for each of the samples that are made at a time: then the function returns
            (samples, the numbers of the latents that it chose)).

        Raises:
            ValueError: `truncation` is out of its range.
        """
        if not 0 < truncation <= 1:
            raise ValueError(
                f"truncation={truncation!r}: expected a share above 0 and up to 1, such as 0.5, or None for all."
            )
        ends = np.floor(np.arange(1, _CHUNK + 1) / truncation).astype(int)  # 1 / truncation of them on average
        candidates = np.diff(ends, prepend=0)

        def most_real(latents, labels):
            groups = candidates[: np.searchsorted(ends, len(latents)) + 1]
            return self._most_real(network, latents, labels, groups)

        return most_real, candidates

    def _most_real(self, network, latents, classes, candidates):
        """Of each group of `candidates[i]` neighbours the one that the discriminator finds most real; their numbers."""
        samples, logits = [], []
        for start in range(0, len(latents), _CHUNK):  # no more in memory than without
            part = slice(start, start + _CHUNK)
            labels = None if classes is None else tf.constant(classes[part])
            samples.append(self._sampler(network)(latents[part], labels))
            judged = tf.nest.flatten(self._sampler(self.discriminator)(samples[-1], labels))[0]  # logits come first
            logits.append(np.reshape(judged, (len(judged), -1)).mean(axis=1))
        logits = np.split(np.concatenate(logits), np.cumsum(candidates)[:-1])
        chosen = np.cumsum(candidates) - candidates + [np.argmax(group) for group in logits]
        return each(lambda part: part[chosen], joined(samples)), chosen

    def _sampling_seed(self, seed):
        """int32 (2,) of a user's seed, or, for None, of the model's own next one."""
        return tf.constant(self.sampling_numbers(seed), tf.int32)

    def preview(self, count, seed):
        return self.generate(count, seed=seed)

    def watched_samples(self, count, seed):
        return self.media.to_model(joined(list(self.generate_batches(count, seed=seed, ema=False))))

    def _sampler(self, network):
        if network not in self._samplers:
            # A partial function each: TensorFlow warns of code that is traced often, which all models would share.
            sample = functools.partial(_sampled, network)
            self._samplers[network] = tf.function(sample, autograph=False, reduce_retracing=True)
        return self._samplers[network]

    @functools.cached_property
    def _samplers(self):
        return {}

    def _labels_for(self, count, labels):
        if self.num_classes is None:
            if labels is not None:
                raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out.")
            return None
        if labels is None:
            return tf.constant(np.arange(count) % self.num_classes, tf.int32)
        labels = self._check_labels(self._numbered(labels))
        if labels.ndim == 0:
            labels = np.repeat(labels, count)
        if labels.shape != (count,):
            raise ValueError(
                f"labels have the shape {labels.shape}: expected one class, or ({count},) for count={count}."
            )
        return tf.constant(labels)

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: the moving-average generator and `media.finish`, in float32 whatever the policy.

        Returns:
            A functional `keras.Model` on the inputs of `inference_inputs`, in their order; its output (batch, ...) lies
            in `media.exported_range`.
        """
        generator = in_float32(self.ema_generator)
        inputs = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in generator.inputs]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        return keras.Model(inputs, self.media.finish(generator(inputs, training=False)))

    def inference_inputs(self, count, seed=0):
        """Inputs of `inference_network` as the model itself would draw them: what it is calibrated and verified on.

        Args:
            count: how many, at least 1.
            seed: integer; the same seed gives the same inputs.

        Returns:
            {name: array, first axis `count`}: float32 "latents" and, for a conditional GAN, int32 "labels", the
            classes in turn.
        """
        count = number("count", count, None, least=1, whole=True)
        inputs = {"latents": self.sample_latents(count, self._sampling_seed(seed)).numpy()}
        if self.num_classes is not None:
            inputs["labels"] = (np.arange(count) % self.num_classes).astype("int32")
        return inputs

    def inference_description(self):
        """What an app must know to make the inputs of `inference_network`: one JSON dict an input, in their order.

        Each has `name`, `kind` ("latents", "labels", ...) and `range` (lowest and highest value, or None); latents have
        their `distribution`, "normal" (standard) or "uniform" over the range.
        """
        bounds = [-1.0, 1.0] if self.latent == "uniform" else None
        described = [{"name": "latents", "kind": "latents", "distribution": self.latent, "range": bounds}]
        if self.num_classes is not None:
            described.append({"name": "labels", "kind": "labels", "range": [0, self.num_classes - 1]})
        return described

    # Saving --------------------------------------------------------------------------------------------------------

    def base_config(self):
        return {**super().base_config(), "num_classes": self.num_classes}


def _sampled(network, values, labels):
    return network(with_condition(values, labels), training=False)
