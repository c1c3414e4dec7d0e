"""Game sprites with transparency."""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="wgan_gp_sprites",
    gan_type="wgan_gp",
    makes="pixel-art game sprites, 32x32 RGBA",
    model={"image_shape": [32, 32, 4], "width": 48},
    compile={"ema_half_life": 20_000},
    data={"reader": "images", "size": 32, "channels": 4},
    data_name="pixel-art sprites (4,276)",
    data_license="CC0",
    license="Apache-2.0",
    batch_size=32,
    epochs=300,
    seed=1,
    dtype="mixed_bfloat16",
)
