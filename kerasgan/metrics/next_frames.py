"""The protocol of video prediction: PSNR and SSIM of each predicted frame, and the Fréchet distance of whole clips."""

import hashlib

import numpy as np

import kerasgan
from kerasgan import bars
from kerasgan.metrics import checks, features, result
from kerasgan.metrics.frechet import frechet_distance
from kerasgan.metrics.psnr import psnr
from kerasgan.metrics.ssim import ssim

METRICS = ("psnr", "ssim", "fid")
USUAL = METRICS[:2]
FIRST = 5  # predicted frames whose mean is the score: what comes later is ever less certain
HIGHEST = 60.0  # decibels, that equal frames count as: their PSNR has no bound, and a mean could not be taken
REACH = 8  # pixels up to which `moved` looks for where a frame went
REPEATED, MOVED = "the last frame, repeated", "the last frame, moved on"


def repeated(given, length):
    """What is predicted if nothing moves: the last frame, uint8 (length, height, width, channels)."""
    return np.repeat(given[-1:], length, axis=0)


def moved(given, length):
    """What is predicted if all moves on as it did: the last frame, shifted by what fits the last two frames best.

    The shift, whole pixels up to 8 along each axis, is the one with the least mean squared difference where both frames
    overlap, the shorter one of equal ones. What comes in at an edge repeats the edge.

    Args:
        given: uint8 (2 or more, height, width, channels).
        length: frames.

    Returns:
        uint8 (length, height, width, channels).
    """
    before, last = given[-2].astype("float32"), given[-1].astype("float32")
    height, width = last.shape[:2]
    reach = [min(REACH, side // 2) for side in (height, width)]
    shifts = [(y, x) for y in range(-reach[0], reach[0] + 1) for x in range(-reach[1], reach[1] + 1)]

    def difference(shift):
        y, x = shift
        here = last[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
        there = before[max(0, -y) : height + min(0, -y), max(0, -x) : width + min(0, -x)]
        return float(np.mean((here - there) ** 2)), abs(y) + abs(x)

    y, x = min(shifts, key=difference)
    rows, columns = np.arange(height), np.arange(width)
    return np.stack(
        [
            given[-1][np.clip(rows - n * y, 0, height - 1)][:, np.clip(columns - n * x, 0, width - 1)]
            for n in range(1, length + 1)
        ]
    )


def evaluate(gan, clips, metrics=None, *, network=None, model=None, split="all", seed=0, progress=True):
    """Scores a model that continues clips on clips that it should not have been trained on.

    Each number stands beside those of two predictions that need no model: the last frame repeated, and moved on (see
    `moved`). PSNR and SSIM are means over the first 5 predicted frames; `parameters` has the means of each. Both reward
    blur: of several ways in which a clip may go on, their mean scores best. "fid" does not: it is the Fréchet distance
    between the first half of the clips, and those of the second half as they are continued, of a network that sees
    whole clips; the second half as it is gives the floor.

    Args:
        gan: a `kerasgan.continuer.Continuer`.
        clips: iterable of whole clips, uint8 (frames, height, width, channels).
        metrics: some of "psnr", "ssim" and "fid" in a sequence or separated by commas; None takes the first two.
        network: that "fid" sees clips through, as in `kerasgan.metrics.evaluate`; None takes the clips' own.
        model, split: what the records call the model and the clips.
        seed: of the model's latents.
        progress: whether a bar is shown.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an unknown metric, no clips, fewer than four for "fid", or no network that sees such clips.
    """
    names = checks.metric_names(USUAL if metrics is None else metrics, METRICS, "a model that continues clips")
    seen_by = _network(gan.media, network) if "fid" in names else None
    measures = {"psnr": lambda a, b: np.minimum(psnr(a, b), HIGHEST), "ssim": ssim}
    measures = {name: measures[name] for name in names if name in measures}
    found, wholes, digest, count = {}, {}, hashlib.sha256(), 0
    for clip in bars.over(clips, f"Scoring {split}", "clips", shown=progress):
        given, truth = clip[: gan.given_frames], clip[gan.given_frames :]
        digest.update(np.ascontiguousarray(clip).tobytes())
        predictions = {
            model or gan.name: gan.continue_video(given, len(truth), seed=seed + count),
            REPEATED: repeated(given, len(truth)),
            MOVED: moved(given, len(truth)) if len(given) > 1 else repeated(given, len(truth)),
        }
        for called, prediction in predictions.items():
            for name, measure in measures.items():
                found.setdefault((name, called), []).append(measure(prediction, truth))
        if seen_by is not None:
            for called, rest in {**predictions, result.REAL: truth}.items():
                wholes.setdefault(called, []).append(np.concatenate([given, rest]))
        count += 1
    if not count:
        raise ValueError("clips is empty; give at least one.")
    about = {"data": digest.hexdigest(), "split": split, "seed": seed}
    records = [
        _record(gan, name, called, np.array(values), **about)
        for (name, called), values in sorted(found.items(), key=lambda item: names.index(item[0][0]))
    ]
    return records + (_distances(gan, seen_by, wholes, **about) if seen_by is not None else [])


def _network(media, network):
    """The feature network that sees such clips."""
    found = features.get(media.default_network() if network is None else network)
    found.check_media(media)
    return found


def _distances(gan, network, wholes, data, split, seed):
    """The `Result` of each kind of clips in `wholes`, and of the true ones, the floor."""
    half = len(wholes[result.REAL]) // 2
    if half < 2:
        raise ValueError(f"clips holds {len(wholes[result.REAL])}; 'fid' needs four or more, for two halves.")
    real = network.features(np.stack(wholes[result.REAL][:half]))
    found = []
    for called, clips in wholes.items():
        found.append(
            result.Result(
                metric="fid",
                value=frechet_distance(real, network.features(np.stack(clips[half : 2 * half]))),
                higher_is_better=False,
                n_fake=half,
                n_real=half,
                data=data,
                split=f"{split}, half of it",
                feature_network=network.name,
                feature_sha256=network.sha256,
                resizer=network.resizer,
                parameters={"given": gan.given_frames},
                **_about(gan, called, seed),
            )
        )
    return found


def _about(gan, called, seed):
    """What a `Result` says of the clips that it is of; what no model made has neither an average nor a seed."""
    own = called not in (REPEATED, MOVED, result.REAL)
    made = {"ema": True, "seed": seed} if own else {}
    return {"model": called, "size": gan.media.shape_text, "version": kerasgan.__version__, **made}


def _record(gan, name, called, values, data, split, seed):
    """The `Result` of values (clips, frames)."""
    first = values[:, :FIRST].mean(axis=1)
    return result.Result(
        metric=f"{name} of the first {min(FIRST, values.shape[1])} frames, {split}",
        value=float(first.mean()),
        higher_is_better=True,
        error=float(first.std() / np.sqrt(len(first))) if len(first) > 1 else None,
        error_is="standard error over clips",
        n_real=len(values),
        data=data,
        split=split,
        parameters={"given": gan.given_frames, "by_frame": [round(float(one), 4) for one in values.mean(axis=0)]},
        **_about(gan, called, seed),
    )
