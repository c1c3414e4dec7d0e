"""Progressive growing on 64x64 emoji of people and faces: from 4x4 pixels to 64x64 in one training.

Against the paper: the non-saturating loss with a lazy R1 penalty, in place of WGAN-GP, whose penalty takes more time
than all the rest; colours, places and parts of real and generated images are changed at random, and real ones
mirrored, since there are 2,430 only; 60,000 images a phase instead of 800,000, in batches of 16, at twice the paper's
rate, which falls once all levels are there; narrower networks. The penalty grows with the images, whose gradients are
those of more and smaller pixels. Flags, signs, animals and objects are left out: each of them is one of its kind, and
training on all 3,786 emoji gave people and blots.
"""

from kerasgan.registry import Recipe

_EPOCHS = 500
_SEEN = 2_416 * _EPOCHS
_PHASE = 60_000
_GROWN = 7 * _PHASE  # images seen until 64x64 begins to fade in

RECIPE = Recipe(
    name="progressive_gan_emoji",
    gan_type="progressive_gan",
    makes="emoji of people, hands and faces, 64x64 RGB",
    model={
        "image_shape": [64, 64, 3],
        "latent_dim": 128,
        "width": 16,
        "max_width": 256,
        "fade_samples": _PHASE,
        "stable_samples": _PHASE,
    },
    compile={
        "learning_rate": f"cosine(2e-3, 2e-4, {_SEEN}, {_GROWN})",
        "loss": "non_saturating",
        "penalties": [
            {
                "class_name": "kerasgan>R1",
                "config": {"weight": f"geometric(0.02, 0.15, {_GROWN + _PHASE}, {4 * _PHASE})", "interval": 16},
            }
        ],
        "augmentation": "color,translation,cutout",
        "ema_half_life": 20_000,
    },
    data={
        "reader": "images",
        "size": 64,
        "key": "noto",
        "subset": "category=People & Body|Smileys & Emotion",
        "flip": True,
    },
    data_name="Noto Emoji, of people and faces (2,430)",
    data_license="Apache-2.0",
    license="Apache-2.0",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
)
