"""How the types' files stand to each other."""

import ast
import pathlib

import pytest

import kerasgan

MODELS = pathlib.Path(kerasgan.__file__).parent / "models"
FILES = sorted(path for path in MODELS.glob("*.py") if path.name != "__init__.py")


def imported_from_types(tree):
    """Names that a module imports from modules of other types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerasgan.models"):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("kerasgan.models"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_types_take_nothing_from_each_other_but_what_they_inherit(path):
    tree = ast.parse(path.read_text())
    bases = {ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    assert set(imported_from_types(tree)) <= bases
