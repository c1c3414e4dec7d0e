"""What rows of a table are to be like: conditions on its columns."""

import re

import numpy as np

from kerasgan.columns import DISCRETE, NUMERIC, as_numbers, pandas, plain

_COMPARISON = re.compile(r"\s*(>=|<=|>|<)\s*(.+?)\s*")
_RANGE = re.compile(r"\s*(.+?)\s*\.\.\s*(.+?)\s*")


class Wanted:
    """Conditions that rows have to meet, checked.

    Args:
        media: `kerasgan.media.Table`.
        conditions: {column: what its value is to be}: of categories a value, or a list of them, None for a missing one;
            of numbers and dates a value, (least, most) with None for no bound, or a text: ">=40", "<30", "40..60".

    Raises:
        ValueError: no such column or value; the message names it.
    """

    def __init__(self, media, conditions):
        if not isinstance(conditions, dict):
            raise ValueError(f"conditions={conditions!r}: expected {{column: value}}.")
        self._media, self._given = media, conditions
        self._values, self._bounds = {}, {}
        for name, wanted in conditions.items():
            column = media.column(name)
            if column["kind"] in DISCRETE:
                self._values[name] = _values(column, wanted)
            elif column["kind"] in NUMERIC:
                self._bounds[name] = _bounds(column, wanted)
            else:
                raise ValueError(
                    f"conditions[{name!r}]={wanted!r}: the column is of the kind {column['kind']}, of which nothing is "
                    "learned; leave it out."
                )

    def __str__(self):
        return str(self._given)

    def vector(self):
        """The condition for the generator, float32 (1, conditions): the rarest category asked for; None without one.

        Of several values of a column it is none: the generator is told one value, and they are met by drawing again.
        """
        single = {name: values[0] for name, values in self._values.items() if len(values) == 1}
        if not single:
            return None
        vector, start, rarest = np.zeros((1, self._media.conditions_width), "float32"), 0, np.inf
        for column in self._media.discrete:
            if column["name"] in single:
                place = column["values"].index(single[column["name"]])
                share = column["counts"][place] / max(1, sum(column["counts"]))
                if share < rarest:
                    rarest = share
                    vector[:] = 0.0
                    vector[0, start + place] = 1.0
            start += len(column["values"])
        return vector

    def met(self, rows):
        """Which rows of a data frame meet all conditions: bool (count,)."""
        found = np.ones(len(rows), bool)
        for name, values in self._values.items():
            absent = rows[name].isna().to_numpy()
            held = [None if nothing else plain(value) for value, nothing in zip(rows[name], absent, strict=True)]
            found &= np.array([value in values for value in held])
        for name, (least, most, open_below, open_above) in self._bounds.items():
            held = as_numbers({**self._media.column(name), "missing": True}, rows[name])
            found &= (held > least) if open_below else (held >= least)
            found &= (held < most) if open_above else (held <= most)
        return found


def parse(text, names):
    """(column, what is wanted) of a condition as a command has it: "income=>50K", "age>=40", "age=40..60".

    Args:
        text: a column, and behind it "=" and a value, or a comparison.
        names: of the columns; the longest that fits is taken.

    Raises:
        ValueError: it begins with no column's name.
    """
    for name in sorted(names, key=len, reverse=True):
        rest = text[len(name) :].lstrip()
        if text.startswith(name) and rest[:1] == "=":
            return name, rest[1:].strip()
        if text.startswith(name) and rest[:1] in ("<", ">") and rest[1:]:
            return name, rest
    raise ValueError(f"{text!r}: expected COLUMN=VALUE, where COLUMN is one of {', '.join(names)}.")


def _values(column, wanted):
    """The values of a category that are wanted, as the column has them."""
    name, known = column["name"], column["values"]
    wanted = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]
    texts = {str(value): value for value in known if value is not None}
    texts |= {text.lower(): value for text, value in texts.items() if isinstance(value, bool)}
    found = []
    for value in map(plain, wanted):
        exact = [one for one in known if one == value and isinstance(one, bool) == isinstance(value, bool)]
        if not exact and isinstance(value, str) and (value in texts or value.lower() in texts):
            exact = [texts.get(value, texts.get(value.lower()))]
        if not exact and isinstance(value, str) and value == "" and None in known:
            exact = [None]  # as a command says that it is missing
        if not exact:
            some = ", ".join(repr(one) for one in known[:20]) + ", ..." * (len(known) > 20)
            raise ValueError(f"conditions[{name!r}]={value!r} is none of its values: {some}.")
        found += exact
    if not found:
        raise ValueError(f"conditions[{name!r}]={wanted!r}: give a value at least.")
    return found


def _bounds(column, wanted):
    """(least, most, whether least itself is left out, whether most is) of the numbers that are wanted."""
    one = lambda value: _number(column, value)  # noqa: E731
    if isinstance(wanted, (tuple, list)) and len(wanted) == 2:
        low, high = wanted
        bounds = (-np.inf if low is None else one(low), np.inf if high is None else one(high), False, False)
    elif isinstance(wanted, str) and (found := _COMPARISON.fullmatch(wanted)):
        sign, value = found[1], one(found[2])
        bounds = (value, np.inf, sign == ">", False) if sign[0] == ">" else (-np.inf, value, False, sign == "<")
    elif isinstance(wanted, str) and (found := _RANGE.fullmatch(wanted)):
        bounds = (one(found[1]), one(found[2]), False, False)
    else:
        bounds = (one(wanted), one(wanted), False, False)
    least, most = bounds[:2]
    if least > most or least > column["most"] or most < column["least"]:
        shown = [_shown(column, column[end]) for end in ("least", "most")]
        raise ValueError(f"conditions[{column['name']!r}]={wanted!r}: the data lie from {shown[0]} to {shown[1]}.")
    return bounds


def _number(column, value):
    """A number or date that a user gave, as a number."""
    try:
        if column["kind"] == "datetime":
            return float(np.datetime64(pandas().Timestamp(value), "us").astype("int64")) / 1e6
        return float(value)
    except (TypeError, ValueError):
        what = "a date" if column["kind"] == "datetime" else "a number"
        raise ValueError(
            f"conditions[{column['name']!r}]={value!r}: expected {what}, two of them as (least, most), or a text such "
            "as '>=40' or '40..60'."
        ) from None


def _shown(column, value):
    return str(np.datetime64(int(value), "s")) if column["kind"] == "datetime" else f"{value:g}"
