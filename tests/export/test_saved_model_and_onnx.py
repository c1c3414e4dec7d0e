"""SavedModel folders and ONNX files, run by TensorFlow and by ONNX Runtime."""

import json
import logging

import numpy as np
import pytest

from kerasgan import export
from kerasgan.models import Pix2Pix


def expected(gan, inputs):
    return np.asarray(gan(list(inputs.values()) if len(inputs) > 1 else inputs["latents"], training=False)) / 2 + 0.5


@pytest.mark.parametrize("batch_size", [1, None])
def test_saved_model(conditional, batch_size, tmp_path):
    import tensorflow as tf

    found = export.saved_model(conditional, tmp_path / "saved", batch_size=batch_size)
    assert found.passed and found.format == "saved_model"
    inputs = conditional.inference_inputs(1 if batch_size else 7)
    model = tf.saved_model.load(tmp_path / "saved")
    samples = model.signatures["serving_default"](**{k: tf.constant(v) for k, v in inputs.items()})["images"]
    np.testing.assert_allclose(samples, expected(conditional, inputs), atol=1e-5)
    sidecar = json.loads((tmp_path / "saved.json").read_text())
    assert sidecar["format"] == "saved_model" and sidecar["output"]["shape"] == [batch_size, 16, 16, 4]


def test_a_full_disk_is_an_error_of_the_system(dcgan, tmp_path, monkeypatch):
    import tensorflow as tf

    def full(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, f"{tmp_path}/variables_temp/part; No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    for write, name in ((export.saved_model, "saved"), (export.tflite, "g.tflite")):
        with pytest.raises(OSError, match="No space left on device.*" + str(tmp_path)):
            write(dcgan, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_saved_models_that_are_damaged_or_do_more_than_compute(dcgan, tmp_path):
    import tensorflow as tf

    class Hostile(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 6), tf.float32, name="latents")])
        def run(self, latents):
            tf.io.write_file(str(tmp_path / "written"), "by the model")
            return {"images": tf.zeros((1, 16, 24, 3))}

    hostile = Hostile()
    tf.saved_model.save(hostile, str(tmp_path / "hostile"), signatures={"serving_default": hostile.run})
    with pytest.raises(ValueError, match="hostile' cannot be run.*its operation WriteFile does more than compute"):
        export.verify(dcgan, tmp_path / "hostile", latency=False)
    assert not (tmp_path / "written").exists()
    export.saved_model(dcgan, tmp_path / "saved", verify=False)
    (tmp_path / "saved.json").unlink()
    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        path = tmp_path / "saved" / name
        whole = path.read_bytes()
        for damaged in (b"", whole[: len(whole) // 2], whole[:100] + b"\xff" * 50 + whole[150:]):
            path.write_bytes(damaged)
            try:
                assert not export.verify(dcgan, tmp_path / "saved", latency=False, samples=1).passed
            except ValueError as error:
                assert "saved' cannot be run: it is damaged or foreign" in str(error)
        path.write_bytes(whole)


def test_saved_model_holds_each_weight_once(dcgan, tmp_path):
    export.saved_model(dcgan, tmp_path / "saved")
    weights = sum(4 * int(np.prod(w.shape)) for w in dcgan.ema_generator.weights)
    written = (tmp_path / "saved" / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert weights <= written < 1.5 * weights


def test_saved_model_does_not_replace_what_is_not_its_own(dcgan, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="photos"):
            export.saved_model(dcgan, tmp_path / "photos", overwrite=overwrite)
    assert (tmp_path / "photos" / "one.png").read_text() == "mine"
    export.saved_model(dcgan, tmp_path / "saved")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export.saved_model(dcgan, tmp_path / "saved")
    export.saved_model(dcgan, tmp_path / "saved", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "saved", "saved.json"]


@pytest.mark.parametrize("batch_size", [1, None])
def test_onnx(conditional, batch_size, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    found = export.onnx(conditional, tmp_path / "g.onnx", batch_size=batch_size)
    assert found.passed
    session = onnxruntime.InferenceSession(str(tmp_path / "g.onnx"))
    inputs = conditional.inference_inputs(1 if batch_size else 5, seed=4)
    (samples,) = session.run(["images"], inputs)
    np.testing.assert_allclose(samples, expected(conditional, inputs), atol=1e-5)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match="bad.onnx.*damaged"):
        export.verify(conditional, tmp_path / "bad.onnx")


def test_onnx_of_what_turns_images_into_images(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    gan = Pix2Pix((16, 24, 3), width=4, seed=1)
    assert export.onnx(gan, tmp_path / "g.onnx").passed
    session = onnxruntime.InferenceSession(str(tmp_path / "g.onnx"))
    inputs = gan.inference_inputs(1)
    (samples,) = session.run(["generated_images"], inputs)
    wanted = np.asarray(gan.ema_generator(2 * inputs["images"] - 1, training=False)) / 2 + 0.5
    np.testing.assert_allclose(samples, wanted, atol=1e-5)


def test_onnx_says_nothing_of_optimizations_that_fail(dcgan, tmp_path, capfd, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    from tf2onnx.optimizer import transpose_optimizer

    def fail(*_):
        raise ValueError("max() arg is an empty sequence")  # of r3gan_celeba's scalars

    monkeypatch.setattr(transpose_optimizer.TransposeOptimizer, "optimize", fail)
    logger = logging.getLogger("tf2onnx.optimizer")
    heard, level = [], logger.level
    monkeypatch.setattr(logger, "handle", heard.append)
    assert export.onnx(dcgan, tmp_path / "g.onnx").passed
    assert not [record for record in heard if record.levelno >= logging.WARNING] and logger.level == level
    assert "Traceback" not in "".join(capfd.readouterr())


def test_onnx_without_its_extra(dcgan, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"kerasgan\[onnx\]"):
        export.onnx(dcgan, tmp_path / "g.onnx")
