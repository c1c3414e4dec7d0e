"""Training into a run folder, from the first step on or from where it stopped."""

import contextlib
import dataclasses
import re

from kerasgan import classes, console, files, provenance, registry, weights
from kerasgan.runs import folder as run_folder
from kerasgan.runs import preparing, resuming
from kerasgan.runs.folder import EVENTS, LOG, SAMPLES
from kerasgan.runs.reading import for_pictures_of
from kerasgan.runs.scoring import read_whole

_MINUTES = 5  # between two checkpoints
_MOST_SHEETS = 200
_SHEET_MINUTES = 3  # at most between two sheets


class DataLost(OSError):
    """The data can no longer be read."""


class Interrupted(Exception):
    """Training was stopped from outside after it had been saved."""


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
    duration=None,
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
        duration: minutes that a new training is to take, by the speed that is measured when it begins: epochs follow
            from it, and schedules of the recipe are in shares of the training then. None: the recipe's own length.

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
    from kerasgan import callbacks, distribution

    folder = files.check_folder(folder, "out")
    _check_arguments(recipe, score, rollback, strategy)
    asked = resuming.request(recipe, follow_data, initial)
    before = resuming.earlier(folder, asked)
    resuming.check_agreement(strategy, [asked, epochs, limit_steps, run_folder.checkpoints(folder)])

    wanted, recipe = recipe, preparing.with_seed(before["recipe"] if before else recipe, strategy)
    recipe, dataset = _read(recipe, source, before, initial)
    resuming.check_same_data(folder, before, dataset, source)
    resuming.check_agreement(strategy, dataset.fingerprint)

    checkpoint = callbacks.Checkpoint(folder, minutes=_MINUTES if minutes is None else minutes)
    gan, *position = _saved(folder, checkpoint, strategy) if before else (None, 0, 0)
    recipe, dataset, limit = preparing.completed(recipe, dataset, follow_data, strategy, not before, duration)
    if gan is None:
        with distribution.scope(strategy):
            gan = preparing.new_gan(recipe, initial)
    sheet_minutes = _SHEET_MINUTES if duration is None else min(_SHEET_MINUTES, duration / 5)
    if limit and limit_steps is None:
        limit_steps = max(1, limit // (recipe.batch_size * gan.batches_per_step))
    recipe = provenance.of_run(recipe, wanted, dataset, source, gan, initial)
    gan.class_names = recipe.class_names
    _say_classes(recipe, dataset)
    if epochs is None:
        is_known = before or duration is not None
        epochs = recipe.epochs if is_known else preparing.default_epochs(recipe, dataset, follow_data, initial)
    recipe = dataclasses.replace(recipe, epochs=epochs)
    if before and duration is not None:
        console.write(f"This training goes on with the {recipe.epochs} epochs that were planned when it began.")

    record = _record(asked, command, source, dataset)
    monitor = _monitor(gan, dataset, folder, rollback, checkpoint)
    watchers = [*_scorers(recipe, source, folder, score, score_every), monitor, *watchers]
    watchers += _events(recipe, folder) if tensorboard else []
    is_chief = distribution.worker(strategy) == 0
    with run_folder.alone(folder) if is_chief else contextlib.nullcontext(), _explaining(folder, record, strategy):
        _fit(gan, dataset, recipe, folder, checkpoint, position, limit_steps, record, watchers, sheet_minutes)
        if gan.task.finish(gan, recipe, source):
            checkpoint.save()
        if is_chief:
            _finish(gan, recipe, folder, record)
        distribution.leave_together(strategy)  # the chief, who writes last, would miss workers that are gone
    return gan


# Before training -----------------------------------------------------------------------------------------------------


def _check_arguments(recipe, score, rollback, strategy):
    """Raises a ValueError for what cannot be trained, scored or gone back to, before anything is read."""
    from kerasgan import distribution
    from kerasgan.metrics import evaluation

    preparing.check_arguments(recipe)
    if score:
        evaluation.check_metrics(score)
        evaluation.check_scorable(registry.gan_class(recipe.gan_type), "score")
    if rollback and distribution.workers(strategy) > 1:
        raise ValueError(f"rollback={rollback}: a training on several machines cannot go back; leave it out.")


def _read(recipe, source, before, initial):
    """The recipe and one epoch of its data; what the reader fits is fitted once, to the data of a new training."""
    if not before and initial is None:
        recipe = dataclasses.replace(recipe, fitted=None)
    recipe, dataset = resuming.read_as_before(for_pictures_of(source, recipe), source, before)
    return dataclasses.replace(recipe, fitted=dataset.fitted), dataset


def _saved(folder, checkpoint, strategy):
    """(model, epoch, step) of the newest checkpoint; None, 0, 0 where none was written yet."""
    from kerasgan import distribution

    if not run_folder.checkpoints(folder):
        return None, 0, 0
    with distribution.scope(strategy):
        return checkpoint.load(folder)


def _record(asked, command, source, dataset):
    """What `recipe.json` holds besides the recipe and the model."""
    return {
        "asked": asked,
        "command": command,
        "data": str(source),
        "fingerprint": dataset.fingerprint,
        "count": dataset.count,
    }


def _monitor(gan, dataset, folder, rollback, checkpoint):
    """What watches the training's health, beside the first of the data, which the model is shown, too."""
    from kerasgan import callbacks

    reals = _first_epoch(dataset)
    if reals is not None:  # what a translator shows of the data is the same wherever it goes on
        gan.check_first_batch(reals)
    return callbacks.CollapseMonitor(folder, real=reals, rollback=rollback, checkpoint=checkpoint)


def _scorers(recipe, source, folder, metrics, every):
    """The callback that scores the model as it trains, if metrics were asked for."""
    from kerasgan import callbacks

    if not metrics:
        return []
    options = {"metrics": metrics, "every": every, "epochs": recipe.epochs, "tensorboard": False}
    return [callbacks.Score(read_whole(recipe, source), folder, **options)]


def _events(recipe, folder):
    """The callback that writes event files for TensorBoard."""
    from kerasgan import callbacks

    return [callbacks.EventLog(folder / EVENTS, seed=recipe.seed, every=_sheets_every(recipe))]


def _say_classes(recipe, dataset):
    """Prints the classes that the data have, if names or counts are known of them."""
    counts, names = dataset.class_counts, dataset.class_names
    if not names:
        return
    named = dict(enumerate(recipe.class_names or names))
    shown = [named.get(number, str(number)) for number in range(len(names))]
    if counts is not None:
        shown = [f"{name} {count}" for name, count in zip(shown, counts, strict=True)]
    console.write(f"{len(names)} class{'es' * (len(names) != 1)}: {classes.listed(shown)}.")


def _first_epoch(dataset):
    """The training's own first epoch, wherever it goes on; None where that would read the whole of a stream."""
    seekable = dataset.seekable and int(dataset.cardinality()) > 0
    return dataset.endless(0).take(dataset.cardinality()) if seekable else None


# Training ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _explaining(folder, record, strategy):
    """Adds to an error of the system, such as a full disk, that the run is not lost and how to go on."""
    from kerasgan import distribution

    try:
        with distribution.noticing_loss(strategy), _noticing_lost_data():
            yield
    except OSError as error:
        if not run_folder.checkpoints(folder):
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


def _fit(gan, dataset, recipe, folder, checkpoint, position, limit_steps, record, watchers, sheet_minutes):
    """Trains from a position, (finished epochs, steps of the next one), to the end, unless something stops it."""
    from kerasgan import callbacks
    from kerasgan.game import feeding

    interruption = callbacks.Interruption(limit_steps)
    steps = feeding.steps_of_epoch(dataset, gan.batches_per_step)
    every = _sheets_every(recipe)
    sheets = callbacks.SampleGrid(folder / SAMPLES, seed=recipe.seed or 0, every=every, minutes=sheet_minutes)
    watchers = _all_watchers(gan, recipe, folder, record, steps, watchers, sheets, checkpoint, interruption)
    if position[0] < recipe.epochs:
        _announce(gan, recipe, folder, steps, record["count"])
    try:
        with interruption.listening():
            _fit_from(position, gan, dataset, steps, recipe.epochs, checkpoint, watchers)
    except callbacks.Interrupted:
        checkpoint.save()
        if interruption.signalled:
            raise Interrupted(
                f"Stopped and saved in epoch {checkpoint.epoch + 1} of {recipe.epochs}; "
                f"the same command goes on from there{': ' + record['command'] if record['command'] else ''}."
            ) from None


def _all_watchers(gan, recipe, folder, record, steps, watchers, sheets, checkpoint, interruption):
    """The callbacks of a training in their order, those that were asked for among them."""
    import keras

    from kerasgan import callbacks, distribution

    if distribution.worker(gan.distribute_strategy):  # others than the chief write nothing
        return [callbacks.StopOnNaN(folder), checkpoint, interruption]
    return [
        callbacks.Throughput(),
        callbacks.StopOnNaN(folder),
        *watchers,
        # When training begins, the data have been checked: a mistake in the command leaves no run folder behind.
        keras.callbacks.LambdaCallback(on_train_begin=lambda logs: run_folder.write(gan, recipe, folder, record)),
        callbacks.Log(folder / LOG),
        callbacks.Progress(epochs=recipe.epochs, steps=max(steps, 0)),
        sheets,
        checkpoint,  # after all that is written of an epoch, which is trained again if that fails
        interruption,
    ]


def _announce(gan, recipe, folder, steps, count):
    """Prints what is trained, and for how long."""
    of = _epoch_size(gan, recipe, steps, count)
    every = _sheets_every(recipe)
    sheets = f" Samples are saved every {every} epochs." if every > 1 else ""
    console.write(f"Training {recipe.name} into {folder}: {recipe.epochs} epochs{of}.{sheets} Ctrl-C saves.")
    console.write(f"Look at its samples as it learns: {folder / SAMPLES}")


def _fit_from(position, gan, dataset, steps, epochs, checkpoint, watchers):
    """Trains from a position to the end: first the rest of the epoch that was interrupted."""
    epoch, step = position
    if step >= steps > 0:
        epoch, step = epoch + 1, 0
    if step and epoch < epochs:
        checkpoint.set_model(gan)
        checkpoint.begin_at(epoch, step)
        _fit_epochs(gan, dataset, steps, epoch, epoch + 1, step, watchers)
        epoch += 1
    if epoch < epochs and not gan.stop_training:
        _fit_epochs(gan, dataset, steps, epoch, epochs, 0, watchers)


def _fit_epochs(gan, dataset, steps, epoch, epochs, step, watchers):
    """Trains from a step of an epoch to the end of another, on the batches that belong there."""
    from kerasgan import distribution

    if steps < 1 or not dataset.resumable:  # a stream of unknown length, another reader: epoch by epoch
        gan.fit(dataset, initial_epoch=epoch, epochs=epochs, callbacks=watchers, verbose=0)
        return
    strategy = gan.distribute_strategy
    place = (distribution.worker(strategy), distribution.workers(strategy))
    batches = dataset.endless((epoch * steps + step) * gan.batches_per_step, worker=place)
    remaining = {"initial_epoch": epoch, "epochs": epochs, "steps_per_epoch": steps - step}
    gan.fit(batches, **remaining, callbacks=watchers, verbose=0)


def _epoch_size(gan, recipe, steps, count):
    """What an epoch is: how many samples, of how many, as those that fill no batch wait for another epoch."""
    samples = steps * gan.batches_per_step * recipe.batch_size
    devices = gan.distribute_strategy.num_replicas_in_sync
    on = f" on {devices} devices" if devices > 1 else ""
    if steps < 1:
        return on
    if count is None or count <= samples:
        return f" of {samples} {gan.media.plural}{on}"
    others = ", each time others, as batches are whole" if recipe.data.get("shuffle", True) else " that fill batches"
    return f" of {samples} of the {count} {gan.media.plural}{others}{on}"


def _finish(gan, recipe, folder, record):
    """Writes what others take from the run: samples, and weights in half precision that the recipe names."""
    from kerasgan import callbacks

    gan.save_preview(folder / f"{SAMPLES}{gan.media.sheet_extension}", 64, recipe.seed or 0)
    if not any((folder / SAMPLES).glob("animation.*")):  # an error, such as a full disk, came in between
        sheets = callbacks.SampleGrid(folder / SAMPLES)
        sheets.set_model(gan)
        sheets.animate()
    made = []
    networks = weights.networks(gan, averages=True)
    for name in weights.networks(gan):
        path = weights.save_half(networks.get(f"ema_{name}", networks[name]), folder / f"{name}.weights.h5")
        made.append(weights.WeightFile.from_file(path, name))
    run_folder.write(gan, dataclasses.replace(recipe, weights=tuple(made)), folder, record)
