"""The registry: names, recipes, and GANs built and loaded from them."""

import dataclasses
import inspect
import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest

import kerasgan
from kerasgan import gan_types, registry, weights
from kerasgan.registry import Recipe, WeightFile

pytestmark = pytest.mark.usefixtures("eagerly")

TINY = {
    "name": "wgan_gp_tiny",
    "gan_type": "wgan_gp",
    "makes": "tiny pictures",
    "model": {"image_shape": (16, 16, 1), "latent_dim": 4, "width": 2},
    "compile": {"ema_half_life": 7, "discriminator_steps": 2, "discriminator_optimizer": "sgd"},
    "data": {"reader": "images", "size": 16, "channels": 1},
    "data_name": "noise",
    "batch_size": 4,
    "epochs": 2,
    "seed": 3,
    "dtype": "mixed_bfloat16",
}


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERASGAN_WEIGHTS_URL", raising=False)


@pytest.fixture
def trained(tmp_path):
    """(folder with weights, recipe that names them, the GAN they are of)"""
    gan = registry.build(Recipe(**TINY), dtype="float32")
    for part in ("generator", "discriminator"):
        weights.save_half(getattr(gan, part), tmp_path / "tiny" / f"{part}.weights.h5")
    files = [WeightFile.from_file(path, path.name.split(".")[0]) for path in (tmp_path / "tiny").iterdir()]
    return tmp_path / "tiny", Recipe(**TINY, weights=files), gan


# Recipes -------------------------------------------------------------------------------------------------------------


def test_recipe_survives_json():
    recipe = Recipe(**TINY, weights=[WeightFile("generator", "g.weights.h5", "0" * 64, 5)])
    again = Recipe.from_dict(json.loads(json.dumps(dataclasses.asdict(recipe))))
    assert again == recipe
    assert again.weights[0].size == 5 and again.model["image_shape"] == [16, 16, 1]


def test_recipe_does_not_share_its_arguments():
    model = {"image_shape": [16, 16, 1]}
    recipe = Recipe(name="a", gan_type="dcgan", model=model)
    model["image_shape"].append(9)
    assert recipe.model == {"image_shape": [16, 16, 1]}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "../up"}, "name='../up'"),
        ({"name": ""}, "name=''"),
        ({"gan_type": "dcgam"}, "gan_type='dcgam' is unknown. Did you mean 'dcgan'"),
        ({"model": {"activation": object()}}, "model of the recipe 'wgan_gp_tiny' holds something that JSON cannot"),
        ({"compile": {"ema_half_life": float("nan")}}, "compile of the recipe"),
        ({"data": ["images"]}, r"data=\['images'\].*expected a dict"),
        ({"weights": [{"part": "generator"}]}, "expected WeightFile objects"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"title": 3}, "title=3"),
        ({"page": {"colour": "red"}}, "page={'colour': 'red'}.*expected some of seed, class"),
        ({"page": {"seed": "7"}}, "page={'seed': '7'}"),
        ({"page": {"thumbnail": ["samples.png", 0, 0]}}, "a part of a sheet is"),
    ],
)
def test_recipes_that_cannot_be_right(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{**TINY, **change})


def test_from_dict_names_unknown_and_missing_fields():
    with pytest.raises(ValueError, match=r"unknown fields \['widht'\], missing \['gan_type'\]"):
        Recipe.from_dict({"name": "a", "widht": 3})


# Names ---------------------------------------------------------------------------------------------------------------


def test_list_and_register():
    assert kerasgan.list_models() == list(registry.ZOO)
    kerasgan.register(Recipe(**TINY))
    assert kerasgan.list_models() == [*registry.ZOO, "wgan_gp_tiny"]
    assert registry.get("wgan_gp_tiny") == registry.resolve("wgan_gp_tiny") == Recipe(**TINY)


