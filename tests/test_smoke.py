"""Advection and the simulation of smoke, against flows that are known, and the files that the command writes."""

import numpy as np
import pytest

from kerasgan import cli, simulation, smoke
from kerasgan.advection import advect, advect_sharply


def grid(size):
    """Middles of cells, x and y."""
    places = np.arange(size) + 0.5
    return np.meshgrid(places, places)


def steady(x, y, shape):
    return np.broadcast_to(np.array([x, y], "float64"), (*shape, 2))


def taylor_green(size):
    """The vortex of Taylor and Green that fits the box: divergence-free, along its walls, and steady."""
    x, y = (np.pi * axis / size for axis in grid(size))
    return np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)], axis=-1)


# Advection -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [advect, advect_sharply])
def test_a_steady_flow_moves_by_whole_cells(scheme):
    field = np.random.default_rng(0).random((6, 9, 2))
    moved = scheme(field, steady(2, -1, (6, 9)))
    np.testing.assert_allclose(moved[1:-1, 2:-2], field[2:, :-4], atol=1e-12)


def test_beyond_its_edge_a_field_goes_on_as_it_is_there():
    field = np.random.default_rng(0).random((4, 5))
    np.testing.assert_allclose(advect(field, steady(3, 0, (4, 5)))[:, :4], field[:, :1].repeat(4, axis=1), atol=1e-12)


def test_between_cells_it_is_bilinear():
    field = np.array([[0.0, 10, 20], [100, 110, 120], [200, 210, 250]])
    moved = advect(field, steady(0.25, 0.5, (3, 3)))
    assert moved[1, 1] == pytest.approx(57.5)  # at column 0.75, row 0.5
    assert moved[2, 2] == pytest.approx(0.125 * 110 + 0.375 * 120 + 0.125 * 210 + 0.375 * 250)


def test_a_blob_that_turns_once_is_where_it_was():
    x, y = (axis - 32 for axis in grid(64))
    blob = np.exp(-((x - 12) ** 2 + y**2) / 32)
    velocity = np.stack([-y, x], axis=-1) * 2 * np.pi / 120
    soft, sharp = blob, blob
    for _ in range(120):
        soft, sharp = advect(soft, velocity), advect_sharply(sharp, velocity)
    assert np.abs(sharp - blob).max() < 0.25 < 0.5 < np.abs(soft - blob).max()
    assert sharp.sum() == pytest.approx(blob.sum(), rel=0.01)
    assert sharp.min() >= 0 and sharp.max() <= blob.max()


# The flow ------------------------------------------------------------------------------------------------------------


def test_what_flows_apart_is_taken_out_and_nothing_else():
    whirl = taylor_green(32)
    x, y = (np.pi * axis / 32 for axis in grid(32))
    gradient = -np.stack([2 * np.sin(2 * x) * np.cos(3 * y), 3 * np.cos(2 * x) * np.sin(3 * y)], axis=-1)
    np.testing.assert_allclose(smoke.projected(whirl), whirl, atol=1e-12)
    np.testing.assert_allclose(smoke.projected(gradient), 0, atol=1e-12)
    np.testing.assert_allclose(smoke.projected(whirl + gradient), whirl, atol=1e-12)
    expected = -13 * np.cos(2 * x) * np.cos(3 * y) * np.pi / 32
    np.testing.assert_allclose(smoke.divergence(whirl + gradient), expected, atol=1e-12)


def test_any_velocity_is_free_of_divergence_afterwards():
    velocity = smoke.projected(np.random.default_rng(0).standard_normal((16, 24, 2)))
    assert np.abs(smoke.divergence(velocity)).max() < 1e-12 < 0.1 < np.abs(velocity).max()
    np.testing.assert_allclose(smoke.projected(velocity), velocity, atol=1e-12)


def test_the_vortex_of_taylor_and_green_stays():
    """Without viscosity it is a steady solution; what it loses is the scheme's."""
    vortex = 0.5 * taylor_green(64)
    velocity = vortex
    for _ in range(60):
        velocity = smoke.projected(advect_sharply(velocity, velocity))
    assert np.abs(velocity - vortex).max() < 0.02
    assert (velocity**2).sum() == pytest.approx((vortex**2).sum(), rel=0.02)


def test_confinement_drives_a_whirl_the_way_it_turns():
    x, y = (axis - 16 for axis in grid(32))
    around = np.stack([-y, x], axis=-1) * np.exp(-(x**2 + y**2) / 50)[..., None]
    force = smoke.confinement(around)
    near = np.hypot(x, y) < 5
    assert ((force * around).sum(axis=-1)[near] > 0).all()
    np.testing.assert_allclose(smoke.confinement(-around), -force, atol=1e-12)


def test_smoke_rises_keeps_its_mass_and_its_bounds():
    box = smoke.Smoke(48, np.random.default_rng(3))
    box.velocity[:] = 0
    for _ in range(15):
        box.step()
    mass, height = box.density.sum(), np.average(grid(48)[1], weights=box.density)
    for _ in range(15):
        box.flow()
        assert np.abs(smoke.divergence(box.velocity)).max() < 1e-12
    assert box.density.sum() == pytest.approx(mass, rel=0.05)
    assert np.average(grid(48)[1], weights=box.density) < height - 0.5
    assert box.density.min() >= 0 and box.density.max() <= 1


# Files ---------------------------------------------------------------------------------------------------------------


def test_the_command_writes_sequences_that_the_seed_repeats(tmp_path, capsys):
    for out, count in (("a", 2), ("b", 1)):
        words = ["simulate", "smoke", "--out", tmp_path / out, "--sequences", count, "--frames", 4, "--size", 16]
        assert cli.main([*map(str, words), "--seed", "1"]) == 0
    assert "holds 2 sequences of 4 frames" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["smoke_000.npz", "smoke_001.npz"]
    first, second = (np.load(tmp_path / "a" / f"smoke_00{n}.npz") for n in (0, 1))
    assert first["density"].shape == (4, 16, 16) and first["velocity"].shape == (4, 16, 16, 2)
    assert first["density"].dtype == first["velocity"].dtype == np.float16
    assert not np.array_equal(first["density"], second["density"]) and first["density"][-1].max() > 0.1
    assert (tmp_path / "a" / "smoke_000.npz").read_bytes() == (tmp_path / "b" / "smoke_000.npz").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "water"}, "kind='water': expected 'smoke'"),
        ({"frames": 2}, "frames=2: expected a whole number, 3 to 10,000"),
        ({"size": 8}, "size=8: expected a whole number, 16 to 1,024"),
        ({"sequences": 0}, "sequences=0"),
        ({"seed": -1}, "seed=-1"),
        ({"size": 1024, "frames": 1000}, "take 6,000 MB of memory; make more sequences of fewer frames"),
    ],
)
def test_arguments_that_make_no_sense(changes, message, tmp_path):
    arguments = {"kind": "smoke", "out": tmp_path / "new", "sequences": 1, "frames": 3, "size": 16, **changes}
    with pytest.raises(ValueError, match=message):
        simulation.simulate(**arguments)
    assert not (tmp_path / "new").exists()


def test_other_sequences_are_not_mixed_with(tmp_path):
    (tmp_path / "smoke_007.npz").write_bytes(b"")
    with pytest.raises(FileExistsError, match="holds smoke_007.npz"):
        simulation.simulate("smoke", tmp_path, 1, 3, 16)


def test_the_command_says_what_is_missing(capsys):
    assert cli.main(["simulate", "smoke"]) == 2
    assert "Missing option '--out'" in capsys.readouterr().err
