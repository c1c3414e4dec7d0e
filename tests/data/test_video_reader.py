"""kerasgan.data.video: clips of animations, of videos, of numbered pictures and of arrays."""

import io
import struct
import sys
import zipfile

import numpy as np
import PIL.Image
import pytest

from kerasgan.data import clip as read_clip
from kerasgan.data import clips as decoding
from kerasgan.data import video
from kerasgan.media import Video


def levels(count, first=0, size=8):
    """A clip of plain grey frames: first, first + 10, ..., uint8 (count, size, size, 1)."""
    return np.broadcast_to(first + 10 * np.arange(count).reshape(-1, 1, 1, 1), (count, size, size, 1)).astype("uint8")


def picture(level, size=8):
    content = io.BytesIO()
    PIL.Image.new("L", (size, size), level).save(content, "PNG")
    return content.getvalue()


def animation(clip, kind="GIF", **options):
    pictures = [PIL.Image.fromarray(frame[..., 0]) for frame in clip]
    pictures = [one.convert("RGB") for one in pictures] if kind == "WEBP" else pictures
    content = io.BytesIO()
    options = {"duration": 100, "loop": 0, **options} | ({"lossless": True} if kind == "WEBP" else {})
    pictures[0].save(content, kind, save_all=True, append_images=pictures[1:], **options)
    return content.getvalue()


def read(source, length=4, size=8, batch_size=1, **options):
    """All clips in order as their levels, [[level of each frame], ...], and labels if there are any."""
    found = list(video(source, length, size, batch_size, **{"channels": 1, "shuffle": False, **options}))
    samples = [np.asarray(batch[0] if isinstance(batch, tuple) else batch) for batch in found]
    pixels = Video(samples[0].shape[1:]).to_natural(np.concatenate(samples))
    assert (pixels == pixels[:, :, :1, :1]).all()  # plain frames stay plain
    shown = pixels[:, :, 0, 0, 0].tolist()
    return (shown, [int(batch[1][0]) for batch in found]) if isinstance(found[0], tuple) else shown


# Files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "ending"), [("GIF", "gif"), ("WEBP", "webp"), ("PNG", "apng")])
def test_animations_are_cut_into_clips(write, kind, ending, capsys):
    write(f"a.{ending}", animation(levels(9), kind))
    write(f"b.{ending.upper()}", animation(levels(4, 100), kind))
    assert read(write.root) == [[0, 10, 20, 30], [40, 50, 60, 70], [100, 110, 120, 130]]
    assert "2 files -> 3 clips of 4 frames." in capsys.readouterr().out
    assert read(write.root, clips="start") == [[0, 10, 20, 30], [100, 110, 120, 130]]


def test_numbered_pictures_are_the_frames_of_a_clip(write):
    for number in range(12):
        write(f"a/walk_{number + 1}.png", picture(10 * number))  # 10 comes behind 9
        write(f"a/run{number:03}_left.png", picture(10 * number + 1))
    assert read(write.root, 12) == [[10 * n + 1 for n in range(12)], [10 * n for n in range(12)]]
    assert read(write.root, 4, every=3) == [[1, 31, 61, 91], [0, 30, 60, 90]]
    names = ["a/1.png", "a/10.png", "a/2.png", "b.gif", "c.png", "c_1x2.jpg"]
    from kerasgan.data.video import _series

    assert _series(names) == [("a/1.png to 10.png", [0, 2, 1]), ("b.gif", [3]), ("c.png", [4]), ("c_1x2.jpg", [5])]


def test_zip_files_and_classes(write, tmp_path):
    for name, first in (("cats/a/", 0), ("cats/b/", 100), ("dogs/a/", 200)):
        for number in range(4):
            write(f"{name}{number}.png", picture(first + number))
    write("dogs/b.gif", animation(levels(4, 50)))
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in write.root.rglob("*.*"):
            archive.write(file, file.relative_to(write.root).as_posix())
    for source in (write.root, path):
        shown, labels = read(source, labels=True)
        assert [clip[0] for clip in shown] == [0, 100, 200, 50] and labels == [0, 0, 1, 1]
        assert video(source, 4, 8, 1, labels=True).class_names == ["cats", "dogs"]
        assert read(source, subset="dogs") == [[200, 201, 202, 203], [50, 60, 70, 80]]


