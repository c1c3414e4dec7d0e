"""Exported files that are kept for the next page."""

import importlib
import json
import pathlib

import pytest

from kerasgan import cli, commands, export, registry
from kerasgan import serve as serving
from kerasgan.export import cache, sidecar
from kerasgan.export.web import directions_of

NAMES = ["dcgan_celeba", "wavegan_spoken_digits"]


@pytest.fixture
def exported(monkeypatch, tmp_path):
    """Names and modes of what was exported. Nothing is: the files only look like it."""
    asked = []

    def tflite(name, path, quantize, overwrite=False):
        asked.append((name, quantize))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x1c\0\0\0TFL3" + name.encode())
        output = {"name": "images", "kind": "image", "shape": [1, 2, 2, 1]}
        described = {"name": name, "inputs": [], "output": output, "file": path.name, **sidecar.fingerprint(path)}
        sidecar.path_of(path).write_text(json.dumps(described))

    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cache, "tflite", tflite)
    monkeypatch.setattr(commands, "import_tensorflow", lambda: asked.append("TensorFlow"))
    return asked


class Shown(list):
    """Names of the models on the page that was served at last; `pages` has those of each page, and how many were to
    come."""

    def __init__(self):
        super().__init__()
        self.pages = []

    def show(self, page):
        zoo = json.loads((pathlib.Path(page) / "zoo.json").read_text())
        self[:] = [model["name"] for model in zoo["models"]]
        self.pages.append(([*self], zoo["preparing"]))

    def serve(self, page, meanwhile=lambda server: None, **options):
        self.pages.clear()
        self.show(page)
        meanwhile(self)


@pytest.fixture
def shown(monkeypatch):
    shown = Shown()
    monkeypatch.setattr(serving, "serve", shown.serve)
    return shown


def test_the_second_start_exports_nothing(exported, shown, capsys, tmp_path):
    assert cli.main(["serve", *NAMES]) == 0 and shown == NAMES
    assert exported == ["TensorFlow", (NAMES[0], "dynamic"), "TensorFlow", (NAMES[1], "dynamic")]
    kept = tmp_path / "home" / "exports"
    assert capsys.readouterr().out.splitlines() == [
        f"Exporting {NAMES[0]} (1 of 2; the pretrained ones are kept in {kept}) ...",
        f"Exporting {NAMES[1]} (2 of 2) ...",
    ]
    assert cli.main(["serve", *NAMES]) == 0 and shown == NAMES
    assert cli.main(["export", NAMES[0], "--web", str(tmp_path / "page")]) == 0
    assert len(exported) == 4 and "Exporting" not in capsys.readouterr().out
    assert len(list(kept.iterdir())) == 4  # two files and their sidecars; the page itself is gone


def test_the_way_back_of_a_translator_is_kept_too(exported, shown, monkeypatch, tmp_path):
    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", cache.tflite)
    monkeypatch.setattr(importlib.import_module("kerasgan.export.web"), "turned", lambda name: f"{name} back")
    name = "cyclegan_noto2twemoji"
    for start in range(3):
        assert cli.main(["serve", name]) == 0 and shown == [name, f"{name}_back"]
        assert exported == ["TensorFlow", (name, "dynamic"), (f"{name} back", "dynamic")] * (1 if start < 2 else 2)
        if start == 1:
            (kept,) = (tmp_path / "home" / "exports").glob("*.back.tflite")
            kept.write_bytes(b"damaged")


def test_directions_are_kept_too(exported, tmp_path):
    path = cache.export(NAMES[0], "dynamic", tmp_path)
    described = sidecar.read(path)
    directions_of(path).write_text("{}")
    described["directions"] = sidecar.fingerprint(directions_of(path))
    sidecar.path_of(path).write_text(json.dumps(described))
    assert cache.find(NAMES[0], "dynamic") == path
    directions_of(path).write_text("{")
    assert cache.find(NAMES[0], "dynamic") is None
    directions_of(path).unlink()
    assert cache.find(NAMES[0], "dynamic") is None


def test_another_mode_is_another_file(exported, shown):
    for mode in ("dynamic", "float16", "dynamic"):
        assert cli.main(["serve", NAMES[0], "--quantize", mode]) == 0
    assert exported == ["TensorFlow", (NAMES[0], "dynamic"), "TensorFlow", (NAMES[0], "float16")]


@pytest.mark.parametrize("damage", ["file", "sidecar", "no sidecar", "no file"])
def test_what_is_damaged_is_exported_again(exported, damage, tmp_path):
    path = cache.export(NAMES[0], "dynamic", tmp_path)
    assert cache.find(NAMES[0], "dynamic") == path
    place = path if "file" in damage else sidecar.path_of(path)
    place.unlink() if "no" in damage else place.write_bytes(b"{")
    assert cache.find(NAMES[0], "dynamic") is None
    assert cache.export(NAMES[0], "dynamic", tmp_path) == path == cache.find(NAMES[0], "dynamic")


