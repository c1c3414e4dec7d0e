"""tools/publish_entry.py and tools/score_entry.py: from a run folder to a zoo entry with its scores."""

import dataclasses
import json
import pathlib
import shutil
import socket
import sys

import as_script
import keras
import numpy as np
import PIL.Image
import pytest

import kerasgan
import kerasgan.zoo
from kerasgan import registry, runs
from kerasgan.media import Audio
from kerasgan.registry import Recipe

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "publish_entry.py"
NAME = "wgan_gp_publishing_test"
RECIPE = Recipe(
    name=NAME,
    gan_type="wgan_gp",
    makes="tiny pictures of 3 kinds",
    model={"image_shape": [16, 16, 4], "num_classes": 3, "latent_dim": 4, "width": 2},
    compile={"discriminator_steps": 1, "ema_half_life": 8, "generator_optimizer": "sgd"},
    data={"reader": "images", "size": 16, "channels": 4, "labels": True},
    data_name="noise",
    data_license="CC0",
    license="CC0, for the weights too",
    batch_size=8,
    epochs=2,
    seed=1,
)
MODULE = f'''"""Tiny pictures,
in two lines.

Faces have no eyes.
"""

from kerasgan.registry import Recipe

RECIPE = {RECIPE!r}
'''


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


@pytest.fixture(scope="module")
def score_tool():
    return as_script.load(SCRIPT.with_name("score_entry.py"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(finished run folder, what it was after 5 of its 6 steps, in the second epoch)"""
    folder = tmp_path_factory.mktemp("runs")
    random = np.random.default_rng(0)
    data = folder / "noise.npz"
    np.savez(data, images=random.integers(0, 256, (24, 16, 16, 4), "uint8"), labels=np.arange(24) % 3)
    runs.train(RECIPE, data, folder / "run", limit_steps=5, command=f"kerasgan train {NAME} --data {data}")
    shutil.copytree(folder / "run", folder / "unfinished")
    runs.train(RECIPE, data, folder / "run")
    return folder / "run", folder / "unfinished"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A zoo that holds the recipe of one entry."""
    folder = tmp_path / "zoo"
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / "recipe.py").write_text(MODULE)
    monkeypatch.setattr(registry, "ZOO", (*registry.ZOO, NAME))
    monkeypatch.setattr(kerasgan.zoo, "__path__", list(kerasgan.zoo.__path__))
    for module in (f"kerasgan.zoo.{NAME}", f"kerasgan.zoo.{NAME}.recipe"):  # of the zoo of another test
        monkeypatch.delitem(sys.modules, module, raising=False)
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """copy(recipe={...}, asked={...}) is a copy of the finished run with other values in its recipe.json."""

    def copy(**changes):
        folder = shutil.copytree(trained[0], tmp_path / "copy")
        record = json.loads((folder / "recipe.json").read_text())
        for field, values in changes.items():
            record[field].update(values)
        (folder / "recipe.json").write_text(json.dumps(record))
        return folder

    return copy


def holds(zoo):
    return sorted(path.name for path in (zoo / NAME).iterdir() if path.name != "__pycache__")


def test_a_finished_run_becomes_an_entry(tool, trained, zoo):
    run, _ = trained
    assert tool.publish(run, NAME, zoo) == zoo / NAME
    parts = ("generator", "discriminator")
    files = {f"{part}.weights.h5" for part in parts}
    assert set(holds(zoo)) == {"recipe.py", "card.md", "samples.png", "samples_more.png", "weights.json", *files}
    for name in files:
        assert (zoo / NAME / name).read_bytes() == (run / name).read_bytes()
    recipe = registry.get(NAME)
    assert [(file.part, file.url) for file in recipe.weights] == [(part, None) for part in parts]
    assert tuple(recipe.weights) == runs.recipe_of(run).weights
    assert recipe.fingerprint == runs.recipe_of(run).fingerprint != ""


def test_sheets_are_samples_of_the_entry_as_it_is_loaded(tool, trained, zoo):
    run, _ = trained
    tool.publish(run, NAME, zoo)
    gan = kerasgan.load(NAME)
    for name, seed in (("samples.png", 7), ("samples_more.png", 11)):
        samples = gan.generate(63, labels=np.arange(63) % 3, seed=seed)  # full rows of a class a column
        with PIL.Image.open(zoo / NAME / name) as picture:
            assert picture.mode == "RGBA" and picture.width == 3 * (16 + 2) - 2
            np.testing.assert_array_equal(picture, gan.media.sheet(samples, columns=3))
    before = runs.load(str(run)).generate(63, seed=11)  # in single precision
    assert np.abs(samples.astype(int) - before).max() <= 2


def test_card_of_a_finished_run(tool, trained, zoo, tmp_path):
    run, _ = trained
    tool.publish(run, NAME, zoo)
    card = kerasgan.describe(NAME)
    gan = kerasgan.load(NAME)
    for fact in (
        f"# {NAME}\n\nMakes tiny pictures of 3 kinds.\n\nTiny pictures,\nin two lines.\n\n![images](samples.png)",
        "the first images of seed 7. A class in each column. Those of seed 11 are in [samples_more.png]",
        f'gan = kerasgan.load("{NAME}")\nsamples = gan.generate(16, labels=0, seed=7)\n',
        'kerasgan.data.images("my_data/", size=16, channels=4',
        "Gulrajani et al., 2017, arXiv:1704.00028",
        f"| generator | {gan.generator.count_params():,} | generator.weights.h5 | ",
        f"| discriminator | {gan.discriminator.count_params():,} | discriminator.weights.h5 | ",
        registry.get(NAME).weights[0].sha256[:16],
        "- Trained on: noise\n- Licence of the data: CC0\n- Licence of the weights: CC0, for the weights too\n",
        "| batch size | 8 |\n| epochs | 2 |\n| samples seen | 48 |\n| precision | float32 |\n| seed | 1 |\n| time | ",
        "model.latent_dim = 4\n",
        'compile.generator_optimizer = "sgd"\n',
        "data.size = 16\n",
        "keras 3.",
        "## Scores\n\nThis model has not been scored yet.",
        "## Limits\n\nFaces have no eyes.\n",
    ):
        assert fact in card, fact
    assert "Unfinished" not in card and "noise.npz" not in card
    assert not any(place in card for place in (str(tmp_path), str(run.parent), str(pathlib.Path.home()) + "/"))
    assert socket.gethostname() not in card


OTHERS = {
    "pix2pix": ("pairs", {"image_shape": [16, 16, 3], "width": 4}, {"keys": ["a", "b"], "size": 16, "part": "train"}),
    "srgan": ("crops", {"image_shape": [16, 16, 3], "width": 4, "blocks": 1}, {"key": "a", "size": 16}),
    "wavegan": ("audio", {"length": 256, "width": 2}, {"length": 256, "sample_rate": 8000}),
}


@pytest.mark.slow
@pytest.mark.parametrize("gan_type", OTHERS)
def test_entries_of_other_kinds(tool, zoo, tmp_path, gan_type):
    reader, model, reading = OTHERS[gan_type]
    compile_ = {"weights": {"content": 0.0}} if gan_type == "srgan" else {}
    recipe = dataclasses.replace(
        RECIPE, gan_type=gan_type, model=model, compile=compile_, data={"reader": reader, **reading}, epochs=1
    )
    (zoo / NAME / "recipe.py").write_text(MODULE.replace(repr(RECIPE), repr(recipe)))
    random = np.random.default_rng(0)
    if gan_type == "wavegan":
        data, shown = tmp_path / "noise.zip", None
        Audio(256).save(random.uniform(-1, 1, (24, 256, 1)).astype("float32"), data)
    else:
        data = shown = tmp_path / "noise.npz"
        np.savez(data, **{key: random.integers(0, 256, (24, 16, 16, 3), "uint8") for key in "ab"})
    if gan_type == "srgan":
        shown = tmp_path / "photographs.npz"
        np.savez(shown, images=np.full((2, 20, 20, 3), 77, "uint8"))
    runs.train(recipe, data, tmp_path / "run")
    tool.publish(tmp_path / "run", NAME, zoo, source=shown)
    card = kerasgan.describe(NAME)
    sheets = {}
    for name in ("samples", "samples_more"):
        assert f"]({name}.png)" in card
        with PIL.Image.open(zoo / NAME / f"{name}.png") as picture:
            sheets[name] = np.asarray(picture)
    told, verb = {
        "pix2pix": ("what it made of it, and what it should be", "translate"),
        "srgan": ("as the bicubic kernel enlarges them, as the model does, and as they were", "upscale"),
        "wavegan": ("The first of them: [samples.wav](samples.wav)", "generate"),
    }[gan_type]
    assert told in card and f"kerasgan {verb} {NAME} " in card
    if gan_type == "srgan":  # of flat grey, the kernel makes flat grey
        assert (sheets["samples"][:16, :16] == 77).all() and (sheets["samples"][:16, 36:52] == 77).all()
    else:
        assert (sheets["samples"] != sheets["samples_more"]).any()


def test_an_unfinished_run_says_so_on_the_card(tool, trained, zoo):
    run, unfinished = trained
    tool.publish(unfinished, NAME, zoo)
    card = kerasgan.describe(NAME)
    assert "**Unfinished training**: a checkpoint after 1 of 2 epochs and 2 steps." in card
    assert "| epochs | 1 and 2 steps; the recipe has 2 |\n| samples seen | 40 |" in card
    assert kerasgan.load(NAME).generate(1).shape == (1, 16, 16, 4)
    tool.publish(run, NAME, zoo)  # when the training has ended, its weights take the place of these
    assert "Unfinished" not in kerasgan.describe(NAME)
    assert kerasgan.load(NAME).generate(1).shape == (1, 16, 16, 4)


def test_scores_go_onto_the_card_with_their_protocol(tool, score_tool, trained, zoo, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))
    tool.publish(trained[0], NAME, zoo)
    before = kerasgan.describe(NAME)
    assert "has not been scored" in before
    data = trained[0].parent / "noise.npz"
    found = score_tool.score(NAME, data, "fid,kid", zoo, network="digits", progress=False)
    assert [(r.metric, r.model) for r in found[:2]] == [("fid", NAME), ("fid", "real data")]
    assert score_tool.metrics.result.load(zoo / NAME / "scores.json") == found
    card = kerasgan.describe(NAME)
    assert f"| fid (digits) ↓ | {found[0].value:.4g} | {found[1].value:.4g} |" in card
    assert "12 generated; 12 real (all, half of it); 16x16x4; digits " in card
    # Nothing else on the card has changed, and scoring again replaces the section.
    assert card.partition("## Scores")[0] == before.partition("## Scores")[0]
    assert card.partition("## Limits")[2] == before.partition("## Limits")[2]
    score_tool.score(NAME, data, "kid", zoo, network="digits", progress=False)
    again = kerasgan.describe(NAME)
    assert again.count("## Scores") == 1 and "| fid" not in again
    # What choosing by the discriminator does to precision stands beside it, and decides whether the entry offers it.
    plain = score_tool.score(NAME, data, "kid,prdc", zoo, network="digits", progress=False)
    both = score_tool.score(NAME, data, zoo=zoo, truncation=0.25, network="digits", progress=False)
    assert both[: len(plain)] == plain and [r.truncation for r in both[len(plain) :]] == [0.25] * 4
    assert "| precision (digits), truncation 0.25 ↑ |" in kerasgan.describe(NAME)
    values = [next(r.value for r in both if r.metric == "precision" and r.truncation == t) for t in (None, 0.25)]
    error = np.sqrt(sum(value * (1 - value) / 12 for value in values))
    assert bool(kerasgan.load(NAME).truncation_refusal) == (values[1] < values[0] + 3 * error)
    assert score_tool.score(NAME, data, zoo=zoo, truncation=0.25, network="digits", progress=False) == both
    # Another network's opinion stands beside it, and does not decide about that.
    network = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D()], name="means")
    with_second = score_tool.score(NAME, data, "fid,prdc", zoo, add=True, network=network, progress=False)
    assert with_second[: len(both)] == both and {r.feature_network for r in with_second[len(both) :]} == {"means"}
    assert "| precision (means) ↑ |" in kerasgan.describe(NAME)
    assert bool(kerasgan.load(NAME).truncation_refusal) == (values[1] < values[0] + 3 * error)
    # The section follows from the scores that are kept.
    scored = kerasgan.describe(NAME)
    (zoo / NAME / "card.md").write_text(scored.replace("| precision (digits)", "| accuracy (digits)"), encoding="utf-8")
    score_tool.write_section(zoo / NAME)
    assert kerasgan.describe(NAME) == scored
    # New weights have not been scored.
    tool.publish(trained[0], NAME, zoo)
    assert kerasgan.describe(NAME) == before and "scores.json" not in holds(zoo)


