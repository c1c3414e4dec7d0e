"""kerasgan continue: the frames that come next, as a file."""

import numpy as np
import PIL.Image
import pytest
from test_cli import fails, kerasgan_command

from kerasgan.media import Video
from kerasgan.models import DVDGANFP


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    gan = DVDGANFP(frames=4, given_frames=2, image_shape=(16, 16, 1), latent_dim=3, width=2, recurrent=1, seed=1)
    path = tmp_path_factory.mktemp("model") / "gan.keras"
    gan.save(path)
    return path


@pytest.fixture
def clip(tmp_path):
    pixels = (np.arange(3).reshape(1, 3, 1, 1, 1) * 40 + np.zeros((1, 3, 16, 16, 1))).astype("uint8")
    return Video(pixels.shape[1:]).save(pixels, tmp_path / "clip.gif")


def test_a_clip_and_what_comes_next(model, clip, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, error = kerasgan_command(capsys, "continue", model, clip, "--length", 3, "--seed", 7)
    assert code == 0, error
    assert f"Saved clip_next.webp: 2 frames of {clip}, then 3 new ones (seed 7)." in out
    with PIL.Image.open("clip_next.webp") as whole:
        frames = []
        for number in range(whole.n_frames):
            whole.seek(number)
            frames.append(np.asarray(whole.convert("L")))
        assert whole.info["duration"] == 100
    assert len(frames) == 5 and (frames[0] == 40).all() and (frames[1] == 80).all()
    assert np.ptp(frames[2]) > 0  # it is not trained, and makes noise


def test_what_cannot_be_done_is_said_first(model, clip, tmp_path, capsys):
    assert "does not exist; give the path of a clip" in fails(capsys, "continue", model, tmp_path / "no.gif")
    assert "ends in '.txt'; expected one of .webp" in fails(capsys, "continue", model, clip, "-o", tmp_path / "a.txt")
    assert "length" in fails(capsys, "continue", model, clip, "--length", 0)
    assert "which cannot generate: use kerasgan continue" in fails(capsys, "generate", model)
    PIL.Image.new("L", (16, 16)).save(tmp_path / "still.gif")
    said = fails(capsys, "continue", model, tmp_path / "still.gif", "-o", tmp_path / "a.gif")
    assert "frames has too few frames, 1; dvdganfp" in said and "goes on from 2" in said
