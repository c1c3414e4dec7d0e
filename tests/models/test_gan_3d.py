"""3D-GAN: the paper's layers, the game that is played by default, and the paper's own."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses
from kerasgan.models import GAN3D, gan_3d

SMALL = {"size": 8, "latent_dim": 3, "width": 2, "seed": 1}
STEP = {"run_eagerly": True}  # a few steps are sooner computed than traced


def cells(count=4, size=8, seed=0):
    return np.where(np.random.default_rng(seed).random((count, size, size, size, 1)) < 0.3, 1.0, -1.0).astype("float32")


@pytest.mark.parametrize(("size", "times"), [(8, 1), (16, 2), (32, 3), (64, 4), (128, 5)])
def test_edges_double_from_4_on(size, times):
    assert gan_3d.doublings(size) == times and 4 * 2**times == size


@pytest.mark.parametrize("size", [4, 12, 0, -8, 16.0, "16"])
def test_sizes_that_cannot_be_made_are_refused(size):
    with pytest.raises(ValueError, match=f"size={size!r}: 3D-GAN makes cubes of 8, 16, 32, 64 or 128 cells"):
        GAN3D(size=size)


def test_the_papers_networks():
    """Section 3.1 of arXiv:1610.07584, 64 cells along an edge: 512, 256, 128, 64 and 1 maps, here an eighth of them."""
    gan = GAN3D(size=64, width=8, game="original")
    kernels = [tuple(v.shape) for v in gan.generator.trainable_variables if len(v.shape) > 1]
    assert kernels == [(200, 64 * 64), (4, 4, 4, 32, 64), (4, 4, 4, 16, 32), (4, 4, 4, 8, 16), (4, 4, 4, 1, 8)]
    kernels = [tuple(v.shape) for v in gan.discriminator.trainable_variables if len(v.shape) > 1]
    assert kernels == [(4, 4, 4, 1, 8), (4, 4, 4, 8, 16), (4, 4, 4, 16, 32), (4, 4, 4, 32, 64), (64 * 64, 1)]
    convolutions = [layer for layer in gan.generator.layers if isinstance(layer, keras.layers.Conv3DTranspose)]
    assert [layer.output.shape[1] for layer in convolutions] == [8, 16, 32, 64]
    leaky = [layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert [layer.negative_slope for layer in leaky] == [pytest.approx(0.2)] * 4
    assert inspect.signature(GAN3D).parameters["width"].default == 64


def normalizations(network):
    return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)


def test_the_default_game_is_that_of_wgan_gp():
    gan = GAN3D(**{**SMALL, "size": 32})
    gan.compile()
    assert gan.discriminator_steps == 5 and isinstance(gan.adversarial_loss, losses.Wasserstein)
    assert [(penalty.name, penalty.weight) for penalty in gan.penalties] == [("gradient_penalty", 10.0)]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(1e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.9)
    assert (normalizations(gan.generator), normalizations(gan.discriminator)) == (3, 0)
    assert gan.latent == "normal"


def test_the_original_game_is_the_papers():
    gan = GAN3D(**{**SMALL, "size": 32}, game="original")
    gan.compile()
    assert gan.discriminator_steps == 1 and gan.penalties == []
    assert isinstance(gan.adversarial_loss, losses.NonSaturating)
    rates = [float(one.learning_rate) for one in (gan.discriminator_optimizer, gan.generator_optimizer)]
    assert rates == [pytest.approx(1e-5), pytest.approx(2.5e-3)]
    assert [one.beta_1 for one in (gan.discriminator_optimizer, gan.generator_optimizer)] == [0.5, 0.5]
    assert (normalizations(gan.generator), normalizations(gan.discriminator)) == (3, 2)
    assert gan.latent == "uniform"
    with pytest.raises(ValueError, match="game='bce': expected one of 'wgan_gp', 'original'"):
        GAN3D(game="bce")


@pytest.mark.parametrize(
    ("real", "fake", "learns"),
    [
        ([3, 3, 3, 3, 3], [-3, -3, -3, 3, 3], True),  # right about 8 of 10: at most 80 %
        ([3, 3, 3, 3, 3], [-3, -3, -3, -3, 3], False),  # 9 of 10
        ([-3, 3, 3, 3, 3], [-3, -3, -3, -3, 3], True),
        ([0, 0, 3, 3, 3], [-3, -3, -3, -3, -3], True),  # at the threshold it is not right
    ],
)
def test_the_discriminator_learns_only_where_it_is_right_at_most_four_times_in_five(real, fake, learns):
    gan = GAN3D(**SMALL, game="original")
    gan.compile(**STEP)
    before = [np.array(v) for v in gan.discriminator.trainable_variables]
    logits = [tf.constant(values, tf.float32)[:, None] for values in (real, fake)]
    gan.track_discriminator(tf.constant(0.0), *logits)
    gan.apply_gradients("discriminator", [tf.ones(v.shape) for v in before])
    moved = [not np.array_equal(old, v) for old, v in zip(before, gan.discriminator.trainable_variables, strict=True)]
    assert all(moved) if learns else not any(moved)
    assert int(gan.discriminator_updates) == int(gan.discriminator_optimizer.iterations) == int(learns)
    gan.apply_gradients("generator", [tf.ones(v.shape) for v in gan.generator.trainable_variables])
    assert int(gan.generator_optimizer.iterations) == 1  # always learns


def test_the_original_game_trains_in_a_graph_and_is_saved(tmp_path):
    gan = GAN3D(**SMALL, game="original", num_classes=2)
    gan.compile(generator_optimizer="sgd", discriminator_optimizer="sgd")  # which are sooner traced
    logs = gan.fit(cells(), np.arange(4) % 2, batch_size=2, shuffle=False, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert again.game == "original" and again.latent == "uniform"
    for one, other in zip(gan.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_original_game_is_refused_on_several_devices(monkeypatch):
    gan = GAN3D(**SMALL, game="original")
    gan.compile(**STEP)
    strategy = type("Two", (), {"num_replicas_in_sync": 2})
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: strategy)
    with pytest.raises(ValueError, match="game='original' trains on one device: .* game='wgan_gp'"):
        gan.apply_gradients("discriminator", [])


def test_samples_are_cells():
    made = GAN3D(**SMALL).generate(3, seed=0)
    assert made.dtype == np.bool_ and made.shape == (3, 8, 8, 8)


def test_the_discriminator_of_classes_judges_by_projection():
    gan = GAN3D(**SMALL, num_classes=3)
    given, labels = tf.constant(cells(2)), tf.constant([2, 0])
    critic = gan.discriminator
    embedding, dense = (next(layer for layer in critic.layers if kind in layer.name) for kind in ("embedding", "dense"))
    activations = keras.Model(critic.inputs[0], dense.input)(given)
    expected = dense(activations)[:, 0] + tf.reduce_sum(activations * embedding(labels), axis=1)
    np.testing.assert_allclose(gan.call_discriminator(given, labels, training=False)[:, 0], expected, rtol=1e-5)
