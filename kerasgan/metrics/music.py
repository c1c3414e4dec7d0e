"""Scores of music: what bars and notes are like, and how voices go together.

None is better the higher it is: music that is like the data has the data's values, which `evaluate` puts beside them.
Empty bars, used pitch classes, qualified notes and tonal distance are those of MuseGAN (Dong et al., 2018,
arXiv:1709.06298), polyphony that of arXiv:1804.09399, computed as the papers define them.

All functions take rolls: booleans (count, steps, pitches, tracks).
"""

import itertools

import numpy as np

from kerasgan.metrics.metric import Metric, Value

OCTAVE = 12
# The tonal space of Harte, Sandler & Gasser (2006, "Detecting harmonic change in musical audio"): pitch classes on
# circles of fifths, minor and major thirds, (angle in units of pi, radius).
_CIRCLES = ((7 / 6, 1.0), (3 / 2, 1.0), (2 / 3, 0.5))


def empty_bars(rolls, bar):
    """The share of a piece's bars in which a track is silent.

    Args:
        rolls: booleans (count, steps, pitches, tracks).
        bar: steps in a bar.

    Returns:
        float64 (count, tracks).
    """
    return 1.0 - _in_bars(rolls.any(axis=2), bar).any(axis=2).mean(axis=1)


def pitch_classes(rolls, bar, lowest):
    """How many of the twelve pitch classes a track uses in a bar, on the mean of a piece's bars.

    Args:
        rolls: booleans (count, steps, pitches, tracks).
        bar: steps in a bar.
        lowest: MIDI number of the first pitch.

    Returns:
        float64 (count, tracks).
    """
    return _in_bars(chroma(rolls, lowest) > 0, bar).any(axis=2).sum(axis=2).mean(axis=1)


def qualified_notes(rolls, shortest):
    """The share of a piece's notes that last so many steps at least; equal neighbours are one note.

    Args:
        rolls: booleans (count, steps, pitches, tracks).
        shortest: steps, 1 or more.

    Returns:
        float64 (count,), NaN for a piece without notes.
    """
    edges = np.diff(np.pad(rolls, ((0, 0), (1, 1), (0, 0), (0, 0))).astype(np.int8), axis=1)
    begins = edges[:, :-1] == 1
    lasting = begins[:, : rolls.shape[1] - shortest + 1].copy()
    for later in range(1, shortest):
        lasting &= rolls[:, later : rolls.shape[1] - shortest + 1 + later]
    return _share(lasting.sum(axis=(1, 2, 3)), begins.sum(axis=(1, 2, 3)))


def polyphony(rolls, most=2):
    """The share of a piece's steps in which more than `most` different pitches sound, of all tracks together.

    Args:
        rolls: booleans (count, steps, pitches, tracks).

    Returns:
        float64 (count,).
    """
    return (rolls.any(axis=3).sum(axis=2) > most).mean(axis=1)


def chroma(rolls, lowest):
    """How many pitches of each pitch class sound, C first: int (count, steps, 12, tracks)."""
    count, steps, pitches, tracks = rolls.shape
    found = np.zeros((count, steps, OCTAVE, tracks), np.int64)
    for place in range(OCTAVE):
        found[:, :, (lowest + place) % OCTAVE] = rolls[:, :, place::OCTAVE].sum(axis=2)
    return found


def tonal_centroids(rolls, beat, lowest):
    """Where a track's pitch classes of each beat lie on the mean in tonal space, each as long as it sounds.

    Args:
        rolls: booleans (count, steps, pitches, tracks).
        beat: steps in a beat.
        lowest: MIDI number of the first pitch.

    Returns:
        float64 (count, beats, 6, tracks), NaN where a track is silent.
    """
    weights = _in_bars(chroma(rolls, lowest), beat).sum(axis=2)
    angles = np.pi * np.array([angle for angle, _ in _CIRCLES])[:, None] * np.arange(OCTAVE)
    radii = np.array([radius for _, radius in _CIRCLES])[:, None]
    places = np.concatenate([radii * np.sin(angles), radii * np.cos(angles)])
    sums = np.einsum("ip,nbpt->nbit", places, weights)
    total = weights.sum(axis=2, keepdims=True)
    return np.where(total > 0, sums / np.maximum(total, 1), np.nan)


def tonal_distance(first, second):
    """The distance of two tracks in tonal space, on the mean of the beats in which both sound.

    Args:
        first, second: of `tonal_centroids`, (count, beats, 6).

    Returns:
        float64 (count,), NaN for pieces without such beats.
    """
    distances = np.linalg.norm(first - second, axis=2)
    heard = ~np.isnan(distances)
    return _share(np.where(heard, distances, 0).sum(axis=1), heard.sum(axis=1))


