"""Files in folders and zip archives: found, named, labelled by folder, and read. Nothing is unpacked to disk."""

import collections
import contextlib
import os
import posixpath
import stat
import warnings
import zipfile
from pathlib import Path

import numpy as np

from kerasgan.data.base import Source
from kerasgan.files import check_declared, is_run

CONVERTED = ".kerasgan.json"  # begins a zip file that `kerasgan convert` made
SHARD_INDEX = "shards.json"  # lies in a folder that it made
LOOKED_AT = 2**20  # bytes: of a larger file the header is looked at before the whole is read
MOST_WAYS = 100  # by which links may lead to one folder: more are a maze that a walk would not leave
NO_SAMPLES = {"thumbs.db", "desktop.ini"}  # left behind by file managers; not worth a warning
SPLIT_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}


class BadSample(ValueError):
    """A single sample that cannot be used. The message is the reason, without the sample's name."""


class LeftOut(BadSample):
    """A part of a sound file that is no sample, though nothing is wrong with it."""


@contextlib.contextmanager
def unusable():
    """Makes a `BadSample` of everything that a decoder raises on a broken file, and that is almost anything."""
    try:
        yield
    except (BadSample, ImportError):
        raise
    except Exception as error:
        raise BadSample(reason(error)) from None


class FileSource(Source):
    """The files of one or more folders and zip archives, in the order of their names.

    A file that is in no class has the label -1.
    """

    has_files = True

    def __init__(self, name, entries, class_names=None, labels=None, no_class="in no class folder", look=None):
        """
        Args:
            name: what messages call the source.
            entries: (container, member) pairs.
            class_names, labels: as of `Source`.
            no_class: what is wrong with a file that is in no class.
            look: function of an open file that raises `BadSample` where its header shows that it is of no use.
        """
        self.name = name
        self.count = len(entries)
        self.class_names, self.labels = class_names, labels
        self._entries, self._no_class, self._look = entries, no_class, look

    def item_name(self, index):
        return printable(self._entries[index][1])

    def open(self, index):
        container, member = self._entries[index]
        if self.labels is not None and self.labels[index] < 0:
            raise BadSample(self._no_class)
        try:
            return container.open(member)
        except BadSample:
            raise
        except Exception as error:  # no permission, encrypted or damaged zip member, unknown compression
            raise BadSample(f"cannot be opened: {reason(error)}") from None

    def read(self, index):
        """The content of a file, as bytes. Raises `BadSample`, also for what `look` finds in its header."""
        with self.open(index) as file:
            try:
                if self._look and self.size(index) > LOOKED_AT:
                    self._look(file)
                    file.seek(0)
                return file.read()
            except BadSample:
                raise
            except Exception as error:  # zipfile checks the CRC here
                raise BadSample(f"cannot be read: {reason(error)}") from None

    def size(self, index):
        """Bytes of a file. Raises an `OSError` where it is gone."""
        container, member = self._entries[index]
        return container.size(member)

    def is_seekable(self, index):
        """Whether any place in an open file is reached at once, and not by unpacking what lies before."""
        return isinstance(self._entries[index][0], _Folder)

    def listing(self):
        """Names and sizes of the files, one a line."""
        return "\n".join(f"{self._size_or_none(index)} {entry[1]}" for index, entry in enumerate(self._entries))

    def _size_or_none(self, index):
        try:
            return self.size(index)
        except OSError:  # a dead link
            return None

    def classes(self, kept):
        """Class names and labels of the files `kept` (indices); a folder without any such file is no class."""
        if self.labels is None:
            return None, None
        used, labels = np.unique(self.labels[kept], return_inverse=True)
        return [self.class_names[number] for number in used], labels.astype(np.int32)


