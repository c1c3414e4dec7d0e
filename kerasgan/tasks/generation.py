"""`generate`: new samples from latents, and classes if there are any."""

import random
import re

import click

from kerasgan import classes, commands, files
from kerasgan.commands import COUNT, PLACE, WORDS, Command
from kerasgan.tasks.base import Task

_ASKS = ("where", "text", "prefix")  # options by which tasks of this verb are told what samples are to be like


@click.command(cls=Command)
@commands.model_argument()
@click.option("--count", "-n", type=COUNT, default=64, help="How many samples.")
@commands.out_option("File to write; default: NAME with its medium's ending.")
@click.option("--seed", type=int, help="The same seed gives the same samples; default: chosen.")
@click.option("--label", type=WORDS, help="Class, or one for each sample, by number or name: 3 or cats,dogs.")
@click.option(
    "--where",
    multiple=True,
    help="Of a table: rows with COLUMN=VALUE, COLUMN=LEAST..MOST or COLUMN>=VALUE; several may be given.",
)
@click.option("--text", multiple=True, help="Of images of texts: what they are to show, or a text for each.")
@click.option("--prefix", help="Of texts: what all of them begin with.")
@click.option(
    "--truncation",
    type=float,
    help="Lower is more typical: share of the samples to choose the best from; of StyleGAN2, of the way from the mean.",
)
@click.option("--latents", type=PLACE, help="Latents of samples to make again, as --save_latents wrote them.")
@click.option("--save_latents", type=PLACE, help="File to keep the samples' latents in, .npz.")
@click.option(
    "--edit", "edits", multiple=True, help="Moves along a named direction, NAME=STRENGTH, in standard deviations."
)
@click.option("--columns", type=COUNT, help="Samples in a row, where they are laid out.")
@click.option("--animated", is_flag=True, help="Show how samples come about: strokes of sketches.")
@commands.trust_option
@click.pass_context
def generate(context, name, count, out, seed, label, latents, save_latents, edits, columns, animated, **asked):
    """Makes new samples.

    The model is a pretrained one, that of a run folder or a .keras file.

    Examples:
      kerasgan generate dcgan_celeba -n 64 -o faces.png
      kerasgan generate r3gan_celeba -n 16 --seed 7 --truncation 0.25 -o same_faces.png
      kerasgan generate cgan_fashion_mnist -n 8 --label 7 -o sneakers.png
      kerasgan generate cgan_fashion_mnist -n 2 --label Coat,Bag -o dressed.png
      kerasgan generate dcgan_celeba -n 8 --seed 7 --edit smile=2 -o smiling.png
      kerasgan generate runs/my_photos -o new_photos.png
      kerasgan generate runs/sketches -n 16 --animated -o drawn.svg
      kerasgan generate ctgan_adult -n 1000 --where "income=>50K" -o people.csv
      kerasgan generate runs/words -n 40 --prefix un -o words.txt
      kerasgan generate runs/birds -n 8 --text "a yellow bird with black wings" -o birds.png
    """
    import kerasgan

    if out is None:
        files.check_folder(".", name="--out")
    else:
        files.check_output(out, name="--out")
    edits = [_edit(text) for text in edits]
    if latents is not None:
        return _decode(context, name, latents, edits, out, columns)
    if save_latents is not None:
        files.check_output(save_latents, (".npz",), name="--save_latents")
    kerasgan.runs.check_name(name)
    if label is not None and (known := kerasgan.runs.class_names(name)) is not None:
        class_numbers(label, known)

    commands.import_tensorflow()
    gan = GENERATION.open(name)
    media = gan.media
    path = place(name, out, media)
    if animated:
        media.check_animated(path, name="--animated")
    truncation = asked.pop("truncation")
    wanted = gan.task.wanted(gan, {option: value for option, value in asked.items() if value})
    seed = random.randrange(2**31) if seed is None else seed
    labels = None if label is None else class_numbers(label, gan.class_names)
    options = {"labels": labels, "seed": seed, "truncation": truncation, **wanted}
    if edits or save_latents is not None:
        samples, drawn = gan.generate(count, return_latents=True, **options)
        if edits:
            drawn = _edited(gan, drawn, edits)
            samples = gan.decode(drawn, truncation=truncation if gan.truncation_moves else None)
        if save_latents is not None:
            print(f"Saved their latents to {drawn.save(save_latents)}.")
    else:
        samples = gan.generate(count, **options)
    media.save(samples, path, columns=columns, **({"animated": True} if animated else {}))
    print(f"Saved {media.counted(count)} to {path} (seed {seed}).")


def place(name, out, media, suffix=""):
    """The path of the file to write.

    Args:
        name: of the model.
        out: what `--out` says, or None.
        media: the kind of sample, or its class.
        suffix: of the file's name, where `out` does not say it.
    """
    import kerasgan

    path = out or f"{kerasgan.runs.called(name)}{suffix}{media.extension}"
    path = files.check_output(path, media.extensions, name="--out")
    kerasgan.runs.check_outside_data(name, path)
    return path


def class_numbers(words, class_names):
    """The number of the class that `--label` says, or of several. A number that is the name of a class is a name."""
    named = [word in class_names or (class_names and not re.fullmatch(r"[+-]?\d+", word)) for word in words]
    numbers = [
        classes.number_of(word, class_names) if name else commands.whole("--label", word)
        for word, name in zip(words, named, strict=True)
    ]
    return numbers[0] if len(numbers) == 1 else numbers


