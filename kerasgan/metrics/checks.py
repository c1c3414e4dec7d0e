"""What the metrics on features ask of their arguments, before any work is done."""

import numpy as np

from kerasgan.checks import is_whole

_ROWS = 4096  # looked at in one go, so that a check needs little memory


def features(array, name, rows=1):
    """`array` as a NumPy array of features.

    Args:
        array: floats (samples, dimensions), finite.
        name: how the argument is called in the error.
        rows: how many samples there must be at least.

    Returns:
        The same values, (samples, dimensions), in the dtype that they have; bfloat16 becomes float32.

    Raises:
        ValueError: if it is anything else.
    """
    array = np.asarray(array)
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(
            f"{name} has shape {array.shape}; expected (samples, dimensions). Give a row of numbers for each sample."
        )
    if array.dtype.name == "bfloat16":  # not a float to NumPy
        array = array.astype(np.float32)
    if array.dtype.kind != "f":
        raise ValueError(f"{name} has dtype {array.dtype}; expected floats. Convert it with .astype('float32').")
    if len(array) < rows:
        raise ValueError(f"{name} has {len(array)} samples; expected {rows} or more. Give more samples.")
    _check_finite(array, name)
    return array


def pair(real, fake, rows=1, names=("real", "fake")):
    """Two arrays of features with the same dimensions; see `features`."""
    real, fake = features(real, names[0], rows), features(fake, names[1], rows)
    same_dimensions(real.shape[1], fake.shape[1], names)
    return real, fake


def same_dimensions(first, second, names=("real", "fake")):
    """Raises a ValueError unless both numbers of dimensions are the same."""
    if first != second:
        raise ValueError(
            f"{names[0]} has {first} dimensions and {names[1]} has {second}; expected the same number. "
            "Take both from one feature network."
        )


def whole(value, name, low, high=None, reason=""):
    """`value` as an int between `low` and `high`, else a ValueError; `reason` says where the limit comes from."""
    if not is_whole(value, low, high):
        expected = f"{low} or more" if high is None else f"{low} to {high}"
        raise ValueError(f"{name}={value!r} was given; expected a whole number, {expected}{reason}.")
    return int(value)


def metric_names(metrics, known, what_for):
    """The names of metrics as a list, all that are known for None; a ValueError if one does not fit.

    Args:
        metrics: names in a sequence, or separated by commas.
        known: names that fit.
        what_for: what they are known for, such as "a model that upscales".
    """
    if metrics is None:
        return list(known)
    names = [name.strip() for name in metrics.split(",")] if isinstance(metrics, str) else list(metrics)
    if not names or not set(names) <= set(known):
        raise ValueError(f"metrics={metrics!r}: expected some of {', '.join(known)}, for {what_for}.")
    return names


def _check_finite(array, name):
    bad, first = 0, None
    for start in range(0, len(array), _ROWS):
        broken = ~np.isfinite(array[start : start + _ROWS])
        if broken.any():
            bad += np.count_nonzero(broken)
            first = start + int(broken.any(axis=1).argmax()) if first is None else first
    if bad:
        raise ValueError(
            f"{name} holds {bad} NaN or infinite values among {array.size}, the first one in row {first}; expected "
            "finite numbers. Look at that sample and at the network that made its features."
        )
