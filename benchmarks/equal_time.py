"""How good each way to train is after the same time, on one set of pictures: quality against minutes.

    python benchmarks/equal_time.py --data celeba.zip --crop 4,18,80,80 --minutes 30 --out runs/equal
    python benchmarks/equal_time.py --data sprites/ --size 32 --channels 4 --only dcgan,fastgan --out runs/sprites

First all take turns of some seconds, which tells how fast each is beside the others: a machine that becomes slower for
a while slows all of them. What a contestant sees in so many minutes at that speed is the length of its training, with
its schedules over that length; how busy the machine is then makes no difference. Scores are those of its end, through
two networks that no contestant has seen. The same command again goes on where it stopped.
"""

import dataclasses
import json
import pathlib
import statistics

import turns
from absl import app, flags
from short_recipes import CONTESTANTS

import kerasgan
from kerasgan import files, runs, schedules

DATA = flags.DEFINE_string("data", None, "Images: a folder, a zip, ...", required=True)
OUT = flags.DEFINE_string("out", None, "Folder of the speeds, the runs and their scores.", required=True)
SIZE = flags.DEFINE_integer("size", 64, "Height and width of the images.")
CHANNELS = flags.DEFINE_integer("channels", 3, "Of the images.")
CROP = flags.DEFINE_list("crop", None, "Box left,top,width,height that is cut out first.")
FLIP = flags.DEFINE_boolean("flip", True, "Whether images are mirrored at random.")
MINUTES = flags.DEFINE_float("minutes", 30.0, "Training time of each.")
ONLY = flags.DEFINE_list("only", None, "Some of the contestants.")
ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns in which speeds are measured.")
TURN = flags.DEFINE_float("turn", 10.0, "Seconds of a turn.")
COUNT = flags.DEFINE_integer("count", 2000, "Samples of a score.")
DTYPE = flags.DEFINE_string("dtype", "float32", "Number format of all.")
SEED = flags.DEFINE_integer("seed", 0, "Seed of weights, data and samples.")
NETWORKS = ("efficientnet_lite0", "hed_vgg16")


def contestants():
    """The recipes, for the images that the flags describe."""
    known = {one.name: one for one in CONTESTANTS}
    crop = {} if CROP.value is None else {"crop": [int(edge) for edge in CROP.value]}
    data = {"reader": "images", "size": SIZE.value, "channels": CHANNELS.value, "flip": FLIP.value, **crop}
    shape = [SIZE.value, SIZE.value, CHANNELS.value]
    return [
        dataclasses.replace(
            known[name],
            model={"image_shape": shape, **known[name].model},
            data=data,
            seed=SEED.value,
            dtype=DTYPE.value,
        )
        for name in ONLY.value or known
    ]


def speeds(recipes, data):
    """{name: images a second}, the median of its turns."""
    import tensorflow as tf

    def turn(recipe):
        gan = kerasgan.registry.build(dataclasses.replace(recipe, compile=schedules.stretched(recipe.compile, 1e6)))
        size = recipe.batch_size * gan.batches_per_step
        batches, step = iter(data.rebatched(size).endless(0, seed=0)), tf.function(gan.train_step)

        def once():
            float(step(next(batches))["generator_loss"])  # waits for the step

        turns.warm_up([once])
        return lambda seconds: size * turns.burst(once, seconds)

    rates = turns.measure({recipe.name: turn(recipe) for recipe in recipes}, ROUNDS.value, TURN.value)
    return {name: statistics.median(values) for name, values in rates.items()}


def of_length(recipe, speed, data):
    """The recipe with the epochs that it trains in the time, at least one."""
    samples_of_epoch = data.count // recipe.batch_size * recipe.batch_size
    epochs = max(1, round(60 * MINUTES.value * speed / samples_of_epoch))
    stretched = schedules.stretched(recipe.compile, epochs * samples_of_epoch)
    return dataclasses.replace(recipe, epochs=epochs, compile=stretched)


def score(folder):
    """The Fréchet distance and recall of a run through each network, as {network: (distance, recall)}."""
    found = {}
    for network in NETWORKS:
        results = runs.evaluate(folder, DATA.value, "fid,prdc", network=network, count=COUNT.value, floor=False)
        of = {one.metric: one.value for one in results}
        found[network] = of["fid"], of["recall"]
    return found


def table(found, measured):
    """Rows of all contestants, in Markdown."""
    heads = [f"{what}, {network}" for network in NETWORKS for what in ("Fréchet distance", "recall")]
    lines = [f"| | images a second | images | {' | '.join(heads)} |", f"| --- | --- | --- |{' --- |' * len(heads)}"]
    for name, (seen, scores) in found.items():
        cells = [f"{distance:.1f} | {recall:.3f}" for distance, recall in scores.values()]
        lines.append(f"| `{name}` | {measured[name]:.0f} | {seen:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(_):
    out = pathlib.Path(OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    recipes = contestants()
    data = runs.read_whole(recipes[0], DATA.value)
    file = out / "speeds.json"
    if not file.exists():
        with files.atomic(file) as temporary:
            temporary.write_text(json.dumps(speeds(recipes, data)))
    measured = json.loads(file.read_text())
    print(json.dumps(measured), flush=True)
    found = {}
    for recipe in recipes:
        folder = out / recipe.name
        gan = runs.train(of_length(recipe, measured[recipe.name], data), DATA.value, folder)
        found[recipe.name] = int(gan.samples_seen), score(folder)
        media = gan.media
        media.save_sheet(gan.preview(64, SEED.value), out / f"{recipe.name}{media.sheet_extension}")
        print(table(found, measured), flush=True)
    print(
        f"\n{SIZE.value}x{SIZE.value}, {DTYPE.value}, {MINUTES.value:g} minutes each; {COUNT.value} samples a score.\n"
    )
    print(table(found, measured))


if __name__ == "__main__":
    app.run(main)
