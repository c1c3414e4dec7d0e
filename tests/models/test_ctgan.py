"""CTGAN: what is particular to its game, on a small table. One training of a few steps, for all tests."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.media import Table
from kerasgan.models import CTGAN
from kerasgan.models.ctgan import by_vector

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")


def people(count=300):
    """Rows in which the word says how large the number is."""
    random = np.random.default_rng(0)
    word = random.choice(["small", "large", "rare"], count, p=[0.6, 0.37, 0.03])
    size = np.where(word == "small", 1.0, 5.0) + random.normal(0, 0.3, count).round(2)
    return pandas.DataFrame({"size": size.round(2), "word": word, "flag": random.random(count) < 0.5, "no": "x"})


@pytest.fixture(scope="module")
def data():
    return kerasgan.data.table(people(), 40, seed=1)


@pytest.fixture(scope="module")
def gan(data):
    gan = CTGAN(data.fitted, latent_dim=8, units=32, blocks=1, pack=4, seed=1)
    gan.compile(learning_rate=2e-3, ema_half_life=500)
    gan.fit(data.endless(0), steps_per_epoch=60, verbose=0)
    return gan


def test_rows_are_counted_and_packs_judged(gan):
    assert int(gan.samples_seen) == 60 * 40
    assert gan.discriminator.input_shape == [(None, 4, *gan.media.shape), (None, 4, 5)]


def test_packs_are_filled_up_and_conditions_are_what_rows_have(gan, data):
    rows, columns = next(data.endless(0).as_numpy_iterator())
    real, condition = gan.unpack((tf.constant(rows[:6]), tf.constant(columns[:6])))
    assert real["rows"].shape == (2, 4, rows.shape[1])
    np.testing.assert_array_equal(np.reshape(real["rows"], (8, -1)), rows[[0, 1, 2, 3, 4, 5, 0, 1]])
    asked = np.reshape(condition, (8, 5))[:6]
    np.testing.assert_array_equal(asked.sum(axis=1), 1)
    in_flag = columns[:6] == [column["name"] for column in gan.media.discrete].index("flag")
    np.testing.assert_array_equal(asked[:, 3:].sum(axis=1), in_flag)
    np.testing.assert_array_equal(asked, asked * rows[:6, 1:6])  # which the row itself has
    _, in_turn = gan.unpack(tf.constant(rows[:4]))  # nobody says which columns
    np.testing.assert_array_equal(np.reshape(in_turn, (4, 5))[:, :3].sum(axis=1), [1, 0, 1, 0])


def test_the_generator_pays_for_other_values_than_were_asked_for(gan, data):
    batch = gan.unpacked(next(iter(data.endless(0))))
    batch = batch._replace(sources=gan.sources_for(batch))
    fake = gan.call_generator(batch.sources, batch.condition)
    assert fake["rows"].shape == batch.real["rows"].shape
    logits = np.reshape(fake["logits"], (40, -1))[:, 1:6].astype("float64")
    asked = np.reshape(batch.condition, (40, 5))
    logs = np.concatenate(
        [part - np.log(np.exp(part).sum(1, keepdims=True)) for part in (logits[:, :3], logits[:, 3:])], 1
    )
    found = gan.generator_terms(batch._replace(fake=fake))["condition"]
    assert float(found) == pytest.approx(-(asked * logs).sum(axis=1).mean(), rel=1e-5)
    shares = np.reshape(fake["rows"], (40, -1))
    np.testing.assert_allclose(shares[:, 1:4].sum(axis=1), 1, atol=1e-5)


def test_vectors_side_by_side():
    values = np.random.default_rng(0).normal(size=(4, 9)).astype("float32")
    found = np.array(by_vector(tf.nn.softmax, tf.constant(values), [2, 2, 3, 2]))
    for a, b in ((0, 2), (2, 4), (4, 7), (7, 9)):
        np.testing.assert_allclose(found[:, a:b], tf.nn.softmax(values[:, a:b]), atol=1e-6)


def test_rows_come_back_as_the_data_had_them(gan):
    rows = gan.generate(200, seed=1)
    assert rows.columns.tolist() == ["size", "word", "flag", "no"] and rows["flag"].dtype == bool
    seen = people()
    assert set(rows["word"]) <= set(seen["word"]) and set(rows["no"]) == {"x"}
    assert rows["size"].between(seen["size"].min(), seen["size"].max()).all()
    np.testing.assert_array_equal(rows["size"], rows["size"].round(2))


def test_a_seed_gives_the_same_rows_however_many(gan):
    rows = gan.generate(700, seed=5)
    pandas.testing.assert_frame_equal(gan.generate(1, seed=5), rows.head(1))
    pandas.testing.assert_frame_equal(gan.generate(90, seed=5), rows.head(90))
    asked = gan.generate(700, seed=5, conditions={"word": "rare"})
    pandas.testing.assert_frame_equal(gan.generate(1, seed=5, conditions={"word": "rare"}), asked.head(1))


@pytest.mark.parametrize(
    "conditions", [{"word": "rare"}, {"flag": False}, {"size": ">=3"}, {"word": ["large", "rare"], "flag": True}]
)
def test_all_rows_meet_conditions_whatever_column_they_name(gan, conditions):
    rows = gan.generate(100, seed=2, conditions=conditions)
    assert len(rows) == 100
    for name, wanted in conditions.items():
        met = rows[name] >= 3 if name == "size" else rows[name].isin(wanted if isinstance(wanted, list) else [wanted])
        assert met.all()


def test_the_condition_reaches_the_generator(gan):
    """Not by drawing again alone: far more rows have the rare word when it is asked for than when it is not."""
    sample, latents = gan._sampler(gan.ema_generator), gan.sample_latents(512, tf.constant([1, 2]))
    place = gan.media.discrete[0]["values"].index("rare")
    shares = []
    for given in (None, np.eye(5, dtype="float32")[place][None]):
        shares.append(float(np.mean(sample(latents, given)[:, 1 + place])))
    assert shares[1] > 2 * shares[0]


def test_what_cannot_be_generated_is_refused(gan):
    for arguments, message in (
        ({"labels": 1}, "give conditions"),
        ({"truncation": 0.5}, "4 rows at a time"),
        ({"truncation": 0.5, "conditions": {"word": "rare"}}, "4 rows at a time"),
        ({"conditions": {"wort": 1}}, "no column 'wort'"),
        ({"conditions": {"word": "red"}}, "'red' is none of its values: 'large', 'rare', 'small'"),
        ({"conditions": {"no": "x"}}, "of the kind constant"),
        ({"conditions": {"size": "2.345"}}, "0 meet them"),  # which is finer than the data
    ):
        with pytest.raises(ValueError, match=message):
            gan.generate(3, **arguments)
    with pytest.raises(ValueError, match="pack=0"):
        CTGAN(gan.media.fitted, pack=0)
    with pytest.raises(ValueError, match="columns hold 7"):
        gan.check(np.zeros((2, *gan.media.shape), "float32"), np.array([0, 7]))


def test_it_is_saved_with_what_was_learned_of_the_columns(gan, tmp_path):
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.media.fitted == gan.media.fitted
    pandas.testing.assert_frame_equal(loaded.generate(20, seed=3), gan.generate(20, seed=3))


def test_ways_keep_what_decides_on_categories(gan):
    rows = gan.interpolate(2, 5, seed=1)
    assert len(rows) == 10


@pytest.mark.parametrize("names", [["size"], ["word"]])
def test_tables_of_numbers_or_of_categories_alone(names):
    data = kerasgan.data.table(people()[names], 20, seed=1)
    gan = CTGAN(data.fitted, latent_dim=4, units=8, blocks=1, pack=2, seed=1)
    gan.compile(run_eagerly=True)
    gan.fit(data.endless(0), steps_per_epoch=1, verbose=0)
    assert gan.generate(3, seed=1).columns.tolist() == names
    assert gan.inference_network().output_shape == (None, *Table(data.fitted).shape)


def test_what_a_command_asks_for(gan):
    from kerasgan.tasks import GENERATION, TABLE_GENERATION

    asked = TABLE_GENERATION.wanted(gan, {"where": ["word=rare", "size>=3"]})
    assert asked == {"conditions": {"word": "rare", "size": ">=3"}} and TABLE_GENERATION.wanted(gan, {}) == {}
    with pytest.raises(ValueError, match="names the column 'size' twice; a range is written size=LEAST..MOST"):
        TABLE_GENERATION.wanted(gan, {"where": ["size>=3", "size<4"]})
    with pytest.raises(ValueError, match="--where=word=rare means nothing for a CTGAN"):
        GENERATION.wanted(gan, {"where": ["word=rare"]})
