"""What the columns of a table are, and what is learned of them before a network sees one."""

import re
import warnings
from collections import Counter

import numpy as np

from kerasgan.columns import (
    COARSE,
    DISCRETE,
    EXTRA,
    KINDS,
    NUMERIC,
    UNLEARNED,
    as_numbers,
    associations,
    checked,
    logarithms,
    of_values,
    pandas,
    plain,
    rounded,
    shares,
)
from kerasgan.data.sources import short

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
MOST_CATEGORIES = 1000  # of a column
FEW = 10  # whole numbers that are taken for categories, in a table of ten times as many rows at least
MANY = 100  # rows from which on a column without two equal values is taken for identifiers
MOST_MODES = 10
SPIKE = 0.05  # share of a column from which on a single number is a mode of its own
RARE = 0.005  # weight below which a mode is left out, as in the paper
MOST_FITTED = 10_000  # values that the modes of a column are fitted to
SKEWED = 2.0  # skewness (of an exponential distribution it is 2) above which logarithms are taken
DIGITS = 6  # of the range of a column, beyond which its numbers are rounded
DATES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d, %Y",
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}


# Kinds ---------------------------------------------------------------------------------------------------------------


def kind_of(name, series):
    """The kind of a column, by its values: a name of `kerasgan.columns.KINDS`.

    Args:
        name: of the column, for errors.
        series: `pandas.Series` of texts, or of what pandas has read.

    Raises:
        ValueError: numbers and texts mixed, dates of several formats, or more categories than can be learned.
    """
    present = series.dropna()
    if present.nunique() < 2:
        return "constant" if len(present) in (0, len(series)) else "categorical"
    types = pandas().api.types
    if types.is_bool_dtype(series):
        return "boolean"
    if types.is_datetime64_any_dtype(series):
        return "datetime"
    if types.is_integer_dtype(series):
        return _kind_of_numbers(present, len(series), whole=True)
    if types.is_float_dtype(series):
        return _kind_of_numbers(present, len(series), whole=False)
    return _kind_of_texts(name, Counter(map(_text, present)), len(series))


def is_number(text):
    """Whether a text is a number as Python writes them."""
    return _NUMBER.fullmatch(text) is not None


def _text(value):
    return value if isinstance(value, str) else str(plain(value))


def _kind_of_numbers(present, rows, whole):
    distinct = present.nunique()
    if whole and distinct <= FEW and rows >= 10 * distinct:
        return "categorical"
    if whole and distinct == rows >= MANY and present.max() - present.min() == rows - 1:
        return "identifier"
    return "integer" if whole else "number"


def _kind_of_texts(name, counts, rows):
    texts = list(counts)
    if {text.lower() for text in texts} <= set(_BOOLEANS):
        return "boolean"
    numbers = [text for text in texts if _NUMBER.fullmatch(text)]
    if len(numbers) == len(texts):
        values = pandas().Series(np.repeat(np.array(texts, "float64"), list(counts.values())))
        return _kind_of_numbers(values, rows, whole=all(re.fullmatch(r"[+-]?\d+", text) for text in texts))
    if len(numbers) > max(FEW, len(texts) / 2):
        other = next(text for text in texts if not _NUMBER.fullmatch(text))
        raise ValueError(
            f"The column {name!r} holds numbers, such as {numbers[0]}, and {short(other)}, which is none. Say that it "
            f"stands for a missing value (missing=({other!r}, ...)), or types={{{name!r}: 'categorical'}}, or put the "
            "data right."
        )
    if _looks_like_dates(texts):
        date_format(name, texts)
        return "datetime"
    if len(texts) == rows >= MANY:
        return "identifier"
    if len(texts) > MOST_CATEGORIES:
        raise ValueError(
            f"The column {name!r} holds {len(texts):,} different texts, such as {short(texts[0])}: up to "
            f"{MOST_CATEGORIES:,} can be learned as categories. Leave it out (drop=[{name!r}]), number its rows "
            f"instead (types={{{name!r}: 'identifier'}}), or group its values."
        )
    return "categorical"


# Dates ---------------------------------------------------------------------------------------------------------------


def _looks_like_dates(texts):
    """Whether most of the first texts are dates of one format or another."""
    first = texts[:20]
    dates = [text for text in first if re.search(r"\d", text) and any(_fits(text, form) for form in DATES)]
    return len(dates) > len(first) / 2


def _fits(text, form):
    return bool(pandas().notna(pandas().to_datetime(text, format=form, errors="coerce")))


