"""Publishes a run folder as a zoo entry: weights in half precision, sample sheets, and the card.

    python tools/publish_entry.py --run runs/dcgan_celeba --name dcgan_celeba

The entry's `recipe.py` must be there already, and the run must have been trained by it: another recipe is refused. The
newest checkpoint of the run is published; if its training has not ended, the card says so. Into `zoo/<name>/` go

- `generator.weights.h5` and so on, and `weights.json`, which the registry reads: their names, sizes and sha256;
- `samples.png` and `samples_more.png`: samples of two seeds, made by `kerasgan.load` from those very files;
- `card.md`, generated from the run. Its introduction is the first paragraph of the docstring of `recipe.py`; what
  follows there, if anything does, becomes the section on limits: what the model does badly.

With `--noshare`, for data whose licence does not let weights and pictures be shared, `card.md` alone is written.

Scores and exported files' figures of earlier weights are removed; `tools/score_entry.py` and
`tools/benchmark_generators.py` make those of the new ones.
"""

import dataclasses
import importlib
import inspect
import json
import pathlib
import sys

from absl import app, flags

import kerasgan.zoo
from kerasgan import files, recipes, registry, runs, weights
from kerasgan.metrics import result

SHEETS = {"samples": 7, "samples_more": 11}  # file names and seeds; nothing is picked
MOST = 64  # samples on a sheet of classes
ZOO = pathlib.Path(__file__).resolve().parents[1] / "zoo"


def publish(run, name, zoo=ZOO, source=None, share=True):
    """Turns a run folder into the zoo entry `name`.

    Args:
        run: the run folder.
        name: one of `kerasgan.registry.ZOO`, or of `RECIPES` if it does not share its weights.
        zoo: the folder of all entries; `zoo/<name>/recipe.py` is there.
        source: for what makes images from images, the data whose images its sheets show; their licence must allow it.
            None shows stand-ins.
        share: whether weights and sheets are published, too, and not only the card.

    Returns:
        The folder of the entry.

    Raises:
        ValueError: the run was not trained by the entry's recipe.
        OSError: no run folder with a checkpoint, or a file cannot be read or written.
    """
    run, zoo = pathlib.Path(run), pathlib.Path(zoo).resolve()
    if not (zoo / name / "recipe.py").is_file():
        raise FileNotFoundError(f"name={name!r}: write {str(zoo / name / 'recipe.py')!r} first.")
    kerasgan.zoo.__path__.insert(0, str(zoo))  # the registry, and so `kerasgan.load`, shall find the entry there
    recipe = registry.get(name)
    record = _record(run, recipe)
    about, *limits = _about(name)

    trained, position = _trained(run, recipe)
    for measured in (registry.SCORES, registry.PHONE):
        (zoo / name / measured).unlink(missing_ok=True)
    if share:
        shown = _publish_models(trained, recipe, zoo / name, source, _known_of_data(record))
    else:
        shown = [_use_of_runs(recipe, trained)]
    card = [
        f"# {name}\n\nMakes {recipe.makes}.\n\n{about}",
        _unfinished(recipe, position),
        *shown,
        _model(registry.get(name), trained),
        _training(recipe, record, [*_progress(recipe, trained, position), *_time(run, position)]),
        result.markdown([]),
        "\n\n".join(["## Limits", *limits]) if limits else "",
    ]
    with files.atomic(zoo / name / "card.md") as temporary:
        temporary.write_text("\n\n".join(filter(None, card)) + "\n", encoding="utf-8")
    return zoo / name


# What is read --------------------------------------------------------------------------------------------------------


def _record(run, recipe):
    """What `recipe.json` says of the run, if it was trained by the recipe."""
    if not (run / runs.RECIPE).is_file():
        raise FileNotFoundError(f"run={str(run)!r} is no run folder: it holds no {runs.RECIPE}.")
    runs.check_name(str(run))
    used = runs.recipe_of(run)
    record = json.loads((run / runs.RECIPE).read_text(encoding="utf-8"))
    if record["asked"]["initial"] is not None:
        raise ValueError(f"run={str(run)!r} was fine-tuned: an entry's weights come from its own recipe alone.")
    # The weights are what is published, the card tells the epochs, and what the entry says of its data is not trained.
    there, here = (runs.what_is_trained(r) for r in (used, recipe))
    _check_equal(there, here, f"the recipe {recipe.name!r}")
    # What the recipe leaves to the type's defaults must not have changed since.
    fresh = registry.build(dataclasses.replace(recipe, fitted=used.fitted), compile=False)
    there, here = record["gan"], json.loads(json.dumps(fresh.get_config(), default=str))
    both = (there.keys() & here.keys()) - {"name", "class_names"}
    _check_equal({key: there[key] for key in both}, {key: here[key] for key in both}, "the defaults of this version")
    return record


