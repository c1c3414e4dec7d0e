"""Event files for TensorBoard."""

import os

import numpy as np
import pytest
import tensorflow as tf
from points import POINTS, small_gan

from kerasgan.callbacks import EventLog
from kerasgan.callbacks.events import Events
from kerasgan.media import Image


def points(folder):
    """{tag: [(step, number, or encoded picture)]} of all event files in a folder, in the order of steps."""
    found = {}
    for path in folder.glob("*tfevents*"):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                tensor = tf.make_ndarray(value.tensor)
                found.setdefault(value.tag, []).append((event.step, tensor.item() if tensor.ndim == 0 else tensor[2]))
    return {tag: sorted(values) for tag, values in found.items()}


class Painter:
    """Stands for a GAN: its samples are as bright as it was trained long."""

    media = Image((4, 4, 1))
    samples_seen = 0
    stop_training = False

    def preview(self, count, seed):
        return np.full((count, 4, 4, 1), self.samples_seen, "uint8")


def run(folder, first, last, loss=1.0, every=1):
    log, model = EventLog(folder, count=4, every=every), Painter()
    model.samples_seen = 10 * first
    log.set_model(model)
    log.on_train_begin()
    for epoch in range(first, last):
        model.samples_seen = 10 * (epoch + 1)
        log.on_epoch_end(epoch, {"generator_loss": loss + epoch})
    log.on_train_end()


def test_numbers_and_sheets_by_samples_seen(tmp_path):
    run(tmp_path / "new", 0, 3, every=2)
    found = points(tmp_path / "new")
    assert found["generator_loss"] == [(10, 1.0), (20, 2.0), (30, 3.0)]
    ((step, picture),) = found["samples"]
    sheet = tf.image.decode_png(picture).numpy()
    np.testing.assert_array_equal(sheet, Image((4, 4, 1)).sheet(np.full((4, 4, 4, 1), 20, "uint8")))
    assert step == 20


def test_going_on_leaves_no_duplicate_and_no_future_point(tmp_path):
    run(tmp_path, 0, 4, loss=1.0)
    run(tmp_path, 2, 3, loss=5.0)
    assert points(tmp_path)["generator_loss"] == [(10, 1.0), (20, 2.0), (30, 7.0)]
    assert [step for step, _ in points(tmp_path)["samples"]] == [10, 20, 30]
    assert all(path.name.startswith("events.out") for path in tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["cut", "flipped", "garbage"])
def test_a_damaged_file_is_put_aside(tmp_path, damage):
    run(tmp_path, 0, 4)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-20] ^= 255
    broken = {"cut": whole[:-7], "flipped": bytes(flipped), "garbage": b"no events at all" * 20}[damage]
    path.write_bytes(broken)
    with pytest.warns(UserWarning, match="is damaged .*; it is kept as 'damaged.events"):
        run(tmp_path, 4, 5)
    steps = [step for step, _ in points(tmp_path)["generator_loss"]]
    assert steps == ([50] if damage == "garbage" else [10, 20, 30, 40, 50])
    (aside,) = tmp_path.glob("damaged*")
    assert aside.read_bytes() == broken and "tfevents" not in aside.name


def test_samples_that_are_no_pictures(tmp_path):
    small_gan().fit(POINTS[:16], batch_size=8, epochs=2, verbose=0, callbacks=[EventLog(tmp_path)])
    assert [step for step, _ in points(tmp_path)["generator_loss"]] == [16, 32] and "samples" not in points(tmp_path)


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        run(tmp_path / "file", 0, 1)
    with pytest.raises(OSError, match="Nothing can be written in .*file"):
        Events(tmp_path / "file").write(0, {"loss": 1.0})
    with pytest.raises(ValueError, match="every is 0"):
        EventLog(tmp_path, every=0)
    with pytest.raises(ValueError, match="count is 0"):
        EventLog(tmp_path, count=0)
    assert os.listdir(tmp_path) == ["file"]
