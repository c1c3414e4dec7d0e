"""f-AnoGAN, GANomaly and ALAD: what they minimize, what scores are, and that no tested sample decides another one's."""

import keras
import numpy as np
import pandas
import pytest
import tensorflow as tf
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from kerasgan.coding import build_encoder
from kerasgan.data import images, table
from kerasgan.metrics import detection
from kerasgan.models import ALAD, FAnoGAN, GANomaly

SHAPE = (16, 16, 1)


def normal_pictures(count, seed=0):
    """Bars at the left: uint8 pictures that differ in brightness alone."""
    brightness = np.random.default_rng(seed).integers(150, 256, (count, 1, 1, 1))
    pictures = np.zeros((count, *SHAPE), "uint8")
    pictures[:, :, :4] = brightness
    return pictures


def strange_pictures(count, seed=1):
    return normal_pictures(count, seed)[:, :, ::-1]


TESTED = (normal_pictures(40, 2), strange_pictures(40), normal_pictures(256))  # and those that it was trained on


@pytest.fixture(scope="module")
def ganomaly():
    gan = GANomaly(SHAPE, latent_dim=4, width=8, seed=1)
    gan.compile(learning_rate=2e-3, ema_half_life=100)
    gan.fit(
        images(normal_pictures(256), size=16, channels=1, part="train", batch_size=32, seed=1), epochs=15, verbose=0
    )
    gan.calibrate(images(normal_pictures(256), size=16, channels=1, part="test", batch_size=1, shuffle=False))
    return gan


def test_what_it_has_not_seen_is_strange(ganomaly):
    sets = (images(pictures, size=16, channels=1, batch_size=1, shuffle=False) for pictures in TESTED)
    found = detection.evaluate(ganomaly, *sets)
    assert found[0].metric == "auc" and found[0].value > 0.95
    scores = ganomaly.score(strange_pictures(3), maps=True)
    assert scores.maps.shape == (3, 16, 16) and 0 <= scores.maps.min() and scores.maps.max() <= 1
    assert (scores.quantiles > 0.9).all() and ganomaly.score(normal_pictures(40, 2)).quantiles.mean() < 0.9


def test_no_other_sample_decides_a_score(ganomaly):
    """The published scores rest on batch statistics of the tested samples, and on the largest of them."""
    pictures = np.concatenate([normal_pictures(5, 3), strange_pictures(60)])
    together = ganomaly.score(pictures).scores
    alone = [ganomaly.score(picture[None]).scores[0] for picture in pictures[:5]]
    np.testing.assert_allclose(together[:5], alone, rtol=1e-4)


def test_quantiles_are_shares_of_the_samples_that_were_held_back(ganomaly):
    held_back = normal_pictures(200, 4)
    gan = GANomaly.from_config(ganomaly.get_config())
    gan.set_weights(ganomaly.get_weights())
    gan.calibrate(held_back)
    quantiles = np.sort(gan.score(held_back).quantiles)
    np.testing.assert_allclose(quantiles, np.arange(200) / 200, atol=0.03)  # of equal scores, none is lower
    threshold = gan.threshold(0.9)
    assert np.mean(gan.score(held_back).scores > threshold) == pytest.approx(0.1, abs=0.03)
    detector = gan.detector(0.9)
    np.testing.assert_array_equal(detector.predict(held_back), detector.decision_function(held_back) > threshold)
    assert detector.fit(strange_pictures(30), None).threshold_ != threshold


def test_in_a_pipeline_of_scikit_learns():
    gan = GANomaly(SHAPE, latent_dim=2, width=2, seed=1)
    with_channels = FunctionTransformer(lambda pictures: pictures[..., None])
    pipeline = make_pipeline(with_channels, gan.detector(0.5)).fit(normal_pictures(30)[..., 0])
    pictures = normal_pictures(8, 1)
    np.testing.assert_array_equal(pipeline.decision_function(pictures[..., 0]), gan.score(pictures).scores)
    assert set(pipeline.predict(pictures[..., 0])) <= {0, 1}