def nearest_bars(rolls, real, bar, semitones=6, most=1024):
    """How much of each bar is in the bar of others that is most like it, moved by a number of semitones.

    Two bars are as alike as twice the cells of the roll that both have, among all cells of both (Dice's coefficient).
    For voices that are never silent, that is the share of voices and steps with the same pitch.

    Args:
        rolls, real: booleans (count, steps, pitches, tracks).
        bar: steps in a bar.
        semitones: up and down by so many, bars of `real` are moved.
        most: bars of `rolls` that are looked at, evenly spaced; silent ones are left out.

    Returns:
        float64 (bars,): 1 for a copy, 0 for a bar that has nothing in common with any.
    """
    bars = _bars_of(rolls, bar)
    bars = bars[np.linspace(0, len(bars) - 1, min(most, len(bars))).astype(int)]
    known = np.unique(np.packbits(_bars_of(real, bar).reshape(-1, bars[0].size), axis=1), axis=0)
    known = np.unpackbits(known, axis=1, count=bars[0].size).reshape(-1, *bars.shape[1:]).astype("float32")
    found = np.zeros(len(bars))
    size = known.sum(axis=(1, 2, 3))
    for shift in range(-semitones, semitones + 1):
        # Moving what is searched for is the same, and cheaper: what leaves the roll is in no known bar either.
        moved = _moved(bars, shift).reshape(len(bars), -1).astype("float32")
        both = moved @ known.reshape(len(known), -1).T
        found = np.maximum(found, (2 * both / (bars.sum(axis=(1, 2, 3))[:, None] + size)).max(axis=1))
    return found


def _moved(bars, shift):
    moved = np.zeros_like(bars)
    pitches = bars.shape[2]
    moved[:, :, max(0, shift) : pitches + min(0, shift)] = bars[:, :, max(0, -shift) : pitches + min(0, -shift)]
    return moved


def _bars_of(rolls, bar):
    """The bars that are not silent: booleans (bars, steps of a bar, pitches, tracks)."""
    bars = rolls.reshape(-1, bar, *rolls.shape[2:])
    bars = bars[bars.any(axis=(1, 2, 3))]
    if not len(bars):
        raise ValueError("All bars are silent: there is nothing to compare.")
    return bars


def _in_bars(values, bar):
    """(count, steps, ...) -> (count, bars, steps of a bar, ...)."""
    return values.reshape(len(values), -1, bar, *values.shape[2:])


def _share(some, whole):
    return np.where(whole > 0, some / np.maximum(whole, 1), np.nan)


# What `evaluate` knows -----------------------------------------------------------------------------------------------


MOST_TRACKS = 6  # of which each one's values are said


def _of_tracks(name, values, media):
    """A value of each track of each piece: the mean of all tracks, then each by its name where there are few."""
    yield Value.mean(name, values.mean(axis=1))
    if 1 < values.shape[1] <= MOST_TRACKS:
        for track, own in zip(media.tracks, values.T, strict=True):
            yield Value.mean(f"{name}_{track.replace(' ', '_')}", own)


def _empty_bars(real, scored):
    yield from _of_tracks("empty_bars", empty_bars(scored.natural, scored.media.bar), scored.media)


def _pitch_classes(real, scored):
    media = scored.media
    yield from _of_tracks("pitch_classes", pitch_classes(scored.natural, media.bar, media.lowest), media)


def _qualified_notes(real, scored):
    eighth = -(-scored.media.resolution // 2)
    yield Value.mean("qualified_notes", qualified_notes(scored.natural, eighth), at_least=f"{eighth} steps")


def _polyphony(real, scored):
    yield Value.mean("polyphony", polyphony(scored.natural), more_than=2)


def _tonal_distance(real, scored):
    """Between tracks of a piece, and, to hold it against, between the first and the last track of different pieces."""
    rolls, media = scored.natural, scored.media
    if len(media.tracks) < 2:
        raise ValueError("metrics: 'tonal_distance' needs two tracks or more; these pieces have one. Leave it out.")
    places = tonal_centroids(rolls, media.resolution, media.lowest)
    pairs = list(itertools.combinations(range(len(media.tracks)), 2))
    found = {pair: tonal_distance(places[..., pair[0]], places[..., pair[1]]) for pair in pairs}
    heard = [values[~np.isnan(values)] for values in found.values()]
    yield Value.mean("tonal_distance", np.concatenate(heard))
    if 2 < len(media.tracks) <= MOST_TRACKS:
        for pair, values in found.items():
            names = "_".join(media.tracks[track].replace(" ", "_") for track in pair)
            yield Value.mean(f"tonal_distance_{names}", values)
    others = np.roll(places[..., -1], max(1, len(places) // 2), axis=0)
    yield Value.mean("tonal_distance_of_different_pieces", tonal_distance(places[..., 0], others))


def _nearest_bar(real, scored):
    found = nearest_bars(scored.natural, real.natural, scored.media.bar)
    # Neither way: nothing in common is no such music, everything a copy.
    yield Value("nearest_bar", float(found.mean()), None, parameters={"semitones": 6})
    yield Value("copied_bars", float((found > 0.999).mean()), None, parameters={"semitones": 6})


METRICS = {
    "empty_bars": Metric(
        ("natural",), False, _empty_bars, "share of bars in which a track is silent (arXiv:1709.06298)", "music"
    ),
    "pitch_classes": Metric(
        ("natural",), False, _pitch_classes, "pitch classes a bar and track (arXiv:1709.06298)", "music"
    ),
    "qualified_notes": Metric(
        ("natural",), False, _qualified_notes, "share of notes that last an eighth or longer", "music"
    ),
    "polyphony": Metric(
        ("natural",), False, _polyphony, "share of steps with more than two pitches (arXiv:1804.09399)", "music"
    ),
    "tonal_distance": Metric(("natural",), False, _tonal_distance, "distance of tracks in tonal space", "music"),
    "nearest_bar": Metric(
        ("natural",), True, _nearest_bar, "how much of a bar is in the nearest real one, and copies", "music"
    ),
}
