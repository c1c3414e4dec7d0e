"""Writing files so that nothing half-written is ever left behind."""

import contextlib
import os
import pathlib
import shutil
import tempfile


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
    if not str(path):
        raise ValueError(f"{name} is empty; give the name of the file to write.")
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

    Raises:
        OSError: the folder, or the nearest one above it that exists, is not a folder or cannot be written.
    """
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
    return folder


@contextlib.contextmanager
def atomic(path):
    """Yields the name of a temporary file beside `path`, which takes the place of `path` when the block ends well.

    The temporary name keeps every ending of `path`, since savers choose their format by it. Missing folders are made.
    When the block raises, the temporary file is removed and `path` stays as it was.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # the name must not reach the disk before the bytes do
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(folder):
    """Yields a new folder beside `folder`, which takes its place when the block ends well.

    When the block raises, or the place cannot be taken, `folder` stays as it was. Missing folders above it are made.
    """
    target = pathlib.Path(folder).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = (target.with_name(f".{os.getpid()}-{part}-{target.name}") for part in ("new", "old"))
    temporary.mkdir()
    try:
        yield temporary
        if target.exists():
            os.rename(target, old)
        try:
            os.rename(temporary, target)
        except OSError:
            if old.exists():
                os.rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
