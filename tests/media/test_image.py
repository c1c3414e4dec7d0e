"""Images: conversions, checks, sheets, files."""

import subprocess
import sys

import keras
import matplotlib
import ml_dtypes
import numpy as np
import PIL.Image
import pytest

import kerasgan
from kerasgan.media import Arrays, Image, save_samples

matplotlib.use("Agg")


def pixels(count=5, shape=(6, 8, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype="uint8")


def read(path):
    return np.array(PIL.Image.open(path))


def test_every_pixel_value_survives_the_round_trip():
    every = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    image = Image((16, 16, 1))
    model = image.to_model(every)
    assert model.dtype == np.float32 and model.min() == -1.0 and model.max() == 1.0
    np.testing.assert_array_equal(image.to_natural(model), every)


def test_to_natural_rounds_and_clips():
    given = np.array([-7.0, -1.0, 0.499 / 127.5 - 1, 0.501 / 127.5 - 1, 1.0, 1.004, 9.0], "float32").reshape(1, 7, 1, 1)
    assert Image((7, 1, 1)).to_natural(given).ravel().tolist() == [0, 0, 0, 1, 255, 255, 255]


def test_conversions_reject_what_they_cannot_convert():
    image = Image((2, 2, 1))
    with pytest.raises(ValueError, match="1 NaN or infinite values among 4"):
        image.to_natural(np.array([0.0, 1.0, np.nan, 0.0]).reshape(1, 2, 2, 1))
    with pytest.raises(ValueError, match="float32; expected integer pixels"):
        image.to_model(np.zeros((1, 2, 2, 1), "float32"))
    with pytest.raises(ValueError, match=r"\[0, 256\]; expected pixels in 0..255"):
        image.to_model(np.array([0, 1, 2, 256]).reshape(1, 2, 2, 1))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (0, 4, 3), (4, 4, 3, 1)])
def test_impossible_shapes(shape):
    with pytest.raises(ValueError, match="shape="):
        Image(shape)


def test_check_accepts_model_range():
    image = Image((6, 8, 3))
    good = image.to_model(pixels())
    image.check(good)
    image.check(good * 1.005)  # antialiased resizing overshoots a little
    image.check(good.astype("float16"))
    image.check(good.astype(ml_dtypes.bfloat16))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x: x.astype("uint8"), r"has dtype uint8; expected floats in \[-1, 1\]. Read .*kerasgan.data.images"),
        (lambda x: (x + 1) * 127.5, r"lies in \[0, 255\].*look like pixels in 0..255 fed as floats"),
        (lambda x: x * 1.5, r"lies in \[-1.5, 1.5\]; expected \[-1, 1\]"),
        (lambda x: np.where(x > 0.9, np.nan, x), r"NaN or infinite values among 720"),
        (lambda x: np.where(x > 0.9, -np.inf, x), r"NaN or infinite values among 720"),
        (lambda x: x[0], r"shape \(6, 8, 3\); expected \(batch, 6, 8, 3\). Add the batch axis"),
        (lambda x: x[..., :1], r"shape \(5, 6, 8, 1\).*channels=3"),
        (lambda x: x[:, :4], r"size=\(6, 8\)"),
        (lambda x: x[:0], "empty batch"),
    ],
)
def test_check_says_what_is_wrong(change, message):
    image = Image((6, 8, 3))
    batch = image.to_model(pixels())
    batch[0, 0, 0] = [-1, 1, 0]
    with pytest.raises(ValueError, match=message) as error:
        image.check(change(batch), name="photos")
    assert str(error.value).startswith("photos ")


def test_check_counts_what_is_not_finite():
    batch = np.zeros((2, 6, 8, 3))
    batch[1, 2, 3, :2] = np.nan, np.inf
    with pytest.raises(ValueError, match="holds 2 NaN or infinite values among 288"):
        Image((6, 8, 3)).check(batch)


def test_sheet_is_nearly_square_and_in_order():
    samples = pixels(6)
    sheet = Image((6, 8, 3)).sheet(samples, columns=3)
    assert sheet.shape == (6 + 2 + 6, 8 + 2 + 8 + 2 + 8, 3)
    np.testing.assert_array_equal(sheet[:6, :8], samples[0])
    np.testing.assert_array_equal(sheet[:6, 20:], samples[2])
    np.testing.assert_array_equal(sheet[8:, 10:18], samples[4])
    assert (sheet[6:8] == 255).all()


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 1), (2, 1, 2), (7, 3, 3), (10, 3, 4), (32, 4, 8), (64, 8, 8)])
def test_default_layout(count, rows, columns):
    sheet = Image((8, 8, 1)).sheet(pixels(count, (8, 8, 1)))
    assert sheet.shape == (rows * 10 - 2, columns * 10 - 2, 1)


