"""Music from MIDI files, and from lists of chords, as piano rolls: a `tf.data.Dataset` in [0, 1]."""

import io
import itertools
import warnings
import zipfile

import numpy as np
import tensorflow as tf

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.data.base import Source
from kerasgan.data.files import BadSample, check_memory, find_files, member, unusable
from kerasgan.data.midi import DRUMS, read_song
from kerasgan.data.pipeline import batched, check_choices
from kerasgan.data.reading import read_usable, report
from kerasgan.data.sources import check_path, paths_of, short
from kerasgan.media.music import track_names

CHOICES = {"monophonic": (True, False), "on_error": ("skip", "raise"), "cache": ("auto", True, False)}
SINGLE = (".mid", ".midi", ".json", ".npz")  # files that are given by themselves
OF_PARTS = (".json", ".npz")  # of which each may hold several sets, such as "train" and "test"
NO_MUSIC = (".txt", ".md", ".csv", ".pdf", ".wav", ".mp3", ".ogg", ".flac", ".png", ".jpg", ".xml", ".mxl", ".abc")
PACKED = 1000  # times that rolls shrink when they are compressed

# The sixteen families of General MIDI, of eight programs each.
FAMILIES = (
    *("piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reed", "pipe", "lead", "pad", "effects", "ethnic", "percussive", "sound effects"),
)


def music(
    source,
    bars=4,
    batch_size=64,
    *,
    beats=4,
    resolution=4,
    lowest=30,
    pitches=60,
    tracks=4,
    monophonic=False,
    hop=1,
    transpose=0,
    shuffle=True,
    seed=None,
    subset=None,
    on_error="skip",
    cache="auto",
):
    """Reads music into batches for training: piano rolls, float32 (batch_size, steps, pitches, tracks) of 0 and 1.

    A piece becomes as many samples as it has stretches of `bars` bars, one a `hop` after the other; bars are those of
    its metre. A remainder smaller than a batch is dropped; with `shuffle` it is a different one in every epoch.

    MIDI files may have any tempo and metre: of each piece, what has bars of `beats` quarter notes is used. Notes are
    rounded to steps, and to one step at least. Drums are notes of channel 10. A `.json` file holds pieces as lists of
    steps, of which each is a list of the MIDI pitches of the voices (-1 or null: silence), from the highest on, as the
    JSB chorales come; or {"train": such pieces, "test": ...}. A step with fewer pitches than voices goes to those that
    are nearest to them. A `.npz` file holds the same as an array of whole numbers (pieces, steps, voices), or rolls
    (pieces, steps, pitches, tracks), as `kerasgan.media.Music` saves them. Both have no bars: a piece begins with one,
    but for an upbeat of one quarter note, of which its length tells. Pickled objects are never loaded.

    Everything is read and checked before the data set is returned; what stays in memory are notes, and, up to 1 GB,
    rolls.

    Args:
        source: a folder, a zip file (which is not unpacked), a single `.mid`, `.json` or `.npz` file, or a list of
            them.
        bars: of a sample.
        batch_size: samples in a batch.
        beats: quarter notes in a bar: 4 for 4/4, 3 for 3/4 and 6/8.
        resolution: steps in a quarter note: 4 for sixteenths.
        lowest: the lowest pitch of the roll as a MIDI number; 60 is middle C.
        pitches: semitones from there up. Other notes are left out, and counted in a line.
        tracks: what becomes a track. A number takes as many of a file's parts (tracks that have notes, and channels in
            them; without drums), in their order, and leaves out files that have fewer. A list says what each track is
            made of: an instrument family such as "piano", "bass", "strings" (of General MIDI) or "drums", the number of
            a program, from 0 on, or a part of the name of the file's tracks, such as "soprano"; a track takes all that
            no earlier one has. "all" merges everything but drums in one. Of `.json` and `.npz` files a list is the
            voices' names.
        monophonic: keeps the highest pitch alone where a track has several at a time.
        hop: bars from one sample to the next.
        transpose: moves each sample by a random number of semitones, up or down by so many at most, anew in each epoch;
            never so far that a note would leave the roll.
        shuffle: draws a new order of the whole set for each epoch.
        seed: makes order and transposition repeatable.
        subset: a folder inside `source`, such as "train"; of `.json` and `.npz` files the part of that name.
        on_error: "skip" leaves out files that cannot be used, and names them in one warning; "raise" stops at them.
        cache: True or False decides whether rolls stay in memory; "auto" does it up to 1 GB.

    Returns:
        A `kerasgan.data.dataset.Dataset`.

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message says which and what to do.

    Example:

    ```python
    chorales = kerasgan.data.music("chorales.json", tracks=("soprano", "alto", "tenor", "bass"), subset="train")
    band = kerasgan.data.music("songs/", tracks=("drums", "bass", "guitar", "piano"), lowest=24, pitches=84)
    ```
    """
    sizes = {"bars": bars, "beats": beats, "resolution": resolution, "pitches": pitches, "hop": hop}
    for name, value in sizes.items():
        if not is_whole(value):
            raise ValueError(f"{name}={value!r} must be a whole number above 0.")
    if not (is_whole(lowest, least=0) and lowest + pitches <= 128):
        raise ValueError(f"lowest={lowest!r}, pitches={pitches!r}: MIDI has the pitches 0 to 127.")
    if not is_whole(transpose, least=0, most=127):
        raise ValueError(f"transpose={transpose!r} must be a number of semitones, from 0 to 127.")
    check_choices(CHOICES, monophonic=monophonic, on_error=on_error, cache=cache)
    form = _Form(bars, beats, resolution, lowest, pitches, _selectors(tracks), monophonic, hop)
    found = _Stretches(_find(source, subset), form, subset, on_error)

    def finish(rolls, draw):
        rolls = tf.cast(rolls, tf.float32)
        return transposed(rolls, draw(), transpose) if transpose else rolls

    return batched(
        found,
        found.roll,
        tf.TensorSpec((form.steps, pitches, len(form.tracks)), tf.uint8),
        finish,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        cache=cache,
        plural="samples",
        model_arguments={
            **{"bars": bars, "beats": beats, "resolution": resolution, "lowest": lowest, "pitches": pitches},
            **{"tracks": list(form.names), "programs": programs_of(form.selectors, len(form.names))},
            "output": "monophonic" if monophonic else "binary",
        },
    )