def _check_equal(there, here, what):
    found = [f"{name} is {then!r} in the run, {now!r} here" for name, then, now in recipes.differences(there, here)]
    if found:
        raise ValueError(
            f"The run was not trained by {what}: {'; '.join(found)}. Publish a run that was trained by the "
            "entry's recipe, or put the recipe right."
        )


def _known_of_data(record):
    """What the entry goes on to know of its data: what tells them from others, and what the reader fitted to them."""
    fitted = record["recipe"].get("fitted")
    return {"fingerprint": record["fingerprint"], **({} if fitted is None else {"fitted": fitted})}


def _about(name):
    """The paragraphs of the docstring of `recipe.py`."""
    text = inspect.getdoc(importlib.import_module(f"kerasgan.zoo.{name}.recipe"))
    if not text:
        raise ValueError(f"The recipe.py of {name!r} has no docstring, which the card takes its introduction from.")
    return text.strip().split("\n\n")


# What is written -----------------------------------------------------------------------------------------------------


def _trained(run, recipe):
    """(trained GAN, (epochs, further steps))."""
    from kerasgan.callbacks import Checkpoint

    registry.gan_class(recipe.gan_type)  # a class of one's own is known to Keras once imported
    gan, *position = Checkpoint.load(run, compile=False)
    return gan, position


def _publish_models(trained, recipe, folder, source, known):
    """Writes the weights, and sheets of what is loaded from them; returns the sections of the card that show it."""
    _publish_weights(trained, folder, known)
    gan = kerasgan.load(recipe.name, compile=False)
    if source is not None:
        # Not `recipe`, which knows nothing of what was fitted to the data before it is published.
        gan.task.show_data(gan, registry.get(recipe.name), source, MOST)
    sheets = [_save_sheet(gan, folder / f"{sheet}{gan.media.sheet_extension}", seed) for sheet, seed in SHEETS.items()]
    return [_samples(gan, sheets), _use(recipe, gan)]


def _publish_weights(gan, folder, known):
    """Writes the weight files, their list, and what is known of their data."""
    made = []
    for part, network in runs.networks(gan).items():
        path = weights.save_half(getattr(gan, f"ema_{part}", network), folder / f"{part}.weights.h5")
        made.append(dataclasses.asdict(weights.WeightFile.from_file(path, part)))
    with files.atomic(folder / registry.WEIGHTS) as temporary:
        published = {"samples_seen": int(gan.samples_seen), **known, "weights": made}
        temporary.write_text(json.dumps(published, indent=2) + "\n", encoding="utf-8")


def _save_sheet(gan, path, seed):
    """Saves a sheet, a class in each column where there are classes."""
    columns = _columns(gan)
    count = MOST // columns * columns if columns else gan.media.samples_on_sheet
    return gan.save_preview(path, count, seed, columns)


def _columns(gan):
    return gan.num_classes if gan.num_classes and gan.num_classes <= MOST else None


# The card ------------------------------------------------------------------------------------------------------------


def _unfinished(recipe, position):
    epochs, steps = position
    if epochs >= recipe.epochs:
        return ""
    further = f" and {steps} steps" if steps else ""
    return f"**Unfinished training**: a checkpoint after {epochs} of {recipe.epochs} epochs{further}."


def _samples(gan, sheets):
    picture = "!" if sheets[0].suffix == ".png" else ""
    shown, further = gan.task.sheets_caption(gan, SHEETS.values(), in_columns=_columns(gan) is not None)
    beside = sorted(path.name for path in sheets[0].parent.glob(f"{sheets[0].stem}.*") if path != sheets[0])
    beside = "".join(f" The first of them: [{name}]({name})." for name in beside)  # such as sounds to hear
    return (
        f"{picture}[{gan.media.plural}]({sheets[0].name})\n\nNot picked: {shown}. {further} are in "
        f"[{sheets[1].name}]({sheets[1].name}).{beside}"
    )


