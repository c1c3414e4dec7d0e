"""tools/convert_efficientnet.py: PyTorch's file, read without PyTorch, and the feature network that is made of it."""

import pathlib
import pickle
import sys
import types

import as_script
import keras
import numpy as np
import pytest

from kerasgan.metrics import efficientnet

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "convert_efficientnet.py"
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def tool():
    return as_script.load(SCRIPT)


def test_the_package_s_weights_are_what_the_tool_makes(tool, tmp_path):
    pytest.importorskip(tool.PACKAGE)
    made = tool.convert(tmp_path / "made.weights.h5")
    assert (made.part, made.size) == ("efficientnet_lite0", efficientnet.WEIGHTS.size)
    rounded, held = efficientnet.network(), efficientnet.load()
    rounded.load_weights(tmp_path / "made.weights.h5")
    for a, b in zip(rounded.get_weights(), held.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_file_is_refused(tool, tmp_path):
    (tmp_path / "x.pth").write_bytes(b"other")
    with pytest.raises(ValueError, match=f"expected {efficientnet.FORMER_SHA256}"):
        tool.convert(tmp_path / "made.weights.h5", tmp_path / "x.pth")
    assert not (tmp_path / "made.weights.h5").exists()


@pytest.mark.parametrize("depthwise", [False, True])
def test_batch_normalization_is_folded_exactly(tool, depthwise):
    shape = (6, 1, 3, 3) if depthwise else (6, 4, 3, 3)
    held = {"c.weight": RANDOM.normal(size=shape), "b.running_var": RANDOM.uniform(0.1, 2, 6)}
    held |= {f"b.{name}": RANDOM.normal(size=6) for name in ("weight", "bias", "running_mean")}
    x = RANDOM.normal(size=(1, 8, 8, 6 if depthwise else 4))
    kernel = held["c.weight"].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    convolve = keras.ops.depthwise_conv if depthwise else keras.ops.conv
    before = np.asarray(convolve(x, kernel, padding="same"))
    expected = (before - held["b.running_mean"]) / np.sqrt(held["b.running_var"] + 1e-3)
    expected = expected * held["b.weight"] + held["b.bias"]
    folded, bias = tool.folded(held, "c", "b", depthwise)
    np.testing.assert_allclose(np.asarray(convolve(x, folded, padding="same")) + bias, expected, atol=1e-5)


class Storage:
    """A storage of PyTorch's, as its old `torch.save` describes it."""

    def __init__(self, key, array):
        self.key, self.array = key, array


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.arguments = (storage, offset, size, stride, False, {})

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


@pytest.fixture
def torch(monkeypatch):
    """Modules with the names that PyTorch's files mention."""
    module, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(module, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2, module._utils = _rebuild_tensor_v2, utils
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return module


def saved(held, storages, types_of, path):
    """Writes a file in the format of `torch.save` before PyTorch 1.6."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if isinstance(item, Storage):
                return "storage", types_of[item.key], item.key, "cpu", len(item.array), None

    with open(path, "wb") as stream:
        for item in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, held, sorted(types_of)):
            Pickler(stream, 2).dump(item)
        for storage in sorted(storages, key=lambda storage: storage.key):
            stream.write(len(storage.array).to_bytes(8, "little") + storage.array.tobytes())
    return path.read_bytes()


def test_tensors_are_read_from_an_old_file(tool, torch, tmp_path):
    numbers, counts = Storage("7", np.arange(24, dtype="<f4")), Storage("9", np.array([5], "<i8"))
    held = {
        "whole": Tensor(numbers, 0, (4, 6), (6, 1)),
        "turned": Tensor(numbers, 6, (6, 3), (1, 6)),
        "count": Tensor(counts, 0, (), ()),
    }
    types_of = {"7": torch.FloatStorage, "9": torch.LongStorage}
    data = saved(held, (numbers, counts), types_of, tmp_path / "x.pth")
    arrays = tool.tensors(data)
    np.testing.assert_array_equal(arrays["whole"], np.arange(24).reshape(4, 6))
    np.testing.assert_array_equal(arrays["turned"], np.arange(6, 24).reshape(3, 6).T)
    assert arrays["count"] == 5 and arrays["count"].dtype == np.int64
    for broken in (data[:-4], data[:40], b""):
        with pytest.raises(ValueError, match="Not a dictionary of tensors"):
            tool.tensors(broken)


def test_tensors_beyond_their_storage_are_refused(tool, torch, tmp_path):
    numbers = Storage("7", np.arange(4, dtype="<f4"))
    beyond = {"x": Tensor(numbers, 1, (4,), (1,))}
    with pytest.raises(ValueError, match="Not a dictionary of tensors"):
        tool.tensors(saved(beyond, (numbers,), {"7": torch.FloatStorage}, tmp_path / "x.pth"))


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_nothing_in_a_file_is_run(tool, torch, tmp_path):
    trace = tmp_path / "trace"
    data = saved({"x": Attack(trace)}, (), {}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match="it asks for"):
        tool.tensors(data)
    assert not trace.exists()
