"""`import kerasgan`: quick, complete, and installable."""

import contextlib
import importlib
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import types
import zipfile

import keras
import pytest

import kerasgan
from kerasgan import backend, registration

ROOT = pathlib.Path(__file__).parents[1]


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    return done.stdout.strip()


def test_import_takes_well_under_a_fifth_of_a_second():
    code = "import time; start = time.process_time(); import kerasgan; print(time.process_time() - start)"
    assert min(float(python(code)) for _ in range(3)) < 0.1


def test_import_brings_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import kerasgan; dir(kerasgan)\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    assert python(code) == "['kerasgan']"


def test_files_open_after_the_import_alone_and_tensorflow_starts_silently(tmp_path):
    """In a new process, where `import kerasgan` comes before `import keras`, and nothing imports our types."""
    gan = kerasgan.models.CGAN((8, 8, 1), num_classes=2, units=8, maxout_units=8)
    gan.compile()
    gan.class_names = ("cats", "dogs")
    gan.save(tmp_path / "gan.keras")
    network = keras.Sequential([keras.Input((4,)), kerasgan.layers.PixelNormalization()])  # a network alone
    network.save(tmp_path / "network.keras")
    code = (
        "import kerasgan; kerasgan.losses; import keras\n"
        f"network = keras.saving.load_model({str(tmp_path / 'network.keras')!r})\n"
        "print(type(network.layers[-1]).__name__)\n"
        f"gan = keras.saving.load_model({str(tmp_path / 'gan.keras')!r})\n"
        "import kerasgan.models; print(type(gan) is kerasgan.models.CGAN, gan.compiled, gan.class_names)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("PixelNormalization\nTrue True ('cats', 'dogs')\n", "")


def test_every_class_that_keras_saves_is_announced():
    for name in kerasgan.__all__:
        getattr(kerasgan, name)
    for module, _ in registration.classes():
        importlib.import_module(module)
    known = {name: kind for name, kind in keras.saving.get_custom_objects().items() if name.startswith("kerasgan>")}
    ours = {name for name, kind in known.items() if kind.__module__.startswith("kerasgan.")}
    assert sorted(ours) == sorted(f"kerasgan>{name}" for _, name in registration.classes())
    assert not [name for name in ours if issubclass(known[name], registration._Later)]


def test_names_are_announced_to_a_keras_that_is_there_already(monkeypatch):
    known = keras.saving.get_custom_objects()
    gan_class, config = kerasgan.models.VanillaGAN, kerasgan.models.VanillaGAN((8, 8, 1), units=8, maxout_units=8)
    monkeypatch.delitem(known, "kerasgan>VanillaGAN")
    registration.announce()
    assert known["kerasgan>VanillaGAN"] is not gan_class
    assert type(known["kerasgan>VanillaGAN"].from_config(config.get_config())) is gan_class
    assert known["kerasgan>CGAN"] is kerasgan.models.CGAN  # what is known stays


@pytest.mark.parametrize("name", kerasgan.__all__)
def test_every_public_name_is_there(name):
    assert getattr(kerasgan, name) is not None
    assert name in dir(kerasgan)


@pytest.mark.parametrize(
    ("variable", "file", "said"),
    [
        (None, None, None),
        (None, '{"backend": "tensorflow"}', None),
        (None, "no JSON", None),
        (None, '{"backend": "torch"}', r"set to torch \(.*keras.json\)"),
        ("jax", '{"backend": "torch"}', r"set to jax \(KERAS_BACKEND\)"),
        ("tensorflow", '{"backend": "torch"}', None),
    ],
)
def test_keras_runs_on_tensorflow_whatever_it_is_set_to(variable, file, said, monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "keras", raising=False)  # as if nobody had imported it yet
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    if file:
        (tmp_path / "keras.json").write_text(file)
    with pytest.warns(UserWarning, match=said) if said else contextlib.nullcontext():
        backend.settle()
    assert os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"


def test_a_keras_that_runs_on_something_else_is_refused(monkeypatch):
    other = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", other)
    with pytest.raises(ImportError, match="Keras runs on torch in this process.*KERAS_BACKEND=tensorflow"):
        backend.settle()


def test_star_import():
    names = {}
    exec("from kerasgan import *", names)
    assert set(kerasgan.__all__) <= set(names)


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'laod'; its public names are .*load"):
        kerasgan.laod  # noqa: B018
    assert not hasattr(kerasgan, "laod")


def test_version_is_that_of_the_installed_package():
    from importlib.metadata import version

    assert version("kerasgan") == kerasgan.__version__


def test_zoo_is_a_subpackage_that_finds_the_entries_of_the_repository():
    import kerasgan.zoo

    assert pathlib.Path(kerasgan.zoo.__file__) == ROOT / "kerasgan" / "zoo" / "__init__.py"
    assert importlib.import_module("kerasgan.zoo.dcgan_celeba.recipe").RECIPE.name == "dcgan_celeba"


def test_an_editable_install_maps_no_folders(monkeypatch):
    """What is mapped is found by a hook of the import, which no editor runs."""
    setuptools, said = pytest.importorskip("setuptools"), {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: said.update(arguments))
    monkeypatch.setattr(sys, "argv", ["setup.py", "editable_wheel"])
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    assert said["package_dir"] == {"": "."} and {"kerasgan", "kerasgan.zoo"} <= set(said["packages"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the sources, to which a made-up zoo entry is added; nothing is downloaded."""
    pytest.importorskip("setuptools", reason="builds a wheel")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("setup.py", "README.md", "LICENSE", "NOTICE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__", "*.h5", "*.png")
    for name in ("kerasgan", "zoo"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    (copy / "zoo" / "made_up").mkdir()
    for name in ("recipe.py", "card.md", "samples.png", "generator.weights.h5", "weights.json", "notes.txt"):
        (copy / "zoo" / "made_up" / name).write_text("")
    code = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    (path,) = (copy / "dist").iterdir()
    return zipfile.ZipFile(path)


def test_wheel_holds_the_zoo(wheel):
    names = set(wheel.namelist())
    for name in ("recipe.py", "card.md", "samples.png", "generator.weights.h5", "weights.json"):
        assert f"kerasgan/zoo/made_up/{name}" in names
    assert "kerasgan/zoo/made_up/notes.txt" not in names


def test_wheel_holds_every_module(wheel):
    names = set(wheel.namelist())
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kerasgan").rglob("*.py")}
    assert sources | {"kerasgan/py.typed", "kerasgan/export/to_tflite.pyi"} <= names
    assert not [name for name in names if name.startswith(("tests", "tools", "zoo"))]


def test_wheel_has_the_command_and_the_licence(wheel):
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "kerasgan = kerasgan.cli:main" in wheel.read(f"{folder}/entry_points.txt").decode()
    for file in ("LICENSE", "NOTICE"):
        assert any(name.startswith(folder) and name.endswith(file) for name in wheel.namelist())
