"""Run folders: training into one, going on in it, opening what it holds.

A run folder holds

- `recipe.json`: the recipe as used, the data's path, the GAN's full configuration, versions;
- `model.keras`: the newest checkpoint, at the end the trained model; `previous.keras`, the one before it;
- `samples/`: sample sheets of every epoch, or of every few where there are more than 200, and their animation;
- `log.csv`: losses of every epoch, speed and memory;
- `tensorboard/`, `scores.json` and `best.keras`, where they were asked for: see `kerasgan.callbacks.EventLog`, `Score`;
- `health.json`, what was found of the training's health, and `healthy.keras`, what it may go back to: see
  `kerasgan.callbacks.CollapseMonitor`;
- `broken_batch.npz`, after a breakdown: see `kerasgan.callbacks.StopOnNaN`;
- `evaluation.json`: its scores, once `kerasgan evaluate` has made them;
- once training has ended, what a zoo entry ships: `generator.weights.h5` and so on, in half precision, and a sheet
  of new samples, `samples.png` for images.
"""

import contextlib
import copy
import dataclasses
import hashlib
import inspect
import json
import math
import os
import pathlib
import platform
import random
import re

from kerasgan import classes, console, defaults, files, provenance, registry, weights
from kerasgan.trust import allowing, check_config, is_allowed

RECIPE = files.RECIPE
CHECKPOINT = "model.keras"
PREVIOUS = "previous.keras"
LOG = "log.csv"
EVENTS = "tensorboard"
EVALUATION = "evaluation.json"
SAMPLES = "samples"
NEEDED = (
    RECIPE,
    "health.json",
    "scores.json",
)  # what a training goes on with, of those that other commands could write
_MINUTES = 5  # between two checkpoints
_MOST_SHEETS = 200
_SAMPLES = 500_000  # seen in a training whose length nobody gave: about 90 minutes for 64x64 images on two cores
_FINETUNING_SAMPLES = 100_000
_TIMED_STEPS = 6  # of a training in each number format; the first one, which builds the graph, does not count
_MISSING = object()
# Of a recipe, what its training does not depend on, or finds out by itself.
_ABOUT = (
    *("weights", "samples_seen", "epochs", "class_names", "fingerprint", "picture_size"),
    *("makes", "data_name", "data_license", "license"),
)


class DataLost(OSError):
    """The data can no longer be read."""


class Interrupted(Exception):
    """Training was stopped from outside after it had been saved."""


def load(name, dtype=None, compile=True, trust=False):
    """A GAN by whatever names it: a pretrained model, a run folder or a `.keras` file. This is `kerasgan.load`.

    It is ready for its verb (`generate`, `translate`, `upscale`) and, since it comes compiled, for `fit`.

    ```python
    gan = kerasgan.load("dcgan_celeba")
    faces = gan.generate(16, seed=7)
    mine = kerasgan.load("runs/mine")
    ```

    Args:
        name: one of `kerasgan.list_models()`, or a path, a str or `os.PathLike`.
        dtype: Keras dtype policy. None: of a pretrained model "float32", whatever its training used; of a run or a
            file the one that it was saved with.
        compile: whether it comes ready to train on: a pretrained model with its recipe's arguments, what was saved with
            its own and with its optimizers' state.
        trust: whether modules are imported that the files name, so that a GAN type of one's own is found there. That
            runs them: only for files from people you trust. Without, a program imports its own module first.

    Returns:
        A `kerasgan.GAN`, or another `kerasgan.Game`.

    Raises:
        ValueError: there is neither a model nor a path of this name, a model has no weights or they do not fit, or the
            file is not a saved model, or of a class that is neither kerasgan's nor Keras's.
        FileNotFoundError: a folder without a model.
        OSError: the weights of a pretrained model cannot be had; see `kerasgan.weights.find`.
    """
    if name in registry.list_models():
        return registry.load(name, dtype, compile)
    path = check_name(name)
    console.import_tensorflow()
    from kerasgan.callbacks import Checkpoint

    with allowing(trust or is_allowed()):
        if (path / RECIPE).is_file():
            registry.gan_class(_read(path)["recipe"].gan_type)  # a class of one's own is known to Keras once imported
        gan = Checkpoint.load(path, compile=compile)[0]
    return gan if dtype is None else _in_number_format(gan, dtype)


def _in_number_format(gan, dtype):
    """The model, built anew with another dtype policy: with its weights, counters, seeds and optimizers' state."""
    from kerasgan.game import innermost

    config = gan.get_config()
    if "generator" in config:
        raise ValueError(
            f"dtype={dtype!r}: the networks of {gan.name}, which are your own, compute in the format that they were "
            "built with; leave dtype out."
        )
    other = type(gan).from_config({**config, "dtype": dtype})
    for network in networks(other, averages=True):
        getattr(other, network).set_weights(getattr(gan, network).get_weights())
    if gan.compiled:
        other.compile_from_config(gan.get_compile_config())
        for player in ("discriminator", "generator"):
            there, here = (innermost(getattr(model, f"{player}_optimizer")) for model in (gan, other))
            for variable, value in zip(here.variables, there.variables, strict=True):
                variable.assign(value)
    state = {}
    gan.save_own_variables(state)
    other.load_own_variables(state)
    return other


