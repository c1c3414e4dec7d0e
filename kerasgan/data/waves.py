"""One sound: the content of a file -> 16-bit samples of a wanted rate, length and number of channels.

WAV files of whole numbers are read by the standard library, all others (FLAC, Ogg, MP3, WAV of floats) by soundfile;
soxr changes rates. Both come with `kerasgan[audio]`.
"""

import importlib
import io
import wave

import numpy as np

from kerasgan.data.files import BadSample

FULL_SCALE = 32768.0  # 16-bit samples are float samples times this, as in WAV files
EXTRA = 'pip install "kerasgan[audio]"'
# How files begin that soundfile reads: without it they must not be taken for broken ones.
OTHERS = {b"fLaC": "FLAC", b"OggS": "Ogg", b"FORM": "AIFF", b"ID3": "MP3", b"\xff\xfb": "MP3", b"RIFF": "WAV"}
UNKNOWN_LENGTH = 2**31 - 2**16  # bytes that a header may name when it was written before its length was known


def to_samples(content, length, sample_rate, channels, crop, pad, normalize, drawn=None):
    """A sound as int16 (length, channels). Raises `BadSample`.

    Args:
        content: of a file, bytes.
        length: samples of the result.
        sample_rate: of the result, in Hz.
        channels: 1 or 2.
        crop: "start", "center" or "random": what is kept of a longer sound.
        pad: "end" or "center": where a shorter one gets silence: behind it, or evenly on both sides.
        normalize: whether its loudest sample becomes full scale.
        drawn: number in [0, 1) that decides a random crop.
    """
    wave_form, rate = _decode(content)
    wave_form = _mix(wave_form, channels)
    _check_values(wave_form)
    wave_form = _resample(wave_form, rate, sample_rate)
    if normalize:
        wave_form = wave_form / np.abs(wave_form).max(initial=1e-6)
    wave_form = _fit(wave_form, length, crop, pad, drawn)
    return np.clip(np.rint(wave_form * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def check_header(file):
    """Opens a sound file as far as its header; closes it. Raises `BadSample`; returns its number of channels."""
    with file:
        if _is_wav(file.read(12)):
            file.seek(0)
            header = _open_wav(file)
            if header is not None:
                return _check_header(header.getnchannels(), header.getframerate(), header.getnframes())
        file.seek(0)
        with _open_other(file.read()) as sound:
            return _check_header(sound.channels, sound.samplerate, sound.frames)


def _decode(content):
    """Floats (frames, channels) and their rate in Hz."""
    if _is_wav(content):
        header = _open_wav(io.BytesIO(content))
        if header is not None:
            return _pcm(header), header.getframerate()
    with _open_other(content) as sound:
        _check_header(sound.channels, sound.samplerate, sound.frames)
        try:
            return sound.read(dtype="float32", always_2d=True), sound.samplerate
        except Exception as error:
            raise BadSample(_reason(error)) from None


def _is_wav(content):
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def _open_wav(file):
    """A `wave.Wave_read`, or None for a kind of WAV that it does not know."""
    try:
        return wave.open(file)
    except wave.Error as error:
        if "unknown" in str(error):  # floats, compressed, or the extended header
            return None
        raise BadSample(_reason(error)) from None
    except Exception as error:  # EOFError, struct.error, ... of a broken header
        raise BadSample(f"a broken WAV file ({_reason(error)})") from None


def _pcm(header):
    """The samples of a WAV file of whole numbers, in [-1, 1)."""
    channels, width, frames = header.getnchannels(), header.getsampwidth(), header.getnframes()
    _check_header(channels, header.getframerate(), frames)
    try:
        data = header.readframes(frames)
    except Exception as error:
        raise BadSample(_reason(error)) from None
    found = len(data) // (channels * width)
    if found < frames and frames * channels * width < UNKNOWN_LENGTH:
        raise BadSample(f"cut short: {found} of {frames} samples")
    data = data[: found * channels * width]
    if width == 3:  # NumPy has no 24 bits: 8 empty ones below make 32
        padded = np.zeros((found * channels, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        numbers = padded.view("<i4")
    else:
        numbers = np.frombuffer(data, {1: np.uint8, 2: "<i2", 4: "<i4"}[width])
    half = {1: 2.0**7, 2: 2.0**15}.get(width, 2.0**31)
    floats = numbers.reshape(-1, channels).astype(np.float32) / np.float32(half)
    return floats - 1 if width == 1 else floats  # 8 bits are unsigned


def _open_other(content):
    """A `soundfile.SoundFile`. Raises `BadSample`, or an `ImportError` where soundfile would be needed."""
    kind = next((kind for start, kind in OTHERS.items() if content.startswith(start)), None)
    try:
        import soundfile
    except ImportError:
        if kind is None or kind == "WAV" and not _is_wav(content):
            raise BadSample("not a sound file") from None
        kind = "a WAV file of another kind than whole numbers" if kind == "WAV" else f"a {kind} file"
        raise ImportError(f"The data hold {kind}, which needs soundfile: {EXTRA}") from None
    try:
        return soundfile.SoundFile(io.BytesIO(content))
    except Exception:
        raise BadSample("not a sound file of a known format") from None


def _check_header(channels, rate, frames):
    if rate < 1:
        raise BadSample(f"a sample rate of {rate} Hz")
    if frames < 1:
        raise BadSample("no sound in it: 0 samples")
    return channels


def _check_values(wave_form):
    if not len(wave_form):
        raise BadSample("no sound in it: 0 samples")
    if not np.isfinite(wave_form).all():
        raise BadSample("NaN or infinite values")
    if not wave_form.any():
        raise BadSample("nothing but silence")


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


def _fit(wave_form, length, crop, pad, drawn):
    """Exactly `length` samples of a sound: a part of it, or all of it and silence."""
    spare = len(wave_form) - length
    if spare > 0:
        first = {"start": 0, "center": spare // 2}.get(crop)
        first = int(float(drawn) * (spare + 1)) if first is None else first  # 32 bits could round up to the end
        return wave_form[first : first + length]
    before = 0 if pad == "end" else -spare // 2
    return np.pad(wave_form, ((before, -spare - before), (0, 0)))


def _reason(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
