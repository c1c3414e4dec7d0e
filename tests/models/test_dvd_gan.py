"""DVD-GAN: its recurrent generator, written out; two discriminators of which each sees what it should."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses
from kerasgan.game.batch import Batch
from kerasgan.layers import SpectralNormalization
from kerasgan.models import DVDGAN, DVDGANFP, dvd_gan

SMALL = {"frames": 4, "image_shape": (16, 16, 1), "latent_dim": 3, "width": 2, "judged_frames": 4, "seed": 1}


@pytest.fixture(scope="module")
def gan():
    return DVDGAN(**SMALL)


def clips(count=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 4, 16, 16, 1)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("activation", "function"), [("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)])
@pytest.mark.parametrize("same", [True, False], ids=["one input", "an input a frame"])
def test_convgru_is_what_its_equations_say(same, activation, function):
    """On maps of one pixel, only the middle of a 3x3 kernel counts, a matrix: the equations are written out."""
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 3, 1, 1, 5)).astype("float32")
    x = np.repeat(x[:, :1], 3, axis=1) if same else x
    gru = dvd_gan.ConvGRU(4, 3, activation)
    assert gru.get_config()["activation"] == activation
    found = gru(x[:, 0] if same else x)
    assert found.shape == (2, 3, 1, 1, 4) == gru.compute_output_shape(x.shape)
    gru.of_input.bias.assign(random.normal(size=12))
    found = np.array(gru(x[:, 0] if same else x))[:, :, 0, 0]
    of_input, of_state, of_reset_state = (
        np.array(layer.kernel)[1, 1] for layer in (gru.of_input, gru.of_state, gru.of_reset_state)
    )
    begin = None if same else random.uniform(0, 2, (2, 1, 1, 4)).astype("float32")
    found = found if same else np.array(gru([x, begin]))[:, :, 0, 0]
    first = (x[:, 0, 0, 0] @ of_input + np.array(gru.of_input.bias))[:, 8:]  # a candidate, of a state of zeros
    state = function(first) if same else begin[:, 0, 0]
    for frame in range(3):
        reset, keep, new = np.split(x[:, frame, 0, 0] @ of_input + np.array(gru.of_input.bias), 3, axis=1)
        reset, keep = (a + b for a, b in zip((reset, keep), np.split(state @ of_state, 2, axis=1), strict=True))
        candidate = function(new + (sigmoid(reset) * state) @ of_reset_state)
        state = sigmoid(keep) * state + (1 - sigmoid(keep)) * candidate
        np.testing.assert_allclose(found[:, frame], state, atol=1e-5)


def test_all_frames_of_a_clip_are_normalized_by_its_own_latents():
    layer = dvd_gan.LatentBatchNormalization(frames=2)
    maps = np.random.default_rng(0).normal(3, 2, (4, 2, 2, 2)).astype("float32")
    latents = tf.constant([[1.0], [-2.0]])
    layer([maps, latents])
    layer.gain.kernel.assign([[0.5, 0.25]])
    layer.bias.kernel.assign([[1.0, 3.0]])
    found = layer([maps, latents], training=True)
    mean, variance = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
    z = np.array([1, 1, -2, -2]).reshape(-1, 1, 1, 1)  # the first two frames are those of the first clip
    expected = (maps - mean) / np.sqrt(variance + 1e-5) * (1 + z * [0.5, 0.25]) + z * [1.0, 3.0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_frames_apart_and_together_are_each_other_undone():
    given = tf.reshape(tf.range(24), (2, 3, 2, 2))
    apart = dvd_gan.FramesApart()(given)
    assert apart.shape == (6, 2, 2) and int(apart[3, 0, 0]) == 12  # the second clip's first frame
    np.testing.assert_array_equal(dvd_gan.FramesTogether(3)(apart), given)


def test_some_frames_are_drawn_anew_for_each_clip():
    numbers = np.broadcast_to(np.arange(6.0), (200, 6))
    layer = dvd_gan.SomeFrames(3, seed=1)
    drawn = np.array(layer(numbers, training=True))
    assert (np.diff(drawn, axis=1) > 0).all()  # in order, none twice
    sets, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(sets) == 20 and counts.max() < 30  # all of 6 over 3, none much more often than 10 times
    assert not np.array_equal(layer(numbers, training=True), drawn)
    np.testing.assert_array_equal(dvd_gan.SomeFrames(3, seed=1)(numbers, training=True), drawn)
    np.testing.assert_array_equal(layer(numbers[:1]), [[0, 2, 5]])
    np.testing.assert_array_equal(dvd_gan.SomeFrames(1)(numbers[:1]), [[0]])


def test_channels_of_each_scale():
    assert dvd_gan.channels_of((32, 32, 1), 32) == [128, 96, 64, 32]
    assert dvd_gan.channels_of((64, 64, 3), 16) == [80, 64, 48, 32, 16]
    assert dvd_gan.channels_of((16, 24, 1), 4) == [12, 8, 4]


def test_the_spatial_discriminator_sees_frames_the_temporal_one_their_order(gan):
    given = clips()
    logits, mixed = (gan.discriminator(batch, training=False).numpy() for batch in (given, given[:, [2, 0, 3, 1]]))
    assert logits.shape == (2, 2)
    np.testing.assert_allclose(mixed[:, 0], logits[:, 0], rtol=1e-4)
    assert (np.abs(mixed[:, 1] - logits[:, 1]) > 1e-3 * np.abs(logits[:, 1])).all()
    # A sum over frames: still clips of each frame have, on average, what the clip has.
    still = np.repeat(given.reshape(8, 1, 16, 16, 1), 4, axis=1)
    of_frames = gan.discriminator(still, training=False).numpy()[:, 0].reshape(2, 4) / 4
    np.testing.assert_allclose(of_frames.sum(axis=1), logits[:, 0], rtol=1e-4)


def test_the_temporal_discriminator_sees_frames_at_half_their_size(gan):
    """A checkerboard of pixels is gone in means of 2x2: only the spatial one sees it."""
    board = np.indices((16, 16)).sum(axis=0) % 2 * 2.0 - 1.0
    given = 0.3 * clips()
    changed = given + 0.3 * board[..., None].astype("float32")
    logits, others = (gan.discriminator(batch, training=False).numpy() for batch in (given, changed))
    np.testing.assert_allclose(others[:, 1], logits[:, 1], rtol=1e-3)
    assert (np.abs(others[:, 0] - logits[:, 0]) > 1e-2).all()


def test_the_temporal_discriminator_may_see_frames_at_full_size():
    """It sees the checkerboard then."""
    with_board = 0.3 * clips() + 0.3 * (np.indices((16, 16)).sum(axis=0) % 2 * 2.0 - 1.0)[..., None].astype("float32")
    network = DVDGAN(**SMALL, downsampling=1).discriminator
    logits, others = (network(batch, training=False).numpy() for batch in (0.3 * clips(), with_board))
    assert (np.abs(others[:, 1] - logits[:, 1]) > 1e-2).all()


def test_every_layer_of_the_discriminators_is_spectrally_normalized(gan):
    kernels = {variable.path for variable in gan.discriminator.trainable_variables if len(variable.shape) > 1}
    wrapped = [layer.layer for layer in gan.discriminator.layers if isinstance(layer, SpectralNormalization)]
    assert kernels == {layer.kernel.path for layer in wrapped}
    in_time = sorted(tuple(layer.kernel.shape) for layer in wrapped if len(layer.kernel.shape) == 5)
    # Two blocks, each of two convolutions and one of single pixels beside them.
    assert in_time == [
        (1, 1, 1, 1, 2),
        (1, 1, 1, 2, 4),
        (3, 3, 3, 1, 2),
        (3, 3, 3, 2, 2),
        (3, 3, 3, 2, 4),
        (3, 3, 3, 4, 4),
    ]


def test_the_game_is_the_papers(gan):
    gan.compile()
    assert isinstance(gan.adversarial_loss, losses.Hinge) and gan.discriminator_steps == 2 and gan.penalties == []
    rates = [float(one.learning_rate) for one in (gan.discriminator_optimizer, gan.generator_optimizer)]
    assert rates == [pytest.approx(5e-4), pytest.approx(1e-4)]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.999)
    assert inspect.signature(DVDGAN).parameters["judged_frames"].default == 8
    # Each discriminator has its own hinge: one that is sure does not make up for the other.
    real, fake = tf.constant([[9.0, 0.0]]), tf.constant([[-9.0, 0.5]])
    assert float(gan.adversarial_loss.discriminator(real, fake)[0]) == pytest.approx((0 + 1 + 0 + 1.5) / 2)


def test_clips_move_and_follow_from_the_seed(gan):
    made = gan.generate(2, seed=4)
    assert made.dtype == np.uint8 and made.shape == (2, 4, 16, 16, 1)
    np.testing.assert_array_equal(gan.generate(1, seed=4)[0], made[0])
    assert all(not np.array_equal(one, other) for one, other in zip(made[0], made[0, 1:], strict=False))


def test_its_layers_are_saved_with_what_they_were_made_of(gan):
    for kind in (dvd_gan.ConvGRU, dvd_gan.LatentBatchNormalization, dvd_gan.SomeFrames, dvd_gan.FramesTogether):
        layer = next(layer for net in (gan.generator, gan.discriminator) for layer in net.layers if type(layer) is kind)
        assert kind.from_config(layer.get_config()).get_config() == layer.get_config()
        assert keras.saving.get_registered_name(kind) == f"kerasgan>{kind.__name__}"


# Frames that are given -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def continuing():
    return DVDGANFP(**SMALL, given_frames=2)


def test_clips_begin_with_the_frames_that_are_given(continuing):
    given, latents = clips()[:, :2], np.zeros((2, 3), "float32")
    made = continuing.generator([latents, given], training=False).numpy()
    assert made.shape == (2, 4, 16, 16, 1)
    np.testing.assert_array_equal(made[:, :2], given)
    others = continuing.generator([latents, given[:, ::-1]], training=False).numpy()
    assert (np.abs(others - made)[:, 2:].max(axis=(1, 2, 3, 4)) > 1e-3).all()  # what comes depends on their order


def test_states_come_from_the_smallest_scale_on(continuing):
    given = keras.Input((2, 16, 16, 1))
    for recurrent, shapes in ((1, [(4, 4, 6)]), (3, [(4, 4, 6), (8, 8, 4), (16, 16, 2)])):
        assert [s.shape[1:] for s in dvd_gan.states_of(given, dvd_gan.channels_of((16, 16, 1), 2), recurrent)] == shapes
    grus = [layer for layer in continuing.generator.layers if isinstance(layer, dvd_gan.ConvGRU)]
    assert [gru.output.shape[1:] for gru in grus] == [(2, 4, 4, 6), (2, 8, 8, 4)]


def test_given_frames_are_judged_in_their_order_only(continuing):
    given = clips()
    changed = given.copy()
    changed[:, :2] *= -1
    logits, others = (continuing.discriminator(batch, training=False).numpy() for batch in (given, changed))
    np.testing.assert_array_equal(others[:, 0], logits[:, 0])
    assert (others[:, 1] != logits[:, 1]).all()


def test_the_generator_is_given_the_real_frames(continuing):
    continuing.compile()
    batch = continuing.unpacked(tf.constant(clips()))
    latents, given = continuing.sources_for(batch)
    assert latents.shape == (2, 3)
    np.testing.assert_array_equal(given, clips()[:, :2])


def test_only_new_frames_have_a_right_answer(continuing):
    real = tf.constant(clips())
    fake = real + np.float32([9.0, 9.0, 0.5, -0.1])[:, None, None, None]  # two frames are given
    assert float(continuing.generator_terms(Batch(real, fake=fake))["l2"]) == pytest.approx(0.13, abs=1e-5)


def test_before_the_game_the_generator_learns_alone():
    gan = DVDGANFP(**SMALL, given_frames=2, pretraining=8)
    gan.compile()
    before = [np.array(weight) for weight in gan.discriminator.trainable_variables]
    batch = Batch(tf.constant(clips()), sources=[tf.zeros((2, 3)), tf.constant(clips()[:, :2])])
    wrong = np.array(gan.call_generator(batch.sources))[:, 2:] - clips()[:, 2:]
    assert float(gan.pretraining_loss(batch)) == pytest.approx(np.mean(wrong**2), rel=1e-4)
    logs = gan.fit(np.repeat(clips(), 4, axis=0), batch_size=2, steps_per_epoch=2, epochs=1, verbose=0).history
    assert "discriminator_loss" not in logs
    for weight, old in zip(gan.discriminator.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert gan.stage_at(8) == 1


def test_clips_are_continued_for_as_long_as_asked(continuing):
    whole = continuing.media.to_natural(clips(3))
    two = continuing.continue_video(whole[:, :2], seed=5)
    assert two.shape == (3, 2, 16, 16, 1) and two.dtype == np.uint8
    np.testing.assert_array_equal(continuing.continue_video(whole, seed=5)[0].shape, (2, 16, 16, 1))
    five = continuing.continue_video(whole[:, :2], 5, seed=5)
    assert five.shape == (3, 5, 16, 16, 1)
    np.testing.assert_array_equal(continuing.continue_video(whole[0, :2], 5, seed=5).shape, five[0].shape)
    # It goes on from the last frames that it is given: those before change nothing.
    longer = np.concatenate([whole[:, 2:], whole[:, :2]], axis=1)
    np.testing.assert_array_equal(continuing.continue_video(longer, seed=5), two)
    assert not np.array_equal(continuing.continue_video(whole[:, :2], seed=6), two)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((1, 16, 16, 1), "uint8"), "frames has too few frames, 1; .* goes on from 2"),
        (np.zeros((2, 16, 16, 1)), r"dtype float64; expected uint8 \(frames, 16, 16, 1\)"),
        (np.zeros((2, 8, 8, 1), "uint8"), "kerasgan.data.clip reads files so"),
        (np.zeros((16, 16, 1), "uint8"), "expected uint8"),
    ],
)
def test_frames_that_cannot_be_continued(continuing, frames, message):
    with pytest.raises(ValueError, match=message):
        continuing.continue_video(frames)


@pytest.mark.parametrize("given_frames", [0, 3, 2.0])
def test_numbers_of_given_frames_that_cannot_be(given_frames):
    with pytest.raises(ValueError, match=f"given_frames={given_frames}: expected a whole number of frames, 1 or more"):
        DVDGANFP(**SMALL, given_frames=given_frames)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 3}, "frames=3: expected a whole number of frames, 4 or more"),
        ({"frames": 8.0}, "frames=8.0"),
        ({"judged_frames": 0}, "judged_frames=0: expected a whole number of frames, 1 or more"),
        ({"image_shape": (30, 30, 1)}, "must be multiples of 4"),
        ({"image_shape": (16, 16, 4)}, "1 or 3 channels"),
        ({"frame_rate": 0}, "frame_rate=0"),
        ({"downsampling": 4}, "downsampling=4: expected 1 or 2"),
        ({"activation": "gelu"}, "activation='gelu': expected 'relu' or 'tanh'"),
        ({"recurrent": 4}, "recurrent=4: expected a number of scales, 1 to 3"),
    ],
)
def test_what_cannot_be_made_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DVDGAN(**{**SMALL, **options})
