"""kerasgan.data.moving_mnist: trajectories written out, clips that follow from seed and number alone."""

import numpy as np
import pytest

from kerasgan.data import moving_mnist as read
from kerasgan.data.moving_mnist import frames, trajectory


def squares(count=5):
    """ "Digits" of one level each, filling their square: 50, 80, ..."""
    return np.stack([np.full((28, 28), 50 + 30 * number, "uint8") for number in range(count)])


def test_a_digit_is_reflected_by_the_edges():
    """Written out: from 8 on by 3 a frame in a room of 10: 8, 11 -> 9, 14 -> 6, 17 -> 3, 20 -> 0, 23 -> 3, 26 -> 6."""
    found = trajectory(np.array([8.0, 4.0]), np.array([3.0, -1.5]), 7, 10)
    assert found.dtype.kind == "i"
    assert found[:, 0].tolist() == [8, 9, 6, 3, 0, 3, 6]
    # 4, 2.5, 1, -0.5 -> 0.5, -2 -> 2, 3.5, 5; halves are rounded to even numbers.
    assert found[:, 1].tolist() == [4, 2, 1, 0, 2, 4, 5]


def test_digits_lie_where_they_are_and_the_brighter_one_above():
    images = squares(2)[None]
    places = np.array([[[[0, 0], [36, 36]], [[20, 10], [36, 36]]]])
    clip = frames(images, places, 64)[0]
    assert clip.shape == (2, 64, 64) and clip.dtype == np.uint8
    expected = np.zeros((64, 64), int)
    expected[:28, :28] = 50
    expected[20:48, 10:38] = 80
    np.testing.assert_array_equal(clip[0], expected)
    assert (clip[1][36:, 36:] == 80).all() and (clip[1] > 0).sum() == 28 * 28


def test_what_a_clip_shows_moves_as_fast_as_asked():
    clips = (np.asarray(next(iter(read(squares(1), 12, 64, 20, digits=1, speed=4, seed=1)))) + 1) / 2 * 255
    assert clips.shape == (20, 12, 64, 64, 1)
    lit = np.rint(clips[..., 0]) == 50
    assert (lit.sum(axis=(2, 3)) == 28 * 28).all()
    corners = np.stack([lit.any(axis=3).argmax(axis=2), lit.any(axis=2).argmax(axis=2)], axis=-1)
    steps = np.diff(corners, axis=1)
    free = ((corners[:, :-1] > 4) & (corners[:, :-1] < 32)).all(axis=2)  # out of an edge's reach
    assert np.abs(np.linalg.norm(steps[free], axis=1) - 4).max() <= 2**0.5  # each end is rounded by half a pixel
    assert len(np.unique(np.rint(np.degrees(np.arctan2(*steps[:, 0].T)) / 45))) >= 6  # all directions


def test_digits_are_as_large_a_part_of_small_frames():
    clips = np.asarray(next(iter(read(squares(1), 2, 32, 4, digits=1, seed=1))))[..., 0] > -1
    assert (clips.sum(axis=(2, 3)) == 14 * 14).all()


def test_all_batches_follow_from_the_seed_and_their_number():
    dataset = read(squares(), 3, 32, 2, count=6, seed=5)
    assert dataset.seekable and int(dataset.cardinality()) == 3 == len(list(dataset))
    whole = [batch.numpy() for batch in dataset.endless().take(7)]
    for start in (1, 3, 5):
        for one, other in zip(whole[start:], dataset.endless(start).take(7 - start), strict=True):
            np.testing.assert_array_equal(one, other)
    assert len(np.unique(np.concatenate(whole).reshape(14, -1), axis=0)) == 14  # none comes twice
    halves = [next(iter(dataset.endless(4, worker=(number, 2)))).numpy() for number in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves), whole[4])
    other = next(iter(read(squares(), 3, 32, 2, count=6, seed=6).endless())).numpy()
    assert not np.array_equal(other, whole[0])


def test_without_shuffling_it_is_the_same_at_every_reading():
    dataset = read(squares(), 3, 32, 2, count=4, shuffle=False)
    first, second = ([batch.numpy() for batch in dataset] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_what_it_knows_of_itself(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=squares(), x_test=squares(2))
    of = {part: read(tmp_path / "mnist.npz", 4, 32, 2, subset=part) for part in (None, "train", "test")}
    assert of[None].fingerprint == of["train"].fingerprint != of["test"].fingerprint
    assert of[None].count == 10_000
    assert of[None].model_arguments == {"frames": 4, "image_shape": [32, 32, 1], "frame_rate": 10.0}
    levels = {level for clip in of["test"].take(20) for level in np.unique(np.rint((clip + 1) * 127.5))}
    assert levels == {0, 50, 80}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 1}, "length=1 must be a whole number, 2 or more"),
        ({"size": 31}, "size=31 must be a whole number, 32 or more"),
        ({"digits": 0}, "digits=0"),
        ({"digits": 11}, "digits=11 must be 10 at most"),
        ({"speed": 64}, "speed=64 must be pixels a frame"),
        ({"speed": float("nan")}, "speed=nan"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"count": 3}, "batch_size=16 is larger than the data set"),
        ({"subset": "train"}, "means nothing where source is an array"),
        ({"source": np.zeros((3, 28, 27), "uint8")}, r"expected digits as uint8 \(n, 28, 28\)"),
        ({"source": np.zeros((3, 28, 28))}, "dtype float64; expected digits as uint8"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read(**{"source": squares(), **options})


def test_files_that_hold_no_digits(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; give a .npz file"):
        read(tmp_path / "mnist.npz")
    np.savez(tmp_path / "other.npz", images=squares())
    with pytest.raises(ValueError, match="'x_train' is not in .*; it holds: images"):
        read(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="expected a single .npz file of digits"):
        read(tmp_path)
