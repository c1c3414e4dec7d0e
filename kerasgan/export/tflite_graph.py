"""Changing the graphs of a .tflite file: other operators in the place of some, and constants for them."""

import functools

import numpy as np

from kerasgan.export import flatbuffer
from kerasgan.export.flatbuffer import schema


def edited(data, name, rewrite):
    """The file with other operators in the place of those of a name; the very same bytes where none is replaced.

    Args:
        data: bytes of a .tflite file.
        name: of the operator, such as "TRANSPOSE_CONV".
        rewrite: function of a `Graph` and an operator of it that returns the operators to put in its place, which make
            its outputs; None leaves it.

    Returns:
        bytes.
    """
    if name not in flatbuffer.operators(data):
        return data
    model = flatbuffer.read(data)
    replaced = [Graph(model, graph).replace(name, rewrite) for graph in model.subgraphs]
    if not any(replaced):
        return data
    _remove_unused(model)
    return flatbuffer.written(model)


class Graph:
    """A graph of a model; tensors go by their numbers, and operators are the schema's objects."""

    def __init__(self, model, graph):
        self._model, self._graph = model, graph
        self._maker = {output: operator for operator in graph.operators for output in operator.outputs}

    def replace(self, name, rewrite):
        """As `edited`; returns whether an operator was replaced."""
        code, operators, replaced = getattr(schema().BuiltinOperator, name), [], False
        for operator in self._graph.operators:
            found = rewrite(self, operator) if _code(self._model, operator) == code else None
            operators += [operator] if found is None else found
            replaced |= found is not None
        self._graph.operators = operators
        return replaced

    def shape(self, tensor):
        return tuple(map(int, self._graph.tensors[tensor].shape))

    def type(self, tensor):
        """Name of its type, such as "FLOAT32"."""
        return _types()[self._graph.tensors[tensor].type]

    def constant_of(self, tensor):
        """The constant that it is, or that a DEQUANTIZE makes it of; None where it is computed."""
        maker = self._maker.get(tensor)
        if maker is not None and _code(self._model, maker) == schema().BuiltinOperator.DEQUANTIZE:
            tensor, maker = int(maker.inputs[0]), self._maker.get(int(maker.inputs[0]))
        return tensor if maker is None and self.values(tensor) is not None else None

    def values(self, tensor):
        """The values of a constant; None of what is none, or of a type whose values are not whole bytes of NumPy's."""
        stored = self._model.buffers[self._graph.tensors[tensor].buffer].data
        dtype = {"FLOAT32": "<f4", "FLOAT16": "<f2", "INT8": "i1", "INT32": "<i4"}.get(self.type(tensor))
        if dtype is None or stored is None or not len(stored):
            return None
        return np.frombuffer(bytes(stored), dtype).reshape(self.shape(tensor))

    def tensor(self, shape, like, role):
        """A new tensor of the type and quantization of another one, called after it and its role."""
        made, model = schema().TensorT(), self._graph.tensors[like]
        made.shape, made.type, made.quantization, made.hasRank = list(shape), model.type, model.quantization, True
        made.name = (model.name or b"") + b"/" + role.encode()
        return self._added(made)

    def repeated(self, tensor, values, role):
        """A constant like another one, with its scales repeated for channels that are those of the other repeatedly.

        Where the other is made by a DEQUANTIZE, so is this: returns the tensor and the operators that make it.
        """
        like = self.constant_of(tensor)
        constant = self._constant(self.tensor(values.shape, like, role), values)
        made = self._graph.tensors[constant]
        scales = None if made.quantization is None else made.quantization.scale
        if scales is not None and len(scales):
            times = len(values) // len(self.values(like))
            made.quantization = quantization = schema().QuantizationParametersT()
            other = self._graph.tensors[like].quantization
            quantization.scale, quantization.zeroPoint = np.tile(scales, times), np.tile(other.zeroPoint, times)
            quantization.quantizedDimension = other.quantizedDimension
        if like == tensor:
            return constant, []
        output = self.tensor(values.shape, tensor, role)
        return output, [self.operator("DEQUANTIZE", [constant], output, version=3)]

    def integers(self, values, like, role):
        """A new constant of int32, called after another tensor."""
        values = np.array(values, "<i4")
        made = schema().TensorT()
        made.shape, made.type, made.hasRank = list(values.shape), schema().TensorType.INT32, True
        made.name = (self._graph.tensors[like].name or b"") + b"/" + role.encode()
        return self._constant(self._added(made), values)

    def no_bias(self, maps, kernel, role):
        """A new constant, called after a kernel: the zeros that a convolution of maps by it may add, in their type."""
        zeros = np.zeros(self.shape(kernel)[0], "<f4" if self.type(maps) == "FLOAT32" else "<i4")
        if zeros.dtype == "<f4":
            return self._constant(self.tensor(zeros.shape, maps, role), zeros)
        scale, scales = (self._graph.tensors[tensor].quantization.scale for tensor in (maps, kernel))
        bias = self.integers(zeros, kernel, role)
        self._graph.tensors[bias].quantization = quantization = schema().QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = scale * scales, np.zeros(len(scales), "<i8")
        return bias

    def operator(self, name, inputs, output, version=1, **options):
        """A new operator, with its options by the names of the schema's objects."""
        made = schema().OperatorT()
        made.opcodeIndex = self._opcode(getattr(schema().BuiltinOperator, name), version)
        made.inputs, made.outputs = list(inputs), [output]
        kind = "".join(map(str.capitalize, name.split("_"))).replace("Conv2d", "Conv2D") + "Options"
        made.builtinOptionsType = getattr(schema().BuiltinOptions, kind)
        made.builtinOptions = getattr(schema(), f"{kind}T")()
        for key, value in options.items():
            setattr(made.builtinOptions, key, value)
        return made

    def _added(self, tensor):
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, tensor, values):
        buffer = schema().BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), "u1")
        self._graph.tensors[tensor].buffer = len(self._model.buffers)
        self._model.buffers.append(buffer)
        return tensor

    def _opcode(self, code, version):
        codes = self._model.operatorCodes
        for number, known in enumerate(codes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code and known.version == version:
                return number
        made = schema().OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), version
        codes.append(made)
        return len(codes) - 1


