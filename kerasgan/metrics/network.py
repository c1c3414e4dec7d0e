"""What scores see images and clips, or hear sounds, through: a network, and how samples are prepared for it."""

import concurrent.futures
import hashlib
import os

import numpy as np

from kerasgan.metrics import pixels


class FeatureNetwork:
    """Images -> features, and, where the network has them, logits of classes and activations of layers.

    `kerasgan.metrics.features.get` makes it. The methods take images (n, height, width, channels) with 1, 3 or 4
    channels, uint8 or floats in [0, 255], which are not rounded. For a network that sees RGB, grey is repeated; for one
    that sees grey, RGB becomes ITU-R 601 luma; transparency is laid over black.

    ```python
    network = kerasgan.metrics.features.get("efficientnet_lite0")
    real, fake = network.features(photos), network.features(gan.generate(1000))
    ```

    Args:
        name: what it is called in results.
        outputs: function from a batch of images, as `size` and `channels` say, to (features, logits or None).
        activations: function from such a batch to a list of arrays (n, h, w, c); None if there are none.
        dimensions: length of a feature vector; None if only the first result will tell.
        classes: number of logits; None without logits.
        license: of the weights.
        sha256: of the weights; None for a function.
        size: (height, width) that images are resized to with Pillow; None leaves them as they are.
        filter: Pillow's filter, such as "bicubic"; antialiased.
        channels: 3 or 1; None leaves samples as they are, whatever they are.
        resizer: in a few words, how images reach the network's size; None if `size` and `filter` say it.
        traced: whether `outputs` is a `tf.function`: then batches have a few different lengths only.
        batch_size: images that are in memory in the network's size at once.
    """

    def __init__(
        self,
        name,
        outputs,
        activations=None,
        *,
        dimensions=None,
        classes=None,
        license=None,
        sha256=None,
        size=None,
        filter="bicubic",
        channels=3,
        resizer=None,
        traced=True,
        batch_size=64,
    ):
        self.name, self.license, self.sha256 = name, license, sha256
        self.dimensions, self.classes = dimensions, classes
        self.batch_size = batch_size
        self._outputs, self._activations, self._traced = outputs, activations, traced
        self._size, self._filter, self._channels = size, filter, channels
        if size is not None:
            resizer = f"{filter} antialiased to {size[1]}x{size[0]} (Pillow)"
        self.resizer = f"{resizer or 'none'}, transparency over black" if channels else resizer or "none"

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}: {self.dimensions or '?'} features>"

    def check_media(self, media):
        """Raises a ValueError if the network is not for samples of this medium, as far as that can be told from it."""

    def features(self, images):
        """The features of images, float32 (n, dimensions).

        Args:
            images: (n, height, width, 1, 3 or 4), uint8 or floats in [0, 255].

        Raises:
            ValueError: other images, or a function that returned something else than a vector for each of them.
        """
        return self.features_and_logits(images)[0]

    def features_and_logits(self, images):
        """Features, float32 (n, dimensions), and logits, float32 (n, classes), or None. See `features`."""
        features, logits = zip(*self._each_batch(self._outputs, images), strict=True)
        features = np.concatenate(features).astype("float32", copy=False)
        self.dimensions = features.shape[1]
        return features, None if logits[0] is None else np.concatenate(logits).astype("float32", copy=False)

    def activations(self, images):
        """Activations of several layers, from early to late: a list of float32 (n, h, w, c). See `features`.

        Raises:
            ValueError: as `features`, or the network has none.
        """
        if self._activations is None:
            raise ValueError(
                f"network={self.name!r} has no activations. Take one that has: 'efficientnet_lite0', 'digits', or a "
                "keras.Model with several outputs (n, h, w, c) before the one that is the features."
            )
        layers = zip(*self._each_batch(self._activations, images), strict=True)
        return [np.concatenate(layer).astype("float32", copy=False) for layer in layers]

    def _each_batch(self, function, images):
        """Calls `function` batch by batch; the next batch is resized meanwhile."""
        images = self._check(images)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            coming = self._resized(images[: self.batch_size], pool)
            for start in range(0, len(images), self.batch_size):
                batch = self._finished(coming)
                stop = start + self.batch_size
                coming = self._resized(images[stop : stop + self.batch_size], pool)
                yield self._call(function, batch)

    def _check(self, images):
        if self._channels is None:  # a function may see anything, not images only
            images = np.asarray(images)
            if not images.size:
                raise ValueError(f"images is empty (shape {images.shape}); give at least one.")
            return images
        images = pixels.check(images, "images")
        return images if images.dtype == np.uint8 else images.astype("float32", copy=False)

    def _call(self, function, batch):
        count = len(batch)
        if self._traced:  # each length is traced once, so there are few: powers of 2
            length = min(self.batch_size, 1 << (count - 1).bit_length())
            batch = np.concatenate([batch, np.zeros((length - count, *batch.shape[1:]), batch.dtype)])
        return [None if output is None else np.asarray(output)[:count] for output in function(batch)]

    def _resized(self, images, pool):
        """The images, which threads (Pillow needs no lock) are still resizing."""
        if self._channels is None:
            return images
        if images.shape[3] == 4:
            images = _over_black(images)
        if images.shape[3] == 3 and self._channels == 1:
            images = _luma(images)
        if self._size in (None, images.shape[1:3]):
            return images
        return [pool.submit(_resize, image, self._size, self._filter) for image in images]

    def _finished(self, images):
        if isinstance(images, list):
            images = np.stack([image.result() for image in images])
        return np.repeat(images, 3, axis=3) if self._channels == 3 and images.shape[3] == 1 else images


