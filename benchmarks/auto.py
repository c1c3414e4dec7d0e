"""What `kerasgan train auto` makes of pictures in the time that a person has, beside a plain DCGAN and R3GAN.

    python benchmarks/auto.py --data my_photos/ --minutes 30 --out runs/auto_photos

All three train for as long, by the speed that each has when it begins, at the size that auto chooses; the DCGAN is what
`kerasgan train dcgan` makes. Into the folder goes a sheet of the three, side by side, 6x6 samples of each, which were
not chosen; the table has the Fréchet distance and recall through a network that no contestant has seen. The same
command again goes on where it stopped.
"""

import dataclasses
import pathlib

import numpy as np
from absl import app, flags
from short_recipes import CONTESTANTS

import kerasgan
from kerasgan import auto, metrics, registry, runs
from kerasgan.data.looking import look

DATA = flags.DEFINE_string("data", None, "Pictures: a folder, a zip, ...", required=True)
OUT = flags.DEFINE_string("out", None, "Folder of the runs and the sheet.", required=True)
MINUTES = flags.DEFINE_float("minutes", 30.0, "Training time of each.")
ONLY = flags.DEFINE_list("only", None, "Some of auto, dcgan and r3gan.")
COUNT = flags.DEFINE_integer("count", 2000, "Samples of a score, at most as many as there are pictures.")
SEED = flags.DEFINE_integer("seed", 1, "Seed of the trainings and the samples.")
SIDE = 6  # samples along each side of a sheet
_GAP = 8  # pixels between sheets


def contestants():
    """{name: recipe} for the pictures, all of one size, schedules in shares of the training."""
    seen = look(DATA.value)
    planned, reasons = auto.plan(seen)
    print(*reasons, sep="\n", flush=True)
    own = {one.name: one for one in CONTESTANTS}["r3gan"]
    shaped = {name: planned.data[name] for name in ("size", "channels")}
    changes = {f"data.{name}": value for name, value in shaped.items()}
    found = {
        "auto": planned,
        "dcgan": runs.changed(registry.resolve("dcgan"), changes),
        "r3gan": dataclasses.replace(own, data=planned.data),
    }
    return {name: dataclasses.replace(found[name], seed=SEED.value, dtype="auto") for name in ONLY.value or found}


def score(folder, gan):
    """(Name of the network, Fréchet distance, recall) of a run, through the second network where there is one."""
    network = metrics.features.second(gan.media.shape)
    results = runs.evaluate(folder, DATA.value, "fid,prdc", network=network, count=COUNT.value, floor=False)
    of = {one.metric: one for one in results}
    return of["fid"].feature_network, of["fid"].value, of["recall"].value


def side_by_side(sheets):
    """One picture of several of the same size, with a white gap between them."""
    gap = np.full((len(sheets[0]), _GAP, sheets[0].shape[2]), 255, "uint8")
    parts = [part for one in sheets for part in (gap, one)][1:]
    return np.concatenate(parts, axis=1)


def main(_):
    out = pathlib.Path(OUT.value)
    rows, sheets = [], []
    for name, recipe in contestants().items():
        gan = runs.train(recipe, DATA.value, out / name, follow_data=True, duration=MINUTES.value)
        network, distance, recall = score(out / name, gan)
        rows.append(f"| `{name}` | {int(gan.samples_seen):,} | {distance:.1f} | {recall:.3f} |")
        sheets.append(gan.media.sheet(gan.generate(SIDE**2, seed=SEED.value), columns=SIDE))
    whole, path = side_by_side(sheets), out / "sheet.png"
    kerasgan.media.Image(whole.shape).save(whole[None], path)
    print(f"\nSide by side in {path}; {MINUTES.value:g} minutes each.\n")
    print(f"| | images | Fréchet distance, {network} | recall |\n| --- | --- | --- | --- |", *rows, sep="\n")


if __name__ == "__main__":
    app.run(main)
