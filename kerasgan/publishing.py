"""From a trained model to what others can take: a folder or a repository of the Hugging Face Hub.

The folder is described in `kerasgan.published`, which opens it. What it says of data and licences is what the run knows
of itself (`kerasgan.provenance`); where that is nothing, whoever publishes it has to say.
"""

import dataclasses
import json
import pathlib
import re
import shutil
import tempfile

from kerasgan import files, hub, provenance, published, registry, runs, weights

SHEET_SEED = 7
_SCORES = registry.SCORES
_UNSHARED = re.compile(r"no weights are shared|\bnot shared\b")
# How the Hub writes licences that it knows; others are "other", with a name.
_OF_HUB = {
    *("apache-2.0", "mit", "cc0-1.0", "openrail", "bsd-3-clause", "gpl-3.0", "unlicense", "pddl"),
    *(f"cc-by{kind}-{version}" for kind in ("", "-sa", "-nc", "-nc-sa", "-nc-nd") for version in ("3.0", "4.0")),
}
_LONGEST = 60  # letters of a licence's name
_NOT_OTHERS_BUSINESS = ("data_dir", "download")  # of a recipe's data: where they were on this machine


def publish(name, to=None, folder=None, license=None, private=False):
    """Publishes a pretrained model or a run: to the Hub, or into a folder that anybody can put anywhere.

    ```python
    kerasgan.publishing.publish("runs/flowers", folder="flowers/", license="cc-by-4.0")
    gan = kerasgan.load("flowers/")
    ```

    Args:
        name: a pretrained model or a run folder. Of a run, the newest checkpoint is published.
        to: address on the Hub, "hf://user/model". Nothing but the files of the model is written there.
        folder: a new folder, or an empty one, instead.
        license: of the weights, such as "cc-by-4.0": where the licence of the data is not known, only whoever publishes
            the model can say it. Refused where it is known.
        private: whether a repository that is made on the Hub is seen by its owner alone.

    Returns:
        The path of the folder, a `pathlib.Path`, or the address of the page on the Hub.

    Raises:
        ValueError: an argument; a licence is missing, or forbids it; its type or its reader is not kerasgan's.
        FileNotFoundError, OSError: there is no such run, or the folder cannot be written.
        PermissionError, ConnectionError, ImportError: as `kerasgan.hub.prepare`.
    """
    if (to is None) == (folder is None):
        raise ValueError("Give one of to (hf://USER/MODEL) and folder, where the model goes.")
    recipe = checked(name, license)
    if to is not None:
        hub.prepare(to, private)
        with tempfile.TemporaryDirectory() as scratch:
            place = pathlib.Path(scratch) / runs.called(to)
            _write(name, dataclasses.replace(recipe, name=_plain(runs.called(to))), place, to)
            return hub.upload(place, to)
    folder = check_new(folder)
    with files.atomic_folder(folder) as new:
        _write(name, dataclasses.replace(recipe, name=_plain(runs.called(folder))), new, str(folder))
    return folder


def checked(name, license=None):
    """The recipe that is published of a model, its licence with it; what can be checked before TensorFlow is imported.

    Raises:
        ValueError, FileNotFoundError: as `publish`.
    """
    runs.check_name(name)
    if name not in registry.list_models():
        if hub.is_address(name) or published.is_one(name):
            raise ValueError(f"{name!r} is published already: give the run folder that it was made of.")
        if pathlib.Path(name).is_file():
            raise ValueError(f"{name!r} is a file, which has no recipe: give the run folder.")
        runs.check_run(name)
    recipe = runs.recipe_of(name)
    if _UNSHARED.search(f"{recipe.license}; {recipe.data_license}"):
        raise ValueError(f"{name!r} may not be published: {recipe.license}; its data: {recipe.data_license}.")
    # Nor is the fingerprint, by which others could find out whether they hold the same data.
    data = {key: value for key, value in recipe.data.items() if key not in _NOT_OTHERS_BUSINESS}
    licenses = {"license": _license(recipe, name, license)}
    if recipe.data_license == provenance.UNKNOWN:
        licenses["data_license"] = "not stated"
    recipe = dataclasses.replace(recipe, data=data, fingerprint="", **licenses)
    listed = recipe.weights or (weights.WeightFile("generator", "generator.weights.h5", "0" * 64, 1),)
    published.check(dataclasses.replace(recipe, weights=listed), repr(str(name)))
    return recipe


