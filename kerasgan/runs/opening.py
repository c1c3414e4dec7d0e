"""From what a user calls a model, a name of the zoo, a run folder or a file, to the model or its recipe."""

import os
import pathlib
import re
import typing

from kerasgan import console, files, hub, provenance, published, registry, weights
from kerasgan.runs.folder import CHECKPOINT, EVALUATION, RECIPE, checkpoints, holds_recipe, read
from kerasgan.trust import allowing, is_allowed

if typing.TYPE_CHECKING:
    from kerasgan.continuer import Continuer
    from kerasgan.gan import GAN
    from kerasgan.translator import Translator
    from kerasgan.upscaler import Upscaler

    class AnyModel(GAN, Translator, Upscaler, Continuer):  # type: ignore[misc]
        """What `load` returns, as editors and type checkers see it: a model of some type, with the verbs of all.

        Which type it is, the name decides; a verb that the model does not have is an AttributeError when it runs.
        """

        def __getattr__(self, name: str) -> typing.Any: ...

        def __setattr__(self, name: str, value: typing.Any) -> None: ...


def load(name, dtype=None, compile=True, trust=False) -> "AnyModel":
    """A GAN by whatever names it: a pretrained model, a run folder, a `.keras` file, a published model.

    This is `kerasgan.load`, which takes what the command takes.

    It is ready for its verb (`generate`, `translate`, `upscale`) and, since it comes compiled, for `fit`. To somebody
    who types in a terminal or a notebook, it says the licence of the weights once.

    ```python
    gan = kerasgan.load("dcgan_celeba")
    faces = gan.generate(16, seed=7)
    mine = kerasgan.load("runs/mine")
    ```

    Args:
        name: one of `kerasgan.list_models()`; a path of a run folder, of a `.keras` file or of a folder that `kerasgan
            publish` wrote, a str or `os.PathLike`; or "hf://user/model" on the Hugging Face Hub (`kerasgan[hub]`).
        dtype: Keras dtype policy. None: of a pretrained or published model "float32", whatever its training used; of a
            run or a file the one that it was saved with.
        compile: whether it comes ready to train on: a pretrained model with its recipe's arguments, what was saved with
            its own and with its optimizers' state.
        trust: whether modules are imported that the files name, so that a GAN type of one's own is found there. That
            runs them: only for files from people you trust. Without, a program imports its own module first. Of what is
            published nothing is imported but kerasgan, whatever is said here.

    Returns:
        A `kerasgan.GAN`, or another `kerasgan.Game`.

    Raises:
        ValueError: there is neither a model nor a path of this name, a model has no weights or they do not fit, or the
            file is not a saved model, or of a class that is neither kerasgan's nor Keras's.
        FileNotFoundError: a folder without a model.
        OSError: the weights of a pretrained model cannot be had; see `kerasgan.weights.find`, and `kerasgan.hub.fetch`.
    """
    gan = _opened(name, dtype, compile, trust)
    if gan.origin is not None:
        provenance.say_license(gan.origin)
    return gan


def _opened(name, dtype, compile, trust):
    if name in registry.list_models():
        return registry.load(name, dtype, compile)
    path = check_name(name)
    if hub.is_address(name):
        path = hub.fetch(name)
    console.import_tensorflow()
    if published.is_one(path):
        return published.load(path, name, dtype, compile)
    from kerasgan.callbacks import Checkpoint

    with allowing(trust or is_allowed()):
        if holds_recipe(path):
            registry.gan_class(read(path)["recipe"].gan_type)  # a class of one's own is known to Keras once imported
        gan = Checkpoint.load(path, compile=compile)[0]
    gan = gan if dtype is None else _in_number_format(gan, dtype)
    if holds_recipe(path):
        recipe, seen = read(path)["recipe"], int(gan.samples_seen)
        gan.origin = provenance.Origin(called(path), recipe, seen, path / EVALUATION)
    if (path / registry.ENCODER).is_file():
        gan.encoder_file = path / registry.ENCODER
    return gan


