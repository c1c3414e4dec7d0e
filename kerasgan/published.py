"""Published models: folders that hold what a stranger needs of a trained model, and nothing that runs.

`kerasgan publish` writes them (`kerasgan.publishing`), on the Hugging Face Hub or into a folder; `kerasgan.load` opens
them. Such a folder holds

- `kerasgan.json`: the recipe as plain data, and of each weight file its name, size and sha256;
- `generator.weights.h5` and so on: arrays, in half precision, of the encoder for projections, too, if there is one;
- `README.md`, the card, a sheet of samples and, where there are some, `scores.json`.

Whoever wrote it: what is made of it is a GAN type of kerasgan's, by arguments that are checked, of no more memory than
its weights explain; weights are those that it names.
"""

import contextlib
import pathlib

from kerasgan import files, keras_file, registry, trust, weights
from kerasgan.gan_types import TYPES
from kerasgan.recipes import Recipe

MANIFEST = "kerasgan.json"
CARD = "README.md"
MOST_BYTES = 8_000_000  # of the manifest, whose largest part is a vocabulary
# Weights are packed halves; of them come floats of twice the size and more, the average, and Adam's two moments.
_UNFOLDED = 16


def is_one(folder):
    """Whether a path is that of a published model."""
    return (pathlib.Path(folder) / MANIFEST).is_file()


def read(folder):
    """The recipe of a published model, with its weight files.

    Raises:
        ValueError: it is damaged, or names something that is not kerasgan's.
        OSError: it cannot be read.
    """
    return recipe_in(pathlib.Path(folder) / MANIFEST)


def recipe_in(path):
    """The recipe in a file `kerasgan.json`; see `read`."""
    path = pathlib.Path(path)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{str(path)!r} is longer than {MOST_BYTES:,} bytes, which no recipe is.")
    recipe = files.read_json(path, _checked, "is no published model of kerasgan's")
    check(recipe, repr(str(path)))
    return recipe


def _checked(values):
    if not isinstance(values, dict) or values.get("format") != 1:
        raise ValueError("expected an object with format 1; a newer version of kerasgan may know it")
    return Recipe.from_dict(values["recipe"])


def check(recipe, where):
    """Checks that opening a recipe's model runs nothing but kerasgan, whatever is trusted besides.

    Raises:
        ValueError: its type, an argument or its reader is not kerasgan's, or it lists no weights.
    """
    if recipe.gan_type not in TYPES:
        raise ValueError(
            f"{where} is of the type {recipe.gan_type!r}, which is none of kerasgan's: only those can be published."
        )
    if ":" in str(recipe.data.get("reader")):
        raise ValueError(f"{where} names the reader {recipe.data['reader']!r}, which is none of kerasgan.data.")
    if not recipe.weights:
        raise ValueError(f"{where} lists no weights.")
    with trust.allowing(False):
        trust.check_config([recipe.model, recipe.compile, recipe.data], where)


def load(folder, name=None, dtype=None, compile=True):
    """The model of a published folder.

    Args:
        folder: where it is.
        name: what the user called it by; None is the folder.
        dtype, compile: as in `kerasgan.load`.

    Returns:
        A `kerasgan.GAN`, or another `kerasgan.Game`.

    Raises:
        ValueError: as `read`; or its weights are others than it lists, or do not fit.
        FileNotFoundError: a weight file is missing.
    """
    folder, name = pathlib.Path(folder), str(folder if name is None else name)
    recipe = read(folder)
    paths = {file.part: weights.verified(file, folder) for file in recipe.weights}
    encoder = paths.pop(registry.ENCODER_PART, None)
    stored = sum(file.size for file in recipe.weights if file.part in paths)
    with _explained(name), keras_file.bounded(name, stored, _UNFOLDED), trust.allowing(False):
        gan = registry.with_weights(recipe, [*paths.items()], name, dtype, compile, folder)
    gan.encoder_file = encoder
    registry.allow_truncation(gan, recipe.name, folder)
    return gan


@contextlib.contextmanager
def _explained(name):
    """Turns what constructors raise for arguments of any kind into a ValueError that names the model."""
    try:
        yield
    except (files.TooLarge, MemoryError):
        raise
    except Exception as error:
        if name in str(error):
            raise
        raise ValueError(f"{name!r} cannot be opened: {files.explained(error)}") from error


def card(folder):
    """The card of a published model, without what the Hub reads at its top; None if there is none."""
    path = pathlib.Path(folder) / CARD
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    head, separator, body = text.removeprefix("---\n").partition("\n---\n")
    return body.lstrip() if text.startswith("---\n") and separator else text
