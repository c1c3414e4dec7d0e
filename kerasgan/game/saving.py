"""A game as a file: its constructor's arguments, its weights, and where its generators of random numbers are."""

import inspect

import keras
import numpy as np

from kerasgan.game.state import whole
from kerasgan.precision import policy


class Saving:
    """What a `Game` writes and reads. Arguments of constructors are recorded, so that types need no `get_config`."""

    def __new__(cls, *args, **kwargs):
        game = super().__new__(cls, *args, **kwargs)
        # Past Keras, which would take a network among the arguments for a part of the model.
        object.__setattr__(game, "_arguments", _recorded(cls, args, kwargs))
        return game

    def save(self, filepath, *args, **kwargs):
        """Saves everything that a training goes on with as a `.keras` file. As `keras.Model.save`.

        Raises:
            ValueError: another kind of file.
        """
        check_saved(filepath)
        return super().save(filepath, *args, **kwargs)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Writes `inference_network` as a SavedModel folder. As `keras.Model.export`.

        `kerasgan.export` writes this and other formats, holds what it has written against Keras, and puts beside it
        what an app must know.

        Raises:
            ValueError: another format.
        """
        if format != "tf_saved_model":
            raise ValueError(
                f'format={format!r}: a game exports itself as "tf_saved_model"; kerasgan.export.tflite and '
                "kerasgan.export.onnx write other formats, and check what they have written."
            )
        self.inference_network().export(filepath, format=format, **kwargs)

    def get_config(self):
        """The constructor's arguments, as JSON can hold them, and the names of classes, which are the data's."""
        known = self._arguments.keys() | {"class_names"}
        own = {name: value for name, value in self.base_config().items() if name in known}
        return {**{name: _plain(value) for name, value in self._arguments.items()}, **own}

    def base_config(self):
        """The arguments that every type has, as they are by now."""
        names = {"class_names": list(self.class_names)} if self.class_names else {}
        return {"seed": self.seed, "name": self.name, "dtype": self.dtype_policy.name, **names}

    @classmethod
    def from_config(cls, config):
        config = {
            key: keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
            for key, value in config.items()
        }
        class_names = config.pop("class_names", ())
        with policy(config.get("dtype")):
            game = cls(**config)
        game.class_names = tuple(class_names)
        return game

    # Keras saves the state of no SeedGenerator, ours or a Dropout layer's; without it a resumed training would draw
    # numbers again that it has used.

    def seed_states(self):
        """The variables that random numbers follow from, those of layers included."""
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for i, state in enumerate(self.seed_states()):
            store[f"seed_{i}"] = np.array(state)

    def load_own_variables(self, store):
        for i, state in enumerate(self.seed_states()):
            state.assign(np.array(store[f"seed_{i}"]))
        for i, counter in enumerate(self.counters):
            counter.assign(np.array(store[str(i)]))
        if self.stages > 1:
            self.stage = whole(self.stage_entered)


def check_saved(path):
    """Raises a ValueError for names by which Keras writes its older format, which cannot hold a game."""
    if str(path).lower().endswith((".h5", ".hdf5")):
        raise ValueError(
            f"filepath={str(path)!r}: a game is saved as a .keras file, which holds both players, the average, their "
            "optimizers and counters. (save_weights writes .weights.h5 files.)"
        )


def _recorded(cls, args, kwargs):
    """{name: value} of all arguments of a constructor; empty for a call that it does not take, which fails next."""
    try:
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    _, *arguments = bound.arguments.items()
    return dict(arguments)


def _plain(value):
    """An argument as JSON can hold it."""
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return keras.saving.serialize_keras_object(value)