def test_scores_go_with_the_file(ganomaly, tmp_path):
    ganomaly.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for one, other in zip(
        ganomaly.score(strange_pictures(4), maps=True), loaded.score(strange_pictures(4), maps=True), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_exported_with_quantiles(ganomaly, tmp_path):
    from kerasgan import export

    found = export.tflite(ganomaly, tmp_path / "g.tflite")
    assert found.passed and [one["name"] for one in ganomaly.inference_outputs()] == ["scores", "maps", "quantiles"]
    made = ganomaly.inference_network()(strange_pictures(3).astype("float32") / 255)
    expected = ganomaly.score(strange_pictures(3), maps=True)
    np.testing.assert_allclose(made["scores"], expected.scores, rtol=1e-4)
    np.testing.assert_allclose(made["maps"], expected.maps, atol=1e-5)
    np.testing.assert_allclose(made["quantiles"], expected.quantiles, atol=2e-3)


def test_ganomaly_minimizes_what_the_paper_says():
    gan = GANomaly(SHAPE, latent_dim=4, width=4, seed=1)
    gan.compile()
    samples = tf.random.stateless_uniform((4, *SHAPE), [1, 2], -1, 1)
    batch = gan.unpacked(samples)
    batch = batch._replace(sources=gan.sources_for(batch))
    batch = batch._replace(fake=gan.call_generator(batch.sources))
    encoder, decoder, second = (gan.generator.get_layer(n) for n in ("encoder", "decoder", "second_encoder"))
    code = encoder(samples, training=True)
    again = decoder(code, training=True)
    features = keras.Model(gan.discriminator.inputs, gan.discriminator.get_layer("features").output)
    expected = {
        "features": np.mean(np.square(features(samples, training=True) - features(again, training=True))),
        "contextual": np.mean(np.abs(samples - again)),
        "codes": np.mean(np.square(code - second(again, training=True))),
    }
    found = gan.generator_terms(batch)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, err_msg=name)
    assert gan.weights_of_terms == {"adversarial": 0.0, "features": 1.0, "contextual": 50.0, "codes": 1.0}


def test_f_anogan_trains_its_encoder_alone_in_the_end():
    gan = FAnoGAN(SHAPE, latent_dim=4, width=4, generator_samples=8, seed=1)
    gan.compile(discriminator_steps=1, run_eagerly=True)
    pictures = gan.media.to_model(normal_pictures(8))
    gan.train_on_batch(pictures)
    assert gan.stage == 0 and gan.encoder_optimizer.iterations == 0
    others = [np.array(v) for network in (gan.generator, gan.discriminator) for v in network.trainable_variables]
    before = gan.encoder.get_weights()[0]
    logs = gan.train_on_batch(pictures, return_dict=True)
    assert gan.stage == 1 and {"encoder_loss", "reconstruction", "features"} < set(logs)
    assert "generator_loss" not in logs and not np.array_equal(before, gan.encoder.get_weights()[0])
    after = [np.array(v) for network in (gan.generator, gan.discriminator) for v in network.trainable_variables]
    assert all(map(np.array_equal, others, after))
    found = gan.evaluate(pictures, verbose=0, return_dict=True)
    assert set(found) == {"encoder_loss", "reconstruction", "features"}
    # The score is what the encoder minimizes, of each sample; without batch statistics of the tested ones.
    gan.encoder.trainable = False
    network = keras.Model(gan.discriminator.inputs, gan.discriminator.get_layer("features").output)
    again = gan.ema_generator(tf.tanh(gan.encoder(pictures, training=False)), training=False)
    expected = np.mean(np.square(pictures - again), axis=(1, 2, 3))
    expected += np.mean(np.square(network(pictures) - network(again)), axis=1)
    np.testing.assert_allclose(gan.score(normal_pictures(8)).scores, expected, rtol=1e-4)
    assert gan.score(normal_pictures(2)).quantiles is None
    with pytest.raises(ValueError, match="calibrate it on some that it was not trained on"):
        gan.threshold()
    assert len(gan.generate(3, seed=1)) == 3