def _flags(name, gan):
    """What follows a model's name in an example of its command, the file that it writes included."""
    flags = gan.task.flags_of_use
    return flags if "-o" in flags.split() else f"{flags} -o {name}{gan.media.extension}"


def _use(recipe, gan):
    data = runs.for_other_data(recipe).data
    arguments = [f"{key}={value!r}" for key, value in data.items() if key != "reader"]
    arguments += ["fitted=gan.media.fitted"] * (gan.media.fitted is not None)  # to be read as its own data were
    arguments = ", ".join(['"my_data/"', *arguments])
    return f"""## Use

```python
import kerasgan

gan = kerasgan.load("{recipe.name}")
{gan.task.call(gan, data)}
gan.fit(kerasgan.data.{data["reader"]}({arguments}), epochs=20)
```

```
{gan.task.use(recipe.name)} {_flags(recipe.name, gan)}
kerasgan train {recipe.name} --finetune --data my_data/ --out runs/mine
```"""


def _use_of_runs(recipe, gan):
    use = f"{gan.task.use(f'runs/{recipe.name}')} {gan.task.flags_of_use}"
    return f"""## Use

Its weights are not shared, nor are pictures of what it makes; the recipe trains it on your copy of the data.

```
kerasgan train {recipe.name} --data DATA --out runs/{recipe.name}
{use} -o {recipe.name}{gan.media.extension}
```"""


def _model(recipe, gan):
    head = ("network", "parameters", "file, half precision", "size", "sha256 begins with")
    rows = []
    for file in recipe.weights:
        parameters = f"{getattr(gan, file.part).count_params():,}"
        rows.append((file.part, parameters, file.filename, f"{file.size / 1e6:.2f} MB", file.sha256[:16]))
    if not rows:
        head, rows = head[:2], [(part, f"{network.count_params():,}") for part, network in runs.networks(gan).items()]
    paper = " ".join(inspect.getdoc(type(gan)).split("\n\n")[0].split())
    return f"""## Model

`{recipe.gan_type}`: {paper}

{_table(head, rows)}

## Data and licences

- Trained on: {recipe.data_name}
- Licence of the data: {recipe.data_license}
- Licence of the weights: {recipe.license}"""


def _training(recipe, record, rows):
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    arguments = "\n".join(
        f"{field}.{name} = {json.dumps(value)}"
        for field in ("model", "compile", "data")
        for name, value in getattr(recipe, field).items()
    )
    return f"""## Training

`kerasgan train {recipe.name} --data DATA --out RUN` trains it again.

{_table(("", ""), [*rows, ("versions", versions)])}

Arguments; what is not listed has the default of the type:

```
{arguments}
```"""


def _progress(recipe, trained, position):
    epochs, steps = position
    further = f" and {steps} steps" if steps else ""
    of = "" if position == [recipe.epochs, 0] else f"; the recipe has {recipe.epochs}"
    return [
        ("batch size", recipe.batch_size),
        ("epochs", f"{epochs}{further}{of}"),
        ("samples seen", f"{int(trained.samples_seen):,}"),
        ("precision", recipe.dtype),
        ("seed", recipe.seed),
    ]


def _time(run, position):
    """The row of the training time, as far as the log of finished epochs tells."""
    from kerasgan.callbacks.log import read

    rows = [row for row in read(run / runs.LOG) if row["epoch"] <= position[0]]
    if not rows or not rows[-1]["seconds"]:
        return []
    samples, seconds = rows[-1]["samples"], rows[-1]["seconds"]
    hours, minutes = divmod(round(seconds / 60), 60)
    time = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes > 1 else f"{seconds:.0f} s"
    return [("time", f"{time}, {samples / seconds:.3g} samples a second")]


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).replace("|", "\\|").split())


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        folder = publish(values.run, values.name, values.zoo, values.data, values.share)
    except (ValueError, OSError) as error:
        sys.exit(f"publish_entry: error: {error}")
    print(f"Published {values.name} in {folder}. Look at the sheets before you check it in.")


if __name__ == "__main__":
    flags.DEFINE_string("run", None, "The run folder.", required=True)
    flags.DEFINE_string("name", None, "The zoo entry; one of kerasgan.registry.ZOO.", required=True)
    flags.DEFINE_string("data", None, "For what translates or upscales: the data whose images the sheets show.")
    flags.DEFINE_boolean("share", True, "Whether weights and sheets are published, too, and not only the card.")
    flags.DEFINE_string("zoo", str(ZOO), "The folder of all entries.")
    app.run(main)
