"""Values that change while a training goes on, as functions of the samples seen.

Samples seen, not steps: a schedule means the same whatever the batch size and the number of discriminator steps.
`GAN.compile` takes one as learning rate, as beta 2 and as half-life of the moving average, a penalty as its weight.
"""

import collections.abc
import itertools
import math
import re
import typing

import keras
import tensorflow as tf


class Schedule:
    """From `start` to `end` while `samples` samples are seen; `end` from there on.

    Args:
        start, end: values, 0 or more.
        samples: real samples seen in training when `end` is reached, above 0.
        hold: samples seen until when the value stays at `start`; fewer than `samples`.

    Raises:
        ValueError: a value that is negative or no number.
    """

    name = "schedule"
    above_zero = ("samples",)  # the arguments that may not be 0

    def __init__(self, start, end, samples, hold=0):
        for argument, value in (("start", start), ("end", end), ("samples", samples)):
            positive = argument in self.above_zero
            if not _is_number(value) or value < 0 or (positive and value == 0):
                least = "above 0" if positive else "of 0 or more"
                raise ValueError(f"{argument}={value!r} of a {self.name} schedule: expected a number {least}.")
        if not _is_number(hold) or not 0 <= hold < samples:
            raise ValueError(f"hold={hold!r} of a {self.name} schedule: expected a number from 0 to below {samples}.")
        self.start, self.end, self.samples, self.hold = float(start), float(end), float(samples), float(hold)

    def __call__(self, samples_seen):
        """The value, a float32 scalar tensor, after so many samples (a number or a scalar tensor)."""
        share = tf.clip_by_value((tf.cast(samples_seen, tf.float32) - self.hold) / (self.samples - self.hold), 0.0, 1.0)
        return self.between(share)

    def between(self, share):
        """The value when the share 0 to 1 of `samples` was seen."""
        return self.end + (self.start - self.end) * self.remaining(share)

    def remaining(self, share):
        """What is left of the way from `start` to `end`, 1 to 0, there."""
        raise NotImplementedError(f"{type(self).__name__} must implement remaining(share).")

    def get_config(self):
        held = {"hold": self.hold} if self.hold else {}
        return {"start": self.start, "end": self.end, "samples": self.samples, **held}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        held = f", {self.hold:g}" if self.hold else ""
        return f"{self.name}({self.start:g}, {self.end:g}, {self.samples:g}{held})"


@keras.saving.register_keras_serializable(package="kerasgan")
class Linear(Schedule):
    """A straight line."""

    name = "linear"

    def remaining(self, share):
        return 1.0 - share


@keras.saving.register_keras_serializable(package="kerasgan")
class Cosine(Schedule):
    """Half a wave: slow, fast, slow (Loshchilov & Hutter, 2016, arXiv:1608.03983, without restarts)."""

    name = "cosine"

    def remaining(self, share):
        return 0.5 * (1.0 + tf.cos(math.pi * share))


@keras.saving.register_keras_serializable(package="kerasgan")
class Geometric(Schedule):
    """By the same factor for the same number of samples, as a resolution doubles; both ends above 0."""

    name = "geometric"
    above_zero = ("start", "end", "samples")

    def between(self, share):
        return self.start ** (1.0 - share) * self.end**share


@keras.saving.register_keras_serializable(package="kerasgan")
class InTurn:
    """Schedules one after the other: each until its `samples` were seen, the last one from there on.

    All count the samples of the whole training: what the second one is worth before the end of the first is not asked.

    Args:
        schedules: two or more `Schedule`s, each with more `samples` than the one before; or what Keras makes of them.

    Raises:
        ValueError: they are fewer, something else, or end before the one before.
    """

    def __init__(self, schedules):
        self.schedules = [get(one) for one in schedules]
        ends = [one.samples if isinstance(one, Schedule) else math.nan for one in self.schedules]
        if len(ends) < 2 or not all(one < other for one, other in itertools.pairwise(ends)):
            raise ValueError(
                f"schedules={self.schedules!r}: expected two or more, each of more samples than the one before; all of "
                "them count from the beginning of the training."
            )

    def __call__(self, samples_seen):
        """The value, a float32 scalar tensor, after so many samples (a number or a scalar tensor)."""
        *firsts, last = self.schedules
        found, seen = last(samples_seen), tf.cast(samples_seen, tf.float32)
        for one in reversed(firsts):
            found = tf.where(seen < one.samples, one(samples_seen), found)
        return found

    def get_config(self):
        return {"schedules": [serialize(one) for one in self.schedules]}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return _THEN.join(map(repr, self.schedules))


_THEN = " then "
_SCHEDULES = {schedule.name: schedule for schedule in (Linear, Cosine, Geometric)}


# What `get` takes: a number or what stands for a schedule.
Scheduled: typing.TypeAlias = "float | str | dict | collections.abc.Callable[[typing.Any], typing.Any]"


def get(identifier, name="schedule"):
    """The number or `Schedule` that `identifier` means.

    Args:
        identifier: a number of 0 or more; a `Schedule`, or any function of the samples seen that Keras can serialize; a
            text such as "cosine(2e-4, 5e-5, 2000000)" (start, end, samples, and where it is not 0, hold), or several
            with "then" between them, see `InTurn`; or what `keras.saving.serialize_keras_object` made of a schedule.
        name: how the argument is called in errors.

    Returns:
        A float, or a function of the samples seen.

    Raises:
        ValueError: it is none of these, or negative.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if isinstance(identifier, str):
        identifier = _parsed(identifier, name)
    if isinstance(identifier, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(
            f"{name}={identifier!r} counts updates; give a kerasgan.schedules.Schedule, which counts samples, or give "
            "it to the optimizer itself."
        )
    if callable(identifier):
        return identifier
    if not _is_number(identifier) or identifier < 0:
        raise ValueError(
            f"{name}={identifier!r}: expected a number of 0 or more, or a schedule such as "
            '"cosine(2e-4, 5e-5, 2000000)" (start, end, samples).'
        )
    return float(identifier)


def stretched(values, samples):
    """Arguments of `compile` as a recipe has them, with schedules in shares of a training made those of its length.

    Args:
        values: a value that JSON can hold; schedules in it are texts, such as "cosine(2e-4, 5e-5, 1)".
        samples: that the training sees.
    """
    if isinstance(values, dict):
        return {name: stretched(value, samples) for name, value in values.items()}
    if isinstance(values, list):
        return [stretched(value, samples) for value in values]
    if not isinstance(values, str) or values.partition("(")[0] not in _SCHEDULES:
        return values
    return _THEN.join(repr(_stretched(get(part), samples)) for part in values.split(_THEN))


def _stretched(schedule, samples):
    """A `Schedule` of so many times as many samples."""
    config = schedule.get_config()
    in_samples = {name: config[name] * samples for name in ("samples", "hold") if name in config}
    return type(schedule)(**config | in_samples)


def value(schedule, samples_seen):
    """What a number or schedule is worth after so many samples."""
    return schedule(samples_seen) if callable(schedule) else schedule


def serialize(schedule):
    """What `get` makes the same number or schedule of again, as plain data."""
    return keras.saving.serialize_keras_object(schedule) if callable(schedule) else schedule


def _parsed(text, name):
    if _THEN in text:
        return InTurn([_parsed(part, name) for part in text.split(_THEN)])
    found = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text)
    try:
        return _SCHEDULES[found[1]](*(float(part) for part in found[2].split(",")))
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{name}={text!r}: expected {', '.join(_SCHEDULES)} with (START, END, SAMPLES), and HOLD as the fourth "
            "where it is not 0."
        ) from error


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
