"""Volumes: conversions, files that other programs open, pictures."""

import json
import struct
import zipfile

import numpy as np
import pytest

import kerasgan
from kerasgan.media import Volume, blocks, isometric


def corner():
    """Three cells around a corner: one at the origin, one to its right, one above."""
    cells = np.zeros((4, 4, 4), bool)
    cells[0, 0, 0] = cells[1, 0, 0] = cells[0, 0, 1] = True
    return cells


def some(count=3, size=6, seed=0):
    return np.random.default_rng(seed).random((count, size, size, size)) < 0.3


# Conversions ---------------------------------------------------------------------------------------------------------


def test_occupied_is_what_lies_above_zero():
    given = np.array([-1.0, -0.2, 0.0, 1e-3, 0.7, 1.0, -0.5, 0.5], "float32").reshape(1, 2, 2, 2, 1)
    assert Volume(2).to_natural(given).ravel().tolist() == [False, False, False, True, True, True, False, True]
    for kind in (bool, "uint8", "int64"):
        np.testing.assert_array_equal(
            Volume(2).to_model(np.eye(2, dtype=kind)[None, None].repeat(2, 1))[0, 0, ..., 0], [[1, -1], [-1, 1]]
        )
    for wrong in (np.zeros((1, 2, 2, 2)), np.full((1, 2, 2, 2), 2), np.full((1, 2, 2, 2), -1)):
        with pytest.raises(ValueError, match="0 for empty and 1 for occupied"):
            Volume(2).to_model(wrong)
    with pytest.raises(ValueError, match="NaN"):
        Volume(2).to_natural(np.full((1, 2, 2, 2, 1), np.nan))


@pytest.mark.parametrize("size", [1, 0, 257, 8.0, True, "8"])
def test_sizes_that_no_volume_has(size):
    with pytest.raises(ValueError, match=f"size={size!r}: expected a whole number of cells along an edge, 2 to 256"):
        Volume(size)


