"""More labelled samples than there are: by a GAN that has learned the classes of the training part."""

import json
import pathlib
import re

from kerasgan import console, files, provenance, registry, runs
from kerasgan.checks import is_number, is_whole

MINUTES = 30  # of a training whose time nobody gave
PER_CLASS = 500
INSIDE = ".augment"  # hidden, so that readers pass over it: the GAN's run folder, and the record
RECORD = "made.json"
_RUN = "gan"
_FORMAT = 1
_MOST_MINUTES = 1_000_000


def augment(
    source,
    out,
    per_class=PER_CLASS,
    *,
    gan=None,
    labels=None,
    minutes=None,
    everything=False,
    changes=None,
    seed=0,
    command=None,
):
    """Makes labelled samples like those of a data set: a folder a class, as `kerasgan augment` does.

    A GAN that is told the class learns the training part of the data, and nothing else: `x_train` or `train/` where the
    data have such a part, else nine samples in ten; the tenth stays for tests. (A GAN that has seen test samples gives
    them away to whatever learns from its own.) Every sample is kept as it comes; none is left out by a classifier,
    which would judge itself later. Samples are in `out/CLASS/00000.png`, or `.wav`, and whatever reads the data reads
    them. The same call again goes on where it stopped.

    Args:
        source: the data, as readers take them: a folder of folders, a zip, an `.npz` file.
        out: the folder, new or of the same call before.
        per_class: samples of each class.
        gan: a type that has classes, which is trained; or a pretrained model or a run folder of the same classes, which
            is taken as it is. Nobody but you knows whether one of these has seen your test samples. None trains what
            suits the kind of the data: a `DCGAN`, or of sounds a `WaveGAN`.
        labels: where the classes are, as the reader takes it: True for folders or the labels of arrays; of sounds
            "name" for what comes first in the name of a file. None takes what the recipe of `gan` says, or True.
        minutes: that the training is to take; None takes 30.
        everything: whether it learns from all of the data, where the test set is another one.
        changes: other values of the recipe, as `kerasgan.runs.changed` takes them, such as {"data.size": 32}.
        seed: of training and samples.
        command: how a user would repeat this, for messages.

    Returns:
        {class: number of samples in its folder}.

    Raises:
        ValueError: an argument does not fit, or the data: no classes, one class, a class of a single sample; `gan` has
            no classes or others.
        FileExistsError: `out` holds files of another origin.
        OSError: it cannot be written.
        kerasgan.runs.training.Interrupted: after Ctrl-C in the training, when everything has been saved.
    """
    folder = check(source, out, per_class, gan, minutes)
    changes = dict(changes or {})
    asked = {"per_class": per_class, "gan": gan and str(gan), "labels": labels, "everything": everything}
    asked |= {"seed": seed, "changes": changes}
    before = _before(folder, asked)
    console.import_tensorflow()
    from kerasgan.data.labelled import parts_of
    from kerasgan.synthetic import labelled, plans

    recipe = runs.changed(plans.planned(source, gan, labels), {"seed": seed, **changes})
    part = {} if everything else parts_of(source, **recipe.data)[0]
    dataset, recipe = labelled.read(recipe, source, part)
    _check_names(dataset.class_names)
    if before and before["fingerprint"] != dataset.fingerprint:
        raise ValueError(f"out={str(out)!r} was made from other data than {str(source)!r}: give another folder.")
    record = {"format": _FORMAT, "asked": asked, "fingerprint": dataset.fingerprint, "part": part}
    if gan is None or gan in registry.TYPES:
        model = _trained(recipe, source, folder, dataset, gan, minutes, command)
        numbers = range(len(dataset.class_names))
    else:
        model = runs.load(gan, compile=False)
        numbers = plans.matched(dataset.class_names, model, gan)
        console.write(f"{gan} is taken as it is: test on nothing that it may have seen.")
    _write_record(folder, record)
    counts = _write(model, _present(dataset, numbers), folder, per_class, seed)
    about = {"made_by": f"kerasgan, {type(model).__name__}", "data": provenance.called(source), "classes": counts}
    _write_record(folder, record | about)
    return counts


