"""Sounds: conversions, checks, files, pictures."""

import io
import wave
import zipfile

import keras
import matplotlib
import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan import data, export
from kerasgan.callbacks import SampleGrid, variety
from kerasgan.export import sidecar
from kerasgan.media import Audio
from kerasgan.models import WaveGAN

matplotlib.use("Agg")

RATE = 1000
AUDIO = Audio(512, RATE)


def tone(frequency, level=0.5, length=512, phase=0.0):
    """A sine, float32 (length, 1); frequency in Hz, level of its peak."""
    return (level * np.sin(2 * np.pi * frequency * np.arange(length) / RATE + phase)).astype("float32")[:, None]


def tones(count=3, **options):
    return np.stack([tone(30 * (i + 1), **options) for i in range(count)])


def read(content):
    """(rate, bytes of a sample, samples (frames, channels) in [-1, 1)) of a WAV file."""
    with wave.open(io.BytesIO(content)) as file:
        numbers = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return file.getframerate(), file.getsampwidth(), numbers / 32768


def test_natural_units_are_the_models_own_clipped():
    given = np.array([-7.0, -1.0, -0.25, 1.0, 1.004]).reshape(1, 5, 1)
    audio = Audio(5)
    natural = audio.to_natural(given)
    assert natural.dtype == np.float32 and natural.ravel().tolist() == [-1, -1, -0.25, 1, 1]
    np.testing.assert_array_equal(audio.to_model(natural), natural)
    with pytest.raises(ValueError, match="1 NaN or infinite values among 5"):
        audio.to_natural(np.where(given > 1, np.nan, given))
    with pytest.raises(ValueError, match="int16; expected floats.*divide 16-bit samples by 32768"):
        audio.to_model(np.zeros((1, 5, 1), "int16"))
    with pytest.raises(ValueError, match=r"\[-7, 1.004\]; expected \[-1, 1\]"):
        audio.to_model(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.astype("int16"), r"has dtype int16; expected floats in \[-1, 1\]. Read .*kerasgan.data.audio"),
        (lambda x: x * 32768, r"lies in \[-.*\]; expected \[-1, 1\].*divide"),
        (lambda x: np.where(x > 0.4, np.nan, x), "NaN or infinite values among 1536"),
        (lambda x: x[..., 0], r"shape \(3, 512\); expected \(batch, 512, 1\). Add the channel axis"),
        (lambda x: x[0], r"shape \(512, 1\).*Add the batch axis"),
        (lambda x: x[:, :100], "length=512, channels=1"),
        (lambda x: x[:0], "empty batch"),
    ],
)
def test_check_says_what_is_wrong(change, message):
    AUDIO.check(tones())
    with pytest.raises(ValueError, match=message):
        AUDIO.check(change(tones()))


@pytest.mark.parametrize("arguments", [(0,), (512, 0), (512, 8000.5), (512, 8000, 3), (True,)])
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match="(length|sample_rate|channels)="):
        Audio(*arguments)


def test_it_is_saved_with_its_model():
    config = keras.saving.serialize_keras_object(Audio(512, 22050, 2))
    assert config["registered_name"] == "kerasgan>Audio"
    copy = keras.saving.deserialize_keras_object(config)
    assert (copy.shape, copy.sample_rate, copy.kind) == ((512, 2), 22050, "audio")


# Files ---------------------------------------------------------------------------------------------------------------


def test_one_file_holds_all_sounds_with_pauses(tmp_path):
    path = AUDIO.save(tones(), tmp_path / "new" / "x.wav")
    rate, width, found = read(path.read_bytes())
    assert (rate, width, found.shape) == (RATE, 2, (3 * 512 + 2 * 250, 1))
    for number, sound in enumerate(tones()):
        np.testing.assert_allclose(found[number * 762 :][:512], sound, atol=0.5 / 32768 + 1e-7)
    assert not found[512:762].any()


def test_one_sound_is_a_file_of_its_length(tmp_path):
    stereo = np.concatenate([tones(1), tones(1, level=0.1)], axis=2)
    _, _, found = read(Audio(512, RATE, 2).save(stereo, tmp_path / "x.wav").read_bytes())
    np.testing.assert_allclose(found, stereo[0], atol=1e-4)


def test_full_scale_does_not_wrap_around(tmp_path):
    _, _, found = read(Audio(2, RATE).save(np.array([[[1.0], [-1.0]]]), tmp_path / "x.wav").read_bytes())
    assert found.ravel().tolist() == [32767 / 32768, -1]


def test_a_zip_holds_a_file_each_which_the_reader_gives_back(tmp_path):
    path = AUDIO.save(tones(12), tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"{number:02}.wav" for number in range(1, 13)]
    (again,) = data.audio(path, 512, RATE, 12, shuffle=False)
    np.testing.assert_allclose(again, tones(12), atol=1e-4)
    content = path.read_bytes()
    assert AUDIO.save(again.numpy(), path).read_bytes() == content  # 16 bits are exact, and no date is in it


