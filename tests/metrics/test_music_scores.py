"""Scores of music, on written-out scales and chords, whose values can be counted."""

import math

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics import music
from kerasgan.metrics.result import REAL
from kerasgan.models import MuseGAN

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71  # MIDI numbers
LOWEST = 57  # an A: pitch classes do not begin with the roll


def roll(*voices, steps=8, pitches=24):
    """Booleans (1, steps, pitches, tracks): of each voice the pitch, or the pitches, of each step; None for silence."""
    made = np.zeros((1, steps, pitches, len(voices)), bool)
    for track, voice in enumerate(voices):
        for step, sounding in enumerate(voice):
            for pitch in (sounding,) if isinstance(sounding, int) else sounding or ():
                made[0, step, pitch - LOWEST, track] = True
    return made


RADII = (1, 1, 0.5)  # of the circles of fifths, minor and major thirds
SCALE = [C, D, E, F, G, A, B, C + 12]


def test_pitch_classes_of_a_scale_are_seven_and_of_octaves_one():
    found = music.pitch_classes(roll(SCALE, [C, C + 12] * 4, [(C, E, G)] * 8, [None] * 8), 8, LOWEST)
    assert found.tolist() == [[7, 1, 3, 0]]
    halves = music.pitch_classes(roll(SCALE, [C] * 4 + [D, E, D, E]), 4, LOWEST)
    assert halves.tolist() == [[4, 1.5]]  # C D E F, then G A B C; C, then D E


def test_chroma_is_by_pitch_class_whatever_the_roll_begins_with():
    found = music.chroma(roll([(C, C + 12, B)], steps=1), LOWEST)[0, 0, :, 0]
    assert found.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    alone = np.zeros((1, 1, 24, 1), bool)
    alone[0, 0, 3] = True  # 60 in a roll from 57 on, but 57 in one from 54
    assert music.chroma(alone, 54)[0, 0, :, 0].argmax() == 9


def test_empty_bars_are_those_without_a_note():
    found = music.empty_bars(roll([C] + [None] * 7, [None] * 8, SCALE), 2)
    assert found.tolist() == [[0.75, 1.0, 0.0]]


def test_qualified_notes_last_long_enough_and_are_one_where_a_pitch_goes_on():
    lengths = [C, D, D, E, E, E, C, C]  # 1, 2, 3 and 2 steps
    assert music.qualified_notes(roll(lengths), 2).tolist() == [0.75]
    assert music.qualified_notes(roll(lengths), 3).tolist() == [0.25]
    assert music.qualified_notes(roll(lengths, [G] * 8), 3).tolist() == [0.4]
    assert np.isnan(music.qualified_notes(roll([None] * 8), 2)).all()


def test_polyphony_counts_different_pitches_of_all_tracks():
    chords = [(C, E, G), (C, G), C, (C, E), (C, E, G, B), None, (C, C + 12), C]
    assert music.polyphony(roll(chords)).tolist() == [0.25]
    assert music.polyphony(roll([C] * 8, [E] * 4 + [C] * 4, [G] * 8)).tolist() == [0.5]  # a unison is one pitch


def distance(first, second):
    """Of two chords that last."""
    places = music.tonal_centroids(roll([first] * 8, [second] * 8), 4, LOWEST)
    return music.tonal_distance(places[..., 0], places[..., 1])[0]


def test_tonal_distances_of_intervals():
    """By the angles between two pitch classes on the circles of fifths, minor and major thirds (radii 1, 1, 1/2)."""

    def chord_of(*degrees):
        return math.sqrt(sum((2 * r * math.sin(math.radians(d) / 2)) ** 2 for d, r in zip(degrees, RADII, strict=True)))

    assert distance(C, C) == distance(C, C + 12) == 0
    assert distance(C, G) == pytest.approx(chord_of(30, 90, 120)) == pytest.approx(1.7372, abs=1e-4)
    assert distance(C, C + 6) == pytest.approx(chord_of(180, 180, 0)) == pytest.approx(math.sqrt(8))
    assert distance(C, E) == pytest.approx(chord_of(120, 0, 120)) == pytest.approx(math.sqrt(3.75))
    assert distance(D, A) == pytest.approx(distance(C, G))  # the same interval elsewhere


