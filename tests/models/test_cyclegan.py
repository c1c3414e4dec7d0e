"""CycleGAN's networks, its losses against NumPy, and its pool of images."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import UpsamplingConv2D
from kerasgan.models import CycleGAN

SMALL = {"image_shape": (16, 24, 3), "width": 4, "blocks": 1, "pool_size": 6, "seed": 3}


def small(**arguments):
    keras.utils.set_random_seed(0)
    return CycleGAN(**{**SMALL, **arguments})


def pairs(count=4, source=3):
    random = np.random.default_rng(0)
    return tuple(random.uniform(-1, 1, (count, 16, 24, c)).astype("float32") for c in (source, 3))


def test_translators_are_those_of_the_paper():
    for shape, blocks in (((256, 256, 3), 9), ((128, 128, 3), 6)):
        gan = CycleGAN(shape)
        translator = gan.generator.get_layer("a_to_b")
        maps = [layer.output.shape[1:] for layer in translator.layers if isinstance(layer, keras.layers.Add)]
        assert maps == [(shape[0] // 4, shape[1] // 4, 256)] * blocks
        assert gan.generator.get_layer("b_to_a").count_params() == translator.count_params()
        assert gan.discriminator.output.shape[1:] == (shape[0] // 8, shape[1] // 8, 2)


def test_doubled_pixels_in_place_of_transposed_convolutions():
    gan = small(upsampling="nearest")
    layers = gan.generator.get_layer("b_to_a").layers
    assert [layer.output.shape[1:] for layer in layers if isinstance(layer, UpsamplingConv2D)] == [
        (8, 12, 8),
        (16, 24, 4),
    ]
    assert not any(isinstance(layer, keras.layers.Conv2DTranspose) for layer in layers)
    assert gan.translate(np.zeros((2, 16, 24, 3), "uint8")).shape == (2, 16, 24, 3)
    with pytest.raises(ValueError, match="upsampling='bilinear'"):
        small(upsampling="bilinear")


def test_losses_are_the_papers():
    gan = small(pool_size=0)
    gan.compile()
    a, b = map(tf.constant, pairs())
    batch = gan.unpacked((a, b))
    with tf.GradientTape() as tape:
        fake = gan.call_generator(gan.sources_for(batch))
    found = gan.generator_gradients(batch._replace(fake=fake), tape)
    forwards, backwards = (gan.generator.get_layer(name) for name in gan.directions)
    logits_a, logits_b = (
        gan.discriminator(tf.concat(parts, -1))[..., i] for i, parts in enumerate(((backwards(b), b), (a, forwards(a))))
    )
    with tf.GradientTape() as tape:
        there_b, there_a = forwards(a), backwards(b)
        logits = gan.discriminator(tf.concat([there_a, there_b], -1))
        np.testing.assert_allclose(logits[..., 0], logits_a, atol=1e-5)  # domains do not see each other
        np.testing.assert_allclose(logits[..., 1], logits_b, atol=1e-5)
        adversarial = sum(tf.reduce_mean((logits[..., i] - 1) ** 2) for i in range(2))
        cycle = tf.reduce_mean(tf.abs(backwards(there_b) - a)) + tf.reduce_mean(tf.abs(forwards(there_a) - b))
        identity = tf.reduce_mean(tf.abs(backwards(a) - a)) + tf.reduce_mean(tf.abs(forwards(b) - b))
        loss = adversarial + 10 * cycle + 5 * identity
    for mine, other in zip(found, tape.gradient(loss, gan.generator.trainable_variables), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-4, rtol=1e-3)
    assert float(gan._trackers["cycle"].result()) == pytest.approx(10 * float(cycle), rel=1e-5)
    assert float(gan._trackers["identity"].result()) == pytest.approx(5 * float(identity), rel=1e-5)


def test_both_directions_and_no_other():
    gan = small(source_channels=1)
    forth = gan.translate(np.zeros((2, 16, 24, 1), "uint8"))
    assert forth.shape == (2, 16, 24, 3)
    assert gan.translate(forth, direction="b_to_a").shape == (2, 16, 24, 1)
    with pytest.raises(ValueError, match="direction='c_to_a'.*'a_to_b' and 'b_to_a'"):
        gan.translate(forth, direction="c_to_a")
    with pytest.raises(ValueError, match=r"\(count, 16, 24, 1\)"):
        gan.translate(forth, direction="a_to_b")
    assert "identity" not in gan.default_weights


# The pool: images whose every pixel is the same number


def numbered(*numbers):
    return tf.constant(np.float32(numbers)[:, None, None, None] * np.ones((1, 16, 24, 6), "float32"))


def numbers(pairs):
    """(numbers of the images of A, of those of B) in pairs."""
    values = pairs.numpy()
    assert (values[..., :3] == values[:, :1, :1, :1]).all() and (values[..., 3:] == values[:, :1, :1, 3:4]).all()
    return values[:, 0, 0, 0].astype(int), values[:, 0, 0, 3].astype(int)


def test_the_pool_is_filled_and_then_gives_back_every_other_time():
    gan = small()
    exchanged, given = tf.function(gan._exchanged), [[], []]
    count = 0
    for _ in range(300):
        batch = numbered(count, count + 1, count + 2, count + 3)
        for domain, own in enumerate(numbers(exchanged(batch))):
            given[domain] += list(own)
        count += 4
    for domain in range(2):
        assert given[domain][:4] == [0, 1, 2, 3]
        assert int(gan.pooled) == 6
        # Each image is given at most twice in a row of swaps: once when it is new, or once when it leaves the pool.
        assert max(collections.Counter(given[domain][8:]).values()) == 1
        old = np.mean([number < 4 * (i // 4) for i, number in enumerate(given[domain])])
        assert 0.42 < old < 0.58
        ages = [i // 4 - number // 4 for i, number in enumerate(given[domain]) if number < 4 * (i // 4)]
        assert max(ages) > 5
    assert given[0] != given[1]  # domains are exchanged apart from each other
    assert len(set(gan.pool.numpy()[:, 0, 0, 0])) == 6


def test_discriminators_learn_from_the_pool():
    gan = small()
    gan.compile()
    a, b = map(tf.constant, pairs())
    batch = gan.unpacked((a, b))
    fake = gan.call_generator(batch.real)
    gan.discriminator_gradients(batch._replace(fake=fake))
    np.testing.assert_array_equal(gan.pool[:4], fake)
    assert int(gan.pooled) == 4


def test_the_pool_belongs_to_the_training():
    gan = small()
    gan.compile(run_eagerly=True)
    gan.fit(*pairs(8), batch_size=2, verbose=0)
    assert int(gan.pooled) == 6 and np.ptp(gan.pool.numpy()) > 0
    assert all("pool" not in variable.path for variable in gan.trainable_variables)


def test_a_batch_larger_than_the_pool_is_judged_whole():
    gan = small(pool_size=2)
    batch = np.arange(5, dtype="float32")[:, None, None, None] * np.ones((5, 16, 24, 6), "float32")
    given = [gan._exchanged(tf.constant(batch)).numpy() for _ in range(3)]
    for images in given:
        assert images.shape == batch.shape
        np.testing.assert_array_equal(images[2:], batch[2:])  # the pool holds two, which are exchanged
    assert int(gan.pooled) == 2


def test_without_a_pool_the_newest_are_judged():
    gan = small(pool_size=0)
    gan.compile(run_eagerly=True)
    assert gan.pool is None
    gan.fit(*pairs(), batch_size=2, verbose=0)
