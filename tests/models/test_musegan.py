"""MuseGAN: the papers' layers, what makes notes of probabilities, and what the critic is shown."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses
from kerasgan.models import MuseGAN, musegan

SMALL = {"bars": 2, "beats": 2, "resolution": 2, "lowest": 60, "pitches": 24, "tracks": 2, "latent_dim": 4, "width": 2}


def kernels(network):
    return [tuple(variable.shape) for variable in network.trainable_variables if variable.name == "kernel"]


def random_rolls(shape, seed=0):
    return (np.random.default_rng(seed).random(shape) < 0.3).astype("float32")


# Networks ------------------------------------------------------------------------------------------------------------


def test_the_papers_networks():
    """Sizes of arXiv:1804.09399 for four bars of 96 steps, 84 pitches and eight tracks: kernels as (time, pitch)."""
    gan = MuseGAN(resolution=24, lowest=24, pitches=84, tracks=8, output="binary", width=64)
    assert kernels(gan.generator) == [
        (128, 3 * 512),
        *[(2, 1, 256, 512), (4, 1, 128, 256), (1, 3, 128, 128), (1, 3, 64, 128)],  # bars, beats, octaves
        *[(1, 1, 64, 8 * 64), (8, 64, 24, 12)],  # of each track: its own map, and the notes of a beat and an octave
    ]
    assert gan.generator.output_shape == (None, 4 * 96, 84, 8)
    assert kernels(gan.discriminator) == [
        *[(24, 12, 8, 64), (1, 1, 512, 128), (1, 3, 128, 128), (1, 3, 128, 128)],
        *[(24, 1, 8, 64), (1, 12, 8, 64)],  # what begins and ends, and pitch classes
        *[(4, 1, 256, 256), (2, 1, 256, 512), (3 * 512, 1)],
    ]


@pytest.mark.parametrize("octaves", [1, 3, 4, 6, 7, 10])
def test_any_number_of_octaves_is_reached(octaves):
    gan = MuseGAN(**SMALL | {"lowest": 0, "pitches": 12 * octaves})
    assert gan.generator.output_shape == (None, 8, 12 * octaves, 2) and gan.discriminator.output_shape == (None, 1)


def test_a_track_has_a_stream_of_its_own():
    """The channels of one track do not reach the notes of another, nor does the critic's first layer mix tracks."""
    gan = MuseGAN(**SMALL)
    last = next(layer for layer in gan.generator.layers if isinstance(layer, keras.layers.EinsumDense))
    given = np.random.default_rng(0).normal(size=(1, 4, 2, 2, 2)).astype("float32")  # beats, octaves, tracks, channels
    changed = given.copy()
    changed[:, :, :, 0] += 1
    difference = np.abs(last(changed) - last(given)).max(axis=(0, 1, 2, 3, 4))
    assert difference[0] > 1e-3 and difference[1] == 0
    first = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.EinsumDense))
    rolls = random_rolls((1, 4, 2, 2, 12, 2))
    changed = rolls.copy()
    changed[..., 1] = 1 - changed[..., 1]
    difference = np.abs(first(changed) - first(rolls)).max(axis=(0, 1, 2, 4))
    assert difference[0] == 0 and difference[1] > 1e-3


def test_a_block_is_a_beat_and_an_octave():
    """A change of one cell of the critic's roll moves the features of its beat and octave alone."""
    gan = MuseGAN(**SMALL)
    first = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.EinsumDense))
    features = keras.Model(gan.discriminator.inputs[0], first.output)
    rolls = np.zeros((1, 8, 24, 2), "float32")
    changed = rolls.copy()
    changed[0, 5, 17, 1] = 1
    moved = np.argwhere(np.abs(features(changed) - features(rolls)).max(axis=4) > 0)
    assert moved.tolist() == [[0, 2, 1, 1]]  # beat, octave, track


