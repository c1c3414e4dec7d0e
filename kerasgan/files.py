"""Files: writing them so that nothing half-written is ever left behind, reading them whoever wrote them.

What a file says of itself is not believed before it has been checked: what it would take in memory is held against the
bytes that are there.

Environment variables:
    KERASGAN_LIMIT_MB: megabytes that a file may take in memory beyond what its size explains; 256 without it.
"""

import contextlib
import errno
import json
import lzma
import os
import pathlib
import shutil
import struct
import tempfile
import tokenize
import zipfile
import zlib

LIMIT = "KERASGAN_LIMIT_MB"
_LIMIT_MB = 256
_JSON_SHARE = 8  # Python's objects take so many times the bytes of their JSON
_NESTED = 100  # levels; what people write has a dozen
_MEGABYTE = 2**20
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
RECIPE = "recipe.json"  # lies in every run folder (see `kerasgan.runs`), beside one of the following at least
RUN_FILES = ("model.keras", "previous.keras", "log.csv", ".lock")


# What Python and NumPy raise about damaged files of any format; what damage brings about, not what it is, decides.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class TooLarge(ValueError):
    """A file says that it holds more than its bytes explain."""


# Reading -------------------------------------------------------------------------------------------------------------


def limit():
    """Bytes that a file may take in memory beyond what its size explains.

    Raises:
        ValueError: KERASGAN_LIMIT_MB is no number.
    """
    given = os.environ.get(LIMIT) or str(_LIMIT_MB)
    if not given.isdecimal():
        raise ValueError(f"{LIMIT}={given!r}: expected a whole number of megabytes.")
    return int(given) * _MEGABYTE


def check_declared(declared, stored, what, times=1):
    """Checks what a file says it holds against the bytes that it has for it.

    Args:
        declared: bytes in memory.
        stored: bytes in the file.
        what: the file and its part, as the error names them.
        times: as how many bytes one in the file may come out, where the format compresses.

    Raises:
        TooLarge: it is more than honest files reach, beyond `limit`.
    """
    if declared > times * stored + limit():
        raise TooLarge(
            f"{what} would take {declared / _MEGABYTE:,.0f} MB of memory, and has {stored:,} bytes for it: it is "
            f"damaged, or made to fill the memory. If you know better, set {LIMIT}={-(-declared // _MEGABYTE)}."
        )


def read_json(path, check=None, wrong="is damaged", remedy=""):
    """What a JSON file holds.

    Args:
        path: the file.
        check: function of the value that returns what is wanted of it. Whatever it raises for values of other types,
            missing keys and so on becomes the error below.
        wrong: what the error says of a file that holds something else.
        remedy: what it says at its end.

    Raises:
        ValueError: the file is no JSON, or not what `check` expects.
        OSError: it cannot be read.
    """
    path = pathlib.Path(path)
    try:
        value = parse_json(path.read_bytes() if _is_short(path.stat().st_size) else None)
        return value if check is None else check(value)
    except OSError:
        raise
    except DAMAGE as error:
        raise ValueError(f"{str(path)!r} {wrong} ({explained(error)}){remedy}") from error


def parse_json(data):
    """The value of JSON in UTF-8, bytes; None stands for what is too long to be read.

    Raises:
        ValueError: no JSON, nested deeper than anybody writes, or longer than `limit` allows.
    """
    if data is None or not _is_short(len(data)):
        raise ValueError(f"longer than {limit() // _JSON_SHARE:,} bytes; {LIMIT} raises that")
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        value = None
        too_deep = True
    else:
        too_deep = _nests_deeper(value, _NESTED)
    if too_deep:
        raise ValueError(f"nested deeper than {_NESTED} levels")
    return value


def explained(error):
    """An error of looking into a file's content, in a few words."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:297]}..."


def _is_short(size):
    return size <= limit() // _JSON_SHARE


def _nests_deeper(value, levels):
    """Whether lists and dicts are inside each other more than so many times; does not recurse itself."""
    level = [value]
    for _ in range(levels):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def _parts(value):
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def is_run(names):
    """Whether a folder that holds files of these names is a run folder."""
    return RECIPE in names and any(name in names for name in RUN_FILES)


def check_given(path, name="path"):
    """Raises a `ValueError` for an empty string, such as that of a shell's unset variable: Python takes it for "."."""
    if isinstance(path, str) and not path:
        raise ValueError(f"{name} is empty; give a path. The current folder is '.'.")


# Writing -------------------------------------------------------------------------------------------------------------


def check_output(path, extensions=(), name="path"):
    """Checks that a file can be written, before any work is done for it. Leaves nothing on disk.

    Args:
        path: the file to be written. Folders that are missing on the way to it are fine: `atomic` makes them.
        extensions: accepted endings with their dots, such as `(".png", ".jpg")`; empty accepts every ending.
        name: how the argument is called in the error.

    Returns:
        The path as a `pathlib.Path`.

    Raises:
        ValueError: no file name, or an ending that is not accepted.
        OSError: the place cannot be written (its subclasses say why).
    """
    check_given(path, name)
    given, path = path, pathlib.Path(path)
    if path.is_dir() or str(given).endswith(os.sep):
        raise IsADirectoryError(f"{name} {str(given)!r} is a folder; give the name of a file, such as 'folder/file'.")
    if extensions and path.suffix.lower() not in extensions:
        raise ValueError(
            f"{name} {str(path)!r} ends in {path.suffix or 'nothing'!r}; expected one of {', '.join(extensions)}."
        )
    if path.exists() and not path.is_file():
        raise OSError(f"{name} {str(path)!r} is not an ordinary file; give the name of another one.")
    check_folder(path.absolute().parent, name)
    return path


