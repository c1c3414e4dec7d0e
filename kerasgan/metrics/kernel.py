"""Kernel distance: an unbiased comparison of two sets of features."""

from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks

_ROWS = 64  # what is computed in one go stays in the processor's cache


class KernelDistance(NamedTuple):
    """`value`: mean over the blocks. `standard_error`: of that mean; None if there was one block only."""

    value: float
    standard_error: float | None


def kernel_distance(real, fake, block_size=1000, blocks=None, seed=0):
    """Squared maximum mean discrepancy with the kernel (x . y / dimensions + 1)^3: KID, with Inception's features.

    Binkowski et al., 2018, arXiv:1801.01401. Unbiased: its expectation is 0 for samples of one distribution and does
    not depend on how many there are, so a value can be a little below 0, as that of a set beside its own copy is. Lower
    is better. Often printed times 1000.

    The samples are shuffled and divided into blocks; the value is the mean of the blocks' values. Blocks share no
    samples, otherwise their spread would say too little about the error; samples that are left over are not used.
    Public tools draw 100 overlapping subsets of 1000 instead: the same expectation, but a deviation over subsets, which
    is no standard error. Computed in float64, except that the products of float32 features are float32.

    Args:
        real: features of real samples, (n, dimensions) floats with n of 2 or more.
        fake: features of generated samples, (m, dimensions).
        block_size: samples of each set in a block, 2 or more; a smaller set makes one block of all its samples.
        blocks: how many blocks; None makes as many as there are samples for.
        seed: decides which samples meet in a block.

    Returns:
        `KernelDistance(value, standard_error)`.

    Raises:
        ValueError: for values that are not finite, other shapes, different dimensions, fewer than 2 samples, or more
            blocks than there are samples for.
    """
    real, fake = checks.pair(real, fake, rows=2)
    fewest = min(len(real), len(fake))
    size = min(checks.whole(block_size, "block_size", 2), fewest)
    most = fewest // size
    reason = f", since {fewest} samples make {most} blocks of {size} that share none; give fewer or smaller blocks"
    blocks = most if blocks is None else checks.whole(blocks, "blocks", 1, most, reason)
    random = np.random.default_rng(seed)
    # One block of all samples needs no shuffling, but costs no more with it.
    orders = [random.permutation(len(side))[: blocks * size].reshape(blocks, size) for side in (real, fake)]
    values = [_unbiased(real[a], fake[b]) for a, b in zip(*orders, strict=True)]
    error = float(np.std(values, ddof=1) / np.sqrt(blocks)) if blocks > 1 else None
    return KernelDistance(float(np.mean(values)), error)


def _unbiased(x, y):
    """Unbiased estimate of the squared maximum mean discrepancy of two blocks."""
    dtype = np.result_type(x, y, np.float32)  # errors of float32 products are random and vanish in the mean
    x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2.0 * _kernel_sum(x @ y.T, x.shape[1]) / (len(x) * len(y))


def _mean_of_pairs(x):
    """Mean of the kernel over pairs of different samples."""
    products = x @ x.T
    with_themselves = _kernel_sum(products.diagonal()[None], x.shape[1])
    return (_kernel_sum(products, x.shape[1]) - with_themselves) / (len(x) * (len(x) - 1))


def _kernel_sum(products, dimensions):
    """Sum of (product / dimensions + 1)^3, in float64."""
    total = 0.0
    for start in range(0, len(products), _ROWS):
        kernel = np.multiply(products[start : start + _ROWS], 1.0 / dimensions, dtype=np.float64)
        kernel += 1.0
        total += np.vdot(kernel * kernel, kernel)
    return total
