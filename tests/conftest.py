"""What holds for all tests."""

import functools
import gc
import os
import pathlib
import re
import signal

import costly
import once
import pytest
import resume_child
import tensorflow as tf
from resume_child import GROUPS
from run_tools import train
from xdist.scheduler import LoadScopeScheduling

from kerasgan import registry

# A run in the background of a script is started with Ctrl-C ignored; tests press it, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# XLA compiles for half a minute what runs for a moment. What it makes of a graph stays, LLVM's optimization goes.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")


# What takes longest comes first, so that nothing waits for it at last. The first two share runs of minutes; each group
# of these (`resume_child.GROUPS`) goes to a process of its own.
LONG = (
    "test_resume.py",
    "test_distribution.py",
    "test_hostile.py",
    "test_zoo.py",
    "test_types.py",
    "test_benchmarks.py",
)


# Graphs run here as they do for users: rewritten by TensorFlow's Grappler before. It takes a third of the time of a
# graph that is traced and run for a step or two, so elsewhere they run as they were traced.
AS_FOR_USERS = (*LONG[:2], "test_zoo.py", "test_benchmarks.py", "test_readme.py")


class Groups(LoadScopeScheduling):
    """Tests of a file run in one process, those of the contract of types a process for each type.

    Marks for `--dist loadgroup` would say the same, but pytest-xdist 3.8 does not hand them on with pytest 9.2.
    """

    def _split_scope(self, nodeid):
        file = pathlib.PurePath(nodeid.partition("::")[0])
        words = re.findall(r"\w+", nodeid.partition("[")[2])
        if file.name in LONG[:2]:
            return "second" if words[:1] == ["second"] else "first"
        types = [word for word in words if word in registry.TYPES]
        return f"{file} {types[0]}" if types and file.name == "test_types.py" else str(file)


def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log)


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="take all costly tests, not only those whose turn it is")


def pytest_report_header(config):
    if _in_turns(config):
        return f"costly tests: those of turn {costly.state()[0] % costly.TURNS + 1} of {costly.TURNS}; --all takes all"


def _in_turns(config):
    """Whether costly tests are taken in turns: where nobody has asked for some of them, and there is a history."""
    options = config.option
    asked = [options.all, options.keyword, options.markexpr, config.getoption("lf", default=False)]  # lf: of a plugin
    return not any(asked) and config.args == config.getini("testpaths") and costly.state() is not None


def _choose(config, items):
    """Leaves out the costly tests whose turn it is not."""
    scopes = [costly.scope(item.nodeid) for item in items]
    taken = costly.in_turn(list(dict.fromkeys(one for one in scopes if one)), *costly.state())
    left_out = [item for item, one in zip(items, scopes, strict=True) if one and one not in taken]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item, one in zip(items, scopes, strict=True) if not one or one in taken]


def pytest_collection_modifyitems(config, items):
    if _in_turns(config):
        _choose(config, items)
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_runtest_setup():
    once.new_test()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Hides what a test leaves behind from Python's search for garbage.

    Traced functions stay alive in TensorFlow's caches, a million objects after 70 tests. Searching them took a sixth of
    all time by then, and ever more later. Once a file all of them are searched.
    """
    result = yield
    if nextitem is None or nextitem.path != item.path:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    return result


@pytest.fixture(scope="module", autouse=True)
def grappler(request):
    """Whether TensorFlow rewrites graphs; that of tools which export is another, and always does."""
    is_off = request.path.name not in AS_FOR_USERS
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": is_off})


@pytest.fixture
def eagerly():
    """Trainings of few steps without a graph."""
    with resume_child.eagerly():
        yield


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """`whole(group)`: runs of a group of `resume_child.py`, undisturbed, in a folder that is made at the first call.

    Beside it, `copied` has them as they were on the way.
    """

    @functools.cache
    def runs(group):
        folder = tmp_path_factory.mktemp(group) / "whole"
        folder.mkdir()
        done = train(folder, *GROUPS[group], "--copies", folder.with_name("copied"))
        assert done.returncode == 0, done.stderr
        return folder

    return runs
