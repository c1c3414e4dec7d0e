"""The page in a real browser with a phone's screen: what it draws is what LiteRT in Python gives."""

import base64
import collections
import csv
import dataclasses
import functools
import importlib.util
import io
import json
import pathlib
import re
import shutil
import struct
import time
import urllib.parse
import wave

import as_script
import numpy as np
import page_tools
import PIL.Image
import pytest

from kerasgan.captions import tokens_of
from kerasgan.data.midi import read_song
from kerasgan.data.svg import read_svg
from kerasgan.export import sidecar
from kerasgan.export.to_tflite import tflite
from kerasgan.export.web import CDN, LITERT_JS, steer, web
from kerasgan.media import Fields, Music, Sketch, Text, Video
from kerasgan.media.music import COLOURS
from kerasgan.media.sketch import fitted, picture
from kerasgan.models import (
    CTGAN,
    DCGAN,
    DFGAN,
    DVDGAN,
    DVDGANFP,
    GAN3D,
    SRGAN,
    GANomaly,
    MuseGAN,
    Pix2Pix,
    RelGAN,
    SkeGAN,
    TempoGAN,
    WaveGAN,
)

SUB_PATH = "/some/where/zoo/"
HTTP_NAME = "phone.test"  # the loopback under a name that browsers do not trust, as a phone sees a computer at home


def _missing():
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed: pip install playwright"
    if page_tools.chromium() is None:
        return "there is no Chromium; KERASGAN_CHROMIUM names one"
    if page_tools.litert() is None:
        return "there is no LiteRT.js: npm install @litertjs/core; KERASGAN_LITERT_JS names its node_modules folder"
    return None


pytestmark = pytest.mark.skipif(_missing() is not None, reason=str(_missing()))


WORDS = {"unit": "word", "vocabulary": ["", "!", "(", "größer", "red", "文"], "length": 6}


@pytest.fixture(scope="module")
def gans():
    """Generators of random weights, spread so that their pictures have contrast; "rgb" has directions with names."""
    found = {
        "grey": DCGAN(image_shape=(16, 24, 1), latent_dim=6, width=2, seed=1),
        "rgb": DCGAN(image_shape=(24, 16, 3), latent_dim=7, width=2, latent="normal", seed=2),
        "rgba": DCGAN(image_shape=(16, 16, 4), latent_dim=6, width=2, latent="normal", seed=3),
        "classes": DCGAN(image_shape=(16, 16, 3), latent_dim=6, width=2, num_classes=3, seed=4),
        "mono": WaveGAN(length=2048, sample_rate=8000, latent_dim=6, width=1, num_classes=3, seed=5),
        "pen": SkeGAN(points=8, scale=30.0, units=8, mixtures=2, width=2, temperature=1.0, seed=3),
        "words": RelGAN(WORDS, units=8, embedding=4, representations=1, width=2, seed=10),
        "told": DFGAN((16, 16, 3), length=24, latent_dim=4, sentence_dim=8, width=4, seed=11),
        "solid": GAN3D(size=8, latent_dim=6, width=2, seed=7),
        "clip": DVDGAN(4, (16, 24, 1), 8.0, latent_dim=6, width=2, judged_frames=1, seed=9),
        "stereo": WaveGAN(length=1024, sample_rate=16000, channels=2, latent_dim=6, width=1, seed=6),
        "voices": MuseGAN(2, 2, 4, 55, 24, ("high ♪", "low"), (73, -1), tempo=300, latent_dim=6, width=4, seed=7),
        "chords": MuseGAN(2, 1, 2, 55, 24, 1, output="binary", latent_dim=6, width=4, seed=8),
    }
    random = np.random.default_rng(0)
    for gan in found.values():
        for weight in gan.ema_generator.weights:
            if "variance" not in weight.path and "seed" not in weight.path:
                weight.assign(np.asarray(weight) + random.normal(0, 0.3, weight.shape))
    first, second = found["rgb"].directions(count=2)
    found["rgb"].named_directions = {
        name: dataclasses.replace(one, name=name) for name, one in (("smile", first), ("a, b: c/d", second))
    }
    return found


@pytest.fixture(scope="module")
def models(gans, tmp_path_factory):
    """Files of these generators."""
    folder = tmp_path_factory.mktemp("models")
    for name, gan in gans.items():
        tflite(gan, folder / f"{name}.tflite", verify=False)
    steer(gans["rgb"], folder / "rgb.tflite")
    tflite(gans["rgba"], folder / "dynamic.tflite", quantize="dynamic", verify=False)
    return {name: folder / f"{name}.tflite" for name in [*gans, "dynamic"]}


@pytest.fixture(scope="module")
def bundle(models, tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    web(models, root / SUB_PATH.strip("/"), litert=page_tools.litert())
    return root


@pytest.fixture(scope="module")
def address(bundle):
    with page_tools.served(bundle) as host:
        yield host + SUB_PATH


@pytest.fixture(scope="module")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright):
    running = page_tools.launch(playwright, f"--host-resolver-rules=MAP {HTTP_NAME} 127.0.0.1")
    yield running
    running.close()


class Visit:
    """A phone that visits the page; notes what the page asks for and complains of."""

    def __init__(self, page, address):
        self.page, self.context, self.address = page, page.context, address
        self.errors, self.asked = [], []
        self._notes = [
            (page, "console", lambda message: message.type == "error" and self.errors.append(message.text)),
            (page, "pageerror", lambda error: self.errors.append(str(error))),
            (page.context, "request", lambda request: self.asked.append(request.url)),
        ]
        for whose, event, note in self._notes:
            whose.on(event, note)

    def leave(self):
        """Leaves the page as if nobody had been there."""
        self.page.evaluate("localStorage.clear()")
        self.page.goto("about:blank")
        for whose, event, note in self._notes:
            whose.remove_listener(event, note)

    def open(self, fragment=""):
        self.page.goto("about:blank")
        self.page.goto(self.address + fragment)
        self.page.evaluate("kerasgan.ready")
        return self

    def run(self, name, inputs):
        values = self.page.evaluate(
            "async ([name, inputs]) => Array.from(await kerasgan.run(name, inputs))",
            [name, {key: np.asarray(value).ravel().tolist() for key, value in inputs.items()}],
        )
        return np.array(values, "float32")

    def state(self):
        return self.page.evaluate(
            "() => { const state = kerasgan.state();"
            "for (const name in state.inputs) state.inputs[name] = Array.from(state.inputs[name]); return state; }"
        )

    def pixels(self):
        """What was drawn last, uint8 RGBA."""
        return self._bytes("kerasgan.pixels()")

    def canvas(self):
        """What the canvas holds, uint8 RGBA."""
        canvas = "document.querySelector('#picture')"
        return self._bytes(f"{canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height)")

    def _bytes(self, image):
        """The RGBA of a JavaScript expression for {width, height, data}: as text, which is quick to bring over."""
        width, height, text = self.page.evaluate(
            f"() => {{ const {{ width, height, data }} = {image}; let text = '';"
            "for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.slice(i, i + 8192));"
            "return [width, height, btoa(text)]; }"
        )
        return np.frombuffer(base64.b64decode(text), "uint8").reshape(height, width, 4)

    def message(self):
        shown = self.page.locator("#message")
        return shown.locator("p").inner_text() if shown.is_visible() else None

    def wait(self, condition, seconds=20):
        """Waits until a JavaScript expression is true. (Playwright's own waiting is against the page's policy.)"""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"{condition} did not come true; message: {self.message()}"
            time.sleep(0.05)

    def wait_for_message(self, pattern):
        self.page.locator("#message p", has_text=re.compile(pattern)).wait_for(timeout=10_000)

    def works(self, name):
        """Whether a model that is chosen by its card then draws a picture."""
        self.page.click(f"#models button[value={name}]")
        self.wait(f"kerasgan.pixels()?.name === '{name}'")
        return self.message() is None


def phone(browser, **options):
    """The only page of a phone that has not been anywhere."""
    return browser.new_context(**{"service_workers": "block", **page_tools.PHONE, **options}).new_page()


@pytest.fixture(scope="module")
def phones():
    """Phones that are free, by how they differ from others.

    A new one takes three times the time to open the page: a browser starts processes for it, fetches the 9 MB of
    LiteRT.js and compiles them.
    """
    return collections.defaultdict(list)


@pytest.fixture
def visit(browser, address, phones):
    """Visits of one test, each with a phone of its own: one that other tests had before, unless it must be `fresh`.

    A page that works has nothing to complain of, and asks no other host, ever.
    """
    visits = []

    def start(
        address=address,
        expect_errors=False,
        fresh=False,
        color_scheme="light",
        reduced_motion="no-preference",
        **options,
    ):
        free = [] if fresh else phones[tuple(options.items())]
        page = free.pop() if free else phone(browser, **options)
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.set_viewport_size(page_tools.PHONE["viewport"])
        visits.append((Visit(page, address), free, fresh, expect_errors))
        return visits[-1][0]

    yield start
    for each, free, fresh, expect_errors in visits:
        if fresh:
            each.context.close()
        else:
            each.leave()
            free.append(each.page)
        hosts = {urllib.parse.urlsplit(url).hostname for url in each.asked if not url.startswith(("blob:", "data:"))}
        assert hosts <= {"127.0.0.1", HTTP_NAME}, hosts
        assert expect_errors or not each.errors


@pytest.fixture
def copy(bundle, tmp_path):
    """A copy of the bundle to break: yields its folder and its address."""
    shutil.copytree(bundle, tmp_path / "copy")
    with page_tools.served(tmp_path / "copy") as host:
        yield tmp_path / "copy" / SUB_PATH.strip("/"), host + SUB_PATH


def change_zoo(folder, change):
    path = folder / "zoo.json"
    zoo = json.loads(path.read_text())
    change({model["name"]: model for model in zoo["models"]})
    path.write_text(json.dumps(zoo))


@functools.cache
def interpreter(path):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(str(path))


def in_python(path, inputs):
    running = interpreter(path).get_signature_runner("serving_default")
    details = running.get_input_details()
    feeds = {name: np.asarray(inputs[name], about["dtype"]).reshape(about["shape"]) for name, about in details.items()}
    (output,) = running(**feeds).values()
    return output[0]


def rgba(image):
    """What a picture of floats in [0, 1] should look like, as floats 0..255."""
    channels = image.shape[-1]
    colours = np.repeat(image, 3, -1) if channels == 1 else image[..., :3]
    alpha = image[..., 3:] if channels == 4 else np.ones_like(image[..., :1])
    return 255 * np.concatenate([colours, alpha], -1)


@pytest.mark.parametrize("name", ["grey", "rgb", "rgba", "dynamic", "classes"])
def test_canvas_equals_litert_in_python(visit, models, name):
    here = visit().open()
    random = np.random.default_rng(3)
    for label in (0, 2):
        latents = random.uniform(-1, 1, 7 if name == "rgb" else 6).astype("float32")
        inputs = {"latents": latents, **({"labels": [label]} if name == "classes" else {})}
        expected = in_python(models[name], inputs)
        assert expected.std() > 0.05
        np.testing.assert_allclose(here.run(name, inputs).reshape(expected.shape), expected, atol=1e-3)
        assert here.pixels().shape == (*expected.shape[:2], 4)
        assert np.abs(here.pixels() - rgba(expected)).max() <= 1
        canvas = here.canvas()
        # A canvas keeps colours multiplied by alpha, in whole numbers: what is nearly transparent comes back coarser.
        seen = canvas[..., 3:] >= 128
        assert seen.mean() > 0.1
        assert (np.abs(canvas - rgba(expected)) * seen).max() <= (2 if expected.shape[-1] == 4 else 1)
        np.testing.assert_array_equal(canvas[..., 3], here.pixels()[..., 3])


def test_first_sample_appears_by_itself_and_can_be_asked_for_again(visit, models):
    here = visit().open()
    assert here.state()["name"] == "grey" and here.pixels().std() > 10 and here.message() is None
    assert here.state()["verified"]
    assert re.fullmatch(r"[\d.]+ ms · median [\d.]+ ms · WebAssembly", here.page.text_content("#latency"))
    fragment = urllib.parse.urlsplit(here.page.url).fragment
    assert fragment == f"grey/{here.state()['seed']}"
    again = visit().open("#" + fragment)
    np.testing.assert_array_equal(again.pixels(), here.pixels())


@pytest.fixture(scope="module")
def translators(models, tmp_path_factory):
    """{name: exported file} of models that take a picture."""
    folder = tmp_path_factory.mktemp("translators")
    gans = {
        "colour": Pix2Pix((16, 24, 3), width=4, seed=1),
        "from_grey": Pix2Pix((16, 16, 3), source_channels=1, width=4, seed=2),
        "with_alpha": Pix2Pix((16, 16, 4), width=4, seed=3),
    }
    random = np.random.default_rng(0)
    for name, gan in gans.items():
        for weight in gan.ema_generator.trainable_weights:
            weight.assign(np.asarray(weight) + random.normal(0, 0.1, weight.shape))
        tflite(gan, folder / f"{name}.tflite", verify=False)
    return {**{name: folder / f"{name}.tflite" for name in gans}, "rgb": models["rgb"]}


@pytest.fixture(scope="module")
def translating(translators, tmp_path_factory):
    """The address of a page with them."""
    root = tmp_path_factory.mktemp("translating")
    web(translators, root / "page", litert=page_tools.litert())
    with page_tools.served(root) as host:
        yield f"{host}/page/"


def test_models_come_to_the_page_while_it_is_open(visit, models, tmp_path):
    """As `kerasgan serve` exports them; what is looked at stays."""
    names = ["rgba", "mono", "words"]
    page, litert = tmp_path / "page", page_tools.litert()
    web({"mono": models["mono"]}, page, litert=litert, preparing=2)
    with page_tools.served(tmp_path) as host:
        here = visit(f"{host}/page/").open("#mono/3")
        note = here.page.locator("#arriving")
        assert note.text_content() == "2 more models are on their way." and not here.page.is_visible("#strip")
        web({name: models[name] for name in names}, page, litert=litert, overwrite=True)
        note.wait_for(state="hidden")
        cards = here.page.locator("#models button")
        assert cards.evaluate_all("cards => cards.map((card) => card.value)") == names
        assert here.page.get_attribute("#models [aria-pressed=true]", "value") == here.state()["name"] == "mono"
        cards.nth(2).tap()
        here.page.locator("#prefix").wait_for()
        assert here.state()["name"] == "words" and not here.page.is_visible("#message")


