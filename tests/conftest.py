"""What holds for all tests."""

import gc
import pathlib
import re
import signal

import pytest
from resume_child import RECIPES
from run_tools import train
from xdist.scheduler import LoadScopeScheduling

from kerasgan import registry

# A run in the background of a script is started with Ctrl-C ignored; tests press it, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files that share a fixture which takes minutes go to one process, and first, so that nothing waits for them at last.
# In this order: the fixture's minutes count as those of the test that is the first to ask for it.
SHARED = {"test_resume.py": "resume", "test_distribution.py": "resume"}


class Groups(LoadScopeScheduling):
    """Tests of a file run in one process, those of the contract of types a process for each type.

    Marks for `--dist loadgroup` would say the same, but pytest-xdist 3.8 does not hand them on with pytest 9.2.
    """

    def _split_scope(self, nodeid):
        file = pathlib.PurePath(nodeid.partition("::")[0])
        first = re.search(r"\[(\w+)", nodeid)
        type_ = first[1] if first and first[1] in registry.TYPES and file.name == "test_types.py" else ""
        return SHARED.get(file.name, f"{file} {type_}")


def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log)


def pytest_collection_modifyitems(items):
    """What takes longest comes first."""
    order = {name: place for place, name in enumerate(SHARED)}
    items.sort(key=lambda item: (order.get(item.path.name, len(order)), item.path.parent.name != "contract"))


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


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Runs of all kinds that nothing disturbed; beside their folder, `copied` has them as they were on the way."""
    folder = tmp_path_factory.mktemp("resume") / "whole"
    folder.mkdir()
    done = train(folder, *RECIPES, "--copies", folder.with_name("copied"))
    assert done.returncode == 0, done.stderr
    return folder