def test_a_chord_lies_in_the_middle_of_its_notes_and_length_weighs():
    places = music.tonal_centroids(roll([(C, E, G)] * 4 + [C, C, C, E], [C] * 8, [E] * 8, [G] * 8), 4, LOWEST)[0]
    np.testing.assert_allclose(places[0, :, 0], places[0, :, 1:].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(places[1, :, 0], 0.75 * places[1, :, 1] + 0.25 * places[1, :, 2], atol=1e-12)


def test_beats_in_which_a_track_is_silent_do_not_count():
    places = music.tonal_centroids(roll([C] * 4 + [G] * 4, [G] * 4 + [None] * 4, [None] * 8), 4, LOWEST)
    assert music.tonal_distance(places[..., 0], places[..., 1])[0] == pytest.approx(1.7372, abs=1e-4)
    assert np.isnan(music.tonal_distance(places[..., 0], places[..., 2])).all()


def test_nearest_bars_are_found_in_any_transposition():
    real = roll([C, D, E, F, C, C, C, C], [C] * 4 + [G] * 4)
    higher = roll([D, E, F + 1, G, B, B, B, B], [D] * 4 + [B + 1] * 4)
    found = music.nearest_bars(higher, real, 4)
    assert found.tolist() == [1.0, pytest.approx(0.5)]  # a copy; the best of the other moves one voice into place
    assert music.nearest_bars(higher, real, 4, semitones=1)[0] < 1
    with pytest.raises(ValueError, match="All bars are silent"):
        music.nearest_bars(roll([None] * 8), real, 4)


def test_nearest_bars_are_those_of_counting():
    random = np.random.default_rng(0)
    one, other = (random.random((3, 8, 12, 2)) < 0.2 for _ in range(2))

    def alike(a, b):
        return 2 * (a & b).sum() / (a.sum() + b.sum())

    def moved(bar, shift):
        wide = np.pad(bar, ((0, 0), (12, 12), (0, 0)))
        return wide[:, 12 - shift : 24 - shift]

    bars = [rolls.reshape(-1, 4, 12, 2) for rolls in (one, other)]

    def shifted(a, b, shift):  # the sizes are those of the whole bars
        return 2 * (moved(a, shift) & b).sum() / (a.sum() + b.sum())

    expected = [max(shifted(a, b, shift) for b in bars[1] for shift in range(-2, 3)) for a in bars[0]]
    np.testing.assert_allclose(music.nearest_bars(one, other, 4, semitones=2), expected, rtol=1e-6)
    assert shifted(bars[0][0], bars[1][0], 0) == alike(bars[0][0], bars[1][0])
    assert len(music.nearest_bars(one, other, 4, most=2)) == 2


# The protocol --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gan():
    return MuseGAN(2, 1, 4, LOWEST, 24, ("high", "middle", "low"), latent_dim=4, width=2, seed=1)


def real(count=12):
    """Pieces of which every value is known: a scale, a note held, and another; in other keys."""
    middle = [(C, D, E, F, G, A, B, C), [C] * 8, [G] * 8]
    return np.concatenate([np.roll(roll(*middle), shift % 4, axis=2) for shift in range(count)])


def test_a_gan_is_scored_beside_its_data(gan):
    found = metrics.evaluate(gan, real(), gan.media.default_metrics, progress=False)
    floor = {r.metric: r.value for r in found if r.model == REAL}
    assert floor["empty_bars"] == 0 and floor["polyphony"] == pytest.approx(5 / 8)  # three steps are unisons
    assert floor["pitch_classes_high"] == 4 and floor["pitch_classes_low"] == 1
    assert floor["pitch_classes"] == pytest.approx(2)
    assert floor["qualified_notes"] == pytest.approx(2 / 10)
    assert floor["tonal_distance_middle_low"] == pytest.approx(1.7372, abs=1e-4)
    scored = [r.metric for r in found if r.model == gan.name]
    assert sorted(scored) == sorted(floor) and "tonal_distance_of_different_pieces" in floor
    assert all(r.higher_is_better is None and np.isfinite(r.value) for r in found)


def test_copies_of_the_data_are_found(gan):
    found = metrics.evaluate(gan, real(), ("nearest_bar",), progress=False)
    values = {(r.metric, r.model): r.value for r in found}
    assert values["copied_bars", REAL] == 1 and values["nearest_bar", REAL] == pytest.approx(1)
    assert values["copied_bars", gan.name] == 0


def test_what_cannot_be_scored_says_what_can(gan):
    fits = "What fits pieces is empty_bars, pitch_classes, qualified_notes, polyphony, tonal_distance"
    for names, network in ((("fid",), None), (("kid", "prdc"), None), (("swd",), "digits")):
        with pytest.raises(ValueError, match=f"metrics: '{names[0]}'.*{fits}"):
            metrics.evaluate(gan, real(), names, network=network, progress=False)
    one = MuseGAN(2, 1, 4, LOWEST, 24, 1, latent_dim=4, width=2)
    assert "tonal_distance" not in one.media.default_metrics
    with pytest.raises(ValueError, match="'tonal_distance' needs two tracks or more"):
        metrics.evaluate(one, real()[..., :1], ("tonal_distance",), progress=False)


def test_scores_of_music_are_refused_for_other_kinds():
    from kerasgan.media import Image
    from kerasgan.metrics.evaluation import Evaluator

    with pytest.raises(
        ValueError, match="'pitch_classes' cannot score images of shape 8x8x3. What fits images is fid, kid, prdc"
    ):
        Evaluator(None, Image((8, 8, 3)), ("pitch_classes",))
