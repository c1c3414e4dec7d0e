"""`train`: into a run folder."""

import dataclasses
import json
import re

import click

from kerasgan import auto, commands, files, registry, runs, trust
from kerasgan.commands import COUNT, PLACE, SIZE, WORDS, Command

OF_DATA = ("channels", "length", "sample_rate", "labels")  # options that are arguments of readers
_MOST_MINUTES = 1_000_000


@click.command(cls=Command)
@commands.model_argument("auto|NAME|TYPE|RUN", types=True)
@click.option("--data", type=PLACE, required=True, help="The data: a folder, a zip, an .npz file, tfds:NAME, ...")
@commands.out_option("The run folder.", required=True)
@click.option("--finetune", is_flag=True, help="Start from the trained weights of NAME or RUN.")
@click.option("--minutes", type=float, help="How long a training of auto or of a TYPE is to take; auto: 120.")
@click.option("--epochs", type=COUNT, help="Passes over the data; a larger number prolongs a run.")
@click.option("--batch_size", type=COUNT, help="Samples in a batch.")
@click.option("--size", type=SIZE, help="Height and width of samples that have them: 64 or 64x96.")
@click.option("--channels", type=int, help="Of images: 1 grey, 3 RGB, 4 RGBA; of sounds 1 or 2.")
@click.option("--length", type=int, help="Samples of a sound.")
@click.option("--sample_rate", type=int, help="Of sounds, in Hz.")
@click.option("--labels/--no_labels", default=None, help="Use the data's classes, such as sub-folders.")
@click.option(
    "--dtype", help="float32, mixed_bfloat16, mixed_float16 or auto, what suits the device: the default for a TYPE."
)
@click.option("--seed", type=int, help="Seed of the training.")
@click.option("--set", "settings", multiple=True, help="Any other value of the recipe, FIELD.ARGUMENT=VALUE.")
@click.option("--limit_steps", type=COUNT, help="Stop after so many steps: a trial.")
@click.option("--checkpoint_minutes", type=float, help="Between two checkpoints; default: 5.")
@click.option("--score", type=WORDS, default=[], help="Scores on the data while training, such as fid,kid.")
@click.option("--score_every", type=COUNT, default=5, help="Epochs between two scores.")
@click.option("--tensorboard", is_flag=True, help="Write event files for TensorBoard.")
@click.option(
    "--rollback",
    type=click.IntRange(min=0),
    default=0,
    help="How many times a collapsed training may go back to its last healthy model.",
)
@click.option("--callback", "callbacks", multiple=True, help="A Keras callback, PACKAGE.MODULE:CLASS.")
@click.option("--devices", help="How many GPUs to train on; default: all.")
@click.option("--workers", type=WORDS, help="Machines that train together, HOST:PORT,HOST:PORT.")
@click.option("--worker", type=int, help="Place of this machine in --workers, from 0 on.")
@commands.trust_option
@click.pass_context
def train(context, name, data, out, finetune, minutes, callbacks, devices, workers, worker, **options):
    """Trains a GAN into a run folder.

    As suits your pictures and the time you have (auto), exactly by the recipe of a pretrained model or of another
    run, or, for a TYPE, by that type's own defaults with the shape of samples and the classes taken from the data.
    With --finetune, starts from the trained weights instead of from scratch. The same command again goes on where
    it stopped; Ctrl-C saves.

    Examples:
      kerasgan train auto --data my_photos/ --out runs/photos --minutes 30
      kerasgan train dcgan_celeba --data celeba.zip --out runs/faces
      kerasgan train dcgan_celeba --finetune --data my_photos/ --out runs/my_photos
      kerasgan train dcgan --data my_icons/ --size 32 --channels 4 --out runs/icons
      kerasgan train cgan --data folder_with_a_folder_for_each_class/ --out runs/classes
      kerasgan train wavegan --data drums/ --length 16384 --sample_rate 16000 --out runs/drums
      kerasgan train dcgan --data my_photos/ --set compile.loss=hinge --set model.width=32 --out runs/hinge
    """
    files.check_folder(out, name="--out")
    is_type = name in (auto.NAME, *registry.TYPES)
    _check_minutes(name, minutes, options["epochs"], is_type)
    if is_type and finetune:
        raise ValueError(f"--finetune: {name!r} is a type and has no weights; give a pretrained model or a run folder.")
    changes = changes_of(options)
    recipe = None if name == auto.NAME else runs.recipe_of(name)
    if finetune:
        runs.check_name(name)
        recipe = runs.for_other_data(recipe)
    if recipe is None or ":" not in recipe.data.get("reader", ""):  # a reader of one's own may take anything
        commands.check_there(data)
    if name == auto.NAME:
        recipe = _planned(data)
    recipe = runs.changed(_for_reader(recipe, changes), changes)
    reshaped = any(options[option] is not None for option in ("size", *OF_DATA))
    devices = devices if devices in (None, "all") else commands.whole("--devices", devices)
    commands.import_tensorflow(devices=False)
    from kerasgan import distribution

    gan = runs.train(
        recipe,
        data,
        out,
        follow_data=is_type or (reshaped and not finetune),
        initial=name if finetune else None,
        epochs=options["epochs"],
        limit_steps=options["limit_steps"],
        minutes=options["checkpoint_minutes"],
        score=options["score"],
        score_every=options["score_every"],
        tensorboard=options["tensorboard"],
        strategy=distribution.strategy(devices, workers, worker),
        watchers=[_callback(path, out) for path in callbacks],
        rollback=options["rollback"],
        duration=auto.MINUTES if name == auto.NAME and minutes is None else minutes,
        command=context.obj,
    )
    use = gan.task.use(out)
    print(f"Done. Everything is in {out}{f'; use it with: {use}' if use else '.'}")


