"""What is particular to SkeGAN: its likelihood, its stages, its temperature, and that it goes on from what is given."""

import types

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from kerasgan.models import SkeGAN
from kerasgan.models.skegan import WithPositions, likelihood_loss

SMALL = {"points": 6, "scale": 10.0, "units": 16, "mixtures": 2, "width": 4, "seed": 1}
LINES = [[(0, 0), (0, 20), (30, 20)], [(10, 5)]]  # four points: three rows
ROWS = np.int16([[0, 20, 0], [30, 0, 1], [-20, -15, 1], [0, 0, 2], [0, 0, 2], [0, 0, 2]])


@pytest.fixture(scope="module")
def gan():
    return SkeGAN(**SMALL)


def test_the_loss_is_the_likelihood_of_the_mixture():
    """By SciPy's normal distributions: offsets up to the end, the pen up to the row that ends it, mean of rows."""
    random = np.random.default_rng(0)
    parameters = random.normal(size=(2, 3, 15)).astype("float32")
    rows = random.normal(size=(2, 3, 5)).astype("float32")
    pens = np.array([[0, 1, 2], [0, 2, 2]])
    rows[..., 2:] = np.eye(3)[pens]
    total = 0.0
    counted = zip(parameters.reshape(-1, 15).astype(float), rows.reshape(-1, 5), pens.ravel(), strict=True)
    for values, row, pen in list(counted)[:5]:  # the sixth is behind the end
        logits, mx, my, sx, sy, r, q = (*np.split(values[:12], 6), values[12:])
        total += scipy.special.log_softmax(q)[pen]
        if pen < 2:
            sx, sy, r = np.exp(sx) + 1e-3, np.exp(sy) + 1e-3, 0.95 * np.tanh(r)
            share, density = scipy.special.softmax(logits), 0.0
            for k in range(2):
                covariance = [[sx[k] ** 2, r[k] * sx[k] * sy[k]], [r[k] * sx[k] * sy[k], sy[k] ** 2]]
                density += share[k] * scipy.stats.multivariate_normal([mx[k], my[k]], covariance).pdf(row[:2])
            total += np.log(density)
    assert float(likelihood_loss(parameters, rows, 2)) == pytest.approx(-total / 6, rel=1e-4)


def test_by_likelihood_it_learns_how_a_sketch_varies():
    """Offsets with normal noise of 0.5: at best, 3 of 6 rows cost the noise's entropy, log(2 pi e 0.25) = 1.45 nats."""
    gan = SkeGAN(**{**SMALL, "pretraining": None})
    data = np.repeat(gan.media.to_model(ROWS[None]), 512, axis=0)
    data[:, :3, :2] += 0.5 * np.random.default_rng(0).normal(size=(512, 3, 2))
    before = gan.negative_log_likelihood(data)
    gan.compile(learning_rate=2e-2, ema_half_life=200, clip_gradients=1.0)
    discriminator = gan.discriminator.get_weights()
    logs = gan.fit(data, batch_size=32, epochs=8, verbose=0).history
    assert set(logs) <= {"generator_loss", "generator_gradient_norm", "generator_learning_rate"}
    assert all(map(np.array_equal, discriminator, gan.discriminator.get_weights()))
    best = np.log(2 * np.pi * np.e * 0.25) / 2
    assert best - 0.1 < gan.negative_log_likelihood(data) < best + 0.4 < before - 1
    sketches = gan.generate(64, seed=1)
    finished = sketches[(sketches[..., 2] == ROWS[:, 2]).all(axis=1)]
    assert len(finished) > 50
    assert np.abs(finished[..., :2].mean(axis=0) - ROWS[:, :2]).max() < 6


def test_room_behind_the_end_changes_nothing():
    """Neither the likelihood, but for the mean of more rows, nor its gradient; nor is anything computed there."""
    gans = [SkeGAN(**{**SMALL, "points": points}) for points in (6, 20)]
    found = []
    for gan in gans:
        gan.generator.set_weights(gans[0].generator.get_weights())
        rows = gan.media.to_model(np.pad(ROWS, ((0, gan.media.points - 6), (0, 0)), "edge")[None])
        with tf.GradientTape() as tape:
            loss = gan.media.points * gan._likelihood_loss(gan.generator, rows)
        found.append([loss, *tape.gradient(loss, gan.generator.trainable_variables)])
        parameters = gan.generator.get_layer("strokes").parameters(rows)
        np.testing.assert_array_equal(parameters[0, 4:], np.tile(parameters[0, -1:], (gan.media.points - 4, 1)))
    for short, long in zip(*found, strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-4, atol=1e-5)


