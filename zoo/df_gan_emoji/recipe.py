"""DF-GAN that draws emoji of their names, in the styles of two sets: "red heart", "red heart, noto"."""

from kerasgan.registry import Recipe

_TONES = {
    "1F3FB": "light skin",
    "1F3FC": "medium-light skin",
    "1F3FD": "medium skin",
    "1F3FE": "medium-dark skin",
    "1F3FF": "dark skin",
}

RECIPE = Recipe(
    name="df_gan_emoji",
    gan_type="df_gan",
    makes="emoji of their names, 32x32 RGB",
    model={
        "image_shape": [32, 32, 3],
        "length": 87,
        "latent_dim": 32,
        "sentence_dim": 64,
        "width": 16,
        "encoder_samples": 250_000,
    },
    compile={
        "augmentation": "translation",
        "ema_half_life": 10_000,
        # At every step it would take a third of the time.
        "penalties": [{"class_name": "kerasgan>MatchingAware", "config": {"weight": 2.0, "interval": 4}}],
    },
    data={
        "reader": "captioned",
        "size": 32,
        "key": ["noto", "twemoji"],
        "texts": "names",
        "styles": ["noto", "twemoji"],
        "replace": {**_TONES, " skin-": " skin, "},
        "variants": sorted(_TONES.values()),
        "part": "train",
    },
    data_name="emoji of Noto and Twemoji, 3,786 in both styles",
    data_license="Apache-2.0 (Noto), CC BY 4.0 (Twemoji, (c) Twitter and contributors)",
    license="Apache-2.0",
    batch_size=32,
    epochs=100,
    seed=1,
)
