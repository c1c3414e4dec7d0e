"""The `kerasgan` command, and through it the run folders."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import wave
import zipfile

import keras
import numpy as np
import PIL.Image
import pytest

import kerasgan
import kerasgan.serve
from kerasgan import cli, commands, registry, runs
from kerasgan.callbacks import Checkpoint
from kerasgan.callbacks.log import read as read_log
from kerasgan.cli import exporting
from kerasgan.data import looking
from kerasgan.export import sidecar
from kerasgan.export.network import Exportable
from kerasgan.media import Arrays, Audio
from kerasgan.tasks.generation import class_numbers

pytestmark = pytest.mark.usefixtures("eagerly")

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}


def run_process(*words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "kerasgan", *map(str, words)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        **kwargs,
    )


def kerasgan_command(capsys, *words):
    """(exit code, standard output, standard error) of the command, run in this process."""
    capsys.readouterr()
    code = cli.main([str(word) for word in words])
    return code, *capsys.readouterr()


def fails(capsys, *words):
    """The message of a command that must fail."""
    code, _, error = kerasgan_command(capsys, *words)
    assert code == 2 and re.fullmatch(r"kerasgan: error: .*\n", error)
    return error


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """24 small pictures in the folders of two classes."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(24):
        path = folder / ("cats" if i % 2 else "dogs") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        PIL.Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype="uint8")).save(path)
    return folder


def small(pictures, out, name="vanilla_gan"):
    """A training that takes seconds."""
    sizes = ["--set", "model.units=16", "--set", "model.maxout_units=8"] if name == "vanilla_gan" else []
    data = ["--data", pictures, "--size", 8, "--channels", 1, "--batch-size", 8]
    return ["train", name, *data, *sizes, "--out", out]


@pytest.fixture(scope="session")
def run(pictures, tmp_path_factory):
    """The folder of a run that was stopped after 4 of 6 steps, in its second epoch, and then taken up again."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    command = [*small(pictures, folder), "--epochs", 2]
    assert cli.main([*map(str, command), "--limit_steps", "4"]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["kerasgan", *map(str, command)])
        assert cli.main() == 0
    return folder


# Without TensorFlow --------------------------------------------------------------------------------------------------


def test_list_answers_at_once_without_tensorflow():
    code = "import sys; from kerasgan import cli; cli.main(['list']); sys.exit('tensorflow' in sys.modules)"
    code = f"import atexit, sys, time; atexit.register(lambda: print(time.process_time(), file=sys.stderr)); {code}"
    seconds = []  # of the processor: others may be busy on it
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seconds.append(float(done.stderr))
    assert min(seconds) < 1.0
    table, _, others = done.stdout.partition("\n\n")
    assert all(name in others for name in registry.RECIPES)
    head, *rows = table.splitlines()
    assert head.split() == ["NAME", "MAKES", "DATA", "LICENCE", "SIZE"]
    assert [row.split()[0] for row in rows] == kerasgan.list_models()
    recipe = registry.get("dcgan_celeba")
    assert all(text in rows[0] for text in (recipe.makes, recipe.data_name, recipe.license))


def test_a_list_for_other_programs(capsys):
    code, out, _ = kerasgan_command(capsys, "list", "--json")
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert code == 0 and [*found] == [*kerasgan.list_models(), *registry.RECIPES]
    assert found["cgan_fashion_mnist"]["classes"][9] == "Ankle boot" and found["dcgan_celeba"]["bytes"] > 1e6
    assert {name for name in found if not found[name]["trained"]} == set(registry.RECIPES)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_list_is_no_wider_than_the_terminal(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, _ = kerasgan_command(capsys, "list")
    table = out.partition("Without weights")[0]
    assert code == 0 and max(map(len, table.splitlines())) <= columns
    assert all(re.search(rf"^{name}\b", table, re.MULTILINE) for name in kerasgan.list_models())


def test_types_are_listed_and_described_without_tensorflow():
    code = "import sys; from kerasgan import cli; cli.main(['types']); cli.main(['describe', 'wgan_gp'])"
    code += "; sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(re.search(rf"^{name} +{known.name} ", done.stdout, re.M) for name, known in registry.TYPES.items())
    about = done.stdout.partition("# wgan_gp")[2]
    assert (
        "kerasgan.models.WGANGP" in about and "model.image_shape=(64, 64, 3)" in about and "arXiv:1704.00028" in about
    )


@pytest.mark.parametrize(
    ("words", "ending"), [("generate dcga", "dcgan_celeba"), ("train wgan_", "wgan_gp"), ("exp", "export")]
)
def test_a_shell_completes_words(words, ending):
    asked = {
        "_KERASGAN_COMPLETE": "bash_complete",
        "COMP_WORDS": f"kerasgan {words}",
        "COMP_CWORD": str(words.count(" ") + 1),
    }
    done = subprocess.run([sys.executable, "-m", "kerasgan"], capture_output=True, text=True, env=ENVIRONMENT | asked)
    assert f"plain,{ending}" in done.stdout.splitlines(), done.stderr


def test_files_of_another_kind(capsys, tmp_path):
    """Sounds that are given to a GAN of images are said to be sounds."""
    (tmp_path / "sounds").mkdir()
    for name in ("1.wav", "2.wav"):
        (tmp_path / "sounds" / name).write_bytes(b"RIFF")
    for name in ("dcgan", "auto"):
        said = fails(capsys, "train", name, "--data", tmp_path / "sounds", "--out", tmp_path / "run")
        assert said.endswith("They may be sounds: kerasgan train wavegan learns from them.\n")


def test_describe_prints_the_card(capsys):
    code, out, _ = kerasgan_command(capsys, "describe", "dcgan_celeba")
    assert code == 0 and out == registry.describe("dcgan_celeba").rstrip() + "\n"


@pytest.mark.parametrize("words", [[], ["help"], ["--help"]])
def test_overview(capsys, words):
    code, out, _ = kerasgan_command(capsys, *words)
    assert code == 0
    assert all(f"\n  {name} " in out for name in cli.all_commands()) and "..." not in out.partition("Commands:")[2]


@pytest.mark.parametrize("name", cli.all_commands())
def test_every_command_has_help_with_examples_and_all_flags(capsys, name):
    code, out, _ = kerasgan_command(capsys, name, "--help")
    assert code == 0 and out.startswith(f"Usage: kerasgan {name} ") and f"Examples:\n  kerasgan {name}" in out
    assert kerasgan_command(capsys, "help", name)[1] == out
    about, _, examples = out.partition("Examples:")
    assert all(f"--{option} " in about for option in set(re.findall(r" --(\w+)", examples)))


def test_examples_in_help_are_accepted(capsys, monkeypatch, tmp_path):
    """Every example of `generate` and `train` passes all checks of its words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "load", lambda name, compile: pytest.fail("reached the work", pytrace=False))
    monkeypatch.setattr(runs, "check_name", lambda name: name)
    monkeypatch.setattr(commands, "check_there", lambda path: None)
    monkeypatch.setattr(runs, "train", lambda *args, **kwargs: kerasgan.GAN)
    monkeypatch.setattr(looking, "look", lambda source: looking.Look(5000, 64, 64, 3, 0.0, 256))
    for name in ("generate", "train"):
        for line in cli.all_commands()[name].examples:
            try:
                assert kerasgan_command(capsys, *shlex.split(line)[1:])[0] == 0, line
            except pytest.fail.Exception as reached:
                assert str(reached) == "reached the work"


