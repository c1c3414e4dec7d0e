"""TF-GAN behind its shim, and our losses and scores held against it as an independent implementation."""

import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import losses, penalties, tfgan

try:
    tfgan.module("losses.losses_impl")
except ImportError as missing:
    pytest.skip(str(missing), allow_module_level=True)

REAL = np.random.default_rng(0).normal(size=(6, 3, 2, 1)).astype("float32") * 2
FAKE = np.random.default_rng(1).normal(size=(6, 3, 2, 1)).astype("float32") * 2
UNSMOOTHED = {"label_smoothing": 0.0}


@pytest.fixture(scope="module")
def scores():
    pytest.importorskip("tensorflow_probability")
    return tfgan.metrics()


def features(count, dimensions, seed):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    return random.normal(size=(count, dimensions)) @ mixing + 0.3 * random.normal(size=dimensions)


# Losses --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ("wasserstein", ("wasserstein",)),
        ("hinge", ("wasserstein_hinge",)),
        ("least_squares", ("least_squares",)),
        ("non_saturating", ("modified", UNSMOOTHED)),
    ],
)
def test_losses_agree(ours, theirs):
    ours, theirs = losses.get(ours), tfgan.losses(*theirs)
    for one, other in (
        (ours.discriminator(REAL, FAKE), theirs.discriminator(REAL, FAKE)),
        (ours.generator(FAKE), theirs.generator(FAKE)),
    ):
        assert one.shape == other.shape == (6,) and other.dtype == tf.float32
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_minimax_differs_by_a_constant():
    ours, theirs = losses.get("minimax"), tfgan.losses("minimax", UNSMOOTHED)
    np.testing.assert_allclose(ours.discriminator(REAL, FAKE), theirs.discriminator(REAL, FAKE), rtol=1e-5)
    difference = ours.generator(FAKE) - theirs.generator(FAKE)
    np.testing.assert_allclose(difference, np.log(1 + np.exp(-1)), atol=1e-5)


def test_label_smoothing_is_theirs_by_default():
    """0.25 of the real samples' label is spread over both classes: the target is 0.875."""
    real, fake = np.array([[1.5]], "float32"), np.array([[-0.5]], "float32")
    expected = 0.875 * np.log1p(np.exp(-1.5)) + 0.125 * np.log1p(np.exp(1.5)) + np.log1p(np.exp(-0.5))
    np.testing.assert_allclose(tfgan.losses("modified").discriminator(real, fake), [expected], rtol=1e-6)


def test_relativistic_is_the_average_one():
    """It agrees with our pairing loss where every logit of a kind is the same, up to counting both kinds."""
    theirs, ours = tfgan.losses("relativistic"), losses.get("relativistic_pairing")
    assert theirs.paired
    real, fake = np.full((4, 1), 0.7, "float32"), np.full((4, 1), -0.4, "float32")
    np.testing.assert_allclose(theirs.discriminator(real, fake), 2 * ours.discriminator(real, fake), rtol=1e-6)
    np.testing.assert_allclose(theirs.generator(fake, real), 2 * ours.generator(fake, real), rtol=1e-6)
    logits = REAL - FAKE.mean(), FAKE - REAL.mean()
    expected = np.mean(np.log1p(np.exp(-logits[0]))) + np.mean(np.log1p(np.exp(logits[1])))
    np.testing.assert_allclose(theirs.discriminator(REAL, FAKE), np.full(6, expected), rtol=1e-5)


def test_gradient_penalty_agrees_where_the_gradient_is_the_same_everywhere():
    random = np.random.default_rng(2)
    weights = tf.constant(random.normal(size=(5, 1)).astype("float32"))
    real, fake = (tf.constant(random.normal(size=(4, 5)).astype("float32")) for _ in range(2))
    theirs = tf.function(
        lambda: tfgan.module("losses.losses_impl").wasserstein_gradient_penalty(
            real, fake, None, lambda samples, _: samples @ weights, "critic"
        )
    )()
    ours = penalties.GradientPenalty(weight=1.0)(lambda samples: samples @ weights, real, fake, tf.constant([1, 2]))
    np.testing.assert_allclose(ours, np.full(4, theirs), rtol=1e-5)


