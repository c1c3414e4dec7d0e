"""Scores of sketches: how the pen moves, whether it stops, and whether drawings look like real ones.

Sketches are int16 (n, points, 3), as `kerasgan.media.Sketch` has them in natural units.

Of the strokes, neither more nor fewer is better: sketches that are like the data have the data's values, which
`evaluate` puts beside them. The likelihood of held-out sketches is a matter of the network that draws them, not of
drawings: `gan.evaluate(data)` has it as "nll".
"""

import numpy as np

from kerasgan.metrics.metric import Metric, Value
from kerasgan.metrics.two_sample import nearest_neighbour_accuracy, nearness

DOWN, LIFTED, OVER = 0, 1, 2  # the pen behind a point, as in `kerasgan.media.Sketch`
EDGE = 32  # pixels of the drawings that are compared


def strokes(sketches):
    """How many strokes each sketch has: int64 (n,). One that is cut off in a stroke has that, too."""
    pen = _pens(sketches)
    last = np.maximum((pen != OVER).sum(axis=1) - 1, 0)
    unfinished = np.take_along_axis(pen, last[:, None], axis=1)[:, 0] == DOWN
    return (pen == LIFTED).sum(axis=1) + unfinished


def pen_lifts(sketches):
    """The share of points behind which the pen is lifted, of each sketch: float64 (n,), NaN without points."""
    pen = _pens(sketches)
    points = (pen != OVER).sum(axis=1)
    return np.where(points > 0, (pen == LIFTED).sum(axis=1) / np.maximum(points, 1), np.nan)


def endless(sketches):
    """Which sketches have no end: bool (n,)."""
    return (_pens(sketches) != OVER).all(axis=1)


def _pens(sketches):
    """The pen of each row, OVER from a sketch's end on: int (n, points)."""
    sketches = np.asarray(sketches)
    if sketches.ndim != 3 or sketches.shape[2] != 3 or not sketches.size or sketches.dtype.kind not in "iu":
        raise ValueError(
            f"sketches has shape {sketches.shape} and dtype {sketches.dtype}; expected int16 (n, points, 3), as "
            "`generate` and `media.to_natural` return them."
        )
    over = np.maximum.accumulate(sketches[..., 2] == OVER, axis=1)
    return np.where(over, OVER, sketches[..., 2])


# What `evaluate` knows -----------------------------------------------------------------------------------------------


def _strokes(real, scored):
    yield Value.mean("strokes", strokes(scored.natural).astype("float64"))


def _pen_lifts(real, scored):
    yield Value.mean("pen_lifts", pen_lifts(scored.natural))


def _endless(real, scored):
    yield Value("endless", float(endless(scored.natural).mean()), False)


def _drawings_1nn(real, scored):
    # Neither way: 0.5 where nothing tells the two apart.
    drawn = (one.media.drawings(one.natural, EDGE) for one in (real, scored))
    accuracy = nearest_neighbour_accuracy(*drawn, nearness)
    yield Value("drawings_1nn", accuracy, None, parameters={"pixels": EDGE})


METRICS = {
    "strokes": Metric(("natural",), False, _strokes, "strokes a sketch", "sketch"),
    "pen_lifts": Metric(("natural",), False, _pen_lifts, "share of points behind which the pen is lifted", "sketch"),
    "endless": Metric(("natural",), False, _endless, "share of sketches that never stop", "sketch"),
    "drawings_1nn": Metric(
        ("natural",), True, _drawings_1nn, "1-NN two-sample accuracy of 32x32 drawings (arXiv:1610.06545)", "sketch"
    ),
}
