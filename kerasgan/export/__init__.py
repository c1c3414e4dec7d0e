"""From a GAN to a file that runs without Keras: TFLite for phones, SavedModel, ONNX, a folder for browsers.

What is exported is the moving-average generator in inference mode with its post-processing, in float32 whatever the
policy of the training, on a fixed batch of one. TFLite files hold other operators for the same sums where LiteRT runs
these faster (`subpixel`, `mirror_padding`). Every file is run and held against Keras before it gets its name.
"""

# Imported here and not when first used: some functions have the name of their module. None imports TensorFlow.
from kerasgan.export.comparison import Verification
from kerasgan.export.network import Exportable, UnsupportedOperation, check_new
from kerasgan.export.runtimes import check_installed
from kerasgan.export.to_onnx import onnx
from kerasgan.export.to_saved_model import saved_model
from kerasgan.export.to_tflite import MODES, tflite
from kerasgan.export.tolerance import TOLERANCES, ToleranceError
from kerasgan.export.verification import verify
from kerasgan.export.web import WEB_MODE, check_page, web

__all__ = [
    "MODES",
    "TOLERANCES",
    "WEB_MODE",
    "Exportable",
    "ToleranceError",
    "UnsupportedOperation",
    "Verification",
    "check_installed",
    "check_new",
    "check_page",
    "onnx",
    "saved_model",
    "tflite",
    "verify",
    "web",
]
