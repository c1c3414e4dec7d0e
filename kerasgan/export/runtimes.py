"""What runs exported files: LiteRT, ONNX Runtime, TensorFlow (a SavedModel), and Keras itself, with one interface."""

import contextlib
import importlib.util

from kerasgan import console, files
from kerasgan.export import flatbuffer, saved_graph
from kerasgan.export.network import SIGNATURE


class Runtime:
    """A network that is ready to run.

    Attributes:
        title: what people call the runtime.
        needs, extra: modules that it imports, and the extra of kerasgan that installs them.
        threads: numbers of threads that it can be told to use; () leaves them to it.
        inputs: {name: shape}, the batch first; a batch that is left open is no positive number.
        outputs: names.
    """

    title = None
    needs, extra = (), None
    threads = (1, 2)

    @property
    def batch_size(self):
        """Samples in a run: what all inputs agree on, 1 where that is open."""
        sizes = {shape[0] for shape in self.inputs.values()}
        return next(iter(sizes)) if all(isinstance(size, int) and size > 0 for size in sizes) else 1

    def run(self, inputs):
        """{input name: array of a batch} -> {output name: array of a batch}."""
        self._last = self._prepared(inputs)
        return self.invoke()

    def invoke(self):
        """`run` on the last inputs once more: what takes the time that is measured."""
        raise NotImplementedError

    def _prepared(self, inputs):
        return inputs


class LiteRT(Runtime):
    """A .tflite file as phones run it, with XNNPACK."""

    title = "LiteRT"
    needs, extra = ("ai_edge_litert",), "export"

    def __init__(self, path, threads=1):
        from ai_edge_litert.interpreter import Interpreter

        data = path.read_bytes()
        interpreter = Interpreter(model_content=data, num_threads=threads)  # refuses what is no sound flatbuffer
        foreign = flatbuffer.foreign_operators(data)
        if foreign:
            raise ValueError(f"LiteRT does not run its operations {', '.join(foreign)}")
        files.check_declared(flatbuffer.largest_tensor(data), len(data), f"path {str(path)!r}: one of its tensors")
        with console.quiet():  # XNNPACK announces itself
            interpreter.allocate_tensors()
        self.outputs = list(interpreter.get_signature_list()[SIGNATURE]["outputs"])
        self._runner = interpreter.get_signature_runner(SIGNATURE)
        details = self._runner.get_input_details()
        self.inputs = {name: [int(n) for n in detail["shape_signature"]] for name, detail in details.items()}

    def invoke(self):
        return self._runner(**self._last)


class ONNXRuntime(Runtime):
    """An .onnx file on the processor."""

    title = "ONNX Runtime"
    needs, extra = ("onnxruntime", "tf2onnx"), "onnx"

    def __init__(self, path, threads=1):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {each.name: each.shape for each in self._session.get_inputs()}
        self.outputs = [each.name for each in self._session.get_outputs()]

    def invoke(self):
        return dict(zip(self.outputs, self._session.run(None, self._last), strict=True))


class _TensorFlow(Runtime):
    """What is called as a function of tensors."""

    threads = ()

    def _prepared(self, inputs):
        import tensorflow as tf

        return {name: tf.constant(values) for name, values in inputs.items()}

    def invoke(self):
        return {name: values.numpy() for name, values in self._function(**self._last).items()}


class SavedModel(_TensorFlow):
    """A SavedModel folder in TensorFlow, which chooses its threads itself."""

    title = "SavedModel"

    def __init__(self, path, threads=None):
        import tensorflow as tf

        saved_graph.check(path)
        self._model = tf.saved_model.load(str(path))  # the signature lives as long as the model
        self._function = self._model.signatures[SIGNATURE]
        _, named = self._function.structured_input_signature
        self.inputs = {name: list(specification.shape) for name, specification in named.items()}
        self.outputs = list(self._function.structured_outputs)


class Keras(_TensorFlow):
    """The network of an `Exportable` itself: one compiled `tf.function` on batches of one size."""

    title = "Keras"

    def __init__(self, exportable, batch_size):
        import tensorflow as tf

        specifications = exportable.specifications(batch_size)
        self.inputs = {each.name: list(each.shape) for each in specifications}
        self.outputs = list(exportable.outputs)
        run = tf.function(exportable.function, input_signature=specifications, autograph=False)
        self._function = lambda **inputs: run(*(inputs[name] for name in exportable.input_names))


# By what `Verification.format` and the sidecar call the format.
OF_FORMAT = {"tflite": LiteRT, "onnx": ONNXRuntime, "saved_model": SavedModel}
_ENDINGS = {".tflite": "tflite", ".onnx": "onnx"}


def check_installed(kind):
    """Raises an ImportError that names the extra, unless what runs this format is installed."""
    runtime = OF_FORMAT[kind]
    missing = [module for module in runtime.needs if importlib.util.find_spec(module) is None]
    if missing:
        raise ImportError(f'{kind} files need {", ".join(missing)}: pip install "kerasgan[{runtime.extra}]"')


def format_of(path):
    """The format of an exported file, by its ending, or of a SavedModel folder.

    Raises:
        ValueError: it is neither.
    """
    if path.is_dir() and (path / "saved_model.pb").is_file():
        return "saved_model"
    if not path.is_file() or path.suffix.lower() not in _ENDINGS:
        raise ValueError(f"path {str(path)!r}: expected a .tflite or .onnx file or a SavedModel folder.")
    return _ENDINGS[path.suffix.lower()]


def open_file(exportable, path, kind, threads=1):
    """The `Runtime` of a file that was exported of an `Exportable`.

    Raises:
        ValueError: the file is damaged, or has other inputs or outputs.
    """
    with of_file(path):
        runtime = OF_FORMAT[kind](path, threads)
    wanted, has = sorted(exportable.input_names), sorted(runtime.inputs)
    if has != wanted or sorted(runtime.outputs) != sorted(exportable.outputs):
        raise ValueError(
            f"path {str(path)!r} is not an export of {exportable.name}: it turns {', '.join(has)} into "
            f"{', '.join(runtime.outputs)}, expected {', '.join(wanted)} into {', '.join(exportable.outputs)}."
        )
    for specification in exportable.specifications(None):
        found, expected = tuple(runtime.inputs[specification.name][1:]), tuple(specification.shape[1:])
        if found != expected:
            raise ValueError(
                f"path {str(path)!r} is not an export of {exportable.name}: its {specification.name} have the shape "
                f"{found}, expected {expected}."
            )
    return runtime


@contextlib.contextmanager
def of_file(path):
    """Turns what a runtime says of a file into a ValueError that names it: each has errors of its own."""
    try:
        yield
    except (files.TooLarge, ImportError, MemoryError):
        raise
    except Exception as error:
        reason = files.explained(ValueError(console.reason(error)))
        raise ValueError(f"path {str(path)!r} cannot be run: it is damaged or foreign ({reason}).") from error
