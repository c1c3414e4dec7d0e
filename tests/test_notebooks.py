"""The notebooks: each runs from its first cell to its last."""

import json
import pathlib
import re

import matplotlib
import pytest
from snippets import run_cell, stop_after_a_step

FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"
NAMES = ("load_and_play", "train_on_your_own_folder", "export_to_a_phone")


def cells(name, kind):
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_all_of_them_are_tested():
    assert sorted(NAMES) == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_notebook_without_outputs_that_opens_in_colab(name):
    path = FOLDER / f"{name}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], path.stat().st_size < 20_000) == (4, True)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
    first = cells(name, "markdown")[0]
    address = re.search(r"\]\((https://colab\.research\.google\.com/github/.+\.ipynb)\)", first)[1]
    assert address.endswith(f"/blob/main/notebooks/{name}.ipynb")


def installing(code):
    """The cell that installs kerasgan where it is missing, as Python without IPython has it."""
    return re.sub(r"^( *)%pip .*$", r"\1raise AssertionError", code, flags=re.MULTILINE)


@pytest.fixture
def a_step(monkeypatch):
    """A training of one step."""
    stop_after_a_step(monkeypatch)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly", "a_step")
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path, monkeypatch):
    """As a notebook does: one cell after the other, and what its last line is, is shown."""
    pytest.importorskip("ai_edge_litert")
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    names, shown = {"__name__": "__main__"}, 0
    for number, code in enumerate(cells(name, "code")):
        found = run_cell(code if number else installing(code), names)
        if "show(" in code.splitlines()[-1] or code.splitlines()[-1].isidentifier():
            assert "<img" in found._repr_html_()
            shown += 1
    assert shown
    written = {path.name for path in tmp_path.iterdir()}
    assert (
        written
        >= {
            "load_and_play": {"faces.png", "spoken.wav", "kanji.svg"},
            "train_on_your_own_folder": {"flowers", "progress", "flowers.keras"},
            "export_to_a_phone": {"clothes.tflite", "clothes.tflite.json", "site"},
        }[name]
    )
