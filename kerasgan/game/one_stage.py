"""Both players' gradients from one pass through the discriminator (Shen et al., 2021, arXiv:2103.00430).

For a fake sample, either loss has the gradient of the logit times a number, the loss's derivative at the logit. So
what the discriminator's loss passes back to a sample becomes what the generator's would, by the ratio of the two
numbers. Each player sees the other as it was before the step (simultaneous updates).
"""

import math

import keras
import tensorflow as tf

from kerasgan import losses
from kerasgan.game.batch import Batch
from kerasgan.game.gradients import gradients_for, gradients_of
from kerasgan.game.regularization import Regularization
from kerasgan.structures import each, floats_of, per_sample


def gradients(game, batch):
    """Gradients for the discriminator's weights, then those for the generator's, each scaled for its optimizer.

    Args:
        game: `kerasgan.Game` that `check` has accepted.
        batch: `Batch` with sources.
    """
    discriminator, generator = game.player("discriminator"), game.player("generator")
    variables = discriminator.variables
    with tf.GradientTape() as tape:
        fake = game.call_generator(batch.sources, batch.condition)
    plain = batch._replace(fake=each(tf.stop_gradient, fake))
    with tf.GradientTape() as judge:
        judge.watch(floats_of(plain.fake))
        real, augmented = game.augment(batch.real), game.augment(plain.fake)
        both = each(lambda a, b: tf.concat([a, tf.cast(b, a.dtype)], axis=0), real, augmented)
        twice = each(lambda condition: tf.concat([condition, condition], axis=0), batch.condition)
        real_logits, fake_logits = tf.split(game.call_discriminator(both, twice), 2)
        loss = tf.reduce_mean(game.adversarial_loss.discriminator(real_logits, fake_logits))
        seen = plain._replace(real=real, fake=each(tf.stop_gradient, augmented))  # penalties are the discriminator's
        terms = game.weighted_terms("discriminator", plain._replace(fake=each(tf.stop_gradient, plain.fake)))
        regularization = Regularization(discriminator, plain, seen)
        total = regularization.added_to(loss, (real_logits, fake_logits))
        total = discriminator.scaled(total + sum(terms.values()))
    found = gradients_for(judge, total, [*(v.value for v in variables), *tf.nest.flatten(plain.fake)])
    own, to_fake = found[: len(variables)], found[len(variables) :]
    game.track_discriminator(loss, real_logits, fake_logits)
    game.track(**terms)
    own = regularization.added_lazily_to(own)

    ratio = _ratio_of_derivatives(game, real_logits, fake_logits)
    to_fake = [part * tf.cast(tf.reshape(ratio, (-1, *[1] * (part.shape.rank - 1))), part.dtype) for part in to_fake]
    to_fake = tf.nest.pack_sequence_as(fake, to_fake)
    return [*own, *gradients_of(tape, fake, generator.variables, output_gradients=to_fake)]


def _ratio_of_derivatives(game, real_logits, fake_logits):
    """Derivative of the generator's loss at each fake logit over that of the discriminator's: (batch,), scaled."""
    real_logits, fake_logits = per_sample(real_logits), per_sample(fake_logits)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake_logits)
        discriminator_loss = game.adversarial_loss.discriminator(real_logits, fake_logits)
        generator_loss = game.adversarial_loss.generator(fake_logits, real_logits)
    game.track(generator_loss=tf.reduce_mean(generator_loss))
    derivatives = [tape.gradient(loss, fake_logits) for loss in (generator_loss, discriminator_loss)]
    one = tf.ones(())
    scales = [optimizer.scale_loss(one) for optimizer in (game.generator_optimizer, game.discriminator_optimizer)]
    return tf.math.divide_no_nan(*derivatives) * (scales[0] / scales[1])


def check(game):
    """Raises a ValueError if a compiled game cannot be played in one stage."""
    if game.fresh_generator_batch:
        raise ValueError(
            "one_stage=True with fresh_generator_batch=True: in one stage both players see the same batch. Set one "
            "of them to False."
        )
    terms = [term for term in game.default_weights if term != "adversarial"]
    terms += [penalty.name for penalty in game.penalties if penalty.player == "generator"]
    if terms:
        raise ValueError(
            f"one_stage=True: {type(game).__name__}'s generator minimizes more than the adversarial loss "
            f"({', '.join(terms)}), which one pass does not give. Leave one_stage out."
        )
    if isinstance(game.adversarial_loss, losses.Hinge):
        raise ValueError(
            'one_stage=True with loss="hinge": beyond its margin the discriminator\'s loss passes nothing back, '
            'and nothing for the generator can be had from that. Give loss="non_saturating", or one_stage=False.'
        )
    if math.prod(game.discriminator.outputs[0].shape[1:]) != 1:
        raise ValueError(
            f"one_stage=True needs a discriminator with one logit a sample; {game.name}'s gives "
            f"{game.discriminator.outputs[0].shape[1:]}. Leave one_stage out."
        )
    samples = tf.random.stateless_uniform((4, *game.discriminator.inputs[0].shape[1:]), (0, 0), -1.0, 1.0)
    labels = None if game.num_classes is None else tf.zeros(4, tf.int32)
    with tf.GradientTape() as tape, keras.StatelessScope():
        tape.watch(samples)
        logits, judged = game.judge_real(Batch(samples, labels))
        first = tf.cast(logits, tf.float32)[0]
    if judged:
        raise ValueError(
            f"one_stage=True: {type(game).__name__}'s discriminator minimizes {', '.join(judged)}, too, in a pass of "
            "the real samples alone, which one stage does not have. Leave one_stage out."
        )
    others = tape.gradient(first, samples)[1:]
    if tf.reduce_any(others != 0.0):
        raise ValueError(
            "one_stage=True: the discriminator mixes the samples of a batch (batch normalization, minibatch "
            "standard deviation), so that gradients of single samples do not exist. Use one without, such as "
            'DCGAN(normalization="spectral"), or leave one_stage out.'
        )