def test_wrong_shapes_say_what_to_do():
    with pytest.raises(ValueError, match=r"Add the channel axis: volumes\[..., None\]"):
        Volume(4).check(np.zeros((1, 4, 4, 4), "float32"))
    with pytest.raises(ValueError, match="Read the volumes with size=4"):
        Volume(4).check(np.zeros((1, 8, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match=r"expected bool \(count, 4, 4, 4\)"):
        Volume(4).sheet(some(size=6))


def test_a_batch_of_cells_is_known_as_volumes(tmp_path):
    assert kerasgan.save_samples(some(), tmp_path / "some.npz").is_file()
    assert Volume.fitting(some()).size == 6
    for other in (some().astype("uint8"), some()[0], some()[:, :3], some()[:0]):
        assert Volume.fitting(other) is None


# Faces ---------------------------------------------------------------------------------------------------------------


def test_faces_of_written_out_cells():
    """One cell has six faces; of three around a corner, the two pairs that touch hide four of eighteen."""
    one = np.ones((1, 1, 1), bool)
    corners, normals = blocks.faces(one)
    assert sorted(map(tuple, normals.astype(int).tolist())) == sorted(
        [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    )
    for square, normal in zip(corners, normals, strict=True):
        # Anticlockwise from outside: the cross product of two edges points out; the middle of the cube is inside.
        np.testing.assert_array_equal(np.cross(square[1] - square[0], square[2] - square[1]), normal)
        assert (square.mean(axis=0) - 0.5) @ normal == 0.5
    assert len(blocks.faces(corner())[0]) == 14
    assert len(blocks.faces(np.ones((3, 4, 5), bool))[0]) == 2 * (12 + 15 + 20)
    assert len(blocks.faces(np.zeros((2, 2, 2), bool))[0]) == 0


def test_a_closed_surface_encloses_as_many_cells_as_there_are():
    """By the divergence theorem: a third of the sum over faces of (middle . normal) is the volume inside."""
    for cells in some(seed=4):
        corners, normals = blocks.faces(cells)
        assert np.einsum("ij,ij->", corners.mean(axis=1), normals) / 3 == pytest.approx(cells.sum(), rel=1e-5)


# Files ---------------------------------------------------------------------------------------------------------------


def test_npz_holds_the_cells(tmp_path):
    Volume(6).save(some(), tmp_path / "some.npz")
    with np.load(tmp_path / "some.npz", allow_pickle=False) as archive:
        assert archive.files == ["voxels"] and archive["voxels"].dtype == np.uint8
        np.testing.assert_array_equal(archive["voxels"], some())


def glb_parts(content):
    """The JSON and the binary part of a GLB file, by the specification of glTF 2.0."""
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    place, parts = 12, {}
    while place < len(content):
        size, name = struct.unpack_from("<I4s", content, place)
        assert size % 4 == 0 and place % 4 == 0
        parts[name] = content[place + 8 : place + 8 + size]
        place += 8 + size
    return json.loads(parts[b"JSON"]), parts.get(b"BIN\0", b"")


def test_glb_is_as_its_specification_says(tmp_path):
    path = Volume(4).save(corner()[None], tmp_path / "corner.glb")
    document, data = glb_parts(path.read_bytes())
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        kind = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]
        per = {"VEC3": 3, "SCALAR": 1}[accessor["type"]]
        assert view["byteOffset"] % 4 == 0 and view["byteLength"] == 4 * per * accessor["count"]
        arrays.append(np.frombuffer(data, kind, per * accessor["count"], view["byteOffset"]).reshape(-1, per))
    points, normals, indices = arrays
    assert len(points) == len(normals) == 4 * 14 and indices.size == 6 * 14 and indices.max() == 55
    # z up in our axes is y up there: the cells reach from 0 to 2 to the right and upwards, and 1 away from the viewer.
    assert document["accessors"][0]["min"] == [0, 0, -1] and document["accessors"][0]["max"] == [2, 2, 0]
    triangles = points[indices.reshape(-1, 3)]
    outwards = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    np.testing.assert_array_equal(outwards, normals[indices.reshape(-1, 3)[:, 0]])
    assert np.linalg.det(triangles).sum() / 6 == pytest.approx(3)  # signed tetrahedra from the origin: the volume

    nothing, data = glb_parts(Volume(4).save(np.zeros((1, 4, 4, 4), bool), tmp_path / "no.glb").read_bytes())
    assert "meshes" not in nothing and not data


def test_other_programs_see_a_closed_surface(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    for ending in ("glb", "obj"):
        path = Volume(4).save(corner()[None], tmp_path / f"corner.{ending}")
        mesh = trimesh.load(path, force="mesh")
        mesh.merge_vertices(merge_norm=True)
        assert mesh.is_watertight and mesh.volume == pytest.approx(3) and mesh.extents.tolist() == [2, 2, 1]


def test_obj_names_shared_corners_and_squares(tmp_path):
    lines = Volume(4).save(corner()[None], tmp_path / "corner.obj").read_text().splitlines()
    points = [tuple(map(int, line.split()[1:])) for line in lines if line.startswith("v ")]
    squares = [tuple(map(int, line.split()[1:])) for line in lines if line.startswith("f ")]
    assert len(points) == len(set(points)) == 16 and len(squares) == 14
    assert {number for square in squares for number in square} == set(range(1, 17))
    assert {point[1] for point in points} == {0, 1, 2} and {point[2] for point in points} == {0, -1}


def test_vox_is_as_magicavoxel_describes_it(tmp_path):
    """Its text: "VOX ", 150, MAIN with SIZE (x, y, z), XYZI (count; x, y, z, colour) and RGBA (256 colours)."""
    content = Volume(4).save(corner()[None], tmp_path / "corner.vox").read_bytes()
    assert content[:8] == b"VOX \x96\0\0\0" and content[8:12] == b"MAIN"
    assert struct.unpack("<ii", content[12:20]) == (0, len(content) - 20)
    assert content[20:32] == b"SIZE\x0c\0\0\0\0\0\0\0" and struct.unpack("<3i", content[32:44]) == (4, 4, 4)
    assert content[44:56] == b"XYZI\x10\0\0\0\0\0\0\0" and content[56:60] == b"\3\0\0\0"
    assert content[60:72] == bytes([0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1])
    assert content[72:84] == b"RGBA\0\4\0\0\0\0\0\0" and len(content) == 84 + 1024
    assert tuple(content[84:88]) == (*blocks.COLOUR, 255)


def test_several_stand_side_by_side_the_first_at_the_back_on_the_left():
    given = np.zeros((3, 4, 4, 4), bool)
    given[0, 0, 0, 0] = given[1, 1, 0, 0] = given[2, 0, 0, 3] = True
    floor = Volume(4)._side_by_side(given, 2)
    assert floor.shape == (10, 10, 4)
    assert np.argwhere(floor).tolist() == [[0, 0, 3], [0, 6, 0], [7, 6, 0]]


def test_too_many_for_a_vox_file_go_into_a_zip(tmp_path):
    many = np.zeros((16, 64, 64, 64), bool)
    many[:, 0, 0, 0] = True
    with pytest.raises(ValueError, match=r"262x262x64 cells side by side; a .vox file ends at 256: .* as .zip"):
        Volume(64).save(many, tmp_path / "many.vox")
    assert not (tmp_path / "many.vox").exists()
    path = Volume(64).save(many, tmp_path / "many.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"{number:02}.vox" for number in range(1, 17)]
    before = path.read_bytes()
    assert Volume(64).save(many, path).read_bytes() == before


# Pictures ------------------------------------------------------------------------------------------------------------


def test_a_cube_is_a_hexagon_of_three_faces():
    """A cell of half width 4, drawn out: a rhombus on top, the front to the left, the right side to the right."""
    picture = isometric.picture(np.ones((1, 1, 1), bool), half=4)
    assert picture.shape == (8, 8, 3)
    background = (picture == 255).all(axis=-1)
    shades = {tuple(colour) for colour in picture[~background].tolist()}
    assert len(shades) == 3 + 3  # three faces, and the outline of each
    drawn = [
        "   ##   ",
        " ###### ",
        "########",
        "########",
        "########",
        "########",
        " ###### ",
        "   ##   ",
    ]
    np.testing.assert_array_equal(~background, [[one == "#" for one in row] for row in drawn])
    np.testing.assert_array_equal(background, background[:, ::-1])


def test_the_nearest_cells_hide_what_is_behind():
    """Nearer is to the right, to the front or above: a full cube looks like its three faces that are seen."""
    full = np.ones((3, 3, 3), bool)
    shell = np.zeros_like(full)
    shell[-1], shell[:, 0], shell[..., -1] = True, True, True
    np.testing.assert_array_equal(isometric.picture(full, 2), isometric.picture(shell, 2))
    for place in ((-1, 1, 1), (1, 0, 1), (1, 1, -1)):
        holed = full.copy()
        holed[place] = False
        assert not np.array_equal(isometric.picture(full, 2), isometric.picture(holed, 2))
    for place in ((0, 1, 1), (1, -1, 1), (1, 1, 0)):
        holed = full.copy()
        holed[place] = False
        np.testing.assert_array_equal(isometric.picture(full, 2), isometric.picture(holed, 2))


def test_places_on_the_picture():
    """Two pixels to the right and one down for x, one up for y, and two up for z, with half = 2."""

    def middle(*cell):
        grid = np.zeros((4, 4, 4), bool)
        grid[cell] = True
        return np.argwhere((isometric.picture(grid, 2) != 255).any(axis=-1)).mean(axis=0)

    origin = middle(0, 0, 0)
    for cell, expected in (((1, 0, 0), (1, 2)), ((0, 1, 0), (-1, 2)), ((0, 0, 1), (-2, 0))):
        np.testing.assert_allclose(middle(*cell) - origin, expected)
    with pytest.raises(ValueError, match="half=3: expected an even number of pixels"):
        isometric.picture(corner(), 3)


def test_a_sheet_shows_both_sides_of_each():
    media = Volume(16)
    sheet = media.sheet(np.zeros((4, 16, 16, 16), bool), columns=2)
    assert sheet.shape == (2 * 128 + 2, 2 * 256 + 2, 3) and (sheet == 255).all()
    given = np.zeros((1, 16, 16, 16), bool)
    given[2:9, 3:5, :6] = True
    left, right = np.split(media.sheet(given), 2, axis=1)
    np.testing.assert_array_equal(left, isometric.picture(given[0], 4))
    np.testing.assert_array_equal(right, isometric.picture(np.rot90(given[0], 2), 4))


def test_descriptors_are_means_of_fields():
    given = np.full((1, 16, 16, 16, 1), -1.0, "float32")
    given[0, :2, :2, 0, 0] = 1.0  # half of the first field
    expected = np.full((8, 8, 8), -1.0)
    expected[0, 0, 0] = 0.0
    np.testing.assert_allclose(Volume(16).descriptors(given)[0], expected.ravel())


def test_a_zip_of_volumes_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def fail(grid):
        raise OSError("disk is full")

    monkeypatch.setattr(blocks, "vox", fail)
    with pytest.raises(OSError, match="full"):
        Volume(6).save(some(), tmp_path / "some.zip")
    assert not list(tmp_path.iterdir())
