"""Arrays, .npy and .npz files of images."""

import pickle

import numpy as np
import pytest
import tensorflow as tf
from pictures import reds, to_pixels

from kerasgan import files
from kerasgan.data import images

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 10, 3), np.uint8)


def one_batch(*arguments, **options):
    (batch,) = images(*arguments, shuffle=False, **{"size": (8, 10), "batch_size": 6, **options})
    return batch


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        PIXELS,
        PIXELS.astype(np.int64),
        PIXELS / 255,
        (PIXELS / 127.5 - 1).astype(np.float32),
        (PIXELS / 255).astype(np.float32),
        tf.constant(PIXELS),
        list(PIXELS),
    ],
    ids=["uint8", "int64", "float64 in 0..1", "float32 in -1..1", "float32 in 0..1", "tensor", "list"],
)
def test_every_usual_range_and_type(source, cache):
    np.testing.assert_array_equal(to_pixels(one_batch(source, cache=cache)), PIXELS)


def test_half_precision_keeps_the_pixels_to_a_level():
    batch = to_pixels(one_batch((PIXELS / 127.5 - 1).astype(np.float16)))
    assert np.abs(batch.astype(int) - PIXELS).max() <= 1


def test_grey_and_boolean_arrays():
    np.testing.assert_array_equal(to_pixels(one_batch(PIXELS[..., 0], channels=1))[..., 0], PIXELS[..., 0])
    np.testing.assert_array_equal(to_pixels(one_batch(PIXELS[..., :1]))[..., 2], PIXELS[..., 0])
    np.testing.assert_array_equal(to_pixels(one_batch(PIXELS > 100)), (PIXELS > 100) * 255)


def test_arrays_are_cropped_and_resized_like_files():
    batch = one_batch(PIXELS, size=4, crop=(1, 2, 4, 4))
    np.testing.assert_array_equal(to_pixels(batch), PIXELS[:, 2:6, 1:5])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (PIXELS.astype(np.float32), "floats from .* looks like 0..255 fed as floats.*astype"),
        (PIXELS / 100 - 1, "floats from .*Scale it first"),
        (PIXELS.astype(np.int16) * 2, "integers from .* pixels are 0 to 255"),
        (PIXELS.astype(np.int16) - 1, "integers from -1"),
        (np.where(PIXELS == PIXELS.max(), np.nan, 0), "NaN"),
        (np.full((2, 5, 5), np.inf), "NaN or infinite"),
        (PIXELS.astype(complex), "dtype complex128"),
        (PIXELS.astype(str), "dtype <U"),
        (PIXELS[0], r"shape \(8, 10, 3\).*single image: pass array\[None\]"),
        (PIXELS.transpose(0, 3, 1, 2), "channels first: pass numpy.moveaxis"),
        (PIXELS[..., :2], r"shape \(6, 8, 10, 2\)"),
        (PIXELS[:0], r"shape \(0, 8, 10, 3\)"),
        (PIXELS[0, 0], r"shape \(10, 3\)"),
        ([PIXELS[0], PIXELS[0, :4]], "no array of images"),
        ({"images": 1}, "nothing that can be read"),
        (7, "nothing that can be read"),
    ],
    ids=str,
)
def test_what_is_no_array_of_images_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        images(source, size=8)


def test_a_box_outside_all_images_of_an_array_is_refused():
    for cache in (True, False):
        with pytest.raises(ValueError, match="Nothing is left.*10x8 pixels, so that the box"):
            images(PIXELS, 8, 6, crop=(4, 4, 8, 8), cache=cache)


