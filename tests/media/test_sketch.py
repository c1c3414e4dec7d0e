"""Sketches: rows, lines, files and pictures, of examples that are written out."""

import json
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import pytest
from PIL import Image as Pillow

from kerasgan.data.svg import read_svg
from kerasgan.media import Image, Sketch
from kerasgan.media.sketch import begun, picture

# An L from (0, 0) down and to the right, then a dot above of its end; the sixth row would be of a longer sketch.
ROWS = np.int16([[0, 40, 0], [30, 0, 1], [0, -20, 1], [0, 0, 2], [0, 0, 2], [0, 0, 2]])
LINES = [[[0, 0], [0, 40], [30, 40]], [[30, 20]]]
MODEL = np.float32([[0, 4, 1, 0, 0], [3, 0, 0, 1, 0], [0, -2, 0, 1, 0], *[[0, 0, 0, 0, 1]] * 3])


@pytest.fixture
def sketch():
    return Sketch(6, scale=10)


def test_rows_are_those_of_the_model(sketch):
    np.testing.assert_array_equal(sketch.to_model(ROWS[None]), MODEL[None])
    np.testing.assert_array_equal(sketch.to_natural(MODEL[None]), ROWS[None])
    assert sketch.to_natural(MODEL[None]).dtype == np.int16


def test_lines(sketch):
    assert [line.tolist() for line in sketch.strokes(ROWS)] == LINES
    np.testing.assert_array_equal(sketch.padded(sketch.rows([np.array(line) + 7 for line in LINES])), ROWS)
    dots = [np.array([[5.0, 5.0]]), np.array([[9.0, 5.0]])]
    np.testing.assert_array_equal(sketch.rows(dots), [[0, 0, 1], [4, 0, 1]])
    never = np.int16([[1, 0, 0]] * 6)  # is not over, nor lifted
    assert [line.tolist() for line in sketch.strokes(never)] == [[[x, 0] for x in range(7)]]
    empty = np.int16([[0, 0, 2]] * 6)  # over at once: where the pen came down
    assert [line.tolist() for line in sketch.strokes(empty)] == [[[0, 0]]]


def test_what_comes_behind_the_end_does_not_count(sketch):
    scribbled = MODEL.copy()
    scribbled[4:] = [9, 9, 1, 0, 0]
    np.testing.assert_array_equal(sketch.to_natural(scribbled[None]), ROWS[None])


def test_rounding_does_not_add_up():
    sketch = Sketch(101)
    thirds = np.tile(np.float32([1 / 3, -1 / 3, 1, 0, 0]), (1, 101, 1))
    positions = sketch.strokes(sketch.to_natural(thirds)[0])[0]
    assert np.abs(positions - np.outer(np.arange(102), [1 / 3, -1 / 3])).max() <= 0.51


def test_an_svg_has_a_path_a_stroke(sketch, tmp_path):
    root = ElementTree.parse(sketch.save(ROWS[None], tmp_path / "one.svg")).getroot()
    space = "{http://www.w3.org/2000/svg}"
    paths = [path.get("d") for path in root.iter(f"{space}path")]
    assert root.get("viewBox") == "0 0 128 128" and len(paths) == 2
    points = np.array([pair.split() for pair in paths[0][1:].split("L")], float)
    zoom = 128 * 0.84 / 40  # the longer side of its box, within margins of 8 %
    np.testing.assert_allclose(points, (np.array(LINES[0]) - [15, 20]) * zoom + 64, atol=0.01)


def test_ndjson_is_that_of_quickdraw(sketch, tmp_path):
    lines = sketch.save(np.stack([ROWS, ROWS]), tmp_path / "two.ndjson").read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["drawing"] == [[[0, 0, 30], [0, 40, 40]], [[30], [20]]]


def test_other_files(sketch, tmp_path):
    with np.load(sketch.save(ROWS[None], tmp_path / "one.npz"), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["sketches"], ROWS[None])
    with zipfile.ZipFile(sketch.save(np.stack([ROWS] * 11), tmp_path / "all.zip")) as archive:
        assert archive.namelist()[0] == "01.svg" and len(archive.namelist()) == 11
    with Pillow.open(sketch.save(np.stack([ROWS] * 4), tmp_path / "sheet.png")) as sheet:
        assert sheet.mode == "L" and sheet.size[0] >= 2 * 128


def test_a_picture_is_dark_where_lines_are():
    drawn = picture([np.array([[0, 0], [100, 0]]), np.array([[50, 50]])], edge=50)
    assert drawn.shape == (50, 50)
    dark = np.argwhere(drawn < 128)
    across = dark[dark[:, 0] < 25]  # the line, above the middle: from margin to margin
    assert abs(across[:, 1].min() - 4) <= 1 and abs(across[:, 1].max() - 46) <= 1
    dot = dark[dark[:, 0] >= 25]
    assert len(dot) and np.abs(dot.mean(axis=0) - [35.5, 24.5]).max() < 1.5


