"""Keeping from the screen what libraries write there from C++, past Python's own streams."""

import contextlib
import os
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
