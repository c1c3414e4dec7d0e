"""One MIDI file -> its notes in beats, its metres and names (Standard MIDI Files 1.0, MIDI Association).

What a file claims is bounded before it costs anything: lengths by the bytes that are there, times by what anybody
plays. Tempo and loudness are passed over, since a piano roll has neither.
"""

import struct
from typing import NamedTuple

import numpy as np

from kerasgan.data.files import BadSample, unusable

MOST_TRACKS = 128
MOST_BEATS = 20_000  # hours of music
MOST_NUMBER = 4  # bytes of a number of variable length
DRUMS = 9  # the channel of drums, counted from 0

# Data bytes behind each kind of message of a channel, by the upper half of its first byte.
_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}


class Song(NamedTuple):
    """What a MIDI file holds.

    Attributes:
        notes: float64 (notes, 2), where each begins and ends, in quarter notes.
        about: int (notes, 4): track of the file, channel (9: drums), program and pitch of each.
        names: {track: name} of tracks that have one.
        metres: list of (quarter note, quarter notes in a bar) from which on a metre holds, in order of time.
    """

    notes: np.ndarray
    about: np.ndarray
    names: dict
    metres: list


def read_song(content):
    """The `Song` of the bytes of a MIDI file. Raises `BadSample`."""
    with unusable():
        tracks = [chunk for kind, chunk in _chunks(content) if kind == b"MTrk"]
        division = _division(content, len(tracks))
        song = _Reading()
        for number, track in enumerate(tracks):
            song.read(number, track)
        if not song.notes:
            raise BadSample("no notes")
        found = np.array(song.notes, np.int64)
        times = found[:, :2] / division
        if times.max() > MOST_BEATS:
            raise BadSample(f"{times.max():,.0f} beats long, which cannot be: a wrong header?")
        order = np.lexsort((found[:, 5], found[:, 2], found[:, 0]))
        metres = sorted((tick / division, length) for tick, length in song.metres)
        return Song(times[order], found[order, 2:], song.names, metres)


def _division(content, tracks):
    """Ticks of a quarter note, by the header of a file in which so many tracks are."""
    form, declared, division = struct.unpack(">HHH", content[8:14])
    if max(tracks, declared) > MOST_TRACKS:
        raise BadSample(f"{max(tracks, declared)} tracks, more than the {MOST_TRACKS} that are read")
    if tracks < declared:
        raise BadSample(f"cut short: {tracks} of {declared} tracks")
    if form > 1:
        raise BadSample(f"MIDI of format {form}, whose tracks are pieces of their own")
    if division & 0x8000:
        raise BadSample("times in seconds (SMPTE), not in beats")
    if not division:
        raise BadSample("0 ticks a quarter note")
    return division


def _chunks(content):
    """(kind, bytes) of the chunks of a file; the header is the first."""
    if content[:4] != b"MThd" or len(content) < 14:
        raise BadSample("not a MIDI file")
    found, place = [], 0
    while place + 8 <= len(content):
        kind, (length,) = content[place : place + 4], struct.unpack(">I", content[place + 4 : place + 8])
        chunk = content[place + 8 : place + 8 + length]
        if kind == b"MTrk" and len(chunk) < length:
            raise BadSample(f"cut short: {len(chunk)} of {length} bytes of a track")
        found.append((kind, chunk))
        place += 8 + length
    return found


class _Reading:
    """What is gathered track by track; programs of a channel hold in the tracks behind, too."""

    def __init__(self):
        self.notes, self.names, self.metres, self._programs = [], {}, [], {}

    def read(self, number, data):
        """Reads a track of the file."""
        self._sounding, self._number = {}, number
        place, time, status = 0, 0, 0
        while place < len(data):
            delta, place = _number(data, place)
            time += delta
            if data[place] >= 0x80:
                status, place = data[place], place + 1
            elif status < 0x80:
                raise BadSample("a message without a kind")
            if status < 0xF0:
                length = _DATA[status >> 4]
                self._message(time, status, data[place : place + length])
            else:
                kind = data[place] if status == 0xFF else None
                length, place = _number(data, place + (status == 0xFF))
                self._meta(time, kind, data[place : place + length])
                status = 0  # such events end a running status
            place += length
            if place > len(data):
                raise BadSample("cut short: a message goes on behind the end of its track")
        for key in list(self._sounding):
            self._end(time, key)

    def _message(self, time, status, data):
        kind, channel = status >> 4, status & 0x0F
        if kind == 0xC:
            self._programs[channel] = data[0] & 0x7F
        if kind not in (0x8, 0x9):
            return
        key = channel, data[0] & 0x7F
        self._end(time, key)  # struck again, it ends, too
        if kind == 0x9 and data[1]:
            self._sounding[key] = time

    def _end(self, time, key):
        begin = self._sounding.pop(key, None)
        if begin is not None:
            channel, pitch = key
            self.notes.append((begin, time, self._number, channel, self._programs.get(channel, 0), pitch))

    def _meta(self, time, kind, data):
        if kind == 0x03:
            self.names.setdefault(self._number, data.decode("utf-8", "replace").strip())
        elif kind == 0x51 and not int.from_bytes(data, "big"):
            raise BadSample("a tempo of 0 microseconds a quarter note")
        elif kind == 0x58:
            self.metres.append((time, 4 * data[0] / 2 ** data[1]))


def _number(data, place):
    """A number of variable length, and the place behind it."""
    value = 0
    for byte in data[place : place + MOST_NUMBER]:
        value, place = value << 7 | byte & 0x7F, place + 1
        if byte < 0x80:
            return value, place
    raise BadSample("a number without an end")
