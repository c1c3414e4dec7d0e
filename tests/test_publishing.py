"""Published models: what is written, what is opened, and what is refused, whoever wrote it."""

import dataclasses
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

import kerasgan
from kerasgan import cli, files, hub, inversion, provenance, published, publishing, registry, runs, weights
from kerasgan.callbacks import Checkpoint
from kerasgan.metrics import result
from kerasgan.registry import Recipe
from kerasgan.runs import folder as run_folder

MODEL = {"image_shape": [8, 8, 1], "latent_dim": 4, "units": 8, "maxout_units": 8}
RECIPE = Recipe(
    name="vanilla_gan",
    gan_type="vanilla_gan",
    model=MODEL,
    compile={"generator_optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.1}}},
    data={"reader": "images", "size": 8, "channels": 1, "data_dir": "/home/somebody/data"},
    makes="images like those of flowers",
    data_name="flowers",
    data_license=provenance.UNKNOWN,
    license=provenance.UNKNOWN,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder as a training leaves it."""
    folder = tmp_path_factory.mktemp("runs") / "flowers"
    folder.mkdir()
    gan = registry.build(RECIPE)
    gan.samples_seen.assign(640)
    checkpoint = Checkpoint(folder)
    checkpoint.set_model(gan)
    checkpoint.save()
    record = {"data": "/home/somebody/flowers", "command": "", "fingerprint": "f" * 64, "count": 24, "asked": None}
    run_folder.write(gan, RECIPE, folder, record)
    score = result.Result("fid", 12.5, False, model="/home/somebody/runs/flowers", n_fake=100)
    result.save([score, dataclasses.replace(score, model=result.REAL, value=1.0)], folder / runs.EVALUATION)
    return folder


@pytest.fixture(scope="module")
def sound(run, tmp_path_factory):
    """A published folder; tests leave it as it is."""
    return publishing.publish(run, folder=tmp_path_factory.mktemp("published") / "flowers", license="CC BY 4.0")


@pytest.fixture
def copy(sound, tmp_path):
    """copy(change) is a published folder whose manifest `change` has been at, a function of its values."""

    def copy(change=lambda values: None):
        folder = shutil.copytree(sound, tmp_path / "copy")
        values = json.loads((folder / published.MANIFEST).read_text())
        change(values)
        (folder / published.MANIFEST).write_text(json.dumps(values))
        return folder

    return copy


def changed_run(run, tmp_path, **changes):
    """The run with another recipe."""
    folder = shutil.copytree(run, tmp_path / "run")
    values = json.loads((folder / "recipe.json").read_text())
    values["recipe"] |= changes
    (folder / "recipe.json").write_text(json.dumps(values))
    return folder


# What is written


def test_a_run_is_published_into_a_folder_and_loaded_from_it(run, sound):
    names = {"README.md", "kerasgan.json", "samples.png", "scores.json"}
    assert {path.name for path in sound.iterdir()} == {*names, "generator.weights.h5", "discriminator.weights.h5"}
    gan, trained = kerasgan.load(sound), kerasgan.load(run)
    assert type(gan) is type(trained) and gan.compiled and int(gan.samples_seen) == 640
    for mine, other in zip(gan.ema_generator.get_weights(), trained.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other.astype("float16").astype("float32"))
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.1)
    assert kerasgan.load(sound, compile=False, dtype="mixed_bfloat16").compute_dtype == "bfloat16"
    assert runs.recipe_of(sound).name == "flowers" and runs.class_names(str(sound)) == ()


def test_what_is_written_tells_no_paths_and_the_card_is_the_hubs(sound):
    for path in sound.iterdir():
        assert b"somebody" not in path.read_bytes()
    card = (sound / "README.md").read_text()
    head, body = card.removeprefix("---\n").split("\n---\n", 1)
    assert head.split("\n")[:2] == ["license: cc-by-4.0", "library_name: kerasgan"]
    assert "pipeline_tag: unconditional-image-generation" in head and "- vanilla_gan" in head
    assert "Licence of the data: not stated\n- Licence of the weights: CC BY 4.0\n" in body
    assert 'kerasgan.load("flowers/")' in body
    assert "![images](samples.png)" in body and "| fid ↓ | 12.5 | 1 |" in body
    assert published.card(sound) == body.lstrip() == runs.describe(str(sound))
    assert {score.model for score in result.load(sound / "scores.json")} == {"flowers", result.REAL}


def test_the_encoder_for_projections_goes_along(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    gan = kerasgan.load(folder)
    inversion.save(inversion.build(gan), folder / registry.ENCODER)
    made = publishing.publish(folder, folder=tmp_path / "flowers", license="CC BY 4.0")
    assert "| projection |" in (made / published.CARD).read_text()
    opened, images = kerasgan.load(made), gan.media.to_model(gan.generate(3, seed=1))
    own, there = (inversion.Encoder(gan, place / registry.ENCODER).guesses(images) for place in (folder, made))
    np.testing.assert_array_equal(own, there)
    assert opened.encoder_file == made / registry.ENCODER and kerasgan.load(run).encoder_file is None
    (made / registry.ENCODER).write_bytes(b"another")
    with pytest.raises(ValueError, match=registry.ENCODER):
        kerasgan.load(made)


def test_a_pretrained_model_keeps_its_licence_and_files(tmp_path):
    folder = publishing.publish("vanilla_gan_mnist", folder=tmp_path / "digits")
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-sa-3.0\n")
    for file in published.read(folder).weights:
        assert file in registry.get("vanilla_gan_mnist").weights
    gan = kerasgan.load(folder)
    np.testing.assert_array_equal(gan.generate(2, seed=1), kerasgan.load("vanilla_gan_mnist").generate(2, seed=1))
    with pytest.raises(ValueError, match="license='mit': that of 'vanilla_gan_mnist' is known"):
        publishing.publish("vanilla_gan_mnist", folder=tmp_path / "others", license="mit")


def test_a_licence_is_asked_for_and_what_it_was_made_of_goes_on_to_hold(run, tmp_path):
    for license in (None, " "):
        with pytest.raises(ValueError, match=r"licence of .*flowers' is not known.*--license cc-by-4.0\.$"):
            publishing.publish(run, folder=tmp_path / "new", license=license)
    inherited = f"{provenance.UNKNOWN}; fine-tuned from dcgan_celeba, whose licences go on to hold"
    tuned = changed_run(run, tmp_path, license=inherited)
    with pytest.raises(ValueError, match="fine-tuned from dcgan_celeba"):
        publishing.checked(tuned)
    recipe = publishing.checked(tuned, "mit")
    assert recipe.license == inherited.replace(provenance.UNKNOWN, "mit")
    head = publishing._head(recipe, kerasgan.load(run))
    assert 'license: other\nlicense_name: "mit-fine-tuned-from-dcgan-celeba-whose-licences-go-on-to-hol"\n' in head
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_license": "a map service; weights and samples are not shared"}, "may not be published: .*not shared"),
        ({"license": "no weights are shared"}, "may not be published: no weights are shared"),
        ({"data": {"reader": "kerasgan.data.images:images"}}, "names the reader"),
    ],
)
def test_what_may_not_be_published(run, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        publishing.checked(changed_run(run, tmp_path, **changes), "mit")


def test_what_cannot_be_published(run, sound, tmp_path):
    with pytest.raises(ValueError, match="is published already"):
        publishing.checked(str(sound), "mit")
    with pytest.raises(ValueError, match="is a file, which has no recipe: give the run folder"):
        publishing.checked(run / "model.keras", "mit")
    with pytest.raises(FileNotFoundError, match="no recipe.json"):
        (tmp_path / "bare").mkdir()
        shutil.copy(run / "model.keras", tmp_path / "bare")
        publishing.checked(tmp_path / "bare", "mit")
    with pytest.raises(FileExistsError, match="is not empty"):
        publishing.publish(run, folder=run, license="mit")
    for places in ({}, {"to": "hf://me/flowers", "folder": tmp_path / "new"}):
        with pytest.raises(ValueError, match="Give one of to"):
            publishing.publish(run, license="mit", **places)


def test_a_type_of_ones_own_is_not_published(run, tmp_path):
    own = changed_run(run, tmp_path, gan_type="kerasgan.models.vanilla:VanillaGAN")
    with pytest.raises(ValueError, match="which is none of kerasgan's: only those can be published"):
        publishing.checked(own, "mit")


# What is opened


def set_in(**changes):
    return lambda values: values["recipe"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in(gan_type="os:system"), "of the type 'os:system', which is none of kerasgan's"),
        (set_in(data={"reader": "os:system"}), "names the reader 'os:system'"),
        (set_in(compile={"loss": {"module": "os", "class_name": "system", "config": {}}}), "names 'os:system'"),
        (set_in(compile={"loss": {"module": None, "class_name": "Lambda", "config": {}}}), "names 'Lambda'"),
        (set_in(weights=[]), "lists no weights"),
        (set_in(model={**MODEL, "unit": 3}), "cannot be opened: .*'unit'"),
        (set_in(model={**MODEL, "units": 16}), "does not fit"),
        (lambda values: values.update(format=2), "no published model of kerasgan's .*a newer version"),
        (lambda values: values.pop("recipe"), "'recipe' is missing"),
        (lambda values: values.update(more=" " * published.MOST_BYTES), "longer than 8,000,000 bytes"),
        (lambda values: values["recipe"]["weights"][0].update(filename="../../x.weights.h5"), "filename"),
        (lambda values: values["recipe"]["weights"][0].update(part="media"), "no part 'media'"),
    ],
)
def test_nothing_but_kerasgan_is_made_of_it_whatever_is_trusted(copy, change, message):
    folder = copy(change)
    with pytest.raises(ValueError, match=message):
        kerasgan.load(folder, trust=True)


def test_a_model_larger_than_its_weights(copy):
    with pytest.raises(files.TooLarge, match="the model that it describes would take"):
        kerasgan.load(copy(set_in(model={**MODEL, "units": 20_000})))


def test_weights_are_those_that_are_listed(copy):
    folder = copy()
    path = folder / "generator.weights.h5"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match="generator.weights.h5' is not the file that is listed: its sha256 differs"):
        kerasgan.load(folder)
    path.write_bytes(whole + b"x")
    with pytest.raises(ValueError, match=f"has {len(whole) + 1:,} bytes, not the {len(whole):,} that are listed"):
        kerasgan.load(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="the weights of its generator, is not there"):
        kerasgan.load(folder)


def test_an_address_in_the_manifest_is_not_asked(copy, monkeypatch):
    monkeypatch.setattr(weights, "_fetch", None)
    folder = copy(lambda values: values["recipe"]["weights"][0].update(url="http://localhost:9/x"))
    assert len(kerasgan.load(folder).generate(1)) == 1


# The Hub, by a stand-in of its library

COMMIT = hashlib.sha1(b"commit").hexdigest()


@pytest.fixture
def library(monkeypatch, tmp_path):
    """A stand-in of huggingface_hub, whose repositories are the folders in `library.root`."""
    fake = types.ModuleType("huggingface_hub")
    fake.root, fake.cache, fake.online, fake.sizes = tmp_path / "hub", tmp_path / "cache", True, {}

    class HTTPError(OSError):
        response = None

    base = {"GatedRepoError": HTTPError, "RepositoryNotFoundError": HTTPError, "RevisionNotFoundError": HTTPError}
    base |= {"HfHubHTTPError": OSError, "EntryNotFoundError": Exception}
    made = {name: type(name, (kind,), {"response": None}) for name, kind in base.items()}
    made["LocalEntryNotFoundError"] = type("LocalEntryNotFoundError", (made["EntryNotFoundError"],), {})
    fake.errors = errors = types.ModuleType("huggingface_hub.errors")
    vars(errors).update(made)

    def there(repository, name):
        if not (fake.root / repository).is_dir():
            raise errors.RepositoryNotFoundError("404")
        if not (fake.root / repository / name).is_file():
            raise errors.EntryNotFoundError("404")
        return fake.root / repository / name

    def hf_hub_download(repository, name, revision=None):
        assert revision in (None, "v1", COMMIT)
        cached = fake.cache / repository / COMMIT / name
        if not fake.online and not cached.is_file():
            raise errors.LocalEntryNotFoundError("offline")
        if fake.online:
            cached.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(there(repository, name), cached)
        return str(cached)

    def get_hf_file_metadata(url):
        if not fake.online:
            raise ConnectionError("offline")
        size = there(*url).stat().st_size
        return types.SimpleNamespace(size=fake.sizes.get(url[1], size))

    class HfApi:
        def create_repo(self, repository, private, exist_ok):
            if repository.startswith("others/"):
                error = errors.HfHubHTTPError("403 Forbidden")
                error.response = types.SimpleNamespace(status_code=403)
                raise error
            (fake.root / repository).mkdir(parents=True, exist_ok=exist_ok)

        def upload_folder(self, repo_id, folder_path, commit_message):
            shutil.copytree(folder_path, fake.root / repo_id, dirs_exist_ok=True)

    fake.hf_hub_download, fake.get_hf_file_metadata, fake.HfApi = hf_hub_download, get_hf_file_metadata, HfApi
    fake.hf_hub_url = lambda repository, name, revision=None: (repository, name)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return fake


def test_to_the_hub_and_back_and_once_more_without_a_connection(library, run, sound, capsys):
    said = publishing.publish(run, to="hf://me/flowers", license="CC BY 4.0")
    assert said == "https://huggingface.co/me/flowers"
    assert 'kerasgan.load("hf://me/flowers")' in (library.root / "me/flowers/README.md").read_text()
    expected = kerasgan.load(sound).generate(2, seed=1)
    for online, name in ((True, "hf://me/flowers"), (False, "hf://me/flowers@v1")):
        library.online = online
        np.testing.assert_array_equal(kerasgan.load(name).generate(2, seed=1), expected)
    fetched = {path.name for path in library.cache.rglob("*") if path.is_file()}
    assert fetched == {"kerasgan.json", "generator.weights.h5", "discriminator.weights.h5"}  # and nothing else
    assert cli.main(["describe", "hf://me/flowers"]) == 0 and "# flowers" in capsys.readouterr().out


def test_what_is_wrong_on_the_hub_is_said(library, sound):
    shutil.copytree(sound, library.root / "me" / "flowers")
    library.sizes["generator.weights.h5"] = 10**9
    with pytest.raises(ValueError, match="its file generator.weights.h5 has 1,000,000,000 bytes, more than the"):
        kerasgan.load("hf://me/flowers")
    with pytest.raises(ValueError, match="hf://me/flours': there is no such model on the Hub, or it is private"):
        kerasgan.load("hf://me/flours")
    (library.root / "me" / "bert").mkdir()
    with pytest.raises(ValueError, match="holds no kerasgan.json: it is a model of another library"):
        kerasgan.load("hf://me/bert")
    library.online = False
    with pytest.raises(ConnectionError, match="the Hub does not answer, and kerasgan.json is not in its cache"):
        kerasgan.load("hf://me/other")
    for address in ("hf://flowers", "hf://me/flowers/x", "hf://", "hf://me/flow ers"):
        with pytest.raises(ValueError, match="expected hf://USER/MODEL"):
            kerasgan.load(address)


def test_a_token_without_rights_is_known_before_any_work(library, run, monkeypatch):
    monkeypatch.setattr(publishing, "_write", None)
    with pytest.raises(PermissionError, match=r"hf://others/flowers': the Hub refuses \(403\): log in"):
        publishing.publish(run, to="hf://others/flowers", license="mit")
    with pytest.raises(ValueError, match="without @v1"):
        publishing.publish(run, to="hf://me/flowers@v1", license="mit")


def test_without_the_library_the_extra_is_named(monkeypatch, run, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for act in (lambda: kerasgan.load("hf://me/flowers"), lambda: hub.fetch_recipe("hf://me/flowers")):
        with pytest.raises(ImportError, match=r'hf:// needs huggingface_hub: pip install "kerasgan\[hub\]"'):
            act()
    assert cli.main(["publish", str(run), "--to", "hf://me/flowers", "--license", "mit"]) == 2
    assert "kerasgan[hub]" in capsys.readouterr().err


# The command


def test_what_can_be_refused_is_refused_before_tensorflow_is_imported(run):
    code = (
        "import sys; from kerasgan import cli\n"
        f"assert cli.main(['publish', {str(run)!r}, '--folder', 'new']) == 2 and 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "--license cc-by-4.0" in done.stderr


def test_the_command(run, tmp_path, capsys):
    out = tmp_path / "flowers"
    assert cli.main(["publish", str(run), "--folder", str(out), "--license", "cc-by-4.0"]) == 0
    assert f"Published {run} in {out}" in capsys.readouterr().out
    assert cli.main(["generate", str(out), "-n", "2", "-o", str(tmp_path / "two.png")]) == 0
    assert pathlib.Path(tmp_path / "two.png").is_file()
    for words, said in (
        (["--folder", str(tmp_path / "new")], "--license cc-by-4.0"),
        ([], "Give one of --to and --folder"),
        (["--folder", str(out), "--license", "mit"], "is not empty"),
        (["--to", "hub", "--license", "mit"], "expected hf://USER/MODEL"),
    ):
        assert cli.main(["publish", str(run), *words]) == 2
        assert said in capsys.readouterr().err
