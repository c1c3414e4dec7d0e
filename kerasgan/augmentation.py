"""Differentiable augmentation: real and generated samples are changed alike before the discriminator sees them."""

import math

import keras
import tensorflow as tf
from keras.saving import register_keras_serializable

from kerasgan import distribution, schedules

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

    draws_for_all_devices = True  # by `distribution.own_rows`; others get other seeds on other devices

    @property
    def names(self):
        """What it is called where a kind of sample says what makes sense for it (`Media.augmentations`)."""
        return self.policy

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
        samples = _check_images(tf.convert_to_tensor(samples), "DiffAugment")
        drawn = tf.unstack(_draw(samples, seed, _STREAMS))
        if "color" in self.policy:
            samples = _color(samples, drawn)
        if "translation" in self.policy:
            samples = _random_translation(samples, drawn, self.translation)
        if "cutout" in self.policy:
            samples = _random_cutout(samples, drawn, self.cutout)
        return samples

    def get_config(self):
        return {"policy": list(self.policy), "translation": self.translation, "cutout": self.cutout}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


_GROUPS = ("geometry", "color", "cutout")


@register_keras_serializable(package="kerasgan")
class AdaptiveAugment(keras.layers.Layer):
    """Adaptive discriminator augmentation, ADA, for images (Karras et al., 2020, arXiv:2006.06676).

    Every operation changes a sample with one common probability, which training moves: up while the discriminator is
    too sure of the real samples (the mean sign of its logits on them lies above the target), down otherwise. So few
    samples get strong augmentation and many get little, without a number to choose. While the probability stays below
    about 0.8, what the generator learns is not what the augmentation does.

    Groups, in this order, with the paper's strengths:

    - "geometry": mirroring, turns by 90 degrees, whole-pixel shifts of up to an eighth; scaling by 2^N(0, 0.2),
      rotation, stretching by 2^N(0, 0.2), rotation, shifts by N(0, 0.125) of the size. One warp does all of them.
    - "color": brightness +N(0, 0.2), contrast 2^N(0, 0.5), luma flip, hue rotation, saturation 2^N(0, 1), on the first
      three channels (brightness, contrast and flip on the first one where there are fewer).
    - "cutout": a rectangle of half the height and width, anywhere, becomes 0.

    Changed from the paper: the warp interpolates bilinearly, where the paper filters with wavelets; cutout stands in
    for its corruptions and acts only if it is named, as in the paper's final setting; no filtering. Mirroring, turns
    and inverted colours do not fit every data set, but a generator does not learn them while the probability is low.

    The critic of a Wasserstein loss has no threshold at 0, so the sign of its logits says nothing: give a fixed
    `probability` and `target=None` there.

    Args:
        groups: some of the three, as a sequence or separated by commas.
        target: mean sign of the logits on real samples to hold, in (-1, 1); None keeps the probability as it is, or on
            its schedule.
        probability: at the start, in [0, 1]; with `target=None`, also a schedule of it (`kerasgan.schedules`), such as
            "cosine(0, 0.3, 2000000)".
        samples_to_one: real samples after which the probability would have risen from 0 to 1.
        interval: discriminator steps between two changes of the probability.

    Raises:
        ValueError: an argument out of its range.

    Example:

    ```python
    gan.compile(augmentation=kerasgan.augmentation.AdaptiveAugment())
    ```
    """

    draws_for_all_devices = True  # by `distribution.own_rows`; others get other seeds on other devices
    names = ("adaptive",)

    def __init__(
        self,
        groups=("geometry", "color"),
        target: float | None = 0.6,
        probability: schedules.Scheduled = 0.0,
        samples_to_one=500_000,
        interval=4,
        name="adaptive_augment",
        **kwargs,
    ):
        super().__init__(name=name, **{**kwargs, "dtype": "float32"})
        self.groups = _policy_names(groups, _GROUPS, "groups")
        if target is not None and not -1.0 < target < 1.0:
            raise ValueError(f"target={target!r} was given, expected a mean sign between -1 and 1, or None.")
        probability = schedules.get(probability, "probability")
        start = float(schedules.value(probability, 0))
        if not 0.0 <= start <= 1.0:
            raise ValueError(f"probability={probability!r} was given, expected a number from 0 to 1.")
        if callable(probability) and target is not None:
            raise ValueError(
                f"probability={probability!r} with target={target!r}: either it follows a schedule or it adapts. Give "
                "target=None, or a number."
            )
        for argument, value in (("samples_to_one", samples_to_one), ("interval", interval)):
            if not value >= 1:
                raise ValueError(f"{argument}={value!r} was given, expected 1 or more.")
        self.target, self.given = target, probability
        self.samples_to_one, self.interval = samples_to_one, interval
        # Replicas see different samples and must agree: what each assigns is averaged.
        own = {"shape": (), "trainable": False, "aggregation": "mean"}
        self.probability = self.add_weight(**own, initializer=keras.initializers.Constant(start), name="probability")
        self.signs = self.add_weight(**own, initializer="zeros", name="signs")  # sums since the last change
        self.seen = self.add_weight(**own, initializer="zeros", name="seen")
        self.steps = self.add_weight(**own, initializer="zeros", name="steps")
        self.built = True

    def call(self, samples, seed):
        """Changes each sample at random; arguments and result as of `DiffAugment`."""
        samples = _check_images(tf.convert_to_tensor(samples), "AdaptiveAugment")
        probability = tf.convert_to_tensor(self.probability)
        drawn = _draw(samples, seed, _ADA_STREAMS)
        shares = _shares(drawn)
        if "geometry" in self.groups:
            samples = _warp(samples, *_random_geometry(samples.shape[1:3], shares, probability))
        if "color" in self.groups:
            samples = _random_color(samples, shares, probability)
        if "cutout" in self.groups:
            cut = _random_cutout(samples, drawn, 0.5)
            samples = tf.where((shares[_ADA_CUTOUT] < probability)[:, None, None, None], cut, samples)
        return samples

    def adapt(self, real_logits, samples_seen=0):
        """Moves the probability by what the discriminator says of real samples; called once a discriminator step.

        Args:
            real_logits: its logits, (batch, ...).
            samples_seen: in training so far, for a probability that follows a schedule.
        """
        if callable(self.given):
            self.probability.assign(tf.clip_by_value(self.given(samples_seen), 0.0, 1.0))
        if self.target is None:
            return
        signs = tf.sign(tf.cast(real_logits, tf.float32))
        self.signs.assign_add(tf.reduce_sum(signs))
        self.seen.assign_add(tf.cast(tf.size(signs), tf.float32))
        self.steps.assign_add(1.0)
        due = tf.cast(self.steps >= self.interval, tf.float32)
        excess = tf.convert_to_tensor(self.signs) / tf.maximum(tf.convert_to_tensor(self.seen), 1.0) - self.target
        batch = tf.shape(real_logits)[0] * tf.distribute.get_strategy().num_replicas_in_sync
        samples = tf.convert_to_tensor(self.steps) * tf.cast(batch, tf.float32)
        change = due * tf.sign(excess) * samples / self.samples_to_one
        self.probability.assign(tf.clip_by_value(self.probability + change, 0.0, 1.0))
        for sum_ in (self.signs, self.seen, self.steps):
            sum_.assign(sum_ * (1.0 - due))

    def get_config(self):
        return {
            "groups": list(self.groups),
            "target": self.target,
            "probability": schedules.serialize(self.given),
            "samples_to_one": self.samples_to_one,
            "interval": self.interval,
            "name": self.name,
        }


