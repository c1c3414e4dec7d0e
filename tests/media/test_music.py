"""Music: piano rolls to notes, MIDI files, tones and pictures, against written-out examples and mido."""

import io
import wave
import zipfile

import mido
import numpy as np
import pytest
from PIL import Image as Pictures

import kerasgan
from kerasgan.media import Music
from kerasgan.media.music import COLOURS


def media(**options):
    """Two bars of two quarter notes in eighths; the pitches from middle C to the B above."""
    return Music(
        **{"bars": 2, "beats": 2, "resolution": 2, "lowest": 60, "pitches": 12, "tracks": ("high", "low")} | options
    )


def roll(*notes, steps=8, pitches=12, tracks=2):
    """Booleans (steps, pitches, tracks) of notes (track, first step, step behind the last, place of the pitch)."""
    made = np.zeros((steps, pitches, tracks), bool)
    for track, begin, end, pitch in notes:
        made[begin:end, pitch, track] = True
    return made


NOTES = [(0, 0, 2, 4), (0, 2, 3, 5), (0, 3, 8, 4), (1, 0, 8, 0), (1, 4, 5, 7)]  # by track, then by time


def test_equal_neighbours_are_one_note():
    found = media().notes(roll(*NOTES))
    assert found.tolist() == [[track, begin, end, pitch + 60] for track, begin, end, pitch in NOTES]
    twice = media().notes(roll((0, 0, 2, 4), (0, 2, 4, 4), (0, 5, 6, 4)))
    assert twice.tolist() == [[0, 0, 4, 64], [0, 5, 6, 64]]
    assert media().notes(roll()).shape == (0, 4)


def test_of_a_voice_the_surest_pitch_sounds_unless_silence_is_surer():
    voices = media(monophonic=True, bars=1, beats=1, resolution=3, pitches=2, tracks=1)
    given = np.array([[0.5, 0.3], [0.2, 0.3], [0.26, 0.25]], "float32")  # silence: 0.2, 0.5, 0.49
    assert voices.to_natural(given[None, :, :, None])[0, :, :, 0].tolist() == [[1, 0], [0, 0], [0, 0]]
    chords = media(bars=1, beats=1, resolution=3, pitches=2, tracks=1)
    assert chords.to_natural(given[None, :, :, None] * 2)[0, :, :, 0].tolist() == [[1, 1], [0, 1], [1, 0]]


def test_an_exported_network_is_held_to_the_notes_of_voices():
    voices = media(monophonic=True, bars=1, beats=1, resolution=3, pitches=2, tracks=1)
    given = np.array([[0.5, 0.3], [0.2, 0.3], [0.1, 0.6]], "float32")[None, :, :, None]
    (pitches,) = voices.compared("pieces").values()
    assert pitches(given).tolist() == [[[0], [-1], [1]]] and pitches(given).dtype.kind == "i"
    assert media().compared("pieces") == {}


def test_a_midi_file_says_tempo_metre_names_programs_and_notes(tmp_path):
    music = media(tempo=100, programs=(73, -1), beats=2)
    path = music.save(np.stack([roll(*NOTES), roll((0, 1, 2, 11))]), tmp_path / "two.mid")
    file = mido.MidiFile(path)
    assert file.type == 1 and len(file.tracks) == 3
    (metre,) = [message for message in file.tracks[0] if message.type == "time_signature"]
    assert (metre.numerator, metre.denominator) == (2, 4)
    (tempo,) = [message for message in file.tracks[0] if message.type == "set_tempo"]
    assert mido.tempo2bpm(tempo.tempo) == pytest.approx(100)
    high, low = file.tracks[1:]
    assert (high.name, low.name) == ("high", "low")
    assert [message.program for message in high if message.type == "program_change"] == [73]
    assert not [message for message in low if message.type == "program_change"]
    step = file.ticks_per_beat // 2
    second = 8 + 4  # a bar of silence lies between
    assert played(high) == [(0, 0, 2 * step, 64), (0, 2 * step, 3 * step, 65), (0, 3 * step, 8 * step, 64)] + [
        (0, (second + 1) * step, (second + 2) * step, 71)
    ]
    assert played(low) == [(9, 0, 8 * step, 60), (9, 4 * step, 5 * step, 67)]


def played(track):
    """Notes of a mido track: (channel, tick, tick of the end, pitch), in order."""
    time, sounding, found = 0, {}, []
    for message in track:
        time += message.time
        if message.type == "note_on":
            assert message.note not in sounding
            sounding[message.note] = time
        elif message.type == "note_off":
            found.append((message.channel, sounding.pop(message.note), time, message.note))
    assert not sounding
    return sorted(found, key=lambda note: note[1:])


