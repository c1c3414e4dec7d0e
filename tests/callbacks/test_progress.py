"""The progress line, on a terminal and in a log file."""

import io
import os
import re

import pytest

from kerasgan.callbacks import Progress
from kerasgan.callbacks.progress import _clock
from kerasgan.media import Image


class Screen(io.StringIO):
    def isatty(self):
        return True


class Model:
    media = Image((4, 4, 1))
    samples_seen = 0


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr("kerasgan.callbacks.progress.time.perf_counter", lambda: Clock.now)
    return Clock


def run(progress, clock, model=None, steps=10, per_call=1, epochs=2, known=True):
    """Plays epochs of `steps` steps of one second and 8 samples."""
    model = model or Model()
    progress.set_model(model)
    progress.set_params({"epochs": epochs, "steps": steps if known else None})
    progress.on_train_begin()
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for first in range(0, steps, per_call):
            clock.now += per_call
            model.samples_seen += 8 * per_call
            logs = {"discriminator_loss": 1.23456, "generator_loss": 0.5, "real_logits": 7.0}
            progress.on_train_batch_end(first + per_call - 1, logs)
        progress.on_epoch_end(epoch, logs)


def test_log_files_get_one_line_an_epoch(clock):
    stream = io.StringIO()
    run(Progress(stream=stream), clock)
    assert stream.getvalue().splitlines() == [
        "epoch 1/2  10/10  discriminator_loss 1.235  generator_loss 0.5  8.0 images/s  0:10 left",
        "epoch 2/2  10/10  discriminator_loss 1.235  generator_loss 0.5  8.0 images/s  0:00 left",
    ]


def test_terminals_see_the_running_epoch(clock):
    screen = Screen()
    run(Progress(stream=screen), clock, epochs=1)
    updates = screen.getvalue().split("\r")
    assert len(updates) == 1 + 10 + 1
    assert updates[3].startswith("epoch 1/1  3/10") and updates[3].rstrip().endswith("0:07 left")
    assert screen.getvalue().count("\n") == 1
    # A shorter line wipes out the longer one before it.
    assert len(updates[-1].rstrip("\n")) >= len(updates[-2].rstrip())


def test_the_first_step_counts_for_nothing(clock):
    """It builds the graph: told by it, a training of 25 minutes takes 15 hours."""
    screen, model = Screen(), Model()
    progress = Progress(stream=screen)
    progress.set_model(model)
    progress.set_params({"epochs": 2, "steps": 10})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    for number in range(10):
        clock.now += 1 if number else 500
        model.samples_seen += 8
        progress.on_train_batch_end(number, {})
    progress.on_epoch_end(0, {})
    clock.now += 9  # a sheet of samples
    progress.on_epoch_begin(1)
    clock.now += 1
    progress.on_train_batch_end(0, {})
    lines = [line.strip() for line in screen.getvalue().split("\r")]
    assert [line.rpartition("  ")[2] for line in lines[1:4]] == ["estimating the time left"] * 2 + ["0:17 left"]
    assert lines[3].startswith("epoch 1/2  3/10  8.0 images/s")
    assert lines[11] == "epoch 1/2  10/10  8.0 images/s  0:10 left"
    assert lines[12].endswith("0:17 left")  # 19 seconds for ten steps, the sheet included


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_streams_that_lack_letters_or_readers(clock, encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    run(Progress(losses=["↓"], stream=stream), clock, epochs=1)
    model = Model()
    model.media = Image((4, 4, 1))
    model.media.plural = "Bilder ⟶ \udcff"
    run(Progress(stream=stream), clock, model, epochs=1)
    assert rb"Bilder \u27f6 \udcff/s" in raw.getvalue()


def test_a_reader_that_is_gone_ends_nothing(clock):
    """`kerasgan train ... | head -1` trains on."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        run(Progress(stream=stream), clock)
    assert clock.now == 120


def test_several_steps_per_execution(clock):
    stream = io.StringIO()
    run(Progress(stream=stream), clock, per_call=5)
    assert "epoch 1/2  10/10" in stream.getvalue() and "8.0 images/s" in stream.getvalue()


def test_unknown_length(clock):
    screen = Screen()
    run(Progress(stream=screen), clock, known=False)
    updates = screen.getvalue().split("\r")
    assert "left" not in updates[3] and "  3  " in updates[3]
    assert updates[14].rstrip().endswith("0:07 left")  # by the pace of the first epoch


def test_models_that_count_no_samples(clock):
    class Plain:
        def __setattr__(self, name, value):
            pass

        samples_seen = None

    stream = io.StringIO()
    progress = Progress(losses=["real_logits"], stream=stream)
    model = Plain()
    progress.set_model(model)
    progress.set_params({"epochs": 1, "steps": 2})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    clock.now += 1
    progress.on_train_batch_end(1, {"real_logits": 7.0})
    progress.on_epoch_end(0, {"real_logits": 7.0})
    assert stream.getvalue() == "epoch 1/1  2/2  real_logits 7  2 steps/s  0:00 left\n"


def test_an_earlier_part_of_a_longer_training(clock):
    stream = io.StringIO()
    run(Progress(epochs=4, stream=stream), clock, epochs=1)
    assert re.match(r"epoch 1/4 .* 0:30 left", stream.getvalue())


def test_the_rest_of_an_epoch(clock):
    stream = io.StringIO()
    run(Progress(epochs=3, steps=10, stream=stream), clock, epochs=1, steps=4)
    assert re.match(r"epoch 1/3  10/10 .* 0:20 left", stream.getvalue())  # two whole epochs, not two of four steps


def test_clock():
    assert [_clock(s) for s in (0.4, 59.6, 3599, 3600, 90061)] == ["0:00", "1:00", "59:59", "1:00:00", "25:01:01"]
