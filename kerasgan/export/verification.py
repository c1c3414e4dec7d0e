"""The proof: what an exported file makes, held against Keras, and how long it takes."""

import dataclasses
import json
import pathlib

from kerasgan import files
from kerasgan.export import runtimes, sidecar
from kerasgan.export.comparison import SAMPLES, compare
from kerasgan.export.latency import latencies
from kerasgan.export.network import Exportable, check_whole
from kerasgan.export.tolerance import TOLERANCES


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
    kind = runtimes.format_of(path)
    runtimes.check_installed(kind)
    about = sidecar.read(path) or {}
    if about.get("sha256", None) not in (None, sidecar.fingerprint(path)["sha256"]):
        raise ValueError(f"path {str(path)!r} is not the file that its sidecar describes (sha256); export it again.")
    mode = about.get("quantization", "float32")
    if mode not in TOLERANCES:
        about = sidecar.path_of(path)
        raise ValueError(f"{str(about)!r} names the quantization {mode!r}, which is none; export it again.")
    exportable = Exportable.of(gan)
    found = compare(exportable, path, kind, mode, samples, seed)
    return dataclasses.replace(found, latencies=latencies(exportable, path, kind, runs)) if latency else found


def save(found, path):
    """Writes `Verification`s as a JSON list."""
    with files.atomic(path) as temporary:
        temporary.write_text(json.dumps([one.to_dict() for one in found], indent=1) + "\n", encoding="utf-8")
