"""Processes of their own that need not import TensorFlow: forks of one that has imported it and done nothing else.

To import it takes longer than most of what tests do in another process.
"""

import gc
import multiprocessing
import os
import runpy
import sys
import tempfile
import types

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tensorflow", "keras", "kerasgan.runs", "kerasgan.gan"])


class Forked:
    """A script, run as `python SCRIPT WORDS...` would, with what a test asks a `subprocess.Popen` for."""

    def __init__(self, script, words, environment=None):
        self._outputs = [tempfile.TemporaryFile("w+") for _ in range(2)]
        arguments = ([os.fspath(script), *map(str, words)], environment or {}, os.getcwd())
        files = [multiprocessing.reduction.DupFd(file.fileno()) for file in self._outputs]
        self._process = _CONTEXT.Process(target=_run, args=(*arguments, files))
        self._process.start()

    @property
    def returncode(self):
        return self._process.exitcode

    def communicate(self, timeout=None):
        """(what it wrote to standard output, to standard error), when it has ended."""
        self._process.join(timeout)
        if self._process.is_alive():
            self.kill()
            raise TimeoutError(f"{self._process} has not ended after {timeout} seconds.")
        for file in self._outputs:
            file.seek(0)
        return tuple(file.read() for file in self._outputs)

    def kill(self):
        self._process.kill()


def run(script, *words, environment=None, timeout=600):
    """How a script ends, told as by `subprocess.run`: `returncode`, `stdout`, `stderr`."""
    process = Forked(script, words, environment)
    out, error = process.communicate(timeout)
    return types.SimpleNamespace(returncode=process.returncode, stdout=out, stderr=error)


def _run(words, environment, folder, files):
    for number, file in enumerate(files, start=1):
        os.dup2(file.detach(), number)
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = words
    sys.path.insert(0, os.path.dirname(words[0]))
    gc.disable()  # the search for garbage is a fifth of the time of a process that traces and ends
    runpy.run_path(words[0], run_name="__main__")
