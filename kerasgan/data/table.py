"""Tables from CSV, TSV and Parquet files and data frames, as a `tf.data.Dataset` of rows in model range."""

import codecs
import contextlib
import csv
import io
import os
import re

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.columns import EXTRA, SCALINGS, check_columns, pandas, plain
from kerasgan.data import column_kinds
from kerasgan.data.batching import finished
from kerasgan.data.dataset import Dataset, check_batch_size, fingerprint_of_arrays
from kerasgan.data.files import BadSample, check_memory, find_files, unusable
from kerasgan.data.pipeline import check_choices
from kerasgan.data.sources import TEST_EVERY, check_path, paths_of, short
from kerasgan.media.table import Table

TEXTS = (".csv", ".tsv", ".txt", ".data")
ENDINGS = (*TEXTS, ".parquet")
CHOICES = {"scaling": SCALINGS, "balanced": (True, False), "shuffle": (True, False), "part": (None, "train", "test")}
MOST_BYTES = 2**31  # of a file
PACKED = 1000  # times that a Parquet file may hold its own size
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t|"


def table(
    source,
    batch_size=500,
    *,
    names=None,
    types=None,
    missing=column_kinds.MISSING,
    replace=None,
    drop=(),
    target=None,
    scaling="modes",
    balanced=True,
    shuffle=True,
    seed=None,
    part=None,
    subset=None,
    test_subset=None,
    encoding=None,
    fitted=None,
):
    """Reads a table into batches for training: float32 (batch_size, width) as `kerasgan.media.Table` has rows.

    What each column is follows from its values: `number`, `integer`, `datetime` (texts of one format), `boolean` (true
    and false), `categorical` (texts, or up to ten different whole numbers), `identifier` (texts without two equal ones,
    or numbers that count the rows), `constant`. Modes are fitted to columns of numbers (scikit-learn).

    By default rows are drawn as the paper has it (training by sampling, arXiv:1907.00503, section 4.3): for each a
    categorical column, any of them; one of its values, by the logarithm of how often it occurs; a row that has it. A
    batch is a pair then, (rows, int32 (batch_size,) the columns that were drawn), and an epoch as many batches as the
    rows make up. With `balanced=False`, or in a table without categories, each row comes once an epoch.

    Needs pandas and scikit-learn, and pyarrow for Parquet: `kerasgan[tables]`. The table stays in memory.

    Args:
        source: a `.csv`, `.tsv`, `.txt`, `.data` or `.parquet` file, a zip file or folder that holds one (or of which
            `subset` names one), or a `pandas.DataFrame`. Texts are UTF-8, or UTF-16 with a mark; the delimiter is a
            comma, a semicolon, a tabulator or a bar; spaces around values do not count.
        batch_size: rows in a batch; 500 is the paper's.
        names: list of the columns' names, for a file without a line of names; a first line of nothing but these is one.
        types: {column: kind}, for what does not follow from the values: {"zip": "categorical"}. "datetime:FORMAT" says
            how dates are read, as in Python's `strftime`.
        missing: texts that stand for missing values.
        replace: {text: text} of values that are to be others, in all columns.
        drop: names of columns that are left out.
        target: name of the column that scores predict from the others (see `kerasgan evaluate`); None takes the last
            category of few values.
        scaling: "modes": numbers are near a mode, as in the paper; what a generator makes is in the range seen. For
            models that score (`kerasgan.models.ALAD`), which are to take what nobody has seen: "deviations" from the
            mean, up to 4, of logarithms where a column is far from symmetric; categories not seen are no category.
        balanced: whether rows are drawn as said above.
        shuffle: draws rows, or a new order of them, anew in each epoch; False gives each row once, as they stand.
        seed: makes what is drawn repeatable.
        part: "train" leaves every tenth row out, "test" gives those alone; where `test_subset` is named, "train" is all
            of the file and "test" all of that one. None: all rows.
        subset: name of the file inside a zip file or folder, with or without its ending; or which rows of it:
            "label=normal", "label!=normal", "label=smurf|neptune", "test.csv: label=normal".
        test_subset: the same of what is kept apart for scores.
        encoding: of the text, such as "latin-1"; None: UTF-8, or what a mark at its beginning says.
        fitted: what another data set has as its attribute: this one is read as that was, by the names of columns.

    Returns:
        A `kerasgan.data.dataset.Dataset`, whose `fitted` a `kerasgan.models.CTGAN` is made of.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message names column and value.
        ImportError: `kerasgan[tables]` is not installed.

    Example:

    ```python
    people = kerasgan.data.table("people.csv", types={"zip": "categorical"}, target="income")
    gan = kerasgan.models.CTGAN(people.fitted)
    ```
    """
    check_batch_size(batch_size, "rows")
    check_choices(CHOICES, scaling=scaling, balanced=balanced, shuffle=shuffle, part=part)
    read = {"names": names, "types": types, "missing": missing, "replace": replace, "drop": drop, "part": part}
    read |= {"subset": subset, "test_subset": test_subset, "encoding": encoding}
    with _naming(source):
        rows, kinds, forms = _typed(source, fitted, **read)
        if fitted is None:
            if len(rows) < 2:
                raise ValueError("There is a single row; a model needs many to learn from.")
            if target is not None and target not in rows.columns:
                raise ValueError(f"target={target!r} is no column; the table has: {', '.join(rows.columns)}.")
            fitted = column_kinds.fit(rows, kinds, forms, target, scaling)
        media = Table(fitted)
        numbers, codes = media.encoded(rows, np.random.default_rng(0))
    known = {"fitted": media.fitted, "fingerprint": fingerprint_of_arrays([numbers, codes])}
    if shuffle and balanced and media.discrete:
        batches = _drawn(media, numbers, codes)
        return Dataset.of_batches(batches, batch_size, seed=seed, count=len(rows), **known)
    arrays, options = {"numbers": numbers, "codes": codes}, {"shuffle": shuffle, "seed": seed, "plural": "rows"}
    return Dataset.of(arrays, batch_size, finish=lambda parts, draw: _rows(media, **parts), **options, **known)