def check_name(name):
    """Checks, without opening it, that `name` is one for `load`. Returns it as a `pathlib.Path`.

    Raises:
        ValueError, FileNotFoundError: as `load`.
    """
    files.check_given(name, "name")
    if not isinstance(name, (str, os.PathLike)):
        registry.get(name)  # which says that it is unknown
    path = pathlib.Path(name)
    if name in registry.list_models():
        return path
    if path.is_dir():
        if not any((path / checkpoint).is_file() for checkpoint in (CHECKPOINT, PREVIOUS)):
            raise FileNotFoundError(
                f"{str(name)!r} holds no {CHECKPOINT}: it is no run folder, or its training has not saved anything yet."
            )
    elif not path.is_file():
        try:
            recipe = registry.get(os.fspath(name))
        except ValueError as error:
            raise ValueError(f"{error} Nor is there a run folder or a .keras file of this name.") from None
        registry.check_trained(recipe)
    return path


def check_run(folder):
    """Checks that a folder is a run with a saved model. Returns it as a `pathlib.Path`.

    Raises:
        FileNotFoundError: it is not there, or is none.
    """
    files.check_given(folder, "folder")
    path = pathlib.Path(folder)
    if not (path / RECIPE).is_file():
        raise FileNotFoundError(f"{str(folder)!r} is no run folder: it holds no {RECIPE}.")
    return check_name(str(folder))


def called(name):
    """What a model is called by the name, run folder or file that it is loaded by, and so are files made of it."""
    return re.sub(r"\.keras$", "", pathlib.Path(name).absolute().name)


def class_names(name):
    """What the classes of a model are called, before it is loaded; None for a file, which has to be opened to tell."""
    known = name in registry.list_models() or (pathlib.Path(name) / RECIPE).is_file()
    return recipe_of(name).class_names if known else None


def describe(name):
    """The card of a pretrained model; of a run folder, what is known of its model and its data: Markdown text.

    Raises:
        ValueError: nothing has this name, or it is a file, which says nothing of its training.
    """
    if name in registry.list_models():
        return registry.describe(name)
    if (pathlib.Path(name) / RECIPE).is_file():
        return registry.about(recipe_of(name), called(name))
    if pathlib.Path(name).is_file():
        raise ValueError(f"{name!r} is a file, which says nothing of its training: give the run folder.")
    return registry.describe(name)


def check_outside_data(name, path):
    """Raises a `ValueError` if a file to write lies in the data of a run, which could not be gone on with then.

    Args:
        name: the run folder; of other models nothing is known.
        path: the file. In a run folder it is no data, wherever that lies.
    """
    data = _read(name).get("data") if (pathlib.Path(name) / RECIPE).is_file() else None
    if not data:
        return
    data = pathlib.Path(data).expanduser().resolve()
    above = pathlib.Path(path).absolute().resolve().parents
    inside = above[: above.index(data)] if data in above else ()
    if data in above and not any((folder / RECIPE).is_file() for folder in inside):
        raise ValueError(
            f"{str(path)!r} lies in {str(data)!r}, the data of {str(name)!r}: it would become data, and that training "
            "could not go on. Give another place."
        )


def recipe_of(name):
    """The recipe to train by: of a pretrained model, a GAN type (its starting values) or a run folder.

    Raises:
        ValueError: neither of them.
    """
    files.check_given(name, "name")
    if name not in registry.list_models() and (pathlib.Path(name) / RECIPE).is_file():
        return _read(name)["recipe"]
    return registry.resolve(name)


def changed(recipe, changes):
    """A recipe with some values changed.

    Args:
        recipe: `kerasgan.registry.Recipe`.
        changes: {"field": value} or {"field.argument": value}, such as {"epochs": 5, "data.flip": True}.
    """
    values = dataclasses.asdict(recipe)
    for name, value in changes.items():
        field, _, argument = name.partition(".")
        if argument:
            values[field] = {**values[field], argument: value}
        else:
            values[field] = value
    if "data.crop" in changes:  # whoever gives a box means it for these pictures
        values["picture_size"] = None
    return registry.Recipe.from_dict(values)


