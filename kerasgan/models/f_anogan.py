"""f-AnoGAN: a GAN of normal samples, then an encoder into its latents; what it cannot make again is strange."""

import functools

import keras
import tensorflow as tf

from kerasgan.checks import number
from kerasgan.coding import build_decoder, build_encoder, features_of
from kerasgan.examples import Examples
from kerasgan.game.batch import once_there
from kerasgan.game.gradients import gradients_of
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.penalties import GradientPenalty
from kerasgan.precision import policy
from kerasgan.scorer import Scorer, medium
from kerasgan.tasks import GENERATION

_KAPPA = 1.0  # the paper's weight of the features


@keras.saving.register_keras_serializable(package="kerasgan")
class FAnoGAN(Scorer, Examples, GAN):
    """f-AnoGAN (Schlegl, Seeböck, Waldstein, Langs & Schmidt-Erfurth, 2019, Medical Image Analysis 54, 30-44).

    Two stages. First a Wasserstein GAN with gradient penalty learns to make normal samples: weight 10, five critic
    updates a generator update, Adam 1e-4 (0, 0.9), latents from N(0, 1). Then the encoder alone learns, by RMSprop
    5e-5, to find latents of which the generator makes a sample again: the mean square of the difference of the samples,
    plus that of the critic's features of both. The same sum is the score (`izi_f`). Codes end in tanh, as in the
    authors' code: they cannot leave the middle of what the generator was trained on.

    Changed from the paper: networks are DCGAN's, without normalization in the critic, instead of residual ones with
    layer normalization, and start as Keras starts them (Glorot); the generator of the second stage and of scores is the
    moving average.

    Args:
        image_shape: (height, width, channels) of images; height and width multiples of 4, best of 16.
        length: samples of a sound, a multiple of 4, 16, 64, ...; for sounds, in place of `image_shape`.
        sample_rate, channels: of sounds, as in `kerasgan.models.WaveGAN`.
        fitted: of a table, for its rows, in place of `image_shape`: the attribute of `kerasgan.data.table`.
        latent_dim: length of the latent vector.
        width: channels next to the sample; they double with each halving, up to 8 times.
        generator_samples: after so many samples seen, the encoder's stage begins.
        seed, name, dtype: as in `kerasgan.GAN`.

    Example:

    ```python
    gan = kerasgan.models.FAnoGAN(image_shape=(64, 64, 1))
    gan.compile()
    gan.fit(kerasgan.data.images("normal/", size=64, channels=1, part="train"), epochs=500)
    gan.calibrate(kerasgan.data.images("normal/", size=64, channels=1, part="test"))
    found = gan.score(scans, maps=True)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3, "part": "train"},
        model={"image_shape": (64, 64, 3)},
    )
    further_tasks = (GENERATION,)
    players = ("discriminator", "generator", "encoder")
    stages = 2
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_discriminator_steps = 5
    default_weights_of_others = {"encoder": {"reconstruction": 1.0, "features": _KAPPA}}

    def __init__(
        self,
        image_shape=(64, 64, 3),
        length=None,
        sample_rate=8000,
        channels=1,
        fitted=None,
        latent_dim=128,
        width=64,
        generator_samples=300_000,
        seed=None,
        name=None,
        dtype=None,
    ):
        media = medium(image_shape, length, sample_rate, channels, fitted)
        number("generator_samples", generator_samples, None, least=1, whole=True)
        with policy(dtype, seed):
            super().__init__(
                build_decoder(media.shape, latent_dim, width, name="generator"),
                build_encoder(media.shape, 1, width, normalization="none", name="critic"),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
            self.encoder = build_encoder(media.shape, latent_dim, width)
        self.generator_samples = generator_samples

    @staticmethod
    def default_optimizers():
        return (
            keras.optimizers.Adam(1e-4, 0.0, 0.9),
            keras.optimizers.Adam(1e-4, 0.0, 0.9),
            keras.optimizers.RMSprop(5e-5),
        )

    # The game ------------------------------------------------------------------------------------------------------

    def stage_at(self, samples_seen):
        """0 while generator and critic learn, 1 while the encoder does."""
        return 0 if samples_seen < self.generator_samples else 1

    @property
    def metrics(self):
        """Those of the players that learn in this stage."""
        own = tuple(self.default_weights_of_others["encoder"])
        return [
            metric
            for metric in super().metrics
            if metric.name == "stage" or metric.name.startswith(("encoder_", *own)) == bool(self.stage)
        ]

    def train_step(self, data):
        """In the first stage a round of the game without the encoder, in the second an update of it for each batch."""
        with once_there(data):
            batches = self.batches(data)
            if self.stage:
                for batch in batches:
                    self.update(["encoder"], self._encoder_gradients, batch)
            else:
                for batch in batches[:-1]:
                    self.update_discriminator(batch)
                self.update_both(batches[-1])
            self.track(stage=self.stage)
            return self.end_of_step(len(batches) * batches[0].count, batches[0].count)

    def _encoder_gradients(self, batch):
        player = self.player("encoder")
        with tf.GradientTape() as tape:
            terms = self.weighted_terms("encoder", batch)
            total = player.scaled(sum(terms.values()))
        self.track(encoder_loss=sum(terms.values()), **terms)
        return gradients_of(tape, total, player.variables)

    def encoder_terms(self, batch):
        """Mean squares of the differences of samples, and of the critic's features, from what is made of the codes."""
        with keras.StatelessScope():
            again = self.ema_generator(keras.ops.tanh(self.encoder(batch.real, training=True)), training=False)
        samples = tf.cast(batch.real, tf.float32)
        of_real, of_again = (tf.cast(self._features(one, training=False), tf.float32) for one in (samples, again))
        return {
            "reconstruction": tf.reduce_mean(tf.square(samples - again)),
            "features": tf.reduce_mean(tf.square(of_real - of_again)),
        }

    @functools.cached_property
    def _features(self):
        return features_of(self.discriminator)

    def held_out_losses(self, batch):
        """As `Game.held_out_losses`, of the players that learn in this stage."""
        if self.stage:
            terms = self.weighted_terms("encoder", batch)
            return {"encoder_loss": sum(terms.values()), **terms}
        found, of_encoder = super().held_out_losses(batch), ("encoder_loss", *self.default_weights_of_others["encoder"])
        return {name: value for name, value in found.items() if name not in of_encoder}

    # Scores ----------------------------------------------------------------------------------------------------------

    def scoring_networks(self):
        return {
            "encoder": self.encoder,
            "generator": self.ema_generator,
            "features": self._features,
        }

    def scoring(self, samples, networks):
        """The sum that the encoder minimizes, of each sample, and the samples made again."""
        again = networks["generator"](keras.ops.tanh(networks["encoder"](samples, training=False)), training=False)
        of_real, of_again = (networks["features"](one, training=False) for one in (samples, again))
        residual = keras.ops.mean(keras.ops.square(samples - again), axis=tuple(range(1, len(samples.shape))))
        return residual + _KAPPA * keras.ops.mean(keras.ops.square(of_real - of_again), axis=-1), again

    def preview(self, count, seed):
        """New samples while the generator learns, then samples of the data and what is made of them, in turn."""
        return super().preview(count, seed) if self.stage else self.generate(count, seed=seed)
