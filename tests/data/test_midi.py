"""MIDI files, written by mido, and damaged by hand."""

import io
import struct

import mido
import numpy as np
import pytest

from kerasgan.data.files import BadSample
from kerasgan.data.midi import read_song


def encode(*tracks, **options):
    """The content of a MIDI file of tracks, each a list of mido messages."""
    file = mido.MidiFile(**{"ticks_per_beat": 96} | options)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def on(note, time=0, **options):
    return mido.Message("note_on", note=note, time=time, **options)


def off(note, time, **options):
    return mido.Message("note_off", note=note, time=time, **options)


def raw(track, division=96, form=1, tracks=1, length=None):
    """A MIDI file of the bytes of one track."""
    header = b"MThd" + struct.pack(">IHHH", 6, form, tracks, division)
    return header + b"MTrk" + struct.pack(">I", len(track) if length is None else length) + track


NOTE = bytes([0, 0x90, 60, 64, 96, 0x80, 60, 0])  # a quarter note of middle C


def test_notes_names_programs_and_metres():
    content = encode(
        [mido.MetaMessage("time_signature", numerator=3, denominator=4)]
        + [mido.MetaMessage("time_signature", numerator=6, denominator=8, time=96 * 6)],
        [mido.MetaMessage("track_name", name="Violin I"), mido.Message("program_change", program=40)]
        + [on(76), off(76, 48), on(77, 48), on(77, 96, velocity=0)],
        [on(36, 24, channel=9), off(36, 12, channel=9), on(50, channel=2), on(57, channel=2), off(50, 96, channel=2)]
        + [off(57, 96, channel=2)],
    )
    song = read_song(content)
    assert song.metres == [(0, 3), (6, 3)] and song.names == {1: "Violin I"}
    found = sorted(zip(song.notes.tolist(), song.about.tolist(), strict=True), key=lambda note: note[1])
    assert found == [
        ([0, 0.5], [1, 0, 40, 76]),
        ([1, 2], [1, 0, 40, 77]),  # of no velocity, the second message ends it
        ([0.375, 1.375], [2, 2, 0, 50]),
        ([0.375, 2.375], [2, 2, 0, 57]),
        ([0.25, 0.375], [2, 9, 0, 36]),
    ]


def test_running_status_system_messages_and_other_chunks():
    sysex, text = bytes([0, 0xF0, 3, 1, 2, 0xF7]), bytes([0, 0xFF, 0x01, 2]) + b"hi"
    running = bytes([0, 0x90, 60, 64, 48, 62, 64, 48, 60, 0, 0, 62, 0])  # one status for four messages
    content = raw(sysex + text + running)
    for one in (content, content[:14] + b"XFIH\0\0\0\2ab" + content[14:], content + b"some bytes behind"):
        song = read_song(one)
        assert song.about[:, 3].tolist() == [60, 62] and song.notes.tolist() == [[0, 1], [0.5, 1]]


def test_a_pitch_that_is_struck_again_ends_and_one_without_an_end_ends_with_its_track():
    song = read_song(encode([on(60), on(60, 96), on(62, 96), mido.MetaMessage("end_of_track", time=192)]))
    assert song.notes.tolist() == [[0, 1], [1, 4], [2, 4]] and song.about[:, 3].tolist() == [60, 60, 62]


def test_what_mido_reads_is_read_alike():
    random = np.random.default_rng(0)
    notes = [(int(p), int(t), int(d), int(c)) for p, t, d, c in random.integers(0, (128, 60, 90, 4), (60, 4))]
    messages = [m for p, t, d, c in notes for m in (on(p, t, channel=c), off(p, d + 1, channel=c))]
    content = encode(messages, ticks_per_beat=480, type=0)
    time, expected = 0, []
    for message in mido.MidiFile(file=io.BytesIO(content)).tracks[0]:
        time += message.time
        if message.type == "note_on":
            begun = time
        elif message.type == "note_off":
            expected.append((begun / 480, time / 480, message.channel, message.note))
    song = read_song(content)
    assert [(*n, a[1], a[3]) for n, a in zip(song.notes.tolist(), song.about.tolist(), strict=True)] == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a MIDI file"),
        (b"RIFF" + bytes(40), "not a MIDI file"),
        (raw(b""), "no notes"),
        (raw(bytes([0, 0xFF, 0x2F, 0])), "no notes"),
        (raw(NOTE, division=0), "0 ticks a quarter note"),
        (raw(NOTE, division=0xE728), "times in seconds"),
        (raw(NOTE, form=2), "format 2, whose tracks are pieces of their own"),
        (raw(NOTE, length=100), "cut short: 8 of 100 bytes of a track"),
        (raw(NOTE[:-1]), "cut short: a message goes on"),
        (raw(bytes([0, 60, 64])), "a message without a kind"),
        (raw(bytes([0, 0xFF, 0x51, 3, 0, 0, 0]) + NOTE), "a tempo of 0"),
        (raw(b"\xff" * 1_000_000), "a number without an end"),
        (raw(bytes([0, 0x90, 60, 64, 0xFF, 0xFF, 0xFF, 0x7F, 60, 0])), "beats long, which cannot be"),
        (raw(NOTE) + (b"MTrk" + struct.pack(">I", len(NOTE)) + NOTE) * 299, "300 tracks, more than the 128"),
    ],
)
def test_what_cannot_be_music_is_refused(content, message):
    with pytest.raises(BadSample, match=message):
        read_song(content)


def test_every_file_that_is_cut_short_is_refused():
    content = encode([on(60), off(60, 96)], [on(64), off(64, 200)])
    for length in range(len(content)):
        with pytest.raises(BadSample):
            read_song(content[:length])
