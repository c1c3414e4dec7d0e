"""The export scripts in tools/: as a person runs them, and the tables they write."""

import json
import pathlib
import shutil
import subprocess
import sys

import as_script
import pytest

from kerasgan.models import DCGAN

pytest.importorskip("ai_edge_litert")
TOOLS = pathlib.Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    DCGAN(image_shape=(16, 16, 1), latent_dim=4, width=2, seed=1).save(path)
    return path


def run(tool, *words):
    return as_script.run(TOOLS / f"{tool}.py", *words)


@pytest.mark.slow
def test_export_verify_and_refuse(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--model", model, "--out", "g.tflite", "--quantize", "dynamic"]
    command = [sys.executable, TOOLS / "export_tflite.py", *words]  # the others need no process of their own
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "PSNR" in done.stdout, done.stderr
    done = run("verify_export", "--model", model, "--file", "g.tflite", "--runs", 3, "-o", "found.json")
    assert done.returncode == 0 and "latency, LiteRT, 1 thread" in done.stdout, done.stderr
    (record,) = json.loads((tmp_path / "found.json").read_text())
    assert record["passed"] and record["quantization"] == "dynamic"
    again = run("export_tflite", "--model", model, "--out", "g.tflite")
    assert again.returncode == 1 and "overwrite" in again.stderr
    done = run("export_saved_model", "--model", model, "--out", "saved", "--batch_size", 0)
    assert done.returncode == 0 and (tmp_path / "saved" / "saved_model.pb").is_file(), done.stderr


@pytest.fixture(scope="module")
def benchmark():
    return as_script.load(TOOLS / "benchmark_generators.py")


def test_tables_hold_what_was_measured(benchmark, model, tmp_path, monkeypatch):
    from kerasgan import export, registry

    monkeypatch.setitem(export.TOLERANCES, "int8", ("psnr", 500))  # so that one mode is refused
    entry = tmp_path / "small"
    entry.mkdir()
    (entry / "card.md").write_text("# small\n\n## Scores\n\nNone.\n\n## Limits\n\nMany.\n")
    found, proof = benchmark.measure(str(model), runs=2)
    for _ in range(2):  # again replaces the section
        benchmark.publish("small", found, proof, tmp_path)
    card = (entry / "card.md").read_text()
    assert card.count("## On a phone") == card.count("## Limits") == 1
    assert card.index("## Scores") < card.index("## On a phone") < card.index("## Limits")
    by_mode = {one.quantization: one for one in found}
    assert not by_mode["int8"].passed and by_mode["dynamic"].passed
    assert "int8 is refused: the tolerance is PSNR of at least 500 dB" in card
    assert f"| float32 | {by_mode['float32'].size / 1e6:.2f} MB |" in card
    assert f"{by_mode['float32'].latencies['Keras'].median:.2f}" in card

    monkeypatch.setattr(registry, "ZOO", ("small", "not_measured"))
    readme = tmp_path / "README.md"
    readme.write_text(f"Before\n{benchmark.MARKS[0]}\nold\n{benchmark.MARKS[1]}\nAfter\n")
    benchmark.write_readme(readme, tmp_path)
    text = readme.read_text()
    assert "old" not in text and text.startswith("Before\n") and text.endswith("\nAfter\n")
    (row,) = [line for line in text.splitlines() if line.startswith("| `small`")]
    psnr = by_mode["dynamic"].psnr
    quality = "equal" if psnr == float("inf") else f"{psnr:.0f} dB"
    assert f"{by_mode['dynamic'].size / 1e6:.2f} MB, {quality}" in row and "refused (" in row
    benchmark.write_readme(readme, tmp_path)
    assert readme.read_text() == text


def test_a_proof_is_written_where_files_are_as_they_were(benchmark, model, tmp_path, monkeypatch):
    found, proof = benchmark.measure(str(model), runs=0)
    assert all(one.latencies == {} for one in found)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "card.md").write_text("# small\n")
    monkeypatch.setattr(benchmark, "section", lambda record: "")
    benchmark.publish("small", found, {}, tmp_path)
    path = tmp_path / "small" / "phone.json"
    before = json.loads(path.read_text())
    monkeypatch.setattr(benchmark, "measure", lambda name, runs: (found, proof))
    benchmark.prove("small", tmp_path)
    assert json.loads(path.read_text()) == {**before, "proof": proof}
    before["modes"][3]["size"] *= 2
    path.write_text(json.dumps(before))
    with pytest.raises(ValueError, match="small, int8: .* bytes, passed, where phone.json has .*without --prove"):
        benchmark.prove("small", tmp_path)
    assert json.loads(path.read_text()) == before


def test_the_readme_has_a_place_for_the_table(benchmark, tmp_path):
    shutil.copy(TOOLS.parent / "README.md", tmp_path)
    benchmark.write_readme(tmp_path / "README.md", TOOLS.parent / "zoo")
    assert (tmp_path / "README.md").read_text() == (TOOLS.parent / "README.md").read_text()  # as the records say
    (tmp_path / "README.md").write_text("no marks")
    with pytest.raises(ValueError, match="put the marks"):
        benchmark.write_readme(tmp_path / "README.md", TOOLS.parent / "zoo")
