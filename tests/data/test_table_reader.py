"""Reading tables: what columns are, how they become rows, and what cannot be read, of files that are written out."""

import datetime
import json
import zipfile

import numpy as np
import pytest

import kerasgan
from kerasgan.data import column_kinds
from kerasgan.data.table import frame, table
from kerasgan.media import Table

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")

ROWS = 120


def text_of(delimiter=",", end="\n"):
    """A table with a column of every kind, and values missing of some."""
    lines = [["name", "size", "age", "city", "member", "since", "land", "grade"]]
    for row in range(ROWS):
        since = datetime.date(2020, 1, 1) + datetime.timedelta(days=3 * row)
        size = "" if row % 10 == 3 else f"{(row * 37 % 101) / 4:.2f}"
        city = "?" if row % 15 == 7 else ("Paris", "Rome", "San José")[row % 3]
        lines.append(
            [f"p{row:03}", size, str(20 + row % 60), city, ("true", "false")[row % 2], str(since), "x", "123"[row % 3]]
        )
    return end.join(delimiter.join(line) for line in lines) + end


KINDS = {
    **{"name": "identifier", "size": "number", "age": "integer", "city": "categorical", "member": "boolean"},
    **{"since": "datetime", "land": "constant", "grade": "categorical"},
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "people.csv").write_text(text_of(), encoding="utf-8")
    return tmp_path / "people.csv"


def written(tmp_path, text, name="a.csv", **encoding):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode(**encoding))
    return tmp_path / name


def refused(source, *parts, **arguments):
    with pytest.raises(ValueError) as error:
        table(source, 2, **arguments)
    for part in parts:
        assert part in str(error.value)


def test_what_columns_are_follows_from_their_values(path):
    data = table(path, 8)
    known = {column["name"]: column for column in data.fitted["columns"]}
    assert {name: column["kind"] for name, column in known.items()} == KINDS and list(known) == list(KINDS)
    assert known["city"]["values"] == ["Paris", "Rome", "San José", None]  # missing is a value of its own
    assert known["grade"]["values"] == [1, 2, 3] and known["land"]["values"] == ["x"]
    assert (known["age"]["least"], known["age"]["most"], known["age"]["missing"]) == (20, 79, 0)
    assert (known["size"]["missing"], known["size"]["decimals"]) == (12, 2)
    assert known["since"]["format"] == "%Y-%m-%d" and known["since"]["step"] == 86_400
    assert data.count == ROWS and json.loads(json.dumps(data.fitted)) == data.fitted


def test_rows_become_what_they_were(path):
    """Through the model's range and back: numbers, whole numbers, dates, missing ones, in their order and types."""
    rows, media = frame(path), Table(table(path, 8).fitted)
    again = media.to_natural(media.to_model(rows, np.random.default_rng(0)))
    assert list(again.columns) == list(rows.columns)
    assert again["age"].dtype == "int64" and again["member"].dtype == bool and again["grade"].dtype == "int64"
    for name in ("size", "age", "member", "grade", "land"):
        np.testing.assert_array_equal(again[name], rows[name])
    assert (again["since"] == rows["since"]).all() and again["since"].dtype.kind == "M"
    assert again["city"].tolist() == rows["city"].tolist() and None in again["city"].tolist()
    assert again["name"].tolist() == list(range(1, ROWS + 1))  # identifiers are numbered anew


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", text_of("\t").encode()),
        ("a.csv", text_of(";", "\r\n").encode("utf-8-sig")),
        ("a.txt", text_of("|").encode("utf-16")),
        ("a.csv", text_of(", ").replace("Paris", '"Paris"').encode()),
    ],
)
def test_other_texts_of_the_same_table(tmp_path, path, name, content):
    """Other delimiters, ends of lines, marks, quotes and spaces."""
    pandas.testing.assert_frame_equal(frame(written(tmp_path / "..", content, f"{tmp_path.name}_{name}")), frame(path))


