"""Texts from files of lines, JSON-lines, columns of CSV files and lists, as a `tf.data.Dataset` of one-hot tokens."""

import codecs
import collections
import csv
import io
import os
import re
import warnings

import numpy as np
import tensorflow as tf

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.data.dataset import Dataset, check_batch_size
from kerasgan.data.files import BadSample, LeftOut, find_files, unusable
from kerasgan.data.pipeline import check_choices
from kerasgan.data.reading import LISTED, read_usable, report
from kerasgan.data.sources import TEST_EVERY, check_path, paths_of, short
from kerasgan.media.text import MOST_TOKENS, Text
from kerasgan.tokens import END, UNITS, divided, normal, wrong_character

CHOICES = {"unit": UNITS, "part": (None, "train", "test"), "on_error": ("skip", "raise"), "shuffle": (True, False)}
NO_TEXTS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".zip", ".gz", ".docx")  # beside them, passed over
TABLES = (".csv", ".tsv")
MOST_BYTES = 2**29  # of a file
USUAL = 99  # percent of texts that are short enough for `length` by default
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t|"


def text(
    source,
    batch_size=64,
    *,
    unit="character",
    column=None,
    pattern=None,
    length=None,
    vocabulary_size=5000,
    shuffle=True,
    seed=None,
    part=None,
    subset=None,
    encoding=None,
    on_error="skip",
    fitted=None,
):
    """Reads lines of text into batches for training: float32 (batch_size, length, vocabulary), one-hot tokens.

    A line is a text; empty ones do not count, spaces around it neither. Which tokens there are, and how many a text
    has, is learned from the data: the data set's `fitted`, of which a model is made and which it keeps.

    - Files of any ending are read as lines, in UTF-8, or UTF-16 with a mark at their beginning.
    - `.jsonl` files hold a JSON string a line, or an object, of which `column` names the string.
    - `.csv` and `.tsv` files have a line of names, of which `column` is one.

    Nothing that is read is run, looked up or taken for the name of a file. Lines with characters of control, or that
    turn the direction of writing, are left out. Everything stays in memory: 4 bytes a token.

    Args:
        source: a file, a folder of files, a zip file of them, or a list of strings, which are the lines.
        batch_size: texts in a batch.
        unit: "character", or "word": what stands between spaces, without the punctuation around it, whose marks are
            tokens of their own.
        column: name of the column of CSV files, or of the string in objects of JSON lines.
        pattern: regular expression (Python's `re`) that whole lines must match; others are passed over.
        length: most tokens of a text; longer ones are left out. None takes what 99 % need.
        vocabulary_size: most tokens of the vocabulary. The rarest are dropped, and texts with them left out.
        shuffle: draws a new order for each epoch.
        seed: makes orders repeatable.
        part: "train" leaves every tenth line out, "test" gives those alone; None: all lines.
        subset: a folder inside `source`.
        encoding: of the files, such as "latin-1"; None: UTF-8, or what a mark at its beginning says.
        on_error: "skip" leaves out lines that cannot be used, and names them in one warning; "raise" stops at them.
        fitted: what another data set has as its attribute: these are read as those were. Texts that are longer, or have
            other tokens, are left out.

    Returns:
        A `kerasgan.data.dataset.Dataset`, whose `fitted` a `kerasgan.models.RelGAN` is made of.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message names file and line.

    Example:

    ```python
    names = kerasgan.data.text("names.txt", seed=1)
    headlines = kerasgan.data.text("news.csv", column="title", unit="word")
    gan = kerasgan.models.RelGAN(names.fitted)
    ```
    """
    check_batch_size(batch_size, "texts")
    known = None if fitted is None else Text(fitted)
    check_choices(CHOICES, unit=unit, part=part, on_error=on_error, shuffle=shuffle)
    if length is not None and not is_whole(length, most=MOST_TOKENS):
        raise ValueError(f"length={length!r} must be a number of tokens, 1 to {MOST_TOKENS}, or None.")
    if not is_whole(vocabulary_size, least=2):
        raise ValueError(f"vocabulary_size={vocabulary_size!r} must be a number of tokens, 2 or more.")
    found = _read(source, column, pattern, part, subset, encoding, on_error)
    unit = unit if known is None else known.unit
    tokens = [divided(line, unit) for line in found.lines]
    if known is None:
        length, vocabulary = _fit(found, tokens, unit, length, vocabulary_size)
        known = Text({"unit": unit, "vocabulary": vocabulary, "length": length})
    kept = _usable(found, tokens, known)
    rows = known.encoded([found.lines[place] for place in kept])
    places = [found.places[place] for place in kept]

    def finish(numbers, draw):
        return tf.one_hot(tf.cast(numbers, tf.int32), len(known.vocabulary))

    about = {"fitted": known.fitted, "item_names": lambda number: places[number]}
    return Dataset.of(
        rows, batch_size, finish=finish, shuffle=shuffle, seed=seed, plural="texts", model_arguments=None, **about
    )


