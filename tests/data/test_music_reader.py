"""kerasgan.data.music: MIDI files in folders and zips, lists of chords, arrays."""

import io
import json
import zipfile

import mido
import numpy as np
import pytest
import tensorflow as tf
from test_midi import encode, off, on

from kerasgan.data import music
from kerasgan.data import music as read_music
from kerasgan.data.music import transposed
from kerasgan.media import Music

TWO_BARS = {"bars": 2, "beats": 2, "resolution": 2, "lowest": 60, "pitches": 12, "tracks": 1, "shuffle": False}


def read(source, batch_size=1, **options):
    """All samples of a source, in order."""
    dataset = read_music(source, batch_size=batch_size, **TWO_BARS | options)
    return np.concatenate([np.asarray(batch) for batch in dataset])


def sounding(sample, track=0):
    """The pitches of each step of a sample."""
    return [np.flatnonzero(step).tolist() for step in sample[..., track]]


def scale(*pitches, length=96, **options):
    """Messages of notes, one after the other, of so many ticks."""
    return [m for pitch in pitches for m in (on(pitch, **options), off(pitch, length, **options))]


def metre(numerator, time=0, denominator=4):
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator, time=time)


# MIDI files ----------------------------------------------------------------------------------------------------------


def test_a_sample_is_a_stretch_of_bars(write):
    write("a.mid", encode([metre(2), *scale(60, 62, 64, 65, 67, 69)]))  # three bars of two quarter notes
    first, second = read(write.root)
    assert sounding(first) == [[0], [0], [2], [2], [4], [4], [5], [5]]
    assert sounding(second) == [[4], [4], [5], [5], [7], [7], [9], [9]]
    (only,) = read(write.root, hop=2)
    np.testing.assert_array_equal(only, first)
    assert first.dtype == np.float32 and first.shape == (8, 12, 1)


def test_tempo_and_ticks_mean_nothing_and_notes_are_rounded_to_steps(write):
    plain = encode([metre(2), *scale(60, 62, 64, 65)])
    tempo = mido.MetaMessage("set_tempo", tempo=123456)
    write("a.mid", plain)
    write("b.mid", encode([tempo, metre(2), *scale(60, 62, 64, 65, length=1000)], ticks_per_beat=1000))
    staccato = [m for p in (60, 62, 64, 65) for m in (on(p, 3 if p == 60 else 8), off(p, 88))]
    write("c.mid", encode([metre(2), *staccato]))
    one, other, loose = read(write.root)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, loose)
    write("short/d.mid", encode([metre(2), on(60), off(60, 1), *scale(62, 64, 65, 67)]))
    assert sounding(read(write.root, subset="short")[0])[:2] == [[0, 2], [2]]  # one step at least


def test_bars_are_those_of_the_metre(write):
    """An upbeat of a quarter note, then bars of two, then bars of three, which are left out."""
    upbeat, two, three = [*scale(71)], [*scale(60, 62, 64, 65)], [*scale(*range(60, 69))]
    write("a.mid", encode([metre(1), *upbeat, metre(2), *two, metre(3), *three]))
    (only,) = read(write.root)
    assert sounding(only) == [[0], [0], [2], [2], [4], [4], [5], [5]]
    threes = read(write.root, beats=3)
    assert len(threes) == 2 and sounding(threes[0])[:4] == [[0], [0], [1], [1]]
    with pytest.raises(ValueError, match="no 2 bars of 5 quarter notes in a row .its bars have 1, 2, 3[)]"):
        read(write.root, beats=5)


def test_a_metre_of_eighths_is_counted_in_quarter_notes(write):
    write("a.mid", encode([metre(6, denominator=8), *scale(*range(60, 66))]))
    assert read(write.root, beats=3).shape == (1, 12, 12, 1)


def test_bars_without_notes_are_no_samples_and_a_bar_that_has_begun_is_one(write):
    rest = [on(60, 96 * 8), off(60, 96)]  # four bars later, the last one not full
    write("a.mid", encode([metre(2), *scale(60, 62), *rest]))
    found = read(write.root)
    assert [sounding(sample)[0] for sample in found] == [[0], []]
    assert sounding(found[-1]) == [[], [], [], [], [0], [0], [], []]


