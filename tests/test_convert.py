"""kerasgan convert: the pixels of its results, and that nothing is lost or mixed whatever happens on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import zipfile

import filelock
import numpy as np
import PIL.Image
import pytest

from kerasgan import cli, data
from kerasgan import convert as convert_module
from kerasgan.convert import convert

TARGETS = pytest.mark.parametrize("name", ["photos.zip", "shards"])
SMALL = {"shard_mb": 0.002}  # a few images of 8x8


@pytest.fixture
def photos(tmp_path):
    """24 pictures of different sizes with alpha in two folders, some of them JPEG, and a file that is none."""
    random = np.random.default_rng(0)
    for i in range(24):
        path = tmp_path / "photos" / ("cats", "dogs")[i % 2] / f"{i:02}.{('png', 'jpg')[i % 3 == 0]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (10 + i, 14, 3 if path.suffix == ".jpg" else 4), dtype="uint8")
        PIL.Image.fromarray(pixels).save(path)
    (tmp_path / "photos" / "notes").mkdir()
    (tmp_path / "photos" / "notes" / "read me.txt").write_text("no image")
    return tmp_path / "photos"


pytestmark = pytest.mark.filterwarnings("ignore:1 of 25 items")


def content(folder):
    """Everything below a folder, or in a file, by name."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else [folder]
    return {str(path.relative_to(folder.parent)): path.read_bytes() for path in files}


def whole(source, **options):
    """All images and labels of a source, in order."""
    dataset = data.images(source, **{"size": 8, "batch_size": 24, "shuffle": False, **options})
    (batch,) = dataset
    return [part.numpy() for part in (batch if isinstance(batch, tuple) else [batch])], dataset.class_names


@TARGETS
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"channels": 1, "crop": "pad", "filter": "lanczos"},
        {"channels": 4, "crop": (2, 1, 9, 8), "filter": "box"},
        {"size": (6, 12), "filter": "bilinear"},
    ],
    ids=str,
)
def test_the_result_has_the_pixels_of_the_source(photos, tmp_path, name, options):
    size = options.pop("size", 8)
    assert convert(photos, tmp_path / name, size, labels=True, **options, **SMALL) == 24
    (direct, labels), class_names = whole(photos, size=size, labels=True, **options)
    reading = {"size": size, "channels": options.get("channels", 3)}
    (found, found_labels), found_names = whole(tmp_path / name, labels=True, **reading)
    np.testing.assert_array_equal(found, direct)
    np.testing.assert_array_equal(found_labels, labels)
    assert found_names == class_names == ["cats", "dogs"]
    np.testing.assert_array_equal(whole(tmp_path / name, **reading, cache=False)[0][0], direct)


def test_filters_differ(photos):
    found = [whole(photos, filter=name)[0][0] for name in ("bicubic", "lanczos", "bilinear", "box")]
    assert all(np.abs(a - b).max() > 0.01 for i, a in enumerate(found) for b in found[:i])
    np.testing.assert_array_equal(found[0], whole(photos)[0][0])
    with pytest.raises(ValueError, match="filter='nearest' must be one of 'bicubic'"):
        data.images(photos, 8, filter="nearest")


def test_shards_are_of_the_size_that_was_asked_for(photos, tmp_path):
    convert(photos, tmp_path / "shards", 8, shard_mb=4 * (8 * 8 * 3 + 128) / 2**20)
    assert len(list((tmp_path / "shards").glob("*.tfrecord"))) == 6  # a seventh would hold nothing: file 25 is no image
    assert max(path.stat().st_size for path in (tmp_path / "shards").glob("*.tfrecord")) <= 4 * (8 * 8 * 3 + 128)


@TARGETS
def test_numbers_of_classes_stay(tmp_path, name):
    """In folders, too, whose names sort "10" before "2"."""
    labels = np.arange(24) % 12
    np.savez(tmp_path / "set.npz", x=np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype="uint8"), y=labels)
    assert convert(tmp_path / "set.npz", tmp_path / name, 8, channels=1, labels=True, **SMALL) == 24
    (images, found), _ = whole(tmp_path / name, channels=1, labels=True)
    expected, _ = whole(tmp_path / "set.npz", channels=1, labels=True)
    order = np.argsort(labels, kind="stable") if name.endswith("zip") else slice(None)
    np.testing.assert_array_equal(found, expected[1][order])
    np.testing.assert_array_equal(images, expected[0][order])


