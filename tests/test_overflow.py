"""Loss scaling of two players in float16: an overflow of one skips its update, and only its."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.models import DCGAN

HUGE, USUAL = 2.0**120, 2.0**10  # a loss scaled by so much passes back infinities in float16; by so much, none
VARIANTS = {
    "plain": {},
    "parts": {"gradient_accumulation": 2},
    "clipped": {"clip_gradients": 1e-3},
    "parts, clipped": {"gradient_accumulation": 2, "clip_gradients": 1e-3},
    "one stage": {"one_stage": True},
    "one stage, parts, clipped": {"one_stage": True, "gradient_accumulation": 2, "clip_gradients": 1e-3},
    "critic": {"discriminator_steps": 2, "penalties": ["r1"]},
}
PLAYERS = ("discriminator", "generator")


def build(**options):
    keras.utils.set_random_seed(1)
    model = {"image_shape": (16, 16, 1), "latent_dim": 4, "width": 4, "normalization": "none"}
    gan = DCGAN(**model, seed=1, dtype="mixed_float16")
    gan.compile(**options)
    for player in PLAYERS:
        optimizer(gan, player).dynamic_scale.assign(USUAL)
    return gan


def images(count=8):
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (count, 16, 16, 1)).astype("float32"))


def optimizer(gan, player):
    return getattr(gan, f"{player}_optimizer")


def scale_of(gan, player):
    return float(np.array(optimizer(gan, player).dynamic_scale))


def updates_of(gan, player):
    return int(np.array(optimizer(gan, player).iterations))


def snapshot(gan, player):
    """Weights, the optimizer's moments and its count of updates."""
    inner = optimizer(gan, player).inner_optimizer
    return [np.array(v) for v in [*getattr(gan, player).trainable_variables, *inner.variables]]


def assert_skipped(gan, player, before, scale, times=1):
    """Not a weight, moment or count has changed, and the scale was halved."""
    assert all(np.array_equal(a, b) for a, b in zip(before, snapshot(gan, player), strict=True))
    assert scale_of(gan, player) == scale / 2**times


def assert_moved(gan, player, before, times=1):
    after = snapshot(gan, player)
    weights = len(getattr(gan, player).trainable_variables)
    assert all(np.isfinite(a).all() for a in after)
    assert not any(np.array_equal(a, b) for a, b in zip(before[:weights], after[:weights], strict=True))
    assert updates_of(gan, player) == times
    assert scale_of(gan, player) == USUAL


def poisoned(gan, player):
    """Makes one number among the gradients of a player's weights infinite, whichever way they are computed."""
    update = gan.apply_gradients

    def update_poisoned(name, gradients):
        if name == player:
            place = tf.reshape(tf.one_hot(0, tf.size(gradients[1]), np.inf, 0.0), gradients[1].shape)
            gradients = [gradients[0], gradients[1] + place, *gradients[2:]]
        update(name, gradients)

    gan.apply_gradients = update_poisoned


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("players", [("discriminator",), ("generator",), PLAYERS], ids="+".join)
def test_an_overflow_skips_its_player_only(players, variant):
    gan = build(**VARIANTS[variant])
    for player in players:
        poisoned(gan, player)
    before = {player: snapshot(gan, player) for player in PLAYERS}
    logs = gan.train_step(images(8 * gan.discriminator_steps))
    for player in PLAYERS:
        times = gan.discriminator_steps if player == "discriminator" else 1
        if player in players:
            assert_skipped(gan, player, before[player], USUAL, times)
        else:
            assert_moved(gan, player, before[player], times)
    assert all(np.isfinite(value) for value in logs.values())  # an overflow is no breakdown
    assert int(gan.samples_seen) == 8 * gan.discriminator_steps


