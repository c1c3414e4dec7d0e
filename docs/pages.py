"""Pages of the docs site that follow from the registry: nothing of them is kept in the repository.

A hook of MkDocs. It makes the gallery, a page for each pretrained model (its card and sheets, from its folder in
`zoo/`), for each GAN type, for each public module, and takes CONTRIBUTING.md and CHANGELOG.md along. Neither
TensorFlow nor Keras is imported.
"""

import ast
import functools
import importlib
import pathlib
import re

import kerasgan
from kerasgan import registry

ROOT = pathlib.Path(__file__).parents[1]
SHEETS = (".png", ".wav", ".mid")  # files of an entry that its card shows
OF_LATENTS = ("decode", "interpolate", "directions", "edit", "project", "paint")  # verbs that `GAN` has from a base
NO_PAGES = ("models",)  # public modules whose names have pages of their own


def on_config(config):
    """Puts the pages into the navigation, before the last three of mkdocs.yml."""
    models = [{name: f"models/{name}/index.md"} for name in entries()]
    types = [{class_of(name): f"types/{name}.md"} for name in registry.TYPES]
    modules = [{f"kerasgan.{name}": f"reference/{name}.md"} for name in modules_of_reference()]
    made = [
        {"Models": ["models/index.md", *models]},
        {"Types": ["types/index.md", *types]},
        {"Reference": ["reference/index.md", *modules]},
    ]
    config.nav = [*config.nav[:-3], *made, *config.nav[-3:]]
    return config


def on_files(files, config):
    """Adds the pages, and the files of entries that these show."""
    from mkdocs.structure.files import File  # the tests look at the pages without MkDocs

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    for name in entries():
        for file in sorted(registry_folder(name).iterdir()):
            if file.suffix in SHEETS:
                files.append(File.generated(config, f"models/{name}/{file.name}", abs_src_path=str(file)))
    return files


