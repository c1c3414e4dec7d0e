"""Scores of generative models, each with the protocol that it depends on.

`evaluate` does everything for a GAN and its data, and returns records. The functions beside it compute one score each,
from arrays of features or images.
"""

# Imported here and not when first used: several functions have the name of their module. None imports TensorFlow.
from kerasgan.metrics import features
from kerasgan.metrics.captioned import evaluate as evaluate_captioned
from kerasgan.metrics.classification import classification_accuracy
from kerasgan.metrics.diversity import ms_ssim_diversity
from kerasgan.metrics.evaluation import METRICS, evaluate
from kerasgan.metrics.features import FeatureNetwork
from kerasgan.metrics.flows import evaluate as evaluate_flows
from kerasgan.metrics.flows import flow_scores
from kerasgan.metrics.frechet import FewSamples, frechet_distance
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.memorization import memorization
from kerasgan.metrics.moments import Moments
from kerasgan.metrics.neighbours import density_coverage, nearest, precision_recall
from kerasgan.metrics.next_frames import evaluate as evaluate_continuer
from kerasgan.metrics.perceptual import perceptual_distance, perceptual_path_length
from kerasgan.metrics.psnr import psnr
from kerasgan.metrics.recognition import confidence, recognized
from kerasgan.metrics.result import Result, mean
from kerasgan.metrics.sliced_wasserstein import sliced_wasserstein
from kerasgan.metrics.ssim import ms_ssim, ssim
from kerasgan.metrics.super_resolution import evaluate as evaluate_upscaler
from kerasgan.metrics.super_resolution import super_resolution
from kerasgan.metrics.tables import evaluate as evaluate_tables
from kerasgan.metrics.text import evaluate as evaluate_texts
from kerasgan.metrics.translation import evaluate as evaluate_translator

__all__ = [
    "METRICS",
    "FeatureNetwork",
    "FewSamples",
    "Moments",
    "Result",
    "classification_accuracy",
    "confidence",
    "density_coverage",
    "evaluate",
    "evaluate_captioned",
    "evaluate_continuer",
    "evaluate_translator",
    "evaluate_flows",
    "evaluate_tables",
    "evaluate_texts",
    "evaluate_upscaler",
    "features",
    "flow_scores",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "mean",
    "memorization",
    "ms_ssim",
    "ms_ssim_diversity",
    "nearest",
    "perceptual_distance",
    "perceptual_path_length",
    "precision_recall",
    "psnr",
    "recognized",
    "sliced_wasserstein",
    "ssim",
    "super_resolution",
]
