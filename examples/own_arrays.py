"""Trains a conditional DCGAN on arrays of your own and draws samples of each class.

    python examples/own_arrays.py --data fashion.npz --epochs 20 --out fashion.png

The file holds `x`, uint8 pixels (count, height, width) or (count, height, width, channels) with sides of 16 or more
that are multiples of 4, and `y`, the classes as integers from 0.
"""

import numpy as np
from absl import app, flags

import kerasgan

DATA = flags.DEFINE_string("data", None, "NumPy file with the arrays x and y.", required=True)
EPOCHS = flags.DEFINE_integer("epochs", 20, "How often each sample is seen.")
WIDTH = flags.DEFINE_integer("width", 32, "Channels of the largest maps: more is slower and better.")
OUT = flags.DEFINE_string("out", "classes.png", "Picture to write: a row for each class.")


def main(_):
    with np.load(DATA.value) as arrays:
        pixels, labels = arrays["x"], arrays["y"].reshape(-1)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    classes = int(labels.max()) + 1

    gan = kerasgan.models.DCGAN(pixels.shape[1:], width=WIDTH.value, num_classes=classes, seed=0)
    gan.compile()
    gan.fit(gan.media.to_model(pixels), labels, epochs=EPOCHS.value)

    samples = gan.generate(10 * classes, labels=np.repeat(np.arange(classes), 10), seed=0)
    print(kerasgan.save_samples(samples, OUT.value, columns=10))


if __name__ == "__main__":
    app.run(main)
