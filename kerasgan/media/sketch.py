"""Sketches: what a pen draws, point by point, and where it is lifted."""

import io
import json

import keras
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from kerasgan import files
from kerasgan.checks import is_number, is_whole
from kerasgan.media import markup
from kerasgan.media.image import Image
from kerasgan.media.pictured import Pictured
from kerasgan.media.video import Video

DOWN, LIFTED, OVER = 0, 1, 2  # the pen behind a point: draws on, is lifted, or the sketch is over
MOST_POINTS = 2000  # of a sketch
FARTHEST = 32767  # units that an offset may have
EDGE = 128  # pixels of a picture
MARGIN = 0.08  # of its edge, free on each side
FINER = 4  # times that a picture is drawn larger than it is, for smooth lines
PEN = 0.02  # of the edge, a line's width
INK, PAPER = 20, 255  # grey levels
SECONDS, REST = 2.5, 1.5  # in which a sketch is drawn, and for which it then stays
FRAME_RATE = 20  # pictures a second of a sketch that is being drawn
MOST_DRAWN = 100  # sketches that are drawn side by side


@keras.saving.register_keras_serializable(package="kerasgan")
class Sketch(Pictured):
    """Sketches as sequences of points, each with what the pen does behind it (Ha & Eck, 2017, arXiv:1704.03477).

    For people a sketch is int16 (points, 3): by how much a point is to the right of the one before and below it, and 0
    if the pen draws on to the next point, 1 if it is lifted, 2 if the sketch is over (all rows from there on; their
    offsets are 0). It begins with the pen down at (0, 0), which has no row. `strokes` makes lines of it.

    For the model it is float32 (points, 5): the offsets divided by `scale`, and three numbers of which that of the pen
    is 1, the others 0; of what a network gives, the largest counts.

    A sheet shows each as large as its field, black on white.

    ```python
    sketch = gan.media
    sketch.save(gan.generate(1), "bird.svg")
    sketch.save(gan.generate(16), "birds.webp")  # as they are drawn, side by side
    sketch.save(gan.generate(64), "birds.ndjson")
    ```

    Args:
        points: rows of a sketch, the one that ends it included.
        scale: units that are 1 for the model: the standard deviation of the data's offsets.
    """

    extension = ".svg"
    extensions = (".svg", ".png", ".webp", ".gif", ".ndjson", ".npz", ".zip")
    animated_extensions = (".svg", ".zip", ".webp", ".gif")
    animation_extension = ".gif"
    plural = "sketches"
    singular = "sketch"
    kind = "sketch"
    default_metrics = ("strokes", "pen_lifts", "endless", "drawings_1nn")

    def __init__(self, points, scale=1.0):
        if not is_whole(points, least=2, most=MOST_POINTS):
            raise ValueError(f"points={points!r}: expected a whole number of rows, 2 to {MOST_POINTS}.")
        if not is_number(scale, 1e-3, FARTHEST):
            raise ValueError(f"scale={scale!r}: expected units of an offset, 0.001 to {FARTHEST}.")
        super().__init__((points, 5))
        self.scale = float(scale)

    @property
    def points(self):
        """Rows of a sketch."""
        return self.shape[0]

    def check(self, batch, name="sketches"):
        """Raises a ValueError unless `batch` holds finite floats (batch, points, 5)."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        if batch.ndim == 2 and batch.shape == self.shape:
            return " Add the batch axis: sketches[None]."
        if batch.ndim == 3:
            return f" Read the sketches with points={self.points}, or build the model for others."
        return ""

    def _advice(self, batch):
        return " Read files with kerasgan.data.sketches, or convert rows of whole numbers with gan.media.to_model."

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave as int16 (count, points, 3). Positions are rounded, so that errors do not add up.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        samples = self._finite(samples)
        pen = samples[..., 2:].argmax(axis=2)
        over = np.maximum.accumulate(pen == OVER, axis=1)
        offsets = np.where(over[..., None], 0.0, samples[..., :2].astype("float64"))
        positions = np.rint(np.cumsum(offsets, axis=1) * self.scale)
        steps = np.diff(positions, axis=1, prepend=0.0).clip(-FARTHEST, FARTHEST)
        return np.concatenate([steps, np.where(over, OVER, pen)[..., None]], axis=2).astype("int16")

    def to_model(self, samples):
        """Rows of whole numbers, int (count, points, 3), as float32 (count, points, 5).

        Raises:
            ValueError: floats, or pens other than 0, 1 and 2.
        """
        rows = self._checked(samples)
        pen = rows[..., 2:] == np.arange(3)
        return np.concatenate([rows[..., :2] / self.scale, pen], axis=2).astype("float32")

    def strokes(self, sample):
        """The lines of one sketch, int16 (points, 3): a list of int arrays (points of the line, 2), x and y downwards.

        A line of one point is a dot.
        """
        rows = np.asarray(sample, np.int64)
        rows = rows[: int((rows[:, 2] != OVER).sum())]
        positions = np.concatenate([[[0, 0]], np.cumsum(rows[:, :2], axis=0)])
        lifted = np.flatnonzero(rows[:, 2] == LIFTED) + 2  # behind the point of the row, which is one further
        return [line for line in np.split(positions, lifted) if len(line)]

    def rows(self, lines):
        """The rows of lines, as `strokes` gives them: int16 (points, 3), which may be fewer or more than a sketch has.

        A dot that comes first is drawn as a line from its place to its place: no row says that the pen came down there.

        Args:
            lines: list of arrays (points of the line, 2), in the order in which they are drawn, wherever they are.
        """
        if len(lines[0]) == 1:
            lines = [np.repeat(lines[0], 2, axis=0), *lines[1:]]
        steps = np.diff(np.rint(np.concatenate(lines)).astype("int64"), axis=0).clip(-FARTHEST, FARTHEST)
        pen = np.full(len(steps), DOWN)
        pen[np.cumsum([len(line) for line in lines]) - 2] = LIFTED
        return np.column_stack([steps, pen]).astype("int16")

    def padded(self, rows):
        """Rows, int16 (n, 3), followed by those that say that the sketch is over: int16 (points, 3)."""
        over = np.tile(np.int16([0, 0, OVER]), (self.points - len(rows), 1))
        return np.concatenate([rows, over])

    def described(self):
        """What turns rows into lines: the units of an offset of 1."""
        return {"scale": self.scale}

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None, animated=False):
        """Saves sketches in one file, by its ending.

        - `.svg`: all of them, one path a stroke, in the order in which they are drawn.
        - `.png`: a picture, see `sheet`.
        - `.webp`, `.gif`: the same as an animation, in which all of them are drawn at once, each stroke by stroke, and
          which is repeated for ever.
        - `.ndjson`: a line of JSON a sketch, {"drawing": [[[x, ...], [y, ...]], ...]}, as QuickDraw has them.
        - `.npz`: the array `sketches`, int16 (count, points, 3).
        - `.zip`: each in an `.svg` file of its own, called by its number.

        `kerasgan.data.sketches` reads the last three.

        Args:
            samples: int16 (count, points, 3); of an animation 100 at most.
            path: file to write. Missing folders are made.
            columns: sketches in a row, of `.svg`, `.png` and animations.
            animated: whether the strokes of an SVG file are drawn once, one after the other, when it is opened. It is
                CSS, without a script, and what does not know it shows the whole sketch; so does a device whose user
                wants less motion.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array or too many, another ending, or one that cannot be animated.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        ending = path.suffix.lower()
        if animated:
            self.check_animated(path)
        if ending == ".png":
            return self._save_sheet(samples, path, columns)
        if ending in (".webp", ".gif"):
            return self._save_drawing(samples, path, columns)
        content = self._content(samples, ending, columns, animated)
        with files.atomic(path) as temporary:
            temporary.write_bytes(content)
        return path

    def html(self, samples, columns=None):
        """Sketches as HTML, for notebooks: an SVG picture in which they are drawn, stroke by stroke."""
        samples = self._checked(samples)
        content = self._content(samples, ".svg", columns, animated=True)
        columns = columns or int(np.ceil(np.sqrt(len(samples))))
        return markup.image(content, "image/svg+xml", self.counted(len(samples)), columns * EDGE)

    def _content(self, samples, ending, columns, animated):
        """The bytes of a file."""
        sketches = [self.strokes(sample) for sample in samples]
        if ending == ".svg":
            return svg(sketches, columns, animated).encode()
        if ending == ".ndjson":
            drawings = [{"drawing": [line.T.tolist() for line in placed(lines)]} for lines in sketches]
            return "".join(json.dumps(drawing) + "\n" for drawing in drawings).encode()
        content = io.BytesIO()
        if ending == ".npz":
            np.savez_compressed(content, sketches=samples)
            return content.getvalue()
        files.write_zip(content, [svg([lines], animated=animated).encode() for lines in sketches], ".svg")
        return content.getvalue()

    def _save_drawing(self, samples, path, columns):
        """An animation in which sketches are drawn side by side; all begin, and end, at the same time."""
        if len(samples) > MOST_DRAWN:
            raise ValueError(
                f"samples: {len(samples)} sketches are too many to be drawn side by side in {path.name!r}; give up to "
                f"{MOST_DRAWN}, or save them as .svg or .png."
            )
        drawn, still = round(SECONDS * FRAME_RATE), round(REST * FRAME_RATE)
        shares = np.append(np.linspace(0, 1, drawn + 1)[1:], np.ones(still))
        clips = [np.stack(list(drawing(self.strokes(sample), shares))) for sample in samples]
        video = Video((len(shares), EDGE, EDGE, 1), FRAME_RATE)
        return video.save(np.stack(clips)[..., None], path, columns)

    # Pictures --------------------------------------------------------------------------------------------------------

    def drawings(self, samples, edge):
        """Each sketch as a small picture that it fills, by lines of a pixel: what drawings are compared by.

        Args:
            samples: int16 (count, points, 3).
            edge: pixels.

        Returns:
            float32 (count, edge, edge), from 0 (paper) to 1 (ink).
        """
        drawn = np.stack([picture(self.strokes(sample), edge, 1 / edge) for sample in self._checked(samples)])
        return (PAPER - drawn.astype("float32")) / (PAPER - INK)

    def _pictures(self):
        return Image((EDGE, EDGE, 1))

    def _drawn(self, samples):
        return np.stack([picture(self.strokes(sample)) for sample in samples])[..., None]

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.shape[1:] != (self.points, 3) or not len(samples) or samples.dtype.kind not in "iu":
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected int16 (count, {self.points}, "
                "3), as `generate` and `to_natural` return them."
            )
        if samples[..., 2].min() < DOWN or samples[..., 2].max() > OVER:
            raise ValueError("samples: the third number of a row is the pen: 0 draws on, 1 is lifted, 2 is over.")
        return samples

    def get_config(self):
        return {"points": self.points, "scale": self.scale}


