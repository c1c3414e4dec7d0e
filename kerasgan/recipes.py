"""Recipes: all that a training depends on, as plain data, and what tells one from another."""

import dataclasses
import json

from kerasgan import console
from kerasgan import weights as weight_files
from kerasgan.gan_types import TYPES
from kerasgan.weights import WeightFile

# What a training does not depend on, or finds out by itself.
NOT_TRAINED = (
    *("weights", "samples_seen", "epochs", "class_names", "fingerprint", "fitted", "picture_size"),
    *("makes", "data_name", "data_license", "license", "title", "page"),
)

# What the page may be told of a model, and of which type that is: see `Recipe`.
_PAGE = {"seed": int, "class": int, "text": str, "prefix": str, "scaling": str, "give": str, "thumbnail": list}
_PAGE |= {"warning": str, "examples": list, "direction": str, "back": dict}


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
        fitted: what the reader fitted to the data, such as columns or a vocabulary, as JSON can hold it; None where it
            fits nothing. A training that goes on, scores and fine-tuning read their data by it.
        picture_size: (height, width) of the pictures that a crop box in `data` is made for; it is left out for pictures
            of another size. None: for all.
        title: what people call what it makes, in a word or three, such as "Game sprites"; the page shows it.
        page: what else the page of `kerasgan serve` is told: {"seed", "class", "text", "prefix": of the sample that it
            opens with; "scaling": "hard" for pixels with edges, "smooth" for photographs; "give": what a model wants
            that takes pictures, one sentence; "warning": what its scores do not say, which stands beside them;
            "thumbnail": a part of a sheet of the entry, [file, left, top, right, bottom]; "examples": several of these,
            pictures to try; "direction": of a translator, such as "day to night"; "back": of one that has two, the same
            for the other one}. All of it may be left out.
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
    fitted: dict | list | None = None
    picture_size: tuple[int, int] | None = None
    title: str = ""
    page: dict = dataclasses.field(default_factory=dict)
    weights: tuple[WeightFile, ...] = ()
    samples_seen: int = 0

    def __post_init__(self):
        weight_files.check_plain_name("name", self.name)
        for field in ("gan_type", "makes", "data_name", "data_license", "license", "dtype", "fingerprint", "title"):
            if not isinstance(getattr(self, field), str):
                raise ValueError(f"{field}={getattr(self, field)!r} in the recipe {self.name!r}: expected a text.")
        if ":" not in str(self.gan_type) and self.gan_type not in TYPES:
            hint = console.nearest(self.gan_type, TYPES)
            raise ValueError(
                f"gan_type={self.gan_type!r} is unknown.{hint} Types: {', '.join(TYPES)}; "
                'a GAN of your own is written "package.module:Class".'
            )
        for field in ("model", "compile", "data", "page"):
            if not isinstance(getattr(self, field), dict):
                value = getattr(self, field)
                raise ValueError(f"{field}={value!r} in the recipe {self.name!r}: expected a dict of arguments.")
        for field in ("model", "compile", "data", "fitted", "page"):
            object.__setattr__(self, field, _plain(self, field))
        _check_page(self, self.page)
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


def _check_page(recipe, page):
    """Raises a ValueError for what the page is not told, or is of another type."""
    for key, value in page.items():
        wanted = _PAGE.get(key)
        boxes = {"thumbnail": [value], "examples": value}.get(key, []) if wanted is type(value) else []
        if wanted is not type(value) or not all(_is_box(box) for box in boxes):
            raise ValueError(
                f"page={{{key!r}: {value!r}}} in the recipe {recipe.name!r}: expected some of {', '.join(_PAGE)}; a "
                "part of a sheet is [file, left, top, right, bottom]."
            )
        if key == "back":
            _check_page(recipe, value)


def _is_box(value):
    """Whether it is a part of a sheet."""
    return isinstance(value, list) and [type(part) for part in value] == [str, int, int, int, int]


def _plain(recipe, field):
    """The value of a field as it would be after a trip through JSON."""
    try:
        return json.loads(json.dumps(getattr(recipe, field), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{field} of the recipe {recipe.name!r} holds something that JSON cannot ({error}). Use numbers, strings, "
            "lists, dicts; for objects of Keras their names or keras.saving.serialize_keras_object."
        ) from error


def changed(recipe, changes):
    """A recipe with some values changed.

    Args:
        recipe: `kerasgan.registry.Recipe`.
        changes: {"field": value} or {"field.argument": value}, such as {"epochs": 5, "data.flip": True}.
    """
    values = dataclasses.asdict(recipe)
    for name, value in changes.items():
        field, _, argument = name.partition(".")
        if argument:
            values[field] = {**values[field], argument: value}
        else:
            values[field] = value
    if "data.crop" in changes:  # whoever gives a box means it for these pictures
        values["picture_size"] = None
    return Recipe.from_dict(values)


def what_is_trained(recipe):
    """The values of a recipe that its training depends on, without the number of epochs: a dict."""
    return {name: value for name, value in dataclasses.asdict(recipe).items() if name not in NOT_TRAINED}


def for_other_data(recipe):
    """A recipe whose reader keeps only what fits samples to the model, not what suits the recipe's own data set."""
    if recipe.gan_type not in TYPES:
        return recipe
    wanted = TYPES[recipe.gan_type].starting.data
    data = {name: recipe.data.get(name, value) for name, value in wanted.items()}
    return dataclasses.replace(recipe, data=data, picture_size=None)


def differences(there, now, missing=None, name=""):
    """What two values of a recipe do not agree in, argument by argument.

    Args:
        there, now: JSON values.
        missing: stands for an argument that one of them lacks.

    Returns:
        Iterator of (name, value there, value now), a name such as "compile.loss".
    """
    if isinstance(there, dict) and isinstance(now, dict):
        for key in sorted({*there, *now}):
            inner = (values.get(key, missing) for values in (there, now))
            yield from differences(*inner, missing, f"{name}.{key}" if name else key)
    elif there != now:
        yield name, there, now
