"""Distances between images as a feature network sees them, and how smoothly a generator moves by that measure."""

import functools
from typing import NamedTuple

import numpy as np

from kerasgan.metrics import checks, pixels

_EPSILON = 1e-10  # keeps the direction of a vector of zeros finite: zero


def perceptual_distance(a, b, network):
    """Perceptual distance of image pairs on a feature network's activations. Lower is more alike; 0 if identical.

    The distance of LPIPS (Zhang et al., 2018, arXiv:1801.03924, equation 1) with all weights 1: activations of every
    layer are scaled to length 1 across channels, squared differences are summed over channels, averaged over positions
    and summed over layers. Without the weights that LPIPS learned from people's judgements (and on other networks than
    its own) the numbers are not LPIPS numbers and compare only among themselves.

    Args:
        a, b: images (count, height, width, channels), uint8 or floats in [0, 255], of the same shape.
        network: a feature network that has activations, or what `kerasgan.metrics.features.get` makes one of.

    Returns:
        float64 (count,); at most 4 for each layer, 2 if activations are never negative.

    Raises:
        ValueError: images of different shapes or not pixels, or a network that shows no activations.
    """
    a, b = pixels.same_shape(a, b)
    network = _network(network)
    step = getattr(network, "batch_size", 32)
    return np.concatenate([_distances(a[i : i + step], b[i : i + step], network) for i in range(0, len(a), step)])


def _network(network):
    if hasattr(network, "activations"):
        return network
    from kerasgan.metrics import features

    return features.get(network)


def _activations(network, images):
    layers = network.activations(images)
    if not layers:
        name = getattr(network, "name", type(network).__name__)
        raise ValueError(f"network={name!r} shows no activations; give one that does, such as 'efficientnet_lite0'.")
    return layers


def _distances(a, b, network):
    layers = zip(_activations(network, a), _activations(network, b), strict=True)
    return sum(_layer_distances(*layer) for layer in layers)


def _layer_distances(a, b):
    a, b = (_unit(np.asarray(activations, "float64")) for activations in (a, b))
    return np.square(a - b).sum(axis=-1).mean(axis=(1, 2))


def _unit(activations):
    return activations / (np.linalg.norm(activations, axis=-1, keepdims=True) + _EPSILON)


class PathLength(NamedTuple):
    """How much samples change along short steps between latents: lower is smoother.

    Attributes:
        value: mean over the paths.
        deviation: standard deviation over the paths; divided by the root of their number, the mean's standard error.
    """

    value: float
    deviation: float


def perceptual_path_length(gan, network, count=10_000, epsilon=1e-4, seed=0, batch_size=32):
    """Perceptual path length of a generator of images (Karras et al., 2019, arXiv:1812.04948, section 4.1).

    Two latents are drawn, and a place on the way between them uniformly from [0, 1] (the paper's "full" length). The
    length is the perceptual distance of the samples at this place and `epsilon` further, divided by epsilon squared.
    The way is that of `gan.latents_between`: an arc for normal latents, a straight line for uniform ones.
    As in the authors' code, paths below the 1st and above the 99th percentile do not count. Samples come from
    `gan.ema_generator`; for a conditional GAN the classes take turns, and both ends of a path are of the same class.

    The samples are compared as floats, since steps this small disappear in uint8. The distance is
    `perceptual_distance`, not LPIPS: the numbers compare for one network only, and not with the paper's.

    Args:
        gan: a `kerasgan.GAN` of images.
        network: as in `perceptual_distance`; must take float images without rounding them.
        count: number of paths.
        epsilon: length of the step, as a share of the way.
        seed: of latents, places.
        batch_size: paths that are generated at a time; the value does not depend on it.

    Returns:
        `PathLength(value, deviation)`.

    Raises:
        ValueError: an argument out of its range, a GAN of something else than images, or a network that rounds pixels.
    """
    _check_path_arguments(gan, count, epsilon, batch_size)
    network = _network(network)
    _check_network_is_smooth(network, gan.media.shape)
    starts, ends, labels = _paths(gan, count, epsilon, seed)
    generate = _float_pixels(gan)
    lengths = []
    for i in range(0, count, batch_size):
        here = slice(i, i + batch_size)
        classes = None if labels is None else labels[here]
        pictures = generate(starts[here], classes), generate(ends[here], classes)
        lengths.append(_distances(*pictures, network) / epsilon**2)
    lengths = np.concatenate(lengths)
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    kept = lengths[(lengths >= low) & (lengths <= high)]
    return PathLength(float(kept.mean()), float(kept.std()))


def _check_path_arguments(gan, count, epsilon, batch_size):
    shape = getattr(getattr(gan, "media", None), "shape", ())
    if len(shape) != 3 or shape[-1] not in (1, 3, 4):
        raise ValueError(f"gan={gan!r} makes samples of shape {tuple(shape)}; expected a GAN of images.")
    for name, number in (("count", count), ("batch_size", batch_size)):
        checks.whole(number, name, 1)
    if not 0 < epsilon < 1:
        raise ValueError(f"epsilon={epsilon!r}; expected a small part of the way between two latents, such as 1e-4.")


def _paths(gan, count, epsilon, seed):
    """Latents at both ends of every short step, float32 (count, latent_dim), and its class or None."""
    latents = np.asarray(gan.sample_latents(2 * count, np.array([seed % 2**31, 0], "int32")), "float64")
    place = np.random.default_rng(seed).uniform(size=(count, 1))
    ways = (gan.latents_between(latents[:count], latents[count:], share) for share in (place, place + epsilon))
    start, end = (latents.astype("float32") for latents in ways)
    return start, end, None if gan.num_classes is None else (np.arange(count) % gan.num_classes).astype("int32")


def _float_pixels(gan):
    """A function from latents and classes to samples as float32 pixels in [0, 255], not rounded."""
    import tensorflow as tf

    from kerasgan.precision import full_precision

    @functools.partial(tf.function, autograph=False, reduce_retracing=True)
    def sample(inputs):
        with full_precision(gan.ema_generator):  # half precision would round the short steps away
            return gan.ema_generator(inputs, training=False)

    def generate(latents, labels):
        latents = tf.constant(latents)
        samples = sample(latents if labels is None else [latents, tf.constant(labels)])
        return np.clip((samples.numpy().astype("float32") + 1.0) * 127.5, 0.0, 255.0)

    return generate


def _check_network_is_smooth(network, shape):
    """Raises a ValueError for a network that rounds pixels: the short steps of a path would be jumps or nothing."""
    shades = np.rint(np.linspace(64.0, 191.0, int(np.prod(shape)), dtype="float32")).reshape(1, *shape)
    fine, coarse = _activations(network, shades + np.float32(0.25)), _activations(network, shades)
    if all(np.array_equal(one, other) for one, other in zip(fine, coarse, strict=True)):
        raise ValueError(
            f"network={getattr(network, 'name', network)!r} rounds its images to whole pixels, in which the short "
            "steps of a path disappear; give a network that takes float images as they are."
        )
