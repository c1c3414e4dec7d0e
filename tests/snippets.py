"""Code that stands in notebooks and on pages: running it as a notebook does, and looking at it without running it."""

import ast
import contextlib
import functools
import io
import re
import shlex

import keras

import kerasgan
from kerasgan import cli

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INSTALLATION = ("pip", "npm", "python", "pytest", "git", "mkdocs")  # commands that are not ours


def run_cell(code, names):
    """Runs a cell of a notebook in the namespace `names`; returns what its last line is, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def stop_after_a_step(monkeypatch):
    """Has every `fit` end after its first step."""

    class First(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    def fit(gan, *arguments, callbacks=(), **options):
        return whole(gan, *arguments, callbacks=[*callbacks, First()], **options)

    whole = kerasgan.Game.fit
    monkeypatch.setattr(kerasgan.Game, "fit", fit)


def commands(text):
    """The words of each `kerasgan` command of a shell snippet, without "kerasgan"."""
    for line in text.replace("\\\n", " ").splitlines():
        for command in line.split("&&"):
            words = shlex.split(command, comments=True)
            if words and words[0] not in INSTALLATION:
                assert words[0] == "kerasgan", command
                yield words[1:]


def check_command(words):
    """Raises an AssertionError unless a command is known, and its help has all flags of it."""
    verb, *rest = words
    flags = [word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)]
    text = help_of(verb)
    missing = [flag for flag in flags if not re.search(rf"(?<![\w-]){flag}(?![\w-])", text)]
    assert not missing, f"kerasgan {' '.join(words)}: its help has no {', '.join(missing)}"


@functools.cache
def help_of(verb):
    """What `kerasgan VERB --help` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        assert cli.main([verb, "--help"]) in (0, None), verb
    assert verb in out.getvalue()
    return out.getvalue()


def check_python(code):
    """Raises an error unless code parses, and what it takes of kerasgan, such as `kerasgan.data.images`, is there."""
    for node in ast.walk(ast.parse(code)):
        chain = []
        while isinstance(node, ast.Attribute):
            chain.insert(0, node.attr)
            node = node.value
        if chain and isinstance(node, ast.Name) and node.id == "kerasgan":
            found = kerasgan
            for name in chain:
                found = getattr(found, name)
