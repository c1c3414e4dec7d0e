"""Feature networks: their weights, and how images reach them."""

import hashlib
import pathlib
import subprocess
import sys
import tarfile
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from kerasgan import weights
from kerasgan.metrics import digits, efficientnet, features, hed, inception
from kerasgan.metrics.features import FeatureNetwork

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERASGAN_WEIGHTS_URL", raising=False)


@pytest.fixture(scope="module")
def digits_network():
    return features.get("digits")


def pictures(*shape):
    return RANDOM.integers(0, 256, shape, "uint8")


def looking(size=None, **options):
    """A network whose features are the very pixels that reach it."""
    return FeatureNetwork("eye", lambda x: (x.reshape(len(x), -1), None), size=size, traced=False, **options)


# How images reach a network ------------------------------------------------------------------------------------------


def test_colours_are_resized_by_pillow():
    images = pictures(5, 20, 30, 3)
    seen = looking(size=(8, 12), filter="bicubic", batch_size=2).features(images).reshape(5, 8, 12, 3)
    for image, found in zip(images, seen, strict=True):
        expected = Image.fromarray(image).resize((12, 8), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(found, np.asarray(expected))


def test_floats_are_resized_like_pixels_but_not_rounded():
    images, network = pictures(3, 20, 20, 3), looking(size=(8, 8))
    whole, fine = network.features(images), network.features(images.astype("float64"))
    assert np.abs(whole - fine).max() < 1.5  # Pillow rounds twice: after each direction
    assert not np.array_equal(fine, np.rint(fine))
    edge = np.zeros((1, 10, 10, 1), "float32")
    edge[:, 5:] = 255  # where the filter overshoots
    enlarged = looking(size=(30, 30), channels=1).features(edge)
    assert 0 <= enlarged.min() and enlarged.max() <= 255


def test_grey_is_repeated():
    grey = pictures(3, 20, 20, 1)
    for size in (None, (8, 8)):
        seen, expected = (looking(size=size).features(x) for x in (grey, np.repeat(grey, 3, axis=3)))
        np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_transparency_is_laid_over_black(dtype):
    images = pictures(2, 4, 4, 4)
    images[..., 3] = np.array([255, 0, 128, 51])
    seen = looking().features(images.astype(dtype)).reshape(2, 4, 4, 3)
    np.testing.assert_array_equal(seen[:, :, 0], images[:, :, 0, :3])
    assert not seen[:, :, 1].any()
    np.testing.assert_allclose(seen[:, :, 3], images[:, :, 3, :3] / 5, atol=0.5 if dtype == "uint8" else 1e-4)
    assert "over black" in looking().resizer


def test_colours_become_luma_for_a_grey_network():
    images = pictures(4, 8, 8, 3)
    seen = looking(channels=1).features(images).reshape(4, 8, 8)
    expected = np.stack([Image.fromarray(image).convert("L") for image in images])
    assert np.abs(seen - expected.astype("float32")).max() <= 1  # Pillow computes it in whole numbers


def test_resizer_says_what_is_done():
    assert looking(size=(8, 12), filter="bilinear").resizer.startswith("bilinear antialiased to 12x8 (Pillow)")
    assert looking().resizer.startswith("none")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((8, 8, 3), "uint8"), r"images has shape \(8, 8, 3\).*images\[None\]"),
        (np.zeros((1, 8, 8, 2), "uint8"), "1, 3 or 4"),
        (np.zeros((0, 8, 8, 3), "uint8"), "images is empty"),
        (np.full((1, 8, 8, 3), -0.5), "to_natural"),
        (np.full((1, 8, 8, 3), np.nan), "NaN"),
        (np.zeros((1, 8, 8, 3), "int64"), "int64"),
    ],
)
def test_other_than_pixels_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        looking().features(images)


def test_lengths_of_batches_are_few():
    lengths = []

    def outputs(batch):
        lengths.append(len(batch))
        return batch.reshape(len(batch), -1), None

    network = FeatureNetwork("eye", outputs, batch_size=48)
    images = pictures(101, 2, 2, 3)
    np.testing.assert_array_equal(network.features(images), images.reshape(101, -1))
    assert lengths == [48, 48, 8]
    network.features(images[:40])
    assert lengths[3:] == [48]


