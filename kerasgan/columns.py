"""Columns of a table: what is known of each, its values as numbers and codes, and what tables are compared by.

What is known of a column is a dictionary that JSON can hold, with its `name` and its `kind`. Those of `DISCRETE` kinds
have their `values` and `counts`; those of `NUMERIC` ones the `least` and `most`, their `modes` [[weight, mean,
deviation], ...], how many are `missing`, and how fine they are: `decimals`, or, of dates, a `step` in seconds. An
`open` column may have values that were not seen; of its numbers, or their logarithms (`log`), there is a single mode.
"""

import json

import numpy as np

DISCRETE = ("categorical", "boolean")  # kinds of columns that are a choice among values seen
NUMERIC = ("number", "integer", "datetime")  # that are a value near a mode
UNLEARNED = ("constant", "identifier")  # of which a model learns nothing
SCALINGS = ("modes", "deviations")  # what numbers become; the second leaves columns `open`
KINDS = (*DISCRETE, *NUMERIC, *UNLEARNED)
REACH = 4.0  # deviations of a mode that its values lie in, as in the paper
BINS = 20  # of a histogram of numbers
COARSE = 10  # groups of a column's values by which columns are associated
MISSING = "(missing)"  # what pictures and messages call a value that is not there
EXTRA = "kerasgan[tables]"


def pandas():
    """The module, which comes with the extra `tables`; an ImportError that names it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"Tables need pandas ({error}): pip install {EXTRA!r}.") from error
    return pandas


def checked(fitted):
    """`fitted` as a file would give it back; a ValueError for what is no such thing."""
    try:
        fitted = json.loads(json.dumps(fitted, allow_nan=False))
        names = [column["name"] for column in fitted["columns"]]
        kinds = {column["kind"] for column in fitted["columns"]}
        needed = {kind: ("values", "counts") for kind in (*DISCRETE, "constant")}
        needed |= {kind: ("modes", "least", "most", "missing", "shares") for kind in NUMERIC}
        lacking = [c["name"] for c in fitted["columns"] if not set(needed.get(c["kind"], ())) <= set(c)]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(
            f"fitted={str(fitted)[:60]!r}: expected what kerasgan.data.table has as its attribute `fitted`."
        ) from None
    if not kinds <= set(KINDS) or len(set(names)) < len(names) or lacking or "associations" not in fitted:
        raise ValueError(f"fitted has columns that are not whole: {', '.join(lacking) or sorted(kinds - set(KINDS))}.")
    if not kinds - set(UNLEARNED):
        raise ValueError("fitted: no column has anything to learn; each has one value, or numbers the rows.")
    return fitted


def choices(column):
    """Modes of a column of numbers, that of missing values among them, which is the last."""
    return len(column["modes"]) + bool(column["missing"])


def check_columns(samples, names):
    """Raises a ValueError unless `samples` is a data frame that has these columns."""
    held = getattr(samples, "columns", None)
    if held is None:
        raise ValueError(f"samples is a {type(samples).__name__}; expected a pandas.DataFrame.")
    lacking = [name for name in names if name not in set(held)]
    if lacking:
        raise ValueError(
            f"The column {lacking[0]!r} is lacking{_more(lacking)}; the table has: {', '.join(map(str, held))}."
        )


def _more(lacking):
    return f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""


def codes_of(column, series):
    """The place of each value among a column's `values`; -1 where an `open` column has another."""
    places = {value: place for place, value in enumerate(column["values"])}
    absent = series.isna().to_numpy()
    values = [None if nothing else plain(value) for value, nothing in zip(series, absent, strict=True)]
    if column.get("open"):
        return np.array([places.get(value, -1) for value in values], "int32")
    try:
        return np.array([places[value] for value in values], "int32")
    except (KeyError, TypeError):
        wrong = next(value for value in values if value not in places)
        known = ", ".join(repr(value) for value in column["values"][:10]) + ", ..." * (len(places) > 10)
        wrong = "a missing value" if wrong is None else repr(wrong)
        raise ValueError(
            f"The column {column['name']!r} holds {wrong}, which is none of its values: {known}."
        ) from None