table.without_chance = {"balanced": False}  # the argument by which each row comes once, for scores


def frame(
    source,
    *,
    names=None,
    types=None,
    missing=column_kinds.MISSING,
    replace=None,
    drop=(),
    part=None,
    subset=None,
    test_subset=None,
    encoding=None,
    fitted=None,
):
    """The rows that `table` would read, as a `pandas.DataFrame`: what scores compare generated rows with.

    Args, Raises: as `table`.
    """
    read = {"names": names, "types": types, "missing": missing, "replace": replace, "drop": drop, "part": part}
    read |= {"subset": subset, "test_subset": test_subset, "encoding": encoding}
    with _naming(source):
        return _typed(source, fitted, **read)[0]


@contextlib.contextmanager
def _naming(source):
    """Has a `ValueError` name the file that it is about."""
    try:
        yield
    except ValueError as error:
        if not isinstance(source, (str, os.PathLike)) or repr(str(source)) in str(error):
            raise
        raise ValueError(f"source={str(source)!r}: {error}") from error


# From files to typed columns -----------------------------------------------------------------------------------------


def _typed(source, fitted, *, names, types, missing, replace, drop, part, subset, test_subset, encoding):
    """(data frame of typed columns, {name: kind}, {name: format of dates})."""
    given = test_subset if part == "test" and test_subset is not None else subset
    file, condition = _divided(given)
    rows = _read(source, names, file, encoding)
    if condition is not None:
        rows = _fitting(rows, *condition, missing, replace or {})
    unknown = [name for name in drop if name not in rows.columns]
    if unknown and fitted is None:
        raise ValueError(f"drop: there is no column {unknown[0]!r}; the table has: {', '.join(rows.columns)}.")
    kinds, forms = column_kinds.check_types(types, list(rows.columns))
    rows = rows.drop(columns=[name for name in drop if name not in unknown])
    if part is not None and test_subset is None:
        apart = np.arange(len(rows)) % TEST_EVERY == TEST_EVERY - 1
        rows = rows[apart == (part == "test")].reset_index(drop=True)
    if not len(rows):
        raise ValueError("There are no rows, and nothing to train on.")
    if fitted is not None:
        known = Table(fitted)
        check_columns(rows, known.names)
        rows = rows[known.names]
        kinds = {column["name"]: column["kind"] for column in known.columns}
        forms = {column["name"]: column["format"] for column in known.numeric if column["kind"] == "datetime"}
    series = {name: _cleaned(rows[name], missing, replace or {}) for name in rows.columns}
    found = {}
    for name, values in series.items():
        kinds[name] = kinds[name] if name in kinds else column_kinds.kind_of(name, values)
        if kinds[name] == "datetime" and name not in forms and values.dtype == object:
            forms[name] = column_kinds.date_format(name, values.dropna())
        found[name] = column_kinds.typed(name, values, kinds[name], forms.get(name))
    return pandas().DataFrame(found, columns=list(rows.columns)), kinds, forms


