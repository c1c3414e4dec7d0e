"""A training that is killed and goes on is the training that was not killed: bit for bit, on the CPU."""

import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from resume_child import RECIPES

from kerasgan import runs
from kerasgan.callbacks import Checkpoint
from kerasgan.callbacks.log import read as read_log

CHILD = pathlib.Path(__file__).with_name("resume_child.py")


def train(folder, *words):
    return subprocess.run([sys.executable, CHILD, folder, *words], capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Runs of all kinds that nothing disturbed."""
    folder = tmp_path_factory.mktemp("resume") / "whole"
    folder.mkdir()
    done = train(folder, *RECIPES)
    assert done.returncode == 0, done.stderr
    return folder


def everything(folder):
    """All numbers of a run's end: networks, moving averages, both optimizers, loss scales, counters, random states."""
    gan, epoch, step = Checkpoint.load(folder)
    values = {f"variable {i}": np.array(v) for i, v in enumerate(gan.variables)}
    for name in ("discriminator_optimizer", "generator_optimizer"):
        for i, v in enumerate(getattr(gan, name).variables):
            values[f"{name} {i}"] = np.array(v)
    return {**values, "epoch": epoch, "step": step}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["step", "write"])
@pytest.mark.parametrize("kind", RECIPES)
def test_killed_and_resumed_equals_undisturbed(kind, when, whole):
    folder = whole.parent / f"killed_{when}"
    folder.mkdir(exist_ok=True)
    killed = train(folder, kind, "--kill", when)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    _, epoch, step = Checkpoint.load(folder / kind)
    assert 0 < 10 * epoch + step < 40  # in the middle
    resumed = train(folder, kind)
    assert resumed.returncode == 0, resumed.stderr

    expected, found = everything(whole / kind), everything(folder / kind)
    assert expected.keys() == found.keys()
    different = [name for name in expected if not np.array_equal(expected[name], found[name])]
    assert different == []
    rows, again = ([{**row, "seconds": 0} for row in read_log(f / kind / "log.csv")] for f in (whole, folder))
    assert again == rows and [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert not [path for path in (folder / kind).iterdir() if path.name.startswith(".") and path.name != ".lock"]


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(whole, tmp_path):
    run = shutil.copytree(whole / "plain", tmp_path / "plain")
    newest = (run / "model.keras").read_bytes()
    flipped = bytearray(newest)
    flipped[len(flipped) // 2] ^= 255
    for damaged in (newest[: len(newest) // 2], bytes(flipped), b""):
        (run / "model.keras").write_bytes(damaged)
        with pytest.warns(UserWarning, match="model.keras.*damaged|model.keras.*cut short.*previous.keras"):
            gan, epoch, step = Checkpoint.load(run)
        assert (epoch, step) != (4, 0)
    with pytest.warns(UserWarning, match="previous.keras"):  # and training goes on from there, to the same end
        runs.train(RECIPES["plain"], whole.parent / "data.npz", run)
    expected, found = everything(whole / "plain"), everything(run)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_other_data_is_refused(whole, tmp_path):
    random = np.random.default_rng(9)
    np.savez(tmp_path / "other.npz", x=random.integers(0, 256, (22, 16, 16), dtype="uint8"), y=np.arange(22) % 2)
    before = (whole / "plain" / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="other.npz.*is not what .*plain.* was trained on"):
        runs.train(RECIPES["plain"], tmp_path / "other.npz", whole / "plain", epochs=5)
    assert (whole / "plain" / "model.keras").read_bytes() == before
