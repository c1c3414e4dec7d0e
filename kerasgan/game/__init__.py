"""A game: players, their optimizers and one training step; the base of every type of the library."""

from kerasgan.game.batch import Batch, once_there
from kerasgan.game.game import Game
from kerasgan.game.optimizer import innermost
from kerasgan.game.player import Player

__all__ = ["Batch", "Game", "Player", "innermost", "once_there"]
