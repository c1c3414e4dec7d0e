"""The registry: from a name to a recipe, and from a recipe to a GAN, trained or fresh.

A new zoo entry is one name in `ZOO`, or in `RECIPES` for one without weights. Recipes are plain data (see
`kerasgan.recipes`) and nothing here imports TensorFlow before a GAN is built, so that listing is quick.
"""

import dataclasses
import importlib
import inspect
import math
import pathlib
import sys
import typing

from kerasgan import console, files, provenance, trust
from kerasgan import weights as weight_files
from kerasgan.gan_types import TYPES, GANType, gan_class, is_game
from kerasgan.recipes import Recipe
from kerasgan.weights import WeightFile

WEIGHTS = "weights.json"  # beside the recipe of a zoo entry: its weight files, written when they are published
SCORES = "scores.json"  # beside it: its scores with their protocol, written by tools/score_entry.py
SHEET = "samples.png"  # beside it: some of its samples
_ERRORS = 3  # of the standard ones, by which precision has to rise for a model to offer truncation
ENCODER = "encoder.weights.h5"  # beside it: see `kerasgan.inversion`
ENCODER_PART = "projection"  # what a published model lists it as; "encoder" is a network of some types
DIRECTIONS = "directions.npz"  # beside it: directions that somebody has looked at and named
PHONE = "phone.json"  # beside it: its exported files, verified and timed, written by tools/benchmark_generators.py

__all__ = [
    "PHONE",
    "RECIPES",
    "SCORES",
    "TYPES",
    "WEIGHTS",
    "ZOO",
    "GANType",
    "Recipe",
    "WeightFile",
    "build",
    "describe",
    "folder_of",
    "gan_class",
    "get",
    "list_models",
    "load",
    "register",
    "resolve",
]

ZOO = (
    "dcgan_celeba",
    "vanilla_gan_mnist",
    "cgan_fashion_mnist",
    "wgan_mnist",
    "wgan_gp_sprites",
    "srgan_x4",
    "sngan_cifar10",
    "pix2pix_noto2twemoji",
    "wavegan_spoken_digits",
    "lapgan_celeba",
    "cyclegan_noto2twemoji",
    "r3gan_celeba",
    "progressive_gan_emoji",
    "skegan_kanji",
    "ctgan_adult",
    "ganomaly_pneumonia",
    "relgan_words",
    "ganomaly_nsl_kdd",
    "musegan_jsb",
    "gan_3d_voxels",
    "df_gan_emoji",
    "tempogan_smoke_x4",
    "dvd_gan_moving_mnist",
    "dvd_gan_next_frames",
    "skegan_sheep",
)

# Entries to be trained: `kerasgan train` knows them, but there are no weights to load.
RECIPES = (
    "pix2pix_map2aerial",
    "f_anogan_brain_mri",
)


class _Entry(typing.NamedTuple):
    recipe: Recipe
    folder: pathlib.Path | None
    card: str | None


_registered = {}


def list_models():
    """Names of the pretrained models: those of the zoo, then those that were registered. For `load` and `describe`."""
    return [*ZOO, *_registered]


def get(name):
    """The `Recipe` of a pretrained model.

    Raises:
        ValueError: no model has this name.
    """
    return _entry(name).recipe


def folder_of(name):
    """The folder of a pretrained model, with its card, sheets and scores; None for one that has none.

    Raises:
        ValueError: no model has this name.
    """
    return _entry(name).folder


def resolve(name):
    """The recipe to train: of a pretrained model, or, for the name of a GAN type, that type's starting values.

    Raises:
        ValueError: neither a model nor a type has this name.
    """
    if name not in TYPES:
        return _entry(name, others=TYPES).recipe
    start = TYPES[name].starting
    values = {"model": start.model, "compile": start.compile, "data": start.data, "batch_size": None, "dtype": "auto"}
    return Recipe(name=name, gan_type=name, makes="samples like yours", **values)


def describe(name):
    """The card of a pretrained model, Markdown text; without a card, what the recipe says.

    Raises:
        ValueError: no model has this name.
    """
    recipe, folder, card = _entry(name)
    if card is not None:
        return card
    if folder is not None and (folder / "card.md").is_file():
        return (folder / "card.md").read_text(encoding="utf-8")
    return about(recipe)


