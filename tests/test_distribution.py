"""Several devices, several machines: the same training as on one device, and what goes wrong on the way."""

import functools
import json
import signal
import socket

import forked
import numpy as np
import pytest
import resume_child
import tensorflow as tf
from resume_child import GROUPS
from run_tools import CHILD, assert_in_the_middle, everything, train, untimed

from kerasgan import cli, distribution
from kerasgan.callbacks.log import read as read_log
from kerasgan.models import CGAN, DCGAN

pytestmark = pytest.mark.timeout(1800)  # a test that makes the runs that all share has minutes to do
PER_DEVICE = ("discriminator_gradient_norm", "generator_gradient_norm")  # in the log, those of a device's samples


def assert_same_training(whole, run, tolerance=1e-5, besides=PER_DEVICE):
    """The logs of two runs agree up to rounding, which training amplifies from epoch to epoch, and so do weights."""
    expected, found = (untimed(read_log(folder / "log.csv")) for folder in (whole, run))
    assert [row["epoch"] for row in found] == [row["epoch"] for row in expected]
    for one, other in zip(expected, found, strict=True):
        names = one.keys() - besides
        assert names <= other.keys()
        values = ([row[name] for name in names] for row in (other, one))
        np.testing.assert_allclose(*values, rtol=tolerance, atol=tolerance, err_msg=names)
        tolerance *= 10
    numbers, again = everything(whole), everything(run)
    assert numbers.keys() == again.keys()
    for name in numbers.keys() - {name for name in numbers if "optimizer" in name}:  # moments are the noisiest numbers
        value = numbers[name]
        np.testing.assert_allclose(np.float64(again[name]), np.float64(value), 1e-2, 5e-3, err_msg=name)


# Several devices ------------------------------------------------------------------------------------------------------


CHECKS = {"first": ["test_distribution:refusals"], "second": ["test_overflow:overflow_on_one_replica"]}


@pytest.fixture(scope="session")
def two_devices(whole):
    """`two_devices(group)`: the process in which a group trained on two devices, and what it was checked for after.

    In a process of its own: devices can only be divided before TensorFlow has used one.
    """

    @functools.cache
    def run(group):
        folder = whole(group).with_name("two_devices")
        folder.mkdir()
        kinds = [kind for kind in GROUPS[group] if kind not in ("simple", "conditional")]  # dropout is drawn apart
        done = train(folder, *kinds, "--strategy", json.dumps({"devices": 2}), "--checks", *CHECKS[group])
        assert done.returncode == 0, done.stderr
        assert "on 2 devices" in done.stdout
        return done, folder

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "kind"),
    [
        *(("first", kind) for kind in ("plain", "sound", "relativistic", "options")),
        *(("second", kind) for kind in ("translator", "pyramid")),
    ],
)
def test_two_devices_train_as_one_does(group, kind, whole, two_devices):
    """Batch normalization, lazy penalties, augmentation (adaptive, too), steps of several batches, options, float16.

    And classes, shifted phases, a translator's pools, and stages.
    """
    folder = two_devices(group)[1]
    clipped = () if kind == "options" else PER_DEVICE
    assert_same_training(whole(group) / kind, folder / kind, 1e-3 if kind == "pyramid" else 1e-5, clipped)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "check"), [(group, check) for group, checks in CHECKS.items() for check in checks])
def test_in_the_process_of_two_devices(group, check, two_devices):
    done = two_devices(group)[0]
    assert f"{check} went well" in done.stdout, done.stderr[-3000:]


def refusals(strategy):
    """What two devices refuse, and what they train on all the same."""
    images = np.zeros((8, 16, 16, 1), "float32")

    def fit(batch, **options):
        with strategy.scope():
            gan = DCGAN(image_shape=(16, 16, 1), latent_dim=4, width=4)
            gan.compile(**options)
        gan.fit(tf.data.Dataset.from_tensor_slices(images).batch(batch), verbose=0)
        return int(gan.samples_seen.numpy())

    with pytest.raises(ValueError, match="jit_compile=True: XLA does not train on several CPUs"):
        fit(4, jit_compile=True)
    with pytest.raises(ValueError, match="steps_per_execution=2"):
        fit(4, steps_per_execution=2)
    assert fit(4) == 8  # of a data set that does not say how many samples a batch has
    with pytest.raises(ValueError, match="devices=3 comes too late"):
        distribution.strategy(3)

    # Classes, and sparse gradients of their embedding.
    with strategy.scope():
        gan = CGAN(image_shape=(16, 16, 1), num_classes=3, latent_dim=4, units=16, maxout_units=8)
        gan.compile(clip_gradients=1.0)
    before = gan.discriminator.get_weights()
    logs = gan.fit(images, np.arange(8) % 3, batch_size=4, verbose=0).history
    assert np.isfinite(list(logs.values())).all() and gan.samples_seen.numpy() == 8
    pairs = zip(before, gan.discriminator.get_weights(), strict=True)
    assert not any(np.array_equal(a, b) for a, b in pairs if a.ndim == 2)


# Several machines -----------------------------------------------------------------------------------------------------