def choose_file(here, path):
    """Gives the page a picture as a person does, and waits until it is drawn."""
    with here.page.expect_file_chooser() as chooser:
        here.page.tap("#new")
    chooser.value.set_files(path)
    here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    here.page.evaluate("kerasgan.show({})")


@pytest.mark.parametrize("name", ["colour", "from_grey", "with_alpha"])
def test_a_picture_is_translated_as_litert_in_python_does(visit, translators, translating, tmp_path, name):
    here = visit(translating).open(f"#{name}/7")
    height, width = (16, 24) if name == "colour" else (16, 16)
    drawing = here.pixels()  # of discs, before a picture is chosen
    assert drawing.std() > 3
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype="uint8")
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    choose_file(here, tmp_path / "photo.png")
    seen = np.reshape(here.state()["inputs"]["images"], (height, width, -1))
    colours = pixels / 255
    grey = (colours @ [0.299, 0.587, 0.114])[..., None]
    opaque = np.concatenate([colours, np.ones((height, width, 1))], -1)
    wanted = {"colour": colours, "from_grey": grey, "with_alpha": opaque}[name]
    np.testing.assert_allclose(seen, wanted, atol=1e-3)
    expected = in_python(translators[name], {"images": seen})
    assert np.abs(here.pixels() - rgba(expected)).max() <= 1
    assert not np.array_equal(here.pixels(), drawing)
    assert here.page.evaluate("[document.querySelector('#given').width, document.querySelector('#given').height]") == [
        width,
        height,
    ]


def dragged(here, selector, places):
    """Moves a finger through places (x, y) of an element, from 0 to 1, and lifts it; yields how many it has come to."""
    box = here.page.locator(selector).bounding_box()
    session = here.page.context.new_cdp_session(here.page)
    for number, (x, y) in enumerate(places):
        point = {"x": box["x"] + box["width"] * x, "y": box["y"] + box["height"] * y}
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        yield number
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def draw_on_paper(here, places):
    """Draws a stroke through places (x, y) of the paper; yields what is shown when half of it is drawn, and at last."""
    for number in dragged(here, "#canvas canvas", places):
        if number == len(places) // 2:
            here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 150))")
            yield here.pixels()
    here.page.evaluate("kerasgan.show({})")
    yield here.pixels()


def test_what_is_drawn_is_translated_while_it_is_drawn(visit, translators, translating):
    here = visit(translating).open("#colour/7")
    plain = here.pixels()
    here.page.tap("#draw")
    here.page.get_by_role("button", name="Blank paper").tap()
    here.page.evaluate("kerasgan.show({})")
    blank = here.pixels()
    np.testing.assert_allclose(here.state()["inputs"]["images"], 1)
    here.page.get_by_role("button", name="Red").tap()
    here.page.locator("#canvas").get_by_role("button", name="Large").tap()
    half, whole = draw_on_paper(here, [(0.1 + 0.05 * step, 0.25) for step in range(17)])
    assert len({picture.tobytes() for picture in (blank, half, whole)}) == 3
    seen = np.reshape(here.state()["inputs"]["images"], (16, 24, 3))
    np.testing.assert_allclose(seen[4, 4:20], np.broadcast_to([0xD8 / 255, 0x32 / 255, 0x2A / 255], (16, 3)), atol=0.02)
    np.testing.assert_allclose(seen[12:], 1)
    assert np.abs(whole - rgba(in_python(translators["colour"], {"images": seen}))).max() <= 1
    paper = here.page.locator("#canvas canvas")
    paper.focus()
    for key in (" ", "ArrowDown", "ArrowDown", "Enter"):
        paper.press(key)
    here.page.evaluate("kerasgan.show({})")
    assert not np.array_equal(here.pixels(), whole)
    for button, expected in (("Undo", whole), ("Clear", blank)):
        here.page.locator("#canvas").get_by_role("button", name=button).tap()
        here.page.evaluate("kerasgan.show({})")
        np.testing.assert_array_equal(here.pixels(), expected)
    here.page.tap("#draw")  # puts the paper away
    here.page.evaluate("kerasgan.show({})")
    np.testing.assert_array_equal(here.pixels(), plain)
    here.page.tap("#draw")
    assert here.works("from_grey") and here.page.locator("#canvas").is_hidden()


def test_paper_is_in_the_colours_of_the_examples_and_begins_with_one(visit, translators, tmp_path):
    web({"colour": translators["colour"]}, tmp_path / "page", litert=page_tools.litert())
    pixels = np.full((16, 24, 3), 255, "uint8")
    pixels[:, :8], pixels[:, 8:12] = (60, 110, 200), (125, 80, 45)
    PIL.Image.fromarray(pixels).save(tmp_path / "page" / "try.png")
    change_zoo(tmp_path / "page", lambda models: models["colour"].update(examples=[{"file": "try.png"}]))
    with page_tools.served(tmp_path) as host:
        here = visit(f"{host}/page/").open("#colour/7")
        example = here.pixels()
        here.page.tap("#draw")
        here.wait("kerasgan.state() && document.querySelectorAll('#canvas .swatch').length > 0")
        swatches = here.page.locator("#canvas .swatch").all()
        found = {each.get_attribute("aria-label"): each.get_attribute("value") for each in swatches}
        assert list(found) == ["Black", "Blue", "Brown", "White"]
        assert found["Blue"] == "#3c6ec8" and found["Brown"] == "#7d502d"
        here.page.evaluate("kerasgan.show({})")
        assert np.abs(here.pixels().astype(int) - example).mean() < 8  # enlarged and made small again
        here.page.get_by_role("button", name="Blank paper").tap()
        here.page.locator("#examples button").first.tap()
        here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 200)).then(() => kerasgan.show({}))")
        assert np.abs(here.pixels().astype(int) - example).mean() < 8


@pytest.fixture(scope="module")
def upscaler():
    return SRGAN((16, 16, 3), scale=2, width=4, blocks=1, upsampling="direct", tile=16, seed=1)


@pytest.fixture(scope="module")
def enlarging(upscaler, tmp_path_factory):
    """The address of a page with an upscaler that has pictures to try, the cut of a sheet."""
    root = tmp_path_factory.mktemp("enlarging")
    tflite(upscaler, root / "larger.tflite", verify=False)
    web({"larger": root / "larger.tflite"}, root / "page", litert=page_tools.litert())
    PIL.Image.fromarray(_noise(20, 36)).save(root / "page" / "try.png")
    change_zoo(root / "page", lambda models: models["larger"].update(examples=[{"file": "try.png"}]))
    with page_tools.served(root) as host:
        yield f"{host}/page/"


