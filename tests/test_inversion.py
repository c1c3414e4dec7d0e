"""The encoder that guesses latents, for projection to start from."""

import numpy as np
import pytest
from test_projection import SHAPE, psnr, waves

import kerasgan
from kerasgan import inversion, registry


@pytest.fixture(scope="module")
def gan():
    return waves()


@pytest.fixture(scope="module")
def trained(gan, tmp_path_factory):
    """(file of an encoder, how much of the latents it explains)."""
    weights = [weight.numpy() for weight in gan.weights]
    network, explained = inversion.train(gan, samples=6_400)
    assert all(np.array_equal(before, now) for before, now in zip(weights, gan.weights, strict=True))
    return inversion.save(network, tmp_path_factory.mktemp("encoder") / registry.ENCODER), explained


def test_it_learns_latents_of_samples_that_it_has_not_seen(gan, trained):
    path, explained = trained
    samples, known = gan.generate(64, seed=123, return_latents=True)
    guesses = inversion.Encoder(gan, path).guesses(gan.media.to_model(samples))
    unexplained = np.square(guesses - known.values).mean() / known.values.var()
    assert explained > 0.85 and unexplained < 1.5 * (1 - explained) + 0.02


def test_projection_starts_from_what_it_guesses(trained):
    gan = waves()
    wanted = gan.generate(4, seed=77)
    without = gan.project(wanted, steps=1)
    gan.encoder_file = trained[0]
    assert psnr(gan.decode(gan.project(wanted, steps=1)), wanted) > psnr(gan.decode(without), wanted) + 3


def test_a_guess_that_is_further_away_is_not_taken(trained, monkeypatch):
    gan = waves()
    wanted = gan.generate(2, seed=5)
    without = gan.project(wanted, steps=3)
    gan.encoder_file = trained[0]
    monkeypatch.setattr(inversion.Encoder, "guesses", lambda self, images: np.full((len(images), 4), 9, "float32"))
    assert np.array_equal(gan.project(wanted, steps=3).values, without.values)


def test_styles_and_classes():
    gan = kerasgan.models.StyleGAN2(image_shape=(16, 16, 3), latent_dim=8, width=4, max_width=8, seed=1)
    assert inversion.train(gan, samples=128)[0].output_shape == (None, gan.codes(1, 0).values.shape[1])
    assert np.isfinite(inversion.train(waves(num_classes=3, channels=4), samples=128)[1])


def test_the_same_seed_gives_the_same_encoder(gan):
    first, second = (inversion.train(gan, samples=128, seed=4)[0].get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_bad_input(gan, trained, tmp_path):
    with pytest.raises(ValueError, match="samples=0"):
        inversion.train(gan, samples=0)
    with pytest.raises(ValueError, match="makes texts: an encoder is for images"):
        inversion.train(kerasgan.load("relgan_words"))
    other = waves(channels=1)
    other.encoder_file = trained[0]
    with pytest.raises(ValueError, match="does not fit 'encoder'"):
        other.project(np.zeros((1, *SHAPE[:2], 1), "uint8"))
    gan = waves()
    gan.encoder_file = tmp_path / registry.ENCODER
    gan.encoder_file.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=registry.ENCODER):
        gan.project(np.zeros((1, *SHAPE), "uint8"))