def test_save_refuses_before_it_writes(tmp_path):
    (tmp_path / "x.wav").write_text("precious")
    for samples in (tones()[..., 0], np.zeros((2, 512, 1), "int16"), tones()[:0]):
        with pytest.raises(ValueError, match=r"samples has shape .*expected float waveforms \(count, 512, 1\)"):
            AUDIO.save(samples, tmp_path / "x.wav")
    with pytest.raises(ValueError, match=r"ends in '\.mp3'; expected one of \.wav, \.zip, \.png"):
        AUDIO.save(tones(), tmp_path / "x.mp3")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["precious"]


def test_save_samples_says_how_sounds_are_saved(tmp_path):
    with pytest.raises(ValueError, match=r"gan\.media\.save\(samples, path\)"):
        kerasgan.save_samples(tones(), tmp_path / "x.wav")


# Pictures ------------------------------------------------------------------------------------------------------------


def test_the_sheet_shows_waveform_and_spectrogram_of_each(tmp_path):
    sheet = AUDIO.sheet(np.stack([tone(125, 1.0), tone(375, 0.1), np.zeros((512, 1))]), columns=1)
    assert sheet.shape == (3 * 64 + 2 * 2, 256, 3) and sheet.dtype == np.uint8
    loud, quiet, silent = (sheet[66 * i :][:64] for i in range(3))
    for tile, extent in ((loud, (0, 63)), (quiet, (28, 35)), (silent, (31, 32))):
        drawn = np.nonzero((tile[:, :128] != 255).any(2).any(1))[0]
        assert abs(drawn[0] - extent[0]) <= 1 and abs(drawn[-1] - extent[1]) <= 1
    for tile, frequency in ((loud, 125), (quiet, 375)):  # the brightest row: 0 Hz at the bottom, 500 Hz at the top
        brightest = tile[:, 128:].astype(int).sum((1, 2)).argmax()
        assert abs(brightest - (63 - 64 * frequency / 500)) <= 4
    assert silent[:, 128:].max() < 8
    saved = np.array(PIL.Image.open(AUDIO.save(tones(), tmp_path / "x.png", columns=3)))
    np.testing.assert_array_equal(saved, AUDIO.sheet(tones(), columns=3))


def test_show_returns_a_figure():
    figure = AUDIO.show(tones(2), columns=1)
    assert figure.axes[0].images[0].get_array().shape == (64 * 2 + 2, 256, 3)
    matplotlib.pyplot.close(figure)


@pytest.mark.parametrize("length", [8, 130, 5000])
def test_sounds_of_any_length_are_drawn(length):
    assert Audio(length, RATE).sheet(tones(2, length=length), columns=2).shape == (64, 2 * 256 + 2, 3)


def test_a_training_leaves_pictures_and_sounds_of_its_progress(tmp_path):
    gan = WaveGAN(length=256, sample_rate=RATE, latent_dim=2, width=1)
    gan.compile(discriminator_steps=1, run_eagerly=True)
    gan.fit(tones(4, length=256), batch_size=4, verbose=0, callbacks=[SampleGrid(tmp_path, count=10)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0001.png", "epoch_0001.wav"]
    _, _, found = read((tmp_path / "epoch_0001.wav").read_bytes())
    assert len(found) == 8 * 256 + 7 * 250  # the first eight are enough to hear
    np.testing.assert_allclose(found[:256], gan.generate(10, seed=0)[0], atol=1e-4)


# What samples are compared by ----------------------------------------------------------------------------------------


def test_the_phase_does_not_make_sounds_differ_but_pitch_and_loudness_do():
    phases = np.stack([tone(125, phase=phase) for phase in np.linspace(0, 6, 16)])
    pitches = np.stack([tone(frequency) for frequency in np.linspace(60, 440, 16)])
    levels = np.stack([tone(125, level) for level in np.geomspace(0.01, 1, 16)])
    same, *others = (variety.spread(variety.features(s, AUDIO)).mean for s in (phases, pitches, levels))
    assert all(10 * same < other for other in others)
    diversity, duplicates = variety.compare(
        variety.spread(variety.features(phases, AUDIO)),
        others[0],
        np.median(variety.spread(variety.features(pitches, AUDIO)).nearest),
    )
    assert diversity < 0.1 and duplicates == 1


# Export --------------------------------------------------------------------------------------------------------------


def test_an_app_learns_the_rate_from_the_sidecar(tmp_path):
    gan = WaveGAN(length=256, sample_rate=RATE, latent_dim=2, width=1)
    path = tmp_path / "g.tflite"
    assert export.tflite(gan, path).passed
    output = sidecar.read(path)["output"]
    expected = {"name": "sounds", "kind": "audio", "shape": [1, 256, 1], "range": [-1, 1], "sample_rate": RATE}
    assert expected.items() <= output.items()
