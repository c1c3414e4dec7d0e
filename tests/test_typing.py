"""What editors and type checkers see: the names that are imported lazily, and the README's Python."""

import ast
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import kerasgan
from kerasgan import media
from kerasgan.export import to_tflite

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# What a checker has to find: {code: what the complaint names}.
WRONG = {
    "kerasgan.models.DCGAN(widht=4)": "widht",
    'kerasgan.load("dcgan_celeba").generate(4, sed=3)': "sed",
    "kerasgan.lod": "lod",
    "kerasgan.media.Imagge": "Imagge",
}


def declared(module):
    """{name: module that it comes from} of the names that a module declares for type checkers."""
    body = ast.parse(pathlib.Path(module.__file__).read_text(encoding="utf-8")).body
    block = next(node for node in body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    names = [(alias, node.module) for node in block.body for alias in node.names]
    assert all(alias.asname == alias.name for alias, _ in names)  # else a checker takes it for private
    return {alias.name: source for alias, source in names}


def test_the_package_declares_what_it_offers():
    offered = {**kerasgan._OBJECTS, **dict.fromkeys(kerasgan._MODULES, "kerasgan")}
    assert declared(kerasgan) == offered and not kerasgan.TYPE_CHECKING
    assert (pathlib.Path(kerasgan.__file__).parent / "py.typed").is_file()


def test_media_declare_what_they_offer():
    assert declared(media) == media._HOMES


def test_the_stub_says_what_the_function_takes():
    stub = ast.parse(pathlib.Path(to_tflite.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    overloads = [node for node in stub.body if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in overloads] == ["tflite"] * 2
    parameters = inspect.signature(to_tflite.tflite).parameters.values()
    for node in overloads:
        assert [a.arg for a in node.args.args] == [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        assert [a.arg for a in node.args.kwonlyargs] == [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        assert [ast.literal_eval(value) for value in defaults] == [
            p.default for p in parameters if p.default is not p.empty
        ]


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_checker_finds_nothing_in_the_readme_and_what_is_wrong(checker, tmp_path):
    program = shutil.which(checker)
    if program is None:
        pytest.skip(f"needs {checker}: pip install {checker}")
    snippets = _PYTHON.findall(README)
    for number, code in enumerate(snippets):
        (tmp_path / f"snippet_{number}.py").write_text(code, encoding="utf-8")
    for number, code in enumerate(WRONG):
        (tmp_path / f"wrong_{number}.py").write_text(f"import kerasgan\n\n{code}\n", encoding="utf-8")
    options = {
        "mypy": ["--python-executable", sys.executable, "--disable-error-code", "import-untyped"],  # which Keras is
        "pyright": ["--pythonpath", sys.executable],
    }
    files = sorted(path.name for path in tmp_path.iterdir())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # as a plain editable install has it
    command = [program, *options[checker], *files]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500)
    said = [line for line in done.stdout.splitlines() if "error" in line and ".py" in line]
    for number, name in enumerate(WRONG.values()):
        (found,) = [line for line in said if f"wrong_{number}.py" in line]
        assert name in found
    assert len(said) == len(WRONG) and len(snippets) > 10, "\n".join(said)
