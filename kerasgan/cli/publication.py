"""`publish`: a trained model, for others."""

import click

from kerasgan import commands
from kerasgan.commands import PLACE, Command


@click.command(cls=Command)
@commands.model_argument("RUN|NAME")
@click.option("--to", help="Address on the Hugging Face Hub, hf://USER/MODEL.")
@click.option("--folder", type=PLACE, help="A new folder to write instead.")
@click.option("--license", help="Of the weights, such as cc-by-4.0, where it is not known.")
@click.option("--private", is_flag=True, help="A new repository is seen by its owner alone.")
@commands.trust_option
def publish(name, to, folder, license, private):
    """Publishes a trained model.

    Weights in half precision, recipe, samples, scores and a card with its licences go to the Hugging Face Hub or,
    with --folder, into a folder. Where the licence of the data is not known, --license says under which the weights
    may be used. Others open it by the same name, as by that of any model; nothing in it is run.

    Examples:
      kerasgan publish runs/flowers --to hf://me/flowers --license cc-by-4.0
      kerasgan publish runs/flowers --folder flowers/ --license cc-by-4.0
      kerasgan generate hf://me/flowers -n 16 -o flowers.png
    """
    if (to is None) == (folder is None):
        raise ValueError(f"Give one of --to and --folder. Example: kerasgan publish {name} --to hf://USER/MODEL")
    from kerasgan import hub, publishing

    publishing.checked(name, license)
    if to is not None:
        hub.parse(to)
        hub.check_installed()
    else:
        publishing.check_new(folder)
    commands.import_tensorflow()
    where = publishing.publish(name, to, folder, license, private)
    print(f"Published {name} in {where}; use it with: kerasgan.load({to or str(where)!r})")
