"""Occupied cells as things that other programs open: their exposed faces, OBJ, GLB and MagicaVoxel files.

Grids are boolean (x, y, z): x to the right, y to the back, z up. Where a format has y up, as OBJ and GLB have, a model
is turned so that it stands.
"""

import json
import struct

import numpy as np

VOX_EDGE = 256  # cells along an edge that a model of MagicaVoxel's can have
PALETTE = 256  # colours of a .vox file, of which ours uses the first
COLOUR = (232, 168, 92)  # red, green, blue of all cells, since occupancy has no colours
ASSET = {"version": "2.0", "generator": "kerasgan"}
_FLOAT, _WHOLE = 5126, 5125  # GLB's names of float32 and uint32
_VERTICES, _INDICES = 34962, 34963  # and of what a stretch of bytes is for


def faces(grid):
    """The faces of occupied cells that no other cell touches.

    Args:
        grid: bool (x, y, z).

    Returns:
        (corners float32 (n, 4, 3), anticlockwise seen from outside, in units of a cell; normals float32 (n, 3)).
    """
    grid = np.asarray(grid, bool)
    corners, normals = [], []
    for axis in range(3):
        one, other = np.roll(np.eye(3, dtype="float32"), -axis, axis=0)[1:]
        for side in (0, 1):
            step = np.zeros(3, "float32")
            step[axis] = 1.0
            cells = np.argwhere(_exposed(grid, axis, side)).astype("float32") + side * step
            around = [0 * one, one, one + other, other] if side else [0 * one, other, one + other, one]
            corners.append(cells[:, None] + np.stack(around))
            normals.append(np.tile((2 * side - 1) * step, (len(cells), 1)))
    return np.concatenate(corners), np.concatenate(normals)


def _exposed(grid, axis, side):
    """Cells whose neighbour along an axis, the next one (side 1) or the one before (0), is empty or outside."""
    beyond = np.zeros_like(grid)
    inner = [slice(None)] * 3
    outer = [slice(None)] * 3
    inner[axis], outer[axis] = (slice(None, -1), slice(1, None)) if side else (slice(1, None), slice(None, -1))
    beyond[tuple(inner)] = grid[tuple(outer)]
    return grid & ~beyond


def _standing(vectors):
    """Vectors (..., 3) with z up as such with y up: a quarter turn about x."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


def obj(grid):
    """The text of a Wavefront OBJ file: shared corners, and a square for each exposed face."""
    corners, _ = faces(grid)
    corners = _standing(corners).astype(int).reshape(-1, 3)
    points, numbers = np.unique(corners, axis=0, return_inverse=True)
    lines = ["# kerasgan: exposed faces of occupied cells"]
    lines += ["v {} {} {}".format(*point) for point in points.tolist()]
    lines += ["f {} {} {} {}".format(*square) for square in (numbers.reshape(-1, 4) + 1).tolist()]
    return "\n".join(lines) + "\n"


def glb(grid):
    """The bytes of a binary glTF 2.0 file (GLB): a mesh of two triangles for each exposed face, in one colour.

    Where no cell is occupied it is a scene of nothing: glTF has no empty meshes.
    """
    corners, normals = faces(grid)
    if not len(corners):
        return _container({"asset": ASSET, "scene": 0, "scenes": [{}]})
    points = np.ascontiguousarray(_standing(corners).reshape(-1, 3), "<f4")
    normals = np.ascontiguousarray(_standing(normals).repeat(4, axis=0), "<f4")
    triangles = (4 * np.arange(len(corners))[:, None] + [0, 1, 2, 0, 2, 3]).astype("<u4")
    parts = [points.tobytes(), normals.tobytes(), triangles.tobytes()]
    starts = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    linear = [round((value / 255) ** 2.2, 4) for value in COLOUR]  # glTF's colours are not gamma-coded
    document = {
        "asset": ASSET,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}]}],
        "materials": [
            {"pbrMetallicRoughness": {"baseColorFactor": [*linear, 1], "metallicFactor": 0, "roughnessFactor": 1}}
        ],
        "buffers": [{"byteLength": sum(map(len, parts))}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(part), "target": target}
            for start, part, target in zip(starts, parts, (_VERTICES, _VERTICES, _INDICES), strict=True)
        ],
        "accessors": [
            {
                **_accessor(0, _FLOAT, len(points), "VEC3"),
                "min": points.min(axis=0).tolist(),
                "max": points.max(axis=0).tolist(),
            },
            _accessor(1, _FLOAT, len(normals), "VEC3"),
            _accessor(2, _WHOLE, triangles.size, "SCALAR"),
        ],
    }
    return _container(document, b"".join(parts))


def _container(document, data=b""):
    """A GLB file of a glTF document, and of bytes that it points into, a multiple of four."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if data:
        chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _accessor(view, kind, count, shape):
    return {"bufferView": view, "componentType": kind, "count": count, "type": shape}


def vox(grid):
    """The bytes of a MagicaVoxel file (version 150): one model, in one colour.

    Raises:
        ValueError: an edge is longer than 256 cells.
    """
    grid = np.asarray(grid, bool)
    if max(grid.shape) > VOX_EDGE:
        raise ValueError(
            f"samples are {'x'.join(map(str, grid.shape))} cells side by side; a .vox file ends at {VOX_EDGE}: save "
            "fewer of them, each in a file of its own as .zip, or all as .glb."
        )
    cells = np.argwhere(grid)
    rows = np.concatenate([cells, np.ones((len(cells), 1), int)], axis=1).astype("u1")  # colours count from 1
    palette = np.zeros((PALETTE, 4), "u1")
    palette[:] = (*COLOUR, 255)
    size = _chunk(b"SIZE", struct.pack("<3i", *grid.shape))
    body = size + _chunk(b"XYZI", struct.pack("<i", len(rows)) + rows.tobytes()) + _chunk(b"RGBA", palette.tobytes())
    return b"VOX " + struct.pack("<i", 150) + b"MAIN" + struct.pack("<ii", 0, len(body)) + body


def _chunk(name, content):
    return name + struct.pack("<ii", len(content), 0) + content
