"""kerasgan.data.volumes: solid objects of files and arrays, fitted into cubes."""

import builtins
import io
import struct
import warnings
import zipfile

import numpy as np
import pytest

from kerasgan.data import solids, volumes
from kerasgan.data.files import BadSample
from kerasgan.media import blocks


def chair():
    """A seat on a leg with a back: 3 wide, 2 deep, 4 high, symmetric left to right but for one arm."""
    cells = np.zeros((3, 2, 4), bool)
    cells[1, 0, 0] = True  # the leg
    cells[:, :, 1] = True  # the seat
    cells[:, 1, 2:] = True  # the back
    cells[0, 0, 2] = True  # the arm
    return cells


def npz(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def binvox(cells):
    """Run by run, as Patrick Min's description has it: x slowest, then z, then y, which is up."""
    values = cells.astype(np.uint8).ravel()  # of (x, depth, up): this order already
    data = b"".join(bytes([value, 1]) for value in values)
    return "#binvox 1\ndim {} {} {}\ntranslate 0 0 0\nscale 1\ndata\n".format(*cells.shape).encode() + data


def read(source, size=8, **options):
    """All volumes of a source in order, bool (n, x, y, z), and labels if there are any."""
    found = list(volumes(source, size, 1, shuffle=False, **options))
    samples = [np.asarray(batch[0] if isinstance(batch, tuple) else batch) for batch in found]
    for sample in samples:
        assert sample.dtype == np.float32 and set(np.unique(sample)) <= {-1.0, 1.0} and sample.shape[-1] == 1
    samples = np.concatenate(samples)[..., 0] > 0
    return (samples, [int(batch[1][0]) for batch in found]) if isinstance(found[0], tuple) else samples


def standing(cells, size=8):
    """Written out: in the middle, on the floor."""
    cube = np.zeros((size, size, size), bool)
    x, y = (size - cells.shape[0]) // 2, (size - cells.shape[1]) // 2
    cube[x : x + cells.shape[0], y : y + cells.shape[1], : cells.shape[2]] = cells
    return cube


# Into a cube ---------------------------------------------------------------------------------------------------------


def test_objects_are_cut_and_stand_in_the_middle_of_the_floor():
    given = np.zeros((2, 12, 12, 12), bool)
    given[0, 7:10, 1:3, 5:9] = given[1, 0:3, 10:12, 0:4] = chair()
    found = read(given)
    np.testing.assert_array_equal(found, [standing(chair())] * 2)
    assert np.argwhere(found[0]).min(axis=0).tolist() == [2, 3, 0]


def test_shrinking_keeps_the_volume_and_what_is_thin():
    solid = np.ones((12, 8, 16), bool)
    assert solids.shrunk(solid, 8).shape == (6, 4, 8) and solids.shrunk(solid, 8).all()
    box = np.zeros((16, 16, 16), bool)  # with walls of one cell, half of each coarse one
    box[[0, -1]] = box[:, [0, -1]] = box[..., [0, -1]] = True
    small = solids.shrunk(box, 8)
    hollow = np.ones((8, 8, 8), bool)
    hollow[1:-1, 1:-1, 1:-1] = False
    np.testing.assert_array_equal(small, hollow)
    ball = np.sum((np.mgrid[:30, :30, :30] - 14.5) ** 2, axis=0) < 15**2
    small = solids.shrunk(ball, 10)
    assert small.shape == (10, 10, 10)
    # As many as the volume makes up, and those that are as full as the last of them: 48 at most, by its symmetry.
    assert 0 <= small.sum() - round(ball.sum() / 27) < 48
    for axis in range(3):
        np.testing.assert_array_equal(small, np.flip(small, axis))


def test_what_is_larger_is_shrunk_or_left_out():
    given = np.zeros((2, 10, 10, 10), bool)
    given[0, :3, :2, :4] = chair()
    given[1] = True
    np.testing.assert_array_equal(read(given)[1], np.ones((8, 8, 8), bool))
    with pytest.warns(UserWarning, match=r"volume 1: 10x10x10 cells, more than size=8\). They are skipped"):
        assert len(read(given, larger="skip", on_error="raise")) == 1  # nothing is wrong with it
    with pytest.raises(ValueError, match="Nothing is left to train on"):
        read(given[1:], larger="skip")


def test_mirrored_and_turned_as_asked():
    plain, mirrored = standing(chair()), standing(chair()[::-1])
    ways = solids.ways(chair(), 8, flip=True, turn=True)
    assert ways.shape == (8, 8, 8, 8) and len(np.unique(ways.reshape(8, -1), axis=0)) == 8
    np.testing.assert_array_equal(ways[0], plain)
    np.testing.assert_array_equal(ways[4], mirrored)
    # A quarter turn about the upright axis takes right to back: (x, y) to (-y, x).
    turned = np.zeros((2, 3, 4), bool)
    for x, y, z in np.argwhere(chair()):
        turned[1 - y, x, z] = True
    np.testing.assert_array_equal(ways[1], standing(turned))
    for options, expected in (({}, {0}), ({"flip": True}, {0, 4}), ({"turn": True}, {0, 1, 2, 3})):
        dataset = volumes(np.stack([chair()] * 40), 8, 40, seed=1, **options)
        batch = next(iter(dataset)).numpy()[..., 0] > 0
        found = {int(np.flatnonzero((ways == cells).all(axis=(1, 2, 3)))[0]) for cells in batch}
        assert found == expected


# Files ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def every(write):
    """The same chair in each format, in two folders."""
    write("seats/a.vox", blocks.vox(chair()))
    write("seats/b.binvox", binvox(chair()))
    write("others/c.npz", npz(voxels=chair()))
    write("others/d.npz", npz(anything=chair().astype("float32") * 0.9))
    write("others/readme.txt", b"no solid")
    return write.root


def test_each_format_gives_the_same_object(every, tmp_path):
    found, labels = read(every, labels=True)
    np.testing.assert_array_equal(found, [standing(chair())] * 4)
    assert labels == [0, 0, 1, 1]
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in sorted(every.rglob("*.*")):
            archive.write(file, f"train/{file.relative_to(every).as_posix()}")
    np.testing.assert_array_equal(read(tmp_path / "set.zip", subset="train"), found)
    dataset = volumes(every, 8, 2, labels=True)
    assert (dataset.class_names, dataset.class_counts, dataset.count) == (["others", "seats"], [2, 2], 4)
    assert dataset.model_arguments == {"size": 8}


def test_arrays_of_a_file_with_names_and_classes(tmp_path):
    given = np.zeros((3, 8, 8, 8), np.uint8)
    for number in range(3):
        given[number, : number + 1, 0, 0] = 1
    np.savez(tmp_path / "set.npz", voxels=given, names=["cat_1.vox", "dog_1.vox", "cat_2.vox"], labels=[2, 0, 1])
    assert read(tmp_path / "set.npz", labels="name")[1] == [0, 1, 0]
    assert read(tmp_path / "set.npz", labels=True)[1] == [2, 0, 1]
    assert read(tmp_path / "set.npz", subset="names=cat*").sum(axis=(1, 2, 3)).tolist() == [1, 3]
    assert volumes(tmp_path / "set.npz", 8, 3, labels="name").class_names == ["cat", "dog"]
    np.save(tmp_path / "set.npy", given)
    np.testing.assert_array_equal(read(tmp_path / "set.npy"), read(tmp_path / "set.npz"))
    with pytest.raises(ValueError, match="labels='name' needs an array 'names'"):
        volumes(tmp_path / "set.npy", 8, 1, labels="name")


def test_a_vox_file_with_chunks_that_nobody_asked_for():
    """Names of layers and materials stand beside the model; a second model has no place of its own."""
    content = blocks.vox(chair())
    note = b"NOTE" + struct.pack("<ii", 4, 0) + b"abcd"

    def with_chunks(chunks):
        body = content[20:] + chunks
        return content[:12] + struct.pack("<ii", 0, len(body)) + body

    np.testing.assert_array_equal(solids.read_solid(with_chunks(note), "a.vox", 8), chair())
    with pytest.raises(BadSample, match="2 models in one .vox file; export each into a file of its own"):
        solids.read_solid(with_chunks(content[20:]), "a.vox", 8)


def test_256_cells_along_each_edge_are_read_and_shrunk():
    cells = np.zeros((256, 256, 256), bool)
    cells[0, 0, 0] = cells[-1, -1, -1] = cells[128, :, 3] = True
    found = solids.read_solid(blocks.vox(cells), "a.vox", 8)
    assert found.shape == (256, 256, 256) and found.sum() == 258
    assert max(solids.ways(found, 8)[0].shape) == 8


BROKEN = {
    "cut.vox": (blocks.vox(chair())[:-1100], "cut short"),
    "head.vox": (b"VOX \x96\0\0\0", "cut short, or no .vox file"),
    "none.vox": (blocks.vox(np.zeros((2, 2, 2), bool)), "nothing in it: no cell is occupied"),
    "huge.vox": (
        blocks.vox(chair()).replace(struct.pack("<3i", 3, 2, 4), struct.pack("<3i", 3, 2**30, 4)),
        "1 to 256 along an edge",
    ),
    "outside.vox": (blocks.vox(chair()).replace(struct.pack("<3i", 3, 2, 4), struct.pack("<3i", 1, 2, 4)), "outside"),
    "negative.vox": (blocks.vox(chair())[:12] + struct.pack("<ii", -5, 99), "broken .vox"),
    "cut.binvox": (binvox(chair())[:-3], "cells, where 24 are announced"),
    "huge.binvox": (b"#binvox 1\ndim 4096 4096 4096\ndata\n\1\1", "1 to 256 along an edge are read"),
    "no.binvox": (b"#binvox 1\ndim a b c\ndata\n", "no dimensions"),
    "flat.npz": (npz(voxels=np.ones((4, 4))), r"shape \(4, 4\)"),
    "large.npz": (npz(voxels=np.ones((1, 1, 300), bool)), "1x1x300 cells; at most 256"),
    "values.npz": (npz(voxels=np.full((2, 2, 2), 7)), "values from 7 to 7"),
    "nan.npz": (npz(voxels=np.full((2, 2, 2), np.nan)), "values from nan"),
    "several.npz": (npz(one=np.ones(3), two=np.ones(3)), "no array 'voxels' in it; it holds: one, two"),
    "cut.npz": (npz(voxels=chair())[:-30], "zip"),
    "objects.npz": (npz(voxels=np.array([{}], object)), "[Oo]bject"),
    "text.vox": (b"hello", "not a .vox, .binvox"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_used_is_skipped_by_its_name(write, name):
    content, message = BROKEN[name]
    with pytest.raises(BadSample, match=message):
        solids.read_solid(content, name, 8)
    if name in ("cut.vox", "huge.binvox", "objects.npz"):
        write("good.vox", blocks.vox(chair()))
        write(name, content)
        with pytest.warns(UserWarning, match=f"1 of 2 items .*{name}: .*{message}.*They are skipped"):
            assert len(read(write.root)) == 1
        with pytest.raises(ValueError, match="Repair or remove them"):
            read(write.root, on_error="raise")


def test_a_file_that_is_too_large_is_not_read(write):
    write("good.vox", blocks.vox(chair()))
    path = write("big.vox", b"VOX ")
    with open(path, "r+b") as file:
        file.truncate(2**27)  # takes no place on the disk
    with pytest.warns(UserWarning, match="big.vox: 134,217,728 bytes; files of solids are read up to 67,108,864"):
        assert len(read(write.root)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 1}, "size=1 must be a number of cells along an edge, 2 to 256"),
        ({"larger": "cut"}, "larger='cut' must be one of 'shrink', 'skip'"),
        ({"flip": "yes"}, "flip='yes' must be one of True, False"),
        ({"labels": "kind"}, "labels='kind' must be one of True, False, 'name'"),
        ({"labels": True}, "mean nothing where source is an array"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        volumes(np.ones((2, 4, 4, 4), bool), **{"size": 8, "batch_size": 1, **options})


def test_sources_that_do_not_fit(tmp_path, every):
    for source, message in (
        (np.ones((4, 4, 4)), r"pass array\[None\] for a set of one"),
        (np.ones((2, 4)), r"expected \(n, x, y, z\)"),
        ([object()], "nothing that can be read"),
    ):
        with pytest.raises(ValueError, match=message):
            volumes(source, 8, 1)
    with pytest.raises(FileNotFoundError, match="does not exist; give a folder, a zip file or a .npz file"):
        volumes(tmp_path / "no", 8, 1)
    with pytest.raises(ValueError, match="key='a' means nothing where source is a folder"):
        volumes(every, 8, 1, key="a")
    with pytest.raises(ValueError, match="batch_size=9 is larger than the data set"):
        volumes(every, 8, 9)


# Meshes --------------------------------------------------------------------------------------------------------------


def squares_as_triangles(cells):
    corners, _ = blocks.faces(cells)
    return corners[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3).astype("float64")


def test_closed_surfaces_are_filled_again():
    """The surface of cells, filled with as many cells, gives these; twice as fine, each of them eight."""
    cells = np.random.default_rng(0).random((5, 6, 7)) < 0.5
    cells[0, 0, 0] = cells[-1, -1, -1] = True
    np.testing.assert_array_equal(solids.filled(squares_as_triangles(cells), 7), cells)
    twice = cells.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(solids.filled(3.7 * squares_as_triangles(cells) - 100, 14), twice)


def test_a_tilted_solid_is_filled_where_its_inequalities_hold():
    """An octahedron |x| + |y| + |z| <= 1, whose edges go through the middles of cells."""
    top, bottom = np.array([0, 0, 1.0]), np.array([0, 0, -1.0])
    around = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], "float64")
    triangles = [(around[i], around[(i + 1) % 4], tip) for i in range(4) for tip in (top, bottom)]
    places = (np.arange(21) + 0.5) / 21 * 2 - 1
    distance = sum(np.abs(axis) for axis in np.meshgrid(places, places, places, indexing="ij"))
    found = solids.filled(np.array(triangles), 21)
    np.testing.assert_array_equal(found[distance < 1 - 1e-6], True)
    np.testing.assert_array_equal(found[distance > 1 + 1e-6], False)


def test_meshes_of_files(write):
    pytest.importorskip("trimesh")
    import trimesh

    table = np.zeros((8, 8, 8), bool)
    table[..., 5:] = True
    table[:2, :2, :5] = table[-2:, :2, :5] = table[3:5, -2:, :5] = True
    triangles = squares_as_triangles(table)
    mesh = trimesh.Trimesh(triangles.reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3))
    mesh.merge_vertices()
    write("a.obj", blocks.obj(table).encode())
    write("b.glb", blocks.glb(table))
    write("c.stl", trimesh.exchange.stl.export_stl(mesh))
    write("d.ply", trimesh.exchange.ply.export_ply(mesh))
    np.testing.assert_array_equal(read(write.root), [table] * 4)

    lines = blocks.obj(table).splitlines()
    write("e.obj", "\n".join(lines[:-1]).encode())  # one square is missing
    write("f.glb", blocks.glb(table)[:-100])
    write("g.obj", b"mtllib http://127.0.0.1:9/a.mtl\nv 1 2 3\n")
    with pytest.warns(UserWarning) as caught:
        assert len(read(write.root)) == 4
    (message,) = [str(one.message) for one in caught if "They are skipped" in str(one.message)]
    assert "e.obj: a mesh that is not closed" in message and "f.glb" in message and "g.obj" in message


def test_without_trimesh_meshes_say_what_to_install(write, monkeypatch):
    """Others are read; a folder with meshes says what they need."""
    importing = builtins.__import__

    def no_trimesh(name, *rest):
        if name == "trimesh":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_trimesh)
    write("a.vox", blocks.vox(chair()))
    assert len(read(write.root)) == 1
    write("b.stl", b"solid b\nendsolid b\n")
    with pytest.raises(ImportError, match=r'hold STL files, which need trimesh: pip install "kerasgan\[volumes\]"'):
        read(write.root)


def test_nothing_is_warned_about_what_is_fine(every):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volumes(every, 8, 2, flip=True)
