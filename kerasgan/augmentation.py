"""Differentiable augmentation: real and generated samples are changed alike before the discriminator sees them."""

import keras
import tensorflow as tf
from keras.saving import register_keras_serializable

_POLICIES = ("color", "translation", "cutout")


@register_keras_serializable(package="kerasgan")
class DiffAugment:
    """DiffAugment for images (Zhao et al., 2020, arXiv:2006.10738): data-efficient training of GANs.

    Every sample is changed by random numbers of its own; gradients of first and second order pass through to the
    samples. In this order, where named in the policy:

    - "color": brightness, adds a number from [-0.5, 0.5]; saturation, scales each pixel's distance from the mean of its
      channels by a factor from [0, 2]; contrast, scales each value's distance from the image's mean by a factor from
      [0.5, 1.5]. Acts on the first three channels (on the first one where there are fewer than three, without
      saturation), so that an alpha channel keeps its values.
    - "translation": shifts by whole pixels, up to the given share of height and width in each direction; what comes in
      is 0.
    - "cutout": sets a rectangle of the given share of height and width to 0 (a square in a square image); its centre
      lies anywhere in the image, so that a part of it may lie outside.

    Args:
        policy: names of the operations, as a sequence or separated by commas.
        translation: largest shift as a share of the image's size, from 0 to 1.
        cutout: the rectangle's share of the image's size, from 0 to 1.

    Raises:
        ValueError: for an unknown operation, or a share outside [0, 1].

    Example:

    ```python
    augment = DiffAugment("color,translation")
    changed = augment(images, seed=tf.constant([1, 2]))
    ```
    """

    def __init__(self, policy=_POLICIES, translation=0.125, cutout=0.5):
        self.policy = _policy_names(policy)
        for name, share in (("translation", translation), ("cutout", cutout)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name}={share!r} was given, expected a share of the image's size between 0 and 1.")
        self.translation = translation
        self.cutout = cutout

    def __call__(self, samples, seed):
        """Changes each sample at random.

        Args:
            samples: floating-point images in [-1, 1], (batch, height, width, channels) with static height, width and
                channels.
            seed: int32 tensor (2,); the same seed makes the same changes.

        Returns:
            The changed images, in the same shape and dtype. They may exceed [-1, 1].

        Raises:
            ValueError: if `samples` is not a batch of images.
        """
        samples = tf.convert_to_tensor(samples)
        if samples.shape.rank != 4:
            raise ValueError(
                f"samples of shape {tuple(samples.shape)} were given to DiffAugment, expected images of shape "
                "(batch, height, width, channels). Compile without augmentation for other kinds of samples."
            )
        if "color" in self.policy:
            samples = _color(samples, seed)
        if "translation" in self.policy:
            samples = _random_translation(samples, seed, self.translation)
        if "cutout" in self.policy:
            samples = _random_cutout(samples, seed, self.cutout)
        return samples

    def get_config(self):
        return {"policy": list(self.policy), "translation": self.translation, "cutout": self.cutout}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _policy_names(policy):
    names = [name.strip() for name in policy.split(",")] if isinstance(policy, str) else list(policy)
    unknown = [name for name in names if name not in _POLICIES]
    if unknown or not names:
        raise ValueError(
            f"policy={policy!r} was given, expected some of {', '.join(map(repr, _POLICIES))}, as a sequence or a "
            "string separated by commas."
        )
    return tuple(name for name in _POLICIES if name in names)


# Which stream of random numbers an operation draws from: its results do not depend on what else is in the policy.
_BRIGHTNESS, _SATURATION, _CONTRAST, _SHIFT_Y, _SHIFT_X, _CUTOUT_Y, _CUTOUT_X = range(7)


def _random_integers(samples, seed, stream, low, high):
    """One whole number per sample from low to high - 1, (batch,)."""
    # One named algorithm: left to choose, XLA and the ordinary kernels draw different numbers from one seed.
    seed = tf.random.fold_in(seed, stream, alg="philox")
    return tf.random.stateless_uniform(tf.shape(samples)[:1], seed, low, high, tf.int32, alg="philox")


