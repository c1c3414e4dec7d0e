"""The LSTM that draws, held against Keras's, against distributions, and against what was written out."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from kerasgan.layers import StrokeLSTM
from kerasgan.layers.stroke_lstm import gumbel, split_parameters

COUNT = 20_000


@pytest.fixture
def layer():
    layer = StrokeLSTM(6, mixtures=2)
    layer.build()
    random = np.random.default_rng(0)
    for variable in layer.weights:
        variable.assign(random.normal(size=variable.shape) * 0.5)
    return layer


def expecting(logits=(0, 0), means=((0, 0), (0, 0)), spreads=((1, 1), (1, 1)), correlations=(0, 0), pen=(0, 0, 0), t=1):
    """A layer that expects the same in each step, whatever came before."""
    layer = StrokeLSTM(2, mixtures=2, temperature=t)
    layer.build()
    layer.head.assign(tf.zeros_like(layer.head))
    found = [*logits, *np.ravel(means), *np.log(np.ravel(spreads)), *np.arctanh(np.array(correlations) / 0.95), *pen]
    layer.head_bias.assign(np.array(found, "float32"))
    return layer


def drawn(layer, count=COUNT, points=1, given=None, seed=0):
    chances = tf.random.stateless_normal((count, points, 7), (seed, 0))
    given = tf.zeros((count, points, 5)) if given is None else tf.constant(given, tf.float32)
    return layer([chances, given]).numpy()


def test_what_is_expected_is_what_keras_has(layer):
    """Keras's LSTM, whose gates are in another order, and a dense layer."""
    points = np.random.default_rng(1).normal(size=(3, 7, 5)).astype("float32")
    points[..., 4] = 0  # none is over
    before = np.concatenate([np.tile([0, 0, 1, 0, 0], (3, 1, 1)), points[:, :-1]], axis=1)
    into, forget, out, new = np.arange(24).reshape(4, 6)
    order = [*into, *forget, *new, *out]
    keras_layer = keras.layers.LSTM(6, return_sequences=True)
    keras_layer.build(before.shape)
    keras_layer.set_weights(
        [w[..., order] for w in (layer.kernel.numpy(), layer.recurrent.numpy(), layer.bias.numpy())]
    )
    expected = keras_layer(before) @ layer.head + layer.head_bias
    np.testing.assert_allclose(layer.parameters(points), expected, rtol=1e-4, atol=1e-5)


def test_a_drawing_goes_on_from_its_own_points(layer):
    """Given its own rows one by one, each next one is the same: what it draws is what it would have expected."""
    rows = drawn(layer, 4, 9)
    np.testing.assert_allclose(drawn(layer, 4, 9, given=rows), rows, atol=1e-5)
    other = rows.copy()
    other[:, 3] = [5, 5, 1, 0, 0]
    changed = drawn(layer, 4, 9, given=other)
    np.testing.assert_allclose(changed[:, :4], rows[:, :4], atol=1e-5)  # of the fourth, what would have been drawn
    assert np.abs(changed[:, 4] - rows[:, 4]).max() > 0.01


def test_behind_the_end_is_the_end():
    rows = drawn(expecting(pen=(0, 0, 0)), 500, 12)
    over = np.round(rows[..., 4]) == 1
    assert 0.25 < over[:, 0].mean() < 0.42 and over[:, -1].mean() > 0.95
    assert (np.diff(over.astype(int), axis=1) >= 0).all()
    np.testing.assert_allclose(rows[over][:, :4], 0, atol=1e-5)
    np.testing.assert_allclose(rows[..., 2:].sum(axis=2), 1, atol=1e-5)


