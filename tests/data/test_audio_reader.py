"""kerasgan.data.audio: folders and zips of sounds."""

import builtins
import io
import shutil
import struct
import warnings
import wave
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.data import audio, pipeline, waves

RATE = 1000
CACHES = pytest.mark.parametrize("cache", [True, False])


def encode(samples, rate=RATE, width=2):
    """The content of a WAV file of floats (frames,) or (frames, channels)."""
    samples = np.asarray(samples, "float64")
    samples = samples[:, None] if samples.ndim == 1 else samples
    numbers = np.clip(np.rint(samples * 2.0 ** (8 * width - 1)), -(2.0 ** (8 * width - 1)), 2.0 ** (8 * width - 1) - 1)
    if width == 1:
        data = (numbers + 128).astype(np.uint8).tobytes()
    elif width == 3:
        data = numbers.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    else:
        data = numbers.astype(f"<i{width}").tobytes()
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return content.getvalue()


def ramp(level, frames=64):
    """A sound that begins at `level` / 1000, by which a test recognises it, and falls."""
    return level / 1000 * np.linspace(1, 0.5, frames)


def levels(batch):
    return np.rint(np.asarray(batch)[:, 0, 0] * 1000).astype(int).tolist()


def noise(frames, seed=0, channels=1):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (frames, channels))


def read(source, length=64, batch_size=1, **options):
    """All sounds of a source, in order."""
    dataset = audio(source, length, RATE, 1, **{"shuffle": False, **options}).rebatched(batch_size)
    return np.concatenate([batch[0] if isinstance(batch, tuple) else batch for batch in dataset])


@pytest.fixture
def sounds(write):
    """Twelve sounds of levels 10, 20, ..., 120, called as spoken digits are, in two folders."""
    for number in range(12):
        name = f"{number % 3}_{('anna', 'bert')[number % 2]}_{number}.wav"
        write(f"{('first', 'second')[number // 6]}/{name}", encode(ramp(10 * number + 10)))
    return write.root


def test_every_tenth_clip_is_held_back(sounds):
    whole = levels(read(sounds))
    for cache in (True, False):
        train, test = (levels(read(sounds, part=part, cache=cache)) for part in ("train", "test"))
        assert test == whole[9:10] and train == whole[:9] + whole[10:]


# What a sound becomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "step"), [(1, 2**-7), (2, 2**-15), (3, 2**-15), (4, 2**-15)])
def test_wav_files_of_any_depth(write, width, step):
    write("a.wav", encode(noise(64), width=width))
    np.testing.assert_allclose(read(write.root)[0], noise(64), atol=0.5 * step + 2**-16)


def test_16_bits_are_exact(write):
    numbers = np.array([-32768, -1, 0, 1, 2, 32767]) / 32768
    write("a.wav", encode(numbers))
    np.testing.assert_array_equal(read(write.root, 6).ravel(), numbers.astype("float32"))


@CACHES
def test_short_sounds_get_silence_and_long_ones_are_cut(write, cache):
    write("long.wav", encode(noise(101)))
    write("short.wav", encode(noise(33, seed=1)))
    long, short = read(write.root, crop="start", cache=cache)
    np.testing.assert_allclose(long, noise(101)[:64], atol=1e-4)
    np.testing.assert_allclose(short, np.pad(noise(33, seed=1), ((0, 31), (0, 0))), atol=1e-4)
    long, short = read(write.root, crop="center", pad="center", cache=cache)
    np.testing.assert_allclose(long, noise(101)[18:82], atol=1e-4)
    np.testing.assert_allclose(short, np.pad(noise(33, seed=1), ((15, 16), (0, 0))), atol=1e-4)


def test_random_crops_are_another_part_in_each_epoch_the_same_wherever_one_begins(write):
    for number in range(6):
        write(f"{number}.wav", encode(np.arange(100) / 1000 + 0.001))
    dataset = audio(write.root, 64, RATE, 3, crop="random", seed=3)
    whole = [levels(batch) for batch in dataset.endless().take(40)]
    starts = np.array(whole).ravel() - 1
    assert starts.min() == 0 and starts.max() == 36 and len(set(starts)) > 30
    assert abs(starts.mean() - 18) < 4 * 37 / np.sqrt(12 * len(starts))
    assert [levels(batch) for batch in dataset.endless(7).take(33)] == whole[7:]
    parts = [dataset.endless(worker=(i, 3)).take(5) for i in range(3)]
    assert [sum(map(levels, rows), []) for rows in zip(*parts, strict=True)] == whole[:5]
    assert [levels(batch) for batch in dataset] != [levels(batch) for batch in dataset]
    with pytest.raises(ValueError, match="cache=True means nothing with crop='random'"):
        audio(write.root, 64, RATE, 3, crop="random", cache=True)