def _planned(data):
    """The recipe that suits pictures; says why."""
    commands.import_tensorflow(devices=False)
    from kerasgan.data.looking import look

    recipe, reasons = auto.plan(look(data))
    print(*reasons, sep="\n")
    return recipe


def _check_minutes(name, minutes, epochs, is_type):
    """Raises a ValueError for a time that a training cannot be fitted to."""
    if name == auto.NAME and epochs is not None:
        raise ValueError("--epochs: how long auto trains is said by --minutes.")
    if minutes is None:
        return
    if not is_type:
        raise ValueError("--minutes: a recipe has its own length; it is for auto and for a TYPE. For less: --epochs")
    if epochs is not None:
        raise ValueError("--minutes and --epochs were given: leave one of them out.")
    if not 1 <= minutes <= _MOST_MINUTES:
        raise ValueError(
            f"--minutes is {minutes:g}; expected 1 (too little for good samples; 30 shows something) to "
            f"{_MOST_MINUTES:,}."
        )


def changes_of(options):
    """What options of `train` change in a recipe, as {"field" or "field.argument": value}."""
    changes = {option: options[option] for option in ("batch_size", "dtype", "seed")}
    changes |= {f"data.{option}": options[option] for option in ("size", *OF_DATA)}
    for change in options["settings"]:
        name, equals, value = change.partition("=")
        if not equals or not re.fullmatch(r"(model|compile|data)\.\w+", name):
            raise ValueError(
                f"--set {change!r}: expected model.ARGUMENT=VALUE, compile.ARGUMENT=VALUE or data.ARGUMENT=VALUE."
            )
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value  # a word needs no quotes
    return {name: value for name, value in changes.items() if value is not None}


def _for_reader(recipe, changes):
    """The recipe without the arguments of its reader where another one is asked for, which has its own."""
    other = changes.get("data.reader", recipe.data.get("reader")) != recipe.data.get("reader")
    return dataclasses.replace(recipe, data={}) if other else recipe


def _callback(path, folder):
    """The callback "package.module:Class", made without arguments, or with the run folder if it takes a `folder`.

    Raises:
        ValueError: there is no such class, or it cannot be made in this way.
    """
    import inspect

    try:
        callback_class = trust.named(path)
        takes_folder = "folder" in inspect.signature(callback_class).parameters
        return callback_class(**({"folder": folder} if takes_folder else {}))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"--callback {path!r} cannot be made ({error}); give PACKAGE.MODULE:CLASS of a Keras callback that takes "
            "no arguments, or only the folder."
        ) from error
