"""`score`: how strange samples are, to a model that has seen normal ones alone."""

import contextlib
import csv
import dataclasses
import functools
import os
import pathlib
import shutil
import tempfile
import warnings

import click

from kerasgan import commands, files
from kerasgan.commands import PLACE, SHARE, Command
from kerasgan.tasks.base import Task

_SHOWN = 10  # the strangest samples, which are printed
# Endings of files of many samples; others hold one.
_OF_MANY = (".zip", ".npz", ".npy", ".csv", ".tsv", ".txt", ".data", ".parquet")
_OF_PART = ("part", "subset", "key", "labels", "flip")  # arguments of a reader that say which of the data to train on


@click.command(cls=Command)
@commands.model_argument("NAME|RUN")
@click.argument("sources", metavar="SOURCE ...", type=PLACE, nargs=-1, required=True)
@commands.out_option("CSV file of all scores.")
@click.option("--maps", type=PLACE, help="Folder for pictures of where each sample is strange.")
@click.option("--quantile", type=SHARE, default=0.95, help="Share of normal samples that are to count as normal.")
@click.option("--subset", help="Part of the data, such as test, or ARRAY=VALUE.")
@click.option("--key", help="Name of the samples, where the source has several arrays.")
@commands.trust_option
def score(name, sources, out, maps, quantile, subset, key):
    """Says how strange samples are.

    They are pictures, folders, zips or arrays, whatever the model was trained on. It has seen normal samples alone;
    a score means most beside those of normal samples that it was not trained on, so the share of these that are
    less strange is given, too. It is no diagnosis.

    Examples:
      kerasgan score runs/products photo.png
      kerasgan score runs/products photos/ -o scores.csv --maps maps/
      kerasgan score runs/digits mnist.npz --key x_test --subset y_test=7 --quantile 0.99
    """
    import kerasgan

    for source in sources:
        commands.check_there(source, "a file, a folder, a zip or a .npz file")
    out = out and files.check_output(out, (".csv",), name="--out")
    maps = maps and files.check_folder(maps, name="--maps")
    kerasgan.runs.check_name(name)
    kerasgan.runs.check_outside_data(name, *[path for path in (out, maps) if path])
    recipe = kerasgan.runs.recipe_of(name)

    commands.import_tensorflow()
    gan = SCORING.open(name)
    if maps and gan.media.map_extension is None:
        raise ValueError(f"--maps: there are no pictures of where {gan.media.plural} are strange; leave it out.")
    recipe = _of_all(recipe, {"subset": subset, "key": key})
    _say(gan, *_read(recipe, sources), quantile, out, maps)


def _of_all(recipe, changes):
    """The recipe with a reader that reads all of a source, or the part that the changes say."""
    kept = {name: value for name, value in recipe.data.items() if name not in _OF_PART}
    changes = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(recipe, data={**kept, **changes})


def _normal(recipe, source, subset, key, split):
    """(normal samples to score, those of the training or None where it is not known, the split's name)."""
    import kerasgan

    asked, own = {"subset": subset, "key": key}, {name: recipe.data.get(name) for name in ("subset", "key")}
    if asked != own:
        others = kerasgan.runs.read_whole(_of_all(recipe, asked), source)
        return others, kerasgan.runs.read_whole(recipe, source) if subset or key else None, split
    found = kerasgan.runs.read_whole(recipe, source)
    if found.fingerprint != recipe.fingerprint:
        return kerasgan.runs.read_whole(_of_all(recipe, asked), source), None, split
    if recipe.data.get("part") == "train":
        return kerasgan.runs.read_apart(recipe, source, paired=False), found, f"{split}, kept apart"
    warnings.warn(
        "data: these normal samples are those that the model was trained on, which are less strange to it than others: "
        "its scores will be too good. Give others, or train with --set data.part=train, which keeps every tenth apart.",
        stacklevel=2,
    )
    return found, found, split


def _read(recipe, sources):
    """(names, samples in model range) of sources, among which may be single files."""
    import kerasgan
    from kerasgan.metrics import detection

    names, parts = [], []
    for source in sources:
        with contextlib.ExitStack() as stack:
            where = source
            if os.path.isfile(source) and not source.lower().endswith(_OF_MANY):  # readers take folders of such files
                where = stack.enter_context(tempfile.TemporaryDirectory())
                shutil.copy(source, where)
            dataset = kerasgan.runs.read_whole(recipe, where)
            samples = detection.samples_of(dataset)
        name_of = dataset.item_names or functools.partial("{}, number {}".format, source)
        names += map(name_of, range(len(samples)))
        parts.append(samples)
    return names, parts


