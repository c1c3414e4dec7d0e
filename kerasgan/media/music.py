"""Music: piano rolls of several tracks, written as MIDI files."""

import io
import math
import wave

import keras
import numpy as np

from kerasgan import files
from kerasgan.checks import is_number, is_whole
from kerasgan.media.heard import Heard
from kerasgan.media.image import Image

TICKS = 480  # of a MIDI file, a quarter note
VELOCITY = 80  # of every note: a roll does not say how loud
DRUMS = 9  # the MIDI channel whose notes are drums, counted from 0
RATE = 22050  # Hz of the preview
HARMONICS = (1.0, 0.5, 0.25, 0.12)  # of a tone of the preview
FADE = 0.02  # seconds in which such a tone begins and ends
LOUD = 0.9  # of full scale, the loudest moment of a preview
SCALE = 2  # pixels that a step and a pitch have in a picture
COLOURS = np.uint8([[31, 119, 180], [214, 39, 40], [44, 160, 44], [148, 103, 189], [255, 127, 14], [23, 190, 207]])
PAPER, BAR_LINE = 255, 205  # grey levels


@keras.saving.register_keras_serializable(package="kerasgan")
class Music(Heard):
    """Pieces of music as piano rolls: which pitches sound in which step, of each track.

    In model range a roll is float32 (steps, pitches, tracks) in [0, 1], how surely a pitch sounds; for people it is the
    same as booleans. A roll knows nothing of loudness, nor whether a long note is struck twice: where a pitch sounds in
    neighbouring steps, one note is written.

    A sheet shows piano rolls: time from left to right, pitch upwards, a colour a track, lines of bars.

    ```python
    music = Music(bars=4, tracks=("soprano", "alto", "tenor", "bass"), monophonic=True)
    music.save(gan.generate(8), "chorales.mid")  # one after the other
    music.save(gan.generate(8), "chorales.wav")  # the same, of simple tones
    ```

    Args:
        bars: of a piece.
        beats: quarter notes in a bar.
        resolution: steps in a quarter note: 4 for sixteenths.
        lowest: the lowest pitch as a MIDI number, from 0 to 127; 60 is middle C.
        pitches: how many semitones from there up.
        tracks: names of the tracks, or their number.
        programs: the General MIDI instrument of each track, from 0 (a grand piano) to 127; -1 for drums. None takes
            the piano for all.
        tempo: quarter notes a minute, of files that are written.
        monophonic: whether a track has one pitch at a time at most: the surest one is taken then, or silence where that
            is surer.
    """

    extension = ".mid"
    extensions = (".mid", ".zip", ".wav", ".png", ".npz")
    plural = "pieces"
    drawn_as = "piano roll"
    samples_at_a_glance = 4
    kind = "music"
    range = (0.0, 1.0)

    def __init__(
        self,
        bars=4,
        beats=4,
        resolution=4,
        lowest=30,
        pitches=60,
        tracks=4,
        programs=None,
        tempo=90.0,
        monophonic=False,
    ):
        for name, value in (("bars", bars), ("beats", beats), ("resolution", resolution), ("pitches", pitches)):
            if not is_whole(value):
                raise ValueError(f"{name}={value!r}: expected a whole number above 0.")
        if not (is_whole(lowest, least=0) and lowest + pitches <= 128):
            raise ValueError(f"lowest={lowest!r}, pitches={pitches!r}: MIDI has the pitches 0 to 127.")
        if not is_number(tempo, 4, 1000):
            raise ValueError(f"tempo={tempo!r}: expected quarter notes a minute, 4 to 1000.")
        names = track_names(tracks)
        programs = (0,) * len(names) if programs is None else tuple(programs)
        if len(programs) != len(names) or not all(is_whole(program, -1, 127) for program in programs):
            raise ValueError(
                f"programs={programs!r}: expected a number from 0 to 127, or -1 for drums, for each of {len(names)} "
                "tracks."
            )
        super().__init__((bars * beats * resolution, pitches, len(names)))
        self.bars, self.beats, self.resolution, self.lowest = int(bars), int(beats), int(resolution), int(lowest)
        self.tracks, self.programs = names, tuple(int(program) for program in programs)
        self.tempo, self.monophonic = float(tempo), bool(monophonic)

    @property
    def default_metrics(self):
        """Names of the scores that are taken: how tracks go together only where there are several."""
        of_each = ("empty_bars", "pitch_classes", "qualified_notes", "polyphony")
        return of_each + ("tonal_distance",) * (len(self.tracks) > 1)

    @property
    def bar(self):
        """Steps in a bar."""
        return self.beats * self.resolution

    @property
    def seconds(self):
        """Of a step, at the tempo that files are written in."""
        return 60.0 / self.tempo / self.resolution

    def check(self, batch, name="rolls"):
        """Raises a ValueError unless `batch` holds floats (batch, steps, pitches, tracks) in [0, 1]."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        if batch.ndim == 3 and batch.shape == self.shape:
            return " Add the batch axis: rolls[None]."
        if batch.ndim == 4:
            return (
                f" Read the music with bars={self.bars}, beats={self.beats}, resolution={self.resolution}, "
                f"pitches={self.shape[1]} and {len(self.tracks)} tracks, or build the model for others."
            )
        return ""

    def _advice(self, batch):
        return " Read MIDI files with kerasgan.data.music, or convert booleans with kerasgan.media.Music(...).to_model."

    def to_natural(self, samples):
        """What a network gave, as booleans: what is surer than not; of a monophonic track, the surest pitch.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        samples = self._finite(samples)
        if not self.monophonic:
            return samples > 0.5
        # Silence is as sure as all pitches of the track together leave it.
        silent = 1.0 - samples.sum(axis=2, keepdims=True)
        surest = samples.argmax(axis=2)[:, :, None] == np.arange(self.shape[1])[:, None]
        return surest & (samples > np.maximum(silent, 0.0))

    def to_model(self, samples):
        """Rolls of booleans, or of whole numbers 0 and 1, as float32.

        Raises:
            ValueError: other values.
        """
        samples = np.asarray(samples)
        if samples.dtype.kind not in "biu" or (samples.size and (samples.min() < 0 or samples.max() > 1)):
            raise ValueError(f"samples has dtype {samples.dtype}; expected rolls of booleans, or of 0 and 1.")
        return samples.astype("float32")

    def notes(self, roll):
        """The notes of a roll: equal neighbours are one note.

        Args:
            roll: booleans (steps, pitches, tracks).

        Returns:
            int array (notes, 4): track, first step, the step behind the last, MIDI pitch; by track, then by time.
        """
        silence = np.zeros((1, *roll.shape[1:]), bool)
        changes = np.diff(np.concatenate([silence, roll, silence]).astype(np.int8), axis=0)
        # By track and pitch first, so that the begins and ends of a pitch pair up in order of time.
        track, pitch, begin = np.nonzero(changes.transpose(2, 1, 0) == 1)
        end = np.nonzero(changes.transpose(2, 1, 0) == -1)[2]
        found = np.stack([track, begin, end, pitch + self.lowest], axis=1)
        return found[np.lexsort((found[:, 3], found[:, 1], found[:, 0]))]

    def described(self):
        """What turns a roll into music: its steps, pitches and tracks, and the tempo."""
        return {
            "steps_per_second": self.tempo * self.resolution / 60.0,
            "steps_per_quarter": self.resolution,
            "steps_per_bar": self.bar,
            "lowest": self.lowest,
            "tracks": list(self.tracks),
            "programs": list(self.programs),
            "monophonic": self.monophonic,
        }

    def compared(self, output):
        """Of voices, the pitch of each step, or silence: probabilities that differ little may be other notes."""
        return {"notes": self._pitches} if self.monophonic else {}

    def _pitches(self, samples):
        """The place of each voice's pitch in each step, int (count, steps, tracks); -1 for silence."""
        notes = self.to_natural(samples)
        return np.where(notes.any(axis=2), notes.argmax(axis=2), -1)

    # Files ---------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves pieces in one file, by its ending.

        - `.mid`: all of them one after the other, a bar of silence in between: a MIDI file, with a track for each.
        - `.zip`: each in a MIDI file of its own, called by its number; `kerasgan.data.music` reads it.
        - `.wav`: a preview of simple tones, one piece after the other (16-bit PCM, mono).
        - `.png`: a picture of the rolls, see `sheet`.
        - `.npz`: the rolls, as the array "rolls", beside what turns them into music; `kerasgan.data.music` reads it.

        Args:
            samples: booleans (count, steps, pitches, tracks).
            path: file to write. Missing folders are made.
            columns: of the picture.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending.
            OSError: the file cannot be written.
        """
        rolls = self._checked(samples)
        path = files.check_output(path, self.extensions)
        ending = path.suffix.lower()
        if ending == ".png":
            return self._save_sheet(rolls, path, columns)
        with files.atomic(path) as temporary:
            if ending == ".mid":
                temporary.write_bytes(self._midi(self._in_a_row(rolls)))
            elif ending == ".wav":
                temporary.write_bytes(self._wav(self._in_a_row(rolls)))
            elif ending == ".npz":
                with open(temporary, "wb") as file:
                    np.savez_compressed(file, rolls=rolls, **self._facts())
            else:
                files.write_zip(temporary, [self._midi(one) for one in rolls], ".mid")
        return path

    def _facts(self):
        return {
            "lowest": self.lowest,
            "resolution": self.resolution,
            "beats": self.beats,
            "tempo": self.tempo,
            "tracks": np.array(self.tracks),
            "programs": np.array(self.programs),
        }

    def _in_a_row(self, rolls):
        """One roll of all pieces, a bar of silence between them."""
        silence = np.zeros((len(rolls), self.bar, *self.shape[1:]), bool)
        joined = np.concatenate([rolls, silence], axis=1).reshape(-1, *self.shape[1:])
        return joined[: len(joined) - self.bar]

    def _midi(self, roll):
        """The content of a MIDI file: format 1, a first track of tempo and metre, then one of each track's notes."""
        import mido

        file = mido.MidiFile(type=1, ticks_per_beat=TICKS, charset="utf-8")
        metre = mido.MetaMessage("time_signature", numerator=self.beats, denominator=4)
        file.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(self.tempo)), metre]))
        notes = self.notes(roll)
        channels = (channel for channel in range(16) if channel != DRUMS)
        for number, (name, program) in enumerate(zip(self.tracks, self.programs, strict=True)):
            channel = DRUMS if program < 0 else next(channels, 0)
            begun = [mido.MetaMessage("track_name", name=name)]
            if program >= 0:
                begun.append(mido.Message("program_change", channel=channel, program=program))
            file.tracks.append(mido.MidiTrack([*begun, *self._messages(notes[notes[:, 0] == number], channel)]))
        content = io.BytesIO()
        file.save(file=content)
        return content.getvalue()

    def _messages(self, notes, channel):
        """Messages that begin and end notes, each with the ticks since the one before; ends come first."""
        import mido

        ticks = TICKS / self.resolution  # a step may be no whole number of them
        events = [(round(begin * ticks), 1, pitch) for _, begin, _, pitch in notes.tolist()]
        events += [(round(end * ticks), 0, pitch) for _, _, end, pitch in notes.tolist()]
        last = 0
        for time, begins, pitch in sorted(events):
            kind, velocity = ("note_on", VELOCITY) if begins else ("note_off", 0)
            yield mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=time - last)
            last = time

    # Sound ---------------------------------------------------------------------------------------------------------

    def _wav(self, roll):
        """The content of a WAV file: the notes as tones of a few harmonics, drums as short noise."""
        total = np.zeros(math.ceil(len(roll) * self.seconds * RATE) + 1, "float32")
        noise = np.random.default_rng(0)
        for track, begin, end, pitch in self.notes(roll).tolist():
            first, last = (round(step * self.seconds * RATE) for step in (begin, end))
            drums = self.programs[track] < 0
            total[first:last] += _struck(last - first, noise) if drums else _tone(pitch, last - first)
        numbers = np.rint(total / max(1e-6, np.abs(total).max()) * LOUD * 32767).astype("<i2")
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(numbers.tobytes())
        return content.getvalue()

    # Pictures ------------------------------------------------------------------------------------------------------

    def _pictures(self):
        return Image((SCALE * self.shape[1], SCALE * self.shape[0], 3))

    def _columns(self, count, columns):
        """Pieces in a row: as square a sheet as there is, where nobody says how many."""
        if columns is not None:
            return columns
        steps, pitches, _ = self.shape
        return max(1, min(count, round(math.sqrt(count * pitches / steps))))

    def _drawn(self, rolls):
        """uint8 (count, SCALE * pitches, SCALE * steps, 3). Where tracks sound together, the first one is on top."""
        steps, pitches, tracks = self.shape
        paper = np.full((len(rolls), pitches, steps, 3), PAPER, np.uint8)
        paper[:, :, :: self.bar] = BAR_LINE
        for track in reversed(range(tracks)):
            sounding = rolls[..., track].transpose(0, 2, 1)[:, ::-1]
            paper[sounding] = COLOURS[track % len(COLOURS)]
        return paper.repeat(SCALE, axis=1).repeat(SCALE, axis=2)

    def descriptors(self, samples):
        """How much of each pitch class sounds in each bar of each track: coarse, as a collapse is."""
        steps, pitches, tracks = self.shape
        bars = np.asarray(samples, "float64").reshape(len(samples), self.bars, self.bar, pitches, tracks).sum(axis=2)
        octaves = math.ceil(pitches / 12)
        bars = np.pad(bars, ((0, 0), (0, 0), (0, 12 * octaves - pitches), (0, 0)))
        return super().descriptors(bars.reshape(len(samples), self.bars, octaves, 12, tracks).sum(axis=2))

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.shape[1:] != self.shape or not len(samples) or samples.dtype.kind not in "b":
            shape = ", ".join(map(str, self.shape))
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected rolls of booleans "
                f"(count, {shape}), as `generate` and `to_natural` return them."
            )
        return samples

    def get_config(self):
        return {
            "bars": self.bars,
            "beats": self.beats,
            "resolution": self.resolution,
            "lowest": self.lowest,
            "pitches": self.shape[1],
            "tracks": list(self.tracks),
            "programs": list(self.programs),
            "tempo": self.tempo,
            "monophonic": self.monophonic,
        }


