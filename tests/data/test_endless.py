"""Batches of all epochs from any place on: the same wherever they begin."""

import itertools
import shutil

import numpy as np
import pytest
import tensorflow as tf
from pictures import encode, plain, reds

from kerasgan import data, memory
from kerasgan.convert import convert
from kerasgan.data import image as image_module


def take(dataset, count):
    return [np.concatenate([np.ravel(part) for part in tf.nest.flatten(batch)]) for batch in dataset.take(count)]


def pixels(count=11, side=8):
    return np.random.default_rng(0).integers(0, 256, (count, side, side), dtype="uint8")


@pytest.fixture(params=["array", "files", "stream", "shards"])
def make(request, tmp_path):
    """make(batch_size=3, shuffle=True) makes a data set of a kind of source, always of the same images and seed."""
    source = {"array": pixels, "files": files, "stream": stream, "shards": shards}[request.param]

    def make(batch_size=3, shuffle=True):
        options = {"size": 8, "channels": 1, "seed": 5, "flip": True, "cache": request.param == "array"}
        return data.images(
            source() if source in (pixels, stream) else source(tmp_path),
            **options,
            batch_size=batch_size,
            shuffle=shuffle,
        )

    return make


@pytest.fixture
def dataset(make):
    return make()


def stream():
    return tf.data.Dataset.from_tensor_slices([tf.io.encode_png(p[..., None]).numpy() for p in pixels()])


def files(folder):
    for i, p in enumerate(pixels()):
        (folder / f"{i:02}.png").write_bytes(tf.io.encode_png(p[..., None]).numpy())
    return folder


def shards(folder):
    (folder / "files").mkdir(exist_ok=True)
    convert(files(folder / "files"), folder / "shards", 8, channels=1, shard_mb=0.001)
    return folder / "shards"


