"""One sound: an open file -> 16-bit samples of a wanted rate, length and number of channels.

WAV files of whole numbers are read by the standard library, all others (FLAC, Ogg, MP3, WAV of floats) by soundfile;
soxr changes rates. Both come with `kerasgan[audio]`. Of a long recording only the wanted part is read.
"""

import importlib
import io
import math
import wave

import numpy as np

from kerasgan.data.files import BadSample, LeftOut, check_memory, reason, unusable

FULL_SCALE = 32768.0  # 16-bit samples are float samples times this, as in WAV files
EXTRA = 'pip install "kerasgan[audio]"'
# How files begin that soundfile reads: without it they must not be taken for broken ones.
OTHERS = {b"fLaC": "FLAC", b"OggS": "Ogg", b"FORM": "AIFF", b"ID3": "MP3", b"\xff\xfb": "MP3", b"RIFF": "WAV"}
UNKNOWN_LENGTH = 2**31 - 2**16  # bytes that a header may name when it was written before its length was known
BYTES = 4  # of a sample that has been decoded
PACKED = 128  # as many bytes of samples as this, one byte of a sound file may well become; speech in Opus does
WHOLE = 16  # times what is needed: what is no longer than this is read whole
MARGIN = 1024  # samples on each side of a part that the resampling filter sees, more than it is long
MOST_STRETCHED, MOST_SQUEEZED = 100, 1000  # times: from other rates no sound is made
MOST_FRAMES = 2**36  # what FLAC can name: more is no length
SILENCE = "nothing but silence"
BLOCK = 2**20  # samples that are looked through at a time


