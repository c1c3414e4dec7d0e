"""`.keras` files that are damaged, or made to fill the memory: refused before they do, and by name."""

import io
import json
import os
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasgan import files, keras_file
from kerasgan.callbacks import Checkpoint
from kerasgan.models import VanillaGAN


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """{name: content} of a sound file."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    VanillaGAN(image_shape=(8, 8, 1), latent_dim=4, units=8, maxout_units=8, seed=1).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, parts, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def refused(path, match, error=ValueError):
    """Opens the file, which must fail at once and by its name, with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(error, match=match) as found:
            Checkpoint.load(path)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert path.name in str(found.value)


def with_array(content, name_part, **arguments):
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        names = []
        opened.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = next(name for name in names if name_part in name)
        del opened[name]
        opened.create_dataset(name, **arguments)
    return file.getvalue()


def test_what_is_packed_is_opened(parts, tmp_path):
    model, epoch, step = Checkpoint.load(packed(tmp_path / "model.keras", parts))
    assert type(model) is VanillaGAN and (epoch, step) == (0, 0)


def test_arrays_that_are_not_there(parts, tmp_path):
    weights = with_array(parts["model.weights.h5"], "generator", shape=(2**29,), dtype="float32", chunks=True)
    path = packed(tmp_path / "huge.keras", {**parts, "model.weights.h5": weights})
    refused(path, "its arrays would take 2,048 MB of memory.*KERASGAN_LIMIT_MB=2049", files.TooLarge)
    for arguments in ({"data": "text"}, {"shape": (4,), "dtype": "f4", "external": [("/etc/hostname", 0, 16)]}):
        weights = with_array(parts["model.weights.h5"], "generator", **arguments)
        refused(packed(tmp_path / "odd.keras", {**parts, "model.weights.h5": weights}), "is no array of numbers")


def test_a_configuration_that_unpacks_to_gigabytes(parts, tmp_path, monkeypatch):
    monkeypatch.setenv(files.LIMIT, "8")
    bomb = {**parts, "config.json": b" " * 20_000_000 + parts["config.json"]}
    refused(packed(tmp_path / "bomb.keras", bomb, zipfile.ZIP_DEFLATED), "would take 19 MB", files.TooLarge)
    monkeypatch.setenv(files.LIMIT, "200")
    Checkpoint.load(tmp_path / "bomb.keras")


def test_a_model_that_its_file_does_not_hold(parts, tmp_path):
    config = json.loads(parts["config.json"])
    config["config"]["units"] = 20_000  # squared, 1.6 GB of weights
    path = packed(tmp_path / "wide.keras", {**parts, "config.json": json.dumps(config)})
    refused(path, "the model that it describes would take", files.TooLarge)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"a":' * 500 + b"1" + b"}" * 500),
        ("config.json", b"[]"),
        ("config.json", b"\xff\xfe"),
        ("config.json", b'{"class_name": "DCGAN", "module": "kerasgan.models.dcgan", "config": {"width": "x"}}'),
        ("config.json", b'{"class_name": "Gone", "module": "kerasgan.models.gone", "config": {}}'),
        ("model.weights.h5", b""),
        ("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(500)),
        ("kerasgan_position.json", b'{"epoch": "soon"}'),
        ("kerasgan_position.json", b"5"),
        ("model.weights.npz", b"x"),
        ("../outside", b"x"),
    ],
)
def test_parts_that_are_damaged(parts, tmp_path, name, content):
    refused(packed(tmp_path / "model.keras", {**parts, name: content}), "model.keras")
    assert os.listdir(tmp_path) == ["model.keras"]


def test_other_models_of_keras(tmp_path):
    path = tmp_path / "network.keras"
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.BatchNormalization()])
    network.save(path)
    model, position = keras_file.open_model(path, compile=False)
    assert position == {}
    np.testing.assert_array_equal(model(np.ones((1, 4))), network(np.ones((1, 4))))
