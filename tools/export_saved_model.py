"""Writes a GAN's generator as a SavedModel folder, and proves that it agrees with Keras.

python tools/export_saved_model.py --model dcgan_celeba --out faces_saved_model
"""

import sys

from absl import app, flags

from kerasgan import export


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        found = export.saved_model(
            values.model, values.out, batch_size=values.batch_size or None, overwrite=values.overwrite
        )
    except (ArithmeticError, ImportError, OSError, ValueError) as error:
        sys.exit(f"export_saved_model: error: {error}")
    print(found)


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "A pretrained model, a run folder or a .keras file.", required=True)
    flags.DEFINE_string("out", None, "The folder to write.", required=True)
    flags.DEFINE_integer("batch_size", 1, "Samples in one run; 0 leaves it open.")
    flags.DEFINE_boolean("overwrite", False, "Replace a SavedModel that is there.")
    app.run(main)
