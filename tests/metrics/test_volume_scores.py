"""Scores of volumes: written-out small grids, and distributions whose answer is known."""

import types

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.media import Audio, Image, Volume
from kerasgan.metrics import evaluation, volumes
from kerasgan.metrics.two_sample import nearest_neighbour_accuracy


def grid(*cells, size=4):
    """One volume with these cells."""
    made = np.zeros((1, size, size, size), bool)
    for cell in cells:
        made[(0, *cell)] = True
    return made


def boxes(count, seed=0, size=8, longest=5):
    """Solid boxes of random sides: bool (count, size, size, size)."""
    random = np.random.default_rng(seed)
    made = np.zeros((count, size, size, size), bool)
    for one, (x, y, z) in zip(made, random.integers(1, longest + 1, (count, 3)), strict=True):
        one[:x, :y, :z] = True
    return made


def test_occupancy():
    given = np.concatenate([grid(), grid((0, 0, 0), (3, 3, 3)), ~grid()])
    np.testing.assert_allclose(volumes.occupancy(given), [0, 2 / 64, 1])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0.0, 0.0], [0.5, 0.5], 0.5),
        ([1, 2, 3], [3, 1, 2], 0),
        ([0, 1], [0, 0, 1, 1], 0),
        ([0, 1], [0.5], 0.5),  # half of it moves by a half to the right, half to the left
        ([0, 0, 0, 4], [0], 1),
    ],
)
def test_wasserstein_distance_of_numbers(first, second, expected):
    assert volumes.wasserstein(first, second) == pytest.approx(expected)
    assert volumes.wasserstein(second, first) == pytest.approx(expected)


def test_cells_hang_together_through_faces_only():
    beside = grid((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1))  # a chain along all three axes
    diagonal = grid((0, 0, 0), (1, 1, 0), (2, 2, 2), (2, 2, 3))  # an edge, a corner, and one pair
    around = grid((0, 0, 0), (3, 0, 0), (0, 3, 0), (0, 0, 3))  # far ends do not touch
    given = np.concatenate([grid(), beside, diagonal, around])
    np.testing.assert_allclose(volumes.largest_component(given), [0, 1, 0.5, 0.25])
    labels = volumes.components(given)
    assert (labels > 0).sum() == given.sum() and [len(np.unique(one[one > 0])) for one in labels] == [0, 1, 3, 4]


def test_a_long_winding_way_is_one_part():
    """A snake through every second row of a plane: its ends are 71 cells apart."""
    snake = np.zeros((1, 12, 12, 1), bool)
    snake[0, ::2] = True
    for turn, x in enumerate(range(1, 11, 2)):
        snake[0, x, -1 if turn % 2 == 0 else 0] = True
    assert volumes.largest_component(snake)[0] == 1
    snake[0, 5, :] = False
    assert volumes.largest_component(snake)[0] == pytest.approx(38 / snake.sum())


def test_symmetry_is_about_the_middle_of_what_is_there():
    even = grid((0, 1, 0), (3, 1, 0))
    aside = grid((2, 0, 1), (3, 0, 1))  # symmetric, but not in the middle of the cube
    hook = grid((0, 0, 0), (1, 0, 0), (1, 0, 1))  # of its three cells two have a partner; the third makes two more
    given = np.concatenate([grid(), even, aside, hook])
    np.testing.assert_allclose(volumes.mirror_iou(given), [0, 1, 1, 2 / 4])


def test_iou_of_pairs():
    first = np.concatenate([grid((0, 0, 0)), grid((0, 0, 0), (1, 0, 0)), grid()])
    second = np.concatenate([grid((0, 0, 0), (1, 0, 0), (2, 0, 0)), grid((3, 3, 3))])
    np.testing.assert_allclose(volumes.pairwise_iou(first, second), [[1 / 3, 0], [2 / 3, 0], [0, 0]])


def test_the_nearest_object_may_stand_elsewhere_or_be_mirrored():
    hook = grid((0, 0, 0), (1, 0, 0), (1, 0, 1))
    elsewhere = grid((2, 3, 2), (3, 3, 2), (3, 3, 3))
    mirrored = grid((0, 0, 0), (1, 0, 0), (0, 0, 1))
    lying = grid((0, 0, 0), (1, 0, 0), (2, 0, 0))
    np.testing.assert_allclose(
        volumes.nearest_iou(np.concatenate([elsewhere, mirrored, lying, grid()]), hook), [1, 1, 2 / 4, 0]
    )


