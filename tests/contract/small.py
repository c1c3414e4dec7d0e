"""Every registered GAN type, small enough to train in a second, and data that fits it."""

import inspect

import keras
import numpy as np

from kerasgan import registry

# Arguments that make a type small, by the names that types give them. A new type that has others is tested as it comes.
_SMALL = {
    "image_shape": (16, 24, 3),
    "length": 256,
    "latent_dim": 8,
    "width": 4,
    "blocks": 1,
    "units": 16,
    "maxout_units": 8,
}


def build_small(gan_type, dtype=None, **changes):
    """A small GAN of a type, not compiled."""
    keras.utils.set_random_seed(0)
    cls = registry.gan_class(gan_type)
    known = inspect.signature(cls).parameters
    return cls(**{k: v for k, v in _SMALL.items() if k in known}, seed=3, dtype=dtype, **changes)


def data_for(gan, count=None):
    """Random samples in model range (and labels) that the GAN can be fitted on, as the arguments of `fit`."""
    count = 8 * gan.batches_per_step if count is None else count
    random = np.random.default_rng(0)
    samples = random.uniform(-1, 1, (count, *gan.discriminator.inputs[0].shape[1:])).astype("float32")
    return (samples,) if gan.num_classes is None else (samples, random.integers(0, gan.num_classes, count))
