"""RelGAN that makes up English words, character by character.

It has seen 53,888 words of 4 to 12 small letters; what it writes may be one of them, or a real word that it has not
seen, and mostly is none. Nothing is known of what a word means: some will offend somebody.
"""

from kerasgan.registry import Recipe

_ALONE = 842 * 64 * 10  # samples of learning by likelihood alone: ten epochs
_GAME = 842 * 64 * 5

RECIPE = Recipe(
    name="relgan_words",
    gan_type="relgan",
    makes="English words that do not exist",
    model={"units": 128, "width": 32, "pretraining": _ALONE, "annealing": _GAME},
    compile={"learning_rate": [1e-4, f"linear(2e-3, 1e-4, {_ALONE})"], "ema_half_life": 20_000},
    data={"reader": "text", "pattern": "[a-z]{4,12}", "part": "train"},
    data_name="SCOWL's American words (Kevin Atkinson), as in Debian's wamerican, 53,888 of 4 to 12 small letters",
    data_license="SCOWL",
    license="Apache-2.0",
    batch_size=64,
    epochs=15,
    seed=1,
)
