"""Game sprites with transparency: a Wasserstein GAN with gradient penalty on small RGBA pixel art.

Figures, weapons and potions have the outlines and colours of the genre; faces, hands and patterns are spots of the
right colours, walls and floors textures without bricks. Some samples are nearly empty, as some parts of the data are.
"""

from kerasgan.registry import Recipe


def _adam(rate, steps):
    """Adam as in the paper, with its linear decay to nothing over the whole training."""
    decay = {"initial_learning_rate": rate, "decay_steps": steps, "end_learning_rate": 0.0}
    schedule = {"module": "keras.optimizers.schedules", "class_name": "PolynomialDecay", "config": decay}
    return {"class_name": "Adam", "config": {"learning_rate": schedule, "beta_1": 0.5, "beta_2": 0.9}}


# Two critic steps at twice the generator's rate instead of five at the same: as good a critic for less work (Heusel et
# al., 2017, arXiv:1706.08500). 750 epochs are 24,750 steps of the generator.
RECIPE = Recipe(
    name="wgan_gp_sprites",
    gan_type="wgan_gp",
    makes="pixel-art game sprites, 32x32 RGBA",
    title="Game sprites",
    page={"seed": 1, "scaling": "hard", "thumbnail": ["samples.png", 204, 204, 236, 236]},
    model={"image_shape": [32, 32, 4], "width": 48},
    compile={
        "discriminator_optimizer": _adam(4e-4, 49_500),
        "generator_optimizer": _adam(2e-4, 24_750),
        "discriminator_steps": 2,
        "ema_half_life": 100_000,
    },
    data={"reader": "images", "size": 32, "channels": 4, "flip": True},
    data_name="pixel-art sprites (4,276)",
    data_license="CC0",
    license="Apache-2.0",
    batch_size=64,
    epochs=750,
    seed=1,
    dtype="mixed_bfloat16",
)