def test_mp4_by_the_extra(write, monkeypatch):
    pytest.importorskip("av")
    given = levels(6, 40, 32)
    path = Video(given.shape, 10).save(given[None], write.root.parent / "made.mp4")
    write("a.mp4", path.read_bytes())
    (found,) = read(write.root, 6, 32)
    np.testing.assert_allclose(found, 40 + 10 * np.arange(6), atol=3)
    (half,) = read(write.root, 3, 32, frame_rate=5)
    np.testing.assert_allclose(half, [40, 60, 80], atol=3)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r'The data hold a.mp4, which needs the package av: pip install "kerasgan\['):
        video(write.root, 6)


def test_a_playlist_is_not_followed(write):
    pytest.importorskip("av")
    write("b.gif", animation(levels(4)))
    write("a.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")
    with pytest.warns(UserWarning, match="1 of 2 items of .* cannot be used .a.mp4: "):
        assert len(read(write.root)) == 1


def test_one_clip_as_pixels(write):
    path = write("a/a.gif", animation(levels(5), duration=[100, 200, 100, 100, 100]))
    for number in range(3):
        write(f"b/{number}.png", picture(10 * number))
    assert read_clip(path, 8, channels=1)[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40]
    assert read_clip(path, (4, 6), frame_rate=10).shape == (6, 4, 6, 3)
    assert read_clip(write.root / "b", 8, channels=1)[:, 0, 0, 0].tolist() == [0, 10, 20]
    write("b/walk_1.png", picture(0))
    for wrong, message in (
        (write.root / "b", r"holds 2 clips; give one of them, such as 0.png to 2.png"),
        (write("c.gif", b"GIF89a"), "c.gif': not an image of a known format"),
        (write("d.txt", b""), "d.txt': not a clip: clips end in .gif"),
    ):
        with pytest.raises(ValueError, match=message):
            read_clip(wrong, 8)
    with pytest.raises(FileNotFoundError, match="give a clip, or a folder of numbered pictures"):
        read_clip(write.root / "e.gif", 8)


# Times ---------------------------------------------------------------------------------------------------------------


def test_frames_are_shown_as_long_as_the_file_says(write):
    write("a.gif", animation(levels(4), duration=[100, 300, 100, 200]))
    # At 0, .1, .2 ... .6 seconds; at every fifth of a second; twice as fast.
    assert read(write.root, 7, frame_rate=10) == [[0, 10, 10, 10, 20, 30, 30]]
    assert read(write.root, 4, frame_rate=5) == [[0, 10, 20, 30]]
    assert read(write.root, 4) == [[0, 10, 20, 30]]


def test_frames_at_a_rate_by_themselves():
    at = [decoding.Frame(None, start, end) for start, end in ((5.0, 5.1), (5.1, 5.15), (5.15, 5.5))]
    found = [at.index(frame) for frame in decoding.at_rate(at, 10)]
    assert found == [0, 1, 2, 2, 2]  # at 0, .1, .2, .3, .4 seconds from the first one on
    assert list(decoding.at_rate(at, None)) == at
    untimed = [decoding.Frame(None)] * 3
    assert len(list(decoding.at_rate(untimed, 50))) == 3


def test_a_gif_without_times_has_ten_frames_a_second(write):
    content = bytearray(animation(levels(3), duration=20))
    place = -1
    while (place := content.find(b"\x21\xf9\x04", place + 1)) >= 0:
        content[place + 4 : place + 6] = struct.pack("<H", 0)
    write("a.gif", bytes(content))
    assert read(write.root, 3, frame_rate=10) == [[0, 10, 20]]


# Frames --------------------------------------------------------------------------------------------------------------


