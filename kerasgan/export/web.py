"""A static folder with a page that runs generators in a browser, on the phone itself.

The page runs `.tflite` files with LiteRT.js, in WebAssembly or WebGPU. It needs nothing but a web server that hands out
files, also under a sub-path; on https and localhost it can be installed and works offline.
"""

import base64
import functools
import hashlib
import io
import json
import logging
import pathlib
import re
import shutil

import numpy as np

import kerasgan
from kerasgan import files, registry, simulation, weights
from kerasgan.export import sidecar
from kerasgan.export.network import Exportable

LITERT_JS = "2.5.3"  # version of LiteRT.js that the page was written and tested with
CDN = "https://cdn.jsdelivr.net"
WEB_MODE = "dynamic"  # half the bytes of float16, and three times as fast in a browser
INSTALL = f"npm install @litertjs/core@{LITERT_JS}"

PAGE = pathlib.Path(__file__).parent / "page"
_OUTPUTS = re.compile(r"^const OUTPUTS = \{(.*?)\};", re.MULTILINE | re.DOTALL)  # of page/kinds.js
_INDEX = "zoo.json"  # which makes a folder a bundle of ours: its models, its runtime, all its files
_HEAD = "<!-- kerasgan.export.web writes here where the runtime comes from -->"
_BUNDLE = 'const BUNDLE = { version: "", page: [], runtime: "" }; // written by kerasgan.export.web'

# What the page uses of the two packages; package.json names version, licence and source.
_BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")  # with and without relaxed SIMD
_CORE = ("package.json", "dist/index.js", *(f"wasm/{build}.{ending}" for build in _BUILDS for ending in ("js", "wasm")))
_WASM_UTILS = ("package.json", "dist/index.js")
_SMALL = 96  # pixels of a thumbnail's edge, at most
_SMALL_BYTES = 6_000  # of its file, at most; colours are given up for it
_COLOURS = (256, 128, 64, 32, 16, 8)
_SHOWN = (
    "seed",
    "class",
    "text",
    "prefix",
    "scaling",
    "give",
    "warning",
    "direction",
)  # of a recipe's page, that zoo.json has as it is
_BRUSHED = 32  # directions that painting on a sample may move it along
_WIDEST = 512  # latents of a model whose directions are looked for: SeFa takes minutes for thousands
_SPACES = ("normal", "uniform")  # how latents are drawn that samples can be steered by
_RUNTIME_BYTES = 9_367_934  # of the .wasm file, which servers send packed: lets the page show how far a download is


def web(names, folder, quantize=WEB_MODE, litert=None, overwrite=False, preparing=0):
    """Writes a folder of static files: a page that makes samples on the device that opens it.

    ```python
    kerasgan.export.web(["dcgan_celeba", "wgan_gp_sprites"], "page/")
    ```

    Args:
        names: a name of the zoo, several, or a dict of names and paths of exported .tflite files with their sidecars.
        folder: folder to write. Missing folders on the way to it are made.
        quantize: mode of `kerasgan.export.tflite`, for what is not exported yet. A "dynamic" file is half as large as a
            "float16" one and runs three times as fast in a browser, and no difference is to be seen.
        litert: None takes LiteRT.js from a public CDN (jsDelivr) at a fixed version. The path of a `node_modules`
            folder, made by `npm install @litertjs/core@2.5.3`, copies it into the folder: no other host is asked then.
        overwrite: whether a folder that `web` wrote before is replaced.
        preparing: how many models are still to come, for a page whose folder is replaced while it is looked at: it asks
            for `zoo.json` again until this is 0.

    Returns:
        The folder as a `pathlib.Path`.

    Raises:
        TypeError, ValueError: an argument, a file that is not what its sidecar says, or a model of other samples than
            images, clips, sounds, music, volumes, sketches, texts, tables and smoke, or scores others than
            images; nothing has been written.
        FileNotFoundError: LiteRT.js, a .tflite file or its sidecar is not there.
        FileExistsError: the folder holds something; with `overwrite`, something that `web` did not write.
        OSError: the folder cannot be written.
        ...: what `kerasgan.export.tflite` raises.
    """
    models = _models(names)
    folder, litert = check_page(folder, litert, overwrite)
    with files.atomic_folder(folder) as temporary:
        (temporary / "models").mkdir()
        described = [one for name, path in models.items() for one in _add_model(temporary, name, path, quantize)]
        runtime = _add_runtime(temporary, litert)
        _add_page(temporary, runtime, described, preparing)
    return folder


