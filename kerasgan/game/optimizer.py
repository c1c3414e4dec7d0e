"""The players' optimizers as one: what Keras's callbacks, and those of others, ask of `model.optimizer`."""

import keras
import numpy as np


def innermost(optimizer):
    """The optimizer itself, without the wrapper that scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


class LearningRate(np.float32):
    """A learning rate, as a number that can be assigned to, as the variable of an optimizer can."""

    def __new__(cls, value, assign):
        self = super().__new__(cls, value)
        self.assign = assign
        return self

    def numpy(self):
        return np.float32(self)


class BothOptimizers:
    """The optimizers of a game's players behind the face of one.

    It updates nothing and holds nothing of its own: the players' optimizers do, and are what is saved.

    `learning_rate` is the generator's. Assigned to, that becomes the generator's, and those of the others move by the
    same factor: two time-scales keep their ratio. So `keras.callbacks.LearningRateScheduler`, whose function gets the
    generator's rate, and `ReduceLROnPlateau` act on all players, and loggers show a rate. `iterations` are the
    generator's updates.

    Args:
        game: a compiled `kerasgan.Game`.
    """

    name = "both_players"
    built = True  # with the players' own

    def __init__(self, game):
        self._game = game
        self._ratios = {player: 1.0 for player in game.players}  # to the generator's rate, where both are 0
        self._ratios = self._ratios_of_rates()

    def _player(self, player):
        return innermost(self._game.player(player).optimizer)

    def _rate(self, player):
        return float(keras.ops.convert_to_numpy(self._player(player).learning_rate))

    def _ratios_of_rates(self):
        rate = self._rate("generator")
        return {player: self._rate(player) / rate for player in self._ratios} if rate else self._ratios

    @property
    def learning_rate(self):
        """The generator's learning rate; see the class for what assigning to it does.

        Raises:
            ValueError: when assigned to, if a player's rate follows a schedule, or the value is no rate.
        """
        return LearningRate(self._rate("generator"), self._assign)

    @learning_rate.setter
    def learning_rate(self, value):
        self._assign(value)

    def _assign(self, value):
        self.check_assignable()
        rate = float(keras.ops.convert_to_numpy(value))
        if not 0 <= rate < np.inf:
            raise ValueError(f"learning_rate={rate!r}: expected 0 or more.")
        self._ratios = self._ratios_of_rates()
        for player, ratio in self._ratios.items():
            self._player(player).learning_rate.assign(rate * ratio)

    def check_assignable(self):
        """Raises a ValueError if a player's rate follows a schedule, which would undo what is assigned."""
        for player in self._game.players:
            own, given = self._player(player)._learning_rate, self._game.learning_rate[player]
            scheduled = isinstance(own, keras.optimizers.schedules.LearningRateSchedule)
            if scheduled or callable(given):
                schedule = type(own).__name__ if scheduled else given
                raise ValueError(
                    f"The learning rate of the {player} follows a schedule, {schedule}, "
                    "and cannot be set besides: leave out what sets it (such as LearningRateScheduler or "
                    "ReduceLROnPlateau), or compile with numbers."
                )

    @property
    def iterations(self):
        return self._player("generator").iterations

    @property
    def variables(self):
        return [v for player in self._game.players for v in self._game.player(player).optimizer.variables]

    def get_config(self):
        """{"name", "learning_rate" (the generator's), "discriminator" and "generator": the configuration of each}."""
        configs = {player: self._player(player).get_config() for player in self._game.players}
        return {"name": self.name, "learning_rate": self._rate("generator"), **configs}
