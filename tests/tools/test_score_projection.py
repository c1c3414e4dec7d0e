"""How near projection comes, on the card of an entry."""

import dataclasses
import pathlib

import as_script
import numpy as np
import PIL.Image
import pytest
from test_projection import SHAPE, waves

from kerasgan import registry

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "score_projection.py"


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


@pytest.fixture
def zoo(tmp_path):
    """A zoo of one card."""
    card = tmp_path / "dcgan_celeba" / "card.md"
    card.parent.mkdir()
    card.write_text("# Faces\n\n## Scores\n\nGood.\n\n## On a phone\n\nFast.\n")
    return tmp_path


def test_pictures_and_samples_are_measured_and_written(tool, zoo, tmp_path, monkeypatch):
    gan = waves()
    data = {"reader": "images", "size": 32, "channels": 3}
    recipe = dataclasses.replace(registry.get("dcgan_celeba"), data=data)
    monkeypatch.setattr(tool.registry, "load", lambda name: gan)
    monkeypatch.setattr(tool.registry, "get", lambda name: recipe)
    noise = np.random.default_rng(1).integers(0, 256, (2, *SHAPE), "uint8")
    for number, picture in enumerate(noise):
        PIL.Image.fromarray(picture).save(tmp_path / f"{number}.png")
    text = tool.write("dcgan_celeba", tmp_path, count=2, steps=(1, 30), zoo=zoo)
    card = (zoo / "dcgan_celeba" / "card.md").read_text()
    assert card == f"# Faces\n\n## Scores\n\nGood.\n\n{text}## On a phone\n\nFast.\n"
    rows = [row.strip("| ").split(" | ") for row in text.rstrip().splitlines()[-2:]]
    of_data, own = ([float(cell.split(" dB")[0]) for cell in row[2:]] for row in rows)
    assert [row[:2] for row in rows] == [
        [what, "nearest sample"] for what in ("pictures of the data", "its own samples")
    ]
    assert own[0] < own[1] and of_data[1] < 15 < own[1]  # noise is nothing that it can make


def test_a_section_takes_the_place_of_an_older_one(tool, zoo, monkeypatch):
    for psnr in (17.04, 18.26):
        found = {("its own samples", "encoder", steps): (psnr + steps, 0.5) for steps in (1, 30)}
        monkeypatch.setattr(tool, "measure", lambda *_, found=found: found)
        tool.write("dcgan_celeba", "some/faces.zip", zoo=zoo)
    card = (zoo / "dcgan_celeba" / "card.md").read_text()
    assert card.count("## Projection") == 1 and "--data faces.zip --count 16`" in card.replace("\n", " ")
    assert "| its own samples | encoder | 19.3 dB, 0.50 | 48.3 dB, 0.50 |" in card
    assert card.index("Good.") < card.index("## Projection") < card.index("## On a phone")
