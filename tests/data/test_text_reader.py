"""Reading texts: files that are written out, what is learned of them, and what cannot be read."""

import codecs
import json
import warnings
import zipfile

import numpy as np
import pytest

from kerasgan.data import lines, text
from kerasgan.media import Text


def read(source, **options):
    """All texts in their order."""
    data = text(source, 1, shuffle=False, **options)
    media = Text(data.fitted)
    return [string for batch in data.as_numpy_iterator() for string in media.to_natural(batch)]


def file(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_lines_and_what_is_learned_of_them(tmp_path):
    data = text(file(tmp_path / "a.txt", "ab\r\n\n  cab \nb\n"), 3, shuffle=False)
    assert data.fitted == {"unit": "character", "vocabulary": ["", "a", "b", "c"], "length": 3} and data.count == 3
    (batch,) = data.as_numpy_iterator()
    assert batch.shape == (3, 3, 4) and batch.dtype == np.float32
    np.testing.assert_array_equal(batch.argmax(axis=2), [[1, 2, 0], [3, 1, 2], [2, 0, 0]])
    assert (batch.sum(axis=2) == 1).all()
    assert [data.item_names(n) for n in range(3)] == ["a.txt, line 1", "a.txt, line 3", "a.txt, line 4"]
    assert lines(tmp_path / "a.txt") == ["ab", "cab", "b"]


def test_all_forms_of_a_source(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    file(folder / "1.txt", "ab\n")
    file(folder / "2", "ba")
    file(folder / "3.jsonl", '"bb"\n\n"a\\u0062a"\n')
    file(folder / "ignored.png", b"\x89PNG")
    expected = ["ab", "ba", "bb", "aba"]
    assert read(folder) == expected
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"in/{path.name}")
    assert read(tmp_path / "texts.zip") == read(tmp_path / "texts.zip", subset="in") == expected
    assert read([folder / "1.txt", folder / "2"]) == ["ab", "ba"]
    assert read(["ab", "ba"]) == ["ab", "ba"]
    table = file(tmp_path / "a.csv", 'name;n\n"ab;\n c";1\nba;2\n\n')
    assert read(table, column="name") == ["ab; c", "ba"]
    objects = file(tmp_path / "a.jsonl", '{"title": "ab"}\n{"title": "ba"}\n')
    assert read(objects, column="title") == ["ab", "ba"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    words = ["Übung", "文字", "שלום", "😀"]
    assert read(file(tmp_path / "a.txt", "\n".join(words).encode(encoding))) == words
    assert read(file(tmp_path / "b.txt", "Größe".encode("latin-1")), encoding="latin-1") == ["Größe"]
    assert read(file(tmp_path / "c.txt", codecs.BOM_UTF16_BE + "é".encode("utf-16-be"))) == ["é"]
    assert read(["e\u0301"]) == ["é"]  # composed


def test_words(tmp_path):
    path = file(tmp_path / "a.txt", "The  red fox, the dog.\nThe dog!\n")
    data = text(path, 1, unit="word")
    assert data.fitted["vocabulary"] == ["", "!", ",", ".", "The", "dog", "fox", "red", "the"]
    assert data.fitted["length"] == 7 and read(path, unit="word") == ["The red fox, the dog.", "The dog!"]


def test_the_rarest_are_dropped_and_said(tmp_path, capsys):
    path = file(tmp_path / "a.txt", "aa\nab\nbb\nac\n")
    with pytest.warns(UserWarning, match=r"1 of 4 texts of .*a.txt, line 4: the character 'c' is not in the voc"):
        data = text(path, 1, vocabulary_size=3)
    assert data.fitted["vocabulary"] == ["", "a", "b"] and data.count == 3
    assert "3 different characters, of which vocabulary_size=3 keeps 2; those dropped come up to 1 times" in (
        capsys.readouterr().out
    )


def test_long_lines_are_left_out_and_said(tmp_path):
    path = file(tmp_path / "a.txt", "ab\n" * 200 + "a" * 10_000 + "\n")
    with pytest.warns(UserWarning, match=r"a.txt, line 201: 10000 characters, where length=2"):
        assert text(path, 1).fitted["length"] == 2
    with pytest.warns(UserWarning, match="line 1: 2 characters, where length=1"):
        text(file(tmp_path / "b.txt", "ab\na\n"), 1, length=1)


def test_other_texts_are_read_by_what_was_fitted(tmp_path):
    fitted = json.loads(json.dumps(text(["ab", "ba"], 1).fitted))
    with pytest.warns(UserWarning, match=r"line 2: the character 'c' .*; line 3: 3 characters"):
        data = text(["ba", "ac", "aaa"], 1, unit="word", fitted=fitted)  # the unit, too, is that of the model
    assert data.fitted == fitted and data.count == 1
    endless = {"unit": "character", "vocabulary": ["a", "b"], "length": 2}
    with pytest.warns(UserWarning, match="line 2: 1 characters, where all have 2"):
        assert text(["ab", "a"], 1, fitted=endless).count == 1


def test_parts_and_patterns(tmp_path, capsys):
    path = file(tmp_path / "a.txt", "\n".join([f"word{n}" for n in range(20)] + ["Name", "it's"]))
    train, test = (lines(path, pattern="[a-z]+[0-9]+", part=part) for part in ("train", "test"))
    assert test == ["word9", "word19"] and len(train) == 18 and not {*train} & {*test}
    assert "20 of 22 lines match" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "is empty|has no lines"),
        ("\n \n", {}, "has no lines"),
        ("ab\nGr\xf6\xdfe\n".encode("latin-1"), {}, r"'a.txt', line 2: byte 5 is no text in utf-8.*encoding='latin-1'"),
        ("ab\n", {"encoding": "klingon"}, "encoding='klingon' is unknown"),
        ("ab".encode("utf-16-le"), {}, "UTF-16 without a mark"),
        ("a\x07b\n", {}, r"a.txt, line 1: it holds the control character U\+0007"),
        ("a\u202eb\n", {}, r"turns the direction"),
        ("ab\n", {"pattern": "c+"}, r"pattern='c\+' fits none of 1 lines"),
        ("ab\n", {"pattern": "("}, "no regular expression"),
        ("ab\n", {"pattern": 3}, "no regular expression"),
        ("ab\n", {"length": 1}, "all 1 texts of .* are longer; the shortest one, a.txt, line 1, has 2 char"),
        ("ab\n", {"length": 0}, "length=0"),
        ("ab\n", {"vocabulary_size": 1}, "vocabulary_size=1"),
        ("ab\n", {"unit": "line"}, "unit='line'"),
        ("ab\n", {"column": "a"}, "column='a' means nothing"),
        ("ab\n", {"part": "test"}, "no lines in part='test'"),
        ("ab\n", {"fitted": {}}, "fitted="),
        ("ab\n", {"on_error": "x"}, "on_error='x'"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, options, message):
    path = file(tmp_path / "a.txt", content)
    with pytest.raises(ValueError, match=message):
        text(path, 1, **options)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.csv", "name,n\nab,1\n", {}, "say by column= .* its columns are: name, n"),
        ("a.csv", "name,n\nab,1\n", {"column": "x"}, "no column 'x'"),
        ("a.csv", 'name,n\n"ab,1\n', {"column": "name"}, r"'a.csv', line 2: .*quote that is not closed"),
        ("a.csv", "n,name\n1,ab\n2\n", {"column": "name"}, r"'a.csv', line 3: 1 values, without a 'name'"),
        ("a.jsonl", '"\\ud800"', {}, r"line 1: it holds the control character U\+D800"),
        ("a.jsonl", "{\n3\n", {}, r"line 1: .*line 2: no JSON string"),
        ("a.jsonl", '{"a": 3}\n', {"column": "a"}, "line 1: no string called 'a'"),
    ],
)
def test_tables_and_json_that_cannot_be_read(tmp_path, name, content, options, message):
    with pytest.raises(ValueError, match=message):
        text(file(tmp_path / name, content), 1, **options)


def test_wrong_lines_are_skipped_or_stop_the_reading(tmp_path):
    path = file(tmp_path / "a.txt", "ab\na\x00b\n")
    with pytest.warns(UserWarning, match=r"1 of 2 items .*a.txt, line 2: it holds the control character U\+0000"):
        assert read(path, encoding="utf-8") == ["ab"]
    with pytest.raises(ValueError, match="a.txt, line 2"):
        text(path, 1, on_error="raise", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        text(tmp_path / "b.txt", 1)
    with pytest.raises(ValueError, match="nothing that can be read"):
        text(3, 1)


def test_what_is_read_is_never_run_nor_opened(tmp_path):
    """Lines that look like code or names of files are lines."""
    wanted = ["__import__('os').abort()", "/etc/passwd", "{0.__class__}", "%s%n", "$(reboot)"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(file(tmp_path / "a.txt", "\n".join(wanted))) == wanted
