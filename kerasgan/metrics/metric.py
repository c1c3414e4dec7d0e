"""What `evaluate` knows of a metric, and the numbers that it gives."""

import typing

import numpy as np


class Value(typing.NamedTuple):
    """One number of a metric; (name, value, whether higher is better), its uncertainty, what it depends on."""

    name: str
    value: float
    higher_is_better: bool | None  # None: neither way, the floor says what the data are like
    error: float | None = None
    error_is: str | None = None
    parameters: dict = {}

    @classmethod
    def mean(cls, name, values, **parameters):
        """The mean of a value of each sample, NaN where a sample has none: neither way, with its standard error."""
        values = values[~np.isnan(values)]
        if not len(values):
            return cls(name, float("nan"), None, parameters=parameters)
        error = float(values.std() / np.sqrt(len(values))) if len(values) > 1 else None
        about = "standard error over samples" if error is not None else None
        return cls(name, float(values.mean()), None, error, about, parameters)


class Metric(typing.NamedTuple):
    """What `evaluate` knows under one name."""

    needs: tuple  # fields of Samples, and "generator" for what is computed from the generator itself
    uses_real: bool
    compute: typing.Callable  # (real, scored) or (gan, network, seed) -> iterable of Value
    about: str
    kind: str | None = None  # of the samples that it is for (`Media.kind`); None for any that a network sees
    of_all: bool = False  # whether samples are held against all reals, both halves: a copy is one of any of them
