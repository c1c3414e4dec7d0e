"""tools/train_spoken_digits.py: the recipe of the feature network `spoken_digits`, on tones instead of words."""

import io
import pathlib
import wave
import zipfile

import as_script
import numpy as np
import pytest

TOOLS = pathlib.Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    return as_script.load(TOOLS / "train_spoken_digits.py")


def tone(digit, random):
    time = np.arange(random.integers(1500, 4000)) / 8000
    sound = np.sin(2 * np.pi * 250 * 1.3**digit * time) * np.hanning(len(time)) * random.uniform(0.2, 0.9)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return content.getvalue()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Tones of ten pitches by two speakers; those for testing (index 0 to 4) are called right for one speaker only."""
    path, random = tmp_path_factory.mktemp("spoken") / "tones.zip", np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for digit in range(10):
            for speaker in ("anna", "bob"):
                for index in range(0, 25):
                    wrong = speaker == "bob" and index < 5
                    sound = tone((digit + 3) % 10 if wrong else digit, random)
                    archive.writestr(f"recordings/{digit}_{speaker}_{index}.wav", sound)
    return path


def test_it_learns_from_the_training_part_and_is_tested_on_the_other(tool, recordings, tmp_path):
    file, accuracy = tool.train(recordings, tmp_path / "small.weights.h5", epochs=6)
    assert 0.35 < accuracy <= 0.5  # half of the test recordings are called wrong
    assert file.filename == "small.weights.h5" and file.size < 300_000


def test_parts_share_no_recording(tool, recordings):
    parts = [tool._read(recordings, labels, 1, shuffle=False) for labels in (tool.TRAINING, tool.TEST)]
    assert [part.count for part in parts] == [400, 100]
    assert all(part.class_names == list("0123456789") for part in parts)


def test_distortion_delays_and_adds_noise(tool):
    sounds = np.zeros((50, 8192, 1), "float32")
    sounds[:, 100] = 0.5
    layer = tool._distortion(1)
    np.testing.assert_array_equal(layer(sounds, training=False), sounds)
    found = np.array(layer(sounds, training=True))[..., 0]
    delays = found.argmax(1) - 100
    assert 0 <= delays.min() < 300 and 1700 < delays.max() <= 2048
    np.testing.assert_allclose(found.max(1), 0.5, atol=0.2)
    noise = np.median(np.abs(found), axis=1) / 0.6745 / 0.5
    assert noise.min() < 0.01 and 0.05 < noise.max() < 0.12


def test_the_command_says_what_is_wrong(tmp_path):
    words = ["--data", tmp_path / "none.zip", "--out", tmp_path / "x.weights.h5"]
    done = as_script.run(TOOLS / "train_spoken_digits.py", *words)
    assert done.returncode == 1 and done.stderr.startswith("train_spoken_digits: error:") and "none.zip" in done.stderr
