"""`complete`: sketches that begin with what was drawn."""

import os
import random

from absl import flags

from kerasgan import commands, files
from kerasgan.tasks.base import Task

_SIMPLIFY = 2.0  # of `kerasgan.data.sketches`


class Completion(Task):
    """What else a model of sketches is for: its method `complete` goes on from strokes that are given."""

    verb = "complete"
    does = "completes sketches"
    starts_from = "the first strokes of sketches"
    flags_of_use = "drawing.svg -n 9"

    def command(self, words):
        """complete NAME|RUN|FILE DRAWING

        Goes on from what was drawn: makes sketches that begin with the strokes of an SVG file, or of the first line of
        an .ndjson file, with a model of the zoo, of a run folder or a .keras file. A sketch as large as the data's
        would fill the paper of the SVG file but for narrow margins; --size says how large the drawing is meant to be.

        Examples:
          kerasgan complete runs/sketches drawing.svg -n 9 -o completed.svg
          kerasgan complete runs/sketches drawing.svg --size 100 --animated -o drawn.svg
          kerasgan complete runs/sketches drawing.svg --seed 7 -o drawn.webp
        """
        import kerasgan

        values = _flags()
        name, drawing = commands.parse(self.command, values, words, takes=2)
        commands.check_at_least_one(values, "count", "columns")
        if not os.path.exists(drawing):
            raise FileNotFoundError(f"{drawing!r} does not exist; give a drawing, .svg or .ndjson.")
        kerasgan.runs.check_name(name)
        base = os.path.splitext(os.path.basename(drawing))[0]
        path = files.check_output(values.out or f"{base}_completed.svg", name="--out")
        files.check_apart(path, [drawing], name="--out")
        kerasgan.runs.check_outside_data(name, path)

        commands.import_tensorflow()
        simplify = _of_data(name) if values.simplify is None else values.simplify
        lines = kerasgan.data.drawing(drawing, values.size, simplify)
        gan = self.open(name)
        files.check_output(path, gan.media.extensions, name="--out")
        if values.animated:
            gan.media.check_animated(path, name="--animated")
        seed = random.randrange(2**31) if values.seed is None else values.seed
        samples = gan.complete(lines, values.count, seed=seed)
        gan.media.save(samples, path, columns=values.columns, **({"animated": True} if values.animated else {}))
        print(f"Saved {values.count} {gan.media.plural} that begin with {drawing} to {path} (seed {seed}).")


def _flags():
    """The flags of `kerasgan complete`."""
    values = flags.FlagValues()
    flags.DEFINE_integer("count", 9, "How many sketches.", short_name="n", flag_values=values)
    flags.DEFINE_string(
        "out",
        None,
        "File to write; default: the drawing's name with _completed.svg behind.",
        short_name="o",
        flag_values=values,
    )
    flags.DEFINE_float(
        "size", None, "Units of the drawing's longer side; of a whole sketch it is 255.", flag_values=values
    )
    flags.DEFINE_float(
        "simplify",
        None,
        "Units by which lines may be changed to have fewer points; default: as the model's data.",
        flag_values=values,
    )
    flags.DEFINE_integer("seed", None, "The same seed gives the same sketches; default: chosen.", flag_values=values)
    flags.DEFINE_integer("columns", None, "Sketches in a row, where they are laid out.", flag_values=values)
    flags.DEFINE_boolean("animated", False, "Show how the strokes come, one after the other.", flag_values=values)
    return values


def _of_data(name):
    """Units by which the lines of a model's data were changed: of a file, which does not say, the reader's default."""
    import kerasgan

    try:
        return kerasgan.runs.recipe_of(name).data.get("simplify", _SIMPLIFY)
    except ValueError:
        return _SIMPLIFY


COMPLETION = Completion()
