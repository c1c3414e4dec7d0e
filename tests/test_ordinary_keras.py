"""What people do with any Keras model, and what callbacks of other packages ask of one."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_gan import linear_gan, vectors

from kerasgan.game.bar import Bar
from kerasgan.models import CGAN

SHOWN = {"discriminator_accuracy", "discriminator_loss", "generator_loss"}


@pytest.fixture(scope="module")
def gan():
    """A compiled GAN that tests may train on."""
    gan = linear_gan()
    gan.compile(learning_rate=(4e-4, 1e-4), run_eagerly=True)
    return gan


@pytest.fixture
def shown(monkeypatch):
    """Names of what Keras's bar has been given."""
    names = set()

    class Noting(keras.utils.Progbar):
        def update(self, current, values=None, finalize=None):
            names.update(name for name, _ in values or ())

    monkeypatch.setattr("keras.src.callbacks.progbar_logger.Progbar", Noting)
    return names


# What is printed


def test_the_bar_shows_few_numbers_and_the_history_has_all(gan, shown):
    mine = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(mine=1.0))
    history = gan.fit(vectors(), batch_size=16, validation_split=0.5, callbacks=[mine]).history
    assert shown == {*SHOWN, *(f"val_{name}" for name in SHOWN), "mine"}
    assert {"real_logits", "fake_logits", "generator_gradient_norm", "val_real_logits", *shown} <= history.keys()


def test_evaluate_shows_as_few_and_returns_all(gan, shown):
    assert {"real_logits", *SHOWN} <= gan.evaluate(vectors(), return_dict=True).keys()
    assert shown == SHOWN


def test_a_bar_of_ones_own_stays_and_silence_is_silent(gan, shown):
    gan.fit(vectors(), batch_size=32, callbacks=keras.callbacks.ProgbarLogger())
    assert "real_logits" in shown
    shown.clear()
    gan.fit(vectors(), batch_size=32, verbose=0)
    assert not shown and Bar.async_safe


# Samples and structure


def test_predict_makes_samples_of_latents(gan):
    latents = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    samples = gan.predict(latents, verbose=0)
    np.testing.assert_allclose(samples, gan.ema_generator(latents), atol=1e-6)
    for given in ({gan.ema_generator.inputs[0].name: latents}, tf.data.Dataset.from_tensors(latents)):
        np.testing.assert_array_equal(gan.predict(given, verbose=0), samples)
    np.testing.assert_allclose(gan.predict_on_batch(latents), samples, atol=1e-6)


def test_predict_refuses_what_is_nothing_to_start_from(gan):
    hint = r"predict takes what \w+ starts from, \w+ \(count, 3\)\. New samples: gan\.generate\(\.\.\.\)"
    wrong = (vectors(2), tf.data.Dataset.from_tensors(vectors(2)), [np.ones((2, 3))] * 2, {"images": np.ones((2, 3))})
    for given in wrong:
        with pytest.raises(ValueError, match=hint):
            gan.predict(given, verbose=0)
    with pytest.raises(ValueError, match=rf"x has the shape \(\): {hint}"):
        gan.predict(4)
    with pytest.raises(ValueError, match=rf"x has the shape \(2, 4\): {hint}"):
        gan.predict_on_batch(vectors(2))


def test_predict_takes_labels_beside_latents():
    gan = CGAN((8, 8, 1), num_classes=2, latent_dim=4, units=8, maxout_units=8)
    latents, labels = np.zeros((2, 4), "float32"), np.array([0, 1])
    assert gan.predict([latents, labels], verbose=0).shape == (2, 8, 8, 1)
    with pytest.raises(ValueError, match=r"latents \(count, 4\) and labels \(count,\)"):
        gan.predict(latents, verbose=0)


def test_a_clone_has_the_networks_and_weights_of_its_own(gan):
    clone = keras.models.clone_model(gan)
    assert type(clone) is type(gan) and clone.count_params() == gan.count_params() and clone.compiled
    clone.set_weights(gan.get_weights())
    assert all(map(np.array_equal, clone.get_weights(), gan.get_weights()))
    clone.generator.trainable_variables[0].assign_add(np.ones((3, 4)))
    assert not np.array_equal(clone.generator.get_weights()[0], gan.generator.get_weights()[0])
    again = keras.models.model_from_json(gan.to_json())
    assert type(again) is type(gan) and again.count_params() == gan.count_params()


def test_a_summary_shows_both_players(gan):
    lines = []
    gan.summary(print_fn=lambda line, **_: lines.append(line), expand_nested=True)
    text = "\n".join(lines)
    for network in (gan.generator, gan.discriminator, gan.ema_generator):
        assert network.name in text and network.layers[-1].name in text
    assert "Optimizer params" in text


# What callbacks of other packages ask of a model; each was tried with the package itself, too


def test_a_falling_loss_is_better_without_being_told(gan, tmp_path):
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(monitor="generator_loss"),
        keras.callbacks.EarlyStopping(monitor="val_discriminator_loss"),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="generator_loss", save_best_only=True),
        keras.callbacks.ModelCheckpoint(tmp_path / "worst.keras", monitor="generator_loss", mode="max"),
    ]
    gan.fit(vectors(), batch_size=16, validation_split=0.5, verbose=0, callbacks=callbacks)
    assert [callback.mode for callback in callbacks] == ["min", "min", "min", "max"]
    assert (tmp_path / "best.keras").is_file()


class Asking(keras.callbacks.Callback):
    """Asks as W&B's `WandbMetricsLogger` and MLflow's `MlflowCallback` and autologging do."""

    def on_train_begin(self, logs=None):
        self.parameters = {f"opt_{name}": value for name, value in self.model.optimizer.get_config().items()}
        lines = []
        self.model.summary(print_fn=lambda line, *rest, **options: lines.append(line))
        self.summary = "\n".join(lines)

    def on_epoch_end(self, epoch, logs=None):
        rate = self.model.optimizer.learning_rate
        assert not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) and rate.shape == ()
        self.rate = float(self.model.optimizer.learning_rate.numpy().item())
        self.iterations = int(self.model.optimizer.iterations.numpy())
        self.logged = {name: float(value) for name, value in logs.items()}


def test_loggers_find_rate_iterations_configuration_and_summary(gan):
    asking, before = Asking(), int(gan.optimizer.iterations)
    gan.fit(vectors(), batch_size=16, verbose=0, callbacks=[asking])
    assert asking.rate == pytest.approx(1e-4) and asking.iterations == before + 2
    assert json.dumps(asking.parameters) and max(len(str(value)) for value in asking.parameters.values()) < 6000
    assert {"opt_learning_rate", "opt_discriminator", "opt_generator"} <= asking.parameters.keys()
    assert gan.generator.name in asking.summary and gan.discriminator.name in asking.summary
    assert asking.logged.keys() >= SHOWN and np.isfinite([*asking.logged.values()]).all()


def test_tensorboard_of_keras_draws_weights_too(gan, tmp_path):
    pytest.importorskip("tensorboard", reason="reads what Keras wrote")
    gan.fit(vectors(), batch_size=16, verbose=0, callbacks=[keras.callbacks.TensorBoard(tmp_path, histogram_freq=1)])
    assert [*tmp_path.rglob("events.out.tfevents*")]
