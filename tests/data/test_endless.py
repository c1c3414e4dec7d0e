"""Batches of all epochs from any place on: the same wherever they begin."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasgan import data, memory


def take(dataset, count):
    return [np.concatenate([np.ravel(part) for part in tf.nest.flatten(batch)]) for batch in dataset.take(count)]


def pixels(count=11, side=8):
    return np.random.default_rng(0).integers(0, 256, (count, side, side), dtype="uint8")


@pytest.fixture(params=["array", "files", "stream"])
def dataset(request, tmp_path):
    options = {"size": 8, "channels": 1, "batch_size": 3, "seed": 5, "flip": True}
    if request.param == "array":
        return data.images(pixels(), **options)
    if request.param == "stream":
        encoded = [tf.io.encode_png(p[..., None]).numpy() for p in pixels()]
        return data.images(tf.data.Dataset.from_tensor_slices(encoded), cache=False, **options)
    for i, p in enumerate(pixels()):
        (tmp_path / f"{i}.png").write_bytes(tf.io.encode_png(p[..., None]).numpy())
    return data.images(tmp_path, cache=False, **options)


def test_it_goes_on_anywhere_as_if_it_had_come_from_the_start(dataset):
    tf.random.set_seed(4)  # as a training does
    whole = take(dataset.endless(), 12)
    for start in (1, 3, 7):
        for expected, found in zip(whole[start:], take(dataset.endless(start), 12 - start), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_every_epoch_has_every_sample_at_most_once_and_an_order_of_its_own():
    numbers = memory.order(11, 3, True, 5, 0)
    epochs = [list(itertools.chain(*take(numbers.skip(3 * e), 3))) for e in range(20)]
    assert all(len(set(epoch)) == 9 and set(epoch) <= set(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(itertools.chain(*epochs)) == set(range(11))  # the remainder is another one each time
    assert take(memory.order(11, 3, True, 6, 0), 3)[0].tolist() != epochs[0][:3]


def test_orders_are_uniform():
    """Where number 0 comes, over many epochs: each place as often, within four standard deviations."""
    count, epochs = 8, 2000
    numbers = np.array(take(memory.order(count, count, True, 1, 0), epochs))
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
