"""Scores of translators: how near translations are to what they should be, and to how the domain looks."""

import hashlib

import numpy as np

import kerasgan
from kerasgan import bars
from kerasgan.metrics import checks, result
from kerasgan.metrics import features as networks
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.psnr import psnr
from kerasgan.metrics.ssim import WINDOW, ssim

PAIRED = ("psnr", "ssim", "l1")  # which compare each translation with its true counterpart
METRICS = (*PAIRED, "kid")
_UNCHANGED = " of the source"  # the same number for images that were not translated at all
_BETTER = {"psnr": True, "ssim": True, "l1": False, "kid": False}


def evaluate(
    gan, pairs, metrics=None, *, paired=True, direction=None, network=None, model=None, split="all", progress=True
):
    """Scores a translator on images that it should not have been trained on.

    Each number stands beside that of the source images as they are, which a translator has to beat.

    - `psnr`, `ssim` and `l1` (mean absolute difference, of 255) compare each translation with its true counterpart;
    - `kid` compares translations and the true images of the domain as sets, through a feature network (Bińkowski et
      al., 2018, arXiv:1801.01401): it needs no pairs, and is unbiased for small sets.

    Args:
        gan: a `kerasgan.Translator`.
        pairs: a finite `tf.data.Dataset` of batches (images of A, images of B) in model range, such as
            `kerasgan.data.pairs` makes (with batch_size=1 if none shall be dropped).
        metrics: names from `METRICS`; None takes all that fit.
        paired: whether image belongs to image; without it, only `kid` means something.
        direction: as in `translate`.
        network: feature network of `kid`, as in `kerasgan.metrics.evaluate`.
        model, split: what the records call the model and the part of the data.
        progress: whether a bar is shown.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an unknown metric, one that needs pairs, or no images.
    """
    names = check_metrics(metrics, paired)
    direction = gan.check_direction(direction)
    found = _translated(gan, pairs, direction, progress)
    shape = found["target"].shape[1:]
    common = {
        "model": model or gan.name,
        "n_real": len(found["target"]),
        "n_fake": len(found["target"]),
        "data": hashlib.sha256(found["source"].tobytes() + found["target"].tobytes()).hexdigest(),
        "split": split,
        "size": "x".join(map(str, shape)),
        "ema": True,
        "parameters": {} if direction == gan.directions[0] else {"direction": direction},
        "version": kerasgan.__version__,
    }
    records = []
    seen = networks.get(networks.default(shape) if network is None else network) if "kid" in names else None
    for name in names:
        through = {} if name != "kid" else {"feature_network": seen.name, "feature_sha256": seen.sha256}
        through |= {} if name != "kid" else {"resizer": seen.resizer}
        for suffix, images in (("", found["translated"]), (_UNCHANGED, found["unchanged"])):
            if images is not None:
                value, error, error_is = _score(name, found["target"], images, seen)
                about = {"value": value, "error": error, "error_is": error_is, "higher_is_better": _BETTER[name]}
                records.append(result.Result(metric=f"{name}{suffix}", **about, **common, **through))
    return records


def check_metrics(metrics, paired=True):
    """The names of metrics, in a sequence or separated by commas, as a list; a ValueError if one does not fit."""
    unpaired = "" if paired else ", where images do not belong to each other in pairs"
    return checks.metric_names(metrics, METRICS if paired else METRICS[len(PAIRED) :], f"a translator{unpaired}")


def _translated(gan, pairs, direction, progress):
    """{"source", "target", "translated", "unchanged"}: uint8 images; the last is None where channels differ."""
    source_media, target_media = gan.media_of(direction)
    parts = {"source": [], "target": [], "translated": []}
    for batch in bars.over(pairs, "Translating", "batches", shown=progress):
        a, b = (part.numpy() for part in batch)
        source, target = (a, b) if direction == "a_to_b" else (b, a)
        source = source_media.to_natural(source)
        parts["source"].append(source)
        parts["target"].append(target_media.to_natural(target))
        parts["translated"].append(gan.translate(source, direction=direction))
    if not parts["source"]:
        raise ValueError("pairs holds no batch; give at least one pair of images.")
    found = {name: np.concatenate(part) for name, part in parts.items()}
    same = found["source"].shape == found["target"].shape
    return {**found, "unchanged": found["source"] if same else None}


def _score(name, target, images, network):
    """(value, error, what the error is)."""
    if name == "kid":
        features = (network.features(target), network.features(images))
        distance = kernel_distance(*features, block_size=min(1000, len(target)))
        return distance.value, distance.standard_error, "standard error over blocks"
    if name == "l1":
        values = np.abs(target.astype("float64") - images).mean(axis=(1, 2, 3))
    elif name == "psnr":
        values = np.minimum(psnr(target, images), 100.0)  # identical images would make the mean infinite
    else:
        values = ssim(target, images) if min(target.shape[1:3]) >= WINDOW else np.full(len(target), np.nan)
    return float(np.mean(values)), float(np.std(values) / np.sqrt(len(values))), "standard error over images"
