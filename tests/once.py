"""Models that are built and traced once a process, for tests of what goes on around a training step."""

import functools
import itertools
import typing

import numpy as np

_TRACED = ("train_function", "test_function")
_models = {}  # {builder and arguments: its models}
_given_out = {}  # {builder and arguments: how many of them this test has}


class _Model(typing.NamedTuple):
    """A model, how it was when it was new, and what it was built with: the `repr` of some objects is their address."""

    model: typing.Any
    attributes: dict
    values: list
    given: tuple

    @classmethod
    def of(cls, model, given):
        return cls(model, dict(vars(model)), [np.array(variable) for variable in _variables(model)], given)

    def renewed(self):
        """The model as it was, but for the steps that were traced, unless it was compiled anew since."""
        now = vars(self.model)
        same_rules = now["_players"] is self.attributes["_players"]
        traced = {name: now[name] for name in _TRACED if same_rules}
        now.clear()
        now.update({**self.attributes, **traced})
        for variable, value in zip(_variables(self.model), self.values, strict=True):
            variable.assign(value)
        return self.model


def traced_once(build):
    """Makes `build`, which returns a compiled model, return one whose step may have been traced by an earlier test.

    Such a model is as new: every variable and attribute is what it was after `build`. A second one that a test asks
    for by the same arguments is another model. Not for tests that change what a step does, but by `compile`.
    """

    @functools.wraps(build)
    def built(*arguments, **options):
        key = (build, repr((arguments, sorted(options.items()))))
        models, number = _models.setdefault(key, []), _given_out.get(key, 0)
        _given_out[key] = number + 1
        if number == len(models):
            models.append(_Model.of(build(*arguments, **options), (arguments, options)))
        return models[number].renewed()

    return built


def renewed(model):
    """A model that was given out, as new again: for another training in the same test, without another trace."""
    return next(one for models in _models.values() for one in models if one.model is model).renewed()


def assert_unaltered(model, fit, watchers):
    """`fit(model, callbacks)` ends in the same weights with the callbacks `watchers` as without any."""
    found = []
    for callbacks in ([], watchers):
        fit(renewed(model), callbacks)
        found.append([np.array(weight) for weight in model.weights])
    assert all(map(np.array_equal, *found))


def new_test():
    """What earlier tests were given is free again."""
    _given_out.clear()


def _variables(model):
    optimizers = (model.player(player).optimizer for player in model.players)
    return [*model.variables, *itertools.chain.from_iterable(one.variables for one in optimizers)]
