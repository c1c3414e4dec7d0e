"""What is said on the screen: our own lines, whatever it can show, and what libraries in C++ say."""

import contextlib
import difflib
import functools
import os
import re
import shutil
import sys
import tempfile


@contextlib.contextmanager
def quiet(replay=False):
    """Hides what is written to the standard error inside.

    Args:
        replay: show it after all if the block raises.
    """
    try:
        screen = os.dup(2)
    except OSError:  # closed: nothing can be seen there
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            if replay:
                messages.seek(0)
                os.write(screen, messages.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


def reason(error):
    """What an error says in its first line, without where in its graph TensorFlow came across it."""
    return re.sub(r"\{\{.*?\}\} ", "", getattr(error, "message", str(error))).split("\n")[0]


def import_tensorflow(devices=False):
    """Imports TensorFlow without its start-up messages, unless the user has asked for them by TF_CPP_MIN_LOG_LEVEL.

    Nor are what it calls errors later, such as an optimization of a graph that it goes on without: real ones arrive as
    exceptions.

    Args:
        devices: whether its devices are set up now, which is another occasion for such messages; not if something is
            still to be said of them.
    """
    _find_devices(devices and "tensorflow" not in sys.modules)


@functools.cache
def _find_devices(logical):
    import tensorflow  # `start_tensorflow` sees to it, unless it has been imported before kerasgan

    if _heard:
        with quiet(replay=True):
            tensorflow.config.list_logical_devices() if logical else tensorflow.config.list_physical_devices()


_heard = "TF_CPP_MIN_LOG_LEVEL" not in os.environ  # whether its messages would be on the screen, and nobody has asked


def start_tensorflow(execute, module):
    """Executes the module `tensorflow` as `import_tensorflow` says, whoever imports it."""
    if not _heard:
        return execute(module)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with quiet(replay=True):  # the first messages come from C++ before it has read the level
        execute(module)
        module.config.list_physical_devices()  # finding no GPU is another occasion for them


def nearest(name, names):
    """What to say of a name that is none: " Did you mean 'this' or 'that'?", of those that come near, or nothing."""
    spelt = {known.lower(): known for known in reversed(list(names))}  # in whatever case
    near = [spelt[found] for found in difflib.get_close_matches(str(name).lower(), spelt, n=3, cutoff=0.5)]
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def say(line):
    """Prints a line; on a terminal, in the place of a line that is renewed there, such as that of `Progress`."""
    if sys.stdout is not None and sys.stdout.isatty():
        line = "\r" + line.ljust(shutil.get_terminal_size().columns - 1)
    write(line)


def write(text, end="\n", stream=None):
    """Prints text, with an escape for each letter that the stream cannot take: what is said must not end the work.

    Nor must a reader that is gone, as after `| head`: from then on, what is said is lost.

    Args:
        stream: None is standard output.
    """
    stream = sys.stdout if stream is None else stream
    try:
        print(printable(text, getattr(stream, "encoding", None)), end=end, file=stream, flush=True)
    except BrokenPipeError:
        lose(stream)


def printable(text, encoding=None):
    """The text with an escape for what an encoding lacks: of UTF-8 (None), bytes of file names that are no letters."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextlib.contextmanager
def forgiving():
    """Lets `print` inside write escapes for the letters that standard output and error cannot take."""
    changed = [(stream, stream.errors) for stream in (sys.stdout, sys.stderr) if hasattr(stream, "reconfigure")]
    for stream, _ in changed:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in changed:
            if not stream.closed:
                stream.reconfigure(errors=errors)


def lose(stream):
    """Sends what is still to be written to a stream nowhere, so that Python does not complain of it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