def _say(gan, names, parts, quantile, out, maps):
    """Scores samples; prints the strangest, and writes what was asked for."""
    import numpy as np
    import tensorflow as tf

    samples = np.concatenate(parts)
    found = gan.score(tf.data.Dataset.from_tensors(samples), maps=maps is not None)
    known = gan.is_calibrated
    quantiles = found.quantiles if known else np.full(len(samples), np.nan)
    threshold = gan.threshold(quantile) if known else np.inf
    strange = found.scores > threshold
    order = np.argsort(-found.scores, kind="stable")
    for place in order[:_SHOWN]:
        among = f", stranger than {quantiles[place]:.1%} of normal {gan.media.plural}" if known else ""
        print(f"{found.scores[place]:.4g}{among}: {names[place]}")
    if len(samples) > _SHOWN:
        print(f"... and {len(samples) - _SHOWN} less strange.")
    if known:
        print(f"{strange.sum()} of {len(samples)} are stranger than {quantile:.0%} of normal {gan.media.plural}.")
    else:
        print("How strange normal samples are is not known: the training has not ended.")
    if out:
        _write(out, names, found.scores, quantiles, strange)
        print(f"Saved all scores to {out}.")
    if maps:
        for number, (sample, where) in enumerate(zip(gan.media.to_natural(samples), found.maps, strict=True)):
            base = os.path.splitext(os.path.basename(names[number]))[0] or "sample"
            gan.media.save_map(sample, where, pathlib.Path(maps) / f"{number:05}_{base}{gan.media.map_extension}")
        print(f"Saved {len(samples)} maps to {maps}.")


def _write(path, names, scores, quantiles, strange):
    """A CSV file of all scores, in the order of the samples."""
    with files.atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "score", "quantile", "strange"))
        rows = zip(names, scores, quantiles, strange, strict=True)
        writer.writerows(
            (name, f"{score:.6g}", f"{share:.4f}", int(is_strange)) for name, score, share, is_strange in rows
        )


class Scoring(Task):
    """What a `kerasgan.scorer.Scorer` is for."""

    command = score
    verb = "score"
    does = "scores samples by how strange they are"
    starts_from = "samples"
    metrics = ("auc", "average_precision", "f1")
    metrics_help = "of a model that scores auc, average_precision, f1"
    options = ("strange", "key", "quantile")
    score_options = (
        click.Option(["--strange"], help="Of a model that scores: the data's SUBSET, or a path, of strange ones."),
        click.Option(["--key"], help="Of a model that scores: the array of the data."),
        click.Option(
            ["--quantile"], type=SHARE, help="Of a model that scores: share of normal samples to count as such."
        ),
    )
    flags_of_use = "pictures/ -o scores.csv"

    def is_on_page(self, recipe):
        """Pictures can be given to the page; rows of a table and sounds cannot."""
        return not recipe.fitted and "length" not in recipe.model

    def examples(self, gan, count, seed=None):
        """Made-up samples, each followed by what the model makes of it."""
        return gan.beside_reconstructions(gan.made_up(gan.media, count, seed))[:count]

    def finish(self, gan, recipe, source):
        """Calibrates the model on the part of the data that its recipe keeps apart; of others on all, and says so."""
        import kerasgan
        from kerasgan import console

        if recipe.data.get("part") == "train":
            held_back = kerasgan.runs.read_apart(recipe, source, paired=False)
        else:
            held_back = kerasgan.runs.read_whole(recipe, source)
            console.write(
                "No part of the data was kept apart: scores are compared with those of the training's own samples, "
                'which are less strange than others. Train with --set data.part="train" to hold every tenth back.'
            )
        gan.calibrate(held_back)
        return True

    # Scores ----------------------------------------------------------------------------------------------------------

    def evaluate(
        self,
        gan,
        recipe,
        source,
        metrics,
        *,
        subset,
        split,
        model,
        network,
        progress,
        strange=None,
        key=None,
        quantile=0.95,
    ):
        """How well scores tell strange samples from normal ones, by `kerasgan.metrics.detection`.

        Normal samples are those of the source that `subset` and `key` say. Where these are what the model was trained
        on, they are those that the training kept apart. Where the samples of the training are in the source, their
        principal components stand beside the model.

        Args:
            strange: another subset of the source, or a path: samples that are not normal.
            key: name of the samples' array, where it is another than the training's.
            quantile: for F1.
        """
        import kerasgan
        from kerasgan.metrics import detection

        if strange is None:
            raise ValueError(
                "strange is missing: what is not normal, as a subset of the data or a path of its own, such as "
                "--strange broken/."
            )
        if network is not None:
            raise ValueError(f"network={network!r} means nothing for a model that scores; leave it out.")
        normal, training, split = _normal(recipe, source, subset, key, split)
        if os.path.exists(strange):
            strange = kerasgan.runs.read_whole(_of_all(recipe, {}), strange)
        else:
            strange = kerasgan.runs.read_whole(_of_all(recipe, {"subset": strange, "key": key}), source)
        return detection.evaluate(gan, normal, strange, training, metrics, quantile, model=model, split=split)

    # The card --------------------------------------------------------------------------------------------------------

    def show_data(self, gan, recipe, source, count):
        """Of the part of the data that it was not trained on, if there is one."""
        import kerasgan
        from kerasgan.metrics import detection

        apart = kerasgan.runs.read_apart(recipe, source, paired=False)
        samples = detection.samples_of(apart.take(64 * count))
        gan.remember(gan.media.to_natural(samples))

    def sheets_caption(self, gan, seeds, in_columns):
        return "normal samples, each with what the model makes of it", "More of them"

    def call(self, gan, data):
        return f"found = gan.score({gan.media.plural}, maps=True)"


SCORING = Scoring()
