"""A type of a new kind in one file, without touching the package.

Rows of a table (numbers and a whole number: batches are dictionaries), an encoder as third player, a penalty on the
generator, and what one does with it is neither to generate nor to translate but to `score` rows: an anomaly is what the
generator cannot make again from what the encoder sees in it.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN
from kerasgan.media.base import Media
from kerasgan.penalties import GeneratorPenalty
from kerasgan.precision import policy

KINDS = 3  # values of the whole number


@keras.saving.register_keras_serializable(package="test")
class Rows(Media):
    """Rows of a table, {"sizes": float32 (2,), "kind": int32 ()}; a generator gives a share for each kind."""

    extension = ".npz"
    extensions = (".npz",)
    plural = "rows"
    kind = "row"
    dtype = {"sizes": "float32", "kind": "int32"}
    range = {"sizes": None, "kind": (0, KINDS - 1)}

    def __init__(self):
        super().__init__({"sizes": (2,), "kind": ()})

    def to_natural(self, samples):
        kind = np.asarray(samples["kind"])
        return {
            "sizes": np.asarray(samples["sizes"]),
            "kind": kind if kind.ndim == 1 else kind.argmax(-1).astype("int32"),
        }

    def descriptors(self, samples):
        return np.concatenate([samples["sizes"], np.eye(KINDS)[samples["kind"]]], axis=1).astype("float64")

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="test")
class SmallSizes(GeneratorPenalty):
    """Keeps generated sizes near zero: weight * mean of their squares."""

    name = "small_sizes"

    def penalise(self, generator, sources, seed):
        return tf.reduce_mean(tf.square(tf.cast(generator(sources)["sizes"], tf.float32)), axis=1)


def inputs():
    return {"sizes": keras.Input((2,), name="sizes"), "kind": keras.Input((KINDS,), name="kind")}


def judged(outputs, name):
    """A network that sees a row with its kind as shares."""
    row = inputs()
    x = keras.layers.Concatenate()([row["sizes"], row["kind"]])
    x = keras.layers.Dense(16, activation="leaky_relu")(x)
    return keras.Model(row, keras.layers.Dense(outputs, dtype="float32")(x), name=name)


def maker(latent_dim):
    latents = keras.Input((latent_dim,), name="latents")
    x = keras.layers.Dense(16, activation="relu")(latents)
    row = {
        "sizes": keras.layers.Dense(2, activation="tanh", dtype="float32")(x),
        "kind": keras.layers.Dense(KINDS, activation="softmax", dtype="float32")(x),
    }
    return keras.Model(latents, row, name="generator")


@keras.saving.register_keras_serializable(package="test")
class RowGAN(GAN):
    """A GAN of rows whose encoder learns to find the latents of what was generated."""

    players = ("discriminator", "generator", "encoder")
    default_penalties = (SmallSizes(0.1),)
    default_weights_of_others = {"encoder": {"latents": 2.0}}

    def __init__(self, latent_dim=4, seed=None, name=None, dtype=None):
        with policy(dtype, seed):
            super().__init__(maker(latent_dim), judged(1, "discriminator"), Rows(), seed=seed, name=name, dtype=dtype)
            self.encoder = judged(latent_dim, "encoder")

    @staticmethod
    def default_optimizers():
        return tuple(keras.optimizers.Adam(1e-3, 0.5) for _ in range(3))

    def unpack(self, data):
        return {"sizes": data["sizes"], "kind": tf.one_hot(data["kind"], KINDS)}, None

    def encoder_terms(self, batch):
        return {"latents": tf.reduce_mean(tf.square(self.encoder(batch.fake, training=True) - batch.sources))}

    def score(self, rows):
        """How strange rows are, float32 (count,): the distance from what the generator makes of their latents."""
        rows = {"sizes": rows["sizes"], "kind": np.eye(KINDS, dtype="float32")[rows["kind"]]}
        made = self.ema_generator(self.encoder(rows))
        return sum(np.square(np.asarray(made[part]) - rows[part]).sum(axis=1) for part in rows)


def table(count=64):
    random = np.random.default_rng(0)
    kind = random.integers(0, KINDS, count).astype("int32")
    return {
        "sizes": (0.2 * random.normal(size=(count, 2)) + 0.3 * (kind[:, None] - 1)).clip(-1, 1).astype("float32"),
        "kind": kind,
    }


def everything(gan):
    optimizers = [getattr(gan, f"{player}_optimizer") for player in gan.players]
    return [np.array(v) for owner in (gan, *optimizers) for v in owner.variables]


def test_it_trains_all_players_and_resumes_exactly(tmp_path):
    gan = RowGAN(seed=1)
    gan.compile()
    before = [network.get_weights()[0] for network in (gan.generator, gan.discriminator, gan.encoder)]
    logs = gan.fit(table(), batch_size=16, epochs=2, verbose=0).history
    assert {"encoder_loss", "latents", "small_sizes", "encoder_gradient_norm"} <= set(logs)
    assert logs["encoder_loss"][-1] == pytest.approx(logs["latents"][-1])
    for old, network in zip(before, (gan.generator, gan.discriminator, gan.encoder), strict=True):
        assert not np.array_equal(old, network.get_weights()[0])
    found = gan.evaluate(table(), batch_size=16, verbose=0, return_dict=True)
    assert {"encoder_loss", "latents"} <= set(found) and np.isfinite(list(found.values())).all()

    gan.save(tmp_path / "rows.keras")
    again = keras.saving.load_model(tmp_path / "rows.keras")
    for model in (gan, again):
        model.fit(table(), batch_size=16, epochs=2, verbose=0, shuffle=False)
    for one, other in zip(everything(gan), everything(again), strict=True):
        np.testing.assert_array_equal(one, other)
    rows = again.generate(5, seed=3)
    assert rows["sizes"].shape == (5, 2) and rows["kind"].dtype.kind == "i"
    np.testing.assert_array_equal(gan.score(table()), again.score(table()))


def test_what_is_no_row_is_refused():
    gan = RowGAN(seed=1)
    gan.compile()
    with pytest.raises(ValueError, match=r"samples\['kind'\] lies in \[9, 9\]; expected \[0, 2\]"):
        gan.fit({**table(), "kind": np.full(64, 9)}, batch_size=16)
    with pytest.raises(ValueError, match="no dictionary|expected a dictionary|shape"):
        gan.fit(np.zeros((8, 2), "float32"), batch_size=4)


def test_the_encoder_has_rules_of_its_own():
    gan = RowGAN(seed=1)
    gan.compile(optimizers={"encoder": keras.optimizers.SGD(0.0)}, weights={"latents": 0.5}, learning_rate=(1e-3, 2e-3))
    assert isinstance(gan.encoder_optimizer, keras.optimizers.SGD) and float(gan.encoder_optimizer.learning_rate) == 0.0
    before = gan.encoder.get_weights()[0]
    gan.fit(table(), batch_size=16, verbose=0)
    np.testing.assert_array_equal(gan.encoder.get_weights()[0], before)
    with pytest.raises(ValueError, match="RowGAN has the players discriminator, generator, encoder"):
        gan.compile(optimizers={"decoder": "adam"})


def test_a_generator_penalty_is_what_its_formula_says():
    """Its gradient, by finite differences, and lazily: every second update with twice the weight."""
    gan = RowGAN(seed=1)
    gan.compile(penalties=[SmallSizes(3.0)], weights={"adversarial": 0.0})
    batch = gan.unpacked({name: tf.constant(part) for name, part in table(16).items()})
    batch = batch._replace(sources=gan.sources_for(batch))
    found = gan._generator_alone(batch)
    with tf.GradientTape() as tape:
        value = 3.0 * tf.reduce_mean(tf.square(gan.generator(batch.sources)["sizes"]))
    expected = tape.gradient(value, [v.value for v in gan.generator.trainable_variables], unconnected_gradients="zero")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    gan.compile(penalties=[SmallSizes(3.0, interval=2)], weights={"adversarial": 0.0})
    for due in (True, False):
        gan.generator_optimizer.iterations.assign(0 if due else 1)
        for one, other in zip(gan._generator_alone(batch), expected, strict=True):
            np.testing.assert_allclose(one, 2.0 * other if due else np.zeros_like(other), atol=1e-6)
