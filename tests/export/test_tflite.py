"""The .tflite files, run by LiteRT itself and not by our own session."""

import functools
import json

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import export
from kerasgan.export import flatbuffer
from kerasgan.models import DCGAN

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


def run(path, inputs):
    """LiteRT's answers to {name: array}, one sample at a time, through the signature's names."""
    runner = interpreter.Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    count = len(next(iter(inputs.values())))
    return np.concatenate(
        [runner(**{name: values[i : i + 1] for name, values in inputs.items()})["images"] for i in range(count)]
    )


@pytest.fixture(scope="module")
def exported(request, tmp_path_factory):
    """`exported(model)`: what `export.tflite` returns of the fixture of that name, and its file."""

    @functools.cache
    def made(model):
        path = tmp_path_factory.mktemp(model) / "g.tflite"
        return export.tflite(request.getfixturevalue(model), path), path

    return made


def pixels(images):
    return np.rint(255.0 * images)


@pytest.mark.parametrize("model", ["dcgan", "conditional", "perceptron"])
def test_the_file_makes_the_samples_of_generate(model, request, exported):
    gan = request.getfixturevalue(model)
    found, path = exported(model)
    inputs = gan.inference_inputs(12, seed=9)
    keras_samples = np.asarray(gan(list(inputs.values()) if len(inputs) > 1 else inputs["latents"], training=False))
    images = run(path, inputs)
    assert images.dtype == np.float32 and images.min() >= 0 and images.max() <= 1
    assert np.abs(pixels(images) - gan.media.to_natural(keras_samples).astype(float)).max() <= 1
    assert found.passed and found.samples == 64 and found.max_difference < 1e-5


def test_labels_choose_the_class(conditional, exported):
    latents, (_, path) = conditional.inference_inputs(1)["latents"], exported("conditional")
    zero, one = (run(path, {"latents": latents, "labels": np.array([k], "int32")}) for k in (0, 1))
    assert np.abs(zero - one).max() > 0.01


@pytest.mark.parametrize("mode", ["float16", "dynamic", "int8"])
@pytest.mark.parametrize("model", ["dcgan", "conditional"])
def test_quantized_files_are_smaller_take_floats_and_stay_close(mode, model, request, tmp_path):
    gan = request.getfixturevalue(model)
    export.tflite(gan, tmp_path / "g.tflite", mode, verify=False)
    inputs = gan.inference_inputs(8, seed=9)
    reference = (
        np.asarray(gan(list(inputs.values()) if len(inputs) > 1 else inputs["latents"], training=False)) / 2 + 0.5
    )
    error = np.mean(np.square(run(tmp_path / "g.tflite", inputs) - reference))
    assert 10 * np.log10(1 / error) > (60 if mode == "float16" else 25)
    assert error > 0  # its numbers are other ones: it is quantized
    weights = {"float16": np.float16, "dynamic": np.int8, "int8": np.int8}[mode]
    details = interpreter.Interpreter(model_path=str(tmp_path / "g.tflite")).get_tensor_details()
    assert any(tensor["dtype"] == weights for tensor in details)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_models_export_in_float32(dtype, tmp_path):
    gan = DCGAN(image_shape=(16, 16, 1), latent_dim=6, width=4, seed=1, dtype=dtype)
    whole = DCGAN(image_shape=(16, 16, 1), latent_dim=6, width=4, seed=1)
    whole.ema_generator.set_weights(gan.ema_generator.get_weights())
    export.tflite(gan, tmp_path / "g.tflite")
    inputs = gan.inference_inputs(4)
    expected = np.asarray(whole(inputs["latents"], training=False)) / 2 + 0.5
    np.testing.assert_allclose(run(tmp_path / "g.tflite", inputs), expected, atol=1e-5)
    assert gan.ema_generator.compute_dtype == dtype.removeprefix("mixed_")  # the model itself is as it was


def test_only_built_in_operators(exported):
    found, path = exported("dcgan")
    assert found.operators["CONV_2D"] == found.operators["DEPTH_TO_SPACE"] == 2
    assert flatbuffer.foreign_operators(path.read_bytes()) == []
    names = {op["op_name"] for op in interpreter.Interpreter(model_path=str(path))._get_ops_details()}
    assert set(found.operators) == names - {"DELEGATE"}


def test_the_batch_is_static_and_may_be_another(dcgan, exported, tmp_path):
    _, one = exported("dcgan")
    found = export.tflite(dcgan, tmp_path / "four.tflite", batch_size=4)
    assert found.batch_size == 4 and found.samples == 64
    for path, size in ((one, 1), (tmp_path / "four.tflite", 4)):
        (details,) = interpreter.Interpreter(model_path=str(path)).get_input_details()
        assert list(details["shape"]) == list(details["shape_signature"]) == [size, 6]