def evaluate(name, source, metrics=None, *, subset=None, network=None, progress=True, **options):
    """Scores a model by its recipe's data, as `kerasgan evaluate` does.

    How depends on its task (`kerasgan.tasks`): a GAN is scored by `kerasgan.metrics.evaluate`, a translator by
    `kerasgan.metrics.evaluate_translator`, on the part of the data that its recipe keeps apart, if it does; a model
    that upscales by `kerasgan.metrics.evaluate_upscaler`, on whole images.

    Args:
        name: a name of the zoo, a run folder or a `.keras` file.
        source: the data, as in `train`.
        metrics: names, in a sequence or separated by commas; None takes the usual ones.
        subset: another part of the source than the recipe's, such as "test".
        network, progress: as in `kerasgan.metrics.evaluate`.
        options: what the task takes: of a GAN `count`, `seed`, `repeats`, `truncation`, `ema` and `floor`, as in
            `kerasgan.metrics.evaluate`; of a translator `paired`, whether images of the two domains belong together
            (None: if it was trained on pairs); of a model that upscales `beside`, {what it is called: name or path} of
            others to score on the same images.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an argument does not fit.
    """
    gan, recipe = load(name, compile=False), recipe_of(name)
    given = {option: value for option, value in options.items() if value is not None}
    others = [option for option in given if option not in gan.task.options]
    if others:
        raise ValueError(f"{name!r} {gan.task.does}: {', '.join(others)} mean nothing for it; leave them out.")
    about = {"model": console.printable(str(name)), "split": subset or recipe.data.get("subset") or "all"}
    about |= {"subset": subset, "network": network, "progress": progress}
    return gan.task.evaluate(gan, recipe, source, metrics, **about, **given)


def read_whole(recipe, source, subset=None):
    """The data of a recipe for scores: each sample once, in order, as it is (not mirrored at random).

    Args:
        recipe: `kerasgan.registry.Recipe`.
        source: as in `train`.
        subset: another part of the source than the recipe's, such as "test".

    Returns:
        A `tf.data.Dataset` of one epoch, batches of one.
    """
    reader = _reader(recipe)
    recipe = for_pictures_of(source, recipe)
    arguments = {name: value for name, value in recipe.data.items() if name != "reader"}
    arguments |= {} if subset is None else {"subset": subset}
    known = inspect.signature(reader).parameters
    arguments |= {name: value for name, value in (("flip", False), ("jitter", 0)) if name in known or name in arguments}
    return reader(source, **{**arguments, "batch_size": 1, "shuffle": False})


def read_originals(source, subset=None):
    """{name: uint8 (height, width, 3)}: whole images of a folder or zip file, or of the folder `subset` in it.

    Files that are no images are skipped, with a warning that names them.
    """
    from kerasgan.data.files import find_files
    from kerasgan.data.pixels import look, to_whole_pixels
    from kerasgan.data.reading import read_usable, report

    files.check_given(source, "source")
    found, bad = find_files([pathlib.Path(source)], subset, look=look), []
    usable = read_usable(lambda item: to_whole_pixels(found.read(item), 3), found, bad)
    images = {pathlib.Path(found.item_name(position)).stem: image for position, image in usable}
    report(bad, found.count, found.name, "skip")
    return images


def read_apart(recipe, source, subset=None, paired=True):
    """Images of two domains for scores and sheets: as `read_whole`, of the part that the recipe keeps apart, if any.

    Args:
        recipe, source, subset: as in `read_whole`.
        paired: whether images belong together, although the recipe may not ask for that.
    """
    changes = {"data.reader": "pairs"} if paired else {}
    changes |= {"data.part": "test"} if recipe.data.get("part") else {}
    return read_whole(changed(recipe, changes), source, subset)


def what_is_trained(recipe):
    """The values of a recipe that its training depends on, without the number of epochs: a dict."""
    return {name: value for name, value in dataclasses.asdict(recipe).items() if name not in _ABOUT}


def for_other_data(recipe):
    """A recipe whose reader keeps only what fits samples to the model, not what suits the recipe's own data set."""
    if recipe.gan_type not in registry.TYPES:
        return recipe
    wanted = registry.TYPES[recipe.gan_type].data
    data = {name: recipe.data.get(name, value) for name, value in wanted.items()}
    return dataclasses.replace(recipe, data=data, picture_size=None)


def for_pictures_of(source, recipe):
    """The recipe without a crop box that was made for pictures of another size than those of a source; says so.

    Such a box would cut the same corner out of each of them.
    """
    from kerasgan.data.picture_sizes import picture_sizes

    box = recipe.data.get("crop")
    if recipe.picture_size is None or not isinstance(box, list):
        return recipe
    known = {name: recipe.data[name] for name in ("subset", "key", "data_dir", "download") if name in recipe.data}
    others = sorted(picture_sizes(source, **known) - {recipe.picture_size})
    if not others:
        return recipe
    made, theirs = (f"{width}x{height}" for height, width in (recipe.picture_size, others[0]))
    console.write(
        f"The crop {box} of the recipe {recipe.name} is for pictures of {made}, and there are some of {theirs}: the "
        f"largest centred part of each is taken instead. To have the box: --set data.crop={json.dumps(box)}"
    )
    data = {name: value for name, value in recipe.data.items() if name != "crop"}
    return dataclasses.replace(recipe, data=data, picture_size=None)


