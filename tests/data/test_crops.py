"""kerasgan.data.crops: random crops at full resolution."""

import warnings
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from pictures import encode, to_pixels
from PIL import Image

from kerasgan.data import crops


def numbered(height, width, picture=0):
    """A picture whose colours tell each of its places: (row, column, picture)."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, picture)], axis=-1).astype(np.uint8)


@pytest.fixture
def photos(write):
    for number, (height, width) in enumerate([(20, 30), (16, 16), (40, 24)]):
        write(f"{number}.png", encode(numbered(height, width, number)))
    return write.root


def read(source, batches=20, size=16, batch_size=3, **options):
    dataset = crops(source, size, batch_size, **{"seed": 1, **options})
    return np.concatenate([to_pixels(batch) for batch in dataset.endless(0).take(batches)])


def test_crops_are_cut_and_not_resized(photos):
    for crop in read(photos, flip=False, rotate=False):
        (row, column, number), (rows, columns) = crop[0, 0].astype(int), np.mgrid[:16, :16]
        np.testing.assert_array_equal(crop[..., 0], row + rows)
        np.testing.assert_array_equal(crop[..., 1], column + columns)
        assert (crop[..., 2] == number).all()


def test_places_are_uniform_and_new_in_every_epoch(photos):
    found = read(photos, 300, flip=False, rotate=False)
    of_first = found[found[:, 0, 0, 2] == 0][:, 0, 0, :2].astype(int)
    assert len(of_first) == 300
    assert {*of_first[:, 0]} == {*range(5)} and {*of_first[:, 1]} == {*range(15)}
    np.testing.assert_allclose(of_first.mean(axis=0), (2, 7), atol=4 * 4.32 / np.sqrt(300))


def test_all_eight_positions_come_equally_often(photos):
    positions = {}
    for crop in read(photos, 200):
        across, down = crop[0, -1, :2].astype(int) - crop[0, 0, :2], crop[-1, 0, :2].astype(int) - crop[0, 0, :2]
        key = (*np.sign(across), *np.sign(down))
        positions[key] = positions.get(key, 0) + 1
    assert len(positions) == 8 and min(positions.values()) > 600 / 8 - 5 * np.sqrt(600 / 8)


def test_crops_that_are_not_square_are_turned_half_way_only(photos):
    found = read(photos, 60, size=(16, 12), flip=False)
    directions = {tuple(np.sign(crop[-1, 0, :2].astype(int) - crop[0, 0, :2])) for crop in found}
    assert found.shape[1:3] == (16, 12) and directions == {(1, 0), (-1, 0)}


def test_every_image_has_its_crops_in_an_epoch(photos):
    dataset = crops(photos, 16, 3, per_image=5, seed=0)
    assert int(dataset.cardinality()) == 5 and dataset.count == 15
    numbers = np.concatenate([to_pixels(batch)[:, 0, 0, 2] for batch in dataset])
    assert sorted(numbers) == sorted([0, 1, 2] * 5)
    assert dataset.model_arguments == {"image_shape": [16, 16, 3]}
    assert dataset.rebatched(5).element_spec == tf.TensorSpec((5, 16, 16, 3), tf.float32)


@pytest.mark.parametrize("cache", [True, False])
def test_a_training_goes_on_where_it_stopped(photos, cache):
    dataset = crops(photos, 16, 6, per_image=4, seed=7, cache=cache)
    whole = [to_pixels(batch) for batch in dataset.endless(0).take(7)]
    again = [to_pixels(batch) for batch in crops(photos, 16, 6, per_image=4, seed=7).endless(5).take(2)]
    np.testing.assert_array_equal(again, whole[5:])
    parts = [np.stack(list(dataset.endless(0, worker=(i, 2)).take(3))) for i in range(2)]
    np.testing.assert_array_equal(
        to_pixels(np.concatenate(parts, axis=1).reshape(-1, 16, 16, 3)), np.concatenate(whole[:3])
    )
    assert not np.array_equal(whole[0], to_pixels(next(iter(crops(photos, 16, 6, per_image=4, seed=8).endless(0)))))


def test_the_fingerprint_is_that_of_the_data(photos, write):
    before = crops(photos, 16, 2).fingerprint
    assert crops(photos, 16, 2).fingerprint == before
    assert crops(photos, 16, 2, per_image=3).fingerprint != before
    array = np.stack([numbered(20, 20)] * 4)
    assert crops(array, 16, 2).fingerprint == crops(array, 16, 2).fingerprint != crops(array + 1, 16, 2).fingerprint
    write("3.png", encode(numbered(20, 20)))
    assert crops(photos, 16, 2).fingerprint != before


def test_small_and_broken_files_are_left_out_and_named(photos, write):
    write("small.png", encode(numbered(40, 15)))
    write("broken.png", b"no picture")
    with pytest.warns(
        UserWarning, match="2 of 5 items .*broken.png: not an image.*small.png: 15x40 pixels, of which no"
    ):
        assert crops(photos, 16, 3, per_image=1).count == 3
    with pytest.raises(ValueError, match="no crop of 16x16 can be cut"):
        crops(photos, 16, 3, on_error="raise")
    with pytest.raises(ValueError, match="Nothing is left to train on"):
        crops(photos, 64, 1)


def test_a_file_that_breaks_later_is_replaced(photos, write):
    dataset = crops(photos, 16, 3, seed=0, cache=False)
    write("1.png", encode(numbered(16, 16, 1))[:60])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers = np.concatenate([to_pixels(batch)[:, 0, 0, 2] for batch in dataset.endless(0).take(10)])
    assert {*numbers} == {0, 2}


def test_zip_files_arrays_and_other_channels(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "sets.zip", "w") as archive:
        for path in sorted(photos.iterdir()):
            archive.write(path, f"T91/{path.name}")
        archive.writestr("Set5/a.png", encode(numbered(16, 16, 99)))
    options = {"flip": False, "rotate": False}
    np.testing.assert_array_equal(read(tmp_path / "sets.zip", subset="T91", **options), read(photos, **options))
    grey = np.random.default_rng(0).integers(0, 256, (5, 22, 18), dtype="uint8")
    found = read(grey, channels=1, batch_size=5, **options)
    assert found.shape[1:] == (16, 16, 1)
    parts = [image[y : y + 16, x : x + 16] for image in grey for y in range(7) for x in range(3)]
    assert all(any(np.array_equal(crop[..., 0], part) for part in parts) for crop in found[:10])
    assert read(photos, channels=4)[..., 3].min() == 255


def test_jpegs_are_turned_upright(write):
    content = Image.fromarray(np.zeros((16, 40, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    content.save(write.root.parent / "a.jpg", exif=exif)
    write("a.jpg", (write.root.parent / "a.jpg").read_bytes())
    assert read(write.root, 1, size=(40, 16), batch_size=1).shape == (1, 40, 16, 3)


def test_streams_are_refused():
    with pytest.raises(ValueError, match="is a stream"):
        crops(tf.data.Dataset.from_tensors(np.zeros((32, 32, 3), np.uint8)), 16, 1)


@pytest.mark.parametrize("options", [{"size": 0}, {"per_image": 0}, {"flip": 2}, {"channels": 2}, {"batch_size": 0}])
def test_arguments_that_make_no_sense_are_named(photos, options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}="):
        crops(photos, **options)