def test_a_report_finds_the_nearest_objects_by_the_same_measure():
    from kerasgan import report

    given = np.concatenate([grid((0, 0, 0), (1, 0, 0), (1, 0, 1)), grid((0, 0, 0)), grid((0, 0, 0), (0, 0, 1))])
    gan = Copyist(given[:1], Volume(4))
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "_reals", lambda *arguments: iter([given[1:2], given[2:], given[:1]]))
        patch.setattr(report, "_saved", lambda media, rows, columns: found.extend(rows) or "")
        assert "3 nearest of 3 real ones, by their intersection over union" in report._neighbours(gan, 0, "f", None, 0)
    np.testing.assert_array_equal(found, given[[0, 0, 1, 2]])  # the sample, then 1, 1/3 and 1/4 alike


def test_the_two_sample_test_knows_equal_different_and_copied_sets():
    one, other = boxes(150, seed=1), boxes(150, seed=2)
    assert nearest_neighbour_accuracy(one, other, volumes.overlaps) == pytest.approx(0.5, abs=0.1)
    poles = np.zeros_like(one)
    for number, pole in enumerate(poles):
        pole[number % 2, 0, : 6 + number % 3] = True
    assert nearest_neighbour_accuracy(boxes(150, longest=4), poles, volumes.overlaps) > 0.95
    distinct = np.unique(boxes(300, longest=8), axis=0)
    assert nearest_neighbour_accuracy(distinct, distinct, volumes.overlaps) == 0  # everybody's nearest is its own copy
    with pytest.raises(ValueError, match="equally many"):
        nearest_neighbour_accuracy(one, other[:-1], volumes.overlaps)


def test_what_is_no_batch_of_cells_is_refused():
    for wrong in (np.zeros((2, 4, 4)), np.zeros((1, 4, 4, 4)), np.zeros((0, 4, 4, 4), bool)):
        with pytest.raises(ValueError, match=r"expected bool \(n, x, y, z\)"):
            volumes.occupancy(wrong)


# By `evaluate` -------------------------------------------------------------------------------------------------------


class Copyist:
    """What `evaluate` asks of a GAN: it shows objects that it was given."""

    name, num_classes = "copyist", None

    def __init__(self, samples, media=None):
        self.samples, self.media = samples, media or Volume(8)
        self.task = types.SimpleNamespace(
            scored_as_a_set=True, metrics=(), makes_new_samples=True, examples=lambda *arguments: samples
        )

    def generate_batches(self, count, **options):
        yield self.samples[:count]


def scores(samples, reals, **options):
    found = metrics.evaluate(Copyist(samples), reals, Volume.default_metrics, progress=False, **options)
    return {(r.metric, r.model): r for r in found}


def test_evaluate_gives_the_scores_of_a_kind_beside_the_datas_own():
    reals = np.unique(boxes(200, longest=8), axis=0)[:120]
    found = scores(reals, reals)
    assert [metric for metric, model in found if model == "copyist"] == [
        *("occupancy", "occupancy_distance", "connected", "mirror", "copies", "nearest_iou", "one_nn")
    ]
    value = {metric: r.value for (metric, model), r in found.items() if model == "copyist"}
    # Each sample is one of the reals, of whichever half: all are copies, none is in pieces.
    assert value["copies"] == value["nearest_iou"] == value["connected"] == value["mirror"] == 1
    assert value["occupancy"] == pytest.approx(volumes.occupancy(reals[:60]).mean())
    assert found["copies", "real data"].value < 1 and found["copies", "copyist"].parameters == {"iou": 0.95}
    assert (found["mirror", "copyist"].n_real, found["one_nn", "copyist"].n_real) == (None, 60)


def test_scores_of_other_kinds_are_refused_with_what_fits():
    reals = boxes(20)
    fits = "occupancy, connected, mirror, copies, one_nn"
    for metric in ("fid", "swd", "kid,connected"):
        with pytest.raises(ValueError, match=f"volumes of shape 8x8x8x1.*What fits volumes is {fits}"):
            metrics.evaluate(Copyist(reals), reals, metric, progress=False)
    for media in (Image((8, 8, 3)), Audio(64)):
        with pytest.raises(ValueError, match=f"'mirror' cannot score {media.plural} of shape .*What fits .* is fid"):
            evaluation.Evaluator(None, media, "mirror,fid")
