"""What libraries in C++ say: keeping it from the screen, and making it readable."""

import contextlib
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
    sys.stderr.flush()
    with tempfile.TemporaryFile() as messages:
        screen = os.dup(2)
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


def say(line):
    """Prints a line; on a terminal, in the place of a line that is renewed there, such as that of `Progress`."""
    if sys.stdout.isatty():
        line = "\r" + line.ljust(shutil.get_terminal_size().columns - 1)
    print(line, flush=True)
