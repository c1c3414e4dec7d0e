"""Sketches from SVG files, QuickDraw's ndjson and arrays, as a `tf.data.Dataset` of a pen's steps."""

import io
import warnings
import zipfile

import numpy as np
import tensorflow as tf

from kerasgan import files
from kerasgan.checks import is_number, is_whole
from kerasgan.data.dataset import Dataset
from kerasgan.data.files import BadSample, check_memory, find_files, member, unusable
from kerasgan.data.pipeline import check_choices
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import check_path, paths_of, short
from kerasgan.data.svg import paper, read_svg
from kerasgan.media.sketch import FARTHEST, LIFTED, MARGIN, MOST_POINTS, OVER, Sketch

CHOICES = {"resize": (True, False), "recognized": (True, False), "on_error": ("skip", "raise")}
SINGLE = (".svg", ".ndjson", ".npz")  # files that are given by themselves
NO_SKETCHES = (".txt", ".md", ".csv", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".zip")  # beside them
EDGE = 255  # units of the longer side of a sketch, as QuickDraw has it
USUAL = 95  # percent of sketches that are short enough by default
ROOM = 1.5  # times the points of the longest sketch: what a model draws needs room to come to an end
MOST_BYTES = {".svg": 2**22, ".ndjson": 2**29, ".npz": 2**29}
MOST_IN_A_LINE = 100_000  # points of one drawing
PACKED = 1000  # times that arrays of sketches shrink when they are compressed
PICKLED = (
    "an array of objects, which is pickled: loading it could run anything. If you trust where it comes from, kerasgan "
    "convert FILE.npz --trust --out FILE.ndjson writes its sketches as .ndjson"
)


