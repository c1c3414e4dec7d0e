"""The feature network `bouncing_digits`: small, our own, for grey clips of two digits, as Moving MNIST has them.

`tools/train_bouncing_digits.py` trained it on clips made of the 60,000 training digits of MNIST (CC BY-SA 3.0), 2,000
steps with seed 0; six in seven of them have one of the faults of `FAULTS`. So its features tell which digits a clip
shows, where they go, and whether something is wrong with them. Of clips of the test digits it names 91 % of the faults
right, the ways of both digits of 30 %, both digits of 32 %. That a digit becomes another moves the Fréchet distance
less than other faults do: the metric `moving_digits` counts that.
"""

import pathlib

from kerasgan import weights

FRAMES = 16
SIZE = 32
DIGITS = 10
WAYS = 8  # octants in which a digit begins to move
FAULTS = ("none", "jumps", "changes", "vanishes", "stalls", "trembles", "flickers")
DIMENSIONS = 64
LICENSE = "Apache-2.0 (trained on clips of digits of MNIST, CC BY-SA 3.0)"
WEIGHTS = weights.WeightFile(
    part="bouncing_digits",
    filename="bouncing_digits.weights.h5",
    sha256="b4a1518e089ee6d16f4e66943ed54d0faf10c12f1287b182cf25b989274164db",
    size=751083,
)


def network():
    """The untrained network: pixels as floats in [0, 255] (n, 16, 32, 32, 1) -> [features, digits, ways, faults].

    Convolutions over space and over time take turns, as in R(2+1)D (Tran et al., 2018, arXiv:1711.11248), which is
    faster here than convolutions over both. What is where and when, and what is anywhere in each second frame, lead to
    a hidden layer of 64 units, which are the features. The other outputs are logits: which digits are there, in which
    of eight ways they begin to move, and which fault a clip has.
    """
    import keras
    from keras import layers, ops

    from kerasgan import precision

    def normalized(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    def over_space(x, filters):
        """(n, frames, edge, edge, channels): each frame for itself, half as large."""
        _, frames, edge, _, channels = x.shape
        x = ops.reshape(x, (-1, edge, edge, channels))
        x = normalized(layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x))
        return ops.reshape(x, (-1, frames, edge // 2, edge // 2, filters))

    def over_time(x, filters, stride):
        """Each place for itself."""
        _, frames, edge, _, channels = x.shape
        x = ops.reshape(x, (-1, frames, edge * edge, channels))
        x = normalized(layers.Conv2D(filters, (3, 1), strides=(stride, 1), padding="same", use_bias=False)(x))
        return ops.reshape(x, (-1, x.shape[1], edge, edge, filters))

    with precision.policy("float32"):
        clips = keras.Input((FRAMES, SIZE, SIZE, 1), name="clips")
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(clips)
        x = over_space(over_space(x, 16), 32)
        shapes = over_space(x[:, ::2], 96)  # of 15 pixels, as large as a digit
        anywhere = ops.max(shapes, axis=(2, 3))
        x = over_time(x, 48, 2)
        x = over_time(over_space(x, 64), 64, 2)
        seen = [ops.mean(anywhere, axis=1), ops.max(anywhere, axis=1), layers.Flatten()(x)]
        features = normalized(layers.Dense(DIMENSIONS, use_bias=False)(ops.concatenate(seen, axis=1)))
        heads = [
            layers.Dense(units, name=name)(features)
            for name, units in (("digits", DIGITS), ("ways", WAYS), ("faults", len(FAULTS)))
        ]
        return keras.Model(clips, [features, *heads], name="bouncing_digits")


def load():
    """The trained network up to its features. Its weights come with the package and are checked against their sha256.

    Raises:
        ValueError, FileNotFoundError: the file is damaged, or it is not there.
    """
    import keras

    model = network()
    weights.load_into(model, weights.find(WEIGHTS, "bouncing_digits", pathlib.Path(__file__).parent))
    return keras.Model(model.input, model.output[0], name="bouncing_digits")
