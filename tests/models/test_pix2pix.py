"""pix2pix's networks against the paper's, and its game against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN, Translator, callbacks
from kerasgan.layers import BatchNormalization, Conv2D, Conv2DTranspose, InstanceNormalization, UpsamplingConv2D
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.models import Pix2Pix, pix2pix

SMALL = {"image_shape": (16, 24, 3), "width": 4, "seed": 3}


def small(**arguments):
    keras.utils.set_random_seed(0)
    return Pix2Pix(**{**SMALL, **arguments})


def pairs(count=4, source=3, target=3):
    random = np.random.default_rng(0)
    return tuple(random.uniform(-1, 1, (count, 16, 24, c)).astype("float32") for c in (source, target))


def convolutions(network, kind):
    return [layer for layer in network.layers if type(layer) is kind]


def test_the_u_net_is_that_of_the_paper():
    network = Pix2Pix().generator
    down, up = convolutions(network, Conv2D), convolutions(network, Conv2DTranspose)
    assert [layer.filters for layer in down] == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [layer.filters for layer in up] == [512, 512, 512, 512, 256, 128, 64, 3]
    assert all(layer.kernel_size == (4, 4) and layer.strides == (2, 2) for layer in [*down, *up])
    assert down[-1].output.shape[1:3] == (1, 1)
    assert [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)] == [0.5] * 3
    # C64 of the encoder and its last layer, and the decoder's last one, are not normalized.
    assert len([layer for layer in network.layers if isinstance(layer, InstanceNormalization)]) == 6 + 7


def test_batches_can_be_normalized_instead():
    gan = Pix2Pix(**SMALL, normalization="batch")
    for network, count in ((gan.generator, 1 + 2), (gan.discriminator, 2)):
        kinds = [type(layer) for layer in network.layers]
        assert kinds.count(BatchNormalization) == count and InstanceNormalization not in kinds


def test_the_image_itself_can_be_the_outermost_skip():
    network = Pix2Pix(**SMALL, skip_image=True).generator
    *_, concatenation, last, _ = network.layers
    assert isinstance(concatenation, keras.layers.Concatenate) and concatenation.input[1] is network.inputs[0]
    assert last.kernel_size == (3, 3) and last.strides == (1, 1) and last.use_bias and last.filters == 3


@pytest.mark.parametrize("steps,patch", [(3, 70), (2, 34), (1, 16)])
def test_a_logit_sees_a_patch_of_the_papers_size(steps, patch):
    images = keras.Input((128, 128, 3))
    network = keras.Model(images, pix2pix.patch_logits(images, 2, steps))
    for layer in network.layers:
        if isinstance(layer, InstanceNormalization):  # sees the whole map; the paper counts convolutions
            layer.call = lambda x: x
    x = tf.random.stateless_normal((1, 128, 128, 3), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = network(x)
        middle = logits[:, logits.shape[1] // 2, logits.shape[2] // 2]
    seen = np.flatnonzero(np.abs(tape.gradient(middle, x)).sum((0, 2, 3)))
    assert seen.max() - seen.min() + 1 == patch
    assert seen.size == patch


def test_patches_suit_the_images():
    assert Pix2Pix((128, 128, 3), width=2).discriminator.output.shape[1:] == (16, 16, 1)
    assert Pix2Pix((64, 64, 3), width=2).discriminator.output.shape[1:] == (16, 16, 1)
    assert Pix2Pix((64, 64, 3), width=2, patch_steps=3).discriminator.output.shape[1:] == (8, 8, 1)


def test_losses_are_the_papers():
    gan = small()
    gan.compile()
    a, b = map(tf.constant, pairs())
    batch = gan.unpacked((a, b))
    with tf.GradientTape() as tape:
        fake = gan.call_generator(gan.sources_for(batch))
    np.testing.assert_array_equal(fake[..., :3], a)
    translated = fake[..., 3:].numpy().astype("float64")
    gan.generator_gradients(batch._replace(fake=fake), tape)
    logits = gan.discriminator(tf.concat([a, fake[..., 3:]], -1)).numpy().astype("float64")
    logs = {name: float(metric.result()) for name, metric in gan._trackers.items()}
    assert logs["generator_loss"] == pytest.approx(np.mean(np.logaddexp(0, -logits)), rel=1e-5)
    assert logs["l1"] == pytest.approx(100 * np.abs(b.numpy() - translated).mean(), rel=1e-5)


def test_only_the_l1_distance_is_left_without_the_adversarial_loss():
    gan = small(dropout=0)
    gan.compile(weights={"adversarial": 0, "l1": 2.0})
    a, b = map(tf.constant, pairs())
    batch = gan.unpacked((a, b))
    with tf.GradientTape() as tape:
        fake = gan.call_generator(a)
    found = gan.generator_gradients(batch._replace(fake=fake), tape)
    with tf.GradientTape() as tape:
        loss = 2 * tf.reduce_mean(tf.abs(b - gan.generator(a, training=True)))
    for mine, other in zip(found, tape.gradient(loss, gan.generator.trainable_variables), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_weights_are_checked_and_may_be_schedules():
    gan = small()
    with pytest.raises(ValueError, match="expected a dict of some of adversarial, l1"):
        gan.compile(weights={"l2": 1.0})
    with pytest.raises(ValueError, match="one_stage=True: Pix2Pix's generator minimizes more"):
        gan.compile(one_stage=True)
    gan.compile(weights={"l1": "linear(10, 0, 8)"})
    logs = gan.fit(*pairs(), batch_size=4, epochs=3, verbose=0).history["l1"]
    assert logs[0] > 0 and logs[2] == 0
    assert "linear(10, 0, 8)" in str(gan.weights_of_terms) and gan.get_compile_config()["weights"]["l1"]["config"]


def test_it_learns_a_translation():
    gan = small(dropout=0.0, width=8)
    gan.compile(learning_rate=2e-3, ema_half_life=20)
    images = dead_leaves(32, (16, 24, 3), 1)
    inverted = 255 - images
    a, b = gan.source_media.to_model(images), gan.media.to_model(inverted)
    before = np.abs(gan.translate(images).astype(int) - inverted).mean()
    gan.fit(*(np.concatenate([side] * 40) for side in (a, b)), batch_size=8, verbose=0)  # epochs take time
    assert np.abs(gan.translate(images).astype(int) - inverted).mean() < 0.5 * before


def test_channels_may_differ():
    gan = small(source_channels=1)
    gan.compile(run_eagerly=True)
    gan.fit(*pairs(source=1), batch_size=2, verbose=0)
    assert gan.translate(np.zeros((2, 16, 24, 1), "uint8")).shape == (2, 16, 24, 3)
    assert gan.preview(4, 0).shape == (3, 16, 24, 3)


def test_translate_takes_one_image_or_many_and_says_what_is_wrong():
    gan = small()
    image = dead_leaves(1, (16, 24, 3))[0]
    np.testing.assert_array_equal(gan.translate(image), gan.translate(image[None])[0])
    assert gan.translate(np.repeat(image[None], 20, 0)).shape == (20, 16, 24, 3)
    for wrong in (image.astype("float32"), image[:8], image[..., :1], np.zeros((0, 16, 24, 3), "uint8"), "photo.jpg"):
        with pytest.raises(ValueError, match=r"translates uint8 images \(count, 16, 24, 3\).*kerasgan translate"):
            gan.translate(wrong)
    with pytest.raises(ValueError, match="direction='b_to_a'.*has 'a_to_b'; there is no other"):
        gan.translate(image, direction="b_to_a")


def test_data_that_are_no_pairs_are_refused():
    gan = small()
    gan.compile()
    a, b = pairs()
    with pytest.raises(ValueError, match="learns from two domains"):
        gan.fit(a)
    with pytest.raises(ValueError, match="3 images of A and 4 of B"):
        gan.fit(a[:3], b, batch_size=2)
    with pytest.raises(ValueError, match="images of B lies in"):
        gan.fit(a, 5 * b, batch_size=2)
    with pytest.raises(ValueError, match="learns from two domains"):
        gan.fit(tf.data.Dataset.from_tensors(a))


@pytest.mark.parametrize("shape", [(4, 4, 3), (20, 20, 3), (16, 16), (16, 16, 2)])
def test_shapes_that_no_u_net_fits(shape):
    with pytest.raises(ValueError, match="image_shape="):
        Pix2Pix(shape)


@pytest.mark.parametrize("wrong", [{"depth": 1}, {"depth": 5}, {"depth": 2.0}, {"upsampling": "bilinear"}])
def test_choices_of_the_u_net_are_checked(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        Pix2Pix((16, 16, 3), width=2, **wrong)


def test_a_shallower_u_net_and_doubled_pixels():
    network = Pix2Pix((64, 64, 3), width=4, depth=4, upsampling="nearest").generator
    assert [layer.output.shape[1] for layer in convolutions(network, Conv2D)] == [32, 16, 8, 4]
    assert [layer.output.shape[1] for layer in convolutions(network, UpsamplingConv2D)] == [8, 16, 32, 64]
    assert len([layer for layer in network.layers if isinstance(layer, keras.layers.Dropout)]) == 1  # at 8x8


@pytest.mark.parametrize("steps", [0, 4, True, 1.0])
def test_patch_steps_are_checked(steps):
    with pytest.raises(ValueError, match="patch_steps="):
        Pix2Pix((16, 16, 3), width=2, patch_steps=steps)


def test_previews_show_what_was_fitted_and_stand_ins_before():
    gan = small()
    assert gan.preview(9, 1).shape == (9, 16, 24, 3)
    gan.compile(run_eagerly=True)
    a, b = pairs(6)
    pixels = gan.source_media.to_natural(a)
    gan.fit(a, b, batch_size=2, verbose=0)
    sources, translated, targets = (gan.preview(64, 0)[i::3] for i in range(3))
    order = [next(i for i in range(6) if np.array_equal(pixels[i], source)) for source in sources]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(targets, gan.media.to_natural(b)[order])
    np.testing.assert_array_equal(translated, gan.translate(pixels[order]))
    assert not np.array_equal(gan.preview(6, 1), gan.preview(6, 2))


def test_what_is_remembered_is_saved(tmp_path):
    gan = small()
    gan.compile(run_eagerly=True)
    gan.fit(*pairs(6), batch_size=6, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.preview(9, 3), gan.preview(9, 3))
    gan.remember(*(dead_leaves(2, (16, 24, 3), i) for i in range(2)))
    np.testing.assert_array_equal(
        sorted(gan.preview(6, 0)[2::3].sum((1, 2, 3))), sorted(dead_leaves(2, (16, 24, 3), 1).sum((1, 2, 3)))
    )


def test_it_is_no_gan_of_latents():
    assert issubclass(Pix2Pix, Translator) and not issubclass(Pix2Pix, GAN)
    assert not hasattr(small(), "generate")


def fit_watched(gan, folder, batch_size):
    """One epoch of four steps with a check at its end; returns the epoch's logs and the check."""
    gan.compile(run_eagerly=True)
    first, second = pairs(70)
    data = tf.data.Dataset.from_tensor_slices((first, second)).batch(batch_size)
    monitor = callbacks.CollapseMonitor(folder, every=4)
    logs = gan.fit(data, steps_per_epoch=4, callbacks=[monitor], verbose=0).history
    return logs, callbacks.collapse.read(folder)[-1]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_remembers_the_first_images_whatever_the_batch(batch_size, tmp_path):
    """So there are enough to see whether its translations vary, even if it learns from one at a time."""
    gan = small()
    logs, check = fit_watched(gan, tmp_path, batch_size)
    remembered, _ = gan.examples(100, seed=0)
    np.testing.assert_array_equal(
        np.sort(remembered.sum((1, 2, 3))), np.sort(gan.media.to_natural(pairs(70)[0][:64]).sum((1, 2, 3)))
    )
    assert check["count"] > 1 and np.isfinite(logs["sample_diversity"]).all()


def test_one_remembered_image_says_nothing_of_variety(tmp_path, capsys):
    gan = small()
    gan.remember(*(dead_leaves(1, (16, 24, 3), i) for i in range(2)))
    logs, check = fit_watched(gan, tmp_path, 2)
    assert check["count"] == 1 and check["verdict"] == "good" and np.isfinite(logs["sample_diversity"]).all()
    assert "discriminator right" in (line := capsys.readouterr().out) and "varied" not in line


def test_remembers_as_many_images_of_each_domain():
    gan = Pix2Pix((16, 24, 3), width=4, seed=1)
    images = dead_leaves(3, (16, 24, 3), 0)
    for parts in [(images,), (images, images[:2]), (images[:0], images[:0])]:
        with pytest.raises(ValueError, match="remembers 2, of as many images each"):
            gan.remember(*parts)
    gan.remember(images, images[::-1])
    first, second = gan.examples(2, seed=0)
    assert len(first) == 2 and not np.array_equal(first, gan.examples(2, seed=1)[0])
    for one, other in zip(first, second, strict=True):
        (place,) = [i for i in range(3) if np.array_equal(images[i], one)]
        np.testing.assert_array_equal(other, images[2 - place])
