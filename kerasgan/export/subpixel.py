"""Transposed convolutions of a .tflite file as sub-pixel convolutions, which LiteRT runs about twice as fast.

A transposed convolution of stride s makes s x s outputs of every place of its input, each by other taps of the kernel:
it is a plain convolution to s * s times the channels, by a kernel an s-th as long, whose channels are then spread over
space (Shi et al., 2016, arXiv:1609.05158 and 1609.07009). A kernel that s does not divide, or whose taps do not begin
at an output, is extended by zeros in front, or the first outputs are cut off again. Of these forms the one with the
fewest multiplications is taken. The weights stay what they are, those of 8 bits too: their files make the same samples,
bit for bit.
"""

import dataclasses
import math

import numpy as np

from kerasgan.export import tflite_graph

# Multiplications, in units of the transposed convolution's, up to which the other form is the faster one. Measured with
# LiteRT 2.3 on one thread: a kernel of 3, stride 2 (1.8 times as many) took 0.94 of the time in float32 and 0.7 of it
# in 8 bits; kernels of 4, stride 3, and 6, stride 4 (2.3 times) took 1.4 of it in float32.
_WORTHWHILE = 2
_LANES = 8  # channels that the kernels of a CPU make together, whether they are wanted or not
# Versions of CONV_2D by the types of maps and weights, as TensorFlow's converter gives them.
_VERSIONS = {("FLOAT32", "FLOAT32"): 1, ("FLOAT32", "INT8"): 5, ("INT8", "INT8"): 3}
_SAME, _VALID = 0, 1  # kinds of padding


def rewritten(data):
    """The bytes of a .tflite file with sub-pixel convolutions for all transposed ones that are faster so.

    What is another one, or computes its kernel, is left, and a file without any is returned as it is. What is made
    depends on shapes alone.
    """
    return tflite_graph.edited(data, "TRANSPOSE_CONV", _rewrite)