def transposed(rolls, drawn, most):
    """Rolls (batch, steps, pitches, tracks), each moved by its own number of semitones.

    Args:
        rolls: of 0 and 1.
        drawn: numbers in [0, 1), float32 (batch, 1): evenly from `most` semitones down to as many up.
        most: semitones; a roll whose notes would leave it is moved as far as they allow.
    """
    pitches = rolls.shape[2]
    sounding = tf.reduce_max(rolls, axis=(1, 3)) > 0
    below = tf.argmax(sounding, axis=1, output_type=tf.int32)
    above = tf.argmax(sounding[:, ::-1], axis=1, output_type=tf.int32)
    shift = tf.cast(tf.floor(drawn[:, 0] * (2 * most + 1)), tf.int32) - most
    shift = tf.clip_by_value(shift, -below, above)
    # What is taken from beyond an end comes from the other one, where nothing sounds.
    source = (tf.range(pitches) - shift[:, None]) % pitches
    return tf.gather(rolls, source, axis=2, batch_dims=1)


# Where pieces come from ----------------------------------------------------------------------------------------------


def _find(source, subset):
    """A `FileSource` of the files that may be music."""
    paths = paths_of(source)
    if not paths:
        raise ValueError(
            f"source={short(source)} is nothing that can be read; give a folder, a zip file or a MIDI file, or a list "
            "of them."
        )
    for path in paths:
        check_path(path, "a folder, a zip file, or a .mid, .json or .npz file", SINGLE)
    found = find_files(paths, ignored=NO_MUSIC, single=SINGLE)
    if subset is None or all(_holds_parts(found, item) for item in found.items()):
        return found
    return find_files(paths, subset, ignored=NO_MUSIC, single=SINGLE)


def _holds_parts(found, item):
    return found.item_name(item).lower().endswith(OF_PARTS)


def _selectors(tracks):
    """`tracks` as a tuple of what each track is made of, or a number of parts."""
    if tracks == "all":
        return ("all",)
    if is_whole(tracks, 1, 64):
        return int(tracks)
    if isinstance(tracks, (tuple, list)) and 0 < len(tracks) <= 64:
        if all(is_whole(one, 0, 127) or isinstance(one, str) and one for one in tracks):
            return tuple(tracks)
    raise ValueError(
        f"tracks={tracks!r} must be a number of tracks, 'all', or a list of instrument families ('piano', 'bass', "
        "'drums', ...), programs (0 to 127) or parts of names."
    )