def to_samples(sound, first, length, sample_rate, channels, pad, is_part, loudest=None):
    """A part of a sound as int16 (length, channels). Raises `BadSample`.

    Args:
        sound: an open one (see `open_sound`).
        first: where the part begins, in samples of the result.
        length: samples of the result.
        sample_rate: of the result, in Hz.
        channels: 1 or 2.
        pad: "end" or "center": where a shorter sound gets silence: behind it, or evenly on both sides.
        is_part: whether other parts of the sound are samples, too: one that is silent is `LeftOut` then.
        loudest: function that returns the level of the sound's loudest sample, which becomes full scale; or None.
    """
    begin, end, skipped = _needed(sound, first, length, sample_rate)
    wave_form = _mix(sound.read(begin, end), channels)
    silence = LeftOut if is_part else BadSample
    _check_values(wave_form, silence)
    wave_form = _resample(wave_form, sound.rate, sample_rate)
    if loudest is not None:
        is_whole = (begin, end) == (0, sound.frames)
        wave_form = wave_form / (np.abs(wave_form).max(initial=1e-6) if is_whole else loudest())
    wave_form = wave_form[first - skipped :][:length]
    if is_part and not wave_form.any():
        raise silence(SILENCE)
    wave_form = _padded(wave_form, length, pad)
    return np.clip(np.rint(wave_form * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def loudest(sound, channels):
    """The level of the loudest sample of an open sound, which is looked through block by block."""
    blocks = (sound.read(begin, min(begin + BLOCK, sound.frames)) for begin in range(0, sound.frames, BLOCK))
    return max(float(np.abs(_mix(block, channels)).max(initial=1e-6)) for block in blocks)


def frames_at(sound, sample_rate):
    """How many samples an open sound has at another rate. Raises `BadSample`."""
    if sample_rate > MOST_STRETCHED * sound.rate or sound.rate > MOST_SQUEEZED * sample_rate:
        raise BadSample(f"a sample rate of {sound.rate} Hz, of which no {sample_rate} Hz can be made: a wrong header?")
    check_memory(sound.frames * sound.channels * 2, sound.size, PACKED)
    return max(1, sound.frames * sample_rate // sound.rate)


def open_sound(file, size):
    """A file of so many bytes as `_Wav` or `_Other`, which close it. Raises `BadSample`."""
    try:
        with unusable():
            if _is_wav(file.read(12)):
                file.seek(0)
                header = _open_wav(file)
                if header is not None:
                    return _Wav(file, size, header)
            file.seek(0)
            if isinstance(file, (io.BufferedReader, io.BytesIO)):
                return _Other(file, size)
            with file:  # of a zip file, where to go back means to begin anew
                return _Other(io.BytesIO(file.read()), size)
    except Exception:
        file.close()
        raise


class _Wav:
    """A WAV file of whole numbers.

    Attributes:
        channels, rate, frames: what its header says; where that was written before the length was known, what is there.
        size: bytes of the file.
    """

    def __init__(self, file, size, header):
        self.channels, self.rate, self._width = header.getnchannels(), header.getframerate(), header.getsampwidth()
        self._file, self._start, self.size = file, file.tell(), size
        self._found = max(0, size - self._start) // (self.channels * self._width)
        named = header.getnframes()
        self.frames = self._found if named * self.channels * self._width >= UNKNOWN_LENGTH else named
        _check_header(self)
        if self._width > 4:
            raise BadSample(f"{8 * self._width} bits a sample, where WAV files have 8, 16, 24 or 32")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def read(self, begin, end):
        """The samples from one on and before another as floats (end - begin, channels) in [-1, 1)."""
        if self._found < self.frames:
            raise BadSample(f"cut short: {self._found} of {self.frames} samples")
        frame = self.channels * self._width
        with unusable():
            self._file.seek(self._start + begin * frame)
            data = self._file.read((end - begin) * frame)
        return _floats(data, self._width).reshape(-1, self.channels)


class _Other:
    """A sound file of another kind, with the same attributes and methods."""

    def __init__(self, file, size):
        self._file, self.size = file, size
        self._sound = _open_other(file)
        self.channels, self.rate, self.frames = self._sound.channels, self._sound.samplerate, self._sound.frames
        _check_header(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._sound.close()
        self._file.close()

    def read(self, begin, end):
        check_memory((end - begin) * self.channels * BYTES, self.size, PACKED)
        with unusable():
            if begin:
                self._sound.seek(begin)
            return self._sound.read(end - begin, dtype="float32", always_2d=True)


def _needed(sound, first, length, sample_rate):
    """What of a sound is read for a part of it: (begin, end) in its own samples, and what begin is in the result's."""
    needed = length * sound.rate / sample_rate
    if sound.frames <= WHOLE * needed:
        return 0, sound.frames, 0
    if sound.rate == sample_rate:
        return first, min(first + length, sound.frames), first
    divisor = math.gcd(sound.rate, sample_rate)
    own, wanted = sound.rate // divisor, sample_rate // divisor  # as many samples last equally long
    steps = max(0, first - MARGIN) // wanted
    end = math.ceil((first + length + MARGIN) * sound.rate / sample_rate)
    return steps * own, min(end, sound.frames), steps * wanted


def _is_wav(content):
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def _open_wav(file):
    """A `wave.Wave_read`, or None for a kind of WAV that it does not know."""
    try:
        return wave.open(file)
    except wave.Error as error:
        if "unknown" in str(error):  # floats, compressed, or the extended header
            return None
        raise BadSample(reason(error)) from None
    except Exception as error:  # EOFError, struct.error, ... of a broken header
        raise BadSample(f"a broken WAV file ({reason(error)})") from None


def _floats(data, width):
    """Whole numbers of so many bytes as floats in [-1, 1)."""
    if width == 3:  # NumPy has no 24 bits: 8 empty ones below make 32
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        numbers = padded.view("<i4")
    else:
        numbers = np.frombuffer(data, {1: np.uint8, 2: "<i2", 4: "<i4"}[width])
    half = {1: 2.0**7, 2: 2.0**15}.get(width, 2.0**31)
    floats = numbers.astype(np.float32) / np.float32(half)
    return floats - 1 if width == 1 else floats  # 8 bits are unsigned


def _open_other(file):
    """A `soundfile.SoundFile`. Raises `BadSample`, or an `ImportError` where soundfile would be needed."""
    content = file.read(12)
    file.seek(0)
    kind = next((kind for start, kind in OTHERS.items() if content.startswith(start)), None)
    try:
        import soundfile
    except ImportError:
        if kind is None or kind == "WAV" and not _is_wav(content):
            raise BadSample("not a sound file") from None
        kind = "a WAV file of another kind than whole numbers" if kind == "WAV" else f"a {kind} file"
        raise ImportError(f"The data hold {kind}, which needs soundfile: {EXTRA}") from None
    try:
        return soundfile.SoundFile(file)
    except Exception:
        raise BadSample("not a sound file of a known format") from None


def _check_header(sound):
    if sound.rate < 1:
        raise BadSample(f"a sample rate of {sound.rate} Hz")
    if sound.frames < 1:
        raise BadSample("no sound in it: 0 samples")
    if sound.frames >= MOST_FRAMES:
        raise BadSample(f"{sound.frames} samples, which cannot be: a wrong header")


def _check_values(wave_form, silence):
    if not len(wave_form):
        raise BadSample("no sound in it: 0 samples")
    if not np.isfinite(wave_form).all():
        raise BadSample("NaN or infinite values")
    if not wave_form.any():
        raise silence(SILENCE)


def _mix(wave_form, channels):
    """(frames, channels) of as many channels as wanted: their mean, or the only one repeated."""
    given = wave_form.shape[1]
    if given == channels:
        return wave_form
    if channels == 1:
        return wave_form.mean(axis=1, keepdims=True)
    if given == 1:
        return wave_form.repeat(channels, axis=1)
    raise BadSample(f"{given} channels, which do not make {channels}; pass channels=1 for their mean")


def _resample(wave_form, rate, wanted):
    if rate == wanted:
        return wave_form
    return _soxr(rate, wanted).resample(wave_form, rate, wanted)


def _soxr(rate, wanted):
    try:
        return importlib.import_module("soxr")
    except ImportError:
        raise ImportError(
            f"The data hold sounds of {rate} Hz; to make {wanted} Hz of them needs soxr: {EXTRA}. Or pass "
            f"sample_rate={rate}."
        ) from None


def _padded(wave_form, length, pad):
    """Exactly `length` samples: a sound and silence."""
    missing = length - len(wave_form)
    before = 0 if pad == "end" else missing // 2
    return np.pad(wave_form, ((before, missing - before), (0, 0)))
