"""A type of a new kind in one file, without touching the package.

Rows of a table (numbers and a whole number: batches are dictionaries), an encoder as third player, a penalty on the
generator, and what one does with it is neither to generate nor to translate but to `rank` rows: an anomaly is what the
generator cannot make again from what the encoder sees in it.
"""

import json
import re

import click
import keras
import numpy as np
import pytest
import tensorflow as tf
from run_tools import everything as everything_in
from test_cli import fails, kerasgan_command

import kerasgan
from kerasgan import GAN, commands, files, registry, runs, tasks
from kerasgan.data.dataset import Dataset
from kerasgan.media.base import Media
from kerasgan.metrics.result import Result
from kerasgan.penalties import GeneratorPenalty
from kerasgan.precision import policy

KINDS = 3  # values of the whole number

# The kind of sample, and the reader that makes it of a user's file ---------------------------------------------------


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

    def exported(self):
        sizes, kind = super().exported()
        return [sizes, {**kind, "range": [0.0, 1.0]}]  # shares

    def save(self, samples, path, columns=None):
        path = files.check_output(path, self.extensions)
        with files.atomic(path) as temporary:
            np.savez(temporary, **samples)
        return path

    def descriptors(self, samples):
        return np.concatenate([samples["sizes"], np.eye(KINDS)[samples["kind"]]], axis=1).astype("float64")

    def get_config(self):
        return {}


def table(source, batch_size=64, *, shuffle=True, seed=None, fitted=None):
    """Rows of a text file, "width,height,kind": the words of the last column are what it fits."""
    *sizes, words = zip(*(line.split(",") for line in open(source, encoding="utf-8").read().split()), strict=True)
    fitted = fitted or {"kinds": sorted(set(words))}
    if unknown := sorted(set(words) - set(fitted["kinds"])):
        raise ValueError(f"source={str(source)!r} has the kind {unknown[0]!r}; known are {', '.join(fitted['kinds'])}.")
    rows = {
        "sizes": np.array(sizes, "float32").T,
        "kind": np.array([fitted["kinds"].index(word) for word in words], "int32"),
    }
    return Dataset.of(rows, batch_size, shuffle=shuffle, seed=seed, fitted=fitted, plural="rows")


# The game ------------------------------------------------------------------------------------------------------------


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


# What one does with it ------------------------------------------------------------------------------------------------


@click.command(cls=commands.Command)
@commands.model_argument("NAME|RUN")
@click.argument("path", metavar="FILE", type=commands.PLACE)
@click.option("--count", "-n", type=commands.COUNT, default=3, help="How many.")
def rank(name, path, count):
    """Prints the strangest rows of a table.

    Examples:
      kerasgan rank runs/table rows.csv
    """
    runs.check_name(name)
    gan, recipe = RANK.open(name), runs.recipe_of(name)
    strangeness = np.concatenate([gan.score(rows) for rows in runs.read_whole(recipe, path).as_numpy_iterator()])
    for place in np.argsort(-strangeness)[:count]:
        print(f"row {place}: {strangeness[place]:.3f}")


class Rank(tasks.Task):
    """How strange rows are."""

    command = rank
    verb = "rank"
    does = "scores rows"
    metrics = ("strangeness",)
    metrics_help = "of what scores rows strangeness"

    def examples(self, gan, count, seed=None):
        return gan.generate(count, seed=seed)

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress):
        """The mean strangeness of a table's rows."""
        scores = [gan.score(rows) for rows in runs.read_whole(recipe, source, subset).as_numpy_iterator()]
        return [Result("strangeness", float(np.mean(scores)), False, model=model, n_real=len(scores), split=split)]


RANK = tasks.register(Rank())


@keras.saving.register_keras_serializable(package="test")
class RowGAN(GAN):
    """A GAN of rows whose encoder learns to find the latents of what was generated."""

    task = RANK
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


def table_of_rows(count=64):
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
    logs = gan.fit(table_of_rows(), batch_size=16, epochs=2, verbose=0).history
    assert {"encoder_loss", "latents", "small_sizes", "encoder_gradient_norm"} <= set(logs)
    assert logs["encoder_loss"][-1] == pytest.approx(logs["latents"][-1])
    for old, network in zip(before, (gan.generator, gan.discriminator, gan.encoder), strict=True):
        assert not np.array_equal(old, network.get_weights()[0])
    found = gan.evaluate(table_of_rows(), batch_size=16, verbose=0, return_dict=True)
    assert {"encoder_loss", "latents"} <= set(found) and np.isfinite(list(found.values())).all()

    gan.save(tmp_path / "rows.keras")
    again = keras.saving.load_model(tmp_path / "rows.keras")
    for model in (gan, again):
        model.fit(table_of_rows(), batch_size=16, epochs=2, verbose=0, shuffle=False)
    for one, other in zip(everything(gan), everything(again), strict=True):
        np.testing.assert_array_equal(one, other)
    rows = again.generate(5, seed=3)
    assert rows["sizes"].shape == (5, 2) and rows["kind"].dtype.kind == "i"
    np.testing.assert_array_equal(gan.score(table_of_rows()), again.score(table_of_rows()))


