"""The table of a training."""

import pytest

from kerasgan.callbacks import Log
from kerasgan.callbacks.log import read


class Model:
    samples_seen = 0


def run(path, first, last, loss):
    log, model = Log(path), Model()
    log.set_model(model)
    log.on_train_begin()
    for epoch in range(first, last):
        log.on_epoch_begin(epoch)
        model.samples_seen = 100 * (epoch + 1)
        log.on_epoch_end(epoch, {"discriminator_loss": loss, "generator_loss": 0.1234567})


def test_one_line_an_epoch(tmp_path):
    run(tmp_path / "new" / "log.csv", 0, 2, 1.5)
    lines = (tmp_path / "new" / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,samples,seconds,discriminator_loss,generator_loss"
    assert [line.split(",") for line in lines[1:]] == [
        ["1", "100", "0.0", "1.5", "0.123457"],
        ["2", "200", "0.0", "1.5", "0.123457"],
    ]


def test_going_on_replaces_what_is_trained_again(tmp_path):
    path = tmp_path / "log.csv"
    run(path, 0, 3, 1.0)
    path.write_text(path.read_text().replace("200,0.0", "200,60.5"))
    run(path, 2, 4, 2.0)
    rows = read(path)
    assert [(row["epoch"], row["discriminator_loss"]) for row in rows] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]
    assert rows[-1]["seconds"] >= 60.5


def test_a_log_that_cannot_be_written(tmp_path):
    with pytest.raises(IsADirectoryError):
        Log(tmp_path).on_train_begin()
    assert read(tmp_path / "none.csv") == []
