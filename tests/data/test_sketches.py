"""Reading sketches: of files that are written out, by values that follow from them."""

import json
import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import cli
from kerasgan.data.pickled import to_ndjson
from kerasgan.data.sketches import drawing, simplified, sketches, without
from kerasgan.media import Sketch

SQUARE = [[[0, 0, 10, 10, 0], [0, 10, 10, 0, 0]]]  # a stroke of four sides
CROSS = [[[0, 20], [10, 10]], [[10, 10], [0, 20]]]  # two strokes
LONG = [[list(range(0, 400, 10)), [0, 50] * 20]]


def ndjson(path, *drawings, **more):
    path.write_text("".join(json.dumps({"word": "x", "drawing": one, **more}) + "\n" for one in drawings))
    return path


@pytest.fixture
def drawn(tmp_path):
    return ndjson(tmp_path / "a.ndjson", SQUARE, CROSS)


def rows(data):
    """All rows in the order of the file, in natural units."""
    media = Sketch(**data.model_arguments)
    return np.concatenate([media.to_natural(batch) for batch in data.as_numpy_iterator()])


def test_rows_of_quickdraws_drawings(drawn):
    """Each as large as 255 units; rows are offsets between points, and what the pen does behind."""
    data = sketches(drawn, 5, batch_size=2, shuffle=False)
    over = [0, 0, 2]
    square = [[0, 255, 0], [255, 0, 0], [0, -255, 0], [-255, 0, 1], over]
    cross = [[255, 0, 1], [-128, -128, 0], [0, 255, 1], over, over]
    assert data.count == 2 and data.fitted["longest"] == 4  # 95 % of 4 and 3 points, rounded up
    np.testing.assert_array_equal(rows(data)[0], square)
    assert np.abs(rows(data)[1] - cross).max() <= 1  # 127.5 is rounded
    offsets = np.array([*square[:4], *cross[:3]])[:, :2]
    assert data.fitted["scale"] == pytest.approx(offsets.std(), rel=0.01)


