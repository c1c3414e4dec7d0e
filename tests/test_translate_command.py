"""Translators through the command: train, translate, evaluate, export; and what is refused before any work is done."""

import json

import numpy as np
import PIL.Image
import pytest
from test_cli import fails, kerasgan_command

from kerasgan import data, runs
from kerasgan.media.dead_leaves import dead_leaves


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    """Two folders of 20 pictures each; the second holds the negatives of the first."""
    folder = tmp_path_factory.mktemp("domains")
    for i, pixels in enumerate(dead_leaves(20, (16, 16, 3), 5)):
        for name, image in (("photos", pixels), ("negatives", 255 - pixels)):
            (folder / name).mkdir(exist_ok=True)
            PIL.Image.fromarray(image).save(folder / name / f"{i:02}.png")
    return folder


SMALL = ("--size", 16, "--set", "model.width=2", "--set", 'data.keys=["photos","negatives"]', "--epochs", 1)


@pytest.fixture(scope="module")
def run(domains, tmp_path_factory):
    from kerasgan import cli

    out = tmp_path_factory.mktemp("runs") / "negatives"
    words = ("train", "cyclegan", "--data", domains, "--out", out, *SMALL, "--batch_size", 2)
    assert cli.main([str(w) for w in (*words, "--set", "model.blocks=1", "--set", "data.part=train")]) == 0
    return out


def test_a_type_trains_on_folders(run):
    recipe = json.loads((run / "recipe.json").read_text())["recipe"]
    assert recipe["model"]["image_shape"] == [16, 16, 3] and recipe["data"]["reader"] == "unpaired"
    sheet = PIL.Image.open(run / "samples.png")
    assert sheet.size[0] > 16 and (run / "generator.weights.h5").is_file()


def test_derived_defaults_keep_the_papers_batch_and_rate(domains, tmp_path, capsys):
    code, out, _ = kerasgan_command(capsys, "train", "pix2pix", "--data", domains, "--out", tmp_path / "run", *SMALL)
    assert code == 0 and "batch_size 1" in out and "learning_rate 0.0002, 0.0002" in out


def test_pictures_of_any_size_are_translated(run, tmp_path, capsys):
    PIL.Image.fromarray(dead_leaves(1, (40, 64, 3), 9)[0]).save(tmp_path / "photo.jpg")
    code, out, _ = kerasgan_command(capsys, "translate", run, tmp_path / "photo.jpg", "-o", tmp_path / "negative.png")
    assert code == 0 and "negative.png" in out
    found = np.asarray(PIL.Image.open(tmp_path / "negative.png"))
    gan = runs.load(str(run))
    np.testing.assert_array_equal(found, gan.translate(data.picture(tmp_path / "photo.jpg", 16)))
    words = ("translate", run, tmp_path / "photo.jpg", tmp_path / "negative.png", "-o", tmp_path / "out")
    assert kerasgan_command(capsys, *words, "--direction", "b_to_a", "--crop", "pad")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "negative_negatives.png",
        "photo_negatives.png",
    ]


def test_what_translate_refuses(run, domains, tmp_path, capsys):
    PIL.Image.fromarray(dead_leaves(1, (16, 16, 3))[0]).save(tmp_path / "p.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "other").mkdir()
    PIL.Image.fromarray(dead_leaves(1, (16, 16, 3))[0]).save(tmp_path / "other" / "p.png")
    picture = tmp_path / "p.png"
    assert "Missing argument 'PICTURE ...'" in fails(capsys, "translate", run)
    assert "Missing argument 'NAME|RUN|FILE'" in fails(capsys, "translate")
    assert "does not exist" in fails(capsys, "translate", run, tmp_path / "no.png")
    assert "is a folder; name the pictures in it" in fails(capsys, "translate", run, tmp_path)
    assert "cannot be used: not an image" in fails(capsys, "translate", run, tmp_path / "text.png")
    assert "there is no other one" in fails(capsys, "translate", run, picture, "--direction", "up")
    assert "crop='left'" in fails(capsys, "translate", run, picture, "--crop", "left")
    assert "Several pictures would be saved as" in fails(
        capsys, "translate", run, picture, tmp_path / "other" / "p.png"
    )
    assert "out" in fails(capsys, "translate", run, picture, "-o", tmp_path / "p.txt")
    within = domains / "photos" / "translated"
    assert "it would become data, and that training" in fails(capsys, "translate", run, picture, "-o", within / "p.png")
    assert "it would become data, and that training" in fails(capsys, "translate", run, picture, "-o", within)
    assert not within.exists()
    assert "cannot translate: use kerasgan generate" in fails(capsys, "translate", "wgan_mnist", picture)
    assert "cannot generate: use kerasgan translate" in fails(capsys, "generate", run)


def test_scores_are_those_of_the_part_that_was_kept_apart(run, domains, capsys):
    words = ("evaluate", run, "--data", domains, "--paired", "--metrics", "psnr,l1")
    code, out, _ = kerasgan_command(capsys, *words)
    assert code == 0 and "psnr of the source" in out and "2 real (test)" in out
    found = json.loads((run / "evaluation.json").read_text())
    assert {r["metric"] for r in found} == {"psnr", "psnr of the source", "l1", "l1 of the source"}
    assert "leave out truncation, on which its scores do not depend" in fails(capsys, *words, "--truncation", 0.7)
    assert "expected some of kid" in fails(capsys, "evaluate", run, "--data", domains, "--metrics", "psnr")


def test_a_report_shows_what_there_is(run, domains, capsys, tmp_path):
    words = ("report", run, "--data", domains, "-o", tmp_path / "report.html")
    assert kerasgan_command(capsys, *words)[0] == 0
    text = (tmp_path / "report.html").read_text()
    assert "data:image/png" in text and "memorized" not in text


def test_a_domain_that_is_empty_or_missing(domains, tmp_path, capsys):
    words = ("train", "cyclegan", "--out", tmp_path / "r", "--size", 16)
    assert "keys=None: expected the names of two" in fails(capsys, *words, "--data", domains)
    error = fails(capsys, *words, "--data", domains, "--set", 'data.keys=["photos","nothing"]')
    assert "Domain nothing: subset='nothing' holds no files" in error
    assert not (tmp_path / "r").exists()
