"""How long a run of an exported file takes, beside the same network in other runtimes."""

import dataclasses
import statistics
import time

import numpy as np

from kerasgan.export import runtimes, to_onnx, to_saved_model
from kerasgan.export.network import UnsupportedOperation


@dataclasses.dataclass(frozen=True)
class Latency:
    """Milliseconds of one run, over many."""

    median: float
    p95: float

    def __str__(self):
        return f"{self.median:.2f} ms (95 % within {self.p95:.2f})"


def latencies(exportable, path, kind="tflite", runs=100):
    """{runtime: Latency} of a file and of the same network in Keras and, where it is installed, ONNX Runtime.

    One run of each after the other, `runs` times, so that what else the machine does meets all of them alike.
    """
    running = _of_file(exportable, path, kind)
    batch_size = next(iter(running.values())).batch_size
    running[runtimes.Keras.title] = runtimes.Keras(exportable, batch_size)
    if kind == "tflite":
        running |= _in_onnx_runtime(exportable, batch_size)
    inputs = exportable.inputs(batch_size)
    for runtime in running.values():
        runtime.run(inputs)
        _times(runtime, 10)
    times = {name: [] for name in running}
    for _ in range(runs):
        for name, runtime in running.items():
            times[name] += _times(runtime, 1)
    return {name: Latency(statistics.median(t), float(np.percentile(t, 95))) for name, t in times.items()}


def _of_file(exportable, path, kind):
    """{runtime and its threads: a `Runtime` of the file}."""
    runtime = runtimes.OF_FORMAT[kind]
    if not runtime.threads:
        return {runtime.title: runtimes.open_file(exportable, path, kind)}
    return {
        f"{runtime.title}, {threads} thread{'s' * (threads > 1)}": runtimes.open_file(exportable, path, kind, threads)
        for threads in runtime.threads
    }


def _in_onnx_runtime(exportable, batch_size):
    """The same network in ONNX Runtime, 1 thread; none where it is not installed, or cannot run it."""
    try:
        runtimes.check_installed("onnx")
    except ImportError:
        return {}
    with to_saved_model.temporary_folder(None) as folder:
        path = folder / "network.onnx"
        try:
            to_onnx.write(exportable, path, batch_size)
        except UnsupportedOperation:
            return {}
        return {"ONNX Runtime, 1 thread": runtimes.open_file(exportable, path, "onnx", 1)}


def _times(runtime, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        runtime.invoke()
        times.append(1000 * (time.perf_counter() - start))
    return times
