"""Digits from a critic with clipped weights instead of a discriminator: convolutional networks, RMSprop.

Strokes are clean and varied, but some samples are no digit that one could name.
"""

from kerasgan.registry import Recipe

_STEPS = 28_080  # of the generator, in 60 epochs


def _rmsprop(steps):
    """The paper's rule at twenty times its rate, which suits small networks, and down to nothing at the end."""
    decay = {"initial_learning_rate": 1e-3, "decay_steps": steps, "end_learning_rate": 0.0}
    schedule = {"module": "keras.optimizers.schedules", "class_name": "PolynomialDecay", "config": decay}
    return {"class_name": "RMSprop", "config": {"learning_rate": schedule, "rho": 0.99, "epsilon": 1e-16}}


# Two critic steps where the paper has five, and three times its bound on the weights: after as many steps of the
# generator both scored the same, and an epoch holds more of them.
RECIPE = Recipe(
    name="wgan_mnist",
    gan_type="wgan",
    makes="handwritten digits, 28x28 grey",
    title="Digits (clean)",
    page={"seed": 19, "thumbnail": ["samples.png", 90, 0, 118, 28]},
    model={"image_shape": [28, 28, 1], "width": 64},
    compile={
        "discriminator_optimizer": _rmsprop(2 * _STEPS),
        "generator_optimizer": _rmsprop(_STEPS),
        "discriminator_steps": 2,
        "clip_weights": 0.03,
        "ema_half_life": 200_000,
    },
    data={"reader": "images", "size": 28, "channels": 1},
    data_name="MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0",
    batch_size=64,
    epochs=60,
    seed=1,
    dtype="mixed_bfloat16",
)
