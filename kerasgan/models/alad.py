"""ALAD: an encoder and a generator that are to undo each other, and discriminators that see where they do not."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.coding import build_decoder, build_encoder, features_of
from kerasgan.examples import Examples
from kerasgan.game import Game
from kerasgan.gan_types import Starting
from kerasgan.layers import SpectralNormalization
from kerasgan.precision import policy
from kerasgan.scorer import Scorer, medium

_JOINT = 4  # times the width: units of what judges pairs
_DROPOUT = 0.2


# The networks --------------------------------------------------------------------------------------------------------


def build_coder(shape, latent_dim, width):
    """[Samples, latents] -> what each becomes, and becomes again: "code", "again", and "made", "code_again"."""
    samples, latents = keras.Input(shape, name="samples"), keras.Input((latent_dim,), name="latents")
    encoder = build_encoder(shape, latent_dim, width, "spectral")
    decoder = build_decoder(shape, latent_dim, width)
    code, made = encoder(samples), decoder(latents)
    found = {"code": code, "again": decoder(code), "made": made, "code_again": encoder(made)}
    return keras.Model([samples, latents], found, name="coder")


def build_discriminator(shape, latent_dim, width):
    """Three pairs -> logits (batch, 3): sample and latents, sample and sample, latents and latents."""
    names = ("sample", "latents", "first_sample", "second_sample", "first_latents", "second_latents")
    kinds = (shape, (latent_dim,), shape, shape, (latent_dim,), (latent_dim,))
    inputs = [keras.Input(kind, name=name) for name, kind in zip(names, kinds, strict=True)]
    judges = (
        _of_samples_and_latents(shape, latent_dim, width),
        _of_pairs(shape, width, "of_pairs_of_samples"),
        _of_pairs((latent_dim,), width, "of_pairs_of_latents"),
    )
    logits = [judge(inputs[2 * place : 2 * place + 2]) for place, judge in enumerate(judges)]
    return keras.Model(inputs, layers.Concatenate(dtype="float32", name="logits")(logits), name="discriminator")


def _of_samples_and_latents(shape, latent_dim, width):
    samples, latents = keras.Input(shape, name="samples"), keras.Input((latent_dim,), name="latents")
    of_samples = features_of(build_encoder(shape, 1, width, "spectral"))(samples)
    of_latents = _dense(latents, _JOINT * width)
    joint = _dense(layers.Concatenate()([of_samples, of_latents]), _JOINT * width)
    return keras.Model([samples, latents], _logit(joint), name="of_samples_and_latents")


def _of_pairs(shape, width, name):
    first, second = keras.Input(shape, name="first"), keras.Input(shape, name="second")
    pair = layers.Concatenate()([first, second])  # of images and sounds, channel by channel
    features = features_of(build_encoder(pair.shape[1:], 1, width, "spectral"))(pair)
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    return keras.Model([first, second], _logit(layers.Dropout(_DROPOUT)(features)), name=name)


def _dense(x, units):
    x = layers.LeakyReLU(0.2)(SpectralNormalization(layers.Dense(units))(x))
    return layers.Dropout(_DROPOUT)(x)


def _logit(x):
    return SpectralNormalization(layers.Dense(1, dtype="float32"))(x)


# The game ------------------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="kerasgan")
class ALAD(Scorer, Examples, Game):
    """ALAD (Zenati, Romain, Foo, Lecouat & Chandrasekhar, 2018, arXiv:1812.02288).

    An encoder E and a generator G learn together to deceive three discriminators: one takes pairs of a sample and
    latents, (x, E(x)) for real and (G(z), z) for generated, as in BiGAN; one (x, x) for real and (x, G(E(x))) for not;
    one (z, z) for real and (z, E(G(z))) for not. The last two see to it that encoder and generator undo each other. The
    score of a sample is how far the second discriminator's features of (x, x) are from those of (x, G(E(x))), in L1.
    Spectral normalization in the encoder and the discriminators; Adam 1e-5 (0.5), batches of 50, latents of 32 numbers
    from N(0, 1), a moving average by 0.999 a step, as the paper has them for network intrusions.

    Changed from the paper: one kind of networks for images, sounds and rows (`kerasgan.coding`), batch normalization in
    the generator alone, the same dropout in all discriminators; the discriminators have no moving average.

    Args:
        image_shape, length, sample_rate, channels, fitted: what is scored, as in `kerasgan.models.GANomaly`.
        latent_dim: length of the latent vector.
        width: channels next to the sample, which double with each halving, up to 8 times; of rows, half of the units of
            the narrowest layer.
        seed, name, dtype: as in `kerasgan.Game`.

    Example:

    ```python
    normal = kerasgan.data.table("normal_connections.csv", part="train", balanced=False)
    gan = kerasgan.models.ALAD(fitted=normal.fitted)
    gan.compile()
    gan.fit(normal, epochs=100)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3, "part": "train"},
        model={"image_shape": (32, 32, 3)},
    )
    default_weights = {"adversarial": 1.0, "encoder": 1.0 / 3.0}  # the adversarial loss is a mean of three
    default_ema_half_life = 34_650

    def __init__(
        self,
        image_shape=(32, 32, 3),
        length=None,
        sample_rate=8000,
        channels=1,
        fitted=None,
        latent_dim=32,
        width=32,
        seed=None,
        name=None,
        dtype=None,
    ):
        media = medium(image_shape, length, sample_rate, channels, fitted)
        with policy(dtype, seed):
            super().__init__(
                build_coder(media.shape, latent_dim, width),
                build_discriminator(media.shape, latent_dim, width),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.latent_dim = latent_dim

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-5, 0.5), keras.optimizers.Adam(1e-5, 0.5)

    def unpack(self, data):
        samples, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"samples": samples}, None

    def sources_for(self, batch):
        """{"samples": of the data, "latents": as many}."""
        seed = self.shared_seed()
        latents = distribution.own_rows(
            lambda count: tf.random.stateless_normal((count, self.latent_dim), seed),
            batch.count,
            self.gradient_accumulation,
        )
        return {"samples": batch.real["samples"], "latents": latents}

    def call_generator(self, sources, condition=None, training=True):
        """The sources, and what encoder and generator make of them."""
        return {**sources, **self.generator([sources["samples"], sources["latents"]], training=training)}

    def call_discriminator(self, samples, condition=None, training=True):
        """Logits (batch, 3) of the generator's pairs."""
        pairs = ("made", "latents"), ("samples", "again"), ("latents", "code_again")
        return self._judged(samples, pairs, training)

    def judge_real(self, batch):
        """Logits (batch, 3) of the pairs that count as real; the first of them has the encoder's code."""
        return self._judge_real(batch.fake), {}

    def _judge_real(self, samples, training=True):
        return self._judged(samples, (("samples", "code"), ("samples", "samples"), ("latents", "latents")), training)

    def _judged(self, samples, pairs, training):
        return self.discriminator([samples[name] for pair in pairs for name in pair], training=training)

    def augment(self, samples):
        """Nothing: what is paired would no longer belong together."""
        return samples

    def generator_terms(self, batch):
        """The encoder's part: that the first discriminator takes its pairs for generated ones."""
        with keras.StatelessScope():
            logits = self._judge_real(batch.fake)[:, :1]
        return {"encoder": tf.reduce_mean(tf.nn.softplus(tf.cast(logits, tf.float32)))}

    # Scores ----------------------------------------------------------------------------------------------------------

    def scoring_networks(self):
        coder, judge = self.ema_generator, self.discriminator.get_layer("of_pairs_of_samples")
        return {
            "again": keras.Model(coder.inputs[0], coder.output["again"], name="again"),
            "features": keras.Model(judge.inputs, judge.get_layer("features").output, name="features_of_pairs"),
        }

    def scoring(self, samples, networks):
        """The mean L1 distance of the features of (x, x) and of (x, G(E(x))), and the samples made again."""
        again = networks["again"](samples, training=False)
        of_real, of_again = (networks["features"]([samples, one], training=False) for one in (samples, again))
        return keras.ops.mean(keras.ops.abs(of_real - of_again), axis=-1), again

    def watched_samples(self, count, seed):
        """Some of the data, made again by the networks as they are trained."""
        (samples,) = self.examples(count, seed)
        latents = tf.zeros((len(samples), self.latent_dim))
        return self.generator([tf.constant(samples), latents], training=False)["again"].numpy()
