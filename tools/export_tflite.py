"""Writes a GAN's generator as a .tflite file for phones and browsers, and proves that it agrees with Keras.

python tools/export_tflite.py --model dcgan_celeba --out faces.tflite --quantize float16
"""

import sys

from absl import app, flags

from kerasgan import export


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        found = export.tflite(
            values.model,
            values.out,
            values.quantize,
            batch_size=values.batch_size,
            calibration=values.calibration,
            allow_select_ops=values.allow_select_ops,
            overwrite=values.overwrite,
        )
    except (ArithmeticError, ImportError, OSError, ValueError) as error:
        sys.exit(f"export_tflite: error: {error}")
    print(found)


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "A pretrained model, a run folder or a .keras file.", required=True)
    flags.DEFINE_string("out", None, "The .tflite file to write.", required=True)
    flags.DEFINE_enum("quantize", "float32", list(export.MODES), "Numbers in the file.")
    flags.DEFINE_integer("batch_size", 1, "Samples in one run.")
    flags.DEFINE_integer("calibration", 100, "Samples that int8 takes its ranges from.")
    flags.DEFINE_boolean("allow_select_ops", False, "Admit TensorFlow's own operations.")
    flags.DEFINE_boolean("overwrite", False, "Replace a file that is there.")
    app.run(main)