def test_a_number_of_tracks_takes_the_first_parts(write):
    drums = scale(36, 38, 36, 38, channel=9)
    write("a.mid", encode([metre(2)], drums, scale(60, 62, 64, 65), [], scale(67, 69, 67, 69), scale(71, 71, 71, 71)))
    (both,) = read(write.root, tracks=2)
    assert sounding(both, 0)[::2] == [[0], [2], [4], [5]] and sounding(both, 1)[::2] == [[7], [9], [7], [9]]
    with pytest.raises(ValueError, match="a.mid: 3 parts with notes, fewer than 4 tracks"):
        read(write.root, tracks=4)
    (merged,) = read(write.root, tracks="all")
    assert sounding(merged)[0] == [0, 7, 11]


def test_tracks_are_chosen_by_family_program_name_and_as_drums(write):
    def part(name, program, pitch, **options):
        begun = [mido.MetaMessage("track_name", name=name), mido.Message("program_change", program=program, **options)]
        return [*begun, *scale(pitch, pitch, pitch, pitch, **options)]

    parts = part("Lead", 0, 60), part("x", 33, 62, channel=1), part("Solo Violin", 40, 64, channel=2)
    write("a.mid", encode([metre(2)], *parts, part("kit", 0, 65, channel=9), part("y", 5, 67, channel=3)))
    (found,) = read(write.root, tracks=("violin", "drums", "bass", 0, "piano"))
    assert [sounding(found, track)[0] for track in range(5)] == [[4], [5], [2], [0], [7]]
    with pytest.raises(ValueError, match="none of its parts is organ; they are .*Solo Violin, .*bass, drums"):
        read(write.root, tracks=["organ"])


def test_a_voice_keeps_its_highest_pitch(write):
    chord = [on(60), on(64), on(67, 96), off(67, 96), off(64, 96), off(60, 96)]
    write("a.mid", encode([metre(2), *chord]))
    assert sounding(read(write.root)[0])[2:6] == [[0, 4, 7], [0, 4, 7], [0, 4], [0, 4]]
    assert sounding(read(write.root, monophonic=True)[0]) == [[4], [4], [7], [7], [4], [4], [0], [0]]


def test_pitches_beyond_the_roll_are_left_out_and_counted(write):
    write("a.mid", encode([metre(2), *scale(59, 60, 71, 72)]))
    with pytest.warns(UserWarning, match="2 of 4 notes .* are no pitch from 60 to 71"):
        (found,) = read(write.root)
    assert sounding(found) == [[], [], [0], [0], [11], [11], [], []]


def test_zips_single_files_and_several(write, tmp_path):
    content = encode([metre(2), *scale(60, 62, 64, 65)])
    alone = write("a.mid", content)
    write("notes.txt", b"words")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("x/1.midi", content)
        archive.writestr("y/2.mid", content)
    assert len(read(alone)) == len(read(write.root)) == 1 and len(read(tmp_path / "b.zip")) == 2
    assert len(read([alone, tmp_path / "b.zip"])) == 3 and len(read(tmp_path / "b.zip", subset="y")) == 1


def test_what_was_saved_is_read_again(tmp_path):
    random = np.random.default_rng(0)
    media = Music(2, 2, 2, 60, 12, 3)
    rolls = random.random((5, *media.shape)) < 0.3
    rolls[:, [0, -1], 0] = True  # every piece fills its bars, and has all tracks
    for name in ("rolls.zip", "rolls.npz"):
        np.testing.assert_array_equal(read(media.save(rolls, tmp_path / name), tracks=3), rolls)
    higher = read(tmp_path / "rolls.npz", tracks=3, lowest=58)
    np.testing.assert_array_equal(higher[:, :, 2:], rolls[:, :, :10])


def test_cached_or_not_the_samples_are_the_same_and_a_training_goes_on_anywhere(write):
    write("a.mid", encode([metre(2), *scale(*range(60, 72), *range(60, 72))]))
    options = TWO_BARS | {"shuffle": True, "seed": 3, "transpose": 3, "batch_size": 2}
    first, second = (read_music(write.root, cache=cache, **options).endless() for cache in (True, False))
    one, other = (list(dataset.take(9).as_numpy_iterator()) for dataset in (first, second))
    np.testing.assert_array_equal(one, other)
    late = read_music(write.root, **options).endless(5)
    np.testing.assert_array_equal(one[5:], list(late.take(4).as_numpy_iterator()))


