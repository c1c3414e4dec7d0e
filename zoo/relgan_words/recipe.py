"""RelGAN that makes up English words, character by character: ten epochs by likelihood alone, five of the game.

The game made words more varied, and nearly as varied as real ones: BLEU of each word against others, by pairs and more
of characters, is 0.625 after likelihood alone, 0.602 after the game and 0.597 of real words.

One word in ten is one that it has seen, a few are real words that it has not, and most are none. Short ones may come
that are not in the data, which begin at four letters. Nothing is known of what a word means: some will offend somebody.
The list of words is SCOWL's, copyright 2000-2011 by Kevin Atkinson, free to use, copy, modify and sell with its notice.
"""

from kerasgan.registry import Recipe

_ALONE = 842 * 64 * 10  # samples of learning by likelihood alone: ten epochs
_GAME = 842 * 64 * 5

RECIPE = Recipe(
    name="relgan_words",
    gan_type="relgan",
    makes="English words that do not exist",
    title="Made-up words",
    page={"seed": 60},
    model={"units": 128, "width": 32, "pretraining": _ALONE, "annealing": _GAME},
    compile={"learning_rate": [1e-4, f"linear(2e-3, 1e-4, {_ALONE})"], "ema_half_life": 20_000},
    data={"reader": "text", "pattern": "[a-z]{4,12}", "part": "train"},
    data_name="SCOWL's American words (Kevin Atkinson), as in Debian's wamerican, 53,888 of 4 to 12 small letters",
    data_license="free with its notice (SCOWL), from lists in the public domain",
    license="Apache-2.0",
    batch_size=64,
    epochs=15,
    seed=1,
)
