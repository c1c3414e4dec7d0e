"""Tables: rows in model range, conditions, files and pictures, of a table that is written out."""

import numpy as np
import pytest

from kerasgan.columns import associations, cramers_v, shares
from kerasgan.media import Table
from kerasgan.media.wanted import Wanted, parse

pandas = pytest.importorskip("pandas")

NUMBERS = {"name": "size", "kind": "number", "least": 0.0, "most": 20.0, "decimals": 1, "missing": 2}
NUMBERS |= {"modes": [[0.6, 4.0, 1.0], [0.4, 10.0, 0.0]], "shares": [0.05] * 20, "tenths": [2.0, 4.0]}
WORDS = {"name": "word", "kind": "categorical", "values": ["a", "b>1", None], "counts": [90, 9, 1]}
DAYS = {"name": "day", "kind": "datetime", "least": 0.0, "most": 864000.0, "step": 86400, "format": "%d.%m.%Y"}
DAYS |= {"missing": 0, "modes": [[1.0, 432000.0, 108000.0]], "shares": [0.05] * 20, "tenths": [432000.0]}
FITTED = {"columns": [NUMBERS, WORDS, DAYS], "associations": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
# How far the number and the day are from their modes; the word's three places; the number's two modes, and missing.
ROWS = np.float32([[0.5, 0, 1, 0, 0, 1, 0, 0], [0, -1, 0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0, 0, 1]])


@pytest.fixture
def media():
    return Table(FITTED)


def test_rows_are_those_of_the_model(media):
    """0.5 of four deviations above the mode at 4 is 6; a mode without deviation is its value; dates by the day."""
    rows = media.to_natural(ROWS)
    assert media.shape == (8,) and media.widths == [3, 3] and rows.columns.tolist() == ["size", "word", "day"]
    assert rows["size"].tolist()[:2] == [6.0, 10.0] and np.isnan(rows["size"][2])
    assert rows["word"].tolist() == ["a", "b>1", None]
    assert rows["day"].dt.strftime("%Y-%m-%d").tolist() == ["1970-01-06", "1970-01-01", "1970-01-11"]
    np.testing.assert_allclose(media.to_model(rows), ROWS, atol=1e-6)
    soft = ROWS.copy()
    soft[:, 2:] = 0.6 * soft[:, 2:] + 0.1  # shares in place of ones and zeros
    pandas.testing.assert_frame_equal(media.to_natural(soft), rows)


def test_values_stay_in_the_range_seen_and_as_fine(media):
    rows = np.float32([[1.0, 0.31, 1, 0, 0, 1, 0, 0], [-0.987654, 0.3, 1, 0, 0, 1, 0, 0]])
    assert media.to_natural(rows)["size"].tolist() == [8.0, 0.0]
    assert (media.to_natural(rows)["day"].dt.hour == 0).all()


def test_what_an_app_must_know(media):
    (described,) = media.exported()
    assert described["numbers"] == 2 and described["one_hot"] == [3, 3] and described["reach"] == 4.0
    assert [column["name"] for column in described["columns"]] == ["size", "word", "day"]


def test_files(media, tmp_path):
    rows = media.to_natural(ROWS)
    assert media.save(rows, tmp_path / "a.csv").read_text() == (
        "size,word,day\n6.0,a,06.01.1970\n10.0,b>1,01.01.1970\n,,11.01.1970\n"
    )
    assert media.save(rows, tmp_path / "a.tsv").read_text().startswith("size\tword\tday\n")
    pytest.importorskip("pyarrow")
    again = pandas.read_parquet(media.save(rows, tmp_path / "a.parquet"))
    assert again["size"].tolist()[:2] == [6.0, 10.0] and again["word"].isna().tolist() == [False, False, True]
    with pytest.raises(ValueError, match="column 'word' is lacking"):
        media.save(rows.drop(columns="word"), tmp_path / "b.csv")
    with pytest.raises(ValueError, match="is a ndarray; expected a pandas.DataFrame"):
        media.to_model(ROWS)


def met(media, **conditions):
    return Wanted(media, conditions).met(media.to_natural(ROWS)).tolist()


def test_conditions(media):
    assert met(media, word="b>1") == [False, True, False] and met(media, word=None) == [False, False, True]
    assert met(media, word=["a", None]) == [True, False, True] and met(media, size=6) == [True, False, False]
    assert met(media, size=">=6") == [True, True, False] and met(media, size=">6") == [False, True, False]
    assert met(media, size="<10") == [True, False, False] and met(media, size="5..7") == [True, False, False]
    assert met(media, size=(None, 6.0), word="a") == [True, False, False]
    assert met(media, day=">1970-01-05") == [True, False, True]
    np.testing.assert_array_equal(Wanted(media, {"word": "b>1", "size": 6}).vector(), [[0, 1, 0]])
    assert Wanted(media, {"size": 6}).vector() is None and Wanted(media, {"word": ["a", None]}).vector() is None


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"wort": "a"}, "no column 'wort'; the table has: size, word, day"),
        ({"word": "c"}, r"conditions\['word'\]='c' is none of its values: 'a', 'b>1', None"),
        ({"size": "large"}, r"conditions\['size'\]='large': expected a number"),
        ({"size": ">30"}, "the data lie from 0 to 20"),
        ({"day": "soon"}, "expected a date"),
        ({"word": []}, "give a value"),
        ("word=a", "expected {column: value}"),
    ],
)
def test_conditions_that_nothing_can_meet(media, conditions, message):
    with pytest.raises(ValueError, match=message):
        Wanted(media, conditions)


def test_conditions_of_a_command():
    names = ["age", "age group", "income"]
    assert parse("income=>50K", names) == ("income", ">50K") and parse("age>=40", names) == ("age", ">=40")
    assert parse("age group=40", names) == ("age group", "40") and parse("age = 40..50", names) == ("age", "40..50")
    for wrong in ("sex=Male", "age", "age!40"):
        with pytest.raises(ValueError, match="expected COLUMN=VALUE, where COLUMN is one of age, age group, income"):
            parse(wrong, names)


def test_columns_that_follow_from_each_other_are_associated():
    one = np.array([0, 0, 1, 1, 2, 2])
    assert cramers_v(one, (one + 1) % 3) == pytest.approx(1.0)
    assert cramers_v(one, np.array([0, 1] * 3)) == pytest.approx(0.0) and cramers_v(one, np.zeros(6, int)) == 0.0
    assert cramers_v(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])) == pytest.approx(1 / np.sqrt(3))  # chi^2 is 4/3


def test_shares_of_values(media):
    rows = media.to_natural(ROWS)
    np.testing.assert_allclose(shares(WORDS, rows["word"]), [1 / 3] * 3)
    expected = np.zeros(21)
    expected[[6, 10, 20]] = 1 / 3  # the bins of 6 and 10 of 0 to 20, and the missing one
    np.testing.assert_allclose(shares(NUMBERS, rows["size"]), expected)
    assert np.shape(associations(FITTED, rows)) == (3, 3)
