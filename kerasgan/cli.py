"""The `kerasgan` command.

A command is one function that takes the words after its name and may return an exit code; its docstring is its help
(the words it takes, what it does, examples). A new command is such a function and one line in `COMMANDS`. TensorFlow
is imported only by commands that need it, after everything that can be checked without it.
"""

import difflib
import os
import random
import re
import shlex
import sys
import textwrap
import warnings

from absl import flags

import kerasgan
from kerasgan import classes, console, files, registry, runs, trust

_OF_DATA = ("channels", "length", "sample_rate", "labels")  # flags of `train` that are arguments of readers
_PATHS = ("out", "data", "data_dir", "web", "litert")  # flags that are paths
_PICTURES = (".png", ".webp", ".jpg", ".jpeg")
_INTERRUPTED = 130  # the exit code that shells give to what Ctrl-C ended


def list_models(words):
    """list

    Lists the pretrained models: what they make, the data they learned from, its licence, the size of the download.
    Names of recipes without weights follow: they are for `kerasgan train`.

    Examples:
      kerasgan list
    """
    values = flags.FlagValues()
    _parse(list_models, values, words, takes=0)
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
    (name,) = _parse(describe, values, words)

    print(runs.describe(name).rstrip())


def generate(words):
    """generate NAME|RUN|FILE

    Makes new samples with a pretrained model, the model of a run folder or a .keras file, and saves them.

    Examples:
      kerasgan generate dcgan_celeba -n 64 -o faces.png
      kerasgan generate r3gan_celeba -n 16 --seed 7 --truncation 0.25 -o same_faces.png
      kerasgan generate cgan_fashion_mnist -n 8 --label 7 -o sneakers.png
      kerasgan generate cgan_fashion_mnist -n 2 --label Coat,Bag -o dressed.png
      kerasgan generate runs/my_photos -o new_photos.png
    """
    values = flags.FlagValues()
    flags.DEFINE_integer("count", 64, "How many samples.", short_name="n", flag_values=values)
    flags.DEFINE_string(
        "out", None, "File to write; default: NAME with its medium's ending.", short_name="o", flag_values=values
    )
    flags.DEFINE_integer("seed", None, "The same seed gives the same samples; default: chosen.", flag_values=values)
    flags.DEFINE_list(
        "label", None, "Class, or one for each sample, by number or name: 3 or cats,dogs.", flag_values=values
    )
    flags.DEFINE_float(
        "truncation", None, "Share of the samples to choose the best from: lower is more typical.", flag_values=values
    )
    flags.DEFINE_integer("columns", None, "Samples in a row, where they are laid out.", flag_values=values)
    (name,) = _parse(generate, values, words)
    if values.count < 1:
        raise ValueError(f"--count is {values.count}; expected 1 or more.")
    if values.columns is not None and values.columns < 1:
        raise ValueError(f"--columns is {values.columns}; expected 1 or more.")
    if values.out is None:
        files.check_folder(".", name="--out")
    else:
        files.check_output(values.out, name="--out")

    runs.check_name(name)
    if values.label is not None and (known := runs.class_names(name)) is not None:
        _labels(values.label, known)
    _import_tensorflow()
    gan = _able_to(runs.load(name, compile=False), name, "generate")
    media = gan.media
    default = runs.called(name) + media.extension
    path = files.check_output(values.out or default, media.extensions, name="--out")
    runs.check_outside_data(name, path)
    seed = random.randrange(2**31) if values.seed is None else values.seed
    labels = None if values.label is None else _labels(values.label, gan.class_names)
    samples = gan.generate(values.count, labels=labels, seed=seed, truncation=values.truncation)
    media.save(samples, path, columns=values.columns)
    print(f"Saved {values.count} {media.plural} to {path} (seed {seed}).")


