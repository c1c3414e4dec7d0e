"""Folders and zip files of images."""

import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from pictures import encode, plain, reds, to_pixels

from kerasgan.data import images

CACHES = pytest.mark.parametrize("cache", [True, False])


def one_batch(*arguments, **options):
    (batch,) = images(*arguments, shuffle=False, **options)
    return batch


def bomb(width, height):
    """A PNG file that says it is huge."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + checked + struct.pack(">I", 100) + b"IDAT"


def test_zip_and_folder_hold_the_same(folder, zipped):
    expected = one_batch(folder, 8, 12, labels=True)
    batch = one_batch(zipped, 8, 12, labels=True, subset="train")
    np.testing.assert_array_equal(batch[0], expected[0])
    np.testing.assert_array_equal(batch[1], expected[1])


def test_zip_is_not_unpacked(zipped):
    before = set(zipped.parent.rglob("*"))
    images(zipped, size=8, batch_size=4)
    assert set(zipped.parent.rglob("*")) == before


def test_subset_is_a_folder_of_either(folder, zipped):
    assert reds(one_batch(folder, 8, 6, subset="dogs")) == list(range(10, 120, 20))
    assert reds(one_batch(zipped, 8, 6, subset="train/dogs/")) == list(range(10, 120, 20))
    for source, folders in ((folder, "cats, dogs"), (zipped, "train")):
        with pytest.raises(ValueError, match=f"subset='birds' holds no files in .*; its folders are: {folders}"):
            images(source, size=8, subset="birds")


def test_several_sources_are_one_set(folder, zipped):
    dataset = images([folder, str(zipped)], 8, 24, labels=True)
    ((batch, labels),) = dataset
    assert dataset.class_names == ["cats", "dogs"]
    assert sorted(reds(batch)) == sorted([*range(0, 120, 10)] * 2)
    assert [red // 10 % 2 for red in reds(batch)] == labels.numpy().tolist()


def test_classes_are_the_first_folders_that_differ(write):
    for name in ("all/cat/tabby/1.png", "all/cat/2.png", "all/dog/3.png"):
        write(name, encode(plain(1)))
    dataset = images(write.root, size=8, batch_size=3, labels=True, shuffle=False)
    assert dataset.class_names == ["cat", "dog"] and dataset.class_counts == [2, 1]
    assert next(iter(dataset))[1].numpy().tolist() == [0, 0, 1]
    assert images(write.root, size=8, batch_size=3, labels=True, cache=False).class_counts == [2, 1]
    assert images(write.root, size=8, batch_size=3).class_counts is None


def test_one_folder_is_one_class(write):
    write("photos/cat/1.png", encode(plain(1)))
    assert images(write.root, size=8, batch_size=1, labels=True).class_names == ["cat"]


def test_a_folder_without_images_is_no_class(folder, write):
    write("bones/notes.txt", b"text")
    with pytest.warns(UserWarning, match="bones/notes.txt"):
        dataset = images(folder, size=8, batch_size=12, labels=True)
    assert dataset.class_names == ["cats", "dogs"]
    assert set(next(iter(dataset))[1].numpy()) == {0, 1}


def test_files_beside_the_class_folders_are_skipped_with_labels(folder, write):
    write("stray.png", encode(plain(1)))
    with pytest.warns(UserWarning, match="stray.png: in no class folder"):
        images(folder, size=8, batch_size=12, labels=True)
    assert 1 in reds(one_batch(folder, 8, 13))


def test_labels_need_folders(write):
    write("1.png", encode(plain(1)))
    with pytest.raises(ValueError, match="labels=True needs a sub-folder for each class"):
        images(write.root, size=8, batch_size=1, labels=True)


def test_splits_are_not_taken_for_classes(write):
    write("train/1.png", encode(plain(1)))
    write("test/1.png", encode(plain(1)))
    with pytest.raises(ValueError, match="splits test, train .* for classes; .* subset='train'"):
        images(write.root, size=8, batch_size=1, labels=True)


@CACHES
def test_files_that_are_no_images_are_named_in_one_warning(folder, write, cache):
    write("cats/notes.txt", b"no image at all")
    write("cats/empty.png", b"")
    write("dogs/huge.png", bomb(50_000, 50_000))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = images(folder, size=8, batch_size=12, cache=cache)
    (warning,) = caught
    for part in ("3 of 15", "cats/notes.txt: not an image", "cats/empty.png", "dogs/huge.png", "decompression bomb"):
        assert part in str(warning.message)
    assert warning.filename == __file__
    assert sorted(reds(next(iter(dataset)))) == list(range(0, 120, 10))


@CACHES
def test_files_that_are_no_images_are_an_error_on_request(folder, write, cache):
    write("cats/notes.txt", b"no image at all")
    with pytest.raises(ValueError, match="cats/notes.txt: not an image.*on_error='skip'"):
        images(folder, size=8, on_error="raise", cache=cache)


@CACHES
def test_a_set_of_unusable_files_is_an_error(write, cache):
    write("notes.txt", b"no image at all")
    with pytest.raises(ValueError, match="Nothing is left .* 1 of 1 .*notes.txt"):
        images(write.root, size=8, cache=cache)


def test_many_bad_files_make_a_short_warning(folder, write):
    for number in range(30):
        write(f"bad/{number:02}.txt", b"text")
    with pytest.warns(UserWarning, match="30 of 42 .*bad/09.txt: not an image[^;]*; and 20 more") as caught:
        images(folder, size=8, batch_size=12)
    assert "bad/10.txt" not in str(caught[0].message)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_truncated_files_are_found_before_training_where_images_stay_in_memory(folder, write, kind):
    content = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3)), kind)
    write("cats/cut", content[: len(content) // 2])
    with pytest.warns(UserWarning, match="1 of 13 .*cats/cut: .*truncated"):
        images(folder, size=8, batch_size=12)


def test_truncated_files_are_replaced_where_images_are_decoded_when_needed(folder, write):
    content = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3)), "JPEG")
    write("cats/cut.jpg", content[: len(content) // 2])
    dataset = images(folder, size=8, batch_size=13, labels=True, cache=False)
    for number in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ((batch, labels),) = dataset
        assert ["cats/cut.jpg" in str(warning.message) for warning in caught] == [True] * (1 - number)
        assert set(reds(batch)) == set(range(0, 120, 10))
        assert [red // 10 % 2 for red in reds(batch)] == labels.numpy().tolist()
    with pytest.raises(Exception, match="cats/cut.jpg: .*truncated"):
        list(images(folder, size=8, batch_size=13, cache=False, on_error="raise"))


def test_training_stops_when_the_files_disappear(write):
    for number in range(40):
        write(f"{number}.png", encode(plain(number)))
    dataset = images(write.root, 8, 4, cache=False)
    for file in write.root.iterdir():
        file.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception, match=r"[23]\d samples in a row cannot be read.*Is the data still there\?"):
            list(dataset)


def test_hidden_files_are_passed_over_in_silence(folder, write):
    for name in (".DS_Store", "cats/Thumbs.db", "__MACOSX/cats/._00.png", ".git/config"):
        write(name, b"not for us")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images(folder, size=8, batch_size=12)


def test_damaged_zip_members_are_skipped(tmp_path, zipped):
    content = bytearray(zipped.read_bytes())
    with zipfile.ZipFile(zipped) as archive:
        info = archive.getinfo("train/cats/04.png")
    start = info.header_offset + 30 + len(info.filename)
    content[start + 45] ^= 255
    zipped.write_bytes(content)
    with pytest.warns(UserWarning, match="train/cats/04.png: .*CRC"):
        assert sorted(reds(one_batch(zipped, 8, 11))) == sorted(set(range(0, 120, 10)) - {40})


def test_members_that_unpack_to_far_too_much_are_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_LIMIT_MB", "1")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * 2**22)
        archive.writestr("good.png", encode(plain(7)))
    with pytest.warns(UserWarning, match="bomb.png: it would take 4 MB .*KERASGAN_LIMIT_MB=4"):
        assert reds(one_batch(tmp_path / "bomb.zip", 8, 1)) == [7]


def test_a_postscript_program_is_no_image(write):
    write("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(ValueError, match="a.eps: not an image"):
        images(write.root, size=8)


def test_sources_that_are_not_there_or_not_readable(tmp_path, write):
    with pytest.raises(FileNotFoundError, match="source='.*nowhere' does not exist"):
        images(tmp_path / "nowhere", size=8)
    with pytest.raises(NotADirectoryError, match="single file; give its folder"):
        images(write("1.png", encode(plain(1))), size=8)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="source='.*empty' is empty"):
        images(tmp_path / "empty", size=8)
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 cut")
    with pytest.raises(ValueError, match="source='.*cut.zip' is not a whole zip file"):
        images(tmp_path / "cut.zip", size=8)
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    with pytest.raises(ValueError, match="source='.*none.zip' is empty"):
        images(tmp_path / "none.zip", size=8)
    with pytest.raises(ValueError, match="nothing that can be read"):
        images(None, size=8)


def test_a_box_that_reaches_outside_is_named(folder, write):
    write("cats/large.png", encode(plain(3, 16, 16)))
    with pytest.warns(UserWarning, match="12 of 13 .*cats/00.png: 8x8 pixels.*crop=\\(4, 2, 8, 8\\)"):
        assert to_pixels(one_batch(folder, 8, 1, crop=(4, 2, 8, 8))).shape == (1, 8, 8, 3)
