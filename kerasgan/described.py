"""Arrays with a description, in a `.npz` file that says what it holds: how latents and directions are kept."""

import json
import zipfile

import numpy as np

from kerasgan import files

_MOST = 2**28  # bytes of arrays that a file may declare


def write(path, kind, about, **arrays):
    """Writes arrays, and a JSON dict about them. Returns the path.

    Args:
        path: of the file, ending in .npz.
        kind: what the arrays are, in a word or two, which `read` asks for.
        about: the dict, without a "kind".

    Raises:
        ValueError, OSError: the file cannot be written.
    """
    path = files.check_output(path, (".npz",))
    text = json.dumps({"kind": f"kerasgan {kind}", **about})
    with files.atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, about=np.array(text), **arrays)
    return path


def read(path, kind, make):
    """What `make(arrays, **about)` makes of a file that `write` wrote. Nothing is unpickled.

    Args:
        path: of the file.
        kind: what it shall hold.
        make: function of {name: array} and of what `about` has. What it raises for values of other types, missing
            arrays and so on becomes the error below.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # what it declares, before memory is taken
            if sum(member.file_size for member in archive.infolist()) > _MOST:
                raise ValueError(f"it declares more than {kind} take")
        with np.load(path, allow_pickle=False) as arrays:
            held = dict(arrays)
        about = json.loads(str(held.pop("about")))
        if about.pop("kind") != f"kerasgan {kind}":
            raise ValueError("it holds something else")
        return make(held, **about)
    except FileNotFoundError:
        raise FileNotFoundError(f"{str(path)!r} does not exist; give a file of {kind}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise ValueError(f"{str(path)!r} holds no {kind}: {error}.") from None
