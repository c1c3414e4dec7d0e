"""What is exported of a GAN: its network for devices, with named inputs and outputs."""

import dataclasses
import functools
import os
import pathlib
import typing

import numpy as np

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.export import sidecar

# What a signature is called: TensorFlow Serving, LiteRT and LiteRT.js look for this name first.
SIGNATURE = "serving_default"


class UnsupportedOperation(ValueError):
    """The network holds an operation that a format does not have."""


@dataclasses.dataclass
class Exportable:
    """A GAN together with what its sidecar says about it.

    Args:
        gan: `kerasgan.GAN`.
        recipe: the `kerasgan.registry.Recipe` that it was trained by, or None for a GAN of one's own.
        called: what a file's description calls it; None takes the GAN's own name.
    """

    gan: typing.Any
    recipe: typing.Any = None
    called: str | None = None
    _proof: dict = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, gan):
        """From a GAN, a name of the zoo, a run folder or a `.keras` file.

        Raises:
            TypeError: neither of them.
            ValueError: nothing has this name, or the GAN has no network that could be exported.
        """
        if isinstance(gan, cls):
            return gan
        recipe = called = None
        if isinstance(gan, (str, os.PathLike)):
            from kerasgan import console, registry, runs

            name = os.fspath(gan)
            known = name in registry.list_models() or (pathlib.Path(name) / runs.RECIPE).is_file()
            recipe, called = runs.recipe_of(name) if known else None, console.printable(runs.called(name))
            gan = runs.load(name, compile=False)
        _check(gan)
        return cls(gan, recipe, called)

    @property
    def name(self):
        return self.called or self.gan.name

    @functools.cached_property
    def network(self):
        """The functional float32 Keras model: inputs of `inputs`; a tensor, or several in a list or a dict of names."""
        return self.gan.inference_network()

    @functools.cached_property
    def described_outputs(self):
        """What `kerasgan.Game.inference_outputs` says of each, by names that no input has.

        ONNX tells the values of a graph apart by their names.
        """
        described = self.gan.inference_outputs()
        return [{**one, "name": "generated_" * (one["name"] in self.input_names) + one["name"]} for one in described]

    @functools.cached_property
    def outputs(self):
        """{name: symbolic tensor} of the network's outputs, as they are described."""
        return self._named(self.network.output)

    def _named(self, made):
        """{name: tensor} of what the network returned."""
        if isinstance(made, dict):
            made = [made[one["name"]] for one in self.gan.inference_outputs()]
        made = made if isinstance(made, (list, tuple)) else [made]
        return dict(zip([one["name"] for one in self.described_outputs], made, strict=True))

    @functools.cached_property
    def input_names(self):
        return [described["name"] for described in self.gan.inference_description()]

    def inputs(self, count, seed=0):
        """{name: array, first axis `count`} from the model's own prior."""
        return self.gan.inference_inputs(count, seed)

    def specifications(self, batch_size):
        """`tf.TensorSpec`s of the inputs, in their order. None leaves the batch open."""
        import tensorflow as tf

        inputs = zip(self.input_names, self.network.inputs, strict=True)
        return [tf.TensorSpec((batch_size, *i.shape[1:]), i.dtype, name=name) for name, i in inputs]

    def function(self, *inputs):
        """Tensors in the order of the inputs -> {output name: values}: what the written graph computes."""
        return self._named(self.network(list(inputs) if len(inputs) > 1 else inputs[0], training=False))

    def proof(self, count, seed):
        """`inputs(count, seed)` and Keras's `samples` of them, made once: files of all modes are held against them."""
        asked = count, seed
        if asked not in self._proof:
            inputs = self.inputs(count, seed)
            self._proof = {asked: (inputs, self.samples(inputs))}
        return self._proof[asked]

    def samples(self, inputs):
        """Keras's own answer to {name: array}, any number of inputs: {output name: array (count, ...)}."""
        count = len(next(iter(inputs.values())))
        parts = []
        for start in range(0, count, 64):
            values = [inputs[name][start : start + 64] for name in self.input_names]
            parts.append(self.function(*values))
        return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in self.outputs}


def _check(gan):
    from kerasgan.game import Game

    if not isinstance(gan, Game):
        raise TypeError(
            f"gan is a {type(gan).__name__}; expected a kerasgan.GAN, a name of kerasgan.list_models(), a run folder "
            "or a .keras file."
        )
    generator = getattr(gan, "ema_generator", None)
    if generator is None or not getattr(generator, "inputs", None) or not generator.built:
        raise ValueError(
            f"{gan.name} has no built functional generator to export: build its networks as "
            "keras.Model(inputs, outputs)."
        )


def check_whole(name, value):
    """Raises a ValueError unless `value` is a whole number above 0."""
    if not is_whole(value):
        raise ValueError(f"{name}={value!r}: expected a whole number of at least 1.")


def check_new(path, ending, overwrite):
    """Checks that `path` can be written and does not exist, unless it may be replaced. Returns a `pathlib.Path`.

    Args:
        path: the file, or the folder of a format that is one.
        ending: of the file, with its dot; "" for a folder.
        overwrite: whether it may be there.

    Raises:
        FileExistsError: it is there, and `overwrite` is False; or something else has the name of its sidecar.
        ValueError, OSError: as `kerasgan.files.check_output`.
    """
    files.check_given(path)
    path = pathlib.Path(path)
    files.check_folder(path.absolute().parent, name="path")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"path {str(path)!r} exists already; choose another one, or pass overwrite=True "
            "(on the command line, --overwrite)."
        )
    _check_sidecar(path)
    if ending:
        return files.check_output(path, (ending,))
    if path.is_file():
        raise NotADirectoryError(f"path {str(path)!r} is a file; this format is a folder: choose another name.")
    return path


def _check_sidecar(path):
    """Raises a FileExistsError if the sidecar would replace a file that is none, such as a run's recipe.json."""
    beside = sidecar.path_of(path)
    try:
        sidecar.read(path)
    except ValueError:
        raise FileExistsError(
            f"path {str(path)!r}: {str(beside)!r}, which describes it, would replace a file of that name that is "
            "something else; choose another name."
        ) from None
