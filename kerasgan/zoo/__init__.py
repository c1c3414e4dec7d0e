"""Pretrained models: one folder each, with its recipe, card, sample sheet and weights.

An installed package has them here. In the repository they are in the folder `zoo` beside the package, where their
cards and pictures are looked at, and are found there.
"""

import pathlib

_OF_REPOSITORY = pathlib.Path(__file__).parents[2] / "zoo"
if not any(pathlib.Path(__file__).parent.glob("*/recipe.py")):
    __path__.insert(0, str(_OF_REPOSITORY))