def addresses(count):
    """Free places on this machine, host:port."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def train_together(folder, kinds, killed=None, when=None):
    """Two workers train; one of them may be killed. Returns (exit code, output, errors) of each."""
    workers, processes = addresses(2), []
    for number in range(2):
        words = ["--kill", when] if number == killed else []
        words += ["--strategy", json.dumps({"workers": workers, "worker": number})]
        given = kinds[number] if isinstance(kinds[0], tuple) else kinds
        processes.append(forked.Forked(CHILD, (folder, *given, *words)))
    try:
        answers = [process.communicate(timeout=900) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *answer) for process, answer in zip(processes, answers, strict=True)]


@pytest.mark.slow
def test_a_worker_is_killed_and_all_go_on_from_the_checkpoint(whole):
    """The first one, which writes the checkpoints, in the middle of a write."""
    folder = whole("first").with_name("workers")
    folder.mkdir()
    answers = train_together(folder, ["simple"], killed=0, when="write")
    assert answers[0][0] == -signal.SIGKILL, answers
    code, _, error = answers[1]
    assert code == 1 and "WorkerLost: The training in" in error and "once all workers are started again" in error
    assert_in_the_middle(folder / "simple")
    for code, output, error in train_together(folder, ["simple"]):
        assert code == 0 and "on 2 devices" in output, error
    assert_same_training(whole("first") / "simple", folder / "simple")
    resume_child.train("simple", folder)  # and it goes on with fewer machines


def test_a_worker_that_has_left_is_no_loss_once_all_have_arrived(monkeypatch):
    def gone(*arguments):
        raise tf.errors.UnavailableError(None, None, "Socket closed")

    answers = [lambda *arguments: [0, 0], gone]
    monkeypatch.setattr(distribution, "values_of_workers", lambda *arguments: answers.pop(0)(*arguments))
    distribution.leave_together(None)
    answers.append(gone)
    with pytest.raises(tf.errors.UnavailableError):
        distribution.leave_together(None)


@pytest.mark.slow
def test_workers_with_different_trainings_stop(whole):
    folder = whole("first").with_name("differing")
    folder.mkdir()
    for code, _, error in train_together(folder, [("simple",), ("relativistic",)]):
        assert code == 1 and "Not all workers would do the same training as worker 0: 1 found another recipe" in error
    assert not list(folder.glob("*/model.keras"))


def test_a_first_worker_that_is_not_there():
    (address, other) = addresses(2)
    with pytest.raises(distribution.WorkerLost, match=f"The first worker, {address}, cannot be reached"):
        distribution.strategy(workers=[address, other], worker=1, wait=0.1)


# Mistakes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"devices": 0}, 'devices=0: expected a whole number of at least 1, or "all"'),
        ({"devices": "two"}, "devices='two'"),
        ({"devices": True}, "devices=True"),
        ({"devices": 2, "workers": ["a:1", "b:1"], "worker": 0}, "several workers, but this machine has no GPU"),
        ({"worker": 0}, "worker=0, but no workers. Give --workers"),
        ({"workers": ["a:1", "b:1"]}, "worker is missing: which of the 2 workers"),
        ({"workers": ["a:1", "b:1"], "worker": 2}, "worker 2 is none of 0 to 1"),
        ({"workers": ["a:1", "b:1"], "worker": -1}, "worker -1 is none"),
        ({"workers": ["a", "b:1"], "worker": 0}, "workers=a,b:1: 'a' is no HOST:PORT"),
        ({"workers": ["a:1", "b:99999"], "worker": 0}, "'b:99999' is no HOST:PORT"),
        ({"workers": ["a:1", "a:1"], "worker": 0}, "two workers have the same address"),
    ],
)
def test_arguments_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        distribution.strategy(**arguments)


WORKERS = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "cannot be used: .*Expected"),
        ("[]", "cannot be used"),
        (json.dumps({"cluster": WORKERS}), "task.* is missing in it"),
        (json.dumps({"cluster": WORKERS, "task": {"type": "worker"}}), "index.* is missing in it"),
        (json.dumps({"cluster": WORKERS, "task": {"type": "chief", "index": 0}}), "kind 'chief', and the cluster has"),
        (json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": 2}}), "number 2 of 2, counted from 0"),
        (json.dumps({"cluster": {**WORKERS, "ps": ["c:1"]}, "task": {"type": "worker", "index": 0}}), "kind 'ps'"),
        (json.dumps({"cluster": {"worker": ["a", "b:1"]}, "task": {"type": "worker", "index": 0}}), "'a' is no HOST"),
    ],
)
def test_a_wrong_tf_config_is_refused(config, message, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="TF_CONFIG=.*" + message):
        distribution.strategy()
    code = cli.main(["train", "dcgan", "--data", str(tmp_path), "--out", str(tmp_path / "run")])
    assert code == 2 and "kerasgan: error: TF_CONFIG=" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_tf_config_and_workers_together_are_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": 0}}))
    with pytest.raises(ValueError, match="TF_CONFIG is set, and workers are given"):
        distribution.strategy(workers=["a:1", "b:1"], worker=0)


def test_a_task_of_its_own_trains_alone(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {}, "task": {"type": "worker", "index": 0}}))
    assert distribution.strategy() is None


def test_chief_and_workers_of_tf_config_are_counted_in_one_row(monkeypatch):
    config = {"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert distribution._cluster(None, None) == (["a:1", "b:1", "c:1"], 2)
