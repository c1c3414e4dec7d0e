"""Data that anybody can make: sequences of a simulation, as files that `kerasgan.data.fields` reads."""

import io
import pathlib

import numpy as np

from kerasgan import coarse, files
from kerasgan.bars import Bar
from kerasgan.checks import is_whole
from kerasgan.smoke import Smoke

KINDS = {"smoke": Smoke}
_BOUNDS = {"sequences": (1, 10_000), "frames": (3, 10_000), "size": (16, 1024)}
_EXAMPLE_SIZE, _EXAMPLE_SEED, _EXAMPLE_SKIPPED = 32, 2, 16  # chosen by looking
_MOST_BYTES = 2**29  # of a sequence, as `kerasgan.data.fields` reads them


def check(kind, out, sequences, frames, size, seed):
    """Raises an error for arguments of `simulate` that do not fit, before any work is done. Leaves nothing on disk."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: expected {' or '.join(map(repr, KINDS))}.")
    for name, value in (("sequences", sequences), ("frames", frames), ("size", size)):
        least, most = _BOUNDS[name]
        if not is_whole(value, least, most):
            raise ValueError(f"{name}={value!r}: expected a whole number, {least} to {most:,}.")
    if seed is not None and not is_whole(seed, 0):
        raise ValueError(f"seed={seed!r}: expected a whole number of at least 0, or None.")
    taken = 6 * frames * size**2  # half precision, density and two directions
    if taken > _MOST_BYTES:
        raise ValueError(
            f"frames={frames} of size={size} take {taken / 2**20:,.0f} MB of memory; make more sequences of fewer "
            "frames."
        )
    folder = files.check_folder(out, name="out")
    there = next(iter(sorted(folder.glob("*.npz"))), None) if folder.is_dir() else None
    if there is not None:
        raise FileExistsError(f"out {str(out)!r} holds {there.name}, another simulation's; give another folder.")
    return folder


def simulate(kind, out, sequences=20, frames=120, size=128, seed=None, progress=True):
    """Simulates sequences, and writes each as `smoke_000.npz`, ... once it is finished.

    A file has `density`, float16 (frames, size, size) in [0, 1], and `velocity`, float16 (frames, size, size, 2), to
    the right and downward, in cells a frame. (Half precision errs by one in two thousand.) At a given seed a sequence
    is the same, however many there are.

    Args:
        kind: "smoke": a box with one to three sources (`kerasgan.smoke`).
        out: folder to write, without `.npz` files in it.
        sequences: how many.
        frames: of each, at least 3.
        size: cells along each edge, at least 16.
        seed: makes them repeatable.
        progress: whether a bar is shown.

    Returns:
        Paths of the files, a list of `pathlib.Path`.

    Raises:
        ValueError, OSError: an argument does not fit, or the folder cannot be written.
    """
    folder = check(kind, out, sequences, frames, size, seed)
    start, digits, written = np.random.SeedSequence(seed).entropy, max(3, len(str(sequences - 1))), []
    with Bar("Simulating", sequences * frames, "frames", shown=progress) as bar:
        for number in range(sequences):
            arrays = _sequence(KINDS[kind](size, np.random.default_rng([start, number])), frames, bar)
            written.append(pathlib.Path(folder) / f"{kind}_{number:0{digits}}.npz")
            with files.atomic(written[-1]) as temporary:
                np.savez_compressed(temporary, **arrays)
    return written


def example(frames=56):
    """A short sequence of coarse smoke, the bytes of a `.npz` file as `simulate` writes it: to try a model on.

    It is simulated on cells of half the edge and averaged to 32x32 cells, which takes half a second, and always the
    same. The first frames, which have hardly any smoke, are left out.
    """
    box = Smoke(2 * _EXAMPLE_SIZE, np.random.default_rng(_EXAMPLE_SEED))
    fine = []
    for _ in range(_EXAMPLE_SKIPPED + frames):
        box.step()
        fine.append(np.concatenate([box.density[..., None], box.velocity], axis=-1))
    low = coarse.shrink(np.stack(fine[_EXAMPLE_SKIPPED:]), 2).astype("float16")
    file = io.BytesIO()
    np.savez_compressed(file, density=low[..., 0], velocity=low[..., 1:])
    return file.getvalue()


def _sequence(box, frames, bar):
    """The frames of a simulation after each of its steps, {name: array in half precision}."""
    arrays = {
        "density": np.empty((frames, *box.density.shape), "float16"),
        "velocity": np.empty((frames, *box.velocity.shape), "float16"),
    }
    for frame in range(frames):
        box.step()
        arrays["density"][frame], arrays["velocity"][frame] = box.density, box.velocity
        bar.update()
    return arrays
