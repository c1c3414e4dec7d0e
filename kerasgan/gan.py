"""GAN: the game in which samples come from latents, and classes if there are any."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

from kerasgan import classes, directions, distribution
from kerasgan.checks import number
from kerasgan.game import Game
from kerasgan.game.hooks import with_condition
from kerasgan.latents import Latents, digest
from kerasgan.precision import in_float32
from kerasgan.structures import each, joined
from kerasgan.tasks import GENERATION

_CHUNK = 64  # samples drawn and generated at a time; part of what a seed means, so it never changes


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN(Game):
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

    def latents_of(self, values, condition=None):
        """`kerasgan.latents.Latents` of this model, of arrays: latents, and what the generator takes besides."""
        condition = None if condition is None else np.asarray(condition)
        return Latents(np.asarray(values, "float32"), condition, self.name, digest(self.ema_generator))

    def decode(self, latents, labels=None, truncation=None):
        """The samples of latents that were kept, in natural units.

        ```python
        faces, latents = gan.generate(16, seed=7, return_latents=True)
        same_faces = gan.decode(latents[[0, 3]])
        ```

        Args:
            latents: `kerasgan.latents.Latents` of this model, or an array (count, latent_dim), of which nobody can know
                whether it is.
            labels: of an array: classes, or what else the type takes in their place, as in `generate`.
            truncation: of a type in which it moves samples, such as `StyleGAN2`, as in `generate`.

        Returns:
            Samples, first axis `count`.

        Raises:
            ValueError: they are those of another model, of another length, or not finite; or an argument is out of its
                range.
        """
        latents = self.own_latents(latents, labels)
        if truncation is None:
            sample = self.decoder(latents.space)
        else:
            sample, candidates = self.truncated(self.ema_generator, truncation)
            if np.ndim(candidates) or latents.space != "latents":
                raise ValueError(f"truncation={truncation!r}: it chooses among latents, and these are chosen already.")
        return self._decoded(sample, latents.values, latents.condition)

    def _decoded(self, sample, values, condition):
        """Samples in natural units, by a function of latents and of what goes with them, from arrays of both."""
        parts = [slice(start, start + _CHUNK) for start in range(0, len(values), _CHUNK)]
        made = [sample(tf.constant(values[part]), _part(condition, part)) for part in parts]
        return self.media.to_natural(joined([each(np.asarray, samples) for samples in made]))

    def decoder(self, space):
        """The function of latents (of a space), and of what goes with them or None, that makes samples."""
        return self._sampler(self.ema_generator)

    def own_latents(self, latents, labels=None):
        """`Latents` that are this model's, of what a user gave."""
        width = self.sample_latents(1, tf.zeros(2, tf.int32)).shape[-1]
        if not isinstance(latents, Latents):
            values = np.asarray(latents)
            count = len(values) if values.ndim else 0
            condition = None if count == 0 else self._labels_for(count, labels)
            latents = Latents(values, None if condition is None else np.asarray(condition))
        elif labels is not None:
            raise ValueError("labels: these latents have their own; leave labels out, or give latents.values.")
        if latents.weights and latents.weights != digest(self.ema_generator):
            raise ValueError(
                f"latents are those of another model, {latents.model!r}, or of another state of it, in which they mean "
                "something else. Give latents.values to decode them all the same."
            )
        values = latents.values
        if values.ndim != 2 or len(values) == 0 or (latents.space == "latents" and values.shape[1] != width):
            raise ValueError(f"latents have the shape {values.shape}: expected (count, {width}), at least one of them.")
        if not (np.issubdtype(values.dtype, np.floating) and np.isfinite(values).all()):
            raise ValueError("latents hold values that are no finite numbers.")
        if self.num_classes is not None and latents.space == "latents":
            if np.shape(latents.condition) != (len(values),):
                raise ValueError(f"latents have no class each, of the {self.num_classes} that {self.name} has.")
            self._check_labels(latents.condition)
        return latents.replaced(values)

    # Directions (see `kerasgan.directions`) --------------------------------------------------------------------------

    def directions(self, method="sefa", count=8, seed=0):
        """Ways through latents along which samples change, those that change them most first.

        ```python
        _, latents = gan.generate(4, seed=1, return_latents=True)
        first = gan.directions()[0]
        more, less = (gan.decode(gan.edit(latents, first, strength)) for strength in (2, -2))
        ```

        Args:
            method: "sefa" (arXiv:2007.06600) or "ganspace" (arXiv:2004.02546).
            count: how many.
            seed: of the latents that they are found by.

        Returns:
            List of `kerasgan.directions.Direction`.

        Raises:
            ValueError: an argument is out of its range.
        """
        return directions.find(self, method, count, seed)

    def edit(self, latents, direction, strength):
        """Latents moved along a direction, for `decode`.

        Args:
            latents: as of `decode`.
            direction: `kerasgan.directions.Direction`, or the name of one of `named_directions`.
            strength: standard deviations to move by; beyond 3, where no sample comes from, cut with a warning.

        Returns:
            `kerasgan.latents.Latents`.

        Raises:
            ValueError: as `decode`; the direction is another model's; or a strength is no finite number.
        """
        if isinstance(direction, str):
            if direction not in self.named_directions:
                known = ", ".join(map(repr, self.named_directions)) or "none; gan.directions() finds some"
                raise ValueError(f"direction={direction!r}: this model has {known}.")
            direction = self.named_directions[direction]
        return directions.moved(self.coded(self.own_latents(latents)), direction, strength)

    def coded(self, latents):
        """Latents as values of the space that directions go through: as they are, unless a type has styles."""
        return latents

    def codes(self, count, seed, labels=None):
        """`Latents` of samples, in the space that directions go through.

        Args:
            count, seed: as in `generate`.
            labels: as in `generate`.
        """
        condition = self._labels_for(count, labels)
        return self.coded(self.latents_of(self.sample_latents(count, self._sampling_seed(seed)), condition))

    def project(self, pictures, labels=None, steps=200, seed=0, keep=0, progress=False):
        """The latents whose samples are nearest to real pictures (see `kerasgan.projection`).

        ```python
        photo = kerasgan.data.picture("me.jpg", size=64)
        latents = gan.project(photo[None])
        smiling = gan.decode(gan.edit(latents, "smile", 2))
        ```

        Args:
            pictures: uint8 (count, *shape of samples).
            labels: classes of the pictures, for a GAN that has them, as in `generate`.
            steps: of the optimization; each takes as long as a step of training, or longer.
            seed: of the samples that it starts from.
            keep: how many samples on the way to return, too.
            progress: whether to show a bar.

        Returns:
            `kerasgan.latents.Latents`; with `keep` (latents, samples uint8 (count, keep, *shape), the last of them
            those of the latents).

        Raises:
            ValueError: an argument is out of its range, or the GAN makes no images.
        """
        from kerasgan import projection  # which builds a network

        return projection.project(self, pictures, labels, steps, seed, keep, progress)

    def paint(self, latents, picture, mask, steps=30):
        """Latents near some, whose samples look as was painted on them (see `kerasgan.projection`).

        Args:
            latents: as of `decode`; all of them are to obey.
            picture: uint8 (height, width, channels): the colours that were painted.
            mask: booleans (height, width): where.
            steps: of the optimization.

        Returns:
            `kerasgan.latents.Latents`.

        Raises:
            ValueError: an argument is out of its range, or the GAN makes no images.
        """
        from kerasgan import projection  # which builds a network

        return projection.paint(self, latents, picture, mask, steps)

    def first_maps(self):
        """The function of such values, and conditions or None, that gives what the generator's first layers make."""
        return directions.first_maps(self.ema_generator)

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

    def interpolate(self, count, steps, seed=None, keys=2, closed=False):
        """Ways from one sample to another, in natural units: latents between two that were drawn, or more.

        Normal latents go along the great circle through both, which keeps them as long as those that the generator
        knows (White, 2016, arXiv:1609.04468); uniform ones along the straight line (see `latents_between`). A
        conditional GAN keeps the class of a way: the classes in turn.

        Args:
            count: number of ways.
            steps: samples on each, both ends included; at least 2.
            seed: integer; the same seed gives the same ways.
            keys: samples that each way goes through, its ends included; `steps` is from one to the next.
            closed: whether a way goes back to where it began, whose sample does not come twice.

        Returns:
            Samples, first axis `count * steps * (keys - 1)`, closed `count * (steps - 1) * keys`, one way after the
            other.

        Raises:
            ValueError: an argument is out of its range.
        """
        count = number("count", count, None, least=1, whole=True)
        steps = number("steps", steps, None, least=2, whole=True)
        seed = self._sampling_seed(seed)
        keys = number("keys", keys, None, least=2, whole=True)
        latents = self.sample_latents(keys * count, seed).numpy().reshape(count, keys, 1, -1)
        ends = np.roll(latents, -1, axis=1) if closed else latents[:, 1:]
        starts = latents[:, : ends.shape[1]]
        shares = np.linspace(0, 1, steps)[: steps - closed, None]
        ways = self.latents_between(starts, ends, shares).astype("float32").reshape(count, -1, latents.shape[-1])
        labels = self._labels_for(count, None)
        labels = None if labels is None else np.repeat(np.asarray(labels), ways.shape[1], axis=0)
        return self._decoded(self._sampler(self.ema_generator), ways.reshape(-1, ways.shape[-1]), labels)

    def _sampling_seed(self, seed):
        """int32 (2,) of a user's seed, or, for None, of the model's own next one."""
        return tf.constant(self.sampling_numbers(seed), tf.int32)

    def latents_between(self, start, end, share):
        """Latents on the way from `start` to `end`, arrays (..., latent_dim); `share` in [0, 1] of the way is behind.

        For normal latents the angle grows evenly (Shoemake, 1985), and so does the length; uniform ones move straight.
        """
        line = (1 - share) * start + share * end
        if self.latent == "uniform":
            return line
        lengths = [np.linalg.norm(latents, axis=-1, keepdims=True) for latents in (start, end)]
        start, end = start / lengths[0], end / lengths[1]
        angle = np.arccos(np.clip(np.sum(start * end, axis=-1, keepdims=True), -1.0, 1.0))
        parallel = np.sin(angle) < 1e-6  # no circle goes through parallel vectors, as all latents of one number are
        arc = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
        arc *= ((1 - share) * lengths[0] + share * lengths[1]) / np.where(parallel, 1.0, np.sin(angle))
        return np.where(parallel, line, arc)

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


def _part(condition, part):
    return None if condition is None else tf.constant(condition[part])


def _sampled(network, values, labels):
    return network(with_condition(values, labels), training=False)