def about(recipe, name=None):
    """What a recipe says of its model, Markdown text.

    Args:
        name: what the model is called; None takes the recipe's name.
    """
    rows = {
        "Makes": recipe.makes,
        "Classes": ", ".join(recipe.class_names),
        "Type": recipe.gan_type,
        "Data": recipe.data_name,
        "Licence of the data": recipe.data_license,
        "Licence of the weights": recipe.license,
    }
    lines = [f"- {row}: {value}" for row, value in rows.items() if value]
    return f"# {name or recipe.name}\n\n" + "\n".join(lines) + "\n"


def register(recipe, card=None, folder=None):
    """Adds a model of your own, for `load`, `describe`, `list_models` and the recipe's use by name in this process.

    ```python
    kerasgan.register(
        Recipe(
            name="dcgan_shoes",
            gan_type="dcgan",
            model={"image_shape": (64, 64, 3)},
            weights=(WeightFile.from_file("shoes/generator.weights.h5", "generator"),),
        ),
        folder="shoes",
    )
    gan = kerasgan.load("dcgan_shoes")
    ```

    Args:
        recipe: `Recipe`. Registering an equal one again changes nothing but the card and the folder.
        card: Markdown text; None takes `card.md` in the folder, if it is there.
        folder: where the weight files are; None for weights that are only at their `url`.

    Raises:
        TypeError: not a recipe.
        ValueError: the name is taken, or there is no such folder.
    """
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe is a {type(recipe).__name__}; expected a kerasgan.registry.Recipe.")
    taken = recipe.name in (*ZOO, *RECIPES, *TYPES)
    if taken or (recipe.name in _registered and _registered[recipe.name].recipe != recipe):
        raise ValueError(f"name={recipe.name!r} is taken by another model or type; choose another name for the recipe.")
    folder = None if folder is None else pathlib.Path(folder).absolute()
    if folder is not None and not folder.is_dir():
        raise ValueError(f"folder={str(folder)!r}: there is no such folder.")
    _registered[recipe.name] = _Entry(recipe, folder, card)


def check_named(gan_type, where):
    """Checks a GAN type that a file names, which importing would run.

    Args:
        gan_type: as in `gan_class`.
        where: the file, as the error names it.

    Raises:
        ValueError: it is neither kerasgan's nor known to the program, as the type of a recipe that it has registered
            or by the import of its module, and not trusted either (see `kerasgan.trust`).
    """
    module, _, name = gan_type.partition(":")
    registered = {entry.recipe.gan_type for entry in _registered.values()}
    if gan_type in TYPES or trust.is_ours(module) or trust.is_allowed() or gan_type in registered:
        return
    if not is_game(getattr(sys.modules.get(module), name, None)):
        raise ValueError(
            f"{where} was trained with {gan_type!r}, which is no GAN type of kerasgan's: to open it would run the "
            f"module {module!r}. If you trust where the folder comes from, {trust.HOW}."
        )


def build(recipe, dtype=None, compile=True):
    """A fresh, untrained GAN from its recipe.

    Args:
        recipe: `Recipe`.
        dtype: Keras dtype policy, or "auto" for the one that suits the device; None takes the recipe's.
        compile: whether to compile it with the recipe's arguments.

    Returns:
        A `kerasgan.GAN`.
    """
    dtype = dtype or recipe.dtype
    if dtype == "auto":
        from kerasgan import precision

        dtype, _ = precision.choose()
    cls, arguments = gan_class(recipe.gan_type), {"seed": recipe.seed}
    if recipe.fitted is not None and "fitted" in inspect.signature(cls).parameters:
        arguments["fitted"] = recipe.fitted  # of a type that is built upon what the reader learned
    gan = cls(**{**arguments, **recipe.model, "dtype": dtype})
    gan.class_names = recipe.class_names
    if compile:
        gan.compile(**recipe.compile)
    return gan


def load(name, dtype=None, compile=True):
    """A pretrained GAN, ready for `generate` and, since it comes compiled with its recipe's arguments, for `fit`.

    `kerasgan.load` takes run folders and files, too.

    Args:
        name: one of `list_models()`.
        dtype: Keras dtype policy; None means "float32", whatever the training used.
        compile: whether to compile it.

    Returns:
        A `kerasgan.GAN`.

    Raises:
        ValueError: no model has this name, it has no weights, or the weights do not fit.
        FileNotFoundError, ConnectionError, OSError: the weights cannot be had; see `kerasgan.weights.find`.
    """
    recipe, folder, _ = _entry(name)
    check_trained(recipe)
    paths = [(file.part, weight_files.find(file, name, folder)) for file in recipe.weights]  # fails before TensorFlow
    gan = with_weights(recipe, paths, name, dtype, compile, folder)
    if folder is not None:
        allow_truncation(gan, name, folder)
        if (folder / ENCODER).is_file():
            gan.encoder_file = folder / ENCODER
        if (folder / DIRECTIONS).is_file():
            from kerasgan import directions

            gan.named_directions = {one.name: one for one in directions.load(folder / DIRECTIONS)}
    return gan


