"""An LSTM that draws: it says where a pen may go next, chooses, and goes on from there."""

import keras
import tensorflow as tf

FARTHEST_NORMAL = 4.0  # standard deviations up to which a latent counts: behind, 32 bits have no room for what comes
LEAST_SPREAD = 1e-3  # of a component, in standard deviations of the data's offsets
MOST_CORRELATED = 0.95
START = (0.0, 0.0, 1.0, 0.0, 0.0)  # the pen is down at the origin
END = (0.0, 0.0, 0.0, 0.0, 1.0)


@keras.saving.register_keras_serializable(package="kerasgan")
class StrokeLSTM(keras.layers.Layer):
    """The decoder of Sketch-RNN (Ha & Eck, 2017, arXiv:1704.03477), as a function of the chances that it takes.

    In each step an LSTM sees the point before, (dx, dy, pen draws on, pen is lifted, sketch is over), and gives a
    mixture of two-dimensional normal distributions for the next offset, and three logits for the pen. Which component,
    where in it, and which pen follows from numbers that are given, so that the same numbers draw the same sketch.

    Gradients pass through a drawing. An offset is the mean of its component plus its spread times a number that is
    given (Kingma & Welling, 2013, arXiv:1312.6114). Which component, and which pen, are the likeliest of logits with
    Gumbel noise (Maddison et al., 2014, arXiv:1411.0030): one of them forward, and backward the softmax in its place
    (the straight-through estimator of Jang et al., 2016, arXiv:1611.01144).

    Everything is computed in float32: a sketch adds up as many steps as it has points.

    Args:
        units: of the LSTM.
        mixtures: components.
        temperature: of offsets, from 0 (the likeliest) to 1 (what it has learned): divides the logits of components,
            and multiplies variances. Pens are drawn as learned: in most steps the likeliest is to draw on, so that a
            lower temperature, which Sketch-RNN has for them, too, would lift the pen and stop less often than people.

    Inputs: [chances (batch, points, mixtures + 5), standard normal numbers; given (batch, points, 5)]. Where a row of
    `given` is not all zeros, the drawing goes on from it instead of the row that was drawn.

    Output: (batch, points, 5), the row drawn in each step: offsets, and one of the last three numbers is 1.
    """

    def __init__(self, units, mixtures=10, temperature=1.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.units, self.mixtures, self.temperature = int(units), int(mixtures), float(temperature)

    def build(self, input_shape=None):
        self.kernel = self.add_weight((5, 4 * self.units), "glorot_uniform", name="kernel")
        self.recurrent = self.add_weight((self.units, 4 * self.units), "orthogonal", name="recurrent")
        self.bias = self.add_weight((4 * self.units,), _remembering, name="bias")
        self.head = self.add_weight((self.units, 6 * self.mixtures + 3), "glorot_uniform", name="head")
        self.head_bias = self.add_weight((6 * self.mixtures + 3,), "zeros", name="head_bias")

    def call(self, inputs):
        chances, given = inputs

        def draw(step, hidden, cell, before, rows):
            hidden, cell = self._remember(before, hidden, cell)
            row = self._drawn(hidden @ self.head + self.head_bias, _at(step, chances), before)
            own = _at(step, given)
            is_free = tf.cast(tf.reduce_max(tf.abs(own), axis=1, keepdims=True) == 0.0, tf.float32)
            return step + 1, hidden, cell, own + is_free * row, rows.write(step, row)

        return self._loop(draw, given, 5)

    def parameters(self, points, kept=None):
        """What it expects of each point, knowing all before: (batch, points, 5) -> (batch, points, 6 * mixtures + 3).

        They are logits of the components, means of dx and dy, logarithms of their spreads, correlations (before tanh),
        and logits of the pen, one after the other. It looks no further than the longest sketch goes: behind the row
        that ends it, parameters mean nothing.

        Args:
            points: rows of sketches.
            kept: factors of what may enter the cells, (batch, units), for recurrent dropout (Semeniuta et al., 2016,
                arXiv:1603.05118): 0 where it is dropped, in all steps of a sketch. None keeps all.
        """

        def follow(step, hidden, cell, before, rows):
            hidden, cell = self._remember(before, hidden, cell, kept)
            return step + 1, hidden, cell, _at(step, points), rows.write(step, hidden)

        drawn = tf.reduce_sum(1.0 - points[..., 4], axis=1)
        steps = 1 + tf.cast(tf.reduce_max(drawn), tf.int32)
        return self._loop(follow, points, self.units, steps) @ self.head + self.head_bias

    def _loop(self, body, points, width, steps=None):
        """The rows that it wrote, (batch, points, width), in a step for each point, or for the first `steps`."""
        most = points.shape[1]
        steps = most if steps is None else steps
        start = tf.zeros_like(points[:, 0]) + START
        zeros = tf.zeros_like(start[:, :1]) + tf.zeros((self.units,))
        rows = tf.TensorArray(tf.float32, most, element_shape=(points.shape[0], width))
        state = (tf.constant(0), zeros, zeros, start, rows)
        rows = tf.while_loop(lambda step, *_: step < steps, body, state, maximum_iterations=most)[-1]
        return tf.transpose(rows.stack(), (1, 0, 2))

    def _remember(self, seen, hidden, cell, kept=None):
        """A step of an LSTM (Hochreiter & Schmidhuber, 1997); `kept` as in `parameters`."""
        gates = seen @ self.kernel + hidden @ self.recurrent + self.bias
        into, forget, out, new = tf.split(gates, 4, axis=1)
        new = tf.tanh(new) if kept is None else kept * tf.tanh(new)
        cell = tf.sigmoid(forget) * cell + tf.sigmoid(into) * new
        return tf.sigmoid(out) * tf.tanh(cell), cell

    def _drawn(self, parameters, chances, before):
        """The next row, (batch, 5), of what is expected of it; behind the end there is only the end."""
        logits, means, spreads, correlation, pen = split_parameters(parameters, self.mixtures)
        noise, pen_noise, normal = tf.split(chances, [self.mixtures, 3, 2], axis=1)
        chosen = _one_of(logits + self.temperature * gumbel(noise))
        mean_x, mean_y, spread_x, spread_y, correlation = (
            tf.reduce_sum(chosen * values, axis=1, keepdims=True) for values in (*means, *spreads, correlation)
        )
        x, y = tf.split(tf.clip_by_value(normal, -FARTHEST_NORMAL, FARTHEST_NORMAL), 2, axis=1)
        calm = self.temperature**0.5
        y = correlation * x + tf.sqrt(1.0 - tf.square(correlation)) * y
        pen = _one_of(pen + gumbel(pen_noise))
        offsets = tf.concat([mean_x + calm * spread_x * x, mean_y + calm * spread_y * y], axis=1)
        row = tf.concat([offsets * (1.0 - pen[:, 2:]), pen], axis=1)
        over = before[:, 4:]
        return over * END + (1.0 - over) * row

    def compute_output_shape(self, input_shape):
        return input_shape[1]

    def get_config(self):
        own = {"units": self.units, "mixtures": self.mixtures, "temperature": self.temperature}
        return {**super().get_config(), **own}


def split_parameters(parameters, mixtures):
    """The parts of `StrokeLSTM.parameters`, (..., 6 * mixtures + 3).

    Returns:
        logits of the components; (means of dx, of dy); (spreads of dx, of dy), at least 0.001; correlations, at most
        0.95; logits of the pen. Each (..., mixtures), the last (..., 3).
    """
    logits, mean_x, mean_y, spread_x, spread_y, correlation, pen = tf.split(parameters, [mixtures] * 6 + [3], axis=-1)
    spreads = tuple(tf.exp(tf.clip_by_value(one, -7.0, 5.0)) + LEAST_SPREAD for one in (spread_x, spread_y))
    return logits, (mean_x, mean_y), spreads, MOST_CORRELATED * tf.tanh(correlation), pen


def gumbel(normal):
    """Standard normal numbers as those of the standard Gumbel distribution: the same shares of both lie below.

    The share of the normal distribution is the logistic function of 1.5976 x + 0.0706 x^3, to 0.0002 (Page, 1977).
    """
    normal = tf.clip_by_value(normal, -FARTHEST_NORMAL, FARTHEST_NORMAL)
    logit = 1.5976 * normal + 0.07056 * normal * normal * normal
    return -tf.math.log(tf.math.log1p(tf.exp(-tf.abs(logit))) + tf.nn.relu(-logit))


def _one_of(scores):
    """1 at the largest number of each row, 0 elsewhere; backward, the softmax."""
    largest = tf.cast(scores >= tf.reduce_max(scores, axis=1, keepdims=True), tf.float32)
    soft = tf.nn.softmax(scores)
    return soft + tf.stop_gradient(largest - soft)


def _at(step, values):
    """A step of data (batch, points, width), for which no gradient is asked: the loop would add up one for each."""
    return tf.stop_gradient(tf.gather(values, step, axis=1))


def _remembering(shape, dtype=None):
    """Biases of an LSTM: 1 for its forget gates (Jozefowicz et al., 2015), else 0."""
    quarter = shape[0] // 4
    return tf.concat([tf.zeros(quarter), tf.ones(quarter), tf.zeros(2 * quarter)], axis=0)
