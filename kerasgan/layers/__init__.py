"""Layers that more than one GAN type uses, one file a layer (the strided convolutions share theirs)."""

from kerasgan.layers.batch_normalization import BatchNormalization
from kerasgan.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kerasgan.layers.pixel_normalization import PixelNormalization
from kerasgan.layers.spectral_normalization import SpectralNormalization
from kerasgan.layers.strided_convolution import Conv2D, Conv2DTranspose

__all__ = [
    "BatchNormalization",
    "Conv2D",
    "Conv2DTranspose",
    "MinibatchStandardDeviation",
    "PixelNormalization",
    "SpectralNormalization",
]
