"""`complete`: sketches that begin with what was drawn."""

import os
import random

import click

from kerasgan import commands, files
from kerasgan.commands import COUNT, PLACE, Command
from kerasgan.tasks.base import Task

_SIMPLIFY = 2.0  # of `kerasgan.data.sketches`


@click.command(cls=Command)
@commands.model_argument()
@click.argument("drawing", metavar="DRAWING", type=PLACE)
@click.option("--count", "-n", type=COUNT, default=9, help="How many sketches.")
@commands.out_option("File to write; default: the drawing's name with _completed.svg behind.")
@click.option("--size", type=float, help="Units of the drawing's longer side; of a whole sketch it is 255.")
@click.option(
    "--simplify",
    type=float,
    help="Units by which lines may be changed to have fewer points; default: as the model's data.",
)
@click.option("--seed", type=int, help="The same seed gives the same sketches; default: chosen.")
@click.option("--columns", type=COUNT, help="Sketches in a row, where they are laid out.")
@click.option("--animated", is_flag=True, help="Show how the strokes come, one after the other.")
@commands.trust_option
def complete(name, drawing, count, out, size, simplify, seed, columns, animated):
    """Goes on from what was drawn.

    Makes sketches that begin with the strokes of an SVG file, or of the first line of an .ndjson file. The model is
    a pretrained one, that of a run folder or a .keras file. A sketch as large as the data's would fill the paper of
    the SVG file but for narrow margins; --size says how large the drawing is meant to be.

    Examples:
      kerasgan complete runs/sketches drawing.svg -n 9 -o completed.svg
      kerasgan complete runs/sketches drawing.svg --size 100 --animated -o drawn.svg
      kerasgan complete runs/sketches drawing.svg --seed 7 -o drawn.webp
    """
    import kerasgan

    commands.check_there(drawing, "a drawing, .svg or .ndjson")
    kerasgan.runs.check_name(name)
    base = os.path.splitext(os.path.basename(drawing))[0]
    path = files.check_output(out or f"{base}_completed.svg", name="--out")
    files.check_apart(path, [drawing], name="--out")
    kerasgan.runs.check_outside_data(name, path)

    commands.import_tensorflow()
    simplify = _of_data(name) if simplify is None else simplify
    lines = kerasgan.data.drawing(drawing, size, simplify)
    gan = COMPLETION.open(name)
    files.check_output(path, gan.media.extensions, name="--out")
    if animated:
        gan.media.check_animated(path, name="--animated")
    seed = random.randrange(2**31) if seed is None else seed
    samples = gan.complete(lines, count, seed=seed)
    gan.media.save(samples, path, columns=columns, **({"animated": True} if animated else {}))
    print(f"Saved {gan.media.counted(count)} going on from {drawing} to {path} (seed {seed}).")


def _of_data(name):
    """Units by which the lines of a model's data were changed: of a file, which does not say, the reader's default."""
    import kerasgan

    try:
        return kerasgan.runs.recipe_of(name).data.get("simplify", _SIMPLIFY)
    except ValueError:
        return _SIMPLIFY


class Completion(Task):
    """What else a model of sketches is for: its method `complete` goes on from strokes that are given."""

    command = complete
    verb = "complete"
    does = "completes sketches"
    starts_from = "the first strokes of sketches"
    flags_of_use = "drawing.svg -n 9"


COMPLETION = Completion()
