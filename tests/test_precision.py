"""Which number format is chosen for which device, and that a run keeps it."""

import json
import platform

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN, callbacks, cli, precision, registry, runs
from kerasgan.models import DCGAN
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
    ("machine", "candidates"),
    [
        (("Linux", "x86_64", SERVER), 2),
        (("Linux", "x86_64", SERVER.replace(" amx_bf16 ", " ")), 2),
        (("Windows", "AMD64"), 2),
        (("Linux", "x86_64", LAPTOP), 0),
        (("Linux", "aarch64", ARM), 0),
    ],
)
@pytest.mark.parametrize(("ratio", "expected"), [(1.6, "mixed_bfloat16"), (1.05, "float32"), (0.2, "float32")])
def test_what_is_measured_decides_where_there_is_something_to_measure(device, machine, candidates, ratio, expected):
    device(*machine)
    asked = []

    def samples_per_second(policy):
        asked.append(policy)
        return 72.0 * (1.0 if policy == "float32" else ratio)

    chosen, reason = precision.choose(samples_per_second)
    assert asked == ["float32", "mixed_bfloat16"][:candidates]
    assert chosen == (expected if candidates else "float32")
    assert not candidates or f"mixed_bfloat16 is {ratio:.2f} times as fast as float32" in reason


@pytest.mark.parametrize(
    ("machine", "expected", "why"),
    [
        (("Linux", "x86_64", SERVER), "mixed_bfloat16", "amx_bf16"),
        (("Linux", "x86_64", SERVER.replace(" amx_bf16 ", " ")), "float32", "no matrix units"),
        (("Linux", "x86_64", LAPTOP), "float32", "computes nothing in 16 bits"),
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
    small = ["model.units=8", "model.maxout_units=8"]
    plain = ["compile.discriminator_optimizer=sgd", "compile.generator_optimizer=sgd"]  # which take less time to trace
    small = [word for change in (*small, *plain) for word in ("--set", change)]
    words = ["--size", "8", "--channels", "1", *small, *words]
    return ["train", "vanilla_gan", "--data", str(pictures), "--out", str(out), *words]


@pytest.fixture
def speeds(monkeypatch):
    """Makes trainings of a number format so fast, in samples a second, and counts those that were timed."""
    timed = {"float32": 72.0, "mixed_bfloat16": 116.0}
    asked = []

    def rates(self):
        asked.append(self.model.dtype_policy.name)
        return {"samples_per_second": timed[asked[-1]]}

    monkeypatch.setattr(callbacks.Throughput, "_rates", rates)
    return timed, asked


def test_a_type_trains_in_what_is_fastest_on_the_device_and_keeps_it_on_another(
    device, speeds, pictures, tmp_path, capsys
):
    out = tmp_path / "run"
    device(info=SERVER)
    assert cli.main(command(pictures, out, "--epochs", "1")) == 0
    printed = capsys.readouterr().out
    assert "Number format: mixed_bfloat16, since mixed_bfloat16 is 1.61 times as fast as float32" in printed
    assert speeds[1][:2] == ["float32", "mixed_bfloat16"]
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


def test_the_faster_one_is_float32_and_measuring_leaves_no_trace_in_the_training(
    device, speeds, pictures, tmp_path, capsys
):
    speeds[0]["mixed_bfloat16"] = 50.0
    device(info=SERVER)
    for out, words in (("measured", []), ("given", ["--dtype", "float32"])):
        words = ["--limit_steps", "1", "--seed", "3", *words]
        assert cli.main(command(pictures, tmp_path / out, *words)) == 0
    assert "Number format: float32, since mixed_bfloat16 is 0.69 times as fast" in capsys.readouterr().out
    assert speeds[1] == ["float32", "mixed_bfloat16"]  # what was given is not measured
    one, two = (runs.load(str(tmp_path / out)) for out in ("measured", "given"))
    for ours, theirs in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_workers_that_measure_different_ones_agree(device, speeds, pictures, tmp_path, monkeypatch, capsys):
    device(info=SERVER)
    monkeypatch.setattr(
        "kerasgan.distribution.values_of_workers",
        lambda strategy, value: [value, 0] if value == precision.CHOICES.index("mixed_bfloat16") else [value],
    )
    assert cli.main(command(pictures, tmp_path / "run", "--limit_steps", "1")) == 0
    assert "they measured different ones" in capsys.readouterr().out
    assert runs.recipe_of(tmp_path / "run").dtype == "float32"


def test_auto_in_a_recipe_that_is_built(device):
    device(info=SERVER)
    model = {"image_shape": [8, 8, 1], "units": 8, "maxout_units": 8}
    recipe = Recipe(name="vanilla_gan_x", gan_type="vanilla_gan", model=model, dtype="auto")
    assert registry.build(recipe).dtype_policy.name == "mixed_bfloat16"
    assert registry.build(recipe, dtype="float32").dtype_policy.name == "float32"


@pytest.mark.parametrize(
    ("dtype", "instead"), [("float16", "mixed_float16"), ("bfloat16", "mixed_bfloat16"), ("float64", "float32")]
)
@pytest.mark.parametrize("way", ["name", "policy", "global"])
def test_formats_in_which_weights_do_not_train_are_refused(dtype, instead, way):
    given = {"name": dtype, "policy": keras.DTypePolicy(dtype), "global": None}[way]
    try:
        keras.config.set_dtype_policy(dtype if way == "global" else "float32")
        with pytest.raises(ValueError, match=f"dtype='{dtype}' holds weights in {dtype}.*take \"{instead}\""):
            DCGAN(image_shape=(16, 16, 3), width=4, dtype=given)
    finally:
        keras.config.set_dtype_policy("float32")


def test_networks_of_ones_own_in_such_formats_are_refused():
    latents, samples = keras.Input((3,)), keras.Input((4,))
    generator = keras.Model(latents, keras.layers.Dense(4)(latents))
    layer = keras.layers.Dense(1, dtype="float16", name="judge")
    with pytest.raises(ValueError, match="critic holds judge/kernel in float16"):
        GAN(generator, keras.Model(samples, layer(samples), name="critic"))


def test_first_weights_of_a_seed_are_those_that_keras_draws_from_it():
    """What a run of a recipe begins with: `keras.utils.set_random_seed`, then the model."""
    options = {"image_shape": (16, 16, 3), "width": 4}
    keras.utils.set_random_seed(5)
    global_seed = DCGAN(**options)
    for mine, other in zip(global_seed.variables, DCGAN(**options, seed=5).variables, strict=True):
        if "seed_generator" not in mine.path:
            np.testing.assert_array_equal(mine, other)
