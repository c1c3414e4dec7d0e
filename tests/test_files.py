"""Writing files whole or not at all, and reading those of others."""

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from kerasgan import files


def test_atomic_replaces_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "new" / "model.weights.h5"
    with files.atomic(path) as temporary:
        assert temporary.name == "model.weights.h5" and temporary.parent.parent == path.parent
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


def test_atomic_folder_replaces_only_when_the_block_ends_well(tmp_path):
    page = tmp_path / "new" / "page"
    for text in ("first", "second"):
        with files.atomic_folder(page) as folder:
            (folder / "index.html").write_text(text)
        assert (page / "index.html").read_text() == text
    with pytest.raises(RuntimeError), files.atomic_folder(page) as folder:
        (folder / "index.html").write_text("half of the thi")
        raise RuntimeError
    assert (page / "index.html").read_text() == "second" and os.listdir(page.parent) == ["page"]


def test_what_is_replaced_comes_back_when_its_place_cannot_be_taken(tmp_path, monkeypatch):
    page, rename = tmp_path / "page", os.rename
    page.mkdir()

    def failing(source, target):
        if os.path.basename(source) == "new":
            raise PermissionError(errno.EACCES, "Permission denied", str(source), None, str(target))
        return rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(PermissionError) as error, files.atomic_folder(page):
        pass
    assert error.value.filename == str(page) and os.listdir(tmp_path) == ["page"]


# After kill -9 -------------------------------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from kerasgan import files

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

target, moment = sys.argv[1:]
if moment == "empty":
    with files.scratch(os.path.dirname(target)):
        kill()
if moment == "file":
    with files.atomic(target) as temporary:
        temporary.write_text("half")
        kill()
if moment == "between":  # what is replaced has left its place, the new one not taken it
    move = os.rename
    os.rename = lambda source, target: kill() if str(source).endswith("new") else move(source, target)
with files.atomic_folder(target) as folder:
    (folder / "new.html").write_text("new")
    if moment == "folder":
        kill()
