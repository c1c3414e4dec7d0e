"""Several devices, several machines: the same training as on one device, and what goes wrong on the way."""

import json
import signal
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from run_tools import assert_in_the_middle, command, everything, train, untimed

from kerasgan import cli, distribution
from kerasgan.callbacks import Checkpoint
from kerasgan.callbacks.log import read as read_log

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


def train_on_two_devices(whole, *kinds):
    folder = whole.parent / f"two_devices_{kinds[0]}"
    folder.mkdir()
    done = train(folder, *kinds, "--strategy", json.dumps({"devices": 2}))
    assert done.returncode == 0, done.stderr
    assert "on 2 devices" in done.stdout
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds",
    [
        ("plain", "projection", "adaptive", "critic", "relativistic", "options"),
        ("translator", "without_dropout", "without_content", "mixed", "pyramid"),
    ],
    ids=["noise", "others"],
)
def test_two_devices_train_as_one_does(kinds, whole):
    """Batch normalization, lazy penalties, augmentation (adaptive, too), steps of several batches, options, float16.

    And classes, translators, an upscaler, and stages.
    """
    folder = train_on_two_devices(whole, *kinds)
    for kind in kinds:
        clipped = () if kind == "options" else PER_DEVICE
        assert_same_training(whole / kind, folder / kind, 1e-3 if kind in ("mixed", "pyramid") else 1e-5, clipped)


@pytest.mark.slow
def test_two_devices_grow_as_one_does(whole):
    """Only that: a network that compares the samples of a batch sees those of its device."""
    grown = [Checkpoint.load(run / "progressive")[0] for run in (whole, train_on_two_devices(whole, "progressive"))]
    for network in ("generator", "discriminator", "ema_generator"):
        alphas = [[float(getattr(gan, network).get_layer(f"fade_{n}").alpha) for n in (1, 2)] for gan in grown]
        assert alphas[0] == alphas[1] == [1.0, 0.5]


@pytest.mark.slow
def test_what_two_devices_refuse():
    """In a process of its own: devices can only be divided before TensorFlow has used one."""
    code = textwrap.dedent(
        """
        import numpy as np, pytest, tensorflow as tf
        from kerasgan import distribution
        from kerasgan.models import CGAN, DCGAN

        strategy = distribution.strategy(2)
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
            gan = CGAN(image_shape=(16, 16, 1), num_classes=3, latent_dim=4)
            gan.compile(clip_gradients=1.0)
        before = gan.discriminator.get_weights()
        logs = gan.fit(images, np.arange(8) % 3, batch_size=4, verbose=0).history
        assert np.isfinite(list(logs.values())).all() and gan.samples_seen.numpy() == 8
        assert not any(np.array_equal(a, b) for a, b in zip(before, gan.discriminator.get_weights()) if a.ndim == 2)
        print("refused")
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("refused\n"), done.stderr[-3000:]


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
        processes.append(
            subprocess.Popen(command(folder, *given, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    try:
        answers = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *answer) for process, answer in zip(processes, answers, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize(("killed", "when"), [(1, "step"), (0, "write")])
def test_a_worker_is_killed_and_all_go_on_from_the_checkpoint(killed, when, whole):
    folder = whole.parent / f"worker_{killed}"
    folder.mkdir()
    answers = train_together(folder, ["plain"], killed, when)
    assert answers[killed][0] == -signal.SIGKILL, answers
    code, _, error = answers[1 - killed]
    assert code == 1 and "WorkerLost: The training in" in error and "once all workers are started again" in error
    assert_in_the_middle(folder / "plain")
    for code, output, error in train_together(folder, ["plain"]):
        assert code == 0 and "on 2 devices" in output, error
    assert_same_training(whole / "plain", folder / "plain")
    if killed:  # and it goes on with fewer machines
        done = train(folder, "plain")
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_workers_with_different_trainings_stop(whole):
    folder = whole.parent / "differing"
    folder.mkdir()
    for code, _, error in train_together(folder, [("plain",), ("adaptive",)]):
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