def placed(lines):
    """The lines of a sketch, moved so that its box begins at (0, 0)."""
    corner = np.concatenate(lines).min(axis=0)
    return [line - corner for line in lines]


def picture(lines, edge=EDGE, pen=PEN):
    """A drawing of lines in the middle of a square that it fills, uint8 (edge, edge): dark on white.

    Args:
        lines: list of arrays (points, 2), x and y downwards; one of a single point is a dot.
        edge: pixels.
        pen: width of a line, a share of the edge.
    """
    return next(drawing(lines, [1.0], edge, pen))


def drawing(lines, shares, edge=EDGE, pen=PEN):
    """Pictures of a sketch that is being drawn, as `picture` has it in the end: yields one for each of the shares.

    Args:
        lines, edge, pen: as of `picture`.
        shares: of the pen's way that are behind, see `begun`; none is below the one before.
    """
    large = edge * FINER
    paper = Pillow.new("L", (large, large), PAPER)  # with the lines that are finished
    lines, finished = fitted(lines, large), 0
    for share in shares:
        parts = begun(lines, share)
        while finished < len(parts) - 1:
            _trace(paper, lines[finished], pen)
            finished += 1
        canvas = paper.copy()
        _trace(canvas, parts[-1], pen)
        yield np.asarray(canvas.resize((edge, edge), Pillow.Resampling.BOX))


