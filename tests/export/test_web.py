"""The folder that a browser runs generators from."""

import base64
import hashlib
import importlib
import io
import json
import os
import re

import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan.export import sidecar
from kerasgan.export.web import CDN, LITERT_JS, PAGE, _animated, web
from kerasgan.media import Video
from kerasgan.serving.bundle import Bundle


@pytest.fixture
def models(tmp_path):
    """Files that look exported: the folder is made without running them."""
    paths = {}
    for name in ("first", "second"):
        path = tmp_path / "exported" / f"{name}.tflite"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x1c\0\0\0TFL3" + name.encode())
        described = {
            "name": "something_else",
            "makes": "dots, 2x2 grey",
            "inputs": [{"name": "latents", "kind": "latents", "dtype": "float32", "shape": [1, 2]}],
            "output": {"name": "images", "kind": "image", "dtype": "float32", "shape": [1, 2, 2, 1], "range": [0, 1]},
            "file": path.name,
            **sidecar.fingerprint(path),
        }
        sidecar.path_of(path).write_text(json.dumps(described))
        paths[name] = path
    return paths


@pytest.fixture
def litert(tmp_path):
    """A node_modules folder with the names of LiteRT.js's files."""
    module = importlib.import_module("kerasgan.export.web")
    root = tmp_path / "node_modules" / "@litertjs"
    for package, files in (("core", module._CORE), ("wasm-utils", module._WASM_UTILS)):
        for file in files:
            path = root / package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"version": LITERT_JS}) if file == "package.json" else file)
    return root.parent


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folder_is_whole(models, litert, tmp_path):
    folder = web(models, tmp_path / "new" / "page", litert=litert)
    found = contents(folder)
    zoo = json.loads(found["zoo.json"])
    assert set(found) == {*zoo["files"], "zoo.json"}
    assert {path.name for path in PAGE.iterdir()} < set(found)
    assert zoo["kerasgan"] == kerasgan.__version__
    assert [(model["name"], model["file"]) for model in zoo["models"]] == [
        ("first", "models/first.tflite"),
        ("second", "models/second.tflite"),
    ]
    for model in zoo["models"]:
        assert hashlib.sha256(found[model["file"]]).hexdigest() == model["sha256"]
        assert json.loads(found[f"{model['file']}.json"]) == {**model, "file": model["file"].removeprefix("models/")}
    for key in ("core", "wasm_utils"):
        assert zoo["runtime"][key].removeprefix("./") in found
    assert f"{zoo['runtime']['wasm'].removeprefix('./')}litert_wasm_internal.wasm" in found
    assert sorted(path.name for path in tmp_path.joinpath("new").iterdir()) == ["page"]  # nothing is left beside it


def test_every_address_is_relative(models, litert, tmp_path):
    """So that the folder works under any path of any host."""
    found = contents(web(models, tmp_path / "page", litert=litert))
    page = found["index.html"].decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) > 5
    for address in [*addresses, *re.findall(r'from "([^"]+)"', found["app.js"].decode())]:
        assert not address.startswith("/") and "://" not in address
        assert address.removeprefix("./") in found, address
    manifest = json.loads(found["manifest.webmanifest"])
    assert manifest["start_url"] == manifest["scope"] == "./"
    for icon in manifest["icons"]:
        assert icon["src"] in found


def test_icons_are_as_large_as_the_manifest_says():
    import PIL.Image

    for icon in json.loads((PAGE / "manifest.webmanifest").read_text())["icons"]:
        if icon["sizes"] != "any":
            with PIL.Image.open(PAGE / icon["src"]) as picture:
                assert f"{picture.width}x{picture.height}" == icon["sizes"]


@pytest.mark.parametrize("local", [True, False])
def test_policy_admits_the_import_map_and_one_host(models, litert, tmp_path, local):
    page = (web(models, tmp_path / "page", litert=litert if local else None) / "index.html").read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    (text,) = re.findall(r"<script type=\"importmap\">(.*?)</script>", page)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert re.findall(r"https?://[^ ;]+", policy) == ([] if local else [CDN, CDN])
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    address = json.loads(text)["imports"]["@litertjs/wasm-utils"]
    start = f"./litert/{LITERT_JS}/wasm-utils/" if local else f"{CDN}/npm/@litertjs/wasm-utils@{LITERT_JS}/"
    assert address == f"{start}dist/index.js"


def test_without_a_local_copy_the_runtime_is_the_pinned_one_of_the_cdn(models, tmp_path):
    folder = web(models, tmp_path / "page")
    runtime = json.loads((folder / "zoo.json").read_text())["runtime"]
    assert {runtime[key].split("/dist")[0].split("/wasm/")[0] for key in ("core", "wasm")} == {
        f"{CDN}/npm/@litertjs/core@{LITERT_JS}"
    }
    assert not (folder / "litert").exists()


