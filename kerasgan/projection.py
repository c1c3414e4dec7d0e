"""Projection: the latents whose sample is nearest to a real picture; painting: the nearest latents to some that obey.

By optimization (Zhu et al., 2016, arXiv:1609.03552; Karras et al., 2020, arXiv:1912.04958, appendix D): from the
nearest of some samples on, or from what an encoder guesses if that is nearer (`kerasgan.inversion`), Adam moves latents
so that the sample comes near the picture, in pixels and in maps of a network that was trained to recognize things. The
rate rises at the start and falls at the end, as in StyleGAN2. Latents stay where the generator knows them: drawn to the
length that they are drawn with, and each within what it is drawn from (Lipton & Tripathi, 2017, arXiv:1702.04782). What
is painted is a constraint on some pixels, which the sample meets from where it is, moving no further than it has to
(arXiv:1609.03552, section 4).
"""

import math

import numpy as np
import tensorflow as tf

from kerasgan import inversion, perceptual
from kerasgan.bars import Bar
from kerasgan.checks import number
from kerasgan.latents import Latents

_TRIED = 256  # samples of which the nearest is where it starts
_RATE = 0.1  # of Adam, at its highest
_RISE, _FALL = 0.05, 0.25  # shares of the steps, as in StyleGAN2
_PULL = 0.1  # weight of the length of latents
_FURTHEST = 3.0  # of a normal latent: beyond it is drawn 3 times in 1,000
_STAY = 0.1  # weight of how far painting moves latents
_CHUNK = 32  # pictures that are projected at a time


def project(gan, pictures, labels=None, steps=200, seed=0, keep=0, progress=False):
    """The latents whose samples are nearest to pictures.

    Args:
        gan: a `kerasgan.GAN` of images.
        pictures: uint8 (count, *shape of samples).
        labels: classes of the pictures, for a GAN that has them, as in `generate`.
        steps: of the optimization.
        seed: of the samples that it starts from.
        keep: how many samples on the way are returned, too.
        progress: whether a bar is shown.

    Returns:
        `kerasgan.latents.Latents`, and with `keep` (latents, samples (count, keep, *shape) after growing shares of the
        steps, the last of them those of the latents).

    Raises:
        ValueError: an argument is out of its range, or the GAN makes no images.
    """
    steps = number("steps", steps, None, least=1, whole=True)
    keep = number("keep", keep, None, whole=True)
    wanted = _checked(gan, pictures)
    labels = [labels] * len(wanted) if labels is None or np.ndim(labels) == 0 else list(labels)
    if len(labels) != len(wanted):
        raise ValueError(f"labels: {len(labels)} given for {len(wanted)} pictures; give one for all, or one each.")
    stops = [math.ceil(steps * ((place + 1) / keep) ** 2) for place in range(keep)]
    found, ways = [], []
    encoder = None if gan.encoder_file is None else inversion.Encoder(gan, gan.encoder_file)
    parts = [slice(start, start + _CHUNK) for start in range(0, len(wanted), _CHUNK)]
    with Bar("Projecting", steps * len(parts), "steps", shown=progress) as bar:
        for part in parts:
            start = _nearest_samples(gan, wanted[part], labels[part], seed)
            start = start if encoder is None else _or_guesses(gan, wanted[part], start, encoder)
            latents, way = _projected(gan, wanted[part], start, steps, stops, bar)
            found.append(latents)
            ways.append(way)
    latents = Latents.joined(found)
    return (latents, gan.media.to_natural(np.concatenate(ways))) if keep else latents


def _checked(gan, pictures, name="pictures", form="(count, height, width, channels)"):
    """Pictures in model range."""
    if gan.media.kind != "image":
        raise ValueError(f"{gan.name} makes {gan.media.plural}: this is for images.")
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.shape[1:] != gan.media.shape or len(pictures) == 0:
        raise ValueError(
            f"{name}: {pictures.dtype} of the shape {pictures.shape[1:]} each; expected uint8 {gan.media.shape} each, "
            f"{form}, as kerasgan.data.picture(path, size) reads one."
        )
    return gan.media.to_model(pictures)


def _nearest_samples(gan, wanted, labels, seed):
    """For each picture the latents of the sample that is nearest to it, of `_TRIED` in its class."""
    nearest, tried, pictures = [], {}, _seen(wanted)
    for place, label in enumerate(labels):
        if label not in tried:
            latents = gan.codes(_TRIED, seed, label)
            tried[label] = latents, _seen(_samples(gan, latents))
        latents, samples = tried[label]
        picture = [each[place : place + 1] for each in pictures]
        nearest.append(latents[np.argmin(_distances(picture, samples))])
    return Latents.joined(nearest)


def _or_guesses(gan, wanted, latents, encoder):
    """Of each of the latents and what an encoder guesses, that whose sample is nearer to the picture."""
    guesses = latents.replaced(np.clip(encoder.guesses(wanted), *_limits(gan, latents.space)))
    pictures = _seen(wanted)
    far, guessed = (_distances(pictures, _seen(_samples(gan, each))).numpy() for each in (latents, guesses))
    return latents.replaced(np.where((guessed < far)[:, None], guesses.values, latents.values))


def _samples(gan, latents):
    given = None if latents.condition is None else tf.constant(latents.condition)
    return gan.decoder(latents.space)(tf.constant(latents.values), given)


