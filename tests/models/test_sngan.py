"""SNGAN's networks against the paper's tables, and its game and projection against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import export, losses
from kerasgan.game import Batch
from kerasgan.layers import ConditionalBatchNormalization, SpectralNormalization
from kerasgan.models import SNGAN, sngan

SMALL = {"image_shape": (16, 24, 3), "latent_dim": 8, "width": 4, "seed": 3}


def small(**arguments):
    keras.utils.set_random_seed(0)
    return SNGAN(**{**SMALL, **arguments})


def images(count=4):
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (count, 16, 24, 3)).astype("float32"))


def normalized_layers(network):
    return [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]


def kernel_of(layer):
    return layer.layer.embeddings if isinstance(layer.layer, keras.layers.Embedding) else layer.layer.kernel


def matrix_of(layer):
    return np.float64(kernel_of(layer).numpy()).reshape(-1, kernel_of(layer).shape[-1])


def maps(network):
    """(height, width, channels) after each block, which ends with the sum of itself and its shortcut."""
    sums = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.Add)]
    return [shape for shape in sums if len(shape) == 3]


# The networks


def test_cifar_networks_are_those_of_table_4():
    gan = SNGAN()
    assert maps(gan.generator) == [(8, 8, 256), (16, 16, 256), (32, 32, 256)]
    assert maps(gan.discriminator) == [(16, 16, 128), (8, 8, 128), (8, 8, 128), (8, 8, 128)]

    def convolution(incoming, outgoing, size=3):
        return size * size * incoming * outgoing + outgoing

    block = 2 * 2 * 256 + 2 * convolution(256, 256) + convolution(256, 256, 1)
    generator = (128 + 1) * 4 * 4 * 256 + 3 * block + 2 * 256 + convolution(256, 3)
    first = convolution(3, 128) + convolution(128, 128) + convolution(3, 128, 1)
    plain = 2 * convolution(128, 128)
    discriminator = first + (plain + convolution(128, 128, 1)) + 2 * plain + 129
    for network, count in ((gan.generator, generator), (gan.discriminator, discriminator)):
        assert sum(v.numpy().size for v in network.trainable_variables) == count
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in gan.discriminator.layers)


@pytest.mark.parametrize(
    ("shape", "generator", "discriminator"),
    [
        ((48, 48, 3), [512, 256, 128, 64], [64, 128, 256, 512, (1024,)]),  # table 5
        ((128, 128, 3), [1024, 1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024, (1024,)]),  # table 6
        ((64, 96, 3), [1024, 512, 256, 128, 64], [64, 128, 256, 512, (1024,)]),
        ((28, 28, 1), [256, 256, 256], [128, 128, (128,), (128,)]),
    ],
    ids=str,
)
def test_blocks_for_other_sizes(shape, generator, discriminator):
    """Channels of the blocks; in brackets those that do not halve the maps."""
    width = sngan.paper_width(shape)
    assert sngan.generator_channels(shape, width) == generator
    expected = [(c[0], False) if isinstance(c, tuple) else (c, True) for c in discriminator]
    assert sngan.discriminator_channels(shape, width) == expected


@pytest.mark.parametrize("shape", [(16, 24, 3), (28, 28, 1), (48, 48, 3), (100, 60, 4)], ids=str)
def test_builds_for_other_sizes(shape):
    gan = SNGAN(image_shape=shape, latent_dim=4, width=2, num_classes=3)
    assert gan.generator.output.shape[1:] == shape and gan.discriminator.output.shape[1:] == (1,)
    assert maps(gan.generator)[-1][:2] == shape[:2]


def test_convolutions_start_with_the_papers_gains():
    gan = SNGAN(latent_dim=8, width=16)
    for network in (gan.generator, gan.discriminator):
        layers = [getattr(layer, "layer", layer) for layer in network.layers]
        for layer in layers:
            if not isinstance(layer, keras.layers.Conv2D):
                continue
            fans = np.prod(layer.kernel.shape[:2]) * np.sum(layer.kernel.shape[2:])
            outer = layer.kernel_size == (1, 1) or (layer.filters == 3)
            bound = (1.0 if outer else np.sqrt(2)) * np.sqrt(6 / fans)
            largest = np.abs(layer.kernel).max()
            assert 0.8 * bound < largest <= bound * (1 + 1e-6)


def test_classes_choose_gain_and_bias_of_all_normalizations_but_the_last():
    gan = small(num_classes=3)
    conditional = [layer for layer in gan.generator.layers if isinstance(layer, ConditionalBatchNormalization)]
    plain = [layer for layer in gan.generator.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert (len(conditional), len(plain)) == (4, 1)
    assert all(layer.gain.shape[0] == 3 for layer in conditional)


def test_all_spectral_norms_come_to_one():
    gan = small(num_classes=3)
    layers = normalized_layers(gan.discriminator)
    assert sum(len(v.shape) > 1 for v in gan.discriminator.trainable_variables) == len(layers)
    labels = tf.constant([0, 1, 2, 0])
    step = tf.function(lambda: gan.call_discriminator(images(), labels))
    for _ in range(200):
        step()
    for layer in layers:
        used = layer._normalized(kernel_of(layer), update=False).numpy().reshape(matrix_of(layer).shape)
        assert np.linalg.norm(used, 2) == pytest.approx(1.0, abs=0.02)


def test_logit_is_a_linear_function_and_the_projection_of_summed_features():
    gan = small(num_classes=3)
    labels = tf.constant([2, 0, 1, 2])
    network = gan.discriminator
    relu = [layer for layer in network.layers if isinstance(layer, keras.layers.ReLU)][-1]
    features = keras.Model(network.inputs, relu.output)([images(), labels]).numpy().astype("float64").sum((1, 2))
    dense, embedding = (
        next(layer for layer in normalized_layers(network) if isinstance(layer.layer, kind))
        for kind in (keras.layers.Dense, keras.layers.Embedding)
    )
    dense.layer.bias.assign([0.3])
    weights = []
    for layer in (dense, embedding):
        matrix, u = matrix_of(layer), np.float64(layer.u.numpy())
        v, u = matrix @ u / np.linalg.norm(matrix @ u), u / np.linalg.norm(u)
        weights.append(matrix / (v @ matrix @ u))
    expected = features @ weights[0] + 0.3 + np.sum(weights[1][labels.numpy()] * features, axis=1, keepdims=True)
    np.testing.assert_allclose(gan.call_discriminator(images(), labels, training=False), expected, rtol=1e-4, atol=1e-4)


# The game


@pytest.mark.parametrize("num_classes", [None, 3])
def test_losses_of_a_step_are_the_hinge(num_classes):
    gan = small(num_classes=num_classes)
    gan.compile(discriminator_steps=1)
    labels = None if num_classes is None else tf.constant([0, 1, 2, 0])
    latents = gan.sample_latents(4, tf.constant([1, 2]))
    with tf.GradientTape() as tape, keras.StatelessScope():
        fake = gan.call_generator(latents, labels)
    with keras.StatelessScope():
        logits = [np.float64(gan.call_discriminator(samples, labels)) for samples in (images(), fake)]
    batch = Batch(images(), labels, fake=fake)
    gan.discriminator_gradients(batch)
    trackers = gan._trackers
    hinge = np.mean(np.maximum(0, 1 - logits[0])) + np.mean(np.maximum(0, 1 + logits[1]))
    assert float(trackers["discriminator_loss"].result()) == pytest.approx(hinge, rel=1e-4)
    with keras.StatelessScope():  # after the power iteration of that call
        judged = np.mean(np.float64(gan.call_discriminator(fake, labels)))
    gan.generator_gradients(batch, tape)
    assert float(trackers["generator_loss"].result()) == pytest.approx(-judged, rel=1e-4)


def test_default_game_is_the_papers():
    gan = small()
    gan.compile()
    assert isinstance(gan.adversarial_loss, losses.Hinge)
    assert gan.discriminator_steps == 5 and not gan.penalties and gan.augmentation is None
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        settings = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2
        assert settings == (pytest.approx(2e-4), 0.0, 0.9)


def test_one_power_iteration_an_update():
    gan = small()
    gan.compile()
    layers = normalized_layers(gan.discriminator)
    before = [np.float64(layer.u.numpy()) for layer in layers]
    matrices = [matrix_of(layer) for layer in layers]
    gan.discriminator_step(Batch(images(), fake=images() * 0.5))
    for layer, u, matrix in zip(layers, before, matrices, strict=True):
        u = matrix.T @ (matrix @ u)
        np.testing.assert_allclose(layer.u, u / np.linalg.norm(u), rtol=1e-3, atol=1e-4)


def test_one_stage_is_refused_for_the_hinge_loss_only():
    with pytest.raises(ValueError, match='one_stage=True with loss="hinge"'):
        small().compile(one_stage=True)
    small(num_classes=3).compile(one_stage=True, loss="non_saturating")


def test_gradient_penalties_reach_through_the_discriminator():
    gan = small()
    gan.compile(penalties=["r1"], discriminator_steps=1, run_eagerly=True)
    before = gan.discriminator.get_weights()
    logs = gan.fit(images(8), batch_size=4, verbose=0).history
    assert np.isfinite(list(logs.values())).all() and logs["r1"][0] > 0
    assert not all(np.array_equal(a, b) for a, b in zip(before, gan.discriminator.get_weights(), strict=True))


@pytest.mark.parametrize("mode", ["dynamic", "int8"])
def test_conditional_generator_exports(mode, tmp_path):
    gan = small(num_classes=3)
    export.tflite(gan, tmp_path / "g.tflite", mode, verify=False)
    found = export.verify(gan, tmp_path / "g.tflite", latency=False)
    assert found.psnr > {"dynamic": 25, "int8": 20}[mode]
