"""Files in folders and zip archives: found, named, labelled by folder, and read. Nothing is unpacked to disk."""

import os
import zipfile
from pathlib import Path

import numpy as np

MAX_FILE_BYTES = 256 * 2**20  # one sample larger than this is a mistake or a zip bomb
NO_SAMPLES = {"thumbs.db", "desktop.ini"}  # left behind by file managers; not worth a warning
SPLIT_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}


class BadSample(ValueError):
    """A single sample that cannot be used. The message is the reason, without the sample's name."""


class FileSource:
    """The files of one or more folders and zip archives, in the order of their names.

    Attributes:
        name: what messages call the source.
        count: number of files.
        labels: int32 (n,), -1 for a file that is in no class; or None.
        class_names: names of the classes, or None.
    """

    def __init__(self, name, entries, class_names=None, labels=None, no_class="in no class folder"):
        """
        Args:
            name: what messages call the source.
            entries: (container, member) pairs.
            class_names, labels: see above.
            no_class: what is wrong with a file that is in no class.
        """
        self.name = name
        self.count = len(entries)
        self.class_names, self.labels = class_names, labels
        self._entries, self._no_class = entries, no_class

    def item_name(self, index):
        return self._entries[index][1]

    def open(self, index):
        """A binary file object. Raises `BadSample`."""
        container, member = self._entries[index]
        if self.labels is not None and self.labels[index] < 0:
            raise BadSample(self._no_class)
        try:
            return container.open(member)
        except BadSample:
            raise
        except Exception as error:  # no permission, encrypted or damaged zip member, unknown compression
            raise BadSample(f"cannot be opened: {error}") from None

    def read(self, index):
        """The content of a file, as bytes. Raises `BadSample`."""
        with self.open(index) as file:
            try:
                return file.read()
            except Exception as error:  # zipfile checks the CRC here
                raise BadSample(f"cannot be read: {error}") from None

    def listing(self):
        """Names and sizes of the files, one a line."""
        return "\n".join(f"{container.size(member)} {member}" for container, member in self._entries)

    def label(self, index):
        """The class of a file; None without labels."""
        return None if self.labels is None else int(self.labels[index])

    def items(self):
        """What `read` takes, for each file."""
        return range(len(self._entries))

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
        for parent, _, names in os.walk(self._root):
            for name in names:
                yield Path(parent, name).relative_to(self._root).as_posix()

    def size(self, member):
        return (self._root / member).stat().st_size

    def open(self, member):
        path = self._root / member
        _check_bytes(path.stat().st_size)
        return path.open("rb")


class _Zip:
    def __init__(self, path, subset):
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            message = f"source={str(path)!r} is not a whole zip file ({error}); copy or download it again."
            raise ValueError(message) from None
        self._prefix = f"{subset.strip('/')}/" if subset else ""

    def members(self):
        for info in self._zip.infolist():
            if info.filename.startswith(self._prefix) and not info.is_dir():
                yield info.filename[len(self._prefix) :]

    def size(self, member):
        return self._zip.getinfo(self._prefix + member).file_size

    def open(self, member):
        info = self._zip.getinfo(self._prefix + member)
        _check_bytes(info.file_size)
        return self._zip.open(info)


def find_files(paths, subset=None, with_labels=False, class_of=None, asked="labels=True", ignored=()):
    """A `FileSource` of `paths` (folders and zip files), or of the folder `subset` inside each of them.

    Args:
        with_labels: whether files have classes.
        class_of: function from a file's path to the name of its class, or None; without it, classes are folders.
        asked: how the user asked for classes.
        ignored: endings of files, in lower case, that are passed over.
    """
    entries, classes = [], []
    for path in paths:
        container = _container(path, subset)
        members = sorted(member for member in container.members() if not _is_hidden(member))
        members = [member for member in members if not member.lower().endswith(tuple(ignored))]
        if not members:
            raise ValueError(_nothing_found(path, subset, ignored))
        entries += [(container, member) for member in members]
        classes += _class_folders(members) if class_of is None else map(class_of, members)
    name = "source=" + " and ".join(repr(str(path)) for path in paths)
    if not with_labels:
        return FileSource(name, entries)
    if class_of is None:
        _check_folders(name, classes)
        return FileSource(name, entries, *_number(classes))
    if not any(classes):
        raise ValueError(f"{asked} fits no file of {name}, such as {entries[0][1]!r}.")
    return FileSource(name, entries, *_number(classes), f"no class in its name by {asked}")


def _container(path, subset):
    return _Folder(path, subset) if os.path.isdir(path) else _Zip(path, subset)


def _is_hidden(member):
    parts = member.split("/")
    return parts[-1].lower() in NO_SAMPLES or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _nothing_found(path, subset, ignored):
    if not subset:
        others = f" but {', '.join(ignored)}" if ignored else ""
        return f"source={str(path)!r} is empty: it holds no files{others}. Put some into it, or give another path."
    folders = sorted({member.split("/")[0] for member in _container(path, None).members() if "/" in member})
    return f"subset={subset!r} holds no files in source={str(path)!r}; its folders are: {', '.join(folders) or 'none'}."


def _check_bytes(size):
    if size > MAX_FILE_BYTES:
        raise BadSample(f"{size / 2**20:.0f} MB, where a file may have {MAX_FILE_BYTES / 2**20:.0f} MB at most")


def _class_folders(members):
    """The folder of each file, at the first level of folders that tells files apart; None for a file in no folder."""
    parents = [member.split("/")[:-1] for member in members]
    depth = len(os.path.commonprefix([folders for folders in parents if folders]))
    if all(len(folders) <= depth for folders in parents):
        depth = max(0, depth - 1)  # all in one folder: that folder is the only class
    return [folders[depth] if len(folders) > depth else None for folders in parents]


def _check_folders(name, class_folders):
    """Raises a `ValueError` for folders that are no classes."""
    class_names = sorted({folder for folder in class_folders if folder is not None})
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
    class_names = sorted({name for name in classes if name is not None})
    numbers = {name: number for number, name in enumerate(class_names)}
    return class_names, np.array([numbers.get(name, -1) for name in classes], np.int32)
