"""What is trained to make labelled samples, by the kind of the data; and which classes a GAN has."""

import dataclasses
import inspect

from kerasgan import auto, classes, registry, runs
from kerasgan.recipes import Recipe

NAME = "augment"
_LEAST, _SMALL = 16, 64  # pixels of sides between which pictures are made as large as they are


def planned(source, gan=None, labels=None):
    """The recipe by which a GAN learns labelled data.

    Args:
        source: the data, as readers take them.
        gan: a type, a pretrained model or a run folder, whose recipe it is then; None chooses by the kind of the data.
        labels: as the reader takes them; None leaves a recipe its own, and takes True where it has none.

    Returns:
        `kerasgan.recipes.Recipe`, whose schedules are in shares of the training where `gan` is None.

    Raises:
        ValueError, OSError: such data, or a type without classes, cannot be used.
    """
    if gan is not None and gan not in registry.TYPES:
        recipe = runs.recipe_of(gan)
        return runs.changed(recipe, {"data.labels": labels or recipe.data.get("labels") or True})
    from kerasgan.data.labelled import reader_of

    reader = reader_of(source) if gan is None else runs.recipe_of(gan).data.get("reader")
    if reader not in _PLANS:
        known = " and ".join(_PLANS)
        raise ValueError(f"gan={gan!r} learns from what kerasgan.data.{reader} reads; augment takes {known}.")
    recipe = _PLANS[reader](source)
    if gan is not None:
        check_takes_classes(gan)
        recipe = dataclasses.replace(runs.recipe_of(gan), data=recipe.data)
    return runs.changed(recipe, {"data.labels": labels or True})


def check_takes_classes(gan_type):
    """Raises a ValueError for a type that cannot be told which class to make."""
    if not _takes_classes(gan_type):
        able = [name for name in registry.TYPES if _takes_classes(name)]
        raise ValueError(
            f"gan={gan_type!r} makes samples without classes, which nothing could learn from; these types have "
            f"classes: {', '.join(able)}."
        )


def _takes_classes(gan_type):
    return "num_classes" in inspect.signature(registry.gan_class(gan_type)).parameters


def matched(names, gan, called):
    """The number that a GAN has for each class of the data.

    Args:
        names: of the data's classes.
        gan: `kerasgan.GAN`.
        called: how the user called it.

    Raises:
        ValueError: it has no classes, or others.
    """
    count, own = getattr(gan, "num_classes", None), list(gan.class_names or ())
    if not count:
        raise ValueError(f"gan={called!r} makes samples without classes; give another one, or leave it out.")
    if sorted(own) == sorted(names):
        return [own.index(name) for name in names]
    numbered = names == [str(number) for number in range(len(names))]
    if numbered and count == len(names):  # data whose classes are mere numbers, in their order
        return list(range(count))
    theirs = classes.listed(own) if own else f"{count} without names"
    raise ValueError(
        f"gan={called!r} has other classes than the data: {theirs}. Those of the data are {classes.listed(names)}."
    )


# By the kind of the data ---------------------------------------------------------------------------------------------


def _of_images(source):
    """A DCGAN, small and quick, whose discriminator sees everything augmented: there is little to learn from."""
    from kerasgan.data.looking import look

    seen = look(source)
    recipe, _ = auto.plan(seen)
    size = recipe.data["size"]
    if all(_LEAST <= side <= _SMALL and side % 4 == 0 for side in (seen.height, seen.width)):
        size = [seen.height, seen.width]
    return dataclasses.replace(
        recipe,
        name=NAME,
        model={**auto.SETTINGS["model"], "image_shape": [*size, seen.channels], "width": 16, "latent_dim": 64},
        compile={**recipe.compile, "augmentation": "color,translation,cutout"},
        data={**recipe.data, "size": size},
        batch_size=32,
    )


def _of_sounds(source):
    """A WaveGAN, as narrow as the one that speaks digits in the zoo, and with its rules."""
    return Recipe(
        name=NAME,
        gan_type="wavegan",
        model={"width": 16},
        compile={
            "learning_rate": "linear(2e-4, 0, 1, 0.5)",
            "discriminator_steps": 3,
            "penalties": [
                {"class_name": "kerasgan>GradientPenalty", "config": {"weight": 10.0, "full_precision": False}}
            ],
            "ema_half_life": 5_000,
        },
        data={
            "reader": "audio",
            "length": 8192,
            "sample_rate": 8000,
            "channels": 1,
            "crop": "start",
            "normalize": True,
        },
        batch_size=32,
        epochs=1,
        seed=None,
        dtype="auto",
    )


_PLANS = {"images": _of_images, "audio": _of_sounds}