def _check_images(samples, name):
    if samples.shape.rank != 4:
        raise ValueError(
            f"samples of shape {tuple(samples.shape)} were given to {name}, expected images of shape "
            "(batch, height, width, channels)."
        )
    return samples


def _policy_names(policy, known=_POLICIES, argument="policy"):
    names = [name.strip() for name in policy.split(",")] if isinstance(policy, str) else list(policy)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(
            f"{argument}={policy!r} was given, expected some of {', '.join(map(repr, known))}, as a sequence or a "
            "string separated by commas."
        )
    return tuple(name for name in known if name in names)


# Streams of random numbers, one number a sample, that operations take theirs from. All are drawn at once, used or not:
# results do not depend on what else is in the policy, and a step does not make a generator of its own for each of them.
_BRIGHTNESS, _SATURATION, _CONTRAST, _SHIFT_Y, _SHIFT_X, _CUTOUT_Y, _CUTOUT_X, _STREAMS = range(8)
_ADA_CUTOUT = 7
# Of these, an operation has three: whether it acts, and what it does.
_MIRROR, _TURN, _WHOLE_SHIFT, _SCALE, _ROTATION_1, _STRETCH, _ROTATION_2, _PART_SHIFT = range(8, 32, 3)
_ADA_BRIGHTNESS, _ADA_CONTRAST, _LUMA_FLIP, _HUE, _ADA_SATURATION, _ADA_STREAMS = range(32, 48, 3)

