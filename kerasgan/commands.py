"""What commands are made of: the command itself, kinds of values, options that several have.

A command is a function under `@click.command(cls=Command)`: its parameters are what the words say, its docstring is its
help, it may return an exit code. The verbs of models are commands of their tasks, all others are in `kerasgan.cli`.
"""

import contextlib
import inspect
import os
import shutil
import sys
import textwrap

import click
from click.core import ParameterSource

from kerasgan import console, files, trust

_WIDEST = 100  # columns of a help text


class Command(click.Command):
    """A command whose docstring ends in "Examples:" and lines of them.

    Names of options may be written with hyphens, too: --batch-size is --batch_size.
    """

    def __init__(self, name, help, **kwargs):
        about, _, examples = inspect.cleandoc(help).partition("Examples:\n")
        self.examples = [line.strip() for line in examples.splitlines()]
        super().__init__(name, help=about, context_settings=SETTINGS, **kwargs)

    def format_epilog(self, ctx, formatter):
        with formatter.section("Examples"):
            formatter.write("".join(f"  {example}\n" for example in self.examples))


SETTINGS = {
    "help_option_names": ["--help", "-h"],
    "token_normalize_func": lambda name: name.replace("-", "_"),
    "max_content_width": _WIDEST,
    "show_default": True,
}


def given(context, names):
    """{name: value} of the options of these names that the user gave, not those that have their defaults."""
    return {
        name: context.params[name]
        for name in names
        if context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
    }


# Kinds of values -----------------------------------------------------------------------------------------------------


class Place(click.ParamType):
    """A path or the name of a model: any text but none, which a shell makes of a variable that is not set."""

    name = "path"

    def convert(self, value, param, ctx):
        files.check_given(value, called(param))
        return value

    def shell_complete(self, ctx, param, incomplete):
        return [click.shell_completion.CompletionItem(incomplete, type="file")]


def called(param):
    """What an option or an argument is called in messages: --out, NAME|RUN|FILE."""
    argument = param.param_type_name == "argument"
    return param.metavar.strip("[]").split(" ")[0] if argument else max(param.opts, key=len)


class ModelName(Place):
    """The name of a model, of a run folder, a file."""

    name = "model"

    def __init__(self, types=False):
        self.types = types

    def shell_complete(self, ctx, param, incomplete):
        import kerasgan

        names = [*kerasgan.list_models(), *(kerasgan.registry.TYPES if self.types else ())]
        found = [click.shell_completion.CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or super().shell_complete(ctx, param, incomplete)


class Words(click.ParamType):
    """Words with commas between them -> a list."""

    name = "word,word"

    def convert(self, value, param, ctx):
        return value if isinstance(value, list) else [word.strip() for word in value.split(",") if word.strip()]


class Size(click.ParamType):
    """64 -> 64; 64x96 -> [64, 96]: height and width."""

    name = "size"

    def convert(self, value, param, ctx):
        edges = str(value).lower().split("x")
        if not all(edge.isascii() and edge.isdigit() and int(edge) for edge in edges) or len(edges) > 2:
            self.fail(f"{value!r} is no size; expected one edge or height and width, such as 64 or 64x96.", param, ctx)
        return int(edges[0]) if len(edges) == 1 else [int(edge) for edge in edges]


PLACE, MODEL, WORDS, SIZE = Place(), ModelName(), Words(), Size()
COUNT = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
POSITIVE = click.FloatRange(0, min_open=True)


def whole(option, text):
    """The whole number that a part of an option's value is."""
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no whole number.", param_hint=f"'{option}'") from None


def check_there(path, what="a folder, a zip or .npz file, or tfds:NAME"):
    """Raises a FileNotFoundError for a path that leads nowhere; other sources are tfds:NAME, and numbers of samples."""
    if ":" not in path and not path.isdigit() and not os.path.exists(os.path.expanduser(path)):
        raise FileNotFoundError(f"{path!r} does not exist; give {what}.")


# Arguments and options that several commands have --------------------------------------------------------------------


def model_argument(metavar="NAME|RUN|FILE", types=False):
    """The argument `name`: which model."""
    return click.argument("name", metavar=metavar, type=ModelName(types))


def out_option(help, **kwargs):
    """The option `--out`, `-o`: where to write."""
    return click.option("--out", "-o", type=PLACE, help=help, **kwargs)


trust_option = click.option(
    "--trust",
    is_flag=True,
    expose_value=False,
    callback=lambda context, option, trusted: trust.allow() if trusted else None,
    help="Let RUN or FILE name modules that are run, for a GAN type of your own; never for a stranger's.",
)


# What they do --------------------------------------------------------------------------------------------------------


def table(head, rows):
    """Prints rows of texts in columns, on a terminal no wider than it is; elsewhere a line each, for other programs."""
    if sys.stdout is not None and sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        return _folded(head, rows, columns) if columns >= _WIDEST else _stacked(rows, columns)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _folded(head, rows, columns):
    """As columns, in which long texts become several lines."""
    import rich.console
    import rich.table
    from rich.text import Text

    laid_out = rich.table.Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for number, name in enumerate(head):
        laid_out.add_column(Text(name), no_wrap=number == 0, overflow="fold")
    for row in rows:
        laid_out.add_row(*map(Text, row))
    rich.console.Console(width=columns, highlight=False).print(laid_out)


def _stacked(rows, columns):
    """One below the other: the first text of a row, then the others."""
    for first, *others in rows:
        lines = textwrap.wrap("; ".join(others), columns, initial_indent="  ", subsequent_indent="  ")
        print(first, *lines, sep="\n")


@contextlib.contextmanager
def stopped_by_ctrl_c(kept):
    """Ctrl-C inside says what is kept, and ends the command."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"Stopped. {kept}")
        raise


def import_tensorflow(devices=True):
    """Imports TensorFlow, as `console.import_tensorflow` does.

    On processors without AVX-512 TensorFlow leaves oneDNN out unless told otherwise, though convolutions train faster
    with it on them, too.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    console.import_tensorflow(devices)
