"""How far an exported file's samples may be from Keras's."""

import math

import numpy as np

# Most that a sample may differ from Keras's on a scale of [0, 1], and least PSNR in dB where weights have 8 bits. For
# float16, 0.004 is a level of an 8-bit picture: what is furthest off is a neighbouring colour.
TOLERANCES = {
    "float32": ("difference", 1e-4),
    "float16": ("difference", 4e-3),
    "dynamic": ("psnr", 30),
    "int8": ("psnr", 30),
}
# Least share of whole numbers, such as tokens or classes, that are Keras's: where two nearly tie, rounding decides.
AGREEMENT = {"float32": 0.999, "float16": 0.99, "dynamic": 0.9, "int8": 0.9}


class ToleranceError(ArithmeticError):
    """An exported file makes other samples than Keras does; `verification` says by how much."""

    def __init__(self, message, verification):
        super().__init__(message)
        self.verification = verification


def measure(mode, found, expected, bounds=None):
    """How far one output of a file is from Keras's, and whether that is within the tolerance.

    Args:
        mode: a key of `TOLERANCES`.
        found, expected: arrays of one shape, the file's and Keras's: numbers of any kind. Whole numbers, which name
            something, are the same or not: they are 0 or 1 apart.
        bounds: (lowest, highest) value that the output can have; None takes those of `expected`.

    Returns:
        A dict of the fields of `kerasgan.export.Verification` that say it: `max_difference`, `mean_difference`, `psnr`,
        `tolerance`, `passed`.
    """
    whole = expected.dtype.kind in "biu"
    difference = (found != expected).astype("float64") if whole else np.abs(found.astype("float64") - expected)
    peak = 1.0 if whole else float(np.ptp(bounds or (expected.min(), expected.max())))
    largest = float(difference.max()) if np.isfinite(difference).all() else math.inf
    mean, psnr = float(difference.mean()), _psnr(difference, peak)
    measured = {"max_difference": largest, "mean_difference": mean, "psnr": psnr}
    if whole:
        least = AGREEMENT[mode]
        return {**measured, "tolerance": f"{100 * least:g} % the same", "passed": 1 - mean >= least}
    return {**measured, **_judge(mode, largest / peak if peak else largest, psnr)}


def _judge(mode, largest, psnr):
    kind, bound = TOLERANCES[mode]
    if kind == "difference":
        return {"tolerance": f"at most {bound:g} apart", "passed": largest <= bound}
    return {"tolerance": f"PSNR of at least {bound} dB", "passed": psnr >= bound}


def _psnr(difference, peak):
    error = float(np.mean(np.square(difference)))
    if not math.isfinite(error):
        return -math.inf
    if error == 0:
        return math.inf
    return float(10 * math.log10(peak**2 / error)) if peak else -math.inf


def advice(mode):
    """What to do about a file of this mode that misses its tolerance, and why it may."""
    if mode == "int8":
        return 'Its activations do not fit 8 bits: quantize="dynamic" keeps them as floats in a file of the same size.'
    if mode == "dynamic":
        return 'Its weights do not fit 8 bits: use quantize="float16".'
    if mode == "float16":
        return 'Rounding its weights to 16 bits shows in some pixel: use "float32" or "dynamic".'
    return "This is a fault of the conversion; please report it."