def date_format(name, texts):
    """The format that all dates of a column have, one of `DATES`.

    Raises:
        ValueError: they have none in common, or could be read in two ways.
    """
    pd = pandas()
    texts = pd.Series(list(dict.fromkeys(texts)), dtype=object)
    fitting = [form for form in DATES if pd.to_datetime(texts, format=form, errors="coerce").notna().all()]
    if len(fitting) == 1:
        return fitting[0]
    say = f"types={{{name!r}: 'datetime:%d/%m/%Y'}}"
    if fitting:
        raise ValueError(
            f"The column {name!r} holds dates such as {texts[0]!r}, which can be read as {' or as '.join(fitting)}: "
            f"say which, such as {say}."
        )
    examples = {}
    for text in texts[:1000]:
        form = next((form for form in DATES if _fits(text, form)), None)
        examples.setdefault(form, text)
    if None in examples:
        raise ValueError(
            f"The column {name!r} holds dates, such as {next(text for text in texts if text != examples[None])!r}, and "
            f"{short(examples[None])}, which is none. Put it right, say that it stands for a missing value (missing=), "
            f"or types={{{name!r}: 'categorical'}}."
        )
    shown = ", ".join(repr(text) for text in examples.values())
    raise ValueError(
        f"The column {name!r} holds dates of {len(examples)} formats: {shown}. Bring them to one, or say "
        f"types={{{name!r}: 'categorical'}}."
    )


# Typed values --------------------------------------------------------------------------------------------------------


def typed(name, series, kind, form=None):
    """A column with values as its kind has them; `form` is the format of dates that are texts.

    Raises:
        ValueError: a value that the kind cannot have; the message names column and value.
    """
    pd = pandas()
    if kind == "datetime":
        return _dates(name, series, form)
    if kind in ("number", "integer"):
        values = pd.to_numeric(series, errors="coerce")
        _refuse_other(name, series, values.isna() & series.notna(), f"no {kind}")
        _refuse_other(name, series, np.isinf(values.astype("float64")), "infinite")
        if kind == "integer":
            _refuse_other(name, series, values.notna() & (values % 1 != 0), "no whole number")
            return values.astype("Int64" if values.isna().any() else "int64")
        return values.astype("float64")
    if kind == "boolean":
        lower = {value: _BOOLEANS.get(str(value).lower()) for value in series.dropna().unique()}
        values = np.array(
            [None if absent else lower[v] for v, absent in zip(series, series.isna(), strict=True)], object
        )
        _refuse_other(name, series, pd.Series(values, dtype=object).isna() & series.notna(), "neither true nor false")
        return of_values(values)
    if kind == "identifier":
        return series
    return of_values(_categories(series))


def _dates(name, series, form):
    pd = pandas()
    if pd.api.types.is_datetime64_any_dtype(series):
        return series.dt.tz_localize(None) if series.dt.tz is not None else series
    values = pd.to_datetime(series, format=form, errors="coerce")
    _refuse_other(name, series, values.isna() & series.notna(), f"no date as {form}")
    return values.dt.tz_localize(None) if values.dt.tz is not None else values


def _refuse_other(name, series, wrong, what):
    """Raises a ValueError that names the first value of a column that is marked as wrong."""
    wrong = np.asarray(wrong.fillna(False) if hasattr(wrong, "fillna") else wrong, bool)
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(f"The column {name!r} holds {series.iloc[place]!r} in row {place + 1}, which is {what}.")


def _categories(series):
    """Values of a column of categories as an array of objects: whole numbers where all are, else texts."""
    present = series.dropna()
    whole = pandas().api.types.is_integer_dtype(series) or all(
        isinstance(value, str) and re.fullmatch(r"0|-?[1-9]\d{0,17}", value) for value in present.unique()
    )
    to = (lambda value: int(value)) if whole else _text
    known = {value: to(value) for value in present.unique()}
    found = [None if absent else known[v] for v, absent in zip(series, series.isna(), strict=True)]
    return np.array([*found, None], object)[:-1]  # an array of objects even where all are texts


# What is learned of them ---------------------------------------------------------------------------------------------


