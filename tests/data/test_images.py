"""The pipeline of kerasgan.data.images: batches, order, flips, memory."""

import numpy as np
import pytest
import tensorflow as tf
from pictures import encode, plain, reds, to_pixels

from kerasgan.data import images, pipeline

CACHES = pytest.mark.parametrize("cache", [True, False])


def epoch(dataset):
    return [red for batch in dataset for red in reds(batch)]


@CACHES
def test_batches_have_the_promised_type_shape_and_range(folder, cache):
    dataset = images(folder, size=(4, 6), batch_size=5, cache=cache)
    assert dataset.element_spec == tf.TensorSpec((5, 4, 6, 3), tf.float32)
    assert int(dataset.cardinality()) == 2 == len(list(dataset))
    black, white = encode(plain(0)), encode(np.full((8, 8, 3), 255))
    (folder / "cats" / "00.png").write_bytes(black)
    (folder / "cats" / "02.png").write_bytes(white)
    (batch,) = images(folder, size=8, batch_size=12, shuffle=False, cache=cache)
    assert batch[0].numpy().min() == -1 and batch[0].numpy().max() == -1
    assert batch[1].numpy().min() == 1


@CACHES
def test_shuffle_reaches_the_whole_set_and_changes_with_the_epoch(folder, cache):
    dataset = images(folder, size=8, batch_size=4, seed=3, cache=cache)
    first, second = epoch(dataset), epoch(dataset)
    assert sorted(first) == sorted(second) == list(range(0, 120, 10))
    assert first != second and first != sorted(first)
    again = images(folder, size=8, batch_size=4, seed=3, cache=cache)
    assert [epoch(again), epoch(again)] == [first, second]
    assert epoch(images(folder, size=8, batch_size=4, seed=4, cache=cache)) != first


def test_shuffle_is_uniform():
    array = np.arange(200, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    dataset = images(array, size=2, batch_size=200, channels=1, seed=0)
    means = np.mean([np.argsort(reds(batch))[:20].mean() for batch in dataset.endless().take(50)])
    assert abs(means - 99.5) < 8  # the first images of the array are anywhere in an epoch; deviation about 1.8


@CACHES
def test_without_shuffle_the_order_is_that_of_the_names(folder, cache):
    dataset = images(folder, size=8, batch_size=6, shuffle=False, cache=cache)
    assert epoch(dataset) == [*range(0, 120, 20), *range(10, 120, 20)]


def test_remainder_is_another_one_in_each_epoch(folder):
    dataset = images(folder, size=8, batch_size=11, seed=0)
    assert len({tuple(sorted(epoch(dataset))) for _ in range(8)}) > 1


@CACHES
def test_labels_stay_with_their_images(folder, cache):
    dataset = images(folder, size=8, batch_size=4, labels=True, seed=1, cache=cache)
    assert dataset.class_names == ["cats", "dogs"]
    assert dataset.element_spec[1] == tf.TensorSpec((4,), tf.int32)
    for batch, labels in dataset:
        assert [red // 10 % 2 for red in reds(batch)] == labels.numpy().tolist()


@CACHES
def test_flip_mirrors_half_of_the_images_anew_in_each_epoch(write, cache):
    picture = plain(0)
    picture[:, :4] = 255
    for number in range(64):
        write(f"{number}.png", encode(picture))
    dataset = images(write.root, size=8, batch_size=64, flip=True, seed=5, cache=cache)
    flips = []
    for _ in range(2):
        (batch,) = dataset
        pixels = to_pixels(batch)
        mirrored = (pixels == picture[:, ::-1]).all((1, 2, 3))
        assert (mirrored ^ (pixels == picture).all((1, 2, 3))).all()
        assert 16 < mirrored.sum() < 48
        flips.append(mirrored)
    assert (flips[0] != flips[1]).any()
    (unflipped,) = images(write.root, size=8, batch_size=64, cache=cache)
    assert (to_pixels(unflipped) == picture).all()


def test_images_in_memory_and_from_files_are_the_same(write):
    random = np.random.default_rng(0)
    for number in range(5):
        write(f"{number}.jpg", encode(random.integers(0, 256, (30, 40, 3)), "JPEG"))
    kept, read = (next(iter(images(write.root, 16, 5, shuffle=False, cache=cache))) for cache in (True, False))
    np.testing.assert_array_equal(kept, read)


def test_files_are_read_once_where_images_stay_in_memory(folder):
    dataset = images(folder, size=8, batch_size=12)
    for file in folder.rglob("*.png"):
        file.unlink()
    assert sorted(epoch(dataset)) == sorted(epoch(dataset)) == list(range(0, 120, 10))


def test_a_set_larger_than_the_limit_is_not_held_in_memory(folder, monkeypatch):
    monkeypatch.setattr(pipeline, "CACHE_BYTES", 12 * 8 * 8 * 3 - 1)
    dataset = images(folder, size=8, batch_size=12)
    for file in folder.rglob("*.png"):
        file.write_bytes(encode(plain(200)))
    assert epoch(dataset) == [200] * 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size=0"),
        ({"size": 8.0}, "size=8.0"),
        ({"size": (8, 8, 3)}, "height, width"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"channels": 2}, "channels=2 must be one of 1, 3, 4"),
        ({"crop": "centre"}, "crop='centre'"),
        ({"crop": (0, 0, 8)}, "left, top, width, height"),
        ({"crop": (-1, 0, 8, 8)}, "left, top, width, height"),
        ({"on_error": "ignore"}, "on_error='ignore' must be one of 'skip', 'raise'"),
        ({"cache": "disk"}, "cache='disk'"),
        ({"key": "x_train"}, "key='x_train' means nothing where source is image files"),
        ({"download": True}, "download=True means nothing"),
        ({"labels": "y_train"}, "labels='y_train' means nothing"),
        ({"labels": [0] * 12}, "True or False"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        images(folder, **{"size": 8, "batch_size": 4, **arguments})


@CACHES
def test_a_batch_larger_than_the_set_is_refused(folder, cache):
    with pytest.raises(
        ValueError, match="batch_size=13 is larger than the data set: .* has 12 .* batch_size=12 or less"
    ):
        images(folder, size=8, batch_size=13, cache=cache)


def test_it_trains_a_keras_model(folder):
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(images(folder, size=8, batch_size=4, labels=True), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
