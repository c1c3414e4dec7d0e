"""tempoGAN: its networks, how it aligns frames, its losses, what it makes of sequences and saves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import cli, coarse
from kerasgan.advection import advect
from kerasgan.game.batch import Batch
from kerasgan.media.puffs import puffs
from kerasgan.models import TempoGAN, tempogan


def small(**changes):
    keras.utils.set_random_seed(1)
    return TempoGAN(**{"size": 16, "width": 4, "discriminator_width": 2, "tile": 8, "seed": 1, **changes})


@pytest.fixture(scope="module")
def gan():
    return small(pretraining=0)


# Networks ------------------------------------------------------------------------------------------------------------


def test_the_networks():
    gan = TempoGAN()
    kernels = [tuple(layer.kernel.shape) for layer in gan.generator.layers if hasattr(layer, "kernel")]
    assert sorted(kernels) == sorted(
        [(3, 3, 3, 32), (3, 3, 32, 64), (1, 1, 3, 64), (3, 3, 64, 64), (3, 3, 64, 32), (1, 1, 64, 32)]
        + [(3, 3, 32, 32), (3, 3, 32, 16), (1, 1, 32, 16), (3, 3, 16, 16), (3, 3, 16, 1), (1, 1, 16, 1)]
    )
    kernels = [tuple(layer.kernel.shape) for layer in gan.discriminator.layers if hasattr(layer, "kernel")]
    assert sorted(kernels) == sorted(
        [(4, 4, 2, 16), (4, 4, 3, 16)] + 2 * [(4, 4, 16, 32), (4, 4, 32, 64), (4, 4, 64, 128), (8 * 8 * 128, 1)]
    )


def test_reach_is_how_far_the_generator_sees():
    generator = tempogan.build_generator(4)
    for layer in generator.layers:  # nothing cancels, and nothing is cut off
        if hasattr(layer, "kernel"):
            layer.set_weights([np.full(layer.kernel.shape, 0.3), np.zeros(layer.bias.shape)])
    fields = np.zeros((2, 15, 15, 3), "float32")
    fields[1, 7, 7] = 1.0
    changed = np.ptp(np.asarray(generator(fields, training=False)), axis=(0, 3)) > 0
    seen = np.flatnonzero(changed.any(axis=0)) // 4
    assert (seen.min(), seen.max()) == (7 - tempogan.REACH, 7 + tempogan.REACH)


# Advection in the graph ----------------------------------------------------------------------------------------------


def test_warp_is_the_step_back_along_the_flow():
    random = np.random.default_rng(0)
    frames = random.uniform(size=(2, 7, 9, 2)).astype("float32")
    velocity = random.uniform(-12, 12, (2, 7, 9, 2)).astype("float32")
    found = np.asarray(tempogan.warp(tf.constant(frames), tf.constant(velocity)))
    for number in range(2):
        np.testing.assert_allclose(found[number], advect(frames[number], velocity[number]), atol=1e-5)
    rows, columns = np.mgrid[:7, :9].astype("float32")
    steady = np.broadcast_to(np.float32([1.25, -0.5]), (1, 7, 9, 2))
    plane = (3 * columns - 5 * rows)[None, ..., None]
    moved = np.asarray(tempogan.warp(tf.constant(plane), tf.constant(steady)))[0, :-1, 2:, 0]
    np.testing.assert_allclose(moved, (3 * (columns - 1.25) - 5 * (rows + 0.5))[:-1, 2:], atol=1e-4)


def test_gradients_go_back_to_where_it_came_from():
    """Each cell's goes to the four cells that it was mixed of, by their shares."""
    frames = tf.Variable(tf.zeros((1, 4, 5, 1)))
    velocity = tf.broadcast_to([0.75, 0.5], (1, 4, 5, 2))
    with tf.GradientTape() as tape:
        one = tempogan.warp(frames, velocity)[0, 2, 3, 0]
    expected = np.zeros((4, 5))
    expected[1:3, 2:4] = [[0.375, 0.125], [0.375, 0.125]]  # from column 2.25, row 1.5
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(one, frames))[0, ..., 0], expected, atol=1e-6)


def test_aligned_frames_of_a_steady_flow_are_one():
    """Smoke that goes two cells a frame to the right and four upward, before and after carried to the middle."""
    wide = np.random.default_rng(0).uniform(size=(40, 40)).astype("float32")
    frames = np.stack([wide[8 + 4 * t : 24 + 4 * t, 8 - 2 * t : 24 - 2 * t] for t in range(3)])[None, ..., None]
    low = np.zeros((1, 3, 4, 4, 3), "float32")
    low[..., 1:] = 0.5, -1.0  # in cells four times as large
    found = np.asarray(tempogan.aligned(tf.constant(frames), tf.constant(low)))[0, 4:-4, 2:-2]
    for place in (0, 2):
        np.testing.assert_allclose(found[..., place], found[..., 1], atol=1e-5)


# What the players see ------------------------------------------------------------------------------------------------


def test_the_low_resolution_is_averages(gan):
    samples = puffs(2, 3, 16, 16)
    real, low = gan.unpack(tf.constant(samples))
    np.testing.assert_array_equal(real, samples[..., :1])
    np.testing.assert_allclose(low, coarse.shrink(samples, 4), atol=1e-6)
    np.testing.assert_allclose(low[1, 2, 3, 1, 1], samples[1, 2, 12:, 4:8, 1].mean() / 4, atol=1e-6)