@pytest.mark.parametrize("name", ["modified", "relativistic"])
def test_a_gan_trains_with_it_and_is_saved_with_it(name, tmp_path):
    inputs, samples = keras.Input((3,)), keras.Input((4,))
    gan = kerasgan.GAN(
        keras.Model(inputs, keras.layers.Dense(4, activation="tanh")(inputs)),
        keras.Model(samples, keras.layers.Dense(1)(samples)),
        seed=0,
    )
    arguments = {"label_smoothing": 0.1} if name == "modified" else {}
    gan.compile(loss=tfgan.losses(name, arguments), jit_compile=False)
    before = [weight.numpy() for weight in gan.generator.trainable_variables]
    history = gan.fit(np.random.default_rng(0).uniform(-1, 1, size=(16, 4)), batch_size=8, epochs=1, verbose=0)
    assert np.isfinite(history.history["generator_loss"]).all()
    assert all((old != new.numpy()).any() for old, new in zip(before, gan.generator.trainable_variables, strict=True))
    gan.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras").adversarial_loss
    assert restored.get_config() == {"name": name, "discriminator_arguments": arguments, "generator_arguments": {}}


def test_unknown_names_and_arguments():
    with pytest.raises(ValueError, match="name='hinge' is no adversarial loss of TF-GAN; give one of wasserstein, "):
        tfgan.losses("hinge")
    with pytest.raises(ValueError, match="discriminator_arguments has 'smoothing'.* takes label_smoothing"):
        tfgan.losses("modified", {"smoothing": 0.1})
    with pytest.raises(ValueError, match="generator_arguments has 'reduction'"):
        tfgan.losses("modified", None, {"reduction": "none"})


# Scores --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, dimensions", [(300, 40), (2000, 8)])
def test_frechet_distance_agrees(scores, count, dimensions):
    module = pytest.importorskip("kerasgan.metrics.frechet")
    real, fake = features(count, dimensions, 0), features(count - 50, dimensions, 1)
    theirs = scores.frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake))
    np.testing.assert_allclose(module.frechet_distance(real, fake), theirs, rtol=1e-6)


def test_kernel_distance_agrees(scores):
    module = pytest.importorskip("kerasgan.metrics.kernel")
    real, fake = features(400, 12, 0), features(400, 12, 1)
    for size, rtol in ((400, 1e-9), (100, 0.3)):  # other blocks than theirs: another estimate of the same number
        ours = module.kernel_distance(real, fake, block_size=size)
        theirs, error = scores.kernel_classifier_distance_and_std_from_activations(
            tf.constant(real), tf.constant(fake), max_block_size=size
        )
        np.testing.assert_allclose(ours.value, theirs, rtol=rtol)
        if size == 100:
            assert 0.2 < ours.standard_error / error < 5


def test_inception_score_agrees(scores):
    module = pytest.importorskip("kerasgan.metrics.inception_score")
    logits = 3 * np.random.default_rng(3).normal(size=(200, 10))
    ours = module.inception_score(logits, splits=1).value
    np.testing.assert_allclose(ours, scores.classifier_score_from_logits(tf.constant(logits)), rtol=1e-9)


def test_laplacian_pyramid_agrees():
    from kerasgan.metrics.sliced_wasserstein import _level

    images = np.random.default_rng(4).uniform(0, 255, size=(3, 64, 64, 3)).astype("float32")
    theirs = tfgan.module("eval.sliced_wasserstein").laplacian_pyramid(images, 3)
    for level, expected in enumerate(theirs):
        np.testing.assert_allclose(_level(images, level, level == 2), expected, atol=1e-3)


# The shim ------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_in_sys_modules(monkeypatch):
    own = types.ModuleType("tensorflow_gan")
    monkeypatch.setitem(sys.modules, "tensorflow_gan", own)
    one, other = tfgan.module("eval.eval_utils"), tfgan.module("eval.eval_utils")
    assert one is other
    assert [key for key in sys.modules if key.startswith("tensorflow_gan")] == ["tensorflow_gan"]
    assert sys.modules["tensorflow_gan"] is own


def test_missing_modules_are_named():
    with pytest.raises(ImportError, match=r"TF-GAN's losses\.nothing cannot be imported.*kerasgan\[tfgan\]"):
        tfgan.module("losses.nothing")


def test_without_tf_gan(monkeypatch):
    monkeypatch.setattr(tfgan, "_loaded", {})
    monkeypatch.setattr("importlib.machinery.PathFinder.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'not installed; install it with: pip install "kerasgan\[tfgan\]"'):
        tfgan.losses("modified")