def test_version_follows_the_contents(models, litert, tmp_path):
    def version(name, **options):
        folder = web(models, tmp_path / name, **options)
        version = json.loads((folder / "zoo.json").read_text())["version"]
        assert f'"version": "{version}"' in (folder / "service-worker.js").read_text()
        return version

    first = version("a", litert=litert)
    assert version("b", litert=litert) == first
    assert version("c") != first
    models.pop("second")
    assert version("d", litert=litert) not in (first, version("e"))


def test_what_takes_smoke_comes_with_some(models, litert, tmp_path):
    path = models["second"]
    described = json.loads(sidecar.path_of(path).read_text())
    described["inputs"] = [{"name": "fields", "kind": "fields", "dtype": "float32", "shape": [1, 32, 32, 3]}]
    described["output"].update(name="density", kind="density", shape=[1, 128, 128, 1])
    sidecar.path_of(path).write_text(json.dumps(described))
    folder = web(models, tmp_path / "page", litert=litert)
    first, second = json.loads((folder / "zoo.json").read_text())["models"]
    ((example,), none) = second["examples"], first.get("examples")
    assert none is None and example["file"] in (folder / "service-worker.js").read_text()
    smoke = kerasgan.data.sequence(folder / example["file"])
    assert smoke.shape == (56, 32, 32, 3) and smoke[..., 0].mean(axis=(1, 2)).min() > 0.02
    assert f"/{example['file']}" in Bundle(folder).files


def test_names_are_exported(monkeypatch, models, tmp_path):
    asked = []

    def tflite(name, path, quantize):
        asked.append((name, quantize))
        source = models["first"]
        path.write_bytes(source.read_bytes())
        sidecar.path_of(path).write_bytes(sidecar.path_of(source).read_bytes().replace(b"first.tflite", b"x.tflite"))

    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", tflite)
    web("dcgan_celeba", tmp_path / "one")
    folder = web(["dcgan_celeba", "wgan_gp_sprites"], tmp_path / "two", quantize="float16")
    assert asked == [("dcgan_celeba", "dynamic"), ("dcgan_celeba", "float16"), ("wgan_gp_sprites", "float16")]
    assert (folder / "models" / "wgan_gp_sprites.tflite").is_file()


def test_pretrained_models_are_introduced(monkeypatch, models, litert, tmp_path):
    """By plain names, small pictures and pictures to try that come from their sheets, all of them listed and kept."""

    def tflite(name, path, quantize):
        path.write_bytes(models["first"].read_bytes())
        sidecar.path_of(path).write_bytes(sidecar.path_of(models["first"]).read_bytes())

    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", tflite)
    names = ["dcgan_celeba", "wgan_gp_sprites", "srgan_x4"]
    found = contents(web(dict.fromkeys(names) | {"own": models["second"]}, tmp_path / "page", litert=litert))
    zoo = json.loads(found["zoo.json"])
    faces, sprites, photos, own = zoo["models"]
    assert [model["page"]["title"] for model in (faces, sprites, photos)] == ["Faces", "Game sprites", "Enlarge photos"]
    assert sprites["page"]["scaling"] == "hard" and "page" not in own and "thumbnail" not in own
    assert len(photos["examples"]) > 2
    for picture in (*(model["thumbnail"] for model in (faces, sprites, photos)), *photos["examples"]):
        data = found[picture["file"]]
        assert {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} == {
            key: picture[key] for key in ("size", "sha256")
        }
        assert data.startswith(b"\x89PNG") and f'"{picture["file"]}"' in found["service-worker.js"].decode()
        assert len(data) <= (6000 if picture["file"].startswith("thumbnails/") else 20_000)


def test_a_filmstrip_of_a_sheet_becomes_an_animation(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 16, 24, 1), "uint8")
    strip = Video(frames.shape, 8.0).save(frames[None], tmp_path / "strip.png")
    with PIL.Image.open(strip) as picture:
        data = _animated(picture.convert("RGB"), {"shape": [1, 5, 16, 24, 1], "frame_rate": 8.0})
    with PIL.Image.open(io.BytesIO(data)) as animation:
        assert animation.n_frames == 5
        for number, frame in enumerate(frames):
            animation.seek(number)
            np.testing.assert_array_equal(np.asarray(animation.convert("L")), frame[..., 0])
            assert animation.info["duration"] == 125


