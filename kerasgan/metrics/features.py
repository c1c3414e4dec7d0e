"""Feature networks: what scores see images and clips, or hear sounds, through. Each score names its network.

| name | features | classes | where the weights come from |
| --- | --- | --- | --- |
| `bouncing_digits` | 64 | none | this package; for grey clips of 16 frames, of two bouncing digits |
| `digits` | 64 | 10 | this package; for 28x28 grey images |
| `efficientnet_lite0` | 1280 | 1000 | this package |
| `hed_vgg16` | 512 | none | the extra `kerasgan[scores]`, from PyPI: a second opinion |
| `inception_2015` | 2048 | 1008 | downloaded, 96 MB: the network of published Fréchet Inception distances |
| `inception_v3_keras` | 2048 | 1000 | downloaded by Keras, 96 MB |
| `spoken_digits` | 64 | 10 | this package; for sounds of a second at 8 kHz |
"""

import difflib
import os
import warnings

import numpy as np

from kerasgan.metrics.network import ClipNetwork, FeatureNetwork, SoundNetwork, digest, functions

__all__ = ["FeatureNetwork", "default", "get", "names", "second"]


def _shipped(name, source, network=FeatureNetwork, classes=None, **arguments):
    """A network whose weights come with the package, of which `source` is the module; with classes it gives logits."""
    return network(
        name,
        *functions(source.load(), logits=classes is not None),
        dimensions=source.DIMENSIONS,
        classes=classes,
        license=source.LICENSE,
        sha256=source.WEIGHTS.sha256,
        **arguments,
    )


def _digits():
    from kerasgan.metrics import digits as source

    return _shipped(
        "digits",
        source,
        classes=source.CLASSES,
        size=(source.SIZE, source.SIZE),
        filter="bilinear",
        channels=1,
        batch_size=256,
    )


def _efficientnet_lite0():
    from kerasgan.metrics import efficientnet as source

    return _shipped("efficientnet_lite0", source, classes=source.CLASSES, size=(source.SIZE, source.SIZE))


def _hed_vgg16():
    from kerasgan.metrics import hed as source

    return FeatureNetwork(
        "hed_vgg16",
        *functions(source.load(), logits=False),
        dimensions=source.DIMENSIONS,
        license=source.LICENSE,
        sha256=source.SHA256,
        size=(source.SIZE, source.SIZE),
    )


def _inception_2015(path=None):
    from kerasgan.metrics import inception as source

    data, sha256 = source.content(path)
    name = source.NAME
    if sha256 != source.FILE.sha256:
        name = f"{name}:{sha256[:12]}"
        warnings.warn(
            f"{path} is not the graph of published scores (its sha256 begins with {sha256[:12]}, not "
            f"{source.FILE.sha256[:12]}); scores through it are those of {name!r}.",
            stacklevel=3,
        )
    run, dimensions, classes = source.load(data)
    return FeatureNetwork(
        name,
        run,
        dimensions=dimensions,
        classes=classes,
        license=source.LICENSE,
        sha256=sha256,
        resizer=source.RESIZER,
        traced=False,
        batch_size=32,
    )


def _inception_v3_keras():
    import keras

    from kerasgan import precision

    try:
        with precision.policy("float32"):
            images = keras.Input((299, 299, 3))
            scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
            whole = keras.applications.InceptionV3(input_tensor=scaled, classifier_activation=None)
    except Exception as error:  # of a failed download Keras raises just that
        raise ConnectionError(
            f"inception_v3_keras: Keras cannot download its weights ({error}). Check the connection, or take a network "
            "that needs none: 'efficientnet_lite0' or 'digits'."
        ) from error
    outputs = [whole.get_layer(f"mixed{number}").output for number in (2, 7, 10)]
    model = keras.Model(images, [*outputs, whole.get_layer("avg_pool").output, whole.output])
    return FeatureNetwork(
        "inception_v3_keras",
        *functions(model, logits=True),
        dimensions=2048,
        classes=1000,
        license="Apache-2.0",
        sha256=digest(whole),
        size=(299, 299),
        filter="bilinear",
        batch_size=32,
    )


def _bouncing_digits():
    from kerasgan.metrics import bouncing_digits as source

    return _shipped(
        "bouncing_digits", source, ClipNetwork, frames=source.FRAMES, size=(source.SIZE, source.SIZE), filter="bilinear"
    )


def _spoken_digits():
    from kerasgan.metrics import spoken_digits as source

    return _shipped(
        "spoken_digits",
        source,
        SoundNetwork,
        classes=source.CLASSES,
        length=source.LENGTH,
        sample_rate=source.SAMPLE_RATE,
    )


_NETWORKS = {
    "bouncing_digits": _bouncing_digits,
    "digits": _digits,
    "efficientnet_lite0": _efficientnet_lite0,
    "hed_vgg16": _hed_vgg16,
    "inception_2015": _inception_2015,
    "inception_v3_keras": _inception_v3_keras,
    "spoken_digits": _spoken_digits,
}


