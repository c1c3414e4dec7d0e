"""Scores a zoo entry against its data, and writes the scores with their protocol onto its card.

    python tools/score_entry.py --name dcgan_celeba --data celeba.zip
    python tools/score_entry.py --name dcgan_celeba --data celeba.zip --metrics fid,prdc --network hed_vgg16 --add
    python tools/score_entry.py --name dcgan_celeba --data celeba.zip --truncation 0.25
    python tools/score_entry.py --name pix2pix_map2aerial --data maps.zip --subsets val --run runs/maps
    python tools/score_entry.py --name srgan_x4 --data sets.zip --subsets Set5,Set14 --beside "pixels alone=runs/pixels"

Into `zoo/<name>/` go `scores.json`, which the registry and other tools read, and the section "Scores" of `card.md`.
Without `--data` nothing is scored: the section is written anew from the scores that there are. `--run` is for an entry
whose weights are not shared.
"""

import pathlib
import re
import sys

from absl import app, flags

import kerasgan
from kerasgan import files, metrics, registry, runs

ZOO = pathlib.Path(__file__).resolve().parents[1] / "zoo"
OPTIONS = ("paired", "network", "count", "repeats", "strange", "key")  # arguments of runs.evaluate
SECTION = re.compile(r"^## Scores\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def _count(folder):
    """Of how many samples an entry's precision has been scored: others compare with it only if they are as many."""
    return next(one.n_fake for one in metrics.result.load(folder / registry.SCORES) if one.metric == "precision")


def _second(model):
    """The network to ask besides the usual one, of a GAN of images; else None."""
    gan = runs.load(model, compile=False)
    of_images = isinstance(gan, kerasgan.GAN) and gan.task.scored_as_a_set and gan.media.kind == "image"
    return metrics.features.second(gan.media.shape) if of_images else None


def _protocol(one):
    """What scores replace earlier ones of: the same metric, by the same protocol."""
    return one.metric, one.model, one.feature_network, one.truncation, one.split


def score(name, source, chosen=None, zoo=ZOO, subsets=(None,), run=None, truncation=None, add=False, **arguments):
    """Scores the entry `name`, by default a GAN of images through two networks; returns `kerasgan.metrics.Result`s.

    Args:
        name: of the entry.
        source: the data that it was trained on.
        chosen: metrics, as in `kerasgan.runs.evaluate`.
        zoo: the folder of all entries.
        subsets: parts of the data; None is the recipe's own.
        truncation: of a GAN, a share of its samples to choose from: scores precision and recall with it, beside the
            scores that there are, after which the entry offers `truncation` or refuses it.
        run: the run folder that holds the model; None takes the entry's weights.
        add: whether scores of other protocols, such as on another network, stay beside the new ones.
        arguments: further ones of `kerasgan.runs.evaluate`.

    Raises:
        ValueError, OSError: no such entry, or data or arguments do not fit.
    """
    folder = pathlib.Path(zoo) / name
    card = (folder / "card.md").read_text(encoding="utf-8")
    if not SECTION.search(card):
        raise ValueError(f"{str(folder / 'card.md')!r} has no section '## Scores': publish the entry first.")
    model = name if run is None else run
    if truncation is not None:
        chosen, arguments = "prdc", {**arguments, "truncation": truncation, "count": _count(folder)}
    asked = [{"metrics": chosen}]
    second = _second(model) if chosen is None and "network" not in arguments else None
    if second is not None:
        asked.append({"metrics": "fid,prdc", "network": second})
    found = [
        one
        for own in asked
        for part in subsets
        for one in runs.evaluate(model, source, subset=part, **arguments, **own)
    ]
    if truncation is not None:
        found = [one for one in found if one.model != metrics.result.REAL]  # whose scores are there
    if add or truncation is not None:
        new = {_protocol(one) for one in found}
        kept = metrics.result.load(folder / registry.SCORES)
        found = [one for one in kept if _protocol(one) not in new] + found
    metrics.result.save(found, folder / registry.SCORES)
    write_section(folder)
    return found


def write_section(folder):
    """Writes the section "Scores" of an entry's card from the scores in its folder.

    Raises:
        ValueError, OSError: the entry has no such section, or no scores.
    """
    card = (folder / "card.md").read_text(encoding="utf-8")
    if not SECTION.search(card):
        raise ValueError(f"{str(folder / 'card.md')!r} has no section '## Scores': publish the entry first.")
    found = metrics.result.load(folder / registry.SCORES)
    card = SECTION.sub(lambda _: metrics.result.markdown(found) + "\n\n", card).rstrip() + "\n"
    with files.atomic(folder / "card.md") as temporary:
        temporary.write_text(card, encoding="utf-8")


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        if values.data is None:
            return write_section(pathlib.Path(values.zoo) / values.name)
        found = score(
            values.name,
            values.data,
            values.metrics,
            values.zoo,
            values.subsets or (None,),
            values.run,
            values.truncation,
            values.add,
            beside=dict(pair.split("=", 1) for pair in values.beside) or None,
            **{name: values[name].value for name in OPTIONS if values[name].present},
        )
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"score_entry: error: {error}")
    print(metrics.result.table(found))


if __name__ == "__main__":
    flags.DEFINE_string("name", None, "The zoo entry.", required=True)
    flags.DEFINE_string("data", None, "The data that it was trained on; without it nothing is scored.")
    flags.DEFINE_string("metrics", None, "Metrics, separated by commas; default: the usual ones.")
    flags.DEFINE_boolean("paired", None, "For a translator: whether images of the domains belong together.")
    flags.DEFINE_string("strange", None, "Of a model that scores: the subset, or a path, of strange samples.")
    flags.DEFINE_string("key", None, "Of a model that scores: the array that is scored.")
    flags.DEFINE_string("network", None, "Feature network; default: the best one offline.")
    flags.DEFINE_integer("count", None, "Samples of each kind; default: half of the reals.")
    flags.DEFINE_integer("repeats", 1, "Draws of samples.")
    flags.DEFINE_float("truncation", None, "Adds precision and recall with it to the scores.")
    flags.DEFINE_boolean("add", False, "Keeps scores of other protocols, such as on another network.")
    flags.DEFINE_list("subsets", None, "Parts of the data, such as folders in it; default: the recipe's.")
    flags.DEFINE_multi_string("beside", [], "For a model that upscales: WHAT_IT_IS=RUN, to score on the same images.")
    flags.DEFINE_string("run", None, "The run folder of an entry whose weights are not shared.")
    flags.DEFINE_string("zoo", str(ZOO), "The folder of all entries.")
    app.run(main)
