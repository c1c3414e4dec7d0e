"""The proof: what an exported file makes, held against Keras, and how long it takes."""

import contextlib
import dataclasses
import importlib.util
import json
import math
import pathlib
import statistics
import time

import numpy as np

from kerasgan import console, files
from kerasgan.export import flatbuffer, saved_graph, sidecar
from kerasgan.export.network import SIGNATURE, Exportable, check_whole

# Most that a sample may differ from Keras's on a scale of [0, 1], and least PSNR in dB where weights have 8 bits.
TOLERANCES = {
    "float32": ("difference", 1e-4),
    "float16": ("difference", 2e-3),
    "dynamic": ("psnr", 30),
    "int8": ("psnr", 30),
}
SAMPLES = 64

_EXTRAS = {
    "tflite": (("ai_edge_litert",), "export"),
    "onnx": (("onnxruntime", "tf2onnx"), "onnx"),
    "saved_model": ((), None),
}


class ToleranceError(ArithmeticError):
    """An exported file makes other samples than Keras does; `verification` says by how much."""

    def __init__(self, message, verification):
        super().__init__(message)
        self.verification = verification


@dataclasses.dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Args:
        name: of the model.
        format: "tflite", "onnx" or "saved_model".
        quantization: "float32", "float16", "dynamic" or "int8".
        samples: how many were compared.
        max_difference, mean_difference: between the file's samples and Keras's, on the scale of the output ([0, 1] for
            images).
        psnr: of all samples together in dB, peak 1 (for other kinds than images: the output's range); infinite if
            they are equal.
        size: bytes of the file.
        operators: {operator: how often}; empty for formats whose operators are not TFLite's.
        latencies: {runtime: Latency}, what one run of a batch takes; empty where it was not measured.
        batch_size: samples in a run.
        tolerance: what the format is held to, in words.
        passed: whether it was met.
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


@dataclasses.dataclass(frozen=True)
class Latency:
    """Milliseconds of one run, over many."""

    median: float
    p95: float

    def __str__(self):
        return f"{self.median:.2f} ms (95 % within {self.p95:.2f})"


def verify(gan, path, *, samples=SAMPLES, seed=0, latency=True, runs=100):
    """Runs an exported file on fixed latents and holds it against Keras.

    The latents are the model's own (classes in turn), those of a seed. Latencies are measured in turns, one run of
    each runtime after the other, after a warm-up: the file in LiteRT with 1 and 2 threads (XNNPACK), the same network
    in Keras (one compiled `tf.function`, batch as in the file) and, where `kerasgan[onnx]` is installed, in ONNX
    Runtime.

    Args:
        gan: what was exported: a `kerasgan.GAN`, a name of the zoo, a run folder or a `.keras` file.
        path: the file: .tflite, .onnx, or a SavedModel folder.
        samples: how many to compare, at least 1; 64 or more for a proof.
        seed: of the latents.
        latency: whether to measure it.
        runs: of each runtime, when it is measured.

    Returns:
        `Verification`; `passed` says whether the tolerance of its mode is met. The mode is that of the sidecar; without
        one, float32.

    Raises:
        TypeError, ValueError: an argument; a file that is damaged or does not belong to this GAN.
        FileNotFoundError: there is no such file.
        ImportError: the runtime is missing.
    """
    check_whole("samples", samples)
    check_whole("runs", runs)
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path {str(path)!r}: there is no such file; export it first.")
    kind = _format(path)
    check_installed(kind)
    about = sidecar.read(path) or {}
    if about.get("sha256", None) not in (None, sidecar.fingerprint(path)["sha256"]):
        raise ValueError(f"path {str(path)!r} is not the file that its sidecar describes (sha256); export it again.")
    mode = about.get("quantization", "float32")
    if mode not in TOLERANCES:
        about = sidecar.path_of(path)
        raise ValueError(f"{str(about)!r} names the quantization {mode!r}, which is none; export it again.")
    return _verify(Exportable.of(gan), path, kind, mode, samples, seed, runs if latency else 0)


def check(exportable, path, kind, mode, seed=0):
    """What an export ends with: `verify` without latencies, and a `ToleranceError` where it fails."""
    found = _verify(exportable, path, kind, mode, SAMPLES, seed, runs=0)
    if not found.passed:
        raise ToleranceError(
            f"{found.name}: the {mode} file is not the same generator: {found.max_difference:.2g} apart at most, PSNR "
            f"{found.psnr:.1f} dB over {found.samples} samples; expected {found.tolerance}. {advice(mode)}",
            found,
        )
    return found


def advice(mode):
    """What to do about a file of this mode that misses its tolerance, and why it may."""
    if mode == "int8":
        return 'Its activations do not fit 8 bits: quantize="dynamic" keeps them as floats in a file of the same size.'
    if mode == "dynamic":
        return 'Its weights do not fit 8 bits: use quantize="float16".'
    if mode == "float16":
        return 'Rounding its weights to 16 bits shows in some pixel: use "float32" or "dynamic".'
    return "This is a fault of the conversion; please report it."


def check_installed(kind):
    """Raises an ImportError that names the extra, unless what runs this format is installed."""
    modules, extra = _EXTRAS[kind]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ImportError(f'{kind} files need {", ".join(missing)}: pip install "kerasgan[{extra}]"')


def _verify(exportable, path, kind, mode, samples, seed, runs):
    session = _open(exportable, path, kind)
    count = math.ceil(samples / session.batch_size) * session.batch_size
    sample = 4 * math.prod(exportable.network.outputs[0].shape[1:])
    files.check_declared(count * sample, samples * sample, f"path {str(path)!r}: a batch of {session.batch_size}")
    inputs, expected = exportable.proof(count, seed)
    with _of_file(path):
        found = np.concatenate([session.run(part) for part in _batches(inputs, session.batch_size)])
    if found.shape != expected.shape:
        raise ValueError(f"path {str(path)!r} makes samples of the shape {found.shape[1:]}, not {expected.shape[1:]}.")
    difference = np.abs(found.astype("float64") - expected)
    peak = float(np.ptp(exportable.gan.media.exported_range or (expected.min(), expected.max())))
    psnr = _psnr(difference, peak)
    largest = float(difference.max()) if np.isfinite(difference).all() else math.inf
    return Verification(
        name=exportable.name,
        format=kind,
        quantization=mode,
        samples=count,
        max_difference=largest,
        mean_difference=float(difference.mean()),
        psnr=psnr,
        size=sidecar.fingerprint(path)["size"],
        operators=flatbuffer.operators(path.read_bytes()) if kind == "tflite" else {},
        latencies=latencies(exportable, path, kind, runs) if runs else {},
        batch_size=session.batch_size,
        **_judge(mode, largest / peak if peak else largest, psnr),
    )


def _judge(mode, largest, psnr):
    kind, bound = TOLERANCES[mode]
    if kind == "difference":
        return {"tolerance": f"at most {bound:g} apart", "passed": largest <= bound}
    return {"tolerance": f"PSNR of at least {bound} dB", "passed": psnr >= bound}


def _psnr(difference, peak):
    error = float(np.mean(np.square(difference)))
    if not math.isfinite(error):
        return -math.inf
    return math.inf if error == 0 else float(10 * math.log10(peak**2 / error))


def _batches(inputs, size):
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        yield {name: values[start : start + size] for name, values in inputs.items()}


# Runtimes ------------------------------------------------------------------------------------------------------------


def _format(path):
    if path.is_dir() and (path / "saved_model.pb").is_file():
        return "saved_model"
    kinds = {".tflite": "tflite", ".onnx": "onnx"}
    if not path.is_file() or path.suffix.lower() not in kinds:
        raise ValueError(f"path {str(path)!r}: expected a .tflite or .onnx file or a SavedModel folder.")
    return kinds[path.suffix.lower()]


def _open(exportable, path, kind, threads=1):
    """A session: `batch_size`, `run({name: array}) -> array` and `invoke()`, the bare run on the last inputs."""
    with _of_file(path):
        session = {"tflite": _LiteRT, "onnx": _ONNXRuntime, "saved_model": _SavedModel}[kind](path, threads)
    wanted, has = sorted(exportable.input_names), sorted(session.inputs)
    if has != wanted or session.output != exportable.output:
        raise ValueError(
            f"path {str(path)!r} is not an export of {exportable.name}: it turns {', '.join(has)} into "
            f"{session.output}, expected {', '.join(wanted)} into {exportable.output}."
        )
    for name, specification in zip(exportable.input_names, exportable.specifications(None), strict=True):
        if tuple(session.inputs[name][1:]) != tuple(specification.shape[1:]):
            raise ValueError(
                f"path {str(path)!r} is not an export of {exportable.name}: its {name} have the shape "
                f"{tuple(session.inputs[name][1:])}, expected {tuple(specification.shape[1:])}."
            )
    sizes = {shape[0] for shape in session.inputs.values()}
    session.batch_size = (
        next(size for size in sizes) if all(isinstance(size, int) and size > 0 for size in sizes) else 1
    )
    return session


@contextlib.contextmanager
def _of_file(path):
    """Turns what a runtime says of a file into a ValueError that names it: each has errors of its own."""
    try:
        yield
    except (files.TooLarge, ImportError, MemoryError):
        raise
    except Exception as error:
        reason = files.explained(ValueError(console.reason(error)))
        raise ValueError(f"path {str(path)!r} cannot be run: it is damaged or foreign ({reason}).") from error


class _LiteRT:
    def __init__(self, path, threads):
        from ai_edge_litert.interpreter import Interpreter

        data = path.read_bytes()
        interpreter = Interpreter(model_content=data, num_threads=threads)  # refuses what is no sound flatbuffer
        foreign = flatbuffer.foreign_operators(data)
        if foreign:
            raise ValueError(f"LiteRT does not run its operations {', '.join(foreign)}")
        files.check_declared(flatbuffer.largest_tensor(data), len(data), f"path {str(path)!r}: one of its tensors")
        with console.quiet():  # XNNPACK announces itself
            interpreter.allocate_tensors()
        signature = interpreter.get_signature_list()[SIGNATURE]
        self._runner = interpreter.get_signature_runner(SIGNATURE)
        details = self._runner.get_input_details()
        self.inputs = {name: [int(n) for n in detail["shape_signature"]] for name, detail in details.items()}
        self.output = ", ".join(signature["outputs"])

    def run(self, inputs):
        self._last = inputs
        return self.invoke()

    def invoke(self):
        return self._runner(**self._last)[self.output]


class _ONNXRuntime:
    def __init__(self, path, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: i.shape for i in self._session.get_inputs()}
        self.output = ", ".join(o.name for o in self._session.get_outputs())

    def run(self, inputs):
        self._last = inputs
        return self.invoke()

    def invoke(self):
        return self._session.run(None, self._last)[0]


class _SavedModel:
    def __init__(self, path, threads):
        import tensorflow as tf

        saved_graph.check(path)
        self._model = tf.saved_model.load(str(path))  # the signature lives as long as the model
        self._function = self._model.signatures[SIGNATURE]
        _, named = self._function.structured_input_signature
        self.inputs = {name: list(specification.shape) for name, specification in named.items()}
        self.output = ", ".join(self._function.structured_outputs)

    def run(self, inputs):
        import tensorflow as tf

        self._last = {name: tf.constant(values) for name, values in inputs.items()}
        return self.invoke()

    def invoke(self):
        return self._function(**self._last)[self.output].numpy()


class _Keras:
    def __init__(self, exportable, batch_size):
        import tensorflow as tf

        self._names = exportable.input_names
        self._function = tf.function(
            exportable.function, input_signature=exportable.specifications(batch_size), autograph=False
        )
        self._output = exportable.output

    def run(self, inputs):
        import tensorflow as tf

        self._last = [tf.constant(inputs[name]) for name in self._names]
        return self.invoke()

    def invoke(self):
        return self._function(*self._last)[self._output].numpy()


# Latency -------------------------------------------------------------------------------------------------------------


def latencies(exportable, path, kind="tflite", runs=100):
    """{runtime: Latency} of a file and of the same network in Keras and, where it is installed, ONNX Runtime.

    One run of each after the other, `runs` times, so that what else the machine does meets all of them alike.
    """
    names = {"tflite": "LiteRT", "onnx": "ONNX Runtime", "saved_model": "SavedModel"}
    sessions = {f"{names[kind]}, {t} thread{'s' * (t > 1)}": _open(exportable, path, kind, t) for t in (1, 2)}
    if kind == "saved_model":  # threads are TensorFlow's own affair there
        sessions = {names[kind]: next(iter(sessions.values()))}
    batch_size = next(iter(sessions.values())).batch_size
    sessions["Keras"] = _Keras(exportable, batch_size)
    if kind == "tflite":
        sessions |= _onnx_sessions(exportable, batch_size)
    inputs = exportable.inputs(batch_size)
    for session in sessions.values():
        session.run(inputs)
        _times(session, 10)
    times = {name: [] for name in sessions}
    for _ in range(runs):
        for name, session in sessions.items():
            times[name] += _times(session, 1)
    return {name: Latency(statistics.median(t), float(np.percentile(t, 95))) for name, t in times.items()}


def _onnx_sessions(exportable, batch_size):
    """The same network in ONNX Runtime, 1 thread; none where it is not installed."""
    try:
        check_installed("onnx")
    except ImportError:
        return {}
    from kerasgan.export import to_onnx, to_saved_model

    with to_saved_model.temporary_folder(None) as folder:
        path = folder / "network.onnx"
        to_onnx.write(exportable, path, batch_size)
        return {"ONNX Runtime, 1 thread": _open(exportable, path, "onnx", 1)}


def _times(session, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        session.invoke()
        times.append(1000 * (time.perf_counter() - start))
    return times


def save(found, path):
    """Writes `Verification`s as a JSON list."""
    with files.atomic(path) as temporary:
        temporary.write_text(json.dumps([one.to_dict() for one in found], indent=1) + "\n", encoding="utf-8")