class _Form:
    """What samples are cut to; arguments as of `music`."""

    def __init__(self, bars, beats, resolution, lowest, pitches, tracks, monophonic, hop):
        self.bars, self.beats, self.resolution, self.hop = bars, beats, resolution, hop
        self.lowest, self.pitches, self.monophonic = lowest, pitches, monophonic
        self.selectors = tracks
        self.names = track_names(tracks if is_whole(tracks) else [str(one) for one in tracks])
        self.tracks = range(len(self.names))
        self.bar = beats * resolution
        self.steps = bars * self.bar


class _Piece:
    """Notes on a grid, and where bars begin.

    Attributes:
        notes: int32 (notes, 4): track, first step, the step behind the last, pitch in the roll.
        starts: list of the steps at which samples begin.
        outside: notes that the roll has no pitch for, which are left out.
    """

    def __init__(self, notes, pitches):
        inside = (notes[:, 3] >= 0) & (notes[:, 3] < pitches)
        self.notes, self.outside = notes[inside].astype(np.int32), int((~inside).sum())
        self.starts = []

    def cut(self, starts, form):
        """Takes for `starts` those places at which a sample may begin that has a note. Raises `BadSample` for none."""
        begins, ends, starts = np.sort(self.notes[:, 1]), np.sort(self.notes[:, 2]), np.array(starts, np.int64)
        sounding = np.searchsorted(begins, starts + form.steps) - np.searchsorted(ends, starts, side="right")
        self.starts = starts[sounding > 0].tolist()
        if not self.starts:
            raise BadSample("no notes in the range of pitches")
        return self

    def roll(self, start, form):
        """A sample, uint8 (steps, pitches, tracks)."""
        roll = np.zeros((form.steps, form.pitches, len(form.tracks)), np.uint8)
        track, begin, end, pitch = self.notes.T
        heard = (begin < start + form.steps) & (end > start)
        for track, begin, end, pitch in self.notes[heard].tolist():
            roll[max(0, begin - start) : end - start, pitch, track] = 1
        if form.monophonic:
            above = np.cumsum(roll[:, ::-1], axis=1, dtype=np.int32)[:, ::-1] - roll
            roll[above > 0] = 0
        return roll


