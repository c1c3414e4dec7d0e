"""What an export asks of a game whose samples are no one array of floats in a range."""

import json

import keras
import numpy as np
import pytest

from kerasgan import GAN, export
from kerasgan.export import sidecar, tolerance
from kerasgan.export.network import Exportable
from kerasgan.media import Arrays

pytest.importorskip("ai_edge_litert")
WORDS = 5


class Captioned(GAN):
    """Makes a picture, any values in it, and three words for it, in a dictionary."""

    def inference_network(self):
        network = self.ema_generator
        latents = keras.Input(network.inputs[0].shape[1:], name="latents")
        made = network(latents, training=False)
        likely = keras.ops.reshape(made[:, : 3 * WORDS], (-1, 3, WORDS))
        words = keras.ops.top_k(likely, 1)[1][..., 0]  # Keras's argmax handles signs by bits, which TFLite has not
        return keras.Model(latents, {"words": words, "picture": keras.ops.reshape(made, (-1, 4, 4, 1))})

    def inference_outputs(self):
        return [
            {"name": "picture", "kind": "image", "range": None},
            {"name": "words", "kind": "tokens", "range": [0, WORDS - 1], "vocabulary": list("abcde")},
        ]


@pytest.fixture(scope="module")
def gan():
    latents, samples = keras.Input((6,)), keras.Input((16,))
    generator = keras.Model(
        latents, keras.layers.Dense(16, kernel_initializer=keras.initializers.RandomNormal(seed=1))(latents)
    )
    return Captioned(generator, keras.Model(samples, keras.layers.Dense(1)(samples)), media=Arrays((16,)), seed=1)


FORMATS = {
    "tflite": ("g.tflite", export.tflite),
    "saved_model": ("saved", export.saved_model),
    "onnx": ("g.onnx", export.onnx),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_outputs_of_any_kind_are_written_described_and_verified(gan, tmp_path, kind):
    if kind == "onnx":
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    name, write = FORMATS[kind]
    found = write(gan, tmp_path / name)
    assert found.passed and found.format == kind and found.max_difference < 1e-4
    described = sidecar.read(tmp_path / name)
    picture = {"name": "picture", "kind": "image", "dtype": "float32", "shape": [1, 4, 4, 1], "range": None}
    assert described["output"] == picture
    words = {"name": "words", "kind": "tokens", "dtype": "int32", "shape": [1, 3], "range": [0, 4]}
    assert described["outputs"] == [picture, {**words, "vocabulary": list("abcde")}]
    assert set(export.verify(gan, tmp_path / name, samples=1, runs=1).latencies) >= {"Keras"}


def test_words_that_are_others_are_found_out(gan, tmp_path):
    """Pictures within the tolerance do not make up for them."""
    export.tflite(gan, tmp_path / "g.tflite", "dynamic")
    exportable = Exportable.of(gan)
    inputs, expected = exportable.proof(64, seed=0)
    expected["words"] = (expected["words"] + (np.arange(64) < 10)[:, None]) % WORDS
    found = export.verify(exportable, tmp_path / "g.tflite", latency=False)
    assert not found.passed and found.tolerance == "words 90 % the same" and found.max_difference == 1.0
    assert found.mean_difference == pytest.approx(10 / 64, abs=0.05)


def test_values_in_no_range_are_judged_by_their_own():
    expected = np.linspace(-1000, 1000, 11)
    assert tolerance.measure("float32", expected + 0.1, expected)["passed"]
    assert not tolerance.measure("float32", expected + 0.1, expected, (0, 1))["passed"]
    assert not tolerance.measure("dynamic", np.ones(3), np.zeros(3))["passed"]  # Keras makes one value only


def test_a_single_output_is_described_as_ever(dcgan):
    described = sidecar.describe(Exportable.of(dcgan), "tflite", 1)
    assert list(described["output"]) == ["name", "kind", "dtype", "shape", "range"] and "outputs" not in described
    assert json.loads(json.dumps(described)) == described