def test_clips_to_try_are_animations_and_served(monkeypatch, models, tmp_path):
    def tflite(name, path, quantize):
        path.write_bytes(models["first"].read_bytes())
        described = json.loads(sidecar.path_of(models["first"]).read_text())
        given = {"name": "given", "kind": "video", "shape": [1, 5, 32, 32, 1], "range": [0.0, 1.0], "frame_rate": 10.0}
        sidecar.path_of(path).write_text(json.dumps({**described, "inputs": [given]}))

    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", tflite)
    folder = web("dvd_gan_next_frames", tmp_path / "page")
    (model,) = json.loads((folder / "zoo.json").read_text())["models"]
    assert len(model["examples"]) == 4
    for example in model["examples"]:
        assert f"/{example['file']}" in Bundle(folder).files
        with PIL.Image.open(folder / example["file"]) as animation:
            assert (animation.n_frames, animation.size) == (5, (32, 32))


def test_directions_lie_in_the_folder_beside_the_model(models, litert, tmp_path):
    from kerasgan.directions import Direction
    from kerasgan.export.web import directions_of, steer
    from kerasgan.models import DCGAN

    gan = DCGAN(image_shape=(16, 16, 3), latent_dim=6, width=2, seed=1)
    smile = gan.directions(count=1)[0]
    vector = np.arange(6, dtype="float32")
    gan.named_directions = {"smile": smile, "style": Direction(vector, 1.0, "style", "sefa", "styles")}
    path = sidecar.path_of(models["first"])
    described = json.loads(path.read_text())
    described["inputs"][0].update(shape=[1, 6], distribution="uniform")
    path.write_text(json.dumps(described))
    steer(gan, models["first"])
    steer(gan, models["second"])  # which does not say how its latents are drawn
    assert not directions_of(models["second"]).exists()
    found = contents(web(models, tmp_path / "page", litert=litert))
    first, second = json.loads(found["zoo.json"])["models"]
    data = found[first["directions"]["file"]]
    assert {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}.items() < first["directions"].items()
    assert "directions" not in second and f'"{first["directions"]["file"]}"' in found["service-worker.js"].decode()
    known = json.loads(data)
    (named,) = known["named"]  # the page cannot move styles
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(named["vector"]), "<f4"), smile.vector)
    basis = np.frombuffer(base64.b64decode(known["basis"]), "<f4").reshape(-1, 6)
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-5)


def test_a_translator_of_two_directions_has_both(monkeypatch, models, tmp_path):
    def tflite(gan, path, quantize, overwrite=False):
        assert gan in ("cyclegan_noto2twemoji", "the other one")
        path.write_bytes(models["first"].read_bytes())
        sidecar.path_of(path).write_bytes(sidecar.path_of(models["first"]).read_bytes())

    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", tflite)
    monkeypatch.setattr(importlib.import_module("kerasgan.export.web"), "turned", lambda name: "the other one")
    folder = web("cyclegan_noto2twemoji", tmp_path / "page")
    first, back = json.loads((folder / "zoo.json").read_text())["models"]
    assert (first["name"], back["name"]) == ("cyclegan_noto2twemoji", "cyclegan_noto2twemoji_back")
    assert back["of"] == first["name"] and "of" not in first and "thumbnail" not in back
    assert (first["page"]["direction"], back["page"]["direction"]) == ("Noto to Twemoji", "Twemoji to Noto")
    assert len(back["examples"]) == 6 and (folder / back["file"]).is_file()
    assert not {picture["sha256"] for picture in first["examples"]} & {
        picture["sha256"] for picture in back["examples"]
    }


def test_the_other_direction_is_that_of_translate():
    from kerasgan.export.web import turned
    from kerasgan.models import CycleGAN

    gan = CycleGAN((16, 16, 3), width=2, blocks=1, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype="uint8")
    (made,) = turned(gan).samples({"images": images.astype("float32") / 255}).values()
    np.testing.assert_allclose(255 * made, gan.translate(images, direction="b_to_a"), atol=0.51)


def test_every_part_of_a_sheet_that_a_recipe_names_is_there():
    import PIL.Image

    from kerasgan import registry

    for name in registry.ZOO:
        page = registry.get(name).page
        boxes = [*page.get("examples", []), *page.get("back", {}).get("examples", [])]
        for file, left, top, right, bottom in (*filter(None, [page.get("thumbnail")]), *boxes):
            with PIL.Image.open(registry.folder_of(name) / file) as sheet:
                assert 0 <= left < right <= sheet.width and 0 <= top < bottom <= sheet.height, name


@pytest.mark.slow
def test_a_pretrained_model(tmp_path):
    folder = web("vanilla_gan_mnist", tmp_path / "page")
    (model,) = json.loads((folder / "zoo.json").read_text())["models"]
    assert model["name"] == "vanilla_gan_mnist" and model["quantization"] == "dynamic"
    assert (folder / model["file"]).stat().st_size == model["size"]


