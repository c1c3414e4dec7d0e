"""tools/train_digits.py: the recipe of the feature network `digits`, on blocks of light instead of digits."""

import pathlib

import as_script
import numpy as np
import pytest

from kerasgan.metrics import digits
from kerasgan.weights import load_into

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "train_digits.py"


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


def blocks(count, seed):
    """A bright block, whose place tells the class: uint8 (count, 28, 28), labels (count,)."""
    random, labels = np.random.default_rng(seed), np.arange(count, dtype="uint8") % 10
    images = random.integers(0, 40, (count, 28, 28), "uint8")
    for image, label in zip(images, labels, strict=True):
        top, left = 5 + 10 * (label // 5), 3 + 5 * (label % 5)
        image[top : top + 7, left : left + 4] = random.integers(150, 256)
    return images, labels


@pytest.fixture(scope="module")
def trained(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    (x_train, y_train), (x_test, y_test) = blocks(512, 0), blocks(100, 1)
    np.savez(folder / "blocks.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return folder, *tool.train(folder / "blocks.npz", folder / "small.weights.h5", epochs=4)


def test_the_network_learns_and_its_weights_are_written(trained):
    folder, file, accuracy = trained
    assert accuracy > 0.4  # chance is 0.1
    assert (file.filename, file.size) == ("small.weights.h5", (folder / "small.weights.h5").stat().st_size)
    assert file.size < 300_000


def test_the_accuracy_is_that_of_the_written_weights(trained):
    folder, _, accuracy = trained
    model = digits.network()
    load_into(model, folder / "small.weights.h5")
    images, labels = blocks(100, 1)
    logits = model.predict(images[..., None].astype("float32"), verbose=0)[-1]
    assert (logits.argmax(1) == labels).mean() == pytest.approx(accuracy, abs=0.011)


def test_arguments_are_checked_before_any_work(tool, trained, tmp_path):
    data = trained[0] / "blocks.npz"
    with pytest.raises(ValueError, match="epochs=0"):
        tool.train(data, tmp_path / "x.weights.h5", epochs=0)
    with pytest.raises(ValueError, match="weights.h5"):
        tool.train(data, tmp_path / "x.h5")
    np.savez(tmp_path / "other.npz", x_train=np.zeros((200, 28, 28), "uint8"))
    with pytest.raises(ValueError, match="y_train"):
        tool.train(tmp_path / "other.npz", tmp_path / "x.weights.h5")


def test_the_command_says_what_is_wrong(tmp_path):
    done = as_script.run(SCRIPT, "--data", tmp_path / "none.npz", "--out", tmp_path / "x.weights.h5")
    assert done.returncode == 1 and done.stderr.startswith("train_digits: error:") and "none.npz" in done.stderr
