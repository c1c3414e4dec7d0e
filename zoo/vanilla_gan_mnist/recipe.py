"""The GAN of 2014 on the digits it was first shown with: multilayer perceptrons, no convolution anywhere. Half as
many units in each layer as in the paper.

Some digits are none, and single bright pixels stand beside the strokes: every pixel is drawn on its own.
"""

from kerasgan.registry import Recipe

_ADAM = {"class_name": "Adam", "config": {"learning_rate": 4e-4, "beta_1": 0.5}}

RECIPE = Recipe(
    name="vanilla_gan_mnist",
    gan_type="vanilla_gan",
    makes="handwritten digits, 28x28 grey",
    title="Digits",
    page={"seed": 11, "thumbnail": ["samples.png", 180, 210, 208, 238]},
    model={"image_shape": [28, 28, 1], "units": 600, "maxout_units": 120},
    compile={"discriminator_optimizer": _ADAM, "generator_optimizer": _ADAM, "ema_half_life": 50_000},
    data={"reader": "images", "size": 28, "channels": 1},
    data_name="MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0",
    batch_size=250,
    epochs=180,
    seed=1,
    dtype="mixed_bfloat16",
)