def check(source, out, per_class, gan, minutes):
    """Raises an error for arguments that cannot be right, before TensorFlow is imported. Returns `out` as a path."""
    if not is_whole(per_class):
        raise ValueError(f"per_class={per_class!r}: expected a whole number of samples, at least 1.")
    check_minutes(minutes)
    if gan is not None and gan not in registry.TYPES:
        runs.check_name(gan)
    check_source(source)
    folder = files.check_folder(out, name="out")
    if _inside(folder, source):
        raise ValueError(f"out={str(out)!r} lies in {str(source)!r}: it would become data. Give another place.")
    return folder


def check_minutes(minutes):
    if minutes is not None and not (is_number(minutes) and 0 < minutes <= _MOST_MINUTES):
        raise ValueError(f"minutes={minutes!r}: expected a number above 0, up to {_MOST_MINUTES:,}.")


def check_source(source):
    """Raises a FileNotFoundError for a path that is not there."""
    if isinstance(source, str) and source.startswith("tfds:"):
        raise ValueError(f"data={source!r}: give files or arrays; kerasgan convert --labels makes files of it.")
    files.check_given(source, "data")
    if not pathlib.Path(source).expanduser().exists():
        raise FileNotFoundError(f"data={str(source)!r} does not exist; give a folder, a zip or a .npz file.")


def _inside(folder, source):
    data = pathlib.Path(source).expanduser().resolve()
    return data.is_dir() and data in (folder.resolve(), *folder.resolve().parents)


def _before(folder, asked):
    """The record of an earlier call; None of a new folder. Raises an error where something else is there."""
    path = folder / INSIDE / RECORD
    if not path.exists():
        held = sorted(one.name for one in folder.iterdir() if not one.name.startswith(".")) if folder.is_dir() else []
        if held:
            raise FileExistsError(f"out={str(folder)!r} holds {held[0]!r}, which kerasgan augment did not write there.")
        return None
    record = files.read_json(path, _checked, "cannot be read", ": damaged, or not written by kerasgan.")
    others = [name for name in asked if json.loads(json.dumps(asked[name])) != record["asked"].get(name)]
    if others:
        there, now = record["asked"].get(others[0]), asked[others[0]]
        raise ValueError(
            f"out={str(folder)!r} was made with another {others[0]} ({there!r}, now {now!r}): give another folder."
        )
    return record


def _checked(record):
    if not isinstance(record.get("asked"), dict) or "fingerprint" not in record:
        raise ValueError("no record of augment")
    return record


def _check_names(names):
    """Raises a ValueError for a class that no folder can be called by."""
    for name in names:
        if re.search(r'[\\/:*?"<>|\x00-\x1f]', name) or name.startswith(".") or name != name.strip():
            raise ValueError(f"The class {name!r} cannot be the name of a folder; rename it in the data.")


def _present(dataset, numbers):
    """{name: number that the GAN has for it} of the classes that have samples; numbers between others may be none."""
    counts = dataset.class_counts or [None] * len(numbers)
    known = zip(dataset.class_names, numbers, counts, strict=True)
    return {name: number for name, number, count in known if count != 0}


def _trained(recipe, source, folder, dataset, gan, minutes, command):
    """The GAN of the folder: trained, or gone on with, or as it was when its training had ended."""
    if gan is None:
        recipe = runs.changed(recipe, {"batch_size": min(recipe.batch_size, dataset.count)})
    run = folder / INSIDE / _RUN
    (folder / INSIDE).mkdir(parents=True, exist_ok=True)
    return runs.train(
        recipe, source, run, follow_data=True, duration=MINUTES if minutes is None else minutes, command=command
    )


def _write(model, numbers, folder, per_class, seed):
    """Writes the folders of the classes that are not there yet; returns how many samples each class has."""
    media, counts = model.media, {}
    for place, (name, number) in enumerate(numbers.items()):
        counts[name] = per_class
        if (folder / name).is_dir():
            continue
        batches = model.generate_batches(per_class, labels=number, seed=seed + place)
        with files.atomic_folder(folder / name) as unfinished:
            written = 0
            for batch in batches:
                for sample in batch:
                    media.save(sample[None], unfinished / f"{written:05}{media.extension}")
                    written += 1
        console.write(f"{name}: {per_class} {media.plural}.")
    return counts


def _write_record(folder, record):
    with files.atomic(folder / INSIDE / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")
