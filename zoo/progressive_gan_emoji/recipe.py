"""Progressive growing on 64x64 emoji: from 4x4 pixels to 64x64 in one training.

Against the paper: the non-saturating loss with a lazy R1 penalty, in place of WGAN-GP, whose penalty takes more time
than all the rest; random translation of real and generated images, and mirrored ones, since there are 3,786 only;
40,000 images a phase instead of 800,000, in batches of 16, at twice the paper's rate; narrower networks.
"""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="progressive_gan_emoji",
    gan_type="progressive_gan",
    makes="emoji, 64x64 RGB",
    model={
        "image_shape": [64, 64, 3],
        "latent_dim": 128,
        "width": 16,
        "max_width": 128,
        "fade_samples": 40_000,
        "stable_samples": 40_000,
    },
    compile={
        "learning_rate": 2e-3,
        "loss": "non_saturating",
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.02, "interval": 16}}],
        "augmentation": "translation",
        "ema_half_life": 10_000,
    },
    data={"reader": "images", "size": 64, "key": "noto", "flip": True},
    data_name="Noto Emoji (3,786)",
    data_license="Apache-2.0",
    license="Apache-2.0",
    batch_size=16,
    epochs=132,
    seed=1,
    dtype="mixed_bfloat16",
)
