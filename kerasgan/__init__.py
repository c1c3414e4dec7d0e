"""kerasgan: generative adversarial networks for TensorFlow and Keras, from training to the phone.

```python
import kerasgan

gan = kerasgan.load("dcgan_celeba")
kerasgan.save_samples(gan.generate(16, seed=7), "faces.png")
```

Every public name is imported when it is first used, so that `import kerasgan` and the commands that only read the
registry answer at once, without waiting for TensorFlow.
"""

import importlib

from kerasgan import registration
from kerasgan.backend import settle as _settle

_settle()
__version__ = "0.1.0"

_OBJECTS = {
    "Continuer": "kerasgan.continuer",
    "GAN": "kerasgan.gan",
    "Game": "kerasgan.game",
    "Translator": "kerasgan.translator",
    "Upscaler": "kerasgan.upscaler",
    "build": "kerasgan.registry",
    "describe": "kerasgan.registry",
    "list_models": "kerasgan.registry",
    "load": "kerasgan.runs",
    "register": "kerasgan.registry",
    "save_samples": "kerasgan.media",
}
_MODULES = (
    "augmentation",
    "callbacks",
    "data",
    "distribution",
    "export",
    "layers",
    "losses",
    "media",
    "metrics",
    "models",
    "penalties",
    "precision",
    "publishing",
    "registry",
    "runs",
    "schedules",
    "synthetic",
    "tasks",
    "tfgan",
    "weights",
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names for editors and type checkers, which run no `__getattr__`; `typing` would cost time
    from kerasgan import augmentation as augmentation
    from kerasgan import callbacks as callbacks
    from kerasgan import data as data
    from kerasgan import distribution as distribution
    from kerasgan import export as export
    from kerasgan import layers as layers
    from kerasgan import losses as losses
    from kerasgan import media as media
    from kerasgan import metrics as metrics
    from kerasgan import models as models
    from kerasgan import penalties as penalties
    from kerasgan import precision as precision
    from kerasgan import publishing as publishing
    from kerasgan import registry as registry
    from kerasgan import runs as runs
    from kerasgan import schedules as schedules
    from kerasgan import synthetic as synthetic
    from kerasgan import tasks as tasks
    from kerasgan import tfgan as tfgan
    from kerasgan import weights as weights
    from kerasgan.continuer import Continuer as Continuer
    from kerasgan.game import Game as Game
    from kerasgan.gan import GAN as GAN
    from kerasgan.media import save_samples as save_samples
    from kerasgan.registry import build as build
    from kerasgan.registry import describe as describe
    from kerasgan.registry import list_models as list_models
    from kerasgan.registry import register as register
    from kerasgan.runs import load as load
    from kerasgan.translator import Translator as Translator
    from kerasgan.upscaler import Upscaler as Upscaler

# What does not import TensorFlow, or only once it is called.
_WITHOUT_TENSORFLOW = (
    *("build", "describe", "export", "list_models", "load", "media", "metrics", "publishing", "register", "registry"),
    *("runs", "save_samples", "synthetic", "tasks", "weights", "__version__"),
)

__all__ = sorted(["__version__", *_OBJECTS, *_MODULES])

registration.announce()


if not TYPE_CHECKING:

    def __getattr__(name):
        if name in __all__ and name not in _WITHOUT_TENSORFLOW:
            from kerasgan import console

            console.import_tensorflow()
        if name in _MODULES:
            return importlib.import_module(f"kerasgan.{name}")
        if name in _OBJECTS:
            value = getattr(importlib.import_module(_OBJECTS[name]), name)
            globals()[name] = value  # The next access is an ordinary one.
            return value
        raise AttributeError(f"module 'kerasgan' has no attribute {name!r}; its public names are {', '.join(__all__)}.")


def __dir__():
    return sorted({*globals(), *__all__})