def pages():
    """{path on the site: Markdown} of all pages that are made here."""
    made = {"models/index.md": gallery(), "types/index.md": all_types(), "reference/index.md": public_names()}
    made |= {f"models/{name}/index.md": entry(name) for name in entries()}
    made |= {f"types/{name}.md": gan_type(name) for name in registry.TYPES}
    made |= {f"reference/{name}.md": module(name) for name in modules_of_reference()}
    made["contributing.md"] = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    made["changes.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return made


# Models --------------------------------------------------------------------------------------------------------------


def entries():
    """Names of the pretrained models, then of those that are recipes alone."""
    return [*registry.ZOO, *registry.RECIPES]


def recipe_of(name):
    return registry.resolve(name)


def registry_folder(name):
    return pathlib.Path(importlib.import_module(f"kerasgan.zoo.{name}.recipe").__file__).parent


def gallery():
    """All pretrained models with their sheets."""
    shown = [name for name in entries() if (registry_folder(name) / "samples.png").is_file()]
    cells = "\n".join(
        f'<a class="entry" href="{name}/"><img src="{name}/samples.png" loading="lazy" alt="samples of {name}">'
        f"<b>{name}</b>{escaped(recipe_of(name).makes)}</a>"
        for name in shown
    )
    others = "\n".join(
        f"- [{name}]({name}/index.md): {recipe_of(name).makes}" for name in entries() if name not in shown
    )
    return f"""# Pretrained models

Every sheet shows the first samples of a seed; none was picked out. `kerasgan list` prints the same names.

<div class="gallery">
{cells}
</div>

## Recipes without weights

`kerasgan train NAME --data PATH --out RUN` trains them on your copy of the data.

{others}
"""


def entry(name):
    """The card of a model; without one, what its recipe says."""
    recipe = recipe_of(name)
    kind = f"Type: [{class_of(recipe.gan_type)}](../../types/{recipe.gan_type}.md)."
    text = registry.describe(name)
    head, _, rest = text.partition("\n")
    if not recipe.weights:
        rest += f"\n```bash\nkerasgan train {name} --data PATH --out runs/{name}\n```\n"
    return f"{head}\n\n{kind}\n{playable(rest)}"


def playable(text):
    """Markdown in which links to sounds are players, too."""
    return re.sub(r"(\[[^\]]*\]\((\w+\.wav)\))", r'\1 <audio controls src="\2"></audio>', text)


# Types ---------------------------------------------------------------------------------------------------------------


def class_of(name):
    """The name of a type's class."""
    return registry.TYPES[name].path.partition(":")[2]


def of_type(name):
    return [model for model in entries() if recipe_of(model).gan_type == name]


def all_types():
    """The types, each with the first line of its docstring and its models."""
    lines = []
    for name in registry.TYPES:
        models = ", ".join(f"[{model}](../models/{model}/index.md)" for model in of_type(name))
        lines.append(f"| [{class_of(name)}]({name}.md) | {first_line(name)} | {models} |")
    table = "\n".join(lines)
    return f"""# GAN types

Each file in `kerasgan/models/` reads like its paper, and names what was changed and why. Of your own files,
`kerasgan train TYPE --data PATH --out RUN` trains one.

| type | what it is | models |
| --- | --- | --- |
{table}
"""


def first_line(name):
    """The first line of the docstring of a type's class, read from the source."""
    place, _, wanted = registry.TYPES[name].path.partition(":")
    tree = ast.parse((ROOT / f"{place.replace('.', '/')}.py").read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == wanted)
    return ast.get_docstring(found).partition("\n")[0].replace("|", "\\|")


def gan_type(name):
    """A type: samples of its models, how it is trained, its class."""
    sheets = "\n".join(
        f"![samples of {model}](../models/{model}/samples.png)\n\n*[{model}](../models/{model}/index.md): "
        f"{recipe_of(model).makes}*\n"
        for model in of_type(name)
        if (registry_folder(model) / "samples.png").is_file()
    )
    others = [model for model in of_type(name) if not (registry_folder(model) / "samples.png").is_file()]
    named = "".join(f"\nRecipe: [{model}](../models/{model}/index.md).\n" for model in others)
    return f"""# {class_of(name)}

```bash
kerasgan train {name} --data PATH --out runs/mine
```

{sheets}{named}

{documented(f"kerasgan.models.{class_of(name)}")}"""


# Reference -----------------------------------------------------------------------------------------------------------


def modules_of_reference():
    """Public modules that have a page in the reference."""
    return [name for name in kerasgan._MODULES if name not in NO_PAGES]


def public_names():
    """The names of `kerasgan` itself, and its modules."""
    modules = "\n".join(f"- [kerasgan.{name}]({name}.md)" for name in modules_of_reference())
    objects = "\n".join(documented(f"kerasgan.{name}", inherited=OF_LATENTS) for name in kerasgan._OBJECTS)
    return f"""# kerasgan

Classes of GAN types, `kerasgan.models`, have [pages of their own](../types/index.md). Modules:

{modules}

{objects}
"""


def module(name):
    """A public module: its docstring, and what is public in it, from where it is defined."""
    homes = homes_of(name)
    if homes is None:
        return f"# kerasgan.{name}\n\n::: kerasgan.{name}\n"
    # What a module shows as a whole, without a list, is documented there.
    others = [f"kerasgan.{other}" for other in modules_of_reference() if homes_of(other) is None]
    objects = "\n".join(
        f"## {public}\n\nSee [{home}][]." if home.rpartition(".")[0] in others else documented(home, public)
        for public, home in homes.items()
    )
    return f"# kerasgan.{name}\n\n::: kerasgan.{name}\n    options: {{members: false}}\n\n{objects}"


def documented(path, name=None, inherited=()):
    """What mkdocstrings replaces by the documentation of something, under a heading with its public name.

    Of a class with the methods of its own, and those of the bases that `inherited` names.
    """
    called = "" if name in (None, path.rpartition(".")[2]) else f", heading: {name}, toc_label: {name}"
    others = f", inherited_members: [{', '.join(inherited)}]" if inherited else ""
    options = f"{{show_root_heading: true, show_root_full_path: false, show_root_toc_entry: true{called}{others}}}"
    return f"::: {path}\n    options: {options}\n"


@functools.cache
def homes_of(name):
    """{public name: dotted path of what it is} of a module that lists them in `__all__`; None of one that does not.

    Some functions have the name of the module that they are in, which the reader of sources would take for them.
    """
    path = ROOT / "kerasgan" / name
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    if not listed:
        return None
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {public: imported.get(public, f"kerasgan.{name}.{public}") for public in ast.literal_eval(listed[0])}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")