def train(
    recipe,
    source,
    folder,
    follow_data=False,
    initial=None,
    epochs=None,
    limit_steps=None,
    command=None,
    minutes=None,
    score=(),
    score_every=5,
    tensorboard=False,
    watchers=(),
    strategy=None,
    rollback=0,
):
    """Trains by a recipe into a run folder, or goes on with what the folder holds.

    It may go on with other devices or workers than it began with: the training is the same up to rounding.

    Args:
        recipe: `kerasgan.registry.Recipe`.
        source: the data: what the recipe's reader takes, such as a folder.
        folder: the run folder; made if it is missing.
        follow_data: whether the shape of samples and the number of classes are taken from the data.
        initial: name or path of a model whose weights training starts from (fine-tuning); None starts from scratch.
        epochs: None takes the recipe's; if it follows the data or fine-tunes, as many as make a sensible number of
            samples. A larger number prolongs a training that has ended.
        limit_steps: stops after so many steps, for a trial.
        command: how a user would repeat this, for `recipe.json` and messages.
        minutes: between two checkpoints; None takes 5, 0 saves after every epoch.
        score: metrics to score the model by on these data while it trains, as in `kerasgan.callbacks.Score`, which
            keeps the best model; empty for none.
        score_every: epochs between two scores.
        tensorboard: whether event files for TensorBoard are written.
        watchers: other Keras callbacks. What they add to an epoch's logs is logged.
        strategy: of several devices or machines, see `kerasgan.distribution`; None trains on one device. On several
            machines each of them calls this with the same arguments, and the folder is one that all of them see.
        rollback: how many times a training whose samples collapse may go back to its last healthy model, on one
            machine; 0 only warns. See `kerasgan.callbacks.CollapseMonitor`.

    Returns:
        The trained GAN.

    Raises:
        ValueError: the folder holds another training, or arguments or data do not fit the model.
        OSError: the folder cannot be written, another process trains in it, or the data cannot be read.
        WorkerLost: an OSError, too: another machine is gone.
        DataLost: an OSError, too: the data disappeared or broke while it trained.
        FloatingPointError: the training broke down; the last good checkpoint stays.
        Interrupted: after Ctrl-C, SIGTERM or SIGHUP, when everything has been saved.
    """
    from kerasgan import callbacks, distribution, precision
    from kerasgan.metrics import evaluation

    folder = files.check_folder(folder, "out")
    _check_arguments(recipe)
    if score:
        evaluation.check_metrics(score)
        evaluation.check_scorable(registry.gan_class(recipe.gan_type), "score")
    if rollback and distribution.workers(strategy) > 1:
        raise ValueError(f"rollback={rollback}: a training on several machines cannot go back; leave it out.")
    asked = _request(recipe, follow_data, initial)
    before = _earlier(folder, asked)
    _check_agreement(strategy, [asked, epochs, limit_steps, _checkpoints(folder)])
    wanted = recipe
    recipe = for_pictures_of(source, _settled(before["recipe"] if before else recipe, strategy))
    recipe, dataset = _read_as_before(recipe, source, before)
    _check_same_data(folder, before, dataset, source)
    _check_agreement(strategy, provenance.fingerprint_of(dataset))
    checkpoint = callbacks.Checkpoint(folder, minutes=_MINUTES if minutes is None else minutes)
    gan, epoch, step = None, 0, 0
    if before and _checkpoints(folder):
        with distribution.scope(strategy):
            gan, epoch, step = checkpoint.load(folder)
    if follow_data and not before:
        recipe = _following(recipe, dataset)
    if recipe.name in registry.TYPES and not before:
        recipe, dataset = _with_defaults(recipe, dataset, _devices(strategy))
    _check_devices(strategy, recipe, dataset)
    if recipe.dtype == precision.AUTO:
        recipe = _with_number_format(recipe, dataset, strategy)
    if gan is None:
        with distribution.scope(strategy):
            gan = _start(recipe, initial)
    recipe = provenance.of_run(recipe, wanted, dataset, source, gan, initial)
    gan.class_names = recipe.class_names
    _say_classes(recipe, dataset)
    if epochs is None:
        epochs = recipe.epochs if before else _default_epochs(recipe, dataset, follow_data, initial)
    recipe = dataclasses.replace(recipe, epochs=epochs)
    record = {
        "asked": asked,
        "command": command,
        "data": str(source),
        "fingerprint": provenance.fingerprint_of(dataset),
        "count": getattr(dataset, "count", None),
    }
    reals = _first_epoch(dataset)
    if reals is not None:  # what a translator shows of the data is the same wherever it goes on
        gan.check_first_batch(reals)
    watchers = [callbacks.CollapseMonitor(folder, real=reals, rollback=rollback, checkpoint=checkpoint), *watchers]
    if score:
        reals = read_whole(recipe, source)
        options = {"metrics": score, "every": score_every, "epochs": epochs, "tensorboard": False}
        watchers = [callbacks.Score(reals, folder, **options), *watchers]
    if tensorboard:
        watchers = [*watchers, callbacks.EventLog(folder / EVENTS, seed=recipe.seed, every=_sheets_every(recipe))]
    is_chief = distribution.worker(strategy) == 0
    with _alone(folder) if is_chief else contextlib.nullcontext(), _explaining(folder, record, strategy):
        _fit(gan, dataset, recipe, folder, checkpoint, (epoch, step), limit_steps, record, watchers)
        if is_chief:
            _finish(gan, recipe, folder, record)
        distribution.values_of_workers(strategy, 0)  # all wait for the chief, who would miss them as they leave
    return gan


