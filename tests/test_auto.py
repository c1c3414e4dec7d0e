"""`kerasgan train auto`: what it sees in a folder, what it makes of it, and how long it takes."""

import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from kerasgan import auto, cli, registry, runs, schedules
from kerasgan.callbacks import log
from kerasgan.data import looking
from kerasgan.runs import preparing

RANDOM = np.random.default_rng(0)


def photo(height=24, width=24, channels=3):
    """Neighbouring pixels differ nearly everywhere."""
    return RANDOM.integers(0, 256, (height, width, channels), np.uint8)


def drawing(number, size=24, transparent=False):
    """A square of one colour on a ground of one colour, or of none."""
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., 3] = 0 if transparent else 255
    pixels[4:12, 4 + number : 12 + number] = [200, 10 * number, 0, 255]
    return pixels


def saved(folder, pictures):
    folder.mkdir(exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels.squeeze()).save(folder / f"{number:04d}.png")
    return folder


def seen(**changes):
    return looking.Look(
        **{"count": 5000, "height": 90, "width": 100, "channels": 3, "drawn": 0.0, "distinct": 256, **changes}
    )


# What is seen


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([photo(20, 30) for _ in range(12)], looking.Look(12, 20, 30, 3, 0.0, 12)),
        ([photo(channels=1) for _ in range(12)], looking.Look(12, 24, 24, 1, 0.0, 12)),
        ([drawing(n, transparent=True) for n in range(12)], looking.Look(12, 24, 24, 4, 1.0, 12)),
        ([drawing(n) for n in range(12)], looking.Look(12, 24, 24, 3, 1.0, 12)),  # nothing in it is transparent
        ([photo()] * 12, looking.Look(12, 24, 24, 3, 0.0, 1)),
        ([*(photo() for _ in range(9)), *(drawing(n) for n in range(3))], looking.Look(12, 24, 24, 3, 0.25, 12)),
    ],
    ids=["photographs", "grey", "transparent", "drawings", "copies", "mixed"],
)
def test_what_a_folder_holds(pictures, expected, tmp_path):
    assert looking.look(saved(tmp_path / "p", pictures)) == expected


def test_looks_at_some_of_many(tmp_path, monkeypatch):
    folder = saved(tmp_path / "p", [photo(8, 8)] * 40)
    monkeypatch.setattr(looking, "_LOOKED_AT", 5)
    opened = []
    monkeypatch.setattr(looking, "_look_at", lambda pixels: opened.append(1) or (8, 8, 3, 0.0, len(opened)))
    assert looking.look(folder).count == 40 and len(opened) == 5


def test_files_that_are_no_pictures(tmp_path):
    folder = saved(tmp_path / "p", [photo() for _ in range(12)])
    (folder / "0003.png").write_bytes(b"no picture")
    assert looking.look(folder).distinct == 11
    for file in folder.iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="none of the 12 files that were looked at is a picture"):
        looking.look(folder)


# What follows from it


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((8, 8), [16, 16]),
        ((28, 28), [32, 32]),
        ((480, 640), [64, 64]),
        ((100, 1000), [32, 64]),
        ((1000, 100), [64, 32]),
        ((20, 200), [16, 32]),
    ],
    ids=str,
)
def test_size_of_samples(size, shape):
    recipe, (first, _) = auto.plan(seen(height=size[0], width=size[1]))
    assert recipe.model["image_shape"] == [*shape, 3] and recipe.data["size"] == shape
    assert f"mostly {size[1]}x{size[0]}, in colours: samples of {shape[1]}x{shape[0]}" in first
    assert ("cut to their middle" in first) == (size[0] * shape[1] != size[1] * shape[0])


def test_says_what_it_saw_and_why():
    assert auto.plan(seen())[1] == [
        "5,000 photographs, mostly 100x90, in colours: samples of 64x64, cut to their middle.",
        "The discriminator sees them moved a little and mirrored, so that it does not learn them by heart.",
    ]
    lines = auto.plan(seen(count=300, channels=4, drawn=0.7, height=32, width=32))[1]
    assert lines[0] == "300 drawings, 70% of them drawings, mostly 32x32, with transparency: samples of 32x32."
    assert lines[1].endswith(
        "changed in many ways, so that it does not learn them by heart; some hundreds more would make better samples."
    )


def test_drawings_are_not_mirrored_and_few_pictures_are_augmented_more():
    many, few = auto.plan(seen())[0], auto.plan(seen(count=300, drawn=1.0))[0]
    assert many.data["flip"] and many.compile["augmentation"] == "translation"
    assert not few.data["flip"] and few.compile["augmentation"] == "adaptive"
    assert auto.plan(seen(count=None))[0].compile["augmentation"] == "translation"  # a stream


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": 3, "distinct": 3}, "data holds 3 pictures, which a GAN would only copy"),
        ({"count": 1000, "distinct": 1}, "data holds one picture again and again"),
    ],
)
def test_what_nothing_can_be_learned_from(changes, said):
    with pytest.raises(ValueError, match=said):
        auto.plan(seen(**changes))


# How long it takes