def test_offsets_are_divided_by_the_scale(drawn):
    data = sketches(drawn, 6, 1, shuffle=False, scale=50.0)
    first = next(data.as_numpy_iterator())
    assert first.shape == (1, 6, 5) and first.dtype == np.float32
    np.testing.assert_allclose(first[0, :2], [[0, 5.1, 1, 0, 0], [5.1, 0, 1, 0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(first[0, 4:, 2:], [[0, 0, 1]] * 2)


def test_other_data_are_read_by_what_was_fitted(drawn, tmp_path):
    fitted = json.loads(json.dumps(sketches(drawn, batch_size=1).fitted))
    other = sketches(ndjson(tmp_path / "b.ndjson", CROSS), batch_size=1, fitted=fitted)
    assert other.fitted == fitted and other.model_arguments == {name: fitted[name] for name in ("points", "scale")}
    with pytest.raises(ValueError, match="fitted=.*must be"):
        sketches(drawn, batch_size=1, fitted={"points": 5})


def test_units_stay_without_resize(drawn):
    data = sketches(drawn, batch_size=2, shuffle=False, resize=False, simplify=0)
    np.testing.assert_array_equal(rows(data)[1, :3], [[20, 0, 1], [-10, -10, 0], [0, 20, 1]])


def test_one_sketch_in_every_form(tmp_path):
    """SVG, raw QuickDraw with times, and our own array are the same rows; a zip is read as a folder."""
    media = Sketch(8)
    lines = [np.array(stroke).T for stroke in CROSS]
    np.savez(tmp_path / "c.npz", sketches=media.padded(media.rows(lines))[None])
    ndjson(tmp_path / "b.ndjson", [[*stroke, [0, 7]] for stroke in CROSS])
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 10H20"/><line x1="10" y1="0" x2="10" y2="20"/></svg>'
    )
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("a.svg", "b.ndjson", "c.npz"):
            archive.write(tmp_path / name, f"folder/{name}")
    data = sketches(tmp_path / "all.zip", 6, 3, shuffle=False, resize=False)
    first, *others = rows(data)
    assert len(others) == 2 and first[:3].tolist() == [[20, 0, 1], [-10, -10, 0], [0, 20, 1]]
    for other in others:
        np.testing.assert_array_equal(first, other)
    for name in ("a.svg", "b.ndjson", "c.npz"):
        np.testing.assert_array_equal(rows(sketches(tmp_path / name, 6, 1, resize=False))[0], first)


@pytest.mark.parametrize("ending", [".ndjson", ".npz", ".zip"])
def test_what_is_saved_is_read(ending, tmp_path):
    media = Sketch(6, 50.0)
    saved = np.int16([[[255, 0, 1], [-100, 40, 0], [0, -40, 1], *[[0, 0, 2]] * 3]])
    data = sketches(media.save(saved, tmp_path / f"a{ending}"), 6, 1, scale=50.0)
    assert np.abs(rows(data) - saved).max() <= 1  # SVG has two digits


def test_subsets(tmp_path):
    ndjson(tmp_path / "train.ndjson", SQUARE, SQUARE)
    ndjson(tmp_path / "test.ndjson", CROSS)
    assert sketches(tmp_path, batch_size=1, subset="train").count == 2
    assert sketches(tmp_path, batch_size=1).count == 3
    array = Sketch(6).padded(np.int16([[9, 0, 0], [0, 9, 1]]))[None]
    np.savez(tmp_path / "a.npz", train=array, test=np.repeat(array, 3, axis=0))
    assert sketches(tmp_path / "a.npz", batch_size=1, subset="test").count == 3
    with pytest.raises(ValueError, match="subset must say which array is wanted; it holds train, test"):
        sketches(tmp_path / "a.npz", batch_size=1)
    with pytest.raises(ValueError, match="it has no array 'valid'"):
        sketches(tmp_path / "a.npz", batch_size=1, subset="valid")


def test_recognized_ones(tmp_path):
    path = ndjson(tmp_path / "a.ndjson", SQUARE, recognized=True)
    path.write_text(path.read_text() + ndjson(tmp_path / "b.ndjson", CROSS, CROSS, recognized=False).read_text())
    assert sketches(path, batch_size=1).count == 3
    assert sketches(path, batch_size=1, recognized=True).count == 1


def test_there_is_room_to_stop(tmp_path):
    """Half as many rows again as the longest sketch has points, and one that ends it; other data have as many."""
    path = ndjson(tmp_path / "a.ndjson", *[SQUARE] * 4)
    data = sketches(path, batch_size=1)
    assert data.fitted["longest"] == 4 and data.fitted["points"] == 7
    assert data.model_arguments == {"points": 7, "scale": data.fitted["scale"]}
    other = ndjson(tmp_path / "b.ndjson", SQUARE, LONG)
    with pytest.warns(UserWarning, match="1 of 2 sketches .* are longer than longest=4"):
        assert sketches(other, batch_size=1, fitted=data.fitted).count == 1
    assert sketches(other, 40, 1, fitted=data.fitted).fitted["longest"] == 39  # points that are given decide


def test_long_ones_are_left_out(tmp_path):
    path = ndjson(tmp_path / "a.ndjson", *[SQUARE] * 8, *[LONG] * 2)
    with pytest.warns(UserWarning, match="2 of 10 sketches .* are longer than points=6"):
        assert sketches(path, 6, 1).count == 8
    with pytest.warns(UserWarning, match="2 of 10 sketches .* are longer than longest=5"):
        assert sketches(path, 12, 1, longest=5).fitted.items() > {"points": 12, "longest": 5}.items()
    assert sketches(path, batch_size=1).count == 10  # 95 % need more than the short ones have
    with pytest.raises(ValueError, match="points=3: all 10 sketches .* are longer, 4 or more"):
        sketches(path, 3, 1)


def test_simplified_lines():
    """Ramer's example by hand: of a zigzag of one unit, 0.9 keeps all and 1.1 the ends; a corner stays."""
    zigzag = np.array([[0, 0], [5, 1], [10, 0]], float)
    assert len(simplified(zigzag, 0.9)) == 3 and len(simplified(zigzag, 1.1)) == 2
    corner = np.concatenate([np.stack([np.arange(11), np.zeros(11)], 1), np.stack([[10] * 10, np.arange(1, 11)], 1)])
    np.testing.assert_array_equal(simplified(corner.astype(float), 0.5), [[0, 0], [10, 0], [10, 10]])
    closed = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], float)
    np.testing.assert_array_equal(simplified(closed, 1.0), closed)
    np.testing.assert_array_equal(simplified(corner.astype(float), 0), corner)


