"""What is particular to SeqGAN: what tokens are worth, and that texts become more worth."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.models import SeqGAN

FITTED = {"unit": "character", "vocabulary": ["", "a", "b"], "length": 4}
SMALL = {"units": 8, "embedding": 4, "width": 4, "roll_outs": 8, "pretraining": 0, "seed": 1}


def counting(texts, condition=None, training=True):
    """A judge that likes a: its logit is the number of them."""
    return tf.reduce_sum(texts[..., 1], axis=1, keepdims=True)


@pytest.fixture
def gan(monkeypatch):
    gan = SeqGAN(FITTED, **SMALL)
    gan.compile(run_eagerly=True, discriminator_steps=1)
    monkeypatch.setattr(gan, "call_discriminator", counting)
    layer = gan.ema_generator.get_layer("language_model")
    layer.head.assign(tf.zeros_like(layer.head))
    layer.head_bias.assign(np.log([1e-6, 0.5, 0.5]))  # a and b, equally often, and no end
    return gan


def test_a_token_is_worth_what_comes_of_it(gan):
    """The mean of the judge's probability over all ends: with k a so far, k and a binomial number of them."""
    texts = gan.media.to_model(["aabb", "baaa", "bbbb"])
    gan.roll_outs = 600
    worth = tf.function(gan.worth, autograph=False)(texts).numpy()
    assert worth.shape == (3, 4)
    for row, text in zip(worth, ("aabb", "baaa", "bbbb"), strict=True):
        for place in range(4):
            known, left = text[: place + 1].count("a"), 3 - place
            chances = [1 / (1 + np.exp(-(known + bin(n).count("1")))) for n in range(2**left)]
            assert row[place] == pytest.approx(np.mean(chances), abs=0.03)


def test_behind_the_end_all_roll_outs_are_the_text(gan):
    texts = gan.media.to_model(["a", "aa"])
    np.testing.assert_allclose(gan.worth(texts)[0, 1:], 1 / (1 + np.exp(-1)), rtol=1e-5)


def test_it_learns_to_write_what_is_worth_more(monkeypatch):
    gan = SeqGAN(FITTED, **{**SMALL, "roll_outs": 4})
    gan.compile(discriminator_steps=1, learning_rate=(0.0, 5e-2))
    monkeypatch.setattr(gan, "call_discriminator", lambda *args, **options: 3 * counting(*args, **options) - 6)
    monkeypatch.setattr(gan, "update_discriminator", lambda batch: None)
    monkeypatch.setattr(gan, "discriminator_step", lambda batch: None)
    data = gan.media.to_model(["aabb"] * 32)
    before = np.mean([text.count("a") for text in gan.generate(200, seed=1)])
    for _ in range(12):
        gan.train_on_batch(data)
    after = np.mean([text.count("a") for text in gan.generate(200, seed=1)])
    assert after > before + 1


def test_the_baseline_leaves_the_mean_gradient_and_makes_it_less_noisy():
    gradients = {}
    for baseline in (True, False):
        gan = SeqGAN(FITTED, **{**SMALL, "roll_outs": 2}, baseline=baseline)
        gan.compile(run_eagerly=True)
        batch = gan.unpacked(tf.constant(gan.media.to_model(["aabb"] * 32)))

        @tf.function(autograph=False)
        def gradient(gan=gan, batch=batch):
            own = gan.generated(batch._replace(sources=gan.sources_for(batch)))
            return gan.generator_gradients(own, None)[-1]

        gradients[baseline] = np.array([gradient() for _ in range(30)])
    assert gradients[True].std(axis=0).mean() < 0.7 * gradients[False].std(axis=0).mean()
    error = gradients[False].std(axis=0) / np.sqrt(30)
    assert (np.abs(gradients[True].mean(axis=0) - gradients[False].mean(axis=0)) < 5 * error + 1e-3).all()


def test_arguments():
    for wrong in ({"roll_outs": 0}, {"temperature": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SeqGAN(FITTED, **{**SMALL, **wrong})
    one = SeqGAN({**FITTED, "length": 1}, **SMALL)
    one.compile(run_eagerly=True, discriminator_steps=1)
    one.train_on_batch(one.media.to_model(["a", "b", "a", "b"]))