def test_frames_are_cropped_and_resized_as_images_are(write):
    clip = np.zeros((3, 8, 16, 1), "uint8")
    clip[:, :, 4:12] = np.array([200, 180, 160]).reshape(3, 1, 1, 1)
    write("a.gif", animation(clip))
    assert read(write.root, 3, 8) == [[200, 180, 160]]  # the middle
    assert read(write.root, 3, (4, 4), crop=(5, 1, 6, 6)) == [[200, 180, 160]]
    (wide,) = video(write.root, 3, (8, 16), 1)
    np.testing.assert_array_equal(np.rint((wide.numpy() + 1) * 127.5)[0], np.repeat(clip, 3, axis=-1))


def test_transparency_is_laid_over_white(write):
    frames = [PIL.Image.new("RGBA", (4, 4), (level, 0, 0, alpha)) for level, alpha in ((255, 255), (255, 0), (0, 255))]
    content = io.BytesIO()
    frames[0].save(content, "PNG", save_all=True, append_images=frames[1:], blend=0, duration=100)
    write("a.apng", content.getvalue())
    (batch,) = video(write.root, 3, 4, 1)
    assert np.rint((batch.numpy() + 1) * 127.5)[0, :, 0, 0].tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 0]]


def test_clips_are_mirrored_as_wholes():
    ramp = np.broadcast_to(np.arange(8, dtype="uint8") * 30, (40, 3, 8, 8))
    (batch,) = video(ramp, 3, 8, 40, channels=1, flip=True, seed=1)
    rows = np.rint((batch.numpy() + 1) * 127.5)[:, :, 0, :, 0]
    mirrored = [bool((clip == np.arange(8)[::-1] * 30).all()) for clip in rows]
    assert 5 < sum(mirrored) < 35
    assert all((clip == np.arange(8) * 30).all() for clip, turned in zip(rows, mirrored, strict=True) if not turned)


def test_random_clips_are_at_other_places_in_each_epoch():
    given = levels(20)[None]
    dataset = video(given, 4, 8, 5, channels=1, clips="random", seed=3)
    firsts = [np.rint((batch.numpy() + 1) * 127.5)[:, 0, 0, 0, 0] for batch in dataset.endless().take(20)]
    for one in firsts:
        assert ((np.sort(one) // 10 >= [0, 3, 6, 10, 13]) & (np.sort(one) // 10 <= [3, 6, 10, 13, 16])).all()
    assert set(np.concatenate(firsts) // 10) == set(range(17))
    again = next(iter(dataset.endless(7))).numpy()[:, 0, 0, 0, 0]
    np.testing.assert_array_equal(np.rint((again + 1) * 127.5), firsts[7])


def test_what_is_not_kept_is_read_again(write):
    write("a.gif", animation(levels(4)))
    write("b.gif", animation(levels(8, 100)))
    assert read(write.root, cache=False) == [[0, 10, 20, 30], [100, 110, 120, 130], [140, 150, 160, 170]]
    dataset = video(write.root, 4, 8, 1, channels=1, shuffle=False, cache=False)
    write("b.gif", animation(levels(5, 100)))
    with pytest.warns(UserWarning, match="b.gif from frame 4 on cannot be used .fewer frames than it had."):
        assert len(list(dataset)) == 3


# Arrays --------------------------------------------------------------------------------------------------------------


def test_arrays_of_clips(tmp_path):
    given = np.stack([levels(5), levels(5, 100)])
    whole = [[0, 10, 20, 30, 40], [100, 110, 120, 130, 140]]
    assert read(given[..., 0], 5) == read(given / 255, 5) == whole
    path = Video(given.shape[1:]).save(given, tmp_path / "clips.npz")
    assert read(path, 5) == whole
    np.savez(tmp_path / "more.npz", videos=given, labels=[1, 0])
    assert read(tmp_path / "more.npz", 5, labels=True) == (whole, [1, 0])
    np.save(tmp_path / "clips.npy", given)
    assert read(tmp_path / "clips.npy", 2, every=2) == [[0, 20], [100, 120]]
    dataset = video(given, 2, (8, 6), 1, frame_rate=20, every=2)
    assert dataset.model_arguments == {"frames": 2, "image_shape": [8, 6, 3], "frame_rate": 10.0}
    assert dataset.fingerprint != video(given + 1, 2, (8, 6), 1, frame_rate=20, every=2).fingerprint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((4, 8, 8), "uint8"), r"single clip: pass array\[None\]"),
        (np.zeros((2, 4, 8, 8, 2), "uint8"), "with 1, 3 or 4 channels"),
        (np.zeros((0, 4, 8, 8), "uint8"), "no empty axis"),
        (np.full((2, 4, 8, 8), 300), "pixels are 0 to 255"),
        (np.full((2, 4, 8, 8), np.nan), "NaN"),
        (np.array(["a", None], object), "nothing that can be read"),
        (np.zeros((2, 3, 8, 8), "uint8"), "Nothing is left to train on: .*clip 0: 3 frames, fewer than length=4"),
    ],
)
def test_arrays_that_are_no_clips(source, message):
    with pytest.raises(ValueError, match=message):
        video(source, 4, 8, 1)


