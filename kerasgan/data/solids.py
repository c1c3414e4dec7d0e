"""One solid object: bytes of a file -> occupied cells, of any size, and these fitted into a cube.

MagicaVoxel's `.vox`, `.binvox` and `.npz` are read here; meshes (OBJ, STL, GLB, PLY) by trimesh, which comes with
`kerasgan[volumes]`, and filled with cells here. Grids are bool (x, y, z) with z up. No file makes more than 256 cells
along an edge, whatever it says.
"""

import io
import struct

import numpy as np

from kerasgan.data.files import BadSample, check_memory, member, reason, unusable

EXTRA = 'pip install "kerasgan[volumes]"'
MOST_CELLS = 256  # along an edge, as in MagicaVoxel
MESHES = {"obj": "OBJ", "stl": "STL", "glb": "GLB", "ply": "PLY"}  # by the ending of a file's name
UPRIGHT = ("obj", "glb")  # formats in which y is up; in the others it is z
MOST_FACES = 2_000_000
MOST_BYTES = 2**26  # of a mesh: what is larger has more triangles than any cell could show
_FINER = 4  # times as many cells as asked for are made of a mesh, along each edge, and then put together
KEYS = ("voxels", "voxel", "volume", "occupancy", "arr_0")
_LINES = 500_000  # that are followed at a time
_UNPACKED = 1100  # times that zlib packs a constant at best


def read_solid(content, name, size):
    """Occupied cells of a file, cut to where there are any.

    Args:
        content: its bytes.
        name: the file's name, whose ending tells OBJ and STL, which nothing else does.
        size: cells along an edge that are wanted in the end, by which a mesh is filled.

    Returns:
        bool (x, y, z), with occupied cells on all six sides.

    Raises:
        BadSample: it is no such file, it is damaged, or nothing in it is occupied.
        ImportError: it is a mesh, and trimesh is missing.
    """
    ending = name.rpartition(".")[2].lower()
    with unusable():
        if content.startswith(b"VOX "):
            cells = _vox(content)
        elif content.startswith(b"#binvox"):
            cells = _binvox(content)
        elif content.startswith(b"PK\x03\x04"):
            cells = _npz(content)
        elif ending in MESHES:
            cells = _mesh(content, ending, size)
        else:
            raise BadSample("not a .vox, .binvox, .npz, .obj, .stl, .glb or .ply file")
    return cut(cells)


def as_cells(array):
    """An array of one volume as bool (x, y, z): True, or above half of what is most, is occupied. Raises `BadSample`.

    Numbers are 0 and 1, or shares of a cell in [0, 1].
    """
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 3 or not array.size or array.dtype.kind not in "biuf":
        raise BadSample(f"an array of shape {array.shape} and dtype {array.dtype}, where (x, y, z) cells are expected")
    if max(array.shape) > MOST_CELLS:
        raise BadSample(f"{'x'.join(map(str, array.shape))} cells; at most {MOST_CELLS} along an edge are read")
    if array.dtype == np.bool_:
        return array
    low, high = array.min(), array.max()
    if not (0 <= low and high <= 1):  # NaN fails it, too
        raise BadSample(f"values from {low:g} to {high:g}, where cells are 0 (empty) to 1 (occupied)")
    return array > 0.5