class _Folder:
    def __init__(self, path, subset):
        self._root = Path(path, subset) if subset else Path(path)

    def members(self):
        """Paths of all files, also of those in folders that are links; a folder that cannot be read is one of them.

        A link that leads back to a folder in which it lies is not entered again.
        """
        ways, waiting = collections.Counter(), [("", frozenset())]
        while waiting:
            prefix, above = waiting.pop()
            try:
                identity = _identity(self._root / prefix)
                if identity in above:
                    continue
                entries = list(os.scandir(self._root / prefix))
            except OSError:
                if prefix:
                    yield prefix.rstrip("/")  # which cannot be opened, as a message will say
                    continue
                if self._root.is_dir():
                    raise
                return  # a subset that is not there
            ways[identity] += 1
            if ways[identity] > MOST_WAYS:
                raise ValueError(
                    f"source={str(self._root)!r}: its links lead to {prefix!r} by more than {MOST_WAYS} ways; give the "
                    "folder that holds the samples."
                )
            for entry in entries:
                if _is_folder(entry):
                    waiting.append((f"{prefix}{entry.name}/", above | {identity}))
                else:
                    yield prefix + entry.name

    def size(self, member):
        return (self._root / member).stat().st_size

    def open(self, member):
        path = self._root / member
        if path.is_symlink() and not path.exists():
            raise BadSample(f"a link to {printable(os.readlink(path))!r}, which is not there")
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise BadSample("a folder that cannot be read" if path.is_dir() else "no ordinary file")
        return path.open("rb")

    def path(self, member):
        return self._root / member


def _identity(path):
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


class _One(_Folder):
    """A file that was given by itself."""

    def __init__(self, path):
        super().__init__(os.path.dirname(path), None)
        self._name = os.path.basename(path)

    def members(self):
        return [self._name]


class _Zip:
    def __init__(self, path, subset):
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError:
            raise
        except Exception as error:  # BadZipFile, and what a broken directory raises besides
            message = f"source={str(path)!r} is not a whole zip file ({reason(error)}); copy or download it again."
            raise ValueError(message) from None
        prefix = f"{subset.strip('/')}/" if subset else ""
        infos = ((_inside_path(info.filename), info) for info in self._zip.infolist())
        self._infos = {
            name.removeprefix(prefix): info
            for name, info in infos
            if name.startswith(prefix) and not (name.endswith("/") or info.is_dir())
        }

    def members(self):
        return list(self._infos)

    def size(self, member):
        return self._infos[member].file_size

    def open(self, member):
        info = self._infos[member]
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):  # 3: Unix
            raise BadSample("a symbolic link, which leads nowhere in a zip file; pack what it points to")
        check_memory(info.file_size, info.compress_size)
        return self._zip.open(info)

    def path(self, member):
        return None


def check_memory(declared, stored, times=1):
    """Raises `BadSample` for what would take far more memory than its file explains; see `files.check_declared`."""
    try:
        check_declared(declared, stored, "it", times)
    except ValueError as error:
        raise BadSample(str(error).rstrip(".")) from None


def member(archive, name):
    """An array of an open `.npz` file, by its name. Raises `BadSample` where it is none."""
    array = archive[name]
    if not isinstance(array, np.ndarray):  # numpy hands over bytes as they are
        raise BadSample(f"{name!r} in it is no array")
    return array


def _inside_path(name):
    """The name of a zip member as a path inside the archive: "/" between folders, whoever packed it, and none above."""
    name = name.replace("\\", "/")
    return posixpath.normpath(f"/{name}").lstrip("/") + "/" * name.endswith("/")


def printable(name):
    """A file's name with \\x.. for what is no text, so that it can be printed and written."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def reason(error):
    """The first line of what an exception says, for a message."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]


def find_files(
    paths, subset=None, with_labels=False, class_of=None, asked="labels=True", ignored=(), look=None, single=()
):
    """A `FileSource` of `paths` (folders and zip files), or of the folder `subset` inside each of them.

    Folders are entered that are links. What kerasgan itself has put into the data, run folders and results of
    `kerasgan convert`, is no data: it is left out, with a warning.

    Args:
        with_labels: whether files have classes.
        class_of: function from a file's path to the name of its class, or None; without it, classes are folders.
        asked: how the user asked for classes.
        ignored: endings of files, in lower case, that are passed over.
        look: see `FileSource`.
        single: endings of files, in lower case, that are no containers, and may be among the paths themselves.
    """
    entries, classes = [], []
    for path in paths:
        container = _One(path) if str(path).lower().endswith(tuple(single)) else _container(path, subset)
        members = [member for member in container.members() if not _is_hidden(member)]
        members = sorted(_without_results(container, members, path))
        members = [member for member in members if not member.lower().endswith(tuple(ignored))]
        if not members:
            raise ValueError(_nothing_found(path, subset, ignored))
        entries += [(container, member) for member in members]
        classes += _class_folders(members) if class_of is None else map(class_of, members)
    name = "source=" + " and ".join(repr(str(path)) for path in paths)
    if not with_labels:
        return FileSource(name, entries, look=look)
    if class_of is None:
        _check_folders(name, classes)
        return FileSource(name, entries, *_number(classes), look=look)
    if not any(classes):
        raise ValueError(f"{asked} fits no file of {name}, such as {printable(entries[0][1])!r}.")
    return FileSource(name, entries, *_number(classes), f"no class in its name by {asked}", look)


