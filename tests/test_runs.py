"""What a run folder holds, damaged: one error that names the file, whatever reads it."""

import dataclasses
import json

import pytest

from kerasgan import registry, runs
from kerasgan.callbacks import collapse, score
from kerasgan.export import sidecar
from kerasgan.metrics import result

RECIPE = dataclasses.asdict(registry.Recipe(name="small", gan_type="dcgan", data={"reader": "images"}))
SCORE = result.Result("swd", 3.0).to_dict()
CHECK = {
    "epoch": 1,
    "step": 5,
    "samples": 40,
    "diversity": 0.5,
    "duplicates": 0.0,
    "gradients": {"generator": 1.0, "discriminator": None},
    "loss_scales": {},
    "states": [],
    "verdict": "good",
    "rollbacks": 0,
}
READERS = {
    "recipe.json": (runs.recipe_of, {"recipe": RECIPE, "asked": {}, "command": None, "data": "x"}),
    "scores.json": (score.read, [{"epoch": 1, "scores": [SCORE]}]),
    "health.json": (collapse.read, [{"epoch": 0, "step": 0, "samples": 0}, CHECK]),
    "evaluation.json": (lambda folder: result.load(folder / "evaluation.json"), [SCORE]),
    "gan.tflite.json": (
        lambda folder: sidecar.read(folder / "gan.tflite"),
        {"inputs": [{"name": "latents"}], "output": {"shape": [1]}},
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_what_is_sound_is_read(tmp_path, name):
    read, value = READERS[name]
    (tmp_path / name).write_text(json.dumps(value))
    assert read(tmp_path)


def places(value):
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


@pytest.mark.parametrize("name", READERS)
def test_damaged(tmp_path, name):
    read, value = READERS[name]
    whole = json.dumps(value)
    texts = ["", "nonsense", whole[:-5], "[" * 100_000, '{"a":' * 500 + "1" + "}" * 500, "3", "[5]", "{}", "null"]
    for index in range(len(list(places(value)))):
        for other in (None, "x", -1, [], {}, [[1]]):  # each value in turn is of another kind, which may be allowed
            holder, key = list(places(copy := json.loads(whole)))[index]
            holder[key] = other
            texts.append(json.dumps(copy))
    refused = 0
    for text in [*texts, "\udcff"]:
        (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
        try:
            read(tmp_path)
        except ValueError as error:
            assert name in str(error), text
            refused += 1
    assert refused > len(texts) / 4
