"""Pictures with texts that say what they show, as a `tf.data.Dataset` of (images, bytes of a text)."""

import collections
import csv
import io
import json
import zlib

import numpy as np
import tensorflow as tf

from kerasgan import memory
from kerasgan.captions import LONGEST, encoded, normalized, tokens_of
from kerasgan.data.arrays import load_arrays, read_arrays
from kerasgan.data.batching import finished
from kerasgan.data.dataset import Dataset, check_batch_size, check_count, fingerprint_of_arrays
from kerasgan.data.files import BadSample, find_files
from kerasgan.data.image import CHOICES, check_crop, check_size
from kerasgan.data.pipeline import check_choices, mirrored
from kerasgan.data.pixels import look, to_pixels
from kerasgan.data.reading import report
from kerasgan.data.sources import TEST_EVERY, check_path, paths_of, short

LISTS = (".csv", ".tsv", ".jsonl", ".ndjson")
_FILES = ("file", "file_name", "filename", "image", "path")  # names of a list's column of pictures
_TEXTS = ("text", "texts", "caption", "captions", "description")
_MOST = 2**20  # bytes of a text file beside a picture


def captioned(
    source,
    batch_size=32,
    *,
    size,
    channels=3,
    crop="center",
    filter="bicubic",
    flip=False,
    key=None,
    texts=None,
    replace=None,
    variants=(),
    styles=None,
    balanced=True,
    shuffle=True,
    seed=None,
    part=None,
    subset=None,
    on_error="skip",
    fitted=None,
):
    """Reads pictures with texts into batches for training: (images in [-1, 1], bytes of a text each).

    Texts come from a `.txt` file beside each picture that has its name, a text in each line; from a list in the folder,
    a CSV with columns such as `file` and `text`, or JSON lines of {"file": ..., "text": ...} or {"file": ..., "texts":
    [...]}; or from an array of a `.npz` file. Of several texts of a picture, one is drawn each time. Pictures and texts
    stay in memory.

    Args:
        source: a folder, a zip file or a `.npz` file; or a pair (pictures, texts): an array as of
            `kerasgan.data.images` and a list of texts, or of lists of texts.
        batch_size: pictures in a batch.
        size, channels, crop, filter, flip: as in `kerasgan.data.images`. Mirrored pictures no longer fit texts that say
            left and right.
        key: name of the array of pictures, or several names of arrays that show the same things in other styles.
        texts: name of the array of texts in a `.npz` file, or of the list in a folder, where there are several.
        replace: {part of a text: what stands in its place}, such as codes that are to be words.
        variants: parts of texts that do not make another thing of what is shown, such as "dark skin": texts that are
            the same without them are one thing.
        styles: with several keys, what the style of each is called: half of the time ", STYLE" stands behind a text.
        balanced: whether each thing is drawn as often as any other, instead of each picture.
        shuffle: draws anew in each epoch; False gives each picture once, with its first text.
        seed: makes orders, and what is drawn, repeatable.
        part: "train" leaves every tenth thing out, with all of its pictures; "test" gives those alone. None: all.
        subset: a folder inside the source.
        on_error: what to do with pictures that cannot be used, or have no text: "skip" names them in a warning, "raise"
            raises an error.
        fitted: what another data set has as its attribute: {"length": bytes of the longest text}.

    Returns:
        A `kerasgan.data.dataset.Dataset` of (float32 (batch, height, width, channels), int32 (batch, length)).

    Raises:
        FileNotFoundError, NotADirectoryError: `source` is not there, or not of a kind that can be read.
        ValueError: an argument, or the data, does not fit; the message names file and line.

    Example:

    ```python
    birds = kerasgan.data.captioned("birds/", size=64)
    gan = kerasgan.models.DFGAN(image_shape=(64, 64, 3), length=birds.fitted["length"])
    ```
    """
    check_batch_size(batch_size, "images")
    size, crop = check_size(size), check_crop(crop)
    options = {"channels": channels, "filter": filter, "on_error": on_error}
    check_choices({name: CHOICES[name] for name in options}, **options)
    check_choices({"part": (None, "train", "test"), "balanced": (True, False)}, part=part, balanced=balanced)
    replace = {normalized(part): normalized(other) for part, other in (replace or {}).items()}
    variants = sorted(map(normalized, variants), key=len, reverse=True)
    found = _pictures(source, key, texts, styles, subset, on_error)
    pictures = [(read, [_replaced(text, replace) for text in own], name) for read, own, name in found]
    things = [_thing(own[0], variants) for _, own, _ in pictures]
    if part is not None:
        kept = _kept(things, part)
        pictures, things = [pictures[place] for place in kept], [things[place] for place in kept]
    pixels, known, bad = [], [], []
    for place, (read, _, name) in enumerate(pictures):
        try:
            pixels.append(to_pixels(read(), size, channels, crop, filter))
            known.append(place)
        except BadSample as error:
            bad.append((name, str(error)))
    report(bad, len(pictures), f"source={short(source)}", on_error, stacklevel=3)
    if not known:
        raise ValueError(f"source={short(source)} holds no picture that can be used with a text.")
    said = [pictures[place][1] for place in known]
    length = fitted["length"] if fitted else min(LONGEST, max(len(encoded(text)) for own in said for text in own))
    length = max(length, 1)  # where no text says anything
    counts = np.array([len(own) for own in said], "int32")
    arrays = {
        "pixels": np.stack(pixels),
        "texts": tokens_of([text for own in said for text in own], length, cut=True),
        "first": np.concatenate([[0], np.cumsum(counts)[:-1]]).astype("int32"),
        "counts": counts,
    }
    about = {
        "fitted": {"length": length},
        "fingerprint": fingerprint_of_arrays(list(arrays.values())),
        "item_names": lambda number: pictures[known[number]][2],
        "model_arguments": {"image_shape": [*size, channels], "length": length},
        "count": len(known),
    }
    batches = _drawn(arrays, [things[place] for place in known] if balanced and shuffle else None, shuffle, flip)
    return Dataset.of_batches(batches, batch_size, seed=seed, **about)


