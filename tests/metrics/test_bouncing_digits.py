"""The feature network `bouncing_digits`, on clips of printed digits, and the recipe that trained it."""

import pathlib

import as_script
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from kerasgan.media import Video
from kerasgan.metrics import bouncing_digits, features
from kerasgan.metrics.frechet import frechet_distance
from kerasgan.weights import load_into

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "train_bouncing_digits.py"


@pytest.fixture(scope="module")
def network():
    return features.get("bouncing_digits")


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


def printed(count, random):
    """Digits in print, each turned by up to 15 degrees: uint8 (count, 28, 28), labels (count,)."""
    labels = random.integers(10, size=count)
    images = []
    for label, angle in zip(labels, random.uniform(-15, 15, count), strict=True):
        image = Image.new("L", (28, 28))
        ImageDraw.Draw(image).text((14, 14), str(label), 255, ImageFont.load_default(24), anchor="mm")
        images.append(np.asarray(image.rotate(angle, Image.Resampling.BILINEAR)))
    return np.stack(images), labels.astype("uint8")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path, random = tmp_path_factory.mktemp("printed") / "digits.npz", np.random.default_rng(0)
    (x_train, y_train), (x_test, y_test) = printed(300, random), printed(100, random)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="module")
def clips(tool, data):
    """{fault: 200 uint8 clips}, and as many others without a fault as "more"."""
    made, truth = tool.Clips(data, "train").make(200 * 7 + 7 * 200, np.random.default_rng(1))
    by_fault = {name: made[truth["faults"] == n].astype("uint8") for n, name in enumerate(bouncing_digits.FAULTS)}
    return {"more": by_fault["none"][200:], **{name: found[:200] for name, found in by_fault.items()}}


def test_its_file_is_small_and_verified(network):
    path = pathlib.Path(bouncing_digits.__file__).with_name(bouncing_digits.WEIGHTS.filename)
    assert path.stat().st_size == bouncing_digits.WEIGHTS.size < 800_000
    assert (network.dimensions, network.sha256) == (64, bouncing_digits.WEIGHTS.sha256)