def cut(cells):
    """The box of cells in which some are occupied. Raises `BadSample` where none is."""
    box = []
    for axis in range(3):
        places = np.flatnonzero(cells.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(places):
            raise BadSample("nothing in it: no cell is occupied")
        box.append(slice(places[0], places[-1] + 1))
    return cells[tuple(box)]


# Into a cube ---------------------------------------------------------------------------------------------------------


def fitted(cells, size):
    """Cells, bool (x, y, z), in a cube of `size` along each edge: in its middle, and standing on its floor."""
    cube = np.zeros((size, size, size), bool)
    x, y = ((size - length) // 2 for length in cells.shape[:2])
    cube[x : x + cells.shape[0], y : y + cells.shape[1], : cells.shape[2]] = cells
    return cube


def shrunk(cells, size):
    """Cells in coarser ones, of which the longest edge has `size`, and which hold as much altogether.

    Of each coarse cell it is known which share of it is occupied. As many as make up the sum of all shares are
    occupied then, those with the largest shares (all of them, where several share the last place). A fixed share would
    lose what is thin, or thicken all else.
    """
    scale = max(cells.shape) / size
    shares = cells.astype("float32")
    for axis in range(3):
        shares = np.moveaxis(np.tensordot(_overlaps(shares.shape[axis], scale), shares, (1, axis)), 0, axis)
    count = max(1, round(float(shares.sum())))
    least = np.partition(shares.ravel(), -count)[-count] if count < shares.size else 0.0
    return cut(shares >= max(least, 1e-4) * (1 - 1e-4))  # sums of floats differ in the last digits


def _overlaps(length, scale):
    """Which share of each coarse cell, of `scale` fine ones, each of `length` fine cells has: (coarse, fine)."""
    coarse = int(np.ceil(length / scale - 1e-6))
    shift = (coarse * scale - length) / 2  # what is left over lies on both sides alike
    starts = np.arange(coarse)[:, None] * scale - shift
    fine = np.arange(length)[None]
    inside = np.minimum(starts + scale, fine + 1) - np.maximum(starts, fine)
    return (np.clip(inside, 0, 1) / scale).astype("float32")


def ways(cells, size, flip=False, turn=False):
    """The ways in which a solid may stand in a cube, bool (ways, size, size, size): itself first.

    Args:
        cells: bool (x, y, z).
        size: cells along an edge of the cube.
        flip: whether mirror images, left to right, are among them, behind all others.
        turn: whether it may be turned by 0, 90, 180 and 270 degrees about the upright axis.
    """
    if max(cells.shape) > size:
        cells = shrunk(cells, size)
    found = [np.rot90(cells, quarter, (0, 1)) for quarter in range(4 if turn else 1)]
    found += [way[::-1] for way in found] if flip else []
    return np.stack([fitted(way, size) for way in found])


# Formats -------------------------------------------------------------------------------------------------------------


def _vox(content):
    """A file of MagicaVoxel's, as its authors describe it: chunks of a name, two lengths and what they announce.

    The places of several models stand in further chunks, of a version that not all programs know.
    """
    models, place = [], 8
    name, own, inside = _chunk(content, place)
    if name != b"MAIN":
        raise BadSample("a broken .vox file: no MAIN chunk")
    place += 12 + own
    end = place + inside
    if end > len(content):
        raise BadSample(f"cut short: {len(content)} of {end} bytes")
    size = None
    while place < end:
        name, own, inside = _chunk(content, place)
        if place + 12 + own + inside > end:
            raise BadSample(f"cut short, or a broken chunk {name!r}")
        if name == b"SIZE":
            size = struct.unpack_from("<3i", content, place + 12)
        elif name == b"XYZI":
            models.append(_vox_model(content, place + 12, own, size))
        place += 12 + own + inside
    if len(models) != 1:
        what = f"{len(models)} models" if models else "no model"
        raise BadSample(f"{what} in one .vox file; export each into a file of its own")
    return models[0]


def _chunk(content, place):
    """Name of a chunk, bytes of its own, and bytes of the chunks in it."""
    if place + 12 > len(content):
        raise BadSample("cut short, or no .vox file")
    name, own, inside = struct.unpack_from("<4sii", content, place)
    if own < 0 or inside < 0:
        raise BadSample(f"a broken .vox file: chunk {name!r} of {own} and {inside} bytes")
    return name, own, inside


def _vox_model(content, place, length, size):
    if size is None or min(size) < 1 or max(size) > MOST_CELLS:
        raise BadSample(f"a broken .vox file: a model of {size} cells, where 1 to {MOST_CELLS} along an edge can be")
    (count,) = struct.unpack_from("<i", content, place) if length >= 4 else (-1,)
    if count < 0 or 4 + 4 * count > length:
        raise BadSample(f"a broken .vox file: {count} cells in {length} bytes")
    places = np.frombuffer(content, np.uint8, 4 * count, place + 4).reshape(-1, 4)[:, :3]
    if (places >= np.array(size)).any():
        raise BadSample("a broken .vox file: cells outside of the model")
    cells = np.zeros(size, bool)
    cells[tuple(places.T)] = True
    return cells


def _binvox(content):
    """A file of Patrick Min's binvox: lines of text up to "data", then pairs (value, count) of bytes.

    Cells come in the order x, z, y, where y is up: as (x, z, y) they are in our order of axes at once.
    """
    head, found, data = content.partition(b"\ndata")
    lines = head[:2000].decode("ascii", "replace").splitlines()
    size = next((line.split()[1:] for line in lines if line.startswith("dim")), None)
    if not found or size is None or len(size) != 3 or not all(edge.isdecimal() for edge in size):
        raise BadSample("a broken .binvox file: no dimensions or no data")
    size = tuple(map(int, size))
    if min(size) < 1 or max(size) > MOST_CELLS:
        raise BadSample(f"{'x'.join(map(str, size))} cells; 1 to {MOST_CELLS} along an edge are read")
    data = data.split(b"\n", 1)[1] if b"\n" in data[:2] else data[1:]
    pairs = np.frombuffer(data[: len(data) // 2 * 2], np.uint8).reshape(-1, 2)
    counts = pairs[:, 1].astype(np.int64)
    needed = int(np.prod(size))
    if counts.sum() != needed:
        raise BadSample(f"{counts.sum()} cells, where {needed} are announced: cut short, or damaged")
    return np.repeat(pairs[:, 0] > 0, counts).reshape(size)


def _npz(content):
    """The volume of a `.npz` file that holds one."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        key = next((key for key in KEYS if key in archive.files), None)
        if key is None and len(archive.files) != 1:
            raise BadSample(f"no array 'voxels' in it; it holds: {', '.join(archive.files)[:200]}")
        key = key or archive.files[0]
        part = archive.zip.getinfo(f"{key}.npy")
        check_memory(part.file_size, part.compress_size, _UNPACKED)
        if part.file_size > 8 * MOST_CELLS**3 + 4096:
            raise BadSample(f"{part.file_size:,} bytes, more than {MOST_CELLS} cells along each edge take")
        return as_cells(member(archive, key))


# Meshes --------------------------------------------------------------------------------------------------------------


def _mesh(content, ending, size):
    """A closed mesh as cells: those whose middle is inside, `_FINER` times as many along its longest edge as wanted."""
    if len(content) > MOST_BYTES:
        raise BadSample(f"{len(content):,} bytes; meshes are read up to {MOST_BYTES:,}: make it simpler")
    with np.errstate(all="ignore"):  # of corners that are no numbers, about which a message follows
        mesh = _opened(content, ending)
        is_closed = mesh.is_watertight
    corners = np.asarray(mesh.vertices, "float64")[np.asarray(mesh.faces)]
    if not len(corners) or not np.isfinite(corners).all():
        raise BadSample("no triangles in it, or corners that are no numbers")
    if len(corners) > MOST_FACES:
        raise BadSample(f"{len(corners):,} triangles; up to {MOST_FACES:,} are read: make it simpler")
    if not is_closed:
        raise BadSample("a mesh that is not closed, of which nobody knows what is inside; close its holes")
    if ending in UPRIGHT:
        corners = np.stack([corners[..., 0], -corners[..., 2], corners[..., 1]], axis=-1)
    return filled(corners, min(_FINER * size, MOST_CELLS))


def _opened(content, ending):
    """A `trimesh.Trimesh`. Other files that it names, such as textures, are neither looked for nor fetched."""
    try:
        import trimesh
    except ImportError:
        raise ImportError(f"The data hold {MESHES[ending]} files, which need trimesh: {EXTRA}") from None
    try:
        loaded = trimesh.load(io.BytesIO(content), file_type=ending, force="mesh", skip_materials=True)
        loaded.merge_vertices(merge_tex=True, merge_norm=True)
    except Exception as error:
        raise BadSample(f"no {MESHES[ending]} file that can be read ({reason(error)})") from None
    return loaded


def filled(corners, size):
    """Cells whose middle is inside of closed surfaces.

    A line upwards through the middle of a cell enters and leaves what is inside, by turns, where it crosses triangles.

    Args:
        corners: floats (n, 3, 3), of n triangles.
        size: cells along the longest edge of the box around them.

    Returns:
        bool (x, y, z).
    """
    low = corners.min(axis=(0, 1))
    extent = corners.max(axis=(0, 1)) - low
    if not extent.max() > 0:
        raise BadSample("a mesh without extent")
    edge = extent.max() / size
    corners = (corners - low) / edge
    shape = np.maximum(1, np.ceil(extent / edge - 1e-6).astype(int))
    crossings = np.zeros((shape[0], shape[1], shape[2] + 1), np.uint8)
    first = np.clip(np.floor(corners[..., :2].min(axis=1) - 0.5).astype(int), 0, shape[:2])
    last = np.clip(np.ceil(corners[..., :2].max(axis=1) + 0.5).astype(int), first, shape[:2])
    ends = np.cumsum(np.prod(last - first, axis=1))  # of the lines that may meet each triangle
    begin = 0
    while begin < len(corners):  # as many triangles at a time as some lines make up
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _LINES, "right")))
        _cross(corners[begin:end], first[begin:end], last[begin:end], crossings)
        begin = end
    # From a crossing on, all cells above it change sides.
    return np.bitwise_xor.accumulate(crossings, axis=2)[..., :-1] > 0


def _cross(corners, first, last, crossings):
    """Notes where lines upwards through the middles of cells cross triangles: in the first cell whose middle is above.

    A line that meets the edge of two triangles must count once. So lines stand beside the middles, by a shift too small
    to be seen, where no edge that anybody draws lies.
    """
    sides = last - first
    counts = np.prod(sides, axis=1)
    which = np.repeat(np.arange(len(corners)), counts)
    place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    i, j = first[which, 0] + place // sides[which, 1], first[which, 1] + place % sides[which, 1]
    x, y = i + 0.5 + 1.3e-7, j + 0.5 + 3.7e-7
    a, b, c = (corners[which, corner] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):  # of upright triangles, which no line upwards crosses
        of_b = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
        of_c = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
        height = a[:, 2] + of_b * (b[:, 2] - a[:, 2]) + of_c * (c[:, 2] - a[:, 2])
        inside = (area != 0) & (of_b >= 0) & (of_c >= 0) & (of_b + of_c <= 1)
    cell = np.clip(np.ceil(height[inside] - 0.5), 0, crossings.shape[2] - 1).astype(int)
    np.bitwise_xor.at(crossings, (i[inside], j[inside], cell), 1)