@dataclasses.dataclass(frozen=True)
class Axis:
    """How one axis is convolved: `zeros` before the kernel of `size` taps, `taps` of each of the `stride` phases.

    Args:
        size, stride: of the transposed convolution's kernel.
        inputs, outputs: lengths of its input and output.
        before: outputs that its padding cuts off at the start.
        zeros: taps put before the kernel.
    """

    size: int
    stride: int
    inputs: int
    outputs: int
    before: int
    zeros: int

    @property
    def taps(self):
        return math.ceil((self.zeros + self.size) / self.stride)

    @property
    def cut(self):
        """Outputs to cut off at the start of the spread ones."""
        return (self.before + self.zeros) % self.stride

    @property
    def places(self):
        """Length of the convolution's output."""
        return math.ceil((self.cut + self.outputs) / self.stride)

    @property
    def padding(self):
        """Zeros that the input is padded with: before, behind."""
        before = self.taps - 1 - (self.before + self.zeros) // self.stride
        return before, self.places + self.taps - 1 - self.inputs - before

    @property
    def same(self):
        """Whether that is what a convolution of "same" padding does by itself."""
        return self.padding == ((self.taps - 1) // 2, self.taps // 2)

    @property
    def whole(self):
        """Whether nothing is cut off."""
        return self.places * self.stride == self.outputs

    @property
    def cost(self):
        return self.places * self.taps, not self.whole, not self.same


def fastest(size, stride, inputs, outputs, same):
    """The cheapest `Axis` of a transposed convolution's; `same` is its padding, "same" or else "valid"."""
    if inputs == outputs == 1:
        stride = 1  # the height of a sequence
    before = max(0, (inputs - 1) * stride + size - outputs) // 2 if same else 0
    ways = [Axis(size, stride, inputs, outputs, before, zeros) for zeros in range(stride)]
    return min((way for way in ways if min(way.padding) >= 0), key=lambda way: way.cost)


def _rewrite(graph, operator):
    """The operators in the place of a TRANSPOSE_CONV; None where it stays."""
    _, kernel, maps, *bias = (int(tensor) for tensor in operator.inputs if tensor >= 0)
    output, options = int(operator.outputs[0]), operator.builtinOptions
    constants = [graph.constant_of(tensor) for tensor in (kernel, *bias)]
    version = _VERSIONS.get((graph.type(maps), graph.type(kernel)))
    if version is None or None in constants:
        return None
    weights, *offsets = map(graph.values, constants)  # (filters, height, width, channels), (filters,)
    batch, *sides, _ = graph.shape(maps)
    _, *larger, filters = graph.shape(output)
    strides, same = (options.strideH, options.strideW), options.padding == _SAME
    rows, columns = (fastest(*axis, same) for axis in zip(weights.shape[1:3], strides, sides, larger, strict=True))
    if rows.stride not in (1, columns.stride) or not _worthwhile(rows, columns, filters):
        return None

    made = []

    def add(name, inputs, output, version=1, **options):
        made.append(graph.operator(name, inputs, output, version, **options))
        return output

    phases = rows.stride * columns.stride
    typed = 2 if graph.type(maps) == "INT8" else 1  # the version of operators that only move values
    kernel, dequantized = graph.repeated(kernel, _phases(weights, rows, columns), "phases")
    made += dequantized
    if bias:
        bias, dequantized = graph.repeated(bias[0], np.tile(offsets[0], phases), "phases")
        made += dequantized
    else:
        bias = graph.no_bias(maps, kernel, "bias")
    padded = not (rows.same and columns.same)
    if padded:
        around = graph.integers([(0, 0), rows.padding, columns.padding, (0, 0)], output, "padding")
        wider = [side + sum(axis.padding) for side, axis in zip(sides, (rows, columns), strict=True)]
        maps = add("PAD", [maps, around], graph.tensor((batch, *wider, weights.shape[3]), maps, "padded"), typed)
    whole = rows.whole and columns.whole
    small = (batch, rows.places, columns.places, phases * filters)
    spread = (batch, rows.places * rows.stride, columns.places * columns.stride, filters)
    target = output if whole else graph.tensor(spread, output, "spread")
    x = add(
        "CONV_2D",
        [maps, kernel, bias],
        graph.tensor(small, output, "phases") if phases > 1 else target,
        version,
        padding=_VALID if padded else _SAME,
        fusedActivationFunction=options.fusedActivationFunction,
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
    )
    if phases > 1 and rows.stride == columns.stride:
        x = add("DEPTH_TO_SPACE", [x], target, typed, blockSize=rows.stride)
    elif phases > 1:
        x = add("RESHAPE", [x, graph.integers(spread, output, "shape")], target, newShape=list(spread))
    if not whole:
        start = graph.integers([0, rows.cut, columns.cut, 0], output, "start")
        add("SLICE", [x, start, graph.integers(graph.shape(output), output, "size")], output, typed)
    return made


def _worthwhile(rows, columns, filters):
    """Whether the form with these axes is faster than the transposed convolution."""
    phases = rows.stride * columns.stride
    new = rows.cost[0] * columns.cost[0] * math.ceil(phases * filters / _LANES)
    old = rows.inputs * rows.size * columns.inputs * columns.size * math.ceil(filters / _LANES)
    return new < _WORTHWHILE * old


def _phases(kernel, rows, columns):
    """Kernel (filters, height, width, channels) -> that of the convolution, (phases * filters, taps, taps, channels).

    The phases go row by row, as DEPTH_TO_SPACE takes them. A transposed convolution's taps go forwards from the place
    that they come from, a convolution's backwards to it.
    """
    filters, *_, channels = kernel.shape
    ends = [(axis.zeros, axis.taps * axis.stride - axis.zeros - axis.size) for axis in (rows, columns)]
    kernel = np.pad(kernel, [(0, 0), *ends, (0, 0)])
    kernel = kernel.reshape(filters, rows.taps, rows.stride, columns.taps, columns.stride, channels)
    phases = kernel[:, ::-1, :, ::-1].transpose(2, 4, 0, 1, 3, 5)
    return phases.reshape(-1, rows.taps, columns.taps, channels)
