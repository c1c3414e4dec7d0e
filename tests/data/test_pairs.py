"""Pairs of images and unpaired domains: every form in which users keep them, and what can be wrong with it."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from kerasgan import data


def picture(number, side=16, channels=3):
    """A picture whose every pixel says its number, darker to the right."""
    shade = np.linspace(200, 40, side).round().astype("uint8")
    pixels = np.broadcast_to(shade[None, :, None], (side, side, channels)).copy()
    pixels[..., 0] = number
    return pixels


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def two_folders(tmp_path):
    for i in range(6):
        save(tmp_path / "photos" / f"{i}.png", picture(i))
        save(tmp_path / "drawings" / f"{i}.png", picture(100 + i))
    return tmp_path


def read(dataset):
    """Both parts of all batches as pixels."""
    parts = zip(*((a.numpy(), b.numpy()) for a, b in dataset), strict=True)
    return [np.rint((np.concatenate(part) + 1) * 127.5).astype("uint8") for part in parts]


def numbers(images):
    return images[:, 0, 0, 0].astype(int)


def test_two_folders_are_paired_by_name(two_folders):
    for source, keys in (
        (two_folders, ("photos", "drawings")),
        ((two_folders / "photos", two_folders / "drawings"), None),
    ):
        a, b = read(data.pairs(source, 16, 2, keys=keys, shuffle=False))
        np.testing.assert_array_equal(numbers(a), range(6))
        np.testing.assert_array_equal(numbers(b), 100 + np.arange(6))
        np.testing.assert_array_equal(a[3], picture(3))
    b, a = read(data.pairs(two_folders, 16, 2, keys=("photos", "drawings"), shuffle=False, direction="b_to_a"))
    np.testing.assert_array_equal(numbers(a), range(6))


def test_files_without_a_partner_are_left_out_and_named(two_folders):
    save(two_folders / "photos" / "alone.png", picture(9))
    with pytest.warns(UserWarning, match="1 files without a partner of the same name are left out: alone"):
        assert data.pairs(two_folders, 16, 2, keys=("photos", "drawings")).count == 6
    with pytest.raises(ValueError, match="no file name in common"):
        save(two_folders / "others" / "x.png", picture(9))
        data.pairs((two_folders / "photos", two_folders / "others"), 16, 2)


def test_the_ending_does_not_matter_but_two_of_one_name_do(two_folders):
    (two_folders / "drawings" / "0.png").unlink()
    save(two_folders / "drawings" / "0.bmp", picture(100))
    assert data.pairs(two_folders, 16, 2, keys=("photos", "drawings")).count == 6
    save(two_folders / "drawings" / "0.png", picture(100))
    with pytest.raises(ValueError, match="several files of one name"):
        data.pairs(two_folders, 16, 2, keys=("photos", "drawings"))


def test_side_by_side_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "maps.zip", "w") as archive:
        for i in range(4):
            file = io.BytesIO()
            Image.fromarray(np.concatenate([picture(i), picture(50 + i)], axis=1)).save(file, "png")
            archive.writestr(f"train/{i}.png", file.getvalue())
    a, b = read(data.pairs(tmp_path / "maps.zip", 16, 2, subset="train", shuffle=False))
    np.testing.assert_array_equal(a[1], picture(1))
    np.testing.assert_array_equal(b[1], picture(51))


def test_an_odd_width_is_no_pair(tmp_path):
    save(tmp_path / "bad.png", np.zeros((16, 33, 3), "uint8"))
    save(tmp_path / "good.png", np.zeros((16, 32, 3), "uint8"))
    with pytest.warns(UserWarning, match="bad.png: 33 pixels wide, an odd number"):
        assert data.pairs(tmp_path, 16, 1).count == 1
    with pytest.raises(ValueError, match="odd number"):
        data.pairs(tmp_path, 16, 1, on_error="raise")


def test_images_of_a_pair_may_differ_in_scale_but_not_in_proportions(two_folders):
    save(two_folders / "drawings" / "0.png", np.full((32, 32, 3), 7, "uint8"))
    save(two_folders / "drawings" / "1.png", np.zeros((16, 24, 3), "uint8"))
    with pytest.warns(UserWarning, match="different proportions, 16x16 and 24x16 pixels"):
        a, b = read(data.pairs(two_folders, 16, 1, keys=("photos", "drawings"), shuffle=False))
    np.testing.assert_array_equal(numbers(a), [0, 2, 3, 4, 5])
    assert numbers(b)[0] == 7


def test_arrays_and_their_files(tmp_path):
    a, b = (np.stack([picture(start + i) for i in range(5)]) for start in (0, 100))
    np.savez(tmp_path / "pairs.npz", noto=a, other=b, kind=list("xyxyz"))
    for source, keys in ((tmp_path / "pairs.npz", ["noto", "other"]), ((a, b), None)):
        read_a, read_b = read(data.pairs(source, 16, 1, keys=keys, shuffle=False))
        np.testing.assert_array_equal(read_a, a)
        np.testing.assert_array_equal(read_b, b)
    read_a, read_b = read(
        data.pairs(tmp_path / "pairs.npz", 16, 1, keys=["noto", "other"], subset="kind=x|z", shuffle=False)
    )
    np.testing.assert_array_equal(read_a, a[[0, 2, 4]])
    np.testing.assert_array_equal(read_b, b[[0, 2, 4]])
    with pytest.raises(ValueError, match="as many of each"):
        data.pairs((a, b[:-1]), 16, 1)
    with pytest.raises(ValueError, match="It holds: noto, other"):
        data.pairs(tmp_path / "pairs.npz", 16, 1)


def test_both_images_are_mirrored_and_shifted_alike():
    a = np.stack([picture(i, side=24) for i in range(32)])
    first, second = read(data.pairs((a, a), 16, 4, flip=True, jitter=8, seed=1))
    np.testing.assert_array_equal(first, second)
    mirrored = first[:, 0, 0, 1] < first[:, 0, -1, 1]
    assert 4 < mirrored.sum() < 28
    assert len({tuple(image[0, :, 1]) for image in first[~mirrored]}) > 3  # several places
    assert first.shape == (32, 16, 16, 3)


def test_batches_from_anywhere_on_are_the_same():
    a = np.stack([picture(i) for i in range(10)])
    for dataset in (
        data.pairs((a, a), 16, 3, seed=4, flip=True, jitter=2),
        data.unpaired((a, a[:7]), 16, 3, seed=4, flip=True),
    ):
        whole = [[part.numpy() for part in batch] for batch in dataset.endless(0).take(9)]
        later = [[part.numpy() for part in batch] for batch in dataset.endless(5).take(4)]
        for one, other in zip(whole[5:], later, strict=True):
            np.testing.assert_array_equal(one, other)
        assert not np.array_equal(whole[0], whole[3])
        rebatched = dataset.rebatched(4)
        own = [next(iter(rebatched.endless(2, worker=(i, 2)))) for i in range(2)]
        both = next(iter(rebatched.endless(2)))
        for part in range(2):
            np.testing.assert_array_equal(np.concatenate([o[part] for o in own]), both[part])


def test_a_part_is_kept_apart():
    a = np.stack([picture(i) for i in range(25)])
    seen = {}
    for part in ("train", "test", None):
        first, second = read(data.pairs((a, a), 16, 1, part=part, shuffle=False))
        np.testing.assert_array_equal(first, second)
        seen[part] = set(numbers(first))
        assert set(numbers(read_images(a, part))) == seen[part]
    assert seen["test"] == {9, 19}
    assert seen["train"] == seen[None] - seen["test"]
    with pytest.raises(ValueError, match="part='other' must be"):
        data.images(a, 16, part="other")
    with pytest.raises(ValueError, match="has 5 items, is empty"):
        data.pairs((a[:5], a[:5]), 16, 1, part="test")


def read_images(array, part):
    images = np.concatenate([batch.numpy() for batch in data.images(array, 16, 1, part=part, shuffle=False)])
    return np.rint((images + 1) * 127.5).astype("uint8")


def test_a_part_of_files_keeps_their_classes(tmp_path):
    for i in range(20):
        save(tmp_path / "ab"[i % 2] / f"{i:02}.png", picture(i))
    dataset = data.images(tmp_path, 16, 1, labels=True, part="test", shuffle=False, cache=False)
    found = [
        (int(np.rint((images[0, 0, 0, 0] + 1) * 127.5)), int(labels[0]))
        for images, labels in dataset.as_numpy_iterator()
    ]
    assert found == [(18, 0), (19, 1)]  # the tenth and the twentieth by name: a/18.png, b/19.png
    assert dataset.class_names == ["a", "b"]


def test_unpaired_domains_are_shuffled_apart_and_the_smaller_one_begins_again():
    a, b = np.stack([picture(i) for i in range(12)]), np.stack([picture(100 + i) for i in range(4)])
    dataset = data.unpaired((a, b), 16, 2, seed=1)
    assert dataset.count == 12 and int(dataset.cardinality()) == 6
    first, second = read(dataset)
    assert sorted(numbers(first)) == list(range(12))
    assert sorted(numbers(second)) == sorted([*range(100, 104)] * 3)
    assert len(set(numbers(second)[:4])) == 4


def test_unpaired_from_folders_and_wrong_ones(two_folders):
    dataset = data.unpaired(two_folders, 16, 2, keys=("photos", "drawings"), shuffle=False)
    a, b = read(dataset)
    assert numbers(a).max() == 5 and numbers(b).min() == 100
    (two_folders / "nothing").mkdir()
    with pytest.raises(ValueError, match="Domain B.*is empty"):
        data.unpaired((two_folders / "photos", two_folders / "nothing"), 16, 2)
    (two_folders / "drawings" / "5.png").unlink()
    with pytest.raises(ValueError, match="Domain drawings.*batch_size=6 is larger"):
        data.unpaired(two_folders, 16, 6, keys=("photos", "drawings"))
    with pytest.raises(ValueError, match="direction='there' must be one of"):
        data.unpaired(two_folders, 16, 2, keys=("photos", "drawings"), direction="there")
    with pytest.raises(ValueError, match="keys=None: expected the names of two"):
        data.unpaired(two_folders, 16, 2)


def test_one_picture(tmp_path):
    save(tmp_path / "p.png", picture(3, side=32))
    assert data.picture(tmp_path / "p.png", 16).shape == (16, 16, 3)
    assert data.picture(tmp_path / "p.png", (8, 16), channels=1).shape == (8, 16, 1)
    (tmp_path / "t.png").write_text("no picture")
    with pytest.raises(ValueError, match="t.png' cannot be used: not an image"):
        data.picture(tmp_path / "t.png", 16)
    with pytest.raises(FileNotFoundError):
        data.picture(tmp_path / "missing.png", 16)