def test_names_of_classes_that_are_no_names_of_folders_in_their_order():
    assert convert_module._folder_names(["b/c", "a", ".d", None], [0, 2, 1]) == {0: "0_b_c", 1: "1_a", 2: "2__d"}
    assert convert_module._folder_names(["a", "b/c", None], [0, 1]) == {0: "a", 1: "b_c"}


def test_shards_can_be_converted_again(photos, tmp_path):
    convert(photos, tmp_path / "large", 16, labels=True, **SMALL)
    convert(tmp_path / "large", tmp_path / "small.zip", 8, labels=True)
    direct, _ = whole(tmp_path / "large", labels=True)
    (images, labels), class_names = whole(tmp_path / "small.zip", labels=True)
    np.testing.assert_array_equal(images, direct[0])
    np.testing.assert_array_equal(labels, direct[1])
    assert class_names == ["cats", "dogs"]


def test_unusable_images_are_named(photos, tmp_path):
    with pytest.warns(UserWarning, match="1 of 25 items of .*notes/read me.txt: not an image"):
        convert(photos, tmp_path / "shards", 8)


# Interruptions ------------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


def stop_in(monkeypatch, name, number, error):
    """Lets the function `name` of the module raise an error when it is called for the time `number`, from 0 on."""
    function, calls = getattr(convert_module, name), iter(range(number, -1, -1))

    def stopping(*arguments):
        if next(calls, None) == 0:
            raise error
        return function(*arguments)

    monkeypatch.setattr(convert_module, name, stopping)


@TARGETS
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("to_pixels", 13),
        ("write_shard", 2),
        ("_sha256", 3),
        ("_write_json", 0),
        ("_write_json", 4),
        ("_class_names", 0),
    ],
)
@pytest.mark.parametrize("error", [Stop(), OSError(errno.ENOSPC, "No space left on device")], ids=["stop", "disk full"])
def test_interrupted_anywhere_it_goes_on_to_the_same_result(
    photos, tmp_path, monkeypatch, name, function, number, error
):
    convert(photos, tmp_path / "undisturbed" / name, 8, labels=True, **SMALL)
    with monkeypatch.context() as patch:
        stop_in(patch, function, number, error)
        with pytest.raises(type(error)):
            convert(photos, tmp_path / name, 8, labels=True, **SMALL)
    assert not (tmp_path / name).exists()
    convert(photos, tmp_path / name, 8, labels=True, **SMALL)
    assert content(tmp_path / name) == content(tmp_path / "undisturbed" / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "photos", "undisturbed"])


