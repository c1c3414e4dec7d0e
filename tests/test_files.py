"""Writing files whole or not at all."""

import os

import pytest

from kerasgan import files


def test_atomic_replaces_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "new" / "model.weights.h5"
    with files.atomic(path) as temporary:
        assert temporary.name.endswith("model.weights.h5") and temporary.parent == path.parent
        temporary.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"

    path.write_text("second")
    with open(path) as reader:
        with files.atomic(path) as temporary:
            temporary.write_text("third")
        assert reader.read() == "second"  # who reads the old file is not disturbed

    with pytest.raises(RuntimeError), files.atomic(path) as temporary:
        temporary.write_text("half of the fou")
        raise RuntimeError
    assert path.read_text() == "third"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_check_output_leaves_nothing_behind(tmp_path):
    assert files.check_output(tmp_path / "a" / "b.png", (".png",)) == tmp_path / "a" / "b.png"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "x.pgn", "x"])
def test_check_output_rejects_names(tmp_path, name):
    with pytest.raises(ValueError, match="--out"):
        files.check_output(name and tmp_path / name, (".png", ".jpg"), name="--out")


def test_check_output_rejects_places(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
        files.check_output(tmp_path / "file" / "x.png")
    with pytest.raises(IsADirectoryError, match="name of a file"):
        files.check_output(tmp_path)
    with pytest.raises(IsADirectoryError, match="name of a file"):
        files.check_output(f"{tmp_path}/new/")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write in")
def test_check_output_rejects_a_folder_that_cannot_be_written():
    with pytest.raises(OSError, match="nothing can be written in '/proc"):
        files.check_output("/proc/self/x.png")


@pytest.mark.skipif(not os.path.exists(os.devnull), reason="needs a device")
def test_check_output_spares_devices():
    with pytest.raises(OSError, match="not an ordinary file"):
        files.check_output(os.devnull)