def _edit(text):
    """(name, strength) of what `--edit` says."""
    name, equals, strength = text.rpartition("=")
    try:
        if name:
            return name, float(strength)
        raise ValueError
    except ValueError:
        raise click.BadParameter(f"{text!r}: expected NAME=STRENGTH, such as smile=2.", param_hint="'--edit'") from None


def _edited(gan, latents, edits):
    """Latents that have been moved."""
    for name, strength in edits:
        latents = gan.edit(latents, name, strength)
    return latents


def _decode(context, name, latents, edits, out, columns):
    """`kerasgan generate --latents`: the samples of latents that were kept."""
    import kerasgan
    from kerasgan.latents import Latents

    drawing = ("count", "seed", "label", "save_latents", "animated", *_ASKS)
    if others := commands.given(context, drawing):
        raise ValueError(f"--{min(others)}: with --latents nothing is drawn; leave it out.")
    kept = Latents.load(latents)
    kerasgan.runs.check_name(name)
    commands.import_tensorflow()
    gan = GENERATION.open(name)
    path = place(name, out, gan.media)
    files.check_apart(path, [latents], name="--out")
    kept = _edited(gan, kept, edits)
    gan.media.save(gan.decode(kept, truncation=context.params["truncation"]), path, columns=columns)
    print(f"Saved {gan.media.counted(len(kept))} of {latents} to {path}.")


class Generation(Task):
    """What a `kerasgan.GAN` is for."""

    command = generate
    verb = "generate"
    hub_pipelines = {"image": "unconditional-image-generation"}
    does = "makes samples from latents"
    starts_from = "latents"
    makes_new_samples = True
    shows_nearest = True
    scored_as_a_set = True
    metrics_help = (
        "fid, kid, prdc (these by default), memorization, is, understood, confidence, swd, ms_ssim, ppl, cas; of music "
        "empty_bars, pitch_classes, qualified_notes, polyphony, tonal_distance (by default), nearest_bar; of volumes "
        "occupancy, connected, mirror, copies, one_nn (by default); of sketches strokes, pen_lifts, endless, "
        "drawings_1nn (by default); of clips motion (by default), moving_digits"
    )
    options = ("count", "seed", "repeats", "truncation", "ema", "floor")
    score_options = (
        click.Option(["--count"], type=COUNT, help="Samples of each kind; default: half of the reals."),
        click.Option(["--seed"], type=int, help="Seed of the samples; default: 0."),
        click.Option(["--repeats"], type=COUNT, help="Draws of samples; several give a deviation."),
        click.Option(["--truncation"], type=float, help="As in generate."),
        click.Option(["--ema/--no_ema"], default=None, help="Samples from the generator's moving average, or not."),
        click.Option(["--floor/--no_floor"], default=None, help="Score real against real, too, or not."),
    )
    flags_of_use = "-n 64 --seed 7"
    asks = ()  # flags of `generate` by which one says what samples are to be like

    @property
    def metrics(self):
        from kerasgan.metrics import METRICS

        return tuple(METRICS)

    def wanted(self, gan, asked):
        """What the flags of `asks` say, as further arguments of `generate`.

        Args:
            gan: the model.
            asked: {flag: what was given}, without those that were not.

        Raises:
            ValueError: it means nothing for such a model, or is not written as it should be.
        """
        for flag, given in asked.items():
            if flag not in self.asks:
                shown = given if isinstance(given, str) else given[0]
                raise ValueError(f"--{flag}={shown} means nothing for a {type(gan).__name__}; leave it out.")
        return {}

    def examples(self, gan, count, seed=None):
        return gan.generate(count, seed=seed)

    def ways(self, gan, count, steps, seed):
        return gan.interpolate(count, steps, seed=seed) if self._from_vectors(gan) else None

    def sweeps(self, gan, count, seed):
        from kerasgan.directions import sweep

        if not self._from_vectors(gan):
            return None
        return sweep(gan, gan.directions(count=min(count, gan.generator.inputs[0].shape[1])), 2, seed)

    def truncations(self, gan, count, seed):
        if not self._from_vectors(gan):
            return None
        return [(value, gan.generate(count, seed=seed, truncation=value)) for value in gan.truncations]

    def mixtures(self, gan, count, seed):
        return gan.mixtures(count, seed)

    @staticmethod
    def _from_vectors(gan):
        return len(gan.generator.inputs[0].shape) == 2

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, **options):
        """Scores samples as a set, by `kerasgan.metrics.evaluate`, whose arguments the options are."""
        import kerasgan
        from kerasgan import metrics as scores
        from kerasgan.metrics import evaluation

        usual = gan.media.default_metrics or ("fid", "kid", "prdc")
        names = evaluation.check_metrics(usual if metrics is None else metrics)
        if {"cas", "understood"} & set(names) and not recipe.data.get("labels"):
            recipe = kerasgan.runs.changed(recipe, {"data.labels": True})
        real = kerasgan.runs.read_whole(recipe, source, subset)
        about = {"network": network, "model": model, "split": split, "progress": progress}
        return scores.evaluate(gan, real, names, **about, **options)

    def sheets_caption(self, gan, seeds, in_columns):
        first, second = seeds
        by_class = ". A class in each column" if in_columns else ""
        return f"the first {gan.media.plural} of seed {first}{by_class}", f"Those of seed {second}"

    def call(self, gan, data):
        return f"samples = gan.generate(16, {'labels=0, ' if gan.num_classes else ''}seed=7)"


GENERATION = Generation()
