"""Scores of tables: columns by themselves and in pairs, what a classifier learns of them, and whether rows are copies.

Tables are data frames with the columns of a `kerasgan.media.Table`, whose `columns` say of what kind each is.
"""

import hashlib
import typing
import warnings

import numpy as np

import kerasgan
from kerasgan.columns import DISCRETE, EXTRA, NUMERIC, as_numbers, codes_of, contingency, grouped, shares
from kerasgan.metrics import checks, result
from kerasgan.metrics.two_sample import kolmogorov_smirnov

INDEPENDENT = "independent columns"  # what is scored beside a model: each column of the data, shuffled by itself
MOST = 10_000  # rows of each kind that are taken when nobody says how many
MOST_NEAR = 2_000  # of which the closest records are looked for
FEW_VALUES = 10  # of a category that is taken for the target
MOST_TOLD = 5_000  # of each kind that are told apart
FOLDS = 3  # of cross-validation, where a classifier tells rows from real ones


# Columns -------------------------------------------------------------------------------------------------------------


def marginals(media, real, made):
    """How like each column is in two tables, by its name: 1 where it is distributed the same, 0 without any overlap.

    Of categories 1 - the total variation distance, of numbers and dates 1 - the Kolmogorov-Smirnov distance, in which
    missing ones lie beyond all others.

    Args:
        media: `kerasgan.media.Table`.
        real, made: data frames with its columns.
    """
    found = {}
    for column in _learned(media):
        name = column["name"]
        if column["kind"] in NUMERIC:
            first, second = (np.nan_to_num(_numbers(column, one), nan=np.inf) for one in (real, made))
            found[name] = 1.0 - kolmogorov_smirnov(first, second)
        else:
            found[name] = 1.0 - _variation(*(shares(column, one[name]) for one in (real, made)))
    return found


def pairwise(media, real, made):
    """How like each pair of columns depends on each other in two tables: {(name, name): 0 to 1}.

    Of two columns of numbers 1 - half of the difference of their correlations; of others 1 - the total variation
    distance of their joint distribution, in which numbers are in tenths.
    """
    columns = _learned(media)
    correlations = [_correlations(columns, one) for one in (real, made)]
    groups = [{c["name"]: grouped(c, one[c["name"]]) for c in columns} for one in (real, made)]
    found = {}
    for place, one in enumerate(columns):
        for other in columns[:place]:
            names = (one["name"], other["name"])
            if one["kind"] in NUMERIC and other["kind"] in NUMERIC:
                found[names] = 1.0 - abs(correlations[0][names] - correlations[1][names]) / 2
            else:
                found[names] = 1.0 - _joint_variation(groups, names)
    return found


def _learned(media):
    return [column for column in media.columns if column["kind"] in (*NUMERIC, *DISCRETE)]


def _numbers(column, table):
    """A column of numbers of a table, in which some may be missing."""
    return as_numbers({**column, "missing": True}, table[column["name"]])


def _variation(first, second):
    return 0.5 * float(np.abs(first - second).sum())


def _joint_variation(groups, names):
    lengths = [max(int(table[name].max()) for table in groups) + 1 for name in names]
    joint = [contingency(*(table[name] for name in names), lengths) for table in groups]
    return _variation(*(counts / counts.sum() for counts in joint))


def _correlations(columns, table):
    """Pearson's correlation of each two columns of numbers, of the rows that have both; 0 where one is constant."""
    numbers = {column["name"]: _numbers(column, table) for column in columns if column["kind"] in NUMERIC}
    found = {}
    for one, first in numbers.items():
        for other, second in numbers.items():
            both = ~(np.isnan(first) | np.isnan(second))
            a, b = first[both], second[both]
            varied = len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0
            found[one, other] = float(np.corrcoef(a, b)[0, 1]) if varied else 0.0
    return found


# What classifiers make of them ---------------------------------------------------------------------------------------


