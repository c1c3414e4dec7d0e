"""SkeGAN that draws sheep, stroke by stroke.

Most are sheep at a glance; of 128 that were looked at, 16 are tangled or lack a part. Many have more strokes than
people draw, a quarter more on the mean.

It has learned by likelihood alone, the first of SkeGAN's two stages: of kanji, the game that follows made samples less
varied. Against Sketch-RNN's data, lines have fewer points (`simplify`), so that half of the sheep have 46 at most
instead of 66; with more, sheep were tangled.
"""

from kerasgan.registry import Recipe

_ALONE = 360_000  # samples of learning by likelihood alone, a little more than the training has

RECIPE = Recipe(
    name="skegan_sheep",
    gan_type="skegan",
    makes="sheep, as pen strokes",
    title="Sheep",
    page={"seed": 1, "thumbnail": ["samples.png", 650, 0, 778, 128]},
    model={"points": 136, "scale": 33.43, "units": 384, "mixtures": 10, "width": 64, "pretraining": _ALONE},
    compile={
        "learning_rate": [2e-4, f"linear(1e-3, 1e-4, {_ALONE}, 150000)"],
        "clip_gradients": 1.0,
        "ema_half_life": 5_000,
    },
    data={
        "reader": "sketches",
        "points": 136,
        "longest": 90,
        "scale": 33.43,
        "simplify": 8.0,
        "stretch": 0.15,
        "drop": 0.05,
        "subset": "train",
    },
    data_name="The Sheep Market (Aaron Koblin), 7,400 drawings of sheep",
    data_license="CC BY-NC 4.0",
    license="CC-BY-NC-4.0",
    batch_size=100,
    epochs=50,
    seed=1,
)
