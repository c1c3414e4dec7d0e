"""Opening `.keras` files, whoever wrote them.

What such a file declares is checked before it is believed: the sizes of its parts, the shapes of its arrays and of the
variables that its configuration asks for against the bytes that are there, the classes that it names against those that
may be made (see `kerasgan.trust`). The bounds leave honest files room; see `kerasgan.files.LIMIT`.
"""

import contextlib
import math
import pathlib
import zipfile

from kerasgan import files, trust, weights

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
POSITION = "kerasgan_position.json"  # inside the archive, so that one rename replaces model and position
_PARTS = ("metadata.json", CONFIG, WEIGHTS, POSITION)
_ASSETS = "assets/"
_REWRITTEN = 4  # Keras compresses nothing; an archive that somebody packed again may be a little smaller


def contents(path):
    """(configuration of the model, position) of a `.keras` file, once all of it has been read and checked.

    The position is a dict, empty in files that are no checkpoints.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no Keras model, damaged, declares more than it holds, or names classes that may not be made.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r}: there is no such file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{str(path)!r} is not a saved Keras model (a .keras file), or is cut short.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive, path)
            config = _json(archive, CONFIG)
            position = _json(archive, POSITION) if POSITION in archive.namelist() else {}
            with weights.opened(archive.open(WEIGHTS).read(), f"{str(path)!r}: its part {WEIGHTS}:") as file:
                weights.check_arrays(file, repr(str(path)), archive.getinfo(WEIGHTS).file_size, _REWRITTEN)
            damaged = archive.testzip()
    except files.TooLarge:
        raise
    except files.DAMAGE as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{str(path)!r} is damaged ({files.explained(error)}).") from error
    if damaged:
        raise ValueError(f"{str(path)!r} is damaged: its part {damaged} has changed since it was written.")
    trust.check_config(config, repr(str(path)))
    return config, position


def open_model(path, compile=True):
    """The model of a `.keras` file.

    Args:
        path: the file.
        compile: whether optimizers and losses are restored too, to train on.

    Returns:
        (model, position): see `contents`.

    Raises:
        FileNotFoundError, ValueError: as `contents`; or the model cannot be made of what the file holds.
    """
    import keras

    config, position = contents(path)
    trust.import_named(config, repr(str(path)))
    with zipfile.ZipFile(path) as archive:
        stored = archive.getinfo(WEIGHTS).file_size
    try:
        with bounded(path, stored):
            return keras.saving.load_model(path, compile=compile), position
    except (files.TooLarge, MemoryError):
        raise
    except Exception as error:  # constructors meet values of any kind, and raise what comes of it
        said = files.explained(ValueError(str(error).partition("Full object")[0].partition("config=")[0]))
        raise ValueError(f"{str(path)!r} cannot be opened: {said or type(error).__name__}") from error


def _check_parts(archive, path):
    """Raises a ValueError unless an archive's parts are those of a model, of sizes that its file explains."""
    parts = archive.infolist()
    names = [part.filename for part in parts]
    foreign = [name for name in names if name not in _PARTS and not name.startswith(_ASSETS)]
    if not {CONFIG, WEIGHTS} <= {*names} or foreign or len(names) > len({*names}):
        odd = f": it holds {foreign[0]!r}" if foreign else ""
        raise ValueError(f"{str(path)!r} is not a saved Keras model (a .keras file){odd}.")
    stored = sum(part.compress_size for part in parts)
    files.check_declared(sum(part.file_size for part in parts), stored, repr(str(path)), _REWRITTEN)


def _json(archive, name):
    """The dict that a part holds."""
    try:
        is_short = archive.getinfo(name).file_size <= files.limit()
        value = files.parse_json(archive.read(name) if is_short else None)
    except ValueError as error:
        raise ValueError(f"its part {name}: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"its part {name} holds no object")
    return value


@contextlib.contextmanager
def bounded(path, stored, times=_REWRITTEN):
    """Checks the memory of all variables that are made inside, before it is taken, against the bytes in the file.

    Args:
        path: the file, as the error names it.
        stored, times: as in `kerasgan.files.check_declared`.
    """
    import tensorflow as tf

    total = 0

    def create(next_creator, **arguments):
        nonlocal total
        total += _bytes_of(arguments.get("initial_value"))
        files.check_declared(total, stored, f"{str(path)!r}: the model that it describes", times)
        return next_creator(**arguments)

    with tf.variable_creator_scope(create):
        yield


def _bytes_of(initial_value):
    """Bytes of the variable whose first value Keras wants; it gives a function, which is not called for that."""
    import keras

    for cell in getattr(initial_value, "__closure__", None) or ():
        if isinstance(cell.cell_contents, keras.Variable):
            return math.prod(cell.cell_contents.shape) * 4
    return 0