def plain(value):
    """A value as JSON has it: Python's own number, boolean or text."""
    return value.item() if isinstance(value, np.generic) else value


def as_numbers(column, series):
    """A column of numbers or dates (in seconds since 1970) as float64, NaN where missing."""
    name, kind = column["name"], column["kind"]
    try:
        if kind == "datetime":
            values = pandas().to_datetime(series).to_numpy().astype("datetime64[us]")
            numbers = values.astype("int64") / 1e6
            numbers[np.isnat(values)] = np.nan
        else:
            numbers = pandas().to_numeric(series).to_numpy("float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        what = "a date" if kind == "datetime" else "a number"
        raise ValueError(f"The column {name!r} holds something that is not {what}: {error}.") from None
    if np.isinf(numbers).any():
        raise ValueError(f"The column {name!r} holds an infinite value.")
    if np.isnan(numbers).any() and not column["missing"]:
        raise ValueError(f"The column {name!r} lacks a value; it had none missing when the table was fitted.")
    return numbers


def near_modes(column, values, random):
    """(how far each number is from its mode, in [-1, 1], 0 where it is missing; the place of the mode)."""
    weights, means, deviations = np.array(column["modes"], "float64").T
    absent = np.isnan(values)
    values = np.where(absent, column["least"], values)
    values = logarithms(column, values) if column.get("open") else values.clip(column["least"], column["most"])
    distance = values[:, None] - means
    spread = np.where(deviations > 0, deviations, 1.0)
    likelihood = np.log(weights / spread) - 0.5 * np.square(distance / spread)
    reached = np.abs(distance) <= REACH * deviations + 0.5 * _step(column) * (deviations > 0)
    exact = (deviations == 0) & (distance == 0)
    no_mode = -np.inf if deviations.any() else -np.abs(distance)  # of values that come back as they were
    likelihood = np.where(deviations == 0, no_mode, likelihood)
    likelihood = np.where(reached | ~reached.any(axis=1, keepdims=True), likelihood, -np.inf)
    if random is not None:
        likelihood = likelihood + random.gumbel(size=likelihood.shape)
    modes = np.where(exact.any(axis=1), exact.argmax(axis=1), likelihood.argmax(axis=1))
    places = np.arange(len(values))
    numbers = (distance[places, modes] / (REACH * spread[modes])).clip(-1, 1)
    return np.where(absent | (deviations[modes] == 0), 0.0, numbers), np.where(absent, len(means), modes)


def logarithms(column, values):
    """log(1 + what each value is above the least) of a `log` column, with its sign; of others the values."""
    if not column.get("log"):
        return values
    above = values - column["least"]
    return np.sign(above) * np.log1p(np.abs(above))


def _step(column):
    """The smallest difference of two numbers of a column."""
    return column.get("step") or 10.0 ** -column.get("decimals", 0)


def numbers_near(column, numbers, modes):
    """Numbers near modes as values, in the range seen and as fine as the data: float64, NaN where missing."""
    _, means, deviations = np.array(column["modes"], "float64").T
    modes = np.zeros(len(numbers), int) if modes is None else modes
    absent = modes == len(means)
    modes = np.where(absent, 0, modes)
    values = means[modes] + REACH * deviations[modes] * numbers.astype("float64").clip(-1, 1)
    if column.get("log"):
        values = column["least"] + np.sign(values) * np.expm1(np.abs(values))
    return np.where(absent, np.nan, rounded(column, values.clip(column["least"], column["most"])))


def rounded(column, values):
    """Numbers as fine as those of a column."""
    if column["kind"] == "datetime":
        step, least = column["step"], column["least"]
        return least + np.rint((values - least) / step) * step
    return np.round(values, column.get("decimals", 0))


def series_of(column, values):
    """Values of a column as pandas has its kind."""
    pd, kind = pandas(), column["kind"]
    if kind == "datetime":
        absent = np.isnan(values)
        dates = (np.where(absent, 0, values) * 1e6).round().astype("int64").astype("datetime64[us]")
        dates[absent] = np.datetime64("NaT")
        return pd.Series(dates).astype("datetime64[ns]" if _fits_nanoseconds(column) else "datetime64[us]")
    if kind == "integer":
        if not column["missing"]:
            return pd.Series(values.astype("int64"))
        return pd.Series(values).astype("Int64")
    if kind in ("number", "identifier"):
        return pd.Series(values)
    held = np.array([*column["values"], None], object)[:-1]
    return of_values(held[values])


def _fits_nanoseconds(column):
    return -9.2e9 < column["least"] and column["most"] < 9.2e9


def of_values(values):
    """A series of values of one type, None where missing: integers and booleans as such, all else as objects."""
    pd = pandas()
    types = {type(value) for value in values}
    if types == {bool}:
        return pd.Series(values.astype(bool))
    if types == {int}:
        return pd.Series(values.astype("int64"))
    if types == {bool, type(None)}:
        return pd.Series(values, dtype="boolean")
    if types == {int, type(None)}:
        return pd.Series(values, dtype="Int64")
    return pd.Series(values, dtype=object)


# What tables are compared by -----------------------------------------------------------------------------------------


def shares(column, series):
    """The share of rows that have each value of a category, or lie in each bin of a range of numbers.

    Returns:
        float64 (values,), or, of numbers, (20,), or (21,) where some may be missing, those last.
    """
    if column["kind"] in NUMERIC:
        codes, length = _in_bins(column, as_numbers(column, series)), BINS + bool(column["missing"])
    else:
        codes, length = codes_of(column, series), len(column["values"])
    return np.bincount(codes[codes >= 0], minlength=length) / max(1, len(codes))


def _in_bins(column, values):
    width = max(column["most"] - column["least"], 1e-300)
    places = np.floor(BINS * (np.nan_to_num(values, nan=column["least"]) - column["least"]) / width)
    return np.where(np.isnan(values), BINS, places.clip(0, BINS - 1)).astype(int)


def grouped(column, series):
    """Codes of at most eleven groups of a column's values: the commonest categories, or tenths of numbers."""
    if column["kind"] in NUMERIC:
        values = as_numbers(column, series)
        inside = column.get("tenths", [])
        return np.where(np.isnan(values), COARSE, np.searchsorted(inside, values)).astype(int)
    order = np.argsort(-np.asarray(column["counts"]), kind="stable")
    groups = np.empty(len(order), int)
    groups[order] = np.minimum(np.arange(len(order)), COARSE)
    codes = codes_of(column, series)
    return np.where(codes < 0, COARSE, groups[codes])


def associations(fitted, samples):
    """How strongly each two learned columns depend on each other: Cramér's V of their `grouped` values.

    Returns:
        float64 (columns, columns): 0 of independent ones, 1 where one follows from the other.
    """
    codes = [
        grouped(column, samples[column["name"]]) for column in fitted["columns"] if column["kind"] not in UNLEARNED
    ]
    matrix = np.eye(len(codes))
    for one in range(len(codes)):
        for other in range(one):
            matrix[one, other] = matrix[other, one] = cramers_v(codes[one], codes[other])
    return matrix


def cramers_v(one, other):
    """Cramér's V of two arrays of codes: the root of chi^2 / (n * (the smaller number of values - 1)); 0 of one value.

    Cramér, Mathematical Methods of Statistics, 1946, chapter 21.
    """
    table = contingency(one, other)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    smaller = min(table.shape)
    if smaller < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(np.sqrt(np.sum(np.square(table - expected) / expected) / (table.sum() * (smaller - 1))))


def contingency(one, other, lengths=None):
    """How often each pair of codes occurs: float64 (codes of one, codes of the other)."""
    first, second = lengths or (int(one.max()) + 1, int(other.max()) + 1)
    return np.bincount(one * second + other, minlength=first * second).reshape(first, second).astype("float64")
