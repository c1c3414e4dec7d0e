"""Penalties on the discriminator (critic), most of them on its gradient, or on the generator, and weight clipping.

A penalty is called as `penalty(critic, real, fake, seed)` and returns one float32 value per sample, shape (batch,), its
weight included. A gradient penalty differentiates the critic's logits with respect to the samples; a tape around the
call sees that differentiation too, so that the penalty can be minimised over the critic's weights. Samples and sums are
float32; so is all in between, unless a penalty is told otherwise (`full_precision`). Samples may be nested structures
of tensors, of which those that are floats have gradients.

A penalty on the generator is called as `penalty(generator, sources, seed)`; see `GeneratorPenalty`.

For a gradient penalty, the critic must treat every sample by itself: behind batch normalization the gradient of one
logit depends on the whole batch and the penalty loses its meaning (Gulrajani et al., 2017, section 4).
"""

import keras
import tensorflow as tf
from keras.saving import register_keras_serializable

from kerasgan import distribution, schedules
from kerasgan.structures import each, floats_of, per_sample

# Inside the square root of the gradient's norm: keeps the derivative of sqrt finite where a gradient is exactly zero,
# and is too small to move a norm near 1 in float32.
_EPSILON = 1e-12


def gradient_of_logits(tape, logits, samples):
    """The gradient of each sample's logit, recorded by `tape`, with respect to the sample.

    Returns:
        A tensor, or a structure of them, None for parts on which the logits do not depend, such as integers.

    Raises:
        ValueError: the logits do not depend on the samples.
    """
    with tape:  # which watches the sums, too
        logit = per_sample(logits)
    gradients = tape.gradient(logit, samples)
    if all(gradient is None for gradient in tf.nest.flatten(gradients)):
        raise ValueError("The critic's logits do not depend on the samples it was given: no gradient to penalise.")
    return gradients