def test_each_discriminator_sees_its_own(gan, monkeypatch):
    real, low = gan.unpack(tf.constant(puffs(2, 3, 16, 16)))
    seen = {}
    monkeypatch.setattr(gan.discriminator, "call", lambda inputs, **_: seen.update(pair=inputs[0], frames=inputs[1]))
    gan.call_discriminator(real, low)
    np.testing.assert_array_equal(seen["pair"][..., 0], np.kron(low[:, 1, ..., 0], np.ones((4, 4))))
    np.testing.assert_array_equal(seen["pair"][..., 1], real[:, 1, ..., 0])
    np.testing.assert_array_equal(seen["frames"], tempogan.aligned(real, low))


def test_frames_are_made_each_by_itself(gan):
    _, low = gan.unpack(tf.constant(puffs(2, 3, 16, 16)))
    made = np.asarray(gan.call_generator(low))
    assert made.shape == (2, 3, 16, 16, 1)
    np.testing.assert_allclose(made[1, 2], gan.generator(low[1, 2][None])[0], atol=1e-6)


def test_what_the_frames_beside_are_away_from_one_counts(gan):
    """Differences from the truth that are carried along by the flow cost nothing of the term `motion`; others do."""
    samples = puffs(2, 3, 16, 16)
    samples[..., 1:] = 0.0  # nothing flows: what is carried along stays
    real, low = gan.unpack(tf.constant(samples))
    wrong = np.random.default_rng(0).uniform(size=(2, 1, 16, 16, 1)).astype("float32")
    batch = lambda fake: Batch(real=real, fake=fake, condition=low)  # noqa: E731
    still = gan.generator_terms(batch(real + wrong))
    np.testing.assert_allclose(still["l1"], wrong.mean(), rtol=1e-5)
    np.testing.assert_allclose(still["motion"], 0.0, atol=1e-6)
    flickering = gan.generator_terms(batch(real + wrong * np.array([0.0, 1.0, 0.5], "float32")[:, None, None, None]))
    np.testing.assert_allclose(flickering["motion"], 0.75 * wrong.mean(), rtol=1e-5)


# Sequences -----------------------------------------------------------------------------------------------------------


def test_tiles_are_the_whole_frame_at_once(gan):
    low = coarse.shrink(puffs(1, 2, 4 * 21, 4 * 13), 4)[0]
    larger = gan.upscale(low, tile=16, overlap=4)
    assert larger.shape == (2, 84, 52, 3) and larger.dtype == np.float32
    np.testing.assert_allclose(larger[..., :1], gan.ema_generator(low, training=False), atol=1e-5)
    np.testing.assert_allclose(larger[..., 1:], coarse.enlarge(low, 4)[..., 1:])
    np.testing.assert_allclose(gan.upscale(low[None])[0], larger, atol=1e-5)


def test_previews_show_plain_made_and_original(gan):
    gan.remember(samples := puffs(2, 3, 16, 16, seed=4))
    try:
        shown = gan.preview(6, seed=0)
        assert sorted(map(bytes, shown[2::3])) == sorted(map(bytes, samples))
        np.testing.assert_array_equal(shown[::3], coarse.enlarge(coarse.shrink(shown[2::3], 4), 4))
        np.testing.assert_allclose(shown[1::3], gan.upscale(coarse.shrink(shown[2::3], 4)), atol=1e-5)
    finally:
        gan._remembered = None


def test_the_command_makes_files_of_sequences(gan, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gan.save("smoke.keras")
    low = coarse.shrink(puffs(1, 3, 32, 32), 4)
    gan.media.fitting(low).save(low, "low.npz")
    assert cli.main(["upscale", "smoke.keras", "low.npz"]) == 0
    assert "Saved low_x4.npz: 3 frames of 8x8 -> 3 frames of 32x32." in capsys.readouterr().out
    with np.load("low_x4.npz") as found:
        np.testing.assert_allclose(found["density"], gan.upscale(low[0])[..., 0], atol=1e-5)
    assert cli.main(["upscale", "smoke.keras", "low.npz", "-o", "high.webp"]) == 0
    (tmp_path / "bad.npz").write_bytes(b"no arrays")
    for words, message in (
        (["low.npz", "-o", "high.jpg"], "ends in '.jpg'; expected one of .npz, .webp, .gif, .png"),
        (["bad.npz"], "'bad.npz': not a .npz file"),
    ):
        assert cli.main(["upscale", "smoke.keras", *words]) == 2
        assert message in capsys.readouterr().err


# Arguments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 18}, "size=18: expected a multiple of 4 of at least 8"),
        ({"width": 0}, "width=0"),
        ({"discriminator_width": 1.5}, "discriminator_width=1.5"),
        ({"pretraining": -1}, "pretraining=-1"),
    ],
)
def test_arguments_that_make_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_fields_that_make_no_sense(gan):
    for fields, message in (
        (np.zeros((8, 8, 3), "float32"), r"expected floats \(frames, height, width, 3\)"),
        (np.zeros((1, 8, 8, 3), int), "dtype int64"),
        (np.full((1, 8, 8, 3), np.nan), "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.upscale(fields)
