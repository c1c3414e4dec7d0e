"""Writes the address of the repository wherever it is named: setup.py, notebooks, the docs site, CITATION.cff, ...

python tools/name_repository.py --to https://github.com/you/kerasgan
"""

import pathlib
import re

from absl import app, flags

FILES = ("setup.py", "*.md", "*.cff", "mkdocs.yml", "notebooks/*.ipynb", "docs/**/*.md", ".github/**/*.yml")
_ADDRESS = r"https://github\.com/([\w.-]+/[\w.-]+?)"


def named(root):
    """The files that may name the repository, sorted paths."""
    return sorted(path for pattern in FILES for path in pathlib.Path(root).glob(pattern))


def current(root):
    """The repository as setup.py has it: "OWNER/NAME"."""
    text = (pathlib.Path(root) / "setup.py").read_text(encoding="utf-8")
    return re.search(rf'^REPOSITORY = "{_ADDRESS}"$', text, re.MULTILINE)[1]


def rename(root, address):
    """Replaces the repository in all files; returns the paths of those that have changed."""
    found = re.fullmatch(_ADDRESS + "/?", address)
    if not found:
        raise ValueError(f"--to is {address!r}; expected https://github.com/OWNER/NAME.")
    old, changed = current(root), []
    for path in named(root):
        text = path.read_text(encoding="utf-8")
        new = re.sub(rf"(?<=github\.com/|com/github/){re.escape(old)}(?![\w-])", lambda _: found[1], text)
        if new != text:
            path.write_text(new, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def main(_):
    for path in rename(flags.FLAGS.root, flags.FLAGS.to):
        print(path)


if __name__ == "__main__":
    flags.DEFINE_string("to", None, "Address of the repository, https://github.com/OWNER/NAME.", required=True)
    flags.DEFINE_string("root", str(pathlib.Path(__file__).parents[1]), "Folder of the repository.")
    app.run(main)
