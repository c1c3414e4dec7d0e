"""Scores of a model by its recipe's data, and the data as scores need them: each sample once, as it is."""

import inspect
import pathlib

from kerasgan import console, files
from kerasgan.recipes import changed
from kerasgan.runs.opening import load, recipe_of
from kerasgan.runs.reading import arguments_of, for_pictures_of, read_with, reader

# Arguments of readers by which samples are as they are, where a reader has no attribute `without_chance` of its own.
_WITHOUT_CHANCE = {"flip": False, "turn": False, "transpose": 0, "jitter": 0}


def evaluate(name, source, metrics=None, *, subset=None, network=None, progress=True, **options):
    """Scores a model by its recipe's data, as `kerasgan evaluate` does.

    How depends on its task (`kerasgan.tasks`): a GAN is scored by `kerasgan.metrics.evaluate`, a translator by
    `kerasgan.metrics.evaluate_translator`, on the part of the data that its recipe keeps apart, if it does; a model
    that upscales by `kerasgan.metrics.evaluate_upscaler`, on whole images.

    Args:
        name: a name of the zoo, a run folder or a `.keras` file.
        source: the data, as in `train`.
        metrics: names, in a sequence or separated by commas; None takes the usual ones.
        subset: another part of the source than the recipe's, such as "test".
        network, progress: as in `kerasgan.metrics.evaluate`.
        options: what the task takes: of a GAN `count`, `seed`, `repeats`, `truncation`, `ema` and `floor`, as in
            `kerasgan.metrics.evaluate`; of a translator `paired`, whether images of the two domains belong together
            (None: if it was trained on pairs); of a model that upscales `beside`, {what it is called: name or path} of
            others to score on the same images.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an argument does not fit.
    """
    gan, recipe = load(name, compile=False), recipe_of(name)
    given = {option: value for option, value in options.items() if value is not None}
    others = [option for option in given if option not in gan.task.options]
    if others:
        raise ValueError(f"{name!r} {gan.task.does}: leave out {', '.join(others)}, on which its scores do not depend.")
    about = {"model": console.printable(str(name)), "split": subset or recipe.data.get("subset") or "all"}
    about |= {"subset": subset, "network": network, "progress": progress}
    return gan.task.evaluate(gan, recipe, source, metrics, **about, **given)


def read_whole(recipe, source, subset=None):
    """The data of a recipe for scores: each sample once, in order, as it is (not mirrored, nor moved, at random).

    Args:
        recipe: `kerasgan.registry.Recipe`.
        source: as in `train`.
        subset: another part of the source than the recipe's, such as "test".

    Returns:
        A `tf.data.Dataset` of one epoch, batches of one.
    """
    read = reader(recipe)
    known, random = inspect.signature(read).parameters, getattr(read, "without_chance", _WITHOUT_CHANCE)
    recipe = for_pictures_of(source, recipe)
    arguments = arguments_of(recipe) | ({} if subset is None else {"subset": subset})
    arguments |= {name: value for name, value in random.items() if name in known or name in arguments}
    return read_with(recipe, source, {**arguments, "batch_size": 1, "shuffle": False})


def read_apart(recipe, source, subset=None, paired=True):
    """The data of a recipe for scores and sheets: as `read_whole`, of the part that the recipe keeps apart, if any.

    Args:
        recipe, source, subset: as in `read_whole`.
        paired: whether they are images of two domains that belong together, although the recipe may not ask for that.
    """
    changes = {"data.reader": "pairs"} if paired else {}
    changes |= {"data.part": "test"} if recipe.data.get("part") else {}
    return read_whole(changed(recipe, changes), source, subset)


def read_originals(source, subset=None):
    """{name: uint8 (height, width, 3)}: whole images of a folder or zip file, or of the folder `subset` in it.

    Files that are no images are skipped, with a warning that names them.
    """
    from kerasgan.data.files import find_files
    from kerasgan.data.pixels import look, to_whole_pixels
    from kerasgan.data.reading import read_usable, report

    files.check_given(source, "source")
    found, bad = find_files([pathlib.Path(source)], subset, look=look), []
    usable = read_usable(lambda item: to_whole_pixels(found.read(item), 3), found, bad)
    images = {pathlib.Path(found.item_name(position)).stem: image for position, image in usable}
    report(bad, found.count, found.name, "skip")
    return images
