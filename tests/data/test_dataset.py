"""What is known of a data set goes through transformations as far as it holds, and readers are a few lines."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kerasgan import data, distribution
from kerasgan.data.dataset import Dataset, known

OF_KIND = {"class_names", "model_arguments", "fitted"}
OF_SAMPLES = OF_KIND | {"class_counts", "count", "fingerprint"}
MADE = {
    "class_names": ["even", "odd"],
    "model_arguments": {"length": 2},
    "fitted": {"least": 0},
    "class_counts": [6, 5],
    "fingerprint": "of these",
}


@pytest.fixture(scope="module")
def dataset():
    """Eleven samples (i, i / 2), which are even or odd, in batches of three."""
    numbers = np.arange(11)
    samples = np.stack([numbers, numbers / 2], axis=1).astype("float32")
    return Dataset.of(samples, 3, labels=numbers % 2, seed=4, **MADE)


def facts(dataset):
    return {name for name in OF_SAMPLES if getattr(dataset, name) is not None}


def values(dataset, count):
    return [[np.asarray(part).tolist() for part in tf.nest.flatten(batch)] for batch in dataset.take(count)]


def doubled(samples, labels):
    return 2 * samples, labels


TRANSFORMATIONS = [
    (lambda d: d.prefetch(1), OF_SAMPLES, True),
    (lambda d: d.with_options(tf.data.Options()), OF_SAMPLES, True),
    (lambda d: d.map(doubled), OF_SAMPLES - {"fingerprint"}, True),
    (lambda d: d.map(doubled, num_parallel_calls=2).prefetch(1), OF_SAMPLES - {"fingerprint"}, True),
    (lambda d: d.map(lambda x, y: (x[:, :1], y)), OF_SAMPLES - {"fingerprint", "model_arguments"}, True),
    (lambda d: d.map(lambda x, y: (x[:2], y[:2])), OF_KIND, True),
    (lambda d: d.shuffle(2), OF_SAMPLES, False),
    (lambda d: d.repeat(2), OF_SAMPLES, False),
    (lambda d: d.cache(), OF_SAMPLES, False),
    (lambda d: d.unbatch().batch(2), OF_SAMPLES, False),
    (lambda d: d.rebatch(2), OF_SAMPLES, False),
    (lambda d: d.take(1), OF_KIND, False),
    (lambda d: d.skip(1), OF_KIND, False),
    (lambda d: d.shard(2, 0), OF_KIND, False),
    (lambda d: d.filter(lambda x, y: x[0, 0] > 3), OF_KIND, False),
    (lambda d: d.endless(2), OF_SAMPLES, False),
]


@pytest.mark.parametrize("transform, kept, resumable", TRANSFORMATIONS)
def test_what_holds_after_a_transformation_is_kept_and_nothing_else(dataset, transform, kept, resumable):
    found = transform(dataset)
    assert isinstance(found, Dataset) and isinstance(found, tf.data.Dataset)
    assert facts(found) == kept
    assert all(getattr(found, name) == getattr(dataset, name) for name in kept)
    assert found.resumable is found.seekable is resumable
    if not resumable:
        with pytest.raises(ValueError, match="no longer those of the reader"):
            found.endless()
        with pytest.raises(ValueError, match="no longer those of the reader"):
            found.rebatched(2)


def test_a_function_is_applied_to_all_epochs_too(dataset):
    mapped = dataset.map(doubled)
    expected = values(dataset.endless(3).map(doubled), 5)
    assert values(mapped.endless(3), 5) == values(mapped.endless(), 8)[3:] == expected
    rebatched = mapped.rebatched(4)
    assert rebatched.element_spec[0].shape == (4, 2) and rebatched.count == 11
    whole = values(rebatched.endless(1), 3)
    assert whole == values(dataset.rebatched(4).endless(1).map(doubled), 3)
    halves = [values(rebatched.endless(1, worker=(i, 2)), 2) for i in range(2)]
    joined = [[a + b for a, b in zip(*parts, strict=True)] for parts in zip(*halves, strict=True)]
    assert joined == whole[:2]


def test_a_function_goes_through_autograph_as_ever(dataset):
    def larger(samples, labels):
        if tf.reduce_mean(samples) > 100:
            samples = samples - 1
        return samples, labels

    for made in (dataset.map(larger), dataset.map(larger).endless(), dataset.map(larger).rebatched(2)):
        next(iter(made))


def test_other_transformations_give_a_plain_data_set(dataset):
    for plain in (
        dataset.flat_map(lambda x, y: tf.data.Dataset.from_tensors((x, y))),
        dataset.concatenate(dataset),
        dataset.enumerate(),
        tf.data.Dataset.zip(dataset, dataset),
        dataset.apply(tf.data.experimental.assert_cardinality(3)),
    ):
        assert not isinstance(plain, Dataset) and isinstance(plain, tf.data.Dataset)


def test_of_other_data_sets_nothing_is_known(dataset):
    assert known(dataset) is dataset
    plain = known(tf.data.Dataset.range(4).batch(2))
    assert facts(plain) == set() and not plain.resumable and not plain.seekable  # TensorFlow's `fingerprint` is no text
    assert values(plain, 2) == [[[0, 1]], [[2, 3]]] and int(plain.cardinality()) == 2


def test_a_reader_says_what_it_made_of_anothers_samples():
    pictures = data.images(np.zeros((6, 8, 8), "uint8"), 8, 2, channels=1, seed=1)
    rows = pictures.map(lambda x: x[..., 0]).with_known(
        fingerprint=f"rows {pictures.fingerprint}", model_arguments={"length": 8}
    )
    assert (rows.count, rows.model_arguments, rows.seekable) == (6, {"length": 8}, True)
    assert rows.fingerprint.startswith("rows ") and rows.endless(1).element_spec.shape == (2, 8, 8)


def test_options_and_shares_of_devices(dataset):
    policy = dataset.map(doubled).options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.DATA
    shares = distribution.share_out(dataset.rebatched(4).endless(), tf.distribute.get_strategy(), 1)
    assert values(shares, 2) == values(dataset.rebatched(4).endless(), 2)


# Readers of one's own ------------------------------------------------------------------------------------------------


def table(source, batch_size=64, *, shuffle=True, seed=None, fitted=None):
    """A reader of a file of words, one column of words for each, to int32 (batch_size, columns)."""
    rows = [line.split(",") for line in source.read_text().splitlines()]
    fitted = fitted or {"columns": [sorted(set(column)) for column in zip(*rows, strict=True)]}
    numbers = [[column.index(word) for column, word in zip(fitted["columns"], row, strict=True)] for row in rows]
    sizes = [len(column) for column in fitted["columns"]]
    return Dataset.of(
        np.array(numbers, "int32"),
        batch_size,
        shuffle=shuffle,
        seed=seed,
        model_arguments={"column_sizes": sizes},
        fitted=fitted,
    )


def test_a_reader_of_columns_fits_a_vocabulary_and_reads_others_by_it(tmp_path):
    path = tmp_path / "pets.csv"
    path.write_text("cat,red\ndog,blue\ncat,blue\nbird,red\n")
    pets = table(path, 2, seed=3)
    assert pets.element_spec == tf.TensorSpec((2, 2), tf.int32)
    assert (pets.count, pets.model_arguments) == (4, {"column_sizes": [3, 2]})
    assert pets.fitted == {"columns": [["bird", "cat", "dog"], ["blue", "red"]]}
    assert sorted(np.concatenate(list(pets)).tolist()) == [[0, 1], [1, 0], [1, 1], [2, 0]]
    assert values(pets.endless(3), 4) == values(table(path, 2, seed=3).endless(), 7)[3:]
    # Of another part, as by what a run folder keeps: the same numbers mean the same words.
    path.write_text("dog,red\n")
    later = table(path, 1, fitted=json.loads(json.dumps(pets.fitted)))
    assert values(later, 1) == [[[[2, 1]]]] and later.model_arguments == pets.model_arguments
    assert later.fingerprint != pets.fingerprint


def test_samples_of_several_parts_from_arrays_and_from_a_function():
    parts = {"pixels": np.arange(30, dtype="float32").reshape(10, 3), "words": np.arange(10, dtype="int32")}
    arrays = Dataset.of(parts, 4, labels=np.arange(10) % 2, seed=7)
    calls = Dataset.of(
        lambda i: {"pixels": parts["pixels"][i], "words": i}, 4, count=10, labels=np.arange(10) % 2, seed=7
    )
    spec, labels = arrays.element_spec
    assert {name: (part.shape, part.dtype) for name, part in spec.items()} == {
        "pixels": ((4, 3), tf.float32),
        "words": ((4,), tf.int32),
    }
    assert labels == tf.TensorSpec((4,), tf.int32)
    assert values(arrays.endless(1), 5) == values(calls.endless(1), 5)
    assert arrays.fingerprint and calls.fingerprint is None and calls.count == 10
    unshuffled = Dataset.of(parts["words"], 4, shuffle=False)
    assert values(unshuffled, 3) == [[[0, 1, 2, 3]], [[4, 5, 6, 7]]]


def test_what_is_drawn_follows_from_the_seed():
    def moved(samples, draw):
        return samples + draw(), draw(1)

    made = Dataset.of(np.zeros((6, 1), "float32"), 3, finish=moved, seed=1)
    assert made.element_spec[1].shape == (3, 1)
    whole = values(made.endless(), 4)
    assert values(made.endless(2), 2) == whole[2:] and whole[0] != whole[1] and whole[0][0] != whole[0][1]


def test_refusals():
    for arguments, message in (
        ({"batch_size": 0}, "batch_size=0 must be a number of rows"),
        ({"batch_size": 7}, "batch_size=7 is larger than the data set: The data has 6 usable rows"),
        ({"labels": [1, 2]}, r"labels of shape \(2,\) do not fit; expected one for each of 6 rows"),
        ({"count": 3}, "count=3 means nothing where samples are arrays"),
        ({"samples": lambda i: i}, "count=None must be a number of rows"),
        ({"samples": (np.zeros(3), np.zeros((4, 1)))}, r"the shapes \(3,\) and \(4, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            Dataset.of(**{"samples": np.zeros((6, 2)), "batch_size": 2, "plural": "rows", **arguments})
    with pytest.raises(ValueError, match="needs a seed"):
        Dataset.of(np.zeros((6, 2)), 2).endless()