def _container(path, subset):
    return _Folder(path, subset) if os.path.isdir(path) else _Zip(path, subset)


def _without_results(container, members, path):
    """The files of a container but for what kerasgan wrote there: runs, shards and zip files of `convert`."""
    held = collections.defaultdict(set)
    for member in members:
        folder, _, name = member.rpartition("/")
        held[folder].add(name)
    runs = {folder for folder, names in held.items() if folder and is_run(names)}
    results = runs | {folder for folder, names in held.items() if folder and SHARD_INDEX in names}
    results |= {member for member in members if _is_converted(container, member)}
    if not results:
        return members
    shown = ", ".join(repr(printable(name)) for name in sorted(results)[:5]) + ", ..." * (len(results) > 5)
    what = "a run folder" if len(results) == len(runs) == 1 else "made by kerasgan"
    warnings.warn(f"source={str(path)!r} holds {shown}, {what}: no data, and left out.", stacklevel=5)
    return [member for member in members if not any(above in results for above in _above(member))]


def _above(member):
    """A path, and those of the folders in which it lies."""
    while member:
        yield member
        member = member.rpartition("/")[0]


def _is_converted(container, member):
    if not member.lower().endswith(".zip") or container.path(member) is None:
        return False
    try:
        with zipfile.ZipFile(container.path(member)) as archive:
            return CONVERTED in archive.namelist()[:1]
    except Exception:  # no zip file, whatever it is called
        return False


def _is_hidden(member):
    parts = member.split("/")
    return parts[-1].lower() in NO_SAMPLES or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _nothing_found(path, subset, ignored):
    if not subset:
        others = f" but {', '.join(ignored)}" if ignored else ""
        return f"source={str(path)!r} is empty: it holds no files{others}. Put some into it, or give another path."
    folders = sorted({printable(member.split("/")[0]) for member in _container(path, None).members() if "/" in member})
    return f"subset={subset!r} holds no files in source={str(path)!r}; its folders are: {', '.join(folders) or 'none'}."


def _class_folders(members):
    """The folder of each file, at the first level of folders that tells files apart; None for a file in no folder."""
    parents = [member.split("/")[:-1] for member in members]
    depth = len(os.path.commonprefix([folders for folders in parents if folders]))
    if all(len(folders) <= depth for folders in parents):
        depth = max(0, depth - 1)  # all in one folder: that folder is the only class
    return [folders[depth] if len(folders) > depth else None for folders in parents]


def _check_folders(name, class_folders):
    """Raises a `ValueError` for folders that are no classes."""
    class_names = sorted({printable(folder) for folder in class_folders if folder is not None})
    if not class_names:
        raise ValueError(
            f"labels=True needs a sub-folder for each class, but {name} has no sub-folders; "
            "sort the files into folders, or leave labels out."
        )
    if all(folder.lower() in SPLIT_NAMES for folder in class_names):
        raise ValueError(
            f"labels=True would take the splits {', '.join(class_names)} of {name} for classes; "
            f"choose one of them with subset={class_names[-1]!r}."
        )


def _number(classes):
    """Class names and labels, -1 for None."""
    classes = [name if name is None else printable(name) for name in classes]
    class_names = sorted({name for name in classes if name is not None})
    numbers = {name: number for number, name in enumerate(class_names)}
    return class_names, np.array([numbers.get(name, -1) for name in classes], np.int32)