def test_a_step_that_is_no_whole_number_of_ticks_does_not_drift(tmp_path):
    music = media(resolution=7, bars=20, beats=1, pitches=2, tracks=1)
    last = roll((0, 139, 140, 0), steps=140, pitches=2, tracks=1)
    file = mido.MidiFile(music.save(last[None], tmp_path / "late.mid"))
    assert played(file.tracks[1]) == [(0, round(139 / 7 * file.ticks_per_beat), 20 * file.ticks_per_beat, 60)]


def test_a_zip_holds_a_file_a_piece_and_is_the_same_every_time(tmp_path):
    rolls = np.stack([roll(note) for note in NOTES])
    one, other = (media().save(rolls, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.namelist() == ["1.mid", "2.mid", "3.mid", "4.mid", "5.mid"]
        second = mido.MidiFile(file=io.BytesIO(archive.read("2.mid")))
    assert [note[3] for note in played(second.tracks[1])] == [65]


def test_the_preview_has_the_pitch_and_the_length_of_the_notes(tmp_path):
    music = media(tempo=60, lowest=69, tracks=1)  # two seconds a bar; the A of 440 Hz
    path = music.save(roll((0, 4, 8, 0), tracks=1)[None], tmp_path / "a.wav")
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) / rate == pytest.approx(4, abs=0.01)
    assert not samples[: 2 * rate].any() and np.abs(samples).max() > 20000
    spectrum = np.abs(np.fft.rfft(samples[2 * rate : 3 * rate].astype(float)))
    assert spectrum.argmax() == 440  # bins of a hertz


def test_a_picture_shows_time_pitch_and_track(tmp_path):
    path = media().save(roll(*NOTES)[None], tmp_path / "roll.png")
    with Pictures.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape == (24, 16, 3)
    row = {pitch: pixels[2 * (11 - pitch)] for pitch in range(12)}  # the lowest pitch is at the bottom
    assert (row[4][[0, 3, 6, 15]] == COLOURS[0]).all() and (row[4][4] == 255).all()
    assert (row[0] == COLOURS[1]).all()
    assert (row[9][0] == 205).all() and (row[9][8] == 205).all() and (row[9][2] == 255).all()  # bars begin


def test_arrays_keep_what_turns_them_into_music(tmp_path):
    path = media(tempo=77).save(roll(*NOTES)[None], tmp_path / "rolls.npz")
    with np.load(path, allow_pickle=False) as held:
        np.testing.assert_array_equal(held["rolls"], roll(*NOTES)[None])
        assert (held["lowest"], held["resolution"], held["beats"], held["tempo"]) == (60, 2, 2, 77)
        assert held["tracks"].tolist() == ["high", "low"]


def test_a_sheet_comes_with_what_is_heard(tmp_path):
    path = media().save_sheet(np.stack([roll(*NOTES)] * 9), tmp_path / "sheet.png")
    assert path.is_file() and len(played(mido.MidiFile(tmp_path / "sheet.mid").tracks[1])) == 8 * 3


def test_more_tracks_than_channels_and_any_name(tmp_path):
    names = tuple(f"Stimme {number} ♪" for number in range(18))
    path = media(tracks=names).save(np.ones((1, 8, 12, 18), bool), tmp_path / "many.mid")
    tracks = mido.MidiFile(path, charset="utf-8").tracks[1:]
    assert tuple(track.name for track in tracks) == names
    assert 9 not in {message.channel for track in tracks for message in track if message.type == "note_on"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bars": 0}, "bars=0"),
        ({"resolution": 2.0}, "resolution=2.0"),
        ({"lowest": 120}, "lowest=120, pitches=12: MIDI has the pitches 0 to 127"),
        ({"tempo": 0}, "tempo=0: expected quarter notes a minute"),
        ({"tracks": ("a", "a")}, "tracks=.*a name of its own"),
        ({"tracks": 0}, "tracks=0"),
        ({"programs": (0,)}, "programs=.* for each of 2 tracks"),
        ({"programs": (0, 128)}, "programs=.* from 0 to 127"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        media(**options)


def test_what_is_no_roll_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match=r"expected rolls of booleans \(count, 8, 12, 2\)"):
        media().save(roll()[None].astype("uint8"), tmp_path / "x.mid")
    with pytest.raises(ValueError, match="expected one of .mid"):
        media().save(roll()[None], tmp_path / "x.mp3")
    with pytest.raises(ValueError, match="nor piano rolls their tempo"):
        kerasgan.save_samples(roll()[None], tmp_path / "x.mid")
    with pytest.raises(ValueError, match="expected rolls of booleans, or of 0 and 1"):
        media().to_model(np.full((1, 8, 12, 2), 2))
    with pytest.raises(ValueError, match="1 NaN"):
        media().to_natural(np.where(roll((0, 0, 1, 0))[None], np.nan, 0.0))
    assert not list(tmp_path.iterdir())
