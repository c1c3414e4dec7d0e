"""kerasgan score, and what it needs: a training that holds normal samples back, and names of samples."""

import csv
import dataclasses
import shutil
import wave

import numpy as np
import pytest
from PIL import Image
from test_cli import fails, kerasgan_command

import kerasgan
from kerasgan.data import images


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures: 60 normal ones, 6 others, and those in one array file."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    pictures = random.integers(0, 256, (66, 16, 16), dtype="uint8")
    for kind, chosen in (("normal", pictures[:60]), ("strange", pictures[60:])):
        (folder / kind).mkdir()
        for number, picture in enumerate(chosen):
            Image.fromarray(picture).save(folder / kind / f"{kind}{number}.png")
    np.savez(folder / "all.npz", x=pictures, x_test=pictures, y_test=np.arange(66) >= 60)
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """A run of a step."""
    recipe = kerasgan.runs.changed(
        kerasgan.registry.resolve("ganomaly"),
        {
            "data.size": 16,
            "data.channels": 1,
            "model.image_shape": [16, 16, 1],
            "model.width": 2,
            "model.latent_dim": 4,
            "batch_size": 8,
            "epochs": 1,
            "dtype": "float32",
        },
    )
    kerasgan.runs.train(recipe, str(folder / "normal"), folder / "run", limit_steps=1)
    return folder / "run"


def test_scores_of_files_and_folders(run, folder, capsys, tmp_path):
    source, one = folder / "strange", folder / "normal" / "normal7.png"
    out, maps = tmp_path / "s.csv", tmp_path / "maps"
    code, said, error = kerasgan_command(capsys, "score", run, source, one, "-o", out, "--maps", maps)
    assert code == 0 and "of 7 are stranger than 95% of normal images." in said, error
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*(f"strange{n}.png" for n in range(6)), "normal7.png"]
    gan = kerasgan.load(run)
    assert gan.is_calibrated
    pictures = np.stack([np.array(Image.open(source / f"strange{n}.png"))[..., None] for n in range(6)])
    found = gan.score(pictures)
    np.testing.assert_allclose([float(row["score"]) for row in rows[:6]], found.scores, rtol=1e-4)
    np.testing.assert_allclose([float(row["quantile"]) for row in rows[:6]], found.quantiles, atol=1e-3)
    assert [row["strange"] for row in rows[:6]] == [str(int(s > gan.threshold(0.95))) for s in found.scores]
    with Image.open(maps / "00006_normal7.png") as picture:
        assert picture.size == (16, 16) and picture.mode == "RGB"


def test_every_tenth_is_held_back(run, folder):
    """Quantiles are those of normal samples that the model was not trained on."""
    gan = kerasgan.load(run)
    held_back = images(folder / "normal", size=16, channels=1, part="test", batch_size=1, shuffle=False)
    scores = gan.score(gan.media.to_natural(np.concatenate(list(held_back.as_numpy_iterator())))).scores
    assert len(scores) == 6 and gan.threshold(0.5) == pytest.approx(np.median(scores), rel=0.02)


def test_evaluated_against_known_strange_ones(run, folder, capsys, tmp_path):
    words = ("evaluate", run, "-o", tmp_path / "scores.json", "--data")
    code, said, error = kerasgan_command(capsys, *words, folder / "normal", "--strange", folder / "strange")
    assert code == 0 and "auc" in said and "16 principal components" in said, error
    assert "6 real (all, kept apart)" in said  # of 60, those that it was not trained on
    parts = ("--subset", "normal", "--strange", folder / "strange")
    code, said, error = kerasgan_command(capsys, *words, folder, *parts)
    assert code == 0 and "auc" in said and "16 principal components" in said, error
    arrays = ("--key", "x_test", "--subset", "y_test=False", "--strange", "y_test=True", "--metrics", "auc")
    code, said, error = kerasgan_command(capsys, *words, folder / "all.npz", *arrays)
    assert code == 0 and "auc" in said and "f1" not in said, error
    (tmp_path / "others").mkdir()  # are all scored, and nobody knows those of the training
    for number in range(4):
        shutil.copy(folder / "normal" / f"normal{number}.png", tmp_path / "others")
    others = ("--strange", folder / "strange", "--metrics", "auc")
    code, said, error = kerasgan_command(capsys, *words, tmp_path / "others", *others)
    assert code == 0 and "4 real (all)" in said and "principal components" not in said, error
    assert "strange is missing" in fails(capsys, *words, folder / "normal")
    assert "metrics=['fid']: expected some of auc, average_precision, f1, for a model that scores" in fails(
        capsys, *words, folder / "normal", "--strange", folder / "strange", "--metrics", "fid"
    )


def test_what_cannot_be_done_is_said(run, folder, capsys, tmp_path):
    assert "Missing argument 'SOURCE ...'" in fails(capsys, "score", run)
    assert "'nothing.png' does not exist" in fails(capsys, "score", run, "nothing.png")
    assert "2.0 is not in the range 0<x<1" in fails(capsys, "score", run, folder / "strange", "--quantile", 2)
    assert "expected one of .csv" in fails(capsys, "score", run, folder / "strange", "-o", tmp_path / "a.png")
    assert "cannot score" in fails(capsys, "score", "vanilla_gan_mnist", folder / "strange")


def test_samples_have_names(folder):
    found = images(folder / "strange", size=16, channels=1, batch_size=2)
    assert [found.item_names(number) for number in range(6)] == [f"strange{n}.png" for n in range(6)]
    assert found.prefetch(1).item_names(3) == "strange3.png" and found.take(1).item_names is None
    part = images(folder / "normal", size=16, channels=1, batch_size=2, part="test", cache=False)
    assert part.item_names(0) == sorted(f"normal{n}.png" for n in range(60))[9]


def test_of_sounds(capsys, tmp_path):
    """Another reader than the type starts from, without that one's arguments."""
    (tmp_path / "normal").mkdir()
    for number in range(24):
        with wave.open(str(tmp_path / "normal" / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.random.default_rng(number).integers(-9999, 9999, 1024, dtype="int16").tobytes())
    words = ("train", "ganomaly", "--data", tmp_path / "normal", "--out", tmp_path / "run", "--length", 1024)
    own = ("data.reader=audio", "data.part=train", "model.width=2", "model.latent_dim=4")
    words += tuple(word for value in own for word in ("--set", value))
    code, said, error = kerasgan_command(capsys, *words, "--batch_size", 4, "--limit_steps", 1, "--dtype", "float32")
    assert code == 0, error
    code, said, error = kerasgan_command(capsys, "score", tmp_path / "run", tmp_path / "normal" / "3.wav")
    assert code == 0 and "of normal sounds: 3.wav" in said, error
    maps = ("--maps", tmp_path / "maps")
    assert "no pictures of where sounds" in fails(capsys, "score", tmp_path / "run", tmp_path / "normal", *maps)


def test_what_a_reader_leaves_to_chance_is_its_own(tmp_path):
    """`drop` are columns of a table, and points of a sketch that are left out at random."""
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{n % 3}.5,{n}\n" for n in range(30)))
    recipe = dataclasses.replace(kerasgan.registry.resolve("alad"), data={"reader": "table", "drop": ["b"]})
    found = kerasgan.runs.read_whole(recipe, tmp_path / "rows.csv")
    assert found.count == 30 and [column["name"] for column in found.fitted["columns"]] == ["a"]
