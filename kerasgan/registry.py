"""The registry: from a name to a recipe, and from a recipe to a GAN, trained or fresh.

A new zoo entry is one name in `ZOO`, or in `RECIPES` for one without weights; a new GAN type is one line in `TYPES`.
Recipes are plain data and nothing here imports TensorFlow before a GAN is built, so that listing is quick.
"""

import dataclasses
import importlib
import json
import math
import pathlib
import sys
import typing

from kerasgan import console, files, trust
from kerasgan import weights as weight_files
from kerasgan.weights import WeightFile

WEIGHTS = "weights.json"  # beside the recipe of a zoo entry: its weight files, written when they are published
SCORES = "scores.json"  # beside it: its scores with their protocol, written by tools/score_entry.py
_ERRORS = 3  # of the standard ones, by which precision has to rise for a model to offer truncation
PHONE = "phone.json"  # beside it: its exported files, verified and timed, written by tools/benchmark_generators.py

__all__ = [
    "PHONE",
    "RECIPES",
    "SCORES",
    "TYPES",
    "WEIGHTS",
    "ZOO",
    "Recipe",
    "WeightFile",
    "build",
    "describe",
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
)

# Entries to be trained: `kerasgan train` knows them, but there are no weights to load.
RECIPES = ("pix2pix_map2aerial",)


class GANType(typing.NamedTuple):
    """A GAN type: where its class is, and what `train` starts from when it is given the type instead of an entry."""

    path: str  # "module:Class"
    model: dict  # arguments of the class
    data: dict  # arguments of the reader in kerasgan.data
    compile: dict = {}  # arguments of its `compile`
    largest_batch: int = 64  # that is derived from the data


def _images(path, size, model=None, compile=None, largest_batch=64, **data):
    model = {"image_shape": (size, size, 3), **(model or {})}
    data = {"reader": "images", "size": size, "channels": 3, **data}
    return GANType(path, model, data, compile or {}, largest_batch)


def _pairs(path, size, reader):
    return GANType(path, {"image_shape": (size, size, 3)}, {"reader": reader, "size": size, "channels": 3})


def _adam(learning_rate):
    return {"class_name": "Adam", "config": {"learning_rate": learning_rate, "beta_1": 0.0, "beta_2": 0.99}}


# By the paper's values the discriminator wins from the first minute against some thousand pictures, and samples stay
# blurred. Without batch normalization it does not, and a generator that is three times slower leaves it something to
# teach. Batches of 16 give a CPU four times the updates in the same time.
_DCGAN = {
    "model": {"width": 48, "latent_dim": 128, "normalization": "none", "minibatch_deviation": True, "latent": "normal"},
    "compile": {
        "discriminator_optimizer": _adam(6e-4),
        "generator_optimizer": _adam(2e-4),
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.01, "interval": 16}}],
        "augmentation": "translation",
    },
    "largest_batch": 16,
}

