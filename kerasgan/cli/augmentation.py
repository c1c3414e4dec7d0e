"""`augment`: labelled training data, made by a GAN."""

import click

from kerasgan import commands
from kerasgan.cli.training import changes_of
from kerasgan.commands import COUNT, PLACE, SIZE, WORDS, Command

_OF_MEASURE = ("sizes", "seeds", "gan_samples", "mix", "mirror")  # options that mean nothing without --measure


@click.command(cls=Command)
@click.option("--data", type=PLACE, required=True, help="The data, with classes: a folder of folders, a zip, .npz.")
@commands.out_option("The folder; of --measure the table, .md.", required=True)
@click.option("--per_class", type=COUNT, default=500, help="Samples to make of each class.")
@click.option("--gan", type=PLACE, help="A TYPE to train, or NAME or RUN to take; default: by kind.")
@click.option("--minutes", type=float, help="To train a GAN; default: 30, of --measure 3 for each.")
@click.option("--all", "everything", is_flag=True, help="Learn from all of the data: tests are done elsewhere.")
@click.option("--measure", is_flag=True, help="Find out what the samples are worth.")
@click.option("--sizes", type=WORDS, help="--measure: real ones a class; default: 5,10,20,50,all.")
@click.option("--seeds", type=COUNT, default=5, help="--measure: how many repetitions.")
@click.option("--gan_samples", type=int, help="--measure: length of a training, for --minutes.")
@click.option("--mix", type=float, default=0.25, help="--measure: generated share of a classifier's batch.")
@click.option("--mirror", is_flag=True, help="--measure: mirror images are of the same class.")
@click.option("--labels", help="Where the classes are: an array; of sounds name; default: folders.")
@click.option("--size", type=SIZE, help="Height and width of images: 64 or 64x96.")
@click.option("--channels", type=int, help="Of images: 1 grey, 3 RGB, 4 RGBA; of sounds 1 or 2.")
@click.option("--length", type=int, help="Samples of a sound.")
@click.option("--sample_rate", type=int, help="Of sounds, in Hz.")
@click.option("--batch_size", type=COUNT, help="Of the GAN.")
@click.option("--dtype", help="Of the GAN, as in train.")
@click.option("--seed", type=int, default=0, help="Makes training and samples repeatable.")
@click.option("--set", "settings", multiple=True, help="Any other value, FIELD.ARGUMENT=VALUE, as in train.")
@click.pass_context
def augment(context, data, out, everything, measure, per_class, gan, minutes, labels, seed, **options):
    """Makes labelled training data.

    A GAN that is told the class learns the training part of the data, and writes new samples of each class into a
    folder of its own, where the reader of the data finds them.

    With --measure, finds out instead whether that helps: the table has the accuracy of a classifier on test samples
    that nothing else has seen, with few real samples and many, varied or not, with samples of a GAN and without. The
    same command again goes on where it stopped.

    Examples:
      kerasgan augment --data folder_with_a_folder_for_each_class/ --out more/ --per_class 500
      kerasgan augment --data digits.zip --labels name --out more_digits/ --minutes 60
      kerasgan augment --data clothes.npz --gan cgan_fashion_mnist --out more_clothes/
      kerasgan augment --measure --data clothes.npz --out table.md
      kerasgan augment --measure --data clothes.npz --out table.md --sizes 5,10 --seeds 3 --minutes 2
    """
    commands.check_there(data)
    of_measure = commands.given(context, _OF_MEASURE)
    if of_measure and not measure:
        raise ValueError(f"--{min(of_measure)} is for --measure; leave it out, or add that.")
    if everything and measure:
        raise ValueError("--all: a measurement needs a part to test on; leave it out.")
    changes = changes_of({**options, "seed": None, "labels": None})  # these two say how samples are made, too
    common = {"gan": gan, "labels": labels, "minutes": minutes, "per_class": per_class, "changes": changes}
    common["command"] = context.obj
    if measure:
        return _measure(data, out, common, {name: options[name] for name in _OF_MEASURE})
    return _make_more(data, out, common, everything, seed)


def _make_more(data, out, common, everything, seed):
    """`kerasgan augment` without --measure."""
    from kerasgan import synthetic

    synthetic.making.check(data, out, common["per_class"], common["gan"], common["minutes"])
    commands.import_tensorflow()
    with commands.stopped_by_ctrl_c("Classes that are finished are kept; the same command goes on from there."):
        made = synthetic.augment(data, out, everything=everything, seed=seed, **common)
    print(f"Done. {out} holds {sum(made.values())} samples of {len(made)} classes, a folder each.")


def _measure(data, out, common, options):
    """`kerasgan augment --measure`."""
    from kerasgan import synthetic

    sizes = options["sizes"]
    options["sizes"] = sizes and [None if size == "all" else commands.whole("--sizes", size) for size in sizes]
    checked = {name: options[name] for name in ("sizes", "seeds", "gan_samples")}
    checked |= {name: common[name] for name in ("gan", "minutes", "per_class")}
    synthetic.measuring.check(data, out, mix=options["mix"], **checked)
    commands.import_tensorflow()
    with commands.stopped_by_ctrl_c("Results so far are kept; the same command goes on from there."):
        print(synthetic.measure(data, out, **options, **common).rstrip())