def _license(recipe, name, given):
    """The licence of the weights: what is known of it, and what is not, as whoever publishes them says it."""
    known = recipe.license.removeprefix(provenance.UNKNOWN)  # what goes on to hold of what it was fine-tuned from
    is_known = known == recipe.license != ""
    if is_known and given is not None:
        raise ValueError(f"license={given!r}: that of {str(name)!r} is known, {known!r}; leave it out.")
    if is_known:
        return known
    if given is None or not given.strip():
        raise ValueError(
            f"The licence of {str(name)!r} is not known, as that of its data is not known to kerasgan: say under which "
            f"its weights may be used, such as --license cc-by-4.0. {known.lstrip('; ')}".rstrip()
        )
    return f"{' '.join(given.split())}{known}"


def check_new(folder):
    """The folder to write, as a `pathlib.Path`, if nothing would be lost.

    Raises:
        FileExistsError, OSError: it holds something, or cannot be written.
    """
    folder = files.check_folder(folder, "--folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"--folder {str(folder)!r} is not empty; choose a new one.")
    return folder


def _plain(name):
    """A name of letters, digits and `_ . -` alone, as recipes have."""
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).lstrip("._-") or "model"


# What is written -----------------------------------------------------------------------------------------------------


def _write(name, recipe, place, address):
    """Writes all files of a published model, the card last, which shows what is loaded from the others."""
    place.mkdir(exist_ok=True)
    if name in registry.list_models():
        recipe = _copied_weights(name, recipe, place)
        scores = registry.folder_of(name) and registry.folder_of(name) / _SCORES
    else:
        recipe = _saved_weights(name, recipe, place)
        scores = pathlib.Path(name) / runs.EVALUATION
    _write_manifest(recipe, place)
    found = _copied_scores(scores, recipe, place)
    gan = published.load(place, compile=False)
    path = place / f"samples{gan.media.sheet_extension}"
    sheet = gan.save_preview(path, gan.media.samples_on_sheet, SHEET_SEED)
    _write_text(place / published.CARD, f"{_head(recipe, gan)}\n{_card(recipe, gan, address, sheet, found)}")


def _copied_weights(name, recipe, place):
    """The weight files of a pretrained model; returns the recipe with them, without their addresses."""
    listed = []
    for file in recipe.weights:
        shutil.copyfile(weights.find(file, name, registry.folder_of(name)), place / file.filename)
        listed.append(dataclasses.replace(file, url=None))
    return dataclasses.replace(recipe, weights=(*listed, *_copied_encoder(registry.folder_of(name), place)))


def _saved_weights(run, recipe, place):
    """The weights of the newest checkpoint of a run, in half precision; returns the recipe with them."""
    gan = runs.load(run, compile=False)
    listed = []
    for part, network in runs.networks(gan).items():
        path = weights.save_half(getattr(gan, f"ema_{part}", network), place / f"{part}.weights.h5")
        listed.append(weights.WeightFile.from_file(path, part))
    # Some types have an encoder among their networks, which has been written by the same name just now.
    listed += [] if (place / registry.ENCODER).is_file() else _copied_encoder(pathlib.Path(run), place)
    return dataclasses.replace(recipe, weights=tuple(listed), samples_seen=int(gan.samples_seen))


def _copied_encoder(folder, place):
    """[The file of the encoder that projections start from], copied; [] where there is none."""
    if folder is None or not (folder / registry.ENCODER).is_file():
        return []
    path = shutil.copyfile(folder / registry.ENCODER, place / registry.ENCODER)
    return [weights.WeightFile.from_file(path, registry.ENCODER_PART)]