def test_drawings_of_one_form_are_the_same_wherever_and_however_they_are_drawn():
    """A cross larger, and with its strokes the other way around: as pictures, there is no difference."""
    cross = np.int16([[10, 0, 1], [-5, -5, 0], [0, 10, 1], *[[0, 0, 2]] * 3])
    line = np.int16([[1, 0, 0]] * 6)
    larger = np.int16(cross) * [3, 3, 1]
    other = np.int16([[0, 10, 1], [-5, -5, 0], [10, 0, 1], *[[0, 0, 2]] * 3])
    first, *others, line = Sketch(6).drawings(np.stack([cross, larger, other, line]), 32)
    assert first.shape == (32, 32) and first.min() == 0 and 0.9 < first.max() <= 1
    for drawn in others:
        assert np.abs(drawn - first).max() < 0.05
    assert np.abs(line - first).mean() > 0.015
    assert first[16, 4:28].min() > 0.4 and first[4:28, 16].min() > 0.4  # both strokes, across the middle


@pytest.mark.parametrize(
    ("way", "lines"),
    [  # the L is 40 and 30 long, and from its end it is 20 to the dot
        (20, [[[0, 0], [0, 20]]]),
        (45, [[[0, 0], [0, 40], [5, 40]]]),
        (80, [[[0, 0], [0, 40], [30, 40]]]),
        (90, LINES),
    ],
)
def test_how_far_a_pen_has_come(way, lines):
    found = begun([np.array(line) for line in LINES], way / 90)
    assert len(found) == len(lines)
    for line, expected in zip(found, lines, strict=True):
        np.testing.assert_allclose(line, expected, atol=1e-9)


def test_a_sketch_of_one_point_is_there_at_once():
    (line,) = begun([np.array([[3, 4]])], 0.1)
    np.testing.assert_array_equal(line, [[3, 4]])


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_an_animation_shows_sketches_as_they_are_drawn(sketch, ending, tmp_path):
    samples = np.stack([ROWS, np.int16([[40, 0, 0], [0, 30, 1], [-40, 0, 1], *[[0, 0, 2]] * 3])])
    path = sketch.save(samples, tmp_path / f"a{ending}", columns=2)
    with Pillow.open(path) as film:
        assert film.info["loop"] == 0 and film.size == (2 * 128 + 2, 128)
        frames = []  # 20 a second: one that equals the one before is shown for longer
        for number in range(film.n_frames):
            film.seek(number)
            film.load()
            frames += [np.asarray(film.convert("L"), int)] * (film.info["duration"] // 50)
    assert len(frames) == 80  # 2.5 seconds of drawing, 1.5 of rest
    ink = np.array([[(255 - frame[:, part]).sum() for part in np.s_[:128, 130:]] for frame in frames])
    assert (ink[0] < 0.15 * ink[-1]).all() and (np.diff(ink[::5], axis=0) >= 0).all()
    for half, sample in zip(np.s_[:128, 130:], samples, strict=True):
        whole = picture(sketch.strokes(sample)).astype(int)
        np.testing.assert_array_equal(frames[-1][:, half], whole)
    x, y = (30 - 15) * 128 * 0.84 / 40 + 64, 64  # the dot, in the middle of the height
    assert frames[45][y, round(x)] == 255 and frames[-1][y, round(x)] < 64


def test_an_animated_svg_says_when_each_stroke_is_drawn(sketch, tmp_path):
    """At an even pace: of a way of 90 in 2.5 seconds, the first stroke takes 70; the dot waits until the end."""
    still, path = (sketch.save(ROWS[None], tmp_path / f"{moves}.svg", animated=moves) for moves in (False, True))
    space = "{http://www.w3.org/2000/svg}"
    paths = [list(ElementTree.parse(one).getroot().iter(f"{space}path")) for one in (still, path)]
    assert [one.get("d") for one in paths[0]] == [one.get("d") for one in paths[1]]
    assert [one.get("style") for one in paths[1]] == [
        "animation-delay:0.000s;animation-duration:1.944s",
        "animation-delay:2.500s;animation-duration:0.010s",
    ]
    assert "script" not in path.read_text() and "@keyframes" not in still.read_text()
    for line, other in zip(read_svg(still.read_bytes()), read_svg(path.read_bytes()), strict=True):
        np.testing.assert_array_equal(line, other)


def test_what_cannot_be_animated(sketch, tmp_path):
    for ending in (".png", ".ndjson"):
        with pytest.raises(ValueError, match=r"does not show how .* that do end in .svg, .zip, .webp, .gif"):
            sketch.save(ROWS[None], tmp_path / f"a{ending}", animated=True)
    with pytest.raises(ValueError, match="--animated: 'a.png' .* no file of images does"):
        Image((8, 8, 1)).check_animated(tmp_path / "a.png", "--animated")
    with pytest.raises(ValueError, match="101 sketches are too many to be drawn side by side in 'a.gif'"):
        sketch.save(np.stack([ROWS] * 101), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (ROWS, r"shape \(6, 3\)"),
        (ROWS[None].astype("float32"), "dtype float32; expected int16"),
        (ROWS[None, :4], r"expected int16 \(count, 6, 3\)"),
        (ROWS[None] + np.int16([0, 0, 1]), "third number of a row is the pen"),
    ],
)
def test_wrong_rows_are_refused(sketch, wrong, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        sketch.save(wrong, tmp_path / "a.svg")
    with pytest.raises(ValueError, match=message):
        sketch.to_model(wrong)


@pytest.mark.parametrize("arguments", [(1,), (2.5,), (10**6,), (8, 0), (8, "1"), (8, float("nan"))])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="expected"):
        Sketch(*arguments)
