"""What files name is not run: another module is imported only at the user's word."""

import dataclasses
import importlib
import json
import sys

import keras
import numpy as np
import pytest

from kerasgan import cli, registry, runs, trust
from kerasgan.callbacks import Checkpoint
from kerasgan.registry import Recipe

MODULE = "walks_of_a_stranger"
WALKS = """
import keras
import kerasgan
from kerasgan.media import Arrays


@keras.saving.register_keras_serializable(package="stranger")
class Walk(kerasgan.GAN):
    def __init__(self, steps=5, seed=None, name=None, dtype=None):
        generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(steps)])
        discriminator = keras.Sequential([keras.Input((steps,)), keras.layers.Dense(1)])
        super().__init__(generator, discriminator, media=Arrays((steps,)), seed=seed, name=name, dtype=dtype)

    def get_config(self):
        return {key: value for key, value in self.base_config().items() if key in ("seed", "name", "dtype")}
"""


def forget():
    """Makes this process one that has never seen the module."""
    sys.modules.pop(MODULE, None)
    keras.saving.get_custom_objects().pop("stranger>Walk", None)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run folder of a GAN type whose module lies in the working directory, and was not imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / f"{MODULE}.py").write_text(WALKS)
    importlib.invalidate_caches()
    folder = tmp_path / "run"
    folder.mkdir()
    trust.import_module(MODULE).Walk(seed=1).save(folder / "model.keras")
    recipe = Recipe(name="walks", gan_type=f"{MODULE}:Walk", data={"reader": "images"})
    (folder / "recipe.json").write_text(json.dumps({"recipe": dataclasses.asdict(recipe), "asked": {}}))
    forget()
    yield folder
    forget()


COMMANDS = {
    "generate": ["-o", "x.npy"],
    "train": ["--data", "data", "--out", "new"],
    "evaluate": ["--data", "run"],
    "report": [],
    "export": [],
    "serve": [],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_imports_what_a_run_folder_names(run, capsys, command):
    assert cli.main([command, "run", *COMMANDS[command]]) == 2
    error = capsys.readouterr().err
    assert f"{MODULE}:Walk" in error and "recipe.json" in error and "add --trust" in error
    assert MODULE not in sys.modules


def test_the_users_word(run, capsys):
    assert cli.main(["generate", "run", "--trust", "-n", "3", "-o", "x.npy"]) == 0, capsys.readouterr().err
    assert np.load("x.npy").shape == (3, 5)
    assert not trust.is_allowed()  # it was for that command
    forget()
    assert type(runs.load("run", trust=True)).__name__ == "Walk"
    assert runs.recipe_of(run).name == "walks"  # the program has the module by now


def test_a_file_by_itself(run, capsys):
    assert cli.main(["generate", "run/model.keras", "-o", "x.npy"]) == 2
    assert "model.keras" in (error := capsys.readouterr().err) and MODULE in error and "add --trust" in error
    assert MODULE not in sys.modules
    assert type(Checkpoint.load("run/model.keras", trust=True)[0]).__name__ == "Walk"


def test_a_program_that_has_imported_or_registered_the_type(run, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    registry.register(Recipe(name="mine", gan_type=f"{MODULE}:Walk"))
    assert runs.recipe_of(run).name == "walks"
    registry._registered.clear()
    with pytest.raises(ValueError, match="add --trust"):
        runs.recipe_of(run)
    importlib.import_module(MODULE)
    assert type(runs.load(str(run))).__name__ == "Walk"


def test_what_is_no_gan_type_is_not_called():
    for path in ("subprocess:Popen", "kerasgan.cli:main", "os:system"):
        with pytest.raises(ValueError, match="expected a class derived from kerasgan.Game"):
            registry.gan_class(path)
    with pytest.raises(ValueError, match="no GAN type of kerasgan's"):
        registry.check_named("subprocess:Popen", "x")


@pytest.mark.parametrize(
    "named",
    [
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
        {"module": "builtins", "class_name": "__lambda__", "config": {"value": ""}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {}},
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "x"}},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"module": "keras.src.utils.file_utils", "class_name": "function", "config": "get_file"},
        {"module": "keras.models", "class_name": "function", "config": "load_model"},
        {"module": "keras.utils", "class_name": "function", "config": "x", "registered_name": "kerasgan>DCGAN"},
        {"module": "keras_hub.models", "class_name": "Backbone", "config": {}},
        {"module": 3, "class_name": "Dense", "config": {}},
        {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
    ],
)
def test_configurations_name_what_models_are_made_of(named):
    import kerasgan.models  # noqa: F401 - whose classes are registered with Keras

    with pytest.raises(ValueError, match="'x.keras' names .* neither kerasgan's nor Keras's"):
        trust.check_config({"config": [{"layers": [named]}]}, "'x.keras'")
    sound = {"module": "keras.layers", "class_name": "Dense", "config": {"activation": "relu"}}
    own = {"module": "kerasgan.penalties", "class_name": "R1", "config": {}, "registered_name": "kerasgan>R1"}
    trust.check_config([sound, own, {"module": "builtins", "class_name": "function", "config": "relu"}], "x")


def test_graphs_compute_and_do_nothing_else():
    trust.check_operations(["Conv2D", "ReadVariableOp", "StatefulPartitionedCall", "Pack", "ResizeBilinear"])
    for name in ("WriteFile", "ReadFile", "EagerPyFunc", "PrintV2", "SaveV2", "TFRecordDatasetV2", "HashTableV2"):
        with pytest.raises(ValueError, match=f"its operation {name} does more than compute"):
            trust.check_operations(["Conv2D", name])


def test_recipes_of_files_are_checked_like_models(run):
    values = json.loads((run / "recipe.json").read_text())
    penalty = {"module": "os", "class_name": "system", "config": {"command": "true"}}
    values["recipe"] |= {"gan_type": "dcgan", "compile": {"penalties": [penalty]}}
    (run / "recipe.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="recipe.json' names 'os:system'"):
        runs.recipe_of(run)