# Before training -----------------------------------------------------------------------------------------------------


def _request(recipe, follow_data, initial):
    """What makes two commands the same training. Epochs may grow."""
    return {**what_is_trained(recipe), "follow_data": follow_data, "initial": None if initial is None else str(initial)}


def _earlier(folder, asked):
    """What `recipe.json` says of an earlier training in the folder; None if there was none.

    Raises:
        ValueError: the folder holds another training, or something else.
    """
    if not (folder / RECIPE).is_file():
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ValueError(f"out={str(folder)!r} holds files but no {RECIPE}: give a new folder, or an empty one.")
        return None
    from kerasgan import precision

    before = _read(folder)
    # A number format that was chosen stays the same on another machine, and may be given instead of "auto".
    dtype = asked["dtype"] if asked["dtype"] == precision.AUTO else before["recipe"].dtype
    there = {name: value for name, value in (before["asked"] or {}).items() if name not in _ABOUT}
    there["dtype"] = dtype
    if _begun_before_clips(there.get("data", {})) and asked["data"].get("crop") == "start":
        there["data"] = {**there["data"], "crop": "start"}
    differences = "; ".join(_differences(there, asked))
    if differences:
        again = f", or go on with: {before['command']}" if before["command"] else ""
        raise ValueError(
            f"out={str(folder)!r} holds a training with another recipe ({differences}). Give another folder{again}."
        )
    return before


def _differences(there, now, name=""):
    """What two values of a recipe do not agree in, argument by argument: ["compile.loss: there ..., now ..."]."""
    if isinstance(there, dict) and isinstance(now, dict):
        found = []
        for key in sorted({*there, *now}):
            inner = (values.get(key, _MISSING) for values in (there, now))
            found += _differences(*inner, f"{name}.{key}" if name else key)
        return found
    said = ("nothing given" if value is _MISSING else repr(value) for value in (there, now))
    return [] if there == now else [f"{name}: there {next(said)}, now {next(said)}"]


def _read(folder):
    """What `recipe.json` in a folder holds, its recipe as a `Recipe` of a type that may be made."""
    path = pathlib.Path(folder) / RECIPE
    values = files.read_json(path, _checked, "cannot be read", ": damaged, or not written by kerasgan.")
    recipe, where = values["recipe"], repr(str(path))
    registry.check_named(recipe.gan_type, where)
    check_config([recipe.model, recipe.compile, recipe.data], where)
    return values


def _checked(values):
    recipe = registry.Recipe.from_dict(values["recipe"])
    kinds = {"asked": dict, "command": str, "data": str, "fingerprint": str, "count": int}
    for name, kind in kinds.items():
        if not isinstance(values.get(name), (kind, type(None))):
            raise ValueError(f"{name} is {str(values[name])[:60]!r}")
    if not isinstance((values.get("asked") or {}).get("data", {}), dict):
        raise ValueError("asked.data is no object")
    return {**dict.fromkeys(kinds), **values, "recipe": recipe}


def _check_arguments(recipe):
    """Raises a ValueError for arguments in a recipe that nothing takes."""
    gan_class = registry.gan_class(recipe.gan_type)
    for field, function in (("model", gan_class), ("compile", gan_class.compile), ("data", _reader(recipe))):
        known = set(inspect.signature(function).parameters) - {"self", "source"}
        unknown = sorted(set(getattr(recipe, field)) - known - {"reader"})
        if unknown:
            raise ValueError(f"{field}.{unknown[0]} is unknown; {field} takes: {', '.join(sorted(known))}.")


def _reader(recipe):
    from kerasgan import data

    name = recipe.data.get("reader")
    if name not in data.__all__:
        raise ValueError(f"data.reader is {name!r}; expected one of {', '.join(data.__all__)}.")
    return getattr(data, name)


def _settled(recipe, strategy):
    """The recipe with a seed, which becomes Keras's own."""
    import keras

    from kerasgan import distribution

    if recipe.seed is None:  # drawn now, and kept in the run folder: going on needs it
        drawn = distribution.values_of_workers(strategy, random.randrange(2**31))
        recipe = dataclasses.replace(recipe, seed=drawn[0])
    keras.utils.set_random_seed(recipe.seed)
    return recipe


def _read_data(recipe, source):
    """One epoch of the data; its method `endless` gives the training's batches from any place on."""
    arguments = {name: value for name, value in recipe.data.items() if name != "reader"}
    return _reader(recipe)(source, **{"batch_size": recipe.batch_size or 1, "seed": recipe.seed, **arguments})


def _begun_before_clips(data):
    """Whether a recipe's data may be sounds that were cut at their start, as they were once unless a crop was given."""
    return data.get("reader") == "audio" and "crop" not in data