def _gradient(critic, samples):
    """Each logit's gradient with respect to its sample, of the samples' shape."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(floats_of(samples))
        logits = critic(samples)
    return gradient_of_logits(tape, logits, samples)


def _squared_norm(gradients):
    """Squared L2 norm over all axes but the first, and over the parts of a structure: (batch,)."""
    parts = [gradient for gradient in tf.nest.flatten(gradients) if gradient is not None]
    norms = [tf.reduce_sum(tf.square(tf.reshape(part, (tf.shape(part)[0], -1))), axis=1) for part in parts]
    return norms[0] if len(norms) == 1 else tf.add_n(norms)


def _distance_to_one(critic, samples):
    return tf.square(tf.sqrt(_squared_norm(_gradient(critic, samples)) + _EPSILON) - 1.0)


def _floats(samples):
    """Samples as tensors, whose floats are float32."""
    tensors = each(tf.convert_to_tensor, samples)
    return each(lambda part: tf.cast(part, tf.float32) if part.dtype.is_floating else part, tensors)


def _uniform(samples, shape, seed):
    """Numbers in [0, 1) for each sample of a batch, float32 (batch, *shape)."""

    def draw(count):
        return tf.random.stateless_uniform(tf.concat([[count], tf.cast(shape, tf.int32)], axis=0), seed)

    return distribution.own_rows(draw, tf.shape(samples)[0])


def _between(real, fake, seed):
    """Samples on the line between real and generated ones, at a place drawn for each pair; integers stay real."""
    place = _uniform(tf.nest.flatten(real)[0], [], seed)

    def point(a, b):
        share = tf.reshape(place, (-1, *[1] * (a.shape.rank - 1)))
        return share * a + (1.0 - share) * b if a.dtype.is_floating else a

    return each(point, real, fake)


# Quantities of a critic, and of which of the pair (real, fake) they are.
LOGITS, GRADIENT = "logits", "gradient"
REAL, FAKE = 0, 1


class Penalty:
    """Base class of the penalties.

    Args:
        weight: factor of the penalty in the discriminator's loss: a number above 0, or a schedule of it
            (`kerasgan.schedules`).
        interval: the penalty is added in every `interval`-th step only and multiplied by `interval` there ("lazy
            regularization", Karras et al., 2020, arXiv:1912.04958, appendix B), which costs less and weighs the same.
            The training step does both; a call returns the penalty of this one batch, not multiplied by `interval`.
        through_augmentation: whether the gradient is that for the samples as they were before the augmentation, through
            which it passes (R3GAN's way), instead of that for the augmented samples. The training step sees to it; the
            penalty draws changes of its own.
        full_precision: whether a training step computes the critic in float32 here, whatever the model's policy. False
            computes it as the policy says: on a CPU that multiplies bfloat16, WaveGAN trains 1.6 times as fast so.
            float16, in which gradients of gradients vanish, is never used.

    Attributes:
        name: the penalty's name in the training logs.
        player: whose loss it is added to.
        function_of: the one quantity of the critic that the penalty is a function of, if there is one, such as
            (GRADIENT, REAL): a training step may have it from the pass of its loss.
    """

    name = "penalty"
    player = "discriminator"
    function_of = None
    draws_for_all_devices = False  # True: `penalise` draws by `distribution.own_rows`; else devices get other seeds

    def __init__(self, weight: schedules.Scheduled = 10.0, interval=1, through_augmentation=False, full_precision=True):
        weight = schedules.get(weight, "weight")
        if weight == 0:
            raise ValueError("weight=0 was given, expected a number above 0; leave the penalty out instead.")
        if not (isinstance(interval, int) and interval >= 1):
            raise ValueError(f"interval={interval!r} was given, expected a whole number of steps, 1 or more.")
        self.weight = weight if callable(weight) else float(weight)
        self.interval = interval
        self.through_augmentation = bool(through_augmentation)
        self.full_precision = bool(full_precision)

    def __call__(self, critic, real, fake, seed, samples_seen=0, value=None):
        """The weighted penalty of each sample.

        Args:
            critic: function from a batch of samples to its logits, (batch, ..., 1).
            real: real samples, (batch, ...).
            fake: as many generated samples of the same shape.
            seed: int32 tensor (2,), decides the random points (if any) at which the gradient is taken.
            samples_seen: in training so far, for a weight that follows a schedule.
            value: of the quantity that it is a `function_of`, where that is known; the critic is not called then.

        Returns:
            float32 (batch,).
        """
        if value is None:
            penalties = self.penalise(critic, _floats(real), _floats(fake), seed)
        else:
            penalties = self.penalise_value(value)
        return schedules.value(self.weight, samples_seen) * penalties

    def of_batch(self, critic, batch, seed, samples_seen=0, value=None):
        """The same for a `kerasgan.game.Batch`."""
        return self(critic, batch.real, batch.fake, seed, samples_seen, value)

    def penalise(self, critic, real, fake, seed):
        """The penalty of each sample without its weight, (batch,), for float32 samples."""
        if self.function_of is None:
            raise NotImplementedError(f"{type(self).__name__} must implement penalise(critic, real, fake, seed).")
        quantity, side = self.function_of
        samples = (real, fake)[side]
        return self.penalise_value(critic(samples) if quantity == LOGITS else _gradient(critic, samples))

    def penalise_value(self, value):
        """The same of a value of the quantity that the penalty is a `function_of`."""
        raise NotImplementedError(f"{type(self).__name__} must implement penalise_value(value).")

    def get_config(self):
        return {
            "weight": schedules.serialize(self.weight),
            "interval": self.interval,
            "through_augmentation": self.through_augmentation,
            "full_precision": self.full_precision,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class GeneratorPenalty(Penalty):
    """Base class of penalties on the generator, such as one on the length of paths or for variety.

    Args:
        weight, interval, full_precision: as in `Penalty`.
    """

    name = "generator_penalty"
    player = "generator"

    def __call__(self, generator, sources, seed, samples_seen=0):
        """The weighted penalty of each sample.

        Args:
            generator: function from what it starts from to samples, differentiable; state stays put.
            sources: what it starts from in this batch, such as latents (batch, latent_dim).
            seed: int32 tensor (2,).
            samples_seen: in training so far, for a weight that follows a schedule.

        Returns:
            float32 (batch,).
        """
        return schedules.value(self.weight, samples_seen) * self.penalise(generator, sources, seed)

    def of_batch(self, generator, batch, seed, samples_seen=0, value=None):
        return self(generator, batch.sources, seed, samples_seen)

    def penalise(self, generator, sources, seed):
        """The penalty of each sample without its weight, float32 (batch,)."""
        raise NotImplementedError(f"{type(self).__name__} must implement penalise(generator, sources, seed).")


@register_keras_serializable(package="kerasgan")
class GradientPenalty(Penalty):
    """WGAN-GP's penalty (Gulrajani et al., 2017, arXiv:1704.00028): weight * (||grad D(x)|| - 1)^2.

    x lies on the straight line between a real and a generated sample, at a place drawn uniformly from [0, 1] for each
    pair.

    Args:
        weight: the paper's lambda.
        interval, through_augmentation, full_precision: see `Penalty`.
    """

    name = "gradient_penalty"
    draws_for_all_devices = True

    def penalise(self, critic, real, fake, seed):
        return _distance_to_one(critic, _between(real, fake, seed))


@register_keras_serializable(package="kerasgan")
class DRAGAN(Penalty):
    """DRAGAN's penalty (Kodali et al., 2017, arXiv:1705.07215): weight * (||grad D(x)|| - 1)^2 around real samples.

    The paper writes x + noise with noise of a scale c and leaves its law open. This follows the authors' published
    code: a real sample is perturbed by 0.5 * std * U, where std is the standard deviation of the whole real batch (one
    number) and U is uniform in [0, 1] for every element (not centred); the gradient is taken at a place drawn uniformly
    between the sample and its perturbed copy, one place per sample. D is the logit. Generated samples are not used, and
    samples are one tensor.

    Args:
        weight: the paper's lambda.
        interval, through_augmentation, full_precision: see `Penalty`.
    """

    name = "dragan"
    draws_for_all_devices = True

    def penalise(self, critic, real, fake, seed):
        noise_seed, place_seed = tf.unstack(tf.random.split(seed, 2))
        noise = 0.5 * tf.math.reduce_std(real) * _uniform(real, tf.shape(real)[1:], noise_seed)
        place = _uniform(real, [1] * (real.shape.rank - 1), place_seed)
        return _distance_to_one(critic, real + place * noise)


class _ZeroCentred(Penalty):
    """weight / 2 * ||grad D(x)||^2 of the samples that a subclass names."""

    def penalise_value(self, value):
        return 0.5 * _squared_norm(value)


@register_keras_serializable(package="kerasgan")
class R1(_ZeroCentred):
    """Zero-centred penalty on real samples (Mescheder et al., 2018, arXiv:1801.04406): weight / 2 * ||grad D(x)||^2.

    Args:
        weight: the paper's gamma; the paper used 10.
        interval, through_augmentation, full_precision: see `Penalty`.
    """

    name = "r1"
    function_of = (GRADIENT, REAL)


@register_keras_serializable(package="kerasgan")
class R2(_ZeroCentred):
    """Zero-centred penalty on generated samples (Mescheder et al., 2018, arXiv:1801.04406): weight / 2 * ||grad D||^2.

    Args:
        weight: the paper's gamma; the paper used 10.
        interval, through_augmentation, full_precision: see `Penalty`.
    """

    name = "r2"
    function_of = (GRADIENT, FAKE)


@register_keras_serializable(package="kerasgan")
class MatchingAware(Penalty):
    """Smoothness at real samples with their conditions (Tao et al., 2022, arXiv:2008.05865): weight * ||grad D||^6.

    The gradient is that for the sample and its condition, such as the vector of a text, together: samples of the game
    are structures that hold both. (6 is the paper's p, 2 its k.)

    Args:
        weight: the paper's k; the paper used 2.
        interval, through_augmentation, full_precision: see `Penalty`.
    """

    name = "matching_aware"
    function_of = (GRADIENT, REAL)

    def __init__(self, weight: schedules.Scheduled = 2.0, interval=1, through_augmentation=False, full_precision=True):
        super().__init__(weight, interval, through_augmentation, full_precision)

    def penalise_value(self, value):
        return _squared_norm(value) ** 3


@register_keras_serializable(package="kerasgan")
class Drift(Penalty):
    """Keeps a critic's logits near zero (Karras et al., 2018, arXiv:1710.10196, appendix A.1): weight * D(x)^2.

    A Wasserstein critic's loss does not change when all logits do by the same number, which may drift away, therefore.
    x is real; a sample's logit is the mean over its patches. In a training step these are the logits of the loss, so
    that the penalty costs nothing.

    Args:
        weight: the paper's epsilon_drift.
    """

    name = "drift"
    function_of = (LOGITS, REAL)

    def __init__(self, weight: schedules.Scheduled = 0.001):
        super().__init__(weight)

    def penalise_value(self, value):
        return tf.square(per_sample(value))

    def get_config(self):
        return {"weight": super().get_config()["weight"]}


_PENALTIES = {penalty.name: penalty for penalty in (GradientPenalty, DRAGAN, R1, R2, Drift)}


def get(identifier):
    """The penalty that `identifier` means.

    Args:
        identifier: a `Penalty`, a name ("gradient_penalty", "dragan", "r1", "r2", "drift": with the paper's weight), or
            what `keras.saving.serialize_keras_object` made of a penalty.

    Returns:
        A `Penalty`.

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(identifier, str) and identifier in _PENALTIES:
        return _PENALTIES[identifier]()
    penalty = keras.saving.deserialize_keras_object(identifier) if isinstance(identifier, dict) else identifier
    if not isinstance(penalty, Penalty):
        raise ValueError(
            f"penalty={identifier!r} is not a penalty. Give one of {', '.join(map(repr, _PENALTIES))}, "
            "or an instance of kerasgan.penalties.Penalty."
        )
    return penalty


def clip_weights(variables, limit):
    """Clips every variable to [-limit, limit] in place: WGAN's Lipschitz constraint (arXiv:1701.07875, algorithm 1).

    Args:
        variables: the critic's trainable variables.
        limit: the paper's c (it used 0.01), above 0.

    Raises:
        ValueError: if `limit` is not above 0.
    """
    if not limit > 0:
        raise ValueError(f"limit={limit!r} was given, expected a number above 0 (the WGAN paper used 0.01).")
    for variable in variables:
        variable.assign(tf.clip_by_value(tf.convert_to_tensor(variable), -limit, limit))
