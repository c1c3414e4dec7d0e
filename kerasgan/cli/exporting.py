"""Generators on other devices: `export`, `serve`."""

import os
import sys

import click

from kerasgan import bars, commands, console, registry, runs
from kerasgan.commands import COUNT, MODEL, PLACE, Command

_ENDINGS = {"tflite": ".tflite", "onnx": ".onnx", "saved_model": ""}  # of formats
_MODES = ("float32", "float16", "dynamic", "int8")

_quantize = click.option("--quantize", type=click.Choice(_MODES), help="Number format of weights (tflite).")
_litert = click.option(
    "--litert",
    type=PLACE,
    help="node_modules folder with LiteRT.js, for pages that ask no other host; default: a public CDN.",
)


@click.command(cls=Command)
@click.argument("names", metavar="NAME|RUN|FILE ...", type=MODEL, nargs=-1, required=True)
@click.option("--format", type=click.Choice(list(_ENDINGS)), default="tflite", help="What to write.")
@_quantize
@commands.out_option("File or folder to write; default: NAME with the format's ending.")
@click.option("--batch_size", type=COUNT, default=1, help="Samples in one run.")
@click.option("--latency", is_flag=True, help="Measure it, beside Keras.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--allow_select_ops", is_flag=True, help="Admit TensorFlow's own operations (tflite).")
@click.option("--web", type=PLACE, help="Folder to write for a browser, instead of a file.")
@_litert
@commands.trust_option
def export(names, format, quantize, out, web, litert, overwrite, **options):
    """Writes generators for phones and browsers.

    Files that run without Keras: .tflite (LiteRT), ONNX or a SavedModel. Each file is run and held against Keras;
    one that makes other samples is refused. With --web, writes a folder that shows the models in a browser, for any
    host of static files.

    Examples:
      kerasgan export dcgan_celeba
      kerasgan export dcgan_celeba --quantize float16 -o faces.tflite
      kerasgan export runs/my_photos --quantize int8 --latency
      kerasgan export dcgan_celeba --format onnx
      kerasgan export dcgan_celeba runs/my_photos --web site/
    """
    if quantize is not None and format != "tflite":
        raise ValueError(f"--quantize {quantize} is for tflite; leave it out for {format}.")
    if web is not None and out is not None:
        raise ValueError("--web and --out: give one of them, the folder for a browser or the file.")
    if out is not None and len(names) > 1:
        raise ValueError(f"--out: {len(names)} models become a file each; leave it out, or give one model.")
    for name in names:
        runs.check_name(name)
    if web is not None:
        write_page(names, web, quantize, litert, overwrite)
        print(f"Wrote {web}: put the folder on any host of static files. To look at it: kerasgan serve {web}")
        return
    from kerasgan import export as exports

    mode = f"_{quantize}" if quantize not in (None, "float32") else ""
    places = [out or f"{runs.called(name)}{mode}{_ENDINGS[format]}" for name in names]
    places = [exports.check_new(place, _ENDINGS[format], overwrite) for place in places]
    if len({*places}) < len(names):
        raise ValueError(f"Two of {', '.join(names)} would be written to one file; export them one by one.")
    exports.check_installed(format)
    commands.import_tensorflow()
    for name, place in zip(names, places, strict=True):
        _export(name, place, format, quantize, overwrite, **options)


def _export(name, place, format, quantize, overwrite, batch_size, latency, allow_select_ops):
    """Writes one model."""
    from kerasgan import export as exports

    options = {"batch_size": batch_size, "overwrite": overwrite}
    if format == "tflite":
        options |= {"quantize": quantize, "allow_select_ops": allow_select_ops}
    write = {"tflite": exports.tflite, "onnx": exports.onnx, "saved_model": exports.saved_model}[format]
    found = write(name, place, **options)
    found = exports.verify(name, place) if found and latency else found
    print(f"{found}\n" if found else "", end="")
    print(f"Wrote {place}, and {place}.json that describes it.")


def write_page(names, folder, quantize, litert, overwrite=False):
    """Writes a page with pretrained models and with those of run folders and files, which are exported first.

    What was exported of pretrained models stays in the cache: the next page with them is there at once.
    """
    from kerasgan import export as exports
    from kerasgan.export import cache

    exports.check_page(folder, litert, overwrite)
    mode = quantize or exports.WEB_MODE
    models = _found(names, mode)
    with cache.scratch() as temporary:
        for name in _missing(models):
            models[name] = _made(name, mode, temporary)
        return exports.web(_called(models), folder, litert=litert, overwrite=overwrite)


