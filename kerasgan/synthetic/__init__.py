"""Synthetic training data: labelled samples of a GAN, and what they are worth to a classifier.

`augment` makes them, `measure` trains classifiers with and without them and writes an honest table. Nothing here
imports TensorFlow before it does its work.
"""

from kerasgan.synthetic.making import augment
from kerasgan.synthetic.measuring import measure

__all__ = ["augment", "measure"]
