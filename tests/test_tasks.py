"""Tasks: what models are for, and one of a verb that the library does not know."""

import importlib
import re

import click
import keras
import numpy as np
import pytest
from test_cli import fails, kerasgan_command

import kerasgan
from kerasgan import cli, commands, registry, tasks
from kerasgan.metrics import METRICS, evaluation
from kerasgan.metrics.result import Result


@click.command(cls=commands.Command)
@commands.model_argument("FILE")
def rank(name):
    """Prints a number.

    Examples:
      kerasgan rank own.keras
    """
    print(Detector.task.open(name).score(np.zeros((1, 3), "float32")))


class Scoring(tasks.Task):
    """Says how unlikely samples are."""

    command = rank
    verb = "rank"
    does = "scores samples"
    metrics = ("auc",)
    metrics_help = "of a detector auc"
    options = ("seed", "share")
    score_options = (
        click.Option(["--seed"], type=int, help="Another task has it, too."),
        click.Option(["--share"], type=float, help="Of anomalies."),
    )

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, share=0.5):
        return [Result("auc", share, model=model)]


@keras.saving.register_keras_serializable(package="test_tasks")
class Detector(kerasgan.GAN):
    task = Scoring()

    def score(self, samples):
        return float(np.mean(samples))


@keras.saving.register_keras_serializable(package="test_tasks")
class Bare(kerasgan.Game):
    """A game without a verb."""


def model(cls):
    latents, samples = keras.Input((2,)), keras.Input((3,))
    networks = (
        keras.Model(latents, keras.layers.Dense(3)(latents)),
        keras.Model(samples, keras.layers.Dense(1)(samples)),
    )
    return cls(*networks)


@pytest.fixture
def scoring(monkeypatch):
    library = {verb: task for verb, task in tasks._known.items() if type(task).__module__.startswith("kerasgan.")}
    monkeypatch.setattr(tasks, "_known", library)  # without what other tests have registered
    return tasks.register(Detector.task)


def test_a_verb_of_ones_own_is_a_command(scoring, capsys, tmp_path):
    assert "rank" in cli.all_commands() and re.search("\n  rank +Prints a number.", kerasgan_command(capsys)[1])
    model(Detector).save(tmp_path / "own.keras")
    assert kerasgan_command(capsys, "rank", tmp_path / "own.keras")[:2] == (0, "0.0\n")
    assert "of a detector auc" in " ".join(kerasgan_command(capsys, "evaluate", "--help")[1].split())
    message = fails(capsys, "generate", tmp_path / "own.keras", "-o", tmp_path / "x.npy")
    assert f"is a Detector, which cannot generate: use kerasgan rank {tmp_path / 'own.keras'}." in message
    assert Detector.task.use("runs/my run") == "kerasgan rank 'runs/my run'"
    model(kerasgan.GAN).save(tmp_path / "gan.keras")
    assert "is a GAN, which cannot rank: use kerasgan generate" in fails(capsys, "rank", tmp_path / "gan.keras")


def test_a_type_may_have_further_verbs(scoring, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(Detector, "task", tasks.GENERATION)
    monkeypatch.setattr(Detector, "further_tasks", (scoring,))
    model(Detector).save(tmp_path / "own.keras")
    assert kerasgan_command(capsys, "rank", tmp_path / "own.keras")[:2] == (0, "0.0\n")
    assert kerasgan_command(capsys, "generate", tmp_path / "own.keras", "-o", tmp_path / "x.npy")[0] == 0


def test_a_run_of_it_is_scored_by_what_the_task_says(scoring, capsys, tmp_path, monkeypatch):
    from kerasgan import runs

    monkeypatch.setattr(runs, "check_name", lambda name: tmp_path / name)
    loaded, recipe = model(Detector), registry.Recipe(name="detector", gan_type="vanilla_gan")
    kerasgan.register(recipe)
    monkeypatch.setattr(registry, "load", lambda *arguments: loaded)
    code, out, error = kerasgan_command(capsys, "evaluate", "detector", "--data", tmp_path, "--share", 0.25)
    assert code == 0 and "auc" in out and "0.25" in out, error
    refused = fails(capsys, "evaluate", "detector", "--data", tmp_path, "--truncation", 0.5, "--repeats", 2)
    assert "'detector' scores samples: leave out truncation, repeats, on which" in refused
    registry._registered.pop("detector")


def test_a_game_without_a_verb(capsys, tmp_path):
    bare = model(Bare)
    bare.save(tmp_path / "bare.keras")
    message = fails(capsys, "generate", tmp_path / "bare.keras", "-o", tmp_path / "x.npy")
    assert message.endswith("is a Bare, which cannot generate.\n")
    assert bare.task.use("run") == "" and bare.task.ways(bare, 1, 2, 0) is None
    with pytest.raises(ValueError, match="Bare, for which kerasgan has no scores"):
        about = {"subset": None, "split": "all", "model": "x", "network": None, "progress": False}
        bare.task.evaluate(bare, None, None, None, **about)
    with pytest.raises(ValueError, match="Bare makes its own from something else; leave score out"):
        evaluation.check_scorable(Bare, "score")


def test_names_of_scores_are_those_of_the_protocols():
    assert tasks.GENERATION.metrics == tuple(METRICS)
    assert set(METRICS) <= set(re.findall(r"\w+", tasks.GENERATION.metrics_help))
    protocols = (
        importlib.import_module(f"kerasgan.metrics.{name}")
        for name in ("translation", "super_resolution", "next_frames")
    )
    known = (tasks.TRANSLATION, tasks.UPSCALING, tasks.CONTINUATION)
    assert [task.metrics for task in known] == [protocol.METRICS for protocol in protocols]


@pytest.mark.parametrize("name", registry.TYPES)
def test_each_type_has_the_method_that_its_task_is_called_by(name):
    cls = registry.gan_class(name)
    verbs = {task.verb: type(task) for task in tasks.known()}
    for task in (cls.task, *cls.further_tasks):
        assert isinstance(task, verbs[task.verb]) and callable(getattr(cls, task.method or task.verb))


def test_what_is_no_task(scoring):
    class Other(Scoring):
        pass

    class Dashed(Scoring):
        verb = "two words"

    with pytest.raises(TypeError, match="task is a str; expected an object of a class derived from"):
        tasks.register("generate")
    with pytest.raises(ValueError, match="verb='rank' is taken by Scoring"):
        tasks.register(Other())
    with pytest.raises(ValueError, match="verb='two words': expected a word"):
        tasks.register(Dashed())
    assert tasks.register(Scoring()) is scoring  # again, as when a module is imported twice
