"""Reading and extending the bytes of a .tflite file: its operators, and metadata of our own."""

import collections
import hashlib
import json
import math

_OURS = "kerasgan"  # name of our metadata


def operators(data):
    """{operator name: how often} of all its graphs, in order of first use; custom ones by their own names."""
    return dict(collections.Counter(_operators(data)))


def foreign_operators(data):
    """Names of the operators that no built-in kernel runs."""
    return [name for name in operators(data) if name not in _builtin_names()]


def largest_tensor(data):
    """Bytes of the largest tensor that its graphs declare, in 32 bits an element."""
    model = schema().Model.GetRootAs(data)
    graphs = map(model.Subgraphs, range(model.SubgraphsLength()))
    tensors = (graph.Tensors(i) for graph in graphs for i in range(graph.TensorsLength()))
    return max((4 * math.prod(map(tensor.Shape, range(tensor.ShapeLength()))) for tensor in tensors), default=0)


def read(data):
    """The file as an object of the schema, a `ModelT`."""
    return _utilities().convert_bytearray_to_object(bytearray(data))


def written(model):
    """The bytes of a `ModelT`."""
    return bytes(_utilities().convert_object_to_bytearray(model))


def with_metadata(data, described):
    """The file with a dict as its metadata "kerasgan" (JSON), and its description as the model's."""
    model = read(data)
    buffer = schema().BufferT()
    buffer.data = list(json.dumps(described, ensure_ascii=False).encode())
    entry = schema().MetadataT()
    entry.name, entry.buffer = _OURS, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    model.description = f"{described['name']}: {described['makes']}"
    return written(model)


def metadata(data):
    """The dict that `with_metadata` put in, or None."""
    model = schema().Model.GetRootAs(data)
    for i in range(model.MetadataLength()):
        entry = model.Metadata(i)
        if entry.Name() == _OURS.encode():
            return json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    return None


def fingerprint(data):
    """sha256 of what a file computes: of its graphs and weights, but for metadata and for what its tensors are called.

    Keras numbers the layers of a process, and the names of tensors follow from these.
    """
    model = read(data)
    model.metadata = model.description = model.signatureDefs = None
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            tensor.name = None
    return hashlib.sha256(written(model)).hexdigest()


def _operators(data):
    """Yields the name of every operator."""
    model = schema().Model.GetRootAs(data)
    names = _builtin_names_by_code()
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operator in map(graph.Operators, range(graph.OperatorsLength())):
            code = model.OperatorCodes(operator.OpcodeIndex())
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # small ones are in the old field alone
            yield code.CustomCode().decode() if code.CustomCode() else names[number]


def _builtin_names_by_code():
    codes = vars(schema().BuiltinOperator)
    return {number: name for name, number in codes.items() if isinstance(number, int)}


def _builtin_names():
    # Variables are built in, too, but a file with them lacks its weights and computes nothing.
    return set(_builtin_names_by_code().values()) - {"CUSTOM", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}


def schema():
    """TensorFlow's module of the format's classes."""
    from tensorflow.lite.python import schema_py_generated

    return schema_py_generated


def _utilities():
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils
