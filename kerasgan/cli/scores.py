"""How good a model is: `evaluate`, `report`."""

import os

import click

from kerasgan import commands, files, registry, runs, tasks
from kerasgan.commands import PLACE, WORDS, Command


class _Evaluate(Command):
    """A command that has the options of all tasks' scores besides its own; one that two tasks have is the first's."""

    def get_params(self, ctx):
        options = {}
        for task in tasks.every():
            for option in task.score_options:
                options.setdefault(option.name, option)
        return [*self.params, *options.values(), self.get_help_option(ctx)]

    def format_help_text(self, ctx, formatter):
        super().format_help_text(ctx, formatter)
        known = "; ".join(task.metrics_help for task in tasks.every() if task.metrics_help)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"The metrics are {known}.")


@click.command(cls=_Evaluate)
@commands.model_argument("NAME|RUN")
@click.option("--data", type=PLACE, required=True, help="The real samples: a folder, a zip, ... as in training.")
@click.option("--metrics", type=WORDS, help="Which scores; default: the usual ones of what the model makes.")
@click.option("--network", help="Feature network; default: the best one offline.")
@click.option("--subset", help="Part of the data, such as test, or ARRAY=VALUE.")
@commands.out_option("JSON file to write; default: evaluation.json in RUN.")
@commands.trust_option
@click.pass_context
def evaluate(context, name, data, metrics, network, subset, out, **options):
    """Scores a model.

    Its samples against real ones, and real ones against each other: the floor that perfect samples would reach. Every
    score comes with its protocol, for scores of different protocols do not compare.

    Examples:
      kerasgan evaluate dcgan_celeba --data celeba.zip
      kerasgan evaluate runs/my_photos --data my_photos/ --metrics fid,kid,prdc --count 1000
      kerasgan evaluate cgan_fashion_mnist --data fashion_mnist.npz --repeats 3 -o scores.json
    """
    path = runs.check_name(name)
    commands.check_there(data)
    if out is None and path.is_dir() and name not in registry.list_models():
        out = path / runs.EVALUATION
    if out is not None:
        files.check_output(out, (".json",), name="--out")
        files.check_apart(out, [path / file for file in runs.NEEDED], name="--out")
        runs.check_outside_data(name, out)
    commands.import_tensorflow()
    from kerasgan import metrics as scores

    about = {"subset": subset, "network": network}
    found = runs.evaluate(name, data, metrics, **about, **commands.given(context, options))
    if out is not None:  # first of all: the work of hours must not be lost if it cannot be shown
        scores.result.save(found, out)
    print(scores.result.table(found))
    if out is not None:
        print(f"Saved with the protocol to {out}.")


@click.command(cls=Command)
@click.argument("folder", metavar="RUN", type=PLACE)
@click.option("--data", type=PLACE, help="The data that it was trained on, for nearest neighbours.")
@click.option("--network", help="Feature network; default: the best one offline.")
@click.option("--seed", type=int, default=0, help="Seed of the samples.")
@commands.out_option("HTML file to write; default: report.html in RUN.")
@commands.trust_option
def report(folder, data, network, seed, out):
    """Writes a page about a training.

    One HTML file, to look at or pass on: samples over time, losses, scores and their protocol, ways from one sample to
    another and, with --data, the real samples that are nearest to new ones.

    Examples:
      kerasgan report runs/my_photos
      kerasgan report runs/my_photos --data my_photos/ -o report.html
    """
    runs.check_run(folder)
    out = files.check_output(out or os.path.join(folder, "report.html"), (".html",), name="--out")
    runs.check_outside_data(folder, out)
    commands.import_tensorflow()
    import kerasgan.report

    kerasgan.report.write(folder, out, source=data, network=network, seed=seed)
    print(f"Wrote {out}.")
