"""GANomaly: a sample is strange if the code of what is made of it is not the sample's own."""

import functools

import keras
import tensorflow as tf

from kerasgan.coding import build_decoder, build_encoder, features_of
from kerasgan.examples import Examples
from kerasgan.game import Game
from kerasgan.gan_types import Starting
from kerasgan.precision import policy
from kerasgan.scorer import Scorer, medium

_SCORES = ("codes", "samples")


def build_generator(shape, latent_dim, width):
    """Samples -> {"samples": made again, "code": theirs, "code_again": that of what was made}."""
    samples = keras.Input(shape, name="samples")
    code = build_encoder(shape, latent_dim, width, name="encoder")(samples)
    again = build_decoder(shape, latent_dim, width, input_name="code")(code)
    code_again = build_encoder(shape, latent_dim, width, name="second_encoder")(again)
    return keras.Model(samples, {"samples": again, "code": code, "code_again": code_again}, name="generator")


@keras.saving.register_keras_serializable(package="kerasgan")
class GANomaly(Scorer, Examples, Game):
    """GANomaly (Akcay, Atapour-Abarghouei & Breckon, 2018, arXiv:1805.06725).

    The generator encodes a sample, makes it again of its code, and encodes that once more. It minimizes how far the
    sample is from what is made of it (L1, weight 50), how far both codes are from each other (L2, weight 1), and how
    far the discriminator's features are of both (L2, weight 1: it does not try to win). Only normal samples are learned
    from; of others, the second code is another than the first, and the L1 distance of the codes is the score. Networks
    are DCGAN's, batch normalization included; Adam 2e-4 (0.5, 0.999), batches of 64, codes of 100 numbers.

    Changed from the paper: weights start as Keras starts them (Glorot); scores are those of the distance itself, not
    scaled to [0, 1] over the samples that happen to be tested, and are taken in inference mode: batch normalization
    knows nothing of other tested samples; weights of the discriminator are not drawn anew when its loss vanishes;
    scores come from the generator's moving average. Its training takes no threshold and no best epoch from labelled
    samples.

    Args:
        image_shape: (height, width, channels) of images; height and width multiples of 4, best of 16.
        length: samples of a sound, a multiple of 4, 16, 64, ...; for sounds, in place of `image_shape`.
        sample_rate, channels: of sounds, as in `kerasgan.models.WaveGAN`.
        fitted: of a table, for its rows, in place of `image_shape`: the attribute of `kerasgan.data.table`.
        latent_dim: numbers of a code.
        width: channels next to the sample; they double with each halving, up to 8 times.
        score: "codes", the paper's, or "samples": the mean square of how far a sample is from what is made of it.
        seed, name, dtype: as in `kerasgan.Game`.

    Example:

    ```python
    gan = kerasgan.models.GANomaly(image_shape=(32, 32, 1))
    gan.compile()
    gan.fit(kerasgan.data.images("normal/", size=32, channels=1, part="train"), epochs=50)
    gan.calibrate(kerasgan.data.images("normal/", size=32, channels=1, part="test"))
    found = gan.score(photographs, maps=True)
    ```
    """

    starting = Starting(
        data={"reader": "images", "size": 32, "channels": 3, "part": "train"},
        model={"image_shape": (32, 32, 3)},
    )
    default_weights = {"adversarial": 0.0, "features": 1.0, "contextual": 50.0, "codes": 1.0}

    def __init__(
        self,
        image_shape=(32, 32, 3),
        length=None,
        sample_rate=8000,
        channels=1,
        fitted=None,
        latent_dim=100,
        width=64,
        score="codes",
        seed=None,
        name=None,
        dtype=None,
    ):
        media = medium(image_shape, length, sample_rate, channels, fitted)
        if score not in _SCORES:
            raise ValueError(f"score={score!r}: expected one of {', '.join(map(repr, _SCORES))}.")
        with policy(dtype, seed):
            super().__init__(
                build_generator(media.shape, latent_dim, width),
                build_encoder(media.shape, 1, width, name="discriminator"),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.scored = score

    def unpack(self, data):
        samples, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"samples": samples}, None

    def sources_for(self, batch):
        """The samples themselves."""
        return batch.real["samples"]

    def call_discriminator(self, samples, condition=None, training=True):
        return self.discriminator(samples["samples"], training=training)

    def augment(self, samples):
        return {**samples, "samples": super().augment(samples["samples"])}

    def generator_terms(self, batch):
        """Distances of features (L2), of samples (L1) and of codes (L2), each a mean over all numbers."""
        with keras.StatelessScope():
            of_real, of_fake = (self._features(one["samples"], training=True) for one in (batch.real, batch.fake))
        return {
            "features": tf.reduce_mean(tf.square(tf.stop_gradient(of_real) - of_fake)),
            "contextual": tf.reduce_mean(tf.abs(tf.cast(batch.real["samples"], tf.float32) - batch.fake["samples"])),
            "codes": tf.reduce_mean(tf.square(batch.fake["code"] - batch.fake["code_again"])),
        }

    @functools.cached_property
    def _features(self):
        return features_of(self.discriminator)

    # Scores ----------------------------------------------------------------------------------------------------------

    def scoring_networks(self):
        return {"generator": self.ema_generator}

    def scoring(self, samples, networks):
        """The distance of both codes (L1), or of the samples (L2), and the samples made again."""
        found = networks["generator"](samples, training=False)
        if self.scored == "samples":
            difference = keras.ops.square(samples - found["samples"])
            return keras.ops.mean(difference, axis=tuple(range(1, len(samples.shape)))), found["samples"]
        difference = keras.ops.abs(found["code"] - found["code_again"])
        return keras.ops.mean(difference, axis=-1), found["samples"]

    def watched_samples(self, count, seed):
        """Some of the data, made again by the generator as it is trained."""
        (samples,) = self.examples(count, seed)
        return self.generator(samples, training=False)["samples"].numpy()
