"""One SVG file -> the lines that a pen would draw (Scalable Vector Graphics 2, W3C, chapters 7, 9 and 10).

Paths and basic shapes are followed with their transformations; curves become short straight lines. Colours, widths,
texts, pictures and what is only defined are passed over. Nothing is fetched and nothing is run: the XML parser knows of
no file but the one that it reads, scripts are no shapes, and a file that declares entities, which may grow without
bound, is refused. What a file may cost is bounded.
"""

import math
import re
from xml.parsers import expat

import numpy as np

from kerasgan.data.files import BadSample, unusable

MOST_DEEP = 100  # elements inside of each other
MOST_LINES = 5_000
MOST_POINTS = 100_000
SEGMENTS = 16  # straight lines of a curve, or of a quarter of a circle
SPACE = "http://www.w3.org/2000/svg"
HIDDEN = {  # elements that draw nothing themselves, whatever is in them
    *("defs", "symbol", "clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient", "filter"),
    *("script", "style", "text", "title", "desc", "metadata", "foreignObject", "image"),
}

_NUMBER = re.compile(r"[\s,]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_FLAG = re.compile(r"[\s,]*([01])")
_COMMAND = re.compile(r"[\s,]*([MmZzLlHhVvCcSsQqTtAa])")
_TRANSFORM = re.compile(r"[\s,]*(\w+)\s*\(([^()]*)\)")
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:px)?\s*$")


def read_svg(content):
    """The lines of the bytes of an SVG file, in the order of the file. Raises `BadSample`.

    Returns:
        List of float64 arrays (points of the line, 2), x to the right and y down, in the units of the file.
    """
    with unusable():
        reading = _Reading()
        _parse(content, reading.start, reading.end)
        if not reading.lines:
            raise BadSample("no lines: it has no path, line, polyline, polygon, rect, circle or ellipse")
        if not all(np.isfinite(line).all() for line in reading.lines):
            raise BadSample("coordinates that are no numbers")
        return reading.lines


def paper(content):
    """Width and height of the paper of the bytes of an SVG file: of its view box, or as it says. Raises `BadSample`.

    Returns:
        (width, height) in the units of the file, or None where it does not say them in these.
    """
    roots = []
    with unusable():
        _parse(content, lambda tag, attributes: roots or roots.append(attributes), lambda tag: None)
        (root,) = roots
        box = _NUMBER.findall(root.get("viewBox", ""))
        width, height = box[2:] if len(box) == 4 else (_length(root.get(name, "")) for name in ("width", "height"))
        size = (float(width or 0), float(height or 0))
        return size if 0 < min(size) and max(size) < math.inf else None


def _length(text):
    """The number of units that an attribute says; None for what it says otherwise, such as "100%"."""
    number = _LENGTH.match(text)
    return number and number[1]