def features(media, table, without=None):
    """Rows as classifiers take them, float32 (count, features): categories one-hot, numbers in deviations of the data.

    Args:
        without: name of a column that is left out, or None.
    """
    parts = []
    for column in _learned(media):
        if column["name"] == without:
            continue
        if column["kind"] in NUMERIC:
            numbers = _numbers(column, table)
            weights, means, deviations = np.array(column["modes"]).T
            middle = np.average(means, weights=weights)
            spread = np.sqrt(np.average(np.square(means - middle) + np.square(deviations), weights=weights)) or 1.0
            parts.append(np.nan_to_num((numbers - middle) / spread)[:, None])
            parts += [np.isnan(numbers)[:, None]] if column["missing"] else []
        else:
            parts.append(np.eye(len(column["values"]))[codes_of(column, table[column["name"]])])
    return np.concatenate(parts, axis=1).astype("float32")


def detection(media, real, made, seed=0):
    """The area under the curve of a classifier that tells made rows from as many real ones, by cross-validation.

    Histogram gradient boosting in three folds; 0.5 where nothing tells them apart, 1 where everything does.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    sklearn = _sklearn()
    count = min(len(real), len(made), MOST_TOLD)
    rows = np.concatenate([features(media, real.head(count)), features(media, made.head(count))])
    labels = np.repeat([0, 1], count)
    folds = sklearn.model_selection.StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = sklearn.ensemble.HistGradientBoostingClassifier(max_iter=50, random_state=seed, early_stopping=False)
    with _one_thread():
        chances = sklearn.model_selection.cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")
    return float(sklearn.metrics.roc_auc_score(labels, chances[:, 1]))


class Efficacy(typing.NamedTuple):
    """What is learned of a table, by the name of the learner, and what the numbers are: "f1" or "r2"."""

    scores: dict
    kind: str


def efficacy(media, train, test, target, seed=0):
    """How well a column is predicted on `test` by what is learned of `train` (Xu et al., 2019, section 5).

    Of a category F1: of the rarer of two values, else the mean over all; of numbers the coefficient of determination.
    The learners are a logistic (or linear) regression, a decision tree, boosted trees and a perceptron.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: there is no such column.
    """
    sklearn, column = _sklearn(), media.column(target)
    inputs = [features(media, table, without=target) for table in (train, test)]
    if column["kind"] in NUMERIC:
        numbers = [np.nan_to_num(_numbers(column, table), nan=column["least"]) for table in (train, test)]
        middle, spread = numbers[1].mean(), numbers[1].std() or 1.0
        truth = [(one - middle) / spread for one in numbers]
        learners = _regressors(sklearn, seed)
        return Efficacy(_scores(learners, inputs, truth, sklearn.metrics.r2_score), "r2")
    truth = [codes_of(column, table[column["name"]]) for table in (train, test)]
    if len(set(truth[0])) < 2:  # nothing to learn
        return Efficacy(dict.fromkeys(_classifiers(sklearn, seed), 0.0), "f1")
    about = {"average": "macro", "zero_division": 0}
    if len(column["values"]) == 2:
        about = {"pos_label": int(np.argmin(column["counts"])), "zero_division": 0}
    score = lambda real, found: sklearn.metrics.f1_score(real, found, **about)  # noqa: E731
    return Efficacy(_scores(_classifiers(sklearn, seed), inputs, truth, score), "f1")


def _scores(learners, inputs, truth, score):
    found = {}
    for name, learner in learners.items():
        with warnings.catch_warnings(), _one_thread():
            warnings.simplefilter("ignore")  # of what has not converged, which is scored as it is
            found[name] = float(score(truth[1], learner.fit(inputs[0], truth[0]).predict(inputs[1])))
    return found


def _classifiers(sklearn, seed):
    return {
        "logistic regression": sklearn.linear_model.LogisticRegression(max_iter=200),
        "decision tree": sklearn.tree.DecisionTreeClassifier(max_depth=15, random_state=seed),
        "boosted trees": sklearn.ensemble.HistGradientBoostingClassifier(random_state=seed),
        "perceptron": sklearn.neural_network.MLPClassifier(hidden_layer_sizes=(50,), max_iter=20, random_state=seed),
    }


def _regressors(sklearn, seed):
    return {
        "linear regression": sklearn.linear_model.Ridge(),
        "decision tree": sklearn.tree.DecisionTreeRegressor(max_depth=15, random_state=seed),
        "boosted trees": sklearn.ensemble.HistGradientBoostingRegressor(random_state=seed),
        "perceptron": sklearn.neural_network.MLPRegressor(hidden_layer_sizes=(50,), max_iter=20, random_state=seed),
    }


def _one_thread():
    """Context in which scikit-learn computes in one thread: several wait for each other longer than that saves."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _sklearn():
    try:
        import sklearn
        import sklearn.ensemble
        import sklearn.linear_model
        import sklearn.metrics
        import sklearn.model_selection
        import sklearn.neural_network
        import sklearn.tree
    except ImportError as error:
        raise ImportError(f"These scores need scikit-learn ({error}): pip install {EXTRA!r}.") from error
    return sklearn


