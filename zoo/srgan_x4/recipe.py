"""SRGAN that makes photographs four times as large: a small generator for phones and processors, trained on 91 images.

Against the paper: 8 residual blocks without batch normalization, all of which compute at the low resolution, one
sub-pixel convolution and one at full size that add to the repeated input what it lacks; a discriminator of a quarter of
the width; absolute differences of pixels, also in the game; the perceptual loss sees through EfficientNet-Lite0 instead
of VGG19; a moving average of the generator.

Detail is made up: it looks likely, and need not be what was there. Do not read number plates, faces or medical images
from it. It expects what the bicubic kernel makes of a sharp photograph; noise, blur and the blocks of JPEG are not
removed, but enlarged.

The sheets show free photographs that it was not trained on: the cat Chelsea (Stefan van der Walt, CC0), a cup of coffee
(Rachel Michetti, CC0), the start of a rocket (SpaceX, CC0) and the astronaut Eileen Collins (NASA, public domain).
"""

from kerasgan.registry import Recipe

_EPOCH = 90 * 64  # crops: one image of the 91 is too small
_PRETRAINING = 52 * _EPOCH  # of 78: about half of the time, for steps of the game take twice as long

RECIPE = Recipe(
    name="srgan_x4",
    gan_type="srgan",
    makes="images of any size, 4 times as large",
    title="Enlarge photos",
    page={
        "give": "Give it a small, sharp picture, up to 512 pixels a side; the larger it is, the longer it takes.",
        "thumbnail": ["samples_more.png", 392, 98, 488, 194],
        "examples": [
            ["samples_more.png", 490, 98, 586, 194],
            ["samples_more.png", 784, 0, 880, 96],
            ["samples_more.png", 196, 98, 292, 194],
            ["samples_more.png", 784, 490, 880, 586],
        ],
    },
    model={
        "image_shape": [96, 96, 3],
        "scale": 4,
        "width": 64,
        "blocks": 8,
        "normalization": "none",
        "upsampling": "direct",
        "discriminator_width": 16,
        "pixel_loss": "absolute",
        "pretraining": _PRETRAINING,
    },
    compile={
        # The generator's falls while it learns from pixels, and stays there in the game.
        "learning_rate": [1e-4, f"cosine(1e-3, 1e-4, {_PRETRAINING})"],
        "weights": {"adversarial": 0.02, "content": 1.0, "pixel": 2.0},
        "ema_half_life": 10_000,
    },
    data={"reader": "crops", "size": 96, "subset": "T91", "per_image": 64},
    data_name="T91, 91 photographs",
    data_license="none stated (research use); the weights are for research",
    license="Apache-2.0 for the code; weights for research",
    batch_size=16,
    epochs=78,
    seed=1,
    dtype="mixed_bfloat16",
)
