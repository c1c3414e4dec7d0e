"""Paired differences of a few runs, and the interval in which their mean may lie."""

import math
import typing

CONFIDENCE = 0.95


class Interval(typing.NamedTuple):
    """A mean, and how far from it the true one may lie: NaN where a single run says nothing of that."""

    mean: float
    half_width: float

    @property
    def excludes_zero(self):
        return abs(self.mean) > self.half_width


def paired(first, second, confidence=CONFIDENCE):
    """The mean difference `second - first` of runs that belong together, with Student's interval.

    The interval is mean +- t * s / sqrt(n), with s the standard deviation of the n differences and t the quantile of
    Student's distribution with n - 1 degrees of freedom (Student, 1908): it is right for differences that are normal.

    Args:
        first, second: numbers of the runs, in the same order.
        confidence: share of such intervals that hold the true mean, between 0 and 1.

    Returns:
        An `Interval`.

    Raises:
        ValueError: no runs, or not as many of both.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"first has {len(first)} runs, second {len(second)}; expected as many, at least one.")
    differences = [after - before for before, after in zip(first, second, strict=True)]
    count, mean = len(differences), math.fsum(differences) / len(differences)
    if count == 1:
        return Interval(mean, math.nan)
    variance = math.fsum((one - mean) ** 2 for one in differences) / (count - 1)
    return Interval(mean, t_quantile((1 + confidence) / 2, count - 1) * math.sqrt(variance / count))


def t_quantile(probability, freedom):
    """The value below which Student's t lies with a probability, by bisection of `t_probability`.

    Args:
        probability: between 0 and 1.
        freedom: degrees of freedom, a whole number of at least 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability={probability!r}: expected a number between 0 and 1.")
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_probability(high, freedom) < probability:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_probability(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def t_probability(value, freedom):
    """The probability that Student's t is below a value.

    By the finite sums for whole degrees of freedom (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4).
    """
    if type(freedom) is not int or freedom < 1:
        raise ValueError(f"freedom={freedom!r}: expected a whole number of at least 1.")
    angle = math.atan(value / math.sqrt(freedom))
    is_odd = freedom % 2
    term = total = math.cos(angle) if is_odd else 1.0
    for k in range(2 + is_odd, freedom - 1, 2):
        term *= (k - 1) / k * math.cos(angle) ** 2
        total += term
    if freedom == 1:
        between = 2 / math.pi * angle
    elif is_odd:
        between = 2 / math.pi * (angle + math.sin(angle) * total)
    else:
        between = math.sin(angle) * total
    return 0.5 + between / 2
