"""Sample sheets of the same latents, and their animation."""

import numpy as np
import PIL.Image
import pytest

from kerasgan.callbacks import SampleGrid, sample_grid
from kerasgan.media import Arrays, Image


class Painter:
    """Stands for a GAN: its samples are as bright as it was trained long."""

    def __init__(self, media):
        self.media = media
        self.samples_seen = np.array(0)
        self.brightness = 0
        self.asked = []

    def save_preview(self, path, count, seed):
        self.asked.append((count, seed))
        return self.media.save_sheet(np.full((count, *self.media.shape), self.brightness, "uint8"), path)


def run(grid, painter, epochs, first=0):
    grid.set_model(painter)
    grid.on_train_begin()
    for epoch in range(first, epochs):
        painter.brightness = epoch + 1
        grid.on_epoch_end(epoch, {})
    grid.on_train_end()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def brightness(path):
    return int(np.array(PIL.Image.open(path))[0, 0])


def frames(path):
    with PIL.Image.open(path) as movie:
        return movie.n_frames


def test_a_sheet_every_epoch_and_an_animation(tmp_path):
    painter = Painter(Image((4, 4, 1)))
    run(SampleGrid(tmp_path / "samples", count=4, seed=3), painter, 3)
    folder = tmp_path / "samples"
    assert names(folder) == ["animation.gif", "epoch_0001.png", "epoch_0002.png", "epoch_0003.png"]
    assert set(painter.asked) == {(4, 3)}
    assert [brightness(folder / f"epoch_000{i}.png") for i in (1, 2, 3)] == [1, 2, 3]
    assert frames(folder / "animation.gif") == 3


def test_sheets_in_the_middle_of_long_epochs(tmp_path, monkeypatch):
    """Of ten batches a minute, every three minutes; the end of an epoch has one in any case."""
    minute = iter(range(100))
    monkeypatch.setattr(sample_grid.time, "monotonic", lambda: 6.0 * next(minute))
    painter, grid = Painter(Image((4, 4, 1))), SampleGrid(tmp_path, count=4, minutes=3)
    grid.set_model(painter)
    grid.on_train_begin()
    for epoch in range(2):
        grid.on_epoch_begin(epoch)
        for batch in range(35):
            painter.samples_seen = np.array(8 * (35 * epoch + batch + 1))
            painter.brightness = int(painter.samples_seen) // 8
            grid.on_train_batch_end(batch)
        grid.on_epoch_end(epoch)
    grid.on_train_end()
    sheets = ["epoch_0001.png", "epoch_0001_samples_240.png", "epoch_0002.png", "epoch_0002_samples_520.png"]
    assert names(tmp_path) == ["animation.gif", *sheets]
    with PIL.Image.open(tmp_path / "animation.gif") as movie:  # in the order in which they came
        shades = []
        for number in range(movie.n_frames):
            movie.seek(number)
            shades.append(np.array(movie.convert("L"))[0, 0])
    assert len(shades) == 4 and shades == sorted(shades)
    with pytest.raises(ValueError, match="minutes is 0; expected more than 0"):
        SampleGrid(tmp_path, minutes=0)


def test_going_on_keeps_earlier_sheets(tmp_path):
    painter = Painter(Image((4, 4, 1)))
    run(SampleGrid(tmp_path, count=4), painter, 2)
    (tmp_path / "epoch_mine.png").write_text("not a sheet")
    run(SampleGrid(tmp_path, count=4), painter, 4, first=2)
    assert brightness(tmp_path / "epoch_0001.png") == 1
    assert frames(tmp_path / "animation.gif") == 4


def test_the_last_epoch_gets_a_sheet_in_any_case(tmp_path):
    run(SampleGrid(tmp_path, count=4, every=3), Painter(Image((4, 4, 1))), 7)
    assert names(tmp_path) == ["animation.gif", "epoch_0003.png", "epoch_0006.png", "epoch_0007.png"]


def test_media_without_animation(tmp_path):
    run(SampleGrid(tmp_path, count=4), Painter(Arrays((3,))), 2)
    assert names(tmp_path) == ["epoch_0001.npy", "epoch_0002.npy"]


def test_nothing_trained_nothing_written(tmp_path):
    run(SampleGrid(tmp_path / "samples"), Painter(Image((4, 4, 1))), 0)
    assert not (tmp_path / "samples").exists()


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="count is 0"):
        SampleGrid(tmp_path, count=0)
    with pytest.raises(ValueError, match="every is 0"):
        SampleGrid(tmp_path, every=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        SampleGrid(tmp_path / "file").on_train_begin()
