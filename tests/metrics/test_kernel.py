"""Kernel distance against double loops, and as the statistic that it is."""

import numpy as np
import pytest

from kerasgan.metrics import kernel
from kerasgan.metrics.kernel import kernel_distance


def features(count, seed, shift=0.0, dimensions=6):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) + shift


def naive(x, y):
    """The unbiased estimate, pair by pair."""

    def mean(a, b, same):
        values = [
            (np.dot(p, q) / len(p) + 1.0) ** 3
            for i, p in enumerate(a)
            for j, q in enumerate(b)
            if not (same and i == j)
        ]
        return np.mean(values)

    return mean(x, x, True) + mean(y, y, True) - 2.0 * mean(x, y, False)


def test_one_block():
    x, y = features(15, 0), features(15, 1, 0.5)
    value, error = kernel_distance(x, y)
    assert value == pytest.approx(naive(x, y), rel=1e-10) and error is None


def test_blocks_share_no_samples(monkeypatch):
    x, y = features(35, 0), features(47, 1)
    blocks, original = [], kernel._unbiased
    monkeypatch.setattr(kernel, "_unbiased", lambda a, b: blocks.append((a, b)) or original(a, b))
    result = kernel_distance(x, y, block_size=10)
    assert len(blocks) == 3
    for side, whole in zip(zip(*blocks, strict=True), (x, y), strict=True):
        rows = np.concatenate(side)
        assert len(np.unique(rows, axis=0)) == 30 and {tuple(row) for row in rows} <= {tuple(row) for row in whole}
    values = [naive(a, b) for a, b in blocks]
    assert result.value == pytest.approx(np.mean(values), rel=1e-10)
    assert result.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(3), rel=1e-9)


def test_standard_error_is_that_of_the_value_and_the_value_is_unbiased():
    results = [kernel_distance(features(80, 2 * i), features(80, 2 * i + 1), block_size=10) for i in range(200)]
    values, errors = np.array(results).T
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(ddof=1), rel=0.2)
    assert abs(values.mean()) < 4.0 * values.std() / np.sqrt(200)
    assert values.min() < 0.0


def test_value_does_not_depend_on_the_number_of_samples():
    many = kernel_distance(features(4000, 0), features(4000, 1, 0.5), block_size=2000)
    few = kernel_distance(features(4000, 2), features(4000, 3, 0.5), block_size=20)
    assert abs(many.value - few.value) < 4.0 * np.hypot(many.standard_error, few.standard_error)
    assert few.value > 10.0 * few.standard_error


def test_seed_and_number_of_blocks():
    x, y = features(40, 0), features(40, 1)
    assert kernel_distance(x, y, 10, seed=1) == kernel_distance(x, y, 10, seed=1)
    assert kernel_distance(x, y, 10, seed=1) != kernel_distance(x, y, 10, seed=2)
    assert kernel_distance(x, y, 10, blocks=1).standard_error is None
    assert kernel_distance(x, y, 10, blocks=4) == kernel_distance(x, y, 10)
    assert kernel_distance(x, y, seed=1).value == pytest.approx(kernel_distance(x, y, seed=2).value, rel=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_single_precision_products(dtype):
    random = np.random.default_rng(0)
    x, y = (np.maximum(random.normal(size=(400, 256)) + shift, 0.0).astype(dtype) for shift in (0.0, 0.03))
    expected = kernel_distance(x.astype("float64"), y.astype("float64"))
    assert kernel_distance(x, y).value == pytest.approx(expected.value, rel=1e-5)


def test_errors():
    x = features(30, 0)
    with pytest.raises(ValueError, match="block_size=1 "):
        kernel_distance(x, x, block_size=1)
    with pytest.raises(
        ValueError, match="blocks=4 .* 1 to 3, since 30 samples make 3 blocks of 10 .* fewer or smaller"
    ):
        kernel_distance(x, x, block_size=10, blocks=4)
    with pytest.raises(ValueError, match="fake has 1 samples; expected 2"):
        kernel_distance(x, x[:1])
