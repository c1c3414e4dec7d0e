"""Tables: rows of numbers, dates and categories, between a data frame and the vector that networks see."""

import json

import keras
import numpy as np
from PIL import Image as Pillow

from kerasgan import files
from kerasgan.media.base import Media
from kerasgan.media.image import Image

DISCRETE = ("categorical", "boolean")  # kinds of columns that are a choice among values seen
NUMERIC = ("number", "integer", "datetime")  # that are a value near a mode
UNLEARNED = ("constant", "identifier")  # of which a model learns nothing
KINDS = (*DISCRETE, *NUMERIC, *UNLEARNED)
REACH = 4.0  # deviations of a mode that its values lie in, as in the paper
BINS = 20  # of a histogram of numbers
COARSE = 10  # groups of a column's values by which columns are associated
MISSING = "(missing)"  # what pictures and messages call a value that is not there
EXTRA = "kerasgan[tables]"
_SHOWN = 30  # columns that a sheet has room for
_BARS = 12  # values of a category that it has room for


def pandas():
    """The module, which comes with the extra `tables`; an ImportError that names it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"Tables need pandas ({error}): pip install {EXTRA!r}.") from error
    return pandas


@keras.saving.register_keras_serializable(package="kerasgan")
class Table(Media):
    """Rows of a table, by mode-specific normalization (Xu et al., 2019, arXiv:1907.00503, section 4.2).

    For people rows are a `pandas.DataFrame` with the columns of the data, in their order and of their types. For
    networks a row is float32 (width,): first a number in [-1, 1] for each column of numbers or dates, how far the value
    is from a mode of the column, in units of 4 deviations; then one-hot vectors, of the value of each categorical
    column, and of the mode of each column of numbers. A missing value is a category, or a mode, of its own. A value
    that makes up a large share of a column, such as 0, is a mode without deviation, and comes back as it was.

    A column of one value is not learned, and comes back as it is; identifiers are numbered from 1.

    Args:
        fitted: what the reader learned from the data, the attribute `fitted` of `kerasgan.data.table`: JSON values,
            {"columns": [...], "associations": [...], "target": ...}.

    Attributes:
        columns: the dictionaries of all columns, each with its `name` and `kind`.
        numeric, discrete: of these, the columns of numbers and dates, and those of categories and booleans.
        widths: lengths of the one-hot vectors in their order: those of `discrete`, then modes.
    """

    range = (-1.0, 1.0)
    extension = ".csv"
    extensions = (".csv", ".tsv", ".parquet")
    sheet_extension = ".png"
    animation_extension = ".gif"
    samples_on_sheet = 1000
    plural = "rows"
    kind = "table"

    def __init__(self, fitted):
        self.fitted = checked(fitted)
        self.columns = self.fitted["columns"]
        self.numeric = [column for column in self.columns if column["kind"] in NUMERIC]
        self.discrete = [column for column in self.columns if column["kind"] in DISCRETE]
        self.with_modes = [column for column in self.numeric if _choices(column) > 1]
        self.widths = [len(column["values"]) for column in self.discrete] + [_choices(c) for c in self.with_modes]
        super().__init__((len(self.numeric) + sum(self.widths),))

    @property
    def names(self):
        """Names of the columns, in their order."""
        return [column["name"] for column in self.columns]

    @property
    def conditions_width(self):
        """Length of the one-hot vectors of all discrete columns together."""
        return sum(len(column["values"]) for column in self.discrete)

    def column(self, name):
        """What is known of a column; a ValueError if there is none of this name."""
        for column in self.columns:
            if column["name"] == name:
                return column
        raise ValueError(f"There is no column {name!r}; the table has: {', '.join(self.names)}.")

    def _advice(self, batch):
        return " Read files and data frames with kerasgan.data.table, or convert frames with gan.media.to_model."

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave as a `pandas.DataFrame`: of each one-hot vector, or shares in its place, the highest.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        samples = self._finite(samples)
        choices = dict(zip(map(_key, [*self.discrete, *self.with_modes]), self.codes(samples).T, strict=True))
        places = {_key(column): samples[:, place] for place, column in enumerate(self.numeric)}
        found = {}
        for column in self.columns:
            name, kind = _key(column), column["kind"]
            if kind in NUMERIC:
                found[name] = _numbers(column, places[name], choices.get(name))
            elif kind in DISCRETE:
                found[name] = choices[name]
            else:
                found[name] = np.arange(1, len(samples) + 1) if kind == "identifier" else np.zeros(len(samples), int)
        return self.frame(found)

    def codes(self, samples):
        """The places of the highest value in each one-hot vector of rows in model range: int64 (count, vectors)."""
        ends = len(self.numeric) + np.cumsum([0, *self.widths])
        parts = [samples[:, a:b].argmax(axis=1) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        return np.stack(parts, axis=1) if parts else np.zeros((len(samples), 0), int)

    def frame(self, found):
        """A data frame of the values of each column by its name: numbers, NaN where missing; codes of categories."""
        series = {column["name"]: _series(column, found[_key(column)]) for column in self.columns}
        return pandas().DataFrame(series, columns=self.names)

    def to_model(self, samples, random=None):
        """A data frame as float32 (count, width). Columns are found by their names, others are left alone.

        Args:
            samples: `pandas.DataFrame`.
            random: `numpy.random.Generator` that draws the mode of each number, by how likely it is to be its; None
                takes the likeliest.

        Raises:
            ValueError: a column is lacking, or has a value that it cannot have.
        """
        numbers, codes = self.encoded(samples, random)
        hot = [np.eye(width, dtype="float32")[code] for width, code in zip(self.widths, codes.T, strict=True)]
        return np.concatenate([numbers, *hot], axis=1)

    def encoded(self, samples, random=None):
        """The same as numbers, float32 (count, numeric columns), and places in one-hot vectors, int32 (count, vectors).

        Args, Raises: as `to_model`.
        """
        check_columns(samples, self.names)
        codes = [_codes(column, samples[column["name"]]) for column in self.discrete]
        numbers, modes = [], []
        for column in self.numeric:
            values, chosen = _near_modes(column, as_numbers(column, samples[column["name"]]), random)
            numbers.append(values)
            modes += [chosen] if _choices(column) > 1 else []
        count = len(samples)
        return _stacked(numbers, count, "float32"), _stacked([*codes, *modes], count, "int32")

    # What an app must know -------------------------------------------------------------------------------------------

    def described(self):
        """The whole transformation: the columns, as `fitted` has them, and how long the one-hot vectors are."""
        known = [{key: value for key, value in column.items() if key != "shares"} for column in self.columns]
        return {"columns": known, "numbers": len(self.numeric), "one_hot": self.widths, "reach": REACH}

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves rows as `.csv`, `.tsv` or `.parquet`, with a line of names; dates as the data had them.

        Args:
            samples: `pandas.DataFrame`, as `generate` returns it.
            path: file to write. Missing folders are made.
            columns: means nothing for a table.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: another ending, or columns that are lacking.
            OSError: the file cannot be written.
        """
        path = files.check_output(path, self.extensions)
        check_columns(samples, self.names)
        ending = path.suffix.lower()
        with files.atomic(path) as temporary:
            if ending == ".parquet":
                _to_parquet(samples, temporary)
            else:
                text = self._as_text(samples).to_csv(index=False, sep="," if ending == ".csv" else "\t")
                temporary.write_text(text, encoding="utf-8")
        return path

    def _as_text(self, samples):
        """The data frame with dates as the data had them."""
        samples = samples.copy()
        for column in self.numeric:
            if column["kind"] == "datetime":
                samples[column["name"]] = samples[column["name"]].dt.strftime(column["format"])
        return samples

    # Pictures --------------------------------------------------------------------------------------------------------

    def save_sheet(self, samples, path, columns=None):
        """Writes the `sheet` of rows as a `.png` file."""
        path = files.check_output(path, (".png",))
        with files.atomic(path) as temporary:
            Pillow.fromarray(self.sheet(samples)).save(temporary, "PNG")
        return path

    def sheet(self, samples, columns=None):
        """Marginals and associations of rows beside those of the data: uint8 (height, width, 3).

        Each column's values as bars, of the data and of the rows; below, how strongly each two columns depend on each
        other (`associations`), in the data and in the rows. The first 30 columns.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(self._figure(samples))
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def show(self, samples, columns=None):
        """Displays the `sheet` of rows through matplotlib, and returns the `matplotlib.figure.Figure`."""
        return Image((8, 8, 3)).show(self.sheet(samples)[None])

    def animate(self, frames, path, seconds=0.15):
        """Shows saved sheets one after the other in an animated GIF; see `kerasgan.media.Image.animate`."""
        return Image((8, 8, 3)).animate(frames, path, seconds)

    def _figure(self, samples):
        from matplotlib.figure import Figure  # without pyplot: no window, no state

        shown = [column for column in self.columns if column["kind"] not in UNLEARNED][:_SHOWN]
        across = min(5, max(2, len(shown)))
        rows = -(-len(shown) // across)
        figure = Figure(figsize=(2.4 * across, 1.9 * rows + 3.6), dpi=80, layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=(1.9 * max(1, rows), 3.6))
        places = np.atleast_1d(above.subplots(max(1, rows), across, squeeze=False)).ravel()
        for axes in places[len(shown) :]:
            axes.axis("off")
        for axes, column in zip(places, shown, strict=False):
            _bars(axes, column, shares(column, samples[column["name"]]))
        above.suptitle("grey: data, blue: generated", fontsize=9)
        both = (self.fitted["associations"], associations(self.fitted, samples))
        for axes, matrix, title in zip(below.subplots(1, 2), both, ("data", "generated"), strict=True):
            _matrix(axes, np.asarray(matrix)[:_SHOWN, :_SHOWN], [column["name"] for column in shown], title)
        return figure

    def get_config(self):
        return {"fitted": self.fitted}


# Columns -------------------------------------------------------------------------------------------------------------


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


def _key(column):
    return column["name"]


def _choices(column):
    """Modes of a column of numbers, that of missing values among them, which is the last."""
    return len(column["modes"]) + bool(column["missing"])


def _stacked(parts, count, dtype):
    return np.stack(parts, axis=1).astype(dtype) if parts else np.zeros((count, 0), dtype)


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


def _codes(column, series):
    """The place of each value among a column's `values`."""
    places = {value: place for place, value in enumerate(column["values"])}
    absent = series.isna().to_numpy()
    values = [None if nothing else plain(value) for value, nothing in zip(series, absent, strict=True)]
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


