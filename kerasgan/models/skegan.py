"""SkeGAN: a GAN that draws sketches, stroke by stroke."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.checks import is_number, number
from kerasgan.game.pretraining import Pretraining
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.given import Given
from kerasgan.layers import Conv1D, StrokeLSTM
from kerasgan.layers.stroke_lstm import split_parameters
from kerasgan.media import Sketch
from kerasgan.penalties import R1
from kerasgan.precision import in_float32, policy
from kerasgan.tasks import COMPLETION

DECODER = "strokes"  # the layer of the generator


def build_generator(points, units, mixtures):
    """[Latents, given rows] -> rows of a sketch (points, 5)."""
    latents = keras.Input((points * (mixtures + 5),), name="latents")
    given = keras.Input((points, 5), name="given")
    chances = layers.Reshape((points, mixtures + 5))(latents)
    rows = StrokeLSTM(units, mixtures, name=DECODER)([chances, given])
    return keras.Model([latents, given], rows, name="generator")


@keras.saving.register_keras_serializable(package="kerasgan")
class WithPositions(layers.Layer):
    """Rows of a sketch with where each point is, besides how far from the one before: (points, 5) -> (points, 7)."""

    def call(self, inputs):
        positions = tf.cumsum(tf.cast(inputs[..., :2], tf.float32), axis=1)  # 16 bits would lose what is added
        return tf.concat([inputs, tf.cast(positions, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 2)


def build_discriminator(points, width):
    """Rows of a sketch -> one logit: convolutions along the points, of which two halve their number."""
    rows = keras.Input((points, 5), name="samples")
    x = WithPositions()(rows)
    for factor, strides in ((1, 1), (2, 2), (4, 2)):
        x = layers.LeakyReLU(0.2)(Conv1D(factor * width, 5, strides=strides, padding="same")(x))
    x = layers.Dense(1)(layers.Flatten()(x))
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(rows, logits, name="discriminator")


def likelihood_loss(parameters, rows, mixtures):
    """The negative logarithm of the likelihood of sketches, in nats on the mean of all rows (arXiv:1704.03477).

    Of offsets it counts up to the end of a sketch, of the pen up to the row that ends it, which teaches to stop: behind
    it, nothing is drawn.

    Args:
        parameters: of `StrokeLSTM.parameters`, (batch, points, 6 * mixtures + 3).
        rows: float (batch, points, 5), as `kerasgan.media.Sketch` has them in model range.

    Returns:
        float32 scalar.
    """
    logits, means, spreads, correlation, pen = split_parameters(parameters, mixtures)
    rows = tf.cast(rows, tf.float32)
    x, y = ((rows[..., axis : axis + 1] - means[axis]) / spreads[axis] for axis in (0, 1))
    free = 1.0 - tf.square(correlation)
    exponent = (tf.square(x) + tf.square(y) - 2.0 * correlation * x * y) / (2.0 * free)
    area = tf.math.log(2.0 * np.pi * spreads[0] * spreads[1] * tf.sqrt(free))
    density = tf.reduce_logsumexp(tf.nn.log_softmax(logits) - exponent - area, axis=-1)
    drawn = 1.0 - rows[..., 4]
    of_pen = tf.reduce_sum(rows[..., 2:] * tf.nn.log_softmax(pen), axis=-1)
    ending = tf.concat([tf.ones_like(drawn[:, :1]), drawn[:, :-1]], axis=1)  # the first row that is over, too
    return -tf.reduce_mean(drawn * density + ending * of_pen)


@keras.saving.register_keras_serializable(package="kerasgan")
class SkeGAN(Given, Pretraining, GAN):
    """SkeGAN (Varshaneya, Balasubramanian & Balasubramanian, 2019, arXiv:1904.03620): sketches, as strokes of a pen.

    The generator is the decoder of Sketch-RNN (Ha & Eck, 2017, arXiv:1704.03477): an LSTM that says where a pen may go
    next, draws one of the possibilities, and goes on from there. For `pretraining` samples it learns alone, to make
    real sketches likely. Then the game begins, with new optimizers: it draws whole sketches itself, a discriminator
    tells them from real ones, and their likelihood stays a term of its loss (weight 1, the adversarial loss 0.5), which
    keeps them legible. What the game adds is that a sketch is judged as a whole: by likelihood alone, no network ever
    sees what comes of its own errors.

    Changed from the paper, whose values and code are not published: no policy gradient with roll-outs. A drawing is a
    function of its random numbers, through which the discriminator's gradient passes (see `StrokeLSTM`). These numbers
    are the latents: as many for each point as it takes, and none for the whole. The discriminator is convolutional
    along the points, where the paper's is an LSTM in both directions, and sees where points are besides how far apart;
    it has the non-saturating loss, and R1. From Sketch-RNN: offsets divided by their standard deviation, Adam 1e-3,
    gradients clipped to 1, ten components where it has 20; recurrent dropout of 0.1, of a sketch instead of a step;
    rows behind the end do not count; no layer normalization, no temperature of the pen, with which more sketches would
    never stop. A moving average of the generator for samples.

    `complete` goes on from what was drawn. The exported network takes it, too, as rows "given": it draws a row for each
    step, and goes on from the given one where that is not all zeros.

    Args:
        points: rows of a sketch, the one that ends it included.
        scale: units of an offset of 1: the standard deviation of the data's offsets (see `kerasgan.media.Sketch`).
        units: of the LSTM.
        mixtures: components of the mixture.
        width: channels of the discriminator's first layer.
        pretraining: samples seen until the game begins: 0 begins with it, None never does.
        dropout: share of the LSTM's units to whose cells nothing new is added for a sketch, while it learns what is
            likely (see `StrokeLSTM.parameters`).
        temperature: of the samples' offsets, above 0 and up to 1 (what it has learned). A lower one takes what is
            likelier: calmer sketches, and more alike. When the pen is lifted, and when a sketch is over, is as
            learned. The game is played at 1. It is an attribute, which may be changed at any time.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    data = kerasgan.data.sketches("birds.ndjson", batch_size=100)
    gan = kerasgan.models.SkeGAN(**data.model_arguments)
    gan.compile(clip_gradients=1.0)
    gan.fit(data, epochs=50)
    gan.media.save(gan.generate(16), "birds.svg")
    ```
    """

    starting = Starting(
        data={"reader": "sketches"},
        model={"points": 64, "scale": 40.0},
        compile={"clip_gradients": 1.0},
    )
    further_tasks = (COMPLETION,)
    default_weights = {"adversarial": 0.5, "likelihood": 1.0}
    default_penalties = (R1(weight=0.1, interval=4),)

    def __init__(
        self,
        points=64,
        scale=40.0,
        units=256,
        mixtures=10,
        width=64,
        pretraining=500_000,
        dropout=0.1,
        temperature=0.5,
        seed=None,
        name=None,
        dtype=None,
    ):
        pretraining = self.check_pretraining(pretraining)
        if not is_number(dropout, 0, 0.9):
            raise ValueError(f"dropout={dropout!r}: expected a share from 0 to 0.9.")
        media = Sketch(points, scale)
        with policy(dtype, seed):
            super().__init__(
                build_generator(points, units, mixtures),
                build_discriminator(points, width),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.units, self.mixtures, self.dropout, self.temperature = units, mixtures, dropout, temperature
        self.set_pretraining(pretraining)

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(2e-4, 0.5, 0.999), keras.optimizers.Adam(1e-3, 0.9, 0.999)

    # The game ------------------------------------------------------------------------------------------------------

    def pretraining_loss(self, batch):
        """How unlikely the real sketches are."""
        return self._likelihood_loss(self.generator, batch.real, self._kept(batch))

    def generator_terms(self, batch):
        """What makes real sketches likely."""
        return {"likelihood": self.pretraining_loss(batch)}

    def _kept(self, batch):
        """What recurrent dropout leaves of a batch's candidates, (batch, units); None for all."""
        if not self.dropout:
            return None
        seed = self.shared_seed()
        drawn = distribution.own_rows(
            lambda count: tf.random.stateless_uniform((count, self.units), seed),
            batch.count,
            self.gradient_accumulation,
        )
        return tf.cast(drawn >= self.dropout, tf.float32) / (1.0 - self.dropout)

    def _likelihood_loss(self, network, rows, kept=None):
        parameters = network.get_layer(DECODER).parameters(tf.cast(rows, tf.float32), kept)
        return likelihood_loss(parameters, rows, self.mixtures)

    def negative_log_likelihood(self, samples):
        """How unlikely sketches are to the moving-average generator: nats on the mean of all rows, a number.

        Args:
            samples: float32 (count, points, 5) in model range, such as of held-out data.
        """
        self.check(samples)
        parts = range(0, len(samples), 256)
        losses = [float(self._likelihood_loss(self.ema_generator, samples[start : start + 256])) for start in parts]
        return float(np.average(losses, weights=[len(samples[start : start + 256]) for start in parts]))

    # Samples -------------------------------------------------------------------------------------------------------

    @property
    def temperature(self):
        return self.ema_generator.get_layer(DECODER).temperature

    @temperature.setter
    def temperature(self, value):
        value = number("temperature", value, None)
        if not 0 < value <= 1:
            raise ValueError(f"temperature={value!r}: expected a number above 0 and up to 1.")
        self.ema_generator.get_layer(DECODER).temperature = value
        self._samplers.pop(self.ema_generator, None)  # which was traced with the other one

    def complete(self, lines, count=1, seed=None):
        """Goes on from what was drawn: sketches that begin with it.

        ```python
        face = [[(0, 0), (120, 10), (100, 90)], [(40, 30)]]
        gan.media.save(gan.complete(face, 9), "faces.svg")
        ```

        Args:
            lines: list of lines, each a list or array of its points (x, y), x and y downwards, in the units and size of
                the data (`kerasgan.data.sketches` makes the longer side of a sketch 255). `kerasgan.data.drawing` reads
                them from a file.
            count: how many, at least 1.
            seed: integer; the same seed gives the same sketches.

        Returns:
            int16 (count, points, 3).

        Raises:
            ValueError: an argument is out of its range.
        """
        given = np.zeros(self.media.shape, "float32")
        rows = self.media.rows(self._checked_lines(lines))
        if len(rows) >= self.media.points:
            raise ValueError(f"lines have {len(rows)} points: expected at most {self.media.points - 1}.")
        given[: len(rows)] = self.media.to_model(self.media.padded(rows)[None])[0, : len(rows)]
        return super().generate(count, given, seed)

    def _checked_lines(self, lines):
        try:
            lines = [np.asarray(line, "float64") for line in lines]
        except (TypeError, ValueError):
            raise ValueError("lines: expected a list of lines, each a list of points (x, y).") from None
        fits = [line.ndim == 2 and line.shape[1] == 2 and len(line) and np.isfinite(line).all() for line in lines]
        if not fits or not all(fits) or max(np.abs(line).max() for line in lines) > 10_000:
            raise ValueError("lines: expected a list of lines, each a list of points (x, y) of up to 10,000 units.")
        return lines

    def generate(self, count, labels=None, seed=None, truncation=None, return_latents=False):
        if labels is not None:
            raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out.")
        return super().generate(count, None, seed, truncation, return_latents)

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs: the moving-average generator at its temperature, [latents, given rows] -> drawn rows."""
        return in_float32(self.ema_generator)

    def inference_inputs(self, count, seed=0):
        """Latents, and sketches as given rows: their own drawings.

        So a file is held against Keras point by point: given what was drawn before, the next point is the same. A
        sketch as a whole, which goes on from its own points, is another one from the first point that is rounded to
        another component of the mixture.
        """
        inputs = super().inference_inputs(count, seed)
        rows = np.asarray(self._sampler(self.ema_generator)(tf.constant(inputs["latents"]), None))
        return {**inputs, "given": self.media.to_model(self.media.to_natural(rows))}

    def inference_description(self):
        """Latents, and rows that are given: zeros from the first one that it shall draw on."""
        given = {"name": "given", "kind": "strokes", "range": None, **self.media.described()}
        return [*super().inference_description(), given]

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
