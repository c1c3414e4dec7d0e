"""Kinds of samples: between the model's range and natural units, onto a screen, into a file.

Every kind is one file with one subclass of `Media`; a new kind adds its line to `KINDS`, the kinds by which
`save_samples` recognizes what it is given. Keras is imported when a kind is asked for.
"""

import importlib

from kerasgan import bicubic

KINDS = {
    "Image": "kerasgan.media.image",
    "Volume": "kerasgan.media.volume",
    "Fields": "kerasgan.media.fields",
    "Video": "kerasgan.media.video",
}
_HOMES = {
    "Media": "kerasgan.media.base",
    "Arrays": "kerasgan.media.arrays",
    "Audio": "kerasgan.media.audio",
    "Music": "kerasgan.media.music",
    "Sketch": "kerasgan.media.sketch",
    "Table": "kerasgan.media.table",
    "Text": "kerasgan.media.text",
    **KINDS,
}

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names for editors and type checkers, which run no `__getattr__`
    from kerasgan.media.arrays import Arrays as Arrays
    from kerasgan.media.audio import Audio as Audio
    from kerasgan.media.base import Media as Media
    from kerasgan.media.fields import Fields as Fields
    from kerasgan.media.image import Image as Image
    from kerasgan.media.music import Music as Music
    from kerasgan.media.sketch import Sketch as Sketch
    from kerasgan.media.table import Table as Table
    from kerasgan.media.text import Text as Text
    from kerasgan.media.video import Video as Video
    from kerasgan.media.volume import Volume as Volume

__all__ = [
    "Arrays",
    "Audio",
    "Fields",
    "Image",
    "Media",
    "Music",
    "Sketch",
    "Table",
    "Text",
    "Video",
    "Volume",
    "bicubic",
    "save_samples",
]


def save_samples(samples, path, columns=None):
    """Saves samples in natural units, as `generate` returns them, in the way of their kind: images as one sheet.

    ```python
    faces = kerasgan.load("dcgan_celeba").generate(64, seed=7)
    kerasgan.save_samples(faces, "faces.png")
    ```

    Args:
        samples: a batch in natural units, such as uint8 images (count, height, width, channels).
        path: file to write; its ending names the format. Missing folders are made.
        columns: samples in a row, where the kind has rows; None chooses.

    Returns:
        The path as a `pathlib.Path`.

    Raises:
        ValueError: samples of no known kind, or an ending that the kind does not write.
        OSError: the file cannot be written.
    """
    for kind, home in KINDS.items():
        media = getattr(importlib.import_module(home), kind).fitting(samples)
        if media is not None:
            return media.save(samples, path, columns=columns)
    raise ValueError(
        f"samples has shape {getattr(samples, 'shape', None)} and dtype {getattr(samples, 'dtype', None)}; expected a "
        "non-empty batch in natural units, such as uint8 images (count, height, width, channels). Convert what a "
        "network gave with gan.media.to_natural; give a single sample as samples[None]. Sounds do not tell their "
        "sample rate, nor piano rolls their tempo, and rows of sketches look like others: save them with "
        "gan.media.save(samples, path)."
    )


if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
