"""Where a run's weights come from: what is known of its data, their classes and licences, and nothing else.

An entry of the zoo knows its own data by their fingerprint. On any others its recipe makes something else than the
entry says, under other licences, so that a run says of itself only what its training knows.
"""

import dataclasses
import os
import pathlib
import sys

from kerasgan import console
from kerasgan.recipes import Recipe

UNKNOWN = "not known to kerasgan: that of the data"
NOT_STATED = "not stated: ask whoever trained it"
_SCORES = 4  # that a notebook names
_said = set()  # names of models whose licence was said in this process


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where the weights of a model come from, which was loaded.

    Attributes:
        name: what it was loaded by: a pretrained model, the name of a run folder, an address.
        recipe: its `kerasgan.recipes.Recipe`.
        samples_seen: by its training until then.
        scores: path of a file of its scores, which need not be there; or None.
        sheet: path of a picture of its samples, which need not be there; or None.
    """

    name: str
    recipe: Recipe
    samples_seen: int
    scores: pathlib.Path | None = None
    sheet: pathlib.Path | None = None

    @property
    def license(self):
        """Of the weights, as far as it is known."""
        return self.recipe.license or NOT_STATED

    def said(self, samples_seen):
        """{what: text} of data, licences and scores, as they are true of a model that has seen so many samples by now.

        What it has learned of since belongs to other data, under licences that nobody knows here.
        """
        since = samples_seen - self.samples_seen
        also = f", and {since:,} samples since it was loaded" if since else ""
        held = "; goes on to hold beside that of the samples since it was loaded" if since else ""
        return {
            "makes": "" if since else self.recipe.makes,
            "data": self.recipe.data_name and f"{self.recipe.data_name}{also}",
            "licence of the data": self.recipe.data_license,
            "licence of the weights": f"{self.license}{held}",
            "scores": "" if since else ", ".join(f"{s.label} {s.value:.4g}" for s in self._scored()[:_SCORES]),
        }

    def _scored(self):
        """The scores of the model on its first network and without a choice among samples; none of a damaged file."""
        from kerasgan.metrics import result  # which a program that only lists models does without

        try:
            found = [] if self.scores is None else result.load(self.scores)
        except (OSError, ValueError):
            return []
        found = [one for one in found if one.model != result.REAL and one.truncation is None]
        return [one for one in found if one.feature_network in (None, found[0].feature_network)]


def say_license(origin):
    """Says once, to somebody who types in a terminal or a notebook, under which licence the weights may be used.

    A script, a command or a pipe is told nothing: cards, pages and files that are written say it.
    """
    types = hasattr(sys, "ps1")  # Python's prompt, and that of IPython, which notebooks run
    if not types or origin.name in _said or not ("ipykernel" in sys.modules or sys.stdout.isatty()):
        return
    _said.add(origin.name)
    console.write(f"{origin.name}: licence of the weights: {origin.license}")


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
