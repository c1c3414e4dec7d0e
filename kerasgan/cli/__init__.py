"""The `kerasgan` command.

Each command is a function (see `kerasgan.commands`): the verbs of models in their tasks (`kerasgan.tasks`), all others
in the files of this package; a new one is such a function and its name below. TensorFlow is imported only by commands
that need it, after everything that can be checked without it.
"""

import os
import shlex
import sys
import warnings

import click
from click import shell_completion

import kerasgan
from kerasgan import commands, console, tasks, trust
from kerasgan.cli.augmentation import augment
from kerasgan.cli.data import convert, simulate
from kerasgan.cli.exporting import export, serve
from kerasgan.cli.latents import directions, project, train_encoder, video
from kerasgan.cli.publication import publish
from kerasgan.cli.scores import evaluate, report
from kerasgan.cli.training import train
from kerasgan.cli.zoo import describe, list_models, types
from kerasgan.runs import Interrupted

INTERRUPTED = 130  # the exit code that shells give to what Ctrl-C ended
_COMPLETE = "_KERASGAN_COMPLETE"  # environment variable by which a shell asks how a word may end

_BEFORE_THE_VERBS = (list_models, types, describe)
_OF_LATENTS = (directions, project, train_encoder, video)
_OF_DATA = (train, augment, simulate, convert, evaluate)
_OF_RESULTS = (report, export, publish, serve)


def all_commands():
    """{name: click command} of all, in the order of the help: between ours, the verbs of the tasks."""
    verbs = [task.command for task in tasks.known()]
    return {command.name: command for command in (*_BEFORE_THE_VERBS, *verbs, *_OF_LATENTS, *_OF_DATA, *_OF_RESULTS)}


class _Commands(click.Group):
    """All commands: tasks may be registered at any time."""

    def list_commands(self, ctx):
        return list(all_commands())

    def get_command(self, ctx, name):
        return all_commands().get(name)

    def parse_args(self, ctx, args):
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, ["--version"] if args == ["version"] else args)

    def resolve_command(self, ctx, args):
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            known = list(all_commands())
            hint = console.nearest(args[0], known)
            raise ValueError(f"{args[0]!r} is no command.{hint} The commands are {', '.join(known)}.") from None


@click.group(
    cls=_Commands,
    context_settings=commands.SETTINGS,
    invoke_without_command=True,
    epilog="kerasgan COMMAND --help tells all about one; --debug shows tracebacks of errors. To complete words by the "
    'Tab key: eval "$(_KERASGAN_COMPLETE=bash_source kerasgan)"; also zsh_source, fish_source.',
)
@click.version_option(kerasgan.__version__, prog_name="kerasgan", message="%(prog)s %(version)s")
@click.pass_context
def group(context):
    """GANs that are ready to use, and ready to train on your own files."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit()


def main(words=None):
    """Runs the command; returns its exit code: 0, 2 after an error of the user's making, 130 after Ctrl-C.

    Args:
        words: the words after `kerasgan`; None takes those of this process.
    """
    if words is None:  # this process is the command's own
        warnings.showwarning = _show_warning
        if _COMPLETE in os.environ:
            return shell_completion.shell_complete(group, {}, "kerasgan", _COMPLETE, os.environ[_COMPLETE])
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    with console.forgiving():
        try:
            code = _run(words, debug)
            if sys.stdout is not None:
                sys.stdout.flush()  # now, not when Python ends: a reader may be gone
            return code
        except BrokenPipeError:  # `kerasgan list | head -1`
            console.lose(sys.stdout)
            return 0


def _run(words, debug):
    """Runs a command and prints what went wrong; returns the exit code."""
    try:
        line = shlex.join(["kerasgan", *words])
        with trust.allowing(False), group.make_context("kerasgan", words, obj=line) as context:
            return group.invoke(context) or 0
    except click.exceptions.Exit as asked:  # --help and --version have been answered
        return asked.exit_code
    except Interrupted as stop:
        print(stop)
        return INTERRUPTED
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except (ValueError, OSError, ImportError, ArithmeticError, click.ClickException) as error:
        if debug:
            raise
        print(f"kerasgan: error: {' '.join(_said(error).split())}", file=sys.stderr)
        return 2


def _said(error):
    """What an error says; of missing words, with an example of the command."""
    if not isinstance(error, click.ClickException):
        return str(error)
    said = error.format_message()
    named = isinstance(error, (click.BadParameter, click.NoSuchOption)) and not isinstance(
        error, click.MissingParameter
    )
    if named or not isinstance(error, click.UsageError) or not isinstance(error.ctx.command, commands.Command):
        return said
    return f"{said} Expected: {error.ctx.get_usage().removeprefix('Usage: ')}, such as {error.ctx.command.examples[0]}"


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """A warning as users want it: what it says, not where in the code it was said."""
    print(f"kerasgan: warning: {message}", file=sys.stderr if file is None else file)
