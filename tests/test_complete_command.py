"""kerasgan complete: sketches that begin with what was drawn, as files."""

import json

import numpy as np
import PIL.Image
import pytest
from test_cli import fails, kerasgan_command

from kerasgan.data.svg import read_svg
from kerasgan.models import SkeGAN, VanillaGAN

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path d="M10 10H94V52"/></svg>'


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    gan = SkeGAN(points=6, scale=30.0, units=4, mixtures=2, width=2, seed=1)
    path = tmp_path_factory.mktemp("model") / "gan.keras"
    gan.save(path)
    return path


@pytest.fixture
def drawing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corner.svg").write_text(DRAWING)
    return "corner.svg"


def test_sketches_begin_with_the_drawing(model, drawing, capsys):
    """Of paper of 100, a whole sketch takes 84: this corner is as wide as one, 255 units, and half as high."""
    code, out, error = kerasgan_command(capsys, "complete", model, drawing, "-n", 3, "--seed", 7, "-o", "a.ndjson")
    assert code == 0 and "Saved 3 sketches going on from corner.svg to a.ndjson (seed 7)." in out, error
    with open("a.ndjson") as file:
        sketches = [json.loads(line)["drawing"] for line in file]
    assert len(sketches) == 3
    for lines in sketches:
        first = np.array(lines[0])
        np.testing.assert_array_equal(np.diff(first), [[255, 0], [0, 128]])  # 127.5, rounded


def test_files(model, drawing, capsys):
    assert kerasgan_command(capsys, "complete", model, drawing, "-n", 2, "--animated")[0] == 0
    with open("corner_completed.svg", "rb") as file:
        content = file.read()
    assert b"@keyframes" in content and len(read_svg(content)) >= 2
    assert kerasgan_command(capsys, "complete", model, drawing, "-n", 1, "--size", 90, "-o", "a.gif")[0] == 0
    with PIL.Image.open("a.gif") as film:
        assert film.n_frames > 10


def test_what_cannot_be_done_is_said(model, drawing, capsys, tmp_path):
    assert "'no.svg' does not exist; give a drawing" in fails(capsys, "complete", model, "no.svg")
    assert "count" in fails(capsys, "complete", model, drawing, "-n", 0)
    assert "is read and would be lost" in fails(capsys, "complete", model, drawing, "-o", drawing)
    assert "expected one of .svg" in fails(capsys, "complete", model, drawing, "-o", "a.mid")
    said = fails(capsys, "complete", model, drawing, "-o", "a.png", "--animated")
    assert "--animated: 'a.png' does not show how samples come about" in said
    (tmp_path / "long.svg").write_text('<svg><polyline points="0 0 5 9 10 0 15 9 20 0 25 9 30 0"/></svg>')
    assert "lines have 6 points: expected at most 5" in fails(capsys, "complete", model, "long.svg", "--simplify", 0)
    VanillaGAN(image_shape=(8, 8, 1), latent_dim=4, units=8, maxout_units=8).save(tmp_path / "other.keras")
    said = fails(capsys, "complete", "other.keras", drawing)
    assert "is a VanillaGAN, which cannot complete: use kerasgan generate" in said


def test_the_same_model_still_generates(model, drawing, capsys):
    code, out, error = kerasgan_command(capsys, "generate", model, "-n", 2, "--animated", "-o", "a.svg")
    assert code == 0 and "Saved 2 sketches to a.svg" in out, error
    with open("a.svg") as file:
        assert "@keyframes" in file.read()
    assert "--animated: 'a.png'" in fails(capsys, "generate", model, "-n", 2, "--animated", "-o", "a.png")