def lines(source, *, column=None, pattern=None, part=None, subset=None, encoding=None, on_error="skip"):
    """The lines that `text` would read, a list of strings: what scores compare generated texts with.

    Args, Raises: as `text`. Lines of any length and any tokens.
    """
    check_choices(CHOICES, part=part, on_error=on_error)
    return _read(source, column, pattern, part, subset, encoding, on_error).lines


# Lines ---------------------------------------------------------------------------------------------------------------


class _Lines:
    """Lines as texts are made of them, where each stands, and what messages call the source."""

    def __init__(self, name):
        self.name, self.lines, self.places = name, [], []

    def part(self, part):
        """Only those of a part: every tenth is for tests."""
        if part is not None:
            kept = [n for n in range(len(self.lines)) if (n % TEST_EVERY == TEST_EVERY - 1) == (part == "test")]
            self.lines, self.places = ([all[n] for n in kept] for all in (self.lines, self.places))
        if not self.lines:
            raise ValueError(f"{self.name} has no lines{f' in part={part!r}' if part else ''}; nothing to train on.")
        return self


def _read(source, column, pattern, part, subset, encoding, on_error):
    """The `_Lines` of a source that match a pattern."""
    matching = _pattern(pattern)
    found, bad, passed = _Lines("source"), [], 0
    for place, line in _all_lines(source, column, subset, encoding, bad, found):
        if (wrong := wrong_character(line)) is not None:
            bad.append((place, BadSample(f"it holds {wrong}")))
            continue
        line = normal(line)
        if line and (matching is None or matching.fullmatch(line)):
            found.lines.append(line)
            found.places.append(place)
        else:
            passed += bool(line)
    if bad:
        report(bad, len(found.lines) + len(bad), found.name, on_error, stacklevel=4)
    if passed and not found.lines:
        raise ValueError(f"pattern={pattern!r} fits none of {passed:,} lines of {found.name}.")
    if passed:
        print(f"{len(found.lines):,} of {len(found.lines) + passed:,} lines match pattern={pattern!r}.")
    return found.part(part)


def _pattern(pattern):
    """The compiled expression, or None."""
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"pattern={pattern!r} is no regular expression: {error}.") from None


def _all_lines(source, column, subset, encoding, bad, found):
    """Yields (where it stands, line) of a source; what cannot be read goes into the list `bad`."""
    if _is_list(source):
        for number, line in enumerate(source, 1):
            yield f"line {number}", line
        return
    opened = _find(source, subset)
    found.name = opened.name

    def lines_of(item):
        name = opened.item_name(item)
        if opened.size(item) > MOST_BYTES:
            raise BadSample(f"{opened.size(item):,} bytes; such files are read up to {MOST_BYTES:,}")
        return _lines_of(name, opened.read(item), column, encoding)

    for position, (held, unusable_ones) in read_usable(lines_of, opened, bad):
        name = opened.item_name(position)
        bad += [(f"{name}, line {number}", why) for number, why in unusable_ones]
        for number, line in held:
            yield f"{name}, line {number}", line


def _is_list(source):
    """Whether a source is a list of lines: strings, of which none is the path of a file that is there."""
    if not isinstance(source, (list, tuple)) or not source or not all(isinstance(one, str) for one in source):
        return False
    return not all(_is_path(one) for one in source)


def _is_path(text):
    try:
        return os.path.exists(text)
    except (ValueError, OSError):  # a zero in it, or too long for a name
        return False


def _find(source, subset):
    """A `FileSource` of the files of a source."""
    paths = paths_of(source)
    if not paths:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a file, a folder, a zip file, or a list of "
            "strings."
        )
    single = tuple(str(path).lower() for path in paths if path.is_file() and path.suffix.lower() != ".zip")
    for path in paths:
        check_path(path, "a file of lines, a folder or a zip file", (path.suffix.lower(),))
    return find_files(paths, subset, ignored=NO_TEXTS, single=single)


def _lines_of(name, content, column, encoding):
    """([(number, line)], [(number, why it is of no use)]) of the bytes of a file."""
    marked = any(content.startswith(mark) for mark, _ in _MARKS)
    if b"\0" in content[:1000] and encoding is None and not marked:
        raise BadSample("it is no text in UTF-8; UTF-16 without a mark is read with encoding='utf-16-le'")
    decoded = _decoded(name, content, encoding)
    ending = name[name.rfind(".") :].lower()
    if ending in TABLES:
        return _cells(name, decoded, column), []
    split = list(enumerate(decoded.split("\n"), 1))  # not at what Unicode calls a line, as form feeds
    if ending == ".jsonl":
        return _strings(split, column)
    if column is not None:
        raise ValueError(f"column={column!r} means nothing for {name!r}; it is for .csv, .tsv and .jsonl files.")
    return split, []


