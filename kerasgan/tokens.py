"""Tokens of texts: characters, or words and the marks around them."""

import unicodedata

UNITS = ("character", "word")
END = ""  # the first of a vocabulary, where texts end before they have all their tokens
OPENING = "([{“‘«¿¡"  # punctuation behind which no space stands
CLOSING = ",.;:!?)]}”’»…%"  # punctuation in front of which none does


def normal(text):
    """A line as it is divided: composed characters (Unicode's NFC), one space for all that separates."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def divided(text, unit):
    """The tokens of a string, a list: its characters, or its words and the marks at their beginning and end."""
    if unit == "character":
        return list(text)
    return [token for run in text.split() for token in _peeled(run)]


def _peeled(run):
    """A word, and the marks around it."""
    before, after = [], []
    while run and (run[0] in OPENING or run[0] == '"'):
        before.append(run[0])
        run = run[1:]
    while run and (run[-1] in CLOSING or run[-1] == '"'):
        after.insert(0, run[-1])
        run = run[:-1]
    return [*before, *([run] if run else []), *after]


def joined(tokens, unit):
    """The string of tokens, as `divided` divides it."""
    if unit == "character":
        return "".join(tokens)
    text = ""
    for before, token in zip(["", *tokens], tokens, strict=False):
        close = not text or (len(token) == 1 and token in CLOSING) or (len(before) == 1 and before in OPENING)
        text += token if close else f" {token}"
    return text


def wrong_character(text):
    """A character of a line that no text has, as a message names it, or None: of control, or that turns directions."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            return f"the control character U+{ord(character):04X}"
        if character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
            return f"the character U+{ord(character):04X}, which turns the direction of writing"
    return None