def test_loudness_can_be_evened_out(write):
    write("a.wav", encode(0.25 * noise(64)))
    assert np.abs(read(write.root)).max() < 0.25
    assert np.abs(read(write.root, normalize=True)).max() == pytest.approx(1, abs=1e-4)


@CACHES
def test_channels_are_averaged_or_repeated_and_a_message_says_so(write, cache):
    stereo = noise(64, channels=2)
    write("mono.wav", encode(noise(64, seed=1)))
    write("stereo.wav", encode(stereo))
    with pytest.warns(UserWarning, match="1 of 2 sounds of .* several channels, of which the mean") as caught:
        mono = audio(write.root, 64, RATE, 2, shuffle=False, cache=cache)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(next(iter(mono))[1], stereo.mean(1, keepdims=True), atol=1e-4)
    with pytest.warns(UserWarning, match="1 of 2 sounds of .* are mono"):
        both = next(iter(audio(write.root, 64, RATE, 2, shuffle=False, cache=cache, channels=2)))
    np.testing.assert_allclose(both[0], noise(64, seed=1).repeat(2, 1), atol=1e-4)
    np.testing.assert_allclose(both[1], stereo, atol=1e-4)


def test_many_channels_do_not_make_two(write):
    write("a.wav", encode(noise(64, channels=6)))
    write("b.wav", encode(noise(64, channels=2)))
    with pytest.warns(UserWarning, match="1 of 2 .*a.wav: 6 channels, which do not make 2; pass channels=1"):
        assert read(write.root, channels=2).shape == (1, 64, 2)


@pytest.mark.parametrize("rate", [2000, 1017, 500, 44100])
def test_other_rates_are_resampled(write, rate):
    """A tone keeps its pitch and level; one that the wanted rate cannot hold is gone."""
    frames = np.arange(4 * rate) / rate
    high = 0.4 * np.sin(2 * np.pi * 800 * frames) if rate > 2000 else 0
    write("a.wav", encode(0.4 * np.sin(2 * np.pi * 100 * frames) + high, rate))
    found = read(write.root, 4000)[0, :, 0]
    expected = 0.4 * np.sin(2 * np.pi * 100 * np.arange(4000) / RATE)
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=2e-3)


def test_flac_and_wav_of_floats_are_what_wav_is(write):
    import soundfile

    numbers = np.rint(noise(64) * 32768) / 32768
    soundfile.write(write.root.parent / "a.flac", numbers, RATE)
    soundfile.write(write.root.parent / "b.wav", numbers, RATE, subtype="FLOAT")
    write("c.wav", encode(numbers))
    for name in ("a.flac", "b.wav"):
        write(name, (write.root.parent / name).read_bytes())
    for cache in (True, False):
        flac, floats, whole = read(write.root, cache=cache)
        np.testing.assert_array_equal(flac, whole)
        np.testing.assert_array_equal(floats, whole)


def test_what_is_louder_than_full_scale_is_clipped(write):
    import soundfile

    path = write.root.parent / "a.wav"
    soundfile.write(path, 2 * noise(64), RATE, subtype="FLOAT")
    write("a.wav", path.read_bytes())
    np.testing.assert_allclose(read(write.root)[0], np.clip(2 * noise(64), -1, 1), atol=1e-4)


# Without the extra ---------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch):
    """Neither soundfile nor soxr."""
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name in ("soundfile", "soxr"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(waves.importlib, "import_module", without)


def test_whole_number_wavs_need_no_extra(plain, sounds):
    assert sorted(levels(read(sounds))) == list(range(10, 130, 10))


FLOATS = b"RIFF" + struct.pack("<I", 44) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 1, RATE, 4 * RATE, 4, 32)


@pytest.mark.parametrize("content", [b"fLaC rest", b"OggS rest", FLOATS + b"data" + struct.pack("<I", 8) + bytes(8)])
def test_an_error_names_the_extra(plain, write, content):
    write("a.wav", content)
    write("b.wav", encode(noise(64)))
    with pytest.raises(ImportError, match=r'soundfile: pip install "kerasgan\[audio\]"'):
        read(write.root)