def _decoded(name, content, encoding):
    """Bytes as text; a ValueError that names the line where they are none."""
    encoding = encoding or next((found for mark, found in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{name!r}, line {line}: byte {error.start:,} is no text in {encoding}. Save the file in UTF-8, or pass "
            "its encoding, such as encoding='latin-1'."
        ) from None
    except LookupError:
        raise ValueError(f"encoding={encoding!r} is unknown; give one of Python's, such as 'latin-1'.") from None


def _cells(name, decoded, column):
    """[(line, value)] of a column of delimited values; a ValueError where there is none, or a line is broken."""
    first = next((line for line in decoded.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", first).count)
    rows = csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    place, found = None, []
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if place is None:
                names = [cell.strip() for cell in cells]
                if column not in names:
                    asked = "say by column= which one holds the texts" if column is None else f"no column {column!r}"
                    raise ValueError(f"{name!r}: {asked}; its columns are: {', '.join(names[:20])}.")
                place = names.index(column)
            elif len(cells) <= place:
                raise ValueError(f"{name!r}, line {rows.line_num}: {len(cells)} values, without a {column!r}.")
            else:
                found.append((rows.line_num, cells[place]))
    except csv.Error as error:
        raise ValueError(f"{name!r}, line {rows.line_num}: {error}; is there a quote that is not closed?") from None
    return found


def _strings(split, column):
    """As `_lines_of`, of lines of JSON."""
    found, bad = [], []
    for number, line in split:
        if not line.strip():
            continue
        try:
            with unusable():
                held = files.parse_json(line.encode("utf-8", "surrogatepass"))
                held = held.get(column) if isinstance(held, dict) else held
                if not isinstance(held, str):
                    raise BadSample("no JSON string" if column is None else f"no string called {column!r}")
                found.append((number, held))
        except BadSample as why:
            bad.append((number, why))
    return found, bad


# What is learned of them ---------------------------------------------------------------------------------------------


def _fit(found, tokens, unit, length, most):
    """(length, vocabulary) of texts; says what is dropped."""
    lengths = np.array([len(own) for own in tokens])
    if length is None:
        length = int(min(MOST_TOKENS, np.ceil(np.percentile(lengths, USUAL, method="higher"))))
    counts = collections.Counter(token for own in tokens if len(own) <= length for token in own)
    if not counts:
        place = int(lengths.argmin())
        raise ValueError(
            f"length={length}: all {len(tokens):,} texts of {found.name} are longer; the shortest one, "
            f"{found.places[place]}, has {lengths[place]:,} {unit}s."
        )
    ordered = sorted(counts, key=lambda token: (-counts[token], token))
    kept = ordered[: most - 1]
    if len(kept) < len(ordered):
        rare = counts[ordered[len(kept)]]
        print(
            f"{len(ordered):,} different {unit}s, of which vocabulary_size={most} keeps {len(kept):,}; those dropped "
            f"come up to {rare} times."
        )
    return length, [END, *sorted(kept)]


def _usable(found, tokens, media):
    """The places of texts that a model of such texts can have; says which others are left out, and why."""
    known, kept, bad = set(media.vocabulary), [], []
    for place, own in enumerate(tokens):
        unknown = next((token for token in own if token not in known), None)
        if len(own) > media.length:
            bad.append((found.places[place], LeftOut(f"{len(own)} {media.unit}s, where length={media.length}")))
        elif unknown is not None:
            bad.append((found.places[place], LeftOut(f"the {media.unit} {unknown!r} is not in the vocabulary")))
        elif not media.ends and len(own) < media.length:
            bad.append((found.places[place], LeftOut(f"{len(own)} {media.unit}s, where all have {media.length}")))
        else:
            kept.append(place)
    print(f"{len(kept):,} texts of up to {media.length} {media.unit}s, vocabulary {len(media.vocabulary):,}.")
    if not kept:
        listed = "; ".join(f"{place}: {why}" for place, why in bad[:LISTED])
        raise ValueError(f"Nothing is left to train on: no text of {found.name} can be used ({listed}).")
    if bad:
        listed = "; ".join(f"{place}: {why}" for place, why in bad[:LISTED])
        more = f"; and {len(bad) - LISTED:,} more" if len(bad) > LISTED else ""
        warnings.warn(
            f"{len(bad):,} of {len(tokens):,} texts of {found.name} are left out ({listed}{more}).", stacklevel=4
        )
    return kept
