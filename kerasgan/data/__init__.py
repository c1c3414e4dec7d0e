"""Readers: a user's files, arrays or data set name -> a `tf.data` pipeline in the range that models see."""

from kerasgan.data.audio import audio
from kerasgan.data.captioned import captioned
from kerasgan.data.crops import crops
from kerasgan.data.fields import fields, sequence
from kerasgan.data.image import images
from kerasgan.data.moving_mnist import moving_mnist
from kerasgan.data.music import music
from kerasgan.data.pairs import pairs, picture, unpaired
from kerasgan.data.sketches import drawing, sketches
from kerasgan.data.table import frame, table
from kerasgan.data.text import lines, text
from kerasgan.data.video import clip, video
from kerasgan.data.volumes import volumes

__all__ = [
    "audio",
    "captioned",
    "clip",
    "crops",
    "drawing",
    "fields",
    "frame",
    "images",
    "lines",
    "moving_mnist",
    "music",
    "pairs",
    "picture",
    "sequence",
    "sketches",
    "table",
    "text",
    "unpaired",
    "video",
    "volumes",
]