def names():
    """Names of the networks that `get` knows; the module's table says where their weights come from."""
    return tuple(_NETWORKS)


def default(shape, sample_rate=None):
    """Name of the best network for images, or for sounds, that works on this machine without a download.

    `digits` for 28x28 grey samples; else `inception_2015` if its file was downloaded before; else `efficientnet_lite0`.
    For sounds at 8 kHz that last a second (8192 samples) or less: `spoken_digits`.

    Args:
        shape: of one sample: (height, width, channels), or (samples, channels) of a sound.
        sample_rate: of sounds, in Hz; None for images.

    Raises:
        ValueError: neither the shape of an image, nor a sound that a network here hears.
    """
    from kerasgan.metrics import inception, spoken_digits

    shape = tuple(shape)
    is_image = len(shape) == 3 and shape[2] in (1, 3, 4)
    is_heard = len(shape) == 2 and shape[0] <= spoken_digits.LENGTH and sample_rate == spoken_digits.SAMPLE_RATE
    if not (is_image if sample_rate is None else is_heard):
        heard = "" if sample_rate is None else f" of {sample_rate} Hz"
        raise ValueError(
            f"shape={shape}{heard}: expected (height, width, 1, 3 or 4), or sounds of {spoken_digits.SAMPLE_RATE} Hz "
            f"with {spoken_digits.LENGTH} samples or less; the networks here know nothing else. For other samples give "
            "a keras.Model or a function from samples to features."
        )
    if is_heard:
        return "spoken_digits"
    if shape == (28, 28, 1):
        return "digits"
    return inception.NAME if inception.is_cached() else "efficientnet_lite0"


def second(shape):
    """Name of the network to ask besides `default`'s, for images; None if there is none for them on this machine.

    One network alone misleads: it may value what another, or a person, does not, above all where a game has seen it.

    Args:
        shape: of one image, (height, width, channels).
    """
    from kerasgan.metrics import hed

    shape = tuple(shape)
    is_image = len(shape) == 3 and shape[2] in (1, 3, 4) and shape != (28, 28, 1)
    return "hed_vgg16" if is_image and hed.file() is not None else None


def get(identifier):
    """The feature network that `identifier` means, ready for use.

    Args:
        identifier: one of `names()`; "inception_2015:PATH" with the path of its graph or of the archive with it; a
            `keras.Model`; a function from samples in natural units (uint8 images (n, height, width, channels), sounds
            (n, samples, channels)), as they are, to features (n, d);
            or a `FeatureNetwork`. A model gets its input size (resized with Pillow's bicubic filter) and number of
            channels, as floats in [0, 255]. Its output is the features, averaged over positions if it is (n, h, w, c);
            of several outputs the last is the features, and those of shape (n, h, w, c) before it are the activations.

    Returns:
        A `FeatureNetwork`.

    Raises:
        ValueError: it is none of these, or a file is damaged.
        ImportError, FileNotFoundError, ConnectionError, OSError: the weights cannot be had.
    """
    import keras

    if isinstance(identifier, FeatureNetwork):
        return identifier
    if isinstance(identifier, str):
        return _named(identifier)
    if isinstance(identifier, keras.Model):
        return _of_model(identifier)
    if callable(identifier):
        return _of_function(identifier)
    raise ValueError(
        f"network={identifier!r} is no feature network. Give one of {', '.join(map(repr, names()))}, a keras.Model, or "
        "a function from images to features."
    )


def _named(name):
    kind, colon, path = name.partition(":")
    if kind == "inception_2015" and path:
        return _inception_2015(os.path.expanduser(path))
    if name in _NETWORKS:
        return _NETWORKS[name]()
    near = difflib.get_close_matches(name.lower(), names(), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"network={name!r} is unknown.{hint} Networks: {', '.join(names())}; inception_2015:PATH takes a local file."
    )


def _of_function(function):
    def outputs(images):
        features = np.asarray(function(images))
        if features.ndim != 2 or len(features) != len(images):
            raise ValueError(
                f"network: the function returned shape {features.shape} for {len(images)} images; expected features "
                f"({len(images)}, d)."
            )
        return features, None

    name = getattr(function, "__name__", type(function).__name__)
    return FeatureNetwork(name, outputs, channels=None, resizer="none (the function's own)", traced=False)


def _of_model(model):
    # A subclass of keras.Model has no shapes before it is called.
    shape = getattr(model, "input_shape", None) or (None, None, None, 3)
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[3] in (1, 3)):
        raise ValueError(f"network={model.name!r} takes {shape}; expected images (n, height, width, 1 or 3).")
    outputs = getattr(model, "outputs", None)
    return FeatureNetwork(
        model.name,
        *functions(model, logits=False),
        dimensions=outputs[-1].shape[-1] if outputs else None,
        sha256=digest(model),
        size=None if None in shape[1:3] else shape[1:3],
        channels=shape[3],
    )