# Copies --------------------------------------------------------------------------------------------------------------


def closest(media, rows, records):
    """The distance of each row to the closest of some records (Gower, 1971): float64 (count,), from 0 to 1.

    The mean over columns of 0 or 1 for categories, and of the difference as a share of the range for numbers.
    """
    columns = _learned(media)
    found = np.empty(len(rows))
    known = [_comparable(column, records) for column in columns]
    asked = [_comparable(column, rows) for column in columns]
    for start in range(0, len(rows), 64):
        part = slice(start, start + 64)
        total = np.zeros((len(found[part]), len(records)), "float32")
        for column, one, other in zip(columns, asked, known, strict=True):
            if column["kind"] in NUMERIC:
                total += np.abs(one[part, None] - other[None])
            else:
                total += one[part, None] != other[None]
        found[part] = total.min(axis=1) / len(columns)
    return found


def _comparable(column, table):
    """A column as it is compared: numbers in shares of their range, missing ones far from all but each other."""
    if column["kind"] not in NUMERIC:
        return codes_of(column, table[column["name"]]).astype("int32")
    extent = max(column["most"] - column["least"], 1e-12)
    return np.nan_to_num((_numbers(column, table) - column["least"]) / extent, nan=2.0).clip(-1, 2).astype("float32")


def copies(media, rows, records):
    """The share of rows that are equal to one of some records, in all columns that are learned."""
    names = [column["name"] for column in _learned(media)]
    known = {tuple(map(_hashable, row)) for row in records[names].itertuples(index=False)}
    return float(np.mean([tuple(map(_hashable, row)) in known for row in rows[names].itertuples(index=False)]))


def _hashable(value):
    return None if value is None or value != value else value


def shuffled(table, count, seed=0):
    """Rows whose columns are drawn from a table each by itself: what nothing but marginals would give."""
    random = np.random.default_rng(seed)
    columns = {name: table[name].iloc[random.integers(0, len(table), count)].reset_index(drop=True) for name in table}
    return type(table)(columns)


# The protocol --------------------------------------------------------------------------------------------------------


class _Tables(typing.NamedTuple):
    """What scores are computed of: rows that are scored, those that were trained on, and those that were kept apart."""

    media: typing.Any
    train: typing.Any
    test: typing.Any
    target: str
    seed: int


def _marginals(made, known):
    yield "marginals", np.mean(list(marginals(known.media, known.train, made).values())), True, {}


def _pairwise(made, known):
    found = list(pairwise(known.media, known.train, made).values())
    yield "pairwise", np.mean(found) if found else float("nan"), True, {}


def _detection(made, known):
    yield "detection", detection(known.media, known.train, made, known.seed), False, {}


def _efficacy(made, known):
    found = efficacy(known.media, made, known.test, known.target, known.seed)
    yield f"ml_{found.kind}", np.mean(list(found.scores.values())), True, {"target": known.target}


def _closest(made, known):
    held_back = closest(known.media, known.test.head(MOST_NEAR), known.train)
    distances = closest(known.media, made.head(MOST_NEAR), known.train)
    # Neither way: 0.5 where rows are as near to the training's as those that were kept apart; more is nearer.
    share = np.mean(distances < np.median(held_back)) + 0.5 * np.mean(distances == np.median(held_back))
    yield "closest", share, None, {}


def _copies(made, known):
    yield "copies", copies(known.media, made, known.train), None, {}


METRICS = {
    "marginals": _marginals,
    "pairwise": _pairwise,
    "detection": _detection,
    "efficacy": _efficacy,
    "closest": _closest,
    "copies": _copies,
}


