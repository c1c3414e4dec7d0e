"""Adversarial losses: what each player of the game minimises, as functions of the discriminator's logits.

Every loss is a pair: `discriminator(real_logits, fake_logits)` and `generator(fake_logits)`. Logits are the
discriminator's output before any sigmoid, of shape (batch, 1) or (batch, ..., 1) for discriminators that judge patches.
Both functions return one float32 value per sample, shape (batch,): the mean over all axes but the first.
"""

import importlib

import keras
import tensorflow as tf
from keras.saving import register_keras_serializable

from kerasgan.structures import per_sample


class AdversarialLoss:
    """Base class of the adversarial losses.

    A loss of your own implements `discriminate` and `generate`, which receive float32 logits and return a value for
    each logit; the conversion to float32 and the mean over patches happen here.

    Attributes:
        paired: whether the generator's loss compares each generated sample with a real one, so that `generator` needs
            `real_logits` too.
        of_critic: whether the discriminator is a critic, whose loss measures a distance: no game is lost because it
            tells all samples apart.
    """

    paired = False
    of_critic = False

    def discriminator(self, real_logits, fake_logits):
        """The discriminator's (critic's) loss.

        Args:
            real_logits: the discriminator's output for real samples, (batch, ..., 1).
            fake_logits: the same for generated samples.

        Returns:
            float32 (batch,).
        """
        return per_sample(self.discriminate(_float(real_logits), _float(fake_logits)))

    def generator(self, fake_logits, real_logits=None):
        """The generator's loss.

        Args:
            fake_logits: the discriminator's output for generated samples, (batch, ..., 1).
            real_logits: the same for real samples; needed by paired losses only, ignored by the others.

        Returns:
            float32 (batch,).

        Raises:
            ValueError: if the loss is paired and `real_logits` is missing.
        """
        if not self.paired:
            return per_sample(self.generate(_float(fake_logits)))
        if real_logits is None:
            raise ValueError(
                f"real_logits=None was given to {type(self).__name__}.generator, which compares every generated sample "
                "with a real one. Pass the discriminator's logits of a real batch as well."
            )
        return per_sample(self.generate(_float(fake_logits), _float(real_logits)))

    def discriminate(self, real_logits, fake_logits):
        """The discriminator's loss for each pair of logits, in their shape."""
        raise NotImplementedError(f"{type(self).__name__} must implement discriminate(real_logits, fake_logits).")

    def generate(self, fake_logits):
        """The generator's loss for each logit, in their shape (with `real_logits` as second argument if paired)."""
        raise NotImplementedError(f"{type(self).__name__} must implement generate(fake_logits).")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _float(logits):
    return tf.cast(logits, tf.float32)


def _cross_entropy_discriminate(real_logits, fake_logits):
    """-log D(x) - log(1 - D(G(z))) for D = sigmoid(logit), in the form that neither overflows nor takes log(0)."""
    return tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)


@register_keras_serializable(package="kerasgan")
class Minimax(AdversarialLoss):
    """The original zero-sum game (Goodfellow et al., 2014, arXiv:1406.2661, equation 1).

    The discriminator minimises -log D(x) - log(1 - D(G(z))), the generator log(1 - D(G(z))), with D the sigmoid of the
    logit. The generator's gradient vanishes while the discriminator wins; `NonSaturating` is the paper's own remedy.
    """

    def discriminate(self, real_logits, fake_logits):
        return _cross_entropy_discriminate(real_logits, fake_logits)

    def generate(self, fake_logits):
        return -tf.nn.softplus(fake_logits)


@register_keras_serializable(package="kerasgan")
class NonSaturating(AdversarialLoss):
    """The game with strong gradients early in training (Goodfellow et al., 2014, arXiv:1406.2661, section 3).

    The discriminator's loss is that of `Minimax`; the generator minimises -log D(G(z)).
    """

    def discriminate(self, real_logits, fake_logits):
        return _cross_entropy_discriminate(real_logits, fake_logits)

    def generate(self, fake_logits):
        return tf.nn.softplus(-fake_logits)


@register_keras_serializable(package="kerasgan")
class LeastSquares(AdversarialLoss):
    """Least squares GAN (Mao et al., 2017, arXiv:1611.04076, equation 9: a = 0, b = 1, c = 1).

    The discriminator minimises (D(x) - 1)^2 / 2 + D(G(z))^2 / 2, the generator (D(G(z)) - 1)^2 / 2; D is the logit.
    """

    def discriminate(self, real_logits, fake_logits):
        return 0.5 * (tf.square(real_logits - 1.0) + tf.square(fake_logits))

    def generate(self, fake_logits):
        return 0.5 * tf.square(fake_logits - 1.0)


@register_keras_serializable(package="kerasgan")
class Hinge(AdversarialLoss):
    """The hinge version of the adversarial loss (Lim and Ye, 2017, arXiv:1705.02894).

    The discriminator minimises max(0, 1 - D(x)) + max(0, 1 + D(G(z))), the generator -D(G(z)); D is the logit.
    """

    def discriminate(self, real_logits, fake_logits):
        return tf.nn.relu(1.0 - real_logits) + tf.nn.relu(1.0 + fake_logits)

    def generate(self, fake_logits):
        return -fake_logits


