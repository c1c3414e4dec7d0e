"""What a discriminator minimizes besides the adversarial loss, between linear networks, against the algebra."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN
from kerasgan.precision import policy

SAME, OWN = 0.5, 0.25  # weights of the terms


class OwnTerm(GAN):
    """Keeps the logits of fakes before the augmentation small."""

    default_weights_of_others = {"discriminator": {"own_pass": OWN}}

    def discriminator_terms(self, batch):
        return {"own_pass": tf.reduce_mean(tf.square(self.call_discriminator(batch.fake)))}


class BothTerms(OwnTerm):
    """And those of reals as the loss has them."""

    default_weights_of_others = {"discriminator": {"same_pass": SAME, "own_pass": OWN}}

    def judge_real(self, batch):
        logits = self.call_discriminator(batch.real)
        return logits, {"same_pass": tf.reduce_mean(tf.square(logits))}


def linear_game(cls, dtype=None, **arguments):
    """A game whose augmentation halves the samples, and the latents that it draws."""
    keras.utils.set_random_seed(1)
    with policy(dtype):
        latents, samples = keras.Input((3,)), keras.Input((4,))
        generator = keras.Model(latents, keras.layers.Dense(4, dtype="float32")(latents))
        gan = cls(generator, keras.Model(samples, keras.layers.Dense(1)(samples)), seed=1, dtype=dtype)
    sgd = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2)
    gan.compile(*sgd, loss="wasserstein", augmentation=lambda samples, seed: 0.5 * samples, **arguments)
    drawn, draw = [], gan.sources_for
    gan.sources_for = lambda batch: drawn.append(draw(batch)) or drawn[-1]
    return gan, drawn


def reals(count=8):
    return np.random.default_rng(0).normal(size=(count, 4)).astype("float32")


def update_written_out(start, latents, real, same, simultaneous=False):
    """Kernels and biases of both players after a step, and both terms, in float64; `same` is the weight of that one."""
    (g, gb), (d, db) = start
    fake = latents @ g + gb
    seen, plain = 0.5 * real @ d + db, fake @ d + db
    to_d = 0.5 * (fake.mean(0) - real.mean(0))[:, None] + same * (seen * real).mean(0)[:, None]  # 2 * 0.5 is 1
    to_d = to_d + 2 * OWN * (plain * fake).mean(0)[:, None]
    new = d - 0.1 * to_d, db - 0.1 * (2 * same * seen.mean() + 2 * OWN * plain.mean())
    slope = np.tile(-0.5 * (d if simultaneous else new[0]).T / len(real), (len(real), 1))
    own = g - 0.2 * latents.T @ slope, gb - 0.2 * slope.sum(0)
    return own, new, {"same_pass": same * np.square(seen).mean(), "own_pass": OWN * np.square(plain).mean()}


def weights(gan):
    return [[w.astype("float64") for w in network.get_weights()] for network in (gan.generator, gan.discriminator)]


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (BothTerms, {}),
        (BothTerms, {"gradient_accumulation": 2}),
        (BothTerms, {"dtype": "mixed_float16"}),
        (OwnTerm, {"one_stage": True}),
        (OwnTerm, {"one_stage": True, "dtype": "mixed_float16"}),
    ],
)
def test_one_step_matches_the_algebra(cls, options):
    """The discriminator's update has its terms, weighted and scaled; the generator's has nothing of them."""
    gan, drawn = linear_game(cls, **options)
    start, real = weights(gan), reals()
    logs = gan.train_step(tf.constant(real))
    same = SAME if cls is BothTerms else 0.0
    latents = np.float64(drawn[0])
    *expected, terms = update_written_out(start, latents, np.float64(real), same, options.get("one_stage", False))
    tolerance = 2e-3 if "dtype" in options else 1e-6
    for found, want in zip(weights(gan), expected, strict=True):
        for a, b in zip(found, want, strict=True):
            np.testing.assert_allclose(a, b, atol=tolerance)
    for name in cls.default_weights_of_others["discriminator"]:
        assert float(logs[name]) == pytest.approx(terms[name], rel=1e-2 if "dtype" in options else 1e-5)


def test_weights_and_evaluation():
    gan, _ = linear_game(BothTerms, weights={"same_pass": "linear(1, 0, 16)", "own_pass": 0.0})
    kernel, bias = (w.astype("float64") for w in gan.discriminator.get_weights())
    term = np.square(0.5 * reals() @ kernel + bias).mean()
    found = gan.evaluate(reals(), batch_size=8, verbose=0, return_dict=True)
    assert found["same_pass"] == pytest.approx(term, rel=1e-5) and found["own_pass"] == 0.0
    gan.samples_seen.assign(8)
    assert float(gan.train_step(tf.constant(reals()))["same_pass"]) == pytest.approx(term / 2, rel=1e-5)


def test_one_stage_refuses_terms_of_the_pass_of_reals():
    with pytest.raises(ValueError, match="one_stage=True: BothTerms's discriminator minimizes same_pass, too"):
        linear_game(BothTerms, one_stage=True)
