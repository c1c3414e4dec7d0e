"""Transposed convolutions as sub-pixel ones: against the definition, Keras, and TensorFlow's own conversion."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import export
from kerasgan.export import flatbuffer, mirror_padding, subpixel, to_tflite
from kerasgan.export.network import SIGNATURE
from kerasgan.layers import UpsamplingConv2D
from kerasgan.models import WaveGAN

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.mark.parametrize("same", [True, False])
def test_every_way_along_an_axis_is_the_transposed_convolution(same):
    random = np.random.default_rng(3)
    for size, stride, inputs in itertools.product(range(1, 8), range(1, 5), range(2, 6)):
        whole = (inputs - 1) * stride + max(size, stride)
        for outputs in {inputs * stride, inputs * stride - (stride > 1)} if same else {whole}:
            taken = subpixel.fastest(size, stride, inputs, outputs, same)
            kernel, values = random.normal(size=size), random.normal(size=inputs)
            spread = np.zeros((inputs - 1) * stride + size + stride)
            for place, value in enumerate(values):
                spread[place * stride : place * stride + size] += value * kernel
            expected = spread[taken.before : taken.before + outputs]
            for zeros in range(stride):
                way = subpixel.Axis(size, stride, inputs, outputs, taken.before, zeros)
                if min(way.padding) < 0:
                    continue
                assert way.cost >= taken.cost
                one = subpixel.Axis(1, 1, 1, 1, 0, 0)
                phases = subpixel._phases(kernel[None, None, :, None], one, way)[:, 0, :, 0]
                padded = np.pad(values, way.padding)
                made = [phases @ padded[place : place + way.taps] for place in range(way.places)]
                made = np.concatenate(made)[way.cut : way.cut + outputs]
                np.testing.assert_allclose(np.pad(expected, (0, outputs - len(expected))), made, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "stride", "outputs", "before", "zeros", "taps"),
    [
        (4, 2, 16, 1, 0, 2),  # a pixel is cut off: 81 places of 4 taps, not 64 of 9
        (5, 2, 16, 1, 1, 3),
        (6, 2, 16, 2, 0, 3),
        (3, 2, 16, 0, 0, 2),
        (25, 4, 32, 10, 2, 7),
    ],
)
def test_what_is_taken(size, stride, outputs, before, zeros, taps):
    way = subpixel.fastest(size, stride, 8, outputs, same=True)
    assert (way.before, way.zeros, way.taps) == (before, zeros, taps)


def converted(layer, shape, folder, mode="float32"):
    """A layer and TensorFlow's own conversion of it."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape))
    function = tf.function(lambda maps: {"maps": model(maps)}, autograph=False)
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    signature = function.get_concrete_function(tf.TensorSpec((1, *shape), name="x"))
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: signature})

    def samples():
        yield SIGNATURE, {"x": example(shape)}

    return model, to_tflite._convert(folder, mode, samples, allow_select_ops=False)


def example(shape):
    return np.random.default_rng(2).normal(size=(1, *shape)).astype("float32")


def run(data, values):
    return interpreter.Interpreter(model_content=data).get_signature_runner(SIGNATURE)(x=values)["maps"]