def _near_modes(column, values, random):
    """(how far each number is from its mode, in [-1, 1], 0 where it is missing; the place of the mode)."""
    weights, means, deviations = np.array(column["modes"], "float64").T
    absent = np.isnan(values)
    values = np.where(absent, column["least"], values).clip(column["least"], column["most"])
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


def _step(column):
    """The smallest difference of two numbers of a column."""
    return column.get("step") or 10.0 ** -column.get("decimals", 0)


def _numbers(column, numbers, modes):
    """Numbers near modes as values, in the range seen and as fine as the data: float64, NaN where missing."""
    _, means, deviations = np.array(column["modes"], "float64").T
    modes = np.zeros(len(numbers), int) if modes is None else modes
    absent = modes == len(means)
    modes = np.where(absent, 0, modes)
    values = means[modes] + REACH * deviations[modes] * numbers.astype("float64").clip(-1, 1)
    return np.where(absent, np.nan, rounded(column, values.clip(column["least"], column["most"])))


def rounded(column, values):
    """Numbers as fine as those of a column."""
    if column["kind"] == "datetime":
        step, least = column["step"], column["least"]
        return least + np.rint((values - least) / step) * step
    return np.round(values, column.get("decimals", 0))


def _series(column, values):
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


def _to_parquet(samples, path):
    try:
        samples.to_parquet(path, index=False, engine="pyarrow")
    except ImportError as error:
        raise ImportError(f"Parquet files need pyarrow ({error}): pip install {EXTRA!r}.") from error


