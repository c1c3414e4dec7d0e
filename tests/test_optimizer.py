"""`gan.optimizer`: both players' optimizers as one, for callbacks that know of one."""

import keras
import numpy as np
import pytest
from test_gan import linear_gan, vectors

from kerasgan.schedules import Cosine

schedules = keras.optimizers.schedules


def rates(gan):
    players = gan.generator_optimizer, gan.discriminator_optimizer
    return [float(optimizer.learning_rate) for optimizer in players]


def test_it_reads_as_the_generators_and_assigns_both():
    gan = linear_gan()
    assert gan.optimizer is None
    gan.compile(learning_rate=(4e-4, 1e-4))
    optimizer = gan.optimizer
    assert optimizer.learning_rate == np.float32(1e-4) and optimizer.learning_rate.numpy().item() == rates(gan)[0]
    assert optimizer.learning_rate.shape == ()
    optimizer.learning_rate = 2e-4
    np.testing.assert_allclose(rates(gan), [2e-4, 8e-4], rtol=1e-6)
    optimizer.learning_rate.assign(0.0)
    optimizer.learning_rate.assign(3e-4)  # the ratio is not lost on the way through zero
    np.testing.assert_allclose(rates(gan), [3e-4, 12e-4], rtol=1e-6)
    assert optimizer.get_config()["generator"]["learning_rate"] == pytest.approx(3e-4)
    assert len(optimizer.variables) == sum(
        len(o.variables) for o in (gan.generator_optimizer, gan.discriminator_optimizer)
    )
    with pytest.raises(ValueError, match="learning_rate=-1.0"):
        optimizer.learning_rate = -1.0
    with pytest.raises(AttributeError, match="generator_optimizer="):
        gan.optimizer = "adam"


def test_callbacks_of_keras_move_both_players_and_the_model_keeps_it(tmp_path):
    gan = linear_gan()
    gan.compile(learning_rate=(4e-4, 1e-4))
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        keras.callbacks.ReduceLROnPlateau("stands_still", mode="min", factor=0.1, patience=0),
    ]
    still = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(stands_still=1.0))
    gan.fit(vectors(8), batch_size=8, epochs=2, verbose=0, callbacks=[still, *callbacks])
    np.testing.assert_allclose(rates(gan), [1e-4 / 40, 4e-4 / 40], rtol=1e-5)
    assert int(gan.optimizer.iterations) == int(gan.generator_optimizer.iterations)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert rates(loaded) == rates(gan)
    assert loaded.optimizer.learning_rate == gan.optimizer.learning_rate


@pytest.mark.parametrize(
    ("rules", "schedule"),
    [
        ({"learning_rate": (1e-4, Cosine(1e-4, 0, 100))}, "cosine"),
        (
            {"generator_optimizer": keras.optimizers.SGD(schedules.CosineDecay(1e-4, 9))},
            "CosineDecay",
        ),
    ],
)
def test_what_would_undo_a_schedule_is_refused_before_training(rules, schedule):
    gan = linear_gan()
    gan.compile(**rules)
    for callback in (keras.callbacks.LearningRateScheduler(lambda epoch: 1.0), keras.callbacks.ReduceLROnPlateau()):
        with pytest.raises(ValueError, match=f"rate of the generator follows a schedule, {schedule}.*leave out"):
            gan.fit(vectors(8), verbose=0, callbacks=[callback])
    assert int(gan.samples_seen) == 0 and gan.optimizer.learning_rate == np.float32(1e-4)