def _digest(table):
    """sha256 of the rows of a table, whatever their order."""
    text = sorted(table.to_csv(index=False, header=False).splitlines())
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def known_rows(media, table):
    """Which rows have, in all categorical columns, values that are known: bool (count,)."""
    found = np.ones(len(table), bool)
    for column in media.discrete:
        series, values = table[column["name"]], [value for value in column["values"] if value is not None]
        found &= np.where(series.isna(), None in column["values"], series.isin(values)).astype(bool)
    return found


def target_of(media, given=None):
    """The column that is predicted: the given one, the table's own, or the last category of few values.

    Raises:
        ValueError: there is no such column.
    """
    given = given or media.fitted.get("target")
    if given is not None:
        column = media.column(given)
        if column not in _learned(media):
            raise ValueError(f"target={given!r}: the column is of the kind {column['kind']}, and cannot be predicted.")
        return given
    few = [column["name"] for column in media.discrete if 2 <= len(column["values"]) <= FEW_VALUES]
    return (few or [column["name"] for column in _learned(media)])[-1]


def evaluate(gan, train, test, metrics=None, *, target=None, count=None, seed=0, model=None, split="all"):
    """Scores rows of a model against the rows that it was trained on, and against some that were kept apart.

    Each number stands beside that of the rows that were kept apart, scored as if they had been made (the floor; of
    `efficacy`, what is learned of real rows), and beside that of `INDEPENDENT` columns.

    - `marginals`, `pairwise`: the mean of what the functions of these names give, against the training's rows; 1 is
      best.
    - `detection`: see the function; 0.5 is best.
    - `efficacy`: see the function, as `ml_f1` or `ml_r2`: the mean over learners that learn of as many rows.
    - `closest`: the share of rows that are nearer to a row of the training than half of those that were kept apart. 0.5
      is what honest rows have; more are copies with changes.
    - `copies`: the share of rows that are equal to one of the training's.

    Args:
        gan: a `kerasgan.models.CTGAN`, or what has its `generate` and `media`.
        train, test: data frames, as `kerasgan.data.frame` gives them.
        metrics: names of `METRICS`, in a sequence or separated by commas; None takes all.
        target: see `target_of`.
        count: rows that are scored, and learned from; None takes as many as there are of the training, at most 10,000.
        seed: of the rows, and of what is drawn of the data.
        model, split: what the records call the model and the data.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an unknown metric, no rows, or no such column.
        ImportError: scikit-learn is not installed.
    """
    names = checks.metric_names(metrics, METRICS, "a model of tables")
    media = gan.media
    count = min(len(train), MOST) if count is None else count
    checks.whole(count, "count", 2)
    if len(train) < 2 or len(test) < 2:
        raise ValueError(f"train has {len(train)} rows and test {len(test)}; expected at least two of each.")
    test, split = _usable(media, test, split)
    known = _Tables(media, train, test, target_of(media, target), seed)
    learned_from = train.sample(min(count, len(train)), random_state=seed).reset_index(drop=True)
    scored = {
        model or gan.name: gan.generate(count, seed=seed),
        result.REAL: test.sample(min(count, len(test)), random_state=seed).reset_index(drop=True),
        INDEPENDENT: shuffled(train, count, seed),
    }
    about = {"n_real": len(train), "n_fake": count, "split": split, "data": _digest(train)}
    about |= {"size": f"{len(media.columns)} columns", "version": kerasgan.__version__}
    found = []
    for label, made in scored.items():
        own = {"ema": True, "seed": seed} if label not in (result.REAL, INDEPENDENT) else {}
        for name in names:
            rows = learned_from if (name, label) == ("efficacy", result.REAL) else made
            for metric, value, higher, parameters in METRICS[name](rows, known):
                metric += f", {INDEPENDENT}" if label == INDEPENDENT else ""
                more = {"model": label, "parameters": parameters, **about, **own}
                found.append(result.Result(metric, float(value), higher, **more))
    return found


def _usable(media, test, split):
    """The rows that were kept apart without those with values that the training had not, and what says so."""
    usable = known_rows(media, test)
    if usable.sum() < 2:
        raise ValueError("test: fewer than two rows have none but values that were seen in training.")
    if not usable.all():
        split += f", {np.sum(~usable)} rows with values left out that the training had not"
    return test[usable].reset_index(drop=True), split
