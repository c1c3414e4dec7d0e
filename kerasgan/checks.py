"""Checks of arguments that many functions share."""

import numpy as np


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
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool) or (least is not None and not value >= least):
        kind = "a whole number" if whole else "a number"
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name}={value!r}: expected {kind}{bound}.")
    return int(value) if whole else float(value)
