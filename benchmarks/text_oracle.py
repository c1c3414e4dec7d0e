"""What a game adds to likelihood, on texts of an oracle that says how likely each is (SeqGAN, arXiv:1609.05473).

    python benchmarks/text_oracle.py
    python benchmarks/text_oracle.py --quick

The oracle is an LSTM of 32 units whose weights are drawn from N(0, 1) by a seed, so that nothing has to be shipped; its
numbers compare with those of the same seed and sizes alone. A language model of the same form learns of its texts by
likelihood. SeqGAN and RelGAN both begin from there. Printed are, over temperatures at which texts are drawn, in nats a
token:

- oracle: how unlikely the oracle finds what a model writes. It falls, too, where a model writes the same all the time.
- gen: how unlikely a model finds new texts of the oracle's. It rises where a model has forgotten some of them.

A model is better than another where both are lower. Last comes what likelihood alone has, at the temperature at which
it forgets as much ("Language GANs Falling Short", arXiv:1811.02549). Time is the processor's, in one thread.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from kerasgan.layers import TokenLSTM
from kerasgan.models import RelGAN, SeqGAN

SEED = flags.DEFINE_integer("seed", 1, "Of the oracle, of trainings and of texts.")
VOCABULARY = flags.DEFINE_integer("vocabulary", 40, "Tokens; 5,000 in the paper.")
LENGTH = flags.DEFINE_integer("length", 12, "Of texts; 20 in the paper.")
TEXTS = flags.DEFINE_integer("texts", 20_000, "Of the oracle's that are learned from.")
EPOCHS = flags.DEFINE_integer("epochs", 4, "Of learning by likelihood, of which the best is taken.")
STEPS = flags.DEFINE_integer("steps", 150, "Updates of the generator in SeqGAN's game.")
RELGAN_STEPS = flags.DEFINE_integer("relgan_steps", 200, "The same of RelGAN's.")
JUDGED = flags.DEFINE_integer("judged", 2000, "Updates of a discriminator before its game.")
ROLL_OUTS = flags.DEFINE_integer("roll_outs", 4, "16 in the paper.")
RATE = flags.DEFINE_float("rate", 3e-3, "Learning rate of both players of SeqGAN's game.")
QUICK = flags.DEFINE_boolean("quick", False, "Tiny, to see whether it runs.")
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
BATCH, UNITS, WIDTH = 64, 32, 48
AVERAGED = 1_500  # samples, the half-life of both games' moving averages
SCORED = 5_000  # texts of each kind


def oracle(vocabulary, seed):
    """The language model whose texts are learned."""
    layer = TokenLSTM(UNITS, vocabulary, UNITS, ends=False)
    layer.build()
    random = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(random.standard_normal(weight.shape))
    return layer


def written(layer, count, length, seed, temperature=1.0):
    """Texts of a language model, one-hot float32 (count, length, vocabulary)."""
    before, layer.temperature = layer.temperature, temperature
    try:
        nothing = tf.zeros((min(count, 500), length, layer.vocabulary))
        parts = [layer.rolled_out(tf.constant([seed, part]), nothing) for part in range(-(-count // 500))]
    finally:
        layer.temperature = before
    return np.concatenate(parts)[:count]


def unlikely(layer, texts, temperature=1.0):
    """How unlikely texts are to a language model at a temperature, in nats a token."""
    logits = tf.concat([layer.logits(texts[at : at + 500]) for at in range(0, len(texts), 500)], axis=0)
    return -float(tf.reduce_mean(tf.reduce_sum(texts * tf.nn.log_softmax(logits / temperature), axis=2)))


def curve(model, judge, test, seed):
    """[(oracle, gen) at each temperature] of a generator."""
    layer = model.ema_generator.get_layer("language_model")
    made = (written(layer, len(test), test.shape[1], seed, t) for t in TEMPERATURES)
    return [(unlikely(judge, one), unlikely(layer, test, t)) for one, t in zip(made, TEMPERATURES, strict=True)]


def by_likelihood(model, texts, held_out, epochs):
    """Trains to the epoch in which held-out texts are likeliest, as early stopping does."""
    best, weights = np.inf, None
    for _ in range(epochs):
        model.fit(texts, batch_size=BATCH, verbose=0)
        found = model.negative_log_likelihood(held_out)
        if found < best:
            best, weights = found, model.ema_generator.get_weights()
    model.generator.set_weights(weights)
    model.ema_generator.set_weights(weights)


def played(model, start, texts, judged, steps):
    """The model, begun with the weights of `start`, after updates of its discriminator alone, and steps of the game."""
    for network in (model.generator, model.ema_generator):
        network.set_weights(start.ema_generator.get_weights())
    data = tf.data.Dataset.from_tensor_slices(texts).shuffle(len(texts), seed=SEED.value).repeat()
    data = data.batch(BATCH, drop_remainder=True)
    judge = tf.function(lambda batch: model.update_discriminator(model.unpacked(batch)), autograph=False)
    for batch in data.take(judged):
        judge(batch)
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return model


def at_the_same(likelihood, gen):
    """What likelihood alone has in `oracle` where it has `gen`, on its curve up to temperature 1; None beyond it."""
    known = sorted(
        (of_texts, of_oracle) for (of_oracle, of_texts), t in zip(likelihood, TEMPERATURES, strict=True) if t <= 1
    )
    inside = known[0][0] <= gen <= known[-1][0]
    return float(np.interp(gen, *zip(*known, strict=True))) if inside else None


def main(_):
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(SEED.value)
    vocabulary, length, texts = (20, 5, 256) if QUICK.value else (VOCABULARY.value, LENGTH.value, TEXTS.value)
    lengths = (EPOCHS, JUDGED, STEPS, RELGAN_STEPS)
    epochs, judged, steps, relgan_steps = (1 if QUICK.value else one.value for one in lengths)
    scored = 100 if QUICK.value else SCORED
    judge = oracle(vocabulary, SEED.value)
    data, test = (written(judge, count, length, seed) for seed, count in enumerate((texts, scored)))
    held_out = written(judge, scored, length, 2)
    fitted = {"unit": "word", "vocabulary": [str(number) for number in range(vocabulary)], "length": length}
    about = {"units": UNITS, "embedding": UNITS, "width": WIDTH, "dropout": 0.0, "seed": SEED.value}
    print(
        f"{vocabulary} tokens, length {length}, {texts} texts; the oracle's own: {unlikely(judge, test):.3f}",
        flush=True,
    )

    began, curves = time.process_time(), {}

    def keep(name, model):
        nonlocal began
        curves[name] = curve(model, judge, test, 3)
        print(f"{name}: {time.process_time() - began:.0f} seconds", flush=True)
        began = time.process_time()

    start = SeqGAN(fitted, pretraining=None, **about)
    start.compile(learning_rate=1e-2, ema_half_life=5 * BATCH, clip_gradients=5.0)
    by_likelihood(start, data, held_out, epochs)
    keep("likelihood", start)
    seqgan = SeqGAN(fitted, pretraining=0, roll_outs=ROLL_OUTS.value, **about)
    seqgan.compile(learning_rate=RATE.value, discriminator_steps=8, ema_half_life=AVERAGED, clip_gradients=5.0)
    keep("SeqGAN", played(seqgan, start, data, judged, steps))
    relgan = RelGAN(fitted, pretraining=0, annealing=5 * BATCH * relgan_steps, **about)
    relgan.compile(ema_half_life=AVERAGED)
    keep("RelGAN", played(relgan, start, data, judged, relgan_steps))
    report(curves)


def report(curves):
    print(f"| temperature | {' | '.join(f'{name}: oracle | gen' for name in curves)} |")
    print(f"|{' --- |' * (1 + 2 * len(curves))}")
    for place, temperature in enumerate(TEMPERATURES):
        cells = (f"{value:.3f}" for one in curves.values() for value in one[place])
        print(f"| {temperature:g} | {' | '.join(cells)} |")
    likelihood, one = curves["likelihood"], TEMPERATURES.index(1.0)
    for name in ("SeqGAN", "RelGAN"):
        of_oracle, gen = curves[name][one]
        print(f"{name} against its start at temperature 1: oracle {of_oracle - likelihood[one][0]:+.3f} nats.")
        same = at_the_same(likelihood, gen)
        found = "likelihood alone is off its curve" if same is None else f"likelihood alone has oracle {same:.3f}"
        print(f"  Where gen is {gen:.3f}, {found}, and {name} {of_oracle:.3f}.")


if __name__ == "__main__":
    app.run(main)