def test_a_model_is_told_what_the_samples_are(write):
    write("a.mid", encode([metre(2), *scale(60, 62, 64, 65)]))
    options = TWO_BARS | {"tracks": ["Bass", "drums", 40, "lead voice", "piano"], "monophonic": True}
    known = read_music(write.root, batch_size=1, **options).model_arguments
    assert known == {"bars": 2, "beats": 2, "resolution": 2, "lowest": 60, "pitches": 12, "output": "monophonic"} | {
        "tracks": ["Bass", "drums", "40", "lead voice", "piano"],
        "programs": [32, -1, 40, 0, 0],
    }
    merged = read_music(write.root, batch_size=1, **TWO_BARS | {"tracks": "all"}).model_arguments
    assert (merged["tracks"], merged["programs"], merged["output"]) == (["all"], [0], "binary")


# Transposition -------------------------------------------------------------------------------------------------------


def test_transposition_moves_whole_samples_evenly_and_never_out_of_the_roll():
    roll = np.zeros((1, 2, 12, 2), "float32")
    roll[0, 0, 5, 0] = roll[0, 1, 7, 1] = 1
    drawn = (np.arange(14)[:, None] + 0.5) / 14
    found = transposed(tf.constant(np.repeat(roll, 14, axis=0)), tf.constant(drawn, tf.float32), 3).numpy()
    shifts = found[:, 0, :, 0].argmax(axis=1) - 5
    assert np.bincount(shifts + 3).tolist() == [2] * 7
    for shift, moved in zip(shifts, found, strict=True):
        np.testing.assert_array_equal(moved, np.roll(roll[0], shift, axis=1))
    far = transposed(tf.constant(np.repeat(roll, 2, axis=0)), tf.constant([[0.0], [0.999]]), 11).numpy()
    assert (far[:, 0, :, 0].argmax(axis=1)).tolist() == [0, 9] and far[:, 1, :, 1].argmax(axis=1).tolist() == [2, 11]
    silent = transposed(tf.zeros((2, 2, 12, 1)), tf.constant([[0.0], [0.9]]), 4)
    assert not silent.numpy().any()


# Lists of chords, and arrays -----------------------------------------------------------------------------------------


def chords(*steps):
    return [list(step) for step in steps]


EIGHT = chords((67, 60), (67, 60), (67, 62), (69, 62), (69, -1), (71, None), (71, 64), (71, 64))


def test_json_has_pieces_of_chords_and_parts(tmp_path):
    path = tmp_path / "chorales.json"
    path.write_text(json.dumps({"train": [EIGHT, EIGHT + EIGHT[:4]], "test": [EIGHT]}))
    found = read(path, tracks=2, subset="train")
    assert len(found) == 3
    assert sounding(found[0], 0) == [[7], [7], [7], [9], [9], [11], [11], [11]]
    assert sounding(found[0], 1) == [[0], [0], [2], [2], [], [], [4], [4]]
    assert len(read(path, tracks=2, subset="test")) == 1
    with pytest.raises(ValueError, match="subset must say which part is wanted; it holds train, test"):
        read(path, tracks=2)
    with pytest.raises(ValueError, match="it has no part 'valid'; it holds train, test"):
        read(path, tracks=2, subset="valid")
    path.write_text(json.dumps([EIGHT]))
    assert len(read(path, tracks=2)) == 1


def test_an_upbeat_of_a_quarter_note_is_left_out(tmp_path):
    path = tmp_path / "chorales.json"
    path.write_text(json.dumps([chords((71, 71), (71, 71)) + EIGHT, EIGHT + chords((71, 71))]))
    found = read(path, tracks=2)
    np.testing.assert_array_equal(found[0], found[1])


def test_a_step_with_fewer_pitches_goes_to_the_nearest_voices(tmp_path):
    path = tmp_path / "chorales.json"
    steps = chords((71, 67, 60), (70, 61), (66, 60), (), (70, 66, 61), (70, 66, 61), (70, 66, 61), (70, 66, 61))
    path.write_text(json.dumps([steps]))
    (found,) = read(path, tracks=3)
    assert [sounding(found, voice)[:4] for voice in range(3)] == [
        [[11], [10], [], []],
        [[7], [], [6], []],
        [[0], [1], [0], []],
    ]