captioned.without_chance = {"balanced": False}  # the argument by which each picture comes once, for scores


# What is drawn -------------------------------------------------------------------------------------------------------


def _drawn(arrays, things, shuffle, flip):
    """The batches of pictures and texts, for `Dataset.of_batches`; with `things`, each as often as any other."""
    count = len(arrays["pixels"])
    if things is not None:
        _, numbers = np.unique(things, return_inverse=True)
        order, held = np.argsort(numbers, kind="stable").astype("int32"), np.bincount(numbers).astype("int32")
        starts = np.concatenate([[0], np.cumsum(held)[:-1]]).astype("int32")
    with tf.device("CPU"):
        pixels, texts, first, counts = (tf.constant(arrays[name]) for name in ("pixels", "texts", "first", "counts"))

    def pictures_of(draw):
        thing = tf.cast(draw(1)[:, 0] * len(held), tf.int32)
        place = tf.gather(starts, thing) + tf.cast(
            draw(2)[:, 0] * tf.gather(tf.cast(held, tf.float32), thing), tf.int32
        )
        return tf.gather(order, tf.minimum(place, count - 1))

    def finish(rows, draw):
        rows = rows[0] if things is None else pictures_of(draw)
        which = tf.gather(first, rows)
        if shuffle:
            which += tf.cast(draw(3)[:, 0] * tf.cast(tf.gather(counts, rows), tf.float32), tf.int32)
        shown = tf.gather(pixels, rows)
        shown = mirrored(shown, draw) if flip else shown
        return tf.cast(shown, tf.float32) / 127.5 - 1.0, tf.gather(texts, which)

    @tf.autograph.experimental.do_not_convert
    def batches(batch_size, start, seed, worker):
        check_count(count, batch_size, "The data", "images")
        rows = memory.batches([np.arange(count, dtype="int32")], batch_size, shuffle, seed, start, worker)
        return finished(rows.map(lambda *parts: (parts,)), batch_size, finish, seed, start, worker)

    return batches


# Texts ---------------------------------------------------------------------------------------------------------------


def _replaced(text, replace):
    text = normalized(text)
    for part, other in replace.items():
        text = text.replace(part, other)
    return text


def _thing(text, variants):
    """What a text shows, without the parts that do not make another thing of it, the longest of them first."""
    for part in variants:
        text = text.replace(part, "")
    return text.strip(" ,-")


