"""Digits from a critic with clipped weights: small convolutional networks, five critic steps.

Some digits are none.
"""

from kerasgan.registry import Recipe

# Four times the paper's rate: these are small networks and a short training.
_RMSPROP = {"class_name": "RMSprop", "config": {"learning_rate": 2e-4}}

RECIPE = Recipe(
    name="wgan_mnist",
    gan_type="wgan",
    makes="handwritten digits, 28x28 grey",
    model={"image_shape": [28, 28, 1], "width": 32},
    compile={"discriminator_optimizer": _RMSPROP, "generator_optimizer": _RMSPROP, "ema_half_life": 50_000},
    data={"reader": "images", "size": 28, "channels": 1},
    data_name="MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0",
    batch_size=64,
    epochs=30,
    seed=1,
    dtype="mixed_bfloat16",
)