def _models(names):
    """{name: path of an exported file, or None to export it}, checked."""
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, (dict, list, tuple)):
        raise TypeError(f"names={names!r}: expected a name, a list of names or a dict of names and paths.")
    models = dict(names) if isinstance(names, dict) else dict.fromkeys(names)
    if not models:
        raise ValueError(f"names={names!r}: expected at least one model. The zoo has {', '.join(registry.ZOO)}.")
    for name, path in models.items():
        weights.check_plain_name("names", name)
        if path is None:
            registry.get(name)
        else:
            _check_shown(name, _check_model(path))
    return models


def _check_shown(name, described):
    """Raises a ValueError for a model, by its sidecar, that makes what the page does not show, or scores no images."""
    output = described["output"]
    if output.get("kind", "image") not in _shown():  # sidecars of long ago do not say it
        raise ValueError(
            f"names: {name!r} makes {output['name']} (kind {output['kind']!r}); the page shows images, clips, volumes, "
            "sketches, texts, tables and smoke, and plays sounds and music. Its .tflite file runs in apps of your own."
        )
    given = [one["kind"] for one in described["inputs"]]
    if output.get("kind") == "score" and given != ["image"]:
        raise ValueError(
            f"names: {name!r} scores samples of kind {', '.join(map(repr, given))}; the page scores images alone. Its "
            ".tflite file runs in apps of your own."
        )


def _shown():
    """Kinds of samples that the page can show, as it says itself."""
    return re.findall(r"(\w+):", _OUTPUTS.search((PAGE / "kinds.js").read_text(encoding="utf-8"))[1])


