"""Clothes of a class that one chooses: multilayer perceptrons that are told the class.

Shirts, trousers, dresses and boots have their shapes; sandals, coats and bags often do not. Surfaces are grainy: every
pixel is drawn on its own.
"""

from kerasgan.registry import Recipe

_ADAM = {"class_name": "Adam", "config": {"learning_rate": 4e-4, "beta_1": 0.5}}

_CLASSES = ("T-shirt", "Trousers", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

RECIPE = Recipe(
    name="cgan_fashion_mnist",
    gan_type="cgan",
    makes="clothes of a chosen class (10), 28x28 grey",
    model={"image_shape": [28, 28, 1], "num_classes": 10},
    compile={"discriminator_optimizer": _ADAM, "generator_optimizer": _ADAM, "ema_half_life": 50_000},
    data={"reader": "images", "size": 28, "channels": 1, "labels": True},
    data_name="Fashion-MNIST",
    data_license="MIT",
    license="Apache-2.0",
    batch_size=250,
    epochs=36,
    seed=1,
    dtype="mixed_bfloat16",
    class_names=_CLASSES,
)
