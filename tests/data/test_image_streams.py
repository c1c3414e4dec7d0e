"""tf.data data sets, and tensorflow-datasets, on a data set that the tests build."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pictures import encode, plain, reds, to_pixels

import kerasgan
from kerasgan.data import images, pipeline

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 10, 3), np.uint8)
CACHES = pytest.mark.parametrize("cache", [True, False])


def one_batch(source, **options):
    (batch,) = images(source, shuffle=False, **{"size": (8, 10), "batch_size": 6, **options})
    return batch


# tf.data ----------------------------------------------------------------------------------------------------------


@CACHES
@pytest.mark.parametrize(
    "elements",
    [PIXELS, PIXELS / 255, (PIXELS / 127.5 - 1).astype(np.float32), PIXELS.astype(np.int32)],
    ids=["uint8", "0..1", "-1..1", "int32"],
)
def test_images_of_every_usual_range_and_type(elements, cache):
    np.testing.assert_array_equal(
        to_pixels(one_batch(tf.data.Dataset.from_tensor_slices(elements), cache=cache)), PIXELS
    )


@CACHES
def test_images_with_labels_in_pairs_batches_and_dictionaries(cache):
    labels = np.array([3, 1, 0, 2, 2, 1], np.uint8)
    pairs = tf.data.Dataset.from_tensor_slices((PIXELS, labels))
    nested = tf.data.Dataset.from_tensor_slices({"image": PIXELS, "label": labels, "more": {"dark": labels < 2}})
    for source in (pairs, pairs.batch(4), nested):
        np.testing.assert_array_equal(to_pixels(one_batch(source, cache=cache)), PIXELS)
        batch, numbers = one_batch(source, labels=True, cache=cache)
        np.testing.assert_array_equal(to_pixels(batch), PIXELS)
        assert numbers.dtype == tf.int32 and numbers.numpy().tolist() == labels.tolist()
    assert one_batch(nested, labels="more/dark", cache=cache)[1].numpy().tolist() == [0, 1, 1, 0, 0, 1]


@CACHES
def test_encoded_images(cache):
    contents = [encode(plain(10 * number)) for number in range(12)]
    source = tf.data.Dataset.from_tensor_slices(contents)
    dataset = images(source, 8, 4, seed=0, cache=cache)
    assert int(dataset.cardinality()) == 3
    first, second = ([red for batch in dataset for red in reds(batch)] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(0, 120, 10)) and first != second


@CACHES
def test_encoded_images_of_a_number_that_is_not_known_are_shuffled_too(cache):
    contents = [encode(plain(10 * number)) for number in range(12)]
    source = tf.data.Dataset.from_tensor_slices(contents).filter(lambda content: True)
    (batch,) = images(source, 8, 12, seed=0, cache=cache)
    assert sorted(reds(batch)) == list(range(0, 120, 10)) != reds(batch)


@CACHES
def test_unusable_elements_are_skipped_or_replaced(cache):
    source = tf.data.Dataset.from_tensor_slices([encode(plain(10)), b"no image", encode(plain(20))])
    count = 2 if cache else 3
    with pytest.warns(UserWarning, match="element 1.*not an image"):
        (batch,) = images(source, 8, count, cache=cache)
    assert set(reds(batch)) == {10, 20}
    with pytest.raises(Exception, match="element 1.*not an image"):
        list(images(source, 8, 1, cache=cache, on_error="raise"))


@CACHES
def test_images_of_several_sizes_and_of_a_number_that_is_not_known(cache):
    def generate():
        for number in range(2000):
            yield plain(number % 250, 4 + number % 3, 5)

    source = tf.data.Dataset.from_generator(generate, output_signature=tf.TensorSpec((None, None, 3), tf.uint8))
    batches = list(images(source, 4, 100, shuffle=False, cache=cache))
    assert [red for batch in batches for red in reds(batch)] == [number % 250 for number in range(2000)]


def test_a_stream_that_turns_out_too_large_is_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(pipeline, "CACHE_BYTES", 3 * PIXELS[0].size)
    source = tf.data.Dataset.from_tensor_slices(PIXELS).filter(lambda image: True)
    with pytest.warns(UserWarning, match="keep the order in which they come"):
        (batch,) = images(source, (8, 10), 6)
    np.testing.assert_array_equal(to_pixels(batch), PIXELS)


@pytest.mark.parametrize(
    ("elements", "options", "message"),
    [
        (PIXELS.astype(np.float32), {}, "0..255 fed as floats"),
        (np.full((2, 8, 8, 3), np.nan), {}, "NaN"),
        (PIXELS.astype(np.int32) - 9, {}, "integers from -9"),
        (PIXELS.astype(np.complex64), {}, "dtype"),
        (PIXELS[..., 0, 0], {}, "Nothing is left.*shape"),
        (PIXELS.transpose(0, 3, 1, 2), {}, r"Nothing is left.*shape \(3, 8, 10\)"),
        (PIXELS, {"labels": True}, "labels need source to yield"),
        ((PIXELS, np.eye(6)), {"labels": True}, "labels of source have dtype float64.*argmax"),
        ((PIXELS, -np.arange(6)), {"labels": True}, "labels hold -5"),
        ({"image": PIXELS}, {"labels": True}, "labels='label' is not in source; it holds: image"),
        ({"image": PIXELS}, {"key": "picture"}, "key='picture' is not in source; it holds: image"),
        ({"noto": PIXELS}, {}, "key= must say which entry of source holds the images; it holds: noto"),
        (({"image": PIXELS}, PIXELS), {}, "yields .* where an image or a label is expected"),
        (PIXELS, {"subset": "train"}, "subset='train' means nothing where source is a tf.data.Dataset"),
    ],
)
def test_what_does_not_fit_is_refused(elements, options, message):
    with pytest.raises(ValueError, match=message):
        images(tf.data.Dataset.from_tensor_slices(elements), 8, 2, **options)


def test_a_range_that_changes_on_the_way_is_refused():
    floats = np.ones((80, 4, 5), np.float32)
    floats[75] = -0.5
    with pytest.raises(ValueError, match="begins with .* in \\[0, 1\\], but a later one holds -0.5"):
        images(tf.data.Dataset.from_tensor_slices(floats), 4)


def test_endless_and_empty_data_sets_are_refused():
    source = tf.data.Dataset.from_tensor_slices(PIXELS)
    with pytest.raises(ValueError, match="never ends; leave its .repeat"):
        images(source.repeat(), 8)
    for cache in (True, False):
        with pytest.raises(ValueError, match="is empty"):
            images(source.take(0), 8, cache=cache)


# tensorflow-datasets ----------------------------------------------------------------------------------------------

BUILDER = '''
import numpy as np
import tensorflow_datasets as tfds


class KerasganPatches(tfds.core.GeneratorBasedBuilder):
    """Plain pictures whose level of red is ten times their number."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["even", "odd"]),
            "attributes": {"bright": tfds.features.Scalar(np.bool_)},
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {"train": self._generate_examples(0, 12), "test": self._generate_examples(12, 20)}

    def _generate_examples(self, start, end):
        for number in range(start, end):
            pixels = np.zeros((8, 9, 3), np.uint8)
            pixels[..., 0] = 10 * number
            yield number, {"image": pixels, "label": number % 2, "attributes": {"bright": number >= 6}}