def check_folder(folder, name="folder"):
    """Checks that files can be written in `folder`, which need not exist yet. Leaves nothing on disk.

    What killed processes left there is put in order first, so that a folder that they were about to replace is found.

    Raises:
        ValueError: no name.
        OSError: the folder, or the nearest one above it that exists, is not a folder or cannot be written.
    """
    check_given(folder, name)
    folder = pathlib.Path(folder)
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise NotADirectoryError(f"{name}: {str(existing)!r} is a file, not a folder; choose another place.")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise type(error)(
            f"{name}: nothing can be written in {str(existing)!r} ({error.strerror}); choose another place."
        ) from error
    sweep(existing)
    return folder


def check_apart(path, given, name="path"):
    """Checks that writing a file or folder replaces nothing that was given to work on, by whatever name it is there.

    Raises:
        FileExistsError: it is the same file or folder, such as through a link, a relative path or in another case.
    """
    for source in given:
        if os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
            raise FileExistsError(
                f"{name} {str(path)!r} is {str(source)!r}, which is read and would be lost; choose another name."
            )


@contextlib.contextmanager
def atomic(path):
    """Yields the name of a temporary file, which takes the place of `path` when the block ends well.

    It has the name of `path`, since savers choose their format by it, in a hidden folder beside `path`. Missing folders
    are made. When the block raises, `path` stays as it was; what a killed process leaves, `sweep` removes.

    Raises:
        OSError: `path` cannot be written; the error names it.
    """
    path = pathlib.Path(path)
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch(path.parent) as folder:
            temporary = folder / path.name
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())  # the name must not reach the disk before the bytes do
            os.replace(temporary, path)


@contextlib.contextmanager
def system_errors(path):
    """Turns what TensorFlow raises where a file cannot be written, as on a full disk, into an `OSError` with its name.

    Its own errors for that are none, and nobody looks for them.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        number = next((number for number in _OF_DISKS if os.strerror(number) in str(error)), None)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


@contextlib.contextmanager
def atomic_folder(folder):
    """Yields a new folder, which takes the place of `folder` when the block ends well.

    When the block raises, or the place cannot be taken, `folder` stays as it was; when the process is killed, `sweep`
    sees to that. Missing folders above it are made.

    Raises:
        OSError: `folder` cannot be written; the error names it.
    """
    target = pathlib.Path(folder).absolute()
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(target.parent) as place:
            new, old = place / "new", place / _REPLACED
            new.mkdir()
            yield new
            if target.exists():
                old.mkdir()
                os.rename(target, old / target.name)
            os.rename(new, target)


# What is not finished ------------------------------------------------------------------------------------------------

_SCRATCH = ".kerasgan-"  # how the names of folders for what is not finished begin; readers pass over hidden ones
_LOCK = ".lock"
_OWNED = ".owned"  # says that the lock has been taken, before anything was written
_REPLACED = "replaced"  # the part of such a folder that holds, under its own name, what is about to be replaced


def write_zip(file, contents, ending):
    """Writes files that are called by their numbers, "1.wav", into a zip archive.

    Args:
        file: path of the archive, which is replaced if it is there, or a file that is open.
        contents: list of bytes, one a file.
        ending: of the names, with its dot.
    """
    digits = len(str(len(contents)))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents, 1):
            entry = zipfile.ZipInfo(f"{number:0{digits}}{ending}")  # without today's date: the same content, one file
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


@contextlib.contextmanager
def scratch(place):
    """Yields a new hidden folder in the folder `place` for what is not finished, and removes it afterwards.

    A lock in it tells other processes that this one lives. None takes the system's place for temporary files.
    """
    import filelock

    folder = pathlib.Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=place))
    lock = filelock.FileLock(folder / _LOCK)
    try:
        with contextlib.suppress(NotImplementedError):  # a file system without locks, where `sweep` does nothing
            lock.acquire()
        (folder / _OWNED).touch()
        yield folder
    finally:
        _remove(folder, lock)


def sweep(place):
    """Removes what killed processes left half-written in a folder, and puts back what they were about to replace.

    What belongs to a living process stays, also to one on another machine, if the file system has locks.
    """
    import filelock

    for folder in pathlib.Path(place).glob(f"{_SCRATCH}*"):
        if any(path.is_symlink() for path in (folder, folder / _LOCK)):
            continue  # not made here, and taking the lock would empty a file elsewhere
        with contextlib.suppress(OSError, NotImplementedError):  # a living one's, or another process is removing it
            if any(path.name != _LOCK for path in folder.iterdir()):  # else its owner may be about to take the lock
                lock = filelock.FileLock(folder / _LOCK)
                lock.acquire(timeout=0)
                _remove(folder, lock)


def _remove(folder, lock):
    """Removes a scratch folder whose lock is held; not while it has what could not be put back where it belongs."""
    try:
        for path in (folder / _REPLACED).glob("*"):
            if not os.path.lexists(folder.parent / path.name):
                os.rename(path, folder.parent / path.name)
    except OSError:
        lock.release()
    else:
        lock.release()  # before, since Windows removes no open file
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _naming(path):
    """Lets errors of the system, such as a full disk, name the file that was to be written: most name none."""
    try:
        yield
    except OSError as error:
        # An error of another kind without a number has words of its own; plain ones are those of NumPy and Pillow.
        unnamed = error.filename is None and (error.errno is not None or type(error) is OSError)
        if not unnamed and not str(error.filename).startswith(str(path.parent / _SCRATCH)):
            raise
        hint = {errno.ENOSPC: _NO_SPACE, errno.EDQUOT: _NO_SPACE, None: " (is the disk full?)"}.get(error.errno, "")
        reason = f"{error.strerror or error}{hint}"
        raise type(error)(error.errno or errno.EIO, reason, str(path)) from error


_NO_SPACE = " (free some space, or choose another place)"
