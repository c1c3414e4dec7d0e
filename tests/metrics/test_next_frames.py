"""Scores of predicted frames, and what is predicted without a model."""

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.media import Video
from kerasgan.metrics import evaluate_continuer, next_frames, psnr
from kerasgan.metrics.features import FeatureNetwork


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


class Middles(FeatureNetwork):
    """Features that show where the light is in the last frame."""

    def __init__(self):
        def outputs(clips):
            last = clips[:, -1, :, :, 0].astype("float64")
            axis = np.arange(last.shape[1])
            light = last.sum(axis=(1, 2)) + 1e-9
            return np.stack([(last.sum(2) @ axis) / light, (last.sum(1) @ axis) / light], 1), None

        super().__init__("middles", outputs, channels=None, traced=False)


def test_whole_clips_have_a_distance_beside_that_of_true_ones():
    clips = [np.stack([square(y, 1 + frame) for frame in range(8)]) for y in (2, 7, 4, 9, 1, 3)]
    found = evaluate_continuer(Knowing(), iter(clips), "fid", network=Middles(), split="test", progress=False)
    values = {r.model: r.value for r in found}
    still, floor = values[next_frames.REPEATED], values[metrics.result.REAL]
    # Halves of the clips end in the rows 2, 7, 4 and 9, 1, 3, one row and a half lower in the middle; all in column 8,
    # where a repeated frame stands in 2. The rows' means and deviations are what a Gaussian has of them.
    rows = np.array([2, 7, 4]), np.array([9, 1, 3])
    expected = (rows[0].mean() - rows[1].mean()) ** 2 + (rows[0].std(ddof=1) - rows[1].std(ddof=1)) ** 2
    assert floor == pytest.approx(expected, rel=1e-4)
    assert still == pytest.approx(expected + 6**2, rel=1e-4)
    assert values[next_frames.MOVED] == pytest.approx(floor)
    one = found[0]
    assert one.metric == "fid" and (one.n_real, one.n_fake, one.split) == (3, 3, "test, half of it")
    assert one.feature_network == "middles" and {r.seed for r in found} == {0, None}


def test_what_cannot_be_scored():
    with pytest.raises(ValueError, match="clips is empty"):
        evaluate_continuer(Knowing(), [], progress=False)
    with pytest.raises(ValueError, match="metrics='kid': expected some of psnr, ssim, fid, for a model that continues"):
        evaluate_continuer(Knowing(), [], "kid")
    with pytest.raises(ValueError, match="no feature network is for clips of shape 8x16x16x1"):
        evaluate_continuer(Knowing(), [], "fid")
    with pytest.raises(ValueError, match="clips holds 3; 'fid' needs four or more, for two halves"):
        clips = [np.zeros((8, 16, 16, 1), "uint8")] * 3
        evaluate_continuer(Knowing(), clips, "fid", network=Middles(), progress=False)