class SoundNetwork(FeatureNetwork):
    """Sounds -> features, logits and activations. See `FeatureNetwork`.

    The methods take waveforms (n, samples, channels), floats in [-1, 1]. Channels are averaged; shorter sounds get
    silence behind them, longer ones are cut.

    Args:
        name, outputs, activations, arguments: as of `FeatureNetwork`.
        length: samples of the sounds that the network hears.
        sample_rate: of these sounds, in Hz.
    """

    def __init__(self, name, outputs, activations=None, *, length, sample_rate, **arguments):
        self._length, self._sample_rate = length, sample_rate
        resizer = f"mono at {sample_rate} Hz, cut or with silence to {length} samples"
        super().__init__(name, outputs, activations, channels=None, resizer=resizer, **arguments)

    def check_media(self, media):
        """Raises a ValueError unless samples are sounds of the rate that the network hears."""
        rate = media.described().get("sample_rate")
        if rate != self._sample_rate:
            found = f"these are {media.plural}{'' if rate is None else f' of {rate} Hz'}"
            raise ValueError(
                f"network={self.name!r} hears sounds of {self._sample_rate} Hz; {found}. Give another network: a "
                "function from samples to features."
            )

    def _check(self, sounds):
        sounds = np.asarray(sounds)
        if sounds.ndim != 3 or not sounds.size or sounds.dtype.kind != "f":
            raise ValueError(
                f"sounds has shape {sounds.shape} and dtype {sounds.dtype}; expected floats (count, samples, channels)."
            )
        loudest = float(np.abs(sounds).max())  # NaN if there is one
        if not loudest <= 1.01:
            raise ValueError(f"sounds holds values of size {loudest:g}; expected [-1, 1].")
        return sounds

    def _resized(self, sounds, pool):
        mono = sounds[:, : self._length].mean(axis=2, keepdims=True, dtype="float32")
        return np.pad(mono, ((0, 0), (0, self._length - mono.shape[1]), (0, 0)))

    def _finished(self, sounds):
        return sounds