def test_killed_it_keeps_the_parts_that_are_finished(photos, tmp_path, monkeypatch):
    code = (
        "import os, signal, sys\n"
        "from kerasgan import convert\n"
        "write, parts = convert.write_shard, iter(range(2, -1, -1))\n"
        "def killing(path, samples):\n"
        "    def some():\n"
        "        yield next(samples)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return write(path, some() if next(parts, None) == 0 else samples)\n"
        "convert.write_shard = killing\n"
        "convert.convert(sys.argv[1], sys.argv[2], 8, labels=True, shard_mb=0.002)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, photos, tmp_path / "shards"], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    working = tmp_path / ".shards.partial"
    kept = sorted(path.name for path in working.glob("[0-9]*"))
    assert kept == ["00000.json", "00000.tfrecord", "00001.json", "00001.tfrecord"]
    assert not (tmp_path / "shards").exists()
    assert list(working.glob(".kerasgan-*/00002.tfrecord"))  # half of the third

    made, prepare = [], convert_module.to_pixels
    monkeypatch.setattr(convert_module, "to_pixels", lambda *a: (made.append(0), prepare(*a))[1])
    convert(photos, tmp_path / "shards", 8, labels=True, **SMALL)
    finished = sum(len(shard["offsets"]) for shard in index(tmp_path / "shards")["shards"][:2])
    assert 0 < len(made) == 25 - finished
    convert(photos, tmp_path / "undisturbed" / "shards", 8, labels=True, **SMALL)
    assert content(tmp_path / "shards") == content(tmp_path / "undisturbed" / "shards")
    assert not working.exists()


def index(folder):
    return json.loads((folder / "shards.json").read_text())


@pytest.fixture
def half(photos, tmp_path, monkeypatch):
    """The working folder of a conversion to tmp_path / "shards" that was stopped in its fourth part."""
    with monkeypatch.context() as patch:
        stop_in(patch, "write_shard", 3, Stop())
        with pytest.raises(Stop):
            convert(photos, tmp_path / "shards", 8, **SMALL)
    return tmp_path / ".shards.partial"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_damaged_part_is_made_again(photos, tmp_path, half, damage):
    damage(half / "00001.tfrecord")
    with pytest.warns(UserWarning, match="00001.tfrecord' is damaged or gone; it is made again"):
        convert(photos, tmp_path / "shards", 8, **SMALL)
    np.testing.assert_array_equal(whole(tmp_path / "shards")[0], whole(photos)[0])


DAMAGED = [b"", b'{"version": 1, "siz', b"[]", b"\xff", b"[" * 100_000]


def test_damaged_notes_of_parts_make_them_again(photos, tmp_path, half):
    for number, damaged in enumerate([b'{"sha256": "', b'{"sha256": 1}', b"[" * 100_000]):
        (half / f"{number:05}.json").write_bytes(damaged)
    with pytest.warns(UserWarning, match="00001.json' is damaged or gone; it is made again"):
        convert(photos, tmp_path / "shards", 8, **SMALL)
    np.testing.assert_array_equal(whole(tmp_path / "shards")[0], whole(photos)[0])


def test_a_damaged_note_of_the_conversion_is_named(photos, tmp_path, half):
    note = half / convert_module.PLAN
    for damaged in DAMAGED:
        note.write_bytes(damaged)
        before = content(half)
        with pytest.raises(ValueError, match=f"{note}'.* is damaged.*remove its unfinished parts in '{half}'"):
            convert(photos, tmp_path / "shards", 8, **SMALL)
        assert content(half) == before


def test_a_result_with_a_damaged_note_is_refused(photos, tmp_path):
    (tmp_path / "shards").mkdir()
    for damaged in DAMAGED:
        (tmp_path / "shards" / "shards.json").write_bytes(damaged)
        with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
            archive.writestr(convert_module.PLAN, damaged)
        (tmp_path / "cut.zip").write_bytes((tmp_path / "out.zip").read_bytes()[:-30])
        for name in ("shards", "out.zip", "cut.zip"):
            with pytest.raises(ValueError, match=f"{name}' is there and was not made by kerasgan convert, or it is d"):
                convert(photos, tmp_path / name, 8)


def test_another_conversion_of_the_same_name_is_refused(photos, tmp_path, half):
    message = "another conversion \\(channels: there 3, now 1; size: there \\[8, 8\\], now \\[16, 16\\]\\)"
    with pytest.raises(ValueError, match=f"{message}.*unfinished parts in .*shards.partial"):
        convert(photos, tmp_path / "shards", 16, channels=1, **SMALL)
    convert(photos, tmp_path / "shards", 8, **SMALL)
    before = content(tmp_path / "shards")
    with pytest.raises(ValueError, match=f"{message}. Give another name, or remove .*/shards'"):
        convert(photos, tmp_path / "shards", 16, channels=1, **SMALL)
    assert content(tmp_path / "shards") == before


@TARGETS
def test_the_same_again_is_done_at_once_unless_the_source_has_changed(photos, tmp_path, monkeypatch, name):
    convert(photos, tmp_path / name, 8, **SMALL)
    before = content(tmp_path / name)
    monkeypatch.setattr(convert_module, "to_pixels", lambda *a: pytest.fail("worked again"))
    assert convert(photos, tmp_path / name, 8, **SMALL) == 24
    (photos / "cats" / "new.png").write_bytes(b"")
    with pytest.raises(ValueError, match="the files of the source have changed since"):
        convert(photos, tmp_path / name, 8, **SMALL)
    assert content(tmp_path / name) == before


def test_two_processes_do_not_write_the_same(photos, tmp_path, half):
    with filelock.FileLock(half / ".lock"), pytest.raises(OSError, match="another process is writing it"):
        convert(photos, tmp_path / "shards", 8, **SMALL)


def test_what_others_made_is_left_alone(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr("a.txt", "precious")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("precious")
    for name in ("mine.zip", "mine"):
        before = content(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}' is there and was not made by kerasgan convert"):
            convert(photos, tmp_path / name, 8)
        assert content(tmp_path / name) == before
    (tmp_path / "empty").mkdir()
    assert convert(photos, tmp_path / "empty", 8) == 24 and (tmp_path / "empty" / "shards.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size=0"),
        ({"channels": 2}, "channels=2 must be one of"),
        ({"crop": "left"}, "crop='left'"),
        ({"shard_mb": 0}, "shard_mb=0"),
        ({"key": "x"}, "key='x' means nothing"),
        ({"source": [1, 2]}, "source=.* must be a path"),
    ],
)
def test_mistakes_are_refused_before_any_work(photos, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        convert(**{"source": photos, "out": tmp_path / "new" / "shards", "size": 8, **arguments})
    assert not (tmp_path / "new").exists()


def test_a_source_without_any_image_leaves_no_result(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no image")
    with pytest.raises(ValueError, match="Nothing is left to train on: 1 of 1"):
        convert(tmp_path / "texts", tmp_path / "shards", 8)
    assert not (tmp_path / "shards").exists()


# The command --------------------------------------------------------------------------------------------------------


def test_the_command(photos, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out.zip"
    words = [
        "convert",
        str(photos),
        "--out",
        str(out),
        "--size",
        "6x12",
        "--crop",
        "0,1,9,8",
        "--labels",
        "--filter=box",
    ]
    with monkeypatch.context() as patch:
        stop_in(patch, "write_shard", 0, KeyboardInterrupt())
        assert cli.main(words) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert cli.main(words) == 0
    assert f"{out} holds 24 images." in capsys.readouterr().out
    expected = whole(photos, size=(6, 12), crop=(0, 1, 9, 8), labels=True, filter="box")[0]
    found = whole(out, size=(6, 12), labels=True)[0]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photos"], "Missing option '--out'"),
        (["photos", "--out", "x"], "--size is missing"),
        (["photos", "--out", "x", "--size", "a"], "'a' is no size"),
        (["photos", "--out", "x", "--size", "8", "--crop", "1,2,x,4"], "'--crop': 'x' is no whole number"),
        (["nowhere", "--out", "x", "--size", "8"], "'nowhere' does not exist"),
        (["photos", "--out", "photos/cats/02.jpg/x", "--size", "8"], "is a file, not a folder"),
        (["photos", "--out", "x", "--size", "8", "--subset", "birds"], "its folders are: cats, dogs, notes"),
    ],
)
def test_mistakes_in_the_command(photos, monkeypatch, capsys, words, message):
    monkeypatch.chdir(photos.parent)
    (photos / "cats" / "02.jpg").write_bytes(b"")
    assert cli.main(["convert", *words]) == 2
    assert message in capsys.readouterr().err
    assert os.listdir(".") == ["photos"]


def test_a_full_disk_is_an_error_of_the_system(photos, tmp_path, monkeypatch):
    import tensorflow as tf

    def full(self, record):
        raise tf.errors.ResourceExhaustedError(None, None, "part; No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.TFRecordWriter, "write", full)
        with pytest.raises(OSError, match=r"No space left on device.*tfrecord"):
            convert(photos, tmp_path / "out", 8)
    assert not (tmp_path / "out").exists()
    assert convert(photos, tmp_path / "out", 8) == 24  # once there is space, the same call goes on
