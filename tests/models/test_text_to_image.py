"""Images of texts: the encoder's stage, the matching-aware game, and what `generate` takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan import report
from kerasgan.captions import tokens_of
from kerasgan.media import caption
from kerasgan.metrics import captioned, evaluate_captioned, features, kernel_distance
from kerasgan.models import DFGAN, GANCLS
from kerasgan.penalties import MatchingAware
from kerasgan.weights import networks

LENGTH = 12
TEXTS = ["red", "green", "blue", "white", "black", "a cat", "a dog", ""]


def data(count=8):
    random = np.random.default_rng(0)
    shades = np.linspace(-1, 1, count)[:, None, None, None]
    images = np.clip(random.normal(shades, 0.05, (count, 16, 16, 3)), -1, 1).astype("float32")
    return images, tokens_of([TEXTS[number % len(TEXTS)] for number in range(count)], LENGTH)


def small(cls=DFGAN, **options):
    gan = cls(
        **{"image_shape": (16, 16, 3), "length": LENGTH, "latent_dim": 4, "sentence_dim": 8, "width": 4} | options
    )
    gan.compile()
    return gan


@pytest.fixture(scope="module")
def learned():
    """A model that has seen its texts until the encoder tells them apart, and no game."""
    gan = small(encoder_samples=10_000, seed=1)
    history = gan.fit(*data(), batch_size=8, epochs=80, verbose=0).history
    return gan, history


def test_the_encoder_learns_which_text_belongs_to_which_image(learned):
    gan, history = learned
    assert {"contrast", "encoder_loss"} <= set(history) and "discriminator_loss" not in history
    assert history["contrast"][0] > np.log(8) - 0.7 and history["contrast"][-1] < 0.4
    images, tokens = data()
    found = gan.encoder([images, tokens])
    np.testing.assert_array_equal(np.argmax(found["images"] @ tf.transpose(found["texts"]), axis=1), np.arange(8))
    np.testing.assert_allclose(np.square(found["texts"]).mean(axis=1), 1.0, atol=1e-4)  # numbers about as latents are


def test_the_same_text_twice_is_no_mistake():
    """Twice the same image and text: all are right, and the loss is that of a fair coin."""
    gan = small()
    images, tokens = data(2)
    batch = gan.unpacked((tf.constant(images[[0, 0]]), tf.constant(tokens[[0, 0]])))
    loss = gan.encoder_terms(batch)["contrast"]
    np.testing.assert_allclose(loss, np.log(2), rtol=1e-5)


@pytest.mark.parametrize(("cls", "fakes"), [(DFGAN, tf.nn.relu), (GANCLS, tf.nn.softplus)])
def test_the_discriminator_s_loss_is_the_paper_s(cls, fakes):
    """Real with its text once; half for generated images, half for real ones with the text of their neighbour."""
    gan = small(cls, encoder_samples=1)
    gan.samples_seen.assign(8)
    gan.run_eagerly = True  # for one step
    gan.train_on_batch(*data())
    gan.discriminator.trainable = True
    batch = gan.unpacked(tuple(map(tf.constant, data())))
    assert gan.stage == 1 and "text" not in batch.real
    batch = batch._replace(sources=gan.sources_for(batch))
    fake = gan.call_generator(batch.sources, batch.condition)
    weights = gan.discriminator.get_weights()
    real_logits, judged = gan.judge_real(batch)
    gan.discriminator.set_weights(weights)
    images, sentences = batch.real["samples"], batch.real["sentence"]
    shifted = 1.0 if cls is DFGAN else 0.0
    expected = gan.discriminator([images, sentences], training=True)
    np.testing.assert_allclose(real_logits, expected, rtol=1e-4, atol=1e-5)
    if cls is DFGAN:  # without batch normalization, whose statistics would be others
        wrong = gan.discriminator([images, tf.roll(sentences, 1, axis=0)], training=True)
        np.testing.assert_allclose(judged["mismatched"], np.mean(fakes(shifted + wrong)), rtol=1e-4)
    assert gan.weights_of_terms["mismatched"] == 0.5
    fake_logits = gan.call_discriminator(fake)
    of_real = np.mean(fakes(shifted - real_logits), axis=1)
    loss = of_real + 0.5 * np.mean(fakes(shifted + fake_logits), axis=1)
    np.testing.assert_allclose(gan.adversarial_loss.discriminator(real_logits, fake_logits), loss, rtol=1e-4)


def test_the_penalty_is_of_image_and_text_together():
    """Of a linear critic 3 x + 4 e the gradient is (3, 4), its length 5: 2 * 5^6."""
    samples = {"samples": tf.zeros((3, 1)), "sentence": tf.zeros((3, 1)), "text": tf.zeros((3, 2), tf.int32)}
    penalty = MatchingAware()(lambda s: 3.0 * s["samples"] + 4.0 * s["sentence"], samples, samples, tf.constant([0, 1]))
    np.testing.assert_allclose(penalty, [2 * 5.0**6] * 3, rtol=1e-5)


def test_a_block_of_df_gan_is_what_the_paper_has():
    """Fusing before doubling is fusing after it; at the start neither gain nor bias changes anything."""
    from kerasgan.models.df_gan import affine, fusion

    maps, condition = keras.Input((4, 4, 3)), keras.Input((5,))
    before = keras.Model([maps, condition], keras.layers.UpSampling2D(2)(fusion(maps, condition)))
    random = np.random.default_rng(0)
    before.set_weights([random.normal(size=weight.shape) for weight in before.get_weights()])
    doubled = keras.Input((8, 8, 3))
    after = keras.Model([doubled, condition], fusion(doubled, condition))
    after.set_weights(before.get_weights())
    x, y = random.normal(size=(2, 4, 4, 3)).astype("float32"), random.normal(size=(2, 5)).astype("float32")
    np.testing.assert_allclose(before([x, y]), after([x.repeat(2, 1).repeat(2, 2), y]), rtol=1e-4, atol=1e-4)
    plain = keras.Model([maps, condition], affine(maps, condition))
    np.testing.assert_allclose(plain([x, y]), x, atol=1e-6)


def test_texts_decide_and_seeds_do(learned):
    gan, _ = learned
    # A generator that has not learned yet does not look at the text: let its gains do.
    for layer in gan.ema_generator.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([np.random.default_rng(1).normal(0, 0.3, w.shape) for w in layer.get_weights()])
    one = gan.generate(3, text="red", seed=1)
    assert one.shape == (3, 16, 16, 3) and one.dtype == np.uint8
    # In batches of another size a product may add up in another order: a pixel may be rounded the other way.
    np.testing.assert_allclose(one.astype(int), gan.generate(3, text=["RED", " red ", "red"], seed=1), atol=1)
    np.testing.assert_allclose(one[:2].astype(int), gan.generate(2, text="red", seed=1), atol=1)
    assert (one != gan.generate(3, text="blue", seed=1)).any() and (one != gan.generate(3, text="red", seed=2)).any()
    assert gan.interpolate(2, 3, seed=1).shape == (6, 16, 16, 3)
    assert gan.generate(2, text="red", seed=1, truncation=0.5).shape == one[:2].shape
    assert set(gan.example_texts(8, 0)) <= set(TEXTS)
    assert gan.inference_description()[1]["kind"] == "text"


def test_sheets_have_the_texts_of_their_images(tmp_path):
    gan = small(DFGAN, examples=["red", "a blue one"])
    gan.check(*data())  # texts of the data do not take the place of those that were given
    assert sorted(gan.example_texts(5, 0)) == ["a blue one", "red"]
    path = gan.save_preview(tmp_path / "sheet.png", 3, seed=1, columns=3)
    texts = ["red", "a blue one", "red"]
    expected = caption.captioned(gan.generate(3, text=texts, seed=1), texts)
    gap = np.full((expected.shape[1], 2, 3), 255, "uint8")
    shown = np.hstack([expected[0], gap, expected[1], gap, expected[2]])
    np.testing.assert_array_equal(np.asarray(Image.open(path)), shown)


def test_a_text_is_no_list_of_examples():
    with pytest.raises(ValueError, match=r"examples='red heart': expected a list of texts; write \['red heart'\]."):
        small(DFGAN, examples="red heart")


def test_texts_of_the_data_are_shown_from_all_over_the_alphabet():
    gan = small(DFGAN)
    texts = [f"{number:03}" for number in range(300)]
    gan.check(np.zeros((300, 16, 16, 3), "float32"), tokens_of(texts, LENGTH))
    shown = sorted(gan.example_texts(100, 0))
    assert len(shown) == 64 and shown[0] == "000" and shown[-1] == "299" and "147" <= shown[32] <= "155"


def test_its_networks_are_the_same_after_it_was_used():
    """The encoder of texts is a part of `encoder`, and not published a second time."""
    gan = small(DFGAN)
    gan.generate(1, text="red", seed=1)
    assert sorted(networks(gan)) == ["discriminator", "encoder", "generator"]


def test_bad_input(learned):
    gan, _ = learned
    images, tokens = data()
    for message, call in (
        ("labels=3", lambda: gan.generate(1, labels=3)),
        ("2 were given, and count=3", lambda: gan.generate(3, text=["a", "b"])),
        ("has 13 bytes; the model reads 12", lambda: gan.generate(1, text="x" * 13)),
        ("control character", lambda: gan.generate(1, text="a\x00")),
        ("texts are missing", lambda: gan.fit(images, verbose=0)),
        ("expected", lambda: gan.fit(images, tokens[:, :5], verbose=0)),
        ("texts", lambda: gan.fit(images, tokens + 300, verbose=0)),
        ("length=0", lambda: DFGAN(length=0)),
        ("encoder_samples=0", lambda: GANCLS(encoder_samples=0)),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_scores_against_what_can_be_counted():
    vectors = np.eye(4)
    assert captioned.r_precision(vectors, vectors) == 1.0
    assert captioned.r_precision(vectors[[1, 0, 2, 3]], vectors) == 0.5
    twice = np.eye(4)[[0, 0, 1]]
    assert captioned.r_precision(twice, twice, same=[7, 7, 8]) == 1.0  # the same text is no other one
    with pytest.raises(ValueError, match="all the same"):
        captioned.r_precision(vectors[:2], vectors[:2], same=[7, 7])
    picture = np.full((8, 8, 3), 255, "uint8")
    picture[2:6, 2:6] = (215, 45, 60)
    assert captioned.color_of(picture) == "red" and captioned.color_of(picture[:2]) == "white"
    named = [captioned.named_color(text) for text in ("red heart", "red and blue", "hundred", "large green, noto")]
    assert named == ["red", None, None, "green"]
    found = captioned.trigrams(["abc", "abc", "xyz"])
    np.testing.assert_allclose(found @ found.T, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-6)


def test_a_judge_finds_what_belongs_together(learned):
    gan, _ = learned
    images, tokens = data(64)
    seen = []

    def means(samples):
        seen.append(len(samples))
        return np.asarray(samples, "float32").mean(axis=(1, 2)) / 255

    parts = {"": tf.data.Dataset.from_tensor_slices((images, tokens)).batch(1)}
    options = {"network": features.get(means), "seed": 1}
    found = {(one.metric, one.model): one.value for one in evaluate_captioned(gan, parts, **options)}
    assert set(found) == {
        *((name, gan.name) for name in ("r_precision", "colors", "diversity", "kid")),
        *((name, "real data") for name in ("r_precision", "colors", "kid")),
    }
    assert all(0 <= value for (metric, _), value in found.items() if metric != "kid")  # which may be a little below
    assert sum(seen) == 128  # real images and made ones once each, whatever compares them
    evaluate_captioned(gan, parts, "colors", **options)
    assert sum(seen) == 128


def test_kernel_distance_is_from_real_images_of_the_same_texts():
    made, reals = np.random.default_rng(0).random((2, 10, 12), "float32")
    case = captioned.Case(None, ["a"] * 10, made, reals, None, None, 0)
    assert captioned.METRICS["kid"](case) == pytest.approx(kernel_distance(reals, made).value)
    floor = captioned.METRICS["kid"](case._replace(reals=None))
    assert floor == pytest.approx(kernel_distance(made[::2], made[1::2]).value)


def test_reports_show_what_of_the_data_is_nearest(learned, monkeypatch):
    gan, _ = learned
    pixels = gan.media.to_natural(data()[0])
    monkeypatch.setattr(report, "_reals", lambda *_: iter([pixels]))
    assert "nearest of 8 real" in report._neighbours(gan, None, "data", lambda images: images.reshape(-1, 768) / 255, 0)


def own_encoder(length=LENGTH, size=6):
    """How often each of some letters stands in a text."""
    tokens = keras.Input((length,), dtype="int32")
    counted = keras.layers.Embedding(256, size, embeddings_initializer="glorot_normal")(tokens)
    return keras.Model(tokens, keras.layers.GlobalAveragePooling1D()(counted))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("cls", [DFGAN, GANCLS])
def test_an_encoder_of_ones_own_stays_as_it_is(cls, tmp_path):
    encoder = own_encoder()
    before = encoder.get_weights()[0]
    gan = small(cls, text_encoder=encoder, seed=1)
    history = gan.fit(*data(), batch_size=8, epochs=2, verbose=0).history
    assert history["stage"][0] == 1.0 and "generator_loss" in history and "contrast" not in history
    assert np.array_equal(encoder.get_weights()[0], before)
    tokens = tokens_of(["red"], LENGTH)
    vector = encoder(tokens).numpy()
    np.testing.assert_allclose(gan.sentences(tokens), vector / np.sqrt(np.mean(vector**2)), rtol=1e-4)
    gan.save(tmp_path / "own.keras")
    loaded = keras.saving.load_model(tmp_path / "own.keras")
    assert np.array_equal(loaded.generate(2, text="red", seed=3), gan.generate(2, text="red", seed=3))
    loaded.fit(*data(), batch_size=8, epochs=1, verbose=0)
    network = gan.inference_network()
    assert [tuple(each.shape) for each in network.inputs] == [(None, 4), (None, LENGTH)]


@pytest.mark.parametrize(
    "encoder",
    [
        own_encoder(length=LENGTH + 1),
        keras.Sequential([keras.Input((LENGTH,), dtype="int32"), keras.layers.Embedding(256, 4)]),
    ],
)
def test_encoders_that_do_not_fit(encoder):
    with pytest.raises(ValueError, match=rf"text_encoder, from .* int32 \(None, {LENGTH}\)"):
        small(text_encoder=encoder)