def _read_as_before(recipe, source, before):
    """The recipe and its data, as a training that is gone on with read them when it began."""
    dataset = _read_data(recipe, source)
    if before and _begun_before_clips(recipe.data) and before.get("fingerprint") != dataset.fingerprint:
        then = changed(recipe, {"data.crop": "start"})
        cut = _read_data(then, source)
        if cut.fingerprint == before["fingerprint"]:
            return then, cut
    return recipe, dataset


def _check_same_data(folder, before, dataset, source):
    known = before and before.get("fingerprint")
    if known and known != provenance.fingerprint_of(dataset):
        counts = before.get("count"), getattr(dataset, "count", None)
        same = counts[0] == counts[1]
        differ = "as many, but other samples" if same else f"{counts[0]} samples then, {counts[1]} now"
        raise ValueError(
            f"data={str(source)!r} is not what {str(folder)!r} was trained on, {before['data']!r} as it was then: "
            f"{differ}. Going on would not be the same training: give the same data, or another folder, with "
            "--finetune to start from this model."
        )


def _following(recipe, dataset):
    """The recipe with the arguments of the model that follow from the data, by the names that types give them."""
    spec = dataset.element_spec
    samples, labelled = (spec[0], len(spec) > 1) if isinstance(spec, tuple) else (spec, False)
    follows = dict(getattr(dataset, "model_arguments", {"image_shape": list(samples.shape[1:])}))
    if labelled and getattr(dataset, "class_names", None):
        follows["num_classes"] = len(dataset.class_names)
    known = inspect.signature(registry.gan_class(recipe.gan_type)).parameters
    follows = {name: value for name, value in follows.items() if name in known}
    return dataclasses.replace(recipe, model={**recipe.model, **follows})


def _say_classes(recipe, dataset):
    """Prints the classes that the data have, if names or counts are known of them."""
    counts = getattr(dataset, "class_counts", None)
    names = getattr(dataset, "class_names", None)
    if not names:
        return
    named = dict(enumerate(recipe.class_names or names))
    shown = [named.get(number, str(number)) for number in range(len(names))]
    if counts is not None:
        shown = [f"{name} {count}" for name, count in zip(shown, counts, strict=True)]
    console.write(f"{len(names)} class{'es' * (len(names) != 1)}: {classes.listed(shown)}.")


def _with_number_format(recipe, dataset, strategy):
    """The recipe with the number format in which this model trains fastest here, the same one on all workers."""
    import keras

    from kerasgan import callbacks, distribution, precision

    def samples_per_second(dtype):
        with distribution.scope(strategy):
            gan = _build(dataclasses.replace(recipe, dtype=dtype))
        batches = dataset.endless(0) if hasattr(dataset, "endless") else dataset.repeat()
        trial = gan.fit(batches, steps_per_epoch=_TIMED_STEPS, callbacks=[callbacks.Throughput()], verbose=0)
        return trial.history["samples_per_second"][0]

    chosen, reason = precision.choose(samples_per_second)
    if len(set(distribution.values_of_workers(strategy, precision.CHOICES.index(chosen)))) > 1:
        chosen, reason = "float32", "which all workers are good at: they measured different ones as the fastest"
    console.write(f"Number format: {chosen}, {reason}.")
    keras.utils.set_random_seed(recipe.seed)  # models that were measured have drawn numbers
    return dataclasses.replace(recipe, dtype=chosen)


def _devices(strategy):
    return strategy.num_replicas_in_sync if strategy else 1


def _with_defaults(recipe, dataset, devices):
    """The recipe with what nobody gave, derived from the data, and the data in batches of that size."""
    import keras

    cls, start = registry.gan_class(recipe.gan_type), registry.TYPES[recipe.name]
    # Optimizers that the type starts from are not given: their rates, too, follow from the batch.
    names = ("discriminator_optimizer", "generator_optimizer")
    own = {name: start.compile[name] for name in names if name in start.compile}
    given = {name: value for name, value in recipe.compile.items() if value != own.get(name)}
    optimizers = [keras.optimizers.get(copy.deepcopy(optimizer)) for optimizer in own.values()]
    rates = [float(optimizer.learning_rate) for optimizer in optimizers or cls.default_optimizers()]
    spec = dataset.element_spec
    shape = (spec[0] if isinstance(spec, tuple) else spec).shape
    edge = max(shape[1:-1]) if len(shape) > 3 else None  # sounds have none
    count = getattr(dataset, "count", None)
    batch, derived, chosen = defaults.derive(
        given, rates, edge, count, recipe.batch_size, devices, cls.default_batch_size, start.largest_batch
    )
    if chosen:
        values = ", ".join(f"{name} {str(value).strip('[]')}" for name, value in chosen.items())
        console.write(f"Chosen for {count or 'these'} samples of {'x'.join(map(str, shape[1:]))}: {values}.")
    if recipe.batch_size is None:
        dataset = dataset.rebatched(batch)
    return dataclasses.replace(recipe, batch_size=batch, compile={**recipe.compile, **derived}), dataset


def _first_epoch(dataset):
    """The training's own first epoch, wherever it goes on; None where that would read the whole of a stream."""
    seekable = getattr(dataset, "seekable", False) and int(dataset.cardinality()) > 0
    return dataset.endless(0).take(dataset.cardinality()) if seekable else None