def test_mistakes_in_words(capsys):
    assert "Did you mean 'generate'" in fails(capsys, "genrate")
    missing = fails(capsys, "generate")
    assert "Missing argument 'NAME|RUN|FILE'. Expected: kerasgan generate" in missing
    assert "such as kerasgan generate dcgan_celeba -n 64 -o faces.png" in missing
    assert "unexpected extra argument (b)" in fails(capsys, "describe", "a", "b")
    assert "unexpected extra argument (x)" in fails(capsys, "list", "x")
    assert "'--seed'" in fails(capsys, "generate", "dcgan_celeba", "--sed", 3)
    assert "'three' is not a valid integer" in fails(capsys, "generate", "dcgan_celeba", "--seed", "three")
    assert "--out is empty; give a path" in fails(capsys, "generate", "dcgan_celeba", "-o", "")


def test_debug_shows_the_traceback():
    with pytest.raises(ValueError, match="no command"):
        cli.main(["--debug", "genrate"])


def test_bad_input_is_refused_before_tensorflow_is_loaded(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "photo.jpg").write_text("")
    (tmp_path / "link.jpg").symlink_to("photo.jpg")
    (tmp_path / "own.tflite.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    cases = [
        (["generate", "dcgan_celeb"], "Did you mean 'dcgan_celeba'"),
        (["generate", "dcgan_celeba", "-n", "0"], "'--count' / '-n': 0 is not in the range x>=1"),
        (["generate", "dcgan_celeba", "-o", str(tmp_path / "file" / "x.png")], "is a file, not a folder"),
        (["generate", "dcgan_celeba", "-o", str(tmp_path)], "is a folder; give the name of a file"),
        (["generate", "dcgan_celeba", "--label", "cat"], "'--label': 'cat' is no whole number"),
        (["generate", "dcgan_celeba", "--columns", "0"], "'--columns': 0 is not in the range"),
        (["generate", str(tmp_path / "empty")], "holds no model.keras"),
        (["generate", str(tmp_path / "none.keras")], "Nor is there a run folder or a .keras file"),
        (["export", "dcgan_celeb"], "Did you mean 'dcgan_celeba'"),
        (["export", "dcgan_celeba", "--quantize", "int4"], "'int4' is not one of 'float32', 'float16'"),
        (["export", "dcgan_celeba", "--format", "coreml"], "'coreml' is not one of 'tflite', 'onnx'"),
        (["export", "dcgan_celeba", "--format", "onnx", "--quantize", "int8"], "--quantize int8 is for tflite"),
        (["export", "dcgan_celeba", "-o", str(tmp_path / "faces.png")], "expected one of .tflite"),
        (["export", "dcgan_celeba", "--batch_size", "0"], "'--batch_size': 0 is not in the range"),
        (["export", "dcgan_celeba", "--web", "x", "-o", "x.tflite"], "--web and --out: give one of them"),
        (["generate", "cgan_fashion_mnist", "--label", "Sneakr"], "Did you mean 'Sneaker'"),
        (["upscale", "srgan_x4", "photo.jpg", "-o", "./photo.jpg"], "which is read and would be lost"),
        (["translate", "pix2pix_noto2twemoji", "photo.jpg", "-o", "link.jpg"], "which is read and would be lost"),
        (["export", "dcgan_celeba", "-o", "own.tflite"], "would replace a file of that name that is something else"),
        (["train", "dcgan", "--out", "x"], "Missing option '--data'. Expected: kerasgan train"),
        (["train", "dcgan", "--data", "x"], "Missing option '--out' / '-o'"),
        (["train", "dcgam", "--data", "x", "--out", "x"], "Did you mean 'dcgan'"),
        (["train", "dcgan", "--data", "x", "--out", "x", "--epochs", "0"], "'--epochs': 0 is not in the range"),
        (
            ["train", "dcgan", "--data", "x", "--out", "x", "--rollback", "-1"],
            "'--rollback': -1 is not in the range x>=0",
        ),
        (["train", "dcgan", "--data", "x", "--out", str(tmp_path / "file")], "is a file, not a folder"),
        (["train", "dcgan", "--data", "x", "--out", "x", "--set", "lr=3"], "expected model.ARGUMENT=VALUE"),
        (
            ["train", "dcgan", "--data", "x", "--out", "x", "--size", "64x"],
            "'64x' is no size; expected one edge or height and width, such as 64 or 64x96",
        ),
        (["train", "dcgan", "--data", "x", "--out", "x", "--finetune"], "is a type and has no weights"),
        (["train", "dcgan", "--data", "x", "--out", "x"], "'x' does not exist; give a folder, a zip"),
        (["train", "auto", "--data", "x", "--out", "x"], "'x' does not exist"),
        (["evaluate", "dcgan_celeba", "--data", "x"], "'x' does not exist"),
        (["score", "ganomaly_nsl_kdd", "x.csv", "--quantile", "1"], "1.0 is not in the range 0<x<1"),
        (["export", "dcgan_celeba", "wgan_mnist", "-o", "x.tflite"], "2 models become a file each"),
    ]
    code = (
        "import json, sys; from kerasgan import cli\n"
        "print([cli.main(words) for words in json.loads(sys.argv[1])], 'tensorflow' in sys.modules)"
    )
    words = json.dumps([words for words, _ in cases])
    done = subprocess.run([sys.executable, "-c", code, words], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == f"{[2] * len(cases)} False\n", done.stderr
    for line, (_, message) in zip(done.stderr.splitlines(), cases, strict=True):
        assert line.startswith("kerasgan: error: ") and message in line
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "link.jpg", "own.tflite.json", "photo.jpg"]


