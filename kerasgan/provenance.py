"""Where a run's weights come from: what is known of its data, their classes and licences, and nothing else.

An entry of the zoo knows its own data by their fingerprint. On any others its recipe makes something else than the
entry says, under other licences, so that a run says of itself only what its training knows.
"""

import dataclasses
import os
import pathlib

from kerasgan import console

UNKNOWN = "not known to kerasgan: that of the data"


def of_run(recipe, asked, dataset, source, gan, start=None):
    """The recipe of a run with what is known of its data.

    Args:
        recipe: the `kerasgan.registry.Recipe` that is trained.
        asked: the recipe that the training was asked for: of the zoo, of another run, or of a type.
        dataset: the `kerasgan.data.dataset.Dataset` that the reader made of the source.
        source: as in `kerasgan.runs.train`.
        gan: what is trained.
        start: name or path of the model that the training starts from, whose recipe `asked` is then; or None.
    """
    from kerasgan.data.dataset import known  # which imports TensorFlow

    dataset = known(dataset)
    fingerprint = dataset.fingerprint or ""
    recipe = dataclasses.replace(recipe, page={})  # which speaks of the samples of other weights
    if asked.fingerprint and asked.fingerprint == fingerprint:
        about = {name: getattr(asked, name) for name in ("makes", "title", "data_name", "data_license", "license")}
        return dataclasses.replace(recipe, **about, class_names=asked.class_names, fingerprint=fingerprint)
    data = called(source, recipe.data.get("subset"))
    return dataclasses.replace(
        recipe,
        makes=f"{gan.media.plural} like those of {data}",
        data_name=data,
        data_license=UNKNOWN,
        title="",
        license=UNKNOWN if start is None else f"{UNKNOWN}; {_inherited(asked, start)}",
        class_names=_class_names(dataset.class_names, gan.num_classes),
        fingerprint=fingerprint,
    )


def _inherited(recipe, start):
    """What goes on to hold for weights that began as others."""
    known = [f"for its weights: {recipe.license}"] if recipe.license else []
    if recipe.data_name:
        known.append(f"for its data, {recipe.data_name}: {recipe.data_license or 'not known'}")
    holds = f", whose licences go on to hold ({'; '.join(known)})" if known else ""
    return f"fine-tuned from {called(start)}{holds}"


def called(source, subset=None):
    """What data are called: the name of a folder or file, without the way to it, which is nobody else's business."""
    if isinstance(source, (list, tuple)) and all(isinstance(part, (str, os.PathLike)) for part in source):
        name = " and ".join(called(part) for part in source)
    elif isinstance(source, (str, os.PathLike)):
        name = str(source) if str(source).startswith("tfds:") else pathlib.Path(source).absolute().name or str(source)
    else:
        name = "data given in Python"
    name = console.printable(name)
    return f"{name} ({subset})" if subset else name


def _class_names(names, count):
    """The names of a model's classes; none where they are just the numbers.

    A model with more classes than the data have, which was trained on others before, calls the rest by their numbers.
    """
    names = [str(name) for name in names or ()]
    if not count or names == [str(number) for number in range(len(names))]:
        return ()
    return (*names, *map(str, range(len(names), count)))