def translate(words):
    """translate NAME|RUN|FILE PICTURE ...

    Turns pictures into what the model translates to: emoji of one style into those of another, photographs into
    drawings. Pictures of any size are cropped and resized to that of the model. One goes into a file, several into a
    folder.

    Examples:
      kerasgan translate pix2pix_noto2twemoji smile.png -o twemoji.png
      kerasgan translate runs/horses photo.jpg --crop pad
      kerasgan translate runs/horses --direction b_to_a zebras/*.jpg -o horses/
    """
    values = flags.FlagValues()
    flags.DEFINE_string(
        "out", None, "File, or folder for several pictures; default: beside you.", short_name="o", flag_values=values
    )
    flags.DEFINE_string("direction", None, "a_to_b or, where a model has it, b_to_a.", flag_values=values)
    flags.DEFINE_string("crop", "center", "center, or pad to keep all of a picture.", flag_values=values)
    name, *pictures = _parse(translate, values, words, takes=None) or [None]
    _check_pictures(translate, name, pictures)
    outputs = _outputs(pictures, values.out, runs.called(name))
    _check_apart(outputs, pictures)

    runs.check_name(name)
    _import_tensorflow()
    from kerasgan import data

    gan = _able_to(runs.load(name, compile=False), name, "translate")
    source, _ = gan.media_of(gan.check_direction(values.direction))
    images = [data.picture(path, source.shape[:2], source.shape[2], values.crop) for path in pictures]
    for image, path in zip(images, outputs, strict=True):
        translated = gan.translate(image[None], direction=values.direction)
        print(f"Saved {kerasgan.save_samples(translated, path)}.")


def upscale(words):
    """upscale NAME|RUN|FILE PICTURE ...

    Makes pictures larger with a super-resolution model: a pretrained one, that of a run folder or a .keras file. They
    may have any size; transparency stays. One picture becomes a file, several become files in a folder.

    Examples:
      kerasgan upscale runs/details photo.jpg
      kerasgan upscale runs/details photo.jpg -o large.png
      kerasgan upscale runs/details a.png b.png c.png --out large/
    """
    values = flags.FlagValues()
    flags.DEFINE_string(
        "out",
        None,
        "File to write, or the folder for several; default: the picture's name with _x4 (the scale) behind, as PNG.",
        short_name="o",
        flag_values=values,
    )
    flags.DEFINE_integer("tile", 128, "Edge of what is computed at a time, in pixels.", flag_values=values)
    flags.DEFINE_integer("overlap", 16, "Pixels that neighbouring tiles share on each side.", flag_values=values)
    name, *pictures = _parse(upscale, values, words, takes=None) or [None]
    _check_pictures(upscale, name, pictures)

    from kerasgan import upscaler

    upscaler.check_tiles(values.tile, values.overlap)
    runs.check_name(name)
    outputs = _outputs(pictures, values.out, "{scale}")
    _check_apart(outputs, pictures)
    _import_tensorflow()
    from kerasgan import data

    for path in pictures:  # what cannot be read must not show when half of the work is done
        data.picture(path)
    gan = _able_to(runs.load(name, compile=False), name, "upscale")
    outputs = [str(out).replace("{scale}", f"x{gan.scale}") for out in outputs]
    _check_apart(outputs, pictures)  # names with the scale in them were not known before
    for path, out in zip(pictures, outputs, strict=True):
        pixels = data.picture(path)
        larger = gan.upscale(pixels, tile=values.tile, overlap=values.overlap)
        out = kerasgan.save_samples(larger[None], out)
        sizes = (f"{image.shape[1]}x{image.shape[0]}" for image in (pixels, larger))
        print(f"Saved {out}: {' -> '.join(sizes)}.")


def _check_apart(outputs, given):
    """Raises a FileExistsError if one of the files to write is one of those that were given."""
    for out in outputs:
        files.check_apart(out, given, name="--out")


