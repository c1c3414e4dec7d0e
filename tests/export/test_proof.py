"""What a proof names: all that decides the files of a model, and nothing else."""

import keras
import numpy as np
import pytest

from kerasgan import export
from kerasgan.export import flatbuffer, proof
from kerasgan.export.network import Exportable
from kerasgan.models import DCGAN

pytest.importorskip("ai_edge_litert")


def made(folder, width=2, seed=1):
    """An `Exportable` and its float32 file."""
    exportable = Exportable.of(DCGAN(image_shape=(16, 16, 1), latent_dim=4, width=width, seed=seed))
    export.tflite(exportable, folder / "g.tflite", overwrite=True, verify=False)
    return exportable, folder / "g.tflite"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return made(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def proven(first):
    return proof.circumstances(*first)


def test_the_same_model_again_has_the_same_proof(first, proven, tmp_path):
    keras.layers.Dense(1)  # layers that were built before are counted in the names of tensors
    again = made(tmp_path)
    assert first[1].read_bytes() != again[1].read_bytes()
    assert proof.circumstances(*again) == proven


@pytest.mark.parametrize("change", [{"width": 3}, {"seed": 2}])
def test_another_network_has_another(first, proven, tmp_path, change):
    assert proof.circumstances(*made(tmp_path, **change))["network"] != proven["network"]


def test_one_weight_in_a_file_counts(first):
    data = first[1].read_bytes()
    kernel = np.asarray(first[0].gan.ema_generator.weights[-2], "float32").tobytes()[:8]  # of one tap
    place = data.find(kernel)
    changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert place > 0 and flatbuffer.fingerprint(changed) != flatbuffer.fingerprint(data)


@pytest.mark.parametrize("what", ["code", "versions", "inputs"])
def test_what_else_decides_counts(first, proven, monkeypatch, what):
    if what == "code":
        monkeypatch.setattr(proof, "_code", lambda: "other")
    if what == "versions":
        monkeypatch.setattr(proof.importlib.metadata, "version", lambda package: "99.0")
    if what == "inputs":
        monkeypatch.setattr(first[0], "_proof", {(64, 0): (first[0].inputs(64, seed=1), None)})
    found = proof.circumstances(*first)
    assert {key for key in found if found[key] != proven[key]} == {what}