def _projected(gan, wanted, latents, steps, stops, bar):
    """(latents, moved to where samples are near the pictures; samples at the stops, (count, stops, *shape))."""
    pictures = _seen(wanted)
    pull = _PULL if latents.space == "latents" and gan.latent == "normal" else 0.0
    way = np.zeros((len(wanted), len(stops), *gan.media.shape), "float32")

    def loss(images, values):
        return _distances(pictures, _seen(images)) + pull * tf.square(tf.reduce_mean(tf.square(values), axis=1) - 1.0)

    def watch(done, sample):
        bar.update()
        if done in stops:  # of few steps, several stops are one
            way[:, np.equal(stops, done)] = sample().numpy()[:, None]

    return _moved(gan, latents, loss, steps, watch), way


def _moved(gan, latents, loss, steps, watch):
    """Latents moved to where a loss is lower, by Adam.

    Args:
        loss: function of images in model range and of the latents' values: float32 (count,).
        watch: called after each step with how many are done, and with a function that gives the images.
    """
    decoder, values = gan.decoder(latents.space), tf.Variable(latents.values)
    given = None if latents.condition is None else tf.constant(latents.condition)
    low, high = _limits(gan, latents.space)
    adam = _Adam(values)

    def sample():
        return tf.cast(decoder(values, given), tf.float32)

    @tf.function(autograph=False)
    def step(rate):
        with tf.GradientTape() as tape:
            found = loss(sample(), values)
        adam.apply(tape.gradient(found, values), rate)
        values.assign(tf.clip_by_value(values, low, high))

    for done in range(1, steps + 1):
        step(tf.constant(_rate(done / steps), tf.float32))
        watch(done, sample)
    return latents.replaced(values.numpy())


def paint(gan, latents, picture, mask, steps=30):
    """Latents near some, whose samples look as was painted.

    Args:
        gan: a `kerasgan.GAN` of images.
        latents: `kerasgan.latents.Latents`, or as of `GAN.decode`; all of them are to obey.
        picture: uint8 (height, width, channels): the colours that were painted.
        mask: booleans (height, width): where; at least one pixel.
        steps: of the optimization.

    Returns:
        `kerasgan.latents.Latents`.

    Raises:
        ValueError: an argument is out of its range, or the GAN makes no images.
    """
    steps = number("steps", steps, None, least=1, whole=True)
    wanted = tf.constant(_checked(gan, np.asarray(picture)[None], "picture", "given without the first axis"))
    mask = np.asarray(mask)
    if mask.shape != gan.media.shape[:2] or mask.dtype != bool or not mask.any():
        raise ValueError(
            f"mask is {mask.dtype} {mask.shape}, true at {int(np.sum(mask != 0))} places: expected booleans "
            f"{gan.media.shape[:2]}, true where something was painted."
        )
    start = gan.coded(gan.own_latents(latents))
    share = tf.constant(mask[None, ..., None] / mask.sum() / gan.media.shape[2], tf.float32)
    deviation = tf.constant(start.values.std() + 1e-6)

    def loss(images, values):
        missed = tf.reduce_sum(tf.square(images - wanted) * share, axis=(1, 2, 3))
        way = tf.reduce_mean(tf.square((values - start.values) / deviation), axis=1)
        return missed + _STAY * way

    return _moved(gan, start, loss, steps, lambda done, sample: None)


def distances(gan, samples, pictures):
    """How far samples are from pictures, both uint8 (count, *shape): what `project` makes small, float32 (count,)."""
    return _distances(_seen(_checked(gan, pictures)), _seen(_checked(gan, samples, "samples"))).numpy()


def _seen(images):
    """What images in model range are compared by: their pixels, and the maps of a network."""
    images = tf.cast(images, tf.float32)
    return [images, *perceptual.get("efficientnet_lite0").maps(_in_colours(images))]


def _distances(pictures, samples):
    """How far samples are from pictures, of what is seen of both: float32 (count,).

    The mean difference of pixels, and that of maps, relative to the picture's.
    """
    found = _mean(tf.abs(samples[0] - pictures[0]))
    for real, fake in zip(pictures[1:], samples[1:], strict=True):
        found += _mean(tf.abs(real - fake)) / (_mean(tf.abs(real)) + 1e-6) / len(pictures[1:])
    return found


def _mean(values):
    return tf.reduce_mean(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)


def _in_colours(images):
    """RGB of grey images, and of images with transparency, on white."""
    if images.shape[-1] == 4:
        share = (images[..., 3:] + 1.0) / 2.0
        return images[..., :3] * share + (1.0 - share)
    return tf.broadcast_to(images, (*images.shape[:-1], 3)) if images.shape[-1] == 1 else images


def _limits(gan, space):
    """Lowest and highest value: of normal latents, of uniform ones; styles may be anywhere."""
    if space != "latents":
        return -np.inf, np.inf
    return (-1.0, 1.0) if gan.latent == "uniform" else (-_FURTHEST, _FURTHEST)


def _rate(share):
    """The rate when a share of the steps is done: it rises, stays, and falls as a cosine."""
    rise, fall = min(1.0, share / _RISE), min(1.0, (1.0 - share) / _FALL)
    return _RATE * rise * 0.5 * (1.0 - math.cos(math.pi * fall))


class _Adam:
    """Adam (arXiv:1412.6980) on one variable, at rates that are given: no optimizer of the game's is touched."""

    def __init__(self, values):
        self._values, self._step = values, tf.Variable(0.0)
        self._first, self._second = (tf.Variable(tf.zeros_like(values)) for _ in range(2))

    def apply(self, gradient, rate):
        step = self._step.assign_add(1.0)
        first = self._first.assign(0.9 * self._first + 0.1 * gradient)
        second = self._second.assign(0.999 * self._second + 0.001 * tf.square(gradient))
        first, second = first / (1.0 - 0.9**step), second / (1.0 - 0.999**step)
        self._values.assign_sub(rate * first / (tf.sqrt(second) + 1e-8))
