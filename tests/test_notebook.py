"""A model in a notebook, and what `load` says to somebody who types."""

import dataclasses
import json
import sys

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import provenance, registry, runs
from kerasgan.metrics import Result, result
from kerasgan.weights import WeightFile, save_half

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    """A small pretrained model with scores, registered."""
    folder = tmp_path_factory.mktemp("entry")
    arguments = {"image_shape": [8, 8, 1], "latent_dim": 4, "units": 8, "maxout_units": 8}
    gan = kerasgan.models.VanillaGAN(**arguments, seed=1)
    path = save_half(gan.generator, folder / "generator.weights.h5")
    scored = Result("fid", 12.5, higher_is_better=False, model="for_notebooks", feature_network="efficientnet_lite0")
    others = [dataclasses.replace(scored, model=result.REAL, value=1.0), dataclasses.replace(scored, truncation=0.5)]
    result.save([*others, scored], folder / registry.SCORES)
    recipe = registry.Recipe(
        name="for_notebooks",
        gan_type="vanilla_gan",
        model=arguments,
        makes="grey <i>noise</i>",
        data_name="noise & more",
        data_license="CC0",
        license="CC BY 4.0",
        class_names=tuple(f"<b>{n}</b>" for n in range(14)),
        weights=(WeightFile.from_file(path, "generator"),),
        samples_seen=640,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_registered", {})
        kerasgan.register(recipe, folder=folder)
        yield recipe


def test_a_pretrained_model_shows_samples_numbers_and_licences(entry):
    page = kerasgan.load("for_notebooks")._repr_html_()
    assert page.count("<img") == 1 and "16 images" in page
    for said in ("<b>for_notebooks</b> (VanillaGAN)", "noise &amp; more", "CC BY 4.0", "fid (Lite0) 12.5", "640"):
        assert said in page
    assert "&lt;b&gt;11&lt;/b&gt;, and 2 more" in page and "grey &lt;i&gt;noise" in page
    assert f"{kerasgan.load('for_notebooks').generator.count_params():,}" in page


def test_samples_are_made_once_and_again_after_training(entry, monkeypatch):
    gan, asked = kerasgan.load("for_notebooks"), []
    whole = type(gan).preview
    monkeypatch.setattr(type(gan), "preview", lambda gan, *given: asked.append(given) or whole(gan, *given))
    first = gan._repr_html_()
    assert gan._repr_html_() == first and asked == [(16, 7)]
    gan.fit(np.zeros((8, 8, 8, 1), "float32") - 1, batch_size=8, epochs=1, verbose=0)
    page = gan._repr_html_()
    assert len(asked) == 2 and "and 8 samples since it was loaded" in page
    assert "goes on to hold" in page and "12.5" not in page and "grey" not in page  # which was true of it before


def test_a_model_of_ones_own_says_what_it_is_and_claims_nothing(tmp_path):
    gan = kerasgan.models.VanillaGAN((8, 8, 1), units=8, maxout_units=8)
    assert "licence" not in gan._repr_html_() and gan.origin is None
    gan.samples_seen.assign(8)
    gan.save(tmp_path / "mine.keras")
    page = kerasgan.load(tmp_path / "mine.keras")._repr_html_()
    assert "not known to kerasgan" in page and "<img" in page


def test_a_model_without_samples_says_why():
    gan = kerasgan.models.VanillaGAN((8, 8, 1), units=8, maxout_units=8)
    for weights in gan.ema_generator.weights:
        weights.assign(np.full(weights.shape, np.nan))
    assert "NaN" in gan._repr_html_() and "<img" not in gan._repr_html_()
    game = kerasgan.Game(*(keras.Sequential([keras.Input((2,)), keras.layers.Dense(n)]) for n in (2, 1)))
    assert "must implement preview" in game._repr_html_()


def test_what_is_made_of_other_samples_shows_the_sheet_that_came_with_it(entry, tmp_path):
    gan = kerasgan.models.Pix2Pix((16, 16, 3), width=2)
    sheet = kerasgan.media.Image((8, 600, 3)).save(np.zeros((1, 8, 600, 3), "uint8"), tmp_path / "samples.png")
    gan.origin = provenance.Origin("x", entry, 0, sheet=sheet)
    assert "width: 600px" in gan._repr_html_()
    for content, seen in ((b"no picture", 0), (sheet.read_bytes(), 8)):
        sheet.write_bytes(content)
        gan.samples_seen.assign(seen)
        gan._samples_in_notebook = None
        assert "<img" in gan._repr_html_() and "600px" not in gan._repr_html_()  # made-up examples


def test_a_run_says_what_is_known_of_its_data_and_damaged_scores_are_left_out(entry, tmp_path, monkeypatch):
    np.savez(tmp_path / "secret.npz", images=np.zeros((8, 8, 8, 1), "uint8"))
    recipe = registry.Recipe(
        name="small",
        gan_type="vanilla_gan",
        model=entry.model,
        batch_size=8,
        epochs=1,
        data={"reader": "images", "size": 8, "channels": 1},
    )
    gan = runs.train(recipe, tmp_path / "secret.npz", tmp_path / "run")
    (tmp_path / "run" / "evaluation.json").write_text("[")
    gan = kerasgan.load(tmp_path / "run")
    page = gan._repr_html_()
    assert gan.origin.name == "run" and "secret.npz" in page and str(tmp_path) not in page
    assert provenance.UNKNOWN in page and "scores" not in page


@pytest.fixture
def said(monkeypatch, capsys):
    """`said(load, prompt, kernel, terminal)`: what is printed when a model is loaded twice."""

    def say(load, prompt, kernel, terminal):
        monkeypatch.setattr(provenance, "_said", set())
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
        if not prompt:
            monkeypatch.delattr(sys, "ps1")
        monkeypatch.setitem(sys.modules, "ipykernel", json)
        if not kernel:
            monkeypatch.delitem(sys.modules, "ipykernel")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        load(), load()
        return capsys.readouterr()

    return say


def test_load_says_the_licence_once_to_who_types_and_never_to_a_script(entry, said):
    line, origin = "for_notebooks: licence of the weights: CC BY 4.0\n", provenance.Origin("for_notebooks", entry, 0)
    assert said(lambda: kerasgan.load("for_notebooks", compile=False), True, False, True) == (line, "")
    say = lambda: provenance.say_license(origin)  # noqa: E731
    assert said(say, True, True, False) == (line, "")
    for prompt, kernel, terminal in ((False, False, True), (True, False, False), (False, True, True)):
        assert said(say, prompt, kernel, terminal) == ("", "")


def test_a_licence_that_nobody_stated_is_to_be_asked_for(entry):
    origin = provenance.Origin("x", dataclasses.replace(entry, license=""), 640)
    assert origin.said(640)["licence of the weights"] == "not stated: ask whoever trained it"