def test_labels_of_an_array():
    for labels in ([3, 1, 0, 2, 2, 1], np.array([[3], [1], [0], [2], [2], [1]], np.uint8)):
        assert images(PIXELS, 8, 6, labels=labels).class_names == ["0", "1", "2", "3"]
        batch, numbers = one_batch(PIXELS, labels=labels)
        assert numbers.dtype == tf.int32 and numbers.numpy().tolist() == [3, 1, 0, 2, 2, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (True, "labels=True: an array comes without labels"),
        ([1, 2], r"shape \(2,\).*each of the 6 images"),
        (np.eye(6), "expected an integer"),
        ([0.5] * 6, "dtype float64"),
        ([0, 1, 2, 3, 4, -1], "labels hold -1"),
    ],
)
def test_labels_that_do_not_fit_an_array(labels, message):
    with pytest.raises(ValueError, match=message):
        images(PIXELS, size=8, labels=labels)


@pytest.mark.parametrize(
    ("key", "label_key"),
    [("images", "labels"), ("x_train", "y_train"), ("train_images", "train_labels"), ("arr_0", "arr_1")],
)
def test_npz_with_usual_names(tmp_path, key, label_key):
    path = tmp_path / "set.npz"
    np.savez(path, **{"other": np.zeros(3), key: PIXELS, label_key: np.arange(6)})
    np.testing.assert_array_equal(to_pixels(one_batch(path)), PIXELS)
    batch, labels = one_batch(str(path), labels=True)
    assert labels.numpy().tolist() == [0, 1, 2, 3, 4, 5]


def test_npz_with_names_of_its_own(tmp_path):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, noto=PIXELS, twemoji=255 - PIXELS, kind=np.arange(6), x_test=PIXELS[:, :4])
    with pytest.raises(ValueError, match="key= must say which .* noto, twemoji, kind, x_test"):
        images(path, size=8)
    batch, labels = one_batch(path, key="twemoji", labels="kind")
    np.testing.assert_array_equal(to_pixels(batch), 255 - PIXELS)
    assert labels.numpy().tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="key='emoji' is not in .*; it holds: noto, twemoji, kind, x_test"):
        images(path, size=8, key="emoji")
    with pytest.raises(ValueError, match="labels='y_test' is not in .*it holds: noto"):
        images(path, size=8, key="x_test", labels=True)


def test_part_of_an_npz_by_the_values_of_another_array(tmp_path):
    path = tmp_path / "set.npz"
    kind = np.array(["Flags", "Food & Drink", "Flags", "Symbols", "Flags", "Symbols"])
    names = np.array(["[CAT]", "CAT", "DOG", "CAT FACE", "BOBCAT", "dog"])
    np.savez_compressed(path, images=PIXELS, labels=np.arange(6), kind=kind, names=names, both=PIXELS[:, 0, 0])

    def chosen(subset, count):
        batch, labels = one_batch(path, batch_size=count, labels=True, subset=subset)
        np.testing.assert_array_equal(to_pixels(batch), PIXELS[labels.numpy()])
        return labels.numpy().tolist()

    assert chosen("kind=Flags", 3) == [0, 2, 4]
    assert chosen("kind=Symbols|Food & Drink", 3) == [1, 3, 5]
    assert chosen("labels=3", 1) == [3]
    assert chosen("names=CAT*|D?G", 3) == [1, 2, 3]
    assert chosen("names=*CAT*", 4) == [0, 1, 3, 4]
    assert chosen("names=[CAT]", 1) == [0]  # itself, and no pattern
    for subset, message in (
        ("train", "subset='train' means nothing in a .npz file; .*The file holds: images, labels, kind, names, both"),
        ("kind=", "subset='kind=' means nothing"),
        ("category=Flags", "subset='category' is not in .*it holds: images, labels, kind"),
        ("kind=Flags|Flag", "kind of .* never is 'Flag'; it holds: Flags, Food & Drink, Symbols"),
        ("names=CAT*|COW*", r"names of .* never is 'COW\*'; it holds: BOBCAT, CAT"),
        ("both=1", "both has shape .*; expected an entry for each of 6"),
    ):
        with pytest.raises(ValueError, match=message):
            images(path, size=8, subset=subset)
    np.savez(tmp_path / "number.npz", images=np.uint8(1), kind=kind)
    with pytest.raises(ValueError, match="has shape .*expected .n, height, width"):
        images(tmp_path / "number.npz", size=8, subset="kind=Flags")
    np.save(tmp_path / "set.npy", PIXELS)
    with pytest.raises(ValueError, match="holds a single array.*subset= out"):
        images(tmp_path / "set.npy", size=8, subset="kind=Flags")


