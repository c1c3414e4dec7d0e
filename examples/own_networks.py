"""A GAN of your own two networks, on samples that are no images: points on a ring of eight blobs.

    python examples/own_networks.py --out ring.png

The ring is the classic test for mode collapse: a bad GAN draws one or two of the blobs and forgets the others.
"""

import keras
import numpy as np
from absl import app, flags
from keras import layers
from matplotlib import figure

import kerasgan

POINTS = flags.DEFINE_integer("points", 10_000, "Real points.")
EPOCHS = flags.DEFINE_integer("epochs", 60, "How often each point is seen.")
OUT = flags.DEFINE_string("out", "ring.png", "Picture to write.")


def ring(count):
    """Points (count, 2) in eight blobs on a circle."""
    random = np.random.default_rng(0)
    angles = random.integers(0, 8, count) * np.pi / 4
    points = 0.8 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return (points + 0.02 * random.normal(size=points.shape)).astype("float32")


def network(inputs, outputs):
    hidden = [layers.Dense(128, "leaky_relu") for _ in range(3)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(outputs)])


def main(_):
    points = ring(POINTS.value)
    gan = kerasgan.GAN(generator=network(8, 2), discriminator=network(2, 1), seed=0)
    gan.compile(loss="relativistic_pairing", penalties=[kerasgan.penalties.R1(0.1), kerasgan.penalties.R2(0.1)])
    gan.fit(points, batch_size=100, epochs=EPOCHS.value, verbose=2)

    picture = figure.Figure(figsize=(5, 5))
    axes = picture.add_subplot(aspect="equal")
    for name, samples in (("real", points[:1000]), ("generated", gan.generate(1000, seed=0))):
        axes.scatter(*samples.T, s=2, label=name)
    axes.legend()
    picture.savefig(OUT.value)


if __name__ == "__main__":
    app.run(main)
