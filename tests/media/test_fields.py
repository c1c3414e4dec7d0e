"""Sequences of smoke: conversions, files, pictures."""

import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan.media import Fields


def some(count=2, frames=4, height=6, width=8):
    fields = np.random.default_rng(0).uniform(-2, 2, (count, frames, height, width, 3)).astype("float32")
    fields[..., 0] = np.abs(fields[..., 0]) / 2
    return fields


def test_density_is_not_negative_velocity_may_be():
    given = some()
    given[0, 0, 0, 0] = -0.25, -0.5, -1
    natural = Fields((4, 6, 8)).to_natural(given)
    np.testing.assert_array_equal(natural[0, 0, 0, 0], [0, -0.5, -1])
    assert given[0, 0, 0, 0, 0] == -0.25  # what was given stays
    with pytest.raises(ValueError, match="NaN"):
        Fields((4, 6, 8)).to_natural(np.full((1, 4, 6, 8, 3), np.nan))


def test_npz_is_what_the_reader_reads(tmp_path):
    given, medium = some(3), Fields((4, 6, 8))
    for count in (1, 3):
        path = kerasgan.save_samples(given[:count], tmp_path / f"{count}.npz")
        with np.load(path) as found:
            assert found["density"].shape == ((3,) if count == 3 else ()) + (4, 6, 8)
            np.testing.assert_array_equal(found["velocity"].reshape(-1, 4, 6, 8, 2), given[:count, ..., 1:])
    again = kerasgan.data.fields(tmp_path / "1.npz", 6, 1, frames=4, per_sequence=1, flip=False, rotate=False)
    tile = next(iter(again)).numpy()[0]
    assert any(np.array_equal(tile, given[0, :, :, first : first + 6]) for first in range(3))
    medium.check(given)


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_an_animation_has_every_frame(tmp_path, ending):
    given = np.zeros((2, 5, 6, 8, 3), "float32")
    for frame in range(5):
        given[:, frame, :, :, 0] = frame / 4
    path = Fields((5, 6, 8), "grey").save(given, tmp_path / f"smoke{ending}", columns=2)
    with PIL.Image.open(path) as picture:
        assert picture.n_frames == 5 and picture.size == (2 * 8 + 2, 6)
        for frame in range(5):
            picture.seek(frame)
            assert np.asarray(picture.convert("L"))[0, 0] == pytest.approx(255 * frame / 4, abs=1)


def test_a_sheet_shows_the_first_to_the_last_frame():
    given = np.zeros((1, 11, 6, 8, 3), "float32")
    given[..., 0] = (np.arange(11) / 10)[:, None, None]
    sheet = Fields((11, 6, 8), "grey").sheet(given)
    assert sheet.shape == (6, 6 * 8, 3)
    np.testing.assert_array_equal(sheet[0, ::8, 0], np.rint(255 * np.array([0, 2, 4, 6, 8, 10]) / 10))
    bright = Fields((11, 6, 8)).sheet(given)
    assert (np.diff(bright[0, ::8].astype(int).sum(axis=-1)) > 0).all() and bright[0, 0].sum() < 15


def test_what_does_not_fit_is_refused(tmp_path):
    medium = Fields((4, 6, 8))
    for wrong, message in (
        ({"shape": (4, 6)}, r"shape=\(4, 6\): expected \(frames, height, width\)"),
        ({"shape": (4, 6, 8), "colors": "jet"}, "colors='jet': expected 'magma' or 'grey'"),
    ):
        with pytest.raises(ValueError, match=message):
            Fields(**wrong)
    with pytest.raises(ValueError, match=r"expected floats \(count, 4, 6, 8, 3\)"):
        medium.save(some()[0], tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"Read the sequences with size=8 and frames=4"):
        medium.check(some(height=4))
    with pytest.raises(ValueError, match=r"sequences\[None\]"):
        medium.check(some()[0])
    with pytest.raises(ValueError, match="at most 600"):
        Fields((601, 1, 1)).save(np.zeros((1, 601, 1, 1, 3)), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