def track_names(tracks):
    """The names of tracks, a tuple, of what a user gives: names, or their number.

    Raises:
        ValueError: neither.
    """
    if is_whole(tracks):
        return tuple(f"track {number}" for number in range(1, tracks + 1))
    if isinstance(tracks, (tuple, list)) and tracks and all(isinstance(name, str) and name for name in tracks):
        if len(set(tracks)) == len(tracks):
            return tuple(tracks)
    raise ValueError(f"tracks={tracks!r}: expected a number, or a name of its own for each track.")


def _tone(pitch, length):
    """A tone of a MIDI pitch, float32 (length,): harmonics below the highest frequency that the preview can hold."""
    time = np.arange(length, dtype="float32") / RATE
    frequency = 440.0 * 2.0 ** ((pitch - 69) / 12)
    tone = np.zeros(length, "float32")
    for number, level in enumerate(HARMONICS, 1):
        if number * frequency < RATE / 2:
            tone += level * np.sin(2 * np.pi * number * frequency * time)
    return tone * _envelope(length) * np.exp(-1.5 * time)


def _struck(length, random):
    time = np.arange(length, dtype="float32") / RATE
    return random.normal(size=length).astype("float32") * np.exp(-30 * time)


def _envelope(length):
    """Numbers in [0, 1], 0 at both ends, so that a tone neither begins nor ends with a click."""
    edge = np.arange(length, dtype="float32") / (FADE * RATE)
    return np.clip(np.minimum(edge, edge[::-1]), 0.0, 1.0)
