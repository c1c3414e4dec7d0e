"""SRGAN: its networks, its low resolution, its two stages, what it upscales and remembers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import callbacks, perceptual
from kerasgan.callbacks import Checkpoint
from kerasgan.game import Batch
from kerasgan.media import Image, bicubic
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.models import SRGAN, srgan

SHAPE = (16, 24, 3)
PICTURES = dead_leaves(16, SHAPE, seed=1)
REAL = Image(SHAPE).to_model(PICTURES)


def small(**changes):
    keras.utils.set_random_seed(1)
    return SRGAN(**{"image_shape": SHAPE, "width": 4, "blocks": 1, "tile": 8, "pretraining": 0, "seed": 1, **changes})


def batches():
    return tf.data.Dataset.from_tensor_slices(REAL).batch(4, drop_remainder=True)


def values(network):
    return [np.array(v) for v in network.variables]


# Networks ------------------------------------------------------------------------------------------------------------


def test_the_papers_networks():
    gan = SRGAN()
    kernels = [layer.kernel.shape for layer in gan.generator.layers if hasattr(layer, "kernel")]
    assert kernels[0] == (9, 9, 3, 64) and kernels[-1] == (9, 9, 64, 3)
    assert kernels[1:34] == [(3, 3, 64, 64)] * 33 and kernels[34:36] == [(3, 3, 64, 256)] * 2
    kernels = [layer.kernel.shape for layer in gan.discriminator.layers if hasattr(layer, "kernel")]
    assert [kernel[-1] for kernel in kernels] == [64, 64, 128, 128, 256, 256, 512, 512, 1024, 1]
    assert gan.discriminator.get_layer("logits").output.shape == (None, 1)


def test_rrdb_is_esrgans():
    generator = srgan.build_generator(4, 64, 23, "rrdb", "batch", "stepwise")
    kernels = [layer.kernel.shape for layer in generator.layers if hasattr(layer, "kernel")]
    of_block = [(3, 3, 64 + 32 * i, 32) for i in range(4)] + [(3, 3, 192, 64)]
    assert kernels[1 : 1 + 15 * 23] == of_block * 69
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in generator.layers)
    scales = {layer.scale for layer in generator.layers if isinstance(layer, keras.layers.Rescaling)}
    assert scales == {0.2}


@pytest.mark.parametrize("upsampling", ["stepwise", "direct"])
@pytest.mark.parametrize("body", ["residual", "rrdb"])
@pytest.mark.parametrize("scale", [2, 4])
def test_images_of_any_size_become_larger(scale, body, upsampling):
    generator = srgan.build_generator(scale, 4, 1, body, "none", upsampling)
    for height, width in [(1, 1), (5, 8)]:
        larger = generator(tf.zeros((2, height, width, 3)), training=False)
        assert larger.shape == (2, scale * height, scale * width, 3) and larger.dtype == tf.float32


@pytest.mark.parametrize("upsampling", ["stepwise", "direct"])
@pytest.mark.parametrize("body", ["residual", "rrdb"])
@pytest.mark.parametrize("scale", [2, 4])
def test_reach_is_how_far_the_network_sees(scale, body, upsampling):
    generator = srgan.build_generator(scale, 4, 2, body, "none", upsampling)
    for layer in generator.layers:  # nothing cancels, and nothing is cut off
        if hasattr(layer, "kernel"):
            layer.set_weights([np.full(layer.kernel.shape, 0.1), np.zeros(layer.bias.shape)])
    reach = srgan.reach(scale, 2, body, upsampling)
    middle = reach + 3
    images = np.zeros((2, 2 * middle + 1, 2 * middle + 1, 3), "float32")
    images[1, middle, middle] = 1.0
    changed = np.ptp(np.asarray(generator(images, training=False)), axis=(0, 3)) > 0
    seen = np.flatnonzero(changed.any(axis=0)) // scale
    assert seen.max() - middle <= reach and middle - seen.min() <= reach
    assert seen.max() - middle >= reach - 1


def test_sub_pixels_begin_alike():
    for scale in (2, 4):
        kernel = np.asarray(srgan.RepeatedForSubPixels(scale)((3, 3, 5, 7 * scale**2)))
        shuffled = np.asarray(keras.ops.depth_to_space(kernel.reshape(1, 3, 15, -1), scale))
        blocks = shuffled.reshape(3, scale, 15, scale, 7)
        np.testing.assert_array_equal(blocks, np.broadcast_to(blocks[:, :1, :, :1], blocks.shape))
        assert np.std(kernel) == pytest.approx(np.sqrt(2 / 45), rel=0.3)


def test_direct_upsampling_adds_to_the_repeated_image():
    generator = srgan.build_generator(4, 8, 2, "residual", "none", "direct")
    images = np.random.default_rng(0).uniform(-1, 1, (1, 6, 6, 3)).astype("float32")
    # Without its last convolution, the image is what comes out.
    last = [layer for layer in generator.layers if hasattr(layer, "kernel")][-1]
    last.set_weights([np.zeros_like(w) for w in last.get_weights()])
    np.testing.assert_array_equal(generator(images, training=False), images.repeat(4, 1).repeat(4, 2))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_repeated_images_keep_full_precision(policy):
    gan = small(upsampling="direct", dtype=policy)
    last = [layer for layer in gan.generator.layers if hasattr(layer, "kernel")][-1]
    last.set_weights([np.zeros_like(w) for w in last.get_weights()])
    low = bicubic.shrink(PICTURES[:2], 4)
    fake = gan.call_generator(gan.media.to_model(low), training=False)
    np.testing.assert_array_equal(gan.media.to_natural(fake), low.repeat(4, 1).repeat(4, 2))


# The low resolution --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_the_low_resolution_is_the_bicubic_kernels(scale):
    gan = small(scale=scale)
    sources = tf.function(gan.sources_for)(Batch(tf.constant(REAL)))
    assert sources.shape == (16, 16 // scale, 24 // scale, 3)
    levels = (np.asarray(sources) + 1) * 127.5
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    expected = bicubic.shrink(PICTURES, scale).astype(int)
    different = np.abs(np.rint(levels) - expected)
    assert different.max() <= 1 and different.mean() < 1e-3  # float32 may round a half the other way


# The game ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel_loss", ["squared", "absolute"])
def test_pretraining_is_one_step_down_the_pixel_loss(pixel_loss):
    gan = small(pretraining=None, pixel_loss=pixel_loss, normalization="none")
    gan.compile(generator_optimizer=keras.optimizers.SGD(0.1))
    twin = small(pretraining=None, normalization="none")
    discriminator = values(gan.discriminator)
    with tf.GradientTape() as tape:
        fake = twin.generator(bicubic.shrink(PICTURES[:4], 4) / np.float32(127.5) - 1, training=True)
        power = 2 if pixel_loss == "squared" else 1
        loss = tf.reduce_mean(tf.abs(fake - REAL[:4]) ** power)
    gradients = tape.gradient(loss, twin.generator.trainable_variables)
    logs = gan.train_on_batch(REAL[:4], return_dict=True)
    assert logs["generator_loss"] == pytest.approx(float(loss), rel=1e-4)
    assert not [name for name in logs if "discriminator" in name or "logits" in name]
    for mine, other, gradient in zip(
        gan.generator.trainable_variables, twin.generator.trainable_variables, gradients, strict=True
    ):
        np.testing.assert_allclose(mine, other - 0.1 * gradient, atol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(discriminator, values(gan.discriminator), strict=True))


def test_the_game_begins_after_pretraining_with_new_optimizers(tmp_path):
    gan = small(pretraining=24)
    gan.compile(weights={"content": 0})
    stages, iterations, accuracies = [], [], []

    def note(batch, logs):
        stages.append(gan.stage)
        iterations.append([int(o.iterations) for o in (gan.discriminator_optimizer, gan.generator_optimizer)])
        accuracies.append("discriminator_loss" in logs)

    noting = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    watchers = [callbacks.StopOnNaN(tmp_path), callbacks.Throughput(), callbacks.Log(tmp_path / "log.csv"), noting]
    gan.fit(batches(), epochs=3, callbacks=watchers, verbose=0)
    assert stages == [0] * 6 + [1] * 6
    assert iterations == [[0, i] for i in range(1, 7)] + [[i, i] for i in range(1, 7)]
    assert accuracies == [False] * 6 + [True] * 6
    first, second, third = callbacks.log.read(tmp_path / "log.csv")
    assert "discriminator_loss" not in first and first["generator_loss"] > 0
    assert {"discriminator_loss", "content", "pixel", "discriminator_accuracy"} <= {*second} & {*third}
    assert all(np.isfinite(value) for row in (first, second, third) for value in row.values())


def test_terms_are_the_perceptual_and_the_pixel_loss_by_their_weights():
    gan = small()
    gan.compile(weights={"content": 0.5, "pixel": 2.0, "adversarial": 0.0})
    fake = tf.constant(REAL[4:8])
    terms = gan.weighted_terms("generator", Batch(tf.constant(REAL[:4]), fake=fake))
    assert float(terms["pixel"]) == pytest.approx(2.0 * np.mean((REAL[:4] - REAL[4:8]) ** 2), rel=1e-5)
    loss = perceptual.get("efficientnet_lite0")
    shifts = [(y, x) for y in range(8) for x in range(8)]
    possible = [
        0.5 * float(loss(*(np.roll(images, shift, (1, 2)) for images in (REAL[:4], REAL[4:8])))) for shift in shifts
    ]
    assert np.abs(np.array(possible) / float(terms["content"]) - 1).min() < 1e-5


def test_without_weight_no_network_is_needed(monkeypatch):
    def missing(identifier):
        raise ImportError("scores are not installed")

    monkeypatch.setattr(perceptual, "get", missing)
    gan = small()
    gan.compile(run_eagerly=True)
    with pytest.raises(ImportError, match="scores are not installed"):
        gan.fit(batches(), verbose=0)
    gan.compile(weights={"content": 0}, run_eagerly=True)
    assert gan.fit(batches(), verbose=0, steps_per_epoch=1).history["content"] == [0.0]
    alone = small(pretraining=None)
    alone.compile(run_eagerly=True)
    logs = alone.fit(batches(), verbose=0, steps_per_epoch=1).history
    assert {*logs} == {"generator_loss", "generator_gradient_norm"}


def test_esrgans_options_train():
    gan = small(body="rrdb", pixel_loss="absolute")
    gan.compile(loss="relativistic_average", weights={"adversarial": 5e-3, "pixel": 1e-2}, run_eagerly=True)
    before = values(gan.generator)
    logs = gan.fit(batches(), verbose=0, steps_per_epoch=2).history
    assert all(np.isfinite(value).all() for value in logs.values())
    assert not any(np.array_equal(a, b) for a, b in zip(before, values(gan.generator), strict=True))


def test_the_feature_network_is_no_part_of_the_model(tmp_path):
    features = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
    gan, without = small(content=features), small(pretraining=None)
    gan.compile(run_eagerly=True)
    gan.fit(batches(), verbose=0, steps_per_epoch=2)
    assert [v.shape for v in gan.variables] == [v.shape for v in without.variables]
    with pytest.raises(ValueError, match="content is a keras.Model, which cannot be saved"):
        gan.save(tmp_path / "gan.keras")
    features.save(tmp_path / "features.keras")
    by_path = small(content=str(tmp_path / "features.keras"))
    by_path.compile(run_eagerly=True)
    by_path.fit(batches(), verbose=0, steps_per_epoch=2)
    for mine, other in zip(gan.generator.weights, by_path.generator.weights, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"scale": 3}, "scale=3: expected 2 or 4"),
        ({"image_shape": (18, 24, 3)}, "multiples of 4"),
        ({"image_shape": (16, 24, 1)}, r"expected \(height, width, 3\)"),
        ({"body": "dense"}, "body='dense': expected 'residual' or 'rrdb'"),
        ({"content": "vgg"}, "content='vgg': expected one of"),
        ({"pretraining": -1}, "pretraining=-1"),
    ],
)
def test_arguments_that_make_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


# Larger images -------------------------------------------------------------------------------------------------------


def test_upscale_is_the_whole_image_at_once_whatever_the_tiles():
    gan = small(normalization="none", blocks=2)
    image = dead_leaves(1, (41, 23, 3), seed=5)[0]
    reach = gan.reach
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), "symmetric")
    whole = gan.media.to_natural(gan.ema_generator(gan.media.to_model(padded[None]), training=False))[0]
    expected = whole[4 * reach : -4 * reach, 4 * reach : -4 * reach]
    for tile in (4 * reach, 64):
        larger = gan.upscale(image, tile=tile, overlap=reach)
        assert np.abs(larger.astype(int) - expected).max() <= 1 and np.mean(larger != expected) < 0.01


def test_one_function_serves_images_of_every_size():
    gan = small(dtype="mixed_bfloat16")
    for shape in [(1, 1), (30, 50), (64, 9)]:
        assert gan.upscale(np.zeros((*shape, 4), "uint8"), tile=32, overlap=4).shape == (4 * shape[0], 4 * shape[1], 4)
    assert gan._tiled[32].experimental_get_tracing_count() == 1
    assert {layer.compute_dtype for layer in gan.ema_generator.layers} >= {"bfloat16"}  # as it was


# What it remembers ---------------------------------------------------------------------------------------------------


def test_previews_show_the_first_crops_also_after_going_on(tmp_path):
    gan = small()
    gan.compile(weights={"content": 0}, run_eagerly=True)
    made_up = gan.preview(9, seed=3)
    np.testing.assert_array_equal(made_up[2::3], dead_leaves(3, SHAPE, 3))
    gan.fit(batches(), verbose=0, steps_per_epoch=1, callbacks=[Checkpoint(tmp_path)])
    gone_on, _, _ = Checkpoint.load(tmp_path)
    gone_on.run_eagerly = True
    gone_on.fit(batches().skip(1), verbose=0, steps_per_epoch=1)
    for model in (gan, gone_on):
        shown = model.preview(64, seed=0)
        crops = shown[2::3]  # all of them, there being fewer than 64, in an order that the seed decides
        assert sorted(map(bytes, crops)) == sorted(map(bytes, PICTURES))
        np.testing.assert_array_equal(shown[::3], bicubic.enlarge(bicubic.shrink(crops, 4), 4))
        assert (model.preview(6, seed=1)[2::3] != crops[:2]).any()
    gan.media.save_sheet(shown, tmp_path / "sheet.png")


def test_watched_samples_are_of_the_generator_as_it_is_trained():
    gan = small()
    gan.check(REAL)
    gan.generator.set_weights([w + 0.1 for w in gan.generator.get_weights()])
    low = gan.media.to_model(bicubic.shrink(gan.preview(3 * len(PICTURES), 0)[2::3], 4))
    np.testing.assert_allclose(gan.watched_samples(16, 0), gan.generator(low, training=False), atol=1e-5)
