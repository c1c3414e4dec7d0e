"""Projection and painting: latents whose samples look like pictures, or as was painted."""

import keras
import numpy as np
import PIL.Image
import pytest
from test_cli import fails, kerasgan_command

import kerasgan
from kerasgan import data, metrics

SHAPE = (32, 32, 3)


def waves(num_classes=None, latent="normal", channels=3):
    """A GAN of smooth pictures of 4 latents: of a class, darker or lighter ones."""
    latents = keras.Input((4,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    x = keras.layers.Dense(4 * 4 * channels)(latents)
    x = keras.layers.Reshape((4, 4, channels))(x)
    x = keras.layers.UpSampling2D(8, interpolation="bilinear")(x)
    inputs = latents
    if num_classes:
        shift = keras.layers.Reshape((1, 1, 1))(keras.layers.Embedding(num_classes, 1, "ones")(labels))
        inputs, x = [latents, labels], keras.layers.Add()([x, shift])
    generator = keras.Model(inputs, keras.layers.Activation("tanh")(x), name="generator")
    samples = keras.Input((32, 32, channels))
    judged = [samples, labels] if num_classes else samples
    discriminator = keras.Model(judged, keras.layers.Dense(1)(keras.layers.Flatten()(samples)), name="discriminator")
    for weight in generator.trainable_weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape) * (0.5 if len(weight.shape) > 1 else 0.1))
    media = kerasgan.media.Image((32, 32, channels))
    gan = kerasgan.GAN(generator, discriminator, media=media, num_classes=num_classes, latent=latent, seed=1)
    gan.compile()
    return gan


@pytest.fixture(scope="module")
def gan():
    return waves()


def psnr(first, second):
    return float(np.mean(metrics.psnr(first, second)))


def test_a_samples_latents_are_found_again(gan):
    weights = [weight.numpy() for weight in gan.weights]
    wanted, known = gan.generate(2, seed=9, return_latents=True)
    found, way = gan.project(wanted, steps=60, keep=3)
    assert psnr(gan.decode(found), wanted) > 35 and np.abs(found.values - known.values).max() < 0.3
    assert way.shape == (2, 3, *SHAPE) and np.array_equal(way[:, -1], gan.decode(found))
    assert psnr(way[:, 0], wanted) < psnr(way[:, 2], wanted)
    once, way = gan.project(wanted, steps=1, keep=6)  # which are all after the only step
    assert all(np.array_equal(way[:, place], gan.decode(once)) for place in range(6))
    assert np.array_equal(gan.project(wanted, steps=5).values, gan.project(wanted, steps=5).values)
    assert all(np.array_equal(before, now) for before, now in zip(weights, gan.weights, strict=True))


def test_latents_stay_where_they_are_drawn_from():
    """Whatever the picture is."""
    noise = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), "uint8")
    assert np.abs(waves().project(noise, steps=20).values).max() <= 3
    assert np.abs(waves(latent="uniform").project(noise, steps=20).values).max() <= 1


def test_classes_and_transparency():
    gan = waves(num_classes=2, channels=4)
    wanted = gan.generate(2, labels=[1, 0], seed=2)
    found = gan.project(wanted, labels=[1, 0], steps=40)
    assert found.condition.tolist() == [1, 0] and psnr(gan.decode(found), wanted) > 25
    with pytest.raises(ValueError, match="labels: 1 given for 2 pictures"):
        gan.project(wanted, labels=[1])


def test_styles_are_projected():
    gan = kerasgan.models.StyleGAN2(image_shape=SHAPE, latent_dim=8, width=4, max_width=8, seed=1)
    gan.compile()
    found = gan.project(gan.generate(1, seed=1), steps=3)
    assert found.space == "styles" and gan.decode(found).shape == (1, *SHAPE)


def test_samples_obey_what_is_painted(gan):
    samples, latents = gan.generate(3, seed=4, return_latents=True)
    picture, mask = np.full(SHAPE, 200, "uint8"), np.zeros(SHAPE[:2], bool)
    mask[:8, :8] = True
    painted = gan.decode(gan.paint(latents, picture, mask))
    missed = [np.square(images[:, mask].astype(float) - 200).mean() for images in (samples, painted)]
    assert missed[1] < missed[0] / 3
    kept = gan.paint(latents, samples[0], mask)[0]  # what is there already moves nothing
    assert np.abs(kept.values - latents[0].values).max() < 0.2
    with pytest.raises(ValueError, match="mask is bool .* true at 0 places"):
        gan.paint(latents, picture, np.zeros(SHAPE[:2], bool))
    with pytest.raises(ValueError, match="mask is uint8"):
        gan.paint(latents, picture, mask.astype("uint8"))


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((1, 16, 16, 3), "uint8"), "expected uint8"),
        (np.zeros((0, *SHAPE), "uint8"), "expected uint8"),
        (np.zeros((1, *SHAPE), "float32"), "float32"),
        (np.zeros((1, 32, 32, 4), "uint8"), r"\(32, 32, 4\) each; expected uint8 \(32, 32, 3\)"),
    ],
)
def test_pictures_of_another_kind(gan, pictures, message):
    with pytest.raises(ValueError, match=message):
        gan.project(pictures)


def test_sounds_are_not_projected():
    gan = kerasgan.load("relgan_words")
    with pytest.raises(ValueError, match="makes texts: this is for images"):
        gan.project(np.zeros((1, 2, 2, 3), "uint8"))


def test_the_command(gan, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gan.save("waves.keras")
    for place, image in enumerate(gan.generate(4, seed=3)):
        folder = tmp_path / ("light" if place % 2 else "dark")
        folder.mkdir(exist_ok=True)
        PIL.Image.fromarray(image).save(folder / f"{place}.png")
    words = ("waves.keras", "light/1.png", "dark/0.png", "--steps", 10, "--save_latents", "found.npz")
    code, out, error = kerasgan_command(capsys, "project", *words)
    assert code == 0 and "Saved 2 pictures" in out and "waves_projected.png" in out, error
    assert len(kerasgan.latents.Latents.load("found.npz")) == 2
    assert PIL.Image.open("waves_projected.png").size[0] > 7 * 32
    assert data.picture("dark/0.png").shape == SHAPE
    pair = ("--positive", "light", "--negative", "dark")
    code, out, error = kerasgan_command(capsys, "directions", "waves.keras", *pair, "--samples", 1, "-o", "x.png")
    assert code == 0 and "Saved 1 direction to x.png" in out, error
    assert "give both" in fails(capsys, "directions", "waves.keras", "--positive", "light")
    assert "which is read and would be lost" in fails(capsys, "project", "waves.keras", "x.png", "-o", "x.png")