class _Stretches(Source):
    """The samples of the usable pieces of a source, in the order of the files and of time."""

    def __init__(self, found, form, subset, on_error):
        self.name, self._found, self._form, self._subset = found.name, found, form, subset
        bad, self._pieces, self._names = [], [], []
        for position, pieces in read_usable(self._pieces_of, found, bad):
            several = len(pieces) > 1
            self._pieces += pieces
            name = found.item_name(position)
            self._names += [f"{name}, piece {number}" if several else name for number in range(1, len(pieces) + 1)]
        report(bad, found.count, found.name, on_error, stacklevel=4)
        counts = [len(piece.starts) for piece in self._pieces]
        self._piece = np.repeat(np.arange(len(counts)), counts)
        self._start = np.array(list(itertools.chain(*(piece.starts for piece in self._pieces))), np.int64)
        self.count = len(self._start)
        print(f"{len(self._pieces)} pieces -> {self.count} samples of {form.bars} bars.")
        outside = sum(piece.outside for piece in self._pieces)
        if outside:
            low, high = form.lowest, form.lowest + form.pitches - 1
            notes = outside + sum(len(piece.notes) for piece in self._pieces)
            warnings.warn(
                f"{outside} of {notes} notes of {found.name} are no pitch from {low} to {high}, and are "
                "left out; lowest and pitches say which are read.",
                stacklevel=4,
            )

    def roll(self, item):
        """A sample, uint8 (steps, pitches, tracks)."""
        return self._pieces[self._piece[item]].roll(int(self._start[item]), self._form)

    def item_name(self, item):
        return f"{self._names[self._piece[item]]} from step {self._start[item]}"

    def listing(self):
        return self._found.listing()

    def _pieces_of(self, item):
        """The pieces of a file, all of which have samples. Raises `BadSample`."""
        content, name = self._found.read(item), self._found.item_name(item).lower()
        if name.endswith(".json"):
            grids = pieces_of_json(content, self._subset)
        elif name.endswith(".npz"):
            grids = pieces_of_npz(content, self._subset, self._form)
        else:
            return [self._of_song(read_song(content))]
        pieces = [piece for piece in map(self._of_grid, grids) if piece.starts]
        if not pieces:
            raise BadSample(f"no piece of {self._form.bars} bars")
        return pieces

    # MIDI files

    def _of_song(self, song):
        form = self._form
        track = track_of_notes(song, form.selectors)
        times = np.rint(song.notes * form.resolution)
        begin, end = times[:, 0], np.maximum(times[:, 1], times[:, 0] + 1)
        notes = np.stack([track, begin, end, song.about[:, 3] - form.lowest], axis=1).astype(np.int64)
        piece = _Piece(notes[track >= 0], form.pitches)
        return piece.cut(self._starts(song.metres, int(end.max())), form)

    def _starts(self, metres, end):
        """Where samples begin: in stretches whose bars have as many beats as wanted."""
        form = self._form
        metres = metres if metres and metres[0][0] == 0 else [(0.0, 4.0), *metres]
        edges = [round(time * form.resolution) for time, _ in metres[1:]] + [end]
        starts = []
        for (time, length), last in zip(metres, edges, strict=True):
            first = round(time * form.resolution)
            if length == form.beats:
                count = -(-(min(last, end) - first) // form.bar)  # a bar that has begun counts as one
                starts += [first + bar * form.bar for bar in range(0, count - form.bars + 1, form.hop)]
        if not starts:
            held = ", ".join(sorted({f"{length:g}" for _, length in metres}))
            raise BadSample(f"no {form.bars} bars of {form.beats} quarter notes in a row (its bars have {held})")
        return starts

    # Lists of chords, and rolls

    def _of_grid(self, grid):
        """A `_Piece` of int pitches (steps, voices), -1 for silence, or of a roll (steps, pitches, tracks)."""
        form = self._form
        upbeat = form.resolution if len(grid) % form.bar == form.resolution else 0
        grid = grid[upbeat:]
        if grid.ndim == 3:
            begin, pitch, track = np.nonzero(grid)
        else:
            if grid.shape[1] < len(form.tracks):
                raise BadSample(f"{grid.shape[1]} voices, fewer than {len(form.tracks)} tracks")
            begin, track = np.nonzero(grid[:, : len(form.tracks)] >= 0)
            pitch = grid[begin, track] - form.lowest
        piece = _Piece(np.stack([track, begin, begin + 1, pitch], axis=1), form.pitches)
        starts = range(0, (len(grid) // form.bar - form.bars) * form.bar + 1, form.hop * form.bar)
        return piece.cut(starts, form) if len(starts) else piece


def track_of_notes(song, selectors):
    """Which track each note of a `Song` belongs to, int (notes,); -1 for none. Raises `BadSample`."""
    part = song.about[:, 0] * 16 + song.about[:, 1]
    drums = song.about[:, 1] == DRUMS
    if selectors == ("all",):
        return np.where(drums, -1, 0)
    if is_whole(selectors):
        parts = np.unique(part[~drums])
        if len(parts) < selectors:
            raise BadSample(f"{len(parts)} parts with notes, fewer than {selectors} tracks")
        chosen = parts[:selectors]
        places = np.searchsorted(chosen, part).clip(0, selectors - 1)
        return np.where(~drums & (chosen[places] == part), places, -1)
    track = np.full(len(part), -1)
    for number, selector in enumerate(selectors):
        track[(track < 0) & _selected(song, selector, drums)] = number
    if (track < 0).all():
        held = sorted(
            {*song.names.values(), *(_family(p) for p in song.about[~drums, 2]), *(["drums"] if drums.any() else [])}
        )
        raise BadSample(f"none of its parts is {' or '.join(map(str, selectors))}; they are {', '.join(held)}")
    return track


def _selected(song, selector, drums):
    """Which notes a selector means."""
    programs = song.about[:, 2]
    if is_whole(selector, least=0):
        return ~drums & (programs == selector)
    word = selector.lower()
    if word == "drums":
        return drums
    if word in FAMILIES:
        return ~drums & (programs // 8 == FAMILIES.index(word))
    named = [track for track, name in song.names.items() if word in name.lower()]
    return np.isin(song.about[:, 0], named)


def programs_of(selectors, count):
    """The General MIDI instrument that each of `count` tracks is played by: the one that was asked for, or a piano."""
    if is_whole(selectors):
        return [0] * count
    families = {family: 8 * number for number, family in enumerate(FAMILIES)} | {"drums": -1}
    return [one if is_whole(one, least=0) else families.get(one.lower(), 0) for one in selectors]


def _family(program):
    return FAMILIES[int(program) // 8]


# Files of several pieces ---------------------------------------------------------------------------------------------


def pieces_of_json(content, subset=None):
    """The pieces of a JSON file as int arrays (steps, voices) of MIDI pitches, -1 for silence. Raises `BadSample`."""
    with unusable():
        held = files.parse_json(content)
        if isinstance(held, dict):
            held = held[_part(list(held), subset)]
        elif subset is not None:
            raise BadSample(f"subset={subset!r} means nothing in a list of pieces")
        if not isinstance(held, list):
            raise BadSample("no list of pieces")
        return [_chords(piece) for piece in held]


def _chords(piece):
    """The steps of a piece as an array; a step with fewer pitches than others goes to the nearest voices."""
    voices = max((len(step) for step in piece), default=0)
    if not 0 < voices <= 64:
        raise BadSample("a piece without voices")
    chords = np.full((len(piece), voices), -1, np.int32)
    last = None
    for number, step in enumerate(piece):
        given = [-1 if pitch is None else pitch for pitch in step]
        if not all(isinstance(pitch, (int, float)) and -1 <= pitch <= 127 and pitch == int(pitch) for pitch in given):
            raise BadSample(f"step {number} holds {str(step)[:60]}; expected MIDI pitches, -1 or null")
        if len(given) < voices:
            given = _spread_over(given, voices, last)
        chords[number] = given
        last = [pitch if pitch >= 0 else before for pitch, before in zip(given, last or given, strict=True)]
    return chords


def _spread_over(pitches, voices, last):
    """Fewer pitches than voices, from the highest on: each to one that it is nearest to, in the same order."""
    ways = itertools.combinations(range(voices), len(pitches)) if last and voices <= 8 else [range(len(pitches))]
    chosen = min(ways, key=lambda way: sum(abs(last[v] - p) for v, p in zip(way, pitches, strict=True)) if last else 0)
    given = [-1] * voices
    for voice, pitch in zip(chosen, pitches, strict=True):
        given[voice] = pitch
    return given


def pieces_of_npz(content, subset, form):
    """The pieces of a `.npz` file: arrays (steps, voices), or rolls (steps, pitches, tracks). Raises `BadSample`."""
    with unusable():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            declared = sum(info.file_size for info in archive.infolist())
        check_memory(declared, len(content), PACKED)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = arrays.files
            key = "rolls" if subset is None and "rolls" in names else _part(names, subset)
            held = member(arrays, key)
            lowest = int(arrays["lowest"]) if "lowest" in names else form.lowest
        if held.ndim == 4:
            return _rolls(held, lowest, form)
        if held.ndim != 3 or held.dtype.kind not in "iu" or held.min() < -1 or held.max() > 127:
            raise BadSample(
                f"{key} has shape {held.shape} and dtype {held.dtype}; expected whole numbers (pieces, steps, voices), "
                "MIDI pitches or -1, or rolls (pieces, steps, pitches, tracks)"
            )
        return list(held.astype(np.int32))


def _rolls(held, lowest, form):
    """Rolls that begin at any lowest pitch, as those of a form do."""
    if held.shape[3] != len(form.tracks) or held.dtype.kind not in "biu" or held.min() < 0 or held.max() > 1:
        raise BadSample(
            f"rolls of shape {held.shape[1:]} and dtype {held.dtype}; expected 0 and 1 of {len(form.tracks)} tracks"
        )
    pitches = lowest - form.lowest + np.arange(held.shape[2])
    inside = (pitches >= 0) & (pitches < form.pitches)
    rolls = np.zeros((*held.shape[:2], form.pitches, held.shape[3]), bool)
    rolls[:, :, pitches[inside]] = held[:, :, inside]
    return list(rolls)


def _part(names, subset):
    """The name of the part of a file that is wanted."""
    if subset is None and len(names) == 1:
        return names[0]
    if subset not in names:
        asked = "subset must say which part is wanted" if subset is None else f"it has no part {subset!r}"
        raise BadSample(f"{asked}; it holds {', '.join(map(str, names[:20]))}")
    return subset