_NUMBERS = 2**23  # so many that a float32 holds a half more than the largest, too


def _draw(samples, seed, streams):
    """A whole number from 0 to `_NUMBERS` - 1 for each stream and sample, int32 (streams, batch)."""

    def draw(count):
        # Whole numbers, by one named algorithm: XLA makes other floats from the same random bits than the ordinary
        # kernels do and, left to choose, takes another algorithm.
        return tf.random.stateless_uniform([count, streams], seed, 0, _NUMBERS, tf.int32, alg="philox")

    return tf.transpose(distribution.own_rows(draw, tf.shape(samples)[0]))


def _integers(drawn, low, high):
    """Whole numbers from low to high - 1, (batch,)."""
    return low + drawn % (high - low)


def _factors(drawn, low, high, dtype):
    """Numbers in [low, high), (batch, 1, 1, 1)."""
    return (low + (high - low) / _NUMBERS * tf.cast(drawn, dtype))[:, None, None, None]


def _color(samples, drawn):
    count = 3 if samples.shape[-1] >= 3 else 1
    # float32 at least: a mean over thousands of bfloat16 pixels would lose the contrast.
    dtype = samples.dtype if samples.dtype.size > 4 else tf.float32
    colors = tf.cast(samples[..., :count], dtype)
    colors += _factors(drawn[_BRIGHTNESS], -0.5, 0.5, dtype)
    if count == 3:
        grey = tf.reduce_mean(colors, axis=-1, keepdims=True)
        colors = grey + _factors(drawn[_SATURATION], 0.0, 2.0, dtype) * (colors - grey)
    mean = tf.reduce_mean(colors, axis=(1, 2, 3), keepdims=True)
    colors = mean + _factors(drawn[_CONTRAST], 0.5, 1.5, dtype) * (colors - mean)
    colors = tf.cast(colors, samples.dtype)
    return colors if count == samples.shape[-1] else tf.concat([colors, samples[..., count:]], axis=-1)


def _random_translation(samples, drawn, share):
    shifts = []
    for size, stream in zip(samples.shape[1:3], (_SHIFT_Y, _SHIFT_X), strict=True):
        most = int(size * share + 0.5)
        shifts.append(_integers(drawn[stream], -most, most + 1))
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


def _random_cutout(samples, drawn, share):
    inside = []
    for size, stream in zip(samples.shape[1:3], (_CUTOUT_Y, _CUTOUT_X), strict=True):
        side = int(size * share + 0.5)
        # An even side has its centre between two pixels, of which there is one more, the image's edges included.
        centre = _integers(drawn[stream], 0, size + (1 - side % 2))
        first = centre[:, None] - side // 2
        pixels = tf.range(size)[None, :]
        inside.append((pixels >= first) & (pixels < first + side))
    cut = inside[0][:, :, None] & inside[1][:, None, :]
    return samples * tf.cast(~cut, samples.dtype)[..., None]


# Adaptive augmentation: numbers


def _shares(drawn):
    """Of each stream, one number per sample in (0, 1): a list of float32 (batch,)."""
    return tf.unstack((tf.cast(drawn, tf.float32) + 0.5) / _NUMBERS)


