"""What the words of a command say: flags, names and requests for help.

A command is one function that takes the words after its name and may return an exit code; its docstring is its help
(the words it takes, what it does, examples). `kerasgan.cli` and the tasks have them.
"""

import inspect
import os
import re
import textwrap

from absl import flags

from kerasgan import console, files, trust

_PATHS = ("out", "data", "data_dir", "web", "litert", "folder")  # flags that are paths
_TRUST_HELP = "Let RUN or FILE name modules that are run, for a GAN type of your own; never for a stranger's."


class Help(Exception):
    """What was asked for is this text."""


def help_of(function):
    """(words it takes, what it does, examples) from a command's docstring."""
    usage, about, examples = inspect.getdoc(function).split("\n\n")
    return usage, " ".join(about.split()), examples


def parse(function, values, words, takes=1):
    """Parses flags into `values`; returns the other words, of which the command takes so many (None: any number)."""
    usage, about, examples = help_of(function)
    if "RUN" in usage:
        flags.DEFINE_boolean("trust", False, _TRUST_HELP, flag_values=values)
    if any(word in ("--help", "-h", "-help", "--helpfull") for word in words):
        parts = [f"kerasgan {usage} [flags]", textwrap.fill(about, 100), examples, _flags_help(values)]
        raise Help("\n\n".join(part for part in parts if part))
    words = [re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), word) for word in words]
    _, *others = values(["kerasgan", *words])
    if "trust" in values and values.trust:
        trust.allow()
    for flag in _PATHS:
        if flag in values:
            files.check_given(values[flag].value, f"--{flag}")
    called = [word.strip("[]") for word in usage.split()[1:] if word[0] not in "-."] or [""]
    for number, word in enumerate(others):
        files.check_given(word, called[min(number, len(called) - 1)])
    if takes is not None and len(others) != takes:
        given = f"got {' '.join(others)!r}" if others else "got none"
        raise ValueError(f"Expected kerasgan {usage}: {takes} name{'' if takes == 1 else 's'}, {given}.")
    return others


def _flags_help(values):
    lines = ["Flags:"] if len(values) else []
    for name in values:
        flag = values[name]
        if name != flag.name:
            continue  # a short name
        long = f"--[no]{name}" if flag.default is True else f"--{name}"
        names = f"-{flag.short_name}, {long}" if flag.short_name else long
        value = ",".join(flag.default) if isinstance(flag.default, list) else flag.default
        default = "" if value is None or value == "" or isinstance(value, bool) else f" (default: {value})"
        lines.append(f"  {names:<18} {' '.join(flag.help.split())}{default}")
    return "\n".join(lines)


def add_flags(values, others):
    """Adds flags to `values`, but for those that are there already: two tasks may have one of the same name."""
    for name in others:
        if name not in values:
            values[name] = others[name]


def check_at_least_one(values, *names):
    """Raises a ValueError for a flag of these that is a number below 1."""
    for flag in names:
        if values[flag].value is not None and values[flag].value < 1:
            raise ValueError(f"--{flag} is {values[flag].value}; expected 1 or more.")


def edges(text):
    """What `--size` says: one edge, or [height, width]."""
    size = [whole("--size", edge) for edge in text.lower().split("x")]
    return size[0] if len(size) == 1 else size


def whole(flag, text):
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{flag} is {text!r}; expected a whole number.") from None


def import_tensorflow(devices=True):
    """Imports TensorFlow, as `console.import_tensorflow` does.

    On processors without AVX-512 TensorFlow leaves oneDNN out unless told otherwise, though convolutions train faster
    with it on them, too.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    console.import_tensorflow(devices)
