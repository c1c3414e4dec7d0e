"""TFLite (LiteRT): the format that phones, browsers and microcontrollers run."""

import contextlib
import math
import os
import re
import warnings

from kerasgan.console import quiet
from kerasgan.export import comparison, flatbuffer, mirror_padding, runtimes, sidecar, subpixel, to_saved_model
from kerasgan.export.network import SIGNATURE, Exportable, UnsupportedOperation, check_new, check_whole

# What weights and arithmetic are; inputs and outputs are float32 (classes int32) in all of them.
MODES = {
    "float32": "as trained",
    "float16": "weights of 16 bits, computed in float32: half the size",
    "dynamic": "weights of 8 bits, activations quantized as they come: a quarter of the size",
    "int8": "weights and activations of 8 bits, calibrated on the model's own latents: for processors without floats",
}


def tflite(
    gan,
    path,
    quantize=None,
    *,
    batch_size=1,
    calibration=100,
    seed=0,
    allow_select_ops=False,
    overwrite=False,
    verify=True,
):
    """Writes the generator as a .tflite file of built-in operators, with its sidecar `PATH.json` beside it.

    The file has the signature "serving_default" with named inputs (`latents`, and `labels` where the GAN has classes)
    and named outputs; for images one, floats in [0, 1], channels last. The sidecar, which is also in the file as its
    metadata "kerasgan", gives names, shapes, ranges, classes and licences.

    ```python
    print(kerasgan.export.tflite("dcgan_celeba", "faces.tflite", quantize="float16"))
    ```

    Args:
        gan: a `kerasgan.GAN`, a name of the zoo, a run folder or a `.keras` file.
        path: file to write, ending in .tflite.
        quantize: None or "float32", "float16", "dynamic" (8-bit weights) or "int8" (8-bit weights and activations).
        batch_size: samples in one run; phones want 1, and a graph whose batch is open runs many times slower there.
        calibration: samples of the model's own latents (classes evenly) that "int8" takes its ranges from.
        seed: of calibration and verification.
        allow_select_ops: admits TensorFlow operations that LiteRT, on phones and in browsers, does not have. A file
            that holds some cannot be run here: it is written with a warning, not verified.
        overwrite: whether a file that is there is replaced.
        verify: whether to run it and hold it against Keras before it gets its name; False also leaves out the check of
            the tolerance.

    Returns:
        `kerasgan.export.Verification` (without latencies), or None for a file that was not verified.

    Raises:
        TypeError, ValueError: an argument; nothing has been done.
        UnsupportedOperation: an operation that TFLite does not have, with its layer; of "int8", a loop.
        FileExistsError, OSError: `path` exists or cannot be written.
        ToleranceError: the samples are not Keras's (see `kerasgan.export.TOLERANCES`); nothing has been written.
        ImportError: `verify` without LiteRT.
    """
    mode = "float32" if quantize is None else quantize
    if mode not in MODES:
        raise ValueError(f"quantize={quantize!r}: expected one of {', '.join(map(repr, MODES))}, or None for float32.")
    check_whole("batch_size", batch_size)
    check_whole("calibration", calibration)
    path = check_new(path, ".tflite", overwrite)
    if verify:
        runtimes.check_installed("tflite")
    exportable = Exportable.of(gan)
    described = sidecar.describe(exportable, "tflite", batch_size, mode)
    with to_saved_model.temporary_folder(path.absolute().parent) as folder:
        samples = _calibration(exportable, calibration, batch_size, seed) if mode == "int8" else None
        data = _converted(exportable, folder, mode, batch_size, samples, allow_select_ops)
        written = folder / path.name
        written.write_bytes(flatbuffer.with_metadata(data, described))
        foreign = flatbuffer.foreign_operators(data)
        if foreign and verify:
            warnings.warn(
                f"{path.name} holds {', '.join(foreign)}, which LiteRT does not run: not verified.", stacklevel=2
            )
        result = comparison.check(exportable, written, "tflite", mode, seed) if verify and not foreign else None
        sidecar.write(described, written, path)
        os.replace(written, path)
    return result