@pytest.mark.parametrize("shape, mode", [((6, 8, 1), "L"), ((6, 8, 3), "RGB"), ((6, 8, 4), "RGBA")])
def test_saved_files_hold_the_pixels(tmp_path, shape, mode):
    samples = pixels(4, shape)
    for name in ("x.png", "x.webp"):
        path = save_samples(samples, tmp_path / "new" / name, columns=2)
        if name == "x.png":
            assert PIL.Image.open(path).mode == mode
        np.testing.assert_array_equal(np.squeeze(samples[3]), read(tmp_path / "new" / "x.png")[8:, 10:])
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["x.png", "x.webp"]


def test_jpeg_puts_transparency_on_white(tmp_path):
    samples = np.zeros((1, 16, 16, 4), "uint8")
    assert (read(save_samples(samples, tmp_path / "x.jpg")) == 255).all()


def test_save_refuses_before_it_writes(tmp_path):
    (tmp_path / "x.png").write_text("precious")
    with pytest.raises(ValueError, match="model.*|expected uint8"):
        Image((6, 8, 3)).save(np.zeros((2, 6, 8, 3), "float32"), tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"ends in '\.pgn'; expected one of \.png"):
        Image((6, 8, 3)).save(pixels(), tmp_path / "x.pgn")
    with pytest.raises(ValueError, match="columns is 0"):
        Image((6, 8, 3)).save(pixels(), tmp_path / "x.png", columns=0)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), "uint8"), np.zeros((0, 4, 4, 3), "uint8")]
)
def test_save_samples_names_what_it_was_given(tmp_path, samples):
    with pytest.raises(ValueError, match=r"samples has shape .*to_natural"):
        kerasgan.save_samples(samples, tmp_path / "x.png")


def test_animation_shows_every_frame_and_rests_on_the_last(tmp_path):
    image = Image((6, 8, 4))
    batches = [np.full((4, 6, 8, 4), 60 * i, "uint8") for i in range(4)]
    paths = [image.save(batch, tmp_path / f"{i}.png") for i, batch in enumerate(batches[:2])]
    path = image.animate([*paths, *batches[2:]], tmp_path / "x.gif", seconds=0.1)
    with PIL.Image.open(path) as movie:
        assert movie.n_frames == 4
        durations, colours = [], []
        for frame in range(4):
            movie.seek(frame)
            durations.append(movie.info["duration"])
            colours.append(np.array(movie.convert("RGB"))[0, 0, 0])
    assert durations == [100, 100, 100, 2000]
    expected = [255 * (1 - 60 * i / 255) + (60 * i) ** 2 / 255 for i in range(4)]  # on white
    np.testing.assert_allclose(colours, expected, atol=2)


def test_long_animations_are_thinned_out(tmp_path):
    frames = [np.full((1, 4, 4, 1), i, "uint8") for i in range(255)]
    with PIL.Image.open(Image((4, 4, 1)).animate(frames, tmp_path / "x.gif")) as movie:
        assert movie.n_frames == 120
        movie.seek(119)
        assert np.array(movie.convert("L"))[0, 0] == 254
    with pytest.raises(ValueError, match="frames is empty"):
        Image((4, 4, 1)).animate([], tmp_path / "y.gif")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_show_returns_a_figure(channels):
    samples = np.zeros((2, 6, 8, channels), "uint8")
    figure = Image((6, 8, channels)).show(samples)
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape[:2] == (6, 18)
    if channels == 4:  # nothing but the checkerboard
        assert set(np.unique(shown)) == {204, 255}
    matplotlib.pyplot.close(figure)


def test_media_are_saved_with_their_model():
    for media in (Image((6, 8, 4)), Arrays((3,))):
        config = keras.saving.serialize_keras_object(media)
        assert config["registered_name"] == f"kerasgan>{type(media).__name__}"
        copy = keras.saving.deserialize_keras_object(config)
        assert type(copy) is type(media) and copy.shape == media.shape


def test_plain_arrays(tmp_path):
    arrays = Arrays((3,))
    batch = np.array([[-700.0, 0.0, 1e6]])
    arrays.check(batch)
    with pytest.raises(ValueError, match="1 NaN"):
        arrays.check(batch * [1, np.nan, 1])
    with pytest.raises(ValueError, match=r"expected \(batch, 3\)"):
        arrays.check(batch[:, :2])
    path = arrays.save(arrays.to_natural(batch), tmp_path / "new" / "x.npy")
    np.testing.assert_array_equal(np.load(path), batch.astype("float32"))


def test_the_package_is_imported_without_keras():
    code = "import kerasgan.media, sys; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("ending", [".png", ".webp", ".jpg"])
def test_files_say_who_made_them(ending, tmp_path):
    media, pixels = Image((8, 8, 3)), np.zeros((1, 8, 8, 3), "uint8")

    def note(path):
        with PIL.Image.open(path) as picture:
            return picture.info.get("Description") or picture.getexif().get(0x010E)

    assert note(media.save(pixels, tmp_path / f"a{ending}")) == "generated by kerasgan"
    media.made_by = "kerasgan, dcgan_celeba"
    assert note(media.save(pixels, tmp_path / f"b{ending}")) == "generated by kerasgan, dcgan_celeba"
    assert note(media.save(pixels, tmp_path / f"c{ending}", note=False)) is None