@pytest.mark.parametrize("variant", ["plain", "parts, clipped"])
@pytest.mark.parametrize("players", [("discriminator",), ("generator",)], ids="+".join)
def test_a_scale_that_is_too_large_falls_until_it_fits(players, variant):
    """Infinities that arise on the way back through the networks, in float16, not by hand."""
    gan = build(**VARIANTS[variant])
    for player in players:
        optimizer(gan, player).dynamic_scale.assign(HUGE)
    before = {player: snapshot(gan, player) for player in PLAYERS}
    step, real = tf.function(gan.train_step), images()
    step(real)
    for player in PLAYERS:
        if player in players:
            assert_skipped(gan, player, before[player], HUGE)
        else:
            assert_moved(gan, player, before[player])
    for player in players:  # 95 halvings later
        optimizer(gan, player).dynamic_scale.assign(2.0**25)
    for _ in range(20):
        step(real)
    for player in PLAYERS:
        if player in players:
            assert 0 < updates_of(gan, player) < 20
            assert 1.0 < scale_of(gan, player) < 2.0**25
        else:
            assert updates_of(gan, player) == 21


def test_in_one_stage_a_generator_with_too_large_a_scale_leaves_the_discriminator_alone():
    gan = build(one_stage=True)
    gan.generator_optimizer.dynamic_scale.assign(HUGE)
    before = {player: snapshot(gan, player) for player in PLAYERS}
    gan.train_step(images())
    assert_skipped(gan, "generator", before["generator"], HUGE)
    assert_moved(gan, "discriminator", before["discriminator"])


def test_in_one_stage_infinities_in_the_shared_pass_reach_both_and_both_go_on():
    """The generator's gradient is what the discriminator's pass hands on: there is no other to take in its place."""
    gan = build(one_stage=True)
    gan.discriminator_optimizer.dynamic_scale.assign(HUGE)
    before = {player: snapshot(gan, player) for player in PLAYERS}
    gan.train_step(images())
    for player, scale in zip(PLAYERS, (HUGE, USUAL), strict=True):
        assert_skipped(gan, player, before[player], scale)
    gan.discriminator_optimizer.dynamic_scale.assign(USUAL)
    gan.train_step(images())
    assert all(updates_of(gan, player) == 1 for player in PLAYERS)


def test_a_lazy_penalty_of_a_skipped_update_is_made_up_for():
    """Updates that were skipped do not count, so that the penalty is still due in the next one."""
    gan = build(penalties=[{"class_name": "kerasgan>R1", "config": {"weight": 1.0, "interval": 4}}])
    gan.discriminator_optimizer.dynamic_scale.assign(HUGE)
    gan.train_step(images())
    assert int(gan.discriminator_updates) == 0
    gan.discriminator_optimizer.dynamic_scale.assign(USUAL)
    logs = gan.train_step(images())
    assert int(gan.discriminator_updates) == 1 and float(logs["r1"]) > 0


def poisoned_on(replica, gan, player):
    """As `poisoned`, on one replica, while the variable that is returned says so."""
    update, poison = gan.apply_gradients, tf.Variable(True)

    def poisoning(name, gradients):
        here = tf.distribute.get_replica_context().replica_id_in_sync_group == replica
        first, *others = gradients
        poisonous = tf.convert_to_tensor(poison) & here & (name == player)
        update(name, [tf.where(poisonous, tf.constant(np.inf), first), *others])

    gan.apply_gradients = poisoning
    return poison


def overflow_on_one_replica(strategy):
    """It skips the update on all; run by `test_distribution.py` in a process whose processor is two devices."""
    data = tf.data.Dataset.from_tensors(images())
    for player, other, replica, options in [
        (*PLAYERS, 1, {}),
        (*PLAYERS, 0, {"clip_gradients": 1e-3}),
        (*PLAYERS[::-1], 1, {"one_stage": True}),
    ]:
        with strategy.scope():
            gan = build(**options)
            poison = poisoned_on(replica, gan, player)
        before = {name: snapshot(gan, name) for name in PLAYERS}
        gan.fit(data, verbose=0)
        assert_skipped(gan, player, before[player], USUAL)
        assert_moved(gan, other, before[other])
        assert int(np.array(gan.discriminator_updates)) == (player == "generator")

        poison.assign(False)
        gan.fit(data, verbose=0)
        assert (updates_of(gan, player), updates_of(gan, other)) == (1, 2)
        for name in PLAYERS:
            inner = optimizer(gan, name).inner_optimizer
            for variable in [*getattr(gan, name).trainable_variables, *inner.variables]:
                one, two = strategy.experimental_local_results(variable.value)
                assert np.array_equal(one, two), variable.path