TYPES = {
    "vanilla_gan": _images("kerasgan.models.vanilla:VanillaGAN", 32),
    "cgan": _images("kerasgan.models.cgan:CGAN", 32, labels=True),
    "dcgan": _images("kerasgan.models.dcgan:DCGAN", 64, **_DCGAN),
    "wgan": _images("kerasgan.models.wgan:WGAN", 64),
    "wgan_gp": _images("kerasgan.models.wgan_gp:WGANGP", 64),
    "lapgan": _images("kerasgan.models.lapgan:LAPGAN", 32),
    "progressive_gan": _images("kerasgan.models.progressive_gan:ProgressiveGAN", 64),
    "r3gan": _images("kerasgan.models.r3gan:R3GAN", 64),
    "sngan": _images("kerasgan.models.sngan:SNGAN", 32),
    "cyclegan": _pairs("kerasgan.models.cyclegan:CycleGAN", 128, "unpaired"),
    "pix2pix": _pairs("kerasgan.models.pix2pix:Pix2Pix", 256, "pairs"),
    "srgan": GANType(
        "kerasgan.models.srgan:SRGAN",
        {"image_shape": (96, 96, 3)},
        {"reader": "crops", "size": 96, "channels": 3},
    ),
    "wavegan": GANType(
        "kerasgan.models.wavegan:WaveGAN",
        {"length": 8192, "sample_rate": 8000, "channels": 1},
        {"reader": "audio", "length": 8192, "sample_rate": 8000, "channels": 1},
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that is needed to train a GAN again, as plain data: what a run folder and a zoo entry hold.

    Dictionaries hold what JSON can hold; tuples in them become lists, as they would in a file, so that
    `Recipe.from_dict(json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe`.

    Args:
        name: `<gan>_<data>`, in lower case.
        gan_type: a name in `TYPES`, or "package.module:Class" for a GAN of your own.
        makes: what it makes, in one phrase.
        model: arguments of the type's constructor.
        compile: arguments of its `compile`; what is left out is the paper's value.
        data: `{"reader": name of a function in kerasgan.data, ...its arguments without the source}`.
        data_name: the data set it is trained on.
        data_license: of that data set, and what it means for the weights.
        license: of the weights.
        batch_size: of the training; None derives it from the data (see `kerasgan.defaults`).
        epochs: of the training.
        seed: of the training; None takes one at random.
        dtype: Keras dtype policy of the training, such as "mixed_bfloat16"; "auto" takes the one that suits the device
            (see `kerasgan.precision.choose`).
        class_names: what the classes of a conditional GAN are called, in their order; none where numbers say it.
        fingerprint: of the data, by which a training finds out whether its data are those that the recipe speaks of.
            Entries of the zoo leave it out: their `weights.json` has it.
        picture_size: (height, width) of the pictures that a crop box in `data` is made for; it is left out for pictures
            of another size. None: for all.
        weights: the trained files, `WeightFile`s. Entries of the zoo leave them out: their `weights.json` lists them.

    Raises:
        ValueError: a value that cannot be right.
    """

    name: str
    gan_type: str
    makes: str = ""
    model: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)
    data: dict = dataclasses.field(default_factory=dict)
    data_name: str = ""
    data_license: str = ""
    license: str = ""
    batch_size: int | None = 64
    epochs: int = 100
    seed: int | None = 0
    dtype: str = "float32"
    class_names: tuple[str, ...] = ()
    fingerprint: str = ""
    picture_size: tuple[int, int] | None = None
    weights: tuple[WeightFile, ...] = ()
    samples_seen: int = 0

    def __post_init__(self):
        weight_files.check_plain_name("name", self.name)
        for field in ("gan_type", "makes", "data_name", "data_license", "license", "dtype", "fingerprint"):
            if not isinstance(getattr(self, field), str):
                raise ValueError(f"{field}={getattr(self, field)!r} in the recipe {self.name!r}: expected a text.")
        if ":" not in str(self.gan_type) and self.gan_type not in TYPES:
            hint = console.nearest(self.gan_type, TYPES)
            raise ValueError(
                f"gan_type={self.gan_type!r} is unknown.{hint} Types: {', '.join(TYPES)}; "
                'a GAN of your own is written "package.module:Class".'
            )
        for field in ("model", "compile", "data"):
            object.__setattr__(self, field, _plain(self, field))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "picture_size", None if self.picture_size is None else tuple(self.picture_size))
        object.__setattr__(self, "weights", tuple(self.weights))
        for file in self.weights:
            if not isinstance(file, WeightFile):
                raise ValueError(f"weights of {self.name!r} hold {file!r}; expected WeightFile objects.")
        for field in ("batch_size", "epochs"):
            value = getattr(self, field)
            if value is None and field == "batch_size":
                continue
            if type(value) is not int or value < 1:
                raise ValueError(f"{field}={value!r} in the recipe {self.name!r}: expected a whole number above 0.")
        for field in ("seed", "samples_seen"):
            value = getattr(self, field)
            if not (type(value) is int and value >= 0 or value is None and field == "seed"):
                raise ValueError(f"{field}={value!r} in the recipe {self.name!r}: expected a whole number.")

    @classmethod
    def from_dict(cls, values):
        """The recipe from what `dataclasses.asdict` gave, also after a trip through JSON.

        Raises:
            ValueError: a field is missing or unknown, or its value cannot be right.
        """
        if not isinstance(values, dict):
            raise ValueError(f"Not a recipe: expected a dict, got {str(values)[:60]!r}.")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        missing = sorted({"name", "gan_type"} - set(values))
        if unknown or missing:
            raise ValueError(f"Not a recipe: unknown fields {unknown}, missing {missing}; known are {sorted(known)}.")
        files = tuple(WeightFile(**file) for file in values.get("weights", ()))
        return cls(**{**values, "weights": files})


def _plain(recipe, field):
    value = getattr(recipe, field)
    if not isinstance(value, dict):
        raise ValueError(f"{field}={value!r} in the recipe {recipe.name!r}: expected a dict of arguments.")
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{field} of the recipe {recipe.name!r} holds something that JSON cannot ({error}). Use numbers, strings, "
            "lists, dicts; for objects of Keras their names or keras.saving.serialize_keras_object."
        ) from error


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


def resolve(name):
    """The recipe to train: of a pretrained model, or, for the name of a GAN type, that type's starting values.

    Raises:
        ValueError: neither a model nor a type has this name.
    """
    if name not in TYPES:
        return _entry(name, others=TYPES).recipe
    kind = TYPES[name]
    values = {"model": kind.model, "compile": kind.compile, "data": kind.data, "batch_size": None, "dtype": "auto"}
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


def gan_class(gan_type):
    """The class of a GAN type, imported now.

    Args:
        gan_type: a name in `TYPES`, or "package.module:Class".

    Raises:
        ValueError: there is no such class.
    """
    console.import_tensorflow()
    path = TYPES[gan_type].path if gan_type in TYPES else gan_type
    module, _, name = path.partition(":")
    try:
        module = trust.import_module(module) if trust.is_allowed() else importlib.import_module(module)
        found = getattr(module, name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise ValueError(f'gan_type={gan_type!r} cannot be imported ({error}); give "package.module:Class".') from error
    if not _is_game(found):
        raise ValueError(f"gan_type={gan_type!r} is no GAN type: expected a class derived from kerasgan.Game.")
    return found


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
    if not _is_game(getattr(sys.modules.get(module), name, None)):
        raise ValueError(
            f"{where} was trained with {gan_type!r}, which is no GAN type of kerasgan's: to open it would run the "
            f"module {module!r}. If you trust where the folder comes from, {trust.HOW}."
        )


def _is_game(found):
    """Whether something is a class of two-player models."""
    if "kerasgan.game" not in sys.modules or not isinstance(found, type):
        return False  # no such class without the module of what it is derived from
    from kerasgan.game import Game

    return issubclass(found, Game)


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
    gan = gan_class(recipe.gan_type)(**{"seed": recipe.seed, **recipe.model, "dtype": dtype})
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
    # The seed belongs to the training: what is loaded makes new samples in every process.
    gan = build(dataclasses.replace(recipe, seed=None), dtype or "float32", compile)
    for part, path in paths:
        networks = [network for network in (part, f"ema_{part}") if hasattr(gan, network)]
        if not networks:
            raise ValueError(f"{name!r}: {type(gan).__name__} has no part {part!r}, which its recipe has weights for.")
        for network in networks:
            weight_files.load_into(getattr(gan, network), path)
    gan.samples_seen.assign(recipe.samples_seen)
    if folder is not None and (folder / SCORES).is_file():
        gan.truncation_refusal = _truncation_refusal(name, folder / SCORES)
    return gan


def check_trained(recipe):
    """Raises a ValueError for a recipe without weights."""
    if not recipe.weights:
        name = recipe.name
        raise ValueError(f"{name!r} has no trained weights; train it with: kerasgan train {name} --data PATH --out RUN")


def _truncation_refusal(name, path):
    """Why a pretrained model takes no truncation, by its scores; None if samples became more precise by it."""
    from kerasgan.metrics import result

    precision = {r.truncation: r for r in result.load(path) if r.metric == "precision" and r.model == name}
    whole = precision.pop(None, None)
    if not precision or whole is None:
        return f"nobody has measured yet whether it makes the samples of {name} more precise; leave it out."
    truncation, chosen = precision.popitem()
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
        seen = published["samples_seen"]
        return dataclasses.replace(recipe, weights=listed, samples_seen=seen, fingerprint=fingerprint)

    return files.read_json(path, with_weights, remedy=". Install kerasgan again, or publish it again.")
