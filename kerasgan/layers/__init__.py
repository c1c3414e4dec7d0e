"""Layers that more than one GAN type uses, one file a layer."""

from kerasgan.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kerasgan.layers.pixel_normalization import PixelNormalization
from kerasgan.layers.spectral_normalization import SpectralNormalization

__all__ = ["MinibatchStandardDeviation", "PixelNormalization", "SpectralNormalization"]
