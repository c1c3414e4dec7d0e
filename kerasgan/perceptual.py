"""Perceptual losses: how unlike two batches of images look to a network that was trained to recognize things.

| name | maps | where the weights come from |
| --- | --- | --- |
| `efficientnet_lite0` | ends of its first stages, at 1/2, 1/4 and 1/8 of the size | this package |
| `vgg19` | conv5_4 after its rectifier, as in SRGAN (arXiv:1609.04802) | downloaded by Keras, 80 MB |
| `vgg19_linear` | conv5_4 before its rectifier, as in ESRGAN (arXiv:1809.00219) | downloaded by Keras, 80 MB |

A network of one's own is a `keras.Model`, or the path of a `.keras` file: images as floats in [0, 255] in, one or
several outputs that are compared.
"""

import functools
import pathlib

import keras
import tensorflow as tf

from kerasgan import keras_file

_STAGE_ENDS = ("block0_project", "block2_project", "block4_project")  # of EfficientNet-Lite0
_STRIDE = 8  # of its last map
_VGG_MEANS = (103.939, 116.779, 123.68)  # blue, green, red of ImageNet, which VGG's inputs are without

NAMES = ("efficientnet_lite0", "vgg19", "vgg19_linear")


class PerceptualLoss:
    """The mean over a network's outputs of |difference| / mean |value for the real images|.

    Relative, so that it is about 1 where the images have nothing in common, whatever network it is, and a weight means
    the same for each of them. (SRGAN takes the squares of VGG's maps, divided by 12.75 squared; ESRGAN their absolute
    differences.)

    Args:
        model: `keras.Model`, float images (batch, height, width, 3) in [0, 255] -> one or several outputs. Its weights
            do not change.
    """

    def __init__(self, model):
        self.model = model

    def __call__(self, real, fake, seed=None):
        """Float32 scalar, which is differentiable for `fake`.

        Args:
            real, fake: (batch, height, width, 3) in [-1, 1].
            seed: int32 (2,): both are shifted by the same few pixels, at random, around the edges. Strided convolutions
                do not see all pixels alike, which a generator would answer with a grid.
        """
        if seed is not None:
            shift = tf.random.stateless_uniform((2,), seed, 0, _STRIDE, tf.int32)
            real, fake = (tf.roll(images, shift, (1, 2)) for images in (real, fake))
        terms = []
        for a, b in zip(self.maps(real), self.maps(fake), strict=True):
            a = tf.stop_gradient(a)
            terms.append(tf.reduce_mean(tf.abs(a - b)) / (tf.reduce_mean(tf.abs(a)) + 1e-6))
        return tf.add_n(terms) / len(terms)

    def maps(self, images):
        """The network's outputs, a list, for images (batch, height, width, 3) in [-1, 1]."""
        outputs = self.model(127.5 * (tf.cast(images, tf.float32) + 1.0), training=False)
        return [tf.cast(output, tf.float32) for output in keras.tree.flatten(outputs)]


def get(identifier):
    """The perceptual loss through a network.

    Args:
        identifier: one of `NAMES`, a `keras.Model`, or the path of a `.keras` file.

    Returns:
        A `PerceptualLoss`; the same one for the same name.

    Raises:
        ValueError: it is none of these, or a model that does not take RGB images of any size.
        ImportError, ConnectionError, OSError: the weights cannot be had; the message says what to do.
    """
    if isinstance(identifier, keras.Model):
        return PerceptualLoss(_checked(identifier, "content"))
    check_name(identifier)
    return _named(str(identifier))


def check_name(identifier):
    """Raises a ValueError unless `identifier` may be a network, without looking for its weights."""
    if isinstance(identifier, keras.Model) or identifier in NAMES or str(identifier).endswith(".keras"):
        return
    raise ValueError(
        f"content={identifier!r}: expected one of {', '.join(map(repr, NAMES))}, a keras.Model or the path of a .keras "
        "file."
    )


@functools.lru_cache(maxsize=4)
def _named(name):
    build = {
        "efficientnet_lite0": _efficientnet_lite0,
        "vgg19": _vgg19,
        "vgg19_linear": lambda: _vgg19(linear=True),
    }.get(name, lambda: _saved(name))
    with tf.init_scope():  # a training step that is being traced asks for it; the network outlives that trace
        return PerceptualLoss(build())


def _efficientnet_lite0():
    from kerasgan.metrics import efficientnet

    whole = efficientnet.load(size=None)
    model = keras.Model(whole.input, [whole.get_layer(name).output for name in _STAGE_ENDS], name="perceptual")
    return _frozen(model)


def _vgg19(linear=False):
    from kerasgan.precision import policy

    try:
        with policy("float32"):
            whole = keras.applications.VGG19(include_top=False, input_shape=(None, None, 3))
            last = whole.get_layer("block5_conv4")
            if linear:
                last.activation = keras.activations.linear
            images = keras.Input((None, None, 3), name="images")
            centred = keras.layers.Rescaling(1.0, offset=[-mean for mean in _VGG_MEANS[::-1]])(images)
            blue_first = keras.ops.flip(centred, axis=-1)
            return _frozen(keras.Model(images, keras.Model(whole.input, last.output)(blue_first), name="perceptual"))
    except Exception as error:  # of a failed download Keras raises just that
        raise ConnectionError(
            f"content='vgg19': Keras cannot download the weights of VGG19 ({error}). Check the connection; or put "
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 into ~/.keras/models; or take "
            "content='efficientnet_lite0', whose weights come with kerasgan."
        ) from error


def _saved(path):
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"content={path!r}: there is no such file; give the path of a saved keras.Model.")
    model, _ = keras_file.open_model(path, compile=False)
    return _frozen(_checked(model, f"content={path!r}"))


def _checked(model, name):
    shape = tuple(model.input_shape) if isinstance(model.input_shape, (tuple, list)) else None
    if shape is None or len(shape) != 4 or shape[-1] != 3:
        raise ValueError(f"{name} takes inputs of the shape {model.input_shape}; expected (batch, height, width, 3).")
    return model


def _frozen(model):
    model.trainable = False
    return model