def _divided(subset):
    """The name of a file, or None, and (column, whether it is to have them, values), or None, of a `subset`."""
    said = re.fullmatch(r"(?:(.*):\s*)?([^=!:]+)(!?=)(.*)", subset or "")
    if said is None:
        return subset, None
    file, column, sign, values = said.groups()
    return file, (column.strip(), sign == "=", [value.strip() for value in values.split("|")])


def _fitting(rows, name, wanted, values, missing, replace):
    """The rows whose column has one of the values, given as texts, or has none of them."""
    if name not in rows.columns:
        raise ValueError(f"subset: there is no column {name!r}; the table has: {', '.join(rows.columns)}.")
    held = [None if value is None else str(plain(value)) for value in _cleaned(rows[name], missing, replace)]
    unknown = set(values) - set(held)
    if unknown:
        some = ", ".join(repr(value) for value in sorted(set(held) - {None})[:10])
        raise ValueError(f"subset: the column {name!r} holds no {sorted(unknown)[0]!r}, but {some}.")
    return rows[[(value in values) == wanted for value in held]].reset_index(drop=True)


def _cleaned(series, missing, replace):
    """A column with None for missing texts, and texts without spaces around them."""
    pd = pandas()
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_datetime64_any_dtype(series):
        return series
    replace = {**replace, **dict.fromkeys(missing)}
    values = [value.strip() if isinstance(value, str) else value for value in series]
    absent = series.isna().to_numpy()
    found = np.empty(len(values), object)
    for place, value in enumerate(values):
        value = replace.get(value, value) if isinstance(value, str) else value
        found[place] = None if absent[place] else value
    return pd.Series(found, dtype=object)


def _read(source, names, subset, encoding):
    """A data frame of the columns of a source: texts, or what a data frame or a Parquet file has."""
    pd = pandas()
    if isinstance(source, pd.DataFrame):
        if names is not None or subset is not None:
            raise ValueError("names and subset mean nothing for a data frame; leave them out.")
        return _named(source.reset_index(drop=True), "source")
    paths = paths_of(source)
    if len(paths) != 1:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give one {', '.join(ENDINGS)} or zip file, or a "
            "pandas.DataFrame."
        )
    check_path(paths[0], f"a folder, a zip file or one of {', '.join(ENDINGS)}", ENDINGS)
    found = find_files(paths, single=ENDINGS)
    item = _the_one(found, subset)
    name = found.item_name(item)
    said = f"source={str(paths[0])!r}" + (f", {name!r}" if name != paths[0].name else "")
    try:
        if found.size(item) > MOST_BYTES:
            raise BadSample(f"{found.size(item):,} bytes; such files are read up to {MOST_BYTES:,}")
        content = found.read(item)
        if name.lower().endswith(".parquet"):
            if names is not None or encoding is not None:
                raise ValueError("names and encoding mean nothing for a Parquet file; leave them out.")
            return _named(_parquet(content), said)
        return _named(_csv(content, names, encoding), said)
    except BadSample as error:
        raise ValueError(f"{said}: {error}.") from None