def test_failure_leaves_nothing_and_changes_nothing(monkeypatch, models, tmp_path):
    folder = web(models, tmp_path / "site" / "page")
    before = contents(folder)

    def fail(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr("kerasgan.export.to_tflite.tflite", fail)
    for target, overwrite in ((folder, True), (tmp_path / "site" / "other", False)):
        with pytest.raises(RuntimeError, match="no"):
            web("dcgan_celeba", target, overwrite=overwrite)
    assert contents(folder) == before
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["page"]


def test_overwrite_replaces_only_what_web_wrote(models, tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    web(models, folder)  # an empty folder is as good as none
    with pytest.raises(FileExistsError, match="overwrite=True"):
        web(models, folder)
    models.pop("second")
    web(models, folder, overwrite=True)
    assert not (folder / "models" / "second.tflite").exists()

    (folder / "CNAME").write_text("example.org")
    before = contents(folder)
    with pytest.raises(FileExistsError, match="did not write: CNAME"):
        web(models, folder, overwrite=True)
    assert contents(folder) == before


@pytest.mark.parametrize("file, text", [("holiday.jpg", ""), ("zoo.json", '{"animals": 3}'), ("zoo.json", "[")])
@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_of_others_are_refused(models, tmp_path, file, text, overwrite):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / file).write_text(text)
    with pytest.raises(FileExistsError, match="holds files; give the name of a new or an empty folder"):
        web(models, folder, overwrite=overwrite)
    assert contents(folder) == {file: text.encode()}


def test_links_and_files_are_no_folders(models, tmp_path):
    web(models, tmp_path / "real")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError, match="not an ordinary folder"):
            web(models, tmp_path / name, overwrite=True)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write in")
def test_folder_that_cannot_be_written(models):
    with pytest.raises(OSError, match="nothing can be written in '/proc"):
        web(models, "/proc/self/page")


@pytest.mark.parametrize(
    "names, error, message",
    [
        ([], ValueError, "expected at least one model"),
        ("dcgan_celebs", ValueError, "dcgan_celeba"),
        (["dcgan_celeba", "../x"], ValueError, r"\.\./x"),
        ([3], ValueError, "3"),
        (3, TypeError, "names=3"),
        ({"x": "nowhere.tflite"}, FileNotFoundError, "nowhere.tflite"),
        ({"a/b": "nowhere.tflite"}, ValueError, "a/b"),
    ],
)
def test_names_that_cannot_be(tmp_path, names, error, message):
    with pytest.raises(error, match=message):
        web(names, tmp_path / "page")
    assert not list(tmp_path.iterdir())


def test_samples_that_the_page_does_not_know_are_refused(models, tmp_path):
    path = sidecar.path_of(models["first"])
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, "output": {**described["output"], "name": "nets", "kind": "mesh"}}))
    with pytest.raises(ValueError, match="'first' makes nets .kind 'mesh'.; the page shows images, "):
        web(models, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_unknown_mode(tmp_path):
    with pytest.raises(ValueError, match="quantize='float8'"):
        web("dcgan_celeba", tmp_path / "page", quantize="float8")
    assert not list(tmp_path.iterdir())


def test_file_that_is_not_its_sidecars(models, tmp_path):
    models["second"].write_bytes(b"something else")
    with pytest.raises(ValueError, match="second.tflite' is not the file that its sidecar describes"):
        web(models, tmp_path / "page")
    sidecar.path_of(models["second"]).unlink()
    with pytest.raises(FileNotFoundError, match="has no sidecar 'second.tflite.json'"):
        web(models, tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("broken", ["nowhere", "file", "version", "json"])
def test_other_copies_of_litert_are_refused(models, litert, tmp_path, broken):
    package = litert / "@litertjs" / "core" / "package.json"
    if broken == "file":
        (litert / "@litertjs" / "core" / "wasm" / "litert_wasm_compat_internal.wasm").unlink()
    elif broken == "version":
        package.write_text('{"version": "2.5.4"}')
    elif broken == "json":
        package.write_text("{")
    path = tmp_path / "nowhere" if broken == "nowhere" else litert
    error = FileNotFoundError if broken in ("nowhere", "file") else ValueError
    with pytest.raises(error, match=f"npm install @litertjs/core@{LITERT_JS}") as caught:
        web(models, tmp_path / "page", litert=path)
    assert str(path) in str(caught.value) and ("2.5.4" in str(caught.value)) == (broken == "version")
    assert not (tmp_path / "page").exists()
