"""What goes wrong around a run: each time a clear message, and the same command then goes on to the same end."""

import csv
import pathlib

import numpy as np
import pytest

from kerasgan import runs
from kerasgan.callbacks import Checkpoint, log, throughput
from kerasgan.callbacks.events import Events
from kerasgan.media import Image
from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="small",
    gan_type="vanilla_gan",
    model={"image_shape": [8, 8, 1], "units": 8, "maxout_units": 8},
    data={"reader": "images", "size": 8, "channels": 1},
    batch_size=4,
    epochs=3,
    seed=3,
)
FULL = OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pictures.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (17, 8, 8), dtype="uint8"))
    return path


@pytest.fixture(scope="module")
def undisturbed(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    runs.train(RECIPE, pictures, folder, minutes=0, tensorboard=True)
    return folder


def assert_same_end(run, other):
    one, two = (Checkpoint.load(folder)[0] for folder in (run, other))
    pairs = zip(one.variables, two.variables, strict=True)
    assert all(np.array_equal(np.array(a), np.array(b)) for a, b in pairs)
    timed = {"seconds", *throughput.NAMES}
    rows = [[{n: v for n, v in r.items() if n not in timed} for r in log.read(f / "log.csv")] for f in (run, other)]
    assert rows[0] == rows[1] and len(rows[0]) == RECIPE.epochs
    sheets = [{path.name: path.read_bytes() for path in (f / "samples").iterdir()} for f in (run, other)]
    assert sheets[0] == sheets[1]


def failing(function, number, error=FULL):
    """The function, whose call of this number, counted from 0, fails."""
    calls = iter(range(number, -1, -1))

    def call(*args, **kwargs):
        if next(calls, None) == 0:
            raise error
        return function(*args, **kwargs)

    return call


@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [(csv.DictWriter, "writerows", 1), (Image, "save", 1), (Image, "animate", 0), (Events, "write", 1)],
    ids=["log", "sheet", "animation", "events"],
)
def test_disk_full_while_other_files_are_written(owner, name, number, pictures, undisturbed, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing(getattr(owner, name), number))
        with pytest.raises(OSError, match="The training in .* stopped: .*No space left .* goes on from there: again"):
            runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True, command="again")
    assert Checkpoint.load(run)[1] >= 1
    runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True)
    assert_same_end(run, undisturbed)


def test_a_folder_that_becomes_unwritable(pictures, undisturbed, tmp_path, monkeypatch):
    run, refused = tmp_path / "run", PermissionError(13, "Permission denied")
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", failing(Checkpoint.save, 1, refused))
        with pytest.raises(OSError, match="stopped: .*Permission denied.* last checkpoint is whole"):
            runs.train(RECIPE, pictures, run, minutes=0)
    runs.train(RECIPE, pictures, run, minutes=0)
    assert_same_end(run, undisturbed)


def test_a_folder_that_cannot_be_written(pictures, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="out: .*file' is a file"):
        runs.train(RECIPE, pictures, tmp_path / "file" / "run")

    def read_only(**kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("kerasgan.files.tempfile.TemporaryFile", read_only)
    with pytest.raises(OSError, match="out: nothing can be written in .*Read-only file system"):
        runs.train(RECIPE, pictures, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_log_and_a_damaged_event_file(pictures, undisturbed, tmp_path):
    run = tmp_path / "run"
    runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True, epochs=2)
    (events,) = (run / "tensorboard").iterdir()
    for path in (run / "log.csv", events):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="is damaged") as warned:
        runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True, epochs=3)
    messages = " ".join(str(one.message) for one in warned)
    assert "kept as 'log.damaged.csv'" in messages and "kept as 'damaged.events" in messages
    assert [row["epoch"] for row in log.read(run / "log.csv")] == [1, 3]
    assert (run / "log.damaged.csv").is_file() and list((run / "tensorboard").glob("damaged*"))
    one, two = (Checkpoint.load(folder)[0] for folder in (run, undisturbed))
    assert all(np.array_equal(np.array(a), np.array(b)) for a, b in zip(one.variables, two.variables, strict=True))


def test_a_breakdown_in_a_run_keeps_its_batch(pictures, tmp_path, monkeypatch):
    run = tmp_path / "run"
    recipe = Recipe(**{**vars(RECIPE), "compile": {"learning_rate": 1e30}})
    with pytest.raises(FloatingPointError, match="broke down in epoch 1, .*Its batch is .*broken_batch.npz"):
        runs.train(recipe, pictures, run, minutes=0)
    with np.load(run / "broken_batch.npz", allow_pickle=False) as kept:
        assert kept["samples"].shape[1:] == (8, 8, 1)
    assert not (run / "model.keras").is_file() and pathlib.Path(run / "recipe.json").is_file()


def test_scores_and_own_callbacks_do_not_alter_a_run(pictures, undisturbed, tmp_path):
    import keras

    class Adding(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["of_my_own"] = epoch

    runs.train(RECIPE, pictures, tmp_path / "run", minutes=0, score="swd", score_every=2, watchers=[Adding()])
    one, two = (Checkpoint.load(folder)[0] for folder in (tmp_path / "run", undisturbed))
    assert all(np.array_equal(np.array(a), np.array(b)) for a, b in zip(one.variables, two.variables, strict=True))
    rows = log.read(tmp_path / "run" / "log.csv")
    assert [row["of_my_own"] for row in rows] == [0, 1, 2]
    assert ["score_swd" in row for row in rows] == [False, True, True]
    assert (tmp_path / "run" / "best.keras").is_file() and (tmp_path / "run" / "scores.json").is_file()


def test_an_unknown_score_fails_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match="metrics=.'nope'.*expected some of"):
        runs.train(RECIPE, tmp_path / "missing", tmp_path / "run", score=["nope"])