def test_other_files_of_the_same_table(tmp_path, path):
    rows = frame(path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "set/people.csv")
        archive.writestr("set/readme.md", "nothing")
    pandas.testing.assert_frame_equal(frame(tmp_path / "all.zip"), rows)
    pandas.testing.assert_frame_equal(frame(rows), rows)
    pytest.importorskip("pyarrow")
    rows.to_parquet(tmp_path / "people.parquet")
    found = frame(tmp_path / "people.parquet")
    assert found["age"].tolist() == rows["age"].tolist() and (found["since"] == rows["since"]).all()
    known = [table(source, 4).fitted["columns"] for source in (rows, tmp_path / "people.parquet")]
    assert [[column["kind"] for column in one] for one in known] == [list(KINDS.values())] * 2


def test_several_files_are_told_apart_by_name(tmp_path, path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "set/train.csv")
        archive.writestr("set/test.csv", "name,size\na,1\nb,2\n")
    refused(tmp_path / "all.zip", "2 tables, set/test.csv, set/train.csv", "subset=")
    refused(tmp_path / "all.zip", "subset='other' names no table", subset="other")
    for subset in ("set/test.csv", "set/test", "test"):
        assert frame(tmp_path / "all.zip", subset=subset).shape == (2, 2)
    assert len(frame(tmp_path / "all.zip", subset="train", test_subset="test", part="test")) == 2
    assert len(frame(path, part="test")) == ROWS // 10 and len(frame(path, part="train")) == ROWS - ROWS // 10


def test_arguments_say_what_does_not_follow(tmp_path):
    path = written(tmp_path, "1, a, 01/02/2020\n2, b., 03/04/2021\n1, a, 05/06/2022\n" * 8)
    arguments = {"names": ["zip", "word", "day"], "replace": {"b.": "b"}, "types": {"day": "datetime:%d/%m/%Y"}}
    data = table(path, 2, **arguments, target="word")
    known = {column["name"]: column for column in data.fitted["columns"]}
    assert known["zip"]["kind"] == "categorical" and known["word"]["values"] == ["a", "b"]
    assert data.fitted["target"] == "word" and known["day"]["format"] == "%d/%m/%Y"
    assert str(frame(path, **arguments)["day"][0])[:10] == "2020-02-01"
    assert frame(path, **arguments, drop=["day"]).columns.tolist() == ["zip", "word"]
    missing = table(path, 2, **{**arguments, "missing": ("a",), "types": {"day": "identifier"}}).fitted
    assert missing["columns"][1]["values"] == ["b", None]


def test_other_data_are_read_by_what_was_fitted(path):
    data = table(path, 4, balanced=False)
    rows = frame(path)
    other = rows[list(rows.columns[::-1])].iloc[:6].assign(more=1)  # another order, and a column more
    again = table(other, 6, balanced=False, shuffle=False, fitted=data.fitted)
    assert again.fitted == data.fitted
    expected = Table(data.fitted).to_model(rows.iloc[:6], np.random.default_rng(0))
    np.testing.assert_array_equal(next(again.as_numpy_iterator()), expected)
    refused(rows.drop(columns="city"), "column 'city' is lacking", fitted=data.fitted)
    refused(rows.assign(city="Oslo"), "column 'city' holds 'Oslo'", "'Paris', 'Rome'", fitted=data.fitted)
    refused(rows.assign(age=None), "column 'age' lacks a value", fitted=data.fitted)
    refused(rows.assign(age="old"), "column 'age' holds 'old' in row 1", fitted=data.fitted)


