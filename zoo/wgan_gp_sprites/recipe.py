"""Game sprites with transparency: a Wasserstein GAN with gradient penalty on small RGBA pixel art.

Outlines of figures are often soft, and small details (faces, weapons) are blobs of the right colours: the data set is
small and of many styles.
"""

from kerasgan.registry import Recipe

# Twice the paper's rate and three critic steps instead of five: these are small networks and a short training.
_ADAM = {"class_name": "Adam", "config": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.9}}

RECIPE = Recipe(
    name="wgan_gp_sprites",
    gan_type="wgan_gp",
    makes="pixel-art game sprites, 32x32 RGBA",
    model={"image_shape": [32, 32, 4], "width": 32},
    compile={
        "discriminator_optimizer": _ADAM,
        "generator_optimizer": _ADAM,
        "discriminator_steps": 3,
        "ema_half_life": 20_000,
    },
    data={"reader": "images", "size": 32, "channels": 4, "flip": True},
    data_name="pixel-art sprites (4,276)",
    data_license="CC0",
    license="Apache-2.0",
    batch_size=64,
    epochs=300,
    seed=1,
    dtype="mixed_bfloat16",
)
