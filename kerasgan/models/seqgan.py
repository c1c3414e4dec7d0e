"""SeqGAN: a GAN that writes texts, and learns of each token by what comes of it."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan.checks import is_whole
from kerasgan.game.gradients import gradients_of
from kerasgan.gan_types import Starting
from kerasgan.layers import Conv1D
from kerasgan.layers.highway import highway
from kerasgan.writer import MODEL, Writer

WINDOWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)  # tokens that convolutions of the discriminator see at a time


def build_discriminator(media, embedding, width, dropout):
    """One-hot tokens -> one logit: convolutions of many widths, the largest value of each channel, a highway layer."""
    length, vocabulary = media.shape
    tokens = keras.Input((length, vocabulary), name="samples")
    x = layers.Dense(embedding, use_bias=False, name="embedding")(tokens)
    seen = []
    for window in (window for window in WINDOWS if window <= length):
        y = layers.ReLU()(Conv1D(width, window, padding="valid")(x))
        seen.append(layers.GlobalMaxPooling1D()(y))
    x = seen[0] if len(seen) == 1 else layers.Concatenate()(seen)
    x = layers.Dense(1)(layers.Dropout(dropout)(highway(x)))
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="discriminator")


def worth_before(worth):
    """What texts were worth before each token, (batch, length): before the first, the mean over the batch."""
    first = tf.reduce_mean(worth[:, :1], axis=0, keepdims=True)
    return tf.concat([tf.repeat(first, tf.shape(worth)[0], axis=0), worth[:, :-1]], axis=1)


@keras.saving.register_keras_serializable(package="kerasgan")
class SeqGAN(Writer):
    """SeqGAN (Yu, Zhang, Wang & Yu, 2016, arXiv:1609.05473): texts, by policy gradient.

    The generator is a language model, which first learns alone, by the likelihood of real texts, for `pretraining`
    samples. Then the game begins. No gradient passes from the discriminator through tokens: the generator writes a
    text, and makes each of its tokens likelier by as much as it is worth (REINFORCE, Williams, 1992). That is how real
    the discriminator thinks what comes of it: the mean of its probability over `roll_outs` ends that are written behind
    the token; of the last token, its probability of the text itself. Roll-outs come from the moving average, by default
    of 0.8 of the old and 0.2 of the new weights, from which samples come, too. All prefixes of all texts are rolled out
    together, as one batch for each of the roll-outs.

    `RelGAN` is the better choice for texts of one's own: this game has a noisier gradient, and takes more time.

    Changed from the paper: of a token's worth, that of the text before it is subtracted (`baseline`), which leaves the
    gradient as it is in the mean, and makes it less noisy; five discriminator updates, each on new texts, for each of
    the generator; Adam 1e-3 in place of 1e-2 in pretraining, 1e-4 in the game.

    Args:
        fitted: what `kerasgan.data.text` learned, its attribute `fitted`.
        units: of the LSTM.
        embedding: length of the vector that a token is, for both networks.
        width: channels of each of the discriminator's convolutions.
        dropout: share of its units dropped.
        roll_outs: ends that are written behind each token.
        baseline: whether the worth of the text before a token is subtracted from the token's.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        temperature: of samples, above 0: below 1 they are likelier, and more alike. Roll-outs are at 1.
        seed, name, dtype: as in `kerasgan.GAN`.

    Example:

    ```python
    names = kerasgan.data.text("names.txt", seed=1)
    gan = kerasgan.models.SeqGAN(names.fitted)
    gan.compile()
    gan.fit(names, epochs=100)
    gan.generate(5, prefix="An")
    ```
    """

    starting = Starting(data={"reader": "text", "part": "train"}, model={}, compile={"clip_gradients": 5.0})
    default_discriminator_steps = 5
    default_ema_half_life = 200  # samples: 0.8 of the old weights after a batch of 64

    def __init__(
        self,
        fitted,
        units=32,
        embedding=32,
        width=64,
        dropout=0.25,
        roll_outs=16,
        baseline=True,
        pretraining=300_000,
        temperature=1.0,
        seed=None,
        name=None,
        dtype=None,
    ):
        if not is_whole(roll_outs):
            raise ValueError(f"roll_outs={roll_outs!r}: expected a whole number, 1 or more.")

        def discriminator(media):
            return build_discriminator(media, embedding, width, dropout)

        super().__init__(fitted, discriminator, units, embedding, pretraining, temperature, seed, name, dtype)
        self.roll_outs, self.baseline = roll_outs, baseline

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4, 0.9, 0.999), keras.optimizers.Adam(1e-3, 0.9, 0.999)

    def call_generator(self, sources, condition=None, training=True):
        """Texts, through which no gradient passes."""
        return tf.stop_gradient(self.generator(sources, training=training))

    def generator_gradients(self, batch, tape):
        """Gradients of the policy's loss; `tape` is not used: none passes through texts."""
        player = self.player("generator")
        worth = self.worth(batch.fake)
        if self.baseline:
            worth -= worth_before(worth)
        with tf.GradientTape() as own:
            likelihoods, counted = self.language_model.log_likelihoods(batch.fake)
            loss = -tf.reduce_mean(tf.reduce_sum(worth * likelihoods * counted, axis=1))
            terms = self.weighted_terms("generator", batch)
            total = player.scaled(self.weight("adversarial") * loss + sum(terms.values()))
        self.track(generator_loss=loss, **terms)
        return gradients_of(own, total, player.variables)

    def worth(self, texts):
        """What each token of one-hot texts is worth, 0 to 1: float32 (batch, length).

        Args:
            texts: float32 (batch, length, vocabulary), as the generator has written them.
        """
        texts = tf.stop_gradient(texts)
        length, count = texts.shape[1], tf.shape(texts)[0]
        seed = self.next_seed()
        itself = self._realness(texts)[:, None]
        if length == 1:
            return itself
        known = tf.linalg.band_part(tf.ones((length - 1, length)), -1, 0)  # row t: the first t + 1 tokens
        given = tf.reshape(known[:, None, :, None] * texts[None], (-1, *texts.shape[1:]))
        writer = self.ema_generator.get_layer(MODEL)

        def add(number, total):
            own = tf.random.experimental.stateless_fold_in(seed, number)
            return number + 1, total + self._realness(writer.rolled_out(own, given))

        start = (tf.constant(0), tf.zeros((count * (length - 1),)))
        _, total = tf.while_loop(
            lambda number, _: number < self.roll_outs, add, start, maximum_iterations=self.roll_outs
        )
        means = tf.transpose(tf.reshape(total / self.roll_outs, (length - 1, count)))
        return tf.stop_gradient(tf.concat([means, itself], axis=1))

    def _realness(self, texts):
        """The discriminator's probability that texts are real, (batch,); its state stays as it is."""
        with keras.StatelessScope():
            logits = self.call_discriminator(texts, training=False)
        return tf.sigmoid(tf.cast(logits, tf.float32))[:, 0]