def _check_model(path):
    """The sidecar of an exported .tflite file that is what its sidecar says."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"names: there is no file {str(path)!r}; write it with kerasgan.export.tflite.")
    described = sidecar.read(path)
    if described is None:
        raise FileNotFoundError(
            f"names: {str(path)!r} has no sidecar {sidecar.path_of(path).name!r} beside it, which tells the page its "
            "inputs; kerasgan.export.tflite writes both."
        )
    if not sidecar.describes(described, path):
        raise ValueError(f"names: {str(path)!r} is not the file that its sidecar describes; export it again.")
    return described


def check_page(folder, litert=None, overwrite=False):
    """Checks what `web` needs besides models, before any work. Takes and raises the same; returns folder and litert."""
    return _check_folder(folder, overwrite), None if litert is None else _check_litert(litert)


def _check_folder(folder, overwrite):
    files.check_given(folder, "folder")
    folder = pathlib.Path(folder)
    files.check_folder(folder.absolute().parent)
    if not folder.exists():
        return folder
    if folder.is_symlink() or not folder.is_dir():
        raise FileExistsError(f"folder {str(folder)!r} is not an ordinary folder; give the name of another one.")
    if not any(folder.iterdir()):
        return folder
    ours = _files_of(folder)
    if ours is None:
        raise FileExistsError(f"folder {str(folder)!r} holds files; give the name of a new or an empty folder.")
    if not overwrite:
        raise FileExistsError(f"folder {str(folder)!r} holds a page already; overwrite=True replaces it.")
    theirs = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.relative_to(folder).as_posix() not in ours
    )
    if theirs:
        raise FileExistsError(
            f"folder {str(folder)!r} holds files that kerasgan did not write: {', '.join(theirs[:5])}"
            f"{', ...' if len(theirs) > 5 else ''}. Move them, or give another folder."
        )
    return folder


def _files_of(folder):
    """Names of the files that `web` wrote into a folder; None when it did not write the folder."""
    try:
        index = files.read_json(folder / _INDEX)
        return {*index["files"], _INDEX} if "kerasgan" in index else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_litert(path):
    path = pathlib.Path(path)
    advice = f"Make it with: {INSTALL}"
    for package, needed in (("core", _CORE), ("wasm-utils", _WASM_UTILS)):
        for file in needed:
            if not (path / "@litertjs" / package / file).is_file():
                raise FileNotFoundError(
                    f"litert: {str(path)!r} has no @litertjs/{package}/{file}; expected the node_modules folder of "
                    f"LiteRT.js {LITERT_JS}. {advice}"
                )
    package = path / "@litertjs" / "core" / "package.json"
    try:
        version = json.loads(package.read_text(encoding="utf-8"))["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"litert: {str(package)!r} is damaged ({error}). {advice}") from error
    if version != LITERT_JS:
        raise ValueError(f"litert: {str(path)!r} holds LiteRT.js {version}; expected {LITERT_JS}. {advice}")
    return path


def _add_model(folder, name, path, quantize):
    """Puts a model and its sidecar into the folder; returns the sidecar as zoo.json holds it, in a list.

    A translator's other direction, if it lies beside it, is a further model there, which says `of` which one it is.
    """
    if path is None:
        from kerasgan.export.to_tflite import tflite

        with files.scratch(folder) as made:
            tflite(name, made / f"{name}.tflite", quantize=quantize)
            complete(name, made / f"{name}.tflite", quantize)
            return _add_model(folder, name, made / f"{name}.tflite", quantize)
    target = folder / "models" / f"{name}.tflite"
    described = {**_check_model(path), "name": name, "file": target.name}
    _check_shown(name, described)
    shutil.copyfile(path, target)
    _write_sidecar(described, target)
    found = {**described, "file": f"models/{target.name}", **_made_examples(folder, described)}
    found.update(_pictures(folder, name, described))
    found.pop("directions", None)
    if directions_of(path).is_file():
        found["directions"] = _add_file(folder, f"directions/{name}.json", directions_of(path).read_bytes())
    if not back_of(path).is_file():
        return [found]
    (back,) = _add_model(folder, f"{name}_back", back_of(path), quantize)
    return [found, {**back, "of": name}]


def complete(name, path, quantize):
    """Adds what the page wants to the exported file of a pretrained model.

    That is how it is introduced, the directions that its samples are steered by, its other direction.

    Args:
        name: of the pretrained model.
        path: its .tflite file; what translates back comes beside it (see `back_of`), if the recipe's page speaks of it.
        quantize: as for `kerasgan.export.tflite`.
    """
    recipe = registry.get(name)
    _introduce(path, recipe, recipe.page)
    steer(name, path)
    if "back" in recipe.page:
        from kerasgan.export.to_tflite import tflite

        tflite(turned(name), back_of(path), quantize=quantize, overwrite=True)
        _introduce(back_of(path), recipe, recipe.page["back"], back=True)


def back_of(path):
    """Where the file of a translator's other direction is, beside that of the first."""
    path = pathlib.Path(path)
    return path.with_name(f"{path.name}.back.tflite")


def directions_of(path):
    """Where the file of directions is, beside that of a model whose samples can be steered (see `steer`)."""
    path = pathlib.Path(path)
    return path.with_name(f"{path.name}.directions.json")