def test_resampling_names_it_too(plain, write):
    write("a.wav", encode(noise(64), rate=2000))
    with pytest.raises(
        ImportError, match=r'sounds of 2000 Hz.*soxr: pip install "kerasgan\[audio\]".*sample_rate=2000'
    ):
        read(write.root)


def test_other_files_are_no_sounds_without_it_either(plain, write):
    write("a.wav", b"no sound at all")
    write("b.wav", encode(noise(64)))
    with pytest.warns(UserWarning, match="a.wav: not a sound file"):
        assert len(read(write.root)) == 1


# Files that are none -------------------------------------------------------------------------------------------------


def broken(kind):
    content = encode(noise(64))
    return {
        "text": b"no sound at all",
        "empty": b"",
        "cut header": content[:30],
        "cut": content[:-40],
        "no samples": encode(np.zeros((0, 1))),
        "no rate": content[:24] + struct.pack("<I", 0) + content[28:],
        "riff": b"RIFF\x04\0\0\0AVI rest of a film",
    }[kind]


@CACHES
@pytest.mark.parametrize("kind", ["text", "empty", "cut header", "no samples", "no rate", "riff"])
def test_broken_files_are_named_in_a_warning_or_refused(sounds, write, kind, cache):
    write("first/bad.wav", broken(kind))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = audio(sounds, 64, RATE, 12, cache=cache)
    (warning,) = caught
    assert "1 of 13" in str(warning.message) and "first/bad.wav: " in str(warning.message)
    assert warning.filename == __file__
    assert sorted(levels(next(iter(dataset)))) == list(range(10, 130, 10))
    with pytest.raises(ValueError, match="first/bad.wav: .*on_error='skip'"):
        audio(sounds, 64, RATE, 12, cache=cache, on_error="raise")


def test_a_sound_that_is_cut_short_is_found_before_training_or_replaced(sounds, write):
    write("first/cut.wav", broken("cut"))
    with pytest.warns(UserWarning, match="first/cut.wav: cut short: 44 of 64 samples"):
        assert len(read(sounds)) == 12
    dataset = audio(sounds, 64, RATE, 13, cache=False)
    with pytest.warns(UserWarning, match="first/cut.wav cannot be used .*another sample takes its place"):
        assert set(levels(next(iter(dataset)))) == set(range(10, 130, 10))


def test_silence_and_broken_numbers_are_left_out(sounds, write):
    import soundfile

    write("first/silent.wav", encode(np.zeros(64)))
    write("first/cancels.wav", encode(np.stack([ramp(100), -ramp(100)], axis=1)))
    soundfile.write(write.root.parent / "nan.wav", np.full(64, np.nan), RATE, subtype="FLOAT")
    write("first/nan.wav", (write.root.parent / "nan.wav").read_bytes())
    with pytest.warns(UserWarning) as caught:
        assert len(read(sounds)) == 12
    (message,) = (str(w.message) for w in caught if "cannot be used" in str(w.message))
    for part in ("silent.wav: nothing but silence", "cancels.wav: nothing but silence", "nan.wav: NaN or infinite"):
        assert part in message


def test_text_beside_the_sounds_is_passed_over(sounds, write):
    for name in ("README.md", "first/notes.TXT", "labels.csv", ".DS_Store"):
        write(name, b"text")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(sounds)) == 12


def test_a_wav_whose_length_was_not_known_when_it_began_is_read_to_its_end(write):
    content = bytearray(encode(noise(64)))
    content[40:44] = struct.pack("<I", 2**32 - 1)  # as programs write that pipe what they record
    content[4:8] = struct.pack("<I", 2**32 - 1)
    write("a.wav", bytes(content))
    np.testing.assert_allclose(read(write.root)[0], noise(64), atol=1e-4)


# Sources -------------------------------------------------------------------------------------------------------------


def test_zip_and_folder_hold_the_same(tmp_path, sounds):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in sorted(sounds.rglob("*.wav")):
            archive.write(file, f"all/{file.relative_to(sounds).as_posix()}")
    for cache in (True, False):
        np.testing.assert_array_equal(read(tmp_path / "set.zip", cache=cache), read(sounds, cache=cache))
    assert len(read([sounds, tmp_path / "set.zip"])) == 24
    assert len(read(tmp_path / "set.zip", subset="all/second")) == 6