def _random_factors(samples, seed, stream, low, high, dtype):
    """One number per sample in [low, high), (batch, 1, 1, 1)."""
    # Made from integers, because XLA makes other floats from the same random bits than the ordinary kernels do.
    shares = tf.cast(_random_integers(samples, seed, stream, 0, 2**24), dtype) / 2**24
    return (low + (high - low) * shares)[:, None, None, None]


def _color(samples, seed):
    count = 3 if samples.shape[-1] >= 3 else 1
    # float32 at least: a mean over thousands of bfloat16 pixels would lose the contrast.
    dtype = samples.dtype if samples.dtype.size > 4 else tf.float32
    colors = tf.cast(samples[..., :count], dtype)
    colors += _random_factors(samples, seed, _BRIGHTNESS, -0.5, 0.5, dtype)
    if count == 3:
        grey = tf.reduce_mean(colors, axis=-1, keepdims=True)
        colors = grey + _random_factors(samples, seed, _SATURATION, 0.0, 2.0, dtype) * (colors - grey)
    mean = tf.reduce_mean(colors, axis=(1, 2, 3), keepdims=True)
    colors = mean + _random_factors(samples, seed, _CONTRAST, 0.5, 1.5, dtype) * (colors - mean)
    colors = tf.cast(colors, samples.dtype)
    return colors if count == samples.shape[-1] else tf.concat([colors, samples[..., count:]], axis=-1)


def _random_translation(samples, seed, share):
    shifts = []
    for size, stream in zip(samples.shape[1:3], (_SHIFT_Y, _SHIFT_X), strict=True):
        most = int(size * share + 0.5)
        shifts.append(_random_integers(samples, seed, stream, -most, most + 1))
    return _translate(samples, *shifts)


@tf.custom_gradient
def _translate(samples, down, right):
    """Moves sample n by down[n] and right[n] pixels, zeros coming in."""

    def gradient(upstream):
        # The transpose of a shift is the shift back. Gathering again is far cheaper on CPUs than the scatter that would
        # be the gradient of a gather, and it can itself be differentiated.
        return _translate(upstream, -down, -right), None, None

    return _gather_shifted(samples, down, right), gradient


def _gather_shifted(samples, down, right):
    height, width, channels = samples.shape[1:]
    rows = tf.range(height)[None, :] - down[:, None]
    columns = tf.range(width)[None, :] - right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    rows, columns = tf.clip_by_value(rows, 0, height - 1), tf.clip_by_value(columns, 0, width - 1)
    first = tf.range(tf.shape(samples)[0])[:, None, None] * (height * width)
    source = first + rows[:, :, None] * width + columns[:, None, :]
    moved = tf.gather(tf.reshape(samples, (-1, channels)), source)
    return moved * tf.cast(inside, samples.dtype)[..., None]


def _random_cutout(samples, seed, share):
    inside = []
    for size, stream in zip(samples.shape[1:3], (_CUTOUT_Y, _CUTOUT_X), strict=True):
        side = int(size * share + 0.5)
        # An even side has its centre between two pixels, of which there is one more, the image's edges included.
        centre = _random_integers(samples, seed, stream, 0, size + (1 - side % 2))
        first = centre[:, None] - side // 2
        pixels = tf.range(size)[None, :]
        inside.append((pixels >= first) & (pixels < first + side))
    cut = inside[0][:, :, None] & inside[1][:, None, :]
    return samples * tf.cast(~cut, samples.dtype)[..., None]


def get(identifier):
    """The augmentation that `identifier` means.

    Args:
        identifier: None or nothing in a sequence (no augmentation), an augmentation (any function of samples and seed),
            names of DiffAugment's operations as a sequence or separated by commas, or what
            `keras.saving.serialize_keras_object` made of an augmentation.

    Returns:
        A function `augmentation(samples, seed) -> samples`, or None.

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if identifier is None or callable(identifier):
        return identifier
    if isinstance(identifier, (str, list, tuple)):
        return DiffAugment(identifier) if identifier else None
    raise ValueError(
        f"augmentation={identifier!r} was given, expected None, names such as 'color,translation,cutout', or a "
        "kerasgan.augmentation.DiffAugment."
    )
