"""What benchmarks/scores.py measures and how it reports."""

import pathlib

import as_script
import numpy as np
import pytest

PATH = pathlib.Path(__file__).parents[1] / "benchmarks" / "scores.py"


@pytest.fixture(scope="module")
def benchmark():
    return as_script.load(PATH)


@pytest.fixture(scope="module")
def folder(benchmark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    benchmark.write_features(folder, samples=200, dimensions=24)
    return folder


def test_features(folder):
    shapes = {path.stem: np.load(path).shape for path in folder.iterdir()}
    assert shapes["real"] == shapes["fake"] == (200, 24) and shapes["logits"] == (200, 1008)
    assert shapes["some_real"] == (100, 24) and shapes["few_fake"] == (12, 24)


@pytest.mark.filterwarnings("ignore")
def test_tools_that_are_installed_agree(benchmark, folder):
    for names, tools in benchmark.SCORES.values():
        arrays = [np.load(folder / f"{name}.npy") for name in names]
        found = {}
        for tool, function in tools.items():
            try:
                value = function(*arrays)()
            except ImportError:
                continue
            found[tool] = list(value) if hasattr(value, "__iter__") else [value]
        for values in found.values():
            assert benchmark.difference(values, found[benchmark.OURS]) < 1e-3


def test_turn_is_a_process_that_measures_itself(benchmark, folder):
    answer = benchmark.turn("Kernel distance", benchmark.OURS, folder, threads=1)
    assert len(answer["values"]) == 1 and 0.0 < answer["seconds"] < 10.0 and answer["bytes"] >= 0


def test_peak_is_that_of_the_computation(benchmark):
    before = benchmark.forget_peak()
    block = np.ones(10_000_000)
    assert 60e6 < benchmark.peak() - before < 160e6
    del block


def test_rows_compare_within_a_round(benchmark):
    answers = {
        benchmark.OURS: [{"values": [2.0, 4.0], "seconds": s, "bytes": 5e6} for s in (1.0, 2.0, 1.5)],
        "prdc": [{"values": [2.0, 4.004], "seconds": s, "bytes": 8e6} for s in (3.0, 6.0, 4.5)],
        "torch-fidelity": [{"missing": "No module named 'torch'"}],
    }
    ours, prdc = benchmark.rows("Neighbours", answers)
    assert ours == "| Neighbours | kerasgan | 2, 4 |  | 1.5 |  | 5 |"
    assert prdc == "| Neighbours | prdc | 2, 4.004 | 1e-03 | 4.5 | 3.00 (3.00 to 3.00) | 8 |"
    assert {line.count("|") for line in (*benchmark.HEADING, ours, prdc)} == {8}
    (line,) = benchmark.left_out({"Neighbours": answers})
    assert line.startswith("torch-fidelity is left out of Neighbours: No module") and "pip install torch-fid" in line
