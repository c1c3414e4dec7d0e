"""Texts: lines of characters or of words."""

import json
import re

import keras
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.media import lettering, markup
from kerasgan.media.image import Image
from kerasgan.media.pictured import Pictured
from kerasgan.tokens import CLOSING, END, OPENING, UNITS, divided, joined

MOST_TOKENS = 1000  # of a text
_COUNTED = 4096  # values of a text, up to which it is described by all of them
_SIZE, _ADVANCE, _HEIGHT, _MARGIN = 18, 11, 24, 8  # of what sheets are written in, pixels
_LISTED = 100  # texts that a notebook shows
_ACROSS, _DOWN = 60, 6  # characters in a line of a sheet, lines of a text


@keras.saving.register_keras_serializable(package="kerasgan")
class Text(Pictured):
    """Texts as sequences of tokens, which are characters or words.

    For people a text is a string, and several are a list of them. For networks it is float32 (length, vocabulary), a
    one-hot vector for each token; of what a network gives, the largest counts. Token 0 is the end (`""`), and comes in
    all rows behind it. A vocabulary whose first token is not `""` has no end: all texts are of the same length then.

    Words are what stands between spaces, without the punctuation at their beginning and end, whose marks are tokens of
    their own. A sheet shows texts as they are written, in a font for Latin, Greek, Cyrillic and some other letters.

    Args:
        fitted: what the reader learned from the data, the attribute `fitted` of `kerasgan.data.text`: {"unit":
            "character" or "word", "vocabulary": [tokens], "length": most tokens of a text}.
    """

    range = (0.0, 1.0)
    extension = ".txt"
    extensions = (".txt", ".jsonl", ".png")
    animation_extension = ".gif"
    plural = "texts"
    samples_at_a_glance = 24
    kind = "text"

    def __init__(self, fitted):
        self.fitted = checked(fitted)
        self.unit, self.vocabulary = self.fitted["unit"], self.fitted["vocabulary"]
        self.length, self.ends = self.fitted["length"], self.fitted["vocabulary"][0] == END
        self._numbers = {token: number for number, token in enumerate(self.vocabulary)}
        super().__init__((self.length, len(self.vocabulary)))

    def _advice(self, batch):
        return " Read files and lists of strings with kerasgan.data.text, or convert them with gan.media.to_model."

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave as a list of strings.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        return [self.written(tokens) for tokens in self._finite(samples).argmax(axis=2).tolist()]

    def written(self, numbers):
        """The string of the numbers of tokens, up to the first that is the end."""
        if self.ends and 0 in numbers:
            numbers = numbers[: numbers.index(0)]
        return joined([self.vocabulary[number] for number in numbers], self.unit)

    def numbers(self, text, name="text"):
        """The numbers of a string's tokens, a list.

        Raises:
            ValueError: it has more tokens than the model, or one that is not in the vocabulary; `name` is what the
                message calls it.
        """
        tokens = divided(text, self.unit)
        unknown = next((token for token in tokens if token not in self._numbers), None)
        if unknown is not None:
            raise ValueError(f"{name}={_short(text)}: the {self.unit} {unknown!r} is none of the model's vocabulary.")
        if len(tokens) > self.length:
            raise ValueError(
                f"{name}={_short(text)} has {len(tokens)} {self.unit}s; the model's texts have up to {self.length}."
            )
        return [self._numbers[token] for token in tokens]

    def encoded(self, texts):
        """Strings as int32 (count, length): the numbers of their tokens, and 0 behind their end.

        Raises:
            ValueError: a text that has other tokens, more of them, or, where texts have no end, fewer.
        """
        rows = np.zeros((len(texts), self.length), "int32")
        for row, text in zip(rows, self._checked(texts), strict=True):
            numbers = self.numbers(text)
            if not self.ends and len(numbers) < self.length:
                raise ValueError(
                    f"text={_short(text)} has {len(numbers)} {self.unit}s; expected {self.length}: these have no end."
                )
            row[: len(numbers)] = numbers
        return rows

    def to_model(self, samples):
        """A list of strings as float32 (count, length, vocabulary).

        Raises:
            ValueError: as `encoded`.
        """
        return np.eye(len(self.vocabulary), dtype="float32")[self.encoded(samples)]

    def descriptors(self, samples):
        """Tokens by their place; in texts of many, how often each comes."""
        samples = np.asarray(samples, "float32")
        found = samples.reshape(len(samples), -1) if np.prod(self.shape) <= _COUNTED else samples.sum(axis=1)
        return found.astype("float64")

    def described(self):
        """What makes strings of numbers of tokens."""
        return {"unit": self.unit, "vocabulary": self.vocabulary, "opening": OPENING, "closing": CLOSING}

    def made_up(self, count, seed):
        """Random tokens, of which the last third is the end."""
        random = np.random.default_rng(seed)
        tokens = random.integers(int(self.ends), len(self.vocabulary), (count, self.length))
        if self.ends:
            tokens[:, self.length - self.length // 3 :] = 0
        return [self.written(row) for row in tokens.tolist()]

    # Files and pictures ----------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves texts, by the ending of the file.

        - `.txt`: one a line, in UTF-8.
        - `.jsonl`: a JSON string a line.
        - `.png`: a picture of them, see `sheet`.

        Args:
            samples: list of strings.
            path: file to write. Missing folders are made.
            columns: texts in a row, of `.png`.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: another ending, or samples that are no strings.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        if path.suffix.lower() == ".png":
            return self._save_sheet(samples, path, columns)
        as_line = str if path.suffix.lower() == ".txt" else lambda text: json.dumps(text, ensure_ascii=False)
        with files.atomic(path) as temporary:
            temporary.write_text("".join(f"{as_line(text)}\n" for text in samples), encoding="utf-8", newline="\n")
        return path

    def save_sheet(self, samples, path, columns=None):
        """Writes the `sheet` of texts as a `.png` file."""
        return self._save_sheet(self._checked(samples), files.check_output(path, (".png",)), columns)

    def html(self, samples, columns=None):
        """The first 100 texts as HTML, for notebooks: a list."""
        samples = self._checked(samples)
        return markup.lines(samples[:_LISTED]) + markup.more(len(samples), _LISTED, self.plural)

    def _checked(self, samples):
        several = isinstance(samples, (list, tuple, np.ndarray)) and len(samples)
        if not several or not all(isinstance(text, str) for text in samples):
            raise ValueError(f"samples={_short(samples)}: expected a list of strings, as `generate` returns them.")
        if any("\n" in text or "\r" in text for text in samples):
            raise ValueError("samples hold a string of several lines; a text is one line.")
        return list(samples)

    def _columns(self, count, columns):
        return columns or max(1, min(count, 720 // self._cell[1]))

    @property
    def _letters(self):
        """Characters of a long text: (in a line, lines)."""
        most = max(map(len, self.vocabulary)) if self.unit == "character" else 6
        letters = self.length * most
        return min(_ACROSS, max(4, letters)), min(_DOWN, -(-letters // _ACROSS))

    @property
    def _cell(self):
        """Height and width of a text's picture."""
        across, down = self._letters
        return _HEIGHT * down + _MARGIN, _ADVANCE * across + 2 * _MARGIN

    def _pictures(self):
        return Image((*self._cell, 1))

    def _drawn(self, samples):
        font = lettering.font(_SIZE, "DejaVuSansMono")
        return np.stack([self._picture(text, font) for text in samples])[..., None]

    def _picture(self, text, font):
        height, width = self._cell
        canvas = Pillow.new("L", (width, height), 255)
        pencil = ImageDraw.Draw(canvas)
        for place, line in enumerate(_lines(text, *self._letters)):
            pencil.text((_MARGIN, _MARGIN // 2 + place * _HEIGHT), line, fill=20, font=font)
        return np.asarray(canvas)

    def get_config(self):
        return {"fitted": self.fitted}


def checked(fitted):
    """What a reader learned of texts; a ValueError for anything else."""
    hint = '{"unit": "character" or "word", "vocabulary": [...], "length": ...}, as kerasgan.data.text(...).fitted is'
    if not isinstance(fitted, dict) or not {"unit", "vocabulary", "length"} <= set(fitted):
        raise ValueError(f"fitted={_short(fitted)}: expected {hint}.")
    unit, vocabulary, length = (fitted[name] for name in ("unit", "vocabulary", "length"))
    if unit not in UNITS:
        raise ValueError(f"fitted: unit={unit!r}, expected one of {', '.join(UNITS)}.")
    if not is_whole(length, most=MOST_TOKENS):
        raise ValueError(f"fitted: length={length!r}, expected a whole number of tokens, 1 to {MOST_TOKENS}.")
    strings = isinstance(vocabulary, (list, tuple)) and all(isinstance(token, str) for token in vocabulary)
    if not strings or len(vocabulary) < 2 or len(set(vocabulary)) < len(vocabulary) or END in vocabulary[1:]:
        raise ValueError("fitted: vocabulary: expected a list of at least two different strings, the first may be ''.")
    return {"unit": unit, "vocabulary": list(vocabulary), "length": int(length)}


# Pictures ------------------------------------------------------------------------------------------------------------


def _lines(text, across, down):
    """A text in lines of so many characters, broken at spaces where there are some; the last ends in … if more come."""
    lines = re.findall(rf".{{1,{across}}}(?:\s+|$)|.{{1,{across}}}", text)
    if len(lines) > down:
        lines = [*lines[: down - 1], lines[down - 1][: across - 1] + "…"]
    return [line.strip() for line in lines]


def _short(value):
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."