def test_no_point_that_is_left_out_was_farther_away():
    line = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
    kept = simplified(line, 2.0)
    assert 2 < len(kept) < 150
    along = np.linspace(0, 1, 101)[:, None, None]
    dense = (kept[:-1] + along * (kept[1:] - kept[:-1])).reshape(-1, 2)
    assert np.hypot(*(line[:, None] - dense).transpose(2, 0, 1)).min(axis=1).max() < 2.1


def test_dropped_points_leave_the_others_in_their_place():
    offsets = tf.constant([[[1, 0], [1, 1], [2, 0], [5, 5], [1, 0], [0, 0]]], tf.float32)
    pen = tf.constant([[0, 0, 1, 0, 0, 2]])  # a stroke of three, then one that is not lifted; the end
    steps, left = without(offsets, pen, tf.fill((1, 6), True))
    # The first point of a stroke behind the pen's way down, the one where it is lifted, and the last: the second goes.
    np.testing.assert_array_equal(steps[0], [[1, 0], [3, 1], [5, 5], [1, 0], [0, 0], [0, 0]])
    np.testing.assert_array_equal(left[0], [0, 1, 0, 0, 2, 2])
    steps, left = without(offsets, pen, tf.fill((1, 6), False))
    np.testing.assert_array_equal(steps, offsets)
    np.testing.assert_array_equal(left, pen)


def test_changes_at_random(drawn):
    """Stretched by a share each way, the same again with the seed, others in the next epoch; shorter with dropping."""

    def epochs(count, **changes):
        data = sketches(drawn, 6, 1, shuffle=False, seed=1, scale=1.0, **changes)
        return np.concatenate([batch for _ in range(count) for batch in data.as_numpy_iterator()])

    stretched = epochs(3, stretch=0.2)
    np.testing.assert_array_equal(stretched[:2], epochs(1, stretch=0.2))
    assert not np.array_equal(stretched[:2], stretched[2:4])
    sides = np.stack([stretched[::2, 1, 0], stretched[::2, 0, 1]]) / 255  # of the squares: to the right, and down
    assert 0.79 < sides.min() < sides.max() < 1.21 and (sides[0] != sides[1]).all()
    shorter = epochs(8, drop=0.5)
    assert (shorter[..., 2:].sum(axis=2) == 1).all()
    lengths = (shorter[..., 4] == 0).sum(axis=1).reshape(8, 2)  # of four points, the two in the middle may go; of three
    assert set(lengths[:, 0]) >= {3, 4} and set(lengths[:, 0]) <= {2, 3, 4} and set(lengths[:, 1]) == {3}


def test_what_is_skipped_is_named(tmp_path):
    ndjson(tmp_path / "a.ndjson", SQUARE, CROSS)
    with open(tmp_path / "a.ndjson", "a") as file:
        file.write(
            'nonsense\n{"drawing": []}\n{"drawing": [[[1, 2], [1]]]}\n{"drawing": [[["a"], [1]]]}\n{"word": 1}\n'
        )
    (tmp_path / "b.svg").write_text("<svg/>")
    (tmp_path / "c.dat").write_text("?")
    with pytest.warns(UserWarning) as caught:
        assert sketches(tmp_path, 6, 1).count == 2
    text = str(caught[0].message)
    for expected in (
        "7 of 9 items",
        "a.ndjson, line 3: ",
        "a.ndjson, line 4: no strokes",
        "a.ndjson, line 5: a stroke that is no [[x, ...], [y, ...]]",
        "a.ndjson, line 7: no {",
        "b.svg: no lines",
        "c.dat: no .svg, .ndjson or .npz file",
    ):
        assert expected in text
    with pytest.raises(ValueError, match="Repair or remove them"):
        sketches(tmp_path, 6, 1, on_error="raise")


