"""Texts as networks see them: the bytes of their UTF-8, in lower case as far as ASCII has one, filled up with zeros.

There is no vocabulary to carry along, every text has bytes, and a page makes them in four lines.
"""

import re
import unicodedata

import numpy as np

CODES = 256  # values of a byte; 0 fills up
LONGEST = 256  # bytes that a model may be made for
_CONTROL = ("Cc", "Cs")  # Unicode's categories of control characters and of halves of one


def normalized(text):
    """A text without spaces around it, with single ones inside, and ASCII's capital letters as small ones.

    Raises:
        ValueError: it is no text, or holds control characters.
    """
    if not isinstance(text, str):
        raise ValueError(f"text={text!r}: expected a text, such as 'a red heart'.")
    text = re.sub("[ \t\r\n]+", " ", text).strip(" ")
    strange = next((letter for letter in text if unicodedata.category(letter) in _CONTROL), None)
    if strange is not None:
        raise ValueError(f"text={_short(text)} holds the control character {strange!r}; take it out.")
    return re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), text)


def encoded(text):
    """The bytes of a text as networks see them, without zeros behind. Raises a ValueError, as `normalized`."""
    return normalized(text).encode()


def check_list(texts, argument):
    """Raises a ValueError for a single text where several are expected: it would be taken letter by letter."""
    if isinstance(texts, str):
        raise ValueError(f"{argument}={_short(texts)}: expected a list of texts; write [{_short(texts)}].")


def tokens_of(texts, length, cut=False):
    """Texts as int32 (count, length): their bytes, and zeros behind.

    Args:
        texts: sequence of str; "" is all zeros.
        length: bytes of a row.
        cut: whether longer texts lose their end.

    Raises:
        ValueError: as `normalized`; or one is longer, and not to be cut; or a single text is given.
    """
    check_list(texts, "texts")
    rows = np.zeros((len(texts), length), "int32")
    for row, text in zip(rows, texts, strict=True):
        known = encoded(text)
        if len(known) > length and not cut:
            raise ValueError(f"text={_short(text)} has {len(known):,} bytes; the model reads {length}. Say less.")
        row[: len(known)] = np.frombuffer(known[:length], "uint8")
    return rows


def texts_of(tokens):
    """The texts of rows of bytes; what a cut left of a character becomes a mark."""
    return [bytes(row[row > 0].astype("uint8")).decode(errors="replace") for row in np.asarray(tokens)]


def _short(text):
    return repr(text if len(text) <= 60 else text[:60] + "...")
