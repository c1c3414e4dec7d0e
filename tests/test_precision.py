"""Which number format is chosen for which device, and that a run keeps it."""

import json
import platform

import numpy as np
import pytest
import tensorflow as tf

from kerasgan import cli, precision, registry, runs
from kerasgan.registry import Recipe

LAPTOP = "processor\t: 0\nmodel name\t: a CPU with amx_bf16 in its name\nflags\t\t: fpu sse2 avx2\n"
SERVER = LAPTOP.replace("avx2", "avx512_bf16 amx_bf16 amx_tile") + "bugs\t\t: none\n\n" + LAPTOP
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"


@pytest.fixture
def device(monkeypatch, tmp_path):
    """Makes this machine another one: `device(gpus=[(8, 0)])` or `device("Linux", "x86_64", "text of cpuinfo")`."""

    def become(system="Linux", machine="x86_64", info=None, gpus=()):
        if info is not None:
            (tmp_path / "cpuinfo").write_text(info)
        monkeypatch.setattr(precision, "_CPU_INFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: machine)
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: list(gpus))
        details = lambda gpu: {"device_name": "a GPU", **({"compute_capability": gpu} if gpu else {})}  # noqa: E731
        monkeypatch.setattr(tf.config.experimental, "get_device_details", details)

    return become


@pytest.mark.parametrize(
    ("gpus", "expected", "why"),
    [
        ([(8, 0)], "mixed_bfloat16", "compute capability 8.0"),
        ([(12, 0), (9, 0)], "mixed_bfloat16", "compute capability 9.0"),
        ([(8, 6), (7, 5)], "mixed_float16", "compute capability 7.5"),
        ([(7, 0)], "mixed_float16", "bfloat16: from 8.0 on"),
        ([(6, 1)], "float32", "6.1 is not faster in 16 bits"),
        ([None], "float32", "not known"),
    ],
)
def test_the_oldest_gpu_decides(device, gpus, expected, why):
    device(info=SERVER, gpus=gpus)
    chosen, reason = precision.choose()
    assert chosen == expected and why in reason


@pytest.mark.parametrize(
    ("machine", "expected", "why"),
    [
        (("Linux", "x86_64", SERVER), "mixed_bfloat16", "amx_bf16"),
        (("Linux", "x86_64", SERVER.replace(" amx_bf16 ", " ")), "float32", "no matrix units"),
        (("Linux", "x86_64", LAPTOP), "float32", "no matrix units"),
        (("Linux", "aarch64", ARM), "float32", "not faster in 16 bits on aarch64"),
        (("Darwin", "arm64"), "float32", "arm64"),
        (("Windows", "AMD64"), "float32", "Windows does not say"),
        (("Linux", "x86_64", ""), "float32", "Linux does not say"),
        (("", ""), "float32", "this processor"),
    ],
)
def test_processors(device, machine, expected, why):
    device(*machine)
    chosen, reason = precision.choose()
    assert chosen == expected and why in reason


def test_what_is_chosen_is_a_choice_on_this_machine_too():
    assert precision.choose()[0] in precision.CHOICES


# In a run


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pictures.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype="uint8"))
    return path


def command(pictures, out, *words):
    small = ["--size", "8", "--channels", "1", "--set", "model.units=8", "--set", "model.maxout_units=8"]
    return ["train", "vanilla_gan", "--data", str(pictures), "--out", str(out), *small, *words]


def test_a_type_trains_in_what_suits_the_device_and_keeps_it_on_another(device, pictures, tmp_path, capsys):
    out = tmp_path / "run"
    device(info=SERVER)
    assert cli.main(command(pictures, out, "--epochs", "1")) == 0
    printed = capsys.readouterr().out
    assert "Number format: mixed_bfloat16, for which this processor has matrix units (amx_bf16).\n" in printed
    stored = json.loads((out / "recipe.json").read_text())
    assert (stored["recipe"]["dtype"], stored["asked"]["dtype"]) == ("mixed_bfloat16", "auto")
    assert stored["gan"]["dtype"] == "mixed_bfloat16"

    device(info=LAPTOP)
    for number, words in enumerate((["--dtype", "auto"], ["--dtype", "mixed_bfloat16"], []), 2):
        assert cli.main(command(pictures, out, "--epochs", str(number), *words)) == 0
        assert "Number format" not in capsys.readouterr().out
        assert runs.recipe_of(out).dtype == "mixed_bfloat16"
    assert runs.load(str(out)).dtype_policy.name == "mixed_bfloat16"
    assert cli.main(command(pictures, out, "--epochs", "5", "--dtype", "float32")) == 2
    assert "(dtype: there 'mixed_bfloat16', now 'float32')" in capsys.readouterr().err


def test_what_is_given_is_not_chosen(device, pictures, tmp_path, capsys):
    device(info=SERVER)
    words = ["--limit_steps", "1", "--dtype", "float32"]
    assert cli.main(command(pictures, tmp_path / "run", *words)) == 0
    assert "Number format" not in capsys.readouterr().out
    assert runs.recipe_of(tmp_path / "run").dtype == "float32"


def test_workers_of_different_processors_agree(device, monkeypatch, capsys):
    device(info=SERVER)
    monkeypatch.setattr("kerasgan.distribution.values_of_workers", lambda strategy, value: [value, 0])
    recipe = Recipe(name="dcgan_x", gan_type="dcgan", dtype="auto")
    assert runs._with_number_format(recipe, None).dtype == "float32"
    assert "their processors differ" in capsys.readouterr().out


def test_auto_in_a_recipe_that_is_built(device):
    device(info=SERVER)
    model = {"image_shape": [8, 8, 1], "units": 8, "maxout_units": 8}
    recipe = Recipe(name="vanilla_gan_x", gan_type="vanilla_gan", model=model, dtype="auto")
    assert registry.build(recipe).dtype_policy.name == "mixed_bfloat16"
    assert registry.build(recipe, dtype="float32").dtype_policy.name == "float32"
