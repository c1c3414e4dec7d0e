"""Checkpoints and stopping, on a real GAN of points in the plane."""

import contextlib
import os
import signal
import warnings
import zipfile

import keras
import numpy as np
import pytest
from points import POINTS, small_gan

from kerasgan import callbacks
from kerasgan.callbacks import Checkpoint, Interrupted, Interruption


def fit(gan, watchers, epochs=1, **kwargs):
    gan.fit(POINTS[:32], batch_size=8, epochs=epochs, callbacks=watchers, verbose=0, **kwargs)


class Do(keras.callbacks.Callback):
    """Calls a function at the end of one step of one epoch."""

    def __init__(self, function, epoch, step):
        super().__init__()
        self.function, self.when = function, (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.when:
            self.function()


def assert_same(one, other):
    for name in ("generator", "discriminator", "ema_generator", "generator_optimizer", "discriminator_optimizer"):
        pair = zip(getattr(one, name).variables, getattr(other, name).variables, strict=True)
        for variable, same in pair:
            np.testing.assert_array_equal(variable, same)


def test_saves_everything_and_where_it_was(tmp_path):
    gan = small_gan()
    fit(gan, [Checkpoint(tmp_path / "run")], epochs=2)
    assert sorted(os.listdir(tmp_path / "run")) == ["model.keras", "previous.keras"]
    loaded, epoch, step = Checkpoint.load(tmp_path / "run")
    assert (epoch, step) == (2, 0)
    assert_same(gan, loaded)
    assert int(loaded.samples_seen) == 64
    assert keras.saving.load_model(tmp_path / "run" / "model.keras") is not None  # an ordinary Keras file
    loaded.run_eagerly = True  # for four steps
    fit(loaded, [], epochs=3, initial_epoch=epoch)


def test_crash_while_saving_keeps_the_last_one(tmp_path, monkeypatch):
    gan, checkpoint = small_gan(), Checkpoint(tmp_path)
    fit(gan, [checkpoint])
    before = (tmp_path / "model.keras").read_bytes()

    def crash(path):
        with open(path, "w") as file:
            file.write("half a mod")
        raise OSError("disk full")

    monkeypatch.setattr(gan, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save()
    assert (tmp_path / "model.keras").read_bytes() == before
    assert os.listdir(tmp_path) == ["model.keras"]


def no_links(*args):
    raise PermissionError(1, "Operation not permitted")


def test_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasgan.callbacks.checkpoint.os.link", no_links)
    fit(small_gan(), [Checkpoint(tmp_path)], epochs=3)
    assert sorted(os.listdir(tmp_path)) == ["model.keras", "previous.keras"]
    assert [Checkpoint.load(tmp_path / name)[1] for name in ("model.keras", "previous.keras")] == [3, 2]


def test_crash_at_any_moment_without_hard_links(tmp_path, monkeypatch):
    """Whatever is the last thing done to the folder's names, `load` finds the newest checkpoint or the one before."""
    gan, checkpoint = small_gan(), Checkpoint(tmp_path)
    fit(gan, [checkpoint], epochs=2)
    monkeypatch.setattr("kerasgan.callbacks.checkpoint.os.link", no_links)
    replace = os.replace
    for done in range(3):
        left = iter(range(done))

        def replace_or_crash(source, target, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt  # nothing in between handles it
            replace(source, target)

        checkpoint.epoch += 1
        with monkeypatch.context() as patch:
            patch.setattr("os.replace", replace_or_crash)
            with contextlib.suppress(KeyboardInterrupt):
                checkpoint.save()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, epoch, _ = Checkpoint.load(tmp_path)
        assert epoch in (checkpoint.epoch - 1, checkpoint.epoch)
        assert os.path.isfile(tmp_path / "model.keras") == (done != 1)
        checkpoint.epoch = epoch
    assert epoch == 3


def test_minutes(tmp_path, monkeypatch):
    now, saved = [0.0], []
    monkeypatch.setattr("kerasgan.callbacks.checkpoint.time.monotonic", lambda: now[0])
    checkpoint = Checkpoint(tmp_path, minutes=10)
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda: (save(), saved.append((checkpoint.epoch, checkpoint.step))))

    def pass_time():
        now[0] += 601

    fit(small_gan(), [Do(pass_time, 1, 2), checkpoint], epochs=3)
    assert saved == [(1, 3), (3, 0)]  # in the middle of the second epoch, and at the end
    assert Checkpoint.load(tmp_path)[1:] == (3, 0)


def test_broken_models_are_not_saved(tmp_path):
    gan = small_gan()
    fit(gan, [Checkpoint(tmp_path)])
    before = (tmp_path / "model.keras").read_bytes()

    def break_it():  # where losses do not show it: the rectifier of NaN is 0 on some processors and NaN on others
        gan.ema_generator.variables[0].assign(np.full((3, 2), np.nan))

    with pytest.raises(FloatingPointError, match="broke down: .*kernel .*lower learning rate"):
        fit(gan, [Do(break_it, 0, 1), Checkpoint(tmp_path)])
    assert (tmp_path / "model.keras").read_bytes() == before


def test_broken_losses_end_the_training(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.set_model(small_gan())
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(6)
    with pytest.raises(FloatingPointError, match="broke down: generator_loss NaN or infinite"):
        checkpoint.on_epoch_end(6, {"discriminator_loss": 1.0, "generator_loss": float("inf")})


def test_loading_what_is_no_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the file model.keras"):
        Checkpoint.load(tmp_path)
    (tmp_path / "model.keras").write_text("something else")
    with pytest.raises(ValueError, match="not a saved Keras model"):
        Checkpoint.load(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("photo.png", "")
    with pytest.raises(ValueError, match="model.keras"):
        Checkpoint.load(tmp_path)
    with pytest.raises(ValueError, match="minutes is -1"):
        Checkpoint(tmp_path, minutes=-1)


def test_a_signal_stops_between_two_steps(tmp_path):
    handler = signal.getsignal(signal.SIGINT)
    gan, checkpoint, interruption = small_gan(), Checkpoint(tmp_path), Interruption()
    with pytest.raises(Interrupted), interruption.listening():
        fit(gan, [Do(lambda: signal.raise_signal(signal.SIGINT), 1, 1), checkpoint, interruption], epochs=3)
    assert interruption.signalled and (checkpoint.epoch, checkpoint.step) == (1, 2)
    checkpoint.save()
    assert Checkpoint.load(tmp_path)[1:] == (1, 2)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_signal_acts_at_once():
    with pytest.raises(KeyboardInterrupt), Interruption().listening():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        interruption = Interruption()
        with interruption.listening():
            signal.raise_signal(signal.SIGTERM)
        assert not interruption.signalled
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("per_execution", [1, 2])
def test_a_limit_counts_steps(tmp_path, per_execution):
    gan, checkpoint = small_gan(steps_per_execution=per_execution), Checkpoint(tmp_path)
    with pytest.raises(Interrupted):
        fit(gan, [checkpoint, Interruption(steps=6)], epochs=3)
    assert (checkpoint.epoch, checkpoint.step) == (1, 2)
    assert int(gan.samples_seen) == 6 * 8
    with pytest.raises(ValueError, match="steps is 0"):
        Interruption(steps=0)


def test_ours_work_together_and_with_those_of_keras(tmp_path):
    watchers = [
        callbacks.Log(tmp_path / "log.csv"),
        callbacks.Progress(),
        callbacks.SampleGrid(tmp_path / "samples", count=4),
        keras.callbacks.CSVLogger(tmp_path / "keras.csv"),
        keras.callbacks.EarlyStopping("generator_loss", mode="min", patience=5),
    ]
    gan = small_gan()
    fit(gan, watchers, epochs=2)
    one, two = (np.load(tmp_path / "samples" / f"epoch_000{i}.npy") for i in (1, 2))
    assert one.shape == (4, 2) and (one != two).any()
    np.testing.assert_array_equal(two, gan.preview(4, 0))
