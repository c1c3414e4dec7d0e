"""Checks of arguments that many functions share."""

import numpy as np


def is_whole(value, least=1, most=None):
    """Whether `value` is a whole number (and no boolean) in these bounds; None for none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def is_number(value, least=None, most=None):
    """Whether `value` is a number (and no boolean) in these bounds, in which NaN is not; None for none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def number(name, value, default, least=0, whole=False):
    """`value` (or `default` if it is None) after a check of its kind and lower bound.

    Args:
        name: of the argument, for the error.
        least: lower bound; None for none.
        whole: whether it has to be a whole number.

    Raises:
        ValueError: it is something else, or less.
    """
    value = default if value is None else value
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    fits = is_whole(value, least) if whole else real and (least is None or value >= least)
    if not fits:
        kind = "a whole number" if whole else "a number"
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name}={value!r}: expected {kind}{bound}.")
    return int(value) if whole else float(value)