def test_what_is_no_row_is_refused():
    gan = RowGAN(seed=1)
    gan.compile()
    with pytest.raises(ValueError, match=r"samples\['kind'\] lies in \[9, 9\]; expected \[0, 2\]"):
        gan.fit({**table_of_rows(), "kind": np.full(64, 9)}, batch_size=16)
    with pytest.raises(ValueError, match="no dictionary|expected a dictionary|shape"):
        gan.fit(np.zeros((8, 2), "float32"), batch_size=4)


def test_the_encoder_has_rules_of_its_own():
    gan = RowGAN(seed=1)
    gan.compile(optimizers={"encoder": keras.optimizers.SGD(0.0)}, weights={"latents": 0.5}, learning_rate=(1e-3, 2e-3))
    assert isinstance(gan.encoder_optimizer, keras.optimizers.SGD) and float(gan.encoder_optimizer.learning_rate) == 0.0
    before = gan.encoder.get_weights()[0]
    gan.fit(table_of_rows(), batch_size=16, verbose=0)
    np.testing.assert_array_equal(gan.encoder.get_weights()[0], before)
    with pytest.raises(ValueError, match="RowGAN has the players discriminator, generator, encoder"):
        gan.compile(optimizers={"decoder": "adam"})


def test_a_generator_penalty_is_what_its_formula_says():
    """Its gradient, by finite differences, and lazily: every second update with twice the weight."""
    gan = RowGAN(seed=1)
    gan.compile(penalties=[SmallSizes(3.0)], weights={"adversarial": 0.0})
    batch = gan.unpacked({name: tf.constant(part) for name, part in table_of_rows(16).items()})
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


@pytest.fixture
def recipe(tmp_path):
    """A table as a file, and the recipe of a type, a kind and a reader of this file, known by its name."""
    rows = table_of_rows(40)
    kinds = ("large", "middle", "small")
    lines = (f"{w:.3f},{h:.3f},{kinds[kind]}" for (w, h), kind in zip(rows["sizes"], rows["kind"], strict=True))
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    own = {"gan_type": f"{__name__}:RowGAN", "data": {"reader": f"{__name__}:table"}}
    made = registry.Recipe(name="rows_of_a_test", makes="rows", batch_size=8, epochs=4, seed=3, **own)
    kerasgan.register(made)
    yield made
    registry._registered.pop(made.name)


def test_the_command_knows_it(recipe, capsys, tmp_path):
    """It is listed, trained, gone on with to the same end as in one go, scored and evaluated."""

    def done(*words):
        code, out, error = kerasgan_command(capsys, *words)
        assert code == 0, error
        return out

    data = tmp_path / "rows.csv"
    assert "rows_of_a_test" in done("list") and re.search("\n  rank +Prints the strangest rows", done())
    train = ("train", "rows_of_a_test", "--data", data, "--out")
    assert f"use it with: kerasgan rank {tmp_path / 'whole'}" in done(*train, tmp_path / "whole")
    done(*train, tmp_path / "parts", "--limit_steps", 7)  # in the middle of the second epoch
    done(*train, tmp_path / "parts")
    whole, parts = (everything_in(tmp_path / run) for run in ("whole", "parts"))
    assert whole.keys() == parts.keys() and any("encoder" in name for name in whole)
    assert [name for name in whole if not np.array_equal(whole[name], parts[name])] == []
    assert runs.recipe_of(tmp_path / "whole").fitted == {"kinds": ["large", "middle", "small"]}

    assert done("rank", tmp_path / "whole", data, "-n", 2).count("row ") == 2
    assert "strangeness" in done("evaluate", tmp_path / "whole", "--data", data)
    assert "is a RowGAN, which cannot generate: use kerasgan rank" in fails(capsys, "generate", tmp_path / "whole")
    data.write_text("0.1,0.2,huge", encoding="utf-8")
    assert "has the kind 'huge'; known are large, middle, small" in fails(capsys, "rank", tmp_path / "whole", data)


def test_it_is_exported_with_both_outputs(tmp_path):
    from kerasgan import export

    found = export.tflite(RowGAN(seed=1), tmp_path / "rows.tflite")
    assert found.passed
    described = json.loads((tmp_path / "rows.tflite.json").read_text())
    assert [(one["name"], one["shape"]) for one in described["outputs"]] == [("sizes", [1, 2]), ("kind", [1, KINDS])]