def _the_one(found, subset):
    """The number of the file of a source that is a table, or that `subset` names."""
    tables = {item: found.item_name(item) for item in range(found.count)}
    tables = {item: name for item, name in tables.items() if name.lower().endswith(ENDINGS)}
    if subset is not None:
        fitting = {item: name for item, name in tables.items() if subset in (name, name.rpartition(".")[0])}
        fitting = fitting or {item: name for item, name in tables.items() if _last(name) in (subset, _last(subset))}
        if not fitting:
            raise ValueError(f"subset={subset!r} names no table in {found.name}; it holds: {_listed(tables)}.")
        tables = fitting
    if len(tables) != 1:
        held = f"{len(tables)} tables, {_listed(tables)}: say which by subset=" if tables else "no table"
        raise ValueError(f"{found.name} holds {held}. Tables end in {', '.join(ENDINGS)}.")
    return next(iter(tables))


def _last(name):
    """The name of a file without its folders and ending."""
    return name.rpartition("/")[2].rpartition(".")[0]


def _listed(tables):
    names = list(tables.values())
    return ", ".join(names[:10]) + ", ..." * (len(names) > 10) or "none"


def _named(rows, said):
    """The data frame with names that are texts; a ValueError unless they tell the columns apart."""
    rows = rows.set_axis([str(name) for name in rows.columns], axis=1)
    twice = sorted({name for name in rows.columns if list(rows.columns).count(name) > 1})
    if twice:
        raise ValueError(f"{said} has two columns called {twice[0]!r}: rename one, or give others by names=[...].")
    if "" in rows.columns:
        raise ValueError(f"{said} has a column without a name, number {list(rows.columns).index('') + 1}: give it one.")
    return rows


