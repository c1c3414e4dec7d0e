"""Tiles of smoke from files and arrays."""

import sys
import zipfile

import numpy as np
import pytest

import kerasgan
from kerasgan.advection import advect
from kerasgan.data.fields import places_with, sequences, turned


def sequence(frames=5, size=16, seed=0, dtype="float32"):
    """Every value tells its frame, row, column and channel; smoke everywhere."""
    random = np.random.default_rng(seed)
    found = random.uniform(-1, 1, (frames, size, size, 3)).astype(dtype)
    found[..., 0] = np.abs(found[..., 0])
    return found


def save(path, fields):
    np.savez_compressed(path, density=fields[..., 0], velocity=fields[..., 1:])


def read(source, **options):
    """All tiles of an epoch as they are."""
    options = {"flip": False, "rotate": False, "shuffle": False, "seed": 1, "per_sequence": 4, **options}
    tiles = [batch.numpy() for batch in kerasgan.data.fields(source, 8, 1, **options)]
    return np.concatenate(tiles)


def where(tile, fields):
    """(frame, row, column) at which a tile was cut out of fields, or None."""
    frames, height, width, _ = tile.shape
    for place in np.argwhere(fields[..., 0] == tile[0, 0, 0, 0]):
        frame, row, column = place
        if np.array_equal(fields[frame : frame + frames, row : row + height, column : column + width], tile):
            return tuple(place)
    return None


def test_tiles_are_cut_from_files_folders_zips_and_arrays(tmp_path):
    folder = tmp_path / "smoke"
    folder.mkdir()
    kept = [sequence(seed=1), sequence(seed=2, dtype="float16").astype("float32")]
    save(folder / "a.npz", kept[0])
    save(folder / "b.npz", kept[1].astype("float16"))
    (folder / "notes.txt").write_text("no data")
    with zipfile.ZipFile(tmp_path / "smoke.zip", "w") as archive:
        for path in folder.glob("*.npz"):
            archive.write(path, path.name)
    for source in (folder, tmp_path / "smoke.zip", np.stack(kept), [folder / "a.npz", folder / "b.npz"]):
        tiles = read(source)
        assert tiles.shape == (8, 3, 8, 8, 3) and tiles.dtype == np.float32
        places = [where(tile, kept[number % 2]) for number, tile in enumerate(tiles)]
        assert None not in places and len(set(places)) > 3
    assert list(sequences(folder)) == ["a", "b"]
    np.testing.assert_array_equal(sequences(folder)["b"], kept[1])


def test_a_file_may_hold_several_sequences(tmp_path):
    both = np.stack([sequence(seed=1), sequence(seed=2)])
    save(tmp_path / "a.npz", both)
    found = {next(n for n in (0, 1) if where(tile, both[n])) for tile in read(tmp_path, per_sequence=16)}
    assert found == {0, 1}
    assert list(sequences(tmp_path)) == ["a_0", "a_1"]


def test_only_tiles_with_smoke_are_taken():
    density = np.zeros((1, 6, 16, 24))
    density[0, 3, 10:14, 4:8] = 0.5  # 16 cells, 8 in all
    places = places_with(density, (3, 8, 8), 8 / 64)
    assert {tuple(place) for place in places} == {(0, 2, row, column) for row in (6, 7, 8) for column in range(5)}
    every = [
        (0, frame, row, column)
        for frame in range(4)
        for row in range(9)
        for column in range(17)
        if density[0, frame + 1, row : row + 8, column : column + 8].mean() >= 0.01
    ]
    assert list(map(tuple, places_with(density, (3, 8, 8), 0.01))) == every