def test_recurrent_dropout():
    """Units that are dropped never enter: their cells stay at zero; the others' candidates are larger instead."""
    gan = SkeGAN(**{**SMALL, "dropout": 0.5})
    layer = gan.generator.get_layer("strokes")
    rows = gan.media.to_model(ROWS[None])
    kept = np.float32(np.arange(16) % 2 * 2)[None]
    expected = layer.parameters(rows, kept).numpy()
    quarters = np.arange(64).reshape(4, 16)
    for name in ("kernel", "recurrent"):
        weights = getattr(layer, name).numpy()
        weights[:, quarters[3][::2]] = 0.0  # the candidates' own weights
        getattr(layer, name).assign(weights)
    np.testing.assert_allclose(layer.parameters(rows, kept), expected, rtol=1e-5)
    gan.compile()
    shares = gan._kept(types.SimpleNamespace(count=512)).numpy()
    assert shares.shape == (512, 16) and set(np.unique(shares)) == {0.0, 2.0}
    assert (shares > 0).mean() == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="dropout=1.0: expected a share from 0 to 0.9"):
        SkeGAN(**{**SMALL, "dropout": 1.0})


def test_stages():
    assert [SkeGAN(**{**SMALL, "pretraining": n}).stage for n in (None, 0, 5)] == [0, 1, 0]
    gan = SkeGAN(**{**SMALL, "pretraining": 5})
    assert [gan.stage_at(seen) for seen in (0, 4, 5)] == [0, 0, 1]
    with pytest.raises(ValueError, match="pretraining=-1"):
        SkeGAN(**{**SMALL, "pretraining": -1})


def test_the_discriminator_sees_where_points_are():
    rows = tf.constant([[[1, 2, 1, 0, 0], [3, -1, 0, 1, 0], [0, 0, 0, 0, 1]]], tf.float32)
    found = WithPositions()(rows)
    np.testing.assert_array_equal(found[..., :5], rows)
    np.testing.assert_array_equal(found[0, :, 5:], [[1, 2], [4, 1], [4, 1]])


def test_it_goes_on_from_what_was_drawn(gan):
    sketches = gan.complete(LINES, 5, seed=3)
    assert sketches.shape == (5, 6, 3) and sketches.dtype == np.int16
    np.testing.assert_array_equal(sketches[:, :3], np.tile(ROWS[:3], (5, 1, 1)))
    assert len(np.unique(sketches[:, 3:], axis=0)) > 1
    np.testing.assert_array_equal(sketches, gan.complete(LINES, 5, seed=3))
    np.testing.assert_array_equal(sketches[:2], gan.complete([np.array(line) + 7 for line in LINES], 2, seed=3))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "expected a list of lines"),
        ([[]], "expected a list of lines"),
        (3, "expected a list of lines"),
        ([[(0, 0, 0)]], r"each a list of points \(x, y\)"),
        ([[(0, float("nan"))]], "expected a list of lines"),
        ([[(0, 1e9)]], "up to 10,000 units"),
        ([[(n, 0) for n in range(7)]], "lines have 6 points: expected at most 5"),
    ],
)
def test_lines_that_cannot_be_gone_on_from(gan, lines, message):
    with pytest.raises(ValueError, match=message):
        gan.complete(lines)


def test_the_temperature_is_that_of_samples(gan):
    def spread(temperature):
        gan.temperature = temperature
        return np.abs(gan.generate(64, seed=1)[..., :2]).mean()

    assert spread(0.05) < 0.6 * spread(1.0)
    gan.temperature = 0.3
    again = SkeGAN.from_config(gan.get_config())
    assert again.temperature == 0.3 and again.inference_network().get_layer("strokes").temperature == 0.3
    assert gan.generator.get_layer("strokes").temperature == 1.0  # the game's
    for wrong in (0, 1.5, -1, "hot"):
        with pytest.raises(ValueError, match="temperature="):
            gan.temperature = wrong
    gan.temperature = 0.5


def test_what_is_exported_is_given_its_own_drawings(gan):
    inputs = gan.inference_inputs(3, seed=5)
    given = inputs["given"]
    assert given.shape == (3, 6, 5) and (given[..., 2:].sum(axis=2) == 1).all()
    rows = keras.ops.convert_to_numpy(gan.inference_network()([inputs["latents"], given]))
    drawn = gan.media.to_natural(rows)[..., 2]
    assert np.mean(drawn == gan.media.to_natural(given)[..., 2]) > 0.95
    assert [one["name"] for one in gan.inference_description()] == ["latents", "given"]


def test_truncation_judges_whole_sketches(gan):
    assert gan.generate(3, seed=1, truncation=0.5).shape == (3, 6, 3)
    assert gan.interpolate(2, 3, seed=1).shape == (6, 6, 3)
