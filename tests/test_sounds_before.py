"""Runs on sounds that began when each file was one sample, cut at its start: they go on."""

import json
import wave

import numpy as np
import pytest

from kerasgan import data, registry
from kerasgan.runs import resuming


@pytest.fixture
def sounds(tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number in range(3):
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 1000, 0, "NONE", ""))
            file.writeframes((np.random.default_rng(number).uniform(-9999, 9999, 300)).astype("<i2").tobytes())
    return folder


def recipe(**options):
    reader = {"reader": "audio", "length": 64, "sample_rate": 1000}
    return registry.Recipe(name="x", gan_type="wavegan", data={**reader, **options}, batch_size=1, seed=1)


def test_a_run_goes_on_with_the_sounds_that_it_began_with(sounds):
    then = data.audio(sounds, 64, 1000, 1, crop="start")
    before = {"fingerprint": then.fingerprint}
    found, dataset = resuming.read_as_before(recipe(), sounds, before)
    assert (dataset.count, found.data["crop"]) == (3, "start")
    for other in (None, {"fingerprint": dataset.rebatched(2).fingerprint[::-1]}):  # a new run, other data
        found, dataset = resuming.read_as_before(recipe(), sounds, other)
        assert (dataset.count, "crop" in found.data) == (15, False)


def test_asking_for_it_by_name_is_the_same_recipe(tmp_path):
    asked = resuming.request(recipe(), False, None)
    values = {"recipe": {"name": "x", "gan_type": "wavegan", "data": recipe().data}, "asked": asked, "command": ""}
    (tmp_path / "recipe.json").write_text(json.dumps(values))
    assert resuming.earlier(tmp_path, resuming.request(recipe(crop="start"), False, None)) is not None
    with pytest.raises(ValueError, match="data.crop: there nothing given, now 'center'"):
        resuming.earlier(tmp_path, resuming.request(recipe(crop="center"), False, None))