@pytest.mark.parametrize("change", ["weights", "code", "TensorFlow"])
def test_what_follows_from_other_things_is_exported_again(exported, monkeypatch, change, tmp_path):
    older = cache.export(NAMES[0], "dynamic", tmp_path)
    float16, other = cache.export(NAMES[0], "float16", tmp_path), cache.export(NAMES[1], "dynamic", tmp_path)
    if change == "weights":
        recipe = registry.get(NAMES[0])
        retrained = recipe.__class__(**{**vars(recipe), "weights": recipe.weights[1:]})
        monkeypatch.setattr(registry, "get", lambda name: retrained)
    if change == "code":
        monkeypatch.setattr(cache, "_code", lambda: "other")
    if change == "TensorFlow":
        monkeypatch.setattr(cache.importlib.metadata, "version", lambda package: "99.0")
    assert cache.find(NAMES[0], "dynamic") is None
    path = cache.export(NAMES[0], "dynamic", tmp_path)
    assert path == cache.find(NAMES[0], "dynamic") != older
    assert not older.exists() and float16.exists() and other.exists()


def test_the_page_opens_with_what_is_ready(exported, shown, tmp_path):
    """In the order that was asked for, however they come."""
    cache.export(NAMES[1], "dynamic", tmp_path)
    assert cli.main(["serve", *NAMES]) == 0
    assert shown.pages == [([NAMES[1]], 1), (NAMES, 0)]
    assert cli.main(["serve", *NAMES]) == 0 and shown.pages == [(NAMES, 0)]


def test_what_cannot_be_exported_takes_nothing_from_the_others(exported, shown, capsys, tmp_path, monkeypatch):
    names, write = [NAMES[0], "r3gan_celeba", NAMES[1]], cache.tflite

    def tflite(name, *others, **options):
        if name == names[1]:
            raise ValueError("it makes other samples")
        write(name, *others, **options)

    monkeypatch.setattr(cache, "tflite", tflite)
    assert cli.main(["serve", *names]) == 0
    assert shown.pages == [([NAMES[0]], 2), ([NAMES[0]], 1), (NAMES, 0)]
    assert "r3gan_celeba is not on the page: it makes other samples" in capsys.readouterr().err
    assert cli.main(["serve", names[1]]) == 2  # and there is nothing to look at
    assert "it makes other samples" in capsys.readouterr().err


def test_what_the_page_has_no_place_for_takes_nothing_from_the_others(exported, shown, capsys, monkeypatch):
    names, write = [NAMES[0], "r3gan_celeba", NAMES[1]], cache.tflite

    def tflite(name, path, *others, **options):
        write(name, path, *others, **options)
        if name == names[1]:
            described = sidecar.read(path)
            described["output"]["kind"] = "winds"
            sidecar.path_of(path).write_text(json.dumps(described))

    monkeypatch.setattr(cache, "tflite", tflite)
    assert cli.main(["serve", *names]) == 0
    assert shown.pages == [([NAMES[0]], 2), ([NAMES[0]], 1), (NAMES, 0)]
    assert (
        "r3gan_celeba is not on the page: names: 'r3gan_celeba' makes images (kind 'winds')" in capsys.readouterr().err
    )


def test_a_cache_that_cannot_be_written_is_done_without(exported, shown, tmp_path):
    (tmp_path / "home").write_text("a file")
    assert cli.main(["serve", *NAMES]) == 0 and shown == NAMES
    assert (tmp_path / "home").read_text() == "a file"


def test_what_a_killed_server_left_is_removed(exported, shown, tmp_path):
    left = tmp_path / "home" / "exports" / ".kerasgan-left" / "page" / "zoo.json"
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    assert cli.main(["serve", NAMES[0]]) == 0
    assert not left.exists() and not list(cache.folder().glob(".kerasgan-*"))


def test_mistakes_are_found_before_anything_is_exported(exported, shown, capsys, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_bytes(b"")
    for words, message in (
        (["serve", NAMES[0], "--quantize", "int9"], "'int9' is not one of"),
        (["serve", NAMES[0], "--litert", str(tmp_path)], "npm install"),
        (["export", NAMES[0], "--web", str(tmp_path / "mine")], "mine' holds files"),
        (["serve", NAMES[0], "nowhere"], "nowhere"),
    ):
        assert cli.main(words) == 2
        assert message in capsys.readouterr().err
    assert not exported and not list(tmp_path.glob("home/exports/*"))


def test_a_page_that_was_being_replaced_is_found(exported, shown, tmp_path):
    """After a kill between the two renamings."""
    page = export.web({NAMES[0]: cache.export(NAMES[0], "dynamic", tmp_path)}, tmp_path / "site")
    for look in (lambda: cli.main(["serve", str(page)]), lambda: serving.server(page).server_close()):
        left = tmp_path / ".kerasgan-left" / "replaced"
        left.mkdir(parents=True)
        page.rename(left / page.name)
        assert look() in (0, None) and (page / "zoo.json").is_file() and not left.exists()
    left.mkdir(parents=True)
    page.rename(left / page.name)
    with pytest.raises(FileExistsError, match="holds a page already; overwrite=True replaces it"):
        export.web({NAMES[0]: cache.find(NAMES[0], "dynamic")}, page)


def test_an_export_that_was_killed_leaves_nothing_for_long(tmp_path):
    left = tmp_path / ".kerasgan-left" / "saved_model" / "saved_model.pb"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    replaced = tmp_path / ".kerasgan-other" / "replaced" / "saved"
    replaced.mkdir(parents=True)
    with pytest.raises(FileExistsError, match="saved' exists already"):
        export.check_new(tmp_path / "saved", "", overwrite=False)  # the model that was being replaced is back
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
