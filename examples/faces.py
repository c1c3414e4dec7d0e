"""New faces from a pretrained model: a sheet of them, and walks from one face to another.

python examples/faces.py --out faces/
"""

import numpy as np
from absl import app, flags

import kerasgan

MODEL = flags.DEFINE_string("model", "dcgan_celeba", "A name that `kerasgan list` shows; a model without classes.")
COUNT = flags.DEFINE_integer("count", 64, "Faces on the sheet.")
WALKS = flags.DEFINE_integer("walks", 6, "Walks, each a row of faces.")
STEPS = flags.DEFINE_integer("steps", 10, "Faces in a walk.")
SEED = flags.DEFINE_integer("seed", 7, "Another seed, other faces.")
OUT = flags.DEFINE_string("out", "faces", "Folder for the pictures.")


def walk(start, end, steps):
    """Latents on the way from `start` to `end`, each (walks, latent_dim); float32 (walks * steps, latent_dim).

    The straight line would lead past the origin, where latents are shorter than any the generator was trained on. With
    cosine and sine as weights, what lies between two normal latents is distributed as they are.
    """
    angles = np.linspace(0, np.pi / 2, steps, dtype="float32")[:, None]
    between = start[:, None] * np.cos(angles) + end[:, None] * np.sin(angles)
    return between.reshape(-1, start.shape[-1])


def main(_):
    gan = kerasgan.load(MODEL.value)
    print(kerasgan.save_samples(gan.generate(COUNT.value, seed=SEED.value), f"{OUT.value}/sheet.png"))

    start, end = (gan.sample_latents(WALKS.value, seed=(SEED.value, i)).numpy() for i in (1, 2))
    samples = gan.media.to_natural(gan.predict(walk(start, end, STEPS.value), verbose=0))
    print(kerasgan.save_samples(samples, f"{OUT.value}/walks.png", columns=STEPS.value))


if __name__ == "__main__":
    app.run(main)