def _parse(content, start, end):
    """Calls `start(tag, attributes)` and `end(tag)` for the elements of a file."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = _refuse
    parser.Parse(content, True)


def _refuse(name, *_):
    raise BadSample(f"it declares the entity {name[:40]!r}, and entities are not read")


class _Reading:
    """What was found so far: `lines`, and the transformations of the elements that are open."""

    def __init__(self):
        self.lines, self._points, self._transforms, self._hidden = [], 0, [np.eye(3)], 0

    def start(self, tag, attributes):
        space, _, name = tag.rpartition(" ")
        if len(self._transforms) > MOST_DEEP:
            raise BadSample(f"more than {MOST_DEEP} elements inside of each other")
        if self._hidden or name in HIDDEN or attributes.get("display") == "none":
            self._hidden += 1
            return
        matrix = self._transforms[-1] @ transform(attributes.get("transform", ""))
        self._transforms.append(matrix)
        if name in SHAPES and space in ("", SPACE):
            for line in SHAPES[name](attributes):
                with np.errstate(invalid="ignore"):  # of what is infinite, which is found later
                    moved = np.asarray(line, "float64") @ matrix[:2, :2].T + matrix[:2, 2]
                self._add(moved)

    def end(self, tag):
        if self._hidden:
            self._hidden -= 1
        else:
            self._transforms.pop()

    def _add(self, line):
        self._points += len(line)
        self.lines.append(line)
        if len(self.lines) > MOST_LINES or self._points > MOST_POINTS:
            raise BadSample(f"more than {MOST_LINES:,} lines or {MOST_POINTS:,} points: no sketch")


def transform(text):
    """The matrix, float64 (3, 3), of the attribute `transform`. Raises `BadSample`."""
    matrix, place = np.eye(3), 0
    while found := _TRANSFORM.match(text, place):
        name, numbers = found[1], [float(number) for number in _NUMBER.findall(found[2])]
        if name not in _MATRICES:
            raise BadSample(f"unknown transformation {name[:40]!r}")
        matrix, place = matrix @ _MATRICES[name](*numbers), found.end()
    if text[place:].strip():
        raise BadSample(f"transform={text[:40]!r} is not understood")
    return matrix


def _matrix(a, b, c, d, e, f):
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]])


def _rotate(angle, x=0.0, y=0.0):
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    there, back = _matrix(1, 0, 0, 1, x, y), _matrix(1, 0, 0, 1, -x, -y)
    return there @ _matrix(cos, sin, -sin, cos, 0, 0) @ back


_MATRICES = {
    "matrix": _matrix,
    "translate": lambda x, y=0.0: _matrix(1, 0, 0, 1, x, y),
    "scale": lambda x, y=None: _matrix(x, 0, 0, x if y is None else y, 0, 0),
    "rotate": _rotate,
    "skewX": lambda angle: _matrix(1, 0, math.tan(math.radians(angle)), 1, 0, 0),
    "skewY": lambda angle: _matrix(1, math.tan(math.radians(angle)), 0, 1, 0, 0),
}

# Shapes, each from its attributes to a list of lines -----------------------------------------------------------------


def _lengths(attributes, *names):
    """Attributes as numbers; 0 where they are missing."""
    found = []
    for name in names:
        text = attributes.get(name, "0")
        number = _LENGTH.match(text)
        if not number:
            raise BadSample(f"{name}={text[:40]!r} is no number of units")
        found.append(float(number[1]))
    return found


def _line(attributes):
    x1, y1, x2, y2 = _lengths(attributes, "x1", "y1", "x2", "y2")
    return [[(x1, y1), (x2, y2)]]


def _polyline(attributes):
    numbers = [float(number) for number in _NUMBER.findall(attributes.get("points", ""))]
    points = list(zip(numbers[::2], numbers[1::2], strict=False))
    return [points] if points else []


def _polygon(attributes):
    return [[*points, points[0]] for points in _polyline(attributes)]


def _rect(attributes):
    x, y, width, height = _lengths(attributes, "x", "y", "width", "height")
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return [corners] if width > 0 and height > 0 else []


def _circle(attributes):
    return _oval(*_lengths(attributes, "cx", "cy", "r", "r"))


def _ellipse(attributes):
    return _oval(*_lengths(attributes, "cx", "cy", "rx", "ry"))


def _oval(x, y, width, height):
    if width <= 0 or height <= 0:
        return []
    angles = np.linspace(0, 2 * np.pi, 4 * SEGMENTS + 1)
    return [np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)]


def _path(attributes):
    return _Path(attributes.get("d", "")).lines


SHAPES = {
    "path": _path,
    "line": _line,
    "polyline": _polyline,
    "polygon": _polygon,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
}


class _Path:
    """The lines of the data of a path."""

    def __init__(self, text):
        self.lines, self._text, self._place = [], text, 0
        self._at = self._began = np.zeros(2)
        self._control = None  # (commands that may mirror it, the last control point)
        self._points, self._is_closed = 0, False
        command = self._next(_COMMAND)
        if command not in (None, "M", "m"):
            raise BadSample(f"a path begins with {command!r} instead of M")
        while command:
            self._draw(command)
            self._check()
            # More numbers repeat the command; of a move, they are lines.
            again = _NUMBER.match(self._text, self._place) and command not in "Zz"
            command = {"M": "L", "m": "l"}.get(command, command) if again else self._next(_COMMAND)

    def _check(self):
        if len(self.lines) > MOST_LINES or self._points > MOST_POINTS:
            raise BadSample(f"more than {MOST_LINES:,} lines or {MOST_POINTS:,} points: no sketch")

    def _next(self, pattern):
        found = pattern.match(self._text, self._place)
        if not found:
            if pattern is _COMMAND and not self._text[self._place :].strip():
                return None
            raise BadSample(f"the data of a path are wrong at {self._text[self._place : self._place + 20]!r}")
        self._place = found.end()
        return found[1]

    def _number(self):
        return float(self._next(_NUMBER))

    def _point(self, command):
        """The next point, by a capital letter from the origin, else from where the pen is."""
        point = np.array([self._number(), self._number()])
        return point if command.isupper() else self._at + point

    def _draw(self, command):
        kind, before, self._control = command.upper(), self._control, None
        if kind == "M":
            self._at = self._began = self._point(command)
            self.lines.append([self._at])
            self._is_closed = False
        elif kind == "Z":
            self._to([self._began])
            self._is_closed = True  # what comes without a move begins here, as a line of its own
        elif kind == "L":
            self._to([self._point(command)])
        elif kind in "HV":
            axis, point = "HV".index(kind), self._at.copy()
            point[axis] = self._number() + (0 if command.isupper() else point[axis])
            self._to([point])
        elif kind == "A":
            radii, angle = (self._number(), self._number()), self._number()
            flags = self._next(_FLAG) == "1", self._next(_FLAG) == "1"
            self._to(arc(self._at, radii, angle, *flags, self._point(command)))
        else:
            self._curve(kind, command, before)

    def _curve(self, kind, command, before):
        """A Bezier curve; S and T begin with the mirror image of the control point of the curve before."""
        points = [self._at]
        if kind in "ST":
            like, control = before or (None, None)
            points.append(2 * self._at - control if like == kind else self._at)
        points += [self._point(command) for _ in range({"C": 3, "S": 2, "Q": 2, "T": 1}[kind])]
        self._control = ("S" if kind in "CS" else "T", points[-2])
        self._to(bezier(points))

    def _to(self, points):
        if self._is_closed:
            self.lines.append([self._at])
        self._is_closed = False
        self.lines[-1].extend(points)
        self._points += len(points)
        self._at = np.asarray(points[-1])


def bezier(points):
    """Points of a Bezier curve of three or four control points, without the first: list of arrays (2,)."""
    points = np.asarray(points, "float64")
    order = len(points) - 1
    along = np.linspace(0, 1, SEGMENTS + 1)[1:, None]
    weights = [math.comb(order, k) * along**k * (1 - along) ** (order - k) for k in range(order + 1)]
    return list(sum(weight * point for weight, point in zip(weights, points, strict=True)))


def arc(start, radii, angle, large, sweep, end):
    """Points of an elliptical arc without its start: list of arrays (2,) (SVG 2, appendix B.2.4)."""
    rx, ry = (abs(radius) for radius in radii)
    if not rx or not ry or np.array_equal(start, end):
        return [end]
    turn = math.radians(angle)
    turned = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    x, y = turned @ (start - end) / 2
    too_small = math.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = rx * too_small, ry * too_small
    free = (rx * ry) ** 2 - (rx * y) ** 2 - (ry * x) ** 2
    reach = math.sqrt(max(0.0, free / ((rx * y) ** 2 + (ry * x) ** 2))) * (-1 if large == sweep else 1)
    middle = np.array([reach * rx * y / ry, -reach * ry * x / rx])
    first = math.atan2((y - middle[1]) / ry, (x - middle[0]) / rx)
    last = math.atan2((-y - middle[1]) / ry, (-x - middle[0]) / rx)
    way = (last - first) % (2 * math.pi) - (0 if sweep else 2 * math.pi)
    angles = first + way * np.linspace(0, 1, 2 * SEGMENTS + 1)[1:]
    places = np.stack([middle[0] + rx * np.cos(angles), middle[1] + ry * np.sin(angles)], axis=1)
    places = places @ turned + (start + end) / 2
    places[-1] = end
    return list(places)
