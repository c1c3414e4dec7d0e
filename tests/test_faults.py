"""What goes wrong around a run: each time a clear message, and the same command then goes on to the same end."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import once
import PIL.Image
import pytest

from kerasgan import registry, runs
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
    compile={"generator_optimizer": "sgd", "discriminator_optimizer": "sgd"},  # which are traced soonest
    epochs=3,
    seed=3,
)
BUILD = registry.build
FULL = OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pictures.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (17, 8, 8), dtype="uint8"))
    return path


@once.traced_once
def new(recipe, **options):
    return BUILD(recipe, **options)


@pytest.fixture(scope="module", autouse=True)
def traced_once():
    """New trainings share a model whose step was traced before; those that go on load theirs from a file."""
    with pytest.MonkeyPatch.context() as patch:
        parts = ("name", "gan_type", "model", "compile", "seed", "dtype")

        def build(recipe, **options):
            return new(Recipe(**{part: getattr(recipe, part) for part in parts}), **options)

        patch.setattr(registry, "build", build)
        yield


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


REFUSED = PermissionError(13, "Permission denied")
FAULTS = {  # what fails, and at which call after the training went on
    "log": (log.Log, "_write", 1, FULL),  # in the second epoch
    "sheet": (Image, "save", 0, FULL),
    "events": (Events, "write", 0, FULL),
    "checkpoint": (Checkpoint, "save", 0, REFUSED),
    "animation": (Image, "animate", 0, FULL),  # after the last one
}


def test_files_that_cannot_be_written_one_after_the_other(pictures, undisturbed, tmp_path, monkeypatch):
    """A full disk, then a folder that becomes unwritable: the training goes on to the same end each time."""
    run = tmp_path / "run"
    for fault, (owner, name, number, error) in FAULTS.items():
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing(getattr(owner, name), number, error))
            said = (
                f"The training in .* stopped: .*{error.strerror}.* last checkpoint is whole: .* goes on from there: x"
            )
            with pytest.raises(OSError, match=said):
                runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True, command="x")
        assert Checkpoint.load(run)[1] == (3 if fault == "animation" else 1), fault
    runs.train(RECIPE, pictures, run, minutes=0, tensorboard=True)
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
    recipe = Recipe(**{**vars(RECIPE), "compile": {**RECIPE.compile, "learning_rate": 1e30}})
    with pytest.raises(FloatingPointError, match="broke down in epoch 1, .*Its batch is .*broken_batch.npz"):
        runs.train(recipe, pictures, run, minutes=0)
    with np.load(run / "broken_batch.npz", allow_pickle=False) as kept:
        assert kept["samples"].shape[1:] == (8, 8, 1)
    assert not (run / "model.keras").is_file() and pathlib.Path(run / "recipe.json").is_file()


def test_scores_and_own_callbacks_do_not_alter_a_run(pictures, undisturbed, tmp_path):
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


# Data that changes ---------------------------------------------------------------------------------------------------

FILES = dataclasses.replace(RECIPE, data={**RECIPE.data, "cache": False})


@pytest.fixture
def folder(tmp_path):
    """A folder of 16 small pictures."""
    (tmp_path / "pictures").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype="uint8")):
        PIL.Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i:02}.png")
    return tmp_path / "pictures"


class AfterEpoch(keras.callbacks.Callback):
    """Does something once, when the first epoch has ended."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.do()