def _trace(canvas, line, pen):
    """Draws a line, in pixels, with round ends."""
    pencil, radius = ImageDraw.Draw(canvas), max(0.5, pen * canvas.width / 2)
    points = [tuple(point) for point in line.tolist()]
    pencil.line(points, fill=INK, width=max(1, round(2 * radius)), joint="curve")
    for x, y in (points[0], points[-1]):
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)


def begun(lines, share):
    """The lines of a sketch as far as they are drawn when a share, 0 to 1, of the pen's way is behind.

    The pen is as fast on paper as between two lines, where it draws nothing.

    Args:
        lines: list of arrays (points, 2).

    Returns:
        List of arrays (points, 2), as many as have begun; the last may end between two points of its line.
    """
    parts = []
    ways = _ways(lines)
    reached = share * ways[-1][-1]
    for line, way in zip(lines, ways, strict=True):
        passed = int(np.searchsorted(way, reached, side="right"))
        if not passed:
            break
        part = line[:passed]
        if passed < len(line):
            left = (reached - way[passed - 1]) / (way[passed] - way[passed - 1])
            part = np.concatenate([part, [line[passed - 1] + left * (line[passed] - line[passed - 1])]])
        parts.append(part)
    return parts


def _ways(lines):
    """How far the pen has come at each point, from the first one on: a list of arrays (points of the line,)."""
    steps = np.hypot(*np.diff(np.concatenate(lines).astype("float64"), axis=0).T)
    ends = np.cumsum([len(line) for line in lines])
    return np.split(np.concatenate([[0.0], np.cumsum(steps)]), ends[:-1])


