"""Leaves a mark when it is imported or called by what a file says; the harness looks for it."""

import os
import pathlib


def run(*args, **kwargs):
    pathlib.Path(os.environ["HOSTILE_MARK"]).touch()


class Named:
    def __init__(self, *args, **kwargs):
        run()

    from_config = classmethod(lambda cls, config: cls())


if not os.environ.get("HOSTILE_MAKING"):
    run()
