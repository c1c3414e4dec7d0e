"""What GANs can do whose samples come from latents: keep them, decode them, move them, find those of a picture."""

import numpy as np
import tensorflow as tf

from kerasgan import directions
from kerasgan.checks import number
from kerasgan.latents import Latents, digest
from kerasgan.structures import each, joined

_CHUNK = 64  # latents decoded at a time: as many as are generated, so that they give the very same samples


class FromLatents:
    """The part of a `GAN` that is about latents."""

    truncation_moves = False  # whether `truncation` moves samples, instead of choosing among them
    truncations = (1.0, 0.5, 0.25)  # of which a report shows samples

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
        return self._decoded(self.decoder(latents.space, truncation), latents.values, latents.condition)

    def _decoded(self, sample, values, condition):
        """Samples in natural units, by a function of latents and of what goes with them, from arrays of both."""
        parts = [slice(start, start + _CHUNK) for start in range(0, len(values), _CHUNK)]
        made = [sample(tf.constant(values[part]), _part(condition, part)) for part in parts]
        return self.media.to_natural(joined([each(np.asarray, samples) for samples in made]))

    def decoder(self, space, truncation=None):
        """The function of latents (of a space), and of what goes with them or None, that makes samples.

        `truncation` is for types in which it moves samples (`truncation_moves`).
        """
        if truncation is not None:
            raise ValueError(f"truncation={truncation!r}: it chooses among latents, and these are chosen already.")
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

    def mixtures(self, count, seed):
        """As `kerasgan.tasks.base.Task.mixtures`; None of a type without styles."""
        return None

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


def _part(condition, part):
    return None if condition is None else tf.constant(condition[part])
