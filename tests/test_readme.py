"""Every snippet of the README runs, in its order, in a folder that holds what a reader would have."""

import _thread
import json
import pathlib
import re
import shlex
import threading
import urllib.parse
import urllib.request

import matplotlib
import numpy as np
import pytest
from PIL import Image

import kerasgan.serve as serving
from kerasgan import cli, registry

README = pathlib.Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SNIPPETS = _BLOCK.findall(README.read_text(encoding="utf-8"))
# These two are what .ci/run and whoever reads this have typed already.
INSTALLATION = ("pip install", "pytest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder with photographs, shared so that later snippets find what earlier ones made."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "my_photos").mkdir()
    random = np.random.default_rng(0)
    for i in range(64):
        pixels = random.integers(0, 256, (8, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((72, 64)).save(folder / "my_photos" / f"{i}.jpg")
    return folder


def test_readme_has_its_two_commands_first():
    commands = [body for kind, body in SNIPPETS if kind == "bash"]
    assert commands[0].startswith("pip install -e . && kerasgan generate dcgan_celeba")
    assert commands[1] == 'pip install -e ".[test]" && pytest\n'
    assert len(SNIPPETS) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippet_runs(number, folder, monkeypatch):
    kind, body = SNIPPETS[number]
    monkeypatch.chdir(folder)
    matplotlib.use("Agg")
    if kind == "python":
        exec(compile(body, f"README snippet {number}", "exec"), {"__name__": "__main__"})
        return
    for line in body.splitlines():
        for command in line.split("&&"):
            words = shlex.split(command)
            if command.strip().startswith(INSTALLATION):
                continue
            assert words[0] == "kerasgan"
            if words[1] == "serve":
                monkeypatch.setattr(serving, "serve", _visited(serving.serve))
                words = [word for word in words if word != "--lan" or _in_a_network()]
            # A reader's training takes its time; here a few steps show that the command is right.
            limit = ["--limit_steps", "2"] if words[1] == "train" else []
            assert cli.main([*words[1:], *limit]) == 0
            if "-o" in words:
                assert (folder / words[words.index("-o") + 1]).stat().st_size > 1000


def _in_a_network():
    try:
        return bool(serving._lan_address())
    except OSError:
        return False


def _visited(serve):
    """`serve` with a visitor that looks at the page and then presses Ctrl-C."""

    def visit(url):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{urllib.parse.urlsplit(url).port}/zoo.json") as answer:
                assert {*registry.ZOO} <= {model["name"] for model in json.load(answer)["models"]}
        finally:
            _thread.interrupt_main()

    return lambda folder, **options: serve(
        folder, **options, ready=lambda url: threading.Thread(target=visit, args=(url,)).start()
    )


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (README.parent / target).exists(), target
