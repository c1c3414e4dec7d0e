"""tools/verify_arm64.py: exported files on an emulated phone's processor."""

import functools
import json
import pathlib
import sys

import as_script
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed: kerasgan[export]")
import kerasgan.export
from kerasgan.export import sidecar

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "verify_arm64.py"
SIDECAR = {
    "name": "faces",
    "quantization": "float32",
    "sha256": "0" * 64,
    "inputs": [
        {"name": "latents", "kind": "latents", "dtype": "float32", "shape": [1, 5], "distribution": "normal"},
        {"name": "labels", "kind": "labels", "dtype": "int32", "shape": [1], "range": [0, 2]},
    ],
}


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


@pytest.fixture(scope="module")
def emulation(tool):
    try:
        return tool._check_prepared(tool.default_folder())
    except (FileNotFoundError, ValueError) as error:
        pytest.skip(f"no emulation of ARM64: {error}")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """{mode: file} of a small conditional generator, with sidecars."""
    folder = tmp_path_factory.mktemp("exported")
    gan = kerasgan.models.CGAN(image_shape=(8, 8, 1), num_classes=3, seed=1)
    for mode in ("float32", "int8"):
        kerasgan.export.tflite(gan, folder / f"{mode}.tflite", quantize=mode)
    return {mode: folder / f"{mode}.tflite" for mode in ("float32", "int8")}


def test_inputs_follow_the_sidecar(tool):
    inputs = tool.inputs_for(SIDECAR, 400, seed=3)
    latents, labels = inputs["latents"], inputs["labels"]
    assert latents.shape == (400, 1, 5) and latents.dtype == "float32"
    assert abs(latents.mean()) < 0.1 and abs(latents.std() - 1) < 0.1
    assert labels.dtype == "int32" and labels.ravel()[:4].tolist() == [0, 1, 2, 0]
    assert np.array_equal(tool.inputs_for(SIDECAR, 400, seed=3)["latents"], latents)
    assert not np.array_equal(tool.inputs_for(SIDECAR, 400, seed=4)["latents"], latents)

    uniform = SIDECAR["inputs"][0] | {"distribution": "uniform", "range": [-1, 1]}
    image = {"name": "image", "kind": "image", "dtype": "float32", "shape": [1, 4, 4, 3], "range": [0, 1]}
    inputs = tool.inputs_for({"inputs": [uniform, image]}, 400)
    assert inputs["latents"].min() < -0.9 and -1 <= inputs["latents"].min() and 0.9 < inputs["latents"].max() <= 1
    assert inputs["image"].shape == (400, 1, 4, 4, 3) and 0 <= inputs["image"].min() < inputs["image"].max() <= 1
    with pytest.raises(ValueError, match="'sound' is of kind 'audio'"):
        tool.inputs_for({"inputs": [image | {"name": "sound", "kind": "audio"}]}, 1)


@pytest.mark.parametrize(
    "mode, change, identical, passed",
    [
        ("float32", 0, True, True),
        ("float32", 5e-5, False, True),
        ("float32", 2e-4, False, False),
        ("float16", 2e-4, False, False),
        ("int8", 9e-4, False, True),
        ("dynamic", 2e-3, False, False),
        ("int8", np.nan, False, False),
    ],
)
def test_what_counts_as_the_same(tool, mode, change, identical, passed):
    expected = np.linspace(0, 1, 48, dtype="float32").reshape(2, 1, 4, 6, 1)
    samples = expected + np.float32(change)
    row = tool.compare("x", SIDECAR | {"quantization": mode}, "max", (expected, True), (samples, True))
    assert (row["identical"], row["passed"], row["samples"], row["cpu"]) == (identical, passed, 2, "max")
    if np.isnan(change):
        assert row["max_difference"] is None and "not a number" in tool.table([row])
    else:
        assert row["max_difference"] == pytest.approx(change, rel=1e-2)
    assert ("bit for bit" in tool.table([row])) == identical
    assert tool.table([row]).endswith("| yes |" if passed else "| no |")
    if change == 0:
        assert not tool.compare("x", SIDECAR, "max", (expected, True), (samples, False))["passed"]  # not XNNPACK
        assert not tool.compare("x", SIDECAR, "max", (expected * 0, True), (expected * 0, True))["passed"]
        with pytest.raises(ValueError, match="samples"):
            tool.compare("x", SIDECAR, "max", (expected, True), (samples[:1], True))


def test_table(tool):
    row = {
        "model": "faces",
        "quantization": "dynamic",
        "cpu": "max",
        "samples": 8,
        "max_difference": 0.0076,
        "psnr": 70.77,
    }
    text = tool.table([row | {"identical": False, "xnnpack": True, "passed": True}])
    assert text.splitlines()[2] == "| faces | dynamic | max | 8 | 7.6e-03 | 71 dB | yes | yes |"
    assert len({line.count("|") for line in text.splitlines()}) == 1


