"""How good rows of tables are after the same time of training: kerasgan's CTGAN and the package `ctgan`, side by side.

    python -m venv other && other/bin/pip install ctgan
    python benchmarks/tables.py --data tabular.zip --minutes 5 --peer_python other/bin/python

Both learn the table of the recipe `ctgan_adult`, in one thread, in batches of 500, each package with its own defaults
otherwise. Time is the processor's, so that other programs on the machine do not count, and fitting
columns does not either. First each is timed for a while, which says how many epochs it has. Then both are trained, and
scored by `kerasgan.metrics.evaluate_tables` on the test set, with the same number of rows. One line a score: real rows,
kerasgan (`--packs` rows judged at a time), `ctgan`, independent columns.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pathlib
import subprocess
import tempfile
import time

import tensorflow as tf
from absl import app, flags

import kerasgan
from kerasgan import registry
from kerasgan.metrics import evaluate_tables, result
from kerasgan.metrics.tables import INDEPENDENT

DATA = flags.DEFINE_string("data", None, "The data of the recipe.", required=True)
MINUTES = flags.DEFINE_float("minutes", 5.0, "Processor time of each training.")
COUNT = flags.DEFINE_integer("count", 10_000, "Rows that are scored.")
SEED = flags.DEFINE_integer("seed", 1, "Of trainings and rows.")
RECIPE = flags.DEFINE_string("recipe", "ctgan_adult", "Whose data and arguments are taken.")
PACKS = flags.DEFINE_list("packs", ["1"], "Rows that the critic of ours judges at a time: a training each.")
PEER = flags.DEFINE_string("peer_python", None, "A Python that has the package ctgan; without it, ours is alone.")
TIMED = 40  # steps of ours that are timed
_NOTHING = "missing"  # the category that the package is given for a missing value
_FIRST = 10  # steps before, in which the graph is made


def ours(recipe, data, seconds, pack):
    """(model after so many seconds of the processor, epochs)."""
    arguments = {**recipe.model, "pack": pack}

    def built(samples):
        model = kerasgan.models.CTGAN(data.fitted, seed=SEED.value, **arguments)
        rate = f"linear(2e-4, 0, {samples}, {samples // 2})" if samples else 2e-4
        model.compile(**{**recipe.compile, "learning_rate": rate})
        return model

    gan = built(0)
    gan.fit(data.endless(0), steps_per_epoch=_FIRST, verbose=0)
    start = time.process_time()
    gan.fit(data.endless(_FIRST), steps_per_epoch=TIMED, verbose=0)
    steps = round(seconds * TIMED / (time.process_time() - start))
    gan = built(steps * recipe.batch_size)
    gan.fit(data.endless(0), steps_per_epoch=steps, verbose=0)
    return gan, steps / int(data.cardinality())


class Rows:
    """Rows that another package has made, with what scores ask of a model."""

    def __init__(self, name, media, rows):
        self.name, self.media, self._rows = name, media, rows

    def generate(self, count, seed=None):
        return self._rows.head(count)


def peers(media, rows, seconds):
    """(rows that the package has made after so many seconds of the processor, epochs)."""
    discrete = [column["name"] for column in media.discrete]
    rows = rows.copy()
    rows[discrete] = rows[discrete].astype(object).fillna(_NOTHING)
    script = pathlib.Path(__file__).with_name("tables_peer.py")
    with tempfile.TemporaryDirectory() as folder:
        table, made = pathlib.Path(folder, "table.csv"), pathlib.Path(folder, "made.csv")
        rows.to_csv(table, index=False)
        words = [PEER.value, script, table, made, seconds, COUNT.value, SEED.value, *discrete]
        done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True)
        found = kerasgan.data.frame(made, missing=(_NOTHING,), fitted=media.fitted)
    return Rows("ctgan", media, found), int(done.stdout.split()[-1])


def main(_):
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    recipe, seconds = registry.resolve(RECIPE.value), 60 * MINUTES.value
    arguments = {name: value for name, value in recipe.data.items() if name != "reader"}
    data = kerasgan.data.table(DATA.value, recipe.batch_size, seed=SEED.value, **arguments)
    known = {**arguments, "fitted": data.fitted}
    known.pop("target", None)
    train, test = (kerasgan.data.frame(DATA.value, **{**known, "part": part}) for part in ("train", "test"))

    contestants = {}
    for pack in map(int, PACKS.value):
        name = f"kerasgan, packs of {pack}"
        gan, epochs = ours(recipe, data, seconds, pack)
        print(f"{name}: {epochs:.0f} epochs in {MINUTES.value:g} minutes", flush=True)
        contestants[name] = gan
    if PEER.value:
        peer, epochs = peers(gan.media, train, seconds)
        print(f"ctgan: {epochs} epochs in as much", flush=True)
        contestants["ctgan"] = peer
    found = {}
    for name, model in contestants.items():
        for one in evaluate_tables(model, train, test, count=COUNT.value, seed=SEED.value, model=name):
            found.setdefault(one.metric.partition(",")[0], {})[one.model] = one.value
    names = [result.REAL, *contestants, INDEPENDENT]
    print(f"| score | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for metric, values in found.items():
        print(f"| {metric} | {' | '.join(f'{values[name]:.3f}' for name in names)} |")


if __name__ == "__main__":
    app.run(main)