CASES = {
    "kernel 4": (keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="relu"), (5, 4, 2)),
    "kernel 5, no bias": (keras.layers.Conv2DTranspose(9, 5, 2, "same", use_bias=False), (4, 7, 3)),
    "kernel 6": (keras.layers.Conv2DTranspose(2, 6, 2, "same", activation="tanh"), (3, 5, 9)),
    "kernel 5, stride 3": (keras.layers.Conv2DTranspose(1, 5, 3, "same"), (4, 3, 2)),
    "kernel 6, stride 3": (keras.layers.Conv2DTranspose(4, 6, 3, "same"), (5, 5, 2)),
    "kernel 3": (keras.layers.Conv2DTranspose(4, 3, 2, "same"), (5, 4, 2)),
    "kernel 4x2, valid": (keras.layers.Conv2DTranspose(4, (4, 2), 2), (5, 4, 2)),
    "stride 1": (keras.layers.Conv2DTranspose(4, 3, 1, "same"), (3, 4, 2)),
    "sequence": (keras.layers.Conv1DTranspose(3, 25, 4, "same"), (8, 2)),
    "sequence of kernel 4, no bias": (keras.layers.Conv1DTranspose(1, 4, 2, "same", use_bias=False), (7, 2)),
    "doubled pixels": (UpsamplingConv2D(4, 3), (9, 9, 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_converted_layers_are_keras_s(case, tmp_path):
    layer, shape = CASES[case]
    model, data = converted(layer, shape, tmp_path)
    rewritten = subpixel.rewritten(data)
    assert "TRANSPOSE_CONV" in flatbuffer.operators(data)
    assert "TRANSPOSE_CONV" not in flatbuffer.operators(rewritten)
    values = example(shape)
    np.testing.assert_allclose(run(rewritten, values), np.asarray(model(values)), atol=2e-5)
    assert subpixel.rewritten(data) == rewritten


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("mode", ["float16", "dynamic", "int8"])
def test_quantized_weights_stay_what_they_are(mode, use_bias, tmp_path):
    shape = (6, 4, 8)
    _, data = converted(keras.layers.Conv2DTranspose(9, 4, 2, "same", use_bias=use_bias), shape, tmp_path, mode)
    rewritten = subpixel.rewritten(data)
    assert "TRANSPOSE_CONV" not in flatbuffer.operators(rewritten)
    before, after = run(data, example(shape)), run(rewritten, example(shape))
    assert len(rewritten) < len(data) + 4000  # what the graph takes: weights are in it once, of as many bits
    np.testing.assert_allclose(after, before, atol=0 if mode == "int8" else 1e-4)


def test_what_would_be_slower_stays_and_so_does_a_file_without_any(tmp_path):
    _, slower = converted(keras.layers.Conv2DTranspose(16, 4, 3, "same"), (4, 4, 2), tmp_path / "slower")
    assert list(flatbuffer.operators(slower)) == ["TRANSPOSE_CONV"] and subpixel.rewritten(slower) is slower
    _, without = converted(keras.layers.Conv2D(4, 3), (4, 4, 2), tmp_path / "without")
    assert subpixel.rewritten(without) is without


@pytest.mark.parametrize("mode", ["float32", "int8"])
@pytest.mark.parametrize("kind", ["REFLECT", "SYMMETRIC"])
def test_padding_by_reflection_is_gathered(kind, mode, tmp_path):
    layer = keras.layers.Lambda(lambda x: tf.pad(x, [[0, 0], [3, 1], [0, 2], [0, 0]], kind))
    _, data = converted(layer, (4, 5, 3), tmp_path, mode)
    rewritten = mirror_padding.rewritten(data)
    assert "MIRROR_PAD" in flatbuffer.operators(data) and flatbuffer.operators(rewritten)["GATHER"] == 2
    values = example((4, 5, 3))
    np.testing.assert_array_equal(run(rewritten, values), run(data, values))
    assert mirror_padding.rewritten(rewritten) is rewritten


def test_nothing_unused_is_left(dcgan, tmp_path):
    export.tflite(dcgan, tmp_path / "g.tflite", "float16", verify=False)
    model = flatbuffer.read((tmp_path / "g.tflite").read_bytes())
    (graph,) = model.subgraphs
    ends = {tensor for operator in graph.operators for tensor in (*operator.inputs, *operator.outputs)}
    assert set(range(len(graph.tensors))) == ends - {-1}
    assert {operator.opcodeIndex for operator in graph.operators} == set(range(len(model.operatorCodes)))
    stored = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in model.metadata}
    filled = {place for place, buffer in enumerate(model.buffers) if buffer.data is not None and len(buffer.data)}
    assert filled <= stored


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_exports_have_no_transposed_convolution(kind, dcgan, tmp_path):
    gan = dcgan if kind == "images" else WaveGAN(length=256, sample_rate=8000, latent_dim=6, width=2, seed=1)
    found = export.tflite(gan, tmp_path / "g.tflite")
    assert "TRANSPOSE_CONV" not in found.operators and found.operators["CONV_2D"] >= 2
    assert found.max_difference < 1e-5