def sketches(
    source,
    points=None,
    batch_size=100,
    *,
    longest=None,
    simplify=2.0,
    resize=True,
    scale=None,
    stretch=0.0,
    drop=0.0,
    recognized=False,
    shuffle=True,
    seed=None,
    subset=None,
    on_error="skip",
    fitted=None,
):
    """Reads sketches into batches for training: float32 (batch_size, points, 5), as `kerasgan.media.Sketch` has them.

    A row is by how far the pen moves to the next point, and what it does behind that. Points that hardly matter are
    left out, and offsets divided by their standard deviation. A remainder smaller than a batch is dropped; with
    `shuffle` it is a different one in every epoch.

    - `.svg` files hold one sketch each: their paths and basic shapes, in the order of the file, which should be that of
      drawing. Nothing that they refer to is looked for or fetched, no script is run, entities are refused.
    - `.ndjson` files hold one a line, as QuickDraw publishes its drawings, simplified or raw:
      {"drawing": [[[x, ...], [y, ...]], ...]}.
    - `.npz` files hold an array of whole numbers (sketches, rows, 3) under the name `sketches`, or under any where it
      is the only one or `subset` names it: rows of offsets and pen, 0 to draw on, 1 to lift it, 2 from the end on.
      Arrays of objects, as sketch-rnn's files have them, are pickled, and pickled data may run anything: they are
      refused. For a file that you trust, `kerasgan convert FILE.npz --trust --out FILE.ndjson` writes them as ndjson.

    Everything is read and checked before the data set is returned, and stays in memory: 6 bytes a point.

    Args:
        source: a folder, a zip file (which is not unpacked), a single `.svg`, `.ndjson` or `.npz` file, or a list of
            them.
        points: rows of a sketch, the one that ends it included. None takes half as many again as the longest needs, as
            what a model draws is longer at times than what it has seen.
        batch_size: sketches in a batch.
        longest: points up to which sketches are taken; longer ones are left out. None takes all that have room in
            `points`, and 95 % of all where that is None, too.
        simplify: units by which a line may be changed to have fewer points (Ramer, 1972; Douglas & Peucker, 1973); 0
            keeps all. QuickDraw's simplified drawings have 2.
        resize: whether each sketch is made as large as 255 units, its longer side; False keeps units as they are.
        scale: units that are 1 for the model; None takes the standard deviation of all offsets.
        stretch: width and height are changed at random by up to this share, each by its own, anew in each epoch
            (sketch-rnn's is 0.15).
        drop: share of the points inside of strokes that are left out at random, anew in each epoch (sketch-rnn's is
            0.1).
        recognized: of QuickDraw's drawings, only those that its game recognized.
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order and changes repeatable.
        subset: a folder inside `source`, such as "train"; of `.npz` files the name of the array, of `.ndjson` files
            that of the file without its ending.
        on_error: "skip" leaves out what cannot be used, and names it in one warning; "raise" stops at it.
        fitted: {"points": ..., "longest": ..., "scale": ...}, as a data set has it as its attribute: other
            sketches are read as these.

    Returns:
        A `kerasgan.data.dataset.Dataset`, whose `model_arguments` are points and scale.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    birds = kerasgan.data.sketches("bird.ndjson", recognized=True, stretch=0.15, drop=0.1)
    characters = kerasgan.data.sketches("kanji/", points=64)
    ```
    """
    points, longest, scale = _known(points, longest, scale, fitted)
    if points is not None and not is_whole(points, 2, MOST_POINTS):
        raise ValueError(f"points={points!r} must be a number of rows, 2 to {MOST_POINTS}, or None.")
    most = (MOST_POINTS if points is None else points) - 1
    if longest is not None and not is_whole(longest, 1, most):
        raise ValueError(f"longest={longest!r} must be a number of points, 1 to {most}, or None.")
    if scale is not None and not is_number(scale, 1e-3, FARTHEST):
        raise ValueError(f"scale={scale!r} must be a number of units, 0.001 to {FARTHEST}, or None.")
    if not is_number(simplify, 0, FARTHEST):
        raise ValueError(f"simplify={simplify!r} must be a number of units, 0 or more.")
    for name, share in (("stretch", stretch), ("drop", drop)):
        if not is_number(share, 0, 0.9):
            raise ValueError(f"{name}={share!r} must be a share from 0 to 0.9.")
    check_choices(CHOICES, resize=resize, recognized=recognized, on_error=on_error)
    found, part = _find(source, subset)
    rows = _read_all(found, _Way(simplify, resize, recognized, part), on_error)
    rows, points, longest = _short_enough(rows, points, longest, found.name)
    scale = float(np.concatenate([row[:, :2] for row in rows]).std()) if scale is None else scale
    media = Sketch(points, max(1e-3, scale))

    def finish(rows, draw):
        return _changed(rows, draw, media, stretch, drop)

    known = {"points": media.points, "scale": media.scale}
    return Dataset.of(
        np.stack([media.padded(row) for row in rows]),
        batch_size,
        finish=finish,
        shuffle=shuffle,
        seed=seed,
        plural="sketches",
        model_arguments=known,
        fitted={**known, "longest": longest},
    )


sketches.without_chance = {"stretch": 0.0, "drop": 0.0}  # arguments by which sketches are as they are, for scores


def drawing(path, size=None, simplify=2.0):
    """The strokes of one drawing, as `gan.complete` takes them: a list of float64 arrays (points, 2).

    They are in the units of `sketches`, by which a whole sketch is 255 long. A drawing that is to be completed is
    smaller: how large it is meant to be follows from its paper. On that of an SVG file, a whole sketch would leave
    margins of 8 %, as in the files that kerasgan saves. The units of an `.ndjson` file, and of an SVG file without a
    size of its own, are taken as they are.

    Args:
        path: an `.svg` file, or an `.ndjson` file, of which the first line is read.
        size: units that the longer side of the drawing is to have; None goes by the paper.
        simplify: as of `sketches`.

    Raises:
        FileNotFoundError: `path` is not there.
        ValueError: it holds no drawing; an argument does not fit.
    """
    if size is not None and not is_number(size, 1, FARTHEST):
        raise ValueError(f"size={size!r} must be a number of units, 1 to {FARTHEST}, or None.")
    if not is_number(simplify, 0, FARTHEST):
        raise ValueError(f"simplify={simplify!r} must be a number of units, 0 or more.")
    (path,) = paths_of([path])
    if not path.exists():
        raise FileNotFoundError(f"path={str(path)!r} does not exist; give an .svg or .ndjson file.")
    if path.suffix.lower() not in (".svg", ".ndjson") or not path.is_file():
        raise ValueError(f"path={str(path)!r} is no .svg or .ndjson file.")
    if path.stat().st_size > MOST_BYTES[".svg"]:
        raise ValueError(f"path={str(path)!r} has more than {MOST_BYTES['.svg']:,} bytes: more than one drawing.")
    try:
        with unusable():
            lines, zoom = _one_drawing(path)
            longer = float(np.ptp(np.concatenate(lines), axis=0).max())
            if size is not None and longer:
                zoom = size / longer
            return [simplified(line * zoom, simplify) for line in lines]
    except BadSample as error:
        raise ValueError(f"path={str(path)!r}: {error}.") from None