def _parquet(content):
    """The data frame of the bytes of a Parquet file. Raises `BadSample`."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(f"Parquet files need pyarrow ({error}): pip install {EXTRA!r}.") from error
    with unusable():
        file = parquet.ParquetFile(io.BytesIO(content))
        about = file.metadata
        sizes = [about.row_group(number).total_byte_size for number in range(about.num_row_groups)]
        check_memory(max(sum(sizes), 8 * about.num_rows * about.num_columns), len(content), PACKED)
        return file.read().to_pandas()


def _csv(content, names, encoding):
    """The data frame of the bytes of a text of delimited values, all of them texts. Raises `BadSample`."""
    text = _text(content, encoding)
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    delimiter = max(_DELIMITERS, key=bare.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    rows, known = [], {}
    try:
        for cells in lines:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if names is None:
                names = _header([cell.strip() for cell in cells])
                continue
            if not rows and {cell.strip() for cell in cells} <= set(names):
                names = _header([cell.strip() for cell in cells])  # a line of these very names, of some or all
                continue
            if len(cells) != len(names):
                raise BadSample(
                    f"line {lines.line_num} has {len(cells)} values, where there are {len(names)} columns, "
                    f"{', '.join(names[:5])}{', ...' * (len(names) > 5)}; is a quote or the delimiter wrong there?"
                )
            rows.append([known.setdefault(cell, cell) for cell in cells])
    except csv.Error as error:
        raise BadSample(f"line {lines.line_num}: {error}; is there a quote that is not closed?") from None
    held = list(zip(*rows, strict=True)) or [()] * len(names or ())
    pd = pandas()
    parts = [pd.Series(np.array([*cells, None], object)[:-1], dtype=object) for cells in held]
    made = pd.concat(parts, axis=1) if parts else pd.DataFrame()
    return made.set_axis(list(names or ()), axis=1)


def _text(content, encoding):
    """Bytes as text. Raises `BadSample`."""
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
        if encoding == "utf-8" and b"\0" in content[:1000]:
            raise BadSample("it is no text of UTF-8; if it is UTF-16 without a mark, pass encoding='utf-16-le'")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadSample(
            f"byte {error.start:,} is no text of {encoding}; pass the encoding, such as encoding='latin-1'"
        ) from None
    except LookupError:
        raise ValueError(f"encoding={encoding!r} is unknown; give one of Python's, such as 'latin-1'.") from None


def _header(cells):
    """The names of the columns; `BadSample` for a line that is rather one of values."""
    numbers = [cell for cell in cells if column_kinds.is_number(cell)]
    if numbers and len(numbers) < len(cells):
        raise BadSample(
            f"its first line, {', '.join(cells[:4])}, ..., holds {numbers[0]}, which looks like a value: give the "
            "names of the columns by names=[...]"
        )
    return cells


# Batches -------------------------------------------------------------------------------------------------------------


def _rows(media, numbers, codes):
    """Rows in model range, float32 (rows, width), of what `Table.encoded` gave, as tensors."""
    if not media.widths:
        return numbers
    starts = np.cumsum([0, *media.widths[:-1]]).astype("int32")
    count = tf.shape(codes)[0]
    row = tf.repeat(tf.range(count), len(media.widths))
    places = tf.stack([row, tf.reshape(tf.maximum(codes, 0) + starts, (-1,))], axis=1)
    known = tf.cast(tf.reshape(codes, (-1,)) >= 0, tf.float32)
    hot = tf.scatter_nd(places, known, tf.stack([count, sum(media.widths)]))
    return tf.ensure_shape(tf.concat([numbers, hot], axis=1), (codes.shape[0], *media.shape))


def _drawn(media, numbers, codes):
    """The batches of a table whose rows are drawn by categories, for `Dataset.of_batches`."""
    discrete, widths = len(media.discrete), media.widths[: len(media.discrete)]
    held = [np.bincount(codes[:, place], minlength=width) for place, width in enumerate(widths)]
    chances = [np.log1p(counts) / np.log1p(counts).sum() for counts in held]
    # One number says column and value: its whole part the column, what is behind the point the value.
    ends = np.concatenate([place + np.cumsum(own) for place, own in enumerate(chances)]).astype("float32")
    first = np.concatenate([np.cumsum([0, *counts[:-1]]) for counts in held]).astype("int32")
    held = np.concatenate(held).astype("float32")
    starts = np.cumsum([0, *widths[:-1]]).astype("int32")
    last = (starts + widths - 1).astype("int32")
    order = np.argsort(codes[:, :discrete], axis=0, kind="stable").astype(
        "int32"
    )  # of each column, rows by their value
    with tf.device("CPU"):
        numbers, codes, order = (tf.constant(part) for part in (numbers, codes, order))

    @tf.autograph.experimental.do_not_convert
    def batches(batch_size, start, seed, worker):
        own = slice(*memory.rows(batch_size, worker))

        def draw(drawn):
            chance = tf.random.stateless_uniform([3, batch_size], drawn)[:, own]
            column = tf.cast(chance[0] * discrete, tf.int32)
            value = tf.searchsorted(ends, tf.cast(column, tf.float32) + chance[1], side="right")
            value = tf.clip_by_value(value, tf.gather(starts, column), tf.gather(last, column))
            place = tf.gather(first, value) + tf.cast(chance[2] * tf.gather(held, value), tf.int32)
            place = tf.minimum(place, len(order) - 1)
            row = tf.gather_nd(order, tf.stack([place, column], axis=1))
            return (tf.gather(numbers, row), tf.gather(codes, row)), column

        seeds = memory.seeds(seed, start)
        steps = max(1, len(order) // batch_size)
        if start is None:
            seeds = seeds.take(steps).apply(tf.data.experimental.assert_cardinality(steps))
        drawn = seeds.map(draw, num_parallel_calls=tf.data.AUTOTUNE)
        return finished(drawn, batch_size, lambda parts, draw: _rows(media, *parts), seed, start, worker)

    return batches