def _uniform(share, low, high, neutral, chosen):
    return tf.where(chosen, low + (high - low) * share, neutral)


def _normal(share, deviation, chosen):
    return tf.where(chosen, math.sqrt(2.0) * deviation * tf.math.erfinv(2.0 * share - 1.0), 0.0)


# Adaptive augmentation: geometry. Matrices act on (x, y) from the image's centre, in pixels.


def _random_geometry(image_size, shares, probability):
    """From a pixel of the result to where it comes from: matrices float32 (batch, 2, 2), shifts (batch, 2)."""
    height, width = image_size
    size = tf.constant([width, height], tf.float32)
    rotation_probability = 1.0 - tf.sqrt(1.0 - probability)  # two rotations act together as often as one operation

    def chosen(stream):
        return shares[stream] < probability

    def pair(stream, number):
        return tf.stack([number(share) for share in shares[stream + 1 : stream + 3]], axis=-1)

    mirror = tf.where(chosen(_MIRROR) & (shares[_MIRROR + 1] < 0.5), -1.0, 1.0)
    turns = tf.floor(_uniform(shares[_TURN + 1], 0.0, 4.0, 0.0, chosen(_TURN)))
    shifted = chosen(_WHOLE_SHIFT)
    whole = pair(_WHOLE_SHIFT, lambda share: _uniform(share, -0.125, 0.125, 0.0, shifted))
    scale = tf.pow(2.0, _normal(shares[_SCALE + 1], 0.2, chosen(_SCALE)))
    angles = [
        _uniform(shares[stream + 1], -math.pi, math.pi, 0.0, shares[stream] < rotation_probability)
        for stream in (_ROTATION_1, _ROTATION_2)
    ]
    stretch = tf.pow(2.0, _normal(shares[_STRETCH + 1], 0.2, chosen(_STRETCH)))
    parted = chosen(_PART_SHIFT)
    part = pair(_PART_SHIFT, lambda share: _normal(share, 0.125, parted))

    # The inverse of each operation, the last one first.
    one = tf.ones_like(scale)
    first = _rotation(-angles[0]) @ _diagonal(1.0 / scale, 1.0 / scale)
    last = _diagonal(1.0 / stretch, stretch) @ _rotation(-angles[1])
    inner = _diagonal(mirror, one) @ _rotation(-turns * math.pi / 2)
    # x_source = inner (first' (last (x - part)) - whole): shifts lie between the groups.
    matrix = inner @ (first @ last)
    shift = -tf.linalg.matvec(matrix, part * size) - tf.linalg.matvec(inner, tf.round(whole * size))
    return matrix, shift


def _rotation(angle):
    cosine, sine = tf.cos(angle), tf.sin(angle)
    return tf.stack([tf.stack([cosine, -sine], -1), tf.stack([sine, cosine], -1)], -2)


def _diagonal(x, y):
    return tf.linalg.diag(tf.stack([x, y], -1))


def _warp(samples, matrix, shift):
    """Samples taken at `matrix` (x, y) + `shift`, interpolated bilinearly, mirrored at the edges."""
    height, width, channels = samples.shape[1:]
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2
    y = tf.range(height, dtype=tf.float32) - (height - 1) / 2
    grid = tf.reshape(tf.stack(tf.meshgrid(x, y), -1), (-1, 2))
    source = tf.einsum("bij,nj->bni", matrix, grid) + shift[:, None, :]
    source += tf.constant([(width - 1) / 2, (height - 1) / 2])
    # Where nothing turns or scales, sums of floats must not blur by their last bit.
    source = tf.where(tf.abs(source - tf.round(source)) < 1e-3, tf.round(source), source)
    corner = tf.floor(source)
    fraction = source - corner
    flat = tf.reshape(samples, (-1, height * width, channels))
    result = 0.0
    for right in (0, 1):
        for down in (0, 1):
            column = _mirrored(tf.cast(corner[..., 0], tf.int32) + right, width)
            row = _mirrored(tf.cast(corner[..., 1], tf.int32) + down, height)
            x_weight = fraction[..., 0] if right else 1.0 - fraction[..., 0]
            y_weight = fraction[..., 1] if down else 1.0 - fraction[..., 1]
            weight = tf.cast(x_weight * y_weight, samples.dtype)[..., None]
            result += weight * tf.gather(flat, row * width + column, batch_dims=1)
    return tf.reshape(result, tf.shape(samples))