# What cannot be used -------------------------------------------------------------------------------------------------


def test_unusable_files_are_named_with_the_reason(write):
    write("good.gif", animation(levels(4)))
    write("one.gif", animation(levels(1)))
    write("short.webp", animation(levels(3), "WEBP"))
    for number in range(4):
        write(f"sizes/{number}.png", picture(10, 8 if number < 2 else 9))
        write(f"broken/{number}.png", picture(10) if number != 2 else picture(10)[:50])
    write("cut.apng", animation(levels(9, size=64), "PNG")[:-300])
    write("cut.gif", animation(np.random.default_rng(0).integers(0, 256, (4, 32, 32, 1), "uint8"))[:-900])
    write("no.gif", b"not a gif")
    write("song.ogg", b"OggS")
    write("about.txt", b"is passed over")
    reasons = (
        "broken/0.png to 3.png: ",
        "cut.apng: ",
        "cut.gif: ",
        "no.gif: not an image of a known format",
        "one.gif: 1 frame, fewer than length=4",
        "short.webp: 3 frames, fewer than length=4",
        "sizes/0.png to 3.png: frames of 8x8 and 9x9 pixels",
        "song.ogg: not a clip: clips end in .gif, .webp",
    )
    with pytest.warns(UserWarning, match="8 of 9 items of .* cannot be used") as caught:
        assert read(write.root) == [[0, 10, 20, 30]]
    for reason in reasons:
        assert reason in str(caught[0].message)
    with pytest.raises(ValueError, match="Repair or remove them, or skip them with on_error='skip'"):
        video(write.root, 4, 8, 1, on_error="raise")


def test_files_that_would_take_too_much_are_not_read(write, monkeypatch):
    monkeypatch.setattr(decoding, "MOST_FRAMES", 6)
    write("good.gif", animation(levels(6)))
    write("long.gif", animation(levels(7)))
    write("slow.gif", animation(levels(4), duration=[100, 100, 100, 60000]))
    with pytest.warns(UserWarning, match="long.gif: more than 6 frames of 8x8 pixels are too many"):
        assert len(read(write.root)) == 2
    with pytest.warns(UserWarning, match="slow.gif: more than 6 frames are too many"):
        assert len(read(write.root, frame_rate=10)) == 1
    monkeypatch.setattr(decoding, "MOST_PIXELS", 6 * 64 - 1)
    with pytest.warns(UserWarning, match="good.gif: more than 5 frames of 8x8 pixels"):
        assert len(read(write.root)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 1}, "length=1 must be a whole number, 2 or more"),
        ({"every": 0}, "every=0 must be a whole number, 1 or more"),
        ({"size": "8"}, "size='8' must be a number of pixels"),
        ({"frame_rate": 0}, "frame_rate=0 must be frames a second"),
        ({"frame_rate": True}, "frame_rate=True"),
        ({"channels": 4}, "channels=4 must be one of 1, 3"),
        ({"clips": "some"}, "clips='some' must be one of 'all', 'random', 'start'"),
        ({"labels": "name"}, "labels='name' must be one of True, False"),
        ({"labels": True}, "mean nothing where source is an array"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        video(np.zeros((2, 4, 8, 8), "uint8"), **{"length": 4, "size": 8, "batch_size": 1, **options})
