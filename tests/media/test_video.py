"""Videos: conversions, animated files as other programs read them, filmstrips."""

import io
import sys

import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan.media import Video


def clips(count=1, frames=4, height=6, width=8, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, frames, height, width, channels), "uint8")


def read(path, mode):
    """All frames of an animated file, and their milliseconds, by Pillow."""
    with PIL.Image.open(path) as image:
        frames, durations = [], []
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            frames.append(np.asarray(image.convert(mode)))
            durations.append(image.info["duration"])
        return np.stack(frames), durations, image.info.get("loop")


def test_frames_are_converted_as_images_are():
    video = Video((2, 1, 3, 1))
    given = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.5, 3.0]], "float32").reshape(1, 2, 1, 3, 1)
    assert video.to_natural(given).ravel().tolist() == [0, 128, 255, 0, 191, 255]
    np.testing.assert_allclose(video.to_model(np.full((1, 2, 1, 3, 1), 255, "uint8")), 1.0)
    with pytest.raises(ValueError, match="NaN"):
        video.to_natural(given * np.nan)


@pytest.mark.parametrize(
    ("shape", "frame_rate", "message"),
    [
        ((1, 8, 8, 3), 10, "2 frames or more"),
        ((4, 8, 8, 2), 10, "1 or 3 channels"),
        ((8, 8, 3), 10, "frames, height, width"),
        ((4, 8, 8, 3), 0, "frame_rate=0: expected frames a second"),
        ((4, 8, 8, 3), float("nan"), "frame_rate=nan"),
        ((4, 8, 8, 3), True, "frame_rate=True"),
    ],
)
def test_what_is_no_video(shape, frame_rate, message):
    with pytest.raises(ValueError, match=message):
        Video(shape, frame_rate)


def test_wrong_shapes_say_what_to_do():
    for shape, message in (
        ((2, 4, 6, 8), r"Add the channel axis: clips\[..., None\]"),
        ((4, 6, 8, 1), r"Add the batch axis: clips\[None\]"),
        ((2, 5, 6, 8, 1), r"Read the clips with length=4, size=\(6, 8\), channels=1"),
    ):
        with pytest.raises(ValueError, match=message):
            Video((4, 6, 8, 1)).check(np.zeros(shape, "float32"))


@pytest.mark.parametrize("ending", ["webp", "apng"])
@pytest.mark.parametrize("channels", [1, 3])
def test_animations_lose_nothing(tmp_path, ending, channels):
    given = clips(channels=channels)
    path = Video(given.shape[1:], frame_rate=12.5).save(given, tmp_path / f"clip.{ending}")
    frames, durations, loop = read(path, "RGB")
    np.testing.assert_array_equal(frames, np.broadcast_to(given[0], (*given.shape[1:4], 3)))
    assert durations == [80] * 4 and loop == 0


def test_gif_keeps_grey_and_up_to_256_colours(tmp_path):
    grey = np.arange(4 * 6 * 8, dtype="uint8").reshape(1, 4, 6, 8, 1)
    frames, durations, loop = read(Video((4, 6, 8, 1), 15).save(grey, tmp_path / "grey.gif"), "L")
    np.testing.assert_array_equal(frames, grey[0, ..., 0])
    # A 15th of a second is 6.67 hundredths: ends at 6.67, 13.33, 20 and 26.67, rounded to 7, 13, 20 and 27.
    assert durations == [70, 60, 70, 70] and loop == 0
    few = clips(frames=3)
    np.testing.assert_array_equal(read(Video(few.shape[1:]).save(few, tmp_path / "few.gif"), "RGB")[0], few[0])


def test_clips_move_side_by_side(tmp_path):
    given = clips(count=3)
    frames, *_ = read(Video(given.shape[1:]).save(given, tmp_path / "all.webp", columns=2), "RGB")
    assert frames.shape == (4, 6 + 2 + 6, 8 + 2 + 8, 3)
    np.testing.assert_array_equal(frames[:, :6, :8], given[0])
    np.testing.assert_array_equal(frames[:, :6, 10:], given[1])
    np.testing.assert_array_equal(frames[:, 8:, :8], given[2])
    assert (frames[:, 8:, 10:] == 255).all()


def test_filmstrips_show_a_clip_a_row_and_at_most_16_frames(tmp_path):
    given = clips(count=2)
    video = Video(given.shape[1:])
    strips = video.sheet(given)
    assert strips.shape == (6 + 2 + 6, 4 * 8 + 3 * 2, 3)
    np.testing.assert_array_equal(strips[8:, 10:18], given[1, 1])
    assert video.sheet(given, columns=2).shape == (6, 8 * 8 + 7 * 2, 3)
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(video.save(given, tmp_path / "strips.png"))), strips)
    long = clips(frames=31)
    strips = Video(long.shape[1:]).sheet(long)
    assert strips.shape == (6, 16 * 8 + 15 * 2, 3)
    for place in range(16):
        np.testing.assert_array_equal(strips[:, 10 * place : 10 * place + 8], long[0, 2 * place])


def test_npz_holds_pixels_and_frame_rate(tmp_path):
    given = clips(count=2)
    with np.load(Video(given.shape[1:], 7.5).save(given, tmp_path / "clips.npz"), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["clips"], given)
        assert archive["frame_rate"] == 7.5


def test_mp4_is_played_by_ffmpeg_at_even_sides(tmp_path):
    av = pytest.importorskip("av")
    smooth = np.linspace(0, 255, 21 * 33).reshape(21, 33)
    given = np.stack([np.roll(smooth, 3 * frame, axis=1) for frame in range(5)])[None, ..., None].astype("uint8")
    path = Video(given.shape[1:], frame_rate=12.5).save(given, tmp_path / "clip.mp4")
    with av.open(io.BytesIO(path.read_bytes())) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert float(container.streams.video[0].average_rate) == 12.5
    assert [frame.shape for frame in frames] == [(22, 34, 3)] * 5
    errors = np.abs(np.stack(frames)[:, :21, :33].astype(int) - given[0])
    assert errors.mean() < 3


def test_mp4_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r'to write MP4 needs the package av: pip install "kerasgan\[video\]"'):
        Video((4, 6, 8, 3)).save(clips(), tmp_path / "clip.mp4")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_saved_is_refused(tmp_path):
    for wrong in (clips()[0], clips().astype(float), clips(frames=5), clips()[:0]):
        with pytest.raises(ValueError, match=r"expected uint8 pixels \(count, 4, 6, 8, 3\)"):
            Video((4, 6, 8, 3)).save(wrong, tmp_path / "clip.gif")
    with pytest.raises(ValueError, match="ends in '.avi'; expected one of .webp, .gif"):
        Video((4, 6, 8, 3)).save(clips(), tmp_path / "clip.avi")
    with pytest.raises(ValueError, match="columns is 0"):
        Video((4, 6, 8, 3)).sheet(clips(), columns=0)


def test_a_batch_of_clips_is_known_as_such(tmp_path):
    assert kerasgan.save_samples(clips(), tmp_path / "clip.webp").is_file()
    assert Video.fitting(clips()).shape == (4, 6, 8, 3)
    for other in (clips()[0], clips().astype(bool), clips(frames=1), clips(channels=2)):
        assert Video.fitting(other) is None