def _check_pictures(command, name, pictures):
    """Raises unless there is a model and pictures that are files."""
    if not pictures:
        usage, _, _ = _help_of(command)
        raise ValueError(f"Expected kerasgan {usage}: {'a picture' if name else 'a model and a picture'} is missing.")
    for path in pictures:
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path!r} is a folder; name the pictures in it, such as {path.rstrip('/')}/*.jpg")
        if not os.path.isfile(path):
            raise FileNotFoundError(f"{path!r} does not exist; give the path of a picture.")


def _outputs(pictures, out, suffix):
    """The file that each picture's result goes to: `out`, or one of its own in the folder `out`."""
    is_file = out is not None and len(pictures) == 1 and os.path.splitext(out)[1] and not os.path.isdir(out)
    if is_file:
        return [files.check_output(out, _PICTURES, name="--out")]
    folder = files.check_folder(out or ".", name="--out")
    names = [f"{os.path.splitext(os.path.basename(path))[0]}_{suffix}.png" for path in pictures]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(
            f"Several pictures would be saved as {twice!r}: give pictures of one name one by one, with --out."
        )
    return [os.path.join(folder, name) for name in names]


def _able_to(gan, name, verb):
    """The model, if it has a verb."""
    if not hasattr(gan, verb):
        raise ValueError(f"{name!r} is a {type(gan).__name__}, which cannot {verb}: use kerasgan {_verb(gan)} {name}.")
    return gan


def _verb(gan):
    """The command that makes samples with a model."""
    return next(verb for verb in ("generate", "translate", "upscale") if hasattr(gan, verb))


def train(words):
    """train NAME|TYPE|RUN --data PATH --out RUN

    Trains a GAN into a run folder: exactly by the recipe of a pretrained model or of another run, or, for a TYPE, by
    that type's own defaults with the shape of samples and the classes taken from the data. With --finetune, starts
    from the trained weights instead of from scratch. The same command again goes on where it stopped; Ctrl-C saves.

    Examples:
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
    (name,) = _parse(train, values, words)
    for flag in ("data", "out"):
        if values[flag].value is None:
            raise ValueError(f"--{flag} is missing. Example: kerasgan train {name} --data my_photos/ --out runs/photos")
    for flag in ("epochs", "batch_size", "limit_steps", "score_every"):
        if values[flag].value is not None and values[flag].value < 1:
            raise ValueError(f"--{flag} is {values[flag].value}; expected 1 or more.")
    if values.rollback < 0:
        raise ValueError(f"--rollback is {values.rollback}; expected 0 (never) or more.")

    files.check_folder(values.out, name="--out")
    recipe = runs.recipe_of(name)
    is_type = name in registry.TYPES
    if is_type and values.finetune:
        raise ValueError(f"--finetune: {name!r} is a type and has no weights; give a pretrained model or a run folder.")
    if values.finetune:
        runs.check_name(name)
        recipe = runs.for_other_data(recipe)
    recipe = runs.changed(recipe, _changes(values))
    reshaped = any(values[flag].value is not None for flag in ("size", *_OF_DATA))
    devices = values.devices if values.devices in (None, "all") else _whole("--devices", values.devices)
    _import_tensorflow(devices=False)
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
            command=shlex.join(["kerasgan", "train", *words]),
        )
    except runs.Interrupted as stop:
        print(stop)
        return _INTERRUPTED
    print(f"Done. Everything is in {values.out}; use it with: kerasgan {_verb(gan)} {shlex.quote(values.out)}")


def convert(words):
    """convert SOURCE --out FOLDER|FILE.zip --size SIZE

    Makes a zip of PNG files or a folder of TFRecord shards from any source of images, with the pixels that training
    would read: cropped and resized once instead of in every epoch. The same command again goes on where it stopped.

    Examples:
      kerasgan convert my_photos/ --out photos64.zip --size 64
      kerasgan convert my_photos/ --out photos128/ --size 128 --filter lanczos --labels
      kerasgan convert tfds:celeb_a --out faces/ --size 64 --crop 0,20,178,178
    """
    values = flags.FlagValues()
    flags.DEFINE_string("out", None, "A name that ends in .zip, or a folder.", short_name="o", flag_values=values)
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
    (source,) = _parse(convert, values, words)
    for flag in ("out", "size"):
        if values[flag].value is None:
            raise ValueError(f"--{flag} is missing. Example: kerasgan convert my_photos/ --out photos64.zip --size 64")
    size = _edges(values.size)
    crop = values.crop[0] if len(values.crop) == 1 else [_whole("--crop", edge) for edge in values.crop]
    if not source.startswith("tfds:") and not os.path.exists(os.path.expanduser(source)):
        raise FileNotFoundError(f"{source!r} does not exist; give a folder, a zip or .npz file, or tfds:NAME.")
    if values.out.lower().endswith(".zip"):
        files.check_output(values.out, name="--out")
    else:
        files.check_folder(values.out, name="--out")
    _import_tensorflow()
    from kerasgan.convert import convert as run

    options = ("channels", "filter", "labels", "subset", "key", "data_dir", "download", "shard_mb")
    try:
        count = run(source, values.out, size, crop=crop, **{name: values[name].value for name in options})
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; the same command goes on from there.")
        return _INTERRUPTED
    print(f"{values.out} holds {count} images.")


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
    flags.DEFINE_list(
        "metrics",
        None,
        "Some of fid, kid, prdc (these by default), memorization, is, understood, confidence, swd, ms_ssim, ppl, cas; "
        "of a translator some of psnr, ssim, l1, kid; of a model that upscales psnr, ssim.",
        flag_values=values,
    )
    flags.DEFINE_string("network", None, "Feature network; default: the best one offline.", flag_values=values)
    flags.DEFINE_integer("count", None, "Samples of each kind; default: half of the reals.", flag_values=values)
    flags.DEFINE_string("subset", None, "Part of the data, such as test, or ARRAY=VALUE.", flag_values=values)
    flags.DEFINE_boolean(
        "paired", None, "For a translator: whether images of the domains belong together.", flag_values=values
    )
    flags.DEFINE_integer("seed", 0, "Seed of the samples.", flag_values=values)
    flags.DEFINE_integer("repeats", 1, "Draws of samples; several give a deviation.", flag_values=values)
    flags.DEFINE_float("truncation", None, "As in generate.", flag_values=values)
    flags.DEFINE_boolean("ema", True, "Samples from the generator's moving average.", flag_values=values)
    flags.DEFINE_boolean("floor", True, "Score real against real, too.", flag_values=values)
    flags.DEFINE_string(
        "out", None, "JSON file to write; default: evaluation.json in RUN.", short_name="o", flag_values=values
    )
    (name,) = _parse(evaluate, values, words)
    if values.data is None:
        raise ValueError(f"--data is missing. Example: kerasgan evaluate {name} --data my_photos/")
    for flag in ("count", "repeats"):
        if values[flag].value is not None and values[flag].value < 1:
            raise ValueError(f"--{flag} is {values[flag].value}; expected 1 or more.")

    path = runs.check_name(name)
    out = values.out or (path / runs.EVALUATION if path.is_dir() and name not in registry.list_models() else None)
    if out is not None:
        files.check_output(out, (".json",), name="--out")
        files.check_apart(out, [path / file for file in runs.NEEDED], name="--out")
        runs.check_outside_data(name, out)
    _import_tensorflow()
    from kerasgan import metrics

    options = {flag: values[flag].value for flag in ("count", "seed", "repeats", "truncation", "ema", "floor")}
    options = {flag: value for flag, value in options.items() if values[flag].present}
    found = runs.evaluate(
        name,
        values.data,
        values.metrics,
        subset=values.subset,
        paired=values.paired,
        network=values.network,
        **options,
    )
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
    (folder,) = _parse(report, values, words)

    runs.check_run(folder)
    out = files.check_output(values.out or os.path.join(folder, "report.html"), (".html",), name="--out")
    runs.check_outside_data(folder, out)
    _import_tensorflow()
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
    (name,) = _parse(export, values, words)
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
    _import_tensorflow()
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
            _import_tensorflow()
            if name in pretrained:
                models[name] = cache.export(name, mode, temporary)
            else:
                models[runs.called(name)] = os.path.join(temporary, f"{runs.called(name)}.tflite")
                exports.tflite(name, models[runs.called(name)], mode)
        return exports.web(models, folder, litert=values.litert, overwrite=overwrite)


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
    names = _parse(serve, values, words, takes=None)

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
        trained = [name for name in registry.list_models() if registry.get(name).weights]
        page = _write_page(names or trained, os.path.join(folder, "page"), values)
        return serving.serve(page, **options)


_TRUST_HELP = "Let RUN or FILE name modules that are run, for a GAN type of your own; never for a stranger's."
_LITERT_HELP = "node_modules folder with LiteRT.js, for pages that ask no other host; default: a public CDN."

COMMANDS = {
    "list": list_models,
    "describe": describe,
    "generate": generate,
    "translate": translate,
    "upscale": upscale,
    "train": train,
    "convert": convert,
    "evaluate": evaluate,
    "report": report,
    "export": export,
    "serve": serve,
}


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
    except _Help as text:
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


class _Help(Exception):
    """What was asked for is this text."""


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """A warning as users want it: what it says, not where in the code it was said."""
    print(f"kerasgan: warning: {message}", file=sys.stderr if file is None else file)


def _dispatch(words):
    if not words or words[0] in ("help", "--help", "-h", "-help") and len(words) == 1:
        raise _Help(_overview())
    if words[0] in ("version", "--version"):
        raise _Help(f"kerasgan {kerasgan.__version__}")
    if words[0] == "help":
        words = [words[1], "--help"]
    name, *rest = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name!r} is no command.{hint} The commands are {', '.join(COMMANDS)}.")
    return COMMANDS[name](rest)


def _overview():
    lines = ["kerasgan: GANs that are ready to use, and ready to train on your own files.", "", "Commands:"]
    for function in COMMANDS.values():
        usage, about, _ = _help_of(function)
        lines += [f"  kerasgan {usage}", textwrap.indent(textwrap.fill(about.split(". ")[0].rstrip("."), 100), " " * 6)]
    return "\n".join([*lines, "", "kerasgan COMMAND --help tells all about one; --debug shows tracebacks of errors."])


def _help_of(function):
    """(words it takes, what it does, examples) from a command's docstring."""
    usage, about, examples = textwrap.dedent(f"    {function.__doc__}").strip().split("\n\n")
    return usage, " ".join(about.split()), examples


def _parse(function, values, words, takes=1):
    """Parses flags into `values`; returns the other words, of which the command takes so many (None: any number)."""
    usage, about, examples = _help_of(function)
    if "RUN" in usage:
        flags.DEFINE_boolean("trust", False, _TRUST_HELP, flag_values=values)
    if any(word in ("--help", "-h", "-help", "--helpfull") for word in words):
        parts = [f"kerasgan {usage} [flags]", textwrap.fill(about, 100), examples, _flags_help(values)]
        raise _Help("\n\n".join(part for part in parts if part))
    words = [re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), word) for word in words]
    _, *others = values(["kerasgan", *words])
    if "trust" in values and values.trust:
        trust.allow()
    for flag in _PATHS:
        if flag in values:
            files.check_given(values[flag].value, f"--{flag}")
    called = [word.strip("[]") for word in usage.split()[1:] if word[0] not in "-."] or [""]
    for number, word in enumerate(others):
        files.check_given(word, called[min(number, len(called) - 1)])
    if takes is not None and len(others) != takes:
        given = f"got {' '.join(others)!r}" if others else "got none"
        raise ValueError(f"Expected kerasgan {usage}: {takes} name{'' if takes == 1 else 's'}, {given}.")
    return others


def _flags_help(values):
    lines = ["Flags:"] if len(values) else []
    for name in values:
        flag = values[name]
        if name != flag.name:
            continue  # a short name
        long = f"--[no]{name}" if flag.default is True else f"--{name}"
        names = f"-{flag.short_name}, {long}" if flag.short_name else long
        value = ",".join(flag.default) if isinstance(flag.default, list) else flag.default
        default = "" if value is None or value == "" or isinstance(value, bool) else f" (default: {value})"
        lines.append(f"  {names:<18} {' '.join(flag.help.split())}{default}")
    return "\n".join(lines)


def _changes(values):
    """What the flags of `train` change in a recipe, as {"field" or "field.argument": value}."""
    import json

    changes = {flag: values[flag].value for flag in ("batch_size", "dtype", "seed")}
    changes |= {f"data.{flag}": values[flag].value for flag in _OF_DATA}
    if values.size is not None:
        changes["data.size"] = _edges(values.size)
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


def _callback(path, folder):
    """The callback "package.module:Class", made without arguments, or with the run folder if it takes a `folder`.

    Raises:
        ValueError: there is no such class, or it cannot be made in this way.
    """
    import inspect

    module, _, name = path.partition(":")
    try:
        callback_class = getattr(trust.import_module(module), name)
        takes_folder = "folder" in inspect.signature(callback_class).parameters
        return callback_class(**({"folder": folder} if takes_folder else {}))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"--callback {path!r} cannot be made ({error}); give PACKAGE.MODULE:CLASS of a Keras callback that takes "
            "no arguments, or only the folder."
        ) from error


def _edges(text):
    """What `--size` says: one edge, or [height, width]."""
    size = [_whole("--size", edge) for edge in text.lower().split("x")]
    return size[0] if len(size) == 1 else size


def _whole(flag, text):
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{flag} is {text!r}; expected a whole number.") from None


def _labels(words, class_names):
    """The number of the class that `--label` says, or of several. A number that is the name of a class is a name."""
    named = [word in class_names or (class_names and not re.fullmatch(r"[+-]?\d+", word)) for word in words]
    numbers = [
        classes.number_of(word, class_names) if name else _whole("--label", word)
        for word, name in zip(words, named, strict=True)
    ]
    return numbers[0] if len(numbers) == 1 else numbers


def _size(recipe):
    """Size of what `generate` needs, for people."""
    size = sum(file.size for file in recipe.weights if file.part != "discriminator")
    return f"{size / 1e6:.1f} MB" if size else "not trained"


def _import_tensorflow(devices=True):
    """Imports TensorFlow, as `console.import_tensorflow` does.

    On processors without AVX-512 TensorFlow leaves oneDNN out unless told otherwise, though convolutions train faster
    with it on them, too.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    console.import_tensorflow(devices)


if __name__ == "__main__":
    sys.exit(main())
