"""How much the images of one set differ from each other."""

from typing import NamedTuple

import numpy as np

from kerasgan.checks import is_whole
from kerasgan.metrics import pixels
from kerasgan.metrics.ssim import WINDOW, ms_ssim

_BLOCK = 256  # pairs whose images are gathered at a time


class Diversity(NamedTuple):
    """Mean similarity of pairs: lower is more diverse.

    Attributes:
        value: mean MS-SSIM, in [0, 1].
        standard_error: of that mean, from the scatter over pairs (which may share images: slightly too small).
    """

    value: float
    standard_error: float


def ms_ssim_diversity(images, pairs=1000, seed=0, labels=None):
    """Mean MS-SSIM of random pairs of images (Odena et al., 2017, arXiv:1610.09585, section 4.2).

    A generator that lost modes makes pairs that look alike: a high value. The number means something beside that of the
    real images only: noise scores 0. Images with sides up to 160 pixels are compared at fewer than five scales (see
    `ms_ssim`), so values of different image sizes do not compare.

    Args:
        images: (count, height, width, channels), uint8 or floats in [0, 255], at least 11 x 11 pixels.
        pairs: how many pairs to compare; each is of two different images of the set.
        seed: of the pairs.
        labels: None, or integers (count,): both images of a pair are of the same class then, as in the paper, and all
            classes have the same number of pairs (one more or less).

    Returns:
        `Diversity(value, standard_error)`.

    Raises:
        ValueError: fewer than 2 images (in a class), fewer than 2 pairs (or than classes), images too small, or labels
            that do not belong to the images.
    """
    images = pixels.check(images, "images")
    if min(images.shape[1:3]) < WINDOW:
        raise ValueError(f"images are {images.shape[1]} x {images.shape[2]}; expected at least {WINDOW} x {WINDOW}.")
    groups = _groups(len(images), labels)
    if not is_whole(pairs, max(2, len(groups))):
        raise ValueError(f"pairs={pairs!r}; expected a whole number, at least {max(2, len(groups))} for these images.")
    first, second = _draw(groups, pairs, np.random.default_rng(seed))
    blocks = range(0, pairs, _BLOCK)
    values = np.concatenate([ms_ssim(images[first[i : i + _BLOCK]], images[second[i : i + _BLOCK]]) for i in blocks])
    return Diversity(float(values.mean()), float(values.std(ddof=1) / np.sqrt(pairs)))


def _groups(count, labels):
    """Indices of the images of each class, or of all of them."""
    if labels is None:
        groups = {"images": np.arange(count)}
    else:
        labels = np.asarray(labels)
        if labels.shape != (count,) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels are {labels.dtype} of shape {labels.shape}; expected integers of shape ({count},)."
            )
        groups = {f"images of class {label}": np.flatnonzero(labels == label) for label in np.unique(labels)}
    for name, members in groups.items():
        if len(members) < 2:
            raise ValueError(f"{len(members)} {name} given; expected at least 2, to make pairs of them.")
    return list(groups.values())


def _draw(groups, pairs, random):
    """Two indices of different images of the same group for each pair, the groups taking turns."""
    first, second = np.empty(pairs, int), np.empty(pairs, int)
    for turn, members in enumerate(groups):
        here = slice(turn, pairs, len(groups))
        size = len(first[here])
        one = random.integers(len(members), size=size)
        other = (one + random.integers(1, len(members), size=size)) % len(members)
        first[here], second[here] = members[one], members[other]
    return first, second
