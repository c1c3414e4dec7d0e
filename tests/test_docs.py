"""The docs site, without building it: everything has its place, links lead somewhere, what is typed there is right."""

import importlib
import importlib.util
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

import as_script
import pytest
from snippets import BLOCK, check_command, check_python, commands

import kerasgan
from kerasgan import registry

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITTEN = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}


@pytest.fixture(scope="module")
def hook():
    return as_script.load(DOCS / "pages.py")


@pytest.fixture(scope="module")
def pages(hook):
    """All pages of the site: {path: Markdown}."""
    return {**WRITTEN, **hook.pages()}


def named(path):
    """What a dotted path names."""
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    return found if found is not None else importlib.import_module(path)


def test_every_entry_and_every_type_has_a_page_and_its_sheet_is_in_the_gallery(pages):
    for name in (*registry.ZOO, *registry.RECIPES):
        assert pages[f"models/{name}/index.md"].startswith(f"# {name}\n")
        assert f"({name}/index.md)" in pages["models/index.md"] or f'href="{name}/"' in pages["models/index.md"]
    for name in registry.ZOO:
        assert f'src="{name}/samples.png"' in pages["models/index.md"]
        assert f"models/{name}/samples.png" in pages[f"types/{registry.get(name).gan_type}.md"]
    for name in registry.TYPES:
        page = pages[f"types/{name}.md"]
        assert f"kerasgan train {name} " in page and f"({name}.md)" in pages["types/index.md"]
        assert named(re.search(r"^::: (\S+)", page, re.MULTILINE)[1]) is registry.gan_class(name)


def test_every_public_name_is_in_the_reference(hook, pages):
    shown = re.findall(r"^::: kerasgan\.(\w+)$", pages["reference/index.md"], re.MULTILINE)
    modules = re.findall(r"\[kerasgan\.(\w+)\]\(\1\.md\)", pages["reference/index.md"])
    assert {*shown, *modules, "models", "__version__"} == {*kerasgan.__all__}
    assert {registry.gan_class(name).__name__ for name in registry.TYPES} <= {*kerasgan.models.__all__}
    for name in modules:
        homes, module = hook.homes_of(name), getattr(kerasgan, name)
        assert f"::: kerasgan.{name}\n" in pages[f"reference/{name}.md"]
        if homes is None:
            assert "__all__" not in vars(module)
            continue
        assert list(homes) == list(module.__all__)
        for public, home in homes.items():
            page = pages[f"reference/{name}.md"]
            assert f"::: {home}\n" in page or f"See [{home}][]" in page
            same = named(home) is getattr(module, public) or named(home) == getattr(module, public)
            assert same, home


def test_links_between_pages_lead_somewhere(pages):
    for place, text in pages.items():
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if target.startswith("https://"):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
            sheet = re.fullmatch(r"models/(\w+)/(samples\w*\.\w+)", path)
            there = path in pages or (sheet and (ROOT / "zoo" / sheet[1] / sheet[2]).is_file())
            assert there, f"{place}: {target}"


def test_every_written_page_is_in_the_navigation(pages):
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"[\w/-]+\.md", config)
    assert sorted(listed) == sorted([*WRITTEN, "contributing.md", "changes.md"])
    assert all(path in pages for path in listed)
    tasks = {path.removeprefix("tasks/") for path in listed if path.startswith("tasks/")} - {"index.md"}
    assert len(tasks) >= 14 and all(f"({task})" in WRITTEN["tasks/index.md"] for task in tasks)


@pytest.mark.parametrize("path", sorted(WRITTEN))
def test_what_is_typed_on_a_page_is_right(path):
    for kind, body in BLOCK.findall(WRITTEN[path]):
        if kind == "python":
            check_python(body)
            continue
        for words in commands(body):
            check_command(words)
            known = (*registry.ZOO, *registry.RECIPES, *registry.TYPES, "auto", "smoke")
            names = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", word)]
            assert set(names) <= {*known, "node_modules"}, words
    models = re.findall(r'kerasgan\.load\("(\w+)"\)', WRITTEN[path])
    assert set(models) <= {*registry.ZOO}


def test_a_command_that_is_wrong_would_be_found():
    check_command(["generate", "dcgan_celeba", "-n", "4", "--seed=7"])
    for words in (["generate", "--sed", "7"], ["genrate"], ["export", "-x"]):
        with pytest.raises(AssertionError):
            check_command(words)
    with pytest.raises(AttributeError):
        check_python("import kerasgan\nkerasgan.data.imagse('x')")


def test_files_of_the_repository_that_programs_read():
    yaml = pytest.importorskip("yaml")
    for path in [*(ROOT / ".github").rglob("*.yml"), ROOT / "CITATION.cff"]:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert isinstance(found, dict) and found, path
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (kerasgan.__version__, "Apache-2.0")


def test_the_repository_is_named_in_one_place(tmp_path):
    tool = as_script.load(ROOT / "tools" / "name_repository.py")
    found = set()
    for path in tool.named(ROOT):
        found |= {*re.findall(r"(?:github\.com|com/github)/([\w.-]+/kerasgan)\b", path.read_text(encoding="utf-8"))}
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    assert found == {tool.current(ROOT)}
    changed = tool.rename(tmp_path, "https://github.com/somebody/gans")
    assert len(changed) >= 8 and tool.current(tmp_path) == "somebody/gans"
    for path in tool.named(tmp_path):
        assert f"{tool.current(ROOT)}" not in path.read_text(encoding="utf-8"), path
    with pytest.raises(ValueError, match="expected https://github.com/OWNER/NAME"):
        tool.rename(tmp_path, "gitlab.com/x")


def test_pages_are_made_without_tensorflow():
    code = f"import runpy; runpy.run_path({str(DOCS / 'pages.py')!r})['pages']()"
    code = f"import sys; {code}; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "False\n", done.stderr