@register_keras_serializable(package="kerasgan")
class MatchingNonSaturating(NonSaturating):
    """`NonSaturating` with half the weight on generated samples (Reed et al., 2016, arXiv:1605.05396, algorithm 1).

    The other half belongs to real samples with the condition of another one, which the game adds
    (`kerasgan.text_to_image`): -log D(x, t) - (log(1 - D(x, t')) + log(1 - D(G(z, t), t))) / 2.
    """

    def discriminate(self, real_logits, fake_logits):
        return tf.nn.softplus(-real_logits) + 0.5 * tf.nn.softplus(fake_logits)


@register_keras_serializable(package="kerasgan")
class MatchingHinge(Hinge):
    """`Hinge` with half the weight on generated samples, the other half as in `MatchingNonSaturating`.

    Tao et al., 2022, arXiv:2008.05865, equation 1.
    """

    def discriminate(self, real_logits, fake_logits):
        return tf.nn.relu(1.0 - real_logits) + 0.5 * tf.nn.relu(1.0 + fake_logits)


@register_keras_serializable(package="kerasgan")
class Wasserstein(AdversarialLoss):
    """The Wasserstein-1 distance in its dual form (Arjovsky et al., 2017, arXiv:1701.07875).

    The critic minimises D(G(z)) - D(x), the generator -D(G(z)). Meaningful only for a critic that is kept Lipschitz: by
    weight clipping (`penalties.clip_weights`), a gradient penalty, or spectral normalization.
    """

    of_critic = True

    def discriminate(self, real_logits, fake_logits):
        return fake_logits - real_logits

    def generate(self, fake_logits):
        return -fake_logits


@register_keras_serializable(package="kerasgan")
class RelativisticPairing(AdversarialLoss):
    """RpGAN, the relativistic pairing loss of R3GAN (Huang et al., 2024, arXiv:2501.05441).

    Introduced by Jolicoeur-Martineau (2018, arXiv:1807.00734). Each generated sample is judged against one real sample:
    the discriminator minimises softplus(-(D(x) - D(G(z)))), the generator softplus(-(D(G(z)) - D(x))). The n-th real
    sample is paired with the n-th generated one. Converges with the penalties `R1` and `R2` together.
    """

    paired = True

    def discriminate(self, real_logits, fake_logits):
        return tf.nn.softplus(fake_logits - real_logits)

    def generate(self, fake_logits, real_logits):
        return tf.nn.softplus(real_logits - fake_logits)


@register_keras_serializable(package="kerasgan")
class RelativisticAverage(AdversarialLoss):
    """RaGAN, the relativistic average loss (Jolicoeur-Martineau, 2018, arXiv:1807.00734), that of ESRGAN.

    Each sample is judged against the mean of the other kind in the batch: with D_ra(a, b) = sigmoid(D(a) - mean D(b)),
    the discriminator minimises -log D_ra(x, G(z)) - log(1 - D_ra(G(z), x)), the generator the same with the kinds
    exchanged: it learns from real samples, too. The means are over what is judged at once: the batch, a part of it with
    gradient accumulation, or a device's share. A discriminator of patches has a mean for each place.
    """

    paired = True

    def discriminate(self, real_logits, fake_logits):
        real = tf.nn.softplus(tf.reduce_mean(fake_logits, axis=0) - real_logits)
        fake = tf.nn.softplus(fake_logits - tf.reduce_mean(real_logits, axis=0))
        return real + fake

    def generate(self, fake_logits, real_logits):
        return self.discriminate(fake_logits, real_logits)


_LOSSES = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "least_squares": LeastSquares,
    "hinge": Hinge,
    "matching_non_saturating": MatchingNonSaturating,
    "matching_hinge": MatchingHinge,
    "wasserstein": Wasserstein,
    "relativistic_pairing": RelativisticPairing,
    "relativistic_average": RelativisticAverage,
}


def get(identifier):
    """The adversarial loss that `identifier` means.

    Args:
        identifier: an `AdversarialLoss`, a name ("minimax", "non_saturating", "least_squares", "hinge",
            "matching_non_saturating", "matching_hinge", "wasserstein", "relativistic_pairing", "relativistic_average"),
            or what `keras.saving.serialize_keras_object` made of a loss.

    Returns:
        An `AdversarialLoss`.

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(identifier, str) and identifier in _LOSSES:
        return _LOSSES[identifier]()
    loss = _deserialized(identifier) if isinstance(identifier, dict) else identifier
    if not isinstance(loss, AdversarialLoss):
        raise ValueError(
            f"loss={identifier!r} is not an adversarial loss. Give one of {', '.join(map(repr, _LOSSES))}, "
            "or an instance of kerasgan.losses.AdversarialLoss."
        )
    return loss


def _deserialized(config):
    module = str(config.get("module"))
    if module.startswith("kerasgan."):
        importlib.import_module(module)  # Keras knows a class, such as one of TF-GAN's losses, once it is imported
    return keras.saving.deserialize_keras_object(config)
