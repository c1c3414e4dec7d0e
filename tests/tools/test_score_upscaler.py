"""tools/score_upscaler.py, on models and pictures that are made up."""

import json
import pathlib

import as_script
import keras
import numpy as np
import PIL.Image
import pytest

from kerasgan.media import bicubic
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.metrics import super_resolution
from kerasgan.models import SRGAN

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "score_upscaler.py"


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    for name, shape in {"a/1.png": (50, 61, 3), "a/2.png": (40, 44, 3), "b/3.png": (64, 48, 3)}.items():
        path = folder / "sets" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        PIL.Image.fromarray(dead_leaves(1, shape, 7)[0]).save(path)
    keras.utils.set_random_seed(0)
    SRGAN((16, 16, 3), scale=2, width=4, blocks=1, upsampling="direct").save(folder / "small.keras")
    words = ["--data", folder / "sets", "--subsets", "a,b", "--name", folder / "small.keras", "--out", folder / "out"]
    return folder, as_script.run(SCRIPT, *words)


def test_the_table_has_every_method_on_every_set(scored):
    folder, done = scored
    assert done.returncode == 0, done.stderr
    rows = json.loads((folder / "out" / "scores.json").read_text())
    assert [(row["data"], row["model"]) for row in rows] == [(s, m) for s in "ab" for m in ("bicubic", "small.keras")]
    images = [np.asarray(PIL.Image.open(folder / "sets" / "a" / f"{n}.png")) for n in (1, 2)]
    found = super_resolution(lambda image: bicubic.enlarge(image, 2), images, 2)
    assert rows[0]["psnr"] == pytest.approx(found.psnr.mean())
    table = (folder / "out" / "scores.md").read_text()
    assert f"| a (2) | x2 | bicubic | {found.psnr.mean():.2f} | {found.ssim.mean():.4f} |" in table
    assert all(line in done.stdout for line in table.splitlines()[2:])


def test_details_are_shown_side_by_side(scored):
    folder, _ = scored
    assert sorted(path.name for path in (folder / "out").glob("*.png")) == ["a_1.png", "a_2.png", "b_3.png"]
    sheet = np.asarray(PIL.Image.open(folder / "out" / "b_3.png"))
    assert sheet.shape == (48, 3 * 48 + 4, 3)  # bicubic, the model, the original
    original = np.asarray(PIL.Image.open(folder / "sets" / "b" / "3.png"))
    assert any(np.array_equal(sheet[:, -48:], original[top : top + 48]) for top in range(17))


def test_mistakes_are_said_in_a_line(tmp_path):
    words = ["--data", tmp_path / "gone", "--name", "nothing", "--out", tmp_path / "out"]
    done = as_script.run(SCRIPT, *words)
    assert done.returncode == 1 and done.stderr.startswith("score_upscaler: error:")
