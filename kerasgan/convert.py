"""From any source of images to a zip of PNG files or a folder of TFRecord shards that training reads quickly.

The work is done in `.OUT.partial`, a folder beside the result: one part after the other, each with a note of what it
holds. A part's content follows from its number alone, so that after an interruption the finished ones are kept. The
result takes its name when it is whole.
"""

import contextlib
import hashlib
import io
import itertools
import json
import math
import os
import re
import reprlib
import shutil
import warnings
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from kerasgan import files
from kerasgan.bars import Bar
from kerasgan.data import reading
from kerasgan.data.files import CONVERTED, BadSample, FileSource
from kerasgan.data.image import CHOICES, check_crop, check_size
from kerasgan.data.pipeline import check_choices
from kerasgan.data.pixels import to_pixels
from kerasgan.data.shards import INDEX, VERSION, Shard, ShardSource, read_index, write_shard
from kerasgan.data.sources import find

PLAN = CONVERTED  # hidden from readers
RECORD_BYTES = 128  # of a record, beside its pixels
_PART = {
    "file": str,
    "bytes": int,
    "sha256": str,
    "offsets": list,
    "labels": list,
    "bad": list,
}  # of a part's note


def convert(
    source,
    out,
    size,
    *,
    channels=3,
    crop="center",
    filter="bicubic",
    labels=False,
    subset=None,
    key=None,
    data_dir=None,
    download=False,
    shard_mb=128,
):
    """Writes images, resized as training will want them, into a zip of PNG files or a folder of TFRecord shards.

    Reading either gives the very pixels that `kerasgan.data.images` reads from `source` with the same arguments, in the
    same order where there are no labels. Images that cannot be used are named in a warning and left out. The same call
    again goes on where an interrupted one stopped.

    Args:
        source, size, channels, crop, filter, subset, key, data_dir, download: as in `kerasgan.data.images`.
        out: a name that ends in ".zip", or a folder for shards.
        labels: whether classes are kept: as folders in a zip, as numbers in shards.
        shard_mb: size of a shard in megabytes (2**20 bytes).

    Returns:
        Number of images in the result.

    Raises:
        ValueError: arguments or data do not fit, or `out` was made by another call, or is something else.
        OSError: `out` cannot be written, or another process is writing it.
    """
    size, crop, is_zip = check_size(size), check_crop(crop), str(out).lower().endswith(".zip")
    check_choices(CHOICES, channels=channels, filter=filter)
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(f"source={reprlib.repr(source)} must be a path, or tfds:NAME.")
    if not shard_mb > 0:
        raise ValueError(f"shard_mb={shard_mb!r} must be a number of megabytes above 0.")
    files.check_given(out, "out")
    out = files.check_output(out, name="out") if is_zip else files.check_folder(Path(out).absolute(), "out")
    if not str(source).startswith("tfds:"):
        files.check_apart(out, [Path(source).expanduser()], "out")
    found = find(source, labels, subset=subset, key=key, data_dir=data_dir, download=download)
    plan = {
        "version": VERSION,
        "source": source if str(source).startswith("tfds:") else Path(source).expanduser().absolute().name,
        "data": _identity(source, found),
        "size": list(size),
        "channels": channels,
        "crop": crop if isinstance(crop, str) else list(crop),
        "filter": filter,
        "labels": bool(labels),
        "subset": subset,
        "key": key,
        "shard_mb": shard_mb,
    }
    working = out.with_name(f".{out.name}.partial")
    done = _finished(out, is_zip)
    if done is not None:
        _check_same(plan, done["plan"], out, f"Give another name, or remove {str(out)!r}")
        shutil.rmtree(working, ignore_errors=True)  # left there if the last call was killed at its very end
        return done["count"]

    def prepare(item):
        pixels = to_pixels(found.read(item), size, channels, crop, filter)
        return (_png(pixels), None) if is_zip else (pixels.tobytes(), pixels.shape)

    with _alone(working, out):
        _begin(working, plan, out)
        parts = _make_parts(working, found, prepare, _part_length(plan))
        bad = [(name, BadSample(reason)) for part in parts for name, reason in part["bad"]]
        count = sum(len(part["offsets"]) for part in parts)
        reading.report(bad, count + len(bad), found.name, "skip")
        parts = [part for part in parts if part["offsets"]]
        finish = _zip if is_zip else _folder
        result = finish(working, parts, _class_names(found, parts), {"plan": plan, "count": count}, out.name)
        if out.is_dir():
            out.rmdir()  # it was found empty
        os.replace(result, out)
    shutil.rmtree(working, ignore_errors=True)
    return count