@pytest.mark.parametrize("lookup", [registry.get, registry.resolve, registry.load, registry.describe])
@pytest.mark.parametrize("name, near", [("dcgan_celebA", "dcgan_celeba"), ("cgan_fashion_minst", "cgan_fashion_mnist")])
def test_unknown_name_suggests_the_nearest(lookup, name, near):
    with pytest.raises(ValueError, match=f"name='{name}' is unknown. Did you mean '{near}'.*kerasgan.list_models()"):
        lookup(name)


def test_an_empty_name():
    with pytest.raises(ValueError, match="name is empty"):
        kerasgan.load("")


@pytest.mark.parametrize("name", ["qqqqqqqqqq", None, 3])
def test_unknown_name_with_nothing_near(name):
    with pytest.raises(ValueError, match=rf"name={name!r} is unknown\. kerasgan.list_models\(\)"):
        kerasgan.load(name)


def test_resolve_suggests_types_too():
    with pytest.raises(ValueError, match="Did you mean 'wgan_gp'.*TYPES"):
        registry.resolve("wgangp")


def test_type_is_no_pretrained_model():
    with pytest.raises(ValueError, match=r"GAN type, not a pretrained model.*kerasgan.models.WGANGP\("):
        kerasgan.load("wgan_gp")


@pytest.mark.parametrize("name", registry.TYPES)
def test_type_resolves_to_a_recipe_that_fits_its_class(name):
    recipe = registry.resolve(name)
    assert (recipe.name, recipe.gan_type) == (name, name)
    takes_fitted = "fitted" in inspect.signature(registry.gan_class(name)).parameters
    if takes_fitted and "image_shape" not in recipe.model:  # what the reader learned of the data
        word = {"name": "word", "kind": "categorical", "values": ["a", "b"], "counts": [1, 1]}
        texts = {"unit": "character", "vocabulary": ["", "a"], "length": 2}
        table = {"columns": [word], "associations": [[1.0]]}
        recipe = dataclasses.replace(recipe, fitted=texts if recipe.data["reader"] == "text" else table)
    gan = registry.build(recipe)
    if "image_shape" in recipe.model:
        *frames, height, _, channels = gan.media.shape
        assert gan.media.shape[-3:] == tuple(recipe.model["image_shape"])
        assert (recipe.data["size"], recipe.data["channels"]) == (height, channels)
        assert [recipe.data[name] for name in ("length",) if name in recipe.data] == frames  # of a clip
    else:  # what the reader and the model have in common; of music, tracks are chosen in ways of their own
        made_of = {**gan.media.get_config(), **recipe.model}
        asked = {argument: value for argument, value in recipe.data.items() if argument in made_of.keys() - {"tracks"}}
        assert asked == {argument: made_of[argument] for argument in asked}
        learned = {"scale", "points", "fitted"}  # the reader says it of the data, see `model_arguments`
        given = {*recipe.data, *learned, "programs", "tempo", "monophonic", "shape", "colors"}
        assert set(gan.media.get_config()) <= given
    assert registry.TYPES[name].starting == vars(type(gan))["starting"]  # read from the file, and as Python has it


def test_a_type_of_ones_own_may_have_starting_values(monkeypatch):
    class Mine(kerasgan.models.DCGAN):
        starting = gan_types.Starting({"reader": "images"}, {"width": 8}, largest_batch=4)

    monkeypatch.setitem(sys.modules, "of_a_test", types.SimpleNamespace(Mine=Mine))
    monkeypatch.setitem(registry.TYPES, "mine", registry.GANType("of_a_test:Mine"))
    assert registry.resolve("mine").model == {"width": 8} and registry.TYPES["mine"].starting.largest_batch == 4


def test_registering_the_same_again_is_fine(tmp_path):
    kerasgan.register(Recipe(**TINY))
    kerasgan.register(Recipe(**TINY), card="# New card")
    assert kerasgan.describe("wgan_gp_tiny") == "# New card"


@pytest.mark.parametrize("name", ["dcgan_celeba", "dcgan", "mine"])
def test_name_clash(name):
    kerasgan.register(Recipe(name="mine", gan_type="dcgan", epochs=1))
    with pytest.raises(ValueError, match=f"name='{name}' is taken"):
        kerasgan.register(Recipe(name=name, gan_type="dcgan", epochs=2))


