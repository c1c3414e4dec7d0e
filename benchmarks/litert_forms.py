"""What the operators that kerasgan writes for LiteRT gain over TensorFlow's own conversion, for entries of the zoo.

    python benchmarks/litert_forms.py --names dcgan_celeba,cyclegan_noto2twemoji --modes float32,dynamic

Both files of an entry take turns on one thread; each line gives the samples per second and the ratio within a round.
"""

import pathlib
import tempfile

from absl import app, flags
from turns import burst, measure, ratios, spread

from kerasgan import export, registry
from kerasgan.export import mirror_padding, network, runtimes, subpixel

_FORMS = (subpixel, mirror_padding)


def runner(exportable, mode, folder, plain):
    """The function that makes a sample in LiteRT from a file of a mode, TensorFlow's own where `plain`."""
    kept = [form.rewritten for form in _FORMS]
    for form in _FORMS if plain else ():
        form.rewritten = lambda data: data
    try:
        path = pathlib.Path(folder) / f"{plain}.tflite"
        export.tflite(exportable, path, mode, verify=False)
    finally:
        for form, rewritten in zip(_FORMS, kept, strict=True):
            form.rewritten = rewritten
    runtime = runtimes.open_file(exportable, path, "tflite")
    runtime.run(exportable.inputs(1))
    return runtime.invoke


def main(_):
    values = flags.FLAGS
    for name in values.names or registry.ZOO:
        exportable = network.Exportable.of(name)
        for mode in values.modes:
            with tempfile.TemporaryDirectory() as folder:
                steps = {form: runner(exportable, mode, folder, form == "before") for form in ("before", "after")}
            turns = {form: lambda seconds, step=step: burst(step, seconds) for form, step in steps.items()}
            rates = measure(turns, values.rounds, values.seconds)
            gain = spread(ratios(rates["after"], rates["before"]), "{:.2f}")
            before, after = (spread(rates[form], "{:.0f}") for form in ("before", "after"))
            print(f"{name}, {mode}: {before} -> {after} samples/s, times {gain}", flush=True)


if __name__ == "__main__":
    flags.DEFINE_list("names", None, "Entries; default: all.")
    flags.DEFINE_list("modes", ["float32", "dynamic"], "Modes of quantization.")
    flags.DEFINE_integer("rounds", 9, "Turns of each file.")
    flags.DEFINE_float("seconds", 0.5, "Length of a turn.")
    app.run(main)