def test_the_critic_sees_what_begins_and_ends_and_pitch_classes():
    gan = MuseGAN(**SMALL)
    rolls = random_rolls((3, 8, 24, 2))
    seen = [gan.discriminator.get_layer(name).output for name in ("onsets", "chroma")]
    onsets, chroma = keras.Model(gan.discriminator.inputs[0], seen)(rolls)
    before = np.concatenate([np.zeros((3, 1, 24, 2)), rolls[:, :-1]], axis=1)
    np.testing.assert_allclose(onsets[:, :, 0], (rolls - before).sum(axis=2), atol=1e-5)
    expected = np.zeros((3, 4, 12, 2))
    for step in range(8):
        for pitch in range(24):
            expected[:, step // 2, pitch % 12] += rolls[:, step, pitch] / 2  # the mean over the steps of a beat
    np.testing.assert_allclose(np.reshape(chroma, (3, 4, 12, 2)), expected, atol=1e-5)


# Notes ---------------------------------------------------------------------------------------------------------------


def test_the_surest_note_is_what_the_medium_takes():
    media = MuseGAN(**SMALL).media
    shares = np.random.default_rng(0).dirichlet(np.full(25, 0.1), (5, 8, 2)).transpose(0, 1, 3, 2)[:, :, :24]
    notes = musegan.SurestNote()(tf.constant(shares, tf.float32)).numpy()
    np.testing.assert_array_equal(notes, media.to_natural(shares))
    per_step = notes.sum(axis=2)
    assert set(np.unique(per_step)) == {0, 1}  # silence where it is the likeliest


@pytest.mark.parametrize("layer", [musegan.SurestNote, musegan.BinaryNeurons])
def test_the_gradient_passes_straight_through(layer):
    probabilities = tf.constant(np.random.default_rng(0).random((2, 4, 5, 3)) / 5, tf.float32)
    weights = tf.constant(np.random.default_rng(1).normal(size=(2, 4, 5, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        total = tf.reduce_sum(layer()(probabilities) * weights)
    np.testing.assert_array_equal(tape.gradient(total, probabilities), weights)


def test_binary_neurons_fire_above_one_half():
    assert musegan.BinaryNeurons()(tf.constant([[0.0, 0.5, 0.51, 1.0]])).numpy().tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("output", ["monophonic", "binary"])
def test_generated_rolls_are_notes_and_exported_ones_their_probabilities(output):
    gan = MuseGAN(**SMALL, output=output, seed=1)
    latents = gan.sample_latents(20, tf.constant([1, 2]))
    rolls = gan.generator(latents).numpy()
    assert set(np.unique(rolls)) == {0, 1}
    probabilities = gan.inference_network()(latents).numpy()
    assert probabilities.shape == rolls.shape and 0 < probabilities.min() and probabilities.max() < 1
    np.testing.assert_array_equal(gan.media.to_natural(probabilities), rolls)
    together = rolls.sum(axis=2)
    assert together.max() == 1 if output == "monophonic" else together.max() > 1


def test_probabilities_of_a_voice_leave_the_rest_to_silence():
    """A softmax over all pitches and a logit of 0 for silence."""
    logits = np.random.default_rng(0).normal(size=(2, 4, 12, 3)).astype("float32")
    inputs = keras.Input(logits.shape[1:])
    found = keras.Model(inputs, musegan._of_voices(inputs))(logits)
    powers = np.exp(logits)
    np.testing.assert_allclose(found, powers / (1 + powers.sum(axis=2, keepdims=True)), rtol=1e-5)


# The game ------------------------------------------------------------------------------------------------------------


def test_the_papers_game():
    gan = MuseGAN(**SMALL)
    gan.compile()
    assert gan.discriminator_steps == 5 and isinstance(gan.adversarial_loss, losses.Wasserstein)
    assert [(penalty.name, penalty.weight) for penalty in gan.penalties] == [("gradient_penalty", 10.0)]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        rates = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2
        assert rates == (pytest.approx(1e-3), 0.5, 0.9)
    normalized = [[type(layer).__name__ for layer in network.layers] for network in (gan.generator, gan.discriminator)]
    assert "BatchNormalization" in normalized[0] and "BatchNormalization" not in normalized[1]


def test_the_medium_is_that_of_the_arguments():
    gan = MuseGAN(**SMALL | {"tracks": ("high", "low"), "programs": (1, -1), "tempo": 70})
    assert gan.media.tracks == ("high", "low") and gan.media.programs == (1, -1) and gan.media.tempo == 70
    assert gan.media.monophonic and not MuseGAN(**SMALL, output="binary").media.monophonic


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "chords"}, "output='chords': expected one of 'monophonic', 'binary'"),
        ({"bars": 1}, "bars=1, pitches=24: MuseGAN makes 2 bars or more"),
        ({"pitches": 20}, "bars=2, pitches=20: .*multiples of 12"),
        ({"tracks": ()}, "tracks="),
    ],
)
def test_what_it_cannot_make_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MuseGAN(**SMALL | options)


