"""Speed, waiting for data and memory in the logs."""

import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from once import assert_unaltered
from points import POINTS, small_gan

from kerasgan.callbacks import Log, Throughput
from kerasgan.callbacks import throughput as module
from kerasgan.callbacks.log import read


class Sleep(keras.callbacks.Callback):
    """Makes every step longer, outside of TensorFlow."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(self.seconds)


def slow(seconds):
    """20 batches, each of which takes so long to read."""

    def wait(batch):
        tf.numpy_function(lambda: time.sleep(seconds), [], [])
        return batch

    return tf.data.Dataset.from_tensor_slices(POINTS).batch(8, drop_remainder=True).map(wait)


def history(gan, data, step_seconds):
    watchers = [Throughput(), Sleep(step_seconds)]  # slept after `Throughput` has looked at the clock
    return gan.fit(data, epochs=2, verbose=0, callbacks=watchers).history


def at_some_speed(holds):
    """Whether `holds(factor)` for one of the factors, by which all times are longer than what a busy machine adds."""
    return any(holds(factor) for factor in (1, 3, 9, 27))


@pytest.mark.parametrize("per_execution", [1, 2])
def test_waiting_for_data_is_measured(per_execution):
    gan = small_gan(steps_per_execution=per_execution)

    def waits(read, step, factor):
        return history(gan, slow(read * factor), step * factor * per_execution)["data_wait"]

    assert at_some_speed(lambda factor: min(waits(0.02, 0.0, factor)) > 0.4)  # data take longer than steps
    assert at_some_speed(lambda factor: max(waits(0.002, 0.02, factor)) < 0.4)  # and are read while a step is busy


def test_half_of_the_time():
    """A batch is read in twice the time of a step, and the next one meanwhile: each step waits as long as it works."""
    gan = small_gan()

    def wait(factor):
        return np.mean(history(gan, slow(0.06 * factor), 0.03 * factor)["data_wait"])

    assert at_some_speed(lambda factor: 0.25 < wait(factor) < 0.75)


def test_samples_per_second_and_memory():
    found = history(small_gan(), slow(0.0), 0.02)
    assert all(0 < rate < 8 / 0.02 for rate in found["samples_per_second"])
    memory = found["memory_mb"]
    assert memory[0] > 50 and memory == sorted(memory)  # TensorFlow alone takes more; a peak never sinks
    assert ("gpu_memory_mb" in found) == bool(tf.config.list_logical_devices("GPU"))


def test_memory_of_a_gpu(monkeypatch):
    monkeypatch.setattr(module.tf.config, "list_logical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(module.tf.config.experimental, "get_memory_info", lambda name: {"current": 1, "peak": 5e6})
    monkeypatch.setattr(module, "resource", None)  # as on Windows
    assert module._memory() == {"gpu_memory_mb": 5.0}


def test_an_epoch_of_one_step():
    found = small_gan().fit(POINTS[:8], batch_size=8, epochs=2, verbose=0, callbacks=[Throughput()]).history
    assert len(found["samples_per_second"]) == 2


def test_batches_of_python_are_watched_too():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return POINTS[8 * index : 8 * index + 8]

    found = small_gan().fit(Batches(), verbose=0, callbacks=[Throughput()]).history
    assert found["samples_per_second"][0] > 0 and 0 <= found["data_wait"][0] <= 1


def test_the_log_has_them(tmp_path):
    watchers = [Throughput(), Log(tmp_path / "log.csv")]
    small_gan().fit(POINTS, batch_size=8, verbose=0, callbacks=watchers)
    assert {"samples_per_second", "data_wait", "memory_mb"} < {*read(tmp_path / "log.csv")[0]}
    assert {*module.NAMES} >= {"samples_per_second", "data_wait", "memory_mb"}


def test_watching_changes_nothing():
    def fit(gan, watchers):
        gan.fit(POINTS, batch_size=8, epochs=2, verbose=0, callbacks=watchers)

    assert_unaltered(small_gan(), fit, [Throughput()])
