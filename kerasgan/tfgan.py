"""TF-GAN, TensorFlow's own library of GANs, made usable again: its losses in `compile`, its scores as a second opinion.

TF-GAN 2.1 is the last version; `import tensorflow_gan` fails on today's TensorFlow, because the package imports parts
of TensorFlow that are gone (`tf.estimator`). Its single modules still work. This file imports them one by one, past the
package's own `__init__`, when they are first asked for, and leaves `sys.modules` without a trace of it.

Needs `pip install "kerasgan[tfgan]"`. The losses need TF-GAN alone, the scores TensorFlow Probability too.

What agrees with ours: `wasserstein`, `wasserstein_hinge` (our "hinge"), `least_squares`, and, once its label smoothing
is off, `modified` (our "non_saturating"); the Fréchet distance, the kernel distance on equal blocks, the inception
score of one split; the gradient penalty. What differs by definition:

- `modified` and `minimax` smooth the discriminator's labels for real samples by 0.25 unless told otherwise;
- `minimax` has a constant in the generator's loss, -log(1 + 1/e), which changes no gradient;
- `relativistic` compares with the batch's mean logit (the relativistic average), ours pairs sample with sample;
- TF-GAN's sliced Wasserstein distance normalizes every patch by itself, the paper (and ours) every channel of the set.
"""

import functools
import importlib
import importlib.machinery
import inspect
import pathlib
import sys
import threading
import types

import tensorflow as tf
from keras.saving import register_keras_serializable

from kerasgan.losses import AdversarialLoss

_PACKAGES = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.eval", "tensorflow_gan.python.losses")
_LOSSES = ("wasserstein", "wasserstein_hinge", "least_squares", "modified", "minimax", "relativistic")
_METRICS = ("eval.classifier_metrics", "eval.sliced_wasserstein", "eval.eval_utils")
_INSTALL = 'install it with: pip install "kerasgan[tfgan]"'

_lock = threading.RLock()
_loaded = {}  # what TF-GAN's own imports are to find in sys.modules, while one of them runs


def module(name):
    """One module of TF-GAN.

    Args:
        name: its place below `tensorflow_gan.python`, such as "losses.losses_impl" or "eval.classifier_metrics".

    Returns:
        The module.

    Raises:
        ImportError: TF-GAN, something that the module imports, or the module itself is missing.
    """
    with _lock:
        packages = _loaded or _bare_packages()
        outside = _modules_of_tfgan()
        for key in outside:
            del sys.modules[key]
        sys.modules.update(packages)
        try:
            return importlib.import_module(f"tensorflow_gan.python.{name}")
        except ImportError as error:
            raise ImportError(f"TF-GAN's {name} cannot be imported: {error}; {_INSTALL}.", name=error.name) from error
        finally:
            _loaded.update(_modules_of_tfgan())
            for key in _loaded:
                sys.modules.pop(key, None)
            sys.modules.update(outside)


def _modules_of_tfgan():
    return {key: value for key, value in sys.modules.copy().items() if key.partition(".")[0] == "tensorflow_gan"}


def _bare_packages():
    """TF-GAN's packages without what their `__init__` files do: places to find modules in."""
    spec = importlib.machinery.PathFinder.find_spec("tensorflow_gan")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"TF-GAN (tensorflow-gan) is not installed; {_INSTALL}.", name="tensorflow_gan")
    root = pathlib.Path(next(iter(spec.submodule_search_locations))).parent
    packages = {}
    for name in _PACKAGES:
        packages[name] = types.ModuleType(name)
        packages[name].__path__ = [str(root.joinpath(*name.split(".")))]
    return packages


def losses(name, discriminator_arguments=None, generator_arguments=None):
    """A pair of TF-GAN's losses, for `compile(loss=...)`.

    ```python
    gan.compile(loss=kerasgan.tfgan.losses("modified", {"label_smoothing": 0.1}))
    ```

    Args:
        name: "wasserstein", "wasserstein_hinge", "least_squares", "modified", "minimax" or "relativistic"; TF-GAN's
            functions are called `{name}_discriminator_loss` and `{name}_generator_loss`.
        discriminator_arguments, generator_arguments: dicts of further arguments of these functions, such as
            `label_smoothing` or `real_label`; TF-GAN's own defaults otherwise.

    Returns:
        A `kerasgan.losses.AdversarialLoss`.

    Raises:
        ValueError: an unknown name, or an argument that the function does not have.
        ImportError: TF-GAN is not installed.
    """
    return TFGANLoss(name, discriminator_arguments, generator_arguments)


@register_keras_serializable(package="kerasgan")
class TFGANLoss(AdversarialLoss):
    """A pair of TF-GAN's losses; see `losses`."""

    def __init__(self, name, discriminator_arguments=None, generator_arguments=None):
        if name not in _LOSSES:
            raise ValueError(f"name={name!r} is no adversarial loss of TF-GAN; give one of {', '.join(_LOSSES)}.")
        self.name = name
        self.paired, self.of_critic = name == "relativistic", name == "wasserstein"
        self.discriminator_arguments = dict(discriminator_arguments or {})
        self.generator_arguments = dict(generator_arguments or {})
        self._discriminator = _function(name, "discriminator", self.discriminator_arguments)
        self._generator = _function(name, "generator", self.generator_arguments)

    def discriminate(self, real_logits, fake_logits):
        return _like(self._discriminator(real_logits, fake_logits), fake_logits)

    def generate(self, fake_logits, real_logits=None):
        logits = (real_logits, fake_logits) if self.paired else (fake_logits,)
        return _like(self._generator(*logits), fake_logits)

    def get_config(self):
        return {
            "name": self.name,
            "discriminator_arguments": self.discriminator_arguments,
            "generator_arguments": self.generator_arguments,
        }


def _function(name, player, arguments):
    """TF-GAN's loss of one player with its arguments, giving a value for each logit if it can."""
    function = getattr(module("losses.losses_impl"), f"{name}_{player}_loss")
    known = inspect.signature(function).parameters
    fixed = {"reduction": tf.compat.v1.losses.Reduction.NONE, "loss_collection": None}
    free = [key for key in known if "outputs" not in key and key not in (*fixed, "scope", "add_summaries")]
    for key in arguments:
        if key not in free:
            raise ValueError(
                f"{player}_arguments has {key!r}, which TF-GAN's {function.__name__} does not take; it takes "
                f"{', '.join(free) or 'none'}."
            )
    return functools.partial(function, **{key: value for key, value in fixed.items() if key in known}, **arguments)


def _like(values, logits):
    """Values in the logits' shape: the relativistic losses return the mean only."""
    return values if values.shape.rank else tf.fill(tf.shape(logits), values)


def metrics():
    """TF-GAN's scores, as an independent implementation to compare with.

    ```python
    tfgan = kerasgan.tfgan.metrics()
    tfgan.frechet_classifier_distance_from_activations(real_features, fake_features)
    ```

    Returns:
        A namespace of the public functions of TF-GAN's `classifier_metrics` (Fréchet and kernel distances, inception
        score; all `..._from_activations` and `..._from_logits` work, those that take a classifier with one of yours),
        `sliced_wasserstein` and `eval_utils`. They take and return tensors. The inception networks of TF-GAN's
        `inception_metrics` are not among them: they live on a server.

    Raises:
        ImportError: TF-GAN or TensorFlow Probability is not installed.
    """
    modules = [module(name) for name in _METRICS]
    return types.SimpleNamespace(**{name: getattr(found, name) for found in modules for name in found.__all__})