# get and default -----------------------------------------------------------------------------------------------------


def test_names_and_errors():
    images = ("digits", "efficientnet_lite0", "hed_vgg16", "inception_2015", "inception_v3_keras")
    assert features.names() == ("bouncing_digits", *images, "spoken_digits")
    with pytest.raises(ValueError, match="Did you mean 'digits'"):
        features.get("digit")
    with pytest.raises(ValueError, match="network=3 is no feature network"):
        features.get(3)


def test_a_network_is_itself(digits_network):
    assert features.get(digits_network) is digits_network


def test_default():
    assert features.default((28, 28, 1)) == "digits"
    assert features.default((64, 64, 3)) == features.default([28, 28, 3]) == "efficientnet_lite0"
    with pytest.raises(ValueError, match="shape="):
        features.default((16000, 1))


def test_a_function_sees_everything_as_it_is():
    def mean_colours(images):
        assert len(images) <= 64
        return images.mean((1, 2))

    images = pictures(130, 6, 6, 4)
    network = features.get(mean_colours)
    np.testing.assert_allclose(network.features(images), images.mean((1, 2)), rtol=1e-6)
    assert network.features(images).dtype == np.float32
    assert (network.name, network.sha256, network.dimensions, network.classes) == ("mean_colours", None, 4, None)
    assert network.features_and_logits(images)[1] is None
    sounds = RANDOM.normal(size=(3, 100))
    np.testing.assert_allclose(features.get(lambda x: x[:, :7]).features(sounds), sounds[:, :7], rtol=1e-6)
    with pytest.raises(ValueError, match="no activations"):
        network.activations(images)
    with pytest.raises(ValueError, match=r"returned shape \(3,\) for 3"):
        features.get(lambda x: x[:, 0, 0, 0]).features(images[:3])
    with pytest.raises(ValueError, match="empty"):
        network.features(images[:0])


def test_a_model():
    inputs = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    second = keras.layers.Conv2D(5, 3, strides=2, padding="same")(first)
    network = features.get(keras.Model(inputs, second, name="mine"))
    images = pictures(3, 16, 16, 3)
    small = np.stack([Image.fromarray(image).resize((8, 8), Image.Resampling.BICUBIC) for image in images])
    expected = keras.Model(inputs, second)(small.astype("float32")).numpy()
    np.testing.assert_allclose(network.features(images), expected.mean((1, 2)), rtol=1e-4, atol=1e-2)
    assert (network.name, network.dimensions, network.classes, len(network.sha256)) == ("mine", 5, None, 64)
    with pytest.raises(ValueError, match="no activations"):
        network.activations(images)

    several = features.get(keras.Model(inputs, [first, second]))
    (activation,) = several.activations(images)
    np.testing.assert_allclose(activation, keras.Model(inputs, first)(small.astype("float32")), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(several.features(images), expected.mean((1, 2)), rtol=1e-4, atol=1e-2)


def test_sha256_of_a_model_is_that_of_its_weights():
    def made(seed):
        keras.utils.set_random_seed(seed)
        return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])

    first, same, other = (features.get(made(seed)).sha256 for seed in (1, 1, 2))
    assert first == same != other


def test_a_model_of_something_else():
    with pytest.raises(ValueError, match=r"takes \(None, 9\)"):
        features.get(keras.Sequential([keras.Input((9,)), keras.layers.Dense(3)]))
    volume = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Reshape((2, 2, 2, 6))])
    with pytest.raises(ValueError, match="expected .n, d. or .n, h, w, d."):
        features.get(volume).features(pictures(1, 4, 4, 3))


# digits --------------------------------------------------------------------------------------------------------------


def drawn_digits():
    """The ten digits in Pillow's own typeface, at three sizes: (30, 28, 28, 1), labels (30,)."""
    images = []
    for size in (22, 24, 26):
        font = ImageFont.load_default(size)
        for digit in range(10):
            image = Image.new("L", (28, 28))
            ImageDraw.Draw(image).text((14, 14), str(digit), fill=255, font=font, anchor="mm", stroke_width=0)
            images.append(np.asarray(image)[..., None])
    return np.stack(images), np.arange(30) % 10


