"""The GAN types by name: where their classes are, and what their training starts from.

A new GAN type is one line in `TYPES`. TensorFlow is imported when a class is asked for.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
import typing

from kerasgan import console, trust


class Starting(typing.NamedTuple):
    """What a training starts from when it is given a type instead of a recipe.

    It stands in the class of the type as its attribute `starting`, in literals alone, so that it can be read without
    running the file, which would import TensorFlow.

    Attributes:
        data: arguments of the reader in `kerasgan.data`, and its name, as in a recipe.
        model: arguments of the class.
        compile: arguments of its `compile`.
        largest_batch: that is derived from the data.
    """

    data: dict
    model: dict
    compile: dict = {}
    largest_batch: int = 64


class GANType(typing.NamedTuple):
    """A GAN type.

    Attributes:
        path: "module:Class".
    """

    path: str

    @property
    def name(self):
        """The name of the class."""
        return self.path.partition(":")[2]

    @property
    def starting(self):
        """The `Starting` values that stand in the class; TensorFlow is imported only for a type that is not ours."""
        if not trust.is_ours(self.path.partition(":")[0]):
            return gan_class(self.path).starting
        values = next(node.value for node in self._written().body if ast.unparse(node).startswith("starting ="))
        return Starting(**{value.arg: ast.literal_eval(value.value) for value in values.keywords})

    @property
    def documentation(self):
        """The docstring of the class, read as `starting` is."""
        if not trust.is_ours(self.path.partition(":")[0]):
            return inspect.getdoc(gan_class(self.path))
        return ast.get_docstring(self._written())

    @property
    def about(self):
        """What it is: the first paragraph of the documentation, in one line."""
        return " ".join(self.documentation.partition("\n\n")[0].split())

    def _written(self):
        """The class as it is written, without running its file."""
        module, _, name = self.path.partition(":")
        package, _, place = module.partition(".")
        text = pkgutil.get_data(package, f"{place.replace('.', '/')}.py")
        return next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name)


TYPES = {
    "vanilla_gan": GANType("kerasgan.models.vanilla:VanillaGAN"),
    "cgan": GANType("kerasgan.models.cgan:CGAN"),
    "dcgan": GANType("kerasgan.models.dcgan:DCGAN"),
    "wgan": GANType("kerasgan.models.wgan:WGAN"),
    "wgan_gp": GANType("kerasgan.models.wgan_gp:WGANGP"),
    "lapgan": GANType("kerasgan.models.lapgan:LAPGAN"),
    "progressive_gan": GANType("kerasgan.models.progressive_gan:ProgressiveGAN"),
    "r3gan": GANType("kerasgan.models.r3gan:R3GAN"),
    "fastgan": GANType("kerasgan.models.fastgan:FastGAN"),
    "stylegan2": GANType("kerasgan.models.stylegan2:StyleGAN2"),
    "sngan": GANType("kerasgan.models.sngan:SNGAN"),
    "gan_cls": GANType("kerasgan.models.gan_cls:GANCLS"),
    "df_gan": GANType("kerasgan.models.df_gan:DFGAN"),
    "cyclegan": GANType("kerasgan.models.cyclegan:CycleGAN"),
    "pix2pix": GANType("kerasgan.models.pix2pix:Pix2Pix"),
    "srgan": GANType("kerasgan.models.srgan:SRGAN"),
    "wavegan": GANType("kerasgan.models.wavegan:WaveGAN"),
    "musegan": GANType("kerasgan.models.musegan:MuseGAN"),
    "skegan": GANType("kerasgan.models.skegan:SkeGAN"),
    "ctgan": GANType("kerasgan.models.ctgan:CTGAN"),
    "relgan": GANType("kerasgan.models.relgan:RelGAN"),
    "seqgan": GANType("kerasgan.models.seqgan:SeqGAN"),
    "dvd_gan": GANType("kerasgan.models.dvd_gan:DVDGAN"),
    "dvd_gan_fp": GANType("kerasgan.models.dvd_gan:DVDGANFP"),
    "gan_3d": GANType("kerasgan.models.gan_3d:GAN3D"),
    "f_anogan": GANType("kerasgan.models.f_anogan:FAnoGAN"),
    "alad": GANType("kerasgan.models.alad:ALAD"),
    "ganomaly": GANType("kerasgan.models.ganomaly:GANomaly"),
    "tempogan": GANType("kerasgan.models.tempogan:TempoGAN"),
}


def describe(name):
    """What a GAN type is, with all of its arguments and what a training of it starts from: Markdown text.

    Args:
        name: one of `TYPES`.
    """
    known = TYPES[name]
    start = known.starting
    values = {"model": start.model, "compile": start.compile, "data": start.data}
    lines = [f"  {field}.{key}={value!r}" for field, part in values.items() for key, value in part.items()]
    return (
        f"# {name}\n\nkerasgan.models.{known.name}, and what `kerasgan train {name} --data PATH --out RUN` starts "
        f"from, unless the data or --set say otherwise:\n\n" + "\n".join(lines) + f"\n\n{known.documentation}\n"
    )


def gan_class(gan_type):
    """The class of a GAN type, imported now.

    Args:
        gan_type: a name in `TYPES`, or "package.module:Class".

    Raises:
        ValueError: there is no such class.
    """
    console.import_tensorflow()
    path = TYPES[gan_type].path if gan_type in TYPES else gan_type
    module, _, name = path.partition(":")
    try:
        module = trust.import_module(module) if trust.is_allowed() else importlib.import_module(module)
        found = getattr(module, name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise ValueError(f'gan_type={gan_type!r} cannot be imported ({error}); give "package.module:Class".') from error
    if not is_game(found):
        raise ValueError(f"gan_type={gan_type!r} is no GAN type: expected a class derived from kerasgan.Game.")
    return found


def is_game(found):
    """Whether something is a class of two-player models."""
    if "kerasgan.game" not in sys.modules or not isinstance(found, type):
        return False  # no such class without the module of what it is derived from
    from kerasgan.game import Game

    return issubclass(found, Game)