def test_offsets_are_of_the_mixture():
    """A quarter at (-3, 0), three at (3, 1), where x and y go together."""
    layer = expecting(
        logits=np.log((1, 3)),
        means=((-3, 3), (0, 1)),
        spreads=((0.1, 0.5), (0.1, 0.2)),
        correlations=(0, 0.8),
        pen=(0, 0, -50),
    )
    rows = drawn(layer)[:, 0]
    left = rows[rows[:, 0] < 0]
    right = rows[rows[:, 0] >= 0]
    assert len(left) / COUNT == pytest.approx(0.25, abs=0.012)
    np.testing.assert_allclose(left[:, :2].mean(axis=0), [-3, 0], atol=0.01)
    np.testing.assert_allclose(left[:, :2].std(axis=0), [0.101, 0.101], rtol=0.04)  # the least spread is added
    np.testing.assert_allclose(right[:, :2].mean(axis=0), [3, 1], atol=0.02)
    np.testing.assert_allclose(right[:, :2].std(axis=0), [0.501, 0.201], rtol=0.04)
    assert np.corrcoef(right[:, 0], right[:, 1])[0, 1] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_pen_and_the_temperature(temperature):
    """Components have shares of softmax(logits / temperature), variances are times as large, pens are as expected."""
    pen, logits = np.log((0.6, 0.3, 0.1)), np.log((1, 3))
    rows = drawn(expecting(logits, means=((-9, 9), (0, 0)), pen=pen, t=temperature))[:, 0]
    np.testing.assert_allclose(rows[:, 2:].mean(axis=0), (0.6, 0.3, 0.1), atol=0.012)
    moved = rows[rows[:, 4] < 0.5]
    right = moved[:, 0] > 0
    assert right.mean() == pytest.approx(scipy.special.softmax(logits / temperature)[1], abs=0.012)
    np.testing.assert_allclose(moved[right, :2].std(axis=0), np.sqrt(temperature) * 1.001, rtol=0.03)


def test_gradients_pass_through_a_drawing():
    """Of a mean it is the share of its component; of the logarithm of a spread it is zero on the mean."""
    layer = expecting(logits=np.log((1, 3)), pen=(0, 0, -50))
    with tf.GradientTape() as tape:
        x = tf.reduce_mean(layer([tf.random.stateless_normal((COUNT, 1, 7), (1, 0)), tf.zeros((COUNT, 1, 5))])[..., 0])
    gradient = tape.gradient(x, layer.head_bias).numpy()
    np.testing.assert_allclose(gradient[2:4], [0.25, 0.75], atol=0.012)
    np.testing.assert_allclose(gradient[6:8], 0, atol=0.02)


def test_gumbel_numbers_have_the_shares_of_normal_ones():
    normal = np.linspace(-3.9, 3.9, 200)
    shares = np.exp(-np.exp(-gumbel(tf.constant(normal, tf.float32)).numpy().astype("float64")))
    np.testing.assert_allclose(shares, scipy.special.ndtr(normal), atol=3e-4)
    assert np.isfinite(gumbel(tf.constant([-1e9, 1e9]))).all()


def test_parts_of_what_is_expected():
    numbers = tf.constant([[*range(1, 13), 0.1, 0.2, 0.3]], tf.float32)
    logits, means, spreads, correlation, pen = split_parameters(numbers, 2)
    np.testing.assert_array_equal(logits, [[1, 2]])
    np.testing.assert_array_equal(means, [[[3, 4]], [[5, 6]]])
    np.testing.assert_allclose(spreads, np.exp([[[5, 5]], [[5, 5]]]) + 1e-3, rtol=1e-5)  # bounded
    np.testing.assert_allclose(correlation, 0.95 * np.tanh([[11, 12]]), rtol=1e-5)
    np.testing.assert_allclose(pen, [[0.1, 0.2, 0.3]], rtol=1e-6)


def test_its_arguments_are_its_config():
    layer = StrokeLSTM(5, 3, 0.4, name="pen")
    assert StrokeLSTM.from_config(layer.get_config()).get_config() == layer.get_config()
    assert layer.compute_output_shape(((None, 4, 8), (None, 4, 5))) == (None, 4, 5)
    assert layer.compute_dtype == "float32"