"""


@pytest.mark.parametrize("moment", ["empty", "file", "folder", "between"])
def test_after_a_kill_the_place_is_put_in_order(tmp_path, moment):
    page = tmp_path / "page"
    if moment in ("folder", "between"):
        page.mkdir()
        (page / "old.html").write_text("old")
    done = subprocess.run([sys.executable, "-c", _KILLED, page, moment], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [name for name in os.listdir(tmp_path) if name != "page"] and page.exists() == (moment == "folder")
    files.check_folder(tmp_path)
    if moment in ("folder", "between"):
        assert os.listdir(tmp_path) == ["page"] and os.listdir(page) == ["old.html"]
    else:
        assert os.listdir(tmp_path) == []


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    (tmp_path / "page").mkdir()
    with files.atomic_folder(tmp_path / "page") as folder, files.scratch(tmp_path) as scratch:
        (folder / "new.html").write_text("new")
        (scratch / "half.tflite").write_text("half")
        code = "import sys; from kerasgan import files; files.sweep(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
        files.sweep(tmp_path)  # of the same process, too
        assert (folder / "new.html").is_file() and (scratch / "half.tflite").is_file()
        empty = tmp_path / ".kerasgan-empty"  # its owner may be about to lock it
        empty.mkdir()
        files.sweep(tmp_path)
        assert empty.is_dir()
    assert sorted(os.listdir(tmp_path)) == [empty.name, "page"] and os.listdir(tmp_path / "page") == ["new.html"]


def test_links_of_others_are_not_followed(tmp_path):
    mine, place = tmp_path / "mine" / "replaced" / "a.txt", tmp_path / "place"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    (place / ".kerasgan-2").mkdir(parents=True)
    (place / ".kerasgan-1").symlink_to(tmp_path / "mine")
    (place / ".kerasgan-2" / "half").write_text("")
    (place / ".kerasgan-2" / ".lock").symlink_to(mine)
    files.sweep(place)
    assert mine.read_text() == "precious" and os.listdir(tmp_path / "mine") == ["replaced"]


def test_what_cannot_be_put_back_is_not_removed(tmp_path, monkeypatch):
    kept = tmp_path / ".kerasgan-1" / "replaced" / "page" / "index.html"
    kept.parent.mkdir(parents=True)
    kept.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "denied")))
        files.sweep(tmp_path)
    assert kept.read_text() == "old"
    files.sweep(tmp_path)
    assert (tmp_path / "page" / "index.html").read_text() == "old" and os.listdir(tmp_path) == ["page"]


# Full disks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), r"\[Errno 28\] No space left on device \(free some space.*"),
        (PermissionError(errno.EACCES, "Permission denied"), r"\[Errno 13\] Permission denied"),
        (OSError("64 requested and 0 written"), r"\[Errno 5\] 64 requested and 0 written \(is the disk full\?\)"),
    ],
)
@pytest.mark.parametrize("writing", [files.atomic, files.atomic_folder])
def test_errors_of_the_system_name_what_was_to_be_written(tmp_path, writing, error, said):
    path = tmp_path / "out" / "page.html"
    with pytest.raises(type(error), match=f"^{said}: '{path}'$") as raised, writing(path):
        raise error
    assert raised.value.filename == str(path) and raised.value.errno == (error.errno or errno.EIO)
    assert os.listdir(path.parent) == []


def test_errors_with_words_of_their_own_keep_them(tmp_path):
    class Lost(OSError):
        pass

    for error in (
        FileNotFoundError("names: there is no file 'x'"),
        Lost("the data are gone"),
        FileExistsError(17, "", "y"),
    ):
        with pytest.raises(type(error)) as raised, files.atomic(tmp_path / "x"):
            raise error
        assert raised.value is error


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a file that is always full")
@pytest.mark.parametrize(
    "name", ["faces.png", "faces.jpg", "faces.webp", "faces.gif", "sounds.wav", "sounds.zip", "a.npy"]
)
def test_a_full_disk_is_said_with_the_name_of_the_file(tmp_path, monkeypatch, name):
    """For every kind of sample, and for whatever library writes it."""
    from kerasgan import media

    def full(**options):
        folder = tmp_path / ".kerasgan-full"
        folder.mkdir()
        (folder / name).symlink_to("/dev/full")
        return str(folder)

    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), "uint8")
    path, sounds = tmp_path / name, np.zeros((2, 20_000, 1), "float32")
    monkeypatch.setattr(files.tempfile, "mkdtemp", full)
    with pytest.raises(OSError) as error:
        if name.endswith("gif"):
            media.Image((64, 64, 3)).animate([images, images], path)
        elif name.startswith("faces"):
            media.Image((64, 64, 3)).save(images, path)
        elif name.startswith("sounds"):
            media.Audio(20_000, 16_000).save(sounds, path)
        else:
            media.Arrays((64, 64, 3)).save(images, path)
    assert repr(str(path)) in str(error.value) and ("No space" in str(error.value) or "disk full" in str(error.value))
    assert os.listdir(tmp_path) == []


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


@pytest.mark.parametrize("other", ["same", "relative", "link", "hard link", "folder"])
def test_check_apart(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    photo, folder = tmp_path / "photo.png", tmp_path / "photos"
    photo.write_text("")
    folder.mkdir()
    (tmp_path / "soft.png").symlink_to(photo)
    os.link(photo, tmp_path / "hard.png")
    names = {"same": photo, "relative": "photos/../photo.png", "link": "soft.png", "hard link": "hard.png"}
    with pytest.raises(FileExistsError, match="--out .* would be lost"):
        files.check_apart(names.get(other, "photos/"), ["nowhere", photo, folder], name="--out")
    files.check_apart("new.png", [photo, folder])


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write in")
def test_check_output_rejects_a_folder_that_cannot_be_written():
    with pytest.raises(OSError, match="nothing can be written in '/proc"):
        files.check_output("/proc/self/x.png")


@pytest.mark.skipif(not os.path.exists(os.devnull), reason="needs a device")
def test_check_output_spares_devices():
    with pytest.raises(OSError, match="not an ordinary file"):
        files.check_output(os.devnull)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"\xff", "can't decode"),
        (b"[" * 100_000, "nested deeper than 100 levels"),
        (b"[" * 150 + b"]" * 150, "nested deeper than 100 levels"),
        (b'{"a": 1}', "'b' is missing"),
        (b"3", "not subscriptable"),
        (b"1" * 5000, "limit"),
    ],
)
def test_json_that_is_not_what_it_should_be(tmp_path, content, reason):
    path = tmp_path / "notes.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"notes.json' is no note .*{reason}.*; write it again"):
        files.read_json(path, lambda value: value["b"], "is no note", "; write it again")
    with pytest.raises(FileNotFoundError, match="gone.json"):
        files.read_json(tmp_path / "gone.json")


def test_what_a_file_declares_is_held_against_its_bytes(tmp_path, monkeypatch):
    files.check_declared(300 * 2**20, 1000 * 2**20, "x")
    with pytest.raises(
        files.TooLarge, match="x would take 300 MB of memory, and has 1,000 bytes.*KERASGAN_LIMIT_MB=300"
    ):
        files.check_declared(300 * 2**20, 1000, "x")
    monkeypatch.setenv(files.LIMIT, "300")
    files.check_declared(300 * 2**20, 1000, "x")
    monkeypatch.setenv(files.LIMIT, "0")
    with pytest.raises(files.TooLarge):
        files.check_declared(2001, 1000, "x", times=2)
    (tmp_path / "long.json").write_text(json.dumps("long"))
    with pytest.raises(ValueError, match="long.json.*KERASGAN_LIMIT_MB raises that"):
        files.read_json(tmp_path / "long.json")
    monkeypatch.setenv(files.LIMIT, "much")
    with pytest.raises(ValueError, match="KERASGAN_LIMIT_MB='much': expected a whole number"):
        files.limit()


def test_errors_of_the_system_that_libraries_hide():
    with pytest.raises(OSError, match="out/part") as found, files.system_errors("out/part"):
        raise RuntimeError(f"cannot write: {os.strerror(errno.ENOSPC)} [Op:SaveV2]")
    assert found.value.errno == errno.ENOSPC
    with pytest.raises(RuntimeError, match="another"), files.system_errors("out/part"):
        raise RuntimeError("another error")
