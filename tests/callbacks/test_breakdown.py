"""Breakdowns: the training stops at the step, and its batch is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from once import assert_unaltered
from points import POINTS as MORE
from points import small_gan

import kerasgan
from kerasgan.callbacks import Checkpoint, StopOnNaN
from kerasgan.callbacks.breakdown import not_finite

POINTS = MORE[:40]


def eager_gan(num_classes=None, dtype=None, **options):
    """For the few steps of a test that needs other networks or another game."""
    keras.utils.set_random_seed(1)
    latents, samples = keras.Input((3,)), keras.Input((2,))
    made, judged = [latents], [samples]
    if num_classes:
        classes = keras.Input((), dtype="int32")
        made.append(keras.layers.Embedding(num_classes, 3)(classes))
        judged.append(keras.layers.Embedding(num_classes, 2)(classes))
    inputs = (lambda x: [x, classes]) if num_classes else (lambda x: x)
    hidden = keras.layers.Concatenate()(made) if num_classes else latents
    generator = keras.Model(inputs(latents), keras.layers.Dense(2, dtype=dtype)(hidden))
    hidden = keras.layers.Concatenate()(judged) if num_classes else samples
    hidden = keras.layers.Dense(4, "relu", dtype=dtype)(hidden)
    discriminator = keras.Model(inputs(samples), keras.layers.Dense(1, dtype=dtype)(hidden))
    gan = kerasgan.GAN(generator, discriminator, num_classes=num_classes, seed=0, dtype=dtype)
    gan.compile(run_eagerly=True, **options)
    return gan


def poisoned(number, labels=False):
    """Batches of 8 points; the one of this number holds a NaN."""
    points = POINTS.copy()
    points[8 * number + 3, 1] = np.nan
    parts = (points, np.arange(40) % 2) if labels else points
    return tf.data.Dataset.from_tensor_slices(parts).batch(8, drop_remainder=True)


def test_stops_at_the_step_and_keeps_its_batch(tmp_path):
    gan = small_gan()
    gan.fit(POINTS, batch_size=8, verbose=0, callbacks=[Checkpoint(tmp_path)])
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(FloatingPointError) as stopped:
        gan.fit(poisoned(2), epochs=3, verbose=0, callbacks=[StopOnNaN(tmp_path), Checkpoint(tmp_path)])
    assert int(gan.samples_seen) == 40 + 3 * 8
    message = str(stopped.value)
    assert "broke down in epoch 1, after 64 samples: discriminator" in message and "lower learning rate" in message
    assert str(tmp_path / "broken_batch.npz") in message and str(tmp_path / "model.keras") in message
    with np.load(tmp_path / "broken_batch.npz", allow_pickle=False) as kept:
        assert "labels" not in kept
        np.testing.assert_array_equal(kept["steps"], np.repeat([-1, 0], 8))
        expected = np.stack(list(poisoned(2).as_numpy_iterator()))[1:3]
        np.testing.assert_array_equal(kept["samples"], expected.reshape(16, 2))
        assert "discriminator_gradient_norm" in kept["broken"] and any("kernel" in name for name in kept["broken"])
        assert kept["epoch"] == 1 and kept["samples_seen"] == 64
    assert (tmp_path / "model.keras").read_bytes() == before


def test_labels_and_several_discriminator_steps(tmp_path):
    gan = eager_gan(num_classes=2, discriminator_steps=2)
    with pytest.raises(FloatingPointError, match="after 32 samples"):
        gan.fit(poisoned(2, labels=True), verbose=0, callbacks=[StopOnNaN(tmp_path)])
    with np.load(tmp_path / "broken_batch.npz", allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["samples"][kept["steps"] == -1], POINTS[:16])
        np.testing.assert_array_equal(kept["labels"], np.arange(32) % 2)


def test_several_steps_in_an_execution(tmp_path):
    gan = small_gan(steps_per_execution=2)
    with pytest.raises(FloatingPointError, match="after 32 samples"):
        gan.fit(poisoned(2), verbose=0, callbacks=[StopOnNaN(tmp_path)])
    with np.load(tmp_path / "broken_batch.npz") as kept:
        np.testing.assert_array_equal(kept["steps"], np.repeat([-2, -1, 0], 8))
        np.testing.assert_array_equal(kept["samples"][kept["steps"] == -2], POINTS[8:16])


def test_weights_that_break_name_the_step_before(tmp_path):
    """A gradient that explodes breaks weights first, and only the next step's losses."""
    gan = eager_gan(discriminator_optimizer=keras.optimizers.SGD(1e38), clip_gradients=0.0)
    with pytest.raises(FloatingPointError, match="broke down in epoch 1"):
        gan.fit(POINTS, batch_size=8, shuffle=False, epochs=2, verbose=0, callbacks=[StopOnNaN(tmp_path)])
    with np.load(tmp_path / "broken_batch.npz") as kept:
        assert np.isfinite(kept["samples"]).all() and {*kept["steps"]} <= {-1, 0}


def test_what_loss_scaling_skips_is_no_breakdown(tmp_path):
    gan = eager_gan(dtype="mixed_float16")
    gan.discriminator_optimizer.dynamic_scale.assign(2.0**60)
    before = [np.array(w) for w in gan.discriminator.trainable_variables]
    history = gan.fit(POINTS, batch_size=8, epochs=1, verbose=0, callbacks=[StopOnNaN(tmp_path)]).history
    after = [np.array(w) for w in gan.discriminator.trainable_variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))  # every step was skipped
    assert gan.discriminator_optimizer.dynamic_scale < 2.0**60
    assert np.isfinite(history["discriminator_loss"]).all() and not (tmp_path / "broken_batch.npz").exists()


def test_several_devices_keep_no_batch(tmp_path):
    watcher, gan = StopOnNaN(tmp_path), small_gan()
    watcher.set_model(gan)
    watcher.on_epoch_begin(1)
    watcher.on_train_batch_begin(0)
    for metric in gan.metrics:
        metric.update_state(1.0)
    with pytest.raises(FloatingPointError, match="generator_loss NaN or infinite. Its batch was not kept: .*devices"):
        watcher.on_train_batch_end(0, {"generator_loss": float("inf")})


def test_a_disk_that_is_full_does_not_hide_the_breakdown(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kerasgan.callbacks.breakdown.np.savez", full)
    with pytest.raises(FloatingPointError, match="could not be kept .*No space left"):
        small_gan().fit(poisoned(1), verbose=0, callbacks=[StopOnNaN(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_watching_changes_nothing(tmp_path):
    def fit(gan, watchers):
        gan.fit(POINTS, batch_size=8, epochs=2, verbose=0, callbacks=watchers)

    assert_unaltered(small_gan(), fit, [StopOnNaN(tmp_path)])


def test_not_finite():
    values = {"a": 1.0, "b": float("nan"), "c": tf.constant([0.0, np.inf]), "d": tf.constant([1], tf.int64)}
    values["e"] = tf.constant([np.nan], tf.bfloat16)
    assert not_finite(values) == ["b", "c", "e"]