def test_sources_that_cannot_be_read(tmp_path, sounds, write):
    with pytest.raises(FileNotFoundError, match="nowhere' does not exist; give a folder or a zip file"):
        audio(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="single file; give its folder or a zip file"):
        audio(next(sounds.rglob("*.wav")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty' is empty: it holds no files but .txt"):
        audio(tmp_path / "empty")
    (tmp_path / "empty" / "notes.txt").write_text("text")
    with pytest.raises(ValueError, match="empty' is empty"):
        audio(tmp_path / "empty")
    np.savez(tmp_path / "x.npz", x=np.zeros((4, 4)))
    with pytest.raises(ValueError, match="Nothing is left .*x.npy: not a sound"):
        audio(tmp_path / "x.npz")
    for source in (None, np.zeros((4, 64)), 3):
        with pytest.raises(ValueError, match="nothing that can be read; give a folder or a zip file of sounds"):
            audio(source)


# Labels --------------------------------------------------------------------------------------------------------------


@CACHES
@pytest.mark.parametrize(
    ("labels", "names", "of"),
    [
        (True, ["first", "second"], lambda n: n // 6),
        ("name", ["0", "1", "2"], lambda n: n % 3),
        (r"_(\w+)_", ["anna", "bert"], lambda n: n % 2),
    ],
)
def test_classes_are_folders_or_part_of_the_names(sounds, labels, names, of, cache):
    dataset = audio(sounds, 64, RATE, 12, labels=labels, cache=cache)
    assert dataset.class_names == names
    assert dataset.element_spec[1] == tf.TensorSpec((12,), tf.int32)
    batch, numbers = next(iter(dataset))
    assert numbers.numpy().tolist() == [of(level // 10 - 1) for level in levels(batch)]


def test_names_without_a_class_are_left_out(sounds, write):
    write("first/noise.wav", encode(ramp(500)))
    with pytest.warns(UserWarning, match="first/noise.wav: no class in its name by labels='name'"):
        assert audio(sounds, 64, RATE, 12, labels="name").class_names == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": r"_(\d{5})_"}, r"labels=.* fits no file of .*, such as 'first/0_anna_0.wav'"),
        ({"labels": "digit"}, "labels='digit' has no group"),
        ({"labels": "("}, r"labels='\(' is no regular expression"),
        ({"labels": [0] * 12}, "labels=.*expected True, False, 'name' or a regular expression"),
        ({"length": 0}, "length=0"),
        ({"length": 64.0}, "length=64.0"),
        ({"sample_rate": -1}, "sample_rate=-1"),
        ({"batch_size": 0}, "batch_size=0 must be a number of sounds"),
        ({"batch_size": 13}, "batch_size=13 is larger than the data set: .* has 12 usable sounds"),
        ({"channels": 3}, "channels=3 must be one of 1, 2"),
        ({"crop": "middle"}, "crop='middle' must be one of 'start', 'center', 'random'"),
        ({"pad": "start"}, "pad='start' must be one of 'end', 'center'"),
        ({"normalize": "peak"}, "normalize='peak' must be one of True, False"),
        ({"on_error": "ignore"}, "on_error='ignore'"),
        ({"cache": "disk"}, "cache='disk'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(sounds, arguments, message):
    with pytest.raises(ValueError, match=message):
        audio(sounds, **{"length": 64, "sample_rate": RATE, "batch_size": 4, **arguments})


# Batches: as of images -----------------------------------------------------------------------------------------------


@CACHES
def test_batches_go_on_anywhere_and_workers_share_them(sounds, cache):
    dataset = audio(sounds, 64, RATE, 4, labels="name", seed=5, cache=cache)
    assert dataset.element_spec[0] == tf.TensorSpec((4, 64, 1), tf.float32)
    assert int(dataset.cardinality()) == 3 and dataset.count == 12 and dataset.seekable
    assert dataset.model_arguments == {"length": 64, "sample_rate": RATE, "channels": 1}
    whole = [levels(batch) for batch, _ in dataset.endless().take(8)]
    for epoch in (whole[:3], whole[3:6]):
        assert sorted(sum(epoch, [])) == list(range(10, 130, 10))
    assert [levels(batch) for batch, _ in dataset.endless(5).take(3)] == whole[5:]
    parts = [dataset.endless(2, worker=(i, 2)).take(4) for i in range(2)]
    assert [levels(a[0]) + levels(b[0]) for a, b in zip(*parts, strict=True)] == whole[2:6]
    assert int(dataset.rebatched(6).cardinality()) == 2


def test_fingerprints_tell_data_apart(sounds, write):
    for cache in (True, False):
        before = audio(sounds, 64, RATE, 4, cache=cache).fingerprint
        assert audio(sounds, 64, RATE, 4, cache=cache).fingerprint == before
        extra = write("first/9_new_0.wav", encode(ramp(900)))
        assert audio(sounds, 64, RATE, 4, cache=cache).fingerprint != before
        extra.unlink()


def test_a_set_larger_than_the_limit_is_read_when_it_is_needed(sounds, monkeypatch):
    monkeypatch.setattr(pipeline, "CACHE_BYTES", 12 * 64 * 2 - 1)
    dataset = audio(sounds, 64, RATE, 12)
    for file in sounds.rglob("*.wav"):
        file.write_bytes(encode(ramp(500)))
    assert levels(next(iter(dataset))) == [500] * 12
    monkeypatch.setattr(pipeline, "CACHE_BYTES", 12 * 64 * 2)
    dataset = audio(sounds, 64, RATE, 12)
    shutil.rmtree(sounds)
    assert levels(next(iter(dataset))) == [500] * 12


# Long recordings -----------------------------------------------------------------------------------------------------


def recording(frames, level=0.4):
    """A sound whose every sample tells its place: it rises slowly."""
    return level * (0.1 + 0.9 * np.arange(frames) / frames)


@pytest.fixture
def long_ones(write):
    """Recordings of 500 and 470 samples in two folders, and a short sound."""
    write("first/a.wav", encode(recording(500)))
    write("second/b.wav", encode(recording(470, -0.8)))
    write("second/short.wav", encode(noise(40)))
    return write.root


@CACHES
def test_all_of_a_long_recording_becomes_clips(long_ones, cache, capsys):
    clips = read(long_ones, 100, cache=cache)
    whole, other = recording(500)[:, None], recording(470, -0.8)[:, None]
    assert capsys.readouterr().out == "3 files -> 11 clips of 0.1 s.\n"
    expected = [whole[i : i + 100] for i in range(0, 500, 100)]
    expected += [other[i : i + 100] for i in (0, 100, 200, 300, 370)]  # the last one ends with the recording
    np.testing.assert_allclose(clips[:10], expected, atol=1e-4)
    np.testing.assert_allclose(clips[10], np.pad(noise(40), ((0, 60), (0, 0))), atol=1e-4)
    assert len(read(long_ones, 110, cache=cache)) == 5 + 4 + 1  # remainders of 60 and 30 samples
    assert len(read(long_ones, 100, crop="center", cache=cache)) == 3


def test_clips_may_overlap_and_classes_follow_the_file(long_ones):
    dataset = audio(long_ones, 100, RATE, 1, overlap=0.5, labels=True, shuffle=False)
    batches = [(batch[0, :, 0].numpy(), int(label[0])) for batch, label in dataset]
    assert dataset.class_names == ["first", "second"]
    assert [label for _, label in batches] == [0] * 9 + [1] * 9
    np.testing.assert_allclose(batches[3][0], recording(500)[150:250], atol=1e-4)
    for overlap, crop in ((1, "all"), (-0.1, "all"), (True, "all"), ("half", "all"), (0.5, "start")):
        with pytest.raises(ValueError, match=f"overlap={overlap!r}"):
            audio(long_ones, 100, RATE, 1, overlap=overlap, crop=crop)


def test_random_clips_come_from_everywhere_and_go_on_exactly(long_ones):
    dataset = audio(long_ones, 100, RATE, 11, crop="random", seed=3)
    places = []
    for batch in dataset.endless().take(20):
        clips = [clip for clip in batch.numpy()[:, :, 0] if clip[0] > 0 and (np.diff(clip) > 0).all()]
        places += [int(np.abs(recording(500) - clip[0]).argmin()) for clip in clips]
    first = np.array(places).reshape(20, 5) // 80.2
    assert (np.sort(first, 1) == np.arange(5)).all()  # each epoch has one of each stretch
    assert len(set(places)) > 60
    whole = [batch.numpy().tobytes() for batch in dataset.endless().take(6)]
    assert [batch.numpy().tobytes() for batch in dataset.endless(4).take(2)] == whole[4:]


@pytest.mark.parametrize("rate", [2000, 441, 1017])
def test_parts_of_a_recording_of_another_rate_fit_together(write, rate):
    """The part that is read alone is what it would be in the whole."""
    tone = 0.4 * np.sin(2 * np.pi * 50 * np.arange(20 * rate) / rate)
    write("a.wav", encode(tone, rate))
    clips = read(write.root, 500)
    assert len(clips) == 40
    expected = 0.4 * np.sin(2 * np.pi * 50 * np.arange(20 * RATE) / RATE)
    np.testing.assert_allclose(clips.reshape(-1)[100:-100], expected[100:-100], atol=2e-3)


def test_loudness_is_that_of_the_whole_recording(write):
    write("a.wav", encode(np.concatenate([0.1 * noise(3000), 0.45 * noise(100)])))
    clips = np.abs(read(write.root, 100, normalize=True)).max((1, 2))
    assert clips[-1] == pytest.approx(1, abs=1e-3) and clips[:-1].max() < 0.25


@CACHES
@pytest.mark.parametrize("on_error", ["skip", "raise"])
def test_silent_stretches_are_left_out(write, cache, on_error):
    write("a.wav", encode(np.concatenate([np.zeros(6400), ramp(500), np.zeros(64 * 40), ramp(500)])))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clips = read(write.root, cache=cache, on_error=on_error)
    assert len(clips) == (2 if cache else 142) and set(levels(clips)) == {500}
    assert ["140 of 142" in str(w.message) and "a.wav at 0.0 s: nothing" in str(w.message) for w in caught] == [
        True
    ] * cache


def test_of_a_long_recording_only_what_is_needed_is_read(write):
    import tracemalloc

    path = write("a.wav", encode(noise(10)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for _ in range(32):
            file.writeframes(encode(noise(2**19))[44:])  # 32 MB in all
    dataset = audio(write.root, 1000, RATE, 4, cache=False, seed=1)
    assert dataset.count == 16777
    tracemalloc.start()
    list(dataset.endless(3000).take(2))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * 2**20


def test_long_recordings_in_a_zip_file_are_read_too(tmp_path, long_ones):
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(long_ones.rglob("*.wav")):
            archive.write(file, file.relative_to(long_ones).as_posix())
    np.testing.assert_array_equal(read(tmp_path / "set.zip", 100), read(long_ones, 100))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({24: struct.pack("<I", 1)}, "a sample rate of 1 Hz, of which no 1000 Hz can be made"),
        ({24: struct.pack("<I", 2**32 - 1)}, "a sample rate of 4294967295 Hz, of which no 1000 Hz"),
        ({32: struct.pack("<HH", 5, 40)}, "40 bits a sample"),
        ({22: struct.pack("<H", 0)}, "bad # of channels"),
    ],
)
@CACHES
def test_headers_that_cannot_be_are_refused_by_name(sounds, write, header, reason, cache):
    content = bytearray(encode(noise(64)))
    for place, value in header.items():
        content[place : place + len(value)] = value
    write("first/odd.wav", bytes(content))
    with pytest.warns(UserWarning, match=f"1 of 13 .*first/odd.wav: .*{reason}"):
        assert audio(sounds, 64, RATE, 12, cache=cache).count == 12


def test_what_claims_to_be_far_longer_than_its_size_explains_is_refused(write, monkeypatch):
    import soundfile

    path = write("a.flac", b"")
    with soundfile.SoundFile(path, "w", 8000, 1, format="FLAC") as file:
        for _ in range(60):
            file.write(np.zeros(480_000))  # an hour: 55 MB in memory, 100 KB in the file
    monkeypatch.setenv("KERASGAN_LIMIT_MB", "20")
    with pytest.raises(ValueError, match="a.flac: it would take 55 MB of memory, .*KERASGAN_LIMIT_MB=55"):
        audio(write.root, 8192, 8000, 1)
    monkeypatch.setenv("KERASGAN_LIMIT_MB", "55")
    with pytest.raises(ValueError, match="Nothing is left .*a.flac at 0.0 s: nothing but silence"):
        audio(write.root, 8192, 8000, 1, cache=False)


def test_a_recording_that_is_cut_short_is_one_file_that_is_left_out(long_ones, write):
    write("first/cut.wav", encode(recording(500))[:-100])
    with pytest.warns(UserWarning, match="1 of 4 .*first/cut.wav: cut short: 450 of 500 samples"):
        assert audio(long_ones, 100, RATE, 1, cache=False).count == 11
