"""An LSTM that writes: it says which token may come next, chooses, and goes on from there."""

import keras
import tensorflow as tf

from kerasgan.layers.stroke_lstm import FARTHEST_NORMAL

LEAST = 1e-20  # of a uniform number, whose logarithm is taken


@keras.saving.register_keras_serializable(package="kerasgan")
class TokenLSTM(keras.layers.Layer):
    """A language model of one LSTM (Hochreiter & Schmidhuber, 1997), as a function of the chances that it takes.

    In each step it sees the token before, and gives a logit for each token of the vocabulary. Which one comes is the
    largest of the logits with Gumbel noise (Maddison et al., 2014, arXiv:1411.0030), made of numbers that are given:
    the same numbers write the same text. Everything is computed in float32.

    Args:
        units: of the LSTM.
        vocabulary: number of tokens.
        embedding: length of the vector that a token is for the LSTM.
        ends: whether token 0 is the end of a text, behind which there is nothing but ends.
        temperature: multiplies the noise; from 0 (the likeliest) to 1 (what it has learned).

    Inputs: [chances (batch, length * vocabulary), standard normal numbers; given (batch, length, vocabulary)]. Where a
    row of `given` is not all zeros, the text goes on from it instead of the token that was drawn.

    Output: (batch, length, vocabulary), the token drawn in each step, one-hot. No gradient passes; see `relaxed`.
    """

    def __init__(self, units, vocabulary, embedding=32, ends=True, temperature=1.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.units, self.vocabulary, self.embedding = int(units), int(vocabulary), int(embedding)
        self.ends, self.temperature = bool(ends), float(temperature)

    def build(self, input_shape=None):
        self.vectors = self.add_weight((self.vocabulary, self.embedding), "glorot_uniform", name="vectors")
        self.kernel = self.add_weight((self.embedding, 4 * self.units), "glorot_uniform", name="kernel")
        self.recurrent = self.add_weight((self.units, 4 * self.units), "orthogonal", name="recurrent")
        self.bias = self.add_weight((4 * self.units,), "zeros", name="bias")
        self.head = self.add_weight((self.units, self.vocabulary), "glorot_uniform", name="head")
        self.head_bias = self.add_weight((self.vocabulary,), "zeros", name="head_bias")

    def call(self, inputs):
        chances, given = inputs
        return self._written(self._noise(chances, given), given, one_hot)

    def relaxed(self, inputs, inverse_temperature, hard=True):
        """What `call` writes, with a gradient: that of the Gumbel softmax (Jang et al., 2016, arXiv:1611.01144).

        Each step goes on from the token itself; backward, in its place stand the shares that the softmax gives to all
        tokens (straight-through).

        Args:
            inputs: as of `call`.
            inverse_temperature: number or scalar tensor, by which logits with noise are multiplied: the higher, the
                nearer shares are to one token.
            hard: whether tokens are returned, with the gradient of the shares; False returns the shares themselves.

        Returns:
            float32 (batch, length, vocabulary).
        """
        chances, given = inputs

        def choose(scores):
            shares = tf.nn.softmax(scores * inverse_temperature)
            return shares + tf.stop_gradient(one_hot(scores) - shares)

        def shares_of(scores):
            return tf.nn.softmax(scores * inverse_temperature)

        return self._written(self._noise(chances, given), given, choose, None if hard else shares_of)

    def rolled_out(self, seed, given):
        """Texts that begin as given, with noise of a seed in place of chances: one-hot, (batch, length, vocabulary).

        Args:
            seed: int32 (2,).
            given: as in `call`; its rows themselves are returned where they are not all zeros.
        """
        shape = tf.stack([tf.shape(given)[0], self.vocabulary])

        def noise(step):
            own = tf.random.experimental.stateless_fold_in(seed, step)
            drawn = tf.random.stateless_uniform(shape, own, minval=LEAST)
            return -self.temperature * tf.math.log(-tf.math.log(drawn))

        written = self._written(noise, given, one_hot)
        return tf.where(tf.reduce_any(given != 0.0, axis=2, keepdims=True), given, written)

    def logits(self, tokens):
        """Logits of each token, knowing those before: one-hot (batch, length, vocabulary) -> the same shape."""

        before = tf.pad(tf.stop_gradient(tokens)[:, :-1], ((0, 0), (1, 0), (0, 0)))
        seen = self._seen(before)  # of all steps at once

        def follow(step, hidden, cell, token, rows):
            hidden, cell = self._remember(tf.gather(seen, step, axis=1), hidden, cell)
            return step + 1, hidden, cell, token, rows.write(step, hidden)

        return self._loop(follow, tokens, self.units) @ self.head + self.head_bias

    def log_likelihoods(self, tokens):
        """Logarithms of how likely each token is, and 1 up to the end of a text: two float32 (batch, length)."""
        tokens = tf.cast(tokens, tf.float32)
        found = tf.reduce_sum(tokens * tf.nn.log_softmax(self.logits(tokens)), axis=-1)
        return found, _up_to_end(tokens) if self.ends else tf.ones_like(found)

    def _noise(self, chances, given):
        """Function from a step to its Gumbel noise, (batch, vocabulary)."""
        chances = tf.reshape(chances, (-1, given.shape[1], self.vocabulary))
        return lambda step: self.temperature * gumbel(_at(step, chances))

    def _written(self, noise, given, choose, shown=None):
        """Writes a text; `choose` makes a token of logits with noise, `shown` what is returned of it."""
        end = tf.one_hot(0, self.vocabulary)

        def write(step, hidden, cell, before, rows):
            hidden, cell = self._remember(self._seen(before), hidden, cell)
            scores = hidden @ self.head + self.head_bias + noise(step)
            token = choose(scores)
            row = token if shown is None else shown(scores)
            if self.ends:
                over = before[:, :1]
                token, row = over * end + (1.0 - over) * token, over * end + (1.0 - over) * row
            own = _at(step, given)
            is_free = 1.0 - tf.reduce_max(tf.abs(own), axis=1, keepdims=True)
            return step + 1, hidden, cell, own + is_free * token, rows.write(step, row)

        return self._loop(write, given, self.vocabulary)

    def _loop(self, body, tokens, width):
        """Runs a step for each of the tokens, and returns the rows that it wrote: (batch, length, width)."""
        steps = tokens.shape[1]
        start = tf.zeros_like(tokens[:, 0])
        zeros = tf.zeros_like(start[:, :1]) + tf.zeros((self.units,))
        rows = tf.TensorArray(tf.float32, steps, element_shape=(tokens.shape[0], width))
        state = (tf.constant(0), zeros, zeros, start, rows)
        rows = tf.while_loop(lambda step, *_: step < steps, body, state, maximum_iterations=steps)[-1]
        return tf.transpose(rows.stack(), (1, 0, 2))

    def _seen(self, tokens):
        """What tokens add to the gates."""
        return (tokens @ self.vectors) @ self.kernel + self.bias

    def _remember(self, seen, hidden, cell):
        """A step of the LSTM."""
        gates = seen + hidden @ self.recurrent
        into, forget, out, new = tf.split(gates, 4, axis=1)
        cell = tf.sigmoid(forget + 1.0) * cell + tf.sigmoid(into) * tf.tanh(new)
        return tf.sigmoid(out) * tf.tanh(cell), cell

    def compute_output_shape(self, input_shape):
        return input_shape[1]

    def get_config(self):
        own = {name: getattr(self, name) for name in ("units", "vocabulary", "embedding", "ends", "temperature")}
        return {**super().get_config(), **own}


def one_hot(scores):
    """1 at the largest number of each row, 0 elsewhere."""
    return tf.one_hot(tf.argmax(scores, axis=-1), scores.shape[-1])


def gumbel(normal):
    """As that of `kerasgan.layers.stroke_lstm`, but for operations that ONNX has: it knows no log1p."""
    normal = tf.clip_by_value(normal, -FARTHEST_NORMAL, FARTHEST_NORMAL)
    logit = 1.5976 * normal + 0.07056 * normal * normal * normal
    return -tf.math.log(tf.math.log(1.0 + tf.exp(-tf.abs(logit))) + tf.nn.relu(-logit))


def _up_to_end(tokens):
    """1 for each row of one-hot texts up to the first that is the end (token 0), and that one; 0 behind it."""
    ended = tf.cumsum(tf.cast(tf.argmax(tokens, axis=-1) == 0, tf.float32), axis=1, exclusive=True)
    return tf.cast(ended == 0.0, tf.float32)


def _at(step, values):
    """A step of data (batch, length, width), for which no gradient is asked: the loop would add up one for each."""
    return tf.stop_gradient(tf.gather(values, step, axis=1))
