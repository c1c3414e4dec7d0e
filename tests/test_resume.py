"""A training that is killed and goes on is the training that was not killed: bit for bit, on the CPU."""

import shutil
import signal

import numpy as np
import pytest
import resume_child
from resume_child import GROUPS, RECIPES
from run_tools import assert_in_the_middle, everything, train, untimed

from kerasgan import runs
from kerasgan.callbacks import Checkpoint, events, throughput
from kerasgan.callbacks import score as scores
from kerasgan.callbacks.log import read as read_log

pytestmark = pytest.mark.timeout(1800)  # a test that makes the runs that all share has minutes to do


def points(folder):
    """What TensorBoard would show but for times: sorted (name, step, value)."""
    found = [event for path in (folder / "tensorboard").glob("*") for event in events._read(path)[0]]
    values = [(v.tag, event.step, v.tensor.SerializeToString()) for event in found for v in event.summary.value]
    return sorted(value for value in values if value[0] not in throughput.NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "kind"),
    [(group, kind) for group, kinds in GROUPS.items() for kind in kinds],
)
def test_resumed_equals_undisturbed(group, kind, whole):
    """Of each kind as a kill would have left it, in another process than the one that began it."""
    undisturbed = whole(group)
    copied = undisturbed.with_name("copied")
    assert_in_the_middle(copied / kind)
    resume_child.train(kind, copied)
    assert_same_end(undisturbed / kind, copied / kind)


@pytest.mark.slow
def test_what_ends_a_process_costs_a_run_nothing(whole):
    """It is killed in a step, then in the write of a checkpoint, then the disk is full: the same run in the end."""
    folder = whole("first").with_name("killed")
    folder.mkdir()
    for when in ("step", "write"):
        killed = train(folder, "simple", "--kill", when)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert_in_the_middle(folder / "simple")
    stopped = train(folder, "simple", "--kill", "full")
    assert "OSError: The training in " in stopped.stderr and "is the disk full?" in stopped.stderr
    assert_in_the_middle(folder / "simple")
    assert (folder / "simple" / "previous.keras").is_file()
    resume_child.train("simple", folder)
    assert_same_end(whole("first") / "simple", folder / "simple")


def assert_same_end(whole, run):
    """The run ended as the other did: all numbers, log, scores, events, and nothing half-written."""
    expected, found = everything(whole), everything(run)
    assert expected.keys() == found.keys()
    different = [name for name in expected if not np.array_equal(expected[name], found[name])]
    assert different == []
    rows, again = (untimed(read_log(folder / "log.csv")) for folder in (whole, run))
    assert again == rows and [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert scores.read(run) == scores.read(whole) and points(run) == points(whole)
    assert (run / "best.keras").is_file() == (whole / "best.keras").is_file()
    assert not [path for path in run.iterdir() if path.name.startswith(".") and path.name != ".lock"]


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(whole, tmp_path):
    undisturbed = whole("first")
    run = shutil.copytree(undisturbed / "simple", tmp_path / "simple")
    newest = (run / "model.keras").read_bytes()
    flipped = bytearray(newest)
    flipped[len(flipped) // 2] ^= 255
    for damaged in (newest[: len(newest) // 2], bytes(flipped), b""):
        (run / "model.keras").write_bytes(damaged)
        with pytest.warns(UserWarning, match="model.keras.*damaged|model.keras.*cut short.*previous.keras"):
            gan, epoch, step = Checkpoint.load(run)
        assert (epoch, step) != (4, 0)
    with pytest.warns(UserWarning, match="previous.keras"):  # and training goes on from there, to the same end
        runs.train(RECIPES["simple"], undisturbed.parent / "data.npz", run)
    expected, found = everything(undisturbed / "simple"), everything(run)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_other_data_is_refused(whole, tmp_path):
    random = np.random.default_rng(9)
    np.savez(tmp_path / "other.npz", x=random.integers(0, 256, (22, 16, 16), dtype="uint8"), y=np.arange(22) % 2)
    run = whole("first") / "simple"
    before = (run / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="other.npz.*is not what .*simple.* was trained on.*as many, but other"):
        runs.train(RECIPES["simple"], tmp_path / "other.npz", run, epochs=5)
    assert (run / "model.keras").read_bytes() == before