def _kept(things, part):
    """The places of those whose thing is in a part: of things in an order by their checksums, every tenth is a test."""
    by_chance = sorted(set(things), key=lambda thing: (zlib.crc32(thing.encode()), thing))
    apart = set(by_chance[TEST_EVERY - 1 :: TEST_EVERY])
    return [place for place, thing in enumerate(things) if (thing in apart) == (part == "test")]


# Sources -------------------------------------------------------------------------------------------------------------


def _pictures(source, key, texts, styles, subset, on_error):
    """[(function that reads a picture, its texts, its name), ...]"""
    if isinstance(source, (tuple, list)) and len(source) == 2 and not isinstance(source[0], str):
        return _of_pair(*source, {"key": key, "texts": texts, "styles": styles, "subset": subset})
    paths = paths_of(source)
    if len(paths) != 1:
        raise ValueError(
            f"source={short(source)} is nothing that pictures with texts can be read from; give a folder, a zip or "
            ".npz file, or (pictures, texts)."
        )
    check_path(paths[0])
    if str(paths[0]).lower().endswith(".npz"):
        return _of_arrays(paths[0], key, texts, styles, subset)
    for name, value in (("key", key), ("styles", styles)):
        if value is not None:
            raise ValueError(f"{name}={value!r} means nothing where source is image files; leave it out.")
    return _of_files(paths[0], texts, subset, on_error)


def _of_pair(pictures, texts, others):
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"{name}={value!r} means nothing where source is (pictures, texts); leave it out.")
    texts = [[text] if isinstance(text, str) else list(text) for text in texts]
    if len(pictures) != len(texts):
        raise ValueError(f"source: {len(pictures)} pictures and {len(texts)} texts; give one (or a list) for each.")
    empty = [number for number, own in enumerate(texts) if not own]
    if empty:
        raise ValueError(f"source: picture {empty[0]} has no text.")
    return [(lambda n=n: pictures[n], own, f"picture {n}") for n, own in enumerate(texts)]


def _of_arrays(path, key, texts, styles, subset):
    """Of a `.npz` file: each array of pictures shows the things of the texts in a style of its own."""
    if texts is None:
        with np.load(path, allow_pickle=False) as archive:
            held = ", ".join(archive.files)
        raise ValueError(f"texts=None: say which array of source={str(path)!r} holds the texts; it has: {held}.")
    keys = [key] if key is None or isinstance(key, str) else list(key)
    if styles is not None and (len(styles) != len(keys) or len(keys) < 2):
        raise ValueError(f"styles={styles!r}: expected one for each of several keys, {keys}.")
    _, said, _ = read_arrays(path, texts, keys=(), subset=subset, check=_check_texts)
    found = []
    for number, one in enumerate(keys):
        shown = load_arrays(path, key=one, subset=subset)
        if shown.count != len(said):
            raise ValueError(f"{shown.name} holds {shown.count} pictures, {texts!r} {len(said)} texts; one for each.")
        for place, text in enumerate(map(str, said)):
            own = [text] if styles is None else [text, f"{text}, {styles[number]}"]
            found.append((lambda shown=shown, place=place: shown.read(place), own, f"{one or 'picture'} {place}"))
    return found


def _check_texts(shape, name):
    if len(shape) != 1:
        raise ValueError(f"{name} has the shape {shape}; expected texts (n,).")


def _of_files(path, texts, subset, on_error):
    found = find_files([path], subset)
    names = {found.item_name(item): item for item in range(found.count)}
    lists = [name for name in names if name.lower().endswith(LISTS)]
    if texts is not None:
        lists = [name for name in lists if name == texts or name.rpartition("/")[2] == texts]
        if not lists:
            raise ValueError(f"texts={texts!r}: there is no such list in {found.name}.")
    if len(lists) > 1:
        raise ValueError(f"{found.name} holds the lists {', '.join(lists)}: say which by texts={lists[0]!r}.")
    if lists:
        said = _listed(found, lists[0], names[lists[0]], names)
    else:
        said = _beside(found, names)
    pictures = [name for name in names if not name.lower().endswith((*LISTS, ".txt"))]
    alone = [(name, "it has no text") for name in pictures if name not in said]
    report(alone, len(pictures), found.name, on_error, stacklevel=5)
    if not said:
        raise ValueError(
            f"{found.name} holds no texts: put a .txt file of its name beside each picture, or a list such as "
            "texts.csv with the columns file and text."
        )
    return [(lambda item=names[name]: _read(found, item), own, name) for name, own in said.items()]


