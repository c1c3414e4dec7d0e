"""A recipe's data, read from a source."""

import dataclasses
import json

from kerasgan import console, trust


def reader(recipe):
    """The function that a recipe names: of `kerasgan.data`, or one of the user's own, "package.module:function".

    Raises:
        ValueError: there is no such one.
    """
    from kerasgan import data

    name = recipe.data.get("reader")
    if is_own(name):
        return _own(name)
    if name not in data.__all__:
        known = ", ".join(data.__all__)
        raise ValueError(f'data.reader is {name!r}; expected one of {known}, or "package.module:function" of your own.')
    return getattr(data, name)


def is_own(name):
    """Whether the reader of a recipe is a function of the user's own."""
    return isinstance(name, str) and ":" in name


def _own(path):
    try:
        found = trust.named(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f'data.reader={path!r} cannot be imported ({error}); give "package.module:function".'
        ) from error
    if not callable(found):
        raise ValueError(f"data.reader={path!r} is a {type(found).__name__}; expected a function of a source.")
    return found


def read_epoch(recipe, source):
    """One epoch of the data; its method `endless` gives the training's batches from any place on."""
    arguments = {"batch_size": recipe.batch_size or 1, "seed": recipe.seed}
    return read_with(recipe, source, arguments | arguments_of(recipe))


def read_with(recipe, source, arguments):
    """What the recipe's reader makes of a source with these arguments, by what was fitted before, if anything was.

    A `kerasgan.data.dataset.Dataset`, whatever the reader returns.
    """
    from kerasgan.data.dataset import known

    read = reader(recipe)
    fitted = {} if recipe.fitted is None else {"fitted": recipe.fitted}
    return known(read(source, **arguments | fitted))


def arguments_of(recipe):
    """The arguments of the reader that the recipe gives."""
    return {name: value for name, value in recipe.data.items() if name != "reader"}


def for_pictures_of(source, recipe):
    """The recipe without a crop box that was made for pictures of another size than those of a source; says so.

    Such a box would cut the same corner out of each of them.
    """
    from kerasgan.data.picture_sizes import picture_sizes

    box = recipe.data.get("crop")
    if recipe.picture_size is None or not isinstance(box, list):
        return recipe
    known = {name: recipe.data[name] for name in ("subset", "key", "data_dir", "download") if name in recipe.data}
    others = sorted(picture_sizes(source, **known) - {recipe.picture_size})
    if not others:
        return recipe
    made, theirs = (f"{width}x{height}" for height, width in (recipe.picture_size, others[0]))
    console.write(
        f"The crop {box} of the recipe {recipe.name} is for pictures of {made}, and there are some of {theirs}: the "
        f"largest centred part of each is taken instead. To have the box: --set data.crop={json.dumps(box)}"
    )
    data = {name: value for name, value in recipe.data.items() if name != "crop"}
    return dataclasses.replace(recipe, data=data, picture_size=None)
