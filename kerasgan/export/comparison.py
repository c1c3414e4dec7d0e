"""An exported file held against Keras, as every export does before the file gets its name."""

import dataclasses
import math

import numpy as np

from kerasgan import files
from kerasgan.export import flatbuffer, runtimes, sidecar
from kerasgan.export.tolerance import ToleranceError, advice, measure

SAMPLES = 64


@dataclasses.dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Args:
        name: of the model.
        format: "tflite", "onnx" or "saved_model".
        quantization: "float32", "float16", "dynamic" or "int8".
        samples: how many were compared.
        max_difference, mean_difference: between the file's samples and Keras's, on the scale of the output ([0, 1] for
            images); whole numbers are 0 (the same) or 1 apart. Of several outputs, these are of the one that is
            furthest.
        psnr: of all samples together in dB, peak 1 (for other kinds than images: the output's range); infinite if
            they are equal.
        size: bytes of the file.
        operators: {operator: how often}; empty for formats whose operators are not TFLite's.
        latencies: {runtime: Latency}, what one run of a batch takes; empty where it was not measured.
        batch_size: samples in a run.
        tolerance: what the format is held to, in words.
        passed: whether it was met, by all outputs.
    """

    name: str
    format: str
    quantization: str
    samples: int
    max_difference: float
    mean_difference: float
    psnr: float
    size: int
    operators: dict
    latencies: dict
    batch_size: int
    tolerance: str
    passed: bool

    def to_dict(self):
        """For JSON."""
        record = dataclasses.asdict(self)
        return {**record, "psnr": None if math.isinf(self.psnr) else self.psnr}

    def __str__(self):
        rows = [
            ("format", f"{self.format}, {self.quantization}, batch {self.batch_size}"),
            ("size", f"{self.size / 1e6:.2f} MB"),
            (
                "against Keras",
                f"{self.samples} samples: at most {self.max_difference:.2g} apart, mean {self.mean_difference:.2g}",
            ),
            ("PSNR", "equal" if math.isinf(self.psnr) else f"{self.psnr:.1f} dB"),
            ("tolerance", f"{self.tolerance}: {'met' if self.passed else 'NOT met'}"),
        ]
        if self.operators:
            rows.append(("operators", ", ".join(f"{name} {count}" for name, count in self.operators.items())))
        rows += [(f"latency, {runtime}", str(latency)) for runtime, latency in self.latencies.items()]
        width = max(len(title) for title, _ in rows)
        return "\n".join([self.name, *(f"  {title.ljust(width)}  {value}" for title, value in rows)])


def check(exportable, path, kind, mode, seed=0):
    """What an export ends with: `compare`, and a `ToleranceError` where the tolerance is missed."""
    found = compare(exportable, path, kind, mode, SAMPLES, seed)
    if not found.passed:
        raise ToleranceError(
            f"{found.name}: the {mode} file is not the same generator: {found.max_difference:.2g} apart at most, PSNR "
            f"{found.psnr:.1f} dB over {found.samples} samples; expected {found.tolerance}. {advice(mode)}",
            found,
        )
    return found


def compare(exportable, path, kind, mode, samples, seed):
    """The `Verification`, without latencies, of a file of a format and mode, on inputs of the model's own.

    Args:
        exportable: `kerasgan.export.Exportable`.
        path: `pathlib.Path` of the file.
        kind, mode: its format and quantization, as `Verification` has them.
        samples: how many at least; whole batches of the file are run.
        seed: of the inputs.

    Raises:
        ValueError: the file is damaged or belongs to another model.
    """
    runtime = runtimes.open_file(exportable, path, kind)
    size = runtime.batch_size
    count = math.ceil(samples / size) * size
    sample = sum(4 * math.prod(tensor.shape[1:]) for tensor in exportable.outputs.values())
    files.check_declared(count * sample, samples * sample, f"path {str(path)!r}: a batch of {size}")
    inputs, expected = exportable.proof(count, seed)
    with runtimes.of_file(path):
        parts = [runtime.run(part) for part in _batches(inputs, size)]
        found = {name: np.concatenate([part[name] for part in parts]) for name in expected}
    return Verification(
        name=exportable.name,
        format=kind,
        quantization=mode,
        samples=count,
        size=sidecar.fingerprint(path)["size"],
        operators=flatbuffer.operators(path.read_bytes()) if kind == "tflite" else {},
        latencies={},
        batch_size=size,
        **_furthest(exportable, path, mode, found, expected),
    )


def _furthest(exportable, path, mode, found, expected):
    """What `tolerance.measure` says of the output that is furthest from Keras's; one that fails before all others.

    A medium may say what else than the numbers has to be the same (`Media.compared`): it is measured beside them.
    """
    measured, media = [], exportable.gan.media
    for about in exportable.described_outputs:
        name = about["name"]
        has, wanted = found[name], expected[name]
        if has.shape != wanted.shape:
            raise ValueError(f"path {str(path)!r} makes {name} of the shape {has.shape[1:]}, not {wanted.shape[1:]}.")
        measured.append(measure(mode, has, wanted, about["range"]))
        if len(expected) > 1:
            measured[-1]["tolerance"] = f"{name} {measured[-1]['tolerance']}"
        for what, function in media.compared(name).items():
            measured.append(measure(mode, function(has), function(wanted)))
            measured[-1]["tolerance"] = f"{what} {measured[-1]['tolerance']}"
    return min(measured, key=lambda one: (one["passed"], one["psnr"]))


def _batches(inputs, size):
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        yield {name: values[start : start + size] for name, values in inputs.items()}
