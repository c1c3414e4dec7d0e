"""Texts: strings and tokens, files, pictures."""

import json

import numpy as np
import pytest

from kerasgan.media import Text
from kerasgan.tokens import divided, joined

LETTERS = {"unit": "character", "vocabulary": ["", " ", "a", "b", "é", "文", "😀"], "length": 4}
WORDS = {"unit": "word", "vocabulary": ["", "(", ")", ",", ".", "don't", "red", "so"], "length": 8}


@pytest.fixture
def media():
    return Text(LETTERS)


def test_a_text_ends_at_the_first_end(media):
    rows = np.eye(7, dtype="float32")[[[2, 3, 0, 2], [6, 5, 4, 2], [0, 2, 2, 2]]]
    assert media.to_natural(rows) == ["ab", "😀文éa", ""]
    np.testing.assert_array_equal(media.to_model(["ab", ""]).argmax(axis=2), [[2, 3, 0, 0], [0, 0, 0, 0]])
    soft = 0.6 * rows + 0.05
    assert media.to_natural(soft) == media.to_natural(rows)
    endless = Text({"unit": "word", "vocabulary": ["no", "yes"], "length": 2})
    assert endless.to_natural(np.float32([[[1, 0], [0, 1]]])) == ["no yes"]
    with pytest.raises(ValueError, match="has 1 words; expected 2: these have no end"):
        endless.to_model(["no"])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("so red, (so). don't", ["so", "red", ",", "(", "so", ")", ".", "don't"]),
        ("(so, red).", ["(", "so", ",", "red", ")", "."]),
        ('"3.5 %"', ['"', "3.5", "%", '"']),
        ("...", [".", ".", "."]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("", []),
    ],
)
def test_words_and_the_marks_around_them(text, tokens):
    assert divided(text, "word") == tokens
    assert divided(joined(tokens, "word"), "word") == tokens


def test_words_are_joined_as_they_are_written():
    assert joined(["so", "red", ",", "(", "so", ")", ".", "don't"], "word") == "so red, (so). don't"
    rows = Text(WORDS).to_model(["so red, (so)."])
    assert Text(WORDS).to_natural(rows) == ["so red, (so)."]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["abc"], "text='abc': the character 'c' is none of the model's vocabulary"),
        (["ababa"], "has 5 characters; the model's texts have up to 4"),
        ("ab", "expected a list of strings"),
        ([1], "expected a list of strings"),
        ([], "expected a list of strings"),
        (["a\nb"], "several lines"),
    ],
)
def test_what_is_no_text_of_the_model(media, texts, message):
    with pytest.raises(ValueError, match=message):
        media.to_model(texts)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {"unit": "line"},
        {"length": 0},
        {"length": 10_000},
        {"vocabulary": ["a"]},
        {"vocabulary": ["a", "a"]},
        {"vocabulary": ["a", ""]},
        {"vocabulary": "abc"},
    ],
)
def test_what_was_not_fitted(wrong):
    with pytest.raises(ValueError, match="fitted"):
        Text(wrong and {**LETTERS, **wrong})


def test_files(media, tmp_path):
    texts = ["ab", "é文😀", ""]
    assert media.save(texts, tmp_path / "a.txt").read_bytes().decode() == "ab\né文😀\n\n"
    lines = media.save(texts, tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == texts
    with pytest.raises(ValueError, match="csv"):
        media.save(texts, tmp_path / "a.csv")


def test_sheets_show_whole_texts():
    """Cells are as large as the longest text may be, in several lines where it is long."""
    sheet = Text(LETTERS).sheet(["ab", "ba", "a"], columns=2)
    assert (sheet < 128).any() and sheet.shape[1] > sheet.shape[0]
    long = Text({**LETTERS, "length": 1000})
    one, six = (long.sheet([text]) for text in ("ab" * 20, "ab" * 500))
    assert one.shape == six.shape and (six < 128).sum() > 5 * (one < 128).sum()
    assert long.sheet(["a b " * 250]).shape == six.shape