def test_pickled_arrays_are_refused(tmp_path):
    """Loading one would run what is in it: here, it would write a file."""

    class Harm:
        def __reduce__(self):
            return open, (str(tmp_path / "harm"), "w")

    np.savez(tmp_path / "a.npz", train=np.array([Harm(), Harm()], object))
    with pytest.raises(ValueError, match="array of objects, which is pickled.* --trust --out FILE.ndjson"):
        sketches(tmp_path / "a.npz", batch_size=1)
    with pytest.raises(ValueError, match="array of objects, which is pickled.* --trust --out FILE.ndjson"):
        to_ndjson(tmp_path / "a.npz", tmp_path / "a.ndjson")
    assert os.listdir(tmp_path) == ["a.npz"]


def pickled(path, **arrays):
    """A file as sketch-rnn's: arrays of objects, each an array of (points, 3)."""
    held = {}
    for name, rows in arrays.items():
        held[name] = np.empty(len(rows), object)
        for number, one in enumerate(rows):
            held[name][number] = one
    np.savez(path, **held)
    return path


TWO_LINES = np.int16([[3, 4, 0], [10, 0, 1], [-5, 5, 0], [0, -10, 1]])  # from (3, 4) to (13, 4); from (8, 9) to (8, -1)


def test_trusted_arrays_become_ndjson(tmp_path):
    halves = np.float64([[0.5, 0.25, 0], [1, 1, 1]])
    path = pickled(tmp_path / "a.npz", train=[TWO_LINES, halves], test=[TWO_LINES])
    out = tmp_path / "new" / "a.ndjson"
    assert to_ndjson(path, out, trust=True) == {"train": 2, "test": 1}
    first, second, third = (json.loads(line)["drawing"] for line in out.read_text().splitlines())
    assert first == third == [[[3, 13], [4, 4]], [[8, 8], [9, -1]]]
    assert second == [[[0.5, 1.5], [0.25, 1.25]]]
    assert to_ndjson(path, out, "test", trust=True) == {"test": 1}
    data = sketches(out, 6, 1, shuffle=False, resize=False, simplify=0)
    np.testing.assert_array_equal(rows(data)[0, :4], [[10, 0, 1], [-5, 5, 0], [0, -10, 1], [0, 0, 2]])


def test_what_is_no_sketch_of_sketch_rnn(tmp_path):
    wrong = [np.zeros((2, 4)), np.zeros((0, 3)), np.full((1, 3), np.nan), np.full((1, 3), 2), "x"]
    path = pickled(tmp_path / "a.npz", train=[TWO_LINES, *wrong])
    with pytest.warns(UserWarning, match=r"5 of 6 items of .* \(train, sketch 1: shape \(2, 4\)"):
        assert to_ndjson(path, tmp_path / "a.ndjson", trust=True) == {"train": 1}
    (tmp_path / "b.npz").write_bytes(path.read_bytes()[:-100])
    np.savez(tmp_path / "c.npz", train=np.zeros((2, 3, 3), int))
    for name, subset, message in (
        ("a.npz", "valid", "no array 'valid'; it holds train"),
        ("b.npz", None, "b.npz"),
        ("c.npz", None, "train is no array of objects; kerasgan.data.sketches may read it"),
        ("none.npz", None, "must be a .npz file"),
    ):
        with pytest.raises(ValueError, match=message):
            to_ndjson(tmp_path / name, tmp_path / "new.ndjson", subset, trust=True)
    assert not (tmp_path / "new.ndjson").exists()