def _noise(height, width):
    """A smooth picture, uint8 (height, width, 3), far from black and white, where files cut tiles off."""
    coarse = np.random.default_rng(4).integers(105, 150, (height // 4, width // 4, 3), dtype="uint8")
    return np.asarray(PIL.Image.fromarray(coarse).resize((width, height), PIL.Image.Resampling.BICUBIC))


def test_a_whole_picture_is_enlarged_in_tiles_as_python_does(visit, upscaler, enlarging, tmp_path):
    here = visit(enlarging).open("#larger/7")
    example = upscaler.upscale(_noise(20, 36), tile=16, overlap=4)  # which the page begins with
    assert here.pixels().shape == (40, 72, 4)
    assert np.abs(here.pixels()[..., :3].astype(int) - example).max() <= 1
    for height, width in ((44, 28), (8, 8)):
        PIL.Image.fromarray(_noise(height, width)).save(tmp_path / "photo.png")
        choose_file(here, tmp_path / "photo.png")
        expected = upscaler.upscale(_noise(height, width), tile=16, overlap=4)
        assert here.pixels().shape == (2 * height, 2 * width, 4)
        assert np.abs(here.pixels()[..., :3].astype(int) - expected).max() <= 1
        np.testing.assert_array_equal(here.canvas(), here.pixels())
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    with PIL.Image.open(waiting.value.path()) as saved:
        assert saved.size == (16, 16)  # as large as it was made
    PIL.Image.fromarray(np.zeros((10, 1100, 3), "uint8")).save(tmp_path / "photo.png")
    choose_file(here, tmp_path / "photo.png")
    assert here.pixels().shape == (10, 1024, 4)  # made smaller first: a phone has the memory then


def test_before_and_after_are_divided_by_a_line_that_keys_move(visit, enlarging):
    here = visit(enlarging).open("#larger/7")
    line = here.page.locator("#wipe")
    line.focus()
    line.press("Home")
    for _ in range(25):
        line.press("ArrowRight")
    edge, whole = here.page.locator("#line").bounding_box(), here.page.locator("#picture").bounding_box()
    assert abs(edge["x"] + edge["width"] / 2 - whole["x"] - 0.25 * whole["width"]) < 1.5
    assert here.page.locator("#before").bounding_box() == whole
    assert here.page.evaluate("document.querySelector('#before').style.clipPath") == "inset(0px 75% 0px 0px)"


@pytest.fixture(scope="module")
def smoke():
    """A generator of random weights that tell on the density, and a sequence of three frames, larger than its tiles."""
    gan = TempoGAN(size=16, width=4, discriminator_width=2, tile=16, seed=1)
    random = np.random.default_rng(0)
    for weight in gan.ema_generator.weights:
        weight.assign(np.asarray(weight) + random.normal(0, 0.15, weight.shape))
    low = gan.shrunk(gan.made_up(Fields((3, 80, 144)), 1, seed=3))[0]
    return gan, low.astype("float16").astype("float32")


@pytest.fixture(scope="module")
def refining(smoke, tmp_path_factory):
    """The address of a page with it, the example of which is short, too."""
    root = tmp_path_factory.mktemp("refining")
    tflite(smoke[0], root / "smoke.tflite", verify=False)
    web({"smoke": root / "smoke.tflite"}, root / "page", litert=page_tools.litert())
    write_smoke(root / "page" / "examples" / "smoke.npz", smoke[1][:2, :16, :16])
    with page_tools.served(root) as host:
        yield f"{host}/page/"


def write_smoke(path, low, save=np.savez_compressed, order="C"):
    """Writes fields (frames, height, width, 3) as a sequence; returns its path."""
    arrays = {"density": low[..., 0], "velocity": low[..., 1:]}
    save(path, **{name: np.asarray(array, order=order) for name, array in arrays.items()})
    return path


def choose_smoke(here, path):
    """Gives the page a sequence, and waits until all frames are there."""
    with here.page.expect_file_chooser() as chooser:
        here.page.tap("#new")
    chooser.value.set_files(path)
    with np.load(path) as arrays:
        height, width = (4 * side for side in arrays["density"].shape[-2:])
    shown = f"kerasgan.pixels()?.width === {width} && kerasgan.pixels().height === {height}"
    here.wait(f"{shown} && document.querySelector('#progress').hidden")


def levels_of(colours):
    """The densities, 0 to 255, that colours of the page stand for: those of the sheets, between a few that it knows."""
    sheets = Fields((1, 1, 256))._colored(np.arange(256)[None, None, :, None] / np.float32(255))[0, 0].astype(float)
    known = range(0, 256, 17)
    palette = np.stack([np.interp(range(256), known, sheets[known, channel]) for channel in range(3)], axis=-1)
    assert np.abs(palette - sheets).max() < 3
    away = np.abs(np.rint(palette) - colours[..., None, :3].astype(float)).sum(axis=-1)
    assert away.min(axis=-1).max() <= 3  # roundings of three colours
    return away.argmin(axis=-1)


def test_smoke_is_made_finer_in_tiles_as_python_does(visit, smoke, refining, tmp_path):
    gan, low = smoke
    made = gan.upscale(low, tile=16, overlap=gan.reach)
    expected = np.rint(255 * np.clip(made[..., 0], 0, 1))
    repeated = np.rint(255 * np.clip(low[..., 0], 0, 1).repeat(4, axis=1).repeat(4, axis=2))
    assert expected.shape == (3, 80, 144) and np.abs(expected - repeated).mean() > 5
    here = visit(refining).open("#smoke/7")
    assert here.page.inner_text("#new") == "Smoke (.npz)" and here.page.locator("#seed").is_hidden()
    example = here.page.locator("#examples").get_by_role("button", name="Example")
    here.wait("kerasgan.pixels()?.width === 64")  # with which it begins
    choose_smoke(here, write_smoke(tmp_path / "low.npz", low.astype("float16")))
    for number in (2, 0, 1):
        here.wait(f"document.querySelector('#picture').dataset.frame === '{number}'")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    with PIL.Image.open(waiting.value.path()) as saved:
        assert saved.n_frames == 3 and saved.info["loop"] == 0
        for number in range(3):
            saved.seek(number)
            assert saved.info["duration"] == 60
            assert np.abs(levels_of(np.asarray(saved.convert("RGB"))) - expected[number]).max() <= 1
    before = "document.querySelector('#before')"
    here.page.tap("#reel")
    assert here.page.get_attribute("#reel", "aria-label") == "Play"
    frame = int(here.page.get_attribute("#picture", "data-frame"))
    context = f"{before}.getContext('2d').getImageData(0, 0, {before}.width, {before}.height)"
    assert np.abs(levels_of(here._bytes(context)) - np.rint(255 * low[frame, ..., 0])).max() <= 1
    assert np.abs(levels_of(here.canvas()) - expected[frame]).max() <= 1
    here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")
    assert int(here.page.get_attribute("#picture", "data-frame")) == frame
    here.page.locator("#reel").press("Enter")
    assert here.page.get_attribute("#reel", "aria-label") == "Pause"
    here.wait(f"document.querySelector('#picture').dataset.frame === '{(frame + 1) % 3}'")
    example.tap()
    here.wait("kerasgan.pixels().width === 64 && kerasgan.pixels().height === 64")


def test_smoke_that_is_smaller_than_a_tile_or_written_otherwise(visit, smoke, refining, tmp_path):
    gan, low = smoke
    here = visit(refining, reduced_motion="reduce").open("#smoke/7")
    ways = {
        "plain": (low[:, :16, :16].astype(">f4"), np.savez, "C"),
        "turned": (low[:2, :17, :16].astype("float64"), np.savez_compressed, "F"),
        "one": (low[None, :1], np.savez, "C"),
        "small": (low[:2, :7, :12], np.savez, "C"),
    }
    for name, (given, save, order) in ways.items():
        write_smoke(tmp_path / f"{name}.npz", given, save, order)
        given = given.reshape(-1, *given.shape[-3:]).astype("float32")
        made = np.rint(255 * np.clip(gan.upscale(given, tile=16, overlap=gan.reach)[..., 0], 0, 1))
        choose_smoke(here, tmp_path / f"{name}.npz")
        frames, height, width = made.shape
        found = levels_of(here.pixels())
        assert found.shape == made[0].shape
        inside = np.abs(found - made[0])[: min(height, 4 * 4 if name == "small" else height)]
        assert inside[:, : width - 12 if name == "small" else width].max() <= 1
        assert here.page.locator("#reel").is_visible() == (frames > 1)
        assert here.page.get_attribute("#picture", "data-frame") == "0"  # still, for people who want less motion


def test_a_file_that_is_no_sequence_of_smoke(visit, smoke, refining, tmp_path):
    low = smoke[1][:2, :16, :16]
    write_smoke(tmp_path / "low.npz", low)
    sound = (tmp_path / "low.npz").read_bytes()
    changed, huge, bomb = (bytearray(sound) for _ in range(3))
    changed[len(sound) // 3] ^= 255
    for content, size in ((huge, 2**27 + 1), (bomb, 200)):  # what it says that the density unpacks to
        struct.pack_into("<I", content, sound.index(b"PK\1\2") + 24, size)
    dense, velocity = low[..., 0], low[..., 1:]
    arrays = {
        "a picture": ({"images": dense}, "has no array “density”"),
        "shapes": ({"density": dense, "velocity": velocity[:1]}, r"shape \(2, 16, 16\) and velocity of \(1,"),
        "whole": ({"density": dense.astype("int32"), "velocity": velocity}, "has no floats in “density”"),
        "two": ({"density": np.stack([dense] * 2), "velocity": np.stack([velocity] * 2)}, "holds 2 sequences"),
        "nan": ({"density": dense * np.float32(np.nan), "velocity": velocity}, "holds NaN"),
        "below": ({"density": dense - 1, "velocity": velocity}, "has a density below 0"),
        "wide": ({"density": np.zeros((1, 1, 1025), "f2"), "velocity": np.zeros((1, 1, 1025, 2), "f2")}, "up to 1024"),
        "long": ({"density": np.zeros((601, 1, 1), "f2"), "velocity": np.zeros((601, 1, 1, 2), "f2")}, "first 600"),
    }
    contents = {
        "text": (b"not an archive", "is no .npz file"),
        "empty": (b"", "is no .npz file"),
        "truncated": (sound[: len(sound) // 2], "was not written to its end"),
        "damaged": (changed, "is damaged"),
        "huge": (huge, "unpacks to 129 MB"),
        "bomb": (bomb, "is damaged"),
    }
    for name, (parts, message) in arrays.items():
        file = io.BytesIO()
        np.savez_compressed(file, **parts)
        contents[name] = file.getvalue(), message
    here = visit(refining, reduced_motion="reduce").open("#smoke/7")
    before = here.pixels()
    for name, (content, message) in contents.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        with here.page.expect_file_chooser() as chooser:
            here.page.tap("#new")
        chooser.value.set_files(tmp_path / f"{name}.npz")
        here.wait_for_message(f"“{name}.npz” .*{message}.* Expected is a sequence of smoke as kerasgan simulate smoke")
        np.testing.assert_array_equal(here.pixels(), before)


def test_controls_fit_what_the_model_takes(visit, translating):
    here = visit(translating).open("#colour/7")
    assert here.page.inner_text("#new") == "Photo or picture"
    for selector, shown in (("#explore", False), ("#seed", False), ("#source", True), ("#given", True)):
        assert here.page.locator(selector).is_visible() == shown
    assert here.works("rgb")
    assert here.page.inner_text("#new") == "New"
    for selector, shown in (("#explore", True), ("#seed", True), ("#source", False), ("#given", False)):
        assert here.page.locator(selector).is_visible() == shown


def test_a_photo_of_any_size_is_turned_upright_and_cropped_in_the_middle(visit, translating, tmp_path):
    sides = np.zeros((60, 180, 3), "uint8")
    sides[:, 45:135] = (200, 100, 50)  # the middle 3:2
    turned = PIL.Image.fromarray(sides).transpose(PIL.Image.Transpose.ROTATE_90)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned.save(tmp_path / "photo.jpg", exif=exif, quality=100)
    here = visit(translating).open("#colour/7")
    choose_file(here, tmp_path / "photo.jpg")
    seen = np.reshape(here.state()["inputs"]["images"], (16, 24, 3))
    np.testing.assert_allclose(seen[:, 2:-2], np.broadcast_to(np.array([200, 100, 50]) / 255, (16, 20, 3)), atol=0.03)
    assert here.works("from_grey")  # the picture stays when the model changes
    seen = np.reshape(here.state()["inputs"]["images"], (16, 16))
    np.testing.assert_allclose(seen, np.full((16, 16), (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255), atol=0.03)


def test_both_directions_of_a_translator(visit, translators, tmp_path):
    root = tmp_path / "both"
    web({name: translators[name] for name in ("colour", "with_alpha", "rgb")}, root, litert=page_tools.litert())

    def other(models):
        models["colour"].update(page={"direction": "there"})
        models["with_alpha"].update(of="colour", page={"direction": "and back", "give": "Give it a spoon."})

    change_zoo(root, other)
    with page_tools.served(root) as host:
        here = visit(f"{host}/").open("#colour/7")
        assert [card.get_attribute("value") for card in here.page.locator("#models button").all()] == ["colour", "rgb"]
        here.page.get_by_role("button", name="and back").tap()
        here.wait("kerasgan.pixels()?.name === 'with_alpha'")
        assert here.page.locator("#source .hint").inner_text().startswith("Give it a spoon. ")
        assert here.page.get_by_role("button", name="and back").get_attribute("aria-pressed") == "true"
        assert here.page.locator("#models button[value=colour]").get_attribute("aria-pressed") == "true"
        assert here.works("rgb") and here.page.locator("#directions").is_hidden()


def test_a_file_that_is_no_picture(visit, translating, tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    here = visit(translating).open("#colour/7")
    before = here.pixels()
    choose_file(here, tmp_path / "notes.png")
    here.wait_for_message("“notes.png” is no picture that this browser can read")
    np.testing.assert_array_equal(here.pixels(), before)
    assert here.works("rgb")


def test_seed_names_a_sample(visit, models):
    here = visit().open("#rgb/7")
    seventh = here.pixels()
    assert here.page.input_value("#seed") == "7"
    np.testing.assert_allclose(seventh, rgba(in_python(models["rgb"], here.state()["inputs"])), atol=1)
    for seed, same in (("8", False), ("7", True)):
        here.page.fill("#seed", seed)
        here.page.keyboard.press("Enter")
        here.wait(f"kerasgan.state().seed === {seed}")
        here.page.evaluate("kerasgan.show({})")
        assert np.array_equal(here.pixels(), seventh) == same
    here.page.fill("#seed", "seven")
    here.page.keyboard.press("Enter")
    here.wait_for_message("“seven” is no seed: .* from 0 to 4294967295")
    assert here.page.input_value("#seed") == "7"


@pytest.mark.parametrize("what", ["#new", "#picture"])
def test_tap_gives_a_new_sample(visit, what):
    here = visit().open("#rgb/7/at=0.5,0.5")
    before = here.pixels()
    here.page.tap(what)
    here.wait("kerasgan.state().seed !== 7")
    here.page.evaluate("kerasgan.show({})")
    assert not np.array_equal(here.pixels(), before)
    assert here.state()["at"] == [0, 0]


def drag(page, places):
    """Drags a finger over the pad, through places (x, y) in [-1, 1], with the touch events of a real screen."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    session = page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(places):
        point = {"x": box["x"] + box["width"] * (1 + x) / 2, "y": box["y"] + box["height"] * (1 - y) / 2}
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("name", ["grey", "rgb"])
def test_dragging_morphs_and_ends_where_the_finger_does(visit, models, name):
    here = visit().open(f"#{name}/7")
    before, middle = here.pixels(), np.array(here.state()["inputs"]["latents"])
    drag(here.page, [(0.02 * i, -0.015 * i) for i in range(31)])
    here.page.evaluate("kerasgan.show({})")
    state = here.state()
    np.testing.assert_allclose(state["at"], (0.6, -0.45), atol=0.01)
    assert not np.array_equal(here.pixels(), before)
    np.testing.assert_allclose(here.pixels(), rgba(in_python(models[name], state["inputs"])), atol=1)
    latents = np.array(state["inputs"]["latents"])
    if name == "grey":  # uniform
        assert np.abs(latents).max() <= 1
    else:  # normal: on the sphere, 0.75 of a right angle away
        length = np.linalg.norm(middle)
        np.testing.assert_allclose(np.linalg.norm(latents), length, rtol=1e-5)
        np.testing.assert_allclose(latents @ middle / length**2, np.cos(np.hypot(*state["at"]) * np.pi / 2), atol=1e-4)
    again = visit().open("#" + urllib.parse.urlsplit(here.page.url).fragment)
    np.testing.assert_array_equal(again.pixels(), here.pixels())


def test_pad_listens_to_keys_and_keeps_to_its_edges(visit):
    here = visit().open("#rgb/7")
    here.page.focus("#pad")
    for _ in range(3):
        here.page.keyboard.press("ArrowUp")
    assert here.state()["at"] == [0, 0.3]
    drag(here.page, [(0, 0), (-0.9, 0.9), (-1.4, 0.95)])
    assert here.state()["at"][0] == -1


def test_sliders_move_the_sample_as_edit_does_in_python(visit, gans):
    gan = gans["rgb"]
    here = visit().open("#rgb/7")
    latents, before = np.array([here.state()["inputs"]["latents"]], "float32"), here.pixels()
    here.page.tap("#steer-tab")
    smile = here.page.get_by_role("slider", name="Smile")
    smile.fill("1.4")
    for _ in range(2):
        smile.press("ArrowRight")  # 0.05 each
    here.page.get_by_role("slider", name="A, b: c/d").fill("-2")
    here.page.evaluate("kerasgan.show({})")
    assert here.state()["strengths"] == {"smile": 1.5, "a, b: c/d": -2}
    moved = gan.edit(gan.edit(latents, "smile", 1.5), "a, b: c/d", -2)
    np.testing.assert_allclose(here.state()["inputs"]["latents"], moved.values[0], atol=1e-6)
    assert np.abs(here.pixels()[..., :3].astype(int) - gan.decode(moved)[0]).max() <= 1
    assert not np.array_equal(here.pixels(), before)
    again = visit().open("#" + urllib.parse.urlsplit(here.page.url).fragment)
    assert again.state()["strengths"] == here.state()["strengths"]
    np.testing.assert_array_equal(again.pixels(), here.pixels())
    here.page.get_by_role("button", name="+1.5: smile back to 0").tap()
    here.wait("!('smile' in kerasgan.state().strengths)")
    here.page.get_by_role("button", name="All back to 0").tap()
    here.page.evaluate("kerasgan.show({})")
    np.testing.assert_array_equal(here.pixels(), before)
    assert here.works("rgba") and here.page.locator("#steer-tab").is_hidden()
    assert here.page.locator("#morph").is_visible() and here.page.locator("#steer").is_hidden()


def test_a_sample_follows_a_finger_on_a_slider_and_new_ones_keep_to_it(visit):
    here = visit().open("#rgb/7/edit=smile:99,nothing:1,a:x")
    assert here.state()["strengths"] == {"smile": 3}  # it is cut, and what is not there is left out
    here.page.tap("#steer-tab")
    box = here.page.get_by_role("slider", name="Smile").bounding_box()
    session, seen = here.page.context.new_cdp_session(here.page), []
    for step in range(5):
        point = {"x": box["x"] + box["width"] * (0.9 - 0.08 * step), "y": box["y"] + box["height"] / 2}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 60))")
        seen.append(here.pixels().tobytes())
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert len(set(seen)) >= 3 and 0.2 < here.state()["strengths"]["smile"] < 0.8
    kept = here.state()["strengths"]
    here.page.tap("#new")
    here.wait("kerasgan.state().seed !== 7")
    assert here.state()["strengths"] == kept


@pytest.mark.parametrize(
    "damage, message", [(b"{}", "bytes instead of"), (None, r"not there \(404\)"), ("length", "of another model")]
)
def test_a_model_whose_directions_are_damaged_says_so_and_works(visit, copy, damage, message):
    folder, address = copy
    path = folder / "directions" / "rgb.json"
    data = {"named": [{"name": "a", "deviation": 1, "vector": "AAAA" * 8}], "basis": ""}
    path.write_text(json.dumps(data)) if damage == "length" else path.write_bytes(damage or b"")
    path.unlink() if damage is None else None
    if damage == "length":
        about = {"file": "directions/rgb.json", **sidecar.fingerprint(path)}
        change_zoo(folder, lambda models: models["rgb"].update(directions=about))
    here = visit(address, expect_errors=damage is None).open("#rgb/7")
    here.wait_for_message("rgb has no sliders here: .*" + message)
    assert here.pixels().std() > 10 and here.page.locator("#steer-tab").is_hidden()
    assert here.works("rgba")


def taken(here, number):
    """Taps on a kept sample, and waits until it is drawn."""
    here.page.locator("#row button").nth(number).tap()
    here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 100)).then(() => kerasgan.show({}))")


def test_samples_are_kept_and_come_back(visit, address):
    here = visit().open("#rgb/7/at=0.5,-0.25/edit=smile:1.5")
    heart = here.page.locator("#keep")
    first, moved = here.pixels(), here.state()["inputs"]["latents"]
    heart.tap()
    assert heart.get_attribute("aria-pressed") == "true" and here.page.locator("#row button").count() == 1
    assert here.works("classes")
    here.page.evaluate("kerasgan.show({seed: 5, label: 2})")
    second = here.pixels()
    assert heart.get_attribute("aria-pressed") == "false"
    heart.tap()
    here.open("#rgb/8")  # they are kept across a reload
    assert here.page.locator("#row button").count() == 2 and here.page.locator("#kept-tools").is_hidden()
    taken(here, 1)
    np.testing.assert_array_equal(here.pixels(), first)
    assert here.state()["strengths"] == {"smile": 1.5} and here.page.locator("#kept-tools").is_visible()
    np.testing.assert_allclose(here.state()["inputs"]["latents"], moved, atol=1e-6)
    here.page.locator("#row button").first.tap()  # of another model
    here.wait("kerasgan.pixels()?.name === 'classes'")
    np.testing.assert_array_equal(here.pixels(), second)
    assert here.state()["label"] == 2
    again = visit().open("#" + urllib.parse.urlsplit(here.page.url).fragment)  # the address is a link to it
    np.testing.assert_array_equal(again.pixels(), second)
    here.page.locator("#mix-with").tap()
    here.page.locator("#row button").nth(1).tap()
    assert "samples of one model" in here.page.inner_text("#kept .hint")
    for left in (1, 0):
        taken(here, 0)
        here.page.get_by_role("button", name="Remove").tap()
        assert here.page.locator("#row button").count() == left
    here.open("#rgb/8")
    assert here.page.locator("#kept").is_hidden()


def test_two_kept_samples_are_mixed_as_python_does(visit, gans):
    here = visit().open("#rgb/7")
    latents = []
    for seed in (7, 8):
        here.page.evaluate(f"kerasgan.show({{seed: {seed}}})")
        latents.append(np.array(here.state()["inputs"]["latents"], "float32"))
        here.page.tap("#keep")
    ends = [here.pixels()]
    taken(here, 1)
    ends.insert(0, here.pixels())
    here.page.locator("#mix-with").tap()
    here.page.locator("#row button").first.tap()
    for share in (30, 80):
        here.page.locator("#mix input").fill(str(share))
        here.page.evaluate("kerasgan.show({})")
        expected = gans["rgb"].latents_between(*latents, share / 100)
        np.testing.assert_allclose(here.state()["inputs"]["latents"], expected, atol=1e-5)
    for share, end in zip((0, 100), ends, strict=True):
        here.page.locator("#mix input").fill(str(share))
        here.page.evaluate("kerasgan.show({})")
        np.testing.assert_array_equal(here.pixels(), end)
    here.page.locator("#mix input").fill("40")
    here.page.evaluate("kerasgan.show({})")
    mixture = here.pixels()
    here.page.tap("#keep")
    here.page.tap("#new")
    here.wait("![7, 8].includes(kerasgan.state().seed)")
    assert here.page.locator("#mix").is_hidden()
    taken(here, 0)
    np.testing.assert_array_equal(here.pixels(), mixture)


def test_links_that_cannot_be_had_say_so_and_break_nothing(visit, models):
    here = visit().open("#rgb/7")
    of = sidecar.read(models["rgb"])["sha256"][:8]
    plain = here.pixels()

    def link(values, of=of):
        return f"#rgb/7/of={of}/z=" + base64.urlsafe_b64encode(np.asarray(values, "<f4").tobytes()).decode().rstrip("=")

    sound = np.linspace(-2, 2, 7, dtype="float32")
    here.open(link(sound))
    np.testing.assert_array_equal(here.state()["inputs"]["latents"], sound)
    assert here.message() is None and not np.array_equal(here.pixels(), plain)
    shown = here.pixels()
    damaged = "holds no latents of rgb, so this is the sample of its seed instead"
    for fragment, message, same in (
        (link(sound, "01234567"), "another version of rgb", shown),
        (link(sound)[:-3], damaged, plain),
        (link(sound)[:-4] + "!!!!", damaged, plain),
        (link(sound[:-1]), damaged, plain),
        (link([*sound[:-1], np.nan]), damaged, plain),
        (link([*sound[:-1], 1e30]), damaged, plain),
        (link(np.zeros(100_000)), "holds more than the latents of rgb", plain),
    ):
        here.page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        here.wait_for_message(message)
        np.testing.assert_array_equal(here.pixels(), same)
    here.open(link(sound, "01234567"))  # one that the page begins with
    here.wait_for_message("another version of rgb")
    assert here.works("rgba")


@pytest.mark.parametrize(
    "name, message", [("QuotaExceededError", "no room to keep more"), ("SecurityError", "not let pages")]
)
def test_a_storage_that_is_full_or_forbidden_gets_a_message(visit, name, message):
    here = visit(fresh=True)
    fail = f"throw new DOMException('no', '{name}')"
    here.page.add_init_script(
        f"Storage.prototype.setItem = () => {{ {fail}; }};" + f"Storage.prototype.getItem = () => {{ {fail}; }};"
    )
    here.open("#rgb/7").page.tap("#keep")
    here.wait_for_message(message)
    assert here.page.locator("#row button").count() == 1 and here.works("rgba")


def test_what_somebody_else_has_stored_is_left_out(visit):
    here = visit().open("#rgb/7")
    rubbish = json.dumps([None, 3, {"model": "rgb"}, {"model": "rgb", "strengths": {"a": "b"}, "z": 4}])
    here.page.evaluate("([name, text]) => localStorage.setItem(name, text)", [f"kerasgan kept {SUB_PATH}", rubbish])
    here.open("#rgb/7")
    assert here.page.locator("#kept").is_hidden() and here.message() is None
    here.page.tap("#keep")
    assert here.page.locator("#row button").count() == 1


def paint(here, places):
    """Paints a stroke through places (x, y) of the picture, from 0 to 1, with a finger; waits for the answer."""
    before = here.page.evaluate("kerasgan.state().painted?.milliseconds ?? null")
    for _ in dragged(here, "#picture", places):
        pass
    here.wait(f"![null, {json.dumps(before)}].includes(kerasgan.state().painted?.milliseconds ?? null)")
    here.page.evaluate("kerasgan.show({})")


@pytest.mark.parametrize("name", ["rgb", "grey"])  # along directions that came with it, and along any
def test_a_sample_follows_what_is_painted_on_it(visit, models, name):
    here = visit().open(f"#{name}/7" + "/edit=smile:1" * (name == "rgb"))
    here.page.tap("#paint-tab")
    white = here.page.get_by_role("button", name="White")
    white.tap()
    assert white.get_attribute("aria-pressed") == "true"
    shown, latents = [here.pixels()], [here.state()["inputs"]["latents"]]
    height, width = shown[0].shape[:2]
    area = np.s_[: height // 4, : width // 2, :3]
    for row in (0.1, 0.2):
        paint(here, [(0.02 + 0.05 * step, row) for step in range(10)])
        shown.append(here.pixels())
        latents.append(here.state()["inputs"]["latents"])
    here.page.evaluate("kerasgan.show({})")
    far = [np.mean((250.0 - picture[area]) ** 2) for picture in shown]
    assert far[1] < 0.98 * far[0] and far[2] < far[0]  # as near as six latents bring it
    painted = here.state()
    assert painted["painted"]["milliseconds"] < 5000 and painted["painted"]["steps"] > 0
    assert np.abs(painted["inputs"]["latents"]).max() <= (1 if name == "grey" else 4.5)
    assert np.abs(here.pixels() - rgba(in_python(models[name], painted["inputs"]))).max() <= 1
    again = visit().open("#" + urllib.parse.urlsplit(here.page.url).fragment)
    np.testing.assert_array_equal(again.pixels(), here.pixels())
    for earlier, known in ((shown[1], latents[1]), (shown[0], latents[0])):
        here.page.click("#unpaint")  # of a tap headless Chromium sometimes makes no click after a second visit
        here.wait(f"String(kerasgan.state().inputs.latents) === String(new Float32Array({json.dumps(known)}))")
        here.page.evaluate("kerasgan.show({})")
        np.testing.assert_array_equal(here.pixels(), earlier)
    assert here.message() is None and here.works("solid") and here.page.locator("#paint-tab").is_hidden()


def test_painting_by_keys_and_in_colours_of_the_picture(visit):
    here = visit().open("#rgb/7")
    here.page.tap("#paint-tab")
    before = here.pixels()
    here.page.get_by_role("button", name="Pick a colour from the picture").tap()
    box = here.page.locator("#picture").bounding_box()
    here.page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    picked = here.page.get_by_role("button", name="Picked colour")
    height, width = before.shape[:2]
    colour = before[int(0.9 * height), int(0.9 * width), :3]
    assert picked.get_attribute("value") == "#" + "".join(f"{value:02x}" for value in colour)
    assert picked.get_attribute("aria-pressed") == "true" and here.state()["base"] is None  # nothing was painted
    here.page.get_by_role("button", name="Red").tap()
    here.page.get_by_role("button", name="Large").tap()
    here.page.locator("#picture").focus()
    for key in (" ", "ArrowUp", "ArrowUp", "ArrowLeft", "Enter"):
        here.page.keyboard.press(key)
    here.wait("kerasgan.state().painted")
    here.page.evaluate("kerasgan.show({})")
    assert not np.array_equal(here.pixels(), before)
    here.page.tap("#repaint")
    here.page.evaluate("new Promise((resolve) => setTimeout(resolve, 50)).then(() => kerasgan.show({}))")
    np.testing.assert_array_equal(here.pixels(), before)
    here.page.tap("#new")  # with other samples, strokes are gone
    here.wait("kerasgan.state().seed !== 7")
    other = here.state()["seed"]
    here.page.tap("#unpaint")
    assert here.state()["seed"] == other and here.state()["base"] is None


def test_one_inference_at_a_time_while_dragging(visit):
    """However fast a finger is, no position waits in a queue: the newest one is drawn and the others are left out."""
    here = visit().open("#rgb/7")
    here.page.evaluate(
        "async () => { window.drawn = 0; const canvas = document.querySelector('#picture');"
        "const put = CanvasRenderingContext2D.prototype.putImageData;"
        "CanvasRenderingContext2D.prototype.putImageData = function (...a) {"
        "  if (this.canvas === canvas) window.drawn++; return put.apply(this, a); };"
        "const all = []; for (let i = 0; i <= 100; i++) all.push(kerasgan.show({at: [i / 100, 0]}));"
        "await Promise.all(all); }"
    )
    assert 1 <= here.page.evaluate("drawn") <= 3
    assert here.state()["at"] == [1, 0]
    place = here.pixels()
    here.page.evaluate("kerasgan.show({at: [1, 0]})")
    np.testing.assert_array_equal(here.pixels(), place)


def test_class_is_chosen_by_a_chip(visit, models):
    here = visit().open("#classes/7")
    chips = here.page.locator("#classes button")
    assert chips.all_inner_texts() == ["0", "1", "2"]
    assert chips.nth(0).get_attribute("aria-pressed") == "true"
    before = here.pixels()
    chips.nth(2).tap()
    here.page.evaluate("kerasgan.show({})")
    assert here.state()["inputs"]["labels"] == [2] and here.page.url.endswith("#classes/7/class=2")
    assert not np.array_equal(here.pixels(), before)
    np.testing.assert_allclose(here.pixels(), rgba(in_python(models["classes"], here.state()["inputs"])), atol=1)
    here.page.click("#models button[value=rgb]")
    assert here.page.locator("#classes").is_hidden()


def test_names_of_classes_are_on_the_chips(visit, copy):
    folder, address = copy
    change_zoo(folder, lambda models: models["classes"]["inputs"][1].update(classes=["Shirt", "<b>Bag</b>", "Boot"]))
    here = visit(address).open("#classes/7")
    assert here.page.locator("#classes button").all_inner_texts() == ["Shirt", "<b>Bag</b>", "Boot"]


def test_thumbnails_are_samples_to_take(visit, models):
    here = visit().open("#rgba/7")
    here.page.tap("#more-tab")
    here.wait(
        "[...document.querySelectorAll('#thumbnails canvas')].every((canvas) => canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"
    )
    buttons = here.page.locator("#thumbnails button")
    seeds = [int(buttons.nth(i).get_attribute("value")) for i in range(buttons.count())]
    assert len(set(seeds)) == 9
    buttons.nth(4).tap()
    here.page.evaluate("kerasgan.show({})")
    assert here.state()["seed"] == seeds[4]
    here.page.tap("#others")
    assert int(buttons.nth(4).get_attribute("value")) != seeds[4]


def test_saved_picture_is_the_sample_enlarged(visit):
    import io

    import PIL.Image

    here = visit().open("#rgb/7")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == "rgb-7.png"
    with open(waiting.value.path(), "rb") as file:
        saved = np.array(PIL.Image.open(io.BytesIO(file.read())).convert("RGBA"))
    pixels = here.pixels()
    factor = 1024 // max(pixels.shape)
    np.testing.assert_array_equal(saved, pixels.repeat(factor, 0).repeat(factor, 1))


# Sounds: what is played is noted where the page hands it to the browser.

LISTEN = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...a) {
    const { buffer, context } = this;
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => Array.from(buffer.getChannelData(i)));
    window.heard.push({ rate: buffer.sampleRate, channels });
    return start.apply(this, a);
  };
}"""


def sound_of(path, state, output="sounds"):
    inputs = state["inputs"]
    running = interpreter(path).get_signature_runner("serving_default")
    details = running.get_input_details()
    feeds = {n: np.asarray(inputs[n], about["dtype"]).reshape(about["shape"]) for n, about in details.items()}
    return running(**feeds)[output][0]


def heard(here, count):
    """The sounds that were played so far, (samples, channels) and rate of the last one; there must be `count`."""
    here.wait(f"heard.length >= {count}")
    assert here.page.evaluate("heard.length") == count
    last = here.page.evaluate("heard.at(-1)")
    return np.array(last["channels"], "float32").T, last["rate"]


@pytest.mark.parametrize(("name", "rate"), [("mono", 8000), ("stereo", 16000)])
def test_sound_is_what_litert_makes_in_python(visit, models, name, rate):
    here = visit().open(f"#{name}/7")
    here.page.evaluate(LISTEN)
    assert here.page.evaluate("heard.length") == 0 and not here.state()["playing"]  # no sound without a finger
    here.page.tap("#play")
    played, found = heard(here, 1)
    expected = sound_of(models[name], here.state())
    assert found == rate and expected.std() > 0.01
    np.testing.assert_allclose(played, expected, atol=1e-3)


def outlines(samples):
    """First and last row of each channel's waveform in each of 1024 columns, on 512 rows: drawn anew."""
    count, channels = samples.shape
    lane = 512 // channels
    middles, half = lane * (np.arange(channels) + 0.5), lane / 2 - 3
    found = []
    for column in range(1024):
        part = samples[column * count // 1024 : (column + 1) * count // 1024 + 1]
        found.append([middles - part.max(0) * half, middles - part.min(0) * half])
    return np.transpose(found, (2, 0, 1))


@pytest.mark.parametrize("name", ["mono", "stereo"])
def test_waveform_is_drawn(visit, models, name):
    here = visit().open(f"#{name}/7")
    expected = outlines(sound_of(models[name], here.state()))
    drawn = here.page.evaluate(
        "(lanes) => { const { width, height, data } = document.querySelector('#picture').getContext('2d')"
        "  .getImageData(0, 0, 1024, 512); const found = [];"
        "for (let lane = 0; lane < lanes; lane++) for (let x = 0; x < width; x++) { const rows = [];"
        "  for (let y = (lane * height) / lanes; y < ((lane + 1) * height) / lanes; y++)"
        "    if (data[4 * (y * width + x) + 3] > 127) rows.push(y);"
        "  found.push([rows[0], rows.at(-1)]); } return found; }",
        len(expected),
    )
    drawn = np.array(drawn, float).reshape(expected.shape)  # in every column: a line without gaps
    assert np.abs(drawn + 0.5 - expected).max() < 4
    assert np.ptp(drawn, axis=(1, 2)).min() > 20


def test_fingers_choose_sounds_and_hear_them(visit):
    here = visit().open("#mono/7")
    here.page.evaluate(LISTEN)
    here.page.tap("#play")
    first, _ = heard(here, 1)
    here.wait("!kerasgan.state().playing")
    here.page.tap("#picture")
    again, _ = heard(here, 2)
    np.testing.assert_array_equal(first, again)
    assert here.state()["seed"] == 7
    here.page.locator("#classes button").nth(2).tap()
    other, _ = heard(here, 3)
    assert not np.array_equal(first, other) and here.state()["label"] == 2
    here.page.tap("#new")
    heard(here, 4)
    assert here.state()["seed"] != 7
    drag(here.page, [(0, 0), (0.3, 0.3), (0.5, -0.5)])  # many places, one sound: that of the last
    place, _ = heard(here, 5)
    here.page.focus("#pad")
    here.page.keyboard.press("ArrowLeft")
    key, _ = heard(here, 6)
    assert not np.array_equal(place, key)
    assert here.message() is None


def test_play_button_stops_too_and_so_does_another_model(visit):
    here = visit().open("#mono/7")
    # Sounds as long as it takes to look at them.
    here.page.evaluate(
        "() => { const play = BaseAudioContext.prototype.createBuffer; BaseAudioContext.prototype.createBuffer ="
        "function (channels, length, rate) { return play.call(this, channels, 60 * rate, rate); }; }"
    )
    button = here.page.locator("#play")
    assert button.get_attribute("aria-label") == "Play"
    button.tap()
    here.wait("kerasgan.state().playing")
    assert button.get_attribute("aria-label") == "Stop"
    assert here.page.evaluate("document.querySelector('#needle').getAnimations().length") == 1
    button.tap()
    assert not here.state()["playing"] and button.get_attribute("aria-label") == "Play"
    button.tap()
    here.wait("kerasgan.state().playing")
    here.page.click("#models button[value=rgb]")
    here.wait("kerasgan.pixels()?.name === 'rgb'")
    assert not here.state()["playing"] and button.is_hidden()
    assert here.page.evaluate("document.querySelector('#needle').getAnimations().length") == 0


def test_images_make_no_sound(visit):
    here = visit().open("#classes/7")
    here.page.evaluate(LISTEN)
    here.page.evaluate("() => { window.AudioContext = class { constructor() { throw new Error('not wanted'); } }; }")
    for what in ("#new", "#picture", "#classes button"):
        here.page.locator(what).last.tap()
    drag(here.page, [(0, 0), (0.3, 0.3)])
    here.page.evaluate("kerasgan.show({})")
    assert here.page.evaluate("heard.length") == 0 and here.message() is None


def test_sound_that_cannot_be_played_gets_a_message(visit):
    here = visit().open("#mono/7")
    here.page.evaluate("() => { BaseAudioContext.prototype.createBuffer = () => { throw new Error('no device'); }; }")
    here.page.tap("#play")
    here.wait_for_message("The sound could not be played: no device")


@pytest.mark.parametrize(("name", "rate"), [("mono", 8000), ("stereo", 16000)])
def test_saved_sound_is_a_wav_file(visit, models, name, rate):
    here = visit().open(f"#{name}/7")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == f"{name}-7.wav"
    expected = sound_of(models[name], here.state())
    with wave.open(str(waiting.value.path())) as file:
        found = (file.getframerate(), file.getsampwidth(), file.getnchannels(), file.getnframes())
        assert found == (rate, 2, expected.shape[1], len(expected))
        samples = np.frombuffer(file.readframes(len(expected)), "<i2").reshape(expected.shape)
    assert np.abs(samples - 32768 * expected.clip(-1, 1)).max() < 40  # 1e-3: what LiteRT here and there differ by


def test_shared_sound_is_a_wav_file(visit):
    here = visit().open("#mono/7")
    here.page.evaluate(
        "() => { navigator.canShare = () => true; document.querySelector('#share').hidden = false;"
        "navigator.share = async ({ files }) => { window.shared = [files[0].name, files[0].type, files[0].size]; }; }"
    )
    here.page.tap("#share")
    here.wait("window.shared")
    assert here.page.evaluate("shared") == ["mono-7.wav", "audio/wav", 44 + 2 * 2048]


def rolls_of(path, state, media):
    """The notes that LiteRT in Python makes of the page's inputs: booleans (1, steps, pitches, tracks)."""
    return media.to_natural(sound_of(path, state, "pieces")[None])


MUSIC = {
    "voices": Music(2, 2, 4, 55, 24, ("high ♪", "low"), (73, -1), tempo=300, monophonic=True),
    "chords": Music(2, 1, 2, 55, 24, 1),
}


@pytest.mark.parametrize("name", MUSIC)
def test_music_is_drawn_and_heard(visit, models, name):
    here = visit().open(f"#{name}/7")
    here.page.evaluate(LISTEN)
    media, state = MUSIC[name], here.state()
    roll = rolls_of(models[name], state, media)[0]
    assert roll.any() and not roll.all()
    drawn = here.canvas()
    steps, pitches, _ = media.shape
    assert drawn.shape == (8 * pitches, 16 * steps, 4)
    middles = drawn[4::8, 8::16][::-1].transpose(1, 0, 2)  # (steps, pitches, RGBA)
    np.testing.assert_array_equal(middles[..., 3] == 255, roll.any(axis=2))
    for track in reversed(range(roll.shape[2])):  # the first one is on top
        alone = roll[..., track] & ~roll[..., :track].any(axis=2)
        assert (middles[alone][:, :3] == COLOURS[track]).all()
    here.page.tap("#play")
    played, rate = heard(here, 1)
    assert rate == 22050 and len(played) / rate == pytest.approx(steps * media.seconds, abs=0.01)
    assert np.abs(played).max() == pytest.approx(0.9, abs=1e-3)
    if name == "chords":  # without drums, which are noise: the tones of the preview that Python saves
        with wave.open(io.BytesIO(media._wav(roll))) as file:
            expected = np.frombuffer(file.readframes(len(played)), "<i2") / 32768
        np.testing.assert_allclose(played[: len(expected), 0], expected, atol=2e-3)


@pytest.mark.parametrize("name", MUSIC)
def test_saved_music_is_a_midi_file(visit, models, name):
    import mido

    here = visit().open(f"#{name}/7")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == f"{name}-7.mid"
    media = MUSIC[name]
    expected = rolls_of(models[name], here.state(), media)
    song = read_song(waiting.value.path().read_bytes())
    notes = np.column_stack([song.about[:, 0] - 1, np.rint(song.notes * media.resolution), song.about[:, 3]])
    assert sorted(notes.astype(int).tolist()) == sorted(media.notes(expected[0]).tolist())
    assert song.metres == [(0, media.beats)] and tuple(song.names.values()) == media.tracks
    drums = {media.tracks[track - 1] for track, channel, *_ in song.about.tolist() if channel == 9}
    assert drums <= {track for track, program in zip(media.tracks, media.programs, strict=True) if program < 0}
    tempos = [m.tempo for m in mido.MidiFile(waiting.value.path()) if m.type == "set_tempo"]
    assert [mido.tempo2bpm(tempo) for tempo in tempos] == [pytest.approx(media.tempo)]


def test_sounds_have_small_pictures_of_their_own(visit):
    here = visit().open("#mono/7")
    here.page.tap("#more-tab")
    here.wait(
        "[...document.querySelectorAll('#thumbnails canvas')].every((canvas) => canvas.width === 96 && "
        "canvas.getContext('2d').getImageData(0, 0, 96, 96).data.some(Boolean))"
    )
    here.page.evaluate(LISTEN)
    here.page.locator("#thumbnails button").nth(3).tap()
    heard(here, 1)


def solid_of(model, state):
    """The cells that LiteRT makes in Python, bool (x, y, z)."""
    return in_python(model, state["inputs"])[..., 0] > 0.5


def test_a_solid_is_drawn_and_turned_by_a_finger_and_by_keys(visit, models):
    """Its outline is as wide as its cells are on the screen; a whole turn shows the same again."""
    here = visit().open("#solid/7")
    cells = np.argwhere(solid_of(models["solid"], here.state()))
    assert len(cells) > 20
    drawn = np.flatnonzero(here.pixels()[..., 3].any(axis=0))
    corners = (cells[:, None] + np.argwhere(np.ones((2, 2, 2)))).reshape(-1, 3)
    right = (corners[:, :2] - 4).sum(axis=1) / np.sqrt(2)  # seen from the front and the right: along x + y
    # A cube of 8 cells fits in, whose floor, seen at 30 degrees, is half as high as wide, and stands 8 cos 30 high.
    scale = 512 / max(np.hypot(8, 8), np.hypot(8, 8) / 2 + 8 * np.sqrt(3) / 2)
    np.testing.assert_allclose(drawn[[0, -1]], 256 + scale * np.array([right.min(), right.max()]), atol=3)

    def brightness():
        return here.page.evaluate("kerasgan.pixels().data.reduce((sum, value) => sum + value) / 1000")

    def drag(share):
        box = here.page.locator("#picture").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        here.page.mouse.move(x - share / 2 * box["width"], y)
        here.page.mouse.down()
        here.page.mouse.move(x + share / 2 * box["width"], y, steps=3)
        here.page.mouse.up()

    first = brightness()
    drag(0.11)
    turned = brightness()
    assert abs(turned - first) > 1e-3 * first
    drag(0.89)
    assert brightness() == pytest.approx(first, rel=1e-3)  # rounding of pixels
    assert here.state()["seed"] == 7  # these were no taps
    here.page.focus("#picture")
    here.page.keyboard.press("ArrowLeft")
    assert abs(brightness() - first) > 1e-4 * first
    here.page.tap("#picture")
    here.wait("kerasgan.state().seed !== 7")


def test_a_saved_solid_is_a_closed_surface_of_its_cells(visit, models):
    """A GLB file, by the specification of glTF 2.0: it encloses as much as there are cells."""
    here = visit().open("#solid/7")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == "solid-7.glb"
    content = waiting.value.path().read_bytes()
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", content)
    assert (magic, version, length, kind) == (b"glTF", 2, len(content), b"JSON")
    document = json.loads(content[20 : 20 + size])
    data = content[28 + size :]
    points, _, triangles = (
        np.frombuffer(data[view["byteOffset"] :][: view["byteLength"]], kind).reshape(-1, 3)
        for view, kind in zip(document["bufferViews"], ("<f4", "<f4", "<u4"), strict=True)
    )
    cells = solid_of(models["solid"], here.state())
    assert np.linalg.det(points[triangles].astype("float64")).sum() / 6 == pytest.approx(cells.sum())
    assert document["accessors"][0]["max"] == points.max(axis=0).tolist()
    places = np.argwhere(cells)
    assert points[:, 1].max() == places[:, 2].max() + 1  # up


def lines_of(path, inputs):
    """The lines that LiteRT draws in Python, behind the rows that the model is given."""
    media, given = Sketch(8, 30.0), np.reshape(inputs["given"], (8, 5))
    rows = np.where(given.any(axis=1, keepdims=True), given, sound_of(path, {"inputs": inputs}, "sketches"))
    return media.strokes(media.to_natural(rows[None])[0])


def seek(here, path, wanted):
    """Shows the first sketch of the seeds from 7 on whose lines are as wanted, and returns these."""
    for seed in range(7, 100):
        here.page.evaluate(f"kerasgan.show({{seed: {seed}}})")
        lines = lines_of(path, here.state()["inputs"])
        if wanted(lines):
            return lines
    raise AssertionError("no such sketch")


@pytest.mark.parametrize("lines", [1, 2])  # one: a dot
def test_a_sketch_is_drawn_and_saved_as_svg(visit, models, lines):
    """Its paths are the lines that LiteRT draws in Python, and the picture is dark where they are."""
    here = visit(reduced_motion="reduce").open("#pen/7")
    expected, random = [], np.random.default_rng(0)
    while len(expected) != lines or (lines == 1 and len(expected[0]) > 1):
        inputs = {"latents": random.normal(size=56).astype("float32"), "given": np.zeros(40, "float32")}
        expected = lines_of(models["pen"], inputs)
    here.run("pen", inputs)
    expected = fitted(expected, 512)
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == "pen-7.svg"
    found = read_svg(waiting.value.path().read_bytes())
    assert len(found) == len(expected)
    drawn = here.canvas()
    for line, wanted in zip(found, expected, strict=True):
        assert np.abs(line[[0, -1]] - wanted[[0, -1]]).max() < 8  # that is rounded to units
        assert (drawn[*line.round().astype(int).T[::-1]][:, :3] < 60).all()
    assert (drawn[:4] == 255).all()


def test_what_a_picture_is_to_show_is_typed(visit, models):
    """The picture is that of the typed text; the bytes that the page makes of texts are those that Python makes."""
    here = visit().open("#told/7")
    field, pictures = here.page.locator("#text"), []
    assert field.input_value() == here.page.locator("#caption .chips button").first.inner_text() == "a red heart"
    for text in ("A  green Star", "größer 心 🌈"):
        field.fill(text)
        field.press("Enter")
        here.wait(f"kerasgan.state().text === {json.dumps(text)}")
        here.page.evaluate("kerasgan.show({})")
        inputs = here.state()["inputs"]
        assert inputs["text"] == tokens_of([text], 24)[0].tolist()
        assert np.abs(here.pixels() - rgba(in_python(models["told"], inputs))).max() <= 1
        pictures.append(here.pixels())
    assert not np.array_equal(*pictures)
    again = visit().open("#" + urllib.parse.urlsplit(here.page.url).fragment)
    assert again.state()["text"] == "größer 心 🌈"
    np.testing.assert_array_equal(again.pixels(), pictures[-1])
    here.page.locator("#caption .chips button").first.tap()
    here.wait("kerasgan.state().text === 'a red heart'")
    assert here.works("grey") and here.page.locator("#caption").is_hidden()

    random = np.random.default_rng(0)
    letters = np.array(list("abcXYZ 09.,-'äÖß\u00e9\u4e2d\u5fc3\u0416\u05d0\U0001f308\u200d\t\n"))
    texts = ["", " ", *("".join(random.choice(letters, random.integers(0, 20))) for _ in range(1000))]
    made = here.page.evaluate(
        "async (texts) => { const { bytesOf } = await import('./captions.js');"
        "return texts.map((text) => Array.from(bytesOf(text, 32))); }",
        texts,
    )
    np.testing.assert_array_equal(made, tokens_of(texts, 32, cut=True))


def test_a_text_is_shown_and_saved_as_it_is_written(visit, models):
    """The string that LiteRT writes in Python; its picture is dark on white, and another one for another text."""
    here = visit().open("#words/7")
    media, pictures = Text(WORDS), {}
    for seed in range(7, 40):
        here.page.evaluate(f"kerasgan.show({{seed: {seed}}})")
        text = media.written(sound_of(models["words"], here.state(), "texts").ravel().tolist())
        pictures[text] = here.canvas().copy()
        if "größer" in text and "!" in text and len(pictures) > 1:
            break
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == f"words-{seed}.txt"
    assert waiting.value.path().read_text(encoding="utf-8") == f"{text}\n" and "größer" in text
    drawn = pictures.pop(text)
    assert (drawn[..., :3] < 60).any() and (drawn[:4] == 255).all() and (drawn[:, :4] == 255).all()
    assert not any(np.array_equal(drawn, other) for other in pictures.values())


def test_texts_begin_with_what_is_typed(visit, models):
    here = visit().open("#words/7")
    media, field = Text(WORDS), here.page.locator("#prefix")
    field.fill(" größer (")
    here.page.evaluate("kerasgan.show({})")
    inputs = here.state()["inputs"]
    given = np.reshape(inputs["given"], media.shape)
    np.testing.assert_array_equal(given[:2], media.to_model(["größer ("])[0][:2])
    assert not given[2:].any()
    own = sound_of(models["words"], {"inputs": inputs}, "texts").ravel().tolist()
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    written = waiting.value.path().read_text(encoding="utf-8")
    assert written == media.written([3, 2, *own[2:]]) + "\n" and written.startswith("größer (")
    fragment = urllib.parse.urlsplit(here.page.url).fragment
    field.fill("green")
    here.wait_for_message("“green” is no word that this model knows")
    assert here.state()["prefix"] == " größer ("
    field.fill("red " * 6)
    here.wait_for_message("up to 6 words: begin with fewer")
    again = visit().open("#" + fragment)
    np.testing.assert_array_equal(again.pixels(), here.pixels())
    assert again.page.input_value("#prefix") == " größer (" and again.works("grey")
    assert again.page.locator("#beginning").is_hidden()


MODES = {"modes": [[0.5, 2.0, 1.0], [0.5, 9.0, 0.0]], "missing": 0, "shares": [0.05] * 20}
COLUMNS = [
    {"name": "word", "kind": "categorical", "values": ["größer", 'a, "b"', None], "counts": [3, 2, 1]},
    {"name": "size", "kind": "number", "least": 0.0, "most": 9.0, "decimals": 2, **MODES, "missing": 1},
    {"name": "id", "kind": "identifier"},
    {"name": "land", "kind": "constant", "values": ["x"], "counts": [6]},
    {"name": "old: enough", "kind": "boolean", "values": [False, True], "counts": [3, 3]},
    {"name": "count", "kind": "integer", "least": 0.0, "most": 9.0, "decimals": 0, **MODES},
    {"name": "day", "kind": "datetime", "least": 0.0, "most": 864e4, "step": 86400, **MODES, "format": "%d %B %Y"},
]
COLUMNS[-1]["modes"] = [[1.0, 432e4, 108e4]]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The file of a model that makes rows of `COLUMNS`, and the address of a page with it."""
    root = tmp_path_factory.mktemp("tables")
    gan = CTGAN({"columns": COLUMNS, "associations": [[1.0] * 5] * 5}, latent_dim=6, units=8, blocks=1, seed=1)
    random = np.random.default_rng(0)
    for weight in gan.ema_generator.trainable_weights:
        weight.assign(np.asarray(weight) + random.normal(0, 0.3, weight.shape))
    tflite(gan, root / "people.tflite", verify=False)
    tflite(DCGAN(image_shape=(16, 16, 3), latent_dim=6, width=2, seed=2), root / "rgb.tflite", verify=False)
    web({name: root / f"{name}.tflite" for name in ("people", "rgb")}, root / "page", litert=page_tools.litert())
    with page_tools.served(root) as host:
        yield root / "people.tflite", f"{host}/page/"


class Draws:
    """Stands in for numpy's generator: choices by the uniform numbers of the page, from 1 down to 0."""

    def __init__(self, uniform):
        self._uniform = iter(uniform)

    def choice(self, count, p):
        return min(count - 1, int(np.searchsorted(np.cumsum(p), 1 - next(self._uniform), side="right")))


@functools.cache
def example_that_decodes():
    return as_script.load(pathlib.Path(__file__).parents[2] / "examples" / "decode_table.py")


def decoded_in_python(path, here, seed, where=None):
    """Rows of a seed as the example that goes without kerasgan has them, for the page's inputs and draws."""
    given = here.page.evaluate(
        "async ([seed, where]) => { const { decisions, feeder } = await import('./kinds.js');"
        "const model = (await (await fetch('zoo.json')).json()).models[0];"
        "const asked = { where, at: [0, 0], named: [], strengths: {} };"
        "return Array.from({ length: 20 }, (_, row) => { const inputs = feeder(model, seed, null, row)(asked);"
        "  const uniform = decisions(model, seed, row);"
        "  return { latents: [...inputs.latents], condition: [...inputs.condition], "
        "    uniform: Array.from({ length: 9 }, uniform) }; }); }",
        [seed, where],
    )
    described = sidecar.read(path)["output"]
    decoded = example_that_decodes().decoded
    return given, [decoded(in_python(path, one), described, Draws(one["uniform"])) for one in given]


def rows_shown(here):
    cells = here.page.evaluate(
        "[...document.querySelectorAll('#sheet tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return cells[0], cells[1:]


def test_rows_are_what_the_example_decodes_in_python(visit, table):
    path, address = table
    here = visit(address).open("#people/7")
    names, shown = rows_shown(here)
    assert names == ["word", "size", "land", "old: enough", "count", "day"] and len(shown) == 20
    given, expected = decoded_in_python(path, here, 7)
    assert {int(np.argmax(one["condition"])) for one in given} >= {0, 1, 3, 4} and len(given[0]["condition"]) == 5
    written = ["" if row[name] is None else row[name] for row in expected for name in names]
    for cell, value in zip(sum(shown, []), written, strict=True):
        assert float(cell) == pytest.approx(value) if isinstance(value, float) else cell == str(value)
    assert {"", "größer"} <= {row[0] for row in shown} and {"True", "False"} == {row[3] for row in shown}
    assert re.fullmatch(r"\d\d (January|February|March|April) 1970", shown[0][5])
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == "people-7.csv"
    with open(waiting.value.path(), encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [names, *shown]
    here.page.tap("#new")
    here.wait("kerasgan.state().seed !== 7")
    here.page.evaluate("kerasgan.show({})")
    assert rows_shown(here)[1] != shown and here.message() is None


def test_rows_have_what_is_asked_for(visit, table):
    path, address = table
    here = visit(address).open("#people/7")
    column, value = here.page.locator("#where select").all()
    assert value.is_hidden() and here.page.locator("#picture").is_hidden() and here.page.locator("#explore").is_hidden()
    column.select_option("word")
    value.select_option('a, "b"')
    here.page.evaluate("kerasgan.show({})")
    shown = rows_shown(here)[1]
    assert shown and {row[0] for row in shown} == {'a, "b"'}
    given, expected = decoded_in_python(path, here, 7, ["word", 'a, "b"'])
    assert all(one["condition"] == [0, 1, 0, 0, 0] for one in given)
    met = [row for row in expected if row["word"] == 'a, "b"']
    assert [row[4] for row in shown[: len(met)]] == [str(row["count"]) for row in met]
    again = visit(address).open("#" + urllib.parse.urlsplit(here.page.url).fragment)
    assert rows_shown(again)[1] == shown
    again.open("#people/7/where=old%3A%20enough:True")
    assert {row[3] for row in rows_shown(again)[1]} == {"True"}
    assert again.page.locator("#where select").nth(1).input_value() == "1"
    for where, message in (("word:c", "“word” has no value “c”"), ("weight:1", "no column “weight”")):
        again.open(f"#people/7/where={where}")
        again.wait_for_message(message)
        assert len(rows_shown(again)[1]) == 20
    column.select_option("(any row)")
    here.page.evaluate("kerasgan.show({})")
    assert len({row[0] for row in rows_shown(here)[1]}) == 3 and here.works("rgb")
    assert here.page.locator("#sheet").is_hidden() and here.page.locator("#picture").is_visible()


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    """The file of a model that scores pictures; the address of a page with it, and with one that was not calibrated."""
    root = tmp_path_factory.mktemp("scorer")
    pictures = np.random.default_rng(0).integers(60, 200, (40, 16, 16, 1), dtype="uint8")
    gan = GANomaly(image_shape=(16, 16, 1), latent_dim=4, width=2, seed=1)
    tflite(gan, root / "young.tflite", verify=False)
    gan.calibrate(pictures)
    tflite(gan, root / "known.tflite", verify=False)
    web({name: root / f"{name}.tflite" for name in ("known", "young")}, root / "page", litert=page_tools.litert())
    change_zoo(root / "page", lambda models: models["known"].update(page={"warning": "No diagnosis."}))
    with page_tools.served(root) as host:
        yield root / "known.tflite", f"{host}/page/"


def test_a_picture_is_scored_as_litert_in_python_does(visit, scorer, tmp_path):
    path, address = scorer
    here = visit(address).open("#known/7")
    assert here.page.inner_text("#verdict .warning") == "No diagnosis."
    assert here.page.locator("#explore").is_hidden() and here.page.locator("#given").is_hidden()
    pixels = np.random.default_rng(1).integers(60, 200, (16, 16), dtype="uint8")
    pixels[4:8, 4:8] = 255
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    choose_file(here, tmp_path / "photo.png")
    given = np.reshape(here.state()["inputs"]["samples"], (1, 16, 16, 1)).astype("float32")
    np.testing.assert_allclose(given[0, ..., 0], pixels / 255, atol=1e-3)
    expected = interpreter(path).get_signature_runner("serving_default")(samples=given)
    (score,) = here.run("known", {"samples": given})
    assert score == pytest.approx(float(expected["scores"][0]), rel=1e-4)
    quantile = float(expected["quantiles"][0])
    sentence = here.page.inner_text("#verdict .sentence")
    assert abs(int("0" + "".join(re.findall(r"\d+", sentence))) - 100 * quantile) <= 0.51 or "nearly all" in sentence
    width = here.page.evaluate("document.querySelector('#verdict .bar div').style.width")
    assert float(width[:-1]) == pytest.approx(100 * quantile, abs=0.1)
    assert np.abs(here.canvas()[..., 0] - pixels.astype(float)).max() <= 1
    switch = here.page.get_by_role("switch", name="Show where, in red")
    switch.check()
    strength = np.clip(2 * expected["maps"][0], 0, 1)[..., None]
    wanted = pixels[..., None] + strength * ([255, 0, 0] - pixels[..., None].astype(float))
    assert np.abs(here.canvas()[..., :3] - wanted).max() <= 2 and strength.max() > 0.02
    switch.uncheck()
    assert np.ptp(here.canvas()[..., :3], axis=-1).max() == 0
    assert here.works("young")
    assert here.page.inner_text("#verdict .sentence").startswith("Its score is 0.")
    assert here.page.locator("#verdict .bar").is_hidden() and here.page.locator("#verdict .warning").is_hidden()


def test_a_sketch_comes_stroke_by_stroke(visit, models):
    here = visit().open("#pen/7")
    seek(here, models["pen"], lambda lines: sum(map(len, lines)) > 4)
    moments = here.page.evaluate(
        "async (seed) => { await kerasgan.show({ seed }); const picture = document.querySelector('#picture');"
        "const found = []; while ('frame' in picture.dataset) {"
        "  const { data } = picture.getContext('2d').getImageData(0, 0, 512, 512);"
        "  let dark = 0; for (let i = 0; i < data.length; i += 4) dark += data[i] < 60;"
        "  found.push([Number(picture.dataset.frame), dark]);"
        "  await new Promise((resolve) => setTimeout(resolve, 300)); } return found; }",
        here.state()["seed"],
    )
    shares, ink = np.transpose(moments)
    assert len(moments) > 2 and (np.diff(shares) > 0).all() and shares[0] < 0.5 and shares[-1] < 1
    np.testing.assert_array_equal(here.canvas(), here.pixels())
    whole = int((here.pixels()[..., 0] < 60).sum())
    assert ink[0] < ink[-1] <= whole and (np.diff(ink) >= -0.02 * whole).all()  # round ends come and go


def test_people_who_want_less_motion_see_a_sketch_at_once(visit):
    here = visit(reduced_motion="reduce").open("#pen/7")
    assert here.page.evaluate("document.querySelector('#picture').dataset.frame") is None
    np.testing.assert_array_equal(here.canvas(), here.pixels())


def draw_on(here, *places):
    """Draws a line with the mouse through places of the picture, (x, y) from 0 to 1."""
    here.page.locator("#picture").scroll_into_view_if_needed()
    box = here.page.locator("#picture").bounding_box()
    for number, (x, y) in enumerate(places):
        here.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if not number else 8)
        if not number:
            here.page.mouse.down()
    here.page.mouse.up()
    here.page.evaluate("kerasgan.show({})")


def given_rows(here):
    return np.reshape(here.state()["inputs"]["given"], (8, 5))


UNITS = 255 / 0.84  # of the picture's edge, within whose margins a sketch fits


def test_a_model_goes_on_from_what_a_person_draws(visit, models):
    """What it is given are the corners of the line, in the units of the data; what it shows begins with them."""
    here = visit(reduced_motion="reduce").open("#pen/7")
    alone = here.pixels()
    said = here.page.locator("#drawing p")
    assert said.inner_text() == "Draw on the picture: the model goes on from there."
    assert not given_rows(here).any()
    draw_on(here, (0.2, 0.2), (0.2, 0.6), (0.5, 0.6))
    given = given_rows(here)
    corner = [[0, 0.4 * UNITS / 30, 1, 0, 0], [0.3 * UNITS / 30, 0, 0, 1, 0]]
    np.testing.assert_allclose(given[:2], corner, atol=0.1)
    assert not given[2:].any() and said.inner_text() == "The model goes on from your line."
    assert here.state()["seed"] == 7  # this was no tap

    expected = seek(here, models["pen"], lambda lines: len(lines) > 1 and len(lines[1]) > 1)
    np.testing.assert_array_equal(given_rows(here), given)
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    found = read_svg(waiting.value.path().read_bytes())
    assert len(found) == len(expected)
    for line, wanted in zip(found, fitted(expected, 512), strict=True):
        assert np.abs(line[[0, -1]] - wanted[[0, -1]]).max() < 8

    drawn = here.canvas()
    assert not np.array_equal(drawn, alone)
    colours = (drawn[..., :3] == (91, 61, 245)).all(axis=2)
    assert colours.any() and (drawn[..., :3] == (20, 20, 20)).all(axis=2).any()
    shape = np.argwhere(colours)
    high, wide = np.ptp(shape, axis=0)
    assert high / wide == pytest.approx(4 / 3, rel=0.1)


def test_lines_are_taken_back(visit):
    here = visit(reduced_motion="reduce").open("#pen/7")
    alone = here.pixels()
    draw_on(here, (0.2, 0.2), (0.2, 0.6))
    first, one = given_rows(here), here.pixels()
    draw_on(here, (0.6, 0.4), (0.8, 0.3))
    second = given_rows(here)
    np.testing.assert_array_equal(second[0], first[0])
    np.testing.assert_array_equal(second.any(axis=1), [True] * 3 + [False] * 5)
    np.testing.assert_array_equal(second[:3, 2:], [[0, 1, 0], [1, 0, 0], [0, 1, 0]])
    assert here.page.inner_text("#drawing p") == "The model goes on from your 2 lines."
    here.page.tap("#undo")
    here.page.evaluate("kerasgan.show({})")
    np.testing.assert_array_equal(given_rows(here), first)
    np.testing.assert_array_equal(here.pixels(), one)
    draw_on(here, (0.1, 0.1), *[(0.1 + 0.1 * i, 0.9 - 0.8 * (i % 2)) for i in range(1, 9)])
    here.wait_for_message("The last line was left out")
    np.testing.assert_array_equal(given_rows(here), first)
    here.page.tap("#clear")
    here.page.evaluate("kerasgan.show({})")
    assert not given_rows(here).any() and here.message() is None
    np.testing.assert_array_equal(here.pixels(), alone)
    draw_on(here, (0.2, 0.2), (0.2, 0.6))
    assert here.works("rgb") and here.page.locator("#drawing").is_hidden()
    assert here.works("pen") and not given_rows(here).any()


def test_drawing_by_keys(visit):
    here = visit(reduced_motion="reduce").open("#pen/7")
    here.page.keyboard.press("Tab")
    here.page.focus("#picture")
    assert "arrow keys move the pen" in here.page.locator("#picture").get_attribute("aria-label")
    for key in ("ArrowLeft", " ", *["ArrowRight"] * 4, *["ArrowDown"] * 2, " "):
        here.page.keyboard.press(key)
    here.page.evaluate("kerasgan.show({})")
    corner = [[0.2 * UNITS / 30, 0, 1, 0, 0], [0, 0.1 * UNITS / 30, 0, 1, 0]]
    np.testing.assert_allclose(given_rows(here)[:2], corner, rtol=1e-5)
    assert here.page.evaluate("getComputedStyle(document.querySelector('#pen')).display") == "block"
    here.page.focus("#undo")
    here.page.keyboard.press("Enter")
    here.page.evaluate("kerasgan.show({})")
    assert not given_rows(here).any()


def test_an_animated_svg_is_drawn_by_the_browser(browser, tmp_path):
    """Two bars of 90, 95 apart: after a fifth of the time, of a way of 275, there are 55 of the first one."""
    media = Sketch(4)
    bars = np.int16([[[90, 0, 1], [-90, 30, 0], [90, 0, 1], [0, 0, 2]]])
    path = media.save(bars, tmp_path / "bars.svg", animated=True)
    for motion, shares in (("no-preference", (0, 0.3, 1)), ("reduce", (1, 1, 1))):
        page = browser.new_page(viewport={"width": 128, "height": 128}, reduced_motion=motion)
        page.goto(path.as_uri())
        dark = []
        for milliseconds in (1, 500, 2600):
            page.evaluate(
                "(time) => document.getAnimations().forEach((each) => { each.pause(); each.currentTime = time; })",
                milliseconds,
            )
            dark.append((np.asarray(PIL.Image.open(io.BytesIO(page.screenshot())).convert("L")) < 128).sum())
        whole = (picture(media.strokes(bars[0])) < 128).sum()
        page.close()
        np.testing.assert_allclose(np.array(dark) / whole, shares, atol=0.08)


def test_a_clip_is_played_and_saved_with_all_of_its_frames(visit, models):
    here = visit().open("#clip/7")
    clip = np.rint(255 * in_python(models["clip"], here.state()["inputs"]))[..., 0]
    assert clip.shape == (4, 16, 24) and np.abs(np.diff(clip, axis=0)).max() > 10
    for number in (2, 0, 3):
        here.wait(f"document.querySelector('#picture').dataset.frame === '{number}'")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    assert waiting.value.suggested_filename == "clip-7.png"
    with PIL.Image.open(waiting.value.path()) as saved:
        assert saved.n_frames == 4 and saved.info["loop"] == 0
        for number, frame in enumerate(clip):
            saved.seek(number)
            assert saved.info["duration"] == 125
            pixels = np.asarray(saved.convert("L"), int)[::42, ::42]  # each pixel has become 42
            assert np.abs(pixels - frame).max() <= 1


@pytest.fixture(scope="module")
def going_on(tmp_path_factory):
    """(Files of models that go on from 2 grey frames and from 3 in colours, the address of a page with them)."""
    folder = tmp_path_factory.mktemp("going_on")
    options = {"frame_rate": 8.0, "latent_dim": 6, "width": 2, "judged_frames": 1, "recurrent": 1}
    gans = {
        "next": DVDGANFP(4, 2, (16, 24, 1), seed=9, **options),
        "longer": DVDGANFP(5, 3, (16, 16, 3), seed=9, **options),
    }
    files = {name: folder / f"{name}.tflite" for name in gans}
    for name, gan in gans.items():
        tflite(gan, files[name], verify=False)
    web(files, folder / "page", litert=page_tools.litert())
    with page_tools.served(folder) as host:
        yield files, f"{host}/page/"


def give(here, path):
    with here.page.expect_file_chooser() as chooser:
        here.page.tap("#new")
    chooser.value.set_files(path)


@pytest.mark.parametrize("ending", ["webp", "gif", "apng"])
def test_a_clip_goes_on_from_the_last_frames_of_an_animation(visit, going_on, tmp_path, ending):
    files, address = going_on
    frames = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 1), "uint8").repeat(8, axis=1).repeat(8, axis=2)
    Video(frames.shape, 8.0).save(frames[None], tmp_path / f"clip.{ending}")
    with PIL.Image.open(tmp_path / f"clip.{ending}") as saved:
        enlarged = saved.height // 16
    here = visit(address).open("#next/7")
    assert here.page.inner_text("#new") == "Animation"
    stand_in = np.reshape(here.state()["inputs"]["given"], (2, 16, 24))
    np.testing.assert_array_equal(stand_in[0, :, 1:], stand_in[1, :, :-1])  # a camera that moves to the right
    assert stand_in.std() > 0.05
    give(here, tmp_path / f"clip.{ending}")
    here.wait(f"Math.abs(kerasgan.state().inputs.given[0] - {frames[3, 0, 0, 0]} / 255) < 0.01")
    inputs = here.state()["inputs"]
    given = np.reshape(inputs["given"], (2, 16, 24, 1))
    np.testing.assert_allclose(given, frames[3:] / 255, atol=0.01 if enlarged == 1 else 0.1)
    clip = np.rint(255 * in_python(files["next"], inputs))[..., 0]
    for number in (0, 3):
        here.wait(f"document.querySelector('#picture').dataset.frame === '{number}'")
    with here.page.expect_download() as waiting:
        here.page.tap("#save")
    with PIL.Image.open(waiting.value.path()) as saved:
        assert saved.n_frames == 4
        for number, frame in enumerate(clip):
            saved.seek(number)
            assert np.abs(np.asarray(saved.convert("L"), int)[::42, ::42] - frame).max() <= 1
    # It stays for a model of another size, colours and number of frames.
    assert here.works("longer")
    given = np.reshape(here.state()["inputs"]["given"], (3, 16, 16, 3))
    np.testing.assert_allclose(given, frames[2:, :, 4:20].repeat(3, axis=-1) / 255, atol=0.01 if enlarged == 1 else 0.1)


def test_a_file_that_is_no_animation(visit, going_on, tmp_path):
    frame = np.zeros((1, 16, 24, 1), "uint8")
    for name, count in (("still.png", 1), ("short.webp", 2)):
        pictures = [PIL.Image.fromarray(frame[0, ..., 0] + number) for number in range(count)]
        pictures[0].save(tmp_path / name, save_all=count > 1, append_images=pictures[1:], lossless=True)
    whole = (tmp_path / "short.webp").read_bytes()
    (tmp_path / "broken.webp").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.gif").write_text("not an animation")
    (tmp_path / "empty.gif").write_bytes(b"")
    here = visit(going_on[1]).open("#longer/7")
    before = here.state()["inputs"]["given"]
    for name, message in (
        ("still.png", "“still.png” has 1 frame; this model goes on from 3"),
        ("short.webp", "“short.webp” has 2 frames; this model goes on from 3"),
        ("broken.webp", "“broken.webp” is no animation"),
        ("text.gif", "“text.gif” is no animation"),
        ("empty.gif", "“empty.gif” is no animation"),
    ):
        give(here, tmp_path / name)
        here.wait_for_message(message)
    assert here.state()["inputs"]["given"] == before and here.works("next")


def test_random_numbers_have_their_distributions(visit):
    here = visit().open()
    normal, uniform, other = here.page.evaluate(
        "async () => { const { draw, uniformSource } = await import('./latents.js');"
        "return [['normal', 1], ['uniform', 1], ['normal', 2]].map(([kind, seed]) =>"
        "  Array.from(draw(kind, 20001, uniformSource(seed)))); }"
    )
    normal, uniform, other = map(np.array, (normal, uniform, other))
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.02 and abs((normal**4).mean() - 3) < 0.25
    assert abs(uniform.mean()) < 0.02 and abs(uniform.var() - 1 / 3) < 0.01 and np.abs(uniform).max() <= 1
    for values in (normal, uniform):
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.03
    assert abs(np.corrcoef(normal, other)[0, 1]) < 0.03


def test_planes_of_few_latents_have_no_holes(visit):
    here = visit().open()
    lengths = here.page.evaluate(
        "async () => { const { plane } = await import('./latents.js'); const found = [];"
        "for (const count of [1, 2, 3, 50]) { const place = plane('normal', count, 3);"
        "  for (const at of [[0, 0], [0.3, 0.4], [-1, 1]]) found.push(Math.hypot(...place(...at))); } return found; }"
    )
    lengths = np.array(lengths).reshape(4, 3)
    np.testing.assert_allclose(lengths, lengths[:, :1].repeat(3, 1), rtol=1e-4)
    assert (lengths > 0).all()


def test_a_long_morph_takes_no_more_memory(visit):
    here = visit().open("#rgb/7")
    morph = (
        "async (steps) => { for (let i = 0; i < steps; i++) "
        "await kerasgan.run('rgb', {latents: Array.from({length: 7}, () => Math.sin(i))}); }"
    )
    here.page.evaluate(morph, 20)
    before = here.state()["memory"]
    here.page.evaluate(morph, 1500)  # of 4.6 kB outputs: a leak would show as growth by pages of 64 KiB
    assert here.state()["memory"] == before


PARTICULAR = {
    "told": ["#text", "#caption button"],
    "classes": ["#classes button"],
    "mono": ["#play", "#classes button"],
    "pen": ["#undo", "#clear"],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "buttons"), PARTICULAR.items())
def test_fits_the_screen_and_the_thumb(visit, scheme, name, buttons):
    here = visit(color_scheme=scheme).open(f"#{name}/7")
    for width, height in ((320, 568), (390, 844), (430, 932), (844, 390)):
        here.page.set_viewport_size({"width": width, "height": height})
        assert here.page.evaluate("document.scrollingElement.scrollWidth") <= width
        for selector in (*buttons, "#new", "#save", "#morph-tab", "#models button", "summary"):
            box = here.page.locator(selector).first.bounding_box()
            assert box["height"] >= 44 and box["width"] >= 44, selector
        here.page.locator("#pad").scroll_into_view_if_needed()
        picture = here.page.locator("#picture").bounding_box()
        assert picture["y"] >= 0 and picture["y"] + picture["height"] <= height  # while the finger is on the pad
    ground = here.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == (scheme == "light")


def test_where_there_is_width_the_picture_is_beside_its_controls(visit):
    here = visit(is_mobile=False, has_touch=False).open("#classes/7")
    for width, height in ((844, 390), (1280, 800)):
        here.page.set_viewport_size({"width": width, "height": height})
        boxes = {name: here.page.locator(name).bounding_box() for name in ("#frame", "#new", "#controls", "#strip")}
        picture, controls = boxes["#frame"], boxes["#controls"]
        assert picture["x"] + picture["width"] <= controls["x"] and picture["width"] > 0.38 * width
        for box in (picture, boxes["#new"], boxes["#strip"]):  # what one needs first is in sight
            assert box["y"] >= 0 and box["y"] + box["height"] <= height and box["x"] + box["width"] <= width + 16


@pytest.mark.skipif(page_tools.axe() is None, reason="KERASGAN_AXE_JS names no axe.min.js: npm install axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, translating, table, scorer, refining, scheme):
    """What axe-core, the accessibility checker, knows to look for: names, roles, contrast, order of headings."""

    def check(here, what):
        here.page.evaluate(page_tools.axe() + "; null")
        found = here.page.evaluate("axe.run().then(({ violations }) => violations)")
        said = [(one["id"], one["help"], [node["html"] for node in one["nodes"]]) for one in found]
        assert not said, (what, said)

    here = visit(color_scheme=scheme).open("#rgb/7/edit=smile:1")
    check(here, "a sample")
    for seed in (7, 8):
        here.page.evaluate(f"kerasgan.show({{seed: {seed}}})")
        here.page.tap("#keep")
    here.page.locator("#mix-with").tap()
    here.page.locator("#row button").nth(1).tap()
    for tab in ("more", "steer", "paint"):
        here.page.tap(f"#{tab}-tab")
        check(here, tab)
    for name in ("mono", "pen", "told", "words", "solid", "classes") if scheme == "light" else ("classes",):
        assert here.works(name)
        check(here, name)
    here = visit(translating, color_scheme=scheme).open("#colour/7")
    here.page.tap("#draw")
    here.page.tap("summary")
    check(here, "paper")
    here = visit(table[1], color_scheme=scheme).open("#people/7/where=word:a%2C%20%22b%22")
    check(here, "rows")
    here = visit(scorer[1], color_scheme=scheme).open("#known/7")
    here.page.get_by_role("switch", name="Show where, in red").check()
    check(here, "a score")
    here = visit(refining, color_scheme=scheme).open("#smoke/7")
    here.page.locator("#reel").wait_for()
    check(here, "smoke")


def test_tabs_listen_to_arrow_keys(visit):
    here = visit().open("#solid/7")
    tabs = {name: here.page.locator(f"#{name}-tab") for name in ("morph", "more")}
    tabs["morph"].focus()
    for key, name in (("ArrowRight", "more"), ("ArrowRight", "morph"), ("ArrowLeft", "more"), ("Home", "morph")):
        here.page.keyboard.press(key)
        assert here.page.evaluate("document.activeElement.id") == f"{name}-tab"
        for each, tab in tabs.items():
            assert tab.get_attribute("aria-selected") == ("true" if each == name else "false")
            assert tab.get_attribute("tabindex") == ("0" if each == name else "-1")
            assert here.page.locator(f"#{each}").is_visible() == (each == name)


def test_a_mouse_scrolls_the_strip_by_arrows(visit):
    here = visit(is_mobile=False, has_touch=False).open("#grey/7")
    back, on = (here.page.locator(f".arrow.{name}") for name in ("back", "on"))
    assert back.is_hidden() and on.is_visible()
    on.click()
    here.wait("document.querySelector('#models').scrollLeft > 100")
    back.click()
    here.wait("document.querySelector('#models').scrollLeft === 0")
    here.page.locator("#models button").last.click()
    here.wait("document.querySelector('.arrow.on').classList.contains('spent')")


def test_a_model_opens_as_its_recipe_says(visit, copy):
    folder, address = copy
    shutil.copy(folder / "icon-192.png", folder / "small.png")
    about = {"title": "Spots", "seed": 5, "class": 2, "scaling": "hard"}
    change_zoo(folder, lambda models: models["classes"].update(page=about, thumbnail={"file": "small.png"}))
    here = visit(address).open("#grey/7")
    assert here.page.evaluate("getComputedStyle(document.querySelector('#picture')).imageRendering") == "auto"
    card = here.page.locator("#models button[value=classes]")
    assert card.inner_text() == "Spots" and card.locator("img").evaluate("(image) => image.naturalWidth") == 192
    assert here.works("classes")
    assert (here.state()["seed"], here.state()["label"]) == (5, 2)
    assert here.page.evaluate("getComputedStyle(document.querySelector('#picture')).imageRendering") == "pixelated"
    here.open("#classes/9/class=1")
    assert (here.state()["seed"], here.state()["label"]) == (9, 1)


def test_address_of_an_unknown_model(visit):
    here = visit().open("#nothing%/7")
    here.wait_for_message("There is no model “nothing%” here")
    assert here.state()["name"] == "grey" and here.pixels().std() > 10


@pytest.mark.parametrize(
    "broken, message", [("missing", r"not there \(404\)"), ("short", "instead of"), ("other", "sha256")]
)
def test_broken_model_gets_a_message_and_others_work(visit, copy, broken, message):
    folder, address = copy
    path = folder / "models" / "rgb.tflite"
    data = path.read_bytes()
    if broken == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-100] if broken == "short" else data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
    here = visit(address, expect_errors=broken == "missing").open("#rgb/7")
    here.wait_for_message(message)
    assert "rgb.tflite" in here.message() and not here.state()["verified"]
    assert here.page.locator("#progress").is_hidden() and here.page.locator("#new").is_disabled()
    assert here.works("rgba")
    path.write_bytes(data)
    here.page.click("#models button[value=rgb]")
    here.wait("kerasgan.pixels()?.name === 'rgb'")


@pytest.mark.parametrize("junk", [b"\0" * 4 + b"TFL3" + b"\xff" * 5000, b"", b"no model at all"])
def test_file_that_is_no_model_gets_a_message_and_others_work(visit, copy, junk):
    """Such a file as was exported, by its sha256, that LiteRT.js cannot read: it may take the whole runtime down."""
    import hashlib

    folder, address = copy
    (folder / "models" / "rgb.tflite").write_bytes(junk)
    same = {"size": len(junk), "sha256": hashlib.sha256(junk).hexdigest()}
    change_zoo(folder, lambda models: models["rgb"].update(same))
    here = visit(address).open("#rgb/7")
    here.wait_for_message("rgb could not be loaded")
    assert here.works("rgba") and here.works("classes")


def test_quick_changes_of_mind(visit):
    """The model chosen last is the one that is shown, and those before it neither draw nor complain."""
    here = visit().open("#rgb/7")
    here.page.evaluate(
        "async () => { for (const name of ['grey', 'rgba', 'classes', 'dynamic', 'grey', 'rgba']) {"
        "  document.querySelector(`#models [value=${name}]`).click(); kerasgan.show({at: [0.3, 0]});"
        "  await new Promise((resolve) => setTimeout(resolve, 15)); } }"
    )
    here.wait("kerasgan.pixels()?.name === 'rgba'")
    time.sleep(0.5)
    assert here.page.evaluate("kerasgan.pixels().name") == here.state()["name"] == "rgba"
    assert here.message() is None and here.page.locator("#progress").is_hidden()


def test_wrong_description_of_a_model(visit, copy):
    folder, address = copy
    change_zoo(folder, lambda models: models["rgba"]["inputs"][0].update(shape=[1, 9]))
    here = visit(address).open("#rgba/7")
    here.wait_for_message("rgba could not make this sample")
    assert here.works("rgb")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda model: model["output"].update(kind="smell"), "makes “smell”"),
        (lambda model: model["output"].update(kind="video", frame_rate=8), "1×24×16×3; expected one grey or RGB clip"),
        (lambda model: model["output"].update(kind="video", shape=[1, 2, 8, 8, 1], frame_rate=0), "0 frames a second"),
        (lambda model: model["output"].update(kind="audio", sample_rate=8000), "1×24×16×3; expected one sound"),
        (lambda model: model["output"].update(kind="audio", shape=[1, 256, 3], sample_rate=8000), "1×256×3"),
        (lambda model: model["output"].update(kind="audio", shape=[1, 256, 1], sample_rate=1000), "sounds of 1000 Hz"),
        (lambda model: model["output"].update(kind="music", tracks=["a"]), "1×24×16×3; expected one piano roll"),
        (lambda model: model["inputs"][0].update(kind="mesh"), "takes “mesh”"),
        (lambda model: model["inputs"][0].update(kind="image"), "Its input has the shape 1×7"),
        (lambda model: model["inputs"][0].update(kind="video"), "1×7; expected the first frames of a grey or RGB clip"),
        (lambda model: model["output"].update(kind="constructor"), "makes “constructor”"),
        (lambda model: model["output"].update(shape=[1, 8, 8, 2]), "1×8×8×2"),
    ],
)
def test_unknown_kinds_get_a_message_and_others_work(visit, copy, change, message):
    folder, address = copy
    change_zoo(folder, lambda models: change(models["rgb"]))
    here = visit(address).open("#rgb/7")
    here.wait_for_message(message)
    assert not any("rgb.tflite" in url for url in here.asked)
    assert here.works("rgba")


@pytest.mark.parametrize("text, message", [(None, "zoo.json.*404"), ("{", "not JSON"), ('{"models": []}', "is empty")])
def test_broken_list_of_models_gets_a_message(visit, copy, text, message):
    folder, address = copy
    (folder / "zoo.json").unlink()
    if text is not None:
        (folder / "zoo.json").write_text(text)
    here = visit(address, expect_errors=text is None).open()
    here.wait_for_message(message)
    assert here.page.get_by_role("button", name="Try again").is_visible()


@pytest.mark.parametrize(
    "file", ["core/dist/index.js", "core/wasm/litert_wasm_internal.wasm", "core/wasm/litert_wasm_internal.js"]
)
@pytest.mark.parametrize("broken", ["missing", "damaged"])
def test_broken_runtime_gets_a_message_and_can_be_tried_again(visit, copy, file, broken):
    folder, address = copy
    path = folder / "litert" / LITERT_JS / file
    data = path.read_bytes()
    if broken == "missing":
        path.unlink()
    else:
        path.write_bytes(b"(" + data[:5000])
    here = visit(address, expect_errors=True).open("#rgb/7")
    here.wait_for_message("The runtime")
    assert not any("unhandled" in error.lower() or "Uncaught (in promise)" in error for error in here.errors)
    path.write_bytes(data)
    if not file.endswith("core/dist/index.js"):  # browsers remember a module that failed: that one takes a reload
        here.page.get_by_role("button", name="Try again").tap()
        here.wait("kerasgan.pixels()?.name === 'rgb'")
        assert here.message() is None


def test_over_plain_http_it_works_and_says_less(visit, address):
    """Without https a browser offers neither sha256 nor WebGPU nor service workers."""
    port = urllib.parse.urlsplit(address).port
    here = visit(f"http://{HTTP_NAME}:{port}{SUB_PATH}", fresh=True, service_workers="allow").open("#rgb/7")
    assert not here.page.evaluate("isSecureContext") and not here.state()["verified"]
    assert here.pixels().std() > 10 and here.message() is None
    assert here.page.evaluate("kerasgan.offline") is False
    here.page.click("summary")
    assert here.page.locator("#gpu").is_hidden()


KEPT = """async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith("kerasgan"));
  const urls = async (name) => (await (await caches.open(name)).keys()).map((request) => request.url);
  const files = await Promise.all(names.map(urls));
  return names.map((name, i) => [name.split(" ").pop(), files[i]]);
}"""


def test_works_offline_after_the_first_visit(visit, bundle):
    """Offline the server is gone, and the browser knows that it has no network."""
    with page_tools.served(bundle) as host:
        here = visit(host + SUB_PATH, fresh=True, service_workers="allow", expect_errors=True).open("#rgb/7")
        assert here.page.evaluate("kerasgan.offline") is True
        before = here.pixels()
    here.context.set_offline(True)
    here.open("#rgb/7")
    np.testing.assert_array_equal(here.pixels(), before)
    here.page.click("#models button[value=rgba]")
    here.wait_for_message("rgba.tflite could not be downloaded: (this device is offline|the server does not answer)")
    assert here.works("rgb")
    here.context.set_offline(False)
    with page_tools.served(bundle, int(host.rpartition(":")[2])):
        assert here.works("rgba")
    here.context.set_offline(True)
    here.open("#rgba/7")
    assert here.state()["name"] == "rgba" and here.pixels().std() > 10
    other = here.context.new_page()  # a second tab, while the first one is open
    other.goto(here.address + "#rgb/7")
    other.evaluate("kerasgan.ready")
    assert other.evaluate("kerasgan.state().name") == "rgb" and other.evaluate("kerasgan.pixels().name") == "rgb"
    assert here.works("rgb")


def test_new_bundle_takes_the_place_of_the_old(visit, bundle, models, tmp_path):
    folder = tmp_path / "zoo"
    shutil.copytree(bundle / SUB_PATH.strip("/"), folder)
    with page_tools.served(tmp_path) as host:
        here = visit(f"{host}/zoo/", fresh=True, service_workers="allow", expect_errors=True).open("#rgb/7")
        assert here.page.evaluate("kerasgan.offline") is True
        old = here.page
        web({"fresh": models["rgb"]}, folder, litert=page_tools.litert(), overwrite=True)
        here.page = here.context.new_page()
        version = json.loads((folder / "zoo.json").read_text())["version"]
        here.open()
        assert here.state()["name"] == "fresh"
        end = time.monotonic() + 150  # in the background, and a browser may let it wait, longer for a second tab
        while True:
            kept = dict(here.page.evaluate(KEPT))
            if list(kept) == [version] and any("models/fresh.tflite" in url for url in kept[version]):
                break
            assert time.monotonic() < end, kept
            time.sleep(0.1)
        old.click("#models button[value=rgba]")
        old.locator("#message p", has_text="This page has been renewed meanwhile").wait_for(timeout=20_000)
    here.open()
    assert here.state()["name"] == "fresh" and here.pixels().std() > 10


def test_runtime_from_the_cdn_is_the_pinned_one(browser, models, tmp_path):
    """The CDN is played by the local copy; nothing leaves the machine."""
    web({"rgb": models["rgb"]}, tmp_path / "site")
    served = collections.Counter()

    def answer(route):
        path = urllib.parse.unquote(urllib.parse.urlsplit(route.request.url).path)
        package, file = re.fullmatch(rf"/npm/(@litertjs/[a-z-]+)@{re.escape(LITERT_JS)}/(.+)", path).groups()
        served[file] += 1
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(path=page_tools.litert() / package / file, headers=headers)

    with page_tools.served(tmp_path / "site") as host:
        here = Visit(phone(browser), host + "/")
        here.context.route(f"{CDN}/**", answer)
        here.open("#rgb/7")
        assert here.pixels().std() > 10 and not here.errors
        here.context.close()
    assert set(served) == {"dist/index.js", "wasm/litert_wasm_internal.js", "wasm/litert_wasm_internal.wasm"}
    assert not (tmp_path / "site" / "litert").exists()


@pytest.mark.slow
def test_webgpu_where_the_browser_has_it(playwright, address, models):
    flags = ("--enable-unsafe-webgpu", "--enable-unsafe-swiftshader", "--use-webgpu-adapter=swiftshader")
    running = page_tools.launch(playwright, *flags)
    try:
        here = Visit(phone(running), address).open("#rgb/7")
        here.page.click("summary")
        if here.page.locator("#gpu").is_hidden():
            pytest.skip("this Chromium has no WebGPU adapter in software")
        here.page.check("#gpu input")
        here.wait("kerasgan.state().accelerator === 'webgpu'")
        here.page.evaluate("kerasgan.show({})")
        np.testing.assert_allclose(here.pixels(), rgba(in_python(models["rgb"], here.state()["inputs"])), atol=3)
        assert "WebGPU" in here.page.inner_text("#latency") and here.message() is None
        here.page.uncheck("#gpu input")
        here.wait("kerasgan.state().accelerator === 'wasm'")
    finally:
        running.close()
