"""The feature network `digits`: small, our own, for 28x28 grey images like MNIST's.

`tools/train_digits.py` trained it on the 60,000 training images of MNIST (CC BY-SA 3.0), 5 epochs with seed 0; it names
99.40 % of the 10,000 test images right.
"""

import pathlib

from kerasgan import weights

SIZE = 28
DIMENSIONS = 64
CLASSES = 10
LICENSE = "Apache-2.0 (trained on MNIST, CC BY-SA 3.0)"
WEIGHTS = weights.WeightFile(
    part="digits",
    filename="digits.weights.h5",
    sha256="5f3717965c7f7c06479a78b9a5a289096f27496e14278c6298aa26c76005b465",
    size=288_344,
)


def network():
    """The untrained network: uint8 pixels as floats (n, 28, 28, 1) -> [three activations, features, logits].

    Three convolutions, two of them with a stride, and a hidden layer of 64 units, which are the features.
    """
    import keras
    from keras import layers

    from kerasgan import precision

    def normalized(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    with precision.policy("float32"):
        images = keras.Input((SIZE, SIZE, 1), name="images")
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
        activations = []
        for filters, stride in ((32, 1), (64, 2), (64, 2)):
            x = normalized(layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x))
            activations.append(x)
        x = layers.AveragePooling2D(2, padding="same")(x)
        features = normalized(layers.Dense(DIMENSIONS, use_bias=False)(layers.Flatten()(x)))
        return keras.Model(images, [*activations, features, layers.Dense(CLASSES)(features)], name="digits")


def load():
    """The trained network. Its weights come with the package and are checked against their sha256.

    Raises:
        ValueError, FileNotFoundError: the file is damaged, or it is not there.
    """
    model = network()
    weights.load_into(model, weights.find(WEIGHTS, "digits", pathlib.Path(__file__).parent))
    return model
