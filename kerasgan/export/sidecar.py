"""The sidecar: a JSON file beside an exported one that tells an app all it must know to use it."""

import hashlib
import json
import pathlib

import kerasgan
from kerasgan import files


def path_of(path):
    """Where the sidecar of an exported file is: its name with .json behind, such as faces.tflite.json."""
    path = pathlib.Path(path)
    return path.with_name(f"{path.name}.json")


def describe(exportable, exported_format, batch_size, quantization="float32"):
    """Everything about an exported network but its file: a dict for JSON.

    `inputs` and `output` give names, shapes, dtypes and ranges; a classes' input has the names of its classes, where
    they are known. `samples` is the kind of thing that comes out. A network of several outputs has all of them in
    `outputs`; `output` is the first.
    """
    gan, recipe = exportable.gan, exportable.recipe
    media = gan.media
    outputs = [
        _described(about, exportable.outputs[about["name"]], batch_size) for about in exportable.described_outputs
    ]
    described = {
        "format": exported_format,
        "name": exportable.name,
        "gan_type": recipe.gan_type if recipe else type(gan).__name__,
        "makes": recipe.makes if recipe else media.plural,
        "quantization": quantization,
        "inputs": [],
        "output": outputs[0],
        **({"outputs": outputs} if len(outputs) > 1 else {}),
        "samples": media.kind,
        "data": {"name": recipe.data_name, "license": recipe.data_license} if recipe else None,
        "license": recipe.license if recipe else None,
        "class_names": list(gan.class_names) or None,
        "kerasgan": kerasgan.__version__,
    }
    for about, tensor in zip(gan.inference_description(), exportable.network.inputs, strict=True):
        about = {**about, "dtype": tensor.dtype, "shape": [batch_size, *tensor.shape[1:]]}
        if about["kind"] == "labels":
            about["classes"] = list(gan.class_names) or None
        described["inputs"].append(about)
    return described


def _described(about, tensor, batch_size):
    """What is said of an output, with what its tensor says; the four keys that all outputs have come first."""
    about = {**about, "dtype": tensor.dtype, "shape": [batch_size, *tensor.shape[1:]]}
    return {key: about[key] for key in ("name", "kind", "dtype", "shape")} | about


def write(described, path, target):
    """Writes the sidecar of the file `path`, which will be called `target`, beside `target`."""
    record = {**described, "file": target.name, **fingerprint(path)}
    with files.atomic(path_of(target)) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path):
    """The sidecar of an exported file, or None where there is none.

    Raises:
        ValueError: it is damaged.
    """
    path = path_of(path)
    if not path.is_file():
        return None
    return files.read_json(path, _checked, "is no sidecar of an exported model", "; export it again.")


def _checked(record):
    """The record, if it has what all readers need."""
    texts = [record.get("sha256") or "", record.get("quantization", ""), *(one["name"] for one in record["inputs"])]
    if not all(isinstance(text, str) for text in texts) or not isinstance(record["output"]["shape"], list):
        raise ValueError("its values are of other kinds")
    return record


def describes(described, path):
    """Whether a file is, byte for byte, the one that a sidecar was written for."""
    return {key: described.get(key) for key in ("size", "sha256")} == fingerprint(path)


def fingerprint(path):
    """{"size": bytes, "sha256": hex} of a file, or of all files of a folder in the order of their names."""
    path = pathlib.Path(path)
    parts = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
    digest, size = hashlib.sha256(), 0
    for part in parts:
        if path.is_dir():
            digest.update(part.relative_to(path).as_posix().encode() + b"\0")
        with open(part, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    return {"size": size, "sha256": digest.hexdigest()}
