"""What is particular to models that write texts, and to RelGAN: stages, prefixes, its temperature, its judge."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import cli
from kerasgan.models import RelGAN, SeqGAN

FITTED = {"unit": "character", "vocabulary": ["", "a", "b", "n", "u"], "length": 6}
SMALL = {"units": 16, "embedding": 4, "representations": 2, "width": 4, "seed": 1}
WORDS = ["ab", "ban", "un", "nun", "aba", "bun"]


@pytest.fixture(scope="module")
def gan():
    return RelGAN(FITTED, **SMALL)


def test_by_likelihood_it_learns_how_likely_texts_are():
    """Six words, equally likely: at best log 6 nats each, over 23 tokens, their ends among them."""
    gan = RelGAN(FITTED, **{**SMALL, "pretraining": None})
    data = np.repeat(gan.media.to_model(WORDS), 100, axis=0)
    gan.compile(learning_rate=2e-2, ema_half_life=200)
    discriminator = gan.discriminator.get_weights()
    logs = gan.fit(data, batch_size=60, epochs=12, verbose=0).history
    assert set(logs) <= {"generator_loss", "generator_gradient_norm", "generator_learning_rate"}
    assert all(map(np.array_equal, discriminator, gan.discriminator.get_weights()))
    best = 6 * np.log(6) / sum(len(word) + 1 for word in WORDS)
    assert best - 0.01 < gan.negative_log_likelihood(WORDS) < best + 0.1
    made = gan.generate(200, seed=1)
    assert np.mean([word in WORDS for word in made]) > 0.85 and set(WORDS) <= set(made)
    assert all(word.startswith("bu") for word in gan.generate(20, seed=1, prefix="bu"))


@pytest.mark.parametrize("cls", [RelGAN, SeqGAN])
def test_the_game_begins_with_a_tenth_of_the_rate(cls):
    small = {name: value for name, value in SMALL.items() if name != "representations"}
    gan = cls(FITTED, **small, pretraining=4)
    assert [gan.stage_at(seen) for seen in (0, 3, 4)] == [0, 0, 1]
    gan.compile(run_eagerly=True, discriminator_steps=1)
    data = gan.media.to_model(WORDS[:4])
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(1e-3)
    for rate in (1e-3, 1e-4, 1e-4):
        gan.train_on_batch(data)
        assert float(gan.generator_optimizer.learning_rate) == pytest.approx(rate)
    scheduled = cls(FITTED, **small, pretraining=4)
    scheduled.compile(run_eagerly=True, discriminator_steps=1, learning_rate=(1e-4, "linear(1e-2, 1e-3, 4)"))
    for _ in range(2):
        scheduled.train_on_batch(data)
    assert float(scheduled.generator_optimizer.learning_rate) == pytest.approx(1e-3)


def test_the_inverse_temperature_grows_by_the_same_factor():
    gan = RelGAN(FITTED, **SMALL, pretraining=1000, annealing=200, inverse_temperature=100)
    found = [float(gan.sharpness(seen)) for seen in (0, 1000, 1100, 1200, 5000)]
    np.testing.assert_allclose(found, [1, 1, 10, 100, 100], rtol=1e-5)
    for wrong in ({"inverse_temperature": 0.5}, {"annealing": 0}, {"pretraining": -1}, {"fitted": {}}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RelGAN(**{"fitted": FITTED, **SMALL, **wrong})


def test_the_judge_sees_tokens_or_their_shares(gan):
    sources = [gan.sample_latents(4, tf.constant([1, 2])), tf.zeros((4, *gan.media.shape))]
    tokens = gan.call_generator(sources).numpy()
    np.testing.assert_allclose(tokens, tokens.round(), atol=1e-6)
    gan.hard = False
    shares = gan.call_generator(sources).numpy()
    gan.hard = True
    assert 0.05 < shares.max(axis=2).min() < 0.95
    np.testing.assert_array_equal(shares.argmax(axis=2), tokens.argmax(axis=2))
    assert gan.discriminator(tokens).shape == (4, 2, 1)


def test_texts_are_strings_of_a_seed(gan):
    made = gan.generate(70, seed=3)
    assert isinstance(made, list) and all(isinstance(text, str) for text in made) and len(set(made)) > 30
    assert gan.generate(3, seed=3) == made[:3]
    assert sum(gan.generate_batches(70, seed=3), []) == gan.generate(70, seed=3)  # the generator is its average yet
    assert len(gan.interpolate(2, 3, seed=1)) == 6 and len(gan.generate(3, seed=1, truncation=0.5)) == 3


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("xylo", "prefix='xylo': the character 'x' is none of the model's vocabulary"),
        ("ananas", "prefix='ananas': the character 's'"),
        ("banana", "prefix='banana' has 6 characters: expected at most 5"),
        ("a" * 10_000, "has 10000 characters"),
        ("שלום", "the character 'ש'"),
        ("a\x00", "none of the model's vocabulary"),
        (3, "prefix=3: expected a string"),
    ],
)
def test_prefixes_that_cannot_be_gone_on_from(gan, prefix, message):
    with pytest.raises(ValueError, match=message):
        gan.generate(2, prefix=prefix)


def test_an_empty_prefix_is_none(gan):
    assert gan.generate(4, seed=2, prefix="") == gan.generate(4, seed=2)
    with pytest.raises(ValueError, match="labels"):
        gan.generate(2, labels=1)


def test_prefixes_of_words():
    fitted = {"unit": "word", "vocabulary": ["", ",", "fox", "red", "the"], "length": 5}
    made = RelGAN(fitted, **SMALL).generate(5, prefix=" the  red, ", seed=1)
    assert all(text.startswith("the red,") for text in made) and len(set(made)) > 1


def test_the_temperature_is_that_of_samples():
    gan = RelGAN(FITTED, **SMALL)
    varied = len(set(gan.generate(50, seed=1)))
    gan.temperature = 1e-6  # what is left is the first token, of which nothing is known yet
    assert len(set(gan.generate(50, seed=1))) <= 5 < varied / 3
    gan.temperature = 1.5
    again = RelGAN.from_config(gan.get_config())
    assert again.temperature == 1.5 and gan.language_model.temperature == 1.0  # the game's
    for wrong in (0, -1, 11, "hot"):
        with pytest.raises(ValueError, match="temperature="):
            gan.temperature = wrong


def test_texts_of_one_token_and_of_one_text():
    for lines in (["a"], ["a", "b"], ["文"]):
        data = kerasgan.data.text(lines, 1, seed=1)
        gan = RelGAN(data.fitted, **SMALL, pretraining=0)
        gan.compile(run_eagerly=True, discriminator_steps=1)
        gan.fit(data, verbose=0)
        assert set(gan.generate(9, seed=1)) <= {"", *"ab文"}


def test_what_is_exported_gives_numbers_of_tokens(gan):
    inputs = gan.inference_inputs(3, seed=5)
    assert [one["name"] for one in gan.inference_description()] == ["latents", "given"]
    tokens = keras.ops.convert_to_numpy(gan.inference_network()([inputs["latents"], inputs["given"]]))
    (output,) = gan.inference_outputs()
    assert tokens.dtype == np.int32 and output["kind"] == "text" and output["vocabulary"] == FITTED["vocabulary"]
    assert [gan.media.written(row) for row in tokens.tolist()] == gan.media.to_natural(inputs["given"])


def test_it_is_written_as_onnx(gan, tmp_path):
    pytest.importorskip("tf2onnx")
    assert kerasgan.export.onnx(gan, tmp_path / "gan.onnx").passed


def test_commands(tmp_path, monkeypatch, capsys):
    """A user's own lines: trained, more of them, with a prefix, and scored."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines.txt").write_text(
        "\n".join(f"{a}{b}{c}{d}n" for a in "abn" for b in "aun" for c in "abun" for d in "ab")
    )
    small = [f"--set=model.{name}={value}" for name, value in SMALL.items() if name != "seed"]
    train = ["train", "relgan", "--data", "lines.txt", "--out", "runs/text", "--epochs", "1", "--batch_size", "4"]
    train += [*small, "--set=compile.run_eagerly=true", "--dtype=float32", "--seed=1"]
    assert cli.main(train) in (None, 0), capsys.readouterr().err
    generate = ["generate", "runs/text", "-n", "5", "--seed", "1", "--prefix", "un", "-o", "out.txt"]
    assert cli.main(generate) in (None, 0)
    made = (tmp_path / "out.txt").read_text().splitlines()
    assert len(made) == 5 and all(line.startswith("un") for line in made)
    assert cli.main(["evaluate", "runs/text", "--data", "lines.txt"]) in (None, 0)
    printed = capsys.readouterr().out
    assert "pronounceable" in printed and "every tenth line, kept apart" in printed
    assert list((tmp_path / "runs" / "text" / "samples").glob("*.png"))
