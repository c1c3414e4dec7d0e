"""ONNX: the format of ONNX Runtime and of many other tools."""

import contextlib
import logging
import os

from kerasgan.export import comparison, runtimes, sidecar, to_saved_model
from kerasgan.export.network import Exportable, UnsupportedOperation, check_new, check_whole

_OPSET = 18


def onnx(gan, path, *, batch_size=1, overwrite=False, verify=True):
    """Writes the generator as an ONNX file, with its sidecar `PATH.json` beside it. Needs `kerasgan[onnx]`.

    Args:
        gan: a `kerasgan.GAN`, a name of the zoo, a run folder or a `.keras` file.
        path: file to write, ending in .onnx.
        batch_size: of the graph; None leaves it open.
        overwrite: whether a file that is there is replaced.
        verify: whether to run it in ONNX Runtime and hold it against Keras before it gets its name.

    Returns:
        `kerasgan.export.Verification` (without latencies), or None with `verify=False`.

    Raises:
        TypeError, ValueError: an argument; nothing has been done.
        FileExistsError, OSError: `path` exists or cannot be written.
        ToleranceError: the samples are not Keras's; nothing has been written.
        UnsupportedOperation: an operation that ONNX does not have, or tf2onnx does not know.
        ImportError: the extra is missing.
    """
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    path = check_new(path, ".onnx", overwrite)
    runtimes.check_installed("onnx")
    exportable = Exportable.of(gan)
    with to_saved_model.temporary_folder(path.absolute().parent) as folder:
        written = folder / path.name
        write(exportable, written, batch_size)
        result = comparison.check(exportable, written, "onnx", "float32") if verify else None
        sidecar.write(sidecar.describe(exportable, "onnx", batch_size), written, path)
        os.replace(written, path)
    return result


def write(exportable, path, batch_size):
    """Writes the ONNX file of an `Exportable`, unchecked but for its operations.

    Raises:
        UnsupportedOperation: there is one that ONNX does not have.
    """
    import tensorflow as tf
    import tf2onnx

    specifications = exportable.specifications(batch_size)
    function = tf.function(exportable.function, input_signature=specifications, autograph=False)
    with _without_failed_optimizations():
        tf2onnx.convert.from_function(function, input_signature=specifications, opset=_OPSET, output_path=str(path))
    if unknown := sorted(_unknown_operations(path)):
        raise UnsupportedOperation(
            f"{exportable.name} cannot be written as ONNX: it has {', '.join(unknown)}, which the converter has no "
            "operation of ONNX for. TFLite files and SavedModels of it can be written."
        )


def _unknown_operations(path):
    """Operations of an ONNX file, those inside of loops included, that ONNX does not have."""
    import onnx

    def unknown(graph):
        for node in graph.node:
            if not node.domain and not onnx.defs.has(node.op_type):
                yield node.op_type
            for attribute in node.attribute:
                yield from unknown(attribute.g)

    return set(unknown(onnx.load(str(path)).graph))


@contextlib.contextmanager
def _without_failed_optimizations():
    """Hides what tf2onnx's optimizers cannot do: it prints a traceback, and goes on with the graph as it was."""
    logger = logging.getLogger("tf2onnx.optimizer")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