def _converted(exportable, folder, mode, batch_size, samples, allow_select_ops):
    """The bytes of the converted network; its operators are those that TFLite has."""
    if mode == "int8":
        _check_loops(exportable)
    saved = folder / "saved_model"
    to_saved_model.write(exportable, saved, batch_size)
    try:
        data = _convert(saved, mode, samples, allow_select_ops)
    except _converter_error() as error:
        # Converted once more with TensorFlow's operations admitted, the file tells which ones they are, and where.
        with contextlib.suppress(_converter_error()):
            _check_operators(exportable, _convert(saved, "float32", None, allow_select_ops=True))
        raise UnsupportedOperation(
            f"{exportable.name} cannot be converted to TFLite in mode {mode!r}: {str(error).strip().splitlines()[0]}"
        ) from error
    if not allow_select_ops:
        _check_operators(exportable, data)
    return mirror_padding.rewritten(subpixel.rewritten(data))


def _convert(saved, mode, samples, allow_select_ops):
    import tensorflow as tf

    with quiet():  # it reports gradients that nobody asks for
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved), signature_keys=[SIGNATURE])
    kernels = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if mode == "int8" else tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.target_spec.supported_ops = [*kernels, *([tf.lite.OpsSet.SELECT_TF_OPS] if allow_select_ops else [])]
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode == "int8":
        converter.representative_dataset = samples
    with quiet():
        return converter.convert()


def _converter_error():
    from tensorflow.lite.python.convert import ConverterError

    return ConverterError


def _calibration(exportable, count, batch_size, seed):
    """The representative data set: a function that gives (signature, {name: array}) for each run."""

    def samples():
        inputs = exportable.inputs(math.ceil(count / batch_size) * batch_size, seed)
        for start in range(0, count, batch_size):
            yield SIGNATURE, {name: values[start : start + batch_size] for name, values in inputs.items()}

    return samples


def _check_operators(exportable, data):
    foreign = flatbuffer.foreign_operators(data)
    if foreign:
        where = ", ".join(f"{name} in {_layers_of(exportable, name.removeprefix('Flex'))}" for name in foreign)
        raise UnsupportedOperation(
            f"{exportable.name} needs operations that TFLite's built-in kernels do not have: {where}. Build it from "
            "others (random numbers become inputs, resizing bilinear), or pass allow_select_ops=True for a file "
            "that only runtimes with TensorFlow's own operations run."
        )


def _check_loops(exportable):
    """Raises an `UnsupportedOperation` for a network with a loop: on one, TensorFlow's calibration crashes."""
    for operation in ("While", "StatelessWhile"):
        if any(node.op == operation for node in _nodes(exportable)):
            raise UnsupportedOperation(
                f"{exportable.name} cannot be converted to TFLite in mode 'int8': the ranges of 8-bit activations are "
                f"not found inside of a loop ({operation} in {_layers_of(exportable, operation)}). Use "
                'quantize="dynamic", which keeps activations as floats in a file of the same size.'
            )


def _nodes(exportable):
    """The operations of a network's graph, with those of the functions that it calls."""
    graph = to_saved_model.concrete_function(exportable, 1).graph.as_graph_def()
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


def _layers_of(exportable, operation):
    """The layers that hold an operation of TensorFlow, in words: the innermost ones that its graph names."""
    nodes = _nodes(exportable)
    layers = {layer.name for layer in exportable.network._flatten_layers()}
    found = {}
    for node in nodes:
        if node.op == operation:
            parts = [part if part in layers else re.sub(r"_\d+$", "", part) for part in reversed(node.name.split("/"))]
            found[next((part for part in parts if part in layers), node.name)] = None
    return f"layer {', '.join(map(repr, found))}" if found else "a layer that its graph does not name"