def fit(frame, kinds, forms, target=None, scaling="modes"):
    """What is known of the columns of a table, as JSON can hold it.

    Args:
        frame: `pandas.DataFrame` of typed values.
        kinds: {name: kind}.
        forms: {name: format} of the dates that were texts.
        target: name of the column that scores predict from the others, or None.
        scaling: see `kerasgan.data.table`.

    Returns:
        {"columns": [...], "associations": [...], "target": ..., "rows": ...}; see `kerasgan.media.Table`.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    if scaling == "deviations":  # where a value that a column never had is news
        kinds = {name: "categorical" if kind == "constant" else kind for name, kind in kinds.items()}
    columns = [_learned(name, frame[name], kinds[name], forms.get(name), scaling) for name in frame.columns]
    fitted = {"columns": columns, "associations": [], "target": target, "rows": len(frame)}
    checked(fitted)
    for column in columns:
        if column["kind"] in NUMERIC:
            values = as_numbers(column, frame[column["name"]])
            tenths = np.quantile(values[~np.isnan(values)], np.arange(1, COARSE) / COARSE)
            column["tenths"] = [float(value) for value in np.unique(tenths)]
            column["shares"] = [round(float(share), 6) for share in shares(column, frame[column["name"]])]
    fitted["associations"] = np.round(associations(fitted, frame), 4).tolist()
    return fitted


def _learned(name, series, kind, form, scaling):
    known = {"name": name, "kind": kind}
    if scaling == "deviations" and kind not in UNLEARNED:
        known["open"] = True
    if kind == "identifier":
        return known
    if kind in (*DISCRETE, *UNLEARNED):
        counts = Counter(None if absent else plain(v) for v, absent in zip(series, series.isna(), strict=True))
        values = sorted(counts, key=lambda value: (value is None, str(type(value)), value if value is not None else 0))
        return {**known, "values": values, "counts": [counts[value] for value in values]}
    missing = int(series.isna().sum())
    values = as_numbers({**known, "missing": missing}, series)
    values = values[~np.isnan(values)]
    known |= {"least": float(values.min()), "most": float(values.max()), "missing": missing, "shares": []}
    known |= _fineness(kind, values, form)
    values = rounded(known, values)
    known |= {"least": float(values.min()), "most": float(values.max())}
    if scaling == "deviations":
        return {**known, **_as_one_mode(known, values)}
    return {**known, "modes": modes_of(values)}


def _as_one_mode(column, values):
    """The mean and deviation of numbers, of their logarithms where the numbers are far from symmetric."""
    is_skewed = _skewness(values) > SKEWED
    values = logarithms({**column, "log": is_skewed}, values)
    return {"log": is_skewed, "modes": [[1.0, float(values.mean()), max(float(values.std()), 1e-9)]]}


def _skewness(values):
    spread = values.std()
    return float(np.mean(((values - values.mean()) / spread) ** 3)) if spread > 0 else 0.0


def _fineness(kind, values, form):
    """How fine the numbers of a column are: {"decimals": ...}, or, of dates, {"step": seconds, "format": ...}."""
    if kind == "datetime":
        step = next((step for step in (86_400, 3600, 60, 1) if not np.any((values - values[0]) % step)), 1)
        return {"step": step, "format": form or ("%Y-%m-%d" if step == 86_400 else "%Y-%m-%d %H:%M:%S")}
    if kind == "integer":
        return {"decimals": 0}
    distinct = np.unique(values)
    extent = distinct[-1] - distinct[0]
    most = max(0, int(np.floor(DIGITS - np.log10(extent)))) if extent > 0 else DIGITS
    exact = (d for d in range(most) if np.allclose(np.round(distinct, d), distinct, rtol=0, atol=10.0 ** -(d + 4)))
    return {"decimals": next(exact, most)}


def modes_of(values):
    """The modes of numbers: [[weight, mean, deviation], ...], at most ten.

    A number that makes up 5 % of them or more is a mode of its own, without deviation. To the others a variational
    mixture of Gaussians is fitted, of which modes with a weight above 0.005 are kept, as in the paper.
    """
    distinct, counts = np.unique(values, return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:MOST_MODES]
    spikes = [place for place in largest if counts[place] >= SPIKE * len(values) or len(distinct) <= MOST_MODES]
    found = [[counts[place] / len(values), distinct[place], 0.0] for place in spikes]
    rest = values[~np.isin(values, distinct[spikes])]
    if len(rest):
        share = len(rest) / len(values)
        room = max(1, MOST_MODES - len(spikes))
        found += [[share * weight, mean, deviation] for weight, mean, deviation in _mixture(rest, room)]
    return [[float(part) for part in mode] for mode in found]


def _mixture(values, components):
    """Weights, means and deviations of a mixture of Gaussians."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import BayesianGaussianMixture
    except ImportError as error:
        raise ImportError(f"Columns of numbers need scikit-learn ({error}): pip install {EXTRA!r}.") from error
    middle, scale = values.mean(), values.std()
    if len(values) > MOST_FITTED:
        values = values[np.linspace(0, len(values) - 1, MOST_FITTED).astype(int)]
    components = min(components, len(np.unique(values)))
    if components < 2 or not scale:
        return [[1.0, middle, max(scale, 1e-9)]]
    model = BayesianGaussianMixture(
        n_components=components, weight_concentration_prior=1e-3, max_iter=100, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what it has found by then will do
        model.fit(((values - middle) / scale)[:, None])
    kept = model.weights_ > RARE
    weights = model.weights_[kept] / model.weights_[kept].sum()
    deviations = np.sqrt(model.covariances_[kept].ravel())
    return np.stack([weights, middle + scale * model.means_[kept, 0], scale * deviations], axis=1)


def check_types(types, names):
    """{name: kind}, {name: format} of what a user said of columns, such as {"zip": "categorical", "when":
    "datetime:%d/%m/%Y"}; a ValueError for columns and kinds that there are none of."""
    kinds, forms = {}, {}
    for name, said in dict(types or {}).items():
        kind, _, form = str(said).partition(":")
        if name not in names:
            raise ValueError(f"types: there is no column {name!r}; the table has: {', '.join(names)}.")
        if kind not in KINDS or (form and kind != "datetime"):
            raise ValueError(f"types[{name!r}]={said!r}: expected one of {', '.join(KINDS)}, or 'datetime:FORMAT'.")
        kinds[name] = kind
        forms |= {name: form} if form else {}
    return kinds, forms