# What is there ------------------------------------------------------------------------------------------------------


def _identity(source, found):
    """What tells the data of a source from other data, as far as it shows without reading all of it."""
    known = found.listing()
    if not known and Path(source).expanduser().is_file():
        status = Path(source).expanduser().stat()
        known = f"{status.st_size} {status.st_mtime_ns}"
    known = known or f"{found.name} {found.count}"
    return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()


def _finished(out, is_zip):
    """The note in a finished result; None where there is none yet."""
    if not out.exists() or not is_zip and not any(out.iterdir()):
        return None
    try:
        if is_zip:
            with zipfile.ZipFile(out) as archive:
                note = json.loads(archive.read(PLAN))
        else:
            note = read_index(out / INDEX)
        if isinstance(note["plan"], dict) and isinstance(note["count"], int):
            return {"plan": note["plan"], "count": note["count"]}
    except (OSError, EOFError, LookupError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):
        pass  # of all kinds that damaged archives and notes bring about
    raise ValueError(
        f"out={str(out)!r} is there and was not made by kerasgan convert, or it is damaged; give another name, or "
        "remove it."
    )


def _check_same(plan, there, out, remedy):
    names = sorted(name for name in {*plan, *there} if plan.get(name) != there.get(name))
    if names:
        differences = "; ".join(f"{name}: there {there.get(name)!r}, now {plan.get(name)!r}" for name in names)
        if names == ["data"]:
            differences = "the files of the source have changed since"
        raise ValueError(f"out={str(out)!r} comes from another conversion ({differences}). {remedy}.")


def _begin(working, plan, out):
    """Makes the working folder of a conversion, or checks that the one that is there belongs to it."""
    path = working / PLAN
    remedy = f"Give another name, or remove its unfinished parts in {str(working)!r}"
    if path.is_file():
        there = _note(path, {})
        if there is None:
            raise ValueError(f"{str(path)!r}, which says what out={str(out)!r} was to hold, is damaged. {remedy}.")
        _check_same(plan, there, out, remedy)
        return
    _write_json(path, plan)