def test_alad_plays_three_games():
    """Losses of discriminators, and of encoder and generator, as the paper has them, but for a third."""
    gan = ALAD(SHAPE, latent_dim=4, width=2, seed=1)
    gan.compile()
    judges = {name: gan.discriminator.get_layer(name) for name in ("of_samples_and_latents", "of_pairs_of_samples")}
    judges["of_pairs_of_latents"] = gan.discriminator.get_layer("of_pairs_of_latents")
    x = tf.random.stateless_uniform((4, *SHAPE), [1, 2], -1, 1)
    z = tf.random.stateless_normal((4, 4), [3, 4])
    encoder, decoder = (gan.generator.get_layer(name) for name in ("encoder", "decoder"))
    fake = gan.call_generator({"samples": x, "latents": z}, training=False)
    made, code = decoder(z, training=False), encoder(x, training=False)
    pairs = {
        "of_samples_and_latents": ([x, code], [made, z]),
        "of_pairs_of_samples": ([x, x], [x, decoder(code, training=False)]),
        "of_pairs_of_latents": ([z, z], [z, encoder(made, training=False)]),
    }
    real = np.concatenate([judges[name](real, training=False) for name, (real, _) in pairs.items()], axis=1)
    other = np.concatenate([judges[name](other, training=False) for name, (_, other) in pairs.items()], axis=1)
    np.testing.assert_allclose(gan._judge_real(fake, training=False), real, atol=1e-5)
    np.testing.assert_allclose(gan.call_discriminator(fake, training=False), other, atol=1e-5)
    assert gan.weights_of_terms == {"adversarial": 1.0, "encoder": pytest.approx(1 / 3)}
    # The encoder's term and the mean of three logits are a third of the paper's sum.
    softplus = lambda values: np.log1p(np.exp(values))  # noqa: E731
    adversarial = np.mean(gan.adversarial_loss.generator(tf.constant(other)))
    assert 3 * adversarial == pytest.approx(softplus(-other).sum(axis=1).mean(), rel=1e-5)
    # The score is the distance of the second discriminator's features.
    judge = judges["of_pairs_of_samples"]
    features = keras.Model(judge.inputs, judge.get_layer("features").output)
    pictures = normal_pictures(3)
    x = tf.constant(gan.media.to_model(pictures))
    again = decoder(encoder(x, training=False), training=False)
    expected = np.abs(features([x, x]) - features([x, again])).mean(axis=1)
    np.testing.assert_allclose(gan.score(pictures).scores, expected, rtol=1e-3)


def test_of_rows(tmp_path):
    random = np.random.default_rng(0)
    people = pandas.DataFrame({"size": random.normal(size=60), "kind": random.choice(["a", "b"], 60)})
    rows = table(people, batch_size=20, seed=1, part="train", balanced=False)
    for model in (ALAD, GANomaly, FAnoGAN):
        gan = model(fitted=rows.fitted, latent_dim=2, width=2, seed=1)
        gan.compile(run_eagerly=True, discriminator_steps=1)
        gan.fit(rows, epochs=1, verbose=0)
        gan.calibrate(people[:20])
        found = gan.score(people[20:])
        assert found.scores.shape == (40,) and (0 <= found.quantiles).all() and (found.quantiles <= 1).all()
        assert list(gan.preview(4, 0).columns) == ["size", "kind"]


@pytest.mark.parametrize("model", [ALAD, GANomaly, FAnoGAN])
def test_of_sounds_too(model):
    gan = model(length=256, latent_dim=4, width=2, seed=1)
    sounds = np.zeros((3, 256), "float32")
    found = gan.score(gan.media.to_natural(sounds[..., None]), maps=True)
    assert found.scores.shape == (3,) and found.maps.shape == (3, 256)
    with pytest.raises(ValueError, match="length=200"):
        model(length=200)


def test_the_score_may_be_that_of_samples(ganomaly):
    """The mean square of what is left of a sample, in the model's range; the networks are the same."""
    images = np.random.default_rng(5).integers(0, 256, (3, *ganomaly.media.shape), dtype="uint8")
    arguments = {**ganomaly.get_config(), "score": "samples"}
    gan = type(ganomaly).from_config(arguments)
    gan.set_weights(ganomaly.get_weights())
    left = ganomaly.media.to_model(images) - ganomaly.media.to_model(ganomaly.reconstruct(images))
    expected = np.square(left).reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(gan.score(images).scores, expected, rtol=0.03)  # what is made comes as 8-bit pixels
    assert type(gan).from_config(gan.get_config()).scored == "samples" and ganomaly.scored == "codes"
    with pytest.raises(ValueError, match="score='best': expected one of 'codes', 'samples'"):
        type(ganomaly)(score="best")


def test_bad_input(ganomaly):
    with pytest.raises(ValueError, match="shape"):
        ganomaly.score(np.zeros((2, 8, 8, 1), "uint8"))
    with pytest.raises(ValueError, match="empty"):
        ganomaly.score(np.zeros((0, *SHAPE), "uint8"))
    with pytest.raises(ValueError, match="expected integer pixels"):
        ganomaly.score(np.zeros((2, *SHAPE), "float32"))
    with pytest.raises(ValueError, match="quantile=1.5"):
        ganomaly.threshold(1.5)
    with pytest.raises(ValueError, match="generator_samples=0"):
        FAnoGAN(SHAPE, generator_samples=0)


def test_encoders_have_features_of_every_width():
    assert build_encoder((28, 28, 1), 5, 4).get_layer("features").output.shape == (None, 4 * 4 * 16)
    assert build_encoder((1024, 2), 5, 4).get_layer("features").output.shape == (None, 16 * 16)