def test_schedules_are_stretched_to_the_training():
    given = {
        "learning_rate": "geometric(5e-4, 5e-5, 1, 0.65)",
        "penalties": [{"config": {"weight": "cosine(2, 0.2, 1)", "interval": 16}}],
        "loss": "hinge",
        "beta_2": "linear(0.9, 0.5, 0.25) then cosine(0.8, 0.2, 1, 0.5)",
    }
    stretched = schedules.stretched(given, 1000)
    rate = schedules.get(stretched["learning_rate"])
    assert float(rate(650)) == pytest.approx(5e-4) and float(rate(1000)) == pytest.approx(5e-5)
    weight = schedules.get(stretched["penalties"][0]["config"]["weight"])
    assert float(weight(500)) == pytest.approx(1.1) and float(weight(1000)) == pytest.approx(0.2)
    beta = schedules.get(stretched["beta_2"])
    assert [float(beta(seen)) for seen in (125, 250, 400, 750)] == pytest.approx([0.7, 0.8, 0.8, 0.5])
    assert stretched["loss"] == "hinge" and stretched["penalties"][0]["config"]["interval"] == 16


@pytest.fixture
def photos(tmp_path):
    return saved(tmp_path / "photos", [photo(16, 16) for _ in range(64)])


@pytest.fixture
def measured(monkeypatch):
    """As if this machine trained 2.5 images a second: 135 in nine tenths of a minute."""
    monkeypatch.setattr(preparing, "samples_per_second", lambda recipe, dataset, strategy, steps: 2.5)


def train(*words):
    return cli.main(["train", *map(str, words), "--set", "model.width=4"])


def test_trains_for_the_time_that_there_is(photos, measured, tmp_path, capsys):
    run = tmp_path / "run"
    words = ("auto", "--data", photos, "--out", run, "--minutes", 1, "--limit_steps", 3)
    assert train(*words) == 0
    said = capsys.readouterr().out
    assert said.startswith("64 photographs, mostly 16x16, in colours: samples of 16x16.\nThe discriminator sees them")
    assert "2 samples a second here: 2 epochs, 128 samples." in said
    assert f"Look at its samples as it learns: {run / 'samples'}" in said
    recipe = runs.recipe_of(run)
    assert (recipe.epochs, recipe.gan_type) == (2, "dcgan")
    rate = schedules.get(recipe.compile["learning_rate"]).get_config()
    assert rate == {"start": 5e-4, "end": 5e-5, "samples": 128.0, "hold": pytest.approx(0.65 * 128)}

    assert train(*words[:-2]) == 0  # goes on
    said = capsys.readouterr().out
    assert "goes on with the 2 epochs that were planned when it began" in said
    assert [row["epoch"] for row in log.read(run / "log.csv")] == [1, 2]
    sheets = {path.name for path in (run / "samples").glob("*.png")}  # on a busy machine others, by the clock
    assert {"epoch_0001.png", "epoch_0002.png"} <= sheets


def test_a_time_that_is_shorter_than_an_epoch(measured, tmp_path, capsys):
    data = saved(tmp_path / "many", [photo(16, 16) for _ in range(192)])
    run = tmp_path / "run"
    assert train("auto", "--data", data, "--out", run, "--minutes", 1) == 0
    assert "a part of an epoch, 135 samples" in capsys.readouterr().out
    assert int(runs.load(run).samples_seen.numpy()) == 128  # whole batches of 32
    assert (run / "samples.png").is_file()


def test_a_time_for_a_type(photos, measured, tmp_path):
    run = tmp_path / "run"
    assert train("dcgan", "--data", photos, "--size", 16, "--batch_size", 32, "--out", run, "--minutes", 1) == 0
    assert runs.recipe_of(run).epochs == 2


def test_a_stream_whose_end_nobody_knows_is_one_epoch(measured):
    class Stream:
        def cardinality(self):
            return -2

    recipe = registry.Recipe(
        name="auto", gan_type="dcgan", compile={"learning_rate": "cosine(1e-3, 1e-4, 1)"}, batch_size=32
    )
    lasting, limit = preparing.lasting(recipe, Stream(), None, 10)
    assert (lasting.epochs, limit) == (1, 1350)
    assert schedules.get(lasting.compile["learning_rate"]).samples == 1350


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["auto", "--minutes", "0.1"], "--minutes is 0.1; expected 1 .* to 1,000,000"),
        (["auto", "--minutes", "nan"], "--minutes is nan; expected 1"),
        (["auto", "--minutes", "inf"], "--minutes is inf; expected 1"),
        (["auto", "--epochs", "3"], "--epochs: how long auto trains is said by --minutes"),
        (["auto", "--finetune"], "--finetune: 'auto' is a type and has no weights"),
        (["dcgan", "--minutes", "5", "--epochs", "3"], "--minutes and --epochs were given: leave one of them out"),
        (["dcgan_celeba", "--minutes", "5"], "--minutes: a recipe has its own length"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_that_do_not_fit(words, said, photos, tmp_path, capsys):
    assert cli.main(["train", *words, "--data", str(photos), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error), error
    assert not (tmp_path / "run").exists()


def test_its_name_is_not_that_of_a_type_or_an_entry():
    assert auto.NAME not in registry.TYPES and auto.NAME not in registry.list_models()
    assert not pathlib.Path(auto.NAME).exists()
