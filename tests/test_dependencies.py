"""What knows what inside of the package: imports point one way. Read from the source, nothing is imported."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "kerasgan"

# From the bottom up: what stands in a line knows nothing, at any distance, of what stands in a later one. Parts that
# are not named may stand anywhere, as long as no circle comes of it.
LEVELS = (
    (
        "layers",
        "losses",
        "penalties",
        "schedules",
        "augmentation",
        "media",
        "data",
        "metrics",
        "files",
        "console",
        "tasks",
    ),
    ("game",),
    ("gan", "translator", "upscaler", "continuer", "writer"),
    ("models",),
    ("registry", "zoo", "callbacks", "published", "hub"),
    ("runs", "export"),
    ("report", "synthetic", "publishing"),
    ("cli",),
)
LEVEL = {part: height for height, parts in enumerate(LEVELS) for part in parts}


def _modules():
    """{dotted name: path}; the package itself, which offers what is in it under short names, is not among them."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path
    del found[PACKAGE.name]
    return found


MODULES = _modules()


def _imports(path):
    """Names of the package's modules that a file imports, also within its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in MODULES or node.module in MODULES:
                    yield name if name in MODULES else node.module


IMPORTS = {name: sorted({*_imports(path)} - {name}) for name, path in MODULES.items()}


def part(name):
    """The part of the package that a module belongs to: "kerasgan.media.audio" to "media"."""
    return name.split(".")[1]


PARTS = {
    each: sorted({part(found) for name in IMPORTS if part(name) == each for found in IMPORTS[name]} - {each})
    for each in {part(name) for name in MODULES}
}


def circle(graph):
    """Nodes that lead back to the first of them, or None."""
    done = set()

    def follow(node, way):
        if node in way:
            return way[way.index(node) :] + [node]
        if node in done:
            return None
        found = next(filter(None, (follow(other, [*way, node]) for other in graph[node])), None)
        done.add(node)
        return found

    return next(filter(None, (follow(node, []) for node in sorted(graph))), None)


def ways(name):
    """{module that is known at any distance: the way there}."""
    found, waiting = {}, [[name]]
    while waiting:
        way = waiting.pop(0)
        for other in IMPORTS[way[-1]]:
            if other not in found:
                found[other] = [*way, other]
                waiting.append(found[other])
    return found


@pytest.mark.parametrize("graph", [IMPORTS, PARTS], ids=["modules", "parts"])
def test_imports_go_in_no_circle(graph):
    found = circle(graph)
    assert found is None, " imports ".join(found)


def test_what_is_low_knows_nothing_of_what_is_high():
    wrong = [
        " imports ".join(way)
        for name in MODULES
        for other, way in ways(name).items()
        if part(name) in LEVEL and LEVEL.get(part(other), -1) > LEVEL[part(name)]
    ]
    assert not wrong, "\n".join(wrong)


def test_a_circle_would_be_found():
    assert circle({"a": ["b"], "b": ["c", "d"], "c": [], "d": ["b"]}) == ["b", "d", "b"]
    assert circle({"a": ["b"], "b": ["c"], "c": []}) is None
    assert ways("kerasgan.models.wgan_gp")["kerasgan.gan"] and len(MODULES) > 100  # imports are read at all
