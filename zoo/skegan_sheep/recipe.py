"""SkeGAN that draws sheep, stroke by stroke.

Against the paper: the game is a policy gradient's there, and gradients through the drawing here.
"""

from kerasgan.registry import Recipe

_SAMPLES = 7_033
_ALONE = 500_000  # samples of learning by likelihood alone

RECIPE = Recipe(
    name="skegan_sheep",
    gan_type="skegan",
    makes="sheep, as pen strokes",
    model={"points": 126, "scale": 26.93, "units": 256, "mixtures": 10, "width": 64, "pretraining": _ALONE},
    compile={
        "learning_rate": [2e-4, f"linear(1e-3, 1e-4, {_ALONE}, 100000)"],
        "clip_gradients": 1.0,
        "ema_half_life": 5_000,
    },
    data={
        "reader": "sketches",
        "points": 126,
        "scale": 26.93,
        "simplify": 4.0,
        "stretch": 0.15,
        "drop": 0.05,
        "subset": "train",
    },
    data_name="The Sheep Market (Aaron Koblin), 7,400 drawings of sheep",
    data_license="CC BY-NC 4.0",
    license="CC-BY-NC-4.0",
    batch_size=100,
    epochs=90,
    seed=1,
)
