"""What holds for all tests."""

import signal

import pytest
from resume_child import RECIPES
from run_tools import train

# A run in the background of a script is started with Ctrl-C ignored; tests press it, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files that share a fixture which takes minutes go to one process, and first, so that nothing waits for them at last.
SHARED = {"test_resume.py": "resume", "test_distribution.py": "resume"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of a file run in one process, those of the contract of types a process for each type."""
    for item in items:
        group = SHARED.get(item.path.name, item.path.name)
        if "gan_type" in getattr(item, "fixturenames", ()):
            group = f"{group}-{item.callspec.params['gan_type']}"
        item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}-{group}" if group != "resume" else group))
    items.sort(key=lambda item: (item.path.name not in SHARED, item.path.parent.name != "contract"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Runs of all kinds that nothing disturbed."""
    folder = tmp_path_factory.mktemp("resume") / "whole"
    folder.mkdir()
    done = train(folder, *RECIPES)
    assert done.returncode == 0, done.stderr
    return folder