def _check_devices(strategy, recipe, dataset):
    """Raises a ValueError if the training cannot be shared by the devices."""
    from kerasgan import distribution

    devices = _devices(strategy)
    if recipe.batch_size % devices:
        raise ValueError(
            f"batch_size={recipe.batch_size} cannot be divided among {devices} devices: give a multiple of {devices}, "
            "or other devices."
        )
    if distribution.workers(strategy) > 1 and (not hasattr(dataset, "endless") or int(dataset.cardinality()) < 1):
        raise ValueError(
            "Several machines need data of a known number of samples, from which each can read its part: a folder, a "
            "zip or shards, not a stream."
        )


def _checkpoints(folder):
    """The checkpoints in a folder: [(name, size)]."""
    found = [folder / name for name in (CHECKPOINT, PREVIOUS)]
    return [(path.name, path.stat().st_size) for path in found if path.is_file()]


def _check_agreement(strategy, values):
    """Raises a ValueError if these values, from which the training follows, are not the same on all workers."""
    from kerasgan import distribution

    digest = hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).digest()
    digests = distribution.values_of_workers(strategy, int.from_bytes(digest[:4], "big") >> 1)
    others = [str(number) for number, other in enumerate(digests) if other != digests[0]]
    if others:
        raise ValueError(
            f"Not all workers would do the same training as worker 0: {', '.join(others)} found another recipe, other "
            "data or another checkpoint. Start the same command on all of them, with a run folder that all of them see "
            "(a shared file system) and the same data."
        )


def _default_epochs(recipe, dataset, follow_data, initial):
    batches = int(dataset.cardinality())
    if not (follow_data or initial) or batches < 1:
        return recipe.epochs
    samples = _FINETUNING_SAMPLES if initial else _SAMPLES
    return max(1, math.ceil(samples / (batches * recipe.batch_size)))


def _start(recipe, initial):
    """A compiled GAN: fresh, or with the weights of `initial`."""
    gan = _build(recipe)
    if initial is None:
        return gan
    trained = load(initial, compile=False)
    if type(trained) is not registry.gan_class(recipe.gan_type):
        raise ValueError(f"{initial!r} is a {type(trained).__name__}, the recipe trains a {recipe.gan_type}.")
    for name, network in networks(trained).items():
        for part in (name, f"ema_{name}"):
            if hasattr(gan, part):
                getattr(gan, part).set_weights(getattr(trained, f"ema_{name}", network).get_weights())
    gan.samples_seen.assign(trained.samples_seen)
    return gan


def _build(recipe):
    try:
        return registry.build(changed(recipe, {}))  # a copy: Keras puts objects into the dicts it is given
    except TypeError as error:  # what Keras raises for names and configurations that it does not know
        raise ValueError(f"The recipe's arguments of model or compile are wrong: {error}") from error


def networks(gan, averages=False):
    """The GAN's networks by name, with or without the moving averages."""
    import keras

    left_out = "_" if averages else ("_", "ema_")
    return {
        name: value
        for name, value in vars(gan).items()
        if isinstance(value, keras.Model) and not name.startswith(left_out)
    }


@contextlib.contextmanager
def _alone(folder):
    """Keeps other processes from training in the folder, and removes what a killed one left half-written."""
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise OSError(
            f"out={str(folder)!r}: another process is training there; wait for it or give another folder."
        ) from None
    try:
        files.sweep(folder)
        for path in folder.glob(".[0-9]*-*"):  # what versions before the locks of `files.scratch` have left
            if path.is_file():
                path.unlink()
        yield
    finally:
        lock.release()


# Training ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _explaining(folder, record, strategy):
    """Adds to an error of the system, such as a full disk, that the run is not lost and how to go on."""
    from kerasgan import distribution

    try:
        with distribution.noticing_loss(strategy), _noticing_lost_data():
            yield
    except OSError as error:
        if not any((folder / name).is_file() for name in (CHECKPOINT, PREVIOUS)):
            raise
        causes = {distribution.WorkerLost: "all workers are started again", DataLost: "the data can be read again"}
        cause = causes.get(type(error), "the cause is gone (is the disk full?)")
        raise type(error)(
            f"The training in {str(folder)!r} stopped: {error} Its last checkpoint is whole: once {cause}, the same "
            f"command goes on from there{': ' + record['command'] if record['command'] else ''}."
        ) from error


