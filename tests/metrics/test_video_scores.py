"""Scores of clips, on squares and digits whose places are written out."""

import math

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics import video


def scene(*squares, frames=6, size=64):
    """Clips of bright squares, each (edge, y and x by frame)."""
    clip = np.zeros((1, frames, size, size, 1), "uint8")
    for edge, places in squares:
        for frame, (y, x) in enumerate(places):
            clip[0, frame, y : y + edge, x : x + edge] = 200
    return clip


def line(start, step, frames=6):
    return [(start[0] + step[0] * t, start[1] + step[1] * t) for t in range(frames)]


def test_motion_is_the_mean_difference_of_neighbouring_frames():
    clips = np.zeros((2, 3, 1, 2, 1), "uint8")
    clips[0, :, 0, :, 0] = [[0, 255], [255, 255], [255, 0]]  # half of the pixels change, twice
    np.testing.assert_allclose(video.motion(clips), [0.5, 0.0])
    with pytest.raises(ValueError, match=r"expected uint8 \(n, frames, height, width, channels\) of 2 frames"):
        video.motion(clips[:, :1])


def test_parts_hang_together_over_gaps_of_two_pixels():
    frame = np.zeros((1, 32, 32), "uint8")
    frame[0, 4:8, 4:6] = 200  # 8 pixels, the centre of whose light is (5.5, 4.5)
    frame[0, 10, 7] = 100  # two empty rows below, and to the right: the same part
    frame[0, 20:22, 20:23] = 250
    frame[0, 31, 31] = 100  # a speck: less than a twentieth of the light
    ((first, second),) = video.parts_of(frame)
    assert first.size == (7, 4) and second.size == (2, 3)
    light = 8 * 200 + 100
    np.testing.assert_allclose(first.centre, [(1600 * 5.5 + 1000) / light, (1600 * 4.5 + 700) / light])
    np.testing.assert_allclose(second.centre, [20.5, 21])
    assert first.pixels.sum() == light and second.pixels.sum() == 6 * 250
    frame[0, 10, 7], frame[0, 11, 7:9] = 0, 200
    assert len(video.parts_of(frame)[0]) == 3  # three rows are too many
    assert video.parts_of(frame * 0) == [[]]


def test_frames_in_which_two_digits_stand_apart_and_in_which_one_is_missing():
    two = scene((12, line((2, 2), (0, 0))), (12, line((40, 2), (-8, 0))))
    pairs, missing = video.pairs_of(two)
    # The second square begins at row 40, 32, 24, 16, 8, 0; from 16 on it is within two pixels of the first, which ends
    # at 13. Together they are 26 pixels high, more than a digit, which has 20 (and 2 of blur); then 18, and 14.
    assert [pair is not None for pair in pairs[0]] == [True, True, True, False, False, False]
    assert missing.tolist() == [[False, False, False, False, True, True]]
    assert video.pairs_of(scene())[1].all()
    large = scene(
        (30, line((0, 0), (0, 0))), (12, line((45, 45), (0, 0)))
    )  # one is no digit: neither apart nor missing
    pairs, missing = video.pairs_of(large)
    assert pairs == [[None] * 6] and not missing.any()


def test_speeds_of_two_digits_that_take_their_own_ways():
    clip = scene((12, line((2, 2), (3, 4))), (12, line((48, 2), (-1, 0))))
    first, second = sorted(video.speeds(video.pairs_of(clip)[0][0]), key=lambda steps: -steps[0])
    np.testing.assert_allclose(first, [5] * 5)
    np.testing.assert_allclose(second, [1] * 5)
    pairs = video.pairs_of(clip)[0][0]
    pairs[2] = None  # runs of two and of three frames: only the longer one counts
    assert [len(steps) for steps in video.speeds(pairs)] == [2, 2]
    assert video.unsteady_speed(np.array([4.0, 4.0, 2.0, 6.0])) == 0.25
    assert math.isnan(video.unsteady_speed(np.zeros(3)))


def test_steadiness_is_the_share_of_the_most_frequent_pair():
    assert video.steadiness(np.array([[3, 5], [5, 3], [3, 5], [3, 8]])) == 0.75
    assert math.isnan(video.steadiness(np.zeros((0, 2), int)))


class Clips:
    def __init__(self, natural):
        self.natural = natural


def drawn(name):
    """A zero or a one as MNIST has them: 20 pixels high, in the middle of 28."""
    y, x = np.mgrid[:28, :28] - 13.5
    if name == 1:
        return np.where((np.abs(y) < 10) & (np.abs(x) < 1.6), 250, 0).astype("uint8")
    return np.where(np.abs(np.hypot(y / 9, x / 7) - 1) < 0.2, 250, 0).astype("uint8")


def test_digits_are_named_in_every_frame():
    """Clips of a one and a zero, of which the second becomes a one in the last three of eight frames."""
    clips = np.zeros((2, 8, 64, 64, 1), "uint8")
    for number, clip in enumerate(clips):
        for frame, picture in enumerate(clip[..., 0]):
            picture[2 * frame : 2 * frame + 28, :28] = drawn(1)
            picture[34:62, 34 - frame : 62 - frame] = drawn(1 if number and frame >= 5 else 0)
    found = {value.name: value.value for value in video._moving_digits(None, Clips(clips))}
    assert found["digits_apart"] == 1.0 and found["digits_missing"] == 0.0
    assert found["same_digits"] == 0.5  # five of eight frames are less than nine of ten
    assert found["unsteady_speed"] < 0.05


def test_evaluate_knows_them_by_kind():
    assert {name for name, metric in metrics.METRICS.items() if metric.kind == "video"} == {"motion", "moving_digits"}
