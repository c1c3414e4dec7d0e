"""What there is: `list`, `types`, `describe`."""

import json

import click

from kerasgan import commands, gan_types, registry, runs
from kerasgan.commands import Command


@click.command("list", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="For other programs: a list of objects.")
def list_models(as_json):
    """Lists the pretrained models.

    What they make, the data they learned from, their licence, the size of the files. Names of recipes without
    weights follow: they are for `kerasgan train`.

    Examples:
      kerasgan list
      kerasgan list --json
    """
    if as_json:
        names = [*registry.list_models(), *registry.RECIPES]
        print(json.dumps([_summary(registry.get(name)) for name in names], indent=1, ensure_ascii=False))
        return
    found = [_summary(registry.get(name)) for name in registry.list_models()]
    rows = [(row["name"], row["makes"], row["data"], row["license"], _megabytes(row["bytes"])) for row in found]
    commands.table(("NAME", "MAKES", "DATA", "LICENCE", "SIZE"), rows)
    if registry.RECIPES:
        print(f"\nWithout weights, for kerasgan train: {', '.join(registry.RECIPES)}")


def _summary(recipe):
    """What `list` says of a recipe; its bytes are those of the files that making samples needs."""
    return {
        "name": recipe.name,
        "type": recipe.gan_type,
        "makes": recipe.makes,
        "classes": list(recipe.class_names),
        "data": recipe.data_name,
        "license": recipe.license,
        "trained": bool(recipe.weights),
        "bytes": sum(file.size for file in recipe.weights if file.part != "discriminator"),
    }


def _megabytes(size):
    return f"{size / 1e6:.1f} MB" if size else "not trained"


@click.command(cls=Command)
def types():
    """Lists the GAN types.

    `kerasgan train` takes their names, `kerasgan describe` tells all about one.

    Examples:
      kerasgan types
      kerasgan describe wgan_gp
    """
    commands.table(("TYPE", "CLASS", "IS"), [(name, known.name, known.about) for name, known in registry.TYPES.items()])


@click.command(cls=Command)
@commands.model_argument("NAME|RUN|TYPE", types=True)
@commands.trust_option
def describe(name):
    """Prints the card of a pretrained model.

    It tells samples, scores, how it was trained, licences. Of a run folder, what is known of its model and its
    data; of a GAN type, what it is and all of its arguments.

    Examples:
      kerasgan describe dcgan_celeba
      kerasgan describe runs/my_photos
      kerasgan describe dcgan
    """
    print((gan_types.describe(name) if name in registry.TYPES else runs.describe(name)).rstrip())