def test_rare_values_are_drawn_by_the_logarithm_of_how_often_they_occur():
    """Of two columns, each in half of the rows; within one, 100 to 4 as log(101) to log(5)."""
    rows = pandas.DataFrame({"common": ["a"] * 100 + ["b"] * 4, "even": ["x", "y"] * 52, "size": np.arange(104.0)})
    data = table(rows, 1000, seed=3)
    batch, columns = next(data.endless(0).as_numpy_iterator())
    drawn = batch[columns == 0, -5:-3] if batch.shape[1] == 6 else batch[columns == 0, 1:3]
    assert abs(columns.mean() - 0.5) < 0.06
    expected = np.log(5) / (np.log(5) + np.log(101))
    assert abs(drawn[:, 1].mean() - expected) < 0.06
    assert abs(batch[columns == 1, 2].mean() - 4 / 104) < 0.04  # the other column is as it comes
    again, same = next(data.endless(0).as_numpy_iterator())
    np.testing.assert_array_equal(batch, again)
    third = [part for _, part in zip(range(3), data.endless(0).as_numpy_iterator(), strict=False)][2]
    np.testing.assert_array_equal(third[0], next(data.endless(2).as_numpy_iterator())[0])
    halves = [next(data.endless(0, worker=(number, 2)).as_numpy_iterator())[0] for number in (0, 1)]
    np.testing.assert_array_equal(np.concatenate(halves), batch)
    assert len(list(table(rows, 52, seed=3).as_numpy_iterator())) == 2
    once = np.concatenate(list(table(rows, 52, balanced=False, seed=3).as_numpy_iterator()))
    assert once.shape == batch[:104].shape and once[:, 2].sum() == 4  # each row once


def test_numbers_are_told_by_their_modes():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(-5, 0.5, 700), random.normal(5, 1.0, 1200), np.zeros(600)])
    modes = column_kinds.modes_of(values)
    assert modes[0] == [600 / 2500, 0.0, 0.0]  # a value that makes up a quarter is met exactly
    assert sum(weight for weight, _, _ in modes) == pytest.approx(1.0)
    below = [(weight, mean) for weight, mean, _ in modes if mean < -2]
    assert sum(weight for weight, _ in below) == pytest.approx(700 / 2500, abs=0.02)
    assert np.average([m for _, m in below], weights=[w for w, _ in below]) == pytest.approx(-5, abs=0.1)
    assert column_kinds.modes_of(np.array([1.0, 1.0, 2.0])) == [[2 / 3, 1.0, 0.0], [1 / 3, 2.0, 0.0]]


HEAD = "a,b\n"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (HEAD + '1,"x\n2,y\n', ["line 3", "quote that is not closed"]),
        (HEAD + "1,x\n2\n", ["line 3 has 1 values, where there are 2 columns, a, b"]),
        (HEAD + "1,x,3\n", ["line 2 has 3 values"]),
        ("a,a\n1,2\n", ["two columns called 'a'"]),
        ("a,\n1,2\n", ["without a name, number 2"]),
        ("39, Private\n40, Private\n", ["holds 39, which looks like a value", "names="]),
        (HEAD, ["There are no rows"]),
        (HEAD + "1,x\n", ["There is a single row"]),
        (HEAD + "1,x\n1,x\n", ["no column has anything to learn"]),
        (HEAD + "".join(f"{n},x{n % 3}\n" for n in range(40)) + "old,x1\n", ["column 'a' holds numbers", "'old'"]),
        (HEAD + '1,2020-01-02\n2,03.04.2021\n3,"May 5, 2020"\n', ["column 'b'", "dates of 3 formats", "03.04.2021"]),
        (HEAD + "1,2020-01-02\n2,2020-01-03\n3,soon\n", ["column 'b' holds dates", "'soon', which is none"]),
        (HEAD + "1,01/02/2020\n2,03/04/2021\n", ["column 'b'", "%m/%d/%Y or as %d/%m/%Y", "types="]),
        (
            HEAD + "".join(f"{n},w{n % 2500}\n" for n in range(5000)),
            ["column 'b' holds 2,500 different texts", "drop="],
        ),
        (b"a,b\n1,\xff\xff\n", ["no text of utf-8", "encoding="]),
        ("a,b\n1,x\n".encode("utf-16-le"), ["UTF-16 without a mark"]),
        (b"", ["There are no rows"]),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, content, parts):
    refused(written(tmp_path, content), "a.csv", *parts)


def test_a_word_among_few_numbers_makes_categories(tmp_path):
    path = written(tmp_path, HEAD + "1,x\ninf,y\n2,x\n")
    assert table(path, 2).fitted["columns"][0]["values"] == ["1", "2", "inf"]
    refused(path, "a.csv", "column 'a' holds 'inf' in row 2, which is infinite", types={"a": "number"})