class ClipNetwork(FeatureNetwork):
    """Clips -> features. See `FeatureNetwork`.

    The methods take clips (n, frames, height, width, 1), uint8 or floats in [0, 255]. Frames are resized one by one;
    of longer clips the first frames are seen.

    Args:
        name, outputs, activations, size, arguments: as of `FeatureNetwork`.
        frames: of the clips that the network sees.
    """

    def __init__(self, name, outputs, activations=None, *, frames, size, **arguments):
        self._frames = frames
        super().__init__(name, outputs, activations, size=size, channels=1, **arguments)
        self.resizer = f"the first {frames} frames, each {self.resizer.partition(',')[0]}"

    def check_media(self, media):
        """Raises a ValueError unless samples are grey clips that are long enough."""
        if media.kind != "video" or media.shape[0] < self._frames or media.shape[-1] != 1:
            raise ValueError(
                f"network={self.name!r} sees grey clips of {self._frames} frames or more; these are {media.plural} of "
                f"shape {media.shape_text}. Give another network: a function from samples to features."
            )

    def _check(self, clips):
        clips = np.asarray(clips)
        if clips.ndim != 5 or not clips.size or clips.shape[1] < self._frames or clips.shape[-1] != 1:
            raise ValueError(
                f"clips has shape {clips.shape}; expected (count, {self._frames} or more frames, height, width, 1)."
            )
        clips = clips[:, : self._frames]
        pixels.check(clips.reshape(-1, *clips.shape[2:]), "clips")
        return clips if clips.dtype == np.uint8 else clips.astype("float32", copy=False)

    def _resized(self, clips, pool):
        return super()._resized(clips.reshape(-1, *clips.shape[2:]), pool)

    def _finished(self, frames):
        frames = super()._finished(frames)
        return frames.reshape(-1, self._frames, *frames.shape[1:])


# Preparing images ----------------------------------------------------------------------------------------------------


def _over_black(images):
    colours, alpha = images[..., :3].astype("float32"), images[..., 3:].astype("float32")
    return _like(images, colours * (alpha / 255))


def _luma(images):
    return _like(images, images @ np.array([[0.299], [0.587], [0.114]], "float32"))


def _like(images, values):
    """`values` as pixels of the kind that `images` are."""
    return values if images.dtype != np.uint8 else np.rint(values).astype("uint8")


def _resize(image, size, filter):
    """An image of another size; Pillow resizes whole pixels together, floats channel by channel."""
    from PIL import Image

    def resize(array):
        return np.asarray(Image.fromarray(array).resize(size[::-1], Image.Resampling[filter.upper()]))

    if image.dtype == np.uint8 and image.shape[2] == 3:
        return resize(image)
    channels = np.stack([resize(channel) for channel in np.moveaxis(image, 2, 0)], axis=2)
    return channels.clip(0, 255)  # floats overshoot at edges; whole pixels do not


# Keras models --------------------------------------------------------------------------------------------------------


def functions(model, logits):
    """(outputs, activations) of a model whose last outputs are features and, if so said, logits; traced functions."""
    import keras
    import tensorflow as tf

    def run(images):
        outputs = keras.tree.flatten(model(tf.cast(images, tf.float32), training=False))
        outputs = [tf.cast(output, tf.float32) for output in outputs]
        return outputs if logits else [*outputs, None]

    def outputs(images):
        features, found = run(images)[-2:]
        if features.shape.rank == 4:
            features = tf.reduce_mean(features, (1, 2))
        if features.shape.rank != 2:
            raise ValueError(f"network={model.name!r} returns {features.shape}; expected (n, d) or (n, h, w, d).")
        return features, found

    def activations(images):
        return [output for output in run(images)[:-2] if output.shape.rank == 4]

    several = logits or len(keras.tree.flatten(getattr(model, "outputs", None) or [])) > 1
    return tf.function(outputs), tf.function(activations) if several else None


def digest(model):
    """The sha256 of a model's weights, in the model's order: of shapes, types and numbers."""
    sha256 = hashlib.sha256()
    for array in model.get_weights():
        sha256.update(f"{array.shape} {array.dtype}".encode())
        sha256.update(array.tobytes())
    return sha256.hexdigest()
