"""Holds an exported file against Keras: differences, PSNR, size, operators, and latency beside Keras and ONNX Runtime.

python tools/verify_export.py --model dcgan_celeba --file faces.tflite
"""

import sys

from absl import app, flags

from kerasgan import export, files
from kerasgan.export import verification


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        if values.out:
            files.check_output(values.out, (".json",), name="--out")
        found = export.verify(
            values.model,
            values.file,
            samples=values.samples,
            seed=values.seed,
            latency=values.latency,
            runs=values.runs,
        )
        if values.out:
            verification.save([found], values.out)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"verify_export: error: {error}")
    print(found)
    sys.exit(0 if found.passed else 1)


if __name__ == "__main__":
    flags.DEFINE_string(
        "model", None, "What was exported: a pretrained model, a run folder or a .keras file.", required=True
    )
    flags.DEFINE_string("file", None, "The .tflite or .onnx file, or the SavedModel folder.", required=True)
    flags.DEFINE_integer("samples", verification.SAMPLES, "Samples to compare.")
    flags.DEFINE_integer("seed", 0, "Seed of their latents.")
    flags.DEFINE_boolean("latency", True, "Measure it.")
    flags.DEFINE_integer("runs", 100, "Runs of each runtime, when it is measured.")
    flags.DEFINE_string("out", None, "JSON file to write.", short_name="o")
    app.run(main)