def test_digits_are_told_apart(digits_network):
    images, labels = drawn_digits()
    found, logits = digits_network.features_and_logits(images)
    assert found.shape == (30, 64) and logits.shape == (30, 10) and found.dtype == logits.dtype == np.float32
    assert (logits.argmax(1) == labels).mean() >= 0.8  # printed digits; it was trained on written ones


def test_features_do_not_depend_on_the_batch(digits_network):
    images, _ = drawn_digits()
    together = digits_network.features(images[:7])
    np.testing.assert_allclose(together[:3], digits_network.features(images[:3]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together[6:], digits_network.features(images[6:7]), rtol=1e-4, atol=1e-5)


def test_digits_see_other_sizes_and_colours(digits_network):
    images, _ = drawn_digits()
    large = np.stack([np.asarray(Image.fromarray(i[..., 0]).resize((56, 56), 2).convert("RGB")) for i in images])
    close, far = digits_network.features(large), digits_network.features(images)
    distance = np.linalg.norm(close[:, None] - far, axis=2)
    assert (distance.argmin(1) == np.arange(30)).mean() > 0.8


def test_digits_activations(digits_network):
    shapes = [layer.shape for layer in digits_network.activations(pictures(3, 28, 28, 1))]
    assert shapes == [(3, 28, 28, 32), (3, 14, 14, 64), (3, 7, 7, 64)]


def test_digits_weights_are_those_that_are_named(digits_network):
    path = pathlib.Path(digits.__file__).parent / digits.WEIGHTS.filename
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digits.WEIGHTS.sha256 == digits_network.sha256
    assert path.stat().st_size == digits.WEIGHTS.size < 300_000


# efficientnet_lite0 --------------------------------------------------------------------------------------------------


def picture():
    y, x = np.mgrid[0:160, 0:160].astype("float64")
    red = 127.5 + 127.5 * np.sin(x / 9) * np.cos(y / 13)
    green = 255 * np.exp(-((x - 70) ** 2 + (y - 90) ** 2) / 900)
    blue = (x // 20 + y // 20) % 2 * 200
    return np.stack([red, green, blue], 2).round().astype("uint8")[None]


def test_efficientnet_lite0_is_the_one_of_pytorch():
    network = features.get("efficientnet_lite0")
    found, logits = network.features_and_logits(picture())
    assert found.shape == (1, 1280) and logits.shape == (1, 1000)
    # What efficientnet-lite-pytorch 0.1.0 on PyTorch 2.14 makes of the same image and weights.
    places = [423, 140, 949, 957, 642, 289]
    expected = [4.708218, 4.499399, 4.383772, 4.381098, 4.295079, 4.212289]
    np.testing.assert_allclose(found[0, places], expected, atol=4e-3)  # the weights are rounded; so is Pillow's work
    assert found.mean() == pytest.approx(0.218831, abs=1e-4)
    assert logits.argmax() == 854 and logits.max() == pytest.approx(12.26316, abs=2e-2)
    sizes = [layer.shape[1:] for layer in network.activations(picture())]
    assert sizes == [(64, 64, 16), (32, 32, 24), (16, 16, 40), (8, 8, 112), (4, 4, 320)]
    assert "bicubic antialiased to 128x128 (Pillow)" in network.resizer
    assert (network.license, network.sha256) == ("Apache-2.0", efficientnet.WEIGHTS.sha256)


def test_efficientnet_lite0_comes_with_the_package():
    path = pathlib.Path(efficientnet.__file__).parent / efficientnet.WEIGHTS.filename
    assert hashlib.sha256(path.read_bytes()).hexdigest() == efficientnet.WEIGHTS.sha256
    assert path.stat().st_size == efficientnet.WEIGHTS.size < 13_000_000


def test_efficientnet_lite0_has_the_published_size():
    model = efficientnet.network()
    channels = sum(layer.bias.shape[0] for layer in model.layers if layer.weights and layer.name != "classes")
    # 4,652,008 with two trainable numbers a channel in each batch normalization; one of them is left, as a bias.
    assert model.count_params() + channels == 4_652_008


# hed_vgg16 -----------------------------------------------------------------------------------------------------------


def test_hed_vgg16_is_the_package_s_own(monkeypatch):
    """Its layers as the package's own model computes them, which is made for edges."""
    theirs = pytest.importorskip(hed.PACKAGE)
    network, image = features.get("hed_vgg16"), picture()[:, :64, :64]
    assert (network.dimensions, network.license, network.sha256) == (512, "MIT", hed.SHA256)
    found, activations = network.features(image), network.activations(image)
    assert [layer.shape for layer in activations] == [(1, 64 >> n, 64 >> n, 64 << n) for n in range(4)]
    x = image[..., ::-1].astype("float32") - np.array([103.939, 116.779, 123.68], "float32")
    model = theirs.HED()
    for block, mine in zip((model.block1, model.block2, model.block3, model.block4), activations, strict=True):
        x = np.asarray(block(x))
        np.testing.assert_allclose(mine, x, atol=1e-3 * x.max())
    np.testing.assert_allclose(found, x.mean((1, 2)), atol=1e-3 * x.mean())


def test_second(monkeypatch, tmp_path):
    monkeypatch.setattr(hed, "file", lambda: tmp_path)
    assert features.second((64, 64, 3)) == features.second((32, 32, 4)) == "hed_vgg16"
    assert features.second((28, 28, 1)) is features.second((16000, 1)) is None
    monkeypatch.setattr(hed, "file", lambda: None)
    assert features.second((64, 64, 3)) is None
    with pytest.raises(ImportError, match=r"kerasgan\[scores\]"):
        features.get("hed_vgg16")


def test_damaged_weights_of_hed_are_refused(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"other")
    with pytest.raises(ValueError, match=f"expected {hed.SHA256}"):
        hed.content(path)


# inception_2015 ------------------------------------------------------------------------------------------------------


def stand_in(size=6, with_bias=3.0):
    """A small graph of the old kind, its nodes named as in the graph of 2015, and the constants in it."""
    constants = {
        "mean": RANDOM.normal(size=3),
        "variance": RANDOM.uniform(0.5, 2, 3),
        "beta": RANDOM.normal(size=3),
        "gamma": RANDOM.normal(size=3),
        "kernel": RANDOM.normal(size=(3, 4)),
    }
    graph = tf.Graph()
    v1 = tf.compat.v1
    with graph.as_default():
        contents = v1.placeholder(tf.string, (), name="DecodeJpeg/contents")
        decoded = tf.cast(tf.image.decode_jpeg(contents, channels=3), tf.float32)
        x = tf.expand_dims(decoded, 0, name="ExpandDims")
        x = v1.image.resize_bilinear(x, (size, size), name="ResizeBilinear")
        x = tf.multiply(x - 128.0, 1 / 128, name="Mul")
        tensors = {name: tf.constant(value, tf.float32, name=name) for name, value in constants.items()}
        x = v1.identity(x, name="normalized")
        pool = tf.reduce_mean(x, (1, 2), keepdims=True, name="pool_3")
        flat = tf.reshape(pool, (1, 3), name="pool_3/_reshape")
        logits = tf.matmul(flat, tensors["kernel"], name="softmax/logits/MatMul")
        tf.nn.softmax(logits + with_bias, name="softmax")
    definition = graph.as_graph_def(add_shapes=True)  # they say: one image
    node = next(node for node in definition.node if node.name == "normalized")
    node.op = "BatchNormWithGlobalNormalization"  # which TensorFlow removed in 2015, for newer graphs than that
    node.input.extend(["mean", "variance", "beta", "gamma"])
    node.attr["variance_epsilon"].f = 1e-3
    node.attr["scale_after_normalization"].b = True
    definition.versions.producer = 8
    return definition.SerializeToString(), constants


def resized_as_in_2015(image, size):
    """Bilinear, without antialiasing, the corners of pixels (not their centres) on each other."""
    height, width = image.shape[:2]
    out = np.zeros((size, size, 3))
    for i in range(size):
        for j in range(size):
            y, x = i * height / size, j * width / size
            (y0, x0), (dy, dx) = (int(y), int(x)), (y % 1, x % 1)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            top = image[y0, x0] * (1 - dx) + image[y0, x1] * dx
            out[i, j] = top * (1 - dy) + (image[y1, x0] * (1 - dx) + image[y1, x1] * dx) * dy
    return out


def expected_of(images, constants, size=6):
    x = np.stack([resized_as_in_2015(image.astype("float64"), size) for image in images])
    x = (x - 128) / 128
    x = (x - constants["mean"]) / np.sqrt(constants["variance"] + 1e-3) * constants["gamma"] + constants["beta"]
    found = x.mean((1, 2))
    return found, found @ constants["kernel"]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    data, constants = stand_in()
    path = tmp_path_factory.mktemp("graph") / inception.MEMBER
    path.write_bytes(data)
    return path, constants


def test_the_old_graph_is_run_as_it_is(graph):
    path, constants = graph
    with pytest.warns(UserWarning, match="not the graph of published scores"):
        network = features.get(f"inception_2015:{path}")
    for images in (pictures(70, 9, 7, 3), pictures(3, 4, 4, 3)):
        found, logits = network.features_and_logits(images)
        expected, expected_logits = expected_of(images, constants)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(logits, expected_logits, rtol=1e-4, atol=1e-4)  # without the bias
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (network.dimensions, network.classes, network.sha256) == (3, 4, sha256)
    assert network.name == f"inception_2015:{sha256[:12]}"
    assert "without antialiasing to 299x299" in network.resizer


def test_the_graph_is_found_in_its_archive(graph, tmp_path):
    path, constants = graph
    with tarfile.open(tmp_path / "inception-2015-12-05.tgz", "w:gz") as archive:
        archive.add(path, inception.MEMBER)
    images = pictures(2, 5, 5, 3)
    with pytest.warns(UserWarning, match="not the graph of published scores"):
        network = features.get(f"inception_2015:{tmp_path / 'inception-2015-12-05.tgz'}")
    np.testing.assert_allclose(network.features(images), expected_of(images, constants)[0], rtol=1e-4, atol=1e-4)


def test_a_downloaded_graph_is_the_default(graph, monkeypatch):
    data = graph[0].read_bytes()
    file = inception._File(inception.MEMBER, hashlib.sha256(data).hexdigest(), len(data), None)
    monkeypatch.setattr(inception, "FILE", file)
    with pytest.raises(FileNotFoundError) as error:
        features.get("inception_2015")
    place = weights.cache_folder() / "weights" / "inception_2015" / file.sha256[:16] / inception.MEMBER
    assert str(place) in str(error.value)  # where `is_cached` looks
    assert not inception.is_cached()
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    assert features.default((64, 64, 3)) == "inception_2015"
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        network = features.get("inception_2015")
    assert (network.name, network.sha256) == ("inception_2015", file.sha256)


def test_other_files_than_the_graph(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        features.get(f"inception_2015:{tmp_path / 'none.pb'}")
    (tmp_path / "text.pb").write_bytes(b"\xff\xffno graph")
    with pytest.raises(ValueError, match="no TensorFlow graph"):
        inception.load((tmp_path / "text.pb").read_bytes())
    with pytest.raises(ValueError, match="no node 'ExpandDims'"):
        inception.load(tf.compat.v1.GraphDef().SerializeToString())
    with tarfile.open(tmp_path / "other.tgz", "w:gz") as archive:
        archive.add(tmp_path / "text.pb", "text.pb")
    with pytest.raises(ValueError, match="not an archive that holds"):
        features.get(f"inception_2015:{tmp_path / 'other.tgz'}")


# inception_v3_keras --------------------------------------------------------------------------------------------------


def test_inception_v3_keras_without_a_network_connection(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure on https://storage.googleapis.com/x: None -- Name or service not known")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(ConnectionError, match="URL fetch failure.*efficientnet_lite0"):
        features.get("inception_v3_keras")


@pytest.mark.slow
def test_inception_v3_keras(monkeypatch):
    real = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **options: real(weights=None, **options))
    network = features.get("inception_v3_keras")
    found, logits = network.features_and_logits(pictures(2, 32, 32, 3))
    assert found.shape == (2, 2048) and logits.shape == (2, 1000)
    assert [layer.shape[3] for layer in network.activations(pictures(1, 32, 32, 3))] == [288, 768, 2048]
    assert len(network.sha256) == 64


def test_import_needs_no_tensorflow():
    code = "import sys, kerasgan.metrics.features as f; f.default((28, 28, 1)); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