def _read(found, item):
    with found.open(item) as file:
        look(file)
    return found.read(item)


def _beside(found, names):
    """{name of a picture: its texts} of the `.txt` files that have the names of pictures."""
    said = {}
    stems = collections.defaultdict(list)
    for name in names:
        stems[name.rpartition(".")[0]].append(name)
    for stem, group in stems.items():
        written = [name for name in group if name.lower().endswith(".txt")]
        pictures = [name for name in group if name not in written]
        if len(written) == 1 and len(pictures) == 1:
            lines = _lines(found, written[0], names[written[0]])
            own = [_checked(line, written[0], number) for number, line in lines]
            if own:
                said[pictures[0]] = own
        elif len(pictures) > 1 and written:
            raise ValueError(f"{found.name} holds several pictures called {stem!r}, and one text; keep one of each.")
    return said


def _listed(found, name, item, names):
    """{name of a picture: its texts} of a list in the folder."""
    folder = name.rpartition("/")[0]
    said = collections.defaultdict(list)
    rows = _json_rows if name.lower().endswith((".jsonl", ".ndjson")) else _csv_rows
    for number, file, texts in rows(found, name, item):
        place = f"{folder}/{file}" if folder and f"{folder}/{file}" in names else file
        if place not in names:
            raise ValueError(f"{name}, line {number}: there is no picture {file!r} in {found.name}.")
        said[place] += [_checked(text, name, number) for text in texts]
    return dict(said)


def _csv_rows(found, name, item):
    text = "\n".join(line for _, line in _lines(found, name, item, empty=True))
    rows = csv.reader(io.StringIO(text), delimiter="\t" if name.lower().endswith(".tsv") else ",", strict=True)
    header = None
    try:
        for cells in rows:
            if header is None:
                header = [cell.strip().lower() for cell in cells]
                file, text = (_column(header, known, name) for known in (_FILES, _TEXTS))
            elif cells:
                if len(cells) != len(header):
                    raise ValueError(f"{name}, line {rows.line_num}: {len(cells)} values in {len(header)} columns.")
                yield rows.line_num, cells[file].strip(), [cells[text]]
    except csv.Error as error:
        raise ValueError(f"{name}, line {rows.line_num}: {error}.") from None


def _column(header, known, name):
    found = [place for place, column in enumerate(header) if column in known]
    if len(found) != 1:
        raise ValueError(f"{name}, line 1: expected one column called {' or '.join(known)}; there are {short(header)}.")
    return found[0]


def _json_rows(found, name, item):
    for number, line in _lines(found, name, item):
        try:
            row = json.loads(line)
            file = next(row[column] for column in _FILES if column in row)
            texts = next(row[column] for column in _TEXTS if column in row)
        except (ValueError, StopIteration, TypeError):
            raise ValueError(
                f'{name}, line {number}: expected {{"file": "a.png", "text": "..."}}, not {line[:60]!r}.'
            ) from None
        yield number, str(file), [texts] if isinstance(texts, str) else list(texts)


def _checked(text, name, number):
    """A text, if networks can take it. Raises a ValueError that names file and line."""
    try:
        normalized(text)
    except ValueError as error:
        raise ValueError(f"{name}, line {number}: {error}") from None
    return text


def _lines(found, name, item, empty=False):
    """(number, line) of a text file, without empty lines unless they are wanted."""
    try:
        if not name.lower().endswith(LISTS) and found.size(item) > _MOST:
            raise ValueError(f"{name} has {found.size(item):,} bytes, too many for the texts of a picture.")
        lines = found.read(item).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text of UTF-8: byte {error.start} is {error.object[error.start]:#x}.") from None
    except BadSample as error:
        raise ValueError(f"{name}: {error}.") from None
    return [(number, line) for number, line in enumerate(lines, 1) if empty or line.strip()]
