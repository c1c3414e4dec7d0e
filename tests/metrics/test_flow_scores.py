"""Scores of smoke, against flows and waves that are known."""

import types

import numpy as np
import pytest

from kerasgan import coarse
from kerasgan.metrics import flows


def wave(number, amplitude, size=32, frames=2):
    places = (np.arange(size) + 0.5) / size
    return np.broadcast_to(0.5 + amplitude * np.sin(2 * np.pi * number * places), (frames, size, size))


def drifting(frames=5, size=16, step=2, seed=0):
    """Smoke that the flow carries by whole cells to the right, what comes in being what was at the edge."""
    fields = np.zeros((frames, size, size, 3), "float32")
    fields[0, ..., 0] = np.random.default_rng(seed).uniform(0, 1, (size, size))
    for frame in range(1, frames):
        fields[frame, :, step:, 0] = fields[frame - 1, :, :-step, 0]
        fields[frame, :, :step, 0] = fields[frame - 1, :, :1, 0]
    fields[..., 1] = step
    return fields


def test_the_energy_of_a_wave_is_where_its_number_is():
    for number in (4, 9):
        energy = flows.energy_spectrum(wave(number, 0.3))
        assert len(energy) == 16 and energy.argmax() == number - 1
        assert energy[number - 3 : number + 2].sum() > 0.99 * energy.sum()  # the window spreads it
        # A sine's mean square is half of its amplitude's; Hann's window squared has the mean 3/8 along each axis.
        assert energy.sum() == pytest.approx(0.3**2 / 2 * (3 / 8) ** 2, rel=1e-3)


def test_half_of_the_amplitude_is_a_quarter_of_the_energy_at_each_length():
    density = np.random.default_rng(0).uniform(0, 1, (3, 24, 32))
    assert flows.spectrum_distance(density, density) == 0
    assert flows.spectrum_distance(density / 2, density) == pytest.approx(np.log10(4))
    assert flows.spectrum_distance(density * 2, density) == pytest.approx(np.log10(4))


def test_what_the_flow_explains_is_no_error():
    fields = drifting()
    density, velocity = fields[..., 0], fields[..., 1:]
    assert flows.warp_error(density, velocity) == pytest.approx(0, abs=1e-6)
    flicker = density + np.array([0, 0.1, 0, 0.1, 0], "float32")[:, None, None]
    assert flows.warp_error(flicker, velocity) == pytest.approx(0.1, abs=1e-6)
    assert flows.warp_error(density, 0 * velocity) > 0.1


def test_mass_is_that_of_averages():
    low = np.random.default_rng(0).uniform(0.5, 1, (2, 3, 4))
    fine = low.repeat(4, axis=1).repeat(4, axis=2)
    assert flows.mass_error(fine, low, 4) == pytest.approx(0, abs=1e-12)
    checkers = np.where(np.indices((12, 16)).sum(axis=0) % 2, 0.2, -0.2)
    assert flows.mass_error(fine + checkers, low, 4) == pytest.approx(0, abs=1e-12)
    assert flows.mass_error(1.03 * fine, low, 4) == pytest.approx(0.03)


def test_psnr_is_of_a_peak_of_one():
    assert flows.psnr(np.full((1, 2, 2), 0.6), np.full((1, 2, 2), 0.5)) == pytest.approx(20)
    assert flows.psnr(np.ones((1, 2, 2)), np.ones((1, 2, 2))) == pytest.approx(200)


def test_coarse_fields_keep_what_there_is_and_how_far_it_goes():
    fields = np.random.default_rng(0).uniform(0, 1, (2, 8, 12, 3)).astype("float32")
    low = coarse.shrink(fields, 4)
    assert low.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(low[1, 1, 2, 0], fields[1, 4:, 8:, 0].mean(), rtol=1e-5)
    np.testing.assert_allclose(4 * low[1, 1, 2, 1:], fields[1, 4:, 8:, 1:].mean(axis=(0, 1)), rtol=1e-5)
    steady = np.broadcast_to(np.float32([0.5, 1, -2]), (1, 3, 4, 3))
    larger = coarse.enlarge(steady, 4)
    assert larger.shape == (1, 12, 16, 3)
    np.testing.assert_allclose(larger, np.broadcast_to(np.float32([0.5, 4, -8]), larger.shape), rtol=1e-5)
    spike = np.zeros((1, 5, 5, 3), "float32")
    spike[0, 2, 2, 0] = 1
    assert coarse.enlarge(spike, 4)[..., 0].min() == 0
    with pytest.raises(ValueError, match="8x12 cells cannot be made 5 times coarser"):
        coarse.shrink(fields, 5)


def test_records_stand_beside_bicubic_and_others():
    sequences = [drifting(seed=n) for n in range(2)]
    truths = {coarse.shrink(one, 4).tobytes(): one for one in sequences}
    perfect = types.SimpleNamespace(upscale=lambda low: truths[low.tobytes()], scale=4, name="perfect")
    found = {one.metric: one for one in flows.evaluate(perfect, sequences, beside={"same": perfect}, progress=False)}
    assert len(found) == 3 * len(flows.METRICS)
    assert found["spectrum, all"].value == 0 and found["spectrum of bicubic, all"].value > 0.3
    assert found["mass, all"].value == pytest.approx(0, abs=1e-6)
    assert found["psnr of same, all"].value == pytest.approx(200)
    assert found["psnr of bicubic, all"].value < 15
    only = flows.evaluate(perfect, sequences, "mass", progress=False)
    assert [one.metric for one in only] == ["mass, all", "mass of bicubic, all"]


def test_warp_is_of_the_originals_own():
    fields = drifting()
    fields[1::2, ..., 0] += 0.1  # it flickers itself
    doubled = fields.copy()
    doubled[1::2, ..., 0] += 0.1
    assert flows.flow_scores(lambda low: fields, [fields], 4).warp == pytest.approx([1])
    assert flows.flow_scores(lambda low: doubled, [fields], 4).warp == pytest.approx([2], rel=1e-4)


def test_what_does_not_fit_is_refused():
    fields = drifting()
    model = types.SimpleNamespace(upscale=lambda low: low, scale=4, name="m")
    for sequences, message in (
        ([], "sequences is empty"),
        ([fields[:1]], r"sequences\[0\] has shape \(1, 16, 16, 3\)"),
        ([fields, 0 * fields], "upscale returned shape"),
        ([0 * fields], "no smoke"),
    ):
        with pytest.raises(ValueError, match=message):
            flows.flow_scores(model.upscale, sequences, 4)
    with pytest.raises(ValueError, match="metrics='fid': expected some of spectrum, warp, mass, psnr"):
        flows.evaluate(model, [fields], "fid")
    with pytest.raises(ValueError, match="'other' enlarges by 2, m by 4"):
        flows.evaluate(model, [fields], beside={"other": types.SimpleNamespace(scale=2)})