def test_it_goes_on_anywhere_as_if_it_had_come_from_the_start(dataset):
    tf.random.set_seed(4)  # as a training does
    whole = take(dataset.endless(), 12)
    for start in (3, 7):
        for expected, found in zip(whole[start:], take(dataset.endless(start), 12 - start), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_every_epoch_has_every_sample_at_most_once_and_an_order_of_its_own():
    numbers = memory.order(11, 3, True, 5, 0)
    batches = take(numbers, 60)
    epochs = [list(itertools.chain(*batches[3 * e : 3 * e + 3])) for e in range(20)]
    assert all(len(set(epoch)) == 9 and set(epoch) <= set(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(itertools.chain(*epochs)) == set(range(11))  # the remainder is another one each time
    assert take(memory.order(11, 3, True, 6, 0), 3)[0].tolist() != epochs[0][:3]


def test_orders_are_uniform():
    """Where number 0 comes, over many epochs: each place as often, within four standard deviations."""
    count, epochs = 8, 2000
    numbers = next(iter(memory.order(count, count, True, 1, 0).batch(epochs))).numpy()
    places = np.bincount(np.argmax(numbers == 0, axis=1), minlength=count)
    assert np.abs(places - epochs / count).max() < 4 * np.sqrt(epochs / count)
    follows = np.bincount(np.array([row[np.argmax(row == 0) - 1] for row in numbers]), minlength=count)[1:]
    assert np.abs(follows - epochs / (count - 1)).max() < 4 * np.sqrt(epochs / (count - 1))


def test_one_epoch_is_another_one_each_time(dataset):
    assert int(dataset.cardinality()) == 3
    first, second = take(dataset, 9), take(dataset, 9)
    assert len(first) == len(second) == 3
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_unshuffled_goes_through_the_samples():
    numbers = take(memory.order(7, 3, False, 0, 1), 3)
    assert [n.tolist() for n in numbers] == [[3, 4, 5], [0, 1, 2], [3, 4, 5]]


def test_it_needs_a_seed():
    dataset = data.images(pixels(), size=8, channels=1, batch_size=3)
    with pytest.raises(ValueError, match="seed=None"):
        dataset.endless()
    assert take(dataset.endless(seed=3), 1)


def test_fingerprints_tell_data_apart(tmp_path):
    options = {"size": 8, "channels": 1, "batch_size": 3}
    one, same, other = (data.images(p, **options).fingerprint for p in (pixels(), pixels(), pixels()[::-1]))
    assert one == same != other
    for cache in (True, False):
        for i, p in enumerate(pixels()):
            (tmp_path / f"{i}.png").write_bytes(tf.io.encode_png(p[..., None]).numpy())
        before = data.images(tmp_path, cache=cache, **options).fingerprint
        assert data.images(tmp_path, cache=cache, **options).fingerprint == before
        (tmp_path / "new.png").write_bytes((tmp_path / "0.png").read_bytes())
        assert data.images(tmp_path, cache=cache, **options).fingerprint != before
        (tmp_path / "new.png").unlink()


@pytest.mark.parametrize(("shuffle", "start", "count"), [(True, 3, 2), (False, 0, 4)])
def test_workers_share_every_batch(make, shuffle, start, count):
    """Joined, their parts are the batches of one process, flips included, wherever they begin."""
    dataset = make(batch_size=4, shuffle=shuffle)
    whole = list(dataset.endless(start).take(5).as_numpy_iterator())
    parts = [dataset.endless(start, worker=(i, count)) for i in range(count)]
    assert all(part.element_spec.shape == (4 // count, 8, 8, 1) for part in parts)
    batches = zip(*(part.take(5).as_numpy_iterator() for part in parts), strict=True)
    np.testing.assert_array_equal([np.concatenate(batch) for batch in batches], whole)


def test_a_worker_decodes_its_own_images_only(tmp_path, monkeypatch):
    decoded = set()

    def to_pixels(raw, *arguments):
        decoded.add(contents.index(raw))
        return decode(raw, *arguments)

    decode, contents = image_module.to_pixels, [p.read_bytes() for p in sorted(files(tmp_path).iterdir())]
    dataset = data.images(tmp_path, 8, 4, channels=1, shuffle=False, seed=5, cache=False)
    monkeypatch.setattr(image_module, "to_pixels", to_pixels)
    list(dataset.endless(worker=(1, 2)).take(6))
    assert decoded == {2, 3, 6, 7}


def test_workers_are_not_dealt_their_part_again():
    dataset = data.images(pixels(), 8, 4, channels=1, seed=5)
    policies = tf.data.experimental.AutoShardPolicy
    for worker, policy in (((0, 1), policies.DATA), ((1, 2), policies.OFF)):
        options = dataset.endless(worker=worker).options()
        assert options.experimental_distribute.auto_shard_policy == policy


@pytest.mark.parametrize(
    ("worker", "message"),
    [((0, 3), "batch_size=4 cannot be dealt out evenly to 3"), ((2, 2), "worker=\\(2, 2\\)"), ((0, 0), "worker=")],
)
def test_workers_that_make_no_sense(worker, message):
    with pytest.raises(ValueError, match=message):
        data.images(pixels(), 8, 4, channels=1, seed=5).endless(worker=worker)


# Data that changes while training reads it --------------------------------------------------------------------------


@pytest.fixture
def training(write, recwarn):
    """Batches of eight, in order, of 40 pictures whose level of red is their number, read when they are needed."""
    for number in range(40):
        write(f"{number:02}.png", encode(plain(number)))
    dataset = data.images(write.root, 8, 8, shuffle=False, seed=0, cache=False)
    batches = iter(dataset.endless())
    assert [reds(next(batches)) for _ in range(5)] == np.arange(40).reshape(5, 8).tolist()
    return batches


def later_epoch(batches, recwarn):
    """The levels of red of an epoch that is read from now on (not ahead before), and what was warned of since."""
    levels = [reds(next(batches)) for _ in range(15)][10:]
    messages = [str(warning.message) for warning in recwarn.list]
    recwarn.clear()
    return [level for batch in levels for level in batch], sorted(messages)


def test_a_file_that_is_cut_in_the_middle_of_an_epoch_is_replaced(training, write, recwarn):
    content = encode(pixels(1, 64)[0])
    for name in ("05.png", "35.png"):
        write(name, content[: len(content) // 2])
    levels, messages = later_epoch(training, recwarn)
    assert [n for n in range(40) if levels[n] != n] == [5, 35]
    assert [message[:6] for message in messages] == ["05.png", "35.png"]
    assert all("truncated" in message and "another sample takes its place" in message for message in messages)
    again, messages = later_epoch(training, recwarn)
    assert again == levels and messages == []  # replaced by the same ones, and named once


def test_files_that_are_deleted_added_and_replaced_while_it_runs(training, write, recwarn):
    for number in range(10, 22):  # more together than may be missing one after the other
        (write.root / f"{number}.png").unlink()
    write("30.png", encode(plain(200, 64, 32), "BMP"))  # many more bytes
    write("99.png", encode(plain(250)))
    levels, messages = later_epoch(training, recwarn)
    assert [n for n in range(40) if levels[n] != n] == [*range(10, 22), 30]
    assert levels[30] == 200 and 250 not in levels
    assert [message[:6] for message in messages] == [f"{number}.png" for number in range(10, 22)]
    assert len(set(levels[10:22])) > 6  # not all of them by the same picture


@pytest.mark.filterwarnings("ignore:.*another sample takes its place")
def test_a_folder_that_disappears_while_it_runs_ends_it(training, write, recwarn):
    shutil.rmtree(write.root)
    with pytest.raises(Exception, match="20 samples in a row cannot be read, the last of them .*png.*still there"):
        later_epoch(training, recwarn)


def test_rebatched_is_the_same_data_in_other_batches():
    array = np.arange(12 * 16 * 16, dtype="uint32").reshape(12, 16, 16).astype("uint8")
    whole = data.images(array, size=16, channels=1, batch_size=12, shuffle=False)
    small = data.images(array, size=16, channels=1, batch_size=1, seed=5).rebatched(4)
    direct = data.images(array, size=16, channels=1, batch_size=4, seed=5)
    assert small.fingerprint == direct.fingerprint == whole.fingerprint
    for ours, theirs, _ in zip(small.endless(2), direct.endless(2), range(5), strict=False):
        np.testing.assert_array_equal(ours, theirs)
    assert int(small.cardinality()) == 3
    with pytest.raises(ValueError, match="batch_size=13 is larger"):
        small.rebatched(13)
