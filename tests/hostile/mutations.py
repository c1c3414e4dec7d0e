"""Damage: what falls on any bytes, and what somebody would do who knows the format.

Each mutation is a function of (bytes, random generator) that returns bytes; the same generator gives the same. What is
to be executed if anything is, names the module `hostile_canary`, which leaves a mark when it is imported or called.
"""

import copy
import io
import json
import pickle
import struct
import zipfile

import numpy as np

CANARY = "hostile_canary"
_BOMB = 2**29  # bytes that a small file unpacks to


def mutate(name, data, random):
    """A damaged version of a file's content."""
    own = _own(name)
    known = own and random.random() < 0.6
    return _choice(random, own if known else _BYTES)(data, random)


def kinds(subject, name):
    """All mutations that fit a file, each once."""
    rare = (RARE[subject],) if subject in RARE else ()
    return list(dict.fromkeys((*_own(name), *_BYTES, *rare)))


def _own(name):
    """Mutations of a file's format."""
    return next((known for ending, known in _FORMATS.items() if name.endswith(ending)), ())


def _choice(random, items):
    return items[random.integers(len(items))]


def _place(data, random):
    return int(random.integers(len(data) + 1))


# Any bytes -----------------------------------------------------------------------------------------------------------


def _flip_bits(data, random):
    data = bytearray(data)
    for _ in range(int(random.integers(1, 17))):
        if data:
            data[random.integers(len(data))] ^= 1 << random.integers(8)
    return bytes(data)


def _cut(data, random):
    return data[: _place(data, random)]


def _cut_out(data, random):
    start, end = sorted((_place(data, random), _place(data, random)))
    return data[:start] + data[end:]


def _put_in(data, random):
    place = _place(data, random)
    return data[:place] + random.bytes(int(random.integers(1, 64))) + data[place:]


def _zeros(data, random):
    start, end = sorted((_place(data, random), _place(data, random)))
    return data[:start] + bytes(end - start) + data[end:]


def _repeat(data, random):
    start, end = sorted((_place(data, random), _place(data, random)))
    return data[:end] + data[start:]


