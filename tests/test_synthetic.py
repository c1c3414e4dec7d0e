"""Synthetic training data: `kerasgan augment`, what it writes, and how it measures what that is worth."""

import json
import math
import types
import wave

import keras
import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan import cli, runs
from kerasgan.data.labelled import parts_of, reader_of
from kerasgan.media import Audio, Image, Table
from kerasgan.runs import preparing
from kerasgan.synthetic import classifier, labelled, making, measuring, statistics, table
from kerasgan.synthetic.labelled import Labelled

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL_GAN = ["--gan", "cgan", "--set", "model.units=8", "--set", "model.maxout_units=8"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 30 dogs, bright on the right, and 30 cats, bright on the left: 16x16, grey."""
    folder, random = tmp_path_factory.mktemp("data") / "pictures", np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(30):
            pixels = random.integers(0, 60, (16, 16), dtype="uint8")
            pixels[:, slice(0, 8) if name == "cats" else slice(8, 16)] += 180
            PIL.Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def quickly(monkeypatch):
    """Trainings of a few steps without graphs, by a speed that is not measured."""

    def step(model, *arguments):
        model.run_eagerly = True
        return traced(model, *arguments)

    traced = keras.Model.train_on_batch
    monkeypatch.setattr(keras.Model, "train_on_batch", step)
    monkeypatch.setattr(preparing, "samples_per_second", lambda *arguments: 100.0)
    monkeypatch.setattr(measuring, "_STEPS", 2)
    monkeypatch.setattr(measuring, "_JUDGE_STEPS", 2)


def command(capsys, *words):
    """(exit code, standard output, standard error)."""
    capsys.readouterr()
    code = cli.main(["augment", *map(str, words)])
    return code, *capsys.readouterr()


def fails(capsys, *words):
    code, _, error = command(capsys, *words)
    assert code == 2 and error.startswith("kerasgan: error: ")
    return error


# Statistics ----------------------------------------------------------------------------------------------------------


def test_students_quantiles_are_those_of_closed_forms_and_tables():
    for probability in (0.6, 0.9, 0.975, 0.999):
        cauchy = math.tan(math.pi * (probability - 0.5))
        assert statistics.t_quantile(probability, 1) == pytest.approx(cauchy, rel=1e-9)
        centred = 2 * probability - 1
        two = centred * math.sqrt(2 / (1 - centred**2))
        assert statistics.t_quantile(probability, 2) == pytest.approx(two, rel=1e-9)
    for freedom, value in ((3, 3.182446), (4, 2.776445), (5, 2.570582), (9, 2.262157), (30, 2.042272)):
        assert statistics.t_quantile(0.975, freedom) == pytest.approx(value, abs=1e-6)
        assert statistics.t_quantile(0.025, freedom) == pytest.approx(-value, abs=1e-6)
    assert statistics.t_probability(0.0, 7) == 0.5


def test_paired_interval_is_that_of_the_differences():
    before, after = [0.5, 0.6, 0.4], [0.53, 0.61, 0.42]  # differences 0.03, 0.01, 0.02: deviation 0.01
    found = statistics.paired(before, after)
    assert found.mean == pytest.approx(0.02)
    assert found.half_width == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)
    assert not found.excludes_zero and statistics.paired([0.0, 0.0, 0.0], [1.0, 1.1, 0.9]).excludes_zero
    # What differs between seeds, and not between arms, does not count.
    assert statistics.paired([0.1, 0.9], [0.2, 1.0]).half_width == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(statistics.paired([1.0], [2.0]).half_width) and not statistics.paired([1.0], [2.0]).excludes_zero
    with pytest.raises(ValueError, match="first has 1 runs, second 2"):
        statistics.paired([1.0], [1.0, 2.0])


def test_intervals_hold_the_true_mean_as_often_as_they_say():
    random = np.random.default_rng(0)
    held = [abs(one.mean - 0.3) <= one.half_width for one in (_drawn(random) for _ in range(2000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def _drawn(random):
    shared = random.normal(0, 5, 5)
    return statistics.paired(shared, shared + random.normal(0.3, 1.0, 5))


# Kinds of samples ----------------------------------------------------------------------------------------------------


def test_pictures_are_varied_and_stay_what_they_are():
    media, random = Image((16, 16, 3)), np.random.default_rng(0)
    samples = media.made_up(50, seed=0)
    varied = media.varied(samples, random)
    assert varied.dtype == np.uint8 and varied.shape == samples.shape and (varied != samples).any(axis=(1, 2, 3)).all()
    assert np.corrcoef(samples.ravel(), varied.ravel())[0, 1] > 0.5
    flat = np.full((20, 16, 16, 1), 128, "uint8")  # no edge comes in
    assert np.ptp(Image((16, 16, 1)).varied(flat, random), axis=(1, 2, 3)).max() == 0
    # Mirrored are every other one, by their lighter half.
    left = np.zeros((200, 16, 16, 1), "uint8")
    left[:, :, :8] = 255
    mirrored = Image((16, 16, 1)).varied(left, random, mirror=True)
    right = mirrored[:, :, 8:].mean(axis=(1, 2, 3)) > mirrored[:, :, :8].mean(axis=(1, 2, 3))
    assert 0.35 < right.mean() < 0.65
    seen = media.to_classifier(samples)
    assert seen.dtype == np.float32 and seen.min() >= -1 and seen.max() <= 1


def test_sounds_are_varied_and_heard_as_spectrograms():
    media, random = Audio(2048, 8000), np.random.default_rng(0)
    samples = np.sin(2 * np.pi * 1000 * np.arange(2048) / 8000).astype("float32")[None, :, None].repeat(20, axis=0)
    varied = media.varied(samples, random)
    assert varied.shape == samples.shape and varied.dtype == np.float32 and np.abs(varied).max() <= 1
    pitch = np.abs(np.fft.rfft(varied[..., 0])).argmax(axis=1) * 8000 / 2048
    assert pitch.min() > 880 and pitch.max() < 1120 and len(np.unique(pitch)) > 5
    heard = media.to_classifier(samples)
    assert heard.shape == (20, 64, 64, 1) and heard.min() >= -1 and heard.max() <= 1
    band = heard[0, :, :, 0].mean(axis=1).argmax()
    assert abs((band + 0.5) / 64 * 4000 - 1000) < 100


def test_other_kinds_are_not_classified():
    with pytest.raises(ValueError, match="no classifier of"):
        kerasgan.media.Arrays((3,)).to_classifier(np.zeros((1, 3)))
    rows = np.zeros((1, 3))
    assert kerasgan.media.Arrays((3,)).varied(rows, None) is rows
    assert Table.variations is None


# Data ----------------------------------------------------------------------------------------------------------------


def test_what_a_source_is_for_and_what_it_keeps_to_test_on(pictures, tmp_path):
    assert reader_of(pictures) == "images"
    assert parts_of(pictures) == ({"part": "train"}, {"part": "test"})
    (tmp_path / "sounds" / "Train").mkdir(parents=True)
    (tmp_path / "sounds" / "test").mkdir()
    (tmp_path / "sounds" / "Train" / "a.wav").touch()
    assert reader_of(tmp_path / "sounds") == "audio"
    assert parts_of(tmp_path / "sounds") == ({"subset": "Train"}, {"subset": "test"})
    np.savez(tmp_path / "a.npz", x_train=np.zeros(1), y_train=np.zeros(1), x_test=np.zeros(1))
    assert reader_of(tmp_path / "a.npz") == "images"
    assert parts_of(tmp_path / "a.npz") == ({"key": "x_train"}, {"key": "x_test"})
    assert parts_of(tmp_path / "a.npz", key="x_train") == ({"part": "train"}, {"part": "test"})
    with pytest.raises(FileNotFoundError, match="does not exist"):
        reader_of(tmp_path / "none")


def test_few_of_each_class_and_a_reserve_that_nobody_else_has():
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    data = Labelled(np.arange(60), labels)
    few = data.few(4, np.random.default_rng(0))
    assert np.bincount(few.labels).tolist() == [4, 4, 4] and len({*few.samples.tolist()}) == 12
    assert data.few(None, None) is data
    rest, kept = labelled.parted(data, 5)
    assert np.bincount(kept.labels).tolist() == [2, 4, 6] and not {*kept.samples.tolist()} & {*rest.samples.tolist()}
    assert len(rest) + len(kept) == 60
    assert labelled.parted(Labelled(np.arange(3), np.array([0, 0, 0])), 5)[1].samples.tolist() == [2]
    batches = classifier.drawn(*few, 5, np.random.default_rng(0))
    seen = np.concatenate([next(batches)[0] for _ in range(12)])  # five times through
    assert np.unique(seen, return_counts=True)[1].tolist() == [5] * 12


# Making --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quickly")
def test_samples_lie_where_the_reader_finds_them(pictures, tmp_path, capsys, monkeypatch):
    out = tmp_path / "more"
    words = ["--data", pictures, "--out", out, "--per_class", 6, "--minutes", 0.01, *SMALL_GAN]
    whole, stop = making.files.atomic_folder, types.SimpleNamespace(after=1)

    def full(folder):  # after the first class
        if not stop.after:
            raise OSError(28, "No space left on device", str(folder))
        stop.after -= 1
        return whole(folder)

    monkeypatch.setattr(making.files, "atomic_folder", full)
    assert "No space left" in fails(capsys, *words)
    assert sorted(path.name for path in out.iterdir() if path.name[0] != ".") == ["cats"]
    first = {path: path.stat().st_mtime_ns for path in (out / "cats").iterdir()}
    monkeypatch.setattr(making.files, "atomic_folder", whole)
    code, said, _ = command(capsys, *words)
    assert code == 0 and "12 samples of 2 classes" in said
    assert first == {path: path.stat().st_mtime_ns for path in (out / "cats").iterdir()}  # as they were

    made = kerasgan.data.images(out, size=16, channels=1, labels=True, batch_size=12, shuffle=False)
    assert made.class_names == ["cats", "dogs"] and made.class_counts == [6, 6]
    gan = runs.load(out / ".augment" / "gan")
    samples, labels = next(iter(made))
    again = gan.media.to_model(gan.generate(6, labels=1, seed=1))
    np.testing.assert_allclose(samples.numpy()[labels.numpy() == 1], again, atol=1e-6)
    with PIL.Image.open(out / "dogs" / "00000.png") as picture:
        assert picture.text["Description"] == "generated by kerasgan"
    record = json.loads((out / ".augment" / "made.json").read_text())
    assert record["classes"] == {"cats": 6, "dogs": 6} and record["part"] == {"part": "train"}
    run = json.loads((out / ".augment" / "gan" / "recipe.json").read_text())
    assert run["count"] == 54 and run["recipe"]["data"]["part"] == "train"  # every tenth is kept for tests
    # Another call than the one that made it.
    assert "made with another per_class (6, now 7)" in fails(capsys, *words[:5], 7, *words[6:])
    # And a run folder is taken as it is, where its classes are those of the data.
    code, said, _ = command(
        capsys, "--data", pictures, "--out", tmp_path / "taken", "--per_class", 2, "--gan", out / ".augment" / "gan"
    )
    assert code == 0 and "taken as it is" in said and (tmp_path / "taken" / "dogs" / "00001.png").exists()
    np.savez(tmp_path / "other.npz", x=np.zeros((6, 16, 16), "uint8"), y=np.arange(6) % 3)
    error = fails(
        capsys, "--data", tmp_path / "other.npz", "--out", tmp_path / "a", "--gan", out / ".augment" / "gan", "--all"
    )
    assert "other classes than the data: cats, dogs. Those of the data are 0, 1, 2" in error


@pytest.mark.usefixtures("quickly")
def test_sounds_become_sounds(tmp_path, capsys):
    random = np.random.default_rng(0)
    (tmp_path / "sounds").mkdir()
    for number in range(24):
        with wave.open(str(tmp_path / "sounds" / f"{'ab'[number % 2]}_{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(random.integers(-9999, 9999, 300, dtype=np.int16).tobytes())
    words = ["--data", tmp_path / "sounds", "--labels", "name", "--out", tmp_path / "more", "--per_class", 3]
    small = ["--length", 256, "--set", "model.width=2", "--minutes", 0.01]
    code, _, error = command(capsys, *words, *small)
    assert code == 0, error
    made = kerasgan.data.audio(tmp_path / "more", length=256, labels=True, batch_size=6)
    assert made.class_names == ["a", "b"] and made.class_counts == [3, 3]


def _folders(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            PIL.Image.new("L", (16, 16), 9 * number + len(name)).save(folder / name / f"{number}.png")
    return folder


def test_what_cannot_be_learned_from_is_refused_before_any_work(pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runs, "train", lambda *arguments, **options: pytest.fail("trained"))
    out = ["--out", tmp_path / "out"]
    plain = _folders(tmp_path / "plain", {"": 12})
    assert "needs a sub-folder for each class" in fails(capsys, "--data", plain, *out)
    one = _folders(tmp_path / "one", {"cats": 12})
    assert "has one class, 'cats'" in fails(capsys, "--data", one, *out)
    single = _folders(tmp_path / "single", {"cats": 12, "dog": 1})
    assert "the class 'dog' has a single sample to learn from" in fails(capsys, "--data", single, *out, "--all")
    assert "'--per_class': 0 is not in the range" in fails(capsys, "--data", pictures, *out, "--per_class", 0)
    assert "makes samples without classes" in fails(capsys, "--data", pictures, *out, "--gan", "vanilla_gan")
    assert "augment takes images and audio" in fails(capsys, "--data", pictures, *out, "--gan", "ctgan")
    assert "makes samples without classes" in fails(capsys, "--data", pictures, *out, "--gan", "dcgan_celeba")
    assert "other classes" in fails(capsys, "--data", pictures, *out, "--gan", "cgan_fashion_mnist")
    assert "unknown" in fails(capsys, "--data", pictures, *out, "--gan", "nothing")
    assert "does not exist" in fails(capsys, "--data", tmp_path / "none", *out)
    assert "it would become data" in fails(capsys, "--data", pictures, "--out", pictures / "more")
    assert "Missing option '--data'" in fails(capsys, *out) and "Missing option '--out'" in fails(
        capsys, "--data", pictures
    )
    assert "--seeds is for --measure" in fails(capsys, "--data", pictures, *out, "--seeds", 2)
    assert "minutes=0.0" in fails(capsys, "--data", pictures, *out, "--minutes", 0)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    assert "holds 'mine.txt', which kerasgan augment did not write" in fails(capsys, "--data", pictures, *out)


def test_numbers_between_those_of_classes_are_no_classes(tmp_path):
    np.savez(tmp_path / "gap.npz", x=np.zeros((6, 16, 16), "uint8"), y=np.array([1, 1, 1, 3, 3, 3]))
    dataset = kerasgan.data.images(tmp_path / "gap.npz", size=16, channels=1, labels=True, batch_size=1)
    assert making._present(dataset, range(4)) == {"1": 1, "3": 3}


def test_names_of_classes_that_are_no_folders_are_refused():
    with pytest.raises(ValueError, match="'a/b' cannot be the name of a folder"):
        making._check_names(["a/b"])


# Measuring -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quickly")
def test_the_table_is_measured_and_gone_on_with(pictures, tmp_path, capsys, monkeypatch):
    out = tmp_path / "table.md"
    words = ["--measure", "--data", pictures, "--out", out, "--gan_samples", 32, "--per_class", 10, *SMALL_GAN]
    trained, learned = [], []
    generated, accuracy = measuring.Bench.generated, measuring.Bench.accuracy

    def noted(bench, real, seed):
        trained.append((len(real), seed))
        assert not _keys(real) & (_keys(bench.reserve) | _keys(bench.test))
        return generated(bench, real, seed)

    def counted(bench, real, fakes, is_varied, seed):
        learned.append((bench.steps(real), fakes is not None, is_varied))
        return accuracy(bench, real, fakes, is_varied, seed)

    monkeypatch.setattr(measuring.Bench, "generated", noted)
    monkeypatch.setattr(measuring.Bench, "accuracy", counted)
    assert command(capsys, *words, "--seeds", 1, "--sizes", 5)[0] == 0
    assert trained == [(10, 0)]
    assert learned == [(2, False, False), (2, False, True), (2, True, False), (2, True, True)]  # in equal steps
    lines = out.with_suffix(".jsonl").read_text().splitlines()
    assert len(lines) == 2 + 4

    # A process that was killed while it wrote the last line goes on with that one.
    out.with_suffix(".jsonl").write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])
    learned.clear()
    code, said, _ = command(capsys, *words, "--seeds", 1, "--sizes", "5,all")
    assert code == 0 and len(learned) == 1 + 4
    assert trained[1:] == [(10, 0), (44, 0)]  # of 54 to train on, ten are the independent classifier's
    rows = [line.split(" | ") for line in out.read_text().splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[2:]] == ["| 5", "| all (22)"] and [row[1] for row in rows[2:]] == ["1", "1"]
    assert "6 images for tests, of 2 classes" in " ".join(said.split()) and "± ?" in rows[2][6]
    assert out.read_text().startswith("`kerasgan augment --measure")
    results = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()[2:]]
    assert {one["arm"] for one in results if "label_accuracy" in one} == {"gan", "both"}

    assert "results of another measurement (mix differ)" in fails(capsys, *words, "--mix", 0.5, "--sizes", 5)
    assert "'cats' has 22 in the training part" in fails(capsys, *words, "--sizes", 30)


def _keys(data):
    return {sample.tobytes() for sample in data.samples}


def test_arguments_of_a_measurement(pictures, tmp_path, capsys):
    words = ["--measure", "--data", pictures, "--out"]
    assert "expected one of .md" in fails(capsys, *words, tmp_path / "table.txt")
    out = tmp_path / "table.md"
    assert "'--sizes': 'few' is no whole number" in fails(capsys, *words, out, "--sizes", "few")
    assert "at least 2, or all" in fails(capsys, *words, out, "--sizes", 1)
    assert "mix=1.0" in fails(capsys, *words, out, "--mix", 1)
    assert "in place of minutes" in fails(capsys, *words, out, "--gan_samples", 8, "--minutes", 1)
    assert "needs a part to test on" in fails(capsys, *words, out, "--all")
    out.with_suffix(".jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(ValueError, match="table.jsonl' was not written by augment"):
        measuring.Journal(out.with_suffix(".jsonl"), {})


def test_the_table_says_what_a_journal_holds(tmp_path):
    journal = measuring.Journal(tmp_path / "a.jsonl", {"data": "x"}, command="kerasgan augment --measure")
    for seed, real, both in ((0, 0.50, 0.53), (1, 0.60, 0.61), (2, 0.40, 0.42)):
        for arm, accuracy in (("real", real), ("classic", real), ("gan", real), ("both", both)):
            journal.add(size=5, seed=seed, arm=arm, accuracy=accuracy, label_accuracy=0.75)
    journal.add(size=10, seed=0, arm="real", accuracy=0.5)  # not finished
    about = {"tested": "9 images", "classes": 2, "variations": "shift", "per_class": 5, "gan": "dcgan", "mix": 0.25}
    text = table.written(journal, about | {"judge": 0.9, "all": "30"})
    assert text.splitlines()[-1] == (
        "| 5 | 3 | 50.0% | 50.0% | 50.0% | 52.0% | +0.0 ± 0.0 | +0.0 ± 0.0 | +2.0 ± 2.5 | 75.0% |"
    )


def test_the_classifier_learns(pictures):
    media = Image((16, 16, 1))
    dataset = kerasgan.data.images(pictures, size=16, channels=1, labels=True, batch_size=1, shuffle=False)
    data = labelled.held_in_memory(dataset, media)

    batches = classifier.drawn(*data, 16, np.random.default_rng(0))
    learner = classifier.Learner(media, (16, 16, 1), 2)
    learner.learn(batches, 30, seed=0)
    assert learner.accuracy(*data) > 0.9
    # What it learned before leaves no trace.
    logits = [_logits(learner, data, earlier) for earlier in (0, 3)]
    np.testing.assert_array_equal(*logits)


def _logits(learner, data, earlier):
    learner.learn(classifier.drawn(*data, 16, np.random.default_rng(1)), earlier, seed=5)
    learner.learn(classifier.drawn(*data, 16, np.random.default_rng(2)), 2, seed=7)
    return np.asarray(learner._model(learner._media.to_classifier(data.samples), training=False))