# The screen ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["list"], [], ["generate", "--help"]])
def test_a_reader_that_leaves(words):
    """`kerasgan list | head -1` ends quietly."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "kerasgan", *words]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_screens_that_lack_letters(monkeypatch, tmp_path, encoding):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    assert cli.main(["describe", "vanilla_gan_mnist"]) == 0
    assert cli.main(["generate", str(tmp_path / "Фото\udcff")]) == 2
    screen.flush()
    said = screen.buffer.getvalue().decode(encoding)
    assert "fid" in said and r"\u0424\u043e\u0442\u043e\udcff" in said
    assert screen.errors == "strict"


def test_scores_do_not_replace_what_a_training_needs(capsys, run, pictures):
    before = (run / "recipe.json").read_bytes()
    message = fails(capsys, "evaluate", run, "--data", pictures, "-o", run / "recipe.json")
    assert "would be lost; choose another name" in message and (run / "recipe.json").read_bytes() == before


def test_scores_are_saved_before_they_are_shown(run, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "evaluate", lambda *args, **kwargs: [kerasgan.metrics.result.Result("fid", 1.0)])
    monkeypatch.setattr(kerasgan.metrics.result, "table", lambda found: pytest.fail("shown", pytrace=False))
    with pytest.raises(pytest.fail.Exception, match="shown"):
        cli.main(["evaluate", str(run), "--data", str(pictures), "--out", str(tmp_path / "scores.json")])
    assert kerasgan.metrics.result.load(tmp_path / "scores.json")[0].value == 1.0


# Training ------------------------------------------------------------------------------------------------------------


def test_a_run_folder_holds_everything(run):
    assert sorted(path.name for path in run.iterdir() if not path.name.startswith(".")) == [
        "discriminator.weights.h5",
        "generator.weights.h5",
        "health.json",
        "log.csv",
        "model.keras",
        "previous.keras",
        "recipe.json",
        "samples",
        "samples.png",
    ]
    assert {path.name for path in (run / "samples").iterdir()} == {"animation.gif", "epoch_0001.png", "epoch_0002.png"}
    stored = json.loads((run / "recipe.json").read_text())
    assert stored["recipe"]["model"]["image_shape"] == [8, 8, 1]
    assert stored["recipe"]["batch_size"] == 8
    assert stored["gan"]["image_shape"] == [8, 8, 1] and stored["compile"]["loss"]
    assert set(stored["versions"]) == {"python", "kerasgan", "tensorflow", "keras", "numpy"}
    assert stored["command"].startswith("kerasgan train vanilla_gan --data")


def test_a_resumed_run_has_every_step_once(run):
    gan = runs.load(str(run))
    assert int(gan.samples_seen) == 2 * 3 * 8
    assert [(row["epoch"], row["samples"]) for row in read_log(run / "log.csv")] == [(1, 24), (2, 48)]


def test_interrupted_again_and_again(pictures, tmp_path):
    positions = []
    for steps in (2, 1, 1):  # of epochs of 3 steps
        assert cli.main([*map(str, small(pictures, tmp_path)), "--limit_steps", str(steps)]) == 0
        gan, *position = Checkpoint.load(tmp_path)
        positions.append(tuple(position))
    assert positions == [(0, 2), (1, 0), (1, 1)]  # an epoch that is through is finished
    assert int(gan.samples_seen) == 4 * 8


def test_weights_of_a_run_are_a_zoo_entry(run):
    recipe = runs.changed(runs.recipe_of(run), {"name": "small_of_a_test"})
    kerasgan.register(recipe, folder=run)
    loaded, trained = kerasgan.load("small_of_a_test"), runs.load(str(run))
    assert {file.part for file in recipe.weights} == {"generator", "discriminator"}
    for name in ("generator", "ema_generator"):
        pairs = zip(getattr(loaded, name).weights, trained.ema_generator.weights, strict=True)
        assert all(np.allclose(a, b, atol=1e-3) for a, b in pairs)


def test_a_longer_training_goes_on(capsys, pictures, run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    code, out, _ = kerasgan_command(capsys, *small(pictures, folder), "--epochs", 3)
    assert code == 0 and "epoch 3/3  3/3" in out and "epoch 2/3" not in out
    assert [row["epoch"] for row in read_log(folder / "log.csv")] == [1, 2, 3]
    # Without --epochs, as many as there were to be at last: nothing is left to do.
    assert "epoch" not in kerasgan_command(capsys, *small(pictures, folder))[1]


def test_another_recipe_in_the_same_folder(capsys, pictures, run):
    before = (run / "recipe.json").read_bytes()
    message = fails(capsys, *small(pictures, run), "--set", "compile.loss=hinge")
    assert "(compile.loss: there nothing given, now 'hinge')" in message
    assert "Give another folder, or go on with: kerasgan train vanilla_gan" in message
    assert (run / "recipe.json").read_bytes() == before


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """A zip of twelve sounds of 300 samples at 1 kHz, called as spoken digits are."""
    path = tmp_path_factory.mktemp("sounds") / "digits.zip"
    noise = np.random.default_rng(0).uniform(-1, 1, (12, 300, 1)).astype("float32")
    with zipfile.ZipFile(path, "w") as archive:
        for number, sound in enumerate(noise):
            content = Audio(300, 1000).save(sound[None], path.with_name("x.wav")).read_bytes()
            archive.writestr(f"{number % 3}_anna_{number}.wav", content)
    return path


def test_sounds_from_a_zip_to_a_file(capsys, sounds, tmp_path):
    run, made = tmp_path / "run", tmp_path / "x.wav"
    small = ("--length", 256, "--sample_rate", 1000, "--set", "model.width=1", "--set", "data.labels=name")
    words = ("train", "wavegan", "--data", sounds, "--out", run, "--limit_steps", 1, "--seed", 0)
    code, out, _ = kerasgan_command(capsys, *words, *small)
    assert code == 0 and "Chosen for 12 samples of 256x1: batch_size 4, learning_rate 2.5e-05" in out
    recipe = runs.recipe_of(run)
    assert recipe.model == {"length": 256, "sample_rate": 1000, "width": 1, "channels": 1, "num_classes": 3}
    assert {"samples.png", "samples.wav"} <= {path.name for path in run.iterdir()}
    code, out, _ = kerasgan_command(capsys, "generate", run, "-n", 4, "--seed", 1, "-o", made)
    assert code == 0 and out == f"Saved 4 sounds to {made} (seed 1).\n"
    with wave.open(str(made)) as file:
        assert (file.getframerate(), file.getnframes()) == (1000, 4 * 256 + 3 * 250)
    assert kerasgan_command(capsys, "report", run)[0] == 0
    assert all(f"data:{kind};base64" in (run / "report.html").read_text() for kind in ("image/png", "audio/wav"))
    assert "ends in '.mp3'; expected one of .wav, .zip, .png" in fails(
        capsys, "generate", run, "-o", tmp_path / "x.mp3"
    )
    assert "length=300: WaveGAN makes sounds of 16 times" in fails(
        capsys, "train", "wavegan", "--data", sounds, "--length", 300, "--out", tmp_path / "other"
    )
    assert "of 1000 Hz: expected" in fails(capsys, "evaluate", run, "--data", sounds)
    assert not (tmp_path / "other").exists()
    assert kerasgan_command(capsys, "export", run, "--web", tmp_path / "page")[0] == 0
    (model,) = json.loads((tmp_path / "page" / "zoo.json").read_text())["models"]
    assert (model["output"]["kind"], model["output"]["sample_rate"]) == ("audio", 1000)


def test_arguments_of_sounds_are_none_of_images(capsys, pictures, tmp_path):
    words = ("train", "dcgan", "--data", pictures, "--out", tmp_path / "run", "--length", 256)
    assert "data.length is unknown; data takes: " in fails(capsys, *words)


def test_mistakes_leave_no_run_folder(capsys, pictures, tmp_path):
    out = tmp_path / "run"
    assert "'missing'" in fails(capsys, "train", "dcgan", "--data", "missing", "--out", out)
    large = ("--data", pictures, "--batch_size", 64)
    assert "batch_size=64 is larger" in fails(capsys, "train", "dcgan", *large, "--out", out)
    assert "image_shape=(7, 7" in fails(capsys, *small(pictures, out, "dcgan"), "--size", 7)
    assert "model.widht is unknown; model takes:" in fails(capsys, *small(pictures, out), "--set", "model.widht=3")
    assert "data.foo is unknown" in fails(capsys, *small(pictures, out), "--set", "data.foo=3")
    assert "data.reader is 'sounds'" in fails(capsys, *small(pictures, out), "--set", "data.reader=sounds")
    assert "optimizer" in fails(
        capsys, *small(pictures, out), "--set", 'compile.generator_optimizer={"class_name":"X"}'
    )
    assert not out.exists()
    assert "holds files but no recipe.json" in fails(capsys, *small(pictures, pictures))


def test_only_one_process_trains_in_a_folder(capsys, pictures, tmp_path):
    import filelock

    (tmp_path / "run").mkdir()
    with filelock.FileLock(tmp_path / "run" / ".lock"):
        assert "another process is training there" in fails(capsys, *small(pictures, tmp_path / "run"))


def test_what_a_killed_process_left_is_removed(pictures, tmp_path):
    (tmp_path / "run").mkdir()
    page = tmp_path / "run" / ".4711-new-page"  # of an export into the run folder, in the way of no training
    page.mkdir()
    left = [tmp_path / "run" / ".4711-model.keras", tmp_path / "run" / ".kerasgan-4711" / "model.keras"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("half a model")
    assert cli.main([*map(str, small(pictures, tmp_path / "run")), "--limit_steps", "1"]) == 0
    assert not any(path.exists() for path in [*left, left[1].parent])


def test_finetuning_starts_from_the_weights_on_other_data(capsys, run, tmp_path):
    data = tmp_path / "mine.npz"
    np.savez(data, images=np.random.default_rng(1).integers(0, 256, (9, 20, 14), dtype="uint8"))
    out = tmp_path / "new"
    words = ["--finetune", "--data", data, "--out", out, "--limit_steps", 1, "--seed", 5, "--set", "compile.loss=hinge"]
    code, text, error = kerasgan_command(capsys, "train", run, *words)
    assert code == 0, error
    assert "12500 epochs of 8 of the 9 images, each time others, as batches are whole" in text  # 100,000 samples
    assert "Samples are saved every 62 epochs." in text
    old, new = runs.load(str(run)), runs.load(str(out))
    pairs = [*zip(new.generator.weights, old.ema_generator.weights, strict=True)]
    pairs += zip(new.discriminator.weights, old.discriminator.weights, strict=True)
    assert max(float(np.abs(a - b).max()) for a, b in pairs) < 0.001  # one step away, not another start
    assert json.loads((out / "recipe.json").read_text())["compile"]["loss"]["class_name"] == "Hinge"
    recipe = runs.recipe_of(out)
    assert (recipe.makes, recipe.data_name) == ("images like those of mine.npz", "mine.npz")
    assert "fine-tuned from run" in recipe.license
    assert sidecar.describe(Exportable.of(str(out)), "tflite", 1)["name"] == "new"
    card = kerasgan_command(capsys, "describe", out)[1]
    assert card.startswith("# new\n\n- Makes: images like those of mine.npz\n") and "fine-tuned from run" in card
    assert "is a file, which says nothing of its training" in fails(capsys, "describe", out / "model.keras")


def test_classes_of_a_conditional_type_come_from_the_folders(capsys, pictures, tmp_path):
    out = tmp_path / "run"
    command = [*small(pictures, out, "cgan"), "--limit_steps"]
    code, text, _ = kerasgan_command(capsys, *command, 1)
    assert code == 0 and "2 classes: cats 12, dogs 12.\n" in text
    assert kerasgan_command(capsys, *command, 2)[0] == 0  # going on keeps them
    assert runs.recipe_of(out).model["num_classes"] == 2
    assert runs.recipe_of(out).class_names == ("cats", "dogs")
    one, named = tmp_path / "one.png", tmp_path / "named.png"
    given = ["generate", out, "-n", 2, "--seed", 1]
    assert kerasgan_command(capsys, *given, "--label", "0,1", "-o", one)[0] == 0
    assert kerasgan_command(capsys, *given, "--label", "cats,1", "-o", named)[0] == 0
    assert named.read_bytes() == one.read_bytes()
    file = ["generate", out / "model.keras", "-n", 2, "--seed", 1]
    assert kerasgan_command(capsys, *file, "--label", "cats,dogs", "-o", named)[0] == 0
    assert named.read_bytes() == one.read_bytes()
    assert "expected 0 to 1" in fails(capsys, *given, "--label", 2, "-o", one)
    for words in (given, file):
        message = fails(capsys, *words, "--label", "cat", "-o", one)
        assert "'cat', which is no class. Did you mean 'cats'? The classes are cats, dogs." in message
    assert kerasgan.load(out).class_names == ("cats", "dogs")
    described = sidecar.describe(Exportable.of(str(out)), "tflite", 1)
    assert described["class_names"] == described["inputs"][1]["classes"] == ["cats", "dogs"]
    assert "- Classes: cats, dogs\n" in kerasgan_command(capsys, "describe", out)[1]


def test_a_class_that_is_called_by_a_number_is_a_name():
    assert class_numbers(["7"], ("3", "7")) == 1
    assert class_numbers(["7", "0"], ("zero", "one")) == [7, 0]


@pytest.mark.slow
def test_a_signal_saves_and_the_same_command_goes_on(pictures, tmp_path):
    words = [*small(pictures, tmp_path / "run"), "--epochs", 100_000]
    words = [sys.executable, "-m", "kerasgan", *map(str, words)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    while not process.stdout.readline().startswith("epoch 3/"):
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "the same command goes on from there: kerasgan train vanilla_gan" in out
    assert error == ""  # TensorFlow's messages included
    seen = int(runs.load(str(tmp_path / "run")).samples_seen)
    assert seen >= 3 * 24
    assert cli.main([*words[3:], "--limit_steps", "2"]) == 0
    assert int(runs.load(str(tmp_path / "run")).samples_seen) == seen + 2 * 8


# Generating ----------------------------------------------------------------------------------------------------------


def test_generate_from_a_run_and_from_its_file(capsys, run, tmp_path):
    one, two, three = (tmp_path / "new" / f"{name}.png" for name in ("one", "two", "three"))
    code, out, _ = kerasgan_command(capsys, "generate", run, "-n", 6, "--seed", 7, "--columns", 3, "-o", one)
    assert code == 0 and out == f"Saved 6 images to {one} (seed 7).\n"
    assert PIL.Image.open(one).size == (28, 18)
    kerasgan_command(capsys, "generate", run / "model.keras", "-n", 6, "--seed", 7, "--columns", 3, "-o", two)
    assert one.read_bytes() == two.read_bytes()
    _, out, _ = kerasgan_command(capsys, "generate", run, "-n", 6, "--columns", 3, "-o", three)
    seed = re.search(r"seed (\d+)", out)[1]
    assert three.read_bytes() != one.read_bytes()
    kerasgan_command(capsys, "generate", run, "-n", 6, "--columns", 3, "--seed", seed, "-o", one)
    assert three.read_bytes() == one.read_bytes()


def test_load_takes_what_the_command_takes(run):
    trained = runs.load(run, compile=False)
    for path in (str(run), run, run / "model.keras"):
        gan = kerasgan.load(path)
        assert gan.compiled and not trained.compiled and gan.dtype_policy.name == trained.dtype_policy.name
        np.testing.assert_array_equal(gan.generate(3, seed=1), trained.generate(3, seed=1))
        assert int(gan.samples_seen) == 48
    other = "float32" if trained.dtype_policy.name != "float32" else "mixed_bfloat16"
    again = kerasgan.load(run, dtype=other)
    assert again.dtype_policy.name == again.generator.layers[-2].dtype_policy.name == other
    assert int(again.samples_seen) == 48
    for player in ("discriminator", "generator"):
        there, here = (getattr(model, f"{player}_optimizer").variables for model in (gan, again))
        assert all(np.array_equal(a, b) for a, b in zip(there, here, strict=True)) and len(here) > 2
        for a, b in zip(getattr(gan, player).weights, getattr(again, player).weights, strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="Nor is there a run folder or a .keras file"):
        kerasgan.load("runs/nowhere")


def test_load_refuses_a_format_for_networks_of_ones_own(tmp_path):
    latents, samples = keras.Input((2,)), keras.Input((3,))
    networks = (
        keras.Model(latents, keras.layers.Dense(3)(latents)),
        keras.Model(samples, keras.layers.Dense(1)(samples)),
    )
    kerasgan.GAN(*networks).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match="dtype='mixed_bfloat16'.*leave dtype out"):
        kerasgan.load(tmp_path / "own.keras", dtype="mixed_bfloat16")


def test_generate_names_the_file_after_the_model(capsys, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert kerasgan_command(capsys, "generate", f"{run}/", "-n", 1)[0] == 0
    assert kerasgan_command(capsys, "generate", run / "model.keras", "-n", 1)[0] == 0
    assert sorted(os.listdir(tmp_path)) == ["model.png", "run.png"]


def test_generate_refuses(capsys, run, tmp_path):
    assert "ends in '.pgn'; expected one of .png" in fails(capsys, "generate", run, "-o", tmp_path / "x.pgn")
    assert "has no classes" in fails(capsys, "generate", run, "--label", 3, "-o", tmp_path / "x.png")
    assert "truncation=-1" in fails(capsys, "generate", run, "--truncation", -1, "-o", tmp_path / "x.png")
    (tmp_path / "other.keras").write_text("not a model")
    assert "not a saved Keras model" in fails(capsys, "generate", tmp_path / "other.keras")
    assert os.listdir(tmp_path) == ["other.keras"]


# Super-resolution ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    """The folder of a trained SRGAN that is as small as can be."""
    folder = tmp_path_factory.mktemp("upscaler")
    for number in range(4):
        PIL.Image.fromarray(np.random.default_rng(number).integers(0, 256, (24, 20, 3), "uint8")).save(
            folder / f"{number}.png"
        )
    small = ["width=4", "blocks=1", "discriminator_width=2", "pretraining=null", "scale=2"]
    settings = [word for setting in small for word in ("--set", f"model.{setting}")]
    words = ["train", "srgan", "--data", folder, "--size", 16, "--batch_size", 4, "--epochs", 1, *settings]
    assert cli.main([*map(str, words), "--limit_steps", "2", "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_super_resolution_run_has_sheets_of_triples(upscaler):
    sheet = PIL.Image.open(upscaler / "samples.png")
    assert sheet.size == (9 * 18 - 2, 7 * 18 - 2)  # bicubic, upscaled, original of 21 crops: 63 of at most 64 places
    config = json.loads((upscaler / "recipe.json").read_text())["gan"]
    assert config["image_shape"] == [16, 16, 3] and config["scale"] == 2


def test_upscalers_are_scored_on_whole_images_beside_the_bicubic_kernel(capsys, upscaler):
    with pytest.warns(UserWarning, match="holds 'run', a run folder: no data"):
        code, out, error = kerasgan_command(capsys, "evaluate", upscaler, "--data", upscaler.parent)
    assert code == 0, error
    assert [row["metric"] for row in json.loads((upscaler / "evaluation.json").read_text())] == [
        f"{metric}{other}, all" for metric in ("psnr", "ssim") for other in ("", " of bicubic")
    ]
    assert "4 real (all)" in out  # the originals, not the sheet of the run beside them
    refused = fails(capsys, "evaluate", upscaler, "--data", upscaler.parent, "--seed", 3)
    assert "upscales images: leave out seed, on which its scores do not depend" in refused


def test_upscale_writes_files_of_any_kind(capsys, upscaler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    kinds = {"grey.png": (9, 14), "rgb.png": (40, 30, 3), "rgba.png": (7, 7, 4), "tiny.png": (1, 1, 3)}
    for name, shape in kinds.items():
        PIL.Image.fromarray(random.integers(0, 256, shape, dtype="uint8")).save(name)
    code, out, error = kerasgan_command(capsys, "upscale", upscaler, "rgb.png", "-o", "new/large.jpg")
    assert code == 0, error
    assert out == "Saved new/large.jpg: 30x40 -> 60x80.\n"
    assert PIL.Image.open("new/large.jpg").size == (60, 80)
    code, _, error = kerasgan_command(capsys, "upscale", upscaler / "model.keras", *kinds, "--out", "all")
    assert code == 0, error
    found = {path.name: PIL.Image.open(path) for path in (tmp_path / "all").iterdir()}
    assert {name: (image.mode, image.size) for name, image in found.items()} == {
        "grey_x2.png": ("L", (28, 18)),
        "rgb_x2.png": ("RGB", (60, 80)),
        "rgba_x2.png": ("RGBA", (14, 14)),
        "tiny_x2.png": ("RGB", (2, 2)),
    }
    assert kerasgan_command(capsys, "upscale", upscaler, "rgb.png")[0] == 0 and os.path.isfile("rgb_x2.png")


def test_upscale_refuses(capsys, upscaler, run, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = pictures / "dogs" / "0.png"
    assert "Missing argument 'PICTURE ...'" in fails(capsys, "upscale", upscaler)
    assert "File 'gone.png' does not exist" in fails(capsys, "upscale", upscaler, "gone.png")
    assert "which cannot upscale: use kerasgan generate" in fails(capsys, "upscale", run, picture)
    assert "ends in '.pgn'" in fails(capsys, "upscale", upscaler, picture, "-o", "x.pgn")
    assert "tile=16 with overlap=8" in fails(capsys, "upscale", upscaler, picture, "--tile", 16, "--overlap", 8)
    assert "it would become data" in fails(capsys, "upscale", upscaler, picture, "-o", upscaler.parent / "x.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert "'broken.png' cannot be used: not an image" in fails(capsys, "upscale", upscaler, "broken.png")
    assert "Several pictures would be saved as '0_{scale}'" in fails(capsys, "upscale", upscaler, picture, picture)
    assert sorted(os.listdir(tmp_path)) == ["broken.png"]


# Samples that are no images, of a type that is not in the package ---------------------------------------------------


@keras.saving.register_keras_serializable(package="test")
class Walk(kerasgan.GAN):
    """A GAN of random walks."""

    def __init__(self, steps=5, seed=None, name=None, dtype=None):
        generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(steps)])
        discriminator = keras.Sequential([keras.Input((steps,)), keras.layers.Dense(1)])
        super().__init__(generator, discriminator, media=Arrays((steps,)), seed=seed, name=name, dtype=dtype)
        self.steps = steps

    def get_config(self):
        config = self.base_config()
        return {"steps": self.steps, **{key: config[key] for key in ("seed", "name", "dtype")}}


def test_other_kinds_of_samples(capsys, monkeypatch, tmp_path):
    fitted_before = []

    def walks(source, batch_size=4, seed=None, steps=5, shuffle=True, fitted=None):
        import tensorflow as tf

        from kerasgan.data.dataset import Dataset

        fitted_before.append(fitted)
        walks = np.random.default_rng(seed).normal(size=(int(source), steps)).astype("float32")
        dataset = tf.data.Dataset.from_tensor_slices(walks).batch(batch_size, drop_remainder=True)
        return Dataset(dataset, fitted=fitted or {"scales": [float(int(source))]})

    monkeypatch.setattr(kerasgan.data, "walks", walks, raising=False)
    monkeypatch.setattr(kerasgan.data, "__all__", [*kerasgan.data.__all__, "walks"])
    recipe = registry.Recipe(
        name="walk_of_a_test", gan_type=f"{__name__}:Walk", data={"reader": "walks"}, batch_size=4, epochs=2
    )
    kerasgan.register(recipe)
    code, out, error = kerasgan_command(capsys, "train", "walk_of_a_test", "--data", 12, "--out", tmp_path / "run")
    assert code == 0, error
    assert "2 epochs of 12 samples" in out and "samples/s" in out
    assert sorted(path.name for path in (tmp_path / "run" / "samples").iterdir()) == [
        "epoch_0001.npy",
        "epoch_0002.npy",
    ]
    code, _, error = kerasgan_command(capsys, "generate", tmp_path / "run", "-n", 3, "-o", tmp_path / "x.npy")
    assert code == 0, error
    assert np.load(tmp_path / "x.npy").shape == (3, 5)
    # What was fitted to the data is kept for whatever reads others by the same recipe.
    trained = runs.recipe_of(tmp_path / "run")
    assert trained.fitted == {"scales": [12.0]} and fitted_before == [None]
    runs.read_whole(trained, 8)
    more = ("train", "walk_of_a_test", "--data", 12, "--out", tmp_path / "run", "--epochs", 3, "--limit_steps", 1)
    assert kerasgan_command(capsys, *more)[0] == 0
    tuned = ("train", tmp_path / "run", "--finetune", "--data", 8, "--out", tmp_path / "tuned", "--limit_steps", 1)
    assert kerasgan_command(capsys, *tuned)[0] == 0
    assert fitted_before == [None, trained.fitted, trained.fitted, trained.fitted]
    again = ("train", tmp_path / "run", "--data", 8, "--out", tmp_path / "again", "--limit_steps", 1)
    assert kerasgan_command(capsys, *again)[0] == 0
    assert fitted_before[-1] is None and runs.recipe_of(tmp_path / "again").fitted == {"scales": [8.0]}


@pytest.mark.parametrize(
    ("words", "name"),
    [([], "new.tflite"), (["--quantize", "dynamic"], "new_dynamic.tflite"), (["--format", "saved_model"], "new")],
)
def test_export_writes_a_verified_file(capsys, run, tmp_path, monkeypatch, words, name):
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "model" / "new.keras"
    model.parent.mkdir()
    shutil.copy(run / "model.keras", model)
    code, out, error = kerasgan_command(capsys, "export", model, *words)
    assert code == 0, error
    assert "against Keras" in out and f"Wrote {name}, and {name}.json that describes it." in out
    assert sorted(os.listdir(tmp_path)) == sorted([name, f"{name}.json", "model"])
    assert "overwrite=True" in fails(capsys, "export", model, *words)
    assert kerasgan_command(capsys, "export", model, "--overwrite", *words)[0] == 0


def test_the_command_adds_one_to_a_run(run, tmp_path, capsys):
    folder = shutil.copytree(run, tmp_path / "run")
    code, out, error = kerasgan_command(capsys, "train-encoder", folder, "--samples", 64)
    assert code == 0 and f"Saved the encoder to {folder / registry.ENCODER}" in out, error
    assert kerasgan.load(folder).encoder_file == folder / registry.ENCODER
    assert "--overwrite replaces it" in fails(capsys, "train-encoder", folder)
    assert "give a file by --out" in fails(capsys, "train-encoder", "dcgan_celeba")
    assert "ending" in fails(capsys, "train-encoder", folder, "-o", tmp_path / "x.npz")


def test_serve_without_names_shows_the_whole_zoo(monkeypatch, tmp_path):
    shown = []
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path))
    monkeypatch.setattr(exporting, "_show_at_once", lambda models, *others: shown.extend(models))
    monkeypatch.setattr(exporting, "_made", lambda name, *others: f"{name}.tflite")
    assert cli.main(["serve"]) == 0
    recipes = {name: registry.get(name) for name in registry.ZOO}
    paged = {name for name, one in recipes.items() if registry.gan_class(one.gan_type).task.is_on_page(one)}
    assert {"ctgan_adult", "ganomaly_pneumonia"} <= paged and "ganomaly_nsl_kdd" not in paged | {*shown}
    assert paged <= {*shown} and not {*registry.RECIPES} & {*shown}


def test_tensorflow_starts_silently(run, tmp_path):
    done = run_process("generate", run, "-n", 1, "--seed", 1, "-o", tmp_path / "x.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Saved 1 image to {tmp_path / 'x.png'} (seed 1).\n"