def _extreme(data, random):
    """A number at some place becomes one that is too large, or negative."""
    place = 4 * int(random.integers(len(data) // 4 + 1)) if random.random() < 0.5 else _place(data, random)
    number = _choice(
        random, [b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x7f" * 4, b"\xff" * 8, bytes(4)]
    )
    return data[:place] + number + data[place + len(number) :]


def _other(data, random):
    return _choice(random, [b"", b"\n", b"<html>404</html>", random.bytes(1000), pickle.dumps(_Payload())])


class _Payload:
    """Calls the canary when it is unpickled."""

    def __reduce__(self):
        import hostile_canary

        return hostile_canary.run, ()


_BYTES = (_flip_bits, _flip_bits, _cut, _cut_out, _put_in, _zeros, _repeat, _extreme, _extreme, _other)

# JSON ----------------------------------------------------------------------------------------------------------------

_NAMED = {"module": CANARY, "class_name": "Named", "config": {}, "registered_name": f"{CANARY}>Named"}
_FUNCTION = {"module": CANARY, "class_name": "function", "config": "run", "registered_name": "run"}
_LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wAAAAAAAAAA"}}
_GETTER = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
_VALUES = [None, True, -1, 0, 2**31, 2**70, 1e308, float("nan"), float("-inf"), "", "../../etc/passwd", "x" * 5000]
_VALUES += [[], {}, [[]], f"{CANARY}:run", f"{CANARY}:Named", CANARY, _NAMED, _FUNCTION, _LAMBDA, _GETTER]


def _other_value(data, random):
    """One to three values become something else, or go."""
    value = json.loads(data)
    for _ in range(int(random.integers(1, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key = _choice(random, places)
        if random.random() < 0.25:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(_choice(random, _VALUES))  # what is put in may itself be changed next
    return json.dumps(value).encode()


def _places(value):
    """Yields (list or dict, index or key) of all values inside."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _whole_value(data, random):
    return json.dumps(_choice(random, _VALUES)).encode()


def _deep(data, random):
    depth = _choice(random, [200, 900, 100_000])
    return _choice(random, [b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth])


def _deep_inside(data, random):
    """One value becomes lists in lists."""
    value, depth = json.loads(data), _choice(random, [50, 150, 900])
    holder, key = _choice(random, list(_places(value)))
    holder[key] = json.loads("[" * depth + "]" * depth)
    return json.dumps(value).encode()


def _more_text(data, random):
    return _choice(random, [b"\xef\xbb\xbf" + data, data + data, data.decode().encode("utf-16"), b"\xff" + data])


_JSON = (_other_value,) * 6 + (_whole_value, _deep, _deep_inside, _more_text)

# Archives ------------------------------------------------------------------------------------------------------------


def _within(inner):
    """A mutation of one part of a zip archive, which is packed again with right checksums."""

    def mutation(data, random):
        parts = _unpacked(data)
        name = _choice(random, list(parts))
        parts[name] = inner(name, parts[name], random)
        return _packed(parts)

    return mutation


def _unpacked(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def _part_goes(data, random):
    parts = _unpacked(data)
    del parts[_choice(random, list(parts))]
    return _packed(parts)


def _part_more(data, random):
    name = _choice(random, ["../outside", "/tmp/outside", "assets/../../outside", "a.py", "model.weights.npz", "x"])
    return _packed({**_unpacked(data), name: b"something"})


def _part_bomb(data, random):
    """A part that unpacks to much more than it is."""
    parts = _unpacked(data)
    parts[_choice(random, list(parts))] = bytes(_BOMB)
    return _packed(parts, zipfile.ZIP_DEFLATED)


def _in_config(data, random):
    """The configuration of a model names, or asks for, something else."""
    parts = _unpacked(data)
    if random.random() < 0.3:
        config = json.loads(parts["config.json"])
        numbers = [(h, k) for h, k in _places(config["config"]) if type(h[k]) is int] or [(config, "class_name")]
        holder, key = _choice(random, numbers)
        holder[key] = _choice(random, [0, -1, 10_000, 2**20, 2**31 - 1])
        parts["config.json"] = json.dumps(config).encode()
    else:
        parts["config.json"] = _choice(random, _JSON)(parts["config.json"], random)
    return _packed(parts)


def _in_weights(data, random):
    parts = _unpacked(data)
    parts["model.weights.h5"] = _choice(random, (*_H5, *_BYTES))(parts["model.weights.h5"], random)
    return _packed(parts)


_ZIP = (_within(mutate), _within(mutate), _part_goes, _part_more)
_KERAS = (_in_config,) * 4 + (_in_weights,) * 3 + _ZIP

# HDF5 ----------------------------------------------------------------------------------------------------------------


def _h5(change):
    """A mutation by h5py itself, so that the file is sound and means something else."""

    def mutation(data, random):
        import h5py

        file, names = io.BytesIO(data), []
        with h5py.File(file, "r+") as opened:
            opened.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
            if names:
                change(opened, _choice(random, names), random)
        return file.getvalue()

    return mutation


def _h5_huge(file, name, random):
    del file[name]
    shape = _choice(random, [(2**29,), (2**40,), (2**20, 2**12), (0,), (1, 1, 1, 1)])
    file.create_dataset(name, shape, "float32", chunks=True if all(shape) else None, compression=None)


def _h5_kind(file, name, random):
    import h5py

    del file[name]
    value = _choice(random, ["text", [b"bytes"], np.array(["a"], dtype=h5py.string_dtype()), 1.0, [1 + 2j]])
    file[name] = value


def _h5_elsewhere(file, name, random):
    import h5py

    shape = file[name].shape
    del file[name]
    file[name] = _choice(random, [h5py.SoftLink("/"), h5py.SoftLink("/gone"), h5py.ExternalLink("/etc/passwd", "/")])
    if random.random() < 0.5:
        del file[name]
        file.create_dataset(name, shape, "float32", external=[("/etc/passwd", 0, 4 * max(1, int(np.prod(shape))))])


def _h5_goes(file, name, random):
    del file[name]


_H5 = tuple(map(_h5, (_h5_huge, _h5_kind, _h5_elsewhere, _h5_goes)))

# NumPy ---------------------------------------------------------------------------------------------------------------


def _npy_header(data, random):
    """Another header before the same numbers."""
    end = 10 + struct.unpack("<H", data[8:10])[0]
    shape = _choice(
        random, ["(8, 12, 12, 3)", "(1099511627776, 12, 12, 3)", "(8, 99999, 99999, 3)", "(-1,)", "()", "8"]
    )
    dtype = _choice(random, ["'|u1'", "'|O'", "'<f8'", "'<U9'", "[('a', '|u1')]", "'x'", "__import__('os')"])
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return data[:6] + b"\x01\x00" + struct.pack("<H", len(header)) + header + data[end:]


def _npy_pickled(data, random):
    file = io.BytesIO()
    np.save(file, np.array([_Payload()] * 3, dtype=object), allow_pickle=True)
    return file.getvalue()


def _npy_long_header(data, random):
    header = b"(" * int(random.integers(1, 60_000))
    return data[:6] + b"\x01\x00" + struct.pack("<H", len(header)) + header


_NPY = (_npy_header, _npy_header, _npy_pickled, _npy_long_header)

# Sounds --------------------------------------------------------------------------------------------------------------


def _wav_header(data, random):
    """Another rate, number of channels or width."""
    place, kind = _choice(random, [(22, "<H"), (24, "<I"), (28, "<I"), (32, "<H"), (34, "<H"), (40, "<I"), (16, "<I")])
    top = 2 ** (8 * struct.calcsize(kind)) - 1
    number = _choice(random, [0, 1, 3, top, top // 2])
    return data[:place] + struct.pack(kind, number) + data[place + struct.calcsize(kind) :]


_FORMATS = {
    ".json": _JSON,
    ".keras": _KERAS,
    ".h5": _H5,
    ".npz": _ZIP,
    ".zip": _ZIP,
    ".npy": _NPY,
    ".wav": (_wav_header,),
}
RARE = {"keras": _part_bomb, "npz": _part_bomb, "pictures": _part_bomb}  # what takes seconds to make