def _in_number_format(gan, dtype):
    """The model, built anew with another dtype policy: with its weights, counters, seeds and optimizers' state."""
    from kerasgan.game import innermost

    config = gan.get_config()
    if "generator" in config:
        raise ValueError(
            f"dtype={dtype!r}: the networks of {gan.name}, which are your own, compute in the format that they were "
            "built with; leave dtype out."
        )
    other = type(gan).from_config({**config, "dtype": dtype})
    for network in weights.networks(other, averages=True):
        getattr(other, network).set_weights(getattr(gan, network).get_weights())
    if gan.compiled:
        other.compile_from_config(gan.get_compile_config())
        for player in gan.players:
            there, here = (innermost(model.player(player).optimizer) for model in (gan, other))
            for variable, value in zip(here.variables, there.variables, strict=True):
                variable.assign(value)
    state = {}
    gan.save_own_variables(state)
    other.load_own_variables(state)
    return other


def check_name(name):
    """Checks, without opening it, that `name` is one for `load`. Returns it as a `pathlib.Path`.

    Raises:
        ValueError, FileNotFoundError: as `load`.
    """
    files.check_given(name, "name")
    if not isinstance(name, (str, os.PathLike)):
        registry.get(name)  # which says that it is unknown
    path = pathlib.Path(name)
    if name in registry.list_models():
        return path
    if hub.is_address(name):
        hub.parse(name)
        hub.check_installed()
    elif published.is_one(path):
        published.read(path)
    elif path.is_dir():
        if not checkpoints(path):
            raise FileNotFoundError(
                f"{str(name)!r} holds no {CHECKPOINT}: it is no run folder, or its training has not saved anything yet."
            )
    elif not path.is_file():
        try:
            recipe = registry.get(os.fspath(name))
        except ValueError as error:
            raise ValueError(f"{error} Nor is there a run folder or a .keras file of this name.") from None
        registry.check_trained(recipe)
    return path


def check_run(folder):
    """Checks that a folder is a run with a saved model. Returns it as a `pathlib.Path`.

    Raises:
        FileNotFoundError: it is not there, or is none.
    """
    files.check_given(folder, "folder")
    path = pathlib.Path(folder)
    if not holds_recipe(path):
        raise FileNotFoundError(f"{str(folder)!r} is no run folder: it holds no {RECIPE}.")
    return check_name(str(folder))


def called(name):
    """What a model is called by the name, run folder or file that it is loaded by, and so are files made of it."""
    return re.sub(r"\.keras$", "", pathlib.Path(name).absolute().name)


def class_names(name):
    """What the classes of a model are called, before it is loaded; None for a file, which has to be opened to tell."""
    known = name in registry.list_models() or holds_recipe(name) or hub.is_address(name) or published.is_one(name)
    return recipe_of(name).class_names if known else None


def describe(name):
    """The card of a pretrained model; of others, what is known of their model and its data: Markdown text.

    Raises:
        ValueError: nothing has this name, or it is a file, which says nothing of its training.
    """
    if name in registry.list_models():
        return registry.describe(name)
    if published.is_one(name) and published.card(name):
        return published.card(name)
    if holds_recipe(name) or hub.is_address(name) or published.is_one(name):
        return registry.about(recipe_of(name), called(name))
    if pathlib.Path(name).is_file():
        raise ValueError(f"{name!r} is a file, which says nothing of its training: give the run folder.")
    return registry.describe(name)


def recipe_of(name):
    """The recipe to train by: of a pretrained or published model, a GAN type (its starting values) or a run folder.

    Raises:
        ValueError: neither of them.
        OSError, ImportError: as `kerasgan.hub.fetch_recipe`.
    """
    files.check_given(name, "name")
    if hub.is_address(name):
        return hub.fetch_recipe(name)
    if name not in registry.list_models() and not holds_recipe(name) and published.is_one(name):
        return published.read(name)
    if name not in registry.list_models() and holds_recipe(name):
        return read(name)["recipe"]
    return registry.resolve(name)