def fitted(lines, edge, margin=MARGIN):
    """Lines in pixels of a square, float64: as large as fits inside of its margin, in the middle."""
    points = np.concatenate(lines).astype("float64")
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = (1 - 2 * margin) * edge / max(1.0, (high - low).max())
    return [(line - (low + high) / 2) * zoom + edge / 2 for line in lines]


def svg(sketches, columns=None, animated=False):
    """The text of an SVG file of sketches, lists of lines: a group a sketch, a path a stroke; see `Sketch.save`."""
    columns = columns or int(np.ceil(np.sqrt(len(sketches))))
    rows = -(-len(sketches) // columns)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * EDGE} {rows * EDGE}" fill="none" '
        f'stroke="black" stroke-width="{PEN * EDGE:g}" stroke-linecap="round" stroke-linejoin="round">'
    ]
    parts += [_ANIMATION] if animated else []
    for number, lines in enumerate(sketches):
        row, column = divmod(number, columns)
        times = _times(lines) if animated else [""] * len(lines)
        parts.append(f'<g transform="translate({column * EDGE} {row * EDGE})">')
        parts += [f'<path d="{_path(line)}"{time}/>' for line, time in zip(fitted(lines, EDGE), times, strict=True)]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


# A stroke is a dash that grows from nothing to the length of its path, which counts as 1. It is transparent at first,
# for round ends make a dot of nothing. Without the animation, and behind it, paths have no dashes.
_ANIMATION = """<style>
@keyframes draw {
  from { stroke-dasharray: 0 2; opacity: 0 }
  1% { opacity: 1 }
  to { stroke-dasharray: 1 2; opacity: 1 }
}
@media (prefers-reduced-motion: no-preference) {
  path { animation: draw linear backwards }
}
</style>"""
_LEAST_SECONDS = 0.01  # of a stroke, also of a dot


def _times(lines):
    """The attributes of the paths of a sketch that say when each is drawn, a list of strings."""
    ways = _ways(lines)
    pace = SECONDS / max(ways[-1][-1], 1e-9)
    times = [(pace * way[0], max(_LEAST_SECONDS, pace * (way[-1] - way[0]))) for way in ways]
    return [
        f' pathLength="1" style="animation-delay:{begins:.3f}s;animation-duration:{lasts:.3f}s"'
        for begins, lasts in times
    ]


def _path(line):
    """A line as the data of a path; a dot as a line that does not leave its place, which round ends make visible."""
    line = line if len(line) > 1 else np.repeat(line, 2, axis=0)
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in line)
