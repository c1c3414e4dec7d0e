"""What every published zoo entry holds. An entry whose weights have not been published fails here."""

import hashlib
import importlib.util
import json
import pathlib
import re

import as_script
import numpy as np
import PIL.Image
import pytest

from kerasgan import registry
from kerasgan.media.caption import captioned
from kerasgan.text_to_image import TextToImage

SHEETS = ("samples.png", "samples_more.png")
LARGE = ("pix2pix", "srgan")  # types whose generators may have 12 MB


@pytest.fixture(params=registry.ZOO)
def folder(request):
    return pathlib.Path(importlib.import_module(f"kerasgan.zoo.{request.param}.recipe").__file__).parent


@pytest.fixture
def recipe(folder):
    return registry.get(folder.name)


@pytest.fixture
def card(folder):
    return (folder / "card.md").read_text(encoding="utf-8")


def test_weight_files_are_those_that_the_registry_names(folder, recipe):
    assert {"generator", "discriminator"} <= {file.part for file in recipe.weights}
    for file in recipe.weights:
        content = (folder / file.filename).read_bytes()
        assert len(content) == file.size
        assert hashlib.sha256(content).hexdigest() == file.sha256


def test_generator_is_small(folder, recipe):
    most = 12_000_000 if recipe.gan_type in LARGE else 8_000_000
    assert 0 < (folder / "generator.weights.h5").stat().st_size <= most


def test_pypi_takes_the_package():
    """What an entry that is too large for it does: its weights get a `url` and stay out of the package."""
    path = pathlib.Path(__file__).parents[2] / "tools" / "package_size.py"
    tool = as_script.load(path)
    shares = tool.shares()
    assert set(shares) == {*registry.ZOO, *registry.RECIPES, "kerasgan"}
    assert sum(shares.values()) <= tool.MOST == 100_000_000, tool.table(shares)


def test_card_is_whole_and_of_these_weights(folder, recipe, card):
    assert card.startswith(f"# {folder.name}\n")
    assert recipe.data_license and recipe.license  # and the card says what they are
    for fact in (recipe.makes, recipe.data_name, recipe.data_license, recipe.license, recipe.dtype):
        assert fact in card
    assert "arXiv:" in card or "OpenReview " in card
    files = json.loads((folder / "weights.json").read_text(encoding="utf-8"))["weights"]
    assert files and all(file["sha256"][:16] in card for file in files)
    assert all(f"]({sheet})" in card for sheet in SHEETS)
    for section in ("Use", "Model", "Data and licences", "Training", "Scores"):
        assert f"\n## {section}\n" in card


UNSHARED = [name for name in registry.RECIPES if registry.describe(name).count("\n## ") > 1]  # whose card was published


@pytest.fixture(params=[*registry.ZOO, *UNSHARED])
def any_card(request):
    return registry.describe(request.param)


def test_what_is_not_shared_has_scores_but_neither_weights_nor_pictures():
    assert "pix2pix_map2aerial" in UNSHARED
    for name in UNSHARED:
        folder = pathlib.Path(importlib.import_module(f"kerasgan.zoo.{name}.recipe").__file__).parent
        assert sorted(p.name for p in folder.iterdir() if p.is_file()) == ["card.md", "recipe.py", "scores.json"]
        card, recipe = registry.describe(name), registry.get(name)
        for fact in (recipe.makes, recipe.data_name, recipe.data_license, recipe.dtype, "arXiv:", "\n## Scores\n\n|"):
            assert fact in card


def test_card_has_no_placeholder(any_card):
    assert not re.findall(r"\b(?:TODO|TBD|FIXME|XXX|None|nan|inf|lorem)\b|\?\?|<\w+>|\{\w*\}", any_card)


def test_card_tells_no_place_on_a_machine(any_card):
    assert not re.findall(
        r"(?<![\w/:.)\]])[~.]?/[\w.-]+|\b[A-Z]:\\", any_card.replace("runs/", "").replace("my_data/", "")
    )


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_show_the_samples(folder, recipe, name):
    gan = registry.build(recipe, compile=False)
    media = gan.media
    one = media.to_natural(np.zeros((1, *media.shape), "float32"))
    if isinstance(gan, TextToImage):
        height, width, *channels = captioned(one, [""])[0].shape
    else:
        height, width, *channels = (media.sheet(one) if hasattr(media, "sheet") else one[0]).shape
    with PIL.Image.open(folder / name) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture)
    if media.samples_on_sheet > 90:  # of which one picture shows all, as of a table
        assert pixels.shape == (height, width, *channels) and pixels.std() > 5
        return
    assert pixels.shape[2:] == (() if channels == [1] else tuple(channels))
    samples = pixels.shape[0] / (height + 1) * (pixels.shape[1] / (width + 1))
    assert 50 <= samples <= 90  # 64, or as many as fill the rows of a sheet with a class in each column
    assert pixels[:height, :width].std() > 5 and (pixels[:height, :width] != pixels[-height:, -width:]).any()


def test_sheets_differ(folder):
    first, second = ((folder / name).read_bytes() for name in SHEETS)
    assert first != second