def test_npz_has_pitches(tmp_path):
    pitches = np.array([[[-1 if p is None else p for p in step] for step in EIGHT]], "int16")
    np.savez(tmp_path / "a.npz", train=pitches, test=pitches[:, :4])
    assert sounding(read(tmp_path / "a.npz", tracks=2, subset="train")[0], 1) == [[0], [0], [2], [2], [], [], [4], [4]]
    with pytest.raises(ValueError, match="no piece of 2 bars"):
        read(tmp_path / "a.npz", tracks=2, subset="test")


# What cannot be read -------------------------------------------------------------------------------------------------


def test_bad_files_are_named_and_left_out(write):
    write("good.mid", encode([metre(2), *scale(60, 62, 64, 65)]))
    write("silent.mid", encode([metre(2)]))
    write("short.mid", encode([metre(2), *scale(60)]))
    write("words.mid", b"no music")
    write("low.mid", encode([metre(2), *scale(20, 20, 20, 20)]))
    with pytest.warns(UserWarning) as caught:
        assert len(read(write.root)) == 1
    text = str(caught[0].message)
    for part in ("4 of 5 items", "silent.mid: no notes", "short.mid: no 2 bars", "words.mid: not a MIDI file"):
        assert part in text
    assert "low.mid: no notes in the range of pitches" in text
    with pytest.raises(ValueError, match="Repair or remove them"):
        read(write.root, on_error="raise")


def content_of(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[[[200]]]", "step 0 holds .200.; expected MIDI pitches"),
        ("a.json", b"[[[60.5]]]", "step 0 holds .60.5.; expected MIDI pitches"),
        ("a.json", b'[["words"]]', "step 0 holds words"),
        ("a.json", b"[[]]", "a piece without voices"),
        ("a.json", b"7", "no list of pieces"),
        ("a.json", b"[[[60]]", "delimiter"),
        ("a.json", b"[" * 5000, "nested deeper"),
        ("a.json", json.dumps([[[60]] * 8]).encode(), "1 voices, fewer than 2 tracks"),
        ("a.npz", content_of(x=np.zeros((1, 8), "int8")), r"x has shape \(1, 8\)"),
        ("a.npz", content_of(x=np.full((1, 8, 2), 128)), "expected whole numbers"),
        ("a.npz", content_of(x=np.zeros((1, 8, 2))), "dtype float64"),
        ("a.npz", content_of(x=np.array([[{}]], object)), "Object arrays cannot be loaded"),
        ("a.npz", content_of(rolls=np.zeros((1, 8, 12, 3), bool)), "expected 0 and 1 of 2 tracks"),
        ("a.npz", content_of(x=np.zeros((400, 1000, 2000), "int8"))[:1000], "zip"),
        ("a.npz", b"PK", "zip"),
    ],
)
def test_files_of_numbers_that_are_none_are_refused(write, name, content, message):
    write(name, content)
    with pytest.raises(ValueError, match=f"Nothing is left to train on: .*{name}: .*{message}"):
        read(write.root, tracks=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bars": 0}, "bars=0 must be a whole number"),
        ({"hop": 1.5}, "hop=1.5"),
        ({"lowest": 120}, "lowest=120, pitches=12: MIDI has the pitches 0 to 127"),
        ({"transpose": -1}, "transpose=-1 must be a number of semitones"),
        ({"tracks": 0}, "tracks=0 must be a number of tracks"),
        ({"tracks": "piano"}, "tracks='piano' must be .* or a list"),
        ({"tracks": [200]}, "tracks=.200."),
        ({"monophonic": "no"}, "monophonic='no' must be one of"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        music(tmp_path, **TWO_BARS | options)


def test_sources_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="give a folder, a zip file, or a .mid"):
        music(tmp_path / "nothing.mid")
    (tmp_path / "a.mp3").write_bytes(b"x")
    with pytest.raises(NotADirectoryError):
        music(tmp_path / "a.mp3")
    with pytest.raises(ValueError, match="is nothing that can be read"):
        music(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="it holds no files"):
        music(tmp_path)