@contextlib.contextmanager
def _noticing_lost_data():
    """Turns what TensorFlow makes of an error of the data's reader into a `DataLost` in the reader's words."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        said = re.findall(r"^ValueError: (.+)$", error.message, re.MULTILINE)
        if not said:  # not of Python's making
            raise
        raise DataLost(said[-1]) from error


def _sheets_every(recipe):
    return max(1, recipe.epochs // _MOST_SHEETS)


def _fit(gan, dataset, recipe, folder, checkpoint, position, limit_steps, record, watchers):
    import keras

    from kerasgan import callbacks, distribution

    epoch, step = position
    interruption = callbacks.Interruption(limit_steps)
    steps = int(dataset.cardinality()) // gan.batches_per_step  # negative if the data set does not know
    watchers = [
        callbacks.Throughput(),
        callbacks.StopOnNaN(folder),
        *watchers,
        # When training begins, the data have been checked: a mistake in the command leaves no run folder behind.
        keras.callbacks.LambdaCallback(on_train_begin=lambda logs: _write(gan, recipe, folder, record)),
        callbacks.Log(folder / LOG),
        callbacks.Progress(epochs=recipe.epochs, steps=max(steps, 0)),
        callbacks.SampleGrid(folder / SAMPLES, seed=recipe.seed or 0, every=_sheets_every(recipe)),
        checkpoint,  # after all that is written of an epoch, which is trained again if that fails
        interruption,
    ]
    if distribution.worker(gan.distribute_strategy):  # others than the chief write nothing
        watchers = [callbacks.StopOnNaN(folder), checkpoint, interruption]
    if epoch < recipe.epochs:
        of = _of(gan, recipe, steps, record["count"])
        every = _sheets_every(recipe)
        sheets = f" Samples are saved every {every} epochs." if every > 1 else ""
        console.write(f"Training {recipe.name} into {folder}: {recipe.epochs} epochs{of}.{sheets} Ctrl-C saves.")
    if step >= steps > 0:
        epoch, step = epoch + 1, 0
    try:
        with interruption.listening():
            if step and epoch < recipe.epochs:  # first the rest of the epoch that was interrupted
                checkpoint.set_model(gan)
                checkpoint.begin_at(epoch, step)
                _fit_epochs(gan, dataset, steps, epoch, epoch + 1, step, watchers)
                epoch += 1
            if epoch < recipe.epochs and not gan.stop_training:
                _fit_epochs(gan, dataset, steps, epoch, recipe.epochs, 0, watchers)
    except callbacks.Interrupted:
        checkpoint.save()
        if interruption.signalled:
            raise Interrupted(
                f"Stopped and saved in epoch {checkpoint.epoch + 1} of {recipe.epochs}; "
                f"the same command goes on from there{': ' + record['command'] if record['command'] else ''}."
            ) from None


def _fit_epochs(gan, dataset, steps, epoch, epochs, step, watchers):
    """Trains from a step of an epoch to the end of another, on the batches that belong there."""
    from kerasgan import distribution

    if steps < 1 or not hasattr(dataset, "endless"):  # a stream of unknown length, another reader: epoch by epoch
        gan.fit(dataset, initial_epoch=epoch, epochs=epochs, callbacks=watchers, verbose=0)
        return
    strategy = gan.distribute_strategy
    place = (distribution.worker(strategy), distribution.workers(strategy))
    batches = dataset.endless((epoch * steps + step) * gan.batches_per_step, worker=place)
    remaining = {"initial_epoch": epoch, "epochs": epochs, "steps_per_epoch": steps - step}
    gan.fit(batches, **remaining, callbacks=watchers, verbose=0)


def _of(gan, recipe, steps, count):
    """What an epoch is: how many samples, of how many, as those that fill no batch wait for another epoch."""
    samples = steps * gan.batches_per_step * recipe.batch_size
    devices = gan.distribute_strategy.num_replicas_in_sync
    on = f" on {devices} devices" if devices > 1 else ""
    if steps < 1:
        return on
    if count in (None, samples):
        return f" of {samples} {gan.media.plural}{on}"
    others = ", each time others, as batches are whole" if recipe.data.get("shuffle", True) else " that fill batches"
    return f" of {samples} of the {count} {gan.media.plural}{others}{on}"


def _write(gan, recipe, folder, record):
    """Writes `recipe.json`."""
    import keras
    import numpy
    import tensorflow

    import kerasgan

    modules = {"kerasgan": kerasgan, "tensorflow": tensorflow, "keras": keras, "numpy": numpy}
    values = {
        "recipe": dataclasses.asdict(recipe),
        **record,
        "gan": gan.get_config(),
        "compile": gan.get_compile_config(),
        "versions": {"python": platform.python_version(), **{name: m.__version__ for name, m in modules.items()}},
    }
    with files.atomic(folder / RECIPE) as temporary:
        temporary.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")


def _finish(gan, recipe, folder, record):
    """Writes what others take from the run: samples, and weights in half precision that the recipe names."""
    from kerasgan import callbacks

    gan.media.save_sheet(gan.preview(64, recipe.seed or 0), folder / f"{SAMPLES}{gan.media.sheet_extension}")
    if not any((folder / SAMPLES).glob("animation.*")):  # an error, such as a full disk, came in between
        sheets = callbacks.SampleGrid(folder / SAMPLES)
        sheets.set_model(gan)
        sheets.animate()
    made = []
    for name, network in networks(gan).items():
        path = weights.save_half(getattr(gan, f"ema_{name}", network), folder / f"{name}.weights.h5")
        made.append(weights.WeightFile.from_file(path, name))
    _write(gan, dataclasses.replace(recipe, weights=tuple(made)), folder, record)