'''


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Where the data set lies. Another process made it, with download=True; this one finds nothing but the files."""
    code, folder = tmp_path_factory.mktemp("code"), tmp_path_factory.mktemp("tfds")
    (code / "patches").mkdir()  # tensorflow-datasets wants a builder inside a package
    (code / "patches" / "__init__.py").write_text("")
    (code / "patches" / "builder.py").write_text(BUILDER)
    script = f"""
from patches import builder
from kerasgan.data import images
assert int(images("tfds:kerasgan_patches", 8, 12, data_dir={str(folder)!r}, download=True).cardinality()) == 1
"""
    paths = [str(code), str(Path(kerasgan.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, stdout=subprocess.DEVNULL)
    return folder


@CACHES
def test_tfds_reads_the_training_split(data_dir, cache):
    dataset = images("tfds:kerasgan_patches", 8, 4, labels=True, seed=0, data_dir=data_dir, cache=cache)
    assert dataset.class_names == ["even", "odd"] and int(dataset.cardinality()) == 3
    epochs = []
    for _ in range(2):
        epochs.append([])
        for batch, labels in dataset:
            assert [red // 10 % 2 for red in reds(batch)] == labels.numpy().tolist()
            epochs[-1] += reds(batch)
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(0, 120, 10)) and epochs[0] != epochs[1]


@pytest.mark.parametrize(
    ("source", "subset", "first", "last", "count"),
    [
        ("tfds:kerasgan_patches/test", None, 12, 19, 8),
        ("tfds:kerasgan_patches", "test[:3]", 12, 19, 3),
        ("tfds:kerasgan_patches/train[50%:]", None, 0, 11, 6),
        ("tfds:kerasgan_patches:1.0.0", "all", 0, 19, 20),
    ],
)
def test_tfds_splits(data_dir, source, subset, first, last, count):
    (batch,) = images(source, 8, count, subset=subset, data_dir=data_dir)
    numbers = [red // 10 for red in reds(batch)]
    assert len(set(numbers)) == count and first <= min(numbers) <= max(numbers) <= last


def test_tfds_attributes_as_labels(data_dir):
    ((batch, labels),) = images("tfds:kerasgan_patches", 8, 12, labels="attributes/bright", data_dir=data_dir)
    assert [red >= 60 for red in reds(batch)] == labels.numpy().tolist()


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("tfds:kerasgan_patches/validation", {}, "'validation' is no split of .*; its splits are: .*train"),
        ("tfds:kerasgan_patches", {"subset": "val"}, "'val' is no split"),
        ("tfds:kerasgan_patches/test", {"subset": "train"}, "both name a split"),
        ("tfds:kerasgan_patches", {"key": "picture"}, "key='picture' is not in .*attributes, image, label"),
        ("tfds:kerasgan_patches", {"labels": "name"}, "labels='name' is not in"),
        ("tfds:celeb_b", {}, "no data set that tensorflow-datasets knows.*Did you mean .*celeb_a"),
        ("tfds:", {}, "no data set that tensorflow-datasets knows"),
    ],
)
def test_tfds_names_that_do_not_exist(data_dir, source, options, message):
    with pytest.raises(ValueError, match=message):
        images(source, 8, data_dir=data_dir, **options)


@pytest.mark.parametrize("source", ["tfds:mnist", "tfds:mnist/train", "tfds:celeb_a"])
def test_tfds_data_that_is_not_prepared_is_said_at_once(tmp_path, source):
    start = time.monotonic()
    with pytest.raises(FileNotFoundError, match=f"source='{source}' is not prepared in .*download=True"):
        images(source, 8, data_dir=tmp_path)
    assert time.monotonic() - start < 30  # and not after minutes of attempts to download it
    assert not list(tmp_path.iterdir())