def with_weights(recipe, paths, name, dtype=None, compile=True, folder=None):
    """The GAN of a recipe with the weights from files.

    Args:
        recipe: `Recipe`.
        paths: [(part, path of its weight file)].
        name: what the user calls the model by.
        dtype, compile: as in `load`.
        folder: where its scores and a sheet of its samples are, if there are some.

    Raises:
        ValueError: the weights do not fit, or are for a part that the type does not have.
    """
    # The seed belongs to the training: what is loaded makes new samples in every process.
    gan = build(dataclasses.replace(recipe, seed=None), dtype or "float32", compile)
    known = weight_files.networks(gan, averages=True)
    for part, path in paths:
        networks = [known[network] for network in (part, f"ema_{part}") if network in known]
        if not networks:
            raise ValueError(f"{name!r}: {type(gan).__name__} has no part {part!r}, which its recipe has weights for.")
        for network in networks:
            weight_files.load_into(network, path)
    gan.samples_seen.assign(recipe.samples_seen)
    gan.media.made_by = f"kerasgan, {name}"
    kept = () if folder is None else (folder / SCORES, folder / SHEET)
    gan.origin = provenance.Origin(name, recipe, recipe.samples_seen, *kept)
    return gan


def allow_truncation(gan, name, folder):
    """Has a GAN refuse truncation, where scores in a folder do not show that samples become more precise by it."""
    if (folder / SCORES).is_file():
        gan.truncation_refusal = _truncation_refusal(name, folder / SCORES)


def check_trained(recipe):
    """Raises a ValueError for a recipe without weights."""
    if not recipe.weights:
        name = recipe.name
        raise ValueError(f"{name!r} has no trained weights; train it with: kerasgan train {name} --data PATH --out RUN")


def _truncation_refusal(name, path):
    """Why a pretrained model takes no truncation, by its scores; None if samples became more precise by it."""
    from kerasgan.metrics import result

    precision = [r for r in result.load(path) if r.metric == "precision" and r.model == name]
    whole = {r.feature_network: r for r in precision if r.truncation is None}
    chosen = next((r for r in precision if r.truncation is not None and r.feature_network in whole), None)
    if chosen is None:
        return f"nobody has measured yet whether it makes the samples of {name} more precise; leave it out."
    truncation, whole = chosen.truncation, whole[chosen.feature_network]
    variances = (r.value * (1 - r.value) / r.n_fake for r in (whole, chosen))  # of shares of so many samples
    if chosen.value < whole.value + _ERRORS * math.sqrt(sum(variances)):
        return (
            f"it does not make the samples of {name} clearly more precise ({chosen.value:.3f} with {truncation:g}, "
            f"{whole.value:.3f} without); leave it out."
        )
    return None


def _entry(name, others=()):
    if name in _registered:
        return _registered[name]
    if name in (*ZOO, *RECIPES):
        module = importlib.import_module(f"kerasgan.zoo.{name}.recipe")
        folder = pathlib.Path(module.__file__).parent
        return _Entry(_with_published_weights(module.RECIPE, folder / WEIGHTS), folder, None)
    if name in TYPES:
        raise ValueError(
            f"name={name!r} is a GAN type, not a pretrained model. Load one of {', '.join(list_models())}, or build "
            f"the type with kerasgan.models.{TYPES[name].path.partition(':')[2]}(...)."
        )
    hint = console.nearest(name, [*list_models(), *others])
    raise ValueError(
        f"name={name!r} is unknown.{hint} kerasgan.list_models() (or: kerasgan list) gives all "
        f"pretrained models{', kerasgan.registry.TYPES the types' if others else ''}."
    )


def _with_published_weights(recipe, path):
    if not path.is_file():
        return recipe

    def with_weights(published):
        listed = tuple(WeightFile(**file) for file in published["weights"])
        fingerprint = published.get("fingerprint", recipe.fingerprint)
        known = {"samples_seen": published["samples_seen"], "fitted": published.get("fitted")}
        return dataclasses.replace(recipe, weights=listed, fingerprint=fingerprint, **known)

    return files.read_json(path, with_weights, remedy=". Install kerasgan again, or publish it again.")
