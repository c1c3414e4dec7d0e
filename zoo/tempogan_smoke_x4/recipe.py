"""tempoGAN that makes simulated smoke four times as fine: 32x32 cells become 128x128, frames that fit together.

Against the paper: the small generator of `kerasgan.models.TempoGAN`, discriminators of half of its width, which count
less beside the differences from the truth, and these in motion, too; one update of each player a step instead of two,
no change of scale of tiles, two dimensions and data of a solver of our own, made by `kerasgan simulate smoke --out
smoke/ --frames 120 --seed 1`.

Detail is made up: it looks likely, and need not be what a finer simulation would show. It moves with the smoke less
well than a simulation's: carried onto the next one, frames differ from it twice as much as the truth's do (1.2 times
for the bicubic kernel, 1.4 times after learning from squared differences alone). 2 % of the smoke is more or less than
on the coarse grid. It expects smoke whose velocity is known and passes less than a cell or so a frame; other fluids,
fire and photographs of smoke it has not seen.
"""

from kerasgan.registry import Recipe

_EPOCH = 20 * 48  # tiles
_PRETRAINING = 8 * _EPOCH  # a thousand steps, about
_EPOCHS = 80  # nearly ten thousand steps

RECIPE = Recipe(
    name="tempogan_smoke_x4",
    gan_type="tempogan",
    makes="sequences of smoke, 4 times as fine",
    title="Finer smoke",
    page={"thumbnail": ["samples.png", 776, 132, 840, 196]},
    model={"size": 64, "width": 64, "discriminator_width": 16, "pretraining": _PRETRAINING},
    compile={
        # As in the paper's code, the rates fall to a twentieth over the second half.
        "learning_rate": f"linear(2e-4, 1e-5, {_EPOCHS * _EPOCH}, {_EPOCHS * _EPOCH // 2})",
        "ema_half_life": 5_000,
        # Of 2 and 5, as the type has them, smoke was sharper and flickered more.
        "weights": {"adversarial": 0.4, "l1": 40.0, "motion": 60.0},
    },
    data={"reader": "fields", "size": 64, "per_sequence": 48},
    data_name="smoke of kerasgan simulate, 20 sequences of 120 frames, seed 1",
    data_license="none needed: made by the library",
    license="Apache-2.0",
    batch_size=8,
    epochs=_EPOCHS,
    seed=1,
    dtype="float32",
)
