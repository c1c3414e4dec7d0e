"""The LSTM that writes, held against Keras's, against shares of tokens, and against what was given."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from kerasgan.layers import TokenLSTM

VOCABULARY, LENGTH = 4, 6


@pytest.fixture
def layer():
    layer = TokenLSTM(5, VOCABULARY, 3)
    layer.build()
    random = np.random.default_rng(0)
    for variable in layer.weights:
        variable.assign(random.normal(size=variable.shape))
    return layer


def expecting(logits, **options):
    """A layer that expects the same in each step, whatever came before."""
    layer = TokenLSTM(2, len(logits), 2, **options)
    layer.build()
    layer.head.assign(tf.zeros_like(layer.head))
    layer.head_bias.assign(np.float32(logits))
    return layer


def chances(count, length=LENGTH, vocabulary=VOCABULARY, seed=0):
    return tf.random.stateless_normal((count, length * vocabulary), (seed, 0))


def nothing(count, length=LENGTH, vocabulary=VOCABULARY):
    return tf.zeros((count, length, vocabulary))


def test_what_is_expected_is_what_keras_has(layer):
    """Keras's LSTM, whose gates are in another order and whose forget gate has our 1 in its bias."""
    tokens = np.eye(VOCABULARY, dtype="float32")[np.random.default_rng(1).integers(0, VOCABULARY, (3, LENGTH))]
    before = np.concatenate([np.zeros((3, 1, VOCABULARY)), tokens[:, :-1]], axis=1)
    into, forget, out, new = np.arange(20).reshape(4, 5)
    order = [*into, *forget, *new, *out]
    bias = layer.bias.numpy() + np.repeat([0, 1, 0, 0], 5)
    keras_layer = keras.layers.LSTM(5, return_sequences=True)
    keras_layer.build((None, None, 3))
    keras_layer.set_weights([w[..., order] for w in (layer.kernel.numpy(), layer.recurrent.numpy(), bias)])
    expected = keras_layer(before @ layer.vectors.numpy()) @ layer.head + layer.head_bias
    np.testing.assert_allclose(layer.logits(tokens), expected, rtol=1e-4, atol=1e-5)


def test_tokens_come_as_often_as_they_are_likely():
    logits = np.log([0.1, 0.2, 0.7])
    for temperature in (1.0, 0.5):
        layer = expecting(logits, ends=False, temperature=temperature)
        shares = layer([chances(20_000, 1, 3), nothing(20_000, 1, 3)]).numpy().mean(axis=(0, 1))
        np.testing.assert_allclose(shares, scipy.special.softmax(logits / temperature), atol=0.01)
        rolled = layer.rolled_out(tf.constant([1, 2]), nothing(20_000, 1, 3)).numpy().mean(axis=(0, 1))
        np.testing.assert_allclose(rolled, shares, atol=0.015)


def test_behind_the_end_there_are_only_ends(layer):
    tokens = layer([chances(200), nothing(200)]).numpy()
    assert set(np.unique(tokens)) == {0.0, 1.0} and (tokens.sum(axis=2) == 1).all()
    ended = np.maximum.accumulate(tokens[..., 0], axis=1)
    assert 0 < ended[:, -1].mean() and np.array_equal(ended, tokens[..., 0])
    without = TokenLSTM(5, VOCABULARY, 3, ends=False)
    without.build()
    without.set_weights(layer.get_weights())
    tokens = without([chances(200), nothing(200)]).numpy().argmax(axis=2)
    assert ((tokens[:, :-1] == 0) & (tokens[:, 1:] != 0)).any()


def test_a_text_goes_on_from_what_is_given(layer):
    """Given its own tokens, each next one is the same; given others, those behind are others."""
    tokens = layer([chances(8), nothing(8)])
    np.testing.assert_array_equal(layer([chances(8), tokens]), tokens)
    given = np.zeros((8, LENGTH, VOCABULARY), "float32")
    given[:, 0, 3] = 1
    whole = tf.where(tf.reduce_any(given != 0, axis=2, keepdims=True), given, layer([chances(8), given]))
    np.testing.assert_array_equal(layer([chances(8), whole])[:, 1:], whole[:, 1:])
    rolled = layer.rolled_out(tf.constant([1, 2]), given).numpy()
    assert (rolled[:, 0, 3] == 1).all() and len(np.unique(rolled, axis=0)) > 1


def test_relaxed_is_the_same_text_with_the_gradient_of_shares(layer):
    """Of one step, without noise: the derivative of softmax(b l) for l is b (diag(s) - s s')."""
    inputs = chances(8), nothing(8)
    np.testing.assert_allclose(layer.relaxed(inputs, 3.0), layer(inputs), atol=1e-6)
    shares = layer.relaxed(inputs, 3.0, hard=False).numpy()
    np.testing.assert_allclose(shares.sum(axis=2), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(shares.argmax(axis=2), layer(inputs).numpy().argmax(axis=2))
    one = expecting([0.1, 0.5, -0.2], ends=False, temperature=0.0)
    for hard in (True, False):
        with tf.GradientTape() as tape:
            value = one.relaxed((chances(1, 1, 3), nothing(1, 1, 3)), 2.0, hard)[0, 0, 1]
        s = scipy.special.softmax(2 * np.array([0.1, 0.5, -0.2]))
        expected = 2 * s[1] * (np.array([0, 1, 0]) - s)
        np.testing.assert_allclose(tape.gradient(value, one.head_bias), expected, rtol=1e-5)


def test_the_first_token_learns_of_what_comes_of_it(layer):
    with tf.GradientTape() as tape:
        last = layer.relaxed((chances(4), nothing(4)), 1.0)[:, -1, 1]
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(last, layer.trainable_variables))


def test_likelihoods_count_up_to_the_end():
    logits = np.log([0.1, 0.2, 0.7])
    tokens = np.eye(3, dtype="float32")[[[2, 1, 0, 0], [2, 2, 2, 2]]]
    found, counted = expecting(logits).log_likelihoods(tokens)
    np.testing.assert_allclose(found, np.log([[0.7, 0.2, 0.1, 0.1], [0.7] * 4]), rtol=1e-5)
    np.testing.assert_array_equal(counted, [[1, 1, 1, 0], [1, 1, 1, 1]])
    assert (expecting(logits, ends=False).log_likelihoods(tokens)[1].numpy() == 1).all()
