"""How long a verification that was done once goes on to hold: what an exported file follows from, in hashes.

Exporting and verifying a pretrained model in every mode can take minutes, and gives the same as long as nothing changes
that decides it. `phone.json`, beside the weights, keeps what that was when `tools/benchmark_generators.py` did it.
"""

import functools
import hashlib
import importlib.metadata
import pathlib

from kerasgan.export import comparison, flatbuffer

PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy")
_OTHERS = ("cache.py", "web.py")  # of this folder, that neither convert nor verify


def circumstances(exportable, float32):
    """What decides what the files of all modes are, and whether they are Keras's generator.

    A change of layers, of the type's file or of how weights are read counts if it changes the network, which the
    float32 file shows: it is made and verified anew each time, at little cost. The other modes follow from the same
    graph, with the code, the packages and the inputs named here.

    Args:
        exportable: `kerasgan.export.Exportable`, of a pretrained model.
        float32: path of its float32 .tflite file, made just now.

    Returns:
        A dict for JSON: `weights` (sha256 of each weight file), `network`, `inputs` and `code` (sha256), `versions`.
    """
    inputs, _ = exportable.proof(comparison.SAMPLES, seed=0)
    values = hashlib.sha256()
    for name in sorted(inputs):
        values.update(name.encode() + b"\0" + inputs[name].tobytes())
    return {
        "weights": {file.part: file.sha256 for file in exportable.recipe.weights} if exportable.recipe else {},
        "network": flatbuffer.fingerprint(pathlib.Path(float32).read_bytes()),
        "inputs": values.hexdigest(),
        "code": _code(),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


@functools.cache
def _code():
    """Of what converts and verifies."""
    digest = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        if path.name not in _OTHERS:
            digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
