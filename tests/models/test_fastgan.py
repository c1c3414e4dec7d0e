"""FastGAN: its gates and its decoders against formulas written out, its networks against what the paper says."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.game import Batch
from kerasgan.layers import NoiseInjection, SpectralNormalization
from kerasgan.models import FastGAN, fastgan
from kerasgan.sizes import stage_widths


def small(**arguments):
    keras.utils.set_random_seed(1)
    return FastGAN(**{"image_shape": (32, 32, 3), "latent_dim": 4, "width": 2, "max_width": 8, "seed": 1, **arguments})


PARTS = ("encoder", "whole", "quarter")


@pytest.fixture(scope="module")
def gan():
    """For tests that change nothing but its seeds."""
    return small()


def images(count=4, shape=(32, 32, 3), seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype("float32"))


# Skip-layer excitation


def test_gates_match_the_formula():
    """Pooling to 4x4, 4x4 convolution, LeakyReLU 0.1, 1x1 convolution, sigmoid; kernels over their spectral norms."""
    large, tiny = keras.Input((16, 16, 2)), keras.Input((8, 8, 3))
    model = keras.Model([large, tiny], fastgan.excited(large, tiny, (4, 4)))
    first, second = (layer for layer in model.layers if isinstance(layer, SpectralNormalization))
    random = np.random.default_rng(0)
    values = random.normal(size=(5, 16, 16, 2)).astype("float32"), random.normal(size=(5, 8, 8, 3)).astype("float32")
    for _ in range(50):  # until the power iteration is there
        model(values, training=True)
    kernels = [layer.layer.kernel.numpy().astype("float64") for layer in (first, second)]
    w1, w2 = (k / np.linalg.svd(k.reshape(-1, k.shape[-1]), compute_uv=False)[0] for k in kernels)
    pooled = values[1].reshape(5, 4, 2, 4, 2, 3).mean((2, 4))
    x = np.einsum("nhwc,hwcd->nd", pooled, w1)
    gates = 1 / (1 + np.exp(-np.where(x > 0, x, 0.1 * x) @ w2[0, 0]))
    np.testing.assert_allclose(model(values), values[0] * gates[:, None, None], atol=1e-5)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (16, [(4, 8), (8, 16)]),
        (64, [(4, 32), (8, 64)]),
        (128, [(4, 64), (8, 128)]),
        (256, [(4, 64), (8, 128), (16, 256)]),
        (1024, [(4, 64), (8, 128), (16, 256), (32, 512)]),  # the paper's
    ],
)
def test_which_maps_gate_which(side, expected, monkeypatch):
    gated = []
    monkeypatch.setattr(fastgan, "excited", lambda x, y, places: gated.append((y.shape[1], x.shape[1])) or x)
    fastgan.build_generator((side, side, 3), 2, stage_widths((side, side, 3), 1, 2))
    assert gated == expected


# The discriminator


def test_quarters_are_slices():
    maps = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    for row in range(3):
        for column in range(4):
            found = fastgan.quarters(tf.constant(maps), tf.constant([row, column]))
            np.testing.assert_array_equal(found, maps[:, row : row + 2, column : column + 3])


def test_reconstruction_matches_the_formula(gan, monkeypatch):
    """Of the same piece of maps and images, and of the whole made small by means."""
    real, cuts, cut = images(), [], fastgan.quarters
    monkeypatch.setattr(fastgan, "quarters", lambda maps, corner: cuts.append((maps, corner)) or cut(maps, corner))
    with keras.StatelessScope():
        logits, terms = gan.judge_real(Batch(real))
    (middle, corner), (large, larger) = cuts
    assert middle.shape[1:3] == (16, 16) and large is real

    def again(name, inputs):
        with keras.StatelessScope():
            return gan.discriminator.get_layer(name)(inputs, training=True)

    expected_logits, expected_middle, last = again("encoder", real)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-6)
    np.testing.assert_allclose(middle, expected_middle, atol=1e-6)
    row, column = corner.numpy()
    quarter = again("quarter", middle[:, row : row + 8, column : column + 8])
    piece = real[:, 2 * row : 2 * row + 16, 2 * column : 2 * column + 16]
    expected = np.abs(again("whole", last) - real.numpy().reshape(4, 16, 2, 16, 2, 3).mean((2, 4))).mean()
    expected += np.abs(quarter - piece).mean()
    assert tuple(larger.numpy()) == (2 * row, 2 * column)
    assert float(terms["reconstruction"]) == pytest.approx(expected, rel=1e-5)


def test_pieces_lie_anywhere(gan, monkeypatch):
    maps, corners, cut = {side: tf.zeros((1, side, side, 3)) for side in (8, 16)}, [], fastgan.quarters
    monkeypatch.setattr(fastgan, "quarters", lambda maps, corner: corners.append(corner.numpy()) or cut(maps, corner))
    networks = {"encoder": lambda x, training: (maps[8], maps[16], maps[8]), "whole": None, "quarter": None}
    networks["whole"] = networks["quarter"] = lambda x, training: maps[16]
    monkeypatch.setattr(gan.discriminator, "get_layer", networks.get)
    for _ in range(100):
        gan.judge_real(Batch(images(1)))
    rows, columns = np.transpose(corners[::2])
    assert set(rows) == set(columns) == set(range(9))
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.5


def test_nothing_is_reconstructed_of_fakes():
    found = []
    for seed in (1, 2):
        gan = small()
        gan.compile(augmentation=())
        gradients = gan.discriminator_gradients(Batch(images(), fake=images(seed=seed)))
        found.append([gradient.numpy() for gradient in gradients])
    same = [np.allclose(one, other, atol=1e-7) for one, other in zip(*found, strict=True)]
    of = {id(v): name for name in PARTS for v in gan.discriminator.get_layer(name).trainable_variables}
    parts = [of[id(v)] for v in gan.discriminator.trainable_variables]
    assert {(part, one) for part, one in zip(parts, same, strict=True)} == {
        ("encoder", False),
        ("whole", True),
        ("quarter", True),
    }
    assert all(np.abs(one).max() > 0 for one in found[0])


@pytest.mark.parametrize(
    ("side", "decoded", "convolutions"), [(16, 8, 1), (32, 16, 2), (64, 32, 3), (256, 128, 5), (1024, 128, 5)]
)
def test_maps_and_decoded_images(side, decoded, convolutions):
    """Whatever the size, logits and decoders see the maps that the paper has."""
    network = fastgan.build_discriminator((side, side, 3), stage_widths((side, side, 3), 1, 2))
    _, middle, last = network.get_layer("encoder").outputs
    assert middle.shape[1:3] == (16, 16) and last.shape[1:3] == (8, 8)
    assert [output.shape[1:] for output in network.outputs] == [(5, 5, 1), (decoded, decoded, 3), (decoded, decoded, 3)]
    for name in ("whole", "quarter"):
        kinds = [type(layer) for layer in network.get_layer(name).layers]
        assert kinds.count(SpectralNormalization) == convolutions


# The game


def test_all_convolutions_have_spectral_norms(gan):
    for network in (gan.generator, *map(gan.discriminator.get_layer, PARTS)):
        assert not [layer for layer in network.layers if hasattr(layer, "kernel")]
        assert [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]


def test_defaults_are_the_papers(gan):
    gan.compile()
    assert type(gan.adversarial_loss).__name__ == "Hinge" and gan.default_batch_size == 8
    assert gan.augmentation.policy == ("color", "translation")
    assert 0.5 ** (8 / gan.ema_half_life) == pytest.approx(0.999, abs=1e-6)
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2) == (pytest.approx(2e-4), 0.5, 0.999)


def test_samples_are_a_function_of_their_latents():
    gan = small()
    for layer in gan.generator.layers:
        if isinstance(layer, NoiseInjection):
            layer.factor.assign(1.0)
    latents = gan.sample_latents(2, tf.constant([1, 2]))
    drawn = [gan.call_generator(latents).numpy() for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
    made = [gan.call_generator(latents, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*made)


def test_the_average_has_the_statistics_of_the_batches():
    gan = small()
    gan.compile(ema_half_life=0)
    gan.train_step(images())
    for network in (gan.generator, gan.ema_generator):
        layer = next(layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization))
        assert np.abs(layer.moving_mean).max() > 0
    latents = gan.sample_latents(2, tf.constant([1, 2]))
    expected = gan.generator(latents, training=False)
    np.testing.assert_allclose(gan.ema_generator(latents, training=False), expected, atol=1e-6)


def test_truncation_goes_by_the_logits(gan):
    """Of all that the discriminator gives, they come first."""
    assert gan.generate(3, seed=1, truncation=0.5).shape == (3, 32, 32, 3)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"image_shape=\(18, 16, 3\)"):
        small(image_shape=(18, 16, 3))
