"""Scores of predicted frames, and what is predicted without a model."""

import numpy as np
import pytest

from kerasgan.media import Video
from kerasgan.metrics import evaluate_continuer, next_frames, psnr


def square(y, x, size=16):
    frame = np.zeros((size, size, 1), "uint8")
    frame[y : y + 4, x : x + 4] = 200
    return frame


def test_the_last_frame_is_moved_on_as_it_moved():
    given = np.stack([square(9, 9), square(2, 3), square(3, 5)])  # by one row and two columns, lately
    np.testing.assert_array_equal(next_frames.moved(given, 3), [square(4, 7), square(5, 9), square(6, 11)])
    np.testing.assert_array_equal(next_frames.repeated(given, 2), [square(3, 5)] * 2)
    still = np.stack([square(3, 5)] * 2)
    np.testing.assert_array_equal(next_frames.moved(still, 2), still)
    blank = np.zeros((2, 16, 16, 1), "uint8")  # any shift fits
    np.testing.assert_array_equal(next_frames.moved(blank, 2), blank)
    edge = np.stack([np.tile(np.arange(16, dtype="uint8")[:, None, None] * 16, (1, 16, 1))] * 2)
    edge[1, 1:] = edge[0, :-1]
    np.testing.assert_array_equal(next_frames.moved(edge, 1)[0, :, 0, 0], [0, 0, 0, *range(16, 208 + 1, 16)])


class Knowing:
    """A model that knows how a square moves, but is 10 levels too dark."""

    name, given_frames, media = "knowing", 2, Video((8, 16, 16, 1))

    def continue_video(self, frames, length, seed):
        return np.maximum(next_frames.moved(frames, length), 10) - 10


def test_each_score_stands_beside_those_of_two_simple_predictions():
    clips = [np.stack([square(y, 1 + frame) for frame in range(8)]) for y in (2, 7)]
    found = {(r.metric, r.model): r for r in evaluate_continuer(Knowing(), iter(clips), split="test", progress=False)}
    assert len(found) == 6 and {metric for metric, _ in found} == {
        "psnr of the first 5 frames, test",
        "ssim of the first 5 frames, test",
    }
    own = found["psnr of the first 5 frames, test", "knowing"]
    assert own.value == pytest.approx(10 * np.log10(255**2 / (100 * 16 / 256)), rel=1e-6)  # 16 of 256 pixels, by 10
    assert own.n_real == 2 and own.error == pytest.approx(0) and own.seed == 0
    assert own.parameters["given"] == 2 and len(own.parameters["by_frame"]) == 6
    still = found["psnr of the first 5 frames, test", next_frames.REPEATED]
    expected = [float(psnr(clips[0][1:2], clips[0][1 + n : 2 + n])[0]) for n in range(1, 7)]
    np.testing.assert_allclose(still.parameters["by_frame"], expected, atol=1e-3)
    assert still.value == pytest.approx(np.mean(expected[:5]), rel=1e-5)
    moved = found["psnr of the first 5 frames, test", next_frames.MOVED]
    assert moved.value == next_frames.HIGHEST  # equal frames


def test_what_cannot_be_scored():
    with pytest.raises(ValueError, match="clips is empty"):
        evaluate_continuer(Knowing(), [], progress=False)
    with pytest.raises(
        ValueError, match="metrics='fid': expected some of psnr, ssim, for a model that continues clips"
    ):
        evaluate_continuer(Knowing(), [], "fid")
