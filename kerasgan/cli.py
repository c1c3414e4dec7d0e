"""The `kerasgan` command.

A command is one function that takes the words after its name and may return an exit code; its docstring is its help
(the words it takes, what it does, examples). The verbs of models are commands of their tasks (`kerasgan.tasks`); all
others are here, and a new one is such a function and one line at the end. TensorFlow is imported only by commands that
need it, after everything that can be checked without it.
"""

import dataclasses
import difflib
import os
import re
import shlex
import sys
import textwrap
import warnings

from absl import flags

import kerasgan
from kerasgan import auto, commands, console, files, registry, runs, tasks, trust

_OF_DATA = ("channels", "length", "sample_rate", "labels")  # flags of `train` that are arguments of readers
_MOST_MINUTES = 1_000_000
_INTERRUPTED = 130  # the exit code that shells give to what Ctrl-C ended


def list_models(words):
    """list

    Lists the pretrained models: what they make, the data they learned from, its licence, the size of the download.
    Names of recipes without weights follow: they are for `kerasgan train`.

    Examples:
      kerasgan list
    """
    values = flags.FlagValues()
    commands.parse(list_models, values, words, takes=0)
    rows = [("NAME", "MAKES", "DATA", "LICENCE", "SIZE")]
    for name in registry.list_models():
        recipe = registry.get(name)
        rows.append((name, recipe.makes, recipe.data_name, recipe.license, _size(recipe)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if registry.RECIPES:
        print(f"\nWithout weights, for kerasgan train: {', '.join(registry.RECIPES)}")


def describe(words):
    """describe NAME|RUN

    Prints the card of a pretrained model: samples, scores, how it was trained, licences. Of a run folder, what is known
    of its model and its data.

    Examples:
      kerasgan describe dcgan_celeba
      kerasgan describe runs/my_photos
    """
    values = flags.FlagValues()
    (name,) = commands.parse(describe, values, words)

    print(runs.describe(name).rstrip())


def train(words):
    """train auto|NAME|TYPE|RUN --data PATH --out RUN

    Trains a GAN into a run folder: as suits your pictures and the time you have (auto), exactly by the recipe of a
    pretrained model or of another run, or, for a TYPE, by that type's own defaults with the shape of samples and the
    classes taken from the data. With --finetune, starts from the trained weights instead of from scratch. The same
    command again goes on where it stopped; Ctrl-C saves.

    Examples:
      kerasgan train auto --data my_photos/ --out runs/photos --minutes 30
      kerasgan train dcgan_celeba --data celeba.zip --out runs/faces
      kerasgan train dcgan_celeba --finetune --data my_photos/ --out runs/my_photos
      kerasgan train dcgan --data my_icons/ --size 32 --channels 4 --out runs/icons
      kerasgan train cgan --data folder_with_a_folder_for_each_class/ --out runs/classes
      kerasgan train wavegan --data drums/ --length 16384 --sample_rate 16000 --out runs/drums
      kerasgan train dcgan --data my_photos/ --set compile.loss=hinge --set model.width=32 --out runs/hinge
    """
    values = flags.FlagValues()
    flags.DEFINE_string("data", None, "The data: a folder, a zip, an .npz file, tfds:NAME, ...", flag_values=values)
    flags.DEFINE_string("out", None, "The run folder.", short_name="o", flag_values=values)
    flags.DEFINE_boolean("finetune", False, "Start from the trained weights of NAME or RUN.", flag_values=values)
    flags.DEFINE_float(
        "minutes", None, "How long a training of auto or of a TYPE is to take; auto: 120.", flag_values=values
    )
    flags.DEFINE_integer("epochs", None, "Passes over the data; a larger number prolongs a run.", flag_values=values)
    flags.DEFINE_integer("batch_size", None, "Samples in a batch.", flag_values=values)
    flags.DEFINE_string("size", None, "Height and width of samples that have them: 64 or 64x96.", flag_values=values)
    flags.DEFINE_integer("channels", None, "Of images: 1 grey, 3 RGB, 4 RGBA; of sounds 1 or 2.", flag_values=values)
    flags.DEFINE_integer("length", None, "Samples of a sound.", flag_values=values)
    flags.DEFINE_integer("sample_rate", None, "Of sounds, in Hz.", flag_values=values)
    flags.DEFINE_boolean("labels", None, "Use the data's classes, such as sub-folders.", flag_values=values)
    flags.DEFINE_string(
        "dtype",
        None,
        "float32, mixed_bfloat16, mixed_float16 or auto, what suits the device: the default for a TYPE.",
        flag_values=values,
    )
    flags.DEFINE_integer("seed", None, "Seed of the training.", flag_values=values)
    flags.DEFINE_multi_string("set", [], "Any other value of the recipe, FIELD.ARGUMENT=VALUE.", flag_values=values)
    flags.DEFINE_integer("limit_steps", None, "Stop after so many steps: a trial.", flag_values=values)
    flags.DEFINE_float("checkpoint_minutes", None, "Between two checkpoints; default: 5.", flag_values=values)
    flags.DEFINE_list("score", [], "Scores on the data while training, such as fid,kid.", flag_values=values)
    flags.DEFINE_integer("score_every", 5, "Epochs between two scores.", flag_values=values)
    flags.DEFINE_boolean("tensorboard", False, "Write event files for TensorBoard.", flag_values=values)
    flags.DEFINE_integer(
        "rollback", 0, "How many times a collapsed training may go back to its last healthy model.", flag_values=values
    )
    flags.DEFINE_multi_string("callback", [], "A Keras callback, PACKAGE.MODULE:CLASS.", flag_values=values)
    flags.DEFINE_string("devices", None, "How many GPUs to train on; default: all.", flag_values=values)
    flags.DEFINE_list("workers", None, "Machines that train together, HOST:PORT,HOST:PORT.", flag_values=values)
    flags.DEFINE_integer("worker", None, "Place of this machine in --workers, from 0 on.", flag_values=values)
    (name,) = commands.parse(train, values, words)
    for flag in ("data", "out"):
        if values[flag].value is None:
            raise ValueError(f"--{flag} is missing. Example: kerasgan train {name} --data my_photos/ --out runs/photos")
    commands.check_at_least_one(values, "epochs", "batch_size", "limit_steps", "score_every")
    if values.rollback < 0:
        raise ValueError(f"--rollback is {values.rollback}; expected 0 (never) or more.")

    files.check_folder(values.out, name="--out")
    is_type = name in (auto.NAME, *registry.TYPES)
    _check_minutes(name, values, is_type)
    if is_type and values.finetune:
        raise ValueError(f"--finetune: {name!r} is a type and has no weights; give a pretrained model or a run folder.")
    if name == auto.NAME:
        commands.import_tensorflow(devices=False)
        from kerasgan.data.looking import look

        recipe, reasons = auto.plan(look(values.data))
        print(*reasons, sep="\n")
    else:
        recipe = runs.recipe_of(name)
    if values.finetune:
        runs.check_name(name)
        recipe = runs.for_other_data(recipe)
    recipe = runs.changed(*_for_reader(recipe, _changes(values)))
    reshaped = any(values[flag].value is not None for flag in ("size", *_OF_DATA))
    devices = values.devices if values.devices in (None, "all") else commands.whole("--devices", values.devices)
    commands.import_tensorflow(devices=False)
    from kerasgan import distribution

    strategy = distribution.strategy(devices, values.workers, values.worker)
    watchers = [_callback(path, values.out) for path in values.callback]
    try:
        gan = runs.train(
            recipe,
            values.data,
            values.out,
            follow_data=is_type or (reshaped and not values.finetune),
            initial=name if values.finetune else None,
            epochs=values.epochs,
            limit_steps=values.limit_steps,
            minutes=values.checkpoint_minutes,
            score=values.score,
            score_every=values.score_every,
            tensorboard=values.tensorboard,
            watchers=watchers,
            strategy=strategy,
            rollback=values.rollback,
            duration=auto.MINUTES if name == auto.NAME and values.minutes is None else values.minutes,
            command=shlex.join(["kerasgan", "train", *words]),
        )
    except runs.Interrupted as stop:
        print(stop)
        return _INTERRUPTED
    use = gan.task.use(values.out)
    print(f"Done. Everything is in {values.out}{f'; use it with: {use}' if use else '.'}")


def _check_minutes(name, values, is_type):
    """Raises a ValueError for a time that a training cannot be fitted to."""
    if name == auto.NAME and values.epochs is not None:
        raise ValueError("--epochs: how long auto trains is said by --minutes.")
    if values.minutes is None:
        return
    if not is_type:
        raise ValueError("--minutes: a recipe has its own length; it is for auto and for a TYPE. For less: --epochs")
    if values.epochs is not None:
        raise ValueError("--minutes and --epochs were given: leave one of them out.")
    if not 1 <= values.minutes <= _MOST_MINUTES:
        raise ValueError(
            f"--minutes is {values.minutes:g}; expected 1 (too little for good samples; 30 shows something) to "
            f"{_MOST_MINUTES:,}."
        )


def augment(words):
    """augment --data LABELLED --out FOLDER|TABLE.md [--gan TYPE|NAME|RUN]

    Makes labelled training data: a GAN that is told the class learns the training part of the data, and writes new
    samples of each class into a folder of its own, where the reader of the data finds them. With --measure, finds out
    instead whether that helps: the table has the accuracy of a classifier on test samples that nothing else has seen,
    with few real samples and many, varied or not, with samples of a GAN and without. The same command again goes on
    where it stopped.

    Examples:
      kerasgan augment --data folder_with_a_folder_for_each_class/ --out more/ --per_class 500
      kerasgan augment --data digits.zip --labels name --out more_digits/ --minutes 60
      kerasgan augment --data clothes.npz --gan cgan_fashion_mnist --out more_clothes/
      kerasgan augment --measure --data clothes.npz --out table.md
      kerasgan augment --measure --data clothes.npz --out table.md --sizes 5,10 --seeds 3 --minutes 2
    """
    values = flags.FlagValues()
    flags.DEFINE_string("data", None, "The data, with classes: a folder of folders, a zip, .npz.", flag_values=values)
    flags.DEFINE_string("out", None, "The folder; of --measure the table, .md.", short_name="o", flag_values=values)
    flags.DEFINE_integer("per_class", 500, "Samples to make of each class.", flag_values=values)
    flags.DEFINE_string("gan", None, "A TYPE to train, or NAME or RUN to take; default: by kind.", flag_values=values)
    flags.DEFINE_float("minutes", None, "To train a GAN; default: 30, of --measure 3 for each.", flag_values=values)
    flags.DEFINE_boolean("all", False, "Learn from all of the data: tests are done elsewhere.", flag_values=values)
    flags.DEFINE_boolean("measure", False, "Find out what the samples are worth.", flag_values=values)
    flags.DEFINE_list("sizes", None, "--measure: real ones a class; default: 5,10,20,50,all.", flag_values=values)
    flags.DEFINE_integer("seeds", 5, "--measure: how many repetitions.", flag_values=values)
    flags.DEFINE_integer("gan_samples", None, "--measure: length of a training, for --minutes.", flag_values=values)
    flags.DEFINE_float("mix", 0.25, "--measure: generated share of a classifier's batch.", flag_values=values)
    flags.DEFINE_boolean("mirror", False, "--measure: mirror images are of the same class.", flag_values=values)
    flags.DEFINE_string(
        "labels", None, "Where the classes are: an array; of sounds name; default: folders.", flag_values=values
    )
    flags.DEFINE_string("size", None, "Height and width of images: 64 or 64x96.", flag_values=values)
    flags.DEFINE_integer("channels", None, "Of images: 1 grey, 3 RGB, 4 RGBA; of sounds 1 or 2.", flag_values=values)
    flags.DEFINE_integer("length", None, "Samples of a sound.", flag_values=values)
    flags.DEFINE_integer("sample_rate", None, "Of sounds, in Hz.", flag_values=values)
    flags.DEFINE_integer("batch_size", None, "Of the GAN.", flag_values=values)
    flags.DEFINE_string("dtype", None, "Of the GAN, as in train.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "Makes training and samples repeatable.", flag_values=values)
    flags.DEFINE_multi_string("set", [], "Any other value, FIELD.ARGUMENT=VALUE, as in train.", flag_values=values)
    commands.parse(augment, values, words, takes=0)
    for flag in ("data", "out"):
        if values[flag].value is None:
            raise ValueError(
                f"--{flag} is missing. Example: kerasgan augment --data LABELLED --out more/ --per_class 500"
            )
    commands.check_at_least_one(values, "per_class", "seeds", "batch_size")
    of_measure = [flag for flag in ("sizes", "seeds", "gan_samples", "mix", "mirror") if values[flag].present]
    if of_measure and not values.measure:
        raise ValueError(f"--{of_measure[0]} is for --measure; leave it out, or add that.")
    changes = {name: value for name, value in _changes(values).items() if name not in ("seed", "data.labels")}
    options = {"gan": values.gan, "labels": values.labels, "minutes": values.minutes, "per_class": values.per_class}
    options |= {"changes": changes, "command": shlex.join(["kerasgan", "augment", *words])}
    return _measure_augmentation(values, options) if values.measure else _make_more(values, options)


def _make_more(values, options):
    """`kerasgan augment` without --measure."""
    from kerasgan import synthetic

    synthetic.making.check(values.data, values.out, values.per_class, values.gan, values.minutes)
    commands.import_tensorflow()
    try:
        made = synthetic.augment(values.data, values.out, everything=values.all, seed=values.seed, **options)
    except runs.Interrupted as stop:
        print(stop)
        return _INTERRUPTED
    except KeyboardInterrupt:
        print("Stopped. Classes that are finished are kept; the same command goes on from there.")
        return _INTERRUPTED
    print(f"Done. {values.out} holds {sum(made.values())} samples of {len(made)} classes, a folder each.")


def _measure_augmentation(values, options):
    """`kerasgan augment --measure`."""
    if values.all:
        raise ValueError("--all: a measurement needs a part to test on; leave it out.")
    from kerasgan import synthetic

    sizes = values.sizes and [None if size == "all" else commands.whole("--sizes", size) for size in values.sizes]
    options |= {"sizes": sizes} | {name: values[name].value for name in ("seeds", "gan_samples", "mix", "mirror")}
    checked = ("sizes", "seeds", "gan", "minutes", "gan_samples", "mix", "per_class")
    synthetic.measuring.check(values.data, values.out, **{name: options[name] for name in checked})
    commands.import_tensorflow()
    try:
        print(synthetic.measure(values.data, values.out, **options).rstrip())
    except KeyboardInterrupt:
        print("Stopped. Results so far are kept; the same command goes on from there.")
        return _INTERRUPTED


def simulate(words):
    """simulate smoke --out FOLDER

    Makes data by a simulation, for kerasgan train: sequences of smoke that rises in a box, each a .npz file of its
    density and velocity. Smoke of the same seed is the same. Ctrl-C keeps the sequences that are finished.

    Examples:
      kerasgan simulate smoke --out smoke/ --frames 120 --seed 1
      kerasgan simulate smoke --out smoke/ --sequences 4 --frames 60 --size 256
    """
    values = flags.FlagValues()
    flags.DEFINE_string("out", None, "The folder.", short_name="o", flag_values=values)
    flags.DEFINE_integer("sequences", 20, "How many.", flag_values=values)
    flags.DEFINE_integer("frames", 120, "Frames of each.", flag_values=values)
    flags.DEFINE_integer("size", 128, "Cells along each edge.", flag_values=values)
    flags.DEFINE_integer("seed", None, "Makes them repeatable.", flag_values=values)
    (kind,) = commands.parse(simulate, values, words)
    if values.out is None:
        raise ValueError("--out is missing. Example: kerasgan simulate smoke --out smoke/ --frames 120 --seed 1")
    from kerasgan import simulation

    options = {name: values[name].value for name in ("sequences", "frames", "size", "seed")}
    try:
        written = simulation.simulate(kind, values.out, **options)
    except KeyboardInterrupt:
        print("Stopped. The sequences that are finished are kept.")
        return _INTERRUPTED
    print(f"{values.out} holds {len(written)} sequences of {values.frames} frames.")


def convert(words):
    """convert SOURCE --out FOLDER|FILE.zip|FILE.ndjson

    Makes a zip of PNG files or a folder of TFRecord shards from any source of images, with the pixels that training
    would read: cropped and resized once instead of in every epoch. The same command again goes on where it stopped.
    With --trust, writes sketch-rnn's pickled .npz files as .ndjson, which is read without running anything.

    Examples:
      kerasgan convert my_photos/ --out photos64.zip --size 64
      kerasgan convert my_photos/ --out photos128/ --size 128 --filter lanczos --labels
      kerasgan convert tfds:celeb_a --out faces/ --size 64 --crop 0,20,178,178
      kerasgan convert sheep.npz --trust --out sheep.ndjson --subset train
    """
    values = flags.FlagValues()
    flags.DEFINE_string(
        "out", None, "A name that ends in .zip or .ndjson, or a folder.", short_name="o", flag_values=values
    )
    flags.DEFINE_string("size", None, "Height and width: 64 or 64x96.", flag_values=values)
    flags.DEFINE_integer("channels", 3, "Channels: 1 grey, 3 RGB, 4 RGBA.", flag_values=values)
    flags.DEFINE_list("crop", ["center"], "center, pad or LEFT,TOP,WIDTH,HEIGHT in the source.", flag_values=values)
    flags.DEFINE_string("filter", "bicubic", "bicubic, lanczos, bilinear or box.", flag_values=values)
    flags.DEFINE_boolean("labels", False, "Keep classes, such as sub-folders.", flag_values=values)
    flags.DEFINE_string("subset", None, "Part: a folder inside, a split, or ARRAY=VALUE.", flag_values=values)
    flags.DEFINE_string("key", None, "Name of the images, where the source has several arrays.", flag_values=values)
    flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.", flag_values=values)
    flags.DEFINE_boolean("download", False, "Let tensorflow-datasets download.", flag_values=values)
    flags.DEFINE_float("shard_mb", 128, "Megabytes of a shard.", flag_values=values)
    flags.DEFINE_boolean("trust", False, _UNPICKLE_HELP, flag_values=values)
    (source,) = commands.parse(convert, values, words)
    if values.out is not None and values.out.lower().endswith(".ndjson"):
        return _convert_sketches(source, values)
    if values.trust:
        raise ValueError("--trust is for sketches, where --out ends in .ndjson; leave it out.")
    for flag in ("out", "size"):
        if values[flag].value is None:
            raise ValueError(f"--{flag} is missing. Example: kerasgan convert my_photos/ --out photos64.zip --size 64")
    size = commands.edges(values.size)
    crop = values.crop[0] if len(values.crop) == 1 else [commands.whole("--crop", edge) for edge in values.crop]
    if not source.startswith("tfds:") and not os.path.exists(os.path.expanduser(source)):
        raise FileNotFoundError(f"{source!r} does not exist; give a folder, a zip or .npz file, or tfds:NAME.")
    if values.out.lower().endswith(".zip"):
        files.check_output(values.out, name="--out")
    else:
        files.check_folder(values.out, name="--out")
    commands.import_tensorflow()
    from kerasgan.convert import convert as run

    options = ("channels", "filter", "labels", "subset", "key", "data_dir", "download", "shard_mb")
    try:
        count = run(source, values.out, size, crop=crop, **{name: values[name].value for name in options})
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; the same command goes on from there.")
        return _INTERRUPTED
    print(f"{values.out} holds {count} images.")


_UNPICKLE_HELP = "Unpickle SOURCE, which runs whatever is in it: for sketches of people you trust, to .ndjson."


def _convert_sketches(source, values):
    meant = ("out", "o", "subset", "trust")
    others = [f"--{flag}" for flag in values if values[flag].present and flag not in meant]
    if others:
        raise ValueError(f"{', '.join(others)}: for images; leave it out where --out ends in .ndjson.")
    if not os.path.exists(source):
        raise FileNotFoundError(f"{source!r} does not exist; give a .npz file of sketches.")
    files.check_output(values.out, (".ndjson",), name="--out")
    if values.trust:
        print(f"Unpickling {source}, which runs whatever is in it: --trust says that you know where it comes from.")
    commands.import_tensorflow()
    from kerasgan.data.pickled import to_ndjson

    counts = to_ndjson(source, values.out, values.subset, values.trust)
    parts = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{values.out} holds {sum(counts.values())} sketches: {parts}.")


def evaluate(words):
    """evaluate NAME|RUN --data PATH

    Scores a model's samples against real ones, and real ones against each other: the floor that perfect samples would
    reach. Every score comes with its protocol, for scores of different protocols do not compare.

    Examples:
      kerasgan evaluate dcgan_celeba --data celeba.zip
      kerasgan evaluate runs/my_photos --data my_photos/ --metrics fid,kid,prdc --count 1000
      kerasgan evaluate cgan_fashion_mnist --data fashion_mnist.npz --repeats 3 -o scores.json
    """
    values = flags.FlagValues()
    flags.DEFINE_string("data", None, "The real samples: a folder, a zip, ... as in training.", flag_values=values)
    known = tasks.every()
    scores = "; ".join(task.metrics_help for task in known if task.metrics_help)
    flags.DEFINE_list("metrics", None, f"Some of {scores}.", flag_values=values)
    flags.DEFINE_string("network", None, "Feature network; default: the best one offline.", flag_values=values)
    flags.DEFINE_string("subset", None, "Part of the data, such as test, or ARRAY=VALUE.", flag_values=values)
    for task in known:
        task.define_score_flags(own := flags.FlagValues())
        commands.add_flags(values, own)
    flags.DEFINE_string(
        "out", None, "JSON file to write; default: evaluation.json in RUN.", short_name="o", flag_values=values
    )
    (name,) = commands.parse(evaluate, values, words)
    if values.data is None:
        raise ValueError(f"--data is missing. Example: kerasgan evaluate {name} --data my_photos/")
    for task in known:
        task.check_score_flags(values)

    path = runs.check_name(name)
    out = values.out or (path / runs.EVALUATION if path.is_dir() and name not in registry.list_models() else None)
    if out is not None:
        files.check_output(out, (".json",), name="--out")
        files.check_apart(out, [path / file for file in runs.NEEDED], name="--out")
        runs.check_outside_data(name, out)
    commands.import_tensorflow()
    from kerasgan import metrics

    options = [option for task in known for option in task.options if option in values]
    options = {option: values[option].value for option in options if values[option].present}
    about = {"subset": values.subset, "network": values.network}
    found = runs.evaluate(name, values.data, values.metrics, **about, **options)
    if out is not None:  # first of all: the work of hours must not be lost if it cannot be shown
        metrics.result.save(found, out)
    print(metrics.result.table(found))
    if out is not None:
        print(f"Saved with the protocol to {out}.")


def report(words):
    """report RUN

    Writes one HTML file about a training, to look at or pass on: samples over time, losses, scores and their protocol,
    ways from one sample to another and, with --data, the real samples that are nearest to new ones.

    Examples:
      kerasgan report runs/my_photos
      kerasgan report runs/my_photos --data my_photos/ -o report.html
    """
    values = flags.FlagValues()
    flags.DEFINE_string("data", None, "The data that it was trained on, for nearest neighbours.", flag_values=values)
    flags.DEFINE_string("network", None, "Feature network; default: the best one offline.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "Seed of the samples.", flag_values=values)
    flags.DEFINE_string(
        "out", None, "HTML file to write; default: report.html in RUN.", short_name="o", flag_values=values
    )
    (folder,) = commands.parse(report, values, words)

    runs.check_run(folder)
    out = files.check_output(values.out or os.path.join(folder, "report.html"), (".html",), name="--out")
    runs.check_outside_data(folder, out)
    commands.import_tensorflow()
    import kerasgan.report

    kerasgan.report.write(folder, out, source=values.data, network=values.network, seed=values.seed)
    print(f"Wrote {out}.")


def export(words):
    """export NAME|RUN|FILE

    Writes the generator as a file that runs without Keras: .tflite for phones and browsers (LiteRT), ONNX or a
    SavedModel. The file is run and held against Keras; one that makes other samples is refused. With --web, writes a
    folder that shows it in a browser, for any host of static files.

    Examples:
      kerasgan export dcgan_celeba
      kerasgan export dcgan_celeba --quantize float16 -o faces.tflite
      kerasgan export runs/my_photos --quantize int8 --latency
      kerasgan export dcgan_celeba --format onnx
      kerasgan export dcgan_celeba --web site/
    """
    values = flags.FlagValues()
    flags.DEFINE_string("format", "tflite", "tflite, onnx or saved_model.", flag_values=values)
    flags.DEFINE_string("quantize", None, "float32, float16, dynamic or int8 (tflite).", flag_values=values)
    flags.DEFINE_string(
        "out",
        None,
        "File or folder to write; default: NAME with the format's ending.",
        short_name="o",
        flag_values=values,
    )
    flags.DEFINE_integer("batch_size", 1, "Samples in one run.", flag_values=values)
    flags.DEFINE_boolean("latency", False, "Measure it, beside Keras.", flag_values=values)
    flags.DEFINE_boolean("overwrite", False, "Replace what is there.", flag_values=values)
    flags.DEFINE_boolean("allow_select_ops", False, "Admit TensorFlow's own operations (tflite).", flag_values=values)
    flags.DEFINE_string("web", None, "Folder to write for a browser, instead of a file.", flag_values=values)
    flags.DEFINE_string("litert", None, _LITERT_HELP, flag_values=values)
    (name,) = commands.parse(export, values, words)
    endings = {"tflite": ".tflite", "onnx": ".onnx", "saved_model": ""}
    if values.format not in endings:
        raise ValueError(f"--format is {values.format!r}; expected one of {', '.join(endings)}.")
    if values.quantize is not None and values.format != "tflite":
        raise ValueError(f"--quantize {values.quantize} is for tflite; leave it out for {values.format}.")
    if values.web is not None and values.out is not None:
        raise ValueError("--web and --out: give one of them, the folder for a browser or the file.")
    if values.batch_size < 1:
        raise ValueError(f"--batch_size is {values.batch_size}; expected 1 or more.")

    from kerasgan import export as exports

    _check_mode(values.quantize)
    runs.check_name(name)
    if values.web is not None:
        return _export_web(name, values)
    mode = f"_{values.quantize}" if values.quantize not in (None, "float32") else ""
    ending = endings[values.format]
    out = exports.check_new(values.out or f"{runs.called(name)}{mode}{ending}", ending, values.overwrite)
    exports.check_installed(values.format)
    commands.import_tensorflow()
    options = {"batch_size": values.batch_size, "overwrite": values.overwrite}
    if values.format == "tflite":
        options |= {"quantize": values.quantize, "allow_select_ops": values.allow_select_ops}
    write = {"tflite": exports.tflite, "onnx": exports.onnx, "saved_model": exports.saved_model}[values.format]
    found = write(name, out, **options)
    found = exports.verify(name, out) if found and values.latency else found
    print(f"{found}\n" if found else "", end="")
    print(f"Wrote {out}, and {out}.json that describes it.")


def _check_mode(quantize):
    from kerasgan import export as exports

    if quantize is not None and quantize not in exports.MODES:
        raise ValueError(f"--quantize is {quantize!r}; expected one of {', '.join(exports.MODES)}.")


def _export_web(name, values):
    _write_page([name], values.web, values, overwrite=values.overwrite)
    print(f"Wrote {values.web}: put the folder on any host of static files. To look at it: kerasgan serve {values.web}")


def _write_page(names, folder, values, overwrite=False):
    """Writes a page with pretrained models and with those of run folders and files, which are exported first.

    What was exported of pretrained models stays in the cache: the next page with them is there at once.
    """
    from kerasgan import export as exports
    from kerasgan.export import cache

    exports.check_page(folder, values.litert, overwrite)
    mode = values.quantize or exports.WEB_MODE
    names = list(dict.fromkeys(names))
    pretrained = [name for name in names if name in registry.list_models()]
    models = {runs.called(name): cache.find(name, mode) if name in pretrained else None for name in names}
    if len(models) < len(names):
        raise ValueError(f"Two of {', '.join(names)} would have one name on the page, that of their folder or file.")
    missing = [name for name in names if models[runs.called(name)] is None]
    kept = f"; the pretrained ones are kept in {cache.folder()}" if {*missing} & {*pretrained} else ""
    with cache.scratch() as temporary:
        for number, name in enumerate(missing, 1):
            print(f"Exporting {name} ({number} of {len(missing)}{kept if number == 1 else ''}) ...", flush=True)
            commands.import_tensorflow()
            if name in pretrained:
                models[name] = cache.export(name, mode, temporary)
            else:
                models[runs.called(name)] = os.path.join(temporary, f"{runs.called(name)}.tflite")
                exports.tflite(name, models[runs.called(name)], mode)
        return exports.web(models, folder, litert=values.litert, overwrite=overwrite)


def publish(words):
    """publish RUN|NAME --to hf://USER/MODEL

    Publishes a trained model: weights in half precision, recipe, samples, scores and a card with its licences, to the
    Hugging Face Hub or, with --folder, into a folder. Where the licence of the data is not known, --license says under
    which the weights may be used. Others open it by the same name, as by that of any model; nothing in it is run.

    Examples:
      kerasgan publish runs/flowers --to hf://me/flowers --license cc-by-4.0
      kerasgan publish runs/flowers --folder flowers/ --license cc-by-4.0
      kerasgan generate hf://me/flowers -n 16 -o flowers.png
    """
    values = flags.FlagValues()
    flags.DEFINE_string("to", None, "Address on the Hugging Face Hub, hf://USER/MODEL.", flag_values=values)
    flags.DEFINE_string("folder", None, "A new folder to write instead.", flag_values=values)
    flags.DEFINE_string(
        "license", None, "Of the weights, such as cc-by-4.0, where it is not known.", flag_values=values
    )
    flags.DEFINE_boolean("private", False, "A new repository is seen by its owner alone.", flag_values=values)
    (name,) = commands.parse(publish, values, words)
    if (values.to is None) == (values.folder is None):
        raise ValueError(f"Give one of --to and --folder. Example: kerasgan publish {name} --to hf://USER/MODEL")
    from kerasgan import hub, publishing

    publishing.checked(name, values.license)
    if values.to is not None:
        hub.parse(values.to)
        hub.check_installed()
    else:
        publishing.check_new(values.folder)
    commands.import_tensorflow()
    where = publishing.publish(name, values.to, values.folder, values.license, values.private)
    print(f"Published {name} in {where}; use it with: kerasgan.load({values.to or str(where)!r})")


def serve(words):
    """serve [NAME|RUN|FILE ...|FOLDER]

    Serves a page that makes samples on the device that opens it: pretrained models (all of them without a NAME), models
    of your own, or a folder made by kerasgan export --web. With --lan, phones in the same network open it by a QR code.
    Ctrl-C stops it. Models are exported first; those of pretrained ones are kept for the next time in the folder
    exports of $KERASGAN_HOME or ~/.cache/kerasgan, which may be removed at any time.

    Examples:
      kerasgan serve
      kerasgan serve dcgan_celeba wgan_gp_sprites --lan
      kerasgan serve runs/my_photos
      kerasgan serve site/ --port 9000
    """
    values = flags.FlagValues()
    flags.DEFINE_boolean("lan", False, "Show it to the network, with a QR code for phones.", flag_values=values)
    flags.DEFINE_integer("port", None, "Port; default: 8000, or the next free one.", flag_values=values)
    flags.DEFINE_string("host", "127.0.0.1", "Address of this machine to listen on.", flag_values=values)
    flags.DEFINE_string("quantize", None, "As in export; default: dynamic.", flag_values=values)
    flags.DEFINE_string("litert", None, _LITERT_HELP, flag_values=values)
    flags.DEFINE_boolean("verbose", False, "Print a line for every request.", flag_values=values)
    names = commands.parse(serve, values, words, takes=None)

    from kerasgan import serve as serving

    options = {"host": values.host, "port": values.port, "lan": values.lan, "verbose": values.verbose}
    if len(names) == 1 and serving.is_bundle(names[0]):
        return serving.serve(names[0], **options)
    from kerasgan import export as exports
    from kerasgan.export import cache

    _check_mode(values.quantize)
    for name in names:
        runs.check_name(name)
    exports.check_installed("tflite")
    with cache.scratch() as folder:  # the server reads the page once, when it starts
        page = _write_page(names or _for_the_page(), os.path.join(folder, "page"), values)
        return serving.serve(page, **options)


def _for_the_page():
    """Names of the pretrained models that the page has a place for."""
    recipes = {name: registry.get(name) for name in registry.list_models()}
    trained = [name for name, recipe in recipes.items() if recipe.weights]
    return [name for name in trained if registry.gan_class(recipes[name].gan_type).task.on_page]


_LITERT_HELP = "node_modules folder with LiteRT.js, for pages that ask no other host; default: a public CDN."

_BEFORE_THE_VERBS = {"list": list_models, "describe": describe}
_AFTER_THEM = {
    "train": train,
    "augment": augment,
    "simulate": simulate,
    "convert": convert,
    "evaluate": evaluate,
    "report": report,
    "export": export,
    "publish": publish,
    "serve": serve,
}


def all_commands():
    """{name: function} of all commands, in the order of the help: between ours, the verbs of the tasks."""
    verbs = {task.verb: task.command for task in tasks.known()}
    return _BEFORE_THE_VERBS | verbs | _AFTER_THEM


def main(words=None):
    """Runs the command; returns its exit code: 0, 2 after an error of the user's making, 130 after Ctrl-C.

    Args:
        words: the words after `kerasgan`; None takes those of this process.
    """
    if words is None:  # this process is the command's own
        warnings.showwarning = _show_warning
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with console.forgiving():
        try:
            code = _run(words, debug)
            if sys.stdout is not None:
                sys.stdout.flush()  # now, not when Python ends: a reader may be gone
            return code
        except BrokenPipeError:  # `kerasgan list | head -1`
            console.lose(sys.stdout)
            return 0


def _run(words, debug):
    """Runs a command and prints what went wrong; returns the exit code."""
    try:
        with trust.allowing(False):
            return _dispatch(words) or 0
    except commands.Help as text:
        print(text)
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        raise
    except (ValueError, OSError, ImportError, ArithmeticError, flags.Error) as error:
        if debug:
            raise
        print(f"kerasgan: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """A warning as users want it: what it says, not where in the code it was said."""
    print(f"kerasgan: warning: {message}", file=sys.stderr if file is None else file)


def _dispatch(words):
    if not words or words[0] in ("help", "--help", "-h", "-help") and len(words) == 1:
        raise commands.Help(_overview())
    if words[0] in ("version", "--version"):
        raise commands.Help(f"kerasgan {kerasgan.__version__}")
    if words[0] == "help":
        words = [words[1], "--help"]
    name, *rest = words
    known = all_commands()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name!r} is no command.{hint} The commands are {', '.join(known)}.")
    return known[name](rest)


def _overview():
    lines = ["kerasgan: GANs that are ready to use, and ready to train on your own files.", "", "Commands:"]
    for function in all_commands().values():
        usage, about, _ = commands.help_of(function)
        lines += [f"  kerasgan {usage}", textwrap.indent(textwrap.fill(about.split(". ")[0].rstrip("."), 100), " " * 6)]
    return "\n".join([*lines, "", "kerasgan COMMAND --help tells all about one; --debug shows tracebacks of errors."])


def _changes(values):
    """What the flags of `train` change in a recipe, as {"field" or "field.argument": value}."""
    import json

    changes = {flag: values[flag].value for flag in ("batch_size", "dtype", "seed")}
    changes |= {f"data.{flag}": values[flag].value for flag in _OF_DATA}
    if values.size is not None:
        changes["data.size"] = commands.edges(values.size)
    for change in values.set:
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
    """The recipe without the arguments of its reader where another one is asked for, which has its own; the changes."""
    if changes.get("data.reader", recipe.data.get("reader")) != recipe.data.get("reader"):
        recipe = dataclasses.replace(recipe, data={})
    return recipe, changes


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


def _size(recipe):
    """Size of what `generate` needs, for people."""
    size = sum(file.size for file in recipe.weights if file.part != "discriminator")
    return f"{size / 1e6:.1f} MB" if size else "not trained"


if __name__ == "__main__":
    sys.exit(main())