def test_features_do_not_depend_on_the_batch_nor_on_what_comes_after_the_frames(network, clips):
    some = clips["none"][:5]
    together = network.features(some)
    assert together.shape == (5, 64) and together.std() > 0
    for i in range(5):
        np.testing.assert_allclose(network.features(some[i : i + 1])[0], together[i], rtol=1e-3, atol=1e-4)
    longer = np.concatenate([some, some[::-1]], axis=1)
    np.testing.assert_allclose(network.features(longer), together, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(network.features(some.astype("float64")), together, rtol=1e-3, atol=1e-4)


def test_larger_frames_are_made_smaller_one_by_one(network, clips):
    twice = clips["none"][:3].repeat(2, axis=2).repeat(2, axis=3)
    frames = [Image.fromarray(frame) for frame in twice.reshape(-1, 64, 64)]
    halved = [np.asarray(frame.resize((32, 32), Image.Resampling.BILINEAR)) for frame in frames]
    expected = np.stack(halved).reshape(3, 16, 32, 32, 1)
    np.testing.assert_allclose(network.features(twice), network.features(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("fault", sorted({*bouncing_digits.FAULTS} - {"none", "changes"}))
def test_the_distance_grows_with_the_share_of_clips_that_have_a_fault(network, clips, fault):
    real, sound, faulty = (network.features(clips[name]) for name in ("none", "more", fault))
    distances = [frechet_distance(real, np.concatenate([faulty[:bad], sound[bad:]])) for bad in (0, 50, 100, 200)]
    assert distances[0] < distances[1] < distances[2] < distances[3]
    assert distances[3] > 10 * distances[0]


def test_a_fault_that_it_was_not_trained_on_is_seen_too(network, clips):
    """Frames in another order, clips at half of the speed, and a few clips again and again."""
    real, sound = network.features(clips["none"]), network.features(clips["more"])
    floor = frechet_distance(real, sound)
    shuffled = clips["more"][:, np.random.default_rng(0).permutation(16)]
    assert frechet_distance(real, network.features(shuffled)) > 100 * floor
    slow = np.repeat(clips["more"][:, :8], 2, axis=1)
    assert frechet_distance(real, network.features(slow)) > 3 * floor
    alike = np.repeat(clips["more"][:10], 20, axis=0)
    assert frechet_distance(real, network.features(alike)) > 2 * floor


def test_it_is_the_network_of_grey_clips_that_are_long_enough():
    assert Video((16, 64, 64, 1)).default_network() == Video((20, 32, 48, 1)).default_network() == "bouncing_digits"
    for shape in ((16, 64, 64, 3), (15, 64, 64, 1)):
        with pytest.raises(ValueError, match="no feature network is for clips"):
            Video(shape).default_network()


@pytest.mark.parametrize(
    ("media", "shape"), [(Video((8, 32, 32, 1)), "8x32x32x1"), (Video((16, 32, 32, 3)), "16x32x32x3")]
)
def test_media_that_it_does_not_see_are_refused(network, media, shape):
    with pytest.raises(ValueError, match=f"sees grey clips of 16 frames or more; these are clips of shape {shape}"):
        network.check_media(media)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (np.zeros((2, 16, 32, 32), "uint8"), r"clips has shape \(2, 16, 32, 32\); expected \(count, 16 or more"),
        (np.zeros((2, 8, 32, 32, 1), "uint8"), "expected .count, 16 or more frames"),
        (np.zeros((0, 16, 32, 32, 1), "uint8"), "clips has shape"),
        (np.zeros((2, 16, 32, 32, 1), "int32"), "clips has dtype int32"),
        (np.full((2, 16, 32, 32, 1), 300.0), "clips"),
    ],
)
def test_what_is_no_clip_is_refused(network, clips, message):
    with pytest.raises(ValueError, match=message):
        network.features(clips)


# The recipe ----------------------------------------------------------------------------------------------------------


def test_clips_are_what_is_said_of_them(tool, data):
    made, truth = tool.Clips(data, "test").make(70, np.random.default_rng(3))
    assert made.shape == (70, 16, 32, 32, 1) and made.dtype == np.float32 and 0 <= made.min() and made.max() <= 255
    np.testing.assert_array_equal(np.bincount(truth["faults"]), [10] * 7)
    assert set(truth["digits"].sum(1)) <= {1, 2} and set(truth["ways"].sum(1)) <= {1, 2}
    light = made.sum(axis=(2, 3, 4))
    fault = np.array(bouncing_digits.FAULTS)[truth["faults"]]
    gone = light[fault == "vanishes"]
    assert (gone[:, -1] < 0.8 * gone[:, 0]).mean() > 0.7 and (light[fault == "none"].min(1) > 0).all()
    unsteady = light.std(axis=1) / light.mean(axis=1)
    assert unsteady[fault == "flickers"].mean() > 1.5 * unsteady[fault == "none"].mean()


def test_the_network_learns_and_its_weights_are_written(tool, data, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "BATCH_SIZE", 14)
    monkeypatch.setattr(tool, "REPORTED", 30)
    monkeypatch.setattr(tool, "LEARNING_RATE", 5e-3)
    file, right = tool.train(data, tmp_path / "small.weights.h5", steps=60, test_clips=210)
    assert file.size == (tmp_path / "small.weights.h5").stat().st_size
    assert right["faults"] > 1.5 / 7
    model = bouncing_digits.network()
    load_into(model, tmp_path / "small.weights.h5")
    made, truth = tool.Clips(data, "test").make(210, np.random.default_rng(0))
    *_, faults = model.predict(made, verbose=0)
    assert (faults.argmax(1) == truth["faults"]).mean() == pytest.approx(right["faults"], abs=0.01)


def test_arguments_are_checked_before_any_work(tool, data, tmp_path):
    with pytest.raises(ValueError, match="steps=0"):
        tool.train(data, tmp_path / "x.weights.h5", steps=0)
    with pytest.raises(ValueError, match="weights.h5"):
        tool.train(data, tmp_path / "x.h5")
    with pytest.raises(FileNotFoundError, match="none.npz"):
        tool.train(tmp_path / "none.npz", tmp_path / "x.weights.h5")
