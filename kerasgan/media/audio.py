"""Sounds: waveforms of one length and sample rate, mono or stereo."""

import io
import math
import wave

import keras
import numpy as np

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.media.heard import Heard
from kerasgan.media.image import Image

FULL_SCALE = 32768.0  # samples in a WAV file of 16 bits are float samples times this
PAUSE = 0.25  # seconds of silence between the sounds of one file
WIDTH, HEIGHT = 128, 64  # pixels of a drawn waveform, and of a spectrogram
FLOOR = 80.0  # dB below a sine of full scale, where a spectrogram ends
WINDOW = 0.032  # seconds that a column of a spectrogram hears, about
HEARD_AS = (64, 64)  # bands and moments of what a classifier is given
COARSE = (16, 32)  # bands and moments of descriptors


@keras.saving.register_keras_serializable(package="kerasgan")
class Audio(Heard):
    """Sounds: float32 waveforms in [-1, 1], for the model and for people alike, (samples, channels).

    A sheet shows of each its waveform (full scale is the height), and its spectrogram: time from left to right,
    frequency from 0 at the bottom to half of the sample rate at the top, and loudness from black, 80 dB below a sine of
    full scale, to white. Channels are averaged. A notebook has a player below each (`show`).

    ```python
    audio = Audio(8192, sample_rate=8000)
    audio.save(gan.generate(8), "digits.wav")  # one after the other
    audio.save(gan.generate(100), "digits.zip")  # a file each
    ```

    Args:
        length: samples of a sound, for each channel.
        sample_rate: samples a second, in Hz.
        channels: 1 (mono) or 2 (stereo).
    """

    extension = ".wav"
    extensions = (".wav", ".zip", ".png")
    plural = "sounds"
    drawn_as = "waveform and spectrogram"
    samples_at_a_glance = 4
    kind = "audio"
    range = (-1.0, 1.0)
    variations = "speed, place, loudness, hiss"
    default_metrics = ("fid", "kid", "prdc")

    def __init__(self, length, sample_rate=8000, channels=1):
        for name, value in (("length", length), ("sample_rate", sample_rate)):
            if not is_whole(value):
                raise ValueError(f"{name}={value!r}: expected a whole number above 0.")
        if channels not in (1, 2):
            raise ValueError(f"channels={channels!r}: expected 1 (mono) or 2 (stereo).")
        super().__init__((length, channels))
        self.sample_rate = int(sample_rate)

    def check(self, batch, name="sounds"):
        """Raises a ValueError unless `batch` holds floats (batch, samples, channels) in [-1, 1]."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        length, channels = self.shape
        if batch.ndim == 2 and channels == 1 and batch.shape[1] == length:
            return " Add the channel axis: sounds[..., None]."
        if batch.ndim == 2 and batch.shape == self.shape:
            return " Add the batch axis: sounds[None]."
        if batch.ndim == 3:
            return f" Read the sounds with length={length}, channels={channels}, or build the model for others."
        return ""

    def _advice(self, batch):
        return " Read sound files with kerasgan.data.audio; divide 16-bit samples by 32768."

    def to_natural(self, samples):
        """What a network gave as float32, clipped to [-1, 1].

        Raises:
            ValueError: values that are NaN or infinite, which nothing can play.
        """
        return np.clip(self._finite(samples), -1.0, 1.0)

    def to_model(self, samples):
        """The waveforms themselves, as float32.

        Raises:
            ValueError: integers, or values outside [-1, 1].
        """
        samples = np.asarray(samples)
        if samples.size:
            self._check_values(samples, self.parts[None], "samples")
        return samples.astype("float32")

    def to_classifier(self, samples):
        """Loudness over frequency and time, (n, 64, 64, 1): -1 is 80 dB below a sine of full scale, 1 that sine."""
        mono = np.asarray(samples, "float32").mean(axis=2)
        return (2.0 * self._spectrogram(mono, *HEARD_AS)[..., None] - 1.0).astype("float32")

    def varied(self, samples, random, mirror=False):
        """Each sound faster or slower, earlier or later, louder or softer, with some hiss; nothing is mirrored.

        0.9 to 1.1 times the speed (linear interpolation), up to a tenth of the length earlier or later, silence coming
        in; 0.5 to 1 times as loud; white noise of 0 to 0.005 of full scale.
        """
        samples = np.asarray(samples, "float32")
        count, length, _ = samples.shape
        speed, shift = random.uniform(0.9, 1.1, (count, 1)), random.uniform(-0.1, 0.1, (count, 1)) * length
        place = np.arange(length) * speed - shift
        inside = ((place >= 0) & (place <= length - 1))[..., None]
        place = np.clip(place, 0, length - 1)
        before = place.astype(int)
        share = (place - before).astype("float32")[..., None]
        each, after = np.arange(count)[:, None], np.minimum(before + 1, length - 1)
        moved = inside * (samples[each, before] * (1 - share) + samples[each, after] * share)
        moved *= random.uniform(0.5, 1.0, (count, 1, 1)).astype("float32")
        noise = random.standard_normal(samples.shape, "float32")
        return np.clip(moved + random.uniform(0, 0.005, (count, 1, 1)).astype("float32") * noise, -1.0, 1.0)

    def default_network(self):
        """Name of the network that hears such sounds, see `kerasgan.metrics.features.default`."""
        from kerasgan.metrics import features

        return features.default(self.shape, self.sample_rate)

    def described(self):
        """The sample rate, in Hz."""
        return {"sample_rate": self.sample_rate}

    # Files ---------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves sounds in one file, by its ending.

        - `.wav`: all of them one after the other, a quarter of a second of silence in between (16-bit PCM).
        - `.zip`: each in a WAV file of its own, called by its number; `kerasgan.data.audio` reads it.
        - `.png`: a picture of waveforms and spectrograms, see `sheet`.

        Args:
            samples: floats (count, samples, channels) in [-1, 1].
            path: file to write. Missing folders are made.
            columns: of the picture.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        ending = path.suffix.lower()
        if ending == ".png":
            return self._save_sheet(samples, path, columns)
        with files.atomic(path) as temporary:
            if ending == ".wav":
                temporary.write_bytes(self._wav(self._in_a_row(samples)))
            else:
                files.write_zip(temporary, [self._wav(one) for one in samples], ".wav")
        return path

    def _in_a_row(self, samples):
        pause = np.zeros((len(samples), round(PAUSE * self.sample_rate), self.shape[1]), "float32")
        joined = np.concatenate([samples, pause], axis=1).reshape(-1, self.shape[1])
        return joined[: len(joined) - pause.shape[1]]

    def _wav(self, waveform):
        """The content of a WAV file: 16-bit PCM."""
        numbers = np.clip(np.rint(waveform * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setnchannels(self.shape[1])
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(numbers.tobytes())
        return content.getvalue()

    # Pictures ------------------------------------------------------------------------------------------------------

    def descriptors(self, samples):
        """A coarse spectrogram: what is heard counts, the phase does not, which a collapsed generator still varies."""
        mono = np.asarray(samples, "float64").mean(axis=2)
        return super().descriptors(self._spectrogram(mono, *COARSE))

    @staticmethod
    def _pictures():
        return Image((HEIGHT, 2 * WIDTH, 3))

    def _drawn(self, samples):
        """uint8 (count, HEIGHT, 2 * WIDTH, 3): waveform and spectrogram of each."""
        from matplotlib import colormaps

        mono = samples.mean(axis=2)
        places = np.arange(WIDTH) * mono.shape[1] // WIDTH
        rows = [
            np.clip((1 - reduce(mono, places, axis=1)) / 2 * HEIGHT, 0, HEIGHT - 1).astype(int)
            for reduce in (np.maximum.reduceat, np.minimum.reduceat)
        ]
        row = np.arange(HEIGHT)[:, None]
        inside = (rows[0][:, None] <= row) & (row <= rows[1][:, None])
        waveforms = np.where(inside[..., None], np.uint8([31, 119, 180]), np.uint8(255))
        loudness = self._spectrogram(mono, HEIGHT, WIDTH)[:, ::-1]
        return np.concatenate([waveforms, colormaps["magma"](loudness, bytes=True)[..., :3]], axis=2)

    def _spectrogram(self, mono, bands, moments):
        """Loudness in [0, 1] over frequency and time, from (count, samples): (count, bands, moments)."""
        length = mono.shape[1]
        window = min(2 ** round(math.log2(WINDOW * self.sample_rate)), length)
        hann = np.hanning(window + 2)[1:-1]
        starts = np.linspace(0, length - window, moments).astype(int)
        heard = mono[:, starts[:, None] + np.arange(window)] * hann
        power = np.abs(np.fft.rfft(heard)[..., 1:]) ** 2 / (hann.sum() / 2) ** 2
        edges = np.arange(bands) * power.shape[2] // bands
        power = np.maximum.reduceat(power, edges, axis=2).swapaxes(1, 2)
        return np.clip(1 + 10 * np.log10(power + 1e-12) / FLOOR, 0.0, 1.0)

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.shape[1:] != self.shape or not len(samples) or samples.dtype.kind != "f":
            length, channels = self.shape
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected float waveforms "
                f"(count, {length}, {channels}), as `generate` and `to_natural` return them."
            )
        return self.to_natural(samples)

    def get_config(self):
        length, channels = self.shape
        return {"length": length, "sample_rate": self.sample_rate, "channels": channels}
