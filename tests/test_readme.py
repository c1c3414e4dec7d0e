"""Every snippet of the README runs, in its order, in a folder that holds what a reader would have."""

import _thread
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import wave

import matplotlib
import numpy as np
import pytest
from PIL import Image
from snippets import BLOCK, stop_after_a_step

import kerasgan
import kerasgan.serve as serving
from kerasgan import cli, commands, distribution, files, metrics, runs
from kerasgan.media import blocks
from kerasgan.media.sketch import svg
from kerasgan.runs import preparing
from kerasgan.synthetic import measuring

README = pathlib.Path(__file__).parents[1] / "README.md"
SNIPPETS = BLOCK.findall(README.read_text(encoding="utf-8"))
OTHERS = dict(
    re.findall(r"^```(sh|slurm|yaml)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
)
# These two are what .ci/run and whoever reads this have typed already.
INSTALLATION = ("pip install", "pytest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder with files of each kind, shared so that later snippets find what earlier ones made."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "my_photos").mkdir()
    random = np.random.default_rng(0)
    for i in range(64):
        pixels = random.integers(0, 256, (8, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((72, 64)).save(folder / "my_photos" / f"{i}.jpg")
    for domain in ("photos", "drawings"):
        (folder / "my_pairs" / domain).mkdir(parents=True)
        for i in range(8):
            shutil.copy(folder / "my_photos" / f"{i}.jpg", folder / "my_pairs" / domain)
    shutil.copy(folder / "my_photos" / "0.jpg", folder / "suspect.png")
    (folder / "my_sounds").mkdir()
    for i in range(12):
        with wave.open(str(folder / "my_sounds" / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(random.integers(-9999, 9999, 6000, dtype=np.int16).tobytes())
    for number in range(24):
        (folder / "my_clothes" / ("boots", "coats")[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "my_clothes" / ("boots", "coats")[number % 2] / f"{number}.png")
    (folder / "my_songs").mkdir()
    songs = kerasgan.media.Music(bars=8, tracks=2)
    for i in range(4):
        songs.save(random.random((1, *songs.shape)) < 0.1, folder / "my_songs" / f"{i}.mid")
    (folder / "my_clips").mkdir()
    clips = random.integers(0, 256, (12, 16, 8, 8, 3), dtype="uint8")
    for i, clip in enumerate(clips):
        kerasgan.media.Video(clip.shape).save(clip[None], folder / "my_clips" / f"{i}.webp")
    (folder / "my_models").mkdir()
    for i in range(12):
        (folder / "my_models" / f"{i}.vox").write_bytes(blocks.vox(random.random((5, 4, 6)) < 0.5))
    (folder / "my_sketches").mkdir()
    for i in range(100):
        text = svg([[random.integers(0, 99, (4, 2)), random.integers(0, 99, (3, 2))]])
        (folder / "my_sketches" / f"{i}.svg").write_text(text)
    people = [f"{20 + i % 50},{'MF'[i % 2]},{('<=50K', '>50K')[i % 3 == 0]},{i % 2 == 0}" for i in range(300)]
    (folder / "people.csv").write_text("\n".join(["age,sex,income,member", *people]))
    (folder / "my_captioned").mkdir()
    for i in range(40):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / "my_captioned" / f"{i}.png")
        text = f"a {('red', 'blue', 'green')[i % 3]} {('heart', 'square')[i % 2]}"
        (folder / "my_captioned" / f"{i}.txt").write_text(text)
    names = [f"{'BDMR'[i % 4]}{'aeiou'[i % 5]}{'nrls'[i % 3]}{'aio'[i % 7 % 3]}" for i in range(200)]
    (folder / "names.txt").write_text("\n".join([*names, "Anna", "Anton"]))
    (folder / "drawing.svg").write_text(svg([[np.array([[0, 0], [60, 0], [60, 40]])]]))
    low = kerasgan.media.Fields((3, 8, 8))
    low.save(random.random((1, *low.shape)), folder / "low.npz")
    return folder


LEAST = {".txt": 20, ".mid": 300}  # bytes of what is written; of others 1000
# What a reader's commands take their time for is done for a moment here, and by smaller networks.
LIMITS = {
    "train": ["--limit_steps", "1", "--batch_size", "4"],
    "augment": ["--per_class", "2"],
    "--measure": ["--sizes", "5", "--seeds", "1"],
    "simulate": ["--sequences", "2", "--frames", "12", "--size", "64"],
    "dvd_gan": ["--size", "16"],
    "dvd_gan_fp": ["--size", "16"],
    "gan_3d": ["--set", "model.width=4"],
    "ganomaly": ["--set", "model.width=4"],
}


def test_readme_has_its_two_commands_first():
    commands = [body for kind, body in SNIPPETS if kind == "bash"]
    assert commands[0].startswith("pip install -e . && kerasgan generate dcgan_celeba")
    assert commands[1] == 'pip install -e ".[test]" && pytest\n'
    assert len(SNIPPETS) >= 9


@pytest.fixture(scope="module")
def networks():
    """The feature networks, each loaded and traced for the first snippet that asks for it."""
    with pytest.MonkeyPatch.context() as patch:
        known = {name: functools.cache(load) for name, load in metrics.features._NETWORKS.items()}
        patch.setattr(metrics.features, "_NETWORKS", known)
        yield


@pytest.fixture
def one_step(monkeypatch):
    """A reader's training takes its time; here its first step shows that what is typed is right."""
    stop_after_a_step(monkeypatch)


@pytest.fixture
def measured(monkeypatch):
    """The speed of this machine, which `--minutes` goes by, and how long classifiers learn."""
    monkeypatch.setattr(preparing, "samples_per_second", lambda *arguments: 100.0)
    monkeypatch.setattr(measuring, "_STEPS", 1)
    monkeypatch.setattr(measuring, "_JUDGE_STEPS", 1)


@pytest.mark.slow
@pytest.mark.usefixtures("networks", "eagerly", "one_step", "measured")
@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippet_runs(number, folder, monkeypatch):
    kind, body = SNIPPETS[number]
    monkeypatch.chdir(folder)
    matplotlib.use("Agg")
    if kind == "python":
        exec(compile(body, f"README snippet {number}", "exec"), {"__name__": "__main__"})
        return
    for line in body.splitlines():
        for command in line.split("&&"):
            words = shlex.split(command)
            if command.strip().startswith(INSTALLATION):
                continue
            assert words[0] == "kerasgan"
            if words[1] == "serve":
                monkeypatch.setattr(serving, "serve", _visited(serving.serve, shown := set()))
                words = [word for word in words if word != "--lan" or _in_a_network()]
            limits = [limit for word in words[1:3] for limit in LIMITS.get(word, [])]
            assert cli.main([*words[1:], *limits]) == 0
            if words[1] == "serve":
                assert shown == {word for word in words[2:] if not word.startswith("-")}
            if "-o" in words:
                written = folder / words[words.index("-o") + 1]
                assert written.stat().st_size > LEAST.get(written.suffix, 1000)


def _as_trained(words, monkeypatch):
    """What `kerasgan train` with these words would train, and on which workers."""
    asked = {}
    monkeypatch.setattr(distribution, "strategy", lambda *arguments: asked.update(workers=arguments))

    def note(*arguments, **options):
        asked.update(options, data=arguments[1:])
        return kerasgan.GAN

    monkeypatch.setattr(runs, "train", note)
    monkeypatch.setattr(commands, "check_there", lambda path: None)  # the data lie where those machines are
    assert cli.main(words) == 0
    return asked


def test_commands_for_two_machines_and_for_a_cluster(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    lines = [shlex.split(line) for line in OTHERS["sh"].splitlines() if not line.startswith("#")]
    asked = [_as_trained(words[1:], monkeypatch) for words in lines]
    workers = ["machine-a:2222", "machine-b:2222"]
    assert [one["workers"] for one in asked] == [(None, workers, number) for number in (0, 1)]
    assert asked[0]["data"] == asked[1]["data"] == ("photos64/", "runs/wide")

    (command,) = re.findall(r"command: \[(.*)\]", OTHERS["yaml"])
    monkeypatch.setattr(files, "check_folder", lambda folder, name: folder)
    asked = _as_trained(command.split(", ")[1:], monkeypatch)
    assert asked["workers"] == (None, None, None) and asked["data"][1].startswith("/shared")


def test_script_for_slurm_starts_a_worker_on_each_node(monkeypatch, tmp_path):
    """Slurm is played by two scripts: one knows the nodes, the other starts the command on each. What two such workers
    make of it is in `test_distribution.py`."""
    play = {
        "scontrol": "echo node1; echo node2",
        "srun": 'SLURM_PROCID=1 "$@" & SLURM_PROCID=0 "$@"; first=$?; wait $! && exit $first',
        "kerasgan": 'printf "%s\\n" "$@" > words.$SLURM_PROCID',
    }
    for name, line in play.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "node[1-2]"}
    subprocess.run(["bash", "-c", OTHERS["slurm"]], cwd=tmp_path, env=environment, check=True)
    monkeypatch.chdir(tmp_path)
    asked = [_as_trained((tmp_path / f"words.{n}").read_text().splitlines(), monkeypatch) for n in range(2)]
    assert [one["workers"] for one in asked] == [(None, ["node1:2222", "node2:2222"], n) for n in range(2)]
    assert asked[0]["data"] == asked[1]["data"] == ("photos64/", "runs/slurm")


def _in_a_network():
    try:
        return bool(serving._lan_address())
    except OSError:
        return False


def _visited(serve, shown):
    """`serve` with a visitor that notes the models that the page shows in the end, and then presses Ctrl-C."""

    def visit(url):
        try:
            zoo = {"preparing": True}
            while zoo["preparing"]:
                time.sleep(0.2)
                with urllib.request.urlopen(f"http://127.0.0.1:{urllib.parse.urlsplit(url).port}/zoo.json") as answer:
                    zoo = json.load(answer)
            shown.update(model["name"] for model in zoo["models"])
        finally:
            _thread.interrupt_main()

    return lambda folder, **options: serve(
        folder, **options, ready=lambda url: threading.Thread(target=visit, args=(url,)).start()
    )


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (README.parent / target).exists(), target