def test_sidecar_and_metadata(conditional, tmp_path):
    export.tflite(conditional, tmp_path / "g.tflite", "dynamic", verify=False)
    sidecar = json.loads((tmp_path / "g.tflite.json").read_text())
    assert sidecar["inputs"] == [
        {
            "name": "latents",
            "kind": "latents",
            "distribution": "normal",
            "range": None,
            "dtype": "float32",
            "shape": [1, 6],
        },
        {"name": "labels", "kind": "labels", "range": [0, 2], "dtype": "int32", "shape": [1], "classes": None},
    ]
    assert sidecar["output"] == {
        "name": "images", "kind": "image", "dtype": "float32", "shape": [1, 16, 16, 4], "range": [0, 1],
    }  # fmt: skip
    assert sidecar["quantization"] == "dynamic" and sidecar["kerasgan"] == kerasgan.__version__
    data = (tmp_path / "g.tflite").read_bytes()
    import hashlib

    assert sidecar["sha256"] == hashlib.sha256(data).hexdigest() and sidecar["size"] == len(data)
    inside = flatbuffer.metadata(data)
    assert inside == {key: value for key, value in sidecar.items() if key not in ("file", "size", "sha256")}


def test_the_sidecar_of_an_entry_has_its_classes_and_licences(tmp_path):
    export.tflite("cgan_fashion_mnist", tmp_path / "clothes.tflite", "dynamic")
    sidecar = json.loads((tmp_path / "clothes.tflite.json").read_text())
    assert sidecar["name"] == "cgan_fashion_mnist" and sidecar["data"] == {"name": "Fashion-MNIST", "license": "MIT"}
    assert len(sidecar["inputs"][1]["classes"]) == 10 and "Sneaker" in sidecar["inputs"][1]["classes"]


def _gan_with(layer):
    latents = keras.Input((4,))
    x = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(latents))
    samples = keras.Input((8, 8, 1))
    return kerasgan.GAN(
        keras.Model(latents, layer(x)),
        keras.Model(samples, keras.layers.Dense(1)(keras.layers.Flatten()(samples))),
        seed=1,
    )


def test_an_operation_that_phones_lack_is_named_with_its_layer(tmp_path):
    gan = _gan_with(keras.layers.UpSampling2D(2, interpolation="bicubic", name="enlarging"))
    with pytest.raises(export.UnsupportedOperation, match="ResizeBicubic in layer 'enlarging'.*allow_select_ops"):
        export.tflite(gan, tmp_path / "g.tflite")
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match="FlexResizeBicubic.*not verified"):
        assert export.tflite(gan, tmp_path / "g.tflite", allow_select_ops=True) is None
    assert flatbuffer.foreign_operators((tmp_path / "g.tflite").read_bytes()) == ["FlexResizeBicubic"]
    with pytest.raises(ValueError, match="LiteRT does not run its operations FlexResizeBicubic"):
        export.verify(gan, tmp_path / "g.tflite")


def test_refused_files_leave_nothing(dcgan, tmp_path, monkeypatch):
    monkeypatch.setitem(export.TOLERANCES, "int8", ("psnr", 500))
    with pytest.raises(export.ToleranceError, match='int8.*dB.*expected PSNR of at least 500.*"dynamic"') as refusal:
        export.tflite(dcgan, tmp_path / "g.tflite", "int8")
    assert list(tmp_path.iterdir()) == []
    assert not refusal.value.verification.passed and refusal.value.verification.psnr < 500


def test_nothing_is_overwritten_unasked(dcgan, tmp_path):
    (tmp_path / "g.tflite").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export.tflite(dcgan, tmp_path / "g.tflite")
    assert (tmp_path / "g.tflite").read_text() == "mine"
    export.tflite(dcgan, tmp_path / "g.tflite", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.tflite", "g.tflite.json"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"quantize": "int4"}, ValueError, "quantize='int4'.*'dynamic'"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"batch_size": None}, ValueError, "batch_size=None"),
        ({"calibration": 0}, ValueError, "calibration=0"),
        ({"path": "g.bin"}, ValueError, "g.bin.*tflite"),
        ({"path": "missing.txt/g.tflite"}, OSError, "is a file"),
        ({"gan": 3}, TypeError, "gan is a int"),
        ({"gan": "dcgan_celebs"}, ValueError, "dcgan_celeba"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(arguments, error, message, dcgan, tmp_path):
    (tmp_path / "missing.txt").write_text("")
    path = (
        tmp_path / arguments.pop("path", "g.tflite")
        if "path" in (arguments := dict(arguments))
        else tmp_path / "g.tflite"
    )
    with pytest.raises(error, match=message):
        export.tflite(arguments.pop("gan", dcgan), path, **arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["missing.txt"]


def test_without_litert_the_error_names_the_extra(dcgan, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"kerasgan\[export\]"):
        export.tflite(dcgan, tmp_path / "g.tflite")


class NoGenerator(kerasgan.GAN):
    """A game whose samples come from no network."""


def test_a_gan_without_a_network_to_export(dcgan, tmp_path):
    gan = NoGenerator(dcgan.generator, dcgan.discriminator)
    gan.ema_generator = None
    with pytest.raises(ValueError, match="no built functional generator.*keras.Model"):
        export.tflite(gan, tmp_path / "g.tflite")
    gan.ema_generator = keras.Sequential([keras.layers.Dense(3)])  # not built
    with pytest.raises(ValueError, match="no built functional generator"):
        export.tflite(gan, tmp_path / "g.tflite")
    assert list(tmp_path.iterdir()) == []
