"""Files of arrays whose members are none: numpy gives their bytes, which no reader may take for an array."""

import zipfile

import pytest

from kerasgan import data

READERS = {
    "density": lambda path: data.fields(path, size=8, batch_size=1, on_error="raise"),
    "rolls": lambda path: data.music(path, bars=1, beats=1, resolution=2, batch_size=1, on_error="raise"),
    "sketches": lambda path: data.sketches(path, batch_size=1, on_error="raise"),
    "voxels": lambda path: data.volumes(path, size=8, batch_size=1, on_error="raise"),
}


@pytest.mark.parametrize("name", READERS)
def test_bytes_are_no_array(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(f"{name}.npy", b"no array at all")
        archive.writestr("velocity.npy", b"nor this")
    with pytest.raises(ValueError, match=f"'{name}' in it is no array"):
        READERS[name](tmp_path)
