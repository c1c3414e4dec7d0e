"""What a SavedModel would do, read before it is loaded: TensorFlow runs what is in it, whoever wrote that.

A generator computes; a file that reads, writes, talks or calls Python is refused, and so are variables and constants
that its bytes do not explain.
"""

import math
import re

from kerasgan import files, trust

# In functions of every SavedModel, which nothing calls.
_SAVING = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}
_PACKED = 4


def check(path):
    """Checks the SavedModel in a folder before it is loaded.

    Raises:
        ValueError: it does more than compute, or declares more than it holds.
        google.protobuf.message.DecodeError: it is damaged.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    stored = sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    graph_file = path / "saved_model.pb"
    files.check_declared(graph_file.stat().st_size, 0, repr(str(graph_file)))
    model = saved_model_pb2.SavedModel.FromString(graph_file.read_bytes())
    declared = 0
    for graph in model.meta_graphs:
        objects, functions = graph.object_graph_def.nodes, graph.graph_def.library.function
        if not objects:
            raise ValueError("it is of TensorFlow 1, which would run all of it")
        if any(node.WhichOneof("kind") == "resource" for node in objects):
            raise ValueError("it has resources of its own, such as tables, which loading would initialize")
        _check_functions(functions, {name for node in objects for name in _functions_of(node)})
        declared += sum(_bytes(node.variable.shape) for node in objects if node.HasField("variable"))
        inside = [node for function in functions for node in function.node_def]
        declared += sum(_bytes(node.attr["value"].tensor.tensor_shape) for node in inside if node.op == "Const")
    files.check_declared(declared, stored, f"path {str(path)!r}: what it holds", _PACKED)


def _functions_of(node):
    """Names of the functions that an object of the model offers to be called."""
    kind = node.WhichOneof("kind")
    if kind == "function":
        return node.function.concrete_functions
    return [node.bare_concrete_function.concrete_function_name] if kind == "bare_concrete_function" else []


def _check_functions(functions, offered):
    """Raises a ValueError if what may be called, as the functions `offered` are, reaches out of the graph."""
    nodes = [node for function in functions for node in function.node_def]
    called = offered | {attribute.func.name for node in nodes for attribute in node.attr.values()}
    for function in functions:
        name = function.signature.name
        saves = re.fullmatch(r"__inference__traced_(save|restore)_\d+", name) and name not in called
        trust.check_operations(node.op for node in function.node_def if not (saves and node.op in _SAVING))


def _bytes(shape):
    return 0 if shape.unknown_rank else 4 * math.prod(max(0, dimension.size) for dimension in shape.dim)