def steer(gan, path):
    """Writes the directions of a GAN's latents beside its exported file, and says so in the sidecar.

    The named ones are for sliders. Those that samples change most along (SeFa) are for painting on pictures, which the
    page does along random ones where there are none. Only latents themselves are moved on the page: directions of
    styles are left out, since a file makes styles of latents within. Nothing is written for a model without either.

    Args:
        gan: `kerasgan.GAN`, or a name, run folder or file of one.
        path: its .tflite file, whose sidecar is beside it.
    """
    path, described = pathlib.Path(path), sidecar.read(path)
    latents = [one for one in described["inputs"] if one.get("distribution") in _SPACES]
    if len(latents) != 1:
        return
    from kerasgan.gan import GAN

    gan = Exportable.of(gan).gan
    if not isinstance(gan, GAN):  # clips that go on from latents and frames
        return
    named = [one for one in gan.named_directions.values() if one.space == "latents"]
    basis = _most_changing(gan) if described["output"].get("kind") == "image" else []
    if not named and not basis:
        return
    known = {
        "named": [{"name": one.name, "deviation": one.deviation, "vector": _in_base64([one])} for one in named],
        "basis": _in_base64(basis),
    }
    target = directions_of(path)
    target.write_text(json.dumps(known, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    _write_sidecar({**described, "directions": sidecar.fingerprint(target)}, path)


def _most_changing(gan):
    """The directions that SeFa finds, those that samples change most along first; none where it does not serve."""
    width = int(gan.generator.inputs[0].shape[-1])
    if width > _WIDEST:
        return []
    try:
        found = gan.directions("sefa", min(_BRUSHED, width))
    except ValueError as error:  # it has no such layers
        logging.getLogger(__name__).debug("no directions of %s: %s", gan.name, error)
        return []
    return [one for one in found if one.space == "latents"]


def _in_base64(found):
    """The vectors of directions, one after the other, as float32 with the lowest byte first."""
    return base64.b64encode(b"".join(one.vector.astype("<f4").tobytes() for one in found)).decode()


def turned(gan):
    """A `kerasgan.export.Exportable` of the other direction of a translator, whose domains have images of one shape."""
    exportable = Exportable.of(gan)
    exportable.network = exportable.gan.inference_network(exportable.gan.directions[1])
    return exportable


def _introduce(path, recipe, page, **about):
    """Says in the sidecar of a pretrained model's file how the page introduces it."""
    known = {"title": recipe.title, **{key: page[key] for key in _SHOWN if key in page}}
    _write_sidecar({**sidecar.read(path), "pretrained": recipe.name, **about, "page": known}, path)


def _write_sidecar(described, target):
    text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    sidecar.path_of(target).write_text(text, encoding="utf-8")


def _pictures(folder, name, described):
    """Cuts what the page shows of a pretrained model out of its sheets; returns it as zoo.json has it."""
    pretrained = described.get("pretrained")
    if pretrained not in registry.list_models() or registry.folder_of(pretrained) is None:
        return {}
    sheets, page = registry.folder_of(pretrained), registry.get(pretrained).page
    page = page.get("back", {}) if described.get("back") else page
    found = {}
    if box := page.get("thumbnail"):
        found["thumbnail"] = _add_file(folder, f"thumbnails/{name}.png", _small(_cut(sheets, box)))
    if boxes := page.get("examples"):
        given = next((one for one in described["inputs"] if one["kind"] in _OF_STRIPS), None)
        ending, packed = _OF_STRIPS[given["kind"]] if given else (".png", lambda picture, _: _packed(picture))
        pictures = [packed(_cut(sheets, box), given) for box in boxes]
        found["examples"] = [
            _add_file(folder, f"examples/{name}_{number}{ending}", data) for number, data in enumerate(pictures, 1)
        ]
    return found


def _made_examples(folder, described):
    """Writes what a model can be tried on that takes what few people have; returns it as zoo.json has it."""
    kinds = [one["kind"] for one in described["inputs"] if one["kind"] in _EXAMPLES]
    return {"examples": [_add_file(folder, *_EXAMPLES[kind]()) for kind in kinds]} if kinds else {}


@functools.cache
def _smoke():
    return "examples/smoke.npz", simulation.example()


_EXAMPLES = {"fields": _smoke}  # by the kind of input: file and bytes, of what is made rather than cut out of a sheet


def _cut(sheets, box):
    """A part of a sheet in the folder of an entry, a Pillow image; `box` is [file, left, top, right, bottom]."""
    import PIL.Image

    with PIL.Image.open(sheets / pathlib.PurePath(box[0]).name) as sheet:
        return sheet.convert("RGBA" if sheet.mode == "RGBA" else "RGB").crop(box[1:])


def _small(picture):
    """A PNG of a picture that is small in every respect: some kilobytes for a strip of many."""
    picture.thumbnail((_SMALL, _SMALL))
    data = _packed(picture)
    for colours in _COLOURS:
        if len(data) <= _SMALL_BYTES:
            break
        data = _packed(picture.quantize(colours, method=2))  # an octree, which knows transparency
    return data


def _animated(strip, given):
    """A WebP animation, without loss, of a filmstrip as sheets have it; `given` is what a sidecar says of the input."""
    from kerasgan.media.image import GAP  # here, as it imports TensorFlow

    pixels, width = np.asarray(strip), given["shape"][3]
    frames = np.stack([pixels[:, left : left + width] for left in range(0, strip.width, width + GAP)])
    return kerasgan.media.Video(frames.shape, given["frame_rate"]).content(frames[None], ".webp")


# By the kind of input: ending and bytes of an example that is not the picture as it was cut out of a sheet.
_OF_STRIPS = {"video": (".webp", _animated)}


def _packed(picture):
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _add_file(folder, name, data):
    """Writes a small file into the bundle; returns its address, size and hash."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return {"file": name, **sidecar.fingerprint(path)}


def _add_runtime(folder, litert):
    """Copies LiteRT.js into the folder, if it is to be there; returns its addresses for zoo.json."""
    if litert is None:
        core, utils = (f"{CDN}/npm/@litertjs/{package}@{LITERT_JS}/" for package in ("core", "wasm-utils"))
    else:
        core, utils = (f"./litert/{LITERT_JS}/{package}/" for package in ("core", "wasm-utils"))
        for package, address, needed in (("core", core, _CORE), ("wasm-utils", utils, _WASM_UTILS)):
            for file in needed:
                target = folder / address / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(litert / "@litertjs" / package / file, target)
    return {
        "version": LITERT_JS,
        "core": f"{core}dist/index.js",
        "wasm_utils": f"{utils}dist/index.js",
        "wasm": f"{core}wasm/",
        "bytes": _RUNTIME_BYTES,
    }


def _add_page(folder, runtime, models, preparing):
    """Writes the page, its service worker and zoo.json, which lists all files."""
    page = sorted(path.name for path in PAGE.iterdir() if path.is_file())
    for name in page:
        shutil.copyfile(PAGE / name, folder / name)
    _fill(folder / "index.html", _HEAD, _head(runtime))
    others = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    fingerprints = {path.relative_to(folder).as_posix(): sidecar.fingerprint(path)["sha256"] for path in others}
    index = {
        "kerasgan": kerasgan.__version__,
        "version": hashlib.sha256(json.dumps([fingerprints, runtime]).encode()).hexdigest()[:16],
        "runtime": runtime,
        "models": models,
        "preparing": preparing,
        "files": sorted(fingerprints),
    }
    (folder / _INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    small = [name for name in fingerprints if name.startswith(("thumbnails/", "examples/", "directions/"))]
    kept = ["./", *(name for name in page if name != "service-worker.js"), *sorted(small), _INDEX]
    start = f"{CDN}/npm/@litertjs/" if runtime["core"].startswith(CDN) else "litert/"
    bundle = json.dumps({"version": index["version"], "page": kept, "runtime": start})
    _fill(folder / "service-worker.js", _BUNDLE, f"const BUNDLE = {bundle};")


def _fill(path, placeholder, text):
    source = path.read_text(encoding="utf-8")
    if source.count(placeholder) != 1:
        raise RuntimeError(f"{path.name} of the page has lost its line {placeholder!r}; install kerasgan again.")
    path.write_text(source.replace(placeholder, text), encoding="utf-8", newline="\n")


def _head(runtime):
    """The part of index.html that depends on where the runtime comes from.

    The import map, which must be in the page itself, finds the package that LiteRT.js imports by name. The policy lets
    only the page's own scripts run, the runtime's and this map, and lets nothing be sent anywhere else.
    """
    import_map = json.dumps({"imports": {"@litertjs/wasm-utils": runtime["wasm_utils"]}})
    preloads = "\n".join(
        f'    <link rel="modulepreload" href="{address}">' for address in (runtime["core"], runtime["wasm_utils"])
    )
    return f"""<meta http-equiv="Content-Security-Policy" content="{_policy(runtime, import_map)}">
    <script type="importmap">{import_map}</script>
{preloads}
    <link rel="preload" href="zoo.json" as="fetch" crossorigin>"""


def _policy(runtime, import_map):
    cdn = f" {CDN}" if runtime["core"].startswith(CDN) else ""
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{cdn} 'sha256-{digest}' 'wasm-unsafe-eval'",
            f"connect-src 'self'{cdn}",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