def _mirrored(index, size):
    """Indices outside 0 to size - 1, reflected at the outermost pixels as often as it takes."""
    period = max(2 * size - 2, 1)
    index = tf.math.floormod(index, period)
    return tf.minimum(index, period - index) if size > 1 else tf.zeros_like(index)


# Adaptive augmentation: colour


def _random_color(samples, shares, probability):
    count = 3 if samples.shape[-1] >= 3 else 1

    def chosen(stream):
        return shares[stream] < probability

    brightness = _normal(shares[_ADA_BRIGHTNESS + 1], 0.2, chosen(_ADA_BRIGHTNESS))
    contrast = tf.pow(2.0, _normal(shares[_ADA_CONTRAST + 1], 0.5, chosen(_ADA_CONTRAST)))
    flip = tf.where(chosen(_LUMA_FLIP) & (shares[_LUMA_FLIP + 1] < 0.5), -1.0, 1.0)
    colors = tf.cast(samples[..., :count], tf.float32)
    colors = (colors + brightness[:, None, None, None]) * contrast[:, None, None, None]
    if count == 1:
        colors *= flip[:, None, None, None]
    else:
        hue = _uniform(shares[_HUE + 1], -math.pi, math.pi, 0.0, chosen(_HUE))
        saturation = tf.pow(2.0, _normal(shares[_ADA_SATURATION + 1], 1.0, chosen(_ADA_SATURATION)))
        colors = tf.einsum("bhwc,bdc->bhwd", colors, _color_matrix(flip, hue, saturation))
    colors = tf.cast(colors, samples.dtype)
    return colors if count == samples.shape[-1] else tf.concat([colors, samples[..., count:]], axis=-1)


def _color_matrix(flip, hue, saturation):
    """Flips along the grey axis, turns around it, scales away from it: float32 (batch, 3, 3)."""
    axis = tf.constant([1.0, 1.0, 1.0]) / math.sqrt(3.0)
    grey = axis[:, None] * axis[None, :]
    cross = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)  # Rodrigues
    cosine, sine = tf.cos(hue)[:, None, None], tf.sin(hue)[:, None, None]
    turned = cosine * (tf.eye(3) - grey) + sine * cross
    return flip[:, None, None] * grey + saturation[:, None, None] * turned


def get(identifier, media=None):
    """The augmentation that `identifier` means.

    Args:
        identifier: None or nothing in a sequence (no augmentation), an augmentation (any function of samples and seed),
            names of DiffAugment's operations as a sequence or separated by commas, "adaptive" for `AdaptiveAugment`
            with its defaults, or what `keras.saving.serialize_keras_object` made of an augmentation.
        media: the `kerasgan.media.Media` that it is for; None does not ask.

    Returns:
        A function `augmentation(samples, seed) -> samples`, or None.

    Raises:
        ValueError: if it is none of these, or makes no sense for such samples.
    """
    found = _get(identifier)
    if media is not None:
        _check_media(found, media)
    return found


def _check_media(augmentation, media):
    named = getattr(augmentation, "names", ())  # a function of one's own has none: its owner knows what it is for
    if set(named) <= set(media.augmentations):
        return
    remedy = f"they take {', '.join(media.augmentations)}" if media.augmentations else "they take none: leave it out"
    raise ValueError(
        f"augmentation: {', '.join(named)} makes no sense for {media.plural} of shape {media.shape_text}; {remedy}."
    )


def _get(identifier):
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if identifier is None or callable(identifier):
        return identifier
    if identifier == "adaptive":
        return AdaptiveAugment()
    if isinstance(identifier, (str, list, tuple)):
        return DiffAugment(identifier) if identifier else None
    raise ValueError(
        f"augmentation={identifier!r} was given, expected None, names such as 'color,translation,cutout', or a "
        "kerasgan.augmentation.DiffAugment."
    )
