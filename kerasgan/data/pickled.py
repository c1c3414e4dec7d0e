"""Sketches of sketch-rnn's `.npz` files, which are pickled -> QuickDraw's ndjson, which holds nothing but numbers.

To unpickle is to run what a file says. No reader does so; here it is done once, for those who say that they trust it.
"""

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np

from kerasgan import files
from kerasgan.data.files import BadSample, check_memory, unusable
from kerasgan.data.reading import report
from kerasgan.data.sketches import MOST_BYTES, MOST_IN_A_LINE, PACKED, PICKLED
from kerasgan.media.sketch import LIFTED

DIGITS = 2  # behind the point, of coordinates that are no whole numbers


def to_ndjson(source, out, subset=None, trust=False):
    """Writes the sketches of a `.npz` file in the form of sketch-rnn (Ha & Eck, 2017, arXiv:1704.03477) as ndjson.

    Such a file holds arrays of objects, `train`, `valid` and `test`: each sketch is an array (points, 3) of by how much
    a point is to the right of the one before and below it, and 1 where the pen is lifted behind it, else 0. The pen
    comes down at the first point. A line of JSON holds one sketch, {"drawing": [[[x, ...], [y, ...]], ...]}, in the
    units of the source. What is no sketch is left out and named in a warning.

    Args:
        source: path of the `.npz` file.
        out: file to write, ending in `.ndjson`. Missing folders are made.
        subset: name of one of the arrays; None takes all of them, one after the other.
        trust: whether the file may be unpickled, WHICH RUNS WHATEVER IS IN IT: only for those of people you trust.

    Returns:
        {name of the array: how many of its sketches were written}.

    Raises:
        ValueError: the file is something else or damaged, or it would have to be unpickled and `trust` is false.
        OSError: a file cannot be read or written.
    """
    source, out = Path(source), files.check_output(out, (".ndjson",), name="out")
    if source.suffix.lower() != ".npz" or not source.is_file():
        raise ValueError(f"source={str(source)!r} must be a .npz file, as sketch-rnn has them.")
    files.check_apart(out, [source], "out")
    try:
        with unusable():
            arrays = _load(source, subset, trust)
    except BadSample as error:
        raise ValueError(f"{str(source)!r}: {error}.") from None
    bad, lines, counts = [], [], {}
    for name, sketches in arrays.items():
        before = len(lines)
        for number, sketch in enumerate(sketches):
            try:
                with unusable():
                    lines.append(json.dumps({"drawing": drawing(sketch)}) + "\n")
            except BadSample as why:
                bad.append((f"{name}, sketch {number}", why))
        counts[name] = len(lines) - before
    report(bad, len(lines) + len(bad), repr(str(source)), "skip", stacklevel=3)
    with files.atomic(out) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return counts


def _load(source, subset, trust):
    """The wanted arrays of objects of a file, by name. Raises `BadSample`."""
    stored = source.stat().st_size
    if stored > MOST_BYTES[".npz"]:
        raise BadSample(f"{stored:,} bytes; such files are read up to {MOST_BYTES['.npz']:,}")
    with zipfile.ZipFile(source) as archive:
        check_memory(sum(info.file_size for info in archive.infolist()), stored, PACKED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of pickles that Python 2 wrote
        with np.load(source, allow_pickle=bool(trust), encoding="latin1") as held:  # as those were read by the authors
            if subset is not None and subset not in held.files:
                raise BadSample(f"it has no array {subset!r}; it holds {', '.join(held.files[:20])}")
            try:
                arrays = {name: held[name] for name in held.files if subset in (None, name)}
            except ValueError as error:
                raise BadSample(PICKLED) if "pickle" in str(error) and not trust else error from None
    for name, array in arrays.items():
        if array.dtype != object:
            raise BadSample(f"{name} is no array of objects; kerasgan.data.sketches may read it as it is")
    return arrays


def drawing(sketch):
    """The strokes of a sketch of sketch-rnn's, an array (points, 3), as QuickDraw has them. Raises `BadSample`.

    Returns:
        [[[x, ...], [y, ...]], ...], whole numbers where those of the sketch are.
    """
    rows = np.asarray(sketch)
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows) or rows.dtype.kind not in "iuf":
        raise BadSample(f"shape {rows.shape} and dtype {rows.dtype}; expected numbers (points, 3)")
    if len(rows) > MOST_IN_A_LINE:
        raise BadSample(f"more than {MOST_IN_A_LINE:,} points: no sketch")
    if not np.isfinite(rows).all() or not np.isin(rows[:, 2], (0, LIFTED)).all():
        raise BadSample("the third number of a row is the pen: 0 draws on, 1 is lifted")
    is_whole = rows.dtype.kind in "iu"
    places = np.cumsum(rows[:, :2].astype("int64" if is_whole else "float64"), axis=0)
    places = places if is_whole else places.round(DIGITS)
    lines = np.split(places, np.flatnonzero(rows[:, 2]) + 1)
    return [line.T.tolist() for line in lines if len(line)]
