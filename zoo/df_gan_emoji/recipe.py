"""DF-GAN that draws emoji of their names, in the styles of two sets: "green heart", "green heart, noto".

Against the paper: 32x32 pixels, half of its width, texts read by a small encoder that learns here, a penalty at every
fourth step, 250 epochs of 6,700 pictures.

A judge that knows neither finds the name of a sample among 100 in 14 of 100 cases, where it finds that of a real emoji
in 85 and chance would in 1: one sees of what kind a thing is, rarely which. Faces, people, squares, circles and hearts
can be told; most animals, dishes and flags are blots. A color in the name is mostly met, but for red hearts, which are
pink or grey: in the data their name is "heavy black heart". Samples of one name hardly differ. Names that it has not
seen it meets in 4 of 100 cases (48 for real ones).
"""

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
    title="Emoji by name",
    page={"seed": 1, "text": "mushroom", "thumbnail": ["samples.png", 98, 252, 194, 348]},
    model={
        "image_shape": [32, 32, 3],
        "length": 87,
        "latent_dim": 32,
        "sentence_dim": 64,
        "width": 16,
        "encoder_samples": 250_000,
        "examples": [
            *("red heart", "blue heart", "green heart", "yellow heart"),
            *("large red circle", "large blue circle", "large green circle", "large orange square"),
            *("grinning face", "smiling face with sunglasses", "cat face", "mouse face"),
            *("tiger face", "penguin", "octopus", "t-rex"),
            *("red apple", "cherries", "banana", "slice of pizza"),
            *("hamburger", "mushroom", "sunflower", "palm tree"),
            *("sun with face", "rocket", "automobile", "japan flag"),
            *("france flag", "woman firefighter, dark skin", "man cook, light skin", "thumbs up sign, medium skin"),
        ],
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
    epochs=250,
    seed=1,
)
