"""Models that are built and traced once a process, for tests of what goes on around a training step."""

import functools
import itertools

import numpy as np

_TRACED = ("train_function", "test_function")
_given_out = {}  # {builder and arguments: models in use}, emptied before each test
_models = {}  # {builder and arguments: [(model, how it was when it was new), ...]}


def traced_once(build):
    """Makes `build`, which returns a compiled model, return one whose step may have been traced by an earlier test.

    Such a model is as new: every variable and attribute is what it was after `build`. A second one that a test asks
    for by the same arguments is another model. Not for tests that change what a step does, but by `compile`.
    """

    @functools.wraps(build)
    def built(*arguments, **options):
        key = (build, repr((arguments, sorted(options.items()))))
        models = _models.setdefault(key, [])
        number = _given_out[key] = _given_out.get(key, -1) + 1
        if number == len(models):
            # (What was given is kept: the `repr` of some objects is their address.)
            models.append((*_as_new(build(*arguments, **options)), (arguments, options)))
        model, attributes, values, _ = models[number]
        _renew(model, attributes, values)
        return model

    return built


def renewed(model):
    """A model that was given out, as new again: for another training in the same test, without another trace."""
    _renew(model, *next(state for models in _models.values() for one, *state, _ in models if one is model))
    return model


def new_test():
    """What earlier tests were given is free again."""
    _given_out.clear()


def _variables(model):
    optimizers = (model.player(player).optimizer for player in model.players)
    return [*model.variables, *itertools.chain.from_iterable(one.variables for one in optimizers)]


def _as_new(model):
    return model, dict(vars(model)), [np.array(variable) for variable in _variables(model)]


def _renew(model, attributes, values):
    same_rules = vars(model)["_players"] is attributes["_players"]  # not compiled anew since
    traced = {name: vars(model)[name] for name in _TRACED if same_rules}
    vars(model).clear()
    vars(model).update({**attributes, **traced})
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)