def _one_drawing(path):
    """The checked lines of a file, and what turns its units into those of `sketches`."""
    content = path.read_bytes()
    if path.suffix.lower() == ".svg":
        edges = paper(content)
        return checked(read_svg(content)), EDGE / ((1 - 2 * MARGIN) * max(edges)) if edges else 1.0
    first = next((line for line in content.splitlines() if line.strip()), b"")
    return checked(_lines_of(files.parse_json(first))), 1.0


def _known(points, longest, scale, fitted):
    """Points, longest and scale, those of `fitted` where they are not given."""
    if fitted is None:
        return points, longest, scale
    if not isinstance(fitted, dict) or not {"points", "scale"} <= set(fitted):
        raise ValueError(f'fitted={short(fitted)} must be {{"points": ..., "scale": ...}}, as the data set has it.')
    if points is None:
        points, longest = fitted["points"], fitted.get("longest") if longest is None else longest
    return points, longest, fitted["scale"] if scale is None else scale


def _find(source, subset):
    """A `FileSource` of the files that may hold sketches, and what is wanted of each, or None for all of it."""
    paths = paths_of(source)
    if not paths:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder, a zip, .svg, .ndjson or .npz file, or "
            "a list of them."
        )
    for path in paths:
        check_path(path, "a folder, a zip file, or a .svg, .ndjson or .npz file", SINGLE)
    found = find_files(paths, ignored=NO_SKETCHES, single=SINGLE)
    names = [found.item_name(item).lower() for item in found.items()]
    if subset is None or all(name.endswith(".npz") for name in names):
        return found, subset
    if any(name.endswith(f"{subset}.ndjson".lower()) for name in names):
        return find_files(paths, ignored=NO_SKETCHES, single=SINGLE), subset
    return find_files(paths, subset, ignored=NO_SKETCHES, single=SINGLE), None


class _Way:
    """How a file becomes sketches; arguments as of `sketches`, and `part`, the name of what is wanted of it."""

    def __init__(self, simplify, resize, recognized, part):
        self.simplify, self.resize, self.recognized, self.part = simplify, resize, recognized, part

    def rows(self, lines):
        """The rows of the lines of a sketch, int16 (n, 3). Raises `BadSample`."""
        lines = checked(lines)
        every = np.concatenate(lines)
        low, size = every.min(axis=0), float(np.ptp(every, axis=0).max())
        zoom = EDGE / size if self.resize and size > 0 else 1.0
        if size * zoom > FARTHEST:
            raise BadSample(f"{size:g} units wide or high: pass resize=True")
        lines = [simplified((line - low) * zoom, self.simplify) for line in lines]
        return Sketch(2).rows(lines)


def checked(lines):
    """Lines as float64 arrays (points, 2); a `BadSample` for what is no sketch."""
    lines = [np.asarray(line, "float64") for line in lines]
    if not lines or not all(line.ndim == 2 and line.shape[1] == 2 and len(line) for line in lines):
        raise BadSample("no strokes of points (x, y)")
    if sum(map(len, lines)) > MOST_IN_A_LINE:
        raise BadSample(f"more than {MOST_IN_A_LINE:,} points: no sketch")
    if not all(np.isfinite(line).all() for line in lines):
        raise BadSample("coordinates that are no numbers")
    return lines