def test_register_wants_a_recipe_and_a_folder():
    with pytest.raises(TypeError, match="recipe is a dict; expected a kerasgan.registry.Recipe"):
        kerasgan.register(TINY)
    with pytest.raises(ValueError, match="there is no such folder"):
        kerasgan.register(Recipe(**TINY), folder="missing/folder")
    assert kerasgan.list_models() == list(registry.ZOO)


def test_describe(tmp_path):
    kerasgan.register(Recipe(**TINY))
    assert "- Makes: tiny pictures" in kerasgan.describe("wgan_gp_tiny")
    (tmp_path / "card.md").write_text("# Card with an é", encoding="utf-8")
    kerasgan.register(Recipe(**TINY), folder=tmp_path)
    assert kerasgan.describe("wgan_gp_tiny") == "# Card with an é"
    kerasgan.register(Recipe(**TINY), folder=tmp_path, card="given")
    assert kerasgan.describe("wgan_gp_tiny") == "given"


# Building and loading ------------------------------------------------------------------------------------------------


def test_build_follows_the_recipe():
    gan = registry.build(Recipe(**TINY))
    assert type(gan) is kerasgan.models.WGANGP
    assert gan.generator.output_shape == (None, 16, 16, 1)
    assert gan.dtype_policy.name == "mixed_bfloat16"
    assert (gan.seed, gan.ema_half_life, gan.discriminator_steps) == (3, 7, 2)
    assert type(gan.discriminator_optimizer).__name__ == "SGD"
    assert registry.build(Recipe(**TINY), dtype="float32").dtype_policy.name == "float32"
    assert not hasattr(registry.build(Recipe(**TINY), compile=False), "discriminator_optimizer")


def test_load_gives_the_trained_networks(trained):
    folder, recipe, gan = trained
    kerasgan.register(recipe, folder=folder)
    loaded = kerasgan.load(recipe.name)
    sources = {"generator": "generator", "ema_generator": "generator", "discriminator": "discriminator"}
    for part, source in sources.items():
        for got, want in zip(getattr(loaded, part).get_weights(), getattr(gan, source).get_weights(), strict=True):
            np.testing.assert_array_equal(got, want.astype("float16").astype("float32"))
    assert loaded.dtype_policy.name == "float32" and loaded.ema_half_life == 7
    assert loaded.generate(2, seed=1).shape == (2, 16, 16, 1)
    loaded.fit(np.zeros((4, 16, 16, 1), "float32"), batch_size=2, verbose=0)


def test_loaded_gan_is_not_bound_to_the_seed_of_its_training(trained):
    folder, recipe, _ = trained
    kerasgan.register(recipe, folder=folder)
    first, second = kerasgan.load(recipe.name), kerasgan.load(recipe.name)
    np.testing.assert_array_equal(first.generate(1, seed=5), second.generate(1, seed=5))
    assert first.sampling_seeds.state.numpy().tolist() != second.sampling_seeds.state.numpy().tolist()


def test_load_with_another_dtype_and_uncompiled(trained):
    folder, recipe, _ = trained
    kerasgan.register(recipe, folder=folder)
    gan = kerasgan.load(recipe.name, dtype="mixed_bfloat16", compile=False)
    assert gan.dtype_policy.name == "mixed_bfloat16" and not hasattr(gan, "discriminator_optimizer")


def test_generator_alone_is_enough(trained):
    folder, recipe, _ = trained
    only = [file for file in recipe.weights if file.part == "generator"]
    kerasgan.register(dataclasses.replace(recipe, weights=only), folder=folder)
    assert kerasgan.load(recipe.name).generate(1).dtype == np.uint8


def test_load_without_weights():
    kerasgan.register(Recipe(**TINY))
    with pytest.raises(ValueError, match="has no trained weights; train it with: kerasgan train wgan_gp_tiny"):
        kerasgan.load("wgan_gp_tiny")