def test_an_entry_that_does_not_share_its_weights_has_a_card_and_scores_alone(
    tool, score_tool, trained, zoo, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))
    run, _ = trained
    tool.publish(run, NAME, zoo, share=False)
    assert holds(zoo) == ["card.md", "recipe.py"]
    found = score_tool.score(NAME, run.parent / "noise.npz", "kid", zoo, run=run, network="digits", progress=False)
    card = kerasgan.describe(NAME)
    assert f"| kid (digits) ↓ | {found[0].value:.4g}" in card and "its weights are not shared" in card.lower()
    assert "weights.h5" not in card and ".png)" not in card and "kerasgan.load" not in card
    discriminator = registry.build(RECIPE, compile=False).discriminator
    assert f"| discriminator | {discriminator.count_params():,} |" in card
    with pytest.raises(ValueError, match="kerasgan train"):
        kerasgan.load(NAME)


def test_scores_of_an_entry_without_a_card(score_tool, zoo, tmp_path):
    with pytest.raises(FileNotFoundError, match="card.md"):
        score_tool.score(NAME, tmp_path, zoo=zoo)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"recipe": {"batch_size": 9}}, r"recipe 'wgan_gp_publishing_test': batch_size is 9 in the run, 8 here\. "),
        ({"recipe": {"model": {**RECIPE.model, "width": 3}}}, "model.width is 3 in the run, 2 here"),
        ({"recipe": {"compile": {}}}, "compile.discriminator_steps is None in the run, 1 here; compile.ema_half"),
        ({"recipe": {"data": {**RECIPE.data, "flip": True}}}, "data.flip is True in the run, None here"),
        ({"asked": {"initial": "dcgan_celeba"}}, "was fine-tuned"),
        ({"gan": {"latent_dim": 5}}, "defaults of this version: latent_dim is 5 in the run, 4 here"),
    ],
)
def test_weights_of_another_training_are_refused(tool, copy, zoo, changes, message):
    with pytest.raises(ValueError, match=message):
        tool.publish(copy(**changes), NAME, zoo)
    assert holds(zoo) == ["recipe.py"]


