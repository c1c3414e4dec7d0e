"""What lies in folders and zip files that others made: links, names of any kind, damage, what kerasgan wrote there."""

import gc
import json
import os
import tracemalloc
import zipfile

import pytest
from pictures import encode, plain, reds

from kerasgan import cli, export, registry, runs
from kerasgan.convert import convert
from kerasgan.data import audio, crops, images, pairs, picture, unpaired
from kerasgan.data.files import BadSample, find_files
from kerasgan.data.reading import read_usable


def names(*paths, **options):
    found = find_files(paths, **options)
    return [found.item_name(index) for index in found.items()]


def pack(path, members):
    """A zip file of (name or `ZipInfo`, content) pairs, with the names as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, content)
    return path


# Links ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(tmp_path, folder):
    """The folders cats/ and dogs/, of which cats/ is a link."""
    os.rename(folder / "cats", tmp_path / "store")
    os.symlink(tmp_path / "store", folder / "cats")
    return folder


@pytest.mark.parametrize("cache", [True, False])
def test_folders_that_are_links_are_entered(linked, cache):
    dataset = images(linked, 8, 12, labels=True, cache=cache)
    assert (dataset.class_names, dataset.count) == (["cats", "dogs"], 12)
    assert images(linked, 8, 6, subset="cats", cache=cache).count == 6


def test_all_readers_enter_them(tmp_path, linked, write):
    for number in range(6):  # partners of the cats
        write(f"dogs/{2 * number:02}.png", encode(plain(200)))
    assert pairs(linked, 8, 1, keys=("cats", "dogs")).count == 6
    assert unpaired(linked, 8, 1, keys=("cats", "dogs")).count == 12
    assert crops(linked, 8, 1, per_image=2).count == 36
    assert convert(linked, tmp_path / "out.zip", 8, labels=True) == 18
    assert images(tmp_path / "out.zip", 8, 1, labels=True).class_names == ["cats", "dogs"]


def test_loops_of_links_end_and_two_links_are_two_classes(tmp_path, write):
    for name in ("a/1.png", "b/2.png"):
        write(name, b"")
    for link, target in (("a/up", "."), ("a/other", "b"), ("b/other", "a"), ("b/self", "b/self")):
        os.symlink(write.root / target, write.root / link)
    found = names(write.root)
    assert {name for name in found if name.count("/") == 1} == {"a/1.png", "b/2.png", "b/self"}
    assert len(found) == len(set(found)) < 20  # by either way once
    (tmp_path / "classes").mkdir()
    for name in ("first", "second"):
        os.symlink(write.root / "a", tmp_path / "classes" / name)
    os.unlink(write.root / "a" / "up")
    os.unlink(write.root / "a" / "other")
    found = find_files([tmp_path / "classes"], with_labels=True)
    assert (found.class_names, found.labels.tolist()) == (["first", "second"], [0, 1])


def test_a_maze_of_links_is_refused(tmp_path):
    folders = [tmp_path / str(number) for number in range(9)]
    for folder in folders:
        folder.mkdir()
        for other in folders:
            os.symlink(other, folder / f"to{other.name}")
    with pytest.raises(ValueError, match="its links lead to .* by more than 100 ways"):
        names(tmp_path)


# Files that cannot be opened -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", [True, False])
def test_dead_links_pipes_and_names_that_are_no_text_do_not_end_the_reading(folder, cache):
    os.symlink("/nowhere/3.png", folder / "cats" / "dead.png")
    os.mkfifo(folder / "cats" / "pipe.png")
    os.rename(folder / "cats" / "00.png", os.fsencode(folder) + b"/cats/caf\xe9.png")
    os.rename(folder / "dogs", os.fsencode(folder) + b"/hund\xe9")
    with pytest.warns(UserWarning) as caught:
        dataset = images(folder, 8, 12, labels=True, cache=cache)
    message = str(caught[0].message)
    assert "dead.png: a link to '/nowhere/3.png', which is not there" in message
    assert "pipe.png: no ordinary file" in message
    assert dataset.count == 12 and dataset.class_names == ["cats", "hund\\xe9"]
    assert sorted(reds(next(iter(dataset))[0])) == list(range(0, 120, 10))
    with pytest.raises(ValueError, match="cats/dead.png: a link to.*on_error='skip'"):
        images(folder, 8, 12, on_error="raise", cache=cache)


def test_other_readers_and_convert_pass_over_them_too(tmp_path, folder, write):
    for name, target in (("b/00.png", "/nowhere"), ("b/02.png", folder / "cats" / "02.png")):
        (write.root / "b").mkdir(exist_ok=True)
        os.symlink(target, write.root / name)
    os.rename(folder / "cats" / "04.png", os.fsencode(folder) + b"/cats/caf\xe9.png")
    (write.root / "b" / "02.txt").write_text("beside the picture")
    for cache in (True, False):
        with pytest.warns(UserWarning, match="00: a link to '/nowhere'|without a partner|02.txt"):
            dataset = pairs(write.root, 8, 1, keys=("cats", "b"), cache=cache)
            assert [reds(a) for a, b in dataset][0] == [20]
    with pytest.warns(UserWarning, match="b/00.png: a link to"):
        assert convert(folder, tmp_path / "out.zip", 8) == 13
    with pytest.warns(UserWarning, match="b/00.png: a link to"):
        assert crops(folder, 8, 1, per_image=1).count == 13


def test_zip_files_of_other_systems_keep_their_folders(tmp_path):
    content = encode(plain(7))
    members = ["cats\\1.png", "/cats/2.png", "../../dogs/3.png", ".\\dogs\\4.png", "__MACOSX\\cats\\._1.png", "dogs\\"]
    path = pack(tmp_path / "set.zip", [(name, content) for name in members])
    dataset = images(path, 8, 4, labels=True)
    assert (dataset.class_names, dataset.count) == (["cats", "dogs"], 4)
    assert names(path, subset="cats") == ["1.png", "2.png"]


def test_zip_members_that_cannot_be_unpacked_are_named(tmp_path):
    content = encode(plain(7))
    path = pack(tmp_path / "set.zip", [(name, content) for name in ("good.png", "method.png", "secret.png", "tie.png")])
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\1\2")
    entries = {}
    while at >= 0:
        entries[bytes(data[at + 46 :].split(b".png")[0])] = at
        at = data.find(b"PK\1\2", at + 1)
    data[entries[b"method"] + 10] = 77
    data[entries[b"secret"] + 8] |= 1
    data[entries[b"tie"] + 40 : entries[b"tie"] + 42] = b"\xff\xa1"  # a symbolic link
    path.write_bytes(data)
    for cache in (True, False):
        with pytest.warns(UserWarning) as caught:
            assert images(path, 8, 1, cache=cache).count == 1
        for part in (
            "3 of 4",
            "method.png: cannot be opened: That compression",
            "password",
            "tie.png: a symbolic link",
        ):
            assert part in str(caught[0].message)


# What kerasgan wrote there -------------------------------------------------------------------------------------------


def test_run_folders_and_results_of_convert_are_no_data(folder, write):
    before = images(folder, 8, 12, labels=True)
    for name in ("runs/one/recipe.json", "runs/one/model.keras", "runs/one/samples/1.png", "runs/one/samples.png"):
        write(name, encode(plain(3)))
    convert_to = folder / "cats" / "small.zip"
    with pytest.warns(UserWarning, match="holds 'runs/one', a run folder: no data, and left out"):
        assert convert(folder, convert_to, 8) == 12
        assert convert(folder, folder / "shards", 8) == 12
    with pytest.warns(
        UserWarning, match="'cats/small.zip', 'runs/one', 'shards', made by kerasgan: .*left out"
    ) as seen:
        after = images(folder, 8, 12, labels=True)
        assert convert(folder, convert_to, 8) == 12  # as before: it is done
    assert seen[0].filename == __file__
    assert (after.fingerprint, after.class_names) == (before.fingerprint, before.class_names)
    assert images(folder / "runs/one/samples", 8, 1).count == 1  # who asks for them gets them


def test_a_recipe_beside_pictures_is_no_run(write):
    for name in ("soup/recipe.json", "soup/1.png"):
        write(name, b"")
    assert names(write.root) == ["soup/1.png", "soup/recipe.json"]


# Memory --------------------------------------------------------------------------------------------------------------


def test_large_files_that_are_no_images_are_not_read(write):
    for number in range(8):
        write(f"{number}.mp4", bytes(4 * 2**20))
    write("photo.png", encode(plain(1)))
    gc.collect()
    tracemalloc.start()
    with pytest.warns(UserWarning, match="8 of 9"):
        images(write.root, 8, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * 2**20


def test_what_was_skipped_is_not_kept_in_memory(write):
    """An exception that is kept keeps, by its traceback, all that was in memory when it was raised."""
    for number in range(8):
        write(f"{number}.png", encode(plain(1)) + bytes(4 * 2**20))
    found, bad = find_files([write.root]), []

    def refuse(item):
        content = found.read(item)
        raise BadSample(f"{len(content)} bytes")

    tracemalloc.start()
    assert not list(read_usable(refuse, found, bad)) and len(bad) == 8
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4 * 2**20


# No name at all ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        lambda: images("", 8),
        lambda: images(["", "photos"], 8),
        lambda: images("photos", 8, data_dir=""),
        lambda: crops("", 8),
        lambda: audio(""),
        lambda: pairs("", 8),
        lambda: pairs(("photos", ""), 8),
        lambda: unpaired(("", "photos"), 8),
        lambda: picture(""),
        lambda: convert("", "out.zip", 8),
        lambda: convert("photos", "", 8),
        lambda: runs.read_originals(""),
        lambda: runs.load(""),
        lambda: runs.recipe_of(""),
        lambda: runs.check_run(""),
        lambda: runs.train(registry.resolve("dcgan"), "photos", ""),
        lambda: export.check_new("", ".tflite", False),
        lambda: export.check_new("", "", True),
    ],
)
def test_an_empty_string_is_no_path(write, monkeypatch, read):
    """It would be the current folder, which holds what could be read."""
    write("photos/1.png", encode(plain(1)))
    monkeypatch.chdir(write.root)
    before = sorted(write.root.rglob("*"))
    with pytest.raises(ValueError, match=r"(source|data_dir|path|out|name|folder|Domain ''|Domain A: source) is empty"):
        read()
    assert sorted(write.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["train", "dcgan", "--data", "", "--out", "run"], "--data"),
        (["train", "dcgan", "--data", "photos", "--out="], "--out"),
        (["train", "", "--data", "photos", "--out", "run"], "auto|NAME|TYPE|RUN"),
        (["generate", "dcgan_celeba", "-o", ""], "--out"),
        (["translate", "pix2pix_noto2twemoji", ""], "PICTURE"),
        (["translate", "", "a.png"], "NAME|RUN|FILE"),
        (["upscale", "x", "a.png", "--out", ""], "--out"),
        (["convert", "", "--out", "o.zip", "--size", "8"], "SOURCE"),
        (["convert", "photos", "--out", "", "--size", "8"], "--out"),
        (["convert", "photos", "--out", "o", "--size", "8", "--data_dir", ""], "--data_dir"),
        (["evaluate", "dcgan_celeba", "--data", ""], "--data"),
        (["evaluate", "dcgan_celeba", "--data", "photos", "-o", ""], "--out"),
        (["report", ""], "RUN"),
        (["export", "dcgan_celeba", "--web", ""], "--web"),
        (["serve", ""], "NAME|RUN|FILE"),
    ],
)
def test_commands_refuse_it_by_name(capsys, tmp_path, monkeypatch, words, called):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    assert f"error: {called} is empty; give a path" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_new_files_are_kept_out_of_the_data_of_a_run(tmp_path):
    run = tmp_path / "photos" / "run"
    run.mkdir(parents=True)
    recipe = {"name": "dcgan", "gan_type": "dcgan", "data": {"reader": "images"}}
    (run / "recipe.json").write_text(json.dumps({"recipe": recipe, "data": str(tmp_path / "photos")}))
    for name in ("photos/new.png", "photos/cats/new.png"):
        with pytest.raises(ValueError, match="new.png' lies in .*photos', the data of .*run'"):
            runs.check_outside_data(run, tmp_path / name)
    for name in ("new.png", "photos2/new.png", "photos/run/new.png"):
        runs.check_outside_data(run, tmp_path / name)
