"""Writer: the game whose samples are texts, written token by token, of which some may be given."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.checks import number
from kerasgan.game.pretraining import Pretraining
from kerasgan.gan import GAN
from kerasgan.given import Given
from kerasgan.layers import TokenLSTM
from kerasgan.media import Text
from kerasgan.precision import in_float32, policy
from kerasgan.structures import joined
from kerasgan.tasks import TEXT_GENERATION
from kerasgan.tokens import normal

MODEL = "language_model"  # the layer of the generator
_RATE = 0.1  # of the learning rate of pretraining, at which the generator goes on in the game


def build_generator(media, units, embedding):
    """[Latents, given tokens] -> tokens of a text, one-hot (length, vocabulary)."""
    length, vocabulary = media.shape
    latents = keras.Input((length * vocabulary,), name="latents")
    given = keras.Input((length, vocabulary), name="given")
    tokens = TokenLSTM(units, vocabulary, embedding, media.ends, name=MODEL)([latents, given])
    return keras.Model([latents, given], tokens, name="generator")


@keras.saving.register_keras_serializable(package="kerasgan")
class Tokens(keras.layers.Layer):
    """One-hot vectors as the numbers of their ones: (..., vocabulary) -> int32 (...)."""

    def call(self, inputs):
        return tf.cast(tf.argmax(inputs, axis=-1), tf.int32)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape[:-1], "int32")


class Writer(Given, Pretraining, GAN):
    """A game whose generator is a language model: what types of texts inherit.

    For `pretraining` samples it learns alone, by the likelihood of real texts; then the game begins, with new
    optimizers, and a tenth of the generator's learning rate where that is not scheduled. What decides between tokens
    are the latents, as many standard normal numbers for each token as there are in the vocabulary: the same latents
    write the same text. Where rows of "given" are not all zeros, the text goes on from them.

    A type says in its constructor what judges texts, and in its game how the generator learns of it.

    Args:
        fitted: what `kerasgan.data.text` learned, its attribute `fitted`.
        discriminator: function of the medium that returns the network, one-hot tokens (length, vocabulary) -> logits.
        units: of the LSTM.
        embedding: length of the vector that a token is for the LSTM.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        temperature: of samples, above 0: below 1 they are likelier, and more alike.
        seed, name, dtype: as in `kerasgan.GAN`.
    """

    task = TEXT_GENERATION

    def __init__(self, fitted, discriminator, units, embedding, pretraining, temperature, seed, name, dtype):
        pretraining = self.check_pretraining(pretraining)
        media = Text(fitted)
        with policy(dtype, seed):
            super().__init__(
                build_generator(media, units, embedding),
                discriminator(media),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.temperature = temperature
        self.set_pretraining(pretraining)

    # The game ------------------------------------------------------------------------------------------------------

    @property
    def language_model(self):
        """The `kerasgan.layers.TokenLSTM` that learns."""
        return self.generator.get_layer(MODEL)

    def pretraining_loss(self, batch):
        """How unlikely real texts are, in nats a token."""
        return negative_log_likelihood(self.language_model, batch.real)

    def on_stage(self):
        super().on_stage()
        if not callable(self.learning_rate["generator"]):
            optimizer = self.player("generator").optimizer
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
            optimizer.learning_rate.assign(_RATE * optimizer.learning_rate)

    def negative_log_likelihood(self, samples):
        """How unlikely texts are to the moving-average generator: nats a token, the end of a text among them.

        Args:
            samples: list of strings, such as held-out ones, or float32 (count, length, vocabulary) in model range.

        Returns:
            A number.
        """
        if isinstance(samples, list):
            samples = self.media.to_model(samples)
        self.check(samples)
        layer, parts = self.ema_generator.get_layer(MODEL), range(0, len(samples), 256)
        found = [layer.log_likelihoods(samples[start : start + 256]) for start in parts]
        total = sum(float(tf.reduce_sum(likelihoods * counted)) for likelihoods, counted in found)
        return -total / sum(float(tf.reduce_sum(counted)) for _, counted in found)

    # Samples -------------------------------------------------------------------------------------------------------

    @property
    def temperature(self):
        return self.ema_generator.get_layer(MODEL).temperature

    @temperature.setter
    def temperature(self, value):
        value = number("temperature", value, None)
        if not 0 < value <= 10:
            raise ValueError(f"temperature={value!r}: expected a number above 0 and up to 10.")
        self.ema_generator.get_layer(MODEL).temperature = value
        self._samplers.pop(self.ema_generator, None)  # which was traced with the other one

    def generate(self, count, labels=None, seed=None, truncation=None, prefix=None, return_latents=False):
        """New texts from the moving-average generator, a list of strings.

        ```python
        gan.generate(5, prefix="un", seed=1)
        ```

        Args:
            count: how many, at least 1.
            labels: None; texts have no classes.
            seed: integer; the same seed gives the same texts, and the first of them whatever `count` is.
            truncation: as in `kerasgan.GAN.generate`.
            prefix: what all texts begin with, or None.
            return_latents: as in `GAN.generate`.

        Returns:
            List of `count` strings.

        Raises:
            ValueError: an argument is out of its range, or the prefix has tokens that the data had not.
        """
        if labels is not None:
            raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out.")
        given = None if prefix is None else self._given(prefix)
        return super().generate(count, given, seed, truncation, return_latents)

    def _given(self, prefix):
        """The rows of a prefix, float32 (length, vocabulary), zeros behind it."""
        if not isinstance(prefix, str):
            raise ValueError(f"prefix={prefix!r}: expected a string.")
        text = normal(prefix) + " " * prefix[-1:].isspace() * (self.media.unit == "character")
        numbers = self.media.numbers(text, "prefix")
        if len(numbers) >= self.media.length:
            unit = self.media.unit
            raise ValueError(
                f"prefix={prefix!r} has {len(numbers)} {unit}s: expected at most {self.media.length - 1}, as texts of "
                f"this model have up to {self.media.length}."
            )
        given = np.zeros(self.media.shape, "float32")
        given[np.arange(len(numbers)), numbers] = 1.0
        return given

    def watched_samples(self, count, seed):
        return joined(list(self._sample_batches(count, None, seed, None, self.generator)))

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: the moving-average generator at its temperature.

        Returns:
            A functional `keras.Model`, [latents, given tokens] -> int32 (batch, length), the numbers of tokens.
        """
        generator = in_float32(self.ema_generator)
        inputs = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in generator.inputs]
        tokens = Tokens(dtype="float32", name="tokens")(generator(inputs, training=False))
        return keras.Model(inputs, tokens)

    def inference_inputs(self, count, seed=0):
        """Latents, and texts as given tokens: their own.

        So a file is held against Keras token by token: a text that goes on from its own is another one from the first
        token on that rounding has changed.
        """
        inputs = super().inference_inputs(count, seed)
        return {**inputs, "given": np.asarray(self._sampler(self.ema_generator)(tf.constant(inputs["latents"]), None))}

    def inference_description(self):
        """Latents, and tokens that are given: zeros from the first one that it shall write."""
        given = {"name": "given", "kind": "tokens", "range": [0.0, 1.0]}
        return [*super().inference_description(), given]

    def inference_outputs(self):
        """The numbers of tokens, with what makes strings of them."""
        media = self.media
        most = len(media.vocabulary) - 1
        return [{"name": media.plural, "kind": media.kind, "range": [0, most], **media.described()}]

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


def negative_log_likelihood(language_model, tokens):
    """How unlikely one-hot texts are to a `kerasgan.layers.TokenLSTM`: nats a token, float32 scalar."""
    likelihoods, counted = language_model.log_likelihoods(tokens)
    return -tf.reduce_sum(likelihoods * counted) / tf.maximum(tf.reduce_sum(counted), 1.0)