def _copied_scores(path, recipe, place):
    """Writes scores that there are, under the model's new name; returns them."""
    from kerasgan.metrics import result  # which imports TensorFlow

    if not path or not path.is_file():
        return []
    found = [
        score if score.model == result.REAL else dataclasses.replace(score, model=recipe.name)
        for score in result.load(path)
    ]
    result.save(found, place / _SCORES)
    return found


def _write_manifest(recipe, place):
    import kerasgan

    values = {"format": 1, "kerasgan": kerasgan.__version__, "recipe": dataclasses.asdict(recipe)}
    _write_text(place / published.MANIFEST, json.dumps(values, indent=2))


def _write_text(path, text):
    with files.atomic(path) as temporary:
        temporary.write_text(f"{text.rstrip()}\n", encoding="utf-8")


# The card ------------------------------------------------------------------------------------------------------------


def _head(recipe, gan):
    """What the Hub reads: YAML, of which JSON's texts are a part."""
    license = re.sub(r"\s+", "-", recipe.license.lower())
    lines = [f"license: {license if license in _OF_HUB else 'other'}"]
    if license not in _OF_HUB:
        name = re.sub(r"[^a-z0-9.]+", "-", license)[:_LONGEST].strip(
            "-"
        )  # the Hub wants a short word; the card has all
        lines.append(f"license_name: {json.dumps(name)}")
    tags = dict.fromkeys(["gan", "keras", recipe.gan_type, gan.media.kind])
    lines += ["library_name: kerasgan", "tags:", *(f"- {tag}" for tag in tags)]
    pipeline = gan.task.hub_pipelines.get(gan.media.kind)
    lines += [f"pipeline_tag: {pipeline}"] if pipeline else []
    return "\n".join(["---", *lines, "---"])


def _card(recipe, gan, address, sheet, scores):
    """The card below its head, Markdown."""
    from kerasgan.metrics import result

    picture = "!" if sheet.suffix == ".png" else ""
    sections = [
        registry.about(recipe).rstrip(),
        f"{picture}[{gan.media.plural}]({sheet.name})\n\nNot picked: {_shown(gan)}.",
        _use(recipe, gan, address),
        _weights(recipe, gan),
        result.markdown(scores),
        _training(recipe),
    ]
    return "\n\n".join(sections)


def _shown(gan):
    return gan.task.sheets_caption(gan, [SHEET_SEED, SHEET_SEED + 1], in_columns=False)[0]


def _use(recipe, gan, address):
    shown = address if hub.is_address(address) else f"{pathlib.Path(address).name}/"
    data = runs.for_other_data(recipe).data
    extra = '"kerasgan[hub]"' if hub.is_address(address) else "kerasgan"
    return f"""## Use

`pip install {extra}`, then

```python
import kerasgan

gan = kerasgan.load("{shown}")
{gan.task.call(gan, data)}
```"""


def _weights(recipe, gan):
    from kerasgan import inversion  # which imports TensorFlow

    def row(file):
        network = inversion.build(gan) if file.part == registry.ENCODER_PART else getattr(gan, file.part)
        size = f"{file.size / 1e6:.2f} MB"
        return f"| {file.part} | {network.count_params():,} | {file.filename} | {size} | {file.sha256[:16]} |"

    rows = "\n".join(map(row, recipe.weights))
    return f"""## Weights

Arrays in half precision. Nothing in these files is run: kerasgan builds the networks and checks sizes and sha256.

| network | parameters | file | size | sha256 begins with |
| --- | --- | --- | --- | --- |
{rows}"""


def _training(recipe):
    arguments = "\n".join(
        f"{field}.{name} = {json.dumps(value)}"
        for field in ("model", "compile", "data")
        for name, value in getattr(recipe, field).items()
    )
    return f"""## Training

{recipe.samples_seen:,} samples seen, batch size {recipe.batch_size}, {recipe.dtype}, seed {recipe.seed}. Arguments;
what is not listed has the default of the type:

```
{arguments}
```"""