def test_what_cannot_be_meant_is_refused(path, tmp_path):
    refused(path, "types: there is no column 'x'", types={"x": "number"})
    refused(path, "expected one of categorical", types={"age": "text"})
    refused(path, "column 'city' holds 'Paris' in row 1, which is no number", types={"city": "number"})
    refused(path, "column 'size' holds '9.25' in row 2, which is no whole number", types={"size": "integer"})
    refused(path, "drop: there is no column 'x'", drop=["x"])
    refused(path, "target='x' is no column", target="x")
    refused(path, "part='all'", part="all")
    refused(path, "encoding='none' is unknown", encoding="none")
    refused([1, 2], "nothing that can be read")
    with pytest.raises(FileNotFoundError):
        table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="expected what kerasgan.data.table has"):
        kerasgan.media.Table({"columns": [{"name": "a"}]})


# Open tables, for models that score -----------------------------------------------------------------------------------


def test_by_deviations_a_table_takes_what_it_has_not_seen():
    random = np.random.default_rng(0)
    rows = pandas.DataFrame(
        {"even": random.normal(10, 2, 400), "bytes": random.lognormal(5, 2, 400).round(), "kind": ["a", "b"] * 200}
    ).assign(always=0)
    data = table(rows, 400, balanced=False, shuffle=False, scaling="deviations")
    known = {column["name"]: column for column in data.fitted["columns"]}
    assert not known["even"]["log"] and known["bytes"]["log"]
    values = next(data.as_numpy_iterator())
    assert values.shape == (400, 2 + 2 + 1)
    np.testing.assert_allclose(values[:, 0], ((rows.even - rows.even.mean()) / rows.even.std(ddof=0) / 4), atol=1e-5)
    logs = np.log1p(rows.bytes - rows.bytes.min())
    np.testing.assert_allclose(values[:, 1], ((logs - logs.mean()) / logs.std(ddof=0) / 4).clip(-1, 1), atol=1e-5)

    strange = pandas.DataFrame({"even": [10.0, 1e6], "bytes": [-1e9, 1.0], "kind": ["c", "a"], "always": [0, 7]})
    expected = [[0, 0, 1], [1, 0, 0]]  # neither a nor b; not what it always was
    for media in (Table(data.fitted), table(strange, 2, balanced=False, fitted=data.fitted)):
        found = media.to_model(strange) if isinstance(media, Table) else next(media.as_numpy_iterator())
        assert sorted(found[:, 2:].tolist()) == sorted(expected)
        assert {found[:, 0].max(), found[:, 1].min()} == {1.0, -1.0}
    again = Table(data.fitted).to_natural(values)
    np.testing.assert_allclose(again.bytes[:9], rows.bytes[:9], rtol=1e-4)
    assert again.kind.tolist() == rows.kind.tolist() and Table(data.fitted).sheet(strange).ndim == 3


def test_rows_are_chosen_by_the_values_of_a_column(path, tmp_path):
    rows = frame(path)
    assert frame(path, subset="city=Rome", drop=["city"]).age.tolist() == rows[rows.city == "Rome"].age.tolist()
    assert len(frame(path, subset="city!=Rome")) == (rows.city != "Rome").sum()
    assert set(frame(path, subset="city=Rome|Paris", part="test").city) <= {"Rome", "Paris"}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "set/train.csv")
        archive.write(path, "set/test.csv")
    assert len(frame(tmp_path / "all.zip", subset="train: grade=2")) == ROWS // 3
    refused(path, "subset: there is no column 'town'", subset="town=Rome")
    refused(path, "holds no 'Oslo', but", "'Rome'", subset="city=Oslo")
    refused(path, "There are no rows", subset="grade!=1|2|3")


def test_a_line_of_the_names_that_were_given_is_no_row(tmp_path):
    bare, headed = "1, a\n2, b\n" * 9, "word,size\nb,2\na,1\n"
    names = ["size", "word"]
    fitted = table(written(tmp_path, bare), 2, names=names, types={"size": "integer"}).fitted
    other = frame(written(tmp_path, headed, "headed.csv"), names=names, fitted=fitted)
    assert other["size"].tolist() == [2, 1] and other["word"].tolist() == ["b", "a"]
