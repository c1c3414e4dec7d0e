"""The table of a training."""

import re

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
    rows = [line.split(",") for line in lines[1:]]
    seconds = [float(row.pop(2)) for row in rows]
    assert rows == [["1", "100", "1.5", "0.123457"], ["2", "200", "1.5", "0.123457"]]
    assert 0 <= seconds[0] <= seconds[1] < 60


def test_going_on_replaces_what_is_trained_again(tmp_path):
    path = tmp_path / "log.csv"
    run(path, 0, 3, 1.0)
    path.write_text(re.sub(r"^2,200,[^,]+", "2,200,60.5", path.read_text(), flags=re.MULTILINE))
    run(path, 2, 4, 2.0)
    rows = read(path)
    assert [(row["epoch"], row["discriminator_loss"]) for row in rows] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]
    assert rows[-1]["seconds"] >= 60.5


def test_a_log_that_cannot_be_written(tmp_path):
    with pytest.raises(IsADirectoryError):
        Log(tmp_path).on_train_begin()
    assert read(tmp_path / "none.csv") == []


def damaged(kind):
    """(content of a log of three epochs that something has happened to, epochs before the damage)."""
    lines = ["epoch,samples,seconds,discriminator_loss,generator_loss"]
    lines += [f"{epoch},{100 * epoch},{epoch}.5,1.0,0.123457" for epoch in (1, 2, 3)]
    text = "\r\n".join([*lines, ""])
    return {
        "cut line": (text[:-14].encode(), [1, 2]),
        "cut number": (text[:-4].encode(), [1, 2]),
        "bytes": (text.replace("200,", "2\0x").encode() + b"\xff\xfe\x00", [1]),
        "words": (text.replace("2.5", "two").encode(), [1]),
        "endless": (text.replace("\n2,", "\ninf,").encode(), [1]),
        "other columns": (b"name,size\r\na,1\r\n", []),
        "more columns": (text.replace("300,", "300,7,").encode(), [1, 2]),
        "empty": (b"", []),
        "no text": (bytes(range(256)), []),
    }[kind]


KINDS = ["cut line", "cut number", "bytes", "words", "endless", "other columns", "more columns", "empty", "no text"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_log_is_kept_and_training_goes_on(tmp_path, kind):
    path = tmp_path / "log.csv"
    content, before = damaged(kind)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="log.csv' is damaged in line"):
        read(path)
    with pytest.warns(UserWarning, match="damaged in line .* kept as 'log.damaged.csv'"):
        run(path, 3, 5, 2.0)
    assert (tmp_path / "log.damaged.csv").read_bytes() == content
    assert [row["epoch"] for row in read(path)] == [*before, 4, 5]
    assert read(path)[-1]["discriminator_loss"] == 2.0
