"""Trainings that go through stages: when a stage is entered, what learns in it, and going on in the middle of one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import GAN
from kerasgan.game import innermost

BORDER = 16  # samples seen when the second stage begins


@keras.saving.register_keras_serializable(package="kerasgan_tests")
class Staged(GAN):
    """A game of two stages: in the first, the first layer of each network learns, in the second the other one."""

    stages = 2
    default_ema_half_life = 5

    def __init__(self, generator=None, discriminator=None, media=None, name=None, **kwargs):
        def network(inputs, outputs, name):
            x = keras.Input((inputs,))
            y = keras.layers.Dense(4, activation="tanh", name="layer_0")(x)
            return keras.Model(x, keras.layers.Dense(outputs, dtype="float32", name="layer_1")(y), name=name)

        super().__init__(network(3, 2, "generator"), network(2, 1, "discriminator"), seed=5)
        self.traced, self.entered = [], []

    def stage_at(self, samples_seen):
        return int(samples_seen >= BORDER)

    def on_stage(self):
        self.entered.append((self.stage, int(self.samples_seen)))
        self.reset_optimizers()

    def variables_of(self, player):
        return getattr(self, player).get_layer(f"layer_{self.stage}").trainable_variables

    def train_step(self, data):
        self.traced.append(self.stage)
        return super().train_step(data)

    def get_config(self):
        return {}


def make(**options):
    keras.utils.set_random_seed(2)
    gan = Staged()
    gan.compile(**{"jit_compile": False, **options})
    return gan


def batches(steps, first=0):
    samples = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    return tf.data.Dataset.from_tensor_slices(samples).batch(4, drop_remainder=True).skip(first).take(steps)


def values(network):
    return [np.array(v) for v in network.variables]


def state(gan):
    optimizers = gan.discriminator_optimizer, gan.generator_optimizer
    return [np.array(v) for owner in (gan, *optimizers) for v in owner.variables]


def assert_equal(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stage_is_entered_once_and_has_a_graph_of_its_own():
    gan = make()
    history = gan.fit(batches(4), verbose=0).history
    assert gan.entered == [] and gan.stage == 0 and history["stage"] == [0.0]
    gan.fit(batches(4), verbose=0)  # from the border on
    gan.fit(batches(4), verbose=0)
    assert gan.entered == [(1, BORDER)] and gan.traced == [0, 1]
    assert int(gan.stage_entered) == gan.stage == 1


def test_a_border_in_the_middle_of_an_epoch():
    gan = make()
    history = gan.fit(batches(8), verbose=0).history
    assert gan.entered == [(1, BORDER)] and gan.traced == [0, 1] and history["stage"] == [0.5]


def test_several_steps_in_one_execution_stay_in_their_stage():
    gan = make(steps_per_execution=3)
    gan.fit(batches(9), verbose=0)
    assert gan.entered == [(1, 24)]  # the first execution that begins beyond the border


def test_single_batches_enter_stages_too():
    one, other = make(), make()
    one.fit(batches(6), verbose=0)
    for batch in batches(6):
        other.train_on_batch(batch)
    assert other.entered == [(1, BORDER)]
    assert_equal(state(one), state(other))


def test_a_new_compile_goes_on_in_the_stage():
    gan = make()
    gan.fit(batches(6), verbose=0)
    gan.compile(jit_compile=False)
    gan.fit(batches(2), verbose=0)
    assert gan.entered == [(1, BORDER)] and gan.traced == [0, 1, 1]


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
def test_only_the_variables_of_the_stage_learn(scaled):
    """With an optimizer that was built for all of them, also behind the scale of the loss."""

    def optimizer():
        adam = keras.optimizers.Adam(0.01)
        return keras.optimizers.LossScaleOptimizer(adam, initial_scale=8.0) if scaled else adam

    gan = make(discriminator_optimizer=optimizer(), generator_optimizer=optimizer(), run_eagerly=not scaled)
    for stage in (0, 1):
        before = {network: values(network) for network in (gan.generator, gan.discriminator)}
        gan.fit(batches(4), verbose=0)
        for network, old in before.items():
            pairs = zip(network.variables, old, strict=True)
            assert {v.path.split("/")[0] for v, a in pairs if (a != v.numpy()).any()} == {f"layer_{stage}"}
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            inner = innermost(optimizer)
            used = [bool(np.any(np.array(m))) for m in inner._velocities]
            assert int(inner.iterations) == 4
            assert used == [stage == 0] * 2 + [stage == 1] * 2
            if scaled:
                assert int(optimizer.step_counter) == 4 * (stage + 1) and float(optimizer.dynamic_scale) == 8.0


def test_the_scale_of_the_loss_does_not_matter():
    found = []
    for scaled in (False, True):
        sgd = [keras.optimizers.SGD(0.1, momentum=0.5) for _ in range(2)]
        sgd = [keras.optimizers.LossScaleOptimizer(o, initial_scale=1024.0) for o in sgd] if scaled else sgd
        gan = make(discriminator_optimizer=sgd[0], generator_optimizer=sgd[1])
        gan.fit(batches(6), verbose=0)
        found.append(values(gan.generator) + values(gan.discriminator))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["Nadam", "Adagrad"])
def test_reset_optimizers_are_like_new(kind):
    """Their variables do not all begin at zero: Nadam's product begins at 1, Adagrad's sums at 0.1."""
    optimizers = [getattr(keras.optimizers, kind)(0.01) for _ in range(2)]
    gan = make(discriminator_optimizer=optimizers[0], generator_optimizer=optimizers[1], run_eagerly=True)
    new = [np.array(v) for o in optimizers for v in o.variables]
    gan.fit(batches(4), verbose=0)
    for optimizer in optimizers:
        optimizer.learning_rate.assign(0.005)  # which stays
    assert not all(np.array_equal(a, v) for a, v in zip(new, [v for o in optimizers for v in o.variables], strict=True))
    gan.reset_optimizers()
    for optimizer in optimizers:
        assert float(optimizer.learning_rate) == pytest.approx(0.005)
        optimizer.learning_rate.assign(0.01)
    assert_equal(new, [np.array(v) for o in optimizers for v in o.variables])


@pytest.mark.parametrize(
    ("steps", "scaled"), [(2, False), (4, False), (6, True)], ids=["first stage", "border", "second stage, scaled"]
)
def test_saved_and_loaded_goes_on_exactly(steps, scaled, tmp_path):
    def optimizer():
        adam = keras.optimizers.Adam(0.01)
        return keras.optimizers.LossScaleOptimizer(adam, initial_scale=2.0**20) if scaled else adam

    gan = make(discriminator_optimizer=optimizer(), generator_optimizer=optimizer())
    gan.fit(batches(steps), verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.stage == gan.stage
    for one in (gan, loaded):
        one.fit(batches(9 - steps, steps), verbose=0)
    assert_equal(state(gan), state(loaded))
    assert gan.entered == [(1, BORDER)] and loaded.entered == ([(1, BORDER)] if steps <= 4 else [])


def test_weights_of_an_earlier_stage_lead_back_to_it(tmp_path):
    """As when a collapsed training goes back, in the middle of `fit`."""
    gan, undisturbed = make(), make()
    undisturbed.fit(batches(8), verbose=0)
    gan.fit(batches(3), verbose=0)
    gan.save_weights(tmp_path / "early.weights.h5")

    class GoBack(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                assert gan.stage == 1
                gan.load_weights(tmp_path / "early.weights.h5")

    samples = tf.data.Dataset.zip(batches(5, 3).repeat()).map(lambda x: x)
    gan.fit(samples, steps_per_epoch=5, epochs=2, callbacks=[GoBack()], verbose=0)
    assert gan.entered == [(1, BORDER), (1, BORDER)] and gan.traced == [0, 1, 0, 1]
    assert_equal(values(undisturbed.generator), values(gan.generator))