# Accompaniment -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def accompanist():
    return MuseGAN(**SMALL | {"tracks": ("melody", "bass", "middle")}, given_share=0.5, seed=1)


def melody(step=1):
    roll = np.zeros((8, 24), bool)
    roll[np.arange(8), np.arange(8) * step % 24] = True
    return roll


def test_a_given_track_is_kept_and_the_others_follow_it(accompanist):
    kept = accompanist.generate(5, seed=1, given={"track": "bass", "roll": melody()})
    np.testing.assert_array_equal(kept[..., 1], np.broadcast_to(melody(), (5, 8, 24)))
    other = accompanist.generate(5, seed=1, given={"track": 1, "roll": melody(3)})
    assert (kept[..., [0, 2]] != other[..., [0, 2]]).any()
    rolls = np.stack([melody(1), melody(5)])
    several = accompanist.generate(2, seed=1, given={"track": 0, "roll": rolls})
    np.testing.assert_array_equal(several[..., 0], rolls)
    np.testing.assert_array_equal(kept[:2], accompanist.generate(2, seed=1, given={"track": 1, "roll": melody()}))


def test_new_pieces_are_those_of_no_given_track(accompanist):
    made = accompanist.generate(4, seed=2)
    silent = accompanist.generate(4, seed=2, given={"track": 0, "roll": np.zeros((8, 24), bool)})
    np.testing.assert_array_equal(made, silent)
    latents = accompanist.sample_latents(4, tf.constant([2, 0]))
    network = accompanist.inference_network()
    assert [tensor.name for tensor in network.inputs] == ["latents"]
    zeros = tf.zeros((4, 8, 24, 3))
    expected = accompanist.generator([latents, zeros]).numpy()
    np.testing.assert_array_equal(accompanist.media.to_natural(network(latents).numpy()), expected)


def test_a_share_of_samples_is_given_a_track_of_the_real_piece(accompanist):
    accompanist.compile()
    real = np.repeat(random_rolls((1, 8, 24, 3)), 600, axis=0)
    latents, given = accompanist.sources_for(accompanist.unpacked(tf.constant(real)))
    assert latents.shape == (600, 4)
    sounding = given.numpy().any(axis=(1, 2))
    assert set(sounding.sum(axis=1)) == {0, 1}
    counts = [int((~sounding.any(axis=1)).sum()), *sounding.sum(axis=0)]
    assert np.abs(np.array(counts) - [300, 100, 100, 100]).max() < 50
    np.testing.assert_array_equal(given.numpy()[sounding[:, 1]][:, :, :, 1], real[: counts[2], :, :, 1])


def test_it_learns_to_accompany(accompanist):
    accompanist.compile(run_eagerly=True, discriminator_steps=1)
    before = [np.array(variable) for variable in accompanist.generator.trainable_variables]
    accompanist.train_on_batch(random_rolls((8, 8, 24, 3)))
    after = accompanist.generator.trainable_variables
    moved = {v.path for v, b in zip(after, before, strict=True) if v.name == "kernel" and not np.array_equal(b, v)}
    assert moved == {v.path for v in after if v.name == "kernel"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"track": 3, "roll": melody()}, "given..track..=3: expected 0 to 2, or melody, bass, middle"),
        ({"track": "alto", "roll": melody()}, "given..track..='alto'"),
        ({"track": 0, "roll": melody()[:4]}, r"given..roll.. has shape \(4, 24\); expected \(8, 24\)"),
        ({"track": 0, "roll": melody() * 0.5}, "of 0 and 1"),
        ({"track": 0, "roll": np.stack([melody()] * 2)}, "holds 2 rolls; expected one, or one for each of 3"),
        ({"roll": melody()}, "given=.*expected"),
        (melody(), "given=.*expected"),
    ],
)
def test_what_cannot_be_given_is_refused(accompanist, given, message):
    with pytest.raises(ValueError, match=message):
        accompanist.generate(3, given=given)


def test_a_model_that_accompanies_none_says_so():
    with pytest.raises(ValueError, match="has not learned to accompany: train it with given_share=0.5"):
        MuseGAN(**SMALL).generate(1, given={"track": 0, "roll": melody()})
    with pytest.raises(ValueError, match="given_share=2: expected a share"):
        MuseGAN(**SMALL, given_share=2)
