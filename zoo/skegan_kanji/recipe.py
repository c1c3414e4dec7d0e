"""SkeGAN that draws characters that look like kanji: strokes in the order in which they are written.

Most are no characters that exist: it has learned how strokes follow each other, not what is a word.

It has learned by likelihood alone, the first of SkeGAN's two stages. Six epochs of the game that follows, against the
discriminator, were tried: characters became less varied and no better to look at, so they are left out.
"""

from kerasgan.registry import Recipe

_ALONE = 600_000  # samples of learning by likelihood alone, a little more than the training has

RECIPE = Recipe(
    name="skegan_kanji",
    gan_type="skegan",
    makes="characters like kanji, as pen strokes",
    title="Imaginary kanji",
    page={"seed": 8, "thumbnail": ["samples.png", 390, 0, 518, 128]},
    model={"points": 80, "scale": 64.94, "units": 256, "mixtures": 10, "width": 64, "pretraining": _ALONE},
    compile={
        "learning_rate": [2e-4, f"linear(1e-3, 1e-4, {_ALONE}, 100000)"],
        "clip_gradients": 1.0,
        "ema_half_life": 5_000,
    },
    data={
        "reader": "sketches",
        "points": 80,
        "longest": 52,
        "scale": 64.94,
        "simplify": 4.0,
        "stretch": 0.1,
        "subset": "train",
    },
    data_name="KanjiVG (Ulrich Apel), 10,358 characters as pen strokes",
    data_license="CC BY-SA 3.0",
    license="CC-BY-SA-3.0",
    batch_size=100,
    epochs=60,
    seed=1,
)
