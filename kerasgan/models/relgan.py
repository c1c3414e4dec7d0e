"""RelGAN: a GAN that writes texts, through whose tokens gradients pass."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan.checks import is_number, is_whole
from kerasgan.gan_types import Starting
from kerasgan.layers import Conv2D
from kerasgan.layers.highway import highway
from kerasgan.schedules import Geometric
from kerasgan.writer import Writer

WINDOWS = (2, 3, 4, 5)  # tokens that convolutions of the discriminator see at a time


def build_discriminator(media, representations, width, dropout):
    """One-hot tokens -> a logit for each of several representations of the text, of one number a token each."""
    length, vocabulary = media.shape
    tokens = keras.Input((length, vocabulary), name="samples")
    x = layers.Dense(representations, use_bias=False, name="embedding")(tokens)
    x = layers.Reshape((length, representations, 1))(x)
    seen = []
    for window in (window for window in WINDOWS if window <= length or window == WINDOWS[0]):
        y = Conv2D(width, (window, 1), padding="valid" if window <= length else "same")(x)
        y = layers.ReLU()(y)
        y = layers.MaxPooling2D((y.shape[1], 1))(y)
        seen.append(layers.Reshape((representations, width))(y))
    x = layers.Dropout(dropout)(highway(layers.Concatenate()(seen)))
    x = layers.Dense(1)(layers.Dense(width)(x))
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="discriminator")


@keras.saving.register_keras_serializable(package="kerasgan")
class RelGAN(Writer):
    """RelGAN (Nie, Narodytska & Patel, ICLR 2019, OpenReview rJedV3R5tm): texts, token by token.

    The generator is a language model, which first learns alone, by the likelihood of real texts, for `pretraining`
    samples. Then the game begins: it writes texts itself, the discriminator compares each with a real one (relativistic
    standard GAN: the loss "relativistic_pairing"). Gradients pass through its choice of tokens by the Gumbel softmax
    with straight-through tokens, whose inverse temperature grows by the same factor with each sample, from 1 to
    `inverse_temperature`: first gradients with little variance, then ones with little bias. The discriminator sees a
    text in several embeddings of one number a token, convolves windows of 2 to 5 tokens, and gives a logit for each.
    Adam 1e-4, five discriminator updates a generator update.

    Changed from the paper: the memory is an LSTM, with which the paper compares its relational memory; the
    discriminator sees tokens, whose gradient is that of the shares, where the paper's sees the shares themselves
    (`hard=False`), by which it tells them from real ones at once; fewer and smaller convolutions (64 representations
    and 300 channels in the paper); pretraining has Adam 1e-3 in place of 1e-2. Samples come from a moving average.

    Args:
        fitted: what `kerasgan.data.text` learned, its attribute `fitted`.
        units: of the LSTM.
        embedding: length of the vector that a token is for the LSTM.
        representations: embeddings of the discriminator.
        width: channels of each of its convolutions.
        dropout: share of its units dropped.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        inverse_temperature: of the Gumbel softmax in the end, 1 or more: 100 in the paper for varied texts, 1000 for
            ones of a higher quality.
        annealing: samples of the game after which it is reached.
        hard: whether the discriminator sees tokens, not shares of them.
        temperature: of samples, above 0: below 1 they are likelier, and more alike. It is an attribute, which may be
            changed at any time.
        seed, name, dtype: as in `kerasgan.GAN`.

    Example:

    ```python
    names = kerasgan.data.text("names.txt", seed=1)
    gan = kerasgan.models.RelGAN(names.fitted)
    gan.compile()
    gan.fit(names, epochs=100)
    gan.generate(5, prefix="An")
    ```
    """

    starting = Starting(data={"reader": "text", "part": "train"}, model={})
    default_loss = "relativistic_pairing"
    default_discriminator_steps = 5

    def __init__(
        self,
        fitted,
        units=256,
        embedding=32,
        representations=16,
        width=64,
        dropout=0.25,
        pretraining=300_000,
        inverse_temperature=100.0,
        annealing=200_000,
        hard=True,
        temperature=1.0,
        seed=None,
        name=None,
        dtype=None,
    ):
        if not is_number(inverse_temperature, 1, 1e6):
            raise ValueError(f"inverse_temperature={inverse_temperature!r}: expected a number of at least 1.")
        if not is_whole(annealing):
            raise ValueError(f"annealing={annealing!r}: expected a whole number of samples, 1 or more.")

        def discriminator(media):
            return build_discriminator(media, representations, width, dropout)

        super().__init__(fitted, discriminator, units, embedding, pretraining, temperature, seed, name, dtype)
        begins = self.pretraining or 0
        self.sharpness, self.hard = Geometric(1.0, inverse_temperature, begins + annealing, begins), hard

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4, 0.9, 0.999), keras.optimizers.Adam(1e-3, 0.9, 0.999)

    def call_generator(self, sources, condition=None, training=True):
        """Texts with the gradient of the Gumbel softmax, at the inverse temperature of the moment."""
        sharpness = self.sharpness(tf.cast(self.samples_seen, tf.float32))
        return self.language_model.relaxed(sources, sharpness, self.hard)