def _read_all(found, way, on_error):
    """The rows of all sketches of a source: a list of int16 arrays (n, 3)."""

    def sketches_of(item):
        name = found.item_name(item)
        ending = name[name.rfind(".") :].lower()
        if ending not in MOST_BYTES:
            raise BadSample("no .svg, .ndjson or .npz file")
        size = found.size(item)
        if size > MOST_BYTES[ending]:
            raise BadSample(f"{size:,} bytes; such files are read up to {MOST_BYTES[ending]:,}")
        if ending == ".svg":
            return [way.rows(read_svg(found.read(item)))], []
        if ending == ".npz":
            return sketches_of_npz(found.read(item), way), []
        if way.part is not None and not name.lower().endswith(f"{way.part}.ndjson".lower()):
            return [], []
        return sketches_of_ndjson(found.read(item), way)

    bad, rows, total = [], [], 0
    for position, (held, unusable_ones) in read_usable(sketches_of, found, bad):
        rows += held
        total += len(held) + len(unusable_ones)
        bad += [(f"{found.item_name(position)}, {where}", why) for where, why in unusable_ones]
    report(bad, len(rows) + len(bad), found.name, on_error, stacklevel=4)
    return rows


def sketches_of_ndjson(content, way):
    """The sketches of the bytes of a file of lines of JSON: a list of rows, and [(line, why)] of lines of no use."""
    rows, bad = [], []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            with unusable():
                held = files.parse_json(line)
                lines = _lines_of(held)
                if way.recognized and not held.get("recognized", True):
                    continue
                rows.append(way.rows(lines))
        except BadSample as why:
            bad.append((f"line {number}", why))
    return rows, bad


def _lines_of(held):
    """The lines of what a line of JSON holds. Raises `BadSample`."""
    if not isinstance(held, dict) or not isinstance(held.get("drawing"), list):
        raise BadSample('no {"drawing": [[[x, ...], [y, ...]], ...]}')
    return [_stroke(stroke) for stroke in held["drawing"]]


def _stroke(stroke):
    """A stroke of QuickDraw, [x, y] or [x, y, time], as points (n, 2)."""
    if not isinstance(stroke, list) or len(stroke) not in (2, 3) or len(stroke[0]) != len(stroke[1]):
        raise BadSample("a stroke that is no [[x, ...], [y, ...]]")
    return np.array(stroke[:2], "float64").T


def sketches_of_npz(content, way):
    """The sketches of the bytes of a `.npz` file: a list of rows. Raises `BadSample`."""
    with unusable():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            declared = sum(info.file_size for info in archive.infolist())
        check_memory(declared, len(content), PACKED)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            held = _array(arrays, way.part)
    if held.ndim != 3 or held.shape[2] != 3 or held.dtype.kind not in "iu":
        raise BadSample(
            f"an array of shape {held.shape} and dtype {held.dtype}; expected whole numbers (sketches, rows, 3)"
        )
    if held.size and (held[..., 2].min() < 0 or held[..., 2].max() > OVER or np.abs(held).max() > FARTHEST):
        raise BadSample("the third number of a row is the pen: 0 draws on, 1 is lifted, 2 is over")
    media = Sketch(max(2, min(held.shape[1], MOST_POINTS)))
    return [way.rows(media.strokes(sketch)) for sketch in held]


def _array(arrays, part):
    name = part or ("sketches" if "sketches" in arrays.files else arrays.files[0] if len(arrays.files) == 1 else None)
    if name not in arrays.files:
        asked = "subset must say which array is wanted" if name is None else f"it has no array {name!r}"
        raise BadSample(f"{asked}; it holds {', '.join(arrays.files[:20])}")
    try:
        return member(arrays, name)
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise BadSample(PICKLED) from None


