"""Folders and zip files of small pictures."""

import zipfile

import pytest
from pictures import encode, plain


@pytest.fixture
def write(tmp_path):
    """write("a/1.png", content) makes a file under the folder, which write.root names."""

    def write(name, content):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = tmp_path / "whole"
        whole.write_bytes(content)
        return whole.replace(path)  # at once, so that a pipeline that reads on meanwhile never meets half of it

    write.root = tmp_path / "set"
    return write


@pytest.fixture
def folder(write):
    """Twelve plain pictures with reds 0, 10, ..., 110: the even ones in cats/, the others in dogs/."""
    for number in range(12):
        write(f"{('cats', 'dogs')[number % 2]}/{number:02}.png", encode(plain(10 * number)))
    return write.root


@pytest.fixture
def zipped(tmp_path, folder):
    """The same pictures in a zip file, under train/."""
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, f"train/{file.relative_to(folder).as_posix()}")
    return path
