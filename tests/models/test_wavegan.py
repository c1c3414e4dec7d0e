"""WaveGAN: the paper's layers, and phase shuffle."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses
from kerasgan.models import WaveGAN, wavegan

SMALL = {"length": 256, "latent_dim": 4, "width": 2}


def sounds(count=3, length=9, channels=2, seed=0):
    return np.random.default_rng(seed).normal(size=(count, length, channels)).astype("float32")


def shifted(sound, places):
    """What the paper describes, with NumPy: moved within its own mirror image."""
    radius = abs(places)
    return np.pad(sound, ((radius, radius), (0, 0)), mode="reflect")[radius - places :][: len(sound)]


# Layers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "expected"),
    [(128, (4, 2)), (256, (4, 4)), (8192, (4, 4, 4, 4, 2)), (16384, (4,) * 5), (65536, (4,) * 6)],
)
def test_strides_lead_from_16_samples_to_the_length(length, expected):
    assert wavegan.strides(length) == expected
    assert 16 * np.prod(expected) == length


@pytest.mark.parametrize(
    ("length", "nearest"),
    [(8000, "4096 and 8192"), (8193, "8192 and 16384"), (64, "128 and 256"), (0, "128"), (-16, "128"), (8192.0, "128")],
)
def test_lengths_that_cannot_be_made_are_refused(length, nearest):
    with pytest.raises(ValueError, match=f"length={length}: .*16 times a power of two.* nearest are {nearest}"):
        WaveGAN(length=length, latent_dim=2, width=1)


def test_the_papers_networks():
    """The tables of arXiv:1802.04208 (appendix) with c=1 and d=64, kernel by kernel; biases besides."""
    d = 64
    gan = WaveGAN(length=16384, sample_rate=16000, width=d)
    kernels = {  # in Keras's order of axes; transposed convolutions have theirs as (length, out, in)
        "generator": [(100, 256 * d), *((25, d * 2**i, d * 2 ** (i + 1)) for i in (3, 2, 1, 0)), (25, 1, d)],
        "discriminator": [(25, 1, d), *((25, d * 2**i, d * 2 ** (i + 1)) for i in range(4)), (256 * d, 1)],
    }
    for name, expected in kernels.items():
        network = getattr(gan, name)
        assert [tuple(v.shape) for v in network.trainable_variables if len(v.shape) > 1] == expected
    assert gan.generator.count_params() == 19_065_345
    assert sum(np.prod(v.shape) for v in gan.discriminator.trainable_variables) == 17_427_969
    lengths = [
        layer.output.shape[1] for layer in gan.generator.layers if isinstance(layer, keras.layers.Conv1DTranspose)
    ]
    assert lengths == [64, 256, 1024, 4096, 16384]
    lengths = [layer.output.shape[1] for layer in gan.discriminator.layers if isinstance(layer, keras.layers.Conv1D)]
    assert lengths == [4096, 1024, 256, 64, 16]


def test_8192_samples_have_the_papers_layers_but_for_the_last_stride():
    rates = [
        [layer.output.shape[1] for layer in WaveGAN(length=n, width=1).generator.layers if "conv" in layer.name]
        for n in (8192, 16384)
    ]
    assert rates[0] == [*rates[1][:-1], 8192]


def test_no_normalization_anywhere_and_phase_shuffle_between_the_critics_convolutions():
    gan = WaveGAN(**SMALL, phase_shuffle=3)
    layers = [*gan.generator.layers, *gan.discriminator.layers]
    assert not any("Normalization" in type(layer).__name__ for layer in layers)
    kinds = [type(layer).__name__ for layer in gan.discriminator.layers]
    assert kinds == [
        *("InputLayer", "Conv1D", "LeakyReLU", "PhaseShuffle", "Conv1D", "LeakyReLU"),
        *("Flatten", "Dense", "Activation"),
    ]
    assert gan.discriminator.layers[3].radius == 3 and gan.discriminator.layers[2].negative_slope == pytest.approx(0.2)
    assert not any(isinstance(layer, wavegan.PhaseShuffle) for layer in gan.generator.layers)


def test_samples_are_waveforms_with_a_rate():
    gan = WaveGAN(**SMALL, sample_rate=4000, channels=2)
    made = gan.generate(3, seed=0)
    assert made.dtype == np.float32 and made.shape == (3, 256, 2) and np.abs(made).max() <= 1
    assert gan.media.sample_rate == 4000 and gan.latent == "uniform"


def test_the_papers_game():
    gan = WaveGAN(**SMALL)
    gan.compile()
    assert gan.discriminator_steps == 5 and isinstance(gan.adversarial_loss, losses.Wasserstein)
    assert [(penalty.name, penalty.weight) for penalty in gan.penalties] == [("gradient_penalty", 10.0)]
    for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(1e-4) and (optimizer.beta_1, optimizer.beta_2) == (
            0.5,
            0.9,
        )


def test_the_critic_of_classes_judges_by_projection():
    gan = WaveGAN(**SMALL, num_classes=3)
    critic, given = gan.discriminator, tf.constant(sounds(2, 256, 1))
    labels = tf.constant([2, 0])
    embedding, dense = (next(layer for layer in critic.layers if kind in layer.name) for kind in ("embedding", "dense"))
    activations = keras.Model(critic.inputs[0], dense.input)(given)
    expected = dense(activations)[:, 0] + tf.reduce_sum(activations * embedding(labels), axis=1)
    np.testing.assert_allclose(gan.call_discriminator(given, labels, training=False)[:, 0], expected, rtol=1e-5)


# Phase shuffle -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [-2, -1, 0, 1, 2])
def test_shift_is_numpys_within_the_mirror_image(places):
    given = sounds()
    found = wavegan.shift(tf.constant(given), tf.fill((3,), places)).numpy()
    np.testing.assert_array_equal(found, [shifted(sound, places) for sound in given])


def test_the_example_of_a_shift():
    sound = tf.constant([1.0, 2, 3, 4])[None, :, None]
    assert wavegan.shift(sound, tf.constant([2]))[0, :, 0].numpy().tolist() == [3, 2, 1, 2]
    assert wavegan.shift(sound, tf.constant([-2]))[0, :, 0].numpy().tolist() == [3, 4, 3, 2]


def test_every_sound_is_shifted_by_its_own_number_and_each_number_is_as_likely():
    given = np.tile(np.arange(20, dtype="float32")[None, :, None], (4000, 1, 1))
    found = wavegan.PhaseShuffle(2, seed=1)(given, training=True).numpy()
    shifts = 10 - found[:, 10, 0].astype(int)
    np.testing.assert_array_equal(found, [shifted(g, s) for g, s in zip(given, shifts, strict=True)])
    counts = np.bincount(shifts + 2, minlength=5)
    assert len(counts) == 5 and np.abs(counts - 800).max() < 4 * np.sqrt(800)


def test_nothing_is_shifted_at_inference_or_by_a_radius_of_nothing():
    given = sounds()
    for layer, training in ((wavegan.PhaseShuffle(2), False), (wavegan.PhaseShuffle(0), True)):
        before = np.array(layer.seed_generator.state)
        np.testing.assert_array_equal(layer(given, training=training), given)
        np.testing.assert_array_equal(layer.seed_generator.state, before)
    with pytest.raises(ValueError, match="radius=-1"):
        wavegan.PhaseShuffle(-1)


def test_shifts_follow_from_the_seed_and_differ_from_call_to_call_and_layer_to_layer():
    given = np.tile(np.arange(20, dtype="float32")[None, :, None], (64, 1, 1))

    def draws(layer):
        return [layer(given, training=True).numpy()[:, 10, 0].tolist() for _ in range(2)]

    first, again, other = (draws(wavegan.PhaseShuffle(2, seed=seed)) for seed in (1, 1, 2))
    assert first == again and first[0] != first[1] and first != other
    gan = WaveGAN(length=1024, latent_dim=2, width=1, seed=7)
    seeds = [layer.seed for layer in gan.discriminator.layers if isinstance(layer, wavegan.PhaseShuffle)]
    assert seeds == [8, 9]


def test_a_look_without_a_trace_leaves_the_state_and_draws_what_comes_next():
    given = sounds(64)
    layer = wavegan.PhaseShuffle(2, seed=1)
    layer(given, training=True)
    before = np.array(layer.seed_generator.state)
    with keras.StatelessScope():
        looked = layer(given, training=True).numpy()
    np.testing.assert_array_equal(layer.seed_generator.state, before)
    np.testing.assert_array_equal(layer(given, training=True), looked)


def test_xla_shifts_alike():
    def draws(jit_compile):
        layer = wavegan.PhaseShuffle(2, seed=1)
        return tf.function(lambda x: layer(x, training=True), jit_compile=jit_compile)(sounds(64))

    np.testing.assert_array_equal(draws(False), draws(True))


def test_gradients_go_back_to_where_values_came_from():
    given = tf.constant(sounds(2, 6, 1))
    places = tf.constant([2, -1])
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(wavegan.shift(given, places) * tf.constant(sounds(2, 6, 1, seed=1)))
    weights = sounds(2, 6, 1, seed=1)
    expected = np.zeros_like(weights)
    for number, place in enumerate(places.numpy()):
        np.add.at(expected[number, :, 0], shifted(np.arange(6)[:, None], place)[:, 0], weights[number, :, 0])
    np.testing.assert_allclose(tape.gradient(total, given), expected, rtol=1e-6)


def test_a_saved_training_goes_on_with_the_draws_that_come_next(tmp_path):
    gan = WaveGAN(**SMALL)
    gan.compile(discriminator_steps=1, run_eagerly=True)
    data = np.clip(sounds(4, 256, 1) / 4, -1, 1)
    gan.fit(data, batch_size=4, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    states = [
        [np.array(v) for v in g.discriminator.variables if v.name == "seed_generator_state"] for g in (gan, loaded)
    ]
    assert len(states[0]) == 1 and states[0][0][1] > 0
    np.testing.assert_array_equal(*states)
