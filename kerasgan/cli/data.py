"""Data for trainings: `simulate`, `convert`."""

import os

import click

from kerasgan import commands, files
from kerasgan.commands import PLACE, SIZE, WORDS, Command


@click.command(cls=Command)
@click.argument("kind", metavar="smoke", type=click.Choice(["smoke"]))
@commands.out_option("The folder.", required=True)
@click.option("--sequences", type=int, default=20, help="How many.")
@click.option("--frames", type=int, default=120, help="Frames of each.")
@click.option("--size", type=int, default=128, help="Cells along each edge.")
@click.option("--seed", type=int, help="Makes them repeatable.")
def simulate(kind, out, sequences, frames, size, seed):
    """Makes data by a simulation.

    They are sequences of smoke that rises in a box, each a .npz file of its density and velocity. Smoke of the same
    seed is the same. Ctrl-C keeps the sequences that are finished.

    Examples:
      kerasgan simulate smoke --out smoke/ --frames 120 --seed 1
      kerasgan simulate smoke --out smoke/ --sequences 4 --frames 60 --size 256
    """
    from kerasgan import simulation

    with commands.stopped_by_ctrl_c("The sequences that are finished are kept."):
        written = simulation.simulate(kind, out, sequences=sequences, frames=frames, size=size, seed=seed)
    print(f"{out} holds {len(written)} sequences of {frames} frames.")


@click.command(cls=Command)
@click.argument("source", metavar="SOURCE", type=PLACE)
@commands.out_option("A name that ends in .zip or .ndjson, or a folder.", required=True)
@click.option("--size", type=SIZE, help="Height and width: 64 or 64x96.")
@click.option("--channels", type=int, default=3, help="Channels: 1 grey, 3 RGB, 4 RGBA.")
@click.option("--crop", type=WORDS, default=["center"], help="center, pad or LEFT,TOP,WIDTH,HEIGHT in the source.")
@click.option("--filter", default="bicubic", help="bicubic, lanczos, bilinear or box.")
@click.option("--labels", is_flag=True, help="Keep classes, such as sub-folders.")
@click.option("--subset", help="Part: a folder inside, a split, or ARRAY=VALUE.")
@click.option("--key", help="Name of the images, where the source has several arrays.")
@click.option("--data_dir", type=PLACE, help="Where tensorflow-datasets keeps its data.")
@click.option("--download", is_flag=True, help="Let tensorflow-datasets download.")
@click.option("--shard_mb", type=float, default=128, help="Megabytes of a shard.")
@click.option(
    "--trust",
    is_flag=True,
    help="Unpickle SOURCE, which runs whatever is in it: for sketches of people you trust, to .ndjson.",
)
@click.pass_context
def convert(context, source, out, size, crop, trust, **options):
    """Crops and resizes images once.

    Makes a zip of PNG files or a folder of TFRecord shards from any source of images, with the pixels that training
    would read: once instead of in every epoch. The same command again goes on where it stopped. With --trust,
    writes sketch-rnn's pickled .npz files as .ndjson, which is read without running anything.

    Examples:
      kerasgan convert my_photos/ --out photos64.zip --size 64
      kerasgan convert my_photos/ --out photos128/ --size 128 --filter lanczos --labels
      kerasgan convert tfds:celeb_a --out faces/ --size 64 --crop 0,20,178,178
      kerasgan convert sheep.npz --trust --out sheep.ndjson --subset train
    """
    if out.lower().endswith(".ndjson"):
        others = commands.given(context, ("size", "crop", *(option for option in options if option != "subset")))
        return _convert_sketches(source, out, options["subset"], trust, others)
    if trust:
        raise ValueError("--trust is for sketches, where --out ends in .ndjson; leave it out.")
    if size is None:
        raise ValueError("--size is missing. Example: kerasgan convert my_photos/ --out photos64.zip --size 64")
    crop = crop[0] if len(crop) == 1 else [commands.whole("--crop", edge) for edge in crop]
    commands.check_there(source)
    if out.lower().endswith(".zip"):
        files.check_output(out, name="--out")
    else:
        files.check_folder(out, name="--out")
    commands.import_tensorflow()
    from kerasgan.convert import convert as run

    with commands.stopped_by_ctrl_c("What is finished is kept; the same command goes on from there."):
        count = run(source, out, size, crop=crop, **options)
    print(f"{out} holds {count} images.")


def _convert_sketches(source, out, subset, trust, others):
    if others:
        named = ", ".join(f"--{option}" for option in others)
        raise ValueError(f"{named}: for images; leave it out where --out ends in .ndjson.")
    if not os.path.exists(source):
        raise FileNotFoundError(f"{source!r} does not exist; give a .npz file of sketches.")
    files.check_output(out, (".ndjson",), name="--out")
    if trust:
        print(f"Unpickling {source}, which runs whatever is in it: --trust says that you know where it comes from.")
    commands.import_tensorflow()
    from kerasgan.data.pickled import to_ndjson

    counts = to_ndjson(source, out, subset, trust)
    parts = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{out} holds {sum(counts.values())} sketches: {parts}.")