def test_velocities_turn_with_what_they_carry():
    """What flows and is turned is what is turned and flows."""
    tile = sequence(1, 9)
    tile[..., 1:] *= 2
    moved = np.concatenate([advect(tile[0], tile[0, ..., 1:])[None, ..., :1], tile[..., 1:]], axis=-1)
    for quarters in range(4):
        for mirrored in (False, True):
            one = turned(tile, quarters, mirrored)
            again = advect(one[0, ..., 0], one[0, ..., 1:])
            np.testing.assert_allclose(again, turned(moved, quarters, mirrored)[0, ..., 0], atol=1e-6)
    np.testing.assert_array_equal(turned(tile, 1, False)[..., 0], np.rot90(tile[..., 0], axes=(1, 2)))


def test_epochs_are_repeatable_and_go_on_where_they_stopped():
    data = np.stack([sequence(seed=n) for n in range(3)])
    options = {"per_sequence": 4, "seed": 7}
    dataset = kerasgan.data.fields(data, 8, 4, **options)
    assert dataset.count == 12 and dataset.model_arguments == {"size": 8}
    batches = [batch.numpy() for batch in dataset.endless().take(6)]
    again = [batch.numpy() for batch in kerasgan.data.fields(data, 8, 4, **options).endless(start=4).take(2)]
    np.testing.assert_array_equal(batches[4:], again)
    assert not np.array_equal(batches[0], batches[3])
    assert kerasgan.data.fields(data + 1, 8, 4, **options).fingerprint != dataset.fingerprint


def broken(tmp_path):
    """{name of a file: what is said of it}."""
    good = sequence()
    late = good.copy()
    late[4, 3, 2, 1] = np.nan
    save(tmp_path / "nan.npz", late)
    save(tmp_path / "short.npz", good[:2])
    save(tmp_path / "small.npz", good[:, :7])
    save(tmp_path / "black.npz", 0 * good)
    save(tmp_path / "negative.npz", good - np.float32([1, 0, 0]))
    np.savez(tmp_path / "alone.npz", density=good[..., 0])
    np.savez(tmp_path / "other.npz", density=good[..., 0], velocity=good)
    np.savez(tmp_path / "whole.npz", density=np.ones((5, 16, 16), int), velocity=good[..., 1:])
    np.savez(tmp_path / "pickled.npz", density=np.array([None]), velocity=good[..., 1:])
    whole = (tmp_path / "short.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    return {
        "nan": "NaN",
        "short": "2 frames of 16x16 cells, of which no tile of 3 frames of 8x8",
        "small": "5 frames of 16x7 cells",
        "black": "hardly any smoke",
        "negative": "a density of -",
        "alone": "no array 'velocity' in it; it holds: density",
        "other": "and velocity of shape",
        "whole": "density of dtype int64, where floats are expected",
        "pickled": "",
        "cut": "not a .npz file",
        "empty": "not a .npz file",
    }


def test_files_that_cannot_be_used_are_named(tmp_path):
    expected = broken(tmp_path)
    for name, reason in expected.items():
        with pytest.raises(ValueError, match=rf"{name}.npz.*{reason}"):
            read(tmp_path / f"{name}.npz")
    save(tmp_path / "good.npz", sequence())
    with pytest.warns(UserWarning, match=f"{len(expected)} of {len(expected) + 1} items"):
        assert len(read(tmp_path)) == 4


def test_what_is_too_large_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["kerasgan.data.fields"], "MOST_BYTES", 2**16)
    save(tmp_path / "large.npz", sequence(size=64))
    with pytest.raises(ValueError, match=r"large.npz: 82,048 bytes of density; up to 65,536 are read: divide the file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 0}, "frames=0 must be a whole number of at least 1"),
        ({"per_sequence": 1.5}, "per_sequence=1.5"),
        ({"least_density": "much"}, "least_density='much' must be a number"),
        ({"flip": "yes"}, "flip='yes' must be one of True, False"),
        ({"subset": "train"}, "subset='train' means nothing where source is an array"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        read(sequence()[None], **options)


def test_sources_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match=r"expected floats \(sequences, frames, height, width, 3\)"):
        read(sequence())
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read(tmp_path / "no")
