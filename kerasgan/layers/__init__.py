"""Layers that more than one GAN type uses, one file a layer (convolutions of a kind share theirs)."""

from kerasgan.layers.batch_normalization import BatchNormalization
from kerasgan.layers.conditional_batch_normalization import ConditionalBatchNormalization
from kerasgan.layers.equalized_learning_rate import EqualizedLearningRate
from kerasgan.layers.grouped_convolution import GroupedConv2D
from kerasgan.layers.instance_normalization import InstanceNormalization
from kerasgan.layers.maxout import maxout
from kerasgan.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kerasgan.layers.modulated_convolution import ModulatedConv2D
from kerasgan.layers.noise_injection import NoiseInjection
from kerasgan.layers.pixel_normalization import PixelNormalization
from kerasgan.layers.quantiles import Quantiles
from kerasgan.layers.reflection_padding import ReflectionPadding2D
from kerasgan.layers.resampling import BilinearUpsampling2D, BinomialDownsampling2D, BinomialUpsampling2D
from kerasgan.layers.resampling_convolution import DownsamplingConv2D, UpsamplingConv2D
from kerasgan.layers.spectral_normalization import SpectralNormalization
from kerasgan.layers.strided_convolution import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
)
from kerasgan.layers.stroke_lstm import StrokeLSTM
from kerasgan.layers.token_lstm import TokenLSTM

__all__ = [
    "BatchNormalization",
    "BilinearUpsampling2D",
    "BinomialDownsampling2D",
    "BinomialUpsampling2D",
    "ConditionalBatchNormalization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "DownsamplingConv2D",
    "EqualizedLearningRate",
    "GroupedConv2D",
    "InstanceNormalization",
    "MinibatchStandardDeviation",
    "ModulatedConv2D",
    "NoiseInjection",
    "PixelNormalization",
    "Quantiles",
    "ReflectionPadding2D",
    "SpectralNormalization",
    "StrokeLSTM",
    "TokenLSTM",
    "UpsamplingConv2D",
    "maxout",
]