def test_files_that_are_cut_deleted_and_added_while_it_trains(folder, tmp_path):
    run, whole = tmp_path / "run", (folder / "03.png").read_bytes()
    deleted = (folder / "05.png").read_bytes()

    def change():
        (folder / "03.png").write_bytes(whole[: len(whole) // 2])
        (folder / "05.png").unlink()
        (folder / "99.png").write_bytes(whole)

    epochs = 40  # some are read ahead, before the change
    with pytest.warns(UserWarning, match="another sample takes its place") as warned:
        runs.train(FILES, folder, run, epochs=epochs, watchers=[AfterEpoch(change)])
    messages = [str(one.message) for one in warned if "another sample" in str(one.message)]
    assert sorted(message[:6] for message in messages) == ["03.png", "05.png"]
    gan, epoch, _ = Checkpoint.load(run)
    assert epoch == epochs and int(gan.samples_seen) == epochs * 16  # no step was left out
    assert [row["epoch"] for row in log.read(run / "log.csv")] == list(range(1, epochs + 1))

    with pytest.raises(ValueError, match="as many, but other samples"):  # it goes on with what it began with only
        runs.train(FILES, folder, run, epochs=epochs + 1)
    (folder / "03.png").write_bytes(whole)
    (folder / "05.png").write_bytes(deleted)
    (folder / "99.png").unlink()
    runs.train(FILES, folder, run, epochs=epochs + 1)
    assert Checkpoint.load(run)[1] == epochs + 1


@pytest.mark.filterwarnings("ignore:.*another sample takes its place")
def test_a_folder_that_disappears_while_it_trains(folder, tmp_path):
    run, away = tmp_path / "run", tmp_path / "away"
    arguments = [FILES, folder, run]
    leave = AfterEpoch(lambda: folder.rename(away))
    with pytest.raises(
        runs.DataLost, match="stopped: 20 samples in a row.*Is the data still there.*: again"
    ) as stopped:
        runs.train(*arguments, epochs=1000, minutes=0, command="again", watchers=[leave])
    assert "Traceback" not in str(stopped.value) and "disk" not in str(stopped.value)
    epoch = Checkpoint.load(run)[1]
    assert epoch >= 1
    away.rename(folder)
    runs.train(*arguments, epochs=epoch + 1)
    assert Checkpoint.load(run)[1] == epoch + 1


@pytest.mark.parametrize("cache", [True, False])
def test_files_that_change_between_a_stop_and_going_on(cache, folder, tmp_path):
    recipe = dataclasses.replace(RECIPE, data={**RECIPE.data, "cache": cache})
    run, kept = tmp_path / "run", tmp_path / "kept"
    runs.train(recipe, folder, run, epochs=1)
    shutil.copytree(folder, kept)
    before = (run / "model.keras").read_bytes()

    def delete():
        (folder / "07.png").unlink()

    def add():
        shutil.copy(folder / "07.png", folder / "99.png")

    def replace():
        PIL.Image.fromarray(np.zeros((9, 9), "uint8")).save(folder / "07.png")

    for change, message in (
        (delete, "16 samples then, 15 now"),
        (add, "16 samples then, 17 now"),
        (replace, "as many, but other samples"),
    ):
        change()
        with pytest.raises(ValueError, match=f"is not what .* was trained on.*{message}.*give the same data"):
            runs.train(recipe, folder, run, epochs=2)
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
    assert (run / "model.keras").read_bytes() == before
    runs.train(recipe, folder, run, epochs=1)  # the same data are taken


def test_a_step_of_more_batches_than_there_are_in_an_epoch(pictures, tmp_path):
    """It takes them from the next pass, and goes on with what comes then; an epoch is one step."""
    recipe = dataclasses.replace(RECIPE, compile={**RECIPE.compile, "discriminator_steps": 5})
    runs.train(recipe, pictures, tmp_path / "whole")
    runs.train(recipe, pictures, tmp_path / "run", limit_steps=1)
    runs.train(recipe, pictures, tmp_path / "run")
    assert_same_end(tmp_path / "run", tmp_path / "whole")
    assert int(Checkpoint.load(tmp_path / "run")[0].samples_seen) == 3 * 5 * 4  # of 17 pictures


# Commands that contradict each other, or themselves -------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_process_refuses_and_the_first_goes_on(pictures, tmp_path):
    run = tmp_path / "run"
    values, places = vars(RECIPE), (str(pictures), str(run))
    code = f"from kerasgan import registry, runs; runs.train(registry.Recipe(**{values!r}), *{places!r})"
    others = []

    def start_another():
        others.append(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True))

    runs.train(RECIPE, pictures, run, watchers=[AfterEpoch(start_another)])
    assert [other.returncode for other in others] == [1]
    assert re.search("OSError: out=.*: another process is training there", others[0].stderr)
    assert [row["epoch"] for row in log.read(run / "log.csv")] == [1, 2, 3] and Checkpoint.load(run)[1] == 3


def test_differences_of_another_recipe_are_named_one_by_one(undisturbed, pictures):
    adam = {"class_name": "Adam", "config": {"learning_rate": 1e-3}}
    other = dataclasses.replace(
        RECIPE,
        seed=4,
        model={**RECIPE.model, "units": 9},
        compile={"learning_rate": 0.001, "generator_optimizer": adam},
        data={"reader": "images", "size": 8},
    )
    before = (undisturbed / "recipe.json").read_bytes()
    with pytest.raises(ValueError) as refused:
        runs.train(other, pictures, undisturbed)
    inside = str(refused.value).partition("(")[2].rpartition(")")[0]
    assert inside.split("; ") == [
        "compile.discriminator_optimizer: there 'sgd', now nothing given",
        f"compile.generator_optimizer: there 'sgd', now {adam}",
        "compile.learning_rate: there nothing given, now 0.001",
        "data.channels: there 1, now nothing given",
        "model.units: there 8, now 9",
        "seed: there 3, now 4",
    ]
    assert (undisturbed / "recipe.json").read_bytes() == before


def test_a_schedule_that_goes_below_zero_is_refused_before_anything_is_written(pictures, tmp_path):
    falling = keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(1e-3, 100, -1e-3))
    for compile, message in (
        ({"learning_rate": "linear(2e-4, -1e-5, 1000)"}, "end=-1e-05 of a linear schedule: expected a number of 0"),
        (
            {"generator_optimizer": keras.saving.serialize_keras_object(falling)},
            "the generator's optimizer, a PolynomialDecay, is -0.001 after 100 updates",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            runs.train(dataclasses.replace(RECIPE, compile=compile), pictures, tmp_path / "run")
    assert not (tmp_path / "run").exists()
