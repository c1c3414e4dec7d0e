"""What each pretrained model adds to the package, and whether PyPI takes it: a file of at most 100 MB.

python tools/package_size.py                  # of this repository: what would be packed, before it is
python tools/package_size.py dist/kerasgan-*.whl
"""

import collections
import pathlib
import sys
import zipfile
import zlib

from absl import app

ROOT = pathlib.Path(__file__).resolve().parents[1]
MOST = 100_000_000  # bytes of a wheel
ZOO = "kerasgan/zoo"


def shares(wheel=None, root=ROOT):
    """{name of an entry, or "kerasgan" for all else: bytes}, the largest first.

    Args:
        wheel: path of a wheel, whose files count as they are packed. None: of the repository, deflated as there.
        root: the repository.
    """
    found = collections.Counter()
    for name, size in _packed(wheel) if wheel else _files(pathlib.Path(root)):
        parts = pathlib.PurePosixPath(name).parts
        found[parts[2] if name.startswith(f"{ZOO}/") and len(parts) > 3 else "kerasgan"] += size
    return dict(found.most_common())


def _packed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for about in archive.infolist():
            yield about.filename, about.compress_size


def _files(root):
    for folder, inside in (("kerasgan", "kerasgan"), ("zoo", ZOO)):
        for path in (root / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{inside}/{path.relative_to(root / folder).as_posix()}", len(zlib.compress(path.read_bytes()))


def table(found):
    """The shares as lines of text, and their sum."""
    total = sum(found.values())
    width = max(map(len, found))
    rows = [f"{name.ljust(width)}  {size / 1e6:6.2f} MB  {size / MOST:5.1%}" for name, size in found.items()]
    return "\n".join(
        [*rows, f"{'all'.ljust(width)}  {total / 1e6:6.2f} MB  {total / MOST:5.1%} of {MOST / 1e6:.0f} MB"]
    )


def main(argv):
    if len(argv) > 2:
        raise app.UsageError("Give one wheel, or none.")
    try:
        found = shares(*argv[1:])
    except (OSError, zipfile.BadZipFile) as error:
        sys.exit(f"package_size: error: {error}")
    print(table(found))
    return 0 if sum(found.values()) <= MOST else 1


if __name__ == "__main__":
    app.run(main)