def test_the_command_unpickles_only_at_the_users_word(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickled(tmp_path / "a.npz", train=[TWO_LINES], test=[TWO_LINES, TWO_LINES])
    for words, message in (
        (["--out", "a.ndjson"], "kerasgan convert FILE.npz --trust --out FILE.ndjson"),
        (["--out", "a.ndjson", "--trust", "--size", "8"], "--size: for images"),
        (["--out", "a.zip", "--size", "8", "--trust"], "--trust is for sketches"),
    ):
        assert cli.main(["convert", "a.npz", *words]) == 2
        assert message in capsys.readouterr().err
    assert cli.main(["convert", "b.npz", "--out", "a.ndjson"]) == 2
    assert "'b.npz' does not exist" in capsys.readouterr().err and os.listdir() == ["a.npz"]
    assert cli.main(["convert", "a.npz", "--trust", "--out", "a.ndjson"]) == 0
    said = capsys.readouterr().out
    assert "Unpickling a.npz, which runs whatever is in it" in said
    assert "a.ndjson holds 3 sketches: train 1, test 2." in said


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 5, 4), int), r"shape \(2, 5, 4\)"),
        (np.zeros((2, 5, 3)), "dtype float64; expected whole numbers"),
        (np.full((2, 5, 3), 3), "third number of a row is the pen"),
        (np.zeros((0, 5, 3), int), "empty|no"),
    ],
)
def test_wrong_arrays(array, message, tmp_path):
    np.savez(tmp_path / "a.npz", sketches=array)
    with pytest.raises(ValueError, match=message):
        sketches(tmp_path / "a.npz", batch_size=1)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" {}><path d="M10 20H30V60"/><path d="M30 20L30 21"/></svg>'


@pytest.mark.parametrize(
    ("form", "zoom"),
    [
        ('viewBox="0 0 50 100"', 255 / 84),  # a whole sketch leaves 8 % on each side
        ('width="100px" height="100"', 255 / 84),
        ('width="100%" height="100%"', 1),
        ('viewBox="0 0 0 100"', 1),
        ("", 1),
    ],
)
def test_a_drawing_is_as_large_as_its_paper_says(form, zoom, tmp_path):
    (tmp_path / "a.svg").write_text(SVG.format(form))
    first, second = drawing(tmp_path / "a.svg", simplify=0)
    np.testing.assert_allclose(first, np.array([[10, 20], [30, 20], [30, 60]]) * zoom)
    np.testing.assert_allclose(second, np.array([[30, 20], [30, 21]]) * zoom)
    first, _ = drawing(tmp_path / "a.svg", size=80)
    np.testing.assert_allclose(first, [[20, 40], [60, 40], [60, 120]])


def test_a_drawing_of_quickdraw(tmp_path):
    path = ndjson(tmp_path / "a.ndjson", CROSS, SQUARE)
    for line, expected in zip(drawing(path), CROSS, strict=True):
        np.testing.assert_array_equal(line, np.array(expected).T)
    bowed = ndjson(tmp_path / "b.ndjson", [[[0, 5, 10], [0, 1, 0]]])
    assert [len(drawing(bowed, simplify=units)[0]) for units in (0.9, 1.1)] == [3, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.svg", "<svg/>", "'.*a.svg': no lines"),
        ("a.svg", "<svg", "a.svg': "),
        ("a.svg", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "entity 'a'"),
        ("a.ndjson", "", "a.ndjson': "),
        ("a.ndjson", "[]", 'no {"drawing"'),
        ("a.ndjson", '{"drawing": []}', "no strokes"),
        ("a.png", "?", "is no .svg or .ndjson file"),
    ],
)
def test_what_is_no_drawing(name, content, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        drawing(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        drawing(tmp_path / "none.svg")
    for wrong in ({"size": 0}, {"simplify": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.* must be a number of units"):
            drawing(tmp_path / name, **wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 1}, "points=1 must be"),
        ({"points": 10**6}, "points=1000000 must be"),
        ({"points": 9, "longest": 9}, "longest=9 must be a number of points, 1 to 8"),
        ({"longest": 0}, "longest=0 must be"),
        ({"scale": 0}, "scale=0 must be"),
        ({"simplify": -1}, "simplify=-1 must be"),
        ({"stretch": 1.0}, "stretch=1.0 must be a share"),
        ({"drop": "x"}, "drop='x' must be a share"),
        ({"resize": 3}, "resize=3 must be one of"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 3}, "batch_size=3 is larger than the data set"),
    ],
)
def test_wrong_arguments(drawn, arguments, message):
    with pytest.raises(ValueError, match=message):
        sketches(drawn, **{"batch_size": 1, **arguments})


def test_no_source(tmp_path):
    with pytest.raises(ValueError, match="nothing that can be read"):
        sketches(np.zeros((2, 3)))
    with pytest.raises(FileNotFoundError, match="does not exist; give a folder, a zip file, or a .svg"):
        sketches(tmp_path / "none.svg")
    assert kerasgan.data.sketches is sketches