def simplified(line, tolerance):
    """A line with fewer points, none of which was farther from it than `tolerance` (Ramer, 1972; Douglas & Peucker).

    Args:
        line: float (n, 2).
        tolerance: units; 0 leaves out nothing.

    Returns:
        Some of its points, the first and last among them, in order.
    """
    if tolerance <= 0 or len(line) < 3:
        return line
    kept = np.zeros(len(line), bool)
    kept[[0, -1]] = True
    waiting = [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        distances = _distances(line[first + 1 : last], line[first], line[last])
        farthest = int(distances.argmax())
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            kept[middle] = True
            waiting += [(first, middle), (middle, last)]
    return line[kept]


def _distances(points, start, end):
    """Of points from the straight line between two others; from the first one, where they are the same."""
    way = end - start
    length = np.hypot(*way)
    aside = points - start
    if not length:
        return np.hypot(*aside.T)
    along = np.clip(aside @ way / length**2, 0, 1)[:, None]
    return np.hypot(*(aside - along * way).T)


def _short_enough(rows, points, longest, name):
    """(the sketches of up to `longest` points, rows with room for them, that number of points)."""
    lengths = np.array([len(row) for row in rows])
    allowed = f"points={points}" if longest is None else f"longest={longest}"
    if longest is None:
        usual = min(MOST_POINTS - 1, max(1, int(np.ceil(np.percentile(lengths, USUAL)))))
        longest = usual if points is None else points - 1
    points = min(MOST_POINTS, int(ROOM * longest) + 1) if points is None else points
    fit = [row for row in rows if len(row) <= longest]
    print(f"{len(fit)} sketches of up to {longest} points.")
    if not fit:
        raise ValueError(f"{allowed}: all {len(rows)} sketches of {name} are longer, {lengths.min()} or more.")
    if len(fit) < 0.9 * len(rows):
        warnings.warn(
            f"{len(rows) - len(fit)} of {len(rows)} sketches of {name} are longer than {allowed} allows, and are left "
            "out; a higher `simplify` makes them shorter.",
            stacklevel=3,
        )
    return fit, points, longest


# Changes at random ---------------------------------------------------------------------------------------------------


def _changed(rows, draw, media, stretch, drop):
    """Rows, int16 (batch, points, 3), in model range, changed at random."""
    offsets = tf.cast(rows[..., :2], tf.float32) / media.scale
    pen = tf.cast(rows[..., 2], tf.int32)
    if stretch:
        factors = tf.concat([draw(0), draw(1)], axis=1)  # of width and height
        offsets *= 1.0 + stretch * (2.0 * factors[:, None] - 1.0)
    if drop:
        seeds = tf.cast(draw(2)[:, 0] * 2.0**24, tf.int32)
        drawn = tf.map_fn(
            lambda seed: tf.random.stateless_uniform((media.points,), tf.stack([seed, 0])),
            seeds,
            fn_output_signature=tf.float32,
        )
        offsets, pen = without(offsets, pen, drawn < drop)
    return tf.concat([offsets, tf.one_hot(pen, 3)], axis=2)


def without(offsets, pen, dropped):
    """Sketches without some of the points that lie inside of strokes; the others stay where they are.

    Args:
        offsets: float32 (batch, points, 2).
        pen: int32 (batch, points).
        dropped: bool (batch, points); points behind which the pen is lifted, those that come behind such a one, and the
            last one of a sketch, are kept all the same.

    Returns:
        Offsets and pen, of the same shapes; at the end are more rows that say that the sketch is over.
    """
    before = tf.concat([tf.fill([tf.shape(pen)[0], 1], LIFTED), pen[:, :-1]], axis=1)
    behind = tf.concat([pen[:, 1:], tf.fill([tf.shape(pen)[0], 1], OVER)], axis=1)
    kept = ~dropped | (pen != 0) | (before != 0) | (behind == OVER)
    order = tf.argsort(tf.cast(~kept, tf.int32), axis=1, stable=True)
    positions = tf.gather(tf.cumsum(offsets, axis=1), order, batch_dims=1)
    pen = tf.gather(tf.where(kept, pen, OVER), order, batch_dims=1)
    steps = positions - tf.pad(positions[:, :-1], ((0, 0), (1, 0), (0, 0)))
    return tf.where((pen == OVER)[..., None], 0.0, steps), pen