def test_evaluate_here(tool, exported):
    sidecar = tool._described(exported["float32"])
    samples, delegated = tool.evaluate(exported["float32"], tool.inputs_for(sidecar, 3))
    assert samples.shape == (3, 1, 8, 8, 1) and delegated and np.ptp(samples) > 0


def test_folders_without_an_emulation(tool, tmp_path, monkeypatch):
    for function in (lambda: tool.run([], [], tmp_path), lambda: tool._check_prepared(tmp_path / "none")):
        with pytest.raises(FileNotFoundError, match="holds no emulation. Make it: .* --prepare"):
            function()
    (tmp_path / tool.PREPARED).write_text('{"ai-edge-litert": "0.0.1"}')
    with pytest.raises(ValueError, match=r"holds LiteRT 0\.0\.1 and this machine"):
        tool.run([], [], tmp_path)
    monkeypatch.setenv("KERASGAN_ARM64", str(tmp_path))
    assert tool.default_folder() == tmp_path
    monkeypatch.delenv("KERASGAN_ARM64")
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "home"))
    assert tool.default_folder() == tmp_path / "home" / "arm64"


def test_preparing_spares_other_files_and_leaves_nothing_after_a_failure(tool, tmp_path, monkeypatch):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files"):
        tool.prepare(tmp_path)
    monkeypatch.setattr(tool.platform, "machine", lambda: "riscv64")
    with pytest.raises(OSError, match="needs Linux on x86-64 with apt; this is .* on riscv64"):
        tool.prepare(tmp_path / "new")
    monkeypatch.setattr(tool.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(tool.sys, "platform", "linux")
    monkeypatch.setattr(tool.shutil, "which", lambda name: name)
    monkeypatch.setattr(tool, "KEYRING", str(tmp_path / "precious"))

    def fails(words, environment=None):
        raise RuntimeError("apt-get failed (exit code 100)")

    monkeypatch.setattr(tool, "_said", fails)
    with pytest.raises(RuntimeError, match="apt-get failed"):
        tool.prepare(tmp_path / "new", mirror="http://127.0.0.1:9/debian")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_commands_that_fail_say_why(tool):
    with pytest.raises(RuntimeError, match=r"failed \(exit code 3\):\nreason"):
        tool._said([sys.executable, "-c", "import sys; print('reason'); sys.exit(3)"])


def test_files_that_are_not_exported(tool, tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"x")
    for path, error, message in (
        (tmp_path / "none.tflite", FileNotFoundError, "expected a .tflite file"),
        (tmp_path / "x.tflite", FileNotFoundError, "has no sidecar 'x"),
    ):
        with pytest.raises(error, match=message):
            tool.verify([path])
    exported = sidecar.path_of(tmp_path / "x.tflite")
    exported.write_text("{")
    with pytest.raises(ValueError, match="is no sidecar of an exported model"):
        tool.verify([tmp_path / "x.tflite"])
    exported.write_text(json.dumps(SIDECAR | {"output": {"shape": [1, 8, 8, 1]}}))
    with pytest.raises(ValueError, match="another sha256"):
        tool.verify([tmp_path / "x.tflite"])


def test_as_a_script(tmp_path):
    run = functools.partial(as_script.run, SCRIPT)
    assert "Name models with --model" in run().stderr
    assert "--samples is 0" in run("--model=dcgan_celeba", "-n=0").stderr
    done = run("--model=dcgan_celeba", f"--emulation={tmp_path}")
    assert done.returncode == 1 and done.stderr.startswith("verify_arm64: error: folder=")
    done = run("--model=dcgan_celeba", f"--emulation={tmp_path}", "-o", tmp_path / "x.txt")
    assert done.returncode == 1 and "--output" in done.stderr


@pytest.mark.slow
def test_the_same_samples_on_arm64(tool, emulation, exported):
    rows = tool.verify(exported.values(), emulation, samples=3)
    assert [(row["quantization"], row["cpu"]) for row in rows] == [
        (mode, cpu) for cpu in tool.CPUS for mode in ("float32", "int8")
    ]
    assert all(row["passed"] and row["xnnpack"] for row in rows), tool.table(rows)
    assert all(row["max_difference"] < 2e-5 for row in rows if row["quantization"] == "float32")


def test_an_emulated_run_that_fails_says_why(tool, emulation, exported):
    inputs = tool.inputs_for(tool._described(exported["int8"]), 1)
    with pytest.raises(RuntimeError, match="unable to find CPU model 'pentium'"):
        tool.run([exported["int8"]], [inputs], emulation, cpu="pentium")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        tool.run(["none.tflite"], [inputs], emulation)
    with pytest.raises(RuntimeError, match="(?s)exit code 1.*Invalid number of inputs"):
        tool.run([exported["int8"]], [inputs | {"noise": inputs["latents"]}], emulation)


def test_a_prepared_folder_is_taken_as_it_is(tool, emulation, monkeypatch):
    monkeypatch.setattr(tool, "_get_packages", None)
    assert tool.prepare(emulation) == emulation
    assert json.loads((emulation / tool.PREPARED).read_text())["qemu"].split(":")[-1] >= "10"
