"""What holds for all tests."""

import signal

import pytest
from resume_child import RECIPES
from run_tools import train

# A run in the background of a script is started with Ctrl-C ignored; tests press it, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Runs of all kinds that nothing disturbed."""
    folder = tmp_path_factory.mktemp("resume") / "whole"
    folder.mkdir()
    done = train(folder, *RECIPES)
    assert done.returncode == 0, done.stderr
    return folder
