"""Scores of tables, against what follows for tables that are written out."""

import numpy as np
import pytest

from kerasgan.metrics import result, tables
from kerasgan.metrics.two_sample import kolmogorov_smirnov

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")

BINS = {"shares": [0.05] * 20, "decimals": 0, "missing": 0}
COLUMNS = [
    {"name": "x", "kind": "number", "least": 0.0, "most": 9.0, "modes": [[1.0, 4.5, 3.0]], "tenths": [5.0], **BINS},
    {"name": "y", "kind": "integer", "least": 0.0, "most": 9.0, "modes": [[1.0, 4.5, 3.0]], "tenths": [5.0], **BINS},
    {"name": "word", "kind": "categorical", "values": ["a", "b"], "counts": [6, 4]},
]


class Media:
    columns = COLUMNS
    discrete = COLUMNS[2:]
    fitted = {"columns": COLUMNS}

    @staticmethod
    def column(name):
        return {column["name"]: column for column in COLUMNS}[name]


def rows(x, y, word):
    return pandas.DataFrame({"x": np.array(x, "float64"), "y": np.array(y), "word": list(word)})


REAL = rows(range(10), range(10), "aaaaaabbbb")


def test_the_largest_difference_of_two_distributions():
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([3.0])) == 1.0
    assert kolmogorov_smirnov(np.array([0.0, 1.0, 2.0, 3.0]), np.array([2.0, 3.0])) == 0.5
    assert kolmogorov_smirnov(np.array([0.0, np.inf]), np.array([0.0, 0.0])) == 0.5


def test_marginals():
    """Shares of 6 and 4 tenths against 8 and 2: two tenths apart. Numbers 0 to 9 against 5 to 9 twice: a half."""
    made = rows([*range(5, 10)] * 2, range(10), "aaaaaaaabb")
    found = tables.marginals(Media, REAL, made)
    assert found == {"x": pytest.approx(0.5), "y": pytest.approx(1.0), "word": pytest.approx(0.8)}
    absent = rows([np.nan] * 5 + [5.0] * 5, range(10), "aaaaaabbbb")  # missing ones lie beyond all others
    assert tables.marginals(Media, absent, absent)["x"] == 1.0
    assert tables.marginals(Media, rows([5.0] * 10, range(10), "a" * 10), absent)["x"] == pytest.approx(0.5)


def test_pairs():
    """Numbers that rise together against ones of which one falls: correlations of 1 and -1."""
    made = rows(range(10), range(9, -1, -1), "aaaaaabbbb")
    found = tables.pairwise(Media, REAL, made)
    assert found["y", "x"] == pytest.approx(0.0) and found["word", "x"] == pytest.approx(1.0)
    # Up to 5 and above, of the words a 6 and 0, of b 0 and 4; turned around 2 and 4, 4 and 0.
    assert found["word", "y"] == pytest.approx(1 - (4 + 4 + 4 + 4) / 10 / 2)
    assert all(value == pytest.approx(1.0) for value in tables.pairwise(Media, REAL, REAL).values())


def test_distance_to_the_closest_record():
    """A tenth of the range apart in each of two columns of three, and with another word."""
    asked = rows([0.9, 9.0], [1, 9], "ab")
    found = tables.closest(Media, asked, rows([0.0], [0], "a"))
    np.testing.assert_allclose(found, [(0.1 + 1 / 9) / 3, 1.0], atol=1e-6)
    np.testing.assert_allclose(tables.closest(Media, REAL, REAL), 0)


def test_copies():
    made = rows([0, 1, 2, 3], [0, 1, 3, 2], "aaab")
    assert tables.copies(Media, made, REAL) == 0.5 and tables.copies(Media, REAL, REAL) == 1.0


def many(count, seed, signal):
    """Rows whose word says whether x is above 4.5, or not, if there is no signal."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, 9, count), random.integers(0, 10, count)
    word = np.where((x if signal else random.permutation(x)) > 4.5, "b", "a")
    return rows(x, y, word)


def test_what_classifiers_make_of_it():
    """One that is told apart by nothing, and by everything; one that learns a rule, and none."""
    real, same, other = many(300, 0, True), many(300, 1, True), many(300, 2, True).assign(y=0)
    assert abs(tables.detection(Media, real, same) - 0.5) < 0.12
    assert tables.detection(Media, real, other) > 0.9
    test = many(200, 3, True)
    learned, nothing = (tables.efficacy(Media, many(300, 4, signal), test, "word") for signal in (True, False))
    assert learned.kind == "f1" and min(learned.scores.values()) > 0.8
    assert np.mean(list(nothing.scores.values())) < 0.7
    numbers = tables.efficacy(Media, many(300, 4, True), test, "x")
    assert numbers.kind == "r2" and 0.6 < numbers.scores["linear regression"] < 0.9  # 3/4: a word says which half
    one_word = real.assign(word="a")
    assert set(tables.efficacy(Media, one_word, test, "word").scores.values()) == {0.0}


def test_columns_by_themselves():
    mixed = tables.shuffled(REAL, 4000, seed=1)
    assert abs(np.corrcoef(mixed["x"], mixed["y"])[0, 1]) < 0.1 and len(mixed) == 4000
    assert abs((mixed["word"] == "a").mean() - 0.6) < 0.05


class Maker:
    """What makes the real rows again."""

    name, media = "maker", Media

    def generate(self, count, seed):
        return many(count, seed, True)


def test_each_score_stands_beside_its_floor_and_independent_columns():
    train, test = many(200, 10, True), many(100, 11, True)
    found = tables.evaluate(Maker(), train, test, "marginals, efficacy, copies", seed=5, split="kept apart")
    by = {(one.metric, one.model): one.value for one in found}
    assert by["marginals", "maker"] > 0.85 and by["marginals", result.REAL] > 0.85
    assert by["ml_f1", "maker"] > 0.9 and by["ml_f1", result.REAL] > 0.9
    assert by["ml_f1, independent columns", tables.INDEPENDENT] < 0.7
    assert by["copies", "maker"] == 0.0
    assert len({one.data for one in found}) == 1 and found[0].size == "3 columns" and found[0].n_real == 200
    shown = result.table(found)
    assert "ml_f1 ↑" in shown and "ml_f1, independent columns ↑" in shown and "target word" in shown
    (found, *_) = tables.evaluate(Maker(), train, pandas.concat([test, test.head(3).assign(word="c")]), "copies")
    assert found.split == "all, 3 rows with values left out that the training had not"
    with pytest.raises(ValueError, match="for a model of tables"):
        tables.evaluate(Maker(), train, test, "fid")
    with pytest.raises(ValueError, match="rows and test 1; expected"):
        tables.evaluate(Maker(), train, test.head(1))
