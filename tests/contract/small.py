"""Every registered GAN type, small enough to train in a second, and data that fits it."""

import inspect

import keras
import numpy as np
import tensorflow as tf

from kerasgan import registry

# A table of a number with two modes and a missing one, a whole number, and a category of three values.
TABLE = {
    "columns": [
        {
            "name": "size",
            "kind": "number",
            "least": -3.0,
            "most": 9.0,
            "decimals": 2,
            "missing": 0,
            "modes": [[0.5, 0.0, 1.0], [0.3, 5.0, 1.0], [0.2, 9.0, 0.0]],
            "shares": [0.05] * 20,
        },
        {"name": "kind", "kind": "categorical", "values": [0, 1, 2], "counts": [3, 2, 1]},
        {
            "name": "age",
            "kind": "integer",
            "least": 0.0,
            "most": 90.0,
            "decimals": 0,
            "missing": 0,
            "modes": [[1.0, 45.0, 12.0]],
            "shares": [0.05] * 20,
        },
    ],
    "associations": [[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]],
}

TEXTS = {"unit": "character", "vocabulary": ["", *"abcd"], "length": 5}
_FITTED = {"table": TABLE, "text": TEXTS}  # by the reader that a type starts from

# Arguments that make a type small, by the names that types give them. A new type that has others is tested as it comes.
_SMALL = {
    "image_shape": (16, 24, 3),
    "length": 256,
    "size": 8,
    "latent_dim": 8,
    "width": 4,
    "blocks": 1,
    "pool_size": 6,
    "units": 16,
    "maxout_units": 8,
    "pretraining": 4,  # the first of two steps
    "generator_samples": 16,
    "encoder_samples": 4,
    "sentence_dim": 8,
    "tile": 8,
    "fade_samples": 8,
    "stable_samples": 16,
    "level_samples": 16,
    "points": 3,
    "mixtures": 2,
    "bars": 2,
    "beats": 2,
    "resolution": 2,
    "pitches": 24,
    "tracks": 2,
    "frames": 4,
    "judged_frames": 2,
    "given_frames": 2,
    "recurrent": 1,
    "embedding": 4,
    "representations": 2,
    "roll_outs": 2,
    "annealing": 8,
    "pack": 2,
}


def build_small(gan_type, dtype=None, **changes):
    """A small GAN of a type, not compiled."""
    keras.utils.set_random_seed(0)
    cls = registry.gan_class(gan_type)
    known = inspect.signature(cls).parameters
    takes_images = "image_shape" in known  # if sounds and tables, too, then images
    small = {k: v for k, v in _SMALL.items() if k in known and not (k == "length" and takes_images)}
    if "fitted" in known and not takes_images:
        small["fitted"] = _FITTED[cls.starting.data["reader"]]
    return cls(**small, seed=3, dtype=dtype, **changes)


def soon_traced():
    """Optimizers with a state, for `compile`, that are traced in half the time of Adam."""
    return {f"{player}_optimizer": keras.optimizers.SGD(1e-3, 0.9) for player in ("generator", "discriminator")}


def data_for(gan, count=None):
    """Random samples in model range (and labels, or images of another domain): what `fit` takes, as its arguments."""
    count = 8 * gan.batches_per_step if count is None else count
    random = np.random.default_rng(0)
    data = tuple(_samples(media, count, random) for media in gan.media_of_data)
    return data if gan.num_classes is None else (*data, random.integers(0, gan.num_classes, count))


def _samples(media, count, random):
    """Samples of any kind, in the structure that it has."""
    made = {name: _values(part, (count, *part.shape), random) for name, part in media.parts.items()}
    return made if isinstance(media.shape, dict) else made[None]


def _values(part, shape, random):
    least, most = part.range or (-1, 1)
    if part.is_float:
        return random.uniform(least, most, shape).astype(part.dtype)
    return random.integers(least, most, shape, part.dtype, endpoint=True)


def batch_for(gan, count=4):
    """One `Batch` as a training step has it: samples as the players see them, and labels or None."""
    return gan.unpacked(tf.nest.map_structure(tf.constant, data_for(gan, count)))


def made_by(gan, count, seed=None):
    """New samples in natural units by the verb that the type has, of what follows from the seed."""
    return gan.task.examples(gan, count, seed)