def test_another_number_of_epochs_is_told_not_refused(tool, copy, zoo):
    (zoo / NAME / "recipe.py").write_text(MODULE.replace("epochs=2", "epochs=20"))
    tool.publish(copy(), NAME, zoo)
    assert "| epochs | 2; the recipe has 20 |" in kerasgan.describe(NAME)
    assert "a checkpoint after 2 of 20 epochs" in kerasgan.describe(NAME)


def test_run_without_a_checkpoint(tool, copy, zoo, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no run folder: it holds no recipe\.json"):
        tool.publish(tmp_path, NAME, zoo)
    run = copy()
    for checkpoint in run.glob("*.keras"):
        checkpoint.unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no model\.keras"):
        tool.publish(run, NAME, zoo)
    assert holds(zoo) == ["recipe.py"]


def test_recipe_without_a_docstring(tool, trained, zoo):
    (zoo / NAME / "recipe.py").write_text(MODULE[MODULE.index("from ") :])
    with pytest.raises(ValueError, match="has no docstring"):
        tool.publish(trained[0], NAME, zoo)
    assert holds(zoo) == ["recipe.py"]


def test_as_a_script(tmp_path):
    assert "--run" in as_script.run(SCRIPT, "--name=dcgan_celeba").stderr
    done = as_script.run(SCRIPT, "--run", tmp_path, "--name", "dcgan_faces")
    assert done.returncode == 1 and done.stderr.startswith("publish_entry: error: name='dcgan_faces': write ")