def _remove_unused(model):
    """Removes what no output follows from: operators, tensors, opcodes, and values, whose places stay."""
    for number, graph in enumerate(model.subgraphs):
        wanted, operators = set(graph.outputs), []
        for operator in reversed(graph.operators):
            if not len(operator.outputs) or wanted & set(operator.outputs):
                operators.insert(0, operator)
                wanted |= set(operator.inputs)
        graph.operators = operators
        used = wanted | set(graph.inputs) | {tensor for operator in operators for tensor in operator.outputs}
        kept = [tensor for tensor in range(len(graph.tensors)) if tensor in used]
        places = {tensor: place for place, tensor in enumerate(kept)} | {-1: -1}
        graph.tensors = [graph.tensors[tensor] for tensor in kept]
        for lists in (graph, *operators):
            for field in ("inputs", "outputs"):
                setattr(lists, field, [places[tensor] for tensor in getattr(lists, field)])
        for signature in model.signatureDefs or []:
            if signature.subgraphIndex == number:
                for named in (*signature.inputs, *signature.outputs):
                    named.tensorIndex = places[named.tensorIndex]
    operators = [operator for graph in model.subgraphs for operator in graph.operators]
    codes = sorted({operator.opcodeIndex for operator in operators})
    for operator in operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)
    model.operatorCodes = [model.operatorCodes[code] for code in codes]
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in model.metadata or []}
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None


def _code(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


@functools.cache
def _types():
    return {number: name for name, number in vars(schema().TensorType).items() if isinstance(number, int)}