@pytest.mark.parametrize("cache", [True, False])
def test_npy(tmp_path, cache):
    np.save(tmp_path / "set.npy", PIXELS)
    np.testing.assert_array_equal(to_pixels(one_batch(tmp_path / "set.npy", cache=cache)), PIXELS)


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_unpickled(tmp_path):
    bomb = np.array([Bomb(tmp_path / "exploded")], dtype=object)
    np.save(tmp_path / "bomb.npy", bomb, allow_pickle=True)
    np.savez(tmp_path / "bomb.npz", images=bomb)
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(bomb))
    for name in ("bomb.npy", "bomb.npz", "plain.npy"):
        with pytest.raises(ValueError, match="Pickled objects are never loaded"):
            images(tmp_path / name, size=8)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("ending", ["npz", "npy"])
def test_damaged_files_are_named(tmp_path, ending):
    path = tmp_path / f"set.{ending}"
    np.save(path, PIXELS) if ending == "npy" else np.savez_compressed(path, images=PIXELS)
    whole = path.read_bytes()
    damaged = [b"", b"x", whole[:40], whole[:-30]]
    if ending == "npz":
        middle = len(whole) // 2
        damaged.append(whole[:middle] + bytes(100) + whole[middle + 100 :])
    else:
        damaged.append(whole.replace(b"(6, 8, 10, 3)", b"(6, 8, 10, 9)"))
        damaged.append(whole.replace(b"'descr'", b"'descr("))
        damaged.append(whole[:8] + b"\xff\xff" + b"(" * 70_000)
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"set.{ending}"):
            images(path, size=8, batch_size=2)


@pytest.mark.parametrize("labels", [[-1] * 6, [2**40] * 6, [0] * 5, ["a"] * 6])
def test_labels_of_a_file_that_are_none(tmp_path, labels):
    np.savez(tmp_path / "set.npz", images=PIXELS, labels=np.array(labels))
    with pytest.raises(ValueError, match="labels of source=.*set.npz"):
        images(tmp_path / "set.npz", size=8, labels=True)


def test_an_npz_that_holds_more_than_its_size_explains(tmp_path, monkeypatch):
    monkeypatch.setenv(files.LIMIT, "1")
    np.savez_compressed(tmp_path / "bomb.npz", images=np.zeros((300, 100, 100, 3), np.uint8))
    with pytest.raises(files.TooLarge, match="bomb.npz' .key='images'. would take 9 MB of memory.*KERASGAN_LIMIT_MB=9"):
        images(tmp_path / "bomb.npz", size=8)
    monkeypatch.setenv(files.LIMIT, "9")
    assert images(tmp_path / "bomb.npz", size=8, batch_size=300).cardinality() == 1


def test_labels_are_shuffled_with_their_images():
    array = np.arange(12, dtype=np.uint8)[:, None, None, None] * np.array([10, 0, 0], np.uint8) + np.zeros(
        (12, 4, 4, 1), np.uint8
    )
    for batch, labels in images(array, 4, 4, labels=np.arange(12), seed=1):
        assert [red // 10 for red in reds(batch)] == labels.numpy().tolist()


def test_subset_by_labels_in_a_column(tmp_path):
    """As MedMNIST's files have them."""
    np.savez(tmp_path / "a.npz", x=np.zeros((6, 8, 8), "uint8"), y=np.array([[0], [1], [0], [1], [1], [1]]))
    found = images(tmp_path / "a.npz", size=8, channels=1, batch_size=1, key="x", subset="y=1")
    assert found.count == 4
