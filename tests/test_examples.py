"""The scripts in examples/, run on as little as will do."""

import csv
import dataclasses
import datetime
import pathlib
import re

import as_script
import keras
import numpy as np
import PIL.Image
import pytest
from absl import flags

import kerasgan
from kerasgan import registry, weights
from kerasgan.registry import Recipe, WeightFile

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def load(name):
    """The script as a module."""
    return as_script.load(EXAMPLES / f"{name}.py")


@pytest.fixture
def run():
    """A function that runs a script with arguments."""

    def run(name, **arguments):
        module = load(name)
        flags.FLAGS([name, *(f"--{flag}={value}" for flag, value in arguments.items())])
        module.main([name])
        return module

    return run


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The name of a pretrained model of 16x16 pixels."""
    monkeypatch.setattr(registry, "_registered", {})
    recipe = {
        "name": "dcgan_tiny",
        "gan_type": "dcgan",
        "model": {"image_shape": [16, 16, 3], "latent_dim": 4, "width": 2, "latent": "normal"},
    }
    path = tmp_path / "tiny" / "generator.weights.h5"
    weights.save_half(registry.build(Recipe(**recipe)).generator, path)
    registry.register(Recipe(**recipe, weights=[WeightFile.from_file(path, "generator")]), folder=path.parent)
    return recipe["name"]


def sheet_size(columns, rows, side=16, gap=2):
    return columns * (side + gap) - gap, rows * (side + gap) - gap


def test_faces(run, tiny, tmp_path):
    module = run("faces", model=tiny, count=6, walks=2, steps=5, out=tmp_path / "faces")
    with PIL.Image.open(tmp_path / "faces" / "sheet.png") as sheet:
        assert sheet.size == sheet_size(3, 2)
    with PIL.Image.open(tmp_path / "faces" / "walks.png") as sheet:
        assert sheet.size == sheet_size(5, 2)
        pixels = np.asarray(sheet).astype(int)
    assert (pixels[:16, :16] != pixels[:16, -16:]).any(), "a walk ends where it began"
    start, end = np.random.default_rng(0).normal(size=(2, 3, 1000))
    latents = module.walk(start, end, 5).reshape(3, 5, 1000)
    np.testing.assert_allclose(latents[:, 0], start)
    np.testing.assert_allclose(latents[:, -1], end, atol=1e-6)
    np.testing.assert_allclose(latents.std(axis=-1), 1.0, atol=0.1)


def test_fine_tune(run, tiny, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (6, 20, 18, 3), "uint8")):
        PIL.Image.fromarray(pixels).save(photos / f"{i}.png")
    run("fine_tune", data=photos, model=tiny, epochs=2, batch_size=3, out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "samples").iterdir()) == [
        "animation.gif",
        "epoch_0001.png",
        "epoch_0002.png",
    ]
    tuned, before = keras.saving.load_model(tmp_path / "out" / "gan.keras"), registry.load(tiny)
    assert int(tuned.samples_seen) == 12
    assert (tuned.generate(1, seed=0) != before.generate(1, seed=0)).any()


def test_own_arrays(run, tmp_path):
    random = np.random.default_rng(0)
    pixels, labels = random.integers(0, 256, (12, 16, 16), "uint8"), np.arange(12) % 3
    np.savez(tmp_path / "mine.npz", x=pixels, y=labels)
    run("own_arrays", data=tmp_path / "mine.npz", epochs=1, width=2, out=tmp_path / "classes.png")
    with PIL.Image.open(tmp_path / "classes.png") as sheet:
        assert sheet.size == sheet_size(10, 3) and sheet.mode == "L"


def test_decode_table(run, tmp_path):
    """Rows of an exported model, each value one that its column can have; the same seed, the same rows."""
    pytest.importorskip("ai_edge_litert")
    modes = {"modes": [[0.5, 2.0, 1.0], [0.5, 9.0, 0.0]], "shares": [0.05] * 20}
    columns = [
        {"name": "word", "kind": "categorical", "values": ["a", "b", None], "counts": [3, 2, 1]},
        {"name": "size", "kind": "number", "least": 0.0, "most": 9.0, "decimals": 1, "missing": 1, **modes},
        {"name": "id", "kind": "identifier"},
        {"name": "land", "kind": "constant", "values": ["x"], "counts": [6]},
        {"name": "day", "kind": "datetime", "least": 0.0, "most": 864e4, "step": 86400, "missing": 0, **modes},
    ]
    columns[-1] |= {"format": "%d.%m.%Y", "modes": [[1.0, 432e4, 108e4]]}
    gan = kerasgan.models.CTGAN({"columns": columns, "associations": [[1.0] * 3] * 3}, units=8, seed=1)
    kerasgan.export.tflite(gan, tmp_path / "gan.tflite")
    run("decode_table", model=tmp_path / "gan.tflite", count=60, seed=3, out=tmp_path / "rows.csv")
    with open(tmp_path / "rows.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 and set(rows[0]) == {"word", "size", "land", "day"}
    assert {row["word"] for row in rows} == {"a", "b", ""} and {row["land"] for row in rows} == {"x"}
    sizes = {row["size"] for row in rows}
    assert {"9.0", ""} <= sizes and all(0 <= float(size) <= 9 and len(size) == 3 for size in sizes - {""})
    days = [datetime.datetime.strptime(row["day"], "%d.%m.%Y") for row in rows]
    assert min(days).year == 1970 and (max(days) - min(days)).days <= 100


def test_own_networks(run, tmp_path):
    module = run("own_networks", points=200, epochs=1, out=tmp_path / "ring.png")
    with PIL.Image.open(tmp_path / "ring.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
    points = module.ring(500)
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 0.8, atol=0.1)
    assert len(np.unique(np.round(np.arctan2(*points.T) * 4 / np.pi) % 8)) == 8


def test_a_detector_is_hardened(run, tmp_path, capsys):
    """Malicious vectors have features of their own, which an attacker cannot take away, and lack others."""
    random = np.random.default_rng(0)
    benign = (random.random((60, 12)) < np.repeat([0.7, 0.05], 6)).astype("float64")
    malicious = (random.random((90, 12)) < np.repeat([0.05, 0.7], 6)).astype("float64")
    np.savez(tmp_path / "data.npz", xmal=malicious, xben=benign)
    run("harden_malware_detector", data=tmp_path / "data.npz", splits=1, rounds=2, epochs=8)
    before, after = capsys.readouterr().out.splitlines()[-2:]
    clean, _, attacked, _ = map(float, re.findall(r"([\d.]+)%", before))
    assert before.startswith("before") and after.startswith("after") and attacked < clean


def test_generated_faces_are_told_by_their_spectrum(run, tiny, tmp_path):
    """Photographs of noise, fakes of a network that has learned nothing: a spectrum tells them apart."""
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(24):
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    recipe = registry.get(tiny)
    data = {"reader": "images", "size": 16, "channels": 3}
    registry._registered[tiny] = registry._registered[tiny]._replace(recipe=dataclasses.replace(recipe, data=data))
    options = {"data": tmp_path / "photos", "models": tiny, "count": 24, "epochs": 1, "out": tmp_path / "fakes"}
    module = run("tell_generated_faces", **options)
    text = (tmp_path / "fakes" / "table.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+) \|$", text.partition("\n\n")[0], re.MULTILINE))
    assert set(rows) == {tiny, "all", *(f"all; {change}" for change in module.CHANGES)}
    assert float(rows["all"]) > 0.9 and (tmp_path / "fakes" / "spectra.png").stat().st_size > 1000
    # A wave of 8 pixels is in ring 64 / 8, and nowhere else.
    wave = np.sin(2 * np.pi * np.arange(64) / 8) * 100 + 128
    picture = np.broadcast_to(wave[None, :, None], (64, 64, 3))[None]
    assert module.spectra(picture)[0, 1:].argmax() + 1 == 8