def _found(names, mode):
    """{name, run or file: its exported file in the cache, or None}, in the order of the page."""
    from kerasgan.export import cache

    pretrained = registry.list_models()
    models = {name: cache.find(name, mode) if name in pretrained else None for name in names}
    if len({runs.called(name) for name in models}) < len(models):
        raise ValueError(f"Two of {', '.join(models)} would have one name on the page, that of their folder or file.")
    return models


def _missing(models):
    """Yields the names of models that are not exported yet, and tells how far it is."""
    from kerasgan.export import cache

    missing = [name for name, path in models.items() if path is None]
    kept = f"the pretrained ones are kept in {cache.folder()}" if {*missing} & {*registry.list_models()} else ""
    yield from bars.steps(missing, "Exporting", kept)


def _made(name, mode, temporary):
    """Exports one model: a pretrained one into the cache, another into the folder `temporary`. Returns the file."""
    from kerasgan import export as exports
    from kerasgan.export import cache
    from kerasgan.export.web import steer

    commands.import_tensorflow()
    if name in registry.list_models():
        return cache.export(name, mode, temporary)
    path = os.path.join(temporary, f"{runs.called(name)}.tflite")
    model = exports.Exportable.of(name)  # opened once for both
    exports.tflite(model, path, mode)
    steer(model, path)
    return path


def _called(models):
    """Those that are exported, by their names on the page."""
    return {runs.called(name): path for name, path in models.items() if path is not None}


@click.command(cls=Command)
@click.argument("names", metavar="[NAME|RUN|FILE ...|FOLDER]", type=MODEL, nargs=-1)
@click.option("--lan", is_flag=True, help="Show it to the network, with a QR code for phones.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; default: 8000, or the next free one.")
@click.option("--host", default="127.0.0.1", help="Address of this machine to listen on.")
@_quantize
@_litert
@click.option("--verbose", is_flag=True, help="Print a line for every request.")
@commands.trust_option
def serve(names, quantize, litert, **options):
    """Shows generators on a page.

    It makes samples on the device that opens it, with pretrained models (all of them without a NAME), models of
    your own, or those of a folder made by kerasgan export --web. With --lan, phones in the same network open it by
    a QR code. Ctrl-C stops it. The page opens with one model and those that were exported before; the others come to
    it as they are exported. What was exported of pretrained ones is kept for the next time in the folder exports of
    $KERASGAN_HOME or ~/.cache/kerasgan, which may be removed at any time.

    Examples:
      kerasgan serve
      kerasgan serve dcgan_celeba wgan_gp_sprites --lan
      kerasgan serve runs/my_photos
      kerasgan serve site/ --port 9000
    """
    from kerasgan import serve as serving

    if len(names) == 1 and serving.is_bundle(names[0]):
        return serving.serve(names[0], **options)
    from kerasgan import export as exports
    from kerasgan.export import cache

    for name in names:
        runs.check_name(name)
    exports.check_installed("tflite")
    mode = quantize or exports.WEB_MODE
    models = _found(names or _for_the_page(), mode)
    with cache.scratch() as folder:
        exports.check_page(os.path.join(folder, "page"), litert)
        missing = _missing(models)
        if not any(models.values()):
            first = next(missing)
            models[first] = _made(first, mode, folder)
        _show_at_once(models, missing, mode, litert, folder, options)


def _show_at_once(models, missing, mode, litert, folder, options):
    """Serves a page of the models that are exported, to which the others come one by one."""
    from kerasgan import export as exports
    from kerasgan import serve as serving

    def page():
        left = sum(path is None for path in models.values())
        place = os.path.join(folder, "page")  # the server has read the one before
        return exports.web(_called(models), place, litert=litert, overwrite=True, preparing=left)

    def meanwhile(server):
        for name in missing:
            try:
                models[name] = _made(name, mode, folder)
                server.show(page())
            except Exception as error:  # whatever it is, it must not take the others from those who look at them
                console.write(f"{name} is not on the page: {error}", stream=sys.stderr)
                del models[name]
                server.show(page())

    serving.serve(page(), meanwhile=meanwhile, **options)


def _for_the_page():
    """Names of the pretrained models that the page has a place for."""
    recipes = {name: registry.get(name) for name in registry.list_models()}
    trained = [name for name, recipe in recipes.items() if recipe.weights]
    return [name for name in trained if registry.gan_class(recipes[name].gan_type).task.is_on_page(recipes[name])]
