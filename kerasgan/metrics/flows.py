"""Scores of smoke of a finer resolution: the energy of its detail, its flicker, its mass, its distance to the truth.

Sequences are floats (frames, height, width, 3): density, velocity to the right and downward in cells a frame, as in
`kerasgan.media.Fields`.
"""

from typing import NamedTuple

import numpy as np

from kerasgan import coarse
from kerasgan.advection import advect
from kerasgan.metrics import checks, enlarged

METRICS = {"spectrum": False, "warp": None, "mass": False, "psnr": True}  # whether higher is better
_LEAST = 1e-12  # of a share of energy: what is below is zero but for rounding


class Flows(NamedTuple):
    """Scores of each sequence, float64 (count,).

    Attributes:
        spectrum: distance of the energy spectrum from that of the original, in decades; 0 is best.
        warp: how much frames differ from those before, carried on by the flow, of how much they do in the original; 1
            is best: above, detail flickers; below, it is washed out or stands still in the smoke.
        mass: share of the smoke that is more or less than on the coarse grid, cell by cell; 0 is best.
        psnr: decibels, of a density up to 1.
    """

    spectrum: np.ndarray
    warp: np.ndarray
    mass: np.ndarray
    psnr: np.ndarray


def energy_spectrum(density):
    """The energy of waves of each length: float64 (bins,), for 1, 2, ... half as many waves as the shorter edge holds.

    Of each frame without its mean, the squared amplitudes of its waves, summed over all directions; then the mean over
    frames. Frames are tapered towards their edges (by Hann's window), where waves would meet those of the other side.

    Args:
        density: floats (frames, height, width).
    """
    _, height, width = density.shape
    density = density.astype("float64") - density.mean(axis=(1, 2), keepdims=True)
    windows = [np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2 for length in (height, width)]
    waves = np.fft.fft2(density * windows[0][:, None] * windows[1])
    energy = (np.abs(waves / (height * width)) ** 2).mean(axis=0)
    edge = min(height, width)
    numbers = edge * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    bins = np.rint(numbers).astype(int).ravel()
    return np.bincount(bins, energy.ravel(), minlength=edge // 2 + 1)[1 : edge // 2 + 1]


def spectrum_distance(made, original):
    """How far two energy spectra are apart: the mean over wave numbers of |log10 of their ratio|, in decades.

    Energies below 1e-12 of the original's most count as that much.

    Args:
        made, original: densities (frames, height, width).
    """
    energies = np.stack([energy_spectrum(made), energy_spectrum(original)])
    floor = max(_LEAST * energies[1].max(), np.finfo(float).tiny)
    made, original = np.log10(np.maximum(energies, floor))
    return float(np.abs(made - original).mean())


def warp_error(density, velocity):
    """The mean |x[t] - A(x[t-1], v[t-1])|: by how much frames are not those before, carried on by the flow.

    Args:
        density: (frames, height, width), of at least two frames.
        velocity: (frames, height, width, 2), cells a frame.
    """
    steps = zip(density[:-1], velocity[:-1], density[1:], strict=True)
    return float(np.mean([np.abs(after - advect(before, flow)).mean() for before, flow, after in steps]))


def mass_error(density, low, scale):
    """The mean difference between averages of a density and that of the coarse grid, of the latter's mean.

    Args:
        density: (frames, scale * height, scale * width).
        low: (frames, height, width).
    """
    frames, height, width = low.shape
    means = density.reshape(frames, height, scale, width, scale).mean(axis=(2, 4), dtype="float64")
    return float(np.abs(means - low).mean() / low.mean())


def psnr(made, original):
    """Peak signal-to-noise ratio in decibels, of densities whose peak is 1; 200 of equal ones."""
    error = np.mean((made.astype("float64") - original) ** 2)
    return float(-10 * np.log10(max(error, 1e-20)))


def flow_scores(upscale, sequences, scale):
    """How near sequences that were made finer come to their originals.

    Each original is cut to multiples of `scale` at its right and lower edge, brought to the coarse grid by averages
    (`kerasgan.coarse.shrink`), made finer, and compared. The flow is the original's.

    Args:
        upscale: function, float32 (frames, height, width, 3) -> (frames, scale * height, scale * width, 3), of which
            the density counts.
        sequences: originals, floats (frames, height, width, 3) of at least two frames, each with some smoke.
        scale: whole number.

    Returns:
        `Flows`.

    Raises:
        ValueError: sequences that are no such arrays; results of another size.
    """
    checks.whole(scale, "scale", 2)
    found = [_score(upscale, np.asarray(one), scale, number) for number, one in enumerate(sequences)]
    if not found:
        raise ValueError("sequences is empty; give at least one.")
    return Flows(*np.array(found, "float64").T)


def _score(upscale, original, scale, number):
    if original.ndim != 4 or original.shape[-1] != 3 or original.dtype.kind != "f" or len(original) < 2:
        raise ValueError(
            f"sequences[{number}] has shape {original.shape} and dtype {original.dtype}; expected floats (frames, "
            "height, width, 3) of at least two frames."
        )
    height, width = (side // scale * scale for side in original.shape[1:3])
    original = original[:, :height, :width].astype("float32")
    if not original.size or not original[..., 0].any():
        raise ValueError(f"sequences[{number}] has no smoke in it, or fewer than {scale} cells along an edge.")
    low = coarse.shrink(original, scale)
    made = np.asarray(upscale(low))
    if made.shape != original.shape:
        raise ValueError(f"upscale returned shape {made.shape} for the original of shape {original.shape}.")
    density, truth, flow = made[..., 0], original[..., 0], original[..., 1:]
    own = max(warp_error(truth, flow), 1e-9)
    return (
        spectrum_distance(density, truth),
        warp_error(density, flow) / own,
        mass_error(density, low[..., 0], scale),
        psnr(density, truth),
    )


def evaluate(gan, sequences, metrics=None, *, beside=None, model=None, split="all", progress=True):
    """Scores a model that makes flows finer, on sequences that it should not have been trained on.

    Each number stands beside that of the bicubic kernel.

    Args:
        gan: a `TempoGAN`, or another `kerasgan.Game` with such an `upscale` and `scale`.
        sequences: originals, as in `flow_scores`.
        metrics: some of "spectrum", "warp", "mass", "psnr" in a sequence or separated by commas; None takes all.
        beside: {what it is called: a model of the same scale} to score on the same sequences.
        model, split: what the records call the model and the sequences.
        progress: whether a bar is shown.

    Returns:
        A list of `kerasgan.metrics.Result`, the metric's names ending with the split.

    Raises:
        ValueError: an unknown metric, no sequences, or another scale beside it.
    """
    names = checks.metric_names(metrics, METRICS, "a model of flows")
    return enlarged.evaluate(
        gan,
        list(sequences),
        flow_scores,
        lambda low: coarse.enlarge(low, gan.scale),
        {name: METRICS[name] for name in names},
        beside=beside,
        model=model,
        split=split,
        progress=progress,
        plural="sequences",
    )
