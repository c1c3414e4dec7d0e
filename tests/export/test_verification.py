"""verify: what it measures, and what it says of files that are not what they should be."""

import json

import numpy as np
import pytest

from kerasgan import export
from kerasgan.export import tolerance, verification

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def exported(dcgan, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "g.tflite"
    export.tflite(dcgan, path, "float16", verify=False)  # float16: differences that are larger than rounding
    return path


def test_differences_are_those_of_numpy(dcgan, exported):
    found = export.verify(dcgan, exported, samples=5, seed=3, latency=False)
    inputs = dcgan.inference_inputs(5, seed=3)["latents"]
    expected = np.asarray(dcgan(inputs, training=False), "float64") / 2 + 0.5
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(model_path=str(exported))
    runner = interpreter.get_signature_runner()
    difference = np.abs(np.concatenate([runner(latents=z[None])["images"] for z in inputs]) - expected)
    assert found.samples == 5 and found.size == exported.stat().st_size
    assert found.max_difference == pytest.approx(difference.max(), rel=0.01)
    assert found.mean_difference == pytest.approx(difference.mean(), rel=0.01)
    assert found.psnr == pytest.approx(10 * np.log10(1 / np.mean(difference**2)), abs=0.1)


def test_other_weights_are_found_out(dcgan, exported, tmp_path):
    kernel = dcgan.ema_generator.weights[0]
    before = np.asarray(kernel)
    try:
        kernel.assign(before + 0.05)
        found = export.verify(dcgan, exported, latency=False)
    finally:
        kernel.assign(before)
    assert not found.passed and found.max_difference > 2e-3
    assert "NOT met" in str(found)
    assert export.verify(dcgan, exported, latency=False).passed


def test_a_medium_may_hold_a_file_to_more_than_numbers(dcgan, exported, monkeypatch):
    numbers = export.verify(dcgan, exported, samples=4, latency=False)
    asked = []

    def compared(marks):
        return lambda output: asked.append(output) or {"marks": marks}

    monkeypatch.setattr(dcgan.media, "compared", compared(lambda images: np.zeros(len(images), int)))
    assert export.verify(dcgan, exported, samples=4, latency=False) == numbers  # all the same: not the furthest
    calls = iter((0, 1))  # the file's are other ones than Keras's
    monkeypatch.setattr(dcgan.media, "compared", compared(lambda images: np.full(len(images), next(calls))))
    found = export.verify(dcgan, exported, samples=4, latency=False)
    assert not found.passed and found.tolerance == "marks 99 % the same" and found.mean_difference == 1
    assert asked == ["images", "images"]


def test_latencies_of_all_runtimes(dcgan, exported):
    found = export.verify(dcgan, exported, samples=1, runs=5)
    assert {"LiteRT, 1 thread", "LiteRT, 2 threads", "Keras"} <= set(found.latencies)
    for latency in found.latencies.values():
        assert 0 < latency.median <= latency.p95
    verification.save([found], exported.parent / "found.json")
    (record,) = json.loads((exported.parent / "found.json").read_text())
    assert record["latencies"]["Keras"]["median"] == found.latencies["Keras"].median


def test_a_damaged_file_is_an_error(dcgan, exported, tmp_path):
    data = exported.read_bytes()
    for name, damaged in {"cut": data[: len(data) // 2], "foreign": b"GIF89a" + bytes(100), "empty": b""}.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{name}.tflite.*damaged or foreign"):
            export.verify(dcgan, path)


def test_a_file_of_another_model_is_an_error(dcgan, conditional, exported, tmp_path):
    with pytest.raises(
        ValueError, match="not an export of .*latents into images, expected latents, labels|labels, latents"
    ):
        export.verify(conditional, exported)


def test_a_file_that_its_sidecar_does_not_describe_is_an_error(dcgan, exported, tmp_path):
    path = tmp_path / "g.tflite"
    path.write_bytes(exported.read_bytes() + b"\0")
    (tmp_path / "g.tflite.json").write_text((exported.parent / "g.tflite.json").read_text())
    with pytest.raises(ValueError, match="sha256"):
        export.verify(dcgan, path)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("missing.tflite", {}, FileNotFoundError, "no such file"),
        ("text.txt", {}, ValueError, "expected a .tflite or .onnx file"),
        ("g.tflite", {"samples": 0}, ValueError, "samples=0"),
        ("g.tflite", {"runs": 0}, ValueError, "runs=0"),
    ],
)
def test_bad_arguments(name, arguments, error, message, dcgan, exported):
    (exported.parent / "text.txt").write_text("")
    with pytest.raises(error, match=message):
        export.verify(dcgan, exported.parent / name, **arguments)


def test_nan_is_a_difference():
    found = tolerance.measure("float32", np.array([0.0, np.nan]), np.array([0.0, 0.0]), (0, 1))
    assert found["max_difference"] == np.inf and found["psnr"] == -np.inf and found["passed"] is False