def test_weights_for_a_part_that_the_type_lacks(trained):
    folder, recipe, _ = trained
    wrong = [dataclasses.replace(file, part="encoder") for file in recipe.weights]
    kerasgan.register(dataclasses.replace(recipe, weights=wrong), folder=folder)
    with pytest.raises(ValueError, match="WGANGP has no part 'encoder'"):
        kerasgan.load(recipe.name)


def test_weights_that_do_not_fit_the_model(trained):
    folder, recipe, _ = trained
    kerasgan.register(dataclasses.replace(recipe, model={**recipe.model, "latent_dim": 5}), folder=folder)
    with pytest.raises(ValueError, match="generator.weights.h5 does not fit 'generator'"):
        kerasgan.load(recipe.name)


def test_gan_type_of_ones_own():
    recipe = Recipe(**{**TINY, "gan_type": "kerasgan.models:DCGAN"})
    assert type(registry.build(recipe)) is kerasgan.models.DCGAN


@pytest.mark.parametrize("path", ["no_such_package.gan:GAN", "kerasgan.models:NoSuchGAN", ":DCGAN", "kerasgan.models:"])
def test_gan_type_that_cannot_be_imported(path):
    with pytest.raises(ValueError, match=f"gan_type='{path}' cannot be imported"):
        registry.build(Recipe(**{**TINY, "gan_type": path}))


@pytest.mark.parametrize("name", registry.ZOO)
def test_zoo_entry_is_found_with_its_folder(name):
    recipe, folder, _ = registry._entry(name)
    assert recipe.name == name
    for file in recipe.weights:
        assert weights.find(file, name, folder)


@pytest.mark.parametrize("name", registry.RECIPES)
def test_recipes_without_weights_can_be_trained_but_not_loaded(name):
    assert registry.resolve(name).name == name
    assert name not in kerasgan.list_models()
    with pytest.raises(ValueError, match=f"{name!r} has no trained weights; train it with: kerasgan train {name}"):
        kerasgan.load(name)


@pytest.fixture
def zoo_entry(monkeypatch, tmp_path):
    """The folder of an entry of the zoo that this test alone knows."""
    import kerasgan.zoo

    name = f"entry_{tmp_path.name}"
    folder = tmp_path / name
    folder.mkdir()
    recipe = f"from kerasgan.registry import Recipe\n\nRECIPE = Recipe(name={name!r}, gan_type='dcgan')\n"
    (folder / "recipe.py").write_text(recipe)
    monkeypatch.setattr(kerasgan.zoo, "__path__", [*kerasgan.zoo.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "ZOO", (*registry.ZOO, name))
    return folder


def test_published_weights_of_a_zoo_entry(zoo_entry):
    assert registry.get(zoo_entry.name).weights == ()
    file = WeightFile("generator", "generator.weights.h5", "a" * 64, 5)
    (zoo_entry / "weights.json").write_text(json.dumps({"samples_seen": 1200, "weights": [dataclasses.asdict(file)]}))
    expected = Recipe(name=zoo_entry.name, gan_type="dcgan", weights=[file], samples_seen=1200)
    assert registry.get(zoo_entry.name) == expected


@pytest.mark.parametrize("text", ["[", "{}x", '[{"part": "generator"}]', '{"part": 1}', "3"])
def test_damaged_list_of_published_weights(zoo_entry, text):
    (zoo_entry / "weights.json").write_text(text)
    with pytest.raises(ValueError, match=r"weights\.json' is damaged"):
        registry.get(zoo_entry.name)


def test_names_and_recipes_need_no_tensorflow():
    code = (
        "import sys, kerasgan; from kerasgan import registry\n"
        "[registry.get(name) for name in kerasgan.list_models()]\n"
        "registry.resolve('dcgan')\n"
        "try: kerasgan.load('x')\n"
        "except ValueError: pass\n"
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'h5py', 'PIL', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.strip() == "[]"