@contextlib.contextmanager
def _alone(working, out):
    """Keeps other processes from the working folder, and removes what a killed one left half-written."""
    import filelock

    working.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(working / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise OSError(f"out={str(out)!r}: another process is writing it; wait for it or give another name.") from None
    try:
        files.sweep(working)
        yield
    finally:
        lock.release()


def _note(path, kinds):
    """The content of a note, a dict with values of these kinds by their names; None for one that is damaged."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
    sound = isinstance(note, dict) and all(isinstance(note.get(name), kind) for name, kind in kinds.items())
    return note if sound else None


def _write_json(path, values):
    with files.atomic(path) as temporary:
        temporary.write_text(json.dumps(values, separators=(",", ":")), encoding="utf-8")


# Parts --------------------------------------------------------------------------------------------------------------


def _part_length(plan):
    """Images of the source that make one part."""
    pixels = math.prod(plan["size"]) * plan["channels"]
    return max(1, int(plan["shard_mb"] * 2**20) // (pixels + RECORD_BYTES))


def _make_parts(working, found, prepare, length):
    """Notes of all parts: of those that are there and sound, and of those that are made now."""
    items, parts = iter(found.items()), []
    with Bar("Converting", found.count, "images") as bar:
        while chunk := list(itertools.islice(items, length)):
            path = working / f"{len(parts):05}.tfrecord"
            part = _sound(path)
            if part is None:
                part = _make_part(path, found, prepare, chunk, len(parts) * length, bar)
            else:
                bar.update(len(chunk))
            parts.append(part)
    return parts


def _sound(path):
    """The note of a finished part; None if there is none, or its file is not what the note says."""
    note = path.with_suffix(".json")
    if not note.is_file():
        return None
    part = _note(note, _PART)
    if part is None:
        path = note
    elif path.is_file() and _sha256(path) == part["sha256"]:
        return part
    warnings.warn(f"{str(path)!r} is damaged or gone; it is made again.", stacklevel=4)
    return None


def _make_part(path, found, prepare, chunk, first, bar):
    """Writes the part of the items `chunk`, of which the first one has the number `first` in the source."""
    bad, labels = [], []

    def samples():
        for number, result in enumerate(reading.in_parallel(prepare, chunk), first):
            bar.update()
            if isinstance(result, BadSample):
                bad.append((found.item_name(number), str(result)))
            else:
                label = found.label(number)
                if label is not None:
                    labels.append(label)
                yield *result, label

    with files.atomic(path) as temporary:
        offsets = write_shard(temporary, samples())
    part = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
        "offsets": offsets,
        "labels": labels,
        "bad": bad,
    }
    _write_json(path.with_suffix(".json"), part)
    return part


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def _class_names(found, parts):
    """Names of the classes, None for a folder without any usable image; None where classes are mere numbers."""
    if found.class_names is None or not isinstance(found, FileSource):
        return found.class_names
    used = {label for part in parts for label in part["labels"]}
    return [name if number in used else None for number, name in enumerate(found.class_names)]


# The result --------------------------------------------------------------------------------------------------------


def _folder(working, parts, class_names, done, name):
    """Makes a folder of shards and their index; returns its path."""
    result = working / "result"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    shards = []
    for number, part in enumerate(parts):
        shard = {"file": f"{name}-{number:05}-of-{len(parts):05}.tfrecord"}
        shards.append(shard | {key: part[key] for key in ("bytes", "sha256", "offsets", "labels")})
        try:
            os.link(working / part["file"], result / shard["file"])  # parts stay, should this be interrupted
        except OSError:  # a file system without links
            shutil.copyfile(working / part["file"], result / shard["file"])
    plan = done["plan"]
    about = {"version": VERSION, **done, "size": plan["size"], "channels": plan["channels"], "labels": plan["labels"]}
    _write_json(result / INDEX, {**about, "class_names": class_names, "shards": shards})
    return result


def _zip(working, parts, class_names, done, name):
    """Makes a zip of PNG files, in folders if there are classes; returns its path."""
    shards = [Shard(working / part["file"], part["offsets"], part["bytes"]) for part in parts]
    images = ShardSource(name, shards, "image", ())
    labels = [label for part in parts for label in part["labels"]]
    folders = _folder_names(class_names, labels)
    result = working / "result.zip"
    with files.atomic(result) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(zipfile.ZipInfo(PLAN), json.dumps(done))
        for index in images.items():
            folder = f"{folders[labels[index]]}/" if labels else ""
            archive.writestr(zipfile.ZipInfo(f"{folder}{index:08}.png"), images.read(index))
    return result


def _folder_names(class_names, labels):
    """{label: name of its folder}, in whose order readers number the classes."""
    if class_names is None:
        digits = len(str(max(labels, default=0)))
        return {label: f"{label:0{digits}}" for label in labels}
    used = sorted(set(labels))
    names = [re.sub(r"^\.|[/\\]", "_", class_names[label]) for label in used]
    if names != sorted(set(names)):
        names = [f"{label:0{len(str(used[-1]))}}_{name}" for label, name in zip(used, names, strict=True)]
    return dict(zip(used, names, strict=True))
