"""Tables: rows of numbers, dates and categories, between a data frame and the vector that networks see."""

import keras
import numpy as np
from PIL import Image as Pillow

from kerasgan import files
from kerasgan.columns import (
    BINS,
    DISCRETE,
    EXTRA,
    MISSING,
    NUMERIC,
    REACH,
    UNLEARNED,
    as_numbers,
    associations,
    check_columns,
    checked,
    choices,
    codes_of,
    near_modes,
    numbers_near,
    pandas,
    series_of,
    shares,
)
from kerasgan.media import markup
from kerasgan.media.base import Media
from kerasgan.media.image import Image

_ROWS = 10  # that a notebook shows
_SHOWN = 30  # columns that a sheet has room for
_BARS = 12  # values of a category that it has room for


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
    samples_at_a_glance = 10
    plural = "rows"
    kind = "table"

    def __init__(self, fitted):
        self.fitted = checked(fitted)
        self.columns = self.fitted["columns"]
        self.numeric = [column for column in self.columns if column["kind"] in NUMERIC]
        self.discrete = [column for column in self.columns if column["kind"] in DISCRETE]
        self.with_modes = [column for column in self.numeric if choices(column) > 1]
        self.widths = [len(column["values"]) for column in self.discrete] + [choices(c) for c in self.with_modes]
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
                found[name] = numbers_near(column, places[name], choices.get(name))
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
        series = {column["name"]: series_of(column, found[_key(column)]) for column in self.columns}
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
        hot = [(code[:, None] == np.arange(width)) for width, code in zip(self.widths, codes.T, strict=True)]
        return np.concatenate([numbers, *hot], axis=1, dtype="float32")

    def encoded(self, samples, random=None):
        """The same as numbers, float32 (count, numeric columns), and places in one-hot vectors, int32 (count, vectors).

        Args, Raises: as `to_model`.
        """
        check_columns(samples, self.names)
        codes = [codes_of(column, samples[column["name"]]) for column in self.discrete]
        numbers, modes = [], []
        for column in self.numeric:
            values, chosen = near_modes(column, as_numbers(column, samples[column["name"]]), random)
            numbers.append(values)
            modes += [chosen] if choices(column) > 1 else []
        count = len(samples)
        return stacked(numbers, count, "float32"), stacked([*codes, *modes], count, "int32")

    # What an app must know -------------------------------------------------------------------------------------------

    def described(self):
        """The whole transformation: the columns, as `fitted` has them, and how long the one-hot vectors are."""
        shown = ("shares", "tenths")  # which pictures and scores need
        known = [{key: value for key, value in column.items() if key not in shown} for column in self.columns]
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
                to_parquet(samples, temporary)
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
        """Displays the `sheet` of rows through matplotlib, and returns the `matplotlib.figure.Figure`.

        A notebook shows the first rows above it.
        """
        sheet = self.sheet(samples)[None]
        pictures = Image(sheet.shape[1:])
        figure = pictures.show(sheet)
        figure.html = lambda: self.html(samples) + pictures.html(sheet, alt="columns of the rows, and of the data")
        return figure

    def html(self, samples, columns=None):
        """The first 10 rows as HTML, for notebooks: a table. Names and values are escaped."""
        check_columns(samples, self.names)
        shown = self._as_text(samples.head(_ROWS)).to_html(index=False, border=0, na_rep="")
        return f'<div style="overflow-x: auto">{shown}</div>' + markup.more(len(samples), _ROWS, self.plural)

    def animate(self, frames, path, seconds=0.15):
        """Shows saved sheets one after the other in an animated GIF; see `kerasgan.media.Image.animate`."""
        return Image((8, 8, 3)).animate(frames, path, seconds)

    def _figure(self, samples):
        from matplotlib.figure import Figure  # without pyplot: no window, no state

        shown = [column for column in self.columns if column["kind"] not in UNLEARNED][:_SHOWN]
        across = min(5, max(2, len(shown)))
        rows = -(-len(shown) // across)
        width, height = 2.4 * across, 1.9 * rows + 4.4  # inches; matplotlib's own layouts take seconds
        figure = Figure(figsize=(width, height), dpi=80)
        for place, column in enumerate(shown):
            row, at = divmod(place, across)
            box = (0.4 + 2.4 * at) / width, 1 - (1.7 + 1.9 * row) / height, 1.9 / width, 1.1 / height
            _bars(figure.add_axes(box), column, shares(column, samples[column["name"]]))
        figure.text(0.5, 1 - 0.15 / height, "grey: data, blue: generated", fontsize=9, ha="center", va="center")
        both = (self.fitted["associations"], associations(self.fitted, samples))
        for place, (matrix, title) in enumerate(zip(both, ("data", "generated"), strict=True)):
            axes = figure.add_axes((0.25 + place / 2 - 0.9 / width, 0.95 / height, 2.5 / width, 2.5 / height))
            _matrix(axes, np.asarray(matrix)[:_SHOWN, :_SHOWN], [column["name"] for column in shown], title)
        return figure

    def get_config(self):
        return {"fitted": self.fitted}


def _key(column):
    return column["name"]


def stacked(parts, count, dtype):
    return np.stack(parts, axis=1).astype(dtype) if parts else np.zeros((count, 0), dtype)


def to_parquet(samples, path):
    try:
        samples.to_parquet(path, index=False, engine="pyarrow")
    except ImportError as error:
        raise ImportError(f"Parquet files need pyarrow ({error}): pip install {EXTRA!r}.") from error


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
    highest = max(data.max(), found.max())
    axes.set_yticks([0, highest], ["0", f"{highest:.2g}"])
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