# What tables are compared by -----------------------------------------------------------------------------------------


def shares(column, series):
    """The share of rows that have each value of a category, or lie in each bin of a range of numbers.

    Returns:
        float64 (values,), or, of numbers, (20,), or (21,) where some may be missing, those last.
    """
    if column["kind"] in NUMERIC:
        codes, length = _in_bins(column, as_numbers(column, series)), BINS + bool(column["missing"])
    else:
        codes, length = _codes(column, series), len(column["values"])
    return np.bincount(codes, minlength=length) / max(1, len(codes))


def _in_bins(column, values):
    width = max(column["most"] - column["least"], 1e-300)
    places = np.floor(BINS * (np.nan_to_num(values, nan=column["least"]) - column["least"]) / width)
    return np.where(np.isnan(values), BINS, places.clip(0, BINS - 1)).astype(int)


def grouped(column, series):
    """Codes of at most eleven groups of a column's values: the commonest categories, or tenths of numbers."""
    if column["kind"] in NUMERIC:
        values = as_numbers(column, series)
        inside = column.get("tenths", [])
        return np.where(np.isnan(values), COARSE, np.searchsorted(inside, values, side="right")).astype(int)
    order = np.argsort(-np.asarray(column["counts"]), kind="stable")
    groups = np.empty(len(order), int)
    groups[order] = np.minimum(np.arange(len(order)), COARSE)
    return groups[_codes(column, series)]


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


def _bars(axes, column, found):
    """A column's marginals, of the data and of rows, side by side."""
    if column["kind"] in NUMERIC:
        data, labels = np.asarray(column["shares"]), None
    else:
        data = np.asarray(column["counts"]) / max(1, sum(column["counts"]))
        order = np.argsort(-data, kind="stable")[:_BARS]
        labels = [MISSING if column["values"][place] is None else str(column["values"][place]) for place in order]
        data, found = data[order], found[order]
    places = np.arange(len(data))
    axes.bar(places - 0.2, data, 0.4, color="0.6")
    axes.bar(places + 0.2, found, 0.4, color="tab:blue")
    axes.set_title(column["name"][:28], fontsize=8)
    axes.tick_params(labelsize=6)
    if labels is None:
        ends = [_shown(column, column[end]) for end in ("least", "most")]
        axes.set_xticks([0, BINS - 1], ends)
    else:
        axes.set_xticks(places, [label[:10] for label in labels], rotation=60, ha="right", fontsize=5)


def _shown(column, value):
    if column["kind"] == "datetime":
        return str(np.datetime64(int(value), "s"))[:10]
    return f"{value:g}"


def _matrix(axes, matrix, names, title):
    axes.imshow(matrix, vmin=0, vmax=1, cmap="viridis")
    axes.set_title(f"dependence of columns, {title}", fontsize=8)
    axes.set_xticks(range(len(names)), [name[:14] for name in names], rotation=60, ha="right", fontsize=6)
    axes.set_yticks(range(len(names)), [name[:14] for name in names], fontsize=6)
